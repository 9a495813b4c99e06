/*
 * cont_text.c - strings, slices, and what is built of them: buffers, builders.
 *
 * data, len and cap are facts; what lies at data is read by who shows it.  Source: reflect/value.go
 * (StringHeader, SliceHeader), bytes/buffer.go, strings/builder.go.
 */
#include "goruntime/cont_priv.h"

static struct err *tell(struct cont_out *o, uint64_t data, uint64_t len, uint64_t cap)
{
	if (len > cap || cap >> 47)
		return err_bad_data("len %" PRIu64 ", cap %" PRIu64, len, cap);
	cont_fact(o, "len", GO_FACT_NUMBER, len);
	cont_fact(o, "cap", GO_FACT_NUMBER, cap);
	cont_fact(o, "data", GO_FACT_ADDR, data);
	return NULL;
}

static struct err *string_facts(const struct cont *c, struct cont_out *o)
{
	uint64_t w[2];
	struct err *err = go_io_read(c->io, c->at, w, sizeof(w));

	return err ? err : tell(o, w[0], w[1], w[1]);
}

static struct err *slice_facts(const struct cont *c, struct cont_out *o)
{
	uint64_t w[3];
	struct err *err = go_io_read(c->io, c->at, w, sizeof(w));

	return err ? err : tell(o, w[0], w[1], w[2]);
}

static struct err *slice_each(const struct cont *c, struct cont_out *o)
{
	const struct go_type *elem = go_type_at(c->ts, c->type->elem);
	uint64_t w[3];
	struct err *err = go_io_read(c->io, c->at, w, sizeof(w));

	if (err)
		return err;
	if (w[1] > w[2] || w[2] >> 47 || !elem)
		return err_bad_data("len %" PRIu64 ", cap %" PRIu64, w[1], w[2]);
	for (uint64_t i = 0; i < MIN(w[1], CONT_MAX_STEPS) && !o->stopped; i++)
		cont_value(o, "", i, (struct go_place){ w[0] + i * elem->bytes, elem });
	return NULL;
}

static struct err *slice_parts(const struct cont *c, struct cont_out *o)
{
	const struct go_type *elem = go_type_at(c->ts, c->type->elem);
	uint64_t w[3];
	struct err *err = go_io_read(c->io, c->at, w, sizeof(w));

	if (!err && elem && w[1] <= w[2] && !(w[2] >> 47))
		cont_part(o, GO_PART_VALUE, w[0], w[2], elem->addr, elem->bytes);
	return err;
}

/* buf []byte or a string s, of which a front part may have been read. */
static struct err *buffer_facts(const struct cont *c, struct cont_out *o)
{
	uint64_t w[3], off = 0;
	struct go_place p;
	struct err *err = cont_field(c, "off", &p);

	if (!err && !p.at)
		err = cont_field(c, "i", &p); /* Reader */
	if (!err && p.at)
		err = cont_int(c, p, &off);
	if (!err)
		err = cont_field(c, "buf", &p);
	if (!err && !p.at)
		err = cont_field(c, "s", &p);
	if (err || !p.at)
		return err;
	err = go_io_read(c->io, p.at, w, p.type->kind == GO_STRING ? 16 : 24);
	if (err)
		return err;
	if (p.type->kind == GO_STRING)
		w[2] = w[1];
	if (off > w[1])
		return err_bad_data("read up to %" PRIu64 " of %" PRIu64, off, w[1]);
	cont_fact(o, "read", GO_FACT_NUMBER, off);
	return tell(o, w[0] + off, w[1] - off, w[2]);
}

const struct go_cont cont_string = {
	.word = "string",
	.kind = GO_STRING,
	.facts = string_facts,
};

const struct go_cont cont_slice = {
	.word = "slice",
	.kind = GO_SLICE,
	.holds = true,
	.facts = slice_facts,
	.each = slice_each,
	.parts = slice_parts,
};

const struct go_cont cont_buffer = {
	.word = "buffer",
	.names = "bytes.Buffer|strings.Builder|bytes.Reader|strings.Reader",
	.kind = GO_STRUCT,
	.facts = buffer_facts,
};
