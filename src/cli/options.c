/*
 * options.c - the table of options, and argv against it.
 *
 * Options may stand anywhere; "--name VALUE" and "--name=VALUE" are the same; "--" ends
 * them.  Options of later versions are known and say so.
 */
#include "cli/args.h"
#include "report/agg.h"

#include <errno.h>
#include <stdio.h>

static const struct opt table[] = {
	{ OPT_JSON, "--json", NULL, "one JSON document on stdout" },
	{ OPT_LIMIT, "--limit", "N", "at most N rows (0: all)" },
	{ OPT_OUT, "-o", "FILE", "write to FILE (mode 0600, all or nothing)" },
	{ OPT_NO_COLOR, "--no-color", NULL, "no colours (NO_COLOR does the same)" },
	{ OPT_QUIET, "--quiet", NULL, "no progress on stderr" },
	{ OPT_BY, "--by", "WHAT", "type, package, module, root, goroutine, label, label:KEY, field, kind, generation or site" },
	{ OPT_BY, "--package-depth", "N", "elements of a package's path that are told apart (0: all)" },
	{ OPT_BY, "--focus", "REGEX", "only objects with a match among the names of who holds them" },
	{ OPT_BY, "--ignore", "REGEX", "no objects with a match there" },
	{ OPT_BY, "--granularity", "WHAT", "of sites: function or line" },
	{ OPT_FINDINGS, "--since", "SNAPSHOT", "an earlier core or heap dump: what grew since then" },
	{ OPT_FINDINGS, "--ignore", "SIGNATURE", "leave that finding out (may be repeated)" },
	{ OPT_FINDINGS, "--known", "FILE", "findings that are known, each with a reason and an end" },
	{ OPT_FINDINGS, "--markdown", NULL, "for a ticket" },
	{ OPT_FINDINGS, "--source", "DIR", "the program's source: show the lines, and who owns them" },
	{ OPT_DIFF, "--by", "WHAT", "type, holder, field, size, type-holder; by name alone: a word of `top --by`" },
	{ OPT_DIFF, "--sort", "KEY", "growth, retained, objects, old, new, born, died, survived or name" },
	{ OPT_DIFF, "--requests", "OLD,NEW", "of each look, how many requests had been served by then" },
	{ OPT_DIFF, "--objects", NULL, "every object on a line of its own: address, bytes, fate, type" },
	{ OPT_DIFF, "--force", NULL, "compare by name what is of different programs" },
	{ OPT_TREES, "--tree", "WHICH", "retained bytes of the exact tree, the owner's, or both" },
	{ OPT_TREES, "--owners", "FILE", "what passes on, what owns: rules of your own" },
	{ OPT_SORT, "--sort", "KEY", "retained, shallow or count; sites: flat, cum, alloc; of populations: a column" },
	{ OPT_ALL, "--all", NULL, "types: also those that have no objects" },
	{ OPT_GROUP_BY, "--group-by", "WHAT", "stack, state, creator, label or label:KEY" },
	{ OPT_GOTEXT, "--dump", "N", "of a text with several dumps the Nth (the last whole one)" },
	{ OPT_LEAKED, "--leaked", NULL, "only goroutines that can never run again, proved or suspected" },
	{ OPT_DEPTH, "--depth", "N", "levels of the tree, or of pointers followed, at most 64" },
	{ OPT_SHOWN, "--width", "N", "at most N elements of each slice, map or queue (0: all)" },
	{ OPT_SHOWN, "--bytes", "N", "at most N bytes of each string, and of --raw (0: all)" },
	{ OPT_SHOWN, "--raw", NULL, "the object's bytes, too" },
	{ OPT_PATHS, "--paths", "N", "at most N paths an object" },
	{ OPT_WAIT, "--wait", "SECONDS", "how long to wait for a later GC cycle" },
	{ OPT_GO, "--go", "PATH", "the go command whose runtime is described" },
	{ OPT_ZSTD, "--zstd", NULL, "compressed, in frames that can be read alone" },
	{ OPT_NO_PAYLOAD, "--no-payload", NULL, "without the contents of pointer-free objects" },
	{ OPT_REDACT, "--redact", NULL, "the same, and without text in all the rest" },
	{ OPT_DETAIL, "--detail", "WHAT", "of a store: brief or full (brief above 2 M objects)" },
	{ OPT_EXE, "--exe", "FILE", "the executable, where the target's own cannot be read" },
	{ OPT_SYSROOT, "--sysroot", "DIR", "where a core's executable and libraries lie" },
	{ OPT_SYMBOLS, "--symbols", "FILE", "an unstripped twin of a stripped program; none: no DWARF" },
	{ OPT_LAYOUT, "--layout", "FILE", "layout table made by `limpet layout`" },
	{ OPT_VALUES, "--values", "POLICY", "values of the program: none, hash or full" },
	{ OPT_FREEZE, "--freeze", NULL, "stop the program while reading, instead of fork" },
	{ OPT_MAX_PAUSE, "--max-pause", "MS", "refuse a longer stop (200 unless said)" },
	{ OPT_FETCH, "--header", "NAME: VALUE", "of a URL: send it, too; @FILE: such lines (may be repeated)" },
	{ OPT_FETCH, "--unix-socket", "PATH", "of a URL: connect there" },
	{ OPT_FETCH, "--timeout", "TIME", "of a URL: 60s, and the seconds of a profile" },
	{ OPT_GCLOG, "--svg", "FILE", "of a GC log: the live heap over time, as a picture" },
	{ OPT_GCLOG, "--stream", "N", "of a GC log: that process, and not the one that matters most" },
	{ OPT_THREADS, "--threads", "N", "threads of limpet (all CPUs unless said)" },
	{ OPT_MAX_MEMORY, "--max-memory", "BYTES", "limpet's own memory; K, M, G allowed" },
	{ OPT_HANDLER, "--dir", "DIR", "where it is kept: a folder of its own (/var/lib/limpet)" },
	{ OPT_HANDLER, "--core", "WHAT", "redact, no-payload, full or none: just the report" },
	{ OPT_HANDLER, "--others", "WHAT", "what is not Go or cannot be analysed: drop or keep" },
	{ OPT_HANDLER, "--keep", "N", "deaths that are kept, the newest (5)" },
	{ OPT_HANDLER, "--max-total", "BYTES", "of all that is kept (10G)" },
	{ OPT_HANDLER, "--min-free", "BYTES", "stay free on that file system (1G)" },
	{ OPT_HANDLER, "--max-time", "SECONDS", "then the program's end goes on (60)" },
	{ OPT_WATCH, "--watch", "[=TIME]", "refresh it (every second), without stopping the program" },
	{ OPT_WATCH, "--count", "N", "of --watch: end after N refreshes" },
	{ OPT_FOLLOW, "--for", "TIME", "of one process: look, follow it so long, look again" },
	{ OPT_FOLLOW, "--cycles", "N", "of one process: the same, until so many collections have run" },
	{ OPT_CHECK, "--load", "CMD", "what brings work, for sh -c: it runs again and again" },
	{ OPT_CHECK, "--warmup", "N", "loads before the first look (1)" },
	{ OPT_CHECK, "--repeat", "N", "rounds behind it, at most (as many as it takes to tell)" },
	{ OPT_CHECK, "--every", "TIME", "without --load: how long a load is (2s)" },
	{ OPT_CHECK, "--duration", "TIME", "rounds until then: a soak run" },
	{ OPT_CHECK, "--max-time", "TIME", "no round is begun that would end later (110s)" },
	{ OPT_CHECK, "--ready-port", "PORT", "ready when it takes connections there: PORT or HOST:PORT" },
	{ OPT_CHECK, "--ready-line", "REGEX", "ready when it prints such a line" },
	{ OPT_CHECK, "--ready-cmd", "CMD", "ready when this exits with 0" },
	{ OPT_CHECK, "--ready-timeout", "TIME", "how long that may take (30s)" },
	{ OPT_CHECK, "--load-timeout", "TIME", "how long a load may take (60s)" },
	{ OPT_CHECK, "--settle", "TIME", "wait so long at most until it is quiet behind a load (5s)" },
	{ OPT_CHECK, "--stop-timeout", "TIME", "between SIGTERM and SIGKILL (5s)" },
	{ OPT_CHECK, "--max-growth", "BYTES|%", "live bytes a load: what is allowed to grow" },
	{ OPT_CHECK, "--max-goroutines", "N", "more than behind the warm-up" },
	{ OPT_CHECK, "--max-alloc", "BYTES|%", "allocated a load; %: more than the baseline" },
	{ OPT_CHECK, "--max-gc", "N|%", "collections a load; %: more than the baseline" },
	{ OPT_CHECK, "--max-gc-cpu", "%", "of the program's CPU time" },
	{ OPT_CHECK, "--max-gc-pause", "TIME|%", "a collection; %: more than the baseline" },
	{ OPT_CHECK, "--pid", "PID", "a program that runs, instead of COMMAND" },
	{ OPT_CHECK, "--exe", "NAME", "which Go program, where COMMAND starts several" },
	{ OPT_CHECK, "--force-gc", NULL, "with --pid: bring collections about" },
	{ OPT_CHECK, "--no-sampling", NULL, "do not sample allocations more finely than the program does" },
	{ OPT_CHECK, "--keep-looks", "DIR", "keep every look: DIR/0.limpet, DIR/1.limpet …" },
	{ OPT_CHECK, "--log", "FILE", "all that the program and the load print" },
	{ OPT_CHECK, "--verbose", NULL, "the same on stderr" },
	{ OPT_CHECK, "--baseline", "FILE", "what is accepted (limpet-baseline.json, where it is there)" },
	{ OPT_CHECK, "--update-baseline", NULL, "write it: what is found now is known from then on" },
	{ OPT_CHECK, "--known", "FILE", "findings that are known, each with a reason and an end" },
	{ OPT_CHECK, "--source", "DIR", "the repository, where that is not the working directory" },
	{ OPT_CHECK, "--each-test", NULL, "go test: every test by itself" },
	{ OPT_OUTPUTS, "--format", "WORD", "text, json, junit, sarif, github or gitlab" },
	{ OPT_OUTPUTS, "--junit", "FILE", "also JUnit XML: Jenkins, GitLab" },
	{ OPT_OUTPUTS, "--sarif", "FILE", "also SARIF 2.1.0: code scanning" },
	{ OPT_OUTPUTS, "--code-quality", "FILE", "also GitLab Code Quality" },
	{ OPT_OUTPUTS, "--annotations", NULL, "also GitHub annotations (by itself where GITHUB_ACTIONS=true)" },
	{ OPT_PROFILE, "--kind", "KIND", "heap, allocs, goroutine, goroutineleak, retention, retained, mutex or block" },
	{ OPT_PROFILE, "--format", "WORD", "pprof, folded or speedscope; of the graph: heapsnapshot or hprof" },
	{ OPT_PROFILE, "--value", "VALUE", "of several, as inuse_space, alloc_space: which is meant" },
	{ OPT_HELP, "--help", NULL, "this text" },
	{ 0, "--precopy", NULL, NULL },
	{ OPT_PPROF, "--value", "VALUE", "of a profile: which of its values (inuse_space, alloc_objects …)" },
	{ OPT_PPROF_ROWS, "--by", "WHAT", "of a profile: function, line, file, package or address" },
	{ OPT_PPROF_ROWS, "--sort", "KEY", "of a profile: flat, cum or name" },
	{ OPT_PPROF_NAMES, "--focus", "REGEX", "of a profile: only samples with a frame that matches" },
	{ OPT_PPROF_NAMES, "--ignore", "REGEX", "of a profile: no samples with a frame that matches" },
	{ OPT_PPROF, "--hide", "REGEX", "of a profile: leave frames out that match" },
	{ OPT_PPROF, "--show", "REGEX", "of a profile: only frames that match" },
	{ OPT_PPROF, "--show-from", "REGEX", "of a profile: nothing above the first frame that matches" },
	{ OPT_PPROF, "--tag-focus", "WHAT", "of a profile: only samples with such a label: REGEX, KEY=REGEX, 4kb:1mb" },
	{ OPT_PPROF, "--tag-ignore", "WHAT", "of a profile: no samples with such a label" },
	{ OPT_PPROF, "--no-inlines", NULL, "of a profile: what was inlined counts for its caller" },
	{ OPT_PPROF_SOURCE, "--source", "DIR", "the program's source: show the lines" },
	{ OPT_PPROF_DIFF, "--normalize", NULL, "of profiles: scale NEW to the total of OLD" },
	{ OPT_PPROF_DIFF, "--percent-of", "WHICH", "of profiles: old (its total is 100 %) or change" },
	{ OPT_PPROF_DRAW, "--format", "WORD", "of a profile: text, dot (for Graphviz) or flame (HTML)" },
	{ OPT_PPROF_DRAW, "--html", "FILE", "of a profile: also a flame graph, one file" },
	{ 0, "--schema", NULL, NULL },
	{ OPT_SELFTEST, "--selftest", NULL, "try all of it on children of limpet's own" },
	{ OPT_REAP, "--reap", "PID", "take away what a killed limpet left in a process" },
};

const struct opt *options(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(table);
	return table;
}

/* Of several of one name that which the command takes. */
static const struct opt *option_named(const struct cmd *cmd, const char *name, size_t len)
{
	const struct opt *found = NULL;

	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		if (strlen(table[i].name) != len || strncmp(table[i].name, name, len) != 0)
			continue;
		if (table[i].id & cmd->opts)
			return &table[i];
		found = &table[i];
	}
	return found;
}

static struct err *parse_u64(const char *name, const char *text, uint64_t max, uint64_t *ret)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (end == text || *end || *text == '-' || errno || n > max)
		return err_usage("%s %s: want a number from 0 to %" PRIu64, name, text, max);
	*ret = n;
	return NULL;
}

static struct err *parse_ms(const char *name, const char *text, uint64_t *ret)
{
	char *end;
	double ms = strtod(text, &end);

	if (!strcmp(end, "ms"))
		end += 2;
	if (end == text || *end || !(ms > 0) || ms > 1e9)
		return err_usage("%s %s: want milliseconds, as in %s 200", name, text, name);
	*ret = (uint64_t)(ms * 1e6);
	return NULL;
}

static struct err *parse_bytes(const char *name, const char *text, uint64_t *ret)
{
	static const char unit[] = "KMGT";
	char *end;
	unsigned long long n;
	const char *u;

	errno = 0;
	n = strtoull(text, &end, 10);
	u = *end ? strchr(unit, *end & ~0x20) : NULL;
	if (u)
		end++;
	if (u && !strcmp(end, "iB"))
		end += 2;
	else if (u && (*end == 'B' || *end == 'b'))
		end++;
	if (end == text || *end || *text == '-' || errno || !n ||
	    (u && n > UINT64_MAX >> (10 * (u - unit + 1))))
		return err_usage("%s %s: want bytes, as in %s 2G", name, text, name);
	*ret = u ? n << (10 * (u - unit + 1)) : n;
	return NULL;
}

static struct err *parse_values(const char *text, unsigned *ret)
{
	static const char *const word[] = { "none", "hash", "full" };

	for (unsigned i = 0; i < ARRAY_LEN(word); i++)
		if (!strcmp(text, word[i])) {
			*ret = i;
			return NULL;
		}
	return err_usage("--values %s: want none, hash or full", text);
}

static struct err *parse_limit(const char *text, uint64_t *ret)
{
	struct err *err = parse_u64("--limit", text, UINT32_MAX, ret);

	if (!err && !*ret)
		*ret = UINT32_MAX;
	return err;
}

static struct err *parse_word(const char *name, const char *text, const char *const *words,
			      unsigned *ret)
{
	_cleanup_(str_deinit) struct str all = { 0 };

	for (unsigned i = 0; words[i]; i++) {
		if (!strcmp(text, words[i])) {
			*ret = i;
			return NULL;
		}
		str_printf(&all, "%s%s", i ? words[i + 1] ? ", " : " or " : "", words[i]);
	}
	return err_usage("%s %.100s: want %s", name, text, str_ok(&all) ? all.s : "another word");
}

static struct err *parse_detail(const char *name, const char *text, unsigned *ret)
{
	static const char *const words[] = { "brief", "full", NULL };
	unsigned word = 0;
	struct err *err = parse_word(name, text, words, &word);

	*ret = word ? AGG_KEEP_FULL : AGG_KEEP_BRIEF;
	return err;
}

/* Options of core-handler share one id. */
static struct err *set_handler(const char *name, const char *v, struct handler_opts *h)
{
	static const char *const cores[] = { "redact", "no-payload", "full", "none", NULL };
	static const char *const others[] = { "drop", "keep", NULL };
	unsigned word = 0;
	uint64_t s = 0;
	struct err *err;

	if (!strcmp(name, "--keep"))
		return parse_u64(name, v, 100000, &h->keep);
	if (!strcmp(name, "--max-total"))
		return parse_bytes(name, v, &h->max_total);
	if (!strcmp(name, "--min-free")) {
		h->min_free_set = true;
		return strcmp(v, "0") ? parse_bytes(name, v, &h->min_free) : NULL;
	}
	if (!strcmp(name, "--max-time")) {
		err = parse_u64(name, v, 86400, &s);
		h->max_time_ns = MAX(s, (uint64_t)1) * 1000000000;
		return err;
	}
	if (!strcmp(name, "--core")) {
		err = parse_word(name, v, cores, &word);
		h->core = (enum handler_core)word;
		return err;
	}
	if (!strcmp(name, "--others")) {
		err = parse_word(name, v, others, &word);
		h->others = (enum handler_others)word;
		return err;
	}
	h->dir = v;
	return NULL;
}

/* Options of report that share one id. */
static struct err *set_findings(const char *name, const char *v, struct args *a)
{
	if (!strcmp(name, "--since"))
		a->since = v;
	else if (!strcmp(name, "--known"))
		a->known = v;
	else if (!strcmp(name, "--source"))
		a->source = v;
	else if (!strcmp(name, "--markdown"))
		a->markdown = true;
	else if (a->nignored == ARRAY_LEN(a->ignored))
		return err_usage("--ignore: more than %zu; a file of them is --known FILE",
				 ARRAY_LEN(a->ignored));
	else
		a->ignored[a->nignored++] = v;
	return NULL;
}

/* Options of diff that share one id. */
static void set_diff(const char *name, const char *v, struct args *a)
{
	if (!strcmp(name, "--by"))
		a->by = v;
	else if (!strcmp(name, "--sort"))
		a->sort = v;
	else if (!strcmp(name, "--requests"))
		a->requests = v;
	else if (!strcmp(name, "--objects"))
		a->objects = true;
	else
		a->force = true;
}

/* Options that share one id: forms of an answer. */
static void set_outputs(const char *name, const char *v, struct outs_opts *o)
{
	if (!strcmp(name, "--format"))
		o->format = v;
	else if (!strcmp(name, "--junit"))
		o->junit = v;
	else if (!strcmp(name, "--sarif"))
		o->sarif = v;
	else if (!strcmp(name, "--code-quality"))
		o->quality = v;
	else
		o->annotations = true;
}

/* Options of object that share one id. */
static struct err *set_shown(const char *name, const char *v, struct args *a)
{
	uint64_t *to = !strcmp(name, "--width") ? &a->width : &a->bytes;
	struct err *err;

	if (!strcmp(name, "--raw")) {
		a->raw = true;
		return NULL;
	}
	err = parse_u64(name, v, UINT32_MAX, to);
	if (!err && !*to)
		*to = UINT32_MAX;
	return err;
}

static struct err *set_watch(const char *name, const char *v, struct args *a)
{
	if (!strcmp(name, "--count"))
		return parse_u64(name, v, UINT32_MAX, &a->count);
	return v ? args_parse_time(name, v, &a->watch_ns) : NULL;
}

static struct err *set_number(const struct opt *o, const char *v, struct args *a)
{
	switch (o->id) {
	case OPT_LIMIT:
		return parse_limit(v, &a->limit);
	case OPT_DEPTH:
		return parse_u64(o->name, v, 64, &a->depth);
	case OPT_GOTEXT:
		return parse_u64(o->name, v, UINT32_MAX, &a->dump);
	case OPT_PATHS:
		return parse_u64(o->name, v, 1000, &a->paths);
	case OPT_WAIT:
		return parse_u64(o->name, v, 86400, &a->wait_s);
	case OPT_THREADS:
		return parse_u64(o->name, v, 64, &a->threads);
	case OPT_MAX_PAUSE:
		return parse_ms(o->name, v, &a->max_pause_ns);
	case OPT_MAX_MEMORY:
		return parse_bytes(o->name, v, &a->max_memory);
	case OPT_VALUES:
		return parse_values(v, &a->values);
	case OPT_DETAIL:
		return parse_detail(o->name, v, &a->detail);
	case OPT_SHOWN:
		return set_shown(o->name, v, a);
	case OPT_BY:
		return strcmp(o->name, "--package-depth") ?
			       NULL :
			       parse_u64(o->name, v, 64, &a->package_depth);
	case OPT_HANDLER:
		return set_handler(o->name, v, &a->handler);
	case OPT_FINDINGS:
		return set_findings(o->name, v, a);
	case OPT_WATCH:
		return set_watch(o->name, v, a);
	case OPT_FOLLOW:
		return strcmp(o->name, "--for") ?
			       parse_u64(o->name, v, 1U << 30, &a->follow_cycles) :
			       args_parse_time(o->name, v, &a->follow_ns);
	case OPT_CHECK:
		return args_set_check(o->name, v, a);
	case OPT_GCLOG:
		return args_set_gclog(o->name, v, a);
	case OPT_FETCH:
		return args_set_fetch(o->name, v, a);
	case OPT_OUTPUTS:
		set_outputs(o->name, v, &a->outs);
		return NULL;
	case OPT_PPROF:
	case OPT_PPROF_NAMES:
	case OPT_PPROF_ROWS:
	case OPT_PPROF_DRAW:
	case OPT_PPROF_DIFF:
	case OPT_PPROF_SOURCE:
		args_set_pprof(o->name, v, a);
		return NULL;
	default:
		return NULL;
	}
}

static void note_given(const struct opt *o, struct args *a)
{
	for (size_t i = 0; i < a->ngiven; i++)
		if (a->given[i] == o)
			return;
	if (a->ngiven < ARRAY_LEN(a->given))
		a->given[a->ngiven++] = o;
}

static struct err *set_option(const struct opt *o, const char *v, struct args *a)
{
	note_given(o, a);
	switch (o->id) {
	case OPT_OUT:
		a->out = v;
		break;
	case OPT_EXE:
		a->exe = v;
		break;
	case OPT_SYSROOT:
		a->sysroot = v;
		break;
	case OPT_SYMBOLS:
		a->symbols = v;
		break;
	case OPT_LAYOUT:
		a->layout = v;
		break;
	case OPT_GO:
		a->go = v;
		break;
	case OPT_BY:
		if (!strcmp(o->name, "--granularity"))
			a->granularity = v;
		else if (!strcmp(o->name, "--focus"))
			a->focus = v;
		else if (!strcmp(o->name, "--ignore"))
			a->ignore = v;
		else if (!strcmp(o->name, "--by"))
			a->by = v;
		break;
	case OPT_SORT:
		a->sort = v;
		break;
	case OPT_GROUP_BY:
		a->group_by = v;
		break;
	case OPT_TREES:
		*(strcmp(o->name, "--tree") ? &a->owners : &a->tree) = v;
		break;
	case OPT_DIFF:
		set_diff(o->name, v, a);
		break;
	case OPT_REAP:
		a->reap = v;
		break;
	case OPT_PROFILE:
		args_set_profile(o->name, v, a);
		break;
	default:
		break;
	}
	a->seen |= o->id;
	return set_number(o, v, a);
}

struct err *args_default(struct args *a, const char *word, const char *value)
{
	char name[32];
	const struct opt *o;
	struct args tried = *a;
	struct err *err;

	snprintf(name, sizeof(name), "--%.28s", word);
	o = option_named(a->cmd, name, strlen(name));
	if (!o || !o->metavar)
		return err_usage("%.40s: no such option", word);
	/* a wrong one is an error also where it would not count */
	err = set_number(o, value, &tried);
	if (err || !(a->cmd->opts & o->id) || args_has(a, o->id))
		return err;
	*a = tried;
	a->seen |= o->id;
	return NULL;
}

/* argv[*i] is an option; takes its value too. */
static struct err *parse_option(int argc, char *const *argv, int *i, struct args *a)
{
	const char *text = argv[*i], *eq = strchr(text, '='), *value = NULL;
	size_t len = eq && text[1] == '-' ? (size_t)(eq - text) : strlen(text);
	const struct opt *o = option_named(a->cmd, text, len);

	if (!strcmp(text, "-h"))
		o = option_named(a->cmd, "--help", 6);
	if (!o)
		return err_usage("%s: no such option; see `limpet %s --help`", text, a->cmd->name);
	if (!o->id)
		return err_usage("%s: not in this version of limpet (" LIMPET_VERSION ")", o->name);
	if (!(a->cmd->opts & o->id))
		return err_usage("%s: `limpet %s` does not take it; see `limpet %s --help`",
				 o->name, a->cmd->name, a->cmd->name);
	if (o->metavar) {
		if (text[len] == '=')
			value = text + len + 1;
		else if (*i + 1 < argc && *o->metavar != '[')
			value = argv[++*i];
		if (!value && *o->metavar != '[')
			return err_usage("%s: wants a value (%s)", o->name, o->metavar);
	} else if (text[len] == '=') {
		return err_usage("%s: takes no value", o->name);
	}
	return set_option(o, value, a);
}

/* "limpet TARGET" is "limpet report TARGET". */
static bool looks_like_target(const char *s)
{
	return strspn(s, "0123456789") == strlen(s) || !strncmp(s, "pid:", 4) ||
	       !strncmp(s, "name:", 5) || !strncmp(s, "http://", 7) || !strncmp(s, "https://", 8) ||
	       strchr(s, '/') || !access(s, F_OK);
}

static struct err *find_command(int argc, char *const *argv, int *i, struct args *a)
{
	if (argc < 2)
		return err_usage("want a command or a process; see `limpet --help`");
	a->cmd = command_named(argv[1]);
	if (a->cmd) {
		*i = 2;
	} else if (argv[1][0] == '-' || looks_like_target(argv[1])) {
		a->cmd = command_named("report");
		*i = 1;
	} else {
		return err_usage("%.100s: no such command; see `limpet --help`", argv[1]);
	}
	if (!a->cmd->run)
		return err_usage("%s: not in this version of limpet (" LIMPET_VERSION ")",
				 a->cmd->name);
	return NULL;
}

static struct err *take_positional(const char *text, struct args *a)
{
	if (a->nargs < a->cmd->max_args && a->nargs < ARRAY_LEN(a->arg)) {
		a->arg[a->nargs++] = text;
		return NULL;
	}
	return err_usage("%.100s: too many arguments; usage: limpet %s %s", text, a->cmd->name,
			 a->cmd->args);
}

struct err *args_parse(int argc, char *const *argv, struct args *ret)
{
	struct args a = { .limit = UINT64_MAX,
			  .depth = 4,
			  .paths = 3,
			  .wait_s = 10,
			  .width = UINT64_MAX,
			  .watch_ns = 1000000000,
			  .bytes = UINT64_MAX };
	bool only_args = false;
	struct err *err;
	int i = 1;

	err = find_command(argc, argv, &i, &a);
	for (; !err && i < argc; i++) {
		if (!only_args && !strcmp(argv[i], "--"))
			only_args = true;
		else if (!only_args && argv[i][0] == '-' && argv[i][1])
			err = parse_option(argc, argv, &i, &a);
		else
			err = take_positional(argv[i], &a);
	}
	if (!err && !args_has(&a, OPT_HELP) && a.nargs < a.cmd->min_args)
		err = err_usage("usage: limpet %s %s; see `limpet %s --help`", a.cmd->name,
				a.cmd->args, a.cmd->name);
	if (err)
		return err;
	*ret = a;
	return NULL;
}
