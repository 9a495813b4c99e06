/*
 * nudge.c - the period lowered, collections counted, a sleeping monitor woken, the period put back.
 *
 * Source: runtime/proc.go (sysmon, forcegchelper), mgc.go (gcTrigger.test), lock_futex.go
 * (notetsleep, notewakeup).  Cost: a reading every 5 ms.
 */
#include "watch/nudge.h"

#include "base/clock.h"
#include "base/mem.h"
#include "goruntime/goruntime.h"
#include "target/poke.h"
#include "watch/pulse_priv.h"

#define MS	   1000000ULL
#define LOOK_NS	   (5 * MS)
#define ASLEEP_NS  (30 * MS) /* awake, it looks every 10 ms at least: sysmon's longest delay */
#define PATIENT_NS (3 * GO_FORCEGC_NUDGED_NS)

struct nudge {
	pid_t pid;
	struct pulse_reader *x;
	struct poke *k;
	struct nudge_point at;
};

static struct err *not_found(pid_t pid, const struct nudge_point *p)
{
	if (!p->period)
		return err_unsupported(
			"process %d: where the Go runtime keeps the time between its own "
			"collections was not found for certain: none can be brought about",
			pid);
	return NULL;
}

/* mgc.go, gcTrigger.test: gcTriggerTime is never due where gcPercent is negative. */
static struct err *is_off(pid_t pid, const struct pulse *p)
{
	if (p->gogc >= 0 || p->gogc == INT64_MIN)
		return NULL;
	return err_unsupported(
		"process %d runs with GOGC=off: then the runtime begins no collection of its own "
		"that could be hastened; start it with a GOGC, or let it call runtime.GC()",
		pid);
}

struct err *nudge_open(pid_t pid, struct pulse_reader *x, struct nudge **ret)
{
	_cleanup_(nudge_closep) struct nudge *n = zalloc(1, sizeof(*n));
	struct poke_plan plan = { .usual = GO_FORCEGC_PERIOD_NS,
				  .meanwhile = GO_FORCEGC_NUDGED_NS };
	struct pulse p;
	struct err *err = n ? pulse_read(x, &p) : &err_nomem;

	if (!err)
		err = is_off(pid, &p);
	if (!err)
		err = pulse_point(x, &n->at);
	if (!err)
		err = not_found(pid, &n->at);
	if (err)
		return err;
	n->pid = pid;
	n->x = x;
	plan.at = n->at.period;
	err = poke_start(pid, &plan, &n->k);
	if (err)
		return err;
	*ret = STEAL(n);
	return NULL;
}

/*
 * proc.go: sysmonwait is set, and its note woken, by who holds sched.lock.  With all threads
 * stopped and the lock free nobody is about to do either; the sleeper, stopped in its futex call,
 * makes that anew and finds the note woken.
 */
static struct err *wake(struct nudge *n, struct nudge_done *d)
{
	const struct nudge_point *p = &n->at;
	struct poke_word w[] = {
		{ p->lock, 8, 0, 0 },
		{ p->wait, p->wait_bytes, 1, 0 },
		{ p->note, 8, 0, 1 },
	};
	uint64_t pause = 0;
	bool done = false;

	if (!p->lock || !p->wait || !p->note || !p->wait_bytes || p->wait_bytes > 8)
		return NULL;
	struct err *err = poke_words(n->k, w, ARRAY_LEN(w), &done, &pause);

	if (err_catch(&err, ERR_LIMIT) || err_catch(&err, ERR_DENIED))
		return NULL; /* a thread in the kernel, another tracer: later */
	d->wakes += done;
	d->max_pause_ns = MAX(d->max_pause_ns, pause);
	return err;
}

/* A program that never collected has no time to count from: 1 is long ago. */
static struct err *begin_count(struct nudge *n, struct nudge_done *d)
{
	struct poke_word w = { n->at.last_gc, 8, 0, 1 };
	uint64_t pause = 0;
	bool done;

	if (!w.at)
		return NULL;
	struct err *err = poke_words(n->k, &w, 1, &done, &pause);

	d->max_pause_ns = MAX(d->max_pause_ns, pause);
	return err;
}

static struct err *asleep(struct nudge *n, bool *ret)
{
	struct nudge_point p;
	struct err *err = pulse_point(n->x, &p);

	if (!err)
		*ret = p.waits != 0;
	return err;
}

struct wait {
	uint64_t base, need; /* cycles */
	uint64_t end, since; /* since the last thing that happened */
	uint64_t patience;
	uint64_t seen;
};

static struct err *look(struct nudge *n, struct wait *w, struct nudge_done *d, bool *ret_done)
{
	struct pulse p;
	struct err *err = pulse_read(n->x, &p);
	bool sleeps = false;

	if (err)
		return err;
	d->cycles = p.cycles > w->base ? (unsigned)(p.cycles - w->base) : 0;
	*ret_done = d->cycles >= w->need;
	if (p.cycles != w->seen || p.collecting) {
		w->seen = p.cycles;
		w->since = p.at_ns;
		w->patience = PATIENT_NS;
		return NULL;
	}
	if (*ret_done || p.at_ns - w->since < w->patience)
		return NULL;
	w->since = p.at_ns;
	err = asleep(n, &sleeps);
	if (err || !sleeps)
		return err;
	unsigned before = d->wakes;

	err = wake(n, d);
	w->patience = d->wakes > before ? PATIENT_NS : ASLEEP_NS;
	return err;
}

static struct err *too_slow(const struct nudge *n, const struct wait *w, uint64_t timeout_ns,
			    const struct nudge_done *d)
{
	return err_new(ERR_LIMIT,
		       "process %d finished %u of %" PRIu64 " collections in %" PRIu64 " ms",
		       n->pid, d->cycles, w->need, (uint64_t)(timeout_ns / MS));
}

static struct err *await(struct nudge *n, struct wait *w, uint64_t timeout_ns, struct nudge_done *d)
{
	bool done = false;

	for (;;) {
		struct err *err = look(n, w, d, &done);

		if (err || done)
			return err;
		if (clock_ns() >= w->end)
			return too_slow(n, w, timeout_ns, d);
		nanosleep(&(struct timespec){ .tv_nsec = (long)LOOK_NS }, NULL);
	}
}

struct err *nudge_run(struct nudge *n, unsigned cycles, uint64_t timeout_ns, struct nudge_done *ret)
{
	uint64_t begin = clock_ns();
	struct wait w = {
		.need = cycles, .end = begin + timeout_ns, .since = begin, .patience = ASLEEP_NS
	};
	struct pulse p;
	struct err *err, *back;

	*ret = (struct nudge_done){ 0 };
	err = pulse_read(n->x, &p);
	if (!err)
		err = is_off(n->pid, &p);
	if (err)
		return err;
	w.seen = p.cycles;
	w.base = p.cycles + p.collecting; /* that one began before */
	err = poke_set(n->k, POKE_MEANWHILE);
	if (!err && !p.cycles)
		err = begin_count(n, ret);
	if (!err)
		err = await(n, &w, timeout_ns, ret);
	back = poke_set(n->k, POKE_USUAL);
	ret->took_ns = clock_ns() - begin;
	if (!err)
		return back;
	err_free(back);
	return err;
}

void nudge_close(struct nudge *n)
{
	if (!n)
		return;
	poke_end(n->k);
	free(n);
}

struct err *nudge_cycles(pid_t pid, unsigned cycles, uint64_t timeout_ns, struct nudge_done *ret)
{
	_cleanup_(pulse_closep) struct pulse_reader *x = NULL;
	_cleanup_(nudge_closep) struct nudge *n = NULL;
	struct err *err = pulse_open(pid, &x);

	*ret = (struct nudge_done){ 0 };
	if (!err)
		err = nudge_open(pid, x, &n);
	return err ? err : nudge_run(n, cycles, timeout_ns, ret);
}

static struct err *put_back(pid_t pid, taddr at)
{
	_cleanup_(poke_endp) struct poke *k = NULL;
	struct poke_plan plan = { .at = at,
				  .usual = GO_FORCEGC_PERIOD_NS,
				  .meanwhile = GO_FORCEGC_NUDGED_NS };
	struct err *err = poke_start(pid, &plan, &k);

	return err ? err : poke_set(k, POKE_USUAL);
}

struct err *nudge_repair(pid_t pid, bool *ret_was)
{
	_cleanup_(pulse_closep) struct pulse_reader *x = NULL;
	struct nudge_point p = { 0 };
	struct err *err = pulse_open(pid, &x);

	if (!err)
		err = pulse_point(x, &p);
	*ret_was = !err && p.period && p.value == GO_FORCEGC_NUDGED_NS;
	if (err_catch(&err, ERR_UNSUPPORTED) || err_catch(&err, ERR_BAD_DATA))
		return NULL;
	return err || !*ret_was ? err : put_back(pid, p.period);
}
