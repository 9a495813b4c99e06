/*
 * warden.c - starts one program, gets its orphans, ends them all.
 *
 * Runs in a fork of limpet that opens nothing but /proc.  Waits in poll(2): costs nothing.
 */
#include "watch/warden.h"

#include "base/clock.h"
#include "watch/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef PR_SET_PTRACER
#define PR_SET_PTRACER 0x59616d61
#endif

#define NS_MS	      1000000U
#define KILL_FOR_NS   (5000ULL * NS_MS)
#define KILL_EVERY_MS 5

struct warden {
	int sock, signals;
	pid_t pid;
	int status;
	bool ended;
};

/* Only what may be called between fork and exec. */
static _Noreturn void become(const struct child_opts *o, int out, int why)
{
	static const int ours[] = { SIGPIPE, SIGXFSZ, SIGINT, SIGTERM, SIGHUP, SIGCHLD };
	sigset_t none;
	int null = open("/dev/null", O_RDONLY), no;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_PTRACER, (unsigned long)o->tracer, 0, 0, 0); /* EINVAL: nobody asks */
	setsid();
	dup2(null, 0);
	dup2(out, 1);
	dup2(out, 2);
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		signal(ours[i], SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	syscall(SYS_close_range, 3, ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
	if (!o->dir || !chdir(o->dir)) {
		if (o->env)
			execvpe(o->argv[0], o->argv, o->env);
		else
			execvp(o->argv[0], o->argv);
	}
	no = errno;
	_exit(write(why, &no, sizeof(no)) == sizeof(no) ? 127 : 126);
}

static void say(const struct warden *w, struct warden_says s)
{
	/* nobody listens: the next poll tells */
	(void)!send(w->sock, &s, sizeof(s), MSG_NOSIGNAL);
}

static void reap(struct warden *w)
{
	int status;

	for (pid_t p; (p = waitpid(-1, &status, WNOHANG)) > 0;) {
		if (p != w->pid || w->ended)
			continue;
		w->status = status;
		w->ended = true;
		say(w, (struct warden_says){ WARDEN_ENDED, status, 0, 0 });
	}
}

/* How many there are without one of them; sig 0: nothing is sent. */
static size_t signal_all(pid_t root, int sig, pid_t except)
{
	pid_list v = { 0 };
	struct err *err = tree_below(root, &v);
	size_t n = v.n;

	for (size_t i = 0; i < v.n; i++) {
		n -= v.v[i] == except;
		if (sig)
			kill(v.v[i], sig);
	}
	err_free(err);
	vec_free(&v);
	return n;
}

unsigned warden_kill_below(pid_t root)
{
	uint64_t end = clock_ns() + KILL_FOR_NS;
	size_t n = 0;

	/* none is believed when it is seen twice: a list of processes is not of one instant */
	for (int none = 0; none < 2 && clock_ns() < end; none = n ? 0 : none + 1) {
		n = signal_all(root, SIGKILL, 0);
		poll(NULL, 0, n ? KILL_EVERY_MS : 1);
		while (root == getpid() && waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	return (unsigned)n;
}

/* Until none is left, or ns is over, or nobody wants to know any more. */
static size_t wait_for_end(struct warden *w, uint64_t ns)
{
	uint64_t end = clock_ns() + ns;
	size_t n;

	for (;;) {
		struct pollfd p = { .fd = w->sock, .events = 0 };

		reap(w);
		n = signal_all(getpid(), 0, 0);
		if (!n || clock_ns() >= end)
			return n;
		if (poll(&p, 1, 20) > 0) /* hung up */
			return n;
	}
}

static _Noreturn void end_all(struct warden *w, uint64_t grace_ns)
{
	struct warden_says s = { WARDEN_DONE, 0, 0, 0 };

	reap(w);
	size_t n = signal_all(getpid(), grace_ns ? SIGTERM : 0, w->pid);

	s.others = w->ended ? (int32_t)n : 0;
	if (grace_ns && wait_for_end(w, grace_ns))
		s.killed = 1;
	s.value = (int32_t)warden_kill_below(getpid());
	reap(w);
	say(w, s);
	_exit(0);
}

static void watch(struct warden *w)
{
	struct pollfd p[] = { { .fd = w->sock, .events = POLLIN },
			      { .fd = w->signals, .events = POLLIN } };
	struct signalfd_siginfo si;
	struct warden_told told;

	if (poll(p, 2, -1) < 0)
		return;
	if (p[1].revents & POLLIN)
		(void)!read(w->signals, &si, sizeof(si));
	reap(w);
	if (!p[0].revents)
		return;
	ssize_t n = recv(w->sock, &told, sizeof(told), 0);

	end_all(w, n == sizeof(told) ? told.grace_ns : 0);
}

/* Only the socket, the output and 0 to 2 (of nobody's use) are ours. */
static void close_others(int *sock, int *out)
{
	int null = open("/dev/null", O_RDWR);

	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
	*sock = fcntl(*sock, F_DUPFD_CLOEXEC, 200);
	*out = fcntl(*out, F_DUPFD_CLOEXEC, 200);
	syscall(SYS_close_range, 3, 199U, 0);
	syscall(SYS_close_range, (unsigned)MAX(*sock, *out) + 1, ~0U, 0);
}

static void start(struct warden *w, const struct child_opts *o, int out)
{
	int why[2], no = 0;

	if (pipe2(why, O_CLOEXEC)) {
		say(w, (struct warden_says){ WARDEN_FAILED, errno, 0, 0 });
		_exit(0);
	}
	w->pid = fork();
	if (!w->pid)
		become(o, out, why[1]);
	close(why[1]);
	close(out);
	if (w->pid < 0 || read(why[0], &no, sizeof(no)) == sizeof(no)) {
		say(w, (struct warden_says){ WARDEN_FAILED, no ? no : EAGAIN, 0, 0 });
		_exit(0);
	}
	close(why[0]);
	say(w, (struct warden_says){ WARDEN_STARTED, w->pid, 0, 0 });
}

_Noreturn void warden_run(const struct child_opts *o, int sock, int out)
{
	static const int deaf[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP };
	struct warden w = { 0 };
	sigset_t set;

	setsid(); /* Ctrl-C is for us, who then tell */
	for (size_t i = 0; i < ARRAY_LEN(deaf); i++)
		signal(deaf[i], SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_NAME, "limpet-warden");
	close_others(&sock, &out);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	w.sock = sock;
	w.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	start(&w, o, out);
	for (;;)
		watch(&w);
}
