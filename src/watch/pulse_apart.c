/*
 * pulse_apart.c - readings by a process without rights, for one that must keep its own.
 *
 * The reader is forked, starts a broker for that one pid, puts itself behind walls, and only then
 * opens the target.  One packet a question, one an answer; it ends at our end of file.  What it
 * answers is taken for numbers, whatever the target made of it.
 */
#include "watch/pulse_priv.h"

#include "base/confine.h"
#include "base/mem.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum question { ASK_OPEN, ASK_READ, ASK_POINT };

struct answer {
	uint32_t failed; /* err is filled */
	struct err err;
	struct pulse pulse;
	struct nudge_point point;
};

struct pulse_apart {
	int sock;
	pid_t pid; /* of the reader */
};

static void fail(struct answer *a, struct err *err)
{
	a->failed = 1;
	a->err = *err;
	err_free(err);
}

static struct err *do_open(struct broker **b, pid_t pid, struct pulse_here **ret)
{
	struct broker_opts o = { .pid = pid, .look = { .what = "check" } };
	struct confine_status is;
	struct err *err = broker_start(&o, b);

	if (err)
		return err;
	confine_self(broker_peer(*b), &is);
	return pulse_here_open(*b, NULL, ret);
}

static struct err *serve(struct pulse_here *x, enum question q, struct answer *a)
{
	if (q == ASK_READ)
		return pulse_here_read(x, &a->pulse);
	if (q == ASK_POINT)
		return nudge_point_find(pulse_here_go(x), &a->point);
	return err_usage("question %d", q);
}

/* Descriptors of the asker are not held open; a terminal's signals are for it. */
static void settle(int sock)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };

	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
	prctl(PR_SET_NAME, "lmp-pulse");
	for (int fd = 3; fd < sock; fd++)
		close(fd);
	syscall(SYS_close_range, (unsigned)sock + 1, ~0U, 0);
}

_Noreturn static void reader_main(int sock, pid_t pid)
{
	struct pulse_here *x = NULL;
	struct broker *b = NULL;
	uint32_t q;

	settle(sock);
	while (read(sock, &q, sizeof(q)) == sizeof(q)) {
		struct answer a = { .failed = 0 };
		struct err *err = q == ASK_OPEN && !b ? do_open(&b, pid, &x)
				  : x		      ? serve(x, (enum question)q, &a)
						      : err_usage("not open");

		if (err)
			fail(&a, err);
		if (write(sock, &a, sizeof(a)) != sizeof(a))
			break;
	}
	pulse_here_close(x);
	broker_end(b);
	_exit(0);
}

static struct err *error_of(const struct answer *a)
{
	struct err *e;

	if (a->err.code == ERR_NOMEM)
		return &err_nomem;
	e = err_new(a->err.code, "%.*s", (int)sizeof(a->err.msg) - 1, a->err.msg);
	if (e != &err_nomem) {
		e->os_errno = a->err.os_errno;
		e->addr = a->err.addr;
	}
	return e;
}

static struct err *ask(struct pulse_apart *x, uint32_t q, struct answer *a)
{
	ssize_t n = send(x->sock, &q, sizeof(q), MSG_NOSIGNAL);

	while (n > 0) {
		n = read(x->sock, a, sizeof(*a));
		if (n == sizeof(*a))
			return a->failed ? error_of(a) : NULL;
		if (n < 0 && errno == EINTR)
			n = 1;
	}
	return err_new(ERR_GONE, "the helper process of limpet (lmp-pulse) has ended: run limpet "
				 "again");
}

static void pulse_apart_closep(struct pulse_apart **x)
{
	pulse_apart_close(*x);
}

struct err *pulse_apart_open(pid_t pid, struct pulse_apart **ret)
{
	_cleanup_(pulse_apart_closep) struct pulse_apart *x = zalloc(1, sizeof(*x));
	struct answer a;
	int sv[2];

	if (!x)
		return &err_nomem;
	x->sock = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv))
		return err_os(errno, "socketpair");
	pid_t child = fork();
	int no = errno;

	if (child == 0)
		reader_main(sv[1], pid);
	close(sv[1]);
	x->sock = sv[0];
	if (child < 0)
		return err_os(no, "cannot start the helper process (lmp-pulse)");
	x->pid = child;
	struct err *err = ask(x, ASK_OPEN, &a);

	if (err)
		return err;
	*ret = STEAL(x);
	return NULL;
}

struct err *pulse_apart_read(struct pulse_apart *x, struct pulse *ret)
{
	struct answer a;
	struct err *err = ask(x, ASK_READ, &a);

	if (!err)
		*ret = a.pulse;
	return err;
}

struct err *pulse_apart_point(struct pulse_apart *x, struct nudge_point *ret)
{
	struct answer a;
	struct err *err = ask(x, ASK_POINT, &a);

	if (!err)
		*ret = a.point;
	return err;
}

void pulse_apart_close(struct pulse_apart *x)
{
	if (!x)
		return;
	closep(&x->sock);
	while (x->pid > 0 && waitpid(x->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(x);
}
