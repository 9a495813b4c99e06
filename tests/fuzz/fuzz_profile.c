/*
 * fuzz_profile.c - the memory profile's list of buckets, by each layout, and what its pcs mean.
 *
 * The input is a layout's number, a rate, and the memory that the list lies in: links that are
 * odd are mapped into it, so that lists are long.  What comes out must be consistent.
 */
#include "fake/segments.h"
#include "goruntime/profile.h"
#include "program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define VARS 0x50000ULL
#define LIST 0x60000ULL

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void check(const struct go *g, const struct go_profile *p)
{
	struct go_line l[16];

	for (size_t i = 0; i < p->buckets.n; i++) {
		const struct go_bucket *b = &p->buckets.v[i];

		must(!i || p->buckets.v[i - 1].at < b->at);
		must(go_profile_bucket(p, b->at) == i);
		must(b->first_pc <= p->pcs.n && b->npcs <= p->pcs.n - b->first_pc);
		must(!b->npcs || go_callers_hidden(g, p->pcs.v + b->first_pc, b->npcs) <= b->npcs);
	}
	for (size_t i = 0; i < p->pcs.n; i++) {
		taddr pc = TEXT - 8 + p->pcs.v[i] % (TEXT_END - TEXT + 16);

		must(go_callers_lines(g, pc, l, 16) <= 16);
		must(go_callers_lines(g, p->pcs.v[i], l, 1) <= 1);
	}
}

/* Every eighth word that is no address of the list becomes one. */
static void link_up(uint8_t *mem, size_t n)
{
	for (size_t at = 0; at + 8 <= n; at += 8) {
		uint64_t x = load_u64(mem + at);

		if ((x & 0xf00) != 0x300)
			continue;
		x = LIST + (x >> 16) % n / 8 * 8;
		memcpy(mem + at, &x, 8);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	size_t nl;
	const struct go_layout *const *all = go_layouts(&nl);
	uint64_t vars[2] = { LIST, 0 };
	struct go_profile p;
	struct program prog;
	struct fake_segment seg[2];
	uint8_t *mem;

	if (n < 10)
		return 0;
	mem = malloc(n - 9);
	if (!mem)
		return 0;
	memcpy(mem, data + 9, n - 9);
	link_up(mem, n - 9);
	memcpy(&vars[1], data + 1, 8);
	seg[0] = (struct fake_segment){ VARS, vars, sizeof(vars) };
	seg[1] = (struct fake_segment){ LIST, mem, n - 9 };
	program_build(&prog);
	if (!program_open(&prog, NULL, 0)) {
		struct target *t = fake_target(seg, 2);
		struct go g = prog.g;

		g.L = all[data[0] % nl];
		g.t = t;
		g.v.mbuckets = VARS;
		g.v.memprofilerate = VARS + 8;
		if (t && !go_profile_read(&g, &p)) {
			check(&prog.g, &p);
			go_profile_deinit(&p);
		}
		target_close(t);
		program_close(&prog);
	}
	free(mem);
	return 0;
}
