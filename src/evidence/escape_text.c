/*
 * escape_text.c - lines of `go build -gcflags=-m` and -m=2.
 *
 * FILE:LINE:COLUMN: MESSAGE; "# package" above those of a package.  Whatever else a build writes
 * stands between them.  Knows the words of Go 1.18 to 1.27; others are counted.
 */
#include "evidence/escape_priv.h"

bool piece_skip(struct piece *p, const char *word)
{
	size_t n = strlen(word);

	if (p->n < n || memcmp(p->s, word, n) != 0)
		return false;
	p->s += n;
	p->n -= n;
	return true;
}

bool piece_chop(struct piece *p, const char *word)
{
	size_t n = strlen(word);

	if (p->n < n || memcmp(p->s + p->n - n, word, n) != 0)
		return false;
	p->n -= n;
	return true;
}

const char *piece_find(struct piece p, const char *word)
{
	return memmem(p.s, p.n, word, strlen(word));
}

bool piece_number(struct piece *p, int *ret)
{
	int n = 0;
	size_t i = 0;

	for (; i < p->n && i < 9 && p->s[i] >= '0' && p->s[i] <= '9'; i++)
		n = 10 * n + (p->s[i] - '0');
	if (!i || (i < p->n && p->s[i] >= '0' && p->s[i] <= '9'))
		return false;
	p->s += i;
	p->n -= i;
	*ret = n;
	return true;
}

uint32_t escape_word(struct escape *e, struct piece p)
{
	return words_add(&e->words, p.s, MIN(p.n, (size_t)ESCAPE_TEXT_MAX));
}

/* What stands before "word"; p is what stands behind it.  False: it is not there. */
static bool split(struct piece *p, const char *word, struct piece *ret_before)
{
	const char *at = piece_find(*p, word);

	if (!at)
		return false;
	*ret_before = (struct piece){ p->s, (size_t)(at - p->s) };
	p->n -= ret_before->n + strlen(word);
	p->s = at + strlen(word);
	return true;
}

static struct err *add_row(struct escape_maker *m, struct escape_row r)
{
	if (m->e->rows.n >= ESCAPE_ROWS_MAX)
		return err_new(ERR_LIMIT, "%.200s: more than %d lines of escapes", m->e->name,
			       ESCAPE_ROWS_MAX);
	r.count = 1;
	if (!vec_push(&m->e->rows, r))
		return &err_nomem;
	m->open = m->e->rows.n;
	return words_err(&m->e->words);
}

struct err *escape_step_add(struct escape_maker *m, struct escape_step s)
{
	struct escape *e = m->e;
	struct escape_row *r = m->open ? &e->rows.v[m->open - 1] : NULL;

	if (!r || r->confirmed)
		return NULL;
	if (!r->nsteps)
		r->first_step = (uint32_t)e->steps.n;
	if (r->first_step + (uint64_t)r->nsteps != e->steps.n || e->steps.n >= UINT32_MAX - 1)
		return NULL;
	r->nsteps++;
	return vec_push(&e->steps, s) ? words_err(&e->words) : &err_nomem;
}

/* "file.go:12:3" or "file.go:12" at the end of a note. */
static void place_of(struct escape *e, struct piece p, struct escape_step *s)
{
	const char *dot = piece_find(p, ".go:");
	struct piece rest;

	if (!dot)
		return;
	rest = (struct piece){ dot + 4, (size_t)(p.s + p.n - dot - 4) };
	if (!piece_number(&rest, &s->line))
		return;
	s->file = escape_word(e, (struct piece){ p.s, (size_t)(dot + 3 - p.s) });
	if (piece_skip(&rest, ":"))
		(void)piece_number(&rest, &s->column);
}

/* "flow: {heap} ← &x:", "from x = y (assign) at ./a.go:3:4" */
static struct err *take_step(struct escape_maker *m, struct piece p)
{
	struct escape_step s = { 0 };
	const char *at = NULL;

	if (piece_skip(&p, "flow: ")) {
		s.flow = true;
		piece_chop(&p, ":");
	} else if (!piece_skip(&p, "from ")) {
		return NULL; /* "warning: truncated explanation" */
	}
	for (struct piece q = p; !s.flow && (q.s = piece_find(q, " at "));) {
		at = q.s;
		q.s += 4;
		q.n = (size_t)(p.s + p.n - q.s);
	}
	if (at) {
		place_of(m->e, (struct piece){ at + 4, (size_t)(p.s + p.n - at - 4) }, &s);
		p.n = (size_t)(at - p.s);
	}
	s.text = escape_word(m->e, p);
	return escape_step_add(m, s);
}

/* "closures capturing by ref: x (addr=false assign=true width=8)" */
static struct err *take_capture(struct escape_maker *m, struct escape_row at, struct piece fn,
				struct piece p)
{
	struct escape_capture c = { .package = at.package,
				    .file = at.file,
				    .line = at.line,
				    .column = at.column,
				    .count = 1,
				    .by_ref = p.n && *p.s == 'r' };
	struct piece name;
	int width = 0;

	if (!split(&p, ": ", &name) || !split(&p, " (", &name))
		return NULL;
	c.function = escape_word(m->e, fn);
	c.variable = escape_word(m->e, name);
	c.addressed = piece_find(p, "addr=true") != NULL;
	c.assigned = piece_find(p, "assign=true") != NULL;
	if (split(&p, "width=", &name) && piece_number(&p, &width))
		c.width = (uint64_t)width;
	if (m->e->captures.n >= ESCAPE_ROWS_MAX)
		return NULL;
	return vec_push(&m->e->captures, c) ? words_err(&m->e->words) : &err_nomem;
}

/* "p to result ~r0 level=1", "p"; behind "leaking param: " */
static struct err *take_param(struct escape_maker *m, struct escape_row r, struct piece p,
			      unsigned reason)
{
	struct piece name = p, to = p;

	r.what = ESCAPE_PARAM;
	r.reason = (uint8_t)reason;
	r.confirmed = true;
	r.level = -1;
	if (split(&to, " to result ", &name)) {
		struct piece result = to;

		r.reason = ESCAPE_PARAM_RESULT;
		if (split(&to, " level=", &result))
			(void)piece_number(&to, &r.level);
		r.to = escape_word(m->e, result);
	}
	r.expr = escape_word(m->e, name);
	return add_row(m, r);
}

/* "p leaks to {heap} for f with derefs=0:", behind "parameter " */
static struct err *take_leak(struct escape_maker *m, struct escape_row r, struct piece p)
{
	struct piece name, to, rest;

	if (!split(&p, " leaks to ", &name))
		return NULL;
	rest = p;
	if (!split(&rest, " with derefs=", &to))
		return NULL;
	(void)piece_number(&rest, &r.level);
	p = to;
	if (split(&p, " for ", &to) && !piece_find(to, "{storage"))
		r.function = escape_word(m->e, p);
	else if (*to.s == '{')
		to.n = 0;
	if (to.n && *to.s != '{')
		r.to = escape_word(m->e, to);
	r.what = ESCAPE_PARAM;
	r.reason = r.to		 ? ESCAPE_PARAM_RESULT
		   : r.level > 0 ? ESCAPE_PARAM_CONTENT
				 : ESCAPE_PARAM_ITSELF;
	r.expr = escape_word(m->e, name);
	return add_row(m, r);
}

/* "x escapes to heap", "x escapes to heap in f:", "x escapes to heap:" */
static struct err *take_escape(struct escape_maker *m, struct escape_row r, struct piece p,
			       bool *ret_known)
{
	bool explained = piece_chop(&p, ":");
	struct piece fn = p, expr;

	if (explained && split(&fn, " escapes to heap in ", &expr)) {
		r.function = escape_word(m->e, fn);
	} else {
		expr = p;
		if (!piece_chop(&expr, " escapes to heap")) {
			*ret_known = false;
			return NULL;
		}
	}
	m->e->forms |= explained ? ESCAPE_M2 : ESCAPE_M1;
	r.what = ESCAPE_HEAP;
	r.confirmed = !explained;
	r.expr = escape_word(m->e, expr);
	return add_row(m, r);
}

static struct err *take_decl(struct escape_maker *m, struct escape_row at, struct piece p)
{
	struct escape_decl d = { .package = at.package, .file = at.file, .line = at.line };
	struct piece name;

	if (split(&p, " with cost ", &name) || split(&p, ": ", &name))
		p = name;
	d.function = escape_word(m->e, p);
	m->e->other++;
	if (m->decls.n >= ESCAPE_ROWS_MAX)
		return NULL;
	return vec_push(&m->decls, d) ? words_err(&m->e->words) : &err_nomem;
}

/* What is said by those who are no part of escape analysis, or means that nothing is made. */
static bool is_other(struct piece p)
{
	static const char *const begins[] = { "inlining call to ",
					      "devirtualizing ",
					      "partially devirtualizing ",
					      "cannot devirtualize ",
					      "mutates param",
					      "calls param",
					      "zero-copy ",
					      "closure converted to ",
					      "loop variable ",
					      "assuming ",
					      "marking ",
					      "skipping static",
					      "index bounds ",
					      "ignoring self-assignment" };

	for (size_t i = 0; i < ARRAY_LEN(begins); i++)
		if (piece_skip(&p, begins[i]))
			return true;
	return piece_find(p, " ignoring self-assignment") || piece_find(p, "escaping uintptr") ||
	       piece_find(p, " will be kept alive");
}

struct err *escape_message(struct escape_maker *m, struct escape_row at, struct piece p,
			   bool *ret_known)
{
	struct piece fn, rest = p;

	*ret_known = true;
	if (p.n && *p.s == ' ') {
		while (piece_skip(&p, " "))
			;
		return take_step(m, p);
	}
	m->open = 0;
	if (piece_skip(&p, "moved to heap: ")) {
		at.what = ESCAPE_MOVED;
		at.confirmed = true;
		at.expr = escape_word(m->e, p);
		m->e->forms |= ESCAPE_M1;
		return add_row(m, at);
	}
	if (piece_skip(&p, "leaking param content: "))
		return take_param(m, at, p, ESCAPE_PARAM_CONTENT);
	if (piece_skip(&p, "leaking param: "))
		return take_param(m, at, p, ESCAPE_PARAM_ITSELF);
	if (piece_skip(&p, "parameter "))
		return take_leak(m, at, p);
	if (piece_skip(&p, "can inline ") || piece_skip(&p, "cannot inline "))
		return take_decl(m, at, p);
	if (split(&rest, " capturing by ", &fn))
		return take_capture(m, at, fn, rest);
	if (piece_chop(&p, " does not escape") ||
	    piece_chop(&p, " does not escape, mutate, or call")) {
		m->e->stays++;
		return NULL;
	}
	if (is_other(p)) {
		m->e->other++;
		return NULL;
	}
	return take_escape(m, at, p, ret_known);
}

/* "./a.go:3:4: ", "<autogenerated>:1: "; false: no such place begins the line. */
static bool take_place(struct escape_maker *m, struct piece *line, struct escape_row *r)
{
	static const char gen[] = "<autogenerated>:";
	const char *dot = piece_find(*line, ".go:"), *begin = line->s;
	struct piece rest, file;

	if (piece_skip(line, gen)) {
		file = (struct piece){ gen, sizeof(gen) - 2 };
		rest = *line;
	} else if (dot) {
		/* a log that something was put before, "[build] ./a.go:3:4" */
		for (const char *p = dot; p > line->s; p--)
			if (p[-1] == ' ' || p[-1] == '\t') {
				begin = p;
				break;
			}
		file = (struct piece){ begin, (size_t)(dot + 3 - begin) };
		rest = (struct piece){ dot + 4, (size_t)(line->s + line->n - dot - 4) };
	} else {
		return false;
	}
	if (!piece_number(&rest, &r->line))
		return false;
	if (piece_skip(&rest, ":") && !piece_skip(&rest, " ")) {
		if (!piece_number(&rest, &r->column) || !piece_skip(&rest, ": "))
			return false;
	}
	r->file = escape_word(m->e, file);
	*line = rest;
	return true;
}

/* "# example.com/p [example.com/p.test]" */
static void take_package(struct escape_maker *m, struct piece p)
{
	const char *space = memchr(p.s, ' ', p.n);

	if (space)
		p.n = (size_t)(space - p.s);
	m->package = escape_word(m->e, p);
	m->open = 0;
}

struct err *escape_line(struct escape_maker *m, struct piece line)
{
	struct escape_row r = { .package = m->package, .level = -1 };
	struct err *err;
	bool known;

	piece_chop(&line, "\r");
	if (piece_skip(&line, "# ")) {
		take_package(m, line);
		return words_err(&m->e->words);
	}
	if (line.n && *line.s == '{')
		return escape_json_line(m, line);
	if (!take_place(m, &line, &r))
		return NULL;
	m->e->lines++;
	err = escape_message(m, r, line, &known);
	if (!known)
		m->e->lines--;
	return err;
}
