/*
 * pcinfo.c - what pclntab says about a pc, looked up once by each worker.
 *
 * Source: runtime/stkframe.go (getStackMap).  Many goroutines stand at few pcs:
 * a hash of them turns table walks into one probe.  Memory: 200 bytes a pc.
 */
#include "goruntime/stack_priv.h"
#include "goruntime/heap_mask.h"

#define STACK_OBJS_MAX	 65536U
#define MASK_MAX_BYTES	 (1U << 20)
#define GCPROG_MAX_BYTES (64U << 10)

static void info_free(struct pc_info *pi)
{
	if (!pi)
		return;
	for (uint32_t i = 0; i < pi->nobjs; i++)
		free(pi->objs[i].mask);
	free(pi->objs);
	free(pi);
}

void pc_cache_deinit(struct pc_cache *c)
{
	for (size_t i = 0; i < c->nslots; i++)
		info_free(c->slots[i]);
	free(c->slots);
	c->slots = NULL;
	c->nslots = c->n = 0;
}

static size_t pc_hash(taddr pc)
{
	return (size_t)((pc * 0x9e3779b97f4a7c15ULL) >> 20);
}

static bool cache_grow(struct pc_cache *c)
{
	size_t nslots = c->nslots ? 2 * c->nslots : 1024;
	struct pc_info **slots = zalloc(nslots, sizeof(*slots));

	if (!slots)
		return false;
	for (size_t i = 0; i < c->nslots; i++) {
		size_t h;

		if (!c->slots[i])
			continue;
		for (h = pc_hash(c->slots[i]->pc); slots[h & (nslots - 1)]; h++)
			;
		slots[h & (nslots - 1)] = c->slots[i];
	}
	free(c->slots);
	c->slots = slots;
	c->nslots = nslots;
	return true;
}

static bool is_id(const struct go_func *f, int64_t id)
{
	return id >= 0 && f->func_id == id;
}

static uint8_t kind_of(const struct go_layout *L, const struct go_func *f)
{
	if (is_id(f, L->c_funcid_asyncPreempt))
		return PC_ASYNC;
	if (is_id(f, L->c_funcid_debugCallV2))
		return PC_DEBUG_CALL;
	if (is_id(f, L->c_funcid_sigpanic))
		return PC_SIGPANIC;
	if (is_id(f, L->c_funcid_cgocallback))
		return PC_CGOCALLBACK;
	if (!(f->flag & GO_FUNC_FLAG_ASM))
		return PC_NORMAL;
	if (!strcmp(f->name, "reflect.makeFuncStub") || !strcmp(f->name, "reflect.methodValueCall"))
		return PC_REFLECT_STUB;
	if (!strncmp(f->name, "runtime.gcWriteBarrier", 22) || !strcmp(f->name, "gcWriteBarrier"))
		return PC_WRITE_BARRIER;
	return PC_NORMAL;
}

/* runtime.stackmap: n, nbit, then n bitmaps.  False when there is no valid map number idx. */
static bool stackmap_at(const struct go *g, const struct go_func *f, unsigned table, int32_t idx,
			const uint8_t **ret, uint32_t *ret_bits)
{
	const struct go_pclntab *p = f->module->pclntab;
	taddr at = go_funcdata(g, f, table);
	const uint8_t *head = at ? go_funcdata_view(p, at, 8) : NULL;
	int32_t n, nbit;
	uint64_t each;

	if (!head)
		return false;
	n = (int32_t)load_u32(head);
	nbit = (int32_t)load_u32(head + 4);
	if (n <= 0 || nbit < 0)
		return false;
	*ret = NULL;
	*ret_bits = 0;
	if (!nbit)
		return true;
	each = ((uint64_t)nbit + 7) >> 3;
	if (idx < 0 || idx >= n)
		return false;
	*ret = go_funcdata_view(p, at + 8 + (uint32_t)idx * each, each);
	*ret_bits = (uint32_t)nbit;
	return *ret;
}

static void fill_maps(const struct go *g, struct pc_info *pi)
{
	const struct go_arch *a = go_arch(g);
	const struct go_func *f = &pi->f;
	int32_t idx = -1;

	if (pi->pc != f->entry)
		idx = go_pcdata(g, f, GO_PCDATA_STACK_MAP_INDEX, pi->pc - 1);
	if (idx == -1)
		idx = 0; /* the prologue: as getStackMap, "assume so and hope for the best" */
	/* varp - sp, less the saved frame pointer */
	if (pi->spdelta > 8 + a->bare_frame)
		pi->no_locals_map = !stackmap_at(g, f, GO_FUNCDATA_LOCALS_POINTER_MAPS, idx,
						 &pi->locals, &pi->nlocals);
	if (f->args_bytes == GO_ARGS_SIZE_UNKNOWN || f->args_bytes <= 0)
		return;
	pi->nargs_all = (uint32_t)f->args_bytes / 8;
	if (pi->nargs_all)
		pi->no_args_map = !stackmap_at(g, f, GO_FUNCDATA_ARGS_POINTER_MAPS, idx, &pi->args,
					       &pi->nargs);
}

static bool fill_objs(const struct go *g, struct pc_info *pi)
{
	const struct go_layout *L = g->L;
	const struct go_pclntab *p = pi->f.module->pclntab;
	taddr at = go_funcdata(g, &pi->f, GO_FUNCDATA_STACK_OBJECTS);
	const uint8_t *b = at ? go_funcdata_view(p, at, 8) : NULL;
	uint64_t n = b ? load_u64(b) : 0, each = L->stackObjectRecord_bytes;

	if (!n || !each || n > STACK_OBJS_MAX)
		return true;
	b = go_funcdata_view(p, at + 8, n * each);
	if (!b)
		return true;
	pi->objs = zalloc(n, sizeof(*pi->objs));
	if (!pi->objs)
		return false;
	pi->nobjs = (uint32_t)n;
	for (uint32_t i = 0; i < n; i++, b += each) {
		int32_t ptr = (int32_t)go_get(b, L->stackObjectRecord_ptrdata);

		pi->objs[i] = (struct stack_obj){
			.off = (int32_t)go_get(b, L->stackObjectRecord_off),
			.bytes = (uint32_t)go_get(b, L->stackObjectRecord_size),
			.ptr_bytes = ptr < 0 ? 0U - (uint32_t)ptr : (uint32_t)ptr,
			.gcprog = ptr < 0, /* runtime.(*stackObjectRecord).useGCProg, up to 1.23 */
			.mask_at = pi->f.module->rodata + go_get(b, L->stackObjectRecord_gcdataoff),
		};
	}
	return true;
}

static struct pc_info *info_make(const struct go *g, taddr pc)
{
	struct pc_info *pi = zalloc(1, sizeof(*pi));

	if (!pi)
		return NULL;
	pi->pc = pc;
	pi->known = go_func_at(g, pc, &pi->f);
	if (!pi->known)
		return pi;
	pi->kind = kind_of(g->L, &pi->f);
	pi->spdelta = go_spdelta(g, &pi->f, pc);
	fill_maps(g, pi);
	if (fill_objs(g, pi))
		return pi;
	info_free(pi);
	return NULL;
}

struct pc_info *pc_cache_get(struct pc_cache *c, taddr pc)
{
	struct pc_info *pi;
	size_t h = pc_hash(pc);

	for (; c->nslots && c->slots[h & (c->nslots - 1)]; h++)
		if (c->slots[h & (c->nslots - 1)]->pc == pc)
			return c->slots[h & (c->nslots - 1)];
	if (2 * (c->n + 1) > c->nslots && !cache_grow(c))
		return NULL;
	pi = info_make(c->g, pc);
	if (!pi)
		return NULL;
	for (h = pc_hash(pc); c->slots[h & (c->nslots - 1)]; h++)
		;
	c->slots[h & (c->nslots - 1)] = pi;
	c->n++;
	return pi;
}

/* The size word of a program is skipped, as runtime.materializeGCProg does. */
static uint8_t *expand_prog(const struct go *g, const struct stack_obj *o, uint64_t nbits)
{
	_cleanup_(freep) uint8_t *prog = zalloc(GCPROG_MAX_BYTES, 1);
	_cleanup_(freep) uint64_t *bits = zalloc(nbits / 64 + 2, 8);
	_cleanup_(err_freep) struct err *err = NULL;
	size_t got = 0;

	if (!prog || !bits)
		return NULL;
	err = target_read_some(g->t, o->mask_at + 4, prog, GCPROG_MAX_BYTES, &got);
	if (err || go_gcprog_expand(prog, got, bits, nbits) == UINT64_MAX)
		return NULL;
	return (uint8_t *)STEAL(bits);
}

const uint8_t *stack_obj_mask(const struct go *g, struct stack_obj *o)
{
	uint64_t nbits = o->ptr_bytes / 8, nbytes = (nbits + 7) / 8;
	_cleanup_(err_freep) struct err *err = NULL;

	if (o->tried)
		return o->mask;
	o->tried = true;
	if (!nbytes || nbytes > MASK_MAX_BYTES)
		return NULL;
	if (o->gcprog) {
		o->mask = expand_prog(g, o, nbits);
		return o->mask;
	}
	o->mask = zalloc(nbytes, 1);
	if (!o->mask)
		return NULL;
	err = target_read(g->t, o->mask_at, o->mask, nbytes);
	if (err) {
		free(o->mask);
		o->mask = NULL;
	}
	return o->mask;
}
