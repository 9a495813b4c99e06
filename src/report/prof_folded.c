/*
 * prof_folded.c - a profile as text, a stack a line: "main.main;main.work 12".
 *
 * As Brendan Gregg's flamegraph.pl reads it, and all that learned of it: frames outermost first,
 * an inlined function is a frame; what separates in the format does not stand in a name.
 * Memory: the text once more, to add up equal lines.
 */
#include "report/prof.h"

#include <stdio.h>

struct line {
	size_t at, n; /* in the text: the stack */
	int64_t value;
};

struct folder {
	const struct pprof *p;
	struct str text;
	VEC(struct line) lines;
	VEC(uint32_t) nodes; /* of one stack, leaf first */
};

static void put_name(struct folder *f, const char *name)
{
	size_t from;

	if (f->text.n && f->text.s[f->text.n - 1] != '\n')
		str_put(&f->text, ";");
	from = f->text.n;
	if (!*name)
		name = "(unknown)";
	str_put_clean(&f->text, name, strlen(name));
	for (size_t i = from; i < f->text.n; i++)
		if (f->text.s[i] ==
		    ';') /* Go writes struct types so in names of generic functions */
			f->text.s[i] = ':';
}

static void put_location(struct folder *f, const struct pprof_location *l)
{
	char hex[24];

	for (uint32_t k = l->nlines; k > 0; k--) {
		uint32_t function = f->p->lines.v[l->first_line + k - 1].function;

		put_name(f, function == PPROF_NONE
				    ? ""
				    : pprof_text(f->p, f->p->functions.v[function].name));
	}
	if (l->nlines)
		return;
	snprintf(hex, sizeof(hex), "0x%" PRIx64, l->address);
	put_name(f, hex);
}

static struct err *put_sample(struct folder *f, const struct pprof_walk *w, unsigned value)
{
	struct line l = { .at = f->text.n, .value = w->values[value] };

	f->nodes.n = 0;
	for (uint32_t s = w->stack; s != PPROF_NONE; s = f->p->stacks.v[s].parent)
		if (!vec_push(&f->nodes, f->p->stacks.v[s].location))
			return &err_nomem;
	for (size_t i = f->nodes.n; i > 0; i--)
		put_location(f, &f->p->locations.v[f->nodes.v[i - 1]]);
	if (!f->nodes.n)
		put_name(f, "(no stack)");
	l.n = f->text.n - l.at;
	str_put(&f->text, "\n");
	return vec_push(&f->lines, l) ? NULL : &err_nomem;
}

static int by_stack(const void *x, const void *y, void *text)
{
	const struct line *a = x, *b = y;
	int c = memcmp((char *)text + a->at, (char *)text + b->at, MIN(a->n, b->n));

	return c ? c : (a->n > b->n) - (a->n < b->n);
}

static void put_lines(struct folder *f, struct str *o)
{
	const struct line *v = f->lines.v;

	for (size_t i = 0, k; i < f->lines.n; i = k) {
		int64_t sum = 0;

		for (k = i; k < f->lines.n && !by_stack(&v[i], &v[k], f->text.s); k++)
			sum = (int64_t)((uint64_t)sum + (uint64_t)v[k].value);
		if (!sum)
			continue;
		str_putn(o, f->text.s + v[i].at, v[i].n);
		str_printf(o, " %" PRId64 "\n", sum);
	}
}

static struct err *fold(struct folder *f, unsigned value, struct str *o)
{
	struct pprof_walk w = { 0 };
	struct err *err = NULL;

	while (!err && pprof_next(f->p, &w))
		if (w.values[value])
			err = put_sample(f, &w, value);
	if (err || f->text.bad)
		return err ? err : &err_nomem;
	if (f->lines.n)
		qsort_r(f->lines.v, f->lines.n, sizeof(*f->lines.v), by_stack, f->text.s);
	str_put(o, "");
	put_lines(f, o);
	return NULL;
}

struct err *prof_folded(const struct pprof *p, unsigned value, struct str *o)
{
	struct folder f = { .p = p };
	struct err *err = fold(&f, value, o);

	str_deinit(&f.text);
	vec_free(&f.lines);
	vec_free(&f.nodes);
	return err;
}
