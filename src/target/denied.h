/*
 * denied.h - why a process may not be traced, each cause told apart.
 *
 * As kernel/ptrace.c decides (__ptrace_may_access, then the security modules), from what /proc
 * tells about both sides.  Touches nobody: PTRACE_MODE_ATTACH is what open("/proc/PID/mem") asks.
 */
#ifndef LIMPET_TARGET_DENIED_H
#define LIMPET_TARGET_DENIED_H

#include "target/procfs.h"

enum denial_cause {
	DENIAL_NONE,	  /* as far as /proc tells, it may be traced */
	DENIAL_GONE,	  /* no such process any more */
	DENIAL_HIDDEN,	  /* hidepid */
	DENIAL_TRACED,	  /* by another */
	DENIAL_USER,	  /* its user or group is not ours */
	DENIAL_DUMPABLE,  /* PR_SET_DUMPABLE 0, or an executable that its user may not read */
	DENIAL_CAPS,	  /* it has capabilities that we lack */
	DENIAL_NAMESPACE, /* its user namespace is not ours nor below it */
	DENIAL_FILES,	  /* traced, yes: but another user's files in /proc do not open for
			     CAP_SYS_PTRACE */
	DENIAL_YAMA,	  /* kernel.yama.ptrace_scope */
	DENIAL_FILTER,	  /* a seccomp filter on us forbids ptrace(2) */
	DENIAL_MODULE,	  /* all else is fine: AppArmor, SELinux or another security module */
	DENIAL_OTHER,	  /* an error that is no refusal */
};

struct denial {
	enum denial_cause cause;
	char what[240]; /* "" for DENIAL_NONE */
	char todo[220];
};

/* Capabilities of ours or of another: the sets of /proc/PID/status; 0 when unknown. */
struct caps {
	uint64_t permitted, effective;
};
#define CAPS_SELF ((pid_t)0)
struct caps caps_of(pid_t pid);
bool caps_effective(unsigned cap);
/* Do they count for the kernel itself, or only in a user namespace (rootless containers)? */
bool caps_in_first_namespace(void);

/* os_errno: what ptrace(2) said; 0: it was not asked, and only /proc/PID/mem is tried. */
void denial_find(pid_t pid, int os_errno, struct denial *ret);
/* As one line; NULL for DENIAL_NONE. */
struct err *denial_err(const struct denial *d) MUST_CHECK;

#endif
