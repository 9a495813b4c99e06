/*
 * agg_top.c - the rows of `top`: what takes the memory, by type, package or kind.
 *
 * One depth-first walk of the dominator tree.  A group's retained bytes are those of
 * its members that no other member dominates, so each byte counts once in a row.
 * O(n), 4 bytes a slot for the groups and 8 a level of the tree.
 */
#include "report/agg_focus.h"
#include "report/agg_groups.h"
#include "report/agg_top.h"
#include "report/kept.h"
#include "report/owner.h"

struct walk {
	const struct agg_dom *d;
	const struct agg_groups *gs;
	bool owner;	      /* whose column is filled */
	struct ans_row *rows; /* by group */
	uint32_t *open;	      /* members of the group among the ancestors */
};

static uint32_t group_of(const struct walk *w, gnode v)
{
	return w->gs->group[graph_object(w->d->g, v)];
}

static struct err *enter(void *arg, gnode v)
{
	struct walk *w = arg;
	const uint64_t *retained = w->d->retained;
	struct ans_row *r;
	uint32_t k;

	if (!graph_is_object(w->d->g, v))
		return NULL;
	k = group_of(w, v);
	r = &w->rows[k];
	if (w->open[k]++)
		return NULL;
	if (w->owner) {
		r->owner_retained += retained[v];
		return NULL;
	}
	r->retained += retained[v];
	if (r->biggest == GRAPH_NONE || retained[v] > retained[r->biggest])
		r->biggest = v;
	return NULL;
}

static void leave(void *arg, gnode v)
{
	struct walk *w = arg;

	if (graph_is_object(w->d->g, v))
		w->open[group_of(w, v)]--;
}

static void count_members(const struct agg *a, const struct agg_dom *d, const struct agg_groups *gs,
			  struct ans_row *rows)
{
	const struct go_heap *h = &a->s->heap;

	for (size_t i = 0; i < h->spans.n; i++) {
		const struct go_span *sp = &h->spans.v[i];

		for (uint64_t id = sp->first; id < sp->first + sp->nelems; id++) {
			struct ans_row *r = &rows[gs->group[id]];

			gnode v = graph_node_of_object(a->g, id);

			if (!graph_reached(a->g, v) ||
			    (d->kept && !(d->kept[v >> 6] >> (v & 63) & 1)))
				continue;
			r->objects++;
			r->shallow += sp->elem_bytes;
		}
	}
}

static struct err *fill_rows(const struct agg_dom *d, enum agg_trees tree,
			     const struct agg_groups *gs, struct ans_row *rows)
{
	struct walk w = { .d = d, .gs = gs, .rows = rows, .owner = tree == AGG_TREE_OWNER };
	struct err *err;

	w.open = zalloc(gs->n, sizeof(*w.open));
	if (!w.open)
		return &err_nomem;
	err = agg_dom_walk(d, enter, leave, &w);
	free(w.open);
	return err;
}

static struct ans_row *make_rows(struct agg *a, const struct agg_dom *d,
				 const struct agg_groups *gs)
{
	struct ans_row *rows = zalloc(gs->n, sizeof(*rows));

	for (uint32_t k = 0; rows && k < gs->n; k++)
		rows[k] = (struct ans_row){ .name = gs->names[k], .biggest = GRAPH_NONE };
	if (rows)
		count_members(a, d, gs, rows);
	return rows;
}

/* Of what --focus left out a row may still hold something. */
static bool counts(const struct ans_row *r)
{
	return r->objects || r->retained || r->owner_retained;
}

static int by_row_name(const void *x, const void *y)
{
	return strcmp(((const struct ans_row *)x)->name, ((const struct ans_row *)y)->name);
}

/* Groups of the other tree: columns go to the rows of the same name; both are sorted by it. */
static struct err *join_rows(struct ans_top *t, const struct ans_row *rows, uint32_t n)
{
	size_t had = t->rows.n;

	for (uint32_t k = 0; k < n; k++) {
		struct ans_row other = { .name = rows[k].name, .biggest = GRAPH_NONE };
		struct ans_row *r = NULL;

		if (!counts(&rows[k]))
			continue;
		if (had)
			r = bsearch(&rows[k], t->rows.v, had, sizeof(*r), by_row_name);
		if (!r && !vec_push(&t->rows, other))
			return &err_nomem;
		r = r ? r : &t->rows.v[t->rows.n - 1];
		r->owner_objects = rows[k].objects;
		r->owner_retained = rows[k].owner_retained;
	}
	return NULL;
}

static struct err *join_owner(struct agg *a, const struct agg_by *by, struct top_ask *q,
			      struct ans_top *t)
{
	_cleanup_(agg_groups_deinit) struct agg_groups gs = { 0 };
	_cleanup_(freep) struct ans_row *rows = NULL;
	struct err *err;

	q->tree = AGG_TREE_OWNER;
	err = by->groups(a, q, &gs);
	if (err)
		return err;
	rows = make_rows(a, &q->owner, &gs);
	err = rows ? fill_rows(&q->owner, AGG_TREE_OWNER, &gs, rows) : &err_nomem;
	return err ? err : join_rows(t, rows, gs.n);
}

static struct err *top_by_group(struct agg *a, const struct agg_by *by, struct top_ask *q,
				struct ans_top *t)
{
	_cleanup_(agg_groups_deinit) struct agg_groups gs = { 0 };
	_cleanup_(freep) struct ans_row *rows = NULL;
	bool differ = by->flags & AGG_BY_HOLDER;
	struct err *err;

	q->tree = AGG_TREE_EXACT;
	err = by->groups(a, q, &gs);
	if (err)
		return err;
	rows = make_rows(a, &q->exact, &gs);
	err = rows ? fill_rows(&q->exact, AGG_TREE_EXACT, &gs, rows) : &err_nomem;
	if (!err && q->owner.g && !differ)
		err = fill_rows(&q->owner, AGG_TREE_OWNER, &gs, rows);
	for (uint32_t k = 0; k < gs.n && !err; k++)
		if (counts(&rows[k]) && !vec_push(&t->rows, rows[k]))
			err = &err_nomem;
	return err || !q->owner.g || !differ ? err : join_owner(a, by, q, t);
}

struct order {
	enum top_sort sort;
	unsigned trees; /* of both, unless said otherwise, the larger: what is big in one is not cut
			   off */
};

static uint64_t sort_key(const struct ans_row *r, const struct order *o)
{
	switch (o->sort) {
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
	if (o->trees == AGG_TREE_OWNER)
		return r->owner_retained;
	if (o->sort == TOP_SORT_DEFAULT && o->trees == AGG_TREE_BOTH)
		return MAX(r->retained, r->owner_retained);
	return r->retained;
}

static int compare_rows(const void *x, const void *y, void *arg)
{
	const struct ans_row *p = x, *q = y;
	uint64_t a = sort_key(p, arg), b = sort_key(q, arg);

	if (p->rest != q->rest)
		return p->rest - q->rest;
	if (a != b)
		return a < b ? 1 : -1;
	if (p->retained != q->retained)
		return p->retained < q->retained ? 1 : -1;
	int c = strcmp(p->name, q->name);
	return c ? c : (p->order > q->order) - (p->order < q->order);
}

void agg_top_add(struct ans_row *sum, const struct ans_row *r)
{
	sum->objects += r->objects;
	sum->shallow += r->shallow;
	sum->retained += r->retained;
	sum->owner_retained += r->owner_retained;
	sum->owner_objects += r->owner_objects;
	sum->count += r->count;
}

/* Keep limit rows and all remainder rows; what falls off becomes one more remainder. */
static void cut_rows(struct keep *keep, const struct agg_by *by, size_t limit,
		     const struct agg_top_gone *before, struct ans_top *t)
{
	struct ans_row rest = before->sum;
	size_t nrest = 0, normal, gone = before->n;

	rest.biggest = GRAPH_NONE;
	rest.rest = true;
	for (size_t i = 0; i < t->rows.n; i++)
		nrest += t->rows.v[i].rest;
	normal = t->rows.n - nrest;
	for (size_t i = limit; i < normal; i++) {
		agg_top_add(&rest, &t->rows.v[i]);
		ans_path_deinit(&t->rows.v[i].path);
		ans_origin_deinit(&t->rows.v[i].origin);
		gone++;
	}
	if (normal > limit) {
		memmove(&t->rows.v[limit], &t->rows.v[normal], nrest * sizeof(t->rows.v[0]));
		t->rows.n = limit + nrest;
	}
	if (!gone || !(by->flags & AGG_BY_ADDITIVE))
		return;
	rest.name = keepf(keep, "(%zu more)", gone);
	if (!vec_push(&t->rows, rest))
		keep->bad = true;
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

/* Where the object at the path's end was allocated. */
static struct err *add_origin(struct agg *a, struct ans_row *r)
{
	const struct ans_holder *last =
		r->path.nodes.n ? &r->path.nodes.v[r->path.nodes.n - 1] : NULL;
	uint64_t id = last && !strcmp(last->what, "object")
			      ? go_heap_object_at(&a->s->heap, last->addr)
			      : GO_NO_OBJECT;

	return id == GO_NO_OBJECT ? NULL
				  : agg_origin(a, graph_node_of_object(a->g, id), &r->origin);
}

struct err *agg_top_ways(struct agg *a, const char *by, const struct graph_ways *ways,
			 struct ans_row *rows, size_t n)
{
	const char *arg;
	const struct agg_by *word = agg_by_named(by, &arg);
	struct err *err = NULL;

	for (size_t i = 0; i < n && !err; i++) {
		_cleanup_(freep) gnode *path = NULL;
		size_t len = 0;

		if (rows[i].biggest == GRAPH_NONE)
			continue;
		if (word->flags & AGG_BY_ROOTS)
			err = agg_chain(a, rows[i].biggest, &rows[i].path);
		else
			err = graph_way(ways, rows[i].biggest, &path, &len);
		if (!err && !(word->flags & AGG_BY_ROOTS))
			err = agg_holders(a, path, len, &rows[i].path);
		if (!err && !(word->flags & AGG_BY_SAMPLED))
			err = add_origin(a, &rows[i]);
	}
	return err;
}

static const char *sort_word(enum top_sort sort)
{
	static const char *const word[] = { "retained", "retained", "shallow",
					    "count",	"cum",	    "alloc" };

	return word[sort];
}

/* Rules that found something, most references first. */
static int by_edges(const void *x, const void *y)
{
	const struct ans_owner_rule *a = x, *b = y;

	return (a->edges < b->edges) - (a->edges > b->edges);
}

static struct err *list_rules(struct agg *a, struct ans_top *t)
{
	_cleanup_(owner_rules_deinit) struct owner_rules builtin = { 0 };
	const struct owner_rules *rules = a->owners ? a->owners : &builtin;
	struct err *err = a->owners ? NULL : owner_rules_create(NULL, &builtin);
	char name[512];

	for (size_t i = 0; i < rules->v.n && !err; i++) {
		struct ans_owner_rule r = { .edges = a->owner_edges[i] };

		if (!r.edges)
			continue;
		owner_rule_name(&rules->v.v[i], name, sizeof(name));
		r.name = keepf(&a->keep, "%s", name);
		r.reason = keepf(&a->keep, "%s", rules->v.v[i].reason);
		r.source = keepf(&a->keep, "%s", rules->v.v[i].source);
		if (!vec_push(&t->rules, r))
			err = &err_nomem;
	}
	if (t->rules.n)
		qsort(t->rules.v, t->rules.n, sizeof(t->rules.v[0]), by_edges);
	return err;
}

struct foci {
	struct agg_focus exact, owner;
};

static void foci_deinit(struct foci *f)
{
	agg_focus_deinit(&f->exact);
	agg_focus_deinit(&f->owner);
}

/* The trees that are asked for, as far as the word can tell of them. */
static struct err *look_at_trees(struct agg *a, const struct agg_by *by, struct top_ask *q,
				 struct foci *f, struct ans_top *t)
{
	struct err *err = agg_dominators(a);

	t->trees = AGG_TREE_EXACT;
	if (!err && (q->trees & AGG_TREE_OWNER) && (by->groups || (by->flags & AGG_BY_OWNER))) {
		err = agg_owner(a);
		t->trees = q->trees;
		q->owner = a->owner;
		if (!err)
			err = list_rules(a, t);
	}
	q->exact = agg_dom_of(a, AGG_TREE_EXACT);
	if (err || (!q->focus && !q->ignore) || (by->flags & AGG_BY_SAMPLED))
		return err; /* samples are asked by the names of their stacks */
	return agg_focus(a, q, &f->exact, &f->owner);
}

struct err *agg_top_sort(const struct agg_by *by, enum top_sort *sort)
{
	if (*sort == TOP_SORT_DEFAULT && (by->flags & AGG_BY_SAMPLED))
		*sort = TOP_SORT_SHALLOW;
	if (*sort >= TOP_SORT_CUM && !(by->flags & AGG_BY_SAMPLED))
		return err_usage("--sort %s: only of --by site", sort_word(*sort));
	return NULL;
}

void agg_top_settle(struct keep *keep, const struct agg_by *by, enum top_sort sort, size_t limit,
		    const struct agg_top_gone *gone, struct ans_top *t)
{
	struct order order = { sort, t->trees };

	t->sort = sort_word(sort);
	if (t->rows.n)
		qsort_r(t->rows.v, t->rows.n, sizeof(t->rows.v[0]), compare_rows, &order);
	cut_rows(keep, by, limit, gone, t);
}

struct err *agg_top(struct agg *a, const struct top_ask *q, struct ans_top *ret)
{
	static const struct agg_top_gone none;
	struct top_ask asked = *q;
	const struct agg_by *by = agg_by_named(q->by, &asked.arg);
	_cleanup_(ans_top_deinit) struct ans_top t = { .by = q->by };
	enum top_sort sort = q->sort;
	_cleanup_(foci_deinit) struct foci f = { 0 };
	struct err *err;

	if (!by)
		return agg_by_check(q->by);
	if (a->asked)
		return kept_top_of(a, by, q, ret);
	err = agg_top_sort(by, &sort);
	asked.sort = sort;
	if (!err)
		err = look_at_trees(a, by, &asked, &f, &t);
	if (!err)
		err = by->rows ? by->rows(a, &asked, &t) : top_by_group(a, by, &asked, &t);
	if (err)
		return err;
	t.total_bytes = a->g->reached_bytes;
	t.focused = asked.exact.kept != NULL;
	t.focused_bytes = asked.exact.retained[0];
	t.nrows = t.rows.n;
	for (size_t i = 0; i < t.rows.n; i++)
		t.rows.v[i].order = (uint32_t)i;
	agg_top_settle(&a->keep, by, sort, q->limit, &none, &t);
	for (size_t i = 0; i < t.rows.n && i < q->npaths && !err; i++) {
		err = add_path(a, by, &t.rows.v[i]);
		if (!err && !(by->flags & AGG_BY_SAMPLED))
			err = add_origin(a, &t.rows.v[i]);
	}
	if (!err)
		err = keep_err(&a->keep);
	if (err)
		return err;
	*ret = t;
	t = (struct ans_top){ 0 };
	return NULL;
}
