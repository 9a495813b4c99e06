/*
 * agg_report.c - the report: everything that one look at a process answers.
 */
#include "report/agg.h"

enum { REPORT_PATHS = 5 };

struct err *agg_report(struct agg *a, const struct verify_result *v, size_t limit,
		       struct ans_report *ret)
{
	_cleanup_(ans_report_deinit) struct ans_report r = { 0 };
	struct err *err = agg_exact(a, v, &r.exact);

	if (!err)
		err = agg_memory(a, &r.memory);
	if (!err)
		err = agg_top(a, TOP_BY_ROOT, TOP_SORT_RETAINED, limit, REPORT_PATHS, &r.by_root);
	if (!err)
		err = agg_top(a, TOP_BY_TYPE, TOP_SORT_RETAINED, limit, REPORT_PATHS, &r.by_type);
	if (!err)
		err = agg_top(a, TOP_BY_GOROUTINE, TOP_SORT_RETAINED, limit, REPORT_PATHS,
			      &r.by_goroutine);
	if (!err)
		err = keep_err(&a->keep);
	if (err)
		return err;
	*ret = r;
	r = (struct ans_report){ 0 };
	return NULL;
}
