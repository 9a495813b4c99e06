/*
 * calls.h - how a system call looks in the registers of a stopped thread, and how to make one.
 *
 * Registers in, registers out: no thread is touched, and all of it is the same on every machine.
 * The order of an injected call (inject.c):
 *
 *   call_look()    where does the thread stand, at which instruction
 *   call_go_back() -> next stop: entry of some harmless call, or of the interrupted one
 *   call_make()    -> next stop: exit; call_result()
 *   call_restart() -> the thread goes on as if nothing had happened
 */
#ifndef LIMPET_TARGET_CALLS_H
#define LIMPET_TARGET_CALLS_H

#include "target/regs.h"

#define CALL_CODE_BYTES                                                                            \
	16 /* of code that call_look() wants, from call_insn_bytes() before the pc */

enum call_where {
	CALL_NOWHERE, /* in code of the program */
	CALL_BEHIND,  /* behind the instruction: it was made, or is to be restarted */
	CALL_BEFORE,  /* at the instruction: it will be made, perhaps once more */
	CALL_ODD,     /* in a call, but not by an instruction that is known */
};

struct call_site {
	enum call_where where;
	taddr insn;	/* of the instruction that makes calls */
	long nr;	/* call_nr() */
	_Bool go_futex; /* runtime.futex made it, whose callers drop the result */
};

/* Length of the instruction that makes a call, and its places in code: n when there is none. */
unsigned call_insn_bytes(enum target_arch arch);
size_t call_find_insn(enum target_arch arch, const uint8_t *code, size_t n);

void call_look(enum target_arch arch, const struct target_regs *r,
	       const uint8_t code[static CALL_CODE_BYTES], struct call_site *ret);

/* Its number as far as registers tell: on arm64 what was the number of the last one; -1 in none. */
long call_nr(enum target_arch arch, const struct target_regs *r);
/* Argument 0 … 5 of the call that the thread is in. */
uint64_t call_arg(enum target_arch arch, const struct target_regs *r, unsigned i);

/* From where it stands to the next entry stop.  s->insn is set, also for one that stands nowhere.
 */
struct target_regs call_go_back(enum target_arch arch, const struct target_regs *orig,
				const struct call_site *s, long harmless_nr);

/* At an entry stop: this call instead. */
struct target_regs call_make(enum target_arch arch, const struct target_regs *orig,
			     const struct call_site *s, long nr, const uint64_t args[static 6]);

long call_result(enum target_arch arch, const struct target_regs *r);

/*
 * At the exit stop: as orig, and the interrupted call begins anew when the thread runs: by hand,
 * since ours stood between its interruption and its restart.  entered: the registers at the entry
 * stop.
 */
struct target_regs call_restart(enum target_arch arch, const struct target_regs *orig,
				const struct call_site *s, const struct target_regs *entered,
				long restart_nr);

/* A call of a thread that stands behind one: for a twin that is to run nothing else. */
struct target_regs call_again(enum target_arch arch, const struct target_regs *behind, long nr,
			      const uint64_t args[static 6]);

#endif
