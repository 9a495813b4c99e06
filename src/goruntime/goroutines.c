/*
 * goroutines.c - all goroutines: their state, frames and pointers, in allgs order.
 *
 * Source: runtime/proc.go (allgs), runtime/traceback.go (isSystemGoroutine, status
 * names), runtime/mgcmark.go (which stacks are scanned).  Workers fill their own
 * arrays; they are put together at the end.  Cost: two reads a goroutine.
 */
#include "goruntime/stack_priv.h"
#include "base/par.h"

#define GOROUTINES_MAX (1ULL << 27)

static const char lost_m[] = "runtime.m unreadable: it and the threads behind it are unknown";

/* What worker `w` wrote of goroutine i. */
struct part {
	unsigned w;
	size_t frame, slot, nslots;
};

struct job {
	const struct go *g;
	struct go_stacks *out;
	struct m_table ms;
	uint64_t *addrs; /* of the gs */
	size_t n;	 /* gs; system stacks follow */
	struct part *parts;
	struct stack_worker *workers;
	unsigned nworkers;
};

static void job_deinit(struct job *j)
{
	for (unsigned i = 0; j->workers && i < j->nworkers; i++)
		stack_worker_deinit(&j->workers[i]);
	free(j->workers);
	free(j->parts);
	free(j->addrs);
	m_table_deinit(&j->ms);
}

void go_stacks_deinit(struct go_stacks *s)
{
	vec_free(&s->gs);
	vec_free(&s->frames);
	vec_free(&s->slots);
	vec_free(&s->slot_first);
	vec_free(&s->losses);
	*s = (struct go_stacks){ 0 };
}

static bool is_status(uint32_t status, int64_t c)
{
	return c >= 0 && status == c;
}

static void fill_state(const struct go_layout *L, taddr addr, const uint8_t *b,
		       struct go_goroutine *ret)
{
	uint32_t status = (uint32_t)go_get(b, L->g_atomicstatus);
	uint32_t scan = L->c_Gscan > 0 ? (uint32_t)L->c_Gscan : 0x1000;

	*ret = (struct go_goroutine){
		.g = addr,
		/* counted from 1: what has the top bit set is damage, and no JSON integer */
		.id = go_get(b, L->g_goid) & INT64_MAX,
		.parent_id = go_get(b, L->g_parentGoid) & INT64_MAX,
		.status = status & ~scan,
		.scan = status & scan,
		.wait_reason = (uint32_t)go_get(b, L->g_waitreason),
		.waitsince = (int64_t)go_get(b, L->g_waitsince),
		.start_pc = go_get(b, L->g_startpc),
		.go_pc = go_get(b, L->g_gopc),
		.stack_lo = go_get(b, L->g_stack_lo),
		.stack_hi = go_get(b, L->g_stack_hi),
		.waiting = go_get(b, L->g_waiting),
		.labels = go_get(b, L->g_labels),
		.m = go_get(b, L->g_m),
	};
	ret->dead = is_status(ret->status, L->c_Gdead) || is_status(ret->status, L->c_Gidle) ||
		    is_status(ret->status, L->c_Gdeadextra);
}

static bool on_stack(const struct go_goroutine *gr, taddr sp)
{
	return sp >= gr->stack_lo && sp <= gr->stack_hi;
}

/* gogo has loaded the new stack pointer but not yet jumped: gobuf.pc still tells where to. */
static bool in_gogo(const struct go *g, taddr pc)
{
	struct go_func f;

	return go_func_at(g, pc, &f) &&
	       (!strcmp(f.name, "gogo") || !strcmp(f.name, "runtime.gogo"));
}

/* runtime.(*unwinder).init: where a goroutine stands that does not run on its own stack. */
static void plan_saved(const struct go_layout *L, const uint8_t *b, struct stack_plan *p)
{
	p->from = (struct unwind_from){ go_get(b, L->g_sched_pc), go_get(b, L->g_sched_sp),
					go_get(b, L->g_sched_lr), UNWIND_CALL };
	if (go_get(b, L->g_syscallsp))
		p->from = (struct unwind_from){ go_get(b, L->g_syscallpc),
						go_get(b, L->g_syscallsp), 0, UNWIND_SYSCALL };
}

static void plan_make(const struct job *j, const struct go_goroutine *gr, const uint8_t *b,
		      const struct m_info *m, struct stack_plan *p)
{
	const struct go_layout *L = j->g->L;
	bool running = is_status(gr->status, L->c_Grunning);

	*p = (struct stack_plan){
		.g = gr->g,
		.image = b,
		.stack = { gr->stack_lo, gr->stack_hi },
		.top_sp = go_get(b, L->g_stktopsp),
	};
	plan_saved(L, b, p);
	if (m && m->where == M_ON_CURG && !is_status(gr->status, L->c_Gsyscall)) {
		taddr lr = go_get(b, L->g_sched_lr);

		p->from = (struct unwind_from){ m->pc, m->sp, m->regs.lr, UNWIND_TRAP };
		p->regs = m;
		if (in_gogo(j->g, m->pc))
			p->from = (struct unwind_from){ go_get(b, L->g_sched_pc), m->sp,
							lr ? lr : m->regs.lr, UNWIND_CALL };
	} else if (m && m->where == M_IN_VDSO && running) {
		p->from = (struct unwind_from){ m->vdso_pc, m->vdso_sp, 0, UNWIND_CALL };
	} else if (running && (!m || m->where == M_UNKNOWN)) {
		p->all_conservative = true;
		p->from.sp = gr->stack_lo;
	}
	/* The collector may be moving this stack at this instant. */
	if (is_status(gr->status, L->c_Gcopystack) || (gr->scan && !running))
		p->all_conservative = true;
}

/* The system stack that works for this goroutine, or for the scheduler. */
static struct err *scan_g0(struct stack_worker *w, const struct m_info *m)
{
	bool vdso = m->sp == m->vdso_sp;
	struct stack_plan p = {
		.stack = m->g0,
		.from = { m->pc, m->sp, vdso ? 0 : m->regs.lr, vdso ? UNWIND_CALL : UNWIND_TRAP },
		.regs = vdso ? NULL : m,
		.frame_flags = GO_FRAME_SYSTEM,
	};

	return stack_scan(w, &p);
}

/* The scheduler's own threads hold a P; those that wait, or run C, hold none. */
static bool g0_counts(const struct m_info *m)
{
	return m && m->where == M_ON_G0 && m->p;
}

static bool starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

/* The finalizer and cleanup goroutines are the user's while they run the user's functions. */
static bool runs_user_code(const struct stack_worker *w)
{
	struct go_func f;

	for (size_t i = w->frame0; i < w->frames.n; i++)
		if (go_func_at(w->g, w->frames.v[i].pc, &f) && !starts_with(f.name, "runtime."))
			return true;
	return false;
}

/* runtime.isSystemGoroutine */
static bool is_system(const struct stack_worker *w, const struct go_goroutine *gr)
{
	const struct go_layout *L = w->g->L;
	struct go_func f;

	if (!go_func_at(w->g, gr->start_pc, &f))
		return false;
	if (is_status(f.func_id, L->c_funcid_runtime_main) ||
	    is_status(f.func_id, L->c_funcid_corostart) ||
	    is_status(f.func_id, L->c_funcid_handleAsyncEvent))
		return false;
	if (is_status(f.func_id, L->c_funcid_runfinq) ||
	    is_status(f.func_id, L->c_funcid_runFinalizers) ||
	    is_status(f.func_id, L->c_funcid_runCleanups))
		return !runs_user_code(w);
	return starts_with(f.name, "runtime.");
}

/* stack.go, stackalloc: within one span, whose size the heap knows. */
static bool stack_sane(const struct go_stack_env *env, const struct go_goroutine *gr)
{
	struct trange span = { gr->stack_lo, gr->stack_hi };

	if (!gr->stack_lo || gr->stack_lo >= gr->stack_hi || (gr->stack_hi & 7) ||
	    gr->stack_hi - gr->stack_lo > STACK_MAX_BYTES)
		return false;
	if (env->span_at)
		span = env->span_at(env->arg, gr->stack_lo);
	return gr->stack_lo >= span.start && gr->stack_hi <= span.end;
}

static struct err *scan_goroutine(struct job *j, struct stack_worker *w, struct go_goroutine *gr,
				  const uint8_t *b)
{
	const struct m_info *m = gr->m ? m_table_find(&j->ms, gr->m) : NULL;
	struct stack_plan plan;
	struct err *err;

	if (m && m->curg == gr->g)
		gr->thread = m->thread;
	if (gr->dead)
		return NULL;
	if (!stack_sane(&w->env, gr)) {
		stack_lose(w, "goroutine without a stack", gr->g, 0);
		return NULL;
	}
	if (!gr->thread)
		m = NULL;
	plan_make(j, gr, b, m, &plan);
	if (!on_stack(gr, plan.from.sp)) {
		stack_lose(w, "stack pointer outside the goroutine's stack", gr->g,
			   gr->stack_hi - gr->stack_lo);
		plan.from.sp = gr->stack_lo;
		plan.all_conservative = true;
	}
	if (g0_counts(m)) {
		err = scan_g0(w, m);
		if (err)
			return err;
	}
	err = stack_scan(w, &plan);
	gr->system = is_system(w, gr);
	return err;
}

static struct err *one_goroutine(struct job *j, struct stack_worker *w, size_t i)
{
	struct go_goroutine *gr = &j->out->gs.v[i];
	const struct go_layout *L = j->g->L;
	uint8_t b[G_MAX_BYTES];
	struct err *err;

	err = target_read(j->g->t, j->addrs[i], b, L->g_bytes);
	if (err_catch(&err, ERR_FAULT)) {
		*gr = (struct go_goroutine){ .g = j->addrs[i], .dead = true };
		stack_lose(w, "runtime.g unreadable", j->addrs[i], L->g_bytes);
		return NULL;
	}
	if (err)
		return err;
	fill_state(L, j->addrs[i], b, gr);
	if (!stack_sane(&w->env, gr)) /* dead ones have none, damaged ones an absurd one */
		gr->stack_lo = gr->stack_hi = 0;
	return scan_goroutine(j, w, gr, b);
}

/* A scheduler's stack: a goroutine with id 0. */
static struct err *one_g0(struct stack_worker *w, const struct m_info *m, struct go_goroutine *gr)
{
	*gr = (struct go_goroutine){
		.g = m->g0_addr,
		.status = (uint32_t)MAX(w->g->L->c_Grunning, 0),
		.stack_lo = m->g0.start,
		.stack_hi = m->g0.end,
		.m = m->addr,
		.system = true,
		.thread = m->thread,
	};
	return scan_g0(w, m);
}

static struct err *work(void *arg, unsigned worker, size_t lo, size_t hi)
{
	struct job *j = arg;
	struct stack_worker *w = &j->workers[worker];

	for (size_t i = lo; i < hi; i++) {
		struct part *part = &j->parts[i];
		struct err *err;

		*part = (struct part){ worker, w->frames.n, w->slots.n, 0 };
		w->frame0 = w->frames.n;
		if (i < j->n)
			err = one_goroutine(j, w, i);
		else
			err = one_g0(w, m_table_find(&j->ms, j->addrs[i]), &j->out->gs.v[i]);
		if (err)
			return err_prefix(err, "goroutine at " TADDR_FMT, j->addrs[i]);
		if (w->nomem)
			return &err_nomem;
		j->out->gs.v[i].nframes = w->frames.n - part->frame;
		part->nslots = w->slots.n - part->slot;
	}
	return NULL;
}

/* allgs, then the Ms whose scheduler is at work without a goroutine. */
static struct err *list_all(struct job *j)
{
	uint64_t head[3];
	struct err *err;
	size_t extra = 0;

	err = target_read(j->g->t, j->g->v.allgs, head, sizeof(head));
	if (err)
		return err;
	if (!head[1] || head[1] > head[2] || head[1] > GOROUTINES_MAX)
		return err_bad_data("%" PRIu64 " goroutines of %" PRIu64 " cannot be", head[1],
				    head[2]);
	j->n = head[1];
	j->addrs = zalloc(j->n + j->ms.ms.n, 8);
	if (!j->addrs)
		return &err_nomem;
	err = target_read(j->g->t, head[0], j->addrs, j->n * 8);
	if (err)
		return err;
	for (size_t i = 0; i < j->ms.ms.n; i++)
		if (g0_counts(&j->ms.ms.v[i]) && !j->ms.ms.v[i].curg)
			j->addrs[j->n + extra++] = j->ms.ms.v[i].addr;
	j->out->gs.n = j->n + extra;
	return NULL;
}

static struct err *job_init(struct job *j, const struct go_stack_env *env)
{
	size_t n = j->out->gs.n;

	j->out->gs.v = zalloc(n, sizeof(*j->out->gs.v));
	j->out->gs.cap = n;
	j->parts = zalloc(n, sizeof(*j->parts));
	j->workers = zalloc(j->nworkers, sizeof(*j->workers));
	if (!j->out->gs.v || !j->parts || !j->workers)
		return &err_nomem;
	for (unsigned i = 0; i < j->nworkers; i++) {
		j->workers[i].g = j->workers[i].pcs.g = j->g;
		j->workers[i].env = *env;
		stack_worker_init_stub(&j->workers[i]);
	}
	return NULL;
}

static bool reserve(struct job *j)
{
	struct go_stacks *o = j->out;
	size_t frames = 0, slots = 0, losses = 0;

	for (unsigned i = 0; i < j->nworkers; i++) {
		frames += j->workers[i].frames.n;
		slots += j->workers[i].slots.n;
		losses += j->workers[i].losses.n;
	}
	return frames < UINT32_MAX && vec_reserve(&o->frames, frames) &&
	       vec_reserve(&o->slots, slots) && vec_reserve(&o->losses, losses) &&
	       vec_reserve(&o->slot_first, o->gs.n + 1);
}

static void put_together(struct job *j)
{
	struct go_stacks *o = j->out;

	for (size_t i = 0; i < o->gs.n; i++) {
		const struct part *p = &j->parts[i];
		const struct stack_worker *w = &j->workers[p->w];
		struct go_goroutine *gr = &o->gs.v[i];

		gr->first_frame = o->frames.n;
		for (size_t k = 0; k < gr->nframes; k++) {
			o->frames.v[o->frames.n++] = w->frames.v[p->frame + k];
			if (w->frames.v[p->frame + k].flags & GO_FRAME_CONSERVATIVE)
				o->conservative_frames++;
		}
		o->slot_first.v[o->slot_first.n++] = o->slots.n;
		for (size_t k = 0; k < p->nslots; k++) {
			struct go_slot s = w->slots.v[p->slot + k];

			if (s.frame != UINT32_MAX)
				s.frame += (uint32_t)gr->first_frame;
			o->slots.v[o->slots.n++] = s;
		}
		if (!gr->dead && i < j->n)
			o->stack_bytes += gr->stack_hi - gr->stack_lo;
	}
	o->slot_first.v[o->slot_first.n++] = o->slots.n;
	for (unsigned i = 0; i < j->nworkers; i++)
		for (size_t k = 0; k < j->workers[i].losses.n; k++)
			o->losses.v[o->losses.n++] = j->workers[i].losses.v[k];
}

struct err *go_stacks_read(const struct go *g, unsigned nthreads, const struct go_stack_env *env,
			   struct go_stacks *ret)
{
	_cleanup_(go_stacks_deinit) struct go_stacks out = { 0 };
	_cleanup_(job_deinit) struct job j = { .g = g, .out = &out };
	struct err *err;

	if (!g->v.allgs || !g->L->g_bytes || g->L->g_bytes > G_MAX_BYTES)
		return err_unsupported("runtime.allgs or runtime.g is not known");
	j.nworkers = MIN(nthreads ? nthreads : par_default_threads(), 64U);
	err = m_table_read(g, &j.ms);
	if (!err)
		err = list_all(&j);
	if (!err)
		err = job_init(&j, env);
	if (!err)
		err = par_for(j.nworkers, out.gs.n, 32, work, &j);
	if (err)
		return err_prefix(err, "goroutines");
	if (!reserve(&j))
		return &err_nomem;
	put_together(&j);
	if (j.ms.lost && !vec_push(&out.losses, ((struct go_stack_loss){ lost_m, j.ms.lost, 0 })))
		return &err_nomem;
	*ret = out;
	out = (struct go_stacks){ 0 };
	return NULL;
}

const char *go_status_name(uint32_t status)
{
	/* runtime.gStatusStrings; numbers have not changed since 1.14, 10 and 11 are of 1.26 */
	static const char *const names[] = { "idle",	  "runnable", "running",
					     "syscall",	  "waiting",  "???",
					     "dead",	  "???",      "copystack",
					     "preempted", "leaked",   "waiting for cgo callback" };

	return status < ARRAY_LEN(names) ? names[status] : "???";
}

const char *go_wait_reason(const struct go *g, uint32_t reason)
{
	const char *s = reason < g->L->nwait_reasons ? g->L->wait_reasons[reason] : NULL;

	return s ? s : "";
}
