/*
 * learn.c - what an object is, from what the runtime left beside it.
 *
 * Sources of truth: malloc headers and span types (runtime/malloc.go), the first word of
 * interfaces (iface, eface), the code word of closures (funcval), hchan.elemtype of
 * channels that goroutines wait for, runtime.allgs.  An interface's type is believed only
 * if the object's slot is the one that mallocgc would have given it.
 */
#include "snapshot/dump.h"
#include "snapshot/typing.h"

#include "goruntime/heap_io.h"
#include "goruntime/heap_scan.h"

#include <stdio.h>

#define MAX_SMALL 32768U /* runtime/sizeclasses.go: maxSmallSize */
/* Of all goroutines together, beyond one each: a select has one a case.  Links that lie make rings.
 */
#define MORE_SUDOGS (1U << 20)

/* runtime/msize.go: roundupsize. */
uint64_t snap_slot_bytes(const struct go_layout *L, uint64_t bytes, bool noscan)
{
	uint64_t header =
		L->c_minSizeForMallocHeader > 0 ? (uint64_t)L->c_minSizeForMallocHeader : 512;

	if (!bytes || bytes > 1ULL << 46)
		return 0;
	if (bytes > MAX_SMALL - 8)
		return (bytes + GO_PAGE_BYTES - 1) & ~(uint64_t)(GO_PAGE_BYTES - 1);
	if (!noscan && bytes > header)
		bytes += 8;
	for (uint32_t i = 1; i < L->nclasses; i++) {
		if (L->class_to_size[i] >= bytes)
			return L->class_to_size[i];
	}
	return 0;
}

uint32_t snap_learn_header(struct snapshot *s, taddr rtype, uint64_t data_bytes)
{
	const struct go_type *t;

	if (s->dump)
		return snap_dump_header(s, rtype, data_bytes);
	t = go_type_at(s->rtypes, rtype);
	if (!t)
		return 0;
	return snap_number(s, t->bytes && data_bytes / t->bytes >= 2 ? FORM_ROW : FORM_ONE, rtype,
			   SNAP_RANK_HEADER);
}

uint32_t snap_learn_closure(struct snapshot *s, taddr pc)
{
	return snap_number(s, FORM_CLOSURE, pc, SNAP_RANK_WEAK);
}

static void of_value(struct snapshot *s, const struct go_type *t, struct snap_iface *ret)
{
	if (!t || !t->bytes)
		return;
	ret->noscan = !t->ptr_bytes;
	if (ret->noscan && t->bytes < 16)
		return; /* may share a block with others: the tiny allocator */
	ret->slot_bytes = snap_slot_bytes(s->go->L, t->bytes, ret->noscan);
	ret->type = snap_number(s, FORM_ONE, t->addr, SNAP_RANK_WEAK);
}

/* runtime/map.go, makemap_small; internal/runtime/maps/map.go, NewEmptyMap. */
static void of_map(struct snapshot *s, const struct go_type *t, struct snap_iface *ret)
{
	const struct go_layout *L = s->go->L;
	uint64_t bytes = t->map_flags & GO_MAP_SWISS ? L->swissmap_bytes : L->hmap_bytes;

	ret->slot_bytes = snap_slot_bytes(L, bytes, false);
	ret->type = snap_number(s, FORM_MAP, t->addr, SNAP_RANK_WEAK);
}

/* chan.go, makechan: the buffer lies behind, unless it has pointers. */
static void of_chan(struct snapshot *s, const struct go_type *e, struct snap_iface *ret)
{
	ret->noscan = !e->ptr_bytes;
	ret->slot_bytes = snap_slot_bytes(s->go->L, s->go->L->hchan_bytes, ret->noscan);
	ret->at_least = ret->noscan;
	ret->either = true; /* one without a buffer has no pointers */
	ret->type = snap_number(s, FORM_CHAN, e->addr, SNAP_RANK_WEAK);
}

void snap_learn_iface(struct snapshot *s, taddr word, struct snap_iface *ret)
{
	const struct go_type *t;
	enum typing_form form;
	taddr at = 0;

	if (s->dump) {
		snap_dump_iface(s, word, ret);
		return;
	}
	*ret = (struct snap_iface){ 0 };
	form = snap_word_form(s, word, &at);
	t = form == FORM_NONE ? NULL : go_type_at(s->rtypes, at);
	if (!t)
		return;
	if (form == FORM_ONE)
		of_value(s, t, ret);
	else if (form == FORM_MAP)
		of_map(s, t, ret);
	else if (form == FORM_CHAN)
		of_chan(s, t, ret);
}

/* As typing_number.c numbers their names. */
enum { NAMED_G, NAMED_SUDOG, NAMED_M };

/* Object that begins at addr is a runtime struct. */
static void named(struct snapshot *s, taddr addr, unsigned which)
{
	uint64_t id = go_heap_object_at(&s->heap, addr);
	const struct go_span *span;

	if (id == GO_NO_OBJECT || !snapshot_is_object(s, id))
		return;
	span = go_heap_span_at(&s->heap, addr);
	if (addr != span->base + (id - span->first) * span->elem_bytes + go_span_header(span))
		return;
	snap_type_set(s, id, snap_number(s, FORM_RUNTIME, which, SNAP_RANK_RUNTIME));
}

/* chan.go: hchan.elemtype of the channel that a sudog waits for. */
static struct err *waited_chan(struct snapshot *s, struct go_io *io, taddr chan)
{
	const struct go_layout *L = s->go->L;
	uint64_t id = go_heap_object_at(&s->heap, chan);
	const struct go_span *span;
	taddr elem;
	struct err *err;

	if (id == GO_NO_OBJECT || !snapshot_is_object(s, id) || !go_has(L->hchan_elemtype))
		return NULL;
	span = go_heap_span_at(&s->heap, chan);
	if (span->elem_bytes < L->hchan_bytes ||
	    chan != span->base + (id - span->first) * span->elem_bytes)
		return NULL;
	err = go_io_read(io, chan + (uint64_t)L->hchan_elemtype.off, &elem, sizeof(elem));
	if (!err)
		snap_type_set(s, id, snap_number(s, FORM_CHAN, elem, SNAP_RANK_FLOW));
	return err;
}

/*
 * runtime2.go, g.waiting: the sudogs of one goroutine by waitlink.  In a semaphore's queue the
 * same link leads on to other goroutines (sema.go, semaRoot): theirs are read with them.
 */
static struct err *sudogs(struct snapshot *s, struct go_io *io, taddr g, taddr at, uint64_t *left)
{
	const struct go_layout *L = s->go->L;
	uint8_t image[512];
	struct err *err = NULL;

	if (!L->sudog_bytes || L->sudog_bytes > sizeof(image))
		return NULL;
	for (; at && *left && !err; (*left)--) {
		err = go_io_read(io, at, image, L->sudog_bytes);
		if (err || go_get(image, L->sudog_g) != g)
			break;
		named(s, at, NAMED_SUDOG);
		/* A maybeTraceablePtr and the like: the pointer is its last word (1.25+: two words)
		 */
		err = waited_chan(s, io, go_word(image, L->sudog_c, L->sudog_c.bytes > 8 ? 1 : 0));
		at = go_get(image, L->sudog_waitlink);
	}
	return err;
}

struct err *snap_learn_runtime(struct snapshot *s)
{
	/* A system call for each sudog and channel of 10,000 goroutines costs as much as the pass
	 * over a million objects. */
	_cleanup_(go_io_deinit) struct go_io io = { 0 };
	struct err *err = go_io_init_sparse(&io, s->go);
	uint64_t left = s->stacks.gs.n + MORE_SUDOGS;

	for (size_t i = 0; i < s->stacks.gs.n && !err; i++) {
		const struct go_goroutine *gr = &s->stacks.gs.v[i];

		named(s, gr->g, NAMED_G);
		if (gr->m)
			named(s, gr->m, NAMED_M);
		err = sudogs(s, &io, gr->g, gr->waiting, &left);
		err_catch(&err, ERR_FAULT); /* only a name is lost */
	}
	return err;
}
