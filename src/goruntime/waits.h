/*
 * waits.h - what goroutines wait for that only another goroutine can give: channels, locks.
 *
 * Source: runtime/runtime2.go (sudog, waitReason), chan.go, select.go, sema.go;
 * mgc.go, (*g).isMaybeRunnable (1.26), which asks the same.  Who sleeps, waits for the network,
 * for the collector or in synctest is not listed: the runtime wakes it.
 */
#ifndef LIMPET_GORUNTIME_WAITS_H
#define LIMPET_GORUNTIME_WAITS_H

#include "goruntime/stack.h"

enum go_wait_what {
	GO_WAIT_NOTHING, /* select {} */
	GO_WAIT_NIL_CHAN,
	GO_WAIT_RECEIVE,
	GO_WAIT_SEND,
	GO_WAIT_SELECT,
	GO_WAIT_MUTEX,
	GO_WAIT_RWMUTEX,
	GO_WAIT_GROUP,
	GO_WAIT_COND,
	GO_WAIT_SEMAPHORE,
};

enum go_wait_state {
	GO_WAIT_ON,	 /* for one of its things */
	GO_WAIT_NEVER,	 /* nothing can wake it */
	GO_WAIT_WOKEN,	 /* it is being woken at this instant */
	GO_WAIT_UNKNOWN, /* for what could not be read */
};

struct go_wait_thing {
	taddr at;    /* the channel; an address inside of the lock */
	taddr sudog; /* whose pointer to it is no reason why it lives; 0: none */
};

struct go_waiter {
	size_t g; /* index in go_stacks.gs, ascending */
	uint8_t what, state;
	size_t first, n; /* its things */
};

struct go_waits {
	VEC(struct go_waiter) v;
	VEC(struct go_wait_thing) things;
};

/* Errors: NOMEM, GONE. */
struct err *go_waits_read(const struct go *g, const struct go_stacks *s, unsigned nthreads,
			  struct go_waits *ret) MUST_CHECK;
void go_waits_deinit(struct go_waits *w);

/* "channel", "mutex" … */
const char *go_wait_what_word(uint8_t what);

#endif
