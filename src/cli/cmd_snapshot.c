/*
 * cmd_snapshot.c - `limpet snapshot`: the frozen program as an ELF core, or analysed as a store.
 *
 * The file appears whole or not at all; the program runs on while it is written.
 */
#include "cli/cmds.h"
#include "cli/interrupt.h"
#include "cli/stores.h"
#include "base/clock.h"
#include "report/corefile.h"
#include "report/out.h"
#include "report/storefile.h"

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

/* `.limpet` in its name: the analysed store. */
static bool wants_store(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strstr(slash ? slash : path, ".limpet") != NULL;
}

static struct err *check_store_args(const struct args *a)
{
	if (args_has(a, OPT_ZSTD))
		return err_usage("--zstd: a store (.limpet) is packed already; it is for cores");
	if (args_has(a, OPT_NO_PAYLOAD | OPT_REDACT))
		return err_usage("%s: for cores; a store (.limpet) has no values of the program",
				 args_has(a, OPT_REDACT) ? "--redact" : "--no-payload");
	return NULL;
}

static struct err *say_store(const struct args *a, const struct ans_head *h,
			     const struct storefile_done *d)
{
	_cleanup_(str_deinit) struct str text = { 0 };

	if (args_has(a, OPT_JSON))
		storefile_json(&text, h, d);
	else
		storefile_text(&text, h, d);
	return out_write(NULL, &text);
}

static struct err *write_store(const struct args *a)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(ans_head_deinit) struct ans_head h = { 0 };
	_cleanup_(store_closep) struct store *w = NULL;
	struct storefile_done d = { .path = a->out };
	uint64_t begun = clock_ns(), looked, analysed;
	struct err *err = check_store_args(a);

	if (!err)
		err = session_look(a, SESSION_KEPT, &s);
	looked = clock_ns();
	if (!err)
		err = session_into_store(&s, &h, &w);
	analysed = clock_ns();
	if (!err)
		err = session_stage(&s, "writing");
	if (!err)
		err = storefile_write(a->out, w, &d.file_bytes);
	if (!err)
		err = session_stage(&s, "");
	if (err)
		return err;
	d.objects = s.g->nreached_objects;
	d.bytes = s.g->reached_bytes;
	d.look_ns = looked - begun;
	d.analyse_ns = analysed - looked;
	d.write_ns = clock_ns() - analysed;
	return say_store(a, &h, &d);
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
	if (!err && wants_store(a->out))
		return write_store(a);
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
