/*
 * test_labels.c - the rows of top --by label against a naive count on random graphs; how labels are
 * shown by each policy.
 *
 * A heap without a process, as in test_top.c, with goroutines as roots and labels by hand.
 */
#include "report/agg_labels.h"
#include "report/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { NG = 6, NROOTS = NG + 2, NOBJ = 24, N = 1 + NROOTS + NOBJ, NTEXTS = 7, NSETS = 6 };

static const char *const text[NTEXTS] = {
	"route", "tenant", "/cart", "/search", "acme", "a b\"", ""
};
/* Behind none and lost: cart of acme, cart of "a b\"", search of acme, tenant acme alone. */
static struct snap_label label[] = { { 0, 2 }, { 1, 4 }, { 0, 2 }, { 1, 5 },
				     { 0, 3 }, { 1, 4 }, { 1, 4 } };
static struct snap_label_set set[NSETS] = { { 0, 0 }, { 0, 0 }, { 0, 2 },
					    { 2, 2 }, { 4, 2 }, { 6, 1 } };

struct world {
	struct snapshot s;
	struct go_span span;
	struct snap_root root[NROOTS];
	struct go_goroutine gs[NG];
	struct snap_labels labels;
	struct snap_label_text texts[NTEXTS];
	uint32_t set_of[NG];
	uint64_t alloc[1];
	uint32_t bytes[N];
	gnode from[200], to[200];
	uint32_t m;
	struct graph *g;
};

static uint32_t rnd(uint64_t *x, uint32_t n)
{
	*x = *x * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(*x >> 33) % n;
}

static void make_labels(struct world *w, uint64_t *seed)
{
	for (unsigned i = 0; i < NTEXTS; i++)
		w->texts[i] = (struct snap_label_text){ .p = (const uint8_t *)text[i],
							.n = (uint32_t)strlen(text[i]),
							.len = strlen(text[i]),
							.literal = true };
	for (unsigned i = 0; i < NG; i++) {
		w->set_of[i] = rnd(seed, NSETS);
		w->gs[i] = (struct go_goroutine){ .id = i + 1,
						  .stack_lo = 0x100000,
						  .stack_hi = 0x100000 + 2048 };
	}
	w->labels = (struct snap_labels){ .known = true, .set_of = w->set_of, .ngoroutines = NG };
	w->labels.sets.v = set;
	w->labels.sets.n = NSETS;
	w->labels.labels.v = label;
	w->labels.labels.n = ARRAY_LEN(label);
	w->labels.texts.v = w->texts;
	w->labels.texts.n = NTEXTS;
	w->s.labels = &w->labels;
	w->s.stacks.gs.v = w->gs;
	w->s.stacks.gs.n = NG;
}

static void make_world(struct world *w, uint64_t seed)
{
	*w = (struct world){ 0 };
	w->span = (struct go_span){
		.base = 0x1000, .bytes = 8192, .elem_bytes = 16, .nelems = NOBJ, .spanclass = 4
	};
	w->s.heap.spans.v = &w->span;
	w->s.heap.spans.n = 1;
	w->s.heap.nobjects = NOBJ;
	w->alloc[0] = UINT64_MAX;
	w->s.heap.alloc_bits = w->alloc;
	for (uint32_t i = 0; i < NROOTS; i++)
		w->root[i] =
			(struct snap_root){ .kind = i < NG ? SNAP_ROOT_GOROUTINE : SNAP_ROOT_GLOBAL,
					    .name = "x",
					    .goroutine = i < NG ? i : UINT32_MAX };
	w->s.roots.v = w->root;
	w->s.roots.n = NROOTS;
	make_labels(w, &seed);
	for (unsigned o = 0; o < NOBJ; o++)
		w->bytes[1 + NROOTS + o] = 16;
	w->m = 10 + rnd(&seed, 40);
	for (uint32_t e = 0; e < w->m; e++) {
		w->from[e] = 1 + rnd(&seed, N - 1);
		w->to[e] = 1 + NROOTS + rnd(&seed, NOBJ);
	}
	assert_null(graph_from_edges(N, NROOTS, w->from, w->to, w->m, w->bytes, &w->g));
}

/* What root r reaches, as bits. */
static uint64_t reach(const struct world *w, gnode r)
{
	uint64_t seen = 1ULL << r;
	bool more = true;

	while (more) {
		more = false;
		for (uint32_t e = 0; e < w->m; e++) {
			if (!(seen >> w->from[e] & 1) || (seen >> w->to[e] & 1))
				continue;
			seen |= 1ULL << w->to[e];
			more = true;
		}
	}
	return seen;
}

/* The name of the row that goroutine i is counted in; each way to group by hand. */
static const char *row_of(const struct world *w, const char *by, unsigned i)
{
	static const char *const all[] = { "(no labels)",
					   "(labels not readable)",
					   "route: /cart, tenant: acme",
					   "route: /cart, tenant: \"a b\\\"\"",
					   "route: /search, tenant: acme",
					   "tenant: acme" };
	static const char *const route[] = { "(no label route)", "(labels not readable)",
					     "route: /cart",	 "route: /cart",
					     "route: /search",	 "(no label route)" };
	static const char *const none[] = {
		"(no label x)", "(labels not readable)", "(no label x)",
		"(no label x)", "(no label x)",		 "(no label x)"
	};

	return !strcmp(by, "label")	    ? all[w->set_of[i]]
	       : !strcmp(by, "label:route") ? route[w->set_of[i]]
					    : none[w->set_of[i]];
}

static const char *naive_row(const struct world *w, const char *by, gnode v)
{
	const char *one = NULL;
	bool global = false, several = false;

	for (unsigned r = 0; r < NROOTS; r++) {
		if (!(reach(w, r + 1) >> v & 1))
			continue;
		if (r >= NG) {
			global = true;
			continue;
		}
		several |= one && strcmp(one, row_of(w, by, r));
		one = row_of(w, by, r);
	}
	if (global)
		return one ? "(shared by goroutines and globals)"
			   : "(held by globals and other roots)";
	return several ? "(shared by several labels)" : one;
}

/* Is v reached by goroutines of that row, by none of another label, and by something else? */
static bool naive_shared(const struct world *w, const char *by, gnode v, const char *row)
{
	bool mine = false, others = false;

	for (unsigned r = 0; r < NROOTS; r++) {
		const char *name = r < NG ? row_of(w, by, r) : "(";

		if (!(reach(w, r + 1) >> v & 1))
			continue;
		if (*name != '(' && strcmp(name, row))
			return false;
		mine |= !strcmp(name, row);
		others |= *name == '(';
	}
	return mine && others;
}

static void check_rows(struct world *w, struct agg *a, const char *by)
{
	struct ans_top t;
	uint64_t sum = 0, goroutines = 0;

	assert_null(agg_top(a, &(struct top_ask){ .by = by, .limit = 100 }, &t));
	for (size_t i = 0; i < t.rows.n; i++) {
		const struct ans_row *r = &t.rows.v[i];
		uint64_t objects = 0, count = 0, shared = 0;

		for (gnode v = NROOTS + 1; v < N; v++) {
			const char *name = naive_row(w, by, v);

			objects += name && !strcmp(name, r->name);
			shared += *r->name != '(' && naive_shared(w, by, v, r->name);
		}
		for (unsigned k = 0; k < NG; k++)
			count += !strcmp(row_of(w, by, k), r->name);
		if (r->objects != objects || r->retained != 16 * objects || r->count != count ||
		    r->shared != 16 * shared)
			fail_msg("%s: %s", by, r->name);
		assert_int_equal(r->shallow, 2048 * count);
		assert_int_equal(r->rest, *r->name == '(');
		assert_int_equal(!r->labels, *r->name == '(');
		sum += r->retained;
		goroutines += r->count;
	}
	assert_int_equal(sum, t.total_bytes);
	assert_int_equal(goroutines, NG);
	ans_top_deinit(&t);
}

static void test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 500; seed++) {
		struct world w;
		struct agg a;

		make_world(&w, seed * 7919);
		a = (struct agg){ .s = &w.s, .g = w.g, .nthreads = 1, .values = ANS_VALUES_FULL };
		check_rows(&w, &a, "label");
		check_rows(&w, &a, "label:route");
		check_rows(&w, &a, "label:x");
		agg_deinit(&a);
		graph_free(w.g);
	}
}

static const struct {
	const char *what;
	unsigned values;
	const char *shown;
} shown[] = {
	{ "full", ANS_VALUES_FULL, " {route: /cart, tenant: \"a b\\\"\"}" },
	{ "none", ANS_VALUES_NONE, " {route: …, tenant: …}" },
	{ "hash", ANS_VALUES_HASH, " {route: …f8bc, tenant: …5310}" },
};

static void test_policies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
		struct world w;
		struct agg a;
		struct str o = { 0 };
		const struct ans_labels *l = NULL;

		make_world(&w, 1);
		w.set_of[2] = 3;
		a = (struct agg){ .s = &w.s, .g = w.g, .nthreads = 1, .values = shown[i].values };
		assert_null(agg_labels_of(&a, 2, &l));
		text_labels(&o, l);
		assert_string_equal(o.s, shown[i].shown);
		str_deinit(&o);
		agg_deinit(&a);
		graph_free(w.g);
	}
}

/* A key that the program made is its data: shown only in full. */
static void test_made_key(void **state)
{
	static const unsigned policy[] = { ANS_VALUES_NONE, ANS_VALUES_HASH, ANS_VALUES_FULL };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(policy); i++) {
		struct world w;
		struct agg a;
		struct str o = { 0 };
		const struct ans_labels *l = NULL;

		make_world(&w, 1);
		w.set_of[2] = 3;
		w.texts[0].literal = false;
		a = (struct agg){ .s = &w.s, .g = w.g, .nthreads = 1, .values = policy[i] };
		assert_null(agg_labels_of(&a, 2, &l));
		text_labels(&o, l);
		assert_int_equal(!!strstr(o.s, "route"), policy[i] == ANS_VALUES_FULL);
		assert_non_null(strstr(o.s, "tenant: "));
		str_deinit(&o);
		agg_deinit(&a);
		graph_free(w.g);
	}
}

/* What a hostile program may have in them. */
static void test_hostile(void **state)
{
	static const char evil[] = "\x1b[2J\0x\xff{";
	struct world w;
	struct agg a;
	struct str o = { 0 };
	const struct ans_labels *l = NULL;

	(void)state;
	make_world(&w, 1);
	w.set_of[0] = 2;
	w.texts[0] = (struct snap_label_text){
		(const uint8_t *)evil, sizeof(evil) - 1, sizeof(evil) - 1, 0, false, true
	};
	w.texts[2] = (struct snap_label_text){
		(const uint8_t *)"long", 4, 1 << 20, 0x1234, false, true
	};
	w.texts[4] = (struct snap_label_text){ NULL, 0, 0, 0, true, false };
	a = (struct agg){ .s = &w.s, .g = w.g, .nthreads = 1, .values = ANS_VALUES_FULL };
	assert_null(agg_labels_of(&a, 0, &l));
	text_labels(&o, l);
	assert_string_equal(o.s, " {\"\\x1b[2J\\\\x00x\\xff{\": \"long…\", tenant: (left out)}");
	str_deinit(&o);
	agg_deinit(&a);
	graph_free(w.g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_made_key),
		cmocka_unit_test(test_hostile),
	};

	return cmocka_run_group_tests_name("report-labels", tests, NULL, NULL);
}
