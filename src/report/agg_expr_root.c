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
	uint64_t bytes = 0;
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

		if (!t || at - v->at >= t->bytes || v->frame != frame)
			continue;
		/* what code tells of a global may overlap: parts, and the whole */
		if (!best || v->rank > best->rank || (v->rank == best->rank && t->bytes > bytes)) {
			best = v;
			bytes = t->bytes;
		}
	}
	return best;
}

/* What holds the root's pointer, and where in it. */
struct origin {
	const char *name;
	const struct snap_var *var; /* NULL: it is none that is believed */
	struct str path;
	const struct go_type *leaf;
	taddr at; /* of the leaf */
};

static void origin_deinit(struct origin *o)
{
	str_deinit(&o->path);
}

/* The value that v's word at slot sl is part of; of a variable in pieces v is one of them. */
static bool leaf_of_var(const struct expr *e, const struct snap_var *v, const struct snap_slot *sl,
			struct origin *o)
{
	struct go_types *ts = e->a->s->rtypes;
	const struct go_type *t = go_type_at(ts, v->rtype);
	struct snap_local l;
	uint64_t off = 0;

	if (!t)
		return false;
	if (v->frame != UINT32_MAX && *v->name != '&' &&
	    snap_local_at(e->a->s, v->frame, sl->at, &l) && l.type && !strcmp(l.name, v->name) &&
	    l.type->bytes != t->bytes) {
		if (!expr_leaf(ts, l.type, l.off, &o->path, &o->leaf, &off))
			return false;
		o->at = sl->at - (l.off - off);
		return true;
	}
	if (!expr_leaf(ts, t, sl->at - v->at, &o->path, &o->leaf, &off))
		return false;
	o->at = v->at + off;
	return true;
}

/* The frame's number as dlv counts them: inlined calls are frames of their own. */
static unsigned frame_number(const struct expr *e, const struct go_goroutine *gr,
			     const struct snap_slot *sl)
{
	const struct go_stacks *st = &e->a->s->stacks;
	struct go_line lines[64];
	struct snap_local l;
	unsigned n = 0;

	for (size_t i = gr->first_frame; i < st->frames.n && i <= sl->frame; i++) {
		size_t k = go_lines_at(e->a->s->go, go_frame_line_pc(&st->frames.v[i]), lines,
				       ARRAY_LEN(lines));

		if (i == sl->frame && snap_local_at(e->a->s, sl->frame, sl->at, &l))
			for (size_t in = 0; in + 1 < k; in++)
				if (!strcmp(lines[in].function, l.function))
					return n + (unsigned)in;
		n += k ? (unsigned)k : 1;
	}
	return n ? n - 1 : 0;
}

/* A value that is one word, in a variable that lies in pieces here and there. */
static bool origin_in_pieces(const struct expr *e, const struct snap_slot *sl, struct origin *o)
{
	struct snap_local l;
	uint64_t off;

	if (!snap_local_at(e->a->s, sl->frame, sl->at, &l) || !l.type ||
	    !expr_leaf(e->a->s->rtypes, l.type, l.off, &o->path, &o->leaf, &off) ||
	    o->leaf->bytes != 8 || off != l.off)
		return false;
	o->name = l.name;
	o->at = sl->at;
	return true;
}

static bool find_origin(const struct expr *e, const struct snap_slot *sl, struct origin *o)
{
	const struct snap_var *v = sl->at ? var_at(e, sl->at, sl->frame) : NULL;

	if (!v || !v->name)
		return sl->at && sl->frame != UINT32_MAX && origin_in_pieces(e, sl, o);
	o->name = v->name;
	o->var = v;
	return leaf_of_var(e, v, sl, o);
}

static bool put_local(struct expr *e, const char *name)
{
	const char *bare = *name == '&' ? name + 1 : name;

	if (!expr_identifier(bare, strlen(bare)))
		return false;
	expr_put(e, name);
	return true;
}

/* Why dlv does not evaluate a local by its name; NULL: it does. */
static const char *why_local(const struct expr *e, const struct go_goroutine *gr,
			     const struct snap_slot *sl)
{
	struct snap_local l;

	/* it counts frames from the thread's registers, we from where the call was entered */
	if (!strcmp(go_status_name(gr->status), "syscall"))
		return "a local of a goroutine in a system call";
	if (snap_local_at(e->a->s, sl->frame, sl->at, &l) && l.ends)
		return "a local that ends at the call";
	return NULL;
}

/* A global without a symbol, whose type the code told: by address. */
static bool put_unnamed(struct expr *e, const struct origin *o)
{
	const struct go_type *t = o->var ? go_type_at(e->a->s->rtypes, o->var->rtype) : NULL;

	/* shapes and closures have no name that source could say */
	if (!t || !e->a->s->code || strstr(t->name, "go.shape.") ||
	    strstr(t->name, "{ F uintptr") || strstr(t->name, "{ .F uintptr"))
		return false;
	expr_restart(e, t, o->var->at, "a global without a symbol");
	if (!o->path.n) {
		expr_wrap(&e->go, "(*", ")");
		expr_wrap(&e->dlv, "(*", ")");
	}
	return true;
}

/* The root's variable holds the pointer at slot sl. */
static bool begin_var(struct expr *e, const struct snap_root *r, const struct snap_slot *sl)
{
	const struct snapshot *s = e->a->s;
	_cleanup_(origin_deinit) struct origin o = { 0 };
	const char *why = NULL;

	if (!find_origin(e, sl, &o))
		return false;
	if (r->kind == SNAP_ROOT_GOROUTINE && r->goroutine < s->stacks.gs.n) {
		const struct go_goroutine *gr = &s->stacks.gs.v[r->goroutine];

		if (!put_local(e, o.name))
			return false;
		why = why_local(e, gr, sl);
		e->goroutine = gr->id;
		e->frame = frame_number(e, gr, sl);
	} else if (!expr_global(o.name, &e->go, &e->dlv) && !put_unnamed(e, &o)) {
		return false;
	}
	if (o.path.n)
		expr_put(e, o.path.s);
	e->var = o.name;
	e->field = keepf(&e->a->keep, "%s", o.path.n ? o.path.s : "");
	e->type = o.leaf;
	e->at = o.at;
	e->word_at = sl->at;
	e->to = sl->value;
	if (why) {
		expr_dlv_at(e, e->type, e->at, "");
		e->unsaid++;
		e->last_unsaid = why;
	}
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
