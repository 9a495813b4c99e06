/*
 * corenote.h - the note by which a core that limpet wrote says so.
 *
 * One ELF note, name "limpet", type CORENOTE_TYPE, its desc a struct corenote followed by the
 * path of the executable, NUL-terminated.  Readers that do not know it pass over it.
 *
 * In a core without CORENOTE_FLAG_ZEROES bytes of a PT_LOAD beyond p_filesz were not dumped:
 * they come from the file that NT_FILE names there, or are lost.  With it they are zeroes that
 * were left out, except in a PT_LOAD with p_filesz 0 that NT_FILE covers when
 * CORENOTE_FLAG_FILES is set: those are pages as they are in that file.
 *
 * A second one, name "limpet", type CORENOTE_FDS, is the list of open descriptors (core_fds.c has
 * its form).  It is not in a core from which contents were left out: paths and hosts are contents.
 */
#ifndef LIMPET_TARGET_CORENOTE_H
#define LIMPET_TARGET_CORENOTE_H

#include <stdint.h>

#define CORENOTE_NAME	 "limpet"
#define CORENOTE_TYPE	 0x4c4d5054 /* dlv goes by the type alone, and 1 is NT_PRSTATUS */
#define CORENOTE_FDS	 0x4c4d4644
#define CORENOTE_VERSION 1

/*
 * In p_flags of a PT_LOAD without bytes (one of PF_MASKOS): it was mapped, but the evidence that
 * this core was made of had lost what was there.
 */
#define CORENOTE_PF_LOST 0x00100000U

enum {
	CORENOTE_FLAG_ZEROES = 1,     /* zero pages were left out */
	CORENOTE_FLAG_NO_PAYLOAD = 2, /* pointer-free objects were left out: they read as zeroes */
	CORENOTE_FLAG_REDACTED = 4,   /* strings and bytes were overwritten by zeroes */
	CORENOTE_FLAG_FILES = 8,      /* unchanged pages of files were left out */
};

struct corenote {
	uint32_t version; /* a reader refuses none: later ones only add at the end */
	uint32_t flags;
	uint64_t at_unix_ns;
	uint64_t pause_ns;
	uint64_t started_unix_ns; /* 0 unknown */
	uint32_t pid;
	uint32_t pad;
	/* char exe[]; */
};

_Static_assert(sizeof(struct corenote) == 40, "a file format has no padding of its own");

#endif
