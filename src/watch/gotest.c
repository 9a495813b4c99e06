/*
 * gotest.c - packages listed, built, and each test binary through its trial.
 *
 * Cost: a build a package, a trial a package; a trial a test where the package does not hold.
 */
#include "watch/gotest.h"

#include "base/files_text.h"
#include "watch/load.h"
#include "watch/pace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define BUILD_NS UINT64_C(600000000000)
#define LIST_NS	 UINT64_C(60000000000)

enum { TEXT_MAX = 16 << 20, TESTS_TRIED = 50, PATIENCE = 5, COPIES_NONE = -1 };

struct package {
	const char *path, *dir;
	bool has_tests;
};

struct gotest {
	const struct gotest_opts *o;
	const struct host *h;
	struct ans_checks *all;
	struct keep *keep;
	char tmp[PATH_MAX], binary[PATH_MAX], list[PATH_MAX], socket[PATH_MAX];
	VEC(struct package) packages;
};

/* What the trial's baseline is asked with. */
struct asked {
	const struct gotest_opts *o;
	const char *suite, *name;
};

static void remove_all(struct gotest *g)
{
	if (!*g->tmp)
		return;
	unlink(g->binary);
	unlink(g->list);
	unlink(g->socket);
	rmdir(g->tmp);
	*g->tmp = 0;
}

static void gotest_deinit(struct gotest *g)
{
	remove_all(g);
	vec_free(&g->packages);
}

static struct err *make_folder(struct gotest *g)
{
	const char *base = g->o->trial->tmp ? g->o->trial->tmp : getenv("TMPDIR");
	size_t n = sizeof(g->tmp) - 32;

	if (!base || !*base)
		base = "/tmp";
	snprintf(g->tmp, n, "%s/limpet-test.XXXXXX", base);
	if (!mkdtemp(g->tmp)) {
		*g->tmp = 0;
		return err_os(errno, "%.200s: a folder for test binaries", base);
	}
	snprintf(g->binary, sizeof(g->binary), "%.*s/check.test", (int)n, g->tmp);
	snprintf(g->list, sizeof(g->list), "%.*s/list", (int)n, g->tmp);
	snprintf(g->socket, sizeof(g->socket), "%.*s/pace", (int)n, g->tmp);
	return NULL;
}

/* Its stdout becomes g->list: it may be long. */
static struct err *run_to_file(struct gotest *g, word_list *w, uint64_t ns, const char *dir,
			       struct load_done *ret)
{
	static const char *const head[] = {
		"sh", "-c", "cd \"$1\" || exit 1; f=$0; shift; exec \"$@\" >\"$f\""
	};
	_cleanup_(freep) char **argv = zalloc(w->n + 8, sizeof(*argv));
	struct load_opts lo = { .timeout_ns = ns,
				.grace_ns = 2000000000U,
				.copies = { COPIES_NONE, g->o->trial->copy_fd } };
	size_t n = 0;

	if (!argv)
		return &err_nomem;
	for (size_t i = 0; i < ARRAY_LEN(head); i++)
		argv[n++] = (char *)(uintptr_t)head[i];
	argv[n++] = g->list;
	argv[n++] = (char *)(uintptr_t)dir;
	for (size_t i = 0; i < w->n; i++)
		argv[n++] = (char *)(uintptr_t)w->v[i];
	lo.argv = argv;
	return load_run(&lo, g->h, ret);
}

static void words_deinit(word_list *w)
{
	vec_free(w);
}

static bool put(word_list *w, const char *word)
{
	return vec_push(w, word);
}

static bool put_words(word_list *w, const word_list *more)
{
	bool good = true;

	for (size_t i = 0; i < more->n; i++)
		good = good && put(w, more->v[i]);
	return good;
}

/* go list has no -vet. */
static bool put_build(word_list *w, const word_list *flags)
{
	bool good = true;

	for (size_t i = 0; i < flags->n; i++)
		if (strncmp(flags->v[i], "-vet", 4) != 0)
			good = good && put(w, flags->v[i]);
	return good;
}

static struct err *read_list(struct gotest *g, char **ret, size_t *ret_n)
{
	_cleanup_(closep) int fd = open(g->list, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_os(errno, "%.200s", g->list);
	return file_text(fd, g->list, TEXT_MAX, ret, ret_n);
}

/* "path\tdir\tyes" a line. */
static struct err *parse_packages(struct gotest *g, const char *text, size_t n)
{
	for (size_t at = 0; at < n;) {
		const char *p = text + at, *nl = memchr(p, '\n', n - at), *a, *b;
		size_t len = nl ? (size_t)(nl - p) : n - at;

		at += len + 1;
		a = memchr(p, '\t', len);
		b = a ? memchr(a + 1, '\t', len - (size_t)(a + 1 - p)) : NULL;
		if (!b)
			continue;
		if (!vec_push(&g->packages,
			      (struct package){ keepn(g->keep, p, (size_t)(a - p)),
						keepn(g->keep, a + 1, (size_t)(b - a - 1)),
						b[1] == 'y' }))
			return &err_nomem;
	}
	return NULL;
}

static struct err *go_failed(const char *what, const struct load_done *d)
{
	const char *tail = d->tail ? d->tail : "";
	size_t n = strlen(tail), from = n > 300 ? n - 300 : 0;

	return err_usage("%s: %.300s", what, *tail ? tail + from : "the go command failed");
}

static struct err *list_packages(struct gotest *g)
{
	static const char format[] =
		"{{.ImportPath}}\t{{.Dir}}\t{{if or .TestGoFiles .XTestGoFiles}}yes{{end}}";
	const struct gotest_args *a = g->o->args;
	_cleanup_(load_deinit) struct load_done d = { 0 };
	_cleanup_(words_deinit) word_list w = { 0 };
	_cleanup_(freep) char *text = NULL;
	size_t n = 0;
	struct err *err;

	if (!put(&w, a->go) || !put(&w, "list") || !put(&w, "-f") || !put(&w, format) ||
	    !put_build(&w, &a->build) || !put(&w, "--") || !put_words(&w, &a->packages))
		return &err_nomem;
	host_say(g->h, "listing packages");
	err = run_to_file(g, &w, BUILD_NS, ".", &d);
	if (!err && d.status != 0)
		err = go_failed("go list", &d);
	if (!err)
		err = read_list(g, &text, &n);
	return err ? err : parse_packages(g, text, n);
}

/* A check without a trial. */
static struct err *put_result(struct gotest *g, const struct package *p, uint8_t result,
			      const char *why, const char *output)
{
	struct ans_check c = { .name = p->path,
			       .suite = "",
			       .result = result,
			       .why = why,
			       .output = keepf(g->keep, "%s", output ? output : ""),
			       .exit_status = -1,
			       .code = result == CHECK_BROKEN ? 3 : 0 };

	return vec_push(&g->all->v, c) ? NULL : &err_nomem;
}

static struct err *build(struct gotest *g, const struct package *p, bool *ret_good)
{
	const struct gotest_args *a = g->o->args;
	_cleanup_(load_deinit) struct load_done d = { 0 };
	_cleanup_(words_deinit) word_list w = { 0 };
	struct err *err;

	if (!put(&w, a->go) || !put(&w, "test") || !put(&w, "-c") || !put(&w, "-o") ||
	    !put(&w, g->binary) || !put_words(&w, &a->build) || !put(&w, p->path))
		return &err_nomem;
	unlink(g->binary);
	host_say(g->h, keepf(g->keep, "building the tests of %s", p->path));
	err = run_to_file(g, &w, BUILD_NS, ".", &d);
	*ret_good = !err && d.status == 0 && !access(g->binary, X_OK);
	if (err || *ret_good)
		return err;
	if (d.status == 0)
		return put_result(g, p, CHECK_SKIPPED, "no tests", NULL);
	return put_result(g, p, CHECK_BROKEN, "its tests do not build", d.tail);
}

/* The top-level tests that -run and -skip leave, by the binary itself. */
static struct err *list_tests(struct gotest *g, const struct package *p, const char *binary,
			      word_list *ret)
{
	const struct gotest_args *a = g->o->args;
	_cleanup_(load_deinit) struct load_done d = { 0 };
	_cleanup_(words_deinit) word_list w = { 0 };
	_cleanup_(freep) char *text = NULL;
	size_t n = 0, len = a->run ? strcspn(a->run, "/") : 0;
	struct err *err;

	if (!put(&w, binary) ||
	    !put(&w, keepf(g->keep, "-test.list=%.*s", (int)(len ? len : 1), len ? a->run : ".")))
		return &err_nomem;
	err = run_to_file(g, &w, LIST_NS, p->dir, &d);
	if (!err && d.status != 0)
		return put_result(g, p, CHECK_BROKEN, "its tests cannot be listed", d.tail);
	if (!err)
		err = read_list(g, &text, &n);
	for (size_t at = 0; !err && at < n;) {
		const char *line = text + at, *nl = memchr(line, '\n', n - at);
		size_t k = nl ? (size_t)(nl - line) : n - at;

		at += k + 1;
		if (k > 4 && !memcmp(line, "Test", 4) && !put(ret, keepn(g->keep, line, k)))
			err = &err_nomem;
	}
	return err;
}

static double ask_baseline(void *arg, const char *limit)
{
	struct asked *x = arg;

	return x->o->baseline(x->o->baseline_arg, x->suite, x->name, limit);
}

/* 'a'\''b': one word for sh. */
static const char *quoted(struct keep *k, const char *word)
{
	_cleanup_(str_deinit) struct str o = { 0 };

	str_put(&o, "'");
	for (const char *s = word; *s; s++)
		str_put(&o, *s == '\'' ? "'\\''" : (char[]){ *s, 0 });
	str_put(&o, "'");
	return str_ok(&o) ? keepf(k, "%s", o.s) : "false";
}

static struct err *command(struct gotest *g, const char *binary, const char *test, word_list *w)
{
	const struct gotest_args *a = g->o->args;

	if (!put(w, "/proc/self/exe") || !put(w, "--pace") || !put(w, g->socket) ||
	    !put(w, keepf(g->keep, "%d", (int)getpid())) || !put(w, "--") || !put(w, binary) ||
	    !put(w, "-test.v=true") || !put(w, "-test.count=1000000") ||
	    !put(w, "-test.paniconexit0") || !put(w, "-test.timeout=0") ||
	    !put_words(w, &a->test) || (test && !put(w, keepf(g->keep, "-test.run=^%s$", test))) ||
	    !put_words(w, &a->more) || !put(w, NULL))
		return &err_nomem;
	return NULL;
}

/* What the pacer's load said last is about the tests: "limpet: TestX fails …". */
static void say_tests(struct gotest *g, struct ans_check *c)
{
	static const char mark[] = "limpet: ";
	const char *at = NULL;

	if (c->result != CHECK_BROKEN || strncmp(c->why, "the load", 8) != 0)
		return;
	for (const char *p = c->output; (p = strstr(p, mark)); p += strlen(mark))
		at = p + strlen(mark);
	if (at)
		c->why = keepf(g->keep, "%.*s", (int)strcspn(at, "\n"), at);
}

/* One trial: test NULL: of all of the package together. */
static struct err *try(struct gotest *g, const struct package *p, const char *binary,
		       const char *test)
{
	struct asked asked = { g->o, test ? p->path : "", test ? test : p->path };
	_cleanup_(words_deinit) word_list w = { 0 };
	struct trial_opts o = *g->o->trial;
	char exe[40];
	struct ans_check c;
	struct err *err = command(g, binary, test, &w);
	const char *slash = strrchr(binary, '/');

	/* not our path: another limpet may lie there by then */
	snprintf(exe, sizeof(exe), "/proc/%d/exe", (int)getpid());
	o.name = asked.name;
	o.suite = asked.suite;
	o.argv = (char *const *)(uintptr_t)w.v;
	o.dir = p->dir;
	o.load = keepf(g->keep, "%s --pace-next %s", exe, quoted(g->keep, g->socket));
	o.ready.line = "^" PACE_READY "$";
	o.ready.port = o.ready.cmd = NULL;
	o.ready.exe = slash ? slash + 1 : binary;
	o.ready.timeout_ns = MAX(o.ready.timeout_ns, o.load_ns);
	o.baseline = g->o->baseline ? ask_baseline : NULL;
	o.baseline_arg = &asked;
	unlink(g->socket);
	if (!err)
		err = trial_run(&o, g->h, g->keep, &c);
	if (err)
		return err;
	say_tests(g, &c);
	if (vec_push(&g->all->v, c))
		return NULL;
	ans_check_deinit(&c);
	return &err_nomem;
}

/* Which of its tests it is: those that were tried behind it. */
static void name_tests(struct gotest *g, size_t at, size_t left)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	struct ans_check *c = &g->all->v.v[at];
	size_t n = 0;

	for (size_t i = at + 1; i < g->all->v.n; i++)
		if (g->all->v.v[i].result == CHECK_FAILED)
			str_printf(&o, "%s%s", n++ ? ", " : "", g->all->v.v[i].name);
	if (n)
		str_printf(&o, ": ");
	else if (c->result == CHECK_FAILED)
		str_put(&o, "no test by itself, but all of them together: ");
	str_put(&o, c->why);
	if (left)
		str_printf(&o, "; %zu tests were not tried by themselves (--each-test)", left);
	if (str_ok(&o))
		c->why = keepf(g->keep, "%s", o.s);
}

/* Until there was as much time for it as for some packages. */
static struct err *try_each(struct gotest *g, const struct package *p, const char *binary,
			    const word_list *tests, size_t was)
{
	uint64_t max = g->o->trial->max_ns, end = clock_ns() + MIN(max, UINT64_MAX / 16) * PATIENCE;
	bool all = g->o->each == GOTEST_EACH;
	struct err *err = NULL;
	size_t i;

	for (i = 0; !err && i < tests->n; i++) {
		if (!all && (i == TESTS_TRIED || clock_ns() > end))
			break;
		err = try(g, p, binary, tests->v[i]);
	}
	if (!err && !all)
		name_tests(g, was, tests->n - i);
	return err;
}

static struct err *try_all(struct gotest *g, const struct package *p, const char *binary)
{
	_cleanup_(words_deinit) word_list tests = { 0 };
	size_t was = g->all->v.n;
	struct err *err = list_tests(g, p, binary, &tests);
	uint8_t result = CHECK_FAILED;

	if (err || g->all->v.n > was) /* it said something already */
		return err;
	if (!tests.n)
		return put_result(g, p, CHECK_SKIPPED, "no tests to run", NULL);
	if (g->o->each == GOTEST_WHERE_IT_FAILS) {
		err = try(g, p, binary, NULL);
		result = err ? CHECK_PASSED : g->all->v.v[was].result;
	}
	if (err || (result != CHECK_FAILED && result != CHECK_UNSURE))
		return err;
	if (g->o->each == GOTEST_WHERE_IT_FAILS && tests.n == 1)
		return NULL; /* it is that one */
	return try_each(g, p, binary, &tests, was);
}

static struct err *check_package(struct gotest *g, const struct package *p)
{
	bool good = false;
	struct err *err;

	if (!p->has_tests)
		return put_result(g, p, CHECK_SKIPPED, "no test files", NULL);
	err = build(g, p, &good);
	return err || !good ? err : try_all(g, p, g->binary);
}

static struct err *check_binary(struct gotest *g)
{
	const char *path = g->o->args->binary, *slash = strrchr(path, '/');
	char full[PATH_MAX];
	struct package p = { .path = keepf(g->keep, "%s", slash ? slash + 1 : path), .dir = "." };

	if (!realpath(path, full))
		return err_os(errno, "%.200s", path);
	return try_all(g, &p, keepf(g->keep, "%s", full));
}

struct err *gotest_run(const struct gotest_opts *o, const struct host *h, struct ans_checks *ret)
{
	_cleanup_(
		gotest_deinit) struct gotest g = { .o = o, .h = h, .all = ret, .keep = &ret->keep };
	struct err *err = make_folder(&g);

	if (!err && o->args->binary)
		return check_binary(&g);
	if (!err)
		err = list_packages(&g);
	for (size_t i = 0; !err && i < g.packages.n; i++)
		err = check_package(&g, &g.packages.v[i]);
	if (!err && !g.packages.n)
		err = err_usage("go list: no packages");
	return err ? err : keep_err(g.keep);
}
