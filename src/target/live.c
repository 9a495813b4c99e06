/*
 * live.c - a running process as a target: what was taken, read at leisure and without rights.
 *
 * A read is one pread of /proc/TWIN/mem, no lock.  Not process_vm_readv: it pins the pages
 * (mm/gup.c, FOLL_PIN), which unshares each page it reads from a forked copy, so that the twin
 * would grow to a full copy of the program.
 */
#include "target/take.h"

#include "target/facts.h"
#include "target/fds.h"
#include "target/preflight.h"
#include "target/residue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

enum { PEEK_WORDS_MAX = 64 };

struct live {
	struct target t;
	const struct theatre *th; /* written by the surgeon, and by nobody when it is over */
	int mem_fd;
	int now_fd;
	struct live_holder holder;
};

static struct err *gone(const struct live *l)
{
	const struct theatre *th = l->th;

	return err_new(th->spared ? ERR_LIMIT : ERR_GONE, "process %d: %s", l->t.capture.pid,
		       th->why_gone[0] ? th->why_gone : "its snapshot has been let go");
}

static struct err *live_read_some(struct target *t, taddr addr, void *buf, size_t nbytes,
				  size_t *ret)
{
	struct live *l = (struct live *)t;
	size_t done = 0;

	while (done < nbytes) {
		if (atomic_load_explicit(&l->th->gone, memory_order_acquire))
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
			return err_os(errno, "reading the memory of process %d", t->capture.pid);
	}
	/* What was read after the twin went may be anybody's. */
	if (atomic_load_explicit(&l->th->gone, memory_order_acquire))
		return gone(l);
	*ret = done;
	return NULL;
}

/* Word by word: what is peeked at is one or two. */
static struct err *peek_through_holder(const struct live *l, taddr addr, void *buf, size_t nbytes)
{
	if (nbytes > PEEK_WORDS_MAX)
		return err_unsupported("process %d: its memory cannot be read while it runs with "
				       "these rights, but for a few words",
				       l->t.capture.pid);
	for (size_t done = 0; done < nbytes;) {
		uint64_t word;
		size_t n = MIN(nbytes - done, sizeof(word));
		struct err *err = l->holder.peek(l->holder.arg, addr + done, &word);

		if (err)
			return err;
		memcpy((char *)buf + done, &word, n);
		done += n;
	}
	return NULL;
}

static struct err *live_peek(struct target *t, taddr addr, void *buf, size_t nbytes)
{
	struct live *l = (struct live *)t;
	ssize_t n;

	if (l->now_fd < 0)
		return peek_through_holder(l, addr, buf, nbytes);
	do
		n = pread(l->now_fd, buf, nbytes, (off_t)addr);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)nbytes)
		return NULL;
	if (n == 0)
		return err_new(ERR_GONE, "process %d has exited", t->capture.pid);
	if (n < 0 && errno != EIO && errno != EFAULT)
		return err_os(errno, "reading the memory of process %d", t->capture.pid);
	return err_fault(addr + (uint64_t)MAX(n, 0));
}

static void live_release(struct target *t)
{
	struct live *l = (struct live *)t;

	l->holder.finish(l->holder.arg);
	if (l->th)
		t->capture.pause_ns = l->th->pause_ns;
}

static void live_destroy(struct target *t)
{
	struct live *l = (struct live *)t;

	l->holder.free(l->holder.arg);
	theatre_unmap(l->th);
	closep(&l->mem_fd);
	closep(&l->now_fd);
	free(l);
}

static const struct target_ops live_ops = {
	.read_some = live_read_some,
	.peek = live_peek,
	.release = live_release,
	.destroy = live_destroy,
};

static struct err *copy_threads(struct live *l)
{
	const struct theatre *th = l->th;

	if (th->nthreads > THEATRE_MAX_THREADS)
		return err_bad_data("process %d: %zu threads", l->t.capture.pid, th->nthreads);
	l->t.threads = zalloc(th->nthreads, sizeof(*l->t.threads));
	if (!l->t.threads)
		return &err_nomem;
	l->t.nthreads = th->nthreads;
	l->t.arch = REGS_HOST;
	memcpy(l->t.threads, th->threads, th->nthreads * sizeof(*l->t.threads));
	if (!th->has_floats)
		return NULL;
	l->t.floats = zalloc(th->nthreads, sizeof(*l->t.floats));
	if (!l->t.floats)
		return &err_nomem;
	memcpy(l->t.floats, th->floats, th->nthreads * sizeof(*l->t.floats));
	return NULL;
}

struct err *taken_text(const struct taken *tk, enum take_text which, char **ret)
{
	uint64_t n = tk->text_bytes[which], at = 0;
	_cleanup_(freep) char *text = n < SIZE_MAX ? malloc((size_t)n + 1) : NULL;

	if (!text)
		return &err_nomem;
	for (unsigned i = 0; i < which; i++)
		at += tk->text_bytes[i];
	for (uint64_t done = 0; done < n;) {
		ssize_t got = pread(tk->fd[TAKE_TEXTS], text + done, (size_t)(n - done),
				    (off_t)(at + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return err_os(got ? errno : EIO, "facts of process %d", tk->capture.pid);
		done += (uint64_t)got;
	}
	text[n] = '\0';
	*ret = STEAL(text);
	return NULL;
}

static struct err *get_texts(struct live *l, const struct taken *tk)
{
	struct err *err = taken_text(tk, TAKE_SMAPS, &l->t.smap_text);

	if (!err)
		err = taken_text(tk, TAKE_MAPS, &l->t.region_text);
	if (!err)
		err = taken_text(tk, TAKE_EXE_PATH, &l->t.exe);
	if (!err)
		err = taken_text(tk, TAKE_AUXV, &l->t.auxv);
	if (!err)
		err = taken_text(tk, TAKE_FDS, &l->t.fd_text);
	l->t.nauxv = err ? 0 : (size_t)tk->text_bytes[TAKE_AUXV];
	return err;
}

static struct err *parse_texts(struct live *l, const struct taken *tk)
{
	struct err *err;

	facts_sum_smaps(l->t.smap_text, &l->t.mem);
	err = proc_parse_smaps(l->t.smap_text, &l->t.smaps, &l->t.nsmaps);
	if (!err)
		err = fds_parse(l->t.fd_text, (size_t)tk->text_bytes[TAKE_FDS], &l->t.fds,
				&l->t.nfds);
	return err ? err : proc_parse_maps(l->t.region_text, &l->t.regions, &l->t.nregions);
}

static struct live *live_create(const struct taken *tk, struct live_holder h)
{
	struct live *l = zalloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->t.ops = &live_ops;
	l->t.capture = tk->capture;
	l->t.mem = tk->mem;
	l->t.place = tk->place;
	l->t.started_unix_ns = tk->started_unix_ns;
	l->t.start_ticks = tk->start_ticks;
	l->t.exe_fd = tk->fd[TAKE_EXE];
	l->mem_fd = tk->fd[TAKE_MEM];
	l->now_fd = tk->fd[TAKE_NOW];
	l->holder = h;
	return l;
}

struct err *live_adopt(const struct taken *tk, struct live_holder h, struct target **ret)
{
	struct live *l = live_create(tk, h);
	struct err *err;

	if (!l) {
		h.finish(h.arg);
		h.free(h.arg);
		struct taken all = *tk;

		taken_close(&all);
		return &err_nomem;
	}
	_cleanup_(target_closep) struct target *t = &l->t;
	_cleanup_(closep) int theatre = tk->fd[TAKE_THEATRE], texts = tk->fd[TAKE_TEXTS];

	(void)texts; /* only to be closed */
	l->th = theatre_map(theatre);
	if (!l->th)
		return &err_nomem;
	err = copy_threads(l);
	if (!err)
		err = get_texts(l, tk);
	if (!err)
		err = parse_texts(l, tk);
	if (err)
		return err;
	*ret = STEAL(t);
	return NULL;
}

static void finish_here(void *take)
{
	take_finish(take);
}

static struct err *peek_here(void *take, taddr addr, uint64_t *ret)
{
	return take_peek(take, addr, ret);
}

static void free_here(void *take)
{
	take_free(take);
}

struct err *target_open_live(pid_t pid, const struct target_opts *o, struct target **ret)
{
	struct take *tk;
	struct err *err = take_start(pid, o, &tk);

	if (err)
		return err;
	struct taken taken = tk->taken;

	for (int i = 0; i < TAKE_NFDS; i++)
		tk->taken.fd[i] = -1; /* the target's now */
	return live_adopt(
		&taken,
		(struct live_holder){
			.finish = finish_here, .free = free_here, .peek = peek_here, .arg = tk },
		ret);
}

struct err *target_clean(pid_t pid, struct target_cleaned *ret)
{
	struct preflight pf;
	struct target_cleaned c = { 0 };
	struct err *err = preflight_look(pid, &pf);

	if (!err)
		err = surgeon_clean(pid, &c.reaped, &c.left);
	if (err)
		return err;
	c.unmarked = residue_unmarked(pid);
	*ret = c;
	return NULL;
}
