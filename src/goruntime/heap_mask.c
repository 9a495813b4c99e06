/*
 * heap_mask.c - pointer masks of rtypes, built once and kept.
 *
 * Knows nothing of spans.  Masks that the runtime builds on demand are built here in the
 * same way, whether or not the program has come to it.  A mask costs Size_ / 8 bits, and
 * Size_ bytes when unrolled (types up to 4 KiB).
 */
#include "goruntime/heap_mask.h"
#include "goruntime/types.h"

#include <pthread.h>

#define MAX_DEPTH  70 /* buildGCMask halves the size each level: at most 64 */
#define MAX_FIELDS (1U << 20)

struct go_masks {
	const struct go *g;
	pthread_rwlock_t lock;
	struct go_mask **tab; /* open addressing, cap is a power of two */
	size_t n, cap;
};

/* What a mask needs of an rtype. */
struct head {
	taddr addr;
	uint64_t bytes, ptr_bytes;
	taddr gcdata;
	uint8_t tflag, kind;
};

struct err *go_masks_create(const struct go *g, struct go_masks **ret)
{
	struct go_masks *ms = zalloc(1, sizeof(*ms));

	if (!ms)
		return &err_nomem;
	ms->g = g;
	ms->cap = 256;
	ms->tab = zalloc(ms->cap, sizeof(struct go_mask *));
	if (!ms->tab) {
		free(ms);
		return &err_nomem;
	}
	pthread_rwlock_init(&ms->lock, NULL);
	*ret = ms;
	return NULL;
}

static void mask_free(struct go_mask *m)
{
	if (!m)
		return;
	free(m->bits);
	free(m->rolled);
	free(m);
}

static void mask_freep(struct go_mask **m)
{
	mask_free(*m);
}

void go_masks_free(struct go_masks *ms)
{
	if (!ms)
		return;
	for (size_t i = 0; i < ms->cap; i++)
		mask_free(ms->tab[i]);
	free(ms->tab);
	pthread_rwlock_destroy(&ms->lock);
	free(ms);
}

static size_t slot_of(const struct go_masks *ms, taddr type)
{
	size_t i = (size_t)((type >> 3) * 0x9e3779b97f4a7c15ULL >> 20) & (ms->cap - 1);

	while (ms->tab[i] && ms->tab[i]->type != type)
		i = (i + 1) & (ms->cap - 1);
	return i;
}

static bool grow(struct go_masks *ms)
{
	struct go_mask **old = ms->tab;
	size_t old_cap = ms->cap;
	struct go_mask **tab = zalloc(old_cap * 2, sizeof(struct go_mask *));

	if (!tab)
		return false;
	ms->tab = tab;
	ms->cap = old_cap * 2;
	for (size_t i = 0; i < old_cap; i++) {
		if (old[i])
			ms->tab[slot_of(ms, old[i]->type)] = old[i];
	}
	free(old);
	return true;
}

/* Type's head, checked as far as a mask depends on it. */
static struct err *read_head(const struct go *g, taddr type, uint64_t max_bytes, struct head *ret)
{
	const struct go_layout *L = g->L;
	uint8_t image[256];
	struct err *err;

	if (!type || (type & 7) || L->type_bytes > sizeof(image))
		return err_bad_data("no type at " TADDR_FMT, type);
	err = target_read(g->t, type, image, L->type_bytes);
	if (err)
		return err;
	*ret = (struct head){
		.addr = type,
		.bytes = go_get(image, L->type_Size_),
		.ptr_bytes = go_get(image, L->type_PtrBytes),
		.gcdata = go_get(image, L->type_GCData),
		.tflag = (uint8_t)go_get(image, L->type_TFlag),
		.kind = (uint8_t)go_get(image, L->type_Kind_),
	};
	if (!ret->bytes || (ret->bytes & 7) || (ret->ptr_bytes & 7) ||
	    ret->ptr_bytes > ret->bytes || ret->bytes > max_bytes)
		return err_bad_data("type at " TADDR_FMT ": size %" PRIu64 ", pointers in %" PRIu64,
				    type, ret->bytes, ret->ptr_bytes);
	return NULL;
}

static struct err *read_bits(const struct go *g, taddr at, uint64_t nbits, uint64_t *bits)
{
	struct err *err = target_read(g->t, at, bits, (size_t)((nbits + 7) / 8));

	if (!err && (nbits & 63))
		bits[nbits >> 6] &= (1ULL << (nbits & 63)) - 1;
	return err;
}

/* GC programs of types: GCData is a length (uint32) and the program (≤ 1.23). */
static struct err *read_prog(const struct go *g, const struct head *h, uint64_t *bits)
{
	_cleanup_(freep) uint8_t *prog = NULL;
	uint32_t n;
	struct err *err = go_read_u32(g, h->gcdata, &n);

	if (err)
		return err;
	if (n > 1U << 24)
		return err_bad_data("GC program of %u bytes", n);
	prog = zalloc(n + 1, 1);
	if (!prog)
		return &err_nomem;
	err = target_read(g->t, h->gcdata + 4, prog, n);
	if (err)
		return err;
	if (go_gcprog_expand(prog, n + 1, bits, h->ptr_bytes / 8) == UINT64_MAX)
		return err_bad_data("damaged GC program at " TADDR_FMT, h->gcdata);
	return NULL;
}

/* dst |= src << at */
static void or_bits(uint64_t *dst, uint64_t at, const uint64_t *src, uint64_t nbits)
{
	for (uint64_t i = 0; i < nbits; i += 64) {
		uint64_t x = src[i >> 6], to = at + i;
		unsigned sh = to & 63;

		if (!x)
			continue;
		dst[to >> 6] |= x << sh;
		if (sh && x >> (64 - sh))
			dst[(to >> 6) + 1] |= x >> (64 - sh);
	}
}

static struct err *build(const struct go *g, const struct head *h, uint64_t *bits, unsigned depth);

/* The mask of a part, at bit `at` of its parent; in how many copies, stride bits apart. */
static struct err *build_part(const struct go *g, const struct head *h, taddr type, uint64_t at,
			      uint64_t ncopies, uint64_t *bits, unsigned depth)
{
	_cleanup_(freep) uint64_t *part = NULL;
	struct head e;
	struct err *err = read_head(g, type, h->bytes, &e);

	if (err)
		return err;
	if (!e.ptr_bytes)
		return NULL;
	if (!ncopies)
		return NULL;
	/* The last copy's pointers end inside PtrBytes: bits holds no more. */
	if (ncopies > h->bytes / e.bytes ||
	    at * 8 + (ncopies - 1) * e.bytes + e.ptr_bytes > h->ptr_bytes)
		return err_bad_data("type at " TADDR_FMT ": parts beyond its size", h->addr);
	part = zalloc((size_t)(e.ptr_bytes / 512 + 1), 8);
	if (!part)
		return &err_nomem;
	err = build(g, &e, part, depth + 1);
	for (uint64_t i = 0; i < ncopies && !err; i++)
		or_bits(bits, at + i * (e.bytes / 8), part, e.ptr_bytes / 8);
	return err;
}

/* abi.ArrayType: Type, Elem, Slice, Len. */
static struct err *build_array(const struct go *g, const struct head *h, uint64_t *bits,
			       unsigned depth)
{
	uint64_t w[3];
	struct err *err = target_read(g->t, h->addr + g->L->type_bytes, w, sizeof(w));

	return err ? err : build_part(g, h, w[0], 0, w[2], bits, depth);
}

/* abi.StructType: Type, PkgPath, Fields []{Name, Typ, Offset}. */
static struct err *build_struct(const struct go *g, const struct head *h, uint64_t *bits,
				unsigned depth)
{
	uint64_t w[3], f[3];
	struct err *err = target_read(g->t, h->addr + g->L->type_bytes, w, sizeof(w));

	if (err)
		return err;
	if (w[2] > MAX_FIELDS)
		return err_bad_data("type at " TADDR_FMT ": too many fields", h->addr);
	for (uint64_t i = 0; i < w[2]; i++) {
		struct head e;

		err = target_read(g->t, w[1] + 24 * i, f, sizeof(f));
		if (err)
			return err;
		/* Only fields with pointers count; bytes need not be words then. */
		if (f[2] >= h->ptr_bytes || (f[2] & 7))
			continue;
		err = read_head(g, f[1], h->bytes - f[2], &e);
		if (err_catch(&err, ERR_BAD_DATA))
			continue; /* an odd-sized field has no pointers */
		if (err)
			return err;
		err = build_part(g, h, f[1], f[2] / 8, 1, bits, depth);
		if (err)
			return err;
	}
	return NULL;
}

static bool has_flag(uint8_t flags, int64_t c)
{
	return c > 0 && (flags & c);
}

static struct err *build(const struct go *g, const struct head *h, uint64_t *bits, unsigned depth)
{
	const struct go_layout *L = g->L;

	if (depth > MAX_DEPTH)
		return err_bad_data("type at " TADDR_FMT ": nested too deeply", h->addr);
	if (!h->ptr_bytes)
		return NULL;
	if (has_flag(h->kind, L->c_KindGCProg))
		return read_prog(g, h, bits);
	if (!has_flag(h->tflag, L->c_TFlagGCMaskOnDemand))
		return read_bits(g, h->gcdata, h->ptr_bytes / 8, bits);
	switch (h->kind & 31) {
	case GO_ARRAY:
		return build_array(g, h, bits, depth);
	case GO_STRUCT:
		return build_struct(g, h, bits, depth);
	default:
		return err_bad_data("type at " TADDR_FMT ": mask on demand for kind %u", h->addr,
				    h->kind & 31);
	}
}

static bool roll(struct go_mask *m)
{
	uint64_t n = m->size_words;

	if (n > GO_MASK_ROLL_WORDS)
		return true;
	m->rolled = zalloc((size_t)n, 8);
	if (!m->rolled)
		return false;
	for (uint64_t w = 0; w < 64 * n; w++) {
		uint64_t e = w % n;

		if (e < m->ptr_words && (m->bits[e >> 6] >> (e & 63) & 1))
			m->rolled[w >> 6] |= 1ULL << (w & 63);
	}
	return true;
}

static struct err *mask_build(const struct go *g, taddr type, uint64_t max_bytes,
			      struct go_mask **ret)
{
	_cleanup_(mask_freep) struct go_mask *m = zalloc(1, sizeof(*m));
	struct head h;
	struct err *err;

	if (!m)
		return &err_nomem;
	err = read_head(g, type, max_bytes, &h);
	if (err)
		return err;
	m->type = type;
	m->size_words = h.bytes / 8;
	m->ptr_words = h.ptr_bytes / 8;
	m->bits = zalloc((size_t)(m->ptr_words / 64 + 2), 8);
	if (!m->bits)
		return &err_nomem;
	err = build(g, &h, m->bits, 0);
	if (err)
		return err;
	if (!roll(m))
		return &err_nomem;
	*ret = STEAL(m);
	return NULL;
}

static struct err *insert(struct go_masks *ms, struct go_mask *fresh, const struct go_mask **ret)
{
	struct err *err = NULL;
	size_t i;

	pthread_rwlock_wrlock(&ms->lock);
	if (ms->n * 2 >= ms->cap && !grow(ms)) {
		err = &err_nomem;
		mask_free(fresh);
	} else {
		i = slot_of(ms, fresh->type);
		if (ms->tab[i]) { /* another thread was first */
			mask_free(fresh);
		} else {
			ms->tab[i] = fresh;
			ms->n++;
		}
		*ret = ms->tab[i];
	}
	pthread_rwlock_unlock(&ms->lock);
	return err;
}

struct err *go_mask_of(struct go_masks *ms, taddr type, uint64_t max_bytes,
		       const struct go_mask **ret)
{
	struct go_mask *m;
	struct err *err;

	pthread_rwlock_rdlock(&ms->lock);
	m = ms->tab[slot_of(ms, type)];
	pthread_rwlock_unlock(&ms->lock);
	if (m) {
		*ret = m;
		return NULL;
	}
	err = mask_build(ms->g, type, max_bytes, &m);
	return err ? err : insert(ms, m, ret);
}

uint64_t go_mask_word(const struct go_mask *m, uint64_t w)
{
	uint64_t x = 0, e = w % m->size_words;

	if (m->rolled && !(w & 63))
		return m->rolled[(w >> 6) % m->size_words];
	for (unsigned i = 0; i < 64;) {
		unsigned n = (unsigned)MIN(m->size_words - e, (uint64_t)(64 - i));

		if (e < m->ptr_words) {
			uint64_t y = m->bits[e >> 6] >> (e & 63);

			if (e & 63)
				y |= m->bits[(e >> 6) + 1] << (64 - (e & 63));
			if (n < 64)
				y &= (1ULL << n) - 1;
			x |= y << i;
		}
		i += n;
		e = e + n == m->size_words ? 0 : e + n;
	}
	return x;
}
