/*
 * look_special.c - finalizers and cleanups: their roots, their functions, their queues.
 *
 * Roots of specials were made in the order of the specials (snapshot/roots.c), so both are walked
 * side by side.  Source of the queues: runtime/mfinal.go (finBlock), mcleanup.go (cleanupBlock).
 */
#include "find/look_special.h"

#include "base/cycle.h"

enum { MAX_BLOCKS = 1 << 20, BLOCK_BYTES = 4096, CLOSURE_WORDS = 4 };

static int root_kind_of(uint8_t special)
{
	switch (special) {
	case GO_SPECIAL_FINALIZER:
		return SNAP_ROOT_FINALIZER;
	case GO_SPECIAL_CLEANUP:
		return SNAP_ROOT_CLEANUP;
	case GO_SPECIAL_WEAK:
		return SNAP_ROOT_WEAK;
	default:
		return -1;
	}
}

bool look_special_next(const struct look *l, struct look_specials *at, struct look_special *ret)
{
	const struct snapshot *s = l->s;

	for (; at->special < s->heap.specials.n; at->special++) {
		const struct go_special *sp = &s->heap.specials.v[at->special];
		int kind = root_kind_of(sp->kind);

		if (kind < 0)
			continue;
		while (at->root < s->roots.n && (s->roots.v[at->root].kind != kind ||
						 s->roots.v[at->root].addr != sp->object))
			at->root++;
		if (at->root == s->roots.n)
			return false;
		*ret = (struct look_special){ .sp = sp,
					      .id = go_heap_object_at(&s->heap, sp->object),
					      .root = (uint32_t)at->root };
		at->root++;
		at->special++;
		return true;
	}
	return false;
}

/* 1.24 and 1.25 wrap the function and its argument in a closure of AddCleanup's. */
static const char *unwrapped(const struct look *l, taddr closure)
{
	for (unsigned i = 1; i < CLOSURE_WORDS; i++) {
		taddr w = 0;
		const char *name;

		err_free(go_read_u64(l->s->go, closure + 8 * i, &w));
		name = w ? look_func_name(l, w) : "";
		if (*name && !strstr(name, "AddCleanup"))
			return name;
	}
	return "";
}

const char *look_special_function(const struct look *l, const struct go_special *sp)
{
	taddr fn = sp->words[0];
	const char *name;

	if (sp->kind != GO_SPECIAL_FINALIZER && sp->kind != GO_SPECIAL_CLEANUP)
		return "";
	if (sp->kind == GO_SPECIAL_CLEANUP && sp->nwords == 3) /* call, fn, arg */
		fn = sp->words[1];
	name = look_func_name(l, fn);
	if (sp->kind == GO_SPECIAL_CLEANUP && strstr(name, "AddCleanup")) {
		const char *inner = unwrapped(l, fn);

		return *inner ? inner : name;
	}
	return name;
}

/* Blocks of a queue: entries of stride bytes from array on, fn and arg at those offsets. */
struct queue {
	taddr head;
	struct go_field link, count, array;
	uint64_t stride;
	struct go_field fn, arg;
};

static bool queue_of(const struct go *g, enum look_queue which, struct queue *q)
{
	const struct go_layout *L = g->L;

	if (which == LOOK_QUEUE_FINALIZERS) {
		*q = (struct queue){ g->v.allfin,     L->finBlock_alllink, L->finBlock_cnt,
				     L->finBlock_fin, L->finalizer_bytes,  L->finalizer_fn,
				     L->finalizer_arg };
	} else {
		*q = (struct queue){ g->v.cleanups_all,
				     L->cleanupBlock_alllink,
				     L->cleanupBlock_n,
				     L->cleanupBlock_cleanups,
				     8,
				     { 0, 8 },
				     { -1, 0 } };
		if (!q->head && g->v.gccleanups && go_has(L->cleanupQueue_all))
			q->head = g->v.gccleanups + (uint64_t)L->cleanupQueue_all.off;
		if (L->cleanupFn_bytes && go_has(L->cleanupFn_fn)) {
			q->stride = L->cleanupFn_bytes;
			q->fn = L->cleanupFn_fn;
			q->arg = L->cleanupFn_arg;
		}
	}
	return q->head && go_has(q->link) && go_has(q->count) && go_has(q->array) &&
	       go_has(q->fn) && q->stride >= 8 && q->link.off <= BLOCK_BYTES - 8 &&
	       q->count.off <= BLOCK_BYTES - 8 && q->array.off <= BLOCK_BYTES - 8;
}

static taddr word_in(const uint8_t *entry, struct go_field f, uint64_t stride)
{
	return go_has(f) && (uint64_t)f.off + 8 <= stride ? load_u64(entry + f.off) : 0;
}

/* What has run is cleared: mfinal.go, runFinalizers; mcleanup.go, runCleanups. */
static struct err *read_block(const struct queue *q, const uint8_t *image, look_queued_fn *each,
			      void *arg, uint64_t *n)
{
	uint64_t array = (uint64_t)q->array.off, count = go_get(image, q->count);

	count = MIN(count, (BLOCK_BYTES - array) / q->stride);
	for (uint64_t i = 0; i < count; i++) {
		const uint8_t *entry = image + array + i * q->stride;
		taddr fn = word_in(entry, q->fn, q->stride);
		struct err *err;

		if (!fn)
			continue;
		++*n;
		err = each ? each(arg, fn, word_in(entry, q->arg, q->stride)) : NULL;
		if (err)
			return err;
	}
	return NULL;
}

struct err *look_queue(const struct look *l, enum look_queue which, look_queued_fn *each, void *arg,
		       uint64_t *ret)
{
	const struct go *g = l->s->go;
	uint8_t image[BLOCK_BYTES];
	struct cycle cycle = { 0 };
	struct queue q;
	uint64_t n = 0;
	taddr at = 0;
	struct err *err;

	*ret = LOOK_NO_QUEUE;
	if (l->s->dump || !queue_of(g, which, &q))
		return NULL;
	err = go_read_u64(g, q.head, &at);
	for (unsigned i = 0; at && i < MAX_BLOCKS && !err && !cycle_closed(&cycle, at); i++) {
		err = target_read(g->t, at, image, sizeof(image));
		if (!err)
			err = read_block(&q, image, each, arg, &n);
		if (!err)
			at = go_get(image, q.link);
	}
	if (err_catch(&err, ERR_FAULT))
		return NULL;
	if (!err)
		*ret = n;
	return err;
}

struct edge_finder {
	const struct go_heap *h;
	uint64_t want; /* object id */
	uint64_t at;
	bool found;
};

static struct err *ignore_object(void *arg, uint64_t id, taddr type, uint64_t word0)
{
	(void)arg, (void)id, (void)type, (void)word0;
	return NULL;
}

static struct err *see_pointer(void *arg, uint64_t id, uint64_t at, taddr value, uint64_t before)
{
	struct edge_finder *f = arg;

	(void)id, (void)before;
	if (!f->found && go_heap_object_at(f->h, value) == f->want) {
		f->found = true;
		f->at = at;
	}
	return NULL;
}

static void ignore_lost(void *arg, taddr addr, uint64_t nbytes)
{
	(void)arg, (void)addr, (void)nbytes;
}

const char *look_field_to(const struct look *l, uint64_t id, uint64_t next)
{
	static const struct go_scan_ops ops = {
		.object = ignore_object,
		.pointer = see_pointer,
		.lost = ignore_lost,
	};
	struct edge_finder f = { .h = &l->s->heap, .want = next };
	char name[256] = "";

	err_free(go_heap_scan_object(l->s->go, &l->s->heap, id, &ops, &f));
	if (!f.found)
		return "";
	snapshot_field_name(l->s, id, f.at, name, sizeof(name));
	return name[0] ? keepf(l->keep, "%s", name) : keepf(l->keep, "+0x%" PRIx64, f.at);
}
