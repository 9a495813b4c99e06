/*
 * look_locks_holder.c - who is inside a lock, inferred from frames; look_locks.h says how.
 *
 * What a function does with locks is worked out once: calls of sync's Lock and Unlock, inlined or
 * not, with their lines, and the wrappers of its defers.  Lines and not addresses decide
 * what lies between: the compiler moves slow ways to the end.  "Between": behind a Lock, and
 * the next call is an Unlock.  Only functions with frames that point at a lock are looked at.
 * Cost: one pass over the slots of all goroutines, a read of the code of each such function.
 */
#include "find/look_locks.h"

enum { LINES_MAX = 64, EVENTS_MAX = 64, LOCKS_MAX = 128, EDGES_MAX = 64, HASH = 4096, LINES = 256 };

enum event_what { EV_LOCK = 1, EV_UNLOCK, EV_RLOCK, EV_RUNLOCK };

struct event {
	uint8_t what, kind; /* enum look_lock_kind */
	int line;
};

struct function {
	taddr entry;
	uint32_t next; /* 1 + index of the next of the same hash */
	taddr asked;   /* about which lock refers was answered; 0 none */
	bool refers;   /* its code names that */
	bool defers;
	uint8_t nevents;
	struct event ev[EVENTS_MAX];
};

struct search {
	const struct look *l;
	struct go_io *io;
	struct look_locks *x;
	VEC(struct function) functions;
	uint32_t hash[HASH]; /* 1 + index in functions */
	struct {
		taddr pc;
		int line;
	} lines[LINES];	  /* of pcs that were asked for: goroutines stand at few */
	size_t *waits_on; /* by goroutine: 1 + index of its waiter, 0 */
	VEC(struct look_lock_holder) found; /* of the lock at hand */
	struct {
		struct look_lock *lock;
		struct trange holder; /* of the object, the global that it lies in */
	} k;
};

/* --- what a function does with locks --- */

static const struct {
	const char *name;
	uint8_t what, kind;
} calls[] = {
	{ "sync.(*Mutex).Lock", EV_LOCK, LOOK_MUTEX },
	{ "sync.(*Mutex).Unlock", EV_UNLOCK, LOOK_MUTEX },
	{ "sync.(*Mutex).TryLock", EV_LOCK, LOOK_MUTEX },
	{ "sync.(*RWMutex).Lock", EV_LOCK, LOOK_RWMUTEX },
	{ "sync.(*RWMutex).Unlock", EV_UNLOCK, LOOK_RWMUTEX },
	{ "sync.(*RWMutex).TryLock", EV_LOCK, LOOK_RWMUTEX },
	{ "sync.(*RWMutex).RLock", EV_RLOCK, LOOK_RWMUTEX },
	{ "sync.(*RWMutex).RUnlock", EV_RUNLOCK, LOOK_RWMUTEX },
	{ "sync.(*RWMutex).TryRLock", EV_RLOCK, LOOK_RWMUTEX },
};

/* Line of a pc in the function that has the frame, not in what is inlined there. */
static int outer_line(const struct look *l, taddr pc)
{
	struct go_line lines[LINES_MAX];
	size_t n = go_lines_at(l->s->go, pc, lines, LINES_MAX);

	return n ? lines[n - 1].line : 0;
}

static struct look_at outer_at(const struct look *l, const struct go_frame *f)
{
	struct go_line lines[LINES_MAX];
	size_t n = go_lines_at(l->s->go, go_frame_line_pc(f), lines, LINES_MAX);

	if (!n)
		return (struct look_at){ "", "", 0 };
	return (struct look_at){ lines[n - 1].function ? lines[n - 1].function : "",
				 lines[n - 1].file ? lines[n - 1].file : "", lines[n - 1].line };
}

struct seer {
	const struct look *l;
	struct function *f;
};

static void see_call(void *arg, const char *callee, taddr pc)
{
	struct seer *s = arg;

	for (size_t i = 0; i < ARRAY_LEN(calls) && s->f->nevents < EVENTS_MAX; i++)
		if (!strcmp(calls[i].name, callee))
			s->f->ev[s->f->nevents++] = (struct event){ calls[i].what, calls[i].kind,
								    outer_line(s->l, pc) };
}

/* What is known of the function of a frame: index in functions. */
static struct err *function_of(struct search *s, taddr entry, size_t *ret)
{
	uint32_t *slot = &s->hash[(entry * 0x9e3779b97f4a7c15ULL) >> 52];
	struct function f = { .entry = entry, .next = *slot };
	struct seer seer = { s->l, &f };
	struct go_func g;
	struct err *err = NULL;

	for (uint32_t i = *slot; i; i = s->functions.v[i - 1].next)
		if (s->functions.v[i - 1].entry == entry) {
			*ret = i - 1;
			return NULL;
		}
	if (go_func_at(s->l->s->go, entry, &g)) {
		f.defers = g.deferreturn != 0;
		err = go_func_calls(s->l->s->go, &g, see_call, &seer);
	}
	if (err)
		return err;
	if (!vec_push(&s->functions, f))
		return &err_nomem;
	*ret = s->functions.n - 1;
	*slot = (uint32_t)s->functions.n;
	return NULL;
}

static bool is_unlock(const struct event *e)
{
	return e->what == EV_UNLOCK || e->what == EV_RUNLOCK;
}

static bool unlocks(const struct function *f, uint8_t kind)
{
	for (size_t i = 0; i < f->nevents; i++)
		if (f->ev[i].kind == kind && is_unlock(&f->ev[i]))
			return true;
	return false;
}

/* The nearest calls before and behind a line, of the lock's kind; NULL: none. */
static void nearest(const struct function *f, uint8_t kind, int line, const struct event **before,
		    const struct event **behind)
{
	*before = *behind = NULL;
	for (size_t i = 0; i < f->nevents; i++) {
		const struct event *e = &f->ev[i];

		if (e->kind != kind || !e->line)
			continue;
		if (e->line < line && (!*before || e->line > (*before)->line))
			*before = e;
		if (e->line > line && (!*behind || e->line < (*behind)->line))
			*behind = e;
	}
}

static int locked_at(const struct function *f, uint8_t kind, int line)
{
	int best = 0;

	for (size_t i = 0; i < f->nevents; i++) {
		const struct event *e = &f->ev[i];

		if (e->kind == kind && !is_unlock(e) && e->line < line && e->line > best)
			best = e->line;
	}
	return best;
}

/* --- a frame --- */

/*
 * Behind a Lock, before an Unlock.  Where the goroutine stands in a Lock of this very lock the
 * nearest call before must be a Lock: else it has let go and takes it again.
 */
static bool is_inside(const struct search *s, const struct function *f, int line, bool waits_here,
		      bool deferred)
{
	const struct event *before, *behind;
	uint8_t kind = s->k.lock->kind;

	nearest(f, kind, line, &before, &behind);
	if (waits_here)
		return before && !is_unlock(before);
	if (deferred) /* unless it has let go for a while */
		return !(before && is_unlock(before) && behind && !is_unlock(behind));
	return before && behind && is_unlock(behind) && locked_at(f, kind, line);
}

/* Does a function's code name the global at hand?  Kept, for goroutines of one kind ask together.
 */
static struct err *refers(struct search *s, size_t fi, bool *ret)
{
	struct function *f = &s->functions.v[fi];
	taddr at = s->k.lock->at;
	struct err *err = NULL;
	struct go_func gf;

	if (f->asked != at) {
		f->refers = false;
		if (go_func_at(s->l->s->go, f->entry, &gf))
			err = go_func_refers(s->l->s->go, &gf, (struct trange){ at, at + 8 },
					     &f->refers);
		f->asked = at;
	}
	*ret = f->refers;
	return err;
}

/*
 * Does a func value call Unlock of this lock, as wrappers of defer statements do?  It lies where a
 * slot points to or, on the stack, its first captured variable is the slot (a stack object is
 * scanned only where a live pointer leads to it).
 */
static struct err *is_deferred_unlock(struct search *s, const struct go_slot *sl, bool *ret,
				      uint8_t *ret_how)
{
	taddr v = sl->flags & GO_SLOT_STACK_OBJECT && sl->at > 8 ? sl->at - 8 : sl->value;
	const struct look_lock *k = s->k.lock;
	uint64_t w[2] = { 0 };
	struct go_func f;
	struct err *err;
	bool named;
	size_t i;

	*ret = false;
	/* those in the heap are of defers in loops, which have records */
	if (!(sl->flags & (GO_SLOT_STACK_OBJECT | GO_SLOT_DEFER)) &&
	    trange_has(s->l->s->heap.bounds, v))
		return NULL;
	err = v % 8 ? NULL : go_io_read(s->io, v, w, sizeof(w));
	if (err_catch(&err, ERR_FAULT) || err || !w[0])
		return err;
	if (!go_func_at(s->l->s->go, w[0], &f) || f.entry != w[0])
		return NULL;
	/* wrappers are named so; a method value has a name that ends in -fm */
	named = strstr(f.name, "deferwrap") || strstr(f.name, "dwrap") || strstr(f.name, "-fm") ||
		strstr(f.name, ".func");
	err = named ? function_of(s, f.entry, &i) : NULL;
	if (err || !named || !unlocks(&s->functions.v[i], k->kind))
		return err;
	*ret = w[1] == k->at;
	if (!*ret && k->object == GO_NO_OBJECT)
		err = refers(s, i, ret);
	*ret_how = LOOK_LOCK;
	for (size_t e = 0; e < s->functions.v[i].nevents; e++)
		if (s->functions.v[i].ev[e].what == EV_RUNLOCK)
			*ret_how = LOOK_RLOCK;
	return err;
}

/* Slots of a frame: is such a func value among them, does one point at the lock? */
struct frame_says {
	bool deferred, points;
	uint8_t how;
};

static bool points_at(const struct search *s, taddr v)
{
	const struct look *l = s->l;
	uint64_t id;
	gnode n;

	if (trange_has(s->k.holder, v))
		return true;
	/* one step further: a field of what the frame has */
	if (s->k.lock->object == GO_NO_OBJECT || !l->g || !trange_has(l->s->heap.bounds, v))
		return false;
	id = go_heap_object_at(&l->s->heap, v);
	if (id == GO_NO_OBJECT || !look_reached(l, id))
		return false;
	n = graph_node_of_object(l->g, id);
	for (uint32_t e = graph_first(l->g, n), i = 0; e < graph_last(l->g, n) && i < EDGES_MAX;
	     e++, i++)
		if (l->g->to[e] == s->k.lock->node)
			return true;
	return false;
}

static struct err *ask_frame(struct search *s, size_t g, size_t frame, const struct function *f,
			     struct frame_says *ret)
{
	const struct go_stacks *st = &s->l->s->stacks;
	bool defers = f->defers;
	struct err *err = NULL;

	*ret = (struct frame_says){ .how = LOOK_LOCK };
	for (size_t i = st->slot_first.v[g]; i < st->slot_first.v[g + 1] && !err; i++) {
		const struct go_slot *sl = &st->slots.v[i];

		if (sl->frame != frame)
			continue;
		ret->points |= points_at(s, sl->value);
		if (defers && !ret->deferred)
			err = is_deferred_unlock(s, sl, &ret->deferred, &ret->how);
	}
	return err;
}

static uint8_t how_of(const struct function *f, uint8_t kind, int line)
{
	const struct event *best = NULL;

	for (size_t i = 0; i < f->nevents; i++) {
		const struct event *e = &f->ev[i];

		if (e->kind == kind && !is_unlock(e) && e->line < line &&
		    (!best || e->line > best->line))
			best = e;
	}
	return best && best->what == EV_RLOCK ? LOOK_RLOCK : LOOK_LOCK;
}

static int line_of(struct search *s, taddr pc)
{
	size_t i = (size_t)((pc * 0x9e3779b97f4a7c15ULL) >> 56);

	if (s->lines[i].pc != pc) {
		s->lines[i].line = outer_line(s->l, pc);
		s->lines[i].pc = pc;
	}
	return s->lines[i].line;
}

static struct err *try_frame(struct search *s, size_t g, size_t frame)
{
	const struct go_stacks *st = &s->l->s->stacks;
	const struct go_frame *fr = &st->frames.v[frame];
	const struct look_lock *k = s->k.lock;
	size_t wi = s->waits_on[g], fi;
	const struct look_waiter *w = wi ? &s->x->waiters.v[wi - 1] : NULL;
	bool waits_here = w && w->lock == k->at && w->frame == frame;
	struct look_lock_holder h = { .goroutine = g, .frame = (uint32_t)frame };
	struct frame_says says;
	int line;
	const struct function *f;
	struct err *err = function_of(s, fr->func_entry, &fi);

	if (err || (!s->functions.v[fi].defers && !unlocks(&s->functions.v[fi], k->kind)))
		return err;
	line = line_of(s, go_frame_line_pc(fr));
	err = ask_frame(s, g, frame, &s->functions.v[fi], &says);
	f = &s->functions.v[fi]; /* the table may have moved */
	if (!err && !says.points && k->object == GO_NO_OBJECT && unlocks(f, k->kind))
		err = refers(s, fi, &says.points);
	f = &s->functions.v[fi];
	if (err)
		return err;
	if (says.deferred && is_inside(s, f, line, waits_here, true))
		h.sure = LOOK_DEFERRED;
	else if (says.points && is_inside(s, f, line, waits_here, false))
		h.sure = LOOK_INSIDE;
	else if (says.points && unlocks(f, k->kind) && !waits_here && !says.deferred && k->locked)
		h.sure = LOOK_MAYBE;
	if (!h.sure)
		return NULL;
	h.how = h.sure == LOOK_DEFERRED ? says.how : how_of(f, k->kind, line);
	h.locked_line = locked_at(f, k->kind, line);
	h.at = outer_at(s->l, fr);
	return vec_push(&s->found, h) ? NULL : &err_nomem;
}

/* --- a lock --- */

static int surest_first(const void *x, const void *y)
{
	const struct look_lock_holder *p = x, *q = y;

	if (p->sure != q->sure)
		return p->sure < q->sure ? 1 : -1;
	if (p->goroutine != q->goroutine)
		return p->goroutine < q->goroutine ? -1 : 1;
	return (p->frame > q->frame) - (p->frame < q->frame);
}

/* Of each goroutine the surest frame, of all only those of the best kind. */
static struct err *settle(struct search *s)
{
	struct look_lock *k = s->k.lock;
	uint8_t best = 0;

	k->searched = true;
	k->first_holder = s->x->holders.n;
	if (s->found.n)
		qsort(s->found.v, s->found.n, sizeof(s->found.v[0]), surest_first);
	for (size_t i = 0; i < s->found.n; i++) {
		const struct look_lock_holder *h = &s->found.v[i];
		bool again = false;

		best = MAX(best, h->sure);
		for (size_t j = k->first_holder; j < s->x->holders.n; j++)
			again |= s->x->holders.v[j].goroutine == h->goroutine;
		if (again || h->sure < best)
			continue;
		if (!vec_push(&s->x->holders, *h))
			return &err_nomem;
	}
	k->nholders = s->x->holders.n - k->first_holder;
	return NULL;
}

static struct trange place_of(const struct look *l, const struct look_lock *k)
{
	uint64_t bytes = 0;
	taddr at;

	if (k->object != GO_NO_OBJECT) {
		at = go_heap_address(&l->s->heap, k->object, &bytes);
		return (struct trange){ at, at + bytes };
	}
	if (k->node != GRAPH_NONE && k->node) {
		const struct snap_root *r = &l->s->roots.v[k->node - 1];

		return (struct trange){ r->addr, r->addr + MAX(r->bytes, 8) };
	}
	return (struct trange){ k->at, k->at + 8 };
}

static struct err *search_lock(struct search *s, struct look_lock *k)
{
	const struct go_stacks *st = &s->l->s->stacks;
	struct err *err = NULL;

	s->found.n = 0;
	s->k.lock = k;
	s->k.holder = place_of(s->l, k);
	for (size_t g = 0; g < st->gs.n && !err; g++) {
		const struct go_goroutine *gr = &st->gs.v[g];

		if (gr->dead || gr->system)
			continue;
		for (size_t i = 0; i < gr->nframes && !err; i++)
			err = try_frame(s, g, gr->first_frame + i);
	}
	return err ? err : settle(s);
}

/* --- deadlocks --- */

/* The lock that a lock's surest waiting holder waits for; SIZE_MAX. */
static size_t next_of(const struct search *s, size_t i)
{
	const struct look_lock *k = &s->x->locks.v[i];

	for (size_t h = k->first_holder; h < k->first_holder + k->nholders; h++) {
		const struct look_lock_holder *who = &s->x->holders.v[h];
		size_t w = s->waits_on[who->goroutine];

		if (!w || who->sure < LOOK_INSIDE)
			continue;
		for (size_t j = 0; j < s->x->locks.n; j++)
			if (s->x->locks.v[j].at == s->x->waiters.v[w - 1].lock)
				return j;
	}
	return SIZE_MAX;
}

static struct err *push_cycle(struct search *s, const size_t *next, size_t i)
{
	struct look_lock_cycle c = { .first = s->x->cycle_locks.n };
	size_t at = i;

	do {
		s->x->locks.v[at].cycle = (uint32_t)(s->x->cycles.n + 1);
		if (!vec_push(&s->x->cycle_locks, at))
			return &err_nomem;
		at = next[at];
		c.n++;
	} while (at != i);
	return vec_push(&s->x->cycles, c) ? NULL : &err_nomem;
}

/* Each lock has one next: follow from each; who comes back to itself is on a cycle. */
static struct err *find_cycles(struct search *s)
{
	size_t n = MIN(s->x->locks.n, LOCKS_MAX);
	_cleanup_(freep) size_t *next = zalloc(n, sizeof(*next));
	struct err *err = NULL;

	if (!next)
		return &err_nomem;
	for (size_t i = 0; i < n; i++) {
		next[i] = next_of(s, i);
		if (next[i] >= n)
			next[i] = SIZE_MAX;
	}
	for (size_t i = 0; i < n && !err; i++) {
		size_t at = next[i];

		for (size_t steps = 0; steps < n && at != SIZE_MAX && at != i; steps++)
			at = next[at];
		if (at == i && !s->x->locks.v[i].cycle)
			err = push_cycle(s, next, i);
	}
	return err;
}

struct err *look_lock_holders(const struct look *l, struct go_io *io, struct look_locks *x)
{
	_cleanup_(freep) struct search *s = zalloc(1, sizeof(*s));
	_cleanup_(freep) size_t *waits_on = zalloc(l->s->stacks.gs.n + 1, sizeof(*waits_on));
	struct err *err = NULL;

	if (!s || !waits_on)
		return &err_nomem;
	s->l = l;
	s->io = io;
	s->x = x;
	s->waits_on = waits_on;
	for (size_t i = 0; i < x->waiters.n; i++)
		waits_on[x->waiters.v[i].goroutine] = i + 1;
	for (size_t i = 0; i < MIN(x->locks.n, LOCKS_MAX) && !err; i++)
		if (x->locks.v[i].kind != LOOK_SEMAPHORE)
			err = search_lock(s, &x->locks.v[i]);
	if (!err)
		err = find_cycles(s);
	vec_free(&s->functions);
	vec_free(&s->found);
	return err;
}
