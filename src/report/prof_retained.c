/*
 * prof_retained.c - the kind retained: where that was allocated which holds the memory.
 *
 * A stack is where objects of a type were allocated, the type is its leaf.  Values: the objects
 * and their own bytes, which add up to what is reachable; and what they retain, a byte once a
 * stack (objects below another of their stack add nothing), but once for each stack above it: that
 * is what would go with them, and does not add up.
 *
 * The outermost frame says how the place is known: a sample of that very object has the whole
 * stack; of others the one place in the code that makes such, if there is but one; or none.
 *
 * Cost: one pass over the dominator tree, a hash of distinct stacks.
 */
#include "report/agg_sites.h"
#include "report/prof_priv.h"

#define BY_CODE "(not sampled: the one place in the code that makes it)"
#define NOWHERE "(not sampled)"

struct row {
	uint64_t objects, bytes, retained;
	uint32_t open; /* of its objects those that hold the node at hand */
};

struct retained {
	struct prof *b;
	struct agg *a;
	struct agg_dom d;
	const struct snap_sites *x;
	uint32_t *site_stack; /* by site: 1 + stack */
	uint32_t *type_stack; /* by type: the same, of what is not sampled */
	uint32_t nowhere;
	struct prof_keys keys;	/* stack of the site, type */
	VEC(uint32_t) to;	/* by key: the stack with its type */
	VEC(struct row) rows; /* by stack */
	VEC(uint32_t) path;
	struct err *err;
};

static uint32_t frame(struct retained *r, uint32_t from, const char *function, const char *file,
		      int line)
{
	char shown[1024];
	struct pprof_line l = {
		.function = pprof_add_function(
			r->b->p, line ? function : prof_safe_name(function, shown, sizeof(shown)),
			file ? file : "", 0),
		.line = line,
	};

	return pprof_add_frame(r->b->p, from, pprof_add_location(r->b->p, PPROF_NONE, 0, &l, 1));
}

static uint32_t stack_of_site(struct retained *r, const struct snap_site *s)
{
	uint32_t *at = &r->site_stack[s - r->x->sites.v], stack = PPROF_NONE;

	for (uint32_t i = *at ? 0 : s->n; i-- > s->hidden;) {
		const struct snap_frame *f = snap_site_frame(r->x, s, i);

		if (*f->function)
			stack = frame(r, stack, f->function, f->file, f->line);
	}
	if (!*at)
		*at = 1 + (stack == PPROF_NONE ? r->nowhere : stack);
	return *at - 1;
}

/* What the code says of a type; NOWHERE if several places make it, or none is known. */
static uint32_t stack_of_type(struct retained *r, uint32_t type, uint64_t id)
{
	_cleanup_(ans_origin_deinit) struct ans_origin o = { 0 };
	uint32_t stack = r->nowhere;

	if (!type || r->type_stack[type])
		return type ? r->type_stack[type] - 1 : r->nowhere;
	r->err = agg_origin_code(r->a, id, &o);
	if (!r->err && o.sites.n == 1 && !o.others && o.stack.n) {
		/* one line that was inlined into several functions: what it is inlined in is not
		 * known */
		size_t n = o.of == 1 ? o.stack.n : 1;

		stack = frame(r, PPROF_NONE, BY_CODE, "", 0);
		for (size_t i = n; i-- > 0;)
			stack = frame(r, stack, o.stack.v[i].function, o.stack.v[i].file,
				      o.stack.v[i].line);
	}
	r->type_stack[type] = stack + 1;
	return stack;
}

/* The stack that object id counts at. */
static uint32_t stack_of(struct retained *r, uint64_t id)
{
	const struct snapshot *s = r->a->s;
	const struct snap_site *site = snap_site_of(r->x, id);
	uint32_t type = s->type_of && s->type_of[id] < s->types.n ? s->type_of[id] : 0, key = type;
	uint32_t from = site ? stack_of_site(r, site) : stack_of_type(r, type, id);
	char name[256];
	uint32_t k;

	if (!type)
		key = 1U << 31 | go_heap_span_of(&s->heap, id)->spanclass;
	k = prof_key(&r->keys, from, key, 0);
	if (k == PROF_KEY_NOMEM ||
	    (k == r->to.n &&
	     !vec_push(&r->to, frame(r, from, snapshot_type_name(s, id, name, sizeof(name)), "", 0)))) {
		r->err = &err_nomem;
		return from;
	}
	return r->to.v[k];
}

static struct err *enter(void *arg, gnode v)
{
	struct retained *r = arg;
	uint32_t stack = PPROF_NONE;

	if (graph_is_object(r->d.g, v)) {
		struct row *row;

		stack = stack_of(r, graph_object(r->d.g, v));
		if (r->err)
			return STEAL(r->err);
		while (r->rows.n <= stack)
			if (!vec_push(&r->rows, (struct row){ 0 }))
				return &err_nomem;
		row = &r->rows.v[stack];
		row->objects++;
		row->bytes += graph_shallow(r->a->g, v);
		if (!row->open++)
			row->retained += r->d.retained[v];
	}
	return vec_push(&r->path, stack) ? NULL : &err_nomem;
}

static void leave(void *arg, gnode v)
{
	struct retained *r = arg;
	uint32_t stack = r->path.v[--r->path.n];

	(void)v;
	if (stack != PPROF_NONE)
		r->rows.v[stack].open--;
}

static struct err *prepare(struct retained *r)
{
	bool owner = r->a->trees == AGG_TREE_OWNER;
	struct err *err = snapshot_sites(r->a->s, &r->x);

	if (!err)
		err = owner ? agg_owner(r->a) : agg_dominators(r->a);
	if (err)
		return err;
	r->d = agg_dom_of(r->a, owner ? AGG_TREE_OWNER : AGG_TREE_EXACT);
	r->site_stack = zalloc(r->x->sites.n + 1, sizeof(*r->site_stack));
	r->type_stack = zalloc(r->a->s->types.n + 1, sizeof(*r->type_stack));
	if (!r->site_stack || !r->type_stack)
		return &err_nomem;
	prof_space_types(r->b);
	pprof_add_type(r->b->p, "retained", "bytes");
	r->b->p->default_type = pprof_add_word(r->b->p, "retained");
	r->nowhere = frame(r, PPROF_NONE, NOWHERE, "", 0);
	return NULL;
}

static struct err *add_samples(struct retained *r)
{
	struct pprof *p = r->b->p;

	for (uint32_t i = 0; i < r->rows.n; i++) {
		const struct row *x = &r->rows.v[i];
		int64_t values[3] = { (int64_t)x->objects, (int64_t)x->bytes,
				      (int64_t)x->retained };

		if (x->objects)
			pprof_add_sample(p, i, values, NULL, 0);
	}
	return vec_push(&p->comments,
			pprof_add_word(p, "limpet: retained is what would go with a stack's "
					  "objects; it is once a stack, and does not add up"))
		       ? NULL
		       : &err_nomem;
}

struct err *prof_retained(struct prof *b)
{
	struct retained r = { .b = b, .a = b->agg };
	struct err *err = prepare(&r);

	if (!err)
		err = agg_dom_walk(&r.d, enter, leave, &r);
	if (!err)
		err = add_samples(&r);
	free(r.site_stack);
	free(r.type_stack);
	prof_keys_deinit(&r.keys);
	vec_free(&r.to);
	vec_free(&r.rows);
	vec_free(&r.path);
	return err ? err : keep_err(&b->agg->keep);
}
