/*
 * escape.c - a report of escapes as rows: reading, making equal ones one, who declares what.
 *
 * What -m=2 explains first and says again at the end is one row, with the explanation.  Cost:
 * O(n log n) in the lines.
 */
#include "evidence/escape_priv.h"

void escape_free(struct escape *e)
{
	if (!e)
		return;
	free(e->name);
	words_deinit(&e->words);
	vec_free(&e->rows);
	vec_free(&e->captures);
	vec_free(&e->selfs);
	vec_free(&e->steps);
	free(e);
}

const char *escape_text(const struct escape *e, uint32_t id)
{
	return words_of(&e->words, id);
}

static int by_u32(uint32_t x, uint32_t y)
{
	return (x > y) - (x < y);
}

static int by_place(const struct escape_row *x, const struct escape_row *y)
{
	int c = by_u32(x->package, y->package);

	c = c ? c : by_u32(x->file, y->file);
	c = c ? c : (x->line > y->line) - (x->line < y->line);
	return c ? c : (x->column > y->column) - (x->column < y->column);
}

/* What is made, and what is only let through; then names, explained ones first. */
static int by_row(const void *a, const void *b)
{
	const struct escape_row *x = a, *y = b;
	int c = by_place(x, y);

	c = c ? c : (x->what == ESCAPE_PARAM) - (y->what == ESCAPE_PARAM);
	c = c ? c : by_u32(x->expr, y->expr);
	c = c ? c : by_u32(x->from_file, y->from_file);
	c = c ? c : (x->from_line > y->from_line) - (x->from_line < y->from_line);
	c = c ? c : by_u32(x->to, y->to);
	c = c ? c : (x->confirmed > y->confirmed) - (x->confirmed < y->confirmed);
	return c ? c : by_u32(x->first_step, y->first_step);
}

static bool is_append(const struct escape *e, uint32_t expr)
{
	const char *s = escape_text(e, expr);

	return !strncmp(s, "append", 6) && (!s[6] || s[6] == '(');
}

static bool is_same(const struct escape *e, const struct escape_row *x, const struct escape_row *y)
{
	if (by_place(x, y) || (x->what == ESCAPE_PARAM) != (y->what == ESCAPE_PARAM))
		return false;
	if (x->what == ESCAPE_PARAM)
		return x->expr == y->expr && (x->to == y->to || x->confirmed != y->confirmed);
	if (x->from_line != y->from_line || x->from_file != y->from_file)
		return false;
	return x->expr == y->expr || (is_append(e, x->expr) && is_append(e, y->expr));
}

/* y is of the same thing as r: what either knows. */
static void unite(struct escape_row *r, const struct escape_row *y)
{
	if (!r->nsteps && y->nsteps) {
		r->first_step = y->first_step;
		r->nsteps = y->nsteps;
	}
	if (!r->function)
		r->function = y->function;
	if (y->confirmed && !r->confirmed) {
		r->what = y->what;
		r->reason = y->reason;
		r->to = y->to;
		r->level = y->level;
		r->confirmed = true;
		r->count = 0;
	}
	r->count += y->confirmed || !r->confirmed;
}

/* Far enough for what one place has; a report that lies has more rows, not more time. */
enum { LOOK_BACK = 64, LOOK_AHEAD = 1024 };

static void merge_rows(struct escape *e)
{
	size_t n = 0;

	if (!e->rows.n)
		return;
	qsort(e->rows.v, e->rows.n, sizeof(e->rows.v[0]), by_row);
	for (size_t i = 0; i < e->rows.n; i++) {
		size_t k = n;

		/* an append's two names do not lie beside each other */
		while (k && n - k < LOOK_BACK && !by_place(&e->rows.v[k - 1], &e->rows.v[i]) &&
		       !is_same(e, &e->rows.v[k - 1], &e->rows.v[i]))
			k--;
		if (k && is_same(e, &e->rows.v[k - 1], &e->rows.v[i]))
			unite(&e->rows.v[k - 1], &e->rows.v[i]);
		else
			e->rows.v[n++] = e->rows.v[i];
	}
	e->rows.n = n;
}

static int by_decl(const void *a, const void *b)
{
	const struct escape_decl *x = a, *y = b;
	int c = by_u32(x->package, y->package);

	c = c ? c : by_u32(x->file, y->file);
	return c ? c : (x->line > y->line) - (x->line < y->line);
}

/* Of a function that stands for itself; closures and wrappers end nobody knows where. */
static bool is_outer(const struct escape *e, const struct escape_decl *d)
{
	const char *s = escape_text(e, d->function);

	return !strstr(s, ".func") && !strstr(s, ".gowrap") && !strstr(s, ".deferwrap");
}

/* The last declaration above it in its file. */
static void guess_function(struct escape_maker *m, struct escape_row *r)
{
	struct escape_decl of = { r->package, r->file, 0, r->line };
	size_t lo = 0, hi = m->decls.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (by_decl(&m->decls.v[mid], &of) <= 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo && m->decls.v[lo - 1].file == r->file && m->decls.v[lo - 1].package == r->package;
	     lo--)
		if (is_outer(m->e, &m->decls.v[lo - 1])) {
			r->function = m->decls.v[lo - 1].function;
			r->function_guessed = true;
			return;
		}
}

static int by_capture(const void *a, const void *b)
{
	const struct escape_capture *x = a, *y = b;
	int c = by_u32(x->file, y->file);

	c = c ? c : (x->line > y->line) - (x->line < y->line);
	c = c ? c : (x->column > y->column) - (x->column < y->column);
	c = c ? c : by_u32(x->variable, y->variable);
	c = c ? c : by_u32(x->function, y->function);
	return c ? c : x->by_ref - y->by_ref;
}

static void merge_captures(struct escape *e)
{
	size_t n = 0;

	if (e->captures.n)
		qsort(e->captures.v, e->captures.n, sizeof(e->captures.v[0]), by_capture);
	for (size_t i = 0; i < e->captures.n; i++) {
		if (!strncmp(escape_text(e, e->captures.v[i].variable), ".autotmp", 8))
			continue; /* the compiler's own */
		if (n && !by_capture(&e->captures.v[n - 1], &e->captures.v[i]))
			e->captures.v[n - 1].count++;
		else
			e->captures.v[n++] = e->captures.v[i];
	}
	e->captures.n = n;
}

/* Where a closure captures the variable: the line of that note; 0: it is not captured. */
static int captured_at(const struct escape *e, const struct escape_row *r)
{
	for (uint32_t i = 0; i < r->nsteps; i++) {
		const struct escape_step *p = &e->steps.v[r->first_step + i];

		if (!p->flow && strstr(escape_text(e, p->text), "(captured by a closure)"))
			return p->line;
	}
	return 0;
}

/* Does the closure go into the variable first of all?  "flow: f ← &{storage for func literal}" */
static bool goes_into(const struct escape *e, const struct escape_row *closure, const char *name)
{
	const char *t;
	size_t n = strlen(name);

	if (!closure->nsteps)
		return false;
	t = escape_text(e, e->steps.v[closure->first_step].text);
	return !strncmp(t, name, n) && t[n] == ' ' && strstr(t, "func literal");
}

static struct err *find_self(struct escape *e, size_t v)
{
	const struct escape_row *r = &e->rows.v[v];
	int at = captured_at(e, r);
	size_t closures = 0, mine = 0;

	if (r->form != ESCAPE_FORM_VARIABLE || !at)
		return NULL;
	for (size_t i = v + 1;
	     i < e->rows.n && e->rows.v[i].file == r->file && e->rows.v[i].package == r->package &&
	     e->rows.v[i].line <= at && i - v < LOOK_AHEAD;
	     i++) {
		if (e->rows.v[i].form != ESCAPE_FORM_CLOSURE)
			continue;
		closures++;
		if (goes_into(e, &e->rows.v[i], escape_text(e, r->expr)))
			mine = i;
	}
	if (!mine)
		return NULL;
	return vec_push(&e->selfs,
			(struct escape_self){ (uint32_t)v, (uint32_t)mine, closures == 1 })
		       ? NULL
		       : &err_nomem;
}

static void count_places(struct escape *e)
{
	for (size_t i = 0; i < e->rows.n; i++) {
		const struct escape_row *r = &e->rows.v[i], *last = i ? r - 1 : NULL;

		e->packages += !last || last->package != r->package;
		e->files += !last || last->package != r->package || last->file != r->file;
	}
}

struct err *escape_finish(struct escape_maker *m)
{
	struct escape *e = m->e;
	struct err *err = NULL;

	merge_rows(e);
	if (m->decls.n)
		qsort(m->decls.v, m->decls.n, sizeof(m->decls.v[0]), by_decl);
	for (size_t i = 0; i < e->rows.n; i++) {
		if (!e->rows.v[i].function)
			guess_function(m, &e->rows.v[i]);
		escape_classify(e, &e->rows.v[i]);
	}
	merge_captures(e);
	for (size_t i = 0; i < e->rows.n && !err; i++)
		err = find_self(e, i);
	count_places(e);
	return err ? err : words_err(&e->words);
}

static void maker_deinit(struct escape_maker *m)
{
	vec_free(&m->decls);
	escape_free(m->e);
}

/* A line without its end is used where nothing can follow: "moved to heap: b" may be of "buf". */
static bool is_whole(const struct input *in, struct piece line)
{
	return input_line_ended(in) || piece_chop(&line, ":") || piece_skip(&line, "{") ||
	       piece_chop(&line, " escapes to heap") || piece_chop(&line, " does not escape");
}

struct err *escape_read(struct input *in, struct escape **ret)
{
	_cleanup_(maker_deinit) struct escape_maker m = { .e = zalloc(1, sizeof(*m.e)) };
	struct piece line;
	struct err *err = m.e ? NULL : &err_nomem;

	if (err)
		return err;
	m.e->name = strdup(input_name(in));
	if (!m.e->name)
		return &err_nomem;
	while (!err) {
		err = input_line(in, ESCAPE_LINE_MAX, &line.s, &line.n);
		if (err || !line.s)
			break;
		if (is_whole(in, line))
			err = escape_line(&m, line);
		else
			m.e->damage = "cut short";
	}
	if (!err && !m.e->lines && !(m.e->forms & ESCAPE_JSON))
		err = err_bad_data(
			"%.200s: no line of the compiler's escape analysis in it; `go build "
			"-gcflags=-m=2` writes them",
			m.e->name);
	if (!err)
		err = escape_finish(&m);
	if (err)
		return err;
	if (input_damage(in))
		m.e->damage = input_damage(in);
	*ret = STEAL(m.e);
	return NULL;
}
