/*
 * pulse.c - tests/e2e/test_pulse.py's hand: one reading of a process's counters, or some nudged
 * collections.
 *
 * usage: limpet-pulse read PID [N MS]   N lines "name value ...", MS apart
 *        limpet-pulse nudge PID CYCLES MS
 *        limpet-pulse hold PID          lowers the period and waits to be killed
 */
#include "target/poke.h"
#include "watch/nudge.h"
#include "watch/pulse_priv.h"

#include "base/mem.h"
#include "goruntime/goruntime.h"

#include <stdio.h>
#include <unistd.h>

static int fail(struct err *err)
{
	int code = err->code == ERR_USAGE						     ? 2
		   : err->code == ERR_GONE || err->code == ERR_DENIED || err->code == ERR_OS ? 3
		   : err->code == ERR_UNSUPPORTED || err->code == ERR_BAD_DATA		     ? 4
		   : err->code == ERR_LIMIT						     ? 5
											     : 70;

	fprintf(stderr, "%s\n", err->msg);
	err_free(err);
	return code;
}

static void say(const struct pulse *p)
{
	const struct {
		const char *name;
		uint64_t value;
	} rows[] = {
		{ "cycles", p->cycles },
		{ "forced", p->forced },
		{ "collecting", p->collecting },
		{ "heap_live", p->heap_live },
		{ "heap_marked", p->heap_marked },
		{ "heap_goal", p->heap_goal },
		{ "heap_in_use", p->heap_in_use },
		{ "heap_free", p->heap_free },
		{ "heap_released", p->heap_released },
		{ "stacks", p->stacks },
		{ "runtime_bytes", p->runtime_bytes },
		{ "total_alloc", p->total_alloc },
		{ "total_free", p->total_free },
		{ "mallocs", p->mallocs },
		{ "frees", p->frees },
		{ "pause_total_ns", p->pause_total_ns },
		{ "last_pause_ns", p->last_pause_ns },
		{ "last_gc_unix_ns", p->last_gc_unix_ns },
		{ "gc_cpu_ns", p->gc_cpu_ns },
		{ "total_cpu_ns", p->total_cpu_ns },
		{ "goroutines", p->goroutines },
		{ "rss", p->rss },
		{ "threads", p->threads },
		{ "cpu_ns", p->cpu_ns },
		{ "fds", p->fds },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		printf("%s %lld ", rows[i].name,
		       rows[i].value == UINT64_MAX ? -1LL : (long long)rows[i].value);
	printf("gogc %lld\n", (long long)p->gogc);
	fflush(stdout);
}

static int do_read(struct pulse_reader *x, int n, int ms)
{
	for (int i = 0; i < n; i++) {
		struct pulse p;
		struct err *err = pulse_read(x, &p);

		if (err)
			return fail(err);
		say(&p);
		if (ms && i + 1 < n)
			usleep((useconds_t)ms * 1000);
	}
	return 0;
}

static int do_nudge(pid_t pid, struct pulse_reader *x, unsigned cycles, uint64_t ms)
{
	_cleanup_(nudge_closep) struct nudge *n = NULL;
	struct nudge_done d = { 0 };
	struct err *err = nudge_open(pid, x, &n);

	if (!err)
		err = nudge_run(n, cycles, ms * 1000000, &d);
	printf("cycles %u wakes %u pause_ns %llu took_ns %llu\n", d.cycles, d.wakes,
	       (unsigned long long)d.max_pause_ns, (unsigned long long)d.took_ns);
	return err ? fail(err) : 0;
}

static int do_hold(pid_t pid, struct pulse_reader *x)
{
	struct poke_plan plan = { .usual = GO_FORCEGC_PERIOD_NS,
				  .meanwhile = GO_FORCEGC_NUDGED_NS };
	_cleanup_(poke_endp) struct poke *k = NULL;
	struct nudge_point at;
	struct err *err = pulse_point(x, &at);

	plan.at = at.period;
	if (!err)
		err = poke_start(pid, &plan, &k);
	if (!err)
		err = poke_set(k, POKE_MEANWHILE);
	if (err)
		return fail(err);
	printf("held %llx\n", (unsigned long long)at.period);
	fflush(stdout);
	return pause();
}

int main(int argc, char **argv)
{
	pid_t pid = argc > 2 ? atoi(argv[2]) : 0;
	_cleanup_(pulse_closep) struct pulse_reader *x = NULL;
	struct err *err;

	if (pid <= 0)
		return 2;
	err = pulse_open(pid, &x);
	if (err)
		return fail(err);
	if (!strcmp(argv[1], "nudge") && argc > 4)
		return do_nudge(pid, x, (unsigned)atoi(argv[3]), (uint64_t)atoll(argv[4]));
	if (!strcmp(argv[1], "hold"))
		return do_hold(pid, x);
	return do_read(x, argc > 4 ? atoi(argv[3]) : 1, argc > 4 ? atoi(argv[4]) : 0);
}
