/*
 * agg_origin.c - where an object was allocated: known of a sampled one, likely of its like.
 *
 * The like of an object are sampled objects of its type: of its size and under its holder, if
 * there are any, else of fewer of these.  Each answer says of which, and of how many.
 * The holder is the nearest dominator that is more than a part of a container.
 * Cost: O(samples), and for those of the type (at most LIKE_MAX) a way up the dominator tree
 * and a small read.
 */
#include "report/agg_sites.h"

enum { LIKE_MAX = 1024, LOOK_MAX = 200000, HOPS_MAX = 256, SITES_MAX = 8 };

/* What one object is to be compared by. */
struct kin {
	const char *type;
	uint64_t bytes;
	gnode holder, child; /* child: what of it the holder points at */
	const char *under;   /* the holder in words, "" unknown */
};

struct search {
	struct agg *a;
	const struct snap_sites *x;
	uint64_t object;
	struct kin of;
	struct kin last; /* whose holder's words are known */
	/* by how much they agree: the type, also the size, also the holder, all three */
	VEC(uint32_t) like[4];
};

enum { SAME_SIZE = 1, SAME_HOLDER = 2 };

static void search_deinit(struct search *s)
{
	for (size_t i = 0; i < ARRAY_LEN(s->like); i++)
		vec_free(&s->like[i]);
}

/* Parts of containers: whose they are says more. */
static bool passes_on(const struct snapshot *s, uint64_t id)
{
	uint32_t n = s->type_of ? s->type_of[id] : 0;
	const struct snap_type *t = n < s->types.n ? &s->types.v[n] : NULL;

	if (!n || !t || t->rank <= SNAP_RANK_GUESS)
		return true;
	return t->kind == SNAP_TYPE_MAP || t->kind == SNAP_TYPE_PART ||
	       (t->kind == SNAP_TYPE_RTYPE && t->array);
}

static void find_holder(const struct agg *a, gnode v, struct kin *k)
{
	const struct graph *g = a->g;

	k->child = v;
	k->holder = g->idom[v];
	for (int i = 0;
	     i < HOPS_MAX && k->holder != GRAPH_NONE && k->holder &&
	     graph_is_object(g, k->holder) && passes_on(a->s, graph_object(g, k->holder));
	     i++) {
		k->child = k->holder;
		k->holder = g->idom[k->holder];
	}
}

static const char *goroutine_words(struct agg *a, gnode v)
{
	const struct snap_root *r = &a->s->roots.v[v - 1];

	if (r->kind != SNAP_ROOT_GOROUTINE || r->goroutine >= a->s->stacks.gs.n)
		return NULL;
	return keepf(&a->keep, "goroutines of %s", agg_goroutine_function(a, r->goroutine));
}

/* "main.cache", "main.Server.sessions", "goroutines of main.worker" */
static struct err *holder_words(struct search *s, struct kin *k)
{
	struct agg *a = s->a;
	struct ans_holder h;
	struct err *err;

	k->under = "";
	if (k->holder == s->last.holder && k->child == s->last.child && s->last.under) {
		k->under = s->last.under;
		return NULL;
	}
	if (k->holder == 0)
		k->under = "several roots";
	else if (k->holder != GRAPH_NONE && !graph_is_object(a->g, k->holder))
		k->under = goroutine_words(a, k->holder);
	if (!k->under || (!*k->under && k->holder != GRAPH_NONE)) {
		err = agg_holder(a, k->holder, k->child, &h);
		if (err)
			return err;
		k->under = keepf(&a->keep, "%s%s", *h.name ? h.name : h.type, h.field);
	}
	s->last = *k;
	return NULL;
}

static struct err *describe(struct search *s, uint64_t id, struct kin *k)
{
	find_holder(s->a, graph_node_of_object(s->a->g, id), k);
	return holder_words(s, k);
}

static const char *type_name(struct agg *a, uint64_t id, char *buf, size_t nbuf)
{
	const struct snapshot *s = a->s;
	uint32_t t = s->type_of ? s->type_of[id] : 0;

	return t && t < s->types.n && s->types.v[t].name ? s->types.v[t].name
							 : snapshot_type_name(s, id, buf, nbuf);
}

static uint64_t slot_bytes(const struct agg *a, uint64_t id)
{
	const struct go_span *sp = go_heap_span_of(&a->s->heap, id);

	return sp ? sp->elem_bytes : 0;
}

static struct err *compare(struct search *s, const struct snap_sample *m)
{
	struct kin k = { 0 };
	unsigned how = 0;
	struct err *err = describe(s, m->object, &k);

	if (err)
		return err;
	if (slot_bytes(s->a, m->object) == s->of.bytes)
		how |= SAME_SIZE;
	if (*k.under && !strcmp(k.under, s->of.under))
		how |= SAME_HOLDER;
	for (unsigned i = 0; i < ARRAY_LEN(s->like); i++)
		if ((i & how) == i && !vec_push(&s->like[i], m->site))
			return &err_nomem;
	return NULL;
}

static bool same_type(const struct search *s, uint64_t id)
{
	const struct snapshot *x = s->a->s;
	char buf[64];

	if (x->type_of && x->type_of[id] == x->type_of[s->object] && x->type_of[id])
		return true;
	return !strcmp(type_name(s->a, id, buf, sizeof(buf)), s->of.type);
}

/* Reachable samples of the type; every so manieth of them where they are too many. */
static struct err *gather(struct search *s)
{
	VEC(uint32_t) found = { 0 };
	struct err *err = NULL;
	size_t step;

	for (size_t i = 0; i < s->x->samples.n && !err; i += s->x->samples.n / LOOK_MAX + 1) {
		uint64_t id = s->x->samples.v[i].object;

		if (graph_reached(s->a->g, graph_node_of_object(s->a->g, id)) && same_type(s, id) &&
		    !vec_push(&found, (uint32_t)i))
			err = &err_nomem;
	}
	step = found.n / LIKE_MAX + 1;
	for (size_t i = 0; i < found.n && !err; i += step)
		err = compare(s, &s->x->samples.v[found.v[i]]);
	vec_free(&found);
	return err;
}

static int by_number(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

static int by_count(const void *x, const void *y)
{
	const struct ans_origin_site *a = x, *b = y;

	if (a->count != b->count)
		return a->count < b->count ? 1 : -1;
	return strcmp(a->frame.function, b->frame.function);
}

static struct ans_frame frame_of(const struct snap_frame *f)
{
	return (struct ans_frame){ *f->function ? f->function : "<unknown>", f->file, f->line,
				   f->inlined };
}

/* n samples of one site; sites that end in one line of source are one. */
static struct err *add_site(const struct snap_sites *x, uint32_t site, uint64_t n,
			    struct ans_origin *o)
{
	const struct snap_site *s = &x->sites.v[site];
	struct ans_origin_site to = { .count = n, .site = site };

	if (s->hidden >= s->n)
		return NULL;
	to.frame = frame_of(snap_site_frame(x, s, s->hidden));
	o->of += n;
	for (size_t i = 0; i < o->sites.n; i++) {
		struct ans_origin_site *old = &o->sites.v[i];

		if (old->frame.line != to.frame.line ||
		    strcmp(old->frame.function, to.frame.function) != 0 ||
		    strcmp(old->frame.file, to.frame.file) != 0)
			continue;
		old->count += n;
		return NULL;
	}
	if (o->sites.n == 4096) /* lines of source that allocate one type: absurd */
		return NULL;
	return vec_push(&o->sites, to) ? NULL : &err_nomem;
}

/* The stack of a site from its first visible frame on. */
static struct err *add_stack(const struct snap_sites *x, const struct snap_site *s,
			     struct ans_origin *o)
{
	for (uint32_t i = s->hidden; i < s->n; i++)
		if (!vec_push(&o->stack, frame_of(snap_site_frame(x, s, i))))
			return &err_nomem;
	return NULL;
}

static struct err *settle(const struct snap_sites *x, struct ans_origin *o)
{
	if (!o->sites.n)
		return NULL;
	qsort(o->sites.v, o->sites.n, sizeof(*o->sites.v), by_count);
	for (size_t i = SITES_MAX; i < o->sites.n; i++)
		o->others += o->sites.v[i].count;
	o->sites.n = MIN(o->sites.n, (size_t)SITES_MAX);
	return o->sampled ? NULL : add_stack(x, &x->sites.v[o->sites.v[0].site], o);
}

static struct err *distribute(struct search *s, uint32_t *v, size_t n, struct ans_origin *o)
{
	struct err *err = NULL;

	qsort(v, n, sizeof(*v), by_number);
	for (size_t i = 0, k; i < n && !err; i = k) {
		for (k = i; k < n && v[k] == v[i];)
			k++;
		err = add_site(s->x, v[i], k - i, o);
	}
	return err ? err : settle(s->x, o);
}

/* From the narrowest likeness on: the holder says more than the size. */
static struct err *infer(struct search *s, struct ans_origin *o)
{
	static const uint8_t order[] = { SAME_HOLDER | SAME_SIZE, SAME_HOLDER, SAME_SIZE, 0 };
	static const char *const basis[] = { "type", "type and size", "type and holder",
					     "type, size and holder" };
	struct err *err = describe(s, s->object, &s->of);

	if (!err)
		err = gather(s);
	for (size_t i = 0; i < ARRAY_LEN(order) && !err; i++) {
		unsigned how = order[i];

		if (!s->like[how].n)
			continue;
		o->basis = basis[how];
		o->like = how & SAME_HOLDER
				  ? keepf(&s->a->keep, "%s under %s", s->of.type, s->of.under)
			  : how & SAME_SIZE ? keepf(&s->a->keep, "%s of %" PRIu64 " bytes",
						    s->of.type, s->of.bytes)
					    : s->of.type;
		return distribute(s, s->like[how].v, s->like[how].n, o);
	}
	return err;
}

struct err *agg_origin(struct agg *a, gnode v, struct ans_origin *ret)
{
	_cleanup_(search_deinit) struct search s = { .a = a, .object = graph_object(a->g, v) };
	_cleanup_(ans_origin_deinit) struct ans_origin o = { .basis = "", .like = "", .why = "" };
	struct ans_profile p;
	const struct snap_site *site;
	char buf[64];
	struct err *err = snapshot_sites(a->s, &s.x);

	if (err)
		return err;
	site = snap_site_of(s.x, s.object);
	agg_profile(s.x, &p);
	o.sampled = site != NULL;
	if (site) {
		err = add_stack(s.x, site, &o);
	} else if (!p.on && !p.samples) {
		o.why = p.why;
	} else if (a->g->idom && graph_reached(a->g, v)) {
		s.of.type = keepf(&a->keep, "%s", type_name(a, s.object, buf, sizeof(buf)));
		s.of.bytes = slot_bytes(a, s.object);
		err = infer(&s, &o);
	}
	if (!err && !site && !*o.why && !o.of)
		o.why = "no object like it is in the sample";
	if (!err && *o.why)
		err = agg_origin_code(a, s.object, &o);
	if (!err)
		err = keep_err(&a->keep);
	if (err)
		return err;
	*ret = o;
	o = (struct ans_origin){ 0 };
	return NULL;
}
