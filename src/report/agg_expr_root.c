/*
 * agg_expr_root.c - where an expression begins: a global, a local of a frame, an address.
 */
#include "report/agg_expr.h"

#include "snapshot/vars.h"

enum { VARS_BACK = 64 };

/* The variable that address lies in; frame UINT32_MAX: a global. */
static const struct snap_var *var_at(const struct expr *e, taddr at, uint32_t frame)
{
	const struct snapshot *s = e->a->s;
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

		if (t && at - v->at < t->bytes && v->frame == frame &&
		    (!best || v->rank > best->rank))
			best = v;
	}
	return best;
}

/* The frame's number as dlv counts them: inlined calls are frames of their own. */
static unsigned frame_number(const struct expr *e, const struct go_goroutine *gr, uint32_t frame)
{
	const struct go_stacks *st = &e->a->s->stacks;
	struct go_line lines[64];
	unsigned n = 0;

	for (size_t i = gr->first_frame; i < st->frames.n && i <= frame; i++) {
		size_t k = go_lines_at(e->a->s->go, go_frame_line_pc(&st->frames.v[i]), lines,
				       ARRAY_LEN(lines));

		n += k ? (unsigned)k : 1;
	}
	return n ? n - 1 : 0;
}

static bool put_local(struct expr *e, const struct snap_var *v)
{
	const char *name = *v->name == '&' ? v->name + 1 : v->name;

	if (!expr_identifier(name, strlen(name)))
		return false;
	expr_put(e, v->name);
	return true;
}

/* The value that v's word at slot sl is part of; of a variable in pieces v is one of them. */
static bool leaf_of_var(const struct expr *e, const struct snap_var *v, const struct snap_slot *sl,
			struct str *path, const struct go_type **leaf, uint64_t *off)
{
	const struct go_type *t = go_type_at(e->a->s->rtypes, v->rtype);
	uint64_t before = sl->at - v->at;
	struct snap_local l;

	if (v->frame != UINT32_MAX && *v->name != '&' &&
	    snap_local_at(e->a->s, v->frame, sl->at, &l) && l.type && !strcmp(l.name, v->name) &&
	    l.type->bytes != t->bytes) {
		if (!expr_leaf(e->a->s->rtypes, l.type, l.off, path, leaf, off))
			return false;
		*off = sl->at - (l.off - *off) - v->at; /* of the leaf's part in this piece */
		return true;
	}
	return expr_leaf(e->a->s->rtypes, t, before, path, leaf, off);
}

/* The root's variable holds the pointer at slot sl. */
static bool begin_var(struct expr *e, const struct snap_root *r, const struct snap_slot *sl)
{
	const struct snapshot *s = e->a->s;
	const struct snap_var *v = sl->at ? var_at(e, sl->at, sl->frame) : NULL;
	_cleanup_(str_deinit) struct str path = { 0 };
	const struct go_type *leaf;
	uint64_t off;

	if (!v || !v->name || !leaf_of_var(e, v, sl, &path, &leaf, &off))
		return false;
	if (r->kind == SNAP_ROOT_GOROUTINE && r->goroutine < s->stacks.gs.n) {
		const struct go_goroutine *gr = &s->stacks.gs.v[r->goroutine];

		if (!put_local(e, v))
			return false;
		e->goroutine = gr->id;
		e->frame = frame_number(e, gr, sl->frame);
	} else if (!expr_global(v->name, &e->go, &e->dlv)) {
		return false;
	}
	if (path.n)
		expr_put(e, path.s);
	e->var = v->name;
	e->field = keepf(&e->a->keep, "%s", path.n ? path.s : "");
	e->type = leaf;
	e->at = v->at + off;
	e->word_at = sl->at;
	e->to = sl->value;
	return true;
}

static const char *why_root(const struct snap_root *r, const struct snap_slot *sl)
{
	if (r->kind == SNAP_ROOT_GLOBAL)
		return "a global of unknown type";
	if (r->kind != SNAP_ROOT_GOROUTINE)
		return "a table of the runtime";
	if (sl->flags & (GO_SLOT_REGISTER | GO_SLOT_DEFER | GO_SLOT_PANIC | GO_SLOT_G))
		return "no variable of a goroutine";
	return "a stack slot without a name";
}

struct err *expr_begin(struct expr *e, gnode root, uint64_t next)
{
	const struct snapshot *s = e->a->s;
	const struct snap_root *r = &s->roots.v[root - 1];
	const struct snap_slot *first = NULL;

	e->field = e->frame_of = e->var = e->what = e->key = "";
	for (uint64_t i = r->first_slot; i < r->first_slot + r->nslots && i < s->slots.n; i++) {
		const struct snap_slot *sl = &s->slots.v[i];

		if (sl->object != next)
			continue;
		if (begin_var(e, r, sl))
			return NULL;
		first = first ? first : sl;
	}
	e->to = first ? first->value : go_heap_address(&s->heap, next, NULL);
	e->word_at = e->at = first ? first->at : 0;
	expr_restart(e, NULL, e->word_at ? e->word_at : e->to,
		     first ? why_root(r, first) : "no pointer was found there");
	if (e->word_at) {
		expr_wrap(&e->go, "*", "");
		expr_wrap(&e->dlv, "*", "");
	}
	return e->go.bad || e->dlv.bad ? &err_nomem : NULL;
}
