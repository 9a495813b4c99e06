/*
 * pop_common.c - what several populations need: typed places gathered, names of places,
 * owners, functions, values by the policy.
 */
#include "report/agg_value.h"
#include "report/pop_priv.h"

struct err *pop_reached_make(const struct agg *a, struct pop_reached *ret)
{
	uint64_t n = a->s->heap.nobjects;
	struct pop_reached r = { .n = n / 64 + 1 };

	r.bits = bigalloc(r.n, sizeof(*r.bits));
	if (!r.bits)
		return &err_nomem;
	for (uint64_t id = 0; id < n; id++)
		if (pop_object_reached(a, id))
			r.bits[id >> 6] |= (uint64_t)1 << (id & 63);
	*ret = r;
	return NULL;
}

void pop_reached_deinit(struct pop_reached *r)
{
	if (r->bits)
		bigfree(r->bits, r->n, sizeof(*r->bits));
	*r = (struct pop_reached){ 0 };
}

struct gather {
	pthread_mutex_t lock;
	struct pop_refs *refs;
};

static struct err *see_place(void *arg, const struct snap_place *p)
{
	struct gather *g = arg;
	struct pop_ref r = {
		.type = p->type,
		.object = p->object,
		.off = p->off,
		.var = p->var,
	};
	bool ok = true;

	r.to = load_u64(p->bytes);
	if (!r.to)
		return NULL;
	pthread_mutex_lock(&g->lock);
	g->refs->places++;
	ok = vec_push(&g->refs->v, r);
	pthread_mutex_unlock(&g->lock);
	return ok ? NULL : &err_nomem;
}

static int compare_refs(const void *x, const void *y)
{
	const struct pop_ref *p = x, *q = y;

	if (p->to != q->to)
		return p->to < q->to ? -1 : 1;
	if (p->type->addr != q->type->addr)
		return p->type->addr < q->type->addr ? -1 : 1;
	if (p->object != q->object)
		return p->object < q->object ? -1 : 1;
	if (p->var != q->var)
		return p->var < q->var ? -1 : 1;
	return (p->off > q->off) - (p->off < q->off);
}

static void drop_equal(struct pop_refs *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->v.n; i++)
		if (!n || r->v.v[i].to != r->v.v[n - 1].to)
			r->v.v[n++] = r->v.v[i];
	r->v.n = n;
}

struct err *pop_refs_of_pointers(struct agg *a, uint8_t kind, struct pop_refs *ret)
{
	_cleanup_(pop_reached_deinit) struct pop_reached reached = { 0 };
	struct pop_refs refs = { 0 };
	struct gather g = { .lock = PTHREAD_MUTEX_INITIALIZER, .refs = &refs };
	struct err *err = pop_reached_make(a, &reached);

	if (!err)
		err = snapshot_each_place(a->s, reached.bits, a->nthreads, 1u << kind, see_place,
					  &g);
	if (err) {
		pop_refs_deinit(&refs);
		return err;
	}
	if (refs.v.n)
		qsort(refs.v.v, refs.v.n, sizeof(refs.v.v[0]), compare_refs);
	drop_equal(&refs);
	*ret = refs;
	return NULL;
}

void pop_refs_deinit(struct pop_refs *r)
{
	vec_free(&r->v);
}

const char *pop_place_name(struct agg *a, uint64_t object, uint64_t off, uint32_t var)
{
	struct look l = agg_look(a);

	return look_place_name(&l, object, off, var);
}

const char *pop_value(struct agg *a, unsigned values, const uint8_t *text, size_t n, uint64_t len)
{
	if (values == ANS_VALUES_NONE)
		return NULL;
	if (values == ANS_VALUES_HASH)
		return keepf(&a->keep, "\"%s\"", value_hash(a, text, n));
	if (value_left_out(a, text, n))
		return "(left out)";
	return keepf(&a->keep, "\"%.*s\"%s", (int)strnlen((const char *)text, n),
		     (const char *)text, n < len ? "\xe2\x80\xa6" : "");
}
