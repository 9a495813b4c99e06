/*
 * cont_read.c - what decoders of containers read by: fields by name, integers, interfaces.
 *
 * Field offsets come from the target's rtypes; a name that a version lacks is no error: decoders
 * ask for the names of all versions.
 */
#include "goruntime/cont_priv.h"

#define NAME_MAX_BYTES 128
#define NEST_MAX       8 /* structs in structs on the way to an integer */

void cont_fact(struct cont_out *o, const char *name, uint8_t form, uint64_t n)
{
	struct go_fact f = { .name = name, .form = form, .n = n, .word = "" };

	if (!o->stopped)
		o->stopped = o->fact(o->arg, &f) == CONT_STOP;
}

void cont_fact_word(struct cont_out *o, const char *name, const char *word)
{
	struct go_fact f = { .name = name, .form = GO_FACT_WORD, .word = word };

	if (!o->stopped)
		o->stopped = o->fact(o->arg, &f) == CONT_STOP;
}

void cont_entry(struct cont_out *o, const char *label, uint64_t index, struct go_place key,
		struct go_place elem)
{
	struct go_cont_entry e = { .key = key, .elem = elem, .label = label, .index = index };

	if (!o->stopped)
		o->stopped = o->entry(o->arg, &e) == CONT_STOP;
}

void cont_value(struct cont_out *o, const char *label, uint64_t index, struct go_place elem)
{
	cont_entry(o, label, index, (struct go_place){ 0 }, elem);
}

void cont_part(struct cont_out *o, uint8_t what, taddr at, uint64_t count, taddr elem,
	       uint64_t elem_bytes)
{
	struct go_map_part p = { what, at, count, elem, elem_bytes };

	if (!o->stopped && at && count)
		o->stopped = o->part(o->arg, &p) == CONT_STOP;
}

struct err *cont_word_at(const struct cont *c, taddr at, uint64_t *ret)
{
	uint8_t b[8];
	struct err *err = go_io_read(c->io, at, b, sizeof(b));

	if (!err)
		*ret = load_u64(b);
	return err;
}

struct err *cont_follow(const struct cont *c, struct go_place p, struct go_place *ret)
{
	uint64_t x;
	struct err *err = cont_word_at(c, p.at, &x);

	if (err)
		return err;
	*ret = (struct go_place){ x, p.type ? cont_type_arg(c->ts, p.type) : NULL };
	return NULL;
}

struct err *cont_field_of(const struct cont *c, struct go_place p, const char *path,
			  struct go_place *ret)
{
	char part[NAME_MAX_BYTES];
	struct err *err = NULL;

	for (;;) {
		const char *arrow = strstr(path, "->");
		size_t n = arrow ? (size_t)(arrow - path) : strlen(path);
		const struct go_type *t;
		uint64_t off;

		if (n >= sizeof(part))
			return err_bad_data("field %s", path);
		memcpy(part, path, n);
		part[n] = 0;
		if (!p.type || !go_type_path(c->ts, p.type, part, &off, &t)) {
			p = (struct go_place){ 0 };
			break;
		}
		p = (struct go_place){ p.at + off, t };
		if (!arrow)
			break;
		err = cont_follow(c, p, &p);
		if (err)
			return err;
		path = arrow + 2;
		if (!p.at || !*path) /* a nil pointer; all that was asked for */
			break;
	}
	*ret = p;
	return NULL;
}

struct err *cont_field(const struct cont *c, const char *path, struct go_place *ret)
{
	return cont_field_of(c, (struct go_place){ c->at, c->type }, path, ret);
}

static const struct go_type *inner(struct go_types *ts, const struct go_type *t, uint64_t *off)
{
	for (unsigned i = 0; t && t->kind == GO_STRUCT && i < NEST_MAX; i++) {
		uint64_t more;
		const struct go_type *next;

		if (!go_type_path(ts, t, "v", &more, &next))
			return NULL;
		*off += more;
		t = next;
	}
	return t;
}

static bool is_signed(uint8_t kind)
{
	return kind >= GO_INT && kind <= GO_INT64;
}

struct err *cont_int(const struct cont *c, struct go_place p, uint64_t *ret)
{
	uint64_t off = 0;
	const struct go_type *t = inner(c->ts, p.type, &off);
	uint8_t b[8] = { 0 };
	struct err *err;

	if (!t || !t->bytes || t->bytes > 8)
		return err_bad_data("%s is no integer", p.type ? p.type->name : "a place");
	err = go_io_read(c->io, p.at + off, b, (size_t)t->bytes);
	if (err)
		return err;
	*ret = load_u64(b);
	if (is_signed(t->kind) && t->bytes < 8) {
		unsigned up = 64 - 8 * (unsigned)t->bytes;

		*ret = (uint64_t)((int64_t)(*ret << up) >> up);
	}
	return NULL;
}

struct err *cont_int_field(const struct cont *c, const char *path, uint64_t *ret)
{
	struct go_place p;
	struct err *err = cont_field(c, path, &p);

	*ret = 0;
	return err || !p.at ? err : cont_int(c, p, ret);
}

struct err *cont_words_field(const struct cont *c, const char *path, uint64_t *w, unsigned n)
{
	struct go_place p;
	struct err *err = cont_field(c, path, &p);

	memset(w, 0, n * sizeof(*w));
	if (err || !p.at || !p.type || p.type->bytes < n * sizeof(*w))
		return err;
	return go_io_read(c->io, p.at, w, n * sizeof(*w));
}

const struct go_type *cont_type_arg(struct go_types *ts, const struct go_type *t)
{
	const struct go_type *row;

	if (t->kind == GO_POINTER)
		return go_type_at(ts, t->elem);
	/* atomic.Pointer, weak.Pointer: `_ [0]*T` keeps the T of different ones apart */
	if (t->kind != GO_STRUCT || !t->nfields)
		return NULL;
	row = go_type_at(ts, t->fields[0].type);
	if (!row || row->kind != GO_ARRAY || row->len)
		return NULL;
	row = go_type_at(ts, row->elem);
	return row && row->kind == GO_POINTER ? go_type_at(ts, row->elem) : NULL;
}

/* An eface's first word is the type; an iface's an itab, which tells it. */
static const struct go_type *dynamic(struct go_types *ts, const struct go_type *iface, taddr word)
{
	taddr t = iface && !strcmp(iface->name, "interface {}") ? 0 : go_itab_type(ts, word);

	return go_type_at(ts, t ? t : word);
}

struct err *go_iface_value(struct go_io *io, struct go_types *ts, struct go_place iface,
			   struct go_place *ret)
{
	uint8_t b[16];
	struct err *err = go_io_read(io, iface.at, b, sizeof(b));
	struct go_place p = { 0 };

	if (err)
		return err;
	if (load_u64(b)) {
		p.type = dynamic(ts, iface.type, load_u64(b));
		if (!p.type)
			return err_bad_data("interface at " TADDR_FMT ": no type at " TADDR_FMT,
					    iface.at, load_u64(b));
		p.at = p.type->direct_iface ? iface.at + 8 : load_u64(b + 8);
	}
	*ret = p;
	return NULL;
}

int64_t go_unix_of_nanotime(const struct go *g, int64_t nanotime)
{
	const struct go_layout *L = g->L;
	uint64_t mono, wall;
	struct err *err;

	if (!g->v.memstats || !go_has(L->mstats_last_gc_nanotime) ||
	    !go_has(L->mstats_last_gc_unix))
		return 0;
	err = go_read_u64(g, g->v.memstats + (uint64_t)L->mstats_last_gc_nanotime.off, &mono);
	if (!err)
		err = go_read_u64(g, g->v.memstats + (uint64_t)L->mstats_last_gc_unix.off, &wall);
	if (err) {
		err_free(err);
		return 0;
	}
	return mono && wall ? (int64_t)((uint64_t)nanotime - mono + wall) : 0;
}
