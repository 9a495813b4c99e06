/*
 * test_lint.c - JSON of four linters becomes rows, those about what stays first.
 */
#include "evidence/lint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void draw(const char *text, size_t n, char *buf, size_t room, const char **ret_damage)
{
	_cleanup_(input_closep) struct input *in = NULL;
	_cleanup_(lint_freep) struct lint *l = NULL;
	size_t at = 0;

	buf[0] = 0;
	*ret_damage = NULL;
	assert_null(input_bytes(text, n, "drawn", &in));
	err_free(lint_read(in, &l));
	for (size_t i = 0; l && i < l->rows.n && at < room; i++) {
		const struct lint_row *r = &l->rows.v[i];

		at += (size_t)snprintf(
			buf + at, room - at, "%s|%s|%s:%d:%d|%s|%s|%u\n", lint_text(l, r->tool),
			lint_text(l, r->rule), lint_text(l, r->file), r->line, r->column,
			lint_text(l, r->message), r->leak ? r->leak->finding : "-", r->count);
	}
	*ret_damage = l ? l->damage : NULL;
}

#define GOLANGCI                                                                                   \
	"{\"Issues\":[{\"FromLinter\":\"unused\",\"Text\":\"func f is unused\",\"Pos\":{"          \
	"\"Filename\":\"a.go\",\"Offset\":1,\"Line\":3,\"Column\":6}},{\"FromLinter\":"            \
	"\"bodyclose\",\"Text\":\"response body must be closed\",\"SourceLines\":[\"x\"],"         \
	"\"Pos\":{\"Filename\":\"b.go\",\"Offset\":0,\"Line\":9,\"Column\":2}},{\"FromLinter\":"   \
	"\"govet\",\"Text\":\"lostcancel: the cancel function is not used\",\"Pos\":{"             \
	"\"Filename\":\"c.go\",\"Line\":7,\"Column\":0}}],\"Report\":{\"Linters\":[]}}\n"

static const struct {
	const char *text, *want;
} cases[] = {
	{ "# example.com/p\n# [example.com/p]\n{\n\t\"example.com/p\": {\n\t\t\"lostcancel\": "
	  "[\n\t\t\t{\n\t\t\t\t\"posn\": \"/b/a.go:12:3\",\n\t\t\t\t\"message\": \"the cancel "
	  "function\"\n\t\t\t}\n\t\t]\n\t}\n}\n# q\n{\"example.com/q [example.com/q.test]\":{"
	  "\"printf\":[{\"posn\":\"/b/q.go:1:1\",\"message\":\"m\"}]}}\n{}\n",
	  "go vet|lostcancel|/b/a.go:12:3|the cancel function|context-leak|1\n"
	  "go vet|printf|/b/q.go:1:1|m|-|1\n" },
	{ "{\"code\":\"SA1015\",\"severity\":\"error\",\"location\":{\"file\":\"/b/t.go\","
	  "\"line\":4,\"column\":2},\"end\":{},\"message\":\"using time.Tick leaks\"}\n"
	  "{\"code\":\"U1000\",\"location\":{\"file\":\"/b/t.go\",\"line\":1,\"column\":1},"
	  "\"message\":\"unused\"}\n",
	  "staticcheck|SA1015|/b/t.go:4:2|using time.Tick leaks|timer-leak|1\n"
	  "staticcheck|U1000|/b/t.go:1:1|unused|-|1\n" },
	{ GOLANGCI,
	  "golangci-lint|bodyclose|b.go:9:2|response body must be closed|unclosed-resource|1\n"
	  "golangci-lint|lostcancel|c.go:7:0|the cancel function is not used|context-leak|1\n"
	  "golangci-lint|unused|a.go:3:6|func f is unused|-|1\n" },
	{ "{\"$schema\":\"sarif\",\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":"
	  "\"golangci-lint\"}},\"results\":[{\"ruleId\":\"bodyclose\",\"message\":{\"text\":"
	  "\"close it\"},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":"
	  "\"b.go\"},\"region\":{\"startLine\":9,\"startColumn\":2}}}]}]}]}",
	  "golangci-lint|bodyclose|b.go:9:2|close it|unclosed-resource|1\n" },
	/* rules by name and by number, files by name and by number, escapes undone */
	{ "{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"gosec\",\"rul"
	  "es\":[{\"id\":\"G104\"},{\"id\":\"G112\"}]},\"extensions\":[{\"name\":\"x\",\"ru"
	  "les\":[{\"id\":\"bodyclose\"}]}]},\"artifacts\":[{\"location\":{\"uri\":\"d/e.go"
	  "\"}}],\"results\":["
	  "{\"ruleIndex\":1,\"message\":{\"text\":\"m\"},\"locations\":[{\"physicalLocation"
	  "\":{\"artifactLocation\":{\"uri\":\"a.go\"},\"region\":{\"startLine\":3}}}]},"
	  "{\"rule\":{\"id\":\"prealloc\"},\"message\":{\"text\":\"m\"},\"locations\":[{\"p"
	  "hysicalLocation\":{\"artifactLocation\":{\"uri\":\"b%20c.go\"},\"region\":{\"sta"
	  "rtLine\":4}}}]},"
	  "{\"rule\":{\"index\":0},\"message\":{\"text\":\"m\"},\"locations\":[{\"physicalL"
	  "ocation\":{\"artifactLocation\":{\"uri\":\"cmd%2Fshop/main.go\"},\"region\":{\"s"
	  "tartLine\":5}}}]},"
	  "{\"rule\":{\"index\":0,\"toolComponent\":{\"index\":0}},\"message\":{\"text\":\""
	  "m\"},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"index\":0},\""
	  "region\":{\"startLine\":6}}}]},"
	  "{\"ruleIndex\":99,\"message\":{\"text\":\"m\"},\"locations\":[{\"physicalLocatio"
	  "n\":{\"artifactLocation\":{\"uri\":\"file:///z/%00%zz%4\"},\"region\":{\"startLi"
	  "ne\":7}}}]},"
	  "{\"ruleIndex\":-1,\"message\":{\"text\":\"m\"},\"locations\":[{\"physicalLocatio"
	  "n\":{\"artifactLocation\":{\"index\":-1},\"region\":{\"startLine\":8}}}]},"
	  "{\"ruleIndex\":-1,\"message\":{\"text\":\"m\"},\"locations\":[{\"physicalLocatio"
	  "n\":{\"artifactLocation\":{\"uri\":\"n.go\"},\"region\":{\"startLine\":9}}}]}"
	  "]}]}",
	  "gosec|G112|a.go:3:0|m|limits-unset|1\n"
	  "gosec|prealloc|b c.go:4:0|m|slice-waste|1\n"
	  "gosec|bodyclose|d/e.go:6:0|m|unclosed-resource|1\n"
	  "gosec|G104|cmd/shop/main.go:5:0|m|-|1\n"
	  "gosec||/z/%00%zz%4:7:0|m|-|1\n"
	  "gosec||n.go:9:0|m|-|1\n" },
	{ "{\"Issues\":null,\"Report\":{}}", "" },
};

/* Whose linter had nothing to say: no warnings, and no error. */
static const char *const clean[] = {
	"{}\n",
	"# example.com/p\n# [example.com/p]\n{}\n",
	"{}\n# q\n{\"example.com/q\": {}}\n",
	"{\"Issues\":[],\"Report\":{}}",
	"{\"Issues\":null,\"Report\":{}}",
	"{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"gosec\"}},\"results\":[]}]}",
};

static void test_clean(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(clean); i++) {
		_cleanup_(input_closep) struct input *in = NULL;
		_cleanup_(lint_freep) struct lint *l = NULL;

		assert_null(input_bytes(clean[i], strlen(clean[i]), "drawn", &in));
		assert_null(lint_read(in, &l));
		assert_int_equal(l->rows.n, 0);
		assert_null(l->damage);
	}
}

static void test_cases(void **state)
{
	const char *damage;
	char is[2000];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		draw(cases[i].text, strlen(cases[i].text), is, sizeof(is), &damage);
		assert_string_equal(is, cases[i].want);
		assert_null(damage);
	}
}

/* Of a document that is cut what is whole inside it counts. */
static void test_cut(void **state)
{
	const char *damage;
	char is[2000];

	(void)state;
	draw(GOLANGCI, strlen(GOLANGCI) - 40, is, sizeof(is), &damage);
	assert_non_null(strstr(is, "bodyclose"));
	assert_non_null(damage);
	for (size_t n = 0; n < strlen(cases[0].text); n++)
		draw(cases[0].text, n, is, sizeof(is), &damage);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases),
					    cmocka_unit_test(test_clean),
					    cmocka_unit_test(test_cut) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
