/*
 * dump_names.c - the texts of a heap dump, each kept once.
 *
 * Ten thousand goroutines name the same twenty functions.  One hash table, chunks of text.
 */
#include "target/dump_read.h"

#define CHUNK_BYTES    65536U
#define NAME_MAX_BYTES 4096U

struct chunk {
	struct chunk *next;
	size_t used, cap;
	char text[];
};

struct dump_names {
	struct chunk *chunks;
	const char **tab; /* open addressing, cap is a power of two */
	size_t n, cap;
};

struct dump_names *dump_names_create(void)
{
	struct dump_names *n = zalloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->cap = 1024;
	n->tab = zalloc(n->cap, sizeof(*n->tab));
	if (!n->tab) {
		free(n);
		return NULL;
	}
	return n;
}

void dump_names_free(struct dump_names *n)
{
	if (!n)
		return;
	while (n->chunks) {
		struct chunk *c = n->chunks;

		n->chunks = c->next;
		free(c);
	}
	free(n->tab);
	free(n);
}

static uint64_t hash(const uint8_t *p, size_t n)
{
	uint64_t h = 14695981039346656037U;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 1099511628211U;
	return h ^ h >> 29;
}

static const char **slot_of(const struct dump_names *t, const uint8_t *p, size_t n)
{
	size_t i = (size_t)hash(p, n) & (t->cap - 1);

	while (t->tab[i] && (strlen(t->tab[i]) != n || memcmp(t->tab[i], p, n)))
		i = (i + 1) & (t->cap - 1);
	return &t->tab[i];
}

static bool grow(struct dump_names *t)
{
	const char **old = t->tab, **tab = zalloc(t->cap * 2, sizeof(*tab));
	size_t n = t->cap;

	if (!tab)
		return false;
	t->tab = tab;
	t->cap *= 2;
	for (size_t i = 0; i < n; i++)
		if (old[i])
			*slot_of(t, (const uint8_t *)old[i], strlen(old[i])) = old[i];
	free(old);
	return true;
}

static char *keep(struct dump_names *t, const uint8_t *p, size_t n)
{
	struct chunk *c = t->chunks;
	char *at;

	if (!c || c->cap - c->used < n + 1) {
		c = malloc(sizeof(*c) + CHUNK_BYTES);
		if (!c)
			return NULL;
		*c = (struct chunk){ .next = t->chunks, .cap = CHUNK_BYTES };
		t->chunks = c;
	}
	at = c->text + c->used;
	memcpy(at, p, n);
	at[n] = 0;
	c->used += n + 1;
	return at;
}

const char *dump_name(struct dump_names *t, const uint8_t *text, uint64_t nbytes)
{
	size_t n = strnlen((const char *)text, (size_t)MIN(nbytes, (uint64_t)NAME_MAX_BYTES));
	const char **slot;

	if (!n)
		return "";
	if (t->n * 2 >= t->cap && !grow(t))
		return NULL;
	slot = slot_of(t, text, n);
	if (!*slot) {
		*slot = keep(t, text, n);
		t->n += *slot != NULL;
	}
	return *slot;
}
