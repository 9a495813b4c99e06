/*
 * evid_goroutines.c - commands on goroutines as text: dumps of panics, of SIGQUIT, of
 * runtime.Stack.
 */
#include "cli/evid_goroutines.h"

#include "cli/cmds.h"
#include "cli/given.h"
#include "cli/session.h"
#include "report/agg_gotext.h"
#include "report/out.h"

static struct err *parse_group(const struct args *a, struct gotext_ask *q)
{
	static const char *const word[] = { "", "stack", "state", "creator", "label" };
	const char *text = a->group_by;

	q->by = args_has(a, OPT_JSON) ? GROUP_NONE : GROUP_STACK;
	if (!text)
		return NULL;
	for (size_t i = 1; i < ARRAY_LEN(word); i++)
		if (!strcmp(text, word[i])) {
			q->by = (enum goroutine_group)i;
			return NULL;
		}
	if (strncmp(text, "label:", 6) != 0)
		return err_usage(
			"--group-by %.100s: want stack, state, creator, label or label:KEY", text);
	q->by = GROUP_LABEL;
	q->key = text + 6;
	return NULL;
}

static struct err *understood(const struct args *a, const char *const *known)
{
	return given_only(a, known, "goroutines as text");
}

static struct err *feed(struct gotext *g, const char *path)
{
	_cleanup_(input_closep) struct input *in = NULL;
	struct err *err = input_file(path, path, &in);

	return err ? err : gotext_feed(g, in);
}

/* The first file was looked into before; behind it may stand anything. */
static struct err *feed_more(struct gotext *g, const struct args *a, unsigned i)
{
	size_t n = g->dumps.n;
	struct err *err = feed(g, a->arg[i]);

	if (!err && i && g->dumps.n == n)
		err = err_usage("%.200s: there are no goroutines as text in it, as in %.200s; "
				"want files of one kind",
				a->arg[i], a->arg[0]);
	return err;
}

struct err *evid_read_goroutines(const char *path, struct gotext **ret)
{
	_cleanup_(input_closep) struct input *in = NULL;
	struct err *err = input_file(path, path, &in);

	return err ? err : gotext_read(in, ret);
}

/* All files of the command line one after the other, as one row of dumps. */
static struct err *read_files(const struct args *a, unsigned n, struct gotext **ret)
{
	_cleanup_(gotext_freep) struct gotext *g = NULL;
	struct err *err = gotext_create((size_t)a->dump, &g);

	for (unsigned i = 0; i < n && !err; i++)
		err = feed_more(g, a, i);
	if (!err)
		err = gotext_finish(g);
	if (err)
		return err;
	*ret = STEAL(g);
	return NULL;
}

/* What panics say is shown to who asks for it by name only. */
static struct gotext_ask ask_of(const struct args *a, size_t limit)
{
	return (struct gotext_ask){
		.leaked_only = args_has(a, OPT_LEAKED),
		.limit = session_limit(a, limit),
		.values = args_has(a, OPT_VALUES) ? a->values : ANS_VALUES_HASH,
		.messages = args_has(a, OPT_VALUES) && a->values == ANS_VALUES_FULL,
		.file = a->arg[0],
	};
}

enum { TEXT_GROUPS = 20, REPORT_GROUPS = 8 };

/* The first n files, in the words of one command. */
static struct err *answer_with(const struct args *a, unsigned n, const struct gotext_ask *q,
			       void (*json)(struct str *o, const struct ans_gotext *r),
			       void (*text)(struct str *o, enum text_style style,
					    const struct ans_gotext *r))
{
	_cleanup_(gotext_freep) struct gotext *g = NULL;
	_cleanup_(ans_gotext_deinit) struct ans_gotext r = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	struct err *err = read_files(a, n, &g);

	if (!err)
		err = agg_gotext(g, q, &r);
	if (err)
		return err;
	if (args_has(a, OPT_JSON))
		json(&o, &r);
	else
		text(&o, session_style(a), &r);
	return out_write(a->out, &o);
}

struct err *evid_goroutines_list(const struct args *a, int *status)
{
	static const char *const known[] = { "--group-by", "--leaked", "--dump", NULL };
	struct gotext_ask q = ask_of(a, args_has(a, OPT_JSON) ? SIZE_MAX : TEXT_GROUPS);
	struct err *err = understood(a, known);

	if (!err)
		err = parse_group(a, &q);

	(void)status;
	if (q.by == GROUP_LABEL) /* asked for by name */
		q.values = session_values(a);
	return err ? err : answer_with(a, 1, &q, json_doc_gotext, text_gotext);
}

static struct err *understood_with_forms(const struct args *a, int *status)
{
	static const char *const known[] = { EVIDENCE_FORMS, "--dump", NULL };
	struct err *err = understood(a, known);

	return err ? err : cmd_report(a, status);
}

struct err *evid_goroutines_report(const struct args *a, int *status)
{
	static const char *const known[] = { "--dump", NULL };
	struct gotext_ask q = ask_of(a, REPORT_GROUPS);
	struct err *err;

	/* as of several files: findings that are known are left out, and all forms are there */
	if (given_any(a, OPT_FINDINGS | OPT_OUTPUTS))
		return understood_with_forms(a, status);
	err = understood(a, known);
	q.by = GROUP_STACK;
	return err ? err : answer_with(a, 1, &q, json_doc_gotext_report, text_gotext_report);
}

struct err *evid_goroutines_diff(const struct args *a, int *status)
{
	static const char *const known[] = { "--dump", NULL };
	struct gotext_ask q = ask_of(a, TEXT_GROUPS);
	struct err *err = understood(a, known);

	(void)status;
	q.by = GROUP_NONE;
	return err ? err : answer_with(a, a->nargs, &q, json_doc_gotext_diff, text_gotext_diff);
}

struct err *evid_goroutines_tree(const struct args *a, int *status)
{
	_cleanup_(gotext_freep) struct gotext *g = NULL;
	_cleanup_(ans_gotext_deinit) struct ans_gotext r = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	static const char *const known[] = { "--depth", "--dump", NULL };
	struct gotext_ask q = ask_of(a, SIZE_MAX);
	struct err *err = understood(a, known);

	(void)status;
	q.by = GROUP_NONE;
	if (!err && a->nargs > 1)
		err = err_usage("%.200s: of goroutines as text there is the whole tree, and no WHAT",
				a->arg[1]);
	if (!err)
		err = read_files(a, 1, &g);
	if (!err)
		err = agg_gotext(g, &q, &r);
	if (!err)
		err = agg_gotext_tree(g, q.limit, &r);
	if (err)
		return err;
	if (args_has(a, OPT_DEPTH))
		agg_gotext_tree_cut(&r, (unsigned)a->depth);
	if (args_has(a, OPT_JSON))
		json_doc_gotext_tree(&o, &r);
	else
		text_gotext_tree(&o, session_style(a), &r);
	return out_write(a->out, &o);
}

struct err *evid_goroutines_top(const struct args *a, int *status)
{
	_cleanup_(gotext_freep) struct gotext *g = NULL;
	_cleanup_(ans_gotext_deinit) struct ans_gotext r = { 0 };
	_cleanup_(ans_gotext_top_deinit) struct ans_gotext_top t = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	static const char *const known[] = { "--by", "--dump", NULL };
	struct gotext_ask q = ask_of(a, TEXT_GROUPS);
	struct err *err = understood(a, known);

	(void)status;
	q.by = GROUP_NONE;
	if (!err && a->nargs > 1)
		err = err_usage("%.200s: %.200s is goroutines as text, of which one is shown; "
				"`limpet diff` compares them",
				a->arg[1], a->arg[0]);
	if (!err)
		err = read_files(a, 1, &g);
	if (!err)
		err = agg_gotext(g, &q, &r);
	if (!err)
		err = agg_gotext_top(g, &r.keep, a->by, q.limit, &t);
	if (err)
		return err;
	if (args_has(a, OPT_JSON))
		json_doc_gotext_top(&o, &r, &t);
	else
		text_gotext_top(&o, session_style(a), &r, &t);
	return out_write(a->out, &o);
}
