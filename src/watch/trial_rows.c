/*
 * trial_rows.c - what the judge holds against a program, in the words of a check.
 *
 * Where the last look's own findings say the same (one type, one holder), their words and their fix
 * are taken.
 */
#include "watch/trial_priv.h"

#include "base/str.h"

#include <stdio.h>
#include <xxhash.h>

enum { PILE_ROWS = 4, MAX_ROWS = 50 };

/* As find_sign() makes them: names alone, no address and no number. */
static const char *sign(struct trial *t, const char *kind, const char *key)
{
	XXH64_hash_t h = XXH64(kind, strlen(kind) + 1, 0);

	return keepf(t->keep, "%016" PRIx64, (uint64_t)XXH64(key, strlen(key), h));
}

static const char *size_words(double bytes, char buf[static 16])
{
	return str_bytes(buf, bytes > 0 ? (uint64_t)bytes : 0);
}

static bool is_held(const struct judge_series *s)
{
	return s->what == JUDGE_OBJECTS && s->holder && *s->holder && s->holder[0] != '(';
}

/* "goroutine main.worker" holds what goroutines of the group "main.worker [select]" hold. */
static bool is_of_goroutine(const struct judge_series *held, const struct judge_series *g)
{
	const char *name = held->holder + strlen("goroutine ");
	size_t n = strlen(name);

	return g->what == JUDGE_GOROUTINES && !strncmp(held->holder, "goroutine ", 10) &&
	       !strncmp(g->name, name, n) && (g->name[n] == ' ' || !g->name[n]);
}

/* What grows below one holder is one thing: a map, its entries and what hangs on them. */
struct pile {
	const struct judge_row *rows[PILE_ROWS]; /* those with most bytes are named */
	size_t n;
	struct judge_row sum;
};

/* A row that its holder's first one speaks for, or the goroutines that hold it. */
static bool is_spoken_for(const struct judgement *j, size_t i)
{
	const struct judge_series *s = j->rows.v[i].series;

	for (size_t k = 0; k < j->rows.n && is_held(s); k++)
		if (is_of_goroutine(s, j->rows.v[k].series) &&
		    j->rows.v[k].verdict >= j->rows.v[i].verdict)
			return true;
	for (size_t k = 0; k < i && is_held(s); k++)
		if (is_held(j->rows.v[k].series) && !strcmp(j->rows.v[k].series->holder, s->holder))
			return true;
	return false;
}

static void add(struct pile *p, const struct judge_row *r)
{
	if (p->n < PILE_ROWS)
		p->rows[p->n] = r;
	p->n++;
	p->sum.objects += r->objects;
	p->sum.bytes += r->bytes;
	p->sum.per_round_objects += r->per_round_objects;
	p->sum.per_round_bytes += r->per_round_bytes;
	p->sum.sure = MAX(p->sum.sure, r->sure);
	if (r->verdict == JUDGE_GROWS)
		p->sum.verdict = r->verdict;
}

/* Row i, and those below the same holder that grow as surely. */
static void pile_up(const struct judgement *j, size_t i, struct pile *p)
{
	const struct judge_row *first = &j->rows.v[i];

	*p = (struct pile){
		.sum = { .series = first->series, .verdict = first->verdict, .why = first->why }
	};
	add(p, first);
	for (size_t k = i + 1; k < j->rows.n && is_held(first->series); k++) {
		const struct judge_row *r = &j->rows.v[k];

		if (is_held(r->series) && r->verdict == first->verdict &&
		    !strcmp(r->series->holder, first->series->holder))
			add(p, r);
	}
}

/* "10 main.session, 10 []uint8 and 2 kinds more" */
static const char *contents(struct trial *t, const struct pile *p)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	size_t n = MIN(p->n, (size_t)PILE_ROWS);

	for (size_t i = 0; i < n; i++) {
		const struct judge_row *r = p->rows[i];
		const char *type = *r->series->type ? r->series->type : "objects";

		str_put(&o, i ? ", " : "");
		if (r->per_round_objects >= 0.05)
			str_printf(&o, "%.3g ", r->per_round_objects);
		str_printf(&o, "%s", type);
	}
	if (p->n > n)
		str_printf(&o, " and %zu kinds more", p->n - n);
	return keepf(t->keep, "%s", str_ok(&o) ? o.s : "");
}

static void of_objects(struct trial *t, const struct pile *p, struct ans_check_row *r)
{
	const struct judge_series *s = p->sum.series;
	bool held = is_held(s);
	char bytes[16];

	r->kind = "global-growth";
	if (held && !strncmp(s->holder, "goroutine ", 10))
		r->kind = "goroutine-hold";
	r->type = keepf(t->keep, "%s", s->type ? s->type : "");
	r->holder = keepf(t->keep, "%s", held ? s->holder : "");
	size_words(p->sum.per_round_bytes, bytes);
	if (held)
		r->title = keepf(t->keep, "%s grows by %s with every load: %s", r->holder, bytes,
				 contents(t, p));
	else
		r->title = keepf(t->keep, "%s with every load stay: %s", bytes, contents(t, p));
	r->fix = held ? keepf(t->keep, "remove from %s what is not needed any more", r->holder)
		      : "let go of them when the work is done";
	r->signature = sign(t, "check", keepf(t->keep, "%s\n%s", held ? "" : r->type, r->holder));
}

static void of_goroutines(struct trial *t, const struct judge_row *j, struct ans_check_row *r)
{
	r->kind = "goroutine-leak";
	r->holder = "";
	r->type = "";
	r->title = keepf(t->keep, "goroutines that stay: %s, %.3g more with every load",
			 j->series->name, j->per_round_objects);
	r->fix = "let them end: close the channel, cancel the context, or give the wait a limit";
	r->signature = sign(t, "check-goroutines", j->series->name);
}

static void of_total(struct trial *t, const struct judge_row *j, struct ans_check_row *r)
{
	char bytes[16];

	r->kind = "global-growth";
	r->type = r->holder = "";
	r->title = keepf(t->keep, "%s: %s more with every load", j->series->name,
			 size_words(j->per_round_bytes, bytes));
	r->fix = "see what of them grows: limpet diff of two looks (--keep-looks DIR)";
	r->signature = sign(t, "check-total", j->series->name);
}

/* The line of the first of them whose line is known; else a way. */
static void detail(struct trial_detail *d, const struct pile *p, struct ans_check_row *r)
{
	for (size_t i = 0; i < MIN(p->n, (size_t)PILE_ROWS); i++) {
		const struct judge_series *s = p->rows[i]->series;

		if (trial_detail_objects(d, s->type, s->holder, r))
			return;
	}
}

static struct err *row_of(struct trial *t, const struct pile *p, struct trial_detail *d)
{
	struct err *err = NULL;

	const struct judge_row *j = &p->sum;
	struct ans_check_row r = { .proof = j->series->proved ? "proved" : "measured",
				   .verdict = j->verdict == JUDGE_GROWS ? "leak" : "suspect",
				   .objects = j->objects,
				   .bytes = j->bytes,
				   .per_round_objects = j->per_round_objects,
				   .per_round_bytes = j->per_round_bytes,
				   .sure = j->sure,
				   .at = { .function = "", .file = "" } };

	r.why = keepf(t->keep, "%s", j->why ? j->why : "");
	switch (j->series->what) {
	case JUDGE_OBJECTS:
		of_objects(t, p, &r);
		detail(d, p, &r);
		break;
	case JUDGE_GOROUTINES:
		of_goroutines(t, j, &r);
		err = trial_detail_goroutines(t, d, j->series->name, &r);
		break;
	default:
		of_total(t, j, &r);
		break;
	}
	if (!vec_push(&t->a->rows, r))
		return &err_nomem; /* what it owns is lost with the process */
	return err;
}

struct err *trial_rows(struct trial *t, const struct judgement *j)
{
	_cleanup_(trial_detail_close) struct trial_detail d = { 0 };
	struct err *err = j->rows.n ? trial_detail_open(t, &d) : NULL;

	for (size_t i = 0; !err && i < j->rows.n && t->a->rows.n < MAX_ROWS; i++) {
		struct pile p;

		if (is_spoken_for(j, i))
			continue;
		pile_up(j, i, &p);
		err = row_of(t, &p, &d);
	}
	return err;
}
