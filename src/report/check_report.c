/*
 * check_report.c - findings of a report, in the forms that services read.
 *
 * A report is one check: it fails where a finding is a leak.  Places are those of --source; a
 * confined process looks for no others.
 */
#include "report/check_out.h"

#include <stdio.h>

/* Where it is stuck, else where its like are allocated. */
static struct ans_frame at_of(const struct ans_finding *f)
{
	const struct ans_origin *o = &f->origin;

	if (f->has_goroutine && f->own_frame < f->stack.n)
		return f->stack.v[f->own_frame];
	if (o->sites.n)
		return o->sites.v[0].frame;
	if (o->stack.n)
		return o->stack.v[0];
	return (struct ans_frame){ .function = "", .file = "" };
}

static struct err *add_finding(struct ans_check *c, const struct ans_finding *f)
{
	struct ans_check_row r = {
		.kind = f->kind,
		.verdict = f->verdict,
		.proof = f->proof,
		.title = f->title,
		.why = f->detail,
		.fix = f->fix,
		.signature = f->signature,
		.type = f->type,
		.holder = f->holder_text,
		.at = at_of(f),
		.objects = f->objects,
		.bytes = f->bytes + f->stack_bytes,
	};

	for (size_t i = 0; i < f->source.n && !r.uri; i++)
		if (f->source.v[i].file) {
			r.uri = f->source.v[i].file;
			r.uri_line = f->source.v[i].line;
		}
	for (size_t i = 0; i < f->stack.n; i++)
		if (!vec_push(&r.stack, f->stack.v[i])) {
			vec_free(&r.stack);
			return &err_nomem;
		}
	if (vec_push(&c->rows, r))
		return NULL;
	vec_free(&r.stack);
	return &err_nomem;
}

/* What is left out by the user's wish: a result with a suppression. */
static struct err *add_ignored(struct ans_checks *a, struct ans_check *c,
			       const struct ans_ignored *x)
{
	struct ans_check_row r = {
		.kind = x->kind,
		.verdict = x->verdict,
		.proof = "",
		.title = x->title,
		.why = x->why,
		.fix = "",
		.signature = x->signature,
		.type = "",
		.holder = "",
		.at = { .function = "", .file = "" },
		.bytes = x->bytes,
		.known = true,
		.known_by = keepf(&a->keep, "%s %s", x->by, x->why),
	};

	return vec_push(&c->rows, r) ? NULL : &err_nomem;
}

struct err *checks_of_report(const struct ans_report *r, struct ans_checks *ret)
{
	const struct ans_findings *f = &r->findings;
	size_t leaks = f->counts[0][0] + f->counts[0][1] + f->counts[0][2];
	const char *slash = strrchr(r->head.exe, '/');
	struct ans_check c = { .name = slash ? slash + 1 : r->head.exe,
			       .suite = "",
			       .result = leaks ? CHECK_FAILED : CHECK_PASSED,
			       .output = "",
			       .exit_status = -1 };
	struct err *err = NULL;

	c.why = keepf(&ret->keep, "%zu findings, %zu of them leaks", (size_t)f->total, leaks);
	ret->command = "limpet report";
	ret->baseline = "";
	ret->started_unix_ns = r->head.at_unix_ns;
	for (size_t i = 0; !err && i < f->rows.n; i++)
		err = add_finding(&c, &f->rows.v[i]);
	for (size_t i = 0; !err && i < f->ignored.n; i++)
		err = add_ignored(ret, &c, &f->ignored.v[i]);
	if (!err && vec_push(&ret->v, c))
		return keep_err(&ret->keep);
	ans_check_deinit(&c);
	return err ? err : &err_nomem;
}
