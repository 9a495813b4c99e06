/*
 * pprof_build.c - a profile made piece by piece, each equal piece once.
 *
 * Works on a profile that was read as well: what it has is entered into the tables first.
 * Cost: one look into a hash table a piece; 5 to 8 bytes of table each.
 */
#include "evidence/pprof_priv.h"

#include <xxhash.h>

static void fail(struct pprof *p)
{
	p->priv->bad = true;
}

struct err *pprof_made(const struct pprof *p)
{
	return p->priv->bad ? &err_nomem : NULL;
}

/* Elements 0 .. n - 1 are there already: a table that is empty takes them in. */
static bool enter(struct idx *x, size_t n, idx_hash *hash, const void *arg)
{
	if (n >= UINT32_MAX - 1)
		return false;
	if (x->n != n || !x->slot) {
		x->n = (uint32_t)n;
		return idx_grow(x, hash, arg);
	}
	return idx_room(x, hash, arg);
}

struct probe {
	const struct pprof *p;
	const void *what;
	size_t n;
};

static uint64_t hash_bytes(const void *s, size_t n)
{
	return XXH3_64bits(s, n);
}

static uint64_t text_hash(const void *arg, uint32_t i)
{
	const struct pprof *p = arg;

	return hash_bytes(pprof_text(p, i), pprof_text_len(p, i));
}

static bool text_same(const void *arg, uint32_t i)
{
	const struct probe *q = arg;

	return pprof_text_len(q->p, i) == q->n && !memcmp(pprof_text(q->p, i), q->what, q->n);
}

uint32_t pprof_add_text(struct pprof *p, const char *s, size_t n)
{
	struct idx *x = &p->priv->text_idx;
	struct probe q = { p, s, n };
	uint32_t *slot, id;

	if (!n)
		return 0;
	if (!enter(x, p->priv->texts.n, text_hash, p)) {
		fail(p);
		return 0;
	}
	slot = idx_slot(x, hash_bytes(s, n), text_same, &q);
	if (*slot)
		return *slot - 1;
	id = pprof_put_text(p, s, n);
	if (id == PPROF_NONE)
		return 0;
	*slot = ++x->n;
	return id;
}

void pprof_add_type(struct pprof *p, const char *type, const char *unit)
{
	struct pprof_type t = { pprof_add_word(p, type), pprof_add_word(p, unit) };

	if (p->types.n >= PPROF_TYPES_MAX || p->nsamples || !vec_push(&p->types, t))
		fail(p);
}

static uint64_t mapping_hash_of(const struct pprof_mapping *m)
{
	uint64_t h = idx_mix(m->start, m->limit);

	return idx_mix(idx_mix(h, m->offset), ((uint64_t)m->file << 32) | m->build_id);
}

static uint64_t mapping_hash(const void *arg, uint32_t i)
{
	return mapping_hash_of(&((const struct pprof *)arg)->mappings.v[i]);
}

static bool mapping_same(const void *arg, uint32_t i)
{
	const struct probe *q = arg;
	const struct pprof_mapping *a = q->what, *b = &q->p->mappings.v[i];

	return a->start == b->start && a->limit == b->limit && a->offset == b->offset &&
	       a->file == b->file && a->build_id == b->build_id;
}

uint32_t pprof_add_mapping(struct pprof *p, const struct pprof_mapping *m)
{
	struct idx *x = &p->priv->mapping_idx;
	struct probe q = { p, m, 0 };
	struct pprof_mapping own = *m;
	uint32_t *slot;

	if (!enter(x, p->mappings.n, mapping_hash, p)) {
		fail(p);
		return PPROF_NONE;
	}
	slot = idx_slot(x, mapping_hash_of(m), mapping_same, &q);
	if (*slot)
		return *slot - 1;
	own.id = p->mappings.n + 1;
	if (!vec_push(&p->mappings, own)) {
		fail(p);
		return PPROF_NONE;
	}
	*slot = ++x->n;
	return x->n - 1;
}

static uint64_t function_hash_of(const struct pprof_function *f)
{
	uint64_t h = idx_mix(((uint64_t)f->name << 32) | f->file, f->system_name);

	return idx_mix(h, (uint64_t)f->start_line);
}

static uint64_t function_hash(const void *arg, uint32_t i)
{
	return function_hash_of(&((const struct pprof *)arg)->functions.v[i]);
}

static bool function_same(const void *arg, uint32_t i)
{
	const struct probe *q = arg;
	const struct pprof_function *a = q->what, *b = &q->p->functions.v[i];

	return a->name == b->name && a->system_name == b->system_name && a->file == b->file &&
	       a->start_line == b->start_line;
}

uint32_t pprof_add_function_of(struct pprof *p, const struct pprof_function *f)
{
	struct idx *x = &p->priv->function_idx;
	struct probe q = { p, f, 0 };
	struct pprof_function own = *f;
	uint32_t *slot;

	if (!enter(x, p->functions.n, function_hash, p)) {
		fail(p);
		return PPROF_NONE;
	}
	slot = idx_slot(x, function_hash_of(f), function_same, &q);
	if (*slot)
		return *slot - 1;
	own.id = p->functions.n + 1;
	if (!vec_push(&p->functions, own)) {
		fail(p);
		return PPROF_NONE;
	}
	*slot = ++x->n;
	return x->n - 1;
}

uint32_t pprof_add_function(struct pprof *p, const char *name, const char *file, int64_t start_line)
{
	uint32_t id = pprof_add_word(p, name);

	return pprof_add_function_of(p, &(struct pprof_function){ .name = id,
								  .system_name = id,
								  .file = pprof_add_word(p, file),
								  .start_line = start_line });
}

struct location_probe {
	const struct pprof *p;
	uint64_t address;
	uint32_t mapping;
	bool folded;
	const struct pprof_line *lines;
	size_t n;
};

static uint64_t location_hash_of(const struct location_probe *l)
{
	uint64_t h = idx_mix(l->address, ((uint64_t)l->mapping << 8) | l->folded);

	for (size_t i = 0; i < l->n; i++)
		h = idx_mix(h ^ l->lines[i].function,
			    (uint64_t)l->lines[i].line ^ ((uint64_t)l->lines[i].column << 40));
	return h;
}

static struct location_probe as_probe(const struct pprof *p, uint32_t i)
{
	const struct pprof_location *l = &p->locations.v[i];

	return (struct location_probe){ p,
					l->address,
					l->mapping,
					l->folded,
					l->nlines ? p->lines.v + l->first_line : NULL,
					l->nlines };
}

static uint64_t location_hash(const void *arg, uint32_t i)
{
	struct location_probe l = as_probe(arg, i);

	return location_hash_of(&l);
}

static bool location_same(const void *arg, uint32_t i)
{
	const struct location_probe *a = arg;
	struct location_probe b = as_probe(a->p, i);

	if (a->address != b.address || a->mapping != b.mapping || a->folded != b.folded ||
	    a->n != b.n)
		return false;
	for (size_t k = 0; k < a->n; k++)
		if (a->lines[k].function != b.lines[k].function ||
		    a->lines[k].line != b.lines[k].line || a->lines[k].column != b.lines[k].column)
			return false;
	return true;
}

uint32_t pprof_put_location(struct pprof *p, const struct pprof_location *l,
			    const struct pprof_line *lines)
{
	struct pprof_location own = *l;
	size_t had = p->lines.n;

	own.id = p->locations.n + 1;
	own.first_line = (uint32_t)had;
	for (size_t i = 0; i < l->nlines; i++)
		if (!vec_push(&p->lines, lines[i]))
			break;
	if (p->lines.n != had + l->nlines || p->lines.n >= UINT32_MAX ||
	    !vec_push(&p->locations, own)) {
		p->lines.n = had;
		fail(p);
		return PPROF_NONE;
	}
	return (uint32_t)p->locations.n - 1;
}

uint32_t pprof_add_location_of(struct pprof *p, const struct pprof_location *l,
			       const struct pprof_line *lines)
{
	struct idx *x = &p->priv->location_idx;
	struct location_probe q = { p, l->address, l->mapping, l->folded, lines, l->nlines };
	uint32_t *slot;

	if (!enter(x, p->locations.n, location_hash, p)) {
		fail(p);
		return PPROF_NONE;
	}
	slot = idx_slot(x, location_hash_of(&q), location_same, &q);
	if (*slot)
		return *slot - 1;
	if (pprof_put_location(p, l, lines) == PPROF_NONE)
		return PPROF_NONE;
	*slot = ++x->n;
	return x->n - 1;
}

uint32_t pprof_add_location(struct pprof *p, uint32_t mapping, uint64_t address,
			    const struct pprof_line *lines, size_t n)
{
	return pprof_add_location_of(p,
				     &(struct pprof_location){ .address = address,
							       .mapping = mapping,
							       .nlines = (uint32_t)n },
				     lines);
}

static uint64_t stack_hash(const void *arg, uint32_t i)
{
	const struct pprof_stack *s = &((const struct pprof *)arg)->stacks.v[i];

	return idx_mix(s->parent, s->location);
}

struct stack_probe {
	const struct pprof_stack *all;
	struct pprof_stack s;
};

static bool stack_same(const void *arg, uint32_t i)
{
	const struct stack_probe *q = arg;

	return q->all[i].parent == q->s.parent && q->all[i].location == q->s.location;
}

uint32_t pprof_add_frame(struct pprof *p, uint32_t parent, uint32_t location)
{
	struct idx *x = &p->priv->stack_idx;
	struct stack_probe q = { p->stacks.v, { parent, location } };
	uint32_t *slot;

	if (!enter(x, p->stacks.n, stack_hash, p)) {
		fail(p);
		return parent;
	}
	slot = idx_slot(x, idx_mix(parent, location), stack_same, &q);
	if (*slot)
		return *slot - 1;
	if (!vec_push(&p->stacks, q.s)) {
		fail(p);
		return parent;
	}
	*slot = ++x->n;
	return x->n - 1;
}

uint32_t pprof_add_stack(struct pprof *p, const uint32_t *locations, size_t n)
{
	uint32_t at = PPROF_NONE;

	for (size_t i = n; i-- > 0;)
		at = pprof_add_frame(p, at, locations[i]);
	return at;
}

/* An array that is empty has no place. */
static const struct pprof_label *labels_at(const struct pprof *p, size_t i)
{
	return p->labels.n ? p->labels.v + i : NULL;
}

static uint64_t labels_hash_of(const struct pprof_label *l, size_t n)
{
	uint64_t h = n;

	for (size_t i = 0; i < n; i++) {
		h = idx_mix(h, ((uint64_t)l[i].key << 32) | l[i].text);
		h = idx_mix(h ^ l[i].unit, (uint64_t)l[i].num);
	}
	return h;
}

static uint64_t set_hash(const void *arg, uint32_t i)
{
	const struct pprof *p = arg;
	const struct pprof_labels *s = &p->label_sets.v[i];

	return labels_hash_of(labels_at(p, s->first), s->n);
}

static bool set_same(const void *arg, uint32_t i)
{
	const struct probe *q = arg;
	const struct pprof_labels *s = &q->p->label_sets.v[i];
	const struct pprof_label *a = labels_at(q->p, s->first), *b = q->what;

	if (s->n != q->n)
		return false;
	for (size_t k = 0; k < s->n; k++)
		if (a[k].key != b[k].key || a[k].text != b[k].text || a[k].num != b[k].num ||
		    a[k].unit != b[k].unit)
			return false;
	return true;
}

uint32_t pprof_put_labels(struct pprof *p, size_t first)
{
	struct idx *x = &p->priv->set_idx;
	struct pprof_labels s = { (uint32_t)first, (uint32_t)(p->labels.n - first) };
	struct probe q = { p, labels_at(p, first), s.n };
	uint32_t *slot;

	if (!s.n)
		return 0;
	if (p->labels.n >= UINT32_MAX || !enter(x, p->label_sets.n, set_hash, p)) {
		fail(p);
		p->labels.n = first;
		return 0;
	}
	slot = idx_slot(x, labels_hash_of(q.what, q.n), set_same, &q);
	if (*slot) {
		p->labels.n = first;
		return *slot - 1;
	}
	if (!vec_push(&p->label_sets, s)) {
		fail(p);
		return 0;
	}
	*slot = ++x->n;
	return x->n - 1;
}

void pprof_add_sample(struct pprof *p, uint32_t stack, const int64_t *values,
		      const struct pprof_label *labels, size_t nlabels)
{
	size_t first = p->labels.n;

	for (size_t i = 0; i < nlabels; i++)
		if (!vec_push(&p->labels, labels[i]))
			fail(p);
	pprof_put_sample(p, stack, pprof_put_labels(p, first), values, p->types.n);
}
