/*
 * stackscan.c - the pointers that the collector sees in one stack.
 *
 * Source: runtime/mgcmark.go (scanstack, scanframeworker, scanConservative),
 * runtime/mgcstack.go (stack objects), runtime/stkframe.go (argMapInternal).
 * Where the target stands at a safe point, exactly that; where it was stopped in
 * running Go code, the top frame and the registers are taken conservatively.
 * Cost: one walk over the frames, O(log) a stack object reached.
 */
#include "base/cycle.h"
#include "goruntime/stack_priv.h"

#define XREGS_MAX_BYTES	    4096U
#define DEFERS_MAX	    (1U << 20)
#define STUB_ARGS_MAX_WORDS 65536

struct scan {
	struct stack_worker *w;
	const struct stack_plan *p;
	struct trange stack;
	bool conservative; /* the next frame, too */
	uint32_t nframes;  /* of this stack */
};

void stack_lose(struct stack_worker *w, const char *what, taddr at, uint64_t bytes)
{
	if (!vec_push(&w->losses, (struct go_stack_loss){ .what = what, .at = at, .bytes = bytes }))
		w->nomem = true;
}

static void put_slot(struct stack_worker *w, taddr at, uint64_t value, uint32_t frame,
		     uint32_t flags)
{
	if (!vec_push(&w->slots, (struct go_slot){ at, value, frame, flags }))
		w->nomem = true;
}

static void take_precise(struct scan *s, taddr at, uint64_t v, uint32_t frame, uint32_t flags)
{
	if (!v)
		return;
	if (!trange_has(s->stack, v))
		put_slot(s->w, at, v, frame, flags);
	else if (!vec_push(&s->w->ptrs, v))
		s->w->nomem = true;
}

static void take_conservative(struct scan *s, taddr at, uint64_t v, uint32_t frame, uint32_t flags)
{
	if (!v)
		return;
	if (trange_has(s->stack, v)) {
		if (!vec_push(&s->w->cptrs, v))
			s->w->nomem = true;
	} else if (!s->w->env.is_heap || s->w->env.is_heap(s->w->env.arg, v)) {
		put_slot(s->w, at, v, frame, flags | GO_SLOT_CONSERVATIVE);
	}
}

static void scan_mask(struct scan *s, taddr at, const uint8_t *mask, uint32_t nwords,
		      uint32_t frame, uint32_t flags)
{
	uint64_t v;

	for (uint32_t i = 0; i < nwords; i++) {
		if (!mask[i / 8]) {
			i |= 7;
			continue;
		}
		if (!(mask[i / 8] >> (i & 7) & 1) || !image_word(&s->w->im, at + 8ULL * i, &v))
			continue;
		if (flags & GO_SLOT_CONSERVATIVE)
			take_conservative(s, at + 8ULL * i, v, frame, flags);
		else
			take_precise(s, at + 8ULL * i, v, frame, flags);
	}
}

static void scan_range(struct scan *s, taddr from, taddr to, uint32_t frame)
{
	uint64_t v;

	for (taddr at = (from + 7) & ~7ULL; at < to && to - at >= 8; at += 8)
		if (image_word(&s->w->im, at, &v))
			take_conservative(s, at, v, frame, 0);
}

/* Arguments of reflect.makeFuncStub and methodValueCall: described by the call's own value. */
struct stub {
	bool has_obj;
	uint32_t nwords;
	uint8_t *mask; /* owned; NULL: unknown */
};

static bool stub_bits(const struct go *g, taddr mv, taddr entry, uint64_t *ret_arg_len,
		      int32_t *ret_n, taddr *ret_at)
{
	_cleanup_(err_freep) struct err *err = NULL;
	uint8_t b[24], bv[16];

	/* reflectMethodValue {fn, stack *bitvector, argLen}; bitvector {n int32, bytedata} */
	err = target_read(g->t, mv, b, sizeof(b));
	if (err || load_u64(b) != entry)
		return false;
	err = target_read(g->t, load_u64(b + 8), bv, sizeof(bv));
	*ret_arg_len = load_u64(b + 16);
	*ret_n = (int32_t)load_u32(bv);
	*ret_at = load_u64(bv + 8);
	return !err;
}

/* runtime.(*stkframe).argMapInternal for the two stubs; false: damaged. */
static bool stub_args(struct scan *s, const struct unwinder *u, struct stub *ret)
{
	_cleanup_(err_freep) struct err *err = NULL;
	uint64_t mv, valid, arg_len;
	taddr bits, arg0 = u->sp + u->arch->min_frame;
	int32_t n;

	*ret = (struct stub){ 0 };
	if (arg0 >= u->fp - u->arch->pushed)
		return true; /* it has not begun: no locals, no arguments */
	ret->has_obj = true;
	if (!image_word(&s->w->im, arg0, &mv) || !image_word(&s->w->im, arg0 + 32, &valid) ||
	    !stub_bits(s->w->g, mv, u->pi->f.entry, &arg_len, &n, &bits))
		return false;
	if (n < 0 || n > STUB_ARGS_MAX_WORDS)
		return false;
	if (!(valid & 0xff) && arg_len / 8 < (uint64_t)n)
		n = (int32_t)(arg_len / 8); /* results are not there yet */
	ret->nwords = (uint32_t)n;
	ret->mask = zalloc((uint32_t)n / 8 + 1, 1);
	if (!ret->mask) {
		s->w->nomem = true;
		return true;
	}
	if (n > 0)
		err = target_read(s->w->g->t, bits, ret->mask, ((uint32_t)n + 7) / 8);
	if (!err)
		return true;
	free(ret->mask);
	ret->mask = NULL;
	return false;
}

static void add_obj(struct scan *s, const struct unwinder *u, struct stack_obj *o, uint32_t frame)
{
	taddr base = o->off < 0 ? u->varp : u->argp;
	taddr at = base + (uint64_t)(int64_t)o->off;
	const struct live_obj *last = NULL;

	if (s->w->objs.n)
		last = &s->w->objs.v[s->w->objs.n - 1];
	if (at < u->sp || !o->bytes || o->ptr_bytes > o->bytes)
		return; /* not yet in the frame, or nonsense */
	if (!trange_has_all(s->stack, at, o->bytes) || (last && at < last->at + last->bytes)) {
		stack_lose(s->w, "stack object out of place", at, o->bytes);
		return;
	}
	if (!vec_push(&s->w->objs,
		      (struct live_obj){ .at = at, .bytes = o->bytes, .rec = o, .frame = frame }))
		s->w->nomem = true;
}

/* Its frame is followed by what (*sigctxt).pushCall put there. */
static bool injected_call(const struct unwinder *u)
{
	return u->pi->kind == PC_ASYNC || u->pi->kind == PC_DEBUG_CALL ||
	       u->pi->kind == PC_SIGPANIC;
}

static void frame_conservative(struct scan *s, const struct unwinder *u, uint32_t frame)
{
	uint64_t nargs = u->pi->nargs_all;
	struct stub stub = { 0 };

	scan_range(s, u->sp, injected_call(u) ? u->varp + u->arch->faked_frame : u->varp, frame);
	if (u->pi->kind == PC_REFLECT_STUB && stub_args(s, u, &stub)) {
		nargs = stub.nwords;
		free(stub.mask);
	}
	scan_range(s, u->argp, u->argp + 8 * nargs, frame);
}

static void frame_stub(struct scan *s, const struct unwinder *u, uint32_t frame)
{
	struct stub stub;

	if (!stub_args(s, u, &stub))
		stack_lose(s->w, "reflect stub without arguments' map", u->sp, u->fp - u->sp);
	if (stub.mask)
		scan_mask(s, u->argp, stub.mask, stub.nwords, frame, 0);
	free(stub.mask);
	if (stub.has_obj)
		add_obj(s, u, &s->w->stub_obj, frame);
}

/* As many words as lie between: a map that claims more is damaged, and may claim 2^31. */
static uint32_t words_within(struct scan *s, uint32_t nwords, taddr from, taddr to)
{
	uint64_t room = to > from ? (to - from) / 8 : 0;

	if (nwords <= room)
		return nwords;
	stack_lose(s->w, "stack map larger than its frame", from, 8ULL * (nwords - room));
	return (uint32_t)room;
}

static void frame_locals(struct scan *s, const struct unwinder *u, const struct pc_info *pi,
			 uint32_t frame)
{
	uint32_t n = words_within(s, pi->nlocals, u->sp, u->varp);

	/* The map's last word is the one below varp. */
	if (n == pi->nlocals)
		scan_mask(s, u->varp - 8ULL * n, pi->locals, n, frame, 0);
	else
		scan_range(s, u->sp, u->varp, frame);
}

/* scanframeworker at a safe point; maps are those of the continuation pc. */
static struct err *frame_exact(struct scan *s, const struct unwinder *u, uint32_t frame,
			       uint32_t *ret_flags)
{
	const struct pc_info *pi = u->pi;

	if (!u->continpc)
		return NULL;
	if (u->continpc != u->pc)
		pi = pc_cache_get(&s->w->pcs, u->continpc);
	if (!pi)
		return &err_nomem;
	if (pi->nlocals && pi->locals)
		frame_locals(s, u, pi, frame);
	if (pi->no_locals_map && u->varp > u->sp) {
		scan_range(s, u->sp, u->varp, frame);
		*ret_flags |= GO_FRAME_NO_MAP | GO_FRAME_CONSERVATIVE;
	}
	if (pi->nargs && pi->args)
		scan_mask(s, u->argp, pi->args, words_within(s, pi->nargs, u->argp, s->stack.end),
			  frame, 0);
	if (pi->no_args_map) {
		scan_range(s, u->argp, u->argp + 8ULL * pi->nargs_all, frame);
		*ret_flags |= GO_FRAME_NO_MAP | GO_FRAME_CONSERVATIVE;
	}
	if (u->pi->kind == PC_REFLECT_STUB)
		frame_stub(s, u, frame);
	else
		for (uint32_t i = 0; i < pi->nobjs; i++)
			add_obj(s, u, &pi->objs[i], frame);
	return NULL;
}

/* Does the caller of this frame hold pointers that no map of its tells? */
static bool spreads(const struct scan *s, const struct unwinder *u, bool top)
{
	if (u->pi->kind == PC_ASYNC || u->pi->kind == PC_DEBUG_CALL)
		return true; /* the frame holds the registers of its parent */
	if (!s->p->regs)
		return false;
	/* Stopped in an assembly leaf (duffcopy, write barrier) that keeps the caller's registers.
	 */
	return u->pi->kind == PC_WRITE_BARRIER || (top && (u->pi->f.flag & GO_FUNC_FLAG_ASM));
}

static struct err *scan_frame(struct scan *s, const struct unwinder *u)
{
	uint32_t n = (uint32_t)(s->w->frames.n - s->w->frame0);
	bool top = !s->nframes && s->p->regs;
	bool spread = spreads(s, u, top);
	uint32_t flags = s->p->frame_flags;
	struct err *err = NULL;

	flags |= s->nframes++ ? 0 : GO_FRAME_TOP;
	flags |= u->trap ? GO_FRAME_TRAP : 0;
	if (s->p->all_conservative) {
		flags |= GO_FRAME_CONSERVATIVE;
	} else if (top || s->conservative || spread) {
		frame_conservative(s, u, n);
		flags |= GO_FRAME_CONSERVATIVE;
	} else {
		err = frame_exact(s, u, n, &flags);
	}
	s->conservative = spread;
	if (!vec_push(&s->w->frames, (struct go_frame){ .pc = u->pc,
							.sp = u->sp,
							.fp = u->fp,
							.func_entry = u->pi->f.entry,
							.flags = flags }))
		s->w->nomem = true;
	if (flags & GO_FRAME_NO_MAP)
		stack_lose(s->w, "stack frame without a pointer map", u->sp, u->fp - u->sp);
	return err;
}

static struct err *scan_frames(struct scan *s)
{
	struct unwinder u;
	struct err *err;

	err = unwind_init(&u, &s->w->pcs, &s->w->im, &s->p->from);
	for (; !err && u.valid && !s->w->nomem; err = unwind_next(&u)) {
		err = scan_frame(s, &u);
		if (err)
			break;
	}
	if (err)
		return err;
	if (s->p->frame_flags & GO_FRAME_SYSTEM)
		return NULL; /* systemstack and mcall end such a walk; above lies nothing of Go's */
	if (!u.at_end || (s->p->top_sp && u.sp != s->p->top_sp)) {
		stack_lose(s->w, u.why ? u.why : "stack not unwound to its end", u.sp,
			   s->stack.end - MIN(u.sp, s->stack.end));
		if (!s->p->all_conservative)
			scan_range(s, MAX(u.sp, s->p->from.sp), s->stack.end, UINT32_MAX);
	}
	return NULL;
}

static struct live_obj *find_obj(struct stack_worker *w, taddr at)
{
	size_t lo = 0, hi = w->objs.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		struct live_obj *o = &w->objs.v[mid];

		if (at < o->at)
			hi = mid;
		else if (at - o->at >= o->bytes)
			lo = mid + 1;
		else
			return o;
	}
	return NULL;
}

/* Precise pointers first, so that an object that both kinds reach is scanned precisely. */
static void scan_objects(struct scan *s)
{
	struct stack_worker *w = s->w;

	while ((w->ptrs.n || w->cptrs.n) && !w->nomem) {
		uint32_t flags = GO_SLOT_STACK_OBJECT;
		struct live_obj *o;
		const uint8_t *mask;
		taddr at;

		if (w->ptrs.n) {
			at = w->ptrs.v[--w->ptrs.n];
		} else {
			at = w->cptrs.v[--w->cptrs.n];
			flags |= GO_SLOT_CONSERVATIVE;
		}
		o = find_obj(w, at);
		if (!o || o->scanned)
			continue;
		o->scanned = true;
		mask = stack_obj_mask(w->g, o->rec);
		if (mask) {
			scan_mask(s, o->at, mask, o->rec->ptr_bytes / 8, o->frame, flags);
		} else if (o->rec->ptr_bytes) {
			scan_range(s, o->at, o->at + o->rec->ptr_bytes, o->frame);
			stack_lose(w, "stack object without a pointer map", o->at, o->bytes);
		}
	}
}

static bool read_record(struct scan *s, taddr at, uint8_t *buf, uint32_t n)
{
	struct err *err;

	if (trange_has_all((struct trange){ s->w->im.at, s->w->im.at + s->w->im.n }, at, n)) {
		memcpy(buf, s->w->im.p + (at - s->w->im.at), n);
		return true;
	}
	err = target_read(s->w->g->t, at, buf, n);
	if (!err)
		return true;
	err_free(err);
	return false;
}

/* scanstack: func values, links and heap records of gp._defer. */
static void scan_defers(struct scan *s)
{
	const struct go_layout *L = s->w->g->L;
	taddr at = s->p->g + (uint32_t)L->g_defer.off;
	uint64_t d = go_get(s->p->image, L->g_defer);
	struct cycle cycle = { 0 };
	uint8_t b[256];

	if (!L->defer_bytes || L->defer_bytes > sizeof(b))
		return;
	for (unsigned i = 0; d; i++) {
		if (i == DEFERS_MAX || cycle_closed(&cycle, d) ||
		    !read_record(s, d, b, L->defer_bytes)) {
			stack_lose(s->w, "defer record unreadable", d, L->defer_bytes);
			return;
		}
		if (go_get(b, L->defer_heap))
			take_precise(s, at, d, UINT32_MAX, GO_SLOT_DEFER);
		take_precise(s, d + (uint32_t)L->defer_fn.off, go_get(b, L->defer_fn), UINT32_MAX,
			     GO_SLOT_DEFER);
		at = d + (uint32_t)L->defer_link.off;
		d = go_get(b, L->defer_link);
		take_precise(s, at, d, UINT32_MAX, GO_SLOT_DEFER);
	}
}

/* 1.27 scans the vector registers of an async-preempted goroutine (xRegScan). */
static void scan_xregs(struct scan *s)
{
	const struct go_layout *L = s->w->g->L;
	taddr at = go_get(s->p->image, L->g_xRegs_state);
	_cleanup_(err_freep) struct err *err = NULL;
	uint32_t n = MIN((uint32_t)go_arch(s->w->g)->xregs_bytes, XREGS_MAX_BYTES);
	uint8_t b[XREGS_MAX_BYTES];

	if (!at || !go_get(s->p->image, L->g_asyncSafePoint))
		return;
	err = target_read(s->w->g->t, at, b, n);
	if (err) {
		stack_lose(s->w, "vector registers unreadable", at, n);
		return;
	}
	for (uint32_t i = 0; i < n; i += 8)
		take_conservative(s, at + i, load_u64(b + i), UINT32_MAX, GO_SLOT_REGISTER);
}

static void scan_g(struct scan *s)
{
	const struct go_layout *L = s->w->g->L;

	if (!s->p->image)
		return;
	take_precise(s, s->p->g + (uint32_t)L->g_sched_ctxt.off,
		     go_get(s->p->image, L->g_sched_ctxt), UINT32_MAX, GO_SLOT_G);
	scan_xregs(s);
	scan_defers(s);
	if (trange_has(s->stack, go_get(s->p->image, L->g_panic)))
		take_precise(s, 0, go_get(s->p->image, L->g_panic), UINT32_MAX, GO_SLOT_PANIC);
}

/* The stack from sp up, as much as can be read. */
static struct err *read_image(struct stack_worker *w, taddr sp, struct trange stack)
{
	uint64_t n = stack.end - sp;
	size_t got = 0;
	struct err *err;

	w->im.bounds = stack;
	w->im.at = sp;
	w->im.n = 0;
	if (n > w->im.cap) {
		uint64_t cap = MAX(n + n / 2, (uint64_t)65536);

		bigfree(w->im.p, w->im.cap, 1);
		w->im.cap = 0;
		w->im.p = bigalloc(cap, 1);
		if (!w->im.p)
			return &err_nomem;
		w->im.cap = cap;
	}
	err = target_read_some(w->g->t, sp, w->im.p, n, &got);
	if (err)
		return err;
	w->im.n = got;
	if (got < n)
		stack_lose(w, "stack unreadable", sp + got, n - got);
	return NULL;
}

struct err *stack_scan(struct stack_worker *w, const struct stack_plan *p)
{
	struct scan s = { .w = w, .p = p, .stack = p->stack };
	struct err *err;

	w->ptrs.n = w->cptrs.n = w->objs.n = 0;
	err = read_image(w, p->from.sp & ~7ULL, p->stack);
	if (err)
		return err;
	for (unsigned i = 0; p->regs && i < p->regs->regs.nints; i++)
		take_conservative(&s, 0, p->regs->regs.ints[i], UINT32_MAX, GO_SLOT_REGISTER);
	scan_g(&s);
	err = scan_frames(&s);
	if (err)
		return err;
	if (p->all_conservative)
		scan_range(&s, p->from.sp, p->stack.end, UINT32_MAX);
	scan_objects(&s);
	return w->nomem ? &err_nomem : NULL;
}

/*
 * runtime.methodValueCallFrameObjs: an internal/abi.RegArgs below varp in the frames of
 * reflect's stubs.
 */
void stack_worker_init_stub(struct stack_worker *w)
{
	const struct go_arch *a = go_arch(w->g);
	unsigned end = (unsigned)a->reg_args_first_ptr + a->reg_args_nptrs;

	w->stub_obj = (struct stack_obj){ .off = -(int32_t)a->reg_args_bytes,
					  .bytes = a->reg_args_bytes,
					  .ptr_bytes = 8 * end };
	w->stub_obj.tried = true;
	w->stub_obj.mask = zalloc(end / 8 + 1, 1);
	if (!w->stub_obj.mask)
		w->nomem = true;
	for (unsigned i = a->reg_args_first_ptr; w->stub_obj.mask && i < end; i++)
		w->stub_obj.mask[i / 8] |= (uint8_t)(1U << i % 8);
}

void stack_worker_deinit(struct stack_worker *w)
{
	pc_cache_deinit(&w->pcs);
	bigfree(w->im.p, w->im.cap, 1);
	vec_free(&w->ptrs);
	vec_free(&w->cptrs);
	vec_free(&w->objs);
	vec_free(&w->frames);
	vec_free(&w->slots);
	vec_free(&w->losses);
	free(w->stub_obj.mask);
}
