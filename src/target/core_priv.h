/*
 * core_priv.h - an ELF core while it is being opened: between the core_*.c files only.
 *
 * Order: core_read_heads (segments) -> core_read_notes (threads, files, auxv) ->
 * core_map (with what the core itself holds) -> core_find_files (executable and libraries,
 * compared with what it holds) -> core_map again (with them).
 *
 * Everything here comes from a file that may be damaged or hostile: counts are bounded, ranges
 * are clipped, text ends within its note.
 */
#ifndef LIMPET_TARGET_CORE_PRIV_H
#define LIMPET_TARGET_CORE_PRIV_H

#include "elf/exe.h"
#include "target/corenote.h"
#include "target/ops.h"
#include "target/wrap.h"

#define CORE_PAGE_BYTES 4096U
#define CORE_NO_FILE	UINT32_MAX

/* One PT_LOAD. */
struct core_seg {
	struct trange range;
	uint64_t offset, file_bytes; /* file_bytes <= length of range */
	unsigned prot;		     /* REGION_* */
	bool lost;		     /* CORENOTE_PF_LOST */
};

/* One mapping of a file: a line of NT_FILE. */
struct core_mapping {
	struct trange range;
	uint64_t offset;
	uint32_t file; /* index in files */
};

/* A mapped file, opened or not. */
struct core_file {
	const char *path; /* as the core says it; borrowed from names */
	int fd;		  /* -1: not found, or not the one that was mapped */
	uint64_t inode;	  /* real when opened, else of our own */
	uint64_t bytes;
	bool exec;	  /* some mapping of it is executable */
	struct elf_exe x; /* when opened */
};

enum core_from { CORE_FROM_CORE, CORE_FROM_FILE, CORE_ZEROES, CORE_CUT, CORE_LOST };

/* A run of addresses with one source. */
struct core_piece {
	struct trange range;
	uint64_t offset;
	uint32_t file;
	uint8_t from; /* enum core_from */
};

struct core_note_facts {
	pid_t pid;
	char args[81]; /* the command line, as far as the kernel keeps it */
	bool ours;
	struct corenote note;
	const char *exe; /* of our own note; "" none */
};

struct core {
	struct target t;
	struct wrap_file *w;
	char path[512];

	VEC(struct core_seg) segs; /* ascending, not overlapping */
	VEC(struct trange) notes;  /* offsets in the file */
	VEC(struct core_mapping) mappings;
	VEC(struct core_file) files;
	VEC(struct core_piece) pieces;
	VEC(char *) names; /* owned text */
	struct core_note_facts facts;
	uint32_t main_file;   /* the executable, CORE_NO_FILE: unknown */
	bool all_from_a_file; /* nothing is known of files: any region may be of one */
	uint64_t lost_headers;
};

struct err *core_read_heads(struct core *c) MUST_CHECK;
struct err *core_read_notes(struct core *c) MUST_CHECK;

/* Regions and pieces anew; files that are not open give none. */
struct err *core_map(struct core *c) MUST_CHECK;
struct err *core_count_losses(struct core *c) MUST_CHECK;

struct err *core_find_files(struct core *c, const struct target_file_opts *o) MUST_CHECK;

/* How the bytes of an opened file agree with those that the core holds of it. */
enum core_verdict { CORE_SAME, CORE_OTHER, CORE_CANNOT_TELL };
struct err *core_compare(struct core *c, uint32_t file, enum core_verdict *ret, char *why,
			 size_t nwhy) MUST_CHECK;

/* Add a file; its index, or CORE_NO_FILE when memory is short.  path is copied. */
uint32_t core_add_file(struct core *c, const char *path);
/* Text that lives as long as the core; NULL when memory is short. */
const char *core_keep(struct core *c, const char *text, size_t n);
/* Value of an AT_ entry, 0 when there is none. */
uint64_t core_auxv(const struct core *c, uint64_t type);

/* text[0 .. n) of CORENOTE_FDS; rows point into it.  Untouched when it is no list. */
struct err *core_fds_parse(char *text, size_t n, struct target_fd **ret, size_t *ret_n) MUST_CHECK;

struct err *core_read_some(struct target *t, taddr addr, void *buf, size_t nbytes, size_t *ret);

#endif
