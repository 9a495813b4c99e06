/*
 * pprof_quick.c - samples added up as they come by.
 *
 * Sums are those of pprof_sums.c.  A call is noted once for each place in the code: a frame that
 * was called from where it was called the last time costs no look-up.  Where one call is seen both
 * inlined and not in a single sample, pprof goes by the first, and here both count.
 * Cost: O(frames), a few nanoseconds each.
 */
#include "evidence/pprof_quick.h"

#include "evidence/pprof_graph_priv.h"
#include "evidence/pprof_reader.h"
#include "evidence/pprof_unit.h"

struct call {
	uint32_t from, to;
};

struct pprof_quick {
	const struct pprof *p;
	struct pprof_making *m;
	struct pprof_sums sums;
	unsigned type;
	int64_t total;
	bool negative;
	uint64_t sample;
	struct ids ids;		/* the file's numbers of locations */
	uint32_t *last_caller;	/* by location: node + 1 */
	VEC(struct call) calls; /* not inlined */
	struct idx call_idx;
	VEC(uint32_t) frames; /* leaf first */
};

static void quick_deinit(struct pprof_quick *k)
{
	pprof_sums_deinit(&k->sums);
	ids_deinit(&k->ids);
	free(k->last_caller);
	vec_free(&k->calls);
	idx_deinit(&k->call_idx);
	vec_free(&k->frames);
}

bool pprof_quick_can(const struct pprof *p, const struct pprof_ask *q)
{
	const struct pprof_filters *f = &q->filters;

	return !f->focus && !f->ignore && !f->hide && !f->show && !f->show_from && !f->tag_focus &&
	       !f->tag_ignore && f->inlines == PPROF_INLINES && !q->nodes &&
	       q->node_fraction <= 0 && q->edge_fraction <= 0 && !p->drop_frames &&
	       p->form == PPROF_PROTO;
}

static uint64_t call_hash(const void *arg, uint32_t i)
{
	const struct call *c = arg;

	return idx_mix(c[i].from, c[i].to);
}

struct call_probe {
	const struct call *all, *c;
};

static bool call_same(const void *arg, uint32_t i)
{
	const struct call_probe *q = arg;

	return q->all[i].from == q->c->from && q->all[i].to == q->c->to;
}

/* false: out of memory. */
static bool note_call(struct pprof_quick *k, uint32_t from, uint32_t to)
{
	struct call c = { from, to };
	struct call_probe q;
	uint32_t *slot;

	if (!idx_room(&k->call_idx, call_hash, k->calls.v))
		return false;
	q = (struct call_probe){ k->calls.v, &c };
	slot = idx_slot(&k->call_idx, idx_mix(from, to), call_same, &q);
	if (*slot)
		return true;
	if (!vec_push(&k->calls, c))
		return false;
	*slot = ++k->call_idx.n;
	return true;
}

static bool has_call(const struct pprof_quick *k, uint32_t from, uint32_t to)
{
	struct call c = { from, to };
	struct call_probe q = { k->calls.v, &c };

	return k->call_idx.cap && *idx_slot(&k->call_idx, idx_mix(from, to), call_same, &q);
}

/* w: not 0. */
static bool add_up(struct pprof_quick *k, int64_t w)
{
	struct pprof_sum *node = k->sums.node;
	uint32_t caller = PPROF_NONE;

	k->sample++;
	for (size_t i = k->frames.n; i-- > 0;) {
		uint32_t l = k->frames.v[i];
		const uint32_t *nodes = k->m->nodes_of.v + k->m->first[l];
		size_t n = k->m->first[l + 1] - k->m->first[l];
		uint32_t outer = nodes[n - 1];

		if (caller != PPROF_NONE && caller != outer && k->last_caller[l] != caller + 1) {
			if (!note_call(k, caller, outer))
				return false;
			k->last_caller[l] = caller + 1;
		} else if (!k->last_caller[l]) {
			k->last_caller[l] = UINT32_MAX; /* seen */
		}
		for (size_t j = n; j-- > 0;) {
			struct pprof_sum *s = &node[nodes[j]];

			if (s->seen == k->sample)
				continue;
			s->seen = k->sample;
			s->cum = pprof_plus(s->cum, w);
		}
		caller = nodes[0];
	}
	if (caller != PPROF_NONE)
		node[caller].flat = pprof_plus(node[caller].flat, w);
	return true;
}

static bool take_frame(struct pprof_quick *k, struct pprof_reader *r, uint64_t id)
{
	uint32_t l = id < k->ids.dense.n ? k->ids.dense.v[id]
					 : ids_find(&k->ids, id, (uint32_t)k->p->locations.n);

	/* one that the first pass did not see: it is not the file that it was */
	if (l >= k->p->locations.n)
		return pprof_wrong(r, "a sample speaks of a location that is not there");
	return vec_push(&k->frames, l) || pprof_short(r);
}

static bool take_list(struct pprof_quick *k, struct pprof_reader *r, pb_istream_t *s,
		      const struct pprof_field *f, size_t *nvalues, int64_t *value)
{
	const uint8_t *at = s->state, *end;
	uint64_t x = f->x;
	bool one = f->type == PB_WT_VARINT;

	end = at + (one ? 0 : s->bytes_left - f->behind);
	while (one || at < end) {
		if (!one && !pprof_varint(&at, end, &x))
			return pprof_wrong(r, "a number without an end");
		if (f->tag == 1 && !take_frame(k, r, x))
			return false;
		if (f->tag == 2 && (*nvalues)++ == k->type)
			*value = (int64_t)x;
		if (one)
			return true;
	}
	return pb_read(s, NULL, s->bytes_left - f->behind);
}

bool pprof_quick_sample(struct pprof_quick *k, struct pprof_reader *r, pb_istream_t *s)
{
	struct pprof_field f;
	size_t nvalues = 0;
	int64_t value = 0;

	k->frames.n = 0;
	while (pprof_field(r, s, &f)) {
		if (f.tag == 1 || f.tag == 2) {
			if ((f.type != PB_WT_VARINT && f.type != PB_WT_STRING) ||
			    !take_list(k, r, s, &f, &nvalues, &value))
				return pprof_wrong(r, "a sample that is no sample");
		} else if (f.type == PB_WT_STRING) {
			(void)pprof_inside(s, &f);
		}
	}
	if (r->wrong)
		return false;
	if (nvalues != k->p->types.n)
		return pprof_wrong(r, "a sample with another number of values");
	k->total = pprof_plus(k->total, pprof_abs(value));
	k->negative |= value < 0;
	return !value || add_up(k, value) || pprof_short(r);
}

/* What each node is called by: calls inside a location are inlined, those between them are not. */
static void say_inlined(const struct pprof_quick *k, struct pprof_graph *g, uint8_t *in)
{
	for (size_t i = 0; i < k->calls.n; i++)
		in[k->calls.v[i].to] |= PPROF_CALLED;
	for (uint32_t l = 0; l < k->p->locations.n; l++) {
		size_t n;
		const uint32_t *nodes = pprof_making_nodes(k->m, l, &n);

		for (size_t j = 0; k->last_caller[l] && j + 1 < n; j++)
			if (nodes[j] != nodes[j + 1])
				in[nodes[j]] |= has_call(k, nodes[j + 1], nodes[j]) ? PPROF_CALLED
										    : PPROF_INLINED;
	}
	for (size_t i = 0; i < g->nodes.n; i++)
		g->nodes.v[i].called = in[g->made.v[i]];
}

static struct err *second_pass(struct pprof_quick *k, struct input *in)
{
	const struct pprof *p = k->p;

	for (uint32_t i = 0; i < p->locations.n; i++)
		if (ids_find(&k->ids, p->locations.v[i].id, i) != i)
			return &err_nomem;
	k->last_caller = zalloc(p->locations.n, sizeof(*k->last_caller));
	k->sums.node = zalloc(k->m->keys.n + 1, sizeof(*k->sums.node));
	if (!k->last_caller || !k->sums.node)
		return &err_nomem;
	return pprof_read_samples(in, p, k);
}

struct err *pprof_quick_graph(const struct pprof *p, struct input *in, const struct pprof_ask *q,
			      struct pprof_graph **ret)
{
	_cleanup_(pprof_graph_freep) struct pprof_graph *g = zalloc(1, sizeof(*g));
	_cleanup_(pprof_pick_freep) struct pprof_pick *pick = NULL;
	_cleanup_(pprof_making_deinit) struct pprof_making m = { 0 };
	_cleanup_(quick_deinit) struct pprof_quick k = { .p = p, .m = &m, .type = q->type };
	_cleanup_(freep) uint8_t *in_calls = NULL;
	struct err *err;

	if (!g)
		return &err_nomem;
	g->p = p;
	g->type = q->type;
	err = pprof_pick_create(p, &q->filters, &pick);
	if (!err)
		err = pprof_making_init(p, q, pick, &g->keep, &m);
	if (!err)
		err = second_pass(&k, in);
	g->total = k.total;
	g->negative = k.negative;
	if (!err)
		err = pprof_graph_finish(&m, &k.sums, g);
	if (err)
		return err;
	in_calls = zalloc(m.keys.n + 1, 1);
	if (!in_calls)
		return &err_nomem;
	say_inlined(&k, g, in_calls);
	g->all_nodes = g->nodes.n;
	err = keep_err(&g->keep);
	if (err)
		return err;
	*ret = STEAL(g);
	return NULL;
}
