/*
 * agg_findings.c - findings with what all of them have: holder chain, allocation site,
 * goroutine, texts in the reader's names.
 */
#include "report/agg.h"

static void fill_memory(const struct ans_memory *m, struct find_memory *ret)
{
	*ret = (struct find_memory){
		.rss = m->rss,
		.heap_live = m->heap_live,
		.heap_garbage = m->heap_garbage,
		.heap_free = m->heap_free,
		.heap_released = m->heap_released,
		.stacks = m->stacks,
		.runtime = m->runtime,
		.off_heap = m->off_heap,
		.files = m->files,
		.thread_stacks = m->thread_stacks,
		.globals = m->globals,
		.cgroup_limit = FIND_UNKNOWN,
		.cgroup_used = FIND_UNKNOWN,
	};
}

static struct err *add_holders(struct agg *a, const struct finding *x, struct ans_finding *y)
{
	_cleanup_(freep) gnode *path = NULL;
	size_t len = 0;
	struct err *err;

	if (x->node == GRAPH_NONE || !x->node || x->node >= a->g->n)
		return NULL;
	err = graph_path(a->g, x->node, &path, &len);
	if (!err && len)
		err = agg_holders(a, path, len, &y->holder);
	if (!err && graph_is_object(a->g, x->node))
		err = agg_origin(a, x->node, &y->origin);
	return err;
}

static struct err *add(struct agg *a, const struct finding *x, struct ans_findings *ret)
{
	struct ans_finding y = {
		.kind = x->kind,
		.verdict = find_verdict_word(x->verdict),
		.proof = find_proof_word(x->proof),
		.title = keepf(&a->keep, "%s", x->title),
		.type = keepf(&a->keep, "%s", x->type),
		.signature = keepf(&a->keep, "%s", x->signature),
		.fix = keepf(&a->keep, "%s", x->fix),
		.mitigate = keepf(&a->keep, "%s", x->mitigate),
		.decide = keepf(&a->keep, "%s", x->decide),
		.confirm = keepf(&a->keep, "%s", x->confirm),
		.detail = keepf(&a->keep, "%s", x->detail),
		.bytes = x->bytes,
		.objects = x->objects,
		.stack_bytes = x->stack_bytes,
		.owner_bytes = ANS_UNKNOWN,
		.count = x->count,
		.origin = { .basis = "", .like = "", .why = "" },
	};
	struct err *err = add_holders(a, x, &y);

	if (!err && !vec_push(&ret->rows, y))
		err = &err_nomem;
	if (err) {
		ans_path_deinit(&y.holder);
		ans_origin_deinit(&y.origin);
	}
	return err;
}

static struct err *add_costs(const struct find *f, struct ans_findings *ret)
{
	for (size_t i = 0; i < f->costs.n; i++) {
		const struct find_cost *c = &f->costs.v[i];
		struct ans_cost y = { c->detector->name, c->ns, c->skipped };

		if (!vec_push(&ret->detectors, y))
			return &err_nomem;
	}
	return NULL;
}

struct err *agg_findings(struct agg *a, const struct ans_memory *memory, size_t limit,
			 struct ans_findings *ret)
{
	_cleanup_(find_deinit) struct find f = { .l = agg_look(a) };
	_cleanup_(ans_findings_deinit) struct ans_findings r = { 0 };
	struct find_memory m;
	struct err *err;

	if (memory) {
		fill_memory(memory, &m);
		f.memory = &m;
	}
	err = find_run(&f);
	for (size_t i = 0; i < f.found.n && !err && (!limit || i < limit); i++)
		err = add(a, &f.found.v[i], &r);
	if (!err)
		err = add_costs(&f, &r);
	if (err)
		return err;
	r.total = f.found.n;
	*ret = r;
	r = (struct ans_findings){ 0 };
	return NULL;
}
