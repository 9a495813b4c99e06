/*
 * agg_variable.c - a global, or the locals of a goroutine's frames, with all below them.
 *
 * Types come from s->vars; a variable without one shows its pointers.
 */
#include "report/agg_labels.h"
#include "report/agg_value.h"

enum { WORDS_MAX = 1 << 16 };

static const struct go_type *var_type(const struct agg *a, const struct snap_var *x)
{
	return go_type_at(a->s->rtypes, x->rtype);
}

static const char *var_from(const struct snap_var *x)
{
	return x->rank >= SNAP_RANK_HEADER ? "debug information" : "the code that uses it";
}

static struct err *put_global(struct value_tree *v, const struct snap_root *r, const char *what,
			      struct ans_object *o)
{
	const struct snap_var *best = NULL;

	for (size_t i = 0; i < v->a->s->vars.n; i++) {
		const struct snap_var *x = &v->a->s->vars.v[i];

		if (x->frame != UINT32_MAX || x->at < r->addr || x->at - r->addr > r->bytes)
			continue;
		if (x->name && !strcmp(x->name, what))
			best = x;
		else if (!best && x->at == r->addr)
			best = x;
	}
	o->addr = best ? best->at : r->addr;
	o->bytes = r->bytes;
	v->base = o->addr;
	v->follow[v->nfollow++] = (struct value_follow){ .at = o->addr, .object = GO_NO_OBJECT };
	if (best && var_type(v->a, best)) {
		o->type = var_type(v->a, best)->name;
		o->type_from = var_from(best);
		o->bytes = var_type(v->a, best)->bytes;
		value_put(v, var_type(v->a, best), best->at, (struct value_label){ 0, "" });
	} else {
		value_put_words(v, r->addr, MIN(r->bytes, (uint64_t)WORDS_MAX));
	}
	return v->err;
}

static void put_locals(struct value_tree *v, uint32_t frame)
{
	const struct snapshot *s = v->a->s;

	for (size_t i = 0; i < s->vars.n; i++) {
		const struct snap_var *x = &s->vars.v[i];
		const struct go_type *t = var_type(v->a, x);

		if (x->frame != frame || !t)
			continue;
		v->base = s->stacks.frames.v[frame].sp;
		value_put(v, t, x->at,
			  (struct value_label){ ANS_LABEL_FIELD, x->name ? x->name : "?" });
	}
}

/* One frame; what the runtime's own hold is named, and not followed: it is the scheduler's. */
static bool put_frame(struct value_tree *v, uint32_t frame, const char *function)
{
	const struct agg_object_opts *opts = v->opts;
	struct agg_object_opts flat = *opts;
	struct ans_value *n;

	n = value_node(v, NULL, 0,
		       (struct value_label){ ANS_LABEL_WORD,
					     keepf(&v->a->keep, "frame of %s", function) });
	if (!n)
		return false;
	n->offset = 0;
	n->kind = GO_STRUCT;
	n->text = "";
	flat.depth = 0;
	if (!strncmp(function, "runtime.", 8))
		v->opts = &flat;
	v->depth++;
	put_locals(v, frame);
	v->depth--;
	v->opts = opts;
	return true;
}

static struct err *put_goroutine(struct value_tree *v, const struct snap_root *r,
				 struct ans_object *o)
{
	const struct snapshot *s = v->a->s;
	const struct go_goroutine *g;
	struct go_line line;

	if (r->goroutine >= s->stacks.gs.n)
		return NULL;
	g = &s->stacks.gs.v[r->goroutine];
	o->bytes = g->stack_hi - g->stack_lo;
	v->follow[v->nfollow++] = (struct value_follow){ .at = r->addr, .object = GO_NO_OBJECT };
	for (size_t i = g->first_frame; i < g->first_frame + g->nframes; i++) {
		const struct go_frame *f = &s->stacks.frames.v[i];

		if (!go_lines_at(s->go, go_frame_line_pc(f), &line, 1) || !line.function)
			continue;
		if (!put_frame(v, (uint32_t)i, line.function))
			break;
	}
	return v->err;
}

struct err *agg_variable(struct agg *a, gnode node, const char *what,
			 const struct agg_object_opts *opts, struct ans_object *o)
{
	const struct snap_root *r;
	_cleanup_(value_tree_deinit) struct value_tree v = { 0 };
	struct err *err;

	if (!node || node > a->s->roots.n)
		return err_usage("%.200s: neither an object nor a variable", what);
	r = &a->s->roots.v[node - 1];
	err = value_tree_init(&v, a, opts, o);
	if (err)
		return err;
	o->addr = o->asked = r->addr;
	o->name = r->name ? r->name : "";
	o->retained = a->g->retained ? a->g->retained[node] : ANS_UNKNOWN;
	o->allocated = o->reached = true;
	o->no_marks = true;
	o->type_from = "unknown";
	if (r->kind == SNAP_ROOT_GLOBAL) {
		o->what = "global";
		return put_global(&v, r, what, o);
	}
	if (r->kind != SNAP_ROOT_GOROUTINE)
		return err_usage("%.200s: a root of the runtime; `limpet why` takes it", what);
	o->what = "goroutine";
	err = agg_labels_of(a, r->goroutine, &o->labels);
	return err ? err : put_goroutine(&v, r, o);
}
