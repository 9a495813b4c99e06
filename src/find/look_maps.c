/*
 * look_maps.c - mappings told apart by what is known to lie in them.
 *
 * Arenas, the modules' data, threads' stack pointers, span structs.  The kernel joins neighbours:
 * a mapping of the runtime may hold memory of others as well.  O(spans) for an anonymous one.
 */
#include "find/look_maps.h"

static bool in_arena(const struct go_heap *h, struct trange r)
{
	const struct go_heap_index *x = &h->index;
	uint64_t step = 1ULL << x->arena_shift;

	if (!x->nslots || !x->arena_slot)
		return false;
	for (taddr at = r.start; at < r.end; at = at - (at - x->lo) % step + step) {
		uint64_t slot = (at - x->lo) >> x->arena_shift;

		if (at < x->lo) { /* before the first arena: jump there */
			at = x->lo;
			slot = 0;
			if (at >= r.end)
				return false;
		}
		if (slot >= x->nslots)
			return false;
		if (x->arena_slot[slot])
			return true;
	}
	return false;
}

static bool overlap(struct trange a, struct trange b)
{
	return a.start < b.end && b.start < a.end;
}

static bool in_globals(const struct go *go, struct trange r)
{
	for (size_t i = 0; i < go->nmodules; i++) {
		const struct go_module *m = &go->modules[i];

		if (overlap(r, m->data) || overlap(r, m->bss) || overlap(r, m->noptrdata) ||
		    overlap(r, m->noptrbss))
			return true;
	}
	return false;
}

static bool in_thread_stack(struct target *t, const struct target_smap *m)
{
	size_t n = 0;
	const struct target_thread *th = target_threads(t, &n);

	if (m->path && !strncmp(m->path, "[stack", 6))
		return true;
	for (size_t i = 0; i < n; i++)
		if (trange_has(m->range, regs_sp(target_arch(t), &th[i].regs)))
			return true;
	return false;
}

/* Does a mapping hold structs that only the runtime allocates? */
static bool holds_runtime(const struct go_heap *h, const struct target_smap *m)
{
	if (m->path && strstr(m->path, "Go: "))
		return true;
	for (size_t i = 0; i < h->spans.n; i++)
		if (trange_has(m->range, h->spans.v[i].mspan))
			return true;
	return false;
}

enum look_map look_map_of(const struct snapshot *s, const struct target_smap *m)
{
	bool named = m->path && m->path[0] == '[' && strncmp(m->path, "[anon", 5) != 0;

	if (in_arena(&s->heap, m->range))
		return LOOK_MAP_HEAP;
	if (in_globals(s->go, m->range))
		return LOOK_MAP_GLOBALS;
	if (m->file_backed)
		return LOOK_MAP_FILE;
	if (in_thread_stack(s->t, m))
		return LOOK_MAP_THREAD_STACK;
	if (m->path && !strcmp(m->path, "[heap]"))
		return LOOK_MAP_C_HEAP;
	if (named)
		return LOOK_MAP_FILE;
	return holds_runtime(&s->heap, m) ? LOOK_MAP_RUNTIME : LOOK_MAP_ANON;
}
