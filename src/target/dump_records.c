/*
 * dump_records.c - the records of a heap dump into the model, in one pass.
 *
 * A record that cannot be, and what follows it up to the next place where several records in a
 * row make sense, is a loss.  Of objects only their runs are kept.  Cost: one pass over the file;
 * a page of table or so for each page of heap.
 */
#include "target/dump_read.h"
#include "target/ops.h"

#define PAGE	       8192U /* runtime/malloc.go: pageSize */
#define SYNC_RECORDS   8U    /* so many in a row are no accident */
#define SYNC_BYTES     (64ULL << 20)
#define SYNC_ALL_BYTES (256ULL << 20)
#define SYNC_TRY_BYTES 65536U
#define SYNC_VIEW                                                                                  \
	(256ULL << 10)	     /* at least that much is looked at from where records may begin       \
			      */
#define SYNC_STEPS     1024U /* longer lists are taken for none */
#define SYNC_ALL_STEPS (1ULL << 28)

#define WINDOW_BYTES	  (1U << 20)
#define OWN_BYTES	  (64ULL << 20)
#define OWN_PER_FILE_BYTE 8U

struct reader {
	struct dump *d;
	struct target *t;
	struct dump_window win;
	uint64_t at;	      /* next record */
	struct dump_run *run; /* that the last object went to */
	taddr run_end;
	uint64_t searched; /* bytes, for a place to go on from */
	uint64_t steps;	   /* taken in lists on the way */
};

/* The names in this file are those of runtime/heapdump.go. */
static struct err *take_object(struct reader *r, const struct dump_rec *x, uint64_t at)
{
	taddr addr = x->n[0];
	uint64_t n = x->mem[0].n;
	struct dump_run *u = r->run, fresh = { addr, n, at, 1, 1, x->has_fields };

	r->d->nobjects++;
	r->d->object_bytes += n;
	/* A slot on the page that the last one reached belongs to the same span. */
	if (u && n == u->elem && addr >= r->run_end && addr / PAGE == (r->run_end - 1) / PAGE &&
	    (addr - u->base) % n == 0 && (addr + n - u->base) < (1ULL << 32) / n) {
		u->nobjects++;
		u->nslots = (uint32_t)((addr - u->base) / n) + 1;
		u->scan |= x->has_fields;
	} else {
		if (!vec_push(&r->d->runs, fresh))
			return &err_nomem;
		r->run = &r->d->runs.v[r->d->runs.n - 1];
	}
	r->run_end = addr + n;
	return NULL;
}

static const char *text_of(struct reader *r, const struct dump_rec *x, unsigned i)
{
	return dump_name(r->d->names, x->mem[i].p, x->mem[i].n);
}

static struct err *take_type(struct reader *r, const struct dump_rec *x)
{
	struct dump_type t = { x->n[0], x->n[1], text_of(r, x, 0) };

	return t.name && vec_push(&r->d->types, t) ? NULL : &err_nomem;
}

static bool reason_number(struct dump *d, const char *text, uint32_t *ret)
{
	for (size_t i = 0; i < d->wait_reasons.n; i++) {
		*ret = (uint32_t)i;
		if (d->wait_reasons.v[i] == text)
			return true;
	}
	*ret = (uint32_t)d->wait_reasons.n;
	/* There are some forty; what a liar adds is one more unknown one. */
	if (*ret >= 1024) {
		*ret = 0;
		return true;
	}
	return vec_push(&d->wait_reasons, text);
}

static struct err *take_goroutine(struct reader *r, const struct dump_rec *x)
{
	struct dump *d = r->d;
	const char *reason = text_of(r, x, 0);
	struct dump_goroutine g = {
		.g = x->n[0],
		.sp = x->n[1],
		.id = x->n[2],
		.go_pc = x->n[3],
		.status = x->n[4],
		.system = x->n[5],
		.waitsince = x->n[7],
		.ctxt = x->n[8],
		.m = x->n[9],
		.defers = x->n[10],
		.panics = x->n[11],
		.first_frame = d->frames.n,
		.first_defer = d->defers.n,
		.first_panic = d->panics.n,
	};

	if (!reason || !reason_number(d, reason, &g.wait_reason))
		return &err_nomem;
	return vec_push(&d->gs, g) ? NULL : &err_nomem;
}

/* Its bytes and list, copied: windows move on. */
static struct err *keep_segment(struct dump *d, const struct dump_rec *x, struct dump_segment *ret)
{
	size_t nfields = bytes_left(&x->fields);
	const uint8_t *mem = dump_keep(d, x->mem[0].p, x->mem[0].n);
	const uint8_t *fields = dump_keep(d, x->fields.p, nfields);

	if (!mem || !fields)
		return &err_nomem;
	*ret = (struct dump_segment){ x->n[0], x->mem[0].n, mem, bytes_of(fields, nfields) };
	return NULL;
}

static struct err *take_frame(struct reader *r, const struct dump_rec *x)
{
	struct dump *d = r->d;
	struct dump_frame f = {
		.depth = x->n[1],
		.child_sp = x->n[2],
		.entry = x->n[3],
		.pc = x->n[4],
		.name = text_of(r, x, 1),
	};

	struct err *err = keep_segment(d, x, &f.mem);

	if (err)
		return err;
	if (!f.name || !vec_push(&d->frames, f) || !vec_push(&d->segments, f.mem))
		return &err_nomem;
	if (d->gs.n)
		d->gs.v[d->gs.n - 1].nframes++;
	return NULL;
}

static struct err *take_data(struct reader *r, const struct dump_rec *x)
{
	struct dump *d = r->d;
	struct dump_segment s;
	struct err *err = keep_segment(d, x, &s);

	if (err)
		return err;
	if (!vec_push(&d->segments, s) || !vec_push(&d->data, s))
		return &err_nomem;
	d->ndata += x->tag == DUMP_DATA;
	return NULL;
}

static void copy_text(char *to, size_t n, const struct dump_rec *x, unsigned i)
{
	size_t k = MIN((size_t)x->mem[i].n, n - 1);

	memcpy(to, x->mem[i].p, k);
	to[k] = 0;
}

static void take_params(struct dump *d, const struct dump_rec *x)
{
	if (d->has_params)
		return;
	d->has_params = true;
	d->big_endian = x->n[0];
	d->word_bytes = x->n[1];
	d->arenas = (struct trange){ x->n[2], x->n[3] };
	d->ncpu = x->n[4];
	copy_text(d->arch, sizeof(d->arch), x, 0);
	copy_text(d->version, sizeof(d->version), x, 1);
}

static struct err *take_defer(struct dump *d, const struct dump_rec *x)
{
	const uint64_t *n = x->n;
	struct dump_defer v = { n[0], n[1], n[2], n[3], n[4], n[5], n[6] };

	if (!vec_push(&d->defers, v))
		return &err_nomem;
	if (d->gs.n)
		d->gs.v[d->gs.n - 1].ndefers++;
	return NULL;
}

static struct err *take_panic(struct dump *d, const struct dump_rec *x)
{
	const uint64_t *n = x->n;
	struct dump_panic v = { n[0], n[1], n[2], n[3], n[5] };

	if (!vec_push(&d->panics, v))
		return &err_nomem;
	if (d->gs.n)
		d->gs.v[d->gs.n - 1].npanics++;
	return NULL;
}

static bool take_line(struct dump *d, struct bytes *b)
{
	struct dump_line l = { 0 };
	const char **to[] = { &l.function, &l.file };

	for (unsigned i = 0; i < 2; i++) {
		uint64_t n = bytes_uvarint(b);

		*to[i] = dump_name(d->names, b->p, MIN(n, (uint64_t)bytes_left(b)));
		bytes_skip(b, (size_t)n);
	}
	l.line = bytes_uvarint(b);
	return l.function && l.file && vec_push(&d->lines, l);
}

static struct err *take_bucket(struct dump *d, const struct dump_rec *x)
{
	struct bytes b = x->stack;
	struct dump_bucket k = {
		.addr = x->n[0],
		.bytes = x->n[1],
		.allocs = x->n[3],
		.frees = x->n[4],
		.first_line = d->lines.n,
		.nlines = x->n[2],
	};

	for (size_t i = 0; i < k.nlines; i++)
		if (!take_line(d, &b))
			return &err_nomem;
	return vec_push(&d->buckets, k) ? NULL : &err_nomem;
}

static struct err *take_finalizer(struct dump *d, const struct dump_rec *x)
{
	const uint64_t *n = x->n;
	struct dump_finalizer f = { n[0], n[1], n[2], n[3], n[4] };
	bool ok = x->tag == DUMP_FINALIZER ? vec_push(&d->finalizers, f) : vec_push(&d->queued, f);

	return ok ? NULL : &err_nomem;
}

static void take_memstats(struct dump *d, const struct dump_rec *x)
{
	memcpy(&d->memstats, x->n, sizeof(d->memstats));
	d->num_gc = x->n[DUMP_MEMSTATS_INTS];
	d->has_memstats = true;
}

static struct err *take(struct reader *r, const struct dump_rec *x, uint64_t at)
{
	struct dump *d = r->d;

	switch (x->tag) {
	case DUMP_OBJECT:
		return take_object(r, x, at);
	case DUMP_OTHER_ROOT: {
		struct dump_root o = { text_of(r, x, 0), x->n[0] };

		return o.what && vec_push(&d->other_roots, o) ? NULL : &err_nomem;
	}
	case DUMP_TYPE:
		return take_type(r, x);
	case DUMP_GOROUTINE:
		return take_goroutine(r, x);
	case DUMP_FRAME:
		return take_frame(r, x);
	case DUMP_FINALIZER:
	case DUMP_QUEUED:
		return take_finalizer(d, x);
	case DUMP_ITAB:
		return vec_push(&d->itabs, (struct dump_itab){ x->n[0], x->n[1] }) ? NULL
										   : &err_nomem;
	case DUMP_THREAD:
		return vec_push(&d->threads, (struct dump_thread){ x->n[0], x->n[1], x->n[2] })
			       ? NULL
			       : &err_nomem;
	case DUMP_DATA:
	case DUMP_BSS:
		return take_data(r, x);
	case DUMP_DEFER:
		return take_defer(d, x);
	case DUMP_PANIC:
		return take_panic(d, x);
	case DUMP_MEMPROF:
		return take_bucket(d, x);
	case DUMP_SAMPLE:
		return vec_push(&d->samples, (struct dump_sample){ x->n[0], x->n[1] }) ? NULL
										       : &err_nomem;
	case DUMP_PARAMS:
		take_params(d, x);
		return NULL;
	case DUMP_MEMSTATS:
		take_memstats(d, x);
		return NULL;
	default:
		return NULL;
	}
}

/* Do records begin at b, which is offset `at` of the file?  b is a copy, maybe not to its end. */
static bool records_begin(struct reader *r, struct bytes b, uint64_t at)
{
	const struct dump *d = r->d;
	const uint8_t *from = b.p;
	struct dump_rec x = { .steps = 0 };
	uint64_t rest = d->nfile - at;

	for (unsigned i = 0; i < SYNC_RECORDS; i++) {
		uint64_t before = (uint64_t)(b.p - from);
		bool ok = dump_decode(&b, SYNC_STEPS, &x);

		r->steps += x.steps + 32;
		if (!ok && i && x.need && x.need < rest - before)
			return true; /* longer than the view, not than the file */
		if (!ok || !dump_plausible(d, &x))
			return false;
		if (x.tag == DUMP_EOF)
			return i && (uint64_t)(b.p - from) == rest;
		if ((size_t)(b.p - from) > SYNC_TRY_BYTES && i)
			return true;
	}
	return true;
}

/* In one view of the file: the offset of such a place, or where to look on. */
static bool find_in(struct reader *r, struct bytes b, uint64_t at, uint64_t n, uint64_t *ret)
{
	uint64_t i = 0;
	bool found = false;

	for (; i < n && !found && r->steps < SYNC_ALL_STEPS; i++, b.p++) {
		r->searched++;
		if (*b.p == DUMP_EOF || *b.p >= DUMP_NTAGS || *b.p == DUMP_PARAMS ||
		    *b.p == DUMP_MEMSTATS)
			continue;
		found = records_begin(r, b, at + i);
	}
	*ret = at + i - found;
	return found;
}

/* The next place to go on from; the end of the file when there is none near. */
static void find_next(struct reader *r, uint64_t at)
{
	const struct dump *d = r->d;
	uint64_t room = MIN(SYNC_BYTES, SYNC_ALL_BYTES - MIN(r->searched, SYNC_ALL_BYTES));
	uint64_t end = MIN(d->nfile, at + room);

	r->run = NULL;
	for (at++; at < end && r->steps < SYNC_ALL_STEPS;) {
		struct bytes b = dump_bytes(d, &r->win, at, 2 * SYNC_VIEW);
		uint64_t n = bytes_left(&b);

		if (!n)
			break;
		if (at + n < d->nfile && n > SYNC_VIEW)
			n -= SYNC_VIEW;
		if (find_in(r, b, at, MIN(n, end - at), &at)) {
			r->at = at;
			return;
		}
	}
	r->at = d->nfile;
}

/* Cut off: the last record runs out of the file and none follows it. */
static void lose_from(struct reader *r, uint64_t at)
{
	find_next(r, at);
	if (r->at == r->d->nfile)
		dump_lose(r->t, "heap dump: cut off or damaged to its end", 1, r->d->nfile - at);
	else
		dump_lose(r->t, "heap dump: damaged records", 1, r->at - at);
}

/* Own memory for what is in the file, objects aside. */
static uint64_t model_bytes(const struct dump *d)
{
#define BYTES(a) ((a).cap * sizeof((a).v[0]))
	return BYTES(d->runs) + BYTES(d->segments) + BYTES(d->data) + BYTES(d->types) +
	       BYTES(d->itabs) + BYTES(d->gs) + BYTES(d->frames) + BYTES(d->defers) +
	       BYTES(d->panics) + BYTES(d->finalizers) + BYTES(d->queued) + BYTES(d->threads) +
	       BYTES(d->buckets) + BYTES(d->lines) + BYTES(d->samples) + BYTES(d->other_roots) +
	       d->kept_bytes;
#undef BYTES
}

/* The records of a real program take less than the file; those of a liar shall not take all. */
static struct err *check_memory(const struct dump *d)
{
	uint64_t limit = OWN_BYTES + OWN_PER_FILE_BYTE * d->nfile;

	if (model_bytes(d) <= limit)
		return NULL;
	return err_new(ERR_LIMIT,
		       "more small records than any program writes: %" PRIu64
		       " MiB of memory were not enough for them",
		       limit >> 20);
}

static struct err *next_record(struct reader *r)
{
	uint64_t at = r->at;
	struct dump_rec x;

	if (!dump_decode_at(r->d, &r->win, at, &x, &r->at) ||
	    (x.tag == DUMP_EOF && r->at < r->d->nfile)) {
		lose_from(r, at);
		return r->win.nomem ? &err_nomem : NULL;
	}
	if (!dump_plausible(r->d, &x)) {
		dump_lose(r->t, "heap dump: damaged records", 1, r->at - at);
		return NULL;
	}
	r->d->ended |= x.tag == DUMP_EOF;
	return take(r, &x, at);
}

struct err *dump_records(struct dump *d, struct target *t)
{
	struct reader r = { .d = d, .t = t, .win.least_bytes = WINDOW_BYTES };
	struct err *err = NULL;

	r.at = 16; /* "go1.7 heap dump\n" */
	for (uint32_t n = 1; !err && !d->ended && r.at < d->nfile; n++) {
		err = next_record(&r);
		if (!err && n % 4096 == 0)
			err = check_memory(d);
	}
	if (!err && !d->ended && !t->losses.n)
		dump_lose(t, "heap dump: cut off between two records, bytes unknown", 1, 0);
	dump_window_free(&r.win);
	return err;
}
