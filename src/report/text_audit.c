/*
 * text_audit.c - `limpet audit` as text: the process, then a paragraph for each instance.
 */
#include "report/text.h"
#include "snapshot/look.h"

#include <inttypes.h>

static void put_value(struct str *o, const struct ans_setting *s)
{
	char t[32], b[16];

	if (s->form == GO_FACT_NS && s->value > 0)
		str_put(o, text_ns(t, (uint64_t)s->value));
	else if (s->form == GO_FACT_BYTES)
		str_put(o, s->unset ? "none" : str_bytes(b, (uint64_t)s->value));
	else if (s->form == GO_FACT_BOOL)
		str_put(o, s->value ? "true" : "false");
	else
		str_printf(o, "%" PRId64, s->value);
}

static void put_setting(struct str *o, const struct ans_setting *s)
{
	str_printf(o, "  %-22s ", s->name);
	put_value(o, s);
	if (*s->meaning)
		str_printf(o, "   %s", s->meaning);
	str_put(o, "\n");
}

static void put_count(struct str *o, const char **sep, uint64_t n, const char *what)
{
	char buf[32];

	if (!n)
		return;
	str_printf(o, "%s%s %s", *sep, text_count(buf, n), what);
	*sep = ", ";
}

static void put_hangs(struct str *o, const struct ans_limited *k)
{
	const char *sep = "";

	str_put(o, "  now: ");
	put_count(o, &sep, k->conns, k->conns == 1 ? "connection" : "connections");
	put_count(o, &sep, k->idle, "of them idle");
	put_count(o, &sep, k->open_bodies, "with an answer whose body is open");
	put_count(o, &sep, k->dropped, "of these dropped");
	put_count(o, &sep, k->headers, "waiting for a header");
	put_count(o, &sep, k->serving, "in a handler");
	put_count(o, &sep, k->waiting, k->waiting == 1 ? "goroutine waits" : "goroutines wait");
	put_count(o, &sep, k->waited, "times somebody had to wait");
	str_put(o, *sep ? "\n" : "nothing hangs on it\n");
}

static void put_row(struct str *o, const struct ans_limited *k)
{
	str_put(o, "\n");
	text_clean(o, k->type);
	if (*k->name && strcmp(k->name, k->type) != 0) {
		str_put(o, "  ");
		text_clean(o, k->name);
	}
	str_printf(o, "  at 0x%" PRIx64 "\n", k->addr);
	if (*k->says)
		str_printf(o, "  LOOK: %s\n", k->says);
	put_hangs(o, k);
	for (size_t i = 0; i < k->nsettings; i++)
		put_setting(o, &k->settings[i]);
	text_path(o, &k->holder, "  ");
}

void text_audit(struct str *o, enum text_style st, const struct ans_audit *a)
{
	char n[32];

	text_title(o, st, "Limits of the process");
	for (size_t i = 0; i < a->process.n; i++)
		put_setting(o, &a->process.v[i]);
	str_put(o, "\n");
	text_title(o, st, "Servers, clients, pools");
	if (!a->rows.n)
		str_put(o, "none is reachable\n");
	for (size_t i = 0; i < a->rows.n; i++)
		put_row(o, &a->rows.v[i]);
	if (a->total > a->rows.n)
		str_printf(o, "\n%s more (--limit)\n", text_count(n, a->total - a->rows.n));
}
