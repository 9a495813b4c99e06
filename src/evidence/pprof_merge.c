/*
 * pprof_merge.c - several profiles as one.
 *
 * What is equal becomes one: mappings by size and build (addresses are moved with them), functions
 * and lines by what they say, samples by stack and labels, whose values add up; what adds up to 0
 * is left out.  Cost: O(all samples); memory that of the result, 8 bytes a value.
 *
 * Source: profile/merge.go, internal/driver/fetch.go (combineProfiles) of google/pprof.
 */
#include "evidence/pprof_priv.h"
#include "evidence/pprof_unit.h"

#include "base/err.h"

struct merging {
	struct pprof *p;
	size_t ntypes;
	VEC(uint32_t) stack, set; /* of a sample */
	VEC(int64_t) values;	  /* ntypes a sample */
	struct idx samples;
};

/* One source on its way into the whole; arrays by its indices, + 1, 0: not there yet. */
struct source {
	const struct pprof *p;
	unsigned type[PPROF_TYPES_MAX]; /* of each type of the whole: its own */
	double scale[PPROF_TYPES_MAX];
	uint32_t *function, *location, *stack, *set, *mapping;
	int64_t *moved; /* mapping: what is added to its addresses */
};

static void source_deinit(struct source *s)
{
	free(s->function);
	free(s->location);
	free(s->stack);
	free(s->set);
	free(s->mapping);
	free(s->moved);
}

static void merging_deinit(struct merging *m)
{
	pprof_free(m->p);
	vec_free(&m->stack);
	vec_free(&m->set);
	vec_free(&m->values);
	idx_deinit(&m->samples);
}

static uint32_t copy_text(struct pprof *to, const struct pprof *from, uint32_t text)
{
	return pprof_add_text(to, pprof_text(from, text), pprof_text_len(from, text));
}

static bool same_text(const struct pprof *a, uint32_t x, const struct pprof *b, uint32_t y)
{
	return !strcmp(pprof_text(a, x), pprof_text(b, y));
}

static int find_type(const struct pprof *p, const struct pprof *of, uint32_t text)
{
	for (size_t i = 0; i < p->types.n; i++)
		if (same_text(p, p->types.v[i].type, of, text))
			return (int)i;
	return -1;
}

/* Kinds of values that all have, in the first one's order. */
static struct err *common_types(struct merging *m, struct pprof *const *src, size_t n)
{
	const struct pprof *first = src[0];

	for (size_t t = 0; t < first->types.n; t++) {
		size_t have = 0;

		while (have < n && find_type(src[have], first, first->types.v[t].type) >= 0)
			have++;
		if (have == n)
			pprof_add_type(m->p, pprof_text(first, first->types.v[t].type),
				       pprof_text(first, first->types.v[t].unit));
	}
	m->ntypes = m->p->types.n;
	if (!m->ntypes && !m->p->priv->bad)
		return err_unsupported("%.120s and the %zu other profiles count nothing that all "
				       "of them count",
				       first->name, n - 1);
	return NULL;
}

static struct err *head_of(struct merging *m, const struct pprof *s, bool *ret_same)
{
	struct pprof *p = m->p;

	*ret_same = same_text(p, p->period_type.type, s, s->period_type.type) &&
		    same_text(p, p->period_type.unit, s, s->period_type.unit);
	if (!p->time_ns || s->time_ns < p->time_ns)
		p->time_ns = s->time_ns;
	p->duration_ns = pprof_plus(p->duration_ns, s->duration_ns);
	p->period = MAX(p->period, s->period);
	if (!p->default_type && find_type(p, s, s->default_type) >= 0)
		p->default_type = copy_text(p, s, s->default_type);
	if (!p->doc_url)
		p->doc_url = copy_text(p, s, s->doc_url);
	if (s->damage)
		p->damage = s->damage;
	p->unnamed += s->unnamed;
	for (size_t i = 0; i < s->comments.n; i++) {
		uint32_t c = copy_text(p, s, s->comments.v[i]);
		bool known = false;

		for (size_t k = 0; k < p->comments.n; k++)
			known |= p->comments.v[k] == c;
		if (!known && !vec_push(&p->comments, c))
			return &err_nomem;
	}
	return NULL;
}

static struct err *heads(struct merging *m, struct pprof *const *src, size_t n)
{
	struct pprof *p = m->p;
	const struct pprof *first = src[0];
	struct err *err = common_types(m, src, n);
	bool same = true;

	p->form = first->form;
	p->drop_frames = copy_text(p, first, first->drop_frames);
	p->keep_frames = copy_text(p, first, first->keep_frames);
	p->period_type.type = copy_text(p, first, first->period_type.type);
	p->period_type.unit = copy_text(p, first, first->period_type.unit);
	for (size_t i = 0; i < n && !err; i++) {
		err = head_of(m, src[i], &same);
		if (!err && !same)
			err = err_unsupported("%.120s and %.120s cannot be added up: they are "
					      "samples of different things",
					      first->name, src[i]->name);
	}
	return err;
}

static struct err *begin(struct merging *m, const struct pprof *p, struct source *s)
{
	s->p = p;
	for (size_t t = 0; t < m->ntypes; t++) {
		const char *unit;
		int own = find_type(p, m->p, m->p->types.v[t].type);

		s->type[t] = (unsigned)MAX(own, 0);
		s->scale[t] = pprof_scale(1, pprof_text(p, p->types.v[s->type[t]].unit),
					  pprof_text(m->p, m->p->types.v[t].unit), &unit);
	}
	s->function = zalloc(p->functions.n, sizeof(*s->function));
	s->location = zalloc(p->locations.n, sizeof(*s->location));
	s->stack = zalloc(p->stacks.n, sizeof(*s->stack));
	s->set = zalloc(p->label_sets.n, sizeof(*s->set));
	s->mapping = zalloc(p->mappings.n, sizeof(*s->mapping));
	s->moved = zalloc(p->mappings.n, sizeof(*s->moved));
	return s->function && s->location && s->stack && s->set && s->mapping && s->moved
		       ? NULL
		       : &err_nomem;
}

/* profile/merge.go, Mapping.key(): by size, place in the file and what file it is. */
static uint64_t size_of(const struct pprof_mapping *m)
{
	return (m->limit - m->start + 0xfff) & ~(uint64_t)0xfff;
}

static bool same_mapping(const struct pprof *a, const struct pprof_mapping *x,
			 const struct pprof *b, const struct pprof_mapping *y)
{
	uint32_t i = x->build_id ? x->build_id : x->file, k = y->build_id ? y->build_id : y->file;

	return size_of(x) == size_of(y) && x->offset == y->offset && same_text(a, i, b, k);
}

static uint32_t map_mapping(struct merging *m, struct source *s, uint32_t i)
{
	const struct pprof_mapping *from;
	struct pprof_mapping own;
	uint32_t to = 0;

	if (i == PPROF_NONE)
		return PPROF_NONE;
	if (s->mapping[i])
		return s->mapping[i] - 1;
	from = &s->p->mappings.v[i];
	while (to < m->p->mappings.n && !same_mapping(m->p, &m->p->mappings.v[to], s->p, from))
		to++;
	if (to == m->p->mappings.n) {
		own = *from;
		own.id = to + 1;
		own.file = copy_text(m->p, s->p, from->file);
		own.build_id = copy_text(m->p, s->p, from->build_id);
		if (!vec_push(&m->p->mappings, own)) {
			m->p->priv->bad = true;
			return PPROF_NONE;
		}
	}
	s->moved[i] = (int64_t)(m->p->mappings.v[to].start - from->start);
	s->mapping[i] = to + 1;
	return to;
}

static uint32_t map_function(struct merging *m, struct source *s, uint32_t i)
{
	const struct pprof_function *from;
	uint32_t to;

	if (i == PPROF_NONE)
		return PPROF_NONE;
	if (s->function[i])
		return s->function[i] - 1;
	from = &s->p->functions.v[i];
	to = pprof_add_function_of(
		m->p,
		&(struct pprof_function){ .name = copy_text(m->p, s->p, from->name),
					  .system_name = copy_text(m->p, s->p, from->system_name),
					  .file = copy_text(m->p, s->p, from->file),
					  .start_line = from->start_line });
	s->function[i] = to + 1;
	return to;
}

static uint32_t map_location(struct merging *m, struct source *s, uint32_t i)
{
	const struct pprof_location *from = &s->p->locations.v[i];
	struct pprof_location own = *from;
	_cleanup_(freep) struct pprof_line *lines = NULL;

	if (s->location[i])
		return s->location[i] - 1;
	lines = malloc(MAX(from->nlines, 1U) * sizeof(*lines));
	if (!lines) {
		m->p->priv->bad = true;
		return 0;
	}
	own.mapping = map_mapping(m, s, from->mapping);
	if (own.mapping != PPROF_NONE)
		own.address += (uint64_t)s->moved[from->mapping];
	for (uint32_t k = 0; k < from->nlines; k++) {
		lines[k] = s->p->lines.v[from->first_line + k];
		lines[k].function = map_function(m, s, lines[k].function);
	}
	i = (uint32_t)(from - s->p->locations.v);
	s->location[i] = pprof_add_location_of(m->p, &own, lines) + 1;
	return s->location[i] - 1;
}

/* Parents have smaller numbers: theirs are known, or become so on the way down. */
static uint32_t map_stack(struct merging *m, struct source *s, uint32_t leaf)
{
	uint32_t frames[64], at = PPROF_NONE;

	while (leaf != PPROF_NONE && !s->stack[leaf]) {
		uint32_t i = leaf, n = 0;

		for (; i != PPROF_NONE && !s->stack[i]; i = s->p->stacks.v[i].parent)
			frames[n++ % ARRAY_LEN(frames)] = i;
		/* from the outermost that is not known; of very deep ones a part at a time */
		at = i == PPROF_NONE ? PPROF_NONE : s->stack[i] - 1;
		for (uint32_t k = 0; k < MIN(n, (uint32_t)ARRAY_LEN(frames)); k++) {
			uint32_t f = frames[(n - 1 - k) % ARRAY_LEN(frames)];
			uint32_t l = map_location(m, s, s->p->stacks.v[f].location);

			at = pprof_add_frame(m->p, at, l);
			s->stack[f] = at + 1;
		}
		if (m->p->priv->bad)
			return PPROF_NONE;
	}
	return leaf == PPROF_NONE ? PPROF_NONE : s->stack[leaf] - 1;
}

static uint32_t map_set(struct merging *m, struct source *s, const struct pprof_walk *w)
{
	size_t first = m->p->labels.n;

	if (s->set[w->label_set])
		return s->set[w->label_set] - 1;
	for (uint32_t i = 0; i < w->nlabels; i++) {
		struct pprof_label l = s->p->labels.v[w->first_label + i];

		l.key = copy_text(m->p, s->p, l.key);
		l.text = copy_text(m->p, s->p, l.text);
		l.unit = copy_text(m->p, s->p, l.unit);
		if (!vec_push(&m->p->labels, l))
			m->p->priv->bad = true;
	}
	s->set[w->label_set] = pprof_put_labels(m->p, first) + 1;
	return s->set[w->label_set] - 1;
}

static uint64_t sample_hash(const void *arg, uint32_t i)
{
	const struct merging *m = arg;

	return idx_mix(m->stack.v[i], m->set.v[i]);
}

struct sample_probe {
	const struct merging *m;
	uint32_t stack, set;
};

static bool sample_same(const void *arg, uint32_t i)
{
	const struct sample_probe *q = arg;

	return q->m->stack.v[i] == q->stack && q->m->set.v[i] == q->set;
}

/* The sums of such a sample; NULL: no memory. */
static int64_t *sums_of(struct merging *m, uint32_t stack, uint32_t set)
{
	struct sample_probe q = { m, stack, set };
	uint32_t *slot;

	if (!idx_room(&m->samples, sample_hash, m))
		return NULL;
	slot = idx_slot(&m->samples, idx_mix(stack, set), sample_same, &q);
	if (!*slot) {
		if (!vec_push(&m->stack, stack) || !vec_push(&m->set, set) ||
		    !vec_reserve(&m->values, m->values.n + m->ntypes))
			return NULL;
		memset(m->values.v + m->values.n, 0, m->ntypes * sizeof(*m->values.v));
		m->values.n += m->ntypes;
		*slot = ++m->samples.n;
	}
	return m->values.v + (size_t)(*slot - 1) * m->ntypes;
}

static int64_t scaled(int64_t v, double by)
{
	double x = (double)v * by;

	return by == 1 ? v : x > -0x1p63 && x < 0x1p63 ? (int64_t)(x < 0 ? x - 0.5 : x + 0.5) : v;
}

static bool add_sample(struct merging *m, struct source *s, const struct pprof_walk *w)
{
	int64_t v[PPROF_TYPES_MAX], *to, any = 0;

	for (size_t t = 0; t < m->ntypes; t++) {
		v[t] = scaled(w->values[s->type[t]], s->scale[t]);
		any |= v[t];
	}
	if (!any)
		return true;
	to = sums_of(m, map_stack(m, s, w->stack), map_set(m, s, w));
	for (size_t t = 0; to && t < m->ntypes; t++)
		to[t] = pprof_plus(to[t], v[t]);
	return to && !m->p->priv->bad;
}

static struct err *add(struct merging *m, const struct pprof *p)
{
	_cleanup_(source_deinit) struct source s = { 0 };
	struct pprof_walk w = { 0 };
	struct err *err = begin(m, p, &s);

	/* the first one is the program itself */
	if (!err && !m->p->mappings.n && p->mappings.n)
		map_mapping(m, &s, 0);
	while (!err && pprof_next(p, &w))
		if (!add_sample(m, &s, &w))
			err = &err_nomem;
	return err;
}

static struct err *finish(struct merging *m)
{
	for (size_t i = 0; i < m->stack.n; i++) {
		const int64_t *v = m->values.v + i * m->ntypes;
		int64_t any = 0;

		for (size_t t = 0; t < m->ntypes; t++)
			any |= v[t];
		if (any)
			pprof_put_sample(m->p, m->stack.v[i], m->set.v[i], v, m->ntypes);
	}
	pprof_settle(m->p);
	return pprof_made(m->p);
}

struct err *pprof_merge(struct pprof *const *src, size_t n, struct pprof **ret)
{
	_cleanup_(merging_deinit) struct merging m = { 0 };
	struct err *err;

	if (!n)
		return err_usage("no profiles to add up");
	err = pprof_create(src[0]->name, &m.p);
	if (!err)
		err = heads(&m, src, n);
	for (size_t i = 0; i < n && !err; i++)
		err = add(&m, src[i]);
	if (!err)
		err = finish(&m);
	if (err)
		return err;
	*ret = STEAL(m.p);
	return NULL;
}
