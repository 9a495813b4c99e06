/*
 * coreplan.c - from mappings to the loads of a core: what is left out, and what is zero.
 *
 * First each mapping becomes one or more pieces (all of it or nothing of it is dumped).  Then
 * the pages of big anonymous pieces are looked at, in parallel: long runs of zero or dropped
 * pages end a load early (p_filesz < p_memsz) and begin a new one behind.  Shorter runs stay,
 * as holes of the file.  So the file is small even where a copy fills its holes.
 * Cost: one pass over writable memory, a bit a page.
 */
#include "report/coreplan.h"

#include "base/par.h"

#include <stdatomic.h>
#include <sys/stat.h>

#define SCAN_BYTES (2U << 20)
/* Loads are kept few enough for readers that go through them one by one. */
#define MAX_GAPS       20000U
#define MAX_ZERO_BYTES (1ULL << 30)

struct piece {
	struct trange range;
	unsigned prot;
	bool dump, lost;
	bool gaps;	     /* anonymous, so what is not there reads as zero */
	uint64_t first_page; /* of gaps: index in empty[] */
};

struct job {
	struct target *t;
	const struct go *go;
	const struct corefile_opts *o;
	struct redact *r;
	struct coreplan *plan;
	VEC(struct piece) pieces;
	/* the scan */
	struct scan_part {
		size_t piece;
		taddr at;
		size_t n;
	} * parts;
	size_t nparts;
	uint64_t npages;
	_Atomic uint8_t *empty; /* a bit a page */
};

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static bool ends(const char *s, const char *with)
{
	size_t n = strlen(s), k = strlen(with);

	return n >= k && !strcmp(s + n - k, with);
}

/* fs/coredump.c, vma_dump_size: a shared file without a name is anonymous shared memory. */
static bool is_foreign_file(const struct target_region *g)
{
	return g->path[0] == '/' && !ends(g->path, " (deleted)");
}

static bool is_exe(const struct job *j, const struct target_region *g)
{
	const char *exe = target_exe(j->t);

	return *exe && !strcmp(exe, g->path);
}

static bool overlap(struct trange a, struct trange b)
{
	return a.start < b.end && b.start < a.end;
}

static bool is_go_module(const struct job *j, const struct target_region *g)
{
	for (size_t i = 0; j->go && i < j->go->nmodules; i++) {
		const struct go_module *m = &j->go->modules[i];

		if (overlap(g->range, m->text) || overlap(g->range, m->types) ||
		    trange_has(g->range, m->addr) || trange_has(g->range, m->rodata))
			return true;
	}
	return false;
}

static struct err *push_piece(struct job *j, const struct target_region *g, taddr from, taddr to,
			      enum target_extent x)
{
	struct piece p = {
		.range = { from, to },
		.prot = g->prot,
		.dump = x == TARGET_BYTES,
		.lost = x == TARGET_NOTHING,
		.gaps = x == TARGET_BYTES && !g->inode && g->path[0] != '/',
	};

	return from >= to || vec_push(&j->pieces, p) ? NULL : &err_nomem;
}

/*
 * What the evidence does not have must not look like zeroes afterwards.  Of what it knows to be
 * zero a piece without bytes is enough; of a file's mapping such a piece would mean the file, so
 * that is written out, unless it is absurdly long.
 */
static struct err *add_dumped(struct job *j, const struct target_region *g, taddr from, taddr to)
{
	bool file = g->inode || g->path[0] == '/';
	struct err *err = NULL;

	for (taddr at = from, end; at < to && !err; at = end) {
		enum target_extent x = target_extent(j->t, at, &end);

		end = end >= to ? to : (end + CORE_PAGE - 1) & ~(taddr)(CORE_PAGE - 1);
		if (x == TARGET_ZEROES && file)
			x = end - at < MAX_ZERO_BYTES ? TARGET_BYTES : TARGET_NOTHING;
		err = push_piece(j, g, at, end, x);
		j->plan->lost_bytes += x == TARGET_NOTHING ? end - at : 0;
		j->plan->zero_bytes += x == TARGET_ZEROES ? end - at : 0;
	}
	return err;
}

static struct err *add(struct job *j, const struct target_region *g, taddr from, taddr to,
		       bool dump)
{
	if (from < to && (g->prot & REGION_READ)) {
		j->plan->memory_bytes += to - from;
		j->plan->dropped_bytes += dump ? 0 : to - from;
	}
	return dump ? add_dumped(j, g, from, to) : push_piece(j, g, from, to, TARGET_ZEROES);
}

/* Is the page at addr as it is in the executable's file?  What cannot be compared is not. */
static bool as_in_file(const struct job *j, const struct target_region *g, taddr at)
{
	uint8_t mem[CORE_PAGE], file[CORE_PAGE] = { 0 };
	int fd = target_exe_fd(j->t);
	size_t got = 0;
	struct err *err;
	ssize_t n;

	if (fd < 0)
		return false;
	n = pread(fd, file, sizeof(file), (off_t)(g->offset + (at - g->range.start)));
	if (n <= 0)
		return false;
	err = target_read_some(j->t, at, mem, sizeof(mem), &got);
	if (err)
		err_free(err);
	return !err && got == sizeof(mem) && !memcmp(mem, file, sizeof(mem));
}

/* A read-only part of the executable: only pages that were changed at start (relocations). */
static struct err *add_changed(struct job *j, const struct target_region *g)
{
	struct err *err = NULL;
	taddr from = g->range.start;
	bool changed = false;

	for (taddr at = from; at < g->range.end && !err; at += CORE_PAGE) {
		bool now = !as_in_file(j, g, at);

		if (at == from) {
			changed = now;
			continue;
		}
		if (now == changed)
			continue;
		err = add(j, g, from, at, changed);
		if (changed)
			ranges_add(&j->r->keep, from, at - from);
		from = at;
		changed = now;
	}
	if (!err)
		err = add(j, g, from, g->range.end, changed);
	if (changed)
		ranges_add(&j->r->keep, from, g->range.end - from);
	return err;
}

static struct err *add_file(struct job *j, const struct target_region *g, taddr from, taddr to)
{
	bool redact = j->o->detail == CORE_REDACTED, ours = is_exe(j, g) || is_go_module(j, g);
	struct err *err;

	if (g->prot & REGION_SHARED)
		return add(j, g, from, to, false);
	if (g->prot & REGION_WRITE)
		return add(j, g, from, to, true);
	if (ours && redact && is_exe(j, g))
		return add_changed(j, g);
	if (ours) {
		if (redact)
			ranges_add(&j->r->keep, from, to - from);
		return add(j, g, from, to, true);
	}
	if (g->offset || redact)
		return add(j, g, from, to, false);
	err = add(j, g, from, from + CORE_PAGE, true);
	return err ? err : add(j, g, from + CORE_PAGE, to, false);
}

static struct err *add_region(struct job *j, const struct target_region *g, taddr last)
{
	taddr from = MAX(g->range.start & ~(taddr)(CORE_PAGE - 1), last);
	taddr to = (g->range.end + CORE_PAGE - 1) & ~(taddr)(CORE_PAGE - 1);

	if (to <= from || begins(g->path, "[vvar") || !strcmp(g->path, "[vsyscall]"))
		return NULL;
	if (!(g->prot & REGION_READ))
		return add(j, g, from, to, false);
	if (j->r && !strcmp(g->path, "[vdso]"))
		ranges_add(&j->r->keep, from, to - from);
	if (begins(g->path, "/dev/") && is_foreign_file(g) && !begins(g->path, "/dev/shm/"))
		return add(j, g, from, to, false);
	return is_foreign_file(g) ? add_file(j, g, from, to) : add(j, g, from, to, true);
}

/* Names of data files may name customers: a redacted core names only what has code in it. */
static bool may_name(const struct job *j, const struct target_region *all, size_t n,
		     const struct target_region *g)
{
	if (j->o->detail != CORE_REDACTED || is_exe(j, g))
		return true;
	for (size_t i = 0; i < n; i++)
		if ((all[i].prot & REGION_EXEC) && !strcmp(all[i].path, g->path))
			return true;
	return false;
}

static struct err *choose(struct job *j)
{
	size_t n;
	const struct target_region *all = target_regions(j->t, &n);
	struct err *err = NULL;
	taddr last = 0;

	for (size_t i = 0; i < n && !err; i++) {
		const struct target_region *g = &all[i];

		if (g->path[0] == '/' && !may_name(j, all, n, g)) {
			if ((g->prot & REGION_SHARED) || !(g->prot & REGION_WRITE))
				continue;
		} else if (g->path[0] == '/' && !vec_push(&j->plan->files, *g)) {
			return &err_nomem;
		}
		err = add_region(j, g, last);
		if (j->pieces.n)
			last = j->pieces.v[j->pieces.n - 1].range.end;
	}
	return err;
}

/* A run of empty pages that ends a load must have so many pages. */
static uint64_t least_gap(const struct job *j)
{
	/* dlv takes what lies behind p_filesz for unmapped: in a full core only where it is long */
	return j->o->detail == CORE_ALL ? (1U << 20) / CORE_PAGE : 2;
}

static struct err *cut_parts(struct job *j)
{
	size_t cap = 0;

	for (size_t i = 0; i < j->pieces.n; i++) {
		struct piece *p = &j->pieces.v[i];
		uint64_t bytes = trange_bytes(p->range);

		p->gaps = p->gaps && bytes / CORE_PAGE >= least_gap(j);
		if (!p->gaps)
			continue;
		p->first_page = j->npages;
		j->npages += bytes / CORE_PAGE;
		cap += (size_t)(bytes / SCAN_BYTES + 1);
	}
	j->parts = zalloc(cap, sizeof(*j->parts));
	j->empty = bigalloc((size_t)(j->npages / 8 + 1), 1);
	if (!j->parts || !j->empty)
		return &err_nomem;
	for (size_t i = 0; i < j->pieces.n; i++) {
		const struct piece *p = &j->pieces.v[i];

		for (taddr at = p->range.start; p->gaps && at < p->range.end; at += SCAN_BYTES)
			j->parts[j->nparts++] = (struct scan_part){
				i, at, (size_t)MIN(p->range.end - at, (uint64_t)SCAN_BYTES)
			};
	}
	return NULL;
}

static void set_empty(struct job *j, const struct scan_part *p, size_t page)
{
	const struct piece *of = &j->pieces.v[p->piece];
	uint64_t i = of->first_page + (p->at - of->range.start) / CORE_PAGE + page;

	atomic_fetch_or_explicit(&j->empty[i >> 3], (uint8_t)(1U << (i & 7)), memory_order_relaxed);
}

static bool is_zero(const uint8_t *p, size_t n)
{
	return !*p && !memcmp(p, p + 1, n - 1);
}

/* Runs of pages that do not leave are not even read. */
static struct err *scan_part(struct job *j, const struct scan_part *p, uint8_t *buf)
{
	for (size_t i = 0; i < p->n / CORE_PAGE;) {
		taddr at = p->at + i * CORE_PAGE;
		size_t k = 0, got = 0;
		struct err *err;

		while (j->r && i < p->n / CORE_PAGE && redact_drops(j->r, at, CORE_PAGE)) {
			set_empty(j, p, i++);
			at += CORE_PAGE;
		}
		while (i + k < p->n / CORE_PAGE &&
		       !(j->r && redact_drops(j->r, at + k * CORE_PAGE, CORE_PAGE)))
			k++;
		if (!k)
			continue;
		err = target_read_some(j->t, at, buf, k * CORE_PAGE, &got);
		if (err)
			return err;
		got -= got % CORE_PAGE;
		if (got && j->r)
			redact_filter(j->r, at, buf, got);
		for (size_t page = 0; page < got / CORE_PAGE; page++)
			if (is_zero(buf + page * CORE_PAGE, CORE_PAGE))
				set_empty(j, p, i + page);
		i += got ? got / CORE_PAGE
			 : 1; /* an unreadable page is counted when it is written */
	}
	return NULL;
}

static struct err *scan_some(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct job *j = arg;
	_cleanup_(freep) uint8_t *buf = malloc(SCAN_BYTES);
	struct err *err = buf ? NULL : &err_nomem;

	(void)worker;
	for (size_t i = lo; i < hi && !err; i++)
		err = scan_part(j, &j->parts[i], buf);
	if (!err && j->o->tick)
		err = j->o->tick(j->o->arg, 0, 0);
	return err;
}

static bool is_empty(const struct job *j, uint64_t page)
{
	return j->empty[page >> 3] >> (page & 7) & 1;
}

/* Pages from `page` on that are all empty or all not. */
static uint64_t run_of(const struct job *j, uint64_t page, uint64_t end)
{
	uint64_t n = 1;

	while (page + n < end && is_empty(j, page + n) == is_empty(j, page))
		n++;
	return n;
}

static uint64_t count_gaps(const struct job *j, uint64_t least)
{
	uint64_t gaps = 0;

	for (size_t i = 0; i < j->pieces.n; i++) {
		const struct piece *p = &j->pieces.v[i];
		uint64_t at = p->first_page, end = at + trange_bytes(p->range) / CORE_PAGE;

		for (uint64_t n; p->gaps && at < end; at += n) {
			n = run_of(j, at, end);
			gaps += is_empty(j, at) && n >= least;
		}
	}
	return gaps;
}

static struct err *push_load(struct job *j, const struct piece *p, uint64_t from, uint64_t dumped,
			     uint64_t to)
{
	struct core_load l = {
		.range = { p->range.start + from * CORE_PAGE, p->range.start + to * CORE_PAGE },
		.file_bytes = (dumped - from) * CORE_PAGE,
		.prot = p->prot,
		.lost = p->lost,
	};

	return vec_push(&j->plan->loads, l) ? NULL : &err_nomem;
}

/* Page numbers are from the begin of the piece on. */
static struct err *split(struct job *j, const struct piece *p, uint64_t least)
{
	uint64_t from = 0, pages = trange_bytes(p->range) / CORE_PAGE;
	struct err *err = NULL;

	for (uint64_t at = 0, n; at < pages && !err; at += n) {
		n = run_of(j, p->first_page + at, p->first_page + pages);
		if (!is_empty(j, p->first_page + at) || n < least)
			continue;
		err = push_load(j, p, from, at, at + n);
		j->plan->zero_bytes += n * CORE_PAGE;
		from = at + n;
	}
	return err || from == pages ? err : push_load(j, p, from, pages, pages);
}

static struct err *make_loads(struct job *j)
{
	uint64_t least = least_gap(j);
	struct err *err = NULL;

	while (count_gaps(j, least) > MAX_GAPS)
		least *= 2;
	for (size_t i = 0; i < j->pieces.n && !err; i++) {
		const struct piece *p = &j->pieces.v[i];
		uint64_t pages = trange_bytes(p->range) / CORE_PAGE;

		err = p->gaps ? split(j, p, least) : push_load(j, p, 0, p->dump ? pages : 0, pages);
	}
	return err;
}

struct err *coreplan_make(struct target *t, const struct go *go, const struct corefile_opts *o,
			  struct redact *r, struct coreplan *ret)
{
	_cleanup_(coreplan_deinit) struct coreplan plan = { 0 };
	struct job j = { .t = t, .go = go, .o = o, .r = r, .plan = &plan };
	struct err *err = choose(&j);

	if (!err && r)
		err = ranges_settle(&r->keep);
	if (!err)
		err = cut_parts(&j);
	if (!err)
		err = par_for(o->nthreads, j.nparts, 4, scan_some, &j);
	if (!err)
		err = make_loads(&j);
	bigfree((void *)j.empty, (size_t)(j.npages / 8 + 1), 1);
	free(j.parts);
	vec_free(&j.pieces);
	if (err)
		return err;
	*ret = plan;
	plan = (struct coreplan){ 0 };
	return NULL;
}

void coreplan_deinit(struct coreplan *p)
{
	vec_free(&p->loads);
	vec_free(&p->files);
}
