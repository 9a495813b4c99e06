/*
 * looks.c - when to look again, and when enough has been seen.
 *
 * Source: runtime/mgc.go (gcStart, gcMarkTermination, gcSweep: mheap_.sweepgen grows by 2 when
 * a cycle's marks are complete).  Knows nothing of how marks and graph are compared.
 * Cost: two reads of 4 bytes a poll; of each look a pause, and the graph only while marks
 * alone leave something open.
 */
#include "cli/looks.h"
#include "cli/interrupt.h"
#include "base/clock.h"

#define MS 1000000ULL

/* Polls come quickly at first: the time between two cycles may be short. */
#define POLL_NS	      MS
#define POLL_SLOW_NS  (10 * MS)
#define SLOW_AFTER_NS (500 * MS)
#define QUIET_NS      (500 * MS)  /* wait so long for the end of the marking */
#define SOON_NS	      (1000 * MS) /* a collection that recent: the next may be near */
enum { FIRST_TRIES = 4, LOOKS_MAX = 24 };

/*
 * Looks in a row that explain nothing, until what is left counts as missed.  Where nothing was
 * ever explained the second look has said it all.  Where dead slots are used again and die again,
 * one of them survives a look by chance (one in seven, seen with GOGC=20 on all threads).
 */
enum { STABLE_LOOKS = 1, STABLE_LOOKS_CHURN = 5 };

void soon_deinit(struct soon *s)
{
	go_heap_deinit(&s->heap);
}

static taddr sweepgen_at(const struct go *go)
{
	return go->v.mheap + (uint64_t)go->L->mheap_sweepgen.off;
}

/* Of the instant of the snapshot; 0 where the evidence has no runtime (a heap dump). */
static struct err *cycle_then(const struct go *go, struct cycle *ret)
{
	struct cycle c = { 0 };
	struct err *err = go->v.mheap ? go_read_u32(go, sweepgen_at(go), &c.sweepgen) : NULL;

	if (!err && go->v.gcphase)
		err = go_read_u32(go, go->v.gcphase, &c.phase);
	*ret = c;
	return err_prefix(err, "GC cycle");
}

/* Of this moment. */
static struct err *cycle_now(const struct session *s, struct cycle *ret)
{
	struct cycle c = { 0 };
	struct err *err = target_peek(s->t, sweepgen_at(s->go), &c.sweepgen, sizeof(c.sweepgen));

	if (!err && s->go->v.gcphase)
		err = target_peek(s->t, s->go->v.gcphase, &c.phase, sizeof(c.phase));
	*ret = c;
	return err_prefix(err, "GC cycle");
}

/*
 * Marks complete of a cycle that began after the look at from.  One that was marking at that time
 * may have met the candidates alive: then it is the next one.
 */
static bool has_later_marks(struct cycle from, struct cycle now)
{
	return now.sweepgen - from.sweepgen >= (from.phase ? 4 : 2);
}

static bool is_quiet(struct cycle from, struct cycle now)
{
	(void)from;
	return !now.phase;
}

typedef bool come_fn(struct cycle from, struct cycle now);

/* Wait until end for it to come. */
static struct err *await(const struct session *s, come_fn *has_come, struct cycle from,
			 uint64_t end, bool *ret_came)
{
	uint64_t begun = clock_ns(), t = begun;
	struct err *err = NULL;

	for (*ret_came = false; !err && t < end; t = clock_ns()) {
		struct cycle now;

		err = cycle_now(s, &now);
		if (!err)
			*ret_came = has_come(from, now);
		if (err || *ret_came)
			break;
		interrupt_sleep(MIN(t - begun < SLOW_AFTER_NS ? POLL_NS : POLL_SLOW_NS, end - t));
		err = interrupt_check();
	}
	return err;
}

static bool runs_on(const struct session *s)
{
	const struct target_capture *c = target_capture(s->t);

	return c->kind == TARGET_LIVE && c->method == TARGET_BY_FORK;
}

struct err *looks_first(const struct args *a, struct session *ret, struct cycle *ret_at)
{
	for (int left = FIRST_TRIES;; left--) {
		bool came = false;
		struct err *err = session_attach(a, ret);

		if (!err)
			err = cycle_then(ret->go, ret_at);
		if (err || !ret_at->phase || left <= 0 || !a->wait_s || !runs_on(ret))
			return err;
		target_release(ret->t);
		err = await(ret, is_quiet, *ret_at, clock_ns() + QUIET_NS, &came);
		session_close(ret);
		if (err)
			return err;
		if (!came) /* it marks on and on: then so be it */
			left = 0;
	}
}

static bool collects_often(const struct session *s)
{
	struct go_counters c;
	struct err *err = go_counters_read(s->go, &c);
	uint64_t at = target_capture(s->t)->at_unix_ns;

	if (err) {
		err_free(err); /* then it is not known */
		return false;
	}
	return at < c.last_gc_unix_ns + SOON_NS;
}

static struct err *look_at_marks(const struct args *a, struct cycle from, struct soon *ret)
{
	_cleanup_(session_close) struct session s = { 0 };
	struct err *err = session_attach(a, &s);

	if (!err)
		err = cycle_then(s.go, &ret->at);
	if (err || !has_later_marks(from, ret->at))
		return err;
	err = go_heap_read(s.go, s.nthreads, &ret->heap);
	ret->came = !err;
	return err;
}

struct err *looks_soon(const struct args *a, struct session *first, struct cycle at,
		       struct soon *ret)
{
	bool came = false;
	struct err *err;

	if (!a->wait_s || !runs_on(first) || !collects_often(first))
		return NULL;
	err = await(first, has_later_marks, at, clock_ns() + SOON_NS, &came);
	if (!err && came)
		err = look_at_marks(a, at, ret);
	/* Two twins at once may be too much, the program may end: the first look stands. */
	err_free(err);
	return interrupt_check();
}

/* Marks first, they are cheap; the graph if they leave something open. */
static struct err *look_again(const struct args *a, struct verify_result *v, struct cycle *ret_at)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(go_heap_deinit) struct go_heap heap = { 0 };
	struct err *err = session_attach(a, &s);

	if (!err)
		err = cycle_then(s.go, ret_at);
	if (!err)
		err = go_heap_read(s.go, s.nthreads, &heap);
	if (err)
		return err;
	verify_again(v, &heap, NULL);
	if (!v->missing)
		return NULL;
	err = session_snapshot(&s);
	if (!err)
		err = session_graph(&s);
	if (!err)
		verify_again(v, &s.s->heap, s.g);
	return err;
}

struct err *looks_later(const struct args *a, struct session *first, struct cycle last,
			struct verify_result *v)
{
	uint64_t end = clock_ns() + a->wait_s * 1000 * MS;
	unsigned stable = 0, need = v->garbage_since ? STABLE_LOOKS_CHURN : STABLE_LOOKS;

	/* no second look at a file: what is missing may have died since its last cycle */
	if (target_capture(first->t)->kind != TARGET_LIVE) {
		v->undecided = v->missing;
		return NULL;
	}
	for (int i = 0; i < LOOKS_MAX && v->missing && stable < need; i++) {
		uint64_t before = v->missing;
		bool came = false;
		struct err *err = await(first, has_later_marks, last, end, &came);

		if (!err && came)
			err = look_again(a, v, &last);
		if (err)
			return err_prefix(err, "later observation");
		if (!came)
			break;
		stable = v->missing < before ? 0 : stable + 1;
		if (!stable || verify_tiny_left(v))
			need = STABLE_LOOKS_CHURN;
	}
	/* True misses are a fixed set: until it has stood still long enough, nothing is decided. */
	if (stable < need)
		v->undecided = v->missing;
	return NULL;
}
