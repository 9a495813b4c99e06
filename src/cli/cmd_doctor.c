/*
 * cmd_doctor.c - `limpet doctor`: can limpet work here, on that process?
 *
 * Looks from outside: a target is neither stopped nor traced.  --selftest takes children of
 * limpet's own, --reap clears what a killed limpet left in a process.
 */
#include "cli/cmds.h"
#include "cli/session.h"
#include "elf/exe.h"
#include "goruntime/layout_version.h"
#include "report/doctor.h"
#include "report/out.h"
#include "target/doctor.h"
#include "target/kind.h"
#include "target/selftest.h"
#include "watch/nudge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

#define DEFAULT_MAX_PAUSE_NS 200000000U

/* "1.22 to 1.27" of the tables that are built in. */
static void say_tables(struct doctor *d)
{
	size_t n;
	const struct go_layout *const *v = go_layouts(&n);
	int least = 1000, most = 0;

	for (size_t i = 0; i < n; i++) {
		int minor = atoi(v[i]->go + 2);

		least = MIN(least, minor);
		most = MAX(most, minor);
	}
	doctor_say(d, "go", DOCTOR_OK, "Go 1.%d to 1.%d on amd64 and arm64 are known, %zu tables",
		   least, most, n);
}

static void say_version(struct doctor *d, const struct elf_exe *e, const struct args *a)
{
	const char *v = e->info.version;
	bool exact = false;
	enum target_arch arch = REGS_HOST;
	const struct go_layout *l;
	struct doctor_check *c;
	int minor;
	char exps[128];

	(void)!regs_arch_of_machine(e->machine, &arch);
	l = go_layout_find(v, regs_shape(arch)->name, &exact);
	go_version_parse(v, &minor, exps, sizeof(exps));
	if (a->layout) {
		doctor_say(d, "go", DOCTOR_OK, "%s, with the table of %s", v, a->layout);
	} else if (l && exact) {
		doctor_say(d, "go", DOCTOR_OK, "%s%s%s%s: known", v, *exps ? ", experiments " : "",
			   exps, e->symtab ? "" : ", stripped");
	} else if (l) {
		c = doctor_say(
			d, "go", DOCTOR_NOTE,
			"%s: no table of its own, that of Go %s comes nearest and is used only "
			"if the collector's marks agree",
			v, l->go);
		doctor_todo(c, "limpet layout --go /path/of/that/go -o FILE, then --layout FILE");
	} else {
		c = doctor_say(d, "go", DOCTOR_FAIL, "%s: no table comes near (Go 1.18 and later)",
			       v);
		c->code = ERR_UNSUPPORTED;
		doctor_todo(c, "limpet layout --go /path/of/that/go -o FILE, then --layout FILE");
	}
}

static void say_go(struct doctor *d, const struct args *a)
{
	_cleanup_(elf_exe_deinit) struct elf_exe e = { 0 };
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", d->pid);
	_cleanup_(closep) int fd = open(a->exe ? a->exe : path, O_RDONLY | O_CLOEXEC);
	struct err *err = fd < 0 ? err_os(errno, "%s", a->exe ? a->exe : path)
				 : elf_exe_read(fd, a->exe ? a->exe : path, &e);

	if (err) {
		doctor_todo(doctor_fail(d, "go", err), "name the executable with --exe FILE");
	} else if (!e.go) {
		struct doctor_check *c =
			doctor_say(d, "go", DOCTOR_FAIL,
				   "process %d runs no Go program: its executable has no Go build "
				   "information",
				   d->pid);

		c->code = ERR_UNSUPPORTED;
		doctor_todo(c,
			    "a Go library in a program of another language: not in this version");
	} else {
		say_version(d, &e, a);
	}
}

/* Our own verify, as anybody would start it. */
static struct err *run_verify(pid_t pid, struct str *out, int *ret_status)
{
	char what[24], buf[4096];
	int p[2], status = 0;

	snprintf(what, sizeof(what), "%d", pid);
	if (pipe2(p, O_CLOEXEC))
		return err_os(errno, "pipe");
	pid_t child = fork();
	int no = errno;

	if (child == 0) {
		dup2(p[1], 1);
		dup2(p[1], 2);
		execl("/proc/self/exe", "limpet", "verify", what, "--json", "--quiet",
		      selftest_method() == TARGET_BY_FREEZE ? "--freeze" : NULL, (char *)NULL);
		_exit(127);
	}
	close(p[1]);
	for (ssize_t n; child > 0 && (n = read(p[0], buf, sizeof(buf))) != 0;)
		if (n > 0)
			str_putn(out, buf, (size_t)n);
		else if (errno != EINTR)
			break;
	close(p[0]);
	if (child < 0)
		return err_os(no, "fork");
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
	return str_ok(out) ? NULL
			   : err_new(ERR_OS, "`limpet verify` said nothing, exit %d", *ret_status);
}

static uint64_t number_of(const char *json, const char *key)
{
	const char *p = strstr(json, key);

	p = p ? strchr(p, ':') : NULL;
	return p ? strtoull(p + 1 + strspn(p + 1, " "), NULL, 10) : UINT64_MAX;
}

static void verify_prey(struct doctor *d, const struct prey *p, const char *name)
{
	_cleanup_(str_deinit) struct str out = { 0 };
	char why[200];
	int status = 0;
	struct err *err = run_verify(p->pid, &out, &status);

	if (err) {
		doctor_fail(d, "verify", err);
		return;
	}
	uint64_t marked = number_of(out.s, "\"gc_objects\""),
		 missing = number_of(out.s, "\"missing\"");

	if (status || !marked || marked == UINT64_MAX || missing) {
		out.s[strcspn(out.s, "\n")] = '\0';
		struct doctor_check *c =
			doctor_say(d, "verify", DOCTOR_FAIL,
				   "`limpet verify` of %s: exit %d: %.200s", name, status, out.s);

		c->code = status == 4 ? ERR_UNSUPPORTED : ERR_OS;
		doctor_todo(c, "`limpet doctor` says what is missing");
		return;
	}
	doctor_say(d, "verify", DOCTOR_OK,
		   "%s: all %" PRIu64 " objects that its collector marked were reached", name,
		   marked);
	if (prey_lives(p, why, sizeof(why)))
		doctor_say(d, "answers", DOCTOR_OK, "afterwards it %s, untraced, without a child",
			   p->echoes ? "answers" : "runs");
	else
		doctor_say(d, "answers", DOCTOR_FAIL, "afterwards %s is not as before: %s", name,
			   why);
}

static struct err *open_prey(const struct args *a, int *ret_fd)
{
	if (!a->exe)
		return selftest_program(ret_fd);
	*ret_fd = open(a->exe, O_RDONLY | O_CLOEXEC);
	return *ret_fd < 0 ? err_os(errno, "%s", a->exe) : NULL;
}

static struct err *selftest_go(struct doctor *d, const struct args *a)
{
	const char *name = a->exe ? a->exe : "a small Go program";
	_cleanup_(closep) int fd = -1;
	struct prey p;
	struct err *err = open_prey(a, &fd);

	if (!err && fd < 0) {
		doctor_todo(
			doctor_say(
				d, "verify", DOCTOR_NOTE,
				"limpet was built without a Go program: reading Go was not tried"),
			"name one that prints READY and waits for its input: --exe FILE");
		return NULL;
	}
	if (!err)
		err = prey_start(fd, name, &p);
	if (err)
		return err;
	verify_prey(d, &p, name);
	prey_end(&p);
	return NULL;
}

static struct err *emit(const struct args *a, const struct doctor *d)
{
	_cleanup_(str_deinit) struct str o = { 0 };

	if (d->nomem)
		return &err_nomem;
	if (args_has(a, OPT_JSON))
		json_doc_doctor(&o, d);
	else
		text_doctor(&o, session_style(a), d);
	return out_write(a->out, &o);
}

static void say_reaped(struct str *o, pid_t pid, const struct target_cleaned *c, bool hastened)
{
	if (c->reaped)
		str_printf(o, "process %d: %u twin%s of a killed limpet taken away\n", pid,
			   c->reaped, c->reaped == 1 ? "" : "s");
	if (hastened)
		str_printf(o,
			   "process %d: a killed limpet left its collections hastened (ten a "
			   "second): two minutes again\n",
			   pid);
	if (c->unmarked)
		str_printf(o, "process %d: %u dead " DOCTOR_UNMARKED "\n", pid, c->unmarked,
			   c->unmarked == 1 ? "child" : "children");
	if (!c->reaped && !c->unmarked && !hastened)
		str_printf(o, "process %d: nothing to do\n", pid);
}

static struct err *reap(const struct args *a)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	struct kind_found k;
	struct target_cleaned c;
	bool hastened = false;
	struct err *err = kind_recognise(a->reap, &k);

	if (!err && k.kind != KIND_LIVE)
		err = err_usage("--reap %.100s: want a process", a->reap);
	if (!err)
		err = target_clean(k.pid, &c);
	if (!err)
		err = nudge_repair(k.pid, &hastened);
	if (err)
		return err;
	if (c.left)
		return err_new(
			ERR_LIMIT,
			"process %d: %u taken away, %u dead twins stay (no thread of it could be "
			"borrowed); they hold no memory, try again",
			k.pid, c.reaped, c.left);
	if (args_has(a, OPT_JSON))
		str_printf(&o,
			   "{\"schema\":1,\"pid\":%d,\"reaped\":%u,\"left\":0,\"unmarked\":%u,"
			   "\"collections_hastened\":%s}\n",
			   k.pid, c.reaped, c.unmarked, hastened ? "true" : "false");
	else
		say_reaped(&o, k.pid, &c, hastened);
	return out_write(a->out, &o);
}

static struct err *look(struct doctor *d, const struct args *a)
{
	struct target_opts o = { .method = TARGET_BY_FORK,
				 .max_pause_ns =
					 a->max_pause_ns ? a->max_pause_ns : DEFAULT_MAX_PAUSE_NS };
	struct kind_found k = { 0 };
	struct err *err = a->nargs ? kind_recognise(a->arg[0], &k) : NULL;

	if (!err && a->nargs && k.kind != KIND_LIVE)
		err = err_unsupported("%.200s: %s; doctor looks at processes", a->arg[0],
				      kind_words(k.kind));
	if (err)
		return err;
	d->pid = a->nargs ? k.pid : 0;
	if (a->nargs)
		err = doctor_process(d, k.pid, &o);
	if (err)
		return err;
	bool readable = a->nargs && d->checks.v[0].verdict != DOCTOR_FAIL;

	if (readable)
		say_go(d, a);
	doctor_machine(d);
	if (!a->nargs)
		say_tables(d);
	return NULL;
}

struct err *cmd_doctor(const struct args *a, int *status)
{
	_cleanup_(doctor_deinit) struct doctor d = { 0 };
	struct err *err = NULL;

	if (a->reap)
		return a->nargs ? err_usage("doctor: --reap PID, or a target, not both") : reap(a);
	if (args_has(a, OPT_SELFTEST) && a->nargs)
		return err_usage("doctor: --selftest takes children of its own, no target");
	if (args_has(a, OPT_SELFTEST)) {
		selftest_child(&d);
		err = selftest_go(&d, a);
	} else {
		err = look(&d, a);
	}
	if (!err)
		err = emit(a, &d);
	if (!err)
		*status = doctor_exit_code(&d);
	return err;
}
