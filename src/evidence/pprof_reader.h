/*
 * pprof_reader.h - private to pprof_read*.c: a profile on its way in.
 *
 * A file's ids may be anything and refer to what comes later: each kind has a table from id to
 * index, which makes the element when it is first spoken of, and notes when it is told what it is.
 */
#ifndef LIMPET_EVIDENCE_PPROF_READER_H
#define LIMPET_EVIDENCE_PPROF_READER_H

#include "evidence/ahead.h"
#include "evidence/pprof_priv.h"

#include <pb_decode.h>

/* Ids to indices: an array for small ids, a hash table for the others. */
struct ids {
	VEC(uint32_t) dense;  /* PPROF_NONE: not seen */
	VEC(uint64_t) sparse; /* ids */
	VEC(uint32_t) sparse_to;
	struct idx idx;
	VEC(uint32_t) order; /* indices as the file told of them */
	VEC(bool) told;	     /* by index */
};

uint32_t ids_find(struct ids *x, uint64_t id, uint32_t fresh); /* fresh: if it is new */
void ids_deinit(struct ids *x);

struct pprof_quick;

struct pprof_reader {
	struct pprof *p;
	struct input *in;
	struct ahead *ahead;
	enum pprof_keep keep;
	/* what lies ready: buf[at, end) */
	uint8_t *buf;
	size_t at, end, cap;
	uint64_t passed; /* bytes before buf */
	bool over;
	const char *wrong; /* static text; NULL: all is well */
	uint64_t wrong_at; /* or that did not fit */
	bool nomem;
	struct ids locations, functions, mappings;
	/* the sample at hand */
	VEC(uint32_t) frames; /* leaf first */
	VEC(int64_t) values;
	size_t nvalues; /* of all samples; SIZE_MAX: not known */
	/* the one before, outermost first: stacks come in clusters */
	VEC(uint32_t) path;
	VEC(uint32_t) path_node;
	/* texts that only labels speak of, where labels are not kept */
	uint8_t *needed;
	size_t needed_n;
	bool texts_begun;
	struct pprof_quick *quick; /* only samples, for it */
};

/* pprof_quick.c: the samples of a file whose heads are known, one by one. */
struct err *pprof_read_samples(struct input *in, const struct pprof *p,
			       struct pprof_quick *k) MUST_CHECK;
bool pprof_quick_sample(struct pprof_quick *k, struct pprof_reader *r, pb_istream_t *s);

/* One field of the profile; s: its bytes.  false: r->wrong or r->nomem says why. */
bool pprof_read_sample(struct pprof_reader *r, pb_istream_t *s);
bool pprof_read_mapping(struct pprof_reader *r, pb_istream_t *s);
bool pprof_read_location(struct pprof_reader *r, pb_istream_t *s);
bool pprof_read_function(struct pprof_reader *r, pb_istream_t *s);
bool pprof_read_type(struct pprof_reader *r, pb_istream_t *s, struct pprof_type *ret);
bool pprof_read_text(struct pprof_reader *r, const uint8_t *s, size_t n);

/* After the last byte: elements in the file's order, references checked. */
struct err *pprof_read_finish(struct pprof_reader *r) MUST_CHECK;

static inline bool pprof_wrong(struct pprof_reader *r, const char *why)
{
	if (!r->wrong)
		r->wrong = why;
	return false;
}

static inline bool pprof_short(struct pprof_reader *r)
{
	r->nomem = true;
	return false;
}

/* A field of a message: its number and, where it is no bytes, its value. */
struct pprof_field {
	uint32_t tag;
	pb_wire_type_t type;
	uint64_t x;    /* of a number */
	size_t behind; /* of bytes: bytes_left of the stream after them */
};

/* false: the end (r->wrong NULL), or damage. */
bool pprof_field(struct pprof_reader *r, pb_istream_t *s, struct pprof_field *f);
/* The bytes of f as a stream of their own, and past them. */
pb_istream_t pprof_inside(pb_istream_t *s, const struct pprof_field *f);

/* The hottest loop of all: by hand. */
static inline bool pprof_varint(const uint8_t **at, const uint8_t *end, uint64_t *ret)
{
	uint64_t x = 0;

	for (unsigned shift = 0; shift < 64 && *at < end; shift += 7) {
		uint8_t b = *(*at)++;

		x |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80) {
			*ret = x;
			return true;
		}
	}
	return false;
}

/* A text's number, as far as one can be. */
static inline uint32_t pprof_ref(uint64_t x)
{
	return x < PPROF_NONE ? (uint32_t)x : PPROF_NONE;
}

#endif
