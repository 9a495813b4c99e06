/*
 * agg_value.h - private to the report room: bytes as named values.
 */
#ifndef LIMPET_REPORT_AGG_VALUE_H
#define LIMPET_REPORT_AGG_VALUE_H

#include "base/str.h"
#include "goruntime/cont.h"
#include "report/agg.h"

/*
 * Fields of an object whose first got bytes are image; rt NULL: unknown type, its
 * words are shown; array: a row of rt.  At most limit fields are kept, all are counted in
 * o->nfields.
 */
struct err *value_fields(struct agg *a, const struct go_type *rt, bool array, const uint8_t *image,
			 size_t got, unsigned values, size_t limit,
			 struct ans_object *o) MUST_CHECK;

/* Bytes of a core without contents (--no-payload, --redact) that read as zeroes: nobody knows. */
bool value_left_out(const struct agg *a, const uint8_t *p, size_t n);
/* "…7f3a": enough to see that two values are equal; "…" of what was left out. */
const char *value_hash(struct agg *a, const uint8_t *p, size_t n);
/* A number or bool of type t as Go writes it; p: t->bytes of it, 1, 2, 4, 8 or 16. */
const char *value_scalar(struct agg *a, const struct go_type *t, const uint8_t *p);
/* As strconv.Quote: what must not be shown, and what is no text, as \xNN. */
void value_quote(struct str *o, const char *p, size_t n);
/* A type is the target's word: is it large enough for what its kind reads? */
bool value_fits(const struct go_type *t);

/* A tree of values being made; the walk of it is in agg_tree_value.c, containers in _cont.c. */
struct value_follow {
	taddr at;
	uint64_t object; /* GO_NO_OBJECT: not in the heap */
};

enum { VALUE_NEST = 48, VALUE_FOLLOW = 48 };

struct value_tree {
	struct agg *a;
	const struct agg_object_opts *opts;
	struct go_io io;
	struct ans_object *o;
	uint64_t base; /* offsets are from here */
	struct value_follow follow[VALUE_FOLLOW];
	unsigned nfollow, depth;
	struct err *err;
};

/* What a value is called where it stands. */
struct value_label {
	uint8_t label; /* enum ans_label */
	const char *name;
};

struct err *value_tree_init(struct value_tree *v, struct agg *a, const struct agg_object_opts *opts,
			    struct ans_object *o) MUST_CHECK;
void value_tree_deinit(struct value_tree *v);

/* The value of type t that lies at `at`, with all that hangs below it. */
void value_put(struct value_tree *v, const struct go_type *t, taddr at, struct value_label l);
/* n values side by side; written as a slice. */
void value_put_row(struct value_tree *v, const struct go_type *t, taddr at, uint64_t n,
		   const char *type);
/* A map or channel (type t) by its header. */
void value_put_header(struct value_tree *v, const struct go_type *t, taddr header);
/* n bytes of which only pointers are known. */
void value_put_words(struct value_tree *v, taddr at, uint64_t n);
/* Bytes of strings. */
void value_put_text(struct value_tree *v, taddr at, uint64_t n);

/* Where the object begins that `at` lies in; outside of the heap: `at`. */
taddr value_base(const struct value_tree *v, taddr at);
/* The new node, or NULL: the limit was reached (its parent's `more` is counted up). */
struct ans_value *value_node(struct value_tree *v, const struct go_type *t, taddr at,
			     struct value_label l);
/* Contents of a map or channel with that header below node n (index). */
void value_put_container(struct value_tree *v, const struct go_cont *c, struct go_place p,
			 size_t node);
/* Only what it says of itself, "len 3, slots 8". */
const char *value_facts(struct value_tree *v, const struct go_cont *c, struct go_place p,
			uint64_t *ret_len, uint64_t *ret_cap);

/* A global or a goroutine's locals, node v of the graph. */
struct err *agg_variable(struct agg *a, gnode v, const char *what,
			 const struct agg_object_opts *opts, struct ans_object *o) MUST_CHECK;

#endif
