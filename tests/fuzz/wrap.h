/*
 * wrap.h - allocations of limpet's own code counted, and the Nth one refused.
 *
 * Linked with -Wl,--wrap=malloc and so on: only calls from our objects pass here, not those
 * inside libraries.
 */
#ifndef LIMPET_TESTS_FUZZ_WRAP_H
#define LIMPET_TESTS_FUZZ_WRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wrap_mode { WRAP_NONE, WRAP_NTH, WRAP_FROM_NTH, WRAP_THREADS };

/* From now on: refuse call number n (from 1), or all from it on, or all threads. */
void wrap_begin(uint64_t n, enum wrap_mode mode);
void wrap_end(void);
uint64_t wrap_calls(void); /* since wrap_begin */
bool wrap_refused(void);   /* one was */
size_t wrap_mapped(void);  /* bytes mapped and not unmapped since wrap_begin */
bool wrap_leaks(void);	   /* what the leak sanitizer says, if it is there */

#endif
