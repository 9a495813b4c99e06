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
	g->r = zalloc(1, sizeof(*g->r));
	if (!g->r)
		return &err_nomem;
	g->kept = SIZE_MAX;
	g->r->want = dump;
	g->r->first_dump = g->r->instead = GOTEXT_NONE;
	*ret = STEAL(g);
	return NULL;
}

static void reader_free(struct gotext_reader *r)
{
	if (!r)
		return;
	gotext_tables_deinit(r);
	vec_free(&r->scratch);
	vec_free(&r->plain_line);
	vec_free(&r->parts[0].text);
	vec_free(&r->parts[1].text);
	vec_free(&r->gs);
	vec_free(&r->args);
	vec_free(&r->cur_links);
	vec_free(&r->before);
	vec_free(&r->first);
	free(r);
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
	reader_free(g->r);
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
	r->noise = r->gap = 0;
	r->seen.stamp++;
	r->seen.used = 0;
	if (r->over) {
		r->over = false;
		r->process++;
		r->first_dump = GOTEXT_NONE;
		r->before.n = r->first.n = 0;
	}
	r->dump = (struct gotext_dump){
		.time_ns = r->time_ns,
		.at_line = r->line,
		.file = r->file,
		.process = r->process,
		.flags = (r->timed ? (uint32_t)GOTEXT_TIMED : 0) | r->time_flags,
		.panic = GOTEXT_NONE,
	};
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
				r->nomem = true;
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
			r->nomem = true;
	}
	if (to->n)
		qsort(to->v, to->n, sizeof(to->v[0]), by_id);
}

static bool is_kept(const struct gotext *g, const struct gotext_dump *d)
{
	size_t n = g->dumps.n + 1;

	if (g->r->want)
		return n == g->r->want;
	return g->kept == SIZE_MAX || (d->flags & GOTEXT_WHOLE) ||
	       !(g->dumps.v[g->kept].flags & GOTEXT_WHOLE);
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
	g->kept = g->dumps.n;
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
	if (g->dumps.n >= GOTEXT_DUMPS_MAX) {
		g->lost_texts += r->dump.n;
	} else if (r->gs.n || (r->dump.flags & GOTEXT_PROFILE)) {
		tally(g);
		if (r->dump.flags & GOTEXT_WHOLE) {
			make_idents(r, &r->before);
			if (r->first_dump == GOTEXT_NONE) {
				r->first_dump = (uint32_t)g->dumps.n;
				make_idents(r, &r->first);
			}
		}
		if (is_kept(g, &r->dump))
			keep_dump(g);
		if (!vec_push(&g->dumps, r->dump))
			r->nomem = true;
	}
	r->gs.n = r->args.n = 0;
}

struct err *gotext_feed(struct gotext *g, struct input *in)
{
	struct gotext_reader *r = g->r;
	const char *name = input_name(in);
	struct err *err = NULL;

	gotext_close_dump(g);
	r->file = gotext_intern(g, (struct bit){ name, strlen(name) });
	r->line = 0;
	r->timed = r->has_panic = false;
	r->time_flags = 0;
	r->wrap = (struct gotext_wrap){ 0 };
	while (!err && !r->nomem) {
		const char *line;
		size_t n;

		err = input_line(in, GOTEXT_LINE_MAX, &line, &n);
		if (err || !line)
			break;
		gotext_line(g, input_line_ended(in) ? (struct bit){ line, n }
						    : gotext_sure((struct bit){ line, n }));
	}
	gotext_lines_end(g);
	gotext_close_dump(g);
	if (input_damage(in))
		g->damage = input_damage(in);
	return err ? err : r->nomem ? &err_nomem : NULL;
}

struct err *gotext_finish(struct gotext *g)
{
	struct gotext_reader *r = g->r;
	const char *file = gotext_text(g, r->file);

	if (r->nomem)
		return &err_nomem;
	if (!g->dumps.n)
		return err_bad_data(
			"%.200s: no goroutine in %llu lines: want what a panic, SIGQUIT, "
			"runtime.Stack or /debug/pprof/goroutine?debug=2 writes",
			file, (unsigned long long)g->lines);
	if (g->kept == SIZE_MAX)
		return err_usage("--dump %zu: there are %zu in %.200s", r->want, g->dumps.n, file);
	vec_free(&r->gs);
	vec_free(&r->args);
	vec_free(&r->before);
	vec_free(&r->first);
	vec_free(&r->scratch);
	vec_free(&r->plain_line);
	vec_free(&r->parts[0].text);
	vec_free(&r->parts[1].text);
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
