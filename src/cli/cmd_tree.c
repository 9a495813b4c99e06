/*
 * cmd_tree.c - `limpet tree`: the dominator tree.
 */
#include "cli/cmds.h"
#include "cli/session.h"

struct err *cmd_tree(const struct args *a, int *status)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(session_trees_deinit) struct session_trees trees = { 0 };
	_cleanup_(ans_head_deinit) struct ans_head h = { 0 };
	_cleanup_(ans_tree_deinit) struct ans_tree t = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	const char *what = a->nargs > 1 ? a->arg[1] : NULL;
	struct err *err = session_trees(a, AGG_TREE_EXACT, &trees);

	(void)status;
	if (!err)
		err = session_open(a, &s);
	s.agg.owners = &trees.rules;
	s.agg.trees = trees.trees;
	if (!err)
		err = session_stage(&s, "finding dominators");
	if (!err)
		err = agg_tree(&s.agg, what, (unsigned)a->depth, session_limit(a, 8), &t);
	if (!err)
		err = session_head(&s, &h);
	if (err)
		return err;
	if (args_has(a, OPT_JSON)) {
		json_doc_tree(&o, &h, &t);
	} else {
		text_head(&o, session_style(a), &h);
		text_losses(&o, &h);
		text_tree(&o, session_style(a), &t);
	}
	return session_emit(&s, &o);
}
