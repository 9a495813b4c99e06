/*
 * session.c - target, Go, snapshot, graph in their legal order, and the way out.
 */
#include "cli/session.h"
#include "cli/config.h"
#include "cli/interrupt.h"
#include "cli/stores.h"
#include "base/par.h"
#include "cli/walls.h"
#include "elf/exe.h"
#include "report/kept.h"
#include "report/out.h"
#include "snapshot/dump.h"
#include "snapshot/vars.h"
#include "target/kind.h"

#include <stdio.h>

struct err *session_stage(struct session *s, const char *what)
{
	if (!args_has(s->args, OPT_QUIET) && isatty(STDERR_FILENO)) {
		fprintf(stderr, "\r\x1b[K%s", what);
		if (*what)
			fputs(" \xe2\x80\xa6", stderr);
		fflush(stderr);
		s->progress = *what != 0;
	}
	return interrupt_check();
}

static void end_progress(struct session *s)
{
	if (s->progress)
		fputs("\r\x1b[K", stderr);
	s->progress = false;
}

static struct err *open_live(const struct args *a, pid_t pid, struct session *s)
{
	struct target_opts to = walls_look(a);
	struct err *err = session_stage(s, "taking the snapshot");

	if (err)
		return err;
	return a->broker ? broker_look(a->broker, &s->t) : target_open_live(pid, &to, &s->t);
}

static struct err *open_core(const struct args *a, const char *path, struct session *s)
{
	struct target_file_opts fo = { .exe = a->exe, .sysroot = a->sysroot };
	struct err *err = session_stage(s, "reading the core");

	return err ? err : target_open_core(path, &fo, &s->t);
}

static struct err *open_dump(const struct args *a, const char *path, struct session *s)
{
	struct target_file_opts fo = { .exe = a->exe };
	struct err *err = session_stage(s, "reading the heap dump");

	return err ? err : target_open_dump(path, &fo, &s->t);
}

/* The one place where a kind of evidence meets its opener. */
static struct err *open_target(const struct args *a, const struct kind_found *k, struct session *s)
{
	switch (k->kind) {
	case KIND_LIVE:
		return open_live(a, k->pid, s);
	case KIND_CORE:
		return open_core(a, k->path, s);
	case KIND_HEAPDUMP:
		return open_dump(a, k->path, s);
	case KIND_STORE: /* who can do with answers alone has asked it before (cli/stores.h) */
		return err_unsupported("%.200s: a store holds answers, and not the memory that %s "
				       "looks into; give a process, a core or a heap dump",
				       a->arg[0], a->cmd->name);
	case KIND_UNKNOWN:
	case KIND_EMPTY:
	case KIND_EXE:
		return err_unsupported("%.200s: %s; give a process or a core", a->arg[0],
				       kind_words(k->kind));
	default:
		return err_unsupported("%.200s: %s, which this version of limpet (" LIMPET_VERSION
				       ") does not read; give a process or a core",
				       a->arg[0], kind_words(k->kind));
	}
}

/* What the file lacks is the likely cause of whatever is wrong with it. */
static struct err *with_lacks(struct err *err, const struct target *t)
{
	char size[16];
	size_t n, len;
	const struct target_loss *l = target_losses(t, &n);

	if (!err || err->code == ERR_NOMEM || err->code == ERR_LIMIT || !n)
		return err;
	len = strlen(err->msg);
	snprintf(err->msg + len, sizeof(err->msg) - len, " (lost: %s, %s)", l->what,
		 str_bytes(size, l->bytes));
	return err;
}

static struct err *open_go(const struct args *a, const struct kind_found *k, struct session *s)
{
	bool live = k->kind == KIND_LIVE;
	/* files have looked at --exe themselves */
	struct go_opts go = { .layout_file = a->layout,
			      .exe = live ? a->exe : NULL,
			      .symbols = a->symbols,
			      .sysroot = a->sysroot };
	struct err *err = session_stage(s, "finding the Go runtime");

	if (err)
		return err;
	err = k->kind == KIND_HEAPDUMP ? snap_dump_go(s->t, &s->go) : go_open(s->t, &go, &s->go);
	if (!err && a->exe && k->kind == KIND_HEAPDUMP)
		err = snap_dump_exe(s->go, a->exe);
	return live ? err_prefix(err, "pid %d", k->pid)
		    : err_prefix(with_lacks(err, s->t), "%.200s", k->path);
}

static struct err *attach(const struct args *a, struct session *s)
{
	struct kind_found k;
	struct err *err = kind_recognise(a->arg[0], &k);

	if (!err)
		err = open_target(a, &k, s);
	return err ? err : open_go(a, &k, s);
}

struct err *session_attach(const struct args *a, struct session *ret)
{
	struct session s = { .args = a };
	struct err *err;

	s.nthreads = a->threads ? (unsigned)a->threads : par_default_threads();
	err = attach(a, &s);
	if (err) {
		session_close(&s);
		return err;
	}
	*ret = s;
	return NULL;
}

/* Is it a Go program by its file, whatever its runtime looks like? */
static bool is_go_file(const struct target *t)
{
	struct elf_exe e = { 0 };
	struct err *err;
	bool go;

	if (target_exe_fd(t) < 0)
		return false;
	err = elf_exe_read(target_exe_fd(t), target_exe(t), &e);
	go = !err && e.go;
	if (!err)
		elf_exe_deinit(&e);
	err_free(err);
	return go;
}

struct err *session_attach_memory(const struct args *a, struct session *ret, struct err **ret_why)
{
	struct session s = { .args = a };
	struct err *err = attach(a, &s);

	s.nthreads = a->threads ? (unsigned)a->threads : par_default_threads();
	*ret_why = NULL;
	if (err && s.t && !s.go && (err->code == ERR_UNSUPPORTED || err->code == ERR_BAD_DATA) &&
	    target_capture(s.t)->kind != TARGET_DUMP && is_go_file(s.t)) {
		*ret_why = err;
		err = NULL;
	}
	if (err) {
		session_close(&s);
		return err;
	}
	*ret = s;
	return NULL;
}

struct err *session_adopt(const struct args *a, struct target *t, struct session *ret)
{
	struct session s = { .args = a, .t = t };
	struct go_opts go = { .layout_file = a->layout };
	struct err *err = go_open(t, &go, &s.go);

	s.nthreads = a->threads ? (unsigned)a->threads : par_default_threads();
	if (err) {
		session_close(&s);
		return err;
	}
	*ret = s;
	return NULL;
}

struct err *session_snapshot(struct session *s)
{
	struct snap_opts so = { .nthreads = s->nthreads,
				.keep = s->want == SESSION_KEPT ? SNAP_KEEP_WORDS : SNAP_KEEP_EDGES,
				.max_memory = s->args->max_memory };
	struct err *err = session_stage(s, "reading heap and stacks");

	if (!err)
		err = snapshot_create(s->t, s->go, &so, &s->s);
	if (err)
		return err;
	s->agg = (struct agg){ .s = s->s, .nthreads = s->nthreads, .values = ANS_VALUES_HASH };
	s->agg.detail = s->args->detail;
	if (args_has(s->args, OPT_VALUES))
		s->agg.values = s->args->values;
	return NULL;
}

/* A table of another version is accepted only if the collector's own marks agree with it. */
static struct err *ask_oracle(const struct session *s)
{
	_cleanup_(verify_deinit) struct verify_result v = { 0 };
	struct err *err = verify_run(s->s, s->g, &v);

	if (err || (v.gc_objects && verify_holds(&v)))
		return err;
	if (!v.gc_objects)
		return err_unsupported(
			"%s: there is no layout for this version, and no mark bits to prove that of Go %s "
			"by (%s): try again after a GC cycle, or make a table with "
			"`limpet layout --go PATH` and give it with --layout",
			s->go->version, s->go->L->go, v.phase ? v.phase : "no cycle yet");
	return err_unsupported(
		"%s: there is no layout for this version, and with that of Go %s only "
		"%" PRIu64 " of %" PRIu64 " marked objects are reached: make a table "
		"with `limpet layout --go PATH` and give it with --layout",
		s->go->version, s->go->L->go, v.gc_objects - v.missing, v.gc_objects);
}

static struct err *name_objects(struct session *s, unsigned nthreads)
{
	struct snap_arrows a = { s->g->first, s->g->to, graph_node_of_object(s->g, 0) };

	return snapshot_types(s->s, &a, nthreads);
}

/* Neither reads what the other writes. */
enum { PART_DOMINATORS, PART_NAMES, PARTS };

static struct err *part(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct session *s = arg;
	struct err *err = NULL;

	(void)worker;
	for (size_t i = lo; i < hi && !err; i++)
		err = i == PART_DOMINATORS ? agg_dominators(&s->agg)
					   : name_objects(s, MAX(s->nthreads, 2U) - 1);
	return err;
}

static struct err *name_all(struct session *s)
{
	return s->want == SESSION_NAMED ? name_objects(s, s->nthreads)
					: par_for(MIN(s->nthreads, 2U), PARTS, 1, part, s);
}

struct err *session_graph(struct session *s)
{
	struct err *err = session_stage(s, "building the object graph");

	if (!err)
		err = graph_create(s->s, s->nthreads, &s->g);
	s->agg.g = s->g;
	if (!err && !s->go->layout_exact)
		err = ask_oracle(s);
	if (!err)
		err = snap_vars_learn(s->s);
	if (!err)
		err = session_stage(s, "naming the objects");
	if (!err)
		err = name_all(s);
	return err;
}

static bool is_store(const struct args *a)
{
	struct kind_found k;
	struct err *err = kind_recognise(a->arg[0], &k);
	bool is = !err && k.kind == KIND_STORE;

	err_free(err); /* whoever opens it says so */
	return is;
}

/* Answers that were made before. */
static struct err *open_store(const struct args *a, struct session *ret)
{
	_cleanup_(session_close) struct session s = { .args = a, .nthreads = 1 };
	struct err *err = session_stage(&s, "reading the store");

	if (!err)
		err = session_store(a, 0, &s.store);
	if (!err)
		err = kept_ask(&s.agg, s.store);
	if (!err && args_has(a, OPT_VALUES))
		err = kept_values(&s.agg, a->values);
	if (err)
		return err;
	s.agg.values = args_has(a, OPT_VALUES) ? a->values : ANS_VALUES_HASH;
	*ret = s;
	s = (struct session){ 0 };
	kept_moved(&ret->agg);
	return NULL;
}

struct err *session_open(const struct args *a, struct session *ret)
{
	return is_store(a) ? open_store(a, ret) : session_look(a, SESSION_NAMED, ret);
}

struct err *session_referrers(struct session *s)
{
	struct err *err;

	if (s->agg.asked)
		return NULL;
	err = graph_dominators(s->g, s->nthreads);
	return err ? err : graph_reverse(s->g, s->nthreads);
}

struct err *session_look(const struct args *a, enum session_want want, struct session *ret)
{
	_cleanup_(session_close) struct session s = { 0 };
	struct err *err = session_attach(a, &s);

	s.want = want;
	if (!err)
		err = session_snapshot(&s);
	if (!err)
		err = session_graph(&s);
	if (err)
		return err;
	*ret = s;
	s = (struct session){ 0 };
	return NULL;
}

struct err *session_head(struct session *s, struct ans_head *ret)
{
	if (s->t)
		target_release(s->t);
	return agg_head(&s->agg, ret);
}

void session_forget(struct session *s)
{
	agg_deinit(&s->agg);
	s->agg = (struct agg){ 0 };
	graph_free(STEAL(s->g));
	snapshot_free(STEAL(s->s));
}

void session_close(struct session *s)
{
	if (s->args)
		end_progress(s);
	session_forget(s);
	store_close(s->store);
	go_close(s->go);
	target_close(s->t);
	*s = (struct session){ 0 };
}

enum text_style session_style(const struct args *a)
{
	const char *no = getenv("NO_COLOR");
	bool plain = args_has(a, OPT_NO_COLOR) || (no && *no) || a->out || !isatty(STDOUT_FILENO);

	return plain ? TEXT_PLAIN : TEXT_COLOR;
}

unsigned session_values(const struct args *a)
{
	if (args_has(a, OPT_VALUES))
		return a->values;
	if (a->out || args_has(a, OPT_JSON) || !isatty(STDOUT_FILENO))
		return ANS_VALUES_HASH;
	return ANS_VALUES_FULL;
}

struct err *session_trees(const struct args *a, unsigned otherwise, struct session_trees *ret)
{
	static const unsigned trees[] = { AGG_TREE_EXACT, AGG_TREE_OWNER, AGG_TREE_BOTH };
	struct err *err;

	ret->trees = a->owners ? AGG_TREE_BOTH : otherwise;
	for (size_t i = 0; a->tree && i <= ARRAY_LEN(trees); i++) {
		if (i == ARRAY_LEN(trees))
			return err_usage("--tree %.100s: want exact, owner or both", a->tree);
		ret->trees = trees[i];
		if (!strcmp(a->tree, ans_trees_word(trees[i])))
			break;
	}
	err = owner_rules_create(a->owners, &ret->rules);
	return err ? err : config_owners(a->config, &ret->rules);
}

struct err *session_emit(struct session *s, const struct str *o)
{
	end_progress(s);
	return out_write(s->args->out, o);
}

size_t session_limit(const struct args *a, size_t otherwise)
{
	return a->limit == UINT64_MAX ? otherwise : (size_t)a->limit;
}
