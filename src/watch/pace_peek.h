/*
 * pace_peek.h - what a process is about to write, seen before it is written; private to watch/.
 */
#ifndef LIMPET_WATCH_PACE_PEEK_H
#define LIMPET_WATCH_PACE_PEEK_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The begin of what a thread of pid waits to write to fd (its number there): bytes in buf; 0: no
 * thread waits in such a write now.
 */
size_t peek_write(pid_t pid, int fd, char *buf, size_t n);

#endif
