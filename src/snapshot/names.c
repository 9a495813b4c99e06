/*
 * names.c - an arena for text and a hash of types, under one lock.
 *
 * Knows nothing of where names come from.  The array of types is reserved once, so that
 * readers need no lock: an entry is complete before its number is given out.
 */
#include "snapshot/names.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>

#define CHUNK_BYTES (64U << 10)
#define MAX_TYPES   (1U << 20)

struct chunk {
	struct chunk *next;
	size_t used, cap;
	char text[];
};

struct slot {
	struct snap_type_key key;
	uint32_t number;
	bool used;
};

struct snap_names {
	pthread_mutex_t lock;
	struct chunk *chunks;
	struct slot *tab;
	size_t n, cap;
};

struct err *snap_names_create(struct snap_names **ret)
{
	struct snap_names *n = zalloc(1, sizeof(*n));

	if (!n)
		return &err_nomem;
	n->cap = 4096;
	n->tab = zalloc(n->cap, sizeof(*n->tab));
	if (!n->tab) {
		free(n);
		return &err_nomem;
	}
	pthread_mutex_init(&n->lock, NULL);
	*ret = n;
	return NULL;
}

void snap_names_free(struct snap_names *n)
{
	if (!n)
		return;
	while (n->chunks) {
		struct chunk *c = n->chunks;

		n->chunks = c->next;
		free(c);
	}
	free(n->tab);
	pthread_mutex_destroy(&n->lock);
	free(n);
}

static char *text_locked(struct snap_names *n, const char *text)
{
	size_t len = strlen(text) + 1;
	struct chunk *c = n->chunks;
	char *p;

	if (!c || c->cap - c->used < len) {
		size_t cap = MAX(len, (size_t)CHUNK_BYTES);

		c = malloc(sizeof(*c) + cap);
		if (!c)
			return NULL;
		*c = (struct chunk){ .next = n->chunks, .cap = cap };
		n->chunks = c;
	}
	p = c->text + c->used;
	memcpy(p, text, len);
	c->used += len;
	return p;
}

const char *snap_text(struct snap_names *n, const char *text)
{
	char *p;

	pthread_mutex_lock(&n->lock);
	p = text_locked(n, text);
	pthread_mutex_unlock(&n->lock);
	return p;
}

const char *snap_textf(struct snap_names *n, const char *fmt, ...)
{
	char buf[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	return snap_text(n, buf);
}

const char *snap_place_name(struct snap_names *n, unsigned module, const char *section,
			    uint64_t off)
{
	if (module)
		return snap_textf(n, "module%u.%s+0x%" PRIx64, module, section, off);
	return snap_textf(n, "%s+0x%" PRIx64, section, off);
}

static struct slot *slot_of(const struct snap_names *n, struct snap_type_key k)
{
	uint64_t h = ((k.at >> 3) ^ (uint64_t)k.what << 40) * 0x9e3779b97f4a7c15ULL;
	size_t i = (size_t)(h >> 20) & (n->cap - 1);

	while (n->tab[i].used && (n->tab[i].key.at != k.at || n->tab[i].key.what != k.what))
		i = (i + 1) & (n->cap - 1);
	return &n->tab[i];
}

static bool grow(struct snap_names *n)
{
	struct slot *old = n->tab;
	size_t old_cap = n->cap;
	struct slot *tab = zalloc(old_cap * 2, sizeof(*tab));

	if (!tab)
		return false;
	n->tab = tab;
	n->cap = old_cap * 2;
	for (size_t i = 0; i < old_cap; i++) {
		if (old[i].used)
			*slot_of(n, old[i].key) = old[i];
	}
	free(old);
	return true;
}

/* Room for all types at once: untouched pages cost nothing, and the array never moves. */
static bool reserve(struct snapshot *s)
{
	if (s->types.cap)
		return true;
	if (!vec_reserve(&s->types, MAX_TYPES))
		return false;
	s->types.v[0] = (struct snap_type){ .kind = SNAP_TYPE_UNKNOWN, .name = "" };
	s->types.n = 1;
	return true;
}

static uint32_t add(struct snapshot *s, struct slot *e, const struct snap_type *t)
{
	if (!reserve(s) || s->types.n >= MAX_TYPES)
		return 0;
	e->number = (uint32_t)s->types.n;
	s->types.v[s->types.n] = *t;
	__atomic_store_n(&s->types.n, s->types.n + 1, __ATOMIC_RELEASE);
	return e->number;
}

uint32_t snap_type_number(struct snapshot *s, struct snap_type_key key,
			  bool (*make)(struct snapshot *s, struct snap_type_key key,
				       struct snap_type *ret))
{
	struct snap_names *n = s->names;
	struct snap_type t = { 0 };
	struct slot *e;
	uint32_t ret;
	bool found, made;

	pthread_mutex_lock(&n->lock);
	e = slot_of(n, key);
	found = e->used;
	ret = e->number;
	pthread_mutex_unlock(&n->lock);
	if (found)
		return ret;
	made = make(s, key, &t); /* reads the target: not under the lock */
	pthread_mutex_lock(&n->lock);
	e = slot_of(n, key);
	if (!e->used && (n->n * 2 < n->cap || grow(n))) {
		e = slot_of(n, key);
		*e = (struct slot){ .key = key, .used = true };
		n->n++;
		if (made && t.name)
			add(s, e, &t);
	}
	ret = e->used ? e->number : 0;
	pthread_mutex_unlock(&n->lock);
	return ret;
}

/* A total order, so that the result does not depend on which thread came first. */
static bool better(const struct snap_type *a, const struct snap_type *b)
{
	if (a->rank != b->rank)
		return a->rank > b->rank;
	if (a->bytes != b->bytes)
		return a->bytes > b->bytes;
	return strcmp(a->name, b->name) < 0;
}

void snap_type_set(struct snapshot *s, uint64_t id, uint32_t type)
{
	uint32_t old = __atomic_load_n(&s->type_of[id], __ATOMIC_ACQUIRE);

	while (type && type != old && (!old || better(&s->types.v[type], &s->types.v[old]))) {
		if (__atomic_compare_exchange_n(&s->type_of[id], &old, type, true, __ATOMIC_ACQ_REL,
						__ATOMIC_ACQUIRE))
			return;
	}
}
