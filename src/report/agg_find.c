/*
 * agg_find.c - what a user named, as graph nodes.
 *
 * "0xc000123" (also an address inside an object, or of a global), "goroutine:17", "fd:12", a
 * type ("main.Session", "*main.Session" means the same objects), a global's name.
 * Types need one pass over the slots.
 */
#include "report/agg_fds.h"

static struct err *find_goroutine(const struct agg *a, const char *text, gnode *ret)
{
	char *end;
	unsigned long long id = strtoull(text, &end, 10);

	if (end == text || *end)
		return err_usage("goroutine:%s: want a number, as in goroutine:17", text);
	for (size_t i = 0; i < a->s->roots.n; i++) {
		const struct snap_root *r = &a->s->roots.v[i];

		if (r->kind == SNAP_ROOT_GOROUTINE && r->goroutine < a->s->stacks.gs.n &&
		    a->s->stacks.gs.v[r->goroutine].id == id) {
			*ret = (gnode)(1 + i);
			return NULL;
		}
	}
	return err_usage("goroutine %llu: there is none with that id; see `limpet goroutines`", id);
}

static bool root_at(const struct agg *a, taddr addr, gnode *ret)
{
	for (size_t i = 0; i < a->s->roots.n; i++) {
		const struct snap_root *r = &a->s->roots.v[i];
		bool inside = addr == r->addr || (addr > r->addr && addr - r->addr < r->bytes);

		if (r->kind != SNAP_ROOT_GLOBAL && r->kind != SNAP_ROOT_GOROUTINE)
			continue;
		if (inside) {
			*ret = (gnode)(1 + i);
			return true;
		}
	}
	return false;
}

static struct err *find_address(const struct agg *a, const char *text, gnode *ret)
{
	char *end;
	taddr addr = strtoull(text, &end, 16);
	uint64_t id;

	if (*end)
		return err_usage("%s: no address; want 0x and hex digits", text);
	id = go_heap_object_at(&a->s->heap, addr);
	if (id != GO_NO_OBJECT) {
		*ret = graph_node_of_object(a->g, id);
		return NULL;
	}
	if (root_at(a, addr, ret))
		return NULL;
	return err_usage("%s: no object of the Go heap and no global lies there", text);
}

static struct err *find_global(const struct agg *a, const char *name, gnode *ret)
{
	for (size_t i = 0; i < a->s->roots.n; i++) {
		const struct snap_root *r = &a->s->roots.v[i];

		if (r->kind == SNAP_ROOT_GLOBAL && ((r->name && !strcmp(r->name, name)) ||
						    (r->place && !strcmp(r->place, name)))) {
			*ret = (gnode)(1 + i);
			return NULL;
		}
	}
	return err_usage(
		"%.200s: no such type among the objects, and no such global; see `limpet top`",
		name);
}

static uint64_t weight(const struct agg *a, gnode v)
{
	return a->g->retained ? a->g->retained[v] : graph_shallow(a->g, v);
}

/* Insert v into nodes[0 .. n), largest first, at most max. */
static void keep_largest(const struct agg *a, gnode v, gnode *nodes, size_t max, size_t *n)
{
	uint64_t w = weight(a, v);
	size_t i = *n;

	if (*n == max && (max == 0 || w <= weight(a, nodes[max - 1])))
		return;
	if (*n < max)
		(*n)++;
	else
		i = max - 1;
	for (; i > 0 && weight(a, nodes[i - 1]) < w; i--)
		nodes[i] = nodes[i - 1];
	nodes[i] = v;
}

static bool *types_named(const struct snapshot *s, const char *name, size_t *ret_hits)
{
	bool *hit = zalloc(s->types.n, sizeof(*hit));

	for (size_t i = 1; hit && i < s->types.n; i++) {
		hit[i] = s->types.v[i].name && !strcmp(s->types.v[i].name, name);
		*ret_hits += hit[i];
	}
	return hit;
}

static struct err *find_type(const struct agg *a, const char *name, gnode *nodes, size_t max,
			     size_t *ret_n, uint64_t *ret_matches)
{
	const struct snapshot *s = a->s;
	size_t hits = 0;
	_cleanup_(freep) bool *hit = types_named(s, name, &hits);

	if (!hit)
		return &err_nomem;
	for (uint64_t id = 0; hits && s->type_of && id < s->heap.nobjects; id++) {
		gnode v = graph_node_of_object(a->g, id);

		if (!hit[s->type_of[id]] || !graph_reached(a->g, v))
			continue;
		(*ret_matches)++;
		keep_largest(a, v, nodes, max, ret_n);
	}
	return NULL;
}

static struct err *find_name(const struct agg *a, const char *what, gnode *nodes, size_t max,
			     size_t *ret_n, uint64_t *ret_matches)
{
	struct err *err = find_type(a, what, nodes, max, ret_n, ret_matches);

	if (!err && !*ret_n && *what == '*')
		err = find_type(a, what + 1, nodes, max, ret_n, ret_matches);
	if (err || *ret_n || !max)
		return err;
	err = find_global(a, what, nodes);
	if (!err)
		*ret_n = *ret_matches = 1;
	return err;
}

struct err *agg_find(struct agg *a, const char *what, gnode *nodes, size_t max, size_t *ret_n,
		     uint64_t *ret_matches)
{
	struct err *err;

	*ret_n = 0;
	*ret_matches = 0;
	if (!strncmp(what, "fd:", 3))
		err = agg_fd_find(a, what + 3, nodes);
	else if (!strncmp(what, "goroutine:", 10))
		err = find_goroutine(a, what + 10, nodes);
	else if (!strncmp(what, "0x", 2) || !strncmp(what, "0X", 2))
		err = find_address(a, what, nodes);
	else
		return find_name(a, what, nodes, max, ret_n, ret_matches);
	if (!err)
		*ret_n = *ret_matches = 1;
	return err;
}
