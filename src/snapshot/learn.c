/*
 * learn.c - what an object is, from what the runtime left beside it.
 *
 * Sources of truth: malloc headers and span types (runtime/malloc.go), the first word of
 * interfaces (iface, eface), the code word of closures (funcval), hchan.elemtype of
 * channels that goroutines wait for, runtime.allgs.  An interface's type is believed only
 * if the object's slot is the one that mallocgc would have given it.
 */
#include "snapshot/dump.h"

#include "goruntime/heap_io.h"
#include "goruntime/heap_scan.h"

#include <stdio.h>

enum { KEY_ONE, KEY_ROW, KEY_CLOSURE, KEY_CHAN, KEY_MAP, KEY_NAME };

#define MAX_SMALL	 32768U /* runtime/sizeclasses.go: maxSmallSize */
#define MAX_DIRECT_DEPTH 16
#define MAX_SUDOGS	 65536

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

/* "main.Session"; the package path is not part of it. */
static bool make_rtype(struct snapshot *s, struct snap_type_key key, struct snap_type *ret)
{
	const struct go_type *t = go_type_at(s->rtypes, key.at);

	if (!t)
		return false;
	*ret = (struct snap_type){
		.kind = SNAP_TYPE_RTYPE,
		.rank = SNAP_RANK_WEAK,
		.array = key.what == KEY_ROW,
		.rtype = t->addr,
		.bytes = t->bytes,
	};
	ret->name = ret->array ? snap_textf(s->names, "[...]%s", t->name)
			       : snap_text(s->names, t->name);
	return true;
}

static uint32_t rtype_number(struct snapshot *s, taddr rtype, uint32_t key)
{
	return snap_type_number(s, (struct snap_type_key){ rtype, key }, make_rtype);
}

uint32_t snap_learn_header(struct snapshot *s, taddr rtype, uint64_t data_bytes)
{
	const struct go_type *t;

	if (s->dump)
		return snap_dump_header(s, rtype, data_bytes);
	t = go_type_at(s->rtypes, rtype);
	if (!t)
		return 0;
	return rtype_number(s, rtype, t->bytes && data_bytes / t->bytes >= 2 ? KEY_ROW : KEY_ONE);
}

static bool make_closure(struct snapshot *s, struct snap_type_key key, struct snap_type *ret)
{
	struct go_func f;

	if (!go_func_at(s->go, key.at, &f) || f.entry != key.at)
		return false;
	*ret = (struct snap_type){ .kind = SNAP_TYPE_CLOSURE, .rank = SNAP_RANK_WEAK };
	ret->name = snap_textf(s->names, "closure of %s", f.name);
	return true;
}

uint32_t snap_learn_closure(struct snapshot *s, taddr pc)
{
	return snap_type_number(s, (struct snap_type_key){ pc, KEY_CLOSURE }, make_closure);
}

static bool make_chan(struct snapshot *s, struct snap_type_key key, struct snap_type *ret)
{
	const struct go_type *t = go_type_at(s->rtypes, key.at);

	if (!t)
		return false;
	*ret = (struct snap_type){ .kind = SNAP_TYPE_CHAN,
				   .rank = SNAP_RANK_RUNTIME,
				   .rtype = t->addr };
	ret->name = snap_textf(s->names, "chan %s", t->name);
	return true;
}

static uint32_t chan_number(struct snapshot *s, taddr elem)
{
	return snap_type_number(s, (struct snap_type_key){ elem, KEY_CHAN }, make_chan);
}

static bool make_map(struct snapshot *s, struct snap_type_key key, struct snap_type *ret)
{
	const struct go_type *t = go_type_at(s->rtypes, key.at);

	if (!t)
		return false;
	*ret = (struct snap_type){ .kind = SNAP_TYPE_OTHER,
				   .rank = SNAP_RANK_WEAK,
				   .rtype = t->addr };
	ret->name = snap_text(s->names, t->name);
	return true;
}

/* The type that a direct interface word points to, through one-field structs and arrays. */
static const struct go_type *direct_of(struct snapshot *s, const struct go_type *t)
{
	for (unsigned i = 0; t && i < MAX_DIRECT_DEPTH; i++) {
		taddr next = 0;

		if (t->kind == GO_ARRAY && t->len == 1)
			next = t->elem;
		else if (t->kind == GO_STRUCT)
			for (size_t k = 0; k < t->nfields && !next; k++) {
				const struct go_type *f = go_type_at(s->rtypes, t->fields[k].type);

				next = f && f->bytes ? f->addr : 0;
			}
		else
			return t;
		t = go_type_at(s->rtypes, next);
	}
	return NULL;
}

static void of_value(struct snapshot *s, const struct go_type *t, struct snap_iface *ret)
{
	if (!t || !t->bytes)
		return;
	ret->noscan = !t->ptr_bytes;
	if (ret->noscan && t->bytes < 16)
		return; /* may share a block with others: the tiny allocator */
	ret->slot_bytes = snap_slot_bytes(s->go->L, t->bytes, ret->noscan);
	ret->type = rtype_number(s, t->addr, KEY_ONE);
}

static void of_direct(struct snapshot *s, const struct go_type *t, struct snap_iface *ret)
{
	const struct go_type *e;

	t = direct_of(s, t);
	if (!t)
		return;
	switch (t->kind) {
	case GO_POINTER:
		of_value(s, go_type_at(s->rtypes, t->elem), ret);
		return;
	case GO_MAP:
		ret->slot_bytes = 48; /* runtime.hmap and internal/runtime/maps.Map */
		ret->type =
			snap_type_number(s, (struct snap_type_key){ t->addr, KEY_MAP }, make_map);
		return;
	case GO_CHAN: /* chan.go, makechan: the buffer lies behind, unless it has pointers */
		e = go_type_at(s->rtypes, t->elem);
		if (!e)
			return;
		ret->noscan = !e->ptr_bytes;
		ret->slot_bytes = snap_slot_bytes(s->go->L, s->go->L->hchan_bytes, ret->noscan);
		ret->at_least = ret->noscan;
		ret->type = chan_number(s, e->addr);
		return;
	default:
		return;
	}
}

void snap_learn_iface(struct snapshot *s, taddr word, struct snap_iface *ret)
{
	const struct target_region *r = target_region_at(s->t, word);
	const struct go_type *t = NULL;
	taddr itab_type;

	if (s->dump) {
		snap_dump_iface(s, word, ret);
		return;
	}
	*ret = (struct snap_iface){ 0 };
	if (!r || !(r->prot & REGION_READ) || trange_has(s->heap.bounds, word))
		return;
	itab_type = go_itab_type(s->rtypes, word);
	if (itab_type)
		t = go_type_at(s->rtypes, itab_type);
	else if (go_type_maybe(s->go, word))
		t = go_type_at(s->rtypes, word);
	if (!t)
		return;
	if (t->direct_iface)
		of_direct(s, t, ret);
	else
		of_value(s, t, ret);
}

static bool make_named(struct snapshot *s, struct snap_type_key key, struct snap_type *ret)
{
	static const char *const names[] = { "runtime.g", "runtime.sudog", "runtime.m" };

	*ret = (struct snap_type){ .kind = SNAP_TYPE_OTHER, .rank = SNAP_RANK_RUNTIME };
	ret->name = snap_text(s->names, names[key.at]);
	return true;
}

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
	snap_type_set(s, id,
		      snap_type_number(s, (struct snap_type_key){ which, KEY_NAME }, make_named));
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
		snap_type_set(s, id, chan_number(s, elem));
	return err;
}

/*
 * runtime2.go, g.waiting: the sudogs of one goroutine by waitlink.  In a semaphore's queue the
 * same link leads on to other goroutines (sema.go, semaRoot): theirs are read with them.
 */
static struct err *sudogs(struct snapshot *s, struct go_io *io, taddr g, taddr at)
{
	const struct go_layout *L = s->go->L;
	uint8_t image[512];
	struct err *err = NULL;

	if (!L->sudog_bytes || L->sudog_bytes > sizeof(image))
		return NULL;
	for (unsigned i = 0; at && i < MAX_SUDOGS && !err; i++) {
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
	struct err *err = go_io_init(&io, s->go);

	for (size_t i = 0; i < s->stacks.gs.n && !err; i++) {
		const struct go_goroutine *gr = &s->stacks.gs.v[i];

		named(s, gr->g, NAMED_G);
		if (gr->m)
			named(s, gr->m, NAMED_M);
		err = sudogs(s, &io, gr->g, gr->waiting);
		err_catch(&err, ERR_FAULT); /* only a name is lost */
	}
	return err;
}
