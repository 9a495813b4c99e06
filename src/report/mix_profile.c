/*
 * mix_profile.c - profiles beside other evidence: which they are, and what each is by itself.
 *
 * Graphs by line and by function are made of the first and the last of a kind only; of those
 * between them nobody asks.  Memory: some hundred bytes a function and line.
 */
#include "report/mix.h"

#include "report/agg_pprof.h"

#include "evidence/pprof_unit.h"

#include <inttypes.h>

static void one_deinit(struct mix_profile *p)
{
	pprof_graph_free(p->lines);
	pprof_graph_free(p->functions);
	pprof_graph_free(p->all_lines);
	pprof_graph_free(p->all_functions);
}

void mix_profiles_deinit(struct mix_profiles *x)
{
	for (size_t i = 0; i < x->v.n; i++)
		one_deinit(&x->v.v[i]);
	vec_free(&x->v);
}

static bool has(const struct pprof *p, const char *type, unsigned *ret)
{
	for (size_t i = 0; i < p->types.n; i++)
		if (!strcmp(pprof_text(p, p->types.v[i].type), type)) {
			*ret = (unsigned)i;
			return true;
		}
	return false;
}

static enum mix_profile_kind kind_of(const struct pprof *p, unsigned *ret_type)
{
	/* net/http/pprof, ?seconds=: the difference of two, with how long it took */
	if (has(p, "inuse_space", ret_type))
		return p->duration_ns > 0 ? MIX_HEAP_DELTA : MIX_HEAP;
	if (has(p, "goroutineleak", ret_type))
		return MIX_LEAKED;
	if (has(p, "goroutine", ret_type))
		return MIX_GOROUTINES;
	if (has(p, "delay", ret_type))
		return MIX_WAITS;
	if (has(p, "cpu", ret_type))
		return MIX_CPU;
	*ret_type = p->types.n ? (unsigned)p->types.n - 1 : 0;
	return MIX_OTHER;
}

static int by_time(const void *a, const void *b)
{
	const struct mix_profile *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->doubt != y->doubt)
		return x->doubt < y->doubt ? -1 : 1;
	if (x->p->time_ns != y->p->time_ns)
		return x->p->time_ns < y->p->time_ns ? -1 : 1;
	return x->f < y->f ? -1 : x->f > y->f;
}

static struct err *graph(const struct pprof *p, unsigned type, enum pprof_by by,
			 struct pprof_graph **ret)
{
	struct pprof_ask q = { .type = type, .by = by, .order = PPROF_ORDER_FLAT };

	return pprof_graph_create(p, &q, ret);
}

static struct err *graphs(struct mix_profile *x)
{
	unsigned all;
	struct err *err = graph(x->p, x->type, PPROF_BY_LINE, &x->lines);

	if (!err)
		err = graph(x->p, x->type, PPROF_BY_FUNCTION, &x->functions);
	if (err || x->kind != MIX_HEAP || !has(x->p, "alloc_space", &all))
		return err;
	err = graph(x->p, all, PPROF_BY_LINE, &x->all_lines);
	return err ? err : graph(x->p, all, PPROF_BY_FUNCTION, &x->all_functions);
}

static uint8_t doubt_of(const struct mix_kin *k)
{
	return !strcmp(k->same, "no") ? 2 : k->decides ? 0 : 1;
}

static bool is_alike(const struct mix_profile *x, const struct mix_profile *y)
{
	return x->kind == y->kind && x->doubt == y->doubt;
}

struct err *mix_profiles_make(struct mixing *m, struct mix_profiles *ret)
{
	struct err *err = NULL;

	for (size_t i = 0; i < m->ask->njoins; i++) {
		struct mix_profile x = { .f = &m->ask->joins[i],
					 .p = m->ask->joins[i].pprof,
					 .doubt = doubt_of(&m->kin[i]) };

		if (!x.p || !x.p->types.n)
			continue;
		x.kind = kind_of(x.p, &x.type);
		if (!vec_push(&ret->v, x))
			return &err_nomem;
	}
	if (ret->v.n)
		qsort(ret->v.v, ret->v.n, sizeof(ret->v.v[0]), by_time);
	for (size_t i = 0; i < ret->v.n && !err; i++) {
		const struct mix_profile *x = &ret->v.v[i];

		if (!i || !is_alike(x - 1, x) || i + 1 == ret->v.n || !is_alike(x, x + 1))
			err = graphs(&ret->v.v[i]);
	}
	return err;
}

static const char *word_of(const struct mix_profile *x)
{
	return x->kind == MIX_HEAP_DELTA ? "what changed in the heap" : agg_pprof_what(x->p);
}

static const char *figure(struct keep *k, int64_t v, const char *unit)
{
	char buf[PPROF_VALUE_MAX];

	if (!strcmp(unit, "bytes"))
		return mix_bytes(k, (double)v);
	if (!strcmp(unit, "count"))
		return keepf(k, "%" PRId64, v);
	return keepf(k, "%s", pprof_value(buf, v, unit, "auto"));
}

/* Another program's executable, or functions that nobody else has. */
void mix_same_profile(struct mixing *m, const struct join_file *f, struct mix_kin *ret)
{
	const struct pprof *p = f->pprof;
	const char *file = p->mappings.n ? pprof_text(p, p->mappings.v[0].file) : "";
	VEC(const char *) names = { 0 };

	for (size_t i = 0; i < p->functions.n; i++)
		if (!vec_push(&names, pprof_text(p, p->functions.v[i].name)))
			break;
	mix_same(m, names.v, names.n, ret);
	vec_free(&names);
	for (size_t i = 0; i < p->lines.n; i++) {
		const struct pprof_line *x = &p->lines.v[i];
		struct ans_frame at = { .line = (int)MIN(x->line, INT32_MAX) };

		if (x->function == PPROF_NONE)
			continue;
		at.function = pprof_text(p, p->functions.v[x->function].name);
		at.file = pprof_text(p, p->functions.v[x->function].file);
		mix_same_main(m, &at, ret);
	}
	if (strcmp(ret->same, "yes") != 0 && *file && m->h.exe && *m->h.exe &&
	    !strcmp(file, m->h.exe))
		*ret = (struct mix_kin){ "yes", "it names the same executable", true };
}

struct err *mix_beside_profile(struct mixing *m, struct mix_profile *x, struct ans_beside *to)
{
	const char *unit = pprof_text(x->p, x->p->types.v[x->type].unit);
	const struct pprof_graph *g = x->lines;

	to->kind = "profile";
	to->damage = x->p->damage;
	to->at_unix_ns = x->p->time_ns > 0 ? (uint64_t)x->p->time_ns : 0;
	to->what = keepf(m->k, "%s, %s in all", word_of(x),
			 figure(m->k, pprof_total(x->p, x->type), unit));
	if (x->kind == MIX_HEAP || x->kind == MIX_HEAP_DELTA)
		to->what = keepf(m->k, "%s, %s %s", word_of(x),
				 figure(m->k, pprof_total(x->p, x->type), unit),
				 x->kind == MIX_HEAP ? "in use" : "of change");
	if (g && g->nodes.n && g->nodes.v[0].flat > 0)
		to->what = keepf(m->k, "%s; most of it (%s) at %s (%s:%" PRId64 ")", to->what,
				 figure(m->k, g->nodes.v[0].flat, unit), g->nodes.v[0].name,
				 mix_base(g->nodes.v[0].file), g->nodes.v[0].line);
	if (x->kind == MIX_CPU)
		to->what = keepf(m->k, "%s; it says nothing of who holds memory", to->what);
	return NULL;
}

/* A stack that allocated, as the joiners want it. */
static struct err *add_site(struct join_sites *s, const struct pprof *p, const struct pprof_walk *w,
			    int64_t bytes, int64_t objects, int64_t all)
{
	struct join_site y = { .first = s->frames.n,
			       .bytes = bytes > 0 ? (uint64_t)bytes : 0,
			       .objects = objects > 0 ? (uint64_t)objects : 0,
			       .sampled = objects > 0 ? (uint64_t)objects : 0,
			       .alloc_bytes = all > 0 ? (uint64_t)all : 0,
			       .type = "" };

	for (uint32_t at = w->stack; at != PPROF_NONE && y.n < 256; at = p->stacks.v[at].parent) {
		const struct pprof_location *l = &p->locations.v[p->stacks.v[at].location];

		for (uint32_t i = 0; i < l->nlines && y.n < 256; i++) {
			const struct pprof_line *line = &p->lines.v[l->first_line + i];
			struct ans_frame f = { "", "", (int)line->line, i + 1 < l->nlines };

			if (line->function == PPROF_NONE)
				continue;
			f.function = pprof_text(p, p->functions.v[line->function].name);
			f.file = pprof_text(p, p->functions.v[line->function].file);
			if (!vec_push(&s->frames, f))
				return &err_nomem;
			y.n++;
		}
	}
	return vec_push(&s->v, y) ? NULL : &err_nomem;
}

struct err *mix_sites_of_profile(struct agg *a, const struct report_ask *ask,
				 struct join_sites *ret)
{
	const struct pprof *p = NULL;
	unsigned in = 0, n = 0, all = 0, t;
	struct pprof_walk w = { 0 };
	struct err *err = NULL;

	*ret = (struct join_sites){ .a = a, .module = "", .note = "" };
	for (size_t i = 0; i < ask->njoins; i++)
		if (ask->joins[i].pprof && kind_of(ask->joins[i].pprof, &t) == MIX_HEAP &&
		    (!p || ask->joins[i].pprof->time_ns >= p->time_ns))
			p = ask->joins[i].pprof;
	if (!p || !has(p, "inuse_space", &in) || !has(p, "inuse_objects", &n) ||
	    !has(p, "alloc_space", &all)) {
		ret->note = "no heap profile among them: nothing says what is alive";
		return NULL;
	}
	ret->sampled = true;
	while (pprof_next(p, &w) && !err)
		err = add_site(ret, p, &w, w.values[in], w.values[n], w.values[all]);
	return err;
}
