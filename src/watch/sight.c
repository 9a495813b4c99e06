/*
 * sight.c - asked of the store as a command would.
 */
#include "watch/sight.h"

#include "report/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

void sight_deinit(struct sight *f)
{
	vec_free(&f->groups);
	vec_free(&f->goroutines);
	keep_deinit(&f->keep);
}

struct err *sight_open(int fd, const char *name, struct store **ret)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int again = open(path, O_RDONLY | O_CLOEXEC);

	return again < 0 ? err_os(errno, "%s", name) : store_open(again, name, ret);
}

/* What the store does not hold is no error: it is not known. */
static bool holds(struct err **err)
{
	return !err_catch(err, ERR_UNSUPPORTED) && !*err;
}

static struct err *read_head(struct agg *a, struct sight *f)
{
	struct ans_head h = { 0 };
	struct err *err = agg_head(a, &h);

	f->pause_ns = UINT64_MAX;
	f->module = "";
	if (holds(&err)) {
		f->pause_ns = h.pause_ns;
		f->module = keepf(&f->keep, "%s", h.module ? h.module : "");
	}
	ans_head_deinit(&h);
	return err;
}

static struct err *take_group(const struct ans_goroutines *all, const struct ans_group *g,
			      struct sight *f)
{
	uint32_t number = (uint32_t)f->groups.n;
	struct sight_group x = { keepf(&f->keep, "%s", g->name), g->count, g->stack_bytes,
				 g->proved };

	if (!vec_push(&f->groups, x))
		return &err_nomem;
	for (size_t i = 0; i < g->nmembers; i++) {
		const struct ans_goroutine *y = &all->gs.v[all->members.v[g->first_member + i]];

		if (!vec_push(&f->goroutines, (struct sight_goroutine){ y->id, number }))
			return &err_nomem;
	}
	return NULL;
}

static struct err *read_goroutines(struct agg *a, struct sight *f)
{
	struct goroutines_ask q = { .by = GROUP_STACK, .limit = UINT32_MAX };
	struct ans_goroutines all = { 0 };
	struct err *err = agg_goroutines(a, &q, &all);

	if (holds(&err))
		for (size_t i = 0; !err && i < all.groups.n; i++)
			if (!all.gs.v[all.groups.v[i].example].system) /* the runtime's own */
				err = take_group(&all, &all.groups.v[i], f);
	ans_goroutines_deinit(&all);
	return err;
}

struct err *sight_read(int fd, struct sight *ret)
{
	struct store *x = NULL;
	struct sight f = { 0 };
	struct agg a = { 0 };
	struct err *err = sight_open(fd, "a look", &x);

	if (!err)
		err = kept_ask(&a, x);
	if (!err)
		err = read_head(&a, &f);
	if (!err)
		err = read_goroutines(&a, &f);
	agg_deinit(&a);
	store_close(x);
	if (!err)
		err = keep_err(&f.keep);
	if (err) {
		sight_deinit(&f);
		return err;
	}
	*ret = f;
	return NULL;
}
