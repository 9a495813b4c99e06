/*
 * cmd_memory.c - `limpet memory`: where the memory is.
 */
#include "cli/cmds.h"
#include "cli/session.h"
#include "cli/watching.h"

struct err *cmd_memory(const struct args *a, int *status)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(ans_head_deinit) struct ans_head h = { 0 };
	_cleanup_(ans_memory_deinit) struct ans_memory m = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	struct err *err;

	(void)status;
	if (args_has(a, OPT_WATCH))
		return watching(a, WATCHING_MEMORY);
	err = session_open(a, &s);
	if (!err)
		err = agg_memory(&s.agg, &m);
	if (!err)
		err = session_head(&s, &h);
	if (err)
		return err;
	if (args_has(a, OPT_JSON)) {
		json_doc_memory(&o, &h, &m);
	} else {
		text_head(&o, session_style(a), &h);
		text_losses(&o, &h);
		text_memory(&o, session_style(a), &m);
	}
	return session_emit(&s, &o);
}
