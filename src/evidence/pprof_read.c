/*
 * pprof_read.c - a profile's protocol buffer, field by field, as it comes out of the unpacker.
 *
 * Knows fields of the profile itself; pprof_read_parts.c those of what is in it, nanopb how they
 * are coded.  Memory: a window of WINDOW bytes, or the largest field.  O(n).
 */
#include "evidence/pprof_reader.h"

#include "base/err.h"

enum {
	WINDOW = 512 << 10,
	FIELD_MAX = 64 << 20,  /* a sample of 64 MiB has ten million frames */
	AHEAD_AFTER = 8 << 20, /* from there on a thread unpacks */
	TAG_AND_LENGTH = 5 + 10,
	HEAD = 64, /* what tells a text from a protocol buffer */
};

static void reader_deinit(struct pprof_reader *r)
{
	ahead_stop(r->ahead);
	free(r->buf);
	ids_deinit(&r->locations);
	ids_deinit(&r->functions);
	ids_deinit(&r->mappings);
	vec_free(&r->frames);
	vec_free(&r->values);
	vec_free(&r->path);
	vec_free(&r->path_node);
	free(r->needed);
}

/* More bytes behind those that lie there; none: r->over. */
static struct err *more(struct pprof_reader *r)
{
	const uint8_t *from;
	size_t n;
	struct err *err = NULL;

	if (!r->ahead && r->passed > AHEAD_AFTER)
		err = ahead_start(r->in, &r->ahead);
	if (!err && !r->ahead)
		err = input_read(r->in, r->buf + r->end, r->cap - r->end, &n);
	else if (!err) {
		err = ahead_read(r->ahead, &from, &n);
		if (!err && n > r->cap - r->end) { /* room was made for it */
			pprof_wrong(r, "a buffer too small");
			return NULL;
		}
		if (!err && n)
			memcpy(r->buf + r->end, from, n);
	}
	if (err)
		return err;
	r->over = !n;
	r->end += n;
	return NULL;
}

enum { STEP = 256 << 10 }; /* at most what more() brings when a thread unpacks */

/* At least n bytes, or all that there are. */
static struct err *need(struct pprof_reader *r, size_t n)
{
	struct err *err = NULL;
	uint8_t *bigger;

	if (r->end - r->at >= n || r->over)
		return NULL;
	memmove(r->buf, r->buf + r->at, r->end - r->at);
	r->passed += r->at;
	r->end -= r->at;
	r->at = 0;
	if (n + STEP > r->cap) {
		bigger = realloc(r->buf, n + STEP);
		if (!bigger)
			return &err_nomem;
		r->buf = bigger;
		r->cap = n + STEP;
	}
	while (!err && !r->over && !r->wrong && r->end < n)
		err = more(r);
	return err;
}

bool pprof_field(struct pprof_reader *r, pb_istream_t *s, struct pprof_field *f)
{
	bool eof = false;
	uint32_t n;

	if (!pb_decode_tag(s, &f->type, &f->tag, &eof))
		return eof ? false : pprof_wrong(r, "a field that cannot be");
	if (f->type == PB_WT_VARINT)
		return pb_decode_varint(s, &f->x) || pprof_wrong(r, "a number without an end");
	if (f->type != PB_WT_STRING) {
		if (f->type != PB_WT_64BIT && f->type != PB_WT_32BIT)
			return pprof_wrong(r, "a field of a type that cannot be");
		return pb_skip_field(s, f->type) || pprof_wrong(r, "a field cut short");
	}
	if (!pb_decode_varint32(s, &n) || n > s->bytes_left)
		return pprof_wrong(r, "a field longer than what it is in");
	f->behind = s->bytes_left - n;
	return true;
}

pb_istream_t pprof_inside(pb_istream_t *s, const struct pprof_field *f)
{
	size_t n = s->bytes_left - f->behind;
	const pb_byte_t *p = s->state;
	pb_istream_t in = pb_istream_from_buffer(p, n);

	(void)pb_read(s, NULL, n);
	return in;
}

static bool head_number(struct pprof_reader *r, uint32_t tag, uint64_t x)
{
	struct pprof *p = r->p;

	switch (tag) {
	case 7:
		p->drop_frames = pprof_ref(x);
		break;
	case 8:
		p->keep_frames = pprof_ref(x);
		break;
	case 9:
		if (p->time_ns)
			return pprof_wrong(r, "two profiles, one behind the other: give them as "
					      "two files");
		p->time_ns = (int64_t)x;
		break;
	case 10:
		p->duration_ns = (int64_t)x;
		break;
	case 12:
		p->period = (int64_t)x;
		break;
	case 13:
		return vec_push(&p->comments, pprof_ref(x)) || pprof_short(r);
	case 14:
		p->default_type = pprof_ref(x);
		break;
	case 15:
		p->doc_url = pprof_ref(x);
		break;
	default:
		break;
	}
	return true;
}

static bool read_types(struct pprof_reader *r, pb_istream_t *s)
{
	struct pprof_type t = { 0 };

	if (!pprof_read_type(r, s, &t))
		return false;
	if (r->p->types.n >= PPROF_TYPES_MAX)
		return pprof_wrong(r, "more than 64 kinds of values a sample");
	return vec_push(&r->p->types, t) || pprof_short(r);
}

static bool read_comments(struct pprof_reader *r, pb_istream_t *s)
{
	uint64_t x;

	while (s->bytes_left) {
		if (!pb_decode_varint(s, &x))
			return pprof_wrong(r, "a number without an end");
		if (!vec_push(&r->p->comments, pprof_ref(x)))
			return pprof_short(r);
	}
	return true;
}

static bool read_message(struct pprof_reader *r, uint32_t tag, const uint8_t *at, size_t n)
{
	pb_istream_t s = pb_istream_from_buffer(at, n);

	if (r->quick)
		return tag != 2 || pprof_quick_sample(r->quick, r, &s);
	if (tag == 2 && r->keep == PPROF_KEEP_HEADS) {
		r->p->nsamples++;
		return true;
	}
	switch (tag) {
	case 1:
		return read_types(r, &s);
	case 2:
		return pprof_read_sample(r, &s);
	case 3:
		return pprof_read_mapping(r, &s);
	case 4:
		return pprof_read_location(r, &s);
	case 5:
		return pprof_read_function(r, &s);
	case 6:
		return pprof_read_text(r, at, n);
	case 11:
		return pprof_read_type(r, &s, &r->p->period_type);
	case 13:
		return read_comments(r, &s);
	case 7:
	case 8:
	case 9:
	case 10:
	case 12:
	case 14:
	case 15:
		return pprof_wrong(r, "a number that is no number");
	default:
		return true;
	}
}

/* Bytes n of field tag lie at r->at, or will. */
static struct err *read_bytes(struct pprof_reader *r, uint32_t tag, uint64_t n)
{
	struct err *err;

	if (n > FIELD_MAX) {
		pprof_wrong(r, "a field of more than 64 MiB");
		return NULL;
	}
	err = need(r, (size_t)n);
	if (err)
		return err;
	if (r->end - r->at < n) {
		pprof_wrong(r, "cut short");
		r->at = r->end;
		return NULL;
	}
	if (read_message(r, tag, r->buf + r->at, (size_t)n))
		r->at += (size_t)n;
	return r->nomem || r->p->priv->bad ? &err_nomem : NULL;
}

/* A tag and what stands behind it. */
static struct err *read_field(struct pprof_reader *r)
{
	struct err *err = need(r, TAG_AND_LENGTH);
	size_t have = r->end - r->at;
	pb_istream_t s = pb_istream_from_buffer(r->buf + r->at, have);
	pb_wire_type_t type;
	bool eof, ok;
	uint32_t tag;
	uint64_t x = 0;

	if (err || !have)
		return err;
	ok = pb_decode_tag(&s, &type, &tag, &eof);
	if (ok && (type == PB_WT_VARINT || type == PB_WT_STRING))
		ok = pb_decode_varint(&s, &x);
	else if (ok)
		ok = (type == PB_WT_64BIT || type == PB_WT_32BIT) && tag > 15 &&
		     pb_skip_field(&s, type);
	if (!ok) {
		/* the last bytes of a file that was cut may be half a tag */
		pprof_wrong(r, have < TAG_AND_LENGTH ? "cut short" : "a field that cannot be");
		return NULL;
	}
	r->at += have - s.bytes_left;
	if (type == PB_WT_STRING)
		return read_bytes(r, tag, x);
	if (type == PB_WT_VARINT && tag >= 1 && (tag <= 6 || tag == 11))
		pprof_wrong(r, "a number where a message should be");
	else if (type == PB_WT_VARINT)
		(void)head_number(r, tag, x);
	return r->nomem ? &err_nomem : NULL;
}

static struct err *read_fields(struct pprof_reader *r)
{
	struct err *err = NULL;

	r->nvalues = SIZE_MAX;
	r->cap = WINDOW;
	r->buf = malloc(r->cap);
	if (!r->buf)
		return &err_nomem;
	while (!err && !r->wrong && !(r->over && r->at == r->end)) {
		r->wrong_at = r->passed + r->at;
		err = read_field(r);
	}
	ahead_stop(STEAL(r->ahead)); /* what it saw is now ours to look at */
	return err;
}

static struct err *read_proto(struct pprof_reader *r)
{
	struct err *err = read_fields(r);

	return err ? err : pprof_read_finish(r);
}

/* As far as the heads went: where they end in damage, so does this. */
struct err *pprof_read_samples(struct input *in, const struct pprof *p, struct pprof_quick *k)
{
	_cleanup_(reader_deinit) struct pprof_reader r = { .in = in, .quick = k };
	_cleanup_(pprof_freep) struct pprof *none = NULL;
	struct err *err = pprof_create(input_name(in), &none);

	r.p = none;
	if (!err)
		err = read_fields(&r);
	if (!err && r.wrong && !p->damage)
		err = err_bad_data("%.200s: damaged, or changed while it was read: %s",
				   input_name(in), r.wrong);
	return err;
}

struct err *pprof_read_some(struct input *in, enum pprof_keep keep, struct pprof **ret)
{
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	_cleanup_(reader_deinit) struct pprof_reader r = { .in = in, .keep = keep };
	const uint8_t *head;
	size_t n;
	struct err *err = pprof_create(input_name(in), &p);

	r.p = p;
	if (!err)
		err = input_peek(in, &head, &n);
	if (err)
		return err;
	if (!n)
		return err_bad_data("%.200s: no profile: %s", input_name(in),
				    input_damage(in) ? input_damage(in) : "the file is empty");
	if (pprof_is_legacy((const char *)head, n))
		err = pprof_read_legacy(in, p);
	else
		err = read_proto(&r);
	if (err)
		return err;
	pprof_settle(p);
	*ret = STEAL(p);
	return NULL;
}

struct err *pprof_read(struct input *in, struct pprof **ret)
{
	return pprof_read_some(in, PPROF_KEEP_ALL, ret);
}
