/*
 * cmd_verify.c - `limpet verify`: is limpet right?
 *
 * First snapshot, if it can be between two cycles (while one is marking the bits say
 * little); then, while candidates remain, further looks, each after a collection that
 * began after the one before.  A dead object's slot may have been used again and be dead
 * again: only what stays marked and unreached through all looks is a miss.  A look costs
 * the target one short pause; their number is bounded.
 */
#include "cli/cmds.h"
#include "cli/interrupt.h"
#include "cli/session.h"
#include "base/clock.h"

#define LOOK_EVERY_NS  1000000000ULL
#define QUIET_EVERY_NS 20000000ULL
enum { QUIET_TRIES = 40, LOOKS_MAX = 24 };

/*
 * Looks in a row that explain nothing, until what is left counts as missed.  Where nothing was
 * ever explained the second look has said it all.  Where dead slots are used again and die again,
 * one of them survives a look by chance (one in seven, seen with GOGC=20 on all threads).
 */
enum { STABLE_LOOKS = 1, STABLE_LOOKS_CHURN = 5 };

struct cycle {
	uint32_t sweepgen; /* grows by 2 a cycle */
	uint32_t phase;
};

static struct err *read_cycle(const struct go *go, struct cycle *ret)
{
	struct cycle c = { 0 };
	struct err *err =
		go_read_u32(go, go->v.mheap + (uint64_t)go->L->mheap_sweepgen.off, &c.sweepgen);

	if (!err && go->v.gcphase)
		err = go_read_u32(go, go->v.gcphase, &c.phase);
	if (err)
		return err_prefix(err, "GC cycle");
	*ret = c;
	return NULL;
}

/*
 * A cycle that was already marking at the first look may have met the candidates alive:
 * then one more is needed.  A look in the middle of marking decides nothing.
 */
static bool late_enough(struct cycle first, struct cycle now)
{
	uint32_t need = first.phase ? 4 : 2;

	return now.sweepgen - first.sweepgen >= need && !now.phase;
}

static struct err *look_again(struct session *s, struct verify_result *v)
{
	struct err *err = session_snapshot(s);

	if (!err)
		err = session_graph(s);
	return err ? err : verify_again(v, s->s, s->g);
}

/* One look: attached, and late enough; else closed again. */
static struct err *peek(const struct args *a, struct cycle first, struct session *later,
			struct cycle *now, bool *ret_came)
{
	struct err *err = session_attach(a, later);

	*now = (struct cycle){ 0 };
	if (!err)
		err = read_cycle(later->go, now);
	if (err)
		return err;
	*ret_came = late_enough(first, *now);
	if (!*ret_came)
		session_close(later);
	return NULL;
}

/* Wait until end for a later cycle; later is an attached session when one came in time. */
static struct err *wait_for_cycle(const struct args *a, struct cycle first, uint64_t end,
				  struct session *later, struct cycle *now, bool *ret_came)
{
	uint64_t pause = LOOK_EVERY_NS;
	unsigned quick = 0;

	*ret_came = false;
	while (!*ret_came && clock_ns() < end) {
		struct err *err = interrupt_check();

		if (!err) {
			interrupt_sleep(MIN(pause, end - clock_ns()));
			err = peek(a, first, later, now, ret_came);
		}
		if (err)
			return err;
		/* a new cycle, but marking: look again soon, though not for ever */
		if (now->sweepgen != first.sweepgen && quick++ < QUIET_TRIES)
			pause = QUIET_EVERY_NS;
		else
			pause = MAX(pause, LOOK_EVERY_NS) * 2;
	}
	return NULL;
}

/*
 * Later looks while something is missing, at most LOOKS_MAX of them.  True misses are a
 * fixed set: until it has stood still long enough, the rest is not decided.
 */
static struct err *decide(const struct args *a, struct cycle last, struct verify_result *v)
{
	uint64_t end = clock_ns() + a->wait_s * 1000000000ULL;
	unsigned stable = 0, need = STABLE_LOOKS;

	for (int i = 0; i < LOOKS_MAX && v->missing && stable < need; i++) {
		_cleanup_(session_close) struct session later = { 0 };
		uint64_t before = v->missing;
		struct cycle now = { 0 };
		bool came;
		struct err *err = wait_for_cycle(a, last, end, &later, &now, &came);

		if (!err && came)
			err = look_again(&later, v);
		if (err)
			return err_prefix(err, "later observation");
		if (!came)
			break;
		stable = v->missing < before ? 0 : stable + 1;
		if (!stable)
			need = STABLE_LOOKS_CHURN;
		last = now;
	}
	if (stable < need)
		v->undecided = v->missing;
	return NULL;
}

/* The first snapshot, between two cycles if one of a few tries hits that. */
static struct err *open_quiet(const struct args *a, struct session *s)
{
	for (int i = 0;; i++) {
		struct cycle c = { 0 };
		struct err *err = session_attach(a, s);

		if (!err)
			err = read_cycle(s->go, &c);
		if (!err)
			err = interrupt_check();
		if (err)
			return err;
		if (!c.phase || i == QUIET_TRIES || !a->wait_s)
			break;
		session_close(s);
		interrupt_sleep(QUIET_EVERY_NS);
	}
	return NULL;
}

static struct err *emit(struct session *s, const struct ans_head *h, const struct ans_exact *x)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	size_t limit = session_limit(s->args, 100);

	if (args_has(s->args, OPT_JSON)) {
		json_doc_verify(&o, h, x, limit);
	} else {
		text_head(&o, session_style(s->args), h);
		text_losses(&o, h);
		text_verify(&o, session_style(s->args), x, limit);
	}
	return session_emit(s, &o);
}

static struct err *first_look(struct session *s, struct verify_result *v, struct ans_exact *x,
			      struct ans_head *h, struct cycle *c)
{
	struct err *err = verify_run(s->s, s->g, v);

	if (!err)
		err = agg_exact(&s->agg, v, x);
	if (!err)
		err = session_head(s, h);
	c->sweepgen = s->s->heap.counters.sweepgen;
	c->phase = s->s->heap.counters.gcphase;
	if (!err)
		err = session_stage(s, v->undecided ? "waiting for the next GC cycle" : "");
	return err;
}

struct err *cmd_verify(const struct args *a, int *status)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(verify_deinit) struct verify_result v = { 0 };
	_cleanup_(ans_exact_deinit) struct ans_exact x = { 0 };
	_cleanup_(ans_head_deinit) struct ans_head h = { 0 };
	struct cycle first = { 0 };
	struct err *err = open_quiet(a, &s);

	if (!err)
		err = session_snapshot(&s);
	if (!err)
		err = session_graph(&s);
	if (!err)
		err = first_look(&s, &v, &x, &h, &first);
	if (err)
		return err;
	err = decide(a, first, &v);
	if (!err) {
		ans_exact_deinit(&x);
		x = (struct ans_exact){ 0 };
		err = agg_exact(&s.agg, &v, &x);
	}
	if (err)
		return err;
	*status = x.holds ? 0 : 1;
	return emit(&s, &h, &x);
}
