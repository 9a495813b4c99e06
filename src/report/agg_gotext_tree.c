/*
 * agg_gotext_tree.c - who started whom: goroutines by the functions of those that they descend
 * from.
 *
 * Go 1.21 and later say which goroutine ran the go statement; before, only its function is known.
 * Those who have ended are known by what they started.  Cost: a search a goroutine, at most
 * DEPTH_MAX steps up each.
 */
#include "report/agg_gotext.h"

enum { DEPTH_MAX = 64 };

struct node {
	const char *function;
	uint32_t parent; /* UINT32_MAX: none */
	uint32_t next;	 /* in its slot's chain */
	uint64_t count, below, since_ns;
	bool ended;
};

struct by_id {
	uint64_t id;
	size_t at;
};

struct growing {
	const struct ans_gotext *a;
	VEC(struct node) nodes;
	struct by_id *ids;
	size_t nids;
	uint32_t *slot, *of; /* of: by goroutine its node + 1 */
	size_t nslots;
};

static int compare_ids(const void *x, const void *y)
{
	const struct by_id *p = x, *q = y;

	return (p->id > q->id) - (p->id < q->id);
}

static size_t find_id(const struct growing *t, uint64_t id)
{
	struct by_id key = { .id = id };
	const struct by_id *at =
		id && t->nids ? bsearch(&key, t->ids, t->nids, sizeof(key), compare_ids) : NULL;

	return at ? at->at : SIZE_MAX;
}

static uint64_t hash(const char *s, uint32_t parent, unsigned ended)
{
	uint64_t h = 14695981039346656037U ^ parent ^ (uint64_t)ended << 40;

	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * 1099511628211U;
	return h ^ h >> 29;
}

enum is_ended { IS_THERE, HAS_ENDED };

/* UINT32_MAX: memory is short. */
static uint32_t node_for(struct growing *t, const char *function, uint32_t parent,
			 enum is_ended ended)
{
	uint32_t *slot = &t->slot[hash(function, parent, ended) & (t->nslots - 1)];
	struct node n = {
		.function = function, .parent = parent, .next = *slot, .ended = ended == HAS_ENDED
	};

	for (uint32_t i = *slot; i; i = t->nodes.v[i - 1].next) {
		const struct node *x = &t->nodes.v[i - 1];

		if (x->parent == parent && x->ended == n.ended && !strcmp(x->function, function))
			return i - 1;
	}
	if (!vec_push(&t->nodes, n))
		return UINT32_MAX;
	*slot = (uint32_t)t->nodes.n;
	return *slot - 1;
}

/* From the eldest down: chain of those whose node is not known yet.  Ids are lies: no circles. */
static struct err *place(struct growing *t, size_t i)
{
	size_t chain[DEPTH_MAX], n = 0, at = i;
	uint32_t node = UINT32_MAX;

	while (at != SIZE_MAX && !t->of[at] && n < DEPTH_MAX) {
		for (size_t k = 0; k < n; k++)
			if (chain[k] == at)
				at = SIZE_MAX;
		if (at == SIZE_MAX)
			break;
		chain[n++] = at;
		at = find_id(t, t->a->gs.v[at].parent);
	}
	if (at != SIZE_MAX && t->of[at])
		node = t->of[at] - 1;
	while (n-- > 0) {
		const struct ans_gotext_g *g = &t->a->gs.v[chain[n]];

		if (node == UINT32_MAX && *g->creator)
			node = node_for(t, g->creator, UINT32_MAX, HAS_ENDED);
		node = node_for(t, *g->function ? g->function : "(unknown function)", node,
				IS_THERE);
		if (node == UINT32_MAX)
			return &err_nomem;
		t->of[chain[n]] = node + 1;
	}
	return NULL;
}

static struct err *make(struct growing *t, const struct ans_gotext *a)
{
	struct err *err = NULL;

	for (t->nslots = 1024; t->nslots < a->gs.n; t->nslots *= 2)
		;
	t->a = a;
	t->ids = zalloc(a->gs.n + 1, sizeof(*t->ids));
	t->of = zalloc(a->gs.n + 1, sizeof(*t->of));
	t->slot = zalloc(t->nslots, sizeof(*t->slot));
	if (!t->ids || !t->of || !t->slot)
		return &err_nomem;
	for (size_t i = 0; i < a->gs.n; i++)
		if (a->gs.v[i].id)
			t->ids[t->nids++] = (struct by_id){ a->gs.v[i].id, i };
	qsort(t->ids, t->nids, sizeof(*t->ids), compare_ids);
	for (size_t i = 0; i < a->gs.n && !err; i++)
		if (!a->gs.v[i].system)
			err = place(t, i);
	for (size_t i = 0; i < a->gs.n && !err; i++) {
		const struct ans_gotext_g *g = &a->gs.v[i];
		struct node *n = t->of[i] ? &t->nodes.v[t->of[i] - 1] : NULL;

		if (!n)
			continue;
		n->count += g->count;
		n->since_ns =
			g->since_ns == ANS_UNKNOWN ? n->since_ns : MAX(n->since_ns, g->since_ns);
	}
	return err;
}

/* Parents come before their children. */
static void add_up(struct growing *t)
{
	for (size_t i = t->nodes.n; i-- > 0;) {
		struct node *n = &t->nodes.v[i];

		n->below += n->count;
		if (n->parent != UINT32_MAX)
			t->nodes.v[n->parent].below += n->below;
	}
}

static int by_parent(const void *x, const void *y, void *arg)
{
	const struct growing *t = arg;
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
	const struct node *p = &t->nodes.v[a], *q = &t->nodes.v[b];

	if (p->parent != q->parent)
		return p->parent + 1 < q->parent + 1 ? -1 : 1;
	if (p->below != q->below)
		return p->below < q->below ? 1 : -1;
	return (a > b) - (a < b);
}

static struct err *walk(const struct growing *t, const uint32_t *order, const uint32_t *first,
			size_t limit, struct ans_gotext *r)
{
	struct {
		uint32_t at, end;
	} stack[DEPTH_MAX * 2 + 2];
	size_t depth = 1;

	stack[0].at = first[0];
	stack[0].end = first[1];
	while (depth) {
		uint32_t i;
		const struct node *n;

		if (stack[depth - 1].at == stack[depth - 1].end) {
			depth--;
			continue;
		}
		i = order[stack[depth - 1].at++];
		n = &t->nodes.v[i];
		struct ans_gotext_node to = { (unsigned)depth - 1,
					      n->function,
					      n->count,
					      n->below,
					      n->since_ns ? n->since_ns : ANS_UNKNOWN,
					      n->ended };

		if (r->tree.n >= limit)
			return NULL;
		if (!vec_push(&r->tree, to))
			return &err_nomem;
		if (depth < ARRAY_LEN(stack)) {
			stack[depth].at = first[i + 1];
			stack[depth].end = first[i + 2];
			depth++;
		}
	}
	return NULL;
}

struct err *agg_gotext_tree(const struct gotext *g, size_t limit, struct ans_gotext *r)
{
	struct growing t = { 0 };
	_cleanup_(freep) uint32_t *order = NULL, *first = NULL;
	struct err *err = make(&t, r);

	(void)g;
	add_up(&t);
	order = zalloc(t.nodes.n + 1, sizeof(*order));
	first = zalloc(t.nodes.n + 3, sizeof(*first));
	if (!order || !first)
		err = err ? err : &err_nomem;
	for (uint32_t i = 0; i < t.nodes.n && !err; i++) {
		order[i] = i;
		first[t.nodes.v[i].parent + 2]++; /* of none: first[1] */
	}
	for (size_t i = 1; i < t.nodes.n + 3 && !err; i++)
		first[i] += first[i - 1];
	if (!err && t.nodes.n)
		qsort_r(order, t.nodes.n, sizeof(*order), by_parent, &t);
	if (!err && t.nodes.n)
		err = walk(&t, order, first, limit, r);
	vec_free(&t.nodes);
	free(t.ids);
	free(t.of);
	free(t.slot);
	return err;
}

void agg_gotext_tree_cut(struct ans_gotext *r, unsigned levels)
{
	size_t n = 0;

	for (size_t i = 0; i < r->tree.n; i++)
		if (r->tree.v[i].depth < levels)
			r->tree.v[n++] = r->tree.v[i];
	r->tree_cut += r->tree.n - n;
	r->tree.n = n;
}
