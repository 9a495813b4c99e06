/*
 * cmd_pop.c - `limpet types`, `strings`, `maps` …: the special populations, one table each.
 *
 * Which columns there are and how they come about is report/pop.h's.  Strings, and the paths and addresses of
 * descriptors, are shown on a terminal, for they were asked for; everything else of the program
 * is a hash.
 */
#include "cli/cmds.h"
#include "cli/session.h"
#include "report/pop.h"

enum { ROWS = 30 };

static unsigned value_policy(const struct args *a)
{
	if (args_has(a, OPT_VALUES))
		return a->values;
	bool asked = !strcmp(a->cmd->name, "strings") || !strcmp(a->cmd->name, "fds");

	if (!asked || a->out || args_has(a, OPT_JSON) ||
	    !isatty(STDOUT_FILENO))
		return ANS_VALUES_HASH;
	return ANS_VALUES_FULL;
}

static struct err *answer(struct session *s, const struct pop_family *f, struct ans_pop *p,
			  struct ans_head *h)
{
	const struct args *a = s->args;
	struct pop_ask ask = {
		.sort = a->sort,
		.limit = session_limit(a, ROWS),
		.values = value_policy(a),
		.flags = args_has(a, OPT_ALL) ? POP_ASK_ALL : 0,
	};
	struct err *err = session_stage(s, "finding dominators");

	if (!err)
		err = agg_dominators(&s->agg);
	if (!err && (f->needs & POP_NEEDS_REVERSE))
		err = session_referrers(s);
	if (!err)
		err = session_stage(s, "gathering");
	if (!err)
		err = agg_pop(&s->agg, f, &ask, p);
	return err ? err : session_head(s, h);
}

struct err *cmd_pop(const struct args *a, int *status)
{
	const struct pop_family *f = pop_family_named(a->cmd->name);
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(ans_head_deinit) struct ans_head h = { 0 };
	_cleanup_(ans_pop_deinit) struct ans_pop p = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	unsigned column;
	struct err *err;

	(void)status;
	if (!f)
		return err_usage("%s: not in this version of limpet", a->cmd->name);
	err = pop_sort_column(f, a->sort, &column);
	if (!err)
		err = session_open(a, &s);
	if (!err)
		err = answer(&s, f, &p, &h);
	if (err)
		return err;
	if (args_has(a, OPT_JSON)) {
		json_doc_pop(&o, &h, &p);
	} else {
		text_head(&o, session_style(a), &h);
		text_losses(&o, &h);
		text_pop(&o, session_style(a), &p);
	}
	return session_emit(&s, &o);
}
