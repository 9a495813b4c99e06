/*
 * clean.h - which bytes of somebody else's text may reach a terminal, a log or a text file.
 *
 * Not: control characters (C0, DEL, C1 also as UTF-8), marks that turn the direction of text
 * around or are not seen, and what is no valid UTF-8.
 */
#ifndef LIMPET_BASE_CLEAN_H
#define LIMPET_BASE_CLEAN_H

#include <stddef.h>

/* Bytes of the character at s, of which there are n > 0; 0: its first byte must not be shown. */
size_t clean_char(const char *s, size_t n);
/* '?' for each byte that must not be shown; what a cut left of a character, too. */
void clean_in_place(char *s);

#endif
