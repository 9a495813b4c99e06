/*
 * text_pop.c - populations as text: columns as wide as their cells, figures to the right.
 *
 * Under a row comes who holds it, in one line.  Text of the target is cleaned.
 */
#include "report/pop.h"
#include "report/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { WIDTH_MAX = 72, HOLDERS_SHOWN = 4 };

static void put_unix(struct str *o, uint64_t ns)
{
	time_t s = (time_t)(ns / 1000000000U);
	struct tm tm;
	char buf[40];

	if (ns && gmtime_r(&s, &tm) && strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S", &tm))
		str_put(o, buf);
	else
		str_put(o, "-");
}

static void put_ns(struct str *o, uint64_t n)
{
	char buf[32];
	int64_t ns = (int64_t)n;

	if (ns < 0)
		str_put(o, "-");
	str_put(o, text_ns(buf, ns < 0 ? 0 - n : n));
}

static void put_number(struct str *o, uint8_t form, uint64_t n)
{
	char buf[32], size[16];

	switch (form) {
	case POP_BYTES:
		str_put(o, str_bytes(size, n));
		break;
	case POP_ORDINAL:
		str_printf(o, "%" PRIu64, n);
		break;
	case POP_ADDR:
		str_printf(o, TADDR_FMT, n);
		break;
	case POP_NS:
		put_ns(o, n);
		break;
	case POP_UNIX_NS:
		put_unix(o, n);
		break;
	case POP_SHARE:
		str_printf(o, "%.1f%%", (double)n / 10);
		break;
	case POP_YES:
		str_put(o, n ? "yes" : "no");
		break;
	default:
		str_put(o, text_count(buf, n));
	}
}

static void put_cell(struct str *o, uint8_t form, const struct pop_cell *c)
{
	if (form == POP_TEXT)
		text_clean(o, c->s && *c->s ? c->s : "-");
	else if (c->n == POP_NONE || (form == POP_ADDR && !c->n))
		str_put(o, "-");
	else
		put_number(o, form, c->n);
}

/* Characters, not bytes: text is clean UTF-8 by now. */
static size_t width_of(const struct str *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += ((unsigned char)s->s[i] & 0xc0) != 0x80;
	return n;
}

static bool shown(const struct pop_col *c)
{
	return !(c->flags & POP_JSON_ONLY);
}

static void cell_text(struct str *o, const struct pop_col *c, const struct pop_cell *x)
{
	o->n = 0;
	if (o->s)
		o->s[0] = 0;
	put_cell(o, c->form, x);
}

static void widths(const struct pop_table *t, size_t w[static POP_COLS])
{
	_cleanup_(str_deinit) struct str s = { 0 };

	for (size_t k = 0; k < POP_COLS && t->cols[k].form != POP_END; k++) {
		w[k] = strlen(t->cols[k].title);
		for (size_t i = 0; i < t->rows.n; i++) {
			cell_text(&s, &t->cols[k], &t->rows.v[i].c[k]);
			w[k] = MAX(w[k], MIN(width_of(&s), (size_t)WIDTH_MAX));
		}
		if (t->cols[k].flags & POP_SUM) {
			cell_text(&s, &t->cols[k], &t->rest.c[k]);
			w[k] = MAX(w[k], MIN(width_of(&s), (size_t)WIDTH_MAX));
		}
	}
}

static bool is_last(const struct pop_table *t, size_t k)
{
	for (k++; k < POP_COLS && t->cols[k].form != POP_END; k++)
		if (shown(&t->cols[k]))
			return false;
	return true;
}

static void put_padded(struct str *o, const struct pop_table *t, size_t k, const struct str *s,
		       size_t width)
{
	int pad = (int)(width - MIN(width, width_of(s)));

	if (t->cols[k].form != POP_TEXT)
		str_printf(o, "%*s", pad, "");
	str_putn(o, s->s ? s->s : "", s->n);
	if (t->cols[k].form == POP_TEXT && !is_last(t, k))
		str_printf(o, "%*s", pad, "");
	str_put(o, is_last(t, k) ? "\n" : "  ");
}

static void put_title(struct str *o, enum text_style st, const struct pop_table *t,
		      const size_t w[static POP_COLS])
{
	_cleanup_(str_deinit) struct str line = { 0 };

	for (size_t k = 0; k < POP_COLS && t->cols[k].form != POP_END; k++) {
		_cleanup_(str_deinit) struct str s = { 0 };

		if (!shown(&t->cols[k]))
			continue;
		str_put(&s, t->cols[k].title);
		put_padded(&line, t, k, &s, w[k]);
	}
	if (line.n && str_ok(&line))
		line.s[line.n - 1] = 0;
	text_title(o, st, str_ok(&line) ? line.s : t->title);
}

static void put_node(struct str *o, const struct ans_holder *h)
{
	if (!strcmp(h->what, "skipped"))
		str_put(o, "\xe2\x80\xa6");
	else
		text_clean(o, *h->name ? h->name : h->type);
	text_labels(o, h->labels);
	if (*h->frame) {
		str_put(o, " in ");
		text_clean(o, h->frame);
	}
	text_clean(o, h->field);
}

/* "    held by main.cache -> map[string]*main.Session -> main.Session.buf" */
static void put_holders(struct str *o, const struct ans_path *p)
{
	size_t n = p->nodes.n;

	if (!n)
		return;
	str_put(o, "    held by ");
	for (size_t i = 0; i + 1 < n || i == 0; i++) {
		if (n > 2 * HOLDERS_SHOWN && i == HOLDERS_SHOWN) {
			str_put(o, " -> \xe2\x80\xa6");
			i = n - HOLDERS_SHOWN;
		}
		str_put(o, i ? " -> " : "");
		put_node(o, &p->nodes.v[i]);
	}
	str_put(o, "\n");
}

static void put_row(struct str *o, const struct pop_table *t, const struct pop_row *r,
		    const size_t w[static POP_COLS])
{
	_cleanup_(str_deinit) struct str s = { 0 };

	for (size_t k = 0; k < POP_COLS && t->cols[k].form != POP_END; k++) {
		if (!shown(&t->cols[k]))
			continue;
		cell_text(&s, &t->cols[k], &r->c[k]);
		put_padded(o, t, k, &s, w[k]);
	}
	put_holders(o, &r->path);
}

/* What fell off, with the sums of what adds up. */
static void put_rest(struct str *o, const struct pop_table *t, const size_t w[static POP_COLS])
{
	_cleanup_(str_deinit) struct str s = { 0 };
	bool said = false;
	char n[32];

	if (t->total <= t->rows.n)
		return;
	for (size_t k = 0; k < POP_COLS && t->cols[k].form != POP_END; k++) {
		const struct pop_col *c = &t->cols[k];

		if (!shown(c))
			continue;
		s.n = 0;
		if (s.s)
			s.s[0] = 0;
		if (c->flags & POP_SUM)
			put_cell(&s, c->form, &t->rest.c[k]);
		if (is_last(t, k) || (c->form == POP_TEXT && !said)) {
			str_printf(&s, "(%s more)", text_count(n, t->total - t->rows.n));
			said = true;
		}
		put_padded(o, t, k, &s, w[k]);
		if (said)
			break;
	}
	if (o->n && o->s[o->n - 1] != '\n')
		str_put(o, "\n");
}

static void put_table(struct str *o, enum text_style st, const struct pop_table *t)
{
	size_t w[POP_COLS] = { 0 };

	widths(t, w);
	put_title(o, st, t, w);
	for (size_t i = 0; i < t->rows.n; i++)
		put_row(o, t, &t->rows.v[i], w);
	if (!t->rows.n)
		str_put(o, "(none)\n");
	put_rest(o, t, w);
}

static void put_totals(struct str *o, const struct ans_pop *p)
{
	str_printf(o, "total   ");
	for (size_t i = 0; i < p->totals.n; i++) {
		const struct pop_total *x = &p->totals.v[i];
		struct pop_cell c = { .n = x->n };

		str_printf(o, "%s%s: ", i ? "; " : "", x->title);
		put_cell(o, x->form, &c);
	}
	str_put(o, "\n");
}

void text_pop(struct str *o, unsigned style, const struct ans_pop *p)
{
	enum text_style st = (enum text_style)style;

	for (size_t i = 0; i < p->ntables; i++) {
		str_put(o, "\n");
		if (p->ntables > 1)
			str_printf(o, "%s\n", p->tables[i].title);
		put_table(o, st, &p->tables[i]);
	}
	str_put(o, "\n");
	if (p->totals.n)
		put_totals(o, p);
	for (size_t i = 0; i < p->notes.n; i++) {
		str_put(o, "note    ");
		text_clean(o, p->notes.v[i]);
		str_put(o, "\n");
	}
}
