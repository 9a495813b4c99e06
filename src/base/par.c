/*
 * par.c - par_for over pthreads with one atomic cursor.
 *
 * Knows nothing of the work.  Cost: a thread start per worker and call.
 */
#include "base/par.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

struct loop {
	par_fn *fn;
	void *arg;
	size_t n;
	size_t grain;
	atomic_size_t next;
	_Atomic(struct err *) err;
};

struct worker {
	struct loop *loop;
	unsigned id;
	pthread_t thread;
};

static void *work(void *p)
{
	struct worker *w = p;
	struct loop *l = w->loop;

	while (!atomic_load(&l->err)) {
		size_t lo = atomic_fetch_add(&l->next, l->grain);
		struct err *none = NULL;
		struct err *e;

		if (lo >= l->n)
			break;
		e = l->fn(l->arg, w->id, lo, l->n - lo < l->grain ? l->n : lo + l->grain);
		if (e && !atomic_compare_exchange_strong(&l->err, &none, e))
			err_free(e);
	}
	return NULL;
}

struct err *par_for(unsigned nthreads, size_t n, size_t grain, par_fn *fn, void *arg)
{
	struct loop l = { .fn = fn, .arg = arg, .n = n, .grain = grain ? grain : 1 };
	struct worker w[64];
	unsigned started = 1;

	nthreads = MIN(MAX(nthreads, 1U), (unsigned)ARRAY_LEN(w));
	for (unsigned i = 0; i < nthreads; i++)
		w[i] = (struct worker){ .loop = &l, .id = i };
	/* A thread that cannot be started is no error: the others do its share. */
	while (started < nthreads && !pthread_create(&w[started].thread, NULL, work, &w[started]))
		started++;
	work(&w[0]);
	for (unsigned i = 1; i < started; i++)
		pthread_join(w[i].thread, NULL);
	return atomic_load(&l.err);
}

unsigned par_default_threads(void)
{
	cpu_set_t set;
	int n = 1;

	if (!sched_getaffinity(0, sizeof(set), &set))
		n = CPU_COUNT(&set);
	return (unsigned)MIN(MAX(n, 1), 64);
}
