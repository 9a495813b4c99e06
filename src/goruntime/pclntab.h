/*
 * pclntab.h - the pclntab of one module as read from the target (private to funcs*, unwind).
 *
 * All tables are owned copies; every access goes through an offset check.  The
 * function table is sorted by entry, checked when it is opened:
 *
 *   ftab[i].entryoff <= ftab[i + 1].entryoff, 0 <= i < nfunc (the last one is the end)
 */
#ifndef LIMPET_GORUNTIME_PCLNTAB_H
#define LIMPET_GORUNTIME_PCLNTAB_H

#include "goruntime/funcs.h"

/* internal/abi/symtab.go */
enum {
	GO_PCDATA_UNSAFE_POINT = 0,
	GO_PCDATA_STACK_MAP_INDEX = 1,
	GO_PCDATA_INL_TREE_INDEX = 2,

	GO_FUNCDATA_ARGS_POINTER_MAPS = 0,
	GO_FUNCDATA_LOCALS_POINTER_MAPS = 1,
	GO_FUNCDATA_STACK_OBJECTS = 2,
	GO_FUNCDATA_INL_TREE = 3,

	GO_FUNC_FLAG_TOP_FRAME = 1,
	GO_FUNC_FLAG_SP_WRITE = 2,
	GO_FUNC_FLAG_ASM = 4,
};
#define GO_ARGS_SIZE_UNKNOWN INT32_MIN

/* Bytes of the target at [at, at + n); one NUL follows them. */
struct go_blob {
	uint8_t *p;
	uint64_t n;
	taddr at;
};

/* runtime/symtab.go: textsect; more than one only in huge or odd links. */
struct go_textsect {
	uint64_t vaddr, end;
	taddr base;
};

struct go_pclntab {
	const struct go_layout *L; /* borrowed */
	struct trange pcs;	   /* minpc, maxpc */
	taddr text, gofunc;
	struct go_blob names, cutab, files, pctab, funcs;
	struct go_blob ftab_own; /* when ftab lies outside pclntable */
	const uint8_t *ftab;	 /* nfunc + 1 entries of L->functab_bytes */
	uint32_t nfunc;
	uint8_t quantum;	   /* unit of the tables' pcs */
	struct go_blob funcdata;   /* from gofunc on */
	struct go_textsect *sects; /* owned; NULL: one section */
	uint64_t nsects;
	uint32_t *by_name; /* open-addressed: function index + 1; name_slots is a power of two */
	uint32_t name_slots;
};

/* "" when off is outside. */
static inline const char *go_blob_text(const struct go_blob *b, uint64_t off)
{
	return off < b->n ? (const char *)b->p + off : "";
}

static inline const uint8_t *go_blob_at(const struct go_blob *b, uint64_t off, uint64_t n)
{
	return off <= b->n && n <= b->n - off ? b->p + off : NULL;
}

/* Bytes at a target address inside the funcdata copy, else NULL. */
static inline const uint8_t *go_funcdata_view(const struct go_pclntab *p, taddr at, uint64_t n)
{
	return at >= p->gofunc ? go_blob_at(&p->funcdata, at - p->gofunc, n) : NULL;
}

/* Bytes from at on that the copy holds. */
static inline uint64_t go_funcdata_left(const struct go_pclntab *p, taddr at)
{
	return at >= p->gofunc && at - p->gofunc < p->funcdata.n ? p->funcdata.n - (at - p->gofunc)
								 : 0;
}

uint32_t go_pclntab_entryoff(const struct go_pclntab *p, uint32_t i);
uint32_t go_pclntab_funcoff(const struct go_pclntab *p, uint32_t i);
/* runtime.(*moduledata).textAddr, textOff. */
taddr go_pclntab_text_addr(const struct go_pclntab *p, uint32_t off);
bool go_pclntab_text_off(const struct go_pclntab *p, taddr pc, uint32_t *ret);
/* Name of function i: "" when damaged. */
const char *go_pclntab_name(const struct go_pclntab *p, uint32_t i);
bool go_pclntab_find_name(const struct go_pclntab *p, const char *name, uint32_t *ret);
/* runtime.pcvalue: value of the table at pctab offset off; -1 when there is none. */
int32_t go_pcvalue(const struct go_pclntab *p, uint32_t off, taddr entry, taddr pc);

#endif
