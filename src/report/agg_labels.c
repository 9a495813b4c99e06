/*
 * agg_labels.c - labels of goroutines as values of answers, and goroutines grouped by them.
 *
 * Sets are made to answers once; equal ones share theirs.  Groups are told apart by the labels
 * themselves, not by what the policy shows of them: two tenants whose hashes are equal remain two.
 */
#include "report/agg_labels.h"
#include "report/kept.h"

#include "report/agg_value.h"
#include "report/text.h"

static const struct ans_labels lost = { .lost = true }, unknown = { .unknown = true };

/* Raw, but without zero bytes: those would end it. */
static const char *whole_text(struct agg *a, const struct snap_label_text *t)
{
	_cleanup_(str_deinit) struct str s = { 0 };

	for (uint32_t i = 0, k; i < t->n; i += k + 1) {
		k = (uint32_t)strnlen((const char *)t->p + i, t->n - i);
		str_putn(&s, (const char *)t->p + i, k);
		if (i + k < t->n)
			str_put(&s, "\\x00");
	}
	if (t->len > t->n)
		str_put(&s, "\xe2\x80\xa6");
	return keepf(&a->keep, "%s", str_ok(&s) ? s.s : "");
}

static const char *value_text(struct agg *a, const struct snap_label_text *t)
{
	if (t->left_out || a->values == ANS_VALUES_NONE)
		return NULL;
	if (a->values == ANS_VALUES_HASH)
		return value_hash(a, t->p, t->n);
	return whole_text(a, t);
}

/* Keys tell rows apart, so there is always something of them: of one made at run time a hash. */
static const char *key_text(struct agg *a, const struct snap_label_text *t)
{
	if (t->left_out)
		return "(left out)";
	if (t->literal || a->values == ANS_VALUES_FULL)
		return whole_text(a, t);
	return value_hash(a, t->p, t->n);
}

static struct ans_label_pair make_pair(struct agg *a, const struct snap_labels *l,
				       struct snap_label from)
{
	const struct snap_label_text *key = &l->texts.v[from.key], *value = &l->texts.v[from.value];

	return (struct ans_label_pair){
		.key = key_text(a, key),
		.value = value_text(a, value),
		.left_out = value->left_out,
		.hashed = a->values == ANS_VALUES_HASH,
	};
}

/* n labels as an answer, of the keep. */
static const struct ans_labels *make_labels(struct agg *a, const struct snap_label *from, size_t n)
{
	_cleanup_(freep) struct ans_label_pair *v = zalloc(n, sizeof(*v));
	struct ans_labels one = { .n = n };

	if (!v) {
		a->keep.bad = true;
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		v[i] = make_pair(a, a->s->labels, from[i]);
	one.v = keep_bytes(&a->keep, v, n * sizeof(*v));
	return keep_bytes(&a->keep, &one, sizeof(one));
}

static struct err *make_sets(struct agg *a)
{
	const struct snap_labels *l;
	struct err *err = snapshot_labels(a->s);

	if (err)
		return err;
	l = a->s->labels;
	a->label_sets = zalloc(l->sets.n, sizeof(*a->label_sets));
	if (!a->label_sets)
		return &err_nomem;
	a->label_sets[SNAP_LABELS_NONE] = l->known ? NULL : &unknown;
	a->label_sets[SNAP_LABELS_LOST] = &lost;
	for (size_t i = SNAP_LABELS_FIRST; i < l->sets.n; i++)
		a->label_sets[i] = make_labels(a, l->labels.v + l->sets.v[i].first, l->sets.v[i].n);
	return keep_err(&a->keep);
}

struct err *agg_labels_of(struct agg *a, size_t i, const struct ans_labels **ret)
{
	struct err *err = a->label_sets ? NULL : make_sets(a);

	if (err)
		return err;
	*ret = i < a->s->labels->ngoroutines ? a->label_sets[a->s->labels->set_of[i]] : NULL;
	return NULL;
}

struct err *agg_labels_any(struct agg *a, bool *ret)
{
	struct err *err;

	if (a->asked)
		return kept_has_labels(a, ret);
	err = a->label_sets ? NULL : make_sets(a);
	if (!err)
		*ret = a->s->labels->sets.n > SNAP_LABELS_FIRST;
	return err;
}

static const char *name_of(struct agg *a, const struct ans_labels *l)
{
	_cleanup_(str_deinit) struct str s = { 0 };

	text_label_words(&s, l);
	return keepf(&a->keep, "%s", str_ok(&s) ? s.s : "");
}

/* Groups 0 and 1. */
static void name_the_others(struct agg *a, const char *key, struct agg_label_groups *gs)
{
	_cleanup_(str_deinit) struct str s = { 0 };

	text_clean(&s, key ? key : "");
	gs->names[SNAP_LABELS_NONE] =
		key ? keepf(&a->keep, "(no label %s)", str_ok(&s) ? s.s : "") : "(no labels)";
	gs->names[SNAP_LABELS_LOST] = "(labels not readable)";
}

static bool is_key(const struct snap_label_text *t, const char *key)
{
	return !t->left_out && t->n == t->len && t->n == strlen(key) && !memcmp(t->p, key, t->n);
}

/* The label of that key in a set, or NULL. */
static const struct snap_label *label_in(const struct snap_labels *l, size_t set, const char *key)
{
	const struct snap_label_set *s = &l->sets.v[set];

	for (uint32_t i = s->first; i < s->first + s->n; i++)
		if (is_key(&l->texts.v[l->labels.v[i].key], key))
			return &l->labels.v[i];
	return NULL;
}

/* By set: its group; a value's group is made when it is met first. */
static void group_by_value(struct agg *a, const char *key, uint32_t *of_set, uint32_t *of_value,
			   struct agg_label_groups *gs)
{
	const struct snap_labels *l = a->s->labels;

	gs->n = SNAP_LABELS_FIRST;
	of_set[SNAP_LABELS_LOST] = SNAP_LABELS_LOST;
	for (size_t i = SNAP_LABELS_FIRST; i < l->sets.n; i++) {
		const struct snap_label *found = label_in(l, i, key);

		if (!found)
			continue;
		if (!of_value[found->value]) {
			gs->labels[gs->n] = make_labels(a, found, 1);
			of_value[found->value] = gs->n++;
		}
		of_set[i] = of_value[found->value];
	}
}

static void group_by_set(struct agg *a, uint32_t *of_set, struct agg_label_groups *gs)
{
	gs->n = (uint32_t)a->s->labels->sets.n;
	for (uint32_t i = 0; i < gs->n; i++) {
		of_set[i] = i;
		if (i >= SNAP_LABELS_FIRST)
			gs->labels[i] = a->label_sets[i];
	}
}

static struct err *make_groups(struct agg *a, const char *key, struct agg_label_groups *gs)
{
	const struct snap_labels *l = a->s->labels;
	_cleanup_(freep) uint32_t *of_set = zalloc(l->sets.n, sizeof(*of_set));
	_cleanup_(freep) uint32_t *of_value = zalloc(l->texts.n, sizeof(*of_value));

	gs->of = zalloc(l->ngoroutines, sizeof(*gs->of));
	gs->names = zalloc(l->sets.n, sizeof(*gs->names));
	gs->labels = zalloc(l->sets.n, sizeof(*gs->labels));
	if (!of_set || !of_value || !gs->of || !gs->names || !gs->labels)
		return &err_nomem;
	if (key)
		group_by_value(a, key, of_set, of_value, gs);
	else
		group_by_set(a, of_set, gs);
	name_the_others(a, key, gs);
	for (uint32_t i = SNAP_LABELS_FIRST; i < gs->n && !a->keep.bad; i++)
		gs->names[i] = name_of(a, gs->labels[i]);
	for (size_t i = 0; i < l->ngoroutines; i++)
		gs->of[i] = of_set[l->set_of[i]];
	return keep_err(&a->keep);
}

struct err *agg_label_groups_make(struct agg *a, const char *key, struct agg_label_groups *ret)
{
	_cleanup_(agg_label_groups_deinit) struct agg_label_groups gs = { 0 };
	struct err *err = a->label_sets ? NULL : make_sets(a);

	if (!err && !a->s->labels->known)
		err = err_unsupported(
			"a heap dump has no labels of goroutines: give a process or a core");
	if (!err)
		err = make_groups(a, key, &gs);
	if (err)
		return err;
	*ret = gs;
	gs = (struct agg_label_groups){ 0 };
	return NULL;
}

void agg_label_groups_deinit(struct agg_label_groups *gs)
{
	free(gs->of);
	free(gs->names);
	free(gs->labels);
	*gs = (struct agg_label_groups){ 0 };
}

enum { KEYS_SHOWN = 16 };

/* Is text number k the key of a label? */
static bool names_a_label(const struct snap_labels *l, uint32_t k)
{
	for (size_t i = 0; i < l->labels.n; i++)
		if (l->labels.v[i].key == k)
			return true;
	return false;
}

/* ": route, tenant": texts are numbered as they are met, keys among the first of them. */
static void put_keys(struct agg *a, struct str *s)
{
	const struct snap_labels *l = a->s->labels;
	unsigned n = 0;

	for (uint32_t k = 0; k < MIN(l->texts.n, (size_t)64) && n < KEYS_SHOWN; k++) {
		if (l->texts.v[k].left_out || !names_a_label(l, k))
			continue;
		str_put(s, n++ ? ", " : "; there are: ");
		text_clean(s, key_text(a, &l->texts.v[k]));
	}
}

const char *agg_labels_missing(struct agg *a, const char *key, const struct agg_label_groups *gs)
{
	_cleanup_(str_deinit) struct str s = { 0 };

	if (gs->n > SNAP_LABELS_FIRST)
		return NULL;
	str_put(&s, "no goroutine carries a pprof label");
	if (key) {
		str_put(&s, " ");
		text_clean(&s, key);
		put_keys(a, &s);
	}
	return keepf(&a->keep, "%s", str_ok(&s) ? s.s : "");
}
