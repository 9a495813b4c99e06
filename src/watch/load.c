/*
 * load.c - start, wait, take what it said.
 */
#include "watch/load.h"

#include <errno.h>
#include <signal.h>

enum { STEP_MS = 10, TAIL_LINES = 20, TAIL_BYTES = 4096 };

static bool is_gone(const struct load_opts *o)
{
	int status;

	if (o->under)
		return child_ended(o->under, &status);
	return o->pid && kill(o->pid, 0) && errno == ESRCH;
}

static struct err *wait_for(struct child *c, const struct load_opts *o, const struct host *h,
			    struct load_done *d)
{
	uint64_t end = o->timeout_ns ? clock_ns() + o->timeout_ns : UINT64_MAX;
	struct err *err = NULL;

	while (!err && !child_ended(c, &d->status)) {
		d->under_gone = is_gone(o);
		d->timed_out = !d->under_gone && clock_ns() >= end;
		if (d->under_gone || d->timed_out)
			break;
		err = host_wait(h, STEP_MS);
	}
	return err;
}

struct err *load_run(const struct load_opts *o, const struct host *h, struct load_done *ret)
{
	_cleanup_(child_freep) struct child *c = NULL;
	_cleanup_(str_deinit) struct str tail = { 0 };
	struct child_opts co = { .argv = o->argv,
				 .env = o->env,
				 .output = { .copies = { o->copies[0], o->copies[1] } } };
	struct load_done d = { .status = -1 };
	uint64_t began = clock_ns();
	struct child_end end;
	struct err *err = child_start(&co, &c);

	if (err)
		return err;
	err = wait_for(c, o, h, &d);
	d.ns = clock_ns() - began;
	child_stop(c, err || d.under_gone || d.timed_out ? o->grace_ns : 0, &end);
	d.others = end.others;
	str_put(&tail, "");
	output_tail(child_output(c), TAIL_LINES, TAIL_BYTES, &tail);
	d.tail = str_steal(&tail);
	if (!err && !d.tail)
		err = &err_nomem;
	if (err) {
		load_deinit(&d);
		return err;
	}
	*ret = d;
	return NULL;
}

void load_deinit(struct load_done *d)
{
	free(d->tail);
	d->tail = NULL;
}
