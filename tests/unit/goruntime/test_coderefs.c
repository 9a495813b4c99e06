/*
 * test_coderefs.c - what code says of globals and closures; bytes as the compiler lays them out.
 */
#include "goruntime/codeprog.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

/* An assembler of the few instructions that matter. */
struct as {
	struct codeprog *p;
	uint32_t at;
};

static void emit(struct as *a, const char *bytes, size_t n)
{
	memcpy(fake_at(&a->p->f, CODE + a->at), bytes, n);
	a->at += (uint32_t)n;
}

#define EMIT(a, s) emit(a, s, sizeof(s) - 1)

static void rel32(struct as *a, taddr to)
{
	int32_t d = (int32_t)(to - (CODE + a->at + 4));

	emit(a, (const char *)&d, 4);
}

static void call(struct as *a, unsigned number)
{
	EMIT(a, "\xe8");
	rel32(a, code_callee(number));
}

/* lea to(%rip), reg: 0 ax, 1 cx, 3 bx, 6 si */
static void lea(struct as *a, unsigned reg, taddr to)
{
	char op[3] = { 0x48, (char)0x8d, (char)(5 | reg << 3) };

	emit(a, op, 3);
	rel32(a, to);
}

static void load(struct as *a, unsigned reg, taddr from)
{
	char op[3] = { 0x48, (char)0x8b, (char)(5 | reg << 3) };

	emit(a, op, 3);
	rel32(a, from);
}

static void store(struct as *a, unsigned reg, taddr to)
{
	char op[3] = { 0x48, (char)0x89, (char)(5 | reg << 3) };

	emit(a, op, 3);
	rel32(a, to);
}

static const struct go_layout *layout(void)
{
	size_t n;
	const struct go_layout *const *all = go_layouts(&n), *L = NULL;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(all[i]->arch, "amd64"))
			L = all[i];
	assert_non_null(L);
	return L;
}

static struct go_code *ask(struct codeprog *p)
{
	struct go_code *c = NULL;

	assert_null(go_code_read(&p->g, p->ts, 1, &c));
	return c;
}

/* Text of the type of the global at that address; "" none; several: "…". */
static const char *type_at(struct codeprog *p, const struct go_code *c, taddr at)
{
	size_t n;
	const struct go_code_global *all = go_code_global_types(c, &n);
	const char *found = "";

	for (size_t i = 0; i < n; i++) {
		const struct go_type *t = go_type_at(p->ts, all[i].rtype);

		if (all[i].at == at)
			found = *found ? "…" : t ? t->name : "?";
	}
	return found;
}

static void init_newobject(struct as *a)
{
	lea(a, 0, TYPE_T);
	call(a, CALL_NEWOBJECT);
	store(a, 0, BSS + 8);
}

/* The write barrier keeps all registers but R11. */
static void init_barrier(struct as *a)
{
	lea(a, 0, TYPE_T);
	call(a, CALL_NEWOBJECT);
	EMIT(a, "\x83\x3d");
	rel32(a, BSS + 0x80);
	EMIT(a, "\x01\x74\x08"); /* cmpl $1, flag; je +8 */
	call(a, CALL_BARRIER);
	EMIT(a, "\x49\x89\x03"); /* mov %rax, (%r11) */
	store(a, 0, BSS + 8);
}

static void init_spilled(struct as *a)
{
	lea(a, 0, TYPE_T);
	call(a, CALL_NEWOBJECT);
	EMIT(a, "\x48\x89\x44\x24\x20"); /* mov %rax, 0x20(%rsp) */
	call(a, CALL_OTHER);
	EMIT(a, "\x48\x8b\x4c\x24\x20"); /* mov 0x20(%rsp), %rcx */
	store(a, 1, BSS + 8);
}

static void init_map(struct as *a)
{
	lea(a, 0, TYPE_MAP);
	load(a, 3, BSS + 8);
	call(a, CALL_MAPASSIGN);
}

static void init_made_map(struct as *a)
{
	lea(a, 0, TYPE_MAP);
	call(a, CALL_MAKEMAP);
	store(a, 0, BSS + 8);
}

static void init_slice(struct as *a)
{
	lea(a, 0, TYPE_PT);
	call(a, CALL_MAKESLICE);
	store(a, 0, BSS + 8);
}

static void init_grown(struct as *a)
{
	load(a, 0, BSS + 8);
	lea(a, 6, TYPE_PT);
	call(a, CALL_GROWSLICE);
}

static void init_moved(struct as *a)
{
	lea(a, 0, TYPE_T);
	lea(a, 3, BSS + 8);
	call(a, CALL_TYPEDMEMMOVE);
}

static void init_method(struct as *a)
{
	load(a, 0, BSS + 8);
	call(a, CALL_METHOD);
}

static void init_method_of_place(struct as *a)
{
	lea(a, 0, BSS + 8);
	call(a, CALL_METHOD);
}

/* A call loses what registers held. */
static void init_lost(struct as *a)
{
	lea(a, 0, TYPE_T);
	call(a, CALL_NEWOBJECT);
	call(a, CALL_OTHER);
	store(a, 0, BSS + 8);
}

/* Another way leads to the store with something else in the register. */
static void init_joined(struct as *a)
{
	EMIT(a, "\x85\xc0\x74\x0c"); /* test %eax, %eax; je +12 */
	lea(a, 0, TYPE_T);
	call(a, CALL_NEWOBJECT);
	store(a, 0, BSS + 8);
}

/* A loop comes back with something else. */
static void init_loop(struct as *a)
{
	lea(a, 0, TYPE_T);
	call(a, CALL_NEWOBJECT);
	store(a, 0, BSS + 8);
	EMIT(a, "\x31\xc0\xeb\xf5"); /* xor %eax, %eax; jmp to the store */
}

/* Two types: neither is believed. */
static void init_two(struct as *a)
{
	init_newobject(a);
	lea(a, 0, TYPE_CLOSURE);
	call(a, CALL_NEWOBJECT);
	store(a, 0, BSS + 8);
}

static const struct {
	const char *what;
	void (*init)(struct as *a);
	uint32_t pointers; /* words of bss */
	const char *type;  /* of BSS + 8 */
} cases[] = {
	{ "newobject", init_newobject, 2, "*main.T" },
	{ "newobject, where the collector has no pointer", init_newobject, 0, "" },
	{ "behind a write barrier", init_barrier, 2, "*main.T" },
	{ "over a word of the frame", init_spilled, 2, "*main.T" },
	{ "mapassign", init_map, 2, "map[int]*main.T" },
	{ "makemap", init_made_map, 2, "map[int]*main.T" },
	{ "makeslice", init_slice, 2, "[]*main.T" },
	{ "growslice", init_grown, 2, "[]*main.T" },
	{ "makeslice, followed by a pointer", init_slice, 6, "" },
	{ "typedmemmove", init_moved, 2, "main.T" },
	{ "typedmemmove, two pointers", init_moved, 6, "" },
	{ "method", init_method, 6, "*main.T" },
	{ "method, perhaps of a slice's first element", init_method, 2, "" },
	{ "method of the place itself", init_method_of_place, 2, "main.T" },
	{ "behind another call", init_lost, 2, "" },
	{ "where ways meet", init_joined, 2, "" },
	{ "in a loop", init_loop, 2, "" },
	{ "two types", init_two, 2, "" },
};

static void test_patterns(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct codeprog p;
		struct as a = { .p = &p };
		struct go_code *c;
		const char *type;

		assert_true(codeprog_open(&p, layout()));
		codeprog_bss(&p, cases[i].pointers);
		cases[i].init(&a);
		c = ask(&p);
		type = type_at(&p, c, BSS + 8);
		if (strcmp(type, cases[i].type))
			fail_msg("%s: \"%s\", not \"%s\"", cases[i].what, type, cases[i].type);
		go_code_free(c);
		codeprog_close(&p);
	}
}

/* struct { F uintptr; X0 *main.T } with main.f.func1 in F. */
static void test_closure(void **state)
{
	struct codeprog p;
	struct as a = { .p = &p };
	struct go_code *c;

	(void)state;
	assert_true(codeprog_open(&p, layout()));
	lea(&a, 0, TYPE_CLOSURE);
	call(&a, CALL_NEWOBJECT);
	lea(&a, 1, code_callee(CALL_FUNC1));
	EMIT(&a, "\x48\x89\x08"); /* mov %rcx, (%rax) */
	c = ask(&p);
	assert_int_equal(go_code_closure_type(c, code_callee(CALL_FUNC1)), TYPE_CLOSURE);
	assert_int_equal(go_code_closure_type(c, code_callee(CALL_OTHER)), 0);
	go_code_free(c);
	codeprog_close(&p);
}

static void test_users(void **state)
{
	struct codeprog p;
	struct as a = { .p = &p };
	struct go_code *c;
	char buf[64];
	size_t n;
	const struct go_code_use *u;

	(void)state;
	assert_true(codeprog_open(&p, layout()));
	load(&a, 0, BSS + 8);
	store(&a, 0, BSS + 16);
	c = ask(&p);
	u = go_code_uses(c, (struct trange){ BSS, BSS + 64 }, &n);
	assert_int_equal(n, 2);
	assert_int_equal(u[0].to, BSS + 8);
	assert_int_equal(u[0].how, GO_CODE_READ);
	assert_int_equal(go_code_pc(c, &u[0]), CODE);
	assert_int_equal(u[1].how, GO_CODE_WRITE);
	assert_int_equal(go_code_global_users(c, (struct trange){ BSS + 8, BSS + 16 }, buf, 64), 1);
	assert_string_equal(buf, "main.f");
	assert_int_equal(go_code_global_users(c, (struct trange){ BSS, BSS + 8 }, buf, 64), 0);
	assert_string_equal(buf, "");
	go_code_free(c);
	codeprog_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_closure),
		cmocka_unit_test(test_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
