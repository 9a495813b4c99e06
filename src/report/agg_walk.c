/*
 * agg_walk.c - a walk through a dominator tree, with a stack of its own.
 *
 * Trees are as deep as the longest list of the program: no recursion.  O(n), 8 bytes a level.
 */
#include "report/agg.h"

enum { SOON = 8 }; /* brothers asked for ahead */

struct level {
	gnode node;
	uint32_t next; /* index in child */
};

struct err *agg_dom_walk(const struct agg_dom *d, struct err *(*enter)(void *arg, gnode v),
			 void (*leave)(void *arg, gnode v), void *arg)
{
	VEC(struct level) st = { 0 };
	struct err *err = vec_push(&st, (struct level){ 0, d->first[0] }) ? NULL : &err_nomem;

	while (st.n && !err) {
		struct level *l = &st.v[st.n - 1];
		gnode c;

		if (l->next == d->first[l->node + 1]) {
			if (l->node)
				leave(arg, l->node);
			st.n--;
			continue;
		}
		if (d->first[l->node + 1] - l->next > SOON)
			__builtin_prefetch(&d->first[d->child[l->next + SOON]]);
		c = d->child[l->next++];
		err = enter(arg, c);
		if (!err && d->first[c] == d->first[c + 1])
			leave(arg, c);
		else if (!err && !vec_push(&st, (struct level){ c, d->first[c] }))
			err = &err_nomem;
	}
	vec_free(&st);
	return err;
}
