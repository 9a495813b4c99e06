/*
 * text_markdown.c - the report as GitHub-flavoured Markdown, for a ticket.
 *
 * Findings stand open, tables are folded.  All that the target wrote is cleaned and escaped: it can
 * neither format nor link nor mention anybody.
 */
#include "report/answer_escape.h"
#include "report/answer_mix.h"
#include "report/text.h"

#include <inttypes.h>
#include <stdio.h>

/* Text of the target between ours. */
static void put_md(struct str *o, const char *s)
{
	_cleanup_(str_deinit) struct str clean = { 0 };

	text_clean(&clean, s);
	for (const char *p = str_ok(&clean) ? clean.s : ""; *p; p++) {
		if (*p == '<')
			str_put(o, "&lt;");
		else if (*p == '&')
			str_put(o, "&amp;");
		else if (*p == '@')
			str_put(o, "&#64;");
		else if (strchr("\\`*_[]#|~>", *p))
			str_printf(o, "\\%c", *p);
		else
			str_putn(o, p, 1);
	}
}

static void put_item(struct str *o, const char *word, const char *text)
{
	if (!*text)
		return;
	str_printf(o, "- **%s:** ", word);
	put_md(o, text);
	str_put(o, "\n");
}

static void begin_fold(struct str *o, const char *title)
{
	str_printf(o, "<details><summary>%s</summary>\n\n", title);
}

static void end_fold(struct str *o)
{
	str_put(o, "\n</details>\n\n");
}

/* A block of text as it is: three backticks in it would end it. */
static void put_block(struct str *o, const struct str *text)
{
	str_put(o, "```text\n");
	for (const char *p = str_ok(text) ? text->s : ""; *p; p++)
		str_putn(o, strncmp(p, "```", 3) ? p : "'", 1);
	str_put(o, "```\n");
}

static void put_chain(struct str *o, const struct ans_finding *f)
{
	_cleanup_(str_deinit) struct str text = { 0 };

	if (!f->holder.nodes.n)
		return;
	text_path(&text, &f->holder, "");
	begin_fold(o, "held by");
	put_block(o, &text);
	end_fold(o);
}

static void put_sites(struct str *o, const struct ans_finding *f)
{
	if (*f->site_text)
		put_item(o, f->origin.sampled ? "made by" : "made by (inferred)", f->site_text);
	for (size_t i = 0; i < f->source.n; i++) {
		const struct ans_source *s = &f->source.v[i];
		char text[64];

		str_printf(o, "- **%s:** ", s->what);
		put_md(o, s->file);
		snprintf(text, sizeof(text), ":%d", s->line);
		str_put(o, text);
		if (*s->owner) {
			str_put(o, ", owned by ");
			put_md(o, s->owner);
		}
		str_put(o, "\n");
	}
}

static void put_evidence(struct str *o, const struct ans_finding *f)
{
	for (size_t i = 0; i < f->evidence.n; i++) {
		const struct ans_evidence *x = &f->evidence.v[i];

		str_put(o, "- **evidence:** ");
		put_md(o, x->from);
		str_put(o, !strcmp(x->supports, "yes")	? ", for it: "
			   : !strcmp(x->supports, "no") ? ", against it: "
							: ": ");
		put_md(o, x->says);
		str_put(o, "\n");
	}
}

static void put_goroutine(struct str *o, const struct ans_finding *f)
{
	char n[32];

	if (!f->has_goroutine)
		return;
	str_put(o, "- **goroutine:** ");
	put_md(o, f->goroutine.function);
	if (f->goroutine.count > 1)
		str_printf(o, " \xc3\x97 %s", text_count(n, f->goroutine.count));
	str_put(o, ", ");
	put_md(o, *f->goroutine.wait ? f->goroutine.wait : "running");
	if (*f->goroutine.creator) {
		str_put(o, ", started by ");
		put_md(o, f->goroutine.creator);
	}
	str_put(o, "\n");
}

static void put_finding(struct str *o, size_t number, const struct ans_finding *f)
{
	char size[2][16], n[32];

	str_printf(o, "### %zu. %s (%s): %s", number, f->verdict, f->proof, f->kind);
	if (!f->unmeasured)
		str_printf(o, ", %s", str_bytes(size[0], f->bytes + f->stack_bytes));
	if (f->count > 1)
		str_printf(o, ", \xc3\x97 %s", text_count(n, f->count));
	str_put(o, "\n\n");
	put_md(o, f->title);
	str_put(o, "\n\n");
	put_item(o, "held by", f->holder_text);
	put_goroutine(o, f);
	put_sites(o, f);
	if (f->then_known)
		str_printf(o, "- **since:** %s then, %s now\n", str_bytes(size[0], f->then_bytes),
			   str_bytes(size[1], f->bytes + f->stack_bytes));
	if (f->cut.found)
		str_printf(o, "- **cut:** one reference keeps %s\n",
			   str_bytes(size[0], f->cut.bytes));
	put_evidence(o, f);
	put_item(o, "more", f->detail);
	put_item(o, "fix", f->fix);
	put_item(o, "now", f->mitigate);
	put_item(o, "decide", f->decide);
	put_item(o, "confirm", f->confirm);
	if (f->known)
		put_item(o, "known", f->known);
	str_printf(o, "- **signature:** `%s`\n\n", f->signature);
	put_chain(o, f);
}

static void put_table(struct str *o, const struct ans_top *t, const char *title)
{
	char s[2][16], n[32];

	if (!t->rows.n)
		return;
	begin_fold(o, title);
	str_put(o, "| retained | shallow | objects | |\n|---:|---:|---:|---|\n");
	for (size_t i = 0; i < t->rows.n; i++) {
		const struct ans_row *r = &t->rows.v[i];

		str_printf(o, "| %s | %s | %s | ", str_bytes(s[0], r->retained),
			   str_bytes(s[1], r->shallow), text_count(n, r->objects));
		put_md(o, r->name);
		str_put(o, " |\n");
	}
	end_fold(o);
}

static void put_memory(struct str *o, const struct ans_memory *m)
{
	char size[16];

	begin_fold(o, "memory");
	str_put(o, "| bytes | | |\n|---:|---|---|\n");
	for (size_t i = 0; i < m->lines.n; i++) {
		const struct ans_mem_line *l = &m->lines.v[i];
		uint64_t abs = l->bytes < 0 ? 0 - (uint64_t)l->bytes : (uint64_t)l->bytes;

		if (!l->bytes)
			continue;
		str_printf(o, "| %s%s | ", l->bytes < 0 ? "-" : "", str_bytes(size, abs));
		put_md(o, l->name);
		str_put(o, " | ");
		put_md(o, l->note);
		str_put(o, " |\n");
	}
	end_fold(o);
}

/* The lines of the report's own summary. */
static void put_summary(struct str *o, const struct ans_report *a)
{
	_cleanup_(str_deinit) struct str text = { 0 };

	text_summary(&text, TEXT_PLAIN, a);
	put_block(o, &text);
	str_put(o, "\n");
}

static void put_ignored(struct str *o, const struct ans_findings *a)
{
	for (size_t i = 0; i < a->ignored.n; i++) {
		const struct ans_ignored *x = &a->ignored.v[i];

		str_printf(o, "- left out: `%s` %s %s, ", x->signature, x->verdict, x->kind);
		put_md(o, x->by);
		str_put(o, " ");
		put_md(o, x->why);
		str_put(o, "\n");
	}
	if (a->ignored.n)
		str_put(o, "\n");
}

/* A part of the text that people read, as it is. */
static void put_text(struct str *o, const char *title, struct str *text)
{
	if (!text->n)
		return;
	begin_fold(o, title);
	put_block(o, text);
	end_fold(o);
}

static void put_beside(struct str *o, const struct ans_report *a)
{
	_cleanup_(str_deinit) struct str beside = { 0 }, missing = { 0 }, joined = { 0 };

	if (a->mix) {
		text_mix_beside(&beside, TEXT_PLAIN, a->mix);
		text_mix_missing(&missing, TEXT_PLAIN, a->mix);
	}
	text_joined(&joined, TEXT_PLAIN, a->joined, a->njoined);
	put_text(o, "evidence", &beside);
	put_text(o, "lines of compiler and linter", &joined);
	put_text(o, "what more would tell", &missing);
}

static void put_left(struct str *o, const struct ans_findings *a)
{
	if (a->total > a->rows.n)
		str_printf(o, "%" PRIu64 " more findings: --limit 0 has all\n\n",
			   a->total - a->rows.n);
}

void text_markdown(struct str *o, const struct ans_report *a)
{
	bool looked = strcmp(a->head.kind, "evidence") != 0;

	str_put(o, "## limpet report");
	if (*a->head.exe) {
		str_put(o, ": ");
		put_md(o, a->head.exe);
	}
	str_put(o, "\n\n");
	if (looked)
		put_summary(o, a);
	else if (!a->findings.total)
		str_put(o, "Nothing in it points at a leak.\n\n");
	for (size_t i = 0; i < a->findings.rows.n; i++)
		put_finding(o, i + 1, &a->findings.rows.v[i]);
	put_left(o, &a->findings);
	put_ignored(o, &a->findings);
	put_beside(o, a);
	if (!looked)
		return;
	put_memory(o, &a->memory);
	put_table(o, &a->by_root, "roots");
	put_table(o, &a->by_type, "types");
	put_table(o, &a->by_goroutine, "goroutines");
	put_table(o, &a->by_site, "sites");
}
