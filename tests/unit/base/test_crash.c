/*
 * test_crash.c - what a crashing process says and how it ends: each in a child.
 */
#include "base/crash.h"

#include "base/mem.h"
#include "base/sanitized.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <setjmp.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <cmocka.h>

/* cmocka has an own one of these two */
#undef assert
#define assert(x) ((x) ? (void)0 : __assert_fail(#x, __FILE__, __LINE__, __func__))

static char said[1024];

/* Exit code of a child that does that; what it said is in said. */
static int end_of(void (*what)(void))
{
	size_t n = 0;
	ssize_t got;
	int p[2], status;
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		dup2(p[1], 2);
		crash_install();
		what();
		_exit(0);
	}
	close(p[1]);
	while ((got = read(p[0], said + n, sizeof(said) - 1 - n)) > 0)
		n += (size_t)got;
	said[n] = '\0';
	close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void fault(void)
{
	raise(SIGSEGV);
}

static void damaged(void)
{
	char words[CRASH_WORDS];

	READING(crash_words(words, "DWARF", "/x/\033[2Jy", "; go on without it"));
	fault();
}

static void limited(void)
{
	crash_limited();
	damaged();
}

static void read_before(void)
{
	{
		char words[CRASH_WORDS];

		READING(crash_words(words, "DWARF", "/x", ""));
	}
	fault();
}

static void over_the_stack(void)
{
	volatile char big[4096] = { 0 };

	big[1] = big[0];
	if (said[0] != 77) /* always */
		over_the_stack();
	big[2] = big[1];
}

static void deep(void)
{
	char words[CRASH_WORDS];

	setrlimit(RLIMIT_STACK, &(struct rlimit){ 1 << 20, 1 << 20 });
	READING(crash_words(words, "DWARF", "/x", ""));
	over_the_stack();
}

static void library_asserts(void)
{
	char words[CRASH_WORDS];

	READING(crash_words(words, "DWARF", "/x", ""));
	assert(said[0] == 77);
}

static void own_assert(void)
{
	assert(said[0] == 77);
}

static void *thread(void *arg)
{
	damaged();
	return arg;
}

static void in_a_thread(void)
{
	pthread_t t;

	if (!pthread_create(&t, NULL, thread, NULL))
		pthread_join(t, NULL);
}

static void nomem(void)
{
	crash_nomem();
}

static void test_ends(void **state)
{
	static const struct {
		void (*what)(void);
		int code;
		const char *line; /* its beginning */
	} t[] = {
		{ damaged, 4,
		  "limpet: /x/?[2Jy: reading DWARF crashed: the file is damaged or crafted; go on" },
		{ limited, 5, "limpet: /x/?[2Jy: reading DWARF crashed: the file is damaged" },
		{ fault, 70, "limpet: a bug: it crashed" },
		{ read_before, 70, "limpet: a bug: it crashed" },
		{ deep, 4, "limpet: /x: reading DWARF crashed" },
		{ library_asserts, 4, "limpet: /x: reading DWARF crashed" },
		{ own_assert, 70, "" },
		{ in_a_thread, 4, "limpet: /x/?[2Jy: reading DWARF crashed" },
		{ nomem, 5, "limpet: out of memory while reading DWARF" },
	};

	(void)state;
	if (SANITIZED)
		skip();
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(end_of(t[i].what), t[i].code);
		assert_memory_equal(said, t[i].line, strlen(t[i].line));
		assert_true(*said && said[strlen(said) - 1] == '\n');
		/* an assertion of our own says where, too */
		assert_true(t[i].what == own_assert ||
			    strchr(said, '\n') == said + strlen(said) - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_ends) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
