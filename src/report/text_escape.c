/*
 * text_escape.c - reports of the compiler and of linters for people.
 *
 * Words of the Go compiler are said as people say them, once each: what "leaking param" is and
 * what "moved to heap" is.  Knows no format of the reports.
 */
#include "report/answer_escape.h"
#include "report/text.h"

#include "base/str.h"

#include <inttypes.h>

enum { STEPS_SHOWN = 6, CAPTURES_TEXT = 8, PARAMS_SHOWN = 5, HARMLESS_SHOWN = 5, INDENT = 13 };

static void put_place(struct str *o, const char *file, int line, int column)
{
	text_clean(o, file);
	str_printf(o, ":%d", line);
	if (column)
		str_printf(o, ":%d", column);
}

static void wrap(struct str *o, struct str *line, size_t indent)
{
	text_wrapped(o, str_ok(line) ? line->s : "", indent, indent);
}

static void put_function(struct str *o, const struct ans_escape_place *p)
{
	if (!*p->function)
		return;
	str_put(o, p->function_guessed ? " in (probably) " : " in ");
	text_clean(o, p->function);
}

/* "./main.go:38:2  x, a variable, in closures: a closure … captures it by reference" */
static void put_escape(struct str *o, const struct ans_escape_place *p)
{
	_cleanup_(str_deinit) struct str line = { 0 };

	str_put(o, "  ");
	put_place(o, p->file, p->line, p->column);
	if (p->count > 1)
		str_printf(o, " (\xc3\x97 %" PRIu64 ")", p->count);
	str_put(o, "\n      ");
	text_clean(&line, p->expr);
	if (strcmp(p->what, "leaking-param") != 0)
		str_printf(&line, " (%s%s)", p->form,
			   !strcmp(p->what, "moved") ? ", moved to the heap" : "");
	if (*p->to) {
		str_put(&line, " to result ");
		text_clean(&line, p->to);
	}
	put_function(&line, p);
	str_printf(&line, ": %s", p->clause);
	if (*p->said) {
		str_put(&line, ": ");
		text_clean(&line, p->said);
	}
	if (*p->harmless)
		str_printf(&line, "; harmless: %s", p->harmless);
	wrap(o, &line, 6);
}

static void put_flow(struct str *o, const struct ans_escape *a, const struct ans_escape_place *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->nsteps && n < STEPS_SHOWN; i++) {
		const struct ans_escape_step *s = &a->steps.v[p->first_step + i];

		if (!s->flow)
			continue;
		str_printf(o, "      %s ", n++ ? "    " : "flow");
		text_clean(o, s->text);
		str_put(o, "\n");
	}
}

static void put_head(struct str *o, enum text_style st, const struct ans_escape *a)
{
	_cleanup_(str_deinit) struct str line = { 0 };
	char n[2][32];

	text_title(o, st, "Escapes");
	text_clean(&line, a->file);
	str_printf(&line, ": %s", a->form);
	if (*a->go) {
		str_put(&line, " of ");
		text_clean(&line, a->go);
	}
	str_printf(&line,
		   ", %" PRIu64 " files of %" PRIu64 " packages. %s places make something on "
		   "the heap, %s of them harmless;",
		   a->files, a->packages, text_count(n[0], a->places),
		   text_count(n[1], a->harmless));
	str_printf(&line, " %s parameters let what is passed escape; %s things stay on the stack.",
		   text_count(n[0], a->params), text_count(n[1], a->stays));
	if (!a->explained)
		str_put(&line, " Without flows: -gcflags=-m=2 says why.");
	if (a->damage)
		str_printf(&line, " Cut: %s.", a->damage);
	wrap(o, &line, 0);
	str_put(o,
		"An escape is no leak: it is where something is made on the heap.  Which of them hold "
		"memory,\n`limpet report PID THIS_FILE` says.\n\n");
}

static void put_rows(struct str *o, const struct ans_escape *a)
{
	str_printf(o, "%9s %9s %9s  %s\n", "places", "on heap", "harmless", a->by);
	for (size_t i = 0; i < a->rows.n; i++) {
		const struct ans_escape_row *r = &a->rows.v[i];

		str_printf(o, "%9" PRIu64 " %9" PRIu64 " %9" PRIu64 "  ", r->places, r->allocating,
			   r->harmless);
		text_clean(o, r->name);
		if (!strcmp(a->by, "reason") && r->example)
			str_printf(o, ": %s", r->example->clause);
		str_put(o, "\n");
	}
	if (a->nrows > a->rows.n)
		str_printf(o, "%" PRIu64 " more rows: --limit 0 has all\n", a->nrows - a->rows.n);
}

void text_escape_top(struct str *o, unsigned style, const struct ans_escape *a)
{
	put_head(o, (enum text_style)style, a);
	put_rows(o, a);
}

static bool is_param(const struct ans_escape_place *p)
{
	return !strcmp(p->what, "leaking-param");
}

/* class 0: makes something; 1: parameters; 2: harmless */
static bool is_class(const struct ans_escape_place *p, int class)
{
	return class == (*p->harmless ? 2 : is_param(p) ? 1 : 0);
}

static void put_class(struct str *o, const struct ans_escape *a, int class, size_t limit)
{
	size_t shown = 0, all = 0;

	for (size_t i = 0; i < a->list.n; i++) {
		if (!is_class(&a->list.v[i], class))
			continue;
		all++;
		if (shown == limit)
			continue;
		shown++;
		put_escape(o, &a->list.v[i]);
		if (!class)
			put_flow(o, a, &a->list.v[i]);
	}
	if (all > shown)
		str_printf(o, "  %zu more: --limit 0 has all\n", all - shown);
	str_put(o, "\n");
}

static void put_captures(struct str *o, enum text_style st, const struct ans_escape *a)
{
	if (!a->captures.n)
		return;
	text_title(o, st, "What closures capture");
	str_put(o,
		"By reference: closure and function share the variable, which moves to the heap "
		"if the closure does;\nby value: the closure has a copy (never assigned again, at "
		"most 128 bytes).  Either keeps what it points to.\n");
	for (size_t i = 0; i < a->captures.n && i < CAPTURES_TEXT; i++) {
		const struct ans_escape_capture *c = &a->captures.v[i];

		str_printf(o, "  %-9s %6" PRIu64 " B  ", c->by_ref ? "reference" : "value",
			   c->bytes);
		text_clean(o, c->variable);
		str_put(o, ", in ");
		text_clean(o, c->function);
		str_put(o, ", ");
		put_place(o, c->file, c->line, c->column);
		str_put(o, "\n");
	}
	if (a->ncaptures > CAPTURES_TEXT)
		str_printf(o, "  %" PRIu64 " more, %" PRIu64 " of all by reference\n",
			   a->ncaptures - CAPTURES_TEXT, a->captured_by_ref);
	str_put(o, "\n");
}

static void put_selfs(struct str *o, enum text_style st, const struct ans_escape *a)
{
	if (!a->selfs.n)
		return;
	text_title(o, st, "Closures that capture the variable they are stored in");
	for (size_t i = 0; i < a->selfs.n; i++) {
		const struct ans_escape_self *s = &a->selfs.v[i];
		_cleanup_(str_deinit) struct str line = { 0 };

		str_put(&line, "  ");
		put_place(&line, s->file, s->line, 0);
		str_put(&line, ": ");
		text_clean(&line, s->variable);
		if (*s->function) {
			str_put(&line, " in ");
			text_clean(&line, s->function);
		}
		str_printf(
			&line,
			" holds the closure of line %d, which captures it%s: both are on the heap, and "
			"go together. A cycle is no leak in Go.",
			s->closure_line,
			s->sure ? "" : " (probably: other closures stand between)");
		wrap(o, &line, 6);
	}
	str_put(o, "\n");
}

void text_escape(struct str *o, unsigned style, const struct ans_escape *a, size_t limit)
{
	enum text_style st = (enum text_style)style;

	put_head(o, st, a);
	put_rows(o, a);
	str_put(o, "\n");
	if (a->places > a->harmless) {
		text_title(o, st, "Made on the heap");
		put_class(o, a, 0, limit);
	}
	put_captures(o, st, a);
	put_selfs(o, st, a);
	if (a->params) {
		text_title(o, st, "Parameters that let escape");
		str_put(o,
			"\"leaking param\" makes nothing there: it says that what callers pass must be "
			"on the heap, or that\nit is part of the result.  \"moved to heap\" is a "
			"variable that is made on the heap itself.\n");
		put_class(o, a, 1, MIN(limit, (size_t)PARAMS_SHOWN));
	}
	if (a->harmless) {
		text_title(o, st, "Harmless");
		put_class(o, a, 2, MIN(limit, (size_t)HARMLESS_SHOWN));
	}
}

static void put_lint_head(struct str *o, enum text_style st, const struct ans_lint *a)
{
	text_title(o, st, "Linters");
	text_clean(o, a->file);
	str_printf(o, ": %" PRIu64 " warnings, %" PRIu64 " about what may stay in memory%s%s\n",
		   a->places, a->about_leaks, a->damage ? "; cut: " : "",
		   a->damage ? a->damage : "");
	str_put(o, "Which of them hold memory now, `limpet report PID THIS_FILE` says.\n\n");
}

static void put_lint_rows(struct str *o, const struct ans_lint *a)
{
	str_printf(o, "%9s %9s  %s\n", "warnings", "leaks", a->by);
	for (size_t i = 0; i < a->rows.n; i++) {
		str_printf(o, "%9" PRIu64 " %9" PRIu64 "  ", a->rows.v[i].places,
			   a->rows.v[i].about_leaks);
		text_clean(o, a->rows.v[i].name);
		str_put(o, "\n");
	}
	if (a->nrows > a->rows.n)
		str_printf(o, "%" PRIu64 " more rows: --limit 0 has all\n", a->nrows - a->rows.n);
}

void text_lint_top(struct str *o, unsigned style, const struct ans_lint *a)
{
	put_lint_head(o, (enum text_style)style, a);
	put_lint_rows(o, a);
}

static void put_warning(struct str *o, const struct ans_lint_place *p)
{
	_cleanup_(str_deinit) struct str line = { 0 };

	str_put(o, "  ");
	put_place(o, p->file, p->line, p->column);
	str_put(o, "  ");
	text_clean(o, p->rule);
	str_put(o, " (");
	text_clean(o, p->tool);
	str_put(o, ")\n      ");
	text_clean(&line, p->message);
	if (*p->about) {
		str_put(&line, ". What may stay: ");
		str_put(&line, p->about);
	}
	wrap(o, &line, 6);
}

void text_lint(struct str *o, unsigned style, const struct ans_lint *a, size_t limit)
{
	put_lint_head(o, (enum text_style)style, a);
	put_lint_rows(o, a);
	str_put(o, "\n");
	for (size_t i = 0; i < a->list.n && i < limit; i++)
		put_warning(o, &a->list.v[i]);
	if (a->list.n > limit)
		str_printf(o, "  %zu more: --limit 0 has all\n", a->list.n - limit);
}
