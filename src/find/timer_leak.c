/*
 * timer_leak.c - tickers that nobody stops, timers far away in time, and what they keep.
 *
 * Up to Go 1.22 the runtime's heap of timers (runtime/time.go, pp.timers) keeps an armed timer and
 * its channel: one that nothing but that heap reaches can be neither stopped nor received from:
 * proved.  From 1.23 on such timers are collected; what is left are those that the program itself
 * still knows, and AfterFuncs, which the heap keeps until they have run.  Timers are grouped by
 * what they do and who has them; those of contexts and of the standard library's connections are
 * their owners' matter.  Cost: a few reads a timer.
 */
#include "find/place.h"
#include "find/priv.h"
#include "find/shared.h"
#include "find/timers.h"

enum {
	LOOPS = 500,
	SURE_LOOPS = 420, /* says more than that so many goroutines wait */
	AWAITED_MAX = 1 << 20,
	GROUPS_MAX = 64,
	TICKERS = 10,
	KEPT_TICKERS = 100,
	TIMERS = 1000,
	SHARE = 100,
	NEAR = 3,
	UP = 12,
	NAMES = 8
};

#define MINUTE_NS (60LL * 1000000000)

enum what { TIMER_TICKER, TIMER_TIMER, TIMER_FUNC, TIMER_CONTEXT, TIMER_LOOP };

static const char decide[] =
	"whether their number grows while the load is the same: `limpet snapshot PID -o "
	"before.core`, later `limpet report PID --since before.core`";

struct timer {
	enum what what;
	gnode node;
	int64_t in_ns;	/* until it fires */
	bool clock;	/* nothing but the runtime's heap of timers holds it, nor its channel */
	const char *fn; /* that it will run; "" */
	gnode owner;	/* root that dominates it; 0 */
};

struct group {
	struct timer first; /* node: the one that retains most */
	uint64_t n, bytes, stack_bytes;
	int64_t last_ns;
};

/* A ticker that a goroutine waits for, and its channel: what that goroutine's stack has of them. */
struct awaited {
	gnode v, ticker;
};

struct work {
	struct find *f;
	VEC(struct awaited) awaited;
	struct go_io io;
	struct group v[GROUPS_MAX];
	unsigned n;
	uint64_t *near;
	int64_t epoch; /* nanotime() was 0, from the snapshot on; 0: not known */
	struct {
		taddr pc;
		const char *name;
	} names[NAMES]; /* of the functions met last */
};

/* Is v held by the runtime's Ps alone? */
static bool is_the_clocks(const struct look *l, gnode v)
{
	for (unsigned i = 0; i < UP && v != GRAPH_NONE && graph_is_object(l->g, v); i++) {
		if (!strcmp(place_type_name(l, fans_type(l, v)), "runtime.p"))
			return true;
		v = l->g->idom[v];
	}
	return false;
}

/* A program's timers run few different functions. */
static const char *name_of(struct work *w, taddr pc)
{
	unsigned at = (unsigned)(pc >> 4) % NAMES;

	if (w->names[at].pc != pc || !w->names[at].name) {
		w->names[at].pc = pc;
		w->names[at].name = look_pc_name(&w->f->l, pc);
	}
	return w->names[at].name;
}

struct argument {
	struct work *w;
	gnode chan;
	bool awaited;
	const char *fn;
};

static void see_channel(struct argument *x, const struct go_cont_entry *e)
{
	const struct look *l = &x->w->f->l;
	struct look_facts facts;
	struct err *err;
	taddr at = 0;

	err_free(go_io_read(&x->w->io, e->elem.at, &at, sizeof(at)));
	x->chan = at ? look_node_at(l, at) : GRAPH_NONE;
	err = look_facts_read(l, &x->w->io, (struct go_place){ at, e->elem.type }, &facts);
	x->awaited = !err && !facts.bad && look_fact(&facts, "receivers", 0) > 0;
	err_free(err);
}

static enum go_cont_go_on see_argument(void *arg, const struct go_cont_entry *e)
{
	struct argument *x = arg;
	taddr fn = 0, pc = 0;

	if (strcmp(e->label, "arg") || !e->elem.type)
		return CONT_ON;
	if (e->elem.type->kind == GO_FUNC) {
		err_free(go_io_read(&x->w->io, e->elem.at, &fn, sizeof(fn)));
		err_free(fn ? go_io_read(&x->w->io, fn, &pc, sizeof(pc)) : NULL);
		x->fn = pc ? name_of(x->w, pc) : "";
	}
	if (e->elem.type->kind == GO_CHAN)
		see_channel(x, e);
	return CONT_STOP;
}

static bool begins(const char *text, const char *word)
{
	return !strncmp(text, word, strlen(word));
}

/* Deadlines and idle connections: their owners stop them. */
static bool is_others(const char *fn)
{
	static const char *const of[] = {
		"context.",  "net/http.",	  "net.",
		"internal/", "crypto/",		  "database/sql.",
		"testing.",  "runtime.",	  "os.",
		"os/",	     "golang.org/x/net/", "google.golang.org/grpc"
	};

	for (size_t i = 0; i < ARRAY_LEN(of); i++)
		if (begins(fn, of[i]))
			return true;
	return false;
}

static struct err *near_stacks(struct work *w)
{
	return w->near ? NULL : shared_near_stacks(&w->f->l, NEAR, &w->near);
}

static bool has_bit(const uint64_t *bits, gnode v)
{
	return v != GRAPH_NONE && bits[v >> 6] >> (v & 63) & 1;
}

/* From the snapshot on; 0: not known. */
static int64_t fires_in(const struct work *w, uint64_t nanotime)
{
	return w->epoch ? w->epoch + (int64_t)nanotime : 0;
}

/* NULL: there are too many different ones. */
static struct group *add(struct work *w, const struct timer *t)
{
	uint64_t bytes = w->f->l.g->retained[t->node];
	struct group *g = NULL;

	for (unsigned i = 0; i < w->n && !g; i++) {
		struct timer *x = &w->v[i].first;

		if (x->what == t->what && x->clock == t->clock && x->owner == t->owner &&
		    !strcmp(x->fn, t->fn))
			g = &w->v[i];
	}
	if (!g && w->n == GROUPS_MAX)
		return NULL;
	if (!g) {
		g = &w->v[w->n++];
		*g = (struct group){ .first = *t, .last_ns = t->in_ns };
	}
	if (bytes > w->f->l.g->retained[g->first.node])
		g->first.node = t->node;
	g->n++;
	g->bytes += bytes;
	g->last_ns = MAX(g->last_ns, t->in_ns);
	return g;
}

static struct err *note_awaited(struct work *w, gnode ticker, gnode chan)
{
	struct awaited a = { ticker, ticker }, b = { chan, ticker };
	bool good = w->awaited.n >= AWAITED_MAX || vec_push(&w->awaited, a);

	if (good && chan != GRAPH_NONE && w->awaited.n < AWAITED_MAX)
		good = vec_push(&w->awaited, b);
	return good ? NULL : &err_nomem;
}

/* Tickers and timers with a channel. */
static struct err *see_sender(struct work *w, struct timer *t, const struct argument *x)
{
	const struct look *l = &w->f->l;
	struct err *err;

	if (x->awaited)
		return t->what == TIMER_TICKER ? note_awaited(w, t->node, x->chan) : NULL;
	t->clock = is_the_clocks(l, t->node) && x->chan != GRAPH_NONE && is_the_clocks(l, x->chan);
	if (!t->clock) {
		err = near_stacks(w);
		if (err || has_bit(w->near, t->node) || has_bit(w->near, x->chan))
			return err;
	}
	add(w, t);
	return NULL;
}

static void see_func(struct work *w, struct timer *t, const char *fn)
{
	t->what = TIMER_FUNC;
	t->fn = fn;
	t->clock = is_the_clocks(&w->f->l, t->node);
	if (begins(fn, "context.") && t->clock) {
		t->what = TIMER_CONTEXT;
		t->fn = "";
	}
	if ((t->what == TIMER_CONTEXT || !is_others(fn)) && t->in_ns > MINUTE_NS)
		add(w, t);
}

static struct err *see(const struct look *l, void *arg, uint64_t id, struct go_place p)
{
	struct work *w = arg;
	struct argument x = { .w = w, .chan = GRAPH_NONE, .fn = "" };
	struct timer t = { .node = graph_node_of_object(l->g, id), .fn = "" };
	struct look_facts f;
	const char *runs;
	struct err *err = look_facts_read(l, &w->io, p, &f);

	if (err || f.bad || !look_fact(&f, "active", 0))
		return err;
	runs = name_of(w, look_fact(&f, "func", 0));
	if (strcmp(runs, "time.goFunc") && strcmp(runs, "time.sendTime"))
		return NULL;
	err = go_cont_each(go_cont_of(l->s->rtypes, p.type), &w->io, l->s->rtypes, p, see_argument,
			   &x);
	if (err && (err->code == ERR_NOMEM || err->code == ERR_GONE))
		return err;
	err_free(err);
	t.in_ns = fires_in(w, look_fact(&f, "when", 0));
	t.owner = look_owner(l, t.node);
	if (!strcmp(runs, "time.goFunc")) {
		see_func(w, &t, x.fn);
		return NULL;
	}
	t.what = look_fact(&f, "period", 0) ? TIMER_TICKER : TIMER_TIMER;
	return see_sender(w, &t, &x);
}

static const char *span_text(struct find *f, int64_t ns)
{
	double minutes = (double)ns / (double)MINUTE_NS;

	if (minutes < 120)
		return keepf(&f->keep, "%.0f minutes", minutes < 1 ? 1 : minutes);
	return keepf(&f->keep, "%.0f hours", minutes / 60);
}

static int by_node(const void *x, const void *y)
{
	const struct awaited *a = x, *b = y;

	return (a->v > b->v) - (a->v < b->v);
}

/* The program's function that waits; not what the go statement wrapped it in. */
static const char *loop_of(const struct look *l, const struct go_goroutine *g)
{
	for (size_t i = g->first_frame; i < g->first_frame + MIN(g->nframes, (size_t)UP); i++) {
		const char *name =
			i < l->s->stacks.frames.n
				? look_pc_name(l, go_frame_line_pc(&l->s->stacks.frames.v[i]))
				: "";

		if (*name && !begins(name, "runtime.") && !begins(name, "time."))
			return name;
	}
	return look_pc_name(l, g->start_pc);
}

/* The ticker that a goroutine loops over: it has it, or its channel, on its stack. */
static void see_goroutine(struct work *w, size_t root)
{
	const struct look *l = &w->f->l;
	const struct go_goroutine *g = &l->s->stacks.gs.v[l->s->roots.v[root].goroutine];
	gnode v = (gnode)(1 + root);
	struct group *x;

	for (uint32_t e = graph_first(l->g, v); e < graph_last(l->g, v); e++) {
		struct awaited want = { .v = l->g->to[e] };
		const struct awaited *a =
			bsearch(&want, w->awaited.v, w->awaited.n, sizeof(want), by_node);
		struct timer t = { .what = TIMER_LOOP };

		if (!a)
			continue;
		t.node = a->ticker;
		t.fn = loop_of(l, g);
		x = add(w, &t);
		if (x) {
			x->bytes += l->g->retained[v];
			x->stack_bytes += g->stack_hi - g->stack_lo;
		}
		return;
	}
}

static void see_goroutines(struct work *w)
{
	const struct snapshot *s = w->f->l.s;

	if (w->awaited.n < LOOPS)
		return;
	qsort(w->awaited.v, w->awaited.n, sizeof(*w->awaited.v), by_node);
	for (size_t i = 0; i < s->roots.n; i++)
		if (s->roots.v[i].kind == SNAP_ROOT_GOROUTINE &&
		    s->roots.v[i].goroutine < s->stacks.gs.n)
			see_goroutine(w, i);
}

static struct err *say(struct work *w, const struct group *g, struct finding y)
{
	struct find *f = w->f;
	static const char *const word[] = { "ticker", "timer", "func", "context", "loop" };
	gnode owner = g->first.clock ? 0 : g->first.owner;

	y.bytes = g->bytes;
	y.stack_bytes = g->stack_bytes;
	y.node = g->first.node;
	y.goroutine = FIND_NO_GOROUTINE;
	y.count = g->n;
	y.key = keepf(&f->keep, "%s/%s/%s", word[g->first.what], g->first.fn,
		      owner && owner != GRAPH_NONE ? find_root_key(f, owner - 1) : "");
	y.confirm = "limpet timers PID";
	if (g->first.what == TIMER_FUNC && *g->first.fn)
		y.type = keepf(&f->keep, "closure of %s", g->first.fn);
	return find_say(f, &y);
}

/* time/sleep.go, syncTimer: what go.mod says decides (GODEBUG asynctimerchan). */
static const char *newer(struct find *f)
{
	return find_go_minor(f) >= 23
		       ? "; or say go 1.23 in go.mod (now asynctimerchan=1 is in force): then what nobody "
			 "holds is collected"
		       : "; built with Go 1.23, and go 1.23 in go.mod, what nobody holds is collected";
}

static struct err *say_dropped_tickers(struct work *w, const struct group *g)
{
	struct find *f = w->f;

	return say(
		w, g,
		(struct finding){
			.verdict = FIND_LEAK,
			.proof = FIND_PROVED,
			.title = keepf(
				&f->keep,
				"%s tickers tick for nobody: only the runtime's timers hold them "
				"and their channels, nothing can stop them",
				place_count(f, g->n)),
			.fix = keepf(
				&f->keep,
				"stop each ticker where its loop ends: t := time.NewTicker(d); defer t.Stop() (time.Tick cannot be stopped)%s",
				newer(f)),
			.mitigate = "a restart",
		});
}

static struct err *say_dropped_timers(struct work *w, const struct group *g)
{
	struct find *f = w->f;
	bool leak = g->last_ns > 10 * MINUTE_NS;

	return say(
		w, g,
		(struct finding){
			.verdict = leak ? FIND_LEAK : FIND_WASTE,
			.proof = FIND_PROVED,
			.title = keepf(
				&f->keep,
				"%s timers run that nobody can receive from or stop, the last for "
				"another %s: time.After in a loop?",
				place_count(f, g->n), span_text(f, g->last_ns)),
			.fix = keepf(
				&f->keep,
				"one timer for the loop: t := time.NewTimer(d); t.Reset(d) in each round, t.Stop() when the other case came first%s",
				newer(f)),
			.mitigate = "shorter timeouts: each timer goes when it has fired",
		});
}

/* One look cannot tell; title, fix and mitigate are the group's. */
static struct err *say_suspect(struct work *w, const struct group *g, struct finding y)
{
	y.verdict = FIND_SUSPECT;
	y.proof = FIND_MEASURED;
	y.decide = decide;
	return say(w, g, y);
}

static struct err *say_kept_tickers(struct work *w, const struct group *g)
{
	struct find *f = w->f;

	return say_suspect(
		w, g,
		(struct finding){
			.title = keepf(
				&f->keep,
				"%s tickers are running and no goroutine waits for any of them",
				place_count(f, g->n)),
			.fix = "t.Stop() when what the ticker was made for ends, and remove it from "
			       "{holder}",
			.mitigate = "a restart",
		});
}

static struct err *say_far_funcs(struct work *w, const struct group *g)
{
	struct find *f = w->f;
	const char *fn = *g->first.fn ? g->first.fn : "(unknown)";

	return say_suspect(
		w, g,
		(struct finding){
			.title = keepf(
				&f->keep,
				"%s calls of %s are still to come (time.AfterFunc), the last in %s, and "
				"keep %s%s",
				place_count(f, g->n), fn, span_text(f, g->last_ns),
				place_bytes(f, g->bytes),
				g->first.clock ? "; nobody has their Timer to stop them" : ""),
			.fix = keepf(
				&f->keep,
				"keep the Timer that time.AfterFunc returns and Stop() it when %s is no "
				"longer wanted; let it know ids, not the objects themselves; or one goroutine "
				"that looks through a list of deadlines",
				fn),
			.mitigate = "shorter delays: each is freed when it has run",
		});
}

static struct err *say_contexts(struct work *w, const struct group *g)
{
	struct find *f = w->f;

	return say_suspect(
		w, g,
		(struct finding){
			.title = keepf(
				&f->keep,
				"%s contexts with a deadline wait for it, the last for another %s, and nobody has their cancel function: %s",
				place_count(f, g->n), span_text(f, g->last_ns),
				place_bytes(f, g->bytes)),
			.fix = "defer cancel() right after context.WithTimeout or WithDeadline: only that stops the timer and lets the context go before its deadline",
			.mitigate = "shorter deadlines: each is freed when it has passed",
		});
}

/* Each with a goroutine of its own: workers, or what was begun for each of something and never
 * ended. */
static struct err *say_loops(struct work *w, const struct group *g)
{
	struct find *f = w->f;
	const char *fn = *g->first.fn ? g->first.fn : "(unknown)";

	return say_suspect(
		w, g,
		(struct finding){
			.certainty = SURE_LOOPS,
			.title = keepf(
				&f->keep,
				"%s tickers keep as many goroutines of %s going: they end only if %s returns by itself",
				place_count(f, g->n), fn, fn),
			.fix = keepf(
				&f->keep,
				"give %s a way to end, `case <-ctx.Done(): return` beside the ticker's channel, and defer t.Stop(); or one ticker for all of them",
				fn),
			.mitigate = "a restart",
		});
}

static struct err *judge(struct work *w, const struct group *g)
{
	uint64_t least = MAX(1ULL << 20, w->f->l.g->reached_bytes / SHARE);

	switch (g->first.what) {
	case TIMER_TICKER:
		if (g->first.clock)
			return g->n >= TICKERS ? say_dropped_tickers(w, g) : NULL;
		return g->n >= KEPT_TICKERS ? say_kept_tickers(w, g) : NULL;
	case TIMER_TIMER:
		if (!g->first.clock)
			return NULL;
		return g->n >= TIMERS || g->bytes >= least ? say_dropped_timers(w, g) : NULL;
	case TIMER_FUNC:
		return g->n >= TIMERS || (g->n >= TICKERS && g->bytes >= least)
			       ? say_far_funcs(w, g)
			       : NULL;
	case TIMER_CONTEXT:
		return g->n >= TIMERS || (g->n >= TICKERS && g->bytes >= least) ? say_contexts(w, g)
										: NULL;
	case TIMER_LOOP:
		return g->n >= LOOPS ? say_loops(w, g) : NULL;
	default:
		return NULL;
	}
}

static struct err *run(struct find *f)
{
	_cleanup_(freep) struct work *w = zalloc(1, sizeof(*w));
	struct err *err;

	if (!w)
		return &err_nomem;
	if (!f->l.g->retained || !f->l.s->type_of)
		return NULL;
	w->f = f;
	w->epoch = go_unix_of_nanotime(f->l.s->go, 0);
	if (w->epoch)
		w->epoch -= (int64_t)target_capture(f->l.s->t)->at_unix_ns;
	err = go_io_init_sparse(&w->io, f->l.s->go);
	if (!err)
		err = timers_each(&f->l, &w->io, see, w);
	see_goroutines(w);
	for (unsigned i = 0; i < w->n && !err; i++)
		err = judge(w, &w->v[i]);
	go_io_deinit(&w->io);
	free(w->near);
	vec_free(&w->awaited);
	return err;
}

const struct detector detect_timer_leak = {
	.name = "timer-leak",
	.about = "tickers and AfterFuncs that nobody stops",
	.needs = FIND_NEEDS_RUNTIME,
	.run = run,
};
