/*
 * agg_audit.c - limits of servers, clients and pools, and of the process, for `limpet audit`.
 *
 * Found by find/look_limits.c; here they get names and words.
 */
#include "find/look_limits.h"
#include "report/agg.h"
#include "report/kept.h"

static const char *says(struct agg *a, const struct look_limited *k)
{
	bool no_timeout = k->kind == LOOK_CLIENT && !look_setting(k, "Timeout", 1);

	if (k->kind == LOOK_SERVER && !look_setting(k, "ReadHeaderTimeout", 1) &&
	    !look_setting(k, "ReadTimeout", 1) && k->headers)
		return keepf(&a->keep,
			     "%" PRIu64 " connections wait for a header, and nothing ends that",
			     k->headers);
	if (k->kind == LOOK_SERVER && !look_setting(k, "IdleTimeout", 1) &&
	    !look_setting(k, "ReadTimeout", 1) && k->idle)
		return keepf(&a->keep, "%" PRIu64 " idle connections, and nothing ends them",
			     k->idle);
	if (no_timeout && k->waiting)
		return keepf(&a->keep,
			     "%" PRIu64 " goroutines wait for an answer; only a context's deadline "
			     "can end that",
			     k->waiting);
	if (k->kind == LOOK_TRANSPORT && k->dropped)
		return keepf(&a->keep,
			     "%" PRIu64 " answers were dropped without Body.Close: their "
			     "connections cannot be used again",
			     k->dropped);
	if (k->kind == LOOK_DB && look_setting(k, "MaxOpenConns", 1) <= 0 && k->conns > k->idle)
		return keepf(&a->keep,
			     "%" PRIu64 " connections are in use, and nothing limits them",
			     k->conns - k->idle);
	if (k->kind == LOOK_DB && k->waiting)
		return keepf(&a->keep, "%" PRIu64 " goroutines wait for a connection", k->waiting);
	return "";
}

static void fill_settings(const struct look_limited *k, struct ans_limited *y)
{
	const struct look_setting *s = look_limited_types[k->kind].s;

	for (size_t i = 0; i < LOOK_SETTINGS && s[i].field; i++)
		if (k->has[i])
			y->settings[y->nsettings++] = (struct ans_setting){
				.name = s[i].field,
				.form = s[i].form,
				.value = k->value[i],
				.unset = !k->value[i],
				.meaning = k->value[i] ? "" : s[i].unset,
			};
}

static struct err *name_it(struct agg *a, const struct look_limited *k, struct ans_limited *y)
{
	const char *const names[] = { look_limited_types[k->kind].type, NULL };
	struct look l = agg_look(a);
	const char *owner;
	struct err *err;

	y->field = look_field_of(&l, k->p.at, names, &owner);
	y->name = *owner ? keepf(&a->keep, "%s%s", owner, y->field) : "";
	err = agg_lasting_path(a, k->node, &y->holder);
	if (err || !y->holder.nodes.n)
		return err;
	y->holder.nodes.v[y->holder.nodes.n - 1].field = y->field;
	if (y->holder.expression && *y->holder.expression && !strstr(y->holder.expression, "(0x"))
		y->name = keepf(&a->keep, "%s%s", y->holder.expression, y->field);
	return NULL;
}

static struct err *add(struct agg *a, const struct look_limited *k, struct ans_audit *ret)
{
	struct ans_limited y = {
		.type = look_limited_types[k->kind].type,
		.addr = k->p.at,
		.conns = k->conns,
		.idle = k->idle,
		.open_bodies = k->open_bodies,
		.dropped = k->dropped,
		.waiting = k->waiting,
		.headers = k->headers,
		.serving = k->serving,
		.waited = k->waited,
		.oldest_ns = k->oldest_ns,
		.says = says(a, k),
	};
	struct err *err = name_it(a, k, &y);

	fill_settings(k, &y);
	if (!err && !vec_push(&ret->rows, y))
		err = &err_nomem;
	if (err)
		ans_path_deinit(&y.holder);
	return err;
}

static struct err *process_row(struct ans_audit *r, const char *name, uint8_t form, int64_t value,
			       bool unset, const char *meaning)
{
	return vec_push(&r->process, ((struct ans_setting){ name, form, value, unset, meaning }))
		       ? NULL
		       : &err_nomem;
}

static const char *limit_says(int64_t limit, uint64_t cgroup)
{
	if (limit == INT64_MAX)
		return cgroup != UINT64_MAX
			       ? "not set, and a cgroup limits the process: the collector does not "
				 "know of it, the kernel kills at it"
			       : "not set";
	if (cgroup != UINT64_MAX && (uint64_t)limit > cgroup)
		return "above the cgroup's limit: the kernel kills first";
	return "";
}

static struct err *process(struct agg *a, struct ans_audit *r)
{
	const struct go_counters *c = &a->s->heap.counters;
	const struct target_mem *m = target_mem(a->s->t);
	uint64_t procs = 0;
	struct err *err = process_row(r, "GOMEMLIMIT", GO_FACT_BYTES, c->memory_limit,
				      c->memory_limit == INT64_MAX,
				      limit_says(c->memory_limit, m->cgroup_limit));

	if (!err)
		err = process_row(r, "cgroup memory", GO_FACT_BYTES, (int64_t)m->cgroup_limit,
				  m->cgroup_limit == UINT64_MAX, "");
	if (!err)
		err = process_row(r, "GOGC", GO_FACT_SIGNED, c->gc_percent, c->gc_percent < 0,
				  c->gc_percent < 0 ? "off" : "");
	if (!err && a->s->go->v.allp) { /* allp's length: proc.go, procresize */
		err = go_read_u64(a->s->go, a->s->go->v.allp + 8, &procs);
		if (!err_catch(&err, ERR_FAULT) && !err && procs < 1 << 16)
			err = process_row(r, "GOMAXPROCS", GO_FACT_NUMBER, (int64_t)procs, false,
					  "");
	}
	return err;
}

static uint64_t weight(const struct look_limited *k)
{
	return k->open_bodies + k->waiting + k->headers + k->conns + k->serving;
}

static int most_used_first(const void *x, const void *y)
{
	const struct look_limited *p = x, *q = y;

	if (weight(p) != weight(q))
		return weight(p) < weight(q) ? 1 : -1;
	if (p->kind != q->kind)
		return p->kind < q->kind ? -1 : 1;
	return (p->p.at > q->p.at) - (p->p.at < q->p.at);
}

struct err *agg_audit(struct agg *a, size_t limit, struct ans_audit *ret)
{
	_cleanup_(look_limits_deinit) struct look_limits x = { 0 };
	_cleanup_(ans_audit_deinit) struct ans_audit r = { 0 };
	struct look l = agg_look(a);
	struct look_index *index;
	struct err *err;

	if (a->asked)
		return kept_audit_of(a, limit, ret);
	index = look_index_create();
	err = index ? NULL : &err_nomem;
	l.index = index;
	if (!err)
		err = look_limits(&l, &x);
	if (!err)
		err = process(a, &r);
	if (!err && x.v.n)
		qsort(x.v.v, x.v.n, sizeof(x.v.v[0]), most_used_first);
	for (size_t i = 0; i < MIN(x.v.n, limit) && !err; i++)
		err = add(a, &x.v.v[i], &r);
	look_index_free(index);
	if (!err)
		err = keep_err(&a->keep);
	if (err)
		return err;
	r.total = x.v.n;
	*ret = r;
	r = (struct ans_audit){ 0 };
	return NULL;
}
