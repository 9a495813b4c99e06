/*
 * gclog_priv.h - between the files of gclog: the grammar of a line, and streams.
 */
#ifndef LIMPET_EVIDENCE_GCLOG_PRIV_H
#define LIMPET_EVIDENCE_GCLOG_PRIV_H

#include "evidence/gclog.h"

/* A cycle's line as the runtime writes it, piece by piece. */
struct gclog_step {
	const char *text; /* NULL: a number */
	uint8_t field;	  /* of a number: GCLOG_F_* */
	uint8_t form;	  /* GCLOG_TEXT, GCLOG_MAYBE … */
};

enum gclog_form { GCLOG_TEXT, GCLOG_MAYBE, GCLOG_WHOLE, GCLOG_DECIMAL, GCLOG_STACKS };
enum { GCLOG_FIELDS = 20, GCLOG_STEPS = 39 };

extern const struct gclog_step gclog_steps[GCLOG_STEPS];

/* What was read of it. */
struct gclog_fields {
	uint64_t v[GCLOG_FIELDS]; /* decimals in thousandths */
	bool leaks, forced, old;
	bool split; /* put together, and digits of others stand beside one of its numbers */
};

/*
 * Step i at [p, p + n): bytes taken; 0: it does not fit (of GCLOG_MAYBE too).  max: digits at most.
 */
size_t gclog_step_at(unsigned i, const char *p, size_t n, size_t max, struct gclog_fields *f);
/* A whole line without anything in between: bytes taken, 0: it is none. */
size_t gclog_whole(const char *p, size_t n, struct gclog_fields *f);
/* false: such a cycle cannot be. */
bool gclog_cycle_of(const struct gclog_fields *f, struct gclog_cycle *ret);

/*
 * The likeliest cycle in text with other output between its pieces.  taken[0 .. n): set to 1 where
 * bytes are the cycle's.  *ret_from: where it begins; SIZE_MAX: there is none.
 */
struct err *gclog_piece(const char *text, size_t n, uint8_t *taken, struct gclog_fields *f,
			size_t *ret_from) MUST_CHECK;

/* Streams. */
struct err *gclog_assign(struct gclog *g, const struct gclog_found *f) MUST_CHECK;
/* The end of the log: what still waits is taken or given up. */
struct err *gclog_settle(struct gclog *g) MUST_CHECK;
/* Who spoke last under what stands before line[at]; NULL: none. */
struct gclog_stream *gclog_speaker(struct gclog *g, const char *line, size_t nline, size_t at);
/* Both are NUL-terminated; key: GCLOG_KEY bytes. */
void gclog_key(const char *before, size_t n, char *key, uint64_t *ret_hash);

#endif
