/*
 * find.c - runs the detectors one after the other and keeps what they say.
 *
 * Knows no kind.
 */
#include "base/clock.h"
#include "find/content.h"
#include "find/liveness.h"
#include "find/look_limits.h"
#include "find/priv.h"

const char *find_verdict_word(uint8_t verdict)
{
	static const char *const words[] = { "leak", "suspect", "waste", "info" };

	return verdict < ARRAY_LEN(words) ? words[verdict] : "info";
}

const char *find_proof_word(uint8_t proof)
{
	static const char *const words[] = { "proved", "measured", "inferred" };

	return proof < ARRAY_LEN(words) ? words[proof] : "inferred";
}

static void no_null(const char **text)
{
	if (!*text)
		*text = "";
}

struct err *find_say(struct find *f, const struct finding *x)
{
	struct finding y = *x;

	if (!y.kind)
		y.kind = f->running->name;
	no_null(&y.title);
	no_null(&y.key);
	no_null(&y.fix);
	no_null(&y.mitigate);
	no_null(&y.decide);
	no_null(&y.confirm);
	no_null(&y.detail);
	if (!y.type)
		y.type = look_type_name(&f->l, y.node);
	find_sign(&y);
	return vec_push(&f->found, y) ? NULL : &err_nomem;
}

static const char *cannot_run(const struct find *f, const struct detector *d)
{
	if ((d->needs & FIND_NEEDS_RUNTIME) && f->l.s->dump)
		return "a heap dump does not say it: needs the live process or a core";
	if ((d->needs & FIND_NEEDS_MEMORY) && !f->memory)
		return "the memory of the process is not known";
	return NULL;
}

static struct err *run_one(struct find *f, const struct detector *d)
{
	struct find_cost c = { .detector = d, .skipped = cannot_run(f, d) };
	uint64_t begun = clock_ns();
	struct err *err = NULL;

	f->running = d;
	if (!c.skipped)
		err = err_prefix(d->run(f), "%s", d->name);
	c.ns = clock_ns() - begun;
	if (!err && !vec_push(&f->costs, c))
		err = &err_nomem;
	return err;
}

struct err *find_run(struct find *f)
{
	struct err *err = NULL;

	f->l.keep = &f->keep;
	if (!f->l.index)
		f->l.index = look_index_create();
	if (!f->l.index)
		return &err_nomem;
	for (size_t i = 0; detectors[i] && !err; i++)
		err = run_one(f, detectors[i]);
	if (err)
		return err;
	err = find_unite(f); /* first, for what is compared with the sum must be the sum */
	if (err)
		return err;
	find_compare(f);
	err = find_rank(f);
	return err ? err : keep_err(&f->keep);
}

uint64_t find_least_bytes(const struct find *f)
{
	return MAX(1ULL << 20, f->l.g->reached_bytes / 100);
}

struct err *find_limits(struct find *f, const struct look_limits **ret)
{
	if (!f->limits) {
		struct look_limits *x = zalloc(1, sizeof(*x));
		struct err *err = x ? look_limits(&f->l, x) : &err_nomem;

		if (err) {
			free(x);
			return err;
		}
		f->limits = x;
	}
	*ret = f->limits;
	return NULL;
}

struct err *find_liveness(struct find *f, const struct liveness **ret)
{
	if (!f->liveness) {
		struct liveness *v = zalloc(1, sizeof(*v));
		struct err *err = v ? liveness_create(&f->l, v) : &err_nomem;

		if (err) {
			free(v);
			return err;
		}
		f->liveness = v;
	}
	*ret = f->liveness;
	return NULL;
}

void find_deinit(struct find *f)
{
	if (f->limits)
		look_limits_deinit(f->limits);
	free(f->limits);
	if (f->liveness)
		liveness_deinit(f->liveness);
	free(f->liveness);
	vec_free(&f->found);
	vec_free(&f->costs);
	look_index_free(f->l.index);
	f->l.index = NULL;
	content_free(f->content);
	keep_deinit(&f->keep);
}

unsigned find_go_minor(const struct find *f)
{
	const char *v = f->l.s->go->version;

	return strncmp(v, "go1.", 4) ? 0 : (unsigned)strtoul(v + 4, NULL, 10);
}

const char *find_duration(struct find *f, uint64_t ns)
{
	uint64_t s = ns / 1000000000;

	if (s >= 7200)
		return keepf(&f->keep, "%" PRIu64 " hours", s / 3600);
	return s >= 120 ? keepf(&f->keep, "%" PRIu64 " minutes", s / 60)
			: keepf(&f->keep, "%" PRIu64 " s", s);
}
