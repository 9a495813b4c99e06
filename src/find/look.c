/*
 * look.c - containers for detectors: their facts by name, objects by the names of their
 * types, owners.
 *
 * go_cont_facts() hands facts out one by one; here they are kept, so that they can be asked for.
 */
#include "find/look.h"

gnode look_node_at(const struct look *l, taddr addr)
{
	uint64_t id = go_heap_object_at(&l->s->heap, addr);

	if (id == GO_NO_OBJECT || !look_reached(l, id))
		return GRAPH_NONE;
	return graph_node_of_object(l->g, id);
}

static enum go_cont_go_on keep_fact(void *arg, const struct go_fact *f)
{
	struct look_facts *r = arg;

	if (r->n == LOOK_FACTS)
		return CONT_STOP;
	r->v[r->n++] = *f;
	return CONT_ON;
}

struct err *look_facts_read(const struct look *l, struct go_io *io, struct go_place p,
			    struct look_facts *ret)
{
	const struct go_cont *c = go_cont_of(l->s->rtypes, p.type);
	struct err *err;

	ret->n = 0;
	ret->bad = false;
	if (!c || !p.at)
		return NULL;
	err = go_cont_facts(c, io, l->s->rtypes, p, keep_fact, ret);
	if (err && (err->code == ERR_NOMEM || err->code == ERR_GONE))
		return err;
	ret->bad = err != NULL;
	err_free(err);
	return NULL;
}

uint64_t look_fact(const struct look_facts *f, const char *name, uint64_t otherwise)
{
	for (unsigned i = 0; i < f->n; i++)
		if (!strcmp(f->v[i].name, name))
			return f->v[i].n;
	return otherwise;
}

/* Types whose objects are such containers; by number in s->types.  False: there are none. */
static bool wanted_types(const struct look *l, const char *word, const struct go_type **type,
			 uint8_t *want)
{
	const struct snapshot *s = l->s;
	bool any = false;

	for (size_t i = 1; i < s->types.n; i++) {
		const struct snap_type *t = &s->types.v[i];
		const struct go_type *rt;
		const struct go_cont *c;

		if (t->kind != SNAP_TYPE_RTYPE || t->array || t->rank <= SNAP_RANK_GUESS)
			continue;
		rt = go_type_at(s->rtypes, t->rtype);
		c = rt && rt->kind == GO_STRUCT ? go_cont_of(s->rtypes, rt) : NULL;
		if (!c || strcmp(go_cont_word(c), word) != 0)
			continue;
		type[i] = rt;
		want[i] = 1;
		any = true;
	}
	return any;
}

struct asked {
	const struct go_type **type;
	look_object_fn *fn;
	void *arg;
};

static struct err *see(const struct look *l, void *arg, uint64_t id)
{
	const struct asked *x = arg;
	const struct go_heap *h = &l->s->heap;
	struct go_place p = { .type = x->type[l->s->type_of[id]] };

	p.at = go_heap_address(h, id, NULL) + go_span_header(go_heap_span_of(h, id));
	return x->fn(l, x->arg, id, p);
}

struct err *look_objects_of(const struct look *l, const char *word, look_object_fn *fn, void *arg)
{
	size_t n = l->s->types.n + 1;
	_cleanup_(freep) const struct go_type **type = zalloc(n, sizeof(*type));
	_cleanup_(freep) uint8_t *want = zalloc(n, 1);
	struct asked x = { type, fn, arg };

	if (!type || !want)
		return &err_nomem;
	if (!wanted_types(l, word, type, want))
		return NULL;
	return look_each_of(l, want, see, &x);
}

const char *look_pc_name(const struct look *l, taddr pc)
{
	struct go_func f;

	return pc && go_func_at(l->s->go, pc, &f) && f.name ? f.name : "";
}

const char *look_func_name(const struct look *l, taddr fn)
{
	uint64_t pc = 0;
	struct err *err = fn ? go_read_u64(l->s->go, fn, &pc) : NULL;

	if (err) {
		err_free(err);
		return "";
	}
	return look_pc_name(l, pc);
}

gnode look_owner(const struct look *l, gnode v)
{
	const struct graph *g = l->g;

	if (v >= g->n || !g->idom)
		return GRAPH_NONE;
	for (uint32_t i = 0; i < g->n && v != GRAPH_NONE && v > g->nroots; i++)
		v = g->idom[v];
	return v;
}

const char *look_owner_name(const struct look *l, gnode v)
{
	gnode r = look_owner(l, v);

	if (r == GRAPH_NONE)
		return "";
	if (!r)
		return "(several roots)";
	return l->s->roots.v[r - 1].name ? l->s->roots.v[r - 1].name : "";
}

const char *look_type_name(const struct look *l, gnode v)
{
	char buf[256];

	if (v >= l->g->n || !graph_is_object(l->g, v))
		return "";
	return keepf(l->keep, "%s",
		     snapshot_type_name(l->s, graph_object(l->g, v), buf, sizeof(buf)));
}

/* Elements of a row are one place: "main.T.buf", whichever of them it is. */
static uint64_t in_element(const struct snapshot *s, uint64_t id, uint64_t off)
{
	const struct go_span *sp = go_heap_span_of(&s->heap, id);
	uint32_t t = s->type_of ? s->type_of[id] : 0;
	uint64_t header = sp ? go_span_header(sp) : 0;

	if (!t || t >= s->types.n || !s->types.v[t].array || !s->types.v[t].bytes || off < header)
		return off;
	return header + (off - header) % s->types.v[t].bytes;
}

const char *look_place_name(const struct look *l, uint64_t object, uint64_t off, uint32_t var)
{
	char type[256], field[256] = "";
	const char *name;

	if (object == GO_NO_OBJECT) {
		if (var >= l->s->vars.n)
			return "";
		name = l->s->vars.v[var].name ? l->s->vars.v[var].name : "";
		return off ? keepf(l->keep, "%s+0x%" PRIx64, name, off) : name;
	}
	off = in_element(l->s, object, off);
	name = snapshot_type_name(l->s, object, type, sizeof(type));
	snapshot_field_name(l->s, object, off, field, sizeof(field));
	if (!strncmp(field, "[0]", 3))
		memmove(field, field + 3, strlen(field + 3) + 1);
	return keepf(l->keep, "%s%s", name, field);
}

const char *look_root_text(const struct look *l, uint32_t r)
{
	static const char used[] = "global used by ";
	const char *name = l->s->roots.v[r].name;

	if (!name || strncmp(name, used, sizeof(used) - 1))
		return name ? name : "";
	name += sizeof(used) - 1;
	return keepf(l->keep, "the global that %.*s uses", (int)strcspn(name, ", "), name);
}
