/*
 * text_joined.c - tables of what other evidence says beside a look, for people.
 *
 * Which lines of the compiler's report hold memory now; which warnings of a linter do.
 */
#include "report/answer_escape.h"
#include "report/text.h"

#include "base/str.h"

#include <inttypes.h>

enum { SHOWN = 10, INDENT = 30 };

static uint64_t known(uint64_t guess, uint64_t otherwise)
{
	return guess == ANS_UNKNOWN ? otherwise : guess;
}

static void put_size(struct str *o, uint64_t n)
{
	char size[16];

	str_printf(o, "%10s", n == ANS_UNKNOWN ? "?" : str_bytes(size, n));
}

static void put_line(struct str *o, const char *file, int line, int column)
{
	text_clean(o, file);
	str_printf(o, ":%d", line);
	if (column)
		str_printf(o, ":%d", column);
}

static void put_doubts(struct str *o, const struct ans_join_escape *x)
{
	if (x->retained_guess == ANS_UNKNOWN && x->sampled && x->retained != ANS_UNKNOWN &&
	    x->retained > x->bytes)
		str_printf(o,
			   "; retained is what %" PRIu64 " sampled hold: what the others do is not "
			   "estimated",
			   x->sampled);
	if (x->calls == 1)
		str_put(o, "; by the code: no other call makes such, reflection may");
	if (x->calls > 1)
		str_printf(o,
			   "; by the code: one of %" PRIu64
			   " calls that make such, figures are of all",
			   x->calls);
	if (x->others)
		str_printf(o, "; or %" PRIu64 " other on that line", x->others);
	if (x->inlined)
		str_put(o,
			"; that line is of the function itself, these were made in copies of it");
	if (x->split)
		str_put(o, "; files of several folders match: the path says too little");
}

static void put_escape(struct str *o, const struct ans_join_escape *x)
{
	_cleanup_(str_deinit) struct str line = { 0 };
	const struct ans_escape_place *p = &x->place;

	put_size(o, known(x->retained_guess, x->retained));
	put_size(o, x->bytes);
	put_size(o, x->alloc_bytes);
	str_put(o, "  ");
	put_line(o, p->file, p->line, p->column);
	str_printf(o, "\n%*s", INDENT + 2, "");
	text_clean(&line, p->expr);
	str_printf(&line, " (%s)", p->form);
	if (*p->function) {
		str_put(&line, p->function_guessed ? " in (probably) " : " in ");
		text_clean(&line, p->function);
	}
	str_printf(&line, ": %s", p->clause);
	if (*p->said) {
		str_put(&line, ": ");
		text_clean(&line, p->said);
	}
	put_doubts(&line, x);
	text_wrapped(o, str_ok(&line) ? line.s : "", INDENT + 2, INDENT + 2);
}

static void put_left(struct str *o, const struct ans_join_left *l)
{
	_cleanup_(str_deinit) struct str line = { 0 };
	char size[3][16];

	if (!l->bytes)
		return;
	str_printf(&line,
		   "Of %s alive the report says nothing: %s were made in files that it has not",
		   str_bytes(size[0], l->bytes), str_bytes(size[1], l->no_file));
	str_printf(&line,
		   " (-gcflags=all=-m=2 has all), %s on lines that it has not (maps that grow, "
		   "append before Go 1.25, or another build); such as in ",
		   str_bytes(size[2], l->no_line));
	text_clean(&line, l->example);
	text_wrapped(o, str_ok(&line) ? line.s : "", 0, 0);
}

static void put_escapes(struct str *o, const struct ans_joined *a)
{
	bool guessed = false;

	for (size_t i = 0; i < a->escapes.n && i < SHOWN; i++)
		guessed |= a->escapes.v[i].retained_guess != ANS_UNKNOWN;
	if (!a->escapes.n) {
		str_put(o, "Nothing that is alive was made on a line of it.\n");
	} else {
		str_printf(o, "%10s%10s%10s  line%s\n", "retained", "in use", "allocated",
			   guessed ? " (estimated from samples)" : "");
		for (size_t i = 0; i < a->escapes.n && i < SHOWN; i++)
			put_escape(o, &a->escapes.v[i]);
	}
	if (a->nescapes > SHOWN)
		str_printf(o, "%" PRIu64 " more lines: --json has %zu\n", a->nescapes - SHOWN,
			   a->escapes.n);
	put_left(o, &a->left);
}

static void put_warning(struct str *o, const struct ans_joined *a, const struct ans_join_lint *x)
{
	_cleanup_(str_deinit) struct str line = { 0 };
	const struct ans_lint_place *p = &x->place;

	put_size(o, known(x->retained_guess, x->retained));
	put_size(o, x->bytes);
	str_printf(o, " %10" PRIu64 "  ", x->goroutines);
	put_line(o, p->file, p->line, p->column);
	str_put(o, "  ");
	text_clean(o, p->rule);
	str_printf(o, "\n%*s", INDENT + 2, "");
	text_clean(&line, p->message);
	if (*p->about)
		str_printf(&line, ": %s", p->about);
	if (!x->bytes && !x->goroutines)
		str_put(&line, a->by_samples
				       ? "; nothing that is alive was seen to pass that line"
				       : "; no goroutine stands there, and without stacks nobody "
					 "knows what was made through it");
	if (x->split)
		str_put(&line, "; files of several folders match: the path says too little");
	text_wrapped(o, str_ok(&line) ? line.s : "", INDENT + 2, INDENT + 2);
}

static void put_lints(struct str *o, const struct ans_joined *a)
{
	if (!a->lints.n) {
		str_put(o, "No warning of it is about what stays, or met by what is alive.\n");
		return;
	}
	str_printf(o, "%10s%10s %10s  line\n", "retained", "in use", "goroutines");
	for (size_t i = 0; i < a->lints.n && i < SHOWN; i++)
		put_warning(o, a, &a->lints.v[i]);
	if (a->nlints > SHOWN)
		str_printf(o, "%" PRIu64 " more warnings: --json has %zu\n", a->nlints - SHOWN,
			   a->lints.n);
}

void text_joined(struct str *o, unsigned style, const struct ans_joined *a, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_(str_deinit) struct str title = { 0 };

		str_put(&title, a[i].is_lint ? "Warnings of " : "Escapes of ");
		text_clean(&title, a[i].name);
		str_put(&title,
			a[i].is_lint ? ", by what passed their lines" : ", by what they hold");
		text_title(o, (enum text_style)style, str_ok(&title) ? title.s : "");
		if (*a[i].note) {
			text_clean(o, a[i].note);
			str_put(o, "\n");
		}
		if (a[i].damage)
			str_printf(o, "The report is cut: %s.\n", a[i].damage);
		if (a[i].is_lint)
			put_lints(o, &a[i]);
		else
			put_escapes(o, &a[i]);
		str_put(o, "\n");
	}
}
