/*
 * types_all.c - every rtype of the modules, found by looking at every word of their type sections.
 *
 * Type descriptors carry no list of all of them: typelinks (up to 1.26) and the first part of the
 * section (from 1.27 on, typedesclen) hold those that reflect may need.  The section is copied
 * once; what has the head, the name and the pointers of a type is one (reflectdata/reflect.go,
 * dcommontype and writeType write them; cmd/link sorts them).  Knows nothing of what the types
 * mean. Cost: the section's size in memory, about 1 ns a word.
 */
#include "goruntime/types_priv.h"

#define MAX_IMAGE_BYTES (1ULL << 30)
#define MAX_TYPE_NAME	(1U << 16)
#define NAME_FLAGS	0x0f /* internal/abi/type.go, NewName */
#define TFLAGS		0x3f

const uint8_t *go_types_view_some(const struct go_types *ts, taddr addr, uint64_t *ret_n)
{
	size_t n = __atomic_load_n(&ts->nimages, __ATOMIC_ACQUIRE);

	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		const struct types_image *m = &ts->images[i];

		if (!trange_has(m->range, addr))
			continue;
		*ret_n = m->range.end - addr;
		return m->p + (addr - m->range.start);
	}
	return NULL;
}

const uint8_t *go_types_view(const struct go_types *ts, taddr addr, uint64_t n)
{
	uint64_t have;
	const uint8_t *p = go_types_view_some(ts, addr, &have);

	return p && n <= have ? p : NULL;
}

void go_types_images_free(struct go_types *ts)
{
	for (size_t i = 0; i < ts->nimages; i++)
		bigfree(ts->images[i].p, ts->images[i].nbytes, 1);
	free(ts->images);
	vec_free(&ts->all);
	free(ts->by_base);
	free(ts->by_elem);
}

const char *go_types_name_view(const struct go_types *ts, taddr addr, size_t *ret_n)
{
	uint64_t n = 0;
	const uint8_t *p = go_types_view_some(ts, addr, &n);
	struct bytes b = bytes_of(p, (size_t)n);
	uint8_t flags = bytes_u8(&b);
	uint64_t len = bytes_uvarint(&b);

	if (!p || b.bad || (flags & ~NAME_FLAGS) || len > bytes_left(&b) || len > MAX_TYPE_NAME)
		return NULL;
	*ret_n = (size_t)len;
	return (const char *)b.p;
}

static bool printable(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t c = (uint8_t)s[i];

		if (c < 0x20 || c == 0x7f)
			return false;
	}
	return n;
}

static bool begins(const char *s, size_t n, const char *with)
{
	size_t len = strlen(with);

	return n >= len && !memcmp(s, with, len);
}

/* Types without a name of their own are spelled by their kind (types/fmt.go). */
static bool spelled(const char *s, size_t n, uint8_t kind)
{
	switch (kind) {
	case GO_POINTER:
		return begins(s, n, "*");
	case GO_SLICE:
		return begins(s, n, "[]");
	case GO_ARRAY:
		return begins(s, n, "[");
	case GO_MAP:
		return begins(s, n, "map[");
	case GO_CHAN:
		return begins(s, n, "chan") || begins(s, n, "<-chan");
	case GO_FUNC:
		return begins(s, n, "func(");
	case GO_INTERFACE:
		return begins(s, n, "interface");
	default: /* structs of maps are "map.bucket[…]" and the like, others "struct {" */
		return kind == GO_STRUCT;
	}
}

static bool name_ok(const struct go_types *ts, const struct go_module *m, const uint8_t *p)
{
	const struct go_layout *L = ts->g->L;
	int32_t off = (int32_t)go_get(p, L->type_Str);
	uint64_t tflag = go_get(p, L->type_TFlag);
	const char *s;
	size_t n;

	if (off <= 0 || (uint64_t)off >= trange_bytes(m->types))
		return false;
	s = go_types_name_view(ts, m->types.start + (uint64_t)off, &n);
	if (!s || !printable(s, n))
		return false;
	if (go_flag_set(tflag, L->c_TFlagExtraStar)) {
		if (n < 2 || s[0] != '*')
			return false;
		s++;
		n--;
	}
	return go_flag_set(tflag, L->c_TFlagNamed) ||
	       spelled(s, n, (uint8_t)(go_get(p, L->type_Kind_) & 31));
}

/* Looks like the head of a type, whose name was not looked at. */
static bool head_at(const struct go_types *ts, taddr addr)
{
	const uint8_t *p = addr & 7 ? NULL : go_types_view(ts, addr, ts->g->L->type_bytes);

	return p && go_type_head_ok(ts->g->L, p);
}

/* The types that one of that kind is made of. */
static bool parts_ok(const struct go_types *ts, taddr addr, uint8_t kind)
{
	static const uint8_t heads[GO_UNSAFE_POINTER + 1] = {
		[GO_POINTER] = 1, [GO_SLICE] = 1, [GO_CHAN] = 1, [GO_ARRAY] = 2, [GO_MAP] = 3,
	};
	taddr at = addr + ts->g->L->type_bytes;
	const uint8_t *p = go_types_view(ts, at, 24);

	for (unsigned i = 0; i < heads[kind]; i++) {
		if (!p || !head_at(ts, load_u64(p + 8 * (size_t)i)))
			return false;
	}
	if (kind != GO_STRUCT)
		return true;
	if (!p || load_u64(p + 16) > 65536)
		return false;
	at = load_u64(p + 8); /* StructType.Fields; the first field's Typ and Offset */
	if (!load_u64(p + 16))
		return true;
	p = go_types_view(ts, at, 24 * load_u64(p + 16));
	/* offsetAnon (types_read.c): an embedded one says 1 */
	return p && head_at(ts, load_u64(p + 8)) &&
	       load_u64(p + 16) <= (unsigned)go_has(ts->g->L->structfield_offsetAnon);
}

/* Type.PtrToThis leads to a type that leads back. */
static bool pointer_ok(const struct go_types *ts, const struct go_module *m, taddr addr,
		       const uint8_t *p)
{
	const struct go_layout *L = ts->g->L;
	int32_t off = (int32_t)go_get(p, L->type_PtrToThis);
	taddr at = m->types.start + (uint64_t)off;
	const uint8_t *q;

	if (!off)
		return true;
	if (off < 0 || !head_at(ts, at))
		return false;
	q = go_types_view(ts, at, L->type_bytes + 8ULL);
	return q && (go_get(q, L->type_Kind_) & 31) == GO_POINTER &&
	       load_u64(q + L->type_bytes) == addr;
}

static bool type_here(const struct go_types *ts, const struct go_module *m, taddr addr,
		      const uint8_t *p)
{
	const struct go_layout *L = ts->g->L;
	uint64_t kind = go_get(p, L->type_Kind_);

	return kind < 128 && !(go_get(p, L->type_TFlag) & ~(uint64_t)TFLAGS) &&
	       go_type_head_ok(L, p) && go_get(p, L->type_Align_) <= 8 &&
	       pointer_ok(ts, m, addr, p) && parts_ok(ts, addr, (uint8_t)(kind & 31)) &&
	       name_ok(ts, m, p);
}

static struct err *search(struct go_types *ts, const struct go_module *m,
			  const struct types_image *im)
{
	const struct go_layout *L = ts->g->L;
	uint64_t n = im->range.end - im->range.start;
	uint64_t kind_at = (uint64_t)L->type_Kind_.off;

	for (uint64_t i = -im->range.start & 7; i + L->type_bytes <= n; i += 8) {
		uint8_t kind = im->p[i + kind_at] & 31;

		if (kind < GO_BOOL || kind > GO_UNSAFE_POINTER)
			continue;
		if (type_here(ts, m, im->range.start + i, im->p + i) &&
		    !vec_push(&ts->all, im->range.start + i))
			return &err_nomem;
	}
	return NULL;
}

static struct err *copy_image(struct go_types *ts, const struct go_module *m,
			      struct types_image *ret)
{
	uint64_t n = trange_bytes(m->types);
	size_t got = 0;
	struct err *err;

	if (!n || n > MAX_IMAGE_BYTES)
		return NULL;
	*ret = (struct types_image){ .p = bigalloc((size_t)n, 1), .nbytes = n };
	if (!ret->p)
		return &err_nomem;
	err = target_read_some(ts->g->t, m->types.start, ret->p, (size_t)n, &got);
	err_catch(&err, ERR_FAULT);
	ret->range = (struct trange){ m->types.start, m->types.start + got };
	return err;
}

static struct err *copy_images(struct go_types *ts)
{
	size_t n = ts->g->nmodules;
	struct types_image *images = zalloc(n ? n : 1, sizeof(*images));
	struct err *err = images ? NULL : &err_nomem;

	for (size_t i = 0; i < n && !err; i++)
		err = copy_image(ts, &ts->g->modules[i], &images[i]);
	if (err) {
		for (size_t i = 0; images && i < n; i++)
			bigfree(images[i].p, images[i].nbytes, 1);
		free(images);
		return err;
	}
	ts->images = images;
	__atomic_store_n(&ts->nimages, n, __ATOMIC_RELEASE);
	return NULL;
}

static int by_address(const void *a, const void *b)
{
	taddr x = *(const taddr *)a, y = *(const taddr *)b;

	return (x > y) - (x < y);
}

/* Plugins' modules may lie below the main one. */
static void order(struct go_types *ts)
{
	size_t k = 0;

	if (ts->nimages < 2 || !ts->all.n)
		return;
	qsort(ts->all.v, ts->all.n, sizeof(*ts->all.v), by_address);
	for (size_t i = 1; i < ts->all.n; i++) {
		if (ts->all.v[i] != ts->all.v[k])
			ts->all.v[++k] = ts->all.v[i];
	}
	ts->all.n = k + 1;
}

static struct err *find_all(struct go_types *ts)
{
	struct err *err = ts->nimages ? NULL : copy_images(ts);

	ts->all.n = 0;
	for (size_t i = 0; i < ts->nimages && !err; i++)
		err = search(ts, &ts->g->modules[i], &ts->images[i]);
	if (!err)
		order(ts);
	return err;
}

struct err *go_types_all(struct go_types *ts, const taddr **ret, size_t *ret_n)
{
	const struct go_layout *L = ts->g->L;
	struct err *err = NULL;

	pthread_mutex_lock(&ts->all_lock);
	if (!ts->all_done && L && L->type_bytes)
		err = find_all(ts);
	ts->all_done = !err;
	pthread_mutex_unlock(&ts->all_lock);
	if (err)
		return err;
	*ret = ts->all.v;
	*ret_n = ts->all.n;
	return NULL;
}
