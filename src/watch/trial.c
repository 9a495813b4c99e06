/*
 * trial.c - begin, rounds as the judge asks for them, end.
 *
 * Cost: the load's own time; a look and a judgement a round.
 */
#include "watch/trial_priv.h"

#include "watch/judge_priv.h"

#include <math.h>

#define NS_S UINT64_C(1000000000)

void trial_opts_init(struct trial_opts *o)
{
	*o = (struct trial_opts){
		.name = "",
		.suite = "",
		.ready = { .timeout_ns = 30 * NS_S },
		.warmup = 1,
		.every_ns = 2 * NS_S,
		.max_ns = 110 * NS_S,
		.load_ns = 60 * NS_S,
		.settle_ns = 5 * NS_S,
		.stop_ns = 5 * NS_S,
		.growth = { .max_growth_bytes = UINT64_MAX,
			    .max_growth_share = -1,
			    .max_goroutines = UINT64_MAX },
		.copy_fd = -1,
	};
	for (size_t i = 0; i < TRIAL_LIMITS; i++)
		o->limits[i].value = o->limits[i].share = NAN;
}

static bool soaks(const struct trial *t)
{
	return t->o->duration_ns && clock_ns() - t->began_ns < t->o->duration_ns;
}

/* What a load takes, so far. */
static uint64_t load_ns(const struct trial *t, uint64_t *ret_loads)
{
	uint64_t ns = 0, n = 0;

	for (size_t i = 0; i < t->looks.n; i++) {
		ns += t->looks.v[i].load_ns;
		n += t->looks.v[i].loads;
	}
	*ret_loads = MAX(n, 1);
	return ns / *ret_loads;
}

/* Behind a soak the judge may still ask for a rest, and for nothing that is longer. */
static uint64_t left_for_rest(const struct trial *t)
{
	uint64_t n, look = 0;

	for (size_t i = 1; i < t->looks.n; i++) {
		const struct trial_look *l = &t->looks.v[i];

		look = MAX(look, l->at_ns - l[-1].at_ns - MIN(l->load_ns, l->at_ns - l[-1].at_ns));
	}
	return REST_SECONDS * 1000000000ULL + load_ns(t, &n) + look;
}

static uint64_t left(const struct trial *t)
{
	uint64_t gone = clock_ns() - t->began_ns, max = t->o->max_ns;

	if (t->o->duration_ns)
		return soaks(t) ? UINT64_MAX : left_for_rest(t);
	return max == UINT64_MAX ? max : max > gone ? max - gone : 0;
}

static void tell_rounds(const struct trial *t, struct judge_rounds *r)
{
	*r = (struct judge_rounds){ .n = t->looks.n - 1, .left_ns = left(t) };
	r->max = t->o->repeat ? t->o->repeat : t->o->duration_ns ? JUDGE_ROUNDS - 1 : 0;
	for (size_t i = 0; i < t->looks.n; i++) {
		r->loads[i] = t->looks.v[i].loads;
		r->rest_ns[i] = t->looks.v[i].rest_ns;
		r->load_ns[i] = t->looks.v[i].load_ns;
		r->at_ns[i] = t->looks.v[i].at_ns;
	}
}

static struct err *ask_judge(struct trial *t, struct series *s, struct judgement *ret)
{
	_cleanup_(freep) struct series_look *looks = zalloc(t->looks.n, sizeof(*looks));
	_cleanup_(freep) struct judge_rounds *r = zalloc(1, sizeof(*r));
	struct err *err = looks && r ? NULL : &err_nomem;

	for (size_t i = 0; !err && i < t->looks.n; i++)
		looks[i] = (struct series_look){ t->looks.v[i].fd, &t->looks.v[i].sight };
	if (!err)
		err = series_create(looks, t->looks.n, s);
	if (err)
		return err_prefix(err, "comparing the looks");
	tell_rounds(t, r);
	return judge(s->v.v, s->v.n, r, &t->o->growth, ret);
}

/* A soak: as often again as before, as always; the last time it is all that there is time for. */
static struct err *soak_round(struct trial *t)
{
	uint64_t gone = clock_ns() - t->began_ns, n;
	uint64_t load = load_ns(t, &n), time = t->o->duration_ns - MIN(gone, t->o->duration_ns);
	uint64_t fits = load ? time / load : n;

	if (fits < 2 * n)
		n = MAX(fits, 1);
	return trial_load(t, (uint32_t)MIN(n, (uint64_t)1000000));
}

static struct err *next_round(struct trial *t, const struct judge_next *n)
{
	struct err *err;

	if (soaks(t))
		err = soak_round(t);
	else if (n->what == JUDGE_REST)
		err = trial_rest(t, n->rest_ns, n->loads);
	else
		err = trial_load(t, MAX(n->loads, 1U));
	if (!err && !t->broken)
		err = trial_look(t);
	return err;
}

/* Is there another round to come? */
static bool goes_on(const struct trial *t, const struct judgement *j)
{
	if (t->broken || t->looks.n >= JUDGE_ROUNDS)
		return false;
	if (t->o->duration_ns)
		return soaks(t) || j->next.what == JUDGE_REST;
	if (t->o->repeat && t->looks.n - 1 >= t->o->repeat)
		return false;
	return j->next.what != JUDGE_DONE;
}

static void settle_result(struct trial *t, const struct judgement *j)
{
	bool over = false;

	for (size_t i = 0; i < t->a->limits.n; i++)
		over = over || t->a->limits.v[i].broken;
	t->a->sure = j->sure;
	t->a->more = j->more;
	t->a->why = keepf(t->keep, "%s", j->why ? j->why : "");
	t->a->result = j->verdict == JUDGE_GROWS    ? CHECK_FAILED
		       : j->verdict == JUDGE_UNSURE ? CHECK_UNSURE
						    : CHECK_PASSED;
	if (over && t->a->result != CHECK_FAILED) {
		t->a->result = CHECK_FAILED;
		t->a->why = keepf(t->keep, "a limit is broken; %s", t->a->why);
	}
}

static struct err *conclude(struct trial *t, const struct series *s, const struct judgement *j)
{
	struct err *err = trial_rounds(t, s);

	if (!err)
		err = trial_limits(t);
	if (!err)
		err = trial_rows(t, j);
	if (!err)
		settle_result(t, j);
	return err;
}

static struct err *rounds(struct trial *t)
{
	_cleanup_(judgement_deinit) struct judgement j = { 0 };
	_cleanup_(series_deinit) struct series s = { 0 };
	struct err *err = trial_load(t, t->o->warmup);

	if (!err && !t->broken)
		err = trial_look(t);
	while (!err && !t->broken) {
		judgement_deinit(&j);
		series_deinit(&s);
		j = (struct judgement){ 0 };
		s = (struct series){ 0 };
		err = ask_judge(t, &s, &j);
		if (err || !goes_on(t, &j))
			break;
		err = next_round(t, &j.next);
	}
	return err || t->broken ? err : conclude(t, &s, &j);
}

static void blank(const struct trial_opts *o, struct keep *keep, struct ans_check *a)
{
	*a = (struct ans_check){ .name = keepf(keep, "%s", o->name),
				 .suite = keepf(keep, "%s", o->suite),
				 .why = "",
				 .output = "",
				 .exit_status = -1 };
}

struct err *trial_run(const struct trial_opts *o, const struct host *h, struct keep *keep,
		      struct ans_check *ret)
{
	struct ans_check a;
	struct trial t = { .o = o,
			   .h = h,
			   .keep = keep,
			   .a = &a,
			   .began_ns = clock_ns(),
			   .note = "",
			   .log_fd = -1 };
	struct err *err;

	blank(o, keep, &a);
	err = trial_begin(&t);
	if (!err && !t.broken)
		err = rounds(&t);
	trial_end(&t);
	if (o->argv && child_end_all())
		a.why = keepf(keep, "%s; processes that it had started could not be ended", a.why);
	a.rounds = (unsigned)a.round.n;
	a.ns = clock_ns() - t.began_ns;
	if (!err)
		err = keep_err(keep);
	if (err) {
		ans_check_deinit(&a);
		return err;
	}
	*ret = a;
	return NULL;
}
