/*
 * prof_heap.c - the kinds heap and allocs: the program's own samples of its allocations.
 *
 * What runtime/pprof would write at this instant: as of the last collection whose sweep is over.
 * Source: runtime/pprof/protomem.go (writeHeapProto); what is told is goruntime's to know.
 */
#include "report/prof_priv.h"

#include "report/agg_sites.h"

static void types(struct prof *b, uint64_t rate)
{
	b->p->period_type =
		(struct pprof_type){ pprof_add_word(b->p, "space"), pprof_add_word(b->p, "bytes") };
	b->p->period = (int64_t)MIN(rate, (uint64_t)INT64_MAX);
	pprof_add_type(b->p, "alloc_objects", "count");
	pprof_add_type(b->p, "alloc_space", "bytes");
	pprof_add_type(b->p, "inuse_objects", "count");
	pprof_add_type(b->p, "inuse_space", "bytes");
}

static int64_t whole(double x)
{
	return x >= 9e18 ? INT64_MAX : x <= -9e18 ? INT64_MIN : (int64_t)x;
}

/* Of so many samples of objects of that size: how many there were, and their bytes. */
static void scale(int64_t n, uint64_t bytes, uint64_t rate, int64_t *ret)
{
	double by = go_profile_scale(bytes, rate);

	ret[0] = bytes ? whole((double)n * by) : 0;
	ret[1] = bytes ? whole((double)n * (double)bytes * by) : 0;
}

static void add(struct prof *b, uint32_t stack, uint64_t bytes, uint64_t allocs, uint64_t frees,
		uint64_t rate)
{
	struct pprof_label size = { .key = pprof_add_word(b->p, "bytes"), .num = (int64_t)bytes };
	int64_t values[4];

	scale((int64_t)allocs, bytes, rate, values);
	scale((int64_t)(allocs - frees), bytes, rate, values + 2);
	pprof_add_sample(b->p, stack, values, &size, bytes != 0);
}

static struct err *from_runtime(struct prof *b, const struct go_profile *from)
{
	for (size_t i = 0; i < from->buckets.n; i++) {
		const struct go_bucket *x = &from->buckets.v[i];
		const taddr *pcs = x->npcs ? from->pcs.v + x->first_pc : NULL;
		uint32_t hidden = go_callers_hidden(b->go, pcs, x->npcs);
		uint32_t stack = prof_stack(b, GO_CALLERS_LISTED, pcs + hidden, x->npcs - hidden);

		if (stack == PPROF_NONE && hidden)
			stack = prof_stack(b, GO_CALLERS_LISTED, pcs, x->npcs);
		add(b, stack, x->bytes, x->told_allocs, x->told_frees, from->rate);
	}
	return NULL;
}

/* Functions and lines as the dump has them; no addresses. */
static struct err *from_dump(struct prof *b, const struct snap_sites *x)
{
	for (size_t i = 0; i < x->sites.n; i++) {
		const struct snap_site *s = &x->sites.v[i];
		const struct snap_frame *frames[PROF_DEPTH];
		uint32_t n = 0;

		for (uint32_t k = s->hidden; k < s->n && n < ARRAY_LEN(frames); k++)
			frames[n++] = snap_site_frame(x, s, k);
		add(b, prof_named_stack(b, frames, n), s->bytes, s->allocs, s->frees, x->rate);
	}
	return NULL;
}

static struct err *is_on(uint8_t state)
{
	struct snap_sites x = { .state = state };
	struct ans_profile p;

	agg_profile(&x, &p);
	return p.on ? NULL : err_unsupported("%s", p.why);
}

static struct err *dumped(struct prof *b)
{
	const struct snap_sites *x;
	struct err *err = snapshot_sites(b->agg->s, &x);

	if (!err)
		err = is_on(x->state);
	if (err)
		return err;
	types(b, x->rate);
	return from_dump(b, x);
}

struct err *prof_heap(struct prof *b)
{
	_cleanup_(go_profile_deinit) struct go_profile from = { 0 };
	struct err *err;

	if (target_capture(b->go->t)->kind == TARGET_DUMP)
		return dumped(b);
	err = go_profile_read(b->go, &from);
	if (!err)
		err = is_on(from.state);
	if (err)
		return err;
	types(b, from.rate);
	return from_runtime(b, &from);
}

struct err *prof_allocs(struct prof *b)
{
	struct err *err = prof_heap(b);

	if (!err)
		b->p->default_type = pprof_add_word(b->p, "alloc_space");
	return err;
}
