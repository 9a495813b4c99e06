/*
 * layout_build.c - builds the sample program whose DWARF a layout is made from.
 *
 * The program uses what pulls the runtime's structs into DWARF: finalizers, cleanups,
 * weak pointers, timers, profiles.  It is built, never run.  Cost: one `go build`.
 */
#include "goruntime/layout_make.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;

static void layout_freep(struct go_layout **l)
{
	go_layout_free(*l);
}

static const struct {
	const char *name, *text;
} files[] = {
	{ "go.mod", "module sample\n\ngo 1.18\n" },
	{ "main.go",
	  "package main\n"
	  "import (\"os\"; \"reflect\"; \"runtime\"; \"runtime/debug\"; \"runtime/pprof\"; \"sync\"; \"time\")\n"
	  "type node struct{ next *node }\n"
	  "var keep any\n"
	  "var m sync.Map\n"
	  "var pool sync.Pool\n"
	  "func main() {\n"
	  "	n := &node{&node{}}\n"
	  "	runtime.SetFinalizer(n, func(*node) {})\n"
	  "	extra(n)\n"
	  "	t := time.AfterFunc(time.Hour, func() {})\n"
	  "	defer t.Stop()\n"
	  "	m.Store(1, n)\n"
	  "	pool.Put(n)\n"
	  "	pprof.Do(nil, pprof.Labels(\"a\", \"b\"), nil)\n"
	  "	var ms runtime.MemStats\n"
	  "	runtime.ReadMemStats(&ms)\n"
	  "	debug.SetGCPercent(100)\n"
	  "	runtime.MemProfile(nil, true)\n"
	  "	runtime.SetBlockProfileRate(0)\n"
	  "	keep = map[string]*node{\"a\": n}\n"
	  "	keep = reflect.MakeMap(reflect.TypeOf(map[int]*node{}))\n"
	  "	ch := make(chan int)\n"
	  "	select { case v := <-ch: keep = v; case ch <- 1: default: }\n"
	  "	runtime.GC()\n"
	  "	if len(os.Args) > 1 { debug.WriteHeapDump(1) }\n"
	  "}\n" },
	{ "new.go", "//go:build go1.24\n\npackage main\n"
		    "import (\"runtime\"; \"weak\")\n"
		    "func extra(n *node) {\n"
		    "	runtime.AddCleanup(n, func(int) {}, 1)\n"
		    "	keep = weak.Make(n)\n"
		    "}\n" },
	{ "old.go", "//go:build !go1.24\n\npackage main\nfunc extra(n *node) {}\n" },
};

static struct err *write_file(const char *dir, const char *name, const char *text)
{
	_cleanup_(closep) int fd = -1;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return err_os(errno, "%s", path);
	return NULL;
}

static void remove_sample(const char *dir)
{
	char path[512];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i].name);
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/sample", dir);
	unlink(path);
	rmdir(dir);
}

/* A GOROOT or the binary itself, as seen from any folder. */
static struct err *go_binary(const char *go_path, char **ret)
{
	char path[PATH_MAX];
	struct stat st;

	if (stat(go_path, &st) == 0 && S_ISDIR(st.st_mode))
		snprintf(path, sizeof(path), "%s/bin/go", go_path);
	else
		snprintf(path, sizeof(path), "%s", go_path);
	*ret = realpath(path, NULL);
	return *ret ? NULL : err_os(errno, "%s", path);
}

/* Our environment with what must not change the build fixed. */
static bool starts(const char *s, const char *key)
{
	return !strncmp(s, key, strlen(key));
}

static char **build_env(char *const *fixed, size_t nfixed)
{
	size_t n = 0, k = 0;
	char **env;

	while (environ[n])
		n++;
	env = zalloc(n + nfixed + 1, sizeof(*env));
	if (!env)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (!starts(environ[i], "GOTOOLCHAIN=") && !starts(environ[i], "GOFLAGS=") &&
		    !starts(environ[i], "GOROOT=") && !starts(environ[i], "GOWORK=") &&
		    !starts(environ[i], "CGO_ENABLED=") && !starts(environ[i], "GOOS="))
			env[k++] = environ[i];
	}
	for (size_t i = 0; i < nfixed; i++)
		env[k++] = fixed[i];
	return env;
}

/* In the folder: `go -C` is of 1.20. */
static int spawn_in(const char *dir, const char *go, char *const *argv, char *const *env,
		    pid_t *ret)
{
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc)
		return rc;
	rc = posix_spawn_file_actions_addchdir_np(&actions, dir);
	if (!rc)
		rc = posix_spawn(ret, go, &actions, NULL, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	return rc;
}

static struct err *run_go(const char *dir, const char *go)
{
	char *const argv[] = { (char *)(uintptr_t)go, (char[]){ "build" }, (char[]){ "-o" },
			       (char[]){ "sample" },  (char[]){ "." },	   NULL };
	char *fixed[] = { (char[]){ "GOTOOLCHAIN=local" }, (char[]){ "CGO_ENABLED=0" },
			  (char[]){ "GOFLAGS=" }, (char[]){ "GOWORK=off" },
			  (char[]){ "GOOS=linux" } };
	_cleanup_(freep) char **env = build_env(fixed, ARRAY_LEN(fixed));
	pid_t pid;
	int status, rc;

	if (!env)
		return &err_nomem;
	rc = spawn_in(dir, go, argv, env, &pid);
	if (rc)
		return err_os(rc, "%s", go);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_os(errno, "waiting for %s", go);
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return err_unsupported("%s could not build the sample program (see above)", go);
	return NULL;
}

static struct err *build(const char *dir, const char *go_path, struct go_layout **ret)
{
	_cleanup_(freep) char *go = NULL;
	char path[512];
	struct err *err = go_binary(go_path, &go);

	for (size_t i = 0; !err && i < ARRAY_LEN(files); i++)
		err = write_file(dir, files[i].name, files[i].text);
	if (!err)
		err = run_go(dir, go);
	if (err)
		return err;
	snprintf(path, sizeof(path), "%s/sample", dir);
	return go_layout_make(path, ret);
}

struct err *go_layout_make_go(const char *go_path, struct go_layout **ret)
{
	char dir[] = "/tmp/limpet-layout-XXXXXX";
	struct err *err;

	if (!mkdtemp(dir))
		return err_os(errno, "%s", dir);
	err = build(dir, go_path, ret);
	remove_sample(dir);
	return err;
}

struct err *go_layout_from_toolchain(const char *go_path, FILE *out)
{
	_cleanup_(layout_freep) struct go_layout *l = NULL;
	struct err *err = go_layout_make_go(go_path, &l);

	return err ? err : go_layout_write_text(l, out);
}
