/*
 * text_pprof_top.c - a profile's head in words, its rows as `go tool pprof -top` has them.
 */
#include "report/pprof_top.h"
#include "report/pprof_view.h"

#include "evidence/pprof_unit.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static void put_time(struct str *o, uint64_t unix_ns)
{
	time_t s = (time_t)(unix_ns / 1000000000U);
	struct tm tm;
	char buf[40];

	if (gmtime_r(&s, &tm) && strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%S UTC", &tm))
		str_put(o, buf);
}

static void put_files(struct str *o, const struct ans_pprof_head *a)
{
	str_put(o, "profile ");
	for (size_t i = 0; i < MIN(a->files.n, (size_t)3); i++) {
		str_put(o, i ? ", " : "");
		text_clean(o, a->files.v[i]);
	}
	if (a->files.n > 3)
		str_printf(o, " and %zu more, added up", a->files.n - 3);
	else if (a->files.n > 1)
		str_put(o, ", added up");
	str_put(o, "\n");
}

/* By its number, where it has no name: --value takes both. */
static void put_type(struct str *o, const char *name, size_t number)
{
	if (*name)
		text_clean(o, name);
	else
		str_printf(o, "%zu", number);
}

static void put_types(struct str *o, const struct ans_pprof_head *a)
{
	str_put(o, "values  ");
	put_type(o, a->value, a->value_at);
	if (*a->unit && strcmp(a->unit, "count") != 0) {
		str_put(o, " in ");
		text_clean(o, a->unit);
	}
	if (a->types.n > 1)
		str_put(o, "; --value also");
	for (size_t i = 0; i < a->types.n; i++)
		if (i != a->value_at) {
			str_put(o, " ");
			put_type(o, a->types.v[i].type, i);
		}
	str_put(o, "\n");
}

/* "one sample every 512.00kB allocated". */
static void put_rate(struct str *o, const struct ans_pprof_head *a)
{
	char v[PPROF_VALUE_MAX];
	const char *type = a->period_type.type, *unit = a->period_type.unit;

	if (a->period <= 0 || !*type)
		return;
	if (!strcmp(unit, "count") && a->period == 1)
		str_put(o, ", nothing left out");
	else if (!strcmp(unit, "count"))
		str_printf(o, ", one of %" PRId64 " sampled", a->period);
	else if (!strcmp(type, "space"))
		str_printf(o, ", one sample every %s allocated",
			   pprof_value(v, a->period, unit, "auto"));
	else {
		str_printf(o, ", one sample every ");
		text_clean(o, pprof_value(v, a->period, unit, "auto"));
		str_put(o, " of ");
		text_clean(o, type);
	}
}

void text_pprof_words(struct str *o, const struct ans_pprof_head *a)
{
	char n[32];

	put_files(o, a);
	str_printf(o, "what    %s%s: %s samples", a->what,
		   strcmp(a->form, "text") ? "" : " as text", text_count(n, a->samples));
	put_rate(o, a);
	if (a->duration_ns)
		str_printf(o, ", over %s", text_ns(n, a->duration_ns));
	if (a->time_ns) {
		str_put(o, "; ");
		put_time(o, a->time_ns);
	}
	str_put(o, "\n");
	if (*a->exe) {
		str_put(o, "of      ");
		text_clean(o, a->exe);
		if (*a->build_id) {
			str_put(o, ", build id ");
			text_clean(o, a->build_id);
		}
		str_put(o, "\n");
	}
	put_types(o, a);
	for (size_t i = 0; i < a->comments.n; i++) {
		str_put(o, "comment ");
		text_clean(o, a->comments.v[i]);
		str_put(o, "\n");
	}
	for (size_t i = 0; i < a->notes.n; i++) {
		str_put(o, "note    ");
		text_clean(o, a->notes.v[i]);
		str_put(o, "\n");
	}
}

static void put_parts(struct str *o, const struct ans_pprof_top *a)
{
	char v[PPROF_VALUE_MAX], share[16];

	if (a->head.parts.n)
		str_put(o, "\nwhere the time went, each sample once:\n");
	for (size_t i = 0; i < a->head.parts.n; i++) {
		const struct ans_pprof_part *p = &a->head.parts.v[i];

		if (!p->value)
			continue;
		str_printf(o, "%10s %s  %s:", pprof_value(v, p->value, a->head.unit, a->shown),
			   pprof_percent(share, p->value, a->total), p->word);
		text_wrapped(o, p->means, 21 + strlen(p->word), 19);
	}
}

void text_pprof_top(struct str *o, enum text_style st, const struct ans_pprof_top *a)
{
	char v[2][PPROF_VALUE_MAX], p[3][16], n[32], head[96];
	int64_t sum = 0;

	text_pprof_words(o, &a->head);
	snprintf(head, sizeof(head), "%10s %5s%% %5s%% %10s %5s%%  %.20s", "flat", "flat", "sum",
		 "cum", "cum", a->by);
	text_pprof_unmatched(o, a->unmatched);
	str_put(o, "\n");
	text_title(o, st, head);
	for (size_t i = 0; i < a->rows.n; i++) {
		const struct ans_pprof_row *r = &a->rows.v[i];

		sum = pprof_plus(sum, r->flat);
		str_printf(o, "%10s %s %s %10s %s  ",
			   pprof_value(v[0], r->flat, a->head.unit, a->shown),
			   pprof_percent(p[0], r->flat, a->total),
			   pprof_percent(p[1], sum, a->total),
			   pprof_value(v[1], r->cum, a->head.unit, a->shown),
			   pprof_percent(p[2], r->cum, a->total));
		text_clean(o, r->name);
		if (*r->inlined)
			str_printf(o, " (%s)", r->inlined);
		str_put(o, "\n");
	}
	if (a->limited)
		str_printf(o, "and %s more rows (--limit 0: all)\n",
			   text_count(n, a->nrows - a->rows.n));
	put_parts(o, a);
}
