/*
 * cmd_why.c - `limpet why`: why is it alive.
 */
#include "cli/cmds.h"
#include "cli/session.h"

static struct err *answer(struct session *s, struct ans_head *h, struct ans_why *w)
{
	const struct args *a = s->args;
	struct err *err = session_stage(s, "finding dominators");

	s->agg.values = args_has(a, OPT_VALUES) ? a->values : ANS_VALUES_HASH;
	if (!err)
		err = agg_dominators(&s->agg);
	if (!err)
		err = session_stage(s, "finding paths");
	if (!err)
		err = agg_why(&s->agg, &a->arg[1], a->nargs - 1, session_limit(a, 3),
			      (size_t)a->paths, w);
	if (!err)
		err = session_head(s, h);
	return err;
}

struct err *cmd_why(const struct args *a, int *status)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(session_trees_deinit) struct session_trees trees = { 0 };
	_cleanup_(ans_head_deinit) struct ans_head h = { 0 };
	_cleanup_(ans_why_deinit) struct ans_why w = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	struct err *err = session_trees(a, AGG_TREE_EXACT, &trees);

	(void)status;
	if (!err)
		err = session_open(a, &s);
	s.agg.owners = &trees.rules;
	s.agg.trees = trees.trees;
	if (!err)
		err = answer(&s, &h, &w);
	if (err)
		return err;
	if (args_has(a, OPT_JSON)) {
		json_doc_why(&o, &h, &w);
	} else {
		text_losses(&o, &h);
		text_why(&o, session_style(a), &w);
	}
	return session_emit(&s, &o);
}
