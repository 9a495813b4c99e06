/*
 * duplicate_strings.c - equal text stored many times, by where it is kept.
 *
 * Counted are strings in memory of their own (an object, or their part of a tiny block), at each
 * address once.  Text is compared by a 128-bit hash and its length; of long text, when there is
 * much, by its head and tail.
 *
 * SAMPLE.  Of many strings 1 of 2^k is looked at, chosen by address.  A text that is met c > 1
 * times is taken to be there c 2^k times, one that is met once for the only one: with m copies and
 * p = 2^-k the expected result is (m - 1) (1 - (1 - p)^m), never more than the m - 1 that there
 * are. O(strings log strings), at most some hundred thousand of them; one sequential read of their
 * text.
 */
#include "find/content.h"
#include "find/priv.h"

#include <xxhash.h>

enum { READ_MAX = 64 << 20, RUN_MAX = 1 << 16, PIECE = RUN_MAX / 2, GAP = 2048 };

struct text {
	XXH128_hash_t hash;
	const struct content_string *s;
	uint64_t cost;
};

struct sum {
	uint32_t spot;
	uint64_t copies, texts, strings, waste, bytes;
	size_t last; /* end of the text counted last */
	size_t main; /* text with the largest waste */
	uint64_t main_waste;
};

struct work {
	struct find *f;
	const struct content *c;
	VEC(struct text) v;
	VEC(struct sum) sums; /* by spot */
	bool ends;	      /* of long text only its ends are compared */
	uint8_t *buf;	      /* RUN_MAX bytes of the target, from at on */
	taddr at;
	size_t n;
};

/* How much to read from string i on: as long as one lies close behind the other. */
static size_t run_of(const struct work *w, size_t i, size_t n)
{
	const struct content_string *s = w->c->strings.v;
	taddr at = s[i].data;

	for (i++; i < w->c->strings.n && s[i].data - at <= n + GAP; i++) {
		size_t end = (size_t)(s[i].data - at) + s[i].len;

		if (end > RUN_MAX)
			break;
		n = MAX(n, end);
	}
	return n;
}

/* n bytes of string i, from off on; NULL: cannot be read. */
static const uint8_t *text_bytes(struct work *w, size_t i, uint64_t off, size_t n)
{
	taddr at = w->c->strings.v[i].data + off;

	if (at < w->at || at + n > w->at + w->n) {
		w->n = 0;
		w->at = at;
		err_free(target_read_some(w->f->l.s->t, at, w->buf, off ? n : run_of(w, i, n),
					  &w->n));
	}
	return at >= w->at && at + n <= w->at + w->n ? w->buf + (at - w->at) : NULL;
}

/* false: cannot be read. */
static bool hash_text(struct work *w, XXH3_state_t *state, size_t i, XXH128_hash_t *ret)
{
	uint64_t len = w->c->strings.v[i].len;
	const uint8_t *p;

	if (len <= PIECE) {
		p = text_bytes(w, i, 0, (size_t)len);
		if (p)
			*ret = XXH3_128bits(p, (size_t)len);
		return p;
	}
	XXH3_128bits_reset(state);
	for (uint64_t at = 0, n; at < len; at += n) {
		n = MIN(len - at, (uint64_t)PIECE);
		if (w->ends && at && n == PIECE)
			continue;
		p = text_bytes(w, i, at, (size_t)n);
		if (!p)
			return false;
		XXH3_128bits_update(state, p, (size_t)n);
	}
	*ret = XXH3_128bits_digest(state);
	return true;
}

static uint64_t cost(const struct look *l, const struct content_string *s)
{
	const struct go_span *sp = go_heap_span_at(&l->s->heap, s->data);

	return !sp || sp->tiny ? s->len : sp->elem_bytes;
}

static struct err *hash_all(struct work *w)
{
	XXH3_state_t *state = XXH3_createState();
	const struct content *c = w->c;
	uint64_t bytes = 0;
	taddr end = 0;
	bool ok = state;

	for (size_t i = 0; i < c->strings.n; i++)
		bytes += c->strings.v[i].len;
	w->ends = bytes > READ_MAX;
	for (size_t i = 0; i < c->strings.n && ok; i++) {
		struct text t = { .s = &c->strings.v[i] };

		if (t.s->data < end) /* the same, or a part of the one before */
			continue;
		end = t.s->data + t.s->len;
		t.cost = cost(&w->f->l, t.s);
		if (hash_text(w, state, i, &t.hash))
			ok = vec_push(&w->v, t);
	}
	XXH3_freeState(state);
	return ok ? NULL : &err_nomem;
}

static int by_text(const void *x, const void *y)
{
	const struct text *p = x, *q = y;
	int c = XXH128_cmp(&p->hash, &q->hash);

	if (c)
		return c;
	if (p->s->len != q->s->len)
		return p->s->len < q->s->len ? -1 : 1;
	return (p->s->data > q->s->data) - (p->s->data < q->s->data);
}

static bool equal(const struct text *p, const struct text *q)
{
	return p->s->len == q->s->len && XXH128_isEqual(p->hash, q->hash);
}

/* Texts [lo, hi) are one: all but one of them could go, and are put to the places of all alike. */
static void add(struct work *w, size_t lo, size_t hi)
{
	unsigned shift = w->c->string_shift;
	uint64_t n = hi - lo, copies = (n << shift) - 1;

	if (n < 2)
		return;
	for (size_t i = lo; i < hi; i++) {
		struct sum *s = &w->sums.v[w->v.v[i].s->spot];
		uint64_t waste = w->v.v[i].cost * copies / n;

		s->copies++;
		s->texts += s->last != hi;
		s->last = hi;
		s->strings += 1ULL << shift;
		s->waste += waste;
		s->bytes += w->v.v[i].cost << shift;
		if (waste * n > s->main_waste) {
			s->main_waste = waste * n;
			s->main = i;
		}
	}
}

static int by_waste(const void *x, const void *y)
{
	const struct sum *p = x, *q = y;

	if (p->waste != q->waste)
		return p->waste > q->waste ? -1 : 1;
	return (p->spot > q->spot) - (p->spot < q->spot);
}

static const char *fix_of(struct find *f, const char *spot)
{
	if (find_go_minor(f) >= 23)
		return keepf(
			&f->keep,
			"Keep one copy: where %s is filled, s = unique.Make(s).Value(), or let "
			"it be a unique.Handle[string]; few and known values need no more than "
			"a map[string]string of them.",
			spot);
	return keepf(
		&f->keep,
		"Keep one copy: where %s is filled, look s up in a map[string]string and store "
		"what stands there (bound it, if values come from outside); from Go 1.23 on "
		"unique.Make does that.",
		spot);
}

/* A sample tells no more than two figures. */
static uint64_t rounded(const struct work *w, uint64_t n)
{
	uint64_t unit = 1;

	while (w->c->string_shift && n / unit >= 100)
		unit *= 10;
	return n - n % unit;
}

static struct err *say(struct work *w, const struct sum *s)
{
	struct find *f = w->f;
	const char *spot = look_spot_name(w->c->spots, s->spot), *owner, *key;
	VEC(gnode) nodes = { 0 };
	struct finding x = { .verdict = FIND_WASTE,
			     .proof = w->c->string_shift || w->ends ? FIND_INFERRED : FIND_MEASURED,
			     .goroutine = FIND_NO_GOROUTINE,
			     .type = "string",
			     .bytes = s->waste,
			     .count = s->strings,
			     .confirm = "limpet strings PID" };

	for (size_t i = 0; i < w->v.n && nodes.n < 1024; i++)
		if (w->v.v[i].s->spot == s->spot) {
			gnode v = look_node_at(&f->l, w->v.v[i].s->data);

			if (v != GRAPH_NONE && !vec_push(&nodes, v)) {
				vec_free(&nodes);
				return &err_nomem;
			}
		}
	owner = content_owner(f, nodes.v, nodes.n, &key);
	vec_free(&nodes);
	x.node = look_node_at(&f->l, w->v.v[s->main].s->data);
	x.objects = s->strings - MIN(s->texts, s->strings);
	x.title = keepf(&f->keep, "%s%s in %s%s are copies of %s: one of each would free %s",
			w->c->string_shift ? "about " : "",
			content_count(f, rounded(w, s->strings), "string", "strings"), spot,
			content_under(f, owner, spot),
			content_count(f, s->texts, "text", "different texts"),
			content_bytes(f, s->waste));
	x.key = keepf(&f->keep, "%s|%s", spot, key);
	x.fix = fix_of(f, spot);
	if (w->c->string_shift)
		x.detail = keepf(&f->keep, "from a sample of 1 in %u; at least that much",
				 1U << w->c->string_shift);
	return find_say(f, &x);
}

static struct err *fill(struct work *w)
{
	struct err *err;

	if (!vec_reserve(&w->sums, look_spots_count(w->c->spots)))
		return &err_nomem;
	for (; w->sums.n < look_spots_count(w->c->spots); w->sums.n++)
		w->sums.v[w->sums.n] = (struct sum){ .spot = (uint32_t)w->sums.n };
	err = hash_all(w);
	if (!err && w->v.n)
		qsort(w->v.v, w->v.n, sizeof(w->v.v[0]), by_text);
	for (size_t i = 0, next; i < w->v.n && !err; i = next) {
		for (next = i + 1; next < w->v.n && equal(&w->v.v[i], &w->v.v[next]); next++)
			;
		add(w, i, next);
	}
	if (!err && w->sums.n)
		qsort(w->sums.v, w->sums.n, sizeof(w->sums.v[0]), by_waste);
	for (size_t i = 0; i < w->sums.n && !err && w->sums.v[i].waste >= content_floor(w->f); i++)
		err = say(w, &w->sums.v[i]);
	return err;
}

static struct err *run(struct find *f)
{
	struct work w = { .f = f };
	struct err *err = content_of(f, &w.c);

	if (err || !w.c->want_strings || !w.c->strings.n)
		return err;
	w.buf = malloc(RUN_MAX);
	err = w.buf ? fill(&w) : &err_nomem;
	free(w.buf);
	vec_free(&w.v);
	vec_free(&w.sums);
	return err;
}

const struct detector detect_duplicate_strings = {
	.name = "duplicate-strings",
	.about = "equal text stored many times",
	.needs = FIND_NEEDS_RUNTIME,
	.run = run,
};
