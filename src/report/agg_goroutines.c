/*
 * agg_goroutines.c - goroutines as a list, and grouped by stack, state or creator.
 *
 * Dead ones are left out.  Times are lower bounds: the runtime notes waitsince at the
 * first collection that meets the waiting goroutine (mgcmark.go, markroot), so a
 * goroutine waits at least so long.
 */
#include "report/agg_goroutines.h"
#include "report/agg_labels.h"
#include "report/kept.h"
#include "find/liveness.h"
#include "find/stacks.h"

enum { LINES_MAX = 64 };

static size_t list_alive(const struct go_stacks *st, size_t *order)
{
	size_t n = 0;

	for (size_t i = 0; i < st->gs.n; i++)
		if (!st->gs.v[i].dead)
			order[n++] = i;
	return n;
}

struct err *agg_stack_groups(const struct snapshot *s, size_t **ret_order, size_t **ret_first,
			     size_t *ret_ngroups)
{
	struct go_stacks *st = (struct go_stacks *)(uintptr_t)&s->stacks;
	_cleanup_(freep) size_t *order = zalloc(st->gs.n, sizeof(*order));
	_cleanup_(freep) size_t *first = zalloc(st->gs.n + 1, sizeof(*first));
	size_t n, ngroups = 0;
	struct err *err;

	if (!order || !first)
		return &err_nomem;
	n = list_alive(st, order);
	err = look_group_stacks(st, NULL, n, order, first, &ngroups);
	if (err)
		return err;
	*ret_order = STEAL(order);
	*ret_first = STEAL(first);
	*ret_ngroups = ngroups;
	return NULL;
}

const char *agg_goroutine_function(const struct agg *a, size_t i)
{
	return look_goroutine_function(a->s, i);
}

static bool is_waiting(const struct go_goroutine *gr)
{
	const char *status = go_status_name(gr->status);

	/* "leaked": it waits, and the runtime's own search has found it (mgc.go, 1.26) */
	return !strcmp(status, "waiting") || !strcmp(status, "leaked");
}

const char *agg_goroutine_name(struct agg *a, size_t i)
{
	const struct go_goroutine *gr = &a->s->stacks.gs.v[i];
	const char *wait = is_waiting(gr) ? go_wait_reason(a->s->go, gr->wait_reason) : "";
	const char *f = look_goroutine_function(a->s, i);

	return keepf(&a->keep, "%s [%s]", *f ? f : "(unknown function)",
		     *wait ? wait : go_status_name(gr->status));
}

static struct err *push_frames(struct agg *a, const struct go_goroutine *gr,
			       struct ans_goroutines *ret)
{
	const struct go_stacks *st = &a->s->stacks;
	struct go_line lines[LINES_MAX];

	for (size_t i = 0; i < gr->nframes; i++) {
		const struct go_frame *f = &st->frames.v[gr->first_frame + i];
		size_t n;

		if (f->flags & GO_FRAME_SYSTEM)
			continue;
		n = go_lines_at(a->s->go, go_frame_line_pc(f), lines, LINES_MAX);
		for (size_t k = 0; k < n; k++) {
			struct ans_frame to = { lines[k].function ? lines[k].function : "",
						lines[k].file ? lines[k].file : "", lines[k].line,
						lines[k].inlined };

			if (!vec_push(&ret->frames, to))
				return &err_nomem;
		}
	}
	return NULL;
}

static struct ans_frame creation_site(const struct go *go, const struct go_goroutine *gr)
{
	struct go_line line = { 0 };
	struct ans_frame f = { "", "", 0, false };

	if (gr->go_pc && go_lines_at(go, gr->go_pc - 1, &line, 1))
		f = (struct ans_frame){ line.function ? line.function : "",
					line.file ? line.file : "", line.line, false };
	return f;
}

/* What it waits for, by the frozen sudogs. */
static struct err *push_waits(const struct agg *a, const struct liveness *v,
			      struct ans_goroutine *g, struct ans_goroutines *ret)
{
	const struct go_waits *w = &a->s->waits;
	const struct go_waiter *x;

	g->first_wait = ret->waits.n;
	if (!v->known || v->waiter[g->index] == UINT32_MAX)
		return NULL;
	x = &w->v.v[v->waiter[g->index]];
	for (size_t i = x->first; i < x->first + x->n; i++) {
		struct ans_wait y = { go_wait_what_word(x->what), w->things.v[i].at };

		if (!vec_push(&ret->waits, y))
			return &err_nomem;
	}
	g->nwaits = x->n;
	return NULL;
}

struct pushing {
	const struct liveness *v;
	const uint64_t *retained; /* by goroutine; NULL: not known */
	uint64_t *freed;	  /* by goroutine: ans_goroutine.freed; NULL: nothing would be */
	uint64_t clock;
};

static struct err *push_goroutine(struct agg *a, size_t i, const struct pushing *p,
				  struct ans_goroutines *ret)
{
	const struct go_goroutine *gr = &a->s->stacks.gs.v[i];
	bool waits = is_waiting(gr);
	struct ans_goroutine g = {
		.index = i,
		.id = gr->id,
		.parent_id = gr->parent_id,
		.state = go_status_name(gr->status),
		.wait = waits ? go_wait_reason(a->s->go, gr->wait_reason) : "",
		.since_ns = waits ? look_waited_ns(p->clock, gr->waitsince) : ANS_UNKNOWN,
		.function = look_goroutine_function(a->s, i),
		.created_at = creation_site(a->s->go, gr),
		.retained = p->retained ? p->retained[i] : ANS_UNKNOWN,
		.freed = p->freed ? p->freed[i] : 0,
		.leaked = p->v->known ? leak_state_word(p->v->state[i]) : NULL,
		.stack_bytes = gr->stack_hi - gr->stack_lo,
		.thread = gr->thread ? gr->thread->tid : -1,
		.system = gr->system,
		.first_frame = ret->frames.n,
	};
	struct err *err = agg_labels_of(a, i, &g.labels);

	if (!err)
		err = push_frames(a, gr, ret);
	if (!err)
		err = push_waits(a, p->v, &g, ret);
	g.creator = look_function_at(a->s->go, gr->go_pc);
	g.nframes = ret->frames.n - g.first_frame;
	if (err)
		return err;
	return vec_push(&ret->gs, g) ? NULL : &err_nomem;
}

struct err *agg_goroutine(struct agg *a, size_t i, struct ans_goroutines *ret)
{
	const struct liveness unknown = { 0 };
	const struct pushing p = { .v = &unknown, .clock = look_clock_ns(a->s) };

	return push_goroutine(a, i, &p, ret);
}

static uint64_t *retained_of_goroutines(const struct agg *a)
{
	uint64_t *r = zalloc(a->s->stacks.gs.n, sizeof(*r));

	for (size_t i = 0; r && i < a->s->roots.n; i++) {
		const struct snap_root *root = &a->s->roots.v[i];

		if (root->kind == SNAP_ROOT_GOROUTINE && root->goroutine < a->s->stacks.gs.n)
			r[root->goroutine] += agg_root_retained(a, i);
	}
	return r;
}

static int most_retained_first(const void *x, const void *y)
{
	const struct ans_goroutine *p = x, *q = y;

	if (p->retained != q->retained)
		return p->retained < q->retained ? 1 : -1;
	return (p->id > q->id) - (p->id < q->id);
}

static const char *group_key(struct agg *a, enum goroutine_group by, const struct ans_goroutine *g)
{
	if (by == GROUP_CREATOR)
		return *g->creator ? g->creator : "(unknown)";
	if (by == GROUP_STATE)
		return *g->wait ? g->wait : g->state;
	return keepf(&a->keep, "%s [%s]", *g->function ? g->function : "(unknown function)",
		     *g->wait ? g->wait : g->state);
}

struct sort_arg {
	const struct ans_goroutines *all;
	const char *const *key;
	const uint32_t *label; /* GROUP_LABEL: group by member; else NULL */
	enum goroutine_group by;
};

static int compare_text_stacks(const struct ans_goroutines *all, size_t x, size_t y)
{
	const struct ans_goroutine *p = &all->gs.v[x], *q = &all->gs.v[y];

	if (p->nframes != q->nframes)
		return p->nframes < q->nframes ? -1 : 1;
	for (size_t i = 0; i < p->nframes; i++) {
		const struct ans_frame *f = &all->frames.v[p->first_frame + i];
		const struct ans_frame *h = &all->frames.v[q->first_frame + i];
		int c = strcmp(f->function, h->function);

		if (c || f->line != h->line)
			return c ? c : f->line - h->line;
	}
	return strcmp(p->function, q->function);
}

static int same_group(const struct sort_arg *sa, size_t x, size_t y)
{
	int c = sa->label ? (sa->label[x] > sa->label[y]) - (sa->label[x] < sa->label[y])
			  : strcmp(sa->key[x], sa->key[y]);

	return c || sa->by != GROUP_STACK ? c : compare_text_stacks(sa->all, x, y);
}

static int order_groups(const void *x, const void *y, void *arg)
{
	size_t p = *(const size_t *)x, q = *(const size_t *)y;
	int c = same_group(arg, p, q);

	return c ? c : (p > q) - (p < q);
}

static int biggest_group_first(const void *x, const void *y)
{
	const struct ans_group *p = x, *q = y;

	if (p->count != q->count)
		return p->count < q->count ? 1 : -1;
	if (p->retained != q->retained)
		return p->retained < q->retained ? 1 : -1;
	return strcmp(p->name, q->name);
}

static void add_member(struct ans_group *k, const struct ans_goroutine *g)
{
	k->count++;
	k->nmembers++;
	k->stack_bytes += g->stack_bytes;
	if (g->retained != ANS_UNKNOWN)
		k->retained += g->retained;
	k->freed += g->freed;
	k->proved += g->leaked && !strcmp(g->leaked, "proved");
	k->suspect += g->leaked && !strcmp(g->leaked, "suspect");
	if (g->since_ns != ANS_UNKNOWN && g->since_ns > k->max_since_ns)
		k->max_since_ns = g->since_ns;
}

static struct err *make_groups(const struct sort_arg *sa, struct ans_goroutines *r)
{
	for (size_t i = 0; i < r->members.n; i++) {
		size_t m = r->members.v[i];

		if (i == 0 || same_group(sa, r->members.v[i - 1], m)) {
			struct ans_group k = { .name = sa->key[m],
					       .example = m,
					       .first_member = i };

			if (!vec_push(&r->groups, k))
				return &err_nomem;
		}
		add_member(&r->groups.v[r->groups.n - 1], &r->gs.v[m]);
	}
	if (r->groups.n)
		qsort(r->groups.v, r->groups.n, sizeof(r->groups.v[0]), biggest_group_first);
	return NULL;
}

static struct err *sort_members(struct sort_arg *sa, struct ans_goroutines *r)
{
	for (size_t i = 0; i < r->gs.n; i++)
		if (!vec_push(&r->members, i))
			return &err_nomem;
	if (r->members.n)
		qsort_r(r->members.v, r->members.n, sizeof(size_t), order_groups, sa);
	return make_groups(sa, r);
}

/* They hold more together than the sum of what each alone does: as top --by label has it. */
static struct err *group_by_label(struct agg *a, const char *label, struct ans_goroutines *r)
{
	_cleanup_(agg_label_groups_deinit) struct agg_label_groups gs = { 0 };
	_cleanup_(freep) const char **key = zalloc(r->gs.n, sizeof(*key));
	_cleanup_(freep) uint32_t *of = zalloc(r->gs.n, sizeof(*of));
	_cleanup_(freep) struct ans_row *rows = NULL;
	struct sort_arg sa = { .all = r, .key = key, .label = of, .by = GROUP_LABEL };
	struct err *err = key && of ? agg_label_groups_make(a, label, &gs) : &err_nomem;

	if (err)
		return err;
	for (size_t i = 0; i < r->gs.n; i++) {
		of[i] = gs.of[r->gs.v[i].index];
		key[i] = gs.names[of[i]];
	}
	r->group_by = label ? keepf(&a->keep, "label:%s", label) : "label";
	if (a->g)
		err = agg_label_rows(a, &gs, NULL, &rows);
	if (!err)
		err = sort_members(&sa, r);
	for (size_t i = 0; i < r->groups.n && !err; i++) {
		uint32_t k = of[r->groups.v[i].example];

		r->groups.v[i].labels = gs.labels[k];
		if (rows)
			r->groups.v[i].retained = rows[k].retained;
	}
	if (!err && r->groups.n)
		qsort(r->groups.v, r->groups.n, sizeof(r->groups.v[0]), biggest_group_first);
	return err;
}

static struct err *group(struct agg *a, enum goroutine_group by, struct ans_goroutines *r)
{
	static const char *const word[] = { NULL, "stack", "state", "creator" };
	_cleanup_(freep) const char **key = zalloc(r->gs.n, sizeof(*key));
	struct sort_arg sa = { .all = r, .key = key, .by = by };

	if (!key)
		return &err_nomem;
	r->group_by = word[by];
	for (size_t i = 0; i < r->gs.n; i++)
		key[i] = group_key(a, by, &r->gs.v[i]);
	return sort_members(&sa, r);
}

struct err *agg_goroutines_by_key(struct ans_goroutines *r, enum goroutine_group by,
				  const char *const *key)
{
	struct sort_arg sa = { .all = r, .key = key, .by = by };

	return sort_members(&sa, r);
}

void agg_goroutines_order(struct ans_goroutines *r)
{
	if (r->groups.n)
		qsort(r->groups.v, r->groups.n, sizeof(r->groups.v[0]), biggest_group_first);
}

static void sum_leaked(const struct liveness *v, struct ans_goroutines *r)
{
	r->leaked_known = v->known;
	r->unproved = v->weak;
	for (size_t i = 0; i < v->groups.n; i++) {
		const struct leak_group *k = &v->groups.v[i];

		r->proved += k->state == LEAK_PROVED ? k->n : 0;
		r->suspect += k->state == LEAK_SUSPECT ? k->n : 0;
		r->freed_bytes += k->bytes;
		r->freed_stack_bytes += k->state == LEAK_PROVED ? k->stack_bytes : 0;
	}
}

static bool is_wanted(const struct agg *a, const struct liveness *v, size_t i, unsigned which)
{
	return !a->s->stacks.gs.v[i].dead && (which != GOROUTINES_LEAKED || v->state[i] != LEAK_NO);
}

static struct err *push_all(struct agg *a, const struct liveness *v, unsigned which,
			    struct ans_goroutines *r)
{
	_cleanup_(freep) uint64_t *retained = NULL;
	_cleanup_(freep) uint64_t *freed = zalloc(a->s->stacks.gs.n + 1, sizeof(*freed));
	struct pushing p = { .v = v, .clock = look_clock_ns(a->s), .freed = freed };
	struct err *err = NULL;

	if (!freed)
		return &err_nomem;
	for (size_t i = 0; i < v->groups.n; i++)
		freed[v->order[v->groups.v[i].first]] = v->groups.v[i].bytes;
	if (a->g && a->g->retained) {
		p.retained = retained = retained_of_goroutines(a);
		if (!retained)
			return &err_nomem;
	}
	for (size_t i = 0; i < a->s->stacks.gs.n && !err; i++)
		if (is_wanted(a, v, i, which))
			err = push_goroutine(a, i, &p, r);
	r->total = r->gs.n;
	for (size_t i = 0; i < r->gs.n && retained; i++)
		r->retained_total += r->gs.v[i].retained;
	return err;
}

struct err *agg_goroutines_settle(struct agg *a, enum goroutine_group by, size_t limit,
				  struct ans_goroutines *r)
{
	struct err *err = NULL;

	if (r->gs.n && !r->members.n)
		qsort(r->gs.v, r->gs.n, sizeof(r->gs.v[0]), most_retained_first);
	if (by != GROUP_NONE)
		err = group(a, by, r);
	else if (r->gs.n > limit)
		r->gs.n = limit;
	if (r->groups.n > limit)
		r->groups.n = limit;
	return err;
}

static struct err *list_or_group(struct agg *a, const struct goroutines_ask *q,
				 struct ans_goroutines *r)
{
	struct err *err;

	if (q->by != GROUP_LABEL)
		return agg_goroutines_settle(a, q->by, q->limit, r);
	if (r->gs.n)
		qsort(r->gs.v, r->gs.n, sizeof(r->gs.v[0]), most_retained_first);
	err = group_by_label(a, q->key, r);
	if (r->groups.n > q->limit)
		r->groups.n = q->limit;
	return err;
}

struct err *agg_goroutines(struct agg *a, const struct goroutines_ask *q,
			   struct ans_goroutines *ret)
{
	_cleanup_(ans_goroutines_deinit) struct ans_goroutines r = { 0 };
	_cleanup_(liveness_deinit) struct liveness v = { 0 };
	struct look l = agg_look(a);
	struct err *err;

	if (a->asked)
		return kept_goroutines_of(a, q, ret);
	err = a->g ? liveness_create(&l, &v) : NULL;
	if (!err && q->which == GOROUTINES_LEAKED && !v.known)
		return err_unsupported(
			"this evidence does not say who waits for what: give a process or a core");
	if (!err)
		err = push_all(a, &v, q->which, &r);
	sum_leaked(&v, &r);
	r.leaked_only = q->which == GOROUTINES_LEAKED;
	if (!err)
		err = list_or_group(a, q, &r);
	if (!err)
		err = keep_err(&a->keep);
	if (err)
		return err;
	*ret = r;
	r = (struct ans_goroutines){ 0 };
	return NULL;
}
