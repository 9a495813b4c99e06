/*
 * confine_filter.c - the system calls that analysis needs; all others fail with EPERM.
 *
 * A list of what is allowed, so that what a later kernel adds is not.  On Linux 5.11 and later the
 * kernel keeps a bitmap of what is always allowed: a pread costs nothing more.  Refusals are
 * logged by the kernel where audit is on.  An error and not a kill: what a library tries first
 * and can do without must not end a report.
 */
#include "base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH

#define MAX_INSNS  256
#define LOW_ARG(i) ((uint32_t)offsetof(struct seccomp_data, args[i])) /* little-endian */
#define NR_AT	   ((uint32_t)offsetof(struct seccomp_data, nr))
#define ARCH_AT	   ((uint32_t)offsetof(struct seccomp_data, arch))
#define EPERM_RET  (SECCOMP_RET_ERRNO | EPERM)

/* Frequent ones first: an older kernel walks the list. */
static const int always[] = {
	SYS_pread64,
	SYS_read,
	SYS_write,
	SYS_futex,
	SYS_madvise,
	SYS_munmap,
	SYS_mremap,
	SYS_brk,
	SYS_clock_gettime,
	SYS_pwrite64,
	SYS_readv,
	SYS_writev,
	SYS_lseek,
	SYS_close,
	SYS_fstat,
	SYS_fsync,
	SYS_fdatasync,
	SYS_ftruncate,
	SYS_fallocate,
	SYS_fstatfs,
	SYS_fadvise64,
	/* threads and signals of our own */
	SYS_exit,
	SYS_exit_group,
	SYS_set_robust_list,
	SYS_rseq,
	SYS_rt_sigaction,
	SYS_rt_sigprocmask,
	SYS_rt_sigreturn,
	SYS_sigaltstack,
	SYS_restart_syscall,
	SYS_sched_yield,
	SYS_sched_getaffinity,
	SYS_gettid,
	SYS_getpid,
	SYS_clock_nanosleep,
	SYS_nanosleep,
	SYS_gettimeofday,
	SYS_ppoll,
	SYS_wait4,
	/* what we are and what there is */
	SYS_getuid,
	SYS_geteuid,
	SYS_getgid,
	SYS_getegid,
	SYS_getrusage,
	SYS_sysinfo,
	SYS_uname,
	SYS_getrandom,
	SYS_dup,
	SYS_dup3,
#ifdef SYS_poll
	SYS_poll,
	SYS_dup2,
	SYS_time,
	SYS_getrlimit,
#endif
};

struct program {
	struct sock_filter insn[MAX_INSNS];
	unsigned short n;
};

static void put(struct program *p, struct sock_filter f)
{
	if (p->n < MAX_INSNS)
		p->insn[p->n] = f;
	p->n++;
}

static void load(struct program *p, uint32_t at)
{
	put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at));
}

static void give(struct program *p, uint32_t verdict)
{
	put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

/* The next instruction only if the accumulator is value. */
static void if_is(struct program *p, uint32_t value)
{
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
}

static void if_has(struct program *p, uint32_t bits)
{
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1));
}

/* Of call nr: argument i must be one of values. */
static void allow_values(struct program *p, int nr, unsigned i, const uint32_t *values, uint8_t n)
{
	/* not this call: over the load, a pair a value, and the refusal */
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0,
					    (uint8_t)(2 * n + 2)));
	load(p, LOW_ARG(i));
	for (uint8_t k = 0; k < n; k++) {
		if_is(p, values[k]);
		give(p, SECCOMP_RET_ALLOW);
	}
	give(p, EPERM_RET);
}

/* Of call nr: the verdict if argument i has one of bits, the other one if none. */
static void judge_bits(struct program *p, int nr, unsigned i, uint32_t bits, uint32_t verdict,
		       uint32_t otherwise)
{
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 4));
	load(p, LOW_ARG(i));
	if_has(p, bits);
	give(p, verdict);
	give(p, otherwise);
}

static void put_conditions(struct program *p, int peer)
{
	static const uint32_t fcntls[] = { F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC };
	static const uint32_t ioctls[] = { TCGETS, TIOCGWINSZ };
	static const uint32_t prctls[] = { PR_SET_NAME, 0x53564d41 /* PR_SET_VMA */ };
	const uint32_t self[] = { (uint32_t)getpid() }, sock[] = { (uint32_t)peer }, zero[] = { 0 };

	judge_bits(p, SYS_mmap, 2, PROT_EXEC, EPERM_RET, SECCOMP_RET_ALLOW);
	judge_bits(p, SYS_mprotect, 2, PROT_EXEC, EPERM_RET, SECCOMP_RET_ALLOW);
	judge_bits(p, SYS_clone, 0, CLONE_THREAD, SECCOMP_RET_ALLOW, EPERM_RET);
	judge_bits(p, SYS_newfstatat, 3, AT_EMPTY_PATH, SECCOMP_RET_ALLOW, EPERM_RET);
	allow_values(p, SYS_fcntl, 1, fcntls, ARRAY_LEN(fcntls));
	allow_values(p, SYS_ioctl, 1, ioctls, ARRAY_LEN(ioctls));
	allow_values(p, SYS_prctl, 0, prctls, ARRAY_LEN(prctls));
	allow_values(p, SYS_tgkill, 0, self, 1);
	allow_values(p, SYS_prlimit64, 0, zero, 1);
	if (peer < 0)
		return;
	allow_values(p, SYS_sendmsg, 0, sock, 1);
	allow_values(p, SYS_recvmsg, 0, sock, 1);
}

static void begin(struct program *p)
{
	load(p, ARCH_AT);
	if_is(p, ARCH);
	put(p, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 1));
	give(p, SECCOMP_RET_KILL_PROCESS);
	load(p, NR_AT);
}

/*
 * Its flags are in memory, where no filter sees them; libc then takes clone.  A filter of its own:
 * each thread that libc starts tries this first, which is nothing to log.
 */
static void build_clone3(struct program *p)
{
	begin(p);
	if_is(p, SYS_clone3);
	give(p, SECCOMP_RET_ERRNO | ENOSYS);
	give(p, SECCOMP_RET_ALLOW);
}

static void build(struct program *p, int peer)
{
	begin(p);
	/* refused by the other one */
	if_is(p, SYS_clone3);
	give(p, SECCOMP_RET_ALLOW);
	for (size_t i = 0; i < ARRAY_LEN(always); i++) {
		if_is(p, (uint32_t)always[i]);
		give(p, SECCOMP_RET_ALLOW);
	}
	put_conditions(p, peer);
	/* x32 numbers (bit 30) are none of the above. */
	give(p, EPERM_RET);
}

static int install(struct program *p, unsigned flags)
{
	struct sock_fprog f = { .len = p->n, .filter = p->insn };

	if (p->n > MAX_INSNS)
		return E2BIG;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &f) == 0)
		return 0;
	/* a kernel that does not know all flags */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &f) ? errno : 0;
}

int confine_syscalls(int peer)
{
	struct program first = { .n = 0 }, list = { .n = 0 };
	/* SPEC_ALLOW: before 5.16 a filter also turned speculation off, which costs a third. */
	const unsigned flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW;

	build_clone3(&first);
	build(&list, peer);
	int no = install(&first, flags);

	return no ? no : install(&list, flags | SECCOMP_FILTER_FLAG_LOG);
}

#else

int confine_syscalls(int peer)
{
	(void)peer;
	return ENOSYS;
}

#endif
