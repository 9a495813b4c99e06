/*
 * test_confine.c - what a confined process can still do, and what it cannot.
 *
 * Each row runs in a child of its own that confines itself first: walls cannot be taken down.
 */
#include "base/confine.h"
#include "base/par.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

static int mine[2]; /* a socket pair, made before */
static pid_t parent;

static long try_open(void)
{
	return open("/etc/passwd", O_RDONLY);
}

static long try_open_here(void)
{
	return open(".", O_RDONLY | O_DIRECTORY);
}

static long try_create(void)
{
	return open("limpet-test-confine", O_WRONLY | O_CREAT, 0600);
}

static long try_own_memory(void)
{
	return open("/proc/self/mem", O_RDWR);
}

static long try_unlink(void)
{
	return unlink("limpet-test-confine");
}

static long try_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long try_unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long try_connect(void)
{
	return connect(mine[0], (const struct sockaddr *)"\2\0", 2);
}

static long try_other_socket(void)
{
	struct msghdr m = { 0 };

	return sendmsg(mine[1], &m, 0);
}

static long try_exec(void)
{
	return execl("/bin/true", "true", (char *)NULL);
}

static long try_fork(void)
{
	return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
}

static long try_ptrace(void)
{
	return ptrace(PTRACE_SEIZE, parent, 0, 0);
}

static long try_vm_read(void)
{
	char c;
	struct iovec v = { &c, 1 };

	return process_vm_readv(parent, &v, 1, &v, 1, 0);
}

static long try_kill(void)
{
	return kill(parent, 0);
}

static long try_tgkill(void)
{
	return syscall(SYS_tgkill, parent, parent, 0);
}

static long try_exec_memory(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? -1
		       : 0;
}

static long try_make_exec(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static long try_root(void)
{
	return setuid(0);
}

static long try_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static long try_chroot(void)
{
	return chroot("/");
}

static long try_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0);
}

static long try_uring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL);
}

static long try_other_limit(void)
{
	return syscall(SYS_prlimit64, parent, 0, NULL, NULL);
}

#ifdef __x86_64__
/* open of the x32 table: bit 30. */
static long try_x32(void)
{
	return syscall(0x40000000 + SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}
#endif

static const struct {
	const char *what;
	long (*try)(void);
} refused[] = {
	{ "open", try_open },
	{ "open .", try_open_here },
	{ "create", try_create },
	{ "own memory", try_own_memory },
	{ "unlink", try_unlink },
	{ "socket", try_socket },
	{ "unix socket", try_unix_socket },
	{ "connect", try_connect },
	{ "another socket", try_other_socket },
	{ "execve", try_exec },
	{ "fork", try_fork },
	{ "ptrace", try_ptrace },
	{ "process_vm_readv", try_vm_read },
	{ "kill", try_kill },
	{ "tgkill", try_tgkill },
	{ "executable memory", try_exec_memory },
	{ "memory made executable", try_make_exec },
	{ "uid 0", try_root },
	{ "unshare", try_namespace },
	{ "chroot", try_chroot },
	{ "bpf", try_bpf },
	{ "io_uring", try_uring },
	{ "limits of another", try_other_limit },
#ifdef __x86_64__
	{ "x32", try_x32 },
#endif
};

static struct err *add(void *arg, unsigned worker, size_t lo, size_t hi)
{
	(void)worker;
	__atomic_fetch_add((size_t *)arg, hi - lo, __ATOMIC_RELAXED);
	return NULL;
}

static bool threads_work(void)
{
	size_t sum = 0;

	return !par_for(4, 1000, 10, add, &sum) && sum == 1000;
}

static bool memory_works(void)
{
	size_t n = 64U << 20;
	char *p = malloc(n), *q = p ? realloc(p, 2 * n) : NULL;

	if (q)
		memset(q, 1, 2 * n);
	free(q);
	return q != NULL;
}

static bool own_socket_works(void)
{
	struct iovec v = { (char[]){ 'x' }, 1 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	return sendmsg(mine[0], &m, 0) == 1;
}

static bool time_works(void)
{
	struct timespec ts = { 0, 1000 };

	return nanosleep(&ts, NULL) == 0 && clock_gettime(CLOCK_REALTIME, &ts) == 0;
}

static bool standard_output_works(void)
{
	return fprintf(stderr, "confined\n") > 0 && fflush(stderr) == 0 && isatty(0) >= 0;
}

static const struct {
	const char *what;
	bool (*works)(void);
} allowed[] = {
	{ "threads", threads_work },
	{ "memory", memory_works },
	{ "the broker's socket", own_socket_works },
	{ "time", time_works },
	{ "output", standard_output_works },
};

/* 0: as it should be; 1: not; 2: walls are not there. */
static int in_child(int (*fn)(size_t), size_t i)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct confine_status s;

		confine_self(mine[0], &s);
		_exit(s.seccomp ? fn(i) : 2);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int is_refused(size_t i)
{
	errno = 0;
	return refused[i].try() == -1 && errno == EPERM ? 0 : 1;
}

static int is_allowed(size_t i)
{
	return allowed[i].works() ? 0 : 1;
}

static void what_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		int got = in_child(is_refused, i);

		if (got == 2)
			skip(); /* a sanitizer, or a kernel without seccomp */
		if (got)
			fail_msg("%s is not refused", refused[i].what);
	}
}

static void what_is_allowed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
		if (in_child(is_allowed, i) == 1)
			fail_msg("%s does not work", allowed[i].what);
}

/* As some containers do: these calls do not exist. */
static bool hide_walls(void)
{
	struct sock_filter insn[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_landlock_create_ruleset, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
	};
	struct sock_fprog f = { ARRAY_LEN(insn), insn };

	return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) &&
	       !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &f);
}

static void what_is_missing_is_said(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		struct confine_status s;

		if (!hide_walls())
			_exit(2);
		confine_self(mine[0], &s);
		_exit(s.no_caps && s.no_new_privs && !s.seccomp && !s.landlock &&
				      strstr(s.lacks, "seccomp") && strstr(s.lacks, "Landlock") &&
				      threads_work()
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_probe_tells(void **state)
{
	struct confine_status s;

	(void)state;
	assert_null(confine_probe(&s));
	assert_true(s.no_caps && s.no_new_privs);
	if (!s.lacks[0])
		assert_true(s.seccomp && s.landlock > 0 && s.uid != 0);
	/* The prober itself is as it was. */
	assert_true(try_open() >= 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(what_is_allowed),
		cmocka_unit_test(what_is_missing_is_said),
		cmocka_unit_test(the_probe_tells),
	};

	parent = getpid();
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, mine))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
