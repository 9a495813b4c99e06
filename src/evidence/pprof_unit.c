/*
 * pprof_unit.c - units of pprof: bytes by 1024, times, and a unit of Google's own computers.
 *
 * Knows no profile.  Two digits behind the point, and none where they are zeros.
 * Source: internal/measurement/measurement.go of google/pprof.
 */
#include "evidence/pprof_unit.h"

#include "base/mem.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

struct unit {
	const char *name;
	const char *alias[4];
	double factor;
};

enum { UNITS_MAX = 9 };

static const struct unit_type {
	struct unit usual; /* what nothing else fits */
	struct unit unit[UNITS_MAX];
} types[] = {
	{ { "B", { "b", "byte" }, 1 },
	  { { "B", { "b", "byte" }, 1 },
	    { "kB", { "kb", "kbyte", "kilobyte" }, 0x1p10 },
	    { "MB", { "mb", "mbyte", "megabyte" }, 0x1p20 },
	    { "GB", { "gb", "gbyte", "gigabyte" }, 0x1p30 },
	    { "TB", { "tb", "tbyte", "terabyte" }, 0x1p40 },
	    { "PB", { "pb", "pbyte", "petabyte" }, 0x1p50 } } },
	{ { "s", { NULL }, 1e9 },
	  { { "ns", { "ns", "nanosecond" }, 1 },
	    { "us", { "\xce\xbcs", "us", "microsecond" }, 1e3 },
	    { "ms", { "ms", "millisecond" }, 1e6 },
	    { "s", { "s", "sec", "second" }, 1e9 },
	    { "hrs", { "hour", "hr" }, 3600e9 } } },
	{ { "GCU", { NULL }, 1 },
	  { { "n*GCU", { "nanogcu" }, 1e-9 },
	    { "u*GCU", { "microgcu" }, 1e-6 },
	    { "m*GCU", { "milligcu" }, 1e-3 },
	    { "GCU", { "gcu" }, 1 },
	    { "k*GCU", { "kilogcu" }, 1e3 },
	    { "M*GCU", { "megagcu" }, 1e6 },
	    { "G*GCU", { "gigagcu" }, 1e9 },
	    { "T*GCU", { "teragcu" }, 1e12 },
	    { "P*GCU", { "petagcu" }, 1e15 } } },
};

/* "Bytes", "byte", "B": small letters, and no "s" at the end of what is longer than two. */
static const struct unit *find(const struct unit_type *t, const char *word)
{
	char low[24];
	size_t n = strlen(word);

	if (n >= sizeof(low))
		return NULL;
	for (size_t i = 0; i <= n; i++)
		low[i] = (char)((unsigned char)word[i] < 0x80 ? tolower((unsigned char)word[i])
							      : word[i]);
	if (n > 2 && low[n - 1] == 's')
		low[n - 1] = 0;
	for (size_t i = 0; i < UNITS_MAX && t->unit[i].name; i++)
		for (size_t a = 0; a < ARRAY_LEN(t->unit[i].alias) && t->unit[i].alias[a]; a++)
			if (!strcmp(t->unit[i].alias[a], low))
				return &t->unit[i];
	return NULL;
}

static bool chooses(const char *to)
{
	return !strcmp(to, "minimum") || !strcmp(to, "auto");
}

/* The largest unit of which there is at least one. */
static const struct unit *largest(const struct unit_type *t, double v)
{
	const struct unit *best = NULL;

	for (size_t i = 0; i < UNITS_MAX && t->unit[i].name; i++)
		if (v / t->unit[i].factor >= 1.0 && (!best || t->unit[i].factor >= best->factor))
			best = &t->unit[i];
	return best;
}

double pprof_scale(int64_t v, const char *from, const char *to, const char **ret_unit)
{
	static const char *const plain[] = { "count", "sample", "unit", "minimum", "auto" };

	if (v < 0 && v != INT64_MIN)
		return -pprof_scale(-v, from, to, ret_unit);
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const struct unit *f = find(&types[i], from), *u;
		double base;

		if (!f)
			continue;
		base = (double)v * f->factor;
		u = chooses(to) ? largest(&types[i], base) : find(&types[i], to);
		if (!u)
			u = &types[i].usual;
		*ret_unit = u->name;
		return base / u->factor;
	}
	*ret_unit = to;
	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (!strcmp(to, plain[i]))
			*ret_unit = "";
	return (double)v;
}

char *pprof_value(char buf[static PPROF_VALUE_MAX], int64_t v, const char *from, const char *to)
{
	const char *unit;
	double x = pprof_scale(v, from, to, &unit);
	int n = snprintf(buf, PPROF_VALUE_MAX, "%.2f", x);

	if (n > 3 && !strcmp(buf + n - 3, ".00"))
		buf[n -= 3] = 0;
	if (!strcmp(buf, "0") || !strcmp(buf, "-0")) {
		strcpy(buf, "0");
		return buf;
	}
	snprintf(buf + n, PPROF_VALUE_MAX - (size_t)n, "%.40s", unit);
	return buf;
}

char *pprof_percent(char buf[static 16], int64_t v, int64_t total)
{
	double ratio = total ? fabs((double)v / (double)total) * 100 : 0;

	if (ratio >= 99.95 && ratio <= 100.05)
		snprintf(buf, 16, "  100%%");
	else if (ratio >= 1.0)
		snprintf(buf, 16, "%5.2f%%", ratio < 1e9 ? ratio : 1e9);
	else
		snprintf(buf, 16, "%5.2g%%", ratio);
	return buf;
}

const char *pprof_unit_for(int64_t least, int64_t most, const char *unit)
{
	const char *min_unit, *max_unit, *u;

	if (!least)
		least = most;
	pprof_scale(least, unit, "minimum", &min_unit);
	pprof_scale(most, unit, "minimum", &max_unit);
	u = min_unit;
	/* Of different units, far apart: so that the least becomes 0.01 of one. */
	if (strcmp(min_unit, max_unit) != 0 && (int64_t)((uint64_t)least * 100) < most)
		pprof_scale((int64_t)((uint64_t)least * 100), unit, "minimum", &u);
	return *u ? u : unit;
}
