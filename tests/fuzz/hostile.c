/*
 * hostile.c - a lying target through the whole pipeline: `hostile PID FIRST LAST [SECONDS [MIB]]`.
 *
 * Each seed is a run in a child of its own: it must end with an answer or with one clear
 * error, within SECONDS (20) and MIB (2048), and under ASan without a leak.  Prints the seeds
 * that did not, and a summary; exit 1 if there were any.  `hostile PID SEED` alone repeats one
 * in the foreground, for a debugger.
 */
#include "liar.h"
#include "pipeline.h"
#include "wrap.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void arm(void *arg, enum pipeline_phase p)
{
	struct liar *l = arg;
	/* From the beginning, or after a true start: else damage ends most runs early. */
	static const enum pipeline_phase from[] = { PHASE_OPEN, PHASE_SNAPSHOT, PHASE_SNAPSHOT,
						    PHASE_GRAPH, PHASE_ANSWERS };

	if (p >= from[liar_hash(l->seed, 2) % ARRAY_LEN(from)])
		l->armed = 1;
}

static void note(struct liar_notes *n, taddr at, uint64_t nbytes, unsigned times)
{
	for (unsigned i = 0; at && i < times; i++)
		(void)vec_push(&n->hot, (struct trange){ at, at + nbytes });
	(void)vec_push(&n->pool, at);
}

/* What the truth says is worth lying about. */
static void learn(void *arg, const struct snapshot *s)
{
	struct liar *l = arg;
	struct liar_notes *n = l->record;
	const struct go *g = s->go;
	const taddr vars[] = { g->v.mheap,	  g->v.allgs,	 g->v.allfin,  g->v.gccleanups,
			       g->v.allm,	  g->v.allp,	 g->v.sched,   g->v.work,
			       g->v.gccontroller, g->v.memstats, g->v.mbuckets };

	for (size_t i = 0; i < ARRAY_LEN(vars); i++)
		note(n, vars[i], 256, 20);
	for (size_t i = 0; i < g->nmodules; i++) {
		note(n, g->modules[i].addr, 640, 200);
		note(n, g->modules[i].types.start, 4096, 20);
		(void)vec_push(&n->pool, g->modules[i].text.start);
	}
	for (size_t i = 0; i < s->heap.spans.n; i++) {
		note(n, s->heap.spans.v[i].mspan, 160, 3);
		note(n, s->heap.spans.v[i].base, s->heap.spans.v[i].bytes, 1);
	}
	for (size_t i = 0; i < s->heap.specials.n; i++)
		note(n, s->heap.specials.v[i].at, 48, 5);
	for (size_t i = 0; i < s->stacks.gs.n; i++) {
		const struct go_goroutine *gr = &s->stacks.gs.v[i];

		note(n, gr->g, 440, 10);
		note(n, gr->waiting, 96, 10);
		if (gr->stack_hi > gr->stack_lo)
			note(n, gr->stack_hi - MIN(4096, gr->stack_hi - gr->stack_lo), 4096, 5);
		note(n, gr->m, 512, 3);
	}
	for (size_t i = 0; i < s->types.n; i++)
		note(n, s->types.v[i].rtype, 120, 4);
	for (size_t i = 0; i < s->stacks.frames.n; i++)
		(void)vec_push(&n->pool, s->stacks.frames.v[i].pc);
}

enum { UNMAPPED = 3, LEAK, TOO_LONG };

struct outcome {
	char text[600];
	char lie[200];
};

static struct err *run_seed(struct target *t, const struct liar_notes *notes, uint64_t seed,
			    struct outcome *out)
{
	struct liar l;
	struct pipeline p = { .t = &l.t, .seed = seed, .nthreads = 1 + (seed & 1), .arg = &l };
	struct err *err = liar_init(&l, t, seed, notes);

	p.phase = arm;
	liar_describe(&l, out->lie, sizeof(out->lie));
	if (!err)
		err = pipeline_run(&p);
	snprintf(out->text, sizeof(out->text),
		 "phase %d, %" PRIu64 " answers, %" PRIu64 " refusals: %s", (int)p.reached,
		 p.nanswers, p.nrefusals, err ? err->msg : "whole");
	liar_deinit(&l);
	return err;
}

void __sanitizer_print_stack_trace(void) __attribute__((weak));

static void too_long(int sig)
{
	(void)sig;
	if (__sanitizer_print_stack_trace)
		__sanitizer_print_stack_trace();
	_exit(TOO_LONG);
}

static int child(struct target *t, const struct liar_notes *notes, uint64_t seed, unsigned seconds)
{
	struct outcome out = { 0 };
	struct err *err;

	signal(SIGALRM, too_long);
	alarm(seconds);
	wrap_begin(0, WRAP_NONE);
	err = run_seed(t, notes, seed, &out);
	if (err)
		pipeline_check_error(err);
	err_free(err);
	if (getenv("HOSTILE_SHOW"))
		fprintf(stderr, "seed %" PRIu64 ": %s: %s\n", seed, out.lie, out.text);
	if (wrap_mapped()) {
		fprintf(stderr, "BUG: %zu mapped bytes leaked\n", wrap_mapped());
		return UNMAPPED;
	}
	/* The leak check takes longer than the run: for one in four. */
	return seed % 4 == 0 && wrap_leaks() ? LEAK : 0;
}

static bool one(struct target *t, const struct liar_notes *notes, uint64_t seed, unsigned seconds,
		long mib)
{
	struct rusage ru;
	struct liar l;
	char lie[200];
	int status = 0;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		_exit(child(t, notes, seed, seconds));
	while (wait4(pid, &status, 0, &ru) < 0 && errno == EINTR)
		;
	if (status == 0 && ru.ru_maxrss / 1024 < mib)
		return true;
	if (!liar_init(&l, t, seed, notes))
		liar_describe(&l, lie, sizeof(lie));
	printf("FAIL seed %" PRIu64 " (%s): status 0x%x%s, %ld MiB\n", seed, lie, status,
	       WIFEXITED(status) && WEXITSTATUS(status) == TOO_LONG ? " (too long)" : "",
	       ru.ru_maxrss / 1024);
	liar_deinit(&l);
	return false;
}

static struct err *truth(struct target *t, struct liar_notes *notes)
{
	struct liar l;
	struct pipeline p = { .t = &l.t, .nthreads = 1, .look = learn, .arg = &l };
	struct err *err = liar_init(&l, t, 0, NULL);

	l.record = notes;
	if (!err)
		err = pipeline_run(&p);
	printf("truth: %" PRIu64 " answers, %" PRIu64 " refusals, %zu hot places\n", p.nanswers,
	       p.nrefusals, notes->hot.n);
	return err;
}

static int fail(struct err *err)
{
	fprintf(stderr, "hostile: %s\n", err->msg);
	err_free(err);
	return 2;
}

int main(int argc, char **argv)
{
	struct target_opts o = { .method = TARGET_BY_FORK, .max_pause_ns = 10000000000U };
	_cleanup_(target_closep) struct target *t = NULL;
	struct liar_notes notes = { 0 };
	unsigned long bad = 0;

	if (argc < 3) {
		fprintf(stderr, "hostile PID FIRST [LAST [SECONDS [MIB]]]\n");
		return 2;
	}
	struct err *err = target_open_live(atoi(argv[1]), &o, &t);

	if (!err)
		err = truth(t, &notes);
	if (err)
		return fail(err);
	uint64_t first = strtoull(argv[2], NULL, 10);
	uint64_t last = argc > 3 ? strtoull(argv[3], NULL, 10) : first;
	unsigned seconds = argc > 4 ? (unsigned)atoi(argv[4]) : 20;
	long mib = argc > 5 ? atol(argv[5]) : 2048;

	if (argc == 3)
		bad = child(t, &notes, first, 0) != 0;
	for (uint64_t seed = first; argc > 3 && seed <= last; seed++) {
		bad += !one(t, &notes, seed, seconds, mib);
		if (seed % 500 == 0)
			printf("seed %" PRIu64 ": %lu bad so far\n", seed, bad);
	}
	printf("%" PRIu64 " runs, %lu bad\n", last - first + 1, bad);
	vec_free(&notes.hot);
	vec_free(&notes.pool);
	return bad != 0;
}
