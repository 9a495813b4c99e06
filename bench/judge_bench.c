/*
 * judge_bench.c - how often the judge is wrong: thousands of simulated programs of each kind.
 *
 *     judge_bench [RUNS [SECONDS_A_LOAD [SECONDS_IN_ALL]]]
 *
 * Knows no Go and no process (tests/unit/watch/sim.c draws the programs).
 */
#include "../tests/unit/watch/sim.h"

#include <math.h>
#include <stdio.h>

struct tally {
	unsigned n[3];
	double loads, seconds;
};

static void one(const struct sim_kind *k, uint64_t seed, double load, double left, struct tally *t)
{
	static struct sim x;
	static struct judge_series s;
	static struct judge_rounds r;
	struct judgement j;
	struct err *err;

	x = (struct sim){ .seed = seed * 0x9e3779b97f4a7c15ULL + 1,
			  .load_seconds = load,
			  .size = 64 };
	for (int i = 0; i < 8; i++)
		(void)sim_random(&x);
	x.scale = k->least * pow(k->most / k->least, sim_random(&x));
	err = sim_judge(&x, k->rule, left, &s, &r, &j);
	if (err) {
		fprintf(stderr, "%s\n", err->msg);
		exit(1);
	}
	t->n[j.verdict]++;
	t->loads += x.loads;
	t->seconds += x.seconds;
	if (getenv("VERBOSE") && j.verdict != (k->leaks ? JUDGE_GROWS : JUDGE_STEADY)) {
		printf("    %u scale %g:", j.verdict, x.scale);
		for (size_t i = 0; i <= r.n; i++)
			printf(" %llu/%llu", (unsigned long long)s.objects[i],
			       (unsigned long long)s.stayed[i]);
		printf("\n");
	}
	judgement_deinit(&j);
}

int main(int argc, char **argv)
{
	unsigned runs = argc > 1 ? (unsigned)atoi(argv[1]) : 10000;
	double load = argc > 2 ? atof(argv[2]) : 0.2, left = argc > 3 ? atof(argv[3]) : 120;

	printf("%-34s %8s %8s %8s %6s %6s\n", "", "steady", "unsure", "grows", "loads", "s");
	for (const struct sim_kind *k = sim_kinds; k->name; k++) {
		struct tally t = { 0 };

		for (unsigned i = 0; i < runs; i++)
			one(k, i, load, left, &t);
		printf("%-5s %-28.28s %8u %8u %8u %6.0f %6.1f\n", k->leaks ? "leak" : "ok", k->name,
		       t.n[0], t.n[1], t.n[2], t.loads / runs, t.seconds / runs);
	}
	return 0;
}
