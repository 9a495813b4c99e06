/*
 * join.c - which joiner is for which evidence; where what is alive was made.
 *
 * Made from the program's own samples; without these from its code (types whose makers are known);
 * of a store from its table by line.  Knows no format.  Cost: O(samples + frames), or a look-up of
 * each type's calls.
 */
#include "report/join_priv.h"
#include "report/mix.h"

enum { TYPES_MAX = 512, FRAMES_MAX = 256 };
#define CLIMBS_MAX (64ULL << 20)

struct err *join_say(struct ans_finding *f, const char *from, const char *supports,
		     const char *says)
{
	struct ans_evidence x = { from, says, supports };

	return vec_push(&f->evidence, x) ? NULL : &err_nomem;
}

void join_sites_deinit(struct join_sites *s)
{
	vec_free(&s->v);
	vec_free(&s->frames);
	vec_free(&s->snap);
}

static struct err *push(struct join_sites *s, struct join_site y, const struct ans_frame *f,
			size_t n)
{
	y.first = s->frames.n;
	y.n = MIN(n, (size_t)FRAMES_MAX);
	for (size_t i = 0; i < y.n; i++)
		if (!vec_push(&s->frames, f[i]))
			return &err_nomem;
	return vec_push(&s->v, y) ? NULL : &err_nomem;
}

static const char *type_of(struct agg *a, uint64_t object)
{
	char buf[64];
	uint32_t t = a->s->type_of ? a->s->type_of[object] : 0;

	if (t && t < a->s->types.n && a->s->types.v[t].name)
		return a->s->types.v[t].name;
	return keepf(&a->keep, "%s", snapshot_type_name(a->s, object, buf, sizeof(buf)));
}

static uint64_t estimate(uint64_t n, uint64_t bytes, uint64_t rate)
{
	double x = (double)n * go_profile_scale(bytes, rate);

	return x >= 9e18 ? (uint64_t)9e18 : (uint64_t)x;
}

static struct err *add_sampled(struct join_sites *s, size_t i, uint64_t alive, const char *type)
{
	const struct snap_site *t = &s->x->sites.v[i];
	uint64_t rate = s->x->rate;
	struct join_site y = { .sampled = alive, .type = type };
	struct ans_frame f[FRAMES_MAX];
	size_t n = 0;

	if (t->hidden >= t->n || (!alive && !t->allocs))
		return NULL;
	y.objects = estimate(alive, t->bytes, rate);
	y.bytes = estimate(alive * t->bytes, t->bytes, rate);
	y.alloc_bytes = (uint64_t)MIN(
		(double)t->allocs * (double)t->bytes * go_profile_scale(t->bytes, rate), 9e18);
	for (uint32_t k = t->hidden; k < t->n && n < FRAMES_MAX; k++) {
		const struct snap_frame *sf = snap_site_frame(s->x, t, k);

		f[n++] = (struct ans_frame){ sf->function, sf->file, sf->line, sf->inlined };
	}
	if (!vec_push(&s->snap, (uint32_t)i))
		return &err_nomem;
	return push(s, y, f, n);
}

static struct err *by_samples(struct join_sites *s)
{
	size_t n = s->x->sites.n;
	_cleanup_(freep) uint64_t *alive = zalloc(n, sizeof(*alive));
	_cleanup_(freep) const char **type = zalloc(n, sizeof(*type));
	struct err *err = NULL;

	if (!alive || !type)
		return &err_nomem;
	for (size_t i = 0; i < s->x->samples.n; i++) {
		const struct snap_sample *m = &s->x->samples.v[i];

		if (!graph_reached(s->a->g, graph_node_of_object(s->a->g, m->object)))
			continue;
		if (!alive[m->site]++)
			type[m->site] = type_of(s->a, m->object);
	}
	for (size_t i = 0; i < n && !err; i++)
		err = add_sampled(s, i, alive[i], type[i] ? type[i] : "");
	return err;
}

/* One type that is alive: where the code makes such. */
static struct err *add_made(struct join_sites *s, const struct ans_row *r)
{
	_cleanup_(ans_origin_deinit) struct ans_origin o = { .basis = "", .like = "", .why = "" };
	struct join_site y = { .bytes = r->shallow,
			       .objects = r->objects,
			       .alloc_bytes = ANS_UNKNOWN,
			       .retained = r->retained,
			       .type = r->name };
	struct err *err;

	if (r->biggest == GRAPH_NONE || !graph_is_object(s->a->g, r->biggest))
		return NULL;
	err = agg_origin_code(s->a, graph_object(s->a->g, r->biggest), &o);
	if (err || !o.of)
		return err;
	y.calls = o.of;
	if (o.of == 1)
		return push(s, y, o.stack.v, o.stack.n);
	for (size_t i = 0; i < o.sites.n && !err; i++)
		err = push(s, y, &o.sites.v[i].frame, 1);
	return err;
}

static struct err *by_code(struct join_sites *s)
{
	_cleanup_(ans_top_deinit) struct ans_top t = { 0 };
	struct top_ask q = { .by = "type", .limit = TYPES_MAX };
	struct err *err = agg_top(s->a, &q, &t);

	for (size_t i = 0; i < t.rows.n && !err; i++)
		err = t.rows.v[i].rest ? NULL : add_made(s, &t.rows.v[i]);
	return err;
}

/* "main.f main.go:12" */
static struct err *add_line(struct join_sites *s, const struct ans_row *r)
{
	const char *space = strrchr(r->name, ' ');
	struct join_site y = { .bytes = r->shallow,
			       .objects = r->objects,
			       .alloc_bytes = r->site.alloc_bytes,
			       .retained = r->retained,
			       .sampled = r->site.sampled,
			       .type = "" };
	struct ans_frame f = { .file = r->site.file, .line = r->site.line };

	if (r->rest || !space || !f.file || !(y.bytes || y.alloc_bytes))
		return NULL;
	f.function = keepn(&s->a->keep, r->name, (size_t)(space - r->name));
	return push(s, y, &f, 1);
}

static struct err *by_store(struct join_sites *s)
{
	_cleanup_(ans_top_deinit) struct ans_top t = { 0 };
	struct top_ask q = { .by = "site", .limit = 4096, .lines = true, .sort = TOP_SORT_ALLOC };
	struct err *err = agg_top(s->a, &q, &t);

	if (err && err->code != ERR_NOMEM) {
		s->note = keepf(&s->a->keep, "%s", err->msg);
		err_free(err);
		return NULL;
	}
	for (size_t i = 0; i < t.rows.n && !err; i++)
		err = add_line(s, &t.rows.v[i]);
	s->sampled = s->v.n != 0;
	if (!err && !s->v.n)
		s->note = "the store has no samples of allocations: only its findings are joined";
	return err;
}

struct err *join_sites_make(struct agg *a, struct join_sites *ret)
{
	_cleanup_(join_sites_deinit) struct join_sites s = { .a = a, .module = "", .note = "" };
	_cleanup_(ans_head_deinit) struct ans_head h = { 0 };
	struct err *err = agg_head(a, &h);

	if (!err)
		s.module = h.module ? h.module : "";
	if (!err && a->asked)
		err = by_store(&s);
	else if (!err)
		err = snapshot_sites(a->s, &s.x);
	if (!err && !a->asked && s.x->samples.n) {
		s.sampled = true;
		err = by_samples(&s);
	} else if (!err && !a->asked) {
		s.x = NULL;
		err = by_code(&s);
		if (!err && !s.v.n)
			s.note =
				"the program takes no samples of its allocations, and its code could not "
				"be read for where its types are made";
	}
	if (err)
		return err;
	*ret = s;
	s = (struct join_sites){ 0 };
	return NULL;
}

static void add(struct join_sum *to, const struct join_site *y)
{
	to->bytes += y->bytes;
	to->objects += y->objects;
	to->sampled += y->sampled;
	to->calls = MAX(to->calls, y->calls);
	/* of several types: one may hold the other */
	to->retained = MAX(to->retained, y->retained);
	if (y->alloc_bytes == ANS_UNKNOWN || to->alloc_bytes == ANS_UNKNOWN)
		to->alloc_bytes = ANS_UNKNOWN;
	else
		to->alloc_bytes += y->alloc_bytes;
}

/* For retained bytes of samples: of those of one row, the ones that no other of it holds. */
struct climb {
	const struct join_sites *s;
	uint32_t *row_of; /* by object: row + 1 */
	struct alike *alike;
	uint64_t budget;
};

/*
 * The weight of a sample tells how many objects like it there are.  What one of them retains is
 * no size that it is sampled by: a slice that holds all that a program has is one, and is not to
 * be counted twice.  So retained bytes scale where a sample holds next to nothing but itself, or
 * where enough of them hold about the same.
 */
enum { ALIKE_LEAST = 8, ALIKE_TIMES = 3 };

struct alike {
	uint64_t n, most, total;
	bool hold; /* one holds more than itself */
};

static void note_alike(struct alike *x, uint64_t retained, uint64_t own)
{
	x->n++;
	x->total += retained;
	x->most = MAX(x->most, retained);
	x->hold |= retained > own + own / 8;
}

static bool can_scale(const struct alike *x)
{
	return !x->hold || (x->n >= ALIKE_LEAST && x->most <= x->total / x->n * ALIKE_TIMES);
}

static bool is_nested(struct climb *c, gnode v, uint32_t row)
{
	const struct graph *g = c->s->a->g;

	for (v = g->idom[v]; v != GRAPH_NONE && graph_is_object(g, v) && c->budget;
	     v = g->idom[v], c->budget--)
		if (c->row_of[graph_object(g, v)] == row)
			return true;
	return !c->budget; /* who was not looked at does not count */
}

static uint64_t own_bytes(const struct agg *a, uint64_t object)
{
	const struct go_span *sp = go_heap_span_of(&a->s->heap, object);

	return sp ? sp->elem_bytes : 0;
}

static void climb_all(struct climb *c, struct join_sum *sum)
{
	const struct snap_sites *x = c->s->x;
	const struct graph *g = c->s->a->g;

	for (size_t i = 0; i < x->samples.n; i++) {
		const struct snap_sample *m = &x->samples.v[i];
		gnode v = graph_node_of_object(g, m->object);
		uint32_t row = c->row_of[m->object];
		struct join_sum *to = row ? &sum[row - 1] : NULL;

		if (!row || !graph_reached(g, v) || (i && m[-1].object == m->object))
			continue;
		if (is_nested(c, v, row)) {
			to->guess = ANS_UNKNOWN;
			continue;
		}
		to->retained += g->retained[v];
		note_alike(&c->alike[row - 1], g->retained[v], own_bytes(c->s->a, m->object));
		if (to->guess != ANS_UNKNOWN)
			to->guess += estimate(g->retained[v], x->sites.v[m->site].bytes, x->rate);
	}
}

static struct err *add_retained(const struct join_sites *s, const uint32_t *row, size_t nrows,
				struct join_sum *sum)
{
	_cleanup_(freep) uint32_t *row_of_snap = zalloc(s->x->sites.n, sizeof(*row_of_snap));
	_cleanup_(freep) struct alike *alike = zalloc(nrows, sizeof(*alike));
	uint64_t n = s->a->s->heap.nobjects;
	struct climb c = { .s = s, .alike = alike, .budget = CLIMBS_MAX };

	if (!row_of_snap || !alike)
		return &err_nomem;
	for (size_t i = 0; i < s->v.n; i++)
		row_of_snap[s->snap.v[i]] = row[i] == UINT32_MAX ? 0 : row[i] + 1;
	c.row_of = bigalloc(n, sizeof(*c.row_of));
	if (!c.row_of)
		return &err_nomem;
	for (size_t i = 0; i < s->x->samples.n; i++) {
		const struct snap_sample *m = &s->x->samples.v[i];

		if (!c.row_of[m->object])
			c.row_of[m->object] = row_of_snap[m->site];
	}
	climb_all(&c, sum);
	for (size_t i = 0; i < nrows; i++)
		if (!can_scale(&alike[i]))
			sum[i].guess = ANS_UNKNOWN;
	bigfree(c.row_of, n, sizeof(*c.row_of));
	return NULL;
}

struct err *join_add_up(const struct join_sites *s, const uint32_t *row, size_t nrows,
			struct join_sum *sum)
{
	struct err *err = NULL;

	for (size_t i = 0; i < s->v.n; i++)
		if (row[i] != UINT32_MAX && row[i] < nrows)
			add(&sum[row[i]], &s->v.v[i]);
	if (s->x)
		err = add_retained(s, row, nrows, sum);
	for (size_t i = 0; i < nrows && !s->a->s && !s->a->asked; i++)
		sum[i].retained = ANS_UNKNOWN;
	for (size_t i = 0; i < nrows; i++)
		if (!s->x)
			sum[i].guess = ANS_UNKNOWN;
		else if (sum[i].guess != ANS_UNKNOWN)
			sum[i].guess = MIN(sum[i].guess, s->a->g->reached_bytes);
	return err;
}

static join_fn *joiner_of(const struct join_file *f)
{
	return f->escape ? join_escape : f->lint ? join_lint : NULL;
}

struct err *agg_join(struct agg *a, const struct report_ask *ask, struct ans_report *r)
{
	_cleanup_(join_sites_deinit) struct join_sites s = { 0 };
	bool look = a->s || a->asked;
	struct err *err = look ? join_sites_make(a, &s) : mix_sites_of_profile(a, ask, &s);

	r->joined = zalloc(ask->njoins, sizeof(*r->joined));
	if (!err && !r->joined)
		err = &err_nomem;
	if (!err && !look)
		err = mix_all(a, ask, &s, r); /* whose findings the others speak of */
	for (size_t i = 0; i < ask->njoins && !err; i++) {
		struct ans_joined *to = &r->joined[r->njoined];
		join_fn *join = joiner_of(&ask->joins[i]);

		if (!join)
			continue;
		*to = (struct ans_joined){ .name = ask->joins[i].name,
					   .note = s.note,
					   .by_samples = s.sampled };
		to->left.example = "";
		r->njoined++;
		err = join(a, &ask->joins[i], &s, r, to);
	}
	return err || !look ? err : mix_all(a, ask, &s, r);
}

void ans_joined_deinit(struct ans_joined *a)
{
	vec_free(&a->escapes);
	vec_free(&a->lints);
}
