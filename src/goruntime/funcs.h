/*
 * funcs.h - functions of the target: names, lines, inlining, stack maps, from pclntab alone.
 *
 * Source: internal/abi/symtab.go, runtime/symtab.go, runtime/symtabinl.go,
 * runtime/stkframe.go.  The table is read from the target's memory once and
 * bounds-checked on every step; names are borrowed until go_close().
 */
#ifndef LIMPET_GORUNTIME_FUNCS_H
#define LIMPET_GORUNTIME_FUNCS_H

#include "goruntime/goruntime.h"

/* A function as found in ftab.  Valid until go_close(). */
struct go_func {
	const struct go_module *module;
	const char *name;	/* linker name: "main.(*T).m", generics as the linker spells them */
	taddr entry, end;
	uint64_t func_off;	/* of _func in pclntable */
	uint8_t func_id;	/* internal/abi.FuncID, version's own numbering: compare with L->c_funcid_* */
	uint8_t flag;		/* abi.FuncFlag */
	int32_t args_bytes;	/* _func.args */
	uint32_t deferreturn;
	uint32_t npcdata, nfuncdata;
};

/* One logical frame at a pc, innermost first when inlined. */
struct go_line {
	const char *function;
	const char *file;
	int line;
	bool inlined;		/* into the next one */
	bool wrapper;		/* made by the compiler around a method: abi.FuncIDWrapper */
	bool panics;		/* runtime.gopanic, sigpanic, panicwrap: a wrapper that calls it is shown */
	taddr pc;		/* in it: the pc asked for, of outer ones that of the call */
	taddr entry;		/* of the function that has code of its own */
	int start_line;		/* of the function; 0: not known (before Go 1.20) */
};

/* Read and index the pclntab of m; called by go_open for each module. */
struct err *go_pclntab_open(struct go *g, struct go_module *m, struct go_pclntab **ret) MUST_CHECK;
void go_pclntab_close(struct go_pclntab *p);

/* Function that contains pc; false when none. */
bool go_func_at(const struct go *g, taddr pc, struct go_func *ret);
/* The same of functions without a pclntab (go_open_file); go_func_at asks it. */
bool go_known_func_at(const struct go *g, taddr pc, struct go_func *ret);
/* First function of exactly that name; false when none. */
bool go_func_by_name(const struct go *g, const char *name, struct go_func *ret);
/* Visit all functions of all modules. */
void go_func_each(const struct go *g, void (*fn)(void *arg, const struct go_func *f), void *arg);

/*
 * Logical frames at pc (a return address is passed as pc - 1 by the caller),
 * innermost first; returns how many were written, at most max.
 */
size_t go_lines_at(const struct go *g, taddr pc, struct go_line *lines, size_t max);

/* PCDATA/FUNCDATA; table numbers are abi.PCDATA_* / abi.FUNCDATA_*. -1 / 0 when absent. */
int32_t go_pcdata(const struct go *g, const struct go_func *f, unsigned table, taddr pc);
taddr go_funcdata(const struct go *g, const struct go_func *f, unsigned table);
/* Bytes from SP to the return address slot at pc (pcsp); -1 when unknown. */
int32_t go_spdelta(const struct go *g, const struct go_func *f, taddr pc);

/*
 * Calls in a function's code: fn(arg, name of the callee, pc), inlined ones first, in no order.
 * Not those through pointers.  Errors: NOMEM, GONE; code that cannot be read calls nothing.
 */
typedef void go_call_fn(void *arg, const char *callee, taddr pc);
struct err *go_func_calls(const struct go *g, const struct go_func *f, go_call_fn *fn,
			  void *arg) MUST_CHECK;
/* Does its code name an address in that range?  By pattern: a false yes is rare, not excluded. */
struct err *go_func_refers(const struct go *g, const struct go_func *f, struct trange to,
			   bool *ret) MUST_CHECK;

#endif
