/*
 * evid_profile_out.c - `limpet profile` of a profile that is there already: in another format, or
 * several as one.
 */
#include "cli/evid_profile.h"
#include "cli/profile_out.h"

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
	return err ? err : profile_put(a, f, "profile", p);
}
