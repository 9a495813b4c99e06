/*
 * agg_expr.h - private to the report room: a way through memory as a Go expression.
 *
 * Two texts grow side by side: what a reader of the source would write, and what dlv
 * evaluates on a core ("dlv": package paths in quotes, .(data) instead of a type that might be
 * ambiguous).  A step that dlv's language has no words for begins both anew with an address,
 * "(*main.T)(0xc000012345)", and is counted.
 */
#ifndef LIMPET_REPORT_AGG_EXPR_H
#define LIMPET_REPORT_AGG_EXPR_H

#include "base/str.h"
#include "goruntime/cont.h"
#include "report/agg.h"

enum { EXPR_DEPTH = 32, EXPR_TEXT_MAX = 1500 };

/* A value that holds a pointer: where it lies, what it points to, what to call it. */
struct expr {
	struct agg *a;
	struct str go, dlv;
	const struct go_type *type; /* of the value; NULL: not known */
	taddr at;		    /* where the value lies; 0: in no memory */
	taddr word_at;		    /* where its pointer lies; 0: in a register */
	taddr to;		    /* that pointer */
	uint64_t goroutine;	    /* that a local's name is looked up in; 0: none */
	unsigned frame;		    /* of it, as dlv counts: inlined calls are frames */
	unsigned unsaid;	    /* steps that are not expressible */
	bool blind;		    /* what the value is was lost already, and counted */
	bool inner;		    /* inside a map's or a channel's own memory */
	bool unnamed;		    /* the step converts to a type that dlv may not know */
	bool untyped; /* dlv's text is a pointer without type: the next step begins it anew */
	bool inside;  /* the value lies in the object that comes next, as memory of its own */
	const char *last_unsaid; /* static: why the last one was not */
	/* of the step just made, for the node's line */
	const char *what; /* "map-value" …: the objects passed over are parts of a container; "" */
	const char *key;  /* of it; "" */
	const char *field; /* ".buf", "[3].key"; "" none */
	const char *frame_of;
	const char *var; /* the variable that the root's pointer lies in; "" */
};

void expr_deinit(struct expr *e);

/*
 * The leaf (pointer, slice, interface …) whose pointer word lies at off in a value of t: its
 * path is appended to path.  False: no pointer lies there by that type.
 */
bool expr_leaf(struct go_types *ts, const struct go_type *t, uint64_t off, struct str *path,
	       const struct go_type **ret, uint64_t *ret_off);
/* "net/http.DefaultClient": "http.DefaultClient", and for dlv "\"net/http\".DefaultClient". */
bool expr_global(const char *name, struct str *go, struct str *dlv);
/* A type's name in a conversion: "main.T"; dlv's with its full path, in quotes where need be. */
void expr_type(struct go_types *ts, const struct go_type *t, struct str *go, struct str *dlv);
bool expr_identifier(const char *name, size_t n);

/*
 * A map's key as a literal: "\"k7\"", "17", "main.point{x: 1, y: 2}"; hashed ("…7f3a") unless the
 * policy is full.  False: dlv has no words for it, or it is not shown, or equals nothing (NaN).
 */
bool expr_key(struct agg *a, struct go_place key, struct str *go, struct str *dlv);

/* Root v (a node) holds the next object; e is empty. */
struct err *expr_begin(struct expr *e, gnode root, uint64_t next) MUST_CHECK;
/*
 * path[*i] is the object that e's value points to (or lies in); go on to the object after
 * it.  Parts of containers are passed over: *i ends at the node whose pointer was followed.
 */
struct err *expr_step(struct expr *e, const gnode *path, size_t len, size_t *i) MUST_CHECK;

/* The rest is for agg_expr*.c. */

enum { EXPR_WORDS = 64 };

/* The words of an object that point to another. */
struct expr_words {
	const struct go_heap *h;
	uint64_t want;
	taddr base, at[EXPR_WORDS], value[EXPR_WORDS];
	unsigned n;
};

/* Memory whose type the value in hand tells. */
enum expr_how {
	EXPR_VALUE,
	EXPR_POINTED,
	EXPR_ELEMENTS,
	EXPR_CAPTURED,	     /* variables of a closure, by names of DWARF */
	EXPR_CAPTURED_BLIND, /* by what its code does */
};

struct expr_place {
	const struct go_type *type; /* of one */
	taddr at;
	uint64_t n, len;
	enum expr_how how;
};

/* The object's own type as a place; false: not known. */
bool expr_own_type(const struct expr *e, uint64_t id, struct expr_place *ret);
/* A value in an interface that is a pointer, a map …: to that.  Before expr_enter(). */
void expr_unwrap(struct expr *e);
/* What the value in hand says of the memory that it points to, object id. */
bool expr_enter(struct expr *e, uint64_t id, struct expr_place *ret);
/* The step has no words: both texts begin anew at an address. */
void expr_restart(struct expr *e, const struct go_type *t, taddr at, const char *why);
void expr_find_words(const struct expr *e, uint64_t id, uint64_t next, struct expr_words *ret);
void expr_clear(struct str *s);
void expr_wrap(struct str *s, const char *before, const char *after);
void expr_put(struct expr *e, const char *text);
/* Can dlv convert to that type? */
bool expr_dlv_names(const struct expr *e, const struct go_type *t);
/* dlv's text begins anew: the value of type t at that address; counted unless counted already. */
void expr_dlv_at(struct expr *e, const struct go_type *t, taddr at, const char *path);

/*
 * e's value is a map or a channel, path[*i] its header: to the value in it that points to the
 * first object that is no part of it.  False: nothing was changed.
 */
bool expr_contained(struct expr *e, const gnode *path, size_t len, size_t *i);

#endif
