/*
 * text_report.c - the report: a summary of a few lines, the findings, then tables.
 *
 * What a reader at night needs first stands first.  Knows no kind of finding.
 */
#include "report/answer_mix.h"

#include "report/answer_escape.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

/* Rounded down: 100.0 is all of them. */
static double share(uint64_t part, uint64_t whole)
{
	return (double)(uint64_t)(10 * percent(part, whole)) / 10;
}

static void put_line(struct str *o, const char *word, const struct str *line)
{
	str_printf(o, "%-8s", word);
	text_wrapped(o, str_ok(line) ? line->s : "", 8, 8);
}

/* A part that is there, with what stands before it. */
static void put_part(struct str *o, const char *before, uint64_t bytes, const char *after)
{
	char size[16];

	if (bytes && bytes != ANS_UNKNOWN)
		str_printf(o, "%s%s %s", before, str_bytes(size, bytes), after);
}

static void put_memory(struct str *o, const struct ans_report *a)
{
	const struct ans_memory *m = &a->memory;
	_cleanup_(str_deinit) struct str line = { 0 };
	char size[16];

	if (m->rss != ANS_UNKNOWN)
		str_printf(&line, "RSS %s: ", str_bytes(size, m->rss));
	str_printf(&line, "%s reachable in the Go heap", str_bytes(size, m->heap_live));
	put_part(&line, ", ", m->heap_garbage, "garbage");
	put_part(&line, ", ", m->heap_free, "free");
	put_part(&line, "; stacks ", m->stacks, "");
	if (line.n && line.s[line.n - 1] == ' ')
		line.s[--line.n] = 0;
	put_part(&line, "; ", m->off_heap, "outside of Go");
	for (size_t i = 0; i < m->lines.n; i++)
		if (!strcmp(m->lines.v[i].key, "cgroup_limit") && m->lines.v[i].bytes > 0)
			str_printf(&line, "; limit %s",
				   str_bytes(size, (uint64_t)m->lines.v[i].bytes));
	put_line(o, "memory", &line);
}

static size_t count_of(const struct ans_findings *a, size_t verdict)
{
	return a->counts[verdict][0] + a->counts[verdict][1] + a->counts[verdict][2];
}

/* "leak: 1 proved (goroutine-leak, 212 MiB)" */
static void put_leaks(struct str *o, const struct ans_findings *a)
{
	static const char *const proofs[] = { "proved", "measured", "inferred" };
	const char *between = "leak: ";
	char size[16];

	for (size_t p = 0; p < ARRAY_LEN(proofs); p++) {
		if (!a->counts[0][p])
			continue;
		str_printf(o, "%s%zu %s", between, a->counts[0][p], proofs[p]);
		between = ", ";
	}
	str_printf(o, " (%s%s, %s)", count_of(a, 0) > 1 ? "first: " : "", a->first_leak,
		   str_bytes(size, a->first_leak_bytes));
}

static void put_verdict(struct str *o, enum text_style st, const struct ans_findings *a)
{
	_cleanup_(str_deinit) struct str line = { 0 };
	static const char *const words[][2] = { { "leak", "leaks" },
						{ "suspect", "suspects" },
						{ "waste", "wastes" },
						{ "note", "notes" } };
	size_t leaks = a->first_leak ? count_of(a, 0) : 0;

	if (leaks)
		put_leaks(&line, a);
	else
		str_put(&line, "no leak found");
	for (size_t i = 1; i < ARRAY_LEN(words); i++) {
		size_t n = count_of(a, i);

		if (n)
			str_printf(&line, "; %zu %s", n, words[i][n > 1]);
	}
	if (a->ignored.n)
		str_printf(&line, "; %zu left out", a->ignored.n);
	if (st == TEXT_COLOR)
		str_put(o, leaks ? "\x1b[1;31m" : "\x1b[1;32m");
	put_line(o, "verdict", &line);
	if (st == TEXT_COLOR)
		str_put(o, "\x1b[0m");
}

static void put_named(struct str *o, const struct ans_exact *x, uint64_t conflicts)
{
	str_printf(o, "named   %.1f %% of bytes, %.1f %% of objects",
		   share(x->typed_bytes, x->reachable_bytes),
		   share(x->typed_objects, x->reachable_objects));
	if (conflicts)
		str_printf(o, "; %" PRIu64 " conflicting claims settled by evidence", conflicts);
	str_put(o, "\n");
}

static void put_not_run(struct str *o, const struct ans_findings *a)
{
	_cleanup_(str_deinit) struct str line = { 0 };
	const char *why = "";
	size_t n = 0;

	for (size_t i = 0; i < a->detectors.n; i++)
		if (a->detectors.v[i].skipped) {
			str_printf(&line, "%s%s", n++ ? ", " : "", a->detectors.v[i].name);
			why = a->detectors.v[i].skipped;
		}
	if (!n)
		return;
	str_printf(&line, ": %s", why);
	put_line(o, "not run", &line);
}

/* "since  before.core, 12 minutes and 4 collections ago: +36 MiB (180 MiB an hour); …" */
static void put_since(struct str *o, const struct ans_since *a)
{
	_cleanup_(str_deinit) struct str line = { 0 };
	char ns[2][32], size[2][16];

	if (!a->file)
		return;
	text_clean(&line, a->file);
	if (a->ns)
		str_printf(&line, ", %s earlier", text_ns(ns[0], a->ns));
	if (*a->why)
		str_printf(&line, ": %s, so only names are compared", a->why);
	else
		str_printf(&line, " (%u collections)", a->cycles);
	str_printf(&line, ": %s reachable then, %s now", str_bytes(size[0], a->then_bytes),
		   str_bytes(size[1], a->now_bytes));
	if (a->per_hour != INT64_MIN)
		str_printf(&line, ", %s%s an hour", a->per_hour < 0 ? "-" : "+",
			   str_bytes(size[0],
				     (uint64_t)(a->per_hour < 0 ? -a->per_hour : a->per_hour)));
	if (*a->limit_name)
		str_printf(&line,
			   "; at this rate %s (%s) is reached in %s to %s: two points make a line, "
			   "not a forecast",
			   a->limit_name, str_bytes(size[0], a->limit),
			   text_ns(ns[0], a->soonest_ns), text_ns(ns[1], a->latest_ns));
	put_line(o, "since", &line);
}

void text_summary(struct str *o, enum text_style st, const struct ans_report *a)
{
	text_head(o, st, &a->head);
	put_memory(o, a);
	put_verdict(o, st, &a->findings);
	put_since(o, &a->since);
	text_exact_line(o, &a->exact);
	if (a->exact.undecided)
		str_put(o,
			"        one snapshot cannot tell which; `limpet verify` looks again after "
			"a GC cycle\n");
	put_named(o, &a->exact, a->head.type_conflicts);
	text_losses(o, &a->head);
	put_not_run(o, &a->findings);
}

void text_report(struct str *o, enum text_style st, const struct ans_report *a)
{
	text_summary(o, st, a);
	str_put(o, "\n");
	if (a->mix)
		text_mix_beside(o, st, a->mix);
	text_findings(o, st, &a->findings);
	if (a->mix)
		text_mix_missing(o, st, a->mix);
	text_joined(o, st, a->joined, a->njoined);
	text_memory(o, st, &a->memory);
	str_put(o, "\n");
	text_top(o, st, &a->by_root);
	str_put(o, "\n");
	text_top(o, st, &a->by_type);
	str_put(o, "\n");
	text_top(o, st, &a->by_goroutine);
	if (a->by_label.rows.n) {
		str_put(o, "\n");
		text_top(o, st, &a->by_label);
	}
	str_put(o, "\n");
	text_top(o, st, &a->by_site);
}
