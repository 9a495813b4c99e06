/*
 * nudge_point.c - finds runtime.forcegcperiod, and what wakes its reader.
 *
 * Source: runtime/proc.go (sysmon, forcegcperiod), mgc.go (gcTrigger.test), runtime2.go (schedt).
 */
#include "watch/nudge_point.h"

#include "goruntime/goruntime.h"

static taddr at(taddr base, struct go_field f)
{
	return base && go_has(f) ? base + (uint64_t)f.off : 0;
}

struct err *nudge_point_find(const struct go *g, struct nudge_point *ret)
{
	const struct go_layout *L = g->L;
	struct nudge_point p = { .period = g->v.forcegcperiod };
	struct err *err = p.period ? go_read_u64(g, p.period, &p.value) : NULL;

	if (err)
		return err;
	p.profile_rate = g->v.memprofilerate;
	err = p.profile_rate ? go_read_u64(g, p.profile_rate, &p.profile_value) : NULL;
	p.last_gc = at(g->v.memstats, L->mstats_last_gc_nanotime);
	p.lock = at(g->v.sched, L->sched_lock_key);
	p.wait = at(g->v.sched, L->sched_sysmonwait);
	p.note = at(g->v.sched, L->sched_sysmonnote);
	p.wait_bytes = L->sched_sysmonwait.bytes;
	if (!err && p.wait && p.wait_bytes <= sizeof(p.waits))
		err = go_read(g, p.wait, &p.waits, p.wait_bytes);
	if (err)
		return err;
	*ret = p;
	return NULL;
}
