/*
 * pprof_read_finish.c - a profile that was read to its end: whole, cut or none.
 *
 * Elements are put into the order in which the file tells of them, and everything that refers to
 * something else is checked once.  In a file that is cut, what lies behind the cut has no name; in
 * one that is whole that is damage.  Cost: O(n), an array of numbers a kind.
 */
#include "evidence/pprof_reader.h"

#include "base/err.h"

#include <inttypes.h>
#include <stdio.h>

enum { DROP_FROM = 32 << 20 }; /* bytes of texts before the first is dropped */

static struct err *bad(const struct pprof_reader *r, const char *why)
{
	return err_bad_data("%.200s: not a profile, or a damaged one: %s, at byte %" PRIu64,
			    r->p->name, why, r->wrong_at);
}

/* Which texts something but a label speaks of, by now. */
static bool mark_needed(struct pprof_reader *r)
{
	const struct pprof *p = r->p;
	uint32_t top = 0;

	for (unsigned pass = 0; pass < 2; pass++) {
		if (pass && !(r->needed = zalloc((size_t)top + 1, 1)))
			return pprof_short(r);
#define NEED(x)                                                                                    \
	do {                                                                                       \
		uint32_t need_ = (x);                                                              \
		if (need_ == PPROF_NONE)                                                           \
			break;                                                                     \
		if (pass)                                                                          \
			r->needed[need_] = 1;                                                      \
		else                                                                               \
			top = MAX(top, need_);                                                     \
	} while (0)
		for (size_t i = 0; i < p->types.n; i++) {
			NEED(p->types.v[i].type);
			NEED(p->types.v[i].unit);
		}
		for (size_t i = 0; i < p->functions.n; i++) {
			NEED(p->functions.v[i].name);
			NEED(p->functions.v[i].system_name);
			NEED(p->functions.v[i].file);
		}
		for (size_t i = 0; i < p->mappings.n; i++) {
			NEED(p->mappings.v[i].file);
			NEED(p->mappings.v[i].build_id);
		}
#undef NEED
		/* a number that no table of texts in memory can have: nothing is dropped */
		if (top > 1U << 30)
			return true;
	}
	r->needed_n = (size_t)top + 1;
	return true;
}

/*
 * Where labels are not kept their texts are not either, once there are many: writers put texts
 * last.
 */
static bool droppable(struct pprof_reader *r, size_t id)
{
	const struct pprof_priv *v = r->p->priv;

	if (r->keep == PPROF_KEEP_ALL || !r->p->nsamples || !r->p->functions.n ||
	    ((v->chunks.n - 1) << PPROF_CHUNK_BITS) < DROP_FROM)
		return false;
	if (!r->needed && !mark_needed(r))
		return false;
	return r->needed_n && (id >= r->needed_n || !r->needed[id]);
}

bool pprof_read_text(struct pprof_reader *r, const uint8_t *s, size_t n)
{
	struct pprof_priv *v = r->p->priv;

	if (n > PPROF_TEXT_MAX)
		return pprof_wrong(r, "a text of more than 16 MiB");
	if (!r->texts_begun) { /* the empty one is there already */
		r->texts_begun = true;
		return !n || pprof_wrong(r, "a first text that is not empty");
	}
	if (droppable(r, v->texts.n))
		return vec_push(&v->texts, v->texts.v[0]) || pprof_short(r);
	return pprof_put_text(r->p, (const char *)s, n) != PPROF_NONE;
}

/* to[i]: the place of element i in the file's order; those that it does not tell of go last. */
static uint32_t *new_places(const struct ids *x, size_t n)
{
	uint32_t *to = malloc(MAX(n, (size_t)1) * sizeof(*to)), next = 0;

	if (!to)
		return NULL;
	for (size_t i = 0; i < x->order.n; i++)
		to[x->order.v[i]] = next++;
	for (size_t i = 0; i < n; i++)
		if (!x->told.v[i])
			to[i] = next++;
	return to;
}

#define REORDER(array, to)                                                                         \
	__extension__({                                                                            \
		__typeof__((array)->v) _old = (array)->v;                                          \
		size_t _n = (array)->n;                                                            \
		(array)->v = malloc(MAX(_n, (size_t)1) * sizeof(*_old));                           \
		if ((array)->v) {                                                                  \
			for (size_t _i = 0; _i < _n; _i++)                                         \
				(array)->v[(to)[_i]] = _old[_i];                                   \
			(array)->cap = MAX(_n, (size_t)1);                                         \
			free(_old);                                                                \
		} else {                                                                           \
			(array)->v = _old;                                                         \
			r->nomem = true;                                                           \
		}                                                                                  \
	})

static struct err *reorder(struct pprof_reader *r)
{
	struct pprof *p = r->p;
	_cleanup_(freep) uint32_t *l = new_places(&r->locations, p->locations.n);
	_cleanup_(freep) uint32_t *f = new_places(&r->functions, p->functions.n);
	_cleanup_(freep) uint32_t *m = new_places(&r->mappings, p->mappings.n);

	if (!l || !f || !m)
		return &err_nomem;
	for (size_t i = 0; i < p->stacks.n; i++)
		p->stacks.v[i].location = l[p->stacks.v[i].location];
	for (size_t i = 0; i < p->lines.n; i++)
		if (p->lines.v[i].function != PPROF_NONE)
			p->lines.v[i].function = f[p->lines.v[i].function];
	for (size_t i = 0; i < p->locations.n; i++)
		if (p->locations.v[i].mapping != PPROF_NONE)
			p->locations.v[i].mapping = m[p->locations.v[i].mapping];
	REORDER(&p->locations, l);
	REORDER(&p->functions, f);
	REORDER(&p->mappings, m);
	return r->nomem ? &err_nomem : NULL;
}

/* What refers to a text that is not there speaks of none; how often that was. */
static uint64_t check_texts(struct pprof *p)
{
	size_t n = p->priv->texts.n;
	uint64_t lost = 0;

#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if ((x) >= n) {                                                                    \
			(x) = 0;                                                                   \
			lost++;                                                                    \
		}                                                                                  \
	} while (0)
	for (size_t i = 0; i < p->types.n; i++) {
		CHECK(p->types.v[i].type);
		CHECK(p->types.v[i].unit);
	}
	for (size_t i = 0; i < p->functions.n; i++) {
		CHECK(p->functions.v[i].name);
		CHECK(p->functions.v[i].system_name);
		CHECK(p->functions.v[i].file);
	}
	for (size_t i = 0; i < p->mappings.n; i++) {
		CHECK(p->mappings.v[i].file);
		CHECK(p->mappings.v[i].build_id);
	}
	for (size_t i = 0; i < p->labels.n; i++) {
		CHECK(p->labels.v[i].key);
		CHECK(p->labels.v[i].text);
		CHECK(p->labels.v[i].unit);
	}
	for (size_t i = 0; i < p->comments.n; i++)
		CHECK(p->comments.v[i]);
	CHECK(p->period_type.type);
	CHECK(p->period_type.unit);
	CHECK(p->default_type);
	CHECK(p->drop_frames);
	CHECK(p->keep_frames);
	CHECK(p->doc_url);
#undef CHECK
	return lost;
}

static bool has_name(const struct pprof *p, const struct pprof_location *l)
{
	for (uint32_t i = 0; i < l->nlines; i++) {
		uint32_t f = p->lines.v[l->first_line + i].function;

		if (f != PPROF_NONE && p->functions.v[f].name)
			return true;
	}
	return false;
}

static uint64_t untold(const struct ids *x)
{
	return x->told.n - x->order.n;
}

/* Its values without their kinds: nothing could be said of them. */
static struct err *check_values(const struct pprof_reader *r)
{
	const struct pprof *p = r->p;

	if (!p->nsamples || r->nvalues == p->types.n || r->keep == PPROF_KEEP_HEADS)
		return NULL;
	return err_bad_data("%.200s: damaged: samples of %zu values, of which %zu are explained",
			    p->name, r->nvalues, p->types.n);
}

static struct err *check_refs(struct pprof_reader *r, uint64_t lost)
{
	struct pprof *p = r->p;

	/* a mapping that is not there is none: pprof takes it so, too */
	p->mappings.n = r->mappings.order.n;
	for (size_t i = 0; i < p->locations.n; i++)
		if (p->locations.v[i].mapping >= p->mappings.n)
			p->locations.v[i].mapping = PPROF_NONE;
	/* texts stand last: a cut between two fields shows in what is spoken of and not there */
	if (lost && !p->damage)
		p->damage = "cut short, or texts are missing";
	for (size_t i = 0; p->damage && i < p->locations.n; i++)
		p->unnamed += !has_name(p, &p->locations.v[i]);
	if (p->damage)
		return NULL;
	if (untold(&r->locations))
		return bad(r, "a sample speaks of a location that is not there");
	if (untold(&r->functions))
		return bad(r, "a location speaks of a function that is not there");
	return NULL;
}

struct err *pprof_read_finish(struct pprof_reader *r)
{
	const char *damage = input_damage(r->in);
	struct pprof *p = r->p;
	struct err *err;

	if (r->nomem || p->priv->bad)
		return &err_nomem;
	if (r->wrong && !damage && !strcmp(r->wrong, "cut short"))
		damage = r->wrong;
	if ((r->wrong && !damage) || !p->types.n)
		return bad(r, r->wrong ? r->wrong : damage ? damage : "it counts nothing");
	p->damage = damage;
	err = check_values(r);
	if (!err)
		err = reorder(r);
	return err ? err : check_refs(r, check_texts(p));
}
