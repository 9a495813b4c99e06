/*
 * pprof_ratio.c - four graphs of one profile, joined by name.
 */
#include "evidence/pprof_ratio.h"

#include "evidence/pprof_unit.h"

void pprof_ratios_free(struct pprof_ratios *r)
{
	if (!r)
		return;
	vec_free(&r->rows);
	keep_deinit(&r->keep);
	free(r);
}

const char *pprof_ratio_word(enum pprof_ratio_kind k)
{
	static const char *const words[] = { "retained", "cache", "churn", "few samples" };

	return words[k];
}

const char *pprof_ratio_means(enum pprof_ratio_kind k)
{
	switch (k) {
	case PPROF_RETAINED:
		return "80 % or more of it is still there: loaded once and kept, or a leak; `limpet diff` "
		       "of two profiles tells which";
	case PPROF_CACHE:
		return "5 to 80 % is still there: replaced as it goes, as in a cache, a pool, requests in "
		       "flight";
	case PPROF_CHURN:
		return "less than 5 % is still there: let go again; costs the collector, holds no memory";
	case PPROF_FEW:
		break;
	}
	return "fewer than 8 samples' worth was allocated: no share is told";
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct pprof_ratio_row *)a)->name,
		      ((const struct pprof_ratio_row *)b)->name);
}

static int64_t *figure(struct pprof_ratio_row *r, unsigned which)
{
	int64_t *to[] = { &r->alloc_bytes, &r->inuse_bytes, &r->alloc_objects, &r->inuse_objects };

	return to[which];
}

static struct err *add(struct pprof_ratios *r, const struct pprof *p, const struct pprof_ask *q,
		       unsigned which)
{
	static const char *const types[] = { "alloc_space", "inuse_space", "alloc_objects",
					     "inuse_objects" };
	_cleanup_(pprof_graph_freep) struct pprof_graph *g = NULL;
	struct pprof_ask whole = *q;
	size_t known = r->rows.n;
	struct err *err = pprof_value_index(p, types[which], &whole.type);

	if (err_catch(&err, ERR_USAGE))
		return err_unsupported(
			"%.200s: --sort ratio wants a heap profile, with alloc_space and "
			"inuse_space",
			p->name);
	whole.nodes = 0;
	whole.node_fraction = whole.edge_fraction = 0;
	if (!err)
		err = pprof_graph_create(p, &whole, &g);
	if (err)
		return err;
	for (size_t i = 0; i < g->nodes.n; i++) {
		struct pprof_ratio_row key = { .name = g->nodes.v[i].text }, *to;

		to = known ? bsearch(&key, r->rows.v, known, sizeof(key), by_name) : NULL;
		if (!to) {
			key.name = keepf(&r->keep, "%s", key.name);
			if (!vec_push(&r->rows, key))
				return &err_nomem;
			to = &r->rows.v[r->rows.n - 1];
		}
		*figure(to, which) = pprof_plus(*figure(to, which), g->nodes.v[i].flat);
	}
	if (r->rows.n)
		qsort(r->rows.v, r->rows.n, sizeof(*r->rows.v), by_name);
	return keep_err(&r->keep);
}

static void judge(struct pprof_ratio_row *r, int64_t rate)
{
	if (r->alloc_bytes > 0)
		r->ratio = (double)r->inuse_bytes / (double)r->alloc_bytes;
	/* large objects are sampled each; small ones once in rate bytes */
	if (r->alloc_bytes <= 0 ||
	    (double)r->alloc_bytes < (double)PPROF_RATIO_SAMPLES * (double)MAX(rate, (int64_t)1))
		r->kind = PPROF_FEW;
	else if (r->ratio * 100 >= PPROF_RETAINED_PERCENT)
		r->kind = PPROF_RETAINED;
	else
		r->kind = r->ratio * 100 < PPROF_CHURN_PERCENT ? PPROF_CHURN : PPROF_CACHE;
}

static int compare(const void *pa, const void *pb)
{
	const struct pprof_ratio_row *a = pa, *b = pb;
	bool churn = a->kind == PPROF_CHURN;
	int64_t x = churn ? a->alloc_bytes : a->inuse_bytes;
	int64_t y = churn ? b->alloc_bytes : b->inuse_bytes;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	return x > y ? -1 : x < y ? 1 : strcmp(a->name, b->name);
}

struct err *pprof_ratios_create(const struct pprof *p, const struct pprof_ask *q,
				struct pprof_ratios **ret)
{
	_cleanup_(pprof_ratios_freep) struct pprof_ratios *r = zalloc(1, sizeof(*r));
	struct err *err = NULL;
	size_t n = 0;

	if (!r)
		return &err_nomem;
	for (unsigned i = 0; i < 4 && !err; i++)
		err = add(r, p, q, i);
	if (err)
		return err;
	for (size_t i = 0; i < r->rows.n; i++) {
		struct pprof_ratio_row *row = &r->rows.v[i];

		judge(row, p->period);
		r->alloc_bytes = pprof_plus(r->alloc_bytes, row->alloc_bytes);
		r->inuse_bytes = pprof_plus(r->inuse_bytes, row->inuse_bytes);
		if (row->alloc_bytes || row->inuse_bytes) /* others only call those that allocate */
			r->rows.v[n++] = *row;
	}
	r->rows.n = n;
	if (n)
		qsort(r->rows.v, n, sizeof(*r->rows.v), compare);
	*ret = STEAL(r);
	return NULL;
}
