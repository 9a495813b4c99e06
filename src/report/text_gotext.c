/*
 * text_gotext.c - goroutines out of texts, for people.
 */
#include "report/answer_gotext.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

enum { DUMPS_SHOWN = 8, GROWTH_SHOWN = 10, LOCKS_SHOWN = 5, FRAMES_SHOWN = 24 };

static void put_time(struct str *o, const struct ans_gotext_dump *d)
{
	time_t s = (time_t)(d->time_ns / 1000000000U);
	struct tm tm;
	char buf[40];

	if (!d->time_ns || !gmtime_r(&s, &tm) ||
	    !strftime(buf, sizeof(buf), d->no_year ? "%m-%d %H:%M:%S" : "%Y-%m-%d %H:%M:%S", &tm))
		return;
	str_printf(o, "%s%s, ", buf, d->no_zone ? " (the log's own time)" : " UTC");
}

static void put_why(struct str *o, const struct ans_gotext_dump *d)
{
	if (!*d->how)
		return;
	str_put(o, ", ");
	text_clean(o, d->how);
	str_printf(o, ": %s", d->kind);
	if (d->recovered)
		str_put(o, " (recovered)");
}

static void put_dump(struct str *o, const struct ans_gotext *a, size_t i)
{
	const struct ans_gotext_dump *d = &a->dumps.v[i];
	char n[32];

	str_printf(o, "  %c %zu  ", d->kept ? '*' : ' ', i + 1);
	put_time(o, d);
	str_put(o, "line ");
	str_printf(o, "%" PRIu64 " of ", d->at_line);
	text_clean(o, d->file);
	str_printf(o, ": %s goroutine%s", text_count(n, d->n), d->n == 1 ? "" : "s");
	if (strcmp(d->form, "traceback") != 0)
		str_printf(o, " (%s)", d->form);
	if (d->process > 1)
		str_printf(o, ", process %" PRIu64, d->process);
	put_why(o, d);
	if (d->cut)
		str_put(o, ", its end is missing");
	str_put(o, "\n");
}

/* Around the one that is shown, and the first ones. */
static void put_dumps(struct str *o, const struct ans_gotext *a)
{
	size_t shown = 0;

	if (a->dumps.n == 1)
		return;
	str_printf(o, "%zu dumps (* is shown; --dump N)\n", a->dumps.n);
	for (size_t i = 0; i < a->dumps.n; i++) {
		bool near = i + DUMPS_SHOWN / 2 >= a->dumps.n || i + 1 == a->shown_dump ||
			    a->dumps.v[i].kept;

		if (shown >= DUMPS_SHOWN / 2 && !near)
			continue;
		put_dump(o, a, i);
		shown++;
	}
	if (shown < a->dumps.n)
		str_printf(o, "    %zu more; --json has all\n", a->dumps.n - shown);
	str_put(o, "\n");
}

static void put_panic(struct str *o, const struct ans_gotext *a)
{
	const struct ans_gotext_dump *d = &a->dumps.v[a->shown_dump];

	if (!*d->how)
		return;
	text_clean(o, d->how);
	str_printf(o, ": %s", d->kind);
	if (d->goroutine)
		str_printf(o, ", goroutine %" PRIu64, d->goroutine);
	if (*d->function) {
		str_put(o, " in ");
		text_clean(o, d->function);
	}
	str_put(o, d->recovered ? " (recovered: the program went on)\n" : "\n");
	if (d->message && *d->message) {
		str_put(o, "  ");
		text_clean(o, d->message);
		str_put(o, "\n");
	} else if (!d->message) {
		str_put(o, "  what it says is a value of the program: --values full\n");
	}
	str_put(o, "\n");
}

static void put_place(struct str *o, const struct ans_frame *f)
{
	if (!*f->file)
		return;
	str_put(o, "\t");
	text_clean(o, f->file);
	str_printf(o, ":%d\n", f->line);
}

static void put_stack(struct str *o, const struct ans_gotext *a, const struct ans_gotext_g *g)
{
	for (size_t i = 0; i < MIN(g->nframes, (size_t)FRAMES_SHOWN); i++) {
		const struct ans_frame *f = &a->frames.v[g->first_frame + i];

		text_clean(o, f->function);
		str_put(o, "(...)\n");
		put_place(o, f);
	}
	if (g->nframes > FRAMES_SHOWN)
		str_printf(o, "... %zu more; --json has all\n", g->nframes - FRAMES_SHOWN);
	if (g->elided)
		str_put(o, "... frames that Go itself left out\n");
	if (g->no_stack)
		str_put(o, "\trunning on another thread: no stack\n");
	if (*g->creator) {
		str_put(o, "created by ");
		text_clean(o, g->creator);
		str_put(o, "\n");
		put_place(o, &g->created_at);
	}
}

static void put_ages(struct str *o, const struct ans_gotext_group *k)
{
	char a[32], b[32];

	if (!k->max_since_ns)
		return;
	if (k->min_since_ns && k->min_since_ns < k->max_since_ns)
		str_printf(o, ", waiting %s to %s or more", text_ns(a, k->min_since_ns),
			   text_ns(b, k->max_since_ns));
	else
		str_printf(o, ", %s %s or more",
			   k->count > 1 && k->min_since_ns < k->max_since_ns ? "the longest waits"
									     : "waiting",
			   text_ns(a, k->max_since_ns));
}

static void put_trend(struct str *o, const struct ans_gotext *a, const struct ans_gotext_group *k)
{
	const struct ans_gotext_growth *w = k->growth == SIZE_MAX ? NULL : &a->growth.v[k->growth];

	if (!w || a->ncompared < 2)
		return;
	str_printf(o, "; %" PRIu64 " in the first dump", w->first);
	if (isfinite(w->per_hour) && w->growth)
		str_printf(o, ", %+.3g an hour", w->per_hour);
	if (w->stayed != ANS_UNKNOWN && w->first)
		str_printf(o, ", %" PRIu64 " of those are still there", w->stayed);
}

static void put_group(struct str *o, const struct ans_gotext *a, const struct ans_gotext_group *k)
{
	char n[32];

	str_printf(o, "\n%s \xc3\x97 ", text_count(n, k->count));
	text_clean(o, k->name);
	put_ages(o, k);
	if (k->locked)
		str_printf(o, ", %s locked to %s",
			   k->locked == k->count ? "all" : text_count(n, k->locked),
			   k->locked == 1 ? "its thread" : "their threads");
	put_trend(o, a, k);
	if (k->leaked)
		str_printf(o, ", %s leaked: the runtime says so",
			   k->leaked == k->count ? "all" : text_count(n, k->leaked));
	if (k->suspect)
		str_printf(o, ", %s suspected",
			   k->suspect == k->count ? "all" : text_count(n, k->suspect));
	if (k->idle && !k->suspect)
		str_printf(o, " (%s)", k->idle);
	str_put(o, "\n");
	if (!strcmp(a->group_by, "stack"))
		put_stack(o, a, &a->gs.v[k->example]);
}

static void put_lock(struct str *o, const struct ans_gotext *a, const struct ans_gotext_lock *l)
{
	char n[32];

	str_printf(o, "  %s at 0x%" PRIx64 ": %s wait", l->word, l->addr,
		   text_count(n, l->waiters));
	if (l->since_ns != ANS_UNKNOWN)
		str_printf(o, ", the longest %s or more", text_ns(n, l->since_ns));
	str_put(o, ", in ");
	text_clean(o, l->at.function);
	str_put(o, "\n");
	for (size_t i = 0; i < l->nholders; i++) {
		const struct ans_gotext_g *g = &a->gs.v[l->holders[i]];

		str_printf(o, "    maybe held by goroutine %" PRIu64 " [", g->id);
		text_clean(o, *g->wait ? g->wait : g->state);
		str_put(o, "] ");
		text_clean(o, g->function);
		str_put(o, "\n");
	}
	if (l->itself != SIZE_MAX)
		str_printf(o, "    goroutine %" PRIu64 " waits for it and may hold it already\n",
			   a->gs.v[l->itself].id);
	if (l->circle)
		str_put(o,
			"    maybe a deadlock: that goroutine waits for a lock whose holder may wait for this one\n");
}

static void put_locks(struct str *o, const struct ans_gotext *a)
{
	if (!a->locks.n)
		return;
	str_printf(o, "\nlocks (%zu; holders are guesses by arguments)\n", a->locks.n);
	for (size_t i = 0; i < MIN(a->locks.n, (size_t)LOCKS_SHOWN); i++)
		put_lock(o, a, &a->locks.v[i]);
}

static void put_head(struct str *o, enum text_style st, const struct ans_gotext *a)
{
	const struct ans_gotext_dump *d = &a->dumps.v[a->shown_dump];
	_cleanup_(str_deinit) struct str head = { 0 };
	char n[32];

	str_printf(&head, "%s goroutine%s, ", text_count(n, a->total), a->total == 1 ? "" : "s");
	put_time(&head, d);
	text_clean(&head, d->file);
	if (a->system)
		str_printf(&head, " (%s of the runtime)", text_count(n, a->system));
	text_title(o, st, str_ok(&head) ? head.s : "goroutines");
	if (a->damage)
		str_printf(o, "the file is %s: what is there was used\n", a->damage);
	if (d->cut)
		str_put(o,
			"the dump's end is missing (a buffer of runtime.Stack that was too small?)\n");
	if (a->cut_lines)
		str_printf(o, "%s lines were cut by other output\n", text_count(n, a->cut_lines));
	if (a->lost)
		str_printf(o, "%s names or goroutines were too many to keep\n",
			   text_count(n, a->lost));
	put_panic(o, a);
	put_dumps(o, a);
	if (a->leaked)
		str_printf(o, "%s %s\n", text_count(n, a->leaked),
			   a->deadlock ? "can never go on, by the runtime's own word"
				       : "leaked, by the runtime's own search");
	if (a->suspect)
		str_printf(o, "%s suspected; a text proves nothing\n", text_count(n, a->suspect));
}

void text_gotext(struct str *o, enum text_style st, const struct ans_gotext *a)
{
	put_head(o, st, a);
	for (size_t i = 0; i < a->groups.n; i++)
		put_group(o, a, &a->groups.v[i]);
	if (a->ngroups > a->groups.n)
		str_printf(o, "\n%" PRIu64 " more groups (--limit)\n", a->ngroups - a->groups.n);
	put_locks(o, a);
}

static void put_growth(struct str *o, const struct ans_gotext_growth *w)
{
	str_printf(o, "%8" PRIu64 " %8" PRIu64 " %+8" PRId64 " ", w->first, w->last, w->growth);
	if (w->stayed == ANS_UNKNOWN)
		str_printf(o, "%8s ", "");
	else
		str_printf(o, "%8" PRIu64 " ", w->stayed);
	if (isfinite(w->per_hour))
		str_printf(o, "%+9.4g  ", w->per_hour);
	else
		str_printf(o, "%9s  ", "");
	text_clean(o, *w->function ? w->function : "(unknown function)");
	if (*w->wait) {
		str_put(o, " [");
		text_clean(o, w->wait);
		str_put(o, "]");
	}
	if (strcmp(w->at.function, w->function) != 0 && *w->at.function) {
		str_put(o, " in ");
		text_clean(o, w->at.function);
	}
	str_put(o, w->suspect ? "  suspected\n" : "\n");
}

static void put_growths(struct str *o, const struct ans_gotext *a, size_t limit)
{
	size_t n = 0;

	if (a->ncompared < 2) {
		str_put(o, "only one dump of that process: nothing to compare it with\n");
		return;
	}
	str_printf(o, "%8s %8s %8s %8s %9s\n", "first", "last", "more", "stayed", "an hour");
	for (size_t i = 0; i < a->growth.n && n < limit; i++)
		if (a->growth.v[i].growth || limit > GROWTH_SHOWN) {
			put_growth(o, &a->growth.v[i]);
			n++;
		}
}

void text_gotext_diff(struct str *o, enum text_style st, const struct ans_gotext *a)
{
	char n[32];
	_cleanup_(str_deinit) struct str head = { 0 };

	str_printf(&head, "%zu dumps, %zu compared", a->dumps.n, (size_t)a->ncompared);
	if (isfinite(a->hours))
		str_printf(&head, ", over %s", text_ns(n, (uint64_t)(a->hours * 3.6e12)));
	text_title(o, st, str_ok(&head) ? head.s : "");
	put_dumps(o, a);
	put_growths(o, a, a->limit);
	if (a->ncompared > 1)
		str_put(o,
			"stayed: the same goroutine with the same stack in the first and in the last dump.\n"
			"Dumps of one file, or given together, are taken to be of one process until it ends.\n");
}

void text_gotext_report(struct str *o, enum text_style st, const struct ans_gotext *a)
{
	put_head(o, st, a);
	str_put(o, "\n");
	if (a->findings.rows.n)
		text_findings(o, st, &a->findings);
	else
		str_put(o,
			"Nothing is suspected. That is no proof: a dump shows who waits, not who may still be woken.\n\n");
	if (a->ncompared > 1) {
		str_put(o, "What grew from dump to dump\n");
		put_growths(o, a, GROWTH_SHOWN);
		str_put(o, "\n");
	}
	text_title(o, st, "Largest groups");
	for (size_t i = 0; i < a->groups.n; i++) {
		const struct ans_gotext_group *k = &a->groups.v[i];
		char n[32];

		str_printf(o, "%8s  ", text_count(n, k->count));
		text_clean(o, k->name);
		put_ages(o, k);
		str_printf(o, "%s%s%s\n", k->idle ? " (" : "", k->idle ? k->idle : "",
			   k->idle ? ")" : "");
	}
	put_locks(o, a);
}

void text_gotext_tree(struct str *o, enum text_style st, const struct ans_gotext *a)
{
	char n[32], t[32];

	text_title(o, st, "who started whom: goroutines, and all that descend from them");
	for (size_t i = 0; i < a->tree.n; i++) {
		const struct ans_gotext_node *x = &a->tree.v[i];

		str_printf(o, "%8s ", text_count(n, x->below));
		str_printf(o, "%8s  %*s", x->count ? text_count(n, x->count) : "-",
			   (int)(2 * x->depth), "");
		text_clean(o, x->function);
		if (x->ended)
			str_put(o, " (ended, or not in the dump)");
		else if (x->since_ns != ANS_UNKNOWN)
			str_printf(o, ", the longest waits %s or more", text_ns(t, x->since_ns));
		str_put(o, "\n");
	}
	if (a->tree_cut)
		str_printf(o, "%zu more below (--depth)\n", a->tree_cut);
}

void text_gotext_top(struct str *o, enum text_style st, const struct ans_gotext *a,
		     const struct ans_gotext_top *t)
{
	char n[32];

	(void)a;
	_cleanup_(str_deinit) struct str head = { 0 };

	str_printf(&head, "%s goroutines by %s", text_count(n, t->total), t->by);
	text_title(o, st, str_ok(&head) ? head.s : "");
	str_printf(o, "%10s %7s %10s %7s\n", "flat", "", "cum", "");
	for (size_t i = 0; i < t->rows.n; i++) {
		const struct ans_gotext_row *r = &t->rows.v[i];
		double all = t->total ? (double)t->total : 1;

		str_printf(o, "%10" PRIu64 " %6.2f%% %10" PRIu64 " %6.2f%%  ", r->flat,
			   100 * (double)r->flat / all, r->cum, 100 * (double)r->cum / all);
		text_clean(o, r->name);
		str_put(o, "\n");
	}
	if (t->nrows > t->rows.n)
		str_printf(o, "%" PRIu64 " more (--limit)\n", t->nrows - t->rows.n);
}
