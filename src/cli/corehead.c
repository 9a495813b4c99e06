/*
 * corehead.c - read with a deadline, to where the memory begins or to the end.
 *
 * A read from the kernel's pipe cannot be waited for longer than poll() says: a core that
 * stops coming must not keep us.  Cost: one copy; the head is a few KiB a thread.
 */
#include "cli/corehead.h"

#include "base/clock.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>

#define MAX_HEAD   (512U << 20) /* 40,000 threads with all that AVX-512 has */
#define MAX_PHDRS  (1U << 21)
#define CHUNK	   (256U << 10)
#define PAGE_BYTES 4096U

/* *ret = 0 at the end.  ERR_LIMIT at the deadline. */
static struct err *read_some(int in, void *buf, size_t n, uint64_t deadline, size_t *ret)
{
	for (;;) {
		uint64_t now = clock_ns();
		struct pollfd p = { .fd = in, .events = POLLIN };

		if (now >= deadline)
			return err_new(ERR_LIMIT, "the core did not come in time (--max-time)");
		int got = poll(&p, 1, (int)MIN((deadline - now) / 1000000 + 1, (uint64_t)INT_MAX));

		if (got < 0 && errno != EINTR)
			return err_os(errno, "waiting for the core");
		if (got <= 0)
			continue;
		ssize_t k = read(in, buf, n);

		if (k < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (k < 0)
			return err_os(errno, "reading the core");
		*ret = (size_t)k;
		return NULL;
	}
}

static struct err *write_all(int out, const void *buf, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t k = write(out, (const char *)buf + done, n - done);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_os(errno, "keeping the core");
		done += (size_t)k;
	}
	return NULL;
}

/* Until fd holds `want` bytes. */
static struct err *copy_until(int in, int fd, uint64_t want, uint64_t deadline, uint64_t *have)
{
	_cleanup_(freep) uint8_t *buf = zalloc(CHUNK, 1);

	if (!buf)
		return &err_nomem;
	if (want > MAX_HEAD)
		return err_new(ERR_LIMIT, "the head of the core has %" PRIu64 " bytes", want);
	while (*have < want) {
		size_t got = 0;
		struct err *err = read_some(in, buf, (size_t)MIN(want - *have, (uint64_t)CHUNK),
					    deadline, &got);

		if (!err && !got)
			return err_bad_data("the core ends within its head, after %" PRIu64
					    " bytes: the dump was broken off",
					    *have);
		if (!err)
			err = write_all(fd, buf, got);
		if (err)
			return err;
		*have += got;
	}
	return NULL;
}

static struct err *check(const Elf64_Ehdr *h, enum corehead_kind *ret)
{
	if (memcmp(h->e_ident, ELFMAG, SELFMAG) || h->e_type != ET_CORE)
		return err_bad_data("stdin: no ELF core; this command is for "
				    "kernel.core_pattern (limpet core-handler --help)");
	if (h->e_ident[EI_CLASS] == ELFCLASS64 && h->e_phentsize != sizeof(Elf64_Phdr))
		return err_bad_data("stdin: a core with program headers of %u bytes: it is damaged",
				    h->e_phentsize);
	*ret = h->e_ident[EI_CLASS] == ELFCLASS64 ? COREHEAD_WHOLE : COREHEAD_FOREIGN;
	return NULL;
}

/* The first segment tells where memory begins; with PN_XNUM that is also all that tells how many.
 */
static struct err *memory_begins(int fd, const Elf64_Ehdr *h, uint64_t *ret)
{
	Elf64_Phdr p;
	uint64_t n = h->e_phnum, first = UINT64_MAX, end = 0;

	if (n == PN_XNUM && pread(fd, &p, sizeof(p), (off_t)h->e_phoff) == sizeof(p))
		n = (p.p_offset - h->e_phoff) / sizeof(p);
	if (n > MAX_PHDRS)
		return err_bad_data("stdin: %" PRIu64 " program headers: no core of the kernel", n);
	for (uint64_t i = 0; i < n; i++) {
		if (pread(fd, &p, sizeof(p), (off_t)(h->e_phoff + i * sizeof(p))) != sizeof(p))
			break;
		if (p.p_type == PT_LOAD && p.p_filesz)
			first = MIN(first, p.p_offset);
		else if (p.p_type == PT_NOTE)
			end = MAX(end, p.p_offset + MIN(p.p_filesz, (uint64_t)MAX_HEAD));
	}
	*ret = first != UINT64_MAX ? first : end;
	return NULL;
}

static uint64_t headers_end(const Elf64_Ehdr *h, uint64_t n)
{
	return h->e_phoff > MAX_HEAD ? UINT64_MAX : h->e_phoff + n * sizeof(Elf64_Phdr);
}

/* With many segments only the first one tells how many; the notes come behind them all. */
static struct err *copy_head(int in, int fd, const Elf64_Ehdr *h, uint64_t have, uint64_t deadline)
{
	uint64_t want = headers_end(h, h->e_phnum == PN_XNUM ? 1 : h->e_phnum);
	struct err *err = NULL;

	for (unsigned step = 0; !err && step < 3; step++) {
		if (want > have)
			err = copy_until(in, fd, want, deadline, &have);
		if (!err)
			err = memory_begins(fd, h, &want);
	}
	return err;
}

struct err *corehead_take(int in, uint64_t deadline, int *ret_fd, enum corehead_kind *ret_kind)
{
	_cleanup_(closep) int fd = memfd_create("core head", MFD_CLOEXEC);
	enum corehead_kind kind = COREHEAD_WHOLE;
	uint64_t have = 0;
	Elf64_Ehdr h = { 0 };
	struct err *err = fd < 0 ? err_os(errno, "memfd") : NULL;

	if (!err)
		err = copy_until(in, fd, sizeof(h), deadline, &have);
	if (!err && pread(fd, &h, sizeof(h), 0) != sizeof(h))
		err = err_os(errno, "memfd");
	if (!err)
		err = check(&h, &kind);
	if (!err && kind == COREHEAD_WHOLE)
		err = copy_head(in, fd, &h, have, deadline);
	if (err)
		return err;
	*ret_fd = fd;
	fd = -1;
	*ret_kind = kind;
	return NULL;
}

static bool is_zero(const uint8_t *p, size_t n)
{
	return !p[0] && !memcmp(p, p + 1, n - 1);
}

/* At offset *at, page by page; *at and *used grow. */
static struct err *put_sparse(int out, const uint8_t *buf, size_t n, uint64_t *at, uint64_t *used)
{
	for (size_t i = 0; i < n;) {
		/* up to the next page border of the file */
		size_t k = MIN(n - i, (size_t)(PAGE_BYTES - *at % PAGE_BYTES));

		if (!is_zero(buf + i, k)) {
			ssize_t put = pwrite(out, buf + i, k, (off_t)*at);

			if (put != (ssize_t)k)
				return err_os(put < 0 ? errno : ENOSPC, "keeping the core");
			*used += k;
		}
		*at += k;
		i += k;
	}
	return NULL;
}

static struct err *put_head(int head_fd, int out, uint64_t *at, uint64_t *used)
{
	uint8_t buf[16384];

	for (;;) {
		ssize_t n = pread(head_fd, buf, sizeof(buf), (off_t)*at);

		if (n <= 0)
			return n ? err_os(errno, "the head of the core") : NULL;
		struct err *err = put_sparse(out, buf, (size_t)n, at, used);

		if (err)
			return err;
	}
}

struct err *corehead_pass(int head_fd, int in, int out, uint64_t max_bytes, uint64_t deadline,
			  uint64_t *ret_bytes, enum corehead_end *ret_end)
{
	_cleanup_(freep) uint8_t *buf = zalloc(CHUNK, 1);
	enum corehead_end end = CORE_WHOLE;
	uint64_t at = 0, used = 0;
	struct err *err = buf ? put_head(head_fd, out, &at, &used) : &err_nomem;

	while (!err) {
		size_t got = 0;

		err = read_some(in, buf, CHUNK, deadline, &got);
		if (err_catch(&err, ERR_LIMIT))
			end = CORE_CUT_BY_TIME;
		if (err || !got)
			break;
		if (used + got > max_bytes) {
			end = CORE_CUT_BY_SIZE;
			break;
		}
		err = put_sparse(out, buf, got, &at, &used);
	}
	if (!err && ftruncate(out, (off_t)at))
		err = err_os(errno, "keeping the core");
	if (err)
		return err;
	*ret_bytes = used;
	*ret_end = end;
	return NULL;
}
