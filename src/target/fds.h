/*
 * fds.h - open descriptors of a process as the kernel keeps them; private to target/.
 *
 * Two halves, as with all facts: fds_slurp() needs rights and copies text, fds_parse() needs none
 * and believes nothing.  The text is a row of NUL-ended strings: number, link and fdinfo (one of
 * a directory says so first) of each descriptor, then name and content of each table of /proc/PID/net.
 */
#ifndef LIMPET_TARGET_FDS_H
#define LIMPET_TARGET_FDS_H

#include "target/target.h"

/* Errors: ERR_NOMEM; what cannot be read is left out.  *ret_n 0: no descriptor can be seen. */
struct err *fds_slurp(pid_t pid, char **ret, size_t *ret_n) MUST_CHECK;

/* n bytes of text, which is cut up in place: links and names point into it; text[n] is 0. */
struct err *fds_parse(char *text, size_t n, struct target_fd **ret, size_t *ret_n) MUST_CHECK;

#endif
