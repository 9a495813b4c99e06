/*
 * test_refs.c - addresses in amd64 and arm64 code; the targets are those that GNU objdump prints.
 */
#include "goruntime/arch.h"

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
	{ "mov x,%rcx",
	  0x428517,
	  { 0x48, 0x8b, 0x0d, 0x32, 0x6d, 0x1b, 0 },
	  7,
	  0x5df250,
	  REF_ACCESS },
	{ "lea x,%rax", 0x42856a, { 0x48, 0x8d, 0x05, 0xcf, 0x2a, 0x1b, 0 }, 7, 0x5db040, REF_LEA },
	{ "movl $1,x", 0x1000, { 0xc7, 0x05, 0x10, 0, 0, 0, 1, 0, 0, 0 }, 10, 0x101a, REF_ACCESS },
	{ "movw $1,x", 0x1000, { 0x66, 0xc7, 0x05, 0x10, 0, 0, 0, 1, 0 }, 9, 0x1019, REF_ACCESS },
	{ "movq $1,x",
	  0x1000,
	  { 0x48, 0xc7, 0x05, 0x10, 0, 0, 0, 1, 0, 0, 0 },
	  11,
	  0x101b,
	  REF_ACCESS },
	{ "movzbl x,%eax", 0x1000, { 0x0f, 0xb6, 0x05, 0x10, 0, 0, 0 }, 7, 0x1017, REF_ACCESS },
	{ "lock xadd %ecx,x",
	  0x1000,
	  { 0xf0, 0x0f, 0xc1, 0x0d, 0x10, 0, 0, 0 },
	  8,
	  0x1018,
	  REF_ACCESS },
	{ "xchg %eax,x", 0x1000, { 0x87, 0x05, 0x10, 0, 0, 0 }, 6, 0x1016, REF_ACCESS },
	{ "testb $1,x", 0x1000, { 0xf6, 0x05, 0x10, 0, 0, 0, 1 }, 7, 0x1017, REF_ACCESS },
	{ "negl x", 0x1000, { 0xf7, 0x1d, 0x10, 0, 0, 0 }, 6, 0x1016, REF_ACCESS },
	{ "movups %xmm15,x",
	  0x1000,
	  { 0x44, 0x0f, 0x11, 0x3d, 0x10, 0, 0, 0 },
	  8,
	  0x1018,
	  REF_ACCESS },
	{ "backwards", 0x2000, { 0x8b, 0x05, 0xf0, 0xff, 0xff, 0xff }, 6, 0x1ff6, REF_ACCESS },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct code_ref refs[8];
		size_t n = go_code_refs_amd64(cases[i].code, cases[i].n, cases[i].at, refs, 8);
		bool found = false;

		for (size_t k = 0; k < n; k++)
			found = found ||
				(refs[k].to == cases[i].to && refs[k].kind == cases[i].kind);
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
			assert_true(go_code_refs_amd64(copy, n, 0, refs, 64) <= n);
			free(copy);
		}
	}
	assert_int_equal(go_code_refs_amd64(cases[0].code, cases[0].n, 0, refs, 0), 0);
}

/* Out of Go programs, as its own assembler makes addresses. */
static const struct {
	const char *what;
	taddr at;
	uint32_t code[4];
	size_t n;
	taddr to;
	uint8_t kind;
} arm64[] = {
	{ "adrp, add", 0x546f4, { 0xf00009c0, 0x9129c000 }, 2, 0x18fa70, REF_LEA },
	{ "adrp, add, ldp",
	  0x54700,
	  { 0xb00008bb, 0x9107037b, 0xa9400760 },
	  3,
	  0x1691c0,
	  REF_ACCESS },
	{ "second of ldp",
	  0x54700,
	  { 0xb00008bb, 0x9107037b, 0xa9400760 },
	  3,
	  0x1691c8,
	  REF_ACCESS },
	{ "adrp, ldr", 0x54710, { 0xb00008bb, 0xf940eb62 }, 2, 0x1691d0, REF_ACCESS },
	{ "adrp, str", 0x54758, { 0xb00008bb, 0xf900e360 }, 2, 0x1691c0, REF_ACCESS },
	{ "adrp, ldr w", 0x2f708, { 0x90000b1b, 0xb9490f65 }, 2, 0x18f90c, REF_ACCESS },
	{ "adrp, ldrb", 0x5f8cc, { 0x9000087b, 0x39444364 }, 2, 0x16b110, REF_ACCESS },
	{ "adrp, ldrsw", 0x5f8b0, { 0x9000099b, 0xb9893f63 }, 2, 0x18f93c, REF_ACCESS },
	{ "adrp, add, ldar",
	  0x30e50,
	  { 0xb00009c1, 0x913f2021, 0x88dffc21 },
	  3,
	  0x169fc8,
	  REF_ACCESS },
	{ "through mov", 0x546f4, { 0xf00009c0, 0xaa0003e5, 0xf9453ca1 }, 3, 0x18fa78, REF_ACCESS },
	{ "adr", 0x1000, { 0x10000085 }, 1, 0x1010, REF_LEA },
	{ "ldr =literal", 0x1000, { 0x58000085 }, 1, 0x1010, REF_ACCESS },
};

static bool found_arm64(size_t i, size_t n)
{
	struct code_ref refs[8];
	size_t k = go_code_refs_arm64((const uint8_t *)arm64[i].code, 4 * n, arm64[i].at, refs, 8);

	while (k--)
		if (refs[k].to == arm64[i].to && refs[k].kind == arm64[i].kind)
			return true;
	return false;
}

static void test_arm64(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(arm64); i++) {
		if (!found_arm64(i, arm64[i].n))
			fail_msg("%s: no reference to 0x%" PRIx64, arm64[i].what, arm64[i].to);
		assert_false(found_arm64(i, arm64[i].n - 1));
	}
}

/* A call or another value in a register ends what was known of it. */
static void test_arm64_forgets(void **state)
{
	static const uint32_t between[] = {
		0x94000001, /* bl */
		0xd63f0020, /* blr x1 */
		0xd280001b, /* mov x27, #0 */
		0x8b01001b, /* add x27, x0, x1 */
		0xf940001b, /* ldr x27, [x0] */
		0xa940041b, /* ldp x27, x1, [x0] */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(between); i++) {
		const uint32_t code[] = { 0xb00008bb, between[i], 0xf940eb62 };
		struct code_ref refs[8];

		assert_int_equal(go_code_refs_arm64((const uint8_t *)code, 12, 0x54710, refs, 8),
				 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_arm64),
		cmocka_unit_test(test_arm64_forgets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
