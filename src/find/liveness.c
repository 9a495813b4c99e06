/*
 * liveness.c - goroutines that wait for ever, one by one and in groups.
 *
 * The walk itself was made with the graph (graph/live.c): here its answer is read for each
 * goroutine, and losses are weighed against it.  Cost: O(w log w) for w who wait; the bytes of
 * the leaked are walked once.
 */
#include "find/liveness.h"

#include "find/stacks.h"
#include "graph/live.h"

#include <stdlib.h>

/* Fewer, or since shortly: nothing is said of goroutines that someone can wake. */
enum { SUSPECTS_MIN = 100, SUSPECTS_MANY = 1000 };
#define SUSPECT_WAIT_NS (5ULL * 60 * 1000000000)

const char *leak_state_word(uint8_t state)
{
	static const char *const words[] = { "no", "suspect", "proved" };

	return state < ARRAY_LEN(words) ? words[state] : "no";
}

/*
 * What was taken word by word instead is no loss here: more was reached, not less.  Losses of the
 * evidence itself (a core cut off) may hide anything.
 */
const char *liveness_weakness(const struct snapshot *s)
{
	static const char *const harmless[] = {
		"stack not unwound to its end",
		"stack frame without a pointer map",
		"stack object without a pointer map",
		"stack pointer outside the goroutine's stack",
		"labels of goroutines not readable",
		"samples of the memory profile without a stack",
		"program files not found",
	};
	static const char *const names[] = { "DWARF", "debuginfod", "memory profile" };

	for (size_t i = 0; i < s->losses.n; i++) {
		const char *what = s->losses.v[i].what;
		bool bad = true;

		for (size_t k = 0; k < ARRAY_LEN(harmless) && bad; k++)
			bad = strncmp(what, harmless[k], strlen(harmless[k])) != 0;
		for (size_t k = 0; k < ARRAY_LEN(names) && bad; k++)
			bad = !strstr(what, names[k]);
		if (bad)
			return what;
	}
	return NULL;
}

void liveness_deinit(struct liveness *v)
{
	free(v->state);
	free(v->waiter);
	free(v->root);
	free(v->order);
	vec_free(&v->groups);
}

/* mgc.go, findGoroutineLeaks: "Do not report the main goroutine if it is waiting on select{}." */
static bool is_main_waiting(const struct snapshot *s, const struct go_waiter *x)
{
	return s->stacks.gs.v[x->g].id == 1 && x->what == GO_WAIT_NOTHING;
}

static void find_roots(const struct look *l, struct liveness *v)
{
	for (uint32_t r = 0; r < l->g->nroots; r++) {
		const struct snap_root *root = &l->s->roots.v[r];

		if (root->kind == SNAP_ROOT_GOROUTINE && root->goroutine < v->n)
			v->root[root->goroutine] = r + 1;
	}
}

static size_t mark_leaked(const struct look *l, struct liveness *v)
{
	const struct go_waits *w = &l->s->waits;
	size_t n = 0;

	for (size_t i = 0; i < w->v.n; i++) {
		const struct go_waiter *x = &w->v.v[i];

		v->waiter[x->g] = (uint32_t)i;
		v->order[n++] = x->g;
		if (!v->root[x->g] || graph_live(l->g, v->root[x->g]) || is_main_waiting(l->s, x))
			continue;
		v->state[x->g] = v->weak ? LEAK_SUSPECT : LEAK_PROVED;
		v->nproved += !v->weak;
	}
	return n;
}

static int by_address(const void *x, const void *y)
{
	taddr a = *(const taddr *)x, b = *(const taddr *)y;

	return (a > b) - (a < b);
}

/* Different things of all of a group. */
static struct err *count_things(const struct look *l, const struct liveness *v,
				struct leak_group *k)
{
	const struct go_waits *w = &l->s->waits;
	_cleanup_(freep) taddr *at = zalloc(k->n, sizeof(*at));
	size_t n = 0;

	if (!at)
		return &err_nomem;
	for (size_t i = k->first; i < k->first + k->n; i++) {
		const struct go_waiter *x = &w->v.v[v->waiter[v->order[i]]];

		if (x->n)
			at[n++] = w->things.v[x->first].at;
	}
	if (n)
		qsort(at, n, sizeof(*at), by_address);
	for (size_t i = 0; i < n; i++)
		k->things += !i || at[i] != at[i - 1];
	return NULL;
}

static void add_member(const struct snapshot *s, struct leak_group *k, size_t i)
{
	const struct go_goroutine *gr = &s->stacks.gs.v[i];

	k->n++;
	k->stack_bytes += gr->stack_hi - gr->stack_lo;
	if (gr->waitsince > 0 && (!k->since || gr->waitsince < k->since))
		k->since = gr->waitsince;
}

/*
 * Workers of a pool wait for one and the same channel, and they may wait there for years.  Many
 * who wait each for its own have been forgotten, or are as many clients who say nothing.
 */
static bool is_suspect(const struct leak_group *k, uint64_t now)
{
	uint64_t waited = k->since > 0 && now > (uint64_t)k->since ? now - (uint64_t)k->since : 0;

	if (k->what == GO_WAIT_SEND)
		return k->n >= SUSPECTS_MIN;
	if (k->things < k->n / 2)
		return false;
	return k->n >= SUSPECTS_MANY || (k->n >= SUSPECTS_MIN && waited >= SUSPECT_WAIT_NS);
}

static struct err *judge(const struct look *l, struct liveness *v, struct leak_group *k,
			 uint64_t now)
{
	struct err *err;

	if (k->state == LEAK_NO && k->n < SUSPECTS_MIN)
		return NULL;
	err = count_things(l, v, k);
	if (err || k->state != LEAK_NO || !is_suspect(k, now))
		return err;
	k->state = LEAK_SUSPECT;
	for (size_t i = k->first; i < k->first + k->n; i++)
		v->state[v->order[i]] = LEAK_SUSPECT;
	return NULL;
}

static void fill_group(const struct look *l, const struct liveness *v, size_t lo, size_t hi,
		       struct leak_group *k)
{
	size_t g = v->order[lo];

	*k = (struct leak_group){ .first = lo,
				  .state = v->state[g],
				  .what = l->s->waits.v.v[v->waiter[g]].what };
	for (size_t i = lo; i < hi; i++)
		add_member(l->s, k, v->order[i]);
}

/* The large ones first: what several hold is counted with the first. */
static int by_size(const void *x, const void *y)
{
	const struct leak_group *a = x, *b = y;

	if (a->n != b->n)
		return a->n < b->n ? 1 : -1;
	return (a->first > b->first) - (a->first < b->first);
}

static struct err *make_groups(const struct look *l, struct liveness *v, size_t n)
{
	_cleanup_(freep) uint64_t *salt = zalloc(v->n + 1, sizeof(*salt));
	_cleanup_(freep) size_t *first = zalloc(n + 1, sizeof(*first));
	uint64_t now = look_clock_ns(l->s);
	size_t ngroups = 0;
	struct err *err;

	if (!salt || !first)
		return &err_nomem;
	for (size_t i = 0; i < n; i++)
		salt[v->order[i]] =
			l->s->stacks.gs.v[v->order[i]].go_pc * 4 + v->state[v->order[i]];
	err = look_group_stacks(&l->s->stacks, salt, n, v->order, first, &ngroups);
	for (size_t i = 0; i < ngroups && !err; i++) {
		struct leak_group k;

		fill_group(l, v, first[i], first[i + 1], &k);
		err = vec_push(&v->groups, k) ? judge(l, v, &v->groups.v[i], now) : &err_nomem;
	}
	if (v->groups.n)
		qsort(v->groups.v, v->groups.n, sizeof(v->groups.v[0]), by_size);
	return err;
}

/* What each group of the leaked would free; what several hold is the first one's. */
static struct err *measure(const struct look *l, struct liveness *v)
{
	_cleanup_(freep) uint32_t *group = zalloc(l->g->nroots + 1UL, sizeof(*group));
	_cleanup_(freep) uint64_t *bytes = zalloc(v->groups.n + 1, sizeof(*bytes));
	_cleanup_(freep) uint64_t *objects = zalloc(v->groups.n + 1, sizeof(*objects));
	struct err *err;

	if (!group || !bytes || !objects)
		return &err_nomem;
	memset(group, 0xff, l->g->nroots * sizeof(*group));
	for (size_t k = 0; k < v->groups.n; k++)
		for (size_t i = 0; i < v->groups.v[k].n; i++) {
			gnode root = v->root[v->order[v->groups.v[k].first + i]];

			if (root && !graph_live(l->g, root))
				group[root - 1] = (uint32_t)k;
		}
	err = graph_freed(l->g, group, (uint32_t)v->groups.n, bytes, objects);
	for (size_t k = 0; k < v->groups.n && !err; k++) {
		v->groups.v[k].bytes = bytes[k];
		v->groups.v[k].objects = objects[k];
	}
	return err;
}

static struct err *allocate(struct liveness *v)
{
	v->state = zalloc(v->n + 1, sizeof(*v->state));
	v->waiter = zalloc(v->n + 1, sizeof(*v->waiter));
	v->root = zalloc(v->n + 1, sizeof(*v->root));
	v->order = zalloc(v->n + 1, sizeof(*v->order));
	if (!v->state || !v->waiter || !v->root || !v->order)
		return &err_nomem;
	memset(v->waiter, 0xff, v->n * sizeof(*v->waiter));
	return NULL;
}

struct err *liveness_create(const struct look *l, struct liveness *ret)
{
	_cleanup_(liveness_deinit) struct liveness v = { .n = l->s->stacks.gs.n,
							 .weak = liveness_weakness(l->s),
							 .known = !l->s->dump && l->g->live };
	struct err *err = allocate(&v);
	size_t n;

	if (err)
		return err;
	find_roots(l, &v);
	n = v.known ? mark_leaked(l, &v) : 0;
	if (n)
		err = make_groups(l, &v, n);
	if (!err && v.nproved)
		err = measure(l, &v);
	if (err)
		return err;
	*ret = v;
	v = (struct liveness){ 0 };
	return NULL;
}
