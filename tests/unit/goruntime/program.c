/*
 * program.c - the bytes of program.h, written as the linker would.
 */
#include "program.h"
#include "fake/segments.h"

#include <assert.h>

/* Tables inside tabs: fixed places, generous gaps. */
enum {
	T_NAMES = 0x000,
	T_CUTAB = 0x100,
	T_FILES = 0x140,
	T_PCTAB = 0x200,
	T_FUNCS = 0x400, /* pclntable; ftab lies at its start */
	T_FUNCS_BYTES = 0x400,
};

static void put32(uint8_t *p, size_t at, uint32_t v)
{
	memcpy(p + at, &v, 4);
}

static void put64(uint8_t *p, size_t at, uint64_t v)
{
	memcpy(p + at, &v, 8);
}

static void no_fields(struct go_layout *L)
{
	static const struct go_field none = { -1, 0 };

#define LAYOUT_STRUCT(s, type)	   L->s##_bytes = 0;
#define LAYOUT_FIELD(s, f, path)   L->s##_##f = none;
#define LAYOUT_CONST(name, symbol) L->c_##name = -1;
#include "goruntime/layout_fields.h"
#undef LAYOUT_STRUCT
#undef LAYOUT_FIELD
#undef LAYOUT_CONST
}

static void layout_tables(struct go_layout *L)
{
	L->go = "test";
	L->moduledata_bytes = 512;
	L->moduledata_funcnametab = (struct go_field){ 8, 24 };
	L->moduledata_cutab = (struct go_field){ 32, 24 };
	L->moduledata_filetab = (struct go_field){ 56, 24 };
	L->moduledata_pctab = (struct go_field){ 80, 24 };
	L->moduledata_pclntable = (struct go_field){ 104, 24 };
	L->moduledata_ftab = (struct go_field){ 128, 24 };
	L->moduledata_minpc = (struct go_field){ 160, 8 };
	L->moduledata_maxpc = (struct go_field){ 168, 8 };
	L->moduledata_text = (struct go_field){ 176, 8 };
	L->moduledata_gofunc = (struct go_field){ 320, 8 };
	L->functab_bytes = 8;
	L->functab_entryoff = (struct go_field){ 0, 4 };
	L->functab_funcoff = (struct go_field){ 4, 4 };
	L->func_bytes = 44;
	L->func_entryOff = (struct go_field){ 0, 4 };
	L->func_nameOff = (struct go_field){ 4, 4 };
	L->func_args = (struct go_field){ 8, 4 };
	L->func_deferreturn = (struct go_field){ 12, 4 };
	L->func_pcsp = (struct go_field){ 16, 4 };
	L->func_pcfile = (struct go_field){ 20, 4 };
	L->func_pcln = (struct go_field){ 24, 4 };
	L->func_npcdata = (struct go_field){ 28, 4 };
	L->func_cuOffset = (struct go_field){ 32, 4 };
	L->func_startLine = (struct go_field){ 36, 4 };
	L->func_funcID = (struct go_field){ 40, 1 };
	L->func_flag = (struct go_field){ 41, 1 };
	L->func_nfuncdata = (struct go_field){ 43, 1 };
	L->inlinedCall_bytes = 16;
	L->inlinedCall_nameOff = (struct go_field){ 4, 4 };
	L->inlinedCall_parentPc = (struct go_field){ 8, 4 };
	L->stackObjectRecord_bytes = 16;
	L->stackObjectRecord_off = (struct go_field){ 0, 4 };
	L->stackObjectRecord_size = (struct go_field){ 4, 4 };
	L->stackObjectRecord_ptrdata = (struct go_field){ 8, 4 };
	L->stackObjectRecord_gcdataoff = (struct go_field){ 12, 4 };
	L->c_funcid_asyncPreempt = 3;
}

static void build_moduledata(uint8_t *md)
{
	const struct {
		size_t at;
		uint64_t v;
	} words[] = {
		{ 8, TABS + T_NAMES },	 { 16, 0x80 },
		{ 32, TABS + T_CUTAB },	 { 40, 4 },
		{ 56, TABS + T_FILES },	 { 64, 0x40 },
		{ 80, TABS + T_PCTAB },	 { 88, 0x100 },
		{ 104, TABS + T_FUNCS }, { 112, T_FUNCS_BYTES },
		{ 128, TABS + T_FUNCS }, { 136, 6 },
		{ 160, TEXT },		 { 168, TEXT_END },
		{ 176, TEXT },		 { 320, FUNCDATA },
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		put64(md, words[i].at, words[i].v);
}

/*
 * pctab.  A pair is zigzag(value delta), pc delta; values begin at -1; 0 ends a table.
 *   0x01  pcsp of leaf:    0 for 4 bytes, 0x18 for 0x1c            (+1 +24)
 *   0x10  pcsp of caller:  0x28 for 0x40                           (+41)
 *   0x20  pcfile of caller: file 1 for 0x10, 0 for 8, 1 for 0x28
 *   0x30  pcln of caller:  100 for 0x10, 7 for 8, 103 for 0x28
 *   0x40  inline index of caller: -1 for 0x10, 1 for 4, 0 for 4, -1 for 0x28
 *   0x50  stack map index of caller: -1 for 8, 1 for 0x38
 *   0x60  pcsp of goexit:  0 for 0x10
 *   0x70  pcsp of asyncPreempt: 0x10 for 0x10
 *   0x80  pcln of leaf:    12 for 0x20
 *   0x90  pcfile of leaf:  0 for 0x20
 */
static void build_pctab(uint8_t *t)
{
	static const uint8_t bytes[] = {
		[0x01] = 2,
		4,
		48,
		0x1c,
		0,
		[0x10] = 82,
		0x40,
		0,
		[0x20] = 4,
		0x10,
		1,
		8,
		2,
		0x28,
		0,
		[0x30] = 0xca,
		1,
		0x10,
		0xb9,
		1,
		8,
		0xc0,
		1,
		0x28,
		0,
		/* a first delta of 0 does not end the table */
		[0x40] = 0,
		0x10,
		4,
		4,
		1,
		4,
		1,
		0x28,
		0,
		[0x50] = 0,
		8,
		4,
		0x38,
		0,
		[0x60] = 2,
		0x10,
		0,
		[0x70] = 34,
		0x10,
		0,
		[0x80] = 26,
		0x20,
		0,
		[0x90] = 2,
		0x20,
		0,
	};

	memcpy(t + T_PCTAB, bytes, sizeof(bytes));
}

struct fn {
	uint32_t entry, name, args, pcsp, pcfile, pcln;
	uint8_t id, flag;
	uint32_t pcdata[3], funcdata[4];
};

#define NONE UINT32_MAX

/* Names lie 16 bytes apart from 0x10 on; funcdata ~0 is "none". */
static const struct fn fns[] = {
	{ 0x00, 0x10, 16, 0x01, 0x90, 0x80, 0, 0, { 0, 0, 0 }, { FD_LEAF_ARGS, NONE, NONE, NONE } },
	{ 0x20,
	  0x20,
	  16,
	  0x10,
	  0x20,
	  0x30,
	  0,
	  0,
	  { 0, 0x50, 0x40 },
	  { FD_CALLER_ARGS, FD_CALLER_LOCALS, FD_CALLER_OBJS, FD_CALLER_INL } },
	{ 0x60,
	  0x30,
	  0,
	  0x60,
	  0,
	  0,
	  0,
	  GO_FUNC_FLAG_TOP_FRAME,
	  { 0, 0, 0 },
	  { NONE, NONE, NONE, NONE } },
	{ 0x70, 0x10, 0, 0, 0, 0, 0, 0, { 0, 0, 0 }, { NONE, NONE, NONE, NONE } },
	{ 0x80, 0x40, 0, 0x70, 0, 0, 3, GO_FUNC_FLAG_ASM, { 0, 0, 0 }, { NONE, NONE, NONE, NONE } },
};

static void build_funcs(uint8_t *t)
{
	uint8_t *f = t + T_FUNCS;

	for (size_t i = 0; i < ARRAY_LEN(fns); i++) {
		size_t at = 0x40 + 0x60 * i;

		put32(f, 8 * i, fns[i].entry);
		put32(f, 8 * i + 4, (uint32_t)at);
		put32(f, at, fns[i].entry);
		put32(f, at + 4, fns[i].name);
		put32(f, at + 8, fns[i].args);
		put32(f, at + 16, fns[i].pcsp);
		put32(f, at + 20, fns[i].pcfile);
		put32(f, at + 24, fns[i].pcln);
		put32(f, at + 28, 3);
		put32(f, at + 32, i == 1 ? 2 : 0); /* cuOffset */
		f[at + 40] = fns[i].id;
		f[at + 41] = fns[i].flag;
		f[at + 43] = 4;
		for (size_t k = 0; k < 3; k++)
			put32(f, at + 44 + 4 * k, fns[i].pcdata[k]);
		for (size_t k = 0; k < 4; k++)
			put32(f, at + 56 + 4 * k, fns[i].funcdata[k]);
	}
	put32(f, 8 * ARRAY_LEN(fns), 0x90); /* the end */
}

static void build_texts(uint8_t *t)
{
	static const char *const names[] = { "main.leaf",      "main.caller", "runtime.goexit",
					     "runtime.asyncP", "main.in1",    "main.in2" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		strcpy((char *)t + T_NAMES + 0x10 * (i + 1), names[i]);
	/* cutab: unit 0 has {leaf.go, -}, unit 2 has {in.go, caller.go} */
	put32(t, T_CUTAB, 1);
	put32(t, T_CUTAB + 4, UINT32_MAX);
	put32(t, T_CUTAB + 8, 0x11);
	put32(t, T_CUTAB + 12, 0x21);
	strcpy((char *)t + T_FILES + 0x01, "leaf.go");
	strcpy((char *)t + T_FILES + 0x11, "in.go");
	strcpy((char *)t + T_FILES + 0x21, "caller.go");
}

static void put_inlined(uint8_t *f, size_t i, uint32_t name, uint32_t parent_pc)
{
	put32(f, FD_CALLER_INL + 16 * i + 4, name);
	put32(f, FD_CALLER_INL + 16 * i + 8, parent_pc);
}

static void build_funcdata(uint8_t *f)
{
	/* locals of caller: 2 maps of 4 words; map 0 none, map 1 words 0 and 3 */
	put32(f, FD_CALLER_LOCALS, 2);
	put32(f, FD_CALLER_LOCALS + 4, 4);
	f[FD_CALLER_LOCALS + 9] = 0x9;
	/* arguments of caller: 2 maps of 2 words; map 1 has word 1 */
	put32(f, FD_CALLER_ARGS, 2);
	put32(f, FD_CALLER_ARGS + 4, 2);
	f[FD_CALLER_ARGS + 8] = 0x3;
	f[FD_CALLER_ARGS + 9] = 0x2;
	/* one stack object: words 1 and 2 of the locals, the second one a pointer */
	put64(f, FD_CALLER_OBJS, 1);
	put32(f, FD_CALLER_OBJS + 8, (uint32_t)-24);
	put32(f, FD_CALLER_OBJS + 12, 16);
	put32(f, FD_CALLER_OBJS + 16, 16);
	put32(f, FD_CALLER_OBJS + 20, FD_MASK);
	f[FD_MASK] = 0x2;
	/* 0: in1 called at caller+0x18; 1: in2 called at caller+0x14, that is in in1 */
	put_inlined(f, 0, 0x50, 0x18);
	put_inlined(f, 1, 0x60, 0x14);
	/* leaf: 1 map of 2 words, word 0 */
	put32(f, FD_LEAF_ARGS, 1);
	put32(f, FD_LEAF_ARGS + 4, 2);
	f[FD_LEAF_ARGS + 8] = 0x1;
}

void program_build(struct program *p)
{
	memset(p, 0, sizeof(*p));
	no_fields(&p->L);
	layout_tables(&p->L);
	build_moduledata(p->md);
	build_texts(p->tabs);
	build_pctab(p->tabs);
	build_funcs(p->tabs);
	build_funcdata(p->funcdata);
}

struct err *program_open(struct program *p, const void *extra_segments, size_t nextra)
{
	struct fake_segment segs[16] = {
		{ MD, p->md, sizeof(p->md) },
		{ TABS, p->tabs, sizeof(p->tabs) },
		{ FUNCDATA, p->funcdata, sizeof(p->funcdata) },
	};

	assert(nextra <= ARRAY_LEN(segs) - 3);
	if (nextra)
		memcpy(segs + 3, extra_segments, nextra * sizeof(*segs));
	p->t = fake_target(segs, 3 + nextra);
	if (!p->t)
		return &err_nomem;
	p->module = (struct go_module){ .addr = MD, .rodata = FUNCDATA, .gofunc = FUNCDATA };
	p->g.t = p->t;
	p->g.L = &p->L;
	p->g.modules = &p->module;
	p->g.nmodules = 1;
	return go_pclntab_open(&p->g, &p->module, &p->module.pclntab);
}

void program_close(struct program *p)
{
	go_pclntab_close(p->module.pclntab);
	p->module.pclntab = NULL;
	target_close(p->t);
	p->t = NULL;
}
