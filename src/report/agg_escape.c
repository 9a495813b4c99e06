/*
 * agg_escape.c - what a report of the compiler answers by itself.
 *
 * Which places there are, why, and in what order they are worth reading: those that make
 * something and are not harmless first.  Cost: O(n log n).
 */
#include "report/answer_escape.h"

#include "base/keep.h"
#include "evidence/escape.h"

enum { CAPTURES_SHOWN = 64 };

void ans_escape_deinit(struct ans_escape *a)
{
	vec_free(&a->list);
	vec_free(&a->steps);
	vec_free(&a->rows);
	vec_free(&a->captures);
	vec_free(&a->selfs);
}

static const char *what_word(const struct escape_row *r)
{
	return r->what == ESCAPE_HEAP	 ? "escapes"
	       : r->what == ESCAPE_MOVED ? "moved"
					 : "leaking-param";
}

/* "return &item{...} (return)" without its last word in parentheses. */
static const char *last_note(struct keep *k, const struct escape *e, const struct escape_row *r)
{
	for (uint32_t i = r->nsteps; i--;) {
		const struct escape_step *s = &e->steps.v[r->first_step + i];
		const char *t = escape_text(e, s->text), *end;

		if (s->flow)
			break;
		end = strrchr(t, '(');
		if (end && end > t + 1 && strncmp(end, "(spill)", 7) != 0)
			return keepn(k, t, (size_t)(end - t - 1));
	}
	return "";
}

void agg_escape_place(struct keep *k, const struct escape *e, size_t row,
		      struct ans_escape_place *ret)
{
	const struct escape_row *r = &e->rows.v[row];

	*ret = (struct ans_escape_place){
		.package = escape_text(e, r->package),
		.function = escape_text(e, r->function),
		.file = escape_text(e, r->file),
		.expr = escape_text(e, r->expr),
		.what = what_word(r),
		.form = r->what == ESCAPE_PARAM ? "parameter" : escape_form_word(r->form),
		.reason = escape_reason_word(r->reason),
		.clause = escape_reason_clause(r->reason),
		.harmless = escape_harmless_words(r->harmless),
		.said = last_note(k, e, r),
		.to = escape_text(e, r->to),
		.line = r->line,
		.column = r->column,
		.function_guessed = r->function_guessed,
		.count = r->count,
	};
}

static struct err *add_steps(const struct escape *e, const struct escape_row *r,
			     struct ans_escape *a, struct ans_escape_place *p)
{
	p->first_step = a->steps.n;
	p->nsteps = r->nsteps;
	for (uint32_t i = 0; i < r->nsteps; i++) {
		const struct escape_step *s = &e->steps.v[r->first_step + i];
		struct ans_escape_step x = { escape_text(e, s->text), escape_text(e, s->file),
					     s->line, s->flow };

		if (!vec_push(&a->steps, x))
			return &err_nomem;
	}
	return NULL;
}

/* 0: is made and matters; 1: is let through; 2: harmless */
static int class_of(const struct escape_row *r)
{
	return r->harmless ? 2 : r->what == ESCAPE_PARAM ? 1 : 0;
}

static struct err *add_class(struct keep *k, const struct escape *e, int class,
			     struct ans_escape *a)
{
	struct err *err = NULL;

	for (size_t i = 0; i < e->rows.n && !err; i++) {
		struct ans_escape_place p;

		if (class_of(&e->rows.v[i]) != class)
			continue;
		agg_escape_place(k, e, i, &p);
		err = add_steps(e, &e->rows.v[i], a, &p);
		if (!err && !vec_push(&a->list, p))
			err = &err_nomem;
	}
	return err;
}

static const char *name_by(struct keep *k, const char *by, const struct ans_escape_place *p)
{
	if (!strcmp(by, "reason"))
		return p->reason;
	if (!strcmp(by, "form"))
		return p->form;
	if (!strcmp(by, "function"))
		return *p->function ? p->function : "(functions are named by -m=2, not here)";
	if (!strcmp(by, "package"))
		return *p->package ? p->package : "(the report has no \"# package\" lines)";
	if (!strcmp(by, "file"))
		return p->file;
	return keepf(k, "%s:%d", p->file, p->line);
}

struct named {
	const char *name;
	const struct ans_escape_place *p;
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c ? c : (x->p > y->p) - (x->p < y->p);
}

static int by_places(const void *a, const void *b)
{
	const struct ans_escape_row *x = a, *y = b;
	uint64_t nx = x->allocating - MIN(x->harmless, x->allocating);
	uint64_t ny = y->allocating - MIN(y->harmless, y->allocating);

	if (nx != ny)
		return nx < ny ? 1 : -1;
	if (x->places != y->places)
		return x->places < y->places ? 1 : -1;
	return strcmp(x->name, y->name);
}

static struct err *add_rows(struct keep *k, size_t limit, struct ans_escape *a)
{
	_cleanup_(freep) struct named *v = zalloc(a->list.n, sizeof(*v));

	if (!v)
		return &err_nomem;
	for (size_t i = 0; i < a->list.n; i++)
		v[i] = (struct named){ name_by(k, a->by, &a->list.v[i]), &a->list.v[i] };
	if (a->list.n)
		qsort(v, a->list.n, sizeof(*v), by_name);
	for (size_t i = 0; i < a->list.n; i++) {
		struct ans_escape_row *r;

		if ((!i || strcmp(v[i].name, v[i - 1].name) != 0) &&
		    !vec_push(&a->rows, (struct ans_escape_row){ v[i].name, 0, 0, 0, v[i].p }))
			return &err_nomem;
		r = &a->rows.v[a->rows.n - 1];
		r->places++;
		r->allocating += strcmp(v[i].p->what, "leaking-param") != 0;
		r->harmless += *v[i].p->harmless && strcmp(v[i].p->what, "leaking-param") != 0;
	}
	if (a->rows.n)
		qsort(a->rows.v, a->rows.n, sizeof(a->rows.v[0]), by_places);
	a->nrows = a->rows.n;
	a->rows.n = MIN(a->rows.n, limit);
	return NULL;
}

static int by_width(const void *a, const void *b)
{
	const struct ans_escape_capture *x = a, *y = b;

	if (x->by_ref != y->by_ref)
		return x->by_ref ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return x->line - y->line;
}

static struct err *add_captures(const struct escape *e, struct ans_escape *a)
{
	for (size_t i = 0; i < e->captures.n; i++) {
		const struct escape_capture *c = &e->captures.v[i];
		struct ans_escape_capture x = { escape_text(e, c->function),
						escape_text(e, c->variable),
						escape_text(e, c->file),
						c->line,
						c->column,
						c->by_ref,
						c->assigned,
						c->width,
						c->count };

		a->ncaptures++;
		a->captured_by_ref += c->by_ref;
		if (!vec_push(&a->captures, x))
			return &err_nomem;
	}
	if (a->captures.n)
		qsort(a->captures.v, a->captures.n, sizeof(a->captures.v[0]), by_width);
	a->captures.n = MIN(a->captures.n, (size_t)CAPTURES_SHOWN);
	return NULL;
}

static struct err *add_selfs(const struct escape *e, struct ans_escape *a)
{
	for (size_t i = 0; i < e->selfs.n; i++) {
		const struct escape_row *v = &e->rows.v[e->selfs.v[i].variable];
		const struct escape_row *c = &e->rows.v[e->selfs.v[i].closure];
		struct ans_escape_self x = { escape_text(e, v->expr),
					     escape_text(e, v->file),
					     escape_text(e, v->function),
					     v->line,
					     c->line,
					     e->selfs.v[i].sure };

		if (!vec_push(&a->selfs, x))
			return &err_nomem;
	}
	return NULL;
}

static const char *form_of(const struct escape *e)
{
	return e->forms & ESCAPE_JSON ? "-json=0" : e->forms & ESCAPE_M2 ? "-m=2" : "-m";
}

static struct err *check_by(const char *by)
{
	static const char *const words[] = {
		"reason", "form", "function", "file", "package", "line"
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(by, words[i]))
			return NULL;
	return err_usage("--by %.40s: of a compiler's report want reason, form, function, file, "
			 "package or line",
			 by);
}

struct err *agg_escape(struct keep *k, const struct escape *e, const char *by, size_t limit,
		       struct ans_escape *ret)
{
	_cleanup_(ans_escape_deinit) struct ans_escape a = { 0 };
	struct err *err = check_by(by ? by : "reason");

	a.by = by ? by : "reason";
	a.file = e->name;
	a.go = escape_text(e, e->go);
	a.form = form_of(e);
	a.damage = e->damage;
	a.explained = e->steps.n != 0;
	a.stays = e->stays;
	a.packages = e->packages;
	a.files = e->files;
	a.lines = e->lines;
	for (int class = 0; class < 3 && !err; class ++)
		err = add_class(k, e, class, &a);
	for (size_t i = 0; i < e->rows.n; i++) {
		a.params += e->rows.v[i].what == ESCAPE_PARAM;
		a.places += e->rows.v[i].what != ESCAPE_PARAM;
		a.harmless += e->rows.v[i].what != ESCAPE_PARAM && e->rows.v[i].harmless;
	}
	if (!err)
		err = add_rows(k, limit, &a);
	if (!err)
		err = add_captures(e, &a);
	if (!err)
		err = add_selfs(e, &a);
	if (!err)
		err = keep_err(k);
	if (err)
		return err;
	*ret = a;
	a = (struct ans_escape){ 0 };
	return NULL;
}
