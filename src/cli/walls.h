/*
 * walls.h - before a byte of a target is read: the rights to the broker, walls around us.
 *
 * For every command that is not marked free: a broker is forked that knows what the command line
 * named, then this process gives up the rest (base/confine.h).
 */
#ifndef LIMPET_CLI_WALLS_H
#define LIMPET_CLI_WALLS_H

#include "cli/args.h"
#include "target/broker.h"

/* Before there are threads.  A target named by name becomes one by pid. */
struct err *walls_raise(struct args *a) MUST_CHECK;
void walls_end(struct args *a);

/* How a live target is looked at. */
struct target_opts walls_look(const struct args *a);

#endif
