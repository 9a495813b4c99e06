/*
 * evid_draw.c - answers about a profile that are no table of functions: pictures, shares of what
 * was allocated.
 */
#include "cli/evid_draw.h"

#include "cli/evid_profile.h"
#include "cli/session.h"
#include "evidence/pprof_sense.h"
#include "report/agg_pprof.h"
#include "report/agg_pprof_labels.h"
#include "report/out.h"
#include "report/pprof_draw.h"
#include "report/pprof_ratio_view.h"
#include "report/pprof_top.h"

enum { FLAME_NODES = 40000, DOT_NODES = 80 };

static struct err *flame(const struct args *a, const struct pprof *p, const char *file)
{
	_cleanup_(pprof_flame_freep) struct pprof_flame *f = NULL;
	_cleanup_(str_deinit) struct str o = { 0 };
	struct pprof_ask q;
	struct err *err = evid_profile_ask(a, p, 0, &q);

	if (!err)
		err = pprof_flame_create(p, &q, FLAME_NODES, &f);
	if (err)
		return err;
	html_pprof_flame(&o, p, &q, f);
	return out_write(file, &o);
}

static struct err *dot(const struct args *a, const struct pprof *p)
{
	_cleanup_(pprof_graph_freep) struct pprof_graph *g = NULL;
	_cleanup_(str_deinit) struct str o = { 0 };
	struct pprof_ask q;
	struct err *err = evid_profile_ask(a, p, DOT_NODES, &q);

	q.order = PPROF_ORDER_PICTURE;
	if (!err)
		err = pprof_graph_create(p, &q, &g);
	if (err)
		return err;
	dot_pprof(&o, g, &q);
	return out_write(a->out, &o);
}

struct err *evid_profile_draw(const struct args *a, bool *ret_done)
{
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	const char *format = a->pprof.format;
	bool is_dot = format && !strcmp(format, "dot"),
	     is_flame = format && !strcmp(format, "flame");
	struct err *err;

	*ret_done = is_dot || is_flame;
	if (format && !*ret_done && strcmp(format, "text") != 0)
		return err_usage("--format %.60s: of a profile want text, dot or flame", format);
	if (!*ret_done && !a->pprof.html)
		return NULL;
	err = evid_profiles(a, a->nargs, &p);
	if (!err && a->pprof.html)
		err = flame(a, p, a->pprof.html);
	if (!err && is_flame)
		err = flame(a, p, a->out);
	if (!err && is_dot)
		err = dot(a, p);
	return err;
}

struct err *evid_profile_labels(const struct args *a)
{
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	_cleanup_(ans_pprof_top_deinit) struct ans_pprof_top t = { .by = a->by };
	_cleanup_(str_deinit) struct str o = { 0 };
	const char *key = a->by[5] ? a->by + 6 : NULL;
	struct args plain = *a;
	struct pprof_ask q;
	struct err *err = evid_profiles(a, a->nargs, &p);

	plain.by = NULL;
	if (!err && (a->pprof.format || a->pprof.html))
		err = err_usage("--by label has no picture: without --format and --html");
	if (!err && a->by[5] && a->by[5] != ':')
		err = err_usage("--by %.60s: want label or label:KEY", a->by);
	if (!err)
		err = evid_profile_ask(&plain, p, 0, &q);
	if (!err)
		err = agg_pprof_labels(p, &q, key, session_values(a), &t);
	if (!err)
		err = agg_pprof_top_end(&t, q.order, session_limit(a, 30));
	if (err)
		return err;
	if (args_has(a, OPT_JSON))
		json_doc_pprof_top(&o, &t);
	else
		text_pprof_top(&o, session_style(a), &t);
	return out_write(a->out, &o);
}

struct err *evid_profile_ratios(const struct args *a)
{
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	_cleanup_(pprof_ratios_freep) struct pprof_ratios *r = NULL;
	_cleanup_(str_deinit) struct str o = { 0 };
	struct args plain = *a;
	struct pprof_ask q;
	struct err *err = evid_profiles(a, a->nargs, &p);

	if (!err && (a->pprof.format || a->pprof.html || a->pprof.value))
		err = err_usage("--sort ratio shows all four values as a table: without --value, "
				"--format and --html");
	if (!err && pprof_sense(p, 0) == PPROF_CHANGE)
		err = err_unsupported("%.200s: %s; what is left of what was allocated tells a "
				      "profile without ?seconds=",
				      p->name, pprof_sense_words(PPROF_CHANGE));
	plain.sort = NULL;
	if (!err)
		err = evid_profile_ask(&plain, p, 0, &q);
	if (!err)
		err = pprof_ratios_create(p, &q, &r);
	if (err)
		return err;
	if (args_has(a, OPT_JSON))
		json_doc_pprof_ratios(&o, p, r, session_limit(a, 30));
	else
		text_pprof_ratios(&o, p, r, session_limit(a, 30));
	return out_write(a->out, &o);
}
