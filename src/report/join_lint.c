/*
 * join_lint.c - a linter's warnings, and what is alive of what was made through their lines.
 *
 * A warning's line is one of the frames of a stack that allocated, or a goroutine stands in it or
 * was started there.  That a warning is about the same kind of fault as a finding proves nothing,
 * and is said so.  Cost: a look-up for each frame; a pass over the samples for each warning that
 * was met, WEIGHED_MAX of them.
 */
#include "report/join_priv.h"

#include "base/str.h"
#include "evidence/lint.h"

enum { ROWS_MAX = 200, WEIGHED_MAX = 128 };

struct met {
	struct join_sum sum;
	uint64_t goroutines, goroutine_bytes;
	bool any, split;
};

struct joiner {
	struct agg *a;
	const struct lint *l;
	const char *name;
	struct join_index idx;
	struct met *met;	/* by row of the report */
	struct join_hits *hits; /* by frame of the sites */
};

static void joiner_deinit(struct joiner *j)
{
	join_index_deinit(&j->idx);
	free(j->met);
	free(j->hits);
}

static struct err *make_index(struct joiner *j, const char *module)
{
	const struct lint *l = j->l;

	j->idx.module = module;
	j->idx.nfiles = (uint32_t)l->words.at.n + 1;
	for (size_t i = 0; i < l->rows.n; i++) {
		const struct lint_row *r = &l->rows.v[i];
		struct join_place p = { lint_text(l, r->package), lint_text(l, r->file), r->file,
					r->line, (uint32_t)i };

		if (!vec_push(&j->idx.places, p))
			return &err_nomem;
	}
	j->met = zalloc(l->rows.n, sizeof(*j->met));
	return j->met ? join_index_make(&j->idx) : &err_nomem;
}

static void meet(struct joiner *j, const struct join_hits *h)
{
	for (size_t i = 0; i < h->n; i++) {
		j->met[h->row[i]].any = true;
		j->met[h->row[i]].split |= h->split;
	}
}

static struct err *meet_sites(struct joiner *j, const struct join_sites *s)
{
	j->hits = zalloc(s->frames.n, sizeof(*j->hits));
	if (!j->hits)
		return &err_nomem;
	for (size_t i = 0; i < s->frames.n; i++) {
		join_find(&j->idx, &s->frames.v[i], &j->hits[i]);
		meet(j, &j->hits[i]);
	}
	return NULL;
}

static bool passes(const struct joiner *j, const struct join_site *y, uint32_t row)
{
	for (size_t i = y->first; i < y->first + y->n; i++)
		for (size_t k = 0; k < j->hits[i].n; k++)
			if (j->hits[i].row[k] == row)
				return true;
	return false;
}

static struct err *weigh(struct joiner *j, const struct join_sites *s)
{
	_cleanup_(freep) uint32_t *row = zalloc(s->v.n, sizeof(*row));
	struct err *err = row ? NULL : &err_nomem;
	unsigned n = 0;

	for (uint32_t i = 0; i < j->l->rows.n && !err; i++) {
		bool look = j->a->s || j->a->asked;

		if (!look || (j->met[i].any && n >= WEIGHED_MAX))
			j->met[i].sum.retained = j->met[i].sum.guess = ANS_UNKNOWN;
		if (!j->met[i].any || n++ >= WEIGHED_MAX)
			continue;
		for (size_t k = 0; k < s->v.n; k++)
			row[k] = passes(j, &s->v.v[k], i) ? 0 : UINT32_MAX;
		err = join_add_up(s, row, 1, &j->met[i].sum);
	}
	return err;
}

/* A group of goroutines of one stack at the lines that it stands in, each line once. */
static void meet_group(struct joiner *j, const struct ans_goroutines *gs, const struct ans_group *g)
{
	const struct ans_goroutine *one = &gs->gs.v[g->example];
	struct join_hits h;
	uint32_t last = UINT32_MAX;

	for (size_t i = 0; i <= one->nframes; i++) {
		const struct ans_frame *f =
			i < one->nframes ? &gs->frames.v[one->first_frame + i] : &one->created_at;

		if (!f->function || !f->file)
			continue;
		join_find(&j->idx, f, &h);
		meet(j, &h);
		for (size_t k = 0; k < h.n; k++) {
			if (h.row[k] == last)
				continue;
			last = h.row[k];
			j->met[last].goroutines += g->count;
			j->met[last].goroutine_bytes +=
				g->stack_bytes + (g->retained == ANS_UNKNOWN ? 0 : g->retained);
		}
	}
}

static struct err *meet_goroutines(struct joiner *j)
{
	_cleanup_(ans_goroutines_deinit) struct ans_goroutines gs = { 0 };
	struct goroutines_ask q = { .by = GROUP_STACK, .limit = SIZE_MAX };
	struct err *err = j->a->s || j->a->asked ? agg_goroutines(j->a, &q, &gs) : NULL;

	if (err && err->code != ERR_NOMEM) { /* evidence without goroutines */
		err_free(err);
		return NULL;
	}
	for (size_t i = 0; i < gs.groups.n && !err; i++)
		if (gs.groups.v[i].example < gs.gs.n)
			meet_group(j, &gs, &gs.groups.v[i]);
	return err;
}

static uint64_t weight(const struct ans_join_lint *x)
{
	return MAX(join_held(x->retained, x->retained_guess), x->bytes) + x->goroutine_bytes;
}

/* What holds most; of those that hold nothing the ones that are about leaks. */
static int by_weight(const void *a, const void *b)
{
	const struct ans_join_lint *x = a, *y = b;
	uint64_t n = weight(x), k = weight(y);

	if (n != k)
		return n < k ? 1 : -1;
	if (!*x->place.about != !*y->place.about)
		return *x->place.about ? -1 : 1;
	return x->place.line - y->place.line;
}

static struct err *push_rows(struct joiner *j, struct ans_joined *ret)
{
	for (size_t i = 0; i < j->l->rows.n; i++) {
		const struct met *m = &j->met[i];
		struct ans_join_lint x = { .retained = m->sum.retained,
					   .retained_guess = m->sum.guess,
					   .objects = m->sum.objects,
					   .bytes = m->sum.bytes,
					   .sampled = m->sum.sampled,
					   .goroutines = m->goroutines,
					   .goroutine_bytes = m->goroutine_bytes,
					   .split = m->split };

		agg_lint_place(j->l, i, &x.place);
		if (!m->any && !*x.place.about)
			continue;
		if (!vec_push(&ret->lints, x))
			return &err_nomem;
	}
	if (ret->lints.n)
		qsort(ret->lints.v, ret->lints.n, sizeof(ret->lints.v[0]), by_weight);
	ret->nlints = ret->lints.n;
	ret->lints.n = MIN(ret->lints.n, (size_t)ROWS_MAX);
	return NULL;
}

static const char *sentence(struct joiner *j, uint32_t row, const char *how)
{
	const struct lint_row *r = &j->l->rows.v[row];

	return keepf(&j->a->keep, "%s:%d: %s: %s%s%s; %s", lint_text(j->l, r->file), r->line,
		     lint_text(j->l, r->rule), lint_text(j->l, r->message), r->leak ? ": " : "",
		     r->leak ? r->leak->about : "", how);
}

static bool is_about(const struct lint_row *r, const char *kind)
{
	return r->leak && (!strcmp(r->leak->finding, kind) ||
			   (r->leak->finding2 && !strcmp(r->leak->finding2, kind)));
}

/* The first warning on the way that is about such a fault; else any about what stays. */
static bool on_stack(struct joiner *j, const struct ans_finding *f, const struct ans_frame *v,
		     size_t n, uint32_t *ret)
{
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		struct join_hits h;

		if (!v[i].function || !v[i].file)
			continue;
		join_find(&j->idx, &v[i], &h);
		for (size_t k = 0; k < h.n; k++) {
			const struct lint_row *r = &j->l->rows.v[h.row[k]];

			if (is_about(r, f->kind)) {
				*ret = h.row[k];
				return true;
			}
			if (!found && r->leak) {
				*ret = h.row[k];
				found = true;
			}
		}
	}
	return found;
}

static uint64_t met_bytes(const struct met *m)
{
	return MAX(join_held(m->sum.retained, m->sum.guess), m->sum.bytes) + m->goroutine_bytes;
}

/* Of the warnings about such a fault the one through which most was made; UINT32_MAX: none. */
static uint32_t heaviest(const struct joiner *j, const char *kind)
{
	uint32_t best = UINT32_MAX;

	for (uint32_t i = 0; i < j->l->rows.n; i++)
		if (is_about(&j->l->rows.v[i], kind) &&
		    (best == UINT32_MAX || met_bytes(&j->met[i]) > met_bytes(&j->met[best])))
			best = i;
	return best;
}

/* Nothing of the finding itself leads to the line: the same kind, and as many bytes, at most. */
static struct err *say_kind(struct joiner *j, struct ans_finding *f)
{
	uint32_t row = heaviest(j, f->kind);
	uint64_t n = row == UINT32_MAX ? 0 : met_bytes(&j->met[row]);
	char size[16];

	if (row == UINT32_MAX)
		return NULL;
	if (!n)
		return join_say(f, j->name, "nothing",
				sentence(j, row,
					 "the same kind of fault, but nothing of this finding was "
					 "seen to pass that line"));
	return join_say(
		f, j->name, n >= (f->bytes + f->stack_bytes) / 2 ? "yes" : "nothing",
		sentence(j, row,
			 keepf(&j->a->keep,
			       "the same kind of fault, and what was made through that line "
			       "keeps about %s now",
			       str_bytes(size, n))));
}

static struct err *say(struct joiner *j, struct ans_finding *f)
{
	uint32_t row;

	if (on_stack(j, f, f->stack.v, f->stack.n, &row))
		return join_say(f, j->name,
				is_about(&j->l->rows.v[row], f->kind) ? "yes" : "nothing",
				sentence(j, row, "the goroutine stands in that line"));
	if (on_stack(j, f, f->origin.stack.v, f->origin.stack.n, &row) &&
	    !join_is_made_there(&f->origin))
		return join_say(f, j->name, "nothing",
				sentence(j, row,
					 "where it is made is a guess; if it was made there, it "
					 "was through that line"));
	if (on_stack(j, f, f->origin.stack.v, f->origin.stack.n, &row))
		return join_say(f, j->name,
				is_about(&j->l->rows.v[row], f->kind) ? "yes" : "nothing",
				sentence(j, row, "what is held was made through that line"));
	return say_kind(j, f);
}

struct err *join_lint(struct agg *a, const struct join_file *f, const struct join_sites *s,
		      struct ans_report *r, struct ans_joined *ret)
{
	_cleanup_(joiner_deinit) struct joiner j = { .a = a, .l = f->lint, .name = f->name };
	struct err *err = make_index(&j, s->module);

	ret->is_lint = true;
	if (a->asked) {
		ret->by_samples = false;
		ret->note =
			"A store keeps the lines that allocate, not their callers: what passed a "
			"warning's line further out is not known.";
	}
	ret->damage = f->lint->damage;
	if (!err)
		err = meet_sites(&j, s);
	if (!err)
		err = weigh(&j, s);
	if (!err)
		err = meet_goroutines(&j);
	if (!err)
		err = push_rows(&j, ret);
	for (size_t i = 0; i < r->findings.rows.n && !err; i++)
		err = say(&j, &r->findings.rows.v[i]);
	return err;
}
