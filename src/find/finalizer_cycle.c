/*
 * finalizer_cycle.c - cycles that a finalizer or a cleanup hangs on: never freed.
 *
 * runtime.SetFinalizer: "If a cyclic structure includes a block with a finalizer, that cycle is
 * not guaranteed to be garbage collected"; AddCleanup: "If ptr is reachable from cleanup or arg,
 * ptr will never be collected".  Proved on the graph, hooks.h says how; a plain cycle is none.
 * One finding for all cycles that consist of the same types with the same functions.
 */
#include "base/str.h"
#include "find/hooks.h"
#include "find/liveness.h"
#include "find/look_special.h"
#include "find/priv.h"

#include <stdio.h>
#include <xxhash.h>

enum { MANY = 100, PATH_SHOWN = 6, NAMES_SHOWN = 4 };

struct cycles {
	struct find *f;
	VEC(struct hook) hooks; /* user: index in specials */
	VEC(struct look_special) specials;
	VEC(gnode) weak;
	struct hooks h;
	uint32_t *group; /* by hook */
	uint32_t ngroups;
};

static void cycles_deinit(struct cycles *c)
{
	vec_free(&c->hooks);
	vec_free(&c->specials);
	vec_free(&c->weak);
	hooks_deinit(&c->h);
	free(c->group);
}

/*
 * A weak pointer leads to a handle, and that to the object.  Where nothing but the special has
 * the handle, nobody can ask.  Source: runtime/mheap.go, specialWeakHandle.
 */
static bool handle_is_held(const struct look *l, const struct look_special *x)
{
	gnode handle = look_node_at(l, x->sp->words[0]);

	return handle != GRAPH_NONE && l->g->idom[handle] != x->root + 1;
}

static struct err *collect(struct cycles *c)
{
	const struct look *l = &c->f->l;
	struct look_specials at = { 0 };
	struct look_special x;
	bool ok = true;

	while (ok && look_special_next(l, &at, &x)) {
		gnode v = x.id == GO_NO_OBJECT ? GRAPH_NONE : graph_node_of_object(l->g, x.id);
		struct hook k = { .object = v, .root = x.root + 1 };

		if (v == GRAPH_NONE)
			continue;
		if (x.sp->kind == GO_SPECIAL_WEAK) {
			ok = !handle_is_held(l, &x) || vec_push(&c->weak, v);
			continue;
		}
		k.user = (uint32_t)c->specials.n;
		ok = vec_push(&c->hooks, k) && vec_push(&c->specials, x);
	}
	return ok ? NULL : &err_nomem;
}

static const struct look_special *special_of(const struct cycles *c, size_t hook)
{
	return &c->specials.v[c->h.v[hook].user];
}

/* What a hook is: type of its object, its function by the name of its root. */
static uint64_t label_of(const struct cycles *c, size_t hook)
{
	const struct snapshot *s = c->f->l.s;
	const struct look_special *x = special_of(c, hook);
	const char *name = s->roots.v[x->root].name;
	uint32_t type = s->type_of ? s->type_of[x->id] : 0;

	return XXH64(name, strlen(name), type);
}

struct own {
	uint32_t component, hook;
	uint64_t label, key;
};

static int by_label(const void *x, const void *y)
{
	const struct own *a = x, *b = y;

	if (a->component != b->component)
		return a->component < b->component ? -1 : 1;
	if (a->label != b->label)
		return a->label < b->label ? -1 : 1;
	return (a->hook > b->hook) - (a->hook < b->hook);
}

static int by_key(const void *x, const void *y)
{
	const struct own *a = x, *b = y;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return (a->hook > b->hook) - (a->hook < b->hook);
}

/* Key of a component: its labels, each once; and whether something might yet get at it. */
static void set_keys(const struct cycles *c, struct own *v, size_t n)
{
	for (size_t i = 0, end; i < n; i = end) {
		uint64_t key = 0;
		bool loose = false;

		for (end = i; end < n && v[end].component == v[i].component; end++) {
			if (end == i || v[end].label != v[end - 1].label)
				key = XXH64(&v[end].label, 8, key);
			loose |= c->h.v[v[end].hook].loose;
		}
		key = (key & ~1ULL) | loose;
		for (size_t k = i; k < end; k++)
			v[k].key = key;
	}
}

static struct own *own_hooks(const struct cycles *c)
{
	struct own *v = zalloc(c->h.nown, sizeof(*v));
	size_t n = 0;

	for (size_t i = 0; i < c->h.n && v; i++)
		if (c->h.v[i].state == HOOK_OWN)
			v[n++] =
				(struct own){ c->h.v[i].component, (uint32_t)i, label_of(c, i), 0 };
	return v;
}

/* Groups of components with one key: own[] in their order, group[] by hook. */
static struct err *make_groups(struct cycles *c, struct own **ret)
{
	struct own *v = own_hooks(c);

	c->group = zalloc(c->h.n, sizeof(*c->group));
	if (!v || !c->group) {
		free(v);
		return &err_nomem;
	}
	memset(c->group, 0xff, c->h.n * sizeof(*c->group));
	qsort(v, c->h.nown, sizeof(*v), by_label);
	set_keys(c, v, c->h.nown);
	qsort(v, c->h.nown, sizeof(*v), by_key);
	for (size_t i = 0; i < c->h.nown; i++) {
		c->ngroups += i == 0 || v[i].key != v[i - 1].key;
		c->group[v[i].hook] = c->ngroups - 1;
	}
	*ret = v;
	return NULL;
}

static void put_once(struct str *o, const char *text, const char *between, unsigned *n)
{
	if (!*text || (o->s && strstr(o->s, text)))
		return;
	if (++*n > NAMES_SHOWN)
		return;
	str_printf(o, "%s%s", o->n ? between : "", text);
}

/* Names of types and functions of the cycle that the first hook of a group is in. */
static void names_of(const struct cycles *c, const struct own *v, size_t n, struct str *types,
		     struct str *functions)
{
	const struct look *l = &c->f->l;
	unsigned ntypes = 0, nfunctions = 0;

	for (size_t i = 0; i < MIN(n, 4096U); i++) {
		const struct look_special *x = special_of(c, v[i].hook);

		if (i && v[i].label == v[i - 1].label)
			continue;
		put_once(types, look_type_name(l, c->h.v[v[i].hook].object), ", ", &ntypes);
		put_once(functions, look_special_function(l, x->sp), ", ", &nfunctions);
	}
}

/* "main.Node .peer -> main.Node .peer -> main.Node": the way back. */
static struct err *put_circle(const struct cycles *c, size_t hook, struct str *o)
{
	const struct look *l = &c->f->l;
	const struct look_special *x = special_of(c, hook);
	_cleanup_(freep) gnode *path = NULL;
	gnode at = c->h.v[hook].object;
	size_t n = 0;
	struct err *err = hooks_circle(&c->h, hook, &path, &n);
	bool from_words = x->sp->kind == GO_SPECIAL_CLEANUP || !n ||
			  !*look_field_to(l, x->id, graph_object(l->g, path[0]));

	if (err || !n)
		return err;
	str_printf(o, "cycle: %s%s", look_type_name(l, at),
		   !from_words			       ? ""
		   : x->sp->kind == GO_SPECIAL_CLEANUP ? " (its cleanup's function or argument)"
						       : " (its finalizer's function)");
	for (size_t i = 0; i < n; i++) {
		if (n > PATH_SHOWN && i == PATH_SHOWN / 2) {
			str_printf(o, " -> (%zu more)", n - PATH_SHOWN);
			i += n - PATH_SHOWN;
			at = path[i - 1];
		}
		if (i || !from_words)
			str_printf(o, " %s",
				   look_field_to(l, graph_object(l->g, at),
						 graph_object(l->g, path[i])));
		str_printf(o, " -> %s", look_type_name(l, path[i]));
		at = path[i];
	}
	return NULL;
}

static const char *fix_of(const struct find *f, bool cleanup)
{
	if (cleanup)
		return "pass AddCleanup a function and an argument that do not lead back to the "
		       "object: the descriptor or the id that is to be released, not {type} itself";
	if (find_go_minor(f) >= 24)
		return "use runtime.AddCleanup with an argument that does not lead back to the "
		       "object (the descriptor, the id), or make the pointer back a weak.Pointer; "
		       "then the collector frees the cycle";
	return "put the finalizer on a small object of its own that the cycle points to and that "
	       "points at nothing of it, or break the cycle in a Close method that callers must "
	       "call";
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static struct err *say_group(struct cycles *c, const struct own *v, size_t n,
			     const struct hooks_sum *sum)
{
	struct find *f = c->f;
	_cleanup_(str_deinit) struct str types = { 0 };
	_cleanup_(str_deinit) struct str functions = { 0 };
	_cleanup_(str_deinit) struct str circle = { 0 };
	const struct hook *k = &c->h.v[v[0].hook];
	const struct look_special *x = special_of(c, v[0].hook);
	bool cleanup = x->sp->kind == GO_SPECIAL_CLEANUP;
	const char *what = cleanup ? "cleanup" : "finalizer", *ts, *fs;
	bool loose = k->loose || f->l.s->heap.lost_spans || liveness_weakness(f->l.s);
	struct err *err = put_circle(c, v[0].hook, &circle);
	struct finding y = { .bytes = sum->bytes,
			     .objects = sum->objects,
			     .count = n,
			     .node = k->object,
			     .goroutine = FIND_NO_GOROUTINE,
			     .verdict = loose ? FIND_SUSPECT : FIND_LEAK,
			     .proof = loose ? FIND_INFERRED : FIND_PROVED };

	if (err)
		return err;
	names_of(c, v, n, &types, &functions);
	ts = types.s ? types.s : "unknown type";
	fs = functions.s ? functions.s : "?";
	y.title =
		keepf(&f->keep, "%" PRIu64 " object%s of %s %s freed: %s %s (%s) holds on to %s",
		      y.count, plural(n), ts,
		      loose    ? "may never be"
		      : n == 1 ? "is never"
			       : "are never",
		      n == 1 ? "its" : "each one's", what, fs,
		      cleanup ? "the object that it waits for" : "the cycle that leads back to it");
	y.key = keepf(&f->keep, "%s %s %s", what, ts, fs);
	y.fix = fix_of(f, cleanup);
	y.mitigate = keepf(
		&f->keep,
		"set the links that lead back to nil before the last use ends%s; a restart frees what is lost now",
		cleanup ? ", or call Stop of the runtime.Cleanup"
			: ", or call runtime.SetFinalizer(obj, nil)");
	y.confirm = "limpet finalizers TARGET: the count of this function falls to what is in use";
	y.detail = keepf(&f->keep, "%s", circle.s ? circle.s : "");
	if (loose)
		y.decide =
			k->loose
				? "a weak pointer or a finalizer that is yet to run reaches it; a later look proves it: limpet report --since SNAPSHOT"
				: "a part of the roots could not be read; a live look without losses proves it";
	return find_say(f, &y);
}

static struct err *say_groups(struct cycles *c, const struct own *v)
{
	_cleanup_(freep) struct hooks_sum *sum = zalloc(c->ngroups + 1, sizeof(*sum));
	uint64_t least = MAX(c->f->l.g->reached_bytes / 100, 1ULL << 20);
	uint32_t largest = 0;
	struct err *err = sum ? hooks_measure(&c->h, c->group, c->ngroups, sum) : &err_nomem;

	for (uint32_t i = 1; i < c->ngroups && !err; i++)
		if (sum[i].bytes > sum[largest].bytes)
			largest = i;
	if (!err && c->ngroups) { /* what several hold goes with the last of them */
		sum[largest].bytes += sum[c->ngroups].bytes;
		sum[largest].objects += sum[c->ngroups].objects;
	}
	for (size_t i = 0, end; i < c->h.nown && !err; i = end) {
		uint32_t group = c->group[v[i].hook];

		for (end = i; end < c->h.nown && c->group[v[end].hook] == group; end++)
			;
		if (sum[group].bytes >= least || end - i >= MANY)
			err = say_group(c, v + i, end - i, &sum[group]);
	}
	return err;
}

static struct err *run(struct find *f)
{
	_cleanup_(cycles_deinit) struct cycles c = { .f = f };
	_cleanup_(freep) struct own *own = NULL;
	struct err *err = collect(&c);

	if (!err && c.hooks.n)
		err = hooks_solve(f->l.g, f->l.nthreads, c.hooks.v, c.hooks.n, c.weak.v, c.weak.n,
				  &c.h);
	if (err || !c.h.nown)
		return err;
	err = make_groups(&c, &own);
	return err ? err : say_groups(&c, own);
}

const struct detector detect_finalizer_cycle = {
	.name = "finalizer-cycle",
	.about = "cycles that a finalizer or cleanup hangs on",
	.needs = FIND_NEEDS_RUNTIME,
	.run = run,
};
