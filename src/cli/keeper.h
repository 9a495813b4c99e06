/*
 * keeper.h - the folder where what died is kept, within limits.
 *
 * A death is a stem, "crash-UNIXTIME-NAME-PID", and the files that begin with it.  Only such files,
 * regular ones of our own user, are counted and deleted, the oldest deaths first; nothing else in
 * the folder is touched.  The folder is ours (mode 0700 when made), files are 0600.
 */
#ifndef LIMPET_CLI_KEEPER_H
#define LIMPET_CLI_KEEPER_H

#include "base/err.h"

#include <sys/types.h>

#define KEEPER_STEM_BYTES 96

struct keeper_limits {
	const char *dir;
	uint64_t keep;	    /* deaths */
	uint64_t max_total; /* bytes of all of them */
	uint64_t min_free;  /* bytes that stay free on that file system */
};

struct keeper {
	const struct keeper_limits *limits; /* borrowed */
	int fd;				    /* the folder; -1: none */
	uint64_t allowance;		    /* bytes that may be written now */
	unsigned ndeleted;
};

/*
 * Make and open the folder, wait for other handlers until the deadline (clock_ns), make room for
 * one more death: at most half of max_total stays.  Errors: ERR_OS, ERR_DENIED (not ours alone),
 * ERR_LIMIT (busy until the deadline, disk too full).
 */
struct err *keeper_open(const struct keeper_limits *l, uint64_t deadline,
			struct keeper *ret) MUST_CHECK;
void keeper_close(struct keeper *k);

/* What a death is called; name comes from the program and may be anything. */
void keeper_stem(char ret[static KEEPER_STEM_BYTES], uint64_t unix_s, const char *name, pid_t pid);

/* A file in the folder without a name yet, mode 0600; and its name. */
struct err *keeper_file(const struct keeper *k, int *ret_fd) MUST_CHECK;
struct err *keeper_link(const struct keeper *k, int fd, const char *name) MUST_CHECK;

#endif
