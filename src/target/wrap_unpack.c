/*
 * wrap_unpack.c - gzip and zstd streams to a temporary file that has no name.
 *
 * Pages of zeroes are left as holes, so that a core costs the disk what it holds.  Room on the
 * disk is asked for before and again every 64 MiB; a reserve is left to others.  A stream that
 * breaks off gives what came before.
 */
#include "target/wrap_priv.h"

#include "base/bytes.h"
#include "base/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <zlib.h>
#include <zstd.h>

#define CHUNK_BYTES   (1U << 18)
#define HOLE_BYTES    4096U
#define RESERVE_BYTES (256ULL << 20)
#define CHECK_BYTES   (64ULL << 20)

struct sink {
	int fd;
	const char *dir, *path;
	uint64_t size;	  /* unpacked, holes too */
	uint64_t written; /* of it, on the disk */
	uint64_t checked; /* written, when room was last asked for */
	uint64_t max;
};

static struct err *room(const struct sink *s, uint64_t want)
{
	struct statvfs v;

	if (fstatvfs(s->fd, &v))
		return NULL;
	uint64_t avail = (uint64_t)v.f_bavail * v.f_frsize;
	uint64_t reserve = MIN(RESERVE_BYTES, (uint64_t)v.f_blocks * v.f_frsize / 20);

	if (avail >= reserve && avail - reserve >= want)
		return NULL;
	return err_os(ENOSPC,
		      "%.120s: no room in %.100s to unpack it (%" PRIu64 " MiB free, %" PRIu64
		      " MiB are left alone); set TMPDIR, or unpack it elsewhere",
		      s->path, s->dir, avail >> 20, reserve >> 20);
}

static struct err *put(struct sink *s, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t w = pwrite(s->fd, p, n, (off_t)s->size);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return err_os(w ? errno : ENOSPC, "%.120s: unpacking it in %.100s", s->path,
				      s->dir);
		p += w;
		n -= (size_t)w;
		s->size += (uint64_t)w;
		s->written += (uint64_t)w;
	}
	return NULL;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	return !n || (!p[0] && !memcmp(p, p + 1, n - 1));
}

static struct err *drain(struct sink *s, const uint8_t *p, size_t n)
{
	if (n > s->max - s->size)
		return err_new(ERR_LIMIT, "%.120s: more than %" PRIu64 " MiB when unpacked",
			       s->path, s->max >> 20);
	if (s->written - s->checked >= CHECK_BYTES) {
		struct err *err = room(s, 2 * CHECK_BYTES);

		if (err)
			return err;
		s->checked = s->written;
	}
	while (n) {
		size_t k = MIN(n, (size_t)(HOLE_BYTES - s->size % HOLE_BYTES));

		if (all_zero(p, k)) {
			s->size += k;
		} else {
			struct err *err = put(s, p, k);

			if (err)
				return err;
		}
		p += k;
		n -= k;
	}
	return NULL;
}

struct stream {
	int fd;
	uint64_t at;
	uint8_t *in, *out; /* CHUNK_BYTES each */
};

static const char cut_short[] = "the packed file is cut short";
static const char damaged[] = "the packed file is damaged";

/* One gzip member after the other: what `cat a.gz b.gz` makes is one stream. */
static struct err *from_gzip(struct stream *st, z_stream *z, struct sink *s, const char **damage)
{
	bool ended = false;

	for (;;) {
		if (!z->avail_in) {
			size_t n;
			struct err *err = wrap_pread(st->fd, st->at, st->in, CHUNK_BYTES, &n);

			if (err || !n) {
				*damage = ended ? NULL : cut_short;
				return err;
			}
			st->at += n;
			z->next_in = st->in;
			z->avail_in = (uInt)n;
		}
		if (ended && (*z->next_in != 0x1f || inflateReset(z) != Z_OK))
			return NULL; /* padding behind the last member */
		z->next_out = st->out;
		z->avail_out = CHUNK_BYTES;
		int rc = inflate(z, Z_NO_FLUSH);
		struct err *err = drain(s, st->out, CHUNK_BYTES - z->avail_out);

		if (err)
			return err;
		ended = rc == Z_STREAM_END;
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) {
			*damage = damaged;
			return NULL;
		}
	}
}

static struct err *unpack_gzip(struct stream *st, struct sink *s, const char **damage)
{
	z_stream z = { 0 };

	if (inflateInit2(&z, 15 + 16) != Z_OK)
		return &err_nomem;
	struct err *err = from_gzip(st, &z, s, damage);

	inflateEnd(&z);
	return err;
}

static struct err *from_zstd(struct stream *st, ZSTD_DCtx *d, struct sink *s, const char **damage)
{
	size_t want = 0;

	for (;;) {
		ZSTD_inBuffer in = { st->in, 0, 0 };
		struct err *err = wrap_pread(st->fd, st->at, st->in, CHUNK_BYTES, &in.size);

		if (err || !in.size) {
			*damage = want ? cut_short : NULL;
			return err;
		}
		st->at += in.size;
		for (bool more = false; in.pos < in.size || more;) {
			ZSTD_outBuffer out = { st->out, CHUNK_BYTES, 0 };

			want = ZSTD_decompressStream(d, &out, &in);
			more = out.pos == out.size;
			err = drain(s, st->out, out.pos);
			if (err)
				return err;
			if (ZSTD_isError(want)) {
				*damage = damaged;
				return NULL;
			}
		}
	}
}

static void zstd_freep(ZSTD_DCtx **d)
{
	ZSTD_freeDCtx(*d);
}

static struct err *unpack_zstd(struct stream *st, struct sink *s, const char **damage)
{
	_cleanup_(zstd_freep) ZSTD_DCtx *d = ZSTD_createDCtx();

	if (!d)
		return &err_nomem;
	/* `zstd --long=31` is read too; more is refused by the library itself */
	ZSTD_DCtx_setParameter(d, ZSTD_d_windowLogMax, 31);
	return from_zstd(st, d, s, damage);
}

/* The trailer of gzip has the size modulo 4 GiB: a lower bound that is asked for at once. */
static uint64_t expected(int fd, enum wrap w)
{
	off_t end = lseek(fd, 0, SEEK_END);
	uint8_t b[64];
	size_t n = 0;

	if (w == WRAP_ZSTD) {
		struct err *err = wrap_pread(fd, 0, b, sizeof(b), &n);
		unsigned long long size = ZSTD_getFrameContentSize(b, n);

		err_free(err);
		return size > INT64_MAX ? 0 : size;
	}
	if (end < 18 || pread(fd, b, 4, end - 4) != 4)
		return 0;
	return load_u32(b);
}

struct err *wrap_unpack(int fd, enum wrap w, const char *path, uint64_t max_bytes, int *ret_fd,
			uint64_t *ret_size, const char **ret_damage)
{
	_cleanup_(freep) uint8_t *buf = malloc(2 * (size_t)CHUNK_BYTES);
	struct sink s = { .dir = file_scratch_dir(),
			  .path = path,
			  .max = max_bytes ? max_bytes : INT64_MAX };
	struct stream st = { .fd = fd, .in = buf, .out = buf + CHUNK_BYTES };
	_cleanup_(closep) int out = file_scratch();
	const char *damage = NULL;
	struct err *err;

	if (!buf)
		return &err_nomem;
	if (out < 0)
		return err_os(errno, "%.120s: no temporary file in %.100s to unpack it (TMPDIR)",
			      path, s.dir);
	s.fd = out;
	/* Holes may make it smaller: only what can never fit is refused here. */
	err = room(&s, expected(fd, w) / 8);
	if (!err)
		err = w == WRAP_GZIP ? unpack_gzip(&st, &s, &damage)
				     : unpack_zstd(&st, &s, &damage);
	if (!err && ftruncate(out, (off_t)s.size))
		err = err_os(errno, "%.120s: unpacking it in %.100s", path, s.dir);
	if (err)
		return err;
	*ret_fd = out;
	out = -1;
	*ret_size = s.size;
	*ret_damage = damage;
	return NULL;
}
