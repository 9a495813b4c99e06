/*
 * corefile.h - an ELF core, byte by byte as a test wants it, in a file without a name.
 *
 * Order of the file: header, program headers, notes, contents of the segments.
 */
#ifndef LIMPET_FAKE_COREFILE_H
#define LIMPET_FAKE_COREFILE_H

#include "target/target.h"

struct corefile_load {
	taddr at;
	uint32_t flags; /* PF_* */
	uint64_t mem_bytes;
	const void *bytes;
	size_t nbytes; /* in the file */
};

struct corefile {
	VEC(uint8_t) notes;
	VEC(struct corefile_load) loads;
	uint32_t machine; /* 0: EM_X86_64 */
	bool many;	  /* as if there were too many headers for the header */
};

void corefile_note(struct corefile *c, const char *name, uint32_t type, const void *desc, size_t n);
void corefile_thread(struct corefile *c, pid_t tid, const struct regs_amd64 *regs);
void corefile_thread_arm64(struct corefile *c, pid_t tid, const struct regs_arm64 *regs);

struct corefile_mapping {
	taddr start, end;
	uint64_t page; /* offset in pages of 4096 */
	const char *path;
};
void corefile_files(struct corefile *c, const struct corefile_mapping *m, size_t n);

/* Descriptor of the file, cut to at most max bytes; its path by corefile_path(). */
int corefile_write(const struct corefile *c, size_t max);
const char *corefile_path(char buf[static 32], int fd);
void corefile_deinit(struct corefile *c);

#endif
