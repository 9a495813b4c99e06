/*
 * test_stack.c - hand-made goroutines: which words the collector would take, by hand from
 * runtime/mgcmark.go (scanstack) and runtime/stkframe.go (getStackMap).
 *
 * One goroutine stands in main.caller (frame: 4 words of locals, saved frame pointer, return
 * address to goexit, 2 words of arguments):
 *
 *   S+0x00 local 0 (pointer)     S+0x08 object word 0     S+0x10 object word 1 (pointer)
 *   S+0x18 local 3 (pointer)     S+0x20 frame pointer     S+0x28 return address
 *   S+0x30 argument 0            S+0x38 argument 1 (pointer at most pcs)
 */
#include "program.h"
#include "fake/segments.h"
#include "goruntime/stack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define STACK	  0x50000UL
#define STACK_END 0x51000UL
#define S	  0x50f00UL
#define G	  0x60000UL /* the goroutine */
#define G0	  0x60100UL /* of its thread */
#define GSIGNAL	  0x60200UL
#define SIGSTACK  0x70000UL /* 0x1000 bytes */
#define M	  0x61000UL
#define VARS	  0x62000UL /* allgs {data, len, cap}, allm, the array */
#define DEFERS	  0x63000UL
#define A1	  0xa100UL /* heap addresses */
#define A2	  0xa200UL
#define A3	  0xa300UL
#define A4	  0xa400UL
#define A5	  0xa500UL

struct world {
	struct program p;
	uint8_t stack[0x1000], gs[0x300], m[0x100], vars[0x100], defers[0x100], sig[0x1000];
	struct target_thread thread;
	struct go_stacks out;
	go_stack_span_fn *span_at;
	struct trange span;
};

static void put(uint8_t *base, taddr start, taddr at, uint64_t v)
{
	memcpy(base + (at - start), &v, 8);
}

static void stack_word(struct world *w, taddr at, uint64_t v)
{
	put(w->stack, STACK, at, v);
}

static void g_word(struct world *w, struct go_field f, uint64_t v)
{
	memcpy(w->gs + f.off, &v, f.bytes);
}

static struct go_field field(int off, unsigned bytes)
{
	return (struct go_field){ off, bytes };
}

static void layout_g(struct go_layout *L)
{
	L->g_bytes = 0x90;
	L->g_stack_lo = field(0, 8);
	L->g_stack_hi = field(8, 8);
	L->g_panic = field(16, 8);
	L->g_defer = field(24, 8);
	L->g_m = field(32, 8);
	L->g_sched_sp = field(40, 8);
	L->g_sched_pc = field(48, 8);
	L->g_sched_ctxt = field(56, 8);
	L->g_syscallsp = field(64, 8);
	L->g_syscallpc = field(72, 8);
	L->g_stktopsp = field(80, 8);
	L->g_atomicstatus = field(88, 4);
	L->g_goid = field(96, 8);
	L->g_startpc = field(104, 8);
	L->defer_bytes = 32;
	L->defer_heap = field(0, 1);
	L->defer_fn = field(8, 8);
	L->defer_link = field(16, 8);
	L->c_Gidle = 0;
	L->c_Grunning = 2;
	L->c_Gsyscall = 3;
	L->c_Gdead = 6;
	L->c_Gcopystack = 8;
	L->c_Gscan = 0x1000;
}

static void layout_m(struct go_layout *L)
{
	L->m_bytes = 64;
	L->m_g0 = field(0, 8);
	L->m_gsignal = field(8, 8);
	L->m_procid = field(16, 8);
	L->m_curg = field(24, 8);
	L->m_p = field(32, 8);
	L->m_alllink = field(40, 8);
	L->m_vdsoSP = field(48, 8);
	L->m_vdsoPC = field(56, 8);
}

static void build(struct world *w)
{
	memset(w, 0, sizeof(*w));
	program_build(&w->p);
	layout_g(&w->p.L);
	layout_m(&w->p.L);
	put(w->vars, VARS, VARS, VARS + 0x40);
	put(w->vars, VARS, VARS + 8, 1);
	put(w->vars, VARS, VARS + 16, 4);
	put(w->vars, VARS, VARS + 24, M);
	put(w->vars, VARS, VARS + 0x40, G);
	g_word(w, w->p.L.g_stack_lo, STACK);
	g_word(w, w->p.L.g_stack_hi, STACK_END);
	g_word(w, w->p.L.g_atomicstatus, 4);
	g_word(w, w->p.L.g_goid, 7);
	g_word(w, w->p.L.g_sched_pc, CALLER + 0x20);
	g_word(w, w->p.L.g_sched_sp, S);
	g_word(w, w->p.L.g_stktopsp, S + 0x30);
	g_word(w, w->p.L.g_startpc, CALLER);
	stack_word(w, S, A1);
	stack_word(w, S + 0x08, A5);
	stack_word(w, S + 0x10, A2);
	stack_word(w, S + 0x20, A4); /* as if a heap pointer: it must not be taken */
	stack_word(w, S + 0x28, GOEXIT + 1);
	stack_word(w, S + 0x30, A5);
	stack_word(w, S + 0x38, A3);
}

static bool is_heap(void *arg, taddr v)
{
	(void)arg;
	return v >= 0xa000 && v < 0xb000;
}

static struct err *read_all(struct world *w)
{
	const struct fake_segment segs[] = {
		{ STACK, w->stack, sizeof(w->stack) },
		{ G, w->gs, sizeof(w->gs) },
		{ M, w->m, sizeof(w->m) },
		{ VARS, w->vars, sizeof(w->vars) },
		{ DEFERS, w->defers, sizeof(w->defers) },
		{ SIGSTACK, w->sig, sizeof(w->sig) },
	};
	struct err *err = program_open(&w->p, segs, ARRAY_LEN(segs));

	if (err)
		return err;
	fake_threads(w->p.t, &w->thread, 1);
	w->p.g.v.allgs = VARS;
	w->p.g.v.allm = VARS + 24;
	return go_stacks_read(&w->p.g, 1, &(struct go_stack_env){ is_heap, w->span_at, w },
			      &w->out);
}

static void finish(struct world *w)
{
	go_stacks_deinit(&w->out);
	program_close(&w->p);
}

static int setup(void **state)
{
	*state = malloc(sizeof(struct world));
	assert_non_null(*state);
	build(*state);
	return 0;
}

static int teardown(void **state)
{
	finish(*state);
	free(*state);
	return 0;
}

/* Exactly these slots, in any order; at 0 ends the list, 1 stands for a register. */
static void expect(const struct world *w, const struct go_slot *want)
{
	size_t n = 0;

	for (; want[n].at; n++) {
		bool found = false;

		for (size_t i = 0; i < w->out.slots.n; i++) {
			const struct go_slot *s = &w->out.slots.v[i];

			if (s->at == (want[n].at == 1 ? 0 : want[n].at) &&
			    s->value == want[n].value && s->flags == want[n].flags)
				found = true;
		}
		if (!found)
			print_error("no slot 0x%lx = 0x%lx flags %u\n", want[n].at, want[n].value,
				    want[n].flags);
		assert_true(found);
	}
	assert_int_equal(w->out.slots.n, n);
}

static void parked(void **state)
{
	struct world *w = *state;
	const struct go_slot want[] = { { S, A1, 0, 0 }, { S + 0x38, A3, 0, 0 }, { 0, 0, 0, 0 } };

	assert_null(read_all(w));
	expect(w, want);
	assert_int_equal(w->out.gs.n, 1);
	assert_int_equal(w->out.gs.v[0].id, 7);
	assert_int_equal(w->out.gs.v[0].nframes, 2);
	assert_int_equal(w->out.frames.v[0].fp, S + 0x30);
	assert_int_equal(go_frame_line_pc(&w->out.frames.v[0]), CALLER + 0x1f);
	assert_int_equal(w->out.frames.v[1].func_entry, GOEXIT);
	assert_int_equal(w->out.losses.n, 0);
	assert_int_equal(w->out.conservative_frames, 0);
	assert_int_equal(w->out.slot_first.n, 2);
}

static void stack_object_reached(void **state)
{
	struct world *w = *state;
	const struct go_slot want[] = { { S, A1, 0, 0 },
					{ S + 0x38, A3, 0, 0 },
					{ S + 0x10, A2, 0, GO_SLOT_STACK_OBJECT },
					{ 0, 0, 0, 0 } };

	stack_word(w, S + 0x18, S + 0x0c); /* an interior pointer to the object */
	assert_null(read_all(w));
	expect(w, want);
}

static void stack_object_by_panic(void **state)
{
	struct world *w = *state;
	const struct go_slot want[] = { { S, A1, 0, 0 },
					{ S + 0x38, A3, 0, 0 },
					{ S + 0x10, A2, 0, GO_SLOT_STACK_OBJECT },
					{ 0, 0, 0, 0 } };

	g_word(w, w->p.L.g_panic, S + 0x08);
	assert_null(read_all(w));
	expect(w, want);
}

static void not_begun(void **state)
{
	struct world *w = *state;
	const struct go_slot want[] = { { S + 0x30, A5, 0, 0 },
					{ S + 0x38, A3, 0, 0 },
					{ G + 56, A4, 0, GO_SLOT_G },
					{ 0, 0, 0, 0 } };

	g_word(w, w->p.L.g_sched_pc, CALLER); /* at the entry: maps number 0 */
	g_word(w, w->p.L.g_sched_ctxt, A4);
	assert_null(read_all(w));
	expect(w, want);
}

/* The map is that of the CALL, one byte before the return address: here still number 0. */
static void map_of_the_call(void **state)
{
	struct world *w = *state;
	const struct go_slot want[] = { { S + 0x30, A5, 0, 0 },
					{ S + 0x38, A3, 0, 0 },
					{ 0, 0, 0, 0 } };

	g_word(w, w->p.L.g_sched_pc, CALLER + 8);
	assert_null(read_all(w));
	expect(w, want);
}

static void in_syscall(void **state)
{
	struct world *w = *state;
	const struct go_slot want[] = { { S, A1, 0, 0 }, { S + 0x38, A3, 0, 0 }, { 0, 0, 0, 0 } };

	g_word(w, w->p.L.g_atomicstatus, 3);
	g_word(w, w->p.L.g_syscallpc, CALLER + 0x20);
	g_word(w, w->p.L.g_syscallsp, S);
	g_word(w, w->p.L.g_sched_pc, LEAF);
	g_word(w, w->p.L.g_sched_sp, S - 0x100);
	assert_null(read_all(w));
	expect(w, want);
}

static void async_preempted(void **state)
{
	struct world *w = *state;
	const uint32_t c = GO_SLOT_CONSERVATIVE;
	/* the injected frame and its parent, with all of the parent's arguments; no frame pointer
	 */
	const struct go_slot want[] = { { S - 0x18, A4, 0, c }, { S, A1, 0, c },
					{ S + 0x08, A5, 0, c }, { S + 0x10, A2, 0, c },
					{ S + 0x30, A5, 0, c }, { S + 0x38, A3, 0, c },
					{ 0, 0, 0, 0 } };

	g_word(w, w->p.L.g_sched_pc, ASYNC + 4);
	g_word(w, w->p.L.g_sched_sp, S - 0x18);
	stack_word(w, S - 0x18, A4);
	stack_word(w, S - 0x08, CALLER + 0x11);
	assert_null(read_all(w));
	expect(w, want);
	assert_int_equal(w->out.conservative_frames, 2);
	assert_int_equal(w->out.losses.n, 0);
	/* the parent stands at an instruction, not behind a call */
	assert_int_equal(go_frame_line_pc(&w->out.frames.v[1]), CALLER + 0x11);
}

static void defers(void **state)
{
	struct world *w = *state;
	const struct go_slot want[] = {
		{ S, A1, 0, 0 },
		{ S + 0x38, A3, 0, 0 },
		{ DEFERS + 0x08, A4, 0, GO_SLOT_DEFER },	    /* fn of the first */
		{ DEFERS + 0x10, DEFERS + 0x40, 0, GO_SLOT_DEFER }, /* its link, */
		{ DEFERS + 0x48, A5, 0, GO_SLOT_DEFER },
		{ 0, 0, 0, 0 }
	};

	g_word(w, w->p.L.g_defer, DEFERS);
	put(w->defers, DEFERS, DEFERS + 0x08, A4);
	put(w->defers, DEFERS, DEFERS + 0x10, DEFERS + 0x40);
	put(w->defers, DEFERS, DEFERS + 0x48, A5);
	assert_null(read_all(w));
	expect(w, want);
}

static void heap_defer(void **state)
{
	struct world *w = *state;
	const struct go_slot want[] = { { S, A1, 0, 0 },
					{ S + 0x38, A3, 0, 0 },
					{ G + 24, DEFERS, 0, GO_SLOT_DEFER },
					{ 0, 0, 0, 0 } };

	g_word(w, w->p.L.g_defer, DEFERS);
	w->defers[0] = 1;
	assert_null(read_all(w));
	expect(w, want);
}

static void run_on_thread(struct world *w, taddr rip, taddr rsp)
{
	g_word(w, w->p.L.g_atomicstatus, 2);
	g_word(w, w->p.L.g_m, M);
	put(w->m, M, M, G0);
	put(w->m, M, M + 8, GSIGNAL);
	put(w->m, M, M + 16, 42);
	put(w->m, M, M + 24, G);
	put(w->gs, G, GSIGNAL, SIGSTACK);
	put(w->gs, G, GSIGNAL + 8, SIGSTACK + 0x1000);
	w->thread = (struct target_thread){ .tid = 4242, .ns_tid = 42 };
	w->thread.regs.amd64.rip = rip;
	w->thread.regs.amd64.rsp = rsp;
	w->thread.regs.amd64.rax = A4;
	w->thread.regs.amd64.rbx = 0x1234; /* no heap address */
}

/* In leaf after its frame was made, called from caller. */
static const struct go_slot running_want[] = {
	{ 1, A4, 0, GO_SLOT_CONSERVATIVE | GO_SLOT_REGISTER },
	{ S - 0x20, A5, 0, GO_SLOT_CONSERVATIVE },
	{ S, A1, 0, GO_SLOT_CONSERVATIVE }, /* leaf's arguments lie in caller's frame */
	{ S + 0x08, A5, 0, GO_SLOT_CONSERVATIVE },
	{ S, A1, 0, 0 },
	{ S + 0x38, A3, 0, 0 },
	{ 0, 0, 0, 0 },
};

static void running(void **state)
{
	struct world *w = *state;

	run_on_thread(w, LEAF + 8, S - 0x20);
	stack_word(w, S - 0x20, A5);
	stack_word(w, S - 0x08, CALLER + 0x20);
	assert_null(read_all(w));
	expect(w, running_want);
	assert_non_null(w->out.gs.v[0].thread);
	assert_int_equal(w->out.gs.v[0].thread->tid, 4242);
	assert_int_equal(w->out.frames.v[0].flags,
			 GO_FRAME_TOP | GO_FRAME_TRAP | GO_FRAME_CONSERVATIVE);
	assert_int_equal(w->out.losses.n, 0);
}

/* The same, but a signal handler has just begun: the registers are in the kernel's frame. */
static void running_in_handler(void **state)
{
	struct world *w = *state;
	const taddr uc = SIGSTACK + 0x800;

	run_on_thread(w, 0x123456, uc - 0x108);
	w->thread.regs.amd64.rax = A1;
	put(w->sig, SIGSTACK, uc + 16, SIGSTACK);
	put(w->sig, SIGSTACK, uc + 32, 0x1000);
	put(w->sig, SIGSTACK, uc + 144, A4); /* rax */
	put(w->sig, SIGSTACK, uc + 160, S - 0x20);
	put(w->sig, SIGSTACK, uc + 168, LEAF + 8);
	stack_word(w, S - 0x20, A5);
	stack_word(w, S - 0x08, CALLER + 0x20);
	assert_null(read_all(w));
	expect(w, running_want);
	assert_int_equal(w->out.losses.n, 0);
}

static void running_unknown(void **state)
{
	struct world *w = *state;

	run_on_thread(w, LEAF + 8, S - 0x20);
	put(w->m, M, M + 16, 43); /* no such thread */
	assert_null(read_all(w));
	/* all that looks like a heap pointer, and it is said */
	assert_int_equal(w->out.slots.n, 6);
	for (size_t i = 0; i < w->out.slots.n; i++)
		assert_int_equal(w->out.slots.v[i].flags, GO_SLOT_CONSERVATIVE);
	assert_true(w->out.losses.n > 0);
}

static void not_unwindable(void **state)
{
	struct world *w = *state;
	const struct go_slot want[] = { { S, A1, 0, 0 },
					{ S + 0x38, A3, 0, 0 },
					{ S + 0x30, A5, 0, GO_SLOT_CONSERVATIVE },
					{ S + 0x38, A3, 0, GO_SLOT_CONSERVATIVE },
					{ 0, 0, 0, 0 } };

	stack_word(w, S + 0x28, 0x1234); /* returns into nowhere */
	assert_null(read_all(w));
	expect(w, want);
	assert_int_equal(w->out.losses.n, 1);
	assert_int_equal(w->out.losses.v[0].at, S + 0x30);
	assert_int_equal(w->out.losses.v[0].bytes, STACK_END - (S + 0x30));
}

static void dead(void **state)
{
	struct world *w = *state;

	g_word(w, w->p.L.g_atomicstatus, 0x1006);
	assert_null(read_all(w));
	assert_true(w->out.gs.v[0].dead);
	assert_true(w->out.gs.v[0].scan);
	assert_int_equal(w->out.slots.n, 0);
}

static void survives_damage(void **state)
{
	struct world *w = *state;
	uint32_t x = 99;

	for (unsigned round = 0; round < 4000; round++) {
		uint8_t *parts[] = { w->gs,	w->m,	       w->stack + 0xe00, w->vars,
				     w->p.tabs, w->p.funcdata, w->sig + 0x800 };
		const size_t sizes[] = { 0x90, 0x40, 0x200, 0x48, 0x700, 0x100, 0x100 };

		build(w);
		run_on_thread(w, LEAF + 8, round & 1 ? S - 0x20 : SIGSTACK + 0x700);
		g_word(w, w->p.L.g_defer, DEFERS);
		for (unsigned i = 0; i < 1 + round % 5; i++) {
			x = x * 1664525 + 1013904223;
			parts[(x >> 4) % 7][(x >> 8) % sizes[(x >> 4) % 7]] =
				(uint8_t)(round & 2 ? 0xff : x >> 24);
		}
		err_free(read_all(w));
		finish(w);
	}
	build(w);
	assert_null(read_all(w));
}

static struct trange the_span(void *arg, taddr addr)
{
	const struct world *w = arg;

	return trange_has(w->span, addr) ? w->span : (struct trange){ 0, 0 };
}

/* A stack as large as its g says, but not beyond the span that holds it. */
static void bounded_by_its_span(void **state)
{
	static const struct {
		struct trange span;
		bool believed;
	} cases[] = {
		{ { STACK, STACK_END }, true },
		{ { STACK - 0x1000, STACK_END + 0x1000 }, true },
		{ { STACK, STACK_END - 8 }, false },
		{ { STACK + 8, STACK_END }, false },
		{ { STACK_END, STACK_END + 0x1000 }, false },
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		build(w);
		w->span_at = the_span;
		w->span = cases[i].span;
		assert_null(read_all(w));
		assert_int_equal(w->out.gs.v[0].nframes, cases[i].believed ? 2 : 0);
		assert_int_equal(w->out.losses.n, cases[i].believed ? 0 : 1);
		assert_int_equal(w->out.stack_bytes, cases[i].believed ? STACK_END - STACK : 0);
		if (i + 1 < ARRAY_LEN(cases))
			finish(w);
	}
}

/* The parked goroutine is read all the same; what is lost is said. */
static void unreadable_m(void **state)
{
	struct world *w = *state;
	const struct go_slot want[] = { { S, A1, 0, 0 }, { S + 0x38, A3, 0, 0 }, { 0, 0, 0, 0 } };

	memcpy(w->m + w->p.L.m_alllink.off, &(uint64_t){ 0xdead0000 }, 8);
	assert_null(read_all(w));
	expect(w, want);
	assert_int_equal(w->out.losses.n, 1);
	assert_int_equal(w->out.losses.v[0].at, 0xdead0000);
	assert_non_null(strstr(w->out.losses.v[0].what, "runtime.m"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(parked),
		TEST(stack_object_reached),
		TEST(stack_object_by_panic),
		TEST(not_begun),
		TEST(map_of_the_call),
		TEST(in_syscall),
		TEST(async_preempted),
		TEST(defers),
		TEST(heap_defer),
		TEST(running),
		TEST(running_in_handler),
		TEST(running_unknown),
		TEST(not_unwindable),
		TEST(dead),
		TEST(bounded_by_its_span),
		TEST(unreadable_m),
		TEST(survives_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
