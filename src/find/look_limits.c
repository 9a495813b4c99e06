/*
 * look_limits.c - where servers, clients and pools lie, and what they are set to.
 *
 * Typed places tell those in objects and variables, and pointers to them those in static memory
 * (what the compiler laid out for &http.Client{…} of a global).  Sources: net/http server.go,
 * transport.go, client.go; net/dial.go; database/sql/sql.go.
 */
#include "find/look_limits.h"

#include "base/bytes.h"

#include <pthread.h>

#define NS GO_FACT_NS
#define N  GO_FACT_SIGNED

const struct look_limited_type look_limited_types[LOOK_NKINDS] = {
	[LOOK_SERVER] = { "net/http.Server",
			  { { "ReadHeaderTimeout", "ReadHeaderTimeout", NS,
			      "a client may send its header as slowly as it likes (ReadTimeout counts "
			      "instead where it is set)" },
			    { "ReadTimeout", "ReadTimeout", NS,
			      "a client may send its body as slowly as it likes" },
			    { "WriteTimeout", "WriteTimeout", NS,
			      "a client that does not read keeps its handler" },
			    { "IdleTimeout", "IdleTimeout", NS,
			      "idle connections are kept as long as ReadTimeout says, without one for "
			      "ever" },
			    { "MaxHeaderBytes", "MaxHeaderBytes", N, "1 MiB, the default" } } },
	[LOOK_TRANSPORT] = { "net/http.Transport",
			     { { "MaxConnsPerHost", "MaxConnsPerHost", N,
				 "no limit: as many connections as requests at once" },
			       { "MaxIdleConns", "MaxIdleConns", N, "no limit" },
			       { "MaxIdleConnsPerHost", "MaxIdleConnsPerHost", N,
				 "2, the default: what is above is closed after each request" },
			       { "IdleConnTimeout", "IdleConnTimeout", NS,
				 "idle connections are kept until the server closes them" },
			       { "ResponseHeaderTimeout", "ResponseHeaderTimeout", NS,
				 "a server may take as long as it likes to answer" },
			       { "TLSHandshakeTimeout", "TLSHandshakeTimeout", NS,
				 "a handshake may take for ever" },
			       { "DisableKeepAlives", "DisableKeepAlives", GO_FACT_BOOL,
				 "connections are used again" } } },
	[LOOK_CLIENT] = { "net/http.Client",
			  { { "Timeout", "Timeout", NS,
			      "a request takes as long as the server likes, unless its context has a "
			      "deadline" } } },
	[LOOK_DIALER] = { "net.Dialer",
			  { { "Timeout", "Timeout", NS,
			      "the kernel's own limit, often two minutes" },
			    { "KeepAlive", "KeepAlive", NS, "15 s, the default" } } },
	[LOOK_DB] = { "database/sql.DB",
		      { { "MaxOpenConns", "maxOpen", N,
			  "no limit: as many connections as queries at once" },
			{ "MaxIdleConns", "maxIdleCount", N, "2, the default" },
			{ "ConnMaxLifetime", "maxLifetime", NS, "connections are never renewed" },
			{ "ConnMaxIdleTime", "maxIdleTime", NS, "idle connections are kept" } } },
};

void look_limits_deinit(struct look_limits *x)
{
	vec_free(&x->v);
	vec_free(&x->conns);
	vec_free(&x->users);
}

int64_t look_setting(const struct look_limited *k, const char *field, int64_t otherwise)
{
	const struct look_setting *s = look_limited_types[k->kind].s;

	for (size_t i = 0; i < LOOK_SETTINGS && s[i].field; i++)
		if (!strcmp(s[i].field, field))
			return k->has[i] ? k->value[i] : otherwise;
	return otherwise;
}

struct finder {
	const struct look *l;
	pthread_mutex_t lock;
	struct {
		taddr type, pointer;
	} kinds[LOOK_NKINDS];
	VEC(struct look_limited) v;
};

static struct err *push(struct finder *f, const struct look_limited *k)
{
	bool ok;

	pthread_mutex_lock(&f->lock);
	ok = vec_push(&f->v, *k);
	pthread_mutex_unlock(&f->lock);
	return ok ? NULL : &err_nomem;
}

static struct err *see(void *arg, const struct snap_place *p)
{
	struct finder *f = arg;
	const struct look *l = f->l;
	struct look_limited k = { .p = { p->at, p->type },
				  .object = p->object,
				  .node = GRAPH_NONE,
				  .example = SIZE_MAX };

	if (p->object != GO_NO_OBJECT && !look_reached(l, p->object))
		return NULL;
	for (; k.kind < LOOK_NKINDS; k.kind++) {
		if (p->type->addr == f->kinds[k.kind].type)
			return push(f, &k);
		if (p->type->addr != f->kinds[k.kind].pointer || p->type->bytes != 8)
			continue;
		k.p = (struct go_place){ load_u64(p->bytes),
					 go_type_at(l->s->rtypes, f->kinds[k.kind].type) };
		k.object = GO_NO_OBJECT;
		k.via = p->object == GO_NO_OBJECT ? 0 : p->at;
		k.via_object = p->object;
		return k.p.at ? push(f, &k) : NULL;
	}
	return NULL;
}

static int by_address(const void *x, const void *y)
{
	taddr a = *(const taddr *)x, b = *(const taddr *)y;

	return (a > b) - (a < b);
}

/* Types to look for, ascending; how many. */
static size_t list_types(struct finder *f, taddr *types)
{
	struct go_types *ts = f->l->s->rtypes;
	size_t n = 0;

	for (unsigned k = 0; k < LOOK_NKINDS; k++) {
		taddr t = go_type_named(ts, look_limited_types[k].type);

		if (!t)
			continue;
		f->kinds[k].type = types[n++] = t;
		f->kinds[k].pointer = go_type_pointer_to(ts, t);
		if (f->kinds[k].pointer)
			types[n++] = f->kinds[k].pointer;
	}
	qsort(types, n, sizeof(*types), by_address);
	return n;
}

static int by_kind(const void *x, const void *y)
{
	const struct look_limited *p = x, *q = y;

	if (p->kind != q->kind)
		return p->kind < q->kind ? -1 : 1;
	return (p->p.at > q->p.at) - (p->p.at < q->p.at);
}

bool look_field_u64(const struct look *l, struct go_io *io, struct go_place p, const char *path,
		    uint64_t *ret)
{
	const struct go_type *t;
	uint8_t b[8] = { 0 };
	uint64_t off;
	struct err *err;

	if (!p.at || !p.type || !go_type_path(l->s->rtypes, p.type, path, &off, &t))
		return false;
	if (t->bytes < 8 && t->bytes != 1 && t->bytes != 4)
		return false;
	err = go_io_read(io, p.at + off, b, MIN(t->bytes, 8));
	*ret = load_u64(b);
	if (t->kind == GO_INT32)
		*ret = (uint64_t)(int64_t)(int32_t)*ret;
	err_free(err);
	return !err;
}

static void read_settings(const struct look *l, struct go_io *io, struct look_limited *k)
{
	const struct look_setting *s = look_limited_types[k->kind].s;

	for (size_t i = 0; i < LOOK_SETTINGS && s[i].field; i++) {
		uint64_t n = 0;

		k->has[i] = look_field_u64(l, io, k->p, s[i].path, &n);
		k->value[i] = (int64_t)n;
	}
}

static void add_via(struct look_limited *k, const struct look_limited *from)
{
	if (from->via && (!k->via || from->via < k->via)) {
		k->via = from->via;
		k->via_object = from->via_object;
	}
}

/* Places and pointers to them; an object of the heap is told by its own place. */
static struct err *take(const struct look *l, struct go_io *io, struct finder *f,
			struct look_limits *x)
{
	if (f->v.n)
		qsort(f->v.v, f->v.n, sizeof(f->v.v[0]), by_kind);
	for (size_t i = 0, end; i < f->v.n; i = end) {
		struct look_limited k = f->v.v[i];

		for (end = i;
		     end < f->v.n && f->v.v[end].kind == k.kind && f->v.v[end].p.at == k.p.at;
		     end++)
			add_via(&k, &f->v.v[end]);
		k.object = go_heap_object_at(&l->s->heap, k.p.at);
		if (k.object != GO_NO_OBJECT && !look_reached(l, k.object))
			continue;
		if (k.object != GO_NO_OBJECT)
			k.node = graph_node_of_object(l->g, k.object);
		read_settings(l, io, &k);
		if (!vec_push(&x->v, k))
			return &err_nomem;
	}
	return NULL;
}

static bool in_frame(const struct look *l, gnode v)
{
	const struct graph *g = l->g;

	for (gnode r = 1; r <= g->nroots; r++) {
		if (l->s->roots.v[r - 1].kind != SNAP_ROOT_GOROUTINE)
			continue;
		for (uint32_t e = graph_first(g, r); e < graph_last(g, r); e++)
			if (g->to[e] == v)
				return true;
	}
	return false;
}

gnode look_limited_node(const struct look *l, const struct look_limited *k)
{
	if (k->via && look_reached(l, k->via_object) &&
	    (k->node == GRAPH_NONE || in_frame(l, k->node)))
		return graph_node_of_object(l->g, k->via_object);
	return k->node;
}

size_t look_limited_at(const struct look_limits *x, uint8_t kind, taddr at)
{
	struct look_limited key = { .kind = kind, .p.at = at };
	const struct look_limited *k =
		x->v.n ? bsearch(&key, x->v.v, x->v.n, sizeof(key), by_kind) : NULL;

	return k ? (size_t)(k - x->v.v) : SIZE_MAX;
}

struct err *look_limits(const struct look *l, struct look_limits *ret)
{
	_cleanup_(look_limits_deinit) struct look_limits x = { 0 };
	_cleanup_(go_io_deinit) struct go_io io = { 0 };
	struct finder f = { .l = l, .lock = PTHREAD_MUTEX_INITIALIZER };
	taddr types[2 * LOOK_NKINDS];
	size_t n = l->s->rtypes ? list_types(&f, types) : 0;
	struct err *err = n ? go_io_init_sparse(&io, l->s->go) : NULL;

	if (n && !err)
		err = snapshot_each_typed(l->s, NULL, l->nthreads, types, n, see, &f);
	if (n && !err)
		err = take(l, &io, &f, &x);
	vec_free(&f.v);
	if (n && !err)
		err = look_limits_use(l, &io, &x);
	if (err)
		return err;
	*ret = x;
	x = (struct look_limits){ 0 };
	return NULL;
}
