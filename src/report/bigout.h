/*
 * bigout.h - a big file out of small pieces: a buffer before outfile.h, numbers in several forms.
 *
 * The first error is kept, what follows does nothing: check once, at bigout_commit().
 * Long runs of zeros become holes where the file can have them.
 */
#ifndef LIMPET_REPORT_BIGOUT_H
#define LIMPET_REPORT_BIGOUT_H

#include "report/outfile.h"

#define BIGOUT_BYTES ((size_t)1 << 20)

struct bigout {
	struct outfile *f;
	uint8_t *buf; /* BIGOUT_BYTES */
	size_t n;
	uint64_t at; /* of buf[0] in the file */
	struct err *err;
};

/* Errors as outfile_open(). */
struct err *bigout_open(const char *path, struct bigout *ret) MUST_CHECK;
/* Without a commit nothing remains. */
void bigout_deinit(struct bigout *o);

void bigout_put_slow(struct bigout *o, const void *p, size_t n);
static inline void bigout_put(struct bigout *o, const void *p, size_t n)
{
	if (n > BIGOUT_BYTES - o->n) {
		bigout_put_slow(o, p, n);
		return;
	}
	memcpy(o->buf + o->n, p, n);
	o->n += n;
}

static inline void bigout_text(struct bigout *o, const char *text)
{
	bigout_put(o, text, strlen(text));
}

/* In decimal. */
void bigout_number(struct bigout *o, uint64_t n);
/* The low nbytes (1, 2, 4, 8), the highest first. */
void bigout_be(struct bigout *o, uint64_t n, unsigned nbytes);
void bigout_zeros(struct bigout *o, uint64_t n);

static inline uint64_t bigout_bytes(const struct bigout *o)
{
	return o->at + o->n;
}

struct err *bigout_commit(struct bigout *o) MUST_CHECK;

#endif
