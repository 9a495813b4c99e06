/*
 * checkdraw.c - a drawn answer of `limpet check` in one form: checkdraw FORMAT.
 *
 * Every result, every kind of row, and texts as a hostile program would choose them: the schemas of
 * tests/schemas must hold for all of it.
 */
#include "report/check_out.h"

#include <math.h>
#include <stdio.h>

/* Quotes, markup, ends of sections, commands, control characters, no UTF-8, no XML, bidi. */
#define EVIL                                                                                       \
	"evil \" ' < > & ]]> %s ::error::x\r\n::set-output name=a::b\x1b[31m\x01\x7f \xff\xfe "    \
	"\xef\xbf\xbf \xe2\x80\xae 100%,a:b"

static struct ans_frame frames[] = {
	{ "runtime.gopark", "/usr/lib/go-1.26/src/runtime/proc.go", 460, false },
	{ "main.(*Store).put[...]", "main.go", 41, false },
};
static struct ans_holder nodes[] = {
	{ .what = "global",
	  .name = "main." EVIL,
	  .type = "map[string]*main.Session",
	  .field = "",
	  .frame = "",
	  .var = "",
	  .key = "",
	  .expr = "" },
	{ .what = "object",
	  .name = "",
	  .type = "main.Session",
	  .field = ".buf",
	  .frame = "",
	  .var = "",
	  .key = "",
	  .expr = "",
	  .addr = 0xc000010000,
	  .bytes = 64 },
};
static struct ans_check_row rows[] = {
	{ .kind = "global-growth",
	  .verdict = "leak",
	  .proof = "measured",
	  .title = EVIL,
	  .why = EVIL,
	  .fix = EVIL,
	  .signature = "0123456789abcdef",
	  .type = EVIL,
	  .holder = EVIL,
	  .at = { "main.newSession", "main.go", 17, false },
	  .uri = "cmd/a b/main%.go",
	  .uri_line = 17,
	  .objects = 100,
	  .bytes = 6400,
	  .per_round_objects = 1,
	  .per_round_bytes = 64,
	  .sure = 999 },
	{ .kind = "a-kind-of-tomorrow",
	  .verdict = "suspect",
	  .proof = "inferred",
	  .title = "t",
	  .why = "",
	  .fix = "",
	  .signature = "00000000000000ff",
	  .type = "",
	  .holder = "",
	  .at = { "", "", 0, false } },
	{ .kind = "goroutine-leak",
	  .verdict = "leak",
	  .proof = "proved",
	  .title = "known one",
	  .why = "w",
	  .fix = "f",
	  .signature = "ffffffffffffffff",
	  .type = "",
	  .holder = "",
	  .at = { "main.f", "x.go", 3, false },
	  .uri = "go.mod",
	  .known = true,
	  .known_by = "limpet.conf:3 until 2027-01-01: " EVIL },
	{ .kind = "goroutine-leak",
	  .verdict = "suspect",
	  .proof = "measured",
	  .title = "unsure one",
	  .why = "w",
	  .fix = "f",
	  .signature = "1111111111111111",
	  .type = "",
	  .holder = "",
	  .at = { "", "", 0, false },
	  .uri = "u.go",
	  .uri_line = 9 },
};
static struct ans_check_round rounds[] = {
	{ .at_ns = 1,
	  .load_ns = 20000000,
	  .live_bytes = 1 << 20,
	  .live_objects = 1000,
	  .goroutines = 7,
	  .rss = ANS_UNKNOWN,
	  .alloc_bytes = ANS_UNKNOWN,
	  .allocs = ANS_UNKNOWN,
	  .cycles = ANS_UNKNOWN,
	  .gc_cpu_ns = ANS_UNKNOWN,
	  .pause_ns = ANS_UNKNOWN,
	  .look_pause_ns = ANS_UNKNOWN,
	  .warm_up = true },
	{ .at_ns = 2,
	  .load_ns = 20000000,
	  .live_bytes = 2 << 20,
	  .live_objects = 2000,
	  .goroutines = 9,
	  .rss = 3 << 20,
	  .alloc_bytes = 4096,
	  .allocs = 3,
	  .cycles = 2,
	  .gc_cpu_ns = 1000,
	  .pause_ns = 10,
	  .look_pause_ns = 1900000 },
};
static struct ans_check_limit limits[] = {
	{ "alloc", "bytes/load", 4096, 2048, 2252.8, true },
	{ "gc", "cycles/load", 2, NAN, NAN, false },
	{ "gc-cpu", "percent", 1.5, NAN, 5, false },
	{ "gc-pause", "ns/cycle", INFINITY, NAN, NAN, false },
};
static struct ans_check checks[] = {
	{ .name = "./server " EVIL,
	  .suite = "",
	  .result = CHECK_FAILED,
	  .why = EVIL,
	  .output = "",
	  .exit_status = -1,
	  .ns = 34000000000,
	  .sure = 999,
	  .rounds = 6,
	  .rows = { rows, 3, 3 },
	  .round = { rounds, 2, 2 },
	  .limits = { limits, 4, 4 } },
	{ .name = "TestGood",
	  .suite = "example.com/m/pkg",
	  .result = CHECK_PASSED,
	  .why = "steady",
	  .output = "",
	  .exit_status = 0,
	  .ns = 1234567890,
	  .sure = 984,
	  .rounds = 7,
	  .round = { rounds, 2, 2 } },
	{ .name = "TestUnsure",
	  .suite = "example.com/m/pkg",
	  .result = CHECK_UNSURE,
	  .why = "too few",
	  .output = "",
	  .exit_status = -1,
	  .more = 4,
	  .rows = { rows + 3, 1, 1 } },
	{ .name = "TestBroken",
	  .suite = "example.com/m/pkg",
	  .result = CHECK_BROKEN,
	  .why = "it crashed",
	  .output = "SECRET-OUTPUT\n" EVIL "\nlast line",
	  .exit_status = 2,
	  .code = 3 },
	{ .name = "example.com/m/none",
	  .suite = "",
	  .result = CHECK_SKIPPED,
	  .why = "no test files",
	  .output = "",
	  .exit_status = -1 },
};
static struct ans_check_gone gone[] = {
	{ "./server", "", "2222222222222222", "timer-leak", "was " EVIL },
};

int main(int argc, char **argv)
{
	struct ans_checks a = { .v = { checks, ARRAY_LEN(checks), ARRAY_LEN(checks) },
				.command = "limpet check -- ./server " EVIL,
				.started_unix_ns = 1795000000000000000,
				.baseline = "limpet-baseline.json",
				.gone = { gone, 1, 1 } };
	_cleanup_(str_deinit) struct str o = { 0 };

	rows[0].stack.v = frames;
	rows[0].stack.n = 2;
	rows[0].path.nodes.v = nodes;
	rows[0].path.nodes.n = 2;
	if (argc > 2 && !strcmp(argv[2], "empty"))
		a.v.n = a.gone.n = 0;
	for (unsigned f = 0; argc > 1 && f < CHECK_FORMATS; f++) {
		if (strcmp(argv[1], check_format_words[f]) != 0)
			continue;
		check_render(&o, (enum check_format)f, TEXT_PLAIN, &a);
		return o.bad || (o.n && fwrite(o.s, 1, o.n, stdout) != o.n);
	}
	for (size_t i = 0; argc == 2 && !strcmp(argv[1], "kinds") && check_kind(i); i++)
		puts(check_kind(i)->kind);
	return argc == 2 && !strcmp(argv[1], "kinds") ? 0 : 2;
}
