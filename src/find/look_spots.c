/*
 * look_spots.c - views (headers of strings and slices), and a number for each place that has any.
 *
 * A spot is found by (type, offset): first in a small table of the thread, then in the one of all.
 * Names and packages are worked out when they are asked for.  Cost of a view: some tens of
 * nanoseconds, and its share of snapshot_each_place().
 */
#include "find/look_spots.h"

#include "base/par.h"
#include "base/str.h"

#include <pthread.h>

enum { NEAR = 4096, MAX_DEPTH = 48, MAX_SPOTS = 1 << 20 };
#define VARIABLE UINT32_MAX

struct near {
	uint64_t key; /* type << 32 | offset; 0: none */
	uint64_t elem_bytes;
	uint32_t spot;
};

struct entry {
	uint64_t key;
	uint32_t spot1; /* spot + 1; 0: free */
};

struct look_spots {
	const struct look *l;
	pthread_mutex_t lock;
	VEC(struct look_spot) v;
	struct entry *tab; /* open addressing, by key */
	size_t ntab;
	struct near *near; /* NEAR a worker */
	/* of the walk */
	look_view_fn *fn;
	void *arg;
};

unsigned look_workers(const struct look *l)
{
	return l->nthreads ? l->nthreads : par_default_threads();
}

void look_spots_free(struct look_spots *sp)
{
	if (!sp)
		return;
	pthread_mutex_destroy(&sp->lock);
	vec_free(&sp->v);
	free(sp->tab);
	free(sp->near);
	free(sp);
}

static void spots_freep(struct look_spots **sp)
{
	look_spots_free(*sp);
}

struct err *look_spots_create(const struct look *l, struct look_spots **ret)
{
	_cleanup_(spots_freep) struct look_spots *sp = zalloc(1, sizeof(*sp));

	if (!sp)
		return &err_nomem;
	pthread_mutex_init(&sp->lock, NULL);
	sp->l = l;
	sp->ntab = 1024;
	sp->tab = zalloc(sp->ntab, sizeof(*sp->tab));
	sp->near = zalloc((size_t)NEAR * look_workers(l), sizeof(*sp->near));
	if (!sp->tab || !sp->near)
		return &err_nomem;
	*ret = STEAL(sp);
	return NULL;
}

size_t look_spots_count(const struct look_spots *sp)
{
	return sp->v.n;
}

const struct look_spot *look_spot_at(const struct look_spots *sp, uint32_t spot)
{
	return &sp->v.v[spot];
}

static const struct go_type_field *field_at(struct go_types *ts, const struct go_type *t,
					    uint64_t at)
{
	for (size_t i = 0; i < t->nfields; i++) {
		const struct go_type *f = go_type_at(ts, t->fields[i].type);

		if (f && at >= t->fields[i].offset && at - t->fields[i].offset < f->bytes)
			return &t->fields[i];
	}
	return NULL;
}

/* The rtype of which the holder is one, or a row. */
static const struct go_type *holder_type(const struct snapshot *s, const struct look_spot *x)
{
	const struct snap_type *t;

	if (x->type == VARIABLE)
		return go_type_at(s->rtypes, s->vars.v[x->var].rtype);
	t = &s->types.v[x->type];
	return go_type_at(s->rtypes, t->kind == SNAP_TYPE_PART ? t->elem : t->rtype);
}

static struct entry *slot_of(struct entry *tab, size_t n, uint64_t key)
{
	size_t i = (size_t)((key * 0x9e3779b97f4a7c15ULL) >> 20) & (n - 1);

	while (tab[i].spot1 && tab[i].key != key)
		i = (i + 1) & (n - 1);
	return &tab[i];
}

static bool grow(struct look_spots *sp)
{
	size_t n = sp->ntab * 2;
	struct entry *tab;

	if (sp->v.n * 2 < sp->ntab)
		return true;
	tab = zalloc(n, sizeof(*tab));
	if (!tab)
		return false;
	for (size_t i = 0; i < sp->ntab; i++)
		if (sp->tab[i].spot1)
			*slot_of(tab, n, sp->tab[i].key) = sp->tab[i];
	free(sp->tab);
	sp->tab = tab;
	sp->ntab = n;
	return true;
}

static uint64_t key_of(const struct look_spot *x)
{
	return (uint64_t)(x->type == VARIABLE ? ~x->var : x->type) << 32 | (x->off & UINT32_MAX);
}

/* UINT32_MAX: no memory, or too many. */
static uint32_t add(struct look_spots *sp, struct look_spot x)
{
	uint64_t key = key_of(&x);
	const struct go_type *elem;
	struct entry *e;

	if (!grow(sp))
		return UINT32_MAX;
	e = slot_of(sp->tab, sp->ntab, key);
	if (e->spot1)
		return e->spot1 - 1;
	elem = x.of->kind == GO_SLICE ? go_type_at(sp->l->s->rtypes, x.of->elem) : NULL;
	x.elem_bytes = elem ? elem->bytes : x.of->kind == GO_STRING;
	if (sp->v.n == MAX_SPOTS || !vec_push(&sp->v, x))
		return UINT32_MAX;
	*e = (struct entry){ key, (uint32_t)sp->v.n };
	return e->spot1 - 1;
}

static struct look_spot raw_spot(const struct snapshot *s, const struct snap_place *p)
{
	return (struct look_spot){
		.type = p->object == GO_NO_OBJECT ? VARIABLE : s->type_of[p->object],
		.var = p->var,
		.off = p->in,
		.of = p->type,
	};
}

static const struct near *near_of(struct look_spots *sp, const struct snap_place *p)
{
	struct look_spot x = raw_spot(sp->l->s, p);
	uint64_t key =
		(uint64_t)(x.type == VARIABLE ? ~x.var : x.type) << 32 | (x.off & UINT32_MAX);
	struct near *c =
		&sp->near[(size_t)NEAR * p->worker + ((key * 0x9e3779b97f4a7c15ULL) >> 40) % NEAR];

	if (c->key == key)
		return c;
	pthread_mutex_lock(&sp->lock);
	c->key = key;
	c->spot = add(sp, x);
	c->elem_bytes = c->spot == UINT32_MAX ? 0 : sp->v.v[c->spot].elem_bytes;
	pthread_mutex_unlock(&sp->lock);
	return c;
}

static struct err *see(void *arg, const struct snap_place *p)
{
	struct look_spots *sp = arg;
	struct look_view v = { .at = p->at,
			       .data = load_u64(p->bytes),
			       .len = load_u64(p->bytes + 8),
			       .worker = p->worker,
			       .string = p->type->kind == GO_STRING };
	const struct near *c;

	v.cap = v.string ? v.len : load_u64(p->bytes + 16);
	if (!v.cap || !trange_has(sp->l->s->heap.bounds, v.data) || v.len > v.cap)
		return NULL;
	v.object = go_heap_object_at(&sp->l->s->heap, v.data);
	if (v.object == GO_NO_OBJECT)
		return NULL;
	c = near_of(sp, p);
	if (!c->elem_bytes || __builtin_mul_overflow(v.cap, c->elem_bytes, &v.cap) || v.cap >> 47)
		return NULL;
	v.len *= c->elem_bytes;
	v.spot = c->spot;
	return sp->fn(sp->arg, &v);
}

struct err *look_views(struct look_spots *sp, const uint64_t *reached, uint32_t kinds,
		       look_view_fn *fn, void *arg)
{
	sp->fn = fn;
	sp->arg = arg;
	return snapshot_each_place(sp->l->s, reached, look_workers(sp->l), kinds, see, sp);
}

/* Groups and buckets; cmd/compile/internal/reflectdata names them map.group[K]V, map.bucket[K]V. */
static bool is_map_part(const struct snapshot *s, const struct look_spot *x)
{
	const struct go_type *rt;

	if (x->type == VARIABLE)
		return false;
	if (s->types.v[x->type].kind == SNAP_TYPE_PART)
		return true;
	rt = go_type_at(s->rtypes, s->types.v[x->type].rtype);
	return rt && rt->name &&
	       (!strncmp(rt->name, "map.group[", 10) || !strncmp(rt->name, "map.bucket[", 11));
}

/* Steps from the holder down to the place: fields, and the struct that it lies in at last. */
struct steps {
	struct str path;
	const struct go_type *inner; /* innermost struct with a name */
	uint8_t part;		     /* 'k', 'e': key or elem of a map */
};

static void walk(const struct look_spots *sp, const struct look_spot *x, struct steps *r)
{
	struct go_types *ts = sp->l->s->rtypes;
	const struct go_type *t = holder_type(sp->l->s, x);
	bool in_map = is_map_part(sp->l->s, x);
	uint64_t at = x->off;

	for (unsigned i = 0; t && i < MAX_DEPTH; i++) {
		const struct go_type_field *f;

		if (t->kind == GO_ARRAY) {
			t = go_type_at(ts, t->elem);
			at = t && t->bytes ? at % t->bytes : 0;
			continue;
		}
		f = t->kind == GO_STRUCT ? field_at(ts, t, at) : NULL;
		if (!f)
			return;
		if (t->named)
			r->inner = t;
		if (in_map && !r->part) {
			if (!strncmp(f->name, "key", 3) || !strncmp(f->name, "elem", 4))
				r->part = (uint8_t)f->name[0];
		} else {
			str_put(&r->path, ".");
			str_put_clean(&r->path, f->name, strlen(f->name));
		}
		at -= f->offset;
		t = go_type_at(ts, f->type);
	}
}

/* A place in a section is no name: it changes with every build. */
static const char *variable_name(const struct look *l, const struct snap_var *v)
{
	if (v->root < l->s->roots.n && l->s->roots.v[v->root].place)
		return look_root_text(l, v->root);
	return v->name ? v->name : "a variable";
}

static const char *holder_name(const struct look_spots *sp, const struct look_spot *x)
{
	const struct snapshot *s = sp->l->s;
	const struct snap_type *t;
	const struct go_type *rt;

	if (x->type == VARIABLE)
		return variable_name(sp->l, &s->vars.v[x->var]);
	t = &s->types.v[x->type];
	rt = go_type_at(s->rtypes, t->rtype);
	if (is_map_part(s, x) && t->kind != SNAP_TYPE_PART)
		return keepf(sp->l->keep, "map%s", strchr(rt->name, '['));
	return rt && rt->name ? rt->name : t->name ? t->name : "";
}

const char *look_spot_name(const struct look_spots *sp, uint32_t spot)
{
	const struct look_spot *x = &sp->v.v[spot];
	const char *holder = holder_name(sp, x);
	struct steps st = { 0 };
	const char *text;

	walk(sp, x, &st);
	text = st.path.s ? st.path.s : "";
	if (st.part)
		text = keepf(sp->l->keep, "the %s of %s%s%s", st.part == 'k' ? "keys" : "values",
			     holder, *text ? ": " : "", text);
	else if (!*text && x->type != VARIABLE && sp->l->s->types.v[x->type].array)
		text = keepf(sp->l->keep, "elements of []%s", holder);
	else if (!*text && x->type != VARIABLE)
		text = keepf(sp->l->keep, "%s behind pointers or in interfaces", holder);
	else
		text = keepf(sp->l->keep, "%s%s", holder, text);
	str_deinit(&st.path);
	return text;
}

bool look_std_package(const char *path)
{
	static const char *const top[] = {
		"archive",  "bufio",   "bytes",	  "compress", "container", "context", "crypto",
		"database", "debug",   "embed",	  "encoding", "errors",	   "expvar",  "flag",
		"fmt",	    "go",      "hash",	  "html",     "image",	   "index",   "internal",
		"io",	    "iter",    "log",	  "maps",     "math",	   "mime",    "net",
		"os",	    "path",    "plugin",  "reflect",  "regexp",	   "runtime", "slices",
		"sort",	    "strconv", "strings", "structs",  "sync",	   "syscall", "testing",
		"text",	    "time",    "unicode", "unique",   "unsafe",	   "vendor",  "weak",
	};
	size_t n = path ? strcspn(path, "/") : 0;

	for (size_t i = 0; n && i < ARRAY_LEN(top); i++)
		if (strlen(top[i]) == n && !strncmp(top[i], path, n))
			return true;
	return false;
}

bool look_spot_std(const struct look_spots *sp, uint32_t spot)
{
	struct steps st = { 0 };

	walk(sp, &sp->v.v[spot], &st);
	str_deinit(&st.path);
	return st.inner && look_std_package(st.inner->pkg_path);
}
