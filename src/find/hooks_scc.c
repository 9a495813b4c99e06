/*
 * hooks_scc.c - strongly connected components of what hooks reach, and ways within them.
 *
 * Tarjan's algorithm without recursion: 12 bytes a node, and 8 for each on the way.
 */
#include "find/hooks.h"

struct tarjan {
	const struct hooks *h;
	uint32_t *num; /* order of discovery, 0: not yet */
	uint32_t *low;
	uint32_t *component; /* 0: not yet */
	uint32_t count, ncomponents;
	VEC(uint32_t) open;
	VEC(struct hooks_step) way;
};

static struct err *enter(struct tarjan *t, uint32_t v)
{
	struct hooks_step x = { .from = v };

	t->num[v] = t->low[v] = ++t->count;
	return vec_push(&t->open, v) && vec_push(&t->way, x) ? NULL : &err_nomem;
}

static void leave(struct tarjan *t, uint32_t v)
{
	uint32_t u;

	t->way.n--;
	if (t->way.n) {
		uint32_t above = t->way.v[t->way.n - 1].from;

		t->low[above] = MIN(t->low[above], t->low[v]);
	}
	if (t->low[v] != t->num[v])
		return;
	t->ncomponents++;
	do {
		u = t->open.v[--t->open.n];
		t->component[u] = t->ncomponents;
	} while (u != v);
}

static struct err *visit(struct tarjan *t, uint32_t start)
{
	struct err *err = enter(t, start);

	while (t->way.n && !err) {
		struct hooks_step *x = &t->way.v[t->way.n - 1];
		uint32_t v = x->from, to;

		if (!hooks_next(t->h, x, &to))
			leave(t, v);
		else if (!t->num[to])
			err = enter(t, to);
		else if (!t->component[to])
			t->low[v] = MIN(t->low[v], t->num[to]);
	}
	return err;
}

struct err *hooks_components(struct hooks *h)
{
	size_t n = h->nodes.n + h->n;
	_cleanup_(freep) uint32_t *num = zalloc(n, sizeof(*num));
	_cleanup_(freep) uint32_t *low = zalloc(n, sizeof(*low));
	struct tarjan t = { .h = h, .num = num, .low = low };
	struct err *err = NULL;

	h->component = t.component = zalloc(n, sizeof(*t.component));
	if (!num || !low || !t.component)
		return &err_nomem;
	for (size_t i = 0; i < h->n && !err; i++)
		if (h->v[i].state != HOOK_ALIVE && !num[h->nodes.n + i])
			err = visit(&t, (uint32_t)(h->nodes.n + i));
	vec_free(&t.open);
	vec_free(&t.way);
	return err;
}

/* Breadth first within one component; from: who found it, 1 + place. */
static struct err *find_way(const struct hooks *h, uint32_t start, uint32_t goal, uint32_t *from)
{
	hooks_list queue = { 0 };
	bool ok = vec_push(&queue, start);

	for (size_t i = 0; i < queue.n && ok && !from[goal]; i++) {
		struct hooks_step x = { .from = queue.v[i] };
		uint32_t to;

		while (ok && hooks_next(h, &x, &to)) {
			if (from[to] || h->component[to] != h->component[start])
				continue;
			from[to] = x.from + 1;
			ok = vec_push(&queue, to);
		}
	}
	vec_free(&queue);
	return ok ? NULL : &err_nomem;
}

struct err *hooks_circle(const struct hooks *h, size_t hook, gnode **ret_path, size_t *ret_len)
{
	uint32_t nplaces = (uint32_t)h->nodes.n, start = nplaces + (uint32_t)hook, at;
	uint32_t goal = h->index[h->v[hook].object] - 1;
	_cleanup_(freep) uint32_t *from = zalloc(h->nodes.n + h->n, sizeof(*from));
	_cleanup_(freep) gnode *path = NULL;
	size_t n = 0;
	struct err *err = from ? find_way(h, start, goal, from) : &err_nomem;

	if (err)
		return err;
	for (at = goal; from[at] && at != start; at = from[at] - 1)
		n += at < nplaces;
	path = zalloc(n, sizeof(*path));
	if (!path)
		return &err_nomem;
	*ret_len = n;
	for (at = goal; from[at] && at != start; at = from[at] - 1)
		if (at < nplaces)
			path[--n] = h->nodes.v[at];
	*ret_path = STEAL(path);
	return NULL;
}
