/*
 * agg_focus.c - `top --focus` and `--ignore`: a dominator tree of which only some objects count.
 *
 * An object's line in a tree is its dominators from the root down to itself.  --focus keeps
 * objects with a name in their line that matches, --ignore drops those that have one: names of
 * roots and of types, as the tables show them.  Sizes of what is not kept are 0, so that all rows
 * are made as ever. Each name is matched once.  O(n), 8 bytes and a bit a node and 12 a level of
 * the tree.
 */
#include "report/agg_focus.h"

#include <regex.h>
#include <stdio.h>

enum { PATTERN_MAX = 256, NAME_MAX_BYTES = 512, SPAN_CLASSES = 256 };

struct patterns {
	regex_t focus, ignore;
	unsigned have; /* AGG_WANTED, AGG_UNWANTED: which of them there are */
};

static struct err *compile(const char *option, const char *text, regex_t *ret)
{
	char why[120];
	int bad;

	if (strlen(text) > PATTERN_MAX)
		return err_usage("%s: longer than %d bytes", option, PATTERN_MAX);
	bad = regcomp(ret, text, REG_EXTENDED | REG_NOSUB);
	if (!bad)
		return NULL;
	regerror(bad, ret, why, sizeof(why));
	return err_usage("%s %.100s: %s; want an extended regular expression", option, text, why);
}

static void patterns_deinit(struct patterns *p)
{
	if (p->have & AGG_WANTED)
		regfree(&p->focus);
	if (p->have & AGG_UNWANTED)
		regfree(&p->ignore);
}

static struct err *patterns_init(struct patterns *p, const char *focus, const char *ignore)
{
	struct err *err = focus ? compile("--focus", focus, &p->focus) : NULL;

	p->have |= focus && !err ? AGG_WANTED : 0;
	if (!err && ignore) {
		err = compile("--ignore", ignore, &p->ignore);
		p->have |= err ? 0 : AGG_UNWANTED;
	}
	return err;
}

struct err *agg_focus_check(const char *focus, const char *ignore)
{
	struct patterns p = { 0 };
	struct err *err = patterns_init(&p, focus, ignore);

	patterns_deinit(&p);
	return err;
}

/* A name may be the target's: no longer than is needed. */
static uint8_t match(const struct patterns *p, const char *name)
{
	char buf[NAME_MAX_BYTES];
	uint8_t m = 0;

	snprintf(buf, sizeof(buf), "%s", name ? name : "");
	if ((p->have & AGG_WANTED) && !regexec(&p->focus, buf, 0, NULL, 0))
		m |= AGG_WANTED;
	if ((p->have & AGG_UNWANTED) && !regexec(&p->ignore, buf, 0, NULL, 0))
		m |= AGG_UNWANTED;
	return m;
}

/* What each name says, by node. */
struct judge {
	const struct snapshot *s;
	uint8_t *type, *root;
	uint8_t span[SPAN_CLASSES];
};

static struct err *judge_init(struct judge *j, struct agg *a, const struct patterns *p)
{
	const struct snapshot *s = a->s;
	char buf[128];

	j->s = s;
	j->type = zalloc(s->types.n + 1, 1);
	j->root = zalloc(s->roots.n + 1, 1);
	if (!j->type || !j->root)
		return &err_nomem;
	for (size_t i = 1; i < s->types.n; i++)
		j->type[i] = match(p, s->types.v[i].name);
	for (size_t i = 0; i < s->roots.n; i++)
		j->root[i] = match(p, s->roots.v[i].name);
	for (size_t i = 0; i < s->heap.spans.n; i++) {
		const struct go_span *sp = &s->heap.spans.v[i];

		snprintf(buf, sizeof(buf), "~%" PRIu64 " B %s", sp->elem_bytes,
			 sp->noscan ? "noscan" : "scan");
		j->span[sp->spanclass] = match(p, buf);
	}
	return NULL;
}

static uint8_t judge(const struct judge *j, const struct graph *g, gnode v)
{
	uint64_t id = graph_object(g, v);
	uint32_t t;

	if (!graph_is_object(g, v))
		return v ? j->root[v - 1] : 0;
	t = j->s->type_of && j->s->type_of[id] < j->s->types.n ? j->s->type_of[id] : 0;
	if (t)
		return j->type[t];
	return j->span[go_heap_span_of(&j->s->heap, id)->spanclass];
}

struct filter {
	const struct judge *j;
	const struct top_ask *q;
	const struct agg_dom *from;
	uint64_t *retained, *kept;
	VEC(uint8_t) lines; /* by level: what names from the root to there say */
};

static struct err *enter(void *arg, gnode v)
{
	struct filter *f = arg;
	const struct graph *g = f->from->g;
	uint8_t line = judge(f->j, g, v);

	if (f->lines.n)
		line |= f->lines.v[f->lines.n - 1];
	if (graph_is_object(g, v) && agg_focus_keeps(f->q, line)) {
		f->kept[v >> 6] |= 1ULL << (v & 63);
		f->retained[v] = graph_shallow(g, v);
	}
	return vec_push(&f->lines, line) ? NULL : &err_nomem;
}

static void leave(void *arg, gnode v)
{
	struct filter *f = arg;

	f->retained[f->from->g->idom[v]] += f->retained[v];
	f->lines.n--;
}

void agg_focus_deinit(struct agg_focus *x)
{
	bigfree(x->retained, x->n, sizeof(*x->retained));
	bigfree(x->kept, (x->n + 63) / 64, sizeof(*x->kept));
	free(x->objects);
	*x = (struct agg_focus){ 0 };
}

static struct err *filter(struct agg_dom *d, const struct judge *j, const struct top_ask *q,
			  struct agg_focus *x)
{
	struct filter f = { .j = j, .q = q, .from = d };
	struct err *err;

	x->n = d->g->n;
	f.retained = x->retained = bigalloc(x->n, sizeof(*x->retained));
	f.kept = x->kept = bigalloc((x->n + 63) / 64, sizeof(*x->kept));
	if (!x->retained || !x->kept)
		return &err_nomem;
	err = agg_dom_walk(d, enter, leave, &f);
	vec_free(&f.lines);
	if (err)
		return err;
	d->retained = x->retained;
	d->kept = x->kept;
	d->objects = NULL;
	err = agg_dom_count(d);
	x->objects = d->objects;
	return err;
}

struct err *agg_focus(struct agg *a, struct top_ask *q, struct agg_focus *exact,
		      struct agg_focus *owner)
{
	struct patterns p = { 0 };
	struct judge j = { 0 };
	struct err *err = patterns_init(&p, q->focus, q->ignore);

	if (!err)
		err = judge_init(&j, a, &p);
	if (!err)
		err = filter(&q->exact, &j, q, exact);
	if (!err && q->owner.g)
		err = filter(&q->owner, &j, q, owner);
	free(j.type);
	free(j.root);
	patterns_deinit(&p);
	return err;
}

struct err *agg_focus_names(const struct top_ask *q, size_t n,
			    const char *(*name)(const void *arg, size_t i, unsigned k),
			    const void *arg, uint8_t *ret)
{
	struct patterns p = { 0 };
	struct err *err = patterns_init(&p, q->focus, q->ignore);

	for (size_t i = 0; i < n && !err; i++) {
		const char *one;

		ret[i] = 0;
		for (unsigned k = 0; (one = name(arg, i, k)); k++)
			ret[i] |= match(&p, one);
	}
	patterns_deinit(&p);
	return err;
}
