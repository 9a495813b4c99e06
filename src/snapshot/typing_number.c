/*
 * typing_number.c - a number and a name for each kind of thing that an object can be.
 *
 * The same thing known by weak and by strong evidence has two numbers and one name.
 * Knows nothing of objects.
 */
#include "snapshot/typing.h"

#include <stdio.h>

#define MAX_DIRECT_DEPTH 16
#define TINY_BYTES	 16 /* runtime/malloc.go: maxTinySize */

static const char *const runtime_names[] = { "runtime.g",	    "runtime.sudog",
					     "runtime.m",	    "runtime.itabTableType",
					     "abi.TypeAssertCache", "abi.InterfaceSwitchCache" };

static bool name_closure(struct snapshot *s, taddr pc, struct snap_type *t)
{
	struct go_func f;

	if (!go_func_at(s->go, pc, &f) || f.entry != pc)
		return false;
	t->kind = SNAP_TYPE_CLOSURE;
	t->entry = pc;
	t->name = snap_textf(s->names, "closure of %s", f.name);
	return true;
}

/* A part of a map: elem is what it is a row of. */
static void name_part(struct snapshot *s, const struct go_type *map, const char *what, taddr elem,
		      struct snap_type *t)
{
	const struct go_type *e = go_type_at(s->rtypes, elem);

	t->kind = SNAP_TYPE_PART;
	t->elem = e ? elem : 0;
	t->bytes = e ? e->bytes : 0;
	t->name = snap_textf(s->names, "%s of %s", what, map->name);
}

/* Compiled once for several types: the layout is right, the name is none of the program's. */
static bool is_shape(const struct go_type *t)
{
	return strstr(t->name, "go.shape.");
}

/* cmd/compile/internal/reflectdata: MapGroupType "map.group[K]V", MapBucketType "map.bucket[K]V".
 */
static const char *groups_of(struct snapshot *s, const struct go_type *t)
{
	if (!strncmp(t->name, "map.group[", 10))
		return snap_textf(s->names, "groups of map%s", t->name + 9);
	if (!strncmp(t->name, "map.bucket[", 11))
		return snap_textf(s->names, "buckets of map%s", t->name + 10);
	return NULL;
}

/* A guess by name, that nevertheless says of others what they are (as weakly). */
static void doubt(struct snapshot *s, struct snap_type *t)
{
	t->rank = SNAP_RANK_GUESS;
	t->name = t->name ? snap_textf(s->names, "~%s", t->name) : NULL;
}

static void name_of_rtype(struct snapshot *s, enum typing_form form, const struct go_type *rt,
			  struct snap_type *t)
{
	t->rtype = rt->addr;
	t->bytes = rt->bytes;
	switch (form) {
	case FORM_ONE:
	case FORM_ROW:
		t->array = form == FORM_ROW;
		t->name = groups_of(s, rt);
		if (!t->name)
			t->name = snap_textf(s->names, "%s%s", t->array ? "[]" : "", rt->name);
		return;
	case FORM_CHAN:
		t->kind = SNAP_TYPE_CHAN;
		t->bytes = 0;
		t->name = snap_textf(s->names, "chan %s", rt->name);
		return;
	case FORM_QUEUE:
		t->array = true;
		t->name = snap_textf(s->names, "queued in chan of %s", rt->name);
		return;
	default:
		t->kind = SNAP_TYPE_MAP;
		t->name = snap_text(s->names, rt->name);
		return;
	}
}

/* By the group's own type, which maps of different names share. */
static void name_groups(struct snapshot *s, const struct go_type *map, struct snap_type *t)
{
	const struct go_type *group = go_type_at(s->rtypes, map->group);
	const char *name = group ? groups_of(s, group) : NULL;

	name_part(s, map, map->map_flags & GO_MAP_SWISS ? "groups" : "buckets", map->group, t);
	if (name)
		t->name = name;
}

static void name_map_part(struct snapshot *s, enum typing_form form, const struct go_type *map,
			  struct snap_type *t)
{
	t->rtype = map->addr;
	switch (form) {
	case FORM_DIRECTORY:
		name_part(s, map, "directory", 0, t);
		t->bytes = 8;
		return;
	case FORM_TABLE:
		name_part(s, map, "table", 0, t);
		return;
	case FORM_GROUPS:
		name_groups(s, map, t);
		return;
	case FORM_EXTRA:
		name_part(s, map, "overflow", 0, t);
		return;
	default:
		name_part(s, map, "overflow list", 0, t);
		return;
	}
}

/* A guess: ~T of the only type that it can be; without one, its size and its pointer words. */
static void name_label(struct snapshot *s, taddr rtype, struct snap_type *t)
{
	const struct go_type *rt = go_type_at(s->rtypes, rtype);

	t->kind = SNAP_TYPE_OTHER;
	t->name = rt ? snap_textf(s->names, "~%s", rt->name) : NULL;
}

static void name_shape(struct snapshot *s, uint64_t at, struct snap_type *t)
{
	uint64_t words = at & 63 ? at & 63 : 64, bits = s->shapes.v[at >> 6];
	char text[65] = "";

	for (uint64_t i = 0; i < words; i++)
		text[i] = bits >> i & 1 ? '1' : '0';
	t->kind = SNAP_TYPE_OTHER;
	t->name = snap_textf(s->names, "~%" PRIu64 " B scan %.*s", words * 8, (int)words, text);
}

static bool make(struct snapshot *s, struct snap_type_key key, struct snap_type *ret)
{
	enum typing_form form = (enum typing_form)(key.what & 0xff);
	struct snap_type t = { .kind = SNAP_TYPE_RTYPE,
			       .form = (uint8_t)form,
			       .rank = (uint8_t)(key.what >> 8) };
	const struct go_type *rt;

	switch (form) {
	case FORM_CLOSURE:
		if (!name_closure(s, key.at, &t))
			return false;
		break;
	case FORM_STRING:
		t.kind = SNAP_TYPE_STRING;
		t.name = "string";
		break;
	case FORM_TINY:
		t.kind = SNAP_TYPE_TINY;
		t.name = "tiny block";
		break;
	case FORM_LABEL:
		name_label(s, key.at, &t);
		break;
	case FORM_SHAPE:
		name_shape(s, key.at, &t);
		break;
	case FORM_RUNTIME:
		t.kind = SNAP_TYPE_OTHER;
		t.name = runtime_names[key.at % ARRAY_LEN(runtime_names)];
		break;
	default:
		rt = go_type_at(s->rtypes, key.at);
		if (!rt || (form >= FORM_MAP && rt->kind != GO_MAP))
			return false;
		if (form >= FORM_DIRECTORY)
			name_map_part(s, form, rt, &t);
		else
			name_of_rtype(s, form, rt, &t);
		if (is_shape(rt))
			doubt(s, &t);
	}
	*ret = t;
	return t.name != NULL;
}

uint32_t snap_number(struct snapshot *s, enum typing_form form, taddr at, unsigned rank)
{
	return snap_type_number(s, (struct snap_type_key){ at, (uint32_t)form | rank << 8 }, make);
}

uint32_t snap_number_pointee(struct snapshot *s, taddr elem, unsigned rank)
{
	const struct go_type *t = go_type_at(s->rtypes, elem);

	if (!t || !t->bytes)
		return 0;
	if (!t->ptr_bytes && t->bytes < TINY_BYTES)
		return snap_number(s, FORM_TINY, 0, rank);
	return snap_number(s, FORM_ONE, elem, rank);
}

uint32_t snap_number_row(struct snapshot *s, taddr elem, unsigned rank)
{
	const struct go_type *t = go_type_at(s->rtypes, elem);

	return t && t->bytes ? snap_number(s, FORM_ROW, elem, rank) : 0;
}

/* The type that a direct interface word holds, through one-field structs and arrays. */
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

static enum typing_form form_of_direct(const struct go_type *t, taddr *ret_at)
{
	switch (t->kind) {
	case GO_POINTER:
		*ret_at = t->elem;
		return FORM_ONE;
	case GO_CHAN:
		*ret_at = t->elem;
		return FORM_CHAN;
	case GO_MAP:
		*ret_at = t->addr;
		return FORM_MAP;
	case GO_FUNC:
		*ret_at = 0;
		return FORM_CLOSURE;
	default:
		return FORM_NONE;
	}
}

/* Made as a runtime.timeTimer from 1.23 on, whose front it is (time/sleep.go: newTimer). */
static taddr made_as(struct snapshot *s, taddr pointee)
{
	const struct go_type *t = go_type_at(s->rtypes, pointee);
	taddr timer;

	if (!t || !t->name || !t->pkg_path ||
	    (strcmp(t->name, "time.Timer") && strcmp(t->name, "time.Ticker")) ||
	    strcmp(t->pkg_path, "time"))
		return pointee;
	timer = go_type_named(s->rtypes, "runtime.timeTimer");
	return timer ? timer : pointee;
}

enum typing_form snap_word_form(struct snapshot *s, taddr word, taddr *ret_at)
{
	const struct target_region *r = target_region_at(s->t, word);
	const struct go_type *t = NULL;
	taddr itab_type;

	if (!r || !(r->prot & REGION_READ) || trange_has(s->heap.bounds, word))
		return FORM_NONE;
	itab_type = go_itab_type(s->rtypes, word);
	if (itab_type)
		t = go_type_at(s->rtypes, itab_type);
	else if (go_type_maybe(s->go, word))
		t = go_type_at(s->rtypes, word);
	if (!t)
		return FORM_NONE;
	if (!t->direct_iface) {
		*ret_at = t->addr;
		return FORM_ONE;
	}
	t = direct_of(s, t);
	enum typing_form form = t ? form_of_direct(t, ret_at) : FORM_NONE;

	if (form == FORM_ONE)
		*ret_at = made_as(s, *ret_at);
	return form;
}
