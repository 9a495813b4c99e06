/*
 * core_notes.c - threads, mapped files, auxiliary vector and the rest of PT_NOTE.
 *
 * Source: the kernel's include/linux/elfcore.h (elf_prstatus, elf_prpsinfo), fs/binfmt_elf.c
 * (fill_files_note); gdb's and delve's writers follow it, delve with empty names.  Offsets are
 * those of the core's machine, whatever machine we run on; up to the registers all are the same.
 * Cost: one read a note, three for those taken.
 */
#include "target/core_priv.h"

#include "base/bytes.h"

#include <elf.h>
#include <stdio.h>

#define MAX_NOTES	(1U << 20)
#define MAX_THREADS	(1U << 16)
#define MAX_NAME	64U
#define MAX_AUXV	(64U << 10)
#define MAX_FILES_BYTES (256ULL << 20)
#define MAX_MAPPINGS	(1U << 20)
#define MAX_FDS_BYTES	(128U << 20)

enum {
	PRSTATUS_PID = 32,
	PRSTATUS_REGS = 112,
	PRPSINFO_PID = 24,
	PRPSINFO_ARGS = 56,
	PRPSINFO_BYTES = 136,
};

struct note {
	uint32_t type, name_bytes, desc_bytes;
	char name[MAX_NAME];
	uint64_t desc_at;
};

const char *core_keep(struct core *c, const char *text, size_t n)
{
	char *s = strndup(text, n);

	if (s && vec_push(&c->names, s))
		return s;
	free(s);
	return NULL;
}

uint32_t core_add_file(struct core *c, const char *path)
{
	const char *kept = core_keep(c, path, strlen(path));
	struct core_file f = { .path = kept, .fd = -1, .inode = 1ULL << 63 | (c->files.n + 1) };

	if (!kept || c->files.n >= CORE_NO_FILE - 1 || !vec_push(&c->files, f))
		return CORE_NO_FILE;
	return (uint32_t)(c->files.n - 1);
}

uint64_t core_auxv(const struct core *c, uint64_t type)
{
	for (size_t i = 0; i + 16 <= c->t.nauxv; i += 16) {
		uint64_t key = load_u64(c->t.auxv + i);

		if (key == type)
			return load_u64(c->t.auxv + i + 8);
		if (key == AT_NULL)
			break;
	}
	return 0;
}

/* The start of a desc, at most n bytes of it. */
static struct err *desc(struct core *c, const struct note *d, void *buf, size_t n, size_t *ret)
{
	return wrap_read(c->w, d->desc_at, buf, MIN(n, (size_t)d->desc_bytes), ret);
}

static struct err *take_thread(struct core *c, const struct note *d)
{
	const uint32_t regs = regs_shape(c->t.arch)->regs_bytes;
	uint8_t b[PRSTATUS_REGS + sizeof(struct target_regs)];
	struct target_thread t = { 0 };
	size_t n = 0;
	struct err *err = desc(c, d, b, PRSTATUS_REGS + regs, &n);

	if (err || n < PRSTATUS_REGS + regs || c->t.nthreads >= MAX_THREADS)
		return err;
	/*
	 * Which namespace the number is of depends on who wrote it: ns_tid stays unknown, and a
	 * thread is known by either number or by its FS base.
	 */
	t.tid = (pid_t)load_u32(b + PRSTATUS_PID);
	memcpy(&t.regs, b + PRSTATUS_REGS, regs);
	if (c->t.arch == TARGET_ARM64)
		t.regs.arm64.call = -1; /* until a note says otherwise */
	if (!(c->t.nthreads % 64)) {
		struct target_thread *more =
			realloc(c->t.threads, (c->t.nthreads + 64) * sizeof(*more));

		if (!more)
			return &err_nomem;
		c->t.threads = more;
	}
	c->t.threads[c->t.nthreads++] = t;
	return NULL;
}

static struct err *take_psinfo(struct core *c, const struct note *d)
{
	uint8_t b[PRPSINFO_BYTES];
	size_t n = 0;
	struct err *err = desc(c, d, b, sizeof(b), &n);

	if (err || n < sizeof(b))
		return err;
	c->facts.pid = (pid_t)load_u32(b + PRPSINFO_PID);
	memcpy(c->facts.args, b + PRPSINFO_ARGS, 80);
	return NULL;
}

static struct err *take_auxv(struct core *c, const struct note *d)
{
	size_t n = 0, want = MIN((size_t)d->desc_bytes, (size_t)MAX_AUXV);
	struct err *err;

	if (c->t.auxv || !want)
		return NULL;
	c->t.auxv = malloc(want);
	if (!c->t.auxv)
		return &err_nomem;
	err = desc(c, d, c->t.auxv, want, &n);
	c->t.nauxv = err ? 0 : n;
	return err;
}

static struct err *take_ours(struct core *c, const struct note *d)
{
	uint8_t b[sizeof(struct corenote) + 4096];
	size_t n = 0;
	struct err *err = desc(c, d, b, sizeof(b), &n);

	if (err || n < sizeof(struct corenote))
		return err;
	memcpy(&c->facts.note, b, sizeof(c->facts.note));
	c->facts.ours = true;
	n -= sizeof(struct corenote);
	c->facts.exe = core_keep(c, (char *)b + sizeof(struct corenote), n);
	return c->facts.exe ? NULL : &err_nomem;
}

static struct err *take_fds(struct core *c, const struct note *d)
{
	size_t n = 0, want = (size_t)MIN((uint64_t)d->desc_bytes, wrap_size(c->w));
	struct err *err;

	want = MIN(want, (size_t)MAX_FDS_BYTES);
	if (c->t.fd_text || !want)
		return NULL;
	c->t.fd_text = malloc(want);
	if (!c->t.fd_text)
		return &err_nomem;
	err = desc(c, d, c->t.fd_text, want, &n);
	return err ? err : core_fds_parse(c->t.fd_text, n, &c->t.fds, &c->t.nfds);
}

/* Neighbours have the same path most of the time; few paths: looked for from the end. */
static uint32_t file_of(struct core *c, const char *path)
{
	for (size_t i = c->files.n; i-- > 0 && c->files.n - i < 32;)
		if (!strcmp(c->files.v[i].path, path))
			return (uint32_t)i;
	return core_add_file(c, path);
}

static int by_start(const void *a, const void *b)
{
	const struct core_mapping *x = a, *y = b;

	return (x->range.start > y->range.start) - (x->range.start < y->range.start);
}

static void without_overlaps(struct core *c)
{
	size_t n = 0;

	if (c->mappings.n)
		qsort(c->mappings.v, c->mappings.n, sizeof(*c->mappings.v), by_start);
	for (size_t i = 0; i < c->mappings.n; i++)
		if (!n || c->mappings.v[i].range.start >= c->mappings.v[n - 1].range.end)
			c->mappings.v[n++] = c->mappings.v[i];
	c->mappings.n = n;
}

/* count, page size, count times {start, end, offset in pages}, then the paths. */
static struct err *parse_files(struct core *c, const uint8_t *p, size_t n)
{
	struct bytes b = bytes_of(p, n);
	uint64_t count = bytes_u64(&b), page = bytes_u64(&b);

	if (b.bad || !page || page > (1U << 30) || count > MAX_MAPPINGS ||
	    count > bytes_left(&b) / 24)
		return NULL;
	struct bytes text = bytes_of(b.p + count * 24, bytes_left(&b) - (size_t)count * 24);

	for (uint64_t i = 0; i < count; i++) {
		struct core_mapping m = { 0 };
		size_t len = strnlen((const char *)text.p, bytes_left(&text));

		m.range.start = bytes_u64(&b);
		m.range.end = bytes_u64(&b);
		m.offset = bytes_u64(&b) * page;
		if (len == bytes_left(&text))
			break; /* cut off */
		m.file = file_of(c, (const char *)text.p);
		bytes_skip(&text, len + 1);
		if (m.file == CORE_NO_FILE ||
		    (m.range.start < m.range.end && !vec_push(&c->mappings, m)))
			return &err_nomem;
	}
	without_overlaps(c);
	return NULL;
}

static struct err *take_files(struct core *c, const struct note *d)
{
	size_t n = 0, want = (size_t)MIN((uint64_t)d->desc_bytes, MAX_FILES_BYTES);
	struct err *err;

	want = (size_t)MIN((uint64_t)want, wrap_size(c->w));
	if (c->mappings.n || !want)
		return NULL;
	_cleanup_(freep) uint8_t *b = malloc(want);

	if (!b)
		return &err_nomem;
	err = desc(c, d, b, want, &n);
	return err ? err : parse_files(c, b, n);
}

/* Of the thread whose NT_PRSTATUS came before. */
static struct err *take_arm64(struct core *c, const struct note *d)
{
	struct regs_arm64 *r = c->t.nthreads ? &c->t.threads[c->t.nthreads - 1].regs.arm64 : NULL;
	uint8_t b[8] = { 0 };
	size_t n = 0;
	struct err *err = r ? desc(c, d, b, sizeof(b), &n) : NULL;

	if (err || !r)
		return err;
	if (d->type == NT_ARM_TLS && n == 8)
		r->tpidr = load_u64(b);
	if (d->type == NT_ARM_SYSTEM_CALL && n >= 4)
		r->call = (int32_t)load_u32(b);
	return NULL;
}

static struct err *take(struct core *c, const struct note *d)
{
	if (!strcmp(d->name, CORENOTE_NAME))
		return d->type == CORENOTE_TYPE	 ? take_ours(c, d)
		       : d->type == CORENOTE_FDS ? take_fds(c, d)
						 : NULL;
	if (c->t.arch == TARGET_ARM64 && !strcmp(d->name, "LINUX"))
		return take_arm64(c, d);
	if (d->name_bytes && strcmp(d->name, "CORE"))
		return NULL;
	switch (d->type) {
	case NT_PRSTATUS:
		return take_thread(c, d);
	case NT_PRPSINFO:
		return take_psinfo(c, d);
	case NT_AUXV:
		return take_auxv(c, d);
	case NT_FILE:
		return take_files(c, d);
	default:
		return NULL;
	}
}

static uint64_t pad4(uint64_t n)
{
	return (n + 3) & ~3ULL;
}

/* False at the end, or where it makes no sense any more. */
static struct err *next(struct core *c, uint64_t *at, uint64_t end, struct note *d, bool *ret_more)
{
	uint32_t h[3];
	size_t n = 0;
	struct err *err = wrap_read(c->w, *at, h, sizeof(h), &n);

	*ret_more = false;
	if (err || n < sizeof(h))
		return err;
	*d = (struct note){ .name_bytes = h[0], .desc_bytes = h[1], .type = h[2] };
	d->desc_at = *at + sizeof(h) + pad4(d->name_bytes);
	if (d->desc_at > end || d->desc_bytes > end - d->desc_at)
		return NULL;
	err = wrap_read(c->w, *at + sizeof(h), d->name, MIN(d->name_bytes, MAX_NAME - 1U), &n);
	*at = d->desc_at + pad4(d->desc_bytes);
	*ret_more = true;
	return err;
}

static struct err *walk(struct core *c, struct trange r, unsigned *left)
{
	uint64_t at = r.start;

	for (; at < r.end && *left; (*left)--) {
		struct note d;
		bool more;
		struct err *err = next(c, &at, r.end, &d, &more);

		if (!err && more)
			err = take(c, &d);
		if (err || !more)
			return err;
	}
	return NULL;
}

struct err *core_read_notes(struct core *c)
{
	unsigned left = MAX_NOTES; /* of all segments together: they may overlap */

	c->facts.exe = "";
	for (size_t i = 0; i < c->notes.n; i++) {
		struct err *err = walk(c, c->notes.v[i], &left);

		if (err)
			return err;
	}
	if (!c->facts.pid && c->t.nthreads)
		c->facts.pid = c->t.threads[0].tid;
	if (c->facts.ours && c->facts.note.pid)
		c->facts.pid = (pid_t)c->facts.note.pid;
	return NULL;
}
