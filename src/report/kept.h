/*
 * kept.h - answers in a store, and the questions that it answers.
 *
 * kept_put_all() makes every answer once and puts it (kept_put_*.c); agg.h's functions ask the
 * store where agg.asked is set (kept_get_*.c), so that a command does not know where its answer
 * comes from.  What depends on how it was asked (limit, order, tree, groups, known findings) is
 * done with what is kept, by the code that does it of a look.  What cannot be told from what is
 * kept is UNSUPPORTED, in one line that says what is kept and what can tell.
 */
#ifndef LIMPET_REPORT_KEPT_H
#define LIMPET_REPORT_KEPT_H

#include "report/agg.h"
#include "store/store.h"

struct agg_by;
struct pop_family;
struct pop_ask;
struct ans_pop;

enum {
	KEPT_ROWS_MAX = 2000,	  /* of a table of top, by each of its orders */
	KEPT_WAYS = 100,	  /* rows of it that have their way from a root */
	KEPT_NODES_MAX = 20000,	  /* of a dominator tree */
	KEPT_POP_ROWS = 500,	  /* of a table of a population */
	KEPT_LOCK_WAITERS = 1000, /* of each lock */
	KEPT_LIMITS = 1000,	  /* servers, clients, pools */
	KEPT_PATHS = 3,
	KEPT_ITEMS_MAX = 300,	  /* things of which it is told why they live */
	KEPT_ROOTS_MAX = 2000,	  /* roots of which it is told what they are */
	KEPT_DIFFERENCES = 10000, /* of verify, one by one; all are counted */
	KEPT_LABEL_KEYS = 8,	  /* of which there is a table by label:KEY */
};

/* No trees, no populations, and not all tables: it was asked for so, or the heap is large. */
bool kept_is_brief(const struct agg *a);
/* Needs dominators; all but the head.  since_ret (may be NULL): as of report_ask. */
struct err *kept_put_all(struct agg *a, const struct verify_result *v,
			 struct find_since **since_ret, struct store *w) MUST_CHECK;
struct err *kept_put_head(const struct ans_head *h, struct store *w) MUST_CHECK;

/* A store to be asked; x is borrowed, texts become a's.  Errors: UNSUPPORTED: it has no answers. */
struct err *kept_ask(struct agg *a, struct store *x) MUST_CHECK;
/* Who asks for values of the program in one form (ANS_VALUES_*).  Errors: UNSUPPORTED: another is
 * kept. */
struct err *kept_values(struct agg *a, unsigned values) MUST_CHECK;
void kept_free(struct kept *k);
/* The agg was moved. */
void kept_moved(struct agg *a);

/* The questions, as in agg.h and pop.h. */
struct err *kept_head_of(struct agg *a, struct ans_head *ret) MUST_CHECK;
struct err *kept_exact_of(struct agg *a, struct ans_exact *ret) MUST_CHECK;
struct err *kept_memory_of(struct agg *a, struct ans_memory *ret) MUST_CHECK;
struct err *kept_top_of(struct agg *a, const struct agg_by *by, const struct top_ask *q,
			struct ans_top *ret) MUST_CHECK;
struct err *kept_has_labels(struct agg *a, bool *ret) MUST_CHECK;
struct err *kept_findings_of(struct agg *a, const struct report_ask *ask,
			     struct ans_findings *ret) MUST_CHECK;
struct err *kept_goroutines_of(struct agg *a, const struct goroutines_ask *q,
			       struct ans_goroutines *ret) MUST_CHECK;
struct err *kept_tree_of(struct agg *a, const char *what, unsigned depth, size_t limit,
			 struct ans_tree *ret) MUST_CHECK;
struct err *kept_why_of(struct agg *a, const char *const *what, size_t n, size_t max_items,
			size_t max_paths, struct ans_why *ret) MUST_CHECK;
struct err *kept_object_of(struct agg *a, const char *what) MUST_CHECK;
struct err *kept_pop_of(struct agg *a, const struct pop_family *f, const struct pop_ask *ask,
			struct ans_pop *ret) MUST_CHECK;
struct err *kept_locks_of(struct agg *a, size_t limit, struct ans_locks *ret) MUST_CHECK;
struct err *kept_audit_of(struct agg *a, size_t limit, struct ans_audit *ret) MUST_CHECK;

#endif
