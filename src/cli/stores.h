/*
 * stores.h - TARGETs as stores: a file of that kind, or any other analysed into one in memory.
 */
#ifndef LIMPET_CLI_STORES_H
#define LIMPET_CLI_STORES_H

#include "cli/session.h"
#include "report/analysed.h"

/* arg[i], which must be a store.  Errors: UNSUPPORTED (it is another kind of TARGET). */
struct err *session_store(const struct args *a, unsigned i, struct store **ret) MUST_CHECK;

/* Is that TARGET a store? */
struct err *session_is_store(const char *target, bool *ret) MUST_CHECK;

/*
 * A store as it is; a process, a core, a heap dump: looked at now, and its store, in memory.  For
 * one who asks several times: the look before is over when the next begins.
 */
struct err *session_analyse(const struct args *a, const char *target,
			    struct store **ret) MUST_CHECK;

/* What a session saw, as a store: verify, dominators, all answers; lets the target go. */
struct err *session_into_store(struct session *s, struct ans_head *ret_head,
			       struct store **ret) MUST_CHECK;

#endif
