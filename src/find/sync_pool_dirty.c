/*
 * sync_pool_dirty.c - values put into a sync.Pool with references to what is not theirs.
 *
 * Counted is only what the pool alone keeps alive: a request, a session, the entries of a map that
 * was not cleared.  No leak: a pool that nobody uses is empty after two collections, one in use
 * keeps them.
 */
#include "find/pool_values.h"
#include "find/priv.h"

struct sum {
	uint64_t values, dirty, bytes, objects;
	uint8_t sure;
	const struct pool_value *main;
};

static struct sum add_up(const struct pool_view *p)
{
	struct sum s = { .values = p->v.n };

	for (size_t i = 0; i < p->v.n; i++) {
		const struct pool_value *x = &p->v.v[i];

		if (!x->foreign)
			continue;
		s.dirty++;
		s.bytes += x->foreign;
		s.objects += x->objects;
		s.sure = MAX(s.sure, x->sure);
		if (!s.main || x->largest_bytes > s.main->largest_bytes)
			s.main = x;
	}
	return s;
}

struct pointing {
	struct find *f;
	uint64_t id; /* that is pointed to */
	uint64_t at; /* UINT64_MAX: nowhere */
};

static struct err *see_object(void *arg, uint64_t id, taddr type, uint64_t word0)
{
	(void)arg, (void)id, (void)type, (void)word0;
	return NULL;
}

static struct err *see_pointer(void *arg, uint64_t id, uint64_t at, taddr value, uint64_t before)
{
	struct pointing *p = arg;

	(void)id, (void)before;
	if (p->at == UINT64_MAX && go_heap_object_at(&p->f->l.s->heap, value) == p->id)
		p->at = at;
	return NULL;
}

static void see_lost(void *arg, taddr addr, uint64_t nbytes)
{
	(void)arg, (void)addr, (void)nbytes;
}

/* "main.ctx.req": where the pointer lies. */
static const char *field_of(struct find *f, const struct pool_value *x)
{
	static const struct go_scan_ops ops = { see_object, see_pointer, see_lost, NULL };
	const struct snapshot *s = f->l.s;
	struct pointing p = { f, graph_object(f->l.g, x->largest), UINT64_MAX };
	uint64_t holder = graph_object(f->l.g, x->holder);

	err_free(go_heap_scan_object(s->go, &s->heap, holder, &ops, &p));
	return p.at == UINT64_MAX ? look_type_name(&f->l, x->holder)
				  : look_place_name(&f->l, holder, p.at, UINT32_MAX);
}

static const char *star(struct find *f, const struct sum *s)
{
	const char *name = look_type_name(&f->l, s->main->largest);

	return !strncmp(name, "map[", 4) ? keepf(&f->keep, "entries of a %s", name)
					 : keepf(&f->keep, "a %s", name);
}

static const char *fix_of(struct find *f, const struct sum *s, const char *field)
{
	const char *name = look_type_name(&f->l, s->main->largest);
	bool has_clear = find_go_minor(f) >= 21;

	if (!strncmp(name, "map[", 4))
		return keepf(&f->keep, "Before Put empty the map %s: %s.", field,
			     has_clear ? "clear(m)" : "for k := range m { delete(m, k) }");
	if (!strncmp(field, "[]", 2))
		return keepf(&f->keep,
			     "Before Put clear the elements of the %s, also those behind its len: "
			     "%s, then s = s[:0].",
			     field,
			     has_clear ? "clear(s[:cap(s)])" : "set each of s[:cap(s)] to nil");
	return keepf(&f->keep, "Before Put set %s to nil, or reset the whole value: *x = T{}.",
		     field);
}

static struct err *say(struct find *f, const struct pool_view *p)
{
	struct sum s = add_up(p);
	struct finding x = { .verdict = s.sure == POOL_FOREIGN ? FIND_WASTE : FIND_SUSPECT,
			     .proof = FIND_MEASURED,
			     .goroutine = FIND_NO_GOROUTINE,
			     .bytes = s.bytes,
			     .objects = s.objects,
			     .count = s.dirty,
			     .confirm = "limpet pools PID" };
	const char *pool, *field, *type;

	if (!s.main || s.bytes < content_floor(f))
		return NULL;
	pool = look_pool_text(&f->l, p->pool);
	field = field_of(f, s.main);
	type = s.main->type ? s.main->type->name : "values";
	x.node = s.main->largest;
	x.type = type;
	x.title = keepf(&f->keep,
			"%" PRIu64 " of %" PRIu64 " %s in %s still refer to what is not "
			"theirs: %s alone keeps %s alive, mostly by %s to %s",
			s.dirty, s.values, type, pool, s.dirty == 1 ? "it" : "the pool",
			content_bytes(f, s.bytes), field, star(f, &s));
	x.key = keepf(&f->keep, "%s|%s|%s", type, field, look_type_name(&f->l, s.main->largest));
	x.fix = fix_of(f, &s, field);
	x.mitigate = "A pool that is not used is empty after two collections.";
	if (x.verdict == FIND_SUSPECT)
		x.decide = keepf(&f->keep,
				 "whether New makes %s as a part of each value: then it is theirs, "
				 "otherwise it was left in it",
				 field);
	return find_say(f, &x);
}

static struct err *run(struct find *f)
{
	return pool_views(f, content_floor(f), say);
}

const struct detector detect_sync_pool_dirty = {
	.name = "sync-pool-dirty",
	.about = "pooled values that still refer to what is not theirs",
	.needs = FIND_NEEDS_RUNTIME,
	.run = run,
};
