/*
 * agg_pprof.c - a profile's head in words, and its rows; of several files as of one.
 *
 * Rows of several files add up because each sample counts for itself: no merged profile is made
 * for them, and memory is that of the largest file.
 */
#include "report/agg_pprof.h"

#include "evidence/pprof_quick.h"
#include "report/agg_pprof_parts.h"
#include "evidence/pprof_unit.h"

#include <inttypes.h>

void ans_pprof_head_deinit(struct ans_pprof_head *a)
{
	vec_free(&a->files);
	vec_free(&a->types);
	vec_free(&a->comments);
	vec_free(&a->notes);
	vec_free(&a->parts);
	keep_deinit(&a->keep);
}

void ans_pprof_top_deinit(struct ans_pprof_top *a)
{
	ans_pprof_head_deinit(&a->head);
	vec_free(&a->rows);
	keep_deinit(&a->keep);
}

static bool has_type(const struct pprof *p, const char *type)
{
	for (size_t i = 0; i < p->types.n; i++)
		if (!strcmp(pprof_text(p, p->types.v[i].type), type))
			return true;
	return false;
}

/* runtime/pprof names them so; mutex and block profiles look the same. */
const char *agg_pprof_what(const struct pprof *p)
{
	const char *preferred = pprof_text(p, p->default_type);

	if (has_type(p, "inuse_space"))
		return strncmp(preferred, "alloc", 5) ? "heap profile" : "profile of allocations";
	if (has_type(p, "cpu"))
		return "CPU profile";
	if (has_type(p, "contentions"))
		return "profile of waiting (mutex or block)";
	if (has_type(p, "goroutineleak"))
		return "profile of leaked goroutines";
	if (has_type(p, "goroutine"))
		return "profile of goroutines";
	if (has_type(p, "threadcreate"))
		return "profile of threads' creation";
	if (has_type(p, "space"))
		return "heap profile";
	return "profile";
}

static const char *own(struct keep *k, const struct pprof *p, uint32_t text)
{
	return text ? keepf(k, "%s", pprof_text(p, text)) : "";
}

static const char *word(const char *s)
{
	return s ? s : "";
}

static bool add_comments(const struct pprof *p, struct ans_pprof_head *a)
{
	for (size_t i = 0; i < p->comments.n; i++) {
		const char *c = pprof_text(p, p->comments.v[i]);
		bool known = false;

		for (size_t k = 0; k < a->comments.n; k++)
			known |= !strcmp(a->comments.v[k], c);
		if (!known && !vec_push(&a->comments, own(&a->keep, p, p->comments.v[i])))
			return false;
	}
	return true;
}

static bool add_notes(const struct pprof *p, struct ans_pprof_head *a)
{
	const char *s = NULL;

	if (p->damage && p->unnamed)
		s = keepf(&a->keep,
			  "%s: %s: used as far as it goes; %" PRIu64
			  " of %zu places in the code have no names",
			  p->name, p->damage, p->unnamed, p->locations.n);
	else if (p->damage)
		s = keepf(&a->keep, "%s: %s: used as far as it goes", p->name, p->damage);
	if (p->damage)
		a->damage = p->damage;
	if (s && !vec_push(&a->notes, s))
		return false;
	if (p->form != PPROF_LEGACY_CONTENTION || p->period < 2)
		return true;
	/* runtime/mprof.go, saveBlockEventStack(); the text does not say which Go wrote it */
	return vec_push(&a->notes, keepf(&a->keep,
					 "%s: figures times %" PRId64
					 ", its sampling period, as pprof reads it; Go 1.20 and "
					 "later multiply before they write: of those they are so "
					 "many times too high, and those of the binary form right",
					 p->name, p->period));
}

static bool first_head(const struct pprof *p, unsigned type, struct ans_pprof_head *a)
{
	a->form = p->form == PPROF_PROTO ? "pprof" : "text";
	a->what = agg_pprof_what(p);
	a->value = own(&a->keep, p, p->types.v[type].type);
	a->value_at = type;
	a->unit = own(&a->keep, p, p->types.v[type].unit);
	a->period_type.type = own(&a->keep, p, p->period_type.type);
	a->period_type.unit = own(&a->keep, p, p->period_type.unit);
	a->exe = p->mappings.n ? own(&a->keep, p, p->mappings.v[0].file) : "";
	a->build_id = p->mappings.n ? own(&a->keep, p, p->mappings.v[0].build_id) : "";
	a->doc_url = own(&a->keep, p, p->doc_url);
	for (size_t i = 0; i < p->types.n; i++)
		if (!vec_push(&a->types,
			      (struct ans_pprof_type){ own(&a->keep, p, p->types.v[i].type),
						       own(&a->keep, p, p->types.v[i].unit) }))
			return false;
	return true;
}

struct err *agg_pprof_head(const struct pprof *p, unsigned type, struct ans_pprof_head *a)
{
	struct err *err;

	if (!a->files.n && !first_head(p, type, a))
		return &err_nomem;
	a->samples += p->nsamples;
	if (p->time_ns > 0 && (!a->time_ns || (uint64_t)p->time_ns < a->time_ns))
		a->time_ns = (uint64_t)p->time_ns;
	a->duration_ns += p->duration_ns > 0 ? (uint64_t)p->duration_ns : 0;
	a->period = MAX(a->period, p->period);
	if (!vec_push(&a->files, keepf(&a->keep, "%s", p->name)) || !add_comments(p, a) ||
	    !add_notes(p, a))
		return &err_nomem;
	err = agg_pprof_parts(p, type, a);
	return err ? err : keep_err(&a->keep);
}

static bool same_types(const struct ans_pprof_head *a, const struct ans_pprof_head *b)
{
	if (a->types.n != b->types.n || strcmp(a->value, b->value) != 0 ||
	    strcmp(a->period_type.type, b->period_type.type) != 0 ||
	    strcmp(a->period_type.unit, b->period_type.unit) != 0)
		return false;
	for (size_t i = 0; i < a->types.n; i++)
		if (strcmp(a->types.v[i].type, b->types.v[i].type) != 0 ||
		    strcmp(a->types.v[i].unit, b->types.v[i].unit) != 0)
			return false;
	return true;
}

bool agg_pprof_top_same(const struct ans_pprof_top *a, size_t n)
{
	bool negative = a[0].negative;

	for (size_t i = 1; i < n; i++) {
		if (!same_types(&a[0].head, &a[i].head))
			return false;
		negative |= a[i].negative;
	}
	return n < 2 || !negative; /* what cancels out is no part of the total */
}

/* Texts change hands with their keep. */
static bool take_keep(struct keep *to, struct keep *from)
{
	if (!vec_reserve(&to->texts, to->texts.n + from->texts.n))
		return false;
	for (size_t i = 0; i < from->texts.n; i++)
		to->texts.v[to->texts.n++] = from->texts.v[i];
	from->texts.n = 0;
	return true;
}

static struct err *join_heads(struct ans_pprof_head *from, struct ans_pprof_head *to)
{
	to->samples += from->samples;
	if (from->time_ns && (!to->time_ns || from->time_ns < to->time_ns))
		to->time_ns = from->time_ns;
	to->duration_ns += from->duration_ns;
	to->period = MAX(to->period, from->period);
	if (from->damage)
		to->damage = from->damage;
	for (size_t i = 0; i < from->comments.n; i++) {
		bool known = false;

		for (size_t k = 0; k < to->comments.n; k++)
			known |= !strcmp(to->comments.v[k], from->comments.v[i]);
		if (!known && !vec_push(&to->comments, from->comments.v[i]))
			return &err_nomem;
	}
	for (size_t i = 0; i < from->files.n; i++)
		if (!vec_push(&to->files, from->files.v[i]))
			return &err_nomem;
	for (size_t i = 0; i < from->notes.n; i++)
		if (!vec_push(&to->notes, from->notes.v[i]))
			return &err_nomem;
	for (size_t i = 0; i < MIN(from->parts.n, to->parts.n); i++)
		to->parts.v[i].value = pprof_plus(to->parts.v[i].value, from->parts.v[i].value);
	return take_keep(&to->keep, &from->keep) ? NULL : &err_nomem;
}

struct err *agg_pprof_top_join(struct ans_pprof_top *from, struct ans_pprof_top *to)
{
	struct err *err;

	if (!to->head.files.n) { /* the first one is the whole so far */
		*to = *from;
		*from = (struct ans_pprof_top){ 0 };
		return NULL;
	}
	err = join_heads(&from->head, &to->head);
	if (err)
		return err;
	if (!vec_reserve(&to->rows, to->rows.n + from->rows.n) ||
	    !take_keep(&to->keep, &from->keep))
		return &err_nomem;
	for (size_t i = 0; i < from->rows.n; i++)
		to->rows.v[to->rows.n++] = from->rows.v[i];
	to->total = pprof_plus(to->total, from->total);
	to->unmatched &= from->unmatched;
	return NULL;
}

struct err *agg_pprof_top_named(struct ans_pprof_top *a, const char *file)
{
	return vec_push(&a->head.files, keepf(&a->head.keep, "%s", file)) ? NULL : &err_nomem;
}

/* Of all calls to it that were seen. */
static const char *inlined(const struct pprof_graph *g, const struct pprof_node *n)
{
	bool in = n->called & PPROF_INLINED, out = n->called & PPROF_CALLED;

	for (uint32_t i = 0; i < n->nin; i++) {
		bool yes = g->edges.v[g->in.v[n->first_in + i]].inlined;

		in |= yes;
		out |= !yes;
	}
	return !in ? "" : out ? "partial-inline" : "inline";
}

/* Of a file whose samples are not in memory they come by once more. */
static struct err *graph_of(const struct pprof *p, struct input *again, const struct pprof_ask *q,
			    struct pprof_graph **ret)
{
	return again ? pprof_quick_graph(p, again, q, ret) : pprof_graph_create(p, q, ret);
}

struct err *agg_pprof_top_add(const struct pprof *p, struct input *again, const struct pprof_ask *q,
			      struct ans_pprof_top *a)
{
	_cleanup_(pprof_graph_freep) struct pprof_graph *g = NULL;
	struct err *err = graph_of(p, again, q, &g);

	if (!err)
		err = agg_pprof_head(p, q->type, &a->head);
	if (err)
		return err;
	if (!vec_reserve(&a->rows, a->rows.n + g->nodes.n))
		return &err_nomem;
	for (size_t i = 0; i < g->nodes.n; i++) {
		const struct pprof_node *n = &g->nodes.v[i];

		a->rows.v[a->rows.n++] = (struct ans_pprof_row){
			.name = keepf(&a->keep, "%s", n->text),
			.flat = n->flat,
			.cum = n->cum,
			.inlined = inlined(g, n),
		};
	}
	a->total = pprof_plus(a->total, g->total);
	a->negative |= g->negative;
	a->unmatched = g->unmatched;
	return keep_err(&a->keep);
}

static int by_name(const void *x, const void *y)
{
	const struct ans_pprof_row *a = x, *b = y;

	return strcmp(a->name, b->name);
}

static int by_size(int64_t a, int64_t b)
{
	int64_t x = pprof_abs(a), y = pprof_abs(b);

	return x > y ? -1 : x < y;
}

static int by_flat(const void *x, const void *y)
{
	const struct ans_pprof_row *a = x, *b = y;
	int c = by_size(a->flat, b->flat);

	if (!c)
		c = strcmp(a->name, b->name);
	return c ? c : by_size(a->cum, b->cum);
}

static int by_cum(const void *x, const void *y)
{
	const struct ans_pprof_row *a = x, *b = y;
	int c = by_size(a->cum, b->cum);

	if (!c)
		c = strcmp(a->name, b->name);
	return c ? c : by_size(a->flat, b->flat);
}

void agg_pprof_top_sort(struct ans_pprof_top *a, enum pprof_order order)
{
	if (a->rows.n)
		qsort(a->rows.v, a->rows.n, sizeof(*a->rows.v),
		      order == PPROF_ORDER_CUM	  ? by_cum
		      : order == PPROF_ORDER_NAME ? by_name
						  : by_flat);
}

/* Of several files: a name is a row. */
static void join(struct ans_pprof_top *a)
{
	struct ans_pprof_row *v = a->rows.v;
	size_t n = 0;

	qsort(v, a->rows.n, sizeof(*v), by_name);
	for (size_t i = 0; i < a->rows.n; i++) {
		struct ans_pprof_row *to = &v[n - !!n];

		if (!n || strcmp(to->name, v[i].name) != 0) {
			v[n++] = v[i];
			continue;
		}
		to->flat = pprof_plus(to->flat, v[i].flat);
		to->cum = pprof_plus(to->cum, v[i].cum);
		if (strcmp(to->inlined, v[i].inlined) != 0)
			to->inlined = "partial-inline";
	}
	a->rows.n = n;
	n = 0;
	for (size_t i = 0; i < a->rows.n; i++)
		if (v[i].flat || v[i].cum)
			v[n++] = v[i];
	a->rows.n = n;
}

/* The unit of the table, as pprof chooses it for all rows. */
static const char *shown_unit(const struct ans_pprof_top *a)
{
	int64_t least = 0;

	for (size_t i = 0; i < a->rows.n; i++) {
		int64_t v = pprof_abs(a->rows.v[i].flat);

		if (!v)
			v = pprof_abs(a->rows.v[i].cum);
		if (v > 0 && (!least || v < least))
			least = v;
	}
	return pprof_unit_for(least, a->total, a->head.unit);
}

struct err *agg_pprof_top_end(struct ans_pprof_top *a, enum pprof_order order, size_t limit)
{
	if (a->head.files.n > 1 && a->rows.n) {
		join(a);
		agg_pprof_top_sort(a, order);
	}
	a->nrows = a->rows.n;
	a->head.unit = word(a->head.unit);
	a->shown = shown_unit(a);
	a->sort = order == PPROF_ORDER_CUM ? "cum" : order == PPROF_ORDER_NAME ? "name" : "flat";
	a->limited = a->rows.n > limit;
	a->rows.n = MIN(a->rows.n, limit);
	return NULL;
}
