/*
 * labels.h - which pprof labels each goroutine carries, as plain arrays.
 *
 *   goroutine i (index in stacks.gs) carries  sets.v[set_of[i]]
 *   labels of a set                           labels.v[first] .. labels.v[first + n - 1]
 *   key and value of a label                  indices in texts
 *
 * Equal texts and equal sets are kept once, so that equal numbers mean equal labels.  Within a
 * set keys ascend and none comes twice.  Texts are raw: bytes of the program, not ended by 0.
 */
#ifndef LIMPET_SNAPSHOT_LABELS_H
#define LIMPET_SNAPSHOT_LABELS_H

#include "snapshot/snapshot.h"

/* Sets 0 and 1. */
enum { SNAP_LABELS_NONE, SNAP_LABELS_LOST, SNAP_LABELS_FIRST };

struct snap_label_text {
	const uint8_t *p;
	uint32_t n;    /* bytes at p */
	uint64_t len;  /* of the program's string; more than n: the rest was not read */
	taddr at;      /* of one that was cut, for then its begin does not tell it from others */
	bool left_out; /* whoever made the core took it out: nobody knows which */
	bool literal;  /* stands in the executable too: a word of who wrote the program */
};

struct snap_label {
	uint32_t key, value;
};

struct snap_label_set {
	uint32_t first, n;
};

struct snap_labels {
	bool known; /* false: this kind of evidence has none */
	uint32_t *set_of;
	size_t ngoroutines;
	VEC(struct snap_label_set) sets;
	VEC(struct snap_label) labels;
	VEC(struct snap_label_text) texts;
};

/*
 * s->labels, made when it is asked for first: while the frozen target lives.  What cannot be
 * read is SNAP_LABELS_LOST and counted among the losses.  For one thread.
 */
struct err *snapshot_labels(struct snapshot *s) MUST_CHECK;
void snap_labels_free(struct snap_labels *l);

#endif
