/*
 * test_gotext_wrapped.c - dumps inside of logs: what the bare dump says is the truth.
 */
#include "evidence/gotext.h"
#include "evidence/gotext_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Three receivers and a main; debug=1 has the same in two records. */
static const char traceback[] =
	"goroutine 1 [running]:\nmain.dump(...)\n\t/src/main.go:9\nmain.main()\n\t/src/main.go:7 +0x2e\n\n"
	"goroutine 7 [chan receive, 3 minutes]:\nmain.(*T).get(0xc000010000, {0x1, 0x2})\n"
	"\t/src/t.go:41 +0x1d\ncreated by main.main in goroutine 1\n\t/src/main.go:6 +0x2e\n\n"
	"goroutine 8 [chan receive]:\nmain.(*T).get(0xc000020000, {0x1, 0x2})\n"
	"\t/src/t.go:41 +0x1d\ncreated by main.main in goroutine 1\n\t/src/main.go:6 +0x2e\n\n"
	"goroutine 9 [select]:\nmain.(*T).get(0xc000010000, {0x1, 0x2})\n"
	"\t/src/t.go:41 +0x1d\ncreated by main.main in goroutine 1\n\t/src/main.go:6 +0x2e\n";
static const char profile[] = "goroutine profile: total 4\n3 @ 0x43a3f6 0x46d2a5\n"
			      "# labels: {\"tenant\":\"acme\"}\n"
			      "#\t0x46d2a4\tmain.(*T).get+0x1d\t\t/src/t.go:41\n\n"
			      "1 @ 0x43a3f7 0x46d2a6\n"
			      "#\t0x46d2a4\tmain.dump+0x1d\t\t/src/main.go:9\n"
			      "#\t0x46d2a5\tmain.main+0x2e\t\t/src/main.go:7\n\n";

static struct gotext *read_text(const char *text)
{
	_cleanup_(input_closep) struct input *in = NULL;
	struct gotext *g = NULL;

	assert_null(input_bytes(text, strlen(text), "drawn", &in));
	assert_null(gotext_read(in, &g));
	return g;
}

static void put(char *o, size_t cap, const char *s, size_t n)
{
	size_t at = strlen(o);

	assert_true(at + n < cap);
	memcpy(o + at, s, n);
	o[at + n] = 0;
}

static void puts_to(char *o, size_t cap, const char *s)
{
	put(o, cap, s, strlen(s));
}

/* As in a text of JSON, times over. */
static void escape(char *s, size_t cap, unsigned times)
{
	static char to[1 << 17];

	while (times--) {
		to[0] = 0;
		for (const char *p = s; *p; p++)
			put(to, sizeof(to),
			    *p == '\n' ? "\\n" : *p == '\t' ? "\\t" : *p == '"' ? "\\\"" :
			    *p == '\\' ? "\\\\" : p,
			    strchr("\n\t\"\\", *p) ? 2 : 1);
		assert_true(strlen(to) < cap);
		memcpy(s, to, strlen(to) + 1);
	}
}

/* Each line, or all of them as one, between two texts; "%u" in the first one is a number. */
struct wrapping {
	const char *before, *after;
	unsigned escapes;
	bool one;
};

static void wrap(char *o, size_t cap, const char *text, const struct wrapping *w)
{
	static char piece[1 << 17];
	unsigned i = 0;

	for (const char *p = text; *p; i++) {
		size_t n = w->one ? strlen(p) : strcspn(p, "\n");
		const char *number = strstr(w->before, "%u");
		char digits[16];

		piece[0] = 0;
		put(piece, sizeof(piece), p, n);
		escape(piece, sizeof(piece), w->escapes);
		snprintf(digits, sizeof(digits), "%u", 100000 + i * 977);
		put(o, cap, w->before, number ? (size_t)(number - w->before) : strlen(w->before));
		if (number) {
			puts_to(o, cap, digits);
			puts_to(o, cap, number + 2);
		}
		puts_to(o, cap, piece);
		puts_to(o, cap, w->after);
		puts_to(o, cap, "\n");
		p += n + (p[n] == '\n');
	}
}

/* The same goroutines with the same frames. */
static void assert_same(const struct gotext *g, const struct gotext *want)
{
	assert_int_equal(g->dumps.n, want->dumps.n);
	assert_int_equal(g->dumps.v[0].flags & GOTEXT_CUT, want->dumps.v[0].flags & GOTEXT_CUT);
	assert_int_equal(g->gs.n, want->gs.n);
	assert_int_equal(g->frames.n, want->frames.n);
	for (size_t i = 0; i < g->gs.n; i++) {
		const struct gotext_goroutine *p = &g->gs.v[i], *q = &want->gs.v[i];
		const struct gotext_stack *s = &g->stacks.v[p->stack],
					  *t = &want->stacks.v[q->stack];

		assert_int_equal(p->id, q->id);
		assert_int_equal(p->parent, q->parent);
		assert_int_equal(p->count, q->count);
		assert_int_equal(p->minutes, q->minutes);
		assert_string_equal(gotext_text(g, p->state), gotext_text(want, q->state));
		assert_string_equal(gotext_text(g, p->labels), gotext_text(want, q->labels));
		assert_string_equal(gotext_creator(g, s), gotext_creator(want, t));
		assert_int_equal(s->n, t->n);
		for (uint32_t k = 0; k < s->n; k++) {
			const struct gotext_frame *f = gotext_frame_of(g, s, k),
						  *e = gotext_frame_of(want, t, k);

			assert_string_equal(gotext_text(g, f->function),
					    gotext_text(want, e->function));
			assert_string_equal(gotext_text(g, f->file), gotext_text(want, e->file));
			assert_int_equal(f->line, e->line);
		}
	}
}

static void test_wrapped(void **state)
{
	static const struct wrapping all[] = {
		{ "2026-01-02T03:04:05.%uZ stderr F ", "", 0, false },
		{ "[pod/web-7d4b/app] ", "", 0, false },
		{ "web-1  | ", "", 0, false },
		{ "Jan  2 03:04:05 host app[12]: ", "", 0, false },
		{ "    ", "", 0, false },
		{ "\033[31m", "\033[0m", 0, false },
		{ "\033[36mweb-1  |\033[0m ", "", 0, false },
		/* a document a line */
		{ "{\"log\":\"", "\\n\",\"stream\":\"stderr\",\"time\":\"2026-01-02T03:04:05Z\"}", 1,
		  false },
		{ "{\"textPayload\": \"", "\", \"severity\": \"ERROR\"}", 1, false },
		{ "{\"level\":\"info\",\"ts\":1767323045.%u,\"msg\":\"", "\"}", 1, false },
		{ "{\"n\":\"%u\",\"MESSAGE\":\"", "\",\"PRIORITY\":\"6\"}", 1, false },
		{ "time=2026-01-02T03:04:05.%uZ level=INFO msg=\"", "\" app=web", 1, false },
		{ "{\"log\":\"{\\\"ts\\\":%u,\\\"msg\\\":\\\"", "\\\"}\\n\",\"stream\":\"stderr\"}", 2,
		  false },
		{ "{\"msg\":\"\\u001b[31m", "\\u001b[0m\"}", 1, false },
		/* all of it in one */
		{ "{\"time\":\"2026-01-02T03:04:05Z\",\"msg\":\"", "\"}", 1, true },
		{ "level=error stack=\"", "\" app=web", 1, true },
		{ "{\"log\":\"{\\\"stack\\\":\\\"", "\\\"}\\n\",\"stream\":\"stderr\"}", 2, true },
		{ "web-1  | {\"log\":\"{\\\"stack\\\":\\\"", "\\\"}\\n\"}", 2, true },
	};
	static const char *const dumps[] = { traceback, profile };
	static char text[1 << 16];

	(void)state;
	for (size_t d = 0; d < ARRAY_LEN(dumps); d++) {
		_cleanup_(gotext_freep) struct gotext *want = read_text(dumps[d]);

		assert_int_equal(want->dumps.v[0].n, 4);
		for (size_t i = 0; i < ARRAY_LEN(all); i++) {
			_cleanup_(gotext_freep) struct gotext *g = NULL;

			text[0] = 0;
			wrap(text, sizeof(text), dumps[d], &all[i]);
			g = read_text(text);
			assert_same(g, want);
		}
	}
}

/* msg=main.main() without quotes, as log/slog has it where nothing asks for them. */
static void test_logfmt_unquoted(void **state)
{
	_cleanup_(gotext_freep) struct gotext *g =
		read_text("level=INFO msg=\"goroutine 1 [running]:\"\nlevel=INFO msg=main.main()\n"
			  "level=INFO msg=\"\\t/src/main.go:9 +0x1\"\nlevel=INFO msg=\"\"\n"
			  "level=INFO msg=\"goroutine 7 [select]:\"\nlevel=INFO msg=main.f(0x7) app=w\n"
			  "level=INFO msg=\"\\t/src/main.go:5 +0x1\"\n");

	(void)state;
	assert_int_equal(g->gs.n, 2);
	assert_int_equal(g->frames.n, 2);
	assert_string_equal(gotext_text(g, g->frames.v[1].function), "main.f");
	assert_int_equal(g->frames.v[1].line, 5);
}

/* Tabs of a profile that syslog wrote out, or that became blanks. */
static void test_profile_columns(void **state)
{
	static const char *const lines[] = {
		"#\t0x46d2a4\tmain.f+0x1d\t\t/src/t.go:41",
		"##0110x46d2a4#011main.f+0x1d#011#011/src/t.go:41",
		"#       0x46d2a4        main.f+0x1d             /src/t.go:41",
	};
	struct gotext_symbol y;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		assert_true(gotext_symbol((struct bit){ lines[i], strlen(lines[i]) }, &y));
		assert_int_equal(y.name.n, 6);
		assert_int_equal(y.file.n, 9);
		assert_int_equal(y.line, 41);
	}
}

/* A profile says how many there are: fewer were read, so it is cut; a head alone hides no dump. */
static void test_profile_cut(void **state)
{
	static char text[1 << 12];

	(void)state;
	snprintf(text, sizeof(text), "%.*s", (int)(strstr(profile, "1 @") - profile), profile);
	{
		_cleanup_(gotext_freep) struct gotext *g = read_text(text);

		assert_int_equal(g->dumps.v[0].n, 3);
		assert_true(g->dumps.v[0].flags & GOTEXT_CUT);
	}
	snprintf(text, sizeof(text), "%sgoroutine profile: total 12\n", profile);
	{
		_cleanup_(gotext_freep) struct gotext *g = read_text(text);

		assert_int_equal(g->kept, 0);
		assert_false(g->dumps.v[0].flags & GOTEXT_CUT);
		assert_true(g->dumps.v[1].flags & GOTEXT_CUT);
	}
}

/* Lines of text in pieces of n bytes, each in a line of CRI or of docker; "other" in between. */
static void in_pieces(char *o, size_t cap, const char *text, size_t n, bool docker)
{
	static char piece[1 << 16];

	for (const char *p = text; *p;) {
		size_t line = strcspn(p, "\n"), k = line < n ? line : n;
		bool last = k == line;

		piece[0] = 0;
		put(piece, sizeof(piece), p, k);
		escape(piece, sizeof(piece), docker);
		puts_to(o, cap, docker ? "{\"log\":\"" : last ? "2026-01-02T03:04:05Z stderr F " :
							      "2026-01-02T03:04:05Z stderr P ");
		puts_to(o, cap, piece);
		puts_to(o, cap, docker && last ? "\\n" : "");
		puts_to(o, cap, docker ? "\",\"stream\":\"stderr\"}\n" : "\n");
		if (!last)
			puts_to(o, cap, docker ? "{\"log\":\"GET /x\\n\",\"stream\":\"stdout\"}\n" :
						 "2026-01-02T03:04:05Z stdout F GET /x\n");
		p += k + last;
	}
}

/* What a runtime cut at 16 KiB, the other stream's lines in between. */
static void test_pieces(void **state)
{
	static char dump[1 << 16], doc[1 << 17], text[1 << 18];
	static const struct wrapping json = { "{\"stack\":\"", "\"}", 1, true };

	(void)state;
	dump[0] = doc[0] = text[0] = 0;
	for (unsigned i = 2; i < 300; i++) {
		char one[200];

		snprintf(one, sizeof(one),
			 "goroutine %u [select]:\nmain.f%u(0x1)\n\t/src/main.go:%u +0x1d\n"
			 "created by main.main in goroutine 1\n\t/src/main.go:7 +0x2e\n\n",
			 i, i, i);
		puts_to(dump, sizeof(dump), one);
	}
	wrap(doc, sizeof(doc), dump, &json);
	assert_true(strlen(doc) > 2 * 16384);
	_cleanup_(gotext_freep) struct gotext *want = read_text(dump);
	assert_int_equal(want->gs.n, 298);
	for (unsigned docker = 0; docker < 2; docker++) {
		_cleanup_(gotext_freep) struct gotext *g = NULL;

		text[0] = 0;
		in_pieces(text, sizeof(text), doc, 16384, docker);
		g = read_text(text);
		assert_same(g, want);
	}
	_cleanup_(gotext_freep) struct gotext *bare = read_text(profile);
	_cleanup_(gotext_freep) struct gotext *g = NULL;

	text[0] = 0;
	in_pieces(text, sizeof(text), profile, 20, false);
	g = read_text(text);
	assert_same(g, bare);
	/* cut in the middle: what came before is used */
	text[0] = 0;
	in_pieces(text, sizeof(text), doc, 16384, true);
	text[20000] = 0;
	_cleanup_(gotext_freep) struct gotext *cut = read_text(text);
	assert_true(cut->gs.n > 50 && cut->gs.n < 298);
	assert_true(cut->dumps.v[0].flags & GOTEXT_CUT);
}

static void test_sources(void **state)
{
	static const struct {
		const char *line, *name, *rest;
	} cases[] = {
		{ "web-1  | main.f()", "web-1", "main.f()" },
		{ "web-1  |", "web-1", "" },
		{ "[pod/web-7d4b/app] \tx", "[pod/web-7d4b/app", "\tx" },
		{ "Jan  2 03:04:05 host app[12]: x", "host app[12", "x" },
		{ "2026-01-02T03:04:05+0000 host app[12]: x", "host app[12", "x" },
		{ "2026-01-02T03:04:05.369243+00:00 app[web.1]: x", "app[web.1", "x" },
		{ "INFO  | x", "", "INFO  | x" },
		{ "2026/01/02 03:04:05 app[12]: x", "", "2026/01/02 03:04:05 app[12]: x" },
		{ "goroutine 1 [running]:", "", "goroutine 1 [running]:" },
		{ "3 @ 0x43a3f6", "", "3 @ 0x43a3f6" },
		{ "[pod/a b] x", "", "[pod/a b] x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bit line = { cases[i].line, strlen(cases[i].line) }, name = { "", 0 };

		assert_string_equal(line.s + gotext_source(line, &name), cases[i].rest);
		assert_int_equal(name.n, strlen(cases[i].name));
		assert_memory_equal(name.s, cases[i].name, name.n);
	}
}

/* Line by line of two programs, each with its name: two dumps of two processes. */
static void test_two_at_once(void **state)
{
	static const char *const names[][2] = {
		{ "web-1  | ", "api-1  | " },
		{ "[pod/web/app] ", "[pod/api/app] " },
		{ "Jan  2 03:04:05 host app[11]: ", "Jan  2 03:04:05 host app[12]: " },
		{ "\033[36mweb-1  |\033[0m ", "\033[33mapi-1  |\033[0m " },
	};
	_cleanup_(gotext_freep) struct gotext *want = read_text(traceback);
	static char text[1 << 14];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		text[0] = 0;
		/* the same dump in both, the second one lags by three lines */
		const char *at[2] = { traceback, traceback };

		for (unsigned round = 0; *at[1]; round++)
			for (unsigned k = 0; k < 2; k++) {
				size_t n = strcspn(at[k], "\n");

				if (!*at[k] || (k && round < 3))
					continue;
				puts_to(text, sizeof(text), names[i][k]);
				put(text, sizeof(text), at[k], n);
				puts_to(text, sizeof(text), "\n");
				at[k] += n + 1;
			}
		_cleanup_(gotext_freep) struct gotext *g = read_text(text);

		assert_int_equal(g->dumps.n, 2);
		assert_true(g->dumps.v[0].process != g->dumps.v[1].process);
		assert_true(g->dumps.v[0].at_line < g->dumps.v[1].at_line);
		assert_int_equal(g->dumps.v[0].n, 4);
		assert_int_equal(g->dumps.v[0].noise, 0);
		assert_int_equal(g->kept, 1);
		g->dumps.n = 1;
		assert_same(g, want);
	}
}

/* Of many names the one that was silent longest is forgotten, with what it said so far. */
static void test_many_names(void **state)
{
	static char text[1 << 18];

	(void)state;
	text[0] = 0;
	for (unsigned i = 0; i < 1000; i++) {
		char one[200];

		snprintf(one, sizeof(one),
			 "app-%u | goroutine 1 [running]:\napp-%u | main.main()\n"
			 "app-%u | \t/src/main.go:9 +0x1\nother-%u | says nothing\n",
			 i, i, i, i);
		puts_to(text, sizeof(text), one);
	}
	_cleanup_(gotext_freep) struct gotext *g = read_text(text);

	assert_int_equal(g->dumps.n, 1000);
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(g->dumps.v[i].n, 1);
		assert_int_equal(g->dumps.v[i].process, i);
		assert_int_equal(g->dumps.v[i].at_line, 4 * i + 1);
	}
}

/* One process in two files: with a new name, or bare, it is compared as ever. */
static void test_names_of_files(void **state)
{
	static const struct wrapping first = { "app-1 | ", "", 0, false },
				     second = { "app-2 | ", "", 0, false }, bare = { "", "", 0, false };
	static const struct {
		const struct wrapping *w[2];
	} cases[] = { { { &first, &second } }, { { &bare, &first } }, { { &first, &bare } },
		      { { &first, &first } } };
	static char text[1 << 14];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(gotext_freep) struct gotext *g = NULL;

		assert_null(gotext_create(0, &g));
		for (unsigned k = 0; k < 2; k++) {
			_cleanup_(input_closep) struct input *in = NULL;

			text[0] = 0;
			wrap(text, sizeof(text), traceback, cases[i].w[k]);
			assert_null(input_bytes(text, strlen(text), "drawn", &in));
			assert_null(gotext_feed(g, in));
		}
		assert_null(gotext_finish(g));
		assert_int_equal(g->dumps.n, 2);
		assert_int_equal(g->dumps.v[0].process, g->dumps.v[1].process);
	}
}

/* An error that was wrapped with its stack: the panic is of the goroutine that follows. */
static void test_stack_in_message(void **state)
{
	static const char *const texts[] = {
		"panic: boom\n\t\n\tgoroutine 77 [running]:\n\tmain.fake(0x1)\n\t\t/tmp/fake.go:3 +0x1\n\t\n\n"
		"goroutine 1 [running]:\nmain.main()\n\t/src/main.go:9 +0x1\n",
		"panic: goroutine 5 [running]: no\n\n"
		"goroutine 1 [running]:\nmain.main()\n\t/src/main.go:9 +0x1\n",
	};
	static const struct wrapping all[] = { { "", "", 0, false },
					       { "web-1  | ", "", 0, false },
					       { "{\"stack\":\"", "\"}", 1, true } };
	static char text[1 << 12];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		for (size_t k = 0; k < ARRAY_LEN(all); k++) {
			text[0] = 0;
			wrap(text, sizeof(text), texts[i], &all[k]);
			_cleanup_(gotext_freep) struct gotext *g = read_text(text);

			assert_int_equal(g->dumps.n, 1);
			assert_int_equal(g->dumps.v[0].n, 1);
			assert_int_equal(g->gs.v[0].id, 1);
			assert_int_equal(g->panics.v[0].goroutine, 1);
			assert_true(g->dumps.v[0].flags & GOTEXT_FINAL);
		}
	/* a whole log that is indented is none */
	_cleanup_(gotext_freep) struct gotext *g = read_text(
		"\tpanic: boom\n\n\tgoroutine 77 [running]:\n\tmain.f(0x1)\n\t\t/src/f.go:3 +0x1\n");
	assert_int_equal(g->gs.v[0].id, 77);
	assert_int_equal(g->stacks.v[g->gs.v[0].stack].n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_two_at_once),
		cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_names_of_files),
		cmocka_unit_test(test_wrapped),
		cmocka_unit_test(test_logfmt_unquoted),
		cmocka_unit_test(test_profile_columns),
		cmocka_unit_test(test_profile_cut),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_stack_in_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
