/*
 * cmd_report.c - `limpet report`: everything that one look answers.
 */
#include "cli/cmds.h"
#include "cli/session.h"

enum { FINDINGS_SHOWN = 10, ROWS_SHOWN = 6 };

struct err *report_body(struct session *s, struct ans_report *r)
{
	_cleanup_(verify_deinit) struct verify_result v = { 0 };
	struct report_ask ask = { .findings = session_limit(s->args, FINDINGS_SHOWN),
				  .tables = session_limit(s->args, ROWS_SHOWN) };
	struct err *err = verify_run(s->s, s->g, &v);

	if (!err)
		err = session_stage(s, "finding dominators");
	if (!err)
		err = agg_dominators(&s->agg);
	if (!err)
		err = session_stage(s, "adding up");
	if (!err)
		err = agg_report(&s->agg, &v, &ask, r);
	if (!err)
		err = session_head(s, &r->head);
	r->head.detectors = r->findings.detectors.v;
	r->head.ndetectors = r->findings.detectors.n;
	return err;
}

struct err *cmd_report(const struct args *a, int *status)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(session_trees_deinit) struct session_trees trees = { 0 };
	_cleanup_(ans_report_deinit) struct ans_report r = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	struct err *err = session_trees(a, AGG_TREE_EXACT, &trees);

	(void)status;
	if (!err)
		err = session_open(a, &s);
	s.agg.owners = &trees.rules;
	s.agg.trees = trees.trees;
	if (!err)
		err = report_body(&s, &r);
	if (err)
		return err;
	if (args_has(a, OPT_JSON))
		json_doc_report(&o, &r);
	else
		text_report(&o, session_style(a), &r);
	return session_emit(&s, &o);
}
