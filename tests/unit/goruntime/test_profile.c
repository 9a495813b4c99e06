/*
 * test_profile.c - lists of buckets made by hand, for every layout; lists that lie; stacks of pcs.
 *
 * Expected values by hand from runtime/mprof.go (bucket, memRecord) and runtime/symtab.go
 * (Frames.Next, expandFinalInlineFrame) over the program of program.h.
 */
#include "program.h"

#include "fake_target.h"
#include "goruntime/profile.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

#define VARS	    0x50000ULL /* mbuckets, MemProfileRate */
#define LIST	    0x60000ULL
#define LIST_BYTES  0x40000
#define SPACING	    0x4000ULL
#define BUCKET(i)   (LIST + SPACING * (i))
#define UNMAPPED    0x123456789000ULL
#define EACH_LAYOUT (const struct go_layout *const *l = all; l < all + nl; l++)

struct world {
	struct fake f;
	struct go g;
	struct go_module none;
};

static void world_open(struct world *w, const struct go_layout *L, uint64_t rate)
{
	*w = (struct world){ .g.L = L };
	w->g.v.mbuckets = VARS;
	w->g.v.memprofilerate = VARS + 8;
	w->g.modules = &w->none;
	w->g.nmodules = 1;
	fake_map(&w->f, VARS, 16);
	fake_map(&w->f, LIST, LIST_BYTES);
	fake_put64(&w->f, VARS + 8, rate);
	w->g.t = fake_open(&w->f);
}

/* Bucket i with depth pcs 0x1000 i + k, and counts that differ in each place. */
static void put(struct world *w, unsigned i, uint64_t depth, taddr next)
{
	const struct go_layout *L = w->g.L;
	taddr at = BUCKET(i), record = at + L->bucket_bytes + 8 * depth;
	uint32_t each = L->memRecordCycle_bytes;

	fake_set(&w->f, at, L->bucket_typ, 1);
	fake_set(&w->f, at, L->bucket_size, 100 + i);
	fake_set(&w->f, at, L->bucket_nstk, depth);
	fake_set(&w->f, at, L->bucket_allnext, next);
	for (uint64_t k = 0; k < depth; k++)
		fake_put64(&w->f, at + L->bucket_bytes + 8 * k, 0x1000 * (uint64_t)i + k);
	for (uint32_t c = 0; c < 4; c++) { /* active, then three cycles to come */
		fake_put64(&w->f, record + c * each, 10 + c);
		fake_put64(&w->f, record + c * each + 8, c);
	}
}

static void read_it(struct world *w, struct go_profile *p)
{
	fake_put64(&w->f, VARS, BUCKET(0));
	*p = (struct go_profile){ 0 };
	assert_null(go_profile_read(&w->g, p));
}

static void done(struct world *w, struct go_profile *p)
{
	go_profile_deinit(p);
	fake_close(&w->f);
}

static void reads_a_list(void **state)
{
	size_t nl;
	const struct go_layout *const *all = go_layouts(&nl);

	(void)state;
	for
		EACH_LAYOUT
		{
			struct go_profile p;
			struct world w;

			world_open(&w, *l, 4096);
			put(&w, 0, 3, BUCKET(2));
			put(&w, 2, 0, BUCKET(1));
			put(&w, 1, 1024, 0);
			read_it(&w, &p);
			assert_int_equal(p.state, GO_PROFILING_ON);
			assert_int_equal(p.rate, 4096);
			assert_int_equal(p.cut, 0);
			assert_int_equal(p.buckets.n, 3);
			for (unsigned i = 0; i < 3; i++) {
				const struct go_bucket *b = &p.buckets.v[i];

				assert_int_equal(go_profile_bucket(&p, BUCKET(i)), i);
				assert_int_equal(b->bytes, 100 + i);
				assert_int_equal(b->allocs, 10 + 11 + 12 + 13);
				assert_int_equal(b->frees, 0 + 1 + 2 + 3);
				assert_int_equal(b->npcs, i == 0 ? 3 : i == 1 ? 1024 : 0);
				for (unsigned k = 0; k < b->npcs; k++)
					assert_int_equal(p.pcs.v[b->first_pc + k], 0x1000 * i + k);
			}
			assert_int_equal(go_profile_bucket(&p, BUCKET(1) + 8), SIZE_MAX);
			assert_int_equal(go_profile_bucket(&p, 0), SIZE_MAX);
			done(&w, &p);
		}
}

enum lie { CYCLE, ITSELF, NOWHERE, ODD, TOO_DEEP, OTHER_KIND, ENDS_EARLY, LIES };

static void tell(struct world *w, unsigned lie)
{
	const struct go_layout *L = w->g.L;
	taddr last = LIST + LIST_BYTES - 8;

	switch (lie) {
	case CYCLE:
		put(w, 1, 2, BUCKET(0));
		break;
	case ITSELF:
		put(w, 1, 2, BUCKET(1));
		break;
	case NOWHERE:
		put(w, 1, 2, UNMAPPED);
		break;
	case ODD:
		put(w, 1, 2, BUCKET(2) + 4);
		break;
	case TOO_DEEP:
		put(w, 1, 2, BUCKET(2));
		put(w, 2, 1, 0);
		fake_set(&w->f, BUCKET(2), L->bucket_nstk, 1025);
		break;
	case OTHER_KIND: /* a bucket of the blocking profile */
		put(w, 1, 2, BUCKET(2));
		put(w, 2, 1, 0);
		fake_set(&w->f, BUCKET(2), L->bucket_typ, 2);
		break;
	default:
		put(w, 1, 2, last);
	}
}

/* What came before the lie is kept, once; that there was more is said. */
static void lists_that_lie(void **state)
{
	size_t nl;
	const struct go_layout *const *all = go_layouts(&nl);

	(void)state;
	for
		EACH_LAYOUT
		{
			for (unsigned lie = 0; lie < LIES; lie++) {
				struct go_profile p;
				struct world w;

				world_open(&w, *l, 4096);
				put(&w, 0, 5, BUCKET(1));
				tell(&w, lie);
				read_it(&w, &p);
				assert_int_equal(p.cut, 1);
				assert_int_equal(p.buckets.n, 2);
				assert_int_equal(p.buckets.v[1].npcs, 2);
				done(&w, &p);
			}
		}
}

static void says_why_there_is_none(void **state)
{
	size_t nl;
	const struct go_layout *L = go_layouts(&nl)[0];
	struct go_layout without = *L;
	struct go_profile p;
	struct world w;

	(void)state;
	world_open(&w, L, 0); /* no function of the program reads the profile */
	put(&w, 0, 3, 0);
	read_it(&w, &p);
	assert_int_equal(p.state, GO_PROFILING_UNLINKED);
	assert_int_equal(p.buckets.n, 0); /* from before the runtime knew */
	done(&w, &p);

	world_open(&w, L, UINT64_MAX); /* a negative rate */
	put(&w, 0, 3, 0);
	read_it(&w, &p);
	assert_int_equal(p.rate, 0);
	done(&w, &p);

	without.memRecord_bytes = 0;
	world_open(&w, &without, 4096);
	put(&w, 0, 3, 0);
	read_it(&w, &p);
	assert_int_equal(p.buckets.n, 0);
	assert_int_not_equal(p.state, GO_PROFILING_ON);
	done(&w, &p);
}

static void frames_of_pcs(void **state)
{
	const struct program *p = *state;
	struct go_line l[8];

	/* a return address: the call before it counts */
	assert_int_equal(go_callers_lines(&p->g, CALLER + 0x12, l, 1), 1);
	assert_string_equal(l[0].function, "main.in2");
	assert_true(l[0].inlined);
	/* the last of a stack stands for all that it is inlined in */
	assert_int_equal(go_callers_lines(&p->g, CALLER + 0x12, l, 8), 3);
	assert_string_equal(l[1].function, "main.in1");
	assert_string_equal(l[2].function, "main.caller");
	assert_int_equal(go_callers_lines(&p->g, CALLER + 0x1a, l, 8), 1);
	assert_string_equal(l[0].function, "main.caller");
	/* never out of the function */
	assert_int_equal(go_callers_lines(&p->g, CALLER, l, 8), 1);
	assert_string_equal(l[0].function, "main.caller");
	assert_int_equal(go_callers_lines(&p->g, TEXT - 1, l, 8), 0);
}

static void hides_the_runtime(void **state)
{
	const struct program *p = *state;
	const taddr some[] = { ASYNC + 1, GOEXIT + 1, CALLER + 4, GOEXIT + 1 };
	const taddr all[] = { ASYNC + 1, GOEXIT + 1 };
	const taddr foreign[] = { TEXT - 1, CALLER + 4 };

	assert_int_equal(go_callers_hidden(&p->g, some, 4), 2);
	assert_int_equal(go_callers_hidden(&p->g, all, 2), 0);
	assert_int_equal(go_callers_hidden(&p->g, foreign, 2), 0);
	assert_int_equal(go_callers_hidden(&p->g, some, 0), 0);
}

static int program_setup(void **state)
{
	struct program *p = zalloc(1, sizeof(*p));

	if (!p)
		return -1;
	program_build(p);
	*state = p;
	return program_open(p, NULL, 0) ? -1 : 0;
}

static int program_teardown(void **state)
{
	program_close(*state);
	free(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_list),
		cmocka_unit_test(lists_that_lie),
		cmocka_unit_test(says_why_there_is_none),
		cmocka_unit_test_setup_teardown(frames_of_pcs, program_setup, program_teardown),
		cmocka_unit_test_setup_teardown(hides_the_runtime, program_setup, program_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
