/*
 * heap_mask.h - which words of a type are pointers, as the collector sees it.
 *
 * Source: internal/abi/type.go (Type.GCData, TFlagGCMaskOnDemand), runtime/type.go
 * (getGCMaskOnDemand, buildGCMask), runtime/mbitmap.go (runGCProg, progToPointerMask).
 * Knows nothing of spans and names.
 */
#ifndef LIMPET_GORUNTIME_HEAP_MASK_H
#define LIMPET_GORUNTIME_HEAP_MASK_H

#include "goruntime/goruntime.h"

/*
 * Bits of one element, repeated for the array that an object is:
 *   word w of the data is a pointer  iff  bit (w % size_words) of bits is set
 * For small types the same is unrolled 64 times, so that 64 words are taken at once:
 *   words [64 i, 64 i + 64)  =  rolled[i % size_words]
 */
struct go_mask {
	taddr type;
	uint64_t size_words; /* Type.Size_ / 8, > 0 */
	uint64_t ptr_words;  /* Type.PtrBytes / 8; bits beyond are 0 */
	uint64_t *bits;	     /* (ptr_words + 63) / 64 words */
	uint64_t *rolled;    /* size_words words; NULL: type too large for it */
};

#define GO_MASK_ROLL_WORDS 512 /* up to that many words of a type: rolled is there */

struct go_masks; /* cache by type address; thread-safe */

struct err *go_masks_create(const struct go *g, struct go_masks **ret) MUST_CHECK;
void go_masks_free(struct go_masks *ms);

/*
 * Mask of the rtype at type, which must not be larger than max_bytes (the object's slot).
 * Errors: ERR_BAD_DATA, ERR_FAULT: no such type; the caller counts a loss.
 */
struct err *go_mask_of(struct go_masks *ms, taddr type, uint64_t max_bytes,
		       const struct go_mask **ret) MUST_CHECK;

/* 64 mask bits for the words [w, w + 64) of the data of an object of that type. */
uint64_t go_mask_word(const struct go_mask *m, uint64_t w);

/*
 * Expand a GC program (1 bit per word) into bits, which holds max_bits zeroed bits.
 * Returns the number of bits the program describes, UINT64_MAX when it is damaged or
 * describes more than max_bits.
 */
uint64_t go_gcprog_expand(const uint8_t *prog, size_t nprog, uint64_t *bits, uint64_t max_bits);

#endif
