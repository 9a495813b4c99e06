/*
 * view_sites.c - the program's own memory profile, from one refresh to the next.
 *
 * Buckets are looked up by their address: a bucket is never freed (runtime/mprof.go), so its stack
 * is resolved once.  Cost of a refresh: one pass over the buckets, two reads each.
 */
#include "watch/view.h"

#include "goruntime/beat.h"
#include "goruntime/profile.h"

#include <math.h>

#define MAX_LOOKED_AT 20000 /* goroutines a refresh */

struct site {
	char *function, *file;
	int line;
	double bytes, objects, alloc_bytes, fresh;
	uint64_t samples;
};

/* A bucket that was there at the last refresh; ascending by at. */
struct known {
	taddr at;
	uint32_t site;
	uint64_t allocs;
};

struct buckets {
	struct known *v;
	size_t n, cap;
};

struct view_sites {
	const struct go *g;
	VEC(struct site) sites;
	struct buckets known;
	bool any;
};

struct err *view_sites_create(const struct go *g, struct view_sites **ret)
{
	struct view_sites *v = zalloc(1, sizeof(*v));

	if (!v)
		return &err_nomem;
	v->g = g;
	*ret = v;
	return NULL;
}

void view_sites_free(struct view_sites *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->sites.n; i++) {
		free(v->sites.v[i].function);
		free(v->sites.v[i].file);
	}
	vec_free(&v->sites);
	vec_free(&v->known);
	free(v);
}

void ans_watched_top_deinit(struct ans_watched_top *t)
{
	vec_free(&t->rows);
}

static int by_at(const void *a, const void *b)
{
	const struct known *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static const struct known *known_at(const struct view_sites *v, taddr at)
{
	struct known key = { .at = at };

	return v->known.n ? bsearch(&key, v->known.v, v->known.n, sizeof(key), by_at) : NULL;
}

/* As runtime/pprof has it: the first function of the stack that is not the allocator's. */
static struct go_line leaf_of(const struct view_sites *v, const struct go_profile *p,
			      const struct go_bucket *b)
{
	const taddr *pcs = p->pcs.v + b->first_pc;
	uint32_t hidden = b->npcs ? go_callers_hidden(v->g, pcs, b->npcs) : 0;
	struct go_line l = { 0 };

	if (hidden >= b->npcs || !go_callers_lines(v->g, pcs[hidden], &l, 1))
		l = (struct go_line){ .function = "(no stack)", .file = "" };
	return l;
}

static struct err *site_of(struct view_sites *v, const struct go_line *l, uint32_t *ret)
{
	struct site s = { .line = l->line };

	for (size_t i = 0; i < v->sites.n; i++)
		if (!strcmp(v->sites.v[i].function, l->function)) {
			*ret = (uint32_t)i;
			return NULL;
		}
	s.function = strdup(l->function);
	s.file = strdup(l->file ? l->file : "");
	if (!s.function || !s.file || !vec_push(&v->sites, s)) {
		free(s.function);
		free(s.file);
		return &err_nomem;
	}
	*ret = (uint32_t)(v->sites.n - 1);
	return NULL;
}

/* runtime/pprof/protomem.go, scaleHeapSample. */
static double scale_of(uint64_t bytes, uint64_t rate)
{
	return rate <= 1 || !bytes ? 1 : 1 / (1 - exp(-(double)bytes / (double)rate));
}

static void count(struct site *s, const struct go_bucket *b, uint64_t before, uint64_t rate)
{
	double scale = scale_of(b->bytes, rate), each = (double)b->bytes * scale;
	/* allocs and frees are read one after the other */
	uint64_t in_use = b->allocs > b->frees ? b->allocs - b->frees : 0;

	s->bytes += (double)in_use * each;
	s->objects += (double)in_use * scale;
	s->samples += in_use;
	s->alloc_bytes += (double)b->allocs * each;
	if (b->allocs > before)
		s->fresh += (double)(b->allocs - before) * each;
}

static void clear(struct view_sites *v)
{
	for (size_t i = 0; i < v->sites.n; i++) {
		struct site *s = &v->sites.v[i];

		s->bytes = s->objects = s->alloc_bytes = s->fresh = 0;
		s->samples = 0;
	}
}

static struct err *take_buckets(struct view_sites *v, const struct go_profile *p)
{
	struct buckets now = { 0 };
	struct err *err = NULL;

	clear(v);
	for (size_t i = 0; i < p->buckets.n && !err; i++) {
		const struct go_bucket *b = &p->buckets.v[i];
		const struct known *k = known_at(v, b->at);
		struct known n = { b->at, 0, b->allocs };

		if (k) {
			n.site = k->site;
		} else {
			struct go_line l = leaf_of(v, p, b);

			err = site_of(v, &l, &n.site);
		}
		if (err)
			break;
		count(&v->sites.v[n.site], b, k ? k->allocs : 0, p->rate);
		if (!vec_push(&now, n))
			err = &err_nomem;
	}
	if (err) {
		vec_free(&now);
		return err;
	}
	vec_free(&v->known);
	v->known = now;
	return NULL;
}

static int by_bytes(const void *a, const void *b)
{
	const struct ans_watched_site *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	if (x->alloc_bytes != y->alloc_bytes)
		return x->alloc_bytes < y->alloc_bytes ? 1 : -1;
	return strcmp(x->function, y->function);
}

static struct err *put_rows(const struct view_sites *v, uint64_t ns, struct ans_watched_top *t)
{
	bool rates = ns && v->any;

	for (size_t i = 0; i < v->sites.n; i++) {
		const struct site *s = &v->sites.v[i];
		struct ans_watched_site r = { .function = s->function,
					      .file = s->file,
					      .line = s->line,
					      .bytes = (uint64_t)llround(s->bytes),
					      .objects = (uint64_t)llround(s->objects),
					      .alloc_bytes = (uint64_t)llround(s->alloc_bytes),
					      .samples = s->samples };

		r.alloc_rate = rates ? s->fresh / ((double)ns / 1e9) : NAN;
		t->bytes += r.bytes;
		if (!vec_push(&t->rows, r))
			return &err_nomem;
	}
	if (t->rows.n)
		qsort(t->rows.v, t->rows.n, sizeof(*t->rows.v), by_bytes);
	return NULL;
}

static const char *why_not(uint8_t state)
{
	switch ((enum go_profiling)state) {
	case GO_PROFILING_ON:
		return NULL;
	case GO_PROFILING_OFF:
		return "the program has turned its memory profile off (MemProfileRate 0)";
	case GO_PROFILING_UNLINKED:
		return "nothing in the program reads a memory profile: the linker has left it out";
	case GO_PROFILING_UNKNOWN:
		break;
	}
	return "the program's memory profile was not found";
}

/* The reason that most have, of those not shown yet; -1: none. */
static int most(const struct go_beat_states *s, const bool *shown)
{
	int best = -1;

	for (int i = 0; i < 256; i++)
		if (!shown[i] && s->wait[i] && (best < 0 || s->wait[i] > s->wait[best]))
			best = i;
	return best;
}

static void put_waits(const struct go_layout *L, const struct go_beat_states *s, uint64_t scale,
		      struct ans_watched_top *t)
{
	bool shown[256] = { false };

	for (int i; t->nwaits < WATCHED_WAITS && (i = most(s, shown)) >= 0; t->nwaits++) {
		bool named = (uint32_t)i < L->nwait_reasons && L->wait_reasons[i];

		shown[i] = true;
		t->waits[t->nwaits] =
			(struct ans_watched_wait){ named ? L->wait_reasons[i] : "unknown",
						   s->wait[i] * scale };
	}
}

static struct err *take_states(const struct go *g, struct ans_watched_top *t)
{
	struct go_beat_states s;
	struct err *err = go_beat_states(g, MAX_LOOKED_AT, &s);

	if (err && err->code != ERR_GONE) {
		err_free(err); /* a line less */
		return NULL;
	}
	if (err)
		return err;
	uint64_t scale = s.seen && s.of > s.seen + 1 ? (s.of + s.seen / 2) / s.seen : 1;

	t->states_known = true;
	t->states_sampled = scale > 1;
	t->running = s.n[GO_BEAT_RUNNING] * scale;
	t->runnable = s.n[GO_BEAT_RUNNABLE] * scale;
	t->in_syscall = s.n[GO_BEAT_SYSCALL] * scale;
	t->waiting = s.n[GO_BEAT_WAITING] * scale;
	t->other = s.n[GO_BEAT_OTHER] * scale;
	put_waits(g->L, &s, scale, t);
	return NULL;
}

struct err *view_sites_take(struct view_sites *v, uint64_t interval_ns, struct ans_watched_top *ret)
{
	_cleanup_(go_profile_deinit) struct go_profile p = { 0 };
	_cleanup_(ans_watched_top_deinit) struct ans_watched_top t = { 0 };
	struct err *err = go_profile_read(v->g, &p);

	if (!err)
		err = take_buckets(v, &p);
	if (!err)
		err = put_rows(v, interval_ns, &t);
	if (!err)
		err = take_states(v->g, &t);
	if (err)
		return err;
	v->any = true;
	t.profiling = why_not(p.state);
	t.rate = p.rate;
	t.buckets = p.buckets.n;
	*ret = t;
	t = (struct ans_watched_top){ 0 };
	return NULL;
}
