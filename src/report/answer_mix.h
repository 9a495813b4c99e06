/*
 * answer_mix.h - several pieces of evidence side by side, as values: what each is, and what is
 * missing.
 *
 * What a piece says of a finding stands at the finding (struct ans_evidence).  Texts are raw.
 */
#ifndef LIMPET_REPORT_ANSWER_MIX_H
#define LIMPET_REPORT_ANSWER_MIX_H

#include "report/json.h"
#include "report/text.h"

struct ans_beside {
	const char *kind;    /* the contract's word: "gclog" */
	const char *file;    /* as the user wrote it */
	const char *what;    /* what it says by itself, one line */
	uint64_t at_unix_ns; /* 0: it does not say */
	const char *same;    /* of the program that is looked at: "yes", "no", "unknown" */
	const char *why;     /* how that is known; "" */
	const char *damage;  /* NULL: whole */
};

/* What another piece would add, and how it is got. */
struct ans_missing {
	const char *what, *command;
};

struct ans_mix {
	VEC(struct ans_beside) beside;
	VEC(struct ans_missing) missing;
};

void ans_mix_free(struct ans_mix *a); /* NULL allowed */

void text_mix_beside(struct str *o, enum text_style st, const struct ans_mix *a);
void text_mix_missing(struct str *o, enum text_style st, const struct ans_mix *a);
void json_mix(struct jw *j, const struct ans_mix *a); /* "evidence", "missing" */

/* The report of evidence without a look. */
void text_report_alone(struct str *o, enum text_style st, const struct ans_report *a);
void json_doc_report_alone(struct str *o, const struct ans_report *a);

#endif
