/*
 * main.c - argv in, exit code out: the only place that turns errors into words.
 */
#include "base/crash.h"
#include "cli/cmds.h"
#include "cli/config.h"
#include "cli/evidence.h"
#include "cli/intake.h"
#include "cli/interrupt.h"
#include "cli/walls.h"
#include "report/out.h"
#include "watch/pace.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

static int complain(struct err *err, const struct args *a)
{
	int code = err_exit_code(err);

	if (err->code == ERR_NOMEM && a && a->max_memory)
		fprintf(stderr,
			"limpet: out of memory within --max-memory %" PRIu64
			" bytes: allow more, or take a smaller target\n",
			a->max_memory);
	else
		fprintf(stderr, "limpet: %s\n", err->msg);
	err_free(err);
	return code;
}

static struct err *print_help(const struct cmd *cmd)
{
	_cleanup_(str_deinit) struct str o = { 0 };

	help_text(&o, cmd);
	return out_write(NULL, &o);
}

/* What needs no target: true if argv was such a question. */
static bool plain_question(int argc, char *const *argv, struct str *o)
{
	const char *q = argc > 1 ? argv[1] : "";

	if (argc == 2 && (!strcmp(q, "--help") || !strcmp(q, "-h") || !strcmp(q, "help")))
		help_text(o, NULL);
	else if (argc == 2 && !strcmp(q, "--version"))
		str_put(o, "limpet " LIMPET_VERSION "\n");
	else if (argc == 2 && !strcmp(q, "--man"))
		help_man(o);
	else if (argc == 3 && !strcmp(q, "--completion") && !strcmp(argv[2], "bash"))
		help_completion_bash(o);
	else
		return false;
	return true;
}

/* The kernel keeps the limit: private writable memory beyond it is refused. */
static struct err *limit_memory(uint64_t nbytes)
{
	struct rlimit r = { nbytes, nbytes };

	if (nbytes && setrlimit(RLIMIT_DATA, &r))
		return err_os(errno, "--max-memory %" PRIu64, nbytes);
	if (nbytes)
		crash_limited();
	return NULL;
}

/*
 * Who starts us with stdout closed must not get the answer into the next file that is opened: a
 * place that refuses to be written to is held instead.
 */
static void hold_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/", O_PATH | O_DIRECTORY) < 0)
			return;
}

static int run(struct args *a)
{
	_cleanup_(config_deinit) struct config config = { 0 };
	int status = 0;
	struct err *err = NULL;
	bool done = false;

	/* who catches the dead must not fail for a line in a file */
	if (!a->cmd->free && !(a->cmd->opts & OPT_HANDLER))
		err = config_read(&config);
	a->config = &config;
	if (!err)
		err = config_limits(&config, a);
	if (!err)
		err = intake(a);
	if (!err)
		err = walls_raise(a);
	if (!err)
		err = limit_memory(a->max_memory);
	if (!err)
		err = evidence_ask(a, &status, &done);
	if (!err && !done)
		err = a->cmd->run(a, &status);
	if (err)
		status = complain(err, a);
	walls_end(a);
	interrupt_pass_on();
	return status;
}

/*
 * Parts of `limpet check -- go test` that are processes of their own:
 *   --pace SOCKET TRACER -- COMMAND…    between us and a test binary
 *   --pace-next SOCKET                  the load: one more repetition
 */
static int pace(int argc, char *const *argv)
{
	int status = 0;
	struct err *err;

	if (!strcmp(argv[1], "--pace-next"))
		err = pace_next(argv[2]);
	else if (argc > 5 && !strcmp(argv[1], "--pace") && !strcmp(argv[4], "--"))
		err = pace_run(argv[2], (pid_t)strtol(argv[3], NULL, 10), argv + 5, &status);
	else
		err = err_usage("%.20s: see `limpet check --help`", argv[1]);
	if (err)
		return complain(err, NULL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	struct args a;
	struct err *err;

	hold_standard_fds();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* ulimit -f: an error of write(2), not our end */
	interrupt_install();
	if (plain_question(argc, argv, &o)) {
		err = out_write(NULL, &o);
		return err ? complain(err, NULL) : 0;
	}
	if (argc > 2 && !strncmp(argv[1], "--pace", 6))
		return pace(argc, argv);
	err = args_parse(argc, argv, &a);
	if (!err && args_has(&a, OPT_HELP))
		err = print_help(a.cmd);
	else if (!err)
		return run(&a);
	return err ? complain(err, NULL) : 0;
}
