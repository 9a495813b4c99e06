/*
 * mix_gotext.c - what goroutines in texts say beside other evidence.
 *
 * Counts of the text are exact for its time; a look at another time may have more or fewer.  What
 * the text suspects by itself (agg_gotext) becomes a finding where the look has none of that
 * function.
 */
#include "report/mix.h"

#include "evidence/gotext.h"
#include "report/agg_gotext.h"

#include <inttypes.h>
#include <math.h>

static bool of_function(const struct ans_finding *f, const char *function)
{
	return f->has_goroutine && f->goroutine.function &&
	       !strcmp(f->goroutine.function, function);
}

/* Who is it about?  "" nobody. */
static const char *function_of(const struct ans_finding *f)
{
	return f->has_goroutine && f->goroutine.function ? f->goroutine.function : "";
}

static bool is_known(const struct mixing *m, const struct ans_finding *x)
{
	for (size_t i = 0; i < m->looked; i++) {
		const struct ans_finding *f = &m->r->findings.rows.v[i];

		if (*function_of(x) && of_function(f, x->goroutine.function))
			return true;
		if (!*function_of(x) && !strcmp(f->kind, x->kind))
			return true;
	}
	return false;
}

struct err *mix_find_gotext(struct mixing *m, const struct join_file *f)
{
	struct ans_findings *from = &f->said->findings;
	struct err *err = NULL;

	if (m->h.kind && !mix_kin_of(m, f)->decides)
		return NULL;
	for (size_t i = 0; i < from->rows.n && !err; i++) {
		struct ans_finding x = from->rows.v[i];

		if (is_known(m, &x))
			continue;
		from->rows.v[i] = mix_finding; /* it is moved */
		err = mix_push(m, &x, f, keepf(m->k, "%s", x.title));
	}
	return err;
}

static const char *growth(struct keep *k, const struct gotext_found *x)
{
	if (x->ndumps < 2)
		return "";
	if (isfinite(x->per_hour))
		return keepf(k, ", %+" PRId64 " since the first of %u dumps (%+.3g an hour)",
			     x->growth, x->ndumps, x->per_hour);
	return keepf(k, ", %+" PRId64 " since the first of %u dumps", x->growth, x->ndumps);
}

static const char *how_long(struct keep *k, const struct gotext_found *x)
{
	if (!x->oldest_minutes)
		return "";
	return keepf(k, ", the longest for at least %s",
		     mix_ns(k, x->oldest_minutes * 60000000000ULL));
}

static uint64_t all_of(const struct join_file *f)
{
	const struct gotext *g = f->gotext;

	return g->kept < g->dumps.n ? g->dumps.v[g->kept].n : 0;
}

/* As many as before or more, and many of them: they pile up.  Fewer than two say nothing. */
static const char *supports(const struct ans_finding *f, const struct gotext_found *x)
{
	if (x->ndumps >= 2 && x->growth < 0 && !strcmp(f->verdict, "suspect"))
		return "no";
	return x->count >= 2 || f->goroutine.count < 2 ? "yes" : "nothing";
}

static struct err *say(struct mixing *m, const struct join_file *file, struct ans_finding *f)
{
	struct gotext_found x;
	const char *function = function_of(f), *now;

	if (!*function || !mix_is_leaky(f))
		return NULL;
	now = m->h.kind ? keepf(m->k, "; %s in the look", mix_count(m->k, f->goroutine.count)) : "";
	if (!gotext_find(file->gotext, function, GOTEXT_STARTED_WITH, &x))
		return mix_say(
			m, file, f, "no",
			keepf(m->k,
			      "no goroutine of %s among its %s%s: it was written before they "
			      "began, or when they had ended",
			      function, mix_count(m->k, all_of(file)), now));
	return mix_say(m, file, f, supports(f, &x),
		       keepf(m->k, "%s goroutine%s of %s, %s of them waiting%s%s%s",
			     mix_count(m->k, x.count), x.count == 1 ? "" : "s", function,
			     mix_count(m->k, x.waiting), how_long(m->k, &x), growth(m->k, &x),
			     now));
}

/* seen[i]: frame i is of the dump that is kept; others of the row may be of another program. */
static void mark_frames(const struct gotext *g, bool *seen)
{
	const struct gotext_dump *d = g->kept < g->dumps.n ? &g->dumps.v[g->kept] : NULL;

	for (uint32_t i = 0; d && i < d->ntallies; i++) {
		const struct gotext_stack *s = &g->stacks.v[g->tallies.v[d->first_tally + i].stack];

		for (uint32_t k = 0; k < s->n; k++)
			seen[g->links.v[s->first + k]] = true;
		if (s->created != GOTEXT_NONE)
			seen[s->created] = true;
	}
}

struct err *mix_same_gotext(struct mixing *m, const struct join_file *f, struct mix_kin *ret)
{
	const struct gotext *g = f->gotext;
	_cleanup_(freep) bool *seen = zalloc(g->frames.n, sizeof(*seen));
	VEC(const char *) names = { 0 };
	bool ok = seen != NULL;

	if (ok)
		mark_frames(g, seen);
	for (size_t i = 0; i < g->frames.n && ok; i++)
		if (seen[i])
			ok = vec_push(&names, gotext_text(g, g->frames.v[i].function));
	if (ok)
		mix_same(m, names.v, names.n, ret);
	for (size_t i = 0; i < g->frames.n && ok; i++) {
		const struct ans_frame at = { .function = gotext_text(g, g->frames.v[i].function),
					      .file = gotext_text(g, g->frames.v[i].file),
					      .line = (int)MIN(g->frames.v[i].line, INT32_MAX) };

		if (seen[i])
			mix_same_main(m, &at, ret);
	}
	vec_free(&names);
	return ok ? NULL : &err_nomem;
}

static void describe(struct mixing *m, const struct join_file *f, struct ans_beside *to)
{
	const struct ans_gotext *a = f->said;

	to->kind = "goroutines";
	to->damage = f->gotext->damage;
	to->at_unix_ns = a->head.at_unix_ns;
	to->what =
		keepf(m->k, "%s goroutines%s", mix_count(m->k, all_of(f)),
		      a->dumps.n > 1 ? keepf(m->k, " in the last of %zu dumps", a->dumps.n) : "");
	if (a->groups.n)
		to->what = keepf(m->k, "%s, most of them (%s): %s", to->what,
				 mix_count(m->k, a->groups.v[0].count), a->groups.v[0].name);
	if (a->suspect)
		to->what = keepf(m->k, "%s; %s suspected", to->what, mix_count(m->k, a->suspect));
}

struct err *mix_say_gotext(struct mixing *m, const struct join_file *f, struct ans_beside *to)
{
	struct ans_findings *all = &m->r->findings;
	struct err *err = NULL;

	describe(m, f, to);
	if (!strcmp(to->same, "no"))
		return NULL;
	for (size_t i = 0; i < all->rows.n && !err; i++)
		if (!mix_is_own(&all->rows.v[i], f))
			err = say(m, f, &all->rows.v[i]);
	return err;
}
