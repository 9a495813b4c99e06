/*
 * agg_path.c - a way from a root as nodes and as an expression.
 *
 * Parts of a map or a channel become one node, "map-value": the reader put a value under a
 * key, the runtime's tables are no holders.  Long ways lose their middle.
 */
#include "report/agg_expr.h"

enum { HOLDERS_MAX = 24, HOLDERS_HEAD = 12, HOLDERS_TAIL = 8, CHAIN_MAX = 16, EXPR_NODES = 4096 };

struct builder {
	struct agg *a;
	struct expr e;
	struct ans_path *p;
};

static const char *kept(struct builder *b, const struct str *s)
{
	return keepn(&b->a->keep, s->s ? s->s : "", s->n);
}

/* The node whose pointer was just followed. */
static void note_step(const struct builder *b, struct ans_holder *h)
{
	const struct expr *e = &b->e;

	if (*e->field)
		h->field = e->field;
	h->at = e->word_at;
	h->to = e->to;
}

static struct err *push_object(struct builder *b, gnode v, const char *expr, bool last)
{
	struct ans_holder h;
	struct err *err = agg_holder(b->a, v, GRAPH_NONE, &h);

	if (err)
		return err;
	h.expr = expr;
	if (!last)
		note_step(b, &h);
	return vec_push(&b->p->nodes, h) ? NULL : &err_nomem;
}

/* One entry of a container instead of n objects. */
static struct err *push_entry(struct builder *b, const char *expr, size_t n)
{
	struct ans_holder h = ANS_HOLDER_EMPTY;

	h.what = b->e.what;
	h.key = b->e.key;
	h.expr = expr;
	h.count = n;
	note_step(b, &h);
	return vec_push(&b->p->nodes, h) ? NULL : &err_nomem;
}

static struct err *push_root(struct builder *b, gnode root, gnode next)
{
	struct ans_holder h;
	struct err *err = agg_holder(b->a, root, next, &h);

	if (!err)
		err = expr_begin(&b->e, root, graph_object(b->a->g, next));
	if (err)
		return err;
	if (*b->e.var)
		h.var = b->e.var;
	note_step(b, &h);
	return vec_push(&b->p->nodes, h) ? NULL : &err_nomem;
}

static struct err *walk(struct builder *b, const gnode *path, size_t len)
{
	struct err *err = push_root(b, path[0], path[1]);

	for (size_t i = 1; i < len && !err; i++) {
		const char *expr = kept(b, &b->e.go);
		size_t from = i;

		err = expr_step(&b->e, path, len, &i);
		if (!err && *b->e.what)
			err = push_entry(b, expr, i - from + 1);
		else if (!err)
			err = push_object(b, path[i], expr, i + 1 == len);
	}
	return err;
}

static void conclude(struct builder *b)
{
	struct ans_path *p = b->p;
	const struct expr *e = &b->e;

	p->expression = kept(b, &e->go);
	p->dlv = kept(b, &e->dlv);
	p->type = e->type ? e->type->name : "";
	p->unsaid = e->unsaid;
	p->why_unsaid = e->last_unsaid ? e->last_unsaid : "";
	p->inside = e->inside;
	p->goroutine = e->goroutine;
	p->frame = e->frame;
	p->at = e->word_at;
	p->to = e->to;
}

static struct err *nodes_alone(struct builder *b, const gnode *path, size_t len)
{
	struct err *err = NULL;

	for (size_t i = 0; i < len && !err; i++) {
		struct ans_holder h;

		err = agg_holder(b->a, path[i], i + 1 < len ? path[i + 1] : GRAPH_NONE, &h);
		if (!err && !vec_push(&b->p->nodes, h))
			err = &err_nomem;
	}
	return err;
}

/* Long ways: the first and the last nodes. */
static void shorten(struct ans_path *p)
{
	struct ans_holder skipped = ANS_HOLDER_EMPTY;
	size_t n = p->nodes.n;

	if (n <= HOLDERS_MAX)
		return;
	skipped.what = "skipped";
	skipped.count = n - HOLDERS_HEAD - HOLDERS_TAIL;
	p->nodes.v[HOLDERS_HEAD] = skipped;
	memmove(&p->nodes.v[HOLDERS_HEAD + 1], &p->nodes.v[n - HOLDERS_TAIL],
		HOLDERS_TAIL * sizeof(p->nodes.v[0]));
	p->nodes.n = HOLDERS_HEAD + 1 + HOLDERS_TAIL;
}

static bool expressible(const struct agg *a, const gnode *path, size_t len)
{
	if (len < 2 || len > EXPR_NODES || !path[0] || graph_is_object(a->g, path[0]))
		return false;
	for (size_t i = 1; i < len; i++)
		if (!graph_is_object(a->g, path[i]))
			return false;
	return true;
}

struct err *agg_holders(struct agg *a, const gnode *path, size_t len, struct ans_path *ret)
{
	_cleanup_(ans_path_deinit) struct ans_path p = {
		.expression = "", .dlv = "", .type = "", .why_unsaid = ""
	};
	struct builder b = { .a = a, .p = &p, .e = { .a = a } };
	struct err *err;

	if (expressible(a, path, len))
		err = walk(&b, path, len);
	else
		err = nodes_alone(&b, path, len);
	if (!err && b.e.go.n)
		conclude(&b);
	expr_deinit(&b.e);
	if (err)
		return err;
	shorten(&p);
	*ret = p;
	p = (struct ans_path){ 0 };
	return keep_err(&a->keep);
}

/* Child that holds more than half of what v holds, or GRAPH_NONE. */
static gnode heavy_child(const struct agg *a, gnode v)
{
	gnode best = GRAPH_NONE;

	for (uint32_t i = a->dom_first[v]; i < a->dom_first[v + 1]; i++) {
		gnode c = a->dom_child[i];

		if (best == GRAPH_NONE || a->g->retained[c] > a->g->retained[best])
			best = c;
	}
	if (best != GRAPH_NONE && a->g->retained[best] * 2 <= a->g->retained[v] &&
	    graph_is_object(a->g, v))
		return GRAPH_NONE;
	return best;
}

struct err *agg_chain(struct agg *a, gnode root, struct ans_path *ret)
{
	gnode path[CHAIN_MAX];
	size_t len = 0;

	for (gnode v = root; v != GRAPH_NONE && len < CHAIN_MAX; v = heavy_child(a, v))
		path[len++] = v;
	return agg_holders(a, path, len, ret);
}
