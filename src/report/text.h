/*
 * text.h - answers as text for people.
 *
 * Appends to a struct str.  Whatever came from the target goes through
 * text_clean(): no output can drive a terminal.
 */
#ifndef LIMPET_REPORT_TEXT_H
#define LIMPET_REPORT_TEXT_H

#include "base/str.h"
#include "report/answer.h"

enum text_style { TEXT_PLAIN, TEXT_COLOR };

#define TEXT_NAME_MAX 4096 /* bytes of one name in an answer, also in JSON */

/* What base/clean.h does not let through becomes \xNN; longer than TEXT_NAME_MAX: cut. */
void text_clean(struct str *o, const char *s);
/* 1234567 -> "1,234,567"; buf is returned. */
char *text_count(char buf[static 32], uint64_t n);
/* "1.9 ms", "3 minutes" */
char *text_ns(char buf[static 32], uint64_t ns);
void text_title(struct str *o, enum text_style st, const char *title);

void text_head(struct str *o, enum text_style st, const struct ans_head *a);
void text_losses(struct str *o, const struct ans_head *a);
void text_exact_line(struct str *o, const struct ans_exact *a);
void text_top(struct str *o, enum text_style st, const struct ans_top *a);
/* The rows of `top --by site`. */
void text_sites(struct str *o, enum text_style st, const struct ans_top *a);
/* Where an object was allocated: at most n frames, or n places of its like. */
void text_origin(struct str *o, const struct ans_origin *a, const char *indent, size_t n);
void text_path(struct str *o, const struct ans_path *p, const char *indent);
/* " {route: /cart, tenant: acme}"; nothing where there are none. */
void text_labels(struct str *o, const struct ans_labels *l);
/* The same without braces. */
void text_label_words(struct str *o, const struct ans_labels *l);
/* Columns of their own of the rows of top --by label. */
#define TEXT_LABEL_COLUMNS "    shared     stacks  goroutines"
void text_label_columns(struct str *o, const struct ans_row *r);
void text_holder(struct str *o, const struct ans_holder *h);
/* Values as Go source spells them; bytes as a hex dump. */
void text_values(struct str *o, const struct ans_value *v, size_t n);
void text_raw(struct str *o, const uint8_t *p, size_t n);
/* A line of source: tabs become blanks. */
void text_code(struct str *o, const char *line);
/* Clean text broken between words at 100 columns; at: where the line stands already. */
void text_wrapped(struct str *o, const char *text, size_t at, size_t indent);
void text_findings(struct str *o, enum text_style st, const struct ans_findings *a);
void text_memory(struct str *o, enum text_style st, const struct ans_memory *a);
void text_why(struct str *o, enum text_style st, const struct ans_why *a);
void text_object(struct str *o, enum text_style st, const struct ans_object *a);
void text_tree(struct str *o, enum text_style st, const struct ans_tree *a);
void text_goroutines(struct str *o, enum text_style st, const struct ans_goroutines *a);
void text_audit(struct str *o, enum text_style st, const struct ans_audit *a);
void text_locks(struct str *o, enum text_style st, const struct ans_locks *a);
void text_verify(struct str *o, enum text_style st, const struct ans_exact *a, size_t limit);
/* What stands above the findings. */
void text_summary(struct str *o, enum text_style st, const struct ans_report *a);
void text_markdown(struct str *o, const struct ans_report *a);
void text_report(struct str *o, enum text_style st, const struct ans_report *a);

#endif
