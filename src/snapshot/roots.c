/*
 * roots.c - the collector's roots, one per thing that a person can name.
 *
 * A root is a global variable (by symbol where there is one, else a pointer word by its
 * place in the section), a goroutine with all its frames, a special of an object, a queue.
 * Knows nothing of Go versions.
 */
#include "snapshot/names.h"

#include "elf/symbols.h"
#include "goruntime/heap_scan.h"

#include <stdio.h>

static struct err *push_root(struct snapshot *s, const struct snap_root *r)
{
	struct snap_root x = *r;

	x.first_slot = s->slots.n;
	if (!x.name)
		return &err_nomem;
	return vec_push(&s->roots, x) ? NULL : &err_nomem;
}

/* One more slot of the last root. */
static struct err *push_slot(struct snapshot *s, const struct snap_slot *slot)
{
	if (!vec_push(&s->slots, *slot))
		return &err_nomem;
	s->roots.v[s->roots.n - 1].nslots++;
	return NULL;
}

/* A pointer word; one that leads nowhere is left out. */
static struct err *push_word(struct snapshot *s, taddr at, taddr value)
{
	struct snap_slot slot = {
		.at = at,
		.value = value,
		.object = go_heap_object_at(&s->heap, value),
		.frame = UINT32_MAX,
	};

	return slot.object == GO_NO_OBJECT ? NULL : push_slot(s, &slot);
}

static const char *section_name(struct snapshot *s, const struct go_root_word *w)
{
	const struct go_module *m = &s->go->modules[w->module];
	const struct trange *r = w->kind == GO_ROOT_BSS ? &m->bss : &m->data;
	const char *what = w->kind == GO_ROOT_BSS ? "bss" : "data";

	return snap_place_name(s->names, w->module, what, w->at - r->start);
}

/* The variable that holds the word: by symbol, else the word itself; code.c may name it better. */
static void variable_of(struct snapshot *s, const struct go_root_word *w, struct snap_root *ret)
{
	const struct elf_symbol *sym = elf_symbol_at(s->go->symbols, w->at);

	*ret = (struct snap_root){
		.kind = SNAP_ROOT_GLOBAL,
		.module = w->module,
		.goroutine = UINT32_MAX,
		.addr = sym ? sym->addr : w->at,
		.bytes = sym ? sym->bytes : 8,
		.place = sym ? NULL : section_name(s, w),
	};
	ret->name = sym ? snap_text(s->names, sym->name) : ret->place;
}

static struct err *add_globals(struct snapshot *s)
{
	taddr end = 0;
	struct err *err = NULL;

	for (size_t i = 0; i < s->heap.roots.n && !err; i++) {
		const struct go_root_word *w = &s->heap.roots.v[i];
		struct snap_root r;

		if (w->kind != GO_ROOT_DATA && w->kind != GO_ROOT_BSS)
			continue;
		if (go_heap_object_at(&s->heap, w->value) == GO_NO_OBJECT)
			continue;
		if (w->at >= end || !s->roots.n || w->at < s->roots.v[s->roots.n - 1].addr) {
			variable_of(s, w, &r);
			end = r.addr + r.bytes;
			err = push_root(s, &r);
		}
		if (!err)
			err = push_word(s, w->at, w->value);
	}
	return err;
}

static struct err *add_queue(struct snapshot *s, uint8_t from, uint8_t kind, const char *name)
{
	struct snap_root r = { .kind = kind, .goroutine = UINT32_MAX, .name = name };
	bool begun = false;
	struct err *err = NULL;

	for (size_t i = 0; i < s->heap.roots.n && !err; i++) {
		const struct go_root_word *w = &s->heap.roots.v[i];

		if (w->kind != from)
			continue;
		if (!begun) {
			r.addr = w->at;
			err = push_root(s, &r);
			begun = true;
		}
		if (!err)
			err = push_word(s, w->at, w->value);
	}
	return err;
}

/* "main.worker": where the goroutine began, without the runtime's own first frames. */
static const char *began_in(const struct snapshot *s, const struct go_goroutine *g)
{
	struct go_func f;

	if (!go_func_at(s->go, g->start_pc, &f))
		return g->system ? "runtime" : "?";
	return strcmp(f.name, "runtime.main") ? f.name : "main.main";
}

static struct err *add_goroutine(struct snapshot *s, size_t i)
{
	const struct go_goroutine *g = &s->stacks.gs.v[i];
	size_t lo = s->stacks.slot_first.v[i], hi = s->stacks.slot_first.v[i + 1];
	struct snap_root r = {
		.kind = SNAP_ROOT_GOROUTINE,
		.goroutine = (uint32_t)i,
		.addr = g->g,
		.bytes = trange_bytes((struct trange){ g->stack_lo, g->stack_hi }),
	};
	struct err *err;

	if (g->dead && lo == hi)
		return NULL;
	r.name = snap_textf(s->names, "goroutine %" PRIu64 " %s", g->id, began_in(s, g));
	err = push_root(s, &r);
	for (size_t k = lo; k < hi && !err; k++) {
		const struct go_slot *from = &s->stacks.slots.v[k];
		struct snap_slot slot = {
			.at = from->at,
			.value = from->value,
			.object = go_heap_object_at(&s->heap, from->value),
			.frame = from->frame,
			.flags = from->flags,
		};

		if (slot.object == GO_NO_OBJECT)
			continue;
		/*
		 * mgcmark.go, scanConservative: free slots are no pointers.  Nor are they where a
		 * thread was stopped inside mallocgc, which the collector never sees.
		 */
		if (((slot.flags & GO_SLOT_CONSERVATIVE) || g->thread) &&
		    !snapshot_is_object(s, slot.object))
			continue;
		err = push_slot(s, &slot);
	}
	return err;
}

/* Name of the function behind a *funcval. */
static const char *function_of(const struct snapshot *s, taddr funcval)
{
	struct go_func f;
	taddr pc;
	struct err *err = go_read_u64(s->go, funcval, &pc);

	if (err) {
		err_free(err);
		return "?";
	}
	return go_func_at(s->go, pc, &f) ? f.name : "?";
}

/* mgcwork.go, maxObletBytes: of larger objects the collector scans one such piece at a time. */
#define OBLET_BYTES (128U << 10)

struct finalized {
	struct snapshot *s;
	taddr base;
	uint64_t bytes;
};

static struct err *no_object(void *arg, uint64_t id, taddr type, uint64_t word0)
{
	(void)arg;
	(void)id;
	(void)type;
	(void)word0;
	return NULL;
}

/*
 * scanObject: "filter out nil and pointers back to the current object".  An object that points at
 * itself, or an oblet into itself, is not kept by that, and its finalizer runs.
 */
static bool points_back(const struct finalized *f, uint64_t at, taddr value)
{
	uint64_t start = f->bytes > OBLET_BYTES ? at / OBLET_BYTES * OBLET_BYTES : 0;
	uint64_t n =
		f->bytes > OBLET_BYTES ? MIN(f->bytes - start, (uint64_t)OBLET_BYTES) : f->bytes;

	return value - (f->base + start) < n;
}

static struct err *its_pointer(void *arg, uint64_t id, uint64_t at, taddr value, uint64_t before)
{
	struct finalized *f = arg;

	(void)id;
	(void)before;
	return points_back(f, at, value) ? NULL : push_word(f->s, f->base + at, value);
}

static void its_loss(void *arg, taddr addr, uint64_t nbytes)
{
	struct finalized *f = arg;

	(void)addr;
	snapshot_lose(f->s, "objects with finalizers not readable", 1, nbytes);
}

/* mgcmark.go, gcScanFinalizer: what the object points to lives, not the object itself. */
static struct err *scan_finalized(struct snapshot *s, struct go_scanner *sc, taddr object)
{
	static const struct go_scan_ops ops = { no_object, its_pointer, its_loss, NULL };
	struct finalized f = { s, object, 0 };
	uint64_t id = go_heap_object_at(&s->heap, object);

	if (id != GO_NO_OBJECT)
		go_heap_address(&s->heap, id, &f.bytes);

	return id == GO_NO_OBJECT ? NULL : go_scan_object(sc, id, &ops, &f);
}

static struct err *add_special(struct snapshot *s, struct go_scanner *sc,
			       const struct go_special *sp)
{
	struct snap_root r = { .goroutine = UINT32_MAX, .addr = sp->object };
	struct err *err;

	switch (sp->kind) {
	case GO_SPECIAL_FINALIZER:
		r.kind = SNAP_ROOT_FINALIZER;
		r.name = snap_textf(s->names, "finalizer %s", function_of(s, sp->words[0]));
		break;
	case GO_SPECIAL_CLEANUP:
		r.kind = SNAP_ROOT_CLEANUP;
		r.name = snap_textf(s->names, "cleanup %s",
				    function_of(s, sp->words[sp->nwords > 1 ? 1 : 0]));
		break;
	case GO_SPECIAL_WEAK:
		r.kind = SNAP_ROOT_WEAK;
		r.name = "weak handle";
		break;
	default:
		return NULL;
	}
	err = push_root(s, &r);
	for (unsigned i = 0; i < sp->nwords && !err; i++)
		err = push_word(s, sp->word_at[i], sp->words[i]);
	if (!err && sp->kind == GO_SPECIAL_FINALIZER)
		err = scan_finalized(s, sc, sp->object);
	return err;
}

static struct err *add_specials(struct snapshot *s)
{
	_cleanup_(go_scanner_deinit) struct go_scanner sc = { 0 };
	struct err *err = go_scanner_init(&sc, s->go, &s->heap);

	for (size_t i = 0; i < s->heap.specials.n && !err; i++)
		err = add_special(s, &sc, &s->heap.specials.v[i]);
	return err;
}

struct err *snap_roots_build(struct snapshot *s)
{
	struct err *err = add_globals(s);

	for (size_t i = 0; i < s->stacks.gs.n && !err; i++)
		err = add_goroutine(s, i);
	if (!err)
		err = add_specials(s);
	if (!err)
		err = add_queue(s, GO_ROOT_FINALIZER_QUEUE, SNAP_ROOT_FINALIZER_QUEUE,
				"finalizer queue");
	if (!err)
		err = add_queue(s, GO_ROOT_CLEANUP_QUEUE, SNAP_ROOT_CLEANUP_QUEUE, "cleanup queue");
	if (!err)
		err = add_queue(s, GO_ROOT_RUNTIME, SNAP_ROOT_RUNTIME,
				"current blocks of the tiny allocator");
	return err;
}
