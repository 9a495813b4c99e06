/*
 * answer_escape.h - answers from reports of the compiler and of linters, and from these joined with
 * what is alive.
 *
 * Texts are borrowed from the report that was read (evidence/escape.h, lint.h), from the agg's
 * keep, or static; those of a report are raw.  Arrays are owned: ans_*_deinit().
 */
#ifndef LIMPET_REPORT_ANSWER_ESCAPE_H
#define LIMPET_REPORT_ANSWER_ESCAPE_H

#include "report/answer.h"

struct escape;
struct lint;

struct ans_escape_step {
	const char *text, *file;
	int line;
	bool flow;
};

/* One place where something escapes. */
struct ans_escape_place {
	const char *package, *function, *file, *expr;
	const char *what;     /* "escapes", "moved", "leaking-param" */
	const char *form;     /* "closure" */
	const char *reason;   /* "returned" */
	const char *clause;   /* "it is returned" */
	const char *harmless; /* "" or why nobody need care */
	const char *said;     /* the statement that does it: "return &item{...}"; "" */
	const char *to;	      /* parameter: "~r0"; "" */
	int line, column;
	bool function_guessed;
	uint64_t count;
	size_t first_step, nsteps;
};

struct ans_escape_row {
	const char *name;
	uint64_t places, allocating, harmless;
	const struct ans_escape_place *example;
};

struct ans_escape_capture {
	const char *function, *variable, *file;
	int line, column;
	bool by_ref, assigned;
	uint64_t bytes, count;
};

struct ans_escape_self {
	const char *variable, *file, *function;
	int line, closure_line;
	bool sure;
};

/* `report` and `top` of a report of the compiler. */
struct ans_escape {
	const char *file, *go, *form; /* "-m=2" */
	const char *damage;	      /* NULL: whole */
	const char *by;		      /* of rows */
	uint64_t places, harmless, params, stays, packages, files, lines;
	bool explained; /* it has flows */
	uint64_t ncaptures, captured_by_ref;
	VEC(struct ans_escape_place) list; /* all; those that matter first */
	VEC(struct ans_escape_step) steps;
	VEC(struct ans_escape_row) rows;
	uint64_t nrows;				 /* before the limit */
	VEC(struct ans_escape_capture) captures; /* the largest */
	VEC(struct ans_escape_self) selfs;
};

struct ans_lint_place {
	const char *tool, *rule, *message, *package, *file;
	const char *about;   /* "" or what stays */
	const char *finding; /* "" or the kind of finding that it is about */
	int line, column;
	uint64_t count;
};

struct ans_lint_row {
	const char *name;
	uint64_t places, about_leaks;
};

struct ans_lint {
	const char *file, *damage, *by;
	uint64_t places, about_leaks;
	VEC(struct ans_lint_place) list;
	VEC(struct ans_lint_row) rows;
	uint64_t nrows;
};

/* A line of the compiler's report and what is alive of what it makes. */
struct ans_join_escape {
	struct ans_escape_place place;
	uint64_t retained;	 /* by the sampled ones, each byte once; by the code: by all;
				    ANS_UNKNOWN: there is no look */
	uint64_t retained_guess; /* by all, from what the sampled ones retain; ANS_UNKNOWN: they
				    nest, or are too few or too unlike for it */
	uint64_t objects, bytes; /* alive; estimated from samples */
	uint64_t alloc_bytes;	 /* since the program began; ANS_UNKNOWN */
	uint64_t sampled;	 /* objects; 0: by the code */
	uint64_t calls;	 /* by the code: that make such; more than one: it is one of them, and
			    figures are  of all */
	uint64_t others; /* places of the report on that line that may be meant as well */
	bool inlined;	 /* the line is of the function itself, what is alive was made in a copy */
	bool split;	 /* files of several folders are as good */
};

/* A linter's warning and what passes that line. */
struct ans_join_lint {
	struct ans_lint_place place;
	uint64_t retained, retained_guess, objects, bytes, sampled; /* made through that line */
	uint64_t goroutines;	  /* that stand in, or were started at, that line */
	uint64_t goroutine_bytes; /* that they retain, and their stacks */
	bool split;
};

/* What was made where the report has nothing. */
struct ans_join_left {
	uint64_t bytes;	     /* alive, sampled */
	uint64_t no_line;    /* of them: of files that the report has, on lines that it has not */
	uint64_t no_file;    /* of files that it has not */
	const char *example; /* a function of those; "" */
};

struct ans_joined {
	const char *name; /* of the report */
	bool is_lint;
	bool by_samples; /* false: what nobody was seen to make may be there all the same */
	VEC(struct ans_join_escape) escapes;
	uint64_t nescapes;
	VEC(struct ans_join_lint) lints;
	uint64_t nlints;
	struct ans_join_left left;
	const char *note; /* "" or why nothing could be joined */
	const char *damage;
};

void ans_escape_deinit(struct ans_escape *a);
void ans_lint_deinit(struct ans_lint *a);
void ans_joined_deinit(struct ans_joined *a);

/* agg_escape.c, agg_lint.c: from the report alone; by NULL: by reason, by rule. */
struct keep;
struct err *agg_escape(struct keep *k, const struct escape *e, const char *by, size_t limit,
		       struct ans_escape *ret) MUST_CHECK;
struct err *agg_lint(struct keep *k, const struct lint *l, const char *by, size_t limit,
		     struct ans_lint *ret) MUST_CHECK;
/* Row of the report as an answer has it; steps of it go to steps. */
void agg_escape_place(struct keep *k, const struct escape *e, size_t row,
		      struct ans_escape_place *ret);
void agg_lint_place(const struct lint *l, size_t row, struct ans_lint_place *ret);

struct str;
struct jw;
void text_escape(struct str *o, unsigned style, const struct ans_escape *a, size_t limit);
void text_escape_top(struct str *o, unsigned style, const struct ans_escape *a);
void text_lint(struct str *o, unsigned style, const struct ans_lint *a, size_t limit);
void text_lint_top(struct str *o, unsigned style, const struct ans_lint *a);
void text_joined(struct str *o, unsigned style, const struct ans_joined *a, size_t n);
void json_doc_escape(struct str *o, const struct ans_escape *a, size_t limit);
void json_doc_escape_top(struct str *o, const struct ans_escape *a);
void json_doc_lint(struct str *o, const struct ans_lint *a, size_t limit);
void json_doc_lint_top(struct str *o, const struct ans_lint *a);
void json_joined(struct jw *j, const struct ans_joined *a, size_t n); /* an array */

#endif
