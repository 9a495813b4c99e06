/*
 * gotext.c - the life of a reader: files in, dumps out.
 *
 * What a dump is, gotext_read.c finds; here it is counted and compared with the one before, and
 * then its goroutines are let go, but for the dump that is asked for.  Cost: a sort of each dump.
 */
#include "evidence/gotext_priv.h"

struct err *gotext_create(size_t dump, struct gotext **ret)
{
	_cleanup_(gotext_freep) struct gotext *g = zalloc(1, sizeof(*g));

	if (!g)
		return &err_nomem;
	if (!gotext_streams_create(g))
		return &err_nomem;
	g->kept = SIZE_MAX;
	g->r->all->want = dump;
	*ret = STEAL(g);
	return NULL;
}

void gotext_free(struct gotext *g)
{
	if (!g)
		return;
	vec_free(&g->frames);
	vec_free(&g->links);
	vec_free(&g->stacks);
	vec_free(&g->dumps);
	vec_free(&g->tallies);
	vec_free(&g->panics);
	vec_free(&g->gs);
	vec_free(&g->args);
	gotext_streams_free(g);
	free(g);
}

const char *gotext_creator(const struct gotext *g, const struct gotext_stack *s)
{
	return s->created < g->frames.n ? gotext_text(g, g->frames.v[s->created].function) : "";
}

void gotext_open_dump(struct gotext *g)
{
	struct gotext_reader *r = g->r;

	gotext_close_dump(g);
	r->open = true;
	r->breaks = r->relay = false;
	r->dumps_of_file = r->dumps_of_any = true;
	r->noise = r->gap = 0;
	r->place = SIZE_MAX;
	r->seen.stamp++;
	r->seen.used = 0;
	if (r->over) {
		r->over = false;
		r->process = r->all->processes++;
		r->first_dump = GOTEXT_NONE;
		r->before.n = r->first.n = 0;
	}
	r->dump = (struct gotext_dump){
		.time_ns = r->time_ns,
		.at_line = r->all->line,
		.file = r->all->file,
		.process = r->process,
		.flags = (r->timed ? (uint32_t)GOTEXT_TIMED : 0) | r->time_flags,
		.panic = GOTEXT_NONE,
	};
}

void gotext_place_dump(struct gotext *g)
{
	struct gotext_reader *r = g->r;

	if (r->place != SIZE_MAX || g->dumps.n >= GOTEXT_DUMPS_MAX)
		return;
	if (!vec_push(&g->dumps, r->dump))
		r->all->nomem = true;
	else
		r->place = g->dumps.n - 1;
}

static int by_stack(const void *x, const void *y)
{
	const struct gotext_goroutine *p = x, *q = y;

	if (p->stack != q->stack)
		return p->stack < q->stack ? -1 : 1;
	if (p->state != q->state)
		return p->state < q->state ? -1 : 1;
	if (p->minutes != q->minutes)
		return p->minutes < q->minutes ? -1 : 1;
	return (p->id > q->id) - (p->id < q->id);
}

static int by_id(const void *x, const void *y)
{
	const struct gotext_ident *p = x, *q = y;

	return (p->id > q->id) - (p->id < q->id);
}

static bool in_idents(const gotext_idents *v, const struct gotext_goroutine *c)
{
	struct gotext_ident key = { .id = c->id };
	const struct gotext_ident *at =
		c->id && v->n ? bsearch(&key, v->v, v->n, sizeof(key), by_id) : NULL;

	return at && at->stack == c->stack && at->state == c->state;
}

/* The pointer that a goroutine's innermost call of the program itself has first; 0: none. */
static uint64_t user_arg(const struct gotext *g, const struct gotext_reader *r,
			 const struct gotext_goroutine *c)
{
	const struct gotext_stack *s = &g->stacks.v[c->stack];

	for (uint32_t i = 0; i < c->nargs; i++) {
		const struct gotext_arg *a = &r->args.v[c->first_arg + i];

		if (a->frame < s->n && g->links.v[s->first + a->frame] == s->user)
			return a->value;
	}
	return 0;
}

struct tallying {
	struct gotext_tally *t;
	uint64_t arg;
	uint32_t age; /* the last one, of those in order */
};

static void add_to(const struct gotext *g, const struct gotext_goroutine *c, struct tallying *x)
{
	struct gotext_tally *t = x->t;
	uint64_t arg = user_arg(g, g->r, c);

	if (!t->count || c->minutes != x->age)
		t->ages = (uint16_t)MIN(t->ages + 1, 64);
	if (!t->count) {
		t->min_minutes = c->minutes;
		t->args_seen = arg != 0;
		x->arg = arg;
	} else if (t->args_seen && arg != x->arg) {
		t->args_seen = 2;
	}
	x->age = c->minutes;
	t->max_minutes = c->minutes;
	t->count += MIN(c->count, UINT32_MAX - t->count);
	t->leaked += (c->flags & GOTEXT_LEAKED) ? c->count : 0;
	t->locked += (c->flags & GOTEXT_LOCKED) ? c->count : 0;
	t->stayed += in_idents(&g->r->before, c);
	t->stayed_first += in_idents(&g->r->first, c);
}

static void tally(struct gotext *g)
{
	struct gotext_reader *r = g->r;
	struct tallying x = { 0 };
	bool leaks = r->dump.flags & GOTEXT_LEAKS;

	r->dump.first_tally = (uint32_t)g->tallies.n;
	if (r->gs.n)
		qsort(r->gs.v, r->gs.n, sizeof(r->gs.v[0]), by_stack);
	for (size_t i = 0; i < r->gs.n; i++) {
		struct gotext_goroutine *c = &r->gs.v[i];

		c->flags |= leaks ? GOTEXT_LEAKED : 0;
		if (!i || c[-1].stack != c->stack || c[-1].state != c->state) {
			struct gotext_tally t = { .stack = c->stack, .state = c->state };

			if (!vec_push(&g->tallies, t)) {
				r->all->nomem = true;
				break;
			}
			x = (struct tallying){ .t = &g->tallies.v[g->tallies.n - 1] };
		}
		add_to(g, c, &x);
	}
	r->dump.ntallies = (uint32_t)g->tallies.n - r->dump.first_tally;
}

static void make_idents(struct gotext_reader *r, gotext_idents *to)
{
	to->n = 0;
	for (size_t i = 0; i < r->gs.n; i++) {
		struct gotext_ident x = { r->gs.v[i].id, r->gs.v[i].stack, r->gs.v[i].state };

		if (x.id && !vec_push(to, x))
			r->all->nomem = true;
	}
	if (to->n)
		qsort(to->v, to->n, sizeof(to->v[0]), by_id);
}

static bool is_kept(const struct gotext *g, const struct gotext_dump *d)
{
	size_t place = g->r->place;
	uint32_t whole = d->flags & GOTEXT_WHOLE, was;

	if (g->r->all->want)
		return place + 1 == g->r->all->want;
	if (g->kept == SIZE_MAX)
		return true;
	was = g->dumps.v[g->kept].flags & GOTEXT_WHOLE;
	return whole == was ? place > g->kept : whole;
}

/* Its arrays change places with those of the one that was kept before. */
static void keep_dump(struct gotext *g)
{
	struct gotext_reader *r = g->r;
	__typeof__(g->gs.v) gs = g->gs.v;
	__typeof__(g->args.v) args = g->args.v;
	size_t gs_cap = g->gs.cap, args_cap = g->args.cap;

	g->gs.v = r->gs.v;
	g->gs.n = r->gs.n;
	g->gs.cap = r->gs.cap;
	g->args.v = r->args.v;
	g->args.n = r->args.n;
	g->args.cap = r->args.cap;
	r->gs.v = gs;
	r->gs.cap = gs_cap;
	r->args.v = args;
	r->args.cap = args_cap;
	g->kept = r->place;
}

/* Of who was written last the go statement is missing: so may others.  A profile says how many. */
static bool lacks_end(const struct gotext_reader *r)
{
	const struct gotext_goroutine *c = r->gs.n ? &r->gs.v[r->gs.n - 1] : NULL;

	if (r->dump.flags & GOTEXT_PROFILE)
		return r->dump.n < r->total;
	return c && r->gs.n > 1 && (c->flags & GOTEXT_WRAPPED);
}

void gotext_close_dump(struct gotext *g)
{
	struct gotext_reader *r = g->r;
	bool cut;

	gotext_close_goroutine(g);
	if (!r->open)
		return;
	r->open = false;
	cut = lacks_end(r);
	r->dump.noise = r->noise;
	/* of a profile that says that there is none, that is all */
	if (r->dump.n > 1 || ((r->dump.flags & GOTEXT_PROFILE) && !cut))
		r->dump.flags |= GOTEXT_WHOLE;
	r->dump.flags |= cut ? (uint32_t)GOTEXT_CUT : 0;
	r->over = r->dump.flags & GOTEXT_FINAL;
	if (r->place == SIZE_MAX) {
		g->lost_texts += r->dump.n;
	} else {
		tally(g);
		if (r->dump.flags & GOTEXT_WHOLE) {
			make_idents(r, &r->before);
			if (r->first_dump == GOTEXT_NONE) {
				r->first_dump = (uint32_t)r->place;
				make_idents(r, &r->first);
			}
		}
		g->dumps.v[r->place] = r->dump;
		if (is_kept(g, &r->dump))
			keep_dump(g);
	}
	r->gs.n = r->args.n = 0;
}

struct err *gotext_feed(struct gotext *g, struct input *in)
{
	struct gotext_shared *all = g->r->all;
	const char *name = input_name(in);
	struct err *err = NULL;

	all->file = gotext_intern(g, (struct bit){ name, strlen(name) });
	all->line = 0;
	gotext_streams_begin(g);
	while (!err && !all->nomem) {
		const char *line;
		size_t n;

		err = input_line(in, GOTEXT_LINE_MAX, &line, &n);
		if (err || !line)
			break;
		gotext_line(g, input_line_ended(in) ? (struct bit){ line, n }
						    : gotext_sure((struct bit){ line, n }));
	}
	gotext_lines_end(g);
	gotext_streams_close(g);
	if (input_damage(in))
		g->damage = input_damage(in);
	return err ? err : all->nomem ? &err_nomem : NULL;
}

/* Nothing more is read: what only reading needs is let go. */
static void let_go(struct gotext_shared *all)
{
	for (size_t i = 0; i < all->nstreams; i++) {
		vec_free(&all->stream[i]->gs);
		vec_free(&all->stream[i]->args);
		vec_free(&all->stream[i]->before);
		vec_free(&all->stream[i]->first);
	}
	vec_free(&all->scratch);
	vec_free(&all->plain_line);
	vec_free(&all->parts[0].text);
	vec_free(&all->parts[1].text);
}

struct err *gotext_finish(struct gotext *g)
{
	struct gotext_reader *r = g->r;
	const char *file = gotext_text(g, r->all->file);

	if (r->all->nomem)
		return &err_nomem;
	if (!g->dumps.n)
		return err_bad_data(
			"%.200s: no goroutine in %llu lines: want what a panic, SIGQUIT, "
			"runtime.Stack or /debug/pprof/goroutine?debug=2 writes",
			file, (unsigned long long)g->lines);
	if (g->kept == SIZE_MAX)
		return err_usage("--dump %zu: there are %zu in %.200s", r->all->want, g->dumps.n, file);
	let_go(r->all);
	return NULL;
}

struct err *gotext_read(struct input *in, struct gotext **ret)
{
	_cleanup_(gotext_freep) struct gotext *g = NULL;
	struct err *err = gotext_create(0, &g);

	if (!err)
		err = gotext_feed(g, in);
	if (!err)
		err = gotext_finish(g);
	if (err)
		return err;
	*ret = STEAL(g);
	return NULL;
}
