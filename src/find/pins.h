/*
 * pins.h - small views that keep big buffers alive: of strings, of slices.
 */
#ifndef LIMPET_FIND_PINS_H
#define LIMPET_FIND_PINS_H

#include "find/content.h"

enum pin_kind { PIN_SUBSTRING, PIN_SUBSLICE };

/* Say all pins of that kind; f->running is the detector. */
struct err *pins_run(struct find *f, enum pin_kind kind) MUST_CHECK;

/*
 * Bytes of [0, size) that the views at v[0 .. n) show, up to their len; views out of it are cut
 * off.  Sorts by place.
 */
uint64_t pins_visible(struct look_view *v, size_t n, taddr base, uint64_t size);

#endif
