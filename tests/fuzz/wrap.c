/*
 * wrap.c - malloc and friends, refused on demand.
 */
#include "wrap.h"

#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>

static _Atomic uint64_t calls;
static _Atomic int refused;
static _Atomic size_t mapped;
static uint64_t refuse_at;
static enum wrap_mode mode;

int __real_vasprintf(char **ret, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t bytes);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void *__real_mmap(void *p, size_t n, int prot, int flags, int fd, off_t off);
int __real_munmap(void *p, size_t n);
void *__real_mremap(void *p, size_t n, size_t new_n, int flags, ...);
int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *arg);

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *s);
int __wrap_vasprintf(char **ret, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
int __wrap_asprintf(char **ret, const char *fmt, ...) PRINTF_LIKE(2, 3);
char *__wrap_strndup(const char *s, size_t n);
void *__wrap_mmap(void *p, size_t n, int prot, int flags, int fd, off_t off);
void *__wrap_mmap64(void *p, size_t n, int prot, int flags, int fd, off_t off);
int __wrap_munmap(void *p, size_t n);
void *__wrap_mremap(void *p, size_t n, size_t new_n, int flags, ...);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *arg);

/* Present under ASan. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

void wrap_begin(uint64_t n, enum wrap_mode m)
{
	calls = 0;
	refused = 0;
	mapped = 0;
	refuse_at = n;
	mode = m;
}

void wrap_end(void)
{
	mode = WRAP_NONE;
}

uint64_t wrap_calls(void)
{
	return calls;
}

bool wrap_refused(void)
{
	return refused != 0;
}

size_t wrap_mapped(void)
{
	return mapped;
}

bool wrap_leaks(void)
{
	return __lsan_do_recoverable_leak_check && __lsan_do_recoverable_leak_check();
}

/* More than any of these programs can need: a lie was believed. */
static bool refuse(size_t n)
{
	uint64_t k = atomic_fetch_add(&calls, 1) + 1;

	(void)n;
	if ((mode == WRAP_NTH && k == refuse_at) || (mode == WRAP_FROM_NTH && k >= refuse_at)) {
		refused = 1;
		errno = ENOMEM;
		return true;
	}
	return false;
}

void *__wrap_malloc(size_t n)
{
	return refuse(n) ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t bytes)
{
	return refuse(n * bytes) ? NULL : __real_calloc(n, bytes);
}

void *__wrap_realloc(void *p, size_t n)
{
	return refuse(n) ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *s)
{
	return refuse(1) ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
	return refuse(n) ? NULL : __real_strndup(s, n);
}

int __wrap_vasprintf(char **ret, const char *fmt, va_list ap)
{
	return refuse(1) ? -1 : __real_vasprintf(ret, fmt, ap);
}

int __wrap_asprintf(char **ret, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = __wrap_vasprintf(ret, fmt, ap);
	va_end(ap);
	return n;
}

/* Whole pages, as the kernel counts. */
static size_t pages(size_t n)
{
	return (n + 4095) & ~(size_t)4095;
}

void *__wrap_mmap(void *p, size_t n, int prot, int flags, int fd, off_t off)
{
	void *q = refuse(n) ? MAP_FAILED : __real_mmap(p, n, prot, flags, fd, off);

	if (q != MAP_FAILED)
		mapped += pages(n);
	return q;
}

/* With -D_FILE_OFFSET_BITS=64 that is its name. */
void *__wrap_mmap64(void *p, size_t n, int prot, int flags, int fd, off_t off)
{
	return __wrap_mmap(p, n, prot, flags, fd, off);
}

int __wrap_munmap(void *p, size_t n)
{
	int rc = __real_munmap(p, n);

	if (!rc)
		mapped -= pages(n);
	return rc;
}

void *__wrap_mremap(void *p, size_t n, size_t new_n, int flags, ...)
{
	void *q, *to = NULL;

	if (flags & MREMAP_FIXED) {
		va_list ap;

		va_start(ap, flags);
		to = va_arg(ap, void *);
		va_end(ap);
	}
	q = refuse(new_n) ? MAP_FAILED
	    : to	  ? __real_mremap(p, n, new_n, flags, to)
			  : __real_mremap(p, n, new_n, flags);
	if (q != MAP_FAILED)
		mapped += pages(new_n) - pages(n);
	return q;
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*fn)(void *), void *arg)
{
	if (mode == WRAP_THREADS) {
		refused = 1;
		return EAGAIN;
	}
	return refuse(1) ? EAGAIN : __real_pthread_create(t, a, fn, arg);
}
