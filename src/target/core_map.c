/*
 * core_map.c - which byte of the program comes from where: the core, a file, nowhere.
 *
 * Segments and mapped files cut the addresses into cells; a cell is one region and up to three
 * pieces: what the core holds, what was cut off, what was not dumped.  O(n log n) in both.
 *
 * What was not dumped (fs/coredump.c, vma_dump_size): the kernel dumps every private mapping that
 * was ever written (anon_vma) unless coredump_filter bit 0 is off.  So where such a mapping was
 * dumped, a writable one that was not is untouched: as in its file, or zero.  Where none was,
 * nothing is known of writable ones.  gcore goes by the same filter, but leaves them out of the
 * program headers.
 */
#include "target/core_priv.h"

struct cell {
	struct trange range;
	const struct core_seg *seg;	/* or NULL */
	const struct core_mapping *map; /* or NULL */
};

static int by_value(const void *a, const void *b)
{
	const taddr *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static struct err *boundaries(const struct core *c, taddr **ret, size_t *ret_n)
{
	size_t n = 0, cap = 2 * (c->segs.n + c->mappings.n);
	taddr *p = zalloc(cap, sizeof(*p));

	if (!p)
		return &err_nomem;
	for (size_t i = 0; i < c->segs.n; i++) {
		p[n++] = c->segs.v[i].range.start;
		p[n++] = c->segs.v[i].range.end;
	}
	for (size_t i = 0; i < c->mappings.n; i++) {
		p[n++] = c->mappings.v[i].range.start;
		p[n++] = c->mappings.v[i].range.end;
	}
	if (n)
		qsort(p, n, sizeof(*p), by_value);
	*ret = p;
	*ret_n = n;
	return NULL;
}

/* Was memory that had been written dumped at all? */
static bool dumped_anonymous(const struct core *c)
{
	size_t m = 0;

	for (size_t i = 0; i < c->segs.n; i++) {
		const struct core_seg *s = &c->segs.v[i];

		while (m < c->mappings.n && c->mappings.v[m].range.end <= s->range.start)
			m++;
		bool of_file = m < c->mappings.n && c->mappings.v[m].range.start < s->range.end;

		if ((s->prot & REGION_WRITE) && s->file_bytes && !of_file)
			return true;
	}
	return false;
}

static const struct elf_segment *segment_of(const struct core_file *f, uint64_t offset)
{
	for (size_t i = 0; i < f->x.segments.n; i++) {
		const struct elf_segment *s = &f->x.segments.v[i];
		uint64_t start = s->offset & ~(uint64_t)(CORE_PAGE_BYTES - 1);

		if (offset >= start && offset < s->offset + s->file_bytes)
			return s;
	}
	return NULL;
}

/* Left out of the program headers: its file says what it may do. */
static unsigned prot_of_file(const struct core *c, const struct core_mapping *m)
{
	const struct core_file *f = &c->files.v[m->file];
	const struct elf_segment *s = f->fd >= 0 ? segment_of(f, m->offset) : NULL;

	if (!s)
		return REGION_READ;
	return REGION_READ | (s->exec ? REGION_EXEC : 0U) | (s->write ? REGION_WRITE : 0U);
}

static bool push(struct core *c, taddr start, taddr end, enum core_from from, uint64_t offset,
		 uint32_t file)
{
	if (start >= end)
		return true;
	return vec_push(&c->pieces, (struct core_piece){ .range = { start, end },
							 .offset = offset,
							 .file = file,
							 .from = (uint8_t)from });
}

static enum core_from not_dumped(const struct core *c, const struct cell *x, unsigned prot,
				 bool cut, bool dumped)
{
	unsigned flags = c->facts.ours ? c->facts.note.flags : 0;
	bool as_file = x->map && c->files.v[x->map->file].fd >= 0;

	if (c->facts.ours && x->seg && x->seg->lost)
		return CORE_LOST;
	if (cut)
		return as_file && !(prot & REGION_WRITE) ? CORE_FROM_FILE : CORE_CUT;
	if (flags & CORENOTE_FLAG_ZEROES) {
		if (x->map && (flags & CORENOTE_FLAG_FILES) && !(x->seg && x->seg->file_bytes))
			return as_file ? CORE_FROM_FILE : CORE_LOST;
		return x->seg ? CORE_ZEROES : CORE_LOST;
	}
	if (x->map)
		return as_file && (!(prot & REGION_WRITE) || dumped) ? CORE_FROM_FILE : CORE_LOST;
	return (prot & REGION_WRITE) && dumped ? CORE_ZEROES : CORE_LOST;
}

/*
 * Bytes of a segment that its core is long enough for.  What a cut leaves of a page is no page:
 * nobody loses half of one, and a core made of this one could not say which half is not known.
 */
static uint64_t held(const struct core *c, const struct core_seg *s)
{
	uint64_t size = wrap_size(c->w), n = s->offset < size ? size - s->offset : 0, part;

	if (n >= s->file_bytes)
		return s->file_bytes;
	part = (s->range.start + n) & (CORE_PAGE_BYTES - 1);
	return n - MIN(n, part);
}

static struct err *emit(struct core *c, const struct cell *x, bool dumped)
{
	taddr start = x->range.start, end = x->range.end, a = start, b = start;
	unsigned prot = x->seg ? x->seg->prot : prot_of_file(c, x->map);
	uint64_t off = x->map ? x->map->offset + (start - x->map->range.start) : 0;
	uint32_t file = x->map ? x->map->file : CORE_NO_FILE;
	const struct core_file *f = x->map ? &c->files.v[file] : NULL;
	struct target_region r = {
		.range = x->range,
		.prot = prot,
		.offset = off,
		.path = f ? f->path : "",
	};

	if (x->seg) {
		taddr at = x->seg->range.start;

		a = MIN(MAX(at + held(c, x->seg), start), end);
		b = MIN(MAX(at + x->seg->file_bytes, a), end);
		if (!push(c, start, a, CORE_FROM_CORE, x->seg->offset + (start - at), file))
			return &err_nomem;
	}
	if (!push(c, a, b, not_dumped(c, x, prot, true, dumped), off + (a - start), file) ||
	    !push(c, b, end, not_dumped(c, x, prot, false, dumped), off + (b - start), file))
		return &err_nomem;
	/* what is not in the core cannot be a file's without its name */
	r.inode = f ? f->inode : (c->all_from_a_file && a > start);
	c->t.regions[c->t.nregions++] = r;
	return NULL;
}

struct err *core_map(struct core *c)
{
	_cleanup_(freep) taddr *p = NULL;
	size_t n = 0, s = 0, m = 0;
	bool dumped = dumped_anonymous(c);
	struct err *err = boundaries(c, &p, &n);

	if (err)
		return err;
	free(c->t.regions);
	c->t.nregions = c->pieces.n = 0;
	c->t.regions = zalloc(n, sizeof(*c->t.regions));
	if (!c->t.regions)
		return &err_nomem;
	for (size_t i = 0; !err && i + 1 < n; i++) {
		struct cell x = { .range = { p[i], p[i + 1] } };

		while (s < c->segs.n && c->segs.v[s].range.end <= p[i])
			s++;
		while (m < c->mappings.n && c->mappings.v[m].range.end <= p[i])
			m++;
		if (s < c->segs.n && c->segs.v[s].range.start <= p[i])
			x.seg = &c->segs.v[s];
		if (m < c->mappings.n && c->mappings.v[m].range.start <= p[i])
			x.map = &c->mappings.v[m];
		if (p[i] < p[i + 1] && (x.seg || x.map))
			err = emit(c, &x, dumped);
	}
	return err;
}

static struct err *lose(struct core *c, const char *what, uint64_t count, uint64_t bytes)
{
	if (!count)
		return NULL;
	return vec_push(&c->t.losses, (struct target_loss){ what, count, bytes }) ? NULL
										  : &err_nomem;
}

/* What the file should hold and does not. */
static struct err *count_cut(struct core *c)
{
	uint64_t count = 0, bytes = 0;

	for (size_t i = 0; i < c->segs.n; i++) {
		uint64_t gone = c->segs.v[i].file_bytes - held(c, &c->segs.v[i]);

		count += gone != 0;
		bytes += gone;
	}
	return lose(c, "cut off: mappings that the core should hold", count, bytes);
}

/*
 * Code and data of executables and libraries that are not to be had, and memory that was not
 * dumped.  Not counted: what nobody could read (no permission; reserved addresses), the kernel's
 * own pages ([vvar]: neither file nor writable), mapped data files.
 */
static struct err *count_undumped(struct core *c)
{
	uint64_t n[2] = { 0, 0 }, bytes[2] = { 0, 0 };
	size_t r = 0;

	for (size_t i = 0; i < c->pieces.n; i++) {
		const struct core_piece *p = &c->pieces.v[i];

		while (c->t.regions[r].range.end <= p->range.start)
			r++;
		unsigned prot = c->t.regions[r].prot;
		bool of_file = p->file != CORE_NO_FILE;

		if (p->from != CORE_LOST || !(prot & REGION_READ))
			continue;
		if (of_file ? !c->files.v[p->file].exec : !(prot & REGION_WRITE))
			continue;
		n[of_file]++;
		bytes[of_file] += trange_bytes(p->range);
	}
	struct err *err = lose(c, "memory that was not dumped", n[0], bytes[0]);

	return err ? err : lose(c, "program files not found (--exe, --sysroot)", n[1], bytes[1]);
}

struct err *core_count_losses(struct core *c)
{
	struct err *err = count_cut(c);

	if (!err)
		err = lose(c, "program headers cut off", c->lost_headers, 0);
	if (!err && wrap_damage(c->w))
		err = lose(c, wrap_damage(c->w), 1, 0);
	return err ? err : count_undumped(c);
}
