/*
 * pipeline.c - target to bytes, as the commands do it, with every aggregation in one run.
 *
 * Knows nothing of lies and failing allocations.
 */
#include "pipeline.h"

#include "report/agg.h"
#include "report/json.h"
#include "report/text.h"

#include <jansson.h>
#include <stdio.h>

struct visit {
	struct pipeline *p;
	struct snapshot *s;
	struct graph *g;
	struct agg agg;
	struct ans_head head;
	uint64_t rng;
};

static _Noreturn void bug(const char *what, const char *text)
{
	fprintf(stderr, "BUG: %s: %.300s\n", what, text);
	abort();
}

void pipeline_check_error(const struct err *e)
{
	if (!e->msg[0])
		bug("an error without a message", "");
	for (const char *c = e->msg; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			bug("an error with control bytes", e->msg);
}

static uint64_t next(struct visit *l)
{
	l->rng ^= l->rng << 13;
	l->rng ^= l->rng >> 7;
	l->rng ^= l->rng << 17;
	return l->rng;
}

static void refused(struct visit *l, struct err *err)
{
	pipeline_check_error(err);
	err_free(err);
	l->p->nrefusals++;
}

static void check_text(struct visit *l, const struct str *o)
{
	if (o->bad) {
		l->p->nrefusals++;
		return;
	}
	for (size_t i = 0; i < o->n; i++)
		if (((unsigned char)o->s[i] < 0x20 && o->s[i] != '\n' && o->s[i] != '\t') ||
		    o->s[i] == 0x7f)
			bug("control bytes in text", o->s + (i > 20 ? i - 20 : 0));
	l->p->nanswers++;
}

static void check_json(struct visit *l, const struct str *o)
{
	json_error_t e;
	json_t *j;

	if (o->bad) {
		l->p->nrefusals++;
		return;
	}
	j = json_loads(o->s, 0, &e);
	if (!j && json_error_code(&e) != json_error_out_of_memory)
		bug(e.text, o->s + (e.position > 40 ? e.position - 40 : 0));
	json_decref(j);
	l->p->nanswers++;
}

/* Render an answer as text and as JSON, check both. */
#define SHOW(l, text_call, json_call)                                                              \
	do {                                                                                       \
		_cleanup_(str_deinit) struct str o = { 0 };                                        \
		_cleanup_(str_deinit) struct str j = { 0 };                                        \
		text_call;                                                                         \
		check_text(l, &o);                                                                 \
		json_call;                                                                         \
		check_json(l, &j);                                                                 \
	} while (0)

static void do_head(struct visit *l)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	struct err *err = agg_head(&l->agg, &l->head);

	if (err) {
		refused(l, err);
		return;
	}
	text_head(&o, TEXT_PLAIN, &l->head);
	text_losses(&o, &l->head);
	check_text(l, &o);
}

static void do_verify(struct visit *l, struct verify_result *v)
{
	_cleanup_(ans_exact_deinit) struct ans_exact x = { 0 };
	struct err *err = verify_run(l->s, l->g, v);

	if (!err)
		verify_again(v, &l->s->heap, l->g);
	if (!err)
		err = agg_exact(&l->agg, v, &x);
	if (err) {
		refused(l, err);
		return;
	}
	SHOW(l, text_verify(&o, TEXT_PLAIN, &x, 100), json_doc_verify(&j, &l->head, &x, 100));
}

static void do_report(struct visit *l, const struct verify_result *v, struct find_since *since)
{
	_cleanup_(ans_report_deinit) struct ans_report r = { 0 };
	const struct report_ask ask = { .tables = 10, .since = since, .since_file = "itself" };
	struct err *err = agg_report(&l->agg, v, &ask, &r);

	if (!err)
		err = agg_head(&l->agg, &r.head);
	if (err) {
		refused(l, err);
		return;
	}
	SHOW(l, text_report(&o, TEXT_PLAIN, &r), json_doc_report(&j, &r));
}

/* This look, compared with itself. */
static void do_since(struct visit *l, const struct verify_result *v)
{
	_cleanup_(find_since_freep) struct find_since *since = NULL;
	struct err *err = agg_since_create(&l->agg, &since);

	if (err) {
		refused(l, err);
		return;
	}
	agg_since_match(&l->agg, since);
	do_report(l, v, since);
}

static void do_top(struct visit *l, const char *by, enum top_sort sort)
{
	struct top_ask q = {
		.by = by, .sort = sort, .limit = 30, .npaths = 3, .trees = AGG_TREE_BOTH
	};
	_cleanup_(ans_top_deinit) struct ans_top t = { 0 };
	struct err *err = agg_top(&l->agg, &q, &t);

	if (err) {
		refused(l, err);
		return;
	}
	SHOW(l, text_top(&o, TEXT_PLAIN, &t), json_doc_top(&j, &l->head, &t));
}

static void do_memory(struct visit *l)
{
	_cleanup_(ans_memory_deinit) struct ans_memory m = { 0 };
	struct err *err = agg_memory(&l->agg, &m);

	if (err) {
		refused(l, err);
		return;
	}
	SHOW(l, text_memory(&o, TEXT_PLAIN, &m), json_doc_memory(&j, &l->head, &m));
}

static void do_why(struct visit *l, const char *what)
{
	_cleanup_(ans_why_deinit) struct ans_why w = { 0 };
	struct err *err = agg_why(&l->agg, &what, 1, 2, 3, &w);

	if (err) {
		refused(l, err);
		return;
	}
	SHOW(l, text_why(&o, TEXT_PLAIN, &w), json_doc_why(&j, &l->head, &w));
}

static void do_object(struct visit *l, const char *what, unsigned values)
{
	_cleanup_(ans_object_deinit) struct ans_object x = { 0 };
	const struct agg_object_opts opts = {
		.values = values,
		.limit = 50,
		.depth = 1 + (unsigned)(next(l) % 8),
		.width = 20,
		.bytes = 100,
		.raw = next(l) % 64,
	};
	struct err *err = agg_object(&l->agg, what, &opts, &x);

	if (err) {
		refused(l, err);
		return;
	}
	SHOW(l, text_object(&o, TEXT_PLAIN, &x), json_doc_object(&j, &l->head, &x));
}

static void do_tree(struct visit *l, const char *what, unsigned depth)
{
	_cleanup_(ans_tree_deinit) struct ans_tree t = { 0 };
	struct err *err = agg_tree(&l->agg, what, depth, 10, &t);

	if (err) {
		refused(l, err);
		return;
	}
	SHOW(l, text_tree(&o, TEXT_PLAIN, &t), json_doc_tree(&j, &l->head, &t));
}

static void do_goroutines(struct visit *l, enum goroutine_group by)
{
	_cleanup_(ans_goroutines_deinit) struct ans_goroutines gs = { 0 };
	struct err *err =
		agg_goroutines(&l->agg, &(struct goroutines_ask){ .by = by, .limit = 100 }, &gs);

	if (err) {
		refused(l, err);
		return;
	}
	SHOW(l, text_goroutines(&o, TEXT_PLAIN, &gs), json_doc_goroutines(&j, &l->head, &gs));
}

static void do_locks(struct visit *l)
{
	_cleanup_(ans_locks_deinit) struct ans_locks a = { 0 };
	struct err *err = agg_locks(&l->agg, 100, &a);

	if (err) {
		refused(l, err);
		return;
	}
	SHOW(l, text_locks(&o, TEXT_PLAIN, &a), json_doc_locks(&j, &l->head, &a));
}

static void do_audit(struct visit *l)
{
	_cleanup_(ans_audit_deinit) struct ans_audit a = { 0 };
	struct err *err = agg_audit(&l->agg, 100, &a);

	if (err) {
		refused(l, err);
		return;
	}
	SHOW(l, text_audit(&o, TEXT_PLAIN, &a), json_doc_audit(&j, &l->head, &a));
}

static void do_frames(struct visit *l)
{
	struct go_line lines[16];

	for (size_t i = 0; i < l->s->stacks.frames.n && i < 5000; i++) {
		const struct go_frame *f = &l->s->stacks.frames.v[i];
		size_t n = go_lines_at(l->s->go, go_frame_line_pc(f), lines, ARRAY_LEN(lines));
		size_t len = 0;

		for (size_t k = 0; k < n; k++)
			len += strlen(lines[k].function) + strlen(lines[k].file);
		l->rng += len; /* the text must be readable */
	}
}

static bool any_object(struct visit *l, uint64_t *ret)
{
	for (int i = 0; i < 1000 && l->s->heap.nobjects; i++) {
		*ret = next(l) % l->s->heap.nobjects;
		if (snapshot_is_object(l->s, *ret))
			return true;
	}
	return false;
}

static void do_objects(struct visit *l)
{
	char name[256], field[256], what[64];
	uint64_t id;

	for (int i = 0; i < 200 && any_object(l, &id); i++) {
		uint64_t nbytes;
		taddr at = go_heap_address(&l->s->heap, id, &nbytes);

		snapshot_type_name(l->s, id, name, sizeof(name));
		snapshot_field_name(l->s, id, nbytes ? next(l) % nbytes : 0, field, sizeof(field));
		if (i >= 4)
			continue;
		snprintf(what, sizeof(what), TADDR_FMT, at + 8 * (unsigned)(i & 1));
		do_why(l, what);
		do_object(l, what, i & 1 ? ANS_VALUES_FULL : ANS_VALUES_HASH);
		do_tree(l, what, 4);
	}
}

static void do_named(struct visit *l)
{
	static const char *const what[] = {
		"goroutine:1", "main.node",  "main.all",	  "*runtime.g", "",
		"0x",	       "goroutine:", "0xffffffffffffffff"
	};
	const struct snapshot *s = l->s;

	for (size_t i = 0; i < ARRAY_LEN(what); i++) {
		do_why(l, what[i]);
		do_object(l, what[i], ANS_VALUES_FULL);
		do_tree(l, what[i], 3);
	}
	if (s->roots.n)
		do_why(l, s->roots.v[next(l) % s->roots.n].name);
	if (s->types.n)
		do_why(l, s->types.v[next(l) % s->types.n].name);
}

static void answers(struct visit *l)
{
	_cleanup_(verify_deinit) struct verify_result v = { 0 };
	struct err *err;

	do_head(l);
	do_verify(l, &v);
	err = agg_dominators(&l->agg);
	if (!err)
		err = graph_reverse(l->g, l->p->nthreads);
	if (err) {
		refused(l, err);
		return;
	}
	do_report(l, &v, NULL);
	do_since(l, &v);
	for (size_t i = 0; agg_by_word(i); i++)
		do_top(l, agg_by_word(i), (enum top_sort)(next(l) % 3));
	do_top(l, "label:prey", TOP_SORT_RETAINED);
	do_memory(l);
	do_tree(l, NULL, 6);
	for (enum goroutine_group by = GROUP_NONE; by <= GROUP_LABEL; by++)
		do_goroutines(l, by);
	do_locks(l);
	do_audit(l);
	do_frames(l);
	do_objects(l);
	do_named(l);
}

static void enter(struct pipeline *p, enum pipeline_phase phase)
{
	p->reached = phase;
	if (p->phase)
		p->phase(p->arg, phase);
}

struct err *pipeline_run(struct pipeline *p)
{
	struct snap_opts so = { .nthreads = p->nthreads };
	_cleanup_(go_closep) struct go *go = NULL;
	_cleanup_(snapshot_freep) struct snapshot *s = NULL;
	_cleanup_(graph_freep) struct graph *g = NULL;
	struct err *err;
	const char *why;

	enter(p, PHASE_OPEN);
	err = go_open(p->t, &(struct go_opts){ 0 }, &go);
	if (err)
		return err;
	enter(p, PHASE_SNAPSHOT);
	err = snapshot_create(p->t, go, &so, &s);
	if (err)
		return err;
	if (p->look)
		p->look(p->arg, s);
	enter(p, PHASE_GRAPH);
	err = graph_create(s, p->nthreads, &g);
	if (err)
		return err;
	if (!graph_validate(g, &why))
		bug("graph", why);
	err = snapshot_types(s,
			     &(struct snap_arrows){ g->first, g->to, graph_node_of_object(g, 0) },
			     p->nthreads);
	if (err)
		return err;
	enter(p, PHASE_ANSWERS);
	struct visit l = {
		.p = p, .s = s, .g = g, .rng = p->seed * 2654435761U + 88172645463325252U
	};

	l.agg = (struct agg){ .s = s, .g = g, .nthreads = p->nthreads };
	answers(&l);
	ans_head_deinit(&l.head);
	agg_deinit(&l.agg);
	return NULL;
}
