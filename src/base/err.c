/*
 * err.c - making, prefixing and classifying errors.
 *
 * Knows nothing of rooms.  A message is one line; what came from a target and
 * clean.h does not let through is replaced, so that no error can drive a terminal.
 */
#include "base/err.h"

#include "base/clean.h"

#include <stdarg.h>
#include <stdio.h>

struct err err_nomem = { .code = ERR_NOMEM, .msg = "out of memory" };

static struct err *err_make(enum err_code code, int os_errno, taddr addr)
{
	struct err *e = malloc(sizeof(*e));

	if (!e)
		return &err_nomem;
	*e = (struct err){ .code = code, .os_errno = os_errno, .addr = addr };
	return e;
}

struct err *err_new(enum err_code code, const char *fmt, ...)
{
	struct err *e = err_make(code, 0, 0);
	va_list ap;

	if (e == &err_nomem)
		return e;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	clean_in_place(e->msg);
	return e;
}

struct err *err_os(int os_errno, const char *fmt, ...)
{
	struct err *e = err_make(ERR_OS, os_errno, 0);
	char where[300];
	va_list ap;

	if (e == &err_nomem)
		return e;
	va_start(ap, fmt);
	vsnprintf(where, sizeof(where), fmt, ap);
	va_end(ap);
	snprintf(e->msg, sizeof(e->msg), "%s: %s", where, strerror(os_errno));
	clean_in_place(e->msg);
	return e;
}

struct err *err_fault(taddr addr)
{
	struct err *e = err_make(ERR_FAULT, 0, addr);

	if (e != &err_nomem)
		snprintf(e->msg, sizeof(e->msg), "unreadable address " TADDR_FMT, addr);
	return e;
}

struct err *err_prefix(struct err *e, const char *fmt, ...)
{
	char where[160];
	char old[sizeof(e->msg)];
	va_list ap;

	if (!e || e == &err_nomem)
		return e;
	va_start(ap, fmt);
	vsnprintf(where, sizeof(where), fmt, ap);
	va_end(ap);
	memcpy(old, e->msg, sizeof(old));
	snprintf(e->msg, sizeof(e->msg), "%s: %.300s", where, old);
	clean_in_place(e->msg);
	return e;
}

bool err_catch(struct err **e, enum err_code code)
{
	if (!*e || (*e)->code != code)
		return false;
	err_free(*e);
	*e = NULL;
	return true;
}

void err_free(struct err *e)
{
	if (e != &err_nomem)
		free(e);
}

int err_exit_code(const struct err *e)
{
	if (!e)
		return 0;
	switch (e->code) {
	case ERR_USAGE:
		return 2;
	case ERR_OS:
	case ERR_GONE:
	case ERR_DENIED:
		return 3;
	case ERR_FAULT:
	case ERR_BAD_DATA:
	case ERR_UNSUPPORTED:
		return 4;
	case ERR_NOMEM:
	case ERR_LIMIT:
		return 5;
	}
	return 70;
}
