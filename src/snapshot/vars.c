/*
 * vars.c - globals by DWARF, captures of closures, and the order of it all.
 *
 * Where there is no DWARF, or none that can be read, nothing is known and nothing is wrong.
 * Cost: unpacking the sections, one pass over the units, one over the frames.
 */
#include "snapshot/vars_priv.h"

#include <stdio.h>

#define MAX_GLOBALS  (1U << 20)
#define MAX_CAPTURES 256

static void dwarf_freep(struct snap_dwarf **x)
{
	snap_vars_free(*x);
}

void snap_vars_free(struct snap_dwarf *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->locals.n; i++)
		free(x->locals.v[i].v);
	for (size_t i = 0; i < x->closures.n; i++)
		free(x->closures.v[i].v);
	vec_free(&x->locals);
	vec_free(&x->closures);
	vec_free(&x->pending);
	free(x->types.tab);
	free(x->pcs.tab);
	free(x->entries.tab);
	dwarf_index_close(x->d);
	pthread_mutex_destroy(&x->lock);
	free(x);
}

struct globals {
	struct snapshot *s;
	struct snap_dwarf *x;
	const struct snap_root **roots; /* globals, ascending by addr */
	size_t nroots;
};

static bool in_data(const struct snapshot *s, taddr at, uint64_t bytes)
{
	for (size_t i = 0; i < s->go->nmodules; i++) {
		const struct go_module *m = &s->go->modules[i];

		if (trange_has_all(m->data, at, bytes) || trange_has_all(m->bss, at, bytes) ||
		    trange_has_all(m->noptrdata, at, bytes) ||
		    trange_has_all(m->noptrbss, at, bytes))
			return true;
	}
	return false;
}

/* First root that begins in or covers [at, at + bytes). */
static uint32_t root_of(const struct globals *g, taddr at, uint64_t bytes)
{
	size_t lo = 0, hi = g->nroots;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (g->roots[mid]->addr + g->roots[mid]->bytes <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == g->nroots || g->roots[lo]->addr >= at + bytes)
		return UINT32_MAX;
	return (uint32_t)(g->roots[lo] - g->s->roots.v);
}

static struct err *see_global(void *arg, const struct dwarf_global *v)
{
	struct globals *g = arg;
	struct snap_var var = { .at = go_debug_run(g->x->file, v->addr),
				.frame = UINT32_MAX,
				.rank = SNAP_RANK_FLOW };
	const struct go_type *t;

	if (!var.at || g->s->vars.n >= MAX_GLOBALS)
		return NULL;
	var.rtype = snap_dwarf_type(g->s, g->x, v->type);
	t = go_type_at(g->s->rtypes, var.rtype);
	if (!t || !t->bytes || !in_data(g->s, var.at, t->bytes))
		return NULL;
	var.root = root_of(g, var.at, t->bytes);
	var.name = snap_text(g->s->names, v->name);
	return var.name && vec_push(&g->s->vars, var) ? NULL : &err_nomem;
}

static int by_addr(const void *a, const void *b)
{
	taddr x = (*(const struct snap_root *const *)a)->addr;
	taddr y = (*(const struct snap_root *const *)b)->addr;

	return (x > y) - (x < y);
}

static struct err *learn_globals(struct snapshot *s, struct snap_dwarf *x)
{
	struct globals g = { .s = s, .x = x };
	_cleanup_(freep) const struct snap_root **roots = zalloc(s->roots.n, sizeof(*roots));

	if (!roots)
		return &err_nomem;
	for (size_t i = 0; i < s->roots.n; i++)
		if (s->roots.v[i].kind == SNAP_ROOT_GLOBAL)
			roots[g.nroots++] = &s->roots.v[i];
	qsort(roots, g.nroots, sizeof(*roots), by_addr);
	g.roots = roots;
	return dwarf_globals(x->d, see_global, &g);
}

static int by_at(const void *a, const void *b)
{
	const struct snap_var *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return strcmp(x->name, y->name);
}

static struct err *learn(struct snapshot *s, struct snap_dwarf *x)
{
	struct err *err = dwarf_index_open(x->file->fd, x->file->path, &x->d);

	if (!err)
		err = learn_globals(s, x);
	if (!err)
		err = snap_vars_frames(s, x);
	if (!err && x->nomem)
		err = &err_nomem;
	if (s->vars.n)
		qsort(s->vars.v, s->vars.n, sizeof(*s->vars.v), by_at);
	return err;
}

struct err *snap_vars_learn(struct snapshot *s)
{
	_cleanup_(dwarf_freep) struct snap_dwarf *x = NULL;
	struct err *err;

	if (s->go->debug_lack)
		snapshot_lose(s, s->go->debug_lack, 1, 0);
	if (!s->go->debug || s->dump || s->dwarf)
		return NULL;
	x = zalloc(1, sizeof(*x));
	if (!x)
		return &err_nomem;
	pthread_mutex_init(&x->lock, NULL);
	x->file = s->go->debug;
	err = learn(s, x);
	if (err_catch(&err, ERR_BAD_DATA) || err_catch(&err, ERR_UNSUPPORTED)) {
		snapshot_lose(s, "DWARF not readable: names of variables", 1, 0);
		return NULL;
	}
	if (!err)
		s->dwarf = STEAL(x);
	return err;
}

size_t snap_var_at(struct snapshot *s, taddr addr)
{
	size_t lo = 0, hi = s->vars.n;
	const struct go_type *t;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->vars.v[mid].at <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	t = lo ? go_type_at(s->rtypes, s->vars.v[lo - 1].rtype) : NULL;
	return t && addr - s->vars.v[lo - 1].at < t->bytes ? lo - 1 : SIZE_MAX;
}

struct captured {
	struct snapshot *s;
	struct snap_dwarf *x;
	VEC(struct capture) names;
	VEC(struct go_type_field) fields;
	bool untyped;
};

static struct err *see_capture(void *arg, const struct dwarf_local *v)
{
	struct captured *c = arg;
	struct capture name = { v->captured, snap_text(c->s->names, v->name) };
	struct go_type_field f = { .name = name.name, .offset = v->captured };

	for (size_t i = 0; i < c->names.n; i++)
		if (c->names.v[i].off == v->captured)
			return NULL;
	if (!name.name || c->names.n >= MAX_CAPTURES || !vec_push(&c->names, name))
		return name.name && c->names.n >= MAX_CAPTURES ? NULL : &err_nomem;
	f.type = snap_dwarf_type(c->s, c->x, v->type);
	c->untyped = c->untyped || !f.type;
	return vec_push(&c->fields, f) ? NULL : &err_nomem;
}

static int by_offset(const void *a, const void *b)
{
	uint64_t x = ((const struct go_type_field *)a)->offset;
	uint64_t y = ((const struct go_type_field *)b)->offset;

	return (x > y) - (x < y);
}

/* cmd/compile/internal/typecheck, ClosureType: struct { F uintptr; captures… }. */
static taddr closure_type(struct captured *c, taddr entry)
{
	struct go_type t = { .kind = GO_STRUCT, .pkg_path = "", .bytes = 8 };
	struct go_type_field first = { .name = "F",
				       .type = go_type_named(c->s->rtypes, "uintptr") };
	struct go_func f;

	if (c->untyped || !c->fields.n || !first.type || !vec_push(&c->fields, first) ||
	    !go_func_at(c->s->go, entry, &f))
		return 0;
	qsort(c->fields.v, c->fields.n, sizeof(*c->fields.v), by_offset);
	for (size_t i = 0; i < c->fields.n; i++) {
		const struct go_type *e = go_type_at(c->s->rtypes, c->fields.v[i].type);

		if (!e || (i && c->fields.v[i].offset < t.bytes))
			return 0;
		t.bytes = c->fields.v[i].offset + e->bytes;
		if (e->ptr_bytes)
			t.ptr_bytes = c->fields.v[i].offset + e->ptr_bytes;
	}
	t.bytes = (t.bytes + 7) & ~7ULL;
	t.name = snap_textf(c->s->names, "closure of %s", f.name);
	t.fields = c->fields.v;
	t.nfields = c->fields.n;
	return t.name ? go_type_make(c->s->rtypes, &t) : 0;
}

/* The lock is held. */
static const struct closure *closure_at(struct snapshot *s, struct snap_dwarf *x, taddr entry)
{
	struct captured c = { .s = s, .x = x };
	struct closure made = { .entry = entry };
	uint64_t at;
	struct err *err;

	if (id_map_get(&x->entries, entry, &at))
		return at ? &x->closures.v[at - 1] : NULL;
	err = dwarf_captures(x->d, go_debug_link(x->file, entry), see_capture, &c);
	if (!err && c.names.n) {
		made.rtype = closure_type(&c, entry);
		made.v = STEAL(c.names.v);
		made.n = c.names.n;
		if (!vec_push(&x->closures, made)) {
			free(made.v);
			made.n = 0;
		}
	}
	err_free(err); /* only names are lost */
	free(c.names.v);
	vec_free(&c.fields);
	(void)!id_map_put(&x->entries, entry, made.n ? x->closures.n : 0);
	return made.n ? &x->closures.v[x->closures.n - 1] : NULL;
}

const char *snap_capture_name(struct snapshot *s, taddr entry, uint64_t offset)
{
	struct snap_dwarf *x = s->dwarf;
	const char *name = "";
	const struct closure *c;

	if (!x)
		return name;
	pthread_mutex_lock(&x->lock);
	c = closure_at(s, x, entry);
	for (size_t i = 0; c && i < c->n; i++)
		if (c->v[i].off == offset)
			name = c->v[i].name;
	pthread_mutex_unlock(&x->lock);
	return name;
}

taddr snap_closure_type(struct snapshot *s, taddr entry)
{
	struct snap_dwarf *x = s->dwarf;
	const struct closure *c;
	taddr rtype;

	if (!x)
		return 0;
	pthread_mutex_lock(&x->lock);
	c = closure_at(s, x, entry);
	rtype = c ? c->rtype : 0;
	pthread_mutex_unlock(&x->lock);
	return rtype;
}
