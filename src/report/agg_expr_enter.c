/*
 * agg_expr_enter.c - what a value in hand says of the memory that it points to.
 *
 * Pointers, slices, interfaces, func values and unsafe.Pointers are entered; maps and channels are
 * not (agg_expr_cont.c).  Knows one object, no path.
 */
#include "report/agg_expr.h"

#include "goruntime/coderefs.h"
#include "snapshot/vars.h"

enum { DIRECT_MAX = 8 };

static bool read_at(const struct expr *e, taddr at, void *buf, size_t n)
{
	size_t got = 0;

	err_free(target_read_some(e->a->s->t, at, buf, n, &got));
	return got == n;
}

bool expr_own_type(const struct expr *e, uint64_t id, struct expr_place *ret)
{
	const struct snapshot *s = e->a->s;
	uint32_t number = s->type_of ? s->type_of[id] : 0;
	const struct go_span *sp = go_heap_span_of(&s->heap, id);
	const struct go_type *t;
	uint64_t bytes;

	if (!number || !sp || s->types.v[number].kind != SNAP_TYPE_RTYPE)
		return false;
	t = go_type_at(s->rtypes, s->types.v[number].rtype);
	if (!t || !t->bytes)
		return false;
	*ret = (struct expr_place){ .type = t, .n = 1, .len = 1, .how = EXPR_POINTED };
	ret->at = go_heap_address(&s->heap, id, &bytes) + go_span_header(sp);
	if (s->types.v[number].array)
		ret->n = ret->len = (bytes - go_span_header(sp)) / t->bytes;
	return true;
}

static bool enter_slice(const struct expr *e, struct expr_place *ret)
{
	const struct go_type *t = go_type_at(e->a->s->rtypes, e->type->elem);
	uint64_t w[3];

	if (!t || !t->bytes || !e->at || !read_at(e, e->at, w, sizeof(w)) || w[0] != e->to)
		return false;
	*ret = (struct expr_place){
		.type = t, .at = e->to, .n = w[2], .len = MIN(w[1], w[2]), .how = EXPR_ELEMENTS
	};
	return w[2] <= (1ULL << 46) / t->bytes;
}

static bool enter_pointer(struct expr *e, struct expr_place *ret)
{
	const struct go_type *t = go_type_at(e->a->s->rtypes, e->type->elem);

	if (!t || !t->bytes)
		return false;
	*ret = (struct expr_place){ .type = t, .at = e->to, .n = 1, .len = 1, .how = EXPR_POINTED };
	return true;
}

/* unsafe.Pointer to an object whose type is known: Go converts it. */
static bool enter_unsafe(struct expr *e, uint64_t id, struct expr_place *ret)
{
	struct str go = { 0 }, dlv = { 0 };

	if (!expr_own_type(e, id, ret) || e->to < ret->at || (e->to - ret->at) % ret->type->bytes ||
	    (e->to - ret->at) / ret->type->bytes)
		return false;
	expr_put(e, ")");
	str_put(&go, "(*");
	str_put(&dlv, "(*");
	expr_type(e->a->s->rtypes, ret->type, &go, &dlv);
	str_put(&go, ")(");
	str_put(&dlv, ")(");
	expr_wrap(&e->go, go.s ? go.s : "", "");
	expr_wrap(&e->dlv, dlv.s ? dlv.s : "", "");
	str_deinit(&go);
	str_deinit(&dlv);
	ret->n = ret->len = 1;
	e->unnamed = !expr_dlv_names(e, ret->type);
	return true;
}

/*
 * Variables lie behind the code pointer: in a struct that DWARF (since Go 1.23) or the code that
 * fills it tells of (cmd/compile/internal/typecheck, ClosureType).
 */
static bool enter_func(const struct expr *e, struct expr_place *ret)
{
	struct snapshot *s = e->a->s;
	const struct go_type *t;
	taddr entry;

	if (!read_at(e, e->to, &entry, sizeof(entry)))
		return false;
	*ret = (struct expr_place){ .at = e->to, .n = 1, .len = 1, .how = EXPR_CAPTURED };
	t = go_type_at(s->rtypes, snap_closure_type(s, entry));
	if (!t && s->code) {
		t = go_type_at(s->rtypes, go_code_closure_type(s->code, entry));
		ret->how = EXPR_CAPTURED_BLIND;
	}
	ret->type = t;
	return t && t->bytes;
}

/* What an interface value holds; NULL: not to be told. */
static const struct go_type *dynamic_type(const struct expr *e)
{
	struct go_types *ts = e->a->s->rtypes;
	taddr word0, type;

	if (!e->at || !read_at(e, e->at, &word0, sizeof(word0)))
		return NULL;
	type = go_itab_type(ts, word0);
	return go_type_at(ts, type ? type : word0);
}

static void assert_type(struct expr *e, const struct go_type *t)
{
	str_printf(&e->go, ".(%s)", t->name);
	str_put(&e->dlv, ".(data)");
}

/* A dynamic value that is one pointer lies in the interface's own second word. */
void expr_unwrap(struct expr *e)
{
	for (unsigned i = 0; i < DIRECT_MAX && e->type && e->type->kind == GO_INTERFACE; i++) {
		const struct go_type *t = dynamic_type(e), *leaf = NULL;
		_cleanup_(str_deinit) struct str path = { 0 };
		uint64_t off;

		if (!t || !t->direct_iface)
			return;
		e->at = e->word_at;
		assert_type(e, t);
		if (expr_leaf(e->a->s->rtypes, t, 0, &path, &leaf, &off) && path.n)
			expr_put(e, path.s);
		e->type = leaf;
	}
}

/* A dynamic value in a box of its own. */
static bool enter_interface(struct expr *e, struct expr_place *ret)
{
	const struct go_type *t = dynamic_type(e);

	if (!t || t->direct_iface || !t->bytes)
		return false;
	assert_type(e, t);
	*ret = (struct expr_place){ .type = t, .at = e->to, .n = 1, .len = 1, .how = EXPR_VALUE };
	return true;
}

bool expr_enter(struct expr *e, uint64_t id, struct expr_place *ret)
{
	if (e->inside && e->type) {
		*ret = (struct expr_place){
			.type = e->type, .at = e->at, .n = 1, .len = 1, .how = EXPR_VALUE
		};
		return e->type->bytes;
	}
	if (!e->type)
		return false;
	switch (e->type->kind) {
	case GO_POINTER:
		return enter_pointer(e, ret);
	case GO_SLICE:
		return enter_slice(e, ret);
	case GO_FUNC:
		return enter_func(e, ret);
	case GO_UNSAFE_POINTER:
		return enter_unsafe(e, id, ret);
	case GO_INTERFACE:
		return enter_interface(e, ret);
	default:
		return false;
	}
}
