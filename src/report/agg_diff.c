/*
 * agg_diff.c - what several looks say together: figures of the looks, tables of what grew.
 *
 * Who survived is told by find/diff.h; here it is added up, put in order and cut.  Knows how looks
 * of different processes are compared: by names, and per hour of uptime or request.
 */
#include "report/agg_diff_priv.h"

#include <stdio.h>

static const struct {
	const char *word;
	enum diff_by by;
} bys[] = {
	{ "type", DIFF_TYPE }, { "holder", DIFF_HOLDER },	    { "field", DIFF_FIELD },
	{ "size", DIFF_SIZE }, { "type-holder", DIFF_TYPE_HOLDER },
};

static const char *const sorts[] = {
	[DIFF_SORT_GROWTH] = "growth",	 [DIFF_SORT_RETAINED] = "retained",
	[DIFF_SORT_OBJECTS] = "objects", [DIFF_SORT_OLD] = "old",
	[DIFF_SORT_NEW] = "new",	 [DIFF_SORT_BORN] = "born",
	[DIFF_SORT_DIED] = "died",	 [DIFF_SORT_SURVIVED] = "survived",
	[DIFF_SORT_NAME] = "name",
};

static struct err *check_sort(const char *sort, enum diff_sort *ret)
{
	*ret = DIFF_SORT_GROWTH;
	if (!sort)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(sorts); i++)
		if (!strcmp(sort, sorts[i])) {
			*ret = (enum diff_sort)i;
			return NULL;
		}
	return err_usage("--sort %.100s: want growth, retained, objects, old, new, born, died, "
			 "survived or name",
			 sort);
}

bool agg_diff_is_identity(const char *by)
{
	for (size_t i = 0; i < ARRAY_LEN(bys); i++)
		if (!strcmp(by, bys[i].word))
			return true;
	return false;
}

/* Words of top whose rows are compared by name alone. */
static bool is_of_top(const char *by)
{
	struct err *err = agg_by_check(by);
	bool yes = !err;

	err_free(err);
	return yes;
}

struct err *agg_diff_check(const char *by, const char *sort, enum diff_sort *ret)
{
	if (by && !agg_diff_is_identity(by) && !is_of_top(by))
		return err_usage(
			"--by %.100s: want type, holder, field, size or type-holder, or by name alone "
			"a word of `limpet top --by`",
			by);
	return check_sort(sort, ret);
}

const char *ans_diff_fate_word(uint8_t fate)
{
	static const char *const words[] = { "", "steady", "stayed", "turned over", "gone" };

	return words[fate];
}

static void row_deinit(struct ans_diff_row *r)
{
	ans_path_deinit(&r->holder);
	vec_free(&r->site);
}

void ans_diff_deinit(struct ans_diff *a)
{
	for (size_t i = 0; i < a->tables.n; i++) {
		for (size_t k = 0; k < a->tables.v[i].rows.n; k++)
			row_deinit(&a->tables.v[i].rows.v[k]);
		vec_free(&a->tables.v[i].rows);
	}
	vec_free(&a->tables);
	vec_free(&a->goroutines);
	vec_free(&a->findings);
	vec_free(&a->memory);
	keep_deinit(&a->keep);
	*a = (struct ans_diff){ 0 };
}

static struct ans_diff_count of(struct diff_count c)
{
	return (struct ans_diff_count){ c.objects, c.bytes };
}

static struct ans_diff_count less(struct ans_diff_count x, struct ans_diff_count y)
{
	return (struct ans_diff_count){ x.objects - y.objects, x.bytes - y.bytes };
}

static struct ans_diff_count sum_to(const struct diff_count *c, size_t n)
{
	struct ans_diff_count s = { 0 };

	for (size_t j = 0; j < n; j++) {
		s.objects += c[j].objects;
		s.bytes += c[j].bytes;
	}
	return s;
}

static int64_t scaled(int64_t growth, double by)
{
	double x = (double)growth / by;

	return by > 0 && x > -9e18 && x < 9e18 ? (int64_t)x : ANS_DIFF_NONE;
}

/*
 * Three looks: was what came under load still there when all had settled?  Trifles (less than
 * 16 KiB came) are steady.
 */
static uint8_t fate_of(const struct ans_diff_row *r, size_t nlooks)
{
	uint64_t came = 0, left = 0, before = r->old.bytes, now = r->now.bytes, loaded;

	for (size_t j = 1; j + 1 < nlooks; j++) {
		came += r->came[j].bytes;
		left += r->aged[j].bytes;
	}
	loaded = r->at[nlooks - 2].bytes;
	if (came < 16 << 10)
		return ANS_DIFF_STEADY;
	if (loaded < before + came / 2) /* old ones made room */
		return ANS_DIFF_TURNED;
	if (left >= came / 2)
		return ANS_DIFF_STAYED;
	return now < before + came / 2 ? ANS_DIFF_GONE : ANS_DIFF_TURNED;
}

static void fill_identity(const struct diff *d, const struct diff_row *r, struct ans_diff_row *to)
{
	size_t last = d->nlooks - 1;

	to->identity = true;
	to->survived = of(r->n[0][last]);
	to->born = less(to->now, to->survived);
	to->died = less(to->old, to->survived);
	to->maybe = of(r->maybe_all);
	to->reused = sum_to(r->reused, d->nlooks);
	for (size_t j = 0; j <= last; j++) {
		to->aged[j] = of(r->n[j][last]);
		to->came[j] = j ? of(diff_born(r, j)) : to->old;
		to->left[j] = j ? of(diff_died(r, j)) : (struct ans_diff_count){ 0 };
	}
	if (d->nlooks > 2)
		to->fate = fate_of(to, d->nlooks);
}

void agg_diff_row(const struct diff *d, const struct diff_row *r, const struct ans_diff *a,
		  struct ans_diff_row *to)
{
	size_t last = d->nlooks - 1;

	*to = (struct ans_diff_row){ .name = r->name ? r->name : "",
				     .old = of(diff_there(r, 0)),
				     .now = of(diff_there(r, last)) };
	for (size_t j = 0; j <= last; j++)
		to->at[j] = of(diff_there(r, j));
	to->in_old = to->old.objects;
	to->in_new = to->now.objects;
	if (!d->by_name)
		fill_identity(d, r, to);
	agg_diff_grown(a, to);
}

void agg_diff_grown(const struct ans_diff *a, struct ans_diff_row *r)
{
	double more = a->norm.per && a->norm.old > 0 ? a->norm.now / a->norm.old : 0;

	r->growth_objects = (int64_t)(r->now.objects - r->old.objects);
	r->growth_bytes = (int64_t)(r->now.bytes - r->old.bytes);
	r->old_retained = r->new_retained = ANS_UNKNOWN;
	r->retained_growth = ANS_DIFF_NONE;
	r->per_gc = r->per_second = ANS_DIFF_NONE;
	r->expected_bytes = ANS_UNKNOWN;
	if (a->identity && a->cycles && a->cycles != ANS_UNKNOWN)
		r->per_gc = scaled(r->growth_bytes, (double)a->cycles);
	if (a->identity && a->ns && a->ns != ANS_UNKNOWN)
		r->per_second = scaled(r->growth_bytes, (double)a->ns / 1e9);
	if (more > 0 && (double)r->old.bytes * more < 1e18)
		r->expected_bytes = (uint64_t)((double)r->old.bytes * more);
}

/* What rows are ordered by: larger is first. */
static double weight(const struct diff_row *r, const struct diff *d, const struct ans_diff *a,
		     enum diff_sort sort)
{
	struct ans_diff_row x;

	agg_diff_row(d, r, a, &x);
	switch (sort) {
	case DIFF_SORT_OBJECTS:
		return (double)x.growth_objects;
	case DIFF_SORT_OLD:
		return (double)x.old.bytes;
	case DIFF_SORT_NEW:
		return (double)x.now.bytes;
	case DIFF_SORT_BORN:
		return (double)x.born.bytes;
	case DIFF_SORT_DIED:
		return (double)x.died.bytes;
	case DIFF_SORT_SURVIVED:
		return (double)x.survived.bytes;
	case DIFF_SORT_NAME:
		return 0;
	default:
		break;
	}
	if (a->norm.per && a->looks[0].requests && x.expected_bytes != ANS_UNKNOWN)
		return (double)x.now.bytes - (double)x.expected_bytes;
	return (double)x.growth_bytes;
}

struct weighed {
	const struct diff_row *row;
	double weight;
	uint64_t moved; /* born and died, bytes: of equal growth, who moved more is first */
};

static int heavier(const void *x, const void *y)
{
	const struct weighed *p = x, *q = y;

	if (p->weight != q->weight)
		return p->weight < q->weight ? 1 : -1;
	if (p->moved != q->moved)
		return p->moved < q->moved ? 1 : -1;
	return strcmp(p->row->name, q->row->name);
}

static uint64_t moved(const struct diff_row *r, size_t nlooks)
{
	uint64_t n = 0;

	for (size_t j = 1; j < nlooks; j++)
		n += diff_born(r, j).bytes + diff_died(r, j).bytes;
	return n;
}

static struct err *fill_table(const struct diff *d, enum diff_by by, const struct diff_ask *q,
			      struct ans_diff *a, struct ans_diff_table *t)
{
	size_t n = d->rows[by].n;
	_cleanup_(freep) struct weighed *w = zalloc(n, sizeof(*w));

	if (!w)
		return &err_nomem;
	for (size_t i = 0; i < n; i++) {
		const struct diff_row *r = &d->rows[by].v[i];

		w[i] = (struct weighed){ r, weight(r, d, a, q->sort), moved(r, d->nlooks) };
	}
	qsort(w, n, sizeof(*w), heavier);
	t->nrows = n;
	for (size_t i = 0; i < MIN(n, q->limit); i++) {
		struct ans_diff_row r;

		agg_diff_row(d, w[i].row, a, &r);
		r.name = keepf(&a->keep, "%s", r.name);
		if (!vec_push(&t->rows, r))
			return &err_nomem;
	}
	return NULL;
}

static struct err *add_table(const struct diff *d, size_t word, const struct diff_ask *q,
			     struct ans_diff *a)
{
	struct ans_diff_table t = { .by = bys[word].word, .identity = !d->by_name };
	struct err *err = fill_table(d, bys[word].by, q, a, &t);

	if (!err && vec_push(&a->tables, t))
		return NULL;
	vec_free(&t.rows);
	return err ? err : &err_nomem;
}

/* Without --by: by type, and in brief by holder and by field. */
static const char *const shown[] = { "type", "holder", "field", NULL };

static bool wanted(const struct diff_ask *q, const char *word)
{
	if (q->by)
		return !strcmp(q->by, word);
	for (size_t i = 0; shown[i]; i++)
		if (!strcmp(shown[i], word))
			return true;
	return false;
}

static struct err *add_tables(const struct diff *d, const struct diff_ask *q, struct ans_diff *a)
{
	struct err *err = NULL;

	for (size_t i = 0; !err && i < ARRAY_LEN(bys); i++)
		if (wanted(q, bys[i].word))
			err = add_table(d, i, q, a);
	return err;
}

static void fill_look(const struct diff_look *l, struct keep *k, struct ans_diff_look *to)
{
	const struct ident_head *h = &l->x->head;

	*to = (struct ans_diff_look){ .name = keepf(k, "%s", l->name),
				      .kind = "",
				      .pid = h->process.pid,
				      .at_unix_ns = h->process.at_unix_ns,
				      .cycles = h->has_cycles ? h->cycles : ANS_UNKNOWN,
				      .objects = h->objects,
				      .bytes = h->bytes,
				      .goroutines = h->goroutines,
				      .stack_bytes = h->stack_bytes,
				      .total_alloc = h->total_alloc,
				      .rss = h->rss,
				      .requests = l->requests,
				      .ns = ANS_UNKNOWN,
				      .cycles_since = ANS_UNKNOWN };
	if (h->process.started_ns && h->process.at_unix_ns > h->process.started_ns)
		to->up_ns = h->process.at_unix_ns - h->process.started_ns;
}

static void fill_steps(const struct diff *d, struct ans_diff *a)
{
	for (size_t j = 1; j < a->nlooks; j++) {
		struct ans_diff_look *to = &a->looks[j];
		const struct ans_diff_look *was = &a->looks[j - 1];

		if (was->at_unix_ns && to->at_unix_ns > was->at_unix_ns)
			to->ns = to->at_unix_ns - was->at_unix_ns;
		if (!a->identity)
			continue;
		to->exact = d->exact[j];
		if (d->cycles[j] != UINT32_MAX)
			to->cycles_since = d->cycles[j];
		to->born = of(diff_born(&d->total, j));
		to->died = of(diff_died(&d->total, j));
		to->survived = of(diff_survived(&d->total, j));
		to->maybe = of(d->total.maybe[j]);
		to->reused = of(d->total.reused[j]);
		to->revived = of(d->total.revived[j]);
	}
}

static void fill_between(struct ans_diff *a)
{
	const struct ans_diff_look *x = &a->looks[0], *y = &a->looks[a->nlooks - 1];

	a->ns = a->cycles = ANS_UNKNOWN;
	if (x->at_unix_ns && y->at_unix_ns >= x->at_unix_ns)
		a->ns = y->at_unix_ns - x->at_unix_ns;
	if (a->identity && x->cycles != ANS_UNKNOWN && y->cycles != ANS_UNKNOWN)
		a->cycles = y->cycles - x->cycles;
	if (a->identity)
		return;
	if (x->requests && y->requests)
		a->norm = (struct ans_diff_norm){ "request", (double)x->requests,
						  (double)y->requests };
	else if (x->up_ns && y->up_ns)
		a->norm = (struct ans_diff_norm){ "hour of uptime", (double)x->up_ns / 3600e9,
						  (double)y->up_ns / 3600e9 };
}

static struct err *match(struct ident *const *x, size_t n, const struct diff_ask *q,
			 struct ans_diff *a)
{
	static const char *const words[] = { "process", "program", "other" };
	const char *why = "";
	uint8_t same = 0;
	struct err *err = diff_same(x, n, &same, &why);

	if (err)
		return err;
	a->identity = same == FIND_SAME_PROCESS;
	a->same = words[same];
	a->why = keepf(&a->keep, "%s", why);
	for (size_t j = 0; a->identity && j < n; j++)
		if (!x[j]->head.process.pid)
			a->why = "they do not say of which process they are; it is taken to be one";
	if (same == FIND_OTHER && !q->force)
		return err_usage(
			"the looks are of different programs (%.80s and %.80s): nothing "
			"of theirs means the same; --force compares what has the same name",
			x[0]->head.process.module, x[n - 1]->head.process.module);
	return NULL;
}

static unsigned mask(const struct diff_ask *q)
{
	unsigned m = 0;

	for (size_t i = 0; i < ARRAY_LEN(bys); i++)
		if (wanted(q, bys[i].word))
			m |= 1U << bys[i].by;
	return m;
}

static struct err *fill(const struct diff_look *looks, size_t n, const struct diff_ask *q,
			struct diff *d, struct ans_diff *a)
{
	struct ident *x[DIFF_LOOKS];
	struct err *err;

	for (size_t j = 0; j < n; j++)
		x[j] = looks[j].x;
	err = match(x, n, q, a);
	if (!err)
		err = a->identity ? diff_run(x, n, mask(q), d) : diff_names(x, n, mask(q), d);
	if (err)
		return err;
	for (size_t j = 0; j < n; j++)
		fill_look(&looks[j], &a->keep, &a->looks[j]);
	fill_steps(d, a);
	fill_between(a);
	agg_diff_row(d, &d->total, a, &a->total);
	a->exact = a->identity && !*a->why && !a->total.maybe.objects;
	a->has_followed = q->followed != NULL;
	if (q->followed)
		a->followed = *q->followed;
	err = add_tables(d, q, a);
	if (!err && looks[0].store && looks[n - 1].store)
		err = agg_diff_kept(looks, n, q, a);
	if (!err && looks[0].store && looks[n - 1].store)
		err = agg_diff_places(looks, n, a);
	return err ? err : keep_err(&a->keep);
}

struct err *agg_diff(const struct diff_look *looks, size_t nlooks, const struct diff_ask *q,
		     struct ans_diff *ret)
{
	_cleanup_(diff_deinit) struct diff d = { 0 };
	struct ans_diff a = { .nlooks = nlooks, .sort = sorts[q->sort], .same = "", .why = "" };
	struct err *err;

	if (nlooks < 2 || nlooks > ANS_DIFF_LOOKS)
		return err_usage("want two to %d looks", ANS_DIFF_LOOKS);
	err = fill(looks, nlooks, q, &d, &a);
	if (err) {
		ans_diff_deinit(&a);
		return err;
	}
	*ret = a;
	return NULL;
}
