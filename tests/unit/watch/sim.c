/*
 * sim.c - programs that are only numbers, leaking ones and healthy ones.
 */
#include "sim.h"

#include <math.h>
#include <string.h>

double sim_random(struct sim *x)
{
	x->seed ^= x->seed << 13;
	x->seed ^= x->seed >> 7;
	x->seed ^= x->seed << 17;
	return (double)(x->seed >> 11) / 9007199254740992.0;
}

static double gauss(struct sim *x)
{
	double u = sim_random(x) + 1e-12, v = sim_random(x);

	return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

double sim_poisson(struct sim *x, double mean)
{
	double limit = exp(-mean), p = 1, n = 0;

	if (mean > 50)
		return MAX(0, floor(mean + sqrt(mean) * gauss(x) + 0.5));
	for (;; n++) {
		p *= sim_random(x);
		if (p <= limit)
			return n;
	}
}

double sim_objects(const struct sim *x)
{
	double n = 0;

	for (unsigned i = 0; i <= x->loads; i++)
		n += x->by[i];
	return n;
}

/* Of n objects, from the oldest, or of all alike. */
static void drop_oldest(struct sim *x, double n)
{
	for (unsigned i = 0; i <= x->loads && n > 0; i++) {
		double k = MIN(n, x->by[i]);

		x->by[i] -= k;
		n -= k;
	}
}

/* Each with that chance. */
static void drop_any(struct sim *x, double chance)
{
	for (unsigned i = 0; i <= x->loads; i++)
		for (double n = x->by[i]; n > 0; n--)
			x->by[i] -= sim_random(x) < chance;
}

static void leak_exact(struct sim *x)
{
	x->by[x->loads] = floor(x->scale);
}

static void leak_random(struct sim *x)
{
	x->by[x->loads] = sim_poisson(x, x->scale);
}

static void leak_bursts(struct sim *x)
{
	x->by[x->loads] = 100 * sim_poisson(x, x->scale);
}

/* Some of the loads do, others do not. */
static void leak_sometimes(struct sim *x)
{
	x->by[x->loads] = sim_random(x) < 0.5 ? floor(x->scale) : 0;
}

static void leak_among_garbage(struct sim *x)
{
	x->by[x->loads] = floor(x->scale);
	x->transient = sim_poisson(x, 20 * x->scale);
}

static void leak_after_filling(struct sim *x)
{
	if (x->loads == 1)
		x->by[0] = 20 * x->scale;
	x->by[x->loads] = floor(x->scale);
}

/* A leak, and a cache of the same objects in the same place that turns over. */
static void leak_under_cache(struct sim *x)
{
	double cache = 30 * x->scale;

	if (x->loads == 1)
		x->by[0] = cache;
	drop_oldest(x, MIN(x->by[0], x->scale));
	x->by[x->loads] = 2 * floor(x->scale);
}

/* runtime/slice.go, nextslicecap: one array, larger each time. */
static void leak_slice(struct sim *x)
{
	double *len = &x->state[0], *cap = &x->state[1];

	*len += floor(x->scale);
	while (*cap < *len)
		*cap += *cap < 256 ? MAX(*cap, 1) : (*cap + 768) / 4;
	x->bytes = 8 * *cap;
	memset(x->by, 0, sizeof(x->by));
	x->by[x->loads] = 1;
}

/* Tables of 1,024 slots that split: others each time, twice as many. */
static void leak_table(struct sim *x)
{
	double *len = &x->state[0], *cap = &x->state[1];

	if (!*cap)
		*cap = 8;
	*len += floor(x->scale);
	if (*len <= *cap * 7 / 8 && x->loads > 1)
		return;
	while (*len > *cap * 7 / 8)
		*cap *= 2;
	memset(x->by, 0, sizeof(x->by));
	x->by[x->loads] = ceil(*cap / 1024);
	x->bytes = *cap * 40;
}

static void ok_flat(struct sim *x)
{
	if (x->loads == 1)
		x->by[0] = x->scale;
}

static void ok_noise(struct sim *x)
{
	if (x->loads == 1)
		x->by[0] = x->scale;
	x->transient = MAX(0, floor(x->scale + x->scale * 0.3 * gauss(x)));
}

/* Few things that come and go by chance, and stay a while. */
static void ok_few(struct sim *x)
{
	drop_any(x, 0.2);
	x->by[x->loads] = sim_poisson(x, x->scale * 0.2);
	if (x->loads == 1)
		x->by[0] = sim_poisson(x, x->scale);
}

/* Full after `scale` loads. */
static void ok_fills(struct sim *x)
{
	x->by[x->loads] = MAX(0, MIN(200, 200 * x->scale - sim_objects(x)));
}

/* The same, and then the oldest give way. */
static void ok_lru(struct sim *x)
{
	x->by[x->loads] = 200;
	drop_oldest(x, sim_objects(x) - 200 * x->scale);
}

/* Random keys out of 200 * scale. */
static void ok_keys(struct sim *x)
{
	double all = 200 * x->scale, had = sim_objects(x);

	x->by[x->loads] = MIN(all - had, sim_poisson(x, (all - had) * (1 - exp(-1 / x->scale))));
}

static void ok_expires(struct sim *x)
{
	for (unsigned i = 0; i <= x->loads; i++)
		if (x->seconds - x->born[i] > x->scale)
			x->by[i] = 0;
	x->by[x->loads] = 200;
}

/* As many as were ever used at once: a record that is broken ever more seldom. */
static void ok_record(struct sim *x)
{
	for (unsigned i = 0; i < 200; i++) {
		double now = floor(10 + x->scale * -log(1 - sim_random(x)));

		if (now > x->state[0]) {
			x->by[x->loads] += now - x->state[0];
			x->state[0] = now;
		}
	}
}

/* Something that happens once, after some loads. */
static void ok_once(struct sim *x)
{
	if (x->loads == 1)
		x->state[0] = floor(exp(log(60) * sim_random(x)));
	if (x->loads == (unsigned)x->state[0])
		x->by[x->loads] = floor(x->scale);
}

/* A table of random keys that doubles. */
static void ok_table(struct sim *x)
{
	double all = 200 * x->scale;

	x->state[0] += sim_poisson(x, (all - x->state[0]) * (1 - exp(-1 / x->scale)));
	if (!x->state[1])
		x->state[1] = 64;
	if (x->state[0] <= x->state[1] * 7 / 8 && x->loads > 1)
		return;
	while (x->state[0] > x->state[1] * 7 / 8)
		x->state[1] *= 2;
	memset(x->by, 0, sizeof(x->by));
	x->by[x->loads] = ceil(x->state[1] / 1024);
	x->bytes = x->state[1] * 40;
}

/* clang-format off */
const struct sim_kind sim_kinds[] = {
	{ "the same each load",		leak_exact,	    true,  1, 10000, 0 },
	{ "some each load, by chance",	leak_random,	    true,  2, 10000, 0 },
	{ "a hundred at once, by chance", leak_bursts,	    true,  2, 100, 0 },
	{ "in half of the loads",	leak_sometimes,	    true,  1, 10000, 0 },
	{ "among twenty times the garbage", leak_among_garbage, true, 2, 1000, 0 },
	{ "after a cache has filled",	leak_after_filling, true,  2, 1000, 0 },
	{ "beside a cache that turns over", leak_under_cache, true, 2, 1000, 0 },
	{ "a slice",			leak_slice,	    true,  20, 10000, 0 },
	{ "a map of numbers",		leak_table,	    true,  200, 10000, 0 },
	{ "nothing",			ok_flat,	    false, 1, 10000, 0 },
	{ "garbage",			ok_noise,	    false, 1, 10000, 0 },
	{ "a few that come and go",	ok_few,		    false, 1, 300, 0 },
	{ "a cache that fills",		ok_fills,	    false, 0.5, 30, 0 },
	{ "a cache that turns over",	ok_lru,		    false, 0.5, 30, 0 },
	{ "random keys of so many",	ok_keys,	    false, 0.5, 30, 0 },
	{ "expires after seconds",	ok_expires,	    false, 0.2, 15, 0 },
	{ "a pool, by the record",	ok_record,	    false, 1, 100, 0 },
	{ "once, at some time",		ok_once,	    false, 1, 10000, 0 },
	{ "a map of random keys",	ok_table,	    false, 0.5, 30, 0 },
	{ NULL, NULL, false, 0, 0, 0 },
};
/* clang-format on */

static void run(struct sim *x, sim_rule *rule, unsigned loads)
{
	for (unsigned i = 0; i < loads && x->loads + 1 < SIM_LOADS; i++) {
		x->loads++;
		x->seconds += x->load_seconds;
		x->born[x->loads] = x->seconds;
		rule(x);
	}
}

/* first[r]: the first load of round r. */
static void look(struct sim *x, const unsigned *first, size_t r, struct judge_series *s)
{
	double n = sim_objects(x), stayed;

	s->objects[r] = (uint64_t)(n + x->transient);
	s->bytes[r] = x->bytes >= 0 ? (uint64_t)x->bytes : (uint64_t)((n + x->transient) * x->size);
	for (size_t i = 0; i <= r; i++) {
		stayed = i == r ? x->transient : 0;
		for (unsigned k = first[i]; k <= x->loads && (i == r || k < first[i + 1]); k++)
			stayed += x->by[k];
		s->stayed[i] = (uint64_t)stayed;
	}
	s->born[r] = s->stayed[r];
}

struct err *sim_judge(struct sim *x, sim_rule *rule, double left, struct judge_series *s,
		      struct judge_rounds *r, struct judgement *ret)
{
	unsigned first[JUDGE_ROUNDS] = { 0 }, loads = 1;
	uint64_t rest = 0;
	struct err *err;

	*s = (struct judge_series){ .what = JUDGE_OBJECTS, .name = "T under v" };
	*r = (struct judge_rounds){ 0 };
	x->bytes = -1;
	for (;; r->n++) {
		x->seconds += (double)rest / 1e9;
		first[r->n] = r->n ? x->loads + 1 : 0;
		run(x, rule, loads);
		x->seconds += 1;
		r->loads[r->n] = loads;
		r->rest_ns[r->n] = rest;
		r->load_ns[r->n] = (uint64_t)(loads * x->load_seconds * 1e9);
		r->at_ns[r->n] = (uint64_t)(x->seconds * 1e9);
		r->left_ns = (uint64_t)(MAX(0, left - x->seconds) * 1e9);
		look(x, first, r->n, s);
		err = judge(s, 1, r, NULL, ret);
		if (err || ret->next.what == JUDGE_DONE)
			return err;
		loads = ret->next.loads;
		rest = ret->next.rest_ns;
		judgement_deinit(ret);
	}
}
