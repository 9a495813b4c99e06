/*
 * fuzz_gotext.c - any text through the reader of goroutine dumps, all that is made of it, and out.
 *
 * The first byte says in how many files the rest comes.  Checked: every index is in its array,
 * counts add up, nobody stayed who was not there.
 */
#include "report/agg_gotext.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool is)
{
	if (!is)
		abort();
}

static void check_stacks(const struct gotext *g)
{
	for (size_t i = 0; i < g->stacks.n; i++) {
		const struct gotext_stack *s = &g->stacks.v[i];

		check((size_t)s->first + s->n <= g->links.n);
		check(s->created == GOTEXT_NONE || s->created < g->frames.n);
		check(s->user == GOTEXT_NONE || s->user < g->frames.n);
		for (uint32_t k = 0; k < s->n; k++)
			check(g->links.v[s->first + k] < g->frames.n);
	}
}

static void check_gs(const struct gotext *g)
{
	uint64_t n = 0;

	for (size_t i = 0; i < g->gs.n; i++) {
		const struct gotext_goroutine *c = &g->gs.v[i];

		check(c->stack < g->stacks.n && c->count);
		check((size_t)c->first_arg + c->nargs <= g->args.n);
		n += c->count;
	}
	check(g->kept < g->dumps.n && n == g->dumps.v[g->kept].n);
}

static void check_dumps(const struct gotext *g)
{
	for (size_t i = 0; i < g->dumps.n; i++) {
		const struct gotext_dump *d = &g->dumps.v[i];

		check((size_t)d->first_tally + d->ntallies <= g->tallies.n);
		check(d->panic == GOTEXT_NONE || d->panic < g->panics.n);
		for (uint32_t t = d->first_tally; t < d->first_tally + d->ntallies; t++) {
			const struct gotext_tally *x = &g->tallies.v[t];

			check(x->count && x->stayed <= x->count && x->stayed_first <= x->count);
			check(x->min_minutes <= x->max_minutes);
		}
	}
}

static void answers(const struct gotext *g, unsigned char how)
{
	static const char *const by[] = {
		"function", "package", "file", "line", "state", "creator"
	};
	_cleanup_(ans_gotext_deinit) struct ans_gotext a = { 0 };
	_cleanup_(ans_gotext_top_deinit) struct ans_gotext_top t = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	struct gotext_ask q = { .by = (enum goroutine_group)(how % 5),
				.limit = 50,
				.values = how % 3,
				.messages = how & 1,
				.leaked_only = how & 2,
				.key = how & 4 ? "tenant" : NULL,
				.file = "drawn" };
	struct gotext_found f;
	struct err *err = agg_gotext(g, &q, &a);

	if (!err)
		err = agg_gotext_tree(g, 1000, &a);
	if (!err)
		err = agg_gotext_top(g, &a.keep, by[how % 6], 50, &t);
	if (err) {
		err_free(err);
		return;
	}
	gotext_find(g, "main.main", (enum gotext_role)(how % 3), &f);
	if (q.by != GROUP_NONE)
		text_gotext(&o, TEXT_PLAIN, &a);
	if (q.by == GROUP_STACK)
		text_gotext_report(&o, TEXT_PLAIN, &a);
	text_gotext_diff(&o, TEXT_PLAIN, &a);
	text_gotext_tree(&o, TEXT_PLAIN, &a);
	text_gotext_top(&o, TEXT_PLAIN, &a, &t);
	json_doc_gotext(&o, &a);
	json_doc_gotext_report(&o, &a);
	json_doc_gotext_diff(&o, &a);
	json_doc_gotext_tree(&o, &a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_(gotext_freep) struct gotext *g = NULL;
	unsigned char how = n ? data[0] : 0;
	size_t half = how & 8 ? n / 2 : n;

	if (!n || gotext_create(how & 16 ? 1 : 0, &g))
		return 0;
	for (size_t at = 1; at < n; at += half) {
		_cleanup_(input_closep) struct input *in = NULL;
		struct err *err = input_bytes(data + at, MIN(half, n - at), "drawn", &in);

		if (!err)
			err = gotext_feed(g, in);
		err_free(err);
	}
	struct err *err = gotext_finish(g);

	if (!err) {
		check_stacks(g);
		check_gs(g);
		check_dumps(g);
		answers(g, how);
	}
	err_free(err);
	return 0;
}
