/*
 * map_old.c - maps of buckets with overflow chains, of 8 entries a bucket.
 *
 * Source: runtime/map.go (hmap, bmap, mapextra, evacuated), from 1.24 on runtime/map_noswiss.go.
 * While it grows, entries lie in the old buckets until their bucket is evacuated.  Chains are
 * followed as long as a map can have overflow buckets at all: about as many as buckets
 * (tooManyOverflowBuckets starts a growth that removes them).
 */
#include "goruntime/map_priv.h"

enum { EVACUATED_X = 2, EVACUATED_EMPTY = 4, MIN_TOP_HASH = 5, SAME_SIZE_GROW = 8 };

struct hmap {
	uint64_t count, nbuckets, nold;
	taddr buckets, old, extra;
	uint64_t noverflow;
};

/* A budget for chains that is shared by all of them. */
struct chains {
	struct map_walk w;
	uint64_t left;
	bool old; /* these are old buckets */
};

static struct err *header(const struct map_walk *w, struct hmap *h)
{
	const struct go_layout *L = w->L;
	uint64_t b = go_get(w->head, L->hmap_B);
	bool same = go_get(w->head, L->hmap_flags) & SAME_SIZE_GROW;

	h->count = go_get(w->head, L->hmap_count);
	h->buckets = go_get(w->head, L->hmap_buckets);
	h->old = go_get(w->head, L->hmap_oldbuckets);
	h->extra = go_get(w->head, L->hmap_extra);
	h->noverflow = go_get(w->head, L->hmap_noverflow);
	if (b > 40)
		return err_bad_data("2^%" PRIu64 " buckets", b);
	h->nbuckets = h->buckets ? 1ULL << b : 0;
	h->nold = !h->old ? 0 : same ? 1ULL << b : (1ULL << b) / 2;
	/* makemap allocates the first bucket late; 13/2 a bucket is the load at which it grows,
	 * but one write may be on its way. */
	if (h->count > MAP_SLOTS * (h->nbuckets + h->nold) * 64)
		return err_bad_data("%" PRIu64 " entries in %" PRIu64 " buckets", h->count,
				    h->nbuckets);
	return NULL;
}

struct err *map_old_facts(struct map_walk *w, struct go_map_facts *ret)
{
	struct hmap h;
	struct err *err = header(w, &h);

	if (err)
		return err;
	ret->len = h.count;
	ret->overflow = h.noverflow;
	if (h.nbuckets >> 16) /* incrnoverflow: one of 2^(B - 15) is counted */
		ret->overflow *= h.nbuckets >> 15;
	ret->slots = MAP_SLOTS * (h.nbuckets + ret->overflow);
	ret->growing = h.old;
	return NULL;
}

static bool evacuated(const uint8_t *b)
{
	return b[0] >= EVACUATED_X && b[0] <= EVACUATED_EMPTY;
}

static unsigned live_slots(const uint8_t *b)
{
	unsigned live = 0;

	for (unsigned i = 0; i < MAP_SLOTS; i++)
		live |= (b[i] >= MIN_TOP_HASH ? 1U : 0U) << i;
	return live;
}

static taddr next_of(const struct map_walk *w, const uint8_t *b)
{
	return load_u64(b + w->s.group_bytes - 8);
}

/* w is the first member of struct chains. */
static struct err *bucket(struct map_walk *w, taddr at, const uint8_t *b)
{
	struct chains *c = (struct chains *)w;
	bool skip = c->old && evacuated(b);
	uint8_t buf[MAP_GROUP_MAX];
	struct err *err = skip ? NULL : map_slots(w, at, b, live_slots(b));
	taddr next = next_of(w, b);

	while (!err && next && !w->stopped && !(skip && !w->part)) {
		if (!c->left--)
			return err_bad_data("its chains of overflow buckets do not end");
		map_part(w, GO_PART_OVERFLOW, next, 1, w->s.group, w->s.group_bytes);
		err = go_io_read(w->io, next, buf, (size_t)w->s.group_bytes);
		if (!err && !skip)
			err = map_slots(w, next, buf, live_slots(buf));
		if (!err)
			next = next_of(w, buf);
	}
	return err;
}

/* runtime.mapextra: lists of overflow buckets of maps whose buckets hold no pointers. */
static struct err *extra(struct map_walk *w, taddr at)
{
	const struct go_layout *L = w->L;
	const struct go_field lists[] = { L->mapextra_overflow, L->mapextra_oldoverflow };
	uint8_t image[MAP_HEAD_MAX];
	struct err *err;

	if (!at || !w->part || !L->mapextra_bytes || L->mapextra_bytes > sizeof(image))
		return NULL;
	map_part(w, GO_PART_EXTRA, at, 1, go_type_named(w->ts, "runtime.mapextra"),
		 L->mapextra_bytes);
	err = go_io_read(w->io, at, image, L->mapextra_bytes);
	for (size_t i = 0; !err && i < ARRAY_LEN(lists); i++) {
		taddr slice = go_get(image, lists[i]);
		uint64_t s[3];

		if (!slice)
			continue;
		err = go_io_read(w->io, slice, s, sizeof(s));
		if (!err && s[1] <= s[2] && s[2] < 1ULL << 40)
			map_part(w, GO_PART_OVERFLOW_LIST, s[0], s[2], 0, 8);
	}
	return err;
}

struct err *map_old_walk(struct map_walk *w)
{
	struct chains c = { .w = *w };
	const struct go_map_shape *s = &w->s;
	struct hmap h;
	struct err *err = header(w, &h);

	if (err)
		return err;
	map_part(&c.w, GO_PART_HEADER, w->header, 1, go_type_named(w->ts, "runtime.hmap"),
		 w->L->hmap_bytes);
	map_part(&c.w, GO_PART_BUCKETS, h.buckets, h.nbuckets, s->group, s->group_bytes);
	map_part(&c.w, GO_PART_OLD_BUCKETS, h.old, h.nold, s->group, s->group_bytes);
	c.left = 8 * h.nbuckets + 4096;
	err = extra(&c.w, h.extra);
	if (!err)
		err = map_array(&c.w, h.buckets, h.nbuckets, bucket);
	c.old = true;
	if (!err)
		err = map_array(&c.w, h.old, h.nold, bucket);
	w->stopped = c.w.stopped;
	return err;
}
