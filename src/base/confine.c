/*
 * confine.c - capabilities, uid, no_new_privs, Landlock; the filter is in confine_filter.c.
 *
 * Raw system calls: libcap and libseccomp would be more code within the walls than this is.
 * Cost: some 70 system calls, 0.1 ms.  Under AddressSanitizer and ThreadSanitizer only
 * capabilities go: their runtimes open files of /proc whenever they please.
 */
#include "base/confine.h"

#include "base/sanitized.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#define NOBODY 65534 /* kernel/sys.c, overflowuid: owns no file */

/* include/uapi/linux/landlock.h, newer than Debian 12's own. */
struct landlock_ruleset {
	uint64_t handled_fs, handled_net, scoped;
};

enum {
	LANDLOCK_VERSION = 1,	/* LANDLOCK_CREATE_RULESET_VERSION */
	LANDLOCK_NET_ABI = 4,	/* bind and connect */
	LANDLOCK_SCOPE_ABI = 6, /* abstract sockets and signals to outside */
};

static void lack(struct confine_status *s, const char *what, int no)
{
	size_t n = strlen(s->lacks);

	snprintf(s->lacks + n, sizeof(s->lacks) - n, "%s%s (%s)", n ? ", " : "", what,
		 strerror(no));
}

static int capset_to(uint64_t mask)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct now[2], d[2];

	if (syscall(SYS_capget, &h, now))
		return errno;
	for (unsigned i = 0; i < 2; i++) {
		uint32_t keep = (uint32_t)(mask >> (32 * i));

		d[i] = (struct __user_cap_data_struct){ .effective = now[i].effective & keep,
							.permitted = now[i].permitted & keep };
	}
	return syscall(SYS_capset, &h, d) ? errno : 0;
}

/* Without CAP_SETPCAP the bounding set stays; no_new_privs makes that harmless. */
static void bound_caps(uint64_t mask)
{
	for (int cap = 0; cap < 64; cap++)
		if (!(mask >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno == EINVAL)
			break;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

void confine_caps(uint64_t mask)
{
	bound_caps(mask);
	capset_to(mask);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!SANITIZED)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/*
 * Root without capabilities still owns most files.  In a user namespace that has no nobody we
 * stay who we are.
 */
static void leave_root(struct confine_status *s)
{
	if (geteuid() != 0)
		return;
	if (setgroups(0, NULL) && errno != EPERM)
		lack(s, "groups", errno);
	if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		lack(s, "another uid", errno);
}

/* A ruleset that handles everything and allows nothing. */
static int enter_landlock(int *ret_abi)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);
	struct landlock_ruleset r = { 0 };
	size_t bytes;

	if (abi <= 0)
		return abi ? errno : ENOSYS;
	/* Rights by ABI: 13 at first, then REFER, TRUNCATE, (ABI 4: none), IOCTL_DEV. */
	r.handled_fs = (UINT64_C(1) << (abi >= 5 ? 16 : abi >= 3 ? 15 : 12 + abi)) - 1;
	r.handled_net = 3;
	r.scoped = 3;
	bytes = abi >= LANDLOCK_SCOPE_ABI ? 24 : abi >= LANDLOCK_NET_ABI ? 16 : 8;
	long fd = syscall(SYS_landlock_create_ruleset, &r, bytes, 0);

	if (fd < 0)
		return errno;
	int no = syscall(SYS_landlock_restrict_self, fd, 0) ? errno : 0;

	close((int)fd);
	*ret_abi = no ? 0 : (int)abi;
	return no;
}

void confine_self(int peer, struct confine_status *ret)
{
	struct confine_status s = { 0 };
	int no;

	tzset(); /* or the first date would open /etc/localtime */
	bound_caps(0);
	if (!SANITIZED)
		leave_root(&s);
	no = capset_to(0);
	s.no_caps = no == 0;
	if (no)
		lack(&s, "capabilities", no);
	s.no_new_privs = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
	if (SANITIZED) {
		snprintf(s.lacks, sizeof(s.lacks), "Landlock, seccomp: built with a sanitizer");
	} else {
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
		no = enter_landlock(&s.landlock);
		if (no)
			lack(&s, "Landlock", no);
		no = confine_syscalls(peer);
		s.seccomp = no == 0;
		if (no)
			lack(&s, "seccomp", no);
	}
	s.uid = getuid();
	*ret = s;
}

struct err *confine_probe(struct confine_status *ret)
{
	struct confine_status s;
	int p[2];

	if (pipe2(p, O_CLOEXEC))
		return err_os(errno, "pipe");
	pid_t pid = fork();

	if (pid == 0) {
		confine_self(-1, &s);
		_exit(write(p[1], &s, sizeof(s)) != sizeof(s));
	}
	int no = errno;

	close(p[1]);
	ssize_t n = pid > 0 ? read(p[0], &s, sizeof(s)) : -1;

	close(p[0]);
	if (pid < 0)
		return err_os(no, "fork");
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (n != sizeof(s))
		return err_new(ERR_OS, "a process that confines itself was killed for it");
	*ret = s;
	return NULL;
}
