/*
 * typing_rules.c - memory of the runtime without an rtype that is certain by its own contents.
 *
 * The table of itabs; what type switches and assertions remember (abi.TypeAssertCache,
 * InterfaceSwitchCache); the nodes of the collector's workers.  All are without pointers, so
 * nothing follows from them.  Each is believed only where every word of it is what it must be.
 * Cost: a read for each nameless object without pointers that a global or a worker's stack holds.
 */
#include "snapshot/typing.h"

/* typing_number.c: places among the runtime's names */
enum { NAMED_ITAB_TABLE = 3, NAMED_ASSERT_CACHE, NAMED_SWITCH_CACHE };

#define MIN_ITAB_TAB 4096
#define MAX_CACHE    65536

static bool anonymous(const struct snapshot *s, uint64_t id)
{
	return snapshot_is_object(s, id) && !s->type_of[id];
}

/*
 * runtime/iface.go, itabAdd: itabTableType{ size, count uintptr; entries [size]*itab }, allocated
 * without pointers.
 */
static struct err *name_itab_table(struct typing *t, size_t span)
{
	struct snapshot *s = t->s;
	const struct go_span *v = &s->heap.spans.v[span];
	uint64_t head[2], entries[64];
	struct err *err;

	for (uint64_t id = v->first; id < v->first + v->nelems; id++) {
		taddr at = v->base + (id - v->first) * v->elem_bytes;
		unsigned nitabs = 0, nothers = 0;

		if (!anonymous(s, id))
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
			s->type_of[id] =
				snap_number(s, FORM_RUNTIME, NAMED_ITAB_TABLE, SNAP_RANK_RUNTIME);
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
static struct err *name_cache(struct typing *t, const struct go_span *v, uint64_t id)
{
	static const struct {
		unsigned words, name;
	} forms[] = { { 2, NAMED_ASSERT_CACHE }, { 3, NAMED_SWITCH_CACHE } };
	struct snapshot *s = t->s;
	struct typing_worker *w = t->workers[0];
	struct err *err;
	uint64_t n;

	if (v->elem_bytes > MAX_CACHE || !typing_room(w, v->elem_bytes))
		return NULL;
	err = target_read(s->t, v->base + (id - v->first) * v->elem_bytes, w->buf,
			  (size_t)v->elem_bytes);
	if (err_catch(&err, ERR_FAULT) || err)
		return err;
	n = load_u64(w->buf) + 1;
	if (n < 2 || n > MAX_CACHE || (n & (n - 1)))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (snap_slot_bytes(s->go->L, 8 + n * forms[i].words * 8, true) == v->elem_bytes &&
		    is_cache(s, (const uint64_t *)(const void *)(w->buf + 8), n, forms[i].words))
			s->type_of[id] =
				snap_number(s, FORM_RUNTIME, forms[i].name, SNAP_RANK_RUNTIME);
	return NULL;
}

/* mgc.go, gcBgMarkWorker: each worker's stack holds its node, which knows the worker's g. */
static struct err *name_worker_node(struct typing *t, const struct go_span *v, uint64_t id,
				    const struct snap_root *root)
{
	struct snapshot *s = t->s;
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
		s->type_of[id] = snap_number(s, FORM_ONE, rtype, SNAP_RANK_RUNTIME);
	return NULL;
}

static struct err *of_root(struct typing *t, const struct snap_root *root)
{
	struct snapshot *s = t->s;
	bool worker = root->kind == SNAP_ROOT_GOROUTINE && root->goroutine < s->stacks.gs.n &&
		      s->stacks.gs.v[root->goroutine].system;
	struct err *err = NULL;

	if (root->kind != SNAP_ROOT_GLOBAL && !worker)
		return NULL;
	for (uint64_t i = 0; i < root->nslots && !err; i++) {
		const struct snap_slot *slot = &s->slots.v[root->first_slot + i];
		const struct go_span *v;

		if (slot->object == GO_NO_OBJECT || !anonymous(s, slot->object))
			continue;
		v = go_heap_span_of(&s->heap, slot->object);
		if (!v->noscan || (slot->value - v->base) % v->elem_bytes)
			continue;
		err = worker ? name_worker_node(t, v, slot->object, root)
			     : name_cache(t, v, slot->object);
	}
	return err;
}

struct err *typing_rules(struct typing *t)
{
	struct snapshot *s = t->s;
	struct err *err = NULL;

	for (size_t i = 0; i < s->roots.n && !err; i++)
		err = of_root(t, &s->roots.v[i]);
	for (size_t i = 0; i < s->heap.spans.n && !err; i++)
		if (s->heap.spans.v[i].noscan && s->heap.spans.v[i].elem_bytes >= MIN_ITAB_TAB)
			err = name_itab_table(t, i);
	return err;
}
