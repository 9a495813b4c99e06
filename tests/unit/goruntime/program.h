/*
 * program.h - a hand-made Go program: pclntab, one module, stacks; expected values by hand.
 *
 * Text (offsets from TEXT); pcs are chosen, there is no code:
 *   main.leaf      0x00-0x20  pcsp 0 until 4, then 0x18
 *   main.caller    0x20-0x60  0x28 of frame; inlines main.in1, which inlines main.in2, at 0x30-0x38
 *   runtime.goexit 0x60-0x70  top frame
 *   main.leaf      0x70-0x80  same name again, no tables
 *   asyncPreempt   0x80-0x90  funcID 3, 0x10 of frame, assembly
 */
#ifndef LIMPET_TESTS_GORUNTIME_PROGRAM_H
#define LIMPET_TESTS_GORUNTIME_PROGRAM_H

#include "goruntime/pclntab.h"

#define MD	 0x10000UL
#define TABS	 0x20000UL
#define FUNCDATA 0x30000UL
#define TEXT	 0x400000UL
#define LEAF	 (TEXT + 0x00)
#define CALLER	 (TEXT + 0x20)
#define GOEXIT	 (TEXT + 0x60)
#define LEAF2	 (TEXT + 0x70)
#define ASYNC	 (TEXT + 0x80)
#define TEXT_END (TEXT + 0x90)

/* Offsets in the stack maps: see program.c. */
#define FD_CALLER_LOCALS 0x00U
#define FD_CALLER_ARGS	 0x20U
#define FD_CALLER_OBJS	 0x40U
#define FD_CALLER_INL	 0x80U
#define FD_LEAF_ARGS	 0xc0U
#define FD_MASK		 0xe0U /* pointer mask of the stack object; rodata == FUNCDATA */

struct program {
	uint8_t md[1024];
	uint8_t tabs[4096];
	uint8_t funcdata[512];
	struct go_layout L;
	struct go_module module;
	struct go g;
	struct target *t;
};

/* All parts; extra segments (stacks, gs) may follow.  The target is closed by program_close. */
void program_build(struct program *p);
struct err *program_open(struct program *p, const void *extra_segments, size_t nextra) MUST_CHECK;
void program_close(struct program *p);

#endif
