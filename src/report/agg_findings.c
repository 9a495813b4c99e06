/*
 * agg_findings.c - findings with what all of them have: holder chain, cut, allocation site,
 * goroutine, growth, texts in the reader's names.
 *
 * Knows no kind.  Ways and cuts of all are looked for at once.
 */
#include "report/agg_finding.h"
#include "report/kept.h"
#include "report/known.h"
#include "report/owner.h"
#include "report/source.h"

/* enum find_verdict, enum find_proof */
struct find_words {
	unsigned verdict, proof;
};

enum { ROWS_MAX = 256, STACK_SHOWN = 16, OWNER_OBJECTS = 2 << 20 };

void finding_memory(const struct agg *a, const struct ans_memory *m, struct find_memory *ret)
{
	const struct target_mem *t = target_mem(a->s->t);

	*ret = (struct find_memory){
		.rss = m->rss,
		.heap_live = m->heap_live,
		.heap_garbage = m->heap_garbage,
		.heap_free = m->heap_free,
		.heap_released = m->heap_released,
		.stacks = m->stacks,
		.runtime = m->runtime,
		.off_heap = m->off_heap,
		.files = m->files,
		.thread_stacks = m->thread_stacks,
		.globals = m->globals,
		.cgroup_limit = t ? t->cgroup_limit : FIND_UNKNOWN,
		.cgroup_used = t ? t->cgroup_usage : FIND_UNKNOWN,
	};
}

static struct err *add_goroutine(struct agg *a, const struct finding *x, struct ans_finding *y)
{
	_cleanup_(ans_goroutines_deinit) struct ans_goroutines r = { 0 };
	const struct ans_goroutine *g;
	struct err *err;

	if (x->goroutine >= a->s->stacks.gs.n)
		return NULL;
	err = agg_goroutine(a, x->goroutine, &r);
	if (err)
		return err;
	g = &r.gs.v[0];
	y->has_goroutine = true;
	y->goroutine.id = g->id;
	y->goroutine.count = x->count ? x->count : 1;
	y->goroutine.since_ns = g->since_ns;
	y->goroutine.function = g->function;
	y->goroutine.creator = g->creator;
	y->goroutine.wait = g->wait;
	for (size_t i = 0; i < g->nframes && i < STACK_SHOWN; i++)
		if (!vec_push(&y->stack, r.frames.v[g->first_frame + i]))
			return &err_nomem;
	if (y->stack.n)
		y->own_frame = (size_t)(finding_own_frame(a, y->stack.v, y->stack.n) - y->stack.v);
	return NULL;
}

static int64_t rate(int64_t bytes, double by)
{
	double n = by > 0 ? (double)bytes / by : 0;

	return by > 0 && n > -9e18 && n < 9e18 ? (int64_t)n : INT64_MIN;
}

static void add_growth(const struct find_since *since, const struct finding *x,
		       struct ans_finding *y)
{
	int64_t grew = (int64_t)(finding_bytes(x) - x->then_bytes);

	y->per_gc = y->per_hour = INT64_MIN;
	y->fresh = since && x->fresh;
	y->then_known = since && x->then_known;
	y->then_bytes = x->then_bytes;
	y->then_count = x->then_count;
	if (!y->then_known || since->same != FIND_SAME_PROCESS)
		return;
	y->per_gc = rate(grew, since->cycles);
	y->per_hour = rate(grew, (double)since->ns / 3.6e12);
}

static struct ans_finding begin(struct agg *a, const struct finding *x)
{
	return (struct ans_finding){
		.kind = x->kind,
		.verdict = find_verdict_word(x->verdict),
		.proof = find_proof_word(x->proof),
		.type = keepf(&a->keep, "%s", x->type),
		.signature = keepf(&a->keep, "%s", x->signature),
		.bytes = x->bytes,
		.objects = x->objects,
		.stack_bytes = x->stack_bytes,
		.owner_bytes = ANS_UNKNOWN,
		.count = x->count,
		.origin = { .basis = "", .like = "", .why = "" },
		.title = "",
		.fix = "",
		.mitigate = "",
		.decide = "",
		.confirm = "",
		.detail = "",
		.holder_text = "",
		.site_text = "",
	};
}

static bool is_object(const struct agg *a, const struct finding *x)
{
	return x->node != GRAPH_NONE && x->node < a->g->n && graph_reached(a->g, x->node) &&
	       x->node;
}

static void fill_texts(struct agg *a, const struct finding *x, struct ans_finding *y)
{
	y->holder_text = finding_holder(a, y);
	y->site_text = finding_site(a, &y->origin);
	y->title = finding_fill(a, y, x->title);
	y->fix = finding_fill(a, y, x->fix);
	y->mitigate = finding_fill(a, y, x->mitigate);
	y->decide = finding_fill(a, y, x->decide);
	y->confirm = finding_fill(a, y, x->confirm);
	y->detail = finding_fill(a, y, x->detail);
}

static struct err *add_lines(struct agg *a, const struct source *s, const char *what,
			     const struct ans_frame *f, struct ans_finding *y)
{
	struct ans_source x = { 0 };
	struct err *err;

	if (!f || f->line <= 0)
		return NULL;
	err = source_lines(s, &a->keep, f->file, f->line, &x);
	x.what = what;
	if (err || !x.file)
		return err;
	return vec_push(&y->source, x) ? NULL : &err_nomem;
}

struct err *finding_source(struct agg *a, const struct source *s, struct ans_finding *y)
{
	struct err *err =
		add_lines(a, s, "blocked", finding_own_frame(a, y->stack.v, y->stack.n), y);

	return err ? err
		   : add_lines(a, s, "allocated",
			       finding_own_frame(a, y->origin.stack.v, y->origin.stack.n), y);
}

static struct err *complete(struct agg *a, const struct find *f, const struct finding *x,
			    struct ans_finding *y)
{
	struct err *err = add_goroutine(a, x, y);

	if (!err && is_object(a, x))
		err = finding_origin(a, x->node, &y->origin);
	if (err)
		return err;
	if (a->owner.objects && is_object(a, x) && x->bytes == a->g->retained[x->node])
		y->owner_bytes = a->owner.retained[x->node];
	add_growth(f->since, x, y);
	fill_texts(a, x, y);
	return NULL;
}

static struct err *add_costs(const struct find *f, struct ans_findings *ret)
{
	for (size_t i = 0; i < f->costs.n; i++) {
		const struct find_cost *c = &f->costs.v[i];
		struct ans_cost y = { c->detector->name, c->ns, c->skipped };

		if (!vec_push(&ret->detectors, y))
			return &err_nomem;
	}
	return NULL;
}

/* Do the user's rules name one of those on the way?  "cache main.lru" */
static const struct owner_rule *hint_of(const struct agg *a, const struct ans_finding *y)
{
	for (size_t i = 0; a->owners && i < a->owners->v.n; i++) {
		const struct owner_rule *r = &a->owners->v.v[i];

		if (r->what == OWNER_NAMED && r->how == OWNER_PLAIN && finding_names(y, r->holder))
			return r;
	}
	return NULL;
}

/* Who wishes that it is not shown; false: nobody. */
bool finding_is_ignored(struct agg *a, const struct report_ask *ask, struct ans_finding *y,
			struct ans_ignored *ret)
{
	const struct known_line *k = known_of(ask->known, y->signature);
	const struct owner_rule *hint = strcmp(y->verdict, "suspect") ? NULL : hint_of(a, y);

	*ret = (struct ans_ignored){ .kind = y->kind,
				     .verdict = y->verdict,
				     .title = y->title,
				     .signature = y->signature,
				     .why = "",
				     .bytes = y->bytes + y->stack_bytes };
	y->known = "";
	for (size_t i = 0; i < ask->nignored; i++)
		if (!strcmp(ask->ignored[i], y->signature))
			ret->by = "--ignore";
	if (k && ask->now_unix_s < k->end_unix_s) {
		ret->by = keepf(&a->keep, "%s", k->source);
		ret->why = keepf(&a->keep, "until %s: %s", k->until, k->reason);
	} else if (k) {
		y->known = keepf(&a->keep, "was known until %s: %s (%s)", k->until, k->reason,
				 k->source);
	}
	if (hint) {
		ret->by = hint->source;
		ret->why = hint->reason;
	}
	return ret->by != NULL;
}

/* One more of those that there are; *shown false: it is not among the rows. */
static struct err *count_finding(struct agg *a, const struct report_ask *ask,
				 struct ans_finding *y, struct find_words is,
				 struct ans_findings *ret, bool *shown)
{
	size_t limit = ask->findings ? ask->findings : SIZE_MAX;
	struct ans_ignored z;

	*shown = false;
	if (finding_is_ignored(a, ask, y, &z))
		return vec_push(&ret->ignored, z) ? NULL : &err_nomem;
	ret->total++;
	ret->counts[is.verdict & 3][MIN(is.proof, 2U)]++;
	if (is.verdict == FIND_LEAK && !ret->first_leak) {
		ret->first_leak = y->kind;
		ret->first_leak_bytes = y->bytes + y->stack_bytes;
	}
	*shown = ret->rows.n < limit;
	return NULL;
}

/* Of words that a file has. */
static struct find_words words_of(const struct ans_finding *y)
{
	struct find_words w = { .verdict = FIND_INFO, .proof = FIND_INFERRED };

	for (uint8_t i = 0; i < 4; i++)
		if (!strcmp(y->verdict, find_verdict_word(i)))
			w.verdict = i;
	for (uint8_t i = 0; i < 3; i++)
		if (!strcmp(y->proof, find_proof_word(i)))
			w.proof = i;
	return w;
}

struct err *finding_show(struct agg *a, const struct report_ask *ask, struct ans_finding *y,
			 struct ans_findings *ret)
{
	bool shown;
	struct err *err = count_finding(a, ask, y, words_of(y), ret, &shown);

	if (err || !shown)
		return err;
	if (ask->source)
		err = finding_source(a, ask->source, y);
	if (!err && !vec_push(&ret->rows, *y))
		err = &err_nomem;
	if (!err)
		*y = (struct ans_finding){ .kind = "" };
	return err;
}

/* Ways of as many as will be enough; of these the ones that are to be shown. */
static struct err *choose(struct agg *a, const struct find *f, const struct report_ask *ask,
			  struct ans_findings *ret)
{
	size_t n = MIN(f->found.n, (size_t)ROWS_MAX);
	_cleanup_(freep) const struct finding **x = zalloc(n, sizeof(*x));
	_cleanup_(ans_findings_deinit) struct ans_findings all = { 0 };
	struct err *err;

	if (!x)
		return &err_nomem;
	for (size_t i = 0; i < n; i++) {
		x[i] = &f->found.v[i];
		if (!vec_push(&all.rows, begin(a, x[i])))
			return &err_nomem;
	}
	err = finding_paths(a, x, all.rows.v, n);
	for (size_t i = 0; i < n && !err; i++) {
		struct ans_finding *y = &all.rows.v[i];
		const struct find_words is = { x[i]->verdict, x[i]->proof };
		bool shown;

		fill_texts(a, x[i], y);
		err = count_finding(a, ask, y, is, ret, &shown);
		if (err || !shown)
			continue;
		err = complete(a, f, x[i], y);
		if (!err && ask->source)
			err = finding_source(a, ask->source, y);
		if (!err && !vec_push(&ret->rows, *y))
			err = &err_nomem;
		if (!err)
			*y = begin(a, x[i]); /* what it owned has moved */
	}
	ret->total += f->found.n - n;
	return err;
}

/* What the kernel says of descriptors: numbers and states, no names. */
static struct err *fill_fds(const struct agg *a, struct find_fd **ret, size_t *ret_n)
{
	const struct target_fd *fds = target_fds(a->s->t, ret_n);
	struct find_fd *to = fds ? zalloc(*ret_n, sizeof(*to)) : NULL;

	*ret = to;
	if (!to)
		return fds ? &err_nomem : NULL;
	for (size_t i = 0; i < *ret_n; i++)
		to[i] = (struct find_fd){ fds[i].fd, !strncmp(fds[i].link, "socket:", 7),
					  !strcmp(fds[i].state, "close-wait") };
	return NULL;
}

struct err *agg_findings(struct agg *a, const struct ans_memory *memory,
			 const struct report_ask *ask, struct ans_findings *ret)
{
	_cleanup_(find_deinit) struct find f = { .l = agg_look(a), .since = ask->since };
	_cleanup_(ans_findings_deinit) struct ans_findings r = { 0 };
	_cleanup_(freep) struct find_fd *fds = NULL;
	struct find_memory m;
	struct err *err;

	if (a->asked)
		return kept_findings_of(a, ask, ret);
	err = fill_fds(a, &fds, &f.nfds);

	f.fds = fds;
	if (err)
		return err;
	if (memory) {
		finding_memory(a, memory, &m);
		f.memory = &m;
	}
	err = find_run(&f);
	if (!err && ask->since_ret)
		err = agg_since_of(a, &f, memory ? memory->rss : UINT64_MAX, ask->since_ret);
	/* the owner's tree costs as much as the exact one: of large heaps only if it is asked for
	 */
	if (!err && f.found.n && a->g->nreached_objects <= OWNER_OBJECTS)
		err = agg_owner(a);
	if (!err)
		err = choose(a, &f, ask, &r);
	if (!err)
		err = add_costs(&f, &r);
	if (err)
		return err;
	*ret = r;
	r = (struct ans_findings){ 0 };
	return NULL;
}
