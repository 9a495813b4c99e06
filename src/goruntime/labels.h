/*
 * labels.h - pprof labels of a goroutine: what pprof.Do and SetGoroutineLabels hung on it.
 *
 * runtime.g.labels points to a runtime/pprof.labelMap: a map[string]string to Go 1.23, from
 * 1.24 on a struct around a sorted []label.  Which one it is, the target's own rtype says.
 * Source: runtime/pprof/label.go, runtime.go; internal/runtime/pprof/label (1.26).
 */
#ifndef LIMPET_GORUNTIME_LABELS_H
#define LIMPET_GORUNTIME_LABELS_H

#include "goruntime/heap.h"
#include "goruntime/heap_io.h"
#include "goruntime/types.h"

/* More labels than this on one goroutine are a lie. */
#define GO_LABELS_MAX 1024U

enum go_label_kind {
	GO_LABELS_UNKNOWN, /* the program has no such type: it sets no labels, or its names were
			      changed */
	GO_LABELS_MAP,
	GO_LABELS_SLICE,
};

/* How labels lie in this program.  Plain data; borrows ts. */
struct go_label_form {
	uint8_t kind; /* enum go_label_kind */
	bool guessed; /* by shape: only what lies in the heap as it must is believed */
	struct go_types *ts;
	const struct go_heap *heap;
	const struct go_type *map; /* GO_LABELS_MAP */
	uint64_t list_off, stride; /* GO_LABELS_SLICE: the slice in a labelMap, bytes of a label */
	uint64_t key_off, value_off; /* of the strings in a label */
};

/* One of its strings: where its bytes lie, and how many. */
struct go_label_text {
	taddr at;
	uint64_t n;
};

typedef void go_label_fn(void *arg, struct go_label_text key, struct go_label_text value);

/* Looks once through the program's types. */
void go_label_form(struct go_types *ts, const struct go_heap *h, struct go_label_form *ret);

/*
 * Each label of the labelMap at `labels` (not 0).  What was handed out stays handed out.
 * Errors: ERR_FAULT, ERR_BAD_DATA (no labelMap; more than GO_LABELS_MAX; a map that is not whole).
 */
struct err *go_labels_each(const struct go_label_form *f, struct go_io *io, taddr labels,
			   go_label_fn *fn, void *arg) MUST_CHECK;

#endif
