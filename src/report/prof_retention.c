/*
 * prof_retention.c - the kind retention: who holds the memory, as a profile.
 *
 * A stack is the way down the dominator tree by kinds of places: a root, then of each object the
 * field that leads to it and its type.  Its value is what lies there itself; so each byte counts
 * once and the sum is what is reachable.  What a map or channel is made of counts as the map.
 *
 * What only goroutines of equal labels reach carries these, as rows of `top --by label` have it.
 *
 * Bounded, and what the bounds did is told in the profile's comments:
 *   a place that is on its way already (a list's next, a tree's left) is the same frame
 *   ways beyond FRAMES_MAX and STACKS_MAX end at the last frame that they have
 *
 * Cost: one pass over the tree, a hash of distinct ways.
 */
#include "report/agg_groups.h"
#include "report/agg_labels.h"
#include "report/objwalk.h"
#include "report/prof_priv.h"

#include <stdio.h>

enum { FRAMES_MAX = 64, STACKS_MAX = 1 << 18, STEPS_MAX = STACKS_MAX * 8 };

/* Where a step leads: from a way (a key's a) to the next by a place (b) and a type (c). */
struct step {
	uint32_t to;   /* stack */
	uint32_t fold; /* enum fold */
};

/* Why a way ends at a frame that it has already. */
enum fold { FOLD_NONE, FOLD_AGAIN, FOLD_DEEP, FOLD_MANY, FOLDS };

struct sum {
	uint64_t objects, bytes;
};

struct retention {
	struct prof *b;
	struct agg *a;
	struct agg_dom d;
	struct agg_groups gs;
	struct prof_keys keys;
	VEC(struct step) steps; /* by key */
	size_t nstacks;
	VEC(uint32_t) path; /* stacks from the root down to the node at hand */
	VEC(struct sum) sums; /* by stack: of what has no labels */
	struct prof_keys labelled; /* stack, group of labels */
	VEC(struct sum) labelled_sums; /* by key */
	struct agg_label_groups labels;
	uint32_t *label_of; /* by node: their group; NULL: there are no labels */
	uint64_t folds[FOLDS]; /* objects */
	uint32_t shared;       /* stack of what several roots hold; PPROF_NONE: none yet */
	bool bad;
};

static uint32_t location_of(struct retention *r, const char *name)
{
	char shown[1024];
	struct pprof_line l = {
		.function = pprof_add_function(r->b->p, prof_safe_name(name, shown, sizeof(shown)),
					       "", 0),
	};

	return pprof_add_location(r->b->p, PPROF_NONE, 0, &l, 1);
}

/* A frame below another; one that is on the way already is that one. */
static uint32_t frame_below(struct retention *r, uint32_t from, uint32_t location, enum fold *ret)
{
	const struct pprof *p = r->b->p;
	unsigned depth = 0;

	*ret = FOLD_NONE;
	for (uint32_t s = from; s != PPROF_NONE && s < p->stacks.n; s = p->stacks.v[s].parent) {
		if (p->stacks.v[s].location == location) {
			*ret = FOLD_AGAIN;
			return s;
		}
		depth++;
	}
	if (depth >= FRAMES_MAX || r->nstacks >= STACKS_MAX) {
		*ret = depth >= FRAMES_MAX ? FOLD_DEEP : FOLD_MANY;
		return from;
	}
	r->nstacks++;
	return pprof_add_frame(r->b->p, from, location);
}

/* "main.Session.buf []uint8"; right below a root the type alone, for its name is the frame above.
 */
static uint32_t object_location(struct retention *r, gnode up, uint64_t id)
{
	char type[256], name[1024];
	const char *t = snapshot_type_name(r->a->s, id, type, sizeof(type));
	uint32_t group = r->gs.group[id];

	if (!graph_is_object(r->d.g, up) || group >= r->gs.n)
		return location_of(r, t);
	snprintf(name, sizeof(name), "%s %s", r->gs.names[group], t);
	return location_of(r, name);
}

static uint32_t type_key(const struct snapshot *s, uint64_t id)
{
	uint32_t t = s->type_of ? s->type_of[id] : 0;

	return t ? t : 1U << 31 | go_heap_span_of(&s->heap, id)->spanclass;
}

static uint32_t object_stack(struct retention *r, gnode up, uint32_t from, uint64_t id)
{
	uint32_t k, to;
	enum fold why;

	k = prof_key(&r->keys, from, r->gs.group[id], type_key(r->a->s, id));
	if (k >= PROF_KEY_FULL) {
		r->bad = k == PROF_KEY_NOMEM;
		r->folds[FOLD_MANY]++;
		return from;
	}
	if (k < r->steps.n) {
		r->folds[r->steps.v[k].fold]++;
		return r->steps.v[k].to;
	}
	to = frame_below(r, from, object_location(r, up, id), &why);
	r->folds[why]++;
	if (!vec_push(&r->steps, (struct step){ to, why }))
		r->bad = true;
	return to;
}

/* What a container is made of is the container. */
static bool is_part(const struct snapshot *s, uint64_t id)
{
	uint32_t t = s->type_of ? s->type_of[id] : 0;

	return t && t < s->types.n && s->types.v[t].kind == SNAP_TYPE_PART;
}

static const char *root_name(struct retention *r, uint32_t i)
{
	const struct snap_root *root = &r->a->s->roots.v[i];

	switch (root->kind) {
	case SNAP_ROOT_GOROUTINE:
		if (root->goroutine >= r->a->s->stacks.gs.n)
			return "goroutines";
		return keepf(&r->a->keep, "goroutines of %s",
			     agg_goroutine_function(r->a, root->goroutine));
	case SNAP_ROOT_FINALIZER:
		return "finalizers";
	case SNAP_ROOT_CLEANUP:
		return "cleanups";
	case SNAP_ROOT_WEAK:
		return "weak pointers";
	default:
		return objnames_root(r->a, i);
	}
}

static uint32_t stack_of(struct retention *r, gnode v)
{
	uint32_t from = r->path.n ? r->path.v[r->path.n - 1] : PPROF_NONE;
	gnode up = r->d.g->idom[v];

	if (!graph_is_object(r->d.g, v))
		return pprof_add_frame(r->b->p, PPROF_NONE, location_of(r, root_name(r, v - 1)));
	if (!up || up == GRAPH_NONE) {
		if (r->shared == PPROF_NONE)
			r->shared = pprof_add_frame(r->b->p, PPROF_NONE,
						    location_of(r, "(held by several roots)"));
		from = r->shared;
	} else if (graph_is_object(r->d.g, up) && is_part(r->a->s, graph_object(r->d.g, v))) {
		return from;
	}
	return object_stack(r, up, from, graph_object(r->d.g, v));
}

static struct sum *sum_with_labels(struct retention *r, uint32_t stack, uint32_t group)
{
	uint32_t k = prof_key(&r->labelled, stack, group, 0);

	if (k == PROF_KEY_NOMEM ||
	    (k == r->labelled_sums.n && !vec_push(&r->labelled_sums, (struct sum){ 0 })))
		return NULL;
	return &r->labelled_sums.v[k];
}

static struct sum *sum_of(struct retention *r, uint32_t stack, gnode v)
{
	uint32_t group = r->label_of ? r->label_of[v] : SNAP_LABELS_NONE;

	if (group >= SNAP_LABELS_FIRST && group < r->labels.n)
		return sum_with_labels(r, stack, group);
	while (r->sums.n <= stack)
		if (!vec_push(&r->sums, (struct sum){ 0 }))
			return NULL;
	return &r->sums.v[stack];
}

static struct err *enter(void *arg, gnode v)
{
	struct retention *r = arg;
	uint32_t stack = stack_of(r, v);
	struct sum *sum;

	if (r->bad || stack == PPROF_NONE || !vec_push(&r->path, stack))
		return &err_nomem;
	if (!graph_is_object(r->d.g, v))
		return NULL;
	sum = sum_of(r, stack, v);
	if (!sum)
		return &err_nomem;
	sum->objects++;
	sum->bytes += graph_shallow(r->a->g, v);
	return NULL;
}

static void leave(void *arg, gnode v)
{
	struct retention *r = arg;

	(void)v;
	r->path.n--;
}

static void add_samples(struct retention *r)
{
	struct pprof_label labels[PROF_LABELS];

	for (uint32_t i = 0; i < r->sums.n; i++) {
		int64_t values[2] = { (int64_t)r->sums.v[i].objects, (int64_t)r->sums.v[i].bytes };

		if (values[0])
			pprof_add_sample(r->b->p, i, values, NULL, 0);
	}
	for (size_t i = 0; i < r->labelled_sums.n; i++) {
		const struct prof_key *k = &r->labelled.v.v[i];
		const struct sum *x = &r->labelled_sums.v[i];
		int64_t values[2] = { (int64_t)x->objects, (int64_t)x->bytes };
		size_t n = prof_labels(r->b, r->labels.labels[k->b], labels);

		pprof_add_sample(r->b->p, k->a, values, labels, n);
	}
}

/* Nothing where nobody carries labels, or the evidence has none. */
static struct err *find_labels(struct retention *r)
{
	bool any;
	struct err *err = agg_labels_any(r->a, &any);

	if (!err && any)
		err = agg_label_groups_make(r->a, NULL, &r->labels);
	if (!err && any)
		err = agg_label_nodes(r->a, &r->labels, r->d.g, &r->label_of);
	return err;
}

static struct err *comment(struct retention *r, const char *text)
{
	return vec_push(&r->b->p->comments, pprof_add_word(r->b->p, text)) ? NULL : &err_nomem;
}

static struct err *add_comments(struct retention *r, const char *tree)
{
	const uint64_t *f = r->folds;
	char text[256];
	struct err *err;

	snprintf(text, sizeof(text), "limpet: retention by %s; each reachable byte counts once",
		 tree);
	err = comment(r, text);
	if (!err && (f[FOLD_AGAIN] || f[FOLD_DEEP] || f[FOLD_MANY])) {
		snprintf(text, sizeof(text),
			 "folded objects: %" PRIu64 " at a frame that is on their way already, "
			 "%" PRIu64 " deeper than %d frames, %" PRIu64 " beyond %d ways",
			 f[FOLD_AGAIN], f[FOLD_DEEP], FRAMES_MAX, f[FOLD_MANY], STACKS_MAX);
		err = comment(r, text);
	}
	return err;
}

static struct err *choose_tree(struct retention *r, struct top_ask *q)
{
	bool owner = r->a->trees == AGG_TREE_OWNER;
	struct err *err = owner ? agg_owner(r->a) : agg_dominators(r->a);

	if (err)
		return err;
	q->exact = agg_dom_of(r->a, AGG_TREE_EXACT);
	if (owner)
		q->owner = agg_dom_of(r->a, AGG_TREE_OWNER);
	q->tree = owner ? AGG_TREE_OWNER : AGG_TREE_EXACT;
	r->d = owner ? q->owner : q->exact;
	return agg_groups_field(r->a, q, &r->gs);
}

struct err *prof_retention(struct prof *b)
{
	struct retention r = {
		.b = b, .a = b->agg, .shared = PPROF_NONE, .keys = { .most = STEPS_MAX }
	};
	struct top_ask q = { 0 };
	struct err *err = choose_tree(&r, &q);

	prof_space_types(b);
	if (!err)
		err = find_labels(&r);
	if (!err)
		err = agg_dom_walk(&r.d, enter, leave, &r);
	if (!err) {
		add_samples(&r);
		err = add_comments(&r, q.tree == AGG_TREE_OWNER ? "owners" : "dominators");
	}
	agg_groups_deinit(&r.gs);
	prof_keys_deinit(&r.keys);
	vec_free(&r.steps);
	vec_free(&r.path);
	vec_free(&r.sums);
	prof_keys_deinit(&r.labelled);
	vec_free(&r.labelled_sums);
	agg_label_groups_deinit(&r.labels);
	free(r.label_of);
	return err ? err : keep_err(&b->agg->keep);
}
