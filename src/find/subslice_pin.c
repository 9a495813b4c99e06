/*
 * subslice_pin.c - small slices of big arrays, which they keep alive: pins.c.
 */
#include "find/pins.h"
#include "find/priv.h"

static struct err *run(struct find *f)
{
	return pins_run(f, PIN_SUBSLICE);
}

const struct detector detect_subslice_pin = {
	.name = "subslice-pin",
	.about = "small slices that keep big arrays alive",
	.needs = FIND_NEEDS_RUNTIME,
	.run = run,
};
