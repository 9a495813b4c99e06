/*
 * look_locks.c - goroutines that wait for a semaphore, by the lock that it is a part of.
 *
 * The semaphore's address is known (s->waits); what lock it belongs to the calls between it and the
 * program say: offsets as in sync/mutex.go, rwmutex.go (unchanged since Go 1.9).
 * O(waiters); a read of a cached page a lock.
 */
#include "find/look_locks.h"

#include "base/bytes.h"

enum { LINES_MAX = 64, FRAMES_OUT = 24 };
/* sync.Mutex {state int32; sema uint32}; RWMutex {w Mutex; writerSem, readerSem uint32;
 * readerCount, readerWait atomic.Int32}; mutexLocked, Woken, Starving,
 * WaiterShift */
enum {
	MUTEX_SEMA = 4,
	RW_WRITER_SEM = 8,
	RW_READER_SEM = 12,
	RW_BYTES = 24,
};

void look_locks_deinit(struct look_locks *x)
{
	vec_free(&x->waiters);
	vec_free(&x->holders);
	vec_free(&x->locks);
	vec_free(&x->cycles);
	vec_free(&x->cycle_locks);
}

static bool is_library(const char *f)
{
	static const char *const of[] = { "runtime.", "sync.", "internal/sync.", "internal/poll.",
					  "internal/runtime/" };

	for (size_t i = 0; i < ARRAY_LEN(of); i++)
		if (!strncmp(f, of[i], strlen(of[i])))
			return true;
	return false;
}

/* What the calls between semacquire1 and the program say. */
static void see_call(struct look_waiter *w, const char *f)
{
	if (strstr(f, "sync.(*Mutex).")) {
		w->kind = LOOK_MUTEX;
		w->lock = w->sema - MUTEX_SEMA;
	} else if (!strncmp(f, "sync.(*RWMutex).", 16)) {
		/* a writer that waits for another stands in its mutex, the first field */
		if (!strcmp(f + 16, "RLock") || !strcmp(f + 16, "rlock"))
			w->lock = w->sema - RW_READER_SEM;
		else if (w->kind != LOOK_MUTEX)
			w->lock = w->sema - RW_WRITER_SEM;
		w->how = !strcmp(f + 16, "RLock") ? LOOK_RLOCK : LOOK_LOCK;
		w->kind = LOOK_RWMUTEX;
	}
}

static void see_calls(const struct look *l, const struct go_goroutine *gr, struct look_waiter *w)
{
	const struct go_stacks *st = &l->s->stacks;
	size_t from = w->frame, end = MIN(gr->first_frame + gr->nframes, from + FRAMES_OUT);
	struct go_line lines[LINES_MAX];

	w->lock = w->sema;
	w->kind = LOOK_SEMAPHORE;
	w->how = LOOK_WAIT;
	for (size_t i = from; i < end; i++) {
		const struct go_frame *f = &st->frames.v[i];
		size_t n = go_lines_at(l->s->go, go_frame_line_pc(f), lines, LINES_MAX);

		for (size_t k = 0; k < n; k++) {
			const char *name = lines[k].function ? lines[k].function : "";

			w->frame = (uint32_t)i;
			w->at = (struct look_at){ name, lines[k].file ? lines[k].file : "",
						  lines[k].line };
			if (!is_library(name))
				return;
			see_call(w, name);
		}
	}
}

/* Most waiters of a lock stand where the one before stands. */
static bool see_like(const struct look *l, const struct look_waiter *last, struct look_waiter *w)
{
	const struct go_stacks *st = &l->s->stacks;
	size_t a = st->gs.v[last->goroutine].first_frame, b = st->gs.v[w->goroutine].first_frame;
	size_t n = last->frame - a + 1;

	/* one that could not be unwound has no frame at all */
	if (st->gs.v[w->goroutine].nframes < n || st->gs.v[last->goroutine].nframes < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (st->frames.v[a + i].pc != st->frames.v[b + i].pc)
			return false;
	w->lock = w->sema - (last->sema - last->lock);
	w->kind = last->kind;
	w->how = last->how;
	w->frame = (uint32_t)(b + n - 1);
	w->at = last->at;
	return true;
}

static bool is_lock(uint8_t what)
{
	return what == GO_WAIT_MUTEX || what == GO_WAIT_RWMUTEX || what == GO_WAIT_GROUP ||
	       what == GO_WAIT_SEMAPHORE;
}

static struct err *see_waiters(const struct look *l, struct look_locks *x)
{
	const struct snapshot *s = l->s;

	for (size_t i = 0; i < s->waits.v.n; i++) {
		const struct go_waiter *from = &s->waits.v.v[i];
		const struct go_goroutine *gr = &s->stacks.gs.v[from->g];
		struct look_waiter w = { .goroutine = from->g,
					 .frame = (uint32_t)gr->first_frame,
					 .at = { "", "", 0 } };

		if (!is_lock(from->what))
			continue;
		if (from->state != GO_WAIT_ON || !from->n) {
			x->unknown += from->state == GO_WAIT_UNKNOWN;
			continue;
		}
		w.sema = s->waits.things.v[from->first].at;
		if (!x->waiters.n || !see_like(l, &x->waiters.v[x->waiters.n - 1], &w)) {
			see_calls(l, gr, &w);
			if (w.kind == LOOK_MUTEX)
				w.how = LOOK_LOCK;
		}
		if (!vec_push(&x->waiters, w))
			return &err_nomem;
	}
	return NULL;
}

static int by_lock(const void *x, const void *y, void *arg)
{
	const struct go_goroutine *gs = arg;
	const struct look_waiter *p = x, *q = y;
	int64_t a = gs[p->goroutine].waitsince, b = gs[q->goroutine].waitsince;

	if (p->lock != q->lock)
		return p->lock < q->lock ? -1 : 1;
	if (a != b) /* those that no collection has met yet are the youngest */
		return !a ? 1 : !b || a < b ? -1 : 1;
	return (p->goroutine > q->goroutine) - (p->goroutine < q->goroutine);
}

static int most_waiters_first(const void *x, const void *y)
{
	const struct look_lock *p = x, *q = y;

	if (p->nwaiters != q->nwaiters)
		return p->nwaiters < q->nwaiters ? 1 : -1;
	return (p->at > q->at) - (p->at < q->at);
}

static const char *word_of(const struct look_lock *k, const char *caller_chain)
{
	if (k->kind == LOOK_RWMUTEX)
		return "sync.RWMutex";
	if (k->kind == LOOK_MUTEX)
		return "sync.Mutex";
	return caller_chain;
}

/* A semaphore by the call in which its first waiter stands. */
static const char *semaphore_word(const struct look *l, const struct look_waiter *w)
{
	const struct go_goroutine *gr = &l->s->stacks.gs.v[w->goroutine];
	size_t end = MIN(gr->first_frame + gr->nframes, (size_t)w->frame + 1);
	struct go_line lines[LINES_MAX];

	for (size_t i = gr->first_frame; i < end; i++) {
		const struct go_frame *f = &l->s->stacks.frames.v[i];
		size_t n = go_lines_at(l->s->go, go_frame_line_pc(f), lines, LINES_MAX);

		for (size_t k = 0; k < n; k++) {
			const char *name = lines[k].function ? lines[k].function : "";

			if (!strncmp(name, "sync.(*WaitGroup).", 18))
				return "sync.WaitGroup";
			if (!strncmp(name, "internal/poll.", 14))
				return "internal/poll.FD";
		}
	}
	return "semaphore";
}

static void read_state(struct go_io *io, struct look_lock *k)
{
	uint8_t b[RW_BYTES];
	size_t n = k->kind == LOOK_RWMUTEX ? RW_BYTES : 8;
	uint32_t state;
	int32_t count, wait;
	struct err *err;

	if (k->kind == LOOK_SEMAPHORE)
		return;
	err = go_io_read(io, k->at, b, n);
	k->known = !err;
	err_free(err);
	if (!k->known)
		return;
	state = load_u32(b);
	k->locked = state & 1;
	k->woken = state & 2;
	k->starving = state & 4;
	k->queued = state >> 3;
	if (k->kind != LOOK_RWMUTEX)
		return;
	count = (int32_t)load_u32(b + 16);
	wait = (int32_t)load_u32(b + 20);
	k->writer_waits = count < 0 && wait > 0;
	k->readers = count >= 0 ? count : MAX(wait, 0);
	k->locked = count < 0 && wait <= 0;
}

/* The root of the global that holds an address; GRAPH_NONE. */
static gnode global_at(const struct look *l, taddr at)
{
	for (size_t i = 0; i < l->s->roots.n; i++) {
		const struct snap_root *r = &l->s->roots.v[i];

		if (r->kind == SNAP_ROOT_GLOBAL && at >= r->addr && at - r->addr < MAX(r->bytes, 1))
			return (gnode)(1 + i);
	}
	return GRAPH_NONE;
}

static void locate(const struct look *l, struct look_lock *k)
{
	taddr base;

	k->object = go_heap_object_at(&l->s->heap, k->at);
	if (k->object == GO_NO_OBJECT) {
		k->node = global_at(l, k->at);
		return;
	}
	base = go_heap_address(&l->s->heap, k->object, NULL);
	k->off = k->at - base;
	k->node = look_reached(l, k->object) ? graph_node_of_object(l->g, k->object) : GRAPH_NONE;
}

static struct err *make_locks(const struct look *l, struct go_io *io, struct look_locks *x)
{
	for (size_t i = 0; i < x->waiters.n; i++) {
		const struct look_waiter *w = &x->waiters.v[i];
		struct look_lock *last = x->locks.n ? &x->locks.v[x->locks.n - 1] : NULL;

		if (!last || last->at != w->lock) {
			struct look_lock k = { .at = w->lock, .kind = w->kind, .first_waiter = i };

			if (!vec_push(&x->locks, k))
				return &err_nomem;
			last = &x->locks.v[x->locks.n - 1];
		}
		if (w->kind == LOOK_RWMUTEX)
			last->kind = LOOK_RWMUTEX;
		last->nwaiters++;
	}
	for (size_t i = 0; i < x->locks.n; i++) {
		struct look_lock *k = &x->locks.v[i];
		const struct look_waiter *w = &x->waiters.v[k->first_waiter];

		k->word = word_of(k, k->kind == LOOK_SEMAPHORE ? semaphore_word(l, w) : "");
		read_state(io, k);
		locate(l, k);
	}
	if (x->locks.n)
		qsort(x->locks.v, x->locks.n, sizeof(x->locks.v[0]), most_waiters_first);
	return NULL;
}

struct err *look_locks(const struct look *l, size_t least, struct look_locks *ret)
{
	_cleanup_(look_locks_deinit) struct look_locks x = { 0 };
	_cleanup_(go_io_deinit) struct go_io io = { 0 };
	struct err *err = go_io_init_sparse(&io, l->s->go);

	if (!err)
		err = see_waiters(l, &x);
	if (!err && x.waiters.n)
		qsort_r(x.waiters.v, x.waiters.n, sizeof(x.waiters.v[0]), by_lock,
			l->s->stacks.gs.v);
	if (!err)
		err = make_locks(l, &io, &x);
	if (!err && x.locks.n && x.locks.v[0].nwaiters >= least)
		err = look_lock_holders(l, &io, &x);
	if (err)
		return err;
	*ret = x;
	x = (struct look_locks){ 0 };
	return NULL;
}
