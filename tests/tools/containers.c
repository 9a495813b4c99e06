/*
 * containers.c - what limpet's decoders say of containers of a TARGET, one JSON line each.
 *
 *     containers TARGET FILE [OPTIONS of report]
 *
 * FILE (or - for stdin) has lines "ADDRESS RTYPE": where the container is (a map's or channel's
 * header) and the address of its type.  Values in the form of tests/goprogs/containers, show().
 */
#include "tool.h"

#include "base/str.h"
#include "goruntime/cont.h"

#include <math.h>

#define LONGEST (1 << 20) /* bytes of a string */
#define DEEPEST 16
#define ENOUGH	(8 << 20) /* bytes of one answer: a lie about a length has no end otherwise */

struct out {
	struct go_io *io;
	struct go_types *ts;
	const struct go *g;
	struct str s;
	bool more;
};

static void put_place(struct out *o, struct go_place p, unsigned depth);

static uint64_t word(struct out *o, taddr at, unsigned nbytes)
{
	uint64_t x = 0;
	struct err *err = go_io_read(o->io, at, &x, nbytes);

	if (err)
		str_printf(&o->s, "<%s>", err->msg);
	err_free(err);
	return x;
}

static void put_float(struct out *o, double x)
{
	if (isnan(x))
		str_put(&o->s, "NaN");
	else if (isinf(x))
		str_put(&o->s, x > 0 ? "+Inf" : "-Inf");
	else
		str_printf(&o->s, "%.17g", x);
}

static void put_double(struct out *o, taddr at, uint64_t nbytes)
{
	uint64_t bits = word(o, at, (unsigned)nbytes);
	float f;
	double d;

	memcpy(&f, &bits, sizeof(f));
	memcpy(&d, &bits, sizeof(d));
	put_float(o, nbytes == 4 ? (double)f : d);
}

/* Bytes of the target in a JSON string. */
static void put_text(struct out *o, const uint8_t *p, uint64_t n)
{
	for (uint64_t i = 0; i < n; i++) {
		if (p[i] < ' ' || p[i] > '~')
			str_printf(&o->s, "\\u%04x", p[i]);
		else
			str_printf(&o->s, p[i] == '"' || p[i] == '\\' ? "\\%c" : "%c", p[i]);
	}
}

static void put_string(struct out *o, taddr at)
{
	uint64_t data = word(o, at, 8), n = word(o, at + 8, 8);
	_cleanup_(freep) uint8_t *p = zalloc(1, n < LONGEST ? n + 1 : 1);
	struct err *err = NULL;

	if (n >= LONGEST || !p) {
		str_printf(&o->s, "<%" PRIu64 " bytes>", n);
		return;
	}
	if (n)
		err = target_read(o->g->t, data, p, n);
	str_put(&o->s, "\\\"");
	put_text(o, p, err ? 0 : n);
	str_put(&o->s, "\\\"");
	err_free(err);
}

static void put_row(struct out *o, taddr at, taddr elem, uint64_t n, unsigned depth)
{
	const struct go_type *t = go_type_at(o->ts, elem);

	str_put(&o->s, "[");
	for (uint64_t i = 0; t && i < n && i < LONGEST && o->s.n <= ENOUGH; i++) {
		str_put(&o->s, i ? " " : "");
		put_place(o, (struct go_place){ at + i * t->bytes, t }, depth + 1);
	}
	str_put(&o->s, "]");
}

static void put_struct(struct out *o, struct go_place p, unsigned depth)
{
	str_put(&o->s, "{");
	for (size_t i = 0; i < p.type->nfields; i++) {
		const struct go_type_field *f = &p.type->fields[i];

		str_put(&o->s, i ? " " : "");
		put_place(o, (struct go_place){ p.at + f->offset, go_type_at(o->ts, f->type) },
			  depth + 1);
	}
	str_put(&o->s, "}");
}

static void put_iface(struct out *o, struct go_place p, unsigned depth)
{
	struct go_place v = { 0 };
	struct err *err = go_iface_value(o->io, o->ts, p, &v);

	if (err) {
		str_printf(&o->s, "<%s>", err->msg);
		err_free(err);
	} else if (!v.type) {
		str_put(&o->s, "nil");
	} else {
		str_printf(&o->s, "(%s)", v.type->name);
		put_place(o, v, depth + 1);
	}
}

static void put_pointer(struct out *o, uint64_t x)
{
	if (x)
		str_printf(&o->s, "@" TADDR_FMT, x);
	else
		str_put(&o->s, "nil");
}

static void put_signed(struct out *o, struct go_place p)
{
	unsigned up = 64 - 8 * (unsigned)p.type->bytes;

	str_printf(&o->s, "%" PRId64,
		   (int64_t)(word(o, p.at, (unsigned)p.type->bytes) << up) >> up);
}

static void put_scalar(struct out *o, struct go_place p)
{
	uint64_t n = p.type->bytes;

	switch (p.type->kind) {
	case GO_BOOL:
		str_put(&o->s, word(o, p.at, 1) ? "true" : "false");
		break;
	case GO_FLOAT32:
	case GO_FLOAT64:
		put_double(o, p.at, n);
		break;
	case GO_COMPLEX64:
	case GO_COMPLEX128:
		str_put(&o->s, "(");
		put_double(o, p.at, n / 2);
		str_put(&o->s, ",");
		put_double(o, p.at + n / 2, n / 2);
		str_put(&o->s, ")");
		break;
	case GO_FUNC:
		str_put(&o->s, "func");
		break;
	case GO_CHAN:
	case GO_MAP:
	case GO_POINTER:
	case GO_UNSAFE_POINTER:
		put_pointer(o, word(o, p.at, 8));
		break;
	default:
		if (p.type->kind >= GO_INT && p.type->kind <= GO_INT64)
			put_signed(o, p);
		else
			str_printf(&o->s, "%" PRIu64, word(o, p.at, (unsigned)n));
	}
}

static void put_place(struct out *o, struct go_place p, unsigned depth)
{
	if (!p.type || depth > DEEPEST) {
		str_put(&o->s, p.type ? "<deep>" : "<no type>");
		return;
	}
	if (o->s.n > ENOUGH)
		return;
	switch (p.type->kind) {
	case GO_STRING:
		put_string(o, p.at);
		break;
	case GO_ARRAY:
		put_row(o, p.at, p.type->elem, p.type->len, depth);
		break;
	case GO_SLICE:
		put_row(o, word(o, p.at, 8), p.type->elem, word(o, p.at + 8, 8), depth);
		break;
	case GO_STRUCT:
		put_struct(o, p, depth);
		break;
	case GO_INTERFACE:
		put_iface(o, p, depth);
		break;
	default:
		put_scalar(o, p);
	}
}

static enum go_cont_go_on entry(void *arg, const struct go_cont_entry *e)
{
	struct out *o = arg;

	str_printf(&o->s, "%s[\"%s\",\"", o->more ? "," : "", e->label);
	o->more = true;
	if (e->key.at)
		put_place(o, e->key, 0);
	str_put(&o->s, "\",\"");
	put_place(o, e->elem, 0);
	str_put(&o->s, "\"]");
	return o->s.n > ENOUGH ? CONT_STOP : CONT_ON;
}

static enum go_cont_go_on fact(void *arg, const struct go_fact *f)
{
	struct out *o = arg;

	str_printf(&o->s, "%s\"%s\":", o->more ? "," : "", f->name);
	o->more = true;
	if (f->form == GO_FACT_BOOL)
		str_put(&o->s, f->n ? "true" : "false");
	else if (f->form == GO_FACT_NANOTIME)
		str_printf(&o->s, "%" PRId64, go_unix_of_nanotime(o->g, (int64_t)f->n));
	else if (f->form == GO_FACT_WORD)
		str_printf(&o->s, "\"%s\"", f->word);
	else
		str_printf(&o->s, "%" PRId64, (int64_t)f->n);
	return CONT_ON;
}

static enum go_cont_go_on part(void *arg, const struct go_map_part *p)
{
	struct out *o = arg;
	const struct go_type *t = go_type_at(o->ts, p->elem);

	str_printf(&o->s, "%s[%u,\"" TADDR_FMT "\",%" PRIu64 ",%" PRIu64 ",\"%s\"]",
		   o->more ? "," : "", p->what, p->at, p->count, p->elem_bytes, t ? t->name : "");
	o->more = true;
	return CONT_ON;
}

static struct err *one(struct out *o, taddr at, taddr type)
{
	struct go_place p = { at, go_type_at(o->ts, type) };
	const struct go_cont *c = go_cont_of(o->ts, p.type);
	struct err *err;

	if (!c)
		return err_bad_data("no container: %s", p.type ? p.type->name : "no type");
	str_printf(&o->s, ",\"word\":\"%s\",\"facts\":{", go_cont_word(c));
	o->more = false;
	err = go_cont_facts(c, o->io, o->ts, p, fact, o);
	str_put(&o->s, "},\"entries\":[");
	o->more = false;
	if (!err)
		err = go_cont_each(c, o->io, o->ts, p, entry, o);
	str_put(&o->s, "],\"parts\":[");
	o->more = false;
	if (!err)
		err = go_cont_parts(c, o->io, o->ts, p, part, o);
	str_put(&o->s, "]");
	return err;
}

static struct err *all(const struct session *s, FILE *in)
{
	_cleanup_(go_io_deinit) struct go_io io = { 0 };
	struct err *err = go_io_init_sparse(&io, s->s->go);
	uint64_t at, type;

	while (!err && fscanf(in, "%" SCNx64 " %" SCNx64, &at, &type) == 2) {
		struct out o = { .io = &io, .ts = s->s->rtypes, .g = s->s->go };
		struct err *bad;

		str_printf(&o.s, "{\"at\":\"" TADDR_FMT "\"", at);
		bad = one(&o, at, type);
		if (bad)
			str_printf(&o.s, ",\"error\":\"%s\"", bad->msg);
		err_free(bad);
		str_put(&o.s, "}");
		if (!str_ok(&o.s))
			err = &err_nomem;
		else
			puts(o.s.s);
		str_deinit(&o.s);
	}
	return err;
}

static struct err *run(int argc, char **argv)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(freep) char **v = zalloc((size_t)argc + 2, sizeof(*v));
	FILE *in = NULL;
	struct args a;
	struct err *err;

	if (argc < 3)
		return err_usage("containers TARGET FILE [OPTIONS]");
	in = strcmp(argv[2], "-") ? fopen(argv[2], "r") : stdin; /* before the walls go up */
	if (!v || !in)
		return v ? err_usage("%s: no such file", argv[2]) : &err_nomem;
	v[0] = argv[0];
	v[1] = (char *)(uintptr_t) "report";
	v[2] = argv[1];
	memcpy(v + 3, argv + 3, ((size_t)argc - 3) * sizeof(*v));
	err = args_parse(argc, v, &a);
	if (!err)
		err = session_open(&a, &s);
	if (!err)
		err = all(&s, in);
	fclose(in);
	return err;
}

int main(int argc, char **argv)
{
	return tool_end("containers", run(argc, argv));
}
