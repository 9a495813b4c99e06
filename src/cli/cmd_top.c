/*
 * cmd_top.c - `limpet top`: what takes the memory.
 */
#include "cli/cmds.h"
#include "cli/session.h"

static struct err *parse_by(const char *text, enum top_by *ret)
{
	static const char *const word[] = { "type", "package", "root", "goroutine", "kind" };

	*ret = TOP_BY_TYPE;
	for (size_t i = 0; text && i < ARRAY_LEN(word); i++)
		if (!strcmp(text, word[i])) {
			*ret = (enum top_by)i;
			return NULL;
		}
	if (!text)
		return NULL;
	if (!strcmp(text, "label") || !strcmp(text, "site") || !strcmp(text, "field"))
		return err_usage("--by %s: not in this version of limpet", text);
	return err_usage("--by %s: want type, package, root, goroutine or kind", text);
}

static struct err *parse_sort(const char *text, enum top_sort *ret)
{
	static const char *const word[] = { "retained", "shallow", "count" };

	*ret = TOP_SORT_RETAINED;
	for (size_t i = 0; text && i < ARRAY_LEN(word); i++)
		if (!strcmp(text, word[i])) {
			*ret = (enum top_sort)i;
			return NULL;
		}
	if (!text)
		return NULL;
	if (!strcmp(text, "alloc") || !strcmp(text, "ratio"))
		return err_usage("--sort %s: not in this version of limpet", text);
	return err_usage("--sort %s: want retained, shallow or count", text);
}

struct err *cmd_top(const struct args *a, int *status)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(ans_head_deinit) struct ans_head h = { 0 };
	_cleanup_(ans_top_deinit) struct ans_top t = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	enum top_by by;
	enum top_sort sort;
	struct err *err = parse_by(a->by, &by);

	(void)status;
	if (!err)
		err = parse_sort(a->sort, &sort);
	if (!err)
		err = session_open(a, &s);
	if (!err)
		err = session_stage(&s, "finding dominators");
	if (!err)
		err = agg_top(&s.agg, by, sort, session_limit(a, 30), 0, &t);
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
