/*
 * interrupt.h - Ctrl-C and kill: the twin is dropped before limpet goes.
 *
 * The first signal sets a flag that is looked at between stages; a second one ends
 * limpet at once (the twin then dies with its tracer).
 */
#ifndef LIMPET_CLI_INTERRUPT_H
#define LIMPET_CLI_INTERRUPT_H

#include "base/err.h"

void interrupt_install(void);
/* ERR_LIMIT "interrupted" once a signal came. */
struct err *interrupt_check(void) MUST_CHECK;
/* Sleep, woken by a signal. */
void interrupt_sleep(uint64_t ns);
/* If one came: end by it, as the shell expects. */
void interrupt_pass_on(void);

#endif
