/*
 * diff.c - several looks walked at once, span by span: which objects are the same.
 *
 * Spans that begin at one address and are cut alike in looks that follow each other hold the same
 * slots; there, 64 slots at a time, who was there and who is left follows from the looks' bits
 * (ident.h).  A span that is cut anew, or was not there, has only new objects.  Knows no names.
 * Cost: a few ns a slot, and diff_rows.c.
 */
#include "find/diff_priv.h"

#include <inttypes.h>

struct walk {
	struct ident *const *looks;
	size_t n;
	bool by_name;
	uint32_t cycles[DIFF_LOOKS]; /* [j]: between j - 1 and j; UINT32_MAX unknown */
	const struct ident_span *at[DIFF_LOOKS];
	taddr end[DIFF_LOOKS]; /* of the last span */
	struct err *(*object)(void *arg, const struct ident_span *sp, uint32_t slot,
			      const struct diff_fate *f);
	void *arg;
};

/* 64 slots in all looks of a run. */
struct slots {
	uint64_t alive[DIFF_LOOKS];
	uint64_t stay[DIFF_LOOKS]; /* [j]: the same as at j - 1 */
	uint64_t maybe[DIFF_LOOKS], reused[DIFF_LOOKS], revived[DIFF_LOOKS];
};

static struct err *lies(unsigned look, const struct ident_span *sp, const char *what)
{
	return err_bad_data("look %u: span at 0x%" PRIx64 " %s", look + 1, sp->base, what);
}

static struct err *pull(struct walk *w, unsigned j)
{
	const struct ident_span *sp = NULL;
	struct err *err = w->looks[j]->next(w->looks[j], &sp);

	w->at[j] = sp;
	if (err || !sp)
		return err;
	if (sp->base < w->end[j] || sp->base + sp->bytes < sp->base)
		return lies(j, sp, "lies where another one does");
	if (!sp->elem_bytes || sp->bytes / sp->elem_bytes < sp->nelems)
		return lies(j, sp, "has more slots than room");
	w->end[j] = sp->base + sp->bytes;
	return NULL;
}

static bool same_cut(const struct ident_span *x, const struct ident_span *y)
{
	return x->base == y->base && x->bytes == y->bytes && x->elem_bytes == y->elem_bytes &&
	       x->nelems == y->nelems && x->spanclass == y->spanclass;
}

/* Which slots of look j hold what they held at j - 1, if it was there; *maybe: who knows. */
static uint64_t keeps(const struct walk *w, unsigned j, size_t word, uint64_t *maybe)
{
	const struct ident_span *sp = w->at[j];
	uint32_t from = w->looks[j]->head.followed_from;
	uint32_t then = w->looks[j - 1]->head.cycles;
	bool followed = sp->stayed && w->cycles[j] != UINT32_MAX && from <= then;

	*maybe = 0;
	if (w->cycles[j] == 0)
		return ~0ULL;
	if (followed && from == then)
		return sp->stayed[word];
	if (w->cycles[j] != 1 || !sp->old_known)
		*maybe = followed ? ~sp->stayed[word] : ~0ULL;
	return w->cycles[j] == UINT32_MAX || !sp->old_known ? ~0ULL : sp->old[word];
}

static void compare(const struct walk *w, unsigned a, unsigned b, size_t word, struct slots *s)
{
	uint64_t nelems = w->at[a]->nelems, left = nelems - 64 * word;
	uint64_t valid = left < 64 ? (1ULL << left) - 1 : ~0ULL;
	uint64_t seen = 0, present = 0; /* at an earlier look; and for certain not freed since */

	for (unsigned j = a; j <= b; j++) {
		uint64_t unsure = 0, keep = j > a ? keeps(w, j, word, &unsure) : 0, was, born;

		was = j > a ? s->alive[j - 1] : 0;
		s->alive[j] = w->at[j]->alive[word] & valid;
		s->stay[j] = s->alive[j] & was & keep;
		s->maybe[j] = s->stay[j] & unsure;
		born = s->alive[j] & ~s->stay[j];
		present &= keep & ~unsure;
		s->revived[j] = born & ~was & present;
		s->reused[j] = born & seen & ~s->revived[j];
		present |= s->alive[j];
		seen |= s->alive[j];
	}
}

static struct diff_fate fate(const struct slots *s, unsigned a, unsigned last, uint64_t bit)
{
	struct diff_fate f = { .first = last, .last = last };

	for (; f.first > a && (s->stay[f.first] & bit); f.first--)
		if (s->maybe[f.first] & bit)
			f.maybe |= 1U << f.first;
	if (s->reused[f.first] & bit)
		f.reused = 1U << f.first;
	if (s->revived[f.first] & bit)
		f.revived = 1U << f.first;
	return f;
}

/* Looks a .. b have this span. */
static struct err *walk_run(struct walk *w, unsigned a, unsigned b)
{
	struct err *err = NULL;
	struct slots s;

	for (size_t word = 0; word < ((size_t)w->at[a]->nelems + 63) / 64; word++) {
		compare(w, a, b, word, &s);
		for (unsigned j = a; j <= b; j++) {
			uint64_t last = s.alive[j] & ~(j < b ? s.stay[j + 1] : 0);

			for (; !err && last; last &= last - 1) {
				unsigned i = (unsigned)__builtin_ctzll(last);
				struct diff_fate f = fate(&s, a, j, 1ULL << i);

				err = w->object(w->arg, w->at[j], (uint32_t)(64 * word + i), &f);
			}
			if (err)
				return err;
		}
	}
	return NULL;
}

/* All spans that begin at base. */
static struct err *walk_base(struct walk *w, taddr base)
{
	struct err *err = NULL;
	unsigned b;

	for (unsigned a = 0; !err && a < w->n; a = b + 1) {
		b = a;
		if (!w->at[a] || w->at[a]->base != base)
			continue;
		while (!w->by_name && b + 1 < w->n && w->at[b + 1] &&
		       same_cut(w->at[b], w->at[b + 1]))
			b++;
		err = walk_run(w, a, b);
	}
	for (unsigned j = 0; !err && j < w->n; j++)
		if (w->at[j] && w->at[j]->base == base)
			err = pull(w, j);
	return err;
}

static struct err *walk(struct walk *w)
{
	struct err *err = NULL;

	for (unsigned j = 0; !err && j < w->n; j++) {
		err = w->looks[j]->rewind(w->looks[j]);
		if (!err)
			err = pull(w, j);
	}
	while (!err) {
		const struct ident_span *least = NULL;

		for (unsigned j = 0; j < w->n; j++)
			if (w->at[j] && (!least || w->at[j]->base < least->base))
				least = w->at[j];
		if (!least)
			return NULL;
		err = walk_base(w, least->base);
	}
	return err;
}

static const char *text(const char *t)
{
	return t ? t : "";
}

static struct find_process process_of(const struct ident_head *h)
{
	struct find_process p = h->process;

	p.go = text(p.go);
	p.module = text(p.module);
	p.version = text(p.version);
	p.revision = text(p.revision);
	return p;
}

static bool less_counted(const struct ident_head *x, const struct ident_head *y)
{
	return (x->has_cycles && y->has_cycles && y->cycles < x->cycles) ||
	       (x->total_alloc && y->total_alloc && y->total_alloc < x->total_alloc);
}

/* Known to be one process, by its number and its start. */
static bool surely_same(const struct find_process *x, const struct find_process *y)
{
	return x->pid && x->pid == y->pid && x->started_ns &&
	       x->started_ns / 1000000000 == y->started_ns / 1000000000;
}

/* *same falls to what look j - 1 and look j are to each other. */
static struct err *same_pair(struct ident *const *looks, size_t j, uint8_t *same, const char **why)
{
	const struct ident_head *x = &looks[j - 1]->head, *y = &looks[j]->head;
	struct find_since then = { .process = process_of(x) };
	struct find_process now = process_of(y);
	bool less = less_counted(x, y);

	if (surely_same(&then.process, &now) && (less || then.process.at_unix_ns > now.at_unix_ns))
		return err_usage("look %zu is later than look %zu: give looks at one process in "
				 "the order of time",
				 j, j + 1);
	find_since_match(&then, &now, NULL);
	if (then.same == FIND_SAME_PROCESS && less) {
		then.same = FIND_SAME_PROGRAM;
		then.why = "they are of two runs of it, or in another order";
	}
	if (then.same > *same) {
		*same = then.same;
		*why = then.why;
	}
	return NULL;
}

struct err *diff_same(struct ident *const *looks, size_t nlooks, uint8_t *ret_same,
		      const char **ret_why)
{
	struct err *err = NULL;

	*ret_same = FIND_SAME_PROCESS;
	*ret_why = "";
	for (size_t j = 1; !err && j < nlooks; j++)
		err = same_pair(looks, j, ret_same, ret_why);
	return err;
}

static struct err *walk_init(struct walk *w, struct ident *const *looks, size_t n)
{
	*w = (struct walk){ .looks = looks, .n = n };
	if (n < 2 || n > DIFF_LOOKS)
		return err_usage("diff: two to %d looks can be compared, not %zu", DIFF_LOOKS, n);
	for (unsigned j = 1; j < n; j++) {
		const struct ident_head *x = &looks[j - 1]->head, *y = &looks[j]->head;
		bool known = x->has_cycles && y->has_cycles && y->cycles >= x->cycles;

		w->cycles[j] = known ? y->cycles - x->cycles : UINT32_MAX;
	}
	return NULL;
}

static struct err *check_same(struct ident *const *looks, size_t n)
{
	const char *why;
	uint8_t same;
	struct err *err = diff_same(looks, n, &same, &why);

	if (!err && same != FIND_SAME_PROCESS)
		err = err_usage("the looks cannot be compared object by object: %s", why);
	return err;
}

static void keep_head(struct keep *k, const struct ident_head *from, struct ident_head *to)
{
	*to = *from;
	to->process.go = keepf(k, "%s", text(from->process.go));
	to->process.module = keepf(k, "%s", text(from->process.module));
	to->process.version = keepf(k, "%s", text(from->process.version));
	to->process.revision = keepf(k, "%s", text(from->process.revision));
}

static struct err *count(void *arg, const struct ident_span *sp, uint32_t slot,
			 const struct diff_fate *f)
{
	return diff_count_object(arg, sp, slot, f);
}

static struct err *fill(struct walk *w, unsigned by, struct diff *d)
{
	_cleanup_(diff_tables_deinit) struct diff_tables t = { 0 };
	struct err *err;

	d->nlooks = w->n;
	d->by_name = w->by_name;
	memcpy(d->cycles, w->cycles, sizeof(d->cycles));
	for (size_t j = 0; j < w->n; j++)
		keep_head(&d->keep, &w->looks[j]->head, &d->head[j]);
	err = diff_tables_init(&t, d, w->looks, by);
	if (err)
		return err;
	w->object = count;
	w->arg = &t;
	err = walk(w);
	if (err)
		return err;
	diff_tables_finish(&t);
	for (size_t j = 0; j < w->n; j++)
		d->exact[j] = !d->total.maybe[j].objects;
	return keep_err(&d->keep);
}

static struct err *run(struct walk *w, unsigned by, struct diff *ret)
{
	struct diff d = { 0 };
	struct err *err = fill(w, by, &d);

	if (err) {
		diff_deinit(&d);
		return err;
	}
	*ret = d;
	return NULL;
}

struct err *diff_run(struct ident *const *looks, size_t nlooks, unsigned by, struct diff *ret)
{
	struct walk w;
	struct err *err = walk_init(&w, looks, nlooks);

	if (!err)
		err = check_same(looks, nlooks);
	return err ? err : run(&w, by, ret);
}

struct err *diff_names(struct ident *const *looks, size_t nlooks, unsigned by, struct diff *ret)
{
	struct walk w;
	struct err *err = walk_init(&w, looks, nlooks);

	w.by_name = true;
	return err ? err : run(&w, by, ret);
}

struct each {
	struct ident *const *looks;
	struct err *(*each)(void *arg, const struct diff_object *x);
	void *arg;
};

static struct err *each_object(void *arg, const struct ident_span *sp, uint32_t slot,
			       const struct diff_fate *f)
{
	const struct each *e = arg;
	struct ident *x = e->looks[f->last];
	struct diff_object o = { .addr = sp->base + slot * sp->elem_bytes,
				 .bytes = sp->elem_bytes,
				 .first = f->first,
				 .last = f->last,
				 .maybe = f->maybe,
				 .type = "" };

	if (sp->group[IDENT_TYPE] && sp->group[IDENT_TYPE][slot] < x->head.ngroups[IDENT_TYPE])
		o.type = text(x->name(x, IDENT_TYPE, sp->group[IDENT_TYPE][slot]));
	return e->each(e->arg, &o);
}

struct err *diff_each(struct ident *const *looks, size_t nlooks,
		      struct err *(*each)(void *arg, const struct diff_object *x), void *arg)
{
	struct each e = { .looks = looks, .each = each, .arg = arg };
	struct walk w;
	struct err *err = walk_init(&w, looks, nlooks);

	if (!err)
		err = check_same(looks, nlooks);
	if (err)
		return err;
	w.object = each_object;
	w.arg = &e;
	return walk(&w);
}
