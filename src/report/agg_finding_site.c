/*
 * agg_finding_site.c - who allocated what hangs at a finding.
 *
 * The program's own samples that lie below the node (they are dominated by it) speak for all of
 * it, each for as many bytes as its chance of being taken says.  Cost: a climb a sample, bounded.
 */
#include "report/agg_finding.h"
#include "report/agg_sites.h"

enum { HOPS_MAX = 64, SITES_SHOWN = 3, CLIMBS_MAX = 4 << 20 };

struct tally {
	uint32_t site;
	uint64_t count, bytes;
};

struct below {
	struct agg *a;
	const struct snap_sites *x;
	gnode v;
	uint64_t budget;
	VEC(struct tally) t;
};

static bool is_below(struct below *b, gnode w)
{
	const struct graph *g = b->a->g;

	for (; w != GRAPH_NONE && w && b->budget; w = g->idom[w], b->budget--)
		if (w == b->v)
			return true;
	return false;
}

static struct err *count(struct below *b, uint32_t site)
{
	const struct snap_site *s = &b->x->sites.v[site];
	uint64_t bytes = MAX(s->bytes, b->x->rate);

	if (s->hidden >= s->n)
		return NULL;
	for (size_t i = 0; i < b->t.n; i++)
		if (b->t.v[i].site == site) {
			b->t.v[i].count++;
			b->t.v[i].bytes += bytes;
			return NULL;
		}
	return vec_push(&b->t, (struct tally){ site, 1, bytes }) ? NULL : &err_nomem;
}

static int by_bytes(const void *x, const void *y)
{
	const struct tally *p = x, *q = y;

	if (p->bytes != q->bytes)
		return p->bytes < q->bytes ? 1 : -1;
	return (p->site > q->site) - (p->site < q->site);
}

static struct ans_frame frame_of(const struct snap_frame *f)
{
	return (struct ans_frame){ *f->function ? f->function : "<unknown>", f->file, f->line,
				   f->inlined };
}

static struct err *fill(struct below *b, struct ans_origin *o)
{
	const struct snap_site *s = &b->x->sites.v[b->t.v[0].site];

	o->sampled = true;
	for (uint32_t i = s->hidden; i < s->n; i++)
		if (!vec_push(&o->stack, frame_of(snap_site_frame(b->x, s, i))))
			return &err_nomem;
	for (size_t i = 0; i < b->t.n; i++) {
		struct ans_origin_site y = { .count = b->t.v[i].count, .site = b->t.v[i].site };

		s = &b->x->sites.v[y.site];
		y.frame = frame_of(snap_site_frame(b->x, s, s->hidden));
		o->of += y.count;
		if (i >= SITES_SHOWN)
			o->others += y.count;
		else if (!vec_push(&o->sites, y))
			return &err_nomem;
	}
	return NULL;
}

/* Of the largest that v holds: what is no part of a container, and can be named. */
static gnode largest_below(const struct agg *a, gnode v)
{
	const struct snapshot *s = a->s;

	for (int hops = 0; hops < HOPS_MAX && a->dom_first; hops++) {
		uint32_t n = graph_is_object(a->g, v) && s->type_of
				     ? s->type_of[graph_object(a->g, v)]
				     : 0;
		const struct snap_type *t = n && n < s->types.n ? &s->types.v[n] : NULL;
		gnode best = GRAPH_NONE;

		if (t && t->kind != SNAP_TYPE_MAP && t->kind != SNAP_TYPE_PART && !t->array)
			return v;
		for (uint32_t i = a->dom_first[v]; i < a->dom_first[v + 1]; i++) {
			gnode w = a->dom_child[i];

			if (best == GRAPH_NONE || a->g->retained[w] > a->g->retained[best])
				best = w;
		}
		if (best == GRAPH_NONE)
			return v;
		v = best;
	}
	return v;
}

struct err *finding_origin(struct agg *a, gnode v, struct ans_origin *ret)
{
	_cleanup_(ans_origin_deinit) struct ans_origin o = { .basis = "", .like = "", .why = "" };
	struct below b = { .a = a, .v = v, .budget = CLIMBS_MAX };
	struct err *err = snapshot_sites(a->s, &b.x);

	for (size_t i = 0; !err && i < b.x->samples.n; i++) {
		const struct snap_sample *m = &b.x->samples.v[i];
		gnode w = graph_node_of_object(a->g, m->object);

		if (graph_reached(a->g, w) && is_below(&b, w))
			err = count(&b, m->site);
	}
	if (!err && b.t.n) {
		qsort(b.t.v, b.t.n, sizeof(b.t.v[0]), by_bytes);
		err = fill(&b, &o);
	}
	vec_free(&b.t);
	if (err)
		return err;
	v = o.sampled ? v : largest_below(a, v);
	if (!o.sampled && graph_is_object(a->g, v))
		return agg_origin(a, v, ret);
	*ret = o;
	o = (struct ans_origin){ 0 };
	return NULL;
}
