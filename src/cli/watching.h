/*
 * watching.h - `memory --watch`, `top --watch`: a view that refreshes until Ctrl-C, --count or the
 * program's end.
 */
#ifndef LIMPET_CLI_WATCHING_H
#define LIMPET_CLI_WATCHING_H

#include "cli/args.h"

enum watching { WATCHING_MEMORY, WATCHING_TOP };
struct err *watching(const struct args *a, enum watching what) MUST_CHECK;

#endif
