/*
 * kept_get.c - a store that is asked: what is the same for all questions; head, exactness, memory.
 *
 * Knows no column.
 */
#include "report/kept_get.h"
#include "report/kept.h"

struct err *kept_lacks(const struct kept *k, const char *what)
{
	return err_unsupported("%.200s: %s; give a process or a core (limpet snapshot PID -o FILE)",
			       store_name(k->w.x), what);
}

struct err *kept_values(struct agg *a, unsigned values)
{
	static const char *const has[] = { "it has no values of the program",
					   "values of the program are in it as hashes",
					   "values of the program are in it as they are" };

	if (values == a->asked->totals.values)
		return NULL;
	return kept_lacks(a->asked, has[MIN(a->asked->totals.values, 2U)]);
}

void kept_strip_holder(struct ans_holder *h)
{
	h->owner_retained = 0;
}

void kept_strip_path(struct ans_path *p)
{
	for (size_t i = 0; i < p->nodes.n; i++)
		kept_strip_holder(&p->nodes.v[i]);
}

void kept_free(struct kept *k)
{
	if (!k)
		return;
	kept_walk_deinit(&k->w);
	vec_free(&k->costs);
	free(k);
}

struct err *kept_ask(struct agg *a, struct store *x)
{
	struct kept *k = zalloc(1, sizeof(*k));
	bool there = false;
	int64_t id;
	struct err *err;

	if (!k)
		return &err_nomem;
	k->w = (struct kept_walk){ .x = x, .keep = &a->keep };
	a->asked = k; /* agg_deinit() frees it */
	err = kept_get_first(&k->w, &kept_totals, 0, &k->totals, &id, &there);
	if (!err && !there)
		err = kept_lacks(k, "it has no answers, only objects");
	return err;
}

void kept_moved(struct agg *a)
{
	if (a->asked)
		a->asked->w.keep = &a->keep;
}

static struct err *take_lacks(struct kept *k, struct ans_head *h)
{
	struct kept_text *v = NULL;
	size_t n = 0;
	struct err *err = kept_get(&k->w, &kept_lack, 0, (void **)&v, &n, NULL, NULL);
	const char **words = err ? NULL : zalloc(n + 1, sizeof(*words));

	for (size_t i = 0; words && i < n; i++)
		words[i] = v[i].text;
	if (words)
		h->lacks = keep_bytes(k->w.keep, words, (n + 1) * sizeof(*words));
	free(v);
	free(words);
	return err ? err : keep_err(k->w.keep);
}

struct err *kept_head_of(struct agg *a, struct ans_head *ret)
{
	struct kept *k = a->asked;
	_cleanup_(ans_head_deinit) struct ans_head h = { 0 };
	bool there = false;
	int64_t id;
	struct err *err = kept_get_first(&k->w, &kept_head, 0, &h, &id, &there);

	if (!err && !there)
		err = err_bad_data("%.200s: it does not say what it is of", store_name(k->w.x));
	if (!err)
		err = kept_get(&k->w, &kept_loss, 0, (void **)&h.losses.v, &h.losses.n, NULL, NULL);
	if (!err)
		err = take_lacks(k, &h);
	if (err)
		return err;
	h.of = h.kind;
	h.kind = "store";
	h.of_file = h.file;
	h.file = keepf(&a->keep, "%s", store_name(k->w.x));
	*ret = h;
	h = (struct ans_head){ 0 };
	return NULL;
}

struct err *kept_exact_of(struct agg *a, struct ans_exact *ret)
{
	bool there;
	int64_t id;
	struct ans_exact x;
	struct err *err = kept_get_first(&a->asked->w, &kept_exact, 0, &x, &id, &there);

	if (err) {
		ans_exact_deinit(&x);
		return err;
	}
	*ret = x;
	if (!there) /* words are borrowed by renderers */
		ret->phase = ret->compared = "";
	return NULL;
}

struct err *kept_memory_of(struct agg *a, struct ans_memory *ret)
{
	bool there;
	int64_t id;
	struct ans_memory m;
	struct err *err = kept_get_first(&a->asked->w, &kept_memory, 0, &m, &id, &there);

	if (err) {
		ans_memory_deinit(&m);
		return err;
	}
	*ret = m;
	return NULL;
}
