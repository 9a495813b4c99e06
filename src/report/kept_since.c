/*
 * kept_since.c - growth between two looks that are both kept: the rule is find/growth_rule.c's.
 *
 * What survived is told by identity (find/diff.h), of all that the finding's root holds.
 */
#include "report/kept_since.h"

#include "report/agg.h"
#include "report/agg_finding.h"
#include "report/analysed.h"

static struct err *survivors(struct store *then, struct store *now, struct kept_since *k)
{
	struct ident *x = NULL, *y = NULL;
	struct err *err = store_objects(then, &x);

	if (!err)
		err = store_objects(now, &y);
	if (!err)
		err = find_since_survivors(x, y, &k->survivors);
	store_objects_close(x);
	store_objects_close(y);
	return err;
}

struct err *kept_since_open(struct store *then, struct store *now, struct kept_since *ret)
{
	struct err *err = err_prefix(analysed_since(then, &ret->then), "--since");

	if (!err)
		err = analysed_since(now, &ret->now);
	if (err)
		return err;
	find_since_match_figures(ret->then, &ret->now->process, ret->now->num_gc,
				 ret->now->total_alloc);
	return ret->then->same == FIND_SAME_PROCESS ? survivors(then, now, ret) : NULL;
}

void kept_since_deinit(struct kept_since *k)
{
	find_since_free(k->then);
	find_since_free(k->now);
	find_since_survivors_deinit(&k->survivors);
}

static const struct since_found *found_of(const struct find_since *x, const char *signature)
{
	for (size_t i = 0; i < x->facts->found.n; i++)
		if (!strcmp(x->facts->found.v[i].signature, signature))
			return &x->facts->found.v[i];
	return NULL;
}

static const struct since_place *place_at(const struct find_since *x, taddr addr)
{
	for (size_t i = 0; addr && i < x->facts->places.n; i++)
		if (x->facts->places.v[i].addr == addr)
			return &x->facts->places.v[i];
	return NULL;
}

/* What hung there then, where it was not found under its name: as find/growth.c. */
static bool then_of(const struct kept_since *k, const struct since_found *f, uint64_t bytes,
		    uint64_t *ret)
{
	const struct since_place *p = place_at(k->now, f->addr);
	uint64_t root = 0;

	if (p && find_since_place(k->then, p->addr, p->elem_bytes, ret))
		return true;
	for (size_t i = 0; i < k->now->facts->roots.n; i++)
		if (!strcmp(k->now->facts->roots.v[i].key, f->root))
			root = k->now->facts->roots.v[i].bytes;
	return root && bytes >= root / 8 * 7 && find_since_root(k->then, f->root, ret);
}

static int64_t rate(int64_t bytes, double by)
{
	double n = by > 0 ? (double)bytes / by : 0;

	return by > 0 && n > -9e18 && n < 9e18 ? (int64_t)n : INT64_MIN;
}

static uint8_t verdict_of(const char *word)
{
	for (uint8_t v = FIND_LEAK; v < FIND_INFO; v++)
		if (!strcmp(word, find_verdict_word(v)))
			return v;
	return FIND_INFO;
}

static void judge(struct agg *a, const struct kept_since *k, const char *root,
		  struct ans_finding *y)
{
	struct since_case x = { .bytes = y->bytes + y->stack_bytes,
				.count = y->count,
				.then_bytes = y->then_bytes,
				.then_count = y->then_count,
				.survived = find_since_survived(&k->survivors, root) };

	find_since_judge(k->then, &x, &a->keep);
	if (x.line)
		y->detail = *y->detail ? keepf(&a->keep, "%s\n%s", x.line, y->detail) : x.line;
	if (!x.decided)
		return;
	y->verdict = find_verdict_word(x.verdict);
	y->decide = "";
	if (x.verdict == FIND_LEAK)
		y->proof = find_proof_word(FIND_MEASURED);
}

static void compare(struct agg *a, const struct kept_since *k, struct ans_finding *y)
{
	const struct since_found *f = found_of(k->now, y->signature);
	uint64_t bytes = y->bytes + y->stack_bytes;

	y->then_known = find_since_found(k->then, y->signature, &y->then_bytes, &y->then_count) ||
			(f && then_of(k, f, bytes, &y->then_bytes));
	y->fresh = !y->then_known;
	if (!y->then_known || k->then->same != FIND_SAME_PROCESS)
		return;
	y->per_gc = rate((int64_t)(bytes - y->then_bytes), k->then->cycles);
	y->per_hour = rate((int64_t)(bytes - y->then_bytes), (double)k->then->ns / 3.6e12);
	if (find_since_is_open(k->then, y->kind, verdict_of(y->verdict)))
		judge(a, k, f ? f->root : "", y);
}

/* Leaks first, what was cleared last; the rest in its order. */
static struct err *arrange(struct ans_findings *all, const uint8_t *was)
{
	struct ans_finding *v = zalloc(all->rows.n, sizeof(*v));
	size_t n = 0;

	if (!v)
		return &err_nomem;
	for (unsigned turn = 0; turn < 3; turn++)
		for (size_t i = 0; i < all->rows.n; i++) {
			uint8_t is = verdict_of(all->rows.v[i].verdict);
			unsigned mine = is == FIND_LEAK ? 0 : is == was[i] ? 1 : 2;

			if (mine == turn)
				v[n++] = all->rows.v[i];
		}
	free(all->rows.v);
	all->rows.v = v;
	all->rows.cap = n;
	return NULL;
}

struct err *kept_since_judge(struct agg *a, const struct kept_since *k, struct ans_findings *all)
{
	_cleanup_(freep) uint8_t *was = zalloc(all->rows.n, 1);

	if (!was)
		return &err_nomem;
	if (k->then->same == FIND_OTHER)
		return NULL;
	for (size_t i = 0; i < all->rows.n; i++) {
		was[i] = verdict_of(all->rows.v[i].verdict);
		compare(a, k, &all->rows.v[i]);
	}
	return arrange(all, was);
}
