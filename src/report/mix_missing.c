/*
 * mix_missing.c - what another piece of evidence would add, and the command that gets it.
 *
 * Only what would decide something here is named: a reader who gets a list of all that there is
 * reads none of it.
 */
#include "report/mix.h"

#include "report/answer_gotext.h"

#include <inttypes.h>

struct has {
	unsigned heaps, dumps, gclogs, escapes, lints;
	bool memory, suspect, goroutines, made, resources, grows;
};

static void look_at(const struct mixing *m, struct has *h)
{
	for (size_t i = 0; i < m->ask->njoins; i++) {
		const struct join_file *f = &m->ask->joins[i];

		h->heaps += f->pprof != NULL;
		h->dumps += f->said ? (unsigned)f->said->dumps.n : 0;
		h->gclogs += f->gclog != NULL;
		h->escapes += f->escape != NULL;
		h->lints += f->lint != NULL;
	}
	for (size_t i = 0; i < m->r->findings.rows.n; i++) {
		const struct ans_finding *f = &m->r->findings.rows.v[i];

		h->memory |= mix_is_memory(f);
		h->suspect |= !strcmp(f->verdict, "suspect");
		h->goroutines |= mix_is_leaky(f) && f->has_goroutine;
		h->made |= mix_is_memory(f) && f->origin.stack.n;
		h->grows |= !strcmp(f->kind, "heap-growth");
		h->resources |= !strcmp(f->kind, "context-leak") ||
				!strcmp(f->kind, "unclosed-resource") ||
				!strcmp(f->kind, "timer-leak");
	}
}

static struct err *want(struct mixing *m, const char *what, const char *command)
{
	struct ans_missing x = { what, command };

	return vec_push(&m->to->missing, x) ? NULL : &err_nomem;
}

/* "1234", or the word that stands for it. */
static const char *target_of(struct mixing *m)
{
	if (m->h.kind && !strcmp(m->h.kind, "live") && m->h.pid > 0)
		return keepf(m->k, "%" PRId64, m->h.pid);
	return "PID";
}

static struct err *of_look(struct mixing *m, const struct has *h, const char *pid)
{
	bool live = m->h.kind && !strcmp(m->h.kind, "live");

	if (m->h.kind && !m->r->since.file && (h->suspect || h->memory))
		return want(
			m, "a second look after some load tells what grew from what was there",
			live ? keepf(m->k,
				     "limpet snapshot %s -o before.limpet; later: limpet report %s "
				     "--since before.limpet",
				     pid, pid)
			     : "limpet report LATER --since THIS");
	if (!m->h.kind && m->r->findings.rows.n)
		return want(m,
			    "a look says who holds it, and proves which goroutines can never go on",
			    "limpet report PID, with these files behind it");
	return NULL;
}

struct err *mix_missing(struct mixing *m)
{
	const char *pid = target_of(m);
	struct has h = { 0 };
	struct err *err;

	look_at(m, &h);
	err = of_look(m, &h, pid);
	if (!err && !h.gclogs && h.memory)
		err = want(m, "a log of the collector tells whether the live heap grows at all",
			   "GODEBUG=gctrace=1 PROGRAM 2> gc.log");
	if (!err && !m->h.kind && !h.heaps && (h.grows || h.memory))
		err = want(m, "a heap profile says who allocated it",
			   keepf(m->k, "limpet profile %s --kind heap -o heap.pb.gz", pid));
	if (!err && !m->h.kind && h.heaps == 1 && (h.grows || h.memory))
		err = want(m, "a second heap profile shows which place grows",
			   keepf(m->k, "limpet profile %s --kind heap -o later.pb.gz", pid));
	if (!err && !m->h.kind && h.goroutines && h.dumps == 1)
		err = want(m, "a second dump of goroutines shows whether they pile up",
			   "curl 'localhost:6060/debug/pprof/goroutine?debug=2' > later.txt");
	if (!err && !m->h.kind && !h.dumps && h.grows)
		err = want(
			m,
			"goroutines may hold it: a dump shows how many there are, and since when",
			"curl 'localhost:6060/debug/pprof/goroutine?debug=2' > goroutines.txt");
	if (!err && !h.escapes && h.made)
		err = want(m, "the compiler says why it is on the heap where it is made",
			   "go build -gcflags=-m=2 ./... 2> escape.txt");
	if (!err && !h.lints && h.resources)
		err = want(m, "a linter may point at the line that forgets to close or to cancel",
			   "go vet -json ./... 2> vet.json");
	return err;
}
