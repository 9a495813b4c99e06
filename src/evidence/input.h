/*
 * input.h - a file of evidence as a stream of bytes, unpacked on the way (gzip, zstd, also one in
 * the other: people pack what is packed).
 *
 * Hostile bytes: nothing that a header says about sizes is believed; at most INPUT_WRAPS layers.
 * What is cut short or damaged is used as far as it goes: input_damage() says so afterwards.
 * Memory: two buffers a layer.
 */
#ifndef LIMPET_EVIDENCE_INPUT_H
#define LIMPET_EVIDENCE_INPUT_H

#include "base/err.h"

enum { INPUT_WRAPS = 3 };

struct input;

/* fd: of base/files.h, ours now (also on error), read from its beginning; name: for messages,
 * copied. */
struct err *input_open(int fd, const char *name, struct input **ret) MUST_CHECK;
/* Of the file with that name: file_open(). */
struct err *input_file(const char *path, const char *name, struct input **ret) MUST_CHECK;
/* Bytes that lie in memory, borrowed: for tests and for what was read already. */
struct err *input_bytes(const void *p, size_t n, const char *name, struct input **ret) MUST_CHECK;
void input_close(struct input *in); /* NULL allowed */
static inline void input_closep(struct input **in)
{
	input_close(*in);
}

/* At most n bytes; *ret_got 0: the end, or the place from which on nothing can be unpacked. */
struct err *input_read(struct input *in, void *buf, size_t n, size_t *ret_got) MUST_CHECK;
/* What lies ready, at least a byte unless it is the end; not taken.  Borrowed until the next call.
 */
struct err *input_peek(struct input *in, const uint8_t **ret, size_t *ret_n) MUST_CHECK;
/* A line without its "\n", borrowed until the next call; NULL: the end.  Longer than max: cut
 * there. */
struct err *input_line(struct input *in, size_t max, const char **ret, size_t *ret_n) MUST_CHECK;
/* The last line that was given had its "\n": without, it may be part of one. */
bool input_line_ended(const struct input *in);

const char *input_name(const struct input *in);
uint64_t input_offset(const struct input *in); /* of the next byte, unpacked */
/* Why there is not more: static text, NULL when it is whole. */
const char *input_damage(const struct input *in);

#endif
