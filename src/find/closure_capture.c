/*
 * closure_capture.c - func values that keep large variables alive.
 *
 * All closures of one function are one finding: what they dominate, and which captured variable the
 * weight lies behind.  A handler that knows its server is how Go programs are written: a few
 * closures are told only if what they capture is large itself, not what hangs from it.  A closure
 * that a stack holds is running: that is no capture by mistake.
 * Cost: the closures of functions whose closures together could matter.
 */
#include "find/place.h"
#include "find/priv.h"
#include "snapshot/vars.h"

enum { FEW = 16, EACH = 1024, SHARE = 100, SAY_MAX = 6 };

struct group {
	uint32_t type;
	uint64_t n, bytes;
	gnode largest;
	gnode parent; /* that holds all of them; 0: there is no such one */
};

struct work {
	struct find *f;
	uint64_t least;
	struct group *of; /* by index in s->types */
};

static bool is_held_by_stack(const struct look *l, gnode v)
{
	gnode up = l->g->idom[v];

	return up != GRAPH_NONE && up && up <= l->g->nroots &&
	       l->s->roots.v[up - 1].kind == SNAP_ROOT_GOROUTINE;
}

/* What time.AfterFunc and context.AfterFunc will call: a matter of timers and contexts. */
static bool is_a_calls(const struct look *l, gnode up)
{
	const char *name = place_type_name(l, fans_type(l, up));

	name += *name == '~';
	return !strcmp(name, "runtime.timeTimer") || !strcmp(name, "time.Timer") ||
	       !strcmp(name, "runtime.timer") || !strcmp(name, "context.afterFuncCtx") ||
	       !strcmp(name, "[]*runtime.timer");
}

static struct err *see(const struct look *l, void *arg, uint64_t id)
{
	struct work *w = arg;
	gnode v = graph_node_of_object(l->g, id);
	struct group *x = &w->of[l->s->type_of[id]];
	gnode up = l->g->idom[v];

	if (is_held_by_stack(l, v))
		return NULL;
	/* one that another of its own holds is counted with that */
	if (up == GRAPH_NONE || fans_type(l, up) == x->type || is_a_calls(l, up))
		return NULL;
	if (!x->n)
		x->parent = graph_is_object(l->g, up) ? up : 0;
	if (x->parent != up)
		x->parent = 0;
	x->n++;
	x->bytes += l->g->retained[v];
	if (x->largest == GRAPH_NONE || l->g->retained[v] > l->g->retained[x->largest])
		x->largest = v;
	return NULL;
}

/* What is captured: the child that most of the weight is behind, and in which word it stands. */
struct capture {
	gnode node;
	uint64_t off;
	uint64_t bytes;
};

static struct capture captured(const struct look *l, gnode v)
{
	struct capture best = { .node = GRAPH_NONE };
	taddr at = go_heap_address(&l->s->heap, graph_object(l->g, v), NULL);
	uint64_t bytes = MIN(graph_shallow(l->g, v), (uint64_t)4096);

	for (uint64_t off = 8; off + 8 <= bytes; off += 8) {
		uint64_t word;
		struct err *err = go_read_u64(l->s->go, at + off, &word);
		gnode to;

		if (err) {
			err_free(err);
			break;
		}
		to = word ? look_node_at(l, word) : GRAPH_NONE;
		if (to == GRAPH_NONE || l->g->idom[to] != v || l->g->retained[to] <= best.bytes)
			continue;
		best = (struct capture){ to, off, l->g->retained[to] };
	}
	return best;
}

/* A variable captured by reference lies in a box of its own: what it holds is meant. */
static gnode behind_box(const struct look *l, gnode v)
{
	gnode kid[4];
	size_t n = 0;

	for (unsigned i = 0; i < 4; i++) {
		gnode best = v;

		if (graph_shallow(l->g, v) * 2 > l->g->retained[v])
			return v;
		err_free(fans_children(l, v, kid, ARRAY_LEN(kid), &n));
		for (size_t k = 0; k < n; k++)
			if (l->g->retained[kid[k]] > l->g->retained[v] / 4 * 3)
				best = kid[k];
		if (best == v)
			return v;
		v = best;
	}
	return v;
}

static const char *variable(struct work *w, const struct group *x, const struct capture *c)
{
	const struct look *l = &w->f->l;
	const char *name = snap_capture_name(l->s, l->s->types.v[x->type].entry, c->off);
	const char *type = look_type_name(l, c->node);

	name += *name == '&';
	if (*name)
		return keepf(&w->f->keep, "%s variable %s (%s)", x->n == 1 ? "its" : "their", name,
			     type);
	return keepf(&w->f->keep, "a captured %s", type);
}

static bool is_of_a_request(const char *type)
{
	static const char *const of[] = { "http.Request", "gin.Context", "echo.context",
					  "fiber.Ctx", "http.response" };

	for (size_t i = 0; i < ARRAY_LEN(of); i++)
		if (strstr(type, of[i]))
			return true;
	return false;
}

static const char *fix_of(struct work *w, const char *fn, gnode what)
{
	const char *type = look_type_name(&w->f->l, what);

	if (is_of_a_request(type))
		return keepf(&w->f->keep,
			     "copy what is needed of the %s into variables of its own before the "
			     "closure in %s, and capture these; or drop the func value when the "
			     "request ends",
			     type, fn);
	return keepf(
		&w->f->keep,
		"let %s capture only what it uses: n := len(buf) outside instead of buf inside; or "
		"remove the func value from {holder} when it has done its work",
		fn);
}

static struct err *say(struct work *w, const struct group *x, const struct capture *c, gnode what)
{
	struct find *f = w->f;
	const char *fn = look_pc_name(&f->l, f->l.s->types.v[x->type].entry);
	const char *type = look_type_name(&f->l, what);
	const char *many =
		x->n == 1 ? "one closure" : keepf(&f->keep, "%s closures", place_count(f, x->n));

	if (!*fn)
		fn = place_type_name(&f->l, x->type);
	struct finding y = {
		.verdict = FIND_SUSPECT,
		.proof = FIND_MEASURED,
		.bytes = x->bytes,
		.node = x->n > 1 && x->parent ? x->parent : x->largest,
		.goroutine = FIND_NO_GOROUTINE,
		.count = x->n,
		.title = keepf(&f->keep, "%s of %s %s %s alive through %s", many, fn,
			       x->n == 1 ? "keeps" : "keep", place_bytes(f, x->bytes),
			       variable(w, x, c)),
		.type = *type ? type : NULL,
		.key = keepf(&f->keep, "%s/%s", fn, type),
		.fix = fix_of(w, fn, what),
		.mitigate =
			"none without a change: the collector cannot know that the rest of a captured "
			"variable is not needed",
		.decide =
			"whether the number of these closures grows: `limpet snapshot PID -o before.core`, "
			"later `limpet report PID --since before.core`",
		.confirm = "limpet report PID --since before.core",
		.detail = x->n > 1 ? keepf(&f->keep, "the largest keeps %s",
					   place_bytes(f, f->l.g->retained[x->largest]))
				   : "",
	};
	return find_say(f, &y);
}

static struct err *judge(struct work *w, const struct group *x)
{
	const struct look *l = &w->f->l;
	struct capture c;
	gnode what;

	if (x->bytes < w->least || !x->n || x->bytes / x->n < EACH)
		return NULL;
	c = captured(l, x->largest);
	if (c.node == GRAPH_NONE || c.bytes < l->g->retained[x->largest] / 2)
		return NULL;
	what = behind_box(l, c.node);
	if (x->n < FEW && graph_shallow(l->g, what) < c.bytes / 2 &&
	    !is_of_a_request(look_type_name(l, c.node)))
		return NULL;
	return say(w, x, &c, what);
}

static int by_bytes(const void *x, const void *y)
{
	const struct group *a = x, *b = y;

	if (a->bytes != b->bytes)
		return a->bytes > b->bytes ? -1 : 1;
	return (a->type > b->type) - (a->type < b->type);
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
		w->of[i] = (struct group){ .type = (uint32_t)i, .largest = GRAPH_NONE };
		want[i] = s->types.v[i].kind == SNAP_TYPE_CLOSURE;
		any |= want[i];
	}
	if (!any)
		return NULL;
	err = look_each_of(&w->f->l, want, see, w);
	if (err)
		return err;
	qsort(w->of + 1, s->types.n - 1, sizeof(*w->of), by_bytes);
	for (size_t i = 1; i < MIN(s->types.n, (size_t)SAY_MAX + 1) && !err; i++)
		err = judge(w, &w->of[i]);
	return err;
}

static struct err *run(struct find *f)
{
	struct work w = { .f = f, .least = MAX(1ULL << 20, f->l.g->reached_bytes / SHARE) };
	struct err *err;

	if (!f->l.g->retained || !f->l.s->type_of)
		return NULL;
	w.of = zalloc(f->l.s->types.n + 1, sizeof(*w.of));
	err = w.of ? gather(&w) : &err_nomem;
	free(w.of);
	return err;
}

const struct detector detect_closure_capture = {
	.name = "closure-capture",
	.about = "func values that keep large variables alive",
	.run = run,
};
