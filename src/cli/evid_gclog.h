/*
 * evid_gclog.h - answers of GC logs.
 */
#ifndef LIMPET_CLI_EVID_GCLOG_H
#define LIMPET_CLI_EVID_GCLOG_H

#include "cli/args.h"

struct err *evid_gclog(const struct args *a, int *status) MUST_CHECK;

#endif
