/*
 * test_escape.c - lines of the compiler become rows, each place once, with its reason.
 *
 * The lines are what compilers of Go 1.18 to 1.27 wrote of one small program each.
 */
#include "evidence/escape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct escape *read_text(const char *text)
{
	_cleanup_(input_closep) struct input *in = NULL;
	struct escape *e = NULL;

	assert_null(input_bytes(text, strlen(text), "drawn", &in));
	assert_null(escape_read(in, &e));
	return e;
}

/* "file:line:column expr what reason harmless count function" of each row, a line each. */
static void draw(const struct escape *e, char *buf, size_t n)
{
	static const char *const what[] = { "heap", "moved", "param" };
	size_t at = 0;

	buf[0] = 0;
	for (size_t i = 0; i < e->rows.n && at < n; i++) {
		const struct escape_row *r = &e->rows.v[i];
		int k = snprintf(buf + at, n - at, "%s:%d:%d|%s|%s|%s|%d|%u|%s\n",
				 escape_text(e, r->file), r->line, r->column,
				 escape_text(e, r->expr), what[r->what],
				 escape_reason_word(r->reason), r->harmless, r->count,
				 escape_text(e, r->function));

		at += (size_t)k;
	}
}

#define GO126                                                                                      \
	"# example.com/p\n"                                                                        \
	"./a.go:37:6: can inline closures with cost 10 as: func() { x := 1 }\n"                    \
	"./a.go:38:2: closures capturing by ref: x (addr=false assign=true width=8)\n"             \
	"./a.go:40:7: func literal escapes to heap in closures:\n"                                 \
	"./a.go:40:7:   flow: f \xe2\x86\x90 &{storage for func literal}:\n"                       \
	"./a.go:40:7:     from func literal (spill) at ./a.go:40:7\n"                              \
	"./a.go:40:7:     from f := func literal (assign) at ./a.go:40:4\n"                        \
	"./a.go:40:7:   flow: ~r0 \xe2\x86\x90 f:\n"                                               \
	"./a.go:40:7:     from return f (return) at ./a.go:41:2\n"                                 \
	"./a.go:38:2: x escapes to heap in closures:\n"                                            \
	"./a.go:38:2:   flow: {storage for func literal} \xe2\x86\x90 &x:\n"                       \
	"./a.go:38:2:     from x (captured by a closure) at ./a.go:40:20\n"                        \
	"./a.go:38:2:     from x (reference) at ./a.go:40:20\n"                                    \
	"./a.go:38:2: moved to heap: x\n"                                                          \
	"./a.go:40:7: func literal escapes to heap\n"                                              \
	"go: downloading example.com/q v1.0.0\n"                                                   \
	"./a.go:50:10: s does not escape\n"

static void test_merged(void **state)
{
	_cleanup_(escape_freep) struct escape *e = read_text(GO126);
	char is[2000];

	(void)state;
	draw(e, is, sizeof(is));
	assert_string_equal(is, "./a.go:38:2|x|moved|captured-by-reference|0|1|closures\n"
				"./a.go:40:7|func literal|heap|returned|0|1|closures\n");
	assert_int_equal(e->stays, 1);
	assert_int_equal(e->captures.n, 1);
	assert_true(e->captures.v[0].by_ref);
	assert_int_equal(e->captures.v[0].width, 8);
	assert_string_equal(escape_text(e, e->rows.v[0].package), "example.com/p");
	assert_int_equal(e->selfs.n, 0); /* x is no place where the closure goes */
}

static const struct {
	const char *text, *want;
} cases[] = {
	/* Go 1.18: "=" in flows, no function behind "escapes to heap" */
	{ "# p\n./m.go:9:6: cannot inline grow: function too complex: cost 94 exceeds budget 80\n"
	  "./m.go:10:24: make([]byte, n) escapes to heap:\n"
	  "./m.go:10:24:   flow: {heap} = &{storage for make([]byte, n)}:\n"
	  "./m.go:10:24:     from make([]byte, n) (non-constant size) at ./m.go:10:24\n"
	  "./m.go:10:24: make([]byte, n) escapes to heap\n",
	  "./m.go:10:24|make([]byte, n)|heap|size-unknown|0|1|grow\n" },
	/* two names of one append (Go 1.25 on) */
	{ "./m.go:3:4: append(out, i) escapes to heap in grow:\n"
	  "./m.go:3:4:   flow: ~r0 \xe2\x86\x90 &{storage for append(out, i)}:\n"
	  "./m.go:3:4: append escapes to heap\n",
	  "./m.go:3:4|append(out, i)|heap|append|0|1|grow\n" },
	/* instantiations */
	{ "./m.go:7:32: moved to heap: p\n./m.go:7:32: moved to heap: p\n./m.go:7:6: moved to "
	  "heap: p\n",
	  "./m.go:7:6|p|moved|unsaid|0|1|\n./m.go:7:32|p|moved|unsaid|0|2|\n" },
	/* parameters */
	{ "./m.go:3:16: parameter p leaks to {heap} for leak with derefs=0:\n"
	  "./m.go:3:16:   flow: {heap} \xe2\x86\x90 p:\n"
	  "./m.go:3:16: leaking param: p\n"
	  "./m.go:4:16: leaking param content: q\n"
	  "./m.go:5:16: leaking param: r to result ~r0 level=1\n",
	  "./m.go:3:16|p|param|leaking-param|0|1|leak\n"
	  "./m.go:4:16|q|param|leaking-param-content|0|1|\n"
	  "./m.go:5:16|r|param|leaking-param-to-result|0|1|\n" },
	/* what is harmless: once, an error, nothing, a constant, a test, panic */
	{ "./m.go:2:9: &item{} escapes to heap in init:\n"
	  "./m.go:2:9:   flow: {heap} \xe2\x86\x90 &{storage for &item{}}:\n"
	  "./m.go:2:9:     from x = &item{} (assign) at ./m.go:2:4\n"
	  "./m.go:3:9: &errors.errorString{...} escapes to heap\n"
	  "./m.go:4:9: &struct {}{} escapes to heap\n"
	  "./m.go:5:9: \"a\" escapes to heap\n"
	  "./m_test.go:6:9: make([]int, 3) escapes to heap\n"
	  "./m.go:7:20: fmt.Sprintf(\"bad\") escapes to heap in fail:\n"
	  "./m.go:7:20:   flow: {heap} \xe2\x86\x90 &{storage for fmt.Sprintf(\"bad\")}:\n"
	  "./m.go:7:20:     from panic(fmt.Sprintf(\"bad\")) (call parameter) at ./m.go:7:8\n",
	  "./m.go:2:9|&item{}|heap|stored|1|1|init\n"
	  "./m.go:3:9|&errors.errorString{...}|heap|unsaid|4|1|\n"
	  "./m.go:4:9|&struct {}{}|heap|unsaid|16|1|\n"
	  "./m.go:5:9|\"a\"|heap|interface|32|1|\n"
	  "./m.go:7:20|fmt.Sprintf(\"bad\")|heap|panic|2|1|fail\n"
	  "./m_test.go:6:9|make([]int, 3)|heap|unsaid|8|1|\n" },
	/* send, map, go, call, too large; a log before the place */
	{ "./m.go:1:2: it escapes to heap in send:\n"
	  "./m.go:1:2:   flow: {heap} \xe2\x86\x90 &it:\n"
	  "./m.go:1:2:     from &it (address-of) at ./m.go:2:7\n"
	  "./m.go:1:2:     from c <- &it (send) at ./m.go:2:4\n"
	  "./m.go:3:2: new(item) escapes to heap in mapset:\n"
	  "./m.go:3:2:   flow: {heap} \xe2\x86\x90 &{storage for new(item)}:\n"
	  "./m.go:3:2:     from new(item) (spill) at ./m.go:3:2\n"
	  "./m.go:3:2:     from table[k] = new(item) (assign) at ./m.go:3:2\n"
	  "./m.go:4:2: func literal escapes to heap in goes:\n"
	  "./m.go:4:2:   flow: {heap} \xe2\x86\x90 &{storage for func literal}:\n"
	  "./m.go:4:2:     from func literal (spill) at ./m.go:4:2\n"
	  "./m.go:5:2: wg escapes to heap in goes:\n"
	  "./m.go:5:2:   flow: {heap} \xe2\x86\x90 &wg:\n"
	  "./m.go:5:2:     from wg (address-of) at ./m.go:5:4\n"
	  "./m.go:5:2:     from (*sync.WaitGroup).Add(wg, 1) (call parameter) at ./m.go:5:8\n"
	  "./m.go:6:2: b escapes to heap in big:\n"
	  "./m.go:6:2:   flow: {heap} \xe2\x86\x90 &b:\n"
	  "./m.go:6:2:     from b (too large for stack) at ./m.go:6:2\n"
	  "[build] ./m.go:8:2: moved to heap: z\n",
	  "./m.go:1:2|it|heap|sent|0|1|send\n"
	  "./m.go:3:2|new(item)|heap|map|0|1|mapset\n"
	  "./m.go:4:2|func literal|heap|go-or-defer|0|1|goes\n"
	  "./m.go:5:2|wg|heap|passed|0|1|goes\n"
	  "./m.go:6:2|b|heap|too-large|0|1|big\n"
	  "./m.go:8:2|z|moved|unsaid|0|1|\n" },
	/* -json=0,DIR: places of what was inlined; the empty last word says nothing new */
	{ "{\"version\":0,\"package\":\"main\",\"goos\":\"linux\",\"goarch\":\"amd64\","
	  "\"gc_version\":\"go1.26.8\",\"file\":\"/b/main.go\"}\n"
	  "{\"range\":{\"start\":{\"line\":26,\"character\":8},\"end\":{\"line\":26,"
	  "\"character\":8}},\"severity\":3,\"code\":\"escapes\",\"source\":\"go compiler\","
	  "\"message\":\"\\u0026item{} escapes to heap\",\"relatedInformation\":[{\"location\":{"
	  "\"uri\":\"file:///b/x%20y.go\",\"range\":{\"start\":{\"line\":3,\"character\":4},"
	  "\"end\":{}}},\"message\":\"inlineLoc\"},{\"location\":{\"uri\":\"file:///b/main.go\","
	  "\"range\":{\"start\":{\"line\":26,\"character\":8},\"end\":{}}},\"message\":\"escflow:"
	  "    flow: ~r0 \xe2\x86\x90 \\u0026{storage for \\u0026item{}}:\"},{\"location\":{"
	  "\"uri\":\"file:///b/main.go\",\"range\":{\"start\":{\"line\":27,\"character\":1},"
	  "\"end\":{}}},\"message\":\"escflow:      from return x (return)\"}]}\n"
	  "{\"range\":{\"start\":{\"line\":26,\"character\":8},\"end\":{\"line\":26,"
	  "\"character\":8}},\"severity\":3,\"code\":\"escape\",\"source\":\"go compiler\","
	  "\"message\":\"\"}\n",
	  "/b/main.go:26:8|&item{}|heap|returned|0|1|\n" },
};

static void test_cases(void **state)
{
	char is[4000];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(escape_freep) struct escape *e = read_text(cases[i].text);

		draw(e, is, sizeof(is));
		assert_string_equal(is, cases[i].want);
	}
}

/* Of a sum an operand tells whether it makes a string, or is a number that is boxed. */
static void test_sums(void **state)
{
	static const struct {
		const char *expr, *form;
	} sums[] = {
		{ "n * 1000 + 7", "interface box" },
		{ "i + 1", "interface box" },
		{ "1000 * n", "interface box" },
		{ "1 + n", "interface box" },
		{ "a - b + c", "interface box" },
		{ "m[\"k\"] + 1", "interface box" },
		{ "c + 'a'", "interface box" },
		{ "\"a - 1 \" + s", "string or bytes" },
		{ "s + \"x\" + t", "string or bytes" },
		{ "s + `\\` + t", "string or bytes" },
		{ "s.ID + f(a, 1)", "string, or a number as an interface" },
		{ "x[1] + y[2]", "string, or a number as an interface" },
		{ "f(a + b)", "interface box" },
		{ "f(\"a \\\" + \")", "interface box" },
		{ "s + \"cut", "string or bytes" },
		{ "string(b)", "string or bytes" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sums); i++) {
		_cleanup_(escape_freep) struct escape *e = NULL;
		char text[100];

		snprintf(text, sizeof(text), "./a.go:3:4: %s escapes to heap\n", sums[i].expr);
		e = read_text(text);
		assert_int_equal(e->rows.n, 1);
		assert_string_equal(escape_form_word(e->rows.v[0].form), sums[i].form);
		assert_int_equal(e->rows.v[0].harmless, 0);
	}
}

static void test_inlined(void **state)
{
	_cleanup_(escape_freep) struct escape *e = read_text(cases[6].text);

	(void)state;
	assert_string_equal(escape_text(e, e->rows.v[0].from_file), "/b/x y.go");
	assert_int_equal(e->rows.v[0].from_line, 3);
	assert_string_equal(escape_text(e, e->go), "go1.26.8");
}

/* var f func(); f = func() { f() }: the variable's closure captures it. */
static void test_self(void **state)
{
	_cleanup_(escape_freep) struct escape *e =
		read_text("./m.go:45:6: f escapes to heap in self:\n"
			  "./m.go:45:6:   flow: {storage for func literal} \xe2\x86\x90 &f:\n"
			  "./m.go:45:6:     from f (captured by a closure) at ./m.go:50:10\n"
			  "./m.go:45:6:     from f (reference) at ./m.go:50:10\n"
			  "./m.go:46:6: func literal escapes to heap in self:\n"
			  "./m.go:46:6:   flow: f \xe2\x86\x90 &{storage for func literal}:\n"
			  "./m.go:46:6:     from f = func literal (assign) at ./m.go:46:4\n"
			  "./m.go:45:6: moved to heap: f\n");

	(void)state;
	assert_int_equal(e->selfs.n, 1);
	assert_true(e->selfs.v[0].sure);
}

/* One of those that end in "|", or nothing. */
static void assert_word(const char *all, const char *word)
{
	char ended[128];

	snprintf(ended, sizeof(ended), "%s|", word);
	if (*word && !strstr(all, ended))
		fail_msg("%s", word);
}

static void test_nothing(void **state)
{
	_cleanup_(input_closep) struct input *in = NULL;
	struct escape *e = NULL;
	struct err *err;

	(void)state;
	assert_null(input_bytes("hello\n", 6, "drawn", &in));
	err = escape_read(in, &e);
	assert_non_null(err);
	assert_int_equal(err->code, ERR_BAD_DATA);
	err_free(err);
	assert_null(e);
}

/* Cut anywhere: half a name, or half a number, is none. */
static void test_half_lines(void **state)
{
	static const char text[] =
		"./alpha.go:123:456: moved to heap: buffer\n"
		"./alpha.go:123:456: leaking param: message to result ~r0 level=1\n"
		"./alpha.go:123:456: leaking param content: other\n"
		"./alpha.go:123:456: parameter third leaks to {heap} for gamma with derefs=2:\n"
		"./alpha.go:123:456:   flow: {heap} \xe2\x86\x90 *third:\n"
		"./alpha.go:123:456:     from *third (indirection) at ./beta.go:789:12\n"
		"./alpha.go:123:456: literal escapes to heap\n"
		"./alpha.go:123:456: closure capturing by value: fifth (addr=false width=16)\n";
	static const char whole[] = "buffer|message|other|third|literal|fifth|~r0|gamma|closure|"
				    "./alpha.go|./beta.go|{heap} \xe2\x86\x90 *third|"
				    "*third (indirection)|";
	size_t rows = 0;

	(void)state;
	for (size_t n = 1; n < sizeof(text); n++) {
		_cleanup_(input_closep) struct input *in = NULL;
		_cleanup_(escape_freep) struct escape *e = NULL;
		bool is_cut = text[n - 1] != '\n';

		assert_null(input_bytes(text, n, "drawn", &in));
		err_free(escape_read(in, &e));
		if (!e)
			continue;
		for (size_t i = 0; i < e->rows.n; i++) {
			const struct escape_row *r = &e->rows.v[i];
			const char *t[] = { escape_text(e, r->file), escape_text(e, r->expr),
					    escape_text(e, r->to), escape_text(e, r->function) };

			assert_int_equal(r->line, 123);
			assert_int_equal(r->column, 456);
			assert_true(r->level <= 2);
			for (size_t k = 0; k < ARRAY_LEN(t); k++)
				assert_word(whole, t[k]);
		}
		for (size_t i = 0; i < e->steps.n; i++) {
			assert_word(whole, escape_text(e, e->steps.v[i].text));
			assert_word(whole, escape_text(e, e->steps.v[i].file));
			assert_true(e->steps.v[i].line == 0 || e->steps.v[i].line == 789);
			assert_true(e->steps.v[i].column == 0 || e->steps.v[i].column == 12);
		}
		for (size_t i = 0; i < e->captures.n; i++) {
			assert_word(whole, escape_text(e, e->captures.v[i].variable));
			assert_int_equal(e->captures.v[i].width, 16);
		}
		assert_true(is_cut || !e->damage);
		assert_true(e->rows.n >= rows);
		rows = e->rows.n;
	}
	assert_int_equal(rows, 5);
}

/* It is used as far as it goes. */
static void test_cut(void **state)
{
	(void)state;
	for (size_t n = 0; n < sizeof(GO126); n++) {
		_cleanup_(input_closep) struct input *in = NULL;
		_cleanup_(escape_freep) struct escape *e = NULL;

		assert_null(input_bytes(GO126, n, "drawn", &in));
		err_free(escape_read(in, &e));
		assert_true(!e || e->rows.n <= 2);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_merged),	cmocka_unit_test(test_cases),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_inlined), cmocka_unit_test(test_self),
		cmocka_unit_test(test_nothing), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_half_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
