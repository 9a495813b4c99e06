/*
 * context_leak.c - contexts that are registered with a parent and never cancelled.
 *
 * A context that can be cancelled is in its parent's map of children until somebody calls its
 * cancel function (context/context.go, propagateCancel, removeChild).  Whoever could call it holds
 * the context; whoever waits for it holds its channel.  A child that hangs from nothing but that
 * map, and whose channel nobody else knows, stays until the parent ends: proved.  Of those that
 * something else knows, too, one look cannot tell; near a stack they are in use.
 * Cost: a word of each context that can be cancelled; children of parents with MANY of them.
 */
#include "find/place.h"
#include "find/priv.h"
#include "find/shared.h"

enum { MANY = 100, UNSURE_MANY = 1000, CHILDREN_MAX = 4096, PARENTS_MAX = 64, DEPTH = 3 };

#define SOON_NS (3600LL * 1000000000)

/* Where the fields of a type of context lie; map NULL: it has no children. */
struct fields {
	const struct go_type *map;
	uint64_t children, done, func;
	bool has_done, has_func, has_deadline;
};

struct parent {
	gnode node, map;
	uint64_t len;
	const struct go_type *map_type;
	taddr header;
};

struct work {
	struct find *f;
	struct go_io io;
	struct fields *of; /* by index in s->types */
	VEC(struct parent) parents;
	uint64_t *near; /* bits by node; NULL: not asked yet */
};

/* What was seen of one parent's children. */
struct tally {
	struct work *w;
	const struct parent *p;
	uint64_t seen, only, only_bytes, later, unsure;
	const struct go_type *type; /* of the first that matters */
	struct err *err;
};

static void find_fields(struct go_types *ts, const struct go_type *t, struct fields *ret)
{
	const struct go_type *ft;
	uint64_t off;

	if (go_type_path(ts, t, "children", &ret->children, &ft) && ft->kind == GO_MAP)
		ret->map = ft;
	ret->has_done = go_type_path(ts, t, "done", &off, &ft) && ft->bytes == 16;
	ret->done = off;
	ret->has_func = go_type_path(ts, t, "f", &off, &ft) && ft->kind == GO_FUNC;
	ret->func = off;
	ret->has_deadline = go_type_path(ts, t, "deadline", &off, &ft);
}

static uint64_t word_at(struct work *w, taddr at)
{
	uint64_t v = 0;

	err_free(go_io_read(&w->io, at, &v, sizeof(v)));
	return v;
}

/* Of more parents than are looked at: those with most children. */
static void keep_larger(struct work *w, const struct parent *p)
{
	size_t least = 0;

	for (size_t i = 1; i < w->parents.n; i++)
		if (w->parents.v[i].len < w->parents.v[least].len)
			least = i;
	if (w->parents.v[least].len < p->len)
		w->parents.v[least] = *p;
}

static struct err *see_parent(const struct look *l, void *arg, uint64_t id)
{
	struct work *w = arg;
	const struct fields *x = &w->of[l->s->type_of[id]];
	taddr at = go_heap_address(&l->s->heap, id, NULL);
	const struct go_span *sp = go_heap_span_at(&l->s->heap, at);
	struct parent p = { .node = graph_node_of_object(l->g, id), .map_type = x->map };
	struct look_facts facts;
	struct err *err;

	p.header = sp ? word_at(w, at + go_span_header(sp) + x->children) : 0;
	p.map = p.header ? look_node_at(l, p.header) : GRAPH_NONE;
	/* a key is 16 bytes: most maps are too small, and need not be read */
	if (p.map == GRAPH_NONE || l->g->retained[p.map] < MANY * 16)
		return NULL;
	err = look_facts_read(l, &w->io, (struct go_place){ p.header, x->map }, &facts);
	if (err)
		return err;
	p.len = facts.bad ? 0 : look_fact(&facts, "len", 0);
	if (p.len < MANY)
		return NULL;
	if (w->parents.n >= PARENTS_MAX) {
		keep_larger(w, &p);
		return NULL;
	}
	return vec_push(&w->parents, p) ? NULL : &err_nomem;
}

/* The context behind a canceler. */
static bool child_at(struct work *w, struct go_place key, struct go_place *ret)
{
	struct go_types *ts = w->f->l.s->rtypes;
	struct go_place v;
	struct err *err = go_iface_value(&w->io, ts, key, &v);

	if (err || !v.type || !v.at) {
		err_free(err);
		return false;
	}
	if (v.type->kind == GO_POINTER) {
		v.at = word_at(w, v.at);
		v.type = go_type_at(ts, v.type->elem);
	}
	*ret = v;
	return v.at && v.type && v.type->kind == GO_STRUCT;
}

/* Nanoseconds from the snapshot to its deadline; INT64_MAX: it has none. */
static int64_t deadline_in(struct work *w, struct go_place c)
{
	struct look_facts facts;
	struct err *err = look_facts_read(&w->f->l, &w->io, c, &facts);
	uint64_t at;

	err_free(err);
	at = err || facts.bad ? 0 : look_fact(&facts, "unix_ns", 0);
	return at ? (int64_t)(at - target_capture(w->f->l.s->t)->at_unix_ns) : INT64_MAX;
}

/* Does somebody have the channel that Done() gave out, other than the context? */
static bool is_awaited(struct tally *t, struct go_place c, gnode context, const struct fields *x)
{
	uint64_t chan = x->has_done ? word_at(t->w, c.at + x->done + 8) : 0;
	gnode v = chan ? look_node_at(&t->w->f->l, chan) : GRAPH_NONE;

	return v != GRAPH_NONE && !fans_dominates(&t->w->f->l, t->p->map, v) &&
	       !fans_dominates(&t->w->f->l, context, v);
}

/* What AfterFunc() registered is used once more: what only it captures is not before that. */
static bool captures(struct tally *t, struct go_place c, const struct fields *x)
{
	const struct look *l = &t->w->f->l;
	uint64_t fn = word_at(t->w, c.at + x->func);
	gnode v = fn ? look_node_at(l, fn) : GRAPH_NONE;

	return v != GRAPH_NONE && l->g->retained[v] > graph_shallow(l->g, v);
}

static struct err *near_stacks(struct work *w)
{
	return w->near ? NULL : shared_near_stacks(&w->f->l, DEPTH, &w->near);
}

static void see_child(struct tally *t, struct go_place c, gnode v)
{
	struct fields x = { 0 };
	const struct look *l = &t->w->f->l;
	bool only = fans_dominates(l, t->p->map, v);
	int64_t in;

	find_fields(l->s->rtypes, c.type, &x);
	in = x.has_deadline ? deadline_in(t->w, c) : INT64_MAX;
	if (in < SOON_NS)
		return;
	if (only && !is_awaited(t, c, v, &x) && (!x.has_func || captures(t, c, &x))) {
		t->only++;
		t->only_bytes += l->g->retained[v];
	} else if (in != INT64_MAX) {
		t->later++;
	} else {
		if (!t->err)
			t->err = near_stacks(t->w);
		if (t->err || (t->w->near[v >> 6] >> (v & 63) & 1) || is_awaited(t, c, v, &x))
			return;
		t->unsure++;
	}
	if (!t->type)
		t->type = c.type;
}

static enum go_cont_go_on see_entry(void *arg, const struct go_cont_entry *e)
{
	struct tally *t = arg;
	struct go_place c;
	gnode v;

	t->seen++;
	if (!child_at(t->w, e->key, &c))
		return CONT_ON;
	v = look_node_at(&t->w->f->l, c.at);
	if (v != GRAPH_NONE)
		see_child(t, c, v);
	return t->seen < CHILDREN_MAX && !t->err ? CONT_ON : CONT_STOP;
}

static const char *fix_of(struct find *f, const struct go_type *type)
{
	if (type && type->name && strstr(type->name, "afterFuncCtx"))
		return "keep the stop function that context.AfterFunc returns, and call it when the "
		       "work is over";
	return keepf(
		&f->keep,
		"call the cancel function on every way out: `ctx, cancel := context.WithCancel(parent); "
		"defer cancel()`%s; go vet (lostcancel) finds most places",
		find_go_minor(f) >= 21
			? ", or derive it from context.WithoutCancel(parent) where it must not "
			  "end with the parent"
			: "");
}

static struct err *say(struct work *w, const struct parent *p, const struct tally *t)
{
	struct find *f = w->f;
	const struct look *l = &f->l;
	uint64_t only = t->only * p->len / t->seen, bytes = t->only_bytes * p->len / t->seen;
	uint64_t other = (t->unsure + t->later) * p->len / t->seen;
	bool proved = only >= MANY, later = t->later > t->unsure;
	gnode owner = look_owner(l, p->node);
	const char *type = t->type && t->type->name ? t->type->name : "";
	struct finding y = {
		.verdict = proved ? FIND_LEAK : FIND_SUSPECT,
		.proof = proved ? FIND_PROVED : FIND_MEASURED,
		.node = p->map,
		.goroutine = FIND_NO_GOROUTINE,
		.count = proved ? only : other,
		.type = *type ? type : NULL,
		.key = keepf(&f->keep, "%s/%s",
			     owner && owner != GRAPH_NONE ? find_root_key(f, owner - 1) : "", type),
		.fix = fix_of(f, t->type),
		.mitigate =
			"cancel the parent, if the program has a way to begin it anew; else a restart",
		.confirm = "limpet contexts PID: the parent's children",
	};

	if (!proved && other < (later ? MANY * 10 : UNSURE_MANY))
		return NULL;
	y.bytes = only == p->len ? l->g->retained[p->map] : MAX(bytes, l->g->retained[p->map]);
	if (proved)
		y.title = keepf(
			&f->keep,
			"%s contexts of type %s are registered with a parent, and nothing can "
			"cancel them any more: %s",
			place_count(f, only), type, place_bytes(f, y.bytes));
	else
		y.title = keepf(&f->keep, "%s contexts of type %s are registered with one parent%s",
				place_count(f, other), type,
				later ? ", with deadlines hours away"
				      : ", and no goroutine seems to use them");
	y.detail =
		t->seen < p->len
			? keepf(&f->keep, "the parent has %s children, %s of them were looked at",
				place_count(f, p->len), place_count(f, t->seen))
			: keepf(&f->keep, "the parent has %s children", place_count(f, p->len));
	if (!proved)
		y.decide =
			"whether their number grows while the load is the same: `limpet snapshot PID -o "
			"before.core`, later `limpet report PID --since before.core`";
	return find_say(f, &y);
}

static struct err *judge(struct work *w, const struct parent *p)
{
	struct tally t = { .w = w, .p = p };
	const struct go_cont *c = go_cont_of(w->f->l.s->rtypes, p->map_type);
	struct err *err;

	if (!c)
		return NULL;
	err = go_cont_each(c, &w->io, w->f->l.s->rtypes,
			   (struct go_place){ p->header, p->map_type }, see_entry, &t);
	if (err && err->code != ERR_NOMEM && err->code != ERR_GONE) {
		err_free(err);
		err = NULL;
	}
	if (!err)
		err = t.err;
	return err || !t.seen ? err : say(w, p, &t);
}

static struct err *gather(struct work *w)
{
	struct snapshot *s = w->f->l.s;
	_cleanup_(freep) uint8_t *want = zalloc(s->types.n + 1, 1);
	struct err *err;
	bool any = false;

	if (!want)
		return &err_nomem;
	for (size_t i = 1; i < s->types.n; i++) {
		const struct snap_type *t = &s->types.v[i];
		const struct go_type *rt =
			t->kind == SNAP_TYPE_RTYPE && !t->array && t->rank > SNAP_RANK_GUESS
				? go_type_at(s->rtypes, t->rtype)
				: NULL;
		const struct go_cont *c =
			rt && rt->kind == GO_STRUCT ? go_cont_of(s->rtypes, rt) : NULL;

		if (!c || strcmp(go_cont_word(c), "context"))
			continue;
		find_fields(s->rtypes, rt, &w->of[i]);
		want[i] = w->of[i].map != NULL;
		any |= want[i];
	}
	err = any ? look_each_of(&w->f->l, want, see_parent, w) : NULL;
	for (size_t i = 0; i < w->parents.n && !err; i++)
		err = judge(w, &w->parents.v[i]);
	return err;
}

static struct err *run(struct find *f)
{
	struct work w = { .f = f };
	struct err *err;

	if (!f->l.g->retained || !f->l.s->type_of)
		return NULL;
	w.of = zalloc(f->l.s->types.n + 1, sizeof(*w.of));
	if (!w.of)
		return &err_nomem;
	err = go_io_init_sparse(&w.io, f->l.s->go);
	if (!err)
		err = gather(&w);
	go_io_deinit(&w.io);
	vec_free(&w.parents);
	free(w.near);
	free(w.of);
	return err;
}

const struct detector detect_context_leak = {
	.name = "context-leak",
	.about = "contexts registered with a parent that nobody cancels",
	.needs = FIND_NEEDS_RUNTIME,
	.run = run,
};
