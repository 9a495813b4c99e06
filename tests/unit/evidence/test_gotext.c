/*
 * test_gotext.c - lines of dumps as the Go sources write them, and drawn logs.
 */
#include "evidence/gotext.h"
#include "evidence/gotext_line.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct bit of(const char *s)
{
	return (struct bit){ s, strlen(s) };
}

static void assert_bit(struct bit b, const char *want)
{
	assert_int_equal(b.n, strlen(want));
	assert_memory_equal(b.s, want, b.n);
}

static void test_headers(void **state)
{
	/* goroutineheader() of 1.18, 1.23 (level 2), 1.24, 1.25, 1.26, 1.27 */
	static const struct {
		const char *line, *state, *labels;
		unsigned id, minutes, flags;
	} cases[] = {
		{ "goroutine 1 [running]:", "running", "", 1, 0, 0 },
		{ "goroutine 7 [chan receive, 12 minutes]:", "chan receive", "", 7, 12, 0 },
		{ "goroutine 7 [select, 1 minutes, locked to thread]:", "select", "", 7, 1,
		  GOTEXT_LOCKED },
		{ "goroutine 9 [syscall, locked to thread]:", "syscall", "", 9, 0, GOTEXT_LOCKED },
		{ "goroutine 5 [chan send (scan), 3 minutes]:", "chan send", "", 5, 3,
		  GOTEXT_SCAN },
		{ "goroutine 1 gp=0xc000002380 m=0 mp=0x5a3e40 [running]:", "running", "", 1, 0,
		  0 },
		{ "goroutine 34 gp=0xc000102380 m=nil [sleep, 8 minutes]:", "sleep", "", 34, 8, 0 },
		{ "goroutine 3 [select (no cases)]:", "select (no cases)", "", 3, 0, 0 },
		{ "goroutine 3 [chan receive (nil chan), 4 minutes]:", "chan receive (nil chan)",
		  "", 3, 4, 0 },
		{ "goroutine 3 [chan receive (synctest), synctest group 7]:",
		  "chan receive (synctest)", "", 3, 0, GOTEXT_BUBBLE },
		{ "goroutine 3 [select (durable), synctest bubble 2]:", "select", "", 3, 0,
		  GOTEXT_BUBBLE },
		{ "goroutine 8 [chan send (leaked), 2 minutes]:", "chan send", "", 8, 2,
		  GOTEXT_LEAKED },
		{ "goroutine 8 [leaked (leaked) (scan)]:", "leaked", "", 8, 0,
		  GOTEXT_LEAKED | GOTEXT_SCAN },
		{ "goroutine 8 [select labels:{\"a b\": \"c]d\", \"e\": \"f\"}]:", "select",
		  "\"a b\": \"c]d\", \"e\": \"f\"", 8, 0, 0 },
		{ "goroutine 8 [select] {tenant: acme, \"x}:\": y}:", "select",
		  "tenant: acme, \"x}:\": y", 8, 0, 0 },
		{ "a log line goroutine 8 [IO wait]: and more", "IO wait", "", 8, 0, 0 },
		{ "goroutine x goroutine 8 [IO wait]:", "IO wait", "", 8, 0, 0 },
	};
	static const char *const none[] = {
		"goroutine 8 [running]",   "goroutine 8 running:",
		"goroutine  [running]:",   "goroutine 8[running]:",
		"goroutine 8 []:",	   "goroutine running on other thread; stack unavailable",
		"goroutine 8 [running] {", "goroutine 99999999999999999999999 [running]:"
	};
	struct gotext_header h;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(gotext_header(of(cases[i].line), &h));
		assert_bit(h.state, cases[i].state);
		assert_bit(h.labels, cases[i].labels);
		assert_int_equal(h.id, cases[i].id);
		assert_int_equal(h.minutes, cases[i].minutes);
		assert_int_equal(h.flags, cases[i].flags);
	}
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_false(gotext_header(of(none[i]), &h));
}

static void test_calls(void **state)
{
	static const struct {
		const char *line, *name;
		uint64_t arg;
		unsigned unsure;
	} cases[] = {
		{ "main.main()", "main.main", 0, 0 },
		{ "main.(*T).f(0xc000010000, {0x1?, 0x2, ...}, _)", "main.(*T).f", 0xc000010000,
		  0 },
		{ "main.f[...](0x7?)", "main.f[...]", 7, 1 },
		{ "net/http.(*conn).serve(...)", "net/http.(*conn).serve", 0, 0 },
		{ "panic({0x482a40?, 0x4b7f88?})", "panic", 0, 0 },
		{ "main.main.func1.1()", "main.main.func1.1", 0, 0 },
		{ "gopkg.in/yaml%2ev3.(*p).parse(0xc0001)", "gopkg.in/yaml%2ev3.(*p).parse",
		  0xc0001, 0 },
	};
	static const char *const none[] = {
		"close(3)",	    "main.f(x)", "\tmain.f()", "GET /a f(0x1) ok",
		"user=main.f(0x1)", "",		 "()",	       "see main.f()"
	};
	struct gotext_call c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(gotext_call(of(cases[i].line), &c));
		assert_bit(c.name, cases[i].name);
		assert_int_equal(c.has_arg ? c.arg : 0, cases[i].arg);
		assert_int_equal(c.unsure, cases[i].unsure);
	}
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_false(gotext_call(of(none[i]), &c));
	assert_true(gotext_call(of("main.worker(0xc0002026/01/02 03:04:05 hello"), &c));
	assert_int_equal(c.flags, GOTEXT_FRAME_CUT);
}

static void test_places(void **state)
{
	struct gotext_place p;

	(void)state;
	assert_true(gotext_place(of("\t/src/main.go:41 +0x1d"), &p));
	assert_bit(p.file, "/src/main.go");
	assert_int_equal(p.line, 41);
	assert_true(
		gotext_place(of("\tC:/My Files/main.go:7 +0x1d fp=0xc01 sp=0xc00 pc=0x46"), &p));
	assert_bit(p.file, "C:/My Files/main.go");
	assert_true(gotext_place(of("\t_cgo_gotypes.go:45"), &p));
	assert_true(gotext_place(of("\tx.c:12 pc=0x7f12"), &p));
	assert_true(p.only_pc);
	assert_true(gotext_place(of("#011/src/main.go:41 +0x1d"), &p));
	assert_bit(p.file, "/src/main.go");
	assert_false(gotext_place(of("listening on localhost:8080"), &p));
	assert_false(gotext_place(of("\t/src/main.go"), &p));
	assert_false(gotext_place(of("\tat 03:04:05 x"), &p));
}

static void test_times(void **state)
{
	static const struct {
		const char *text;
		uint64_t s;
		unsigned flags;
	} cases[] = { /* date -ud … +%s */
		      { "2026-01-02T03:04:05Z", 1767323045, 0 },
		      { "2026-01-02T03:04:05.25+02:00 x", 1767315845, 0 },
		      { "2026-01-02 03:04:05,250-0130", 1767328445, 0 },
		      { "2026/01/02 03:04:05", 1767323045, GOTEXT_NO_ZONE },
		      { "2024-02-29T23:59:59Z", 1709251199, 0 },
		      { "Mar  1 00:00:00 host", 68256000, GOTEXT_NO_ZONE | GOTEXT_NO_YEAR },
		      { "I0301 00:00:00.5 1 f.go:2]", 68256000, GOTEXT_NO_ZONE | GOTEXT_NO_YEAR }
	};
	static const char *const none[] = { "2026-13-02T03:04:05Z", "26-01-02T03:04:05Z",
					    "2026-01-02",	    "03:04:05",
					    "Mai  1 00:00:00",	    "" };
	uint64_t ns;
	uint32_t flags;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_true(gotext_time(of(cases[i].text), &ns, &flags));
		assert_int_equal(ns / 1000000000U, cases[i].s);
		assert_int_equal(flags, cases[i].flags);
	}
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_false(gotext_time(of(none[i]), &ns, &flags));
}

static void test_prefixes(void **state)
{
	static const struct {
		const char *learnt, *line, *rest;
	} cases[] = {
		{ "2026-01-02T03:04:05.1Z stderr F ", "2026-01-02T03:04:06.123Z stderr F main.f()",
		  "main.f()" },
		{ "2026-01-02T03:04:05.1Z stderr F 2026/01/02 03:04:05 ",
		  "2026-01-02T03:04:06Z stderr F main.f()", "main.f()" },
		{ "web-1  | ", "web-2  | main.f()", "web-2  | main.f()" },
		{ "web-1  | ", "web-1  | \tx.go:1", "\tx.go:1" },
		{ "web-1  | ", "web-1  |", "" },
		{ "Jan  2 03:04:05 h p[1]: ", "Jan 12 03:04:05 h p[1]: main.f()", "main.f()" },
		{ "[ 12.5] ", "[1234.75] main.f()", "main.f()" },
		{ "2026/01/02 03:04:05 dump: ", "main.f()", "main.f()" },
	};
	struct gotext_prefix p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		gotext_prefix_learn(&p, of(cases[i].learnt));
		assert_string_equal(cases[i].line + gotext_prefix_skip(&p, of(cases[i].line)),
				    cases[i].rest);
	}
}

static void test_kinds(void **state)
{
	(void)state;
	assert_string_equal(
		gotext_panic_kind(of("panic"),
				  of("runtime error: index out of range [1] with length 1")),
		"index out of range");
	assert_string_equal(gotext_panic_kind(of("panic"), of("the index out of range")),
			    "a value of the program's own");
	assert_string_equal(gotext_panic_kind(of("panic"), of("sync: negative WaitGroup counter")),
			    "negative WaitGroup counter");
	assert_string_equal(
		gotext_panic_kind(of("fatal error"), of("all goroutines are asleep - deadlock!")),
		"deadlock");
	assert_string_equal(gotext_panic_kind(of("fatal error"), of("odd")), "fatal error");
}

static void put(char *o, size_t cap, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void put(char *o, size_t cap, const char *fmt, ...)
{
	size_t n = strlen(o);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(o + n, cap - n, fmt, ap);
	va_end(ap);
}

/* n goroutines from id first on, of main.f<which>, waiting in state. */
static void draw(char *o, size_t cap, unsigned first, unsigned n, const char *f, const char *state,
		 unsigned minutes)
{
	for (unsigned i = first; i < first + n; i++) {
		put(o, cap, "goroutine %u [%s", i, state);
		if (minutes)
			put(o, cap, ", %u minutes", minutes + i - first);
		put(o, cap,
		    "]:\nmain.%s(0xc%08x)\n\t/src/main.go:41 +0x1d\ncreated by main.main in goroutine 1\n\t/src/main.go:7 +0x2e\n\n",
		    f, i * 4096);
	}
}

static struct gotext *read_text(const char *text)
{
	_cleanup_(input_closep) struct input *in = NULL;
	struct gotext *g = NULL;

	assert_null(input_bytes(text, strlen(text), "drawn", &in));
	assert_null(gotext_read(in, &g));
	return g;
}

static char text[1 << 20];

static const char main_stack[] = "goroutine 1 [running]:\nmain.main()\n\t/src/main.go:9 +0x1\n\n";

/* Three dumps an hour apart: leak grows by 20 and stays, load comes and goes. */
static void test_growth(void **state)
{
	_cleanup_(gotext_freep) struct gotext *g = NULL;
	struct gotext_series s = { 0 };
	struct gotext_suspects x = { 0 };
	struct gotext_found f;

	(void)state;
	text[0] = 0;
	for (unsigned d = 0; d < 3; d++) {
		put(text, sizeof(text), "2026-01-02T0%u:00:00Z dump\n%s", d, main_stack);
		draw(text, sizeof(text), 10, 20 + 20 * d, "leak", "chan receive", 1 + 60 * d);
		draw(text, sizeof(text), 1000 + 100 * d, 20 + 25 * d, "load", "select", 0);
	}
	g = read_text(text);
	assert_int_equal(g->dumps.n, 3);
	assert_null(gotext_series(g, &s));
	assert_int_equal(s.dumps.n, 3);
	assert_true(fabs(s.hours - 2) < 1e-9);
	for (size_t i = 0; i < s.rows.n; i++) {
		const char *name = gotext_text(g, g->stacks.v[s.rows.v[i].stack].entry);

		if (!strcmp(name, "main.leak")) {
			assert_int_equal(s.rows.v[i].stayed, 20);
			assert_int_equal(s.rows.v[i].stayed_before, 40);
			assert_true(fabs(s.rows.v[i].per_hour - 20) < 1e-9);
		} else if (!strcmp(name, "main.load")) {
			assert_int_equal(s.rows.v[i].stayed, 0);
		}
	}
	assert_null(gotext_suspects(g, &s, &x));
	assert_int_equal(x.v.n, 1); /* not the load, though there is more of it, too */
	assert_string_equal(gotext_text(g, g->stacks.v[g->tallies.v[x.v.v[0].tally].stack].entry),
			    "main.leak");
	assert_int_equal(x.v.v[0].why, GOTEXT_WHY_GROWS);
	assert_true(gotext_find(g, "main.leak", GOTEXT_STARTED_WITH, &f));
	assert_int_equal(f.count, 60);
	assert_int_equal(f.growth, 40);
	assert_int_equal(f.oldest_minutes, 180);
	assert_true(gotext_find(g, "main.main", GOTEXT_STARTED_BY, &f));
	assert_int_equal(f.count, 130);
	assert_false(gotext_find(g, "main.other", GOTEXT_ON_STACK, &f));
	gotext_series_deinit(&s);
	vec_free(&x.v);
}

/* One dump: what is suspected, and what is not. */
static void test_one_dump(void **state)
{
	static const struct {
		const char *f, *state;
		unsigned n, minutes, why;
	} cases[] = {
		{ "senders", "chan send", 60, 5, GOTEXT_WHY_OLD },
		{ "senders", "chan send", 60, 0, 0 },
		{ "spread", "chan receive", 150, 1, GOTEXT_WHY_SPREAD },
		{ "few", "chan receive", 50, 30, 0 },
		{ "nils", "chan receive (nil chan)", 5, 0, GOTEXT_WHY_NEVER },
		{ "forever", "select (no cases)", 1, 500, 0 },
		{ "mutex", "sync.Mutex.Lock", 20, 1, GOTEXT_WHY_LOCK },
		{ "leaks", "chan send (leaked)", 1, 0, GOTEXT_WHY_RUNTIME },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(gotext_freep) struct gotext *g = NULL;
		struct gotext_series s = { 0 };
		struct gotext_suspects x = { 0 };

		text[0] = 0;
		put(text, sizeof(text), "%s", main_stack);
		draw(text, sizeof(text), 10, cases[i].n, cases[i].f, cases[i].state,
		     cases[i].minutes);
		g = read_text(text);
		assert_null(gotext_series(g, &s));
		assert_null(gotext_suspects(g, &s, &x));
		assert_int_equal(x.v.n, cases[i].why != 0);
		assert_true(!x.v.n || x.v.v[0].why == cases[i].why);
		gotext_series_deinit(&s);
		vec_free(&x.v);
	}
}

/* What is between dumps, and what belongs together. */
static void test_boundaries(void **state)
{
	_cleanup_(gotext_freep) struct gotext *g = NULL;

	(void)state;
	text[0] = 0;
	/* two requests that panicked, of net/http: one goroutine each, the program goes on */
	put(text, sizeof(text),
	    "2026/01/02 03:04:05 http: panic serving 10.1.2.3:5: boom\ngoroutine 19 [running]:\n"
	    "main.h(0xc00)\n\t/src/main.go:1 +0x1\ncreated by net/http.(*Server).Serve\n\t/src/s.go:1 +0x1\n"
	    "2026/01/02 03:04:07 http: panic serving 10.1.2.3:6: boom\ngoroutine 23 [running]:\n"
	    "main.h(0xc00)\n\t/src/main.go:1 +0x1\ncreated by net/http.(*Server).Serve\n\t/src/s.go:1 +0x1\n");
	/* somebody writes of a panic in the middle of a dump */
	put(text, sizeof(text), "%s", main_stack);
	draw(text, sizeof(text), 30, 2, "f", "select", 0);
	put(text, sizeof(text), "recovered panic: no matter\n");
	draw(text, sizeof(text), 40, 2, "f", "select", 0);
	/* the end of the process, and the next one */
	put(text, sizeof(text),
	    "panic: over\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:1 +0x1\nexit status 2\n");
	put(text, sizeof(text), "%s", main_stack);
	draw(text, sizeof(text), 30, 3, "f", "select", 0);
	g = read_text(text);
	assert_int_equal(g->dumps.n, 5);
	assert_int_equal(g->dumps.v[0].n, 1);
	assert_int_equal(g->dumps.v[1].n, 1);
	assert_true(g->panics.v[g->dumps.v[1].panic].recovered);
	assert_int_equal(g->dumps.v[2].n, 5);
	assert_true(g->dumps.v[3].flags & GOTEXT_FINAL);
	assert_int_equal(g->dumps.v[3].process, 0);
	assert_int_equal(g->dumps.v[4].process, 1);
	assert_int_equal(g->kept, 4);
}

/* Its stack is the wrapper of its go statement alone. */
static void test_not_begun(void **state)
{
	_cleanup_(gotext_freep) struct gotext *g = read_text(
		"goroutine 7 [runnable]:\nmain.serve.gowrap1()\n\t/src/main.go:9\n"
		"runtime.goexit({})\n\t/go/src/runtime/asm_amd64.s:1693 +0x1\n"
		"created by main.serve in goroutine 1\n\t/src/main.go:9 +0x2e\n\n");

	(void)state;
	assert_int_equal(g->tallies.n, 1);
	assert_string_equal(gotext_text(g, g->stacks.v[g->tallies.v[0].stack].entry),
			    "main.serve.gowrap1");
}

/* Text, or a part of it that lies between two marks of its own. */
static void assert_whole(const struct gotext *g, const struct gotext_frame *f)
{
	static const struct {
		const char *function, *file;
		unsigned line;
	} all[] = { { "main.alpha", "/src/alpha.go", 123 },
		    { "main.(*Beta).gamma", "/src/gamma.go", 456 },
		    { "main.(*Beta).delta.func1", "/src/delta.go", 789 } };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (!strcmp(gotext_text(g, f->function), all[i].function)) {
			assert_true(!f->file || !strcmp(gotext_text(g, f->file), all[i].file));
			assert_true(!f->line || (f->line == all[i].line && f->file));
			return;
		}
	fail_msg("%s", gotext_text(g, f->function));
}

/* Cut anywhere: half a name, or half a number, is none. */
static void test_cut(void **state)
{
	static const char *const dumps[] = {
		"goroutine 12 [chan receive, 34 minutes]:\nmain.alpha(0xc000012345, {0x12, 0x3})\n"
		"\t/src/alpha.go:123 +0x1d\nmain.(*Beta).gamma(...)\n\t/src/gamma.go:456\n"
		"created by main.(*Beta).delta.func1 in goroutine 71\n\t/src/delta.go:789 +0x2e\n",
		"goroutine 12 [chan receive, 34 minutes]:\nmain.alpha()\n"
		"\t/src/alpha.go:123 +0x1d fp=0xc000 sp=0xc001 pc=0x4321\n"
		"created by main.(*Beta).delta.func1\n\t/src/delta.go:789 +0x2e\n",
		"goroutine profile: total 12\n12 @ 0x123456 0x234567\n"
		"# labels: {\"a\":\"bcd\"}\n#\t0x123455\tmain.alpha+0x12\t\t\t/src/alpha.go:123\n"
		"#\t0x234566\tmain.(*Beta).gamma+0x5\t/src/gamma.go:456\n\n",
		"{\"log\":\"goroutine 12 [chan receive, 34 minutes]:\\nmain.alpha()\\n"
		"\\t/src/alpha.go:123 +0x1d\\nmain.(*Beta).gamma(...)\\n\\t/src/gamma.go:456\\n\"}\n",
	};
	size_t seen = 0, frames = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dumps); i++)
		for (size_t n = 1; n <= strlen(dumps[i]); n++) {
			_cleanup_(input_closep) struct input *in = NULL;
			_cleanup_(gotext_freep) struct gotext *g = NULL;
			struct err *err;

			assert_null(input_bytes(dumps[i], n, "drawn", &in));
			err = gotext_read(in, &g);
			if (err) {
				assert_int_equal(err->code, ERR_BAD_DATA);
				err_free(err);
				continue;
			}
			seen++;
			for (size_t k = 0; k < g->frames.n; k++)
				assert_whole(g, &g->frames.v[k]);
			frames = MAX(frames, g->frames.n);
			for (size_t k = 0; k < g->gs.n; k++) {
				const struct gotext_goroutine *x = &g->gs.v[k];
				const char *labels = gotext_text(g, x->labels);

				assert_true(x->id == 12 || x->count == 12);
				assert_true(x->minutes == 34 || x->count == 12);
				assert_true(x->parent == 0 || x->parent == 71);
				assert_true(!*labels || !strcmp(labels, "\"a\":\"bcd\""));
			}
		}
	assert_true(seen > 500 && frames >= 3);
}

static void test_nothing(void **state)
{
	static const char log[] = "goroutine 7 is fine\npanic: none\nfatal error: none\n";
	_cleanup_(input_closep) struct input *in = NULL;
	struct gotext *g = NULL;
	struct err *err;

	(void)state;
	assert_null(input_bytes(log, strlen(log), "drawn", &in));
	err = gotext_read(in, &g);
	assert_non_null(err);
	assert_int_equal(err->code, ERR_BAD_DATA);
	err_free(err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_headers),	   cmocka_unit_test(test_calls),
		cmocka_unit_test(test_places),	   cmocka_unit_test(test_times),
		cmocka_unit_test(test_prefixes),   cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_growth),	   cmocka_unit_test(test_one_dump),
		cmocka_unit_test(test_boundaries), cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_cut),	   cmocka_unit_test(test_not_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
