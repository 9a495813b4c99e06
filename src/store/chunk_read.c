/*
 * chunk_read.c - bytes to objects again; the bytes may be anybody's.
 *
 * All sizes are checked against the bytes that are there before anything is read, numbers of
 * cells when they are used.
 */
#include "store/chunk.h"

#include "base/bytes.h"

void chunk_room_deinit(struct chunk_room *r)
{
	vec_free(&r->alive);
	vec_free(&r->old);
	vec_free(&r->stayed);
	for (int k = 0; k < IDENT_COLUMNS; k++)
		vec_free(&r->group[k]);
}

struct cursor {
	const uint8_t *p;
	size_t left;
	bool bad;
};

static const uint8_t *take(struct cursor *c, uint64_t n, uint64_t each)
{
	const uint8_t *p = c->p;

	if (c->bad || n > c->left || n * each > c->left) {
		c->bad = true;
		return NULL;
	}
	c->p += n * each;
	c->left -= n * each;
	return p;
}

/* Sums of all spans' slots; nonsense is bad. */
static uint64_t count_words(struct chunk_view *v, struct cursor *c)
{
	uint64_t words = 0;
	taddr end = 0;

	for (uint32_t i = 0; i < v->nspans && !c->bad; i++) {
		uint64_t base = load_u64(v->base + 8 * (size_t)i);
		uint64_t bytes = load_u64(v->bytes + 8 * (size_t)i);
		uint64_t elem = load_u64(v->elem_bytes + 8 * (size_t)i);
		uint32_t n = load_u32(v->nelems + 4 * (size_t)i);

		c->bad = base < end || bytes > UINT64_MAX - base || !elem || !n || elem > bytes ||
			 n > bytes / elem;
		end = base + bytes;
		words += ((uint64_t)n + 63) / 64;
	}
	return words;
}

struct err *chunk_read(const uint8_t *raw, size_t n, const uint32_t *ngroups,
		       struct chunk_view *ret)
{
	struct cursor c = { raw, n, false };
	const uint8_t *head = take(&c, 20, 1);
	struct chunk_view v = { 0 };
	uint64_t words;

	if (!head || load_u32(head) != CHUNK_MAGIC)
		return err_bad_data("a chunk of objects has no head");
	v.nspans = load_u32(head + 4);
	v.ncells = load_u32(head + 8);
	v.nalive = load_u32(head + 12);
	v.width = v.ncells <= 256 ? 1 : v.ncells <= 65536 ? 2 : 4;
	v.base = take(&c, v.nspans, 8);
	v.bytes = take(&c, v.nspans, 8);
	v.elem_bytes = take(&c, v.nspans, 8);
	v.nelems = take(&c, v.nspans, 4);
	v.spanclass = take(&c, v.nspans, 1);
	v.old_known = take(&c, v.nspans, 1);
	v.cells = take(&c, v.ncells, 12);
	words = c.bad ? 0 : count_words(&v, &c);
	v.alive = take(&c, words, 8);
	v.young = take(&c, words, 8);
	if (load_u32(head + 16) & 1)
		v.unstayed = take(&c, words, 8);
	v.index = take(&c, v.nalive, v.width);
	for (uint32_t i = 0; i < v.ncells && !c.bad; i++)
		for (uint32_t k = 0; k < IDENT_COLUMNS; k++)
			c.bad = c.bad || load_u32(v.cells + 12 * (size_t)i + 4 * k) >= ngroups[k];
	if (c.bad || c.left)
		return err_bad_data("a chunk of objects does not hold together");
	*ret = v;
	return NULL;
}

static uint32_t index_at(const struct chunk_view *v, uint32_t i)
{
	const uint8_t *p = v->index + (size_t)i * v->width;

	return v->width == 1 ? *p : v->width == 2 ? load_u16(p) : load_u32(p);
}

static bool reserve(struct chunk_room *r, uint32_t nelems, size_t words)
{
	bool ok = vec_reserve(&r->alive, words) && vec_reserve(&r->old, words) &&
		  vec_reserve(&r->stayed, words);

	for (int k = 0; k < IDENT_COLUMNS && ok; k++)
		ok = vec_reserve(&r->group[k], nelems);
	return ok;
}

/* The cells of the slots of one word of bits. */
static struct err *fill_groups(struct chunk_view *v, struct chunk_room *r, size_t slot,
			       uint64_t bits)
{
	for (; bits; bits &= bits - 1) {
		size_t i = slot + (size_t)__builtin_ctzll(bits);
		uint32_t cell = v->at < v->nalive ? index_at(v, v->at) : UINT32_MAX;
		const uint8_t *p;

		if (cell >= v->ncells)
			return err_bad_data("a chunk of objects has a number beyond its cells");
		v->at++;
		p = v->cells + 12 * (size_t)cell;
		r->group[0].v[i] = load_u32(p);
		r->group[1].v[i] = load_u32(p + 4);
		r->group[2].v[i] = load_u32(p + 8);
	}
	return NULL;
}

static struct err *fill(struct chunk_view *v, struct chunk_room *r, uint32_t nelems, size_t words)
{
	struct err *err = NULL;

	for (size_t w = 0; w < words && !err; w++) {
		size_t at = 8 * (v->word + w);
		uint64_t alive = load_u64(v->alive + at);

		if (w + 1 == words && nelems & 63)
			alive &= (1ULL << (nelems & 63)) - 1;
		r->alive.v[w] = alive;
		r->old.v[w] = alive & ~load_u64(v->young + at);
		r->stayed.v[w] = v->unstayed ? alive & ~load_u64(v->unstayed + at) : 0;
		err = fill_groups(v, r, 64 * w, alive);
	}
	return err;
}

struct err *chunk_next(struct chunk_view *v, struct chunk_room *room, struct ident_span *ret,
		       bool *ret_has)
{
	uint32_t i = v->span, nelems;
	size_t words;
	struct err *err;

	*ret_has = i < v->nspans;
	if (!*ret_has)
		return NULL;
	nelems = load_u32(v->nelems + 4 * (size_t)i);
	words = ((size_t)nelems + 63) / 64;
	if (!reserve(room, nelems, words))
		return &err_nomem;
	err = fill(v, room, nelems, words);
	if (err)
		return err;
	*ret = (struct ident_span){ .base = load_u64(v->base + 8 * (size_t)i),
				    .bytes = load_u64(v->bytes + 8 * (size_t)i),
				    .elem_bytes = load_u64(v->elem_bytes + 8 * (size_t)i),
				    .nelems = nelems,
				    .spanclass = v->spanclass[i],
				    .old_known = v->old_known[i] != 0,
				    .alive = room->alive.v,
				    .old = room->old.v,
				    .stayed = v->unstayed ? room->stayed.v : NULL };
	for (int k = 0; k < IDENT_COLUMNS; k++)
		ret->group[k] = room->group[k].v;
	v->span++;
	v->word += words;
	return NULL;
}
