/*
 * agg_gotext_top.c - goroutines of a text by what stands on their stacks, and who started whom.
 *
 * Flat: that are in it now, cum: that have it on their stack, as `go tool pprof -top` counts a
 * goroutine profile.  Cost: all frames of all stacks.
 */
#include "report/agg_gotext.h"

#include <inttypes.h>
#include <stdio.h>

struct hit {
	const char *name;
	uint64_t n;
	uint32_t stack; /* cum: one name counts once a stack */
	bool flat;
};
typedef VEC(struct hit) hits;

/* "net/http.(*conn).serve": up to the first point behind the last slash; brackets may hold both. */
static const char *package_of(struct keep *k, const char *f)
{
	size_t end = strcspn(f, "([");
	const char *slash = memrchr(f, '/', end);
	const char *from = slash ? slash : f, *dot = memchr(from, '.', end - (size_t)(from - f));

	return dot ? keepn(k, f, (size_t)(dot - f)) : f;
}

static const char *name_of(const struct gotext *g, struct keep *k, const char *by, uint32_t frame)
{
	const struct gotext_frame *f = &g->frames.v[frame];
	const char *function = gotext_text(g, f->function), *file = gotext_text(g, f->file);

	if (!strcmp(by, "package"))
		return package_of(k, function);
	if (!strcmp(by, "file"))
		return *file ? file : "(unknown)";
	if (!strcmp(by, "line"))
		return *file ? keepf(k, "%s %s:%u", function, file, f->line) : function;
	return *function ? function : "(unknown)";
}

static int by_name(const void *x, const void *y)
{
	const struct hit *p = x, *q = y;
	int c = strcmp(p->name, q->name);

	if (c)
		return c;
	if (p->stack != q->stack)
		return p->stack < q->stack ? -1 : 1;
	return q->flat - p->flat;
}

static int most_first(const void *x, const void *y)
{
	const struct ans_gotext_row *p = x, *q = y;

	if (p->flat != q->flat)
		return p->flat < q->flat ? 1 : -1;
	if (p->cum != q->cum)
		return p->cum < q->cum ? 1 : -1;
	return strcmp(p->name, q->name);
}

/* Of each stack in the kept dump its count; frames: a name each, by frame, made once. */
static struct err *list_frames(const struct gotext *g, const char *by, struct keep *k, hits *hs)
{
	const struct gotext_dump *d = &g->dumps.v[g->kept];
	_cleanup_(freep) const char **names = zalloc(g->frames.n + 1, sizeof(*names));

	if (!names)
		return &err_nomem;
	for (uint32_t t = d->first_tally; t < d->first_tally + d->ntallies; t++) {
		const struct gotext_tally *x = &g->tallies.v[t];
		const struct gotext_stack *s = &g->stacks.v[x->stack];

		for (uint32_t i = 0; i < s->n; i++) {
			uint32_t f = g->links.v[s->first + i];
			struct hit h = { names[f], x->count, t, i == 0 };

			if (!h.name)
				h.name = names[f] = name_of(g, k, by, f);
			if (!vec_push(hs, h))
				return &err_nomem;
		}
	}
	return NULL;
}

static struct err *list_groups(const struct gotext *g, const char *by, hits *hs)
{
	const struct gotext_dump *d = &g->dumps.v[g->kept];

	for (uint32_t t = d->first_tally; t < d->first_tally + d->ntallies; t++) {
		const struct gotext_tally *x = &g->tallies.v[t];
		const char *name = !strcmp(by, "state") ? gotext_text(g, x->state)
							: gotext_creator(g, &g->stacks.v[x->stack]);
		struct hit h = { *name ? name : "(unknown)", x->count, t, true };

		if (!vec_push(hs, h))
			return &err_nomem;
	}
	return NULL;
}

static struct err *check_by(const char *by)
{
	static const char *const words[] = { "function", "package", "file",
					     "line",	 "state",   "creator" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(by, words[i]))
			return NULL;
	return err_usage(
		"--by %.100s: of goroutines in a text want function, package, file, line, state or "
		"creator; by label: limpet goroutines FILE --group-by label",
		by);
}

static struct err *sum(hits *hs, struct ans_gotext_top *ret)
{
	if (hs->n)
		qsort(hs->v, hs->n, sizeof(hs->v[0]), by_name);
	for (size_t i = 0; i < hs->n; i++) {
		const struct hit *h = &hs->v[i];
		struct ans_gotext_row *row;

		if (!i || strcmp(h[-1].name, h->name) != 0) {
			if (!vec_push(&ret->rows, (struct ans_gotext_row){ h->name, 0, 0 }))
				return &err_nomem;
		}
		row = &ret->rows.v[ret->rows.n - 1];
		row->flat += h->flat ? h->n : 0;
		if (!i || strcmp(h[-1].name, h->name) != 0 || h[-1].stack != h->stack)
			row->cum += h->n;
	}
	return NULL;
}

struct err *agg_gotext_top(const struct gotext *g, struct keep *k, const char *by, size_t limit,
			   struct ans_gotext_top *ret)
{
	hits hs = { 0 };
	struct err *err;

	ret->by = by ? by : "function";
	ret->total = g->dumps.v[g->kept].n;
	err = check_by(ret->by);
	if (!err && (!strcmp(ret->by, "state") || !strcmp(ret->by, "creator")))
		err = list_groups(g, ret->by, &hs);
	else if (!err)
		err = list_frames(g, ret->by, k, &hs);
	if (!err)
		err = sum(&hs, ret);
	vec_free(&hs);
	if (ret->rows.n)
		qsort(ret->rows.v, ret->rows.n, sizeof(ret->rows.v[0]), most_first);
	ret->nrows = ret->rows.n;
	ret->rows.n = MIN(ret->rows.n, limit);
	return err ? err : keep_err(k);
}
