/*
 * test_follow.c - marks of drawn cycles, one after the other: who stayed, who did not, of whom that
 * is not known.
 */
#include "watch/follow.h"
#include "watch/follow_priv.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

enum { CYCLES = 4, SPANS = 3 };

/* A span of 8 slots at page `page`; READ has marks. */
struct drawn {
	unsigned page;
	uint64_t elem;
	uint8_t state;
	uint64_t marks;
};

#define S(page, marks)                                                                             \
	{                                                                                          \
		page, 64, GO_NOW_READ, marks                                                       \
	}
#define LOST(page)                                                                                 \
	{                                                                                          \
		page, 64, GO_NOW_LOST, 0                                                           \
	}

/* What is asked is the span at page 1, of 64 byte slots. */
static const struct {
	const char *name;
	struct drawn cycle[CYCLES][SPANS]; /* page 0: no more spans; state LOST of page 9: a hole */
	unsigned ncycles;
	enum stayed_says says;
	uint64_t bits;
} cases[] = {
	{ "no cycle says nothing", { { { 0 } } }, 0, STAYED_UNKNOWN, 0 },
	{ "one cycle", { { S(1, 0x5) } }, 1, STAYED_BITS, 0x5 },
	{ "all of them", { { S(1, 0x7) }, { S(1, 0xd) }, { S(1, 0xf) } }, 3, STAYED_BITS, 0x5 },
	{ "marked again after it was not: another",
	  { { S(1, 1) }, { S(1, 2) }, { S(1, 3) } },
	  3,
	  STAYED_NONE,
	  0 },
	{ "the span was not in use in one of them",
	  { { S(1, 1), S(2, 1) }, { S(2, 1) }, { S(1, 1), S(2, 1) } },
	  3,
	  STAYED_NONE,
	  0 },
	{ "it is of another size in one of them",
	  { { S(1, 1) }, { { 1, 128, GO_NOW_READ, 1 } }, { S(1, 1) } },
	  3,
	  STAYED_NONE,
	  0 },
	{ "it came later", { { S(2, 1) }, { S(1, 1), S(2, 1) } }, 2, STAYED_NONE, 0 },
	{ "not read in one of them",
	  { { S(1, 1) }, { LOST(1) }, { S(1, 1) } },
	  3,
	  STAYED_UNKNOWN,
	  0 },
	{ "not read in the first", { { LOST(1) }, { S(1, 1) } }, 2, STAYED_UNKNOWN, 0 },
	{ "not read, and then not in use", { { LOST(1) }, { S(2, 1) } }, 2, STAYED_NONE, 0 },
	{ "another one not read", { { S(1, 1), LOST(2) }, { S(1, 1) } }, 2, STAYED_BITS, 1 },
	{ "one that nobody knows", { { S(1, 1) }, { S(1, 1), LOST(9) } }, 2, STAYED_UNKNOWN, 0 },
	{ "two at one place, of different sizes",
	  { { { 1, 32, GO_NOW_READ, 7 }, S(1, 3) }, { { 1, 32, GO_NOW_READ, 7 }, S(1, 2) } },
	  2,
	  STAYED_BITS,
	  2 },
};

static void draw_cycle(const struct drawn *d, struct go_now_marks *m)
{
	*m = (struct go_now_marks){ .asked = true };
	for (unsigned i = 0; i < SPANS && d[i].page; i++) {
		struct go_now_span s = { d[i].page * 8192ULL, d[i].elem, 8, d[i].state, m->bits.n };

		m->holes |= d[i].page == 9;
		assert_true(vec_push(&m->spans, s));
		assert_true(vec_push(&m->bits, d[i].marks));
	}
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct stayed x = { 0 };
		const uint64_t *bits = NULL;
		enum stayed_says says;

		for (unsigned k = 0; k < cases[i].ncycles; k++) {
			struct go_now_marks m;

			draw_cycle(cases[i].cycle[k], &m);
			assert_null(stayed_fold(&x, &m));
			go_now_deinit(&m);
		}
		says = stayed_of(&x, 8192, 64, 8, &bits);
		if (says != cases[i].says || (says == STAYED_BITS && *bits != cases[i].bits))
			fail_msg("%s: says %d, bits %#llx", cases[i].name, says,
				 bits ? (unsigned long long)*bits : 0ULL);
		stayed_deinit(&x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
