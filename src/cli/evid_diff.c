/*
 * evid_diff.c - `limpet diff` of profiles: what grew between two, how three and more go on.
 */
#include "cli/evid_profile.h"
#include "cli/session.h"
#include "evidence/pprof_sense.h"
#include "report/out.h"
#include "report/pprof_diff_view.h"

struct profiles {
	size_t n;
	struct pprof *p[ARGS_MAX];
};

static void profiles_deinit(struct profiles *l)
{
	for (size_t i = 0; i < l->n; i++)
		pprof_free(l->p[i]);
}

/* What only heaps have, or two profiles. */
static struct err *check(const struct args *a)
{
	if (a->nargs < 2)
		return err_usage("%.100s: want an earlier profile and a later one", a->arg[0]);
	if (a->nargs > 2 && (a->pprof.normalize || a->pprof.percent_of))
		return err_usage("--normalize and --percent-of are for two profiles; these are %u",
				 a->nargs);
	if (a->nargs > 2 && a->sort)
		return err_usage("--sort is for two profiles; of %u the steepest comes first",
				 a->nargs);
	return evid_profile_options(a, EVID_DIFF);
}

/* Growth of a state is told in shares of what was there; of totals, what came is the whole. */
static struct err *share_of(const struct args *a, const struct pprof *p, unsigned type,
			    enum pprof_share *ret)
{
	const char *word = a->pprof.percent_of;

	*ret = pprof_sense(p, type) == PPROF_TOTAL ? PPROF_OF_CHANGE : PPROF_OF_OLD;
	if (!word)
		return NULL;
	*ret = strcmp(word, "old") ? PPROF_OF_CHANGE : PPROF_OF_OLD;
	if (*ret == PPROF_OF_CHANGE && strcmp(word, "change") != 0)
		return err_usage("--percent-of %.60s: want old or change", word);
	return NULL;
}

static struct err *two(const struct args *a, const struct profiles *l, struct str *o)
{
	_cleanup_(pprof_changes_freep) struct pprof_changes *c = NULL;
	struct pprof_ask q;
	struct pprof_diff_said said = { .old = l->p[0],
					.new = l->p[1],
					.q = &q,
					.scaling = a->pprof.normalize ? PPROF_NORMALIZE
								      : PPROF_AS_IS };
	struct err *err = evid_profile_ask(a, l->p[0], 0, &q);

	if (!err)
		err = share_of(a, l->p[0], q.type, &said.share);
	if (err)
		return err;
	q.nodes = session_limit(a, 30);
	if (a->limit != UINT32_MAX) {
		q.node_fraction = 0.005;
		q.edge_fraction = 0.001; /* of which calls "(inline)" is said */
	}
	err = pprof_changes_create(l->p[0], l->p[1], &q, said.share, said.scaling, &c);
	if (err)
		return err;
	if (args_has(a, OPT_JSON))
		json_doc_pprof_diff(o, &said, c);
	else
		text_pprof_diff(o, &said, c);
	return NULL;
}

static struct err *many(const struct args *a, const struct profiles *l, struct str *o)
{
	_cleanup_(pprof_trend_freep) struct pprof_trend *t = NULL;
	struct pprof_ask q;
	struct err *err = evid_profile_ask(a, l->p[0], 0, &q);

	if (!err)
		err = pprof_trend_create(l->p, l->n, &q, &t);
	if (err)
		return err;
	if (args_has(a, OPT_JSON))
		json_doc_pprof_trend(o, l->p, q.type, t, session_limit(a, 30));
	else
		text_pprof_trend(o, l->p, q.type, t, session_limit(a, 30));
	return NULL;
}

struct err *evid_profile_diff(const struct args *a, int *status)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	_cleanup_(profiles_deinit) struct profiles l = { 0 };
	struct err *err = check(a);

	(void)status;
	for (; !err && l.n < a->nargs; l.n += !err)
		err = evid_profile(a, (unsigned)l.n, &l.p[l.n]);
	for (size_t i = 0; i < l.n && !err; i++)
		evid_profile_warn(a, l.p[i]);
	if (!err)
		err = l.n == 2 ? two(a, &l, &o) : many(a, &l, &o);
	return err ? err : out_write(a->out, &o);
}
