/*
 * stack.h - goroutines, their frames, and the pointers that the collector sees in them.
 *
 * Source: runtime/traceback.go (unwinder), runtime/stkframe.go (getStackMap),
 * runtime/mgcmark.go (scanstack, scanframeworker), runtime/mgcstack.go (stack objects).
 * Exact where the collector is exact; conservative where it is (async-preempted
 * top frames, frames below a debug call) and where the target was stopped in
 * running Go code; each slot says which.
 */
#ifndef LIMPET_GORUNTIME_STACK_H
#define LIMPET_GORUNTIME_STACK_H

#include "goruntime/funcs.h"

struct go_goroutine {
	taddr g;		/* of the runtime.g */
	uint64_t id, parent_id;
	uint32_t status;	/* runtime._G*, scan bit removed */
	bool scan;		/* _Gscan was set */
	uint32_t wait_reason;	/* runtime.waitReason, an index into L->wait_reasons */
	int64_t waitsince;	/* runtime nanotime; 0: unknown */
	taddr start_pc, go_pc;	/* entry; the go statement */
	taddr stack_lo, stack_hi;
	taddr waiting;		/* *sudog */
	taddr labels;
	taddr m;		/* 0: none */
	bool system;		/* runtime's own, as runtime.isSystemGoroutine */
	bool dead;
	const struct target_thread *thread; /* runs on it; NULL: parked */
	size_t first_frame, nframes;
};

enum {
	GO_FRAME_CONSERVATIVE = 1, /* all words taken as pointers, as the collector does or must */
	GO_FRAME_TOP = 2,
	GO_FRAME_SYSTEM = 4, /* on g0 or gsignal stack */
	GO_FRAME_NO_MAP = 8, /* the stack map was missing or unreadable: a loss */
	GO_FRAME_TRAP = 16, /* pc is an instruction, not a return address */
};

struct go_frame {
	taddr pc, sp, fp;	/* fp: end of the frame, address after the return address slot */
	uint64_t func_entry;
	uint32_t flags;
};

/* The pc to ask go_lines_at() for: runtime.(*unwinder).symPC. */
static inline taddr go_frame_line_pc(const struct go_frame *f)
{
	return (f->flags & GO_FRAME_TRAP) || f->pc <= f->func_entry ? f->pc : f->pc - 1;
}

enum {
	GO_SLOT_CONSERVATIVE = 1,
	GO_SLOT_REGISTER = 2,
	GO_SLOT_DEFER = 4,
	GO_SLOT_PANIC = 8,
	GO_SLOT_STACK_OBJECT = 16,
	GO_SLOT_G = 32,		/* a field of runtime.g or of its sudogs */
};

/* One word that the collector takes as a pointer. */
struct go_slot {
	taddr at;		/* where it lies; register slots: 0 */
	taddr value;
	uint32_t frame;		/* index in go_stacks.frames; UINT32_MAX: none */
	uint32_t flags;
};

/* A loss: what could not be read or unwound, in bytes. */
struct go_stack_loss {
	const char *what;	/* static text: "goroutine stack not unwound" */
	taddr at;
	uint64_t bytes;
};

/* Everything of all goroutines.  Owned; go_stacks_deinit(). */
struct go_stacks {
	VEC(struct go_goroutine) gs;
	VEC(struct go_frame) frames;	/* of goroutine i: [first_frame, + nframes), innermost first */
	VEC(struct go_slot) slots;	/* of goroutine i: [slot_first[i], slot_first[i + 1]) */
	VEC(size_t) slot_first;
	VEC(struct go_stack_loss) losses;
	uint64_t conservative_frames;
	uint64_t stack_bytes;		/* sum of stack_hi - stack_lo */
};

/*
 * Heap test used for conservative words: values for which it is false are not
 * recorded.  May be NULL: all non-zero words are recorded.
 */
typedef bool go_is_heap_fn(void *arg, taddr value);
/* Span of stacks that holds addr, {0, 0}: none.  May be NULL: a stack's own word is believed. */
typedef struct trange go_stack_span_fn(void *arg, taddr addr);

struct go_stack_env {
	go_is_heap_fn *is_heap;
	go_stack_span_fn *span_at;
	void *arg;
};

struct err *go_stacks_read(const struct go *g, unsigned nthreads, const struct go_stack_env *env,
			   struct go_stacks *ret) MUST_CHECK;
void go_stacks_deinit(struct go_stacks *s);

const char *go_status_name(uint32_t status);	/* "waiting", "running", … as tracebacks print */
const char *go_wait_reason(const struct go *g, uint32_t reason); /* "chan receive"; "" unknown */

#endif
