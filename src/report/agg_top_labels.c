/*
 * agg_top_labels.c - the rows of `top --by label`: what is held on whose behalf.
 *
 * A row is what only the goroutines of that label reach, all of them together; so what two
 * requests of one route share is the route's.  What other goroutines reach, too, and what globals
 * reach, too, are rows of their own: the retained bytes of all rows are the reachable bytes.
 * Beside these each label has its shared bytes: of those rows what no other label reaches.
 *
 * Goroutines' descriptors (runtime.g) are fixed: the runtime's list of all of them shares neither
 * in them nor in what only they hold, the labels themselves, deferred calls, the channel that is
 * waited on.  O(n + m), 16 bytes a node.
 */
#include "report/agg_labels.h"
#include "report/agg_top.h"

#include "graph/partition.h"

struct part {
	struct agg *a;
	const struct agg_label_groups *gs;
	const struct graph *g; /* of the tree whose columns are being filled */
	uint32_t others; /* the group of roots that are no goroutines; behind it: shared ones */
	uint32_t *group; /* by root */
	gnode *g_node;	 /* of each goroutine's descriptor */
	uint32_t *g_group;
	struct graph_fixed fixed;
	uint32_t *owner;  /* by node */
	uint32_t *label;  /* the same, as if there were but goroutines with labels */
	uint64_t *global; /* bit by node: other roots reach it, too */
	struct ans_row *rows;
};

/* Behind the groups of goroutines. */
enum { ROW_OTHERS, ROW_SHARED, ROW_SHARED_GLOBALLY };

static struct err *group_roots(struct part *p)
{
	const struct snapshot *s = p->a->s;

	p->others = p->gs->n;
	p->group = zalloc(s->roots.n, sizeof(*p->group));
	if (!p->group)
		return &err_nomem;
	for (size_t i = 0; i < s->roots.n; i++) {
		const struct snap_root *r = &s->roots.v[i];
		bool of_goroutine = r->kind == SNAP_ROOT_GOROUTINE && r->goroutine < s->stacks.gs.n;

		p->group[i] = of_goroutine ? p->gs->of[r->goroutine] : p->others;
	}
	return NULL;
}

/* Dead ones are the list's: what they keep is kept by nobody else. */
static struct err *fix_descriptors(struct part *p)
{
	const struct snapshot *s = p->a->s;
	size_t n = s->stacks.gs.n;

	p->g_node = zalloc(n, sizeof(*p->g_node));
	p->g_group = zalloc(n, sizeof(*p->g_group));
	if (!p->g_node || !p->g_group)
		return &err_nomem;
	for (size_t i = 0; i < n; i++) {
		uint64_t id = go_heap_object_at(&s->heap, s->stacks.gs.v[i].g);

		if (s->stacks.gs.v[i].dead || id == GO_NO_OBJECT)
			continue;
		p->g_node[p->fixed.n] = graph_node_of_object(p->a->g, id);
		p->g_group[p->fixed.n++] = p->gs->of[i];
	}
	p->fixed.node = p->g_node;
	p->fixed.group = p->g_group;
	return NULL;
}

static uint32_t label_or_none(const struct part *p, uint32_t k)
{
	return k >= SNAP_LABELS_FIRST && k < p->gs->n ? k : GRAPH_NONE;
}

static struct err *divide_labels(struct part *p)
{
	size_t n = p->a->s->roots.n;
	_cleanup_(freep) uint32_t *group = zalloc(n, sizeof(*group));
	_cleanup_(freep) uint32_t *of_g = zalloc(p->fixed.n, sizeof(*of_g));
	struct graph_fixed fixed = { p->g_node, of_g, p->fixed.n };

	if (!group || !of_g)
		return &err_nomem;
	for (size_t i = 0; i < n; i++)
		group[i] = label_or_none(p, p->group[i]);
	for (size_t i = 0; i < fixed.n; i++)
		of_g[i] = label_or_none(p, p->g_group[i]);
	return graph_partition(p->g, group, &fixed, &p->label);
}

static struct err *divide(struct part *p)
{
	const struct graph *g = p->g;
	struct err *err = graph_partition(g, p->group, &p->fixed, &p->owner);

	if (err)
		return err;
	err = divide_labels(p);
	if (err)
		return err;
	p->global = zalloc(((size_t)g->n + 63) / 64, sizeof(*p->global));
	if (!p->global)
		return &err_nomem;
	return graph_reach_of(g, p->group, &p->fixed, p->others, p->global);
}

static uint32_t row_of(const struct part *p, gnode v)
{
	uint32_t k = p->owner[v];

	if (k != GRAPH_SHARED)
		return k;
	return p->others + (p->global[v >> 6] >> (v & 63) & 1 ? ROW_SHARED_GLOBALLY : ROW_SHARED);
}

/* kept: bits by node, NULL: all. */
static bool is_counted(const struct part *p, gnode v, const uint64_t *kept)
{
	return p->owner[v] != GRAPH_NONE && (!kept || (kept[v >> 6] >> (v & 63) & 1));
}

static void add_objects(struct part *p, const uint64_t *kept)
{
	const struct graph *g = p->a->g;

	for (gnode v = g->nroots + 1; v < g->n; v++) {
		struct ans_row *r;

		if (!is_counted(p, v, kept))
			continue;
		r = &p->rows[row_of(p, v)];
		r->objects++;
		r->retained += graph_shallow(g, v);
		if (p->owner[v] == GRAPH_SHARED && p->label[v] < p->gs->n)
			p->rows[p->label[v]].shared += graph_shallow(g, v);
	}
}

static void add_goroutines(struct part *p)
{
	const struct go_stacks *st = &p->a->s->stacks;

	for (size_t i = 0; i < st->gs.n; i++) {
		struct ans_row *r = &p->rows[p->gs->of[i]];

		if (st->gs.v[i].dead)
			continue;
		r->count++;
		r->shallow += st->gs.v[i].stack_hi - st->gs.v[i].stack_lo;
	}
}

static void name_rows(struct part *p)
{
	static const char *const more[AGG_LABEL_ROWS_MORE] = {
		[ROW_OTHERS] = "(held by globals and other roots)",
		[ROW_SHARED] = "(shared by several labels)",
		[ROW_SHARED_GLOBALLY] = "(shared by goroutines and globals)",
	};

	for (uint32_t k = 0; k < p->gs->n + AGG_LABEL_ROWS_MORE; k++) {
		bool rest = k < SNAP_LABELS_FIRST || k >= p->gs->n;

		p->rows[k] = (struct ans_row){
			.name = k < p->gs->n ? p->gs->names[k] : more[k - p->gs->n],
			.labels = k < p->gs->n ? p->gs->labels[k] : NULL,
			.biggest = GRAPH_NONE,
			.rest = rest,
		};
	}
}

static struct err *group_all(struct part *p)
{
	struct err *err = group_roots(p);

	return err ? err : fix_descriptors(p);
}

static void part_deinit(struct part *p)
{
	free(p->group);
	free(p->g_node);
	free(p->g_group);
	free(p->owner);
	free(p->label);
	free(p->global);
}

struct err *agg_label_nodes(struct agg *a, const struct agg_label_groups *gs,
			    const struct graph *g, uint32_t **ret)
{
	_cleanup_(part_deinit) struct part p = { .a = a, .gs = gs, .g = g };
	struct err *err = group_all(&p);

	if (!err)
		err = graph_partition(g, p.group, &p.fixed, &p.owner);
	if (!err)
		*ret = STEAL(p.owner);
	return err;
}

static struct err *make_rows(struct part *p, const uint64_t *kept)
{
	struct err *err = group_all(p);

	if (!err)
		err = divide(p);
	if (err)
		return err;
	name_rows(p);
	add_goroutines(p);
	add_objects(p, kept);
	return NULL;
}

/* The owner's columns, of the rows that are there. */
static struct err *add_owner(struct part *p, const struct graph *owner, const uint64_t *kept)
{
	struct err *err;

	free(STEAL(p->owner));
	free(STEAL(p->label));
	free(STEAL(p->global));
	p->g = owner;
	err = divide(p);
	for (gnode v = owner->nroots + 1; v < owner->n && !err; v++) {
		if (!is_counted(p, v, kept))
			continue;
		p->rows[row_of(p, v)].owner_objects++;
		p->rows[row_of(p, v)].owner_retained += graph_shallow(owner, v);
	}
	return err;
}

struct err *agg_label_rows(struct agg *a, const struct agg_label_groups *gs,
			   const struct top_ask *q, struct ans_row **ret)
{
	_cleanup_(freep) struct ans_row *rows = zalloc(gs->n + AGG_LABEL_ROWS_MORE, sizeof(*rows));
	_cleanup_(part_deinit) struct part p = { .a = a, .gs = gs, .g = a->g, .rows = rows };
	struct err *err = rows ? make_rows(&p, q ? q->exact.kept : NULL) : &err_nomem;

	if (!err && q && q->owner.g)
		err = add_owner(&p, q->owner.g, q->owner.kept);
	if (!err)
		*ret = STEAL(rows);
	return err;
}

struct err *agg_rows_label(struct agg *a, const struct top_ask *q, struct ans_top *t)
{
	_cleanup_(agg_label_groups_deinit) struct agg_label_groups gs = { 0 };
	_cleanup_(freep) struct ans_row *rows = NULL;
	struct err *err = agg_label_groups_make(a, q->arg, &gs);

	if (!err)
		err = agg_label_rows(a, &gs, q, &rows);
	t->no_labels = err ? NULL : agg_labels_missing(a, q->arg, &gs);
	for (uint32_t k = 0; !err && k < gs.n + AGG_LABEL_ROWS_MORE; k++)
		if ((rows[k].count || rows[k].objects || rows[k].owner_objects) &&
		    !vec_push(&t->rows, rows[k]))
			err = &err_nomem;
	return err;
}
