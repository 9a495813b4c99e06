/*
 * pprof_priv.h - private to pprof*.c: texts, packed samples, and what finds equal things.
 *
 * Texts lie in chunks that never move, each behind its length; a text's place is 4 bytes.
 */
#ifndef LIMPET_EVIDENCE_PPROF_PRIV_H
#define LIMPET_EVIDENCE_PPROF_PRIV_H

#include "evidence/idx.h"
#include "evidence/pprof.h"

enum { PPROF_CHUNK_BITS = 24, PPROF_TEXT_MAX = (1 << PPROF_CHUNK_BITS) - 64 };

struct pprof_priv {
	VEC(char *) chunks;
	size_t chunk_used; /* of the last one */
	size_t chunk_bytes;
	VEC(uint32_t) texts; /* place / 4 */
	VEC(uint8_t) packed; /* samples */
	uint32_t last_stack; /* of the last sample */
	bool bad;	     /* out of memory, or more than 4 billion of something */
	/* filled when something is added; a profile that was read has them empty until then */
	struct idx text_idx, function_idx, location_idx, stack_idx, mapping_idx, set_idx;
};

/* At the end, not looked for.  PPROF_NONE: no memory, bad is set. */
uint32_t pprof_put_text(struct pprof *p, const char *s, size_t n);
/* The labels that stand at the end of p->labels, from first on, become a set: they stay, or an
 * equal one is found and they go. */
uint32_t pprof_put_labels(struct pprof *p, size_t first);
void pprof_put_sample(struct pprof *p, uint32_t stack, uint32_t set, const int64_t *values,
		      size_t n);
uint32_t pprof_put_location(struct pprof *p, const struct pprof_location *l,
			    const struct pprof_line *lines);
/* .id and .first_line are given. */
uint32_t pprof_add_location_of(struct pprof *p, const struct pprof_location *l,
			       const struct pprof_line *lines);
/* Tables that find things are only needed while adding. */
void pprof_settle(struct pprof *p);

static inline uint64_t pprof_zigzag(int64_t v)
{
	return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}
static inline int64_t pprof_unzigzag(uint64_t v)
{
	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* evidence/pprof_legacy.c.  head: its first line, borrowed. */
bool pprof_is_legacy(const char *head, size_t n);
struct err *pprof_read_legacy(struct input *in, struct pprof *p) MUST_CHECK;

#endif
