/*
 * coderefs.h - what the program's code says about its globals and closures.
 *
 * For programs without symbols: which functions use a word of data or bss, what type it must be of,
 * which struct a closure's variables lie in; and for all, which calls allocate which types.  From
 * rip-relative operands and from what registers hold at calls of the runtime and of methods, one
 * pass over the text.  amd64 only: elsewhere all is empty.
 *
 * Immutable once read: from several threads at once.  Borrows go and types, must not outlive them.
 */
#ifndef LIMPET_GORUNTIME_CODEREFS_H
#define LIMPET_GORUNTIME_CODEREFS_H

#include "goruntime/types.h"

struct go_code; /* opaque */

/* Errors: ERR_NOMEM, ERR_GONE.  Text that cannot be read says nothing. */
struct err *go_code_read(const struct go *g, struct go_types *ts, unsigned nthreads,
			 struct go_code **ret) MUST_CHECK;
void go_code_free(struct go_code *c); /* NULL allowed */
static inline void go_code_freep(struct go_code **c)
{
	go_code_free(*c);
}

enum go_code_how { GO_CODE_READ, GO_CODE_WRITE, GO_CODE_ADDRESS };

/* An instruction that refers to data or bss. */
struct go_code_use {
	taddr to;
	uint32_t pc_off; /* of the instruction, from its module's text: go_code_pc() */
	uint8_t how;	 /* enum go_code_how */
	uint8_t module;
};

/* All uses of addresses in r, ascending by to, then by module and pc; borrowed. */
const struct go_code_use *go_code_uses(const struct go_code *c, struct trange r, size_t *ret_n);
taddr go_code_pc(const struct go_code *c, const struct go_code_use *u);

/*
 * Functions that use r, as text: "main.(*auditor).middleware, main.main".  At most three; the
 * program's own before the runtime's, who writes before who reads.  Returns how many, 0: nobody
 * (buf is "").
 */
size_t go_code_global_users(const struct go_code *c, struct trange r, char *buf, size_t nbuf);

/*
 * The words around at, in its section, that surely are of one variable: from the last address at or
 * before it that anything refers to, to the next.  Empty where nothing refers to it.
 */
struct trange go_code_extent(const struct go_code *c, taddr at);

/* How the type of a global is known. */
enum go_code_rank {
	GO_CODE_RECEIVER = 1, /* a method of it was called */
	GO_CODE_TYPED, /* the runtime was told its type, or it was stored from an allocation */
};
struct go_code_global {
	taddr at;
	taddr rtype;  /* of the memory at it; may be one made by go_type_make() */
	uint8_t rank; /* enum go_code_rank */
};

/*
 * Ascending by at.  May overlap: a place and a field of it.  Pointer bits of data and bss agree
 * with each.  A pointer's word that is an interface's second is not among them.
 */
const struct go_code_global *go_code_global_types(const struct go_code *c, size_t *ret_n);

/* How an instruction makes something: what the type that it tells the runtime is of. */
enum go_code_make {
	GO_CODE_MAKE_ONE,    /* the object */
	GO_CODE_MAKE_ROW,    /* each element of the object: make, append */
	GO_CODE_MAKE_VALUE,  /* a map, a channel */
	GO_CODE_MAKE_INSERT, /* the map that an entry is put into */
};
struct go_code_alloc {
	taddr rtype;
	uint32_t pc_off; /* of the call, from its module's text: go_code_alloc_pc() */
	uint8_t how;	 /* enum go_code_make */
	uint8_t module;
};

/*
 * Calls that allocate, ascending by rtype: only those of which type is plain from the code: not by
 * reflection, and of generic functions only where the type is no parameter.  Borrowed.
 */
const struct go_code_alloc *go_code_allocs(const struct go_code *c, size_t *ret_n);
/* Those of one type. */
const struct go_code_alloc *go_code_allocs_of(const struct go_code *c, taddr rtype, size_t *ret_n);
/* Inside of the call instruction, as go_lines_at() wants it. */
taddr go_code_alloc_pc(const struct go_code *c, const struct go_code_alloc *x);

/* rtype of the struct that closures of the function at entry lie in; 0: not seen, or several. */
taddr go_code_closure_type(const struct go_code *c, taddr entry);

#endif
