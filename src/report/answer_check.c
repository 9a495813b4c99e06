/*
 * answer_check.c - what of a check is worse, what known findings change, and letting go.
 */
#include "report/answer_check.h"

const char *ans_check_word(uint8_t result)
{
	static const char *const words[CHECK_RESULTS] = {
		[CHECK_PASSED] = "passed", [CHECK_FAILED] = "failed",	[CHECK_UNSURE] = "unsure",
		[CHECK_BROKEN] = "broken", [CHECK_SKIPPED] = "skipped",
	};

	return result < CHECK_RESULTS ? words[result] : "broken";
}

uint8_t ans_checks_result(const struct ans_checks *a)
{
	/* what failed is certain, what broke was not looked at to its end */
	static const uint8_t worse[CHECK_RESULTS] = {
		[CHECK_SKIPPED] = 0, [CHECK_PASSED] = 1, [CHECK_UNSURE] = 2,
		[CHECK_BROKEN] = 3,  [CHECK_FAILED] = 4,
	};
	uint8_t r = CHECK_PASSED;

	for (size_t i = 0; i < a->v.n; i++) {
		uint8_t x = a->v.v[i].result < CHECK_RESULTS ? a->v.v[i].result : CHECK_BROKEN;

		if (worse[x] > worse[r])
			r = x;
	}
	return r;
}

bool ans_check_told(const struct ans_checks *a, const struct ans_check *c,
		    const struct ans_check_row *r)
{
	if ((c->suite && *c->suite) || !r->signature || !*r->signature)
		return false;
	for (size_t i = 0; i < a->v.n; i++) {
		const struct ans_check *t = &a->v.v[i];

		if (t == c || !t->suite || strcmp(t->suite, c->name) != 0)
			continue;
		for (size_t k = 0; k < t->rows.n; k++)
			if (t->rows.v[k].signature && !strcmp(t->rows.v[k].signature, r->signature))
				return true;
	}
	return false;
}

void ans_check_conclude(struct ans_checks *a, struct ans_check *c)
{
	size_t known = 0;

	if (c->result != CHECK_FAILED && c->result != CHECK_UNSURE)
		return;
	for (size_t i = 0; i < c->rows.n; i++)
		known += c->rows.v[i].known;
	for (size_t i = 0; i < c->limits.n; i++)
		if (c->limits.v[i].broken)
			return;
	if (!known || known < c->rows.n)
		return;
	c->result = CHECK_PASSED;
	c->why = keepf(&a->keep, "only what is known stays: %zu finding%s", known,
		       known == 1 ? "" : "s");
}

void ans_check_deinit(struct ans_check *a)
{
	for (size_t i = 0; i < a->rows.n; i++) {
		vec_free(&a->rows.v[i].stack);
		ans_path_deinit(&a->rows.v[i].path);
	}
	vec_free(&a->rows);
	vec_free(&a->round);
	vec_free(&a->limits);
}

void ans_checks_deinit(struct ans_checks *a)
{
	for (size_t i = 0; i < a->v.n; i++)
		ans_check_deinit(&a->v.v[i]);
	vec_free(&a->v);
	vec_free(&a->gone);
	keep_deinit(&a->keep);
}
