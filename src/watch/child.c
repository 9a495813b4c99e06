/*
 * child.c - our side of a program that runs behind a warden.
 *
 * Cost: one more process, which sleeps, and a thread for the output.
 */
#include "watch/child.h"

#include "base/clock.h"
#include "watch/warden.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define START_NS 10000000000U
#define DONE_NS	 8000000000U /* beyond the grace: killing, reaping */

struct child {
	pid_t warden, pid;
	int sock;
	bool ended, known, warden_gone;
	int status;
	struct output *out;
};

/* One word of the warden; false: it says nothing in that time, or is gone (noted). */
static bool hear(struct child *c, uint64_t ns, struct warden_says *ret)
{
	struct pollfd p = { .fd = c->sock, .events = POLLIN };
	uint64_t end = clock_ns() + ns, now;

	do {
		now = clock_ns();
		int n = poll(&p, 1, now < end ? (int)((end - now + 999999) / 1000000) : 0);

		if (n > 0) {
			ssize_t got = recv(c->sock, ret, sizeof(*ret), MSG_DONTWAIT);

			if (got == sizeof(*ret))
				return true;
			c->warden_gone = c->warden_gone || !got || (got < 0 && errno != EAGAIN);
		}
	} while (!c->warden_gone && clock_ns() < end);
	return false;
}

static void note(struct child *c, const struct warden_says *s)
{
	if (s->word != WARDEN_ENDED)
		return;
	c->ended = c->known = true;
	c->status = s->value;
}

static struct err *greet(struct child *c, const struct child_opts *o)
{
	struct warden_says s;

	if (!hear(c, START_NS, &s) || (s.word != WARDEN_STARTED && s.word != WARDEN_FAILED))
		return err_new(ERR_OS, "%.200s: the process that was to start it says nothing",
			       o->argv[0]);
	if (s.word == WARDEN_FAILED)
		return err_os(s.value, "%.200s", o->argv[0]);
	c->pid = s.value;
	return NULL;
}

/* sock[0], out[0]: ours. */
static struct err *spawn(const struct child_opts *o, const int sock[2], const int out[2],
			 struct child *c)
{
	/* a warden that is killed leaves its orphans to us */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	c->warden = fork();
	if (c->warden < 0)
		return err_os(errno, "fork");
	if (!c->warden)
		warden_run(o, sock[1], out[1]);
	return NULL;
}

struct err *child_start(const struct child_opts *o, struct child **ret)
{
	_cleanup_(child_freep) struct child *c = zalloc(1, sizeof(*c));
	int sock[2], out[2];

	if (!c)
		return &err_nomem;
	c->sock = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sock))
		return err_os(errno, "socketpair");
	c->sock = sock[0];
	if (pipe2(out, O_CLOEXEC)) {
		close(sock[1]);
		return err_os(errno, "pipe");
	}
	struct err *err = spawn(o, sock, out, c);

	close(sock[1]);
	close(out[1]);
	if (err)
		close(out[0]);
	else
		err = output_start(out[0], &o->output, &c->out);
	if (!err)
		err = greet(c, o);
	if (err)
		return err;
	*ret = STEAL(c);
	return NULL;
}

pid_t child_pid(const struct child *c)
{
	return c->pid;
}

pid_t child_warden(const struct child *c)
{
	return c->warden;
}

struct output *child_output(struct child *c)
{
	return c->out;
}

bool child_ended(struct child *c, int *ret_status)
{
	struct warden_says s;

	while (!c->ended && hear(c, 0, &s))
		note(c, &s);
	if (c->warden_gone && !c->ended) /* its program has died with it */
		c->ended = true;
	if (c->ended)
		*ret_status = c->known ? c->status : -1;
	return c->ended;
}

const char *child_status_words(int status, char buf[static 80])
{
	if (status == -1)
		snprintf(buf, 80, "is gone");
	else if (WIFEXITED(status))
		snprintf(buf, 80, "exited with %d", WEXITSTATUS(status));
	else
		snprintf(buf, 80, "was ended by signal %d (%.40s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	return buf;
}

/* What the warden could not do.  Was it killed itself, its orphans are ours: child_end_all(). */
static void clean_up(struct child *c)
{
	if (c->warden <= 0)
		return;
	if (!c->warden_gone)
		warden_kill_below(c->warden);
	kill(c->warden, SIGKILL);
	while (waitpid(c->warden, NULL, 0) < 0 && errno == EINTR)
		;
}

unsigned child_end_all(void)
{
	return warden_kill_below(getpid());
}

void child_stop(struct child *c, uint64_t grace_ns, struct child_end *ret)
{
	struct child_end e = { .status = -1 };
	struct warden_told told = { grace_ns };
	struct warden_says s;
	int status;

	e.had_ended = c->sock >= 0 && child_ended(c, &status);
	if (c->sock >= 0 && send(c->sock, &told, sizeof(told), MSG_NOSIGNAL) == sizeof(told)) {
		uint64_t end = clock_ns() + grace_ns + DONE_NS;

		while (clock_ns() < end && hear(c, end - clock_ns(), &s)) {
			note(c, &s);
			if (s.word != WARDEN_DONE)
				continue;
			e.left = (unsigned)s.value;
			e.was_killed = s.killed;
			e.others = (unsigned)s.others;
			break;
		}
	}
	e.status = c->known ? c->status : -1;
	clean_up(c);
	c->warden = 0;
	closep(&c->sock);
	c->sock = -1;
	if (c->out)
		output_finish(c->out);
	if (ret)
		*ret = e;
}

void child_free(struct child *c)
{
	if (!c)
		return;
	if (c->warden > 0)
		child_stop(c, 0, NULL);
	closep(&c->sock);
	output_end(c->out);
	free(c);
}
