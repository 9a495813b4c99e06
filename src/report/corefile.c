/*
 * corefile.c - an ELF core into a file: plain with holes, through a pipe, or as zstd frames.
 *
 * Knows nothing of what is in it.  Pieces of some MiB are made by several threads at once; into
 * a regular file each thread writes its own, everything else is put in order.
 */
#include "report/corefile.h"

#include "base/par.h"
#include "report/coreplan.h"
#include "report/outfile.h"
#include "report/seekzstd.h"
#include "target/corenote.h"

#include <stdatomic.h>

#define PIECE_BYTES SEEKZSTD_FRAME_BYTES
#define HOLE_BYTES  CORE_PAGE

struct writer {
	const struct corefile_opts *o;
	struct core_image *image;
	struct outfile *out;
	uint64_t total; /* bytes of the image */
	_Atomic uint64_t done;
	/* one batch, put in order */
	uint64_t base; /* its first piece */
	struct slot {
		uint8_t *raw, *packed;
		size_t n, cap, npacked;
	} * slots;
	seekzstd_table table;
};

static size_t piece_bytes(const struct writer *w, uint64_t piece)
{
	return (size_t)MIN((uint64_t)PIECE_BYTES, w->total - piece * PIECE_BYTES);
}

static struct err *tick(struct writer *w, uint64_t nbytes)
{
	uint64_t done = atomic_fetch_add(&w->done, nbytes) + nbytes;

	return w->o->tick ? w->o->tick(w->o->arg, done, w->total) : NULL;
}

static bool is_zero(const uint8_t *p, size_t n)
{
	return !*p && !memcmp(p, p + 1, n - 1);
}

/* What is zero stays a hole. */
static struct err *put_sparse(struct writer *w, uint64_t off, const uint8_t *buf, size_t n)
{
	struct err *err = NULL;

	for (size_t i = 0, k; i < n && !err; i += k) {
		bool zero = is_zero(buf + i, HOLE_BYTES);

		k = HOLE_BYTES;
		while (i + k < n && is_zero(buf + i + k, HOLE_BYTES) == zero)
			k += HOLE_BYTES;
		if (!zero)
			err = outfile_put_at(w->out, off + i, buf + i, k);
	}
	return err;
}

static struct err *sparse_some(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct writer *w = arg;
	_cleanup_(freep) uint8_t *buf = malloc(PIECE_BYTES);
	struct err *err = buf ? NULL : &err_nomem;

	(void)worker;
	for (uint64_t i = lo; i < hi && !err; i++) {
		size_t n = piece_bytes(w, i);

		err = core_image_read(w->image, i * PIECE_BYTES, buf, n);
		if (!err)
			err = put_sparse(w, i * PIECE_BYTES, buf, n);
		if (!err)
			err = tick(w, n);
	}
	return err;
}

static struct err *write_sparse(struct writer *w, size_t npieces)
{
	return par_for(w->o->nthreads, npieces, 4, sparse_some, w);
}

static struct err *fill_slot(struct writer *w, struct slot *s, uint64_t piece)
{
	struct err *err;

	if (!s->raw)
		s->raw = malloc(PIECE_BYTES);
	if (!s->packed && w->o->pack == CORE_ZSTD) {
		s->cap = seekzstd_bound(PIECE_BYTES);
		s->packed = malloc(s->cap);
	}
	if (!s->raw || (!s->packed && w->o->pack == CORE_ZSTD))
		return &err_nomem;
	s->n = piece_bytes(w, piece);
	err = core_image_read(w->image, piece * PIECE_BYTES, s->raw, s->n);
	if (!err && w->o->pack == CORE_ZSTD)
		err = seekzstd_pack(s->raw, s->n, s->packed, s->cap, &s->npacked);
	return err ? err : tick(w, s->n);
}

static struct err *fill_some(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct writer *w = arg;
	struct err *err = NULL;

	(void)worker;
	for (size_t i = lo; i < hi && !err; i++)
		err = fill_slot(w, &w->slots[i], w->base + i);
	return err;
}

static struct err *put_slot(struct writer *w, const struct slot *s)
{
	struct seekzstd_entry e = { (uint32_t)s->npacked, (uint32_t)s->n };

	if (w->o->pack != CORE_ZSTD)
		return outfile_put(w->out, s->raw, s->n);
	if (!vec_push(&w->table, e))
		return &err_nomem;
	return outfile_put(w->out, s->packed, s->npacked);
}

static struct err *write_ordered(struct writer *w, size_t npieces)
{
	unsigned width = MAX(w->o->nthreads, 1U);
	_cleanup_(freep) void *table = NULL;
	struct err *err = NULL;
	size_t n = 0;

	w->slots = zalloc(width, sizeof(*w->slots));
	if (!w->slots)
		return &err_nomem;
	for (w->base = 0; w->base < npieces && !err; w->base += width) {
		size_t k = (size_t)MIN((uint64_t)width, npieces - w->base);

		err = par_for(width, k, 1, fill_some, w);
		for (size_t i = 0; i < k && !err; i++)
			err = put_slot(w, &w->slots[i]);
	}
	if (!err && w->o->pack == CORE_ZSTD)
		err = seekzstd_table_bytes(&w->table, &table, &n);
	if (!err && table)
		err = outfile_put(w->out, table, n);
	for (unsigned i = 0; i < width; i++) {
		free(w->slots[i].raw);
		free(w->slots[i].packed);
	}
	free(w->slots);
	return err;
}

/* How much room the file will need at least: exact but for holes, a guess for zstd. */
static uint64_t needed(const struct corefile_opts *o, uint64_t image_bytes)
{
	return o->pack == CORE_ZSTD ? image_bytes / 20 : image_bytes;
}

static struct err *write_image(struct target *t, struct core_image *image,
			       const struct corefile_opts *o, struct corefile_done *ret)
{
	_cleanup_(outfile_closep) struct outfile *out = NULL;
	struct writer w = { .o = o, .image = image, .total = core_image_bytes(image) };
	size_t npieces = (size_t)((w.total + PIECE_BYTES - 1) / PIECE_BYTES);
	bool sparse;
	struct err *err = outfile_open(o->path, needed(o, w.total), &out);

	if (err)
		return err;
	w.out = out;
	sparse = o->pack == CORE_PLAIN && outfile_seekable(out);
	err = sparse ? write_sparse(&w, npieces) : write_ordered(&w, npieces);
	ret->bytes = ret->file_bytes = w.total;
	if (o->pack == CORE_ZSTD)
		ret->file_bytes = 17;
	for (size_t i = 0; i < w.table.n; i++)
		ret->file_bytes += w.table.v[i].packed_bytes + 8;
	vec_free(&w.table);
	if (err)
		return err;
	ret->lost_bytes = core_image_lost_bytes(image);
	target_release(t); /* no more of it is needed, and the disk may take its time */
	err = outfile_commit(out, sparse ? w.total : 0);
	ret->disk_bytes = err ? 0 : outfile_disk_bytes(out);
	return err;
}

/* What a core lacks, a core made of it lacks too. */
static uint32_t note_flags(const struct target *t, enum core_detail d)
{
	uint32_t f = CORENOTE_FLAG_ZEROES | CORENOTE_FLAG_FILES;
	unsigned out = target_left_out(t);

	if (d != CORE_ALL || (out & TARGET_NO_PAYLOAD))
		f |= CORENOTE_FLAG_NO_PAYLOAD;
	if (d == CORE_REDACTED || (out & TARGET_REDACTED))
		f |= CORENOTE_FLAG_REDACTED;
	return f;
}

/* Registers may hold eight bytes of a string at the very instant. */
static struct err *copy_threads(const struct target *t, const struct redact *r,
				struct target_thread **ret, size_t *ret_n)
{
	const struct target_thread *th = target_threads(t, ret_n);
	struct target_thread *copy = zalloc(*ret_n, sizeof(*copy));

	if (!copy)
		return &err_nomem;
	if (*ret_n)
		memcpy(copy, th, *ret_n * sizeof(*copy));
	for (size_t i = 0; r && i < *ret_n; i++)
		redact_scrub(r, (uint8_t *)&copy[i].regs, sizeof(copy[i].regs));
	*ret = copy;
	return NULL;
}

static struct err *make_image(struct target *t, const struct corefile_opts *o, struct redact *r,
			      const struct coreplan *plan, struct core_image **ret)
{
	_cleanup_(freep) struct target_thread *threads = NULL;
	struct core_plan p = {
		.loads = plan->loads.v,
		.nloads = plan->loads.n,
		.files = plan->files.v,
		.nfiles = plan->files.n,
		.flags = note_flags(t, o->detail),
		/* what memmove had in its registers is the program's data */
		.floats = o->detail == CORE_ALL ? target_floats(t) : NULL,
		.filter = r ? redact_filter : NULL,
		.arg = r,
	};
	struct err *err =
		copy_threads(t, o->detail == CORE_REDACTED ? r : NULL, &threads, &p.nthreads);

	p.threads = threads;
	return err ? err : core_image_create(t, &p, ret);
}

struct err *corefile_write(struct target *t, const struct go *go, struct snapshot *s,
			   const struct corefile_opts *o, struct corefile_done *ret)
{
	_cleanup_(redact_deinit) struct redact r = { 0 };
	_cleanup_(coreplan_deinit) struct coreplan plan = { 0 };
	_cleanup_(core_image_freep) struct core_image *image = NULL;
	struct redact *policy = o->detail == CORE_ALL ? NULL : &r;
	struct corefile_done done = { 0 };
	struct err *err = policy ? redact_create(s, o->detail, o->nthreads, policy) : NULL;

	if (!err)
		err = coreplan_make(t, go, o, policy, &plan);
	if (!err)
		err = make_image(t, o, policy, &plan, &image);
	if (!err)
		err = write_image(t, image, o, &done);
	if (err)
		return err;
	done.memory_bytes = plan.memory_bytes;
	done.lost_bytes += plan.lost_bytes;
	done.zero_bytes = plan.zero_bytes;
	done.dropped_bytes = plan.dropped_bytes;
	done.nloads = plan.loads.n;
	*ret = done;
	return NULL;
}
