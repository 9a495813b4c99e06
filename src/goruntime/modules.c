/*
 * modules.c - finds moduledata in a stripped program and reads what limpet needs of it.
 *
 * A pclntab starts with a magic word; the one word that points at it, followed by a pointer to
 * its function names, is moduledata.pcHeader (runtime/symtab.go).  All is validated: text in an
 * executable mapping, ranges in order.  Further modules hang off `next`.
 * Cost: one pass over the mapped file and its data.
 */
#include "goruntime/detect.h"

#define MAX_MODULES 256
#define MAX_HEADERS 64
#define MAX_IMAGE   4096
/*
 * cmd/link/internal/ld/pcln.go: magic, two zero bytes, sys.PCQuantum, pointer 8.
 * Which of them it is the table says: _func.startLine came with the second.
 */
static const uint8_t magic_1_20[8] = { 0xf1, 0xff, 0xff, 0xff, 0, 0, 0, 8 };
static const uint8_t magic_1_18[8] = { 0xf0, 0xff, 0xff, 0xff, 0, 0, 0, 8 };
#define MAGIC_QUANTUM 6

bool go_try_read(const struct go *g, taddr at, void *buf, size_t n)
{
	struct err *err = target_read(g->t, at, buf, n);

	if (!err)
		return true;
	err_free(err);
	return false;
}

struct search {
	struct go *g;
	uint64_t inode; /* only this file; 0: any */
	struct {
		taddr at, names;
	} headers[MAX_HEADERS];
	size_t nheaders;
	size_t header; /* being looked for */
	taddr found[MAX_MODULES];
	size_t nfound;
};

static bool pick_readonly(void *arg, const struct target_region *r)
{
	const struct search *s = arg;

	return r->inode && (!s->inode || r->inode == s->inode);
}

/* moduledata lies in the file's data, also when the mapping was split by mprotect. */
static bool pick_data(void *arg, const struct target_region *r)
{
	return !(r->prot & REGION_EXEC) && pick_readonly(arg, r);
}

static bool header_at(void *arg, taddr at)
{
	struct search *s = arg;
	const struct go_layout *L = s->g->L;
	uint8_t h[256];

	if (L->pcHeader_bytes > sizeof(h) || !go_try_read(s->g, at, h, L->pcHeader_bytes))
		return false;
	/* A plausible header, and not the same eight bytes in some string. */
	if (!go_get(h, L->pcHeader_nfunc) || go_get(h, L->pcHeader_nfunc) > UINT32_MAX / 16 ||
	    go_get(h, L->pcHeader_funcnameOffset) < L->pcHeader_bytes ||
	    go_get(h, L->pcHeader_pclnOffset) > (4ULL << 30))
		return false;
	s->headers[s->nheaders].at = at;
	s->headers[s->nheaders].names = at + go_get(h, L->pcHeader_funcnameOffset);
	return ++s->nheaders == MAX_HEADERS;
}

static bool in_exec(struct target *t, taddr a)
{
	const struct target_region *r = target_region_at(t, a);

	return r && (r->prot & REGION_EXEC);
}

static bool ordered(taddr a, taddr b)
{
	return a <= b && b - a < (1ULL << 40);
}

/* Is this image a moduledata?  Says which field is wrong. */
static const char *wrong_field(struct target *t, const struct go_layout *L, const uint8_t *md)
{
	taddr text = go_get(md, L->moduledata_text), etext = go_get(md, L->moduledata_etext);
	taddr minpc = go_get(md, L->moduledata_minpc), maxpc = go_get(md, L->moduledata_maxpc);

	if (minpc >= maxpc || text > minpc || !in_exec(t, minpc))
		return "minpc";
	if (text >= etext || etext < minpc || !in_exec(t, etext - 1))
		return "text";
	if (!ordered(go_get(md, L->moduledata_data), go_get(md, L->moduledata_edata)))
		return "data";
	if (!ordered(go_get(md, L->moduledata_bss), go_get(md, L->moduledata_ebss)))
		return "bss";
	if (!ordered(go_get(md, L->moduledata_noptrdata), go_get(md, L->moduledata_enoptrdata)) ||
	    !ordered(go_get(md, L->moduledata_noptrbss), go_get(md, L->moduledata_enoptrbss)))
		return "noptrdata";
	if (!ordered(go_get(md, L->moduledata_types), go_get(md, L->moduledata_etypes)) ||
	    !target_region_at(t, go_get(md, L->moduledata_types)))
		return "types";
	if (!target_region_at(t, go_get(md, L->moduledata_gofunc)))
		return "gofunc";
	if (go_get(md, L->moduledata_next) && !target_region_at(t, go_get(md, L->moduledata_next)))
		return "next";
	return NULL;
}

static bool moduledata_at(void *arg, taddr at)
{
	struct search *s = arg;

	if (go_try_u64(s->g, at + 8) != s->headers[s->header].names)
		return false;
	s->found[s->nfound++] = at;
	return s->nfound == MAX_MODULES;
}

static struct err *search(struct search *s)
{
	bool lines = go_has(s->g->L->func_startLine);
	uint8_t magic[8];
	struct go_scan headers = { .pattern = magic,
				   .npattern = 8,
				   .align = 8,
				   .pick = pick_readonly,
				   .fn = header_at,
				   .arg = s };
	struct err *err;

	memcpy(magic, lines ? magic_1_20 : magic_1_18, sizeof(magic));
	magic[MAGIC_QUANTUM] = go_arch(s->g)->pc_quantum;
	err = go_scan_regions(s->g->t, &headers);
	for (s->header = 0; !err && s->header < s->nheaders && s->nfound < MAX_MODULES;
	     s->header++) {
		struct go_scan words = { .pattern = &s->headers[s->header].at,
					 .npattern = 8,
					 .align = 8,
					 .pick = pick_data,
					 .fn = moduledata_at,
					 .arg = s };

		err = go_scan_regions(s->g->t, &words);
	}
	return err;
}

static struct trange range(const uint8_t *md, struct go_field a, struct go_field b)
{
	return (struct trange){ go_get(md, a), go_get(md, b) };
}

static void fill(const struct go_layout *L, const uint8_t *md, struct go_module *m)
{
	m->text = range(md, L->moduledata_text, L->moduledata_etext);
	m->data = range(md, L->moduledata_data, L->moduledata_edata);
	m->bss = range(md, L->moduledata_bss, L->moduledata_ebss);
	m->noptrdata = range(md, L->moduledata_noptrdata, L->moduledata_enoptrdata);
	m->noptrbss = range(md, L->moduledata_noptrbss, L->moduledata_enoptrbss);
	m->types = range(md, L->moduledata_types, L->moduledata_etypes);
	m->rodata = go_get(md, L->moduledata_rodata);
	m->gofunc = go_get(md, L->moduledata_gofunc);
	m->gcdata = go_get(md, L->moduledata_gcdata);
	m->gcbss = go_get(md, L->moduledata_gcbss);
	/* type bitvector struct { n int32; bytedata *uint8 } */
	m->gcdatamask_bits = (uint32_t)go_word(md, L->moduledata_gcdatamask, 0);
	m->gcdatamask = go_word(md, L->moduledata_gcdatamask, 1);
	m->gcbssmask_bits = (uint32_t)go_word(md, L->moduledata_gcbssmask, 0);
	m->gcbssmask = go_word(md, L->moduledata_gcbssmask, 1);
	m->itablinks = go_word(md, L->moduledata_itablinks, 0);
	m->nitablinks = go_word(md, L->moduledata_itablinks, 1);
	m->typelinks = go_word(md, L->moduledata_typelinks, 0);
	m->ntypelinks = go_word(md, L->moduledata_typelinks, 1);
	if (go_has(L->moduledata_itaboffset)) {
		/* iface.go, itabsinit: types + itaboffset .. + itabsize */
		m->itabs.start = m->types.start + go_get(md, L->moduledata_itaboffset);
		m->itabs.end = m->itabs.start + go_get(md, L->moduledata_itabsize);
	}
}

/* Follow `next` from first; *ret_n modules, at most max. */
static struct err *read_chain(struct go *g, taddr first, struct go_module *ms, size_t max,
			      size_t *ret_n)
{
	const struct go_layout *L = g->L;
	uint8_t md[MAX_IMAGE];
	size_t n = 0;

	for (taddr at = first; at && n < max; at = go_get(md, L->moduledata_next)) {
		struct err *err = target_read(g->t, at, md, L->moduledata_bytes);
		const char *bad = err ? NULL : wrong_field(g->t, L, md);

		if (err)
			return err_prefix(err, "moduledata %zu", n);
		if (bad)
			return err_unsupported("%s: runtime.moduledata.%s makes no sense with the "
					       "layout of Go %s",
					       g->version, bad, L->go);
		ms[n] = (struct go_module){ .addr = at };
		fill(L, md, &ms[n++]);
	}
	*ret_n = n;
	return NULL;
}

/* runtime.firstmoduledata is the one whose chain reaches most. */
static struct err *read_modules(struct go *g, const struct search *s)
{
	_cleanup_(freep) struct go_module *ms = zalloc(MAX_MODULES, sizeof(*ms));
	_cleanup_(freep) struct go_module *best = zalloc(MAX_MODULES, sizeof(*best));
	struct err *last = NULL;
	size_t nbest = 0;

	if (!ms || !best)
		return &err_nomem;
	for (size_t i = 0; i < s->nfound; i++) {
		size_t n = 0;
		struct err *err = read_chain(g, s->found[i], ms, MAX_MODULES, &n);

		if (err) {
			err_free(last);
			last = err;
		} else if (n > nbest) {
			memcpy(best, ms, n * sizeof(*ms));
			nbest = n;
		}
	}
	if (!nbest)
		return last ? last
			    : err_unsupported("%s: runtime.moduledata.pcHeader: no module found",
					      g->version);
	err_free(last);
	g->modules = STEAL(best);
	g->nmodules = nbest;
	return NULL;
}

/* Look in the mappings of one file (inode 0: of all), and take the chain that is there. */
static struct err *find_modules(struct go *g, struct search *s, uint64_t inode)
{
	struct err *err;

	go_modules_free(g);
	s->inode = inode;
	s->nheaders = s->nfound = 0;
	err = search(s);
	if (!err)
		err = read_modules(g, s);
	for (size_t i = 0; !err && i < g->nmodules; i++)
		err = go_pclntab_open(g, &g->modules[i], &g->modules[i].pclntab);
	return err;
}

/* With -linkshared the executable's module is the last of a chain that begins in a library. */
static bool has_runtime(const struct go *g)
{
	struct go_func f;

	return go_func_by_name(g, "runtime.gcStart", &f);
}

struct err *go_detect_modules(struct go *g, const struct detect *d)
{
	_cleanup_(freep) struct search *s = zalloc(1, sizeof(*s));
	struct err *err;

	if (!s)
		return &err_nomem;
	if (g->L->moduledata_bytes > MAX_IMAGE)
		return err_unsupported("layout %s: moduledata is too big", g->L->go);
	s->g = g;
	err = find_modules(g, s, d->inode);
	if (d->inode && (!err || !s->nfound) && !has_runtime(g)) {
		err_free(err);
		err = find_modules(g, s, 0);
	}
	if (err && err->code == ERR_BAD_DATA)
		return err_prefix(err, "%s with the layout of Go %s", g->version, g->L->go);
	return err;
}

void go_modules_free(struct go *g)
{
	for (size_t i = 0; i < g->nmodules; i++)
		go_pclntab_close(g->modules[i].pclntab);
	free(g->modules);
	g->modules = NULL;
	g->nmodules = 0;
}
