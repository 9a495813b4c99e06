/*
 * gotext_locks.c - who waits for which lock, by the addresses that a traceback shows.
 *
 * lockSlow has the mutex's own address as its argument.  What has a "?" behind it is whatever has
 * been written there since: Semacquire's are never believed, and so readers of an RWMutex, whose
 * RLock is inlined, wait for what is not known.  Who holds it no traceback says: candidates have
 * the lock, or what it lies in, as an argument of some call, and do not wait for a lock.  Source:
 * sync/mutex.go, internal/sync/mutex.go, sync/rwmutex.go (struct RWMutex), sync/runtime.go.
 */
#include "evidence/gotext.h"

enum { MUTEX, RWMUTEX };
/* Farther from its beginning a lock is hardly one of that struct's. */
enum { STRUCT_MAX = 4096 };

static const struct {
	const char *function;
	unsigned what;
} calls[] = {
	{ "sync.(*Mutex).lockSlow", MUTEX },
	{ "internal/sync.(*Mutex).lockSlow", MUTEX },
	{ "sync.(*RWMutex).Lock", RWMUTEX },
	{ "sync.(*RWMutex).RLock", RWMUTEX },
};

/* The innermost of these tells: a Cond that was woken waits for its lock. */
static const struct {
	const char *begins;
	enum gotext_wait is;
} waits_by_call[] = {
	{ "sync.runtime_SemacquireMutex", GOTEXT_WAIT_LOCK },
	{ "sync.runtime_SemacquireRWMutex", GOTEXT_WAIT_LOCK },
	{ "internal/sync.runtime_SemacquireMutex", GOTEXT_WAIT_LOCK },
	{ "sync.(*Mutex).", GOTEXT_WAIT_LOCK },
	{ "sync.(*RWMutex).", GOTEXT_WAIT_LOCK },
	{ "internal/sync.(*Mutex).", GOTEXT_WAIT_LOCK },
	{ "sync.(*WaitGroup).", GOTEXT_WAIT_GROUP },
	{ "sync.(*Cond).", GOTEXT_WAIT_COND },
	{ "golang.org/x/sync/semaphore.(*Weighted).", GOTEXT_WAIT_WEIGHTED },
};

struct wait {
	uint64_t addr;
	uint32_t g, word, frame; /* frame: of the outermost call of package sync */
};
typedef VEC(struct wait) waits;

static const char *function_at(const struct gotext *g, const struct gotext_goroutine *c, uint32_t i)
{
	const struct gotext_stack *s = &g->stacks.v[c->stack];

	return i < s->n ? gotext_text(g, gotext_frame_of(g, s, i)->function) : "";
}

static const struct gotext_arg *arg_of(const struct gotext *g, const struct gotext_goroutine *c,
				       uint32_t frame)
{
	for (uint32_t i = 0; i < c->nargs; i++)
		if (g->args.v[c->first_arg + i].frame == frame)
			return &g->args.v[c->first_arg + i];
	return NULL;
}

static bool is_sync(const char *f)
{
	return !strncmp(f, "sync.", 5) || !strncmp(f, "internal/sync.", 14) ||
	       !strncmp(f, "runtime.", 8);
}

static enum gotext_wait wait_by_call(const char *f)
{
	for (size_t i = 0; i < ARRAY_LEN(waits_by_call); i++)
		if (!strncmp(f, waits_by_call[i].begins, strlen(waits_by_call[i].begins)))
			return waits_by_call[i].is;
	return GOTEXT_WAIT_OTHER;
}

enum gotext_wait gotext_wait_of(const struct gotext *g, uint32_t stack)
{
	const struct gotext_stack *s = &g->stacks.v[stack];

	for (uint32_t i = 0; i < s->n; i++) {
		const char *f = gotext_text(g, gotext_frame_of(g, s, i)->function);
		enum gotext_wait is = wait_by_call(f);

		if (is != GOTEXT_WAIT_OTHER)
			return is;
		if (!is_sync(f))
			break;
	}
	return GOTEXT_WAIT_OTHER;
}

/* The outermost one wins: an RWMutex waits in its own Mutex. */
static bool wait_of(const struct gotext *g, uint32_t at, struct wait *ret)
{
	const struct gotext_goroutine *c = &g->gs.v[at];
	struct wait w = { .g = at };

	for (uint32_t i = 0; is_sync(function_at(g, c, i)); i++) {
		const struct gotext_arg *a = arg_of(g, c, i);

		w.frame = i;
		for (size_t k = 0; k < ARRAY_LEN(calls); k++) {
			if (strcmp(function_at(g, c, i), calls[k].function) != 0)
				continue;
			if (a && !a->unsure)
				w.addr = a->value;
			/* its own Mutex is the first in an RWMutex: one address */
			w.word = calls[k].what;
		}
	}
	*ret = w;
	return w.addr != 0;
}

static int by_addr(const void *x, const void *y)
{
	const struct wait *p = x, *q = y;

	if (p->addr != q->addr)
		return p->addr < q->addr ? -1 : 1;
	return (p->g > q->g) - (p->g < q->g);
}

/* Who waits for a group or a Cond may well hold a lock meanwhile. */
static bool waits_for_lock(const struct gotext *g, uint32_t at)
{
	return gotext_wait_of(g, g->gs.v[at].stack) == GOTEXT_WAIT_LOCK;
}

/* What the waiters' own calls have as their first argument: mostly the struct that the lock is in.
 */
static uint64_t receiver_of(const struct gotext *g, const struct wait *w)
{
	const struct gotext_arg *a = arg_of(g, &g->gs.v[w->g], w->frame + 1);

	return a && !a->unsure && w->addr >= a->value && w->addr - a->value < STRUCT_MAX ? a->value : 0;
}

static bool has_arg(const struct gotext *g, const struct gotext_goroutine *c, uint32_t from,
		    uint64_t lock, uint64_t receiver)
{
	for (uint32_t i = 0; i < c->nargs; i++) {
		const struct gotext_arg *a = &g->args.v[c->first_arg + i];

		if (a->frame >= from && !a->unsure &&
		    (a->value == lock || (receiver && a->value == receiver)) &&
		    !is_sync(function_at(g, c, a->frame)))
			return true;
	}
	return false;
}

/* What is known of the waiters of one lock. */
struct crowd {
	uint64_t lock, receiver; /* receiver: what it lies in; 0 not known */
	const char *method;	 /* of that, which locks: "main.(*store).get"; NULL */
	size_t ntype;		 /* of it "main.(*store)." */
};

/* Same method, same type, and its receiver is not shown: inlined, or its slot was used again. */
static bool may_have(const struct gotext *g, const struct gotext_goroutine *c,
		     const struct crowd *w)
{
	for (uint32_t i = 0; w->method && *function_at(g, c, i); i++) {
		const struct gotext_arg *a = arg_of(g, c, i);

		if (!strncmp(function_at(g, c, i), w->method, w->ntype) && (!a || a->unsure))
			return true;
	}
	return false;
}

/*
 * Who waits for a lock himself counts where an outer call of his has it: the one that locks needs
 * its receiver for the lock that it waits for, which may be another one of the same struct.
 */
static bool waits_and_holds(const struct gotext *g, uint32_t at, const struct crowd *w)
{
	const struct gotext_goroutine *c = &g->gs.v[at];
	struct wait own;
	bool far;

	if (!has_arg(g, c, 0, w->lock, w->receiver))
		return false;
	far = wait_of(g, at, &own) && own.addr - w->receiver >= STRUCT_MAX;
	return own.addr != w->lock && has_arg(g, c, far ? 0 : own.frame + 2, w->lock, w->receiver);
}

/* What a stack tells of all goroutines that have it. */
struct stack_look {
	bool waits; /* for a lock */
	bool typed; /* runs a method of what the lock lies in */
};

static struct stack_look look_at(const struct gotext *g, uint32_t at, const struct crowd *w)
{
	const struct gotext_goroutine *c = &g->gs.v[at];
	struct stack_look x = { .waits = waits_for_lock(g, at) };

	for (uint32_t i = 0; w->method && !x.typed && i < g->stacks.v[c->stack].n; i++)
		x.typed = !strncmp(function_at(g, c, i), w->method, w->ntype);
	return x;
}

static struct crowd make_crowd(const struct gotext *g, const struct wait *w, size_t n)
{
	struct crowd x = { .lock = w->addr };

	for (size_t i = 0; i < n && !x.receiver; i++) {
		const char *f = function_at(g, &g->gs.v[w[i].g], w[i].frame + 1);
		const char *end = strstr(f, ").");

		x.receiver = receiver_of(g, &w[i]);
		if (!x.receiver || !end)
			continue;
		x.method = f;
		x.ntype = (size_t)(end - f) + 2;
	}
	return x;
}

/* Where no call shows it.  More than can be named are no hint.  They lie in the order of stacks. */
static void find_maybes(const struct gotext *g, const struct crowd *x, struct gotext_lock *l)
{
	struct stack_look look = { 0 };
	uint32_t n = 0;

	for (uint32_t i = 0; i < g->gs.n; i++) {
		const struct gotext_goroutine *c = &g->gs.v[i];

		if (!i || c[-1].stack != c->stack)
			look = look_at(g, i, x);
		if (look.waits ? !waits_and_holds(g, i, x) : !look.typed || !may_have(g, c, x))
			continue;
		if (n == ARRAY_LEN(l->holder))
			return;
		l->holder[n++] = i;
	}
	l->nholders = n;
}

static void find_holders(const struct gotext *g, const struct wait *w, size_t n,
			 struct gotext_lock *l)
{
	struct crowd x = make_crowd(g, w, n);

	for (uint32_t i = 0; i < g->gs.n && l->nholders < ARRAY_LEN(l->holder); i++)
		if (has_arg(g, &g->gs.v[i], 0, l->addr, x.receiver) && !waits_for_lock(g, i))
			l->holder[l->nholders++] = i;
	l->shown = l->nholders != 0;
	if (!l->shown)
		find_maybes(g, &x, l);
	/* a method that locks, calls another one that locks the same */
	for (size_t i = 0; i < n && l->itself == GOTEXT_NONE; i++)
		if (has_arg(g, &g->gs.v[w[i].g], w[i].frame + 2, l->addr, x.receiver))
			l->itself = w[i].g;
}

static struct gotext_lock make_lock(const struct gotext *g, const struct wait *w, size_t n)
{
	struct gotext_lock l = {
		.addr = w->addr,
		.waiters = (uint32_t)n,
		.example = w->g,
		.itself = GOTEXT_NONE,
	};

	l.word = "sync.Mutex";
	for (size_t i = 0; i < n; i++) {
		l.oldest_minutes = MAX(l.oldest_minutes, g->gs.v[w[i].g].minutes);
		if (w[i].word != MUTEX)
			l.word = "sync.RWMutex";
	}
	/* many waiters times all goroutines: of a crowd the first are as good as all */
	find_holders(g, w, MIN(n, (size_t)64), &l);
	return l;
}

/* Does each of its candidates wait for some lock, whose candidates wait for this one? */
static void find_circles(const struct gotext *g, const waits *ws, struct gotext_locks *ls)
{
	(void)g;
	for (size_t i = 0; i < ls->v.n; i++)
		for (uint32_t h = 0; h < ls->v.v[i].nholders; h++)
			for (size_t k = 0; k < ls->v.n; k++) {
				const struct gotext_lock *m = &ls->v.v[k];
				bool there = false, back = false;

				for (size_t x = 0; x < ws->n && k != i; x++) {
					there |= ws->v[x].addr == m->addr &&
						 ws->v[x].g == ls->v.v[i].holder[h];
					for (uint32_t b = 0; b < m->nholders; b++)
						back |= ws->v[x].addr == ls->v.v[i].addr &&
							ws->v[x].g == m->holder[b];
				}
				ls->v.v[i].circle |= there && back;
			}
}

static int most_waiters_first(const void *x, const void *y)
{
	const struct gotext_lock *p = x, *q = y;

	if (p->waiters != q->waiters)
		return p->waiters < q->waiters ? 1 : -1;
	return (p->addr > q->addr) - (p->addr < q->addr);
}

enum { LOCKS_MAX = 256, CIRCLE_LOCKS = 32, CIRCLE_WAITS = 4096 };

struct err *gotext_locks(const struct gotext *g, struct gotext_locks *ret)
{
	waits ws = { 0 };
	struct err *err = NULL;

	for (uint32_t i = 0; i < g->gs.n && !err; i++) {
		struct wait w;

		if (wait_of(g, i, &w) && !vec_push(&ws, w))
			err = &err_nomem;
	}
	if (ws.n && !err)
		qsort(ws.v, ws.n, sizeof(ws.v[0]), by_addr);
	for (size_t i = 0, n; i < ws.n && !err && ret->v.n < LOCKS_MAX; i += n) {
		for (n = 1; i + n < ws.n && ws.v[i + n].addr == ws.v[i].addr; n++)
			;
		if (!vec_push(&ret->v, make_lock(g, ws.v + i, n)))
			err = &err_nomem;
	}
	if (!err && ret->v.n <= CIRCLE_LOCKS && ws.n <= CIRCLE_WAITS)
		find_circles(g, &ws, ret);
	if (ret->v.n)
		qsort(ret->v.v, ret->v.n, sizeof(ret->v.v[0]), most_waiters_first);
	vec_free(&ws);
	return err;
}

bool gotext_waits_for(const struct gotext *g, size_t at, uint64_t *ret_addr, const char **ret_word)
{
	struct wait w;

	if (at >= g->gs.n || !wait_of(g, (uint32_t)at, &w))
		return false;
	*ret_addr = w.addr;
	*ret_word = w.word == MUTEX ? "sync.Mutex" : "sync.RWMutex";
	return true;
}
