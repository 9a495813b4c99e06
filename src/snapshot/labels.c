/*
 * labels.c - the labels of all goroutines, each different text and set kept once.
 *
 * Knows nothing of how a labelMap looks: goruntime/labels.h does.  Goroutines of one request
 * share one labelMap, which is read once.  Cost: O(goroutines log goroutines), a few small reads
 * a labelMap.
 */
#include "snapshot/labels.h"

#include "goruntime/labels.h"
#include "snapshot/names.h"

#include <xxhash.h>

enum { TEXT_MAX = 4096 };
/* What all strings together may cost to read: a million requests of three labels stay below. */
#define BUDGET_BYTES (256ULL << 20)

/* Numbers of things by their hash; open addressing, at most half full. */
struct index {
	uint32_t *slot; /* number + 1; 0: free */
	size_t cap;
	VEC(uint64_t) hashes; /* by number */
};

struct reader {
	struct snapshot *s;
	struct snap_labels *l;
	struct go_label_form form;
	struct go_io io;
	struct index texts, sets;
	VEC(struct snap_label) set; /* the one being read */
	uint64_t budget;
	struct err *err;
};

static bool index_grow(struct index *x)
{
	size_t cap = x->cap ? 2 * x->cap : 256;
	uint32_t *slot = zalloc(cap, sizeof(*slot));

	if (!slot)
		return false;
	for (size_t i = 0; i < x->hashes.n; i++) {
		size_t k = x->hashes.v[i] & (cap - 1);

		while (slot[k])
			k = (k + 1) & (cap - 1);
		slot[k] = (uint32_t)i + 1;
	}
	free(x->slot);
	x->slot = slot;
	x->cap = cap;
	return true;
}

/* The number of what equals x, or UINT32_MAX; same() is asked of what has that hash. */
static uint32_t index_find(const struct index *x, uint64_t hash, const struct reader *r,
			   bool (*same)(const struct reader *r, uint32_t number, const void *what),
			   const void *what)
{
	for (size_t k = hash; x->cap && x->slot[k & (x->cap - 1)]; k++) {
		uint32_t number = x->slot[k & (x->cap - 1)] - 1;

		if (x->hashes.v[number] == hash && same(r, number, what))
			return number;
	}
	return UINT32_MAX;
}

/* Numbers are given in order, as the array that they are indices of grows. */
static bool index_add(struct index *x, uint64_t hash)
{
	size_t k = hash;

	if (2 * (x->hashes.n + 1) > x->cap && !index_grow(x))
		return false;
	while (x->slot[k & (x->cap - 1)])
		k++;
	if (!vec_push(&x->hashes, hash))
		return false;
	x->slot[k & (x->cap - 1)] = (uint32_t)x->hashes.n;
	return true;
}

static void index_deinit(struct index *x)
{
	free(x->slot);
	vec_free(&x->hashes);
}

static bool same_text(const struct reader *r, uint32_t number, const void *what)
{
	const struct snap_label_text *a = &r->l->texts.v[number], *b = what;

	return a->n == b->n && a->len == b->len && a->at == b->at && a->left_out == b->left_out &&
	       (!a->n || !memcmp(a->p, b->p, a->n));
}

static uint32_t keep_text(struct reader *r, struct snap_label_text t)
{
	uint64_t hash = XXH3_64bits_withSeed(t.p, t.n, t.len ^ t.at);
	uint32_t number = index_find(&r->texts, hash, r, same_text, &t);
	uint8_t *copy;

	if (number != UINT32_MAX) {
		r->l->texts.v[number].literal |= t.literal;
		return number;
	}
	copy = malloc((size_t)t.n + 1);
	if (!copy || !index_add(&r->texts, hash)) {
		free(copy);
		r->err = &err_nomem;
		return UINT32_MAX;
	}
	if (t.n)
		memcpy(copy, t.p, t.n);
	t.p = copy;
	if (!vec_push(&r->l->texts, t)) {
		free(copy);
		r->err = &err_nomem;
		return UINT32_MAX;
	}
	return (uint32_t)(r->l->texts.n - 1);
}

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			return false;
	return n != 0;
}

/* In what the linker laid out and nobody writes to: string literals and names. */
static bool in_executable(const struct go *g, taddr at)
{
	for (size_t i = 0; i < g->nmodules; i++) {
		const struct go_module *m = &g->modules[i];
		taddr begin = MIN(m->text.start, m->rodata), end = MAX(m->types.end, m->bss.end);

		if (at < begin || at >= end)
			continue;
		return !trange_has(m->data, at) && !trange_has(m->bss, at) &&
		       !trange_has(m->noptrdata, at) && !trange_has(m->noptrbss, at);
	}
	return false;
}

/* UINT32_MAX: r->err says why not. */
static uint32_t read_text(struct reader *r, struct go_label_text from)
{
	uint8_t buf[TEXT_MAX];
	struct snap_label_text t = { .p = buf,
				     .len = from.n,
				     .literal = !from.n || in_executable(r->s->go, from.at) };

	t.n = (uint32_t)MIN(from.n, (uint64_t)TEXT_MAX);
	t.at = from.n > t.n ? from.at : 0;
	if (r->budget < t.n) {
		r->err = err_bad_data("labels of more than %llu MiB", BUDGET_BYTES >> 20);
		return UINT32_MAX;
	}
	r->budget -= t.n;
	r->err = t.n ? go_io_read(&r->io, from.at, buf, t.n) : NULL;
	if (r->err)
		return UINT32_MAX;
	if (all_zero(buf, t.n) && target_left_out(r->s->t))
		t = (struct snap_label_text){ .p = buf, .left_out = true };
	return keep_text(r, t);
}

static void add_label(void *arg, struct go_label_text key, struct go_label_text value)
{
	struct reader *r = arg;
	struct snap_label l = { 0 };

	if (r->err)
		return;
	l.key = read_text(r, key);
	if (!r->err)
		l.value = read_text(r, value);
	if (!r->err && !vec_push(&r->set, l))
		r->err = &err_nomem;
}

static int by_key(const void *x, const void *y, void *arg)
{
	const struct snap_labels *l = arg;
	const struct snap_label *p = x, *q = y;
	const struct snap_label_text *a = &l->texts.v[p->key], *b = &l->texts.v[q->key];
	int c = memcmp(a->p, b->p, MIN(a->n, b->n));

	if (c || a->n != b->n)
		return c ? c : (a->n > b->n) - (a->n < b->n);
	/* Cut or left out ones only. */
	if (p->key != q->key)
		return (p->key > q->key) - (p->key < q->key);
	return (p->value > q->value) - (p->value < q->value);
}

/* Keys that nobody knows any more may be different ones: those stay. */
static void sort_set(struct reader *r)
{
	size_t n = 0;

	if (r->set.n)
		qsort_r(r->set.v, r->set.n, sizeof(r->set.v[0]), by_key, r->l);
	for (size_t i = 0; i < r->set.n; i++)
		if (!n || r->set.v[n - 1].key != r->set.v[i].key ||
		    r->l->texts.v[r->set.v[i].key].left_out)
			r->set.v[n++] = r->set.v[i];
	r->set.n = n;
}

static bool same_set(const struct reader *r, uint32_t number, const void *what)
{
	const struct snap_label_set *s = &r->l->sets.v[number];

	(void)what;
	return number >= SNAP_LABELS_FIRST && s->n == r->set.n &&
	       !memcmp(&r->l->labels.v[s->first], r->set.v, s->n * sizeof(r->set.v[0]));
}

static struct err *keep_set(struct reader *r, uint32_t *ret)
{
	uint64_t hash = XXH3_64bits(r->set.v, r->set.n * sizeof(r->set.v[0]));
	uint32_t number = index_find(&r->sets, hash, r, same_set, NULL);
	struct snap_label_set s = { (uint32_t)r->l->labels.n, (uint32_t)r->set.n };

	if (number == UINT32_MAX) {
		for (size_t i = 0; i < r->set.n; i++)
			if (!vec_push(&r->l->labels, r->set.v[i]))
				return &err_nomem;
		if (!vec_push(&r->l->sets, s) || !index_add(&r->sets, hash))
			return &err_nomem;
		number = (uint32_t)(r->l->sets.n - 1);
	}
	*ret = number;
	return NULL;
}

/* A labelMap that is no good is lost; only want of memory, and the target's end, stop the rest. */
static struct err *read_set(struct reader *r, taddr labels, uint32_t *ret)
{
	struct err *err;

	r->set.n = 0;
	r->err = NULL;
	err = go_labels_each(&r->form, &r->io, labels, add_label, r);
	if (!err)
		err = STEAL(r->err);
	else
		err_free(r->err);
	if (err && err->code != ERR_NOMEM && err->code != ERR_GONE) {
		err_free(err);
		*ret = SNAP_LABELS_LOST;
		return NULL;
	}
	if (err)
		return err;
	sort_set(r);
	if (!r->set.n) {
		*ret = SNAP_LABELS_NONE; /* pprof.Labels() */
		return NULL;
	}
	return keep_set(r, ret);
}

struct bearer {
	taddr labels;
	uint32_t goroutine;
};

static int by_labels(const void *x, const void *y)
{
	const struct bearer *p = x, *q = y;

	if (p->labels != q->labels)
		return p->labels < q->labels ? -1 : 1;
	return (p->goroutine > q->goroutine) - (p->goroutine < q->goroutine);
}

static struct err *read_all(struct reader *r, const struct bearer *b, size_t n)
{
	struct err *err = NULL;
	uint64_t lost = 0;
	uint32_t set = 0;

	for (size_t i = 0; i < n && !err; i++) {
		if (i == 0 || b[i].labels != b[i - 1].labels)
			err = read_set(r, b[i].labels, &set);
		r->l->set_of[b[i].goroutine] = set;
		lost += set == SNAP_LABELS_LOST;
	}
	if (!err && lost)
		snapshot_lose(r->s, "labels of goroutines not readable", lost, 0);
	return err;
}

static struct err *with_reader(struct snapshot *s, struct snap_labels *l, const struct bearer *b,
			       size_t n)
{
	struct reader r = { .s = s, .l = l, .budget = BUDGET_BYTES };
	struct err *err = go_io_init_sparse(&r.io, s->go);

	if (err)
		return err;
	go_label_form(s->rtypes, &s->heap, &r.form);
	/* The numbers of the two sets that are none. */
	if (!index_add(&r.sets, 0) || !index_add(&r.sets, 1))
		err = &err_nomem;
	if (!err)
		err = read_all(&r, b, n);
	go_io_deinit(&r.io);
	index_deinit(&r.texts);
	index_deinit(&r.sets);
	vec_free(&r.set);
	return err;
}

static struct err *fill(struct snapshot *s, struct snap_labels *l)
{
	const struct go_stacks *st = &s->stacks;
	_cleanup_(freep) struct bearer *b = zalloc(st->gs.n, sizeof(*b));
	size_t n = 0;

	l->ngoroutines = st->gs.n;
	l->set_of = zalloc(st->gs.n, sizeof(*l->set_of));
	if (!b || !l->set_of)
		return &err_nomem;
	for (uint32_t i = SNAP_LABELS_NONE; i < SNAP_LABELS_FIRST; i++)
		if (!vec_push(&l->sets, (struct snap_label_set){ 0 }))
			return &err_nomem;
	if (s->dump)
		return NULL;
	l->known = true;
	for (size_t i = 0; i < st->gs.n; i++)
		if (!st->gs.v[i].dead && st->gs.v[i].labels)
			b[n++] = (struct bearer){ st->gs.v[i].labels, (uint32_t)i };
	if (!n)
		return NULL;
	qsort(b, n, sizeof(*b), by_labels);
	return with_reader(s, l, b, n);
}

struct err *snapshot_labels(struct snapshot *s)
{
	struct snap_labels *l;
	struct err *err;

	if (s->labels)
		return NULL;
	l = zalloc(1, sizeof(*l));
	if (!l)
		return &err_nomem;
	err = fill(s, l);
	if (err) {
		snap_labels_free(l);
		return err_prefix(err, "labels of goroutines");
	}
	s->labels = l;
	return NULL;
}

void snap_labels_free(struct snap_labels *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->texts.n; i++)
		free((void *)(uintptr_t)l->texts.v[i].p);
	vec_free(&l->texts);
	vec_free(&l->labels);
	vec_free(&l->sets);
	free(l->set_of);
	free(l);
}
