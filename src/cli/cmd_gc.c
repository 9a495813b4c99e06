/*
 * cmd_gc.c - `limpet gc`: is the collector the problem?
 *
 * A running program is neither stopped nor traced: two readings of its own counters, a second
 * apart.  Of a core there is one.  GC logs: evid_gclog.c.
 */
#include "base/clock.h"
#include "cli/cmds.h"
#include "cli/interrupt.h"
#include "cli/session.h"
#include "goruntime/goruntime.h"
#include "report/gc.h"
#include "report/out.h"
#include "target/broker.h"
#include "target/kind.h"
#include "watch/pulse.h"

enum { NAP_NS = 50000000, NAPS = 20 };

static struct err *look(const struct go *g, struct ans_gc_look *ret)
{
	ret->at_ns = clock_ns();
	return go_beat_read(g, &ret->beat);
}

static struct err *pause_a_second(void)
{
	struct err *err = NULL;

	for (unsigned i = 0; i < NAPS && !err; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = NAP_NS }, NULL);
		err = interrupt_check();
	}
	return err;
}

static struct err *show(const struct args *a, const struct ans_gc *g)
{
	_cleanup_(str_deinit) struct str o = { 0 };

	if (args_has(a, OPT_JSON))
		json_doc_gc(&o, g);
	else
		text_gc(&o, session_style(a), g);
	return str_ok(&o) ? out_write(a->out, &o) : &err_nomem;
}

static struct err *of_running(const struct args *a)
{
	_cleanup_(pulse_closep) struct pulse_reader *x = NULL;
	_cleanup_(ans_gc_deinit) struct ans_gc g = { 0 };
	struct ans_gc_look then, now;
	struct err *err = pulse_open_here(a->broker, a->layout, &x);

	if (!err)
		err = look(pulse_go(x), &then);
	if (!err)
		err = pause_a_second();
	if (!err)
		err = look(pulse_go(x), &now);
	if (!err)
		err = ans_gc_make(pulse_go(x), &then, &now, &g);
	return err ? err : show(a, &g);
}

static struct err *of_core(const struct args *a)
{
	_cleanup_(session_close) struct session s = { 0 };
	_cleanup_(ans_gc_deinit) struct ans_gc g = { 0 };
	struct ans_gc_look now;
	struct err *err = session_attach(a, &s);

	if (!err && target_capture(s.t)->kind == TARGET_DUMP)
		err = err_unsupported(
			"%.200s: a heap dump has no counters of the collector; give a "
			"process, a core or a log of GODEBUG=gctrace=1",
			a->arg[0]);
	if (!err)
		err = look(s.go, &now);
	if (!err)
		err = ans_gc_make(s.go, NULL, &now, &g);
	return err ? err : show(a, &g);
}

struct err *cmd_gc(const struct args *a, int *status)
{
	struct kind_found k;
	struct err *err = kind_recognise(a->arg[0], &k);

	(void)status;
	if (err)
		return err;
	return k.kind == KIND_LIVE ? of_running(a) : of_core(a);
}
