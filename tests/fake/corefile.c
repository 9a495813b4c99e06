/*
 * corefile.c - writes fake cores.
 */
#include "fake/corefile.h"

#include <elf.h>
#include <stdio.h>
#include <sys/mman.h>

static void put(struct corefile *c, const void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)!vec_push(&c->notes, ((const uint8_t *)p)[i]);
	while (c->notes.n % 4)
		(void)!vec_push(&c->notes, 0);
}

void corefile_note(struct corefile *c, const char *name, uint32_t type, const void *desc, size_t n)
{
	uint32_t h[3] = { (uint32_t)(*name ? strlen(name) + 1 : 0), (uint32_t)n, type };

	put(c, h, sizeof(h));
	put(c, name, h[0]);
	put(c, desc, n);
}

/* include/linux/elfcore.h: elf_prstatus; 8 bytes follow the registers. */
static void thread(struct corefile *c, pid_t tid, const void *regs, size_t n)
{
	uint8_t b[112 + sizeof(struct target_regs) + 8] = { 0 };

	memcpy(b + 32, &tid, 4);
	memcpy(b + 112, regs, n);
	corefile_note(c, "CORE", NT_PRSTATUS, b, 112 + n + 8);
}

void corefile_thread(struct corefile *c, pid_t tid, const struct regs_amd64 *regs)
{
	thread(c, tid, regs, 216);
}

void corefile_thread_arm64(struct corefile *c, pid_t tid, const struct regs_arm64 *regs)
{
	thread(c, tid, regs, 272);
}

void corefile_files(struct corefile *c, const struct corefile_mapping *m, size_t n)
{
	VEC(uint8_t) d = { 0 };
	uint64_t head[2] = { n, 4096 };

	for (size_t k = 0; k < sizeof(head); k++)
		(void)!vec_push(&d, ((uint8_t *)head)[k]);
	for (size_t i = 0; i < n; i++) {
		uint64_t w[3] = { m[i].start, m[i].end, m[i].page };

		for (size_t k = 0; k < sizeof(w); k++)
			(void)!vec_push(&d, ((uint8_t *)w)[k]);
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k <= strlen(m[i].path); k++)
			(void)!vec_push(&d, (uint8_t)m[i].path[k]);
	corefile_note(c, "CORE", NT_FILE, d.v, d.n);
	vec_free(&d);
}

static uint64_t write_loads(const struct corefile *c, int fd, uint64_t at, Elf64_Phdr *ph)
{
	for (size_t i = 0; i < c->loads.n; i++) {
		const struct corefile_load *l = &c->loads.v[i];

		ph[i] = (Elf64_Phdr){ .p_type = PT_LOAD,
				      .p_flags = l->flags,
				      .p_offset = at,
				      .p_vaddr = l->at,
				      .p_filesz = l->nbytes,
				      .p_memsz = l->mem_bytes };
		if (l->nbytes && pwrite(fd, l->bytes, l->nbytes, (off_t)at) < 0)
			perror("pwrite");
		at += l->nbytes;
	}
	return at;
}

int corefile_write(const struct corefile *c, size_t max)
{
	size_t n = c->loads.n + 1;
	int fd = memfd_create("core", MFD_CLOEXEC);
	_cleanup_(freep) Elf64_Phdr *ph = zalloc(n, sizeof(*ph));
	uint64_t at = sizeof(Elf64_Ehdr) + n * sizeof(*ph);
	Elf64_Ehdr h = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = (uint16_t)(c->machine ? c->machine : EM_X86_64),
		.e_phoff = sizeof(h),
		.e_phentsize = sizeof(*ph),
		.e_phnum = (uint16_t)(c->many ? PN_XNUM : n),
	};
	Elf64_Shdr s = { .sh_info = (uint32_t)n };

	if (fd < 0 || !ph)
		return fd;
	ph[0] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = at, .p_filesz = c->notes.n };
	if (c->notes.n && pwrite(fd, c->notes.v, c->notes.n, (off_t)at) < 0)
		perror("pwrite");
	at = write_loads(c, fd, at + c->notes.n, ph + 1);
	if (c->many) {
		h.e_shoff = at;
		if (pwrite(fd, &s, sizeof(s), (off_t)at) < 0)
			perror("pwrite");
		at += sizeof(s);
	}
	if (pwrite(fd, &h, sizeof(h), 0) < 0 || pwrite(fd, ph, n * sizeof(*ph), sizeof(h)) < 0 ||
	    ftruncate(fd, (off_t)MIN(at, (uint64_t)max)))
		perror("pwrite");
	return fd;
}

const char *corefile_path(char buf[static 32], int fd)
{
	snprintf(buf, 32, "/proc/self/fd/%d", fd);
	return buf;
}

void corefile_deinit(struct corefile *c)
{
	vec_free(&c->notes);
	vec_free(&c->loads);
}
