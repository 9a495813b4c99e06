/*
 * config.h - limpet.conf: known findings, owners' rules, limits.
 *
 * One file: that which LIMPET_CONF names, else /etc/limpet.conf.  Never one of the folder that
 * limpet happens to be started in: who can write there is not who runs it.  It is read before the
 * walls are raised, and only if nobody else can have written it.
 */
#ifndef LIMPET_CLI_CONFIG_H
#define LIMPET_CLI_CONFIG_H

#include "cli/args.h"
#include "report/known.h"
#include "report/owner.h"

struct config {
	const char *path; /* NULL: there is none */
	char *text;
	size_t n;
};

/* Errors: ERR_OS (LIMPET_CONF names no file), ERR_USAGE (others may write it; a wrong line). */
struct err *config_read(struct config *ret) MUST_CHECK;
void config_deinit(struct config *c);

/* Limits that were not given as options. */
struct err *config_limits(const struct config *c, struct args *a) MUST_CHECK;
struct err *config_owners(const struct config *c, struct owner_rules *r) MUST_CHECK;
struct err *config_known(const struct config *c, struct known *k) MUST_CHECK;
/* The same of a file of --known.  Errors: ERR_OS, ERR_USAGE (a line that is none of limpet.conf). */
struct err *config_known_file(const char *path, struct known *k) MUST_CHECK;

#endif
