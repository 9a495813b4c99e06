/*
 * args.h - what the user typed, checked.
 *
 * One table of commands (commands.c) and one of options (options.c): parsing, --help,
 * manual pages and completion are made from them.
 * HOW TO ADD A COMMAND: write cmd_<name>.c, list it in commands.c and meson.build.
 */
#ifndef LIMPET_CLI_ARGS_H
#define LIMPET_CLI_ARGS_H

#include "base/err.h"
#include "base/str.h"

enum opt_id {
	OPT_JSON = 1 << 0,
	OPT_LIMIT = 1 << 1,
	OPT_NO_COLOR = 1 << 2,
	OPT_QUIET = 1 << 3,
	OPT_OUT = 1 << 4,
	OPT_EXE = 1 << 5,
	OPT_VALUES = 1 << 6,
	OPT_FREEZE = 1 << 7,
	OPT_MAX_PAUSE = 1 << 8,
	OPT_THREADS = 1 << 9,
	OPT_MAX_MEMORY = 1 << 10,
	OPT_LAYOUT = 1 << 11,
	OPT_BY = 1 << 12,
	OPT_SORT = 1 << 13,
	OPT_GROUP_BY = 1 << 14,
	OPT_DEPTH = 1 << 15,
	OPT_PATHS = 1 << 16,
	OPT_WAIT = 1 << 17,
	OPT_GO = 1 << 18,
	OPT_HELP = 1 << 19,
	OPT_SYSROOT = 1 << 20,
	OPT_SYMBOLS = 1 << 21,
	OPT_SHOWN = 1 << 22, /* --width, --bytes, --raw of object */
	OPT_TREES = 1 << 23, /* --tree, --owners */
	OPT_ALL = 1 << 29,
	OPT_HANDLER = 1 << 30, /* all options of core-handler */
	OPT_ZSTD = 1 << 24,
	OPT_NO_PAYLOAD = 1 << 25,
	OPT_REDACT = 1 << 26,
	OPT_SELFTEST = 1 << 27,
	OPT_REAP = 1 << 28,
	OPT_LEAKED = 1LL << 32,
	OPT_DIFF = 1LL << 36,
	OPT_FINDINGS = 1LL << 33, /* report: known findings, hints, the fix's surroundings */
	OPT_CHECK = 1LL << 34,	  /* all options of check that are about the program and its rounds */
	OPT_OUTPUTS = 1LL << 38,  /* forms of an answer for services: check and report */
	OPT_WATCH = 1LL << 35,	  /* memory, top: --watch, --count */
	OPT_FETCH = 1LL << 46,	  /* every TARGET: how its URL is asked for */
	OPT_GCLOG = 1LL << 43,	  /* of GC logs: --svg, --stream */
	OPT_GOTEXT = 1LL << 42,	  /* goroutines in texts: --dump */
	OPT_DETAIL = 1LL << 39,	  /* snapshot: how much a store keeps */
	OPT_FOLLOW = 1LL << 37,	  /* diff: --for, --cycles */
	/* of profiles: options_pprof.c */
	OPT_PPROF = 1LL << 40,	      /* which value, which frames are seen */
	OPT_PPROF_NAMES = 1LL << 47,  /* --focus, --ignore */
	OPT_PPROF_ROWS = 1LL << 48,   /* --by, --sort */
	OPT_PPROF_DRAW = 1LL << 49,   /* --format, --html */
	OPT_PPROF_DIFF = 1LL << 50,   /* --normalize, --percent-of */
	OPT_PPROF_SOURCE = 1LL << 51, /* --source */
	OPT_PROFILE = 1LL << 41,  /* profile: --kind, --format, --value */
	/* every command with a TARGET */
	OPTS_COMMON = OPT_JSON | OPT_LIMIT | OPT_NO_COLOR | OPT_QUIET | OPT_OUT | OPT_EXE |
		      OPT_SYSROOT | OPT_VALUES | OPT_FREEZE | OPT_MAX_PAUSE | OPT_THREADS |
		      OPT_MAX_MEMORY | OPT_LAYOUT | OPT_SYMBOLS | OPT_FETCH |
		      OPT_HELP,
	/* every command on profiles alone */
	OPTS_PPROF = OPT_JSON | OPT_LIMIT | OPT_NO_COLOR | OPT_QUIET | OPT_OUT | OPT_VALUES |
		     OPT_MAX_MEMORY | OPT_FETCH | OPT_PPROF | OPT_PPROF_NAMES | OPT_HELP,
};

struct opt {
	enum opt_id id;	     /* 0: comes in a later version */
	const char *name;    /* "--json"; "-o" */
	const char *metavar; /* NULL: a flag; "[=X]": only behind a "=", and may be missing */
	const char *about;
};

struct args;

struct cmd {
	const char *name;
	const char *args;    /* "TARGET WHAT" */
	const char *about;   /* one line */
	const char *help;    /* more lines, or NULL */
	const char *example; /* one that works */
	uint64_t opts;	     /* OPT_* that it takes */
	unsigned min_args, max_args;
	unsigned targets; /* so many of the first arguments are TARGETs; 0: one */
	unsigned facts; /* TARGET_FACTS_* that it needs of a process */
	bool free; /* starts programs or looks at the machine: no walls (cli/walls.h) */
	/* NULL: in a later version.  *status: exit code when no error (0 unless set). */
	struct err *(*run)(const struct args *a, int *status);
};

enum handler_core {
	HANDLER_CORE_REDACTED,
	HANDLER_CORE_NO_PAYLOAD,
	HANDLER_CORE_FULL,
	HANDLER_CORE_NONE
};
enum handler_others { HANDLER_OTHERS_DROP, HANDLER_OTHERS_KEEP };

/* core-handler; 0 and NULL: the default of cmd_core_handler.c */
struct handler_opts {
	const char *dir;
	uint64_t keep, max_total, min_free, max_time_ns;
	bool min_free_set; /* 0 is a value */
	enum handler_core core;
	enum handler_others others;
};

/* check; what was not given is 0, NULL, NaN.  Times are ns. */
struct check_opts {
	const char *pid, *load, *log, *keep_looks;
	const char *ready_port, *ready_line, *ready_cmd;
	uint64_t ready_ns, load_ns, every_ns, settle_ns, stop_ns, duration_ns, max_ns;
	uint64_t warmup, repeat;
	bool force_gc, no_sampling, verbose, warmup_set;
	const char *max_growth, *max_goroutines; /* read by cmd_check.c */
	const char *max_alloc, *max_gc, *max_gc_cpu, *max_gc_pause;
	const char *baseline, *known, *source;
	bool update_baseline, each_test;
};

/* check and report: check_answer.h; NULL: not asked for. */
struct outs_opts {
	const char *format, *junit, *sarif, *quality;
	bool annotations;
};

/* 0, NULL: not said. */
enum { HEADERS_MAX = 32 };
struct fetch_opts {
	const char *header[HEADERS_MAX], *unix_socket;
	size_t nheaders;
	uint64_t timeout_ns;
};

/* of profiles; NULL: not asked for */
struct pprof_opts {
	const char *value, *hide, *show, *show_from, *tag_focus, *tag_ignore;
	const char *format, *html, *percent_of;
	bool normalize, no_inlines;
};

/* gc; 0, NULL: not said. */
struct gclog_opts {
	const char *svg;
	uint64_t stream; /* from 1 */
};

/* profile; NULL: not given. */
struct profile_opts {
	const char *kind, *format, *value;
};

/* GIVEN_MAX: more than any command takes. */
enum { ARGS_MAX = 1 + 1024, IGNORED_MAX = 64, GIVEN_MAX = 96 };

struct args {
	const struct cmd *cmd;
	const char *arg[ARGS_MAX]; /* TARGET, WHAT … */
	unsigned nargs;
	uint64_t seen; /* OPT_* that were given */
	const struct opt *given[GIVEN_MAX]; /* on the command line, each once: given.h */
	size_t ngiven;
	const char *out, *exe, *sysroot, *symbols, *layout, *go;
	const char *by, *granularity, *sort, *group_by;
	const char *tree, *owners, *focus, *ignore;
	const char *since, *known, *source; /* report */
	const char *ignored[IGNORED_MAX];
	size_t nignored;
	bool markdown;
	unsigned detail; /* AGG_KEEP_* */
	const char *requests; /* diff */
	bool objects, force;
	uint64_t follow_ns, follow_cycles; /* diff */
	uint64_t watch_ns, count;	    /* --watch; count 0: no end */
	const char *reap; /* --reap */
	uint64_t package_depth;
	uint64_t limit, depth, paths, wait_s, threads;
	uint64_t max_pause_ns, max_memory;
	uint64_t width, bytes; /* object; UINT64_MAX: not said */
	bool raw;
	struct handler_opts handler;
	struct check_opts check;
	struct outs_opts outs;
	struct pprof_opts pprof;
	struct profile_opts profile;
	struct fetch_opts fetch;
	struct gclog_opts gclog;
	uint64_t dump; /* --dump; 0: the last whole one */
	const struct config *config; /* config.h; NULL: not read */
	unsigned values;       /* ANS_VALUES_* */
	struct broker *broker; /* who opens processes and files for us; NULL: we do */
	char target[24];       /* arg[0] when a name was looked up */
};

static inline bool args_has(const struct args *a, enum opt_id id)
{
	return (a->seen & id) != 0;
}

const struct cmd *commands(size_t *ret_n);
const struct cmd *command_named(const char *name); /* NULL: none */
const struct opt *options(size_t *ret_n);

struct err *args_parse(int argc, char *const *argv, struct args *ret) MUST_CHECK;

/* Options of one command that share an id, in files of their own. */
struct err *args_set_check(const char *name, const char *value, struct args *a) MUST_CHECK;
void args_set_pprof(const char *name, const char *value, struct args *a);
struct err *args_set_gclog(const char *name, const char *value, struct args *a) MUST_CHECK;
void args_set_profile(const char *name, const char *value, struct args *a);
struct err *args_set_fetch(const char *name, const char *value, struct args *a) MUST_CHECK;
/* "500ms", "5s", "2m", "1h"; without a unit seconds. */
struct err *args_parse_time(const char *name, const char *text, uint64_t *ret) MUST_CHECK;

/*
 * An option's value from elsewhere, where it was not given: word is "max-pause", "threads" …
 * Errors: ERR_USAGE.
 */
struct err *args_default(struct args *a, const char *word, const char *value) MUST_CHECK;

/* cmd NULL: the overview. */
void help_text(struct str *o, const struct cmd *cmd);
void help_man(struct str *o);
void help_completion_bash(struct str *o);

#endif
