/*
 * codeprog.h - a hand-made program of code: functions with known names, four types, globals.
 *
 *   CODE      main.f, to be filled; callees of one byte each behind it
 *   DATA      8 words for the collector without pointers; BSS: 32 words, all pointers or none by
 * bss_mask T         main.T struct { p *main.T; n int }      PT *main.T     MAP map[int]*main.T
 *   CLOSURE   struct { F uintptr; X0 *main.T }
 */
#ifndef LIMPET_TESTS_GORUNTIME_CODEPROG_H
#define LIMPET_TESTS_GORUNTIME_CODEPROG_H

#include "goruntime/coderefs.h"
#include "goruntime/fake_target.h"

#define CODE	   0x400000UL
#define CODE_BYTES 0x800U
#define CALLEES	   (CODE + CODE_BYTES)
#define TYPES	   0x500000UL
#define DATA	   0x600000UL
#define BSS	   0x601000UL
#define BSS_WORDS  32U
#define MASKS	   0x700000UL

#define TYPE_INT     (TYPES + 0x100)
#define TYPE_T	     (TYPES + 0x200)
#define TYPE_PT	     (TYPES + 0x300)
#define TYPE_MAP     (TYPES + 0x400)
#define TYPE_CLOSURE (TYPES + 0x500)
#define TYPE_UINTPTR (TYPES + 0x600)

/* What main.f may call; entries are CALLEES + 16 * number. */
enum {
	CALL_NEWOBJECT,
	CALL_MAKESLICE,
	CALL_MAKEMAP,
	CALL_MAPASSIGN,
	CALL_GROWSLICE,
	CALL_TYPEDMEMMOVE,
	CALL_BARRIER,
	CALL_METHOD, /* main.(*T).m */
	CALL_FUNC1,  /* main.f.func1 */
	CALL_OTHER,  /* main.g */
	NCALLS
};

static inline taddr code_callee(unsigned number)
{
	return CALLEES + 16UL * number;
}

struct codeprog {
	struct fake f;
	struct go g;
	struct go_module m;
	struct go_known_func funcs[NCALLS + 1];
	struct go_types *ts;
	uint32_t next_name;
};

/* All but the code; L must be of amd64.  False: no memory. */
bool codeprog_open(struct codeprog *p, const struct go_layout *L);
void codeprog_close(struct codeprog *p);
void codeprog_bss(struct codeprog *p, uint32_t pointers); /* bit w: word w of bss is a pointer */

#endif
