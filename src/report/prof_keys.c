/*
 * prof_keys.c - triples of numbers, each numbered when it is met first.
 *
 * Knows nothing of what they mean.  Cost: 17 to 20 bytes a triple, a look-up of constant time.
 */
#include "report/prof_priv.h"

static uint64_t hash_of(const void *arg, uint32_t i)
{
	const struct prof_key *k = &((const struct prof_keys *)arg)->v.v[i];

	return idx_mix((uint64_t)k->a << 32 | k->b, k->c);
}

/* Is i like the last one, which is looked for? */
static bool is_last(const void *arg, uint32_t i)
{
	const struct prof_keys *k = arg;

	return !memcmp(&k->v.v[i], &k->v.v[k->v.n - 1], sizeof(k->v.v[i]));
}

uint32_t prof_key(struct prof_keys *k, uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t *slot;

	if (!idx_room(&k->x, hash_of, k) || !vec_push(&k->v, (struct prof_key){ a, b, c }))
		return PROF_KEY_NOMEM;
	slot = idx_slot(&k->x, hash_of(k, (uint32_t)k->v.n - 1), is_last, k);
	if (*slot) {
		k->v.n--;
	} else if (k->most && k->v.n > k->most) {
		k->v.n--;
		return PROF_KEY_FULL;
	} else {
		*slot = (uint32_t)k->v.n;
		k->x.n++;
	}
	return *slot - 1;
}

void prof_keys_deinit(struct prof_keys *k)
{
	vec_free(&k->v);
	idx_deinit(&k->x);
}
