/*
 * map_bloat.c - maps with many slots and few entries: a Go map never shrinks.
 *
 * Slots come with growing (at least 7 of 16 are used after it) or with a hint to make.  Emptied
 * by delete: control bytes of a Swiss map say "deleted" where a group was full (internal/runtime/
 * maps/group.go, ctrlDeleted), those of an old one "empty, but not the rest" (runtime/map.go,
 * emptyOne), or overflow buckets are left; by clear: maps.Map.clearSeq.  Without any of these it
 * may have been made for what is still to come: information only.
 *
 * Only maps that alone hold some memory are looked into; a few hundred control words of each.
 */
#include "find/content.h"
#include "find/priv.h"

enum {
	SPARSE_SLOTS = 64,
	SPARSE_SHARE = 8, /* one slot of 8 used, or fewer */
	LEAST_BYTES = 2048,
	BIG_BYTES = 1 << 16, /* a map of its own in the report */
	PEEKS = 256,	     /* groups of a map whose control bytes are read */
	PEEKED_MAPS = 64,
};
#define ONES 0x0101010101010101ULL

struct bloated {
	uint64_t id, len, slots, freed;
	uint32_t type; /* number in s->types */
	gnode root;
	bool emptied;
};

struct work {
	struct find *f;
	struct go_io io;
	uint8_t *want;
	uint64_t clear_off; /* of maps.Map.clearSeq; 0: not known */
	VEC(struct bloated) v;
	size_t peeked;
};

struct parts {
	struct work *w;
	bool swiss;
	uint64_t bytes;
	unsigned peeks;
	bool emptied;
};

/* A byte of w that is b? */
static bool has_byte(uint64_t w, uint8_t b)
{
	uint64_t x = w ^ (ONES * b);

	return ((x - ONES) & ~x & (ONES << 7)) != 0;
}

static void peek(struct parts *p, const struct go_map_part *part)
{
	uint64_t step = MAX(part->count / PEEKS, 1ULL);

	for (uint64_t i = 0; i < part->count && !p->emptied && p->peeks; i += step, p->peeks--) {
		uint64_t word = 0;
		struct err *err =
			go_io_read(&p->w->io, part->at + i * part->elem_bytes, &word, sizeof(word));

		if (!err)
			p->emptied = has_byte(word, p->swiss ? 0xfe : 1);
		err_free(err);
	}
}

static enum go_cont_go_on see_part(void *arg, const struct go_map_part *part)
{
	struct parts *p = arg;
	uint64_t n;

	if (!__builtin_mul_overflow(part->count, part->elem_bytes, &n) && n < UINT64_MAX / 4)
		p->bytes += n;
	if (part->what == GO_PART_GROUPS || part->what == GO_PART_BUCKETS)
		peek(p, part);
	return p->bytes < UINT64_MAX / 4 ? CONT_ON : CONT_STOP;
}

/* Memory of a map made for len entries: slots are a power of two, 7 of 8 used at most. */
static uint64_t needed(uint64_t len, uint64_t slots, uint64_t bytes)
{
	uint64_t want = 8;

	while (want * 7 / 8 < len)
		want *= 2;
	return (uint64_t)((double)bytes * (double)want / (double)slots);
}

static bool was_cleared(struct work *w, taddr at)
{
	uint64_t n = 0;

	if (w->clear_off)
		err_free(go_read_u64(w->f->l.s->go, at + w->clear_off, &n));
	return n;
}

static bool fatal(const struct err *err)
{
	return err && (err->code == ERR_NOMEM || err->code == ERR_GONE);
}

static struct err *see_parts(struct work *w, struct go_place p, struct bloated *b, bool swiss,
			     uint64_t overflow)
{
	const struct look *l = &w->f->l;
	struct parts parts = { .w = w, .swiss = swiss };
	struct err *err;

	parts.peeks = w->peeked < PEEKED_MAPS || w->peeked % 64 == 0 ? PEEKS : 0;
	w->peeked++;
	parts.emptied = overflow || was_cleared(w, p.at);
	err = go_cont_parts(go_cont_of(l->s->rtypes, p.type), &w->io, l->s->rtypes, p, see_part,
			    &parts);
	if (fatal(err))
		return err;
	if (!err) {
		b->emptied = parts.emptied;
		b->freed = parts.bytes - MIN(needed(b->len, b->slots, parts.bytes), parts.bytes);
	}
	err_free(err);
	return NULL;
}

static struct err *see(const struct look *l, void *arg, uint64_t id)
{
	struct work *w = arg;
	gnode v = graph_node_of_object(l->g, id);
	struct bloated b = { .id = id, .type = l->s->type_of[id] };
	struct look_facts facts;
	struct go_place p;
	uint64_t bytes;
	struct err *err;

	if (l->g->retained[v] < LEAST_BYTES)
		return NULL;
	p.type = go_type_at(l->s->rtypes, l->s->types.v[b.type].rtype);
	p.at = content_data(l, id, &bytes);
	if (!p.type || p.type->kind != GO_MAP)
		return NULL;
	err = look_facts_read(l, &w->io, p, &facts);
	if (err || facts.bad || look_fact(&facts, "growing", 0))
		return err;
	b.len = look_fact(&facts, "len", 0);
	b.slots = look_fact(&facts, "slots", 0);
	if (b.slots < SPARSE_SLOTS || b.len > b.slots / SPARSE_SHARE)
		return NULL;
	err = see_parts(w, p, &b, p.type->map_flags & GO_MAP_SWISS,
			look_fact(&facts, "overflow", 0));
	if (err || b.freed < LEAST_BYTES / 2)
		return err;
	b.root = b.freed >= BIG_BYTES ? content_root(l, v) : GRAPH_NONE;
	return vec_push(&w->v, b) ? NULL : &err_nomem;
}

static int by_group(const void *x, const void *y)
{
	const struct bloated *p = x, *q = y;

	if (p->type != q->type)
		return p->type < q->type ? -1 : 1;
	if (p->root != q->root)
		return p->root < q->root ? -1 : 1;
	if (p->freed != q->freed)
		return p->freed > q->freed ? -1 : 1;
	return (p->id > q->id) - (p->id < q->id);
}

struct group {
	uint64_t n, len, slots, freed, emptied;
	const char *owner, *key, *type;
};

/* maps.Clone copies tables as they are: internal/runtime/maps, Map.Clone (go1.25). */
static const char *fix_of(struct find *f, const struct group *g)
{
	const char *copy = find_go_minor(f) >= 21 ? "maps.Copy(fresh, m)" : "a loop";

	if (!g->emptied)
		return keepf(
			&f->keep,
			"If {holder} is to stay as small as it is, make it with a smaller hint: "
			"a map keeps the slots that it was made with.");
	return keepf(&f->keep,
		     "A map never gives slots back, neither by delete nor by clear, and maps.Clone "
		     "keeps them too from Go 1.25 on.  After a mass delete put what is left into a "
		     "new map (fresh := make(map[K]V, len(m)), then %s) and let {holder} be that "
		     "one; or rotate two generations.",
		     copy);
}

static void say_what(struct find *f, const struct group *g, struct finding *x)
{
	const char *why =
		g->emptied ? "emptied, and a map never shrinks" : "made for more, or cleared";

	if (g->n == 1)
		x->title = keepf(&f->keep, "%s%s has %s for %s: %s", g->type,
				 content_under(f, g->owner, g->type),
				 content_count(f, g->slots, "slot", "slots"),
				 content_count(f, g->len, "entry", "entries"), why);
	else
		x->title = keepf(&f->keep, "%s of type %s%s have %s for %s: %s",
				 content_count(f, g->n, "map", "maps"), g->type,
				 content_under(f, g->owner, g->type),
				 content_count(f, g->slots, "slot", "slots"),
				 content_count(f, g->len, "entry", "entries"), why);
}

static struct err *say(struct work *w, size_t lo, size_t hi)
{
	struct find *f = w->f;
	_cleanup_(freep) gnode *nodes = zalloc(hi - lo, sizeof(*nodes));
	struct group g = { .n = hi - lo };
	struct finding x = { .proof = FIND_MEASURED,
			     .goroutine = FIND_NO_GOROUTINE,
			     .confirm = "limpet maps PID" };
	const struct go_type *t;

	if (!nodes)
		return &err_nomem;
	for (size_t i = lo; i < hi; i++) {
		const struct bloated *b = &w->v.v[i];

		nodes[i - lo] = graph_node_of_object(f->l.g, b->id);
		g.len += b->len;
		g.slots += b->slots;
		g.freed += b->freed;
		g.emptied += b->emptied;
	}
	if (g.freed < content_floor(f))
		return NULL;
	t = go_type_at(f->l.s->rtypes, f->l.s->types.v[w->v.v[lo].type].rtype);
	g.type = t ? t->name : "map";
	g.owner = content_owner(f, nodes, hi - lo, &g.key);
	x.verdict = g.emptied ? FIND_WASTE : FIND_INFO;
	x.node = nodes[0];
	x.type = g.type;
	x.bytes = g.freed;
	x.count = g.n;
	x.key = keepf(&f->keep, "%s|%s", g.type, g.key);
	x.fix = fix_of(f, &g);
	say_what(f, &g, &x);
	return find_say(f, &x);
}

static struct err *fill(struct work *w)
{
	const struct snapshot *s = w->f->l.s;
	const struct go_type *map =
		go_type_at(s->rtypes, go_type_named(s->rtypes, "internal/runtime/maps.Map"));
	const struct go_type *field;
	struct err *err;

	if (map && !go_type_path(s->rtypes, map, "clearSeq", &w->clear_off, &field))
		w->clear_off = 0;
	for (size_t i = 0; i < s->types.n; i++)
		w->want[i] =
			s->types.v[i].kind == SNAP_TYPE_MAP && s->types.v[i].rank > SNAP_RANK_GUESS;
	err = look_each_of(&w->f->l, w->want, see, w);
	if (!err && w->v.n)
		qsort(w->v.v, w->v.n, sizeof(w->v.v[0]), by_group);
	for (size_t i = 0, next; i < w->v.n && !err; i = next) {
		for (next = i + 1; next < w->v.n && w->v.v[next].type == w->v.v[i].type &&
				   w->v.v[next].root == w->v.v[i].root;
		     next++)
			;
		err = say(w, i, next);
	}
	return err;
}

static struct err *run(struct find *f)
{
	struct work w = { .f = f };
	struct err *err;

	if (!f->l.s->type_of)
		return NULL;
	w.want = zalloc(f->l.s->types.n + 1, 1);
	err = w.want ? go_io_init_sparse(&w.io, f->l.s->go) : &err_nomem;
	if (!err)
		err = fill(&w);
	go_io_deinit(&w.io);
	vec_free(&w.v);
	free(w.want);
	return err;
}

const struct detector detect_map_bloat = {
	.name = "map-bloat",
	.about = "maps with many slots and few entries",
	.needs = FIND_NEEDS_RUNTIME,
	.run = run,
};
