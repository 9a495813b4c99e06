/*
 * detect_check.c - does the layout table fit this program?
 *
 * Invariants over structs whose fields are tied to each other: a table of another version or
 * experiment fails here instead of giving a wrong graph.  Names the field that made no sense.
 */
#include "goruntime/detect.h"

#define MAX_STRUCT 4096
#define SPANS	   256
#define PERCENT	   90 /* of the looked-at structs must agree: the target may be mid-change */

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

static bool agrees(const struct tally *t)
{
	return t->good * 100 >= (t->good + t->bad) * PERCENT;
}

static struct err *misfit(const struct go *g, const char *what)
{
	return err_unsupported("%s: %s makes no sense with the layout of Go %s%s%s; make a table "
			       "with `limpet layout --go PATH` and give it with --layout",
			       g->version, what, g->L->go, *g->L->experiments ? " " : "",
			       g->L->experiments);
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
	if (go_get(s, L->mspan_nelems) * elem > npages << GO_PAGE_SHIFT)
		return "runtime.mspan.nelems";
	if (go_get(s, L->mspan_freeindex) > go_get(s, L->mspan_nelems) ||
	    go_get(s, L->mspan_allocCount) > go_get(s, L->mspan_nelems))
		return "runtime.mspan.freeindex";
	return NULL;
}

static struct err *check_spans(const struct go *g)
{
	const struct go_layout *L = g->L;
	uint64_t all[3], step;
	struct tally t = { 0 };
	uint8_t s[MAX_STRUCT];

	if (L->mspan_bytes > sizeof(s) ||
	    !go_try_read(g, g->v.mheap + (uint64_t)L->mheap_allspans.off, all, sizeof(all)) ||
	    !all[1] || all[1] > all[2] || all[2] > (1ULL << 34))
		return misfit(g, "runtime.mheap.allspans");
	step = all[1] / SPANS + 1;
	for (uint64_t i = 0; i < all[1]; i += step) {
		taddr at = go_try_u64(g, all[0] + 8 * i);

		count(&t, go_try_read(g, at, s, L->mspan_bytes) ? wrong_span(L, s)
								: "runtime.mheap.allspans");
	}
	return agrees(&t) ? NULL : misfit(g, t.field);
}

static const char *wrong_g(const struct go *g, const uint8_t *p)
{
	const struct go_layout *L = g->L;
	uint64_t status = go_get(p, L->g_atomicstatus) & ~(uint64_t)L->c_Gscan;
	uint64_t lo = go_get(p, L->g_stack_lo), hi = go_get(p, L->g_stack_hi);
	struct go_func f;

	if (status > 15)
		return "runtime.g.atomicstatus";
	if (lo > hi || hi - lo > (2ULL << 30))
		return "runtime.g.stack";
	if (status != (uint64_t)L->c_Gwaiting)
		return NULL;
	if (go_get(p, L->g_sched_sp) < lo || go_get(p, L->g_sched_sp) > hi)
		return "runtime.g.sched.sp";
	if (!go_func_at(g, go_get(p, L->g_sched_pc), &f))
		return "runtime.g.sched.pc";
	if (go_get(p, L->g_startpc) && !go_func_at(g, go_get(p, L->g_startpc), &f))
		return "runtime.g.startpc";
	if (go_get(p, L->g_waitreason) >= L->nwait_reasons)
		return "runtime.g.waitreason";
	return NULL;
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

		count(&t, go_try_read(g, at, p, g->L->g_bytes) ? wrong_g(g, p) : "runtime.allgs");
	}
	return agrees(&t) ? NULL : misfit(g, t.field);
}

/*
 * runtime2.go: m.p.m == m is not kept in all states, m.curg.m == m is while it runs.  proc.go,
 * execute sets curg first and dropg clears curg.m first: in between it is nil.
 */
static struct err *check_ms(const struct go *g)
{
	const struct go_layout *L = g->L;
	taddr m = go_try_u64(g, g->v.allm);
	struct tally t = { 0 };
	uint8_t p[MAX_STRUCT];

	if (L->m_bytes > sizeof(p))
		return misfit(g, "runtime.m");
	for (unsigned i = 0; m && i < SPANS && go_try_read(g, m, p, L->m_bytes); i++) {
		uint64_t procid = go_get(p, L->m_procid), curg = go_get(p, L->m_curg);

		count(&t, procid > INT32_MAX ? "runtime.m.procid" : NULL);
		if (curg && procid) {
			taddr back = go_try_u64(g, curg + (uint64_t)L->g_m.off);

			count(&t, back && back != m ? "runtime.m.curg" : NULL);
		}
		m = go_get(p, L->m_alllink);
	}
	return t.good && agrees(&t) ? NULL : misfit(g, t.field ? t.field : "runtime.allm");
}

struct err *go_detect_check(const struct go *g)
{
	struct err *err = check_spans(g);

	if (!err)
		err = check_gs(g);
	return err ? err : check_ms(g);
}
