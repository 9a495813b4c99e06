/*
 * options_check.c - the options of check, which share one id.
 *
 * A table of names and members; times are "500ms", "5s", "2m", "1h", or seconds.
 */
#include "cli/args.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

enum form { TEXT, TIME, COUNT, FLAG };

static const struct option {
	const char *name;
	enum form form;
	size_t offset; /* in struct check_opts */
} table[] = {
	{ "--pid", TEXT, offsetof(struct check_opts, pid) },
	{ "--load", TEXT, offsetof(struct check_opts, load) },
	{ "--log", TEXT, offsetof(struct check_opts, log) },
	{ "--keep-looks", TEXT, offsetof(struct check_opts, keep_looks) },
	{ "--ready-port", TEXT, offsetof(struct check_opts, ready_port) },
	{ "--ready-line", TEXT, offsetof(struct check_opts, ready_line) },
	{ "--ready-cmd", TEXT, offsetof(struct check_opts, ready_cmd) },
	{ "--ready-timeout", TIME, offsetof(struct check_opts, ready_ns) },
	{ "--load-timeout", TIME, offsetof(struct check_opts, load_ns) },
	{ "--every", TIME, offsetof(struct check_opts, every_ns) },
	{ "--settle", TIME, offsetof(struct check_opts, settle_ns) },
	{ "--stop-timeout", TIME, offsetof(struct check_opts, stop_ns) },
	{ "--duration", TIME, offsetof(struct check_opts, duration_ns) },
	{ "--max-time", TIME, offsetof(struct check_opts, max_ns) },
	{ "--warmup", COUNT, offsetof(struct check_opts, warmup) },
	{ "--repeat", COUNT, offsetof(struct check_opts, repeat) },
	{ "--force-gc", FLAG, offsetof(struct check_opts, force_gc) },
	{ "--no-sampling", FLAG, offsetof(struct check_opts, no_sampling) },
	{ "--verbose", FLAG, offsetof(struct check_opts, verbose) },
	{ "--baseline", TEXT, offsetof(struct check_opts, baseline) },
	{ "--known", TEXT, offsetof(struct check_opts, known) },
	{ "--source", TEXT, offsetof(struct check_opts, source) },
	{ "--update-baseline", FLAG, offsetof(struct check_opts, update_baseline) },
	{ "--each-test", FLAG, offsetof(struct check_opts, each_test) },
	{ "--max-growth", TEXT, offsetof(struct check_opts, max_growth) },
	{ "--max-goroutines", TEXT, offsetof(struct check_opts, max_goroutines) },
	{ "--max-alloc", TEXT, offsetof(struct check_opts, max_alloc) },
	{ "--max-gc", TEXT, offsetof(struct check_opts, max_gc) },
	{ "--max-gc-cpu", TEXT, offsetof(struct check_opts, max_gc_cpu) },
	{ "--max-gc-pause", TEXT, offsetof(struct check_opts, max_gc_pause) },
};

struct err *args_parse_time(const char *name, const char *text, uint64_t *ret)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = { { "", 1e9 },   { "s", 1e9 },    { "ms", 1e6 },  { "us", 1e3 },
		      { "m", 60e9 }, { "min", 60e9 }, { "h", 3600e9 } };
	char *end;
	double n = strtod(text, &end);

	for (size_t i = 0; end != text && i < ARRAY_LEN(units); i++)
		if (!strcmp(end, units[i].unit) && n > 0 && n * units[i].ns < 1e18) {
			*ret = (uint64_t)(n * units[i].ns);
			return NULL;
		}
	return err_usage("%s %.60s: want a time, as in %s 5s (ms, s, m, h)", name, text, name);
}

static struct err *parse_count(const char *name, const char *text, uint64_t *ret)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (end == text || *end || *text == '-' || errno || n > 1000000)
		return err_usage("%s %.60s: want a number", name, text);
	*ret = n;
	return NULL;
}

struct err *args_set_check(const char *name, const char *value, struct args *a)
{
	char *base = (char *)&a->check;

	if (!strcmp(name, "--exe")) {
		a->exe = value;
		return NULL;
	}
	if (!strcmp(name, "--warmup"))
		a->check.warmup_set = true;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const struct option *o = &table[i];

		if (strcmp(o->name, name) != 0)
			continue;
		if (o->form == TIME)
			return args_parse_time(name, value, (uint64_t *)(void *)(base + o->offset));
		if (o->form == COUNT)
			return parse_count(name, value, (uint64_t *)(void *)(base + o->offset));
		if (o->form == FLAG)
			*(bool *)(void *)(base + o->offset) = true;
		else
			*(const char **)(void *)(base + o->offset) = value;
		return NULL;
	}
	return NULL;
}
