/*
 * typing_rules.c - memory of the runtime without an rtype that is certain by its own contents.
 *
 * The table of itabs; what type switches and assertions remember (abi.TypeAssertCache,
 * InterfaceSwitchCache); the nodes of the collector's workers.  All are without pointers, so
 * nothing follows from them.  Each is believed only where every word of it is what it must be.
 * Cost: a read for each nameless object without pointers that a global or a worker's stack holds.
 */
#include "snapshot/rules.h"
#include "snapshot/typing.h"

/* typing_number.c: places among the runtime's names */
enum { NAMED_ITAB_TABLE = 3, NAMED_ASSERT_CACHE, NAMED_SWITCH_CACHE };

#define MIN_ITAB_TAB 4096
#define MAX_CACHE    65536

/* What is asked of memory by the rules: its kind goes to type_of, or its place to somebody. */
struct rules {
	struct snapshot *s;
	snap_memory_fn *fn; /* NULL: name it */
	void *arg;
	uint8_t *buf; /* MAX_CACHE bytes */
};

/* One that may be named, or, when all are asked for, any. */
static bool wanted(const struct rules *r, uint64_t id)
{
	return snapshot_is_object(r->s, id) && (r->fn || !r->s->type_of[id]);
}

static void found(struct rules *r, const struct go_span *v, uint64_t id, unsigned form, taddr what)
{
	if (r->fn)
		r->fn(r->arg, v->base + (id - v->first) * v->elem_bytes, v->elem_bytes);
	else
		r->s->type_of[id] = snap_number(r->s, form, what, SNAP_RANK_RUNTIME);
}

/*
 * runtime/iface.go, itabAdd: itabTableType{ size, count uintptr; entries [size]*itab }, allocated
 * without pointers.
 */
static struct err *name_itab_table(struct rules *r, size_t span)
{
	struct snapshot *s = r->s;
	const struct go_span *v = &s->heap.spans.v[span];
	uint64_t head[2], entries[64];
	struct err *err;

	for (uint64_t id = v->first; id < v->first + v->nelems; id++) {
		taddr at = v->base + (id - v->first) * v->elem_bytes;
		unsigned nitabs = 0, nothers = 0;

		if (!wanted(r, id))
			continue;
		err = target_read(s->t, at, head, sizeof(head));
		if (!err && head[0] >= 512 && !(head[0] & (head[0] - 1)) && head[1] <= head[0] &&
		    head[0] < 1U << 24 &&
		    snap_slot_bytes(s->go->L, (2 + head[0]) * 8, true) == v->elem_bytes)
			err = target_read(s->t, at + 16, entries, sizeof(entries));
		else if (!err)
			continue;
		if (err_catch(&err, ERR_FAULT))
			continue;
		if (err)
			return err;
		for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
			bool itab = entries[i] && go_itab_type(s->rtypes, entries[i]);

			nitabs += itab;
			nothers += entries[i] && !itab;
		}
		if (nitabs && !nothers)
			found(r, v, id, FORM_RUNTIME, NAMED_ITAB_TABLE);
	}
	return NULL;
}

/* Entries of `words` words: a type, …, its itab (or none); all else is zero. */
static bool is_cache(struct snapshot *s, const uint64_t *e, uint64_t n, unsigned words)
{
	uint64_t used = 0;

	for (uint64_t i = 0; i < n; i++, e += words) {
		uint64_t type = e[0], itab = e[words - 1];

		if (!type) {
			if (itab || (words == 3 && e[1]))
				return false;
			continue;
		}
		if (!go_type_maybe(s->go, type) || !go_type_at(s->rtypes, type) ||
		    (itab && go_itab_type(s->rtypes, itab) != type) ||
		    (words == 3 && e[1] > MAX_CACHE))
			return false;
		used++;
	}
	return used && used < n;
}

/*
 * internal/abi/switch.go: { Mask uintptr; Entries [Mask+1]{ Typ, [Case,] Itab uintptr } }, made by
 * runtime/iface.go, buildTypeAssertCache and buildInterfaceSwitchCache.
 */
static struct err *name_cache(struct rules *r, const struct go_span *v, uint64_t id)
{
	static const struct {
		unsigned words, name;
	} forms[] = { { 2, NAMED_ASSERT_CACHE }, { 3, NAMED_SWITCH_CACHE } };
	struct snapshot *s = r->s;
	struct err *err;
	uint64_t n;

	if (v->elem_bytes > MAX_CACHE)
		return NULL;
	err = target_read(s->t, v->base + (id - v->first) * v->elem_bytes, r->buf,
			  (size_t)v->elem_bytes);
	if (err_catch(&err, ERR_FAULT) || err)
		return err;
	n = load_u64(r->buf) + 1;
	if (n < 2 || n > MAX_CACHE || (n & (n - 1)))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (snap_slot_bytes(s->go->L, 8 + n * forms[i].words * 8, true) == v->elem_bytes &&
		    is_cache(s, (const uint64_t *)(const void *)(r->buf + 8), n, forms[i].words))
			found(r, v, id, FORM_RUNTIME, forms[i].name);
	return NULL;
}

/* mgc.go, gcBgMarkWorker: each worker's stack holds its node, which knows the worker's g. */
static struct err *name_worker_node(struct rules *r, const struct go_span *v, uint64_t id,
				    const struct snap_root *root)
{
	struct snapshot *s = r->s;
	taddr g = s->stacks.gs.v[root->goroutine].g, rtype, is = 0;
	const struct go_type *node;
	uint64_t off;
	struct err *err;

	rtype = go_type_named(s->rtypes, "runtime.gcBgMarkWorkerNodePadded");
	if (!rtype)
		rtype = go_type_named(s->rtypes, "runtime.gcBgMarkWorkerNode");
	node = rtype ? go_type_at(s->rtypes, rtype) : NULL;
	if (!node || snap_slot_bytes(s->go->L, node->bytes, true) != v->elem_bytes ||
	    !go_type_path(s->rtypes, node, "gp", &off, &node))
		return NULL;
	err = target_read(s->t, v->base + (id - v->first) * v->elem_bytes + off, &is, sizeof(is));
	if (err_catch(&err, ERR_FAULT) || err)
		return err;
	if (is == g)
		found(r, v, id, FORM_ONE, rtype);
	return NULL;
}

static struct err *of_root(struct rules *r, const struct snap_root *root)
{
	struct snapshot *s = r->s;
	bool worker = root->kind == SNAP_ROOT_GOROUTINE && root->goroutine < s->stacks.gs.n &&
		      s->stacks.gs.v[root->goroutine].system;
	struct err *err = NULL;

	if (root->kind != SNAP_ROOT_GLOBAL && !worker)
		return NULL;
	for (uint64_t i = 0; i < root->nslots && !err; i++) {
		const struct snap_slot *slot = &s->slots.v[root->first_slot + i];
		const struct go_span *v;

		if (slot->object == GO_NO_OBJECT || !wanted(r, slot->object))
			continue;
		v = go_heap_span_of(&s->heap, slot->object);
		if (!v->noscan || (slot->value - v->base) % v->elem_bytes)
			continue;
		err = worker ? name_worker_node(r, v, slot->object, root)
			     : name_cache(r, v, slot->object);
	}
	return err;
}

static struct err *all(struct rules *r)
{
	struct snapshot *s = r->s;
	struct err *err = NULL;

	r->buf = malloc(MAX_CACHE);
	if (!r->buf)
		return &err_nomem;
	for (size_t i = 0; i < s->roots.n && !err; i++)
		err = of_root(r, &s->roots.v[i]);
	for (size_t i = 0; i < s->heap.spans.n && !err; i++)
		if (s->heap.spans.v[i].noscan && s->heap.spans.v[i].elem_bytes >= MIN_ITAB_TAB)
			err = name_itab_table(r, i);
	free(r->buf);
	return err;
}

struct err *typing_rules(struct typing *t)
{
	struct rules r = { .s = t->s };

	return all(&r);
}

struct err *snap_runtime_memory(struct snapshot *s, snap_memory_fn *fn, void *arg)
{
	struct rules r = { .s = s, .fn = fn, .arg = arg };

	return all(&r);
}
