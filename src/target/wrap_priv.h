/*
 * wrap_priv.h - between wrap.c and its two ways of unpacking; nobody else includes it.
 */
#ifndef LIMPET_TARGET_WRAP_PRIV_H
#define LIMPET_TARGET_WRAP_PRIV_H

#include "target/wrap.h"

struct wrap_seek;
struct wrap_mem;

struct wrap_file {
	int fd;	       /* the file */
	int data_fd;   /* what is read: fd itself or the temporary file; not owned */
	int temp_fd;   /* -1: none */
	uint64_t size; /* of what is read */
	const char *damage;
	struct wrap_seek *seek; /* NULL: data_fd holds the bytes as they are */
	struct wrap_mem *mem;	/* NULL, or: data_fd holds the head only */
};

/* A copy of what is packed in fd, in a file without a name. */
struct err *wrap_unpack(int fd, enum wrap w, const char *path, uint64_t max_bytes, int *ret_fd,
			uint64_t *ret_size, const char **ret_damage) MUST_CHECK;

/* ERR_UNSUPPORTED: not in the seekable format, or with frames too large to keep. */
struct err *wrap_seek_open(int fd, uint64_t file_bytes, struct wrap_seek **ret) MUST_CHECK;
void wrap_seek_close(struct wrap_seek *s); /* NULL allowed */
uint64_t wrap_seek_size(const struct wrap_seek *s);
struct err *wrap_seek_read(struct wrap_seek *s, uint64_t at, void *buf, size_t n,
			   size_t *ret) MUST_CHECK;

/* The head of a core in head_fd, its memory where wrap_open_given() was told. */
struct err *wrap_mem_read(const struct wrap_mem *m, int head_fd, uint64_t at, void *buf, size_t n,
			  size_t *ret) MUST_CHECK;
void wrap_mem_close(struct wrap_mem *m); /* NULL allowed */

/* pread until n bytes, the end, or an error. */
struct err *wrap_pread(int fd, uint64_t at, void *buf, size_t n, size_t *ret) MUST_CHECK;

#endif
