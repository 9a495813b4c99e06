/*
 * screen.h - the terminal's other screen, for a view that refreshes.
 *
 * Whatever ends limpet, but SIGKILL, leaves the terminal as it was: Ctrl-C, kill, Ctrl-Z and back.
 * Within the walls: nothing but write(2), ioctl(TIOCGWINSZ) and signals of our own.
 */
#ifndef LIMPET_CLI_SCREEN_H
#define LIMPET_CLI_SCREEN_H

#include "base/str.h"
#include "report/watched.h"

struct screen {
	bool on; /* stdout is a terminal, and shows the other screen */
};

/* Nothing happens where stdout is no terminal. */
void screen_open(struct screen *s);
void screen_close(struct screen *s); /* idempotent */

struct text_size screen_size(void);
/* The frame takes the place of the one before, in one write. */
void screen_show(struct screen *s, const struct str *frame);

/* True at the end; false: interrupted, or the terminal has another size now. */
bool screen_wait(struct screen *s, uint64_t until_ns);

#endif
