/*
 * coderefs_flow.c - what registers and words of the frame hold, through one function.
 *
 * One pass in order of addresses.  Where jumps meet, only what all of them agree on is kept; where
 * one comes from behind, nothing is.  Calls keep no register (cmd/compile/abi-internal.md), but
 * words of the frame.  SP does not move between prologue and epilogue.  So what is said to be in a
 * register is so on every way there.  Cost: some 10 ns an instruction, in functions that refer to
 * globals or code.
 */
#include "goruntime/coderefs_priv.h"

static void set(struct flow_state *s, unsigned reg, struct val v)
{
	if (reg < FLOW_REGS)
		s->r[reg] = v;
}

static struct flow_slot *slot_at(struct flow_state *s, int32_t disp)
{
	for (unsigned i = 0; i < s->nslots; i++) {
		if (s->slot[i].disp == disp)
			return &s->slot[i];
	}
	return NULL;
}

/* Words of the frame that a store of 64 bytes at most may change. */
static void slots_lose(struct flow_state *s, int32_t disp, int32_t bytes)
{
	unsigned k = 0;

	for (unsigned i = 0; i < s->nslots; i++) {
		const struct flow_slot *sl = &s->slot[i];

		if ((int64_t)sl->disp + 8 <= disp || sl->disp >= (int64_t)disp + bytes)
			s->slot[k++] = *sl;
	}
	s->nslots = (uint8_t)k;
}

static void slot_set(struct flow_state *s, int32_t disp, struct val v)
{
	slots_lose(s, disp, 8);
	if (v.kind == VAL_NONE)
		return;
	if (s->nslots == FLOW_SLOTS) {
		memmove(s->slot, s->slot + 1, (FLOW_SLOTS - 1) * sizeof(*s->slot));
		s->nslots--;
	}
	s->slot[s->nslots++] = (struct flow_slot){ disp, v };
}

static bool same(struct val a, struct val b)
{
	return a.kind == b.kind && a.a == b.a;
}

/* Keep in s what `other` has too. */
static void meet(struct flow_state *s, struct flow_state *other)
{
	unsigned k = 0;

	for (unsigned i = 0; i < FLOW_REGS; i++) {
		if (!same(s->r[i], other->r[i]))
			s->r[i] = (struct val){ 0 };
	}
	for (unsigned i = 0; i < s->nslots; i++) {
		const struct flow_slot *o = slot_at(other, s->slot[i].disp);

		if (o && same(s->slot[i].v, o->v))
			s->slot[k++] = s->slot[i];
	}
	s->nslots = (uint8_t)k;
}

/* A jump ahead to off takes the present state there. */
static struct err *jump(struct code_worker *w, uint32_t off)
{
	uint16_t *l = &w->labels.v[off];

	if (*l == LABEL_UNKNOWN || *l == LABEL_NONE)
		return NULL;
	if (*l != LABEL_AHEAD) {
		meet(&w->states.v[*l - 1], &w->now);
		return NULL;
	}
	if (w->states.n >= MAX_STATES) {
		*l = LABEL_UNKNOWN;
		return NULL;
	}
	if (!vec_push(&w->states, w->now))
		return &err_nomem;
	*l = (uint16_t)w->states.n;
	return NULL;
}

/* What is so at an instruction: falls says that the one before it goes on here. */
static void arrive(struct code_worker *w, uint32_t off, bool *falls)
{
	uint16_t l = w->labels.v[off];

	if (l == LABEL_NONE) {
		if (!*falls)
			w->now = (struct flow_state){ 0 };
	} else if (l == LABEL_UNKNOWN || l == LABEL_AHEAD) {
		w->now = (struct flow_state){ 0 };
	} else if (*falls) {
		meet(&w->now, &w->states.v[l - 1]);
	} else {
		w->now = w->states.v[l - 1];
	}
	*falls = true;
}

static struct val value_of(const struct go_code *c, taddr at)
{
	if (code_is_global(c, at))
		return (struct val){ VAL_GLOBAL, at };
	if (go_module_of_text(c->g, at))
		return (struct val){ VAL_TEXT, at };
	return (struct val){ VAL_CONST, at };
}

/* v goes to the word at a global address. */
static struct err *stored(struct code_worker *w, taddr at, struct val v)
{
	if (!code_is_global(w->c, at))
		return NULL;
	switch (v.kind) {
	case VAL_NEW:
		return code_fact(w, at, v.a, FACT_POINTS);
	case VAL_ROW:
		return code_fact(w, at, v.a, FACT_ROW);
	case VAL_OF:
		return code_fact(w, at, v.a, FACT_IS);
	default:
		return NULL;
	}
}

/* reflectdata's closure structs begin with F, the code's address (walk/closure.go). */
static struct err *stored_in_new(struct code_worker *w, const struct x86_insn *in)
{
	const struct val *to = in->base < FLOW_REGS ? &w->now.r[in->base] : NULL;
	const struct val *v = in->reg < FLOW_REGS ? &w->now.r[in->reg] : NULL;

	if (!to || !v || to->kind != VAL_NEW || v->kind != VAL_TEXT || in->disp ||
	    in->index < FLOW_REGS)
		return NULL;
	return code_fact(w, v->a, to->a, FACT_CLOSURE);
}

static bool in_frame(const struct x86_insn *in)
{
	return x86_in_memory(in) && in->base == X86_SP && in->index >= FLOW_REGS;
}

/* The operand in memory is that far behind a global whose address is in a register; 0: is it not.
 */
static taddr behind_global(const struct code_worker *w, const struct x86_insn *in)
{
	const struct val *v = in->base < FLOW_REGS ? &w->now.r[in->base] : NULL;

	if (!v || v->kind != VAL_GLOBAL || in->index < FLOW_REGS)
		return 0;
	return v->a + (uint64_t)(int64_t)in->disp;
}

/* A move of 8 bytes from a register; true: that is all of it. */
static struct err *store_move(struct code_worker *w, const struct x86_insn *in, taddr to)
{
	struct val v = w->now.r[in->reg & 15];

	if (in->mod == 3)
		set(&w->now, in->rm, v);
	else if (in->flags & X86_RIP)
		return stored(w, to, v);
	else if (in_frame(in))
		slot_set(&w->now, in->disp, v);
	else if (behind_global(w, in))
		return stored(w, behind_global(w, in), v);
	else
		return stored_in_new(w, in);
	return NULL;
}

static void load_move(struct code_worker *w, const struct x86_insn *in, taddr from)
{
	taddr at = in->flags & X86_RIP ? from : behind_global(w, in);
	struct val v = { 0 };
	uint64_t x;

	if (in->mod == 3) {
		v = w->now.r[in->rm & 15];
	} else if (at) {
		if (code_is_global(w->c, at))
			v = (struct val){ VAL_LOADED, at };
		else if ((in->flags & X86_RIP) && code_constant(w, at, &x))
			v = value_of(w->c, x);
	} else if (in_frame(in)) {
		const struct flow_slot *s = slot_at(&w->now, in->disp);

		if (s)
			v = s->v;
	}
	set(&w->now, in->reg, v);
}

static void other(struct flow_state *s, const struct x86_insn *in)
{
	uint32_t lost = x86_writes(in);

	for (unsigned i = 0; lost && i < FLOW_REGS; i++) {
		if (lost & 1U << i)
			s->r[i] = (struct val){ 0 };
	}
	if (in_frame(in) && (x86_stores(in) || (in->flags & X86_VECTOR)))
		slots_lose(s, in->disp, 64);
}

static struct err *step(struct code_worker *w, const struct x86_insn *in, taddr next)
{
	taddr to = next + (uint64_t)(int64_t)in->disp;
	bool plain = !in->map && in->wide && !(in->flags & (X86_VECTOR | X86_REPEAT));
	struct err *err = NULL;

	if (in->flags & X86_CALL)
		return code_call(w, next + (uint64_t)(int64_t)in->imm, next);
	if (plain && in->op == 0x89)
		return store_move(w, in, to);
	if (plain && in->op == 0x8b) {
		load_move(w, in, to);
		return NULL;
	}
	if (plain && in->op == 0x8d && (in->flags & X86_RIP)) {
		set(&w->now, in->reg, value_of(w->c, to));
		return NULL;
	}
	if (plain && in->op == 0x8d && behind_global(w, in)) {
		set(&w->now, in->reg, value_of(w->c, behind_global(w, in)));
		return NULL;
	}
	if (plain && in->op == 0x87 && (in->flags & X86_RIP)) { /* xchg: an atomic store */
		err = stored(w, to, w->now.r[in->reg & 15]);
		set(&w->now, in->reg, (struct val){ 0 });
		return err;
	}
	other(&w->now, in);
	return NULL;
}

static struct err *mark_labels(struct code_worker *w, uint32_t bytes)
{
	w->labels.n = 0;
	if (!vec_reserve(&w->labels, bytes))
		return &err_nomem;
	memset(w->labels.v, 0, bytes * sizeof(*w->labels.v));
	for (size_t i = 0; i < w->insns.n; i++) {
		const struct insn_at *a = &w->insns.v[i];
		int64_t to = (int64_t)a->off + a->in.len + a->in.imm;

		if (!(a->in.flags & X86_BRANCH) || to < 0 || to >= bytes)
			continue;
		if (to <= a->off)
			w->labels.v[to] = LABEL_UNKNOWN;
		else if (w->labels.v[to] == LABEL_NONE)
			w->labels.v[to] = LABEL_AHEAD;
	}
	return NULL;
}

struct err *code_flow(struct code_worker *w, const struct code_func *f)
{
	uint32_t bytes = (uint32_t)(f->end - f->entry);
	struct err *err = mark_labels(w, bytes);
	bool falls = true;

	w->states.n = 0;
	w->now = (struct flow_state){ 0 };
	for (size_t i = 0; i < w->insns.n && !err; i++) {
		const struct insn_at *a = &w->insns.v[i];
		uint32_t next = a->off + a->in.len;
		int64_t to = (int64_t)next + a->in.imm;

		/* A jump table: nobody knows where that leads. */
		if (!a->in.map && a->in.op == 0xff && (a->in.reg & 6) == 4)
			break;
		arrive(w, a->off, &falls);
		if ((a->in.flags & X86_BRANCH) && to > a->off && to < bytes)
			err = jump(w, (uint32_t)to);
		if (!err && !(a->in.flags & X86_BRANCH))
			err = step(w, &a->in, f->entry + next);
		falls = !(a->in.flags & X86_END);
	}
	return err;
}
