/*
 * agg_top.c - the rows of `top`: what takes the memory, by type, package or kind.
 *
 * One depth-first walk of the dominator tree.  A group's retained bytes are those of
 * its members that no other member dominates, so each byte counts once in a row.
 * O(n), 4 bytes a slot for the groups and 8 a level of the tree.
 */
#include "report/agg_groups.h"
#include "report/agg_top.h"

struct level {
	gnode node;
	uint32_t next; /* index in dom_child */
};

struct walk {
	struct agg *a;
	const struct agg_groups *gs;
	struct ans_row *rows; /* by group */
	uint32_t *open;	      /* members of the group among the ancestors */
	VEC(struct level) st;
};

static uint32_t group_of(const struct walk *w, gnode v)
{
	return w->gs->group[graph_object(w->a->g, v)];
}

static void enter(struct walk *w, gnode v)
{
	const struct graph *g = w->a->g;
	struct ans_row *r;
	uint32_t k;

	if (!graph_is_object(g, v))
		return;
	k = group_of(w, v);
	r = &w->rows[k];
	if (w->open[k]++)
		return;
	r->retained += g->retained[v];
	if (r->biggest == GRAPH_NONE || g->retained[v] > g->retained[r->biggest])
		r->biggest = v;
}

static void leave(struct walk *w, gnode v)
{
	if (graph_is_object(w->a->g, v))
		w->open[group_of(w, v)]--;
}

static struct err *walk_tree(struct walk *w)
{
	const struct agg *a = w->a;

	if (!vec_push(&w->st, (struct level){ 0, a->dom_first[0] }))
		return &err_nomem;
	while (w->st.n) {
		struct level *l = &w->st.v[w->st.n - 1];
		gnode c;

		if (l->next == a->dom_first[l->node + 1]) {
			leave(w, l->node);
			w->st.n--;
			continue;
		}
		c = a->dom_child[l->next++];
		enter(w, c);
		if (!vec_push(&w->st, (struct level){ c, a->dom_first[c] }))
			return &err_nomem;
	}
	return NULL;
}

static void count_members(const struct agg *a, const struct agg_groups *gs, struct ans_row *rows)
{
	const struct go_heap *h = &a->s->heap;

	for (size_t i = 0; i < h->spans.n; i++) {
		const struct go_span *sp = &h->spans.v[i];

		for (uint64_t id = sp->first; id < sp->first + sp->nelems; id++) {
			struct ans_row *r = &rows[gs->group[id]];

			if (!graph_reached(a->g, graph_node_of_object(a->g, id)))
				continue;
			r->objects++;
			r->shallow += sp->elem_bytes;
		}
	}
}

static struct err *rows_by_group(struct agg *a, const struct agg_groups *gs, struct ans_row *rows)
{
	struct walk w = { .a = a, .gs = gs, .rows = rows };
	struct err *err;

	w.open = zalloc(gs->n, sizeof(*w.open));
	if (!w.open)
		return &err_nomem;
	for (uint32_t k = 0; k < gs->n; k++)
		rows[k] = (struct ans_row){ .name = gs->names[k], .biggest = GRAPH_NONE };
	count_members(a, gs, rows);
	err = walk_tree(&w);
	vec_free(&w.st);
	free(w.open);
	return err;
}

static struct err *top_by_group(struct agg *a, const struct agg_by *by, const struct top_ask *q,
				struct ans_top *t)
{
	_cleanup_(agg_groups_deinit) struct agg_groups gs = { 0 };
	_cleanup_(freep) struct ans_row *rows = NULL;
	struct err *err = by->groups(a, q, &gs);

	if (err)
		return err;
	rows = zalloc(gs.n, sizeof(*rows));
	if (!rows)
		return &err_nomem;
	err = rows_by_group(a, &gs, rows);
	for (uint32_t k = 0; k < gs.n && !err; k++)
		if (rows[k].objects && !vec_push(&t->rows, rows[k]))
			err = &err_nomem;
	return err;
}

static uint64_t sort_key(const struct ans_row *r, enum top_sort sort)
{
	switch (sort) {
	case TOP_SORT_SHALLOW:
		return r->shallow;
	case TOP_SORT_COUNT:
		return r->count ? r->count : r->objects;
	case TOP_SORT_CUM:
		return r->site.cum;
	case TOP_SORT_ALLOC:
		return r->site.alloc_bytes;
	case TOP_SORT_DEFAULT:
	case TOP_SORT_RETAINED:
		break;
	}
	return r->retained;
}

static int compare_rows(const void *x, const void *y, void *arg)
{
	const struct ans_row *p = x, *q = y;
	enum top_sort sort = *(const enum top_sort *)arg;
	uint64_t a = sort_key(p, sort), b = sort_key(q, sort);

	if (p->rest != q->rest)
		return p->rest - q->rest;
	if (a != b)
		return a < b ? 1 : -1;
	if (p->retained != q->retained)
		return p->retained < q->retained ? 1 : -1;
	return strcmp(p->name, q->name);
}

/* Keep limit rows and all remainder rows; what falls off becomes one more remainder. */
static void cut_rows(struct agg *a, struct ans_top *t, size_t limit, bool additive)
{
	struct ans_row rest = { .biggest = GRAPH_NONE, .rest = true };
	size_t nrest = 0, normal, gone;

	for (size_t i = 0; i < t->rows.n; i++)
		nrest += t->rows.v[i].rest;
	normal = t->rows.n - nrest;
	if (normal <= limit)
		return;
	gone = normal - limit;
	for (size_t i = limit; i < normal; i++) {
		rest.objects += t->rows.v[i].objects;
		rest.shallow += t->rows.v[i].shallow;
		rest.retained += t->rows.v[i].retained;
		rest.count += t->rows.v[i].count;
	}
	memmove(&t->rows.v[limit], &t->rows.v[normal], nrest * sizeof(t->rows.v[0]));
	t->rows.n = limit + nrest;
	if (!additive)
		return;
	rest.name = keepf(&a->keep, "(%zu more)", gone);
	if (!vec_push(&t->rows, rest))
		a->keep.bad = true;
}

static struct err *add_path(struct agg *a, const struct agg_by *by, struct ans_row *r)
{
	_cleanup_(freep) gnode *path = NULL;
	size_t len = 0;
	struct err *err;

	if (r->biggest == GRAPH_NONE)
		return NULL;
	if (by->flags & AGG_BY_ROOTS)
		return agg_chain(a, r->biggest, &r->path);
	err = graph_path(a->g, r->biggest, &path, &len);
	return err ? err : agg_holders(a, path, len, &r->path);
}

static const char *sort_word(enum top_sort sort)
{
	static const char *const word[] = { "retained", "retained", "shallow",
					    "count",	"cum",	    "alloc" };

	return word[sort];
}

struct err *agg_top(struct agg *a, const struct top_ask *q, struct ans_top *ret)
{
	struct top_ask asked = *q;
	const struct agg_by *by = agg_by_named(q->by, &asked.arg);
	_cleanup_(ans_top_deinit) struct ans_top t = { .by = q->by };
	enum top_sort sort = q->sort;
	struct err *err;

	if (!by)
		return agg_by_check(q->by);
	if (sort == TOP_SORT_DEFAULT && (by->flags & AGG_BY_SAMPLED))
		sort = TOP_SORT_SHALLOW;
	if (sort >= TOP_SORT_CUM && !(by->flags & AGG_BY_SAMPLED))
		return err_usage("--sort %s: only of --by site", sort_word(sort));
	t.sort = sort_word(sort);
	err = agg_dominators(a);
	if (!err)
		err = by->rows ? by->rows(a, &asked, &t) : top_by_group(a, by, &asked, &t);
	if (err)
		return err;
	t.total_bytes = a->g->reached_bytes;
	t.nrows = t.rows.n;
	if (t.rows.n)
		qsort_r(t.rows.v, t.rows.n, sizeof(t.rows.v[0]), compare_rows, &sort);
	cut_rows(a, &t, q->limit, by->flags & AGG_BY_ADDITIVE);
	for (size_t i = 0; i < t.rows.n && i < q->npaths && !err; i++)
		err = add_path(a, by, &t.rows.v[i]);
	if (!err)
		err = keep_err(&a->keep);
	if (err)
		return err;
	*ret = t;
	t = (struct ans_top){ 0 };
	return NULL;
}
