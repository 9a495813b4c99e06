/*
 * sampling.c - the rate of allocation samples, written from outside.
 *
 * Cost in the program: a stack's walk in so many bytes of allocation (docs/check.md has figures).
 */
#include "watch/sampling.h"

#include "target/poke.h"
#include "watch/pulse_priv.h"

struct sampling {
	struct poke *k;
};

struct err *sampling_begin(pid_t pid, struct pulse_reader *x, uint64_t rate, struct sampling **ret)
{
	struct poke_plan plan = { .usual = 0, .meanwhile = rate };
	struct nudge_point p;
	struct err *err = pulse_point(x, &p);
	struct sampling *s;

	if (err || !p.profile_rate || p.profile_value)
		return err;
	s = zalloc(1, sizeof(*s));
	if (!s)
		return &err_nomem;
	plan.at = p.profile_rate;
	err = poke_start(pid, &plan, &s->k);
	if (!err)
		err = poke_set(s->k, POKE_MEANWHILE);
	if (err) {
		sampling_end(s);
		return err;
	}
	*ret = s;
	return NULL;
}

void sampling_end(struct sampling *s)
{
	if (s)
		poke_end(s->k);
	free(s);
}
