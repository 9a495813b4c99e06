/*
 * place_levels.c - from a place down to where its weight is, level by level.
 *
 * In the exact dominator tree, by the example of its largest sampled element: at each level the
 * type whose things together retain most, as long as that is half of what the level above has.
 * Parts of maps are walked through.
 */
#include "find/place.h"

enum { MANY = 4, ABOVE = 5, STEPS = 64 };

/* Children of v, parts of maps replaced by theirs. */
struct err *place_kids(const struct look *l, gnode v, gnode *kid, size_t *ret_n)
{
	struct err *err = fans_children(l, v, kid, PLACE_KIDS, ret_n);

	for (size_t i = 0; i < *ret_n && !err; i++) {
		size_t n = 0;

		if (fans_map_of(l, kid[i]) != FANS_MAP_PART)
			continue;
		err = fans_children(l, kid[i], kid + *ret_n, PLACE_KIDS - *ret_n, &n);
		*ret_n += n;
		kid[i] = kid[--*ret_n];
		i--;
		if (*ret_n >= PLACE_KIDS / 2)
			break;
	}
	return err;
}

/* The type that retains most; its largest thing is the example. */
bool place_heaviest(const struct look *l, const gnode *kid, size_t n, uint64_t of,
		    struct place_level *ret)
{
	uint64_t best = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t t = fans_type(l, kid[i]);
		struct place_level x = { .type = t, .node = kid[i] };
		uint64_t bytes = 0;

		for (size_t k = 0; k < n; k++) {
			if (fans_type(l, kid[k]) != t)
				continue;
			x.n++;
			bytes += l->g->retained[kid[k]];
			if (l->g->retained[kid[k]] > l->g->retained[x.node])
				x.node = kid[k];
		}
		if (bytes > best) {
			best = bytes;
			*ret = x;
		}
	}
	return best >= of / 2 && best;
}

static bool seen_above(const struct place *x, uint32_t type)
{
	for (unsigned i = 0; i < x->nlevels; i++)
		if (type && x->level[i].type == type)
			return true;
	return false;
}

static void push(const struct look *l, struct place *x, struct place_level v)
{
	if (x->nlevels < PLACE_LEVELS && (v.node == x->node || !place_is_wrapper(l, v.type)))
		x->level[x->nlevels++] = v;
}

static bool is_container(const struct look *l, gnode v)
{
	const struct snap_type *t = &l->s->types.v[fans_type(l, v)];

	return fans_map_of(l, v) == FANS_MAP_HEADER || t->kind == SNAP_TYPE_CHAN ||
	       (t->kind == SNAP_TYPE_RTYPE && t->array);
}

/* What the place hangs from, if that is in a container itself: outermost first. */
static void push_above(const struct look *l, struct place *x)
{
	gnode way[ABOVE], v = x->node;
	unsigned n = 0, use = 0;

	while (n < ABOVE) {
		v = l->g->idom[v];
		if (v == GRAPH_NONE || !graph_is_object(l->g, v))
			break;
		if (fans_map_of(l, v) == FANS_MAP_PART)
			continue;
		way[n++] = v;
		if (is_container(l, v))
			use = n;
	}
	while (use--)
		push(l, x,
		     (struct place_level){ fans_type(l, way[use]), way[use], 1,
					   is_container(l, way[use]) });
}

/* The largest of the samples, for an example. */
static gnode example(const struct look *l, const struct place *x)
{
	gnode v = x->nsamples ? x->sample[0] : GRAPH_NONE;

	for (unsigned i = 1; i < x->nsamples; i++)
		if (l->g->retained[x->sample[i]] > l->g->retained[v])
			v = x->sample[i];
	return v;
}

struct err *place_levels(struct find *f, struct place *x)
{
	const struct look *l = &f->l;
	_cleanup_(freep) gnode *kid = zalloc(PLACE_KIDS, sizeof(*kid));
	gnode v = example(l, x);
	struct err *err = NULL;

	if (!kid)
		return &err_nomem;
	x->nlevels = x->containers = 0;
	if (x->node > l->g->nroots)
		push_above(l, x);
	x->self = x->nlevels;
	push(l, x, (struct place_level){ fans_type(l, x->node), x->node, 1, true });
	if (v != GRAPH_NONE)
		push(l, x, (struct place_level){ fans_type(l, v), v, x->n, false });
	for (unsigned i = 0; v != GRAPH_NONE && x->nlevels < PLACE_LEVELS && i < STEPS; i++) {
		struct place_level next = { 0 };
		size_t n = 0;

		err = place_kids(l, v, kid, &n);
		if (err || !place_heaviest(l, kid, n, l->g->retained[v], &next) ||
		    (!place_is_wrapper(l, next.type) && seen_above(x, next.type)))
			break;
		x->level[x->nlevels - 1].spreads |= next.n >= MANY;
		if (x->nlevels == x->self + 1) /* below what wraps them */
			next.n = MAX(next.n, x->n);
		push(l, x, next);
		v = next.node;
	}
	for (unsigned i = 0; i < x->nlevels; i++)
		x->containers += x->level[i].spreads;
	return err;
}
