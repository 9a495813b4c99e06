/*
 * evid_list.c - `limpet list` of a profile: functions line by line, beside their source.
 */
#include "cli/evid_profile.h"
#include "report/json.h"
#include "report/out.h"
#include "report/pprof_list_view.h"
#include "report/pprof_view.h"

static void put_json(struct str *o, const struct pprof *p, const struct pprof_list *l)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	json_pprof_head(&j, p, l->g->type, l->g->total);
	json_pprof_list(&j, l);
	jw_end(&j, '}');
}

struct err *evid_profile_list(const struct args *a, int *status)
{
	_cleanup_(pattern_freep) struct pattern *which = NULL;
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	_cleanup_(pprof_list_freep) struct pprof_list *l = NULL;
	_cleanup_(str_deinit) struct str o = { 0 };
	struct pprof_ask q;
	struct err *err = pattern_create("list", a->arg[1], &which);

	(void)status;
	if (!err)
		err = evid_profile(a, 0, &p);
	if (!err)
		err = evid_profile_ask(a, p, 0, &q);
	if (!err)
		err = pprof_list_create(p, &q, which, a->source, &l);
	if (err)
		return err->code == ERR_USAGE ? err_prefix(err, "%.100s", a->arg[1]) : err;
	evid_profile_warn(a, p);
	if (args_has(a, OPT_JSON))
		put_json(&o, p, l);
	else
		text_pprof_list(&o, l);
	return out_write(a->out, &o);
}
