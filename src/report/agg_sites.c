/*
 * agg_sites.c - the rows of `top --by site`: which functions allocated what is alive.
 *
 * The figures of `go tool pprof -top -inuse_space` on the program's own heap profile, made as
 * it makes them, from the samples that are reachable: what a collection would leave.  Retained
 * bytes come from the dominator tree, and are those of the sampled objects.
 * Sources: runtime/pprof/protomem.go; google/pprof internal/graph, internal/symbolizer.
 * Cost: O(samples + frames of all stacks); for retained bytes a way up the tree from each
 * sample, at most one walk of it all, 4 bytes a slot that is sampled or passed.
 */
#include "report/agg_sites.h"

#include "report/agg_focus.h"
#include "report/agg_top.h"

/* Rows by frame, and what is counted in them; made for one table. */
struct table {
	struct agg *a;
	const struct snap_sites *x;
	const struct top_ask *q;
	uint32_t *row_of; /* by frame */
	VEC(struct ans_row) rows;
	uint8_t *says;	 /* by frame: what its names are to --focus and --ignore; NULL: neither is
			    there */
	uint32_t *seen;	 /* by row: site + 1 that was counted last: recursion counts once */
	uint64_t *alive; /* by site: samples */
	uint64_t *best;	 /* by row: flat of the heaviest frame in it */
};

static void table_deinit(struct table *t)
{
	free(t->row_of);
	free(t->says);
	vec_free(&t->rows);
	free(t->seen);
	free(t->alive);
	free(t->best);
}

static uint64_t scaled(double n, double scale)
{
	double x = n * scale;

	return x >= 9e18 ? (uint64_t)9e18 : (uint64_t)x;
}

/* internal/symbolizer/symbolizer.go, removeMatching */
static void remove_matching(char *name, char open, char close)
{
	size_t n = 0, first = 0;
	unsigned depth = 0;
	bool off = false;

	for (size_t i = 0; name[i]; i++) {
		char c = name[i];

		if (!off && c == open && depth++ == 0)
			first = n;
		name[n++] = c;
		if (off || c != close)
			continue;
		off = !depth; /* a mismatch: the rest stays */
		if (depth && --depth == 0)
			n = first;
	}
	name[n] = 0;
}

/* internal/symbolizer/symbolizer.go, demangleSingleFunction: what pprof prints for a name of Go. */
static const char *pprof_name(struct agg *a, const char *name)
{
	char buf[4096];

	if (!*name)
		return "<unknown>";
	if (strstr(name, ".<") || strstr(name, "]).") || strlen(name) >= sizeof(buf) ||
	    (!strpbrk(name, "<>[]") && !strstr(name, "::")))
		return name;
	strcpy(buf, name);
	remove_matching(buf, '(', ')');
	remove_matching(buf, '<', '>');
	return strcmp(buf, name) ? keepf(&a->keep, "%s", buf) : name;
}

struct named {
	const char *name;
	uint32_t frame;
};

static int by_name(const void *x, const void *y)
{
	const struct named *a = x, *b = y;
	int c = strcmp(a->name, b->name);

	return c ? c : (a->frame > b->frame) - (a->frame < b->frame);
}

static const char *row_name(struct table *t, const struct snap_frame *f)
{
	const char *function = pprof_name(t->a, f->function);

	if (t->q->lines && f->line)
		return keepf(&t->a->keep, "%s %s:%d", function, f->file, f->line);
	return function;
}

/* Frames of one name are one row. */
static struct err *make_rows(struct table *t)
{
	size_t n = t->x->frames.n;
	_cleanup_(freep) struct named *v = zalloc(n, sizeof(*v));

	t->row_of = zalloc(n, sizeof(*t->row_of));
	if (!v || !t->row_of)
		return &err_nomem;
	for (size_t i = 0; i < n; i++)
		v[i] = (struct named){ row_name(t, &t->x->frames.v[i]), (uint32_t)i };
	if (n)
		qsort(v, n, sizeof(*v), by_name);
	for (size_t i = 0; i < n; i++) {
		struct ans_row r = { .name = v[i].name, .biggest = GRAPH_NONE };

		if ((!i || strcmp(v[i].name, v[i - 1].name)) && !vec_push(&t->rows, r))
			return &err_nomem;
		t->row_of[v[i].frame] = (uint32_t)t->rows.n - 1;
	}
	t->seen = zalloc(t->rows.n, sizeof(*t->seen));
	t->best = zalloc(t->rows.n, sizeof(*t->best));
	t->alive = zalloc(t->x->sites.n, sizeof(*t->alive));
	return t->seen && t->best && t->alive ? keep_err(&t->a->keep) : &err_nomem;
}

static const char *frame_name(const void *arg, size_t i, unsigned k)
{
	const struct snap_sites *x = arg;

	return k == 0 ? x->frames.v[i].function : k == 1 ? x->frames.v[i].file : NULL;
}

/* internal/driver/driver_focus.go: a sample is matched by functions and files of its stack. */
static struct err *ask_frames(struct table *t)
{
	if (!t->q->focus && !t->q->ignore)
		return NULL;
	t->says = zalloc(t->x->frames.n, 1);
	if (!t->says)
		return &err_nomem;
	return agg_focus_names(t->q, t->x->frames.n, frame_name, t->x, t->says);
}

/* Has it a frame that a reader of profiles sees, and is it in focus? */
static bool is_shown(const struct table *t, const struct snap_site *s)
{
	uint8_t says = 0;

	for (uint32_t k = s->hidden; t->says && k < s->n; k++)
		says |= t->says[t->x->stack.v[s->first + k]];
	return s->hidden < s->n && (!t->says || agg_focus_keeps(t->q, says));
}

static bool is_alive(const struct agg *a, const struct snap_sample *m)
{
	return graph_reached(a->g, graph_node_of_object(a->g, m->object));
}

static uint32_t leaf_row(const struct table *t, const struct snap_site *s)
{
	return t->row_of[t->x->stack.v[s->first + s->hidden]];
}

/* The leaf's own: flat figures. */
static void count_leaf(struct table *t, size_t i)
{
	const struct snap_site *s = &t->x->sites.v[i];
	const struct snap_frame *f = snap_site_frame(t->x, s, s->hidden);
	double scale = go_profile_scale(s->bytes, t->x->rate);
	uint32_t k = leaf_row(t, s);
	struct ans_row *r = &t->rows.v[k];
	uint64_t flat = scaled((double)(t->alive[i] * s->bytes), scale);

	r->objects += scaled((double)t->alive[i], scale);
	r->shallow += flat;
	r->site.sampled += t->alive[i];
	r->site.alloc_objects += scaled((double)s->allocs, scale);
	r->site.alloc_bytes += scaled((double)s->allocs * (double)s->bytes, scale);
	if (!r->site.file || flat > t->best[k]) {
		r->site.file = f->file;
		r->site.line = f->line;
		t->best[k] = flat;
	}
}

static void count_site(struct table *t, size_t i, struct ans_row_site *sum)
{
	const struct snap_site *s = &t->x->sites.v[i];
	uint64_t bytes =
		scaled((double)(t->alive[i] * s->bytes), go_profile_scale(s->bytes, t->x->rate));

	if (s->hidden >= s->n)
		return;
	sum->sampled += t->alive[i];
	sum->cum += bytes;
	if (!is_shown(t, s))
		return;
	count_leaf(t, i);
	for (uint32_t k = s->hidden; k < s->n; k++) {
		uint32_t row = t->row_of[t->x->stack.v[s->first + k]];

		if (t->seen[row] == i + 1)
			continue;
		t->seen[row] = (uint32_t)i + 1;
		t->rows.v[row].site.cum += bytes;
	}
}

/* Through a tree: of samples of one row, those below no other of it count. */
struct walk {
	struct table *t;
	const struct agg_dom *d; /* the tree */
	bool owner;		 /* it is the owner's */
	uint32_t *row;		 /* by object: 1 + row; bigalloc'd */
	uint32_t *open;		 /* by row: samples among the ancestors */
	VEC(struct level) st;
};

static uint32_t row_at(const struct walk *w, gnode v)
{
	const struct graph *g = w->d->g;

	return graph_is_object(g, v) ? w->row[graph_object(g, v)] : 0;
}

/* A sampled object that no other of its row retains. */
static void count_top(struct walk *w, uint32_t k, gnode v)
{
	const struct agg *a = w->t->a;
	const struct snap_site *s = snap_site_of(w->t->x, graph_object(a->g, v));
	struct ans_row *r = &w->t->rows.v[k - 1];

	if (w->owner) {
		r->owner_retained += w->d->retained[v];
		return;
	}
	r->retained += a->g->retained[v];
	r->site.retained_guess += scaled((double)a->g->retained[v],
					 go_profile_scale(s ? s->bytes : 0, w->t->x->rate));
	if (r->biggest == GRAPH_NONE || a->g->retained[v] > a->g->retained[r->biggest])
		r->biggest = v;
}

/* Is it below another of its row?  *budget: steps up the tree that may be taken. */
static bool is_nested(const struct walk *w, uint32_t k, gnode v, uint64_t *budget)
{
	const struct graph *g = w->d->g;

	for (v = g->idom[v]; graph_is_object(g, v) && *budget; v = g->idom[v], --*budget)
		if (row_at(w, v) == k)
			return true;
	return false;
}

/* Row + 1 of sample i, of each object once; 0: it is not alive. */
static uint32_t row_of_sample(const struct walk *w, size_t i)
{
	const struct snap_sample *m = &w->t->x->samples.v[i];

	if ((i && m[-1].object == m->object) || !is_alive(w->t->a, m))
		return 0;
	return w->row[m->object];
}

/*
 * From each sample up, which is cheaper than the whole tree unless that is very deep; false:
 * it is, and nothing is counted.
 */
static bool climb(struct walk *w)
{
	const struct snap_sites *x = w->t->x;
	const struct agg *a = w->t->a;
	uint64_t budget = 1 + a->s->heap.nobjects / 2, any = UINT64_MAX;

	for (size_t i = 0; i < x->samples.n && budget; i++) {
		uint32_t k = row_of_sample(w, i);

		if (k)
			is_nested(w, k, graph_node_of_object(a->g, x->samples.v[i].object),
				  &budget);
	}
	for (size_t i = 0; i < x->samples.n && budget; i++) {
		gnode v = graph_node_of_object(a->g, x->samples.v[i].object);
		uint32_t k = row_of_sample(w, i);

		if (k && is_nested(w, k, v, &any))
			w->t->rows.v[k - 1].site.nested |= !w->owner;
		else if (k)
			count_top(w, k, v);
	}
	return budget != 0;
}

static struct err *enter(void *arg, gnode v)
{
	struct walk *w = arg;
	uint32_t k = row_at(w, v);

	if (k && w->open[k - 1]++)
		w->t->rows.v[k - 1].site.nested |= !w->owner;
	else if (k)
		count_top(w, k, v);
	return NULL;
}

static void leave(void *arg, gnode v)
{
	struct walk *w = arg;
	uint32_t k = row_at(w, v);

	if (k)
		w->open[k - 1]--;
}

static struct err *add_retained(struct table *t, const struct agg_dom *d)
{
	struct walk w = { .t = t, .d = d, .owner = d == &t->q->owner };
	uint64_t n = t->a->s->heap.nobjects;
	struct err *err = NULL;

	w.row = bigalloc(n, sizeof(*w.row));
	w.open = zalloc(t->rows.n, sizeof(*w.open));
	if (!w.row || !w.open)
		err = &err_nomem;
	for (size_t i = 0; i < t->x->samples.n && !err; i++) {
		const struct snap_sample *m = &t->x->samples.v[i];
		const struct snap_site *s = &t->x->sites.v[m->site];

		if (!w.row[m->object] && is_shown(t, s))
			w.row[m->object] = 1 + leaf_row(t, s);
	}
	if (!err && !climb(&w))
		err = agg_dom_walk(d, enter, leave, &w);
	free(w.open);
	if (w.row)
		bigfree(w.row, n, sizeof(*w.row));
	return err;
}

static const char *state_words(const struct snap_sites *x)
{
	switch (x->state) {
	case GO_PROFILING_UNLINKED:
		return "memory profiling is off in this program: nothing in it reads the profile, so the "
		       "linker left it out (import net/http/pprof or runtime/pprof to have it)";
	case GO_PROFILING_OFF:
		return "memory profiling is off in this program: runtime.MemProfileRate is 0";
	case GO_PROFILING_UNKNOWN:
		return "the runtime's memory profile was not found in this program";
	default:
		return "";
	}
}

void agg_profile(const struct snap_sites *x, struct ans_profile *ret)
{
	*ret = (struct ans_profile){
		.known = true,
		.on = x->state == GO_PROFILING_ON,
		.why = state_words(x),
		.rate = x->rate ? x->rate : ANS_UNKNOWN,
		.rate_assumed = x->rate_assumed,
		.stacks = x->sites.n,
		.samples = x->samples.n,
	};
	if (x->state == GO_PROFILING_OFF || x->state == GO_PROFILING_UNLINKED)
		ret->rate = 0;
}

static struct err *push_rows(struct table *t, struct ans_top *top)
{
	bool ever = t->q->sort == TOP_SORT_ALLOC;

	for (size_t i = 0; i < t->rows.n; i++) {
		struct ans_row *r = &t->rows.v[i];

		if (r->site.nested)
			r->site.retained_guess = ANS_UNKNOWN;
		else
			r->site.retained_guess =
				MIN(r->site.retained_guess, t->a->g->reached_bytes);
		if ((r->site.cum || (ever && r->site.alloc_bytes)) && !vec_push(&top->rows, *r))
			return &err_nomem;
	}
	return NULL;
}

struct err *agg_rows_site(struct agg *a, const struct top_ask *q, struct ans_top *top)
{
	_cleanup_(table_deinit) struct table t = { .a = a, .q = q };
	struct ans_row_site sum = { 0 };
	struct err *err = snapshot_sites(a->s, &t.x);

	if (err)
		return err;
	agg_profile(t.x, &top->profile);
	err = make_rows(&t);
	if (!err)
		err = ask_frames(&t);
	for (size_t i = 0; i < t.x->samples.n && !err; i++)
		t.alive[t.x->samples.v[i].site] += is_alive(a, &t.x->samples.v[i]);
	for (size_t i = 0; i < t.x->sites.n && !err; i++)
		count_site(&t, i, &sum);
	if (!err && sum.sampled)
		err = add_retained(&t, &q->exact);
	if (!err && sum.sampled && q->owner.g)
		err = add_retained(&t, &q->owner);
	top->profile.alive = sum.sampled;
	top->profile.bytes = sum.cum;
	return err ? err : push_rows(&t, top);
}
