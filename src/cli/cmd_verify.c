/*
 * cmd_verify.c - `limpet verify`: is limpet right?
 *
 * First snapshot, between two cycles if it can be; where collections follow each other closely
 * also the marks of the very next one; then, while candidates remain, further looks, each
 * after a collection that began after the one before.  Only what stays marked and unreached
 * through all of them is a miss.
 */
#include "cli/cmds.h"
#include "cli/looks.h"
#include "cli/stores.h"

static struct err *emit(struct session *s, const struct ans_head *h, const struct ans_exact *x)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	size_t limit = session_limit(s->args, 100);

	if (args_has(s->args, OPT_JSON)) {
		json_doc_verify(&o, h, x, limit);
	} else {
		text_head(&o, session_style(s->args), h);
		text_losses(&o, h);
		text_verify(&o, session_style(s->args), x, limit);
	}
	return session_emit(s, &o);
}

static struct err *first_look(struct session *s, struct verify_result *v, struct ans_head *h)
{
	struct err *err = session_snapshot(s);

	if (!err)
		err = session_graph(s);
	if (!err)
		err = verify_run(s->s, s->g, v);
	if (!err)
		err = session_head(s, h);
	return err;
}

static struct err *later_looks(struct session *s, struct cycle at, const struct soon *soon,
			       struct verify_result *v)
{
	struct err *err = NULL;

	if (soon->came) {
		verify_again(v, &soon->heap, NULL);
		at = soon->at;
	}
	if (v->missing)
		err = session_stage(s, "waiting for the next GC cycle");
	return err ? err : looks_later(s->args, s, at, v);
}

/* What was compared when the store was made; nobody can look again. */
static struct err *of_store(const struct args *a, int *status)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(ans_exact_deinit) struct ans_exact x = { 0 };
	_cleanup_(ans_head_deinit) struct ans_head h = { 0 };
	struct err *err = session_open(a, &s);

	if (!err)
		err = agg_exact(&s.agg, NULL, &x);
	if (!err)
		err = session_head(&s, &h);
	if (err)
		return err;
	*status = x.holds ? 0 : 1;
	return emit(&s, &h, &x);
}

struct err *cmd_verify(const struct args *a, int *status)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(soon_deinit) struct soon soon = { 0 };
	_cleanup_(verify_deinit) struct verify_result v = { 0 };
	_cleanup_(ans_exact_deinit) struct ans_exact x = { 0 };
	_cleanup_(ans_head_deinit) struct ans_head h = { 0 };
	struct cycle at = { 0 };
	bool store = false;
	struct err *err = session_is_store(a->arg[0], &store);

	if (!err && store)
		return of_store(a, status);
	if (!err)
		err = looks_first(a, &s, &at);
	if (!err)
		err = looks_soon(a, &s, at, &soon);
	if (!err)
		err = first_look(&s, &v, &h);
	if (!err)
		err = later_looks(&s, at, &soon, &v);
	if (err)
		return err;
	err = agg_exact(&s.agg, &v, &x);
	if (err)
		return err;
	*status = x.holds ? 0 : 1;
	return emit(&s, &h, &x);
}
