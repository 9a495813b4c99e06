/*
 * gclog_piece.c - a cycle's line put together again from pieces with other output between them.
 *
 * The cheapest way through a table (byte, step): a piece that fits costs nothing, other output
 * between two pieces costs a little, the less the more it looks like whole lines; a number that is
 * cut in the middle of digits costs more.  It may begin at any "gc ".  So what another program
 * wrote in between is left out, also if it looks like a piece itself.  Time and memory: bytes *
 * steps.
 */
#include "evidence/gclog_priv.h"

enum {
	MOST = 8 << 10,	   /* bytes looked at */
	COST_LINE = 1,	   /* a line of other output */
	COST_GAP = 32,	   /* other output begins */
	COST_NO_LINE = 48, /* and ends in the middle of a line */
	COST_SPLIT = 96,   /* digits of two numbers, one behind the other */
	COST_MOST =
		800, /* two lines in each other, piece by piece: numbers are not to be trusted */
	NEVER = UINT16_MAX,
};

/* Two layers: [0] the next piece begins here, [1] here is other output. */
struct cell {
	uint16_t cost;
	uint8_t step;  /* came from that step */
	uint8_t layer; /* and layer */
	uint16_t back; /* bytes before */
};

struct table {
	const char *text;
	size_t n;
	struct cell *cells; /* (n + 1) * (GCLOG_STEPS + 1) * 2 */
};

static struct cell *at(const struct table *t, size_t pos, unsigned step, unsigned layer)
{
	return &t->cells[(pos * (GCLOG_STEPS + 1) + step) * 2 + layer];
}

static void reach(struct cell *to, unsigned cost, unsigned step, unsigned layer, size_t back)
{
	if (cost < to->cost)
		*to = (struct cell){ (uint16_t)cost, (uint8_t)step, (uint8_t)layer,
				     (uint16_t)back };
}

static bool is_digit(const struct table *t, size_t pos)
{
	return pos < t->n && t->text[pos] >= '0' && t->text[pos] <= '9';
}

/* "2026-11-22", "2026/11/22": how most lines of logs begin. */
static bool is_date(const struct table *t, size_t pos)
{
	const char *p = t->text + pos;

	return pos + 7 < t->n && p[0] == '2' && p[1] == '0' && is_digit(t, pos + 2) &&
	       is_digit(t, pos + 3) && (p[4] == '-' || p[4] == '/') && is_digit(t, pos + 5) &&
	       is_digit(t, pos + 6) && p[7] == p[4];
}

/* The pieces that may begin here. */
static void pieces(const struct table *t, size_t pos, unsigned step, unsigned cost)
{
	struct gclog_fields f;
	size_t k = gclog_step_at(step, t->text + pos, t->n - pos, SIZE_MAX, &f);
	bool number = !gclog_steps[step].text;

	if (gclog_steps[step].form == GCLOG_MAYBE)
		reach(at(t, pos, step + 1, 0), cost, step, 0, 0);
	if (!k)
		return;
	/* pos stands in the middle of digits: somebody else's */
	if (number && pos && is_digit(t, pos - 1))
		cost += COST_SPLIT;
	for (size_t cut = 1; number && cut < k; cut++) {
		if (!is_digit(t, pos + cut) || t->text[pos + cut - 1] == '.')
			continue;
		if (is_date(t, pos + cut)) {
			reach(at(t, pos + cut, step + 1, 0), cost, step, 0, cut);
			cost += COST_SPLIT; /* all of it is not the number */
		} else {
			reach(at(t, pos + cut, step + 1, 0), cost + COST_SPLIT, step, 0, cut);
		}
	}
	reach(at(t, pos + k, step + 1, 0), cost, step, 0, k);
}

static void visit(const struct table *t, size_t pos, unsigned step)
{
	struct cell *here = at(t, pos, step, 0), *gap = at(t, pos, step, 1);

	if (gap->cost != NEVER) {
		bool line = pos && t->text[pos - 1] == '\n';

		reach(here, gap->cost + (line ? 0U : COST_NO_LINE), step, 1, 0);
		if (pos < t->n)
			reach(at(t, pos + 1, step, 1),
			      gap->cost + (t->text[pos] == '\n' ? COST_LINE : 0U), step, 1, 1);
	}
	if (here->cost > COST_MOST)
		return;
	if (step && pos < t->n) /* other output begins */
		reach(at(t, pos + 1, step, 1), here->cost + COST_GAP, step, 0, 1);
	pieces(t, pos, step, here->cost);
}

/* From the end back to "gc ": which bytes are the cycle's, and what they say. */
static size_t collect(const struct table *t, size_t pos, uint8_t *taken, struct gclog_fields *f)
{
	unsigned step = GCLOG_STEPS, layer = 0;

	*f = (struct gclog_fields){ 0 };
	while (step || layer) {
		const struct cell *c = at(t, pos, step, layer);
		size_t from = pos - c->back;

		if (!layer && !c->layer && c->step + 1U == step && c->back) {
			gclog_step_at(c->step, t->text + from, t->n - from, c->back, f);
			if (!gclog_steps[c->step].text)
				f->split |= (from && is_digit(t, from - 1)) ||
					    (is_digit(t, pos) && !is_date(t, pos));
			memset(taken + from, 1, c->back);
		}
		pos = from;
		step = c->step;
		layer = c->layer;
	}
	return pos;
}

static struct err *make_table(struct table *t)
{
	size_t ncells = (t->n + 1) * (GCLOG_STEPS + 1) * 2;

	t->cells = malloc(ncells * sizeof(*t->cells));
	if (!t->cells)
		return &err_nomem;
	for (size_t i = 0; i < ncells; i++)
		t->cells[i].cost = NEVER;
	return NULL;
}

struct err *gclog_piece(const char *text, size_t n, uint8_t *taken, struct gclog_fields *f,
			size_t *ret_from)
{
	struct table t = { text, MIN(n, (size_t)MOST), NULL };
	struct err *err = make_table(&t);
	_cleanup_(freep) void *cells = t.cells;
	size_t best = SIZE_MAX;

	(void)cells; /* only to be freed */

	*ret_from = SIZE_MAX;
	if (err)
		return err;
	for (size_t pos = 0; pos <= t.n; pos++) {
		if (pos + 3 <= t.n && !memcmp(t.text + pos, "gc ", 3))
			at(&t, pos, 0, 0)->cost = 0;
		for (unsigned step = 0; step < GCLOG_STEPS; step++)
			visit(&t, pos, step);
		if (at(&t, pos, GCLOG_STEPS, 0)->cost != NEVER &&
		    (best == SIZE_MAX ||
		     at(&t, pos, GCLOG_STEPS, 0)->cost < at(&t, best, GCLOG_STEPS, 0)->cost))
			best = pos;
	}
	if (best == SIZE_MAX)
		return NULL;
	*ret_from = collect(&t, best, taken, f);
	if (t.n - best >= 9 && !memcmp(t.text + best, " (forced)", 9)) {
		f->forced = true;
		memset(taken + best, 1, 9);
	}
	return NULL;
}
