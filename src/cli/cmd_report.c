/*
 * cmd_report.c - `limpet report`: everything that one look answers.
 */
#include "cli/check_answer.h"
#include "cli/cmds.h"
#include "cli/config.h"
#include "cli/given.h"
#include "cli/mix.h"
#include "cli/stores.h"
#include "report/answer_mix.h"
#include "report/kept_since.h"
#include "report/out.h"
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
	struct err *err = s->agg.asked ? NULL : verify_run(s->s, s->g, &v);

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
		err = config_known_file(a->known, k);
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
	if (k.kind == KIND_CORE || k.kind == KIND_HEAPDUMP || k.kind == KIND_STORE)
		return NULL;
	return err_usage("--since %.200s: want an earlier look kept as a file, as made by "
			 "`limpet snapshot PID -o FILE`",
			 a->since);
}

/* The earlier look, made small; the rest of it is gone when the later one begins. */
static struct err *look_back(const struct args *a, struct find_since **ret)
{
	_cleanup_(session_close) struct session s = { 0 };
	struct err *err = session_look(a, SESSION_DOMINATED, &s);

	if (!err)
		err = agg_dominators(&s.agg);
	return err ? err : agg_since_create(&s.agg, ret);
}

static struct err *look_into(const struct args *a, struct find_since **ret)
{
	_cleanup_(store_closep) struct store *x = NULL;
	struct err *err = session_store(a, 0, &x);

	return err ? err : analysed_since(x, ret);
}

static struct err *since_of(const struct args *a, struct find_since **ret)
{
	_cleanup_(freep) struct args *b = malloc(sizeof(*b));
	bool is_store = false;
	struct err *err = check_since(a);

	if (!err)
		err = b ? session_is_store(a->since, &is_store) : &err_nomem;
	if (err)
		return err;
	*b = *a;
	b->arg[0] = a->since;
	return err_prefix(is_store ? look_into(b, ret) : look_back(b, ret), "--since");
}

/* The forms that services read.  *ret_done: the answer itself is one of them. */
static struct err *forms(const struct args *a, const struct ans_report *r, struct str *o,
			 bool *ret_done)
{
	_cleanup_(ans_checks_deinit) struct ans_checks all = { 0 };
	struct check_files files = { a->outs.junit, a->outs.sarif, a->outs.quality };
	enum check_format f;
	struct err *err = check_format(a, &f);

	if (err || !args_has(a, OPT_OUTPUTS))
		return err;
	err = checks_of_report(r, &all);
	if (!err)
		err = check_write_files(&files, &all);
	*ret_done = f != CHECK_TEXT && f != CHECK_JSON;
	if (!err && *ret_done)
		check_render(o, f, TEXT_PLAIN, &all);
	if (!err && a->outs.annotations && f != CHECK_GITHUB)
		github_check(o, &all);
	return err;
}

/* Both are files: nothing of either is looked at anew, but a core is analysed first. */
static struct err *both_kept(const struct args *a, struct kept_since *ret)
{
	_cleanup_(store_closep) struct store *then = NULL, *now = NULL;
	struct err *err = check_since(a);

	if (!err)
		err = err_prefix(session_analyse(a, a->since, &then), "--since");
	if (!err)
		err = session_store(a, 0, &now);
	return err ? err : kept_since_open(then, now, ret);
}

static struct err *look_before(const struct args *a, struct find_since **ret,
			       struct kept_since *kept, struct report_ask *ask)
{
	bool is_store = false;
	struct err *err = session_is_store(a->arg[0], &is_store);

	if (!err)
		err = is_store ? both_kept(a, kept) : since_of(a, ret);
	ask->since = is_store ? kept->then : *ret;
	ask->kept_since = is_store ? kept : NULL;
	return err;
}

static struct err *check_forms(const struct args *a, enum check_format *ret)
{
	struct err *err = check_format(a, ret);

	if (!err && a->outs.annotations && *ret != CHECK_TEXT)
		err = err_usage(
			"--annotations stand behind the text: --format github has them alone");
	return err;
}

/* In the form that is asked for; alone: of evidence without a look. */
static struct err *render(const struct args *a, const struct ans_report *r, bool alone,
			  struct str *o)
{
	_cleanup_(str_deinit) struct str more = { 0 };
	enum text_style st = session_style(a);
	bool done = false;
	struct err *err = forms(a, r, &more, &done);

	if (err)
		return err;
	if (done)
		str_put(o, "");
	else if (args_has(a, OPT_JSON) ||
		 (a->outs.format && !strcmp(a->outs.format, check_format_words[CHECK_JSON])))
		(alone ? json_doc_report_alone : json_doc_report)(o, r);
	else if (a->markdown)
		text_markdown(o, r);
	else
		(alone ? text_report_alone : text_report)(o, st, r);
	str_putn(o, more.s ? more.s : "", more.n);
	return str_ok(o) ? NULL : &err_nomem;
}

static const struct ans_head no_look = { .kind = "evidence",
					 .exe = "",
					 .go = "",
					 .arch = "",
					 .experiments = "",
					 .file = "",
					 .layout = "",
					 .module = "",
					 .version = "",
					 .revision = "",
					 .method = "file",
					 .layout_exact = true };

static struct err *report_alone(const struct args *a, const struct mix *m)
{
	_cleanup_(agg_deinit) struct agg g = { .values = ANS_VALUES_HASH };
	_cleanup_(ans_report_deinit) struct ans_report r = { 0 };
	_cleanup_(known_deinit) struct known known = { 0 };
	_cleanup_(source_close) struct source source = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	struct report_ask ask = { .joins = m->files.v, .njoins = m->files.n };
	static const char *const known_names[] = { EVIDENCE_FORMS, "--dump", NULL };
	enum check_format format;
	size_t limit;
	struct err *err = given_only(a, known_names,
				     a->nargs > 1 ? "one of several pieces of evidence"
						  : "evidence without a heap");

	if (!err)
		err = check_forms(a, &format);
	if (!err && a->since)
		err = err_usage("--since %.100s: none of what is given is a look that an earlier "
				"one can be compared with",
				a->since);
	if (!err)
		err = read_known(a, &known, &ask);
	if (!err && a->source)
		err = source_open(a->source, &source);
	ask.source = a->source ? &source : NULL;
	if (!err)
		err = agg_join(&g, &ask, &r);
	if (!err)
		err = keep_err(&g.keep);
	if (err)
		return err;
	limit = session_limit(a, FINDINGS_SHOWN);
	ans_findings_limit(&r.findings, limit ? limit : SIZE_MAX);
	r.head = no_look;
	err = render(a, &r, true, &o);
	return err ? err : out_write(a->out, &o);
}

static struct err *report_look(const struct args *a, const struct mix *m)
{
	_cleanup_(kept_since_deinit) struct kept_since kept = { 0 };
	_cleanup_(find_since_freep) struct find_since *since = NULL;
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(session_trees_deinit) struct session_trees trees = { 0 };
	_cleanup_(ans_report_deinit) struct ans_report r = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	_cleanup_(known_deinit) struct known known = { 0 };
	_cleanup_(source_close) struct source source = { 0 };
	struct report_ask ask = { .since_file = a->since,
				  .joins = m->files.v,
				  .njoins = m->files.n };
	enum check_format format = CHECK_TEXT;
	struct err *err = session_trees(a, AGG_TREE_EXACT, &trees);

	if (!err)
		err = check_forms(a, &format);
	if (!err)
		err = read_known(a, &known, &ask);
	if (!err && a->source)
		err = source_open(a->source, &source);
	ask.source = a->source ? &source : NULL;
	if (!err && a->since)
		err = look_before(a, &since, &kept, &ask);
	if (!err)
		err = session_open(a, &s);
	s.agg.owners = &trees.rules;
	s.agg.trees = trees.trees;
	if (!err && since)
		agg_since_match(&s.agg, since);
	if (!err)
		err = body(&s, &ask, &r);
	if (!err)
		err = render(a, &r, false, &o);
	return err ? err : session_emit(&s, &o);
}

struct err *cmd_report(const struct args *a, int *status)
{
	_cleanup_(freep) struct args *b = malloc(sizeof(*b));
	_cleanup_(mix_deinit) struct mix m = { 0 };
	struct err *err = b ? mix_read(a, &m) : &err_nomem;

	(void)status;
	if (err)
		return err;
	if (m.looked == MIX_NO_LOOK)
		return report_alone(a, &m);
	*b = *a;
	b->arg[0] = a->arg[m.looked];
	return report_look(b, &m);
}
