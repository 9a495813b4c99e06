/*
 * evid_gclog.c - `gc FILE`, `report FILE` on a log of GODEBUG=gctrace=1.
 */
#include "cli/evid_gclog.h"

#include "cli/cmds.h"
#include "cli/given.h"
#include "cli/screen.h"
#include "cli/session.h"
#include "report/gclog.h"
#include "report/out.h"

#include <inttypes.h>

static struct err *pick(const struct args *a, struct ans_gclog *ret)
{
	uint64_t n = a->gclog.stream;

	ret->main = ret->g->main;
	if (!n)
		return NULL;
	if (n > ret->g->streams.n)
		return err_usage("--stream %" PRIu64 ": %.200s has %zu of them", n, a->arg[0],
				 ret->g->streams.n);
	ret->main = (size_t)n - 1;
	return NULL;
}

static struct err *write_svg(const struct args *a, const struct ans_gclog *g)
{
	_cleanup_(str_deinit) struct str o = { 0 };

	if (!a->gclog.svg)
		return NULL;
	svg_gclog(&o, g);
	return str_ok(&o) ? out_write(a->gclog.svg, &o) : &err_nomem;
}

static unsigned columns(const struct args *a)
{
	return a->out || !isatty(STDOUT_FILENO) ? 80 : screen_size().columns;
}

static struct err *check(const struct args *a, bool forms)
{
	static const char *const known[] = { "--svg", "--stream", EVIDENCE_FORMS, NULL };
	struct err *err = given_only(a, known, "a GC log");

	if (!err && forms && given_any(a, OPT_GCLOG))
		err = err_usage("--svg and --stream are for the text and --json of one GC log, "
				"without other forms and options of a report");
	return err;
}

struct err *evid_gclog(const struct args *a, int *status)
{
	_cleanup_(input_closep) struct input *in = NULL;
	_cleanup_(gclog_deinit) struct gclog g = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	struct ans_gclog x = { .g = &g, .path = a->arg[0] };
	bool forms = given_any(a, OPT_FINDINGS | OPT_OUTPUTS);
	struct err *err = check(a, forms);

	if (!err && forms) /* as of several files: what is known is left out */
		return cmd_report(a, status);
	if (!err)
		err = input_file(a->arg[0], a->arg[0], &in);
	if (!err)
		err = gclog_read(in, &g);
	if (!err && !g.streams.n)
		err = err_bad_data("%.200s: no whole line of gctrace is in it%s", a->arg[0],
				   g.broken ? ": they are cut" : "");
	if (!err)
		err = pick(a, &x);
	if (!err)
		err = write_svg(a, &x);
	if (err)
		return err;
	x.limit = session_limit(a, args_has(a, OPT_JSON) ? 1000 : 20);
	x.limit = x.limit ? x.limit : SIZE_MAX;
	x.cycles = args_has(a, OPT_LIMIT) ? x.limit : 0;
	x.columns = columns(a);
	if (args_has(a, OPT_JSON))
		json_doc_gclog(&o, &x);
	else
		text_gclog(&o, session_style(a), &x);
	return str_ok(&o) ? out_write(a->out, &o) : &err_nomem;
}
