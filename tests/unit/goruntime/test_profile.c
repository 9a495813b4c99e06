/*
 * test_profile.c - lists of buckets made by hand, for every layout; lists that lie; stacks of pcs.
 *
 * Expected values by hand from runtime/mprof.go (bucket, memRecord) and runtime/symtab.go
 * (Frames.Next, expandFinalInlineFrame) over the program of program.h.
 */
#include "program.h"

#include "fake_target.h"
#include "goruntime/callers.h"
#include "goruntime/contention.h"
#include "goruntime/profile.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>

#define VARS	    0x50000ULL /* mbuckets, MemProfileRate */
#define CYCLE_AT    (VARS + 16)
#define TICKS_AT    (VARS + 32)
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
	fake_map(&w->f, VARS, 64);
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

/* mprof.go, memProfileInternal: what is active, and the cycle that is complete, whichever slot it
 * is in. */
static void tells_the_complete_cycle(void **state)
{
	size_t nl;
	const struct go_layout *const *all = go_layouts(&nl);

	(void)state;
	for
		EACH_LAYOUT
		{
			const struct go_layout *L = *l;
			bool flagged = go_has(L->mProf_value); /* bit 0: it was flushed */

			for (unsigned cycle = 0; cycle < 7; cycle++) {
				struct go_profile p;
				struct world w;

				world_open(&w, L, 4096);
				w.g.v.mprofcycle = CYCLE_AT;
				fake_set(&w.f, CYCLE_AT, flagged ? L->mProf_value : L->mProf_cycle,
					 flagged ? 2 * cycle + 1 : cycle);
				put(&w, 0, 3, 0);
				read_it(&w, &p);
				assert_true(p.told);
				assert_int_equal(p.buckets.v[0].told_allocs, 10 + 11 + cycle % 3);
				assert_int_equal(p.buckets.v[0].told_frees, 1 + cycle % 3);
				done(&w, &p);
			}
		}
}

/* Before the first collection there would be nothing: then it tells all. */
static void tells_all_before_a_collection(void **state)
{
	size_t nl;
	const struct go_layout *L = *go_layouts(&nl);
	taddr record = BUCKET(0) + L->bucket_bytes + 8 * 3;
	struct go_profile p;
	struct world w;

	(void)state;
	world_open(&w, L, 4096);
	w.g.v.mprofcycle = CYCLE_AT; /* 0 */
	put(&w, 0, 3, 0);
	for (unsigned c = 0; c < 2; c++) /* active and the complete cycle */
		for (unsigned k = 0; k < 2; k++)
			fake_put64(&w.f, record + c * L->memRecordCycle_bytes + 8 * k, 0);
	read_it(&w, &p);
	assert_int_equal(p.buckets.v[0].told_allocs, 12 + 13);
	assert_int_equal(p.buckets.v[0].told_frees, 2 + 3);
	done(&w, &p);

	world_open(&w, L, 4096); /* which cycle is complete was not found */
	put(&w, 0, 3, 0);
	read_it(&w, &p);
	assert_false(p.told);
	assert_int_equal(p.buckets.v[0].told_allocs, 10);
	done(&w, &p);
}

static void put_double(struct world *w, taddr at, double x)
{
	uint64_t u;

	memcpy(&u, &x, 8);
	fake_put64(&w->f, at, u);
}

/* mprof.go: blockRecord; tracestack.go: a stack that is expanded already begins with ^0. */
static void reads_contention(void **state)
{
	size_t nl;
	const struct go_layout *const *all = go_layouts(&nl);

	(void)state;
	for
		EACH_LAYOUT
		{
			const struct go_layout *L = *l;
			bool late = !go_has(L->func_startLine); /* scaled when it is written */
			taddr record = BUCKET(1) + L->bucket_bytes + 8 * 4;
			struct go_contention c;
			struct world w;

			world_open(&w, L, 4096);
			w.g.v.xbuckets = VARS;
			w.g.v.mutexprofilerate = VARS + 8; /* 4096 */
			w.g.v.ticks = TICKS_AT - (uint32_t)L->ticks_val.off;
			fake_put64(&w.f, VARS, BUCKET(1));
			fake_put64(&w.f, TICKS_AT, 2500000000ULL);
			put(&w, 1, 4, 0);
			fake_set(&w.f, BUCKET(1), L->bucket_typ, 3);
			fake_put64(&w.f, BUCKET(1) + L->bucket_bytes, UINT64_MAX);
			put_double(&w, record + (uint64_t)L->blockRecord_count.off, 6.5);
			fake_set(&w.f, record, L->blockRecord_cycles, 5000);
			assert_null(go_contention_read(&w.g, GO_CONTENTION_MUTEX, &c));
			assert_true(c.known);
			assert_int_equal(c.cut, 0);
			assert_true(c.ticks_per_s == 2.5e9);
			assert_int_equal(c.stacks.n, 1);
			assert_int_equal(c.stacks.v[0].npcs, 3);
			assert_int_equal(c.pcs.v[0], 0x1001);
			assert_true(c.stacks.v[0].count == (late ? 6.5 * 4096 : 6.5));
			assert_int_equal(c.stacks.v[0].ticks, late ? 5000 * 4096 : 5000);
			go_contention_deinit(&c);
			assert_null(go_contention_read(&w.g, GO_CONTENTION_BLOCK, &c));
			assert_false(c.known);
			go_contention_deinit(&c);
			fake_close(&w.f);
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

static void expand(struct go_callers *c, const taddr *pcs, size_t n, const taddr *want,
		   size_t nwant)
{
	taddr got[16];

	assert_int_equal(go_callers_expand(c, GO_CALLERS_LISTED, pcs, n, got, 16), nwant);
	assert_memory_equal(got, want, nwant * sizeof(*want));
	/* what is expanded stays as it is */
	assert_int_equal(go_callers_expand(c, GO_CALLERS_LISTED, want, nwant, got, 16), nwant);
	assert_memory_equal(got, want, nwant * sizeof(*want));
}

/* runtime_expandFinalInlineFrame, Frames.Next: an address for each function that is inlined there.
 */
static void puts_in_what_is_inlined(void **state)
{
	const struct program *p = *state;
	struct go_callers c = { .g = &p->g };
	struct go_line l[8];
	taddr in1, caller, got[16];
	size_t n;

	assert_int_equal(go_callers_lines(&p->g, CALLER + 0x12, l, 8), 3);
	in1 = l[1].pc + 1; /* the call of in2 in in1, and of in1 in caller */
	caller = l[2].pc + 1;
	assert_int_equal(l[2].entry, CALLER);
	assert_int_equal(l[0].pc, CALLER + 0x11);
	expand(&c, (taddr[]){ CALLER + 0x12 }, 1, (taddr[]){ CALLER + 0x12, in1, caller }, 3);
	expand(&c, (taddr[]){ LEAF + 4, CALLER + 0x12, GOEXIT + 1 }, 3,
	       (taddr[]){ LEAF + 4, CALLER + 0x12, in1, caller, GOEXIT + 1 }, 5);
	/* recursion: the second is no part of the first */
	expand(&c, (taddr[]){ CALLER + 0x12, CALLER + 0x12 }, 2,
	       (taddr[]){ CALLER + 0x12, in1, caller, CALLER + 0x12, in1, caller }, 6);
	/* cut in the middle of what is inlined, and not of Go at all */
	expand(&c, (taddr[]){ CALLER + 0x12, in1 }, 2, (taddr[]){ CALLER + 0x12, in1, caller }, 3);
	expand(&c, (taddr[]){ TEXT - 1, 1 }, 2, (taddr[]){ TEXT - 1, 1 }, 2);
	/* no more than there is room for */
	assert_int_equal(
		go_callers_expand(&c, GO_CALLERS_LISTED, (taddr[]){ CALLER + 0x12 }, 1, got, 2), 2);
	assert_non_null(go_callers_at(&c, CALLER + 0x12, &n));
	assert_int_equal(n, 3);
	assert_null(go_callers_at(&c, 0, &n));
	assert_false(c.bad);
	go_callers_deinit(&c);
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
		cmocka_unit_test(tells_the_complete_cycle),
		cmocka_unit_test(tells_all_before_a_collection),
		cmocka_unit_test(reads_contention),
		cmocka_unit_test(lists_that_lie),
		cmocka_unit_test(says_why_there_is_none),
		cmocka_unit_test_setup_teardown(frames_of_pcs, program_setup, program_teardown),
		cmocka_unit_test_setup_teardown(puts_in_what_is_inlined, program_setup,
						program_teardown),
		cmocka_unit_test_setup_teardown(hides_the_runtime, program_setup, program_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
