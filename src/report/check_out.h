/*
 * check_out.h - what a check found, for people and for the services that show it.
 *
 * Each renderer appends to a struct str.  Names of the program's types and functions are shown, its
 * values never are.  What a program printed itself (ans_check.output) goes to text, JSON and JUnit,
 * as `go test` shows it, and not to SARIF, annotations and Code Quality, which services keep.
 */
#ifndef LIMPET_REPORT_CHECK_OUT_H
#define LIMPET_REPORT_CHECK_OUT_H

#include "base/err.h"
#include "base/str.h"
#include "report/answer_check.h"
#include "report/text.h"

enum check_format {
	CHECK_TEXT,
	CHECK_JSON,
	CHECK_JUNIT,  /* XML as Jenkins' xunit plugin defines it: GitLab and others read it */
	CHECK_SARIF,  /* 2.1.0 */
	CHECK_GITHUB, /* annotations: workflow commands */
	CHECK_GITLAB, /* Code Quality */
	CHECK_FORMATS
};

/* Words of --format, in that order, NULL-ended. */
extern const char *const check_format_words[CHECK_FORMATS + 1];

void text_check(struct str *o, enum text_style st, const struct ans_checks *a);
/* A row and what belongs to it, without colours. */
void text_check_row(struct str *o, enum text_style st, size_t number,
		    const struct ans_check_row *r);
/* "main.newSession (session.go:41)": where to look; nothing where it is not known. */
void text_check_at(struct str *o, const struct ans_check_row *r);
void json_doc_check(struct str *o, const struct ans_checks *a);
void junit_check(struct str *o, const struct ans_checks *a);
void sarif_check(struct str *o, const struct ans_checks *a);
void github_check(struct str *o, const struct ans_checks *a);
void gitlab_check(struct str *o, const struct ans_checks *a);

void check_render(struct str *o, enum check_format f, enum text_style st,
		  const struct ans_checks *a);

/* What is written beside the answer itself; NULL: not asked for. */
struct check_files {
	const char *junit, *sarif, *gitlab;
};

/* All or nothing each, mode 0600.  Errors: ERR_OS. */
struct err *check_write_files(const struct check_files *f, const struct ans_checks *a) MUST_CHECK;

/* A report as one check; texts are borrowed from it. */
struct err *checks_of_report(const struct ans_report *r, struct ans_checks *ret) MUST_CHECK;

/* A kind of finding, for services that explain what they show. */
struct check_kind_words {
	const char *kind;
	const char *name; /* a few words */
	const char *what; /* a sentence */
	const char *help; /* what to change */
};

/* NULL behind the last. */
const struct check_kind_words *check_kind(size_t i);
/* Never NULL: of what is not listed, words that say so. */
const struct check_kind_words *check_kind_of(const char *kind, size_t *ret_i);

/*
 * Where at.file of each row lies below dir (NULL: the working directory): built there, built
 * elsewhere, or with -trimpath.  What the program calls its files is believed only where there is
 * such a file.  Looks at files: not for a confined process.
 */
struct err *check_places(struct ans_checks *a, const char *dir) MUST_CHECK;

#endif
