/*
 * pop_cont.c - containers for populations: their facts by name, objects by the names of their
 * types, owners.
 *
 * go_cont_facts() hands facts out one by one; here they are kept, so that columns can ask.
 */
#include "report/pop_priv.h"

#include "goruntime/funcs.h"

static enum go_cont_go_on keep_fact(void *arg, const struct go_fact *f)
{
	struct pop_facts *r = arg;

	if (r->n == POP_FACTS)
		return CONT_STOP;
	r->v[r->n++] = *f;
	return CONT_ON;
}

struct err *pop_facts_read(struct agg *a, struct go_io *io, struct go_place p,
			   struct pop_facts *ret)
{
	const struct go_cont *c = go_cont_of(a->s->rtypes, p.type);
	struct err *err;

	ret->n = 0;
	if (!c || !p.at)
		return NULL;
	err = go_cont_facts(c, io, a->s->rtypes, p, keep_fact, ret);
	if (err && (err->code == ERR_NOMEM || err->code == ERR_GONE))
		return err;
	ret->bad = err != NULL;
	err_free(err);
	return NULL;
}

uint64_t pop_fact(const struct pop_facts *f, const char *name, uint64_t otherwise)
{
	for (unsigned i = 0; i < f->n; i++)
		if (!strcmp(f->v[i].name, name))
			return f->v[i].n;
	return otherwise;
}

/* Numbers of types whose objects are such containers; by number in s->types. */
static const struct go_type **wanted_types(struct agg *a, const char *word)
{
	const struct snapshot *s = a->s;
	const struct go_type **want = zalloc(s->types.n + 1, sizeof(*want));

	for (size_t i = 1; want && i < s->types.n; i++) {
		const struct snap_type *t = &s->types.v[i];
		const struct go_type *rt;
		const struct go_cont *c;

		if (t->kind != SNAP_TYPE_RTYPE || t->array || t->rank <= SNAP_RANK_GUESS)
			continue;
		rt = go_type_at(s->rtypes, t->rtype);
		c = rt && rt->kind == GO_STRUCT ? go_cont_of(s->rtypes, rt) : NULL;
		if (c && !strcmp(go_cont_word(c), word))
			want[i] = rt;
	}
	return want;
}

struct err *pop_objects_of(struct agg *a, const char *word, pop_object_fn *fn, void *arg)
{
	const struct snapshot *s = a->s;
	_cleanup_(freep) const struct go_type **want = wanted_types(a, word);
	struct err *err = NULL;

	if (!want)
		return &err_nomem;
	for (size_t i = 0; i < s->heap.spans.n && s->type_of && !err; i++) {
		const struct go_span *sp = &s->heap.spans.v[i];

		for (uint64_t id = sp->first; id < sp->first + sp->nelems && !err; id++) {
			uint32_t t = s->type_of[id];
			struct go_place p = { .type = t < s->types.n ? want[t] : NULL };

			if (!p.type || !pop_object_reached(a, id))
				continue;
			p.at = go_heap_address(&s->heap, id, NULL) + go_span_header(sp);
			err = fn(a, arg, id, p);
		}
	}
	return err;
}

const char *pop_owner(struct agg *a, gnode v)
{
	const struct graph *g = a->g;

	if (v >= g->n || !g->idom)
		return "";
	for (uint32_t i = 0; i < g->n && v != GRAPH_NONE && v > g->nroots; i++)
		v = g->idom[v];
	if (v == GRAPH_NONE)
		return "";
	if (!v)
		return "(several roots)";
	return a->s->roots.v[v - 1].name ? a->s->roots.v[v - 1].name : "";
}

uint64_t pop_retained(const struct agg *a, gnode v)
{
	return v < a->g->n && a->g->retained ? a->g->retained[v] : POP_NONE;
}

const char *pop_pc_name(const struct agg *a, taddr pc)
{
	struct go_func f;

	return pc && go_func_at(a->s->go, pc, &f) && f.name ? f.name : "";
}
