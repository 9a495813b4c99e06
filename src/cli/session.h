/*
 * session.h - one look at a target: opened, frozen, asked, let go.
 *
 * The order is the twin's life: it is forked in session_open() and dropped as soon as
 * no more bytes are needed (session_head), before the answer is rendered.
 */
#ifndef LIMPET_CLI_SESSION_H
#define LIMPET_CLI_SESSION_H

#include "cli/args.h"
#include "graph/verify.h"
#include "report/agg.h"
#include "report/json.h"
#include "report/owner.h"
#include "report/text.h"
#include "store/store.h"

/* What is asked for next; then what does not hang together is done side by side. */
enum session_want {
	SESSION_NAMED,
	SESSION_DOMINATED, /* agg_dominators(), too: one thread makes them while the others name */
	SESSION_KEPT,	   /* and all that goes into a store */
};

struct session {
	const struct args *args;
	struct target *t;
	struct go *go;
	struct snapshot *s;
	struct graph *g;
	struct agg agg;
	struct store *store; /* it is one that is asked: t, go, s, g are NULL */
	unsigned nthreads;
	enum session_want want;
	bool progress; /* a line on stderr is open */
};

/* Attach and find the Go runtime; no snapshot yet. */
struct err *session_attach(const struct args *a, struct session *ret) MUST_CHECK;
/*
 * For who wants the memory alone: a Go program whose runtime is not understood (too new, damaged)
 * is no error, go stays NULL and *ret_why, owned by the caller, says why.
 */
struct err *session_attach_memory(const struct args *a, struct session *ret,
				  struct err **ret_why) MUST_CHECK;
/* A target that is open already; it is ours now, also on error. */
struct err *session_adopt(const struct args *a, struct target *t, struct session *ret) MUST_CHECK;
/* The frozen model, and the agg (without graph). */
struct err *session_snapshot(struct session *s) MUST_CHECK;
struct err *session_graph(struct session *s) MUST_CHECK;
/* All three. */
struct err *session_look(const struct args *a, enum session_want want,
			 struct session *ret) MUST_CHECK;
/* The same, or a store to be asked: for who wants answers of agg.h and no more. */
struct err *session_open(const struct args *a, struct session *ret) MUST_CHECK;
/* Exact dominators and references backwards, of a look. */
struct err *session_referrers(struct session *s) MUST_CHECK;
/* Drop the twin (later reads fail softly), then the head: only now is a frozen target's pause
 * known. */
struct err *session_head(struct session *s, struct ans_head *ret) MUST_CHECK;
/* Snapshot, graph, agg; target and go stay. */
void session_forget(struct session *s);
void session_close(struct session *s);

/* All of `limpet report` but the head. */
struct err *report_body(struct session *s, struct ans_report *r) MUST_CHECK;

/* --tree, --owners.  Before session_open(): a rule that is wrong stops no program. */
struct session_trees {
	unsigned trees; /* AGG_TREE_* */
	struct owner_rules rules;
};
struct err *session_trees(const struct args *a, unsigned otherwise,
			  struct session_trees *ret) MUST_CHECK;
static inline void session_trees_deinit(struct session_trees *t)
{
	owner_rules_deinit(&t->rules);
}

/* On a terminal: say what is being done. */
struct err *session_stage(struct session *s, const char *what) MUST_CHECK;

/* Of what was asked for by its name: --values; else in full on a terminal, and hashes elsewhere. */
unsigned session_values(const struct args *a);

/* Output of a command: stdout or -o. */
enum text_style session_style(const struct args *a);
struct err *session_emit(struct session *s, const struct str *o) MUST_CHECK;
size_t session_limit(const struct args *a, size_t otherwise);

#endif
