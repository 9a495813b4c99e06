/*
 * follow.h - every cycle between two looks at a running program, so that identity is exact.
 *
 * Of two looks with several cycles between them the second one's marks tell only what the last
 * cycle left; who was there before it and had a slot that another took meanwhile looks the same
 * (find/ident.h).  A thread reads each cycle's marks out of the running program
 * (goruntime/heap_now.h), which is not stopped, and keeps of each slot whether all cycles marked
 * it. What could not be read in time is unknown, never "stayed".
 *
 * Verbs, in order: follow_start(), as soon as the first look has been taken; follow_closing(), just
 * before the next one is; follow_end(), as soon as that is taken; follow_ident(), any number.
 */
#ifndef LIMPET_WATCH_FOLLOW_H
#define LIMPET_WATCH_FOLLOW_H

#include "find/ident.h"
#include "goruntime/goruntime.h"

struct follow;

/*
 * t and go: of the first look, borrowed until follow_free(); that may have let go of its twin.
 * sweepgen: of that look (go_counters.sweepgen).  Errors: NOMEM, UNSUPPORTED (no live process, or
 * its memory cannot be read while it runs).
 */
struct err *follow_start(const struct go *go, uint32_t sweepgen, struct follow **ret) MUST_CHECK;

struct follow_seen {
	uint32_t cycles;	  /* read, of those between the looks */
	uint32_t missed;	  /* not read: followed each other too closely */
	uint64_t spans, unknown;  /* that are told of, and of them not in every cycle */
	uint64_t read_bytes;	  /* of the program's memory */
	uint64_t cpu_ns;	  /* of the thread */
	uint32_t now, collecting; /* cycles finished since the first look, at this moment */
	bool ended;		  /* the program has */
};
void follow_seen(struct follow *f, struct follow_seen *ret);

/* What is read from now on may belong behind the next look. */
void follow_closing(struct follow *f);
/* The next look was at that sweepgen: waits until what lies before it is read, and ends. */
struct err *follow_end(struct follow *f, uint32_t sweepgen) MUST_CHECK;

/*
 * The next look's objects with `stayed` since the first (head.followed_from = from_cycles, unless a
 * cycle was missed: then inner as it is).  inner is borrowed; *ret is the caller's:
 * follow_ident_free().
 */
struct err *follow_ident(const struct follow *f, struct ident *inner, uint32_t from_cycles,
			 struct ident **ret) MUST_CHECK;
void follow_ident_free(struct ident *x);

void follow_free(struct follow *f); /* NULL allowed */
static inline void follow_freep(struct follow **f)
{
	follow_free(*f);
}

#endif
