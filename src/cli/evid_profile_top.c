/*
 * evid_profile_top.c - `limpet top` of profiles: what takes most, by function.
 *
 * Several files are read beside each other and their rows added up; where they do not count the
 * same they are merged as pprof merges them.
 */
#include "cli/evid_profile.h"

#include "base/files.h"
#include "base/par.h"
#include "cli/evid_draw.h"
#include "cli/evidence.h"
#include "cli/session.h"
#include "evidence/pprof_quick.h"
#include "evidence/pprof_sense.h"
#include "report/agg_pprof.h"
#include "report/out.h"
#include "report/gc.h"
#include "report/pprof_top.h"

struct files {
	const struct args *a;
	enum pprof_order order;
	struct ans_pprof_top *top; /* one a file */
	size_t n;
};

static void files_deinit(struct files *f)
{
	for (size_t i = 0; f->top && i < f->n; i++)
		ans_pprof_top_deinit(&f->top[i]);
	free(f->top);
}

/* Labels are kept where they are asked about. */
static enum pprof_keep keep(const struct args *a)
{
	return a->pprof.tag_focus || a->pprof.tag_ignore ? PPROF_KEEP_ALL : PPROF_KEEP_STACKS;
}

enum { LARGE = 512 << 10 }; /* bytes of a file from which on it is read twice, and not kept */

/* *ret_done false: the question needs the samples themselves. */
static struct err *read_twice(struct files *f, unsigned i, bool *ret_done)
{
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	_cleanup_(input_closep) struct input *again = NULL;
	const char *file = f->a->arg[i];
	struct pprof_ask ask;
	struct stat st;
	struct err *err;

	*ret_done = false;
	if (keep(f->a) == PPROF_KEEP_ALL || file_stat(file, &st) || !S_ISREG(st.st_mode) ||
	    st.st_size < LARGE)
		return NULL;
	err = evid_profile_some(f->a, i, PPROF_KEEP_HEADS, &p);
	if (!err)
		err = evid_profile_ask(f->a, p, 0, &ask);
	/* what CPU time went to is told from the samples */
	if (err || !pprof_quick_can(p, &ask) || pprof_sense(p, ask.type) == PPROF_RUN)
		return err;
	if (!i)
		f->order = ask.order;
	*ret_done = true;
	err = input_file(file, file, &again);
	return err ? err : agg_pprof_top_add(p, again, &ask, &f->top[i]);
}

static struct err *read_one(struct files *f, unsigned i)
{
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	struct pprof_ask ask;
	bool done;
	struct err *err = read_twice(f, i, &done);

	if (err || done)
		return err;
	err = evid_profile_some(f->a, i, keep(f->a), &p);
	if (!err)
		err = evid_profile_ask(f->a, p, 0, &ask);
	if (err)
		return err;
	if (!i)
		f->order = ask.order;
	return agg_pprof_top_add(p, NULL, &ask, &f->top[i]);
}

static struct err *read_some(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct err *err = NULL;

	(void)worker;
	for (size_t i = lo; i < hi && !err; i++)
		err = read_one(arg, (unsigned)i);
	return err;
}

/* What counts the same adds up row by row; anything else is merged sample by sample. */
static struct err *add_up(struct files *f, struct ans_pprof_top *ret)
{
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	struct pprof_ask ask;
	struct err *err = NULL;

	if (agg_pprof_top_same(f->top, f->n)) {
		for (size_t i = 0; i < f->n && !err; i++)
			err = agg_pprof_top_join(&f->top[i], ret);
		return err;
	}
	err = evid_profiles(f->a, (unsigned)f->n, &p);
	if (!err)
		err = evid_profile_ask(f->a, p, 0, &ask);
	if (!err)
		err = agg_pprof_top_add(p, NULL, &ask, ret);
	for (size_t i = 1; i < f->n && !err; i++)
		err = agg_pprof_top_named(ret, f->a->arg[i]);
	return err;
}

struct err *evid_profile_top(const struct args *a, int *status)
{
	_cleanup_(ans_pprof_top_deinit) struct ans_pprof_top t = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	_cleanup_(files_deinit) struct files f = { .a = a, .n = a->nargs };
	unsigned threads = a->threads ? (unsigned)a->threads : par_default_threads();
	bool done = false;
	struct err *err = evid_profile_options(a, EVID_ROWS);

	(void)status;
	if (err)
		return err;
	if (a->sort && !strcmp(a->sort, "ratio"))
		return evid_profile_ratios(a);
	if (a->by && !strncmp(a->by, "label", 5))
		return evid_profile_labels(a);
	err = evid_profile_draw(a, &done);
	if (err || done)
		return err;
	f.top = zalloc(f.n, sizeof(*f.top));
	if (!f.top)
		return &err_nomem;
	err = par_for(threads, f.n, 1, read_some, &f);
	if (!err)
		err = add_up(&f, &t);
	t.by = a->by ? a->by : "function";
	if (!err)
		err = agg_pprof_top_end(&t, f.order, session_limit(a, 30));
	if (err)
		return err;
	if (args_has(a, OPT_JSON))
		json_doc_pprof_top(&o, &t);
	else
		text_pprof_top(&o, session_style(a), &t);
	return out_write(a->out, &o);
}

struct err *evid_profile_memory(const struct args *a, int *status)
{
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	_cleanup_(ans_memory_deinit) struct ans_memory m = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	struct err *err = evid_profile_options(a, EVID_STATS);

	(void)status;
	if (!err)
		err = evid_profile_some(a, 0, PPROF_KEEP_HEADS, &p);
	if (!err)
		err = agg_pprof_memory(p, &m);
	if (err)
		return err;
	if (args_has(a, OPT_JSON))
		json_doc_pprof_memory(&o, p, &m);
	else
		text_memory(&o, session_style(a), &m);
	return out_write(a->out, &o);
}

struct err *evid_profile_gc(const struct args *a, int *status)
{
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	_cleanup_(ans_gc_deinit) struct ans_gc g = { 0 };
	_cleanup_(str_deinit) struct str o = { 0 };
	struct err *err = evid_profile_options(a, EVID_STATS);

	(void)status;
	if (!err)
		err = evid_profile_some(a, 0, PPROF_KEEP_HEADS, &p);
	if (!err)
		err = ans_gc_of_memstats(p, &g);
	if (err)
		return err;
	if (args_has(a, OPT_JSON))
		json_doc_gc(&o, &g);
	else
		text_gc(&o, session_style(a), &g);
	return out_write(a->out, &o);
}
