/*
 * test_gotext_meaning.c - what drawn dumps mean: which waits are locks.
 */
#include "evidence/gotext.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct gotext *read_text(const char *text)
{
	_cleanup_(input_closep) struct input *in = NULL;
	struct gotext *g = NULL;

	assert_null(input_bytes(text, strlen(text), "drawn", &in));
	assert_null(gotext_read(in, &g));
	return g;
}

/* Stacks as Go 1.18, 1.22 and 1.27 write them: sync/mutex.go, rwmutex.go, waitgroup.go, cond.go,
 * internal/poll/fd_mutex.go, golang.org/x/sync/semaphore. */
static void test_waits(void **state)
{
	static const struct {
		const char *stack;
		enum gotext_wait is;
	} cases[] = {
		{ "sync.runtime_SemacquireMutex(0x0?, 0x0?, 0x0?)\n\t/go/src/runtime/sema.go:71 +0x25\n"
		  "sync.(*Mutex).lockSlow(0xc000012345)\n\t/go/src/sync/mutex.go:162 +0x165\n"
		  "sync.(*Mutex).Lock(...)\n\t/go/src/sync/mutex.go:81\n",
		  GOTEXT_WAIT_LOCK },
		{ "sync.runtime_SemacquireMutex(0x0?, 0x0?, 0x0?)\n\t/go/src/runtime/sema.go:71 +0x25\n"
		  "sync.(*RWMutex).RLock(...)\n\t/go/src/sync/rwmutex.go:71\n",
		  GOTEXT_WAIT_LOCK },
		{ "sync.runtime_Semacquire(0x0?)\n\t/go/src/runtime/sema.go:56 +0x25\n"
		  "sync.(*WaitGroup).Wait(0x0?)\n\t/go/src/sync/waitgroup.go:136 +0x52\n",
		  GOTEXT_WAIT_GROUP },
		{ "sync.runtime_notifyListWait(0xc000010050, 0x0)\n\t/go/src/runtime/sema.go:513 +0x13d\n"
		  "sync.(*Cond).Wait(0xc000010040)\n\t/go/src/sync/cond.go:56 +0x8c\n",
		  GOTEXT_WAIT_COND },
		{ "sync.runtime_SemacquireMutex(0x0?, 0x0?, 0x0?)\n\t/go/src/runtime/sema.go:71 +0x25\n"
		  "sync.(*Mutex).lockSlow(0xc000012345)\n\t/go/src/sync/mutex.go:162 +0x165\n"
		  "sync.(*Cond).Wait(0xc000010040)\n\t/go/src/sync/cond.go:57 +0x8c\n",
		  GOTEXT_WAIT_LOCK },
		{ "internal/poll.runtime_Semacquire(0x0?)\n\t/go/src/runtime/sema.go:61 +0x25\n"
		  "internal/poll.(*fdMutex).rwlock(0xc000010040, 0x1)\n\t/go/src/internal/poll/fd_mutex.go:154 +0xd2\n",
		  GOTEXT_WAIT_OTHER },
		{ "golang.org/x/sync/semaphore.(*Weighted).Acquire(0xc000010040, {0x1, 0x2}, 0x1)\n\t/m/semaphore.go:60 +0x2c5\n",
		  GOTEXT_WAIT_WEIGHTED },
		{ "", GOTEXT_WAIT_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_(gotext_freep) struct gotext *g = NULL;
		char text[1024];

		snprintf(text, sizeof(text),
			 "goroutine 7 [semacquire]:\n%smain.f(0xc000010000)\n\t/src/main.go:3 +0x19\n"
			 "created by main.main\n\t/src/main.go:9 +0x1d\n",
			 cases[i].stack);
		g = read_text(text);
		assert_int_equal(gotext_wait_of(g, g->gs.v[0].stack), cases[i].is);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
