/*
 * cmd_profile.c - `limpet profile`: a profile of a program that need not have a pprof endpoint.
 *
 * Kinds are those of report/prof.h; here are the formats, and where the bytes go.
 */
#include "cli/cmds.h"
#include "cli/profile_out.h"
#include "report/out.h"
#include "report/prof.h"

#include <stdio.h>

static struct err *write_pprof(const struct pprof *p, unsigned value, struct str *o)
{
	(void)value; /* it has them all */
	return pprof_write(p, o);
}

static const struct profile_format formats[] = {
	{ "pprof", "what `go tool pprof` and most viewers open", true, write_pprof, NULL },
	{ "folded", "a stack a line, for flame graph programs", false, prof_folded, NULL },
	{ "speedscope", "JSON of speedscope.app", false, prof_speedscope, NULL },
	{ "heapsnapshot", "the graph for Chrome DevTools and memlab", false, NULL,
	  profile_heapsnapshot },
	{ "hprof", "the graph for Eclipse MAT, VisualVM and other Java tools", true, NULL,
	  profile_hprof },
};

static bool to_terminal(const struct args *a)
{
	return (!a->out || !strcmp(a->out, "-") || !strcmp(a->out, "/dev/stdout")) &&
	       isatty(STDOUT_FILENO);
}

static bool to_stdout(const struct args *a)
{
	return !a->out || !strcmp(a->out, "-") || !strcmp(a->out, "/dev/stdout");
}

static struct err *format_named(const char *name, const struct profile_format **ret)
{
	_cleanup_(str_deinit) struct str all = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
		if (!strcmp(formats[i].name, name)) {
			*ret = &formats[i];
			return NULL;
		}
		str_printf(&all, "%s%s",
			   !i				? ""
			   : i + 1 < ARRAY_LEN(formats) ? ", "
							: " or ",
			   formats[i].name);
	}
	return err_usage("--format %.60s: want %s", name, str_ok(&all) ? all.s : "another word");
}

struct err *profile_format(const struct args *a, const struct profile_format **ret)
{
	struct err *err = format_named(a->profile.format ? a->profile.format : "pprof", ret);

	if (!err && (*ret)->binary && to_terminal(a))
		err = err_usage("a profile is no text for a terminal: -o FILE says where it goes "
				"(or --format folded)");
	if (!err && args_has(a, OPT_JSON) && to_stdout(a))
		err = err_usage("--json tells of the file that was written: -o FILE says which");
	return err;
}

static void say_json(struct str *o, const struct args *a, const struct profile_format *f,
		     const char *kind, const struct pprof *p)
{
	int64_t sums[PPROF_TYPES_MAX];
	struct jw j;

	prof_sums(p, sums);
	jw_init(&j, o);
	jw_object(&j);
	jw_kv_u64(&j, "schema", 1);
	jw_kv_text(&j, "limpet", LIMPET_VERSION);
	jw_kv_text(&j, "file", a->out);
	jw_kv_text(&j, "kind", kind);
	jw_kv_text(&j, "format", f->name);
	jw_kv_u64(&j, "samples", p->nsamples);
	jw_kv_text(&j, "damage", p->damage);
	jw_key(&j, "values");
	jw_array(&j);
	for (size_t i = 0; i < p->types.n; i++) {
		jw_object(&j);
		jw_kv_text(&j, "type", pprof_text(p, p->types.v[i].type));
		jw_kv_text(&j, "unit", pprof_text(p, p->types.v[i].unit));
		jw_kv_i64(&j, "sum", sums[i]);
		jw_end(&j, '}');
	}
	jw_end(&j, ']');
	jw_end(&j, '}');
	str_put(o, "\n");
}

/* "wrote heap.pb.gz: 120 samples, inuse_space 34.1 MiB". */
static void say_words(struct str *o, const struct args *a, const struct pprof *p, unsigned value)
{
	int64_t sums[PPROF_TYPES_MAX];
	const char *unit = pprof_text(p, p->types.v[value].unit);
	char size[16];

	prof_sums(p, sums);
	str_printf(o, "limpet: %.200s: %" PRIu64 " samples, %.60s ", a->out, p->nsamples,
		   pprof_text(p, p->types.v[value].type));
	if (!strcmp(unit, "bytes") && sums[value] >= 0)
		str_printf(o, "%s\n", str_bytes(size, (uint64_t)sums[value]));
	else
		str_printf(o, "%" PRId64 "%s%.40s\n", sums[value], strcmp(unit, "count") ? " " : "",
			   strcmp(unit, "count") ? unit : "");
}

static bool has_negative(const struct pprof *p)
{
	struct pprof_walk w = { 0 };

	while (pprof_next(p, &w))
		for (size_t i = 0; i < p->types.n; i++)
			if (w.values[i] < 0)
				return true;
	return false;
}

struct err *profile_put(const struct args *a, const struct profile_format *f, const char *kind,
			const struct pprof *p)
{
	_cleanup_(str_deinit) struct str o = { 0 }, said = { 0 };
	unsigned value = 0;
	struct err *err = pprof_value_index(p, a->profile.value, &value);

	if (!err)
		err = f->of_profile(p, value, &o);
	if (!err)
		err = out_write(to_stdout(a) ? NULL : a->out, &o);
	if (err || to_stdout(a))
		return err;
	if (args_has(a, OPT_JSON)) {
		say_json(&said, a, f, kind, p);
		return out_write(NULL, &said);
	}
	say_words(&said, a, p, value);
	if (!strcmp(f->name, "speedscope") && has_negative(p))
		str_put(&said, "limpet: samples below 0 are left out: this format has none\n");
	if (!args_has(a, OPT_QUIET) && str_ok(&said))
		fputs(said.s, stderr);
	return NULL;
}

/* As much as the kind needs; a table of another version must have proved itself by a graph. */
static struct err *look(struct session *s, enum prof_needs needs)
{
	bool dump = target_capture(s->t)->kind == TARGET_DUMP;
	struct err *err = NULL;

	if (!s->go->layout_exact && !dump)
		needs = MAX(needs, PROF_NEEDS_GRAPH);
	if (needs >= PROF_NEEDS_SNAPSHOT || dump)
		err = session_snapshot(s);
	if (!err && needs >= PROF_NEEDS_GRAPH)
		err = session_graph(s);
	if (!err && needs >= PROF_NEEDS_TREES)
		err = session_stage(s, "finding dominators");
	if (!err && needs >= PROF_NEEDS_TREES)
		err = agg_dominators(&s->agg);
	return err;
}

static struct err *graph_file(const struct args *a, const struct profile_format *f)
{
	_cleanup_(session_close) struct session s = { 0 };
	struct err *err;

	if (a->profile.kind && strncmp(a->profile.kind, "ret", 3) != 0)
		return err_usage("--format %s is the graph itself, without --kind", f->name);
	err = session_attach(a, &s);
	if (!err)
		err = look(&s, PROF_NEEDS_TREES);
	return err ? err : f->of_graph(&s, a);
}

static struct err *no_kind(void)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	size_t n;
	const struct prof_kind *k = prof_kinds(&n);

	for (size_t i = 0; i < n; i++)
		str_printf(&o, "%s%s", i ? i + 1 < n ? ", " : " or " : "", k[i].name);
	return err_usage("profile: --kind says of what: %s", str_ok(&o) ? o.s : "heap");
}

struct err *cmd_profile(const struct args *a, int *status)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(session_trees_deinit) struct session_trees trees = { 0 };
	_cleanup_(pprof_freep) struct pprof *p = NULL;
	const struct profile_format *f;
	const struct prof_kind *k = NULL;
	struct err *err = profile_format(a, &f);

	(void)status;
	if (!err && a->nargs > 1)
		err = err_usage("%.200s: one process, core or heap dump at a time", a->arg[1]);
	if (!err && f->of_graph)
		return graph_file(a, f);
	if (!err)
		err = a->profile.kind ? prof_kind_named(a->profile.kind, &k) : no_kind();
	if (!err)
		err = session_trees(a, AGG_TREE_EXACT, &trees);
	if (!err && trees.trees == AGG_TREE_BOTH)
		err = err_usage("--tree both: a profile is of one of them, exact or owner");
	if (!err)
		err = session_attach(a, &s);
	if (!err)
		err = look(&s, k->needs);
	s.agg.owners = &trees.rules;
	s.agg.trees = trees.trees;
	if (!err)
		err = session_stage(&s, "making the profile");
	if (!err)
		err = prof_make(k, &(struct prof_from){ .go = s.go, .agg = &s.agg }, &p);
	if (err)
		return err;
	target_release(s.t);
	err = session_stage(&s, "");
	return err ? err : profile_put(a, f, k->name, p);
}
