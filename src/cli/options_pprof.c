/*
 * options_pprof.c - the options of commands on profiles, which share ids.
 *
 * What they mean is checked by who uses them.
 */
#include "cli/args.h"

#include <stddef.h>

void args_set_pprof(const char *name, const char *value, struct args *a)
{
	static const struct {
		const char *name;
		size_t offset; /* in struct args */
	} text[] = {
		{ "--value", offsetof(struct args, pprof.value) },
		{ "--by", offsetof(struct args, by) },
		{ "--sort", offsetof(struct args, sort) },
		{ "--focus", offsetof(struct args, focus) },
		{ "--ignore", offsetof(struct args, ignore) },
		{ "--hide", offsetof(struct args, pprof.hide) },
		{ "--show", offsetof(struct args, pprof.show) },
		{ "--show-from", offsetof(struct args, pprof.show_from) },
		{ "--tag-focus", offsetof(struct args, pprof.tag_focus) },
		{ "--tag-ignore", offsetof(struct args, pprof.tag_ignore) },
		{ "--source", offsetof(struct args, source) },
		{ "--percent-of", offsetof(struct args, pprof.percent_of) },
		{ "--format", offsetof(struct args, pprof.format) },
		{ "--html", offsetof(struct args, pprof.html) },
	};

	if (!strcmp(name, "--normalize"))
		a->pprof.normalize = true;
	if (!strcmp(name, "--no-inlines"))
		a->pprof.no_inlines = true;
	for (size_t i = 0; i < ARRAY_LEN(text); i++)
		if (!strcmp(text[i].name, name))
			*(const char **)(void *)((char *)a + text[i].offset) = value;
}
