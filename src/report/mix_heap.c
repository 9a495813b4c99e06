/*
 * mix_heap.c - what profiles say of findings, and sites that grow from one to the next.
 *
 * A place is a function and a line; in the profile what was allocated there and in what it called
 * (cum) is its figure.  Shares of what was ever allocated that are in use still tell what stays
 * from what comes and goes.
 */
#include "report/mix.h"

#include <inttypes.h>

enum { GROWERS_MAX = 3 };
#define GROWN_LEAST (4 << 20)
/* Samples are of half a MiB each: fewer bytes may be missed. */
#define SEEN_FROM   ((uint64_t)8 << 20)
#define FEW_SAMPLES ((int64_t)2 << 20)

static const struct mix_profile *pick(const struct mix_profiles *x, enum mix_profile_kind kind,
				      bool last)
{
	const struct mix_profile *found = NULL;

	for (size_t i = 0; i < x->v.n; i++) {
		const struct mix_profile *p = &x->v.v[i];

		if (p->kind != kind || !p->lines || p->doubt > 1)
			continue;
		if (!found || (last && p->doubt == found->doubt))
			found = p;
	}
	return found;
}

static int64_t cum_at(const struct pprof_graph *lines, const struct pprof_graph *functions,
		      const struct ans_frame *f, bool *ret_line)
{
	for (size_t i = 0; lines && i < lines->nodes.n; i++)
		if (lines->nodes.v[i].line == f->line &&
		    !strcmp(lines->nodes.v[i].name, f->function)) {
			*ret_line = true;
			return lines->nodes.v[i].cum;
		}
	for (size_t i = 0; functions && i < functions->nodes.n; i++)
		if (!strcmp(functions->nodes.v[i].name, f->function))
			return functions->nodes.v[i].cum;
	return 0;
}

/* Of where it was allocated, the innermost frame of the program itself. */
static const struct ans_frame *place_of(const struct mixing *m, const struct ans_finding *f)
{
	const struct ans_origin *o = &f->origin;

	for (size_t i = 0; i < o->stack.n; i++)
		if (o->stack.v[i].function && mix_is_own_name(m, o->stack.v[i].function))
			return &o->stack.v[i];
	for (size_t i = 0; i < o->stack.n; i++)
		if (o->stack.v[i].function && !strcmp(o->stack.v[i].function, "main.main"))
			return &o->stack.v[i];
	return o->stack.n && o->stack.v[0].function ? &o->stack.v[0] : NULL;
}

/* How much of what was ever allocated there stays. */
static const char *ratio(struct keep *k, int64_t now, int64_t all)
{
	int percent = all > 0 ? (int)(100.0 * (double)now / (double)all) : 0;

	if (all <= 0 || now < FEW_SAMPLES)
		return "";
	return keepf(k, ", %d %% of all that was ever allocated there (%s)", percent,
		     percent >= 50   ? "it stays"
		     : percent >= 10 ? "part of it stays"
				     : "most comes and goes");
}

struct growth {
	const struct mix_profile *first, *last;
	int64_t then, now;
};

/*
 * Did the program do anything between them?  The same profile twice, and two of one collection
 * (what is in use is of the last one), have the same sum of all that was ever allocated.
 */
static bool is_later(const struct growth *g)
{
	const struct mix_profile *x = g->first, *y = g->last;

	if (x == y || (x->p->time_ns > 0 && x->p->time_ns == y->p->time_ns))
		return false;
	if (!x->all_lines || !y->all_lines)
		return x->lines->total != y->lines->total;
	return y->all_lines->total - x->all_lines->total >= FEW_SAMPLES ||
	       x->all_lines->total > y->all_lines->total; /* it was started anew */
}

/* So much work that what grows with it would have shown. */
static bool is_much_later(const struct growth *g)
{
	const struct pprof_graph *x = g->first->all_lines, *y = g->last->all_lines;

	return x && y && y->total - x->total >= MAX(FEW_SAMPLES, x->total / 2);
}

static const char *between(struct keep *k, const struct growth *g)
{
	int64_t ns = g->last->p->time_ns - g->first->p->time_ns;
	bool timed = ns > 0 && g->first->p->time_ns > 0;

	if (g->first == g->last)
		return "";
	if (!is_later(g))
		return keepf(k, "; %s%s%s: that says nothing of growth",
			     timed ? "next to nothing was allocated since " : "at the same time as ",
			     g->first->f->name,
			     timed ? keepf(k, ", %s earlier", mix_ns(k, (uint64_t)ns)) : "");
	return keepf(k, "; %s%s since %s%s%s", g->now >= g->then ? "+" : "",
		     mix_bytes(k, (double)(g->now - g->then)), g->first->f->name,
		     timed ? ", " : "",
		     timed ? keepf(k, "%s earlier", mix_ns(k, (uint64_t)ns)) : "");
}

static const char *weighs_use(const struct ans_finding *f, int64_t now)
{
	if (now > 0)
		return now >= FEW_SAMPLES && (uint64_t)now >= f->bytes / 8 ? "yes" : "nothing";
	return f->bytes >= SEEN_FROM ? "no" : "nothing";
}

/* Growth is seen from some samples, and from a tenth, on; none of it is seen of as much. */
static const char *weighs(const struct ans_finding *f, const struct growth *g)
{
	bool suspect = !strcmp(f->verdict, "suspect");

	if (!is_later(g))
		return weighs_use(f, g->now);
	if (MAX(g->now, g->then) < FEW_SAMPLES)
		return g->now || f->bytes < SEEN_FROM ? "nothing" : "no";
	if (g->now - g->then >= MAX(FEW_SAMPLES, g->then / 10))
		return "yes";
	if (suspect)
		return g->now <= g->then && is_much_later(g) ? "no" : "nothing";
	return weighs_use(f, g->now);
}

/* Growth that a log measured has no place: the profile has them. */
static struct err *say_where(struct mixing *m, const struct mix_profile *p, struct ans_finding *f)
{
	const struct pprof_node *n = p->lines->nodes.n ? &p->lines->nodes.v[0] : NULL;

	if (!n || n->flat <= 0)
		return NULL;
	return mix_say(m, p->f, f,
		       (uint64_t)p->lines->total >= f->bytes / 2 ? "yes" : "nothing",
		       keepf(m->k, "%s in use, most of it (%s) allocated by %s (%s:%" PRId64 ")",
			     mix_bytes(m->k, (double)p->lines->total),
			     mix_bytes(m->k, (double)n->flat), n->name, mix_base(n->file),
			     n->line));
}

static struct err *say_heap(struct mixing *m, const struct mix_profiles *x, struct ans_finding *f)
{
	struct growth g = { pick(x, MIX_HEAP, false), pick(x, MIX_HEAP, true), 0, 0 };
	const struct ans_frame *at = place_of(m, f);
	bool line = false, then = false;
	const char *where;
	int64_t all;

	if (g.last && !at && !strcmp(f->kind, "heap-growth"))
		return say_where(m, g.last, f);
	if (!g.last || !at || !mix_is_memory(f) || mix_is_own(f, g.last->f))
		return NULL;
	g.now = cum_at(g.last->lines, g.last->functions, at, &line);
	g.then = cum_at(g.first->lines, g.first->functions, at, &then);
	all = cum_at(g.last->all_lines, g.last->all_functions, at, &then);
	where = line ? keepf(m->k, "%s (%s:%d)", at->function, mix_base(at->file), at->line)
		     : at->function;
	if (!g.now && !g.then && (f->bytes < SEEN_FROM || f->origin.by_code))
		return NULL; /* so few may have no sample; where they are made is a guess */
	if (!g.now && !g.then)
		return mix_say(m, g.last->f, f, weighs(f, &g),
			       keepf(m->k,
				     "nothing in use that %s allocated: it was taken before, or is "
				     "of another build",
				     where));
	return mix_say(m, g.last->f, f, weighs(f, &g),
		       keepf(m->k, "%s in use that %s allocated%s%s",
			     mix_bytes(m->k, (double)g.now), where, ratio(m->k, g.now, all),
			     between(m->k, &g)));
}

static int64_t cum_of(const struct pprof_graph *g, const char *function)
{
	for (size_t i = 0; g && i < g->nodes.n; i++)
		if (!strcmp(g->nodes.v[i].name, function))
			return g->nodes.v[i].cum;
	return 0;
}

static struct err *say_goroutines(struct mixing *m, const struct mix_profile *p,
				  struct ans_finding *f)
{
	const char *function = f->has_goroutine ? f->goroutine.function : NULL, *now;
	int64_t n;

	if (!p || !function || !mix_is_leaky(f))
		return NULL;
	n = cum_of(p->functions, function);
	now = m->h.kind ? keepf(m->k, "; %s in the look", mix_count(m->k, f->goroutine.count)) : "";
	if (p->kind == MIX_LEAKED)
		return mix_say(m, p->f, f, n ? "yes" : "nothing",
			       keepf(m->k,
				     "the runtime's own search found %" PRId64
				     " goroutines of %s leaked%s",
				     n, function, now));
	return mix_say(m, p->f, f,
		       n >= 2 || (n && f->goroutine.count < 2) ? "yes"
		       : n				       ? "nothing"
							       : "no",
		       keepf(m->k, "%" PRId64 " goroutines of %s%s", n, function, now));
}

static struct err *say_waits(struct mixing *m, const struct mix_profile *p, struct ans_finding *f)
{
	if (!p || strcmp(f->kind, "lock-contention") != 0)
		return NULL;
	for (size_t i = 0; i < f->stack.n; i++) {
		int64_t n = f->stack.v[i].function && mix_is_own_name(m, f->stack.v[i].function)
				    ? cum_of(p->functions, f->stack.v[i].function)
				    : 0;

		if (n > 0)
			return mix_say(m, p->f, f, "yes",
				       keepf(m->k, "%s were waited in %s",
					     mix_ns(m->k, (uint64_t)n), f->stack.v[i].function));
	}
	return mix_say(m, p->f, f, "nothing",
		       "no wait that ended is of that stack: who waits for ever is in no profile");
}

struct err *mix_say_profiles(struct mixing *m, const struct mix_profiles *x)
{
	struct ans_findings *all = &m->r->findings;
	struct err *err = NULL;

	for (size_t i = 0; i < all->rows.n && !err; i++) {
		struct ans_finding *f = &all->rows.v[i];

		err = say_heap(m, x, f);
		if (!err)
			err = say_goroutines(m, pick(x, MIX_GOROUTINES, true), f);
		if (!err)
			err = say_goroutines(m, pick(x, MIX_LEAKED, true), f);
		if (!err)
			err = say_waits(m, pick(x, MIX_WAITS, true), f);
	}
	return err;
}

static bool is_told(const struct mixing *m, const char *function)
{
	for (size_t i = 0; i < m->r->findings.rows.n; i++) {
		const struct ans_origin *o = &m->r->findings.rows.v[i].origin;

		for (size_t k = 0; k < o->stack.n; k++)
			if (o->stack.v[k].function && !strcmp(o->stack.v[k].function, function))
				return true;
	}
	return false;
}

static int64_t flat_at(const struct pprof_graph *g, const struct pprof_node *n)
{
	for (size_t i = 0; i < g->nodes.n; i++)
		if (g->nodes.v[i].line == n->line && !strcmp(g->nodes.v[i].name, n->name))
			return g->nodes.v[i].flat;
	return 0;
}

static struct err *found(struct mixing *m, const struct growth *g, const struct pprof_node *n)
{
	struct ans_finding f = mix_finding;
	struct ans_frame at = { n->name, n->file, (int)n->line, false };

	f.kind = "heap-growth";
	f.verdict = "suspect"; /* two profiles: a cache fills up the same way */
	f.proof = "measured";
	f.bytes = (uint64_t)(g->now - g->then);
	f.unmeasured = false;
	f.title = keepf(m->k, "memory in use that %s (%s:%" PRId64 ") allocated grew by %s, to %s",
			n->name, mix_base(n->file), n->line, mix_bytes(m->k, (double)f.bytes),
			mix_bytes(m->k, (double)g->now));
	f.site_text = keepf(m->k, "%s (%s:%" PRId64 ")", n->name, mix_base(n->file), n->line);
	f.fix = m->h.kind
			? "limpet why TARGET TYPE says who holds it"
			: "a profile has no holders: limpet report PID, with these files behind it, "
			  "says who holds it";
	f.decide =
		"a third profile after as much work again: what fills up slows down, a leak does "
		"not";
	f.signature = mix_sign(m->k, f.kind, n->name);
	if (!vec_push(&f.origin.stack, at))
		return &err_nomem;
	f.origin.basis = f.origin.like = f.origin.why = "";
	f.origin.sampled = true;
	return mix_push(m, &f, g->last->f,
			keepf(m->k, "%s in use, %s in %s", mix_bytes(m->k, (double)g->now),
			      mix_bytes(m->k, (double)g->then), g->first->f->name));
}

struct err *mix_find_profiles(struct mixing *m, const struct mix_profiles *x)
{
	struct growth g = { pick(x, MIX_HEAP, false), pick(x, MIX_HEAP, true), 0, 0 };
	int64_t least;
	struct err *err = NULL;

	if (!g.last || g.first == g.last || g.last->doubt)
		return NULL;
	least = MAX(GROWN_LEAST, g.last->lines->total / 10);
	for (size_t i = 0, n = 0; i < g.last->lines->nodes.n && n < GROWERS_MAX && !err; i++) {
		const struct pprof_node *v = &g.last->lines->nodes.v[i];

		g.now = v->flat;
		g.then = flat_at(g.first->lines, v);
		if (g.now < least)
			break; /* they are in that order */
		if (g.now - g.then < least || is_told(m, v->name))
			continue;
		n++;
		err = found(m, &g, v);
	}
	return err;
}
