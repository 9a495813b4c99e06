/*
 * json_escape.c - reports of the compiler and of linters as JSON.
 */
#include "report/answer_escape.h"
#include "report/json.h"

static void put_head(struct jw *j, const char *kind, const char *file, const char *damage)
{
	jw_kv_u64(j, "schema", 1);
	jw_kv_text(j, "limpet", LIMPET_VERSION);
	jw_key(j, "target");
	jw_object(j);
	jw_kv_text(j, "kind", kind);
	jw_kv_text(j, "file", file);
	if (damage)
		jw_kv_text(j, "damaged", damage);
	jw_end(j, '}');
}

static void put_if(struct jw *j, const char *key, const char *text)
{
	if (*text)
		jw_kv_text(j, key, text);
}

static void put_place(struct jw *j, const struct ans_escape_place *p)
{
	jw_kv_text(j, "what", p->what);
	jw_kv_text(j, "expr", p->expr);
	jw_kv_text(j, "file", p->file);
	jw_kv_i64(j, "line", p->line);
	jw_kv_i64(j, "column", p->column);
	put_if(j, "package", p->package);
	put_if(j, "function", p->function);
	if (p->function_guessed)
		jw_kv_bool(j, "function_guessed", true);
	jw_kv_text(j, "form", p->form);
	jw_kv_text(j, "reason", p->reason);
	jw_kv_text(j, "why", p->clause);
	put_if(j, "by", p->said);
	put_if(j, "to", p->to);
	put_if(j, "harmless", p->harmless);
	jw_kv_u64(j, "count", p->count);
}

static void put_flow(struct jw *j, const struct ans_escape *a, const struct ans_escape_place *p)
{
	if (!p->nsteps)
		return;
	jw_key(j, "flow");
	jw_array(j);
	for (size_t i = 0; i < p->nsteps; i++) {
		const struct ans_escape_step *s = &a->steps.v[p->first_step + i];

		jw_object(j);
		jw_kv_text(j, s->flow ? "flow" : "from", s->text);
		put_if(j, "file", s->file);
		if (s->line)
			jw_kv_i64(j, "line", s->line);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void put_rows(struct jw *j, const struct ans_escape *a)
{
	jw_kv_text(j, "by", a->by);
	jw_key(j, "rows");
	jw_array(j);
	for (size_t i = 0; i < a->rows.n; i++) {
		jw_object(j);
		jw_kv_text(j, "name", a->rows.v[i].name);
		jw_kv_u64(j, "places", a->rows.v[i].places);
		jw_kv_u64(j, "allocating", a->rows.v[i].allocating);
		jw_kv_u64(j, "harmless", a->rows.v[i].harmless);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void put_summary(struct jw *j, const struct ans_escape *a)
{
	put_head(j, "escape", a->file, a->damage);
	jw_kv_text(j, "form", a->form);
	put_if(j, "go", a->go);
	jw_kv_u64(j, "places", a->places);
	jw_kv_u64(j, "harmless", a->harmless);
	jw_kv_u64(j, "params", a->params);
	jw_kv_u64(j, "stays", a->stays);
	jw_kv_u64(j, "packages", a->packages);
	jw_kv_u64(j, "files", a->files);
	put_rows(j, a);
}

static void put_captures(struct jw *j, const struct ans_escape *a)
{
	jw_key(j, "captures");
	jw_array(j);
	for (size_t i = 0; i < a->captures.n; i++) {
		const struct ans_escape_capture *c = &a->captures.v[i];

		jw_object(j);
		jw_kv_text(j, "variable", c->variable);
		jw_kv_text(j, "function", c->function);
		jw_kv_text(j, "file", c->file);
		jw_kv_i64(j, "line", c->line);
		jw_kv_text(j, "by", c->by_ref ? "reference" : "value");
		jw_kv_bool(j, "assigned", c->assigned);
		jw_kv_u64(j, "bytes", c->bytes);
		jw_kv_u64(j, "count", c->count);
		jw_end(j, '}');
	}
	jw_end(j, ']');
	jw_key(j, "self_captures");
	jw_array(j);
	for (size_t i = 0; i < a->selfs.n; i++) {
		jw_object(j);
		jw_kv_text(j, "variable", a->selfs.v[i].variable);
		jw_kv_text(j, "function", a->selfs.v[i].function);
		jw_kv_text(j, "file", a->selfs.v[i].file);
		jw_kv_i64(j, "line", a->selfs.v[i].line);
		jw_kv_i64(j, "closure_line", a->selfs.v[i].closure_line);
		jw_kv_bool(j, "sure", a->selfs.v[i].sure);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

void json_doc_escape_top(struct str *o, const struct ans_escape *a)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	put_summary(&j, a);
	jw_end(&j, '}');
	str_put(o, "\n");
}

void json_doc_escape(struct str *o, const struct ans_escape *a, size_t limit)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	put_summary(&j, a);
	jw_key(&j, "escapes");
	jw_array(&j);
	for (size_t i = 0; i < a->list.n && i < limit; i++) {
		jw_object(&j);
		put_place(&j, &a->list.v[i]);
		put_flow(&j, a, &a->list.v[i]);
		jw_end(&j, '}');
	}
	jw_end(&j, ']');
	put_captures(&j, a);
	jw_end(&j, '}');
	str_put(o, "\n");
}

static void put_warning(struct jw *j, const struct ans_lint_place *p)
{
	jw_kv_text(j, "rule", p->rule);
	jw_kv_text(j, "tool", p->tool);
	jw_kv_text(j, "message", p->message);
	jw_kv_text(j, "file", p->file);
	jw_kv_i64(j, "line", p->line);
	jw_kv_i64(j, "column", p->column);
	put_if(j, "package", p->package);
	put_if(j, "about", p->about);
	put_if(j, "finding", p->finding);
	jw_kv_u64(j, "count", p->count);
}

static void put_lint_summary(struct jw *j, const struct ans_lint *a)
{
	put_head(j, "lint", a->file, a->damage);
	jw_kv_u64(j, "warnings", a->places);
	jw_kv_u64(j, "about_leaks", a->about_leaks);
	jw_kv_text(j, "by", a->by);
	jw_key(j, "rows");
	jw_array(j);
	for (size_t i = 0; i < a->rows.n; i++) {
		jw_object(j);
		jw_kv_text(j, "name", a->rows.v[i].name);
		jw_kv_u64(j, "warnings", a->rows.v[i].places);
		jw_kv_u64(j, "about_leaks", a->rows.v[i].about_leaks);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

void json_doc_lint_top(struct str *o, const struct ans_lint *a)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	put_lint_summary(&j, a);
	jw_end(&j, '}');
	str_put(o, "\n");
}

void json_doc_lint(struct str *o, const struct ans_lint *a, size_t limit)
{
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	put_lint_summary(&j, a);
	jw_key(&j, "lint");
	jw_array(&j);
	for (size_t i = 0; i < a->list.n && i < limit; i++) {
		jw_object(&j);
		put_warning(&j, &a->list.v[i]);
		jw_end(&j, '}');
	}
	jw_end(&j, ']');
	jw_end(&j, '}');
	str_put(o, "\n");
}

static void put_joined_escapes(struct jw *j, const struct ans_joined *a)
{
	jw_key(j, "escapes");
	jw_array(j);
	for (size_t i = 0; i < a->escapes.n; i++) {
		const struct ans_join_escape *x = &a->escapes.v[i];

		jw_object(j);
		jw_kv_known(j, "retained_bytes", x->retained);
		jw_kv_u64(j, "inuse_bytes", x->bytes);
		jw_kv_u64(j, "objects", x->objects);
		jw_kv_known(j, "alloc_bytes", x->alloc_bytes);
		jw_kv_known(j, "retained_guess_bytes", x->retained_guess);
		jw_kv_u64(j, "sampled", x->sampled);
		if (x->calls)
			jw_kv_u64(j, "calls", x->calls);
		jw_kv_u64(j, "others", x->others);
		jw_kv_bool(j, "inlined_elsewhere", x->inlined);
		jw_kv_bool(j, "ambiguous_file", x->split);
		put_place(j, &x->place);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

static void put_joined_lints(struct jw *j, const struct ans_joined *a)
{
	jw_key(j, "lint");
	jw_array(j);
	for (size_t i = 0; i < a->lints.n; i++) {
		const struct ans_join_lint *x = &a->lints.v[i];

		jw_object(j);
		jw_kv_known(j, "retained_bytes", x->retained);
		jw_kv_u64(j, "inuse_bytes", x->bytes);
		jw_kv_u64(j, "objects", x->objects);
		jw_kv_known(j, "retained_guess_bytes", x->retained_guess);
		jw_kv_u64(j, "sampled", x->sampled);
		jw_kv_u64(j, "goroutines", x->goroutines);
		jw_kv_u64(j, "goroutine_bytes", x->goroutine_bytes);
		jw_kv_bool(j, "ambiguous_file", x->split);
		put_warning(j, &x->place);
		jw_end(j, '}');
	}
	jw_end(j, ']');
}

void json_joined(struct jw *j, const struct ans_joined *a, size_t n)
{
	jw_array(j);
	for (size_t i = 0; i < n; i++) {
		jw_object(j);
		jw_kv_text(j, "from", a[i].name);
		if (*a[i].note)
			jw_kv_text(j, "note", a[i].note);
		if (a[i].damage)
			jw_kv_text(j, "damaged", a[i].damage);
		jw_kv_bool(j, "by_samples", a[i].by_samples);
		if (a[i].is_lint) {
			put_joined_lints(j, &a[i]);
		} else {
			put_joined_escapes(j, &a[i]);
			jw_kv_u64(j, "unexplained_bytes", a[i].left.bytes);
			jw_kv_u64(j, "unexplained_no_line_bytes", a[i].left.no_line);
			jw_kv_u64(j, "unexplained_no_file_bytes", a[i].left.no_file);
		}
		jw_end(j, '}');
	}
	jw_end(j, ']');
}
