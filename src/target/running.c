/*
 * running.c - a process that runs on as a target: its memory as it is at each read.
 *
 * Knows nothing of Go.  A read is one pread of /proc/PID/mem, which the descriptor binds to the
 * memory of that program: after an exec or its end it reads nothing.  Not process_vm_readv: that
 * takes a pid, which may come to mean another process.  The kernel takes the program's mmap_lock
 * for reading, a page at a time.
 */
#include "target/take.h"

#include "target/facts.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

struct running {
	struct target t;
	int mem_fd;
};

static struct err *running_read_some(struct target *t, taddr addr, void *buf, size_t nbytes,
				     size_t *ret)
{
	const struct running *r = (const struct running *)t;
	size_t done = 0;

	while (done < nbytes) {
		ssize_t n =
			pread(r->mem_fd, (char *)buf + done, nbytes - done, (off_t)(addr + done));

		if (n > 0) {
			done += (size_t)n;
			continue;
		}
		if (n == 0) /* fs/proc/base.c, mem_rw: no address space any more */
			return err_new(ERR_GONE, "process %d has exited", t->capture.pid);
		if (errno == EIO || errno == EFAULT || errno == EINVAL)
			break;
		if (errno != EINTR)
			return err_os(errno, "reading the memory of process %d", t->capture.pid);
	}
	*ret = done;
	return NULL;
}

static struct err *running_peek(struct target *t, taddr addr, void *buf, size_t nbytes)
{
	return target_read(t, addr, buf, nbytes);
}

static void running_destroy(struct target *t)
{
	struct running *r = (struct running *)t;

	closep(&r->mem_fd);
	free(r);
}

static const struct target_ops running_ops = {
	.read_some = running_read_some,
	.peek = running_peek,
	.destroy = running_destroy,
};

static struct err *get_texts(struct running *r, const struct taken *tk)
{
	struct err *err = taken_text(tk, TAKE_MAPS, &r->t.region_text);

	if (!err)
		err = taken_text(tk, TAKE_EXE_PATH, &r->t.exe);
	if (!err)
		err = taken_text(tk, TAKE_AUXV, &r->t.auxv);
	r->t.nauxv = err ? 0 : (size_t)tk->text_bytes[TAKE_AUXV];
	return err ? err : proc_parse_maps(r->t.region_text, &r->t.regions, &r->t.nregions);
}

struct err *running_adopt(const struct taken *tk, struct target **ret)
{
	struct running *r = zalloc(1, sizeof(*r));

	if (!r) {
		struct taken all = *tk;

		taken_close(&all);
		return &err_nomem;
	}
	_cleanup_(target_closep) struct target *t = &r->t;
	_cleanup_(closep) int texts = tk->fd[TAKE_TEXTS];

	(void)texts; /* only to be closed */
	t->ops = &running_ops;
	t->capture = tk->capture;
	t->arch = REGS_HOST;
	t->mem = tk->mem;
	t->place = tk->place;
	t->started_unix_ns = tk->started_unix_ns;
	t->start_ticks = tk->start_ticks;
	t->exe_fd = tk->fd[TAKE_EXE];
	r->mem_fd = tk->fd[TAKE_MEM];
	struct err *err = get_texts(r, tk);

	if (err)
		return err;
	*ret = STEAL(t);
	return NULL;
}

struct err *target_open_running(pid_t pid, const char *what, struct target **ret)
{
	struct taken tk;
	struct err *err = take_running(pid, what, &tk);

	return err ? err : running_adopt(&tk, ret);
}

/* Nanoseconds, where stat(5) has hundredths. */
static uint64_t cpu_of(pid_t pid)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &ts))
		return UINT64_MAX;
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

struct err *target_pulse(pid_t pid, uint64_t start_ticks, struct target_pulse *ret)
{
	struct proc_stat st;
	struct proc_status s;

	if (!proc_read_stat(pid, &st) || st.state == 'Z' || st.state == 'X' ||
	    (start_ticks && st.start_ticks != start_ticks))
		return err_new(ERR_GONE, "process %d has exited", pid);
	struct err *err = proc_read_status(pid, 0, &s);

	if (err)
		return err;
	*ret = (struct target_pulse){ .rss = s.rss,
				      .threads = s.threads,
				      .cpu_ns = cpu_of(pid),
				      .fds = facts_count_fds(pid) };
	return NULL;
}
