/*
 * goruntime.h - the Go runtime inside a target: the only door that knows Go versions.
 *
 * Opening finds version, layout, modules, and the runtime's own variables, with no
 * symbols and no DWARF, each checked.  Everything read is bounded and validated; a
 * corrupted target gives errors and losses, never a crash.
 *
 * struct go borrows the target and must not outlive it.  After go_open it is
 * immutable: all functions below may be called from several threads at once.
 */
#ifndef LIMPET_GORUNTIME_GORUNTIME_H
#define LIMPET_GORUNTIME_GORUNTIME_H

#include "base/err.h"
#include "goruntime/layout.h"
#include "target/target.h"

#define GO_PAGE_SHIFT 13
#define GO_PAGE_BYTES (1U << GO_PAGE_SHIFT)	/* runtime/malloc.go: pageSize */

/* runtime/symtab.go: moduledata; the parts that limpet uses.  Slices are {addr, len}. */
struct go_module {
	taddr addr;			/* of the moduledata itself */
	struct trange text;		/* text, etext */
	struct trange data, bss;	/* with pointers: roots */
	struct trange noptrdata, noptrbss;
	struct trange types;		/* types, etypes */
	taddr rodata, gofunc;
	taddr gcdata, gcbss;		/* GC programs or masks of data, bss */
	taddr gcdatamask, gcbssmask;	/* expanded 1 bit/word masks (bytedata) */
	uint64_t gcdatamask_bits, gcbssmask_bits;
	taddr itablinks; uint64_t nitablinks;	/* ≤ 1.26 */
	struct trange itabs;			/* ≥ 1.27: itaboffset, itabsize */
	taddr typelinks; uint64_t ntypelinks;
	struct go_pclntab *pclntab;	/* goruntime/funcs.h; owned by struct go */
};

/*
 * runtime.forcegcperiod as every program has it, and as limpet leaves it for a moment (nudge.h): a
 * prime, so that nobody else means it.
 */
#define GO_FORCEGC_PERIOD_NS 120000000000ULL
#define GO_FORCEGC_NUDGED_NS 100000007ULL

/* Addresses of runtime variables; 0 when this version has none or it was not found. */
struct go_vars {
	taddr mheap;			/* runtime.mheap_ */
	taddr allgs;			/* the slice runtime.allgs */
	taddr allfin;			/* *finBlock list head variable */
	taddr gccleanups;		/* runtime.gcCleanups (1.25+) */
	taddr cleanups_all;
	taddr allm, allp;
	taddr sched;
	taddr gcphase;
	taddr work;			/* runtime.work: cycles, bytesMarked */
	taddr gccontroller;		/* runtime.gcController */
	taddr memstats;
	taddr mbuckets;			/* *bucket list head */
	taddr memprofilerate;
	taddr mprofcycle;		/* of the memory profile */
	taddr bbuckets, xbuckets;	/* *bucket list heads: blocking, mutexes */
	taddr mutexprofilerate;
	taddr ticks;			/* runtime.ticks: of cputicks() and nanotime() */
	taddr forcegcperiod;		/* of two minutes; a collection by sysmon is due after it */
	taddr finptrmask;
	taddr firstmoduledata;
};

/* A function that is known without a pclntab: from its entry up to the last pc seen in it. */
struct go_known_func {
	taddr entry, end;
	const char *name;
};

struct go {
	struct target *t;		/* borrowed */
	const struct go_layout *L;	/* borrowed, or owned when loaded */
	bool layout_exact;		/* table of exactly this minor and experiments */
	char version[64];		/* "go1.26.8-X:nogreenteagc" */
	char experiments[128];		/* "" or comma separated */
	bool stripped;			/* no .symtab */
	bool dwarf;			/* has .debug_info */
	bool no_dwarf;			/* nor will it be looked at: --symbols none */
	bool cgo;			/* runtime/cgo or external linking seen */
	char *module_path;		/* build info, "" when none; owned */
	char *module_version;
	char *vcs_revision;
	char *dependencies;		/* paths of modules, a line each */
	struct go_module *modules;	/* owned; [0] is the main one */
	size_t nmodules;
	struct go_vars v;
	struct elf_symbols *symbols;	/* data symbols (name, range, runtime address), or NULL; owned */
	struct go_debug *debug;		/* file with DWARF, debugfile.h; NULL: none; owned */
	const char *debug_lack;		/* why a debuginfod gave none, static; NULL: not asked, or has none */
	const struct go_known_func *known; /* ascending; go_open_file() only */
	size_t nknown;
	void *priv;			/* detector's notes */
};

struct go_opts {
	const char *layout_file;	/* --layout, or NULL */
	const char *exe;		/* --exe, or NULL: the target's own */
	const char *symbols;		/* --symbols, or NULL: what belongs to the executable; "none" */
	const char *sysroot;		/* --sysroot, or NULL */
};

/* Errors: ERR_UNSUPPORTED ("not a Go program", "go1.31: no table; field …"), ERR_BAD_DATA, target's. */
struct err *go_open(struct target *t, const struct go_opts *o, struct go **ret) MUST_CHECK;
void go_close(struct go *g); /* NULL allowed */

/* What a file tells that holds no runtime; texts are borrowed until go_close(). */
struct go_file_facts {
	const char *version, *arch;
	struct trange data, bss;	/* empty: unknown */
	const struct go_known_func *funcs; /* ascending by entry, not overlapping */
	size_t nfuncs;
	const char *const *wait_reasons; /* of the numbers that goroutines will have */
	uint32_t nwait_reasons;
};

/* The struct go of such a file: no runtime's variables, no types, no lines. */
struct err *go_open_file(struct target *t, const struct go_file_facts *f, struct go **ret) MUST_CHECK;
static inline void go_closep(struct go **g)
{
	go_close(*g);
}

/* Read one whole struct of the layout at addr; buf must hold its size. */
static inline struct err *go_read(const struct go *g, taddr addr, void *buf, size_t nbytes)
{
	return target_read(g->t, addr, buf, nbytes);
}

struct err *go_read_u64(const struct go *g, taddr addr, uint64_t *ret) MUST_CHECK;
struct err *go_read_u32(const struct go *g, taddr addr, uint32_t *ret) MUST_CHECK;

/* Module whose text (or types) holds the address, or NULL. */
const struct go_module *go_module_of_text(const struct go *g, taddr pc);
const struct go_module *go_module_of_type(const struct go *g, taddr type);

#endif
