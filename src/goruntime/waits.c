/*
 * waits.c - what blocked goroutines wait for, by their sudogs.
 *
 * Source: runtime/runtime2.go (sudog), chan.go and select.go (g.waiting), sema.go (semaRoot.queue,
 * notifyListWait), mgc.go (isMaybeRunnable), mgcmark.go (internalBlocked).  From 1.26 on g.waiting
 * leads to every sudog; before, those of locks are found in the frames of the functions that
 * wait.  Knows no graph.  Cost: two small reads a waiting goroutine, blocks of them kept.
 */
#include "goruntime/waits.h"

#include "base/cycle.h"
#include "base/par.h"
#include "goruntime/heap_io.h"

enum { SUDOG_MAX = 256, THINGS_MAX = 1 << 16, FRAMES_LOOKED = 8, REASONS_MAX = 256 };

/* Reasons of one version by number. */
struct reasons {
	uint8_t what[REASONS_MAX]; /* enum go_wait_what + 1; 0: not ours */
};

struct worker {
	struct go_io io;
	VEC(struct go_wait_thing) things;
};

struct job {
	const struct go *g;
	const struct go_stacks *s;
	struct reasons reasons;
	struct go_waiter *waiters; /* by goroutine; n and first of its worker's things */
	uint8_t *worker;	   /* by goroutine: whose things, + 1; 0: does not wait so */
	struct worker *workers;
	unsigned nworkers;
};

static const struct {
	const char *reason;
	uint8_t what;
} known[] = {
	/* runtime2.go, waitReasonStrings; "semacquire" is what 1.18 to 1.24 say of some locks */
	{ "select (no cases)", GO_WAIT_NOTHING },
	{ "chan receive (nil chan)", GO_WAIT_NIL_CHAN },
	{ "chan send (nil chan)", GO_WAIT_NIL_CHAN },
	{ "chan receive", GO_WAIT_RECEIVE },
	{ "chan send", GO_WAIT_SEND },
	{ "select", GO_WAIT_SELECT },
	{ "sync.Mutex.Lock", GO_WAIT_MUTEX },
	{ "sync.RWMutex.RLock", GO_WAIT_RWMUTEX },
	{ "sync.RWMutex.Lock", GO_WAIT_RWMUTEX },
	{ "sync.WaitGroup.Wait", GO_WAIT_GROUP },
	{ "sync.Cond.Wait", GO_WAIT_COND },
	{ "semacquire", GO_WAIT_SEMAPHORE },
};

const char *go_wait_what_word(uint8_t what)
{
	static const char *const words[] = { "nothing", "nil channel", "channel", "channel",
					     "channel", "mutex",       "rwmutex", "waitgroup",
					     "cond",	"semaphore" };

	return what < ARRAY_LEN(words) ? words[what] : "";
}

static void index_reasons(const struct go_layout *L, struct reasons *r)
{
	for (uint32_t i = 0; i < MIN(L->nwait_reasons, (uint32_t)REASONS_MAX); i++)
		for (size_t k = 0; k < ARRAY_LEN(known); k++)
			if (L->wait_reasons[i] && !strcmp(L->wait_reasons[i], known[k].reason))
				r->what[i] = (uint8_t)(known[k].what + 1);
}

/* Waiting, also where the runtime's own search has found it leaked (_Gleaked, 1.26). */
static bool is_waiting(const struct go_layout *L, const struct go_goroutine *gr)
{
	return (L->c_Gwaiting > 0 && gr->status == (uint32_t)L->c_Gwaiting) ||
	       (L->c_Gleaked > 0 && gr->status == (uint32_t)L->c_Gleaked);
}

/* Name of a physical frame's function; "" unknown. */
static const char *frame_name(const struct job *j, const struct go_goroutine *gr, size_t i)
{
	struct go_func f;
	taddr pc = i < gr->nframes ? j->s->frames.v[gr->first_frame + i].func_entry : 0;

	return pc && go_func_at(j->g, pc, &f) && f.name ? f.name : "";
}

/* What a "semacquire" is for: locks of package sync; poll's and the runtime's own are not ours. */
static uint8_t semaphore_of(const struct job *j, const struct go_goroutine *gr)
{
	static const struct {
		const char *function;
		uint8_t what;
	} callers[] = {
		{ "sync.(*WaitGroup).Wait", GO_WAIT_GROUP },
		{ "sync.(*Mutex).lockSlow", GO_WAIT_MUTEX },
		{ "sync.(*RWMutex).Lock", GO_WAIT_RWMUTEX },
		{ "sync.(*RWMutex).RLock", GO_WAIT_RWMUTEX },
	};
	bool sync = false;

	for (size_t i = 0; i < MIN(gr->nframes, (size_t)FRAMES_LOOKED); i++) {
		const char *name = frame_name(j, gr, i);

		for (size_t k = 0; k < ARRAY_LEN(callers); k++)
			if (!strcmp(name, callers[k].function))
				return (uint8_t)(callers[k].what + 1);
		sync |= !strncmp(name, "sync.runtime_Semacquire", 23);
	}
	return sync ? GO_WAIT_SEMAPHORE + 1 : 0;
}

static uint8_t what_of(const struct job *j, const struct go_goroutine *gr)
{
	uint8_t what = gr->wait_reason < REASONS_MAX ? j->reasons.what[gr->wait_reason] : 0;

	if (gr->dead || gr->system || !is_waiting(j->g->L, gr))
		return 0;
	return what == GO_WAIT_SEMAPHORE + 1 ? semaphore_of(j, gr) : what;
}

/* maybeTraceablePtr (1.26): of the two words the second is the truth; before, there is one. */
static taddr get_ptr(const uint8_t *b, struct go_field f)
{
	if (f.off < 0)
		return 0;
	return f.bytes >= 16 ? load_u64(b + f.off + f.bytes - 8) : load_u64(b + f.off);
}

static struct err *read_sudog(struct worker *w, taddr at, uint8_t *b)
{
	return go_io_read(&w->io, at, b, w->io.g->L->sudog_bytes);
}

/* chan.go, waitq.dequeue: who was taken from the head of its queue is about to run. */
static struct err *still_queued(struct worker *w, taddr chan, taddr sudog, const uint8_t *b,
				uint8_t *state)
{
	const struct go_layout *L = w->io.g->L;
	uint64_t first[2] = { sudog, 0 };
	struct err *err;

	if (go_get(b, L->sudog_prev) || !go_has(L->hchan_recvq_first) ||
	    !go_has(L->hchan_sendq_first))
		return NULL;
	err = go_io_read(&w->io, chan + (uint64_t)L->hchan_recvq_first.off, &first[0], 8);
	if (!err)
		err = go_io_read(&w->io, chan + (uint64_t)L->hchan_sendq_first.off, &first[1], 8);
	if (!err && first[0] != sudog && first[1] != sudog)
		*state = GO_WAIT_WOKEN;
	return err;
}

static struct err *push_thing(struct worker *w, struct go_waiter *x, taddr at, taddr sudog)
{
	if (!vec_push(&w->things, ((struct go_wait_thing){ at, sudog })))
		return &err_nomem;
	x->n++;
	return NULL;
}

/* chan.go, select.go: one sudog a channel from g.waiting on, by waitlink. */
static struct err *channels(struct worker *w, const struct go_goroutine *gr, struct go_waiter *x)
{
	const struct go_layout *L = w->io.g->L;
	struct cycle round = { 0 };
	uint8_t b[SUDOG_MAX];
	struct err *err = NULL;

	for (taddr at = gr->waiting; at && !err; at = go_get(b, L->sudog_waitlink)) {
		taddr chan;

		if (cycle_closed(&round, at) || x->n == THINGS_MAX)
			return err_bad_data("its sudogs do not end");
		err = read_sudog(w, at, b);
		if (err)
			return err;
		chan = get_ptr(b, L->sudog_c);
		if (load_u64(b + L->sudog_g.off) != gr->g || !chan)
			return err_bad_data("no sudog of its own");
		err = push_thing(w, x, chan, at);
		if (!err)
			err = still_queued(w, chan, at, b, &x->state);
	}
	return err ? err : x->n ? NULL : err_bad_data("no sudog");
}

/* The sudog of a lock: g.waiting from 1.26 on, else a local of the function that waits. */
static struct err *lock_sudog(const struct job *j, struct worker *w, const struct go_goroutine *gr,
			      uint8_t *b, taddr *ret)
{
	size_t i = (size_t)(gr - j->s->gs.v), hi = j->s->slot_first.v[i + 1];
	struct err *err = NULL;

	*ret = gr->waiting;
	if (gr->waiting)
		return read_sudog(w, gr->waiting, b);
	for (size_t k = j->s->slot_first.v[i]; k < hi && !err; k++) {
		const struct go_slot *slot = &j->s->slots.v[k];

		if (slot->frame >= gr->first_frame + FRAMES_LOOKED || (slot->value & 7))
			continue;
		err = read_sudog(w, slot->value, b);
		if (err_catch(&err, ERR_FAULT))
			continue;
		if (!err && load_u64(b + j->g->L->sudog_g.off) == gr->g) {
			*ret = slot->value;
			return NULL;
		}
	}
	return err ? err : err_bad_data("its sudog is in no frame");
}

/* sema.go, semaRoot.queue: the address waited on; dequeue() sets it to nil. */
static struct err *semaphore(const struct job *j, struct worker *w, const struct go_goroutine *gr,
			     struct go_waiter *x)
{
	uint8_t b[SUDOG_MAX];
	taddr at;
	struct err *err = lock_sudog(j, w, gr, b, &at);

	if (err)
		return err;
	if (!get_ptr(b, j->g->L->sudog_elem)) {
		x->state = GO_WAIT_WOKEN;
		return NULL;
	}
	return push_thing(w, x, get_ptr(b, j->g->L->sudog_elem), at);
}

/*
 * sync/runtime.go, notifyList {wait, notify uint32; lock uintptr; head, tail unsafe.Pointer}, the
 * same in all versions: the last of the list has no next, and who is not in it is being woken.
 */
enum { NOTIFY_LIST_TAIL = 24, COND_NOTIFY_LIST = 16 };

static void still_listed(struct worker *w, taddr list, taddr sudog, const uint8_t *b,
			 uint8_t *state)
{
	_cleanup_(err_freep) struct err *err = NULL;
	uint64_t tail = sudog;

	if (go_get(b, w->io.g->L->sudog_next))
		return;
	err = go_io_read(&w->io, list + NOTIFY_LIST_TAIL, &tail, sizeof(tail));
	if (!err && tail != sudog)
		*state = GO_WAIT_WOKEN;
}

/*
 * sema.go, notifyListWait: from 1.26 on the sudog knows the list.  Before, the Cond is among the
 * pointers of (*Cond).Wait's frame; any of them that lives keeps it from being called leaked.
 */
static struct err *condition(const struct job *j, struct worker *w, const struct go_goroutine *gr,
			     struct go_waiter *x)
{
	size_t i = (size_t)(gr - j->s->gs.v), hi = j->s->slot_first.v[i + 1];
	uint8_t b[SUDOG_MAX];
	taddr at;
	struct err *err = lock_sudog(j, w, gr, b, &at);

	if (err)
		return err;
	if (get_ptr(b, j->g->L->sudog_elem)) {
		still_listed(w, get_ptr(b, j->g->L->sudog_elem), at, b, &x->state);
		return push_thing(w, x, get_ptr(b, j->g->L->sudog_elem), at);
	}
	for (size_t k = j->s->slot_first.v[i]; k < hi && !err; k++) {
		const struct go_slot *slot = &j->s->slots.v[k];
		size_t frame = slot->frame - gr->first_frame;

		if (slot->frame < gr->first_frame || frame >= MIN(gr->nframes, FRAMES_LOOKED) ||
		    strcmp(frame_name(j, gr, frame), "sync.(*Cond).Wait"))
			continue;
		still_listed(w, slot->value + COND_NOTIFY_LIST, at, b, &x->state);
		err = push_thing(w, x, slot->value, 0);
	}
	return err ? err : x->n ? NULL : err_bad_data("its sync.Cond is in no frame");
}

static struct err *read_waiter(struct job *j, struct worker *w, const struct go_goroutine *gr,
			       struct go_waiter *x)
{
	switch (x->what) {
	case GO_WAIT_NOTHING:
	case GO_WAIT_NIL_CHAN:
		x->state = GO_WAIT_NEVER;
		return NULL;
	case GO_WAIT_RECEIVE:
	case GO_WAIT_SEND:
	case GO_WAIT_SELECT:
		return channels(w, gr, x);
	case GO_WAIT_COND:
		return condition(j, w, gr, x);
	default:
		return semaphore(j, w, gr, x);
	}
}

static struct err *some(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct job *j = arg;
	struct worker *w = &j->workers[worker];

	for (size_t i = lo; i < hi; i++) {
		const struct go_goroutine *gr = &j->s->gs.v[i];
		uint8_t what = what_of(j, gr);
		struct go_waiter *x = &j->waiters[i];
		struct err *err;

		if (!what)
			continue;
		*x = (struct go_waiter){ .g = i,
					 .what = (uint8_t)(what - 1),
					 .state = GO_WAIT_ON,
					 .first = w->things.n };
		j->worker[i] = (uint8_t)(worker + 1);
		err = read_waiter(j, w, gr, x);
		if (err && (err->code == ERR_NOMEM || err->code == ERR_GONE))
			return err;
		if (err) {
			x->state = GO_WAIT_UNKNOWN;
			err_free(err);
		}
	}
	return NULL;
}

static struct err *put_together(const struct job *j, struct go_waits *ret)
{
	for (size_t i = 0; i < j->s->gs.n; i++) {
		struct go_waiter x = j->waiters[i];
		const struct worker *w;

		if (!j->worker[i])
			continue;
		w = &j->workers[j->worker[i] - 1];
		x.first = ret->things.n;
		for (size_t k = 0; k < x.n; k++)
			if (!vec_push(&ret->things, w->things.v[j->waiters[i].first + k]))
				return &err_nomem;
		if (!vec_push(&ret->v, x))
			return &err_nomem;
	}
	return NULL;
}

static void job_deinit(struct job *j)
{
	for (unsigned i = 0; j->workers && i < j->nworkers; i++) {
		go_io_deinit(&j->workers[i].io);
		vec_free(&j->workers[i].things);
	}
	free(j->workers);
	free(j->worker);
	free(j->waiters);
}

static struct err *job_init(struct job *j)
{
	struct err *err = NULL;

	j->workers = zalloc(j->nworkers, sizeof(*j->workers));
	j->waiters = zalloc(j->s->gs.n, sizeof(*j->waiters));
	j->worker = zalloc(j->s->gs.n, 1);
	if (!j->workers || !j->waiters || !j->worker)
		return &err_nomem;
	for (unsigned i = 0; i < j->nworkers && !err; i++)
		err = go_io_init_sparse(&j->workers[i].io, j->g);
	return err;
}

void go_waits_deinit(struct go_waits *w)
{
	vec_free(&w->v);
	vec_free(&w->things);
}

struct err *go_waits_read(const struct go *g, const struct go_stacks *s, unsigned nthreads,
			  struct go_waits *ret)
{
	_cleanup_(job_deinit) struct job j = { .g = g, .s = s };
	_cleanup_(go_waits_deinit) struct go_waits out = { 0 };
	const struct go_layout *L = g->L;
	struct err *err;

	*ret = out;
	if (!L->sudog_bytes || L->sudog_bytes > SUDOG_MAX || !go_has(L->sudog_g) ||
	    !go_has(L->sudog_c) || !go_has(L->sudog_elem))
		return NULL; /* nothing is known of who waits: nothing is called leaked */
	j.nworkers = MIN(nthreads ? nthreads : par_default_threads(), 64U);
	index_reasons(L, &j.reasons);
	err = job_init(&j);
	if (!err)
		err = par_for(j.nworkers, s->gs.n, 256, some, &j);
	if (!err)
		err = put_together(&j, &out);
	if (err)
		return err_prefix(err, "what goroutines wait for");
	*ret = out;
	out = (struct go_waits){ 0 };
	return NULL;
}
