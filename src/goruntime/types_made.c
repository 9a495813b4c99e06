/*
 * types_made.c - types that the target has no rtype of, and pointers and slices of those it has.
 *
 * The linker drops rtypes that only DWARF or code speak of.  What is made lies at addresses outside
 * of user space, known to go_type_at() like any other; nothing of it is in the target, so it has no
 * gcdata.  Cost: the first *T or []T looked for hashes all pointer and slice types.
 */
#include "goruntime/types_priv.h"

#include <stdio.h>

#define MAX_MADE   (1U << 20)
#define MAX_FIELDS 65536
#define MADE_BASE  0xffff800000000000ULL

taddr go_type_reserve(struct go_types *ts)
{
	uint32_t i = __atomic_fetch_add(&ts->nmade, 1, __ATOMIC_RELAXED);

	if (i < MAX_MADE)
		return MADE_BASE + 16ULL * i;
	__atomic_store_n(&ts->nmade, MAX_MADE, __ATOMIC_RELAXED);
	return 0;
}

static bool copy_fields(const struct go_type *t, struct go_type *to)
{
	to->fields = zalloc(t->nfields, sizeof(*to->fields));
	for (; to->fields && to->nfields < t->nfields; to->nfields++) {
		struct go_type_field *f = &to->fields[to->nfields];

		*f = t->fields[to->nfields];
		f->name = strdup(f->name ? f->name : "");
		if (!f->name)
			return false;
	}
	return to->fields;
}

taddr go_type_make(struct go_types *ts, const struct go_type *t)
{
	taddr at = t->addr ? t->addr : go_type_reserve(ts);
	_cleanup_(go_type_freep) struct go_type *fresh = zalloc(1, sizeof(*fresh));

	if (!fresh || !go_type_made(at) || t->nfields > MAX_FIELDS)
		return 0;
	*fresh = *t;
	fresh->addr = at;
	fresh->fields = NULL;
	fresh->nfields = 0;
	fresh->full = NULL;
	fresh->name = strdup(t->name ? t->name : "");
	fresh->pkg_path = strdup(t->pkg_path ? t->pkg_path : "");
	if (!fresh->name || !fresh->pkg_path || !copy_fields(t, fresh))
		return 0;
	return go_type_insert(ts, at, STEAL(fresh)) ? at : 0;
}

static size_t slot_of(taddr elem, size_t cap)
{
	return (size_t)((elem >> 3) * 0x9e3779b97f4a7c15ULL >> 24) & (cap - 1);
}

/* Kind and elem of the type at addr, from the copy; 0: neither pointer nor slice. */
static uint8_t elem_view(const struct go_types *ts, taddr addr, taddr *ret)
{
	const struct go_layout *L = ts->g->L;
	const uint8_t *p = go_types_view(ts, addr, L->type_bytes + 8ULL);
	uint8_t kind = p ? go_get(p, L->type_Kind_) & 31 : 0;

	/* A defined type of that kind is another type; so is one that reflect spells otherwise. */
	if ((kind != GO_POINTER && kind != GO_SLICE) ||
	    go_flag_set(go_get(p, L->type_TFlag), L->c_TFlagNamed))
		return 0;
	*ret = load_u64(p + L->type_bytes);
	return kind;
}

static struct err *index_elems(struct go_types *ts)
{
	size_t cap = 1024;
	taddr elem;

	while (cap < ts->all.n * 2)
		cap *= 2;
	ts->by_elem = zalloc(cap, sizeof(*ts->by_elem));
	if (!ts->by_elem)
		return &err_nomem;
	ts->by_elem_cap = cap;
	for (size_t i = 0; i < ts->all.n; i++) {
		size_t k;

		if (!elem_view(ts, ts->all.v[i], &elem))
			continue;
		for (k = slot_of(elem, cap); ts->by_elem[k]; k = (k + 1) & (cap - 1))
			;
		ts->by_elem[k] = (uint32_t)i + 1;
	}
	return NULL;
}

static taddr find_of(struct go_types *ts, taddr elem, uint8_t kind)
{
	const taddr *all;
	size_t n, cap;
	taddr there;
	struct err *err = go_types_all(ts, &all, &n);

	pthread_mutex_lock(&ts->all_lock);
	if (!err && !ts->elems_done) {
		err = index_elems(ts);
		ts->elems_done = !err;
	}
	pthread_mutex_unlock(&ts->all_lock);
	if (err) {
		err_free(err);
		return 0;
	}
	cap = ts->by_elem_cap;
	for (size_t k = slot_of(elem, cap); ts->by_elem[k]; k = (k + 1) & (cap - 1)) {
		taddr at = ts->all.v[ts->by_elem[k] - 1];

		if (elem_view(ts, at, &there) == kind && there == elem)
			return at;
	}
	return 0;
}

static taddr made_of(struct go_types *ts, taddr elem, uint8_t kind)
{
	const struct go_type *e = go_type_at(ts, elem);
	struct go_type t = { .kind = kind, .elem = elem, .ptr_bytes = 8, .pkg_path = "" };
	char name[512];

	if (!e)
		return 0;
	t.bytes = kind == GO_SLICE ? 24 : 8;
	t.direct_iface = kind == GO_POINTER;
	snprintf(name, sizeof(name), "%s%s", kind == GO_SLICE ? "[]" : "*", e->name);
	t.name = name;
	return go_type_make(ts, &t);
}

taddr go_type_pointer_to(struct go_types *ts, taddr elem)
{
	taddr t = find_of(ts, elem, GO_POINTER);

	return t ? t : made_of(ts, elem, GO_POINTER);
}

taddr go_type_slice_of(struct go_types *ts, taddr elem)
{
	taddr t = find_of(ts, elem, GO_SLICE);

	return t ? t : made_of(ts, elem, GO_SLICE);
}

size_t go_type_first_parts(const struct go_types *ts, taddr type, taddr *ret, size_t max)
{
	const struct go_layout *L = ts->g->L;
	const uint8_t *p = go_types_view(ts, type, L->type_bytes + 24ULL), *f, *e;
	uint8_t kind = p ? go_get(p, L->type_Kind_) & 31 : 0;
	uint64_t nfields;
	size_t n = 0;

	if (kind == GO_ARRAY && max)
		ret[n++] = load_u64(p + L->type_bytes);
	if (kind != GO_STRUCT)
		return n;
	nfields = load_u64(p + L->type_bytes + 16);
	for (uint64_t i = 0; i < nfields && n < max; i++) {
		f = go_types_view(ts, load_u64(p + L->type_bytes + 8) + 24 * i, 24);
		if (!f || load_u64(f + 16))
			break;
		ret[n++] = load_u64(f + 8);
		e = go_types_view(ts, ret[n - 1], L->type_bytes);
		if (e && go_get(e, L->type_Size_))
			break;
	}
	return n;
}
