/*
 * sync_pool_large.c - buffers in a sync.Pool that have grown far beyond the others.
 *
 * A pool assumes that its values cost about the same (fmt/print.go, free: no more than 64 KiB goes
 * back): one that was needed large once is handed out for small work from then on, and kept.
 * Values that are all of one size were meant to be: information.
 */
#include "find/pool_values.h"
#include "find/priv.h"

enum { MODEST = 1 << 16, BIG = 1 << 20, TIMES = 8 };

struct sum {
	uint64_t large, bytes, all, median;
	const struct pool_value *main;
};

static int by_own(const void *x, const void *y)
{
	const struct pool_value *p = x, *q = y;

	if (p->own != q->own)
		return p->own < q->own ? -1 : 1;
	return (p->node > q->node) - (p->node < q->node);
}

static struct sum add_up(const struct pool_view *p)
{
	struct sum s = { .median = p->v.v[(p->v.n - 1) / 2].own };

	for (size_t i = 0; i < p->v.n; i++) {
		const struct pool_value *x = &p->v.v[i];

		s.all += x->own;
		if (x->own <= MODEST || (x->own < TIMES * s.median && x->own < BIG))
			continue;
		s.large++;
		s.bytes += x->own;
		s.main = x; /* ascending: the largest at last */
	}
	return s;
}

static struct err *say(struct find *f, const struct pool_view *p)
{
	struct finding x = { .verdict = FIND_WASTE,
			     .proof = FIND_MEASURED,
			     .goroutine = FIND_NO_GOROUTINE,
			     .confirm = "limpet pools PID" };
	const char *pool, *type;
	struct sum s;

	qsort(p->v.v, p->v.n, sizeof(p->v.v[0]), by_own);
	s = add_up(p);
	if (!s.main || s.bytes < content_floor(f))
		return NULL;
	if (s.main->own < TIMES * s.median && s.main->own < 16 * (uint64_t)BIG)
		x.verdict = FIND_INFO;
	pool = look_pool_text(&f->l, p->pool);
	type = s.main->type ? s.main->type->name : "values";
	x.node = s.main->node;
	x.type = type;
	x.bytes = s.bytes;
	x.count = s.large;
	x.title = keepf(&f->keep,
			"%" PRIu64 " of %zu %s in %s %s %s of %s: the largest %s, the "
			"median %s",
			s.large, p->v.n, type, pool, s.large == 1 ? "holds" : "hold",
			content_bytes(f, s.bytes), content_bytes(f, s.all),
			content_bytes(f, s.main->own), content_bytes(f, s.median));
	x.key = keepf(&f->keep, "%s|%s", type, pool);
	x.fix = keepf(
		&f->keep,
		"Do not put back what has grown: before Put of a %s, if its cap() is above "
		"64 KiB, drop it and return; package fmt does so, too.  Or keep a pool for each "
		"size.",
		type);
	x.mitigate = "A pool that is not used is empty after two collections.";
	return find_say(f, &x);
}

static struct err *run(struct find *f)
{
	return pool_views(f, content_floor(f), say);
}

const struct detector detect_sync_pool_large = {
	.name = "sync-pool-large",
	.about = "pooled buffers that have grown far beyond the others",
	.needs = FIND_NEEDS_RUNTIME,
	.run = run,
};
