/*
 * find.c - runs the detectors one after the other and keeps what they say.
 *
 * Knows no kind.
 */
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

static bool can_run(const struct find *f, const struct detector *d)
{
	if ((d->needs & FIND_NEEDS_RUNTIME) && f->l.s->dump)
		return false;
	return !(d->needs & FIND_NEEDS_MEMORY) || f->memory;
}

struct err *find_run(struct find *f)
{
	f->l.keep = &f->keep;
	for (size_t i = 0; detectors[i]; i++) {
		struct err *err;

		if (!can_run(f, detectors[i]))
			continue;
		f->running = detectors[i];
		err = detectors[i]->run(f);
		if (err)
			return err_prefix(err, "%s", detectors[i]->name);
	}
	find_rank(f);
	return keep_err(&f->keep);
}

void find_deinit(struct find *f)
{
	vec_free(&f->found);
	keep_deinit(&f->keep);
}

unsigned find_go_minor(const struct find *f)
{
	const char *v = f->l.s->go->version;

	return strncmp(v, "go1.", 4) ? 0 : (unsigned)strtoul(v + 4, NULL, 10);
}
