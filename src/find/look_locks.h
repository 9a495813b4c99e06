/*
 * look_locks.h - locks on which goroutines wait, who waits, and who is inside.
 *
 * A waiter is known from the runtime itself: its sudog has the address of the semaphore
 * (sema.go).  A holder is not: Go's locks do not record one.  It is inferred from goroutines'
 * frames:
 *
 *   deferred   a deferred Unlock of exactly this lock is pending in the frame
 *   inside     the frame stands between Lock and Unlock in its source, and has a pointer to the
 * lock or to what it lies in maybe      the frame has such a pointer and its function unlocks such
 * a lock somewhere
 *
 * Of plain mutexes only the best kind is kept, and what is a candidate among several is one of
 * several: a lock that is handed over at this instant has none.  A goroutine that locked and
 * returned is not found.
 */
#ifndef LIMPET_FIND_LOOK_LOCKS_H
#define LIMPET_FIND_LOOK_LOCKS_H

#include "find/look.h"

enum look_lock_kind { LOOK_MUTEX, LOOK_RWMUTEX, LOOK_SEMAPHORE };
enum look_lock_how { LOOK_LOCK, LOOK_RLOCK, LOOK_WAIT };
enum look_lock_sure { LOOK_MAYBE = 1, LOOK_INSIDE, LOOK_DEFERRED };

/* A place in the reader's source; borrowed. */
struct look_at {
	const char *function, *file; /* "" unknown */
	int line;
};

struct look_waiter {
	size_t goroutine; /* index in s->stacks.gs */
	taddr sema;
	taddr lock;  /* base */
	uint8_t how; /* enum look_lock_how */
	uint8_t kind;
	uint32_t frame;	   /* in stacks.frames: the one that called Lock */
	struct look_at at; /* where that is */
};

struct look_lock_holder {
	size_t goroutine;
	uint8_t sure; /* enum look_lock_sure */
	uint8_t how;  /* LOOK_LOCK, LOOK_RLOCK */
	uint32_t frame;
	struct look_at at; /* where the function that locked stands now */
	int locked_line;   /* of that function: the Lock before; 0 unknown */
};

struct look_lock {
	taddr at;
	uint8_t kind;	  /* enum look_lock_kind */
	const char *word; /* "sync.Mutex", "sync.WaitGroup" …: static */
	uint64_t object;  /* that it lies in; GO_NO_OBJECT: a global, a stack */
	uint64_t off;	  /* in it (malloc header included) */
	gnode node;	  /* of the object, or the global's root; GRAPH_NONE */
	size_t first_waiter, nwaiters, first_holder, nholders;
	bool known; /* its state could be read: */
	bool locked, woken, starving;
	uint32_t queued; /* waiters by its own count (RWMutex: writers behind the writer) */
	int64_t readers; /* inside */
	bool writer_waits;
	bool searched;	/* holders were looked for */
	uint32_t cycle; /* 1 + index in cycles: part of a deadlock; 0 */
};

/* Locks of which each one's holder waits for the next, the last one's for the first. */
struct look_lock_cycle {
	size_t first, n; /* in cycle_locks */
};

struct look_locks {
	VEC(struct look_waiter) waiters;      /* by lock, the oldest first */
	VEC(struct look_lock_holder) holders; /* by lock, the surest first */
	VEC(struct look_lock) locks;	      /* the most waiters first */
	VEC(struct look_lock_cycle) cycles;
	VEC(size_t) cycle_locks;
	uint64_t unknown; /* goroutines that wait for a semaphore that could not be found */
};

/*
 * All locks with at least least waiters; holders of those and of what they wait for.
 * Errors: NOMEM, GONE.
 */
struct err *look_locks(const struct look *l, size_t least, struct look_locks *ret) MUST_CHECK;
void look_locks_deinit(struct look_locks *x);

/*
 * The lock in its owner: ".mu", "[3].mu", "" the owner is the lock; of the keep.  *ret_owner: the
 * owner's type in words, or a global's name; "" unknown.
 */
const char *look_lock_field(const struct look *l, const struct look_lock *k,
			    const char **ret_owner);
/* "main.(*store).mu": what it is called in every run, for keys and where no path is known. */
const char *look_lock_name(const struct look *l, const struct look_locks *x,
			   const struct look_lock *k);

/* private: look_locks_holder.c */
struct err *look_lock_holders(const struct look *l, struct go_io *io,
			      struct look_locks *x) MUST_CHECK;

#endif
