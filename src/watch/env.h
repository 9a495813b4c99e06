/*
 * env.h - an environment to start a program with: ours, with some variables more.
 */
#ifndef LIMPET_WATCH_ENV_H
#define LIMPET_WATCH_ENV_H

#include "base/err.h"

struct env {
	VEC(char *) v; /* owned; NULL-ended while it is not empty */
};

struct err *env_create(struct env *ret) MUST_CHECK; /* ours */
/* "NAME=value", instead of what was there. */
struct err *env_set(struct env *e, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_CHECK;
/* A setting more for a comma-separated variable; what the user has set for it stays. */
struct err *env_add(struct env *e, const char *name, const char *key, const char *value) MUST_CHECK;
/* LIMPET_PORT: the first, LIMPET_PORTS: all of them. */
struct err *env_ports(struct env *e, const uint16_t *ports, size_t n) MUST_CHECK;
const char *env_of(const struct env *e, const char *name); /* NULL: not set */
void env_deinit(struct env *e);

#endif
