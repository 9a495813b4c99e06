/*
 * typing_pairs.c - interfaces on stacks and in globals of unknown type.
 *
 * A pointer root with a word before it that is an itab or a type: most likely an interface.  Not
 * where the collector takes that word for a pointer too, as it does a *rtype or the second word of
 * a reflect.Type: of an interface it looks at the second word alone (cmd/compile/internal/types:
 * PtrDataSize, reflectdata: dgcptrmask).
 * Cost: one pass over the roots, sorted once.
 */
#include "snapshot/typing.h"

#include "goruntime/heap_io.h"

struct words {
	taddr *v;
	size_t n;
};

static void words_deinit(struct words *x)
{
	free(x->v);
}

static int by_value(const void *a, const void *b)
{
	const taddr *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* All pointer words of data and bss that are not zero, ascending. */
static struct err *words_init(struct words *x, const struct go_heap *h)
{
	x->v = zalloc(h->roots.n + 1, sizeof(*x->v));
	if (!x->v)
		return &err_nomem;
	for (size_t i = 0; i < h->roots.n; i++)
		x->v[x->n++] = h->roots.v[i].at;
	qsort(x->v, x->n, sizeof(*x->v), by_value);
	return NULL;
}

static bool is_pointer(const struct words *x, taddr at)
{
	return bsearch(&at, x->v, x->n, sizeof(at), by_value);
}

/* Not in the heap (iface.go, getitab: persistentalloc); most words on a stack lead there. */
static bool is_itab(const struct snapshot *s, taddr word)
{
	const struct target_region *r;

	if (!word || (word & 7) || trange_has(s->heap.bounds, word))
		return false;
	r = target_region_at(s->t, word);
	return r && (r->prot & REGION_READ) && go_itab_type(s->rtypes, word);
}

struct err *typing_pairs(struct typing *t)
{
	_cleanup_(go_io_deinit) struct go_io io = { 0 };
	_cleanup_(words_deinit) struct words pointers = { 0 };
	struct typing_worker *w = t->workers[0];
	struct err *err = words_init(&pointers, &t->s->heap);

	if (!err)
		err = go_io_init(&io, t->s->go);
	w->rank = SNAP_RANK_WEAK;
	w->stack_max = 0;
	for (size_t i = 0; i < t->s->slots.n && !err; i++) {
		const struct snap_slot *slot = &t->s->slots.v[i];
		uint64_t words[3];

		if (slot->at < 16 || (slot->at & 7) || slot->object == GO_NO_OBJECT ||
		    is_pointer(&pointers, slot->at - 8))
			continue;
		err = go_io_read(&io, slot->at - 16, words, sizeof(words));
		if (err_catch(&err, ERR_FAULT) || err || words[2] != slot->value)
			continue;
		if (!is_itab(t->s, words[0]))
			typing_expand_iface(w, words[1], words[2]);
	}
	typing_flush(w);
	return err;
}
