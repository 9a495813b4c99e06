/*
 * codeprog.c - the bytes of codeprog.h, by the fields of a layout.
 */
#include "goruntime/codeprog.h"

static const char *const names[NCALLS] = {
	[CALL_NEWOBJECT] = "runtime.newobject",
	[CALL_MAKESLICE] = "runtime.makeslice",
	[CALL_MAKEMAP] = "runtime.makemap",
	[CALL_MAPASSIGN] = "runtime.mapassign_fast64",
	[CALL_GROWSLICE] = "runtime.growslice",
	[CALL_TYPEDMEMMOVE] = "runtime.typedmemmove",
	[CALL_BARRIER] = "runtime.gcWriteBarrier1",
	[CALL_METHOD] = "main.(*T).m",
	[CALL_FUNC1] = "main.f.func1",
	[CALL_OTHER] = "main.g",
};

static uint32_t put_name(struct codeprog *p, const char *name)
{
	uint32_t at = p->next_name;
	uint8_t *b = fake_at(&p->f, TYPES + at);

	b[1] = (uint8_t)strlen(name);
	memcpy(b + 2, name, strlen(name));
	p->next_name += (uint32_t)strlen(name) + 2;
	return at;
}

/* Pointer words: one bit a word, the lowest first. */
static void put_type(struct codeprog *p, taddr at, uint8_t kind, uint64_t bytes, uint8_t pointers,
		     const char *name)
{
	const struct go_layout *L = p->g.L;
	uint64_t words = 0;

	while (pointers >> words)
		words++;
	*fake_at(&p->f, at + 0xf8) = pointers;
	fake_set(&p->f, at, L->type_Size_, bytes);
	fake_set(&p->f, at, L->type_PtrBytes, 8 * words);
	fake_set(&p->f, at, L->type_Kind_, kind);
	fake_set(&p->f, at, L->type_Align_, 8);
	fake_set(&p->f, at, L->type_Hash, 0x1234 + at);
	fake_set(&p->f, at, L->type_GCData, at + 0xf8);
	fake_set(&p->f, at, L->type_Str, put_name(p, name));
}

static void put_field(struct codeprog *p, taddr at, const char *name, taddr type, uint64_t off)
{
	fake_put64(&p->f, at, TYPES + put_name(p, name));
	fake_put64(&p->f, at + 8, type);
	fake_put64(&p->f, at + 16, off);
}

static void put_struct(struct codeprog *p, taddr at, taddr fields, uint64_t n)
{
	const struct go_layout *L = p->g.L;

	fake_put64(&p->f, at + L->type_bytes + 8, fields);
	fake_put64(&p->f, at + L->type_bytes + 16, n);
	fake_put64(&p->f, at + L->type_bytes + 24, n);
}

static void put_types(struct codeprog *p)
{
	const struct go_layout *L = p->g.L;
	uint64_t flags = (uint64_t)(L->c_TFlagNamed | L->c_TFlagUncommon);
	uint32_t pkg;

	put_type(p, TYPE_INT, GO_INT, 8, 0, "int");
	fake_set(&p->f, TYPE_INT, L->type_TFlag, (uint64_t)L->c_TFlagNamed);
	put_type(p, TYPE_UINTPTR, GO_UINTPTR, 8, 0, "uintptr");
	fake_set(&p->f, TYPE_UINTPTR, L->type_TFlag, (uint64_t)L->c_TFlagNamed);
	put_type(p, TYPE_T, GO_STRUCT, 16, 1, "main.T");
	fake_set(&p->f, TYPE_T, L->type_TFlag, flags);
	put_struct(p, TYPE_T, TYPE_T + 0x90, 2);
	put_field(p, TYPE_T + 0x90, "p", TYPE_PT, 0);
	put_field(p, TYPE_T + 0xa8, "n", TYPE_INT, 8);
	pkg = put_name(p, "main");
	memcpy(fake_at(&p->f, TYPE_T + L->type_bytes + 32), &pkg, 4);
	put_type(p, TYPE_PT, GO_POINTER, 8, 1, "*main.T");
	fake_put64(&p->f, TYPE_PT + L->type_bytes, TYPE_T);
	put_type(p, TYPE_MAP, GO_MAP, 8, 1, "map[int]*main.T");
	fake_put64(&p->f, TYPE_MAP + L->type_bytes, TYPE_INT);
	fake_put64(&p->f, TYPE_MAP + L->type_bytes + 8, TYPE_PT);
	fake_put64(&p->f, TYPE_MAP + L->type_bytes + 16, TYPE_T); /* a group; any type will do */
	put_type(p, TYPE_CLOSURE, GO_STRUCT, 16, 2, "struct { F uintptr; X0 *main.T }");
	put_struct(p, TYPE_CLOSURE, TYPE_CLOSURE + 0x90, 2);
	put_field(p, TYPE_CLOSURE + 0x90, "F", TYPE_UINTPTR, 0);
	put_field(p, TYPE_CLOSURE + 0xa8, "X0", TYPE_PT, 8);
}

void codeprog_bss(struct codeprog *p, uint32_t pointers)
{
	memcpy(fake_at(&p->f, MASKS), &pointers, sizeof(pointers));
}

bool codeprog_open(struct codeprog *p, const struct go_layout *L)
{
	struct err *err;

	*p = (struct codeprog){ .next_name = 0x1000, .g = { .L = L, .nmodules = 1 } };
	p->g.modules = &p->m;
	p->m.text = (struct trange){ CODE, code_callee(NCALLS) };
	p->m.types = (struct trange){ TYPES, TYPES + 0x2000 };
	p->m.data = (struct trange){ DATA, DATA + 64 };
	p->m.bss = (struct trange){ BSS, BSS + 8 * BSS_WORDS };
	p->m.gcdatamask = MASKS + 64;
	p->m.gcdatamask_bits = 8;
	p->m.gcbssmask = MASKS;
	p->m.gcbssmask_bits = BSS_WORDS;
	p->funcs[0] = (struct go_known_func){ CODE, CODE + CODE_BYTES, "main.f" };
	for (unsigned i = 0; i < NCALLS; i++)
		p->funcs[i + 1] =
			(struct go_known_func){ code_callee(i), code_callee(i) + 16, names[i] };
	p->g.known = p->funcs;
	p->g.nknown = NCALLS + 1;
	fake_map(&p->f, CODE, CODE_BYTES + 16U * NCALLS);
	fake_map(&p->f, TYPES, 0x2000);
	fake_map(&p->f, DATA, 64);
	fake_map(&p->f, BSS, 8UL * BSS_WORDS);
	fake_map(&p->f, MASKS, 128);
	put_types(p);
	memset(fake_at(&p->f, CODE), 0xc3, CODE_BYTES + 16U * NCALLS);
	p->g.t = fake_open(&p->f);
	if (!p->g.t)
		return false;
	err = go_types_create(&p->g, &p->ts);
	err_free(err);
	return !err;
}

void codeprog_close(struct codeprog *p)
{
	go_types_free(p->ts);
	fake_close(&p->f);
}
