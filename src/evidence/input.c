/*
 * input.c - layers of unpackers over a descriptor or over bytes.
 *
 * Each layer asks the one below for bytes; which layers there are, the first bytes of each say.
 * zlib and zstd do the work.  Knows nothing of what is in there.
 */
#include "evidence/input.h"

#include "base/files.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define CHUNK (256U << 10)

enum layer_kind { LAYER_PLAIN, LAYER_GZIP, LAYER_ZSTD };

struct layer {
	enum layer_kind kind;
	uint8_t *buf; /* what came out of it, from at to end */
	size_t at, end;
	z_stream z;
	ZSTD_DStream *zstd;
	size_t frame; /* zstd: 0 between frames */
	bool over;
};

struct input {
	int fd;
	const uint8_t *bytes; /* instead of fd */
	size_t nbytes;
	char *name;
	struct layer layer[INPUT_WRAPS + 1];
	unsigned nlayers;
	const char *damage;
	uint64_t offset;
	char *line;
	size_t line_cap;
	bool line_ended;
};

/* Layer 0: as it lies there. */
static struct err *fill_plain(struct input *in, struct layer *l)
{
	ssize_t got;

	if (in->fd < 0) {
		l->end = MIN(in->nbytes, (size_t)CHUNK);
		if (l->end)
			memcpy(l->buf, in->bytes, l->end);
		in->bytes += l->end;
		in->nbytes -= l->end;
		l->over = !l->end;
		return NULL;
	}
	do
		got = read(in->fd, l->buf, CHUNK);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_os(errno, "%.200s", in->name);
	l->end = (size_t)got;
	l->over = !got;
	return NULL;
}

static void damaged(struct input *in, struct layer *l, const char *why)
{
	in->damage = why;
	l->over = true;
}

/* One step; members follow each other, as `cat a.gz b.gz` makes them. */
static void inflate_some(struct input *in, struct layer *l, struct layer *from)
{
	size_t had = from->at;
	int is;

	l->z.next_in = from->buf + from->at;
	l->z.avail_in = (uInt)(from->end - from->at);
	l->z.next_out = l->buf;
	l->z.avail_out = CHUNK;
	is = inflate(&l->z, Z_NO_FLUSH);
	from->at = from->end - l->z.avail_in;
	l->end = CHUNK - l->z.avail_out;
	if (is == Z_STREAM_END)
		l->frame = 0;
	else if (from->at > had)
		l->frame = 1;
	if (is == Z_STREAM_END ? inflateReset(&l->z) != Z_OK : is != Z_OK && is != Z_BUF_ERROR)
		damaged(in, l, "damaged gzip data");
}

static void zstd_some(struct input *in, struct layer *l, struct layer *from)
{
	ZSTD_inBuffer zi = { from->buf + from->at, from->end - from->at, 0 };
	ZSTD_outBuffer zo = { l->buf, CHUNK, 0 };
	size_t left = ZSTD_decompressStream(l->zstd, &zo, &zi);

	from->at += zi.pos;
	l->end = zo.pos;
	if (ZSTD_isError(left))
		damaged(in, l, "damaged zstd data");
	else if (zi.pos || zo.pos)
		l->frame = left;
}

/* Of a gzip file behind its last member: zeroes, as tapes and block devices leave them. */
static bool only_padding(const struct layer *l, const struct layer *from)
{
	return l->kind == LAYER_GZIP && !l->frame && from->at < from->end && !from->buf[from->at];
}

static void unpack_some(struct input *in, struct layer *l, struct layer *from)
{
	size_t had = from->at;

	if (only_padding(l, from))
		l->over = true;
	else if (l->kind == LAYER_GZIP)
		inflate_some(in, l, from);
	else
		zstd_some(in, l, from);
	/* what was fed may all be in the unpacker still: only a step that brings nothing is the end
	 */
	if (l->over || l->end || from->at > had || !from->over)
		return;
	if (l->frame && !in->damage)
		in->damage = "cut short";
	l->over = true;
}

static struct err *fill(struct input *in, unsigned i)
{
	struct layer *l = &in->layer[i], *from = i ? l - 1 : NULL;
	struct err *err = NULL;

	l->at = l->end = 0;
	if (!from)
		return fill_plain(in, l);
	while (!err && !l->over && !l->end) {
		if (from->at == from->end && !from->over)
			err = fill(in, i - 1);
		if (!err)
			unpack_some(in, l, from);
	}
	return err;
}

static enum layer_kind packed_as(const struct layer *l)
{
	static const uint8_t gzip[] = { 0x1f, 0x8b, 8 }, zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };
	const uint8_t *p = l->buf + l->at;
	size_t n = l->end - l->at;

	if (n >= sizeof(gzip) && !memcmp(p, gzip, sizeof(gzip)))
		return LAYER_GZIP;
	if (n >= sizeof(zstd) && !memcmp(p, zstd, sizeof(zstd)))
		return LAYER_ZSTD;
	return LAYER_PLAIN;
}

static struct err *add_layer(struct input *in, enum layer_kind kind)
{
	struct layer *l = &in->layer[in->nlayers];

	*l = (struct layer){ .kind = kind, .buf = malloc(CHUNK) };
	in->nlayers++; /* from here on input_close() sees it */
	if (!l->buf)
		return &err_nomem;
	if (kind == LAYER_GZIP && inflateInit2(&l->z, 15 + 16) != Z_OK) {
		l->kind = LAYER_PLAIN;
		return &err_nomem;
	}
	if (kind == LAYER_ZSTD) {
		l->zstd = ZSTD_createDStream();
		if (!l->zstd)
			return &err_nomem;
		/* 128 MiB: what zstd(1) itself takes without being asked */
		(void)ZSTD_DCtx_setParameter(l->zstd, ZSTD_d_windowLogMax, 27);
	}
	return fill(in, in->nlayers - 1);
}

static struct err *find_layers(struct input *in)
{
	struct err *err = add_layer(in, LAYER_PLAIN);

	while (!err && in->nlayers <= INPUT_WRAPS) {
		enum layer_kind k = packed_as(&in->layer[in->nlayers - 1]);

		if (k == LAYER_PLAIN)
			break;
		err = add_layer(in, k);
	}
	return err;
}

static struct err *open_input(int fd, const void *p, size_t n, const char *name, struct input **ret)
{
	_cleanup_(input_closep) struct input *in = zalloc(1, sizeof(*in));
	struct err *err;

	if (!in) {
		if (fd >= 0)
			close(fd);
		return &err_nomem;
	}
	in->fd = fd;
	in->bytes = p;
	in->nbytes = n;
	in->name = strdup(name);
	err = in->name ? find_layers(in) : &err_nomem;
	if (err)
		return err;
	*ret = STEAL(in);
	return NULL;
}

struct err *input_open(int fd, const char *name, struct input **ret)
{
	return open_input(fd, NULL, 0, name, ret);
}

struct err *input_bytes(const void *p, size_t n, const char *name, struct input **ret)
{
	return open_input(-1, p, n, name, ret);
}

struct err *input_file(const char *path, const char *name, struct input **ret)
{
	int fd = file_open(path);

	return fd < 0 ? err_os(errno, "%.200s", name) : input_open(fd, name, ret);
}

void input_close(struct input *in)
{
	if (!in)
		return;
	for (unsigned i = 0; i < in->nlayers; i++) {
		if (in->layer[i].kind == LAYER_GZIP)
			inflateEnd(&in->layer[i].z);
		ZSTD_freeDStream(in->layer[i].zstd);
		free(in->layer[i].buf);
	}
	if (in->fd >= 0)
		close(in->fd);
	free(in->line);
	free(in->name);
	free(in);
}

/* Bytes that lie ready in the uppermost layer; 0: the end. */
static struct err *ready(struct input *in, size_t *ret)
{
	struct layer *l = &in->layer[in->nlayers - 1];
	struct err *err = NULL;

	if (l->at == l->end && !l->over)
		err = fill(in, in->nlayers - 1);
	*ret = err ? 0 : l->end - l->at;
	return err;
}

struct err *input_read(struct input *in, void *buf, size_t n, size_t *ret_got)
{
	struct layer *l = &in->layer[in->nlayers - 1];
	size_t have;
	struct err *err = ready(in, &have);

	*ret_got = MIN(have, n);
	if (err || !*ret_got)
		return err;
	memcpy(buf, l->buf + l->at, *ret_got);
	l->at += *ret_got;
	in->offset += *ret_got;
	return NULL;
}

struct err *input_peek(struct input *in, const uint8_t **ret, size_t *ret_n)
{
	struct layer *l = &in->layer[in->nlayers - 1];
	struct err *err = ready(in, ret_n);

	*ret = l->buf + l->at;
	return err;
}

static struct err *line_room(struct input *in, size_t n)
{
	char *more;

	if (n <= in->line_cap)
		return NULL;
	n = MAX(n, in->line_cap * 2);
	more = realloc(in->line, n);
	if (!more)
		return &err_nomem;
	in->line = more;
	in->line_cap = n;
	return NULL;
}

struct err *input_line(struct input *in, size_t max, const char **ret, size_t *ret_n)
{
	struct layer *l = &in->layer[in->nlayers - 1];
	size_t n = 0, have;
	const uint8_t *nl = NULL;
	struct err *err = ready(in, &have);

	*ret = NULL;
	for (; !err && have && !nl; err = nl ? NULL : ready(in, &have)) {
		nl = memchr(l->buf + l->at, '\n', have);
		size_t take = nl ? (size_t)(nl - (l->buf + l->at)) : have;
		size_t keep = MIN(take, max - n);

		err = line_room(in, n + keep + 1);
		if (err)
			return err;
		memcpy(in->line + n, l->buf + l->at, keep);
		n += keep;
		in->line[n] = 0;
		*ret = in->line;
		l->at += take + !!nl;
		in->offset += take + !!nl;
	}
	in->line_ended = nl;
	*ret_n = n;
	return err;
}

bool input_line_ended(const struct input *in)
{
	return in->line_ended;
}

const char *input_name(const struct input *in)
{
	return in->name;
}

uint64_t input_offset(const struct input *in)
{
	return in->offset;
}

const char *input_damage(const struct input *in)
{
	return in->damage;
}
