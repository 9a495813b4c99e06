/*
 * core_compare.c - is a file the one whose pages a core has?
 *
 * Three proofs, as far as the core holds them: the place of each mapping; pages that nobody writes
 * (ELF header and build ids lie in the first), compared byte by byte; the Go build info in the
 * data.  A debugger's breakpoints change a few bytes of a page and are let pass.
 * Cost: at most MAX_PAGES pages of both; segments x mappings.
 */
#include "target/core_priv.h"

#include "base/bytes.h"

#include <stdio.h>

#define MAX_PAGES    16384U
#define MAX_MAPPINGS 2048U /* of one file; more are not asked */
#define BREAKS	     64U   /* bytes of a page that may differ */
#define INFO_BYTES   16384U

struct tally {
	unsigned pages, other;
	bool first_other; /* the page with the headers */
};

static bool read_only(const struct core_file *f, uint64_t offset)
{
	for (size_t i = 0; i < f->x.segments.n; i++) {
		const struct elf_segment *s = &f->x.segments.v[i];

		if (!s->write && offset >= s->offset &&
		    offset + CORE_PAGE_BYTES <= s->offset + s->file_bytes)
			return true;
	}
	return false;
}

static unsigned different(const uint8_t *a, const uint8_t *b)
{
	unsigned n = 0;

	for (size_t i = 0; i < CORE_PAGE_BYTES; i++)
		n += a[i] != b[i];
	return n;
}

/* "Go\0\0" and its build id, as the linker puts it in the first page; "" none. */
static void go_build_id(const uint8_t *p, size_t n, char *ret, size_t nret)
{
	static const uint8_t name[] = { 4, 0, 0, 0, 'G', 'o', 0, 0 };

	*ret = 0;
	for (size_t i = 8; i + 8 <= n; i += 4) {
		/* namesz 4, descsz, type 4, name */
		uint32_t desc = load_u32(p + i - 4), left = (uint32_t)(n - i - 8);

		if (memcmp(p + i, name, sizeof(name)) || load_u32(p + i - 8) != 4)
			continue;
		snprintf(ret, nret, "%.*s", (int)MIN(desc, left), (const char *)p + i + 8);
		return;
	}
}

static void say_ids(const uint8_t *core, const uint8_t *file, char *why, size_t nwhy)
{
	char a[128], b[128];

	go_build_id(core, CORE_PAGE_BYTES, a, sizeof(a));
	go_build_id(file, CORE_PAGE_BYTES, b, sizeof(b));
	for (char *s = a; *s; s++)
		*s = *s < 0x20 || *s > 0x7e ? '?' : *s;
	if (*a && *b && strcmp(a, b))
		snprintf(why, nwhy, "its Go build id is %.24s…, the core's is %.24s…", b, a);
}

static struct err *compare_page(struct core *c, const struct core_file *f, taddr at, uint64_t off,
				struct tally *t, char *why, size_t nwhy)
{
	uint8_t a[CORE_PAGE_BYTES], b[CORE_PAGE_BYTES];
	size_t n = 0;
	struct err *err = core_read_some(&c->t, at, a, sizeof(a), &n);

	if (err || n < sizeof(a) || pread(f->fd, b, sizeof(b), (off_t)off) != sizeof(b))
		return err;
	t->pages++;
	if (!memcmp(a, b, sizeof(a)) || (different(a, b) <= BREAKS && off))
		return NULL;
	t->other++;
	if (!off) {
		t->first_other = true;
		say_ids(a, b, why, nwhy);
	}
	return NULL;
}

static struct err *compare_mapping(struct core *c, uint32_t file, const struct core_mapping *m,
				   struct tally *t, char *why, size_t nwhy)
{
	const struct core_file *f = &c->files.v[file];
	uint64_t n = trange_bytes(m->range) / CORE_PAGE_BYTES;

	/* never beyond the file, however long the mapping says that it is */
	n = MIN(n, f->bytes / CORE_PAGE_BYTES + 1);
	for (uint64_t i = 0; i < n && t->pages < MAX_PAGES; i++) {
		uint64_t off = m->offset + i * CORE_PAGE_BYTES;
		struct err *err;

		if (!read_only(f, off))
			continue;
		err = compare_page(c, f, m->range.start + i * CORE_PAGE_BYTES, off, t, why, nwhy);
		if (err)
			return err;
	}
	return NULL;
}

static bool address_of(const struct core *c, uint32_t file, uint64_t off, taddr *ret)
{
	for (size_t i = 0; i < c->mappings.n; i++) {
		const struct core_mapping *m = &c->mappings.v[i];

		if (m->file == file && off >= m->offset &&
		    off - m->offset < trange_bytes(m->range)) {
			*ret = m->range.start + (off - m->offset);
			return true;
		}
	}
	return false;
}

static bool offset_of(const struct elf_exe *x, taddr vaddr, uint64_t *ret)
{
	for (size_t i = 0; i < x->segments.n; i++) {
		const struct elf_segment *s = &x->segments.v[i];

		if (vaddr >= s->vaddr && vaddr - s->vaddr < s->file_bytes) {
			*ret = s->offset + (vaddr - s->vaddr);
			return true;
		}
	}
	return false;
}

static bool same_info(const struct go_buildinfo *a, const struct go_buildinfo *b, char *why,
		      size_t nwhy)
{
	if (strcmp(a->version, b->version)) {
		snprintf(why, nwhy, "it was built by %.40s, the core's program by %.40s",
			 a->version, b->version);
		return false;
	}
	if (!strcmp(a->path, b->path) && !strcmp(a->module_version, b->module_version) &&
	    !strcmp(a->vcs_revision, b->vcs_revision) && !strcmp(a->ldflags, b->ldflags))
		return true;
	snprintf(why, nwhy, "its Go build info (%.60s %.40s) is not the core's (%.60s %.40s)",
		 a->path, a->vcs_revision, b->path, b->vcs_revision);
	return false;
}

static struct err *compare_info(struct core *c, uint32_t file, enum core_verdict *ret, char *why,
				size_t nwhy)
{
	const struct core_file *f = &c->files.v[file];
	_cleanup_(freep) uint8_t *buf = zalloc(1, INFO_BYTES);
	struct go_buildinfo b = { 0 };
	uint64_t off = 0;
	taddr at = 0;
	size_t n = 0;
	struct err *err;

	*ret = CORE_CANNOT_TELL;
	if (!f->x.go || !f->x.info_addr || !offset_of(&f->x, f->x.info_addr, &off) ||
	    !address_of(c, file, off, &at))
		return NULL;
	if (!buf)
		return &err_nomem;
	err = core_read_some(&c->t, at, buf, INFO_BYTES, &n);
	if (err || !go_buildinfo_parse(buf, n, &b))
		return err;
	*ret = same_info(&f->x.info, &b, why, nwhy) ? CORE_SAME : CORE_OTHER;
	go_buildinfo_deinit(&b);
	return NULL;
}

/* Is there a segment that explains the mapping, moved by bias? */
static bool explains(const struct core_file *f, const struct core_mapping *m, taddr bias)
{
	for (size_t i = 0; i < f->x.segments.n; i++) {
		const struct elf_segment *s = &f->x.segments.v[i];
		uint64_t start = s->offset & ~(uint64_t)(CORE_PAGE_BYTES - 1);

		if (m->offset >= start && m->offset < s->offset + s->file_bytes &&
		    m->range.start - m->offset == bias + s->vaddr - s->offset)
			return true;
	}
	return false;
}

static bool explains_all(const struct core *c, uint32_t file, taddr bias)
{
	unsigned n = 0;

	for (size_t i = 0; i < c->mappings.n && n < MAX_MAPPINGS; i++) {
		if (c->mappings.v[i].file != file)
			continue;
		if (!explains(&c->files.v[file], &c->mappings.v[i], bias))
			return false;
		n++;
	}
	return true;
}

/* Every mapping of the file must be of one of its segments, all moved by the same distance. */
static bool same_layout(const struct core *c, uint32_t file)
{
	const struct core_file *f = &c->files.v[file];
	const struct core_mapping *m = NULL;

	for (size_t i = 0; i < c->mappings.n && !m; i++)
		if (c->mappings.v[i].file == file)
			m = &c->mappings.v[i];
	for (size_t i = 0; m && i < f->x.segments.n; i++) {
		const struct elf_segment *s = &f->x.segments.v[i];

		if (explains_all(c, file, m->range.start - m->offset - s->vaddr + s->offset))
			return true;
	}
	return !m;
}

struct err *core_compare(struct core *c, uint32_t file, enum core_verdict *ret, char *why,
			 size_t nwhy)
{
	struct tally t = { 0 };
	struct err *err = NULL;

	*why = 0;
	if (!same_layout(c, file)) {
		snprintf(why, nwhy, "its segments do not lie where the core's mappings of it do");
		*ret = CORE_OTHER;
		return NULL;
	}
	for (size_t i = 0; !err && i < c->mappings.n; i++)
		if (c->mappings.v[i].file == file)
			err = compare_mapping(c, file, &c->mappings.v[i], &t, why, nwhy);
	if (err)
		return err;
	if (t.first_other || t.other > t.pages / 16) {
		if (!*why)
			snprintf(why, nwhy,
				 "%u of %u pages that the core holds of it are different", t.other,
				 t.pages);
		*ret = CORE_OTHER;
		return NULL;
	}
	err = compare_info(c, file, ret, why, nwhy);
	if (!err && *ret == CORE_CANNOT_TELL && t.pages)
		*ret = CORE_SAME;
	return err;
}
