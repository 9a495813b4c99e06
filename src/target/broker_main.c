/*
 * broker_main.c - the broker's side: who asks gets what the command line named, and no more.
 *
 * One thread, one question at a time; between them it watches the surgeons.  Of the target it reads
 * what preflight and facts read (numbers in /proc), never memory but for take_peek()'s words. Exits
 * by _exit() only.
 */
#include "target/broker.h"

#include "base/confine.h"
#include "base/debuginfod.h"
#include "target/broker_wire.h"
#include "target/ownmem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>

#define MAX_LOOKS   8
#define MAX_FETCHES 1	/* what a taken-over asker could send that way: one build id */
#define ALL_LOOKS   500 /* in a life: each stops the program */
#define CAP(c)	    (UINT64_C(1) << (c))

/*
 * What attaching, injecting, opening and reaping may need: ptrace and kill of another user's
 * process, SYS_ADMIN to suspend a seccomp filter, files of any user, a higher priority while
 * threads are stopped, chown-less writing of the output.
 */
#define RIGHTS                                                                                     \
	(CAP(CAP_SYS_PTRACE) | CAP(CAP_KILL) | CAP(CAP_SYS_ADMIN) | CAP(CAP_DAC_OVERRIDE) |        \
	 CAP(CAP_DAC_READ_SEARCH) | CAP(CAP_FOWNER) | CAP(CAP_SYS_NICE) | CAP(CAP_SYS_RESOURCE))

struct state {
	const struct broker_opts *o;
	int sock;
	pid_t asker, pid;
	struct take *look[MAX_LOOKS];
	uint32_t number[MAX_LOOKS], last; /* numbers are never used again */
	char temp[BROKER_PATH];		  /* made by FILE_TEMP, not yet renamed; "" none */
	int temp_fd;			  /* the same file: it may have no name */
	unsigned fetches;
	bool running;	      /* opened */
	uint64_t start_ticks; /* of that process */
	const char *output;   /* that it is for */
	struct ownmem memory; /* of the asker */
};

static void fail(struct broker_answer *a, struct err *err)
{
	a->failed = 1;
	a->err = *err;
	err_free(err);
}

static struct err *who(struct state *s)
{
	struct err *err = NULL;

	if (!s->pid && s->o->pid)
		s->pid = s->o->pid;
	else if (!s->pid && s->o->name)
		err = target_find_by_name(s->o->name, s->asker, s->o->words, &s->pid);
	if (!err && !s->pid)
		err = err_usage("no process was named");
	if (!err && (s->pid == s->asker || s->pid == getpid()))
		err = err_usage("%d is limpet itself: it cannot stop itself", s->pid);
	return err;
}

static struct err *look(struct state *s, struct broker_answer *a, int fds[static BROKER_NFDS])
{
	unsigned i = 0;
	struct err *err = who(s);

	while (i < MAX_LOOKS && s->look[i])
		i++;
	if (!err && (i == MAX_LOOKS || s->last >= ALL_LOOKS))
		err = err_new(ERR_LIMIT, "more than %d snapshots at a time, or %d in all",
			      MAX_LOOKS, ALL_LOOKS);
	if (!err)
		err = take_start(s->pid, &s->o->look, &s->look[i]);
	if (err)
		return err;
	a->look = s->number[i] = ++s->last;
	a->taken = s->look[i]->taken;
	memcpy(fds, s->look[i]->taken.fd, sizeof(int) * BROKER_NFDS);
	return NULL;
}

static struct err *running(struct state *s, struct broker_answer *a, int fds[static BROKER_NFDS])
{
	struct err *err = who(s);

	if (!err && s->running)
		err = err_usage("process %d is open already", s->pid);
	if (!err)
		err = take_running(s->pid, s->o->look.what, &a->taken);
	if (err)
		return err;
	s->running = true;
	s->start_ticks = a->taken.start_ticks;
	memcpy(fds, a->taken.fd, sizeof(int) * BROKER_NFDS);
	return NULL;
}

/* Only where the asker could not be given the program's memory to peek into itself. */
static struct err *peek(const struct state *s, const struct broker_question *q, uint64_t *ret)
{
	for (unsigned i = 0; i < MAX_LOOKS; i++)
		if (s->look[i] && s->number[i] == q->look && s->look[i]->surgeon.th->lend)
			return take_peek(s->look[i], q->addr, ret);
	return err_usage("no such snapshot");
}

static void let_go(struct state *s, uint32_t number, enum broker_op op)
{
	for (unsigned i = 0; i < MAX_LOOKS; i++) {
		if (!s->look[i] || s->number[i] != number)
			continue;
		take_finish(s->look[i]);
		if (op == BROKER_FREE) {
			take_free(s->look[i]);
			s->look[i] = NULL;
		}
	}
}

static const char *among(const char *const list[static BROKER_MAX_FILES], const char *path)
{
	for (unsigned i = 0; i < BROKER_MAX_FILES; i++)
		if (list[i] && strcmp(list[i], path) == 0)
			return list[i];
	return NULL;
}

/* Below it by name: no "..", and what links do there is for who chose the sysroot. */
static bool is_below(const char *dir, const char *path)
{
	size_t n = strlen(dir);

	while (n > 1 && dir[n - 1] == '/')
		n--;
	if (strncmp(path, dir, n) != 0 || (path[n] != '/' && n > 1))
		return false;
	for (const char *p = strstr(path, "/.."); p; p = strstr(p + 1, "/.."))
		if (!p[3] || p[3] == '/')
			return false;
	return true;
}

/* "OUTPUT.XXXXXX" */
static const char *output_of(const struct state *s, const char *temp)
{
	static const char tail[] = ".XXXXXX";
	size_t n = strlen(temp), k = sizeof(tail) - 1;
	char path[BROKER_PATH];

	if (n <= k || n >= sizeof(path) || strcmp(temp + n - k, tail) != 0)
		return NULL;
	memcpy(path, temp, n - k);
	path[n - k] = '\0';
	return among(s->o->write, path);
}

static bool may(const struct state *s, const struct broker_question *q)
{
	switch ((enum file_op)q->file_op) {
	case FILE_OPEN:
		return among(s->o->read, q->path);
	case FILE_SOURCE:
		return s->o->source && !strcmp(s->o->source, q->to);
	case FILE_STAT:
		return among(s->o->read, q->path) || among(s->o->write, q->path);
	case FILE_OPEN_ELF:
		return among(s->o->read, q->path) || !s->o->sysroot ||
		       is_below(s->o->sysroot, q->path);
	case FILE_DEBUGINFO: /* a program that is stopped does not wait for the network */
		return s->fetches < MAX_FETCHES &&
		       !(s->last && s->o->look.method == TARGET_BY_FREEZE);
	case FILE_OUT:
		return among(s->o->write, q->path);
	case FILE_TEMP:
		return !s->temp[0] && output_of(s, q->path);
	case FILE_RENAME:
		return s->temp[0] && !strcmp(q->path, s->temp) && !strcmp(q->to, s->output);
	case FILE_UNLINK:
		return s->temp[0] && !strcmp(q->path, s->temp);
	case FILE_SCRATCH:
		return true;
	}
	return false;
}

static void note_temp(struct state *s, const struct broker_question *q, const char *output,
		      struct broker_answer *a)
{
	if (q->file_op == FILE_TEMP) {
		memcpy(s->temp, q->path, sizeof(s->temp));
		memcpy(a->path, q->path, sizeof(a->path));
		s->output = output;
		s->temp_fd = fcntl(a->value, F_DUPFD_CLOEXEC, 0);
	} else if (q->file_op == FILE_RENAME || q->file_op == FILE_UNLINK) {
		s->temp[0] = '\0';
		closep(&s->temp_fd);
		s->temp_fd = -1;
	}
}

static void file(struct state *s, struct broker_question *q, struct broker_answer *a,
		 int fds[static BROKER_NFDS])
{
	struct file_ask f = { .op = (enum file_op)q->file_op,
			      .path = q->has_path ? q->path : NULL,
			      .to = q->to,
			      .fd = s->temp_fd,
			      .st = &a->st };
	const char *output = output_of(s, q->path);

	a->value = -1;
	a->no = EPERM;
	if ((!f.path && f.op != FILE_SCRATCH) || !may(s, q))
		return;
	s->fetches += f.op == FILE_DEBUGINFO;
	a->value = f.op == FILE_DEBUGINFO ? debuginfod_fetch(q->path, s->sock) : files_here(&f);
	a->no = a->value < 0 ? errno : 0;
	if (a->value < 0)
		return;
	note_temp(s, q, output, a);
	if (f.op != FILE_STAT && f.op != FILE_RENAME && f.op != FILE_UNLINK) {
		fds[0] = a->value;
		a->value = -1;
	}
}

static bool serve(struct state *s)
{
	struct broker_question q;
	struct broker_answer a = { .failed = 0 };
	int fds[BROKER_NFDS] = { [0 ... BROKER_NFDS - 1] = -1 }, none[BROKER_NFDS];
	struct err *err = NULL;

	if (!wire_receive(s->sock, &q, sizeof(q), none))
		return false;
	for (int i = 0; i < BROKER_NFDS; i++)
		closep(&none[i]);
	q.path[BROKER_PATH - 1] = q.to[BROKER_PATH - 1] = '\0';
	switch ((enum broker_op)q.op) {
	case BROKER_PID:
		err = who(s);
		break;
	case BROKER_LOOK:
		err = look(s, &a, fds);
		break;
	case BROKER_PEEK:
		err = peek(s, &q, &a.word);
		break;
	case BROKER_FINISH:
	case BROKER_FREE:
		let_go(s, q.look, (enum broker_op)q.op);
		break;
	case BROKER_FILE:
		file(s, &q, &a, fds);
		break;
	case BROKER_RUNNING:
		err = running(s, &a, fds);
		break;
	case BROKER_PULSE:
		err = s->running ? target_pulse(s->pid, s->start_ticks, &a.pulse)
				 : err_usage("no process is open");
		break;
	default:
		err = err_usage("question %u", q.op);
	}
	if (err)
		fail(&a, err);
	a.pid = s->pid;
	for (unsigned i = 0; i < BROKER_NFDS; i++)
		a.fds |= (uint32_t)(fds[i] >= 0) << i;
	bool sent = wire_send(s->sock, &a, sizeof(a), fds);

	if (q.op == BROKER_FILE || q.op == BROKER_RUNNING)
		for (unsigned i = 0; i < BROKER_NFDS; i++)
			closep(&fds[i]);
	for (unsigned i = 0; q.op == BROKER_LOOK && i < MAX_LOOKS; i++)
		if (s->look[i])
			taken_close(&s->look[i]->taken);
	return sent;
}

/* A surgeon that was killed: its readers must know before they believe what they read. */
static void mourn(struct state *s, const struct pollfd *fd, const unsigned *at, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (fd[i].revents)
			take_mourn(s->look[at[i]]);
}

static bool wait_and_serve(struct state *s)
{
	struct pollfd fd[1 + MAX_LOOKS] = { { .fd = s->sock, .events = POLLIN } };
	unsigned at[MAX_LOOKS], n = 0;

	for (unsigned i = 0; i < MAX_LOOKS; i++) {
		int sock = s->look[i] ? take_watch(s->look[i]) : -1;

		if (sock < 0)
			continue;
		at[n++] = i;
		fd[n] = (struct pollfd){ .fd = sock, .events = POLLIN };
	}
	if (poll(fd, n + 1, ownmem_look(&s->memory)) < 0)
		return errno == EINTR;
	mourn(s, fd + 1, at, n);
	return !fd[0].revents || serve(s);
}

/* The terminal's signals are for who talks to the user; a pipe's end is an error. */
static void settle(void)
{
	static const int ignored[] = { SIGINT,	SIGTERM, SIGHUP,  SIGQUIT,
				       SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM };

	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		signal(ignored[i], SIG_IGN);
	prctl(PR_SET_NAME, "lmp-broker");
	confine_caps(RIGHTS);
}

_Noreturn void broker_main(const struct broker_opts *o, int sock, pid_t asker)
{
	struct state s = { .o = o, .sock = sock, .asker = asker, .temp_fd = -1 };

	settle();
	ownmem_init(&s.memory, asker);
	while (wait_and_serve(&s))
		;
	for (unsigned i = 0; i < MAX_LOOKS; i++)
		take_free(s.look[i]);
	if (s.temp[0])
		files_here(&(struct file_ask){ .op = FILE_UNLINK, .path = s.temp });
	_exit(0);
}
