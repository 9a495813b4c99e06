/*
 * agg_fds.c - objects that stand for file descriptors: found by type, the largest struct counts.
 *
 * One pass over all typed places, O(bytes with structs of such types), and one over finalizers.
 * Sources: internal/poll/ fd_unix.go (FD), os/file_unix.go (file), net/fd_posix.go (netFD),
 * os/root_openat.go (root), os/exec.go (processHandle).
 */
#include "report/agg_fds.h"

struct finder {
	struct agg *a;
	pthread_mutex_t lock;
	fd_objects v;
};

static const struct {
	const char *name, *full;
	uint8_t class;
} known[] = {
	{ "poll.FD", "internal/poll.FD", FD_POLL },
	{ "os.file", "os.file", FD_FILE },
	{ "net.netFD", "net.netFD", FD_CONN },
	{ "os.root", "os.root", FD_ROOT },
	{ "os.processHandle", "os.processHandle", FD_PROCESS },
};

static const char *const outer_names[] = {
	"os.File",	   "net.TCPConn",      "net.UDPConn", "net.UnixConn", "net.IPConn",
	"net.TCPListener", "net.UnixListener", "os.Root",     "os.Process",
};

static uint8_t class_of(struct go_types *ts, const struct go_type *t)
{
	for (size_t i = 0; t->name && i < ARRAY_LEN(known); i++)
		if (!strcmp(known[i].name, t->name) && !strcmp(known[i].full, go_type_full(ts, t)))
			return known[i].class;
	return FD_NONE;
}

static struct err *see(void *arg, const struct snap_place *p)
{
	struct finder *f = arg;
	struct fd_object o = {
		.p = { p->at, p->type },
		.id = p->object,
		.outer = p->object,
		.var = p->var,
		.class = class_of(f->a->s->rtypes, p->type),
	};
	bool ok;

	if (!o.class)
		return NULL;
	pthread_mutex_lock(&f->lock);
	ok = vec_push(&f->v, o);
	pthread_mutex_unlock(&f->lock);
	return ok ? NULL : &err_nomem;
}

static const struct {
	const char *function, *type;
	uint8_t class;
} finalizers[] = {
	{ "os.(*file).close", "os.file", FD_FILE },
	{ "net.(*netFD).Close", "net.netFD", FD_CONN },
	{ "os.(*root).Close", "os.root", FD_ROOT },
};

/* Garbage is pointed at by nothing that has a type; SetFinalizer has checked that it fits. */
static struct err *add_finalized(struct finder *f)
{
	const struct snapshot *s = f->a->s;

	for (size_t i = 0; i < s->heap.specials.n; i++) {
		const struct go_special *sp = &s->heap.specials.v[i];
		struct fd_object o = { .id = go_heap_object_at(&s->heap, sp->object),
				       .var = UINT32_MAX };
		const char *name;

		if (sp->kind != GO_SPECIAL_FINALIZER || o.id == GO_NO_OBJECT ||
		    snapshot_is_typed(s, o.id))
			continue;
		name = pop_func_name(f->a, sp->words[0]);
		for (size_t k = 0; k < ARRAY_LEN(finalizers); k++) {
			taddr t = strcmp(name, finalizers[k].function)
					  ? 0
					  : go_type_named(s->rtypes, finalizers[k].type);

			o.class = finalizers[k].class;
			o.outer = o.id;
			o.p = (struct go_place){ sp->object, go_type_at(s->rtypes, t) };
			if (t && o.p.type && !vec_push(&f->v, o))
				return &err_nomem;
		}
	}
	return NULL;
}

/* Of those that begin together the largest first. */
static int compare(const void *x, const void *y)
{
	const struct fd_object *p = x, *q = y;

	if (p->p.at != q->p.at)
		return p->p.at < q->p.at ? -1 : 1;
	return (p->p.type->bytes < q->p.type->bytes) - (p->p.type->bytes > q->p.type->bytes);
}

static void drop_inner(fd_objects *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++) {
		const struct fd_object *last = n ? &v->v[n - 1] : NULL;

		if (!last || v->v[i].p.at >= last->p.at + last->p.type->bytes)
			v->v[n++] = v->v[i];
	}
	v->n = n;
}

/* A handle of a process is closed with its last reference, a root once it is closed and unused. */
static bool is_closed(uint8_t class, const struct look_facts *f)
{
	if (class == FD_PROCESS)
		return (int64_t)look_fact(f, "refs", 1) <= 0;
	if (class == FD_ROOT)
		return look_fact(f, "closed", 0) && !look_fact(f, "refs", 0);
	return look_fact(f, "closed", 0) != 0;
}

static struct err *read_one(struct agg *a, struct go_io *io, struct fd_object *o)
{
	struct look_facts f = { .n = 0 };
	struct err *err = pop_facts_read(a, io, o->p, &f);

	o->fd = (int64_t)look_fact(&f, "fd", UINT64_MAX);
	o->closed = is_closed(o->class, &f);
	if (o->closed && (o->class == FD_PROCESS || o->class == FD_ROOT))
		o->fd = -1; /* the number stays */
	return err;
}

/* By number in s->types: is it one of those that programs hold? */
static bool *outer_types(const struct snapshot *s)
{
	bool *is = zalloc(s->types.n + 1, sizeof(*is));

	for (size_t i = 1; is && i < s->types.n; i++) {
		const struct snap_type *t = &s->types.v[i];
		const struct go_type *rt = t->kind == SNAP_TYPE_RTYPE && !t->array
						   ? go_type_at(s->rtypes, t->rtype)
						   : NULL;

		for (size_t k = 0; rt && k < ARRAY_LEN(outer_names); k++)
			is[i] |= !strcmp(go_type_full(s->rtypes, rt), outer_names[k]);
	}
	return is;
}

static void find_outer(const struct agg *a, const bool *is, struct fd_object *o)
{
	const struct graph *g = a->g;
	gnode v = o->id == GO_NO_OBJECT ? GRAPH_NONE : graph_node_of_object(g, o->id);

	if (v == GRAPH_NONE || !graph_reached(g, v))
		return;
	for (uint32_t e = g->rfirst[v]; e < g->rfirst[v + 1]; e++) {
		gnode w = g->rto[e];

		if (graph_is_object(g, w) && is[a->s->type_of[graph_object(g, w)]]) {
			o->outer = graph_object(g, w);
			return;
		}
	}
}

struct err *agg_fds(struct agg *a, struct go_io *io, fd_objects *ret)
{
	struct finder f = { .a = a, .lock = PTHREAD_MUTEX_INITIALIZER };
	_cleanup_(freep) bool *is = outer_types(a->s);
	struct err *err = is ? NULL : &err_nomem;

	if (!err)
		err = snapshot_each_place(a->s, NULL, a->nthreads, 1u << GO_STRUCT, see, &f);
	if (!err)
		err = add_finalized(&f);
	if (!err && f.v.n)
		qsort(f.v.v, f.v.n, sizeof(f.v.v[0]), compare);
	drop_inner(&f.v);
	for (size_t i = 0; i < f.v.n && !err; i++) {
		err = read_one(a, io, &f.v.v[i]);
		if (a->g->rfirst && a->s->type_of)
			find_outer(a, is, &f.v.v[i]);
	}
	if (err) {
		vec_free(&f.v);
		return err;
	}
	ret->v = f.v.v;
	ret->n = f.v.n;
	ret->cap = f.v.cap;
	return NULL;
}

bool agg_fd_reached(const struct agg *a, const struct fd_object *o)
{
	return o->id == GO_NO_OBJECT || pop_object_reached(a, o->id);
}

static gnode node_of(const struct agg *a, const struct fd_object *o)
{
	uint32_t root;

	if (o->id != GO_NO_OBJECT)
		return graph_node_of_object(a->g, o->id);
	root = o->var < a->s->vars.n ? a->s->vars.v[o->var].root : UINT32_MAX;
	return root < a->s->roots.n ? (gnode)(1 + root) : GRAPH_NONE;
}

static gnode holder_of(const struct agg *a, const fd_objects *v, int64_t fd)
{
	gnode best = GRAPH_NONE;

	for (size_t i = 0; i < v->n; i++) {
		gnode n = v->v[i].fd == fd ? node_of(a, &v->v[i]) : GRAPH_NONE;

		if (n != GRAPH_NONE && (best == GRAPH_NONE || agg_fd_reached(a, &v->v[i])))
			best = n;
	}
	return best;
}

struct err *agg_fd_find(struct agg *a, const char *number, gnode *ret)
{
	char *end;
	unsigned long long fd = strtoull(number, &end, 10);
	fd_objects v = { 0 };
	struct go_io io;
	struct err *err;
	gnode n;

	if (end == number || *end || fd > INT32_MAX)
		return err_usage("fd:%.60s: want a number, as in fd:12", number);
	err = go_io_init_sparse(&io, a->s->go);
	if (err)
		return err;
	err = agg_fds(a, &io, &v);
	n = holder_of(a, &v, (int64_t)fd);
	vec_free(&v);
	go_io_deinit(&io);
	if (err)
		return err;
	if (n == GRAPH_NONE)
		return err_usage("fd:%llu: no object holds that descriptor; see `limpet fds`", fd);
	*ret = n;
	return NULL;
}
