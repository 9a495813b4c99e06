/*
 * dump.h - the frozen model from a heap dump (runtime/debug.WriteHeapDump).
 *
 * Objects, their pointers, roots and goroutines come from the file's own records instead of
 * the runtime's tables.  What a dump lacks stays empty; DUMP_LACKS says it in words.
 */
#ifndef LIMPET_SNAPSHOT_DUMP_H
#define LIMPET_SNAPSHOT_DUMP_H

#include "snapshot/names.h"
#include "target/dump.h"

/* The struct go of a target of kind TARGET_DUMP. */
struct err *snap_dump_go(struct target *t, struct go **ret) MUST_CHECK;
/* Names from the executable that wrote it; ERR_BAD_DATA: it is another one. */
struct err *snap_dump_exe(struct go *g, const char *path) MUST_CHECK;

/* What snapshot_create needs of it: heap and stacks.  s->dump is set, and freed with s. */
struct err *snap_dump_heap(struct snapshot *s, unsigned nthreads) MUST_CHECK;
struct err *snap_dump_stacks(struct snapshot *s) MUST_CHECK;
void snap_dump_free(struct snap_dump *x);

/* Types as far as a dump knows them; what learn.c asks where there are no rtypes. */
void snap_dump_iface(struct snapshot *s, taddr word, struct snap_iface *ret);
uint32_t snap_dump_header(struct snapshot *s, taddr rtype, uint64_t data_bytes);
/* After all edges: of what was taken for a type of unknown size, the larger ones are not. */
struct err *snap_dump_settle(struct snapshot *s) MUST_CHECK;

struct snap_dump {
	const struct dump *d;
	struct go_listed listed;
	VEC(uint32_t) run_of; /* by span: index in d->runs */
};

/* Where an object was allocated, if it was sampled. */
const struct dump_bucket *snap_dump_site(const struct snapshot *s, uint64_t id);

#endif
