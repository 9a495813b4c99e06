/*
 * fuzz_pprof.c - any bytes as a profile: read, walked, summed up, written and read again.
 *
 * What was read is written to the same values; a file that is not cut is read twice alike.
 */
#include "base/err.h"
#include "base/str.h"
#include "evidence/memstats.h"
#include "evidence/pprof_quick.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static uint64_t walk(const struct pprof *p)
{
	struct pprof_walk w = { 0 };
	uint64_t h = 0;

	while (pprof_next(p, &w)) {
		assert(w.stack == PPROF_NONE || w.stack < p->stacks.n);
		assert((size_t)w.first_label + w.nlabels <= p->labels.n);
		for (size_t i = 0; i < p->types.n; i++)
			h = h * 31 + (uint64_t)w.values[i];
		for (uint32_t s = w.stack; s != PPROF_NONE; s = p->stacks.v[s].parent) {
			const struct pprof_location *l = &p->locations.v[p->stacks.v[s].location];

			assert(p->stacks.v[s].parent == PPROF_NONE || p->stacks.v[s].parent < s);
			assert((size_t)l->first_line + l->nlines <= p->lines.n);
			assert(l->mapping == PPROF_NONE || l->mapping < p->mappings.n);
			h = h * 31 + l->address;
		}
	}
	for (size_t i = 0; i < p->lines.n; i++)
		assert(p->lines.v[i].function == PPROF_NONE ||
		       p->lines.v[i].function < p->functions.n);
	return h;
}

static struct pprof *read_all(const void *data, size_t n, enum pprof_keep keep)
{
	_cleanup_(input_closep) struct input *in = NULL;
	struct pprof *p = NULL;
	struct err *err = input_bytes(data, n, "fuzz", &in);

	if (!err)
		err = pprof_read_some(in, keep, &p);
	assert(!err == !!p);
	err_free(err);
	return p;
}

/* In two passes: the same figures. */
static void twice(const void *data, size_t n, const struct pprof_ask *ask,
		  const struct pprof_graph *g)
{
	_cleanup_(pprof_freep) struct pprof *p = read_all(data, n, PPROF_KEEP_HEADS);
	_cleanup_(pprof_graph_freep) struct pprof_graph *h = NULL;
	_cleanup_(input_closep) struct input *in = NULL;

	if (!p || !pprof_quick_can(p, ask) || input_bytes(data, n, "fuzz", &in))
		return;
	err_free(pprof_quick_graph(p, in, ask, &h));
	if (!h || p->damage)
		return;
	assert(h->total == g->total && h->nodes.n == g->nodes.n);
	for (size_t i = 0; i < h->nodes.n; i++)
		assert(h->nodes.v[i].flat == g->nodes.v[i].flat &&
		       h->nodes.v[i].cum == g->nodes.v[i].cum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_(pprof_freep) struct pprof *p = read_all(data, n, PPROF_KEEP_ALL);
	_cleanup_(pprof_freep) struct pprof *q = read_all(data, n, PPROF_KEEP_STACKS);
	_cleanup_(pprof_freep) struct pprof *again = NULL, *merged = NULL;
	_cleanup_(pprof_graph_freep) struct pprof_graph *g = NULL;
	_cleanup_(str_deinit) struct str o = { 0 };
	struct pprof_ask ask = { 0 };

	if (!p)
		return 0;
	assert(q && walk(p) == walk(q));
	err_free(pprof_graph_create(p, &ask, &g));
	if (g)
		twice(data, n, &ask, g);
	if (!pprof_write(p, &o)) {
		again = read_all(o.s, o.n, PPROF_KEEP_ALL);
		assert(again ? walk(again) == walk(p) : !!p->damage || p->form != PPROF_PROTO);
	}
	err_free(pprof_merge(&p, 1, &merged));
	return 0;
}
