/*
 * str.h - text that grows.
 *
 * A struct str is owned by its holder (str_deinit).  Running out of memory sets
 * bad and later appends do nothing; check once with str_ok().
 * str_put_clean() is for bytes that came from a target: what clean.h does not let
 * through becomes \xNN, so that no output can drive a terminal.
 */
#ifndef LIMPET_BASE_STR_H
#define LIMPET_BASE_STR_H

#include "base/mem.h"

#include <stdarg.h>
#include <stdbool.h>

struct str {
	char *s; /* NUL-terminated when not NULL */
	size_t n;
	size_t cap;
	bool bad;
};

void str_deinit(struct str *s);
void str_put(struct str *s, const char *text);
void str_putn(struct str *s, const char *text, size_t n);
void str_put_clean(struct str *s, const char *text, size_t n);
void str_printf(struct str *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
void str_vprintf(struct str *s, const char *fmt, va_list ap);

static inline bool str_ok(const struct str *s)
{
	return !s->bad && s->s;
}

/* Give the text away (caller frees with free()); NULL when memory was short. */
char *str_steal(struct str *s);

/* Human size: "512 B", "1.5 KiB", "3.2 GiB"; buf of at least 16 bytes is returned. */
char *str_bytes(char buf[static 16], uint64_t nbytes);

#endif
