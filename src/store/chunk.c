/*
 * chunk.c - objects to bytes: which triples of groups there are here, and each object's number of
 * one.
 *
 * Objects of one span mostly have one triple: the last one is tried first.  Cost: 10 to 20 bytes a
 * slot while it is made; some ns an object.
 */
#include "store/chunk.h"

#include "base/err.h"

void chunk_reset(struct chunk *c)
{
	c->spans.n = c->alive.n = c->old.n = c->stayed.n = c->raw.n = c->packed.n = 0;
	for (int k = 0; k < IDENT_COLUMNS; k++)
		c->group[k].n = 0;
	c->has_stayed = false;
	c->nslots = c->nalive = 0;
}

void chunk_deinit(struct chunk *c)
{
	vec_free(&c->spans);
	vec_free(&c->alive);
	vec_free(&c->old);
	vec_free(&c->stayed);
	for (int k = 0; k < IDENT_COLUMNS; k++)
		vec_free(&c->group[k]);
	vec_free(&c->raw);
	vec_free(&c->packed);
}

/* Bits of the last word beyond the slots are not ours to read. */
static uint64_t word_mask(uint32_t nelems, size_t word)
{
	return nelems - 64 * word >= 64 ? UINT64_MAX : (1ULL << (nelems & 63)) - 1;
}

static void put_bits(struct chunk *c, const struct ident_span *sp, size_t words)
{
	for (size_t w = 0; w < words; w++) {
		uint64_t alive = sp->alive[w] & word_mask(sp->nelems, w);

		c->alive.v[c->alive.n++] = alive;
		c->old.v[c->old.n++] = sp->old_known ? sp->old[w] & alive : 0;
		c->stayed.v[c->stayed.n++] = sp->stayed ? sp->stayed[w] & alive : 0;
	}
}

struct err *chunk_add(struct chunk *c, const struct ident_span *sp)
{
	size_t words = ((size_t)sp->nelems + 63) / 64;
	struct chunk_span y = { sp->base,      sp->bytes,     sp->elem_bytes, sp->nelems,
				sp->spanclass, sp->old_known, c->alive.n,     c->nslots };
	bool ok = vec_push(&c->spans, y) && vec_reserve(&c->alive, c->alive.n + words) &&
		  vec_reserve(&c->old, c->old.n + words) &&
		  vec_reserve(&c->stayed, c->stayed.n + words);

	for (int k = 0; k < IDENT_COLUMNS && ok; k++)
		ok = vec_reserve(&c->group[k], c->nslots + sp->nelems);
	if (!ok)
		return &err_nomem;
	put_bits(c, sp, words);
	for (int k = 0; k < IDENT_COLUMNS; k++) {
		memcpy(c->group[k].v + c->nslots, sp->group[k],
		       sp->nelems * sizeof(*c->group[k].v));
		c->group[k].n = c->nslots + sp->nelems;
	}
	c->nslots += sp->nelems;
	/* One span that was not followed: of the chunk nothing is said, for "0" would say "gone". */
	c->has_stayed = sp->stayed && (c->has_stayed || c->spans.n == 1);
	return NULL;
}

/* Triples of a chunk and their numbers. */
struct cells {
	VEC(struct cell { uint32_t g[IDENT_COLUMNS]; }) v;
	uint32_t *tab; /* open addressing: 1 + index */
	size_t cap;
};

static size_t place_of(const struct cells *t, const struct cell *x)
{
	uint64_t h = (x->g[0] * 0x9e3779b97f4a7c15ULL) ^ (x->g[1] * 0xc2b2ae3d27d4eb4fULL) ^
		     (x->g[2] * 0x165667b19e3779f9ULL);
	size_t i = (size_t)(h >> 28) & (t->cap - 1);

	while (t->tab[i] && memcmp(&t->v.v[t->tab[i] - 1], x, sizeof(*x)) != 0)
		i = (i + 1) & (t->cap - 1);
	return i;
}

static bool cells_grow(struct cells *t)
{
	size_t cap = t->cap ? 2 * t->cap : 1024;
	uint32_t *tab = zalloc(cap, sizeof(*tab));

	if (!tab)
		return false;
	free(t->tab);
	t->tab = tab;
	t->cap = cap;
	for (size_t i = 0; i < t->v.n; i++)
		tab[place_of(t, &t->v.v[i])] = (uint32_t)i + 1;
	return true;
}

/* UINT32_MAX: memory is short. */
static uint32_t number_of(struct cells *t, const struct cell *x)
{
	size_t i;

	if (2 * t->v.n >= t->cap && !cells_grow(t))
		return UINT32_MAX;
	i = place_of(t, x);
	if (!t->tab[i]) {
		if (!vec_push(&t->v, *x))
			return UINT32_MAX;
		t->tab[i] = (uint32_t)t->v.n;
	}
	return t->tab[i] - 1;
}

/* index[]: of each alive object in order. */
static struct err *number_objects(const struct chunk *c, struct cells *t, uint32_t *index)
{
	struct cell last = { { UINT32_MAX, UINT32_MAX, UINT32_MAX } };
	uint32_t number = 0;
	size_t n = 0;

	for (size_t s = 0; s < c->spans.n; s++) {
		const struct chunk_span *sp = &c->spans.v[s];

		for (size_t w = 0; w < (sp->nelems + 63U) / 64; w++)
			for (uint64_t bits = c->alive.v[sp->word + w]; bits; bits &= bits - 1) {
				size_t i = sp->first + 64 * w + (size_t)__builtin_ctzll(bits);
				struct cell x = { { c->group[0].v[i], c->group[1].v[i],
						    c->group[2].v[i] } };

				if (memcmp(&x, &last, sizeof(x)) != 0) {
					last = x;
					number = number_of(t, &x);
					if (number == UINT32_MAX)
						return &err_nomem;
				}
				index[n++] = number;
			}
	}
	return NULL;
}

static void put(struct chunk *c, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		c->raw.v[c->raw.n++] = (uint8_t)(v >> (8 * i));
}

static unsigned width_of(size_t ncells)
{
	return ncells <= 256 ? 1 : ncells <= 65536 ? 2 : 4;
}

static void put_spans(struct chunk *c)
{
	for (size_t i = 0; i < c->spans.n; i++)
		put(c, c->spans.v[i].base, 8);
	for (size_t i = 0; i < c->spans.n; i++)
		put(c, c->spans.v[i].bytes, 8);
	for (size_t i = 0; i < c->spans.n; i++)
		put(c, c->spans.v[i].elem_bytes, 8);
	for (size_t i = 0; i < c->spans.n; i++)
		put(c, c->spans.v[i].nelems, 4);
	for (size_t i = 0; i < c->spans.n; i++)
		put(c, c->spans.v[i].spanclass, 1);
	for (size_t i = 0; i < c->spans.n; i++)
		put(c, c->spans.v[i].old_known, 1);
}

static struct err *put_all(struct chunk *c, const struct cells *t, const uint32_t *index)
{
	unsigned width = width_of(t->v.n);
	size_t need = 20 + 30 * c->spans.n + 12 * t->v.n + 8 * 3 * c->alive.n + width * c->nalive;

	if (need > CHUNK_RAW_MAX)
		return err_new(ERR_LIMIT, "a span of %" PRIu64 " objects is too much for a store",
			       c->nalive);
	c->raw.n = 0;
	if (!vec_reserve(&c->raw, need))
		return &err_nomem;
	put(c, CHUNK_MAGIC, 4);
	put(c, c->spans.n, 4);
	put(c, t->v.n, 4);
	put(c, c->nalive, 4);
	put(c, c->has_stayed, 4);
	put_spans(c);
	for (size_t i = 0; i < t->v.n; i++)
		for (int k = 0; k < IDENT_COLUMNS; k++)
			put(c, t->v.v[i].g[k], 4);
	for (size_t i = 0; i < c->alive.n; i++)
		put(c, c->alive.v[i], 8);
	for (size_t i = 0; i < c->alive.n; i++)
		put(c, c->alive.v[i] & ~c->old.v[i], 8);
	for (size_t i = 0; i < c->alive.n && c->has_stayed; i++)
		put(c, c->alive.v[i] & ~c->stayed.v[i], 8);
	for (size_t i = 0; i < c->nalive; i++)
		put(c, index[i], width);
	return NULL;
}

struct err *chunk_encode(struct chunk *c)
{
	_cleanup_(freep) uint32_t *index = NULL;
	struct cells t = { 0 };
	struct err *err;

	c->nalive = 0;
	for (size_t i = 0; i < c->alive.n; i++)
		c->nalive += (uint64_t)__builtin_popcountll(c->alive.v[i]);
	index = malloc((c->nalive + 1) * sizeof(*index));
	if (!index)
		return &err_nomem;
	err = number_objects(c, &t, index);
	if (!err)
		err = put_all(c, &t, index);
	vec_free(&t.v);
	free(t.tab);
	return err;
}
