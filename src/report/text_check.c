/*
 * text_check.c - a check for people: the verdict first, then what stays, the figures, the limits.
 *
 * 100 columns; what came from a program is cleaned.
 */
#include "report/check_out.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { INDENT = 13, STACK_SHOWN = 6, ROUNDS_SHOWN = 12, OUTPUT_SHOWN = 20 };

static const char *on(enum text_style st, const char *code)
{
	return st == TEXT_COLOR ? code : "";
}

static const char *color_of(uint8_t result)
{
	return result == CHECK_PASSED	 ? "\x1b[1;32m"
	       : result == CHECK_SKIPPED ? "\x1b[1m"
	       : result == CHECK_UNSURE	 ? "\x1b[1;33m"
					 : "\x1b[1;31m";
}

/* "   fix       text …" */
static void put_line(struct str *o, const char *word, const char *text)
{
	_cleanup_(str_deinit) struct str clean = { 0 };

	if (!text || !*text)
		return;
	text_clean(&clean, text);
	str_printf(o, "   %-10s", word);
	text_wrapped(o, str_ok(&clean) ? clean.s : "", INDENT, INDENT);
}

static void put_frame(struct str *o, const struct ans_frame *f, const char *uri, int line)
{
	const char *slash = f->file ? strrchr(f->file, '/') : NULL;
	const char *file = uri && *uri ? uri : slash ? slash + 1 : f->file;

	if (f->function && *f->function) {
		text_clean(o, f->function);
		str_put(o, " ");
	}
	if (!file || !*file || line <= 0)
		return;
	str_put(o, "(");
	text_clean(o, file);
	str_printf(o, ":%d)", line);
}

void text_check_at(struct str *o, const struct ans_check_row *r)
{
	bool placed = r->uri && *r->uri;

	if (r->at.line > 0 || (r->at.function && *r->at.function))
		put_frame(o, &r->at, placed && r->uri_line > 0 ? r->uri : NULL, r->at.line);
}

static void put_amount(struct str *o, const struct ans_check_row *r)
{
	char a[16];

	if (r->per_round_objects >= 0.5 && r->per_round_bytes >= 0.5)
		str_printf(o, "  +%.*f, %s a load", r->per_round_objects < 10 ? 1 : 0,
			   r->per_round_objects, str_bytes(a, (uint64_t)r->per_round_bytes));
	else if (r->per_round_bytes >= 0.5)
		str_printf(o, "  +%s a load", str_bytes(a, (uint64_t)r->per_round_bytes));
	else if (r->bytes)
		str_printf(o, "  %s", str_bytes(a, r->bytes));
	if (r->sure)
		str_printf(o, "  sure to %.1f %%", (double)r->sure / 10);
}

static void put_stack(struct str *o, const struct ans_check_row *r)
{
	for (size_t i = 0; i < r->stack.n && i < STACK_SHOWN; i++) {
		str_printf(o, "   %-10s", i ? "" : "stack");
		put_frame(o, &r->stack.v[i], NULL, r->stack.v[i].line);
		str_put(o, "\n");
	}
	if (r->stack.n > STACK_SHOWN)
		str_printf(o, "   %-10s\xe2\x80\xa6 %zu more\n", "", r->stack.n - STACK_SHOWN);
}

void text_check_row(struct str *o, enum text_style st, size_t number, const struct ans_check_row *r)
{
	_cleanup_(str_deinit) struct str at = { 0 };
	_cleanup_(str_deinit) struct str title = { 0 };

	str_printf(o, "%zu. %s", number, on(st, r->known ? "\x1b[1m" : "\x1b[1;31m"));
	text_clean(o, r->verdict);
	if (r->proof && *r->proof)
		str_printf(o, " (%s)", r->proof);
	str_printf(o, "%s  %s", on(st, "\x1b[0m"), r->kind ? r->kind : "");
	put_amount(o, r);
	str_put(o, r->known ? "  known\n" : "\n");
	text_clean(&title, r->title);
	str_put(o, "   ");
	text_wrapped(o, str_ok(&title) ? title.s : "", 3, 3);
	text_check_at(&at, r);
	put_line(o, "line", str_ok(&at) ? at.s : "");
	put_stack(o, r);
	if (r->path.nodes.n) {
		str_put(o, "   held by\n");
		text_path(o, &r->path, "      ");
	} else {
		put_line(o, "held by", r->holder);
	}
	put_line(o, "why", r->why);
	put_line(o, "fix", r->fix);
	if (r->known)
		put_line(o, "known", r->known_by);
	put_line(o, "signature", r->signature);
	str_put(o, "\n");
}

static void put_count(struct str *o, int width, uint64_t n)
{
	char buf[32];

	str_printf(o, " %*s", width, n == ANS_UNKNOWN ? "-" : text_count(buf, n));
}

static void put_size(struct str *o, int width, uint64_t n)
{
	char buf[16];

	str_printf(o, " %*s", width, n == ANS_UNKNOWN ? "-" : str_bytes(buf, n));
}

static void put_ns(struct str *o, int width, uint64_t n)
{
	char buf[32];

	str_printf(o, " %*s", width, n == ANS_UNKNOWN ? "-" : text_ns(buf, n));
}

static void put_round(struct str *o, const char *name, const struct ans_check_round *r)
{
	str_printf(o, "   %-8s", name);
	put_ns(o, 8, r->load_ns);
	put_size(o, 10, r->live_bytes);
	put_count(o, 11, r->live_objects);
	put_count(o, 10, r->goroutines);
	put_size(o, 10, r->rss);
	put_size(o, 10, r->alloc_bytes);
	put_count(o, 5, r->cycles);
	put_ns(o, 8, r->gc_cpu_ns);
	put_ns(o, 8, r->look_pause_ns);
	str_put(o, "\n");
}

/* The first and the last ones where there are many. */
static void put_rounds(struct str *o, const struct ans_check *c)
{
	unsigned number = 0;
	char name[24];

	if (!c->round.n)
		return;
	str_printf(o, "   %-8s %8s %10s %11s %10s %10s %10s %5s %8s %8s\n", "round", "load", "live",
		   "objects", "goroutines", "RSS", "allocated", "GC", "GC CPU", "look");
	for (size_t i = 0; i < c->round.n; i++) {
		snprintf(name, sizeof(name), "%u", number + 1);
		number += !c->round.v[i].warm_up;
		if (c->round.n > ROUNDS_SHOWN && i >= ROUNDS_SHOWN / 2 &&
		    i < c->round.n - ROUNDS_SHOWN / 2) {
			if (i == ROUNDS_SHOWN / 2)
				str_printf(o, "   \xe2\x80\xa6 %zu more\n",
					   c->round.n - ROUNDS_SHOWN);
			continue;
		}
		put_round(o, c->round.v[i].warm_up ? "warm-up" : name, &c->round.v[i]);
	}
	str_put(o, "\n");
}

static void put_number(struct str *o, const struct ans_check_limit *l, double v)
{
	char buf[32];

	if (!strcmp(l->unit, "bytes/load"))
		str_printf(o, "%s a load", str_bytes(buf, v > 0 ? (uint64_t)v : 0));
	else if (!strcmp(l->unit, "ns/cycle"))
		str_printf(o, "%s a collection", text_ns(buf, v > 0 ? (uint64_t)v : 0));
	else if (!strcmp(l->unit, "percent"))
		str_printf(o, "%.2g %%", v);
	else if (!strcmp(l->unit, "cycles/load"))
		str_printf(o, "%.3g a load", v);
	else
		str_printf(o, "%.6g", v);
}

/* What has no limit and no baseline is for JSON. */
static void put_limits(struct str *o, enum text_style st, const struct ans_check *c)
{
	bool any = false;

	for (size_t i = 0; i < c->limits.n; i++) {
		const struct ans_check_limit *l = &c->limits.v[i];

		if (isnan(l->limit) && isnan(l->baseline))
			continue;
		str_printf(o, "   %s%-9s ", on(st, l->broken ? "\x1b[1;31m" : ""), l->name);
		put_number(o, l, l->value);
		if (!isnan(l->limit)) {
			str_put(o, l->broken ? ", over its limit of " : ", its limit is ");
			put_number(o, l, l->limit);
		}
		if (!isnan(l->baseline)) {
			str_put(o, "; baseline ");
			put_number(o, l, l->baseline);
		}
		str_printf(o, "%s\n", on(st, l->broken ? "\x1b[0m" : ""));
		any = true;
	}
	if (any)
		str_put(o, "\n");
}

/* The last lines of what it printed. */
static void put_output(struct str *o, const char *text)
{
	size_t n = text ? strlen(text) : 0, lines = 0, at = n;

	while (at && lines <= OUTPUT_SHOWN)
		if (text[--at] == '\n' && at + 1 < n)
			lines++;
	if (lines > OUTPUT_SHOWN)
		at++;
	while (at < n) {
		size_t k = strcspn(text + at, "\n");

		str_put(o, "   | ");
		str_put_clean(o, text + at, MIN(k, (size_t)TEXT_NAME_MAX));
		str_put(o, "\n");
		at += k + 1;
	}
	if (n)
		str_put(o, "\n");
}

static void put_name(struct str *o, const struct ans_check *c)
{
	if (c->suite && *c->suite && strcmp(c->suite, c->name) != 0) {
		text_clean(o, c->suite);
		str_put(o, " ");
	}
	text_clean(o, c->name);
}

static void put_verdict(struct str *o, enum text_style st, const struct ans_check *c)
{
	_cleanup_(str_deinit) struct str line = { 0 };
	char ns[32];

	str_printf(o, "%s%-7s%s ", on(st, color_of(c->result)), ans_check_word(c->result),
		   on(st, "\x1b[0m"));
	put_name(&line, c);
	str_put(&line, ": ");
	text_clean(&line, c->why);
	if (c->rounds)
		str_printf(&line, " (%u round%s", c->rounds, c->rounds == 1 ? "" : "s");
	if (c->rounds && c->sure)
		str_printf(&line, ", sure to %.1f %%", (double)c->sure / 10);
	if (c->rounds)
		str_printf(&line, ", %s)", text_ns(ns, c->ns));
	if (c->result == CHECK_UNSURE && c->more)
		str_printf(&line, "; %u more rounds would tell", c->more);
	text_wrapped(o, str_ok(&line) ? line.s : "", 8, 8);
}

static void put_check(struct str *o, enum text_style st, const struct ans_checks *a,
		      const struct ans_check *c)
{
	size_t told = 0;

	put_verdict(o, st, c);
	str_put(o, "\n");
	for (size_t i = 0; i < c->rows.n; i++)
		if (ans_check_told(a, c, &c->rows.v[i]))
			told++;
		else
			text_check_row(o, st, i + 1 - told, &c->rows.v[i]);
	if (told)
		str_printf(o, "   %zu of its findings %s below, with the test that leaves them\n\n",
			   told, told == 1 ? "is" : "are");
	if (c->result == CHECK_BROKEN)
		put_output(o, c->output);
	put_limits(o, st, c);
	put_rounds(o, c);
}

static void put_gone(struct str *o, const struct ans_checks *a)
{
	for (size_t i = 0; i < a->gone.n; i++) {
		_cleanup_(str_deinit) struct str line = { 0 };
		const struct ans_check_gone *g = &a->gone.v[i];

		text_clean(&line, g->kind);
		str_put(&line, " ");
		text_clean(&line, g->signature);
		str_put(&line, " of ");
		text_clean(&line, *g->test ? g->test : g->program);
		str_put(&line, ": ");
		text_clean(&line, g->title);
		str_put(&line, a->baseline_written ? ": taken out of "
						   : ": remove it (--update-baseline) from ");
		text_clean(&line, a->baseline);
		str_put(o, "fixed   ");
		text_wrapped(o, str_ok(&line) ? line.s : "", 8, 8);
	}
}

/* Of several checks what each came to stands first, then those of which there is more to say. */
static void put_overview(struct str *o, enum text_style st, const struct ans_checks *a)
{
	size_t n[CHECK_RESULTS] = { 0 };
	bool first = true;

	for (size_t i = 0; i < a->v.n; i++)
		n[MIN(a->v.v[i].result, CHECK_RESULTS - 1)]++;
	str_printf(o, "%s%s%s  %zu checks:", on(st, color_of(ans_checks_result(a))),
		   ans_check_word(ans_checks_result(a)), on(st, "\x1b[0m"), a->v.n);
	for (uint8_t r = 0; r < CHECK_RESULTS; r++)
		if (n[r]) {
			str_printf(o, "%s %zu %s", first ? "" : ",", n[r], ans_check_word(r));
			first = false;
		}
	str_put(o, "\n\n");
	for (size_t i = 0; i < a->v.n; i++)
		put_verdict(o, st, &a->v.v[i]);
	str_put(o, "\n");
}

void text_check(struct str *o, enum text_style st, const struct ans_checks *a)
{
	if (a->v.n > 1)
		put_overview(o, st, a);
	for (size_t i = 0; i < a->v.n; i++) {
		const struct ans_check *c = &a->v.v[i];

		if (a->v.n == 1 || c->rows.n ||
		    (c->result != CHECK_PASSED && c->result != CHECK_SKIPPED))
			put_check(o, st, a, c);
	}
	put_gone(o, a);
	if (a->baseline_written) {
		str_put(o, "written ");
		text_clean(o, a->baseline);
		str_put(o, ": what was found is known from now on\n");
	}
}
