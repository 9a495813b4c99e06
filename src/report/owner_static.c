/*
 * owner_static.c - typed memory of data and bss that typed variables lead to.
 *
 * The compiler lays composite literals out there: `var cache = &lru{}` is a pointer in one place
 * and a struct without a symbol in another.  Costs one read of each.
 */
#include "report/owner_mark.h"

#include "base/bytes.h"

enum { STEPS_MAX = 1 << 20 }; /* of all types: those that lie nest without end */
enum { STATIC_BYTES = 1 << 16, STATICS_MAX = 1 << 14, STATIC_DEPTH = 16 };

struct static_place {
	taddr at;
	const struct go_type *type;
};

struct statics {
	const struct snapshot *s;
	owner_static_fn *fn;
	void *arg;
	unsigned steps;
	VEC(struct static_place) v; /* found so far; those from done on are to be looked at */
	size_t done;
};

static bool is_static(const struct go *g, taddr at, uint64_t nbytes)
{
	for (size_t i = 0; i < g->nmodules; i++)
		if ((trange_has(g->modules[i].data, at) && nbytes <= g->modules[i].data.end - at) ||
		    (trange_has(g->modules[i].bss, at) && nbytes <= g->modules[i].bss.end - at))
			return true;
	return false;
}

static struct err *find_static(struct statics *x, taddr at, taddr type)
{
	const struct go_type *t = go_type_at(x->s->rtypes, type);

	if (!t || t->kind != GO_STRUCT || !t->bytes || t->bytes > STATIC_BYTES ||
	    x->v.n >= STATICS_MAX || !is_static(x->s->go, at, t->bytes))
		return NULL;
	for (size_t i = 0; i < x->v.n; i++)
		if (x->v.v[i].at == at && x->v.v[i].type == t)
			return NULL;
	return vec_push(&x->v, (struct static_place){ at, t }) ? NULL : &err_nomem;
}

/* Pointers in a value that lead to other static memory. */
static struct err *follow_statics(struct statics *x, const struct go_type *t, const uint8_t *mem,
				  unsigned depth)
{
	struct go_types *ts = x->s->rtypes;
	struct err *err = NULL;

	if (!t || ++x->steps > STEPS_MAX)
		return NULL;
	if (t->kind == GO_POINTER)
		return t->bytes < 8 ? NULL : find_static(x, load_u64(mem), t->elem);
	for (size_t i = 0; t->kind == GO_STRUCT && depth < STATIC_DEPTH && i < t->nfields; i++) {
		const struct go_type *f = go_type_at(ts, t->fields[i].type);

		if (f && !err && t->fields[i].offset <= t->bytes &&
		    f->bytes <= t->bytes - t->fields[i].offset)
			err = follow_statics(x, f, mem + t->fields[i].offset, depth + 1);
	}
	return err;
}

/* A value, and the structs inside it. */
static struct err *tell(struct statics *x, const struct go_type *t, taddr at, unsigned depth)
{
	struct err *err = ++x->steps > STEPS_MAX ? NULL : x->fn(x->arg, t, at);

	for (size_t i = 0; x->steps < STEPS_MAX && depth < STATIC_DEPTH && i < t->nfields && !err;
	     i++) {
		const struct go_type *f = go_type_at(x->s->rtypes, t->fields[i].type);

		if (f && f->kind == GO_STRUCT)
			err = tell(x, f, at + t->fields[i].offset, depth + 1);
	}
	return err;
}

static struct err *read_static(struct statics *x, const struct static_place *p, uint8_t *buf)
{
	struct err *err = target_read(x->s->t, p->at, buf, p->type->bytes);

	if (err_catch(&err, ERR_FAULT) || err)
		return err;
	return follow_statics(x, p->type, buf, 0);
}

static struct err *look_at_statics(struct statics *x)
{
	_cleanup_(freep) uint8_t *buf = malloc(STATIC_BYTES);
	const struct snapshot *s = x->s;
	struct err *err = NULL;

	if (!buf)
		return &err_nomem;
	for (size_t i = 0; i < s->vars.n && !err; i++) {
		struct static_place p = { s->vars.v[i].at,
					  go_type_at(s->rtypes, s->vars.v[i].rtype) };

		if (s->vars.v[i].frame == UINT32_MAX && p.type && p.type->bytes &&
		    p.type->bytes <= STATIC_BYTES)
			err = read_static(x, &p, buf);
	}
	for (; x->done < x->v.n && !err; x->done++) {
		struct static_place p = x->v.v[x->done];

		err = tell(x, p.type, p.at, 0);
		if (!err)
			err = read_static(x, &p, buf);
	}
	return err;
}

struct err *owner_statics(const struct snapshot *s, owner_static_fn *fn, void *arg)
{
	struct statics x = { .s = s, .fn = fn, .arg = arg };
	struct err *err = s->dump ? NULL : look_at_statics(&x);

	vec_free(&x.v);
	return err;
}

gnode owner_root_at(const struct snapshot *s, taddr at)
{
	for (size_t i = 0; i < s->roots.n; i++) {
		const struct snap_root *r = &s->roots.v[i];

		if (r->kind == SNAP_ROOT_GLOBAL && at - r->addr < MAX(r->bytes, 8ULL))
			return (gnode)i + 1;
	}
	return GRAPH_NONE;
}
