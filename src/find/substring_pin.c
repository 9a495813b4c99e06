/*
 * substring_pin.c - short strings cut from long ones, which they keep alive: pins.c.
 */
#include "find/pins.h"
#include "find/priv.h"

static struct err *run(struct find *f)
{
	return pins_run(f, PIN_SUBSTRING);
}

const struct detector detect_substring_pin = {
	.name = "substring-pin",
	.about = "short strings that keep long ones alive",
	.needs = FIND_NEEDS_RUNTIME,
	.run = run,
};
