/*
 * kept_get_tree.c - `tree` and `why` of a store: the heavy nodes, and what was told of them.
 *
 * WHAT is looked for among the nodes that are kept, by the rules of agg_find.c.  What is not there
 * may still be an object: nobody is told that it is none.
 */
#include "report/kept.h"
#include "report/kept_get.h"

struct nodes {
	struct kept_node *v;
	int64_t *ids;
	size_t n;
	uint32_t *child,
		*first; /* by node: its children, child[first[i]] .. child[first[i + 1] - 1] */
};

static void nodes_deinit(struct nodes *x)
{
	free(x->v);
	free(x->ids);
	free(x->child);
	free(x->first);
}

/* Index of the node of that id, SIZE_MAX: none before `below`. */
static size_t index_of(const struct nodes *x, uint64_t id, size_t below)
{
	size_t lo = 0, hi = below;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if ((uint64_t)x->ids[mid] < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < below && (uint64_t)x->ids[lo] == id ? lo : SIZE_MAX;
}

/* A dominator stands before what it dominates: so there is no circle. */
static struct err *link_nodes(struct nodes *x)
{
	_cleanup_(freep) size_t *up = zalloc(x->n, sizeof(*up));
	_cleanup_(freep) uint32_t *fill = zalloc(x->n + 1, sizeof(*fill));

	x->first = zalloc(x->n + 2, sizeof(*x->first));
	x->child = zalloc(x->n + 1, sizeof(*x->child));
	if (!up || !fill || !x->first || !x->child)
		return &err_nomem;
	for (size_t i = 0; i < x->n; i++) {
		up[i] = index_of(x, x->v[i].up, i);
		if (up[i] != SIZE_MAX && x->v[up[i]].tree == x->v[i].tree)
			x->first[up[i] + 1]++;
		else
			up[i] = SIZE_MAX;
	}
	for (size_t i = 0; i < x->n; i++)
		x->first[i + 1] += x->first[i];
	for (size_t i = 0; i < x->n; i++)
		if (up[i] != SIZE_MAX)
			x->child[x->first[up[i]] + fill[up[i]]++] = (uint32_t)i;
	return NULL;
}

static struct err *read_nodes(struct kept *k, struct nodes *ret)
{
	struct err *err =
		kept_get(&k->w, &kept_tree_node, 0, (void **)&ret->v, &ret->n, &ret->ids, NULL);

	if (!err && (!ret->n || ret->n >= UINT32_MAX))
		err = kept_lacks(k, "it has no dominator tree");
	return err ? err : link_nodes(ret);
}

static bool is_object(const struct ans_holder *h)
{
	return !strcmp(h->what, "object");
}

/* "goroutine 17 main.worker" is goroutine:17. */
static bool is_goroutine(const struct ans_holder *h, const char *what)
{
	size_t n = strlen(what);

	return n > 10 && !strncmp(what, "goroutine:", 10) && !strcmp(h->what, "goroutine") &&
	       !strncmp(h->name, "goroutine ", 10) && !strncmp(h->name + 10, what + 10, n - 10) &&
	       h->name[n] == ' ';
}

/* Does WHAT mean that node? */
static bool is_meant(const struct ans_holder *h, const char *what, taddr addr)
{
	if (is_goroutine(h, what))
		return true;
	if (addr)
		return addr == h->addr || (addr > h->addr && addr - h->addr < h->bytes);
	if (is_object(h))
		return !strcmp(h->type, *what == '*' ? what + 1 : what) || !strcmp(h->type, what);
	return !strcmp(h->what, "global") && !strcmp(h->name, what);
}

/* What an address or a word may mean; *ret_addr 0: it is a name. */
static struct err *read_what(const struct kept *k, const char *what, taddr *ret_addr)
{
	char *end = NULL;

	*ret_addr = 0;
	if (!strncmp(what, "fd:", 3))
		return kept_lacks(k, "fd:N is not kept by its object: see `limpet fds`");
	if (strncmp(what, "0x", 2) && strncmp(what, "0X", 2))
		return NULL;
	*ret_addr = strtoull(what, &end, 16);
	if (*end || !*ret_addr)
		return err_usage("%s: no address; want 0x and hex digits", what);
	return NULL;
}

static struct err *not_kept(const struct kept *k, const char *what)
{
	char size[16];

	return err_unsupported(
		"%.100s: not in %.200s, which keeps what retains %s and more; give a process or a "
		"core (limpet snapshot PID -o FILE)",
		what, store_name(k->w.x), str_bytes(size, k->totals.limit_least_tree));
}

static size_t find_node(const struct nodes *x, uint8_t tree, const char *what, taddr addr)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < x->n; i++) {
		const struct ans_holder *h = &x->v[i].node.node;

		if (x->v[i].tree != tree || !is_meant(h, what, addr))
			continue;
		if (best == SIZE_MAX || x->v[i].node.retained > x->v[best].node.retained)
			best = i;
	}
	return best;
}

struct growing {
	const struct nodes *x;
	struct ans_tree *t;
	unsigned max_depth, trees;
	size_t limit;
};

static struct err *grow_hidden(struct growing *w, const struct kept_node *k, unsigned depth,
			       uint64_t shown, uint64_t bytes, uint64_t owner)
{
	struct ans_tree_node h = { .depth = depth, .hidden = k->children - shown };

	if (k->children <= shown)
		return NULL;
	h.hidden_bytes = k->children_bytes - MIN(k->children_bytes, bytes);
	if (w->trees & AGG_TREE_OWNER)
		h.owner_hidden_bytes = k->children_owner - MIN(k->children_owner, owner);
	h.node = (struct ans_holder){ .what = "skipped",
				      .name = "",
				      .type = "",
				      .field = "",
				      .frame = "",
				      .count = h.hidden };
	return vec_push(&w->t->nodes, h) ? NULL : &err_nomem;
}

static struct err *grow(struct growing *w, size_t i, unsigned depth);

/* At most max_depth deep, which the command bounds. */
static struct err *grow_children(struct growing *w, size_t i, unsigned depth)
{
	uint64_t shown = 0, bytes = 0, owner = 0;
	struct err *err = NULL;

	for (uint32_t c = w->x->first[i]; c < w->x->first[i + 1] && shown < w->limit && !err; c++) {
		const struct kept_node *k = &w->x->v[w->x->child[c]];

		bytes += k->node.retained;
		owner += k->node.owner_retained;
		shown++;
		err = grow(w, w->x->child[c], depth);
	}
	return err ? err : grow_hidden(w, &w->x->v[i], depth, shown, bytes, owner);
}

static struct err *grow(struct growing *w, size_t i, unsigned depth)
{
	struct ans_tree_node n = w->x->v[i].node;

	n.depth = depth;
	if (!depth)
		n.node.field = n.node.frame = "";
	if (!(w->trees & AGG_TREE_OWNER)) {
		n.owner_retained = 0;
		kept_strip_holder(&n.node);
	}
	if (!vec_push(&w->t->nodes, n))
		return &err_nomem;
	return depth < w->max_depth ? grow_children(w, i, depth + 1) : NULL;
}

struct err *kept_tree_of(struct agg *a, const char *what, unsigned depth, size_t limit,
			 struct ans_tree *ret)
{
	_cleanup_(ans_tree_deinit) struct ans_tree t = { 0 };
	_cleanup_(nodes_deinit) struct nodes x = { 0 };
	struct kept *k = a->asked;
	unsigned trees = a->trees ? a->trees : AGG_TREE_EXACT;
	uint8_t shown = trees == AGG_TREE_OWNER ? AGG_TREE_OWNER : AGG_TREE_EXACT;
	struct growing w = { &x, &t, depth, trees, limit };
	size_t from = 0;
	taddr addr = 0;
	struct err *err = trees & ~k->totals.trees
				  ? kept_lacks(k, "of a heap of this size the owner's tree is not "
						  "kept")
				  : NULL;

	if (!err && what)
		err = read_what(k, what, &addr);
	if (!err)
		err = read_nodes(k, &x);
	while (!err && from < x.n && x.v[from].tree != shown)
		from++;
	if (!err && what)
		from = find_node(&x, shown, what, addr);
	if (!err && from >= x.n)
		err = what ? not_kept(k, what) : kept_lacks(k, "it has no such tree");
	if (err)
		return err;
	t.trees = trees;
	t.total_bytes = k->totals.tree_bytes;
	err = grow(&w, from, 0);
	if (err)
		return err;
	*ret = t;
	t = (struct ans_tree){ 0 };
	return NULL;
}

static void item_deinit(struct ans_why_item *it)
{
	for (size_t i = 0; i < it->paths.n; i++)
		ans_path_deinit(&it->paths.v[i]);
	vec_free(&it->paths);
	ans_path_deinit(&it->owner);
	ans_origin_deinit(&it->origin);
	*it = (struct ans_why_item){ 0 };
}

static void strip_item(const struct agg *a, size_t max_paths, struct ans_why_item *it)
{
	while (it->paths.n > max_paths)
		ans_path_deinit(&it->paths.v[--it->paths.n]);
	if (a->trees & AGG_TREE_OWNER)
		return;
	ans_path_deinit(&it->owner);
	it->owner = (struct ans_path){ 0 };
	kept_strip_holder(&it->what);
	kept_strip_holder(&it->cut.from);
	kept_strip_holder(&it->cut.to);
	for (size_t i = 0; i < it->paths.n; i++)
		kept_strip_path(&it->paths.v[i]);
}

/* How many reachable objects there are of that type, as `top --by type` has them. */
static struct err *count_matches(struct agg *a, const char *what, uint64_t *ret)
{
	_cleanup_(ans_top_deinit) struct ans_top t = { 0 };
	const struct top_ask q = { .by = "type", .limit = KEPT_ROWS_MAX, .trees = AGG_TREE_EXACT };
	struct err *err = agg_top(a, &q, &t);

	for (size_t i = 0; i < t.rows.n && !err; i++)
		if (!strcmp(t.rows.v[i].name, what))
			*ret = t.rows.v[i].objects;
	return err;
}

static struct err *answer_one(struct agg *a, const char *what, struct ans_why_item *v, size_t n,
			      size_t max_items, size_t max_paths, struct ans_why *w)
{
	struct kept *k = a->asked;
	size_t found = 0;
	uint64_t matches = 0;
	taddr addr = 0;
	struct err *err = read_what(k, what, &addr);

	for (size_t i = 0; i < n && found < max_items && !err; i++) {
		if (!is_meant(&v[i].what, what, addr))
			continue;
		if (!vec_push(&w->items, v[i]))
			return &err_nomem;
		v[i] = (struct ans_why_item){ .what = ANS_HOLDER_EMPTY };
		v[i].what.what = "";
		w->items.v[w->items.n - 1].asked = what;
		strip_item(a, max_paths, &w->items.v[w->items.n - 1]);
		found++;
	}
	if (!err && !found)
		err = err_unsupported("%.100s: not among the %zu objects and roots of which %.200s "
				      "tells why they live; give a process or a core",
				      what, n, store_name(k->w.x));
	if (!err && found && is_object(&w->items.v[w->items.n - 1].what) && !addr) {
		err = count_matches(a, w->items.v[w->items.n - 1].what.type, &matches);
		w->matches += MAX(matches, (uint64_t)found);
	} else {
		w->matches += found;
	}
	return err;
}

struct err *kept_why_of(struct agg *a, const char *const *what, size_t n, size_t max_items,
			size_t max_paths, struct ans_why *ret)
{
	_cleanup_(ans_why_deinit) struct ans_why w = { .asked = n ? what[0] : "", .nasked = n };
	struct kept *k = a->asked;
	struct ans_why_item *v = NULL;
	size_t nv = 0;
	struct err *err = kept_get(&k->w, &kept_why_item, 0, (void **)&v, &nv, NULL, NULL);

	if (!err && (a->trees & ~k->totals.trees))
		err = kept_lacks(k, "of a heap of this size the owner's tree is not kept");
	if (!err && max_paths > KEPT_PATHS)
		err = err_unsupported(
			"%.200s: --paths %zu: %d of each are kept; give a process or a "
			"core",
			store_name(k->w.x), max_paths, KEPT_PATHS);
	for (size_t i = 0; i < n && !err; i++)
		err = answer_one(a, what[i], v, nv, max_items, max_paths, &w);
	for (size_t i = 0; i < nv; i++)
		item_deinit(&v[i]);
	free(v);
	if (err)
		return err;
	*ret = w;
	w = (struct ans_why){ 0 };
	return NULL;
}

struct err *kept_object_of(struct agg *a, const char *what)
{
	return err_unsupported("%.100s: %.200s keeps no contents of objects: keep a core too "
			       "(limpet snapshot PID -o x.core), or ask the process",
			       what, store_name(a->asked->w.x));
}
