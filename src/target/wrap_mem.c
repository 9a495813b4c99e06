/*
 * wrap_mem.c - the core that the kernel is about to write, without its being written.
 *
 * Of a core that comes through a pipe only the head is at hand: program headers and notes.  They
 * tell at which offset each piece of memory would stand, and as long as nobody reads on, the
 * program waits in the kernel with that memory still its own: /proc/PID/mem has it.  So only what
 * is asked for is copied, in any order, and nothing goes to disk.
 * Knows nothing of what is in there.  Cost: a binary search and one pread a piece.
 */
#include "target/wrap_priv.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define MAX_PARTS (1U << 21)

struct part {
	uint64_t start, end; /* offsets in the core that would be */
	taddr addr;
};

struct wrap_mem {
	int fd;
	VEC(struct part) parts; /* ascending, not overlapping */
};

void wrap_mem_close(struct wrap_mem *m)
{
	if (!m)
		return;
	closep(&m->fd);
	vec_free(&m->parts);
	free(m);
}

static void mem_closep(struct wrap_mem **m)
{
	wrap_mem_close(*m);
}

/*
 * [vsyscall] lies where no offset of a file reaches: wrap_pread() finds nothing there.
 * In the order in which the kernel writes them (fs/binfmt_elf.c, elf_core_dump).
 */
static struct err *take(struct wrap_mem *m, const Elf64_Phdr *p)
{
	uint64_t before = m->parts.n ? m->parts.v[m->parts.n - 1].end : 0;

	if (p->p_type != PT_LOAD || !p->p_filesz)
		return NULL;
	if (p->p_offset < before || p->p_offset > INT64_MAX ||
	    p->p_filesz > (uint64_t)INT64_MAX - p->p_offset)
		return err_bad_data("the segments of the core do not follow each other");
	struct part x = { p->p_offset, p->p_offset + p->p_filesz, p->p_vaddr };

	return vec_push(&m->parts, x) ? NULL : &err_nomem;
}

/* More than 65534: the number stands where it comes last; the first segment begins behind them. */
static struct err *count(int head_fd, const Elf64_Ehdr *h, uint64_t *ret)
{
	Elf64_Phdr first;
	size_t n = 0;
	struct err *err;

	*ret = h->e_phnum;
	if (h->e_phnum == PN_XNUM) {
		err = wrap_pread(head_fd, h->e_phoff, &first, sizeof(first), &n);
		if (err)
			return err;
		*ret = n == sizeof(first) && first.p_offset > h->e_phoff
			       ? (first.p_offset - h->e_phoff) / sizeof(first)
			       : 0;
	}
	return *ret <= MAX_PARTS ? NULL : err_bad_data("too many segments in the core");
}

static struct err *read_parts(struct wrap_mem *m, int head_fd)
{
	Elf64_Ehdr h = { 0 };
	Elf64_Phdr p;
	uint64_t nsegs = 0;
	size_t n = 0;
	struct err *err = wrap_pread(head_fd, 0, &h, sizeof(h), &n);

	if (!err && (n < sizeof(h) || memcmp(h.e_ident, ELFMAG, SELFMAG) ||
		     h.e_ident[EI_CLASS] != ELFCLASS64 || h.e_phentsize != sizeof(p)))
		err = err_bad_data("this is not the head of a 64-bit core");
	if (!err)
		err = count(head_fd, &h, &nsegs);
	for (uint64_t i = 0; !err && i < nsegs; i++) {
		err = wrap_pread(head_fd, h.e_phoff + i * sizeof(p), &p, sizeof(p), &n);
		if (!err && n < sizeof(p))
			break;
		if (!err)
			err = take(m, &p);
	}
	return err;
}

struct err *wrap_open_given(int fd, int mem_fd, struct wrap_file **ret)
{
	_cleanup_(wrap_closep) struct wrap_file *f = zalloc(1, sizeof(*f));
	_cleanup_(mem_closep) struct wrap_mem *m = NULL;
	struct stat st;

	if (!f)
		return &err_nomem;
	f->temp_fd = -1;
	f->fd = f->data_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (f->fd < 0 || fstat(f->fd, &st))
		return err_os(errno, "the core that was handed over");
	f->size = (uint64_t)st.st_size;
	if (mem_fd >= 0) {
		m = zalloc(1, sizeof(*m));
		if (!m)
			return &err_nomem;
		m->fd = fcntl(mem_fd, F_DUPFD_CLOEXEC, 3);
		struct err *err = m->fd < 0 ? err_os(errno, "the memory of the program")
					    : read_parts(m, f->fd);

		if (err)
			return err;
		if (m->parts.n)
			f->size = MAX(f->size, m->parts.v[m->parts.n - 1].end);
		f->mem = STEAL(m);
	}
	*ret = STEAL(f);
	return NULL;
}

static const struct part *part_at(const struct wrap_mem *m, uint64_t at)
{
	size_t lo = 0, hi = m->parts.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (at >= m->parts.v[mid].end)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < m->parts.n && m->parts.v[lo].start <= at ? &m->parts.v[lo] : NULL;
}

/* What the program cannot read itself (a page behind the end of a file) ends a read early. */
struct err *wrap_mem_read(const struct wrap_mem *m, int head_fd, uint64_t at, void *buf, size_t n,
			  size_t *ret)
{
	const struct part *p = part_at(m, at);
	size_t done = 0;

	if (!p)
		return wrap_pread(head_fd, at, buf, n, ret);
	for (; p && done < n; p = part_at(m, at + done)) {
		size_t got = 0, want = (size_t)MIN((uint64_t)(n - done), p->end - (at + done));
		struct err *err = wrap_pread(m->fd, p->addr + (at + done - p->start),
					     (char *)buf + done, want, &got);

		if (err && err->code != ERR_OS)
			return err;
		err_free(err);
		done += got;
		if (got < want)
			break;
	}
	*ret = done;
	return NULL;
}
