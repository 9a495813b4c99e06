/*
 * stack_priv.h - between the files that fill a struct go_stacks; not a door.
 *
 *   threads.c     which thread runs which goroutine, with which registers
 *   pcinfo.c      what pclntab says about a pc, cached by worker
 *   unwind.c      frames of one stack
 *   stackscan.c   pointers of one stack
 *   goroutines.c  all goroutines in parallel, put together in allgs order
 */
#ifndef LIMPET_GORUNTIME_STACK_PRIV_H
#define LIMPET_GORUNTIME_STACK_PRIV_H

#include "goruntime/arch.h"
#include "goruntime/pclntab.h"
#include "goruntime/stack.h"

#define STACK_MAX_BYTES (1ULL << 30) /* runtime.maxstacksize on 64 bit */
#define G_MAX_BYTES	2048U	     /* bound of a g or m image on our own stack */
#define M_MAX_BYTES	8192U

/* Where a thread's stack pointer was, behind signal handlers. */
enum m_where {
	M_UNKNOWN, /* no such thread, or on a stack that is not Go's */
	M_ON_CURG, /* on the stack of m.curg */
	M_ON_G0,   /* on the system stack: scheduler, systemstack, cgo */
	M_IN_VDSO, /* called from the stack of m.curg; pc, sp are the caller's */
};

struct m_info {
	taddr addr, curg, p;
	taddr vdso_pc, vdso_sp;
	struct trange g0, gsignal, user; /* stacks */
	taddr g0_addr;
	const struct target_thread *thread; /* NULL: not matched */
	enum m_where where;
	bool in_handler; /* regs come from a signal frame */
	struct go_arch_regs regs;
	taddr pc, sp; /* of the interrupted code */
};

struct m_table {
	VEC(struct m_info) ms; /* ascending by addr */
	taddr lost;	       /* an M that cannot be read; it and those behind it are unknown */
};

struct err *m_table_read(const struct go *g, struct m_table *ret) MUST_CHECK;
void m_table_deinit(struct m_table *t);
const struct m_info *m_table_find(const struct m_table *t, taddr m);

/* A stack object as funcdata describes it (runtime.stackObjectRecord). */
struct stack_obj {
	int32_t off; /* < 0: from varp, else from argp */
	uint32_t bytes;
	uint32_t ptr_bytes;
	bool gcprog; /* ≤ 1.23: mask_at is a GC program */
	taddr mask_at;
	uint8_t *mask; /* read at first use; borrowed from the cache */
	bool tried;
};

enum pc_kind {
	PC_NORMAL,
	PC_ASYNC,
	PC_DEBUG_CALL,
	PC_SIGPANIC,
	PC_CGOCALLBACK,
	PC_REFLECT_STUB,
	PC_WRITE_BARRIER
};

/* All that pclntab says about one pc.  Owned by the cache. */
struct pc_info {
	taddr pc;
	struct go_func f;
	uint8_t kind;	    /* enum pc_kind */
	bool known;	    /* pc lies in a function */
	bool no_locals_map; /* locals exist, a map of them does not */
	bool no_args_map;
	int32_t spdelta;
	const uint8_t *locals; /* bit per word, ends at varp */
	uint32_t nlocals;
	const uint8_t *args;
	uint32_t nargs;
	uint32_t nargs_all; /* words of arguments by _func.args */
	struct stack_obj *objs;
	uint32_t nobjs;
};

struct pc_cache {
	const struct go *g;
	struct pc_info **slots; /* power of two */
	size_t nslots, n;
};

void pc_cache_deinit(struct pc_cache *c);
/* NULL only when memory is short. */
struct pc_info *pc_cache_get(struct pc_cache *c, taddr pc);
/* Pointer mask of a stack object, NULL when it could not be had. */
const uint8_t *stack_obj_mask(const struct go *g, struct stack_obj *o);

/* Bytes [at, at + n) of one stack. */
struct stack_image {
	struct trange bounds; /* stack.lo, stack.hi */
	taddr at;
	uint8_t *p;
	uint64_t n, cap;
};

static inline bool image_word(const struct stack_image *im, taddr at, uint64_t *ret)
{
	if (at < im->at || at - im->at > im->n || im->n - (at - im->at) < 8)
		return false;
	*ret = load_u64(im->p + (at - im->at));
	return true;
}

/* runtime.unwinder, of one stack without jumps. */
struct unwinder {
	struct pc_cache *pcs;
	const struct stack_image *im;
	struct pc_info *pi;
	const struct go_arch *arch;
	taddr pc, sp, fp, lr;
	taddr varp, argp;
	taddr last_sp; /* of the frame before */
	taddr continpc; /* 0: the frame is dead */
	uint8_t callee; /* enum pc_kind */
	bool valid;
	bool trap;	 /* pc is an instruction, not a return address */
	bool at_end;	 /* came to a function that is the top of a stack */
	const char *why; /* static text, when it stopped elsewhere */
};

enum unwind_start { UNWIND_CALL, UNWIND_SYSCALL, UNWIND_TRAP };

/* Where a walk begins; lr: the link register, 0 where there is none. */
struct unwind_from {
	taddr pc, sp, lr;
	enum unwind_start start;
};

struct err *unwind_init(struct unwinder *u, struct pc_cache *pcs, const struct stack_image *im,
			const struct unwind_from *from) MUST_CHECK;
struct err *unwind_next(struct unwinder *u) MUST_CHECK;

struct live_obj {
	taddr at;
	uint64_t bytes;
	struct stack_obj *rec;
	uint32_t frame;
	bool scanned;
};

/* One worker's state and output; frame numbers in slots count from the goroutine's first. */
struct stack_worker {
	const struct go *g;
	struct go_stack_env env;
	struct pc_cache pcs;
	struct stack_image im;
	VEC(taddr) ptrs, cptrs; /* pointers into the stack, precise and conservative */
	VEC(struct live_obj) objs;
	VEC(struct go_frame) frames;
	VEC(struct go_slot) slots;
	VEC(struct go_stack_loss) losses;
	size_t frame0;		   /* first frame of the goroutine at hand */
	bool nomem;		   /* sticky, checked once a goroutine */
	struct stack_obj stub_obj; /* stack object of reflect's stubs */
};

/* How to read one goroutine's stack. */
struct stack_plan {
	taddr g;
	const uint8_t *image; /* of the runtime.g; NULL for a system stack */
	struct trange stack;
	struct unwind_from from;
	const struct m_info *regs; /* top frame and registers conservative; NULL: a safe point */
	taddr top_sp;		   /* where a whole unwind ends; 0: unknown */
	uint32_t frame_flags;	   /* GO_FRAME_SYSTEM */
	bool all_conservative;	   /* the stack is being moved, or its sp is unknown */
};

struct err *stack_scan(struct stack_worker *w, const struct stack_plan *p) MUST_CHECK;
void stack_worker_init_stub(struct stack_worker *w);
void stack_worker_deinit(struct stack_worker *w);
void stack_lose(struct stack_worker *w, const char *what, taddr at, uint64_t bytes);

#endif
