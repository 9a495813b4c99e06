/*
 * dump_file.c - the bytes of a heap dump, a window at a time, and what is kept of them.
 *
 * Read by pread, as cores are (wrap.c): a file that is cut while it is read is a short read, not
 * SIGBUS, and memory does not grow with the file.  A window grows to the longest record: there
 * are objects of up to 2 GiB.  Knows nothing of records.
 */
#include "target/dump_read.h"

#include "target/wrap.h"

#define WINDOW_MAX (2ULL << 30) /* longer objects break the format: runtime/heapdump.go */
/* All that windows may read of a file: records that claim much, one behind the other, are a lie. */
#define READ_PER_FILE_BYTE 8U
#define READ_SLACK	   (1ULL << 30)

struct dump_block {
	struct dump_block *next;
	uint8_t bytes[];
};

void dump_window_free(struct dump_window *w)
{
	bigfree(w->buf, w->cap, 1);
	*w = (struct dump_window){ 0 };
}

static size_t read_at(const struct dump *d, uint64_t at, uint8_t *buf, size_t n)
{
	size_t got = 0;
	struct err *err = NULL;

	if (!n)
		return 0; /* of no buffer */
	if (d->file) {
		memcpy(buf, d->file + at, n);
		return n;
	}
	err = wrap_read(d->wrap, at, buf, n, &got);
	if (err) { /* of a bad disk: as if the file ended here */
		err_free(err);
		got = 0;
	}
	return got;
}

static bool room_for(struct dump_window *w, uint64_t n)
{
	uint8_t *buf;

	if (n <= w->cap)
		return true;
	buf = bigalloc((size_t)n, 1);
	if (!buf)
		return false;
	bigfree(w->buf, w->cap, 1);
	w->buf = buf;
	w->cap = (size_t)n;
	return true;
}

struct bytes dump_bytes(const struct dump *d, struct dump_window *w, uint64_t at, uint64_t want)
{
	uint64_t rest = at < d->nfile ? d->nfile - at : 0;

	want = MIN(want, rest);
	if (w->buf && at >= w->at && at - w->at <= w->n && w->n - (at - w->at) >= want)
		return bytes_of(w->buf + (at - w->at), w->n - (size_t)(at - w->at));
	want = MIN(MAX(want, w->least_bytes), rest);
	w->at = at;
	w->n = 0;
	if (!room_for(w, want)) {
		w->nomem = true;
		return bytes_of(w->buf, 0);
	}
	w->n = read_at(d, at, w->buf, (size_t)want);
	w->nread += w->n;
	return bytes_of(w->buf, w->n);
}

bool dump_decode_at(const struct dump *d, struct dump_window *w, uint64_t at, struct dump_rec *ret,
		    uint64_t *ret_next)
{
	uint64_t want = 1;

	for (;;) {
		struct bytes b = dump_bytes(d, w, at, want);
		const uint8_t *from = b.p;
		uint64_t have = bytes_left(&b), rest = d->nfile - MIN(at, d->nfile);

		if (dump_decode(&b, UINT64_MAX, ret)) {
			*ret_next = at + (uint64_t)(b.p - from);
			return true;
		}
		if (have < want || have >= rest || !ret->need || ret->need > rest)
			return false;
		want = MIN(MAX(ret->need, have * 2), rest);
		if (want > WINDOW_MAX || w->nread > READ_PER_FILE_BYTE * d->nfile + READ_SLACK)
			return false;
	}
}

const uint8_t *dump_keep(struct dump *d, const uint8_t *p, uint64_t n)
{
	struct dump_block *b = malloc(sizeof(*b) + (size_t)n);

	if (!b)
		return NULL;
	memcpy(b->bytes, p, (size_t)n);
	b->next = d->kept;
	d->kept = b;
	d->kept_bytes += sizeof(*b) + n;
	return b->bytes;
}

void dump_drop_kept(struct dump *d)
{
	while (d->kept) {
		struct dump_block *b = d->kept;

		d->kept = b->next;
		free(b);
	}
}
