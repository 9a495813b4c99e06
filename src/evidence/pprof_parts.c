/*
 * pprof_parts.c - functions of the runtime that tell what a sample was for.
 *
 * Each function is judged once; a stack's part is its own frame's or its callers', whichever comes
 * first in the order of parts: kept by node of the tree of stacks.  O(functions + stacks +
 * samples). Source: runtime/mgc.go, mgcmark.go, mgcsweep.go, mgcscavenge.go (collector), proc.go
 * (scheduler), malloc.go, lock_*.go, sema.go, internal/runtime/syscall, cgocall.go.
 */
#include "evidence/pprof_parts.h"

#include "evidence/pprof_unit.h"

/* A name that ends in '*' is the beginning of one. */
static const struct {
	const char *function;
	enum pprof_part part;
} table[] = {
	{ "runtime.gcBgMarkWorker*", PPROF_PART_COLLECT },
	{ "runtime.gcDrain*", PPROF_PART_COLLECT },
	{ "runtime.bgsweep", PPROF_PART_COLLECT },
	{ "runtime.bgscavenge", PPROF_PART_COLLECT },
	{ "runtime.gcStart*", PPROF_PART_COLLECT },
	{ "runtime.gcMarkTermination*", PPROF_PART_COLLECT },
	{ "runtime.gcMarkDone*", PPROF_PART_COLLECT },
	{ "runtime.runfinq", PPROF_PART_COLLECT },
	{ "runtime.gcAssistAlloc*", PPROF_PART_ASSIST },
	{ "runtime.deductAssistCredit", PPROF_PART_ASSIST },
	{ "runtime.deductSweepCredit", PPROF_PART_ASSIST },
	{ "runtime.mallocgc*", PPROF_PART_ALLOC },
	{ "runtime.newobject", PPROF_PART_ALLOC },
	{ "runtime.growslice*", PPROF_PART_ALLOC },
	{ "runtime.makeslice*", PPROF_PART_ALLOC },
	{ "runtime.rawbyteslice", PPROF_PART_ALLOC },
	{ "runtime.rawstring*", PPROF_PART_ALLOC },
	{ "runtime.findRunnable", PPROF_PART_SCHEDULE },
	{ "runtime.findrunnable", PPROF_PART_SCHEDULE },
	{ "runtime.schedule", PPROF_PART_SCHEDULE },
	{ "runtime.mcall", PPROF_PART_SCHEDULE },
	{ "runtime.park_m", PPROF_PART_SCHEDULE },
	{ "runtime.gosched_m", PPROF_PART_SCHEDULE },
	{ "runtime.goschedImpl", PPROF_PART_SCHEDULE },
	{ "runtime.gopreempt_m", PPROF_PART_SCHEDULE },
	{ "runtime.goexit0", PPROF_PART_SCHEDULE },
	{ "runtime.sysmon", PPROF_PART_SCHEDULE },
	{ "runtime.wakep", PPROF_PART_SCHEDULE },
	{ "runtime.startm", PPROF_PART_SCHEDULE },
	{ "runtime.stopm", PPROF_PART_SCHEDULE },
	{ "runtime.newproc*", PPROF_PART_SCHEDULE },
	{ "runtime.goready*", PPROF_PART_SCHEDULE },
	{ "runtime.ready", PPROF_PART_SCHEDULE },
	{ "runtime.exitsyscall*", PPROF_PART_SCHEDULE },
	{ "runtime.mstart*", PPROF_PART_SCHEDULE },
	{ "runtime.netpoll", PPROF_PART_SCHEDULE },
	{ "syscall.Syscall*", PPROF_PART_SYSCALL },
	{ "syscall.RawSyscall*", PPROF_PART_SYSCALL },
	{ "syscall.rawVforkSyscall", PPROF_PART_SYSCALL },
	{ "runtime/internal/syscall.*", PPROF_PART_SYSCALL },
	{ "internal/runtime/syscall.*", PPROF_PART_SYSCALL },
	{ "internal/runtime/syscall/linux.*", PPROF_PART_SYSCALL },
	{ "runtime.cgocall", PPROF_PART_CGO },
	{ "runtime.asmcgocall*", PPROF_PART_CGO },
	{ "runtime.lock2", PPROF_PART_LOCK },
	{ "runtime.unlock2*", PPROF_PART_LOCK },
	{ "runtime.semacquire*", PPROF_PART_LOCK },
	{ "runtime.semrelease*", PPROF_PART_LOCK },
	{ "sync.runtime_Sem*", PPROF_PART_LOCK },
	{ "internal/sync.runtime_Sem*", PPROF_PART_LOCK },
	{ "sync.(*Mutex).lockSlow", PPROF_PART_LOCK },
	{ "sync.(*Mutex).unlockSlow", PPROF_PART_LOCK },
	{ "internal/sync.(*Mutex).lockSlow", PPROF_PART_LOCK },
	{ "internal/sync.(*Mutex).unlockSlow", PPROF_PART_LOCK },
};

static enum pprof_part of_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		size_t n = strlen(table[i].function);
		bool begin = table[i].function[n - 1] == '*';

		if (begin ? !strncmp(table[i].function, name, n - 1)
			  : !strcmp(table[i].function, name))
			return table[i].part;
	}
	return PPROF_PART_PROGRAM;
}

static uint8_t of_location(const struct pprof *p, const uint8_t *function, uint32_t l)
{
	const struct pprof_location *loc = &p->locations.v[l];
	uint8_t part = PPROF_PART_PROGRAM;

	for (uint32_t i = 0; i < loc->nlines; i++) {
		uint32_t f = p->lines.v[loc->first_line + i].function;

		if (f < p->functions.n)
			part = MIN(part, function[f]);
	}
	return part;
}

void pprof_parts(const struct pprof *p, unsigned type, int64_t ret[static PPROF_PARTS])
{
	_cleanup_(freep) uint8_t *function = zalloc(p->functions.n + 1, 1);
	_cleanup_(freep) uint8_t *stack = zalloc(p->stacks.n + 1, 1);
	struct pprof_walk w = { 0 };

	memset(ret, 0, PPROF_PARTS * sizeof(*ret));
	if (!function || !stack)
		return;
	for (size_t i = 0; i < p->functions.n; i++)
		function[i] = (uint8_t)of_name(pprof_text(p, p->functions.v[i].name));
	for (size_t i = 0; i < p->stacks.n; i++) {
		uint32_t parent = p->stacks.v[i].parent;

		stack[i] = of_location(p, function, p->stacks.v[i].location);
		if (parent < i)
			stack[i] = MIN(stack[i], stack[parent]);
	}
	while (pprof_next(p, &w)) {
		uint8_t part = w.stack < p->stacks.n ? stack[w.stack] : PPROF_PART_PROGRAM;

		ret[part] = pprof_plus(ret[part], w.values[type]);
	}
}

static const struct {
	const char *word, *means;
} words[PPROF_PARTS] = {
	[PPROF_PART_COLLECT] = { "collector",
				 "gcBgMarkWorker, bgsweep, bgscavenge: marking costs what is live and how "
				 "often it runs: fewer pointers, less allocation, a higher GOGC" },
	[PPROF_PART_ASSIST] = { "assists",
				"gcAssistAlloc: who allocates must mark, for the collector is behind: "
				"allocation bursts, or GOMEMLIMIT too near" },
	[PPROF_PART_ALLOC] = { "allocation", "mallocgc and who calls it: `limpet top --value "
					     "alloc_space` of a heap profile tells what" },
	[PPROF_PART_SCHEDULE] = { "scheduler",
				  "mcall, schedule, findRunnable, netpoll: goroutines that stop and go; "
				  "much of findRunnable alone is idle CPUs that look for work" },
	[PPROF_PART_SYSCALL] = { "system calls", "time in the kernel: reads, writes, futexes" },
	[PPROF_PART_CGO] = { "C code",
			     "behind runtime.cgocall, which Go's profile does not see into" },
	[PPROF_PART_LOCK] = { "locks",
			      "lockSlow, semacquire, lock2: a mutex that many want; a mutex "
			      "profile tells which" },
	[PPROF_PART_PROGRAM] = { "program", "everything else: the program's own work" },
};

const char *pprof_part_word(enum pprof_part part)
{
	return words[part].word;
}

const char *pprof_part_means(enum pprof_part part)
{
	return words[part].means;
}
