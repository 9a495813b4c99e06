/*
 * test_stacks.c - goroutines that stand at the same place: groups against comparing each with each.
 */
#include "find/stacks.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

enum { GS = 60, DEEP = 5 };

struct many {
	struct go_goroutine g[GS];
	struct go_frame f[GS * DEEP];
	struct go_stacks st;
	uint64_t salt[GS];
};

static uint32_t next(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return (uint32_t)(*x >> 33);
}

static void make(struct many *m, uint64_t seed)
{
	uint64_t x = seed * 0x9e3779b97f4a7c15ULL;
	size_t n = 0;

	*m = (struct many){ 0 };
	for (size_t i = 0; i < GS; i++) {
		m->g[i].first_frame = n;
		m->g[i].nframes = next(&x) % DEEP;
		m->g[i].start_pc = 0x1000 + next(&x) % 2;
		m->salt[i] = next(&x) % 2;
		for (size_t k = 0; k < m->g[i].nframes; k++)
			m->f[n++].pc = 0x400000 + next(&x) % 2;
	}
	m->st.gs.v = m->g;
	m->st.gs.n = GS;
	m->st.frames.v = m->f;
	m->st.frames.n = n;
}

static bool same(const struct many *m, const uint64_t *salt, size_t a, size_t b)
{
	const struct go_goroutine *p = &m->g[a], *q = &m->g[b];

	if (p->nframes != q->nframes || p->start_pc != q->start_pc || (salt && salt[a] != salt[b]))
		return false;
	for (size_t i = 0; i < p->nframes; i++)
		if (m->f[p->first_frame + i].pc != m->f[q->first_frame + i].pc)
			return false;
	return true;
}

static void check(const struct many *m, const uint64_t *salt, size_t n, const size_t *order,
		  const size_t *first, size_t ngroups)
{
	size_t group[GS];
	bool seen[GS] = { false };

	assert_int_equal(first[0], 0);
	assert_int_equal(first[ngroups], n);
	for (size_t k = 0; k < ngroups; k++) {
		assert_true(first[k] < first[k + 1]);
		for (size_t i = first[k]; i < first[k + 1]; i++) {
			assert_false(seen[order[i]]);
			seen[order[i]] = true;
			group[i] = k;
			if (i > first[k])
				assert_true(order[i] > order[i - 1]);
		}
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++)
			assert_int_equal(group[i] == group[k], same(m, salt, order[i], order[k]));
}

static void test_groups(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed < 300; seed++) {
		struct many m;
		size_t order[GS], first[GS + 1], ngroups, n = 0;
		const uint64_t *salt;

		make(&m, seed);
		salt = seed & 1 ? m.salt : NULL;
		for (size_t i = seed % 3; i < GS; i++)
			order[n++] = i;
		assert_null(look_group_stacks(&m.st, salt, n, order, first, &ngroups));
		check(&m, salt, n, order, first, ngroups);
	}
}

static void test_nobody(void **state)
{
	struct many m;
	size_t first[1], ngroups = 7;

	(void)state;
	make(&m, 1);
	assert_null(look_group_stacks(&m.st, NULL, 0, NULL, first, &ngroups));
	assert_int_equal(ngroups, 0);
	assert_int_equal(first[0], 0);
}

static void test_waited(void **state)
{
	(void)state;
	assert_int_equal(look_waited_ns(100, 40), 60);
	assert_int_equal(look_waited_ns(100, 140), 0);
	assert_true(look_waited_ns(0, 40) == UINT64_MAX);
	assert_true(look_waited_ns(100, 0) == UINT64_MAX);
	assert_true(look_waited_ns(100, -5) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_waited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
