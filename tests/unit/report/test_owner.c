/*
 * test_owner.c - rules of the owner's tree: the user's file, and the table against its page of
 * docs.
 *
 * `test_report_owner --print` writes the page's table.
 */
#include "report/owner.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

#ifndef DOCS
#define DOCS "docs/attribution.md"
#endif

static struct err *parse(const char *text, struct owner_rules *r)
{
	return owner_rules_parse("rules", text, strlen(text), r);
}

static void test_good(void **state)
{
	struct owner_rules r = { 0 };

	(void)state;
	assert_null(parse(
		"# comment\n\n  pool\tmain.bufs # why\ncache example.com/a/b.LRU\r\npass main.T.f\n"
		"own bss+0x10",
		&r));
	assert_int_equal(r.v.n, 4);
	assert_string_equal(r.v.v[0].holder, "main.bufs");
	assert_string_equal(r.v.v[0].source, "rules:3");
	assert_int_equal(r.v.v[0].how, OWNER_PLAIN);
	assert_string_equal(r.v.v[1].holder, "example.com/a/b.LRU");
	assert_int_equal(r.v.v[3].how, OWNER_KEEP);
	assert_string_equal(r.v.v[3].source, "rules:6");
	owner_rules_deinit(&r);
}

static void test_bad(void **state)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "pool main.a\nshare main.b", "rules:2: share: want pool" },
		{ "cache", "rules:1: cache: of what?" },
		{ "\n\nown nodot", "rules:3: nodot: want a global" },
		{ "pass main.a main.b", "rules:1: more than one name" },
		{ "pool # main.a", "rules:1: pool: of what?" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct owner_rules r = { 0 };
		struct err *err = parse(bad[i].text, &r);

		assert_non_null(err);
		assert_int_equal(err->code, ERR_USAGE);
		assert_memory_equal(err->msg, bad[i].words, strlen(bad[i].words));
		err_free(err);
		owner_rules_deinit(&r);
	}
}

/* A name as long as a file, and more lines than are read. */
static void test_large(void **state)
{
	static char text[200000];
	struct owner_rules r = { 0 };
	struct err *err;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	memcpy(text, "pool a.", 7);
	err = parse(text, &r);
	assert_true(err_catch(&err, ERR_USAGE));
	owner_rules_deinit(&r);
	for (size_t i = 0; i + 9 < sizeof(text); i += 9)
		memcpy(text + i, "pool a.b\n", 9);
	err = parse(text, &r);
	assert_true(err_catch(&err, ERR_USAGE));
	owner_rules_deinit(&r);
}

static const char *how_word(const struct owner_rule *r)
{
	static const char *const words[] = { "passes on", "link", "chain",
					     "chain, back to the list" };

	return words[r->how];
}

static void row(const struct owner_rule *r, char *buf, size_t n)
{
	char name[512];

	snprintf(buf, n, "| `%s` | %s | %s | %s |\n", owner_rule_name(r, name, sizeof(name)),
		 how_word(r), r->reason, r->source);
}

static void test_docs(void **state)
{
	static char page[1 << 16];
	size_t n, got, rows = 0;
	const struct owner_rule *r = owner_builtin(&n);
	FILE *f = fopen(DOCS, "r");

	(void)state;
	assert_non_null(f);
	got = fread(page, 1, sizeof(page) - 1, f);
	fclose(f);
	page[got] = 0;
	for (size_t i = 0; i < n; i++) {
		char want[1200];

		row(&r[i], want, sizeof(want));
		if (!strstr(page, want))
			fail_msg(DOCS " has no row %s", want);
	}
	assert_non_null(strstr(page, "## The rules"));
	for (const char *p = strstr(page, "## The rules"); (p = strstr(p, "\n| `")); p++)
		rows++;
	assert_int_equal(rows, n);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_docs),
	};

	if (argc > 1 && !strcmp(argv[1], "--print")) {
		size_t n;
		const struct owner_rule *r = owner_builtin(&n);
		char buf[1200];

		for (size_t i = 0; i < n; i++) {
			row(&r[i], buf, sizeof(buf));
			fputs(buf, stdout);
		}
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
