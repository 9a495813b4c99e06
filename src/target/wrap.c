/*
 * wrap.c - which wrapper a file has, and a look at the first bytes inside.
 *
 * Knows nothing of what is packed.
 */
#include "target/wrap.h"

#include <zlib.h>
#include <zstd.h>

#include "base/bytes.h"

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
