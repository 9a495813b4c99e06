/*
 * unwind.c - frames of one stack, as runtime.unwinder finds them.
 *
 * Source: runtime/traceback.go (initAt, resolveInternal, next).  Reads the copied
 * stack only.  Does not jump from the system stack to a goroutine's: each is its
 * own walk.  Every frame ends above where it began, so a walk ends.
 */
#include "goruntime/stack_priv.h"

static void stop(struct unwinder *u, const char *why)
{
	u->valid = false;
	u->why = why;
}

/* runtime: frame's continuation pc behind a trap is its deferreturn, or it is dead. */
static taddr continuation(const struct unwinder *u)
{
	const struct go_func *f = &u->pi->f;

	if (u->callee != PC_SIGPANIC)
		return u->pc;
	return f->deferreturn ? f->entry + f->deferreturn + 1 : 0;
}

/*
 * With a link register the return address is the lowest word of a frame, and in the register while
 * there is no frame yet; else it is the highest.
 */
static bool find_return(struct unwinder *u, bool innermost)
{
	if (u->arch->pushed)
		return image_word(u->im, u->fp - u->arch->pushed, &u->lr);
	if (u->lr && !(innermost && u->sp < u->fp))
		return true;
	return image_word(u->im, u->sp, &u->lr);
}

static void resolve(struct unwinder *u, bool innermost, bool is_syscall)
{
	const struct go_func *f = &u->pi->f;
	uint8_t flag = f->flag;

	if (!u->pi->known)
		return stop(u, "return address outside Go's functions");
	if (u->pi->spdelta < 0 || u->pi->spdelta % 8)
		return stop(u, "no frame size at this pc");
	/* Its frame is valid on both stacks; a system call saved its pc, sp at entry. */
	if (u->pi->kind == PC_CGOCALLBACK || is_syscall || innermost)
		flag &= (uint8_t)~GO_FUNC_FLAG_SP_WRITE;
	u->fp = u->sp + (uint32_t)u->pi->spdelta + u->arch->pushed;
	if (u->fp < u->sp || u->fp > u->im->bounds.end)
		return stop(u, "frame reaches beyond its stack");
	if (flag & GO_FUNC_FLAG_SP_WRITE)
		return stop(u, "function that moves its stack pointer");
	if (flag & GO_FUNC_FLAG_TOP_FRAME)
		u->lr = 0;
	else if (!find_return(u, innermost))
		return stop(u, "return address cannot be read");
	u->varp = u->fp - u->arch->pushed;
	if (u->varp > u->sp)
		u->varp -= 8; /* the saved frame pointer */
	u->argp = u->fp + u->arch->min_frame;
	u->continpc = continuation(u);
}

static struct err *lookup(struct unwinder *u)
{
	u->pi = pc_cache_get(u->pcs, u->pc);
	return u->pi ? NULL : &err_nomem;
}

struct err *unwind_init(struct unwinder *u, struct pc_cache *pcs, const struct stack_image *im,
			const struct unwind_from *from)
{
	struct err *err;

	*u = (struct unwinder){ .pcs = pcs,
				.im = im,
				.arch = go_arch(pcs->g),
				.pc = from->pc,
				.sp = from->sp,
				.lr = from->lr,
				.valid = true };
	u->trap = from->start == UNWIND_TRAP;
	if (!u->pc) { /* most likely a call of a nil function: begin in the caller */
		u->trap = false;
		if (!image_word(im, u->sp, &u->pc)) {
			stop(u, "return address cannot be read");
			return NULL;
		}
		u->sp += u->arch->pushed;
		u->lr = 0;
	}
	err = lookup(u);
	if (err)
		return err;
	resolve(u, true, from->start == UNWIND_SYSCALL);
	return NULL;
}

static bool injected(uint8_t kind)
{
	return kind == PC_SIGPANIC || kind == PC_ASYNC || kind == PC_DEBUG_CALL;
}

/*
 * (*sigctxt).pushCall put the link register where the stack pointer was, and made it the address
 * of the interrupted instruction.
 */
static struct err *leave_faked_call(struct unwinder *u)
{
	taddr was;

	if (!image_word(u->im, u->sp, &was)) {
		stop(u, "return address cannot be read");
		return NULL;
	}
	u->sp += u->arch->faked_frame;
	if (!u->pi->known) {
		u->pc = was;
		return lookup(u);
	}
	if (!u->pi->spdelta)
		u->lr = was;
	return NULL;
}

struct err *unwind_next(struct unwinder *u)
{
	struct err *err;

	if (!u->lr) {
		u->valid = false;
		u->at_end = u->pi->f.flag & GO_FUNC_FLAG_TOP_FRAME;
		u->why = u->at_end ? NULL : "return address is zero";
		return NULL;
	}
	/*
	 * A return address in a register: no second frame without words of its own follows; on a
	 * damaged stack any number would.
	 */
	if (u->fp == u->sp && u->sp == u->last_sp) {
		stop(u, "frames without an end");
		return NULL;
	}
	u->last_sp = u->sp;
	u->callee = u->pi->kind;
	u->trap = injected(u->callee);
	u->pc = u->lr;
	u->lr = 0;
	u->sp = u->fp;
	err = lookup(u);
	if (!err && u->trap && u->arch->faked_frame)
		err = leave_faked_call(u);
	if (err)
		return err;
	if (u->valid)
		resolve(u, false, false);
	return NULL;
}
