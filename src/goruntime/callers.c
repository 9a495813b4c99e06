/*
 * callers.c - return addresses looked up once each, and expanded by what is inlined there.
 *
 * Knows nothing of who recorded them.  About 80 bytes a frame of each address.
 */
#include "goruntime/callers.h"

#define FRAMES_MAX 64 /* at one pc */

void go_callers_deinit(struct go_callers *c)
{
	free(c->tab);
	vec_free(&c->lines);
	*c = (struct go_callers){ 0 };
}

static struct go_callers_pc *slot_of(const struct go_callers *c, taddr pc)
{
	size_t i = (size_t)((pc * 0x9e3779b97f4a7c15ULL) >> 20) & (c->cap - 1);

	while (c->tab[i].pc && c->tab[i].pc != pc)
		i = (i + 1) & (c->cap - 1);
	return &c->tab[i];
}

static bool grow(struct go_callers *c)
{
	struct go_callers to = *c;

	to.cap = c->cap ? 2 * c->cap : 4096;
	to.tab = zalloc(to.cap, sizeof(*to.tab));
	if (!to.tab)
		return false;
	for (size_t i = 0; i < c->cap; i++)
		if (c->tab[i].pc)
			*slot_of(&to, c->tab[i].pc) = c->tab[i];
	free(c->tab);
	*c = to;
	return true;
}

static bool look_up(struct go_callers *c, struct go_callers_pc *p)
{
	struct go_line lines[FRAMES_MAX];
	size_t n = go_lines_at(c->g, p->pc - 1, lines, FRAMES_MAX);

	p->first = (uint32_t)c->lines.n;
	for (size_t i = 0; i < n; i++)
		if (!vec_push(&c->lines, lines[i]))
			return false;
	p->n = (uint32_t)n;
	return true;
}

const struct go_line *go_callers_at(struct go_callers *c, taddr pc, size_t *ret_n)
{
	struct go_callers_pc *p;

	*ret_n = 0;
	if (!pc || c->bad)
		return NULL;
	if (2 * c->n >= c->cap && !grow(c)) {
		c->bad = true;
		return NULL;
	}
	p = slot_of(c, pc);
	if (!p->pc) {
		p->pc = pc;
		c->n++;
		c->bad = !look_up(c, p);
	}
	*ret_n = p->n;
	return p->n ? c->lines.v + p->first : NULL;
}

/* Does the next address of the stack stand for an outer frame at this pc? */
static bool is_listed(const struct go_line *lines, size_t n, const taddr *next)
{
	for (size_t k = 1; k < n && next; k++)
		if (*next == lines[k].pc + 1)
			return true;
	return false;
}

size_t go_callers_expand(struct go_callers *c, enum go_callers_of of, const taddr *pcs, size_t n,
			 taddr *ret, size_t max)
{
	bool panics = false; /* the frame before */
	size_t got = 0, nlines;

	for (size_t i = 0; i < n && got < max; i++) {
		const struct go_line *lines = go_callers_at(c, pcs[i], &nlines);

		if (!nlines || of == GO_CALLERS_LISTED || !lines[0].wrapper || panics)
			ret[got++] = pcs[i];
		panics = nlines && lines[0].panics;
		if (is_listed(lines, nlines, i + 1 < n ? &pcs[i + 1] : NULL))
			continue;
		for (size_t k = 1; k < nlines && got < max; k++) {
			if (!lines[k].wrapper || panics)
				ret[got++] = lines[k].pc + 1;
			panics = lines[k].panics;
		}
	}
	return got;
}
