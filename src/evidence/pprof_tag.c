/*
 * pprof_tag.c - filters by label.
 *
 * Each sample's labels are looked at as they are: values of labels are few a sample.
 */
#include "evidence/pprof_tag.h"

#include "base/str.h"
#include "evidence/pattern.h"
#include "evidence/pprof_pick.h"
#include "evidence/pprof_unit.h"

#include <ctype.h>
#include <errno.h>

enum { PATTERNS_MAX = 64 };

struct pprof_tag {
	const struct pprof *p;
	char *text;	 /* patterns point into it */
	const char *key; /* NULL: any */
	bool range, has_low, has_high;
	double low, high;
	const char *unit;
	char units[2][32];
	struct pattern *pattern[PATTERNS_MAX];
	size_t n;
	struct str buf;
};

void pprof_tag_free(struct pprof_tag *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++)
		pattern_free(t->pattern[i]);
	str_deinit(&t->buf);
	free(t->text);
	free(t);
}

/* "-12kb"; where it ends, NULL: there is none. */
static const char *number(const char *s, int64_t *ret, char unit[static 32])
{
	char *end;
	size_t n = 0;
	long long v;

	if (!isdigit((unsigned char)s[*s == '+' || *s == '-']))
		return NULL;
	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno)
		return NULL;
	while (isalpha((unsigned char)end[n]))
		n++;
	if (n >= 32)
		return NULL;
	memcpy(unit, end, n);
	unit[n] = 0;
	*ret = v;
	return end + n;
}

/* Is it a range?  Its ends are inclusive. */
static bool parse_range(struct pprof_tag *t, const char *s)
{
	int64_t v;
	const char *unit2 = NULL;

	t->has_low = *s != ':';
	s = number(s + !t->has_low, &v, t->units[0]);
	if (!s)
		return false;
	t->low = t->high = pprof_scale(v, t->units[0], t->units[0], &t->unit);
	if (!*s || !t->has_low) {
		t->has_high = true;
		return !*s;
	}
	if (*s++ != ':')
		return false;
	t->has_high = *s;
	if (!*s)
		return true;
	s = number(s, &v, t->units[1]);
	if (!s || *s)
		return false;
	t->high = pprof_scale(v, t->units[1], t->unit, &unit2);
	return !strcmp(t->unit, unit2);
}

static struct err *parse_patterns(struct pprof_tag *t, const char *what, char *s)
{
	struct err *err = NULL;

	for (char *next; s && !err; s = next) {
		next = strchr(s, ',');
		if (next)
			*next++ = 0;
		if (t->n == PATTERNS_MAX)
			return err_usage("%s: more than %d expressions", what, PATTERNS_MAX);
		err = pattern_create(what, s, &t->pattern[t->n]);
		t->n += !err;
	}
	return err;
}

struct err *pprof_tag_create(const struct pprof *p, const char *what, const char *text,
			     struct pprof_tag **ret)
{
	_cleanup_(pprof_tag_freep) struct pprof_tag *t = NULL;
	struct err *err = NULL;
	char *value;

	if (!text || !*text)
		return NULL;
	t = zalloc(1, sizeof(*t));
	if (t)
		t->text = strdup(text);
	if (!t || !t->text)
		return &err_nomem;
	t->p = p;
	value = strchr(t->text, '=');
	if (value) {
		*value++ = 0;
		t->key = *t->text ? t->text : NULL;
	} else {
		value = t->text;
	}
	t->range = parse_range(t, value);
	if (!t->range)
		err = parse_patterns(t, what, value);
	if (err)
		return err;
	*ret = STEAL(t);
	return NULL;
}

const char *pprof_label_unit(const struct pprof *p, const struct pprof_label *l)
{
	const char *key = pprof_text(p, l->key), *unit = pprof_text(p, l->unit);

	if (*unit)
		return unit;
	return !strcmp(key, "alignment") || !strcmp(key, "request") ? "bytes" : key;
}

static bool in_range(const struct pprof_tag *t, const struct pprof_label *l)
{
	const char *unit;
	double v = pprof_scale(l->num, pprof_label_unit(t->p, l), t->unit, &unit);

	return !strcmp(unit, t->unit) && (!t->has_low || v >= t->low) &&
	       (!t->has_high || v <= t->high);
}

static bool matches_value(struct pprof_tag *t, struct pattern *r, const struct pprof_label *l)
{
	t->buf.n = 0;
	if (!t->key)
		str_printf(&t->buf, "%s:", pprof_text(t->p, l->key));
	str_put(&t->buf, pprof_text(t->p, l->text));
	return str_ok(&t->buf) && pattern_matches(r, t->buf.s);
}

static bool any_label(struct pprof_tag *t, const struct pprof_walk *s, struct pattern *r)
{
	for (uint32_t i = 0; i < s->nlabels; i++) {
		const struct pprof_label *l = &t->p->labels.v[s->first_label + i];

		if (t->key && strcmp(t->key, pprof_text(t->p, l->key)) != 0)
			continue;
		if (r ? l->text && matches_value(t, r, l) : !l->text && in_range(t, l))
			return true;
	}
	return false;
}

bool pprof_tag_matches(struct pprof_tag *t, const struct pprof_walk *s)
{
	size_t found = 0;

	if (t->range)
		return any_label(t, s, NULL);
	for (size_t i = 0; i < t->n; i++)
		found += any_label(t, s, t->pattern[i]);
	return t->key ? found > 0 : found == t->n;
}

struct err *pprof_tag_err(const struct pprof_tag *t)
{
	struct err *err = t->buf.bad ? &err_nomem : NULL;

	for (size_t i = 0; i < t->n && !err; i++)
		err = pattern_err(t->pattern[i]);
	return err;
}
