/*
 * kept_get_rows.c - locks, limits and findings of a store.
 *
 * Findings are all there; which are known and ignored is asked when they are shown, as of a look.
 */
#include "report/agg_finding.h"
#include "report/kept.h"
#include "report/kept_get.h"
#include "report/kept_since.h"

static struct err *add_lock(struct ans_locks *r, struct kept_lock *k, size_t limit)
{
	struct ans_lock y = k->l;

	y.first_waiter = r->lockers.n;
	y.shown_waiters = MIN(k->waiters.n, limit);
	for (size_t i = 0; i < y.shown_waiters; i++)
		if (!vec_push(&r->lockers, k->waiters.v[i]))
			return &err_nomem;
	y.first_holder = r->lockers.n;
	y.nholders = k->holders.n;
	for (size_t i = 0; i < k->holders.n; i++)
		if (!vec_push(&r->lockers, k->holders.v[i]))
			return &err_nomem;
	kept_strip_path(&y.holder);
	for (size_t i = 0; i < y.holder.nodes.n; i++)
		y.holder.nodes.v[i].retained = 0; /* nobody who asks for locks waits for dominators */
	if (!vec_push(&r->locks, y))
		return &err_nomem;
	k->l.holder = (struct ans_path){ 0 };
	return NULL;
}

struct err *kept_locks_of(struct agg *a, size_t limit, struct ans_locks *ret)
{
	_cleanup_(ans_locks_deinit) struct ans_locks r = { 0 };
	struct kept *k = a->asked;
	struct kept_lock *v = NULL;
	size_t n = 0;
	struct err *err = kept_get(&k->w, &kept_lock, 0, (void **)&v, &n, NULL, NULL);

	for (size_t i = 0; i < n && !err; i++)
		err = add_lock(&r, &v[i], limit);
	for (size_t i = 0; i < n; i++) {
		vec_free(&v[i].waiters);
		vec_free(&v[i].holders);
		ans_path_deinit(&v[i].l.holder);
	}
	free(v);
	if (err)
		return err;
	r.total = k->totals.locks;
	r.waiters = k->totals.lock_waiters;
	r.deadlocks = k->totals.deadlocks;
	r.unknown = k->totals.lock_unknown;
	*ret = r;
	r = (struct ans_locks){ 0 };
	return NULL;
}

static struct err *add_limited(struct ans_audit *r, struct kept_limited *k)
{
	struct ans_limited y = k->l;

	for (size_t i = 0; i < k->settings.n && i < ANS_SETTINGS; i++)
		y.settings[y.nsettings++] = k->settings.v[i];
	kept_strip_path(&y.holder);
	if (!vec_push(&r->rows, y))
		return &err_nomem;
	k->l.holder = (struct ans_path){ 0 };
	return NULL;
}

struct err *kept_audit_of(struct agg *a, size_t limit, struct ans_audit *ret)
{
	_cleanup_(ans_audit_deinit) struct ans_audit r = { 0 };
	struct kept *k = a->asked;
	struct kept_limited *v = NULL;
	size_t n = 0;
	struct err *err = kept_get(&k->w, &kept_process_setting, 0, (void **)&r.process.v,
				   &r.process.n, NULL, NULL);

	if (!err)
		err = kept_get(&k->w, &kept_limited, 0, (void **)&v, &n, NULL, NULL);
	for (size_t i = 0; i < n && i < limit && !err; i++)
		err = add_limited(&r, &v[i]);
	for (size_t i = 0; i < n; i++) {
		vec_free(&v[i].settings);
		ans_path_deinit(&v[i].l.holder);
	}
	free(v);
	if (err)
		return err;
	r.total = k->totals.limits;
	*ret = r;
	r = (struct ans_audit){ 0 };
	return NULL;
}

static struct err *show_all(struct agg *a, const struct report_ask *ask, struct ans_findings *all,
			    struct ans_findings *ret)
{
	struct err *err = NULL;
	uint64_t more = a->asked->totals.findings;

	more -= MIN(more, all->rows.n);
	for (size_t i = 0; i < all->rows.n && !err; i++)
		err = finding_show(a, ask, &all->rows.v[i], ret);
	ret->total += more;
	return err;
}

struct err *kept_findings_of(struct agg *a, const struct report_ask *ask, struct ans_findings *ret)
{
	_cleanup_(ans_findings_deinit) struct ans_findings all = { 0 }, r = { 0 };
	struct kept *k = a->asked;
	struct err *err =
		kept_get(&k->w, &kept_finding, 0, (void **)&all.rows.v, &all.rows.n, NULL, NULL);

	if (!err)
		err = kept_get(&k->w, &kept_cost, 0, (void **)&r.detectors.v, &r.detectors.n, NULL,
			       NULL);
	if (!err && ask->kept_since)
		err = kept_since_judge(a, ask->kept_since, &all);
	if (!err)
		err = show_all(a, ask, &all, &r);
	if (err)
		return err;
	*ret = r;
	r = (struct ans_findings){ 0 };
	return NULL;
}
