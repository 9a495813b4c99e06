/*
 * evid_draw.h - answers about a profile that are no table of functions.
 */
#ifndef LIMPET_CLI_EVID_DRAW_H
#define LIMPET_CLI_EVID_DRAW_H

#include "cli/args.h"

/* --format and --html, where they are given; *ret_done: that was all that was asked for. */
struct err *evid_profile_draw(const struct args *a, bool *ret_done) MUST_CHECK;
/* `top --by label` and label:KEY. */
struct err *evid_profile_labels(const struct args *a) MUST_CHECK;
/* `top --sort ratio`. */
struct err *evid_profile_ratios(const struct args *a) MUST_CHECK;

#endif
