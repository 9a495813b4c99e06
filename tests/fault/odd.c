/*
 * odd.c - processes in states that a Go program is rarely in: `odd MODE`.
 *
 * Prints "ready", then its counter of loops once a line when SIGUSR1 comes.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_ulong loops;

/* Refuse clone and wait4; action says how. */
static void filter(unsigned action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_wait4, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, action),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		exit(9);
}

/* Registers that the compiler keeps must be the same after as before. */
static void *spin(void *arg)
{
	(void)arg;
	for (;;) {
		unsigned long a = 0x1111, b = 0x2222, c = 0x3333, d = 0x4444, s = 0x5555,
			      e = 0x6666;

		__asm__ volatile("mov $2000, %%rcx\n1: dec %%rcx\n jnz 1b\n"
				 : "+a"(a), "+b"(b), "+d"(c), "+S"(d), "+D"(s), "+r"(e)
				 :
				 : "rcx", "cc");
		if (a != 0x1111 || b != 0x2222 || c != 0x3333 || d != 0x4444 || s != 0x5555 ||
		    e != 0x6666)
			abort();
		loops++;
	}
	return NULL;
}

/* The parent of a vfork child cannot be stopped until the child is done. */
static void vforks(void)
{
	sigset_t usr;

	/* The kernel gives a signal to the first thread even if that one cannot run. */
	sigemptyset(&usr);
	sigaddset(&usr, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &usr, NULL);
	for (;;) {
		pid_t pid = vfork();

		if (pid == 0) {
			struct timespec ts = { 4, 0 };

			nanosleep(&ts, NULL);
			_exit(0);
		}
		waitpid(pid, NULL, 0);
		loops++;
		usleep(300000);
	}
}

static void *busy(void *arg)
{
	(void)arg;
	for (;; usleep(1000))
		loops++;
	return NULL;
}

static void memory(size_t mib)
{
	size_t n = mib << 20;
	char *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (;;) {
		/* Dirty all of it, slowly: with a twin alive this doubles what is charged. */
		for (size_t i = 0; i < n; i += 4096) {
			p[i]++;
			if (i % (1 << 20) == 0)
				usleep(4000);
		}
		loops++;
	}
}

static void report(int sig)
{
	char buf[32];
	int n = snprintf(buf, sizeof(buf), "%lu\n", (unsigned long)loops);

	(void)sig;
	if (write(1, buf, (size_t)n) < 0)
		_exit(8);
}

static void nothing(int sig)
{
	(void)sig;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	pthread_t t;

	signal(SIGUSR1, report);
	signal(SIGUSR2, nothing);
	puts("ready");
	fflush(stdout);
	if (!strcmp(mode, "seccomp-errno"))
		filter(SECCOMP_RET_ERRNO | EPERM);
	else if (!strcmp(mode, "seccomp-kill"))
		filter(SECCOMP_RET_KILL_PROCESS);
	if (!strcmp(mode, "spin"))
		spin(NULL);
	if (!strcmp(mode, "spin3"))
		for (int i = 0; i < 2; i++)
			pthread_create(&t, NULL, spin, NULL);
	if (!strcmp(mode, "spin3"))
		spin(NULL);
	if (!strcmp(mode, "vfork")) {
		pthread_create(&t, NULL, busy, NULL);
		vforks();
	}
	if (!strcmp(mode, "memory"))
		memory((size_t)atoi(argv[2]));
	if (!strcmp(mode, "unshared") && syscall(SYS_unshare, 0x20000000))
		return 9;
	if (!strcmp(mode, "exec")) {
		pause();
		execl("/bin/sleep", "sleep", "20", NULL);
	}
	busy(NULL);
}
