/*
 * lint.h - what linters said, as JSON: go vet, staticcheck, golangci-lint (1 and 2), SARIF.
 *
 * A warning is a place and a rule; what leak the rule is about is a table in lint_rules.c.  Texts
 * are numbers in words, 0 is "".  Owned by the struct: lint_free().
 */
#ifndef LIMPET_EVIDENCE_LINT_H
#define LIMPET_EVIDENCE_LINT_H

#include "evidence/input.h"
#include "evidence/words.h"

/* What a rule has to do with memory that stays. */
struct lint_rule {
	const char *name;     /* "lostcancel"; "SA1015" */
	const char *about;    /* what stays, in words */
	const char *finding;  /* kind of a report's finding; "" none */
	const char *finding2; /* another; NULL */
};

struct lint_row {
	uint32_t package, file, rule, message;
	uint32_t tool; /* "vet", "staticcheck", "golangci-lint", of SARIF its driver */
	int line, column;
	const struct lint_rule *leak; /* NULL: the rule is about something else */
	uint32_t count;		      /* said so often: by package variants */
};

enum lint_form_of { LINT_VET = 1, LINT_STATICCHECK = 2, LINT_GOLANGCI = 4, LINT_SARIF = 8 };

struct lint {
	char *name;
	struct words words;
	VEC(struct lint_row) rows; /* those about leaks first, then by file, line, column */
	uint64_t about_leaks;
	uint8_t forms;
	const char *damage; /* static text; NULL: whole */
};

/* Errors: BAD_DATA (no such JSON in it), NOMEM, OS, LIMIT. */
struct err *lint_read(struct input *in, struct lint **ret) MUST_CHECK;
void lint_free(struct lint *l); /* NULL allowed */
static inline void lint_freep(struct lint **l)
{
	lint_free(*l);
}

const char *lint_text(const struct lint *l, uint32_t id);

/* NULL: about something else. */
const struct lint_rule *lint_rule_named(const char *name);

#endif
