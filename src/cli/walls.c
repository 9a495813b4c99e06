/*
 * walls.c - what the command line names, told to the broker; then confinement.
 */
#include "cli/walls.h"

#include "base/confine.h"
#include "base/crash.h"
#include "cli/intake.h"
#include "report/answer.h"
#include "target/ownmem.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

struct target_opts walls_look(const struct args *a)
{
	return (struct target_opts){
		.method = args_has(a, OPT_FREEZE) ? TARGET_BY_FREEZE : TARGET_BY_FORK,
		.max_pause_ns = a->max_pause_ns,
		.what = a->cmd->name,
		.facts = a->cmd->facts,
	};
}

/* Files of options come first. */
enum { FIRST_TARGET = 8, TARGETS_MAX = BROKER_MAX_FILES - FIRST_TARGET };

/* What is no process is a file; nonsense is refused by who recognises kinds. */
static struct err *name_target(const char *text, const char **file, struct broker_opts *o)
{
	const char *number = strncmp(text, "pid:", 4) ? text : text + 4;
	bool name = !strncmp(text, "name:", 5);

	if (!name && (!*number || strspn(number, "0123456789") != strlen(number))) {
		*file = text;
		return NULL;
	}
	if (o->pid || o->name)
		return err_usage(
			"%.100s: one process at a time; the other looks are files, as made "
			"by `limpet snapshot TARGET -o FILE.limpet`",
			text);
	if (name)
		o->name = text + 5;
	else
		o->pid = (pid_t)strtol(number, NULL, 10);
	return NULL;
}

static unsigned count_targets(const struct args *a)
{
	return MIN(intake_targets(a), (unsigned)TARGETS_MAX);
}

static struct err *resolve_name(struct args *a, const struct broker_opts *o)
{
	pid_t pid;
	struct err *err = o->name ? broker_pid(a->broker, &pid) : NULL;

	if (err || !o->name)
		return err;
	snprintf(a->target, sizeof(a->target), "pid:%d", pid);
	for (unsigned i = 0; i < count_targets(a); i++)
		if (!strncmp(a->arg[i], "name:", 5))
			a->arg[i] = a->target;
	return NULL;
}

/* Async-signal-safe: memory is nearly used up, this process is what gives it back. */
static void out_of_memory(int sig)
{
	static const char words[] =
		"limpet: stopped before memory ran out (of the machine, or of the cgroup that "
		"limpet runs in): make room, or write a core (limpet snapshot TARGET -o FILE) "
		"and read it elsewhere\n";

	(void)sig;
	_exit(write(STDERR_FILENO, words, sizeof(words) - 1) < 0 ? 5 : 5);
}

struct err *walls_raise(struct args *a)
{
	struct broker_opts o = { .look = walls_look(a) };
	struct confine_status is;
	struct err *err = NULL;
	struct stat st;

	errno = 0;
	if (a->cmd->free)
		return NULL;
	for (unsigned i = 0; i < count_targets(a) && !err; i++)
		err = name_target(a->arg[i], &o.read[FIRST_TARGET + i], &o);
	if (err)
		return err;
	if (args_has(a, OPT_VALUES) && a->values == ANS_VALUES_FULL)
		o.words = TARGET_WORDS_ARGUMENTS;
	o.read[0] = a->exe;
	o.read[1] = a->layout;
	o.read[2] = a->symbols;
	o.read[3] = a->owners;
	o.read[4] = a->since;
	o.read[5] = a->known;
	o.write[0] = a->out;
	o.write[1] = a->outs.junit;
	o.write[2] = a->outs.sarif;
	o.write[3] = a->outs.quality;
	o.write[4] = a->gclog.svg;
	o.write[5] = a->pprof.html;
	o.sysroot = a->sysroot;
	if (a->source && (stat(a->source, &st) || !S_ISDIR(st.st_mode)))
		return err_os(errno ? errno : ENOTDIR, "--source %.200s", a->source);
	o.source = a->source;
	err = broker_start(&o, &a->broker);
	if (err)
		return err;
	signal(OWNMEM_SIGNAL, out_of_memory);
	ownmem_offer_self();
	crash_install();
	confine_self(broker_peer(a->broker), &is);
	files_delegate(broker_file, a->broker);
	return resolve_name(a, &o);
}

void walls_end(struct args *a)
{
	files_delegate(NULL, NULL);
	broker_end(a->broker);
	a->broker = NULL;
}
