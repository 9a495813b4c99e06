/*
 * coreplan.h - which pages of a target go into a core; private to report/.
 *
 *   mapping                                  in the file
 *   anonymous, deleted file, written copy    all that is not zero
 *   executable and other Go modules          all; redacted: what differs from the file
 *   other files, private                     written ones all, else the first page (build id)
 *   other files, shared; devices             nothing: NT_FILE names them
 *   [vvar], [vsyscall]                       not there at all
 */
#ifndef LIMPET_REPORT_COREPLAN_H
#define LIMPET_REPORT_COREPLAN_H

#include "report/redact.h"
#include "target/corewrite.h"

struct coreplan {
	VEC(struct core_load) loads;
	VEC(struct target_region) files; /* for NT_FILE */
	uint64_t memory_bytes, zero_bytes, dropped_bytes;
	uint64_t lost_bytes; /* the evidence itself does not have them: no load claims them */
};

/* r NULL for CORE_ALL; else ranges that must leave as they are are added to r->keep. */
struct err *coreplan_make(struct target *t, const struct go *go, const struct corefile_opts *o,
			  struct redact *r, struct coreplan *ret) MUST_CHECK;
void coreplan_deinit(struct coreplan *p);

#endif
