/*
 * cmd_snapshot.c - `limpet snapshot`: the frozen program as an ELF core.
 *
 * The file appears whole or not at all; the program runs on while it is written.
 */
#include "cli/cmds.h"
#include "cli/interrupt.h"
#include "cli/session.h"
#include "base/clock.h"
#include "report/corefile.h"
#include "report/out.h"

#include <stdatomic.h>
#include <stdio.h>

#define SAY_EVERY_NS 200000000U

struct progress {
	struct session *s;
	bool shown;
	_Atomic uint64_t next_ns;
};

/* Called by several threads. */
static struct err *tick(void *arg, uint64_t done, uint64_t total)
{
	struct progress *p = arg;
	uint64_t now = clock_ns(), next = atomic_load(&p->next_ns);

	if (p->shown && total && now >= next &&
	    atomic_compare_exchange_strong(&p->next_ns, &next, now + SAY_EVERY_NS))
		fprintf(stderr, "\r\x1b[Kwriting %" PRIu64 " %%", 100 * done / total);
	return interrupt_check();
}

static bool to_stdout(const char *path)
{
	return !strcmp(path, "-") || !strcmp(path, "/dev/stdout");
}

static struct err *check_args(const struct args *a)
{
	if (!a->out)
		return err_usage("snapshot: -o FILE says where the core goes");
	if (strstr(a->out, ".limpet"))
		return err_usage("-o %.200s: analysed stores (.limpet) are not in this version of "
				 "limpet (" LIMPET_VERSION "); any other name gives a core",
				 a->out);
	if (to_stdout(a->out) && args_has(a, OPT_JSON))
		return err_usage("-o %s: the core itself goes to stdout, and --json too; give a "
				 "file",
				 a->out);
	if (to_stdout(a->out) && isatty(STDOUT_FILENO))
		return err_usage("-o %s: a core is no text for a terminal; give a file", a->out);
	return NULL;
}

static enum core_detail detail_of(const struct args *a)
{
	if (args_has(a, OPT_REDACT))
		return CORE_REDACTED;
	return args_has(a, OPT_NO_PAYLOAD) ? CORE_NO_PAYLOAD : CORE_ALL;
}

/* The analysis that tells structure from contents. */
static struct err *learn(struct session *s)
{
	struct snap_edges e = { 0 };
	struct err *err = session_snapshot(s);

	if (!err && !s->go->layout_exact)
		return session_graph(s); /* a neighbour's table must have proved itself first */
	if (!err)
		err = session_stage(s, "telling structure from contents");
	if (!err)
		err = snapshot_edges(s->s, s->nthreads, &e);
	if (!err)
		snapshot_edges_deinit(&e);
	return err;
}

/* All memory can be kept also of a Go version that nobody knows yet; telling what it is cannot. */
static struct err *take(const struct args *a, enum core_detail detail, struct session *s)
{
	_cleanup_(err_freep) struct err *why = NULL;
	struct err *err = session_attach_memory(a, s, &why);

	if (err)
		return err;
	if (target_capture(s->t)->kind == TARGET_DUMP)
		return err_unsupported("%.200s: a heap dump is not the memory of a process; give a "
				       "process or a core",
				       a->arg[0]);
	if (why && detail != CORE_ALL)
		return STEAL(why);
	if (why && !args_has(a, OPT_QUIET))
		fprintf(stderr, "limpet: the core is whole, but limpet cannot read it yet: %s\n",
			why->msg);
	return detail == CORE_ALL ? NULL : learn(s);
}

static struct err *say(const struct args *a, const struct session *s, const struct corefile_opts *o,
		       const struct corefile_done *d)
{
	_cleanup_(str_deinit) struct str text = { 0 };

	if (args_has(a, OPT_JSON))
		corefile_json(&text, s->t, o, d);
	else
		corefile_text(&text, s->t, o, d);
	if (!to_stdout(a->out))
		return out_write(NULL, &text);
	if (!args_has(a, OPT_QUIET) && str_ok(&text))
		fputs(text.s, stderr);
	return NULL;
}

struct err *cmd_snapshot(const struct args *a, int *status)
{
	_cleanup_(session_close) struct session s = { 0 };
	struct progress p = { .s = &s };
	struct corefile_opts o = {
		.path = a->out,
		.detail = detail_of(a),
		.pack = args_has(a, OPT_ZSTD) ? CORE_ZSTD : CORE_PLAIN,
		.tick = tick,
		.arg = &p,
	};
	struct corefile_done done = { 0 };
	struct err *err = check_args(a);

	(void)status;
	if (!err)
		err = take(a, o.detail, &s);
	if (err)
		return err;
	o.nthreads = s.nthreads;
	err = session_stage(&s, "looking for pages that are zero");
	p.shown = s.progress;
	if (!err)
		err = corefile_write(s.t, s.go, s.s, &o, &done);
	if (!err)
		err = session_stage(&s, "");
	if (!err)
		err = say(a, &s, &o, &done);
	return err;
}
