/*
 * gotext.h - goroutines as text: what panics, SIGQUIT, runtime.Stack and /debug/pprof/goroutine
 * (debug=1 and 2) write, found in any log.
 *
 * A log may hold many dumps.  Of each there are counts by stack and state (tallies); the goroutines
 * themselves are kept of one: the last whole one, or that which was asked for.  Several files fed
 * one after the other are one row of dumps.  All text is interned and raw: it may hold anything.
 * What a panic says and what labels hold are the program's values: who shows them asks the policy.
 * Arguments of calls are not kept but for the first of each frame, which tells locks apart.
 *
 * Text proves nothing: a line may be missing, be of another process, or be a lie.
 *
 * Sources: runtime/traceback.go (goroutineheader, traceback2, printcreatedby1,
 * printAncestorTraceback, tracebacksomeothers), runtime/panic.go (printpanics, throw, fatal),
 * runtime/signal_unix.go (sighandler), runtime/pprof/pprof.go (printCountProfile).
 * Memory: 56 bytes a goroutine of the kept, the last and the first dump, 40 a tally, each text
 * once.
 */
#ifndef LIMPET_EVIDENCE_GOTEXT_H
#define LIMPET_EVIDENCE_GOTEXT_H

#include "base/mem.h"
#include "evidence/input.h"

#include <stdbool.h>

#define GOTEXT_NONE UINT32_MAX

enum gotext_frame_flags {
	GOTEXT_FRAME_INLINED = 1, /* "(...)" */
	GOTEXT_FRAME_C = 2,	  /* of no Go function */
	GOTEXT_FRAME_CUT = 4,	  /* its line was cut by other output */
};

struct gotext_frame {
	uint32_t function, file; /* texts; 0: not known */
	uint32_t line, flags;
};

/* Frames are frame[links[first .. first + n)], innermost first. */
struct gotext_stack {
	uint32_t first, n;
	uint32_t elided;  /* frames that Go left out, below the first 50 or so */
	uint32_t created; /* a frame: the go statement; GOTEXT_NONE */
	uint32_t entry;	  /* text: the function that it was started with; 0 not known */
	uint32_t user;	  /* a frame: the innermost of the program itself; GOTEXT_NONE */
};

enum gotext_flags {
	GOTEXT_LOCKED = 1,    /* to its thread */
	GOTEXT_LEAKED = 2,    /* the runtime's own search found nothing that could wake it */
	GOTEXT_SCAN = 4,      /* the collector was at its stack */
	GOTEXT_BUBBLE = 8,    /* of testing/synctest */
	GOTEXT_NO_STACK = 16, /* "running on other thread; stack unavailable" */
	GOTEXT_SYSTEM = 32,   /* of the runtime */
	GOTEXT_PANICKED = 64, /* the one that the panic was of */
	GOTEXT_WRAPPED = 128, /* its stack has no beginning */
};

struct gotext_goroutine {
	uint64_t id, parent; /* 0: not said */
	uint32_t stack, state,
		labels;		   /* texts; state without "(scan)", minutes …; labels 0: none */
	uint32_t minutes;	   /* at least so long */
	uint32_t count;		   /* debug=1: of equal ones, else 1 */
	uint32_t first_arg, nargs; /* in args */
	uint32_t flags;
};

/* The first argument of a frame, where it is a pointer. */
struct gotext_arg {
	uint64_t value;
	uint32_t frame;	 /* counted from the innermost */
	uint32_t unsure; /* 1: "?", its slot may have been used again */
};

/* Goroutines of one stack in one state in a dump. */
struct gotext_tally {
	uint32_t stack, state, count;
	uint32_t stayed;       /* of them in the dump before, too: same goroutine, stack, state */
	uint32_t stayed_first; /* in the first one of that process */
	uint32_t min_minutes, max_minutes;
	uint16_t ages;	    /* different ones, at most 64 are told apart */
	uint16_t args_seen; /* 1: all have the same pointer as first argument, 2: different ones, 0:
			       none */
	uint32_t leaked, locked;
};

enum gotext_dump_flags {
	GOTEXT_WHOLE = 1,    /* more than one goroutine */
	GOTEXT_FINAL = 2,    /* the process ended with it */
	GOTEXT_PROFILE = 4,  /* debug=1: counts, no ids, no states */
	GOTEXT_LEAKS = 8,    /* the goroutineleak profile */
	GOTEXT_TIMED = 16,   /* time_ns is known */
	GOTEXT_NO_YEAR = 32, /* … but for the year */
	GOTEXT_NO_ZONE = 64, /* … but for the time zone */
	GOTEXT_CUT = 128,    /* its end is missing */
};

struct gotext_dump {
	uint64_t time_ns; /* of the Unix epoch */
	uint64_t at_line; /* of its file, from 1 */
	uint32_t file;	  /* text */
	uint32_t process; /* dumps of one number are taken to be of one process */
	uint32_t flags;
	uint32_t panic; /* in panics; GOTEXT_NONE */
	uint64_t n;	/* goroutines */
	uint32_t first_tally, ntallies;
	uint64_t noise; /* lines of other output between its own */
};

struct gotext_panic {
	const char *kind;   /* "nil dereference", "deadlock"; static */
	uint32_t message;   /* a text: a value of the program */
	uint32_t how;	    /* text: "panic", "fatal error", "SIGQUIT" */
	uint64_t goroutine; /* the first that it was of; 0 not known */
	uint32_t recovered; /* 1: "[recovered]", or net/http's own */
};

struct gotext;
/*
 * Of a dump's panic the frame that panicked: the innermost that is not of the standard library, and
 * where it was recovered none of the deferred call that did so.  GOTEXT_NONE: not known.
 */
uint32_t gotext_panic_frame(const struct gotext *g, size_t dump);
struct gotext_panic;
/* What it says, where that is Go's own text and no value of the program: static; NULL. */
const char *gotext_panic_fixed(const struct gotext *g, const struct gotext_panic *p);
/* Did the runtime end the program because none of its goroutines can be woken? */
bool gotext_is_deadlock(const struct gotext *g, size_t dump);

struct gotext {
	VEC(struct gotext_frame) frames;
	VEC(uint32_t) links;
	VEC(struct gotext_stack) stacks;
	VEC(struct gotext_dump) dumps;
	VEC(struct gotext_tally) tallies;
	VEC(struct gotext_panic) panics;
	VEC(struct gotext_goroutine) gs; /* of dumps.v[kept] */
	VEC(struct gotext_arg) args;	 /* of those */
	size_t kept;			 /* SIZE_MAX: there is no dump at all */
	uint64_t lines, lost_texts;	 /* lost: a limit was reached */
	uint64_t cut_lines;		 /* cut by other output */
	const char *damage; /* static text: why the end of a file may be missing; NULL */
	struct gotext_reader *r;
};

enum {
	GOTEXT_LINE_MAX = 64 << 20,   /* a dump may be one line of JSON */
	GOTEXT_TEXT_MAX = 1 << 12,    /* of one name */
	GOTEXT_TEXTS_MAX = 384 << 20, /* of all */
	GOTEXT_GS_MAX = 8 << 20,      /* goroutines of one dump */
	GOTEXT_STACKS_MAX = 4 << 20,  /* different ones, of all dumps together */
	GOTEXT_FRAMES_ALL_MAX = 8 << 20,
	GOTEXT_LINKS_MAX = 64 << 20,
	GOTEXT_DUMPS_MAX = 1 << 20,
	GOTEXT_FRAMES_MAX = 1 << 13, /* of one stack: Go itself writes about 100 */
};

/* dump: which one is kept whole, from 1 on; 0: the last whole one. */
struct err *gotext_create(size_t dump, struct gotext **ret) MUST_CHECK;
/* May be called for several files, in the order in which they were written. */
struct err *gotext_feed(struct gotext *g, struct input *in) MUST_CHECK;
/* Errors: BAD_DATA: nowhere a goroutine. */
struct err *gotext_finish(struct gotext *g) MUST_CHECK;
/* All three for one file. */
struct err *gotext_read(struct input *in, struct gotext **ret) MUST_CHECK;
void gotext_free(struct gotext *g); /* NULL allowed */
static inline void gotext_freep(struct gotext **g)
{
	gotext_free(*g);
}

/* NUL-terminated; id 0: "". */
const char *gotext_text(const struct gotext *g, uint32_t id);
static inline const struct gotext_frame *gotext_frame_of(const struct gotext *g,
							 const struct gotext_stack *s, uint32_t i)
{
	return &g->frames.v[g->links.v[s->first + i]];
}
/* Creator's function; "" not known. */
const char *gotext_creator(const struct gotext *g, const struct gotext_stack *s);

/* Of a piece of a file: does a goroutine's header, or a profile of them, begin in it? */
bool gotext_sniff(const char *text, size_t n);

/*
 * For who joins other evidence: goroutines of the kept dump that were started with this function,
 * or by it, or have it on their stack.  False: none.
 */
enum gotext_role { GOTEXT_STARTED_WITH, GOTEXT_STARTED_BY, GOTEXT_ON_STACK };
struct gotext_found {
	uint64_t count;
	uint64_t oldest_minutes;
	uint64_t waiting; /* those that wait for something */
	int64_t growth;	  /* since the first dump of that process; 0 where there is one */
	double per_hour;  /* NaN: times are not known */
	uint32_t ndumps;  /* that were compared */
	uint32_t biggest; /* the stack that most of them have */
};
bool gotext_find(const struct gotext *g, const char *function, enum gotext_role role,
		 struct gotext_found *ret);

/*
 * Growth from dump to dump of the kept one's process: a row for each stack and state, what grew
 * most first.
 */
struct gotext_growth {
	uint32_t stack, state;
	uint32_t first, last, most;
	uint32_t stayed;	/* of the first dump's ones in the last */
	uint32_t stayed_before; /* of the last but one's */
	uint32_t before;	/* in the last but one */
	uint32_t falls;		/* steps down */
	uint32_t tally;		/* in the last dump; GOTEXT_NONE: none there */
	double per_hour;	/* NaN */
};
struct gotext_series {
	VEC(struct gotext_growth) rows;
	VEC(uint32_t) dumps; /* that were compared, the kept one last; ids are known if has_ids */
	bool has_ids;
	double hours; /* between the first and the last; NaN */
};
struct err *gotext_series(const struct gotext *g, struct gotext_series *ret) MUST_CHECK;
void gotext_series_deinit(struct gotext_series *s);

/* Kinds of waits that come in numbers, grow and never go away.  A guess, with its reasons. */
enum gotext_why {
	GOTEXT_WHY_RUNTIME = 1, /* the runtime's own search says so: (leaked) */
	GOTEXT_WHY_NEVER = 2,	/* nothing can end such a wait: nil channel, no cases */
	GOTEXT_WHY_GROWS = 4,	/* more in each dump, and those that were there stay */
	GOTEXT_WHY_OLD = 8,	/* many, and old: nobody takes what they send */
	GOTEXT_WHY_SPREAD = 16, /* many, of many ages: they came one by one and stayed */
	GOTEXT_WHY_LOCK = 32,	/* many at one lock */
	GOTEXT_WHY_BODIES = 64, /* http connections whose answer nobody has read to its end */
	GOTEXT_WHY_DEADLOCK = 128, /* the runtime ended the program: none can be woken */
	GOTEXT_WHY_SAID = GOTEXT_WHY_RUNTIME | GOTEXT_WHY_DEADLOCK, /* no guess of ours */
};
struct gotext_suspect {
	uint32_t tally, growth; /* in tallies; in the series' rows or GOTEXT_NONE */
	uint32_t why;
};
struct gotext_suspects {
	VEC(struct gotext_suspect) v;
};
struct err *gotext_suspects(const struct gotext *g, const struct gotext_series *s,
			    struct gotext_suspects *ret) MUST_CHECK;
/* Is that how idle helpers of well-known libraries wait?  In words: "an idle connection"; NULL. */
const char *gotext_idle(const struct gotext *g, uint32_t stack, uint32_t state);

/*
 * What a wait is for, by the calls on its stack: up to Go 1.22 "semacquire" is the state of locks
 * and of what is none.  OTHER: channels, sockets, time, and semaphores of unknown owners.
 */
enum gotext_wait {
	GOTEXT_WAIT_OTHER,
	GOTEXT_WAIT_LOCK, /* a Mutex or an RWMutex */
	GOTEXT_WAIT_GROUP,
	GOTEXT_WAIT_COND,
	GOTEXT_WAIT_WEIGHTED, /* golang.org/x/sync/semaphore */
};
enum gotext_wait gotext_wait_of(const struct gotext *g, uint32_t stack);

/* Locks of the kept dump that several wait for, or one. */
struct gotext_lock {
	uint64_t addr;
	const char *word; /* "sync.Mutex" */
	uint32_t waiters, oldest_minutes;
	uint32_t example;	      /* in gs */
	uint32_t holder[3], nholders; /* in gs: guesses */
	uint32_t shown; /* 1: by a call of theirs that has it, and they wait for no lock */
	uint32_t itself;	      /* a waiter that may hold it already; GOTEXT_NONE */
	uint32_t circle; /* 1: all of its holders may wait for a lock of this one's waiters */
};
struct gotext_locks {
	VEC(struct gotext_lock) v;
};
/* The lock that one of gs waits for; false: none that can be seen. */
bool gotext_waits_for(const struct gotext *g, size_t at, uint64_t *ret_addr, const char **ret_word);
struct err *gotext_locks(const struct gotext *g, struct gotext_locks *ret) MUST_CHECK;

#endif
