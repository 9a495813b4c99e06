/*
 * series.c - stores in, series out.
 *
 * Cost: each look is read once, those behind the eighth a little more often; memory: one row of the
 * judge's a group that grew, some KiB each, and a table of all groups while a pass runs.
 */
#include "watch/series.h"

#include "store/objects.h"

#include <stdio.h>
#include <xxhash.h>

/* Open for one pass. */
struct window {
	size_t n, look[DIFF_LOOKS]; /* ascending */
	struct store *stores[DIFF_LOOKS];
	struct ident *idents[DIFF_LOOKS];
};

struct build {
	const struct series_look *looks;
	size_t n;
	struct series *s;
	uint32_t *slots; /* open addressing: 1 + index in s->v; a power of two */
	size_t nslots;
};

void series_deinit(struct series *s)
{
	vec_free(&s->v);
	vec_free(&s->heads);
	keep_deinit(&s->keep);
}

static void window_deinit(struct window *w)
{
	for (size_t i = 0; i < w->n; i++) {
		if (w->idents[i])
			store_objects_close(w->idents[i]);
		store_close(w->stores[i]);
	}
}

static struct err *open_look(int fd, size_t look, struct store **ret, struct ident **ret_ident)
{
	char name[64];

	snprintf(name, sizeof(name), "look %zu", look);
	struct err *err = sight_open(fd, name, ret);

	return err ? err : store_objects(*ret, ret_ident);
}

static struct err *window_open(const struct build *b, struct window *w)
{
	struct err *err = NULL;

	for (size_t i = 0; !err && i < w->n; i++)
		err = open_look(b->looks[w->look[i]].fd, w->look[i], &w->stores[i], &w->idents[i]);
	return err;
}

/* Pass k: looks 6k .. 6k + 6 and the last. */
static bool window_of(size_t k, size_t n, struct window *w)
{
	size_t first = k * (DIFF_LOOKS - 2);

	*w = (struct window){ 0 };
	if (n <= DIFF_LOOKS ? k > 0 : first + 2 >= n)
		return false;
	for (size_t i = first; i < n && w->n < DIFF_LOOKS - (n > DIFF_LOOKS); i++)
		w->look[w->n++] = i;
	if (w->look[w->n - 1] != n - 1)
		w->look[w->n++] = n - 1;
	return true;
}

static struct err *grow_slots(struct build *b)
{
	size_t n = b->nslots ? b->nslots * 2 : 1024;
	uint32_t *slots = zalloc(n, sizeof(*slots));

	if (!slots)
		return &err_nomem;
	for (size_t i = 0; i < b->s->v.n; i++) {
		size_t at = XXH64(b->s->v.v[i].name, strlen(b->s->v.v[i].name), 0) & (n - 1);

		while (slots[at])
			at = (at + 1) & (n - 1);
		slots[at] = (uint32_t)i + 1;
	}
	free(b->slots);
	b->slots = slots;
	b->nslots = n;
	return NULL;
}

static void blank(struct judge_series *x)
{
	for (size_t i = 0; i < JUDGE_ROUNDS; i++)
		x->stayed[i] = x->born[i] = UINT64_MAX;
}

/* The series of that name, of objects; made if there is none. */
static struct err *series_of(struct build *b, const struct diff_row *row, struct judge_series **ret)
{
	struct keep *k = &b->s->keep;
	struct judge_series new = { .what = JUDGE_OBJECTS };
	struct err *err = b->s->v.n * 2 >= b->nslots ? grow_slots(b) : NULL;

	if (err)
		return err;
	size_t at = XXH64(row->name, strlen(row->name), 0) & (b->nslots - 1);

	for (; b->slots[at]; at = (at + 1) & (b->nslots - 1)) {
		*ret = &b->s->v.v[b->slots[at] - 1];
		if (!strcmp((*ret)->name, row->name))
			return NULL;
	}
	blank(&new);
	new.name = keepf(k, "%s", row->name);
	new.type = keepf(k, "%s", row->type ? row->type : "");
	new.holder = keepf(k, "%s", row->holder ? row->holder : "");
	if (!vec_push(&b->s->v, new) || keep_err(k))
		return &err_nomem;
	b->slots[at] = (uint32_t)b->s->v.n;
	*ret = &b->s->v.v[b->s->v.n - 1];
	return NULL;
}

/* Were all objects first seen at look j of the window born behind the look before it? */
static bool is_birth(const struct window *w, size_t j)
{
	return j ? w->look[j] == w->look[j - 1] + 1 : w->look[0] == 0;
}

static void fill(const struct window *w, const struct diff_row *row, struct judge_series *x)
{
	for (size_t j = 0; j < w->n; j++) {
		size_t r = w->look[j];
		struct diff_count sum = diff_there(row, j);

		x->objects[r] = sum.objects;
		x->bytes[r] = sum.bytes;
		if (!is_birth(w, j))
			continue;
		x->born[r] = row->n[j][j].objects;
		x->stayed[r] = row->n[j][w->n - 1].objects;
	}
}

static struct err *take_heads(struct build *b, const struct window *w)
{
	for (size_t i = 0; i < w->n; i++) {
		size_t r = w->look[i];
		struct ident_head *h = &b->s->heads.v[r];

		*h = w->idents[i]->head;
		h->process.go = keepf(&b->s->keep, "%s", h->process.go ? h->process.go : "");
		h->process.module = h->process.version = h->process.revision = "";
	}
	return keep_err(&b->s->keep);
}

static struct err *pass(struct build *b, struct window *w)
{
	struct diff d = { 0 };
	struct err *err = window_open(b, w);

	if (!err)
		err = take_heads(b, w);
	if (err || w->n < 2) /* of one look there is nothing to tell but how much there is */
		return err;
	err = diff_run(w->idents, w->n, 1U << DIFF_TYPE_HOLDER, &d);
	if (err)
		return err;
	for (size_t i = 0; !err && i < d.rows[DIFF_TYPE_HOLDER].n; i++) {
		struct judge_series *x;
		const struct diff_row *row = &d.rows[DIFF_TYPE_HOLDER].v[i];

		err = series_of(b, row, &x);
		if (!err)
			fill(w, row, x);
	}
	diff_deinit(&d);
	return err;
}

/*
 * What the runtime keeps for use again and never gives back (proc.go, gfput, releaseSudog): as many
 * as there ever were at once, a record that is broken by chance.  Goroutines are counted alone.
 */
static bool is_reused(const char *type)
{
	static const char *const types[] = { "runtime.g", "runtime.sudog", "runtime._defer",
					     "runtime.m", "[]*runtime.g" };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (type && !strcmp(type, types[i]))
			return true;
	return false;
}

/* A goroutine that is there already may need more stack: that is no goroutine more. */
static bool has_grown(const struct judge_series *x, size_t last)
{
	if (x->objects[last] > x->objects[0])
		return true;
	return x->what != JUDGE_GOROUTINES && x->bytes[last] > x->bytes[0];
}

/* What did not grow is nothing that the judge needs to hear of. */
static void drop_steady(struct series *s, size_t last)
{
	size_t n = 0;

	for (size_t i = 0; i < s->v.n; i++)
		if (!is_reused(s->v.v[i].type) && has_grown(&s->v.v[i], last))
			s->v.v[n++] = s->v.v[i];
	s->v.n = n;
}

/* One goroutine at one look. */
struct seen {
	uint64_t id;
	size_t look, series;
};

typedef VEC(struct seen) seen_list;

static int by_id_and_look(const void *x, const void *y)
{
	const struct seen *p = x, *q = y;

	if (p->id != q->id)
		return p->id < q->id ? -1 : 1;
	return (p->look > q->look) - (p->look < q->look);
}

/* The series of goroutines of that name; those of one name and several stacks are counted together.
 */
static struct err *goroutines_of(struct series *s, size_t first, const char *name, size_t *ret)
{
	struct judge_series new = { .what = JUDGE_GOROUTINES, .name = name };

	for (*ret = first; *ret < s->v.n; ++*ret)
		if (!strcmp(s->v.v[*ret].name, name))
			return NULL;
	return vec_push(&s->v, new) ? NULL : &err_nomem;
}

static struct err *count_groups(struct series *s, size_t first, const struct sight *f, size_t look,
				seen_list *seen)
{
	_cleanup_(freep) size_t *at = zalloc(f->groups.n, sizeof(*at));
	struct err *err = at ? NULL : &err_nomem;

	for (size_t i = 0; !err && i < f->groups.n; i++) {
		const struct sight_group *g = &f->groups.v[i];

		err = goroutines_of(s, first, g->name, &at[i]);
		if (err)
			return err;
		s->v.v[at[i]].objects[look] += g->count;
		s->v.v[at[i]].bytes[look] += g->stack_bytes;
		s->v.v[at[i]].proved = s->v.v[at[i]].proved || g->proved;
	}
	for (size_t i = 0; !err && i < f->goroutines.n; i++) {
		const struct sight_goroutine *g = &f->goroutines.v[i];

		if (!vec_push(seen, (struct seen){ g->id, look, at[g->group] }))
			err = &err_nomem;
	}
	return err;
}

/* Numbers of goroutines are never used twice: who was born when, and is still there. */
static void follow(struct series *s, seen_list *seen, size_t last)
{
	qsort(seen->v, seen->n, sizeof(*seen->v), by_id_and_look);
	for (size_t i = 0, end; i < seen->n; i = end) {
		for (end = i + 1; end < seen->n && seen->v[end].id == seen->v[i].id; end++)
			;
		struct judge_series *x = &s->v.v[seen->v[end - 1].series];

		x->born[seen->v[i].look]++;
		x->stayed[seen->v[i].look] += seen->v[end - 1].look == last;
	}
}

static struct err *put_goroutines(const struct build *b)
{
	size_t first = b->s->v.n;
	seen_list seen = { 0 };
	struct err *err = NULL;

	for (size_t r = 0; !err && r < b->n; r++)
		err = count_groups(b->s, first, b->looks[r].sight, r, &seen);
	if (!err && seen.n)
		follow(b->s, &seen, b->n - 1);
	vec_free(&seen);
	return err;
}

static struct err *put_totals(struct series *s, size_t n)
{
	struct judge_series all = { .what = JUDGE_TOTAL, .name = "all reachable objects" };
	struct judge_series stacks = { .what = JUDGE_STACKS, .name = "stacks of goroutines" };

	blank(&all);
	blank(&stacks);
	for (size_t i = 0; i < n; i++) {
		const struct ident_head *h = &s->heads.v[i];

		all.objects[i] = h->objects;
		all.bytes[i] = h->bytes;
		stacks.objects[i] = h->goroutines;
		stacks.bytes[i] = h->stack_bytes;
	}
	return vec_push(&s->v, all) && vec_push(&s->v, stacks) ? NULL : &err_nomem;
}

struct err *series_create(const struct series_look *looks, size_t n, struct series *ret)
{
	struct series s = { 0 };
	struct build b = { .looks = looks, .n = n, .s = &s };
	struct err *err = NULL;
	struct window w;

	b.n = n = MIN(n, (size_t)JUDGE_ROUNDS);
	if (!vec_reserve(&s.heads, n + 1))
		err = &err_nomem;
	s.heads.n = err ? 0 : n;
	for (size_t k = 0; !err && window_of(k, n, &w); k++) {
		err = pass(&b, &w);
		window_deinit(&w);
	}
	free(b.slots);
	if (!err)
		err = put_goroutines(&b);
	if (!err) {
		drop_steady(&s, n - 1);
		err = put_totals(&s, n);
	}
	if (err) {
		series_deinit(&s);
		return err;
	}
	*ret = s;
	return NULL;
}
