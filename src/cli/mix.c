/*
 * mix.c - evidence beside a look or without one, read; knows which kinds there are, and no format.
 */
#include "cli/mix.h"

#include "base/files.h"
#include "cli/evid_escape.h"
#include "cli/evidence.h"
#include "cli/session.h"
#include "evidence/escape.h"
#include "evidence/gclog.h"
#include "evidence/gotext.h"
#include "evidence/lint.h"
#include "evidence/pprof.h"
#include "evidence/sniff.h"
#include "report/agg_gotext.h"

#define SNIFF_BYTES (4ULL << 30)

/* Borrowed by the report, owned here. */
static void *ours(const void *p)
{
	return (void *)(uintptr_t)p;
}

static void file_deinit(struct join_file *f)
{
	escape_free(ours(f->escape));
	lint_free(ours(f->lint));
	pprof_free(ours(f->pprof));
	if (f->gclog)
		gclog_deinit(ours(f->gclog));
	free(ours(f->gclog));
	if (f->said)
		ans_gotext_deinit(f->said);
	free(f->said);
	gotext_free(ours(f->gotext));
}

void mix_deinit(struct mix *m)
{
	for (size_t i = 0; i < m->files.n; i++)
		file_deinit(&m->files.v[i]);
	vec_free(&m->files);
	vec_free(&m->seen);
	keep_deinit(&m->keep);
}

static bool is_look(enum kind k)
{
	return k == KIND_LIVE || k == KIND_CORE || k == KIND_HEAPDUMP || k == KIND_STORE;
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* The end of its path, where that tells it from the others. */
static const char *name_of(const struct args *a, unsigned i)
{
	const char *name = base_of(a->arg[i]);

	for (unsigned k = 0; k < a->nargs; k++)
		if (k != i && !strcmp(base_of(a->arg[k]), name))
			return a->arg[i];
	return name;
}

static struct err *push(struct mix *m, struct join_file f, struct err *err)
{
	if (!err && !vec_push(&m->files, f))
		err = &err_nomem;
	if (err)
		file_deinit(&f);
	return err;
}

/* The contract's word. */
static const char *word_of(enum kind kind)
{
	return kind == KIND_PROFILE	 ? "profile"
	       : kind == KIND_GOROUTINES ? "goroutines"
	       : kind == KIND_GCLOG	 ? "gclog"
	       : kind == KIND_ESCAPE	 ? "escape"
	       : kind == KIND_LINT	 ? "lint"
					 : "log";
}

/* Nothing is read of it, and the report says why. */
static struct err *note(struct mix *m, const char *name, const char *kind, const char *why)
{
	struct join_file f = { .name = name, .note = why, .note_kind = kind };

	m->notes++;
	return push(m, f, NULL);
}

static struct err *read_pprof(struct mix *m, const char *path, const char *name)
{
	_cleanup_(input_closep) struct input *in = NULL;
	struct join_file f = { .name = name };
	struct pprof *p = NULL;
	struct err *err = input_file(path, name, &in);

	if (!err)
		err = pprof_read_some(in, PPROF_KEEP_STACKS, &p);
	f.pprof = p;
	return push(m, f, err);
}

static struct err *read_gclog(struct mix *m, const char *path, const char *name)
{
	_cleanup_(input_closep) struct input *in = NULL;
	struct gclog *g = zalloc(1, sizeof(*g));
	struct join_file f = { .name = name, .gclog = g };
	struct err *err = g ? input_file(path, name, &in) : &err_nomem;

	if (!err)
		err = gclog_read(in, g);
	if (!err && !g->streams.n) { /* cut lines alone: the others say that nothing was found */
		file_deinit(&f);
		return NULL;
	}
	return push(m, f, err);
}

/* One row of dumps for all files of them. */
static struct err *read_gotext(struct mix *m, const char *path, const char *name, uint64_t dump)
{
	_cleanup_(input_closep) struct input *in = NULL;
	struct err *err = input_file(path, name, &in);

	if (!err && m->gotext == SIZE_MAX) {
		struct join_file f = { .name = name };
		struct gotext *g = NULL;

		err = gotext_create((size_t)dump, &g);
		f.gotext = g;
		err = push(m, f, err);
		m->gotext = m->files.n - 1;
	} else if (!err) {
		m->files.v[m->gotext].name =
			keepf(&m->keep, "%s + %s", m->files.v[m->gotext].name, name);
	}
	return err ? err : gotext_feed(ours(m->files.v[m->gotext].gotext), in);
}

static struct err *read_escape(struct mix *m, const char *path, const char *name)
{
	struct join_file f = { .name = name };
	struct escape *e = NULL;
	struct err *err = evid_read_escape(path, &e);

	f.escape = e;
	return push(m, f, err);
}

static struct err *read_lint(struct mix *m, const char *path, const char *name)
{
	struct join_file f = { .name = name };
	struct lint *l = NULL;
	struct err *err = evid_read_lint(path, &l);

	f.lint = l;
	return push(m, f, err);
}

/* What a text holds besides what it begins with. */
static struct err *look_through(const char *path, enum kind kind, unsigned *ret)
{
	_cleanup_(input_closep) struct input *in = NULL;
	struct err *err = input_file(path, path, &in);

	if (!err)
		err = sniff(in, SNIFF_BYTES, ret);
	if (err)
		return err;
	*ret |= kind == KIND_GOROUTINES ? SNIFF_GOROUTINES
		: kind == KIND_GCLOG	? SNIFF_GCLOG
		: kind == KIND_ESCAPE	? SNIFF_ESCAPE
		: kind == KIND_LINT	? SNIFF_LINT
					: 0;
	return NULL;
}

/*
 * A line that looked like part of such a report is no reason to refuse what the file is: of one
 * that has nothing else of it nothing is said, of one that is too large that it was not read.
 */
static struct err *or_note(struct mix *m, const char *name, enum kind is, enum kind read,
			   struct err *err)
{
	const char *why;

	if (!err || is == read || (err->code != ERR_BAD_DATA && err->code != ERR_LIMIT))
		return err;
	why = err->code == ERR_LIMIT ? keepf(&m->keep, "not read: %s", err->msg) : NULL;
	err_free(err);
	return why ? note(m, name, word_of(read), why) : NULL;
}

static struct err *read_text(const struct args *a, unsigned i, enum kind kind, struct mix *m)
{
	const char *path = a->arg[i], *name = name_of(a, i);
	unsigned found = 0;
	struct err *err = kind == KIND_UNKNOWN ? evidence_no_page(path) : NULL;

	if (!err)
		err = look_through(path, kind, &found);

	if (!err && (found & SNIFF_GCLOG))
		err = read_gclog(m, path, name);
	if (!err && (found & SNIFF_GOROUTINES))
		err = read_gotext(m, path, name, a->dump);
	if (!err && (found & SNIFF_ESCAPE))
		err = or_note(m, name, kind, KIND_ESCAPE, read_escape(m, path, name));
	if (!err && (found & SNIFF_LINT))
		err = or_note(m, name, kind, KIND_LINT, read_lint(m, path, name));
	if (!err && !found)
		err = err_unsupported(
			"%.200s: %s: neither a heap nor a profile, no goroutines, no lines of "
			"gctrace, and nothing of a compiler or a linter",
			path, kind_words(kind));
	return err;
}

static struct err *read_one(const struct args *a, unsigned i, enum kind kind, struct mix *m)
{
	const char *path = a->arg[i], *name = name_of(a, i);

	switch (kind) {
	case KIND_EMPTY:
		return note(m, name, "empty", "an empty file: it says nothing");
	case KIND_PROFILE:
		return read_pprof(m, path, name);
	case KIND_LINT:
	case KIND_GOROUTINES:
	case KIND_GCLOG:
	case KIND_ESCAPE:
	case KIND_UNKNOWN:
		return read_text(a, i, kind, m);
	default:
		return err_unsupported("%.200s: %s, which is no evidence of memory", path,
				       kind_words(kind));
	}
}

/* All dumps are fed: what they say by themselves. */
static struct err *finish_gotext(struct mix *m)
{
	struct join_file *f = m->gotext < m->files.n ? &m->files.v[m->gotext] : NULL;
	struct gotext_ask q = { .by = GROUP_STACK, .limit = 8, .values = ANS_VALUES_HASH };
	struct err *err;

	if (!f)
		return NULL;
	q.file = f->name;
	err = gotext_finish(ours(f->gotext));
	if (err)
		return err;
	f->said = zalloc(1, sizeof(*f->said));
	return f->said ? agg_gotext(f->gotext, &q, f->said) : &err_nomem;
}

static struct err *sum_up(struct mix_seen *x)
{
	_cleanup_(input_closep) struct input *in = NULL;
	struct err *err = x->summed ? NULL : input_file(x->path, x->path, &in);

	if (!err && in)
		err = sniff_sum(in, x->sum);
	x->summed = !err;
	return err;
}

static struct err *is_same(struct mix_seen *x, struct mix_seen *y, bool *ret)
{
	struct err *err;

	*ret = x->ino && x->ino == y->ino && x->dev == y->dev;
	if (*ret || x->kind != y->kind)
		return NULL;
	err = sum_up(x);
	if (!err)
		err = sum_up(y);
	*ret = !err && x->sum[0] == y->sum[0] && x->sum[1] == y->sum[1];
	return err;
}

/* Was it read already?  *ret_as: under which name; NULL: no. */
static struct err *see(struct mix *m, const char *path, const char *name, enum kind kind,
		       const char **ret_as)
{
	struct mix_seen x = { .path = path, .name = name, .kind = kind };
	struct stat st;
	bool same = false;

	*ret_as = NULL;
	if (!file_stat(path, &st)) {
		x.dev = (uint64_t)st.st_dev;
		x.ino = (uint64_t)st.st_ino;
	}
	for (size_t i = 0; i < m->seen.n; i++) {
		struct err *err = is_same(&m->seen.v[i], &x, &same);

		if (err || same) {
			*ret_as = m->seen.v[i].name;
			return err;
		}
	}
	return vec_push(&m->seen, x) ? NULL : &err_nomem;
}

static struct err *read_once(const struct args *a, unsigned i, enum kind kind, struct mix *m)
{
	const char *as = NULL, *name = name_of(a, i);
	struct err *err = kind == KIND_EMPTY ? NULL : see(m, a->arg[i], name, kind, &as);

	if (err || !as)
		return err ? err : read_one(a, i, kind, m);
	return note(m, name, word_of(kind),
		    keepf(&m->keep, "the same as %.200s: what it says was counted once", as));
}

static bool is_text(enum kind k)
{
	return k == KIND_GOROUTINES || k == KIND_GCLOG || k == KIND_ESCAPE || k == KIND_LINT ||
	       k == KIND_UNKNOWN;
}

/* One file that is no look: whoever opens it says what it is not. */
static struct err *read_lone(const struct args *a, enum kind kind, struct mix *m)
{
	unsigned found = 0;
	struct err *err = is_text(kind) ? look_through(a->arg[0], kind, &found) : NULL;

	return err || (!found && kind != KIND_PROFILE) ? err : read_one(a, 0, kind, m);
}

static struct err *take(const struct args *a, unsigned i, struct mix *m)
{
	struct kind_found k;
	struct err *err = evidence_kind(a, i, &k);

	if (err)
		return err;
	if (!is_look(k.kind))
		return a->nargs > 1 ? read_once(a, i, k.kind, m) : read_lone(a, k.kind, m);
	if (m->looked != MIX_NO_LOOK)
		return err_usage(
			"%.100s, %.100s: one look at a time; two are compared by `limpet diff "
			"OLD NEW`",
			a->arg[m->looked], a->arg[i]);
	m->looked = i;
	return NULL;
}

struct err *mix_read(const struct args *a, struct mix *ret)
{
	_cleanup_(mix_deinit) struct mix m = { .looked = MIX_NO_LOOK, .gotext = SIZE_MAX };
	struct err *err = NULL;

	for (unsigned i = 0; i < a->nargs && !err; i++)
		err = take(a, i, &m);
	if (!err)
		err = finish_gotext(&m);
	if (!err)
		err = keep_err(&m.keep);
	if (err)
		return err;
	if (m.looked == MIX_NO_LOOK && m.files.n == m.notes)
		m.looked = 0; /* whoever opens it says what it is not */
	*ret = m;
	m = (struct mix){ 0 };
	return NULL;
}
