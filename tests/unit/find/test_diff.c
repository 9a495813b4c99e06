/*
 * test_diff.c - the diff against a heap that knows who is who.
 *
 * A drawn heap lives as Go's does (slots, marks, lazy sweeping, black allocation, spans cut anew)
 * with a serial number in each slot.  What the diff says of looks at it is compared with what the
 * serial numbers say, object by object.
 */
#include "find/diff.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>

enum { PAGES = 24, SLOTS = 300, TYPES = 5, PAGE = 8192, NLOOKS = 5 };

struct slot {
	uint32_t serial; /* 0: free */
	bool reachable, marked, old, fresh;
};

struct sspan {
	unsigned pages, elem, nelems;
	bool swept, used;
	struct slot v[SLOTS];
};

struct sim {
	struct sspan at[PAGES]; /* by first page */
	bool taken[PAGES];
	uint32_t serial, cycles;
	bool marking;
};

static const unsigned elems[] = { 32, 48, 1024, 5 * PAGE };

static uint32_t seed;
static uint32_t rnd(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}

static void sweep(struct sim *s, unsigned p)
{
	struct sspan *sp = &s->at[p];
	unsigned n = 0;

	if (!sp->used || sp->swept)
		return;
	for (unsigned i = 0; i < sp->nelems; i++) {
		if (!sp->v[i].old)
			sp->v[i] = (struct slot){ 0 };
		n += sp->v[i].serial != 0;
	}
	sp->swept = true;
	if (n)
		return;
	sp->used = false;
	for (unsigned i = 0; i < sp->pages; i++)
		s->taken[p + i] = false;
}

static void sweep_all(struct sim *s)
{
	for (unsigned p = 0; p < PAGES; p++)
		sweep(s, p);
}

static void begin(struct sim *s)
{
	sweep_all(s);
	s->marking = true;
	for (unsigned p = 0; p < PAGES; p++)
		for (unsigned i = 0; s->at[p].used && i < s->at[p].nelems; i++)
			s->at[p].v[i].marked = s->at[p].v[i].reachable;
}

static void end(struct sim *s)
{
	s->marking = false;
	s->cycles++;
	for (unsigned p = 0; p < PAGES; p++) {
		s->at[p].swept = false;
		for (unsigned i = 0; s->at[p].used && i < s->at[p].nelems; i++)
			s->at[p].v[i].old = s->at[p].v[i].marked;
	}
	for (unsigned p = 0; p < PAGES; p++)
		if (rnd(2))
			sweep(s, p);
}

static struct sspan *new_span(struct sim *s, unsigned elem)
{
	unsigned n = elem > PAGE ? elem / PAGE : 1;

	for (unsigned p = rnd(PAGES), k = 0; k < PAGES; k++, p = (p + 1) % PAGES) {
		unsigned i = 0;

		while (i < n && p + i < PAGES && !s->taken[p + i])
			i++;
		if (i < n)
			continue;
		memset(&s->taken[p], 1, n);
		s->at[p] = (struct sspan){ .pages = n,
					   .elem = elem,
					   .nelems = n * PAGE / elem,
					   .swept = true,
					   .used = true };
		return &s->at[p];
	}
	return NULL;
}

static bool alloc_in(struct sim *s, struct sspan *sp)
{
	for (unsigned i = rnd(sp->nelems), k = 0; k < sp->nelems; k++, i = (i + 1) % sp->nelems) {
		if (sp->v[i].serial)
			continue;
		sp->v[i] = (struct slot){ .serial = ++s->serial,
					  .reachable = true,
					  .marked = s->marking };
		return true;
	}
	return false;
}

static void allocate(struct sim *s)
{
	unsigned elem = elems[rnd(20) ? rnd(3) : 3];

	for (unsigned p = 0; p < PAGES; p++) {
		if (!s->at[p].used || s->at[p].elem != elem)
			continue;
		sweep(s, p); /* as mcentral.cacheSpan does */
		if (s->at[p].used && alloc_in(s, &s->at[p]))
			return;
	}
	struct sspan *sp = new_span(s, elem);

	if (sp)
		alloc_in(s, sp);
}

static void step(struct sim *s, unsigned drops)
{
	struct sspan *sp = &s->at[rnd(PAGES)];

	for (unsigned i = 0; i < 4; i++)
		allocate(s);
	if (!sp->used || rnd(3))
		return;
	for (unsigned i = 0; i < sp->nelems; i++) {
		struct slot *x = &sp->v[i];

		if (x->reachable && rnd(100) < drops)
			x->reachable = false;
		else if (x->serial && !x->reachable && (sp->swept || x->old) && !rnd(40))
			x->reachable = x->marked = true; /* a weak pointer's */
	}
}

/* A look: the ident, and who is who. */
struct drawn {
	struct ident x;
	unsigned number;
	size_t next;
	uint32_t type[PAGES][SLOTS], holder[PAGES][SLOTS];
	uint64_t alive[PAGES][SLOTS / 64 + 1], old[PAGES][SLOTS / 64 + 1];
	struct ident_span span[PAGES];
	struct sim s;
};

static struct err *rewind_look(struct ident *x)
{
	((struct drawn *)x)->next = 0;
	return NULL;
}

static struct err *next_span(struct ident *x, const struct ident_span **ret)
{
	struct drawn *l = (struct drawn *)x;

	while (l->next < PAGES && !l->s.at[l->next].used)
		l->next++;
	*ret = l->next < PAGES ? &l->span[l->next++] : NULL;
	return NULL;
}

/* Numbers are another look's, names are the same. */
static const char *name(struct ident *x, enum ident_column c, uint32_t group)
{
	static const char *const types[] = { "a", "b", "c", "d", "e" };
	const struct drawn *l = (struct drawn *)x;

	return c == IDENT_TYPE ? types[(group + l->number) % TYPES] : group ? "odd" : "even";
}

static struct drawn *take(const struct sim *s, unsigned number)
{
	struct drawn *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	l->s = *s;
	l->number = number;
	l->x = (struct ident){ .rewind = rewind_look, .next = next_span, .name = name };
	l->x.head = (struct ident_head){ .cycles = s->cycles,
					 .has_cycles = true,
					 .followed_from = UINT32_MAX,
					 .ngroups = { TYPES, 2, 0 } };
	for (unsigned p = 0; p < PAGES; p++) {
		const struct sspan *sp = &s->at[p];

		for (unsigned i = 0; sp->used && i < sp->nelems; i++) {
			const struct slot *v = &sp->v[i];

			l->type[p][i] = (v->serial + TYPES * 8 - number) % TYPES;
			l->holder[p][i] = v->serial & 1;
			l->alive[p][i / 64] |= (uint64_t)v->reachable << i % 64;
			l->old[p][i / 64] |= (uint64_t)v->old << i % 64;
		}
		l->span[p] = (struct ident_span){ .base = 0xc000000000 + p * PAGE,
						  .bytes = (uint64_t)sp->pages * PAGE,
						  .elem_bytes = sp->elem,
						  .nelems = sp->nelems,
						  .spanclass = (uint8_t)(sp->elem / 16),
						  .old_known = true,
						  .alive = l->alive[p],
						  .old = l->old[p],
						  .group = { l->type[p], l->holder[p], NULL } };
	}
	return l;
}

/* Serial of the object at page p, slot i if it is reachable there, as spans of elem. */
static uint32_t who(const struct drawn *l, unsigned p, unsigned i, unsigned elem)
{
	const struct sspan *sp = &l->s.at[p];

	return sp->used && sp->elem == elem && i < sp->nelems && sp->v[i].reachable
		       ? sp->v[i].serial
		       : 0;
}

/* The tables that serial numbers make, slowly. */
struct truth {
	uint64_t n[TYPES][2][4][NLOOKS][NLOOKS]; /* type, holder, size */
	uint64_t revived[NLOOKS], reused[NLOOKS];
};

static bool seen_before(struct drawn *const *l, unsigned j, unsigned p, unsigned i, unsigned elem,
			uint32_t serial)
{
	for (unsigned k = j; k-- > 0;) {
		if (!l[k]->s.at[p].used || l[k]->s.at[p].elem != elem)
			return false;
		if (who(l[k], p, i, elem) && (!serial || who(l[k], p, i, elem) == serial))
			return true;
	}
	return false;
}

static void tell(struct drawn *const *l, unsigned p, unsigned i, unsigned e, struct truth *t)
{
	for (unsigned j = 0, to; j < NLOOKS; j = to + 1) {
		uint32_t serial = who(l[j], p, i, elems[e]);

		to = j;
		if (!serial)
			continue;
		while (to + 1 < NLOOKS && who(l[to + 1], p, i, elems[e]) == serial)
			to++;
		for (unsigned k = j; k <= to; k++)
			t->n[serial % TYPES][serial & 1][e][j][k]++;
		if (seen_before(l, j, p, i, elems[e], serial))
			t->revived[j]++;
		else if (seen_before(l, j, p, i, elems[e], 0))
			t->reused[j]++;
	}
}

static void tell_all(struct drawn *const *l, struct truth *t)
{
	for (unsigned p = 0; p < PAGES; p++)
		for (unsigned i = 0; i < SLOTS; i++)
			for (unsigned e = 0; e < ARRAY_LEN(elems); e++)
				tell(l, p, i, e, t);
}

static uint64_t sum(const struct truth *t, int type, int holder, int e, unsigned i, unsigned j)
{
	uint64_t n = 0;

	for (int a = 0; a < TYPES; a++)
		for (int b = 0; b < 2; b++)
			for (int c = 0; c < 4; c++)
				if ((type < 0 || a == type) && (holder < 0 || b == holder) &&
				    (e < 0 || c == e))
					n += t->n[a][b][c][i][j];
	return n;
}

static void same_row(const struct diff_row *r, const struct truth *t, int type, int holder, int e)
{
	for (unsigned i = 0; i < NLOOKS; i++)
		for (unsigned j = i; j < NLOOKS; j++)
			if (r->n[i][j].objects != sum(t, type, holder, e, i, j))
				fail_msg("%s: n[%u][%u] is %lu, not %lu", r->name ? r->name : "all",
					 i, j, (unsigned long)r->n[i][j].objects,
					 (unsigned long)sum(t, type, holder, e, i, j));
}

static void same_tables(const struct diff *d, const struct truth *t)
{
	same_row(&d->total, t, -1, -1, -1);
	for (size_t i = 0; i < d->rows[DIFF_TYPE].n; i++)
		same_row(&d->rows[DIFF_TYPE].v[i], t, d->rows[DIFF_TYPE].v[i].name[0] - 'a', -1,
			 -1);
	for (size_t i = 0; i < d->rows[DIFF_HOLDER].n; i++)
		same_row(&d->rows[DIFF_HOLDER].v[i], t, -1,
			 !strcmp(d->rows[DIFF_HOLDER].v[i].name, "odd"), -1);
	for (size_t i = 0; i < d->rows[DIFF_TYPE_HOLDER].n; i++) {
		const struct diff_row *r = &d->rows[DIFF_TYPE_HOLDER].v[i];

		same_row(r, t, r->type[0] - 'a', !strcmp(r->holder, "odd"), -1);
	}
	for (size_t i = 0; i < d->rows[DIFF_SIZE].n; i++)
		for (unsigned e = 0; e < 4; e++)
			if (d->rows[DIFF_SIZE].v[i].elem_bytes == elems[e])
				same_row(&d->rows[DIFF_SIZE].v[i], t, -1, -1, (int)e);
	for (unsigned j = 0; j < NLOOKS; j++) {
		assert_int_equal(d->total.revived[j].objects, t->revived[j]);
		assert_int_equal(d->total.reused[j].objects, t->reused[j]);
		assert_int_equal(d->total.maybe[j].objects, 0);
		assert_true(d->exact[j]);
	}
}

enum { ALL_BYS = 1 << DIFF_TYPE | 1 << DIFF_HOLDER | 1 << DIFF_SIZE | 1 << DIFF_TYPE_HOLDER };

/* cycles: at most, between two looks, an unfinished one not counting */
static void live(struct sim *s, unsigned cycles, unsigned drops)
{
	unsigned n = rnd(cycles + 1);

	for (unsigned i = 0; i < 150 + rnd(300); i++)
		step(s, drops);
	for (unsigned c = 0; c < n; c++) {
		if (!s->marking)
			begin(s);
		for (unsigned i = rnd(60); i > 0; i--)
			step(s, drops);
		end(s);
		for (unsigned i = rnd(200); i > 0; i--)
			step(s, drops);
	}
	if (!s->marking && !rnd(3))
		begin(s);
	for (unsigned i = rnd(100); s->marking && i > 0; i--)
		step(s, drops);
}

static void take_all(uint32_t from, unsigned cycles, struct drawn **l, struct ident **x)
{
	struct sim *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	seed = from;
	for (unsigned j = 0; j < NLOOKS; j++) {
		live(s, cycles, 3 + from % 20);
		l[j] = take(s, j);
		x[j] = &l[j]->x;
	}
	free(s);
}

static void drop_all(struct drawn **l)
{
	for (unsigned j = 0; j < NLOOKS; j++)
		free(l[j]);
}

static void test_exact(void **state)
{
	uint64_t survived = 0, reused = 0, revived = 0;

	(void)state;
	for (uint32_t k = 1; k <= 60; k++) {
		struct drawn *l[NLOOKS];
		struct ident *x[NLOOKS];
		struct truth t = { 0 };
		struct diff d;

		take_all(k * 7919, 1, l, x);
		tell_all(l, &t);
		assert_null(diff_run(x, NLOOKS, ALL_BYS, &d));
		same_tables(&d, &t);
		survived += d.total.n[0][NLOOKS - 1].objects;
		for (unsigned j = 0; j < NLOOKS; j++) {
			reused += t.reused[j];
			revived += t.revived[j];
		}
		diff_deinit(&d);
		drop_all(l);
	}
	/* the drawing is one that could tell */
	if (survived < 1000 || reused < 1000 || revived < 50)
		fail_msg("%lu survived, %lu reused, %lu revived", (unsigned long)survived,
			 (unsigned long)reused, (unsigned long)revived);
}

/* Two looks: survivors that are, and those that are said to be. */
static void count_truth(struct drawn *const *l, uint64_t *ret)
{
	struct truth t = { 0 };

	tell_all(l, &t);
	for (unsigned j = 1; j < NLOOKS; j++) {
		ret[j] = 0;
		for (unsigned i = 0; i < j; i++)
			ret[j] += sum(&t, -1, -1, -1, i, j);
	}
}

static void test_maybe(void **state)
{
	uint64_t wide = 0;

	(void)state;
	for (uint32_t k = 1; k <= 60; k++) {
		struct drawn *l[NLOOKS];
		struct ident *x[NLOOKS];
		uint64_t truth[NLOOKS];
		struct diff d;

		take_all(k * 104729, 4, l, x);
		count_truth(l, truth);
		assert_null(diff_run(x, NLOOKS, 0, &d));
		for (unsigned j = 1; j < NLOOKS; j++) {
			struct diff_count c = diff_survived(&d.total, j);
			uint64_t maybe = d.total.maybe[j].objects;

			assert_true(truth[j] <= c.objects);
			assert_true(c.objects - maybe <= truth[j]);
			assert_true(d.cycles[j] > 1 || (!maybe && truth[j] == c.objects));
			wide += c.objects - truth[j];
		}
		diff_deinit(&d);
		drop_all(l);
	}
	assert_true(wide > 100); /* "maybe" is not said for nothing */
}

struct list {
	uint64_t n, by[NLOOKS][NLOOKS];
};

static struct err *each(void *arg, const struct diff_object *x)
{
	struct list *l = arg;

	l->n++;
	assert_true(x->type[0] >= 'a' && x->type[0] <= 'e');
	for (unsigned j = x->first; j <= x->last; j++)
		l->by[x->first][j]++;
	return NULL;
}

static void test_each(void **state)
{
	struct drawn *l[NLOOKS];
	struct ident *x[NLOOKS];
	struct list list = { 0 };
	struct diff d;

	(void)state;
	take_all(4711, 1, l, x);
	assert_null(diff_run(x, NLOOKS, 0, &d));
	assert_null(diff_each(x, NLOOKS, each, &list));
	for (unsigned i = 0; i < NLOOKS; i++)
		for (unsigned j = i; j < NLOOKS; j++)
			assert_int_equal(list.by[i][j], d.total.n[i][j].objects);
	assert_true(list.n > 1000);
	diff_deinit(&d);
	drop_all(l);
}

static void test_names(void **state)
{
	struct drawn *l[NLOOKS];
	struct ident *x[NLOOKS];
	struct diff d, one;

	(void)state;
	take_all(99, 1, l, x);
	for (unsigned j = 0; j < NLOOKS; j++)
		x[j]->head.process.pid = 10 + j;
	assert_non_null(diff_run(x, NLOOKS, ALL_BYS, &d));
	assert_null(diff_names(x, NLOOKS, ALL_BYS, &d));
	for (unsigned j = 0; j < NLOOKS; j++)
		x[j]->head.process.pid = 0;
	assert_null(diff_run(x, NLOOKS, ALL_BYS, &one));
	assert_int_equal(d.rows[DIFF_TYPE].n, TYPES);
	for (unsigned j = 0; j < NLOOKS; j++) {
		assert_int_equal(d.total.n[j][j].objects, diff_there(&one.total, j).objects);
		assert_int_equal(diff_there(&d.total, j).bytes, diff_there(&one.total, j).bytes);
	}
	diff_deinit(&d);
	diff_deinit(&one);
	drop_all(l);
}

static void expect(struct ident **x, size_t n, const char *words)
{
	struct diff d;
	struct err *err = diff_run(x, n, ALL_BYS, &d);

	assert_non_null(err);
	if (!strstr(err->msg, words))
		fail_msg("%s", err->msg);
	err_free(err);
}

static void test_lies(void **state)
{
	struct drawn *l[NLOOKS];
	struct ident *x[NLOOKS], *two[2];

	(void)state;
	take_all(1234, 1, l, x);
	expect(x, 1, "two to 8");
	two[0] = x[4];
	two[1] = x[0];
	expect(two, 2, "two runs of it");
	x[1]->head.ngroups[IDENT_TYPE] = 1;
	expect(x, NLOOKS, "a group that is not");
	x[1]->head.ngroups[IDENT_TYPE] = TYPES;
	for (unsigned p = 0; p < PAGES; p++)
		l[2]->span[p].nelems += 100000;
	expect(x, NLOOKS, "more slots than room");
	for (unsigned p = 0; p < PAGES; p++)
		l[3]->span[p].base = 0xc000000000;
	x[2] = x[3];
	expect(x, NLOOKS, "another one does");
	drop_all(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact), cmocka_unit_test(test_maybe),
		cmocka_unit_test(test_each),  cmocka_unit_test(test_names),
		cmocka_unit_test(test_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
