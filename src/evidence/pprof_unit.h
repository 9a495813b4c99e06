/*
 * pprof_unit.h - figures of a profile as `go tool pprof` prints them: "1.50MB", " 4.31%".
 *
 * Units are words of a file ("bytes", "nanoseconds", "count"); what is not known is printed behind
 * the figure as it is.  Out units: "minimum" and "auto" choose by the figure itself.
 *
 * Source: internal/measurement/measurement.go, internal/report/report.go (selectOutputUnit) of
 * google/pprof.
 */
#ifndef LIMPET_EVIDENCE_PPROF_UNIT_H
#define LIMPET_EVIDENCE_PPROF_UNIT_H

#include <stddef.h>
#include <stdint.h>

enum { PPROF_VALUE_MAX = 400 }; /* bytes of a figure with its unit */

/* v, of unit from, in unit to; *ret_unit: its short name, static or to itself, "": none. */
double pprof_scale(int64_t v, const char *from, const char *to, const char **ret_unit);
/* buf is returned. */
char *pprof_value(char buf[static PPROF_VALUE_MAX], int64_t v, const char *from, const char *to);
/* Always 6 columns or more: "  100%", " 4.31%", " 0.05%". */
char *pprof_percent(char buf[static 16], int64_t v, int64_t total);

/*
 * The unit of a table: least is the smallest figure in it that is not 0 (0: there is none), most
 * their total.  Borrowed from unit, or static.
 */
const char *pprof_unit_for(int64_t least, int64_t most, const char *unit);

/* Figures may be anything: sums wrap around, as pprof's do. */
static inline int64_t pprof_plus(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t pprof_abs(int64_t v)
{
	return v < 0 ? (int64_t)(0 - (uint64_t)v) : v;
}

#endif
