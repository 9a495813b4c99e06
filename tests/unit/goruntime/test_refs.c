/*
 * test_refs.c - rip-relative operands; the targets are those that GNU objdump prints.
 */
#include "goruntime/detect.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static const struct {
	const char *what;
	taddr at;
	uint8_t code[12];
	size_t n;
	taddr to;
	uint8_t kind;
} cases[] = {
	{ "cmpb $0,x", 0x4284d2, { 0x80, 0x3d, 0x27, 0x78, 0x1b, 0, 0 }, 7, 0x5dfd00, REF_ACCESS },
	{ "mov x,%edx", 0x4284db, { 0x8b, 0x15, 0x8f, 0x1e, 0x1b, 0 }, 6, 0x5da370, REF_ACCESS },
	{ "cmpl $0,x", 0x4284f1, { 0x83, 0x3d, 0x5c, 0x1e, 0x1b, 0, 0 }, 7, 0x5da354, REF_ACCESS },
	{ "mov x,%rcx", 0x428517, { 0x48, 0x8b, 0x0d, 0x32, 0x6d, 0x1b, 0 }, 7, 0x5df250, REF_ACCESS },
	{ "lea x,%rax", 0x42856a, { 0x48, 0x8d, 0x05, 0xcf, 0x2a, 0x1b, 0 }, 7, 0x5db040, REF_LEA },
	{ "movl $1,x", 0x1000, { 0xc7, 0x05, 0x10, 0, 0, 0, 1, 0, 0, 0 }, 10, 0x101a, REF_ACCESS },
	{ "movw $1,x", 0x1000, { 0x66, 0xc7, 0x05, 0x10, 0, 0, 0, 1, 0 }, 9, 0x1019, REF_ACCESS },
	{ "movq $1,x", 0x1000, { 0x48, 0xc7, 0x05, 0x10, 0, 0, 0, 1, 0, 0, 0 }, 11, 0x101b, REF_ACCESS },
	{ "movzbl x,%eax", 0x1000, { 0x0f, 0xb6, 0x05, 0x10, 0, 0, 0 }, 7, 0x1017, REF_ACCESS },
	{ "lock xadd %ecx,x", 0x1000, { 0xf0, 0x0f, 0xc1, 0x0d, 0x10, 0, 0, 0 }, 8, 0x1018, REF_ACCESS },
	{ "xchg %eax,x", 0x1000, { 0x87, 0x05, 0x10, 0, 0, 0 }, 6, 0x1016, REF_ACCESS },
	{ "testb $1,x", 0x1000, { 0xf6, 0x05, 0x10, 0, 0, 0, 1 }, 7, 0x1017, REF_ACCESS },
	{ "negl x", 0x1000, { 0xf7, 0x1d, 0x10, 0, 0, 0 }, 6, 0x1016, REF_ACCESS },
	{ "movups %xmm15,x", 0x1000, { 0x44, 0x0f, 0x11, 0x3d, 0x10, 0, 0, 0 }, 8, 0x1018, REF_ACCESS },
	{ "backwards", 0x2000, { 0x8b, 0x05, 0xf0, 0xff, 0xff, 0xff }, 6, 0x1ff6, REF_ACCESS },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct code_ref refs[8];
		size_t n = go_code_refs(cases[i].code, cases[i].n, cases[i].at, refs, 8);
		bool found = false;

		for (size_t k = 0; k < n; k++)
			found = found || (refs[k].to == cases[i].to && refs[k].kind == cases[i].kind);
		if (!found)
			fail_msg("%s: no reference to 0x%" PRIx64, cases[i].what, cases[i].to);
	}
}

/* Cut off anywhere, nothing is read beyond the end (ASan) and nothing found behind it. */
static void test_bounds(void **state)
{
	struct code_ref refs[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t n = 0; n < cases[i].n; n++) {
			uint8_t *copy = malloc(n + 1);

			memcpy(copy, cases[i].code, n);
			assert_true(go_code_refs(copy, n, 0, refs, 64) <= n);
			free(copy);
		}
	}
	assert_int_equal(go_code_refs(cases[0].code, cases[0].n, 0, refs, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
