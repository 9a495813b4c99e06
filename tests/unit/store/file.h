/*
 * file.h - bytes as an open file that has no name.
 */
#ifndef LIMPET_TEST_STORE_FILE_H
#define LIMPET_TEST_STORE_FILE_H

#include "store/store.h"

#include <sys/mman.h>
#include <unistd.h>

static inline int file_of(const void *bytes, size_t n)
{
	int fd = memfd_create("store", 0);

	if (fd >= 0 && write(fd, bytes, n) != (ssize_t)n) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* What is written becomes a file, and is opened; w is closed. */
static inline struct err *file_again(struct store *w, struct store **ret)
{
	const void *bytes;
	uint64_t n;
	struct err *err = store_bytes(w, &bytes, &n);

	if (!err)
		err = store_open(file_of(bytes, n), "again", ret);
	store_close(w);
	return err;
}

#endif
