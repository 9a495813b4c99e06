/*
 * agg_pop_contexts.c - contexts: kind, depth below the first one, children, deadline, cancelled.
 *
 * Contexts of package context; a type of the program that embeds one is seen as the one that it
 * embeds where that is an object of its own.  Children are those that are cancelled with it
 * and have not been: what grows there is a leak.  Of a value only the key's type is shown, and
 * the key itself by the policy for values.  Source: context/context.go.
 */
#include "report/pop_priv.h"

enum { DEPTH_MAX = 100000 };

static const struct pop_col cols[] = {
	{ "children", "children", POP_COUNT, POP_SUM },
	{ "depth", "depth", POP_COUNT, 0 },
	{ "retained_bytes", "retained", POP_BYTES, 0 },
	{ "cancelled", "cancelled", POP_YES, 0 },
	{ "deadline", "deadline", POP_UNIX_NS, POP_JSON_ONLY },
	{ "deadline_ns", "deadline in", POP_NS, 0 },
	{ "kind", "kind", POP_TEXT, 0 },
	{ "addr", "addr", POP_ADDR, 0 },
	{ "parent", "parent", POP_ADDR, 0 },
	{ "owner", "owner", POP_TEXT, POP_JSON_ONLY | POP_FILLED },
	{ "key_type", "key", POP_TEXT, 0 },
	{ .form = POP_END },
};
enum {
	C_CHILDREN,
	C_DEPTH,
	C_RETAINED,
	C_CANCELLED,
	C_DEADLINE,
	C_DEADLINE_NS,
	C_KIND,
	C_ADDR,
	C_PARENT,
	C_OWNER,
	C_KEY
};

struct node {
	uint64_t id;
	taddr parent;
	uint32_t depth; /* 0: not known yet */
	struct pop_row row;
};

struct work {
	struct agg *a;
	struct pop_table *t;
	struct go_io io;
	VEC(struct node) v; /* ascending by id */
	uint64_t cancelled, bad, children, deepest;
};

static const char *kind_of(const struct go_type *t)
{
	static const struct {
		const char *name, *kind;
	} known[] = {
		{ "context.cancelCtx", "cancel" },
		{ "context.timerCtx", "timeout" },
		{ "context.valueCtx", "value" },
		{ "context.withoutCancelCtx", "without cancel" },
		{ "context.afterFuncCtx", "after func" },
		{ "context.stopCtx", "stop" },
		{ "context.backgroundCtx", "background" },
		{ "context.todoCtx", "todo" },
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (t->name && !strcmp(t->name, known[i].name))
			return known[i].kind;
	return t->name ? t->name : "";
}

/* An interface of the context: the object that it leads to. */
static taddr behind(struct work *w, struct go_place p)
{
	struct go_place v;
	taddr at = 0;

	if (!p.type || p.type->kind != GO_INTERFACE) {
		v = p;
	} else {
		struct err *err = go_iface_value(&w->io, w->a->s->rtypes, p, &v);

		if (err) {
			err_free(err);
			return 0;
		}
	}
	if (!v.type || !v.at)
		return 0;
	if (v.type->kind != GO_POINTER)
		return v.at;
	err_free(go_read_u64(w->a->s->go, v.at, &at));
	return at;
}

/* The key is an interface: what is in it. */
static const char *key_type(struct work *w, struct go_place p)
{
	struct go_place v = p;
	struct err *err = NULL;

	if (p.type && p.type->kind == GO_INTERFACE)
		err = go_iface_value(&w->io, w->a->s->rtypes, p, &v);
	if (err) {
		err_free(err);
		return "";
	}
	return v.type && v.type->name ? v.type->name : "";
}

struct see_entry {
	struct work *w;
	struct node *n;
};

static enum go_cont_go_on see_entry(void *arg, const struct go_cont_entry *e)
{
	struct see_entry *x = arg;

	if (!strcmp(e->label, "parent"))
		x->n->parent = behind(x->w, e->elem);
	if (!strcmp(e->label, "value"))
		x->n->row.c[C_KEY].s = key_type(x->w, e->key);
	return strcmp(e->label, "child") ? CONT_ON : CONT_STOP;
}

static struct err *see(struct agg *a, void *arg, uint64_t id, struct go_place p)
{
	struct work *w = arg;
	struct node n = { .id = id, .row = { .node = graph_node_of_object(a->g, id) } };
	struct see_entry x = { w, &n };
	struct pop_cell *c = n.row.c;
	struct look_facts f;
	struct err *err = pop_facts_read(a, &w->io, p, &f);

	if (err)
		return err;
	w->bad += f.bad;
	c[C_KEY].s = "";
	err_free(go_cont_each(go_cont_of(a->s->rtypes, p.type), &w->io, a->s->rtypes, p, see_entry,
			      &x));
	c[C_CHILDREN].n = look_fact(&f, "children", 0);
	c[C_CANCELLED].n = look_fact(&f, "cancelled", 0);
	c[C_DEADLINE].n = look_fact(&f, "unix_ns", 0);
	c[C_DEADLINE_NS].n =
		c[C_DEADLINE].n ? c[C_DEADLINE].n - target_capture(a->s->t)->at_unix_ns : POP_NONE;
	c[C_RETAINED].n = pop_retained(a, n.row.node);
	c[C_KIND].s = kind_of(p.type);
	c[C_ADDR].n = p.at;
	c[C_PARENT].n = n.parent;
	w->children += c[C_CHILDREN].n;
	w->cancelled += c[C_CANCELLED].n;
	return vec_push(&w->v, n) ? NULL : &err_nomem;
}

static struct node *node_of(struct work *w, taddr at)
{
	uint64_t id = at ? go_heap_object_at(&w->a->s->heap, at) : GO_NO_OBJECT;
	size_t lo = 0, hi = w->v.n;

	if (id == GO_NO_OBJECT)
		return NULL;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->v.v[mid].id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < w->v.n && w->v.v[lo].id == id ? &w->v.v[lo] : NULL;
}

/* Up to one whose depth is known, then down again; parents that come round end at DEPTH_MAX. */
static void find_depth(struct work *w, struct node *n)
{
	uint32_t up = 0, depth;
	struct node *top = n;

	while (up < DEPTH_MAX && !top->depth) {
		struct node *p = node_of(w, top->parent);

		if (!p)
			break;
		top = p;
		up++;
	}
	depth = (top->depth ? top->depth : 1) + up;
	for (struct node *x = n; x && !x->depth && depth; x = node_of(w, x->parent))
		x->depth = depth--;
}

static struct err *finish(struct agg *a, void *arg, struct pop_row *r)
{
	(void)arg;
	r->c[C_OWNER].s = pop_owner(a, r->node);
	return NULL;
}

static struct err *fill(struct work *w, struct ans_pop *p)
{
	struct err *err = pop_objects_of(w->a, "context", see, w);

	for (size_t i = 0; i < w->v.n && !err; i++) {
		struct node *n = &w->v.v[i];

		find_depth(w, n);
		n->row.c[C_DEPTH].n = n->depth;
		w->deepest = MAX(w->deepest, (uint64_t)n->depth);
		err = pop_offer(w->t, &n->row);
	}
	if (!err)
		err = pop_total(p, "contexts", "contexts", POP_COUNT, w->v.n);
	if (!err)
		err = pop_total(p, "children", "registered children", POP_COUNT, w->children);
	if (!err)
		err = pop_total(p, "cancelled", "cancelled", POP_COUNT, w->cancelled);
	if (!err)
		err = pop_total(p, "deepest", "the deepest", POP_COUNT, w->deepest);
	if (!err)
		err = pop_total(p, "unreadable", "unreadable", POP_COUNT, w->bad);
	return err ? err : pop_settle(w->a, w->t, finish, NULL);
}

static struct err *make(struct agg *a, const struct pop_ask *ask, struct ans_pop *p)
{
	struct work w = { .a = a };
	struct err *err = go_io_init_sparse(&w.io, a->s->go);

	if (err)
		return err;
	w.t = pop_table_add(p, "rows", "contexts", cols, ask->sort ? ask->sort : "children",
			    ask->limit);
	err = fill(&w, p);
	vec_free(&w.v);
	go_io_deinit(&w.io);
	return err;
}

const struct pop_family pop_contexts = {
	.name = "contexts",
	.cols = cols,
	.sort = "children",
	.needs = POP_NEEDS_RUNTIME,
	.make = make,
};
