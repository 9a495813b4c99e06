/*
 * json.h - answers as JSON, keys as the contract fixes them.
 *
 * A small streaming writer: integers are exact (never through double), addresses
 * are hex strings, text is valid UTF-8 whatever the target held.  Nesting is
 * bounded by JW_DEPTH.
 */
#ifndef LIMPET_REPORT_JSON_H
#define LIMPET_REPORT_JSON_H

#include "base/str.h"
#include "report/answer.h"

#define JW_DEPTH 160 /* values nest */

struct jw {
	struct str *o;
	unsigned depth;
	bool first[JW_DEPTH + 1]; /* nothing yet at this depth */
	bool after_key;
};

void jw_init(struct jw *j, struct str *o);
void jw_object(struct jw *j);
void jw_array(struct jw *j);
void jw_end(struct jw *j, char close); /* '}' or ']' */
void jw_key(struct jw *j, const char *key);
void jw_text(struct jw *j, const char *s); /* NULL: null */
void jw_u64(struct jw *j, uint64_t n);
void jw_i64(struct jw *j, int64_t n);
void jw_number(struct jw *j, const char *digits); /* a JSON number, as it is */
void jw_bool(struct jw *j, bool yes);
void jw_null(struct jw *j);
void jw_addr(struct jw *j, taddr a);
void jw_time(struct jw *j, uint64_t unix_ns); /* RFC 3339, 0: null */

static inline void jw_kv_text(struct jw *j, const char *k, const char *s)
{
	jw_key(j, k);
	jw_text(j, s);
}

static inline void jw_kv_u64(struct jw *j, const char *k, uint64_t n)
{
	jw_key(j, k);
	jw_u64(j, n);
}

/* ANS_UNKNOWN: null */
static inline void jw_kv_known(struct jw *j, const char *k, uint64_t n)
{
	jw_key(j, k);
	if (n == ANS_UNKNOWN)
		jw_null(j);
	else
		jw_u64(j, n);
}

static inline void jw_kv_i64(struct jw *j, const char *k, int64_t n)
{
	jw_key(j, k);
	jw_i64(j, n);
}

static inline void jw_kv_bool(struct jw *j, const char *k, bool yes)
{
	jw_key(j, k);
	jw_bool(j, yes);
}

static inline void jw_kv_addr(struct jw *j, const char *k, taddr a)
{
	jw_key(j, k);
	jw_addr(j, a);
}

void jw_kv_real(struct jw *j, const char *k, double x); /* no finite number: null */

/* Keys of the head into the open object: "schema", "limpet", "target", "build", "capture". */
void json_head(struct jw *j, const struct ans_head *a);
void json_exact(struct jw *j, const struct ans_exact *a); /* fields, into the open object */
void json_top(struct jw *j, const struct ans_top *a);	  /* an array of rows */
void json_site(struct jw *j, const struct ans_row *r); /* keys of a row of `top --by site` */
void json_profile(struct jw *j, const struct ans_profile *a); /* "memory_profile": an object */
/* "allocated_at" and what belongs to it */
void json_origin(struct jw *j, const struct ans_origin *a);
void json_path(struct jw *j, const struct ans_path *p);
void json_since(struct jw *j, const struct ans_since *a);
void json_ignored(struct jw *j, const struct ans_findings *a);
void json_cut(struct jw *j, const struct ans_cut *c);	  /* an array of holders */
void json_holder(struct jw *j, const struct ans_holder *h);
void json_labels(struct jw *j, const struct ans_labels *l); /* an object; NULL: {}; not known: null */
void json_findings(struct jw *j, const struct ans_findings *a); /* an array */
void json_memory(struct jw *j, const struct ans_memory *a); /* an object */
void json_goroutine(struct jw *j, const struct ans_goroutines *a, const struct ans_goroutine *g);

void json_values(struct jw *j, const struct ans_value *v, size_t n); /* an array */

/* Whole documents, with a newline. */
void json_doc_top(struct str *o, const struct ans_head *h, const struct ans_top *a);
void json_doc_memory(struct str *o, const struct ans_head *h, const struct ans_memory *a);
void json_doc_why(struct str *o, const struct ans_head *h, const struct ans_why *a);
void json_doc_object(struct str *o, const struct ans_head *h, const struct ans_object *a);
void json_doc_tree(struct str *o, const struct ans_head *h, const struct ans_tree *a);
void json_doc_goroutines(struct str *o, const struct ans_head *h, const struct ans_goroutines *a);
void json_doc_audit(struct str *o, const struct ans_head *h, const struct ans_audit *a);
void json_doc_locks(struct str *o, const struct ans_head *h, const struct ans_locks *a);
void json_doc_verify(struct str *o, const struct ans_head *h, const struct ans_exact *a,
		     size_t limit);
void json_doc_report(struct str *o, const struct ans_report *a);

#endif
