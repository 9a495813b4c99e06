/*
 * look_pools.c - sync.Pools: found by type and by shape, their values one by one.
 *
 * Knows no row and no finding.  Source: sync/pool.go.  Finding them costs a pass over the objects
 * that hold a sync.Pool, and one over the words of globals.
 */
#include "find/look_pools.h"

#include <pthread.h>

enum { IMAGE_MAX = 256, MAX_PS = 1 << 16, MAX_CLIMB = 256, MAX_DEPTH = 8 };

struct work {
	const struct look *l;
	struct look_pools *p;
	pthread_mutex_t lock;
};

static bool offset_of(struct work *w, const char *field, uint64_t *ret)
{
	const struct go_type *t;

	return go_type_path(w->l->s->rtypes, w->p->type, field, ret, &t) &&
	       *ret + 8 <= w->p->type->bytes;
}

static bool know_pool(struct work *w)
{
	struct go_types *ts = w->l->s->rtypes;
	struct look_pools *p = w->p;

	p->type = go_type_at(ts, go_type_named(ts, "sync.Pool"));
	return p->type && p->type->bytes <= IMAGE_MAX && offset_of(w, "local", &p->local_off) &&
	       offset_of(w, "localSize", &p->size_off) && offset_of(w, "victim", &p->victim_off) &&
	       offset_of(w, "victimSize", &p->victim_size_off) && offset_of(w, "New", &p->new_off);
}

static struct err *see(void *arg, const struct snap_place *p)
{
	struct work *w = arg;
	struct look_pool f = { p->at, p->object, p->off, p->var, UINT32_MAX };
	bool ok;

	pthread_mutex_lock(&w->lock);
	ok = vec_push(&w->p->v, f);
	pthread_mutex_unlock(&w->lock);
	return ok ? NULL : &err_nomem;
}

/* nil, or the value of a function. */
static bool is_func(const struct work *w, taddr fn)
{
	struct go_func f;
	uint64_t pc = 0;
	struct err *err = fn ? go_read_u64(w->l->s->go, fn, &pc) : NULL;

	if (err) {
		err_free(err);
		return false;
	}
	return !fn || (go_func_at(w->l->s->go, pc, &f) && f.entry == pc);
}

/* Is the object large enough for one poolLocal a P, and no other type known? */
static bool may_be_locals(const struct work *w, const struct go_type *local, uint64_t id,
			  taddr value)
{
	const struct snapshot *s = w->l->s;
	uint64_t slot;
	taddr base = go_heap_address(&s->heap, id, &slot);
	const struct go_span *sp = go_heap_span_of(&s->heap, id);

	if (!local || !sp || value != base + go_span_header(sp) || slot < w->p->nps * local->bytes)
		return false;
	return !snapshot_is_typed(s, id) || s->types.v[s->type_of[id]].rtype == local->addr;
}

static bool may_be_nil_or_locals(const struct work *w, const struct go_type *local, taddr value)
{
	uint64_t id = value ? go_heap_object_at(&w->l->s->heap, value) : GO_NO_OBJECT;

	return !value || (id != GO_NO_OBJECT && may_be_locals(w, local, id, value));
}

/*
 * Would a sync.Pool lie at `at`?  In use, or emptied by the last cycle: then its locals are the
 * victims.  Who finds victims empty sets their size to 0 and leaves the pointer (getSlow).
 */
static bool looks_like_pool(const struct work *w, const struct go_type *local, taddr at)
{
	const struct look_pools *p = w->p;
	uint8_t b[IMAGE_MAX];
	uint64_t size, victim_size;
	struct err *err = target_read(w->l->s->t, at, b, p->type->bytes);

	if (err) {
		err_free(err);
		return false;
	}
	if (!may_be_nil_or_locals(w, local, load_u64(b + p->local_off)) ||
	    !may_be_nil_or_locals(w, local, load_u64(b + p->victim_off)))
		return false;
	size = load_u64(b + p->size_off);
	victim_size = load_u64(b + p->victim_size_off);
	if ((size && size != p->nps) || (victim_size && victim_size != p->nps) ||
	    !(size | victim_size) || !size != !load_u64(b + p->local_off) ||
	    (victim_size && !load_u64(b + p->victim_off)))
		return false;
	return is_func(w, load_u64(b + p->new_off));
}

static int by_address(const void *x, const void *y)
{
	const struct look_pool *p = x, *q = y;

	if (p->at != q->at)
		return p->at < q->at ? -1 : 1;
	return (p->root > q->root) - (p->root < q->root);
}

static bool is_found(const struct work *w, size_t n, taddr at)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->p->v.v[mid].at < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < n && w->p->v.v[lo].at == at;
}

static struct err *see_word(struct work *w, const struct go_type *local, const struct snap_slot *sl,
			    uint32_t r, size_t known)
{
	const uint64_t off[2] = { w->p->local_off, w->p->victim_off };

	for (unsigned i = 0; i < 2; i++) {
		struct look_pool f = { sl->at - off[i], GO_NO_OBJECT, 0, UINT32_MAX, r };

		if (sl->at <= off[i] || !looks_like_pool(w, local, f.at))
			continue;
		if (!is_found(w, known, f.at) && !vec_push(&w->p->v, f))
			return &err_nomem;
		break;
	}
	return NULL;
}

static struct err *see_root(struct work *w, const struct go_type *local, uint32_t r, size_t known)
{
	const struct snapshot *s = w->l->s;
	const struct snap_root *root = &s->roots.v[r];
	struct err *err = NULL;

	for (uint64_t i = root->first_slot;
	     i < root->first_slot + root->nslots && i < s->slots.n && !err; i++) {
		const struct snap_slot *sl = &s->slots.v[i];

		if (sl->object != GO_NO_OBJECT && may_be_locals(w, local, sl->object, sl->value))
			err = see_word(w, local, sl, r, known);
	}
	return err;
}

/* local of one in use, or victim of one that a cycle has just emptied. */
static struct err *find_by_shape(struct work *w)
{
	const struct snapshot *s = w->l->s;
	const struct go_type *local =
		go_type_at(s->rtypes, go_type_named(s->rtypes, "sync.poolLocal"));
	size_t known = w->p->v.n;
	struct err *err = NULL;
	uint64_t allp[2] = { 0 };

	if (s->go->v.allp)
		err_free(target_read(s->t, s->go->v.allp, allp, sizeof(allp)));
	w->p->nps = allp[1];
	if (!w->p->nps || w->p->nps > MAX_PS)
		return NULL;
	for (size_t r = 0; r < s->roots.n && !err; r++)
		if (s->roots.v[r].kind == SNAP_ROOT_GLOBAL)
			err = see_root(w, local, (uint32_t)r, known);
	return err;
}

static void sort(struct look_pools *p)
{
	size_t n = 0;

	if (p->v.n)
		qsort(p->v.v, p->v.n, sizeof(p->v.v[0]), by_address);
	for (size_t i = 0; i < p->v.n; i++)
		if (!n || p->v.v[i].at != p->v.v[n - 1].at)
			p->v.v[n++] = p->v.v[i];
	p->v.n = n;
}

struct err *look_pools_by_shape(const struct look *l, struct look_pools *ret)
{
	struct work w = { .l = l, .p = ret };
	struct err *err;

	if (l->s->dump || !know_pool(&w)) {
		ret->type = NULL;
		return NULL;
	}
	err = find_by_shape(&w);
	sort(ret);
	return err;
}

/* Does a value of the type have a pool in it? */
static bool has_pool(const struct work *w, taddr type, unsigned depth)
{
	const struct go_type *t = go_type_at(w->l->s->rtypes, type);

	if (!t || depth > MAX_DEPTH)
		return false;
	if (t == w->p->type)
		return true;
	if (t->kind == GO_ARRAY)
		return has_pool(w, t->elem, depth + 1);
	for (size_t i = 0; t->kind == GO_STRUCT && i < t->nfields; i++)
		if (has_pool(w, t->fields[i].type, depth + 1))
			return true;
	return false;
}

static struct err *set_bit(const struct look *l, void *arg, uint64_t id)
{
	uint64_t *bits = arg;

	(void)l;
	bits[id >> 6] |= 1ULL << (id & 63);
	return NULL;
}

/* Bits by object id: those that may have a pool in them. */
static struct err *holders(const struct work *w, uint64_t *bits)
{
	const struct snapshot *s = w->l->s;
	_cleanup_(freep) uint8_t *want = zalloc(s->types.n + 1, 1);

	if (!want)
		return &err_nomem;
	for (size_t i = 1; i < s->types.n; i++) {
		const struct snap_type *t = &s->types.v[i];

		want[i] = (t->kind == SNAP_TYPE_RTYPE && has_pool(w, t->rtype, 0)) ||
			  (t->kind == SNAP_TYPE_PART && t->elem && has_pool(w, t->elem, 0));
	}
	return look_each_of(w->l, want, set_bit, bits);
}

struct err *look_pools_of(const struct look *l, struct look_pools *ret)
{
	struct work w = { .l = l, .p = ret, .lock = PTHREAD_MUTEX_INITIALIZER };
	uint64_t nwords = l->s->heap.nobjects / 64 + 1, *bits;
	struct err *err;

	if (l->s->dump || !know_pool(&w)) {
		ret->type = NULL;
		return NULL;
	}
	bits = bigalloc(nwords, sizeof(*bits));
	if (!bits)
		return &err_nomem;
	err = holders(&w, bits);
	if (!err)
		err = snapshot_each_typed(l->s, bits, l->nthreads, &ret->type->addr, 1, see, &w);
	bigfree(bits, nwords, sizeof(*bits));
	if (err)
		return err;
	sort(ret);
	err = find_by_shape(&w);
	sort(ret);
	return err;
}

void look_pools_deinit(struct look_pools *p)
{
	vec_free(&p->v);
}

const char *look_pool_name(const struct look *l, const struct look_pool *p)
{
	if (p->root == UINT32_MAX)
		return look_place_name(l, p->object, p->off, p->var);
	return l->s->roots.v[p->root].name ? l->s->roots.v[p->root].name : "";
}

const char *look_pool_text(const struct look *l, const struct look_pool *p)
{
	static const char global[] = "the global that ";
	uint32_t r = p->root;
	const char *name;

	if (r == UINT32_MAX && p->var < l->s->vars.n)
		r = l->s->vars.v[p->var].root;
	name = r < l->s->roots.n && (p->root != UINT32_MAX || l->s->roots.v[r].place)
		       ? look_root_text(l, r)
		       : look_pool_name(l, p);
	if (!strncmp(name, global, sizeof(global) - 1))
		return keepf(l->keep, "the pool that %s", name + sizeof(global) - 1);
	return keepf(l->keep, "the pool %s", name);
}

taddr look_pool_new(const struct look *l, const struct look_pools *all, const struct look_pool *p)
{
	uint64_t fn = 0;

	err_free(go_read_u64(l->s->go, p->at + all->new_off, &fn));
	return fn;
}

struct telling {
	const struct look *l;
	struct go_io *io;
	look_pool_value_fn *fn;
	void *arg;
	struct err *err;
};

static enum go_cont_go_on tell(void *arg, const struct go_cont_entry *e)
{
	struct telling *t = arg;
	struct go_place v = e->elem;
	struct look_pool_value x = { .label = e->label, .object = GO_NO_OBJECT };
	struct err *err = NULL;

	if (v.type && v.type->kind == GO_INTERFACE)
		err = go_iface_value(t->io, t->l->s->rtypes, e->elem, &v);
	x.type = v.type;
	x.at = v.at;
	if (!err && v.type && v.type->kind == GO_POINTER)
		err = go_read_u64(t->l->s->go, v.at, &x.at);
	err_free(err);
	if (x.at)
		x.object = go_heap_object_at(&t->l->s->heap, x.at);
	t->err = t->fn(t->arg, &x);
	return t->err ? CONT_STOP : CONT_ON;
}

struct err *look_pool_values(const struct look *l, struct go_io *io, const struct look_pools *all,
			     const struct look_pool *p, look_pool_value_fn *fn, void *arg)
{
	struct telling t = { l, io, fn, arg, NULL };
	struct go_place at = { p->at, all->type };
	struct err *err =
		go_cont_each(go_cont_of(l->s->rtypes, all->type), io, l->s->rtypes, at, tell, &t);

	if (!t.err)
		return err;
	err_free(err);
	return t.err;
}

static struct err *keep_id(void *arg, const struct look_pool_value *v)
{
	struct look_pooled *p = arg;

	if (v->object == GO_NO_OBJECT)
		return NULL;
	return vec_push(&p->ids, v->object) ? NULL : &err_nomem;
}

static int by_id(const void *x, const void *y)
{
	const uint64_t *p = x, *q = y;

	return (*p > *q) - (*p < *q);
}

static struct err *pooled(const struct look *l, struct go_io *io, const struct look_pools *all,
			  struct look_pooled *ret)
{
	struct err *err = NULL;

	for (size_t i = 0; i < all->v.n && !err; i++) {
		err = look_pool_values(l, io, all, &all->v.v[i], keep_id, ret);
		if (err && err->code != ERR_NOMEM && err->code != ERR_GONE) {
			err_free(err);
			err = NULL;
		}
	}
	if (ret->ids.n)
		qsort(ret->ids.v, ret->ids.n, sizeof(ret->ids.v[0]), by_id);
	return err;
}

struct err *look_pooled_of(const struct look *l, const struct look_pools *all,
			   struct look_pooled *ret)
{
	_cleanup_(go_io_deinit) struct go_io io = { 0 };
	struct err *err;

	if (!all->v.n)
		return NULL;
	err = go_io_init_sparse(&io, l->s->go);
	return err ? err : pooled(l, &io, all, ret);
}

void look_pooled_deinit(struct look_pooled *p)
{
	vec_free(&p->ids);
}

bool look_is_pooled(const struct look *l, const struct look_pooled *p, gnode v)
{
	if (!p->ids.n)
		return false;
	for (unsigned i = 0; i < MAX_CLIMB && v != GRAPH_NONE && v > l->g->nroots; i++) {
		uint64_t id = graph_object(l->g, v);

		if (bsearch(&id, p->ids.v, p->ids.n, sizeof(id), by_id))
			return true;
		v = l->g->idom[v];
	}
	return false;
}
