/*
 * view.h - from one reading of a program's counters to the next: rates, history, slope.
 *
 * Knows no terminal and no words.  O(refreshes kept) memory.
 */
#ifndef LIMPET_WATCH_VIEW_H
#define LIMPET_WATCH_VIEW_H

#include "report/watched.h"
#include "watch/pulse.h"

enum { VIEW_CYCLES = 64 };

struct view_cycle {
	uint64_t cycle, at_ns, marked;
};

struct view {
	struct pulse first, last;
	size_t nread;
	struct view_cycle cycles[VIEW_CYCLES]; /* the newest, in order */
	size_t ncycles;
	uint64_t history[WATCHED_HISTORY];
	size_t nhistory;
};

/* Takes a reading in; *ret is all but pid, exe, go, at_unix_ns and up_ns. */
void view_take(struct view *v, const struct pulse *p, struct ans_watched *ret);

/* Of n points in order; fewer than three: no slope.  Pure. */
struct ans_slope view_slope(const struct view_cycle *c, size_t n);

struct go;
struct view_sites; /* opaque: what was allocated where, from one refresh to the next */
struct err *view_sites_create(const struct go *g, struct view_sites **ret) MUST_CHECK;
void view_sites_free(struct view_sites *v); /* NULL allowed */
static inline void view_sites_freep(struct view_sites **v)
{
	view_sites_free(*v);
}
/* interval_ns 0: no rates.  Errors: ERR_GONE, ERR_NOMEM. */
struct err *view_sites_take(struct view_sites *v, uint64_t interval_ns,
			    struct ans_watched_top *ret) MUST_CHECK;

#endif
