/*
 * contention.c - lists of blocking events, and how long a tick is.
 *
 * Ticks are the processor's (asm_amd64.s: RDTSC; on arm64 nanotime).  The runtime works out their
 * rate when it is first asked; where nobody asked yet, a live program's is worked out here, on the
 * same clocks.  Cost: one pass over the buckets.
 */
#include "goruntime/contention.h"

#include "base/clock.h"
#include "goruntime/arch.h"
#include "goruntime/buckets.h"
#include "goruntime/detect.h"

#include <math.h>

struct reader {
	const struct go_layout *L;
	struct go_contention *c;
	double times; /* what each event stands for, where the runtime has not scaled it */
};

static double load_double(const uint8_t *p)
{
	uint64_t u = load_u64(p);
	double x;

	memcpy(&x, &u, sizeof(x));
	return isfinite(x) && x >= 0 ? x : 0;
}

static struct err *add(void *arg, const struct go_bucket_image *from)
{
	struct reader *r = arg;
	struct go_contention *c = r->c;
	struct go_contended x = { .first_pc = (uint32_t)c->pcs.n };
	uint32_t skip = from->npcs && load_u64(from->pcs) == UINT64_MAX;

	/* tracestack.go, logicalStackSentinel (Go 1.23 to 1.26): what follows is expanded */
	for (uint32_t i = skip; i < from->npcs; i++)
		if (!vec_push(&c->pcs, load_u64(from->pcs + 8 * i)))
			return &err_nomem;
	x.npcs = from->npcs - skip;
	x.at.start = from->at;
	x.at.end =
		from->at + r->L->bucket_bytes + 8 * (uint64_t)from->npcs + r->L->blockRecord_bytes;
	x.count = load_double(from->record + r->L->blockRecord_count.off) * r->times;
	x.ticks = (int64_t)load_u64(from->record + r->L->blockRecord_cycles.off);
	x.ticks = (int64_t)MIN((double)x.ticks * r->times, 9e18);
	return vec_push(&c->stacks, x) ? NULL : &err_nomem;
}

#ifdef __x86_64__
static int64_t ticks_now(void)
{
	return (int64_t)__builtin_ia32_rdtsc();
}
#endif

/*
 * runtime.go, ticksPerSecond: since the program noted both clocks at its start, or, where that
 * version does not, for a moment now.
 */
static double measure(int64_t start_ticks, int64_t start_ns)
{
#ifdef __x86_64__
	enum { MOMENT_NS = 20000000 };

	if (start_ticks <= 0 || start_ns <= 0) {
		start_ticks = ticks_now();
		start_ns = (int64_t)clock_ns();
		while ((int64_t)clock_ns() - start_ns < MOMENT_NS)
			;
	}
	return (double)(ticks_now() - start_ticks) * 1e9 / (double)((int64_t)clock_ns() - start_ns);
#else
	(void)start_ticks;
	(void)start_ns;
	return 1e9;
#endif
}

static uint64_t ticks_word(const struct go *g, struct go_field f)
{
	uint64_t x = 0;

	if (g->v.ticks && go_has(f) && !go_try_read(g, g->v.ticks + (uint64_t)f.off, &x, 8))
		x = 0;
	return x > INT64_MAX ? 0 : x;
}

static double ticks_per_s(const struct go *g)
{
	const struct go_layout *L = g->L;
	uint64_t said = ticks_word(g, L->ticks_val);
	double x;

	if (said)
		return (double)said;
	if (target_arch(g->t) == TARGET_ARM64) /* os_linux_arm64.go: cputicks is nanotime */
		return 1e9;
	if (target_capture(g->t)->kind != TARGET_LIVE)
		return 0;
	x = measure((int64_t)ticks_word(g, L->ticks_startTicks),
		    (int64_t)ticks_word(g, L->ticks_startTime));
	return x > 1e6 && x < 1e11 ? x : 0;
}

/*
 * Before Go 1.20, whose functions also know the line where they begin, runtime/pprof scaled what
 * the mutexes' profile had sampled when it wrote it (scaleMutexProfile).
 */
static double each_stands_for(const struct go *g, enum go_contention_kind kind)
{
	uint64_t rate;

	if (kind != GO_CONTENTION_MUTEX || go_has(g->L->func_startLine) || !g->v.mutexprofilerate)
		return 1;
	rate = go_try_u64(g, g->v.mutexprofilerate);
	return rate && rate < INT32_MAX ? (double)rate : 1;
}

struct err *go_contention_read(const struct go *g, enum go_contention_kind kind,
			       struct go_contention *ret)
{
	_cleanup_(go_contention_deinit) struct go_contention c = { 0 };
	const struct go_layout *L = g->L;
	bool mutex = kind == GO_CONTENTION_MUTEX;
	taddr at = mutex ? g->v.xbuckets : g->v.bbuckets;
	struct go_bucket_list l = { .kind = mutex ? GO_BUCKET_MUTEX : GO_BUCKET_BLOCK,
				    .record_bytes = L->blockRecord_bytes };
	struct reader r = { .L = L, .c = &c, .times = each_stands_for(g, kind) };
	struct err *err = NULL;

	c.known = at && go_buckets_known(L) && L->blockRecord_bytes >= 16 &&
		  L->blockRecord_bytes <= GO_BUCKET_RECORD_MAX && go_has(L->blockRecord_count) &&
		  go_has(L->blockRecord_cycles);
	if (c.known) {
		l.head = go_try_u64(g, at);
		err = go_buckets_each(g, &l, add, &r, &c.cut);
	}
	if (err)
		return err;
	if (c.stacks.n)
		c.ticks_per_s = ticks_per_s(g);
	*ret = c;
	c = (struct go_contention){ 0 };
	return NULL;
}

void go_contention_deinit(struct go_contention *c)
{
	vec_free(&c->stacks);
	vec_free(&c->pcs);
}
