/*
 * rank.c - which finding is read first: bytes that can be freed, times how sure that is.
 */
#include "find/priv.h"

/* Permille by verdict (rows) and proof. */
static const unsigned sure[4][3] = {
	[FIND_LEAK] = { 1000, 950, 800 },
	[FIND_SUSPECT] = { 500, 400, 250 },
	[FIND_WASTE] = { 200, 150, 100 },
	[FIND_INFO] = { 20, 15, 10 },
};

static double weight(const struct finding *x)
{
	unsigned c = x->certainty ? x->certainty : sure[x->verdict & 3][MIN(x->proof, 2)];

	return ((double)x->bytes + (double)x->stack_bytes + 1) * c;
}

static int compare(const void *x, const void *y)
{
	const struct finding *a = x, *b = y;
	double p = weight(a), q = weight(b);

	if (p != q)
		return p > q ? -1 : 1;
	return strcmp(a->signature, b->signature);
}

void find_rank(struct find *f)
{
	if (f->found.n)
		qsort(f->found.v, f->found.n, sizeof(f->found.v[0]), compare);
}
