/*
 * redact_keep.c - what stays of memory whose contents leave: the runtime's own, heads of
 * channels, pointer masks of types that the program made itself, tables of types.
 *
 * Knows no layout of the runtime; goruntime/needs.h says what it needs.
 */
#include "report/redact.h"

#include "goruntime/needs.h"
#include "snapshot/rules.h"

static void keep(void *arg, taddr at, uint64_t nbytes)
{
	struct redact *r = arg;

	if (at)
		ranges_add(&r->keep, at, nbytes);
}

/* reflect/type.go: StructOf, ArrayOf and others put GCData into a byte slice. */
static void keep_masks(struct snapshot *s, struct redact *r)
{
	for (size_t i = 1; i < s->types.n; i++) {
		taddr rtype = s->types.v[i].rtype;

		if (rtype && trange_has(s->heap.bounds, rtype))
			go_made_mask(s->go, rtype, keep, r);
	}
}

struct err *redact_keep(struct snapshot *s, enum core_detail detail, unsigned nthreads,
			struct redact *r)
{
	struct err *err = go_channel_heads(s->go, &s->heap, nthreads, keep, r);

	if (!err && detail == CORE_REDACTED)
		err = go_own_memory(s->go, &s->heap, &s->stacks, keep, r);
	if (!err)
		err = snap_runtime_memory(s, keep, r);
	if (!err)
		keep_masks(s, r);
	return err;
}
