/*
 * join_escape.c - what is alive, and the line of the compiler's report that made it.
 *
 * The line is the one where the allocation stands.  Where that was inlined, the compiler speaks of
 * each copy at the place of its outermost call: that one first, then the function's own line.
 * Several things on one line are told apart by the type of what is alive.  Cost: a look-up or two
 * for each stack that allocated.
 */
#include "report/join_priv.h"

#include "base/str.h"
#include "evidence/escape.h"

enum { ROWS_MAX = 200 };

struct joiner {
	struct agg *a;
	const struct escape *e;
	const char *name;
	struct join_index idx;
};

/* What was found for one stack. */
struct found {
	uint32_t row;
	uint64_t others;
	bool inlined, split;
	bool knows_file;
};

static void joiner_deinit(struct joiner *j)
{
	join_index_deinit(&j->idx);
}

static struct err *make_index(struct joiner *j, const char *module)
{
	const struct escape *e = j->e;

	j->idx.module = module;
	for (size_t i = 0; i < e->rows.n; i++) {
		const struct escape_row *r = &e->rows.v[i], *last = i ? r - 1 : NULL;
		struct join_place p = { escape_text(e, r->package), escape_text(e, r->file), 0,
					r->line, (uint32_t)i };

		j->idx.nfiles += !last || last->file != r->file || last->package != r->package;
		p.file_id = j->idx.nfiles - 1;
		if (!vec_push(&j->idx.places, p))
			return &err_nomem;
	}
	return join_index_make(&j->idx);
}

/* "main.item" of "map[string]*main.item": the last name in it. */
static const char *last_name(const char *type)
{
	const char *s = type + strlen(type);

	while (s > type && s[-1] != '.' && s[-1] != '*' && s[-1] != ']' && s[-1] != ' ')
		s--;
	return s;
}

static bool suits_form(const char *type, unsigned form)
{
	switch (form) {
	case ESCAPE_FORM_MAP:
		return strncmp(type, "map[", 4) == 0;
	case ESCAPE_FORM_CHAN:
		return strncmp(type, "chan ", 5) == 0;
	case ESCAPE_FORM_CLOSURE:
		return strncmp(type, "func", 4) == 0 || strstr(type, ".func") != NULL;
	case ESCAPE_FORM_SLICE:
	case ESCAPE_FORM_APPEND:
	case ESCAPE_FORM_VARIADIC:
		return strncmp(type, "[]", 2) == 0;
	case ESCAPE_FORM_STRING:
	case ESCAPE_FORM_SUM:
		return !strcmp(type, "string") || !strcmp(type, "[]byte");
	case ESCAPE_FORM_VARIABLE:
	case ESCAPE_FORM_COMPOSITE:
		return strncmp(type, "[]", 2) != 0 && strncmp(type, "map[", 4) != 0;
	default:
		return false;
	}
}

/* As source says it: "[512]uint8" is "[512]byte" there. */
static const char *as_source(const char *type, char *buf, size_t room)
{
	const char *at = strstr(type, "uint8");

	if (!at || at[5] || strlen(type) >= room)
		return type;
	memcpy(buf, type, (size_t)(at - type));
	strcpy(buf + (at - type), "byte");
	return buf;
}

/* How well a row suits an object of that type; 0: it makes nothing. */
static int score(const struct joiner *j, uint32_t row, const char *type)
{
	const struct escape_row *r = &j->e->rows.v[row];
	const char *expr = escape_text(j->e, r->expr), *name;
	char buf[256];
	int n = 1;

	if (r->what == ESCAPE_PARAM || r->harmless & (ESCAPE_CONSTANT | ESCAPE_ZERO_SIZE))
		return 0;
	if (!*type)
		return n;
	type = as_source(type, buf, sizeof(buf));
	name = last_name(type);
	n += strstr(expr, type) ? 4 : *name && strstr(expr, name) ? 2 : 0;
	return n + (suits_form(type, r->form) ? 2 : 0);
}

/* The best of those on one line; false: none makes anything. */
static bool choose(const struct joiner *j, const struct join_hits *h, const struct ans_frame *leaf,
		   const char *type, struct found *ret)
{
	int best = 0;

	for (size_t i = 0; i < h->n; i++) {
		const struct escape_row *r = &j->e->rows.v[h->row[i]];
		int n = score(j, h->row[i], type);

		/* JSON says where an inlined callee's line really is */
		if (n && r->from_line)
			n = r->from_line == leaf->line ? n + 8 : 0;
		if (!n || n < best)
			continue;
		ret->others = n == best ? ret->others + 1 : 0;
		if (n > best)
			ret->row = h->row[i];
		best = n;
	}
	ret->split = h->split;
	return best > 0;
}

static bool find_row(const struct joiner *j, const struct ans_frame *f, size_t n, const char *type,
		     struct found *ret)
{
	struct join_hits h;
	size_t k = 0;

	*ret = (struct found){ .row = UINT32_MAX };
	while (k + 1 < n && f[k].inlined)
		k++;
	if (!n)
		return false;
	if (k) {
		join_find(&j->idx, &f[k], &h);
		if (choose(j, &h, &f[0], type, ret))
			return true;
	}
	join_find(&j->idx, &f[0], &h);
	ret->inlined = k != 0;
	if (choose(j, &h, &f[0], type, ret))
		return true;
	ret->knows_file = join_knows_file(&j->idx, &f[0]);
	return false;
}

/* Rows of the answer by rows of the report. */
struct tally {
	uint32_t *out_of; /* by row of the report: of out + 1 */
	uint32_t *row;	  /* by site: of out, UINT32_MAX */
	VEC(struct found) out;
};

static void tally_deinit(struct tally *t)
{
	free(t->out_of);
	free(t->row);
	vec_free(&t->out);
}

static void leave_out(const struct join_site *y, const struct ans_frame *leaf, bool knows_file,
		      struct ans_join_left *left)
{
	if (!*left->example && y->bytes)
		left->example = leaf->function;
	left->bytes += y->bytes;
	*(knows_file ? &left->no_line : &left->no_file) += y->bytes;
}

static struct err *count(struct joiner *j, const struct join_sites *s, struct tally *t,
			 struct ans_joined *ret)
{
	for (size_t i = 0; i < s->v.n; i++) {
		const struct join_site *y = &s->v.v[i];
		struct found x;

		t->row[i] = UINT32_MAX;
		if (!find_row(j, join_frames(s, i), y->n, y->type, &x)) {
			if (y->n)
				leave_out(y, join_frames(s, i), x.knows_file, &ret->left);
			continue;
		}
		if (!t->out_of[x.row]) {
			if (!vec_push(&t->out, x))
				return &err_nomem;
			t->out_of[x.row] = (uint32_t)t->out.n;
		}
		t->row[i] = t->out_of[x.row] - 1;
		t->out.v[t->row[i]].others = MAX(t->out.v[t->row[i]].others, x.others);
		t->out.v[t->row[i]].split |= x.split;
	}
	return NULL;
}

static uint64_t weight(const struct ans_join_escape *x)
{
	return MAX(join_held(x->retained, x->retained_guess), x->bytes);
}

static int by_weight(const void *a, const void *b)
{
	const struct ans_join_escape *x = a, *y = b;
	uint64_t n = weight(x), k = weight(y);
	uint64_t p = x->alloc_bytes == ANS_UNKNOWN ? 0 : x->alloc_bytes;
	uint64_t q = y->alloc_bytes == ANS_UNKNOWN ? 0 : y->alloc_bytes;

	if (n != k)
		return n < k ? 1 : -1;
	if (p != q)
		return p < q ? 1 : -1;
	return x->place.line - y->place.line;
}

static struct err *push_rows(struct joiner *j, const struct tally *t, const struct join_sum *sum,
			     struct ans_joined *ret)
{
	for (size_t i = 0; i < t->out.n; i++) {
		const struct found *f = &t->out.v[i];
		struct ans_join_escape x = { .retained = sum[i].retained,
					     .retained_guess = sum[i].guess,
					     .objects = sum[i].objects,
					     .bytes = sum[i].bytes,
					     .alloc_bytes = sum[i].alloc_bytes,
					     .sampled = sum[i].sampled,
					     .calls = sum[i].calls,
					     .others = f->others,
					     .inlined = f->inlined,
					     .split = f->split };

		agg_escape_place(&j->a->keep, j->e, f->row, &x.place);
		if (!vec_push(&ret->escapes, x))
			return &err_nomem;
	}
	if (ret->escapes.n)
		qsort(ret->escapes.v, ret->escapes.n, sizeof(ret->escapes.v[0]), by_weight);
	ret->nescapes = ret->escapes.n;
	ret->escapes.n = MIN(ret->escapes.n, (size_t)ROWS_MAX);
	return NULL;
}

static struct err *join_rows(struct joiner *j, const struct join_sites *s, struct ans_joined *ret)
{
	_cleanup_(tally_deinit) struct tally t = { 0 };
	_cleanup_(freep) struct join_sum *sum = NULL;
	struct err *err;

	t.out_of = zalloc(j->e->rows.n, sizeof(*t.out_of));
	t.row = zalloc(s->v.n, sizeof(*t.row));
	err = t.out_of && t.row ? count(j, s, &t, ret) : &err_nomem;
	if (err)
		return err;
	sum = zalloc(t.out.n, sizeof(*sum));
	err = sum ? join_add_up(s, t.row, t.out.n, sum) : &err_nomem;
	return err ? err : push_rows(j, &t, sum, ret);
}

/* "main.go:30:24: make([]byte, n) is made on the heap in newItem, for it is returned" */
static const char *sentence(struct joiner *j, const struct found *x)
{
	struct ans_escape_place p;
	struct keep *k = &j->a->keep;

	agg_escape_place(k, j->e, x->row, &p);
	return keepf(k, "%s:%d:%d: %s (%s)%s%s escapes: %s%s%s%s%s%s", p.file, p.line, p.column,
		     p.expr, p.form, *p.function ? " in " : "", p.function, p.clause,
		     *p.said ? ": " : "", p.said,
		     x->inlined ? "; that line is of the function itself, this was made in a copy "
				  "that was inlined"
				: "",
		     x->others ? "; another thing on that line may be meant" : "",
		     x->split ? "; files of several folders match" : "");
}

/* A closure's finding: what it captures.  "main.newHandler.func1" is of newHandler. */
static struct err *say_captures(struct joiner *j, struct ans_finding *f)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	const char *fn = strstr(f->type, ".func"), *dot;
	size_t n;

	if (!fn)
		return NULL;
	for (dot = fn; dot > f->type && dot[-1] != '.' && dot[-1] != '/';)
		dot--;
	n = (size_t)(fn - dot);
	for (size_t i = 0; i < j->e->captures.n && o.n < 200; i++) {
		const struct escape_capture *c = &j->e->captures.v[i];
		const char *name = escape_text(j->e, c->function);

		if (strncmp(name, dot, n) != 0 || name[n])
			continue;
		str_printf(&o, "%s%s by %s (%" PRIu64 " bytes)", o.n ? ", " : "",
			   escape_text(j->e, c->variable), c->by_ref ? "reference" : "value",
			   c->width);
	}
	if (!o.n)
		return NULL;
	if (!str_ok(&o))
		return &err_nomem;
	return join_say(f, j->name, "yes",
			keepf(&j->a->keep, "closures of %.*s capture %s", (int)n, dot, o.s));
}

/* What is made where the finding's stack ends; the most of it. */
static const char *type_there(const struct join_sites *s, const struct ans_frame *f)
{
	uint64_t best = 0;
	const char *type = "";

	for (size_t i = 0; i < s->v.n; i++) {
		const struct ans_frame *x = join_frames(s, i);

		if (!s->v.v[i].n || x->line != f->line || s->v.v[i].bytes < best ||
		    strcmp(x->function, f->function) != 0)
			continue;
		best = s->v.v[i].bytes;
		type = s->v.v[i].type;
	}
	return type;
}

/* ", called from main.book, main.go:33": the innermost of the report's own functions. */
static const char *called_from(struct joiner *j, const struct ans_origin *o)
{
	for (size_t i = 1; i < o->stack.n; i++) {
		const struct ans_frame *f = &o->stack.v[i];
		const char *file = strrchr(f->file, '/');

		if (join_knows_file(&j->idx, f))
			return keepf(&j->a->keep, ", called from %s, %s:%d,", f->function,
				     file ? file + 1 : f->file, f->line);
	}
	return ",";
}

static struct err *say_row(struct joiner *j, struct ans_finding *f, const struct found *x)
{
	const char *line = sentence(j, x);

	if (!join_is_made_there(&f->origin))
		return join_say(f, j->name, "nothing",
				keepf(&j->a->keep,
				      "where it is made is a guess; if it was made there, %s", line));
	return join_say(f, j->name, x->others || x->split ? "nothing" : "yes", line);
}

static struct err *say(struct joiner *j, const struct join_sites *s, struct ans_finding *f)
{
	const struct ans_origin *o = &f->origin;
	struct found x;
	struct err *err = say_captures(j, f);

	if (err || !o->stack.n)
		return err;
	if (find_row(j, o->stack.v, o->stack.n, type_there(s, &o->stack.v[0]), &x))
		return say_row(j, f, &x);
	if (!x.knows_file)
		return join_say(
			f, j->name, "nothing",
			keepf(&j->a->keep,
			      "%s, where it is made%s is in no file of this report (-gcflags=all=-m=2 "
			      "has all packages)",
			      o->stack.v[0].function, called_from(j, o)));
	return join_say(
		f, j->name, "nothing",
		keepf(&j->a->keep,
		      "the report has nothing on the line where it is made (%s, line %d): the "
		      "runtime makes it there (a map that grows; append before Go 1.25), or the "
		      "report is of another build",
		      o->stack.v[0].function, o->stack.v[0].line));
}

struct err *join_escape(struct agg *a, const struct join_file *f, const struct join_sites *s,
			struct ans_report *r, struct ans_joined *ret)
{
	_cleanup_(joiner_deinit) struct joiner j = { .a = a, .e = f->escape, .name = f->name };
	struct err *err = make_index(&j, s->module);

	ret->damage = f->escape->damage;
	if (!err)
		err = join_rows(&j, s, ret);
	for (size_t i = 0; i < r->findings.rows.n && !err; i++)
		err = say(&j, s, &r->findings.rows.v[i]);
	return err;
}
