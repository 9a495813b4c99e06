/*
 * goroutine_hold.c - goroutines that go on, and whose stacks alone keep much alive; and stacks
 * that are unusually deep.
 *
 * Those of one stack are one finding.  Main and the runtime's own are left out: what main holds
 * is the program.  Who runs at this instant works with what it holds: a remark; who waits may
 * hold it for an hour: a suspect.
 */
#include "base/str.h"
#include "find/liveness.h"
#include "find/priv.h"
#include "find/stacks.h"

#include <stdlib.h>

/* Ten thousand that keep their own few variables hold nothing. */
#define EACH_MIN_BYTES	    (4ULL << 10)
#define LONG_NS		    100000000ULL
#define STACK_INFO_BYTES    (1ULL << 20)
#define STACK_SUSPECT_BYTES (16ULL << 20)

struct work {
	struct find *f;
	const struct liveness *v;
	VEC(size_t) order;
	uint64_t least, clock;
};

static uint64_t retained_of(const struct work *w, size_t i)
{
	gnode root = w->v->root[i];

	return root && w->f->l.g->retained ? w->f->l.g->retained[root] : 0;
}

/* Not main, not the runtime's, not leaked: those have a finding of their own. */
static bool counts(const struct work *w, size_t i)
{
	const struct go_goroutine *gr = &w->f->l.s->stacks.gs.v[i];

	return !gr->dead && !gr->system && gr->id > 1 && w->v->state[i] == LEAK_NO && w->v->root[i];
}

static const char *state_of(const struct work *w, size_t i)
{
	const struct go_goroutine *gr = &w->f->l.s->stacks.gs.v[i];
	const char *status = go_status_name(gr->status);

	return strcmp(status, "waiting") ? status : go_wait_reason(w->f->l.s->go, gr->wait_reason);
}

/*
 * Not just for the blink of a lock or a reply: a collection has met it waiting, some time ago.
 * Where none ran yet, nobody knows.
 */
static bool waits_long(const struct work *w, size_t i)
{
	const struct go_goroutine *gr = &w->f->l.s->stacks.gs.v[i];
	uint64_t ns = look_waited_ns(w->clock, gr->waitsince);

	if (strcmp(go_status_name(gr->status), "waiting") || !strcmp(state_of(w, i), "semacquire"))
		return false;
	return ns == UINT64_MAX ? !w->f->l.s->heap.counters.num_gc : ns >= LONG_NS;
}

static const char *where(struct work *w, size_t i)
{
	struct go_line line;
	const char *slash;

	if (!look_waiting_line(w->f->l.s, i, &line))
		return "";
	slash = line.file ? strrchr(line.file, '/') : NULL;
	return keepf(&w->f->keep, ", at %s (%s:%d)", line.function,
		     slash	 ? slash + 1
		     : line.file ? line.file
				 : "?",
		     line.line);
}

static struct err *say_held(struct work *w, size_t i, uint64_t n, uint64_t bytes, uint64_t stacks)
{
	const char *name = look_goroutine_function(w->f->l.s, i);
	uint64_t waited = look_waited_ns(w->clock, w->f->l.s->stacks.gs.v[i].waitsince);
	struct keep *keep = &w->f->keep;
	bool waits = waits_long(w, i);
	char size[16];
	struct finding x = {
		.verdict = waits ? FIND_SUSPECT : FIND_INFO,
		.proof = FIND_MEASURED,
		.bytes = bytes,
		.stack_bytes = stacks,
		.node = find_biggest_held(&w->f->l, w->v->root[i]),
		.goroutine = i,
		.count = n,
		.key = keepf(keep, "%s %s", name, look_creator(w->f->l.s, i)),
		.decide =
			"limpet report PID --since SNAPSHOT: is it the same goroutine with the same "
			"bytes?  Then what it holds is not for one piece of work",
		.mitigate = "",
		.confirm = keepf(keep, "limpet top PID --by goroutine: %s retains less", name),
	};

	x.title = keepf(keep, "%" PRIu64 " goroutine%s of %s (%s%s%s) keep%s %s alive alone", n,
			n == 1 ? "" : "s", name, state_of(w, i), where(w, i),
			waits && waited != UINT64_MAX && waited >= 60000000000
				? keepf(keep, ", %" PRIu64 " minutes", waited / 60000000000)
				: "",
			n == 1 ? "s" : "", str_bytes(size, bytes));
	x.fix = keepf(
		keep,
		"%s: let go of what it needs no more before it waits (set the variable to nil, "
		"or do the work in a function that returns), or keep only the part that it uses",
		name);
	return find_say(w->f, &x);
}

static struct err *say_deep(struct work *w, size_t i, uint64_t n, uint64_t stacks)
{
	const struct go_goroutine *gr = &w->f->l.s->stacks.gs.v[i];
	const char *name = look_goroutine_function(w->f->l.s, i);
	struct keep *keep = &w->f->keep;
	char size[16];
	struct finding x = {
		.verdict = stacks >= STACK_SUSPECT_BYTES ? FIND_SUSPECT : FIND_INFO,
		.proof = FIND_MEASURED,
		.stack_bytes = stacks,
		.node = w->v->root[i],
		.goroutine = i,
		.count = n,
		.key = keepf(keep, "deep %s %s", name, look_creator(w->f->l.s, i)),
		.fix = keepf(
			keep,
			"%s: a loop with a list of its own instead of recursion, or a limit of "
			"its depth; a stack shrinks only when a collection finds it mostly unused",
			name),
		.decide =
			"limpet goroutines PID: do its frames repeat, and is it deeper the next time?",
		.confirm = keepf(keep, "limpet goroutines PID: the stack of %s is small", name),
	};

	x.title =
		keepf(keep, "%" PRIu64 " goroutine%s of %s (%s%s): stack%s of %s, %zu frames deep",
		      n, n == 1 ? "" : "s", name, state_of(w, i), where(w, i), n == 1 ? "" : "s",
		      str_bytes(size, stacks), gr->nframes);
	return find_say(w->f, &x);
}

/* One group: order[lo .. hi). */
static struct err *judge(struct work *w, size_t lo, size_t hi)
{
	const struct snapshot *s = w->f->l.s;
	uint64_t bytes = 0, stacks = 0, deep = 0, ndeep = 0, most = 0, deepest = 0;
	size_t best = w->order.v[lo], deep_one = best;
	struct err *err = NULL;

	for (size_t k = lo; k < hi; k++) {
		size_t i = w->order.v[k];
		uint64_t r = retained_of(w, i);
		uint64_t stack = s->stacks.gs.v[i].stack_hi - s->stacks.gs.v[i].stack_lo;

		bytes += r;
		stacks += stack;
		if (r > most) {
			most = r;
			best = i;
		}
		if (stack >= STACK_INFO_BYTES) {
			deep += stack;
			ndeep++;
			if (stack > deepest) {
				deepest = stack;
				deep_one = i;
			}
		}
	}
	if (bytes >= w->least && bytes / (hi - lo) >= EACH_MIN_BYTES)
		err = say_held(w, best, hi - lo, bytes, stacks);
	if (!err && ndeep)
		err = say_deep(w, deep_one, ndeep, deep);
	return err;
}

static bool is_deep(const struct work *w, size_t i)
{
	const struct go_goroutine *gr = &w->f->l.s->stacks.gs.v[i];

	return gr->stack_hi - gr->stack_lo >= STACK_INFO_BYTES;
}

/* Those without which no group can matter are left out, and not sorted. */
static struct err *list(struct work *w)
{
	const struct go_stacks *st = &w->f->l.s->stacks;

	for (size_t i = 0; i < st->gs.n; i++)
		if (counts(w, i) && (retained_of(w, i) >= EACH_MIN_BYTES / 4 || is_deep(w, i)) &&
		    !vec_push(&w->order, i))
			return &err_nomem;
	return NULL;
}

static void work_deinit(struct work *w)
{
	vec_free(&w->order);
}

static struct err *run(struct find *f)
{
	_cleanup_(work_deinit) struct work w = { .f = f,
						 .least = 2 * find_least_bytes(f),
						 .clock = look_clock_ns(f->l.s) };
	const struct go_stacks *st = &f->l.s->stacks;
	_cleanup_(freep) size_t *first = NULL;
	size_t n = 0;
	struct err *err = find_liveness(f, &w.v);

	if (!err)
		err = list(&w);
	if (err || !w.order.n)
		return err;
	first = zalloc(w.order.n + 1, sizeof(*first));
	err = first ? look_group_stacks(st, NULL, w.order.n, w.order.v, first, &n) : &err_nomem;
	for (size_t k = 0; k < n && !err; k++)
		err = judge(&w, first[k], first[k + 1]);
	return err;
}

const struct detector detect_goroutine_hold = {
	.name = "goroutine-hold",
	.about = "goroutines whose stacks alone keep much alive, or are very deep",
	.run = run,
};
