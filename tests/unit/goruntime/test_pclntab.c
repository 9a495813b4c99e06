/*
 * test_pclntab.c - functions, lines, tables of a hand-made pclntab; then damaged ones.
 */
#include "program.h"
#include "fake/segments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void put_words(uint8_t *to, uint64_t a, uint64_t b)
{
	const uint64_t words[] = { a, b };

	memcpy(to, words, sizeof(words));
}

static void *setup_program(void)
{
	struct program *p = malloc(sizeof(*p));

	assert_non_null(p);
	program_build(p);
	return p;
}

static int setup(void **state)
{
	struct program *p = setup_program();

	assert_null(program_open(p, NULL, 0));
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	program_close(*state);
	free(*state);
	return 0;
}

static void finds_functions(void **state)
{
	const struct program *p = *state;
	static const struct {
		taddr pc, entry, end;
		const char *name;
	} cases[] = {
		{ LEAF, LEAF, CALLER, "main.leaf" },
		{ LEAF + 0x1f, LEAF, CALLER, "main.leaf" },
		{ CALLER, CALLER, GOEXIT, "main.caller" },
		{ GOEXIT + 1, GOEXIT, LEAF2, "runtime.goexit" },
		{ LEAF2 + 3, LEAF2, ASYNC, "main.leaf" },
		{ TEXT_END - 1, ASYNC, TEXT_END, "runtime.asyncP" },
	};
	struct go_func f;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(go_func_at(&p->g, cases[i].pc, &f));
		assert_string_equal(f.name, cases[i].name);
		assert_int_equal(f.entry, cases[i].entry);
		assert_int_equal(f.end, cases[i].end);
	}
	assert_false(go_func_at(&p->g, TEXT - 1, &f));
	assert_false(go_func_at(&p->g, TEXT_END, &f));
	assert_false(go_func_at(&p->g, 0, &f));
	assert_false(go_func_at(&p->g, UINT64_MAX, &f));
}

static void finds_names(void **state)
{
	const struct program *p = *state;
	struct go_func f;

	assert_true(go_func_by_name(&p->g, "main.leaf", &f));
	assert_int_equal(f.entry, LEAF); /* the first of two */
	assert_true(go_func_by_name(&p->g, "runtime.asyncP", &f));
	assert_int_equal(f.entry, ASYNC);
	assert_int_equal(f.func_id, 3);
	assert_int_equal(f.flag, GO_FUNC_FLAG_ASM);
	assert_false(go_func_by_name(&p->g, "main.lea", &f));
	assert_false(go_func_by_name(&p->g, "main.in1", &f)); /* inlined only */
}

static void count(void *arg, const struct go_func *f)
{
	(*(unsigned *)arg)++;
	assert_true(f->entry < f->end);
}

static void visits_all(void **state)
{
	const struct program *p = *state;
	unsigned n = 0;

	go_func_each(&p->g, count, &n);
	assert_int_equal(n, 5);
}

static void reads_tables(void **state)
{
	const struct program *p = *state;
	struct go_func leaf, caller;

	assert_true(go_func_at(&p->g, LEAF, &leaf));
	assert_true(go_func_at(&p->g, CALLER, &caller));
	assert_int_equal(go_spdelta(&p->g, &leaf, LEAF), 0);
	assert_int_equal(go_spdelta(&p->g, &leaf, LEAF + 3), 0);
	assert_int_equal(go_spdelta(&p->g, &leaf, LEAF + 4), 0x18);
	assert_int_equal(go_spdelta(&p->g, &leaf, LEAF + 0x1f), 0x18);
	assert_int_equal(go_spdelta(&p->g, &leaf, LEAF + 0x20), -1);
	assert_int_equal(go_spdelta(&p->g, &leaf, LEAF - 1), -1);
	assert_int_equal(go_spdelta(&p->g, &caller, CALLER), 0x28);
	assert_int_equal(go_pcdata(&p->g, &caller, 1, CALLER + 7), -1);
	assert_int_equal(go_pcdata(&p->g, &caller, 1, CALLER + 8), 1);
	assert_int_equal(go_pcdata(&p->g, &caller, 0, CALLER + 8), -1); /* offset 0: no table */
	assert_int_equal(go_pcdata(&p->g, &caller, 9, CALLER + 8), -1);
	assert_int_equal(go_funcdata(&p->g, &caller, 0), FUNCDATA + FD_CALLER_ARGS);
	assert_int_equal(go_funcdata(&p->g, &caller, 3), FUNCDATA + FD_CALLER_INL);
	assert_int_equal(go_funcdata(&p->g, &caller, 4), 0);
	assert_int_equal(go_funcdata(&p->g, &leaf, 1), 0);
}

static void check_line(const struct go_line *l, const char *function, const char *file, int line,
		       unsigned inlined)
{
	assert_string_equal(l->function, function);
	assert_string_equal(l->file, file);
	assert_int_equal(l->line, line);
	assert_int_equal(l->inlined, inlined);
}

static void reads_lines(void **state)
{
	const struct program *p = *state;
	struct go_line l[8];

	assert_int_equal(go_lines_at(&p->g, LEAF + 9, l, 8), 1);
	check_line(&l[0], "main.leaf", "leaf.go", 12, 0);
	/* in2 at its own line, called from in1 (parentPc 0x14), called from caller (0x18) */
	assert_int_equal(go_lines_at(&p->g, CALLER + 0x11, l, 8), 3);
	check_line(&l[0], "main.in2", "in.go", 7, 1);
	check_line(&l[1], "main.in1", "in.go", 7, 1);
	check_line(&l[2], "main.caller", "caller.go", 103, 0);
	assert_int_equal(go_lines_at(&p->g, CALLER + 0x15, l, 8), 2);
	check_line(&l[0], "main.in1", "in.go", 7, 1);
	assert_int_equal(go_lines_at(&p->g, CALLER, l, 8), 1);
	check_line(&l[0], "main.caller", "caller.go", 100, 0);
	assert_int_equal(go_lines_at(&p->g, CALLER + 0x11, l, 2), 2); /* no more than asked for */
	assert_int_equal(go_lines_at(&p->g, GOEXIT, l, 8), 1);
	check_line(&l[0], "runtime.goexit", "?", 0, 0);
	assert_int_equal(go_lines_at(&p->g, TEXT_END, l, 8), 0);
}

/* Whatever the tables say, every question is answered without a crash (run under ASan too). */
static void ask_all(const struct program *p)
{
	struct go_line l[4];
	struct go_func f;
	unsigned n = 0;

	go_func_by_name(&p->g, "main.caller", &f);
	for (taddr pc = TEXT - 1; pc <= TEXT_END; pc += 3) {
		if (!go_func_at(&p->g, pc, &f))
			continue;
		for (unsigned t = 0; t < 5; t++) {
			n += (unsigned)go_pcdata(&p->g, &f, t, pc);
			n += (unsigned)go_funcdata(&p->g, &f, t);
		}
		n += (unsigned)go_spdelta(&p->g, &f, pc);
		for (size_t i = go_lines_at(&p->g, pc, l, 4); i; i--)
			n += (unsigned)strlen(l[i - 1].function) + (unsigned)strlen(l[i - 1].file);
	}
	assert_true(n || !n);
}

static void survives_damage(void **state)
{
	struct program *p = setup_program();
	uint32_t x = 12345;

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		struct err *err;

		program_build(p);
		for (unsigned i = 0; i < 1 + round % 4; i++) {
			x = x * 1664525 + 1013904223;
			uint8_t *part = x >> 30 == 0 ? p->md : x >> 30 == 1 ? p->funcdata : p->tabs;
			size_t n = x >> 30 == 0 ? 400 : x >> 30 == 1 ? 256 : 0x700;

			part[(x >> 8) % n] = (uint8_t)(round & 1 ? 0xff : x >> 3);
		}
		err = program_open(p, NULL, 0);
		if (!err)
			ask_all(p);
		err_free(err);
		program_close(p);
	}
	free(p);
}

static void refuses_nonsense(void **state)
{
	struct program *p = setup_program();
	struct err *err;

	(void)state;
	p->md[136] = 1; /* ftab with no function */
	err = program_open(p, NULL, 0);
	assert_non_null(err);
	assert_int_equal(err->code, ERR_BAD_DATA);
	err_free(err);
	program_close(p);
	program_build(p);
	p->md[90] = 0x40; /* pctab of 4 MiB, not there */
	err = program_open(p, NULL, 0);
	assert_non_null(err);
	assert_int_equal(err->code, ERR_FAULT);
	assert_non_null(strstr(err->msg, "pctab"));
	err_free(err);
	program_close(p);
	free(p);
}

/* 200,000 functions that share a name: with a probe for each other one this takes minutes. */
static void bears_equal_names(void **state)
{
	enum { FUNCS = 200000 };
	static uint32_t ftab[2 * (FUNCS + 1)];
	struct fake_segment more = { 0x10000000, ftab, sizeof(ftab) };
	struct program p;
	struct go_func f;
	uint32_t leaf_off;

	(void)state;
	program_build(&p);
	assert_null(program_open(&p, NULL, 0));
	leaf_off = go_pclntab_funcoff(p.module.pclntab, 0);
	program_close(&p);
	for (uint32_t i = 0; i <= FUNCS; i++) {
		ftab[2 * i] = MIN(i, (uint32_t)(TEXT_END - TEXT));
		ftab[2 * i + 1] = leaf_off;
	}
	program_build(&p);
	put_words(p.md + 128, more.at, FUNCS + 1);
	assert_null(program_open(&p, &more, 1));
	assert_true(go_func_by_name(&p.g, "main.leaf", &f));
	assert_int_equal(f.entry, LEAF);
	program_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(finds_functions, setup, teardown),
		cmocka_unit_test_setup_teardown(finds_names, setup, teardown),
		cmocka_unit_test_setup_teardown(visits_all, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_lines, setup, teardown),
		cmocka_unit_test(survives_damage),
		cmocka_unit_test(bears_equal_names),
		cmocka_unit_test(refuses_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
