/*
 * analysed.c - a look into a store: its objects, then what was answered of it.
 *
 * While one thread counts the places another makes the answers, of which alone there are texts and
 * rows.  Knows no column of a table.  Cost: that of the report, one more pass over the edges, and
 * 12 bytes a slot for a while.
 */
#include "report/analysed.h"
#include "report/kept.h"

#include "base/par.h"

struct putting {
	struct agg *a;
	const struct verify_result *v;
	struct store *w;
	struct ident *x;
	struct agg_places *places;
	struct find_since *since;
};

static void putting_deinit(struct putting *p)
{
	agg_places_free(p->places);
	find_since_free(p->since);
	agg_ident_free(p->x);
}

enum { PART_PLACES, PART_ANSWERS, PARTS };

static struct err *part(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct putting *p = arg;
	struct err *err = NULL;

	(void)worker;
	for (size_t i = lo; i < hi && !err; i++)
		err = i == PART_PLACES ? agg_places_count(p->a, p->x, &p->places)
				       : kept_put_all(p->a, p->v, &p->since, p->w);
	return err;
}

/* A full store has trees, whose children are sorted: not while others walk over them. */
static struct err *put_answers(struct putting *p)
{
	unsigned nthreads = kept_is_brief(p->a) ? MIN(p->a->nthreads, 2U) : 1;

	return par_for(nthreads, PARTS, 1, part, p);
}

static struct err *put_places(struct putting *p)
{
	_cleanup_(ans_places_deinit) struct ans_places places = { 0 };
	struct err *err = agg_places(p->a, p->places, &places);

	return err ? err : analysed_put_places(&places, p->w);
}

struct err *analysed_put(struct agg *a, const struct verify_result *v, struct store *w)
{
	_cleanup_(putting_deinit) struct putting p = { .a = a, .v = v, .w = w };
	struct err *err = agg_ident(a, &p.x);

	if (!err)
		err = store_put_objects(w, p.x, a->nthreads);
	if (!err)
		err = put_answers(&p);
	if (!err)
		err = put_places(&p);
	if (!err)
		err = analysed_put_since(p.since, w);
	return err_prefix(err, "the store");
}

struct err *analysed_put_head(const struct ans_head *h, struct store *w)
{
	return kept_put_head(h, w);
}
