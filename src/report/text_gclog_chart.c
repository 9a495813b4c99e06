/*
 * text_gclog_chart.c - the live heap over time, in blocks of a terminal; the same as SVG.
 *
 * Bars: the most that was live in a column's time; dots above: the goal.
 */
#include "report/gclog.h"

#include <inttypes.h>
#include <stdio.h>

enum { ROWS = 10, COLUMNS_MOST = 400, MARGIN = 11 };

struct column {
	uint64_t live, goal; /* MiB; live UINT64_MAX: no cycle */
};

static size_t column_of(const struct gclog_stats *t, uint64_t at, size_t n)
{
	double span = (double)(t->to_ns - MIN(t->from_ns, t->to_ns)), x;

	x = span > 0 ? (double)(at - MIN(t->from_ns, at)) / span * (double)n : 0;
	return MIN((size_t)x, n - 1);
}

/* Columns without a cycle are as the one before. */
static void fill(const struct gclog_stream *s, struct column *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		c[i] = (struct column){ UINT64_MAX, 0 };
	for (size_t i = 0; i < s->cycles.n; i++) {
		const struct gclog_cycle *x = &s->cycles.v[i];
		struct column *to = &c[column_of(&s->st, x->at_ns, n)];

		to->live = to->live == UINT64_MAX ? x->heap2 : MAX(to->live, x->heap2);
		if (x->goal != GCLOG_NONE)
			to->goal = MAX(to->goal, x->goal);
	}
	for (size_t i = 1; i < n; i++)
		if (c[i].live == UINT64_MAX)
			c[i] = c[i - 1];
}

static uint64_t highest(const struct column *c, size_t n)
{
	uint64_t live = 1, all = 1;

	for (size_t i = 0; i < n; i++) {
		live = MAX(live, c[i].live == UINT64_MAX ? 0 : c[i].live);
		all = MAX(all, c[i].goal);
	}
	return all > 3 * live ? 3 * live : MAX(all, live); /* a far goal must not flatten it */
}

/* Eighths of a row. */
static unsigned height(uint64_t v, uint64_t top)
{
	return v == UINT64_MAX ? 0 : (unsigned)((double)v / (double)top * ROWS * 8 + 0.5);
}

static void put_row(struct str *o, enum text_style st, const struct column *c, size_t n,
		    unsigned row, uint64_t top)
{
	unsigned low = (ROWS - 1 - row) * 8;
	char buf[16], label[24] = "";

	if (row == 0 || row == ROWS / 2)
		snprintf(label, sizeof(label), "%s",
			 str_bytes(buf, (top << 20) / ROWS * (ROWS - row)));
	str_printf(o, "%*s %s", MARGIN - 2, label, st == TEXT_COLOR ? "\x1b[36m" : "");
	for (size_t i = 0; i < n; i++) {
		unsigned h = height(c[i].live, top), goal = height(c[i].goal, top);

		if (h > low)
			str_printf(o, "\xe2\x96%c", (char)(0x80 + MIN(h - low, 8U)));
		else
			str_put(o, goal > low && goal <= low + 8 ? "\xc2\xb7" : " ");
	}
	while (o->n && o->s[o->n - 1] == ' ')
		o->s[--o->n] = 0;
	str_put(o, st == TEXT_COLOR ? "\x1b[0m\n" : "\n");
}

void text_gclog_chart(struct str *o, enum text_style st, const struct ans_gclog *a)
{
	const struct gclog_stream *s = a->g->streams.v[a->main];
	struct column c[COLUMNS_MOST];
	size_t n = MIN(a->columns > 40 + MARGIN ? a->columns - MARGIN : 40U, COLUMNS_MOST);
	uint64_t top;
	char from[32], to[32];
	int gap;

	if (s->cycles.n < 3)
		return;
	fill(s, c, n);
	top = highest(c, n);
	str_put(o, "\nlive heap behind each collection, dots: the goal\n");
	for (unsigned row = 0; row < ROWS; row++)
		put_row(o, st, c, n, row, top);
	snprintf(from, sizeof(from), "%.1f s", (double)s->st.from_ns / 1e9);
	snprintf(to, sizeof(to), "%.1f s", (double)s->st.to_ns / 1e9);
	gap = (int)n - (int)strlen(from) - (int)strlen(to);
	str_printf(o, "%*s%s%*s%s\n", MARGIN - 1, "", from, MAX(gap, 1), "", to);
}

/* --- SVG --- */

enum { WIDTH = 900, HEIGHT = 360, LEFT = 80, RIGHT = 20, TOP = 40, BOTTOM = 40 };

struct frame {
	const struct gclog_stream *s;
	uint64_t top;
};

static double x_of(const struct frame *f, uint64_t at)
{
	double span = (double)MAX(f->s->st.to_ns - MIN(f->s->st.from_ns, f->s->st.to_ns), 1U);

	return LEFT + (double)(at - MIN(f->s->st.from_ns, at)) / span * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct frame *f, uint64_t v)
{
	return HEIGHT - BOTTOM - (double)MIN(v, f->top) / (double)f->top * (HEIGHT - TOP - BOTTOM);
}

enum line { LINE_LIVE, LINE_PEAK, LINE_GOAL };

static uint64_t value_of(const struct gclog_cycle *c, enum line l)
{
	return l == LINE_LIVE ? c->heap2 : l == LINE_PEAK ? c->heap1 : c->goal;
}

/* At most a few thousand points: the highest of each step. */
static void put_line(struct str *o, const struct frame *f, enum line l, const char *colour)
{
	size_t n = f->s->cycles.n, step = n / 2000 + 1;

	str_printf(o, "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" points=\"",
		   colour);
	for (size_t i = 0; i < n; i += step) {
		uint64_t v = 0, at = f->s->cycles.v[i].at_ns;

		for (size_t k = i; k < MIN(i + step, n); k++) {
			uint64_t x = value_of(&f->s->cycles.v[k], l);

			if (x != GCLOG_NONE)
				v = MAX(v, x);
		}
		if (v || l != LINE_GOAL)
			str_printf(o, "%.1f,%.1f ", x_of(f, at), y_of(f, v));
	}
	str_put(o, "\"/>\n");
}

static void put_axes(struct str *o, const struct frame *f)
{
	char buf[16];

	for (unsigned i = 0; i <= 4; i++) {
		double y = HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * i / 4.0;
		double x = LEFT + (WIDTH - LEFT - RIGHT) * i / 4.0;
		double s = (double)f->s->st.from_ns / 1e9 +
			   ((double)f->s->st.to_ns - (double)f->s->st.from_ns) / 1e9 * i / 4;

		str_printf(o,
			   "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>\n"
			   "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n"
			   "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.4g s</text>\n",
			   LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4,
			   str_bytes(buf, (f->top << 20) / 4 * i), x, HEIGHT - BOTTOM + 18, s);
	}
}

void svg_gclog(struct str *o, const struct ans_gclog *a)
{
	struct frame f = { a->g->streams.v[a->main], 1 };
	uint64_t live = 1;

	for (size_t i = 0; i < f.s->cycles.n; i++) {
		const struct gclog_cycle *c = &f.s->cycles.v[i];

		live = MAX(live, c->heap1);
		if (c->goal != GCLOG_NONE)
			f.top = MAX(f.top, c->goal);
	}
	f.top = MAX(live, MIN(f.top, 3 * live));
	str_printf(o,
		   /* a name, and no place to go to */
		   "<svg xmlns=\"http:"
		   "//www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		   "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\">\n"
		   "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n"
		   "<text x=\"%d\" y=\"20\" font-size=\"14\">stream %zu: %" PRIu64
		   " collections, verdict %s</text>\n",
		   WIDTH, HEIGHT, WIDTH, HEIGHT, LEFT, a->main + 1, f.s->st.cycles,
		   gclog_verdict_word(f.s->says.verdict));
	str_printf(
		o,
		"<text x=\"%d\" y=\"20\" text-anchor=\"end\"><tspan fill=\"#1b6ca8\">live</tspan> "
		"<tspan fill=\"#c47f17\">heap</tspan> <tspan fill=\"#999\">goal</tspan></text>\n",
		WIDTH - RIGHT);
	put_axes(o, &f);
	put_line(o, &f, LINE_GOAL, "#999");
	put_line(o, &f, LINE_PEAK, "#c47f17");
	put_line(o, &f, LINE_LIVE, "#1b6ca8");
	str_put(o, "</svg>\n");
}
