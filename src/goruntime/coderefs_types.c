/*
 * coderefs_types.c - from what code does with globals and closures to their types.
 *
 * Code may lie to us by what it does not say: a pointer's receiver may be the first field of
 * something larger, a word may be the second of an interface.  So each type must have its pointers
 * where the collector has them in data and bss, words behind an interface's first are left alone,
 * and where two facts disagree neither is believed.  Cost: a few microseconds a fact.
 */
#include "goruntime/coderefs_priv.h"
#include "goruntime/heap_mask.h"

#define MAX_GLOBAL_BYTES (1U << 24)
#define MAX_WORDS	 (1U << 26) /* compared with types, of all globals together */

/* The collector's mask of one section: 1 bit a word. */
struct section {
	struct trange r;
	uint8_t *bits;
	uint64_t nbits;
};

struct judge {
	struct go_code *c;
	struct go_masks *masks;
	struct section *sections; /* two a module */
	size_t nsections;
	uint8_t *first; /* by index of c->types: it begins another struct or array */
	uint64_t words; /* that may still be compared */
};

static int by_place(const void *a, const void *b)
{
	const struct code_fact *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->what != y->what)
		return x->what < y->what ? -1 : 1;
	return (x->type > y->type) - (x->type < y->type);
}

static void drop_repeats(struct go_code *c)
{
	size_t k = 0;

	if (!c->facts.n)
		return;
	qsort(c->facts.v, c->facts.n, sizeof(*c->facts.v), by_place);
	for (size_t i = 1; i < c->facts.n; i++) {
		if (by_place(&c->facts.v[i], &c->facts.v[k]))
			c->facts.v[++k] = c->facts.v[i];
	}
	c->facts.n = k + 1;
}

static struct err *read_section(const struct go *g, struct trange r, taddr mask, uint64_t nbits,
				struct section *ret)
{
	uint64_t n = (MIN(nbits, trange_bytes(r) / 8) + 7) / 8;
	struct err *err;

	if (!mask || !n || n > MAX_GLOBAL_BYTES)
		return NULL;
	ret->bits = zalloc((size_t)n, 1);
	if (!ret->bits)
		return &err_nomem;
	err = target_read(g->t, mask, ret->bits, (size_t)n);
	if (err_catch(&err, ERR_FAULT))
		return NULL;
	ret->r = r;
	ret->nbits = 8 * n;
	return err;
}

static struct err *read_sections(struct judge *j)
{
	const struct go *g = j->c->g;
	struct err *err = NULL;

	j->sections = zalloc(2 * g->nmodules, sizeof(*j->sections));
	if (!j->sections)
		return &err_nomem;
	j->nsections = 2 * g->nmodules;
	for (size_t i = 0; i < g->nmodules && !err; i++) {
		const struct go_module *m = &g->modules[i];

		err = read_section(g, m->data, m->gcdatamask, m->gcdatamask_bits,
				   &j->sections[2 * i]);
		if (!err)
			err = read_section(g, m->bss, m->gcbssmask, m->gcbssmask_bits,
					   &j->sections[2 * i + 1]);
	}
	return err;
}

/* 1 a pointer, 0 none, -1: not in a section whose mask is known. */
static int pointer_at(const struct judge *j, taddr at)
{
	for (size_t i = 0; i < j->nsections; i++) {
		const struct section *s = &j->sections[i];
		uint64_t w = (at - s->r.start) / 8;

		if (trange_has(s->r, at))
			return w < s->nbits ? s->bits[w / 8] >> (w & 7) & 1 : 0;
	}
	return -1;
}

/* A bit of its mask, for types of the target and those made by go_type_pointer_to() and the like.
 */
static bool type_bit(const struct go_mask *m, const struct go_type *t, uint64_t word)
{
	if (!m)
		return word < t->ptr_bytes / 8;
	return word < m->ptr_words && (m->bits[word / 64] >> (word & 63) & 1);
}

/* t can lie at `at`: every word of it is a pointer there as it is in t. */
static bool fits(struct judge *j, taddr at, const struct go_type *t)
{
	const struct go_mask *m = NULL;
	uint64_t words = t ? (t->bytes + 7) / 8 : 0;
	struct err *err;

	if (!words || !t->ptr_bytes || (at & 7) || t->bytes > MAX_GLOBAL_BYTES ||
	    words > j->words || pointer_at(j, at + 8 * (words - 1)) < 0)
		return false;
	j->words -= words;
	if (!go_type_made(t->addr)) {
		err = go_mask_of(j->masks, t->addr, t->bytes, &m);
		if (err) {
			err_free(err);
			return false;
		}
	}
	for (uint64_t w = 0; w < words; w++) {
		if (pointer_at(j, at + 8 * w) != type_bit(m, t, w))
			return false;
	}
	return true;
}

static struct err *add(struct judge *j, taddr at, taddr type, enum go_code_rank rank)
{
	struct go_code_global x = { at, type, (uint8_t)rank };

	if (!type || !fits(j, at, go_type_at(j->c->ts, type)))
		return NULL;
	return vec_push(&j->c->globals, x) ? NULL : &err_nomem;
}

static uint64_t word_at(const struct judge *j, taddr at)
{
	uint64_t x = 0;
	struct err *err = go_read_u64(j->c->g, at, &x);

	err_free(err);
	return err ? 0 : x;
}

/*
 * The word before it says what this one points to: an interface, whose first word is no pointer for
 * the collector (typebits.go, SetNoCheck: TINTER).
 */
static bool second_of_interface(const struct judge *j, taddr at)
{
	taddr before = word_at(j, at - 8);

	return before && (code_is_type(j->c, before) || go_itab_type(j->c->ts, before));
}

/* The two words behind it may be a length and a capacity. */
static bool is_slice(const struct judge *j, taddr at)
{
	uint64_t len = word_at(j, at + 8), cap = word_at(j, at + 16);

	return pointer_at(j, at + 8) == 0 && pointer_at(j, at + 16) == 0 && len <= cap &&
	       cap < 1ULL << 40;
}

static size_t index_of(const struct go_code *c, taddr type)
{
	size_t lo = 0, hi = c->ntypes;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c->types[mid] < type)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < c->ntypes && c->types[lo] == type ? lo : SIZE_MAX;
}

/*
 * Types that a larger one begins with: a pointer to one may be a pointer to the other.  All structs
 * and arrays of the heap have rtypes, so none is missed.
 */
static struct err *learn_first(struct judge *j)
{
	const struct go_code *c = j->c;

	j->first = zalloc(c->ntypes + 1, 1);
	if (!j->first)
		return &err_nomem;
	for (size_t i = 0; i < c->ntypes; i++) {
		taddr parts[4];
		size_t n = go_type_first_parts(c->ts, c->types[i], parts, ARRAY_LEN(parts));

		for (size_t k = 0; k < n; k++) {
			size_t x = index_of(c, parts[k]);

			if (x != SIZE_MAX)
				j->first[x] = 1;
		}
	}
	return NULL;
}

static struct err *judge_receiver(struct judge *j, const struct code_fact *f)
{
	size_t x;
	struct err *err = NULL;

	if (!j->first)
		err = learn_first(j);
	if (err)
		return err;
	x = index_of(j->c, f->type);
	if (x == SIZE_MAX || j->first[x] || is_slice(j, f->at))
		return NULL;
	return add(j, f->at, go_type_pointer_to(j->c->ts, f->type), GO_CODE_RECEIVER);
}

static struct err *judge_one(struct judge *j, const struct code_fact *f)
{
	struct go_types *ts = j->c->ts;

	if (f->what == FACT_IS)
		return add(j, f->at, f->type, GO_CODE_TYPED);
	if (second_of_interface(j, f->at))
		return NULL;
	switch (f->what) {
	case FACT_POINTS:
		return add(j, f->at, go_type_pointer_to(ts, f->type), GO_CODE_TYPED);
	case FACT_ROW:
	case FACT_SLICE:
		if (!is_slice(j, f->at))
			return NULL;
		return add(j, f->at, go_type_slice_of(ts, f->type), GO_CODE_TYPED);
	case FACT_RECEIVER:
		return judge_receiver(j, f);
	default:
		return NULL;
	}
}

/* Facts about what one word points to: [lo, hi) of facts, all at one address. */
static struct err *judge_place(struct judge *j, size_t lo, size_t hi)
{
	const struct code_fact *f = j->c->facts.v;
	taddr pointed[FACT_CLOSURE + 1] = { 0 };
	bool several[FACT_CLOSURE + 1] = { false };
	struct err *err = NULL;

	for (size_t i = lo; i < hi; i++) {
		/* makeslice and growslice of one slice say the same. */
		unsigned what = f[i].what == FACT_SLICE ? FACT_ROW : f[i].what;

		several[what] = several[what] || (pointed[what] && pointed[what] != f[i].type);
		pointed[what] = f[i].type;
	}
	for (size_t i = lo; i < hi && !err; i++) {
		unsigned what = f[i].what == FACT_SLICE ? FACT_ROW : f[i].what;

		if (what != FACT_IS && several[what])
			continue;
		if (what == FACT_RECEIVER && (pointed[FACT_POINTS] || pointed[FACT_ROW]))
			continue;
		err = judge_one(j, &f[i]);
	}
	return err;
}

static struct err *judge_closure(struct judge *j, size_t lo, size_t hi)
{
	const struct code_fact *f = &j->c->facts.v[lo];
	const struct go_type *t = go_type_at(j->c->ts, f->type);
	struct closure_type x = { f->at, f->type };
	struct go_func fn;

	if (hi - lo != 1 || !t || t->kind != GO_STRUCT || !t->nfields || t->named ||
	    !go_is_code_field(t->fields[0].name) || !go_func_at(j->c->g, f->at, &fn) ||
	    fn.entry != f->at)
		return NULL;
	return vec_push(&j->c->closures, x) ? NULL : &err_nomem;
}

static struct err *judge_all(struct judge *j)
{
	const struct go_code *c = j->c;
	struct err *err = NULL;

	for (size_t lo = 0, hi; lo < c->facts.n && !err; lo = hi) {
		for (hi = lo; hi < c->facts.n && c->facts.v[hi].at == c->facts.v[lo].at; hi++)
			;
		err = c->facts.v[lo].what == FACT_CLOSURE ? judge_closure(j, lo, hi)
							  : judge_place(j, lo, hi);
	}
	return err;
}

static void judge_deinit(struct judge *j)
{
	for (size_t i = 0; i < j->nsections; i++)
		free(j->sections[i].bits);
	free(j->sections);
	free(j->first);
	go_masks_free(j->masks);
}

struct err *code_facts_judge(struct go_code *c)
{
	_cleanup_(judge_deinit) struct judge j = { .c = c, .words = MAX_WORDS };
	struct err *err;

	drop_repeats(c);
	err = go_masks_create(c->g, &j.masks);
	if (!err)
		err = read_sections(&j);
	if (!err)
		err = judge_all(&j);
	vec_free(&c->facts);
	return err;
}
