/*
 * cmd_object.c - `limpet object`: one object.
 *
 * Values are shown on a terminal, for they were asked for; to a file, a pipe or JSON
 * only when --values says so.
 */
#include "cli/cmds.h"
#include "cli/session.h"

static unsigned value_policy(const struct args *a)
{
	if (args_has(a, OPT_VALUES))
		return a->values;
	if (a->out || args_has(a, OPT_JSON) || !isatty(STDOUT_FILENO))
		return ANS_VALUES_NONE;
	return ANS_VALUES_FULL;
}

/* Rows are few by default, but what was asked for is shown whole. */
static struct agg_object_opts shown(const struct args *a)
{
	struct agg_object_opts o = {
		.values = value_policy(a),
		.limit = session_limit(a, 400),
		.depth = args_has(a, OPT_DEPTH) ? (unsigned)a->depth : 2,
		.width = a->width == UINT64_MAX ? 16 : a->width,
		.bytes = a->bytes == UINT64_MAX ? 128 : a->bytes,
	};

	if (a->raw)
		o.raw = a->bytes == UINT64_MAX ? 4096 : a->bytes;
	return o;
}

struct err *cmd_object(const struct args *a, int *status)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(ans_head_deinit) struct ans_head h = { 0 };
	_cleanup_(ans_object_deinit) struct ans_object x = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	struct agg_object_opts opts = shown(a);
	struct err *err = session_open(a, &s);

	(void)status;
	if (!err)
		err = session_stage(&s, "finding dominators and referrers");
	if (!err)
		err = session_referrers(&s);
	if (!err)
		s.agg.values = session_values(a);
	if (!err)
		err = agg_object(&s.agg, a->arg[1], &opts, &x);
	if (!err)
		err = session_head(&s, &h);
	if (err)
		return err;
	if (args_has(a, OPT_JSON)) {
		json_doc_object(&o, &h, &x);
	} else {
		text_losses(&o, &h);
		text_object(&o, session_style(a), &x);
	}
	return session_emit(&s, &o);
}
