/*
 * profile_out.h - a profile that was made or read, in the format that was asked for.
 *
 * HOW TO ADD A FORMAT: a row in the table of cmd_profile.c.
 */
#ifndef LIMPET_CLI_PROFILE_OUT_H
#define LIMPET_CLI_PROFILE_OUT_H

#include "cli/session.h"
#include "evidence/pprof.h"

struct profile_format {
	const char *name, *about;
	bool binary; /* no text for a terminal */
	/* Of any profile; NULL: none, it is of the graph itself. */
	struct err *(*of_profile)(const struct pprof *p, unsigned value, struct str *o);
	/* Of a look with graph and dominators: writes itself to where a->out says. */
	struct err *(*of_graph)(struct session *s, const struct args *a);
};

/* --format, pprof unless said.  Errors: USAGE; where it would go is no place for it. */
struct err *profile_format(const struct args *a, const struct profile_format **ret) MUST_CHECK;
/* kind: in words, for --json and what is said of it on stderr. */
struct err *profile_put(const struct args *a, const struct profile_format *f, const char *kind,
			const struct pprof *p) MUST_CHECK;

/* profile_graph.c */
struct err *profile_heapsnapshot(struct session *s, const struct args *a) MUST_CHECK;
struct err *profile_hprof(struct session *s, const struct args *a) MUST_CHECK;

#endif
