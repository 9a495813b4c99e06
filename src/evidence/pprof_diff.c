/*
 * pprof_diff.c - OLD's samples negated (and labelled, for shares of OLD), merged with NEW's.
 *
 * Cost: a copy of both, and their merge.
 */
#include "evidence/pprof_diff.h"

#include "evidence/pprof_unit.h"

#include <math.h>

/* A profile on its way into another; arrays by its indices. */
struct copying {
	const struct pprof *from;
	struct pprof *to;
	uint32_t *mapping, *function, *location, *stack;
	VEC(struct pprof_label) labels;
};

static void copying_deinit(struct copying *c)
{
	pprof_free(c->to);
	free(c->mapping);
	free(c->function);
	free(c->location);
	free(c->stack);
	vec_free(&c->labels);
}

static uint32_t text(struct copying *c, uint32_t id)
{
	return pprof_add_text(c->to, pprof_text(c->from, id), pprof_text_len(c->from, id));
}

static void copy_head(struct copying *c)
{
	const struct pprof *p = c->from;
	struct pprof *to = c->to;

	to->form = p->form;
	for (size_t i = 0; i < p->types.n; i++)
		pprof_add_type(to, pprof_text(p, p->types.v[i].type),
			       pprof_text(p, p->types.v[i].unit));
	to->default_type = text(c, p->default_type);
	to->period_type.type = text(c, p->period_type.type);
	to->period_type.unit = text(c, p->period_type.unit);
	to->period = p->period;
	to->time_ns = p->time_ns;
	to->duration_ns = p->duration_ns;
	to->drop_frames = text(c, p->drop_frames);
	to->keep_frames = text(c, p->keep_frames);
	to->damage = p->damage;
}

static void copy_mappings(struct copying *c)
{
	for (size_t i = 0; i < c->from->mappings.n; i++) {
		struct pprof_mapping m = c->from->mappings.v[i];

		m.file = text(c, m.file);
		m.build_id = text(c, m.build_id);
		c->mapping[i] = pprof_add_mapping(c->to, &m);
	}
}

static void copy_functions(struct copying *c)
{
	for (size_t i = 0; i < c->from->functions.n; i++) {
		struct pprof_function f = c->from->functions.v[i];

		f.name = text(c, f.name);
		f.system_name = text(c, f.system_name);
		f.file = text(c, f.file);
		c->function[i] = pprof_add_function_of(c->to, &f);
	}
}

static struct err *copy_locations(struct copying *c)
{
	VEC(struct pprof_line) lines = { 0 };
	const struct pprof *p = c->from;
	bool ok = true;

	for (size_t i = 0; i < p->locations.n && ok; i++) {
		const struct pprof_location *l = &p->locations.v[i];

		lines.n = 0;
		for (uint32_t k = 0; k < l->nlines && ok; k++) {
			struct pprof_line line = p->lines.v[l->first_line + k];

			if (line.function != PPROF_NONE)
				line.function = c->function[line.function];
			ok = vec_push(&lines, line);
		}
		c->location[i] = pprof_add_location(
			c->to, l->mapping == PPROF_NONE ? PPROF_NONE : c->mapping[l->mapping],
			l->address, lines.v, lines.n);
	}
	vec_free(&lines);
	return ok ? NULL : &err_nomem;
}

static void copy_stacks(struct copying *c)
{
	const struct pprof *p = c->from;

	for (size_t i = 0; i < p->stacks.n; i++) {
		const struct pprof_stack *s = &p->stacks.v[i];

		c->stack[i] = pprof_add_frame(
			c->to, s->parent == PPROF_NONE ? PPROF_NONE : c->stack[s->parent],
			c->location[s->location]);
	}
}

/* Go writes labels of old versions in any order, and they are equal all the same. */
static int by_key(const void *a, const void *b, void *p)
{
	const struct pprof_label *x = a, *y = b;

	if (!x->text != !y->text)
		return x->text ? -1 : 1;
	return strcmp(pprof_text(p, x->key), pprof_text(p, y->key));
}

enum mark { NO_MARK, BASE_MARK };

static bool copy_labels(struct copying *c, const struct pprof_walk *w, enum mark mark)
{
	struct pprof_label base = { .key = pprof_add_word(c->to, "pprof::base"),
				    .text = pprof_add_word(c->to, "true") };
	bool ok = true;

	c->labels.n = 0;
	for (uint32_t i = 0; i < w->nlabels && ok; i++) {
		struct pprof_label l = c->from->labels.v[w->first_label + i];

		l.key = text(c, l.key);
		l.text = text(c, l.text);
		l.unit = text(c, l.unit);
		ok = vec_push(&c->labels, l);
	}
	ok = ok && (mark == NO_MARK || vec_push(&c->labels, base));
	if (c->labels.n > 1)
		qsort_r(c->labels.v, c->labels.n, sizeof(base), by_key, c->to);
	return ok;
}

/* Exact where nothing is scaled: a double does not hold all of 64 bits. */
static int64_t scaled(int64_t v, double ratio)
{
	if (ratio == 1)
		return v;
	if (ratio == -1)
		return (int64_t)(0 - (uint64_t)v);
	return pprof_round_down(round((double)v * ratio));
}

/* What comes out as nothing is left out. */
static struct err *copy_samples(struct copying *c, const double *ratio, enum mark mark)
{
	struct pprof_walk w = { 0 };
	int64_t values[PPROF_TYPES_MAX];

	while (pprof_next(c->from, &w)) {
		bool any = false;

		for (size_t i = 0; i < c->from->types.n; i++) {
			values[i] = scaled(w.values[i], ratio[i]);
			any = any || values[i];
		}
		if (!any)
			continue;
		if (!copy_labels(c, &w, mark))
			return &err_nomem;
		pprof_add_sample(c->to, w.stack == PPROF_NONE ? PPROF_NONE : c->stack[w.stack],
				 values, c->labels.v, c->labels.n);
	}
	return NULL;
}

static struct err *copy(const struct pprof *p, const double *ratio, enum mark mark,
			struct pprof **ret)
{
	_cleanup_(copying_deinit) struct copying c = { .from = p };
	struct err *err = pprof_create(p->name, &c.to);

	if (err)
		return err;
	c.mapping = zalloc(p->mappings.n + 1, sizeof(uint32_t));
	c.function = zalloc(p->functions.n + 1, sizeof(uint32_t));
	c.location = zalloc(p->locations.n + 1, sizeof(uint32_t));
	c.stack = zalloc(p->stacks.n + 1, sizeof(uint32_t));
	if (!c.mapping || !c.function || !c.location || !c.stack)
		return &err_nomem;
	copy_head(&c);
	copy_mappings(&c);
	copy_functions(&c);
	err = copy_locations(&c);
	if (err)
		return err;
	copy_stacks(&c);
	err = copy_samples(&c, ratio, mark);
	if (!err)
		err = pprof_made(c.to);
	if (err)
		return err;
	*ret = STEAL(c.to);
	return NULL;
}

static void sums(const struct pprof *p, int64_t *ret)
{
	struct pprof_walk w = { 0 };

	memset(ret, 0, PPROF_TYPES_MAX * sizeof(*ret));
	while (pprof_next(p, &w))
		for (size_t i = 0; i < p->types.n; i++)
			ret[i] = pprof_plus(ret[i], w.values[i]);
}

static struct err *ratios(const struct pprof *old, const struct pprof *new, double *ret)
{
	int64_t a[PPROF_TYPES_MAX], b[PPROF_TYPES_MAX];

	if (old->types.n != new->types.n)
		return err_unsupported("--normalize: %.100s has %zu values a sample, %.100s %zu",
				       old->name, old->types.n, new->name, new->types.n);
	sums(old, a);
	sums(new, b);
	for (size_t i = 0; i < new->types.n; i++)
		ret[i] = b[i] ? (double)a[i] / (double)b[i] : 0;
	return NULL;
}

struct err *pprof_diff(const struct pprof *old, const struct pprof *new, enum pprof_share share,
		       enum pprof_scaling scaling, struct pprof **ret)
{
	_cleanup_(pprof_freep) struct pprof *a = NULL, *b = NULL;
	double up[PPROF_TYPES_MAX], down[PPROF_TYPES_MAX];
	struct pprof *both[2];
	struct err *err = NULL;

	for (size_t i = 0; i < PPROF_TYPES_MAX; i++) {
		up[i] = 1;
		down[i] = -1;
	}
	if (scaling == PPROF_NORMALIZE)
		err = ratios(old, new, up);
	if (!err)
		err = copy(old, down, share == PPROF_OF_OLD ? BASE_MARK : NO_MARK, &a);
	if (!err)
		err = copy(new, up, NO_MARK, &b);
	if (err)
		return err;
	both[0] = b; /* as pprof: what a merged profile says of itself is NEW's */
	both[1] = a;
	return pprof_merge(both, 2, ret);
}

void pprof_changes_free(struct pprof_changes *c)
{
	if (!c)
		return;
	pprof_graph_free(c->g);
	pprof_free(c->diff);
	vec_free(&c->of);
	free(c);
}

static int by_text(const void *a, const void *b)
{
	const struct pprof_node *x = *(const struct pprof_node *const *)a;
	const struct pprof_node *y = *(const struct pprof_node *const *)b;

	return strcmp(x->text, y->text);
}

enum side { OLD, NEW };

/* What a profile has of each node of the difference, found by its text. */
static struct err *put_side(struct pprof_changes *c, const struct pprof *p,
			    const struct pprof_ask *q, enum side side)
{
	_cleanup_(pprof_graph_freep) struct pprof_graph *g = NULL;
	_cleanup_(freep) const struct pprof_node **node = NULL;
	struct pprof_ask whole = *q;
	struct err *err;

	whole.nodes = 0;
	whole.node_fraction = whole.edge_fraction = 0;
	err = pprof_value_index(p, pprof_text(c->diff, c->diff->types.v[c->g->type].type),
				&whole.type);
	if (!err)
		err = pprof_graph_create(p, &whole, &g);
	if (err)
		return err;
	*(side == OLD ? &c->old_total : &c->new_total) = g->total;
	node = zalloc(g->nodes.n + 1, sizeof(*node));
	if (!node)
		return &err_nomem;
	for (size_t i = 0; i < g->nodes.n; i++)
		node[i] = &g->nodes.v[i];
	qsort(node, g->nodes.n, sizeof(*node), by_text);
	for (size_t i = 0; i < c->g->nodes.n; i++) {
		const struct pprof_node *key = &c->g->nodes.v[i];
		const struct pprof_node **n =
			bsearch(&key, node, g->nodes.n, sizeof(*node), by_text);

		if (n && side == OLD) {
			c->of.v[i].old_flat = (*n)->flat;
			c->of.v[i].old_cum = (*n)->cum;
		} else if (n) {
			c->of.v[i].new_flat = (*n)->flat;
			c->of.v[i].new_cum = (*n)->cum;
		}
	}
	return NULL;
}

struct err *pprof_changes_create(const struct pprof *old, const struct pprof *new,
				 const struct pprof_ask *q, enum pprof_share share,
				 enum pprof_scaling scaling, struct pprof_changes **ret)
{
	_cleanup_(pprof_changes_freep) struct pprof_changes *c = zalloc(1, sizeof(*c));
	struct pprof_ask ask = *q;
	struct err *err;

	if (!c)
		return &err_nomem;
	err = pprof_diff(old, new, share, scaling, &c->diff);
	if (!err)
		err = pprof_value_index(c->diff, pprof_text(old, old->types.v[q->type].type),
					&ask.type);
	if (!err)
		err = pprof_graph_create(c->diff, &ask, &c->g);
	if (err)
		return err;
	if (!vec_reserve(&c->of, c->g->nodes.n + 1))
		return &err_nomem;
	c->of.n = c->g->nodes.n;
	memset(c->of.v, 0, (c->of.n + 1) * sizeof(*c->of.v));
	err = put_side(c, old, &ask, OLD);
	if (!err)
		err = put_side(c, new, &ask, NEW);
	if (err)
		return err;
	*ret = STEAL(c);
	return NULL;
}
