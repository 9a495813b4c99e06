/*
 * agg_gotext.c - goroutines out of a text as lists and groups, with growth and locks.
 *
 * In the evidence goroutines lie in the order of stack and state, as the tallies of their dump do.
 * Cost: a sort of those that are grouped by something else.
 */
#include "report/agg_gotext.h"

#include <math.h>

static const uint64_t minute_ns = 60000000000U;

/* States that are no waits; runtime/traceback.go, gStatusStrings. */
static bool is_status(const char *s)
{
	static const char *const words[] = { "idle",
					     "runnable",
					     "running",
					     "syscall",
					     "waiting",
					     "dead",
					     "copystack",
					     "leaked",
					     "preempted",
					     "???",
					     "waiting for cgo callback" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(s, words[i]))
			return true;
	return false;
}

static struct ans_frame frame_of(const struct gotext *g, uint32_t id)
{
	const struct gotext_frame *f = id < g->frames.n ? &g->frames.v[id] : NULL;

	if (!f)
		return (struct ans_frame){ "", "", 0, false };
	return (struct ans_frame){ gotext_text(g, f->function), gotext_text(g, f->file),
				   (int)f->line, (f->flags & GOTEXT_FRAME_INLINED) != 0 };
}

/* One copy of the frames for all of one stack: they follow each other. */
static struct err *push_frames(const struct gotext *g, uint32_t stack, struct ans_gotext_g *to,
			       struct ans_gotext *r)
{
	const struct gotext_stack *s = &g->stacks.v[stack];

	to->first_frame = r->frames.n;
	to->nframes = s->n;
	for (uint32_t i = 0; i < s->n; i++)
		if (!vec_push(&r->frames, frame_of(g, g->links.v[s->first + i])))
			return &err_nomem;
	return NULL;
}

static struct ans_gotext_g make_one(const struct gotext *g, const struct gotext_goroutine *c,
				    const char *leaked)
{
	const struct gotext_stack *s = &g->stacks.v[c->stack];
	const char *state = gotext_text(g, c->state);
	bool status = is_status(state);

	return (struct ans_gotext_g){
		.id = c->id,
		.parent = c->parent,
		.count = c->count,
		.state = status || !*state ? state : "waiting",
		.wait = status ? "" : state,
		.function = gotext_text(g, s->entry),
		.creator = gotext_creator(g, s),
		.created_at = frame_of(g, s->created),
		.since_ns = c->minutes ? c->minutes * minute_ns : ANS_UNKNOWN,
		.leaked = (c->flags & GOTEXT_LEAKED) ? "proved" : leaked,
		.locked = (c->flags & GOTEXT_LOCKED) != 0,
		.system = (c->flags & GOTEXT_SYSTEM) != 0,
		.panicked = (c->flags & GOTEXT_PANICKED) != 0,
		.no_stack = (c->flags & GOTEXT_NO_STACK) != 0,
		.elided = s->elided == GOTEXT_NONE ? ANS_UNKNOWN : s->elided,
	};
}

enum { SUSPECTED = 1, SAID = 2 };

/* By tally of the kept dump: is it suspected, or does the runtime itself say so? */
static uint8_t *suspected(const struct gotext *g, const struct gotext_suspects *x)
{
	const struct gotext_dump *d = &g->dumps.v[g->kept];
	uint8_t *is = zalloc(d->ntallies + 1, 1);

	for (size_t i = 0; is && i < x->v.n; i++)
		is[x->v.v[i].tally - d->first_tally] =
			(x->v.v[i].why & GOTEXT_WHY_DEADLOCK) ? SAID : SUSPECTED;
	return is;
}

struct labels_cache {
	uint32_t text;
	const struct ans_labels *labels;
};

static struct err *push_all(const struct gotext *g, const struct gotext_ask *q,
			    const struct gotext_suspects *x, struct ans_gotext *r)
{
	_cleanup_(freep) uint8_t *is = suspected(g, x);
	struct labels_cache cache = { 0 };
	struct ans_gotext_g same = { 0 };
	size_t tally = 0;
	struct err *err = is ? NULL : &err_nomem;

	for (size_t i = 0; i < g->gs.n && !err; i++) {
		const struct gotext_goroutine *c = &g->gs.v[i];
		struct ans_gotext_g to;

		if (i && (c[-1].stack != c->stack || c[-1].state != c->state))
			tally++;
		to = make_one(g, c,
			      is[tally] == SAID	       ? "proved"
			      : is[tally] == SUSPECTED ? "suspect"
						       : "no");
		if (!i || c[-1].stack != c->stack) {
			err = push_frames(g, c->stack, &same, r);
		}
		to.first_frame = same.first_frame;
		to.nframes = same.nframes;
		if (c->labels != cache.text)
			cache = (struct labels_cache){
				c->labels,
				gotext_labels(&r->keep, gotext_text(g, c->labels), q->values)
			};
		gotext_waits_for(g, i, &to.lock_addr, &to.lock);
		to.labels = c->labels ? cache.labels : NULL;
		r->total += c->count;
		r->system += to.system ? c->count : 0;
		r->leaked += !strcmp(to.leaked, "proved") ? c->count : 0;
		r->suspect += !strcmp(to.leaked, "suspect") ? c->count : 0;
		if (!err && !vec_push(&r->gs, to))
			err = &err_nomem;
	}
	return err;
}

static const char *stack_name(struct ans_gotext *r, const struct ans_gotext_g *x)
{
	const char *is = *x->wait ? x->wait : x->state;

	return keepf(&r->keep, *is ? "%s [%s]" : "%s",
		     *x->function ? x->function : "(unknown function)", is);
}

static const char *label_key(struct ans_gotext *r, const struct gotext_ask *q,
			     const struct ans_labels *l)
{
	_cleanup_(str_deinit) struct str s = { 0 };

	if (!q->key) {
		if (l)
			text_label_words(&s, l);
		return l ? keepf(&r->keep, "%s", str_ok(&s) ? s.s : "") : "(no labels)";
	}
	for (size_t i = 0; l && i < l->n; i++)
		if (!strcmp(l->v[i].key, q->key)) {
			const struct ans_labels one = { .n = 1, .v = &l->v[i] };

			text_label_words(&s, &one);
			return keepf(&r->keep, "%s", str_ok(&s) ? s.s : "");
		}
	return keepf(&r->keep, "(no label %s)", q->key);
}

/*
 * Group by labels themselves, not by what is shown of them: the key that is compared is the raw
 * text of all labels; by one key the shown one has to do where values are in full, else its hash.
 */
static const char *compared_key(const struct gotext *g, const struct gotext_ask *q,
				struct ans_gotext *r, size_t i)
{
	const struct ans_gotext_g *x = &r->gs.v[i];

	switch (q->by) {
	case GROUP_STATE:
		return *x->wait ? x->wait : *x->state ? x->state : "(unknown)";
	case GROUP_CREATOR:
		return *x->creator ? x->creator : "(unknown)";
	case GROUP_LABEL:
		return q->key ? label_key(r, q, x->labels) : gotext_text(g, g->gs.v[i].labels);
	default:
		return "";
	}
}

static void add_member(const struct ans_gotext_g *x, struct ans_gotext_group *k)
{
	uint64_t since = x->since_ns == ANS_UNKNOWN ? 0 : x->since_ns;

	k->min_since_ns = k->nmembers ? MIN(k->min_since_ns, since) : since;
	k->max_since_ns = MAX(k->max_since_ns, since);
	k->nmembers++;
	k->count += x->count;
	k->locked += x->locked ? x->count : 0;
	k->leaked += !strcmp(x->leaked, "proved") ? x->count : 0;
	k->suspect += !strcmp(x->leaked, "suspect") ? x->count : 0;
}

struct sorting {
	const char *const *key;
};

static int by_key(const void *x, const void *y, void *arg)
{
	const struct sorting *s = arg;
	size_t p = *(const size_t *)x, q = *(const size_t *)y;
	int c = s->key[p] == s->key[q] ? 0 : strcmp(s->key[p], s->key[q]);

	return c ? c : (p > q) - (p < q);
}

static int biggest_first(const void *x, const void *y)
{
	const struct ans_gotext_group *p = x, *q = y;

	if (p->count != q->count)
		return p->count < q->count ? 1 : -1;
	return (p->example > q->example) - (p->example < q->example);
}

static bool is_same(const struct gotext *g, const struct gotext_ask *q, const char *const *key,
		    size_t a, size_t b)
{
	if (q->by == GROUP_STACK)
		return g->gs.v[a].stack == g->gs.v[b].stack && g->gs.v[a].state == g->gs.v[b].state;
	return key[a] == key[b] || !strcmp(key[a], key[b]);
}

static const char *group_name(const struct gotext_ask *q, struct ans_gotext *r, const char *key,
			      size_t i)
{
	if (q->by == GROUP_STACK)
		return stack_name(r, &r->gs.v[i]);
	return q->by == GROUP_LABEL ? label_key(r, q, r->gs.v[i].labels) : key;
}

static struct err *group(const struct gotext *g, const struct gotext_ask *q, struct ans_gotext *r)
{
	static const char *const word[] = { NULL, "stack", "state", "creator", "label" };
	_cleanup_(freep) const char **key = zalloc(r->gs.n + 1, sizeof(*key));
	struct sorting sort = { key };

	if (!key)
		return &err_nomem;
	r->group_by = q->key ? keepf(&r->keep, "label:%s", q->key) : word[q->by];
	for (size_t i = 0; i < r->gs.n; i++) {
		key[i] = compared_key(g, q, r, i);
		if (!vec_push(&r->members, i))
			return &err_nomem;
	}
	if (r->members.n && q->by != GROUP_STACK)
		qsort_r(r->members.v, r->members.n, sizeof(size_t), by_key, &sort);
	for (size_t m = 0; m < r->members.n; m++) {
		size_t i = r->members.v[m];

		if (!m || !is_same(g, q, key, r->members.v[m - 1], i)) {
			struct ans_gotext_group k = { .name = group_name(q, r, key[i], i),
						      .example = i,
						      .first_member = m,
						      .labels = q->by == GROUP_LABEL
									? r->gs.v[i].labels
									: NULL,
						      .growth = SIZE_MAX };

			if (q->by == GROUP_STACK)
				k.idle = gotext_idle(g, g->gs.v[i].stack, g->gs.v[i].state);
			if (!vec_push(&r->groups, k))
				return &err_nomem;
		}
		add_member(&r->gs.v[i], &r->groups.v[r->groups.n - 1]);
	}
	return NULL;
}

static struct err *push_growth(const struct gotext *g, const struct gotext_series *s,
			       const struct gotext_suspects *x, struct ans_gotext *r)
{
	_cleanup_(freep) uint8_t *is = suspected(g, x);

	if (!is)
		return &err_nomem;
	for (size_t i = 0; i < s->rows.n && s->dumps.n > 1; i++) {
		const struct gotext_growth *w = &s->rows.v[i];
		const struct gotext_stack *st = &g->stacks.v[w->stack];
		const char *state = gotext_text(g, w->state);
		struct ans_gotext_growth to = {
			.function = gotext_text(g, st->entry),
			.creator = gotext_creator(g, st),
			.wait = state,
			.at = frame_of(g, st->user),
			.first = w->first,
			.last = w->last,
			.most = w->most,
			.stayed = s->has_ids ? w->stayed : ANS_UNKNOWN,
			.growth = (int64_t)w->last - (int64_t)w->first,
			.per_hour = w->per_hour,
		};

		to.suspect =
			w->tally != GOTEXT_NONE && is[w->tally - g->dumps.v[g->kept].first_tally];
		if (!vec_push(&r->growth, to))
			return &err_nomem;
	}
	return NULL;
}

/* Growth of a group by stack is that of its tally: both lie in the order of the kept dump. */
static void link_growth(const struct gotext *g, const struct gotext_series *s, struct ans_gotext *r)
{
	uint32_t first = g->dumps.v[g->kept].first_tally;

	if (s->dumps.n < 2)
		return;
	for (size_t i = 0; i < s->rows.n; i++)
		if (s->rows.v[i].tally != GOTEXT_NONE && s->rows.v[i].tally - first < r->groups.n)
			r->groups.v[s->rows.v[i].tally - first].growth = i;
}

static struct err *push_locks(const struct gotext *g, const struct gotext_locks *ls,
			      struct ans_gotext *r)
{
	for (size_t i = 0; i < ls->v.n; i++) {
		const struct gotext_lock *l = &ls->v.v[i];
		struct ans_gotext_lock to = {
			.addr = l->addr,
			.waiters = l->waiters,
			.since_ns = l->oldest_minutes ? l->oldest_minutes * minute_ns : ANS_UNKNOWN,
			.word = l->word,
			.circle = l->circle,
			.example = l->example,
			.at = frame_of(g, g->stacks.v[g->gs.v[l->example].stack].user),
			.nholders = l->nholders,
			.itself = l->itself == GOTEXT_NONE ? SIZE_MAX : l->itself,
		};

		for (uint32_t k = 0; k < l->nholders; k++)
			to.holders[k] = l->holder[k];
		if (!vec_push(&r->locks, to))
			return &err_nomem;
	}
	return NULL;
}

/* What a dump's panic was, and where. */
static void put_panic(const struct gotext *g, const struct gotext_ask *q, size_t dump,
		      struct ans_gotext_dump *to)
{
	uint32_t at = g->dumps.v[dump].panic;
	const struct gotext_panic *p = at < g->panics.n ? &g->panics.v[at] : NULL;

	to->how = to->kind = to->function = "";
	if (!p)
		return;
	to->how = gotext_text(g, p->how);
	to->kind = p->kind;
	to->goroutine = p->goroutine;
	to->recovered = p->recovered;
	to->message = q->messages ? gotext_text(g, p->message) : gotext_panic_fixed(g, p);
	to->function = frame_of(g, gotext_panic_frame(g, dump)).function;
}

static struct err *push_dumps(const struct gotext *g, const struct gotext_ask *q,
			      struct ans_gotext *r)
{
	for (size_t i = 0; i < g->dumps.n; i++) {
		const struct gotext_dump *d = &g->dumps.v[i];
		struct ans_gotext_dump to = {
			.file = gotext_text(g, d->file),
			.at_line = d->at_line,
			.time_ns = (d->flags & GOTEXT_TIMED) ? d->time_ns : 0,
			.no_zone = (d->flags & GOTEXT_NO_ZONE) != 0,
			.no_year = (d->flags & GOTEXT_NO_YEAR) != 0,
			.n = d->n,
			.process = d->process + 1,
			.noise = d->noise,
			.form = (d->flags & GOTEXT_LEAKS)     ? "leak profile"
				: (d->flags & GOTEXT_PROFILE) ? "profile"
							      : "traceback",
			.final = (d->flags & GOTEXT_FINAL) != 0,
			.cut = (d->flags & GOTEXT_CUT) != 0,
			.kept = i == g->kept,
		};

		put_panic(g, q, i, &to);
		if (!vec_push(&r->dumps, to))
			return &err_nomem;
	}
	r->shown_dump = g->kept;
	r->deadlock = gotext_is_deadlock(g, g->kept);
	return NULL;
}

static const char *const lacks[] = {
	"bytes: what a goroutine keeps is not in its text; a core or the process tells",
	"proofs: whether anything can still wake a goroutine is not in its text either",
	NULL,
};

static void make_head(const struct gotext *g, const struct gotext_ask *q, struct ans_gotext *r)
{
	const struct gotext_dump *d = &g->dumps.v[g->kept];

	r->head = (struct ans_head){
		.kind = "goroutines",
		.exe = "",
		.go = "",
		.arch = "",
		.experiments = "",
		.file = q->file,
		.lacks = lacks,
		.layout = "",
		.module = "",
		.version = "",
		.revision = "",
		.method = "file",
		.at_unix_ns =
			(d->flags & GOTEXT_TIMED) && !(d->flags & GOTEXT_NO_YEAR) ? d->time_ns : 0,
		.layout_exact = true,
	};
}

static void drop_healthy(struct ans_gotext *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->groups.n; i++)
		if (r->groups.v[i].leaked || r->groups.v[i].suspect)
			r->groups.v[n++] = r->groups.v[i];
	r->groups.n = n;
}

static struct err *order(const struct gotext *g, const struct gotext_ask *q,
			 const struct gotext_series *s, struct ans_gotext *r)
{
	struct err *err = q->by == GROUP_NONE ? NULL : group(g, q, r);

	if (err)
		return err;
	if (q->by == GROUP_STACK)
		link_growth(g, s, r);
	if (q->leaked_only)
		drop_healthy(r);
	if (r->groups.n)
		qsort(r->groups.v, r->groups.n, sizeof(r->groups.v[0]), biggest_first);
	r->ngroups = r->groups.n;
	r->groups.n = MIN(r->groups.n, q->limit);
	return NULL;
}

struct err *agg_gotext(const struct gotext *g, const struct gotext_ask *q, struct ans_gotext *r)
{
	struct gotext_series s = { 0 };
	struct gotext_suspects x = { 0 };
	struct gotext_locks l = { 0 };
	struct err *err = gotext_series(g, &s);

	r->hours = s.hours;
	r->ncompared = s.dumps.n;
	r->has_ids = s.has_ids;
	r->cut_lines = g->cut_lines;
	r->lost = g->lost_texts;
	r->damage = g->damage;
	r->leaked_only = q->leaked_only;
	r->limit = q->limit;
	make_head(g, q, r);
	if (!err)
		err = gotext_suspects(g, &s, &x);
	if (!err)
		err = gotext_locks(g, &l);
	if (!err)
		err = push_dumps(g, q, r);
	if (!err)
		err = push_all(g, q, &x, r);
	if (!err)
		err = push_growth(g, &s, &x, r);
	if (!err)
		err = order(g, q, &s, r);
	if (!err)
		err = push_locks(g, &l, r);
	if (!err)
		err = agg_gotext_findings(g, &s, &x, &l, r);
	if (!err)
		err = keep_err(&r->keep);
	gotext_series_deinit(&s);
	vec_free(&x.v);
	vec_free(&l.v);
	return err;
}

void ans_gotext_deinit(struct ans_gotext *a)
{
	keep_deinit(&a->keep);
	ans_head_deinit(&a->head);
	ans_findings_deinit(&a->findings);
	vec_free(&a->dumps);
	vec_free(&a->gs);
	vec_free(&a->frames);
	vec_free(&a->groups);
	vec_free(&a->members);
	vec_free(&a->growth);
	vec_free(&a->locks);
	vec_free(&a->tree);
}

void ans_gotext_top_deinit(struct ans_gotext_top *a)
{
	vec_free(&a->rows);
}
