/*
 * cmds.h - the commands' functions, one a file, listed in commands.c.
 */
#ifndef LIMPET_CLI_CMDS_H
#define LIMPET_CLI_CMDS_H

#include "cli/args.h"

struct err *cmd_report(const struct args *a, int *status) MUST_CHECK;
struct err *cmd_top(const struct args *a, int *status) MUST_CHECK;
struct err *cmd_why(const struct args *a, int *status) MUST_CHECK;
struct err *cmd_object(const struct args *a, int *status) MUST_CHECK;
struct err *cmd_tree(const struct args *a, int *status) MUST_CHECK;
struct err *cmd_gc(const struct args *a, int *status) MUST_CHECK;
struct err *cmd_goroutines(const struct args *a, int *status) MUST_CHECK;
struct err *cmd_audit(const struct args *a, int *status) MUST_CHECK;
struct err *cmd_profile(const struct args *a, int *status) MUST_CHECK;
struct err *cmd_locks(const struct args *a, int *status) MUST_CHECK;
struct err *cmd_memory(const struct args *a, int *status) MUST_CHECK;
struct err *cmd_verify(const struct args *a, int *status) MUST_CHECK;
struct err *cmd_snapshot(const struct args *a, int *status) MUST_CHECK;
struct err *cmd_core_handler(const struct args *a, int *status) MUST_CHECK;
struct err *cmd_pop(const struct args *a, int *status) MUST_CHECK;
struct err *cmd_layout(const struct args *a, int *status) MUST_CHECK;
struct err *cmd_check(const struct args *a, int *status) MUST_CHECK;
/* What is asked of profiles was asked of something else. */
struct err *cmd_of_profiles(const struct args *a, int *status) MUST_CHECK;
struct err *cmd_diff(const struct args *a, int *status) MUST_CHECK;
struct err *cmd_doctor(const struct args *a, int *status) MUST_CHECK;

#endif
