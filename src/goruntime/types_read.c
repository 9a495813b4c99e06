/*
 * types_read.c - one rtype from its bytes.
 *
 * Source: internal/abi/type.go (Type, ArrayType, ChanType, PtrType, SliceType, StructType,
 * UncommonType), internal/abi/map*.go (MapType and its forerunners), runtime/type.go
 * (rtype.string, resolveNameOff).  Types made by reflect lie outside the modules; their names are
 * kept in a table of the runtime that is not read: such types get a name made from their kind.
 * Cost: a few reads per type, none where its section was copied.
 */
#include "goruntime/types_priv.h"

#include "base/str.h"

#define MAX_FIELDS 65536
#define HEAD_MAX   256

static struct err *type_mem(struct go_types *ts, taddr addr, void *buf, size_t n)
{
	const uint8_t *p = go_types_view(ts, addr, n);

	if (!p)
		return target_read(ts->g->t, addr, buf, n);
	memcpy(buf, p, n);
	return NULL;
}

static struct err *name_at(struct go_types *ts, taddr addr, char **ret, uint8_t *flags)
{
	uint64_t n = 0;
	const uint8_t *p = go_types_view_some(ts, addr, &n);

	return p ? go_name_decode(p, (size_t)n, ret, flags) : go_name_read(ts->g, addr, ret, flags);
}

/* hmap's bucket: 8 tophash bytes, 8 keys, 8 elems (map.go); Swiss: 8 control bytes, 8 slots. */
static void map_places(const struct go_layout *L, const uint8_t *image, struct go_type *t)
{
	uint64_t flags = go_get(image, L->maptype_Flags);

	t->group = go_get(image, L->maptype_Group);
	t->keys_off = 8;
	if (go_has(L->maptype_KeySize)) {
		t->map_flags = (uint8_t)((flags & 1 ? GO_MAP_INDIRECT_KEY : 0) |
					 (flags & 2 ? GO_MAP_INDIRECT_ELEM : 0));
		t->key_stride = (uint32_t)go_get(image, L->maptype_KeySize);
		t->elem_stride = (uint32_t)go_get(image, L->maptype_ValueSize);
		t->elems_off = 8 + 8 * t->key_stride;
		return;
	}
	t->map_flags = (uint8_t)(GO_MAP_SWISS | (flags & 4 ? GO_MAP_INDIRECT_KEY : 0) |
				 (flags & 8 ? GO_MAP_INDIRECT_ELEM : 0));
	if (go_has(L->maptype_KeyStride)) {
		t->keys_off = (uint32_t)go_get(image, L->maptype_KeysOff);
		t->key_stride = (uint32_t)go_get(image, L->maptype_KeyStride);
		t->elems_off = (uint32_t)go_get(image, L->maptype_ElemsOff);
		t->elem_stride = (uint32_t)go_get(image, L->maptype_ElemStride);
		return;
	}
	t->key_stride = t->elem_stride = (uint32_t)go_get(image, L->maptype_SlotSize);
	t->elems_off = 8 + (uint32_t)go_get(image, L->maptype_ElemOff);
}

static struct err *read_map(struct go_types *ts, struct go_type *t)
{
	const struct go_layout *L = ts->g->L;
	uint8_t image[HEAD_MAX];
	struct err *err;

	if (!L->maptype_bytes || L->maptype_bytes > sizeof(image))
		return NULL;
	err = type_mem(ts, t->addr, image, L->maptype_bytes);
	if (err)
		return err;
	map_places(L, image, t);
	if (t->keys_off + 8ULL * t->key_stride > 4096 ||
	    t->elems_off + 8ULL * t->elem_stride > 8192)
		return err_bad_data("a map with slots of %u and %u bytes", t->key_stride,
				    t->elem_stride);
	return NULL;
}

/* Kind-specific part behind abi.Type; words w[0..] of it. */
static struct err *read_parts(struct go_types *ts, struct go_type *t)
{
	uint64_t at = t->addr + ts->g->L->type_bytes;
	uint64_t w[3] = { 0 };
	struct err *err;

	switch (t->kind) {
	case GO_ARRAY:	/* Elem, Slice, Len */
	case GO_MAP:	/* Key, Elem, Bucket or Group */
	case GO_STRUCT: /* PkgPath, Fields */
		err = type_mem(ts, at, w, 24);
		break;
	case GO_POINTER:
	case GO_SLICE:
	case GO_CHAN:
		err = type_mem(ts, at, w, 8);
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
	return t->kind == GO_MAP ? read_map(ts, t) : NULL;
}

/*
 * abi.StructField: Name, Typ, Offset.  In 1.18 the last word is offsetAnon: the offset, and in its
 * lowest bit what the name's flags tell since: whether it is embedded.
 */
static struct err *read_fields(struct go_types *ts, struct go_type *t)
{
	taddr at = t->key;
	bool anon = go_has(ts->g->L->structfield_offsetAnon);
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

		err = type_mem(ts, at + 24 * i, w, sizeof(w));
		if (!err && (w[2] >> anon > t->bytes || !w[1]))
			err = err_bad_data("field %" PRIu64 " at offset %" PRIu64, i, w[2] >> anon);
		if (!err)
			err = name_at(ts, w[0], &name, &flags);
		if (err)
			return err;
		*f = (struct go_type_field){ .name = name,
					     .offset = w[2] >> anon,
					     .type = w[1],
					     .embedded = anon ? w[2] & 1 : flags & GO_NAME_EMBEDDED,
					     .exported = flags & GO_NAME_EXPORTED };
		t->nfields++;
	}
	return NULL;
}

uint64_t go_type_uncommon(const struct go_layout *L, uint8_t kind)
{
	uint64_t head = L->type_bytes;

	switch (kind) {
	case GO_POINTER:
	case GO_SLICE:
	case GO_FUNC:
		return head + 8;
	case GO_CHAN:
		return head + 16;
	case GO_ARRAY:
		return head + 24;
	case GO_STRUCT:
	case GO_INTERFACE:
		return head + 32;
	case GO_MAP:
		return L->maptype_bytes;
	default:
		return head;
	}
}

static char *empty(void)
{
	return zalloc(1, 1);
}

/* Package of a named type; "" when it has none or it cannot be told. */
static struct err *read_pkg(struct go_types *ts, const struct go_module *m, struct go_type *t)
{
	const struct go_layout *L = ts->g->L;
	uint64_t off = go_type_uncommon(L, t->kind);
	char *text = NULL;
	uint32_t name_off = 0;
	struct err *err = NULL;

	if (m && off && go_flag_set(t->tflag, L->c_TFlagUncommon)) {
		err = type_mem(ts, t->addr + off, &name_off, 4);
		if (!err && name_off && name_off < trange_bytes(m->types))
			err = name_at(ts, m->types.start + name_off, &text, NULL);
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

static struct err *read_name(struct go_types *ts, const struct go_module *m, struct go_type *t,
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
	err = name_at(ts, m->types.start + (uint64_t)str, &text, NULL);
	if (err)
		return err;
	if (go_flag_set(t->tflag, ts->g->L->c_TFlagExtraStar) && text[0] == '*')
		memmove(text, text + 1, strlen(text));
	t->name = text;
	return text[0] ? NULL : err_bad_data("a type without a name");
}

bool go_type_head_ok(const struct go_layout *L, const uint8_t *image)
{
	uint64_t bytes = go_get(image, L->type_Size_), ptrs = go_get(image, L->type_PtrBytes);
	uint64_t align = go_get(image, L->type_Align_), kind = go_get(image, L->type_Kind_) & 31;

	return kind >= GO_BOOL && kind <= GO_UNSAFE_POINTER && ptrs <= bytes && !(ptrs & 7) &&
	       bytes < 1ULL << 46 && align && !(align & (align - 1)) && align <= 64 &&
	       !(bytes & (align - 1));
}

/* What lies in abi.Type itself. */
static void take_head(const struct go_layout *L, const uint8_t *image, struct go_type *t)
{
	uint64_t kind = go_get(image, L->type_Kind_);

	t->bytes = go_get(image, L->type_Size_);
	t->ptr_bytes = go_get(image, L->type_PtrBytes);
	t->tflag = (uint8_t)go_get(image, L->type_TFlag);
	t->kind = (uint8_t)(kind & 31); /* abi.KindMask; from 1.26 on there is nothing else in it */
	t->gcdata = go_get(image, L->type_GCData);
	t->named = go_flag_set(t->tflag, L->c_TFlagNamed);
	t->direct_iface = go_flag_set(t->tflag, L->c_TFlagDirectIface);
	if (L->c_TFlagDirectIface <= 0)
		t->direct_iface = go_flag_set(kind, L->c_KindDirectIface);
}

struct err *go_type_read(struct go_types *ts, taddr addr, struct go_type **ret)
{
	const struct go_layout *L = ts->g->L;
	const struct go_module *m = go_module_of_type(ts->g, addr);
	_cleanup_(go_type_freep) struct go_type *t = zalloc(1, sizeof(*t));
	uint8_t image[HEAD_MAX];
	struct err *err;

	if (!t)
		return &err_nomem;
	if (!addr || (addr & 7) || L->type_bytes > sizeof(image))
		return err_bad_data("no type");
	err = type_mem(ts, addr, image, L->type_bytes);
	if (err)
		return err;
	if (!go_type_head_ok(L, image))
		return err_bad_data("no type");
	t->addr = addr;
	take_head(L, image, t);
	err = read_parts(ts, t);
	if (!err)
		err = read_name(ts, m, t, (int32_t)go_get(image, L->type_Str));
	if (!err)
		err = read_pkg(ts, m, t);
	if (!err && t->kind == GO_STRUCT)
		err = read_fields(ts, t);
	if (err)
		return err;
	*ret = STEAL(t);
	return NULL;
}
