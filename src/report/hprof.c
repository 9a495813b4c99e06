/*
 * hprof.c - the graph as a Java heap: HPROF 1.0.2, as jmap writes it.
 *
 *   names, classes, stacks, then segments of the heap: classes' fields, roots, objects; the end
 *
 * Reads the heap twice: for the classes, then for the objects.  Objects without references cost no
 * disk where the file can have holes.
 *
 * Source: the format's manual in the JDK (src/hotspot/share/services/heapDumper.cpp).
 */
#include "report/hprof_priv.h"

#include "base/str.h"

enum { TAG_STRING = 0x01, TAG_LOAD_CLASS = 0x02, TAG_SEGMENT = 0x1c, TAG_END = 0x2c };
enum {
	SUB_ROOT_JNI_GLOBAL = 0x01,
	SUB_ROOT_STICKY_CLASS = 0x05,
	SUB_ROOT_THREAD = 0x08,
	SUB_CLASS = 0x20,
	SUB_INSTANCE = 0x21,
	SUB_OBJECT_ARRAY = 0x22,
};
enum { TYPE_OBJECT = 2, TYPE_INT = 10, TYPE_LONG = 11 };

#define SEGMENT_BYTES BIGOUT_BYTES
/* A segment has 32 bits for its length: elements that fit with room for the rest. */
#define ELEMENTS_MAX ((1U << 30) - 64)

/* VisualVM's library wants those of references: lib.profiler/heap/NearestGCRoot.java. */
static const char *const java_name[HPROF_JAVA] = {
	"java/lang/Object",
	"java/lang/Class",
	"java/lang/Thread",
	"java/lang/ref/Reference",
	"java/lang/ref/WeakReference",
	"java/lang/ref/SoftReference",
	"java/lang/ref/FinalReference",
	"java/lang/ref/PhantomReference",
};

void hprof_record(struct hprof *h, uint8_t tag, uint64_t nbytes)
{
	bigout_be(&h->o, tag, 1);
	bigout_be(&h->o, 0, 4);
	bigout_be(&h->o, nbytes, 4);
}

void hprof_string(struct hprof *h, uint32_t id, const char *text)
{
	_cleanup_(str_deinit) struct str s = { 0 };

	str_put_clean(&s, text, strlen(text));
	hprof_record(h, TAG_STRING, HPROF_REF + s.n);
	bigout_be(&h->o, id, 4);
	bigout_put(&h->o, s.s ? s.s : "", s.n);
}

static void flush_segment(struct hprof *h)
{
	if (h->nseg) {
		hprof_record(h, TAG_SEGMENT, h->nseg);
		bigout_put(&h->o, h->seg, h->nseg);
	}
	h->nseg = 0;
}

/* Room for a subrecord of nbytes; the large ones have a segment of their own, of which the first
 * part is put here. */
static void begin(struct hprof *h, size_t nbytes)
{
	if (nbytes > SEGMENT_BYTES - h->nseg)
		flush_segment(h);
}

static void put(struct hprof *h, uint64_t n, unsigned nbytes)
{
	for (unsigned i = 0; i < nbytes; i++)
		h->seg[h->nseg++] = (uint8_t)(n >> 8 * (nbytes - 1 - i));
}

static void put_zeros(struct hprof *h, size_t n)
{
	memset(h->seg + h->nseg, 0, n);
	h->nseg += n;
}

/* Strings of objnames have their number + 1 as id, those of classes and Java's come behind them. */
static uint32_t class_string(const struct hprof *h, uint32_t i)
{
	return (uint32_t)h->names.text.n + 1 + i;
}

static void put_load_class(struct hprof *h, uint32_t i, uint32_t id)
{
	hprof_record(h, TAG_LOAD_CLASS, 16);
	bigout_be(&h->o, i + 1, 4);
	bigout_be(&h->o, id, 4);
	bigout_be(&h->o, 1, 4);
	bigout_be(&h->o, class_string(h, i), 4);
}

static void put_names(struct hprof *h)
{
	for (uint32_t i = 0; i < h->names.text.n; i++) {
		const char *s = h->names.text.v[i];

		hprof_string(h, i + 1, *s == '.' ? s + 1 : s);
	}
	for (uint32_t i = 0; i < HPROF_JAVA; i++)
		hprof_string(h, class_string(h, i), java_name[i]);
	for (uint32_t i = 0; i < h->classes.n; i++)
		hprof_string(h, class_string(h, HPROF_JAVA + i),
			     hprof_class_name(h, &h->classes.v[i]));
	hprof_string(h, class_string(h, HPROF_JAVA + (uint32_t)h->classes.n), "(values)");
	hprof_string(h, class_string(h, HPROF_JAVA + (uint32_t)h->classes.n) + 1, "referent");
	for (uint32_t i = 0; i < HPROF_JAVA; i++)
		put_load_class(h, i, obj_other_id(i));
	for (uint32_t i = 0; i < h->classes.n; i++)
		put_load_class(h, HPROF_JAVA + i, h->classes.v[i].id);
}

static void put_class_head(struct hprof *h, uint32_t id, uint32_t super, uint64_t bytes)
{
	put(h, SUB_CLASS, 1);
	put(h, id, 4);
	put(h, 1, 4);
	put(h, super, 4);
	put_zeros(h, 5 * HPROF_REF);
	put(h, bytes, 4);
	put(h, 0, 4); /* constants, static fields */
}

static void put_class(struct hprof *h, const struct hprof_class *c)
{
	uint32_t filler = c->nwords ? hprof_filler(c) : 0, nlong = filler / 8,
		 nint = filler % 8 / 4;
	uint32_t values = class_string(h, HPROF_JAVA + (uint32_t)h->classes.n);

	begin(h, 64 + 5 * ((size_t)c->nrefs + nlong + 1));
	put_class_head(h, c->id, obj_other_id(c->thread ? HPROF_THREAD : HPROF_OBJECT), c->bytes);
	put(h, c->nrefs + nlong + nint, 2);
	for (uint32_t i = 0; i < c->nwords; i++)
		if (c->field[i]) {
			put(h, c->field[i], 4);
			put(h, TYPE_OBJECT, 1);
		}
	for (uint32_t i = 0; i < nlong + nint; i++) {
		put(h, values, 4);
		put(h, i < nlong ? TYPE_LONG : TYPE_INT, 1);
	}
}

static void put_classes(struct hprof *h)
{
	uint32_t referent = class_string(h, HPROF_JAVA + (uint32_t)h->classes.n) + 1;

	for (uint32_t i = 0; i < HPROF_JAVA; i++) {
		bool has_field = i == HPROF_REFERENCE;
		uint32_t super = i > HPROF_REFERENCE ? HPROF_REFERENCE : HPROF_OBJECT;

		begin(h, 128);
		put_class_head(h, obj_other_id(i), i ? obj_other_id(super) : 0,
			       HPROF_HEADER + (i >= HPROF_REFERENCE ? 8 : 0));
		put(h, has_field, 2);
		if (has_field) {
			put(h, referent, 4);
			put(h, TYPE_OBJECT, 1);
		}
		put(h, SUB_ROOT_STICKY_CLASS, 1);
		put(h, obj_other_id(i), 4);
	}
	for (size_t i = 0; i < h->classes.n; i++) {
		put_class(h, &h->classes.v[i]);
		begin(h, 5);
		put(h, SUB_ROOT_STICKY_CLASS, 1);
		put(h, h->classes.v[i].id, 4);
	}
}

/* refs: one a field; nwords fields. */
static void put_instance(struct hprof *h, uint32_t id, const struct hprof_class *c)
{
	uint32_t filler = hprof_filler(c), nbytes = c->nrefs * HPROF_REF + filler;

	begin(h, 32 + (size_t)nbytes);
	put(h, SUB_INSTANCE, 1);
	put(h, id, 4);
	put(h, 1, 4);
	put(h, c->id, 4);
	put(h, nbytes, 4);
	for (uint32_t i = 0; i < c->nwords; i++)
		if (c->field[i])
			put(h, h->refs.v[i], 4);
	put_zeros(h, filler);
}

static void put_array_head(struct hprof *h, uint32_t id, const struct hprof_class *c, uint32_t n)
{
	put(h, SUB_OBJECT_ARRAY, 1);
	put(h, id, 4);
	put(h, 1, 4);
	put(h, n, 4);
	put(h, c->id, 4);
}

/* n elements, the first of which are refs; too many for the buffer: a segment of its own. */
static void put_array(struct hprof *h, uint32_t id, const struct hprof_class *c, uint32_t n)
{
	enum { HEAD = 17 };
	uint32_t nrefs = (uint32_t)MIN((uint64_t)n, h->refs.n);
	uint64_t nbytes = HEAD + (uint64_t)n * HPROF_REF;

	if (nbytes <= SEGMENT_BYTES) {
		begin(h, (size_t)nbytes);
		put_array_head(h, id, c, n);
		for (uint32_t i = 0; i < nrefs; i++)
			put(h, h->refs.v[i], 4);
		put_zeros(h, (size_t)(n - nrefs) * HPROF_REF);
		return;
	}
	flush_segment(h);
	hprof_record(h, TAG_SEGMENT, nbytes);
	put_array_head(h, id, c, n);
	bigout_put(&h->o, h->seg, h->nseg);
	h->nseg = 0;
	for (uint32_t i = 0; i < nrefs; i++)
		bigout_be(&h->o, h->refs.v[i], 4);
	bigout_zeros(&h->o, (uint64_t)(n - nrefs) * HPROF_REF);
}

static uint32_t id_of(const struct hprof *h, gnode v)
{
	const struct go_heap *heap = &h->a->s->heap;

	return obj_id(&h->ids, h->a, v, go_heap_address(heap, graph_object(h->a->g, v), NULL));
}

static bool room_for_refs(struct hprof *h, size_t n)
{
	if (!vec_reserve(&h->refs, n))
		return false;
	h->refs.n = n;
	if (n)
		memset(h->refs.v, 0, n * sizeof(*h->refs.v));
	return true;
}

static struct err *put_object(void *arg, const struct obj *o)
{
	struct hprof *h = arg;
	const struct hprof_class *c;
	uint32_t i;
	struct err *err = hprof_class_of(h, o, &i);

	if (err)
		return err;
	c = &h->classes.v[i];
	if (!room_for_refs(h, c->nwords ? c->nwords : o->n))
		return &err_nomem;
	for (size_t k = 0; k < o->n; k++) {
		uint64_t off = o->refs[k].off, header = go_span_header(o->span), at = k;

		if (c->nwords && off != OBJWALK_NO_OFF)
			at = (off - MIN(off, header)) / 8;
		if (at < h->refs.n)
			h->refs.v[at] = id_of(h, o->refs[k].to);
	}
	if (c->nwords)
		put_instance(h, obj_id(&h->ids, h->a, o->node, o->addr), c);
	else
		put_array(h, obj_id(&h->ids, h->a, o->node, o->addr), c,
			  (uint32_t)MIN((o->bytes - HPROF_ARRAY_HEADER) / HPROF_REF,
					(uint64_t)ELEMENTS_MAX));
	return h->o.err ? STEAL(h->o.err) : NULL;
}

static struct err *see_slot(void *arg, const struct snap_slot *sl, gnode to)
{
	struct hprof *h = arg;

	(void)sl;
	return vec_push(&h->refs, id_of(h, to)) ? NULL : &err_nomem;
}

static struct err *put_root(struct hprof *h, uint32_t r)
{
	const struct snap_root *root = &h->a->s->roots.v[r];
	const struct hprof_class *c = &h->classes.v[h->root_class[r]];
	struct err *err;

	h->refs.n = 0;
	err = objwalk_root(h->a, r, see_slot, h);
	if (err)
		return err;
	begin(h, 16);
	put(h, c->thread ? SUB_ROOT_THREAD : SUB_ROOT_JNI_GLOBAL, 1);
	put(h, hprof_root_id(h, r), 4);
	if (c->thread) {
		put(h, 1 + root->goroutine, 4);
		put(h, 2 + root->goroutine, 4);
	} else {
		put(h, hprof_root_id(h, r), 4);
	}
	if (c->nwords)
		put_instance(h, hprof_root_id(h, r), c);
	else
		put_array(h, hprof_root_id(h, r), c,
			  (uint32_t)MIN(h->refs.n, (size_t)ELEMENTS_MAX));
	return NULL;
}

static struct err *write_all(struct hprof *h)
{
	struct err *err = hprof_classes(h);

	if (err)
		return err;
	bigout_put(&h->o, "JAVA PROFILE 1.0.2", sizeof("JAVA PROFILE 1.0.2"));
	bigout_be(&h->o, HPROF_REF, 4);
	bigout_be(&h->o, target_capture(h->a->s->t)->at_unix_ns / 1000000, 8);
	put_names(h);
	err = hprof_stacks(h);
	if (!err)
		put_classes(h);
	for (uint32_t r = 0; r < h->a->g->nroots && !err; r++)
		err = put_root(h, r);
	if (!err)
		err = objwalk(h->a, put_object, h);
	flush_segment(h);
	hprof_record(h, TAG_END, 0);
	return err;
}

struct err *hprof_write(struct agg *a, const char *path, struct graphfile *ret)
{
	struct hprof h = { .a = a, .seg = zalloc(SEGMENT_BYTES, 1) };
	uint32_t empty;
	struct err *err = h.seg ? obj_ids_choose(a, &h.ids) : &err_nomem;

	if (!err)
		err = objnames_create(a, &h.names);
	if (!err)
		err = objnames_add(&h.names, "", &empty);
	if (!err)
		err = bigout_open(path, &h.o);
	if (!err)
		err = write_all(&h);
	h.f.base = h.ids.base;
	h.f.by_node = h.ids.by_node;
	h.f.file_bytes = bigout_bytes(&h.o);
	if (!err)
		err = bigout_commit(&h.o);
	bigout_deinit(&h.o);
	objnames_deinit(&h.names);
	hprof_classes_deinit(&h);
	vec_free(&h.refs);
	free(h.seg);
	if (!err)
		*ret = h.f;
	return err;
}
