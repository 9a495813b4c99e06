/*
 * text_mix.c - pieces of evidence and what is missing, for people.
 */
#include "report/answer_mix.h"

#include "report/answer_escape.h"

#include <time.h>

enum { INDENT = 4 };

static void put_when(struct str *o, uint64_t unix_ns)
{
	time_t s = (time_t)(unix_ns / 1000000000U);
	struct tm tm;
	char buf[40];

	if (unix_ns && gmtime_r(&s, &tm) && strftime(buf, sizeof(buf), "%Y-%m-%d %H:%M:%SZ", &tm))
		str_printf(o, ", of %s", buf);
}

static void put_beside(struct str *o, const struct ans_beside *x)
{
	_cleanup_(str_deinit) struct str line = { 0 };

	text_clean(&line, x->file);
	str_printf(&line, " (%s", x->kind);
	put_when(&line, x->at_unix_ns);
	str_put(&line, "): ");
	text_clean(&line, x->what);
	if (x->damage)
		str_printf(&line, "; cut: %s", x->damage);
	if (!strcmp(x->same, "no")) {
		str_put(&line, "; OF ANOTHER PROGRAM, it supports and weakens nothing: ");
		text_clean(&line, x->why);
	} else if (!strcmp(x->same, "unknown") && *x->why) {
		str_put(&line, "; whether it is of the same program is not known: ");
		text_clean(&line, x->why);
	}
	str_put(o, "  ");
	text_wrapped(o, str_ok(&line) ? line.s : "", 2, INDENT);
}

void text_mix_beside(struct str *o, enum text_style st, const struct ans_mix *a)
{
	text_title(o, st, "Evidence");
	for (size_t i = 0; i < a->beside.n; i++)
		put_beside(o, &a->beside.v[i]);
	str_put(o, "\n");
}

void text_mix_missing(struct str *o, enum text_style st, const struct ans_mix *a)
{
	if (!a->missing.n)
		return;
	text_title(o, st, "What more would tell");
	for (size_t i = 0; i < a->missing.n; i++) {
		str_put(o, "  ");
		text_wrapped(o, a->missing.v[i].what, 2, 2);
		str_put(o, "    $ ");
		text_clean(o, a->missing.v[i].command);
		str_put(o, "\n");
	}
	str_put(o, "\n");
}

void text_report_alone(struct str *o, enum text_style st, const struct ans_report *a)
{
	text_mix_beside(o, st, a->mix);
	if (!a->findings.total)
		str_put(o, "Nothing in it points at a leak.\n\n");
	text_findings(o, st, &a->findings);
	text_joined(o, st, a->joined, a->njoined);
	text_mix_missing(o, st, a->mix);
}
