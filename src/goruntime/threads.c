/*
 * threads.c - which thread runs which goroutine, and where it was stopped.
 *
 * Source: runtime/runtime2.go (m), runtime/sys_linux_*.s (sigtramp, vdso calls),
 * the kernel's struct rt_sigframe.  A thread that was stopped in a signal handler
 * counts as standing where the signal hit it.  Cost: three reads an M.
 */
#include "base/cycle.h"
#include "goruntime/stack_priv.h"

#define MS_MAX		  100000U
#define GSIGNAL_MAX_BYTES (256U << 10)

void m_table_deinit(struct m_table *t)
{
	vec_free(&t->ms);
}

static int by_addr(const void *a, const void *b)
{
	const struct m_info *x = a, *y = b;

	return (x->addr > y->addr) - (x->addr < y->addr);
}

const struct m_info *m_table_find(const struct m_table *t, taddr m)
{
	struct m_info key = { .addr = m };

	return t->ms.n ? bsearch(&key, t->ms.v, t->ms.n, sizeof(key), by_addr) : NULL;
}

static struct trange stack_of(const struct go *g, taddr gp)
{
	_cleanup_(err_freep) struct err *err = NULL;
	struct trange r = { 0, 0 };
	uint64_t lo, hi;

	if (!gp)
		return r;
	err = go_read_u64(g, gp + (uint32_t)g->L->g_stack_lo.off, &lo);
	if (!err)
		err = go_read_u64(g, gp + (uint32_t)g->L->g_stack_hi.off, &hi);
	if (!err && lo < hi && hi - lo <= STACK_MAX_BYTES)
		r = (struct trange){ lo, hi };
	return r;
}

/* The state that a signal interrupted; false: this is no context of that stack. */
static bool take_context(const struct go_arch *a, struct m_info *m, const uint8_t *uc)
{
	const struct go_arch_ucontext *at = &a->uc;
	struct go_arch_regs r = { .sp = load_u64(uc + at->sp), .pc = load_u64(uc + at->pc) };

	if (load_u64(uc + at->stack_sp) != m->gsignal.start ||
	    load_u64(uc + at->stack_bytes) != trange_bytes(m->gsignal))
		return false;
	if (trange_has(m->gsignal, r.sp))
		return false; /* a signal that hit a handler; the first one's frame lies higher */
	r.lr = at->lr ? load_u64(uc + at->lr) : 0;
	for (; r.nints < at->nregs; r.nints++)
		r.ints[r.nints] = load_u64(uc + at->regs + 8 * r.nints);
	m->regs = r;
	m->in_handler = true;
	return true;
}

/*
 * On the signal stack: the kernel pushed siginfo and ucontext (and what its architecture wants).
 * The ucontext is known by uc_stack, which tells this very stack.
 */
static bool leave_handler(const struct go *g, struct m_info *m)
{
	const struct go_arch *a = go_arch(g);
	uint64_t n = m->gsignal.end - m->sp;
	_cleanup_(freep) uint8_t *b = NULL;
	size_t got = 0;
	struct err *err;

	if (n > GSIGNAL_MAX_BYTES)
		return false;
	b = zalloc(n, 1);
	if (!b)
		return false;
	err = target_read_some(g->t, m->sp, b, n, &got);
	err_free(err);
	for (size_t at = 0; at + a->uc.bytes <= got; at += 8) {
		if (!take_context(a, m, b + at))
			continue;
		m->pc = m->regs.pc;
		m->sp = m->regs.sp;
		return true;
	}
	return false;
}

static void locate(const struct go *g, struct m_info *m)
{
	if (trange_has(m->gsignal, m->sp) && !leave_handler(g, m))
		return;
	if (m->user.end && m->sp > m->user.start && m->sp <= m->user.end) {
		m->where = M_ON_CURG;
	} else if (m->vdso_sp > m->user.start && m->vdso_sp <= m->user.end) {
		m->where = M_IN_VDSO;
	} else if (m->sp > m->g0.start && m->sp <= m->g0.end) {
		m->where = M_ON_G0;
		if (m->vdso_sp > m->g0.start && m->vdso_sp <= m->g0.end) {
			m->pc = m->vdso_pc;
			m->sp = m->vdso_sp;
		}
	}
}

/*
 * An M that has not told its thread id yet: on amd64 runtime.settls puts FS behind m.tls[0], on
 * arm64 a register of the thread holds its g0.
 */
static bool runs_m(const struct go *g, const struct target_thread *t, taddr m, taddr g0)
{
	struct go_arch_regs r;

	go_arch(g)->regs(&t->regs, &r);
	if (r.tls && go_has(g->L->m_tls) && r.tls == m + (uint32_t)g->L->m_tls.off + 8)
		return true;
	return r.g && r.g == g0;
}

static const struct target_thread *find_thread(const struct go *g, taddr m, taddr g0,
					       uint64_t procid)
{
	const struct target_thread *t;
	size_t n;

	t = target_threads(g->t, &n);
	for (size_t i = 0; i < n; i++)
		if (procid && (uint64_t)(t[i].ns_tid ? t[i].ns_tid : t[i].tid) == procid)
			return &t[i];
	for (size_t i = 0; i < n; i++)
		if (runs_m(g, &t[i], m, g0))
			return &t[i];
	return NULL;
}

static void describe(const struct go *g, taddr addr, const uint8_t *b, struct m_info *ret)
{
	const struct go_layout *L = g->L;

	*ret = (struct m_info){
		.addr = addr,
		.curg = go_get(b, L->m_curg),
		.p = go_get(b, L->m_p),
		.vdso_pc = go_get(b, L->m_vdsoPC),
		.vdso_sp = go_get(b, L->m_vdsoSP),
		.g0_addr = go_get(b, L->m_g0),
	};
	ret->thread = find_thread(g, addr, ret->g0_addr, go_get(b, L->m_procid));
	if (!ret->thread)
		return;
	ret->g0 = stack_of(g, ret->g0_addr);
	ret->gsignal = stack_of(g, go_get(b, L->m_gsignal));
	ret->user = stack_of(g, ret->curg);
	go_arch(g)->regs(&ret->thread->regs, &ret->regs);
	ret->pc = ret->regs.pc;
	ret->sp = ret->regs.sp;
	locate(g, ret);
}

struct err *m_table_read(const struct go *g, struct m_table *ret)
{
	struct cycle cycle = { 0 };
	struct m_info info;
	uint8_t b[M_MAX_BYTES];
	struct err *err;
	taddr m;

	if (!g->v.allm || !g->L->m_bytes || g->L->m_bytes > sizeof(b))
		return err_unsupported(
			"runtime.allm is not known: running goroutines cannot be read");
	err = go_read_u64(g, g->v.allm, &m);
	for (unsigned i = 0; !err && m && i < MS_MAX && !cycle_closed(&cycle, m); i++) {
		err = target_read(g->t, m, b, g->L->m_bytes);
		if (err_catch(&err, ERR_FAULT)) {
			ret->lost = m;
			break;
		}
		if (err)
			break;
		describe(g, m, b, &info);
		if (!vec_push(&ret->ms, info))
			return &err_nomem;
		m = go_get(b, g->L->m_alllink);
	}
	if (err)
		return err_prefix(err, "list of runtime.allm");
	if (ret->ms.n)
		qsort(ret->ms.v, ret->ms.n, sizeof(*ret->ms.v), by_addr);
	return NULL;
}
