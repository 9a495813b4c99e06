/*
 * test_rank.c - which finding stands first, and which say the same: drawn heaps with findings on
 * them; and that two looks raise what grew and clear what did not.
 */
#include "../graph/drawing.h"

#include "find/priv.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

enum { SAID = 6 };

struct said {
	const char *kind;
	uint8_t verdict, proof;
	const char *node; /* "" none */
	uint64_t bytes;
	const char *key;
	uint64_t count;
};

/* Roots a, b, c are named ra, rb, ra: the first and the third have one name. */
static const struct {
	const char *name, *graph;
	struct said said[SAID];
	const char *want; /* kinds in order, with the verdict's first letter */
} cases[] = {
	{ "more bytes first",
	  "root a b; a->c b->d",
	  { { "context-leak", FIND_SUSPECT, FIND_INFERRED, "c", 100, "x", 0 },
	    { "timer-leak", FIND_SUSPECT, FIND_INFERRED, "d", 200, "y", 0 } },
	  "timer-leak s, context-leak s" },
	{ "surer first",
	  "root a b; a->c b->d",
	  { { "context-leak", FIND_SUSPECT, FIND_INFERRED, "c", 200, "x", 0 },
	    { "timer-leak", FIND_LEAK, FIND_PROVED, "d", 100, "y", 0 } },
	  "timer-leak l, context-leak s" },
	{ "much that is likely before little that is sure",
	  "root a b; a->c b->d",
	  { { "context-leak", FIND_SUSPECT, FIND_MEASURED, "c", 1000, "x", 0 },
	    { "timer-leak", FIND_LEAK, FIND_PROVED, "d", 100, "y", 0 } },
	  "context-leak s, timer-leak l" },
	{ "the cause stays, the holder goes",
	  "root a; a->c c->d",
	  { { "global-growth", FIND_SUSPECT, FIND_INFERRED, "c", 1000, "x", 0 },
	    { "substring-pin", FIND_WASTE, FIND_MEASURED, "d", 900, "y", 0 } },
	  "substring-pin w" },
	{ "a cause of less than half says little of the rest",
	  "root a; a->c c->d",
	  { { "global-growth", FIND_SUSPECT, FIND_INFERRED, "c", 1000, "x", 0 },
	    { "substring-pin", FIND_WASTE, FIND_MEASURED, "d", 300, "y", 0 } },
	  "global-growth s, substring-pin w" },
	{ "what is no fault takes nothing over",
	  "root a; a->c c->d",
	  { { "global-growth", FIND_SUSPECT, FIND_INFERRED, "c", 1000, "x", 0 },
	    { "duplicate-strings", FIND_INFO, FIND_MEASURED, "d", 1000, "y", 0 } },
	  "global-growth s, duplicate-strings i" },
	{ "a leak is not hidden by waste",
	  "root a; a->c c->d",
	  { { "global-growth", FIND_LEAK, FIND_MEASURED, "c", 1000, "x", 0 },
	    { "substring-pin", FIND_WASTE, FIND_MEASURED, "d", 1000, "y", 0 } },
	  "global-growth l, substring-pin w" },
	{ "a goroutine that leaks is not told again as one that holds",
	  "root a; a->c",
	  { { "goroutine-hold", FIND_SUSPECT, FIND_MEASURED, "a", 1000, "x", 0 },
	    { "goroutine-leak", FIND_LEAK, FIND_PROVED, "a", 1000, "y", 0 } },
	  "goroutine-leak l" },
	{ "roots of one name are one",
	  "root a b c; a->d c->e",
	  { { "goroutine-hold", FIND_SUSPECT, FIND_MEASURED, "c", 1000, "x", 0 },
	    { "goroutine-leak", FIND_LEAK, FIND_PROVED, "d", 800, "y", 0 } },
	  "goroutine-leak l" },
	{ "other roots are others",
	  "root a b c; a->d b->e",
	  { { "goroutine-hold", FIND_SUSPECT, FIND_MEASURED, "b", 1000, "x", 0 },
	    { "goroutine-leak", FIND_LEAK, FIND_PROVED, "d", 800, "y", 0 } },
	  "goroutine-leak l, goroutine-hold s" },
	{ "two causes below one global are two",
	  "root a; a->c a->d",
	  { { "context-leak", FIND_LEAK, FIND_MEASURED, "c", 1000, "x", 0 },
	    { "timer-leak", FIND_LEAK, FIND_MEASURED, "d", 900, "y", 0 } },
	  "context-leak l, timer-leak l" },
	{ "one in the other is told once",
	  "root a; a->c c->d",
	  { { "global-growth", FIND_SUSPECT, FIND_INFERRED, "c", 1000, "x", 0 },
	    { "global-growth", FIND_SUSPECT, FIND_INFERRED, "d", 900, "y", 0 } },
	  "global-growth s" },
	{ "the same signature is one, with the sum",
	  "root a; a->c a->d a->e",
	  { { "context-leak", FIND_SUSPECT, FIND_INFERRED, "c", 300, "x", 0 },
	    { "timer-leak", FIND_SUSPECT, FIND_INFERRED, "e", 500, "y", 0 },
	    { "context-leak", FIND_SUSPECT, FIND_INFERRED, "d", 300, "x", 0 } },
	  "context-leak s, timer-leak s" },
	{ "a descriptor weighs more than its object",
	  "root a b; a->c b->d",
	  { { "global-growth", FIND_SUSPECT, FIND_INFERRED, "c", 10000, "x", 0 },
	    { "unclosed-resource", FIND_SUSPECT, FIND_MEASURED, "d", 100, "y", 9 } },
	  "unclosed-resource s, global-growth s" },
	{ "what each of them holds open is why there are so many",
	  "root a; a->c c->d",
	  { { "global-growth", FIND_SUSPECT, FIND_INFERRED, "c", 1000000, "x", 9 },
	    { "unclosed-resource", FIND_SUSPECT, FIND_MEASURED, "d", 100, "y", 8 } },
	  "unclosed-resource s" },
	{ "a few open ones do not say why",
	  "root a; a->c c->d",
	  { { "global-growth", FIND_SUSPECT, FIND_INFERRED, "c", 1000000, "x", 9 },
	    { "unclosed-resource", FIND_SUSPECT, FIND_MEASURED, "d", 100, "y", 3 } },
	  "global-growth s, unclosed-resource s" },
	{ "what has no place is left alone",
	  "root a; a->c",
	  { { "gc-tuning", FIND_WASTE, FIND_MEASURED, "", 1000, "x", 0 },
	    { "off-heap", FIND_SUSPECT, FIND_MEASURED, "", 1000, "y", 0 },
	    { "global-growth", FIND_SUSPECT, FIND_INFERRED, "c", 1000, "z", 0 } },
	  "off-heap s, global-growth s, gc-tuning w" },
};

static struct snap_root roots[] = { { .name = "ra" }, { .name = "rb" }, { .name = "ra" } };

struct heap {
	struct drawing d;
	struct graph *g;
	struct snapshot s;
	struct find f;
};

static void heap_init(struct heap *h, const char *graph)
{
	memset(h, 0, sizeof(*h));
	draw(&h->d, graph);
	h->g = draw_graph(&h->d);
	assert_null(graph_dominators(h->g, 1));
	h->s.roots.v = roots;
	h->s.roots.n = h->d.nroots;
	h->f.l = (struct look){ .s = &h->s, .g = h->g, .nthreads = 1, .keep = &h->f.keep };
}

static void heap_deinit(struct heap *h)
{
	graph_free(h->g);
	find_deinit(&h->f);
}

static void say(struct heap *h, const struct said *x)
{
	struct finding y = { .kind = x->kind,
			     .verdict = x->verdict,
			     .proof = x->proof,
			     .type = "main.T",
			     .title = "a title",
			     .key = x->key,
			     .bytes = x->bytes,
			     .count = x->count,
			     .goroutine = FIND_NO_GOROUTINE };

	y.node = *x->node ? draw_node(&h->d, x->node) : GRAPH_NONE;
	assert_null(find_say(&h->f, &y));
}

static void check_order(const char *name, const struct find *f, const char *want)
{
	char have[300] = "";

	for (size_t i = 0; i < f->found.n; i++) {
		size_t n = strlen(have);

		snprintf(have + n, sizeof(have) - n, "%s%s %c", i ? ", " : "", f->found.v[i].kind,
			 *find_verdict_word(f->found.v[i].verdict));
	}
	if (strcmp(have, want) != 0)
		fail_msg("%s: %s", name, have);
}

/* Whatever the order in which detectors speak. */
static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (int back = 0; back < 2; back++) {
			struct heap h;

			heap_init(&h, cases[i].graph);
			for (size_t k = 0; k < SAID; k++) {
				const struct said *x = &cases[i].said[back ? SAID - 1 - k : k];

				if (x->kind)
					say(&h, x);
			}
			assert_null(find_rank(&h.f));
			check_order(cases[i].name, &h.f, cases[i].want);
			heap_deinit(&h);
		}
}

static void test_what_goes_is_told(void **state)
{
	struct heap h;

	(void)state;
	heap_init(&h, "root a; a->c c->d");
	say(&h, &(struct said){ "global-growth", FIND_SUSPECT, FIND_INFERRED, "c", 1000, "x", 0 });
	say(&h, &(struct said){ "context-leak", FIND_LEAK, FIND_MEASURED, "d", 900, "y", 0 });
	assert_null(find_rank(&h.f));
	assert_int_equal(h.f.found.n, 1);
	assert_string_equal(h.f.found.v[0].detail, "also global-growth (suspect): a title");
	heap_deinit(&h);
}

static void test_sum(void **state)
{
	struct heap h;

	(void)state;
	heap_init(&h, "root a; a->c a->d");
	say(&h, &(struct said){ "context-leak", FIND_SUSPECT, FIND_INFERRED, "c", 300, "x", 0 });
	say(&h, &(struct said){ "context-leak", FIND_SUSPECT, FIND_INFERRED, "d", 200, "x", 0 });
	assert_null(find_rank(&h.f));
	assert_int_equal(h.f.found.n, 1);
	assert_int_equal(h.f.found.v[0].bytes, 500);
	heap_deinit(&h);
}

/* Signatures are of kind and key, and of nothing else. */
static void test_signature(void **state)
{
	struct finding a = { .kind = "timer-leak", .key = "main.tick", .bytes = 1, .count = 2 };
	struct finding b = a, c = a, d = a;

	(void)state;
	b.bytes = 99;
	b.node = 7;
	b.title = "another";
	c.key = "main.tock";
	d.kind = "context-leak";
	find_sign(&a);
	find_sign(&b);
	find_sign(&c);
	find_sign(&d);
	assert_string_equal(a.signature, b.signature);
	assert_string_not_equal(a.signature, c.signature);
	assert_string_not_equal(a.signature, d.signature);
	/* it stands in people's files: a change of it would silence nothing any more */
	assert_string_equal(a.signature, "f1fb94a1e4c35f7e");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_what_goes_is_told),
		cmocka_unit_test(test_sum),
		cmocka_unit_test(test_signature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
