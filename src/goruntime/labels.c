/*
 * labels.c - the labelMap of a goroutine, in both forms that it ever had.
 *
 * Reads where the strings lie, not what they say.  A program whose type names were changed is
 * read by shape: a labelMap of today is an object of 24 bytes, a slice whose array is an object
 * of two strings an element.  Cost: two reads a labelMap, of a map its buckets.
 */
#include "goruntime/labels.h"

#include "goruntime/map.h"

enum { WORD = 8, STRING_BYTES = 16, SLICE_BYTES = 24 };

/* A field by the name that it has, or had when it was not exported. */
static const struct go_type *field(struct go_types *ts, const struct go_type *t, const char *name,
				   const char *older, uint64_t *ret_off)
{
	const struct go_type *found;

	if (t && (go_type_path(ts, t, name, ret_off, &found) ||
		  go_type_path(ts, t, older, ret_off, &found)))
		return found;
	return NULL;
}

/* struct { LabelSet{ list []label{ key, value string } } }, since 1.26 List, Key, Value. */
static void by_struct(const struct go_type *t, struct go_label_form *f)
{
	const struct go_type *list = field(f->ts, t, "List", "list", &f->list_off);
	const struct go_type *elem =
		list && list->kind == GO_SLICE ? go_type_at(f->ts, list->elem) : NULL;
	const struct go_type *key = field(f->ts, elem, "Key", "key", &f->key_off);
	const struct go_type *value = field(f->ts, elem, "Value", "value", &f->value_off);

	if (!key || !value || key->kind != GO_STRING || value->kind != GO_STRING)
		return;
	if (f->key_off + STRING_BYTES > elem->bytes || f->value_off + STRING_BYTES > elem->bytes)
		return;
	f->stride = elem->bytes;
	f->kind = GO_LABELS_SLICE;
}

static bool is_string(struct go_types *ts, taddr type)
{
	const struct go_type *t = go_type_at(ts, type);

	return t && t->kind == GO_STRING;
}

void go_label_form(struct go_types *ts, const struct go_heap *h, struct go_label_form *ret)
{
	struct go_label_form f = { .ts = ts, .heap = h };
	taddr at = go_type_named(ts, "runtime/pprof.labelMap");
	const struct go_type *t = at ? go_type_at(ts, at) : NULL;

	if (t && t->kind == GO_MAP && is_string(ts, t->key) && is_string(ts, t->elem)) {
		f.kind = GO_LABELS_MAP;
		f.map = t;
	} else if (t && t->kind == GO_STRUCT) {
		by_struct(t, &f);
	} else if (!t) {
		f.guessed = true;
		f.stride = 2 * STRING_BYTES;
		f.value_off = STRING_BYTES;
		f.kind = GO_LABELS_SLICE;
	}
	*ret = f;
}

/* An allocated object that begins there and has room for n bytes. */
static bool object_of(const struct go_heap *h, taddr at, uint64_t n)
{
	uint64_t id = go_heap_object_at(h, at), bytes = 0;

	return id != GO_NO_OBJECT && go_bit(h->alloc_bits, id) &&
	       go_heap_address(h, id, &bytes) == at && bytes >= n;
}

static struct err *no_labels(taddr at)
{
	return err_bad_data("what lies at " TADDR_FMT " is no set of labels", at);
}

/* Does a string begin like one? */
static bool plausible(const uint8_t *p)
{
	uint64_t at = load_u64(p), n = load_u64(p + WORD);

	return n >> 47 == 0 && at >> 47 == 0 && (at || !n);
}

/* The slice {array, len, cap} of that labelMap. */
static struct err *read_slice(const struct go_label_form *f, struct go_io *io, taddr labels,
			      uint64_t w[3])
{
	struct err *err;

	if (f->guessed && !object_of(f->heap, labels, SLICE_BYTES))
		return no_labels(labels);
	err = go_io_read(io, labels + f->list_off, w, SLICE_BYTES);
	if (err)
		return err;
	if (w[1] > w[2] || w[1] > GO_LABELS_MAX || w[2] >> 40 || (w[1] && !w[0]))
		return no_labels(labels);
	if (f->guessed && w[1] && !object_of(f->heap, w[0], w[2] * f->stride))
		return no_labels(labels);
	return NULL;
}

static struct err *each_of_slice(const struct go_label_form *f, struct go_io *io, taddr labels,
				 go_label_fn *fn, void *arg)
{
	uint64_t w[3];
	struct err *err = read_slice(f, io, labels, w);

	for (uint64_t i = 0; !err && i < w[1]; i++) {
		taddr at = w[0] + i * f->stride;
		uint8_t k[STRING_BYTES], v[STRING_BYTES];

		err = go_io_read(io, at + f->key_off, k, sizeof(k));
		if (!err)
			err = go_io_read(io, at + f->value_off, v, sizeof(v));
		if (!err && (!plausible(k) || !plausible(v)))
			err = no_labels(labels);
		if (!err)
			fn(arg, (struct go_label_text){ load_u64(k), load_u64(k + WORD) },
			   (struct go_label_text){ load_u64(v), load_u64(v + WORD) });
	}
	return err;
}

struct map_visit {
	struct go_io *io;
	go_label_fn *fn;
	void *arg;
	uint64_t n;
	struct err *err;
};

static enum go_cont_go_on visit(void *arg, const struct go_cont_entry *e)
{
	struct map_visit *m = arg;
	uint8_t k[STRING_BYTES], v[STRING_BYTES];

	m->err = go_io_read(m->io, e->key.at, k, sizeof(k));
	if (!m->err)
		m->err = go_io_read(m->io, e->elem.at, v, sizeof(v));
	if (!m->err && (m->n >= GO_LABELS_MAX || !plausible(k) || !plausible(v)))
		m->err = err_bad_data("no map of labels");
	if (m->err)
		return CONT_STOP;
	m->n++;
	m->fn(m->arg, (struct go_label_text){ load_u64(k), load_u64(k + WORD) },
	      (struct go_label_text){ load_u64(v), load_u64(v + WORD) });
	return CONT_ON;
}

/* In a core without text a bucket may have lost the bytes that say which entries are in use. */
static struct err *each_of_map(const struct go_label_form *f, struct go_io *io, taddr labels,
			       go_label_fn *fn, void *arg)
{
	struct map_visit m = { .io = io, .fn = fn, .arg = arg };
	struct go_map_facts facts;
	uint64_t header;
	struct err *err = go_io_read(io, labels, &header, sizeof(header));

	if (!err)
		err = go_map_facts(io, f->ts, f->map, header, &facts);
	if (!err && facts.len > GO_LABELS_MAX)
		err = no_labels(labels);
	if (!err)
		err = go_map_each(io, f->ts, f->map, header, visit, &m);
	if (!err)
		err = m.err;
	else
		err_free(m.err);
	if (!err && m.n != facts.len)
		err = err_bad_data("%" PRIu64 " of %" PRIu64 " labels are left in the map", m.n,
				   facts.len);
	return err;
}

struct err *go_labels_each(const struct go_label_form *f, struct go_io *io, taddr labels,
			   go_label_fn *fn, void *arg)
{
	if (f->kind == GO_LABELS_SLICE)
		return each_of_slice(f, io, labels, fn, arg);
	if (f->kind == GO_LABELS_MAP)
		return each_of_map(f, io, labels, fn, arg);
	return err_unsupported("labels of this program are not known");
}
