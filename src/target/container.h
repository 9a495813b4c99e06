/*
 * container.h - which container, pod or unit a process is in, by the names of its cgroup.
 *
 * Nobody else knows on every machine: no runtime is asked.  A name is what whoever made the cgroup
 * chose, so it is a hint for people and never a right.
 */
#ifndef LIMPET_TARGET_CONTAINER_H
#define LIMPET_TARGET_CONTAINER_H

#include "target/target.h"

/* Text of /proc/PID/cgroup, v1 and v2; total: nothing known is "" everywhere. */
void container_parse(const char *text, struct target_place *ret);

/* The same of a process, with its own number of itself; what cannot be read is unknown. */
void container_find(pid_t pid, struct target_place *ret);

/* " in container 4f66ad9a0b2e (docker)", " of shop.service"; "" when nothing is known. */
#define CONTAINER_WORDS 160
const char *container_words(const struct target_place *p, char buf[static CONTAINER_WORDS]);

/*
 * Of a number that no process has here: who has it in a pid namespace of its own, as the end of a
 * sentence; "" nobody.  One small file a process.
 */
#define CONTAINER_INNER 300
const char *container_inner(pid_t ns_pid, char buf[static CONTAINER_INNER]);

/* Is hint its id, its pod's uid, or how one of the two begins (4 characters at least), or its unit?
 */
bool container_is(const struct target_place *p, const char *hint);

#endif
