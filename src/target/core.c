/*
 * core.c - an ELF core as a target: the kernel's, gcore's, delve's, our own.
 *
 * A read is a binary search among the pieces and one pread of the core or of a mapped file: the
 * core is never held in memory.  Knows nothing of Go.
 */
#include "target/core_priv.h"

#include <stdio.h>
#include <sys/stat.h>

static const struct core_piece *piece_at(const struct core *c, taddr addr)
{
	size_t lo = 0, hi = c->pieces.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (addr >= c->pieces.v[mid].range.end)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < c->pieces.n && c->pieces.v[lo].range.start <= addr ? &c->pieces.v[lo] : NULL;
}

/* Behind the end of a file its last page is zeroes, as in a mapping. */
static struct err *from_file(const struct core_file *f, uint64_t at, void *buf, size_t n,
			     size_t *ret)
{
	uint64_t end = (f->bytes + CORE_PAGE_BYTES - 1) & ~(uint64_t)(CORE_PAGE_BYTES - 1);
	size_t got = 0;

	*ret = 0;
	if (f->fd < 0 || at >= end)
		return NULL;
	n = (size_t)MIN((uint64_t)n, end - at);
	while (got < n) {
		ssize_t k = pread(f->fd, (char *)buf + got, n - got, (off_t)(at + got));

		if (k <= 0)
			break;
		got += (size_t)k;
	}
	if (at + got >= f->bytes) {
		memset((char *)buf + got, 0, n - got);
		got = n;
	}
	*ret = got;
	return NULL;
}

static struct err *read_piece(struct core *c, const struct core_piece *p, taddr addr, void *buf,
			      size_t n, size_t *ret)
{
	uint64_t at = p->offset + (addr - p->range.start);

	n = (size_t)MIN((uint64_t)n, p->range.end - addr);
	*ret = 0;
	switch ((enum core_from)p->from) {
	case CORE_FROM_CORE:
		return wrap_read(c->w, at, buf, n, ret);
	case CORE_FROM_FILE:
		return from_file(&c->files.v[p->file], at, buf, n, ret);
	case CORE_ZEROES:
		memset(buf, 0, n);
		*ret = n;
		return NULL;
	case CORE_CUT:
	case CORE_LOST:
		break;
	}
	return NULL;
}

struct err *core_read_some(struct target *t, taddr addr, void *buf, size_t nbytes, size_t *ret)
{
	struct core *c = (struct core *)t;
	const struct core_piece *p = piece_at(c, addr);
	size_t done = 0;

	for (; p && p < c->pieces.v + c->pieces.n && done < nbytes; p++) {
		size_t n = 0;

		if (!trange_has(p->range, addr + done))
			break;
		struct err *err =
			read_piece(c, p, addr + done, (char *)buf + done, nbytes - done, &n);

		if (err)
			return err_prefix(err, "%.200s", c->path);
		done += n;
		if (addr + done < p->range.end)
			break;
	}
	*ret = done;
	return NULL;
}

static enum target_extent core_extent(const struct target *t, taddr addr, taddr *ret_end)
{
	const struct core *c = (const struct core *)t;
	const struct core_piece *p = c->pieces.v, *end = c->pieces.v + c->pieces.n;
	size_t lo = 0, hi = c->pieces.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (addr >= p[mid].range.end)
			lo = mid + 1;
		else
			hi = mid;
	}
	p += lo;
	if (p == end)
		return TARGET_NOTHING;
	if (p->range.start > addr) {
		*ret_end = p->range.start;
		return TARGET_NOTHING;
	}
	*ret_end = p->range.end;
	if (p->from == CORE_CUT || p->from == CORE_LOST)
		return TARGET_NOTHING;
	return p->from == CORE_ZEROES ? TARGET_ZEROES : TARGET_BYTES;
}

static void core_destroy(struct target *t)
{
	struct core *c = (struct core *)t;

	for (size_t i = 0; i < c->files.n; i++) {
		closep(&c->files.v[i].fd);
		elf_exe_deinit(&c->files.v[i].x);
	}
	for (size_t i = 0; i < c->names.n; i++)
		free(c->names.v[i]);
	vec_free(&c->files);
	vec_free(&c->names);
	vec_free(&c->segs);
	vec_free(&c->notes);
	vec_free(&c->mappings);
	vec_free(&c->pieces);
	wrap_close(c->w);
	free(c);
}

static const struct target_ops core_ops = {
	.read_some = core_read_some,
	.extent = core_extent,
	.destroy = core_destroy,
};

static void nothing_known(struct target_mem *m)
{
	memset(m, 0xff, sizeof(*m)); /* UINT64_MAX is unknown */
	m->cgroup_oom_group = false;
	memset(m->cgroup_path, 0, sizeof(m->cgroup_path));
}

/* Our own note knows the instant; else the file was written right after it. */
static void fill_capture(struct core *c)
{
	struct target_capture *x = &c->t.capture;
	struct stat st;

	x->pid = c->facts.pid;
	if (c->facts.ours) {
		x->at_unix_ns = c->facts.note.at_unix_ns;
		x->pause_ns = c->facts.note.pause_ns;
		c->t.started_unix_ns = c->facts.note.started_unix_ns;
		if (c->facts.note.flags & CORENOTE_FLAG_NO_PAYLOAD)
			c->t.left_out |= TARGET_NO_PAYLOAD;
		if (c->facts.note.flags & CORENOTE_FLAG_REDACTED)
			c->t.left_out |= TARGET_REDACTED;
	} else if (!fstat(wrap_fd(c->w), &st) && st.st_mtim.tv_sec > 0) {
		x->at_unix_ns =
			(uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec;
	}
	c->t.mem.threads = c->t.nthreads ? c->t.nthreads : UINT64_MAX;
}

static struct err *load(struct core *c, const char *path, const struct target_file_opts *o)
{
	struct err *err = o && o->given ? wrap_open_given(o->given->fd, o->given->mem_fd, &c->w)
					: wrap_open(path, o ? o->max_unpacked_bytes : 0, &c->w);

	if (!err)
		err = core_read_heads(c);
	if (!err)
		err = core_read_notes(c);
	if (!err)
		err = core_map(c);
	if (!err)
		err = core_find_files(c, o);
	if (!err)
		err = core_map(c);
	if (!err)
		err = core_count_losses(c);
	return err;
}

struct err *target_open_core(const char *path, const struct target_file_opts *o,
			     struct target **ret)
{
	struct core *c = zalloc(1, sizeof(*c));
	struct err *err;

	if (!c)
		return &err_nomem;
	c->t.ops = &core_ops;
	c->t.exe_fd = -1;
	c->t.capture = (struct target_capture){ .kind = TARGET_CORE, .method = TARGET_BY_FILE };
	c->main_file = CORE_NO_FILE;
	snprintf(c->path, sizeof(c->path), "%s", path);
	nothing_known(&c->t.mem);
	_cleanup_(target_closep) struct target *t = &c->t;

	err = load(c, path, o);
	if (err)
		return err;
	fill_capture(c);
	*ret = STEAL(t);
	return NULL;
}
