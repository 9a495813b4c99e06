/*
 * tree.h - which processes descend from one, and which of them is the Go program.
 *
 * By /proc, from outside: what ends meanwhile is simply not there.
 */
#ifndef LIMPET_WATCH_TREE_H
#define LIMPET_WATCH_TREE_H

#include "base/err.h"

#include <sys/types.h>

typedef VEC(pid_t) pid_list;

/* All that descend from root, living ones (no zombies), without it.  Errors: OS, NOMEM. */
struct err *tree_below(pid_t root, pid_list *ret) MUST_CHECK;

/*
 * The Go program among them: not Go's own tools (go run), nor copies by fork of another of them
 * that runs the same executable.  name: base name of its executable, NULL: any.
 * *ret 0: there is none (yet).  Errors: USAGE (several), OS, NOMEM.
 */
struct err *tree_go(pid_t root, const char *name, pid_t *ret) MUST_CHECK;

/* Ports on which any of v listens (TCP), in the order of the kernel; at most max. */
size_t tree_ports(const pid_list *v, uint16_t *ret, size_t max);

#endif
