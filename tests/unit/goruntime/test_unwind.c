/*
 * test_unwind.c - frames of hand-made stacks of both kinds: a call pushes its return address, or
 * leaves it in a register.  By hand from runtime/traceback.go (initAt, resolveInternal, next).
 *
 * Functions are known by their frame size alone; "sp+n" below is what the runtime would find.
 */
#include "fake/segments.h"
#include "goruntime/stack_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define LO 0x1000UL
#define HI 0x1200UL
#define S  0x1040UL /* where the walks begin */
enum { MAX_WORDS = 24, MAX_FRAMES = 8, MAX_FUNCS = 8 };

struct func {
	taddr pc; /* a function is one pc here */
	int32_t spdelta;
	uint8_t kind, flag;
};

struct frame {
	taddr pc, sp, fp, varp, argp;
};

struct walk {
	const char *what;
	enum target_arch arch;
	struct unwind_from from;
	struct func funcs[MAX_FUNCS];
	uint64_t words[MAX_WORDS]; /* from S on */
	struct frame want[MAX_FRAMES];
	const char *why; /* it ends so; NULL: at the top of the stack */
};

#define TOP                                                                                        \
	{                                                                                          \
		0x900, 0, PC_NORMAL, GO_FUNC_FLAG_TOP_FRAME                                        \
	}

static const struct walk walks[] = {
	{ "pushed: a frame of 16, its saved fp, the return address",
	  TARGET_AMD64,
	  { 0x100, S, 0, UNWIND_CALL },
	  { { 0x100, 24, 0, 0 }, { 0x200, 0, 0, 0 }, TOP },
	  { 1, 2, 3, 0x200, 0x900 },
	  { { 0x100, S, S + 32, S + 16, S + 32 },
	    { 0x200, S + 32, S + 40, S + 32, S + 40 },
	    { 0x900, S + 40, S + 48, S + 40, S + 48 } },
	  NULL },
	{ "register: the return address lies at sp, arguments behind a word",
	  TARGET_ARM64,
	  { 0x100, S, 0, UNWIND_CALL },
	  { { 0x100, 48, 0, 0 }, { 0x200, 16, 0, 0 }, TOP },
	  { 0x200, 0, 0, 0, 0, 0, 0x900, 0 },
	  { { 0x100, S, S + 48, S + 40, S + 56 },
	    { 0x200, S + 48, S + 64, S + 56, S + 72 },
	    { 0x900, S + 64, S + 64, S + 64, S + 72 } },
	  NULL },
	{ "register: a new goroutine, gostartcall left goexit in sched.lr",
	  TARGET_ARM64,
	  { 0x100, S, 0x900, UNWIND_CALL },
	  { { 0x100, 0, 0, 0 }, TOP },
	  { 0 },
	  { { 0x100, S, S, S, S + 8 }, { 0x900, S, S, S, S + 8 } },
	  NULL },
	{ "register: a leaf was interrupted; what is at its sp is its caller's",
	  TARGET_ARM64,
	  { 0x100, S, 0x200, UNWIND_TRAP },
	  { { 0x100, 0, 0, 0 }, { 0x200, 32, 0, 0 }, TOP },
	  { 0x900, 7, 7, 7 },
	  { { 0x100, S, S, S, S + 8 },
	    { 0x200, S, S + 32, S + 24, S + 40 },
	    { 0x900, S + 32, S + 32, S + 32, S + 40 } },
	  NULL },
	{ "register: with a frame the register is stale",
	  TARGET_ARM64,
	  { 0x100, S, 0x300, UNWIND_TRAP },
	  { { 0x100, 16, 0, 0 }, { 0x300, 0, 0, 0 }, TOP },
	  { 0x900, 0 },
	  { { 0x100, S, S + 16, S + 8, S + 24 }, { 0x900, S + 16, S + 16, S + 16, S + 24 } },
	  NULL },
	{ "register: preempted leaf, its link register below the frame that was faked",
	  TARGET_ARM64,
	  { 0x100, S, 0, UNWIND_CALL },
	  { { 0x100, 32, PC_ASYNC, 0 }, { 0x200, 0, 0, 0 }, { 0x300, 16, 0, 0 }, TOP },
	  { 0x200, 0, 0, 0, 0x300, 0, 0x900, 0 },
	  { { 0x100, S, S + 32, S + 24, S + 40 },
	    { 0x200, S + 48, S + 48, S + 48, S + 56 },
	    { 0x300, S + 48, S + 64, S + 56, S + 72 },
	    { 0x900, S + 64, S + 64, S + 64, S + 72 } },
	  NULL },
	{ "register: preempted at a function with a frame: what was saved is not asked for",
	  TARGET_ARM64,
	  { 0x100, S, 0, UNWIND_CALL },
	  { { 0x100, 32, PC_ASYNC, 0 }, { 0x200, 16, 0, 0 }, TOP },
	  { 0x200, 0, 0, 0, 0x555, 0, 0x900, 0 },
	  { { 0x100, S, S + 32, S + 24, S + 40 },
	    { 0x200, S + 48, S + 64, S + 56, S + 72 },
	    { 0x900, S + 64, S + 64, S + 64, S + 72 } },
	  NULL },
	{ "register: at the first instruction of asyncPreempt, below a leaf",
	  TARGET_ARM64,
	  { 0x100, S, 0x200, UNWIND_TRAP },
	  { { 0x100, 0, PC_ASYNC, 0 }, { 0x200, 0, 0, 0 }, { 0x300, 16, 0, 0 }, TOP },
	  { 0x300, 0, 0x900, 0 },
	  { { 0x100, S, S, S, S + 8 },
	    { 0x200, S + 16, S + 16, S + 16, S + 24 },
	    { 0x300, S + 16, S + 32, S + 24, S + 40 },
	    { 0x900, S + 32, S + 32, S + 32, S + 40 } },
	  NULL },
	{ "register: a call of what is no function panics; its caller is what was saved",
	  TARGET_ARM64,
	  { 0x100, S, 0, UNWIND_CALL },
	  { { 0x100, 16, PC_SIGPANIC, 0 }, { 0x300, 16, 0, 0 }, TOP },
	  { 0x666, 0, 0x300, 0, 0x900, 0 },
	  { { 0x100, S, S + 16, S + 8, S + 24 },
	    { 0x300, S + 32, S + 48, S + 40, S + 56 },
	    { 0x900, S + 48, S + 48, S + 48, S + 56 } },
	  NULL },
	{ "register: a nil function begins in its caller",
	  TARGET_ARM64,
	  { 0, S, 0x555, UNWIND_TRAP },
	  { { 0x200, 16, 0, 0 }, TOP },
	  { 0x200, 0, 0 },
	  { { 0x200, S, S + 16, S + 8, S + 24 }, { 0x200, S + 16, S + 32, S + 24, S + 40 } },
	  "return address is zero" },
	{ "register: a return address in no function",
	  TARGET_ARM64,
	  { 0x200, S, 0, UNWIND_CALL },
	  { { 0x200, 16, 0, 0 } },
	  { 0x555 },
	  { { 0x200, S, S + 16, S + 8, S + 24 } },
	  "return address outside Go's functions" },
	{ "register: functions that all claim to have no frame",
	  TARGET_ARM64,
	  { 0x100, S, 0x200, UNWIND_TRAP },
	  { { 0x100, 0, 0, 0 }, { 0x200, 0, 0, 0 } },
	  { 0x100 },
	  { { 0x100, S, S, S, S + 8 }, { 0x200, S, S, S, S + 8 } },
	  "frames without an end" },
	{ "register: the frame ends beyond the stack",
	  TARGET_ARM64,
	  { 0x100, S, 0, UNWIND_CALL },
	  { { 0x100, 4096, 0, 0 } },
	  { 0 },
	  { { 0 } },
	  "frame reaches beyond its stack" },
	{ "register: the return address was lost",
	  TARGET_ARM64,
	  { 0x100, S, 0, UNWIND_CALL },
	  { { 0x100, 32, 0, 0 } },
	  { 0 },
	  { { 0x100, S, S + 32, S + 24, S + 40 } },
	  "return address is zero" },
};

static void learn(struct pc_cache *c, taddr pc, const struct func *f)
{
	struct pc_info *pi = calloc(1, sizeof(*pi));

	assert_non_null(pi);
	pi->pc = pc;
	if (f) {
		pi->known = true;
		pi->f.entry = f->pc;
		pi->f.flag = f->flag;
		pi->kind = f->kind;
		pi->spdelta = f->spdelta;
	}
	c->slots[c->n++] = pi;
}

/* Slots are tried one after the other from a hash on: without an empty one each is found. */
static void fill(struct pc_cache *c, const struct walk *w)
{
	c->nslots = 64;
	c->slots = calloc(c->nslots, sizeof(struct pc_info *));
	assert_non_null(c->slots);
	for (unsigned i = 0; i < MAX_FUNCS && w->funcs[i].pc; i++)
		learn(c, w->funcs[i].pc, &w->funcs[i]);
	for (taddr pc = 0; c->n < c->nslots; pc++) /* and addresses that are in none */
		learn(c, pc == 0 ? 0x555 : pc == 1 ? 0x666 : 0x100000 + pc, NULL);
}

static void check(const struct walk *w, struct unwinder *u)
{
	unsigned n = 0;
	struct err *err = NULL;

	for (; u->valid; err = unwind_next(u), n++) {
		const struct frame *f = &w->want[n];

		assert_null(err);
		if (n == MAX_FRAMES || u->pc != f->pc || u->sp != f->sp || u->fp != f->fp ||
		    u->varp != f->varp || u->argp != f->argp)
			fail_msg("%s: frame %u: pc 0x%lx sp S+%ld fp S+%ld varp S+%ld argp S+%ld",
				 w->what, n, u->pc, (long)(u->sp - S), (long)(u->fp - S),
				 (long)(u->varp - S), (long)(u->argp - S));
	}
	assert_null(err);
	if (n < MAX_FRAMES && w->want[n].pc)
		fail_msg("%s: no frame %u: %s", w->what, n, u->why ? u->why : "at its top");
	if (w->why ? !u->why || strcmp(u->why, w->why) : !u->at_end)
		fail_msg("%s: ends by %s", w->what, u->why ? u->why : "its top");
}

static void walk(const struct walk *w)
{
	uint8_t bytes[MAX_WORDS * 8];
	struct fake_segment none = { 0, bytes, 0 };
	struct target *t = fake_target(&none, 1);
	struct go g = { .t = t };
	struct pc_cache c = { .g = &g };
	struct stack_image im = { .bounds = { LO, HI }, .at = S, .p = bytes, .n = sizeof(bytes) };
	struct unwinder u;

	assert_non_null(t);
	fake_arch(t, w->arch);
	memcpy(bytes, w->words, sizeof(bytes));
	fill(&c, w);
	assert_null(unwind_init(&u, &c, &im, &w->from));
	check(w, &u);
	pc_cache_deinit(&c);
	target_close(t);
}

static void test_walks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(walks); i++)
		walk(&walks[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_walks) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
