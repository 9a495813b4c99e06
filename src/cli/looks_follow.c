/*
 * looks_follow.c - look, follow, look again.
 *
 * The thread that follows begins before the first look is analysed, so that no collection goes by
 * meanwhile.  Knows nothing of what is compared.
 */
#include "cli/looks_follow.h"

#include "base/clock.h"
#include "cli/interrupt.h"
#include "goruntime/heap.h"

#include <stdio.h>

#define STEP_NS	   (50ULL * 1000000)
#define CYCLES_MAX (600ULL * 1000000000) /* wait so long for --cycles alone */

static struct err *look(const struct args *a, struct session *s, uint32_t *ret_sweepgen)
{
	struct go_counters c;
	struct err *err = session_attach(a, s);

	if (!err)
		err = go_counters_read(s->go, &c);
	if (!err)
		*ret_sweepgen = c.sweepgen;
	return err;
}

/* All but the process. */
static struct err *analyse(struct session *s, struct store **ret)
{
	_cleanup_(ans_head_deinit) struct ans_head head = { 0 };
	_cleanup_(store_closep) struct store *w = NULL;
	struct err *err;

	s->want = SESSION_KEPT;
	err = session_snapshot(s);
	if (!err)
		err = session_graph(s);
	if (!err)
		err = session_into_store(s, &head, &w);
	if (!err)
		err = store_reopen(w);
	session_forget(s);
	if (err)
		return err;
	*ret = STEAL(w);
	return NULL;
}

static struct err *say(struct session *s, const struct follow_seen *seen, uint64_t left_ns)
{
	char text[128];

	snprintf(text, sizeof(text), "following: %" PRIu32 " collections, %" PRIu64 " s left",
		 seen->now, left_ns / 1000000000);
	return session_stage(s, text);
}

/* Until the time is over, or so many collections were. */
static struct err *wait_on(const struct args *a, struct looks_followed *l, uint64_t begun)
{
	uint64_t most = a->follow_ns ? a->follow_ns : CYCLES_MAX;
	struct err *err = NULL;

	for (uint64_t t = clock_ns(); !err && t - begun < most; t = clock_ns()) {
		follow_seen(l->follow, &l->seen);
		if (l->seen.ended)
			return err_new(ERR_GONE, "%.100s: the program ended between the looks",
				       a->arg[0]);
		if (a->follow_cycles && l->seen.now >= a->follow_cycles)
			break;
		err = say(&l->first, &l->seen, (most - (t - begun)));
		if (!err)
			interrupt_sleep(MIN(STEP_NS, most - (t - begun)));
		if (!err)
			err = interrupt_check();
	}
	return err;
}

static struct err *second(const struct args *a, struct looks_followed *l)
{
	_cleanup_(session_close) struct session s = { 0 };
	uint32_t sweepgen = 0;
	struct err *err;

	follow_closing(l->follow);
	err = look(a, &s, &sweepgen);
	if (err)
		return err;
	err = follow_end(l->follow, sweepgen);
	follow_seen(l->follow, &l->seen);
	if (err && err->code != ERR_NOMEM && err->code != ERR_GONE) {
		l->why = "what lies between the looks could not be read";
		err_free(err);
		err = NULL;
	}
	return err ? err : analyse(&s, &l->store[1]);
}

static struct err *objects(struct looks_followed *l)
{
	struct err *err = store_objects(l->store[0], &l->x[0]);

	if (!err)
		err = store_objects(l->store[1], &l->inner);
	if (!err)
		err = follow_ident(l->follow, l->inner, l->x[0]->head.cycles, &l->x[1]);
	if (!err && l->seen.missed && !l->why)
		l->why = "collections followed each other too closely to see each of them";
	return err;
}

struct err *looks_follow(const struct args *a, struct looks_followed *ret)
{
	uint64_t begun = clock_ns();
	uint32_t sweepgen = 0;
	struct err *err = look(a, &ret->first, &sweepgen);

	if (!err && target_capture(ret->first.t)->kind != TARGET_LIVE)
		err = err_usage("%.200s: only a process can be followed", a->arg[0]);
	if (!err)
		err = follow_start(ret->first.go, sweepgen, &ret->follow);
	if (!err)
		err = analyse(&ret->first, &ret->store[0]);
	if (!err)
		err = wait_on(a, ret, begun);
	if (!err)
		err = second(a, ret);
	if (!err)
		err = objects(ret);
	return err ? err : session_stage(&ret->first, "");
}

void looks_followed_deinit(struct looks_followed *l)
{
	follow_ident_free(l->x[1]);
	store_objects_close(l->inner);
	store_objects_close(l->x[0]);
	store_close(l->store[0]);
	store_close(l->store[1]);
	follow_free(l->follow);
	session_close(&l->first);
}
