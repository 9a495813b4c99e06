/*
 * agg_report.c - the report: everything that one look at a process answers.
 */
#include "report/agg_labels.h"
#include "report/join.h"

enum { REPORT_PATHS = 5 };

static struct err *top(struct agg *a, struct top_ask *q, const char *by, struct ans_top *ret)
{
	struct err *err;

	q->by = by;
	err = agg_top(a, q, ret);
	ret->brief = true;
	if (!err && strcmp(by, "root"))
		vec_free(&ret->rules); /* one table says them */
	return err;
}

struct err *agg_report(struct agg *a, const struct verify_result *v, const struct report_ask *ask,
		       struct ans_report *ret)
{
	_cleanup_(ans_report_deinit) struct ans_report r = { 0 };
	struct top_ask q = { .sort = a->trees == AGG_TREE_BOTH ? TOP_SORT_DEFAULT
							       : TOP_SORT_RETAINED,
			     .limit = ask->tables,
			     .npaths = REPORT_PATHS,
			     .trees = a->trees };
	bool labels = false;
	struct err *err = agg_exact(a, v, &r.exact);

	agg_since(a, ask, &r.since);
	if (!err)
		err = agg_memory(a, &r.memory);
	if (!err)
		err = agg_findings(a, &r.memory, ask, &r.findings);
	if (!err)
		err = top(a, &q, "root", &r.by_root);
	if (!err)
		err = top(a, &q, "type", &r.by_type);
	if (!err)
		err = top(a, &q, "goroutine", &r.by_goroutine);
	if (!err)
		err = agg_labels_any(a, &labels);
	if (!err && labels)
		err = top(a, &q, "label", &r.by_label);
	q.sort = TOP_SORT_DEFAULT;
	if (!err)
		err = top(a, &q, "site", &r.by_site);
	if (!err && ask->njoins)
		err = agg_join(a, ask, &r);
	if (!err)
		err = keep_err(&a->keep);
	if (err)
		return err;
	*ret = r;
	r = (struct ans_report){ 0 };
	return NULL;
}
