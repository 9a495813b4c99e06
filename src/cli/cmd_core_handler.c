/*
 * cmd_core_handler.c - `limpet core-handler`: what kernel.core_pattern starts when a program dies.
 *
 * The kernel has stopped the program and writes its core into our stdin.  Of it only the head is
 * read (registers, mappings); the memory is taken from /proc/PID/mem while the program waits for
 * us to read on, so nothing is spooled.  Where that is not allowed the core goes to disk first,
 * within the limits.  Whatever happens to the analysis, at --max-time our end of the pipe is closed
 * and the program's end goes on.
 */
#include "cli/cmds.h"
#include "cli/corehead.h"
#include "cli/dying.h"
#include "cli/keeper.h"
#include "base/clock.h"
#include "base/logline.h"
#include "report/out.h"
#include "target/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>

#define DEFAULT_DIR	   "/var/lib/limpet"
#define DEFAULT_KEEP	   5
#define DEFAULT_TOTAL	   (UINT64_C(10) << 30)
#define DEFAULT_FREE	   (UINT64_C(1) << 30)
#define DEFAULT_TIME_NS	   UINT64_C(60000000000)
#define DEFAULT_MAX_MEMORY (UINT64_C(2) << 30)
#define TO_END_NS	   UINT64_C(500000000) /* of the time, for who gives up by himself */
#define LOG_SECONDS	   10 /* who does not read our line must not keep us for ever */
#define NICE		   5

struct handler {
	struct args args; /* with the defaults filled in */
	struct keeper_limits limits;
	struct keeper keeper;
	uint64_t began, deadline;

	pid_t pid;
	const char *signal; /* as the kernel says it, or NULL */
	char name[64];
	uint64_t uid;
	char stem[KEEPER_STEM_BYTES];

	int head_fd, mem_fd, spool_fd;
	enum corehead_kind head;
	uint64_t spool_bytes;
	enum corehead_end spool_end;

	struct dying_word word;
	const char *cut;    /* why the analysis did not end by itself, or NULL */
	char raw[PATH_MAX]; /* the core as it came, kept; "" not */
	uint64_t raw_bytes;
};

/* The kernel gives us stdin only (main.c holds the other two): there is nobody to talk to. */
static void have_outputs(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDOUT_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFL) & O_PATH)
			dup2(null, fd);
	if (null > STDERR_FILENO)
		closep(&null);
}

/* Others come first; but whoever restarts the program waits for us too. */
static void be_modest(void)
{
	proc_mark_victim(getpid());
	setpriority(PRIO_PROCESS, 0, NICE);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

static struct err *parse(const struct args *a, struct handler *h)
{
	struct handler_opts *o = &h->args.handler;
	char *end;
	long pid = strtol(a->arg[0], &end, 10);

	if (end == a->arg[0] || *end || pid <= 0 || pid > INT32_MAX)
		return err_usage("%.100s: want the pid of who dies: "
				 "kernel.core_pattern=|%s core-handler %%P %%s",
				 a->arg[0], "/usr/local/bin/limpet");
	h->args = *a;
	h->pid = (pid_t)pid;
	h->signal = a->arg[1];
	if (!h->args.max_memory)
		h->args.max_memory = DEFAULT_MAX_MEMORY;
	h->limits = (struct keeper_limits){
		.dir = o->dir ? o->dir : DEFAULT_DIR,
		.keep = o->keep ? o->keep : DEFAULT_KEEP,
		.max_total = o->max_total ? o->max_total : DEFAULT_TOTAL,
		.min_free = o->min_free_set ? o->min_free : DEFAULT_FREE,
	};
	h->began = clock_ns();
	h->deadline = h->began + (o->max_time_ns ? o->max_time_ns : DEFAULT_TIME_NS);
	return NULL;
}

/* Who it is, and its memory if it waits for us; a pid may be anybody's when nobody is dying. */
static void look_at(struct handler *h)
{
	struct proc_status s;
	char text[8192], path[64];
	struct err *err = proc_read_status(h->pid, 0, &s);

	snprintf(h->name, sizeof(h->name), "unknown");
	h->uid = PROC_UNKNOWN;
	if (err) {
		err_free(err);
		return;
	}
	if (proc_read_small(text, sizeof(text), "/proc/%d/status", h->pid) <= 0 ||
	    proc_number(text, "CoreDumping") != 1)
		return;
	snprintf(h->name, sizeof(h->name), "%s", s.name);
	h->uid = s.uid;
	snprintf(path, sizeof(path), "/proc/%d/mem", h->pid);
	h->mem_fd = open(path, O_RDONLY | O_CLOEXEC);
}

/* The whole core, to a file without a name: the program need not wait for what follows. */
static struct err *spool(struct handler *h)
{
	int null;
	struct err *err = keeper_file(&h->keeper, &h->spool_fd);

	if (!err)
		err = corehead_pass(h->head_fd, STDIN_FILENO, h->spool_fd, h->keeper.allowance,
				    h->deadline, &h->spool_bytes, &h->spool_end);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	closep(&null);
	h->keeper.allowance -= MIN(h->spool_bytes, h->keeper.allowance);
	return err;
}

/* From who looked at hostile bytes: it goes to the log, nothing else of it is believed. */
static void take_word(int words, struct dying_word *ret)
{
	struct dying_word w;

	if (read(words, &w, sizeof(w)) != sizeof(w))
		return;
	w.msg[sizeof(w.msg) - 1] = '\0';
	*ret = w;
}

/* Its end of the pipe is closed before ours only if somebody ended it by SIGKILL. */
static bool was_killed(const struct handler *h)
{
	struct pollfd p = { .fd = STDIN_FILENO };

	return h->mem_fd >= 0 && poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

/* Until the child has said its word or died, the deadline, or the program's own end. */
static const char *await(const struct handler *h, pid_t child, int words, struct dying_word *ret)
{
	struct pollfd p[2] = { { .fd = words, .events = POLLIN },
			       { .fd = h->mem_fd >= 0 ? STDIN_FILENO : -1 } };
	uint64_t now;
	int n = 0;

	while (n <= 0 && (now = clock_ns()) < h->deadline)
		n = poll(p, 2, (int)MIN((h->deadline - now) / 1000000 + 1, (uint64_t)INT_MAX));
	if (n > 0 && p[0].revents)
		take_word(words, ret);
	kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
	if (ret->end == DYING_KEPT)
		return NULL;
	if (was_killed(h))
		return "it was killed while it was looked at";
	return n <= 0 ? "the time was over (--max-time)" : NULL;
}

static bool is_there(const char *path)
{
	return !access(path, F_OK);
}

static struct err *analyse(struct handler *h)
{
	char report[PATH_MAX], core[PATH_MAX], exe[64], root[64], name[80];
	bool waits = h->mem_fd >= 0;
	struct dying d = {
		.args = &h->args,
		.given = { waits ? h->head_fd : h->spool_fd, h->mem_fd },
		.name = name,
		.exe = waits ? exe : NULL,
		.sysroot = waits ? root : NULL,
		.report_path = report,
		.core_path = h->args.handler.core == HANDLER_CORE_NONE ? NULL : core,
		.max_file = h->keeper.allowance,
		.max_memory = h->args.max_memory,
		.deadline = h->deadline - MIN(TO_END_NS, h->deadline - h->began),
	};
	pid_t child;
	int words;

	snprintf(name, sizeof(name), "the core of process %d", h->pid);
	snprintf(exe, sizeof(exe), "/proc/%d/exe", h->pid);
	snprintf(root, sizeof(root), "/proc/%d/root", h->pid);
	snprintf(report, sizeof(report), "%s/%s.report.%s", h->limits.dir, h->stem,
		 args_has(&h->args, OPT_JSON) ? "json" : "txt");
	snprintf(core, sizeof(core), "%s/%s.core.zst", h->limits.dir, h->stem);
	struct err *err = dying_start(&d, &child, &words);

	if (err)
		return err;
	h->cut = await(h, child, words, &h->word);
	closep(&words);
	/* What it could not say before its end. */
	h->word.report |= h->word.end == DYING_NOTHING && is_there(report);
	return NULL;
}

/* --others keep: as it came.  It holds all that the program held. */
static struct err *pass_on(struct handler *h)
{
	_cleanup_(closep) int fd = -1;
	char file[KEEPER_STEM_BYTES + 8];
	struct err *err = NULL;

	if (h->spool_fd < 0) {
		err = keeper_file(&h->keeper, &fd);
		if (!err)
			err = corehead_pass(h->head_fd, STDIN_FILENO, fd, h->keeper.allowance,
					    h->deadline, &h->spool_bytes, &h->spool_end);
	}
	snprintf(file, sizeof(file), "%s.core", h->stem);
	if (!err)
		err = keeper_link(&h->keeper, fd >= 0 ? fd : h->spool_fd, file);
	if (err)
		return err;
	h->raw_bytes = h->spool_bytes;
	snprintf(h->raw, sizeof(h->raw), "%s/%s", h->limits.dir, file);
	return NULL;
}

static void put_who(const struct handler *h, struct str *o)
{
	str_put_clean(o, h->name, strlen(h->name));
	str_printf(o, " (pid %d", h->pid);
	if (h->uid != PROC_UNKNOWN)
		str_printf(o, ", uid %" PRIu64, h->uid);
	if (h->signal) {
		str_put(o, ", signal ");
		str_put_clean(o, h->signal, MIN(strlen(h->signal), (size_t)8));
	}
	str_put(o, ")");
}

static void put_kept(const struct handler *h, struct str *o)
{
	const struct dying_word *w = &h->word;
	char size[16];

	if (w->report)
		str_printf(o, "%s/%s.report.%s", h->limits.dir, h->stem,
			   args_has(&h->args, OPT_JSON) ? "json" : "txt");
	if (w->core)
		str_printf(o, "%s%s/%s.core.zst (%s)", w->report ? ", " : "", h->limits.dir,
			   h->stem, str_bytes(size, w->core_bytes));
	if (h->raw[0])
		str_printf(o, "%s%s (%s%s)", w->report || w->core ? ", " : "", h->raw,
			   str_bytes(size, h->raw_bytes),
			   h->spool_end == CORE_CUT_BY_SIZE   ? ", cut by --max-total or --min-free"
			   : h->spool_end == CORE_CUT_BY_TIME ? ", cut by --max-time"
							      : "");
}

static void put_why(const struct handler *h, struct str *o)
{
	const struct dying_word *w = &h->word;

	if (h->cut)
		str_put(o, h->cut);
	else if (w->end == DYING_NOT_GO)
		str_put(o, "not a Go program");
	else if (w->end == DYING_NOTHING && !*w->msg)
		str_put(o, "the analysis died (a bug in limpet, or --max-memory)");
	else
		str_put_clean(o, w->msg, strlen(w->msg));
}

/* The one line, for syslog and for who runs it by hand. */
static void tell(const struct handler *h, struct str *o)
{
	bool any = h->word.report || h->word.core || h->raw[0];
	char size[16];

	put_who(h, o);
	str_put(o, " died: ");
	if (h->word.end == DYING_KEPT)
		str_printf(o, "%" PRIu64 " objects, %s reachable", h->word.objects,
			   str_bytes(size, h->word.bytes));
	else
		put_why(h, o);
	str_put(o, any ? "; kept " : "; nothing is kept");
	put_kept(h, o);
	str_printf(o, "; %.1f s\n", (double)(clock_ns() - h->began) / 1e9);
}

static struct err *handle(struct handler *h)
{
	struct err *err;

	h->head_fd = h->mem_fd = h->spool_fd = h->keeper.fd = -1;
	look_at(h);
	keeper_stem(h->stem, (uint64_t)time(NULL), h->name, h->pid);
	err = corehead_take(STDIN_FILENO, h->deadline, &h->head_fd, &h->head);
	if (!err)
		err = keeper_open(&h->limits, h->deadline, &h->keeper);
	if (!err && h->head == COREHEAD_FOREIGN)
		snprintf(h->word.msg, sizeof(h->word.msg), "not a 64-bit program");
	else if (!err)
		err = h->mem_fd < 0 ? spool(h) : NULL;
	if (!err && h->head != COREHEAD_FOREIGN)
		err = analyse(h);
	if (!err && h->word.end != DYING_KEPT && h->args.handler.others == HANDLER_OTHERS_KEEP)
		err = pass_on(h);
	return err;
}

static void let_go(struct handler *h)
{
	close(STDIN_FILENO);
	closep(&h->head_fd);
	closep(&h->mem_fd);
	closep(&h->spool_fd);
	keeper_close(&h->keeper);
}

struct err *cmd_core_handler(const struct args *a, int *status)
{
	_cleanup_(str_deinit) struct str line = { 0 };
	struct handler h = { 0 };
	struct err *err;

	(void)status;
	have_outputs();
	be_modest();
	err = parse(a, &h);
	if (!err) {
		err = handle(&h);
		let_go(&h);
	}
	alarm(LOG_SECONDS);
	if (err) {
		log_line(LOG_DAEMON | LOG_ERR, "core-handler: process %.20s: %s", a->arg[0],
			 err->msg);
		return err;
	}
	tell(&h, &line);
	err = out_write(NULL, &line);
	log_line(LOG_DAEMON | LOG_NOTICE, "core-handler: %s",
		 str_ok(&line) ? line.s : "out of memory");
	return err;
}
