/*
 * pace.c - the pacer: between a test binary and whoever wants the next repetition.
 *
 * Knows of testing what pace_line.h says, and nothing of Go.  Cost: a test that prints is slowed by
 * a read a line; at the end of each test by the time until the next write is seen, some 0.1 ms.
 */
#include "watch/pace.h"

#include "base/str.h"
#include "watch/pace_line.h"
#include "watch/pace_peek.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { TESTS_MAX = 100000, PACKET = 65536, TICK_MS = 50, TAIL = 2048 };

enum state {
	RUNS,	/* what it prints is passed on */
	HELD,	/* a test has ended; its mark stays in the pipe until the next write is seen */
	STANDS, /* a repetition is over */
	ENDED
};

struct pacer {
	pid_t pid;
	int in, out;	    /* the pipe's end that we read; our stdout */
	int peek[2];	    /* a pipe for tee(2) */
	int listener, peer; /* who waits for the next repetition; -1 */
	uint8_t state;
	bool ready, gone, last, dropped;
	int status;
	unsigned polls;	  /* since it is held */
	VEC(char *) over; /* tests that have ended in this repetition */
	char failed[PACE_NAME];
	unsigned repetition;
	char tail[TAIL]; /* what was passed on last */
	size_t ntail;
};

static void pacer_deinit(struct pacer *p)
{
	for (size_t i = 0; i < p->over.n; i++)
		free(p->over.v[i]);
	vec_free(&p->over);
	closep(&p->in);
	closep(&p->peek[0]);
	closep(&p->peek[1]);
	closep(&p->listener);
	closep(&p->peer);
}

static void put_all(int fd, const char *buf, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t k = write(fd, buf + done, n - done);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return; /* who does not listen misses it */
		done += (size_t)k;
	}
}

/* To our stdout, and its end is kept. */
static void pass_on(struct pacer *p, const char *buf, size_t n)
{
	size_t more = MIN(n, (size_t)TAIL), keep = MIN(p->ntail, TAIL - more);

	memmove(p->tail, p->tail + p->ntail - keep, keep);
	memcpy(p->tail + keep, buf + n - more, more);
	p->ntail = keep + more;
	put_all(p->out, buf, n);
}

static bool is_over(const struct pacer *p, const char *name)
{
	for (size_t i = 0; i < p->over.n; i++)
		if (!strcmp(p->over.v[i], name))
			return true;
	return false;
}

static void forget_tests(struct pacer *p)
{
	for (size_t i = 0; i < p->over.n; i++)
		free(p->over.v[i]);
	p->over.n = 0;
}

/* One packet is read and passed on: whoever waits to write may. */
static void take(struct pacer *p)
{
	char buf[PACKET];
	ssize_t n = read(p->in, buf, sizeof(buf));

	if (n > 0)
		pass_on(p, buf, (size_t)n);
	if (!n)
		p->gone = true; /* all who could write are gone */
}

/* The packet that lies there, without taking it. */
static size_t look(struct pacer *p, char *buf, size_t n)
{
	ssize_t k = tee(p->in, p->peek[1], n, SPLICE_F_NONBLOCK);

	k = k > 0 ? read(p->peek[0], buf, n) : 0;
	return k > 0 ? (size_t)k : 0;
}

static void answer(struct pacer *p)
{
	char text[PACE_NAME + 100 + TAIL];
	int n;

	if (p->peer < 0 || (p->state != STANDS && p->state != ENDED))
		return;
	if (*p->failed)
		n = snprintf(text, sizeof(text), "failed %u %s\n%.*s", p->repetition, p->failed,
			     (int)p->ntail, p->tail);
	else if (p->state == ENDED || p->last)
		n = snprintf(text, sizeof(text), "ended %d", p->status);
	else
		n = snprintf(text, sizeof(text), "ok");
	(void)!send(p->peer, text, (size_t)n, MSG_NOSIGNAL);
	close(p->peer);
	p->peer = -1;
}

static void stand(struct pacer *p)
{
	static const char ready[] = PACE_READY "\n";

	p->state = STANDS;
	p->repetition++;
	forget_tests(p);
	if (!p->ready && p->ntail && p->tail[p->ntail - 1] != '\n')
		pass_on(p, "\n", 1); /* a test's last line without an end */
	if (!p->ready)
		pass_on(p, ready, sizeof(ready) - 1);
	p->ready = true;
	answer(p);
}

static void read_packet(struct pacer *p)
{
	char buf[512], name[PACE_NAME];
	size_t n = look(p, buf, sizeof(buf));
	enum pace_mark mark = pace_line(buf, n, name);

	if (mark != PACE_PASSED && mark != PACE_FAILED) {
		take(p);
		return;
	}
	if (mark == PACE_FAILED)
		snprintf(p->failed, sizeof(p->failed), "%s", name);
	if (is_over(p, name))
		forget_tests(p); /* an end of a repetition was not seen */
	if (p->over.n < TESTS_MAX && !vec_push(&p->over, strdup(name)))
		p->dropped = true;
	p->state = HELD;
	p->polls = 0;
}

/* The pipe is full: what does it want to write next? */
static void judge_next(struct pacer *p)
{
	char text[512], name[PACE_NAME];
	size_t n = peek_write(p->pid, STDOUT_FILENO, text, sizeof(text));
	enum pace_mark mark;

	p->polls++;
	if (!n)
		return; /* nothing yet */
	mark = pace_line(text, n, name);
	if (mark == PACE_END || (mark == PACE_RUN && is_over(p, name))) {
		p->last = mark == PACE_END;
		stand(p);
		return;
	}
	take(p);
	if (mark == PACE_RUN)
		p->state = RUNS;
	/* else the packet that comes now is somebody's who prints all the time: still held */
}

static void go_on(struct pacer *p)
{
	if (p->state != STANDS)
		return;
	take(p);
	p->state = RUNS;
}

static void reap(struct pacer *p)
{
	if (p->pid > 0 && waitpid(p->pid, &p->status, WNOHANG) == p->pid) {
		p->pid = -1;
		/* what it printed last */
		fcntl(p->in, F_SETFL, O_NONBLOCK);
		for (char buf[PACKET];;) {
			ssize_t n = read(p->in, buf, sizeof(buf));

			if (n <= 0)
				break;
			pass_on(p, buf, (size_t)n);
		}
		p->state = ENDED;
		answer(p);
	}
}

static void greet(struct pacer *p)
{
	int fd = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
	struct ucred who;
	socklen_t n = sizeof(who);

	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) ||
	    (who.uid != geteuid() && who.uid != 0) || p->peer >= 0) {
		close(fd);
		return;
	}
	p->peer = fd;
	if (p->state == STANDS && !*p->failed && !p->last)
		go_on(p);
	else
		answer(p);
}

/* How long to sleep: while it is held the next write comes soon. */
static int patience(const struct pacer *p)
{
	if (p->state != HELD)
		return TICK_MS;
	return p->polls < 20 ? 0 : p->polls < 100 ? 1 : 5;
}

static void step(struct pacer *p)
{
	struct pollfd f[2] = {
		{ .fd = p->listener, .events = POLLIN },
		{ .fd = p->state == RUNS && !p->gone ? p->in : -1, .events = POLLIN },
	};

	if (p->state == HELD && p->polls && p->polls < 20)
		usleep(50);
	poll(f, 2, patience(p));
	if (f[0].revents)
		greet(p);
	if (f[1].revents & (POLLIN | POLLHUP))
		read_packet(p);
	else if (p->state == HELD)
		judge_next(p);
	reap(p);
}

static struct err *listen_at(const char *path, int *ret)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(a.sun_path))
		return err_os(ENAMETOOLONG, "%.100s", path);
	strcpy(a.sun_path, path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 4))
		return err_os(errno, "%.100s", path);
	*ret = fd;
	fd = -1;
	return NULL;
}

static _Noreturn void be_child(char *const *argv, int out, pid_t parent, pid_t tracer)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || dup2(out, STDOUT_FILENO) < 0)
		_exit(127);
	if (tracer > 0)
		prctl(PR_SET_PTRACER, (unsigned long)tracer);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	execvp(argv[0], argv);
	fprintf(stderr, "limpet: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static struct err *start(struct pacer *p, char *const *argv, pid_t tracer)
{
	pid_t us = getpid();
	int out[2];

	if (pipe2(out, O_CLOEXEC | O_DIRECT) || pipe2(p->peek, O_CLOEXEC | O_NONBLOCK))
		return err_os(errno, "a pipe");
	p->in = out[0];
	/* one page: one packet */
	if (fcntl(out[1], F_SETPIPE_SZ, 4096) != sysconf(_SC_PAGESIZE)) {
		close(out[1]);
		return err_os(errno, "a pipe of one page");
	}
	p->pid = fork();
	if (!p->pid)
		be_child(argv, out[1], us, tracer);
	close(out[1]);
	return p->pid < 0 ? err_os(errno, "a new process") : NULL;
}

struct err *pace_run(const char *socket, pid_t tracer, char *const *argv, int *ret_status)
{
	_cleanup_(pacer_deinit) struct pacer p = {
		.in = -1, .out = STDOUT_FILENO, .peek = { -1, -1 }, .listener = -1, .peer = -1
	};
	struct err *err = listen_at(socket, &p.listener);

	signal(SIGPIPE, SIG_IGN);
	/* told to end: at once, and the test binary with us (PR_SET_PDEATHSIG) */
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	if (!err)
		err = start(&p, argv, tracer);
	while (!err && p.state != ENDED)
		step(&p);
	*ret_status = p.status;
	return err;
}

static struct err *words_of(const char *text)
{
	const char *tail = strchr(text, '\n');
	unsigned n = 0;
	char name[PACE_NAME];

	if (!strcmp(text, "ok"))
		return NULL;
	if (tail)
		put_all(STDOUT_FILENO, tail + 1, strlen(tail + 1));
	if (sscanf(text, "failed %u %199s", &n, name) == 2)
		return n <= 1 ? err_bad_data("%s fails", name)
			      : err_bad_data("%s fails in run %u of one process (-test.count): "
					     "what an earlier run left is in its way",
					     name, n);
	if (!strncmp(text, "ended", 5))
		return err_bad_data("the test binary has ended: its tests cannot be repeated as "
				    "often as is needed");
	return err_bad_data("the test binary is gone");
}

struct err *pace_next(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	_cleanup_(closep) int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	char text[4096];
	ssize_t n;

	if (strlen(path) >= sizeof(a.sun_path))
		return err_os(ENAMETOOLONG, "%.100s", path);
	strcpy(a.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		return err_os(errno, "%.100s", path);
	do
		n = recv(fd, text, sizeof(text) - 1, 0);
	while (n < 0 && errno == EINTR);
	text[n > 0 ? n : 0] = 0;
	return words_of(text);
}
