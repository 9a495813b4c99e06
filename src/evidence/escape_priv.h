/*
 * escape_priv.h - private to the readers of escape reports: rows as they come, before equal ones
 * are made one.
 */
#ifndef LIMPET_EVIDENCE_ESCAPE_PRIV_H
#define LIMPET_EVIDENCE_ESCAPE_PRIV_H

#include "evidence/escape.h"

enum { ESCAPE_LINE_MAX = 1 << 20, ESCAPE_ROWS_MAX = 8 << 20, ESCAPE_TEXT_MAX = 400 };

/* A piece of a line. */
struct piece {
	const char *s;
	size_t n;
};

/* "can inline F" at its declaration. */
struct escape_decl {
	uint32_t package, file, function;
	int line;
};

/* While it is read; what it reads into is e. */
struct escape_maker {
	struct escape *e;
	uint32_t package; /* of the last header */
	uint32_t file;	  /* JSON: of the last header */
	size_t open;	  /* row that steps belong to + 1; 0: none */
	VEC(struct escape_decl) decls;
};

static inline struct piece piece_of(const char *s)
{
	return (struct piece){ s, strlen(s) };
}

/* Of p what follows the word, which it must begin with. */
bool piece_skip(struct piece *p, const char *word);
/* Does it end so?  Then that is cut off. */
bool piece_chop(struct piece *p, const char *word);
/* The first one of word in p; NULL: none. */
const char *piece_find(struct piece p, const char *word);
/* Digits at its beginning are taken; false: none, or too many. */
bool piece_number(struct piece *p, int *ret);

/* A text of the report, cut at ESCAPE_TEXT_MAX. */
uint32_t escape_word(struct escape *e, struct piece p);

/* One more line, of any form; errors: NOMEM, LIMIT. */
struct err *escape_line(struct escape_maker *m, struct piece line) MUST_CHECK;
/* A line of -json=0,DIR. */
struct err *escape_json_line(struct escape_maker *m, struct piece line) MUST_CHECK;
/* What stands behind a place, "x escapes to heap in f:" …; false: nothing of the compiler's. */
struct err *escape_message(struct escape_maker *m, struct escape_row at, struct piece msg,
			   bool *ret_known) MUST_CHECK;
struct err *escape_step_add(struct escape_maker *m, struct escape_step s) MUST_CHECK;

/* form, reason, harmless of a row. */
void escape_classify(const struct escape *e, struct escape_row *r);
/* Equal rows become one; functions, closures that capture themselves. */
struct err *escape_finish(struct escape_maker *m) MUST_CHECK;

#endif
