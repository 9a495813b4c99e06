/*
 * detect_check.c - does the layout table fit this program?
 *
 * Invariants over structs whose fields are tied to each other: a table of another version or
 * experiment fails here instead of giving a wrong graph.  Names the field that made no sense.
 */
#include "goruntime/detect.h"

#define MAX_STRUCT 4096
#define SPANS	   1024
/* Of what was looked at, so many must agree: the target may be in the middle of a change. */
#define MOST 90
#define HALF 50

struct tally {
	uint32_t good, bad;
	const char *field; /* of the last bad one */
};

static void count(struct tally *t, const char *wrong)
{
	if (wrong) {
		t->bad++;
		t->field = wrong;
	} else {
		t->good++;
	}
}

static bool agrees(const struct tally *t, uint32_t percent)
{
	return t->good * 100 >= (t->good + t->bad) * percent;
}

static struct err *misfit(const struct go *g, const char *what)
{
	return err_unsupported("%s: %s makes no sense with the layout of Go %s%s%s; make a table "
			       "with `limpet layout --go PATH` and give it with --layout",
			       g->version, what, g->L->go, *g->L->experiments ? " " : "",
			       g->L->experiments);
}

/* mheap.go, initSpan: what heap bits and green tea's mark bits leave of the span. */
static uint64_t expected_nelems(const struct go_layout *L, const uint8_t *s, uint64_t nbytes)
{
	uint64_t elem = go_get(s, L->mspan_elemsize), reserve = 0;

	if (go_layout_ptr_bits(L) != GO_MALLOC_HEADER ||
	    elem > (uint64_t)L->c_minSizeForMallocHeader)
		return nbytes / elem;
	if (elem >= 16)
		reserve += L->spanInlineMarkBits_bytes;
	if (!(go_get(s, L->mspan_spanclass) & 1)) /* scan */
		reserve += nbytes / 64;
	return (nbytes - reserve) / elem;
}

/* mheap.go: allocNeedsZero … initSpan; sizeclasses.go */
static const char *wrong_span(const struct go_layout *L, const uint8_t *s)
{
	uint64_t state = go_get(s, L->mspan_state), npages = go_get(s, L->mspan_npages);
	uint64_t elem = go_get(s, L->mspan_elemsize), class = go_get(s, L->mspan_spanclass) >> 1;

	if (state > 2)
		return "runtime.mspan.state";
	if (state != (uint64_t)L->c_mSpanInUse)
		return NULL;
	if (!npages || npages > (1ULL << 34) ||
	    (go_get(s, L->mspan_startAddr) & (GO_PAGE_BYTES - 1)))
		return "runtime.mspan.npages";
	if (class >= L->nclasses)
		return "runtime.mspan.spanclass";
	if (class && elem != L->class_to_size[class])
		return "runtime.mspan.elemsize";
	if (class && (uint32_t)go_get(s, L->mspan_divMul) != UINT32_MAX / (uint32_t)elem + 1)
		return "runtime.mspan.divMul";
	if (class && go_get(s, L->mspan_nelems) != expected_nelems(L, s, npages << GO_PAGE_SHIFT))
		return "runtime.mspan.nelems (heap bits, inline mark bits)";
	if (go_get(s, L->mspan_freeindex) > go_get(s, L->mspan_nelems) ||
	    go_get(s, L->mspan_allocCount) > go_get(s, L->mspan_nelems))
		return "runtime.mspan.freeindex";
	return NULL;
}

/* special.offset lies in its span; kinds are small: mheap.go, _KindSpecial*. */
static const char *wrong_special(const struct go *g, const uint8_t *span)
{
	const struct go_layout *L = g->L;
	taddr at = go_get(span, L->mspan_specials);
	uint8_t p[64];

	if (L->special_bytes > sizeof(p) || !go_try_read(g, at, p, L->special_bytes))
		return "runtime.mspan.specials";
	if (go_get(p, L->special_offset) >= go_get(span, L->mspan_npages) << GO_PAGE_SHIFT)
		return "runtime.special.offset";
	return go_get(p, L->special_kind) - 1 > 15 ? "runtime.special.kind" : NULL;
}

static bool has_specials(const struct go_layout *L, const uint8_t *s)
{
	return go_get(s, L->mspan_state) == (uint64_t)L->c_mSpanInUse &&
	       go_get(s, L->mspan_specials);
}

/*
 * mheap.go: recordspan appends each new mspan, and mfixalloc.go cuts them off a chunk one behind
 * the other: their distance is a multiple of the size.
 */
static const char *wrong_distance(const struct go *g, const uint64_t *all)
{
	uint64_t at[SPANS], n = MIN(all[1], (uint64_t)SPANS);
	struct tally t = { 0 };

	if (!go_try_read(g, all[0], at, (size_t)n * 8))
		return NULL;
	for (uint64_t i = 1; i < n; i++)
		if (at[i] > at[i - 1] && at[i] - at[i - 1] < MAX_STRUCT)
			count(&t, (at[i] - at[i - 1]) % g->L->mspan_bytes
					  ? "runtime.mspan (its size)"
					  : NULL);
	return agrees(&t, HALF) ? NULL : t.field;
}

static struct err *check_spans(const struct go *g)
{
	const struct go_layout *L = g->L;
	struct tally t = { 0 }, specials = { 0 };
	uint64_t all[3], step;
	uint8_t s[MAX_STRUCT];

	if (L->mspan_bytes > sizeof(s) ||
	    !go_try_read(g, g->v.mheap + (uint64_t)L->mheap_allspans.off, all, sizeof(all)) ||
	    !all[1] || all[1] > all[2] || all[2] > (1ULL << 34))
		return misfit(g, "runtime.mheap.allspans");
	if (wrong_distance(g, all))
		return misfit(g, wrong_distance(g, all));
	step = all[1] / SPANS + 1;
	for (uint64_t i = 0; i < all[1]; i += step) {
		taddr at = go_try_u64(g, all[0] + 8 * i);

		if (!go_try_read(g, at, s, L->mspan_bytes)) {
			if (!go_lost(g, all[0] + 8 * i, 8) && !go_lost(g, at, L->mspan_bytes))
				count(&t, "runtime.mheap.allspans");
			continue;
		}
		count(&t, wrong_span(L, s));
		if (has_specials(L, s))
			count(&specials, wrong_special(g, s));
	}
	if (!agrees(&t, MOST))
		return misfit(g, t.field);
	return agrees(&specials, HALF) ? NULL : misfit(g, specials.field);
}

/* A parked goroutine: its context is saved in sched. */
static void check_g(const struct go *g, const uint8_t *p, struct tally *t)
{
	const struct go_layout *L = g->L;
	uint64_t status = go_get(p, L->g_atomicstatus) & ~(uint64_t)L->c_Gscan;
	uint64_t lo = go_get(p, L->g_stack_lo), hi = go_get(p, L->g_stack_hi);
	struct go_func f;

	if (status > 15)
		count(t, "runtime.g.atomicstatus");
	else if (lo > hi || hi - lo > (2ULL << 30))
		count(t, "runtime.g.stack");
	else if (status != (uint64_t)L->c_Gwaiting)
		return; /* says nothing */
	else if (go_get(p, L->g_sched_sp) < lo || go_get(p, L->g_sched_sp) > hi)
		count(t, "runtime.g.sched.sp");
	else if (!go_func_at(g, go_get(p, L->g_sched_pc), &f))
		count(t, "runtime.g.sched.pc");
	else if (!go_func_at(g, go_get(p, L->g_startpc), &f) ||
		 f.entry != go_get(p, L->g_startpc)) /* proc.go, newproc1: startpc = fn.fn */
		count(t, "runtime.g.startpc");
	else
		count(t, go_get(p, L->g_waitreason) >= L->nwait_reasons ? "runtime.g.waitreason"
									: NULL);
}

static struct err *check_gs(const struct go *g)
{
	uint64_t all[3], step;
	struct tally t = { 0 };
	uint8_t p[MAX_STRUCT];

	if (g->L->g_bytes > sizeof(p) || !go_try_read(g, g->v.allgs, all, sizeof(all)))
		return misfit(g, "runtime.g");
	step = all[1] / SPANS + 1;
	for (uint64_t i = 0; i < all[1]; i += step) {
		taddr at = go_try_u64(g, all[0] + 8 * i);

		if (go_try_read(g, at, p, g->L->g_bytes))
			check_g(g, p, &t);
		else if (!go_lost(g, all[0] + 8 * i, 8) && !go_lost(g, at, g->L->g_bytes))
			count(&t, "runtime.allgs");
	}
	return agrees(&t, HALF) ? NULL : misfit(g, t.field);
}

/* The thread that m.procid names, as the target numbers its threads. */
static bool is_thread(const struct go *g, uint64_t procid)
{
	size_t n;
	const struct target_thread *t = target_threads(g->t, &n);

	for (size_t i = 0; i < n; i++) {
		if (!t[i].ns_tid || (uint64_t)t[i].ns_tid == procid || (uint64_t)t[i].tid == procid)
			return true;
	}
	return n == 0;
}

/*
 * m.curg.m == m while it runs.  proc.go: execute sets curg first and dropg clears curg.m first,
 * in between it is nil.
 */
static void check_m(const struct go *g, taddr m, const uint8_t *p, struct tally *t)
{
	const struct go_layout *L = g->L;
	uint64_t procid = go_get(p, L->m_procid), curg = go_get(p, L->m_curg);

	if (procid)
		count(t, is_thread(g, procid) ? NULL : "runtime.m.procid");
	/* runtime2.go: mWeakPointer is a pointer to an atomic pointer */
	if (go_get(p, L->m_self))
		count(t, go_try_u64(g, go_get(p, L->m_self)) == m ? NULL : "runtime.m.self");
	if (curg && procid) {
		taddr back = go_try_u64(g, curg + (uint64_t)L->g_m.off);

		count(t, back && back != m ? "runtime.m.curg" : NULL);
	}
}

static struct err *check_ms(const struct go *g)
{
	taddr m = go_try_u64(g, g->v.allm);
	struct tally t = { 0 };
	uint8_t p[MAX_STRUCT];

	if (g->L->m_bytes > sizeof(p))
		return misfit(g, "runtime.m");
	for (unsigned i = 0; m && i < SPANS && go_try_read(g, m, p, g->L->m_bytes); i++) {
		check_m(g, m, p, &t);
		m = go_get(p, g->L->m_alllink);
	}
	if (!t.good && !t.bad && go_lost(g, m, g->L->m_bytes))
		return NULL;
	return t.good && agrees(&t, HALF) ? NULL : misfit(g, t.field ? t.field : "runtime.allm");
}

/*
 * mwbbuf.go, reset: end is the end of buf; wbBufFlush1: next is 0 while it is flushed.
 * proc.go: runq is a ring of that many.
 */
static const char *wrong_p(const struct go *g, taddr p)
{
	const struct go_layout *L = g->L;
	taddr buf = p + (uint64_t)L->p_wbBuf_buf.off;
	uint64_t next = go_try_u64(g, p + (uint64_t)L->p_wbBuf_next.off);
	uint32_t head, tail;

	if (go_try_u64(g, p + (uint64_t)L->p_wbBuf_end.off) != buf + L->p_wbBuf_buf.bytes ||
	    (next && (next < buf || next > buf + L->p_wbBuf_buf.bytes)))
		return "runtime.p.wbBuf";
	if (!go_try_read(g, p + (uint64_t)L->p_runqhead.off, &head, 4) ||
	    !go_try_read(g, p + (uint64_t)L->p_runqtail.off, &tail, 4) ||
	    tail - head > L->p_runq.bytes / 8)
		return "runtime.p.runq";
	return NULL;
}

static struct err *check_ps(const struct go *g)
{
	struct tally t = { 0 };
	uint64_t all[3];

	if (!g->v.allp || !go_try_read(g, g->v.allp, all, sizeof(all)))
		return NULL;
	for (uint64_t i = 0; i < MIN(all[1], (uint64_t)SPANS); i++) {
		taddr p = go_try_u64(g, all[0] + 8 * i);

		if (!go_lost(g, p, g->L->p_bytes))
			count(&t, wrong_p(g, p));
	}
	return agrees(&t, HALF) ? NULL : misfit(g, t.field);
}

struct err *go_detect_check(const struct go *g)
{
	struct err *err = check_spans(g);

	if (!err)
		err = check_gs(g);
	if (!err)
		err = check_ms(g);
	return err ? err : check_ps(g);
}
