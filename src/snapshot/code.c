/*
 * code.c - globals of a program without DWARF: their types and names by the code that uses them.
 *
 * What goruntime/coderefs.h says of addresses becomes variables; their pointer bits have been
 * compared there.  A root without a symbol is "global used by main.handler (bss+0x1f20)".
 * Cost: one pass over the program's text, some microseconds a root.
 */
#include "snapshot/code.h"

#include "goruntime/coderefs.h"
#include "snapshot/names.h"

#include <stdio.h>

#define MAX_GLOBALS ((size_t)1 << 18)
#define MAX_NAMED   ((size_t)1 << 16)
#define MAX_USERS   400 /* bytes of text */
#define MAX_TYPE    80
#define VARS_BACK   64

struct globals {
	struct snapshot *s;
	uint32_t *roots; /* of globals, ascending by address */
	size_t nroots;
};

static void globals_deinit(struct globals *g)
{
	free(g->roots);
}

static int by_place(const void *a, const void *b, void *arg)
{
	const struct snap_root *roots = arg;
	taddr x = roots[*(const uint32_t *)a].addr, y = roots[*(const uint32_t *)b].addr;

	return (x > y) - (x < y);
}

/* heap.roots gives words by module and section, in no order of addresses. */
static struct err *globals_init(struct globals *g, struct snapshot *s)
{
	size_t n = 0;

	g->s = s;
	g->roots = zalloc(s->roots.n + 1, sizeof(*g->roots));
	if (!g->roots)
		return &err_nomem;
	for (size_t i = 0; i < s->roots.n; i++) {
		if (s->roots.v[i].kind == SNAP_ROOT_GLOBAL)
			g->roots[n++] = (uint32_t)i;
	}
	if (n)
		qsort_r(g->roots, n, sizeof(*g->roots), by_place, s->roots.v);
	for (size_t i = 0; i < n; i++) {
		if (!g->nroots || by_place(&g->roots[g->nroots - 1], &g->roots[i], s->roots.v))
			g->roots[g->nroots++] = g->roots[i];
	}
	return NULL;
}

/* Root whose words lie in [at, at + bytes); UINT32_MAX: none. */
static uint32_t root_of(const struct globals *g, taddr at, uint64_t bytes)
{
	const struct snap_root *roots = g->s->roots.v;
	size_t lo = 0, hi = g->nroots;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (roots[g->roots[mid]].addr + roots[g->roots[mid]].bytes <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < g->nroots && roots[g->roots[lo]].addr < at + bytes ? g->roots[lo] : UINT32_MAX;
}

static const char *place_name(struct snapshot *s, taddr at)
{
	const struct go *g = s->go;

	for (size_t i = 0; i < g->nmodules; i++) {
		const struct go_module *m = &g->modules[i];

		if (trange_has(m->data, at))
			return snap_place_name(s->names, (unsigned)i, "data", at - m->data.start);
		if (trange_has(m->bss, at))
			return snap_place_name(s->names, (unsigned)i, "bss", at - m->bss.start);
	}
	return NULL;
}

static struct err *add_variable(const struct globals *g, const struct go_code_global *x)
{
	struct snapshot *s = g->s;
	const struct go_type *t = go_type_at(s->rtypes, x->rtype);
	struct snap_var v = { .at = x->at,
			      .rtype = x->rtype,
			      .name = place_name(s, x->at),
			      .frame = UINT32_MAX,
			      .rank = SNAP_RANK_FLOW };

	if (!t || !t->bytes || !v.name)
		return NULL;
	v.root = root_of(g, x->at, t->bytes);
	return vec_push(&s->vars, v) ? NULL : &err_nomem;
}

static int by_at(const void *a, const void *b)
{
	const struct snap_var *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->rtype < y->rtype ? -1 : x->rtype > y->rtype;
}

static struct err *learn_types(const struct globals *g)
{
	struct snapshot *s = g->s;
	size_t n;
	const struct go_code_global *all = go_code_global_types(s->code, &n);
	struct err *err = NULL;

	for (size_t i = 0; i < n && i < MAX_GLOBALS && !err; i++)
		err = add_variable(g, &all[i]);
	if (s->vars.n)
		qsort(s->vars.v, s->vars.n, sizeof(*s->vars.v), by_at);
	return err;
}

/* The largest variable around that word. */
static const struct snap_var *variable_around(const struct snapshot *s, taddr at,
					      const struct go_type **ret)
{
	const struct snap_var *best = NULL;
	size_t lo = 0, hi = s->vars.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->vars.v[mid].at <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (unsigned k = 0; lo && k < VARS_BACK; k++) {
		const struct snap_var *v = &s->vars.v[--lo];
		const struct go_type *t = go_type_at(s->rtypes, v->rtype);

		if (v->frame == UINT32_MAX && t && at - v->at < t->bytes &&
		    (!best || t->bytes > (*ret)->bytes)) {
			best = v;
			*ret = t;
		}
	}
	return best;
}

/* A pointer to a closure's variables is a func value; long literals say little. */
static const char *brief(const struct go_type *t)
{
	if (!strncmp(t->name, "*struct { F uintptr", 19) ||
	    !strncmp(t->name, "*struct { .F uintptr", 20))
		return "func";
	return strlen(t->name) > MAX_TYPE ? "" : t->name;
}

/* Who uses it, and where it lies: the variable as far as its type tells, else the word.  Words of
 * one variable have one name: `top --by root` adds them up. */
static struct err *name_root(struct snapshot *s, struct snap_root *r)
{
	const struct go_type *t = NULL;
	const struct snap_var *v = variable_around(s, r->addr, &t);
	struct trange around = { v ? v->at : r->addr, v ? v->at + t->bytes : r->addr + r->bytes };
	char users[MAX_USERS];
	const char *name, *type;

	if (!go_code_global_users(s->code, around, users, sizeof(users)))
		return NULL;
	type = v ? brief(t) : "";
	name = snap_textf(s->names, "global used by %s (%s%s%s)", users, v ? v->name : r->place,
			  *type ? " " : "", type);
	if (!name)
		return &err_nomem;
	r->name = name;
	return NULL;
}

static struct err *name_roots(const struct globals *g)
{
	struct snapshot *s = g->s;
	struct err *err = NULL;

	for (size_t i = 0; i < g->nroots && i < MAX_NAMED && !err; i++) {
		struct snap_root *r = &s->roots.v[g->roots[i]];

		if (r->place)
			err = name_root(s, r);
	}
	return err;
}

struct err *snap_code_learn(struct snapshot *s, unsigned nthreads)
{
	_cleanup_(globals_deinit) struct globals g = { 0 };
	struct err *err;

	if (s->dump || s->code)
		return NULL;
	err = go_code_read(s->go, s->rtypes, nthreads, &s->code);
	if (err || s->dwarf)
		return err;
	err = globals_init(&g, s);
	if (!err)
		err = learn_types(&g);
	return err ? err : name_roots(&g);
}
