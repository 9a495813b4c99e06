/*
 * json.h - answers as JSON, keys as the contract fixes them.
 *
 * A small streaming writer: integers are exact (never through double), addresses
 * are hex strings, text is valid UTF-8 whatever the target held.  Nesting is
 * bounded by JSON_DEPTH.
 */
#ifndef LIMPET_REPORT_JSON_H
#define LIMPET_REPORT_JSON_H

#include "base/str.h"
#include "report/answer.h"

#define JSON_DEPTH 32

struct json {
	struct str *o;
	unsigned depth;
	bool first[JSON_DEPTH + 1]; /* nothing yet at this depth */
	bool after_key;
};

void json_init(struct json *j, struct str *o);
void json_object(struct json *j);
void json_array(struct json *j);
void json_end(struct json *j, char close); /* '}' or ']' */
void json_key(struct json *j, const char *key);
void json_text(struct json *j, const char *s); /* NULL: null */
void json_u64(struct json *j, uint64_t n);
void json_i64(struct json *j, int64_t n);
void json_bool(struct json *j, bool yes);
void json_null(struct json *j);
void json_addr(struct json *j, taddr a);
void json_time(struct json *j, uint64_t unix_ns); /* RFC 3339, 0: null */

static inline void json_kv_text(struct json *j, const char *k, const char *s)
{
	json_key(j, k);
	json_text(j, s);
}

static inline void json_kv_u64(struct json *j, const char *k, uint64_t n)
{
	json_key(j, k);
	json_u64(j, n);
}

/* ANS_UNKNOWN: null */
static inline void json_kv_known(struct json *j, const char *k, uint64_t n)
{
	json_key(j, k);
	if (n == ANS_UNKNOWN)
		json_null(j);
	else
		json_u64(j, n);
}

static inline void json_kv_i64(struct json *j, const char *k, int64_t n)
{
	json_key(j, k);
	json_i64(j, n);
}

static inline void json_kv_bool(struct json *j, const char *k, bool yes)
{
	json_key(j, k);
	json_bool(j, yes);
}

static inline void json_kv_addr(struct json *j, const char *k, taddr a)
{
	json_key(j, k);
	json_addr(j, a);
}

/* Keys of the head into the open object: "schema", "limpet", "target", "build", "capture". */
void json_head(struct json *j, const struct ans_head *a);
void json_exact(struct json *j, const struct ans_exact *a); /* fields, into the open object */
void json_top(struct json *j, const struct ans_top *a);	    /* an array of rows */
void json_path(struct json *j, const struct ans_path *p);   /* an array of holders */
void json_holder(struct json *j, const struct ans_holder *h);
void json_memory(struct json *j, const struct ans_memory *a); /* an object */
void json_goroutine(struct json *j, const struct ans_goroutines *a, const struct ans_goroutine *g);

/* Whole documents, with a newline. */
void json_doc_top(struct str *o, const struct ans_head *h, const struct ans_top *a);
void json_doc_memory(struct str *o, const struct ans_head *h, const struct ans_memory *a);
void json_doc_why(struct str *o, const struct ans_head *h, const struct ans_why *a);
void json_doc_object(struct str *o, const struct ans_head *h, const struct ans_object *a);
void json_doc_tree(struct str *o, const struct ans_head *h, const struct ans_tree *a);
void json_doc_goroutines(struct str *o, const struct ans_head *h, const struct ans_goroutines *a);
void json_doc_verify(struct str *o, const struct ans_head *h, const struct ans_exact *a,
		     size_t limit);
void json_doc_report(struct str *o, const struct ans_report *a);

#endif
