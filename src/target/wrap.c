/*
 * wrap.c - which wrapper a file has, a look at the first bytes inside, and the door to all.
 *
 * Files are read by pread, not by a mapping: a disk error, or a file that somebody cuts while it
 * is read, is a short read here and SIGBUS there; and pages of a mapping count as our memory.
 * Knows nothing of what is packed.
 */
#include "target/wrap_priv.h"

#include "base/bytes.h"
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#define ZSTD_SKIPPABLE 0x184d2a50U /* .. 0x184d2a5f: zstd_compression_format.md */

enum wrap wrap_of(const void *head, size_t nbytes)
{
	uint32_t magic;

	if (nbytes < 4)
		return WRAP_NONE;
	magic = load_u32(head);
	if ((magic & 0xffffff) == 0x088b1f)
		return WRAP_GZIP;
	if (magic == ZSTD_MAGICNUMBER || (magic & ~0xfU) == ZSTD_SKIPPABLE)
		return WRAP_ZSTD;
	return WRAP_NONE;
}

static size_t peek_gzip(const void *head, size_t nhead, void *buf, size_t nbuf)
{
	z_stream z = { .next_in = (void *)(uintptr_t)head,
		       .avail_in = (uInt)nhead,
		       .next_out = buf,
		       .avail_out = (uInt)nbuf };

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return 0;
	inflate(&z, Z_SYNC_FLUSH);
	inflateEnd(&z);
	return nbuf - z.avail_out;
}

static size_t peek_zstd(const void *head, size_t nhead, void *buf, size_t nbuf)
{
	ZSTD_DCtx *d = ZSTD_createDCtx();
	ZSTD_inBuffer in = { head, nhead, 0 };
	ZSTD_outBuffer out = { buf, nbuf, 0 };

	while (d && out.pos < out.size && in.pos < in.size) {
		size_t before = in.pos + out.pos;

		if (ZSTD_isError(ZSTD_decompressStream(d, &out, &in)) || in.pos + out.pos == before)
			break;
	}
	ZSTD_freeDCtx(d);
	return out.pos;
}

void wrap_peek(enum wrap w, const void *head, size_t nhead, void *buf, size_t nbuf, size_t *ret_n)
{
	nhead = MIN(nhead, (size_t)1 << 20);
	nbuf = MIN(nbuf, (size_t)1 << 20);
	switch (w) {
	case WRAP_GZIP:
		*ret_n = peek_gzip(head, nhead, buf, nbuf);
		break;
	case WRAP_ZSTD:
		*ret_n = peek_zstd(head, nhead, buf, nbuf);
		break;
	case WRAP_NONE:
		*ret_n = MIN(nhead, nbuf);
		memcpy(buf, head, *ret_n);
		break;
	}
}

struct err *wrap_pread(int fd, uint64_t at, void *buf, size_t n, size_t *ret)
{
	size_t done = 0;

	while (done < n && at + done <= INT64_MAX) {
		ssize_t got = pread(fd, (char *)buf + done, n - done, (off_t)(at + done));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_os(errno, "reading the file");
		if (!got)
			break;
		done += (size_t)got;
	}
	*ret = done;
	return NULL;
}

static struct err *open_plain(const char *path, struct wrap_file *f, enum wrap *ret_w)
{
	uint8_t head[4];
	struct stat st;
	size_t n = 0;

	f->fd = file_open(path);
	if (f->fd < 0 || fstat(f->fd, &st))
		return err_os(errno, "%.200s", path);
	if (!S_ISREG(st.st_mode))
		return err_unsupported("%.200s: not a regular file; save it to one first", path);
	f->data_fd = f->fd;
	f->size = (uint64_t)st.st_size;
	struct err *err = wrap_pread(f->fd, 0, head, sizeof(head), &n);

	*ret_w = wrap_of(head, n);
	return err;
}

static struct err *open_packed(const char *path, enum wrap w, uint64_t max_bytes,
			       struct wrap_file *f)
{
	struct err *err = NULL;

	if (w == WRAP_ZSTD) {
		err = wrap_seek_open(f->fd, f->size, &f->seek);
		if (!err)
			f->size = wrap_seek_size(f->seek);
		if (!err_catch(&err, ERR_UNSUPPORTED))
			return err;
	}
	err = wrap_unpack(f->fd, w, path, max_bytes, &f->temp_fd, &f->size, &f->damage);
	f->data_fd = f->temp_fd;
	return err;
}

struct err *wrap_open(const char *path, uint64_t max_bytes, struct wrap_file **ret)
{
	_cleanup_(wrap_closep) struct wrap_file *f = zalloc(1, sizeof(*f));
	enum wrap w = WRAP_NONE;
	struct err *err;

	if (!f)
		return &err_nomem;
	f->fd = f->data_fd = f->temp_fd = -1;
	err = open_plain(path, f, &w);
	if (!err && w != WRAP_NONE)
		err = open_packed(path, w, max_bytes, f);
	if (err)
		return err;
	*ret = STEAL(f);
	return NULL;
}

void wrap_close(struct wrap_file *f)
{
	if (!f)
		return;
	wrap_seek_close(f->seek);
	wrap_mem_close(f->mem);
	closep(&f->temp_fd);
	closep(&f->fd);
	free(f);
}

uint64_t wrap_size(const struct wrap_file *f)
{
	return f->size;
}

const char *wrap_damage(const struct wrap_file *f)
{
	return f->damage;
}

int wrap_fd(const struct wrap_file *f)
{
	return f->fd;
}

struct err *wrap_read(struct wrap_file *f, uint64_t at, void *buf, size_t n, size_t *ret)
{
	if (at >= f->size) {
		*ret = 0;
		return NULL;
	}
	n = (size_t)MIN((uint64_t)n, f->size - at);
	if (f->mem)
		return wrap_mem_read(f->mem, f->data_fd, at, buf, n, ret);
	return f->seek ? wrap_seek_read(f->seek, at, buf, n, ret)
		       : wrap_pread(f->data_fd, at, buf, n, ret);
}
