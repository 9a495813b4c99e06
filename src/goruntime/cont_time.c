/*
 * cont_time.c - time.Timer, time.Ticker, the runtime's timers, and time.Time.
 *
 * Source: runtime/time.go, time/sleep.go, time/time.go.  Up to 1.22 a Timer holds a runtimeTimer;
 * from 1.23 on it is the front of a runtime.timeTimer, which is allocated in its place.
 */
#include "goruntime/cont_priv.h"

#define HEAD_MAX 256

/* runtime/time.go up to 1.22: what the status is while the timer will still fire. */
enum {
	STATUS_DELETED = 3,
	STATUS_REMOVING = 4,
	STATUS_REMOVED = 5,
	STATUS_EARLIER = 7,
	STATUS_LATER = 8
};

struct timer {
	uint64_t when, period, func, seq;
	taddr arg; /* place of the interface */
	bool active;
};

static bool status_active(uint64_t status)
{
	return status && (status < STATUS_DELETED || status > STATUS_REMOVED);
}

/* A runtime.timer (or time.runtimeTimer, which is the same) at `at`. */
static struct err *read_timer(const struct cont *c, taddr at, struct timer *t)
{
	const struct go_layout *L = c->io->g->L;
	uint8_t b[HEAD_MAX];
	uint64_t status;
	struct err *err;

	if (!L->timer_bytes || L->timer_bytes > sizeof(b))
		return err_unsupported("timers of go%s are not known", L->go);
	err = go_io_read(c->io, at, b, L->timer_bytes);
	if (err)
		return err;
	status = go_get(b, L->timer_status);
	*t = (struct timer){
		.when = go_get(b, L->timer_when),
		.period = go_get(b, L->timer_period),
		.func = go_get(b, L->timer_f),
		.seq = go_get(b, L->timer_seq),
		.arg = at + (uint64_t)L->timer_arg.off,
	};
	/* From 1.23 on stopping one, and firing once, sets when to 0. */
	t->active = go_has(L->timer_status) ? status_active(status) : (int64_t)t->when > 0;
	if (status == STATUS_EARLIER || status == STATUS_LATER)
		t->when = go_get(b, L->timer_nextwhen);
	return NULL;
}

static struct err *find(const struct cont *c, taddr *ret)
{
	const struct go_layout *L = c->io->g->L;
	struct go_place r;
	struct err *err = cont_field(c, "r", &r); /* time.Timer to 1.22 */

	if (err)
		return err;
	*ret = r.at			    ? r.at
	       : go_has(L->timeTimer_timer) ? c->at + (uint64_t)L->timeTimer_timer.off
					    : 0;
	return *ret ? NULL : err_unsupported("timers of go%s are not known", L->go);
}

static struct err *timer_facts_at(const struct cont *c, struct cont_out *o, taddr at)
{
	struct timer t = { 0 };
	uint64_t pc = 0;
	struct err *err = read_timer(c, at, &t);

	if (!err && t.func)
		err = cont_word_at(c, t.func, &pc);
	if (err)
		return err;
	cont_fact(o, "active", GO_FACT_BOOL, t.active);
	if (t.active)
		cont_fact(o, "when", GO_FACT_NANOTIME, t.when);
	cont_fact(o, "period", GO_FACT_NS, t.period);
	if (pc)
		cont_fact(o, "func", GO_FACT_FUNC, pc);
	return NULL;
}

static struct err *timer_each_at(const struct cont *c, struct cont_out *o, taddr at)
{
	const struct go_layout *L = c->io->g->L;
	struct go_place arg = { 0 };
	uint64_t type, word;
	const struct go_type *t;
	struct err *err;

	if (!go_has(L->timer_arg))
		return NULL;
	at += (uint64_t)L->timer_arg.off;
	err = cont_word_at(c, at, &type);
	if (!err)
		err = cont_word_at(c, at + 8, &word);
	t = !err && type ? go_type_at(c->ts, type) : NULL;
	if (err || !t)
		return err;
	arg = (struct go_place){ t->direct_iface ? at + 8 : word, t };
	cont_value(o, "arg", 0, arg);
	return NULL;
}

static struct err *facts(const struct cont *c, struct cont_out *o)
{
	taddr at;
	struct err *err = find(c, &at);

	return err ? err : timer_facts_at(c, o, at);
}

static struct err *each(const struct cont *c, struct cont_out *o)
{
	taddr at;
	struct err *err = find(c, &at);

	return err ? err : timer_each_at(c, o, at);
}

static struct err *heap_facts(const struct cont *c, struct cont_out *o)
{
	return timer_facts_at(c, o, c->at);
}

static struct err *heap_each(const struct cont *c, struct cont_out *o)
{
	return timer_each_at(c, o, c->at);
}

const struct go_cont cont_timer = {
	.word = "timer",
	.names = "time.Timer|time.Ticker|runtime.timeTimer",
	.kind = GO_STRUCT,
	.facts = facts,
	.each = each,
};

const struct go_cont cont_heap_timer = {
	.word = "timer",
	.names = "runtime.timer|time.runtimeTimer",
	.kind = GO_STRUCT,
	.facts = heap_facts,
	.each = heap_each,
};

/* time.go: with the top bit of wall set, wall holds seconds since 1885, else ext since year 1. */
static struct err *time_facts(const struct cont *c, struct cont_out *o)
{
	const uint64_t nsec_mask = (1U << 30) - 1;
	uint64_t wall, ext;
	int64_t sec;
	struct err *err = cont_int_field(c, "wall", &wall);

	if (!err)
		err = cont_int_field(c, "ext", &ext);
	if (err)
		return err;
	if (wall >> 63)
		sec = (int64_t)(wall << 1 >> 31) - 2682288000;
	else
		sec = (int64_t)(ext - 62135596800ULL);
	cont_fact(o, "zero", GO_FACT_BOOL, !wall && !ext);
	cont_fact(o, "unix", GO_FACT_SIGNED, (uint64_t)sec);
	if (sec > INT64_MIN / 1000000000 && sec < INT64_MAX / 1000000000)
		cont_fact(o, "unix_ns", GO_FACT_UNIX_NS,
			  (uint64_t)(sec * 1000000000 + (int64_t)(wall & nsec_mask)));
	return NULL;
}

const struct go_cont cont_time = {
	.word = "time",
	.names = "time.Time",
	.kind = GO_STRUCT,
	.facts = time_facts,
};
