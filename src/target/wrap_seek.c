/*
 * wrap_seek.c - zstd in the seekable format: frames on demand, a few kept.
 *
 * Source: zstd contrib/seekable_format/zstd_seekable_compression_format.md.  A frame has one place
 * in a direct-mapped cache, with a lock of its own: two threads wait for each other only there.
 * Cost: 24 bytes a frame, at most CACHE_BYTES of unpacked frames.
 */
#include "target/wrap_priv.h"

#include "base/bytes.h"

#include <pthread.h>
#include <zstd.h>

#define FOOTER_BYTES 9U
#define HEADER_BYTES 8U
#define FOOTER_MAGIC 0x8f92eab1U
#define TABLE_MAGIC  0x184d2a5eU /* a skippable frame */
#define MAX_FRAME    (64U << 20)
#define CACHE_BYTES  (256ULL << 20)
#define MAX_PLACES   64U
#define NO_FRAME     SIZE_MAX

struct frame {
	uint64_t at;	/* in the file */
	uint64_t start; /* of what is unpacked */
	uint32_t packed, bytes;
};

struct place {
	pthread_mutex_t lock;
	size_t frame; /* NO_FRAME: empty */
	size_t n;     /* bytes of it; 0 damaged */
	uint8_t *bytes;
	ZSTD_DCtx *d;
};

struct wrap_seek {
	int fd; /* borrowed */
	struct frame *frames;
	size_t nframes;
	uint64_t size;
	uint32_t largest, largest_packed;
	struct place *places;
	size_t nplaces;
};

static void seek_closep(struct wrap_seek **s)
{
	wrap_seek_close(*s);
}

void wrap_seek_close(struct wrap_seek *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nplaces; i++) {
		pthread_mutex_destroy(&s->places[i].lock);
		free(s->places[i].bytes);
		ZSTD_freeDCtx(s->places[i].d);
	}
	free(s->places);
	free(s->frames);
	free(s);
}

uint64_t wrap_seek_size(const struct wrap_seek *s)
{
	return s->size;
}

/* Entries of the table against the file: they must cover it exactly. */
static struct err *take_frames(struct bytes b, size_t entry_bytes, uint64_t table_at,
			       struct wrap_seek *s)
{
	uint64_t at = 0, start = 0;

	for (size_t i = 0; i < s->nframes; i++) {
		struct frame f = { .at = at, .start = start };

		f.packed = bytes_u32(&b);
		f.bytes = bytes_u32(&b);
		bytes_skip(&b, entry_bytes - 8);
		if (f.bytes > MAX_FRAME || f.packed > 2 * MAX_FRAME)
			return err_unsupported("frames too large to be kept");
		s->largest = MAX(s->largest, f.bytes);
		s->largest_packed = MAX(s->largest_packed, f.packed);
		at += f.packed;
		start += f.bytes;
		s->frames[i] = f;
	}
	if (b.bad || at != table_at)
		return err_unsupported("a table that does not fit the file");
	s->size = start;
	return NULL;
}

static struct err *read_table(struct wrap_seek *s, uint64_t file_bytes)
{
	_cleanup_(freep) uint8_t *table = NULL;
	uint8_t foot[FOOTER_BYTES], head[HEADER_BYTES];
	size_t n = 0, entry_bytes;
	uint64_t want;
	struct err *err;

	if (file_bytes < FOOTER_BYTES + HEADER_BYTES)
		return err_unsupported("too short");
	err = wrap_pread(s->fd, file_bytes - FOOTER_BYTES, foot, FOOTER_BYTES, &n);
	if (err)
		return err;
	if (n != FOOTER_BYTES || load_u32(foot + 5) != FOOTER_MAGIC)
		return err_unsupported("no table at the end");
	s->nframes = load_u32(foot);
	entry_bytes = foot[4] & 0x80 ? 12 : 8;
	want = (uint64_t)s->nframes * entry_bytes;
	if (!s->nframes || want > file_bytes - FOOTER_BYTES - HEADER_BYTES)
		return err_unsupported("a table larger than the file");
	uint64_t table_at = file_bytes - FOOTER_BYTES - want;

	table = malloc((size_t)want);
	s->frames = zalloc(s->nframes, sizeof(*s->frames));
	if (!table || !s->frames)
		return &err_nomem;
	err = wrap_pread(s->fd, table_at - HEADER_BYTES, head, HEADER_BYTES, &n);
	if (!err)
		err = wrap_pread(s->fd, table_at, table, (size_t)want, &n);
	if (err)
		return err;
	if (n != want || load_u32(head) != TABLE_MAGIC || load_u32(head + 4) != want + FOOTER_BYTES)
		return err_unsupported("no table before its end");
	return take_frames(bytes_of(table, (size_t)want), entry_bytes, table_at - HEADER_BYTES, s);
}

static struct err *make_places(struct wrap_seek *s)
{
	uint64_t n = CACHE_BYTES / MAX(s->largest, 1U);

	n = MIN(MAX(n, 2), MAX_PLACES);
	s->places = zalloc((size_t)n, sizeof(*s->places));
	if (!s->places)
		return &err_nomem;
	for (; s->nplaces < n; s->nplaces++) {
		s->places[s->nplaces].frame = NO_FRAME;
		pthread_mutex_init(&s->places[s->nplaces].lock, NULL);
	}
	return NULL;
}

struct err *wrap_seek_open(int fd, uint64_t file_bytes, struct wrap_seek **ret)
{
	_cleanup_(seek_closep) struct wrap_seek *s = zalloc(1, sizeof(*s));
	struct err *err;

	if (!s)
		return &err_nomem;
	s->fd = fd;
	err = read_table(s, file_bytes);
	if (!err)
		err = make_places(s);
	if (err)
		return err;
	*ret = STEAL(s);
	return NULL;
}

static size_t frame_at(const struct wrap_seek *s, uint64_t at)
{
	size_t lo = 0, hi = s->nframes;

	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->frames[mid].start <= at)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

/* With p's lock.  A frame that does not unpack to its size is damaged: no byte of it. */
static struct err *load(const struct wrap_seek *s, struct place *p, size_t i)
{
	const struct frame *f = &s->frames[i];
	_cleanup_(freep) uint8_t *packed = malloc(MAX(f->packed, 1U));
	size_t n = 0, got;
	struct err *err;

	p->frame = NO_FRAME;
	if (!p->bytes)
		p->bytes = malloc(MAX(s->largest, 1U));
	if (!p->d)
		p->d = ZSTD_createDCtx();
	if (!packed || !p->bytes || !p->d)
		return &err_nomem;
	err = wrap_pread(s->fd, f->at, packed, f->packed, &n);
	if (err)
		return err;
	got = ZSTD_decompressDCtx(p->d, p->bytes, s->largest, packed, n);
	p->n = ZSTD_isError(got) || got != f->bytes ? 0 : got;
	p->frame = i;
	return NULL;
}

static struct err *read_frame(struct wrap_seek *s, size_t i, uint64_t off, void *buf, size_t n,
			      size_t *ret)
{
	struct place *p = &s->places[i % s->nplaces];
	struct err *err = NULL;

	pthread_mutex_lock(&p->lock);
	if (p->frame != i)
		err = load(s, p, i);
	*ret = 0;
	if (!err && off < p->n) {
		*ret = MIN(n, p->n - (size_t)off);
		memcpy(buf, p->bytes + off, *ret);
	}
	pthread_mutex_unlock(&p->lock);
	return err;
}

struct err *wrap_seek_read(struct wrap_seek *s, uint64_t at, void *buf, size_t n, size_t *ret)
{
	size_t done = 0;

	n = at < s->size ? (size_t)MIN((uint64_t)n, s->size - at) : 0;
	for (size_t i = n ? frame_at(s, at) : 0; done < n && i < s->nframes; i++) {
		size_t got;
		struct err *err = read_frame(s, i, at + done - s->frames[i].start,
					     (char *)buf + done, n - done, &got);

		if (err)
			return err;
		if (!got && s->frames[i].bytes)
			break;
		done += got;
	}
	*ret = done;
	return NULL;
}
