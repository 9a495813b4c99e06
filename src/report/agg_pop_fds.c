/*
 * agg_pop_fds.c - file descriptors: the kernel's list and the objects in memory, joined by number.
 *
 * What each is comes from the kernel where it was asked (a live process), else from memory.
 * States:
 *
 *   open       an object holds it (and the kernel has it, where it was asked)
 *   no object  the kernel has it, no known object: the runtime's own, cgo's, a bare number
 *   closing    Close was called, but a call that is going on keeps it open
 *   closed     an object whose descriptor is closed is still held
 *   garbage    only an unreachable object has it: open until its finalizer has run
 *   not open   an object says it is open and the kernel has none: closed behind its back
 *   other      the object is a connection, the descriptor is no socket: closed behind its back,
 *              and the number used again
 *
 * Paths and hosts are the program's data and follow the policy for values; ports do not.
 */
#include "report/agg_fds.h"

#include <arpa/inet.h>
#include <fcntl.h>

static const struct pop_col cols[] = {
	{ "fd", "fd", POP_ORDINAL, 0 },
	{ "kind", "kind", POP_TEXT, 0 },
	{ "state", "state", POP_TEXT, 0 },
	{ "retained_bytes", "retained", POP_BYTES, POP_SUM },
	{ "addr", "object", POP_ADDR, 0 },
	{ "type", "type", POP_TEXT, 0 },
	{ "where", "where", POP_TEXT, POP_TEXT_ONLY | POP_FILLED },
	{ "path", "path", POP_TEXT, POP_JSON_ONLY },
	{ "local", "local", POP_TEXT, POP_JSON_ONLY },
	{ "peer", "peer", POP_TEXT, POP_JSON_ONLY },
	{ "socket_state", "socket", POP_TEXT, POP_JSON_ONLY },
	{ "mode", "mode", POP_TEXT, POP_JSON_ONLY },
	{ "offset", "offset", POP_BYTES, POP_JSON_ONLY },
	{ "fd_addr", "fd's object", POP_ADDR, POP_JSON_ONLY },
	{ "fd_type", "fd's type", POP_TEXT, POP_JSON_ONLY },
	{ .form = POP_END },
};
enum {
	C_FD,
	C_KIND,
	C_STATE,
	C_RETAINED,
	C_ADDR,
	C_TYPE,
	C_WHERE,
	C_PATH,
	C_LOCAL,
	C_PEER,
	C_SOCKET,
	C_MODE,
	C_OFFSET,
	C_FD_ADDR,
	C_FD_TYPE
};

struct work {
	struct agg *a;
	struct pop_table *t;
	struct go_io io;
	unsigned values;
	const struct target_fd *fds; /* NULL: the kernel was not asked */
	size_t nfds;
	bool *held; /* by number in fds: a reachable object has it */
	uint64_t open, sockets, unheld, closed, garbage;
};

static const char *text_or_hash(struct work *w, const char *text)
{
	uint64_t h = 14695981039346656037U;

	if (!*text || w->values == ANS_VALUES_NONE)
		return NULL;
	if (w->values == ANS_VALUES_FULL)
		return keepf(&w->a->keep, "%s", text);
	for (const char *p = text; *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211U;
	return keepf(&w->a->keep, "\xe2\x80\xa6%04" PRIx64, h & 0xffff);
}

/* As Go prints it: an IPv4 address in IPv6 is an IPv4 address. */
static const char *address(struct work *w, const struct target_addr *x)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char host[64];
	bool v4 = x->family == 4, in6 = x->family == 6 && !memcmp(x->ip, mapped, sizeof(mapped));
	const char *text;

	if (!x->family || (!x->port && !memcmp(x->ip, (uint8_t[16]){ 0 }, 16)) ||
	    !inet_ntop(v4 || in6 ? AF_INET : AF_INET6, in6 ? x->ip + 12 : x->ip, host,
		       sizeof(host)))
		return NULL;
	text = text_or_hash(w, host);
	if (!text)
		return NULL;
	return v4 || in6 || w->values != ANS_VALUES_FULL
		       ? keepf(&w->a->keep, "%s:%u", text, x->port)
		       : keepf(&w->a->keep, "[%s]:%u", text, x->port);
}

static const char *mode_of(uint32_t flags)
{
	static const char *const name[] = { "r", "w", "rw", "" };

	return flags == UINT32_MAX ? NULL : name[flags & O_ACCMODE];
}

static bool is_socket(const struct target_fd *f)
{
	return !strncmp(f->link, "socket:", 7);
}

static void fill_kernel(struct work *w, const struct target_fd *f, struct pop_row *r)
{
	r->c[C_KIND].s = f->kind;
	if (*f->link == '/' || *f->name)
		r->c[C_PATH].s = text_or_hash(w, *f->link == '/' ? f->link : f->name);
	if (f->local.family) {
		r->c[C_LOCAL].s = address(w, &f->local);
		r->c[C_PEER].s = address(w, &f->peer);
	}
	r->c[C_SOCKET].s = *f->state ? f->state : NULL;
	r->c[C_MODE].s = is_socket(f) ? NULL : mode_of(f->flags);
	r->c[C_OFFSET].n = is_socket(f) ? POP_NONE : f->pos;
}

static void fill_memory(struct work *w, const struct fd_object *o, struct pop_row *r)
{
	static const char *const kind[] = {
		[FD_POLL] = "",		 [FD_FILE] = "file",	 [FD_CONN] = "socket",
		[FD_ROOT] = "directory", [FD_PROCESS] = "pidfd",
	};
	struct fd_says says;

	agg_fd_says(w->a, &w->io, o, &says);
	r->c[C_KIND].s = *says.net ? says.net : kind[o->class];
	r->c[C_PATH].s = text_or_hash(w, says.name);
	r->c[C_LOCAL].s = address(w, &says.local);
	r->c[C_PEER].s = *says.peer_name ? text_or_hash(w, says.peer_name) : address(w, &says.peer);
	r->c[C_OFFSET].n = POP_NONE;
}

static const char *type_name(struct work *w, uint64_t id)
{
	char buf[256];

	return keepf(&w->a->keep, "%s", snapshot_type_name(w->a->s, id, buf, sizeof(buf)));
}

static void fill_object(struct work *w, const struct fd_object *o, struct pop_row *r)
{
	const struct agg *a = w->a;

	r->c[C_FD_ADDR].n = o->p.at;
	r->c[C_FD_TYPE].s = o->p.type->name;
	r->c[C_ADDR].n = o->p.at;
	r->c[C_TYPE].s = o->p.type->name;
	r->x = o->p.at;
	if (o->id == GO_NO_OBJECT)
		return;
	if (agg_fd_reached(a, o)) {
		r->node = graph_node_of_object(a->g, o->outer);
		r->c[C_RETAINED].n = pop_retained(a, r->node);
	}
	if (snapshot_is_typed(a->s, o->outer))
		r->c[C_TYPE].s = type_name(w, o->outer);
	if (o->outer != o->id)
		r->c[C_ADDR].n = go_heap_address(&a->s->heap, o->outer, NULL);
}

/* The kernel's entry of that number. */
static const struct target_fd *kernel_fd(const struct work *w, int64_t fd)
{
	size_t lo = 0, hi = w->nfds;

	if (fd < 0)
		return NULL;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->fds[mid].fd < (uint64_t)fd)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < w->nfds && w->fds[lo].fd == (uint64_t)fd ? &w->fds[lo] : NULL;
}

static const char *state_of(const struct work *w, const struct fd_object *o,
			    const struct target_fd *f)
{
	if (o->fd < 0)
		return "closed";
	if (w->fds && !f)
		return o->closed ? "closed" : "not open";
	if (!agg_fd_reached(w->a, o))
		return "garbage";
	if (o->closed)
		return "closing";
	return f && o->class == FD_CONN && !is_socket(f) ? "other" : "open";
}

static struct err *offer_object(struct work *w, const struct fd_object *o)
{
	const struct target_fd *f = kernel_fd(w, o->fd);
	bool reached = agg_fd_reached(w->a, o);
	struct pop_row r = { .node = GRAPH_NONE };

	/* what nobody holds counts only while it holds a descriptor that no other has */
	if (!reached && (o->fd < 0 || (w->fds && (!f || w->held[f - w->fds]))))
		return NULL;
	r.c[C_FD].n = o->fd < 0 ? POP_NONE : (uint64_t)o->fd;
	r.c[C_STATE].s = state_of(w, o, f);
	r.c[C_RETAINED].n = POP_NONE;
	fill_memory(w, o, &r);
	if (f && strcmp(r.c[C_STATE].s, "other"))
		fill_kernel(w, f, &r);
	fill_object(w, o, &r);
	w->closed += !strcmp(r.c[C_STATE].s, "closed");
	w->garbage += !reached;
	if (!w->fds && o->fd >= 0) {
		w->open++;
		w->sockets += o->class == FD_CONN;
	}
	if (f)
		w->held[f - w->fds] = true;
	return pop_offer(w->t, &r);
}

static struct err *offer_unheld(struct work *w)
{
	struct err *err = NULL;

	for (size_t i = 0; i < w->nfds && !err; i++) {
		struct pop_row r = { .node = GRAPH_NONE };

		w->open++;
		w->sockets += is_socket(&w->fds[i]);
		if (w->held[i])
			continue;
		w->unheld++;
		r.c[C_FD].n = w->fds[i].fd;
		r.c[C_STATE].s = "no object";
		r.c[C_RETAINED].n = POP_NONE;
		fill_kernel(w, &w->fds[i], &r);
		err = pop_offer(w->t, &r);
	}
	return err;
}

/* Those that are held first: garbage may have the number of one that is used again. */
static struct err *offer_all(struct work *w, const fd_objects *v)
{
	struct err *err = NULL;

	for (int reached = 1; reached >= 0; reached--)
		for (size_t i = 0; i < v->n && !err; i++)
			if (agg_fd_reached(w->a, &v->v[i]) == reached)
				err = offer_object(w, &v->v[i]);
	return err ? err : offer_unheld(w);
}

static struct err *finish(struct agg *a, void *arg, struct pop_row *r)
{
	struct pop_cell *c = r->c;

	(void)arg;
	c[C_WHERE].s = c[C_PATH].s;
	if (!c[C_LOCAL].s && c[C_PEER].s)
		c[C_WHERE].s = keepf(&a->keep, "%s%sto %s", c[C_PATH].s ? c[C_PATH].s : "",
				     c[C_PATH].s ? " " : "", c[C_PEER].s);
	else if (c[C_LOCAL].s && c[C_PEER].s)
		c[C_WHERE].s = keepf(&a->keep, "%s to %s", c[C_LOCAL].s, c[C_PEER].s);
	else if (c[C_LOCAL].s)
		c[C_WHERE].s = keepf(&a->keep, "%s%s%s", c[C_LOCAL].s, c[C_SOCKET].s ? " " : "",
				     c[C_SOCKET].s ? c[C_SOCKET].s : "");
	return keep_err(&a->keep);
}

/* /proc/PID/fd is 0500: its owner, or CAP_DAC_READ_SEARCH. */
static const char *why_memory_alone(const struct target *t)
{
	if (target_capture(t)->kind != TARGET_LIVE)
		return "this core has no list of descriptors (those of `limpet snapshot` have, "
		       "without --redact and --no-payload), only "
		       "memory tells";
	if (target_mem(t)->fds == UINT64_MAX)
		return "the process's list of descriptors opens for its own user only, not for "
		       "CAP_SYS_PTRACE alone (give limpet CAP_DAC_READ_SEARCH too), so only memory "
		       "tells";
	return "the process had no open descriptor that could be seen, so only memory tells";
}

static struct err *totals(const struct work *w, struct ans_pop *p)
{
	struct err *err = pop_total(p, "open", "open", POP_COUNT, w->open);

	if (!err)
		err = pop_total(p, "sockets", "sockets", POP_COUNT, w->sockets);
	if (!err)
		err = pop_total(p, "no_object", "without an object", POP_COUNT,
				w->fds ? w->unheld : POP_NONE);
	if (!err)
		err = pop_total(p, "closed", "held though closed", POP_COUNT, w->closed);
	if (!err)
		err = pop_total(p, "garbage", "open until a finalizer runs", POP_COUNT, w->garbage);
	if (err || w->fds)
		return err;
	return pop_note(w->a, p,
			"%s: descriptors without an object are not in the list, and what was open "
			"is what objects say",
			why_memory_alone(w->a->s->t));
}

static struct err *fill(struct work *w, struct ans_pop *p)
{
	fd_objects v = { 0 };
	struct err *err = agg_fds(w->a, &w->io, &v);

	w->fds = target_fds(w->a->s->t, &w->nfds);
	w->held = zalloc(w->nfds + 1, sizeof(*w->held));
	if (!err && !w->held)
		err = &err_nomem;
	if (!err)
		err = offer_all(w, &v);
	if (!err)
		err = totals(w, p);
	vec_free(&v);
	free(w->held);
	return err ? err : pop_settle(w->a, w->t, finish, NULL);
}

static struct err *make(struct agg *a, const struct pop_ask *ask, struct ans_pop *p)
{
	struct work w = { .a = a, .values = ask->values };
	struct err *err = go_io_init_sparse(&w.io, a->s->go);

	if (err)
		return err;
	w.t = pop_table_add(p, "rows", "descriptors", cols, ask->sort ? ask->sort : "fd",
			    ask->limit);
	err = fill(&w, p);
	go_io_deinit(&w.io);
	return err;
}

const struct pop_family pop_fds = {
	.name = "fds",
	.cols = cols,
	.sort = "fd",
	.needs = POP_NEEDS_RUNTIME | POP_NEEDS_REVERSE,
	.make = make,
};
