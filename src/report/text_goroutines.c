/*
 * text_goroutines.c - goroutines in the form that Go's own tracebacks have, and groups.
 */
#include "report/text.h"

#include <inttypes.h>

static void put_state(struct str *o, const struct ans_goroutine *g)
{
	text_clean(o, *g->wait ? g->wait : g->state);
	if (g->since_ns != ANS_UNKNOWN && g->since_ns >= 60000000000U)
		str_printf(o, ", %" PRIu64 " minutes", g->since_ns / 60000000000U);
	if (g->leaked && strcmp(g->leaked, "no"))
		str_printf(o, ", %s", strcmp(g->leaked, "proved") ? "leak suspected" : "leaked");
}

/* Nothing where the evidence knows no lines. */
static void put_place(struct str *o, const struct ans_frame *f)
{
	if (!*f->file)
		return;
	str_put(o, "\t");
	text_clean(o, f->file);
	str_printf(o, ":%d\n", f->line);
}

static void put_stack(struct str *o, const struct ans_goroutines *a, const struct ans_goroutine *g)
{
	for (size_t i = g->first_frame; i < g->first_frame + g->nframes; i++) {
		const struct ans_frame *f = &a->frames.v[i];

		text_clean(o, f->function);
		str_put(o, "(...)\n");
		put_place(o, f);
	}
	if (*g->creator) {
		str_put(o, "created by ");
		text_clean(o, g->creator);
		if (g->parent_id)
			str_printf(o, " in goroutine %" PRIu64, g->parent_id);
		str_put(o, "\n");
		put_place(o, &g->created_at);
	}
}

static void put_goroutine(struct str *o, const struct ans_goroutines *a,
			  const struct ans_goroutine *g)
{
	char s[2][16];

	str_printf(o, "\ngoroutine %" PRIu64 " [", g->id);
	put_state(o, g);
	str_put(o, "]");
	text_labels(o, g->labels);
	str_put(o, ": ");
	if (g->retained != ANS_UNKNOWN)
		str_printf(o, "retains %s, ", str_bytes(s[0], g->retained));
	str_printf(o, "stack %s%s\n", str_bytes(s[1], g->stack_bytes),
		   g->system ? ", of the runtime" : "");
	put_stack(o, a, g);
}

static void put_group(struct str *o, const struct ans_goroutines *a, const struct ans_group *k)
{
	const struct ans_goroutine *g = &a->gs.v[k->example];
	char n[32], s[2][16], t[32];

	str_printf(o, "\n%s \xc3\x97 ", text_count(n, k->count));
	text_clean(o, k->name);
	str_printf(o, ": retain %s%s, stacks %s", str_bytes(s[0], k->retained),
		   strncmp(a->group_by, "label", 5) ? "" : " together",
		   str_bytes(s[1], k->stack_bytes));
	if (k->freed)
		str_printf(o, ", %s of heap go with them", str_bytes(s[0], k->freed));
	if (k->proved)
		str_printf(o, ", %s leaked",
			   k->proved == k->count ? "all" : text_count(n, k->proved));
	if (k->suspect)
		str_printf(o, ", %s suspected",
			   k->suspect == k->count ? "all" : text_count(n, k->suspect));
	if (k->max_since_ns)
		str_printf(o, ", the longest waits %s", text_ns(t, k->max_since_ns));
	str_put(o, "\n");
	if (!strcmp(a->group_by, "stack"))
		put_stack(o, a, g);
}

static void put_leaked(struct str *o, const struct ans_goroutines *a)
{
	char n[32], s[2][16];

	if (a->proved)
		str_printf(
			o,
			"%s can never run again: with them %s of heap and %s of stacks would go\n",
			text_count(n, a->proved), str_bytes(s[0], a->freed_bytes),
			str_bytes(s[1], a->freed_stack_bytes));
	if (a->suspect)
		str_printf(o, "%s are suspected%s%s%s\n", text_count(n, a->suspect),
			   a->unproved ? ": nothing is proved where something was lost (" : "",
			   a->unproved ? a->unproved : "", a->unproved ? ")" : "");
}

void text_goroutines(struct str *o, enum text_style st, const struct ans_goroutines *a)
{
	char n[32], s[16];
	struct str head = { 0 };

	str_printf(&head, "%s %sgoroutines, which alone retain %s", text_count(n, a->total),
		   a->leaked_only ? "leaked " : "", str_bytes(s, a->retained_total));
	text_title(o, st, str_ok(&head) ? head.s : "goroutines");
	str_deinit(&head);
	put_leaked(o, a);
	if (a->group_by) {
		for (size_t i = 0; i < a->groups.n; i++)
			put_group(o, a, &a->groups.v[i]);
		return;
	}
	for (size_t i = 0; i < a->gs.n; i++)
		put_goroutine(o, a, &a->gs.v[i]);
	if (a->total > a->gs.n)
		str_printf(o, "\n%" PRIu64 " more (--limit)\n", a->total - a->gs.n);
}
