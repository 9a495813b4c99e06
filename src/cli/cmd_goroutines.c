/*
 * cmd_goroutines.c - `limpet goroutines`.
 */
#include "cli/cmds.h"
#include "cli/session.h"

static struct err *parse_group(const char *text, enum goroutine_group *ret, const char **ret_key)
{
	static const char *const word[] = { "", "stack", "state", "creator", "label" };

	*ret = GROUP_NONE;
	*ret_key = NULL;
	for (size_t i = 1; text && i < ARRAY_LEN(word); i++)
		if (!strcmp(text, word[i])) {
			*ret = (enum goroutine_group)i;
			return NULL;
		}
	if (!text)
		return NULL;
	if (!strncmp(text, "label:", 6)) {
		*ret = GROUP_LABEL;
		*ret_key = text + 6;
		return NULL;
	}
	return err_usage("--group-by %.100s: want stack, state, creator, label or label:KEY", text);
}

struct err *cmd_goroutines(const struct args *a, int *status)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(ans_head_deinit) struct ans_head h = { 0 };
	_cleanup_(ans_goroutines_deinit) struct ans_goroutines gs = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	struct goroutines_ask q = { .limit = session_limit(a, UINT32_MAX) };
	struct err *err = parse_group(a->group_by, &q.by, &q.key);

	(void)status;
	if (!err)
		err = session_open(a, &s);
	q.which = args_has(a, OPT_LEAKED) ? GOROUTINES_LEAKED : GOROUTINES_ALL;
	if (q.by == GROUP_LABEL) /* asked for by name */
		s.agg.values = session_values(a);
	if (!err)
		err = session_stage(&s, "finding dominators");
	if (!err)
		err = agg_dominators(&s.agg);
	if (!err)
		err = agg_goroutines(&s.agg, &q, &gs);
	if (!err)
		err = session_head(&s, &h);
	if (err)
		return err;
	if (args_has(a, OPT_JSON)) {
		json_doc_goroutines(&o, &h, &gs);
	} else {
		text_head(&o, session_style(a), &h);
		text_losses(&o, &h);
		text_goroutines(&o, session_style(a), &gs);
	}
	return session_emit(&s, &o);
}
