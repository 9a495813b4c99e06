/*
 * test_join_match.c - which line of a report is the line of a frame.
 */
#include "report/join_match.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
	const char *package, *place;  /* of the report */
	const char *function, *frame; /* of the program */
	const char *module;
	enum join_rank want;
} cases[] = {
	/* the package decides */
	{ "example.com/a/sub", "./sub.go", "example.com/a/sub.Make", "/b/a/sub/sub.go",
	  "example.com/a", JOIN_BY_PACKAGE },
	{ "example.com/a/sub", "sub/sub.go", "example.com/b/sub.Make", "/b/a/sub/sub.go",
	  "example.com/a", JOIN_NOT },
	{ "example.com/a/sub", "sub/x.go", "example.com/a/sub.Make", "/b/a/sub/sub.go",
	  "example.com/a", JOIN_NOT },
	{ "gopkg.in/yaml.v3", "../yaml.v3@v3.0.1/decode.go", "gopkg.in/yaml%2ev3.(*parser).parse",
	  "gopkg.in/yaml.v3@v3.0.1/decode.go", "x", JOIN_BY_PACKAGE },
	{ "example.com/a/g", "g.go", "example.com/a/g.F[example.com/z/q.T]", "example.com/a/g/g.go",
	  "example.com/a", JOIN_BY_PACKAGE },
	{ "example.com/a/g", "g.go", "example.com/a/g.(*T[go.shape.int]).F", "/x/g.go",
	  "example.com/a", JOIN_BY_PACKAGE },
	/* generic: compiled where it is used, so the path has to tell */
	{ "example.com/gen/cmd/app", "./box/box.go",
	  "example.com/gen/box.(*Box[go.shape.string]).Put", "/b/gen/box/box.go",
	  "example.com/gen", JOIN_BY_PATH },
	{ "example.com/gen/cmd/app", "./box/box.go", "example.com/gen/box.New[...].func1",
	  "example.com/gen/box/box.go", "example.com/gen", JOIN_BY_PATH },
	{ "example.com/gen/cmd/app", "../../box/box.go", "example.com/gen/box.New[...]",
	  "/b/gen/box/box.go", "example.com/gen", JOIN_BY_PATH },
	{ "example.com/gen/cmd/app", "example.com/gen/box/box.go", "example.com/gen/box.New[...]",
	  "/c/src/box/box.go", "example.com/gen", JOIN_BY_PATH },
	{ "example.com/gen/cmd/app", "./other/box.go", "example.com/gen/box.New[...]",
	  "/b/gen/box/box.go", "example.com/gen", JOIN_NOT },
	{ "example.com/gen/cmd/app", "./gen.go", "example.com/gen.New[...]", "/b/gen/gen.go",
	  "example.com/gen", JOIN_BY_NAME },
	{ "example.com/gen/cmd/app", "./box.go", "example.com/gen/box.New[...]",
	  "/b/gen/box/box.go", "example.com/gen", JOIN_NOT },
	{ "example.com/gen/cmd/app", "./box/box.go", "example.com/gen/box.Plain",
	  "/b/gen/box/box.go", "example.com/gen", JOIN_NOT },
	/* package main: by the folder below the module */
	{ "example.com/a", "./main.go", "main.main", "/b/a/main.go", "example.com/a",
	  JOIN_BY_PACKAGE },
	{ "example.com/a/cmd/x", "cmd/x/main.go", "main.main", "/b/a/cmd/x/main.go",
	  "example.com/a", JOIN_BY_PACKAGE },
	{ "example.com/a/cmd/x", "cmd/x/main.go", "main.main", "/b/a/cmd/y/main.go",
	  "example.com/a", JOIN_NOT },
	{ "example.com/a/cmd/x", "cmd/x/main.go", "main.main", "/b/a/cmd/xx/main.go",
	  "example.com/a", JOIN_NOT },
	{ "example.com/a/x", "main.go", "main.main", "/b/a/ax/main.go", "example.com/a", JOIN_NOT },
	{ "example.com/ab", "main.go", "main.main", "/b/ab/main.go", "example.com/a", JOIN_NOT },
	{ "main", "/ci/x/main.go", "main.main", "/ci/x/main.go", "example.com/a", JOIN_BY_PATH },
	{ "command-line-arguments", "./main.go", "main.main", "/b/main.go", "", JOIN_BY_NAME },
	/* no package: the end of the path */
	{ "", "sub/sub.go", "example.com/a/sub.Make", "/b/a/sub/sub.go", "", JOIN_BY_PATH },
	{ "", "../../a/sub/sub.go", "example.com/a/sub.Make", "a/sub/sub.go", "", JOIN_BY_PATH },
	{ "", "/go/pkg/mod/example.com/q@v1.2.3/q.go", "example.com/q.F",
	  "example.com/q@v1.2.4/q.go", "", JOIN_BY_PATH },
	{ "", "main.go", "main.main", "/b/a/main.go", "", JOIN_BY_NAME },
	{ "", "/ci/build/main.go", "main.main", "/else/app/main.go", "", JOIN_NOT },
	{ "", "sub.go", "main.main", "/b/a/bsub.go", "", JOIN_NOT },
};

static void test_ranks(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct join_place p = { cases[i].package, cases[i].place, 0, 1, 0 };

		if (join_rank_of(&p, cases[i].function, cases[i].frame, cases[i].module) !=
		    cases[i].want)
			fail_msg("case %zu: %s %s", i, cases[i].place, cases[i].frame);
	}
}

static void add(struct join_index *x, const char *package, const char *file, uint32_t id, int line,
		uint32_t row)
{
	struct join_place p = { package, file, id, line, row };

	assert_true(vec_push(&x->places, p));
	x->nfiles = MAX(x->nfiles, id + 1);
}

/* Two files that a bare name may mean are told; a better match drops the others. */
static void test_split(void **state)
{
	_cleanup_(join_index_deinit) struct join_index x = { .module = "example.com/a" };
	const struct ans_frame one = { .function = "example.com/a/p.F",
				       .file = "/b/p/f.go",
				       .line = 7 };
	const struct ans_frame two = { .function = "example.com/a/q.F",
				       .file = "/b/q/f.go",
				       .line = 7 };
	const struct ans_frame three = { .function = "example.com/a/q.F",
					 .file = "/b/q/f.go",
					 .line = 8 };
	struct join_hits h;

	(void)state;
	add(&x, "", "f.go", 0, 7, 1);
	add(&x, "", "q/f.go", 1, 7, 2);
	add(&x, "", "q/f.go", 1, 8, 3);
	add(&x, "", "q/f.go", 1, 8, 4);
	assert_null(join_index_make(&x));
	join_find(&x, &one, &h);
	assert_int_equal(h.n, 1);
	assert_int_equal(h.row[0], 1);
	assert_false(h.split);
	join_find(&x, &two, &h); /* "q/f.go" says more than "f.go" */
	assert_int_equal(h.n, 1);
	assert_int_equal(h.row[0], 2);
	assert_int_equal(h.rank, JOIN_BY_PATH);
	join_find(&x, &three, &h);
	assert_int_equal(h.n, 2);
	assert_true(join_knows_file(&x, &one));

	const struct ans_frame other = { .function = "example.com/a/z.F",
					 .file = "/c/z/f.go",
					 .line = 7 };

	join_find(&x, &other, &h); /* f.go was p's */
	assert_int_equal(h.n, 1);
	assert_true(h.split);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_ranks),
					    cmocka_unit_test(test_split) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
