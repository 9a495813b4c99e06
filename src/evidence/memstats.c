/*
 * memstats.c - "Alloc = 3258000", line by line.
 */
#include "evidence/memstats.h"

#include "base/err.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

enum { NAME_MAX_BYTES = 32, STATS_MAX = 128, PAUSES = 256 };

static struct err *put(struct pprof *p, const char *name, const char *part, int64_t value)
{
	char full[NAME_MAX_BYTES + 16];

	if (p->memstats.n >= STATS_MAX)
		return NULL;
	snprintf(full, sizeof(full), "%s%s", name, part);
	return vec_push(&p->memstats, (struct pprof_memstat){ pprof_add_word(p, full), value })
		       ? NULL
		       : &err_nomem;
}

/* "[205263 28291 0 …]" */
static struct err *put_ring(struct pprof_ring *r, const char *s)
{
	char *end;

	r->ns.n = 0;
	for (unsigned i = 0; i < PAUSES; i++, s = end) {
		long long v = strtoll(s, &end, 10);

		if (end == s)
			break;
		if (!vec_push(&r->ns, (uint64_t)MAX(v, 0LL)))
			return &err_nomem;
	}
	return NULL;
}

static struct err *put_pauses(struct pprof *p, const char *s)
{
	int64_t n = 0, sum = 0, max = 0;
	struct err *err = put_ring(&p->pauses, s);

	if (err)
		return err;
	for (size_t i = 0; i < p->pauses.ns.n; i++) {
		int64_t v = (int64_t)p->pauses.ns.v[i];

		n += v > 0;
		sum += v < INT64_MAX / PAUSES ? v : 0;
		max = MAX(max, v);
	}
	err = put(p, "PauseNs", ".n", n);
	if (!err)
		err = put(p, "PauseNs", ".sum", sum);
	return err ? err : put(p, "PauseNs", ".max", max);
}

struct err *memstats_line(struct pprof *p, const char *s)
{
	size_t n = strcspn(s, " =");
	char name[NAME_MAX_BYTES];
	struct err *err;
	long long v, sys;
	char *end;

	if (!n || n >= sizeof(name) || strncmp(s + n, " = ", 3) != 0)
		return NULL;
	memcpy(name, s, n);
	name[n] = 0;
	s += n + 3;
	if (!strcmp(name, "PauseNs") && *s == '[')
		return put_pauses(p, s + 1);
	if (!strcmp(name, "PauseEnd") && *s == '[')
		return put_ring(&p->pause_ends, s + 1);
	if (!strcmp(name, "GCCPUFraction")) {
		double f = strtod(s, NULL);

		return put(p, name, "", f >= 0 && f <= 1 ? (int64_t)(f * 1e9) : 0);
	}
	errno = 0;
	v = strtoll(s, &end, 10);
	if (end == s || (errno && v != LLONG_MAX))
		return NULL;
	if (strncmp(end, " / ", 3) != 0)
		return put(p, name, "", v);
	sys = strtoll(end + 3, NULL, 10);
	err = put(p, name, ".inuse", v);
	return err ? err : put(p, name, ".sys", sys);
}

bool memstats_pause(const struct pprof *p, unsigned k, uint64_t *ns, uint64_t *end_ns)
{
	int64_t cycles;
	size_t at;

	if (!memstats_get(p, "NumGC", &cycles) || k >= PAUSES || (int64_t)k >= cycles)
		return false;
	at = (size_t)(cycles - 1 - (int64_t)k) % PAUSES;
	if (at >= p->pauses.ns.n || at >= p->pause_ends.ns.n)
		return false;
	*ns = p->pauses.ns.v[at];
	*end_ns = p->pause_ends.ns.v[at];
	return true;
}

bool memstats_get(const struct pprof *p, const char *name, int64_t *ret)
{
	for (size_t i = 0; i < p->memstats.n; i++)
		if (!strcmp(pprof_text(p, p->memstats.v[i].name), name)) {
			*ret = p->memstats.v[i].value;
			return true;
		}
	return false;
}
