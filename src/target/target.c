/*
 * target.c - the door: dispatches to a kind, answers from its facts.
 *
 * Knows no kind and no process.  A lookup of a region is a binary search; a read
 * costs what the kind's read costs.
 */
#include "target/ops.h"

#include <assert.h>

struct err *target_read_some(struct target *t, taddr addr, void *buf, size_t nbytes, size_t *ret)
{
	/* An address that wraps is not readable; cut so that kinds need not care. */
	if (nbytes > UINT64_MAX - addr)
		nbytes = (size_t)(UINT64_MAX - addr);
	if (nbytes == 0) {
		*ret = 0;
		return NULL;
	}
	return t->ops->read_some(t, addr, buf, nbytes, ret);
}

struct err *target_read(struct target *t, taddr addr, void *buf, size_t nbytes)
{
	size_t done = 0;

	while (done < nbytes) {
		size_t n = 0;
		struct err *err =
			target_read_some(t, addr + done, (char *)buf + done, nbytes - done, &n);
		if (err)
			return err;
		if (n == 0)
			return err_fault(addr + done);
		done += n;
	}
	return NULL;
}

struct err *target_peek(struct target *t, taddr addr, void *buf, size_t nbytes)
{
	if (!t->ops->peek)
		return err_unsupported("a file does not change: it has no later state");
	return t->ops->peek(t, addr, buf, nbytes);
}

const struct target_capture *target_capture(const struct target *t)
{
	return &t->capture;
}

const struct target_thread *target_threads(const struct target *t, size_t *ret_n)
{
	*ret_n = t->nthreads;
	return t->threads;
}

uint64_t target_start_ticks(const struct target *t)
{
	return t->start_ticks;
}

enum target_arch target_arch(const struct target *t)
{
	return t->arch;
}

const struct target_floats *target_floats(const struct target *t)
{
	return t->floats;
}

const struct target_region *target_regions(const struct target *t, size_t *ret_n)
{
	*ret_n = t->nregions;
	return t->regions;
}

const struct target_region *target_region_at(const struct target *t, taddr addr)
{
	size_t lo = 0, hi = t->nregions;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (addr >= t->regions[mid].range.end)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < t->nregions && trange_has(t->regions[lo].range, addr))
		return &t->regions[lo];
	return NULL;
}

const struct target_place *target_place(const struct target *t)
{
	return &t->place;
}

const struct target_mem *target_mem(const struct target *t)
{
	return &t->mem;
}

const struct target_smap *target_smaps(const struct target *t, size_t *ret_n)
{
	*ret_n = t->nsmaps;
	return t->smaps;
}

const struct target_fd *target_fds(const struct target *t, size_t *ret_n)
{
	*ret_n = t->nfds;
	return t->fds;
}

const char *target_exe(const struct target *t)
{
	return t->exe ? t->exe : "";
}

const char *target_file(const struct target *t)
{
	return t->file ? t->file : "";
}

int target_exe_fd(const struct target *t)
{
	return t->exe_fd;
}

const struct target_loss *target_losses(const struct target *t, size_t *ret_n)
{
	*ret_n = t->losses.n;
	return t->losses.v;
}

const void *target_auxv(const struct target *t, size_t *ret_nbytes)
{
	*ret_nbytes = t->nauxv;
	return t->auxv;
}

unsigned target_left_out(const struct target *t)
{
	return t->left_out;
}

enum target_extent target_extent(const struct target *t, taddr addr, taddr *ret_end)
{
	*ret_end = UINT64_MAX;
	return t->ops->extent ? t->ops->extent(t, addr, ret_end) : TARGET_BYTES;
}

uint64_t target_started_unix_ns(const struct target *t)
{
	return t->started_unix_ns;
}

void target_release(struct target *t)
{
	if (!t || t->released)
		return;
	t->released = 1;
	if (t->ops->release)
		t->ops->release(t);
}

void target_close(struct target *t)
{
	if (!t)
		return;
	target_release(t);
	free(t->threads);
	free(t->floats);
	free(t->regions);
	free(t->region_text);
	free(t->smaps);
	free(t->smap_text);
	free(t->fds);
	free(t->fd_text);
	free(t->exe);
	free(t->file);
	free(t->auxv);
	vec_free(&t->losses);
	closep(&t->exe_fd);
	t->ops->destroy(t);
}
