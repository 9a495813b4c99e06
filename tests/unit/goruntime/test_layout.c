/*
 * test_layout.c - version strings, which table they get, the text form there and back.
 */
#include "goruntime/layout.h"
#include "goruntime/layout_make.h"
#include "goruntime/layout_version.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

static const struct {
	const char *version, *go, *experiments;
	bool exact;
} found[] = {
	{ "go1.22.12", "1.22", "", true },
	{ "go1.22", "1.22", "", true },
	{ "go1.26.8", "1.26", "", true },
	{ "go1.26.8-X:nogreenteagc", "1.26", "nogreenteagc", true },
	{ "go1.25.3 X:greenteagc", "1.25", "greenteagc", true },
	{ "go1.22.12 X:noallocheaders", "1.22", "noallocheaders", true },
	{ "go1.24.13 X:noswissmap", "1.24", "noswissmap", true },
	{ "go1.24.13 X:noswissmap,nospinbitmutex", "1.24", "noswissmap", false },
	{ "go1.27.4-X:nogreenteagc,nojsonv2", "1.27", "nogreenteagc", true },
	{ "go1.26.8-X:jsonv2", "1.26", "", true },
	{ "go1.26.8-X:neverheardof", "1.26", "", false },
	{ "go1.27rc1", "1.27", "", false },
	{ "go1.26beta2", "1.26", "", false },
	{ "go1.31.0", "1.27", "", false },
	{ "go1.31.0-X:nogreenteagc", "1.27", "nogreenteagc", false },
	{ "devel go1.28-a1b2c3 Mon Nov 2 10:00:00 2026 +0000", "1.27", "", false },
	{ "devel go1.28-a1b2c3 Mon Nov 2 10:00:00 2026 +0000 X:nogreenteagc", "1.27",
	  "nogreenteagc", false },
	{ "go1.21.5", "1.21", "", true },
	{ "go1.20", "1.20", "", true },
	{ "go1.19.13 X:nounified", "1.19", "", true },
	{ "go1.18", "1.18", "", true },
	{ "go1.18.6", "1.18", "", true },
	{ "go1.19.2", "1.19", "", true },
	{ "go1.18 X:staticlockranking", "1.18", "", false },
};

static void test_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(found); i++) {
		bool exact = !found[i].exact;
		const struct go_layout *l = go_layout_find(found[i].version, "amd64", &exact);

		assert_non_null(l);
		assert_string_equal(l->go, found[i].go);
		if (strcmp(found[i].version, "go1.24.13 X:noswissmap,nospinbitmutex"))
			assert_string_equal(l->experiments, found[i].experiments);
		assert_int_equal(exact, found[i].exact);
	}
}

static void test_find_none(void **state)
{
	static const char *const bad[] = { "", "go", "go1", "go1.x", "1.26", "go2.0", "go1.16" };
	bool exact;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_null(go_layout_find(bad[i], "amd64", &exact));
	assert_null(go_layout_find("go1.26.8", "s390x", &exact));
}

static void test_version(void **state)
{
	char exps[32];
	int minor;

	(void)state;
	assert_true(go_version_parse("go1.26.8-X:a,b", &minor, exps, sizeof(exps)));
	assert_int_equal(minor, 26);
	assert_string_equal(exps, "a,b");
	assert_true(go_version_parse("go1.25.0 X:a other", &minor, exps, sizeof(exps)));
	assert_string_equal(exps, "a");
	/* What does not fit is cut off, not written beyond the end. */
	assert_true(go_version_parse("go1.25.0 X:abcdefgh", &minor, exps, 4));
	assert_string_equal(exps, "abc");
	assert_false(go_version_is_release("go1.27rc1"));
	assert_false(go_version_is_release("devel go1.28-abc"));
	assert_true(go_version_is_release("go1.24.13 X:noswissmap"));
}

/*
 * Facts of the runtime's sources that the tables must show; each line is read off the source of
 * that version by hand.
 */
static void test_facts(void **state)
{
	bool exact;
	const struct go_layout *l22 = go_layout_find("go1.22.12", "amd64", &exact);
	const struct go_layout *l24 = go_layout_find("go1.24.13", "amd64", &exact);
	const struct go_layout *l26 = go_layout_find("go1.26.8", "amd64", &exact);
	const struct go_layout *l27 = go_layout_find("go1.27.4", "amd64", &exact);
	const struct go_layout *no = go_layout_find("go1.26.8-X:nogreenteagc", "amd64", &exact);

	(void)state;
	/* mheap.go: _KindSpecialFinalizer was 1; the tiny block came before it in 1.25. */
	assert_int_equal(l22->c_KindSpecialFinalizer, 1);
	assert_int_equal(l26->c_KindSpecialFinalizer, 2);
	assert_int_equal(l22->c_KindSpecialCleanup, -1);
	assert_int_equal(l26->c_KindSpecialCleanup, 7);
	/* special.offset became a uintptr in 1.24. */
	assert_int_equal(l22->special_offset.bytes, 2);
	assert_int_equal(l24->special_offset.bytes, 8);
	assert_int_equal(l22->c_goexperiment_SwissMap, 0);
	assert_int_equal(l24->c_goexperiment_SwissMap, 1);
	assert_int_equal(l26->c_goexperiment_GreenTeaGC, 1);
	assert_int_equal(no->c_goexperiment_GreenTeaGC, 0);
	/* mgcmark_greenteagc.go: [63]uint8, owner, [63]uint8, class */
	assert_int_equal(l26->spanInlineMarkBits_bytes, 128);
	assert_int_equal(l26->spanInlineMarkBits_marks.off, 64);
	assert_false(go_has(l27->moduledata_itablinks));
	assert_true(go_has(l27->moduledata_itaboffset));
	/* sizeclasses.go */
	assert_int_equal(l26->nclasses, 68);
	assert_int_equal(l26->class_to_size[1], 8);
	assert_int_equal(l26->class_to_size[67], 32768);
	/* runtime2.go: waitReasonStrings */
	assert_string_equal(l22->wait_reasons[0], "");
	assert_string_equal(l22->wait_reasons[1], "GC assist marking");
	assert_int_equal(l26->c_arenaBaseOffset, (int64_t)0xffff800000000000);
}

static void same(const struct go_layout *a, const struct go_layout *b)
{
	assert_string_equal(a->go, b->go);
	assert_string_equal(a->experiments, b->experiments);
#define LAYOUT_STRUCT(s, type) assert_int_equal(a->s##_bytes, b->s##_bytes);
#define LAYOUT_FIELD(s, f, path)                        \
	assert_int_equal(a->s##_##f.off, b->s##_##f.off); \
	assert_int_equal(a->s##_##f.bytes, b->s##_##f.bytes);
#define LAYOUT_CONST(name, symbol) assert_int_equal(a->c_##name, b->c_##name);
#include "goruntime/layout_fields.h"
#undef LAYOUT_STRUCT
#undef LAYOUT_FIELD
#undef LAYOUT_CONST
	assert_int_equal(a->nclasses, b->nclasses);
	assert_memory_equal(a->class_to_size, b->class_to_size, a->nclasses * 2);
	assert_int_equal(a->nwait_reasons, b->nwait_reasons);
	for (uint32_t i = 0; i < a->nwait_reasons; i++)
		assert_string_equal(a->wait_reasons[i], b->wait_reasons[i]);
}

static void test_round_trip(void **state)
{
	const struct go_layout *const *all;
	size_t n;

	(void)state;
	all = go_layouts(&n);
	assert_true(n >= 6);
	for (size_t i = 0; i < n; i++) {
		char path[] = "/tmp/limpet-test-XXXXXX";
		int fd = mkstemp(path);
		FILE *f = fdopen(fd, "w");
		struct go_layout *l = NULL;

		assert_non_null(f);
		assert_null(go_layout_write_text(all[i], f));
		fclose(f);
		assert_null(go_layout_load(path, &l));
		unlink(path);
		same(all[i], l);
		go_layout_free(l);
	}
}

static void test_bad_files(void **state)
{
	static const char *const bad[] = {
		"", "go 1.26\n", "limpet-layout 1\n", "limpet-layout 1\nfield g.goid -5 8\n",
		"limpet-layout 1\nclass 999999 8\n", "limpet-layout 1\nnonsense\n",
		"limpet-layout 1\ngo 1.26\narch amd64\nexperiments\nmade_from x\nsize g 9\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char path[] = "/tmp/limpet-test-XXXXXX";
		int fd = mkstemp(path);
		struct go_layout *l = NULL;
		struct err *err;

		assert_int_equal(write(fd, bad[i], strlen(bad[i])), (ssize_t)strlen(bad[i]));
		close(fd);
		err = go_layout_load(path, &l);
		unlink(path);
		assert_non_null(err);
		assert_int_equal(err->code, ERR_BAD_DATA);
		err_free(err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),	  cmocka_unit_test(test_find_none),
		cmocka_unit_test(test_version),	  cmocka_unit_test(test_facts),
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_bad_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
