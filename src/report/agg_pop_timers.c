/*
 * agg_pop_timers.c - timers, tickers, AfterFuncs: when, how often, which function, what they keep.
 *
 * Every reachable timer object, armed or not.  Times are relative to the snapshot.  A timer of
 * time.AfterFunc runs time.goFunc, its argument is the function; the others send to a channel.
 * Source: time/sleep.go, time/tick.go, runtime/time.go.
 */
#include "report/pop_priv.h"

static const struct pop_col cols[] = {
	{ "when_ns", "fires in", POP_NS, 0 },
	{ "period_ns", "period", POP_NS, 0 },
	{ "active", "armed", POP_YES, 0 },
	{ "retained_bytes", "retained", POP_BYTES, 0 },
	{ "kind", "kind", POP_TEXT, 0 },
	{ "addr", "addr", POP_ADDR, 0 },
	{ "owner", "owner", POP_TEXT, POP_JSON_ONLY | POP_FILLED },
	{ "type", "type", POP_TEXT, POP_JSON_ONLY },
	{ "function", "function", POP_TEXT, 0 },
	{ .form = POP_END },
};
enum { C_WHEN, C_PERIOD, C_ACTIVE, C_RETAINED, C_KIND, C_ADDR, C_OWNER, C_TYPE, C_FUNC };

struct work {
	struct agg *a;
	struct pop_table *t;
	struct go_io io;
	uint64_t n, active, periodic, bad;
};

struct arg_func {
	struct agg *a;
	const char *name;
};

/* goFunc(arg any): the argument is the func value. */
static enum go_cont_go_on see_arg(void *arg, const struct go_cont_entry *e)
{
	struct arg_func *x = arg;
	taddr fn = 0;

	if (strcmp(e->label, "arg") || !e->elem.type || e->elem.type->kind != GO_FUNC)
		return CONT_ON;
	err_free(go_read_u64(x->a->s->go, e->elem.at, &fn));
	x->name = pop_func_name(x->a, fn);
	return CONT_STOP;
}

static const char *kind_of(const char *fn, uint64_t period)
{
	if (!strcmp(fn, "time.goFunc"))
		return "func";
	if (!strcmp(fn, "time.sendTime"))
		return period ? "ticker" : "timer";
	return *fn ? "runtime" : "unset";
}

static const char *func_of(struct work *w, struct go_place p, const char *fn)
{
	struct arg_func x = { .a = w->a, .name = "" };
	const struct go_cont *c = go_cont_of(w->a->s->rtypes, p.type);

	if (strcmp(fn, "time.goFunc"))
		return fn;
	err_free(go_cont_each(c, &w->io, w->a->s->rtypes, p, see_arg, &x));
	return *x.name ? x.name : fn;
}

/* From the instant of the snapshot on. */
static uint64_t relative(const struct agg *a, uint64_t nanotime)
{
	int64_t at = go_unix_of_nanotime(a->s->go, (int64_t)nanotime);

	if (!at || nanotime == POP_NONE)
		return POP_NONE;
	return (uint64_t)at - target_capture(a->s->t)->at_unix_ns;
}

static struct err *see(struct agg *a, void *arg, uint64_t id, struct go_place p)
{
	struct work *w = arg;
	struct pop_row r = { .node = graph_node_of_object(a->g, id) };
	struct look_facts f;
	const char *fn;
	struct err *err = pop_facts_read(a, &w->io, p, &f);

	if (err)
		return err;
	if (f.bad) {
		w->bad++;
		return NULL;
	}
	fn = pop_pc_name(a, look_fact(&f, "func", 0));
	r.c[C_ACTIVE].n = look_fact(&f, "active", 0);
	r.c[C_WHEN].n = relative(a, look_fact(&f, "when", POP_NONE));
	r.c[C_PERIOD].n = look_fact(&f, "period", 0);
	r.c[C_RETAINED].n = pop_retained(a, r.node);
	r.c[C_KIND].s = kind_of(fn, r.c[C_PERIOD].n);
	r.c[C_ADDR].n = go_heap_address(&a->s->heap, id, NULL);
	r.c[C_TYPE].s = p.type->name;
	r.c[C_FUNC].s = func_of(w, p, fn);
	w->n++;
	w->active += r.c[C_ACTIVE].n;
	w->periodic += r.c[C_PERIOD].n != 0;
	return pop_offer(w->t, &r);
}

static struct err *finish(struct agg *a, void *arg, struct pop_row *r)
{
	(void)arg;
	r->c[C_OWNER].s = pop_owner(a, r->node);
	return NULL;
}

static struct err *fill(struct work *w, struct ans_pop *p)
{
	struct err *err = pop_objects_of(w->a, "timer", see, w);

	if (!err)
		err = pop_total(p, "timers", "timers", POP_COUNT, w->n);
	if (!err)
		err = pop_total(p, "active", "armed", POP_COUNT, w->active);
	if (!err)
		err = pop_total(p, "periodic", "periodic", POP_COUNT, w->periodic);
	if (!err)
		err = pop_total(p, "unreadable", "unreadable", POP_COUNT, w->bad);
	return err ? err : pop_settle(w->a, w->t, finish, NULL);
}

static struct err *make(struct agg *a, const struct pop_ask *ask, struct ans_pop *p)
{
	struct work w = { .a = a };
	struct err *err = go_io_init_sparse(&w.io, a->s->go);

	if (err)
		return err;
	w.t = pop_table_add(p, "rows", "timers", cols, ask->sort ? ask->sort : "retained_bytes",
			    ask->limit);
	err = fill(&w, p);
	go_io_deinit(&w.io);
	return err;
}

const struct pop_family pop_timers = {
	.name = "timers",
	.cols = cols,
	.sort = "retained_bytes",
	.needs = POP_NEEDS_RUNTIME,
	.make = make,
};
