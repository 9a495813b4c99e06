/*
 * cmd_audit.c - `limpet audit`: which limits are off.
 */
#include "cli/cmds.h"
#include "cli/session.h"

struct err *cmd_audit(const struct args *a, int *status)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(ans_head_deinit) struct ans_head h = { 0 };
	_cleanup_(ans_audit_deinit) struct ans_audit au = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	struct err *err = session_open(a, &s);

	(void)status;
	if (!err)
		err = session_stage(&s, "finding dominators");
	if (!err)
		err = agg_dominators(&s.agg);
	if (!err)
		err = session_stage(&s, "looking for limits");
	if (!err)
		err = agg_audit(&s.agg, session_limit(a, 100), &au);
	if (!err)
		err = session_head(&s, &h);
	if (err)
		return err;
	if (args_has(a, OPT_JSON)) {
		json_doc_audit(&o, &h, &au);
	} else {
		text_head(&o, session_style(a), &h);
		text_losses(&o, &h);
		text_audit(&o, session_style(a), &au);
	}
	return session_emit(&s, &o);
}
