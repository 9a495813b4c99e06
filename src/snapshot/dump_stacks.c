/*
 * dump_stacks.c - goroutines of a heap dump: frames, and the words in them that may be pointers.
 *
 * A frame's record lists its live locals and arguments.  Variables whose address was taken are not
 * in that list (runtime/mgcstack.go finds them through pointers into the stack, by tables that a
 * dump has not): a frame that a live pointer leads into is taken word by word instead, and so is
 * one that was interrupted at any instruction.  Cost: one pass over the frames' words.
 */
#include "snapshot/dump.h"

struct stack {
	struct snapshot *s;
	struct go_stacks *st;
	const struct dump_frame *f; /* of the goroutine, innermost first */
	size_t n;
	size_t first;	/* index of f[0] in st->frames */
	uint8_t *state; /* by frame: STATE_* */
	size_t *todo;
	size_t ntodo;
};

enum { STATE_NEW, STATE_TODO, STATE_DONE };

static struct err *put_slot(struct stack *k, taddr at, taddr value, size_t frame, uint32_t flags)
{
	struct go_slot slot = { at, value, (uint32_t)frame, flags };

	if (go_heap_object_at(&k->s->heap, value) == GO_NO_OBJECT)
		return NULL;
	return vec_push(&k->st->slots, slot) ? NULL : &err_nomem;
}

/* The frame that addr lies in, SIZE_MAX: none.  Frames ascend in a real dump; if not, some are not
 * found. */
static size_t frame_at(const struct stack *k, taddr addr)
{
	size_t lo = 0, hi = k->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (k->f[mid].mem.addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || addr - k->f[lo - 1].mem.addr >= k->f[lo - 1].mem.bytes)
		return SIZE_MAX;
	return lo - 1;
}

static void reach_frame(struct stack *k, size_t i)
{
	if (i >= k->n || k->state[i] != STATE_NEW)
		return;
	k->state[i] = STATE_TODO;
	k->todo[k->ntodo++] = i;
}

/* A word that may be a pointer: to the heap, or into a frame. */
static struct err *see(struct stack *k, taddr at, taddr value, size_t i, uint32_t flags)
{
	if (!value)
		return NULL;
	reach_frame(k, frame_at(k, value));
	return put_slot(k, at, value, k->first + i, flags);
}

static struct err *scan_listed(struct stack *k, size_t i)
{
	const struct dump_segment *m = &k->f[i].mem;
	struct bytes fields = m->fields;
	struct err *err = NULL;
	uint64_t at;

	while (!err && dump_field(&fields, &at))
		if (m->bytes >= 8 && at <= m->bytes - 8)
			err = see(k, m->addr + at, load_u64(m->data + at), i, 0);
	return err;
}

static struct err *scan_all(struct stack *k, size_t i)
{
	const struct dump_segment *m = &k->f[i].mem;
	struct err *err = NULL;

	k->st->frames.v[k->first + i].flags |= GO_FRAME_CONSERVATIVE;
	k->st->conservative_frames++;
	for (uint64_t at = 0; at + 8 <= m->bytes && !err; at += 8)
		err = see(k, m->addr + at, load_u64(m->data + at), i, GO_SLOT_CONSERVATIVE);
	return err;
}

/* traceback.go: below asyncPreempt and debugCall lies a frame stopped at any instruction. */
static bool interrupts(const char *function)
{
	return !strcmp(function, "runtime.asyncPreempt") ||
	       !strncmp(function, "runtime.debugCall", 17) || !strcmp(function, "runtime.sigpanic");
}

static struct err *scan_frames(struct stack *k)
{
	struct err *err = NULL;

	for (size_t i = 0; i < k->n && !err; i++) {
		if (i && interrupts(k->f[i - 1].name))
			reach_frame(k, i);
		err = scan_listed(k, i);
	}
	while (k->ntodo && !err) {
		size_t i = k->todo[--k->ntodo];

		k->state[i] = STATE_DONE;
		err = scan_all(k, i);
	}
	return err;
}

/* mgcmark.go, scanstack: defer records, the panic, the saved context; and the g itself. */
static struct err *scan_records(struct stack *k, const struct dump_goroutine *g)
{
	const struct dump *d = k->s->dump->d;
	const taddr own[] = { g->ctxt, g->defers, g->panics };
	struct err *err = put_slot(k, 0, g->g, UINT32_MAX, GO_SLOT_G);

	if (!err)
		err = put_slot(k, 0, g->m, UINT32_MAX, GO_SLOT_G);
	for (size_t i = 0; i < ARRAY_LEN(own) && !err; i++) {
		reach_frame(k, frame_at(k, own[i]));
		err = put_slot(k, 0, own[i], UINT32_MAX, GO_SLOT_G);
	}
	for (size_t i = g->first_defer; i < g->first_defer + g->ndefers && !err; i++) {
		const taddr w[] = { d->defers.v[i].d, d->defers.v[i].fn, d->defers.v[i].link };

		for (size_t j = 0; j < ARRAY_LEN(w) && !err; j++) {
			reach_frame(k, frame_at(k, w[j]));
			err = put_slot(k, 0, w[j], UINT32_MAX, GO_SLOT_DEFER);
		}
	}
	for (size_t i = g->first_panic; i < g->first_panic + g->npanics && !err; i++) {
		const taddr w[] = { d->panics.v[i].p, d->panics.v[i].data, d->panics.v[i].link };

		for (size_t j = 0; j < ARRAY_LEN(w) && !err; j++) {
			reach_frame(k, frame_at(k, w[j]));
			err = put_slot(k, 0, w[j], UINT32_MAX, GO_SLOT_PANIC);
		}
	}
	return err;
}

static struct err *add_frames(struct stack *k)
{
	for (size_t i = 0; i < k->n; i++) {
		const struct dump_frame *f = &k->f[i];
		struct go_frame to = {
			.pc = f->pc,
			.sp = f->mem.addr,
			.fp = f->mem.addr + f->mem.bytes,
			.func_entry = f->entry,
			.flags = i ? 0 : GO_FRAME_TOP,
		};

		if (i && interrupts(k->f[i - 1].name))
			to.flags |= GO_FRAME_TRAP;
		if (!vec_push(&k->st->frames, to))
			return &err_nomem;
	}
	return NULL;
}

static struct err *scan_stack(struct stack *k, const struct dump_goroutine *g)
{
	_cleanup_(freep) uint8_t *state = zalloc(k->n + 1, 1);
	_cleanup_(freep) size_t *todo = zalloc(k->n + 1, sizeof(*todo));
	struct err *err;

	if (!state || !todo)
		return &err_nomem;
	k->state = state;
	k->todo = todo;
	err = add_frames(k);
	if (!err)
		err = scan_records(k, g);
	return err ? err : scan_frames(k);
}

static bool is_goexit(const char *function)
{
	return !strcmp(function, "runtime.goexit") || !strcmp(function, "runtime.goexit.abi0");
}

/* What the go statement started: the outermost frame but the runtime's own. */
static taddr start_of(const struct stack *k)
{
	for (size_t i = k->n; i-- > 0;)
		if (!is_goexit(k->f[i].name))
			return k->f[i].entry;
	return 0;
}

/* runtime2.go: g begins with its stack's bounds, and has had the rest by name since ever. */
static void from_g(const struct snapshot *s, struct go_goroutine *to, taddr sp)
{
	const struct go_layout *L = s->go->L;
	_cleanup_(dump_walk_end) struct dump_walk w = { .n = 0 };
	struct dump_object o;
	uint64_t off;

	if (!dump_object_at(s->dump->d, to->g, &w, &o))
		return;
	off = to->g - o.addr;
	if (o.bytes - off < MAX(16U, L->g_bytes))
		return;
	if (load_u64(o.data + off) <= sp && load_u64(o.data + off + 8) > sp &&
	    load_u64(o.data + off + 8) - load_u64(o.data + off) <= 1ULL << 32) {
		to->stack_lo = load_u64(o.data + off);
		to->stack_hi = load_u64(o.data + off + 8);
	}
	if (!L->g_bytes || go_get(o.data + off, L->g_goid) != to->id)
		return;
	to->parent_id = go_get(o.data + off, L->g_parentGoid);
	to->start_pc = go_get(o.data + off, L->g_startpc);
	to->waiting = go_get(o.data + off, L->g_waiting);
}

static struct err *add_goroutine(struct snapshot *s, const struct dump_goroutine *g)
{
	const struct dump *d = s->dump->d;
	struct go_stacks *st = &s->stacks;
	struct stack k = {
		.s = s,
		.st = st,
		.f = g->nframes ? d->frames.v + g->first_frame : NULL,
		.n = g->nframes,
		.first = st->frames.n,
	};
	struct go_goroutine to = {
		.g = g->g,
		.id = g->id,
		.status = (uint32_t)g->status,
		.wait_reason = g->wait_reason,
		.waitsince = (int64_t)g->waitsince,
		.go_pc = g->go_pc,
		.m = g->m,
		.system = g->system,
		.start_pc = start_of(&k),
		.first_frame = st->frames.n,
		.nframes = g->nframes,
	};

	if (k.n) {
		to.stack_lo = k.f[0].mem.addr;
		to.stack_hi = k.f[k.n - 1].mem.addr + k.f[k.n - 1].mem.bytes;
		to.stack_hi = MAX(to.stack_lo, to.stack_hi);
	}
	if (k.n && is_goexit(k.f[k.n - 1].name))
		to.nframes--; /* no caller: what a return leads to */
	from_g(s, &to, g->sp);
	st->stack_bytes += to.stack_hi - to.stack_lo;
	if (!vec_push(&st->gs, to))
		return &err_nomem;
	return scan_stack(&k, g);
}

struct err *snap_dump_stacks(struct snapshot *s)
{
	const struct dump *d = s->dump->d;
	struct err *err = NULL;

	for (size_t i = 0; i < d->gs.n && !err; i++) {
		if (!vec_push(&s->stacks.slot_first, s->stacks.slots.n))
			return &err_nomem;
		err = add_goroutine(s, &d->gs.v[i]);
	}
	if (!err && !vec_push(&s->stacks.slot_first, s->stacks.slots.n))
		err = &err_nomem;
	return err;
}
