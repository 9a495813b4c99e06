/*
 * corewrite.c - headers and places of an ELF core, and its bytes on demand.
 *
 * A range of the file is either of the head, which is kept, or of a load, which is read from
 * the target when it is asked for.  Finding the load is a binary search; nothing is cached.
 * Cost: 56 + 40 bytes a load.
 */
#include "target/corewrite.h"

#include "base/str.h"
#include "target/corenote.h"

#include <elf.h>
#include <stdatomic.h>

struct core_image {
	struct target *t;
	core_filter *filter;
	void *arg;
	const struct core_load *loads;
	size_t nloads;
	uint64_t *off; /* of loads[i] in the file; off[nloads] = size */
	struct str head;
	_Atomic uint64_t lost;
};

static uint64_t page_up(uint64_t n)
{
	return (n + CORE_PAGE - 1) & ~(uint64_t)(CORE_PAGE - 1);
}

/* binfmt_elf.c, fill_elf_header and fill_extnum_info: beyond 65534 headers section 0 counts. */
static bool many(const struct core_image *c)
{
	return c->nloads + 1 >= PN_XNUM;
}

static uint64_t notes_offset(const struct core_image *c)
{
	return sizeof(Elf64_Ehdr) + (c->nloads + 1) * sizeof(Elf64_Phdr) +
	       (many(c) ? sizeof(Elf64_Shdr) : 0);
}

static void put_ehdr(struct core_image *c)
{
	Elf64_Ehdr e = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT, ELFOSABI_NONE },
		.e_type = ET_CORE,
		.e_machine = regs_shape(target_arch(c->t))->machine,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = many(c) ? PN_XNUM : (Elf64_Half)(c->nloads + 1),
	};

	if (many(c)) {
		e.e_shoff = notes_offset(c) - sizeof(Elf64_Shdr);
		e.e_shentsize = sizeof(Elf64_Shdr);
		e.e_shnum = 1;
	}
	str_putn(&c->head, (const char *)&e, sizeof(e));
}

static Elf64_Word flags_of(unsigned prot)
{
	return (prot & REGION_READ ? PF_R : 0) | (prot & REGION_WRITE ? PF_W : 0) |
	       (prot & REGION_EXEC ? PF_X : 0);
}

static void put_phdrs(struct core_image *c, uint64_t notes_bytes)
{
	Elf64_Phdr n = {
		.p_type = PT_NOTE,
		.p_offset = notes_offset(c),
		.p_filesz = notes_bytes,
		.p_align = 4,
	};

	str_putn(&c->head, (const char *)&n, sizeof(n));
	for (size_t i = 0; i < c->nloads; i++) {
		const struct core_load *l = &c->loads[i];
		Elf64_Phdr p = {
			.p_type = PT_LOAD,
			.p_flags = flags_of(l->prot) | (l->lost ? CORENOTE_PF_LOST : 0),
			.p_offset = c->off[i],
			.p_vaddr = l->range.start,
			.p_filesz = l->file_bytes,
			.p_memsz = trange_bytes(l->range),
			.p_align = CORE_PAGE,
		};

		str_putn(&c->head, (const char *)&p, sizeof(p));
	}
	if (many(c)) {
		Elf64_Shdr s = { .sh_info = (Elf64_Word)(c->nloads + 1) };

		str_putn(&c->head, (const char *)&s, sizeof(s));
	}
}

static void put_zeroes(struct str *o, size_t n)
{
	static const char zero[CORE_PAGE];

	for (; n && !o->bad; n -= MIN(n, sizeof(zero)))
		str_putn(o, zero, MIN(n, sizeof(zero)));
}

static struct err *lay_out(struct core_image *c, const struct core_plan *p)
{
	_cleanup_(str_deinit) struct str notes = { 0 };
	uint64_t at;

	core_notes(&notes, c->t, p);
	at = page_up(notes_offset(c) + notes.n);
	for (size_t i = 0; i < c->nloads; i++) {
		c->off[i] = at;
		at += c->loads[i].file_bytes;
	}
	c->off[c->nloads] = at;
	put_ehdr(c);
	put_phdrs(c, notes.n);
	str_putn(&c->head, notes.s ? notes.s : "", notes.n);
	put_zeroes(&c->head, (size_t)(page_up(c->head.n) - c->head.n));
	return notes.bad || c->head.bad ? &err_nomem : NULL;
}

static struct err *check(const struct core_plan *p)
{
	taddr last = 0;

	for (size_t i = 0; i < p->nloads; i++) {
		const struct core_load *l = &p->loads[i];

		if (l->range.start < last || l->range.end <= l->range.start ||
		    ((l->range.start | l->range.end | l->file_bytes) & (CORE_PAGE - 1)) ||
		    l->file_bytes > trange_bytes(l->range))
			return err_bad_data("mapping " TADDR_FMT "-" TADDR_FMT
					    " is not of whole pages",
					    l->range.start, l->range.end);
		last = l->range.end;
	}
	return NULL;
}

struct err *core_image_create(struct target *t, const struct core_plan *p, struct core_image **ret)
{
	struct err *err = check(p);

	if (err)
		return err;
	_cleanup_(core_image_freep) struct core_image *c = zalloc(1, sizeof(*c));
	if (!c)
		return &err_nomem;
	c->t = t;
	c->filter = p->filter;
	c->arg = p->arg;
	c->loads = p->loads;
	c->nloads = p->nloads;
	c->off = zalloc(p->nloads + 1, sizeof(*c->off));
	if (!c->off)
		return &err_nomem;
	err = lay_out(c, p);
	if (err)
		return err;
	*ret = STEAL(c);
	return NULL;
}

void core_image_free(struct core_image *c)
{
	if (!c)
		return;
	str_deinit(&c->head);
	free(c->off);
	free(c);
}

uint64_t core_image_bytes(const struct core_image *c)
{
	return c->off[c->nloads];
}

uint64_t core_image_lost_bytes(const struct core_image *c)
{
	return atomic_load_explicit(&c->lost, memory_order_relaxed);
}

/* Page by page around what cannot be read. */
static struct err *read_memory(struct core_image *c, taddr at, uint8_t *buf, size_t n)
{
	while (n) {
		size_t got = 0, hole;
		struct err *err = target_read_some(c->t, at, buf, n, &got);

		if (err_catch(&err, ERR_FAULT))
			got = 0;
		if (err)
			return err;
		hole = got < n ? MIN(n - got, (size_t)(CORE_PAGE - ((at + got) & (CORE_PAGE - 1))))
			       : 0;
		memset(buf + got, 0, hole);
		atomic_fetch_add_explicit(&c->lost, hole, memory_order_relaxed);
		at += got + hole;
		buf += got + hole;
		n -= got + hole;
	}
	return NULL;
}

/* With what lies beside it in the same load, so that the filter sees no cut string. */
static struct err *read_filtered(struct core_image *c, const struct core_load *l, uint64_t in,
				 uint8_t *buf, size_t n)
{
	size_t before = (size_t)MIN(in, (uint64_t)CORE_CONTEXT);
	size_t after = (size_t)MIN(l->file_bytes - in - n, (uint64_t)CORE_CONTEXT);
	_cleanup_(freep) uint8_t *wide = malloc(before + n + after);
	taddr at = l->range.start + in - before;
	struct err *err;

	if (!wide)
		return &err_nomem;
	err = read_memory(c, at, wide, before + n + after);
	if (err)
		return err;
	c->filter(c->arg, at, wide, before + n + after);
	memcpy(buf, wide + before, n);
	return NULL;
}

/* The last load that begins at or before off; those without bytes are passed over. */
static size_t load_at(const struct core_image *c, uint64_t off)
{
	size_t lo = 0, hi = c->nloads;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->off[mid + 1] <= off)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct err *core_image_read(struct core_image *c, uint64_t off, void *buf, size_t n)
{
	uint8_t *to = buf;
	size_t i;

	if (off < c->head.n) {
		size_t k = (size_t)MIN((uint64_t)n, c->head.n - off);

		memcpy(to, c->head.s + off, k);
		off += k;
		to += k;
		n -= k;
	}
	for (i = load_at(c, off); n && i < c->nloads; i++) {
		const struct core_load *l = &c->loads[i];
		uint64_t in = off - c->off[i];
		size_t k = (size_t)MIN((uint64_t)n, l->file_bytes - in);
		struct err *err;

		if (!k)
			continue;
		err = c->filter ? read_filtered(c, l, in, to, k)
				: read_memory(c, l->range.start + in, to, k);
		if (err)
			return err;
		off += k;
		to += k;
		n -= k;
	}
	return NULL;
}
