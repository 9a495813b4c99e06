/*
 * answer.c - freeing answers.
 *
 * Text belongs to the keep; only arrays are freed here.
 */
#include "report/answer.h"

#include "report/answer_escape.h"
#include "report/answer_mix.h"

void ans_head_deinit(struct ans_head *a)
{
	vec_free(&a->losses);
}

void ans_exact_deinit(struct ans_exact *a)
{
	vec_free(&a->differences);
}

void ans_path_deinit(struct ans_path *a)
{
	vec_free(&a->nodes);
}

void ans_top_deinit(struct ans_top *a)
{
	for (size_t i = 0; i < a->rows.n; i++) {
		ans_path_deinit(&a->rows.v[i].path);
		ans_origin_deinit(&a->rows.v[i].origin);
	}
	vec_free(&a->rules);
	vec_free(&a->rows);
}

void ans_memory_deinit(struct ans_memory *a)
{
	vec_free(&a->lines);
}

void ans_why_deinit(struct ans_why *a)
{
	for (size_t i = 0; i < a->items.n; i++) {
		struct ans_why_item *it = &a->items.v[i];

		for (size_t p = 0; p < it->paths.n; p++)
			ans_path_deinit(&it->paths.v[p]);
		vec_free(&it->paths);
		ans_path_deinit(&it->owner);
		ans_origin_deinit(&it->origin);
	}
	vec_free(&a->items);
}

void ans_origin_deinit(struct ans_origin *a)
{
	vec_free(&a->stack);
	vec_free(&a->sites);
}

void ans_object_deinit(struct ans_object *a)
{
	ans_origin_deinit(&a->origin);
	vec_free(&a->fields);
	vec_free(&a->values);
	vec_free(&a->referrers);
	vec_free(&a->references);
}

void ans_tree_deinit(struct ans_tree *a)
{
	vec_free(&a->nodes);
}

void ans_goroutines_deinit(struct ans_goroutines *a)
{
	vec_free(&a->gs);
	vec_free(&a->frames);
	vec_free(&a->groups);
	vec_free(&a->members);
	vec_free(&a->waits);
}

void ans_audit_deinit(struct ans_audit *a)
{
	for (size_t i = 0; i < a->rows.n; i++)
		ans_path_deinit(&a->rows.v[i].holder);
	vec_free(&a->rows);
	vec_free(&a->process);
}

void ans_locks_deinit(struct ans_locks *a)
{
	for (size_t i = 0; i < a->locks.n; i++)
		ans_path_deinit(&a->locks.v[i].holder);
	vec_free(&a->locks);
	vec_free(&a->lockers);
}

void ans_finding_deinit(struct ans_finding *a)
{
	ans_path_deinit(&a->holder);
	ans_origin_deinit(&a->origin);
	vec_free(&a->stack);
	vec_free(&a->source);
	vec_free(&a->evidence);
}

void ans_findings_limit(struct ans_findings *a, size_t n)
{
	while (a->rows.n > n)
		ans_finding_deinit(&a->rows.v[--a->rows.n]);
}

void ans_findings_deinit(struct ans_findings *a)
{
	for (size_t i = 0; i < a->rows.n; i++)
		ans_finding_deinit(&a->rows.v[i]);
	vec_free(&a->rows);
	vec_free(&a->ignored);
	vec_free(&a->detectors);
}

void ans_places_deinit(struct ans_places *a)
{
	for (size_t i = 0; i < a->v.n; i++) {
		ans_path_deinit(&a->v.v[i].path);
		vec_free(&a->v.v[i].stack);
	}
	vec_free(&a->v);
}

void ans_report_deinit(struct ans_report *a)
{
	ans_findings_deinit(&a->findings);
	ans_head_deinit(&a->head);
	ans_exact_deinit(&a->exact);
	ans_memory_deinit(&a->memory);
	ans_top_deinit(&a->by_root);
	ans_top_deinit(&a->by_type);
	ans_top_deinit(&a->by_goroutine);
	ans_top_deinit(&a->by_label);
	ans_top_deinit(&a->by_site);
	for (size_t i = 0; i < a->njoined; i++)
		ans_joined_deinit(&a->joined[i]);
	free(a->joined);
	ans_mix_free(a->mix);
}
