/*
 * detect.h - between open.c and the files that find things; nobody else includes it.
 *
 * Order: detect_exe (file, version, bias) -> modules (pclntab search, moduledata) ->
 * detect_vars (runtime variables by code) -> detect_check (does the table fit?).
 */
#ifndef LIMPET_GORUNTIME_DETECT_H
#define LIMPET_GORUNTIME_DETECT_H

#include "elf/exe.h"
#include "elf/symbols.h"
#include "goruntime/arch.h"
#include "goruntime/funcs.h"

struct detect {
	struct elf_exe exe;	 /* empty when no file could be read */
	char file[512];		 /* its path, for messages */
	unsigned others;	 /* libraries with Go beside that one */
	uint64_t inode;		 /* of the file with Go in it; 0 unknown */
	taddr bias;		 /* run time minus link time */
	struct go_layout *owned; /* --layout, or NULL */
	char notes[512];	 /* variables not found, and why */
	bool nomem;		 /* a validator said no for want of memory: no verdict */
};

/* The word at a multiple of 8 in memory that the program can only read: tables of the linker. */
bool go_constant_word(const struct go *g, taddr at, uint64_t *ret);

struct err *go_detect_exe(struct go *g, struct detect *d, const char *exe) MUST_CHECK;
/* Run time minus link time of a mapped file; false: no executable part of it is mapped. */
bool go_file_bias(struct target *t, const struct elf_exe *e, uint64_t inode, taddr *ret);
/* The file of a mapping, seen through the target's own root; -1: gone, or another one. */
int go_open_mapped(const struct go *g, const struct target_region *r);
/* After the modules are known: globals' names of the files behind the first. */
struct err *go_detect_libs(struct go *g, const struct detect *d) MUST_CHECK;
struct err *go_detect_modules(struct go *g, const struct detect *d) MUST_CHECK;
void go_modules_free(struct go *g);
struct err *go_detect_vars(struct go *g, struct detect *d) MUST_CHECK;
struct err *go_detect_check(const struct go *g) MUST_CHECK;

/* What the validators in detect_valid.c say about a variable at that address. */
bool go_valid_mheap(const struct go *g, taddr at);
bool go_valid_allgs(const struct go *g, taddr at);
bool go_valid_allm(const struct go *g, taddr at);
bool go_valid_allp(const struct go *g, taddr at);
bool go_valid_allfin(const struct go *g, taddr at);
bool go_valid_cleanups(const struct go *g, taddr at);
bool go_valid_gcphase(const struct go *g, taddr at);
bool go_valid_controller(const struct go *g, taddr at);
bool go_valid_memstats(const struct go *g, taddr at);
bool go_valid_sched(const struct go *g, taddr at);
bool go_valid_work(const struct go *g, taddr at);
bool go_valid_mbuckets(const struct go *g, taddr at);
bool go_valid_bbuckets(const struct go *g, taddr at);
bool go_valid_xbuckets(const struct go *g, taddr at);
bool go_valid_rate(const struct go *g, taddr at);
bool go_valid_period(const struct go *g, taddr at);
bool go_valid_any(const struct go *g, taddr at);

/* Whole words; false when unreadable (the error is dropped: a candidate was wrong). */
bool go_try_read(const struct go *g, taddr at, void *buf, size_t n);
static inline uint64_t go_try_u64(const struct go *g, taddr at)
{
	uint64_t x;

	return go_try_read(g, at, &x, 8) ? x : UINT64_MAX;
}

/*
 * Call fn for each place in the readable regions that pick accepts where the pattern lies at a
 * multiple of align; fn returns true to stop.  Regions beyond 2 GiB are passed over, and after
 * 4 GiB of them all.
 */
struct go_scan {
	const void *pattern;
	size_t npattern, align;
	bool (*pick)(void *arg, const struct target_region *r);
	bool (*fn)(void *arg, taddr at);
	void *arg;
};
struct err *go_scan_regions(struct target *t, const struct go_scan *s) MUST_CHECK;

/*
 * A core that was cut: the program had memory there, the core has not.  No evidence for or
 * against whatever should be there.  False in a target that lost nothing.
 */
bool go_lost(const struct go *g, taddr at, uint64_t nbytes);

/* Variables that symbols contradict, in words; "" when they agree or there are none. */
void go_vars_compare(const struct go *g, char *buf, size_t nbuf);

#endif
