/*
 * look_spots.h - strings and slices by the place where they are written down: "main.Record.id",
 * whichever of a million records it is.
 *
 * A spot is a field of a type (of rows: of one element, of arrays: of the first), or of a variable.
 * Views are string and slice headers in memory of known type; all sizes are bytes.
 */
#ifndef LIMPET_FIND_LOOK_SPOTS_H
#define LIMPET_FIND_LOOK_SPOTS_H

#include "find/look.h"

struct look_spots; /* thread-safe while views are walked through */

struct look_spot {
	uint32_t type; /* number in s->types of who holds it; UINT32_MAX: a variable */
	uint32_t var;
	uint64_t off;		  /* in the element, or in the variable */
	const struct go_type *of; /* string, []T */
	uint64_t elem_bytes;	  /* of a slice; 1 */
};

struct err *look_spots_create(const struct look *l, struct look_spots **ret) MUST_CHECK;
void look_spots_free(struct look_spots *sp); /* NULL allowed */
size_t look_spots_count(const struct look_spots *sp);
const struct look_spot *look_spot_at(const struct look_spots *sp, uint32_t spot);

/* "main.Record.id", "main.table", "the keys of map[string]int"; of the keep. */
const char *look_spot_name(const struct look_spots *sp, uint32_t spot);
/* Lies in a struct of Go's own library: its scratch memory, and not the reader's to change. */
bool look_spot_std(const struct look_spots *sp, uint32_t spot);
/* Is that package one of Go's own?  "net/http", "bufio"; main is not. */
bool look_std_package(const char *path);

struct look_view {
	taddr at;   /* of the header */
	taddr data; /* in the heap */
	uint64_t len, cap;
	uint64_t object; /* that data lies in: an id */
	uint32_t spot;
	unsigned worker; /* 0 .. look_workers() - 1 */
	bool string;
};
typedef struct err *look_view_fn(void *arg, const struct look_view *v);

unsigned look_workers(const struct look *l);
/*
 * All that lead to heap objects, of kinds (1u << GO_STRING | 1u << GO_SLICE), in reachable objects
 * and variables.  fn is called by several threads at once.  reached: bits by object id.
 */
struct err *look_views(struct look_spots *sp, const uint64_t *reached, uint32_t kinds,
		       look_view_fn *fn, void *arg) MUST_CHECK;

#endif
