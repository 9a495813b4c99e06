/*
 * cmd_top.c - `limpet top`: what takes the memory.
 */
#include "cli/cmds.h"
#include "cli/session.h"
#include "cli/watching.h"

static struct err *parse_sort(const char *text, enum top_sort *ret)
{
	static const struct {
		const char *word;
		enum top_sort sort;
	} words[] = {
		{ "retained", TOP_SORT_RETAINED }, { "shallow", TOP_SORT_SHALLOW },
		{ "flat", TOP_SORT_SHALLOW },	   { "count", TOP_SORT_COUNT },
		{ "cum", TOP_SORT_CUM },	   { "alloc", TOP_SORT_ALLOC },
	};

	*ret = TOP_SORT_DEFAULT;
	for (size_t i = 0; text && i < ARRAY_LEN(words); i++)
		if (!strcmp(text, words[i].word)) {
			*ret = words[i].sort;
			return NULL;
		}
	if (!text)
		return NULL;
	if (!strcmp(text, "ratio"))
		return err_usage("--sort %s: not in this version of limpet", text);
	return err_usage(
		"--sort %s: want retained, shallow or count; of sites also flat, cum or alloc",
		text);
}

static struct err *parse_granularity(const char *text, bool *ret)
{
	if (text && strcmp(text, "function") != 0 && strcmp(text, "line") != 0)
		return err_usage("--granularity %s: want function or line", text);
	*ret = text && *text == 'l';
	return NULL;
}

struct err *cmd_top(const struct args *a, int *status)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(ans_head_deinit) struct ans_head h = { 0 };
	_cleanup_(ans_top_deinit) struct ans_top t = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	_cleanup_(session_trees_deinit) struct session_trees trees = { 0 };
	struct top_ask q = { .by = a->by ? a->by : "type", .limit = session_limit(a, 30) };
	struct err *err;

	(void)status;
	if (a->nargs > 1)
		return err_usage("%.200s: top adds up profiles; of processes, cores and stores it "
				 "takes one",
				 a->arg[1]);
	if (args_has(a, OPT_WATCH))
		return watching(a, WATCHING_TOP);
	err = agg_by_check(q.by);
	if (!err)
		err = parse_sort(a->sort, &q.sort);
	if (!err)
		err = parse_granularity(a->granularity, &q.lines);
	if (!err)
		err = session_trees(a, strcmp(q.by, "site") ? AGG_TREE_BOTH : AGG_TREE_EXACT,
				    &trees);
	if (!err)
		err = agg_focus_check(a->focus, a->ignore);
	q.focus = a->focus;
	q.ignore = a->ignore;
	q.trees = trees.trees;
	q.package_depth = (unsigned)a->package_depth;
	if (!err)
		err = session_open(a, &s);
	s.agg.owners = &trees.rules;
	if (!strncmp(q.by, "label", 5)) /* asked for by name */
		s.agg.values = session_values(a);
	if (!err)
		err = session_stage(&s, "finding dominators");
	if (!err)
		err = agg_top(&s.agg, &q, &t);
	if (!err)
		err = session_head(&s, &h);
	if (err)
		return err;
	if (args_has(a, OPT_JSON)) {
		json_doc_top(&o, &h, &t);
	} else {
		text_head(&o, session_style(a), &h);
		text_losses(&o, &h);
		text_top(&o, session_style(a), &t);
	}
	return session_emit(&s, &o);
}
