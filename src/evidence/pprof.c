/*
 * pprof.c - a profile's memory: texts in chunks, samples packed, walked in their order.
 *
 * Knows no file format.  A sample costs its values as varints, and two more for its stack, counted
 * from the one before, and its labels.
 */
#include "evidence/pprof_priv.h"

#include "base/err.h"

#include <stdio.h>

enum { VARINT_MAX = 10, CHUNK = 1 << PPROF_CHUNK_BITS, SMALL_CHUNK = 64 << 10 };

struct err *pprof_create(const char *name, struct pprof **ret)
{
	_cleanup_(pprof_freep) struct pprof *p = zalloc(1, sizeof(*p));

	if (!p)
		return &err_nomem;
	p->priv = zalloc(1, sizeof(*p->priv));
	p->name = strdup(name);
	if (!p->priv || !p->name || !vec_push(&p->label_sets, (struct pprof_labels){ 0 }) ||
	    pprof_put_text(p, "", 0) == PPROF_NONE)
		return &err_nomem;
	*ret = STEAL(p);
	return NULL;
}

static void free_priv(struct pprof_priv *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->chunks.n; i++)
		free(v->chunks.v[i]);
	vec_free(&v->chunks);
	vec_free(&v->texts);
	vec_free(&v->packed);
	idx_deinit(&v->text_idx);
	idx_deinit(&v->function_idx);
	idx_deinit(&v->location_idx);
	idx_deinit(&v->stack_idx);
	idx_deinit(&v->mapping_idx);
	idx_deinit(&v->set_idx);
	free(v);
}

void pprof_free(struct pprof *p)
{
	if (!p)
		return;
	free_priv(p->priv);
	vec_free(&p->types);
	vec_free(&p->comments);
	vec_free(&p->mappings);
	vec_free(&p->functions);
	vec_free(&p->lines);
	vec_free(&p->locations);
	vec_free(&p->stacks);
	vec_free(&p->labels);
	vec_free(&p->label_sets);
	vec_free(&p->memstats);
	vec_free(&p->pauses.ns);
	vec_free(&p->pause_ends.ns);
	free(p->name);
	free(p);
}

void pprof_settle(struct pprof *p)
{
	idx_deinit(&p->priv->text_idx);
	idx_deinit(&p->priv->function_idx);
	idx_deinit(&p->priv->location_idx);
	idx_deinit(&p->priv->stack_idx);
	idx_deinit(&p->priv->mapping_idx);
	idx_deinit(&p->priv->set_idx);
}

/* Small profiles get a small chunk, and only the first one is. */
static bool text_room(struct pprof_priv *v, size_t need)
{
	size_t bytes = v->chunks.n || need > SMALL_CHUNK ? CHUNK : SMALL_CHUNK;
	char *c;

	if (v->chunks.n && need <= v->chunk_bytes - v->chunk_used)
		return true;
	if (v->chunks.n >= 1U << (34 - PPROF_CHUNK_BITS))
		return false;
	c = malloc(bytes);
	if (!c || !vec_push(&v->chunks, c)) {
		free(c);
		return false;
	}
	v->chunk_used = 0;
	v->chunk_bytes = bytes;
	return true;
}

uint32_t pprof_put_text(struct pprof *p, const char *s, size_t n)
{
	struct pprof_priv *v = p->priv;
	uint32_t len = (uint32_t)n;
	size_t need = (sizeof(len) + n + 1 + 3) & ~(size_t)3;
	uint64_t place;
	char *to;

	if (n > PPROF_TEXT_MAX || v->texts.n >= UINT32_MAX - 1 || !text_room(v, need)) {
		v->bad = true;
		return PPROF_NONE;
	}
	place = ((uint64_t)(v->chunks.n - 1) << PPROF_CHUNK_BITS) + v->chunk_used;
	if (!vec_push(&v->texts, (uint32_t)(place / 4))) {
		v->bad = true;
		return PPROF_NONE;
	}
	to = v->chunks.v[v->chunks.n - 1] + v->chunk_used;
	memcpy(to, &len, sizeof(len));
	if (n)
		memcpy(to + sizeof(len), s, n);
	to[sizeof(len) + n] = 0;
	v->chunk_used += need;
	return (uint32_t)v->texts.n - 1;
}

static const char *text_at(const struct pprof_priv *v, uint32_t id)
{
	uint64_t place = (uint64_t)v->texts.v[id < v->texts.n ? id : 0] * 4;

	return v->chunks.v[place >> PPROF_CHUNK_BITS] + (place & (CHUNK - 1));
}

const char *pprof_text(const struct pprof *p, uint32_t id)
{
	return text_at(p->priv, id) + sizeof(uint32_t);
}

size_t pprof_text_len(const struct pprof *p, uint32_t id)
{
	uint32_t len;

	memcpy(&len, text_at(p->priv, id), sizeof(len));
	return len;
}

static size_t put_varint(uint8_t *to, uint64_t x)
{
	size_t n = 0;

	for (; x >= 0x80; x >>= 7)
		to[n++] = (uint8_t)(x | 0x80);
	to[n++] = (uint8_t)x;
	return n;
}

void pprof_put_sample(struct pprof *p, uint32_t stack, uint32_t set, const int64_t *values,
		      size_t n)
{
	struct pprof_priv *v = p->priv;
	uint8_t *to;

	if (!vec_reserve(&v->packed, v->packed.n + (n + 2) * VARINT_MAX)) {
		v->bad = true;
		return;
	}
	to = v->packed.v + v->packed.n;
	to += put_varint(to, pprof_zigzag((int64_t)stack - (int64_t)v->last_stack));
	to += put_varint(to, set);
	for (size_t i = 0; i < n; i++)
		to += put_varint(to, pprof_zigzag(values[i]));
	v->packed.n = (size_t)(to - v->packed.v);
	v->last_stack = stack;
	p->nsamples++;
}

static uint64_t get_varint(const uint8_t *from, size_t *at)
{
	uint64_t x = 0;

	for (unsigned shift = 0;; shift += 7) {
		uint8_t b = from[(*at)++];

		x |= (uint64_t)(b & 0x7f) << shift;
		if (b < 0x80)
			return x;
	}
}

bool pprof_next(const struct pprof *p, struct pprof_walk *w)
{
	const struct pprof_priv *v = p->priv;

	if (w->at >= v->packed.n)
		return false;
	w->i = w->at ? w->i + 1 : 0;
	if (!w->at)
		w->stack = 0;
	w->stack = (uint32_t)((int64_t)w->stack + pprof_unzigzag(get_varint(v->packed.v, &w->at)));
	w->label_set = (uint32_t)get_varint(v->packed.v, &w->at);
	w->first_label = p->label_sets.v[w->label_set].first;
	w->nlabels = p->label_sets.v[w->label_set].n;
	for (size_t i = 0; i < p->types.n; i++)
		w->values[i] = pprof_unzigzag(get_varint(v->packed.v, &w->at));
	return true;
}

static struct err *no_such_value(const struct pprof *p, const char *word)
{
	char all[256] = "";
	size_t n = 0;

	for (size_t i = 0; i < p->types.n && n < sizeof(all); i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%.40s", i ? ", " : "",
				      pprof_text(p, p->types.v[i].type));
	return err_usage("--value %.60s: %.120s has no such values; it has: %s", word, p->name,
			 all);
}

/* google/pprof, profile/index.go, SampleIndexByName. */
struct err *pprof_value_index(const struct pprof *p, const char *word, unsigned *ret)
{
	const char *want = word ? word : pprof_text(p, p->default_type), *old = want;
	char *end;
	unsigned long n;

	if (!p->types.n)
		return err_bad_data("%.200s: a profile without values", p->name);
	n = strtoul(want, &end, 10);
	if (word && *word >= '0' && *word <= '9' && !*end && n < p->types.n) {
		*ret = (unsigned)n;
		return NULL;
	}
	if (word && !strncmp(word, "inuse_", 6))
		old = word + 6; /* early ones have "space" */
	for (unsigned i = 0; i < p->types.n && *want; i++) {
		const char *t = pprof_text(p, p->types.v[i].type);

		if (!strcmp(t, want) || !strcmp(t, old)) {
			*ret = i;
			return NULL;
		}
	}
	if (word)
		return no_such_value(p, word);
	*ret = (unsigned)p->types.n - 1;
	return NULL;
}
