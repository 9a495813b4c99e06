/*
 * join.h - a look beside other evidence, or evidence without a look.
 *
 * HOW TO ADD EVIDENCE: a member of struct join_file, a joiner of join_fn in a file of its own
 * (join_escape.c is the example), a line in the table of join.c.  A joiner fills ret (a table of
 * its own, answer_escape.h) and says at each finding what the evidence says of it: join_say().
 */
#ifndef LIMPET_REPORT_JOIN_H
#define LIMPET_REPORT_JOIN_H

#include "report/agg.h"
#include "report/answer_escape.h"

/* One file beside the target; one of the pointers is not NULL.  Borrowed until the last rendering.
 */
struct join_file {
	const char *name;
	const char *note, *note_kind; /* of one that was not read: why, and the contract's word */
	const struct escape *escape;
	const struct lint *lint;
	const struct gclog *gclog;
	const struct gotext *gotext;
	struct ans_gotext *said; /* of gotext, whose findings are taken over */
	const struct pprof *pprof;
};

/*
 * Joins all of ask->joins with the look, and with the findings that r has already.  An agg without
 * a look has nothing but its keep: findings are those of the evidence.
 */
struct err *agg_join(struct agg *a, const struct report_ask *ask, struct ans_report *r) MUST_CHECK;

/* supports: "yes", "no", "nothing". */
struct err *join_say(struct ans_finding *f, const char *from, const char *supports,
		     const char *says) MUST_CHECK;

#endif
