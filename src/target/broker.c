/*
 * broker.c - the asker's side: questions, answers, targets and descriptors made of them.
 *
 * Runs within the walls of base/confine.h: sendmsg, recvmsg and, at the end, wait4.
 */
#include "target/broker.h"

#include "target/broker_wire.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct broker {
	int sock;
	pid_t pid;
	pthread_mutex_t one; /* question at a time */
};

static const int no_fds[BROKER_NFDS] = { [0 ... BROKER_NFDS - 1] = -1 };

/* Descriptors go to their places by the bits of a->fds. */
static bool ask(struct broker *b, const struct broker_question *q, struct broker_answer *a,
		int fds[static BROKER_NFDS])
{
	int come[BROKER_NFDS];
	unsigned n = 0;

	pthread_mutex_lock(&b->one);
	bool heard = wire_send(b->sock, q, sizeof(*q), no_fds) &&
		     wire_receive(b->sock, a, sizeof(*a), come);

	pthread_mutex_unlock(&b->one);
	for (unsigned i = 0; i < BROKER_NFDS; i++)
		fds[i] = heard && (a->fds >> i & 1) && n < BROKER_NFDS ? come[n++] : -1;
	return heard;
}

static struct err *lost(void)
{
	return err_new(ERR_GONE, "the helper process of limpet (lmp-broker) was killed: run limpet "
				 "again");
}

static struct err *error_of(const struct broker_answer *a)
{
	struct err *e = err_new(a->err.code, "%.*s", (int)sizeof(a->err.msg) - 1, a->err.msg);

	if (e != &err_nomem) {
		e->os_errno = a->err.os_errno;
		e->addr = a->err.addr;
	}
	return a->err.code == ERR_NOMEM ? &err_nomem : e;
}

struct err *broker_start(const struct broker_opts *o, struct broker **ret)
{
	_cleanup_(freep) struct broker *b = zalloc(1, sizeof(*b));
	pid_t asker = getpid();
	int sv[2];

	if (!b)
		return &err_nomem;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv))
		return err_os(errno, "socketpair");
	pid_t pid = fork();
	int no = errno;

	if (pid == 0) {
		close(sv[0]);
		broker_main(o, sv[1], asker);
	}
	close(sv[1]);
	if (pid < 0) {
		close(sv[0]);
		return err_os(no, "cannot start the helper process (lmp-broker)");
	}
	b->pid = pid;
	b->sock = sv[0];
	pthread_mutex_init(&b->one, NULL);
	*ret = STEAL(b);
	return NULL;
}

int broker_peer(const struct broker *b)
{
	return b->sock;
}

struct err *broker_pid(struct broker *b, pid_t *ret)
{
	struct broker_question q = { .op = BROKER_PID };
	struct broker_answer a;
	int fds[BROKER_NFDS];

	if (!ask(b, &q, &a, fds))
		return lost();
	if (a.failed)
		return error_of(&a);
	*ret = a.pid;
	return NULL;
}

struct look {
	struct broker *b;
	uint32_t number;
};

static void tell(const struct look *l, enum broker_op op)
{
	struct broker_question q = { .op = op, .look = l->number };
	struct broker_answer a;
	int fds[BROKER_NFDS];

	/* A broker that is dead has let go already. */
	(void)ask(l->b, &q, &a, fds);
}

static void look_finish(void *arg)
{
	tell(arg, BROKER_FINISH);
}

static struct err *look_peek(void *arg, taddr addr, uint64_t *ret)
{
	const struct look *l = arg;
	struct broker_question q = { .op = BROKER_PEEK, .look = l->number, .addr = addr };
	struct broker_answer a;
	int fds[BROKER_NFDS];

	if (!ask(l->b, &q, &a, fds))
		return lost();
	if (a.failed)
		return error_of(&a);
	*ret = a.word;
	return NULL;
}

static void look_free(void *arg)
{
	tell(arg, BROKER_FREE);
	free(arg);
}

struct err *broker_look(struct broker *b, struct target **ret)
{
	struct broker_question q = { .op = BROKER_LOOK };
	_cleanup_(freep) struct look *l = zalloc(1, sizeof(*l));
	struct broker_answer a;
	struct taken taken;

	if (!l)
		return &err_nomem;
	if (!ask(b, &q, &a, taken.fd))
		return lost();
	if (a.failed)
		return error_of(&a);
	memcpy(a.taken.fd, taken.fd, sizeof(taken.fd));
	*l = (struct look){ b, a.look };
	struct live_holder h = { look_finish, look_free, look_peek, STEAL(l) };

	return live_adopt(&a.taken, h, ret);
}

struct err *broker_running(struct broker *b, struct target **ret)
{
	struct broker_question q = { .op = BROKER_RUNNING };
	struct broker_answer a;
	int fds[BROKER_NFDS];

	if (!ask(b, &q, &a, fds))
		return lost();
	if (a.failed)
		return error_of(&a);
	memcpy(a.taken.fd, fds, sizeof(fds));
	return running_adopt(&a.taken, ret);
}

struct err *broker_pulse(struct broker *b, struct target_pulse *ret)
{
	struct broker_question q = { .op = BROKER_PULSE };
	struct broker_answer a;
	int fds[BROKER_NFDS];

	if (!ask(b, &q, &a, fds))
		return lost();
	if (a.failed)
		return error_of(&a);
	*ret = a.pulse;
	return NULL;
}

static bool put_path(char to[static BROKER_PATH], const char *path)
{
	size_t n = strlen(path);

	if (n >= BROKER_PATH)
		return false;
	memcpy(to, path, n + 1);
	return true;
}

int broker_file(void *arg, const struct file_ask *f)
{
	struct broker_question q = { .op = BROKER_FILE, .file_op = f->op };
	struct broker_answer a;
	int fds[BROKER_NFDS];

	if ((f->path && !put_path(q.path, f->path)) || (f->to && !put_path(q.to, f->to))) {
		errno = ENAMETOOLONG;
		return -1;
	}
	q.has_path = f->path != NULL;
	if (!ask(arg, &q, &a, fds)) {
		errno = EPIPE;
		return -1;
	}
	if (f->op == FILE_STAT && f->st)
		*f->st = a.st;
	if (f->op == FILE_TEMP && fds[0] >= 0)
		memcpy(f->path, a.path, strnlen(f->path, BROKER_PATH - 1));
	errno = a.no;
	return fds[0] >= 0 ? fds[0] : a.value;
}

void broker_end(struct broker *b)
{
	if (!b)
		return;
	close(b->sock);
	while (waitpid(b->pid, NULL, 0) < 0 && errno == EINTR)
		;
	pthread_mutex_destroy(&b->one);
	free(b);
}
