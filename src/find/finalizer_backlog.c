/*
 * finalizer_backlog.c - finalizers and cleanups that wait because one of them does not end.
 *
 * All finalizers of a program run one after the other on one goroutine, cleanups (from 1.25 on)
 * on a few: who blocks there blocks all that follow, and what they hold stays.  Proved where what
 * it waits for is reached only from what it alone would work off.  A long queue without one that
 * blocks is told only some time after the collection that filled it.
 * Source: runtime/mfinal.go (runFinalizers), mcleanup.go (runCleanups).
 */
#include "find/liveness.h"
#include "find/look_special.h"
#include "find/priv.h"
#include "find/stacks.h"
#include "graph/live.h"

#include "base/str.h"

enum { MANY = 100, VERY_MANY = 10000, TYPES_MAX = 64, MAX_SEEN = 200000 };

#define SETTLED_NS (1ULL * 1000000000)	/* since the last collection: what is queued is no burst */
#define STUCK_NS   (60ULL * 1000000000) /* few wait, but one of them since then */

/* What runs one of the queues. */
struct worker {
	size_t g;	      /* index in stacks.gs */
	size_t frame;	      /* innermost frame of user's code, SIZE_MAX: it runs none */
	const char *function; /* the finalizer: outermost frame of user's code */
	const char *place;    /* where it is */
	bool cleanups;
};

struct kind_count {
	uint32_t type; /* index in s->types */
	const char *function;
	taddr fn;
	uint64_t count, bytes;
};

struct backlog {
	struct find *f;
	VEC(struct worker) workers;
	uint64_t queued[2]; /* by enum look_queue */
	uint64_t seen;
	struct kind_count kinds[TYPES_MAX];
	unsigned nkinds;
};

static bool is_worker(const char *name, bool *ret_cleanups)
{
	*ret_cleanups = !strcmp(name, "runtime.runCleanups");
	return *ret_cleanups || !strcmp(name, "runtime.runfinq") ||
	       !strcmp(name, "runtime.runFinalizers");
}

static bool is_runtime(const char *name)
{
	return !strncmp(name, "runtime.", 8) || !strncmp(name, "internal/runtime/", 17) ||
	       !strncmp(name, "sync.runtime_", 13) ||
	       !strncmp(name, "internal/sync.runtime_", 22) || !strcmp(name, "time.Sleep");
}

static void look_at_stack(struct backlog *b, struct worker *w)
{
	const struct snapshot *s = b->f->l.s;
	const struct go_goroutine *gr = &s->stacks.gs.v[w->g];

	for (size_t i = gr->first_frame; i < gr->first_frame + gr->nframes; i++) {
		const char *name = look_pc_name(&b->f->l, s->stacks.frames.v[i].pc);
		bool wraps = strstr(name, "AddCleanup") != NULL;

		if (!*name || is_runtime(name) || (wraps && w->frame != SIZE_MAX))
			continue;
		if (w->frame == SIZE_MAX) {
			w->frame = i;
			w->place = name;
		}
		w->function = name;
	}
}

static struct err *find_workers(struct backlog *b)
{
	const struct go_stacks *st = &b->f->l.s->stacks;
	taddr last = 0;
	bool cleanups = false, is = false;

	for (size_t i = 0; i < st->gs.n; i++) {
		const struct go_goroutine *gr = &st->gs.v[i];
		struct worker w = { .g = i, .frame = SIZE_MAX, .function = "", .place = "" };

		if (gr->dead || !gr->start_pc)
			continue;
		if (gr->start_pc != last)
			is = is_worker(look_pc_name(&b->f->l, gr->start_pc), &cleanups);
		last = gr->start_pc;
		if (!is)
			continue;
		w.cleanups = cleanups;
		look_at_stack(b, &w);
		if (w.frame != SIZE_MAX && !vec_push(&b->workers, w))
			return &err_nomem;
	}
	return NULL;
}

static struct kind_count *kind_of(struct backlog *b, uint32_t type, taddr pc)
{
	for (unsigned i = 0; i < b->nkinds; i++)
		if (b->kinds[i].type == type && b->kinds[i].fn == pc)
			return &b->kinds[i];
	if (b->nkinds == TYPES_MAX)
		return NULL;
	b->kinds[b->nkinds] = (struct kind_count){ .type = type, .fn = pc };
	return &b->kinds[b->nkinds++];
}

/* One that waits: its object's type and its function. */
static struct err *see_queued(void *arg, taddr fn, taddr object)
{
	struct backlog *b = arg;
	const struct look *l = &b->f->l;
	uint64_t id = object ? go_heap_object_at(&l->s->heap, object) : GO_NO_OBJECT, bytes = 0;
	uint32_t type = id != GO_NO_OBJECT && l->s->type_of ? l->s->type_of[id] : 0;
	struct kind_count *k;
	taddr pc = 0;

	if (b->seen++ >= MAX_SEEN)
		return NULL;
	err_free(go_read_u64(l->s->go, fn, &pc));
	if (id != GO_NO_OBJECT)
		go_heap_address(&l->s->heap, id, &bytes);
	k = kind_of(b, type, pc);
	if (k) {
		k->count++;
		k->bytes += bytes;
	}
	return NULL;
}

static struct err *read_queues(struct backlog *b)
{
	struct err *err = NULL;

	for (int q = LOOK_QUEUE_FINALIZERS; q <= LOOK_QUEUE_CLEANUPS && !err; q++) {
		err = look_queue(&b->f->l, (enum look_queue)q, see_queued, b, &b->queued[q]);
		if (b->queued[q] == LOOK_NO_QUEUE)
			b->queued[q] = 0;
	}
	return err;
}

static const struct kind_count *commonest(const struct backlog *b)
{
	const struct kind_count *k = NULL;

	for (unsigned i = 0; i < b->nkinds; i++)
		if (!k || b->kinds[i].count > k->count)
			k = &b->kinds[i];
	return k;
}

/* Root of a queue; 0: it is empty. */
static gnode queue_root(const struct look *l, uint8_t kind)
{
	for (uint32_t r = 0; r < l->g->nroots; r++)
		if (l->s->roots.v[r].kind == kind)
			return r + 1;
	return 0;
}

static void measure(const struct backlog *b, bool cleanups, struct finding *x)
{
	const struct look *l = &b->f->l;

	x->node = queue_root(l, cleanups ? SNAP_ROOT_CLEANUP_QUEUE : SNAP_ROOT_FINALIZER_QUEUE);
	if (x->node)
		x->bytes = l->g->retained[x->node];
	else
		x->node = GRAPH_NONE;
	x->count = b->queued[cleanups ? LOOK_QUEUE_CLEANUPS : LOOK_QUEUE_FINALIZERS];
}

/* Which roots only that worker would ever do something with. */
static uint8_t *own_roots(const struct backlog *b, const struct worker *w)
{
	const struct look *l = &b->f->l;
	uint8_t *own = zalloc((size_t)l->g->nroots + 1, 1);
	bool alone =
		!w->cleanups &&
		!l->s->go->v
			 .gccleanups; /* without a queue of their own, cleanups are its work, too */

	for (uint32_t r = 0; own && r < l->g->nroots; r++) {
		const struct snap_root *root = &l->s->roots.v[r];
		bool fin = root->kind == SNAP_ROOT_FINALIZER ||
			   root->kind == SNAP_ROOT_FINALIZER_QUEUE;
		bool clean =
			root->kind == SNAP_ROOT_CLEANUP || root->kind == SNAP_ROOT_CLEANUP_QUEUE;

		own[r] = (fin && !w->cleanups) || (clean && (w->cleanups || alone)) ||
			 (root->kind == SNAP_ROOT_GOROUTINE &&
			  (root->goroutine == w->g || !graph_live(l->g, r + 1)));
	}
	return own;
}

enum { MAX_THINGS = 16 };

/* What a goroutine waits for; its own sudog's pointer to it is no reason why that lives. */
struct things {
	gnode thing[MAX_THINGS], sudog[MAX_THINGS];
	size_t n;
};

struct walk {
	const struct graph *g;
	const struct things *t;
	uint64_t *bits;
	VEC(gnode) list;
};

static bool is_hidden(const struct things *t, gnode from, gnode to)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->sudog[i] == from && t->thing[i] == to)
			return true;
	return false;
}

static struct err *walk_from(struct walk *w, gnode v)
{
	for (uint32_t e = graph_first(w->g, v); e < graph_last(w->g, v); e++) {
		gnode t = w->g->to[e];

		if (go_bit(w->bits, t) || is_hidden(w->t, v, t))
			continue;
		w->bits[t >> 6] |= 1ULL << (t & 63);
		if (!vec_push(&w->list, t))
			return &err_nomem;
	}
	return NULL;
}

static struct err *walk_without(struct walk *w, const uint8_t *own)
{
	struct err *err = NULL;

	for (uint32_t r = 0; r < w->g->nroots && !err; r++) {
		if (!own[r])
			err = walk_from(w, r + 1);
		while (w->list.n && !err)
			err = walk_from(w, w->list.v[--w->list.n]);
	}
	return err;
}

/* False: some of it lies outside of the heap, or is not known. */
static bool things_of(const struct look *l, size_t g, struct things *ret)
{
	const struct go_waits *w = &l->s->waits;

	ret->n = 0;
	for (size_t i = 0; i < w->v.n; i++) {
		const struct go_waiter *x = &w->v.v[i];

		if (x->g != g)
			continue;
		if (x->state != GO_WAIT_ON || !x->n || x->n > MAX_THINGS)
			return false;
		for (; ret->n < x->n; ret->n++) {
			const struct go_wait_thing *t = &w->things.v[x->first + ret->n];

			ret->thing[ret->n] = look_node_at(l, t->at);
			ret->sudog[ret->n] = look_node_at(l, t->sudog);
			if (ret->thing[ret->n] == GRAPH_NONE)
				return false;
		}
		return true;
	}
	return false;
}

/* A global holds it: no walk is needed to see that it can be woken. */
static bool is_public(const struct look *l, const struct things *t)
{
	for (size_t i = 0; i < t->n; i++) {
		gnode o = look_owner(l, t->thing[i]);

		if (o && o <= l->g->nroots && l->s->roots.v[o - 1].kind == SNAP_ROOT_GLOBAL)
			return true;
	}
	return false;
}

static bool is_leaked(const struct look *l, size_t g)
{
	for (uint32_t r = 0; r < l->g->nroots; r++)
		if (l->s->roots.v[r].kind == SNAP_ROOT_GOROUTINE && l->s->roots.v[r].goroutine == g)
			return !graph_live(l->g, r + 1);
	return false;
}

/* Can nothing but the finalizers behind it wake this one? */
static struct err *is_for_ever(const struct backlog *b, const struct worker *w, bool *ret)
{
	const struct look *l = &b->f->l;
	size_t nwords = ((size_t)l->g->n + 63) / 64;
	_cleanup_(freep) uint8_t *own = NULL;
	struct things t;
	struct walk walk = { .g = l->g, .t = &t };
	struct err *err;

	*ret = is_leaked(l, w->g);
	if (*ret || !l->g->live || !things_of(l, w->g, &t) || is_public(l, &t))
		return NULL;
	own = own_roots(b, w);
	walk.bits = bigalloc(nwords, 8);
	err = own && walk.bits ? walk_without(&walk, own) : &err_nomem;
	*ret = !err;
	for (size_t i = 0; i < t.n && !err; i++)
		*ret &= !go_bit(walk.bits, t.thing[i]);
	bigfree(walk.bits, nwords, 8);
	vec_free(&walk.list);
	return err;
}

static const char *since_text(const struct backlog *b, uint64_t ns)
{
	if (ns == UINT64_MAX || ns < 1000000000)
		return "";
	if (ns < 120ULL * 1000000000)
		return keepf(&b->f->keep, " for %" PRIu64 " s", ns / 1000000000);
	return keepf(&b->f->keep, " for %" PRIu64 " min", (uint64_t)(ns / 60000000000ULL));
}

/* Dead objects whose finalizers are not even queued yet. */
static const char *dead_text(const struct backlog *b)
{
	const struct look *l = &b->f->l;
	struct look_specials at = { 0 };
	struct look_special x;
	uint64_t n = 0, bytes = 0;
	char size[16];

	while (look_special_next(l, &at, &x)) {
		uint64_t own = 0;

		if (x.sp->kind == GO_SPECIAL_WEAK || x.id == GO_NO_OBJECT || look_reached(l, x.id))
			continue;
		go_heap_address(&l->s->heap, x.id, &own);
		n++;
		bytes += own + l->g->retained[x.root + 1];
	}
	if (!n)
		return "";
	return keepf(&b->f->keep,
		     "\n%" PRIu64
		     " more objects with finalizers are dead and join the queue with the "
		     "next collection: %s",
		     n, str_bytes(size, bytes));
}

static void add_texts(struct backlog *b, const struct worker *w, uint64_t waited, struct finding *x)
{
	struct find *f = b->f;
	const struct go_goroutine *gr = &f->l.s->stacks.gs.v[w->g];
	const char *what = w->cleanups ? "cleanup" : "finalizer";
	const char *wait = go_wait_reason(f->l.s->go, gr->wait_reason);
	const struct kind_count *k = commonest(b);
	bool waits = gr->status == (uint32_t)f->l.s->go->L->c_Gwaiting;

	x->title = keepf(&f->keep, "%" PRIu64 " %s%s in the queue behind %s, which %s%s%s%s%s",
			 x->count, what, x->count == 1 ? " is" : "s are", w->function,
			 waits ? "has been waiting in " : "is at work in ", w->place,
			 waits && *wait ? keepf(&f->keep, " (%s)", wait) : "",
			 waits ? since_text(b, waited) : "",
			 x->proof == FIND_PROVED ? ", for ever: nothing else can wake it" : "");
	x->key = keepf(&f->keep, "%s %s", what, w->function);
	x->fix = keepf(&f->keep,
		       "%s must not block: %s run one after the other%s. Hand the slow part to a "
		       "goroutine of its own (go func() { … }()), give it a time limit, and close "
		       "explicitly what can be closed explicitly",
		       w->function, w->cleanups ? "cleanups" : "all finalizers of the program",
		       w->cleanups ? " on very few goroutines" : " on one goroutine");
	x->mitigate =
		x->proof == FIND_PROVED
			? "only a restart frees what waits"
			: keepf(&f->keep,
				"let %s go on: what it waits for is in the stack of goroutine %" PRIu64,
				w->place, gr->id);
	x->confirm = "limpet finalizers TARGET: \"queued to run\" falls to 0";
	if (k)
		x->type = k->type && k->type < f->l.s->types.n ? f->l.s->types.v[k->type].name : "";
	x->detail = keepf(&f->keep, "running: %s on goroutine %" PRIu64 "%s%s%s%s", w->function,
			  gr->id, k ? "\nmost of what waits: " : "",
			  k ? keepf(&f->keep, "%" PRIu64 " of %s", k->count,
				    k->fn ? look_pc_name(&f->l, k->fn) : "?")
			    : "",
			  k && x->type && *x->type ? keepf(&f->keep, " on %s", x->type) : "",
			  dead_text(b));
}

static struct err *judge(struct backlog *b, const struct worker *w)
{
	struct find *f = b->f;
	const struct snapshot *s = f->l.s;
	const struct go_goroutine *gr = &s->stacks.gs.v[w->g];
	uint64_t now = look_clock_ns(s), last = s->heap.counters.last_gc_ns;
	uint64_t waited = look_waited_ns(now, gr->waitsince);
	uint64_t least = MAX(f->l.g->reached_bytes / 100, 1ULL << 20);
	bool waits = gr->status == (uint32_t)s->go->L->c_Gwaiting, ever = false;
	struct finding x = { .goroutine = w->g, .verdict = FIND_SUSPECT, .proof = FIND_MEASURED };
	struct err *err = waits ? is_for_ever(b, w, &ever) : NULL;
	bool weak = liveness_weakness(s) != NULL;
	bool large, settled = !last || now == 0 || now - last >= SETTLED_NS;

	if (err)
		return err;
	measure(b, w->cleanups, &x);
	large = x.bytes >= least || x.count >= VERY_MANY || (waits && x.count >= MANY);
	if (ever) {
		x.verdict = weak ? FIND_SUSPECT : FIND_LEAK;
		x.proof = weak ? FIND_MEASURED : FIND_PROVED;
	} else if (!(large && settled) && !(waits && waited != UINT64_MAX && waited >= STUCK_NS)) {
		return NULL;
	}
	if (x.verdict == FIND_SUSPECT)
		x.decide =
			"look again after a collection: limpet report --since SNAPSHOT; a queue that grew is "
			"stuck, one that is empty was a burst";
	add_texts(b, w, waited, &x);
	return find_say(f, &x);
}

static struct err *run(struct find *f)
{
	struct backlog b = { .f = f };
	struct err *err = find_workers(&b);

	if (!err && b.workers.n)
		err = read_queues(&b);
	for (size_t i = 0; i < b.workers.n && !err; i++)
		err = judge(&b, &b.workers.v[i]);
	vec_free(&b.workers);
	return err;
}

const struct detector detect_finalizer_backlog = {
	.name = "finalizer-backlog",
	.about = "finalizers and cleanups behind one that does not end",
	.needs = FIND_NEEDS_RUNTIME,
	.run = run,
};
