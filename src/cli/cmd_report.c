/*
 * cmd_report.c - `limpet report`: everything that one look answers.
 */
#include "cli/cmds.h"
#include "cli/config.h"
#include "cli/session.h"
#include "report/source.h"
#include "target/kind.h"

#include <time.h>

/* A reader has a minute; a script does not. */
enum { FINDINGS_SHOWN = 10, ROWS_SHOWN = 6, ROWS_JSON = 10 };

/* Dominators, findings, tables: all but the head. */
static struct err *body(struct session *s, const struct report_ask *more, struct ans_report *r)
{
	_cleanup_(verify_deinit) struct verify_result v = { 0 };
	struct report_ask ask = *more;
	struct err *err = verify_run(s->s, s->g, &v);

	ask.findings = session_limit(s->args, FINDINGS_SHOWN);
	ask.tables = session_limit(s->args, args_has(s->args, OPT_JSON) ? ROWS_JSON : ROWS_SHOWN);
	if (!err)
		err = session_stage(s, "finding dominators");
	if (!err)
		err = agg_dominators(&s->agg);
	if (!err)
		err = session_stage(s, "adding up");
	if (!err)
		err = agg_report(&s->agg, &v, &ask, r);
	if (!err)
		err = session_stage(s, ""); /* whoever pressed Ctrl-C meanwhile wants no answer */
	if (!err)
		err = session_head(s, &r->head);
	r->head.detectors = r->findings.detectors.v;
	r->head.ndetectors = r->findings.detectors.n;
	return err;
}

static struct err *check_signatures(const struct args *a)
{
	for (size_t i = 0; i < a->nignored; i++)
		if (!known_is_signature(a->ignored[i]))
			return err_usage(
				"--ignore %.60s: want a signature, 16 hex digits as a report "
				"shows them",
				a->ignored[i]);
	return NULL;
}

/* What is known by the user's files. */
static struct err *read_known(const struct args *a, struct known *k, struct report_ask *ask)
{
	struct err *err = check_signatures(a);

	if (!err)
		err = config_known(a->config, k);
	if (!err && a->known)
		err = known_read(a->known, k);
	ask->known = k;
	ask->ignored = a->ignored;
	ask->nignored = a->nignored;
	ask->now_unix_s = (int64_t)time(NULL);
	return err;
}

struct err *report_body(struct session *s, struct ans_report *r)
{
	struct report_ask ask = { 0 };

	return body(s, &ask, r);
}

static struct err *check_since(const struct args *a)
{
	struct kind_found k;
	struct err *err = kind_recognise(a->since, &k);

	if (err)
		return err;
	if (k.kind == KIND_CORE || k.kind == KIND_HEAPDUMP)
		return NULL;
	return err_usage("--since %.200s: want an earlier look kept as a file, as made by "
			 "`limpet snapshot PID -o FILE`",
			 a->since);
}

/* The earlier look, made small; the rest of it is gone when the later one begins. */
static struct err *look_back(const struct args *a, struct find_since **ret)
{
	_cleanup_(session_close) struct session s = { 0 };
	struct args *b = malloc(sizeof(*b));
	struct err *err = check_since(a);

	if (err || !b) {
		free(b);
		return err ? err : &err_nomem;
	}
	*b = *a;
	b->arg[0] = a->since;
	err = session_open(b, &s);
	if (!err)
		err = agg_dominators(&s.agg);
	if (!err)
		err = agg_since_create(&s.agg, ret);
	s.args = a;
	free(b);
	return err_prefix(err, "--since");
}

struct err *cmd_report(const struct args *a, int *status)
{
	_cleanup_(find_since_freep) struct find_since *since = NULL;
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(session_trees_deinit) struct session_trees trees = { 0 };
	_cleanup_(ans_report_deinit) struct ans_report r = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	_cleanup_(known_deinit) struct known known = { 0 };
	_cleanup_(source_close) struct source source = { 0 };
	struct report_ask ask = { .since_file = a->since };
	struct err *err = session_trees(a, AGG_TREE_EXACT, &trees);

	(void)status;
	if (!err)
		err = read_known(a, &known, &ask);
	if (!err && a->source)
		err = source_open(a->source, &source);
	ask.source = a->source ? &source : NULL;
	if (!err && a->since)
		err = look_back(a, &since);
	if (!err)
		err = session_open(a, &s);
	s.agg.owners = &trees.rules;
	s.agg.trees = trees.trees;
	if (!err && since)
		agg_since_match(&s.agg, since);
	ask.since = since;
	if (!err)
		err = body(&s, &ask, &r);
	if (err)
		return err;
	if (args_has(a, OPT_JSON))
		json_doc_report(&o, &r);
	else if (a->markdown)
		text_markdown(&o, &r);
	else
		text_report(&o, session_style(a), &r);
	return session_emit(&s, &o);
}
