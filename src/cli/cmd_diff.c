/*
 * cmd_diff.c - `limpet diff`: what came, what went, what stayed between looks.
 */
#include "cli/cmds.h"
#include "cli/interrupt.h"
#include "cli/looks_follow.h"
#include "cli/stores.h"
#include "report/agg_diff.h"
#include "report/diff_objects.h"
#include "report/out.h"

#include <errno.h>

struct looks {
	size_t n;
	struct store *store[ANS_DIFF_LOOKS];
	struct ident *x[ANS_DIFF_LOOKS];
	uint64_t requests[ANS_DIFF_LOOKS];
};

static void looks_close(struct looks *l)
{
	for (size_t i = 0; i < l->n; i++) {
		store_objects_close(l->x[i]);
		store_close(l->store[i]);
	}
}

static bool is_live(const char *target)
{
	return !strncmp(target, "pid:", 4) || !strncmp(target, "name:", 5) ||
	       (*target && strspn(target, "0123456789") == strlen(target));
}

/* A process is looked at now, so it is the last look. */
static struct err *check_targets(const struct args *a)
{
	for (unsigned i = 0; i + 1 < a->nargs; i++)
		if (is_live(a->arg[i]))
			return err_usage(
				"%.100s: a process is looked at now: it comes last, behind "
				"the earlier looks",
				a->arg[i]);
	return NULL;
}

/* "OLD,NEW": of each look, how many requests had been served by then. */
static struct err *parse_requests(const char *text, struct looks *l)
{
	const char *at = text;

	for (size_t i = 0; text && i < l->n; i++) {
		char *end;

		errno = 0;
		l->requests[i] = strtoull(at, &end, 10);
		if (end == at || *at == '-' || errno || !l->requests[i] ||
		    *end != (i + 1 < l->n ? ',' : 0))
			return err_usage("--requests %.100s: want a number for each look, as in "
					 "--requests 120000,4000",
					 text);
		at = end + 1;
	}
	return NULL;
}

static struct err *open_look(const struct args *a, size_t i, struct looks *l)
{
	struct err *err = session_analyse(a, a->arg[i], &l->store[i]);

	if (!err)
		err = store_objects(l->store[i], &l->x[i]);
	if (!err)
		err = interrupt_check();
	return err;
}

/* One process, followed from its first look to its second. */
static struct err *follow(const struct args *a, struct looks_followed *f, struct looks *l,
			  struct ans_diff_followed *ret)
{
	struct err *err = looks_follow(a, f);
	const struct follow_seen *seen = &f->seen;

	for (size_t i = 0; i < 2 && !err; i++)
		l->x[i] = f->x[i];
	*ret = (struct ans_diff_followed){ seen->cycles,  seen->missed,	    seen->spans,
					   seen->unknown, seen->read_bytes, seen->cpu_ns,
					   f->why };
	return err;
}

static struct err *answer(const struct args *a, const struct diff_ask *q, const struct looks *l)
{
	_cleanup_(ans_diff_deinit) struct ans_diff d = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	struct diff_look looks[ANS_DIFF_LOOKS];
	struct err *err;

	for (size_t i = 0; i < l->n; i++)
		looks[i] = (struct diff_look){ a->arg[MIN(i, a->nargs - 1)], l->x[i], l->store[i],
					       l->requests[i] };
	err = agg_diff(looks, l->n, q, &d);
	if (err)
		return err;
	if (args_has(a, OPT_JSON))
		json_doc_diff(&o, &d);
	else
		text_diff(&o, session_style(a), &d);
	return out_write(a->out, &o);
}

static struct err *answer_or_list(const struct args *a, const struct diff_ask *q,
				  const struct looks *l)
{
	if (a->objects)
		return diff_objects_write(l->x, l->n,
					  args_has(a, OPT_JSON) ? DIFF_LINES_JSON : DIFF_LINES_TEXT,
					  a->out);
	return answer(a, q, l);
}

static struct err *diff_followed(const struct args *a, struct diff_ask *q)
{
	_cleanup_(looks_followed_deinit) struct looks_followed f = { 0 };
	struct looks l = { .n = 2 }; /* all of it is f's */
	struct ans_diff_followed seen = { 0 };
	struct err *err;

	if (a->nargs != 1 || !is_live(a->arg[0]))
		return err_usage(
			"--for and --cycles want one process, as in `limpet diff PID --for "
			"60s`");
	err = parse_requests(a->requests, &l);
	if (!err)
		err = follow(a, &f, &l, &seen);
	l.store[0] = f.store[0];
	l.store[1] = f.store[1];
	q->followed = &seen;
	return err ? err : answer_or_list(a, q, &l);
}

struct err *cmd_diff(const struct args *a, int *status)
{
	_cleanup_(looks_close) struct looks l = { .n = MIN(a->nargs, (unsigned)ANS_DIFF_LOOKS) };
	struct diff_ask q = { .by = a->by, .limit = session_limit(a, 20), .force = a->force };
	struct err *err = agg_diff_check(a->by, a->sort, &q.sort);

	(void)status;
	if (!err && args_has(a, OPT_FOLLOW))
		return diff_followed(a, &q);
	if (!err && a->nargs > ANS_DIFF_LOOKS)
		return err_usage("%u looks: at most %d of a heap at once", a->nargs,
				 ANS_DIFF_LOOKS);
	if (!err && a->nargs < 2)
		err = err_usage("%.100s: want an earlier look and a later one, or of one process "
				"`limpet diff PID --for 60s`",
				a->arg[0]);
	if (!err)
		err = check_targets(a);
	if (!err)
		err = parse_requests(a->requests, &l);
	for (size_t i = 0; !err && i < l.n; i++)
		err = open_look(a, i, &l);
	return err ? err : answer_or_list(a, &q, &l);
}
