/*
 * walls.c - what the command line names, told to the broker; then confinement.
 */
#include "cli/walls.h"

#include "base/confine.h"
#include "base/crash.h"
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

/* What is no process is a file; nonsense is refused by who recognises kinds. */
static void name_target(const char *text, struct broker_opts *o)
{
	const char *number = strncmp(text, "pid:", 4) ? text : text + 4;

	if (!strncmp(text, "name:", 5))
		o->name = text + 5;
	else if (*number && strspn(number, "0123456789") == strlen(number))
		o->pid = (pid_t)strtol(number, NULL, 10);
	else
		o->read[0] = text;
}

static struct err *resolve_name(struct args *a, const struct broker_opts *o)
{
	pid_t pid;
	struct err *err = o->name ? broker_pid(a->broker, &pid) : NULL;

	if (err || !o->name)
		return err;
	snprintf(a->target, sizeof(a->target), "pid:%d", pid);
	a->arg[0] = a->target;
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
	struct stat st;

	errno = 0;
	if (a->cmd->free)
		return NULL;
	if (a->arg[0])
		name_target(a->arg[0], &o);
	if (args_has(a, OPT_VALUES) && a->values == ANS_VALUES_FULL)
		o.words = TARGET_WORDS_ARGUMENTS;
	o.read[1] = a->exe;
	o.read[2] = a->layout;
	o.read[3] = a->symbols;
	o.read[4] = a->owners;
	o.read[5] = a->since;
	o.read[6] = a->known;
	o.write[0] = a->out;
	o.sysroot = a->sysroot;
	if (a->source && (stat(a->source, &st) || !S_ISDIR(st.st_mode)))
		return err_os(errno ? errno : ENOTDIR, "--source %.200s", a->source);
	o.source = a->source;
	struct err *err = broker_start(&o, &a->broker);

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
