/*
 * agg_pprof_labels.c - samples by their labels, values hashed unless they were asked for.
 *
 * A row is made for each set of labels of the profile; equal ones are joined by
 * agg_pprof_top_end(). Cost: a walk over the samples.
 */
#include "report/agg_pprof_labels.h"

#include "base/str.h"
#include "evidence/pprof_unit.h"
#include "report/agg_pprof.h"
#include "report/answer.h"

#include <inttypes.h>

/* As value_hash() of agg_value.h, so that equal ones are equal there and here. */
static void put_hash(struct str *o, const char *s)
{
	uint64_t h = 14695981039346656037U;

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 1099511628211U;
	str_printf(o, "\xe2\x80\xa6%04" PRIx64, h & 0xffff);
}

static void put_label(struct str *o, const struct pprof *p, const struct pprof_label *l,
		      unsigned values)
{
	char v[PPROF_VALUE_MAX];
	const char *text = pprof_text(p, l->text);

	str_printf(o, "%s%s: ", o->n ? ", " : "", pprof_text(p, l->key));
	if (!l->text) /* a number: pprof's own, as the size of the objects */
		str_put(o, pprof_value(v, l->num, pprof_label_unit(p, l), "auto"));
	else if (values == ANS_VALUES_FULL)
		str_put(o, text);
	else if (values == ANS_VALUES_HASH)
		put_hash(o, text);
	else
		str_put(o, "\xe2\x80\xa6");
}

void agg_pprof_labels_hide(struct pprof *p, unsigned values)
{
	_cleanup_(str_deinit) struct str o = { 0 };

	for (size_t i = 0; i < p->labels.n && values != ANS_VALUES_FULL; i++) {
		struct pprof_label *l = &p->labels.v[i];

		if (!l->text)
			continue;
		o.n = 0;
		if (values == ANS_VALUES_HASH)
			put_hash(&o, pprof_text(p, l->text));
		else
			str_put(&o, "\xe2\x80\xa6");
		l->text = pprof_add_word(p, str_ok(&o) ? o.s : "");
	}
}

struct by_key {
	const struct pprof *p;
	const struct pprof_label *l;
};

static int compare(const void *pa, const void *pb)
{
	const struct by_key *a = pa, *b = pb;

	return strcmp(pprof_text(a->p, a->l->key), pprof_text(b->p, b->l->key));
}

enum { LABELS_MAX = 32 };

static const char *row_name(struct keep *k, const struct pprof *p, const struct pprof_walk *w,
			    const char *key, unsigned values)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	struct by_key label[LABELS_MAX];
	size_t n = 0;

	for (uint32_t i = 0; i < w->nlabels && n < LABELS_MAX; i++) {
		const struct pprof_label *l = &p->labels.v[w->first_label + i];

		/* without a value pprof drops it, too */
		if ((l->text || l->num || l->unit) && (!key || !strcmp(pprof_text(p, l->key), key)))
			label[n++] = (struct by_key){ p, l };
	}
	qsort(label, n, sizeof(label[0]), compare);
	for (size_t i = 0; i < n; i++)
		put_label(&o, p, label[i].l, values);
	if (o.bad)
		k->bad = true;
	if (!n && key)
		return keepf(k, "(no label %s)", key);
	return n && !o.bad ? keepn(k, o.s, o.n) : "(no labels)";
}

/* Told apart by what they are, not by what is shown of it. */
struct labelled {
	const char *full, *shown;
	int64_t value;
};

struct rows {
	VEC(struct labelled) r;
};

static void rows_deinit(struct rows *x)
{
	vec_free(&x->r);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct labelled *)a)->full, ((const struct labelled *)b)->full);
}

/* Sets that differ in labels that nobody asked for are one row. */
static struct err *join(struct rows *x, struct ans_pprof_top *a)
{
	const struct labelled *last = NULL;

	if (x->r.n)
		qsort(x->r.v, x->r.n, sizeof(*x->r.v), by_name);
	for (size_t i = 0; i < x->r.n; i++) {
		const struct labelled *r = &x->r.v[i];
		struct ans_pprof_row *to;

		if (!last || by_name(last, r)) {
			struct ans_pprof_row made = { .name = r->shown, .inlined = "" };

			if (!vec_push(&a->rows, made))
				return &err_nomem;
		}
		last = r;
		to = &a->rows.v[a->rows.n - 1];
		to->flat = to->cum = pprof_plus(to->flat, r->value);
	}
	return NULL;
}

/* A row for each set of labels. */
static struct err *collect(const struct pprof *p, unsigned type, struct pprof_pick *pick,
			   const char *key, unsigned values, struct keep *keep, struct rows *x)
{
	_cleanup_(freep) uint32_t *row = zalloc(p->label_sets.n + 1, sizeof(*row)); /* + 1 */
	struct pprof_walk w = { 0 };
	const uint32_t *frames;
	size_t nframes;

	if (!row)
		return &err_nomem;
	while (pprof_next(p, &w)) {
		struct labelled *r;

		if (!w.values[type] || !pprof_pick_sample(pick, &w, &frames, &nframes))
			continue;
		if (!row[w.label_set]) {
			struct labelled made = { row_name(keep, p, &w, key, ANS_VALUES_FULL),
						 row_name(keep, p, &w, key, values), 0 };

			if (!vec_push(&x->r, made))
				return &err_nomem;
			row[w.label_set] = (uint32_t)x->r.n;
		}
		r = &x->r.v[row[w.label_set] - 1];
		r->value = pprof_plus(r->value, w.values[type]);
	}
	return pprof_pick_err(pick);
}

struct err *agg_pprof_labels(const struct pprof *p, const struct pprof_ask *q, const char *key,
			     unsigned values, struct ans_pprof_top *a)
{
	_cleanup_(pprof_pick_freep) struct pprof_pick *pick = NULL;
	_cleanup_(rows_deinit) struct rows rows = { 0 };
	struct err *err = pprof_pick_create(p, &q->filters, &pick);

	if (!err)
		err = agg_pprof_head(p, q->type, &a->head);
	if (!err)
		err = collect(p, q->type, pick, key, values, &a->keep, &rows);
	if (!err)
		err = join(&rows, a);
	agg_pprof_top_sort(a, q->order);
	a->total = pprof_plus(a->total, pprof_total(p, q->type));
	return err ? err : keep_err(&a->keep);
}
