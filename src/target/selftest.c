/*
 * selftest.c - two kinds of children: one of C that counts, one that is any program.
 *
 * The C child shows that threads can be stopped, a twin made, read and reaped, and that the
 * child counts on meanwhile and afterwards.  Cost: some 20 ms.
 */
#include "target/selftest.h"

#include "base/clock.h"
#include "target/procfs.h"
#include "target/residue.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#define READY_MS  10000
#define ANSWER_MS 2000
#define TRY_MS	  300
#define WORDS	  4096U

/* Shared with the child; the pattern is private and copied by the twin. */
struct counter {
	_Atomic uint64_t ticks;
	uint64_t *pattern;
};

static uint64_t word_of(size_t i)
{
	return 0x6c696d7065740000U + i;
}

static _Noreturn void count_for_ever(struct counter *c)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 1);
	signal(SIGINT, SIG_IGN);
	for (size_t i = 0; i < WORDS; i++)
		c->pattern[i] = word_of(i);
	for (;;) {
		atomic_fetch_add(&c->ticks, 1);
		nanosleep(&(struct timespec){ .tv_nsec = 200000 }, NULL);
	}
}

static bool ticks_on(struct counter *c)
{
	uint64_t before = atomic_load(&c->ticks);

	for (uint64_t end = clock_ns() + ANSWER_MS * 1000000ULL; clock_ns() < end; usleep(1000))
		if (atomic_load(&c->ticks) > before)
			return true;
	return false;
}

/* What the twin holds must be what the child wrote. */
static struct err *compare(struct target *t, const struct counter *c)
{
	_cleanup_(freep) uint64_t *got = zalloc(WORDS, sizeof(*got));

	if (!got)
		return &err_nomem;
	struct err *err = target_read(t, (taddr)(uintptr_t)c->pattern, got, WORDS * sizeof(*got));

	for (size_t i = 0; !err && i < WORDS; i++)
		if (got[i] != word_of(i))
			return err_bad_data("word %zu of the child reads 0x%" PRIx64, i, got[i]);
	return err;
}

static bool is_alone(pid_t pid, char *why, size_t cap)
{
	struct proc_status s;
	char kids[64] = "";
	struct err *err = proc_read_status(pid, 0, &s);

	if (err) {
		snprintf(why, cap, "%.150s", err->msg);
		err_free(err);
		return false;
	}
	proc_read_small(kids, sizeof(kids), "/proc/%d/task/%d/children", pid, pid);
	unsigned twins = residue_count(pid);

	snprintf(why, cap, "state %c, tracer %d, %u twins, children: %s", s.state, s.tracer, twins,
		 *kids ? kids : "none");
	return !s.tracer && !twins && !*kids && strchr("RS", s.state);
}

enum target_method selftest_method(void)
{
	char buf[8192] = "";

	proc_read_small(buf, sizeof(buf), "/proc/self/status");
	return proc_number(buf, "Seccomp") == 2 ? TARGET_BY_FREEZE : TARGET_BY_FORK;
}

/* Our filter is our children's too, and who has one may not suspend another's. */
static void say_frozen(struct doctor *d)
{
	struct doctor_check *c =
		doctor_say(d, "snapshot", DOCTOR_NOTE,
			   "a child of limpet's own reads right while it is stopped; no twin was "
			   "tried: a seccomp filter is on limpet and so on the child");

	doctor_todo(c, "where targets have filters, --freeze is all there is; or:");
	doctor_remedy(c, NEED_PTRACE | NEED_ADMIN, 0);
}

static void look_at(struct doctor *d, pid_t pid, struct counter *c)
{
	struct target_opts o = { .method = selftest_method(), .what = "doctor --selftest" };
	_cleanup_(target_closep) struct target *t = NULL;
	struct err *err = target_open_live(pid, &o, &t);

	if (!err)
		err = compare(t, c);
	if (err) {
		doctor_todo(doctor_fail(d, "snapshot", err),
			    "`limpet doctor` says what is missing");
		return;
	}
	if (o.method == TARGET_BY_FREEZE) {
		say_frozen(d);
		return;
	}
	uint64_t us = target_capture(t)->pause_ns / 1000;

	if (ticks_on(c))
		doctor_say(d, "snapshot", DOCTOR_OK,
			   "a child of limpet's own: stopped for %" PRIu64 ".%03" PRIu64
			   " ms, its twin reads right, it ran on meanwhile",
			   us / 1000, us % 1000);
	else
		doctor_say(d, "snapshot", DOCTOR_FAIL,
			   "the child did not run on while its twin was read");
}

static void after(struct doctor *d, pid_t pid, struct counter *c)
{
	char why[200];

	if (is_alone(pid, why, sizeof(why)) && ticks_on(c))
		doctor_say(d, "unharmed", DOCTOR_OK,
			   "afterwards it runs, untraced, without a child");
	else
		doctor_say(d, "unharmed", DOCTOR_FAIL, "afterwards the child is not as before: %s",
			   why);
}

static void unmap(struct counter *c, uint64_t *pattern)
{
	munmap(c, sizeof(*c));
	munmap(pattern, WORDS * sizeof(*pattern));
}

void selftest_child(struct doctor *d)
{
	struct counter *c =
		mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t *pattern = mmap(NULL, WORDS * sizeof(*pattern), PROT_READ | PROT_WRITE,
				 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (c == MAP_FAILED || pattern == MAP_FAILED) {
		doctor_fail(d, "snapshot", &err_nomem);
		return;
	}
	c->pattern = pattern;
	pid_t pid = fork();

	if (pid == 0)
		count_for_ever(c);
	if (pid < 0) {
		doctor_fail(d, "snapshot", err_os(errno, "fork"));
		unmap(c, pattern);
		return;
	}
	if (ticks_on(c)) {
		look_at(d, pid, c);
		after(d, pid, c);
	} else {
		doctor_say(d, "snapshot", DOCTOR_FAIL, "a child of limpet's own does not start");
	}
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	unmap(c, pattern);
}

static bool read_within(int fd, char *buf, size_t n, int ms)
{
	uint64_t end = clock_ns() + (uint64_t)ms * 1000000U;

	for (size_t done = 0; done < n;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t now = clock_ns();

		if (now >= end || poll(&p, 1, (int)((end - now) / 1000000U) + 1) < 0)
			return false;
		ssize_t got = p.revents ? read(fd, buf + done, n - done) : 0;

		if (p.revents && got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

static bool ask(const struct prey *p, int ms)
{
	char c = 0;

	return write(p->to, "x", 1) == 1 && read_within(p->from, &c, 1, ms) && c == 'x';
}

static _Noreturn void become(int fd, const char *name, int in, int out)
{
	char *const argv[] = { (char *)(uintptr_t)name, NULL };
	char *const env[] = { NULL };
	int null = open("/dev/null", O_WRONLY);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(in, 0);
	dup2(out, 1);
	if (null >= 0)
		dup2(null, 2);
	fexecve(fd, argv, env);
	_exit(127);
}

struct err *prey_start(int fd, const char *name, struct prey *ret)
{
	struct prey p = { .pid = -1, .to = -1, .from = -1 };
	int in[2], out[2];
	char word[6];

	if (pipe2(in, O_CLOEXEC))
		return err_os(errno, "pipe");
	if (pipe2(out, O_CLOEXEC)) {
		close(in[0]);
		close(in[1]);
		return err_os(errno, "pipe");
	}
	p.pid = fork();
	int no = errno;

	if (p.pid == 0)
		become(fd, name, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	p.to = in[1];
	p.from = out[0];
	if (p.pid > 0 && read_within(p.from, word, 6, READY_MS) && !memcmp(word, "READY", 5)) {
		p.echoes = ask(&p, TRY_MS);
		*ret = p;
		return NULL;
	}
	bool started = p.pid > 0;

	prey_end(&p);
	return started ? err_unsupported("%s: does not start, or does not say READY", name)
		       : err_os(no, "fork");
}

bool prey_lives(const struct prey *p, char *why, size_t cap)
{
	if (!is_alone(p->pid, why, cap))
		return false;
	if (!p->echoes || ask(p, ANSWER_MS))
		return true;
	snprintf(why, cap, "it does not answer");
	return false;
}

void prey_end(struct prey *p)
{
	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	p->pid = -1;
	closep(&p->to);
	closep(&p->from);
	p->to = p->from = -1;
}
