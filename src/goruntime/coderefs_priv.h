/*
 * coderefs_priv.h - between the files coderefs*.c; not a door.
 *
 *   coderefs.c        the pass over the text, and the questions
 *   coderefs_x86.c    one instruction
 *   coderefs_got.c    addresses that come out of the linker's tables
 *   coderefs_flow.c   what registers hold: facts
 *   coderefs_calls.c  what is known of called functions
 *   coderefs_types.c  facts to types
 *   coderefs_allocs.c calls that allocate
 */
#ifndef LIMPET_GORUNTIME_CODEREFS_PRIV_H
#define LIMPET_GORUNTIME_CODEREFS_PRIV_H

#include "goruntime/coderefs.h"
#include "goruntime/coderefs_x86.h"
#include "goruntime/funcs.h"
#include "goruntime/types_priv.h"

/* What code says of memory; `type` as it was found, checked later. */
enum fact_what {
	FACT_IS,       /* the memory at `at` is a `type` */
	FACT_POINTS,   /* the word at `at` points to a new `type` */
	FACT_ROW,      /* … to a new row of `type` */
	FACT_SLICE,    /* the slice at `at` has elements of `type` */
	FACT_RECEIVER, /* the word at `at` points to what has a method of `type` */
	FACT_CLOSURE,  /* functions that begin at `at` have closures in a struct `type` */
};

struct code_fact {
	taddr at, type;
	uint8_t what;
};

/* A register, or a word of the frame. */
enum val_kind {
	VAL_NONE,
	VAL_CONST,  /* an address outside of data, bss and text: a type perhaps */
	VAL_TEXT,   /* address of code */
	VAL_GLOBAL, /* address in data or bss */
	VAL_LOADED, /* what was in the word at that global address */
	VAL_NEW,    /* pointer to a new object of that type */
	VAL_ROW,    /* … to the first of several */
	VAL_OF,	    /* a value of that type: a map, a channel */
};
struct val {
	uint8_t kind;
	taddr a;
};

#define FLOW_REGS  16
#define FLOW_SLOTS 16

struct flow_slot {
	int32_t disp; /* from SP */
	struct val v;
};

struct flow_state {
	struct val r[FLOW_REGS];
	struct flow_slot slot[FLOW_SLOTS];
	uint8_t nslots;
};

struct insn_at {
	uint32_t off; /* from the function's entry */
	struct x86_insn in;
};

/* The page of the linker's table that was last looked into, and memory that is none. */
struct got_page {
	taddr at;
	bool known, ok;
	struct trange elsewhere;
	uint8_t bytes[4096];
};

/* What one thread works with. */
struct code_worker {
	struct go_code *c;
	VEC(struct go_code_use) uses;
	VEC(struct code_fact) facts;
	VEC(struct go_code_alloc) allocs;
	VEC(uint8_t) text;	   /* of the functions at hand */
	VEC(struct insn_at) insns; /* of the function at hand */
	VEC(uint16_t) labels;	   /* by offset: LABEL_*, else index of a state + 1 */
	VEC(struct flow_state) states;
	struct flow_state now;
	struct got_page got;
	struct callee_slot *callees; /* cache by entry; coderefs_calls.c */
};

enum { LABEL_NONE = 0, LABEL_AHEAD = 0xfffe, LABEL_UNKNOWN = 0xffff };
#define MAX_STATES 4096

struct code_func {
	taddr entry, end;
};

struct closure_type {
	taddr entry, type;
};

struct go_code {
	const struct go *g;
	struct go_types *ts;
	const taddr *types; /* all rtypes, ascending */
	size_t ntypes;
	VEC(struct code_func) funcs;
	VEC(struct go_code_use) uses;
	VEC(struct code_fact) facts; /* until they are types */
	VEC(struct go_code_alloc) allocs;
	VEC(struct go_code_global) globals;
	VEC(struct closure_type) closures;
};

/* The memory is data or bss of a module. */
static inline bool code_is_global(const struct go_code *c, taddr at)
{
	for (size_t i = 0; i < c->g->nmodules; i++) {
		const struct go_module *m = &c->g->modules[i];

		if (trange_has(m->data, at) || trange_has(m->bss, at))
			return true;
	}
	return false;
}

bool code_is_type(const struct go_code *c, taddr at);

/* What a load of the 8 bytes at `at` gives: they are in memory that nobody can change. */
bool code_constant(struct code_worker *w, taddr at, uint64_t *ret);
/* Where a call of entry ends up: through a stub of the linkage table, else entry itself. */
taddr code_through_plt(const struct go *g, taddr entry);

/* 8 bytes move from memory to a register. */
static inline bool code_loads_word(const struct x86_insn *in)
{
	return !in->map && in->op == 0x8b && in->wide && x86_in_memory(in) &&
	       !(in->flags & (X86_VECTOR | X86_REPEAT));
}

/* One more call that allocates; pc: inside of it. */
struct err *code_alloc(struct code_worker *w, taddr pc, taddr type,
		       enum go_code_make how) MUST_CHECK;
/* All workers' together, sorted. */
struct err *code_allocs_gather(struct go_code *c, const struct code_worker *ws,
			       unsigned n) MUST_CHECK;

/* Follow the registers through the function in w->insns; facts go to w->facts. */
struct err *code_flow(struct code_worker *w, const struct code_func *f) MUST_CHECK;

/*
 * A call of the function at entry, which comes back to next, with the registers in w->now: facts,
 * and what is in AX then.
 */
struct err *code_call(struct code_worker *w, taddr entry, taddr next) MUST_CHECK;
struct err *code_callees_init(struct code_worker *w) MUST_CHECK;
/* The type T that "path.(*T).method" has as receiver; 0: no such name, no such type. */
taddr code_receiver(const struct go_code *c, const char *function);

static inline struct err *code_fact(struct code_worker *w, taddr at, taddr type,
				    enum fact_what what)
{
	struct code_fact f = { at, type, (uint8_t)what };

	return vec_push(&w->facts, f) ? NULL : &err_nomem;
}

/* c->facts to c->globals and c->closures. */
struct err *code_facts_judge(struct go_code *c) MUST_CHECK;

#endif
