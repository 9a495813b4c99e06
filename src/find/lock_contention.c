/*
 * lock_contention.c - many goroutines wait for one mutex, or locks wait for each other.
 *
 * Who waits is measured; who holds it is inferred (look_locks.h) and said as such.  A lock that is
 * only busy is worth knowing, no fault: a suspect is one on which somebody has waited for a second
 * (by the collector's note: at least), or that is part of a circle.
 */
#include "find/look_locks.h"
#include "find/priv.h"
#include "find/stacks.h"

#include "base/str.h"

enum { MANY = 16 };
#define LONG_NS 1000000000ULL

static const char *place(struct find *f, const struct look_at *at)
{
	const char *base = strrchr(at->file, '/');

	if (!*at->file)
		return keepf(&f->keep, "%s", at->function);
	return keepf(&f->keep, "%s (%s:%d)", at->function, base ? base + 1 : at->file, at->line);
}

/* What the waiters hold alone: their roots' trees, and their stacks. */
static void add_up(struct find *f, const struct look_locks *x, const struct look_lock *k,
		   const uint32_t *root_of, struct finding *y)
{
	const struct snapshot *s = f->l.s;

	for (size_t i = 0; i < k->nwaiters; i++) {
		size_t g = x->waiters.v[k->first_waiter + i].goroutine;
		const struct go_goroutine *gr = &s->stacks.gs.v[g];

		y->stack_bytes += gr->stack_hi - gr->stack_lo;
		if (root_of[g])
			y->bytes += f->l.g->retained[root_of[g]];
	}
}

static uint64_t oldest(const struct find *f, const struct look_locks *x, const struct look_lock *k)
{
	uint64_t now = look_clock_ns(f->l.s), most = 0;

	for (size_t i = 0; i < k->nwaiters; i++) {
		size_t g = x->waiters.v[k->first_waiter + i].goroutine;
		uint64_t ns = look_waited_ns(now, f->l.s->stacks.gs.v[g].waitsince);

		if (ns != UINT64_MAX && ns > most)
			most = ns;
	}
	return most;
}

static const char *says_who(uint8_t sure)
{
	if (sure == LOOK_DEFERRED)
		return "its deferred Unlock of this lock is pending";
	return sure == LOOK_INSIDE ? "it stands between Lock and Unlock"
				   : "perhaps: it has a pointer to the lock";
}

static const char *holders_text(struct find *f, const struct look_locks *x,
				const struct look_lock *k)
{
	_cleanup_(str_deinit) struct str o = { 0 };

	for (size_t i = 0; i < MIN(k->nholders, 4); i++) {
		const struct look_lock_holder *h = &x->holders.v[k->first_holder + i];
		const struct go_goroutine *gr = &f->l.s->stacks.gs.v[h->goroutine];
		const char *state = go_status_name(gr->status);
		const char *wait = go_wait_reason(f->l.s->go, gr->wait_reason);

		str_printf(&o, "%sheld by goroutine %" PRIu64 " [%s] at %s; inferred: %s",
			   i ? "\n" : "", gr->id, !strcmp(state, "waiting") && *wait ? wait : state,
			   place(f, &h->at), says_who(h->sure));
	}
	if (!k->nholders)
		str_put(&o, "the holder was not found: it may have locked in a function that has "
			    "returned");
	return keepn(&f->keep, o.s ? o.s : "", o.n);
}

static const char *title(struct find *f, const struct look_locks *x, const struct look_lock *k,
			 const char *name, uint64_t ns)
{
	const struct look_lock_holder *h = k->nholders ? &x->holders.v[k->first_holder] : NULL;
	const char *age =
		ns ? keepf(&f->keep, ", the longest %s or more", find_duration(f, ns)) : "";
	const char *who = h ? keepf(&f->keep, "; %s is inside", place(f, &h->at)) : "";

	if (k->cycle)
		return keepf(&f->keep,
			     "deadlock: who holds %s waits for a lock whose holder waits for this "
			     "one; %zu goroutines wait for it%s",
			     name, k->nwaiters, age);
	return keepf(&f->keep, "%zu goroutines wait for %s%s%s", k->nwaiters, name, age, who);
}

static void advise(struct find *f, const struct look_locks *x, const struct look_lock *k,
		   const char *name, struct finding *y)
{
	const struct look_lock_holder *h = k->nholders ? &x->holders.v[k->first_holder] : NULL;

	if (k->cycle) {
		y->fix =
			keepf(&f->keep,
			      "Take these locks in one order everywhere (or copy what is needed, "
			      "unlock %s, then take the next one); a lock that is held must not be "
			      "taken again by the same goroutine.",
			      name);
		y->mitigate = "Nothing but a restart frees goroutines of a deadlock.";
	} else {
		y->fix = keepf(&f->keep,
			       "Hold %s only while its fields are used: in %s copy what is needed, "
			       "unlock, then do what waits; or give that call a deadline "
			       "(context.WithTimeout).",
			       name, h ? place(f, &h->at) : "what holds it");
		y->mitigate = "Let fewer requests in (a semaphore, a limit at the proxy): each "
			      "waiter keeps its stack and its request.";
	}
	y->decide =
		"A second `limpet locks` some seconds later: the same holder on the same line is "
		"stuck, another one is contention.";
	y->confirm = "limpet locks TARGET";
}

static struct err *say(struct find *f, const struct look_locks *x, const struct look_lock *k,
		       const uint32_t *root_of)
{
	const char *name = look_lock_name(&f->l, x, k);
	const struct look_waiter *w = &x->waiters.v[k->first_waiter];
	uint64_t ns = oldest(f, x, k);
	bool suspect = k->cycle || ns >= LONG_NS;
	struct finding y = {
		.verdict = suspect ? FIND_SUSPECT : FIND_INFO,
		.proof = k->cycle ? FIND_INFERRED : FIND_MEASURED,
		.title = title(f, x, k, name, ns),
		.type = k->word,
		.node = k->node,
		.goroutine = w->goroutine,
		.count = k->nwaiters,
		.key = keepf(&f->keep, "%s %s", k->object == GO_NO_OBJECT ? "" : name,
			     w->at.function),
		.detail = holders_text(f, x, k),
	};

	advise(f, x, k, name, &y);
	add_up(f, x, k, root_of, &y);
	return find_say(f, &y);
}

static struct err *run(struct find *f)
{
	const struct snapshot *s = f->l.s;
	_cleanup_(look_locks_deinit) struct look_locks x = { 0 };
	_cleanup_(freep) uint32_t *root_of = zalloc(s->stacks.gs.n + 1, sizeof(*root_of));
	struct err *err = root_of ? look_locks(&f->l, 1, &x) : &err_nomem;

	for (size_t i = 0; i < s->roots.n && !err && x.locks.n; i++)
		if (s->roots.v[i].kind == SNAP_ROOT_GOROUTINE &&
		    s->roots.v[i].goroutine < s->stacks.gs.n)
			root_of[s->roots.v[i].goroutine] = (uint32_t)(1 + i);
	for (size_t i = 0; i < x.locks.n && !err; i++) {
		const struct look_lock *k = &x.locks.v[i];
		/* of a circle the lock that most wait for speaks for all */
		bool first = k->cycle && x.cycle_locks.v[x.cycles.v[k->cycle - 1].first] == i;

		if (k->kind != LOOK_SEMAPHORE && (first || (k->nwaiters >= MANY && !k->cycle)))
			err = say(f, &x, k, root_of);
	}
	return err;
}

const struct detector detect_lock_contention = {
	.name = "lock-contention",
	.about = "many goroutines wait for one mutex, or locks for each other",
	.needs = FIND_NEEDS_RUNTIME,
	.run = run,
};
