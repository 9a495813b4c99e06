/*
 * evid_escape.c - `report` and `top` of a report of the compiler, and of a linter.
 */
#include "cli/evid_escape.h"

#include "cli/session.h"
#include "evidence/escape.h"
#include "evidence/lint.h"
#include "report/answer_escape.h"

enum { PLACES_SHOWN = 20, ROWS_SHOWN = 20 };

struct err *evid_read_escape(const char *path, struct escape **ret)
{
	_cleanup_(input_closep) struct input *in = NULL;
	struct err *err = input_file(path, path, &in);

	return err ? err : escape_read(in, ret);
}

struct err *evid_read_lint(const char *path, struct lint **ret)
{
	_cleanup_(input_closep) struct input *in = NULL;
	struct err *err = input_file(path, path, &in);

	return err ? err : lint_read(in, ret);
}

static struct err *emit(const struct args *a, const struct str *o)
{
	struct session s = { .args = a };

	return session_emit(&s, o);
}

static struct err *escapes(const struct args *a, bool report)
{
	_cleanup_(escape_freep) struct escape *e = NULL;
	_cleanup_(ans_escape_deinit) struct ans_escape x = { 0 };
	_cleanup_(keep_deinit) struct keep k = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	size_t limit = session_limit(a, report ? PLACES_SHOWN : ROWS_SHOWN);
	struct err *err = evid_read_escape(a->arg[0], &e);

	if (!err)
		err = agg_escape(&k, e, a->by, limit, &x);
	if (err)
		return err;
	if (args_has(a, OPT_JSON) && report)
		json_doc_escape(&o, &x, limit);
	else if (args_has(a, OPT_JSON))
		json_doc_escape_top(&o, &x);
	else if (report)
		text_escape(&o, session_style(a), &x, limit);
	else
		text_escape_top(&o, session_style(a), &x);
	return emit(a, &o);
}

static struct err *lints(const struct args *a, bool report)
{
	_cleanup_(lint_freep) struct lint *l = NULL;
	_cleanup_(ans_lint_deinit) struct ans_lint x = { 0 };
	_cleanup_(keep_deinit) struct keep k = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	size_t limit = session_limit(a, report ? PLACES_SHOWN : ROWS_SHOWN);
	struct err *err = evid_read_lint(a->arg[0], &l);

	if (!err)
		err = agg_lint(&k, l, a->by, limit, &x);
	if (err)
		return err;
	if (args_has(a, OPT_JSON) && report)
		json_doc_lint(&o, &x, limit);
	else if (args_has(a, OPT_JSON))
		json_doc_lint_top(&o, &x);
	else if (report)
		text_lint(&o, session_style(a), &x, limit);
	else
		text_lint_top(&o, session_style(a), &x);
	return emit(a, &o);
}

struct err *evid_escape_report(const struct args *a, int *status)
{
	(void)status;
	return escapes(a, true);
}

struct err *evid_escape_top(const struct args *a, int *status)
{
	(void)status;
	return escapes(a, false);
}

struct err *evid_lint_report(const struct args *a, int *status)
{
	(void)status;
	return lints(a, true);
}

struct err *evid_lint_top(const struct args *a, int *status)
{
	(void)status;
	return lints(a, false);
}
