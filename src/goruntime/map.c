/*
 * map.c - maps of both kinds: where their entries lie, and the questions of map.h.
 *
 * Source: internal/abi/map.go (MapType), cmd/compile/internal/reflectdata/map.go (groups and
 * buckets).  Knows of neither kind's header: map_old.c and map_swiss.c do.
 * Cost: a walk reads every group once, MAP_BLOCK bytes at a time.
 */
#include "goruntime/map_priv.h"

/* Bytes of a group that the target has no rtype of. */
static uint64_t group_bytes(const struct go_map_shape *s)
{
	uint64_t keys = s->keys_off + MAP_SLOTS * s->key_stride;
	uint64_t elems = s->elems_off + MAP_SLOTS * s->elem_stride;
	uint64_t n;

	if (!s->swiss) /* keys, elems, pointer to the next */
		return ((elems + 7) & ~7ULL) + 8;
	if (s->elems_off < keys) /* slots of a key and an elem each */
		n = keys;
	else /* an array of nothing at the end is a byte: no pointer may point behind */
		n = elems + !s->elem_stride;
	return (n + 7) & ~7ULL;
}

static bool fits(const struct go_map_shape *s)
{
	uint64_t end = s->swiss ? s->group_bytes : s->group_bytes - 8;
	uint64_t key = s->indirect_key ? 8 : s->key->bytes;
	uint64_t elem = s->indirect_elem ? 8 : s->elem->bytes;

	return s->group_bytes >= 16 && s->group_bytes <= MAP_GROUP_MAX && s->keys_off >= 8 &&
	       s->elems_off >= 8 && s->keys_off + 7 * s->key_stride + key <= end &&
	       s->elems_off + 7 * s->elem_stride + elem <= end;
}

struct err *go_map_shape(const struct go *g, struct go_types *ts, const struct go_type *map,
			 struct go_map_shape *ret)
{
	struct go_map_shape s = {
		.group = map->group,
		.keys_off = map->keys_off,
		.key_stride = map->key_stride,
		.elems_off = map->elems_off,
		.elem_stride = map->elem_stride,
		.indirect_key = map->map_flags & GO_MAP_INDIRECT_KEY,
		.indirect_elem = map->map_flags & GO_MAP_INDIRECT_ELEM,
		.swiss = map->map_flags & GO_MAP_SWISS,
	};
	const struct go_type *group;

	(void)g;
	if (map->kind != GO_MAP)
		return err_bad_data("%s is no map", map->name);
	s.key = go_type_at(ts, map->key);
	s.elem = go_type_at(ts, map->elem);
	group = go_type_at(ts, map->group);
	s.group_bytes = group ? group->bytes : group_bytes(&s);
	if (!s.key || !s.elem || !fits(&s))
		return err_bad_data("the type of %s does not hold together", map->name);
	*ret = s;
	return NULL;
}

void map_part(struct map_walk *w, uint8_t what, taddr at, uint64_t count, taddr elem,
	      uint64_t elem_bytes)
{
	struct go_map_part p = { what, at, count, elem, elem_bytes };

	if (w->part && !w->stopped && at)
		w->stopped = w->part(w->arg, &p) == CONT_STOP;
}

static taddr slot(uint64_t off, uint64_t stride, unsigned i)
{
	return off + i * stride;
}

struct err *map_slots(struct map_walk *w, taddr at, const uint8_t *b, unsigned live)
{
	const struct go_map_shape *s = &w->s;

	for (unsigned i = 0; i < MAP_SLOTS && w->entry && !w->stopped; i++) {
		uint64_t k = slot(s->keys_off, s->key_stride, i);
		uint64_t e = slot(s->elems_off, s->elem_stride, i);
		struct go_cont_entry entry = {
			.key = { at + k, s->key },
			.elem = { at + e, s->elem },
			.label = "",
			.index = w->nentries,
		};

		if (!(live & 1U << i))
			continue;
		if (s->indirect_key)
			entry.key.at = load_u64(b + k);
		if (s->indirect_elem)
			entry.elem.at = load_u64(b + e);
		w->nentries++;
		w->stopped = w->entry(w->arg, &entry) == CONT_STOP;
	}
	return NULL;
}

struct err *map_array(struct map_walk *w, taddr at, uint64_t n, map_group_fn *fn)
{
	uint64_t nbytes = w->s.group_bytes;
	uint8_t buf[MAP_BLOCK];

	while (n && !w->stopped) {
		uint64_t k = MIN(n, sizeof(buf) / nbytes);
		struct err *err = go_io_read(w->io, at, buf, (size_t)(k * nbytes));

		for (uint64_t i = 0; !err && i < k && !w->stopped; i++)
			err = fn(w, at + i * nbytes, buf + i * nbytes);
		if (err)
			return err;
		n -= k;
		at += k * nbytes;
	}
	return NULL;
}

static struct err *start(struct map_walk *w, struct go_io *io, struct go_types *ts,
			 const struct go_type *map, taddr header)
{
	struct err *err = go_map_shape(io->g, ts, map, &w->s);
	const struct go_layout *L = io->g->L;
	uint32_t n = w->s.swiss ? L->swissmap_bytes : L->hmap_bytes;

	w->io = io;
	w->ts = ts;
	w->L = L;
	w->header = header;
	if (err)
		return err;
	if (!n || n > sizeof(w->head))
		return err_unsupported("maps of go%s are not known", L->go);
	return go_io_read(io, header, w->head, n);
}

struct err *go_map_facts(struct go_io *io, struct go_types *ts, const struct go_type *map,
			 taddr header, struct go_map_facts *ret)
{
	struct map_walk w = { 0 };
	struct go_map_facts f = { .swiss = map->map_flags & GO_MAP_SWISS };
	struct err *err = NULL;

	if (header) {
		err = start(&w, io, ts, map, header);
		if (!err)
			err = w.s.swiss ? map_swiss_facts(&w, &f) : map_old_facts(&w, &f);
	}
	if (err)
		return err_prefix(err, "map at " TADDR_FMT, header);
	*ret = f;
	return NULL;
}

static struct err *walk(struct map_walk *w, struct go_io *io, struct go_types *ts,
			const struct go_type *map, taddr header)
{
	struct err *err;

	if (!header)
		return NULL;
	err = start(w, io, ts, map, header);
	if (!err)
		err = w->s.swiss ? map_swiss_walk(w) : map_old_walk(w);
	return err_prefix(err, "map at " TADDR_FMT, header);
}

struct err *go_map_parts(struct go_io *io, struct go_types *ts, const struct go_type *map,
			 taddr header, go_cont_part_fn *fn, void *arg)
{
	struct map_walk w = { .part = fn, .arg = arg };

	return walk(&w, io, ts, map, header);
}

struct err *go_map_each(struct go_io *io, struct go_types *ts, const struct go_type *map,
			taddr header, go_cont_entry_fn *fn, void *arg)
{
	struct map_walk w = { .entry = fn, .arg = arg };

	return walk(&w, io, ts, map, header);
}
