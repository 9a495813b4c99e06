/*
 * test_gotext_meaning.c - what drawn dumps mean: which waits are locks, who may hold them.
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

#define WAITS "goroutine %u [sync.Mutex.Lock]:\n"
#define SLOW                                                                                \
	"internal/sync.runtime_SemacquireMutex(0x0?, 0x0?, 0x2?)\n\t/go/sema.go:95 +0x25\n" \
	"internal/sync.(*Mutex).lockSlow(0x%x)\n\t/go/mutex.go:149 +0x15d\n"                \
	"internal/sync.(*Mutex).Lock(...)\n\t/go/mutex.go:70\n"                             \
	"sync.(*Mutex).Lock(...)\n\t/go/mutex.go:46\n"
#define OVER "created by main.main in goroutine 1\n\t/src/main.go:9 +0x1d\n\n"

static char text[1 << 13];
static size_t ntext;

__attribute__((format(printf, 1, 2))) static void put(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	ntext += (size_t)vsnprintf(text + ntext, sizeof(text) - ntext, format, ap);
	va_end(ap);
}

/* type store struct { mu sync.Mutex; rw sync.RWMutex } at 0x77b33ca0: get() locks mu, put() rw,
 * read() reads rw; hold() and rwhold() hold them and wait for a channel. */
static void put_getters(unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		put(WAITS SLOW "main.(*store).get(0x77b33ca0, 0xa)\n\t/src/main.go:30 +0x51\n" OVER,
		    10 + i, 0x77b33ca0U);
}

static void put_reader(unsigned id)
{
	put("goroutine %u [sync.RWMutex.RLock]:\n"
	    "sync.runtime_SemacquireRWMutexR(0x0?, 0x0?, 0x0?)\n\t/go/sema.go:100 +0x25\n"
	    "sync.(*RWMutex).RLock(...)\n\t/go/rwmutex.go:74\n"
	    "main.(*store).read(0x77b33ca0)\n\t/src/main.go:34 +0x30\n" OVER,
	    id);
}

static void put_holder(unsigned id, const char *call)
{
	put("goroutine %u [chan receive]:\n%s\n\t/src/main.go:31 +0x3\n" OVER, id, call);
}

static void assert_holders(const char *word, const uint64_t *want, size_t n, bool circle)
{
	_cleanup_(gotext_freep) struct gotext *g = read_text(text);
	struct gotext_locks l = { 0 };

	assert_null(gotext_locks(g, &l));
	assert_true(l.v.n > 0);
	assert_string_equal(l.v.v[0].word, word);
	assert_int_equal(l.v.v[0].nholders, n);
	assert_int_equal(l.v.v[0].circle, circle);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(g->gs.v[l.v.v[0].holder[i]].id, want[i]);
	vec_free(&l.v);
}

/* Who waits for another lock of the same struct needs the struct for that. */
static void test_holders(void **state)
{
	(void)state;
	ntext = 0;
	put_getters(3);
	put_reader(20);
	put_reader(21);
	assert_holders("sync.Mutex", NULL, 0, false);
	put_holder(30, "main.(*store).hold(...)");
	assert_holders("sync.Mutex", (const uint64_t[]){ 30 }, 1, false);
	put_holder(31, "main.(*store).hold(0x77b33ca0, 0x1?)");
	assert_holders("sync.Mutex", (const uint64_t[]){ 31 }, 1, false);
	ntext = 0;
	put_getters(3);
	for (unsigned i = 0; i < 4; i++)
		put_holder(30 + i, "main.(*store).hold(0x1?, 0x2?)");
	put_holder(40, "main.(*stores).hold(...)");
	put_holder(41, "main.(*store).hold(0x77000000)");
	assert_holders("sync.Mutex", NULL, 0, false);
}

/* A writer that waits for other writers does so in the RWMutex's own Mutex. */
static void test_writers(void **state)
{
	(void)state;
	ntext = 0;
	for (unsigned i = 0; i < 3; i++)
		put(WAITS SLOW "sync.(*RWMutex).Lock(0x0?)\n\t/go/rwmutex.go:155 +0x65\n"
			       "main.(*store).put(0x0?)\n\t/src/main.go:33 +0x1e\n" OVER,
		    10 + i, 0x77b33ca8U);
	assert_holders("sync.RWMutex", NULL, 0, false);
}

/* transfer(a, b) locks a, then b: two of them, one the other way round. */
static void test_circle(void **state)
{
	(void)state;
	ntext = 0;
	put(WAITS SLOW "main.transfer(0x77000100, 0x77008100)\n\t/src/main.go:30 +0x51\n" OVER, 10,
	    0x77008100U);
	put(WAITS SLOW "main.transfer(0x77008100, 0x77000100)\n\t/src/main.go:30 +0x51\n" OVER, 11,
	    0x77000100U);
	assert_holders("sync.Mutex", (const uint64_t[]){ 10 }, 1, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holders),
		cmocka_unit_test(test_writers),
		cmocka_unit_test(test_circle),
		cmocka_unit_test(test_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
