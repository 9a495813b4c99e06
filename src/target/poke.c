/*
 * poke.c - the side that asks, and the guard that writes.
 *
 * Knows words, not what they mean.  The guard has one descriptor of the program's memory, bound to
 * that memory (an exec or an end makes it read and write nothing), and one socket.
 */
#include "target/poke.h"

#include "base/clock.h"
#include "base/logline.h"
#include "base/mem.h"
#include "target/attach.h"
#include "target/denied.h"
#include "target/preflight.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <syslog.h>

#define MAX_MAPS_BYTES (256U << 20)
#define STOP_NS	       50000000U

enum op { OP_OPEN, OP_SET, OP_WORDS };

struct question {
	uint32_t op, state, n;
	struct poke_word words[POKE_WORDS];
};

struct answer {
	uint32_t failed, done;
	uint64_t pause_ns;
	struct err err;
};

struct poke {
	int sock;
	pid_t pid; /* of the guard */
};

struct guard {
	pid_t pid;
	struct poke_plan plan;
	uint64_t start_ticks;
	int mem_fd;
};

static struct err *gone(const struct guard *g)
{
	return err_new(ERR_GONE, "process %d has exited", g->pid);
}

static struct err *get(const struct guard *g, taddr at, void *buf, size_t n)
{
	ssize_t got = pread(g->mem_fd, buf, n, (off_t)at);

	if (got == (ssize_t)n)
		return NULL;
	return got == 0 ? gone(g) : err_os(got < 0 ? errno : EIO, "memory of process %d", g->pid);
}

static struct err *put(const struct guard *g, taddr at, const void *buf, size_t n)
{
	ssize_t got = pwrite(g->mem_fd, buf, n, (off_t)at);

	if (got == (ssize_t)n)
		return NULL;
	return got == 0 ? gone(g) : err_os(got < 0 ? errno : EIO, "memory of process %d", g->pid);
}

static struct err *unexpected(const struct guard *g, uint64_t is)
{
	return err_unsupported("process %d: the word at " TADDR_FMT " is %" PRIu64 ", not %" PRIu64
			       ": it was not changed",
			       g->pid, g->plan.at, is, g->plan.usual);
}

static struct err *change(const struct guard *g, enum poke_state s)
{
	uint64_t to = s == POKE_MEANWHILE ? g->plan.meanwhile : g->plan.usual, is;
	struct err *err = get(g, g->plan.at, &is, sizeof(is));

	if (err || is == to)
		return err;
	if (is != g->plan.usual && is != g->plan.meanwhile)
		return unexpected(g, is);
	return put(g, g->plan.at, &to, sizeof(to));
}

/* A page that others map too, or that is not to be written, is not the program's variable. */
static struct err *check_place(const struct guard *g)
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_(freep) struct target_region *r = NULL;
	char path[64];
	size_t n, nr = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", g->pid);
	struct err *err = proc_slurp(path, MAX_MAPS_BYTES, &text, &n);

	if (!err)
		err = proc_parse_maps(text, &r, &nr);
	for (size_t i = 0; !err && i < nr; i++)
		if (trange_has_all(r[i].range, g->plan.at, 8) && (r[i].prot & REGION_WRITE) &&
		    !(r[i].prot & REGION_SHARED) && g->plan.at % 8 == 0)
			return NULL;
	return err ? err
		   : err_unsupported("process %d: " TADDR_FMT
				     " is in no memory of its own to write",
				     g->pid, g->plan.at);
}

static struct err *open_memory(struct guard *g)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", g->pid);
	g->mem_fd = open(path, O_RDWR | O_CLOEXEC);
	if (g->mem_fd >= 0)
		return NULL;
	int no = errno;
	struct denial d;

	denial_find(g->pid, 0, &d);
	struct err *err = denial_err(&d);

	return err ? err : err_os(no, "%s", path);
}

static struct err *guard_open(struct guard *g)
{
	struct proc_stat st;
	uint64_t is;
	struct err *err;

	if (!proc_read_stat(g->pid, &st) || st.state == 'Z')
		return gone(g);
	g->start_ticks = st.start_ticks;
	err = open_memory(g);
	if (!err)
		err = check_place(g);
	if (!err)
		err = get(g, g->plan.at, &is, sizeof(is));
	if (!err && is != g->plan.usual && is != g->plan.meanwhile)
		err = unexpected(g, is);
	log_line(LOG_NOTICE,
		 "attach: uid %u, target pid %d (%s), one word is written for a while: %s",
		 getuid(), g->pid, st.comm, err ? err->msg : "ready");
	return err;
}

static struct err *all_expected(const struct guard *g, const struct question *q, bool *ret)
{
	for (uint32_t i = 0; i < q->n; i++) {
		uint64_t is = 0;
		struct err *err = get(g, q->words[i].at, &is, q->words[i].bytes);

		if (err)
			return err;
		if (is != q->words[i].expect) {
			*ret = false;
			return NULL;
		}
	}
	*ret = true;
	return NULL;
}

static struct err *write_all(const struct guard *g, const struct question *q, bool *ret_done)
{
	struct err *err = all_expected(g, q, ret_done);

	for (uint32_t i = 0; !err && *ret_done && i < q->n; i++)
		if (q->words[i].value != q->words[i].expect)
			err = put(g, q->words[i].at, &q->words[i].value, q->words[i].bytes);
	return err;
}

static struct err *words(const struct guard *g, const struct question *q, struct answer *a)
{
	struct patient p;
	struct proc_stat st;
	bool done = false;

	for (uint32_t i = 0; i < q->n; i++)
		if (q->n > POKE_WORDS || q->words[i].bytes > 8)
			return err_usage("words of %u bytes", q->words[i].bytes);
	if (!proc_read_stat(g->pid, &st) || st.start_ticks != g->start_ticks)
		return gone(g);
	patient_init(&p, g->pid);
	struct err *err = patient_seize(&p);

	if (!err)
		err = patient_stop(&p, clock_ns() + STOP_NS);
	if (!err)
		err = write_all(g, q, &done);
	patient_detach(&p);
	a->done = done;
	a->pause_ns = p.stopped_at ? clock_ns() - p.stopped_at : 0;
	patient_deinit(&p);
	return err;
}

static void settle(int sock)
{
	sigset_t all;

	setsid();
	/* Who has stopped threads should not wait for a processor.  May be refused. */
	setpriority(PRIO_PROCESS, 0, -20);
	prctl(PR_SET_NAME, "lmp-poke");
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGCHLD, SIG_DFL);
	if (sock > 0)
		close_range(0, (unsigned)sock - 1, 0);
	close_range((unsigned)sock + 1, ~0U, 0);
	if (chdir("/"))
		return;
}

static void fail(struct answer *a, struct err *err)
{
	a->failed = 1;
	a->err = *err;
	err_free(err);
}

static _Noreturn void guard_main(struct guard *g, int sock)
{
	struct question q;

	settle(sock);
	while (read(sock, &q, sizeof(q)) == sizeof(q)) {
		struct answer a = { .failed = 0 };
		struct err *err = q.op == OP_OPEN    ? guard_open(g)
				  : g->mem_fd < 0    ? err_usage("not open")
				  : q.op == OP_WORDS ? words(g, &q, &a)
						     : change(g, (enum poke_state)q.state);

		if (err)
			fail(&a, err);
		if (send(sock, &a, sizeof(a), MSG_NOSIGNAL) != sizeof(a))
			break;
	}
	if (g->mem_fd >= 0)
		err_free(change(g, POKE_USUAL));
	_exit(0);
}

static struct err *ask(struct poke *k, const struct question *q, struct answer *a)
{
	ssize_t n = send(k->sock, q, sizeof(*q), MSG_NOSIGNAL);

	while (n > 0) {
		n = read(k->sock, a, sizeof(*a));
		if (n == sizeof(*a) && !a->failed)
			return NULL;
		if (n == sizeof(*a))
			return a->err.code == ERR_NOMEM ? &err_nomem
							: err_new(a->err.code, "%s", a->err.msg);
		if (n < 0 && errno == EINTR)
			n = 1;
	}
	return err_new(ERR_GONE, "the helper process of limpet (lmp-poke) was killed");
}

struct err *poke_start(pid_t pid, const struct poke_plan *p, struct poke **ret)
{
	_cleanup_(poke_endp) struct poke *k = zalloc(1, sizeof(*k));
	struct guard g = { .pid = pid, .plan = *p, .mem_fd = -1 };
	struct question q = { .op = OP_OPEN };
	struct answer a;
	int sv[2];

	if (!k)
		return &err_nomem;
	k->sock = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv))
		return err_os(errno, "socketpair");
	k->pid = fork();
	int no = errno;

	if (k->pid == 0)
		guard_main(&g, sv[1]);
	close(sv[1]);
	k->sock = sv[0];
	if (k->pid < 0)
		return err_os(no, "cannot start the helper process (lmp-poke)");
	struct err *err = ask(k, &q, &a);

	if (err)
		return err;
	*ret = STEAL(k);
	return NULL;
}

struct err *poke_set(struct poke *k, enum poke_state s)
{
	struct question q = { .op = OP_SET, .state = s };
	struct answer a;

	return ask(k, &q, &a);
}

struct err *poke_words(struct poke *k, const struct poke_word *w, size_t n, bool *ret_done,
		       uint64_t *ret_pause_ns)
{
	struct question q = { .op = OP_WORDS, .n = (uint32_t)n };
	struct answer a;

	if (n > POKE_WORDS)
		return err_usage("%zu words at once", n);
	memcpy(q.words, w, n * sizeof(*w));
	struct err *err = ask(k, &q, &a);

	if (err)
		return err;
	*ret_done = a.done;
	*ret_pause_ns = a.pause_ns;
	return NULL;
}

void poke_end(struct poke *k)
{
	if (!k)
		return;
	closep(&k->sock);
	while (k->pid > 0 && waitpid(k->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(k);
}
