/*
 * typing_static.c - typed memory outside of the heap that pointers lead to.
 *
 * The compiler lays composite literals of globals out in data (cmd/compile/internal/staticinit);
 * nothing names them, but a typed pointer says what they are.  Each is read once for each type,
 * between the rounds, by one thread, in order of address.
 */
#include "snapshot/typing.h"

#include "base/err.h"

#define MAX_BYTES   ((uint64_t)16 << 20)
#define MAX_STATICS ((size_t)1 << 20)

/* Data and bss with pointers; memory without them leads nowhere. */
static const struct trange *section_of(const struct go *g, taddr at)
{
	for (size_t i = 0; i < g->nmodules; i++) {
		if (trange_has(g->modules[i].data, at))
			return &g->modules[i].data;
		if (trange_has(g->modules[i].bss, at))
			return &g->modules[i].bss;
	}
	return NULL;
}

static size_t slot_of(const struct typing_statics *st, const struct typing_static *x)
{
	uint64_t h = ((x->at >> 3) ^ (uint64_t)x->number << 40) * 0x9e3779b97f4a7c15ULL;
	size_t i = (size_t)(h >> 20) & (st->cap - 1);

	while (st->tab[i].number && (st->tab[i].at != x->at || st->tab[i].number != x->number))
		i = (i + 1) & (st->cap - 1);
	return i;
}

static bool grow(struct typing_statics *st)
{
	struct typing_static *old = st->tab;
	size_t old_cap = st->cap, cap = old_cap ? old_cap * 2 : 1024;
	struct typing_static *tab = zalloc(cap, sizeof(*tab));

	if (!tab)
		return false;
	st->tab = tab;
	st->cap = cap;
	for (size_t i = 0; i < old_cap; i++)
		if (old[i].number)
			st->tab[slot_of(st, &old[i])] = old[i];
	free(old);
	return true;
}

/* Without memory for it a static is not looked into: its objects stay without names. */
static void add(struct typing_statics *st, const struct typing_static *x)
{
	struct typing_static *e;

	if (st->n >= MAX_STATICS || (st->n * 2 >= st->cap && !grow(st)))
		return;
	e = &st->tab[slot_of(st, x)];
	if (e->number && e->count >= x->count)
		return;
	st->n += !e->number;
	*e = *x;
	(void)!vec_push(&st->fresh, *x);
}

void typing_static_add(struct typing_worker *w, const struct typing_claim *c)
{
	struct typing *t = w->t;
	const struct typing_info *i;
	struct typing_static x = { .at = c->value, .count = c->count, .number = c->number };
	const struct trange *r = (c->value & 7) ? NULL : section_of(t->s->go, c->value);
	uint64_t bytes;

	if (!r)
		return;
	i = typing_info_of(t->plans, c->number);
	if (!i->expands || !i->bytes)
		return;
	x.count = i->form == FORM_ROW ? c->count : 1;
	if (!x.count || x.count > MAX_BYTES / i->bytes)
		return;
	bytes = x.count * i->bytes;
	if (bytes > r->end - x.at || bytes > MAX_BYTES)
		return;
	pthread_mutex_lock(&t->statics.lock);
	add(&t->statics, &x);
	pthread_mutex_unlock(&t->statics.lock);
}

static int by_address(const void *a, const void *b)
{
	const struct typing_static *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static struct err *read_one(struct typing_worker *w, const struct typing_static *x)
{
	const struct typing_info *i = typing_info_of(w->t->plans, x->number);
	uint64_t n = x->count * i->bytes;
	struct err *err;

	if (!typing_room(w, n))
		return NULL;
	err = target_read(w->t->s->t, x->at, w->buf, (size_t)n);
	if (err_catch(&err, ERR_FAULT) || err)
		return err;
	typing_expand(w, x->number, w->buf, n, n);
	typing_flush(w);
	return NULL;
}

struct err *typing_statics_read(struct typing *t, bool *ret)
{
	struct typing_statics *st = &t->statics;
	struct typing_worker *w = t->workers[0];
	struct err *err = NULL;

	*ret = st->fresh.n;
	w->stack_max = 0;
	while (st->fresh.n && !err) {
		struct typing_static *v = st->fresh.v;
		size_t n = st->fresh.n;

		st->fresh.v = NULL;
		st->fresh.n = st->fresh.cap = 0;
		qsort(v, n, sizeof(*v), by_address);
		for (size_t i = 0; i < n && !err; i++)
			err = read_one(w, &v[i]);
		free(v);
	}
	return err;
}

void typing_statics_deinit(struct typing *t)
{
	free(t->statics.tab);
	vec_free(&t->statics.fresh);
	pthread_mutex_destroy(&t->statics.lock);
}
