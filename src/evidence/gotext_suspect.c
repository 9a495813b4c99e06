/*
 * gotext_suspect.c - which waits look like goroutines that were left behind.
 *
 * From text alone: numbers, ages, and who stays from dump to dump.  Healthy programs park many
 * goroutines: helpers of libraries, workers at one queue, connections that wait for the next
 * request. Those are not named.  Thresholds stand below, with their reasons.
 */
#include "evidence/gotext.h"

enum {
	NEVER_MIN = 4,	    /* one select {} in main is how programs wait for their end */
	GROWN_MIN = 10,	    /* fewer more may be the load of the moment */
	GROWN_MIN_TWO = 20, /* where two dumps are all there is */
	STAYED_PERCENT = 90,
	BLOCKED_MIN = 50,
	BLOCKED_MINUTES = 5, /* senders that nobody takes from */
	SPREAD_MIN = 100,
	SPREAD_MINUTES = 10,
	SPREAD_AGES = 4,
	LOCK_MIN = 16,
	LOCK_MINUTES = 1,
};

struct pool {
	const char *function, *state, *words; /* state NULL: any */
};

/* By what they were started with. */
static const struct pool pools[] = {
	{ "net/http.(*conn).serve", NULL, "connections of an HTTP server" },
	{ "net/http.(*connReader).backgroundRead", NULL, "connections of an HTTP server" },
	{ "net/http.(*persistConn).readLoop", "IO wait", "idle connections of an HTTP client" },
	{ "net/http.(*persistConn).writeLoop", NULL, "connections of an HTTP client" },
	{ "net/http.(*http2ClientConn).readLoop", "IO wait", "connections of an HTTP/2 client" },
	{ "net/http.(*http2serverConn).readFrames", NULL, "connections of an HTTP/2 server" },
	{ "golang.org/x/net/http2.", NULL, "connections of HTTP/2" },
	{ "google.golang.org/grpc/internal/transport.", NULL, "connections of gRPC" },
	{ "google.golang.org/grpc/internal/grpcsync.", NULL, "a helper of gRPC" },
	{ "google.golang.org/grpc.(*", NULL, "a helper of gRPC" },
	{ "database/sql.(*DB).connectionOpener", NULL, "the opener of a sql.DB" },
	{ "database/sql.(*DB).connectionCleaner", NULL, "the cleaner of a sql.DB" },
	{ "os/signal.loop", NULL, "the signal handler" },
	{ "os/signal.signal_recv", NULL, "the signal handler" },
	{ "runtime.", NULL, "a helper of the runtime" },
	{ "testing.", NULL, "a test" },
	{ "go.opencensus.io/", NULL, "a worker of OpenCensus" },
	{ "github.com/golang/glog.", NULL, "a flusher of logs" },
	{ "k8s.io/klog", NULL, "a flusher of logs" },
};

const char *gotext_idle(const struct gotext *g, uint32_t stack, uint32_t state)
{
	const char *entry = gotext_text(g, g->stacks.v[stack].entry), *is = gotext_text(g, state);

	for (size_t i = 0; i < ARRAY_LEN(pools); i++)
		if (!strncmp(entry, pools[i].function, strlen(pools[i].function)) &&
		    (!pools[i].state || !strncmp(is, pools[i].state, strlen(pools[i].state))))
			return pools[i].words;
	return NULL;
}

static bool is_one_of(const char *state, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(state, *words))
			return true;
	return false;
}

/* In a profile there is no state. */
static bool may_stay(const char *state)
{
	static const char *const waits[] = { "",
					     "chan receive",
					     "chan send",
					     "select",
					     "semacquire",
					     "IO wait",
					     "sync.Mutex.Lock",
					     "sync.RWMutex.Lock",
					     "sync.RWMutex.RLock",
					     "sync.WaitGroup.Wait",
					     "sync.Cond.Wait",
					     "sleep",
					     "leaked",
					     "chan receive (nil chan)",
					     "chan send (nil chan)",
					     "select (no cases)",
					     "coroutine",
					     "waiting",
					     NULL };

	return is_one_of(state, waits);
}

static bool is_never(const char *state)
{
	static const char *const waits[] = { "chan receive (nil chan)", "chan send (nil chan)",
					     "select (no cases)", NULL };

	return is_one_of(state, waits);
}

static bool is_lock(const struct gotext *g, const struct gotext_tally *t)
{
	static const char *const waits[] = { "sync.Mutex.Lock", "sync.RWMutex.Lock",
					     "sync.RWMutex.RLock", NULL };
	const char *state = gotext_text(g, t->state);

	return is_one_of(state, waits) || (!strcmp(state, "semacquire") &&
					   gotext_wait_of(g, t->stack) == GOTEXT_WAIT_LOCK);
}

/* Response bodies that nobody read to their end, nor closed. */
static bool is_bodies(const struct gotext *g, const struct gotext_tally *t)
{
	return !strcmp(gotext_text(g, g->stacks.v[t->stack].entry),
		       "net/http.(*persistConn).readLoop") &&
	       !strncmp(gotext_text(g, t->state), "select", 6);
}

static bool grows(const struct gotext_series *s, const struct gotext_growth *r)
{
	uint32_t grown = r->last > r->first ? r->last - r->first : 0;
	uint32_t want = s->dumps.n > 2 ? GROWN_MIN : GROWN_MIN_TWO;

	/* at the end it is what it ever was, and on the way it hardly fell */
	if (s->dumps.n < 2 || grown < want || r->most > r->last || r->falls * 4 > s->dumps.n)
		return false;
	if (!s->has_ids)
		return grown >= r->first / 2;
	return r->stayed * 100 >= r->first * STAYED_PERCENT &&
	       (uint64_t)r->stayed_before * 100 >= (uint64_t)r->before * STAYED_PERCENT &&
	       r->before > 0;
}

/* checkdead() counts what is not the runtime's own: each waits, and nothing is left that could wake
 * it. */
static bool is_dead(const struct gotext *g, const struct gotext_tally *t)
{
	const char *state = gotext_text(g, t->state);

	return gotext_is_deadlock(g, g->kept) && *state && may_stay(state) &&
	       strncmp(gotext_text(g, g->stacks.v[t->stack].entry), "runtime.", 8) != 0;
}

static uint32_t reasons(const struct gotext *g, const struct gotext_series *s,
			const struct gotext_tally *t, const struct gotext_growth *r)
{
	const char *state = gotext_text(g, t->state);
	uint32_t why = t->leaked ? GOTEXT_WHY_RUNTIME : 0;

	if (is_dead(g, t))
		why |= GOTEXT_WHY_DEADLOCK;
	if (is_never(state) && t->count >= NEVER_MIN)
		why |= GOTEXT_WHY_NEVER;
	if (!may_stay(state) || (!is_bodies(g, t) && gotext_idle(g, t->stack, t->state)))
		return why;
	if (r && grows(s, r))
		why |= GOTEXT_WHY_GROWS;
	if (is_lock(g, t) && t->count >= LOCK_MIN && t->max_minutes >= LOCK_MINUTES)
		why |= GOTEXT_WHY_LOCK;
	if (!strcmp(state, "chan send") && t->count >= BLOCKED_MIN &&
	    t->max_minutes >= BLOCKED_MINUTES)
		why |= GOTEXT_WHY_OLD;
	/* workers at one queue have one argument in common, and one line of code started them */
	if ((!strcmp(state, "chan receive") || !strcmp(state, "select")) &&
	    t->count >= SPREAD_MIN && t->max_minutes >= SPREAD_MINUTES && t->ages >= SPREAD_AGES &&
	    t->args_seen != 1)
		why |= GOTEXT_WHY_SPREAD;
	if ((why & ~(uint32_t)GOTEXT_WHY_DEADLOCK) && is_bodies(g, t))
		why |= GOTEXT_WHY_BODIES;
	return why;
}

struct ranking {
	const struct gotext *g;
};

static int worst_first(const void *x, const void *y, void *arg)
{
	const struct gotext *g = ((const struct ranking *)arg)->g;
	const struct gotext_suspect *p = x, *q = y;
	uint32_t a = g->tallies.v[p->tally].count, b = g->tallies.v[q->tally].count;
	bool i = p->why & GOTEXT_WHY_SAID, j = q->why & GOTEXT_WHY_SAID;

	if (i != j)
		return i ? -1 : 1;
	if (a != b)
		return a < b ? 1 : -1;
	return (p->tally > q->tally) - (p->tally < q->tally);
}

struct err *gotext_suspects(const struct gotext *g, const struct gotext_series *s,
			    struct gotext_suspects *ret)
{
	const struct gotext_dump *d = &g->dumps.v[g->kept];
	_cleanup_(freep) uint32_t *row = malloc((d->ntallies + 1) * sizeof(*row));
	struct ranking rank = { g };

	if (!row)
		return &err_nomem;
	memset(row, 0xff, (d->ntallies + 1) * sizeof(*row));
	for (size_t i = 0; i < s->rows.n; i++)
		if (s->rows.v[i].tally != GOTEXT_NONE)
			row[s->rows.v[i].tally - d->first_tally] = (uint32_t)i;
	for (uint32_t i = 0; i < d->ntallies; i++) {
		const struct gotext_tally *t = &g->tallies.v[d->first_tally + i];
		struct gotext_suspect x = { d->first_tally + i, row[i], 0 };

		x.why = reasons(g, s, t, row[i] == GOTEXT_NONE ? NULL : &s->rows.v[row[i]]);
		if (x.why && !vec_push(&ret->v, x))
			return &err_nomem;
	}
	if (ret->v.n)
		qsort_r(ret->v.v, ret->v.n, sizeof(ret->v.v[0]), worst_first, &rank);
	return NULL;
}
