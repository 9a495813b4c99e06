/*
 * interrupt.c - one flag, the only global that changes: signal handlers have no other way.
 */
#include "cli/interrupt.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

static volatile sig_atomic_t came;

static void note(int sig)
{
	came = sig;
}

void interrupt_install(void)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = note, .sa_flags = SA_RESTART | (int)SA_RESETHAND };
	struct sigaction old;

	for (size_t i = 0; i < ARRAY_LEN(sigs); i++)
		if (!sigaction(sigs[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(sigs[i], &sa, NULL);
}

struct err *interrupt_check(void)
{
	return came ? err_new(ERR_LIMIT, "interrupted by signal %d", (int)came) : NULL;
}

void interrupt_sleep(uint64_t ns)
{
	struct timespec ts = { (time_t)(ns / 1000000000U), (long)(ns % 1000000000U) };

	while (!came && nanosleep(&ts, &ts) && errno == EINTR)
		;
}

void interrupt_pass_on(void)
{
	if (!came)
		return;
	signal(came, SIG_DFL);
	raise(came);
}
