/*
 * detect_vars.c - addresses of the runtime's own variables, with no symbols.
 *
 * Each rule says: function F refers to variable V at V + offset.  The addresses that a
 * function's code names minus that offset are candidates; each rule gives each candidate one vote.
 * The candidate with most votes among those that its validator accepts wins, if it has at least two
 * votes (or all rules there are) and more than the next one.  The rules hold on every Go
 * from 1.18 to 1.27 (seen in disassembly of each); new versions are judged by the votes.
 */
#include "goruntime/detect.h"

#include "base/str.h"

#include <stdio.h>

#define MAX_CODE       65536
#define MAX_REFS       8192
#define MAX_CANDIDATES 16384
#define MAX_BSS_SEARCH (256ULL << 20)
#define NO_FIELD       SIZE_MAX
#define AT(field)      offsetof(struct go_layout, field)
#define VAR(name)      offsetof(struct go_vars, name)

struct rule {
	const char *func;
	size_t field; /* of struct go_layout: offset in the variable; NO_FIELD: 0 */
	uint32_t add; /* to it */
	uint8_t kind; /* REF_* */
};

struct var {
	const char *name; /* the symbol, for comparison */
	size_t var;	  /* in struct go_vars */
	unsigned align;
	bool (*valid)(const struct go *g, taddr at);
	size_t needs; /* a struct size of the layout that must be there; NO_FIELD: none */
	struct rule rules[9];
};

static const struct var vars[] = {
	{ "runtime.mheap_",
	  VAR(mheap),
	  8,
	  go_valid_mheap,
	  NO_FIELD,
	  { { "runtime.findObject", AT(mheap_arenas), 0, REF_ANY },
	    { "runtime.gcStart", AT(mheap_sweepgen), 0, REF_ANY },
	    { "runtime.allocmcache.func1", AT(mheap_sweepgen), 0, REF_ANY },
	    { "runtime.(*mcentral).cacheSpan", AT(mheap_sweepgen), 0, REF_ANY },
	    { "runtime.(*mcache).refill", AT(mheap_sweepgen), 0, REF_ANY },
	    { "runtime.(*mcentral).grow", NO_FIELD, 0, REF_LEA },
	    { "runtime.mallocinit", NO_FIELD, 0, REF_LEA } } },
	{ "runtime.allgs",
	  VAR(allgs),
	  8,
	  go_valid_allgs,
	  NO_FIELD,
	  { { "runtime.allgadd", NO_FIELD, 0, REF_ACCESS },
	    { "runtime.allgadd", NO_FIELD, 8, REF_ACCESS },
	    { "runtime.allgadd", NO_FIELD, 16, REF_ACCESS } } },
	{ "runtime.allfin",
	  VAR(allfin),
	  8,
	  go_valid_allfin,
	  NO_FIELD,
	  { { "runtime.queuefinalizer", NO_FIELD, 0, REF_ACCESS },
	    { "runtime.markroot", NO_FIELD, 0, REF_ACCESS } } },
	{ "runtime.finptrmask",
	  VAR(finptrmask),
	  1,
	  go_valid_any,
	  NO_FIELD,
	  { { "runtime.queuefinalizer", NO_FIELD, 0, REF_LEA },
	    { "runtime.markroot", NO_FIELD, 0, REF_LEA } } },
	{ "runtime.gcCleanups",
	  VAR(gccleanups),
	  8,
	  go_valid_cleanups,
	  AT(cleanupQueue_bytes),
	  { { "runtime.markroot", AT(cleanupQueue_all), 0, REF_ANY },
	    { "runtime.freeSpecial", NO_FIELD, 0, REF_LEA },
	    { "runtime.(*activeSweep).end", NO_FIELD, 0, REF_LEA },
	    { "runtime.findRunnable", NO_FIELD, 0, REF_ANY } } },
	{ "runtime.allm",
	  VAR(allm),
	  8,
	  go_valid_allm,
	  NO_FIELD,
	  { { "runtime.mcommoninit", NO_FIELD, 0, REF_ANY },
	    { "runtime.mexit", NO_FIELD, 0, REF_ANY },
	    { "runtime.schedtrace", NO_FIELD, 0, REF_ANY } } },
	{ "runtime.allp",
	  VAR(allp),
	  8,
	  go_valid_allp,
	  NO_FIELD,
	  { { "runtime.procresize", NO_FIELD, 0, REF_ACCESS },
	    { "runtime.procresize", NO_FIELD, 8, REF_ACCESS },
	    { "runtime.procresize", NO_FIELD, 16, REF_ACCESS },
	    { "runtime.gcStart", NO_FIELD, 8, REF_ACCESS },
	    { "runtime.gcMark", NO_FIELD, 8, REF_ACCESS },
	    { "runtime.checkdead", NO_FIELD, 8, REF_ACCESS },
	    { "runtime.retake", NO_FIELD, 8, REF_ACCESS } } },
	{ "runtime.sched",
	  VAR(sched),
	  8,
	  go_valid_sched,
	  NO_FIELD,
	  { { "runtime.procresize", AT(sched_totaltime), 0, REF_ANY },
	    { "runtime.procresize", AT(sched_procresizetime), 0, REF_ANY },
	    { "runtime.(*cpuStats).accumulate", AT(sched_totaltime), 0, REF_ANY },
	    { "runtime.(*cpuStats).accumulate", AT(sched_procresizetime), 0, REF_ANY },
	    { "runtime.markrootFreeGStacks", AT(sched_gFree_stack), 0, REF_ANY },
	    { "runtime.markrootFreeGStacks", AT(sched_gFree_noStack), 0, REF_ANY },
	    { "runtime.checkdead", AT(sched_ngsys), 0, REF_ANY } } },
	{ "runtime.gcphase",
	  VAR(gcphase),
	  4,
	  go_valid_gcphase,
	  NO_FIELD,
	  { { "runtime.gcWaitOnMark", NO_FIELD, 0, REF_ACCESS },
	    { "runtime.gcTrigger.test", NO_FIELD, 0, REF_ACCESS },
	    { "runtime.gcMark", NO_FIELD, 0, REF_ACCESS },
	    { "runtime.gcSweep", NO_FIELD, 0, REF_ACCESS },
	    { "runtime.gcControllerCommit", NO_FIELD, 0, REF_ACCESS },
	    { "runtime.stackfree", NO_FIELD, 0, REF_ACCESS },
	    { "runtime.stackpoolfree", NO_FIELD, 0, REF_ACCESS },
	    { "runtime.freeSomeWbufs", NO_FIELD, 0, REF_ACCESS },
	    { "runtime.queuefinalizer", NO_FIELD, 0, REF_ACCESS } } },
	{ "runtime.work",
	  VAR(work),
	  8,
	  go_valid_work,
	  AT(work_bytes),
	  { { "runtime.gcTrigger.test", AT(work_cycles), 0, REF_ANY },
	    { "runtime.gcMarkDone", NO_FIELD, 0, REF_ANY },
	    { "runtime.gcDrain", NO_FIELD, 0, REF_ANY },
	    { "runtime.getempty", AT(work_empty), 0, REF_ANY },
	    { "runtime.putempty", AT(work_empty), 0, REF_ANY },
	    { "runtime.gcMark", AT(work_bytesMarked), 0, REF_ANY },
	    { "runtime.gcResetMarkState", AT(work_bytesMarked), 0, REF_ANY },
	    { "runtime.gcStart", AT(work_userForced), 0, REF_ANY },
	    { "runtime.gcStart", AT(work_mode), 0, REF_ANY } } },
	{ "runtime.gcController",
	  VAR(gccontroller),
	  8,
	  go_valid_controller,
	  NO_FIELD,
	  { { "runtime.mallocinit", AT(gcController_memoryLimit), 0, REF_ANY },
	    { "runtime.sysAlloc", AT(gcController_mappedReady), 0, REF_ANY },
	    { "runtime.sysFree", AT(gcController_mappedReady), 0, REF_ANY },
	    { "runtime.(*mheap).sysAlloc", AT(gcController_heapReleased), 0, REF_ANY },
	    { "runtime.gcResetMarkState", AT(gcController_heapLive), 0, REF_ANY },
	    { "runtime.gcMarkTermination", AT(gcController_lastHeapGoal), 0, REF_ANY },
	    { "runtime.(*mcache).refill", AT(gcController_totalAlloc), 0, REF_ANY },
	    { "runtime.gcinit", NO_FIELD, 0, REF_LEA },
	    { "runtime.gcMark", NO_FIELD, 0, REF_LEA } } },
	{ "runtime.memstats",
	  VAR(memstats),
	  8,
	  go_valid_memstats,
	  NO_FIELD,
	  { { "runtime.gcenable", AT(mstats_enablegc), 0, REF_ANY },
	    { "runtime.gcTrigger.test", AT(mstats_enablegc), 0, REF_ANY },
	    { "runtime.gcMarkTermination", AT(mstats_numgc), 0, REF_ANY },
	    { "runtime.gcMarkTermination", AT(mstats_pause_total_ns), 0, REF_ANY },
	    { "runtime.gcMarkTermination", AT(mstats_last_gc_unix), 0, REF_ANY },
	    { "runtime.(*mheap).init", AT(mstats_mspan_sys), 0, REF_ANY },
	    { "runtime.(*mheap).init", AT(mstats_mcache_sys), 0, REF_ANY },
	    { "runtime.persistentalloc1", AT(mstats_other_sys), 0, REF_ANY },
	    { "runtime.progToPointerMask", AT(mstats_buckhash_sys), 0, REF_ANY } } },
	{ "runtime.mbuckets",
	  VAR(mbuckets),
	  8,
	  go_valid_mbuckets,
	  NO_FIELD,
	  { { "runtime.stkbucket", NO_FIELD, 0, REF_ANY },
	    { "runtime.mProf_FlushLocked", NO_FIELD, 0, REF_ANY } } },
	{ "runtime.MemProfileRate",
	  VAR(memprofilerate),
	  8,
	  go_valid_rate,
	  NO_FIELD,
	  { { "runtime.profilealloc", NO_FIELD, 0, REF_ACCESS },
	    { "runtime.allocmcache", NO_FIELD, 0, REF_ACCESS },
	    { "runtime.schedinit", NO_FIELD, 0, REF_ACCESS },
	    { "runtime.parsegodebug", NO_FIELD, 0, REF_ANY } } },
	{ "runtime.forcegcperiod",
	  VAR(forcegcperiod),
	  8,
	  go_valid_period,
	  NO_FIELD,
	  { { "runtime.gcTrigger.test", NO_FIELD, 0, REF_ACCESS },
	    { "runtime.sysmon", NO_FIELD, 0, REF_ACCESS } } },
};

/* Not all programs link what names them: that one is missing says nothing of the table. */
static const struct var optional_vars[] = {
	{ "runtime.mProfCycle",
	  VAR(mprofcycle),
	  4,
	  go_valid_any,
	  AT(mProf_bytes),
	  { { "runtime.mProf_Malloc", NO_FIELD, 0, REF_ACCESS },
	    { "runtime.mProf_Free", NO_FIELD, 0, REF_ACCESS },
	    { "runtime.mProf_PostSweep", NO_FIELD, 0, REF_ACCESS },
	    { "runtime.mProf_Flush", NO_FIELD, 0, REF_ANY } } },
	{ "runtime.bbuckets",
	  VAR(bbuckets),
	  8,
	  go_valid_bbuckets,
	  NO_FIELD,
	  { { "runtime.stkbucket", NO_FIELD, 0, REF_ANY },
	    { "runtime.blockProfileInternal", NO_FIELD, 0, REF_ANY },
	    { "runtime.BlockProfile", NO_FIELD, 0, REF_ANY } } },
	{ "runtime.xbuckets",
	  VAR(xbuckets),
	  8,
	  go_valid_xbuckets,
	  NO_FIELD,
	  { { "runtime.stkbucket", NO_FIELD, 0, REF_ANY },
	    { "runtime.mutexProfileInternal", NO_FIELD, 0, REF_ANY },
	    { "runtime.pprof_mutexProfileInternal", NO_FIELD, 0, REF_ANY },
	    { "runtime.MutexProfile", NO_FIELD, 0, REF_ANY } } },
	{ "runtime.mutexprofilerate",
	  VAR(mutexprofilerate),
	  8,
	  go_valid_rate,
	  NO_FIELD,
	  { { "runtime.mutexevent", NO_FIELD, 0, REF_ACCESS },
	    { "sync.event", NO_FIELD, 0, REF_ACCESS }, /* its name in some builds */
	    { "runtime.semacquire1", NO_FIELD, 0, REF_ACCESS },
	    { "runtime/pprof.scaleMutexProfile", NO_FIELD, 0, REF_ACCESS } } },
	{ "runtime.ticks",
	  VAR(ticks),
	  8,
	  go_valid_any,
	  AT(ticks_bytes),
	  { { "runtime.ticksPerSecond", AT(ticks_val), 0, REF_ACCESS },
	    { "runtime.ticksPerSecond", AT(ticks_startTicks), 0, REF_ACCESS },
	    { "runtime.ticksPerSecond", AT(ticks_startTime), 0, REF_ACCESS },
	    { "runtime.tickspersecond", AT(ticks_val), 0, REF_ACCESS },
	    { "runtime.schedinit", AT(ticks_startTicks), 0, REF_ACCESS },
	    { "runtime.schedinit", AT(ticks_startTime), 0, REF_ACCESS } } },
};

static taddr *slot(struct go_vars *v, const struct var *x)
{
	return (taddr *)(void *)((char *)v + x->var);
}

static taddr value(const struct go *g, const struct var *x)
{
	struct go_vars v = g->v;

	return *slot(&v, x);
}

struct candidate {
	taddr at;
	uint32_t votes;
	uint32_t last; /* rule + 1 that voted last: one vote a rule */
};

struct election {
	struct candidate *c;
	size_t n;
	uint32_t rules; /* that could vote: function found */
	uint8_t *code;
	struct code_ref *refs;
};

static void election_deinit(struct election *e)
{
	free(e->c);
	free(e->code);
	free(e->refs);
}

/* The runtime is in one of the modules: with -linkshared in the standard library's. */
static bool in_data(const struct go *g, taddr at)
{
	for (size_t i = 0; i < g->nmodules; i++) {
		const struct go_module *m = &g->modules[i];

		if (trange_has(m->data, at) || trange_has(m->bss, at) ||
		    trange_has(m->noptrdata, at) || trange_has(m->noptrbss, at))
			return true;
	}
	return false;
}

static void vote(struct election *e, taddr at, uint32_t rule)
{
	for (size_t i = 0; i < e->n; i++) {
		if (e->c[i].at != at)
			continue;
		e->c[i].votes += e->c[i].last != rule;
		e->c[i].last = rule;
		return;
	}
	if (e->n < MAX_CANDIDATES)
		e->c[e->n++] = (struct candidate){ at, 1, rule };
}

/* Offset of a rule in its variable; -1: the version has no such field. */
static int64_t rule_offset(const struct go_layout *L, const struct rule *r)
{
	struct go_field f;

	if (r->field == NO_FIELD)
		return r->add;
	memcpy(&f, (const char *)L + r->field, sizeof(f));
	return f.off < 0 ? -1 : f.off + (int64_t)r->add;
}

/*
 * Where a variable lies whose part at off an instruction refers to.  Code of a shared library takes
 * the variable's own address from the linker's table, and adds the offset later.
 */
static bool variable_of(const struct go *g, const struct code_ref *ref, const struct rule *r,
			uint64_t off, taddr *ret)
{
	if (ref->kind == REF_ACCESS && !in_data(g, ref->to))
		return go_constant_word(g, ref->to, ret) && in_data(g, *ret);
	*ret = ref->to - off;
	return (ref->kind & r->kind) && in_data(g, *ret);
}

static void hold(const struct go *g, const struct var *x, struct election *e)
{
	e->n = 0;
	e->rules = 0;
	for (uint32_t i = 0; i < ARRAY_LEN(x->rules) && x->rules[i].func; i++) {
		const struct rule *r = &x->rules[i];
		int64_t off = rule_offset(g->L, r);
		struct go_func f;
		size_t n, nrefs;

		if (off < 0 || !go_func_by_name(g, r->func, &f) || f.end <= f.entry)
			continue;
		n = (size_t)MIN(f.end - f.entry, (uint64_t)MAX_CODE);
		if (!go_try_read(g, f.entry, e->code, n))
			continue;
		e->rules++;
		nrefs = go_arch(g)->code_refs(e->code, n, f.entry, e->refs, MAX_REFS);
		for (size_t k = 0; k < nrefs; k++) {
			taddr at;

			if (variable_of(g, &e->refs[k], r, (uint64_t)off, &at) &&
			    at % x->align == 0)
				vote(e, at, i + 1);
		}
	}
}

static int by_votes(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->votes != y->votes)
		return x->votes < y->votes ? 1 : -1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static taddr winner(const struct go *g, const struct var *x, struct election *e)
{
	uint32_t least = MIN(e->rules, 2U);
	const struct candidate *best = NULL;

	qsort(e->c, e->n, sizeof(*e->c), by_votes);
	for (size_t i = 0; i < e->n; i++) {
		if (e->c[i].votes < least || (best && e->c[i].votes < best->votes))
			break;
		if (!x->valid(g, e->c[i].at))
			continue;
		if (best)
			return 0; /* a tie: nobody knows */
		best = &e->c[i];
	}
	return best ? best->at : 0;
}

/* mheap_ without code: the word of bss that is a valid arena table, less its offset. */
static struct err *search_bss(struct go *g, struct trange r)
{
	size_t n = (size_t)(MIN(trange_bytes(r), MAX_BSS_SEARCH) / 8);
	_cleanup_(freep) uint64_t *words = malloc(n * 8 + 8);
	struct err *err;

	if (!words)
		return &err_nomem;
	err = target_read(g->t, r.start, words, n * 8);
	if (err)
		return err_prefix(err, "bss");
	for (size_t i = (size_t)g->L->mheap_arenas.off / 8; i < n && !g->v.mheap; i++) {
		taddr at = r.start + 8 * i - (uint64_t)g->L->mheap_arenas.off;

		if (words[i] > GO_PAGE_BYTES && !(words[i] & 4095) && go_valid_mheap(g, at))
			g->v.mheap = at;
	}
	return NULL;
}

static struct err *search_mheap(struct go *g)
{
	struct err *err = NULL;

	for (size_t i = 0; i < g->nmodules && !g->v.mheap && !err; i++) {
		err = search_bss(g, g->modules[i].noptrbss);
		if (!err && !g->v.mheap)
			err = search_bss(g, g->modules[i].bss);
	}
	return err;
}

static bool needed(const struct go *g, const struct var *x)
{
	uint32_t nbytes = 1;

	if (x->needs != NO_FIELD)
		memcpy(&nbytes, (const char *)g->L + x->needs, sizeof(nbytes));
	return nbytes > 0;
}

static void note_missing(struct detect *d, const char *name)
{
	size_t n = strlen(d->notes);

	snprintf(d->notes + n, sizeof(d->notes) - n, "%s%s", n ? ", " : "", name);
}

static struct err *must_have(const struct go *g)
{
	const char *what = NULL;

	if (!g->v.mheap)
		what = "runtime.mheap_.arenas";
	else if (!g->v.allgs)
		what = "runtime.allgs";
	else if (!g->v.allm)
		what = "runtime.allm (m.alllink, m.g0)";
	if (what)
		return err_unsupported("%s: %s was not found with the layout of Go %s%s%s",
				       g->version, what, g->L->go, *g->L->experiments ? " " : "",
				       g->L->experiments);
	return NULL;
}

static void elect(struct go *g, const struct var *x, size_t n, struct election *e)
{
	for (size_t i = 0; i < n; i++) {
		if (!needed(g, &x[i]))
			continue;
		hold(g, &x[i], e);
		*slot(&g->v, &x[i]) = winner(g, &x[i], e);
	}
}

struct err *go_detect_vars(struct go *g, struct detect *d)
{
	_cleanup_(election_deinit) struct election e = {
		.c = zalloc(MAX_CANDIDATES, sizeof(*e.c)),
		.code = malloc(MAX_CODE),
		.refs = zalloc(MAX_REFS, sizeof(*e.refs)),
	};
	struct err *err = NULL;

	if (!e.c || !e.code || !e.refs)
		return &err_nomem;
	d->notes[0] = 0;
	g->v = (struct go_vars){ .firstmoduledata = g->modules[0].addr };
	elect(g, vars, ARRAY_LEN(vars), &e);
	elect(g, optional_vars, ARRAY_LEN(optional_vars), &e);
	if (!g->v.mheap)
		err = search_mheap(g);
	if (err)
		return err;
	if (g->v.gccleanups)
		g->v.cleanups_all = g->v.gccleanups + (uint64_t)g->L->cleanupQueue_all.off;
	for (size_t i = 0; i < ARRAY_LEN(vars); i++)
		if (needed(g, &vars[i]) && !value(g, &vars[i]))
			note_missing(d, vars[i].name);
	return must_have(g);
}

static size_t compare(const struct go *g, const struct var *x, size_t n, char *buf, size_t nbuf)
{
	size_t used = 0;

	for (size_t i = 0; i < n && used < nbuf; i++) {
		const struct elf_symbol *s = elf_symbol_named(g->symbols, x[i].name);
		taddr found = value(g, &x[i]);

		if (s && s->addr != found)
			used += (size_t)snprintf(buf + used, nbuf - used,
						 "%s: found " TADDR_FMT ", symbol " TADDR_FMT "\n",
						 x[i].name, found, s->addr);
	}
	return MIN(used, nbuf);
}

void go_vars_compare(const struct go *g, char *buf, size_t nbuf)
{
	size_t used;

	buf[0] = 0;
	if (!g->symbols)
		return;
	used = compare(g, vars, ARRAY_LEN(vars), buf, nbuf);
	compare(g, optional_vars, ARRAY_LEN(optional_vars), buf + used, nbuf - used);
}
