/*
 * text_diff.c - `limpet diff` for people: what the looks are, what grew, and whether it stays.
 */
#include "report/answer_diff.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { BRIEF = 8, WAYS = 5 };

/* "+1.2 MiB", "-3 B", "0 B" */
static char *grown(char buf[static 24], int64_t n)
{
	char s[16];

	if (n == ANS_DIFF_NONE) {
		snprintf(buf, 24, "?");
		return buf;
	}
	str_bytes(s, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
	snprintf(buf, 24, "%s%s", n > 0 ? "+" : n < 0 ? "-" : "", s);
	return buf;
}

static char *when(char buf[static 40], uint64_t unix_ns)
{
	time_t s = (time_t)(unix_ns / 1000000000U);
	struct tm tm;

	if (!unix_ns || !gmtime_r(&s, &tm) || !strftime(buf, 40, "%Y-%m-%d %H:%M:%S", &tm))
		snprintf(buf, 40, "?");
	return buf;
}

/* "1 collection", "3 collections" */
static void put_cycles(struct str *o, uint64_t n)
{
	char c[32];

	str_printf(o, "%s collection%s", text_count(c, n), n == 1 ? "" : "s");
}

/* What is compared, and how sure that is: the first line. */
static void put_first(struct str *o, const struct ans_diff *a)
{
	char buf[32], n[32];

	str_put(o, "diff    ");
	if (!a->identity) {
		str_printf(o, "%s: compared by names",
			   !strcmp(a->same, "other") ? "different programs" : "another process");
		if (a->norm.per)
			str_printf(o, ", per %s", a->norm.per);
		str_put(o, " (");
		text_clean(o, a->why);
		str_put(o, ")\n");
		return;
	}
	str_put(o, "the same process");
	if (a->ns != ANS_UNKNOWN)
		str_printf(o, ", %s apart", text_ns(buf, a->ns));
	if (a->cycles != ANS_UNKNOWN) {
		str_put(o, ", ");
		put_cycles(o, a->cycles);
		str_put(o, " between");
	}
	if (*a->why)
		str_printf(o, " (%s)", a->why);
	if (a->exact || !a->total.maybe.objects)
		str_put(o, a->exact ? "; exact, object by object\n" : "\n");
	else
		str_printf(o, "; of the survivors %s may be others in reused slots\n",
			   text_count(n, a->total.maybe.objects));
}

/* A collection that is neither the first look's nor the second's is told by its marks alone. */
static void put_followed(struct str *o, const struct ans_diff_followed *f)
{
	char n[32], all[32], bytes[16];

	str_put(o, "followed: ");
	if (f->cycles || f->missed)
		str_printf(o, "%s of %s collections in between were seen", text_count(n, f->cycles),
			   text_count(all, f->cycles + f->missed));
	else
		str_put(o, "no collection in between that the looks themselves do not tell of");
	if (f->unknown)
		str_printf(o, ", of %s spans not each", text_count(n, f->unknown));
	if (f->why)
		str_printf(o, " (%s)", f->why);
	str_printf(o, "; %s of its memory read meanwhile\n", str_bytes(bytes, f->read_bytes));
}

static void put_looks(struct str *o, enum text_style st, const struct ans_diff *a)
{
	text_title(o, st,
		   "look when                 cycles      objects       bytes  goroutines        "
		   "RSS  up");
	for (size_t i = 0; i < a->nlooks; i++) {
		const struct ans_diff_look *l = &a->looks[i];
		char t[40], n[3][32], s[2][16], up[32];

		str_printf(o, "%3zu  %-19s %7s %12s %11s %11s %10s  %-10s ", i + 1,
			   when(t, l->at_unix_ns),
			   l->cycles == ANS_UNKNOWN ? "?" : text_count(n[0], l->cycles),
			   text_count(n[1], l->objects), str_bytes(s[0], l->bytes),
			   text_count(n[2], l->goroutines),
			   l->rss == ANS_UNKNOWN ? "?" : str_bytes(s[1], l->rss),
			   l->up_ns ? text_ns(up, l->up_ns) : "?");
		text_clean(o, l->name);
		str_put(o, "\n");
	}
}

static void put_counts(struct str *o, const char *word, const struct ans_diff_count *c)
{
	char n[32], s[16];

	str_printf(o, "%s %s (%s)", word, text_count(n, c->objects), str_bytes(s, c->bytes));
}

static void put_rates(struct str *o, const struct ans_diff *a, const struct ans_diff_row *r)
{
	char g[24];

	if (r->per_gc != ANS_DIFF_NONE)
		str_printf(o, ", %s a collection", grown(g, r->per_gc));
	if (r->per_second != ANS_DIFF_NONE)
		str_printf(o, ", %s a second", grown(g, r->per_second));
	if (a->norm.per && a->norm.old > 0 && a->norm.now > 0)
		str_printf(o, "; %s per %s then, %s now",
			   grown(g, (int64_t)((double)r->old.bytes / a->norm.old)), a->norm.per,
			   grown((char[24]){ 0 }, (int64_t)((double)r->now.bytes / a->norm.now)));
}

static void put_total(struct str *o, const struct ans_diff *a)
{
	const struct ans_diff_row *t = &a->total;
	char g[24], n[32];

	str_printf(o, "grown   %s", grown(g, t->growth_bytes));
	put_rates(o, a, t);
	str_put(o, "\n");
	if (!a->identity)
		return;
	put_counts(o, "objects", &t->survived);
	str_put(o, " survived");
	if (t->maybe.objects)
		str_printf(o, " (%s of them maybe)", text_count(n, t->maybe.objects));
	put_counts(o, ",", &t->born);
	str_put(o, " came");
	if (t->reused.objects)
		str_printf(o, " (%s into slots of others)", text_count(n, t->reused.objects));
	put_counts(o, ",", &t->died);
	str_put(o, " went\n");
}

/* How many collections those that are there now have outlived. */
static void put_ages(struct str *o, const struct ans_diff *a)
{
	const struct ans_diff_look *now = &a->looks[a->nlooks - 1];
	const char *between = "age     ";

	if (!a->identity || now->cycles == ANS_UNKNOWN)
		return;
	for (size_t i = 0; i < a->nlooks; i++) {
		uint64_t then = a->looks[i].cycles;

		if (then == ANS_UNKNOWN)
			continue;
		put_counts(o, between, &a->total.aged[i]);
		if (i + 1 == a->nlooks) {
			str_put(o, " came since then");
		} else {
			str_put(o, " survived ");
			put_cycles(o, now->cycles - then);
			str_put(o, i ? "" : " at least");
		}
		between = ", ";
	}
	str_put(o, "\n");
}

static void put_title(struct str *o, enum text_style st, const struct ans_diff *a,
		      const struct ans_diff_table *t)
{
	char head[200];
	int n = 0;

	n += snprintf(head, sizeof(head), "\n%11s %11s %11s", "growth", "old", "new");
	if (t->rows.n && t->rows.v[0].retained_growth != ANS_DIFF_NONE)
		n += snprintf(head + n, sizeof(head) - (size_t)n, " %11s", "retained");
	if (t->identity)
		n += snprintf(head + n, sizeof(head) - (size_t)n, " %11s %11s %11s", "survived",
			      "came", "went");
	else
		n += snprintf(head + n, sizeof(head) - (size_t)n, " %11s %11s", "objects then",
			      "now");
	if (a->nlooks > 2 && t->identity)
		n += snprintf(head + n, sizeof(head) - (size_t)n, "  %-11s", "under load");
	snprintf(head + n, sizeof(head) - (size_t)n, "  %.40s", t->by);
	text_title(o, st, head);
}

/* "8,192"; where it is not certain "<=8,192" or "100-8,192". */
static char *survived(char buf[static 32], const struct ans_diff_row *r)
{
	char n[2][32];

	if (!r->maybe.objects)
		return text_count(buf, r->survived.objects);
	text_count(n[1], r->survived.objects);
	if (r->maybe.objects >= r->survived.objects)
		snprintf(buf, 32, "<=%.28s", n[1]);
	else
		snprintf(buf, 32, "%.14s-%.14s",
			 text_count(n[0], r->survived.objects - r->maybe.objects), n[1]);
	return buf;
}

static void put_row(struct str *o, const struct ans_diff *a, const struct ans_diff_table *t,
		    const struct ans_diff_row *r)
{
	char g[24], s[2][16], n[3][32];

	str_printf(o, "%11s %11s %11s", grown(g, r->growth_bytes), str_bytes(s[0], r->old.bytes),
		   str_bytes(s[1], r->now.bytes));
	if (t->rows.v[0].retained_growth != ANS_DIFF_NONE)
		str_printf(o, " %11s", grown(g, r->retained_growth));
	if (t->identity)
		str_printf(o, " %11s %11s %11s", survived(n[0], r),
			   text_count(n[1], r->born.objects), text_count(n[2], r->died.objects));
	else
		str_printf(o, " %12s %11s", text_count(n[0], r->old.objects),
			   text_count(n[1], r->now.objects));
	if (a->nlooks > 2 && t->identity)
		str_printf(o, "  %-11s", ans_diff_fate_word(r->fate));
	str_put(o, "  ");
	text_clean(o, r->name);
	str_put(o, "\n");
}

/* Who holds what grew, and where its like are allocated. */
static void put_place(struct str *o, const struct ans_diff_row *r)
{
	if (r->holder.nodes.n)
		text_path(o, &r->holder, "            ");
	if (!r->site.n)
		return;
	str_put(o, "            allocated at ");
	text_clean(o, r->site.v[0].function);
	str_put(o, " (");
	text_clean(o, r->site.v[0].file);
	str_printf(o, ":%d)\n", r->site.v[0].line);
}

static void put_table(struct str *o, enum text_style st, const struct ans_diff *a, size_t i)
{
	const struct ans_diff_table *t = &a->tables.v[i];
	size_t n = i ? MIN(t->rows.n, (size_t)BRIEF) : t->rows.n;
	char c[32];

	put_title(o, st, a, t);
	for (size_t k = 0; k < n; k++) {
		put_row(o, a, t, &t->rows.v[k]);
		if (!i && k < WAYS)
			put_place(o, &t->rows.v[k]);
	}
	if (t->nrows > n)
		str_printf(o, "            and %s more; --by %s --limit N\n",
			   text_count(c, t->nrows - n), t->by);
}

static void put_legend(struct str *o, const struct ans_diff *a)
{
	if (a->nlooks < 3 || !a->identity)
		return;
	str_put(o,
		"under load: stayed: came after the first look and is still there at the last: a leak "
		"if the\nwork was done by then; turned over: others took the place of what came, as "
		"in a cache; gone: it\nwas let go; steady: less than 16 KiB came\n");
}

static void put_goroutines(struct str *o, enum text_style st, const struct ans_diff *a)
{
	char n[3][32], g[24];

	if (!a->has_goroutines)
		return;
	str_printf(o, "\ngoroutines: %s survived, %s started, %s ended\n",
		   text_count(n[0], a->goroutines_survived),
		   text_count(n[1], a->goroutines_started), text_count(n[2], a->goroutines_ended));
	text_title(o, st,
		   "    growth         old         new    survived     started       ended       "
		   "stacks");
	for (size_t i = 0; i < a->goroutines.n; i++) {
		const struct ans_diff_goroutines *r = &a->goroutines.v[i];

		str_printf(o, "%+10" PRId64 " %11" PRIu64 " %11" PRIu64, r->growth, r->old, r->now);
		str_printf(o, " %11" PRIu64 " %11" PRIu64 " %11" PRIu64 " %12s  ", r->survived,
			   r->started, r->ended, grown(g, r->growth_stack_bytes));
		text_clean(o, r->name);
		str_put(o, "\n");
	}
}

static void put_findings(struct str *o, enum text_style st, const struct ans_diff *a)
{
	char s[2][16];

	if (!a->has_findings || !a->findings.n)
		return;
	str_put(o, "\n");
	text_title(o, st, "finding         old         new");
	for (size_t i = 0; i < a->findings.n; i++) {
		const struct ans_diff_finding *f = &a->findings.v[i];

		str_printf(o, "%-8s %10s %11s  ", f->change,
			   f->old_bytes == ANS_UNKNOWN ? "-" : str_bytes(s[0], f->old_bytes),
			   f->new_bytes == ANS_UNKNOWN ? "-" : str_bytes(s[1], f->new_bytes));
		text_clean(o, f->verdict);
		str_put(o, " ");
		text_clean(o, f->title);
		str_put(o, "\n");
	}
}

static void put_memory(struct str *o, enum text_style st, const struct ans_diff *a)
{
	char g[24], s[2][24];

	if (!a->has_memory || !a->memory.n)
		return;
	str_put(o, "\n");
	text_title(o, st, "     growth         old         new  memory");
	for (size_t i = 0; i < a->memory.n; i++) {
		const struct ans_diff_memory *m = &a->memory.v[i];

		if (!m->old && !m->now)
			continue;
		grown(s[0], m->old);
		grown(s[1], m->now);
		str_printf(o, "%11s %11s %11s  %*s", grown(g, m->now - m->old),
			   s[0] + (*s[0] == '+'), s[1] + (*s[1] == '+'), 2 * m->level, "");
		text_clean(o, m->name);
		str_put(o, "\n");
	}
}

void text_diff(struct str *o, enum text_style st, const struct ans_diff *a)
{
	put_first(o, a);
	if (a->has_followed)
		put_followed(o, &a->followed);
	put_looks(o, st, a);
	put_total(o, a);
	put_ages(o, a);
	for (size_t i = 0; i < a->tables.n; i++)
		put_table(o, st, a, i);
	put_legend(o, a);
	put_goroutines(o, st, a);
	put_findings(o, st, a);
	put_memory(o, st, a);
}
