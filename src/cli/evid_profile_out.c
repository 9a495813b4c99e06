/*
 * evid_profile_out.c - `limpet profile` of a profile that is there already: in another format, or
 * several as one.
 */
#include "cli/evid_profile.h"
#include "cli/profile_out.h"
#include "report/agg_pprof_labels.h"

/*
 * Who has the file has its labels: they are written as they are, unless that is not wished.  A copy
 * has no texts but those that it uses.
 */
static struct err *hide(unsigned values, struct pprof **p)
{
	struct pprof *copy;
	struct err *err;

	if (values == ANS_VALUES_FULL)
		return NULL;
	agg_pprof_labels_hide(*p, values);
	err = pprof_merge(p, 1, &copy);
	if (err)
		return err;
	pprof_free(*p);
	*p = copy;
	return NULL;
}

struct err *evid_profile_write(const struct args *a, int *status)
{
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	const struct profile_format *f;
	struct err *err = profile_format(a, &f);

	(void)status;
	if (!err && a->profile.kind)
		err = err_usage("--kind %.60s: %.200s is a profile already, of its own kind",
				a->profile.kind, a->arg[0]);
	if (!err && !f->of_profile)
		err = err_unsupported("--format %s: that is of a program's memory; give a process or "
				      "a core",
				      f->name);
	if (!err)
		err = evid_profiles(a, a->nargs, &p);
	if (!err && args_has(a, OPT_VALUES))
		err = hide(a->values, &p);
	return err ? err : profile_put(a, f, "profile", p);
}
