/*
 * prof_goroutine.c - the kinds goroutine and goroutineleak: stacks, how many stand there.
 *
 * Those of one stack and equal labels are one sample.  As runtime/pprof has it the runtime's own
 * are left out, and stacks end where its records do (mprof.go: StackRecord of 32, from Go 1.23 on
 * debug.profstackdepth).  Cost: O(goroutines log goroutines).
 */
#include "report/prof_priv.h"

#include "find/liveness.h"
#include "report/agg_labels.h"

enum { DEPTH_WAS = 32, DEPTH = 128 };

/* Goroutines that are one sample. */
struct like {
	uint32_t stack, labels;
	size_t first; /* one of them */
	int64_t n;
};

struct likes {
	VEC(struct like) v;
};

static uint32_t stack_of(struct prof *b, const struct go_goroutine *gr)
{
	const struct snapshot *s = b->agg->s;
	size_t depth = go_has(s->go->L->m_profStack) ? DEPTH : DEPTH_WAS, n = 0;
	taddr pcs[DEPTH], cut[DEPTH];

	for (size_t i = 0; i < gr->nframes && n < depth; i++) {
		const struct go_frame *f = &s->stacks.frames.v[gr->first_frame + i];

		if (!(f->flags & GO_FRAME_SYSTEM))
			pcs[n++] = go_frame_line_pc(f) + 1;
	}
	n = go_callers_expand(&b->callers, GO_CALLERS_UNWOUND, pcs, n, cut, depth);
	return prof_stack(b, GO_CALLERS_LISTED, cut, n);
}

static int by_likeness(const void *x, const void *y)
{
	const struct like *a = x, *b = y;

	if (a->stack != b->stack)
		return a->stack < b->stack ? -1 : 1;
	if (a->labels != b->labels)
		return a->labels < b->labels ? -1 : 1;
	return a->first < b->first ? -1 : a->first > b->first;
}

static int by_number(const void *x, const void *y)
{
	const struct like *a = x, *b = y;

	return a->n != b->n ? (a->n < b->n ? 1 : -1) : by_likeness(x, y);
}

static uint32_t labels_of(const struct snapshot *s, size_t i)
{
	return i < s->labels->ngoroutines ? s->labels->set_of[i] : SNAP_LABELS_NONE;
}

/* leaks: of which states; NULL: all goroutines. */
static struct err *collect(struct prof *b, const struct liveness *leaks, struct likes *to)
{
	const struct snapshot *s = b->agg->s;
	_cleanup_(freep) size_t *order = NULL, *first = NULL;
	size_t ngroups;
	struct err *err = agg_stack_groups(s, &order, &first, &ngroups);

	for (size_t k = 0; !err && k < ngroups; k++) {
		uint32_t stack = PPROF_NONE;
		bool known = false;

		for (size_t j = first[k]; j < first[k + 1]; j++) {
			const struct go_goroutine *gr = &s->stacks.gs.v[order[j]];

			if (gr->dead || gr->system ||
			    (leaks && leaks->state[order[j]] != LEAK_PROVED))
				continue;
			if (!known)
				stack = stack_of(b, gr);
			known = true;
			if (!vec_push(&to->v,
				      (struct like){ stack, labels_of(s, order[j]), order[j], 1 }))
				return &err_nomem;
		}
	}
	return err;
}

/* Equal ones become one. */
static void merge(struct likes *l)
{
	size_t n = 0;

	if (!l->v.n)
		return;
	qsort(l->v.v, l->v.n, sizeof(*l->v.v), by_likeness);
	for (size_t i = 1; i < l->v.n; i++)
		if (l->v.v[i].stack == l->v.v[n].stack && l->v.v[i].labels == l->v.v[n].labels)
			l->v.v[n].n++;
		else
			l->v.v[++n] = l->v.v[i];
	l->v.n = n + 1;
	qsort(l->v.v, l->v.n, sizeof(*l->v.v), by_number);
}

size_t prof_labels(struct prof *b, const struct ans_labels *have,
		   struct pprof_label ret[static PROF_LABELS])
{
	size_t n = 0;

	for (; have && n < have->n && n < PROF_LABELS; n++)
		ret[n] = (struct pprof_label){
			.key = pprof_add_word(b->p, have->v[n].key),
			.text = pprof_add_word(b->p, have->v[n].value ? have->v[n].value
								      : "\xe2\x80\xa6"),
		};
	return n;
}

static struct err *add_one(struct prof *b, const struct like *x)
{
	struct pprof_label labels[PROF_LABELS];
	const struct ans_labels *have = NULL;
	struct err *err = agg_labels_of(b->agg, x->first, &have);

	if (!err)
		pprof_add_sample(b->p, x->stack, &x->n, labels, prof_labels(b, have, labels));
	return err;
}

static struct err *make(struct prof *b, const char *name, const struct liveness *leaks)
{
	struct likes l = { 0 };
	struct err *err = snapshot_labels(b->agg->s);

	prof_count_types(b, name);
	if (!err)
		err = collect(b, leaks, &l);
	if (!err)
		merge(&l);
	for (size_t i = 0; i < l.v.n && !err; i++)
		err = add_one(b, &l.v.v[i]);
	vec_free(&l.v);
	return err;
}

struct err *prof_goroutine(struct prof *b)
{
	return make(b, "goroutine", NULL);
}

struct err *prof_goroutineleak(struct prof *b)
{
	_cleanup_(liveness_deinit) struct liveness v = { 0 };
	struct look l = agg_look(b->agg);
	struct err *err = liveness_create(&l, &v);

	if (err)
		return err;
	if (!v.known)
		return err_unsupported(
			"this evidence does not say what goroutines wait for: none can be proved leaked");
	if (v.weak)
		return err_unsupported("no goroutine can be proved leaked: %s", v.weak);
	return make(b, "goroutineleak", &v);
}
