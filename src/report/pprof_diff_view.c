/*
 * pprof_diff_view.c - what grew between profiles.
 *
 * The columns of `go tool pprof -top -base OLD NEW`, and behind them what each place had before and
 * after; what makes a comparison doubtful is said above the rows.
 */
#include "report/pprof_diff_view.h"

#include "evidence/pprof_sense.h"
#include "evidence/pprof_unit.h"
#include "report/json.h"
#include "report/pprof_view.h"
#include "report/text.h"

#include <math.h>
#include <stdio.h>

static bool longer_by_a_tenth(int64_t a, int64_t b)
{
	return a > 0 && b > 0 && fabs((double)a - (double)b) > 0.1 * (double)MIN(a, b);
}

enum { NOTES_MAX = 5 };

/* Of the value of p that is called as that of like. */
static enum pprof_sense sense_of(const struct pprof *p, const struct pprof *like, unsigned type)
{
	const char *name = pprof_text(like, like->types.v[type].type);

	for (unsigned i = 0; i < p->types.n; i++)
		if (!strcmp(pprof_text(p, p->types.v[i].type), name))
			return pprof_sense(p, i);
	return PPROF_UNSURE;
}

/* What a reader must know before the rows; n of them, static. */
static size_t notes(const struct pprof_diff_said *s, const struct pprof_changes *c,
		    const char *ret[static NOTES_MAX])
{
	enum pprof_sense sense = pprof_sense(s->new, s->q->type);
	enum pprof_sense before = sense_of(s->old, s->new, s->q->type);
	size_t n = 0;

	if (before != sense) {
		ret[n++] = before == PPROF_CHANGE
				   ? "OLD has changes while it was taken (?seconds=), NEW has not: "
				     "what they differ by means little"
				   : "they do not count the same kind of thing (one has changes, "
				     "?seconds=): what they differ by means little";
	} else if (sense == PPROF_STATE)
		ret[n++] = "what was there at two moments: growth between them";
	else if (sense == PPROF_TOTAL)
		ret[n++] = "totals since the program's start: the difference is what came between";
	else
		ret[n++] = pprof_sense_words(sense);
	if ((sense == PPROF_RUN || sense == PPROF_CHANGE) && s->scaling == PPROF_AS_IS &&
	    longer_by_a_tenth(s->old->duration_ns, s->new->duration_ns))
		ret[n++] =
			"they were taken for different lengths of time: --normalize scales NEW to "
			"OLD's total";
	if (s->old->time_ns && s->new->time_ns && s->old->time_ns > s->new->time_ns)
		ret[n++] = "OLD was taken after NEW: the other way around?";
	if (sense == PPROF_TOTAL && c->new_total < c->old_total && s->scaling == PPROF_AS_IS)
		ret[n++] =
			"NEW's total is less than OLD's, and totals only grow: another process, or "
			"started anew in between";
	return n;
}

static void put_heads(struct str *o, const struct pprof_diff_said *s, const struct pprof_changes *c)
{
	const char *note[NOTES_MAX];
	size_t n = notes(s, c, note);
	const struct pprof_graph *g = c->g;
	char a[PPROF_VALUE_MAX], b[PPROF_VALUE_MAX];

	text_pprof_head(o, g, s->q);
	str_printf(o, "Old: %s total, ", pprof_value(a, c->old_total, g->value_unit, g->unit));
	text_clean(o, s->old->name);
	str_printf(o, "\nNew: %s total, ", pprof_value(b, c->new_total, g->value_unit, g->unit));
	text_clean(o, s->new->name);
	str_printf(o, "\nShares are of %s%s\n",
		   s->share == PPROF_OF_OLD ? "OLD's total" : "all changes together",
		   s->scaling == PPROF_NORMALIZE ? "; NEW is scaled to OLD's total" : "");
	for (size_t i = 0; i < n; i++)
		str_printf(o, "Note: %s\n", note[i]);
}

void text_pprof_diff(struct str *o, const struct pprof_diff_said *s, const struct pprof_changes *c)
{
	const struct pprof_graph *g = c->g;
	char v[4][PPROF_VALUE_MAX], share[3][16];
	int64_t sum = 0;

	put_heads(o, s, c);
	str_put(o, "      flat  flat%   sum%        cum   cum%        old        new\n");
	for (size_t i = 0; i < g->nodes.n; i++) {
		const struct pprof_node *n = &g->nodes.v[i];

		sum = pprof_plus(sum, n->flat);
		str_printf(o, "%10s %s %s %10s %s %10s %10s  ",
			   pprof_value(v[0], n->flat, g->value_unit, g->unit),
			   pprof_percent(share[0], n->flat, g->total),
			   pprof_percent(share[1], sum, g->total),
			   pprof_value(v[1], n->cum, g->value_unit, g->unit),
			   pprof_percent(share[2], n->cum, g->total),
			   pprof_value(v[2], c->of.v[i].old_flat, g->value_unit, g->unit),
			   pprof_value(v[3], c->of.v[i].new_flat, g->value_unit, g->unit));
		text_clean(o, n->text);
		str_printf(o, "%s\n", text_pprof_inlined(g, n));
	}
}

/* The contract's keys, where they mean something for the unit. */
static void put_contract(struct jw *j, const struct pprof_graph *g, const struct pprof_node *n,
			 const struct pprof_change *c)
{
	const char *unit = g->value_unit, *out;

	pprof_scale(1, unit, "B", &out);
	if (!strcmp(out, "B")) {
		jw_kv_i64(j, "growth_bytes", n->flat);
	} else if (!strcmp(unit, "count")) {
		jw_kv_i64(j, "old_objects", c->old_flat);
		jw_kv_i64(j, "new_objects", c->new_flat);
	}
}

static void put_sides(struct jw *j, const struct pprof_diff_said *s, const struct pprof_changes *c)
{
	const struct {
		const char *key;
		const struct pprof *p;
		int64_t total;
	} side[] = { { "old", s->old, c->old_total }, { "new", s->new, c->new_total } };

	for (size_t i = 0; i < ARRAY_LEN(side); i++) {
		jw_key(j, side[i].key);
		jw_object(j);
		jw_kv_text(j, "path", side[i].p->name);
		jw_kv_i64(j, "total", side[i].total);
		jw_key(j, "time");
		jw_time(j, side[i].p->time_ns > 0 ? (uint64_t)side[i].p->time_ns : 0);
		jw_kv_i64(j, "duration_ns", side[i].p->duration_ns);
		jw_end(j, '}');
	}
}

static void put_notes(struct jw *j, const char *const *note, size_t n)
{
	jw_key(j, "notes");
	jw_array(j);
	for (size_t i = 0; i < n; i++)
		jw_text(j, note[i]);
	jw_end(j, ']');
}

void json_doc_pprof_diff(struct str *o, const struct pprof_diff_said *s,
			 const struct pprof_changes *c)
{
	const char *note[NOTES_MAX];
	size_t n = notes(s, c, note);
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	json_pprof_head(&j, s->new, s->q->type, c->g->total);
	put_sides(&j, s, c);
	jw_kv_text(&j, "percent_of", s->share == PPROF_OF_OLD ? "old" : "change");
	jw_kv_bool(&j, "normalized", s->scaling == PPROF_NORMALIZE);
	put_notes(&j, note, n);
	jw_key(&j, "rows");
	jw_array(&j);
	for (size_t i = 0; i < c->g->nodes.n; i++) {
		const struct pprof_node *node = &c->g->nodes.v[i];
		const struct pprof_change *of = &c->of.v[i];

		jw_object(&j);
		jw_kv_text(&j, "name", node->text);
		jw_kv_i64(&j, "flat", node->flat);
		jw_kv_i64(&j, "cum", node->cum);
		jw_kv_i64(&j, "old_flat", of->old_flat);
		jw_kv_i64(&j, "new_flat", of->new_flat);
		jw_kv_i64(&j, "old_cum", of->old_cum);
		jw_kv_i64(&j, "new_cum", of->new_cum);
		put_contract(&j, c->g, node, of);
		jw_end(&j, '}');
	}
	jw_end(&j, ']');
	jw_end(&j, '}');
}

static void put_trend(struct str *o, const char *unit, const struct pprof_trend *t,
		      const struct pprof_trend_row *r)
{
	char v[5][PPROF_VALUE_MAX];

	str_printf(o, "%10s %10s %12s %12s .. %-12s %-8s ",
		   pprof_value(v[0], r->values[0], unit, "auto"),
		   pprof_value(v[1], r->values[t->n - 1], unit, "auto"),
		   pprof_value(v[2], pprof_round_down(round(r->slope)), unit, "auto"),
		   pprof_value(v[3], pprof_round_down(round(r->low)), unit, "auto"),
		   pprof_value(v[4], pprof_round_down(round(r->high)), unit, "auto"),
		   pprof_trend_word(r->way));
	text_clean(o, r->name);
	str_put(o, "\n");
}

/* What a reader must know of a row of profiles; n of them, static. */
static size_t trend_notes(struct pprof *const *p, unsigned type, const struct pprof_trend *t,
			  const char *ret[static NOTES_MAX])
{
	enum pprof_sense sense = pprof_sense(p[0], type);
	bool same = true, longer = false;
	size_t n = 0;

	for (size_t i = 1; i < t->n; i++) {
		same &= sense_of(p[i], p[0], type) == sense;
		longer |= longer_by_a_tenth(p[0]->duration_ns, p[i]->duration_ns);
	}
	if (!same)
		ret[n++] = "some have changes while they were taken (?seconds=) and others have "
			   "not: they make no row";
	else if (sense == PPROF_TOTAL)
		ret[n++] = "totals since the program's start never fall: all that runs grows, and "
			   "only how fast tells something";
	else if (sense != PPROF_STATE)
		ret[n++] = pprof_sense_words(sense);
	if (longer && (sense == PPROF_RUN || sense == PPROF_CHANGE))
		ret[n++] = "they were not taken for equally long";
	if (t->unordered)
		ret[n++] = "they are not named in the order in which they were taken";
	return n;
}

void text_pprof_trend(struct str *o, struct pprof *const *all, unsigned type,
		      const struct pprof_trend *t, size_t limit)
{
	const struct pprof *p = all[0];
	const char *note[NOTES_MAX];
	size_t n = trend_notes(all, type, t, note);
	const char *unit = pprof_text(p, p->types.v[type].unit);

	str_put(o, "Type: ");
	text_clean(o, pprof_text(p, p->types.v[type].type));
	str_printf(
		o,
		"\n%zu profiles; slope %s: the middle one of those between any two, and where it "
		"may lie (95 of 100)\n",
		t->n,
		t->hours       ? "an hour"
		: t->unordered ? "a profile"
			       : "a profile (they do not say when they were taken)");
	for (size_t i = 0; i < n; i++)
		str_printf(o, "Note: %s\n", note[i]);
	str_printf(o, "%10s %10s %12s %28s %-8s\n", "first", "last", "slope", "from .. to     ",
		   "");
	put_trend(o, unit, t, &t->total);
	for (size_t i = 0; i < t->rows.n && i < limit; i++)
		put_trend(o, unit, t, &t->rows.v[i]);
	if (t->rows.n > limit)
		str_printf(o, "and %zu more (--limit)\n", t->rows.n - limit);
}

static void json_trend_row(struct jw *j, const struct pprof_trend *t,
			   const struct pprof_trend_row *r)
{
	jw_object(j);
	jw_kv_text(j, "name", r->name);
	jw_key(j, "values");
	jw_array(j);
	for (size_t i = 0; i < t->n; i++)
		jw_i64(j, r->values[i]);
	jw_end(j, ']');
	jw_kv_real(j, "slope", r->slope);
	jw_kv_real(j, "slope_low", r->low);
	jw_kv_real(j, "slope_high", r->high);
	jw_kv_text(j, "trend", pprof_trend_word(r->way));
	jw_end(j, '}');
}

void json_doc_pprof_trend(struct str *o, struct pprof *const *all, unsigned type,
			  const struct pprof_trend *t, size_t limit)
{
	const struct pprof *p = all[0];
	const char *note[NOTES_MAX];
	size_t n = trend_notes(all, type, t, note);
	struct jw j;

	jw_init(&j, o);
	jw_object(&j);
	json_pprof_head(&j, p, type, t->total.values[t->n - 1]);
	jw_kv_u64(&j, "profiles", t->n);
	jw_kv_text(&j, "slope_per", t->hours ? "hour" : "profile");
	put_notes(&j, note, n);
	jw_key(&j, "total_trend");
	json_trend_row(&j, t, &t->total);
	jw_key(&j, "rows");
	jw_array(&j);
	for (size_t i = 0; i < t->rows.n && i < limit; i++)
		json_trend_row(&j, t, &t->rows.v[i]);
	jw_end(&j, ']');
	jw_end(&j, '}');
}
