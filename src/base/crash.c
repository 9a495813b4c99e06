/*
 * crash.c - a handler that writes one line and ends.
 *
 * What a thread reads is the thread's: the signal comes to the one that faulted.  Nothing is
 * undone here: who watches the process (target/broker.h) lets the target go.
 */
#include "base/crash.h"

#include "base/clean.h"
#include "base/mem.h"
#include "base/sanitized.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_BAD_DATA = 4, EXIT_LIMIT = 5, EXIT_BUG = 70 };

static _Thread_local const char *volatile reading;
static volatile sig_atomic_t limited;

/* Async-signal-safe. */
static void say(const char *s)
{
	if (write(STDERR_FILENO, s, strlen(s)) < 0)
		return;
}

static void end(int sig)
{
	const char *words = reading;

	say("limpet: ");
	if (words)
		say(words);
	if (words && limited)
		say(" (or --max-memory is too little for it)");
	if (!words)
		say(sig == SIGABRT ? "a bug: aborted; please report it with what is above"
				   : "a bug: it crashed; please report the command and its target");
	say("\n");
	_exit(!words ? EXIT_BUG : limited ? EXIT_LIMIT : EXIT_BAD_DATA);
}

void crash_install(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };
	static char stack[1U << 16]; /* the thread's own may have run over */
	stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction sa = { .sa_handler = end, .sa_flags = SA_ONSTACK | (int)SA_RESETHAND };

	if (SANITIZED)
		return;
	sigaltstack(&alt, NULL);
	for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
		sigaction(fatal[i], &sa, NULL);
}

void crash_limited(void)
{
	limited = 1;
}

/* libc's: an assertion of a library is said by end() in our words, one of ours also in its own. */
void __assert_fail(const char *what, const char *file, unsigned line, const char *function)
{
	if (!reading)
		fprintf(stderr, "%s:%u: %s: %s\n", file, line, function, what);
	abort();
}

const char *crash_reading(const char *words)
{
	const char *before = reading;

	reading = words;
	return before;
}

const char *crash_words(char buf[CRASH_WORDS], const char *what, const char *file,
			const char *way_out)
{
	snprintf(buf, CRASH_WORDS, "%.200s: reading %s crashed: the file is damaged or crafted%s",
		 file, what, way_out);
	clean_in_place(buf);
	return buf;
}

__attribute__((noreturn)) void crash_nomem(void)
{
	say("limpet: out of memory while reading DWARF: allow more (--max-memory), or do without "
	    "it (--symbols none)\n");
	_exit(EXIT_LIMIT);
}
