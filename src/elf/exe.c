/*
 * exe.c - one walk over program headers and sections of an ELF file.
 *
 * Build info is looked for in its section, else in the writable segments (a file whose
 * section headers were cut off).  Knows no process.
 */
#include "elf/exe.h"

#include "base/crash.h"

#include <errno.h>
#include <elfutils/version.h>
#include <gelf.h>
#include <stdio.h>
#include <sys/stat.h>

#define MAX_SEGMENTS 256

static void elf_endp(Elf **e)
{
	if (*e)
		elf_end(*e);
}

static void hex(char *to, size_t nto, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n && 2 * i + 2 < nto; i++)
		snprintf(to + 2 * i, 3, "%02x", p[i]);
}

static void note(struct elf_exe *e, const char *name, Elf_Data *d)
{
	GElf_Nhdr h;
	size_t at = 0, name_at, desc_at;
	const uint8_t *p = d->d_buf;

	while (p && (at = gelf_getnote(d, at, &h, &name_at, &desc_at)) > 0) {
		if (h.n_namesz == 4 && !memcmp(p + name_at, "GNU", 4) && h.n_type == 3)
			hex(e->build_id, sizeof(e->build_id), p + desc_at, h.n_descsz);
		else if (h.n_namesz == 4 && !memcmp(p + name_at, "Go\0", 4) &&
			 !strcmp(name, ".note.go.buildid"))
			snprintf(e->go_build_id, sizeof(e->go_build_id), "%.*s", (int)h.n_descsz,
				 (const char *)p + desc_at);
	}
}

/* ELFCOMPRESS_ZSTD came to the standard in 2022 and to libelf with elfutils 0.189. */
static bool cannot_unpack(Elf_Scn *scn, const GElf_Shdr *sh)
{
	GElf_Chdr ch;

	return !_ELFUTILS_PREREQ(0, 189) && (sh->sh_flags & SHF_COMPRESSED) &&
	       gelf_getchdr(scn, &ch) && ch.ch_type == 2;
}

static void section(struct elf_exe *e, Elf_Scn *scn, const GElf_Shdr *sh, const char *name)
{
	Elf_Data *d;

	if (sh->sh_type == SHT_SYMTAB)
		e->symtab = true;
	if (!strcmp(name, ".debug_info") || !strcmp(name, ".zdebug_info")) {
		e->dwarf_zstd = cannot_unpack(scn, sh);
		e->dwarf = !e->dwarf_zstd;
	}
	if (sh->sh_type == SHT_NOTE && (d = elf_getdata(scn, NULL)))
		note(e, name, d);
	if (!strcmp(name, ".gnu_debuglink") && (d = elf_getdata(scn, NULL)) && d->d_buf)
		snprintf(e->debug_link, sizeof(e->debug_link), "%.*s",
			 (int)MIN(d->d_size, sizeof(e->debug_link)), (const char *)d->d_buf);
	if (!e->go && !strcmp(name, ".go.buildinfo") && (d = elf_getdata(scn, NULL)) && d->d_buf) {
		e->go = go_buildinfo_parse(d->d_buf, d->d_size, &e->info);
		e->info_addr = sh->sh_addr;
	}
}

static void sections(Elf *elf, struct elf_exe *e)
{
	Elf_Scn *scn = NULL;
	size_t shstr;

	if (elf_getshdrstrndx(elf, &shstr) != 0)
		return;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;
		const char *name;

		if (!gelf_getshdr(scn, &sh) || !(name = elf_strptr(elf, shstr, sh.sh_name)))
			continue;
		section(e, scn, &sh, name);
	}
}

static struct err *segments(Elf *elf, struct elf_exe *e)
{
	size_t n;

	if (elf_getphdrnum(elf, &n) != 0 || n > MAX_SEGMENTS)
		return err_bad_data("program headers: %s", elf_errmsg(-1));
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(elf, (int)i, &ph))
			continue;
		e->interp = e->interp || ph.p_type == PT_INTERP;
		if (ph.p_type != PT_LOAD)
			continue;
		if (!vec_push(&e->segments, (struct elf_segment){
						    .vaddr = ph.p_vaddr,
						    .offset = ph.p_offset,
						    .file_bytes = ph.p_filesz,
						    .mem_bytes = ph.p_memsz,
						    .exec = ph.p_flags & PF_X,
						    .write = ph.p_flags & PF_W,
					    }))
			return &err_nomem;
	}
	return NULL;
}

/* Without sections: as debug/buildinfo does, in the first 64 KiB of writable segments. */
static void search_buildinfo(int fd, struct elf_exe *e)
{
	_cleanup_(freep) uint8_t *buf = malloc(1U << 16);

	for (size_t i = 0; buf && i < e->segments.n && !e->go; i++) {
		const struct elf_segment *s = &e->segments.v[i];
		ssize_t n;

		if (!s->write)
			continue;
		n = pread(fd, buf, MIN((uint64_t)1 << 16, s->file_bytes), (off_t)s->offset);
		if (n > 0)
			e->go = go_buildinfo_parse(buf, (size_t)n, &e->info);
	}
}

static struct err *check_header(Elf *elf, const char *name, struct elf_exe *e)
{
	GElf_Ehdr eh;

	if (elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &eh))
		return err_bad_data("%s: not an ELF file", name);
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 || eh.e_ident[EI_DATA] != ELFDATA2LSB)
		return err_unsupported("%s: not a 64-bit little-endian ELF file", name);
	e->machine = eh.e_machine;
	e->pie = eh.e_type == ET_DYN;
	return NULL;
}

struct err *elf_exe_read(int fd, const char *name, struct elf_exe *ret)
{
	_cleanup_(elf_exe_deinit) struct elf_exe e = { 0 };
	_cleanup_(elf_endp) Elf *elf = NULL;
	char words[CRASH_WORDS];
	struct err *err;

	READING(crash_words(words, "ELF", name, ""));
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!elf)
		return err_bad_data("%s: %s", name, elf_errmsg(-1));
	err = check_header(elf, name, &e);
	if (!err)
		err = segments(elf, &e);
	if (err)
		return err;
	sections(elf, &e);
	if (!e.go)
		search_buildinfo(fd, &e);
	*ret = e;
	e = (struct elf_exe){ 0 };
	return NULL;
}

void elf_exe_deinit(struct elf_exe *e)
{
	go_buildinfo_deinit(&e->info);
	vec_free(&e->segments);
}
