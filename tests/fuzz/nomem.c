/*
 * nomem.c - the Nth allocation fails, in all that limpet does: `nomem PID FIRST LAST STEP [all]`.
 *
 * One child a number: attach, pipeline, detach.  It must end whole, with losses, or with one
 * clear error; nothing may leak, and the target must run as before.  `all`: all from the Nth on
 * fail.  LAST 0: until none is left.  `nomem PID threads`: no thread can be started.
 */
#include "liar.h"
#include "pipeline.h"
#include "wrap.h"

#include "target/procfs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

enum { OK, LEAK = 3, NONE_LEFT = 10 };

static struct err *whole(pid_t pid, struct pipeline *p)
{
	struct target_opts o = { .method = TARGET_BY_FORK, .max_pause_ns = 10000000000U };
	_cleanup_(target_closep) struct target *t = NULL;
	struct err *err = target_open_live(pid, &o, &t);

	if (err)
		return err;
	p->t = t;
	return pipeline_run(p);
}

static int child(pid_t pid, uint64_t n, enum wrap_mode mode)
{
	struct pipeline p = { .nthreads = 1 + (n & 1), .seed = 1 };
	char text[600];
	struct err *err;
	bool refused;

	alarm(120);
	wrap_begin(n, mode);
	err = whole(pid, &p);
	refused = wrap_refused() || err; /* the surgeon counts for itself */
	wrap_end();
	snprintf(text, sizeof(text), "%s", err ? err->msg : "whole");
	if (err)
		pipeline_check_error(err);
	if (getenv("HOSTILE_SHOW") || (err && err->code != ERR_NOMEM))
		fprintf(stderr,
			"n %" PRIu64 ": phase %d, %" PRIu64 " answers, %" PRIu64 " refusals: %s\n",
			n, (int)p.reached, p.nanswers, p.nrefusals, text);
	err_free(err);
	if (wrap_mapped()) {
		fprintf(stderr, "BUG: %zu mapped bytes leaked\n", wrap_mapped());
		return LEAK;
	}
	if (wrap_leaks())
		return LEAK;
	return refused ? OK : NONE_LEFT;
}

/* Runs, is not traced, has no child of ours. */
static bool unharmed(pid_t pid, char *why, size_t cap)
{
	struct proc_status s;
	char kids[256] = "", path[64];
	struct err *err = proc_read_status(pid, 0, &s);

	if (err) {
		snprintf(why, cap, "%.100s", err->msg);
		err_free(err);
		return false;
	}
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	(void)proc_read_small(kids, sizeof(kids), "%s", path);
	snprintf(why, cap, "state %c, tracer %d, children \"%s\"", s.state, s.tracer, kids);
	return strchr("SR", s.state) && !s.tracer && !kids[0];
}

static int one(pid_t pid, uint64_t n, enum wrap_mode mode)
{
	char why[400];
	int status = 0;
	pid_t kid;

	fflush(NULL);
	kid = fork();
	if (kid == 0)
		_exit(child(pid, n, mode));
	while (waitpid(kid, &status, 0) < 0 && errno == EINTR)
		;
	struct target_cleaned cleaned;

	/* Who never gets memory again cannot reap: the next one must. */
	if (mode == WRAP_FROM_NTH)
		err_free(target_clean(pid, &cleaned));
	bool fine = unharmed(pid, why, sizeof(why));

	if (WIFEXITED(status) && WEXITSTATUS(status) == NONE_LEFT && fine)
		return 1;
	if (status == 0 && fine)
		return 0;
	printf("FAIL n %" PRIu64 ": status 0x%x; target: %s\n", n, status, why);
	return fine ? -1 : -2;
}

int main(int argc, char **argv)
{
	bool threads = argc == 3 && !strcmp(argv[2], "threads");
	enum wrap_mode mode = threads ? WRAP_THREADS : argc == 6 ? WRAP_FROM_NTH : WRAP_NTH;
	unsigned long runs = 0, bad = 0;

	if (argc < 5 && !threads) {
		fprintf(stderr, "nomem PID FIRST LAST STEP [all]\nnomem PID threads\n");
		return 2;
	}
	pid_t pid = atoi(argv[1]);
	uint64_t first = threads ? 1 : strtoull(argv[2], NULL, 10);
	uint64_t last = threads ? 1 : strtoull(argv[3], NULL, 10);
	uint64_t step = threads ? 1 : strtoull(argv[4], NULL, 10);
	int rc = 0;

	for (uint64_t n = first; (!last || n <= last) && rc != 1 && rc != -2; n += MAX(step, 1U)) {
		rc = one(pid, n, mode);
		bad += rc < 0;
		runs++;
		if (runs % 500 == 0)
			printf("n %" PRIu64 ": %lu bad so far\n", n, bad);
	}
	printf("%lu runs, %lu bad%s\n", runs, bad, rc == 1 ? ", none left" : "");
	return bad != 0;
}
