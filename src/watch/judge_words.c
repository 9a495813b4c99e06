/*
 * judge_words.c - why, in one sentence that the reader can check by the rounds' own figures.
 */
#include "watch/judge_priv.h"

#include <inttypes.h>

static unsigned loads_seen(const struct judge_rounds *r)
{
	return (unsigned)(judge_loads(r, r->n) - judge_loads(r, 0));
}

/* "200, 400, 800": what the last rounds of loads added. */
static const char *added(struct keep *k, const uint64_t *v, const struct judge_rounds *r)
{
	const char *text = "";
	unsigned told = 0;

	for (size_t i = judge_last_load(r); i > 0 && told < 4; i--) {
		if (!judge_counts(r, i))
			continue;
		text = keepf(k, "%" PRId64 "%s%s", (int64_t)(v[i] - v[i - 1]), *text ? ", " : "",
			     text);
		told++;
	}
	return text;
}

static const char *ran(struct keep *k, const struct judge_rounds *r)
{
	const char *text = "";
	unsigned told = 0;

	for (size_t i = judge_last_load(r); i > 0 && told < 4; i--) {
		if (!judge_counts(r, i))
			continue;
		text = keepf(k, "%" PRIu32 "%s%s", r->loads[i], *text ? ", " : "", text);
		told++;
	}
	return text;
}

static bool rested(const struct judge_rounds *r)
{
	for (size_t i = 1; i <= r->n; i++)
		if (r->rest_ns[i])
			return true;
	return false;
}

const char *judge_why(struct keep *k, const struct judge_series *s, const struct judge_rounds *r,
		      const struct shape *x)
{
	bool bytes = x->how == SHAPE_STEPS || s->what == JUDGE_TOTAL || s->what == JUDGE_STACKS;
	const uint64_t *v = bytes ? s->bytes : s->objects;
	const char *what = bytes ? " bytes" : "";
	const char *stay =
		x->how == SHAPE_COHORTS ? ", and what the first rounds added is still there" : "";
	const char *rest = rested(r) ? ", also after a rest" : "";

	if (x->kind == SHAPE_GROWS)
		return keepf(k, "it grew in proportion to the load: +%s%s for %s loads%s%s",
			     added(k, v, r), what, ran(k, r), stay, rest);
	return keepf(k, "it grew so far, +%s%s for %s loads: a leak, or a cache that fills",
		     added(k, v, r), what, ran(k, r));
}

const char *judge_why_all(struct keep *k, const struct judge_rounds *r, const struct judgement *j,
			  size_t nseries)
{
	if (!r->n)
		return keepf(k, "there is only the look behind the warm-up");
	if (j->verdict == JUDGE_STEADY)
		return keepf(k,
			     "of %zu kinds of things none grew with the load, which ran %u times",
			     nseries, loads_seen(r));
	if (!j->rows.n)
		return keepf(k, "nothing grew in %u loads, which are too few to tell",
			     loads_seen(r));
	if (j->verdict == JUDGE_GROWS)
		return keepf(k, "%s: %s", j->rows.v[0].series->name, j->rows.v[0].why);
	return keepf(k, "%s: %s; %u %s would tell", j->rows.v[0].series->name, j->rows.v[0].why,
		     j->more, j->more == 1 ? "round more" : "rounds more");
}
