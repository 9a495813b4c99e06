/*
 * live.c - a running process as a target: what the surgeon froze, read at leisure.
 *
 * A read is one pread of /proc/TWIN/mem, no lock.  Not process_vm_readv: it pins the pages
 * (mm/gup.c, FOLL_PIN), which unshares each page it reads from a forked copy, so that the twin
 * would grow to a full copy of the program.  Facts are read from /proc after the program runs
 * again, from the twin where the instant matters (maps).
 */
#include "target/ops.h"

#include "base/clock.h"
#include "target/facts.h"
#include "target/preflight.h"
#include "target/surgeon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <syslog.h>

#define MAX_MAPS_BYTES		(256U << 20)
#define MAX_AUXV_BYTES		4096U
#define DEFAULT_MAX_PAUSE_NS	200000000U
#define DEFAULT_STOP_TIMEOUT_NS 2000000000U

struct live {
	struct target t;
	struct surgeon surgeon;
	pid_t pid;
	pid_t source;  /* whose memory is read */
	int mem_fd;    /* its /proc/PID/mem: cannot come to mean another process */
	char what[32]; /* the command, for the log */
};

static struct err *gone(const struct live *l)
{
	const struct theatre *th = l->surgeon.th;

	return err_new(ERR_GONE, "process %d: %s", l->pid,
		       th->why_gone[0] ? th->why_gone : "its snapshot has been let go");
}

static struct err *live_read_some(struct target *t, taddr addr, void *buf, size_t nbytes,
				  size_t *ret)
{
	struct live *l = (struct live *)t;
	size_t done = 0;

	while (done < nbytes) {
		if (atomic_load_explicit(&l->surgeon.th->gone, memory_order_acquire))
			return gone(l);
		ssize_t n =
			pread(l->mem_fd, (char *)buf + done, nbytes - done, (off_t)(addr + done));

		if (n > 0) {
			done += (size_t)n;
			continue;
		}
		if (n == 0) /* fs/proc/base.c, mem_rw: no address space any more */
			return gone(l);
		if (errno == EIO || errno == EFAULT || errno == EINVAL)
			break;
		if (errno != EINTR)
			return err_os(errno, "reading the memory of process %d", l->pid);
	}
	/* What was read after the twin went may be anybody's. */
	if (atomic_load_explicit(&l->surgeon.th->gone, memory_order_acquire))
		return gone(l);
	*ret = done;
	return NULL;
}

static void log_attach(const struct live *l, const char *outcome);

static void live_release(struct target *t)
{
	struct live *l = (struct live *)t;

	if (!l->surgeon.th)
		return; /* never got that far */
	surgeon_finish(&l->surgeon);
	t->capture.pause_ns = l->surgeon.th->pause_ns;
	if (t->capture.method == TARGET_BY_FREEZE)
		log_attach(l, "let go");
}

static void live_destroy(struct target *t)
{
	struct live *l = (struct live *)t;

	surgeon_deinit(&l->surgeon);
	closep(&l->mem_fd);
	free(l);
}

static const struct target_ops live_ops = {
	.read_some = live_read_some,
	.release = live_release,
	.destroy = live_destroy,
};

static struct err *copy_threads(struct live *l)
{
	const struct theatre *th = l->surgeon.th;

	l->t.threads = zalloc(th->nthreads, sizeof(*l->t.threads));
	if (!l->t.threads)
		return &err_nomem;
	l->t.nthreads = th->nthreads;
	memcpy(l->t.threads, th->threads, th->nthreads * sizeof(*l->t.threads));
	return NULL;
}

static struct err *read_maps(struct live *l)
{
	char path[64];
	size_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", l->source);
	struct err *err = proc_slurp(path, MAX_MAPS_BYTES, &l->t.region_text, &n);

	if (err)
		return err;
	return proc_parse_maps(l->t.region_text, &l->t.regions, &l->t.nregions);
}

static struct err *open_mem(struct live *l)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/mem", l->source);
	l->mem_fd = open(path, O_RDONLY | O_CLOEXEC);
	return l->mem_fd < 0 ? err_os(errno, "%s", path) : NULL;
}

static struct err *read_exe(struct live *l)
{
	char path[64], link[4096];

	snprintf(path, sizeof(path), "/proc/%d/exe", l->source);
	ssize_t n = readlink(path, link, sizeof(link) - 1);

	l->t.exe = strndup(n > 0 ? link : "", n > 0 ? (size_t)n : 0);
	l->t.exe_fd = open(path, O_RDONLY | O_CLOEXEC);
	return l->t.exe ? NULL : &err_nomem;
}

/* A facts file like the others, but binary; without it nothing but a core's note is missing. */
static struct err *read_auxv(struct live *l)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/auxv", l->source);
	struct err *err = proc_slurp(path, MAX_AUXV_BYTES, &l->t.auxv, &l->t.nauxv);

	if (err && err->code == ERR_NOMEM)
		return err;
	err_free(err);
	return NULL;
}

static struct err *learn(struct live *l)
{
	const struct theatre *th = l->surgeon.th;

	l->source = th->method == TARGET_BY_FORK ? th->twin : l->pid;
	l->t.capture.at_unix_ns = th->at_unix_ns;
	l->t.capture.pause_ns = th->pause_ns;
	l->t.capture.fork_ns = th->fork_ns;
	struct err *err = copy_threads(l);

	if (!err)
		err = open_mem(l);
	if (!err)
		err = read_maps(l);
	if (!err)
		err = read_exe(l);
	if (!err)
		err = read_auxv(l);
	return err;
}

static struct err *prepare(struct live *l, const struct target_opts *o, struct preflight *pf)
{
	struct err *err = preflight_look(l->pid, pf);

	if (!err && o->method == TARGET_BY_FORK)
		err = preflight_fork(l->pid, o, pf);
	if (err)
		return err;
	l->t.capture.predicted_pause_ns = pf->predicted_ns;
	l->t.capture.page_table_bytes = pf->status.vm_pte;
	return facts_read(&l->t, l->pid, &pf->status, &pf->cgroup);
}

static void log_attach(const struct live *l, const char *outcome)
{
	const char *sudo = getenv("SUDO_USER");
	const struct target_capture *c = &l->t.capture;

	openlog("limpet", LOG_PID, LOG_USER);
	syslog(LOG_NOTICE,
	       "%s: uid %u%s%s, command %s, target pid %d (%s), method %s, paused %" PRIu64
	       " us: %s",
	       "attach", getuid(), sudo ? ", SUDO_USER " : "", sudo ? sudo : "",
	       l->what[0] ? l->what : "?", l->pid, target_exe(&l->t),
	       c->method == TARGET_BY_FORK ? "fork" : "freeze", c->pause_ns / 1000, outcome);
	closelog();
}

static struct target_opts with_defaults(const struct target_opts *o)
{
	struct target_opts opts = *o;

	if (!opts.max_pause_ns)
		opts.max_pause_ns = DEFAULT_MAX_PAUSE_NS;
	if (!opts.stop_timeout_ns)
		opts.stop_timeout_ns = DEFAULT_STOP_TIMEOUT_NS;
	return opts;
}

static struct live *live_create(pid_t pid, const struct target_opts *o)
{
	struct live *l = zalloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->t.exe_fd = l->mem_fd = -1;
	l->t.ops = &live_ops;
	l->t.capture =
		(struct target_capture){ .kind = TARGET_LIVE, .method = o->method, .pid = pid };
	l->pid = pid;
	snprintf(l->what, sizeof(l->what), "%s", o->what ? o->what : "");
	return l;
}

struct err *target_open_live(pid_t pid, const struct target_opts *o, struct target **ret)
{
	struct target_opts opts = with_defaults(o);
	struct live *l = live_create(pid, &opts);
	struct preflight pf;

	if (!l)
		return &err_nomem;
	_cleanup_(target_closep) struct target *t = &l->t;
	struct err *err = prepare(l, &opts, &pf);

	if (err)
		return err;
	err = surgeon_start(&l->surgeon, pid, &opts, &pf);
	if (!err)
		err = learn(l);
	if (err) {
		log_attach(l, err->msg);
		return err;
	}
	if (opts.method == TARGET_BY_FORK)
		log_attach(l, "snapshot taken");
	*ret = STEAL(t);
	return NULL;
}

struct err *target_clean(pid_t pid, unsigned *ret_reaped, unsigned *ret_left)
{
	struct preflight pf;
	struct err *err = preflight_look(pid, &pf);

	return err ? err : surgeon_clean(pid, ret_reaped, ret_left);
}
