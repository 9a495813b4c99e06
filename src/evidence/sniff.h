/*
 * sniff.h - which kinds of text evidence lie in a file, wherever: a log may begin with anything and
 * hold several.
 */
#ifndef LIMPET_EVIDENCE_SNIFF_H
#define LIMPET_EVIDENCE_SNIFF_H

#include "evidence/input.h"

enum sniffed {
	SNIFF_GOROUTINES = 1 << 0, /* "goroutine 17 [chan receive]:" */
	SNIFF_GCLOG = 1 << 1,	   /* "gc 5 @0.031s 2%: " */
	SNIFF_ESCAPE = 1 << 2,	   /* "./x.go:3:2: moved to heap: x" */
	SNIFF_LINT = 1 << 3,	   /* JSON of a linter: {"posn": … */
	SNIFF_ALL = (1 << 4) - 1,
};

/* Two files of the same bytes, unpacked, have the same; ret: 128 bits.  Time: one pass. */
struct err *sniff_sum(struct input *in, uint64_t ret[2]) MUST_CHECK;

/* Reads on until all are found or max_bytes are read; *ret: SNIFF_*.  Time: one pass. */
struct err *sniff(struct input *in, uint64_t max_bytes, unsigned *ret) MUST_CHECK;

#endif
