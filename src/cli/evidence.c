/*
 * evidence.c - which command answers to which kind of evidence.
 *
 * Knows no format: each has its file, evid_<kind>.c.
 */
#include "cli/evidence.h"

#include "base/str.h"
#include "cli/cmds.h"
#include "cli/evid_escape.h"
#include "cli/evid_gclog.h"
#include "cli/evid_goroutines.h"
#include "cli/evid_profile.h"
#include "evidence/sniff.h"

/* So far a log is looked into for what was asked for. */
#define SNIFF_BYTES (4ULL << 30)

/* clang-format off: a line each */
static const struct row {
	const char *command;
	enum kind kind;
	evidence_fn *run;
} table[] = {
	{ "gc", KIND_GCLOG, evid_gclog },
	{ "report", KIND_GCLOG, evid_gclog },
	{ "report", KIND_ESCAPE, evid_escape_report },
	{ "top", KIND_ESCAPE, evid_escape_top },
	{ "goroutines", KIND_GOROUTINES, evid_goroutines_list },
	{ "report", KIND_GOROUTINES, evid_goroutines_report },
	{ "top", KIND_GOROUTINES, evid_goroutines_top },
	{ "tree", KIND_GOROUTINES, evid_goroutines_tree },
	{ "diff", KIND_GOROUTINES, evid_goroutines_diff },
	{ "report", KIND_LINT, evid_lint_report },
	{ "top", KIND_LINT, evid_lint_top },
	{ "report", KIND_PROFILE, cmd_report },
	{ "tree", KIND_PROFILE, evid_profile_tree },
	{ "peek", KIND_PROFILE, evid_profile_peek },
	{ "list", KIND_PROFILE, evid_profile_list },
	{ "diff", KIND_PROFILE, evid_profile_diff },
	{ "top", KIND_PROFILE, evid_profile_top },
	{ "memory", KIND_PROFILE, evid_profile_memory },
	{ "gc", KIND_PROFILE, evid_profile_gc },
	{ "profile", KIND_PROFILE, evid_profile_write },
};
/* clang-format on */

static bool is_evidence(enum kind k)
{
	return k == KIND_PROFILE || k == KIND_GOROUTINES || k == KIND_GCLOG || k == KIND_ESCAPE ||
	       k == KIND_LINT;
}

struct err *evidence_kind(const struct args *a, unsigned i, struct kind_found *ret)
{
	return kind_recognise(a->arg[i], ret);
}

/* "top, tree and diff". */
static void put_commands(struct str *o, enum kind k)
{
	for (size_t i = 0, n = 0; i < ARRAY_LEN(table); i++)
		if (table[i].kind == k)
			str_printf(o, "%s%s", n++ ? ", " : "", table[i].command);
}

static struct err *other_command(const struct args *a, enum kind k)
{
	_cleanup_(str_deinit) struct str o = { 0 };

	put_commands(&o, k);
	if (!str_ok(&o))
		return NULL; /* no command knows it: the general words will do */
	return err_unsupported("%.200s: %s, which has no answer to %s; it has to: limpet %s",
			       a->arg[0], kind_words(k), a->cmd->name, o.s);
}

static const struct row *row_of(const struct args *a, enum kind k)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (table[i].kind == k && !strcmp(table[i].command, a->cmd->name))
			return &table[i];
	return NULL;
}

/* What is a line of a log among others was asked for by the command. */
static struct err *look_deeper(const struct args *a, const struct row **ret)
{
	static const struct {
		unsigned sniffed;
		enum kind kind;
	} kinds[] = { { SNIFF_GOROUTINES, KIND_GOROUTINES },
		      { SNIFF_GCLOG, KIND_GCLOG },
		      { SNIFF_ESCAPE, KIND_ESCAPE },
		      { SNIFF_LINT, KIND_LINT } };
	_cleanup_(input_closep) struct input *in = NULL;
	unsigned found = 0, wanted = 0;
	struct err *err;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		wanted |= row_of(a, kinds[i].kind) ? kinds[i].sniffed : 0;
	if (!wanted)
		return NULL;
	err = input_file(a->arg[0], a->arg[0], &in);
	if (!err)
		err = sniff(in, SNIFF_BYTES, &found);
	for (size_t i = 0; !err && i < ARRAY_LEN(kinds) && !*ret; i++)
		if (found & kinds[i].sniffed)
			*ret = row_of(a, kinds[i].kind);
	return err;
}

/* A log of several kinds: `report` reads them beside each other (mix.h). */
static struct err *holds_several(const char *path, bool *ret)
{
	_cleanup_(input_closep) struct input *in = NULL;
	unsigned found = 0;
	struct err *err = input_file(path, path, &in);

	if (!err)
		err = sniff(in, SNIFF_BYTES, &found);
	*ret = !err && (found & (found - 1));
	return err;
}

static bool is_text(enum kind k)
{
	return k == KIND_UNKNOWN || (is_evidence(k) && k != KIND_PROFILE);
}

static bool begins(const uint8_t *p, size_t n, const char *word)
{
	return n >= strlen(word) && !strncasecmp((const char *)p, word, strlen(word));
}

struct err *evidence_no_page(const char *path)
{
	_cleanup_(input_closep) struct input *in = NULL;
	const uint8_t *p = NULL;
	size_t n = 0;
	struct err *err = input_file(path, path, &in);

	if (!err)
		err = input_peek(in, &p, &n);
	if (err)
		return err;
	while (n && *p && strchr(" \t\r\n", *p)) {
		p++;
		n--;
	}
	if (!begins(p, n, "<!doctype html") && !begins(p, n, "<html"))
		return NULL;
	return err_unsupported(
		"%.200s: a web page, no evidence; of net/http/pprof ask for one of those that it "
		"lists: .../debug/pprof/heap, .../debug/pprof/goroutine?debug=2",
		path);
}

struct err *evidence_ask(const struct args *a, int *status, bool *ret_done)
{
	const struct row *row = NULL;
	struct kind_found k;
	struct err *err;
	bool several = false;

	*ret_done = false;
	if (!a->nargs || a->cmd->free)
		return NULL;
	if (a->nargs > 1 && !strcmp(a->cmd->name, "report"))
		return NULL; /* all are read beside each other: mix.h */
	err = evidence_kind(a, 0, &k);
	if (err) {
		err_free(err); /* whoever opens it says so */
		return NULL;
	}
	row = row_of(a, k.kind);
	if (k.kind == KIND_UNKNOWN)
		err = evidence_no_page(a->arg[0]);
	if (!err && !row && is_text(k.kind))
		err = look_deeper(a, &row);
	if (!err && is_text(k.kind) && !strcmp(a->cmd->name, "report"))
		err = holds_several(a->arg[0], &several);
	if (err || several)
		return err;
	if (!row)
		return is_evidence(k.kind) ? other_command(a, k.kind) : NULL;
	*ret_done = true;
	return row->run(a, status);
}
