/*
 * pulse.c - one reading: the runtime's counters, and the kernel's.
 *
 * Knows no process: it reads what a broker opened.  Cost of a reading: a few dozen preads.
 */
#include "watch/pulse_priv.h"

#include "base/clock.h"
#include "base/mem.h"

#define OPEN_TRIES  5
#define OPEN_NAP_NS 3000000

struct pulse_here {
	struct broker *b;
	struct target *t;
	struct go *go;
	struct pulse last;
	bool any;
};

struct pulse_reader {
	struct pulse_here *here; /* one of the two */
	struct pulse_apart *apart;
};

static void pulse_here_closep(struct pulse_here **x)
{
	pulse_here_close(*x);
}

/*
 * What is checked while the program runs may be in the middle of a change: runtime.allspans grows,
 * say.  A moment later it is not.
 */
static struct err *open_go(struct target *t, const struct go_opts *o, struct go **ret)
{
	struct err *err = NULL;

	for (unsigned i = 0; i < OPEN_TRIES; i++) {
		err_free(err);
		err = go_open(t, o, ret);
		if (!err || (err->code != ERR_UNSUPPORTED && err->code != ERR_BAD_DATA &&
			     err->code != ERR_FAULT))
			return err;
		nanosleep(&(struct timespec){ .tv_nsec = OPEN_NAP_NS }, NULL);
	}
	return err;
}

struct err *pulse_here_open(struct broker *b, const char *layout_file, struct pulse_here **ret)
{
	/* No names of DWARF are needed, and a debuginfod is not asked. */
	struct go_opts o = { .layout_file = layout_file, .symbols = "none" };
	_cleanup_(pulse_here_closep) struct pulse_here *x = zalloc(1, sizeof(*x));
	struct err *err;

	if (!x)
		return &err_nomem;
	x->b = b;
	err = broker_running(b, &x->t);
	if (!err)
		err = open_go(x->t, &o, &x->go);
	if (err)
		return err;
	*ret = STEAL(x);
	return NULL;
}

void pulse_here_close(struct pulse_here *x)
{
	if (!x)
		return;
	go_close(x->go);
	target_close(x->t);
	free(x);
}

const struct go *pulse_here_go(const struct pulse_here *x)
{
	return x->go;
}

static void put_beat(const struct go_beat *b, struct pulse *p)
{
	p->cycles = b->cycles;
	p->collecting = b->collecting;
	p->forced = b->forced;
	p->heap_live = b->heap_live;
	p->heap_marked = b->heap_marked;
	p->heap_goal = b->heap_goal;
	p->heap_in_use = b->heap_in_use;
	p->heap_free = b->heap_free;
	p->heap_released = b->heap_released;
	p->stacks = b->stacks;
	p->runtime_bytes = b->runtime_bytes;
	p->total_alloc = b->total_alloc;
	p->total_free = b->total_free;
	p->mallocs = b->mallocs;
	p->frees = b->frees;
	p->pause_total_ns = b->pause_total_ns;
	p->last_pause_ns = b->last_pause_ns;
	p->last_gc_unix_ns = b->last_gc_unix_ns;
	p->gc_cpu_ns = b->gc_cpu_ns;
	p->total_cpu_ns = b->total_cpu_ns;
	p->goroutines = b->goroutines;
	p->gogc = b->gc_percent_known ? b->gc_percent : INT64_MIN;
}

/* Sums that are torn may be a little less than they were, or could not be had this time. */
static void forward(uint64_t last, uint64_t *now)
{
	if (last != UINT64_MAX && (*now == UINT64_MAX || *now < last))
		*now = last;
}

static void keep_growing(const struct pulse *last, struct pulse *now)
{
	forward(last->total_alloc, &now->total_alloc);
	forward(last->total_free, &now->total_free);
	forward(last->mallocs, &now->mallocs);
	forward(last->frees, &now->frees);
	forward(last->gc_cpu_ns, &now->gc_cpu_ns);
	forward(last->total_cpu_ns, &now->total_cpu_ns);
}

struct err *pulse_here_read(struct pulse_here *x, struct pulse *ret)
{
	struct pulse p = { .at_ns = clock_ns() };
	struct target_pulse k;
	struct go_beat b;
	struct err *err = go_beat_read(x->go, &b);

	if (!err)
		err = broker_pulse(x->b, &k);
	if (err_catch(&err, ERR_GONE)) /* wherever it was noticed */
		return err_new(ERR_GONE, "process %d has exited", target_capture(x->t)->pid);
	if (err)
		return err;
	put_beat(&b, &p);
	p.rss = k.rss;
	p.threads = k.threads;
	p.cpu_ns = k.cpu_ns;
	p.fds = k.fds;
	if (x->any)
		keep_growing(&x->last, &p);
	x->last = p;
	x->any = true;
	*ret = p;
	return NULL;
}

struct err *pulse_open(pid_t pid, struct pulse_reader **ret)
{
	_cleanup_(pulse_closep) struct pulse_reader *x = zalloc(1, sizeof(*x));
	struct err *err = x ? pulse_apart_open(pid, &x->apart) : &err_nomem;

	if (err)
		return err;
	*ret = STEAL(x);
	return NULL;
}

struct err *pulse_open_here(struct broker *b, const char *layout_file, struct pulse_reader **ret)
{
	_cleanup_(pulse_closep) struct pulse_reader *x = zalloc(1, sizeof(*x));
	struct err *err = x ? pulse_here_open(b, layout_file, &x->here) : &err_nomem;

	if (err)
		return err;
	*ret = STEAL(x);
	return NULL;
}

const struct go *pulse_go(const struct pulse_reader *x)
{
	return x->here ? pulse_here_go(x->here) : NULL;
}

struct err *pulse_read(struct pulse_reader *x, struct pulse *ret)
{
	return x->here ? pulse_here_read(x->here, ret) : pulse_apart_read(x->apart, ret);
}

struct err *pulse_point(struct pulse_reader *x, struct nudge_point *ret)
{
	return x->here ? nudge_point_find(pulse_here_go(x->here), ret)
		       : pulse_apart_point(x->apart, ret);
}

void pulse_close(struct pulse_reader *x)
{
	if (!x)
		return;
	pulse_here_close(x->here);
	pulse_apart_close(x->apart);
	free(x);
}
