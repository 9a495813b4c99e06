/*
 * place_bound.c - what speaks against a place's growing: a bound, a start.
 *
 * A bound is a whole number in a struct that owns the place, in a field whose name says so, near
 * what is there now: a cache with maxEntries of 10,000 and 9,000 entries is full, not leaking.  A
 * counter of what is in it is no bound: such names are not asked for.  "Made at start" is what the
 * program's own memory profile says: all samples of it were allocated by package initialisers.
 * Where the owner of a list and a map has no name, a number in it that fits is taken for a bound:
 * a suspicion less is better than a wrong one.
 */
#include "find/place.h"

#include <ctype.h>
#include <strings.h>

enum { UP = 12, OWNERS = 3, NEST = 2, NEAR = 16, SAMPLES_LEAST = 3, STEPS = 6 };

struct bound {
	struct find *f;
	struct go_io *io;
	const struct place *x;
	const char *found;
	unsigned parts; /* x is one of that many alike */
};

static bool begins_any(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strncmp(text, words[i], strlen(words[i])))
			return true;
	return false;
}

/* Caches that keep a bound by design, wherever they write it down. */
static bool is_bounded_library(const char *full)
{
	static const char *const known[] = {
		"github.com/hashicorp/golang-lru", "github.com/dgraph-io/ristretto",
		"github.com/allegro/bigcache",	   "github.com/coocood/freecache",
		"github.com/maypok86/otter",	   "github.com/VictoriaMetrics/fastcache",
		"github.com/karlseguin/ccache",	   "github.com/Yiling-J/theine-go",
	};

	return begins_any(full, known, ARRAY_LEN(known));
}

static bool has_any(const char *text, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcasestr(text, words[i]))
			return true;
	return false;
}

/* A limit of something else than of what is kept. */
static bool says_other(const char *name)
{
	static const char *const words[] = { "batch", "request", "conn",    "idle",  "retr",
					     "depth", "level",	 "attempt", "procs", "header",
					     "body",  "rate",	 "wait",    "time",  "age" };

	return has_any(name, words, ARRAY_LEN(words));
}

static bool says_bound(const char *name)
{
	static const char *const within[] = { "limit", "capacity", "bound" };
	size_t n = strlen(name);

	if (says_other(name))
		return false;
	return !strncasecmp(name, "max", 3) || has_any(name, within, ARRAY_LEN(within)) ||
	       (n >= 3 && !strcasecmp(name + n - 3, "cap")) ||
	       (n >= 3 && !strcmp(name + n - 3, "Max"));
}

static bool says_bytes(const char *name)
{
	static const char *const words[] = { "byte", "size", "cost", "mem", "weight", "capacity" };

	return has_any(name, words, ARRAY_LEN(words));
}

static bool says_size(const char *name)
{
	return !strcasecmp(name, "size");
}

static bool is_whole_number(uint8_t kind)
{
	return kind >= GO_INT && kind <= GO_UINT64 && kind != GO_INT8 && kind != GO_UINT8;
}

static bool near(uint64_t v, uint64_t has)
{
	return has && v >= has && v / NEAR <= has;
}

static bool read_number(struct bound *b, taddr at, uint64_t bytes, uint64_t *ret)
{
	struct err *err;

	*ret = 0;
	err = bytes <= 8 ? go_io_read(b->io, at, ret, (size_t)bytes) : NULL;
	if (err) {
		err_free(err);
		return false;
	}
	return bytes <= 8 && *ret < UINT64_MAX / 2;
}

static const char *type_full(struct bound *b, taddr type)
{
	const struct go_type *t = go_type_at(b->f->l.s->rtypes, type);

	if (t && t->kind == GO_POINTER)
		t = go_type_at(b->f->l.s->rtypes, t->elem);
	return t && t->named ? go_type_full(b->f->l.s->rtypes, t) : "";
}

/* A list beside a map of its elements. */
static bool is_lru(struct bound *b, const struct go_type *t)
{
	struct go_types *ts = b->f->l.s->rtypes;
	unsigned lists = 0, maps = 0;

	for (size_t i = 0; i < t->nfields; i++) {
		const struct go_type *f = go_type_at(ts, t->fields[i].type);

		lists += !strcmp(type_full(b, t->fields[i].type), "container/list.List");
		maps += f && f->kind == GO_MAP &&
			!strcmp(type_full(b, f->elem), "container/list.Element");
	}
	return lists && maps;
}

/*
 * "size" may be what it has: only of an LRU, or between what it has and twice that, it is what it
 * may have.
 */
static bool is_bound(struct bound *b, const char *name, uint64_t v, bool lru)
{
	uint64_t n = b->x->n;

	if (!says_bound(name) && !lru)
		return v > n && (b->parts ? near(v, n) : v / 2 <= n);
	return near(v, n) || (says_bytes(name) && near(v, b->x->bytes));
}

static void look_at(struct bound *b, struct go_place p, unsigned depth)
{
	const struct go_type *t = p.type;
	bool lru = is_lru(b, t);
	uint64_t v;

	for (size_t i = 0; i < t->nfields && !b->found; i++) {
		const struct go_type_field *f = &t->fields[i];
		const struct go_type *ft = go_type_at(b->f->l.s->rtypes, f->type);

		if (ft && ft->kind == GO_STRUCT && depth < NEST)
			look_at(b, (struct go_place){ p.at + f->offset, ft }, depth + 1);
		if (!ft || !is_whole_number(ft->kind) || !f->name)
			continue;
		if (!says_bound(f->name) && !says_size(f->name))
			continue;
		if (!read_number(b, p.at + f->offset, ft->bytes, &v))
			continue;
		if (is_bound(b, f->name, v, lru))
			b->found = keepf(&b->f->keep, "field %s of %s bounds it", f->name,
					 t->name ? t->name : "its owner");
	}
}

static void look_at_struct(struct bound *b, struct go_place p)
{
	if (!p.type || p.type->kind != GO_STRUCT)
		return;
	if (p.type->named && is_bounded_library(go_type_full(b->f->l.s->rtypes, p.type)))
		b->found = keepf(&b->f->keep, "%s keeps a bound", p.type->name);
	else
		look_at(b, p, 0);
}

static void look_at_object(struct bound *b, gnode v)
{
	const struct look *l = &b->f->l;
	const struct snap_type *t = &l->s->types.v[fans_type(l, v)];
	uint64_t id = graph_object(l->g, v);
	taddr at = go_heap_address(&l->s->heap, id, NULL);
	const struct go_span *sp = go_heap_span_at(&l->s->heap, at);

	if (t->kind != SNAP_TYPE_RTYPE || t->array || !sp)
		return;
	look_at_struct(b, (struct go_place){ at + go_span_header(sp),
					     go_type_at(l->s->rtypes, t->rtype) });
}

/* container/list.List: an Element, and the number of elements behind it. */
enum { LIST_BYTES = 48, LIST_LEN = 40, UNNAMED_BYTES = 256 };

static bool is_list_of(struct bound *b, gnode v)
{
	const struct look *l = &b->f->l;
	uint64_t n = 0;

	if (graph_shallow(l->g, v) != LIST_BYTES ||
	    !read_number(b, go_heap_address(&l->s->heap, graph_object(l->g, v), NULL) + LIST_LEN, 8,
			 &n))
		return false;
	return n == b->x->n;
}

/* The owner of a list, of no known type. */
static void look_at_unnamed(struct bound *b, gnode v)
{
	const struct look *l = &b->f->l;
	uint64_t bytes = graph_shallow(l->g, v), w;
	taddr at = go_heap_address(&l->s->heap, graph_object(l->g, v), NULL);
	unsigned full = 0, above = 0, list = 0;

	if ((b->x->form != PLACE_LIST && b->x->form != PLACE_MAP) || bytes > UNNAMED_BYTES ||
	    snapshot_is_typed(l->s, graph_object(l->g, v)) || is_list_of(b, v))
		return;
	for (uint32_t e = graph_first(l->g, v); e < graph_last(l->g, v); e++)
		list |= graph_is_object(l->g, l->g->to[e]) && is_list_of(b, l->g->to[e]);
	for (uint64_t off = 0; off + 8 <= bytes; off += 8) {
		if (!read_number(b, at + off, 8, &w))
			continue;
		full += w == b->x->n;
		above += w > b->x->n && near(w, b->x->n);
	}
	/* a list that lies in it has its count there */
	if ((list || b->x->form == PLACE_LIST) && (above || full + list >= 2))
		b->found = "a number beside it looks like a bound";
}

/* A global that is the struct itself. */
static void look_at_root(struct bound *b, gnode v)
{
	struct snapshot *s = b->f->l.s;
	taddr at = s->roots.v[v - 1].addr;
	size_t lo = 0, hi = s->vars.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->vars.v[mid].at < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (s->roots.v[v - 1].kind == SNAP_ROOT_GLOBAL && lo < s->vars.n && s->vars.v[lo].at == at)
		look_at_struct(b,
			       (struct go_place){ at, go_type_at(s->rtypes, s->vars.v[lo].rtype) });
}

static bool is_struct(const struct look *l, gnode v)
{
	const struct snap_type *t = &l->s->types.v[fans_type(l, v)];

	return t->kind == SNAP_TYPE_RTYPE && !t->array;
}

static void look_up(struct bound *b)
{
	const struct graph *g = b->f->l.g;
	gnode v = b->x->node;
	unsigned owners = 0;

	for (unsigned i = 0; i < UP && v && v != GRAPH_NONE && !b->found && owners < OWNERS; i++) {
		if (!graph_is_object(g, v)) {
			look_at_root(b, v);
		} else {
			look_at_object(b, v);
			if (!b->found)
				look_at_unnamed(b, v);
			owners += is_struct(&b->f->l, v);
		}
		v = g->idom[v];
	}
}

/* How many there are of what there is most of below a part of it. */
static struct err *spread_of(struct find *f, gnode v, gnode *kid, uint64_t *ret)
{
	struct err *err = NULL;

	*ret = 0;
	for (unsigned i = 0; i < STEPS; i++) {
		struct place_level most;
		size_t n = 0;

		err = place_kids(&f->l, v, kid, &n);
		if (err || !place_heaviest(&f->l, kid, n, 0, &most))
			break;
		*ret = MAX(*ret, most.n);
		v = most.node;
	}
	return err;
}

/* What it consists of: shards of a cache have a bound each.  Most of the samples must. */
static struct err *look_down(struct bound *b)
{
	struct find *f = b->f;
	const struct place *whole = b->x;
	_cleanup_(freep) gnode *kid = zalloc(PLACE_KIDS, sizeof(*kid));
	struct place part = *whole;
	const char *found = NULL;
	unsigned bounded = 0;
	struct err *err = kid ? NULL : &err_nomem;

	b->x = &part;
	b->parts = whole->nsamples;
	for (unsigned i = 0; i < whole->nsamples && !err; i++) {
		err = spread_of(f, whole->sample[i], kid, &part.n);
		part.bytes = f->l.g->retained[whole->sample[i]];
		b->found = NULL;
		if (!err && graph_is_object(f->l.g, whole->sample[i]))
			look_at_object(b, whole->sample[i]);
		bounded += b->found != NULL;
		found = b->found ? b->found : found;
	}
	b->x = whole;
	b->parts = 0;
	b->found = bounded && bounded * 4 >= whole->nsamples * 3 ? found : NULL;
	return err;
}

/* Who owns it, and what it consists of. */
static struct err *find_bound(struct bound *b, struct place *x)
{
	struct err *err = NULL;

	look_up(b);
	if (!b->found && x->containers >= 2)
		err = look_down(b);
	x->steady = b->found;
	return err;
}

/* runtime/proc.go, main: what package initialisers call; what they leave behind runs without it. */
static bool is_init(const char *name)
{
	return !strcmp(name, "runtime.doInit1") || !strcmp(name, "runtime.doInit");
}

static bool from_init(const struct snap_sites *sites, const struct snap_site *site)
{
	for (uint32_t i = site->hidden; i < site->n; i++)
		if (is_init(snap_site_frame(sites, site, i)->function))
			return true;
	return false;
}

static struct err *find_start(struct find *f, struct place *x)
{
	const struct snap_sites *sites;
	size_t inits = 0, others = 0;
	struct err *err = snapshot_sites(f->l.s, &sites);

	for (size_t i = 0; !err && i < sites->samples.n && !others; i++) {
		const struct snap_sample *p = &sites->samples.v[i];
		gnode v = graph_node_of_object(f->l.g, p->object);

		if (!look_reached(&f->l, p->object) || !fans_dominates(&f->l, x->node, v))
			continue;
		if (from_init(sites, &sites->sites.v[p->site]))
			inits++;
		else
			others++;
	}
	if (!err && !others && inits >= SAMPLES_LEAST)
		x->steady = "package initialisers made it";
	return err;
}

struct err *place_judge(struct find *f, struct go_io *io, struct place *x)
{
	struct bound b = { .f = f, .io = io, .x = x };
	struct err *err = x->node ? find_bound(&b, x) : NULL;

	if (!err && !x->steady && x->node)
		err = find_start(f, x);
	return err;
}
