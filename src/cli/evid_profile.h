/*
 * evid_profile.h - what the answers about profiles share: opening one, options as a question.
 */
#ifndef LIMPET_CLI_EVID_PROFILE_H
#define LIMPET_CLI_EVID_PROFILE_H

#include "cli/evidence.h"
#include "evidence/pprof_graph.h"

/* Refuses options of the command that answers out of profiles do not understand. */
enum evid_options { EVID_ROWS, EVID_DIFF, EVID_STATS };
struct err *evid_profile_options(const struct args *a, enum evid_options of) MUST_CHECK;

/* arg[i], which must be a profile. */
struct err *evid_profile(const struct args *a, unsigned i, struct pprof **ret) MUST_CHECK;
struct err *evid_profile_some(const struct args *a, unsigned i, enum pprof_keep keep,
			      struct pprof **ret) MUST_CHECK;
/* arg[0 .. n), merged where there are several; warned of. */
struct err *evid_profiles(const struct args *a, unsigned n, struct pprof **ret) MUST_CHECK;
/* Of what is cut, a line on stderr: for answers that have no place for it. */
void evid_profile_warn(const struct args *a, const struct pprof *p);
/* --value, --by, --sort and filters; trimmed as pprof trims a table of that many nodes (0: all). */
struct err *evid_profile_ask(const struct args *a, const struct pprof *p, size_t nodes,
			     struct pprof_ask *ret) MUST_CHECK;

struct err *evid_profile_write(const struct args *a, int *status) MUST_CHECK;
struct err *evid_profile_gc(const struct args *a, int *status) MUST_CHECK;
struct err *evid_profile_memory(const struct args *a, int *status) MUST_CHECK;
struct err *evid_profile_top(const struct args *a, int *status) MUST_CHECK;
struct err *evid_profile_tree(const struct args *a, int *status) MUST_CHECK;
struct err *evid_profile_peek(const struct args *a, int *status) MUST_CHECK;
struct err *evid_profile_diff(const struct args *a, int *status) MUST_CHECK;
struct err *evid_profile_list(const struct args *a, int *status) MUST_CHECK;

#endif
