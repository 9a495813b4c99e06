/*
 * pop_cont.c - what populations share with detectors (find/look.h), asked with an agg.
 */
#include "report/pop_priv.h"

struct err *pop_facts_read(struct agg *a, struct go_io *io, struct go_place p,
			   struct look_facts *ret)
{
	struct look l = agg_look(a);

	return look_facts_read(&l, io, p, ret);
}

struct asked {
	struct agg *a;
	pop_object_fn *fn;
	void *arg;
};

static struct err *see(const struct look *l, void *arg, uint64_t id, struct go_place p)
{
	struct asked *x = arg;

	(void)l;
	return x->fn(x->a, x->arg, id, p);
}

struct err *pop_objects_of(struct agg *a, const char *word, pop_object_fn *fn, void *arg)
{
	struct look l = agg_look(a);
	struct asked x = { a, fn, arg };

	return look_objects_of(&l, word, see, &x);
}

gnode pop_node_at(const struct agg *a, taddr addr)
{
	struct look l = agg_look(a);

	return look_node_at(&l, addr);
}

const char *pop_owner(struct agg *a, gnode v)
{
	struct look l = agg_look(a);

	return look_owner_name(&l, v);
}

uint64_t pop_retained(const struct agg *a, gnode v)
{
	return v < a->g->n && a->g->retained ? a->g->retained[v] : POP_NONE;
}

const char *pop_pc_name(const struct agg *a, taddr pc)
{
	struct look l = agg_look(a);

	return look_pc_name(&l, pc);
}

const char *pop_func_name(struct agg *a, taddr fn)
{
	struct look l = agg_look(a);

	return look_func_name(&l, fn);
}
