/*
 * find.h - findings: what is wrong with a program's memory, as values.
 *
 * A detector is one file and one const struct; it looks at snapshot and graph and says what it
 * sees with find_say(); it never prints.  It says where a thing hangs (node), what would be freed,
 * how sure that is, and what to change; the holder chain, the cut, the owner's tree and the
 * allocation site are added by the report room, for all of them alike.
 *
 * HOW TO ADD ONE: find/<kind>.c with a struct detector, a row in detectors.c and meson.build,
 * docs/findings/<kind>.md, a program tests/goprogs/findings/<kind> with its CASE lines.
 *
 * TRUTH.  leak: it can be shown that the bytes will never be used again, or that they grew between
 * two looks in what nothing empties.  suspect: it looks like one and one look cannot tell; decide
 * says what would.  waste: memory that is needed less of.  info: worth knowing, no fault.  proved:
 * follows from the collector's own graph; measured: a figure that was counted; inferred: a rule of
 * thumb.
 *
 * All bytes; texts are raw, of find.keep or static, never NULL after find_say().
 */
#ifndef LIMPET_FIND_FIND_H
#define LIMPET_FIND_FIND_H

#include "find/look.h"
#include "find/since.h"

enum find_verdict { FIND_LEAK, FIND_SUSPECT, FIND_WASTE, FIND_INFO };
enum find_proof { FIND_PROVED, FIND_MEASURED, FIND_INFERRED };

const char *find_verdict_word(uint8_t verdict); /* "leak" */
const char *find_proof_word(uint8_t proof);

#define FIND_NO_GOROUTINE SIZE_MAX

/*
 * In title, fix, mitigate, confirm, decide and detail "{holder}" is replaced by the Go expression
 * of what holds the node ("main.cache"), "{type}" by its type, "{site}" by where its like are
 * allocated: the report room knows these.
 */
struct finding {
	const char *kind;     /* contract, section 5 */
	uint8_t verdict;      /* enum find_verdict */
	uint8_t proof;	      /* enum find_proof */
	const char *title;    /* one sentence */
	const char *type;     /* of what is held; NULL: the node's */
	uint64_t bytes;	      /* that would be freed: heap, exact tree */
	uint64_t stack_bytes; /* goroutines: of their stacks, apart */
	uint64_t objects;
	gnode node;	  /* whose path from a root is the holder chain; GRAPH_NONE: none */
	size_t goroutine; /* index in s->stacks.gs, of a group the example; FIND_NO_GOROUTINE */
	uint64_t count;	  /* of its like: goroutines, timers …; 0: does not apply */
	const char *key;  /* what tells it from others of its kind in every run and build: names of
			   * globals, types, functions; no address, no number */
	const char *fix;
	const char *mitigate; /* what helps right now */
	const char *decide;   /* suspect: the observation that would */
	const char *confirm;  /* a command that shows it fixed */
	const char *detail;   /* further lines, '\n' between; "" none */
	unsigned certainty;   /* permille; 0: by verdict and proof */
	/* set by find_run(): */
	char signature[17];
	bool fresh;	     /* since: it was not there in the earlier look */
	bool then_known;     /* since: */
	uint64_t then_bytes; /*	heap and stacks, then */
	uint64_t then_count;
};

static inline uint64_t finding_bytes(const struct finding *x)
{
	return x->bytes + x->stack_bytes;
}

/* Figures of the process that do not lie in the snapshot; FIND_UNKNOWN: not known. */
#define FIND_UNKNOWN UINT64_MAX
struct find_memory {
	uint64_t rss, heap_live, heap_garbage, heap_free, heap_released, stacks, runtime, off_heap,
		files, thread_stacks, globals;
	uint64_t cgroup_limit, cgroup_used;
};

/* What the kernel says of a descriptor. */
struct find_fd {
	uint64_t fd;
	bool socket;
	bool peer_gone; /* TCP: the other side has closed, this one has not (CLOSE_WAIT) */
};

struct content;
struct detector;

/* What a detector cost, or why it was not asked. */
struct find_cost {
	const struct detector *detector;
	uint64_t ns;
	const char *skipped; /* NULL: it ran */
};

struct find {
	struct look l;			  /* l.keep == &keep, l.index: find_run() makes it */
	const struct find_memory *memory; /* NULL: not known */
	const struct find_since *since;	  /* an earlier look; NULL: none.  Suspects that grew since
					   * then are raised by find_run(), no detector need do it */
	struct liveness *liveness;	  /* find_liveness(); NULL: not asked */
	struct look_limits *limits;	  /* find_limits(); NULL: not asked */
	const struct find_fd *fds;	  /* ascending by fd; NULL: the kernel was not asked */
	size_t nfds;
	struct keep keep;
	VEC(struct finding) found;
	VEC(struct find_cost) costs;
	const struct detector *running;
	struct content *content; /* content.h; NULL: not made yet */
};

enum {
	FIND_NEEDS_RUNTIME = 1, /* a heap dump has no such things: left out */
	FIND_NEEDS_MEMORY = 2,	/* find.memory */
};

struct detector {
	const char *name;  /* the kind that it finds; others may be among them */
	const char *about; /* one line */
	unsigned needs;	   /* FIND_NEEDS_* */
	struct err *(*run)(struct find *f);
};

extern const struct detector *const detectors[]; /* NULL-ended */

/* Run all of them, sign and rank.  Errors: NOMEM, GONE, the interrupted user's. */
struct err *find_run(struct find *f) MUST_CHECK;
void find_deinit(struct find *f);

/* One more finding; what is NULL becomes "". */
struct err *find_say(struct find *f, const struct finding *x) MUST_CHECK;

/*
 * Name of root r (0 .. nroots - 1) that stays the same in every run and, as far as it can, build:
 * a global's name, else who uses it; "goroutine main.worker".  Of the keep.
 */
const char *find_root_key(struct find *f, uint32_t r);

/* Fewer bytes are trifles: 1 MiB, and 1 % of the live heap. */
uint64_t find_least_bytes(const struct find *f);

/* Which goroutines can never run again; made once, borrowed. */
struct liveness;
struct err *find_liveness(struct find *f, const struct liveness **ret) MUST_CHECK;

/* Servers, clients and pools, and what hangs on them; made once, borrowed. */
struct look_limits;
struct err *find_limits(struct find *f, const struct look_limits **ret) MUST_CHECK;

/* Version of the program's Go: 24 for go1.24.13; what a fix may recommend. */
unsigned find_go_minor(const struct find *f);
/* "90 s", "3 minutes", "5 hours": of the keep. */
const char *find_duration(struct find *f, uint64_t ns);

#endif
