/*
 * text_findings.c - findings for people: what, how sure, who holds it, what to change.
 */
#include "report/text.h"

static void put_line(struct str *o, const char *word, const char *text)
{
	if (!*text)
		return;
	str_printf(o, "   %-9s", word);
	text_clean(o, text);
	str_put(o, "\n");
}

static void put_finding(struct str *o, enum text_style st, size_t number,
			const struct ans_finding *f)
{
	char size[16];

	str_printf(o, "%zu. %s%s (%s)%s  %s  %s\n   ", number, st == TEXT_COLOR ? "\x1b[1m" : "",
		   f->verdict, f->proof, st == TEXT_COLOR ? "\x1b[0m" : "", f->kind,
		   str_bytes(size, f->bytes));
	text_clean(o, f->title);
	str_put(o, "\n");
	text_path(o, &f->holder, "      ");
	put_line(o, "fix", f->fix);
	put_line(o, "now", f->mitigate);
	put_line(o, "decide", f->decide);
	put_line(o, "confirm", f->confirm);
	str_printf(o, "   %-9s%s\n", "signature", f->signature);
}

void text_findings(struct str *o, enum text_style st, const struct ans_findings *a)
{
	text_title(o, st, a->rows.n ? "findings" : "findings: none");
	for (size_t i = 0; i < a->rows.n; i++)
		put_finding(o, st, i + 1, &a->rows.v[i]);
	str_put(o, "\n");
}
