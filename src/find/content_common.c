/*
 * content_common.c - what those detectors ask besides: who else refers to an object, whose it is,
 * how figures are written.
 */
#include "find/content.h"

#include "base/par.h"
#include "base/str.h"

#include <stdio.h>

enum { OWNER_NODES = 32, OWNER_STEPS = 1 << 16, PEEK = 4096, PEEKED = 256 };

taddr content_data(const struct look *l, uint64_t id, uint64_t *ret_bytes)
{
	const struct go_span *sp = go_heap_span_of(&l->s->heap, id);
	uint64_t header = sp ? go_span_header(sp) : 0;

	*ret_bytes = sp ? sp->elem_bytes - header : 0;
	return sp ? sp->base + (id - sp->first) * sp->elem_bytes + header : 0;
}

uint64_t content_slot(const struct look *l, uint64_t n)
{
	const struct go_layout *L = l->s->go->L;

	for (uint32_t i = 1; n && i < L->nclasses; i++)
		if (L->class_to_size[i] >= n)
			return L->class_to_size[i];
	return (n + GO_PAGE_BYTES - 1) & ~(uint64_t)(GO_PAGE_BYTES - 1);
}

/* Is there anything but zeroes in [at, at + n)?  The first, the last, and one in the middle. */
static struct err *has_content(const struct look *l, taddr at, uint64_t n, bool *ret)
{
	static const uint8_t zero[PEEK];
	uint8_t buf[PEEK];
	uint64_t off[3] = { 0, n > PEEK ? n / 2 - MIN(n / 2, PEEK / 2) : 0, n - MIN(n, PEEK) };

	*ret = false;
	for (unsigned i = 0; i < (n > PEEK ? 3 : 1) && !*ret; i++) {
		size_t want = (size_t)MIN(n - off[i], (uint64_t)PEEK), got = 0;
		struct err *err = target_read_some(l->s->t, at + off[i], buf, want, &got);

		if (err && err->code != ERR_FAULT)
			return err;
		err_free(err);
		*ret = memcmp(buf, zero, got) != 0;
	}
	return NULL;
}

static struct content_spare *spare_of(struct content_spares *known, uint32_t spot)
{
	while (known->of.n <= spot)
		if (!vec_push(&known->of, (struct content_spare){ 0 }))
			return NULL;
	return &known->of.v[spot];
}

struct err *content_is_spare(const struct look *l, struct content_spares *known,
			     const struct look_view *v, size_t n, bool *ret)
{
	const struct go_span *sp = go_heap_span_at(&l->s->heap, v->data);
	struct content_spare *k;
	bool content = false;
	struct err *err = NULL;
	uint64_t size;
	taddr base = content_data(l, v->object, &size);

	*ret = false;
	if (n != 1 || v->string || v->data != base || v->cap < size / 2)
		return NULL;
	k = spare_of(known, v->spot);
	if (!k)
		return &err_nomem;
	if (k->asked >= PEEKED) {
		*ret = k->spare * 2 > k->asked;
		return NULL;
	}
	if (v->len || (sp && !sp->noscan))
		err = has_content(l, base + v->len, MIN(v->cap, size) - v->len, &content);
	*ret = !content;
	k->asked++;
	k->spare += *ret;
	return err;
}

struct counting {
	const struct look *l;
	const uint64_t *ids;
	size_t n;
	uint64_t *among; /* bit by object id */
	uint32_t *degree;
};

static void count_edge(const struct counting *c, gnode to)
{
	uint64_t id = graph_object(c->l->g, to);
	size_t lo = 0, hi = c->n;

	if (!go_bit(c->among, id))
		return;
	while (lo + 1 < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->ids[mid] <= id)
			lo = mid;
		else
			hi = mid;
	}
	__atomic_fetch_add(&c->degree[lo], 1, __ATOMIC_RELAXED);
}

static struct err *count_nodes(void *arg, unsigned worker, size_t lo, size_t hi)
{
	const struct counting *c = arg;
	const struct graph *g = c->l->g;

	(void)worker;
	for (size_t v = lo; v < hi; v++) {
		if (!v || !graph_reached(g, (gnode)v))
			continue;
		for (uint32_t e = graph_first(g, (gnode)v), end = graph_last(g, (gnode)v); e < end;
		     e++)
			if (graph_is_object(g, g->to[e]))
				count_edge(c, g->to[e]);
	}
	return NULL;
}

struct err *content_in_degrees(const struct look *l, const uint64_t *ids, size_t n, uint32_t *ret)
{
	uint64_t nwords = l->s->heap.nobjects / 64 + 1;
	struct counting c = { .l = l, .ids = ids, .n = n, .degree = ret };
	struct err *err;

	memset(ret, 0, n * sizeof(*ret));
	if (!n)
		return NULL;
	c.among = bigalloc(nwords, sizeof(*c.among));
	if (!c.among)
		return &err_nomem;
	for (size_t i = 0; i < n; i++)
		c.among[ids[i] >> 6] |= 1ULL << (ids[i] & 63);
	err = par_for(look_workers(l), l->g->n, 1 << 16, count_nodes, &c);
	bigfree(c.among, nwords, sizeof(*c.among));
	return err;
}

gnode content_root(const struct look *l, gnode v)
{
	for (unsigned i = 0; i < OWNER_STEPS && v != GRAPH_NONE && v > l->g->nroots; i++)
		v = l->g->idom[v];
	return v != GRAPH_NONE && v <= l->g->nroots ? v : 0;
}

const char *content_owner(struct find *f, const gnode *nodes, size_t n, const char **ret_key)
{
	size_t step = MAX(n / OWNER_NODES, (size_t)1);
	gnode root = GRAPH_NONE;

	*ret_key = "";
	for (size_t i = 0; i < n; i += step) {
		gnode r = content_root(&f->l, nodes[i]);

		if (!r || (root != GRAPH_NONE && r != root))
			return "";
		root = r;
	}
	if (root == GRAPH_NONE)
		return "";
	*ret_key = find_root_key(f, root - 1);
	return look_root_text(&f->l, root - 1);
}

const char *content_under(struct find *f, const char *owner, const char *spot)
{
	if (!*owner || !strcmp(owner, spot))
		return "";
	return keepf(&f->keep, " under %s", owner);
}

const char *content_bytes(struct find *f, uint64_t bytes)
{
	char buf[16];

	return keepf(&f->keep, "%s", str_bytes(buf, bytes));
}

const char *content_count(struct find *f, uint64_t n, const char *one, const char *more)
{
	char digits[32], out[48];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, n), k = 0;

	for (size_t i = 0; i < len; i++) {
		out[k++] = digits[i];
		if ((len - i - 1) % 3 == 0 && i + 1 < len)
			out[k++] = ',';
	}
	out[k] = 0;
	return keepf(&f->keep, "%s %s", out, n == 1 ? one : more);
}

struct err *content_drop_others(const struct look *l, void *rows, size_t row_bytes, size_t *n)
{
	_cleanup_(freep) uint64_t *ids = zalloc(*n, sizeof(*ids));
	_cleanup_(freep) uint32_t *degree = zalloc(*n, sizeof(*degree));
	uint8_t *v = rows;
	size_t left = 0;
	struct err *err;

	if (!ids || !degree)
		return &err_nomem;
	for (size_t i = 0; i < *n; i++)
		ids[i] = ((struct content_viewed *)(void *)(v + i * row_bytes))->id;
	err = content_in_degrees(l, ids, *n, degree);
	if (err)
		return err;
	for (size_t i = 0; i < *n; i++) {
		const struct content_viewed *x = (void *)(v + i * row_bytes);

		if (degree[i] <= x->nviews)
			memmove(v + left++ * row_bytes, v + i * row_bytes, row_bytes);
	}
	*n = left;
	return NULL;
}
