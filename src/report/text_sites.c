/*
 * text_sites.c - the program's memory profile as text.
 *
 * Columns and names are those of `go tool pprof -top`, and what it cannot know beside them.
 */
#include "report/text.h"

#include <inttypes.h>
#include <stdio.h>

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static void put_rate(struct str *o, const struct ans_profile *p)
{
	char s[16];

	if (p->rate == ANS_UNKNOWN || !p->rate)
		str_put(o, "at a rate that is not known, so not scaled");
	else if (p->rate == 1)
		str_printf(o, "of every allocation (MemProfileRate 1%s)",
			   p->rate_assumed ? ", assumed: most of the heap is in it" : "");
	else
		str_printf(o, "one every %s allocated (MemProfileRate %" PRIu64 "%s)",
			   str_bytes(s, p->rate), p->rate,
			   p->rate_assumed ? ", assumed: a heap dump does not tell it" : "");
}

static void put_profile(struct str *o, const struct ans_profile *p, uint64_t reachable)
{
	char n[2][32], s[2][16];

	if (!p->on) {
		str_printf(o, "%s\n", p->why);
		if (!p->samples)
			return;
	}
	str_put(o, "memory profile: samples ");
	put_rate(o, p);
	str_printf(o, "; %s reachable ones of %s stand for %s of %s\n", text_count(n[0], p->alive),
		   text_count(n[1], p->samples), str_bytes(s[0], p->bytes),
		   str_bytes(s[1], reachable));
	if (p->alive)
		str_put(o, "  retained: \xe2\x89\xa5 by the sampled objects alone, exact; ~ scaled "
			   "to all of the site's, an estimate\n");
}

/* A sign before the figure, wherever that begins. */
static void put_signed(struct str *o, bool guess, uint64_t bytes)
{
	char size[16];

	str_bytes(size, bytes);
	str_printf(o, "%*s%s%s ", (int)(10 - MIN(strlen(size), (size_t)10)), "",
		   guess ? "~" : "\xe2\x89\xa5", size);
}

static void put_retained(struct str *o, const struct ans_top *a, const struct ans_row *r)
{
	bool guess = r->site.retained_guess != ANS_UNKNOWN;
	char n[32];

	put_signed(o, guess, guess ? r->site.retained_guess : r->retained);
	if (a->trees & AGG_TREE_OWNER) {
		put_signed(o, false, r->retained);
		put_signed(o, false, r->owner_retained);
	}
	str_printf(o, "%10s  ", text_count(n, r->objects));
}

static void put_row(struct str *o, const struct ans_top *a, const struct ans_row *r)
{
	char s[3][16];

	if (!strcmp(a->sort, "alloc"))
		str_printf(o, "%10s  ", str_bytes(s[2], r->site.alloc_bytes));
	str_printf(o, "%10s %5.1f%% %10s %5.1f%%  ", str_bytes(s[0], r->shallow),
		   percent(r->shallow, a->profile.bytes), str_bytes(s[1], r->site.cum),
		   percent(r->site.cum, a->profile.bytes));
	if (r->site.sampled)
		put_retained(o, a, r);
	else
		str_printf(o, "%*s %10s  ", a->trees & AGG_TREE_OWNER ? 35 : 11, "", "");
	text_clean(o, r->name);
	str_put(o, "\n");
	if (a->brief)
		return;
	text_path(o, &r->path, "                                                            ");
}

void text_sites(struct str *o, enum text_style st, const struct ans_top *a)
{
	bool ever = !strcmp(a->sort, "alloc");
	char head[128];

	put_profile(o, &a->profile, a->total_bytes);
	if (!a->rows.n)
		return;
	snprintf(head, sizeof(head), "%s%10s %6s %10s %6s  %11s %s%10s  %s",
		 ever ? " allocated  " : "", "flat", "", "cum", "", "retained",
		 a->trees & AGG_TREE_OWNER ? "    (exact)     (owner) " : "", "objects", "site");
	text_title(o, st, head);
	for (size_t i = 0; i < a->rows.n; i++)
		put_row(o, a, &a->rows.v[i]);
}

static void put_frame(struct str *o, const struct ans_frame *f)
{
	text_clean(o, f->function);
	str_put(o, " ");
	text_clean(o, f->file);
	str_printf(o, ":%d\n", f->line);
}

/* "inferred: 12 of 14 sampled main.Session under main.cache: main.newSession session.go:41" */
static void put_inferred(struct str *o, const struct ans_origin *a, const char *indent, size_t max)
{
	uint64_t others = a->others;
	char n[2][32];

	for (size_t i = 0; i < a->sites.n; i++) {
		if (i >= max) {
			others += a->sites.v[i].count;
			continue;
		}
		str_printf(o, "%s%s %s of %s", indent,
			   i ? "                   " : "allocated, inferred:",
			   text_count(n[0], a->sites.v[i].count), text_count(n[1], a->of));
		if (!i) {
			str_put(o, " sampled ");
			text_clean(o, a->like);
		}
		str_put(o, ": ");
		put_frame(o, &a->sites.v[i].frame);
	}
	if (others)
		str_printf(o, "%s                     %s of %s elsewhere\n", indent,
			   text_count(n[0], others), text_count(n[1], a->of));
}

/* "allocated, by the code: main.newSession session.go:41 (no other call makes main.Session; …)"
 */
static void put_by_code(struct str *o, const struct ans_origin *a, const char *indent, size_t max)
{
	size_t n = MIN(a->sites.n, max);
	uint64_t more = a->others + (a->sites.n - n);

	for (size_t i = 0; i < n; i++) {
		str_printf(o, "%s%s ", indent,
			   i ? "                       " : "allocated, by the code:");
		put_frame(o, &a->sites.v[i].frame);
	}
	str_printf(o, "%s                        (", indent);
	if (a->sites.n == 1 && !a->others) {
		str_put(o, "no other call makes ");
	} else {
		str_put(o, "calls that make ");
	}
	text_clean(o, a->like);
	if (more)
		str_printf(o, "; %" PRIu64 " more", more);
	str_put(o, "; reflection may)\n");
}

void text_origin(struct str *o, const struct ans_origin *a, const char *indent, size_t n)
{
	if (a->by_code) {
		put_by_code(o, a, indent, n);
		return;
	}
	if (a->why && *a->why)
		str_printf(o, "%sallocated: not known (%s)\n", indent, a->why);
	if (!a->sampled) {
		put_inferred(o, a, indent, n);
		return;
	}
	for (size_t i = 0; i < a->stack.n && i < n; i++) {
		str_printf(o, "%s%s", indent, i ? "  from " : "allocated by ");
		put_frame(o, &a->stack.v[i]);
	}
	if (a->stack.n > n && n > 1)
		str_printf(o, "%s  and %zu more\n", indent, a->stack.n - n);
}
