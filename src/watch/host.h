/*
 * host.h - for whom something is watched: may it go on, and where it has got to.
 */
#ifndef LIMPET_WATCH_HOST_H
#define LIMPET_WATCH_HOST_H

#include "base/clock.h"
#include "base/err.h"

#include <poll.h>

struct host {
	struct err *(*check)(void *arg);	  /* an error: the user wants it to end */
	void (*say)(void *arg, const char *what); /* in a few words, for a terminal */
	void *arg;
};

static inline struct err *MUST_CHECK host_check(const struct host *h)
{
	return h->check ? h->check(h->arg) : NULL;
}

static inline void host_say(const struct host *h, const char *what)
{
	if (h->say)
		h->say(h->arg, what);
}

/* A short sleep, and then whether to go on. */
static inline struct err *MUST_CHECK host_wait(const struct host *h, unsigned ms)
{
	poll(NULL, 0, (int)ms);
	return host_check(h);
}

#endif
