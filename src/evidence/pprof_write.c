/*
 * pprof_write.c - a profile as the protocol buffer that every pprof reads, in gzip.
 *
 * Fields in the order that google/pprof's own writer has them (profile/encode.go); nanopb encodes,
 * zlib packs.  Memory: what comes out, and one sample.
 */
#include "evidence/pprof_priv.h"

#include "base/str.h"

#include <pb_encode.h>
#include <zlib.h>

struct out {
	const struct pprof *p;
	struct str *to;
	z_stream z;
	struct str msg, part; /* a message, and one inside */
	uint64_t *frames;     /* of one sample */
	size_t frames_cap;
	bool bad;
};

static bool to_str(pb_ostream_t *s, const pb_byte_t *buf, size_t n)
{
	struct str *o = s->state;

	str_putn(o, (const char *)buf, n);
	return !o->bad;
}

static pb_ostream_t stream(struct str *o)
{
	o->n = 0;
	return (pb_ostream_t){ .callback = to_str, .state = o, .max_size = SIZE_MAX };
}

static void pack(struct out *w, const char *s, size_t n, int flush)
{
	uint8_t buf[16 << 10];
	int is = Z_OK;

	w->z.next_in = (Bytef *)(uintptr_t)s;
	w->z.avail_in = (uInt)n;
	do {
		w->z.next_out = buf;
		w->z.avail_out = sizeof(buf);
		is = deflate(&w->z, flush);
		str_putn(w->to, (const char *)buf, sizeof(buf) - w->z.avail_out);
	} while (is != Z_STREAM_ERROR && !w->to->bad && (w->z.avail_in || !w->z.avail_out));
	if (is == Z_STREAM_ERROR || w->to->bad)
		w->bad = true;
}

static void varint(pb_ostream_t *s, uint32_t tag, uint64_t x)
{
	(void)(pb_encode_tag(s, PB_WT_VARINT, tag) && pb_encode_varint(s, x));
}

/* proto3: 0 is what is not there. */
static void varint_opt(pb_ostream_t *s, uint32_t tag, uint64_t x)
{
	if (x)
		varint(s, tag, x);
}

static void inside(pb_ostream_t *s, uint32_t tag, const struct str *part)
{
	(void)(pb_encode_tag(s, PB_WT_STRING, tag) &&
	       pb_encode_string(s, (const pb_byte_t *)(part->s ? part->s : ""), part->n));
}

/* w->msg becomes a field of the profile. */
static void emit(struct out *w, uint32_t tag)
{
	pb_byte_t head[16];
	pb_ostream_t s = pb_ostream_from_buffer(head, sizeof(head));

	(void)(pb_encode_tag(&s, PB_WT_STRING, tag) && pb_encode_varint(&s, w->msg.n));
	pack(w, (const char *)head, s.bytes_written, Z_NO_FLUSH);
	if (w->msg.n)
		pack(w, w->msg.s, w->msg.n, Z_NO_FLUSH);
	w->bad |= w->msg.bad || w->part.bad;
}

static void emit_varint(struct out *w, uint32_t tag, uint64_t x)
{
	pb_byte_t head[24];
	pb_ostream_t s = pb_ostream_from_buffer(head, sizeof(head));

	varint(&s, tag, x);
	pack(w, (const char *)head, s.bytes_written, Z_NO_FLUSH);
}

static void put_type(struct out *w, uint32_t tag, const struct pprof_type *t)
{
	pb_ostream_t s = stream(&w->msg);

	varint_opt(&s, 1, t->type);
	varint_opt(&s, 2, t->unit);
	emit(w, tag);
}

static bool frame_room(struct out *w, size_t n)
{
	uint64_t *more;

	if (n <= w->frames_cap)
		return true;
	more = realloc(w->frames, n * 2 * sizeof(*more));
	if (!more)
		return false;
	w->frames = more;
	w->frames_cap = n * 2;
	return true;
}

static size_t frames_of(struct out *w, uint32_t stack)
{
	size_t n = 0;

	for (; stack != PPROF_NONE; stack = w->p->stacks.v[stack].parent) {
		if (!frame_room(w, n + 1)) {
			w->bad = true;
			break;
		}
		w->frames[n++] = w->p->locations.v[w->p->stacks.v[stack].location].id;
	}
	return n;
}

static void put_list(struct out *w, pb_ostream_t *s, uint32_t tag, const uint64_t *v, size_t n)
{
	pb_ostream_t part = stream(&w->part);

	if (n <= 2) {
		for (size_t i = 0; i < n; i++)
			varint(s, tag, v[i]);
		return;
	}
	for (size_t i = 0; i < n; i++)
		(void)pb_encode_varint(&part, v[i]);
	inside(s, tag, &w->part);
}

static void put_label(struct out *w, pb_ostream_t *s, const struct pprof_label *l)
{
	pb_ostream_t part = stream(&w->part);

	varint_opt(&part, 1, l->key);
	varint_opt(&part, 2, l->text);
	varint_opt(&part, 3, (uint64_t)l->num);
	varint_opt(&part, 4, l->unit);
	inside(s, 3, &w->part);
}

static void put_samples(struct out *w)
{
	struct pprof_walk at = { 0 };

	while (!w->bad && pprof_next(w->p, &at)) {
		pb_ostream_t s = stream(&w->msg);
		size_t n = frames_of(w, at.stack);
		uint64_t values[PPROF_TYPES_MAX];

		for (size_t i = 0; i < w->p->types.n; i++)
			values[i] = (uint64_t)at.values[i];
		put_list(w, &s, 1, w->frames, n);
		put_list(w, &s, 2, values, w->p->types.n);
		for (size_t i = 0; i < at.nlabels; i++)
			put_label(w, &s, &w->p->labels.v[at.first_label + i]);
		emit(w, 2);
	}
}

static void put_mapping(struct out *w, const struct pprof_mapping *m)
{
	pb_ostream_t s = stream(&w->msg);

	varint_opt(&s, 1, m->id);
	varint_opt(&s, 2, m->start);
	varint_opt(&s, 3, m->limit);
	varint_opt(&s, 4, m->offset);
	varint_opt(&s, 5, m->file);
	varint_opt(&s, 6, m->build_id);
	varint_opt(&s, 7, m->has_functions);
	varint_opt(&s, 8, m->has_filenames);
	varint_opt(&s, 9, m->has_lines);
	varint_opt(&s, 10, m->has_inlines);
	emit(w, 3);
}

static void put_location(struct out *w, const struct pprof_location *l)
{
	const struct pprof *p = w->p;
	pb_ostream_t s = stream(&w->msg), part;

	varint_opt(&s, 1, l->id);
	varint_opt(&s, 2, l->mapping == PPROF_NONE ? 0 : p->mappings.v[l->mapping].id);
	varint_opt(&s, 3, l->address);
	for (size_t i = 0; i < l->nlines; i++) {
		const struct pprof_line *n = &p->lines.v[l->first_line + i];

		part = stream(&w->part);
		varint_opt(&part, 1,
			   n->function == PPROF_NONE ? 0 : p->functions.v[n->function].id);
		varint_opt(&part, 2, (uint64_t)n->line);
		varint_opt(&part, 3, (uint64_t)n->column);
		inside(&s, 4, &w->part);
	}
	varint_opt(&s, 5, l->folded);
	emit(w, 4);
}

static void put_function(struct out *w, const struct pprof_function *f)
{
	pb_ostream_t s = stream(&w->msg);

	varint_opt(&s, 1, f->id);
	varint_opt(&s, 2, f->name);
	varint_opt(&s, 3, f->system_name);
	varint_opt(&s, 4, f->file);
	varint_opt(&s, 5, (uint64_t)f->start_line);
	emit(w, 5);
}

static void put_tables(struct out *w)
{
	const struct pprof *p = w->p;

	for (size_t i = 0; i < p->mappings.n; i++)
		put_mapping(w, &p->mappings.v[i]);
	for (size_t i = 0; i < p->locations.n; i++)
		put_location(w, &p->locations.v[i]);
	for (size_t i = 0; i < p->functions.n; i++)
		put_function(w, &p->functions.v[i]);
	for (size_t i = 0; i < p->priv->texts.n && !w->bad; i++) {
		w->msg.n = 0;
		str_putn(&w->msg, pprof_text(p, (uint32_t)i), pprof_text_len(p, (uint32_t)i));
		emit(w, 6);
	}
}

static void put_head(struct out *w)
{
	const struct pprof *p = w->p;
	const struct {
		uint32_t tag;
		uint64_t x;
	} opt[] = { { 7, p->drop_frames },
		    { 8, p->keep_frames },
		    { 9, (uint64_t)p->time_ns },
		    { 10, (uint64_t)p->duration_ns } };

	for (size_t i = 0; i < ARRAY_LEN(opt); i++)
		if (opt[i].x)
			emit_varint(w, opt[i].tag, opt[i].x);
	if (p->period_type.type || p->period_type.unit)
		put_type(w, 11, &p->period_type);
	if (p->period)
		emit_varint(w, 12, (uint64_t)p->period);
	for (size_t i = 0; i < p->comments.n; i++)
		emit_varint(w, 13, p->comments.v[i]);
	if (p->default_type)
		emit_varint(w, 14, p->default_type);
	if (p->doc_url)
		emit_varint(w, 15, p->doc_url);
}

struct err *pprof_write(const struct pprof *p, struct str *o)
{
	struct out w = { .p = p, .to = o };
	struct err *err = pprof_made(p);

	if (err)
		return err;
	/* runtime/pprof writes with gzip.BestSpeed */
	if (deflateInit2(&w.z, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return &err_nomem;
	for (size_t i = 0; i < p->types.n; i++)
		put_type(&w, 1, &p->types.v[i]);
	put_samples(&w);
	put_tables(&w);
	put_head(&w);
	pack(&w, "", 0, Z_FINISH);
	deflateEnd(&w.z);
	str_deinit(&w.msg);
	str_deinit(&w.part);
	free(w.frames);
	return w.bad ? &err_nomem : NULL;
}
