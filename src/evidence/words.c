/*
 * words.c - a table of texts by their bytes.
 *
 * Open addressing, FNV-1a, at most half full.  Knows nothing of what they mean.  Cost: the bytes
 * of each text once, 16 bytes a text.
 */
#include "evidence/words.h"

enum { FIRST_SLOTS = 256 };

void words_deinit(struct words *w)
{
	vec_free(&w->text);
	vec_free(&w->at);
	free(w->slot);
	*w = (struct words){ 0 };
}

const char *words_of(const struct words *w, uint32_t number)
{
	return number && number < w->at.n ? w->text.v + w->at.v[number] : "";
}

static uint64_t hash_of(const char *s, size_t n)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)s[i]) * UINT64_C(0x100000001b3);
	return h ^ h >> 29;
}

static size_t slot_of(const struct words *w, const char *s, size_t n)
{
	size_t i = hash_of(s, n) & (w->nslots - 1);

	while (w->slot[i]) {
		const char *t = words_of(w, w->slot[i]);

		if (!strncmp(t, s, n) && !t[n])
			break;
		i = (i + 1) & (w->nslots - 1);
	}
	return i;
}

static bool grow(struct words *w)
{
	struct words bigger = *w;

	bigger.nslots = w->nslots ? 2 * w->nslots : FIRST_SLOTS;
	bigger.slot = zalloc(bigger.nslots, sizeof(*bigger.slot));
	if (!bigger.slot)
		return false;
	for (uint32_t i = 1; i < w->at.n; i++) {
		const char *t = words_of(w, i);

		bigger.slot[slot_of(&bigger, t, strlen(t))] = i;
	}
	free(w->slot);
	*w = bigger;
	return true;
}

static uint32_t failed(struct words *w)
{
	w->bad = true;
	return 0;
}

uint32_t words_add(struct words *w, const char *s, size_t n)
{
	size_t i;

	n = strnlen(s, n);
	if (!n || w->bad)
		return 0;
	if (!w->at.n && !vec_push(&w->at, 0))
		return failed(w);
	if (2 * w->at.n >= w->nslots && !grow(w))
		return failed(w);
	i = slot_of(w, s, n);
	if (w->slot[i])
		return w->slot[i];
	if (w->at.n >= UINT32_MAX || !vec_reserve(&w->text, w->text.n + n + 1) ||
	    !vec_push(&w->at, w->text.n))
		return failed(w);
	memcpy(w->text.v + w->text.n, s, n);
	w->text.v[w->text.n + n] = 0;
	w->text.n += n + 1;
	w->slot[i] = (uint32_t)w->at.n - 1;
	return w->slot[i];
}
