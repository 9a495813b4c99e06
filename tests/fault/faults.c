/*
 * faults.c - one system call of limpet fails, the Nth of its kind, in whichever process.
 *
 * Linked into a whole limpet with -Wl,--wrap=read and so on, so only calls of our own code pass
 * here.  LIMPET_FAULT=KIND:N:ERRNO says which; LIMPET_FAULT_COUNT names a file of 8 bytes that all
 * processes share and count in.  N 0: only count.  LIMPET_FAULT=death:N:PID kills that process at
 * the Nth ptrace(2).
 *
 * Not failed: what the kernel refuses only when the thread is dead (PTRACE_SETREGS, CONT, SYSCALL,
 * DETACH, LISTEN): with an error made up there the program itself would be at fault.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __aarch64__ /* it has register sets only */
#define PTRACE_SETREGS PTRACE_SETREGSET
#endif

enum kind { OPEN, READ, WRITE, PTRACE, FORK, MMAP, SEND, RECV, SOCKET, DEATH, KINDS };
static const char *const names[KINDS] = { "open", "read", "write", "ptrace", "fork",
					  "mmap", "send", "recv",  "socket", "death" };

static _Atomic uint64_t *count;
static enum kind chosen = KINDS;
static uint64_t at;
static int number;

int __real_open64(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __real_openat(int dir, const char *path, int flags, ...);
int __real_openat64(int dir, const char *path, int flags, ...);
ssize_t __real_read(int fd, void *buf, size_t n);
ssize_t __real_pread(int fd, void *buf, size_t n, off_t at_off);
ssize_t __real_pread64(int fd, void *buf, size_t n, off_t at_off);
ssize_t __real_write(int fd, const void *buf, size_t n);
ssize_t __real_pwrite64(int fd, const void *buf, size_t n, off_t at_off);
long __real_ptrace(int request, pid_t pid, void *addr, void *data);
pid_t __real_fork(void);
void *__real_mmap(void *p, size_t n, int prot, int flags, int fd, off_t off);
void *__real_mmap64(void *p, size_t n, int prot, int flags, int fd, off_t off);
ssize_t __real_send(int fd, const void *buf, size_t n, int flags);
ssize_t __real_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __real_recv(int fd, void *buf, size_t n, int flags);
ssize_t __real_recvmsg(int fd, struct msghdr *m, int flags);
int __real_socketpair(int domain, int type, int protocol, int sv[2]);

int __wrap_open64(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __wrap_openat64(int dir, const char *path, int flags, ...);
ssize_t __wrap_read(int fd, void *buf, size_t n);
ssize_t __wrap_pread(int fd, void *buf, size_t n, off_t at_off);
ssize_t __wrap_pread64(int fd, void *buf, size_t n, off_t at_off);
ssize_t __wrap_write(int fd, const void *buf, size_t n);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t n, off_t at_off);
long __wrap_ptrace(int request, ...);
pid_t __wrap_fork(void);
void *__wrap_mmap(void *p, size_t n, int prot, int flags, int fd, off_t off);
void *__wrap_mmap64(void *p, size_t n, int prot, int flags, int fd, off_t off);
ssize_t __wrap_send(int fd, const void *buf, size_t n, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);
ssize_t __wrap_recv(int fd, void *buf, size_t n, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags);
int __wrap_socketpair(int domain, int type, int protocol, int sv[2]);

__attribute__((constructor)) static void arm(void)
{
	const char *what = getenv("LIMPET_FAULT"), *file = getenv("LIMPET_FAULT_COUNT");
	char *end;
	int fd = file ? __real_open(file, O_RDWR | O_CLOEXEC) : -1;

	if (!what || fd < 0)
		return;
	count = __real_mmap(NULL, sizeof(*count), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	for (enum kind k = 0; k < KINDS && (void *)count != MAP_FAILED; k++) {
		size_t n = strlen(names[k]);

		if (strncmp(what, names[k], n) || what[n] != ':')
			continue;
		chosen = k;
		at = strtoull(what + n + 1, &end, 10);
		number = atoi(end + 1);
	}
}

/* True, with errno set, for the one call that shall fail. */
static bool fails(enum kind k)
{
	if (k != chosen || atomic_fetch_add(count, 1) + 1 != at)
		return false;
	errno = number;
	return true;
}

#define MODE_OF(flags)                                                                             \
	mode_t mode = 0;                                                                           \
	if ((flags) & (O_CREAT | __O_TMPFILE)) {                                                   \
		va_list ap;                                                                        \
		va_start(ap, flags);                                                               \
		mode = (mode_t)va_arg(ap, int);                                                    \
		va_end(ap);                                                                        \
	}

int __wrap_open64(const char *path, int flags, ...)
{
	MODE_OF(flags)
	return fails(OPEN) ? -1 : __real_open64(path, flags, mode);
}

int __wrap_open(const char *path, int flags, ...)
{
	MODE_OF(flags)
	return fails(OPEN) ? -1 : __real_open(path, flags, mode);
}

int __wrap_openat(int dir, const char *path, int flags, ...)
{
	MODE_OF(flags)
	return fails(OPEN) ? -1 : __real_openat(dir, path, flags, mode);
}

int __wrap_openat64(int dir, const char *path, int flags, ...)
{
	MODE_OF(flags)
	return fails(OPEN) ? -1 : __real_openat64(dir, path, flags, mode);
}

ssize_t __wrap_read(int fd, void *buf, size_t n)
{
	return fails(READ) ? -1 : __real_read(fd, buf, n);
}

ssize_t __wrap_pread(int fd, void *buf, size_t n, off_t at_off)
{
	return fails(READ) ? -1 : __real_pread(fd, buf, n, at_off);
}

ssize_t __wrap_pread64(int fd, void *buf, size_t n, off_t at_off)
{
	return fails(READ) ? -1 : __real_pread64(fd, buf, n, at_off);
}

ssize_t __wrap_write(int fd, const void *buf, size_t n)
{
	return fails(WRITE) ? -1 : __real_write(fd, buf, n);
}

ssize_t __wrap_pwrite64(int fd, const void *buf, size_t n, off_t at_off)
{
	return fails(WRITE) ? -1 : __real_pwrite64(fd, buf, n, at_off);
}

static bool may_fail(int request)
{
	return request != PTRACE_SETREGS && request != PTRACE_SETREGSET && request != PTRACE_CONT &&
	       request != PTRACE_SYSCALL && request != PTRACE_DETACH && request != PTRACE_LISTEN;
}

long __wrap_ptrace(int request, ...)
{
	va_list ap;

	va_start(ap, request);
	pid_t pid = va_arg(ap, pid_t);
	void *addr = va_arg(ap, void *), *data = va_arg(ap, void *);
	va_end(ap);
	if (fails(DEATH))
		kill((pid_t)number, SIGKILL);
	if (may_fail(request) && fails(PTRACE))
		return -1;
	return __real_ptrace(request, pid, addr, data);
}

pid_t __wrap_fork(void)
{
	return fails(FORK) ? -1 : __real_fork();
}

void *__wrap_mmap(void *p, size_t n, int prot, int flags, int fd, off_t off)
{
	return fails(MMAP) ? MAP_FAILED : __real_mmap(p, n, prot, flags, fd, off);
}

void *__wrap_mmap64(void *p, size_t n, int prot, int flags, int fd, off_t off)
{
	return fails(MMAP) ? MAP_FAILED : __real_mmap64(p, n, prot, flags, fd, off);
}

ssize_t __wrap_send(int fd, const void *buf, size_t n, int flags)
{
	return fails(SEND) ? -1 : __real_send(fd, buf, n, flags);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
	return fails(SEND) ? -1 : __real_sendmsg(fd, m, flags);
}

ssize_t __wrap_recv(int fd, void *buf, size_t n, int flags)
{
	return fails(RECV) ? -1 : __real_recv(fd, buf, n, flags);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags)
{
	return fails(RECV) ? -1 : __real_recvmsg(fd, m, flags);
}

int __wrap_socketpair(int domain, int type, int protocol, int sv[2])
{
	return fails(SOCKET) ? -1 : __real_socketpair(domain, type, protocol, sv);
}
