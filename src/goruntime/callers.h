/*
 * callers.h - stacks of return addresses, as runtime.Callers gives them, in functions and lines.
 *
 * Leaf first.  An inlined function has an address of its own in them, made up, behind that of the
 * call in it.  Many stacks share few addresses: each is looked up once.  For one thread.
 * Source: runtime/traceback.go (tracebackPCs), runtime/symtab.go (Frames.Next,
 * runtime_expandFinalInlineFrame).
 */
#ifndef LIMPET_GORUNTIME_CALLERS_H
#define LIMPET_GORUNTIME_CALLERS_H

#include "goruntime/funcs.h"

struct go_callers_pc {
	taddr pc; /* 0: empty */
	uint32_t first, n;
};

/* Owned; go_callers_deinit(). */
struct go_callers {
	const struct go *g;	   /* borrowed */
	struct go_callers_pc *tab; /* open addressing */
	size_t n, cap;
	VEC(struct go_line) lines;
	bool bad; /* out of memory: what was answered since is short */
};

void go_callers_deinit(struct go_callers *c);

/*
 * Logical frames at a return address, innermost first; *ret_n 0: no Go function.  Borrowed until
 * the next call.
 */
const struct go_line *go_callers_at(struct go_callers *c, taddr pc, size_t *ret_n);

enum go_callers_of {
	GO_CALLERS_LISTED,  /* the runtime wrote the list: wrappers that are in it stay */
	GO_CALLERS_UNWOUND, /* frames as they lie on the stack: wrappers go */
};
/*
 * Addresses of inlined functions are put in where they are missing: in stacks by frame pointers,
 * and behind a last one that a limit cut off.  At most max; returns how many.
 */
size_t go_callers_expand(struct go_callers *c, enum go_callers_of of, const taddr *pcs, size_t n,
			 taddr *ret, size_t max);

#endif
