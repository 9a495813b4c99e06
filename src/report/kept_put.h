/*
 * kept_put.h - private to the report room: what the makers of kept answers share.
 */
#ifndef LIMPET_REPORT_KEPT_PUT_H
#define LIMPET_REPORT_KEPT_PUT_H

#include "report/kept_types.h"

struct putting {
	struct agg *a;
	struct kept_walk w;
	unsigned trees; /* AGG_TREE_* */
	struct kept_totals totals;
	VEC(struct kept_top) tops;
};

struct err *kept_put_goroutines(struct putting *p) MUST_CHECK;
struct err *kept_put_trees(struct putting *p) MUST_CHECK;
struct err *kept_put_why(struct putting *p) MUST_CHECK;
struct err *kept_put_pops(struct putting *p) MUST_CHECK;
struct err *kept_put_locks(struct putting *p) MUST_CHECK;
struct err *kept_put_audit(struct putting *p) MUST_CHECK;

/* Description of a population's table here, of its columns; of a keep. */
struct err *kept_pop_type(struct keep *keep, const char *name, const struct pop_col *cols,
			  const struct kept_type **ret) MUST_CHECK;
/* "strings_longest"; NULL: one of them is no word. */
const char *kept_pop_name(struct keep *keep, const char *what, const char *key);

#endif
