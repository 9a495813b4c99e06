/*
 * evid_views.c - `limpet tree` and `limpet peek` of a profile: who calls, who is called.
 */
#include "cli/cmds.h"
#include "cli/evid_draw.h"
#include "cli/evid_profile.h"
#include "cli/session.h"
#include "report/out.h"
#include "report/pprof_view.h"

enum { NODES_OF_A_TREE = 80 }; /* as pprof: internal/driver/driver.go, applyCommandOverrides() */

static struct err *tree_of(const struct args *a, size_t nodes, struct pattern *only)
{
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	_cleanup_(pprof_graph_freep) struct pprof_graph *g = NULL;
	_cleanup_(str_deinit) struct str o = { 0 };
	struct pprof_ask q;
	size_t n = 0;
	struct err *err = evid_profile(a, 0, &p);

	if (!err)
		err = evid_profile_ask(a, p, nodes, &q);
	if (!err)
		err = pprof_graph_create(p, &q, &g);
	if (err)
		return err;
	if (args_has(a, OPT_JSON)) {
		json_doc_pprof_tree(&o, g, only, &n);
	} else {
		text_pprof_head(&o, g, &q);
		text_pprof_tree(&o, g, only, &n);
	}
	err = pattern_err(only);
	if (!err && only && !n)
		err = err_usage("%.100s: no %s of this profile has a match", a->arg[1],
				a->by ? a->by : "function");
	return err ? err : out_write(a->out, &o);
}

struct err *evid_profile_peek(const struct args *a, int *status)
{
	_cleanup_(pattern_freep) struct pattern *only = NULL;
	struct err *err = pattern_create("peek", a->arg[1], &only);

	(void)status;
	return err ? err : tree_of(a, 0, only);
}

/* Of one profile: WHAT is no other. */
static struct err *draw(const struct args *a, bool *ret_done)
{
	struct args one = *a;

	one.nargs = 1;
	return evid_profile_draw(&one, ret_done);
}

struct err *evid_profile_tree(const struct args *a, int *status)
{
	bool done = false;
	struct err *err = evid_profile_options(a, EVID_ROWS);

	if (!err)
		err = a->pprof.format || a->pprof.html ? draw(a, &done) : NULL;

	if (err || done)
		return err;
	if (a->nargs > 1)
		return evid_profile_peek(a, status);
	return tree_of(a, NODES_OF_A_TREE, NULL);
}

struct err *cmd_of_profiles(const struct args *a, int *status)
{
	struct kind_found k;
	struct err *err = evidence_kind(a, 0, &k);

	(void)status;
	if (err)
		return err;
	return err_unsupported("%.200s: %s; `limpet %s` is for profiles, as of /debug/pprof/heap",
			       a->arg[0], kind_words(k.kind), a->cmd->name);
}
