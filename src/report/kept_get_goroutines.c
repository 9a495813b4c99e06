/*
 * kept_get_goroutines.c - goroutines of a store, as a list or in groups.
 *
 * Groups are made of what is kept, by agg_goroutines.c where labels are not what they differ by.
 */
#include "report/agg_goroutines.h"
#include "report/agg_labels.h"
#include "report/kept.h"
#include "report/kept_get.h"
#include "report/text.h"

/* Each stack is read once: where its frames begin in the answer. */
struct stack_at {
	uint64_t id;
	size_t first, n;
};

static int by_id(const void *x, const void *y)
{
	const struct stack_at *p = x, *q = y;

	return (p->id > q->id) - (p->id < q->id);
}

static struct err *read_stacks(struct kept *k, struct ans_goroutines *r, struct stack_at **ret,
			       size_t *ret_n)
{
	_cleanup_(freep) struct kept_stack *v = NULL;
	_cleanup_(freep) int64_t *ids = NULL;
	struct stack_at *at;
	size_t n = 0;
	struct err *err =
		store_get(k->w.x, &kept_stack.table, 0, k->w.keep, (void **)&v, &n, &ids, NULL);

	at = err ? NULL : zalloc(n, sizeof(*at));
	if (!at)
		return err ? err : &err_nomem;
	*ret = at;
	*ret_n = n;
	for (size_t i = 0; i < n && !err; i++) {
		_cleanup_(freep) struct ans_frame *f = NULL;

		at[i] = (struct stack_at){ (uint64_t)ids[i], r->frames.n, 0 };
		err = kept_get(&k->w, &kept_stack_frame, ids[i], (void **)&f, &at[i].n, NULL, NULL);
		for (size_t j = 0; j < at[i].n && !err; j++)
			if (!vec_push(&r->frames, f[j]))
				err = &err_nomem;
	}
	return err;
}

static bool is_wanted(const struct ans_goroutine *g, unsigned which)
{
	return which != GOROUTINES_LEAKED || (g->leaked && strcmp(g->leaked, "no"));
}

static struct err *push(struct ans_goroutines *r, const struct kept_goroutine *k,
			const struct stack_at *at, size_t nat)
{
	const struct stack_at key = { .id = k->stack };
	const struct stack_at *s = nat ? bsearch(&key, at, nat, sizeof(*at), by_id) : NULL;
	struct ans_goroutine g = k->g;

	g.first_frame = s ? s->first : 0;
	g.nframes = s ? s->n : 0;
	g.first_wait = r->waits.n;
	g.nwaits = k->waits.n;
	for (size_t i = 0; i < k->waits.n; i++)
		if (!vec_push(&r->waits, k->waits.v[i]))
			return &err_nomem;
	return vec_push(&r->gs, g) ? NULL : &err_nomem;
}

static struct err *push_all(struct kept *k, unsigned which, struct ans_goroutines *r)
{
	struct kept_goroutine *v = NULL;
	_cleanup_(freep) struct stack_at *at = NULL;
	size_t n = 0, nat = 0;
	struct err *err = read_stacks(k, r, &at, &nat);

	if (!err)
		err = kept_get(&k->w, &kept_goroutine, 0, (void **)&v, &n, NULL, NULL);
	for (size_t i = 0; i < n && !err; i++)
		if (is_wanted(&v[i].g, which))
			err = push(r, &v[i], at, nat);
	for (size_t i = 0; i < n; i++)
		vec_free(&v[i].waits);
	free(v);
	return err;
}

static void sum_up(const struct kept *k, struct ans_goroutines *r)
{
	const struct kept_totals *t = &k->totals;

	r->total = r->gs.n;
	for (size_t i = 0; i < r->gs.n; i++)
		if (r->gs.v[i].retained != ANS_UNKNOWN)
			r->retained_total += r->gs.v[i].retained;
	r->proved = t->proved;
	r->suspect = t->suspect;
	r->freed_bytes = t->freed_bytes;
	r->freed_stack_bytes = t->freed_stack_bytes;
	r->unproved = t->unproved;
	r->leaked_known = t->leaked_known;
}

static const char *words_of(struct kept *k, const struct ans_labels *l)
{
	_cleanup_(str_deinit) struct str s = { 0 };

	text_label_words(&s, l);
	return keepf(k->w.keep, "%s", str_ok(&s) ? s.s : "");
}

/* The label of that key alone, as labels; NULL: it has none. */
static const struct ans_labels *label_alone(struct kept *k, const struct ans_labels *l,
					    const char *key)
{
	struct ans_labels one = { .n = 1 };

	for (size_t i = 0; l && i < l->n; i++)
		if (!strcmp(l->v[i].key, key)) {
			one.v = &l->v[i];
			return keep_bytes(k->w.keep, &one, sizeof(one));
		}
	return NULL;
}

static const char *name_of(struct kept *k, const struct ans_labels *l, const char *key,
			   const struct ans_labels *whole)
{
	_cleanup_(str_deinit) struct str s = { 0 };

	if (whole && whole->lost)
		return "(labels not readable)";
	if (l)
		return words_of(k, l);
	if (!key)
		return "(no labels)";
	text_clean(&s, key);
	return keepf(k->w.keep, "(no label %s)", str_ok(&s) ? s.s : "");
}

/* What all of a group hold together is what `top --by label` has. */
static struct err *retained_by_label(struct agg *a, struct ans_goroutines *r)
{
	_cleanup_(ans_top_deinit) struct ans_top t = { 0 };
	const struct top_ask q = { .by = r->group_by, .limit = SIZE_MAX, .trees = AGG_TREE_EXACT };
	struct err *err = agg_top(a, &q, &t);

	for (size_t i = 0; i < r->groups.n && !err; i++)
		for (size_t k = 0; k < t.rows.n; k++)
			if (!strcmp(t.rows.v[k].name, r->groups.v[i].name))
				r->groups.v[i].retained = t.rows.v[k].retained;
	return err;
}

static struct err *group_by_label(struct agg *a, const char *key, struct ans_goroutines *r)
{
	struct kept *k = a->asked;
	_cleanup_(freep) const char **name = zalloc(r->gs.n, sizeof(*name));
	_cleanup_(freep) const struct ans_labels **labels = zalloc(r->gs.n, sizeof(*labels));
	struct err *err;

	if (!name || !labels)
		return &err_nomem;
	for (size_t i = 0; i < r->gs.n; i++) {
		const struct ans_labels *l = r->gs.v[i].labels;

		if (l && l->unknown)
			return kept_lacks(k, "a heap dump has no labels of goroutines");
		labels[i] = key ? label_alone(k, l, key) : l && l->n ? l : NULL;
		name[i] = name_of(k, labels[i], key, l);
	}
	r->group_by = key ? keepf(k->w.keep, "label:%s", key) : "label";
	err = agg_goroutines_by_key(r, GROUP_LABEL, name);
	for (size_t i = 0; i < r->groups.n && !err; i++)
		r->groups.v[i].labels = labels[r->groups.v[i].example];
	if (!err)
		err = retained_by_label(a, r);
	agg_goroutines_order(r);
	return err;
}

struct err *kept_goroutines_of(struct agg *a, const struct goroutines_ask *q,
			       struct ans_goroutines *ret)
{
	_cleanup_(ans_goroutines_deinit) struct ans_goroutines r = { 0 };
	struct kept *k = a->asked;
	struct err *err = NULL;

	if (q->which == GOROUTINES_LEAKED && !k->totals.leaked_known)
		err = kept_lacks(k, "this evidence does not say who waits for what");
	if (!err)
		err = push_all(k, q->which, &r);
	sum_up(k, &r);
	r.leaked_only = q->which == GOROUTINES_LEAKED;
	if (!err && q->by == GROUP_LABEL)
		err = group_by_label(a, q->key, &r);
	if (!err)
		err = agg_goroutines_settle(a, q->by == GROUP_LABEL ? GROUP_NONE : q->by,
					    q->by == GROUP_LABEL ? SIZE_MAX : q->limit, &r);
	if (r.groups.n > q->limit)
		r.groups.n = q->limit;
	if (!err)
		err = keep_err(&a->keep);
	if (err)
		return err;
	*ret = r;
	r = (struct ans_goroutines){ 0 };
	return NULL;
}
