/*
 * find.c - a process by its name; one pass over /proc, two where several have it.
 *
 * A name is the exact comm, or the base name of the executable.  Threads, zombies, kernel threads
 * and twins are no answer, nor are we.  Cost: one small file and one link a process.
 */
#include "target/container.h"
#include "target/denied.h"
#include "target/facts.h"
#include "target/procfs.h"

#include "base/clean.h"
#include "base/str.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#define COMM_BYTES 15U			/* TASK_COMM_LEN without its end */
#define PF_KTHREAD UINT64_C(0x00200000) /* include/linux/sched.h */
#define FORK_US	   5000U
#define LIST_BYTES 400U
#define ARGUMENTS  60

typedef VEC(pid_t) pids;

struct wanted {
	const char *name, *where; /* where NULL: anywhere */
	pid_t except;
};

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The path of the executable, "" where it is not ours to see; "(deleted)" is not in it. */
static void read_exe(pid_t pid, char *buf, size_t cap)
{
	static const char deleted[] = " (deleted)";
	size_t k = sizeof(deleted) - 1;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	ssize_t n = readlink(path, buf, cap - 1);

	buf[MAX(n, 0)] = '\0';
	if (n > (ssize_t)k && !strcmp(buf + n - k, deleted))
		buf[(size_t)n - k] = '\0';
}

/* The kernel cuts a comm: what is longer is told by the executable, or else by what it calls
 * itself. */
static bool is_cut_to(pid_t pid, const char *comm, const char *name)
{
	char cmd[4096];

	return strlen(name) > COMM_BYTES && strlen(comm) == COMM_BYTES &&
	       !strncmp(name, comm, COMM_BYTES) &&
	       proc_read_small(cmd, sizeof(cmd), "/proc/%d/cmdline", pid) > 0 &&
	       !strcmp(base_of(cmd), name);
}

/*
 * A copy that some limpet made: its parent hears nothing of its end (exit signal 0) and runs the
 * same. It is called as the program is, and no program of its own.
 */
static bool is_twin(const struct proc_stat *s)
{
	struct proc_stat parent;

	return s->exit_signal == 0 && proc_read_stat(s->ppid, &parent) &&
	       !strcmp(parent.comm, s->comm);
}

/* Another limpet, too: by the file that it runs. */
static bool is_us(pid_t pid)
{
	struct stat ours, its;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return pid == getpid() || (!stat("/proc/self/exe", &ours) && !stat(path, &its) &&
				   ours.st_dev == its.st_dev && ours.st_ino == its.st_ino);
}

static bool is_called(pid_t pid, const struct wanted *w)
{
	struct proc_stat s;
	char exe[4096];

	if (pid == w->except || !proc_read_stat(pid, &s) || s.state == 'Z' || s.state == 'X' ||
	    (s.flags & PF_KTHREAD))
		return false;
	read_exe(pid, exe, sizeof(exe));
	bool hit = !strcmp(s.comm, w->name) || !strcmp(base_of(exe), w->name) ||
		   (!*exe && is_cut_to(pid, s.comm, w->name));

	return hit && !is_twin(&s) && !is_us(pid);
}

static bool is_there(pid_t pid, const char *where)
{
	struct target_place p;

	if (!where)
		return true;
	container_find(pid, &p);
	return container_is(&p, where);
}

static struct err *scan(const struct wanted *w, pids *ret)
{
	_cleanup_(closedirp) DIR *d = opendir("/proc");

	if (!d)
		return err_os(errno, "/proc");
	for (struct dirent *e; (e = readdir(d));) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		pid_t pid = (pid_t)strtol(e->d_name, NULL, 10);

		if (is_called(pid, w) && is_there(pid, w->where) && !vec_push(ret, pid))
			return &err_nomem;
	}
	return NULL;
}

/* A program that starts another is there twice between fork and exec: that passes. */
static void keep_called(const struct wanted *w, pids *v)
{
	size_t n = 0;

	usleep(FORK_US);
	for (size_t i = 0; i < v->n; i++)
		if (is_called(v->v[i], w))
			v->v[n++] = v->v[i];
	v->n = n;
}

static struct err *look(const struct wanted *w, pids *ret)
{
	struct err *err;

	ret->n = 0;
	err = scan(w, ret);
	if (!err && ret->n > 1)
		keep_called(w, ret);
	return err;
}

/* Its name and arguments, with spaces for their ends. */
static void put_arguments(struct str *o, pid_t pid)
{
	char cmd[4096] = "";
	ssize_t n = proc_read_small(cmd, sizeof(cmd), "/proc/%d/cmdline", pid);
	size_t first = (size_t)(base_of(cmd) - cmd);

	for (ssize_t i = 0; i + 1 < n; i++)
		cmd[i] = cmd[i] ? cmd[i] : ' ';
	cmd[MIN(first + ARGUMENTS, sizeof(cmd) - 1)] = '\0';
	clean_in_place(cmd + first);
	str_printf(o, ", %s", cmd + first);
}

/* "1234 in container 4f66ad9a0b2e (docker), since 2026-11-21 18:03:44 UTC, /srv/server" */
static void put_process(struct str *o, pid_t pid, enum target_words w)
{
	struct target_place place;
	char buf[CONTAINER_WORDS], exe[4096], when[40];
	time_t started = (time_t)(facts_started(pid) / 1000000000U);
	struct tm tm;

	container_find(pid, &place);
	str_printf(o, "%d", pid);
	if (place.ns_depth > 1)
		str_printf(o, " (pid %d in there)", place.ns_pid);
	str_put(o, container_words(&place, buf));
	if (started && gmtime_r(&started, &tm) && strftime(when, sizeof(when), "%F %T UTC", &tm))
		str_printf(o, ", since %s", when);
	if (w == TARGET_WORDS_ARGUMENTS) {
		put_arguments(o, pid);
		return;
	}
	read_exe(pid, exe, sizeof(exe));
	clean_in_place(exe);
	if (*exe)
		str_printf(o, ", %s", exe);
}

static struct err *several(const struct wanted *want, const pids *v, enum target_words w)
{
	_cleanup_(str_deinit) struct str list = { 0 };
	size_t shown = 0, end = 0;

	for (; shown < v->n && list.n < LIST_BYTES; shown++) {
		end = list.n;
		if (shown)
			str_put(&list, "; ");
		put_process(&list, v->v[shown], w);
	}
	if (!str_ok(&list))
		return &err_nomem;
	if (list.n > LIST_BYTES && shown > 1) {
		shown--;
		list.s[end] = '\0';
	}
	if (shown < v->n)
		return err_usage("%zu processes are called %.40s, give a pid: %.*s ...", v->n,
				 want->name, (int)LIST_BYTES - 10, list.s);
	return err_usage("%zu processes are called %.40s, give a pid: %.*s", v->n, want->name,
			 (int)LIST_BYTES, list.s);
}

/* Processes that are there and not seen. */
static bool proc_hides(void)
{
	_cleanup_(freep) char *text = NULL;
	char *save = NULL;
	size_t n = 0;
	struct err *err = proc_slurp("/proc/self/mountinfo", 16U << 20, &text, &n);
	bool hides = false;

	err_free(err);
	for (char *l = err ? NULL : strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		if (strstr(l, " /proc ") && strstr(l, " - proc "))
			hides = strstr(l, "hidepid=") && !strstr(l, "hidepid=0") &&
				!strstr(l, "hidepid=off");
	return hides;
}

static struct err *none(const struct wanted *w)
{
	const char *why = "";

	if (!caps_effective(CAP_SYS_PTRACE) && proc_hides())
		why = "; /proc shows no processes of other users here (hidepid): run as root";

	if (w->where)
		return err_new(ERR_GONE,
			       "no process is called %.100s in a container, pod or unit whose name "
			       "begins with %.100s%s",
			       w->name, w->where, why);
	return err_new(ERR_GONE, "no process is called %.200s%s", w->name, why);
}

struct err *target_find_by_name(const char *name, pid_t except, enum target_words w, pid_t *ret)
{
	const char *at = strrchr(name, '@');
	struct wanted want = { .name = name, .except = except };
	char first[256];
	pids v = { 0 };
	struct err *err = look(&want, &v);

	if (!err && !v.n && at && at > name && at[1] && (size_t)(at - name) < sizeof(first)) {
		snprintf(first, sizeof(first), "%.*s", (int)(at - name), name);
		want.name = first;
		want.where = at + 1;
		err = look(&want, &v);
	}
	if (!err && !v.n)
		err = none(&want);
	else if (!err && v.n > 1)
		err = several(&want, &v, w);
	else if (!err)
		*ret = v.v[0];
	vec_free(&v);
	return err;
}
