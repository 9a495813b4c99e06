/*
 * err.h - bad news that stops an answer.
 *
 * Three kinds of bad news, never mixed: an *error* (struct err *, stop and hand
 * up), a *loss* (counted in the snapshot, shown), a *bug* (assert).
 * NULL is good.  Out-parameters are last, named ret, and untouched on failure.
 * An err is owned by who receives it: err_free(), err_catch() or hand it up.
 */
#ifndef LIMPET_BASE_ERR_H
#define LIMPET_BASE_ERR_H

#include "base/addr.h"
#include "base/mem.h"

enum err_code {
	ERR_NOMEM,
	ERR_OS,		 /* errno + path; exit 3 */
	ERR_FAULT,	 /* an address that cannot be read; err->addr */
	ERR_GONE,	 /* the process exited; exit 3 */
	ERR_DENIED,	 /* permission; exit 3 */
	ERR_BAD_DATA,	 /* not what it should be; exit 4 */
	ERR_UNSUPPORTED, /* not Go, unknown version, unknown kind; exit 4 */
	ERR_USAGE,	 /* exit 2 */
	ERR_LIMIT,	 /* a limit that was set; exit 5 */
};

struct err {
	enum err_code code;
	int os_errno; /* ERR_OS, else 0 */
	taddr addr;   /* ERR_FAULT: first unreadable byte, else 0 */
	char msg[480];
};

/* Static, never freed: failing for want of memory allocates nothing. */
extern struct err err_nomem;

struct err *err_new(enum err_code code, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_CHECK;
struct err *err_os(int os_errno, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_CHECK;
struct err *err_fault(taddr addr) MUST_CHECK;
#define err_bad_data(...) err_new(ERR_BAD_DATA, __VA_ARGS__)
#define err_unsupported(...) err_new(ERR_UNSUPPORTED, __VA_ARGS__)
#define err_usage(...) err_new(ERR_USAGE, __VA_ARGS__)

/* "where: " before the message; returns e (NULL stays NULL). */
struct err *err_prefix(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_CHECK;

/* If *e is of that code, free it, set *e = NULL and return true. */
bool err_catch(struct err **e, enum err_code code);

void err_free(struct err *e); /* NULL and err_nomem allowed */

static inline void err_freep(struct err **e)
{
	err_free(*e);
}

/* Exit code of the contract (section 3). */
int err_exit_code(const struct err *e);

#endif
