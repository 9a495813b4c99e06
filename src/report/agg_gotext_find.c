/*
 * agg_gotext_find.c - what is suspected in a text, in words: findings as the contract has them.
 *
 * Nothing here is proved, but what the runtime itself wrote: "(leaked)" is the result of its own
 * search, and "all goroutines are asleep" why it ended the program.
 */
#include "report/agg_gotext.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <xxhash.h>

static const char *base_name(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

static const char *place(struct keep *k, const struct gotext *g, uint32_t frame)
{
	const struct gotext_frame *f = frame < g->frames.n ? &g->frames.v[frame] : NULL;
	const char *file = f ? gotext_text(g, f->file) : "";

	return *file ? keepf(k, "%s:%u", base_name(file), f->line) : "place unknown";
}

static const char *frame_name(const struct gotext *g, uint32_t frame)
{
	const char *f = frame < g->frames.n ? gotext_text(g, g->frames.v[frame].function) : "";

	return *f ? f : "(unknown function)";
}

static const char *sign(struct keep *k, const char *kind, const char *key)
{
	XXH64_hash_t h = XXH64(kind, strlen(kind) + 1, 0);

	return keepf(k, "%016" PRIx64, (uint64_t)XXH64(key, strlen(key), h));
}

struct making {
	const struct gotext *g;
	const struct gotext_series *s;
	const struct gotext_suspect *x;
	const struct gotext_tally *t;
	const struct gotext_stack *st;
	const struct gotext_growth *w; /* NULL */
	struct ans_gotext *r;
};

static const char *growth_line(const struct making *m)
{
	struct keep *k = &m->r->keep;
	const char *rate = "", *stay = "";

	if (!m->w || m->s->dumps.n < 2)
		return "";
	if (isfinite(m->w->per_hour))
		rate = keepf(k, ", %+.3g an hour", m->w->per_hour);
	if (m->s->has_ids && m->w->first)
		stay = keepf(k, "; of the first %u, %u are still there with the same stack",
			     m->w->first, m->w->stayed);
	return keepf(k, "%u in the first of %zu dumps, %u in the last%s%s\n", m->w->first,
		     m->s->dumps.n, m->w->last, rate, stay);
}

/* The reasons, a line each. */
static const char *detail(const struct making *m)
{
	struct keep *k = &m->r->keep;
	uint32_t why = m->x->why;

	return keepf(
		k, "%s%s%s%s%s%s%s",
		(why & GOTEXT_WHY_DEADLOCK)
			? "the runtime itself ended the program: no goroutine of it could be woken any more\n"
			: "",
		(why & GOTEXT_WHY_RUNTIME)
			? "the runtime's own search found nothing that could wake them: (leaked)\n"
			: "",
		(why & GOTEXT_WHY_NEVER) ? "such a wait has no end: nothing can ever be ready\n"
					 : "",
		growth_line(m),
		(why & GOTEXT_WHY_OLD)
			? keepf(k, "nobody has taken what they send for %u minutes or more\n",
				m->t->max_minutes)
			: "",
		(why & GOTEXT_WHY_SPREAD)
			? keepf(k,
				"they wait since %u to %u minutes: they came one by one and stayed\n",
				m->t->min_minutes, m->t->max_minutes)
			: "",
		(why & GOTEXT_WHY_BODIES)
			? "net/http waits until the body of an answer is read to its end or closed\n"
			: "");
}

/* By what is waited for, where the state alone may be of a lock or of something else. */
static const char *fix_of_sync(const struct making *m, const char *state, const char *function,
			       const char *at)
{
	struct keep *k = &m->r->keep;
	enum gotext_wait is = gotext_wait_of(m->g, m->t->stack);

	if (is == GOTEXT_WAIT_LOCK || strstr(state, "utex"))
		return keepf(
			k,
			"%s (%s): release it on every way out (defer), and take locks in one order",
			function, at);
	if (is == GOTEXT_WAIT_GROUP || !strcmp(state, "sync.WaitGroup.Wait"))
		return keepf(k, "%s (%s): Done on every way out (defer wg.Done())", function, at);
	if (is == GOTEXT_WAIT_COND || !strcmp(state, "sync.Cond.Wait"))
		return keepf(
			k,
			"%s (%s): let what it waits for include the end: set that under the lock, then "
			"Broadcast, on every way out",
			function, at);
	if (is == GOTEXT_WAIT_WEIGHTED)
		return keepf(
			k,
			"%s (%s): Release on every way out (defer), and Acquire with a context that ends",
			function, at);
	return NULL;
}

static bool is_of_channels(const char *state)
{
	return !*state || !strncmp(state, "chan ", 5) || !strncmp(state, "select", 6);
}

static const char *fix(const struct making *m, const char *state, const char *function)
{
	struct keep *k = &m->r->keep;
	const char *at = place(k, m->g, m->st->user), *sync;

	if (m->x->why & GOTEXT_WHY_BODIES)
		return "close the body of every http.Response (defer resp.Body.Close()), on error answers too";
	sync = fix_of_sync(m, state, function, at);
	if (sync)
		return sync;
	if (!strcmp(state, "chan send"))
		return keepf(
			k,
			"%s (%s): give the channel room for what is sent when nobody receives any more "
			"(make(chan T, 1) for one result), or send in a select with <-ctx.Done()",
			function, at);
	if ((m->x->why & GOTEXT_WHY_DEADLOCK) && !strcmp(state, "chan receive"))
		return keepf(
			k,
			"%s (%s): nobody is left who could send: close the channel, on every way out "
			"of who sends",
			function, at);
	if (strstr(state, "nil chan"))
		return keepf(k, "%s (%s) uses a channel that was never made", function, at);
	if (!strcmp(state, "select (no cases)"))
		return keepf(k, "let %s (%s) return instead of select {}", function, at);
	if (!strcmp(state, "IO wait"))
		return keepf(k, "%s (%s): set a deadline, and close it on every way out", function,
			     at);
	return keepf(k,
		     is_of_channels(state)
			     ? "%s (%s): let it end when who started it does: receive in a select "
			       "with <-ctx.Done(), or close the channel on every way out"
			     : "%s (%s): let it end when who started it does",
		     function, at);
}

static const char *how_long(const struct making *m)
{
	char ns[32];

	if (!m->t->max_minutes)
		return "";
	return keepf(&m->r->keep, ", the longest for at least %s",
		     text_ns(ns, (uint64_t)m->t->max_minutes * 60000000000U));
}

static struct err *stack_of(const struct making *m, struct ans_finding *f)
{
	for (uint32_t i = 0; i < m->st->n; i++) {
		const struct gotext_frame *x = gotext_frame_of(m->g, m->st, i);
		struct ans_frame to = { gotext_text(m->g, x->function), gotext_text(m->g, x->file),
					(int)x->line, (x->flags & GOTEXT_FRAME_INLINED) != 0 };

		if (m->g->links.v[m->st->first + i] == m->st->user)
			f->own_frame = f->stack.n;
		if (!vec_push(&f->stack, to))
			return &err_nomem;
	}
	return NULL;
}

static uint64_t example_id(const struct making *m)
{
	for (size_t i = 0; i < m->g->gs.n; i++)
		if (m->g->gs.v[i].stack == m->t->stack && m->g->gs.v[i].state == m->t->state)
			return m->g->gs.v[i].id;
	return 0;
}

static const struct ans_finding empty = { .type = "",
					  .holder_text = "",
					  .site_text = "",
					  .fix = "",
					  .mitigate = "",
					  .decide = "",
					  .confirm = "",
					  .detail = "",
					  .known = "",
					  .owner_bytes = ANS_UNKNOWN,
					  .unmeasured = true,
					  .per_gc = INT64_MIN,
					  .per_hour = INT64_MIN };

static struct err *make(const struct making *m)
{
	struct keep *k = &m->r->keep;
	const char *function = gotext_text(m->g, m->st->entry),
		   *state = gotext_text(m->g, m->t->state);
	const char *creator = gotext_creator(m->g, m->st);
	bool lock = (m->x->why & GOTEXT_WHY_LOCK) && !(m->x->why & ~(uint32_t)GOTEXT_WHY_LOCK);
	bool proved = m->x->why & GOTEXT_WHY_SAID;
	struct ans_finding f = empty;
	struct err *err;

	function = *function ? function : "(unknown function)";
	f.kind = lock				   ? "lock-contention"
		 : (m->x->why & GOTEXT_WHY_BODIES) ? "unclosed-resource"
						   : "goroutine-leak";
	f.verdict = proved ? "leak" : "suspect";
	f.proof = proved ? "measured" : "inferred";
	f.count = m->t->count;
	f.title = keepf(k, "%u goroutine%s of %s %s%s%s", m->t->count, m->t->count == 1 ? "" : "s",
			function, *state ? (m->t->count == 1 ? "waits: " : "wait: ") : "", state,
			how_long(m));
	f.detail = detail(m);
	f.fix = fix(m, state, function);
	if (!proved)
		f.decide =
			m->s->dumps.n > 1
				? "a process or a core of it proves what nothing can wake: limpet goroutines PID --leaked"
				: "a second dump later tells whether they stay: limpet diff OLD NEW";
	f.confirm = (m->x->why & GOTEXT_WHY_DEADLOCK) ? "limpet goroutines CORE --leaked"
						      : "limpet goroutines PID --leaked";
	f.signature = sign(k, f.kind, keepf(k, "text %s %s %s", function, creator, state));
	f.has_goroutine = true;
	f.goroutine.id = example_id(m);
	f.goroutine.count = m->t->count;
	f.goroutine.since_ns =
		m->t->max_minutes ? (uint64_t)m->t->max_minutes * 60000000000U : ANS_UNKNOWN;
	f.goroutine.function = function;
	f.goroutine.creator = creator;
	f.goroutine.wait = state;
	err = stack_of(m, &f);
	if (!err && !vec_push(&m->r->findings.rows, f))
		err = &err_nomem;
	if (err)
		vec_free(&f.stack);
	return err;
}

/* Several at one lock, of whatever stacks: where no such finding is there by its tally. */
static struct err *make_lock(const struct gotext *g, const struct gotext_lock *l,
			     struct ans_gotext *r)
{
	struct keep *k = &r->keep;
	const struct gotext_goroutine *c = &g->gs.v[l->example];
	const struct gotext_stack *st = &g->stacks.v[c->stack];
	struct ans_finding f = empty;

	f.kind = "lock-contention";
	f.verdict = "suspect";
	f.proof = "inferred";
	f.count = l->waiters;
	f.title = keepf(k, "%u goroutines wait for the %s at 0x%" PRIx64 "%s", l->waiters, l->word,
			l->addr,
			l->oldest_minutes ? keepf(k, ", the longest for at least %u minutes",
						  l->oldest_minutes)
					  : "");
	if (l->itself != GOTEXT_NONE)
		f.detail = keepf(k,
				 "goroutine %" PRIu64
				 " waits for it and may hold it already: an outer call of its has "
				 "the same receiver\n",
				 g->gs.v[l->itself].id);
	else if (l->nholders)
		f.detail = keepf(
			k,
			"goroutine %" PRIu64
			" (%s) may hold it: %s%s\n",
			g->gs.v[l->holder[0]].id,
			gotext_text(g, g->stacks.v[g->gs.v[l->holder[0]].stack].entry),
			l->shown ? "a call of its has it, or what it lies in, as an argument"
				 : "a call of its is of the same type, or an outer call of its has it",
			l->circle ? "; and it waits for a lock whose holder may wait for this one"
				  : "");
	f.fix = keepf(
		k,
		"%s (%s): hold it shortly, release it on every way out (defer), and take locks in one order",
		frame_name(g, st->user), place(k, g, st->user));
	f.decide = "who holds it: limpet locks PID, of the process or a core";
	f.confirm = "limpet locks PID";
	f.signature = sign(k, f.kind, keepf(k, "text %s", frame_name(g, st->user)));
	return vec_push(&r->findings.rows, f) ? NULL : &err_nomem;
}

/* More findings than that nobody reads; all are counted. */
enum { LOCK_WAITERS = 3, FINDINGS_MAX = 100 };

struct err *agg_gotext_findings(const struct gotext *g, const struct gotext_series *s,
				const struct gotext_suspects *x, const struct gotext_locks *l,
				struct ans_gotext *r)
{
	struct err *err = NULL;

	for (size_t i = 0; i < MIN(x->v.n, (size_t)FINDINGS_MAX) && !err; i++) {
		struct making m = {
			g, s, &x->v.v[i], &g->tallies.v[x->v.v[i].tally], NULL, NULL, r
		};

		m.st = &g->stacks.v[m.t->stack];
		m.w = m.x->growth == GOTEXT_NONE ? NULL : &s->rows.v[m.x->growth];
		err = make(&m);
	}
	for (size_t i = 0; i < l->v.n && !err; i++)
		if ((l->v.v[i].waiters >= LOCK_WAITERS && l->v.v[i].oldest_minutes) ||
		    l->v.v[i].itself != GOTEXT_NONE || l->v.v[i].circle)
			err = make_lock(g, &l->v.v[i], r);
	r->findings.total = r->findings.rows.n + x->v.n - MIN(x->v.n, (size_t)FINDINGS_MAX);
	return err;
}
