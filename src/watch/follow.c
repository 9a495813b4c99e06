/*
 * follow.c - the thread that sees every cycle.
 *
 * Source: runtime/mgc.go (gcMarkTermination, gcSweep: mheap_.sweepgen grows by 2 when the marks of
 * a cycle are complete), mgcsweep.go.  A cycle's marks can be read from when a span is swept until
 * it is swept in the next cycle: at the latest while that one marks, for then all have been swept.
 * Cost: two reads of 4 bytes a poll; a pass a cycle, more for spans that are not swept yet.
 */
#include "watch/follow.h"
#include "watch/follow_priv.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdatomic.h>

#define MS	     1000000ULL
#define POLL_NS	     (1 * MS)
#define AGAIN_NS     (2 * MS) /* for what is not swept yet; doubles up to: */
#define AGAIN_MAX_NS (64 * MS)
#define KEEP_BYTES   (256ULL << 20) /* of cycles of which it is not known where they belong */

struct follow {
	const struct go *go;
	uint32_t base; /* sweepgen of the first look */
	pthread_t thread;
	pthread_mutex_t lock; /* of seen, until, closing */
	struct follow_seen seen;
	bool started, joined, closing, has_until;
	uint32_t until; /* last cycle that is wanted, as sweepgen */
	struct err *err;
	/* the thread's */
	struct stayed stayed;
	VEC(struct go_now_marks) kept; /* since closing: not folded yet */
};

static bool at_or_before(uint32_t x, uint32_t y)
{
	return (int32_t)(x - y) <= 0;
}

static void pause_ns(uint64_t ns)
{
	struct timespec ts = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
}

/* What is wanted, as of now. */
struct wish {
	bool closing, has_until;
	uint32_t until;
};

static struct wish wish_of(struct follow *f)
{
	struct wish w;

	pthread_mutex_lock(&f->lock);
	w = (struct wish){ f->closing, f->has_until, f->until };
	pthread_mutex_unlock(&f->lock);
	return w;
}

static bool is_over(struct follow *f, uint32_t want)
{
	struct wish w = wish_of(f);

	return w.has_until && !at_or_before(want, w.until);
}

static uint64_t thread_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static void say_now(struct follow *f, const struct go_now_cycle *now)
{
	pthread_mutex_lock(&f->lock);
	f->seen.now = (now->sweepgen - f->base) / 2;
	f->seen.collecting = now->phase != 0;
	f->seen.cpu_ns = thread_ns();
	pthread_mutex_unlock(&f->lock);
}

static void say_folded(struct follow *f)
{
	uint64_t unknown = 0;

	for (size_t i = 0; i < f->stayed.spans.n; i++)
		unknown += f->stayed.spans.v[i].state != GO_NOW_READ;
	pthread_mutex_lock(&f->lock);
	f->seen.cycles = f->stayed.cycles;
	f->seen.spans = f->stayed.spans.n;
	f->seen.unknown = unknown;
	pthread_mutex_unlock(&f->lock);
}

static void say_missed(struct follow *f, uint32_t cycles)
{
	f->stayed.holes = true;
	pthread_mutex_lock(&f->lock);
	f->seen.missed += cycles;
	pthread_mutex_unlock(&f->lock);
}

/* Wait until the marks of want are complete; false: that is no more wanted. */
static struct err *await(struct follow *f, uint32_t want, struct go_now_cycle *ret_now, bool *ret)
{
	for (*ret = false;; pause_ns(POLL_NS)) {
		struct err *err = go_now_cycle(f->go, ret_now);

		if (err)
			return err;
		say_now(f, ret_now);
		if (is_over(f, want))
			return NULL;
		*ret = at_or_before(want, ret_now->sweepgen);
		if (*ret)
			return NULL;
	}
}

/*
 * All spans, again and again until none waits: in the next cycle a pass is the last but one, for by
 * then all were swept, and who is being swept anew is soon past.
 */
static struct err *read_cycle(struct follow *f, struct go_now_marks *m)
{
	struct go_now_cycle now = { 0 };
	uint64_t again = AGAIN_NS;
	struct err *err = NULL;

	for (int late = 0; late < 3 && !err;) {
		err = go_now_read(f->go, m);
		if (!err)
			err = go_now_cycle(f->go, &now);
		if (err || !m->wait.n)
			break;
		say_now(f, &now);
		late += now.sweepgen != m->sweepgen;
		pause_ns(now.sweepgen != m->sweepgen || now.phase ? POLL_NS / 4 : again);
		again = MIN(again * 2, (uint64_t)AGAIN_MAX_NS);
	}
	if (!err)
		err = go_now_finish(f->go, m);
	pthread_mutex_lock(&f->lock);
	f->seen.read_bytes += m->read_bytes;
	pthread_mutex_unlock(&f->lock);
	return err;
}

static struct err *fold(struct follow *f, const struct go_now_marks *m)
{
	struct err *err = stayed_fold(&f->stayed, m);

	say_folded(f);
	return err;
}

static uint64_t kept_bytes(const struct follow *f)
{
	uint64_t n = 0;

	for (size_t i = 0; i < f->kept.n; i++)
		n += f->kept.v[i].bits.cap * 8 +
		     f->kept.v[i].spans.cap * sizeof(struct go_now_span);
	return n;
}

/* Fold it, or keep it while it may lie behind the next look. */
static struct err *take(struct follow *f, struct go_now_marks *m)
{
	struct wish w = wish_of(f);
	struct err *err = NULL;

	if (!w.closing || (w.has_until && at_or_before(m->sweepgen, w.until)))
		err = fold(f, m);
	else if (!w.has_until && kept_bytes(f) > KEEP_BYTES)
		say_missed(f, 1);
	else if (!w.has_until) {
		if (!vec_push(&f->kept, *m))
			return &err_nomem;
		*m = (struct go_now_marks){ 0 };
	}
	return err;
}

static struct err *follow_on(struct follow *f)
{
	for (uint32_t want = f->base + 2;; want += 2) {
		_cleanup_(go_now_deinit) struct go_now_marks m = { .sweepgen = want };
		struct go_now_cycle now;
		bool come;
		struct err *err = await(f, want, &now, &come);

		if (err || !come)
			return err;
		if (!at_or_before(now.sweepgen, want + 2)) {
			say_missed(f, 1);
			continue;
		}
		err = read_cycle(f, &m);
		if (!err)
			err = take(f, &m);
		if (err)
			return err;
	}
}

static void *run(void *arg)
{
	struct follow *f = arg;
	struct err *err = follow_on(f);

	pthread_mutex_lock(&f->lock);
	f->seen.ended = err && err->code == ERR_GONE;
	f->err = err;
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

static struct err *can_read(const struct go *go)
{
	uint8_t some[128];

	return target_peek(go->t, go->v.mheap, some, sizeof(some));
}

struct err *follow_start(const struct go *go, uint32_t sweepgen, struct follow **ret)
{
	struct follow *f;
	struct err *err = can_read(go);

	if (err)
		return err_prefix(err, "following the collector");
	f = zalloc(1, sizeof(*f));
	if (!f)
		return &err_nomem;
	f->go = go;
	f->base = sweepgen;
	pthread_mutex_init(&f->lock, NULL);
	f->started = pthread_create(&f->thread, NULL, run, f) == 0;
	if (!f->started) {
		follow_free(f);
		return &err_nomem;
	}
	*ret = f;
	return NULL;
}

void follow_seen(struct follow *f, struct follow_seen *ret)
{
	pthread_mutex_lock(&f->lock);
	*ret = f->seen;
	pthread_mutex_unlock(&f->lock);
}

void follow_closing(struct follow *f)
{
	pthread_mutex_lock(&f->lock);
	f->closing = true;
	pthread_mutex_unlock(&f->lock);
}

static void join(struct follow *f, uint32_t until)
{
	pthread_mutex_lock(&f->lock);
	f->closing = f->has_until = true;
	f->until = until;
	pthread_mutex_unlock(&f->lock);
	if (f->started && !f->joined)
		pthread_join(f->thread, NULL);
	f->joined = true;
}

/* The marks of the next look's own cycle are in that look. */
struct err *follow_end(struct follow *f, uint32_t sweepgen)
{
	struct err *err;

	join(f, sweepgen - 2);
	for (size_t i = 0; i < f->kept.n; i++)
		if (at_or_before(f->kept.v[i].sweepgen, sweepgen - 2)) {
			err = fold(f, &f->kept.v[i]);
			if (err)
				return err;
		}
	err = STEAL(f->err);
	return err_prefix(err, "following the collector");
}

const struct stayed *follow_stayed(const struct follow *f)
{
	return &f->stayed;
}

void follow_free(struct follow *f)
{
	if (!f)
		return;
	join(f, f->base);
	for (size_t i = 0; i < f->kept.n; i++)
		go_now_deinit(&f->kept.v[i]);
	vec_free(&f->kept);
	stayed_deinit(&f->stayed);
	err_free(f->err);
	pthread_mutex_destroy(&f->lock);
	free(f);
}
