/*
 * types.c - rtypes read on demand, checked, and kept.
 *
 * Source: internal/abi/type.go, internal/abi/iface.go (ITab).  Knows where a type lies, not what is
 * in it: types_read.c.  Cost: one look-up under a shared lock, once per type a decoding.
 */
#include "goruntime/types_priv.h"

#define HEAD_MAX 256

struct err *go_types_create(const struct go *g, struct go_types **ret)
{
	struct go_types *ts = zalloc(1, sizeof(*ts));

	if (!ts)
		return &err_nomem;
	ts->g = g;
	ts->cap = 1024;
	ts->tab = zalloc(ts->cap, sizeof(*ts->tab));
	if (!ts->tab) {
		free(ts);
		return &err_nomem;
	}
	pthread_rwlock_init(&ts->lock, NULL);
	pthread_mutex_init(&ts->all_lock, NULL);
	*ret = ts;
	return NULL;
}

void go_type_free(struct go_type *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->nfields; i++)
		free((void *)(uintptr_t)t->fields[i].name);
	free(t->fields);
	free((void *)(uintptr_t)t->name);
	free((void *)(uintptr_t)t->pkg_path);
	free((void *)(uintptr_t)t->full);
	free(t);
}

void go_types_free(struct go_types *ts)
{
	if (!ts)
		return;
	for (size_t i = 0; i < ts->cap; i++)
		go_type_free(ts->tab[i].type);
	free(ts->tab);
	go_types_images_free(ts);
	pthread_rwlock_destroy(&ts->lock);
	pthread_mutex_destroy(&ts->all_lock);
	free(ts);
}

bool go_type_maybe(const struct go *g, taddr addr)
{
	if (addr & 7)
		return false;
	for (size_t i = 0; i < g->nmodules; i++) {
		if (trange_has(g->modules[i].types, addr))
			return true;
	}
	return false;
}

static size_t slot_of(const struct go_types *ts, taddr addr)
{
	size_t i = (size_t)((addr >> 3) * 0x9e3779b97f4a7c15ULL >> 20) & (ts->cap - 1);

	while (ts->tab[i].addr && ts->tab[i].addr != addr)
		i = (i + 1) & (ts->cap - 1);
	return i;
}

static bool grow(struct go_types *ts)
{
	struct types_entry *old = ts->tab;
	size_t old_cap = ts->cap;
	struct types_entry *tab = zalloc(old_cap * 2, sizeof(*tab));

	if (!tab)
		return false;
	ts->tab = tab;
	ts->cap = old_cap * 2;
	for (size_t i = 0; i < old_cap; i++) {
		if (old[i].addr)
			ts->tab[slot_of(ts, old[i].addr)] = old[i];
	}
	free(old);
	return true;
}

const struct go_type *go_type_insert(struct go_types *ts, taddr addr, struct go_type *fresh)
{
	const struct go_type *ret = NULL;

	pthread_rwlock_wrlock(&ts->lock);
	if (ts->n * 2 < ts->cap || grow(ts)) {
		struct types_entry *e = &ts->tab[slot_of(ts, addr)];

		if (!e->addr) {
			*e = (struct types_entry){ addr, fresh };
			ts->n++;
			fresh = NULL;
		}
		ret = e->type;
	}
	pthread_rwlock_unlock(&ts->lock);
	go_type_free(fresh); /* another thread was first, or memory is short */
	return ret;
}

const struct go_type *go_type_at(struct go_types *ts, taddr addr)
{
	struct go_type *fresh = NULL;
	struct types_entry e;
	struct err *err;

	if (!addr || (addr & 7))
		return NULL;
	pthread_rwlock_rdlock(&ts->lock);
	e = ts->tab[slot_of(ts, addr)];
	pthread_rwlock_unlock(&ts->lock);
	if (e.addr || go_type_made(addr))
		return e.type;
	err = go_type_read(ts, addr, &fresh);
	err_free(err); /* whatever it was: not a type that can be read */
	return go_type_insert(ts, addr, fresh);
}

/*
 * abi.ITab: Inter, Type, Hash: a copy of Type.Hash in those that the linker made, 0 in those of
 * runtime/iface.go, getitab.
 */
taddr go_itab_type(struct go_types *ts, taddr itab)
{
	const struct go_layout *L = ts->g->L;
	uint8_t image[HEAD_MAX];
	uint32_t hash, copy;
	const struct go_type *t, *inter;
	struct err *err;

	if (!itab || (itab & 7) || L->itab_bytes > sizeof(image))
		return 0;
	err = target_read(ts->g->t, itab, image, L->itab_bytes);
	if (err) {
		err_free(err);
		return 0;
	}
	inter = go_type_at(ts, go_get(image, L->itab_Inter));
	if (!inter || inter->kind != GO_INTERFACE)
		return 0;
	t = go_type_at(ts, go_get(image, L->itab_Type));
	if (!t)
		return 0;
	err = go_read_u32(ts->g, t->addr + (uint64_t)L->type_Hash.off, &hash);
	if (err) {
		err_free(err);
		return 0;
	}
	copy = (uint32_t)go_get(image, L->itab_Hash);
	return copy == hash || !copy ? t->addr : 0;
}
