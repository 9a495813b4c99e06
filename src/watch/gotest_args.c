/*
 * gotest_args.c - the words behind `go test`, sorted.
 *
 * Which flags take a value: cmd/go/internal/work/build.go (AddBuildFlags), internal/test/test.go,
 * testing.go (Init).
 */
#include "watch/gotest_args.h"

enum takes { FLAG, VALUE };
enum whose { BUILD, TEST, DROPPED };

static const struct {
	const char *name;
	uint8_t takes, whose;
} table[] = {
	{ "a", FLAG, BUILD },
	{ "n", FLAG, DROPPED },
	{ "x", FLAG, DROPPED },
	{ "work", FLAG, DROPPED },
	{ "p", VALUE, BUILD },
	{ "race", FLAG, BUILD },
	{ "msan", FLAG, BUILD },
	{ "asan", FLAG, BUILD },
	{ "cover", FLAG, BUILD },
	{ "covermode", VALUE, BUILD },
	{ "coverpkg", VALUE, BUILD },
	{ "tags", VALUE, BUILD },
	{ "mod", VALUE, BUILD },
	{ "modfile", VALUE, BUILD },
	{ "modcacherw", FLAG, BUILD },
	{ "overlay", VALUE, BUILD },
	{ "ldflags", VALUE, BUILD },
	{ "gcflags", VALUE, BUILD },
	{ "asmflags", VALUE, BUILD },
	{ "gccgoflags", VALUE, BUILD },
	{ "buildvcs", FLAG, BUILD },
	{ "buildmode", VALUE, BUILD },
	{ "compiler", VALUE, BUILD },
	{ "installsuffix", VALUE, BUILD },
	{ "linkshared", FLAG, BUILD },
	{ "pgo", VALUE, BUILD },
	{ "pkgdir", VALUE, BUILD },
	{ "toolexec", VALUE, BUILD },
	{ "trimpath", FLAG, BUILD },
	{ "vet", VALUE, BUILD },
	{ "run", VALUE, TEST },
	{ "skip", VALUE, TEST },
	{ "short", FLAG, TEST },
	{ "parallel", VALUE, TEST },
	{ "cpu", VALUE, TEST },
	{ "shuffle", VALUE, TEST },
	{ "fullpath", FLAG, TEST },
	{ "failfast", FLAG, TEST },
	{ "paniconexit0", FLAG, DROPPED },
	{ "v", FLAG, DROPPED },
	{ "count", VALUE, DROPPED },
	{ "timeout", VALUE, DROPPED },
	{ "json", FLAG, DROPPED },
	{ "bench", VALUE, DROPPED },
	{ "benchtime", VALUE, DROPPED },
	{ "benchmem", FLAG, DROPPED },
	{ "list", VALUE, DROPPED },
	{ "outputdir", VALUE, DROPPED },
	{ "coverprofile", VALUE, DROPPED },
	{ "cpuprofile", VALUE, DROPPED },
	{ "memprofile", VALUE, DROPPED },
	{ "memprofilerate", VALUE, TEST },
	{ "blockprofile", VALUE, DROPPED },
	{ "mutexprofile", VALUE, DROPPED },
	{ "trace", VALUE, DROPPED },
	{ "o", VALUE, DROPPED },
	{ "c", FLAG, DROPPED },
	{ "i", FLAG, DROPPED },
};

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n > k && !strcmp(s + n - k, end);
}

bool gotest_wanted(const char *const *argv, size_t n)
{
	if (n > 1 && !strcmp(base_of(argv[0]), "go") && !strcmp(argv[1], "test"))
		return true;
	if (n && ends_with(argv[0], ".test"))
		return true;
	for (size_t i = 1; i < n; i++)
		if (!strncmp(argv[i], "-test.", 6) || !strncmp(argv[i], "--test.", 7))
			return true;
	return false;
}

/* Of "-run", "--test.run=x": its row in the table; SIZE_MAX: not listed. */
static size_t row_of(const char *word)
{
	const char *name = word + strspn(word, "-");
	size_t len;

	if (!strncmp(name, "test.", 5))
		name += 5;
	len = strcspn(name, "=");
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (strlen(table[i].name) == len && !strncmp(table[i].name, name, len))
			return i;
	return SIZE_MAX;
}

static struct err *put(word_list *l, const char *word)
{
	return vec_push(l, word) ? NULL : &err_nomem;
}

/* A flag, and its value; *i: of the word that was used last. */
static struct err *take_flag(const char *const *argv, size_t n, size_t *i, struct gotest_args *a)
{
	const char *word = argv[*i], *eq = strchr(word, '='), *value = eq ? eq + 1 : NULL;
	size_t row = row_of(word);

	if (row ==
	    SIZE_MAX) /* one that the tests define themselves; its value must be behind '=' */
		return put(&a->more, word);
	if (table[row].takes == VALUE && !value) {
		if (*i + 1 >= n)
			return err_usage("%.100s: wants a value", word);
		value = argv[++*i];
	}
	if (table[row].whose == DROPPED)
		return NULL;
	if (!strcmp(table[row].name, "run"))
		a->run = value;
	word = keepf(&a->keep, "-%s%s%s%s", table[row].whose == TEST ? "test." : "",
		     table[row].name, value ? "=" : "", value ? value : "");
	return put(table[row].whose == TEST ? &a->test : &a->build, word);
}

static struct err *take_rest(const char *const *argv, size_t n, size_t i, struct gotest_args *a)
{
	struct err *err = NULL;

	for (; !err && i < n; i++)
		err = put(&a->more, argv[i]);
	return err;
}

struct err *gotest_parse(const char *const *argv, size_t n, struct gotest_args *ret)
{
	_cleanup_(gotest_args_deinit) struct gotest_args a = { 0 };
	bool go = n > 1 && !strcmp(base_of(argv[0]), "go") && !strcmp(argv[1], "test");
	struct err *err = NULL;

	a.go = go ? argv[0] : NULL;
	a.binary = go ? NULL : argv[0];
	for (size_t i = go ? 2 : 1; !err && i < n; i++) {
		const char *bare = argv[i] + strspn(argv[i], "-");

		if (*argv[i] == '-' && !strcmp(bare, "args")) {
			err = take_rest(argv, n, i + 1, &a);
			break;
		}
		if (*argv[i] == '-' && *bare)
			err = take_flag(argv, n, &i, &a);
		else if (go)
			err = put(&a.packages, argv[i]);
		else
			err = put(&a.more, argv[i]);
	}
	if (!err && go && !a.packages.n)
		err = put(&a.packages, ".");
	if (!err)
		err = keep_err(&a.keep);
	if (err)
		return err;
	*ret = a;
	a = (struct gotest_args){ 0 };
	return NULL;
}

void gotest_args_deinit(struct gotest_args *a)
{
	vec_free(&a->build);
	vec_free(&a->packages);
	vec_free(&a->test);
	vec_free(&a->more);
	keep_deinit(&a->keep);
}
