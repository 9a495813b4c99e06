/*
 * types.c - rtypes read on demand, checked, and kept.
 *
 * Source: internal/abi/type.go (Type, ArrayType, ChanType, MapType, PtrType, SliceType,
 * StructType, UncommonType, ITab), runtime/type.go (rtype.string, resolveNameOff).
 * Types made by reflect lie outside the modules; their names are kept in a table of the
 * runtime that is not read: such types get a name made from their kind.
 * Cost: a few reads per type, once.
 */
#include "goruntime/types_priv.h"

#include "base/str.h"

#include <pthread.h>

#define MAX_FIELDS 65536
#define HEAD_MAX   256

struct entry {
	taddr addr;
	struct go_type *type; /* NULL: known to be no type */
};

struct go_types {
	const struct go *g;
	pthread_rwlock_t lock;
	struct entry *tab; /* open addressing, cap is a power of two, addr 0: empty */
	size_t n, cap;
};

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
	*ret = ts;
	return NULL;
}

static void type_free(struct go_type *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->nfields; i++)
		free((void *)(uintptr_t)t->fields[i].name);
	free(t->fields);
	free((void *)(uintptr_t)t->name);
	free((void *)(uintptr_t)t->pkg_path);
	free(t);
}

static void type_freep(struct go_type **t)
{
	type_free(*t);
}

void go_types_free(struct go_types *ts)
{
	if (!ts)
		return;
	for (size_t i = 0; i < ts->cap; i++)
		type_free(ts->tab[i].type);
	free(ts->tab);
	pthread_rwlock_destroy(&ts->lock);
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

static bool flag_set(const uint64_t flags, int64_t c)
{
	return c > 0 && (flags & (uint64_t)c);
}

/* Kind-specific part behind abi.Type; words w[0..] of it. */
static struct err *read_parts(const struct go *g, struct go_type *t)
{
	uint64_t w[3] = { 0 };
	struct err *err;

	switch (t->kind) {
	case GO_ARRAY:	/* Elem, Slice, Len */
	case GO_MAP:	/* Key, Elem, Bucket or Group */
	case GO_STRUCT: /* PkgPath, Fields */
		err = target_read(g->t, t->addr + g->L->type_bytes, w, 24);
		break;
	case GO_POINTER:
	case GO_SLICE:
	case GO_CHAN:
		err = target_read(g->t, t->addr + g->L->type_bytes, w, 8);
		break;
	default:
		return NULL;
	}
	if (err)
		return err;
	t->elem = t->kind == GO_MAP ? w[1] : w[0];
	t->key = t->kind == GO_MAP ? w[0] : 0;
	t->len = t->kind == GO_ARRAY ? w[2] : 0;
	if (t->kind == GO_STRUCT) {
		t->elem = 0;
		t->nfields = 0;
		t->key = w[1]; /* for the moment: where the fields are */
		t->len = w[2];
	}
	return NULL;
}

/* abi.StructField: Name, Typ, Offset. */
static struct err *read_fields(const struct go *g, struct go_type *t)
{
	taddr at = t->key;
	uint64_t n = t->len, w[3];
	struct err *err = NULL;

	t->key = t->len = 0;
	if (n > MAX_FIELDS)
		return err_bad_data("%" PRIu64 " fields", n);
	t->fields = zalloc((size_t)n, sizeof(*t->fields));
	if (!t->fields)
		return &err_nomem;
	for (uint64_t i = 0; i < n; i++) {
		struct go_type_field *f = &t->fields[i];
		uint8_t flags = 0;
		char *name;

		err = target_read(g->t, at + 24 * i, w, sizeof(w));
		if (!err && (w[2] > t->bytes || !w[1]))
			err = err_bad_data("field %" PRIu64 " at offset %" PRIu64, i, w[2]);
		if (!err)
			err = go_name_read(g, w[0], &name, &flags);
		if (err)
			return err;
		*f = (struct go_type_field){ .name = name,
					     .offset = w[2],
					     .type = w[1],
					     .embedded = flags & GO_NAME_EMBEDDED };
		t->nfields++;
	}
	return NULL;
}

/* Where abi.UncommonType lies behind a type of that kind, 0: not known here. */
static uint64_t uncommon_offset(const struct go *g, uint8_t kind)
{
	uint64_t head = g->L->type_bytes;

	switch (kind) {
	case GO_POINTER:
	case GO_SLICE:
	case GO_FUNC:
		return head + 8;
	case GO_CHAN:
		return head + 16;
	case GO_ARRAY:
	case GO_STRUCT:
		return kind == GO_STRUCT ? head + 32 : head + 24;
	case GO_INTERFACE:
		return head + 32;
	case GO_MAP: /* its size changed with every map of the runtime */
		return 0;
	default:
		return head;
	}
}

static char *empty(void)
{
	return zalloc(1, 1);
}

/* Package of a named type; "" when it has none or it cannot be told. */
static struct err *read_pkg(const struct go *g, const struct go_module *m, struct go_type *t)
{
	uint64_t off = uncommon_offset(g, t->kind);
	char *text = NULL;
	uint32_t name_off = 0;
	struct err *err = NULL;

	if (m && off && flag_set(t->tflag, g->L->c_TFlagUncommon)) {
		err = go_read_u32(g, t->addr + off, &name_off);
		if (!err && name_off && name_off < trange_bytes(m->types))
			err = go_name_read(g, m->types.start + name_off, &text, NULL);
		if (err_catch(&err, ERR_FAULT) || err_catch(&err, ERR_BAD_DATA))
			text = NULL;
	}
	t->pkg_path = text ? text : empty();
	return err ? err : t->pkg_path ? NULL : &err_nomem;
}

static const char *kind_word(uint8_t kind)
{
	static const char *const words[] = {
		"",	     "bool",	   "int",
		"int8",	     "int16",	   "int32",
		"int64",     "uint",	   "uint8",
		"uint16",    "uint32",	   "uint64",
		"uintptr",   "float32",	   "float64",
		"complex64", "complex128", "array",
		"chan",	     "func",	   "interface",
		"map",	     "pointer",	   "slice",
		"string",    "struct",	   "unsafe.Pointer",
	};

	return kind < ARRAY_LEN(words) ? words[kind] : "";
}

static struct err *read_name(const struct go *g, const struct go_module *m, struct go_type *t,
			     int32_t str)
{
	char *text;
	struct err *err;

	if (!m) { /* made by reflect */
		t->name = strdup(kind_word(t->kind));
		return t->name ? NULL : &err_nomem;
	}
	if (str <= 0 || (uint64_t)str >= trange_bytes(m->types))
		return err_bad_data("name offset %d", str);
	err = go_name_read(g, m->types.start + (uint64_t)str, &text, NULL);
	if (err)
		return err;
	if (flag_set(t->tflag, g->L->c_TFlagExtraStar) && text[0] == '*')
		memmove(text, text + 1, strlen(text));
	t->name = text;
	return text[0] ? NULL : err_bad_data("a type without a name");
}

static bool head_ok(const struct go_type *t, uint8_t align)
{
	return t->kind >= GO_BOOL && t->kind <= GO_UNSAFE_POINTER && t->ptr_bytes <= t->bytes &&
	       !(t->ptr_bytes & 7) && t->bytes < 1ULL << 46 && align && !(align & (align - 1)) &&
	       align <= 64 && !(t->bytes & (align - 1U));
}

static struct err *type_read(const struct go *g, taddr addr, struct go_type **ret)
{
	const struct go_layout *L = g->L;
	const struct go_module *m = go_module_of_type(g, addr);
	_cleanup_(type_freep) struct go_type *t = zalloc(1, sizeof(*t));
	uint8_t image[HEAD_MAX];
	uint64_t kind;
	struct err *err;

	if (!t)
		return &err_nomem;
	if (!addr || (addr & 7) || L->type_bytes > sizeof(image))
		return err_bad_data("no type");
	err = target_read(g->t, addr, image, L->type_bytes);
	if (err)
		return err;
	kind = go_get(image, L->type_Kind_);
	t->addr = addr;
	t->bytes = go_get(image, L->type_Size_);
	t->ptr_bytes = go_get(image, L->type_PtrBytes);
	t->tflag = (uint8_t)go_get(image, L->type_TFlag);
	t->kind = (uint8_t)(kind & 31); /* abi.KindMask; from 1.26 on there is nothing else in it */
	t->gcdata = go_get(image, L->type_GCData);
	t->direct_iface = flag_set(t->tflag, L->c_TFlagDirectIface);
	if (L->c_TFlagDirectIface <= 0)
		t->direct_iface = flag_set(kind, L->c_KindDirectIface);
	if (!head_ok(t, (uint8_t)go_get(image, L->type_Align_)))
		return err_bad_data("no type");
	err = read_parts(g, t);
	if (!err)
		err = read_name(g, m, t, (int32_t)go_get(image, L->type_Str));
	if (!err)
		err = read_pkg(g, m, t);
	if (!err && t->kind == GO_STRUCT)
		err = read_fields(g, t);
	if (err)
		return err;
	*ret = STEAL(t);
	return NULL;
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
	struct entry *old = ts->tab;
	size_t old_cap = ts->cap;
	struct entry *tab = zalloc(old_cap * 2, sizeof(*tab));

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

static const struct go_type *insert(struct go_types *ts, taddr addr, struct go_type *fresh)
{
	const struct go_type *ret = NULL;

	pthread_rwlock_wrlock(&ts->lock);
	if (ts->n * 2 < ts->cap || grow(ts)) {
		struct entry *e = &ts->tab[slot_of(ts, addr)];

		if (!e->addr) {
			*e = (struct entry){ addr, fresh };
			ts->n++;
			fresh = NULL;
		}
		ret = e->type;
	}
	pthread_rwlock_unlock(&ts->lock);
	type_free(fresh); /* another thread was first, or memory is short */
	return ret;
}

const struct go_type *go_type_at(struct go_types *ts, taddr addr)
{
	struct go_type *fresh = NULL;
	struct entry e;
	struct err *err;

	if (!addr || (addr & 7))
		return NULL;
	pthread_rwlock_rdlock(&ts->lock);
	e = ts->tab[slot_of(ts, addr)];
	pthread_rwlock_unlock(&ts->lock);
	if (e.addr)
		return e.type;
	err = type_read(ts->g, addr, &fresh);
	err_free(err); /* whatever it was: not a type that can be read */
	return insert(ts, addr, fresh);
}

/* abi.ITab: Inter, Type, Hash (a copy of Type.Hash). */
taddr go_itab_type(struct go_types *ts, taddr itab)
{
	const struct go_layout *L = ts->g->L;
	uint8_t image[HEAD_MAX];
	uint32_t hash;
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
	return hash == (uint32_t)go_get(image, L->itab_Hash) ? t->addr : 0;
}
