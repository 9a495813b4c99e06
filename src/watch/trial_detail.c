/*
 * trial_detail.c - the last look, asked about what grows: the way from a root, the line.
 *
 * What a store does not hold is left open.
 */
#include "watch/trial_priv.h"

#include "find/look_spots.h"
#include "report/analysed.h"
#include "report/kept.h"

/* "net/http" of "net/http.(*Server).Serve". */
static bool is_std(const char *function)
{
	const char *slash = strrchr(function, '/');
	const char *dot = strchr(slash ? slash : function, '.');
	char package[256];
	size_t n = dot ? (size_t)(dot - function) : 0;

	if (!n || n >= sizeof(package))
		return false;
	memcpy(package, function, n);
	package[n] = '\0';
	return look_std_package(package);
}

static bool is_own(const char *function, const char *module)
{
	size_t n = strlen(module);

	return !strncmp(function, "main.", 5) || (n && !strncmp(function, module, n));
}

/* The first that is the program's own, else of a library, else the first. */
static void find_line(const char *module, struct ans_check_row *r)
{
	size_t library = r->stack.n, i = 0;

	while (i < r->stack.n && !is_own(r->stack.v[i].function, module)) {
		if (library == r->stack.n && !is_std(r->stack.v[i].function))
			library = i;
		i++;
	}
	if (i == r->stack.n)
		i = library < r->stack.n ? library : 0;
	if (i < r->stack.n)
		r->at = r->stack.v[i];
}

static struct err *read_places(struct trial *t, struct store *x, struct trial_detail *d)
{
	struct err *err = analysed_places(x, t->keep, &d->places);

	return err_catch(&err, ERR_UNSUPPORTED) ? NULL : err;
}

static struct err *read_goroutines(struct store *x, struct trial_detail *d)
{
	struct goroutines_ask q = { .by = GROUP_STACK, .limit = UINT32_MAX };
	struct err *err = kept_ask(&d->agg, x);

	if (!err)
		err = agg_goroutines(&d->agg, &q, &d->goroutines);
	return err_catch(&err, ERR_UNSUPPORTED) ? NULL : err;
}

struct err *trial_detail_open(struct trial *t, struct trial_detail *ret)
{
	const struct trial_look *last = &t->looks.v[t->looks.n - 1];
	struct err *err = sight_open(last->fd, "the last look", &ret->store);

	ret->module = last->sight.module;
	if (!err)
		err = read_places(t, ret->store, ret);
	return err ? err : read_goroutines(ret->store, ret);
}

void trial_detail_close(struct trial_detail *d)
{
	ans_places_deinit(&d->places);
	ans_goroutines_deinit(&d->goroutines);
	agg_deinit(&d->agg);
	store_close(d->store);
}

/* A way is good, a line is better; else the one that is most. */
static bool is_better(const struct ans_place *p, const struct ans_place *q)
{
	if (!q || !p->stack.n != !q->stack.n)
		return !q || p->stack.n;
	if (!p->path.nodes.n != !q->path.nodes.n)
		return p->path.nodes.n;
	return p->bytes > q->bytes;
}

bool trial_detail_objects(struct trial_detail *d, const char *type, const char *holder,
			  struct ans_check_row *r)
{
	struct ans_place *best = NULL;

	for (size_t i = 0; i < d->places.v.n; i++) {
		struct ans_place *p = &d->places.v.v[i];

		if (!strcmp(p->type, type) && !strcmp(p->holder, holder) && is_better(p, best))
			best = p;
	}
	if (!best || (r->path.nodes.n && (r->stack.n || !best->stack.n)))
		return r->stack.n > 0;
	/* their texts are of the trial's keep; they are ours now */
	ans_path_deinit(&r->path);
	r->path = best->path;
	best->path = (struct ans_path){ 0 };
	vec_free(&r->stack);
	for (size_t i = 0; i < best->stack.n; i++)
		(void)!vec_push(&r->stack, best->stack.v[i]);
	find_line(d->module, r);
	return r->stack.n > 0;
}

struct err *trial_detail_goroutines(struct trial *t, const struct trial_detail *d, const char *name,
				    struct ans_check_row *r)
{
	const struct ans_goroutines *all = &d->goroutines;
	size_t k = 0;

	while (k < all->groups.n && strcmp(all->groups.v[k].name, name) != 0)
		k++;
	if (k == all->groups.n)
		return NULL;
	const struct ans_goroutine *g = &all->gs.v[all->groups.v[k].example];

	for (size_t i = 0; i < g->nframes; i++) {
		struct ans_frame f = all->frames.v[g->first_frame + i];

		f.function = keepf(t->keep, "%s", f.function);
		f.file = keepf(t->keep, "%s", f.file);
		if (!vec_push(&r->stack, f))
			return &err_nomem;
	}
	find_line(d->module, r);
	return NULL;
}
