/*
 * ahead.c - a ring of buffers, filled by a thread.
 *
 * Knows nothing of what is in them.  Memory: RING buffers.
 */
#include "evidence/ahead.h"

#include <pthread.h>
#include <signal.h>

enum { RING = 8, BUFFER = 256 << 10 };

struct ahead {
	struct input *in;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	bool threaded, stop;
	unsigned long filled, taken; /* buffers, ever */
	bool borrowed;		     /* buffer taken - 1 is being looked at */
	size_t n[RING];
	struct err *err;
	bool over;
	uint8_t *buf;
};

static struct err *fill(struct ahead *a, unsigned long i)
{
	size_t n = 0, got = 1;
	struct err *err = NULL;

	while (!err && got && n < BUFFER) {
		err = input_read(a->in, a->buf + i % RING * BUFFER + n, BUFFER - n, &got);
		n += err ? 0 : got;
	}
	a->n[i % RING] = n;
	return err;
}

/* With the lock: is there a buffer that nobody looks at? */
static bool full(const struct ahead *a)
{
	return a->filled - a->taken + a->borrowed >= RING;
}

static void *run(void *arg)
{
	struct ahead *a = arg;

	pthread_mutex_lock(&a->lock);
	while (!a->over && !a->stop) {
		struct err *err;

		while (full(a) && !a->stop)
			pthread_cond_wait(&a->moved, &a->lock);
		if (a->stop)
			break;
		pthread_mutex_unlock(&a->lock);
		err = fill(a, a->filled);
		pthread_mutex_lock(&a->lock);
		a->err = err;
		a->over = err || a->n[a->filled % RING] < BUFFER;
		a->filled++;
		pthread_cond_broadcast(&a->moved);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* Signals are for the thread that was there first. */
static bool start_thread(struct ahead *a)
{
	sigset_t all, old;
	int no;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	no = pthread_create(&a->thread, NULL, run, a);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return !no;
}

struct err *ahead_start(struct input *in, struct ahead **ret)
{
	_cleanup_(ahead_stopp) struct ahead *a = zalloc(1, sizeof(*a));

	if (!a)
		return &err_nomem;
	a->in = in;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->moved, NULL);
	a->buf = malloc((size_t)RING * BUFFER);
	if (!a->buf)
		return &err_nomem;
	a->threaded = start_thread(a);
	*ret = STEAL(a);
	return NULL;
}

static struct err *read_alone(struct ahead *a, const uint8_t **ret, size_t *ret_n)
{
	struct err *err = a->over ? NULL : fill(a, 0);

	*ret = a->buf;
	*ret_n = a->over || err ? 0 : a->n[0];
	a->over |= *ret_n < BUFFER;
	return err;
}

struct err *ahead_read(struct ahead *a, const uint8_t **ret, size_t *ret_n)
{
	struct err *err = NULL;

	if (!a->threaded)
		return read_alone(a, ret, ret_n);
	pthread_mutex_lock(&a->lock);
	a->borrowed = false;
	pthread_cond_broadcast(&a->moved);
	while (a->filled == a->taken && !a->over)
		pthread_cond_wait(&a->moved, &a->lock);
	*ret_n = 0;
	if (a->filled != a->taken) {
		*ret = a->buf + a->taken % RING * BUFFER;
		*ret_n = a->n[a->taken % RING];
		a->taken++;
		a->borrowed = true;
	}
	if (!*ret_n)
		err = STEAL(a->err);
	pthread_mutex_unlock(&a->lock);
	return err;
}

void ahead_stop(struct ahead *a)
{
	if (!a)
		return;
	if (a->threaded) {
		pthread_mutex_lock(&a->lock);
		a->stop = true;
		pthread_cond_broadcast(&a->moved);
		pthread_mutex_unlock(&a->lock);
		pthread_join(a->thread, NULL);
	}
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->moved);
	err_free(a->err);
	free(a->buf);
	free(a);
}
