/*
 * pclntab.c - reads the pclntab of one module out of the target and indexes it.
 *
 * Knows moduledata's slices and nothing of stacks.  The tables are copied whole
 * (20-60 MB for big programs, one bulk read each), so lookups need no system
 * call and outlive the twin.  Cost: O(bytes) to open, 8 bytes a function more
 * for the index of names.
 */
#include "goruntime/pclntab.h"

#include "goruntime/arch.h"

#define BLOB_MAX_BYTES	     (1ULL << 30)
#define NAME_HASH_MAX	     1024 /* bytes of a name that are hashed */
#define NAME_PROBES_MAX	     256
#define FUNCDATA_TAIL_BYTES  (256U << 10)
#define MODULEDATA_MAX_BYTES 4096U

static void blob_deinit(struct go_blob *b)
{
	if (b->p)
		bigfree(b->p, b->n + 1, 1);
	*b = (struct go_blob){ 0 };
}

void go_pclntab_close(struct go_pclntab *p)
{
	if (!p)
		return;
	blob_deinit(&p->names);
	blob_deinit(&p->cutab);
	blob_deinit(&p->files);
	blob_deinit(&p->pctab);
	blob_deinit(&p->funcs);
	blob_deinit(&p->ftab_own);
	blob_deinit(&p->funcdata);
	free(p->sects);
	if (p->by_name)
		bigfree(p->by_name, p->name_slots, sizeof(*p->by_name));
	free(p);
}

static void pclntab_closep(struct go_pclntab **p)
{
	go_pclntab_close(*p);
}

static struct err *blob_read(struct target *t, const char *what, taddr at, uint64_t n,
			     struct go_blob *ret)
{
	struct go_blob b = { .n = n, .at = at };
	struct err *err;

	if (n > BLOB_MAX_BYTES)
		return err_bad_data("%s: %" PRIu64 " bytes at " TADDR_FMT " cannot be", what, n,
				    at);
	b.p = bigalloc(n + 1, 1);
	if (!b.p)
		return &err_nomem;
	err = n ? target_read(t, at, b.p, n) : NULL;
	if (err) {
		blob_deinit(&b);
		return err_prefix(err, "%s", what);
	}
	*ret = b;
	return NULL;
}

/* A slice field of moduledata: {addr, len} with elements of elem_bytes. */
static struct err *blob_of_slice(struct target *t, const uint8_t *md, struct go_field f,
				 unsigned elem_bytes, const char *what, struct go_blob *ret)
{
	uint64_t len = go_word(md, f, 1);

	if (len > BLOB_MAX_BYTES / elem_bytes)
		return err_bad_data("%s: length %" PRIu64 " cannot be", what, len);
	return blob_read(t, what, go_word(md, f, 0), len * elem_bytes, ret);
}

uint32_t go_pclntab_entryoff(const struct go_pclntab *p, uint32_t i)
{
	return load_u32(p->ftab + (size_t)i * p->L->functab_bytes + p->L->functab_entryoff.off);
}

uint32_t go_pclntab_funcoff(const struct go_pclntab *p, uint32_t i)
{
	return load_u32(p->ftab + (size_t)i * p->L->functab_bytes + p->L->functab_funcoff.off);
}

static struct err *open_ftab(struct target *t, const uint8_t *md, struct go_pclntab *p)
{
	taddr at = go_word(md, p->L->moduledata_ftab, 0);
	uint64_t n = go_word(md, p->L->moduledata_ftab, 1);
	uint64_t each = p->L->functab_bytes;
	struct err *err;

	if (n < 2 || n > UINT32_MAX / 16)
		return err_bad_data("ftab: %" PRIu64 " entries cannot be", n);
	p->nfunc = (uint32_t)(n - 1);
	if (at >= p->funcs.at)
		p->ftab = go_blob_at(&p->funcs, at - p->funcs.at, n * each);
	if (!p->ftab) {
		err = blob_read(t, "ftab", at, n * each, &p->ftab_own);
		if (err)
			return err;
		p->ftab = p->ftab_own.p;
	}
	for (uint32_t i = 0; i < p->nfunc; i++)
		if (go_pclntab_entryoff(p, i) > go_pclntab_entryoff(p, i + 1))
			return err_bad_data("ftab: entry %" PRIu32 " is out of order", i);
	return NULL;
}

static struct err *open_sects(struct target *t, const uint8_t *md, struct go_pclntab *p)
{
	uint64_t n = go_word(md, p->L->moduledata_textsectmap, 1);
	struct err *err;

	if (n <= 1)
		return NULL;
	if (n > 4096)
		return err_bad_data("textsectmap: %" PRIu64 " sections cannot be", n);
	p->sects = zalloc(n, sizeof(*p->sects));
	if (!p->sects)
		return &err_nomem;
	err = target_read(t, go_word(md, p->L->moduledata_textsectmap, 0), p->sects,
			  n * sizeof(*p->sects));
	if (err)
		return err_prefix(err, "textsectmap");
	p->nsects = n;
	return NULL;
}

taddr go_pclntab_text_addr(const struct go_pclntab *p, uint32_t off)
{
	for (uint64_t i = 0; i < p->nsects; i++) {
		const struct go_textsect *s = &p->sects[i];

		if (off >= s->vaddr && (off < s->end || (i == p->nsects - 1 && off == s->end)))
			return s->base + off - s->vaddr;
	}
	return p->text + off;
}

bool go_pclntab_text_off(const struct go_pclntab *p, taddr pc, uint32_t *ret)
{
	if (!trange_has(p->pcs, pc))
		return false;
	for (uint64_t i = 0; i < p->nsects; i++) {
		const struct go_textsect *s = &p->sects[i];

		if (s->base > pc)
			return false;
		if (pc - s->base < s->end - s->vaddr) {
			*ret = (uint32_t)(pc - s->base + s->vaddr);
			return true;
		}
	}
	if (p->nsects || pc < p->text || pc - p->text > UINT32_MAX)
		return false;
	*ret = (uint32_t)(pc - p->text);
	return true;
}

const char *go_pclntab_name(const struct go_pclntab *p, uint32_t i)
{
	const uint8_t *f = go_blob_at(&p->funcs, go_pclntab_funcoff(p, i), p->L->func_bytes);
	uint64_t off = f ? go_get(f, p->L->func_nameOff) : 0;

	return off ? go_blob_text(&p->names, off) : "";
}

static uint32_t name_hash(const char *s)
{
	uint32_t h = 2166136261U;

	for (size_t i = 0; s[i] && i < NAME_HASH_MAX; i++)
		h = (h ^ (uint8_t)s[i]) * 16777619U;
	return h ^ h >> 15;
}

/*
 * Slot for function i; SIZE_MAX: its name is there already, and the first one is the one that is
 * found, or so many names share a hash that somebody made them: by name it will not be found.
 */
static size_t name_slot(const struct go_pclntab *p, uint32_t i)
{
	const char *name = go_pclntab_name(p, i);
	uint32_t h = name_hash(name), k;

	for (unsigned probes = 0; probes < NAME_PROBES_MAX; probes++, h++) {
		k = p->by_name[h & (p->name_slots - 1)];
		if (!k)
			return h & (p->name_slots - 1);
		if (!strcmp(go_pclntab_name(p, k - 1), name))
			break;
	}
	return SIZE_MAX;
}

static struct err *open_names(struct go_pclntab *p)
{
	uint32_t slots = 16;

	while (slots < 2 * p->nfunc)
		slots *= 2;
	p->by_name = bigalloc(slots, sizeof(*p->by_name));
	if (!p->by_name)
		return &err_nomem;
	p->name_slots = slots;
	for (uint32_t i = 0; i < p->nfunc; i++) {
		size_t h = name_slot(p, i);

		if (h != SIZE_MAX)
			p->by_name[h] = i + 1;
	}
	return NULL;
}

bool go_pclntab_find_name(const struct go_pclntab *p, const char *name, uint32_t *ret)
{
	for (uint32_t h = name_hash(name);; h++) {
		uint32_t k = p->by_name[h & (p->name_slots - 1)];

		if (!k)
			return false;
		if (!strcmp(go_pclntab_name(p, k - 1), name)) {
			*ret = k - 1;
			return true;
		}
	}
}

static uint64_t last_funcdata(const struct go_pclntab *p)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < p->nfunc; i++) {
		uint32_t at = go_pclntab_funcoff(p, i);
		const uint8_t *f = go_blob_at(&p->funcs, at, p->L->func_bytes);
		uint64_t npc, nfd;
		const uint8_t *fd;

		if (!f)
			continue;
		npc = go_get(f, p->L->func_npcdata);
		nfd = go_get(f, p->L->func_nfuncdata);
		fd = go_blob_at(&p->funcs, at + (uint64_t)p->L->func_nfuncdata.off + 1 + 4 * npc,
				4 * nfd);
		for (uint64_t k = 0; fd && k < nfd; k++) {
			uint32_t off = load_u32(fd + 4 * k);

			if (off != UINT32_MAX && off > last)
				last = off;
		}
	}
	return last;
}

/* Stack maps, inline trees, stack objects: all lie behind gofunc (go:func.*). */
static struct err *open_funcdata(struct target *t, struct go_pclntab *p)
{
	uint64_t want = last_funcdata(p) + FUNCDATA_TAIL_BYTES;
	struct go_blob b = { .n = want, .at = p->gofunc };
	size_t got = 0;
	struct err *err;

	if (want > BLOB_MAX_BYTES)
		return err_bad_data("funcdata: offset %" PRIu64 " cannot be", want);
	b.p = bigalloc(want + 1, 1);
	if (!b.p)
		return &err_nomem;
	p->funcdata = b;
	err = target_read_some(t, p->gofunc, b.p, want, &got);
	if (err)
		return err_prefix(err, "funcdata");
	/* What could not be read stays zero: an empty stack map, counted where it is met. */
	return NULL;
}

static struct err *open_tables(struct target *t, const uint8_t *md, struct go_pclntab *p)
{
	const struct go_layout *L = p->L;
	struct err *err;

	err = blob_of_slice(t, md, L->moduledata_funcnametab, 1, "funcnametab", &p->names);
	if (!err)
		err = blob_of_slice(t, md, L->moduledata_cutab, 4, "cutab", &p->cutab);
	if (!err)
		err = blob_of_slice(t, md, L->moduledata_filetab, 1, "filetab", &p->files);
	if (!err)
		err = blob_of_slice(t, md, L->moduledata_pctab, 1, "pctab", &p->pctab);
	if (!err)
		err = blob_of_slice(t, md, L->moduledata_pclntable, 1, "pclntable", &p->funcs);
	if (!err)
		err = open_ftab(t, md, p);
	if (!err)
		err = open_sects(t, md, p);
	if (!err)
		err = open_names(p);
	return err ? err : open_funcdata(t, p);
}

static bool layout_fits(const struct go_layout *L)
{
	return L->moduledata_bytes >= 64 && L->moduledata_bytes <= MODULEDATA_MAX_BYTES &&
	       L->func_bytes >= 40 && L->func_nfuncdata.off >= 0 && L->functab_bytes >= 8 &&
	       L->functab_bytes <= 16 && L->functab_entryoff.bytes == 4 &&
	       L->functab_funcoff.bytes == 4;
}

struct err *go_pclntab_open(struct go *g, struct go_module *m, struct go_pclntab **ret)
{
	_cleanup_(pclntab_closep) struct go_pclntab *p = zalloc(1, sizeof(*p));
	uint8_t md[MODULEDATA_MAX_BYTES];
	struct err *err;

	if (!p)
		return &err_nomem;
	if (!layout_fits(g->L))
		return err_unsupported("layout %s: moduledata, _func or functab is not described",
				       g->L->go);
	err = target_read(g->t, m->addr, md, g->L->moduledata_bytes);
	if (err)
		return err_prefix(err, "moduledata");
	p->L = g->L;
	p->quantum = go_arch(g)->pc_quantum;
	p->text = go_get(md, g->L->moduledata_text);
	p->gofunc = go_get(md, g->L->moduledata_gofunc);
	p->pcs.start = go_get(md, g->L->moduledata_minpc);
	p->pcs.end = go_get(md, g->L->moduledata_maxpc);
	err = open_tables(g->t, md, p);
	if (err)
		return err_prefix(err, "pclntab of module at " TADDR_FMT, m->addr);
	*ret = STEAL(p);
	return NULL;
}
