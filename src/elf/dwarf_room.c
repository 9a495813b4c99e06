/*
 * dwarf_room.c - is there memory for the DWARF of a file, before libdw unpacks it?
 *
 * libdw takes every section that it knows as it is and unpacked, at once; short of memory it
 * exits, or stumbles over a hash table that it could not make.  So it is asked before: by the
 * sections' headers, and by reserving that much for a moment.  Reads nothing but headers.
 */
#include "elf/dwarf_priv.h"

#include <endian.h>
#include <errno.h>
#include <gelf.h>
#include <sys/mman.h>

#define MAX_BYTES (4ULL << 30)	/* sizes in headers may be lies; a caddy has 45 MiB */
#define SLACK	  (12ULL << 20) /* tables of units and abbreviations */

static void elf_endp(Elf **e)
{
	if (*e)
		elf_end(*e);
}

/* As it is in the file, and unpacked: 0 where it is not packed. */
static uint64_t unpacked(int fd, const GElf_Shdr *sh, const char *name)
{
	union {
		Elf64_Chdr gabi;
		struct {
			char magic[4];
			uint32_t high, low; /* big-endian */
		} gnu;
	} h;

	if (pread(fd, &h, sizeof(h), (off_t)sh->sh_offset) != (ssize_t)sizeof(h))
		return 0;
	if (sh->sh_flags & SHF_COMPRESSED)
		return h.gabi.ch_size;
	if (strncmp(name, ".zdebug_", 8) || memcmp(h.gnu.magic, "ZLIB", 4))
		return 0;
	return (uint64_t)be32toh(h.gnu.high) << 32 | be32toh(h.gnu.low);
}

static uint64_t bytes_of(int fd, Elf *elf)
{
	Elf_Scn *scn = NULL;
	uint64_t sum = 0;
	GElf_Shdr sh;
	size_t shstr;

	if (elf_getshdrstrndx(elf, &shstr) != 0)
		return 0;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name =
			gelf_getshdr(scn, &sh) ? elf_strptr(elf, shstr, sh.sh_name) : NULL;

		if (!name || sh.sh_type == SHT_NOBITS ||
		    (strncmp(name, ".debug_", 7) && strncmp(name, ".zdebug_", 8)))
			continue;
		if (__builtin_add_overflow(sum, sh.sh_size, &sum) ||
		    __builtin_add_overflow(sum, unpacked(fd, &sh, name), &sum))
			return UINT64_MAX;
	}
	return sum;
}

struct err *dwarf_room(int fd)
{
	_cleanup_(elf_endp) Elf *elf = NULL;
	uint64_t need;
	void *p;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	need = elf ? bytes_of(fd, elf) : 0;
	if (!need)
		return NULL;
	if (need > MAX_BYTES)
		return err_bad_data("its DWARF says that it takes %" PRIu64 " MiB", need >> 20);
	need += SLACK;
	p = mmap(NULL, need, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		 -1, 0);
	if (p == MAP_FAILED)
		return err_new(ERR_LIMIT,
			       "its DWARF takes about %" PRIu64 " MiB, which are not left: allow "
			       "more (--max-memory), or do without it (--symbols none)",
			       need >> 20);
	munmap(p, need);
	return NULL;
}
