/*
 * seekzstd.c - frames and seek table of the seekable zstd format.
 *
 * Knows nothing of files.  Level 1: a core is written once, mostly under pressure, and its pages
 * are read back rarely; higher levels cost three times the time for a tenth of the bytes.
 */
#include "report/seekzstd.h"

#include <zstd.h>

#define LEVEL 1
/* The format's own numbers. */
#define SKIPPABLE_MAGIC 0x184D2A5EU
#define SEEKABLE_MAGIC	0x8F92EAB1U
#define MAX_FRAMES	0x8000000U

size_t seekzstd_bound(size_t nbytes)
{
	return ZSTD_compressBound(nbytes);
}

static void free_context(ZSTD_CCtx **c)
{
	ZSTD_freeCCtx(*c);
}

struct err *seekzstd_pack(const void *buf, size_t n, void *to, size_t cap, size_t *ret)
{
	_cleanup_(free_context) ZSTD_CCtx *c = ZSTD_createCCtx();
	size_t got;

	if (!c)
		return &err_nomem;
	ZSTD_CCtx_setParameter(c, ZSTD_c_compressionLevel, LEVEL);
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);
	got = ZSTD_compress2(c, to, cap, buf, n);
	if (ZSTD_isError(got))
		return err_new(ERR_NOMEM, "zstd: %s", ZSTD_getErrorName(got));
	*ret = got;
	return NULL;
}

static uint8_t *put_u32(uint8_t *p, uint32_t x)
{
	for (unsigned i = 0; i < 4; i++)
		*p++ = (uint8_t)(x >> (8 * i));
	return p;
}

struct err *seekzstd_table_bytes(const seekzstd_table *t, void **ret, size_t *ret_n)
{
	size_t n = 8 + t->n * 8 + 9;
	uint8_t *p, *buf;

	if (t->n > MAX_FRAMES)
		return err_new(ERR_LIMIT, "more than %u frames: write without --zstd", MAX_FRAMES);
	buf = malloc(n);
	if (!buf)
		return &err_nomem;
	p = put_u32(buf, SKIPPABLE_MAGIC);
	p = put_u32(p, (uint32_t)(n - 8));
	for (size_t i = 0; i < t->n; i++) {
		p = put_u32(p, t->v[i].packed_bytes);
		p = put_u32(p, t->v[i].bytes);
	}
	p = put_u32(p, (uint32_t)t->n);
	*p++ = 0; /* no checksums of its own: the frames have theirs */
	put_u32(p, SEEKABLE_MAGIC);
	*ret = buf;
	*ret_n = n;
	return NULL;
}
