/*
 * agg_since.c - an earlier look at the same program, and where the way between two looks leads.
 *
 * The time at which a limit is reached is a straight line through two points.  What the process
 * takes lies between its live heap and what GOGC lets it grow to before the next collection:
 * that is the width of the answer.  It knows nothing of tomorrow's load, and says so.
 */
#include "report/agg_finding.h"
#include "report/kept_since.h"

#include <sys/sysinfo.h>

#define HOUR_NS 3.6e12
#define FAR_NS	(365 * 24 * HOUR_NS)

struct find_process agg_process(const struct agg *a)
{
	const struct go *go = a->s->go;
	const struct target_capture *c = target_capture(a->s->t);

	return (struct find_process){
		.pid = c->pid,
		.started_ns = target_started_unix_ns(a->s->t),
		.go = go->version,
		.module = go->module_path ? go->module_path : "",
		.version = go->module_version ? go->module_version : "",
		.revision = go->vcs_revision ? go->vcs_revision : "",
		.at_unix_ns = c->at_unix_ns,
	};
}

struct err *agg_since_of(struct agg *a, const struct find *f, uint64_t rss, struct find_since **ret)
{
	struct find_process p = agg_process(a);

	return find_since_create(f, &p, rss, ret);
}

struct err *agg_since_create(struct agg *a, struct find_since **ret)
{
	_cleanup_(find_deinit) struct find f = { .l = agg_look(a) };
	_cleanup_(ans_memory_deinit) struct ans_memory memory = { 0 };
	struct find_memory m;
	struct err *err = agg_memory(a, &memory);

	if (err)
		return err;
	finding_memory(a, &memory, &m);
	f.memory = &m;
	err = find_run(&f);
	return err ? err : agg_since_of(a, &f, memory.rss, ret);
}

void agg_since_match(struct agg *a, struct find_since *since)
{
	struct find_process now = agg_process(a);

	find_since_match(since, &now, a->s->dump ? NULL : a->s);
}

struct limit {
	const char *name;
	uint64_t limit, used;
};

static uint64_t machine_bytes(void)
{
	struct sysinfo si;

	return sysinfo(&si) ? 0 : (uint64_t)si.totalram * si.mem_unit;
}

/* All that hold it, with what counts towards each. */
static size_t limits_of(const struct agg *a, struct limit *v)
{
	const struct target_mem *t = target_mem(a->s->t);
	const struct go_counters *c = &a->s->heap.counters;
	size_t n = 0;

	if (t && t->cgroup_limit != UINT64_MAX && t->cgroup_usage != UINT64_MAX)
		v[n++] = (struct limit){ "the cgroup's limit", t->cgroup_limit, t->cgroup_usage };
	if (c->memory_limit > 0 && c->memory_limit < INT64_MAX)
		v[n++] = (struct limit){ "GOMEMLIMIT", (uint64_t)c->memory_limit, c->mapped_ready };
	if (t && t->rss != UINT64_MAX && machine_bytes())
		v[n++] = (struct limit){ "the machine's memory", machine_bytes(), t->rss };
	return n;
}

/* How far the heap runs ahead of what is live, by GOGC. */
static double stretch_of(const struct agg *a)
{
	int32_t percent = a->s->heap.counters.gc_percent;

	return percent > 0 && percent < 1000 ? 1 + percent / 100.0 : 2;
}

static void add_limit(const struct agg *a, struct ans_since *x)
{
	struct limit v[3];
	size_t n = limits_of(a, v);
	double per_ns = (double)x->per_hour / HOUR_NS;

	for (size_t i = 0; i < n; i++) {
		double room = v[i].limit > v[i].used ? (double)(v[i].limit - v[i].used) : 0;
		double soonest = room / (per_ns * stretch_of(a));

		if (soonest > FAR_NS || (*x->limit_name && soonest >= (double)x->soonest_ns))
			continue;
		x->limit_name = v[i].name;
		x->limit = v[i].limit;
		x->used = v[i].used;
		x->soonest_ns = (uint64_t)soonest;
		x->latest_ns = (uint64_t)(room / per_ns);
	}
}

static int64_t rate(int64_t bytes, double by)
{
	double n = by > 0 ? (double)bytes / by : 0;

	return by > 0 && n > -9e18 && n < 9e18 ? (int64_t)n : INT64_MIN;
}

/* What there is now, of a look or as a store says. */
struct now {
	uint64_t bytes, stack_bytes, goroutines;
};

static struct now now_of(const struct agg *a, const struct report_ask *ask)
{
	const struct find_since *n = ask->kept_since ? ask->kept_since->now : NULL;

	if (n)
		return (struct now){ n->reachable_bytes, n->stack_bytes, n->goroutines };
	return (struct now){ a->g->reached_bytes, a->s->stacks.stack_bytes, find_goroutines(a->s) };
}

void agg_since(struct agg *a, const struct report_ask *ask, struct ans_since *ret)
{
	static const char *const same[] = { "process", "program", "other" };
	const struct find_since *s = ask->since;
	struct now now;
	int64_t grew;

	*ret = (struct ans_since){ .limit_name = "", .per_gc = INT64_MIN, .per_hour = INT64_MIN };
	if (!s)
		return;
	now = now_of(a, ask);
	ret->file = keepf(&a->keep, "%s", ask->since_file ? ask->since_file : "");
	ret->same = same[MIN(s->same, 2)];
	ret->why = s->why;
	ret->at_unix_ns = s->process.at_unix_ns;
	ret->ns = s->ns;
	ret->cycles = s->cycles;
	ret->then_bytes = s->reachable_bytes;
	ret->now_bytes = now.bytes;
	ret->then_goroutines = s->goroutines;
	ret->now_goroutines = now.goroutines;
	if (s->same != FIND_SAME_PROCESS)
		return;
	grew = (int64_t)(now.bytes + now.stack_bytes) -
	       (int64_t)(s->reachable_bytes + s->stack_bytes);
	ret->per_gc = rate(grew, s->cycles);
	ret->per_hour = rate(grew, (double)s->ns / HOUR_NS);
	if (grew > 0 && ret->per_hour > 0 && !ask->kept_since)
		add_limit(a, ret); /* limits are not kept */
}
