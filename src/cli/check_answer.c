/*
 * check_answer.c - the end of `limpet check`.
 *
 * On GitHub (GITHUB_ACTIONS=true) annotations come by themselves: behind the text on stdout; where
 * stdout is a document, on stderr, which GitHub reads as well.
 */
#include "cli/check_answer.h"

#include "cli/config.h"
#include "cli/session.h"
#include "report/known.h"
#include "report/out.h"

#include <stdio.h>
#include <time.h>

struct err *check_format(const struct args *a, enum check_format *ret)
{
	_cleanup_(str_deinit) struct str all = { 0 };
	const char *word = a->outs.format;

	*ret = args_has(a, OPT_JSON) ? CHECK_JSON : CHECK_TEXT;
	if (!word)
		return NULL;
	for (unsigned i = 0; i < CHECK_FORMATS; i++) {
		if (!strcmp(word, check_format_words[i])) {
			*ret = (enum check_format)i;
			return NULL;
		}
		str_printf(&all, "%s%s", i ? ", " : "", check_format_words[i]);
	}
	return err_usage("--format %.60s: want one of %s", word,
			 str_ok(&all) ? all.s : "its words");
}

struct err *check_baseline(const struct args *a, struct baseline *b)
{
	const char *path = a->check.baseline ? a->check.baseline : BASELINE_DEFAULT;
	bool must = a->check.baseline && !a->check.update_baseline;
	struct err *err;

	if (!a->check.baseline && !a->check.update_baseline && access(path, F_OK))
		return NULL;
	err = baseline_read(path, must ? BASELINE_MUST : BASELINE_MAY, b);
	/* a new one takes the place of what cannot be read, if that is what it was */
	if (a->check.update_baseline && err_catch(&err, ERR_BAD_DATA))
		return NULL;
	return err;
}

static struct err *known(const struct args *a, struct ans_checks *all)
{
	_cleanup_(config_deinit) struct config config = { 0 };
	_cleanup_(known_deinit) struct known k = { 0 };
	struct err *err = config_read(&config); /* commands without walls have none yet */

	if (!err)
		err = config_known(&config, &k);
	if (!err && a->check.known)
		err = config_known_file(a->check.known, &k);
	return err ? err : known_check(&k, (int64_t)time(NULL), all);
}

struct err *check_answer_check(const struct args *a)
{
	_cleanup_(known_deinit) struct known k = { 0 };
	enum check_format f;
	struct err *err = check_format(a, &f);

	return !err && a->check.known ? config_known_file(a->check.known, &k) : err;
}

static bool wants_annotations(const struct args *a, enum check_format f)
{
	const char *github = getenv("GITHUB_ACTIONS");

	return f != CHECK_GITHUB && (a->outs.annotations || (github && !strcmp(github, "true")));
}

struct err *check_emit(const struct args *a, const struct ans_checks *all)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	_cleanup_(str_deinit) struct str notes = { 0 };
	struct check_files files = { a->outs.junit, a->outs.sarif, a->outs.quality };
	enum check_format f;
	struct err *err = check_format(a, &f);
	bool apart;

	if (err)
		return err;
	check_render(&o, f, session_style(a), all);
	apart = f != CHECK_TEXT || a->out;
	if (wants_annotations(a, f))
		github_check(apart ? &notes : &o, all);
	err = check_write_files(&files, all);
	if (!err)
		err = str_ok(&o) ? out_write(a->out, &o) : &err_nomem;
	if (!err && str_ok(&notes))
		fputs(notes.s, stderr);
	return err;
}

static int exit_code(const struct ans_checks *all)
{
	for (size_t i = 0; i < all->v.n; i++)
		if (all->v.v[i].result == CHECK_FAILED || all->v.v[i].result == CHECK_UNSURE)
			return 1;
	for (size_t i = 0; i < all->v.n; i++)
		if (all->v.v[i].result == CHECK_BROKEN)
			return all->v.v[i].code ? all->v.v[i].code : 3;
	return 0;
}

static struct err *write_baseline(const struct args *a, const struct baseline *b,
				  struct ans_checks *all)
{
	const char *path = a->check.baseline ? a->check.baseline : BASELINE_DEFAULT;
	struct err *err = baseline_write(path, b, all);

	if (err)
		return err;
	all->baseline = keepf(&all->keep, "%s", path);
	all->baseline_written = true;
	for (size_t i = 0; i < all->v.n; i++) {
		struct ans_check *c = &all->v.v[i];

		for (size_t k = 0; k < c->rows.n; k++)
			if (!c->rows.v[k].known && *c->rows.v[k].signature) {
				c->rows.v[k].known = true;
				c->rows.v[k].known_by = keepf(&all->keep, "%s, since now", path);
			}
		ans_check_conclude(all, c);
	}
	return keep_err(&all->keep);
}

struct err *check_answer(const struct args *a, const struct baseline *b, struct ans_checks *all,
			 int *status)
{
	struct err *err = known(a, all);

	if (!err)
		err = baseline_apply(b, all);
	if (!err && a->check.update_baseline)
		err = write_baseline(a, b, all);
	if (!err)
		err = check_places(all, a->check.source);
	if (!err)
		err = check_emit(a, all);
	if (!err)
		*status = exit_code(all);
	return err;
}
