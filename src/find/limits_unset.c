/*
 * limits_unset.c - servers, clients and pools without the limit that matters at this instant.
 *
 * That a limit is not set is no fault; that goroutines or connections hang on it is one.  A client
 * whose requests carry a deadline of their own has one.  Which ones are set: look_limits.h.
 */
#include "find/look_limits.h"
#include "find/priv.h"

enum { MANY_WAITING = 16, MANY_HEADERS = 64, MANY_CONNS = 50, CONTEXT_DEPTH = 64 };
#define LONG_NS 1000000000ULL

/* What it is called in every run: the field of its owner. */
static const char *name_of(struct find *f, const struct look_limited *k)
{
	const char *const names[] = { look_limited_types[k->kind].type, NULL };
	const char *owner, *field = look_field_of(&f->l, k->p.at, names, &owner);

	if (k->via && (!*owner || !*field)) { /* a thing of its own: who points to it says more */
		const char *who, *by = look_field_to_place(&f->l, k->via, &who);

		if (*who && *by)
			return keepf(&f->keep, "%s%s", who, by);
	}
	return *owner ? keepf(&f->keep, "%s%s", owner, field) : look_limited_types[k->kind].type;
}

/* Only types and fields: addresses differ from run to run. */
static const char *key_of(struct find *f, const struct look_limited *k, const char *what)
{
	return keepf(&f->keep, "%s %s", k->object == GO_NO_OBJECT ? "" : name_of(f, k), what);
}

static struct finding begin(struct find *f, const struct look_limited *k, const char *what)
{
	return (struct finding){
		.kind = "limits-unset",
		.verdict = FIND_SUSPECT,
		.proof = FIND_MEASURED,
		.type = look_limited_types[k->kind].type,
		.node = look_limited_node(&f->l, k),
		.goroutine = k->example,
		.key = key_of(f, k, what),
		.confirm = "limpet audit TARGET",
	};
}

/* Those that wait hold it up; what they alone keep would go. */
static void add_waiters(struct find *f, const struct look_limited *k, struct finding *y)
{
	for (size_t i = 0; i < k->nusers; i++) {
		const struct look_user *u = &f->limits->users.v[k->first_user + i];
		const struct go_goroutine *gr = &f->l.s->stacks.gs.v[u->goroutine];

		y->stack_bytes += gr->stack_hi - gr->stack_lo;
		if (u->root)
			y->bytes += f->l.g->retained[u->root];
	}
}

static struct err *client(struct find *f, const struct look_limited *k)
{
	uint64_t n = k->waiting - MIN(k->bounded, k->waiting);
	struct finding y = begin(f, k, "Timeout");

	if (look_setting(k, "Timeout", 1) || n < MANY_WAITING || k->oldest_ns < LONG_NS)
		return NULL;
	y.count = n;
	y.title = keepf(&f->keep,
			"%" PRIu64 " goroutines wait for answers through an http.Client without "
			"Timeout (%s), the longest %s or more",
			n, name_of(f, k), find_duration(f, k->oldest_ns));
	y.fix = "Set http.Client.Timeout, or give each request a context with a deadline "
		"(http.NewRequestWithContext); Transport.ResponseHeaderTimeout bounds the wait for the "
		"first byte alone.";
	y.mitigate =
		"End the connections at the other side (a proxy's idle timeout): that wakes those "
		"who wait.";
	y.decide =
		"A second look after the longest time that an answer may take: the same goroutines "
		"still wait.";
	add_waiters(f, k, &y);
	return find_say(f, &y);
}

static struct err *server(struct find *f, const struct look_limited *k)
{
	struct finding y = begin(f, k, "ReadHeaderTimeout");

	if (look_setting(k, "ReadHeaderTimeout", 1) || look_setting(k, "ReadTimeout", 1) ||
	    k->headers < MANY_HEADERS || k->oldest_ns < LONG_NS)
		return NULL;
	y.count = k->headers;
	y.title =
		keepf(&f->keep,
		      "%" PRIu64 " connections of an http.Server wait for a request's header, the "
		      "longest %s or more, and neither ReadHeaderTimeout nor ReadTimeout ends that",
		      k->headers, find_duration(f, k->oldest_ns));
	y.fix = "Set ReadHeaderTimeout (5 to 20 s) and IdleTimeout on the http.Server; http.ListenAndServe "
		"has none of them.";
	y.mitigate = "A proxy in front that sends only whole headers.";
	y.decide =
		"The peers of these connections (`limpet fds TARGET`): slow clients or health checks "
		"that never send.";
	add_waiters(f, k, &y);
	return find_say(f, &y);
}

static struct err *pool(struct find *f, const struct look_limited *k)
{
	struct finding y = begin(f, k, "MaxOpenConns");
	uint64_t used = k->conns - MIN(k->idle, k->conns);

	if (look_setting(k, "MaxOpenConns", 1) > 0 || used < MANY_CONNS)
		return NULL;
	y.count = used;
	y.bytes = k->node == GRAPH_NONE ? 0 : f->l.g->retained[k->node];
	y.title = keepf(&f->keep,
			"%" PRIu64
			" connections of a sql.DB are in use at once, and MaxOpenConns is not "
			"set",
			used);
	y.fix = "db.SetMaxOpenConns(n) with what the database allows for this program; then "
		"SetMaxIdleConns near it and SetConnMaxLifetime.";
	y.mitigate = "A limit at the database for this user, or a pooler in front of it.";
	y.decide =
		"The number under load: one that follows the requests at once has no bound; rows "
		"that nobody closes look the same (unclosed-resource).";
	return find_say(f, &y);
}

static struct err *run(struct find *f)
{
	const struct look_limits *x;
	struct err *err = find_limits(f, &x);

	for (size_t i = 0; i < (err ? 0 : x->v.n) && !err; i++) {
		const struct look_limited *k = &x->v.v[i];

		if (k->kind == LOOK_CLIENT)
			err = client(f, k);
		else if (k->kind == LOOK_SERVER)
			err = server(f, k);
		else if (k->kind == LOOK_DB)
			err = pool(f, k);
	}
	return err;
}

const struct detector detect_limits_unset = {
	.name = "limits-unset",
	.about = "servers, clients and pools without a limit that would matter now",
	.needs = FIND_NEEDS_RUNTIME,
	.run = run,
};
