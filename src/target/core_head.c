/*
 * core_head.c - ELF header and program headers of a core, as far as the file goes.
 *
 * Source: elf(5); the kernel's fs/binfmt_elf.c (more than 65534 mappings: PN_XNUM).  Segments come
 * out sorted and without overlaps.  Knows nothing of their contents.
 */
#include "target/core_priv.h"

#include "base/bytes.h"

#include <elf.h>

#define MAX_HEADERS (1U << 20)

static struct err *check(struct core *c, const Elf64_Ehdr *h, size_t n)
{
	if (n < EI_NIDENT || memcmp(h->e_ident, ELFMAG, SELFMAG))
		return err_bad_data("%.200s: not an ELF file", c->path);
	if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB)
		return err_unsupported(
			"%.200s: a core of a 32-bit or big-endian program; limpet reads "
			"those of linux/amd64 and linux/arm64",
			c->path);
	if (n < sizeof(*h))
		return err_bad_data("%.200s: cut within its first %zu bytes; nothing can be read",
				    c->path, sizeof(*h));
	if (h->e_type != ET_CORE)
		return err_bad_data("%.200s: an ELF file, but no core", c->path);
	if (!regs_arch_of_machine(h->e_machine, &c->t.arch))
		return err_unsupported("%.200s: a core of another architecture (ELF machine %u); "
				       "limpet reads those of linux/amd64 and linux/arm64",
				       c->path, h->e_machine);
	if (h->e_phentsize != sizeof(Elf64_Phdr) || !h->e_phoff)
		return err_bad_data(
			"%.200s: no program headers: the core was cut short or is damaged",
			c->path);
	return NULL;
}

/* Too many for the header: section 0 has the number; the kernel writes that at the end. */
static struct err *count_many(struct core *c, const Elf64_Ehdr *h, uint64_t *ret)
{
	Elf64_Phdr first;
	Elf64_Shdr s;
	size_t n = 0;
	struct err *err = wrap_read(c->w, h->e_shoff, &s, sizeof(s), &n);

	if (err)
		return err;
	if (h->e_shoff && n == sizeof(s)) {
		*ret = s.sh_info;
		return NULL;
	}
	/* Cut off: the first segment begins where the headers end. */
	err = wrap_read(c->w, h->e_phoff, &first, sizeof(first), &n);
	if (!err && n == sizeof(first) && first.p_offset > h->e_phoff)
		*ret = (first.p_offset - h->e_phoff) / sizeof(first);
	return err;
}

static unsigned prot_of(uint32_t flags)
{
	return (flags & PF_R ? REGION_READ : 0U) | (flags & PF_W ? REGION_WRITE : 0U) |
	       (flags & PF_X ? REGION_EXEC : 0U);
}

static bool take(struct core *c, const Elf64_Phdr *p)
{
	uint64_t bytes = MIN(p->p_memsz, UINT64_MAX - p->p_vaddr);

	if (p->p_type == PT_NOTE && p->p_filesz)
		return vec_push(&c->notes,
				(struct trange){
					p->p_offset,
					p->p_offset + MIN(p->p_filesz, UINT64_MAX - p->p_offset) });
	if (p->p_type != PT_LOAD || !bytes)
		return true;
	return vec_push(&c->segs, (struct core_seg){
					  .range = { p->p_vaddr, p->p_vaddr + bytes },
					  .offset = p->p_offset,
					  .file_bytes = MIN(p->p_filesz, bytes),
					  .prot = prot_of(p->p_flags),
					  .lost = (p->p_flags & CORENOTE_PF_LOST) && !p->p_filesz,
				  });
}

static int by_start(const void *a, const void *b)
{
	const struct core_seg *x = a, *y = b;

	return (x->range.start > y->range.start) - (x->range.start < y->range.start);
}

/* What a segment says of addresses that one before it had is dropped. */
static void without_overlaps(struct core *c)
{
	size_t n = 0;
	taddr end = 0;

	if (c->segs.n)
		qsort(c->segs.v, c->segs.n, sizeof(*c->segs.v), by_start);
	for (size_t i = 0; i < c->segs.n; i++) {
		struct core_seg s = c->segs.v[i];
		uint64_t cut = n && s.range.start < end ? end - s.range.start : 0;

		if (cut >= trange_bytes(s.range))
			continue;
		s.range.start += cut;
		s.offset += cut;
		s.file_bytes -= MIN(cut, s.file_bytes);
		end = s.range.end;
		c->segs.v[n++] = s;
	}
	c->segs.n = n;
}

static struct err *read_all(struct core *c, uint64_t at, uint64_t n)
{
	enum { BATCH = 512 };
	_cleanup_(freep) Elf64_Phdr *p = zalloc(BATCH, sizeof(*p));

	if (!p)
		return &err_nomem;
	for (uint64_t i = 0; i < n; i += BATCH) {
		size_t got = 0, want = (size_t)MIN(n - i, (uint64_t)BATCH);
		struct err *err = wrap_read(c->w, at + i * sizeof(*p), p, want * sizeof(*p), &got);

		if (err)
			return err;
		got /= sizeof(*p);
		for (size_t k = 0; k < got; k++)
			if (!take(c, &p[k]))
				return &err_nomem;
		if (got < want) {
			c->lost_headers = n - i - got;
			break;
		}
	}
	without_overlaps(c);
	return NULL;
}

struct err *core_read_heads(struct core *c)
{
	Elf64_Ehdr h = { 0 };
	size_t n = 0;
	uint64_t count;
	struct err *err = wrap_read(c->w, 0, &h, sizeof(h), &n);

	if (!err)
		err = check(c, &h, n);
	if (err)
		return err;
	count = h.e_phnum;
	if (count == PN_XNUM)
		err = count_many(c, &h, &count);
	if (err)
		return err;
	if (count > MAX_HEADERS)
		return err_bad_data("%.200s: %" PRIu64 " program headers: the core is damaged",
				    c->path, count);
	return read_all(c, h.e_phoff, count);
}
