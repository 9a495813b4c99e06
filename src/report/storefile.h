/*
 * storefile.h - a store as a file: all or nothing, and what is said of it.
 */
#ifndef LIMPET_REPORT_STOREFILE_H
#define LIMPET_REPORT_STOREFILE_H

#include "base/str.h"
#include "report/answer.h"
#include "store/store.h"

struct storefile_done {
	const char *path;
	uint64_t file_bytes;
	uint64_t objects, bytes; /* reachable */
	uint64_t look_ns, analyse_ns, write_ns;
};

/* The store takes no more writes.  *ret_bytes: of the file. */
struct err *storefile_write(const char *path, struct store *w, uint64_t *ret_bytes) MUST_CHECK;

/* One line; one JSON document. */
void storefile_text(struct str *o, const struct ans_head *h, const struct storefile_done *d);
void storefile_json(struct str *o, const struct ans_head *h, const struct storefile_done *d);

#endif
