/*
 * pulse_priv.h - between pulse.c (reads) and pulse_apart.c (has it done by another process).
 */
#ifndef LIMPET_WATCH_PULSE_PRIV_H
#define LIMPET_WATCH_PULSE_PRIV_H

#include "goruntime/beat.h"
#include "target/broker.h"
#include "watch/nudge_point.h"
#include "watch/pulse.h"

struct pulse_here; /* reads in this process */
struct err *pulse_here_open(struct broker *b, const char *layout_file,
			    struct pulse_here **ret) MUST_CHECK;
struct err *pulse_here_read(struct pulse_here *x, struct pulse *ret) MUST_CHECK;
const struct go *pulse_here_go(const struct pulse_here *x);
void pulse_here_close(struct pulse_here *x); /* NULL allowed */

/* Errors: as pulse_read(). */
struct err *pulse_point(struct pulse_reader *x, struct nudge_point *ret) MUST_CHECK;

struct pulse_apart; /* asks another process */
struct err *pulse_apart_open(pid_t pid, struct pulse_apart **ret) MUST_CHECK;
struct err *pulse_apart_read(struct pulse_apart *x, struct pulse *ret) MUST_CHECK;
struct err *pulse_apart_point(struct pulse_apart *x, struct nudge_point *ret) MUST_CHECK;
void pulse_apart_close(struct pulse_apart *x); /* NULL allowed */

#endif
