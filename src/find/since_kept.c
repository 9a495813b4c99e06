/*
 * since_kept.c - what of each holder's things survived, of two looks that are both kept.
 *
 * One pass over both looks' objects (find/diff.h); knows no finding.
 */
#include "find/diff.h"

/* Smaller blocks are not most of anything that grew. */
enum { LARGE = 4096 };

static int by_holder(const void *x, const void *y)
{
	const struct since_survivor *p = x, *q = y;

	return strcmp(p->holder, q->holder);
}

static struct err *add(struct since_survivors *x, const struct diff_row *r)
{
	struct since_survivor y = { keepf(&x->keep, "%s", r->name), diff_there(r, 0).bytes,
				    diff_survived(r, 1).bytes, diff_there(r, 1).bytes, 0 };

	return vec_push(&x->v, y) ? keep_err(&x->keep) : &err_nomem;
}

static struct since_survivor *of_holder(const struct since_survivors *x, const char *holder)
{
	struct since_survivor want = { .holder = holder };

	return x->v.n ? bsearch(&want, x->v.v, x->v.n, sizeof(want), by_holder) : NULL;
}

static void largest_of(const struct ident_span *sp, uint64_t *largest, uint32_t n)
{
	for (uint32_t i = 0; i < sp->nelems; i++) {
		uint32_t g = sp->group[IDENT_HOLDER][i];

		if ((sp->alive[i >> 6] >> (i & 63) & 1) && g < n)
			largest[g] = MAX(largest[g], sp->elem_bytes);
	}
}

/* The largest block of each holder. */
static struct err *find_largest(struct ident *now, struct since_survivors *x)
{
	uint32_t n = now->head.ngroups[IDENT_HOLDER];
	_cleanup_(freep) uint64_t *largest = zalloc(n, sizeof(*largest));
	const struct ident_span *sp = NULL;
	struct err *err = largest ? now->rewind(now) : &err_nomem;

	while (!err) {
		err = now->next(now, &sp);
		if (err || !sp)
			break;
		if (sp->elem_bytes >= LARGE)
			largest_of(sp, largest, n);
	}
	for (uint32_t g = 0; g < n && !err; g++) {
		struct since_survivor *y = of_holder(x, now->name(now, IDENT_HOLDER, g));

		if (y)
			y->largest = MAX(y->largest, largest[g]);
	}
	return err;
}

struct err *find_since_survivors(struct ident *then, struct ident *now, struct since_survivors *ret)
{
	struct ident *const looks[] = { then, now };
	struct diff d = { 0 };
	struct err *err = diff_run(looks, 2, 1U << DIFF_HOLDER, &d);

	if (err)
		return err;
	for (size_t i = 0; i < d.rows[DIFF_HOLDER].n && !err; i++)
		err = add(ret, &d.rows[DIFF_HOLDER].v[i]);
	if (ret->v.n)
		qsort(ret->v.v, ret->v.n, sizeof(*ret->v.v), by_holder);
	diff_deinit(&d);
	return err ? err : find_largest(now, ret);
}

double find_since_survived(const struct since_survivors *x, const char *holder)
{
	const struct since_survivor *y = of_holder(x, holder);

	if (!y || !y->then_bytes || y->largest > y->now_bytes / 2)
		return -1;
	return (double)y->survived_bytes / (double)y->then_bytes;
}

void find_since_survivors_deinit(struct since_survivors *x)
{
	vec_free(&x->v);
	keep_deinit(&x->keep);
}
