/*
 * goroutine_leak.c - goroutines that wait for what nothing can give them any more.
 *
 * A group of equal stacks is one finding.  What is proved comes from liveness.h; here it gets
 * words.  A few that keep nothing are no leak but a remark: a library may park one for good.
 * Main is how a program waits for its end: never a leak.
 */
#include "find/liveness.h"
#include "find/priv.h"
#include "find/stacks.h"
#include "graph/live.h"

/* Less of both is told as info. */
enum { LEAK_MIN_COUNT = 8, LEAK_MIN_BYTES = 256 << 10 };

struct words {
	const char *waits; /* "… wait for ever" */
	const char *fix;   /* %s: function, place */
};

static const struct words words[] = {
	[GO_WAIT_NOTHING] = { "in a select without cases",
			      "let %s (%s) return instead: a goroutine in select {} and what its "
			      "stack holds is never freed" },
	[GO_WAIT_NIL_CHAN] = { "on a nil channel",
			       "%s (%s) uses a channel that was never made: make(chan ...) before "
			       "the go statement, or leave out the case" },
	[GO_WAIT_RECEIVE] = { "to receive from a channel that nothing else can reach",
			      "%s (%s): close the channel, or send, on every way out of who starts "
			      "it (defer close(ch)), or receive in a select with <-ctx.Done()" },
	[GO_WAIT_SEND] = { "to send on a channel that nothing else can reach",
			   "%s (%s): give the channel room for what is sent when nobody receives any "
			   "more (make(chan T, 1) for one result), or send in a select with "
			   "<-ctx.Done()" },
	[GO_WAIT_SELECT] = { "in a select of whose channels nothing else can reach any",
			     "%s (%s): give the select a case <-ctx.Done() and cancel that context "
			     "(defer cancel()), or close one of its channels when its owner goes" },
	[GO_WAIT_MUTEX] = { "for a mutex that nobody who holds it can release",
			    "%s (%s): some way out keeps the lock, or two locks are taken in two "
			    "orders: defer mu.Unlock() right behind mu.Lock(), and one order for all" },
	[GO_WAIT_RWMUTEX] = { "for a read-write mutex that nobody who holds it can release",
			      "%s (%s): some way out keeps the lock, or RLock is taken again by who "
			      "has it while a writer waits: defer the unlock, and lock once" },
	[GO_WAIT_GROUP] = { "for a WaitGroup whose Done nobody can call any more",
			    "%s (%s): Done has to be called as often as Add counted, on every way out: "
			    "defer wg.Done() as the first statement, Add before the go statement" },
	[GO_WAIT_COND] = { "for a condition that nobody can signal any more",
			   "%s (%s): Signal or Broadcast on every change of what is waited for, "
			   "its end included" },
	[GO_WAIT_SEMAPHORE] = { "for a semaphore that nobody can release",
				"%s (%s): release it on every way out (defer)" },
};

struct work {
	struct find *f;
	const struct liveness *v;
	uint64_t clock;
};

/* The one that keeps most of its own. */
static size_t example_of(const struct work *w, const struct leak_group *k)
{
	size_t best = w->v->order[k->first];
	uint64_t most = 0;

	for (size_t i = k->first; i < k->first + k->n && w->f->l.g->retained; i++) {
		gnode root = w->v->root[w->v->order[i]];
		uint64_t r = root ? w->f->l.g->retained[root] : 0;

		if (r > most) {
			most = r;
			best = w->v->order[i];
		}
	}
	return best;
}

/* The goroutine's own g, its sudogs: what it waits with, not what it keeps. */
static bool is_runtime(const struct look *l, gnode v)
{
	uint64_t id = graph_object(l->g, v);

	return l->s->type_of && l->s->types.v[l->s->type_of[id]].kind == SNAP_TYPE_OTHER;
}

gnode find_biggest_held(const struct look *l, gnode root)
{
	const struct graph *g = l->g;
	gnode best = root ? root : GRAPH_NONE;
	uint64_t most = 0;

	if (!root || !g->retained)
		return best;
	for (uint32_t e = graph_first(g, root); e < graph_last(g, root); e++)
		if (g->retained[g->to[e]] > most && !is_runtime(l, g->to[e])) {
			most = g->retained[g->to[e]];
			best = g->to[e];
		}
	return best;
}

/* "worker.go:41" */
static const char *place_of(struct find *f, bool known, const struct go_line *line)
{
	const char *slash = known && line->file ? strrchr(line->file, '/') : NULL;

	if (!known || !line->file)
		return "place unknown";
	return keepf(&f->keep, "%s:%d", slash ? slash + 1 : line->file, line->line);
}

static const char *longest(struct find *f, uint64_t ns)
{
	if (ns == UINT64_MAX || ns < 1000000000)
		return "";
	return keepf(&f->keep, ", the longest for at least %s", find_duration(f, ns));
}

static const char *function_name(const struct work *w, size_t i)
{
	const char *name = look_goroutine_function(w->f->l.s, i);

	return *name ? name : "(unknown function)";
}

/* What no build changes: functions, and what kind of wait. */
static const char *key_of(const struct work *w, const struct leak_group *k, size_t i,
			  const struct go_line *line)
{
	return keepf(&w->f->keep, "%s %s %s %s", function_name(w, i), look_creator(w->f->l.s, i),
		     go_wait_what_word(k->what), line->function ? line->function : "");
}

/* What it alone keeps; else what it waits for. */
static gnode node_of(const struct work *w, size_t i)
{
	const struct look *l = &w->f->l;
	const struct go_waiter *x = &l->s->waits.v.v[w->v->waiter[i]];
	gnode v = find_biggest_held(l, w->v->root[i]), thing = GRAPH_NONE;

	if (v != w->v->root[i])
		return v;
	if (x->n)
		thing = look_node_at(l, l->s->waits.things.v[x->first].at);
	return thing == GRAPH_NONE ? v : thing;
}

static void common(const struct work *w, const struct leak_group *k, size_t i,
		   const struct go_line *line, bool known, struct finding *x)
{
	struct keep *keep = &w->f->keep;
	const char *place = place_of(w->f, known, line);

	*x = (struct finding){
		.bytes = k->bytes,
		.stack_bytes = k->stack_bytes,
		.objects = k->objects,
		.node = node_of(w, i),
		.goroutine = i,
		.count = k->n,
		.key = key_of(w, k, i, line),
	};
	x->fix = keepf(keep, words[k->what].fix, known ? line->function : function_name(w, i),
		       place);
	x->confirm =
		keepf(keep, "limpet goroutines PID --leaked --group-by stack: %s is not among them",
		      function_name(w, i));
}

static struct err *say_proved(struct work *w, const struct leak_group *k, size_t i,
			      const struct go_line *line, bool known)
{
	struct keep *keep = &w->f->keep;
	struct finding x;
	bool few = k->n < LEAK_MIN_COUNT && k->bytes + k->stack_bytes < LEAK_MIN_BYTES;
	const char *creator = look_creator(w->f->l.s, i);

	common(w, k, i, line, known, &x);
	x.verdict = few ? FIND_INFO : FIND_LEAK;
	x.proof = FIND_PROVED;
	x.title = keepf(keep, "%" PRIu64 " goroutine%s of %s wait%s for ever %s (%s)%s", k->n,
			k->n == 1 ? "" : "s", function_name(w, i), k->n == 1 ? "s" : "",
			words[k->what].waits, place_of(w->f, known, line),
			longest(w->f, look_waited_ns(w->clock, k->since)));
	x.mitigate =
		keepf(keep,
		      "nothing can wake them, only a restart frees their memory; fewer calls of "
		      "%s make fewer of them",
		      *creator ? creator : "who starts them");
	return find_say(w->f, &x);
}

/* Who else leads to what the example waits for: the root, and the type that has it. */
static const char *waker(struct work *w, size_t i)
{
	const struct look *l = &w->f->l;
	const struct go_waiter *x = &l->s->waits.v.v[w->v->waiter[i]];
	gnode thing = x->n ? look_node_at(l, l->s->waits.things.v[x->first].at) : GRAPH_NONE;
	_cleanup_(freep) gnode *path = NULL;
	_cleanup_(err_freep) struct err *err = NULL;
	_cleanup_(graph_waits_deinit) struct graph_waits waits = { 0 };
	size_t len = 0;
	const char *via, *root;

	if (x->n && thing == GRAPH_NONE)
		return "a global";
	if (thing == GRAPH_NONE)
		return "";
	err = graph_waits_of(l->g, &waits);
	if (!err)
		err = graph_waker_path(l->g, &waits, thing, &path, &len);
	if (err || len < 2)
		return "";
	via = len > 2 ? look_type_name(l, path[len - 2]) : "";
	via = *via == '~' ? "" : via; /* a guess */
	root = l->s->roots.v[path[0] - 1].name;
	return keepf(l->keep, "%s%s%s", root ? root : "", *via ? ", through " : "", via);
}

static struct err *say_suspect(struct work *w, const struct leak_group *k, size_t i,
			       const struct go_line *line, bool known)
{
	struct keep *keep = &w->f->keep;
	const char *who = w->v->weak ? "" : waker(w, i);
	struct finding x;

	common(w, k, i, line, known, &x);
	x.verdict = FIND_SUSPECT;
	x.proof = w->v->weak ? FIND_INFERRED : FIND_MEASURED;
	x.title = keepf(keep, "%" PRIu64 " goroutines of %s wait in %s (%s)%s%s%s", k->n,
			function_name(w, i),
			go_wait_reason(w->f->l.s->go, w->f->l.s->stacks.gs.v[i].wait_reason),
			place_of(w->f, known, line),
			longest(w->f, look_waited_ns(w->clock, k->since)),
			*who ? "; who could still wake them: " : "", who);
	if (w->v->weak)
		x.detail = keepf(keep, "nothing that was read can wake them, but not all was: %s",
				 w->v->weak);
	x.decide =
		"limpet report PID --since SNAPSHOT: it leaks if they grow in number under equal "
		"load, or the same ones still wait";
	return find_say(w->f, &x);
}

/* Groups that differ in what no build keeps (wrappers, lines) are one for who reads. */
struct merged {
	const char *key;
	struct leak_group sum;
	size_t example;
	struct go_line line;
	bool known;
};

struct merging {
	VEC(struct merged) v;
};

static void merging_deinit(struct merging *m)
{
	vec_free(&m->v);
}

static int by_key(const void *x, const void *y)
{
	const struct merged *a = x, *b = y;
	int c = strcmp(a->key, b->key);

	if (c || a->sum.state != b->sum.state)
		return c ? c : a->sum.state - b->sum.state;
	if (a->sum.n != b->sum.n)
		return a->sum.n < b->sum.n ? 1 : -1;
	return (a->sum.first > b->sum.first) - (a->sum.first < b->sum.first);
}

/* What each of them keeps alone, for nobody knows what they would let go together. */
static uint64_t retained_alone(const struct work *w, const struct leak_group *k)
{
	const uint64_t *retained = w->f->l.g->retained;
	uint64_t sum = 0;

	for (size_t i = k->first; i < k->first + k->n && retained; i++)
		sum += w->v->root[w->v->order[i]] ? retained[w->v->root[w->v->order[i]]] : 0;
	return sum;
}

static struct err *add(struct work *w, const struct leak_group *k, struct merging *m)
{
	struct merged x = { .sum = *k, .example = example_of(w, k) };

	if (k->state == LEAK_NO || w->f->l.s->stacks.gs.v[x.example].id == 1)
		return NULL;
	if (k->state == LEAK_SUSPECT)
		x.sum.bytes = retained_alone(w, k);
	x.known = look_waiting_line(w->f->l.s, x.example, &x.line);
	x.key = key_of(w, k, x.example, &x.line);
	return vec_push(&m->v, x) ? NULL : &err_nomem;
}

static void join(struct leak_group *to, const struct leak_group *k)
{
	to->n += k->n;
	to->stack_bytes += k->stack_bytes;
	to->bytes += k->bytes;
	to->objects += k->objects;
	if (k->since > 0 && (!to->since || k->since < to->since))
		to->since = k->since;
}

static struct err *say_merged(struct work *w, struct merging *m)
{
	struct err *err = NULL;

	if (m->v.n)
		qsort(m->v.v, m->v.n, sizeof(m->v.v[0]), by_key);
	for (size_t i = 0, k; i < m->v.n && !err; i = k) {
		struct merged *x = &m->v.v[i];

		for (k = i + 1; k < m->v.n && x->sum.state == m->v.v[k].sum.state &&
				!strcmp(x->key, m->v.v[k].key);
		     k++)
			join(&x->sum, &m->v.v[k].sum);
		err = x->sum.state == LEAK_PROVED
			      ? say_proved(w, &x->sum, x->example, &x->line, x->known)
			      : say_suspect(w, &x->sum, x->example, &x->line, x->known);
	}
	return err;
}

static struct err *run(struct find *f)
{
	_cleanup_(merging_deinit) struct merging m = { 0 };
	struct work w = { .f = f, .clock = look_clock_ns(f->l.s) };
	struct err *err = find_liveness(f, &w.v);

	for (size_t i = 0; !err && i < w.v->groups.n; i++)
		err = add(&w, &w.v->groups.v[i], &m);
	return err ? err : say_merged(&w, &m);
}

const struct detector detect_goroutine_leak = {
	.name = "goroutine-leak",
	.about = "goroutines waiting for what nothing live can reach",
	.needs = FIND_NEEDS_RUNTIME,
	.run = run,
};
