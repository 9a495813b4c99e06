/*
 * coderefs_allocs.c - which calls of the runtime's allocators there are, by type.
 *
 * Found by coderefs_calls.c on the way; here they are put in order and looked up.  Knows nothing of
 * objects.  Cost: 24 bytes a call, one sort.
 */
#include "goruntime/coderefs_priv.h"

#define MAX_ALLOCS (1U << 24)

struct err *code_alloc(struct code_worker *w, taddr pc, taddr type, enum go_code_make how)
{
	const struct go *g = w->c->g;
	const struct go_module *m = type ? go_module_of_text(g, pc) : NULL;
	struct go_code_alloc x = { .rtype = type, .how = (uint8_t)how };

	if (!m || pc - m->text.start > UINT32_MAX || w->allocs.n >= MAX_ALLOCS)
		return NULL;
	x.pc_off = (uint32_t)(pc - m->text.start);
	x.module = (uint8_t)(m - g->modules);
	return vec_push(&w->allocs, x) ? NULL : &err_nomem;
}

static int by_type(const void *a, const void *b)
{
	const struct go_code_alloc *x = a, *y = b;

	if (x->rtype != y->rtype)
		return x->rtype < y->rtype ? -1 : 1;
	if (x->module != y->module)
		return x->module < y->module ? -1 : 1;
	return (x->pc_off > y->pc_off) - (x->pc_off < y->pc_off);
}

struct err *code_allocs_gather(struct go_code *c, const struct code_worker *ws, unsigned n)
{
	size_t all = 0;

	for (unsigned i = 0; i < n; i++)
		all += ws[i].allocs.n;
	if (!vec_reserve(&c->allocs, all + 1))
		return &err_nomem;
	for (unsigned i = 0; i < n; i++) {
		if (ws[i].allocs.n)
			memcpy(c->allocs.v + c->allocs.n, ws[i].allocs.v,
			       ws[i].allocs.n * sizeof(*c->allocs.v));
		c->allocs.n += ws[i].allocs.n;
	}
	if (c->allocs.n)
		qsort(c->allocs.v, c->allocs.n, sizeof(*c->allocs.v), by_type);
	return NULL;
}

const struct go_code_alloc *go_code_allocs(const struct go_code *c, size_t *ret_n)
{
	*ret_n = c->allocs.n;
	return c->allocs.v;
}

/* Index of the first one whose type is not below. */
static size_t first_of(const struct go_code *c, taddr rtype)
{
	size_t lo = 0, hi = c->allocs.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->allocs.v[mid].rtype < rtype)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct go_code_alloc *go_code_allocs_of(const struct go_code *c, taddr rtype, size_t *ret_n)
{
	size_t lo = first_of(c, rtype);

	*ret_n = rtype ? first_of(c, rtype + 1) - lo : 0;
	return c->allocs.v + lo;
}

taddr go_code_alloc_pc(const struct go_code *c, const struct go_code_alloc *x)
{
	return c->g->modules[x->module].text.start + x->pc_off;
}
