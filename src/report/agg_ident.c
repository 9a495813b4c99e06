/*
 * agg_ident.c - the reachable objects of a snapshot, told span after span (find/ident.h).
 *
 * Types and fields are those of `top`; the holder is the root above an object in the dominator
 * tree.  Knows no store.  Cost: 12 bytes a slot while it lives; what fields cost.
 */
#include "report/agg_groups.h"
#include "report/analysed.h"

#include "base/par.h"

enum { GRAIN = 1 << 16 };

struct agg_ident {
	struct ident x; /* first: what others see */
	struct agg *a;
	struct find f; /* names of roots */
	struct agg_groups type, field;
	const char **holders;
	uint32_t *holder_of; /* by node 0 .. nroots */
	uint32_t *root; /* by object id: 1 + the node that holds it, 0: not known yet; bigalloc'd */
	uint64_t nobjects;
	size_t next; /* span */
	struct ident_span span;
	VEC(uint64_t) alive;
	VEC(uint64_t) old;
	VEC(uint32_t) holder;
};

void agg_ident_free(struct ident *x)
{
	struct agg_ident *y = (struct agg_ident *)x;

	if (!y)
		return;
	agg_groups_deinit(&y->type);
	agg_groups_deinit(&y->field);
	find_deinit(&y->f);
	free(y->holders);
	free(y->holder_of);
	if (y->root)
		bigfree(y->root, y->nobjects, sizeof(*y->root));
	vec_free(&y->alive);
	vec_free(&y->old);
	vec_free(&y->holder);
	free(y);
}

static void freep_(struct agg_ident **y)
{
	agg_ident_free(*y ? &(*y)->x : NULL);
}

/*
 * The root (or 0: several) above v.  What was found on the way is noted for all that was passed;
 * threads write the same there.
 */
static void climb(const struct agg_ident *y, gnode v)
{
	const struct graph *g = y->a->g;
	gnode top = v;
	uint32_t root = 0;

	while (top > g->nroots && top != GRAPH_NONE) {
		root = __atomic_load_n(&y->root[graph_object(g, top)], __ATOMIC_RELAXED);
		if (root)
			break;
		top = g->idom[top];
	}
	if (!root)
		root = 1 + (top <= g->nroots ? top : 0);
	for (gnode u = v; u != top; u = g->idom[u])
		__atomic_store_n(&y->root[graph_object(g, u)], root, __ATOMIC_RELAXED);
}

static struct err *climb_all(void *arg, unsigned worker, size_t lo, size_t hi)
{
	const struct agg_ident *y = arg;
	const struct graph *g = y->a->g;

	(void)worker;
	for (size_t id = lo; id < hi; id++) {
		gnode v = graph_node_of_object(g, id);

		if (graph_reached(g, v))
			climb(y, v);
	}
	return NULL;
}

/* Roots of one name are one holder. */
static struct err *name_holders(struct agg_ident *y)
{
	uint32_t nroots = y->a->g->nroots;
	_cleanup_(freep) struct agg_group_name *e = zalloc((size_t)nroots + 1, sizeof(*e));
	struct agg_groups gs = { 0 };
	struct err *err;

	y->holder_of = zalloc((size_t)nroots + 1, sizeof(*y->holder_of));
	if (!e || !y->holder_of)
		return &err_nomem;
	e[0].name = "(held by several)";
	for (uint32_t r = 0; r < nroots; r++)
		e[r + 1] = (struct agg_group_name){ find_root_key(&y->f, r), r + 1 };
	err = keep_err(&y->f.keep);
	if (!err)
		err = agg_groups_number(e, (size_t)nroots + 1, y->holder_of, &gs);
	y->holders = gs.names;
	y->x.head.ngroups[IDENT_HOLDER] = gs.n;
	return err;
}

/* bits[first .. first + n) to the words of out. */
static void copy_bits(const uint64_t *bits, uint64_t first, uint32_t n, uint64_t *out)
{
	unsigned shift = first & 63;

	for (uint32_t i = 0; i < n; i += 64) {
		uint64_t at = (first + i) >> 6, w = bits[at] >> shift;

		if (shift && n - i > 64 - shift)
			w |= bits[at + 1] << (64 - shift);
		if (n - i < 64)
			w &= (1ULL << (n - i)) - 1;
		out[i / 64] = w;
	}
}

/*
 * What the mark bits say (goruntime/heap.h).  UNSWEPT: who is unmarked is no object any more, and
 * nothing was allocated there since: all are old.  FRESH: no cycle has finished yet.
 */
static bool knows_old(const struct go_span *sp)
{
	return sp->marks == GO_MARKS_LAST_CYCLE || sp->marks == GO_MARKS_UNSWEPT ||
	       sp->marks == GO_MARKS_MARKING || sp->marks == GO_MARKS_FRESH;
}

static bool make_room(struct agg_ident *y, uint32_t nelems)
{
	size_t words = ((size_t)nelems + 63) / 64;

	return vec_reserve(&y->alive, words) && vec_reserve(&y->old, words) &&
	       vec_reserve(&y->holder, nelems);
}

static void fill(struct agg_ident *y, const struct go_span *sp)
{
	const struct go_heap *h = &y->a->s->heap;
	uint32_t words = (sp->nelems + 63) / 64;
	bool known = knows_old(sp);

	copy_bits(y->a->g->reached, graph_node_of_object(y->a->g, sp->first), sp->nelems,
		  y->alive.v);
	memset(y->old.v, 0, words * sizeof(*y->old.v));
	if (known && sp->marks != GO_MARKS_FRESH)
		copy_bits(h->mark_bits, sp->first, sp->nelems, y->old.v);
	for (uint32_t i = 0; i < sp->nelems; i++) {
		uint32_t root = y->root[sp->first + i];

		y->holder.v[i] = y->holder_of[root ? root - 1 : 0];
	}
	y->span = (struct ident_span){ .base = sp->base,
				       .bytes = sp->bytes,
				       .elem_bytes = sp->elem_bytes,
				       .nelems = sp->nelems,
				       .spanclass = sp->spanclass,
				       .old_known = known,
				       .alive = y->alive.v,
				       .old = y->old.v,
				       .group = { [IDENT_TYPE] = y->type.group + sp->first,
						  [IDENT_HOLDER] = y->holder.v,
						  [IDENT_FIELD] = y->field.group + sp->first } };
}

static struct err *next_span(struct ident *x, const struct ident_span **ret)
{
	struct agg_ident *y = (struct agg_ident *)x;
	const struct go_heap *h = &y->a->s->heap;

	if (y->next == h->spans.n) {
		*ret = NULL;
		return NULL;
	}
	if (!make_room(y, h->spans.v[y->next].nelems))
		return &err_nomem;
	fill(y, &h->spans.v[y->next++]);
	*ret = &y->span;
	return NULL;
}

static struct err *first_span(struct ident *x)
{
	((struct agg_ident *)x)->next = 0;
	return NULL;
}

static const char *name_of(struct ident *x, enum ident_column column, uint32_t group)
{
	struct agg_ident *y = (struct agg_ident *)x;

	if (group >= x->head.ngroups[column])
		return "";
	switch (column) {
	case IDENT_TYPE:
		return y->type.names[group];
	case IDENT_HOLDER:
		return y->holders[group];
	default:
		return y->field.names[group];
	}
}

static struct ident_head head_of(const struct agg *a)
{
	const struct go_counters *c = &a->s->heap.counters;
	const struct target_mem *m = target_mem(a->s->t);

	return (struct ident_head){
		.process = agg_process(a),
		/* one more a cycle, at the instant that its marks count (mgcsweep, gcSweep) */
		.cycles = c->sweepgen ? c->sweepgen / 2 : c->num_gc,
		.has_cycles = true,
		.followed_from = UINT32_MAX,
		.objects = a->g->nreached_objects,
		.bytes = a->g->reached_bytes,
		.goroutines = find_goroutines(a->s),
		.stack_bytes = a->s->stacks.stack_bytes,
		.total_alloc = c->total_alloc_bytes,
		.rss = m ? m->rss : UINT64_MAX,
	};
}

/* Dump spans have no mark bits and no cycles; the same code. */
static struct err *make(struct agg_ident *y)
{
	struct agg *a = y->a;
	struct err *err;

	y->nobjects = a->s->heap.nobjects;
	y->root = bigalloc(y->nobjects, sizeof(*y->root));
	if (!y->root)
		return &err_nomem;
	err = par_for(a->nthreads, y->nobjects, GRAIN, climb_all, y);
	if (!err)
		err = name_holders(y);
	if (!err)
		err = agg_groups_type_kept(a, &y->type);
	if (!err)
		err = agg_groups_field_kept(a, &y->field);
	y->x.head.ngroups[IDENT_TYPE] = y->type.n;
	y->x.head.ngroups[IDENT_FIELD] = y->field.n;
	return err;
}

struct err *agg_ident(struct agg *a, struct ident **ret)
{
	_cleanup_(freep_) struct agg_ident *y = zalloc(1, sizeof(*y));
	struct err *err;

	if (!y)
		return &err_nomem;
	y->a = a;
	y->f.l = agg_look(a);
	y->x = (struct ident){
		.head = head_of(a), .rewind = first_span, .next = next_span, .name = name_of
	};
	err = make(y);
	if (err)
		return err;
	*ret = &STEAL(y)->x;
	return NULL;
}
