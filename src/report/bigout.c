/*
 * bigout.c - pieces gathered to a megabyte before they are written.
 *
 * Knows nothing of what it writes.
 */
#include "report/bigout.h"

enum { HOLE_BYTES = 64 << 10 }; /* fewer zeros are written: a hole begins and ends in a page */

struct err *bigout_open(const char *path, struct bigout *ret)
{
	struct bigout o = { .buf = zalloc(BIGOUT_BYTES, 1) };
	struct err *err = o.buf ? outfile_open(path, 0, &o.f) : &err_nomem;

	if (err)
		free(o.buf);
	else
		*ret = o;
	return err;
}

void bigout_deinit(struct bigout *o)
{
	outfile_close(o->f);
	free(o->buf);
	err_free(o->err);
	*o = (struct bigout){ 0 };
}

static void write_out(struct bigout *o, const void *p, size_t n)
{
	if (o->err || !n)
		return;
	o->err = outfile_seekable(o->f) ? outfile_put_at(o->f, o->at, p, n)
					: outfile_put(o->f, p, n);
	o->at += n;
}

static void flush(struct bigout *o)
{
	write_out(o, o->buf, o->n);
	o->n = 0;
}

void bigout_put_slow(struct bigout *o, const void *p, size_t n)
{
	flush(o);
	if (n >= BIGOUT_BYTES) {
		write_out(o, p, n);
		return;
	}
	memcpy(o->buf, p, n);
	o->n = n;
}

void bigout_number(struct bigout *o, uint64_t n)
{
	char text[24], *p = text + sizeof(text);

	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	bigout_put(o, p, (size_t)(text + sizeof(text) - p));
}

void bigout_be(struct bigout *o, uint64_t n, unsigned nbytes)
{
	uint8_t b[8];

	for (unsigned i = 0; i < nbytes; i++)
		b[i] = (uint8_t)(n >> 8 * (nbytes - 1 - i));
	bigout_put(o, b, nbytes);
}

void bigout_zeros(struct bigout *o, uint64_t n)
{
	static const uint8_t zeros[4096];

	if (n >= HOLE_BYTES && outfile_seekable(o->f)) {
		flush(o);
		o->at += n;
		return;
	}
	for (; n; n -= MIN(n, sizeof(zeros)))
		bigout_put(o, zeros, (size_t)MIN(n, sizeof(zeros)));
}

struct err *bigout_commit(struct bigout *o)
{
	flush(o);
	return o->err ? STEAL(o->err) : outfile_commit(o->f, o->at);
}
