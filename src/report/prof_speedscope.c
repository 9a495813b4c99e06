/*
 * prof_speedscope.c - a profile in speedscope's own file format: JSON, a profile each value.
 *
 * Source: the format's schema (its name is in each file), type SampledProfile.  A frame is a
 * function and a line of it, outermost first; what has a value that is not above 0 is left out, for
 * weights cannot be negative.  Memory: the text.
 */
#include "report/json.h"
#include "report/prof.h"

#include <stdio.h>

/* Frame numbers: lines of the profile, behind them locations that have none. */
static void put_frames(struct jw *j, const struct pprof *p)
{
	char hex[24];

	for (size_t i = 0; i < p->lines.n; i++) {
		const struct pprof_line *l = &p->lines.v[i];
		const struct pprof_function *f =
			l->function == PPROF_NONE ? NULL : &p->functions.v[l->function];
		const char *name = f ? pprof_text(p, f->name) : "";

		jw_object(j);
		jw_kv_text(j, "name", *name ? name : "(unknown)");
		if (f && *pprof_text(p, f->file))
			jw_kv_text(j, "file", pprof_text(p, f->file));
		if (l->line > 0)
			jw_kv_i64(j, "line", l->line);
		jw_end(j, '}');
	}
	for (size_t i = 0; i < p->locations.n; i++) {
		snprintf(hex, sizeof(hex), "0x%" PRIx64, p->locations.v[i].address);
		jw_object(j);
		jw_kv_text(j, "name", hex);
		jw_end(j, '}');
	}
}

static void put_stack(struct jw *j, const struct pprof *p, uint32_t leaf, uint32_t *nodes)
{
	size_t n = 0;

	for (uint32_t s = leaf; s != PPROF_NONE; s = p->stacks.v[s].parent)
		nodes[n++] = p->stacks.v[s].location;
	jw_array(j);
	while (n) {
		const struct pprof_location *l = &p->locations.v[nodes[--n]];

		for (uint32_t k = l->nlines; k > 0; k--)
			jw_u64(j, l->first_line + k - 1);
		if (!l->nlines)
			jw_u64(j, p->lines.n + nodes[n]);
	}
	jw_end(j, ']');
}

/* What the schema has: none, nanoseconds, microseconds, milliseconds, seconds, bytes. */
static const char *unit_of(const struct pprof *p, size_t value)
{
	static const char *const known[] = { "nanoseconds", "microseconds", "milliseconds",
					     "seconds", "bytes" };
	const char *unit = pprof_text(p, p->types.v[value].unit);

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (!strcmp(unit, known[i]))
			return known[i];
	return "none";
}

static void put_profile(struct jw *j, const struct pprof *p, size_t value, uint32_t *nodes)
{
	struct pprof_walk w = { 0 };
	int64_t sum = 0;

	jw_object(j);
	jw_kv_text(j, "type", "sampled");
	jw_kv_text(j, "name", pprof_text(p, p->types.v[value].type));
	jw_kv_text(j, "unit", unit_of(p, value));
	jw_kv_i64(j, "startValue", 0);
	jw_key(j, "samples");
	jw_array(j);
	while (pprof_next(p, &w))
		if (w.values[value] > 0)
			put_stack(j, p, w.stack, nodes);
	jw_end(j, ']');
	jw_key(j, "weights");
	jw_array(j);
	for (w = (struct pprof_walk){ 0 }; pprof_next(p, &w);)
		if (w.values[value] > 0) {
			jw_i64(j, w.values[value]);
			sum = (int64_t)((uint64_t)sum + (uint64_t)w.values[value]);
		}
	jw_end(j, ']');
	jw_kv_i64(j, "endValue", sum);
	jw_end(j, '}');
}

struct err *prof_speedscope(const struct pprof *p, unsigned value, struct str *o)
{
	/* no stack is longer than there are nodes */
	_cleanup_(freep) uint32_t *nodes = zalloc(p->stacks.n + 1, sizeof(*nodes));
	struct jw j;

	if (!nodes)
		return &err_nomem;
	jw_init(&j, o);
	jw_object(&j);
	jw_kv_text(&j, "$schema", /* by this its readers know it */
		   "https://"
		   "www.speedscope.app/file-format-schema.json");
	jw_kv_text(&j, "exporter", "limpet " LIMPET_VERSION);
	jw_kv_text(&j, "name", p->name ? p->name : "");
	jw_kv_u64(&j, "activeProfileIndex", value);
	jw_key(&j, "shared");
	jw_object(&j);
	jw_key(&j, "frames");
	jw_array(&j);
	put_frames(&j, p);
	jw_end(&j, ']');
	jw_end(&j, '}');
	jw_key(&j, "profiles");
	jw_array(&j);
	for (size_t i = 0; i < p->types.n; i++)
		put_profile(&j, p, i, nodes);
	jw_end(&j, ']');
	jw_end(&j, '}');
	str_put(o, "\n");
	return NULL;
}
