/*
 * cmd_locks.c - `limpet locks`: which mutex keeps how many waiting.
 */
#include "cli/cmds.h"
#include "cli/session.h"

struct err *cmd_locks(const struct args *a, int *status)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(ans_head_deinit) struct ans_head h = { 0 };
	_cleanup_(ans_locks_deinit) struct ans_locks ls = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	struct err *err = session_open(a, &s);

	(void)status;
	if (!err)
		err = session_stage(&s, "looking for locks");
	if (!err)
		err = agg_locks(&s.agg, session_limit(a, 5), &ls);
	if (!err)
		err = session_head(&s, &h);
	if (err)
		return err;
	if (args_has(a, OPT_JSON)) {
		json_doc_locks(&o, &h, &ls);
	} else {
		text_head(&o, session_style(a), &h);
		text_losses(&o, &h);
		text_locks(&o, session_style(a), &ls);
	}
	return session_emit(&s, &o);
}
