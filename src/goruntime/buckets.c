/*
 * buckets.c - walks a list of profile buckets that may be anything.
 *
 * Knows nothing of what a record means.  A bucket that is none, a cycle or an absurd length breaks
 * the walk off.  Two reads a bucket, from the page cache of heap_io.
 */
#include "goruntime/buckets.h"

#include "base/cycle.h"
#include "goruntime/heap_io.h"

#define MAX_DEPTH 1024 /* mprof.go: maxProfStackDepth */
#define HEAD_MAX  128

struct walk {
	struct go_io io;
	const struct go_bucket_list *l;
	go_bucket_fn *fn;
	void *arg;
	uint64_t npcs; /* so far */
	uint8_t tail[8 * MAX_DEPTH + GO_BUCKET_RECORD_MAX];
};

bool go_buckets_known(const struct go_layout *L)
{
	return L->bucket_bytes && L->bucket_bytes <= HEAD_MAX && go_has(L->bucket_allnext) &&
	       go_has(L->bucket_nstk) && go_has(L->bucket_size) && go_has(L->bucket_typ);
}

/* ERR_FAULT: it is none. */
static struct err *one(struct walk *w, taddr at, taddr *ret_next)
{
	const struct go_layout *L = w->io.g->L;
	uint8_t head[HEAD_MAX] = { 0 };
	struct err *err = go_io_read(&w->io, at, head, L->bucket_bytes);
	uint64_t nstk;

	if (err)
		return err;
	nstk = go_get(head, L->bucket_nstk);
	if ((at & 7) || go_get(head, L->bucket_typ) != w->l->kind || nstk > MAX_DEPTH ||
	    w->npcs + nstk > GO_BUCKET_PCS_MAX)
		return err_fault(at);
	err = go_io_read(&w->io, at + L->bucket_bytes, w->tail, 8 * nstk + w->l->record_bytes);
	if (err)
		return err;
	w->npcs += nstk;
	*ret_next = go_get(head, L->bucket_allnext);
	return w->fn(w->arg, &(struct go_bucket_image){
				     .at = at,
				     .bytes = go_get(head, L->bucket_size),
				     .npcs = (uint32_t)nstk,
				     .pcs = w->tail,
				     .record = w->tail + 8 * nstk,
			     });
}

struct err *go_buckets_each(const struct go *g, const struct go_bucket_list *l, go_bucket_fn *fn,
			    void *arg, uint64_t *ret_cut)
{
	_cleanup_(freep) struct walk *w = zalloc(1, sizeof(*w));
	struct cycle cycle = { 0 };
	taddr at = l->head;
	uint32_t n = 0;
	struct err *err;

	if (!w)
		return &err_nomem;
	w->l = l;
	w->fn = fn;
	w->arg = arg;
	err = go_io_init(&w->io, g);
	for (; at && !err && n < GO_BUCKETS_MAX && !cycle_closed(&cycle, at); n++)
		err = one(w, at, &at);
	if (err_catch(&err, ERR_FAULT) || (at && !err))
		++*ret_cut;
	go_io_deinit(&w->io);
	return err;
}
