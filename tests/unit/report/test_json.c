/*
 * test_json.c - documents are read back with jansson: valid, exact, keys of the contract.
 */
#include "report/json.h"

#include <jansson.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static json_t *read_back(const struct str *o)
{
	json_error_t e;
	json_t *t = json_loads(o->s, JSON_REJECT_DUPLICATES, &e);

	if (!t)
		print_error("%s at %d: %s\n", e.text, e.position, o->s);
	assert_non_null(t);
	return t;
}

static void test_text_is_valid_whatever_it_holds(void **state)
{
	static const struct {
		const char *in, *out;
	} row[] = {
		{ "plain", "plain" },
		{ "a\"b\\c", "a\"b\\c" },
		{ "\x1b[31m\n\t\x7f", "\x1b[31m\n\t\x7f" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9a", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x9a" },
		{ "\xff", "\xef\xbf\xbd" },
		{ "\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd" },		    /* overlong */
		{ "\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* surrogate */
		{ "\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd" },		    /* cut off */
		{ "\xc2\x9b", "\xc2\x9b" },	    /* C1: escaped, not raw */
		{ "\xe2\x80\xae", "\xe2\x80\xae" }, /* right-to-left override, too */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct str o = { 0 };
		struct jw j;
		json_t *t;

		jw_init(&j, &o);
		jw_object(&j);
		jw_kv_text(&j, "k", row[i].in);
		jw_end(&j, '}');
		t = read_back(&o);
		assert_string_equal(json_string_value(json_object_get(t, "k")), row[i].out);
		for (size_t k = 0; k + 1 < o.n; k++)
			assert_true((unsigned char)o.s[k] >= 0x20 && o.s[k] != 0x7f &&
				    memcmp(o.s + k, "\xe2\x80\xae", 3) != 0);
		json_decref(t);
		str_deinit(&o);
	}
}

static void test_a_megabyte_is_cut(void **state)
{
	char *name = malloc((1 << 20) + 1);
	struct str o = { 0 };
	struct jw j;

	(void)state;
	memset(name, 0x1b, 1 << 20);
	name[1 << 20] = 0;
	jw_init(&j, &o);
	jw_object(&j);
	jw_kv_text(&j, "k", name);
	jw_end(&j, '}');
	json_decref(read_back(&o));
	assert_true(o.n < 32768);
	str_deinit(&o);
	free(name);
}

static void test_integers_are_exact(void **state)
{
	struct str o = { 0 };
	struct jw j;

	(void)state;
	jw_init(&j, &o);
	jw_array(&j);
	jw_u64(&j, UINT64_MAX); /* what readers have no integer for */
	jw_u64(&j, 9007199254740993U);
	jw_i64(&j, INT64_MIN);
	jw_addr(&j, 0xc000123456);
	jw_null(&j);
	jw_bool(&j, true);
	jw_time(&j, 1795230000000000000U);
	jw_end(&j, ']');
	assert_string_equal(o.s, "[9223372036854775807,9007199254740993,-9223372036854775808,"
				 "\"0xc000123456\",null,true,\"2026-11-21T03:00:00Z\"]\n");
	str_deinit(&o);
}

static struct ans_head head(void)
{
	return (struct ans_head){
		.kind = "live",
		.pid = 7,
		.exe = "/srv/a",
		.go = "go1.26.8",
		.arch = "amd64",
		.experiments = "a,b",
		.stripped = true,
		.layout = "1.26",
		.layout_exact = true,
		.module = "example.com/a",
		.version = "v1",
		.revision = "",
		.at_unix_ns = 1795230000000000000U,
		.method = "fork",
		.pause_ns = 1900000,
	};
}

static json_int_t int_at(json_t *t, const char *a, const char *b)
{
	json_t *o = json_object_get(t, a);

	assert_non_null(o);
	if (b)
		o = json_object_get(o, b);
	assert_true(json_is_integer(o));
	return json_integer_value(o);
}

static void need_keys(json_t *t, const char *const *key)
{
	for (; *key; key++) {
		if (!json_object_get(t, *key))
			print_error("no key %s\n", *key);
		assert_non_null(json_object_get(t, *key));
	}
}

static void test_report_has_the_keys_of_the_contract(void **state)
{
	static const char *const top[] = { "schema",	"limpet", "target",   "build", "capture",
					   "exactness", "memory", "findings", "top",   NULL };
	static const char *const target[] = { "kind",	     "pid",   "exe",	  "go", "arch",
					      "experiments", "dwarf", "stripped", NULL };
	static const char *const build[] = { "module", "version", "vcs_revision", "started", NULL };
	static const char *const capture[] = { "at", "method", "pause_ns", "losses", NULL };
	static const char *const exact[] = { "reachable_objects",
					     "reachable_bytes",
					     "gc_objects",
					     "gc_bytes",
					     "missing",
					     "extra",
					     "conservative_frames",
					     "typed_objects",
					     "typed_bytes",
					     NULL };
	static const char *const memory[] = { "rss",	   "heap_live",	    "heap_garbage",
					      "heap_free", "heap_released", "stacks",
					      "runtime",   "off_heap",	    "files",
					      NULL };
	struct ans_report r = { .head = head() };
	struct str o = { 0 };
	json_t *t;

	(void)state;
	r.exact = (struct ans_exact){ .reachable_objects = 5, .phase = "idle", .compared = "" };
	r.memory.rss = 4096;
	json_doc_report(&o, &r);
	t = read_back(&o);
	need_keys(t, top);
	need_keys(json_object_get(t, "target"), target);
	need_keys(json_object_get(t, "build"), build);
	need_keys(json_object_get(t, "capture"), capture);
	need_keys(json_object_get(t, "exactness"), exact);
	need_keys(json_object_get(t, "memory"), memory);
	assert_int_equal(int_at(t, "schema", NULL), 1);
	assert_int_equal(int_at(t, "capture", "pause_ns"), 1900000);
	assert_int_equal(int_at(t, "exactness", "reachable_objects"), 5);
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(t, "target"), "experiments")), 2);
	json_decref(t);
	str_deinit(&o);
}

static void test_goroutine_claims_no_leak(void **state)
{
	static const char *const keys[] = { "id",	"state",   "wait",     "since_ns",
					    "function", "creator", "labels",   "retained_bytes",
					    "leaked",	"stack",   "waits_on", NULL };
	struct ans_goroutine g = { .id = 17,
				   .state = "waiting",
				   .wait = "chan receive",
				   .since_ns = ANS_UNKNOWN,
				   .function = "main.f",
				   .creator = "main.main",
				   .created_at = { "main.main", "m.go", 3, false },
				   .retained = 64,
				   .thread = -1,
				   .nframes = 1 };
	struct ans_frame f = { "main.f", "m.go", 9, false };
	struct ans_goroutines a = { 0 };
	struct ans_head h = head();
	struct str o = { 0 };
	json_t *t, *one;

	(void)state;
	a.gs.v = &g;
	a.gs.n = 1;
	a.frames.v = &f;
	a.frames.n = 1;
	json_doc_goroutines(&o, &h, &a);
	t = read_back(&o);
	one = json_array_get(json_object_get(t, "goroutines"), 0);
	need_keys(one, keys);
	assert_true(json_is_null(json_object_get(one, "leaked")));
	assert_true(json_is_null(json_object_get(one, "since_ns")));
	one = json_array_get(json_object_get(one, "stack"), 0);
	assert_string_equal(json_string_value(json_object_get(one, "file")), "m.go");
	json_decref(t);
	str_deinit(&o);
}

static void test_why_and_verify(void **state)
{
	struct ans_holder node[] = {
		{ .what = "global",
		  .name = "main.cache",
		  .type = "",
		  .field = "",
		  .frame = "",
		  .addr = 0x5000 },
		{ .what = "object",
		  .name = "",
		  .type = "main.T",
		  .field = ".buf",
		  .frame = "",
		  .addr = 0xc000,
		  .bytes = 64 },
	};
	struct ans_path p = { .nodes = { node, 2, 2 } };
	struct ans_why_item it = { .what = node[1],
				   .reachable = true,
				   .note = "",
				   .paths = { &p, 1, 1 },
				   .independent = 1 };
	struct ans_why w = { .asked = "main.T", .matches = 1, .items = { &it, 1, 1 } };
	struct ans_difference d = { 0xc000, 64, "missing", "lost", "main.T", false };
	struct ans_exact x = { .phase = "idle", .compared = "", .differences = { &d, 1, 1 } };
	struct ans_head h = head();
	struct str o = { 0 };
	json_t *t, *last;

	(void)state;
	json_doc_why(&o, &h, &w);
	t = read_back(&o);
	assert_true(json_is_null(json_object_get(t, "cut")));
	assert_int_equal(int_at(t, "independent_paths", NULL), 1);
	last = json_array_get(json_array_get(json_object_get(t, "paths"), 0), 1);
	assert_string_equal(json_string_value(json_object_get(last, "field")), "buf");
	assert_string_equal(json_string_value(json_object_get(last, "addr")), "0xc000");
	json_decref(t);
	str_deinit(&o);
	json_doc_verify(&o, &h, &x, 10);
	t = read_back(&o);
	last = json_array_get(json_object_get(t, "differences"), 0);
	assert_string_equal(json_string_value(json_object_get(last, "side")), "missing");
	assert_int_equal(int_at(t, "missing", NULL), 0);
	json_decref(t);
	str_deinit(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_valid_whatever_it_holds),
		cmocka_unit_test(test_a_megabyte_is_cut),
		cmocka_unit_test(test_integers_are_exact),
		cmocka_unit_test(test_report_has_the_keys_of_the_contract),
		cmocka_unit_test(test_goroutine_claims_no_leak),
		cmocka_unit_test(test_why_and_verify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
