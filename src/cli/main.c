/*
 * main.c - argv in, exit code out: the only place that turns errors into words.
 */
#include "cli/cmds.h"
#include "cli/interrupt.h"
#include "report/out.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

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

static struct err *print_version(void)
{
	_cleanup_(str_deinit) struct str o = { 0 };

	str_put(&o, "limpet " LIMPET_VERSION "\n");
	return out_write(NULL, &o);
}

/* The kernel keeps the limit: private writable memory beyond it is refused. */
static struct err *limit_memory(uint64_t nbytes)
{
	struct rlimit r = { nbytes, nbytes };

	if (nbytes && setrlimit(RLIMIT_DATA, &r))
		return err_os(errno, "--max-memory %" PRIu64, nbytes);
	return NULL;
}

static int run(const struct args *a)
{
	int status = 0;
	struct err *err = limit_memory(a->max_memory);

	if (!err)
		err = a->cmd->run(a, &status);
	if (err)
		status = complain(err, a);
	interrupt_pass_on();
	return status;
}

int main(int argc, char **argv)
{
	struct args a;
	struct err *err;

	signal(SIGPIPE, SIG_IGN);
	interrupt_install();
	if (argc == 2 &&
	    (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))) {
		err = print_help(NULL);
		return err ? complain(err, NULL) : 0;
	}
	if (argc == 2 && !strcmp(argv[1], "--version")) {
		err = print_version();
		return err ? complain(err, NULL) : 0;
	}
	err = args_parse(argc, argv, &a);
	if (!err && args_has(&a, OPT_HELP)) {
		err = print_help(a.cmd);
		return err ? complain(err, NULL) : 0;
	}
	return err ? complain(err, NULL) : run(&a);
}
