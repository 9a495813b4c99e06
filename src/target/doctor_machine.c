/*
 * doctor_machine.c - rights, kernel and memory, whoever the target may be.
 *
 * ptrace is tried on a child that does nothing but wait to be killed.  Cost: 2 ms.
 */
#include "target/doctor.h"

#include "base/clock.h"
#include "base/confine.h"
#include "base/str.h"
#include "target/cgroup.h"
#include "target/denied.h"
#include "target/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#define MIB		 (UINT64_C(1) << 20)
#define LANDLOCK_VERSION 1U /* LANDLOCK_CREATE_RULESET_VERSION */
#define OWN_LEAST_BYTES	 (32 * MIB)

static void first_line(char *s)
{
	s[strcspn(s, "\n")] = '\0';
}

static void check_user(struct doctor *d)
{
	static const struct {
		unsigned cap;
		const char *name;
	} caps[] = {
		{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE" },
		{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN" },
		{ CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH" },
		{ CAP_KILL, "CAP_KILL" },
	};
	uint64_t have = caps_of(CAPS_SELF).effective;
	char list[128] = "";

	for (size_t i = 0; i < ARRAY_LEN(caps); i++)
		if (have >> caps[i].cap & 1)
			snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
				 *list ? ", " : "", caps[i].name);
	if (have >> CAP_SYS_PTRACE & 1) {
		doctor_say(d, "user", DOCTOR_OK, "uid %u with %s", geteuid(), list);
		return;
	}
	struct doctor_check *c =
		doctor_say(d, "user", DOCTOR_NOTE,
			   "uid %u without CAP_SYS_PTRACE%s%s: only processes of that same user",
			   geteuid(), *list ? ", with " : "", list);
	if (!d->pid)
		doctor_remedy(c, NEED_PTRACE, 0);
}

/* In the child: nothing, until it is killed. */
static _Noreturn void wait_for_the_end(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

struct probe {
	int seize, mem, suspend; /* errno of each, 0: works */
};

static int try_seize(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL))
		return errno;
	if (ptrace(PTRACE_INTERRUPT, pid, 0, 0))
		return errno;
	return waitpid(pid, &status, __WALL) == pid && WIFSTOPPED(status) ? 0 : ECHILD;
}

static int try_read(pid_t pid)
{
	static const char word[] = "limpet";
	char path[64], got[sizeof(word)] = "";

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, got, sizeof(got), (off_t)(uintptr_t)word) < 0)
		return errno;
	return memcmp(got, word, sizeof(word)) ? EIO : 0;
}

static struct probe try_child(void)
{
	struct probe p = { 0 };
	pid_t pid = fork();

	if (pid == 0)
		wait_for_the_end();
	if (pid < 0) {
		p.seize = p.mem = p.suspend = errno;
		return p;
	}
	p.seize = try_seize(pid);
	p.mem = try_read(pid);
	if (p.seize)
		p.suspend = p.seize;
	else if (ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL | PTRACE_O_SUSPEND_SECCOMP))
		p.suspend = errno;
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
		;
	return p;
}

static void check_ptrace(struct doctor *d, const struct probe *p)
{
	if (!p->seize && !p->mem) {
		doctor_say(d, "ptrace", DOCTOR_OK,
			   "a child of limpet's own can be stopped (PTRACE_SEIZE) and read "
			   "(/proc/PID/mem)");
		return;
	}
	struct doctor_check *c =
		doctor_say(d, "ptrace", DOCTOR_FAIL, "%s on a child of limpet's own: %s",
			   p->seize ? "PTRACE_SEIZE" : "reading /proc/PID/mem",
			   strerror(p->seize ? p->seize : p->mem));
	doctor_todo(c, "a seccomp filter or security module forbids ptrace altogether; run limpet "
		       "unconfined:");
	doctor_todo(c, "Docker: docker run --security-opt seccomp=unconfined --security-opt "
		       "apparmor=unconfined --cap-add SYS_PTRACE ...");
	doctor_todo(c, "Kubernetes: securityContext: {seccompProfile: {type: Unconfined}, "
		       "capabilities: {add: [SYS_PTRACE]}}");
}

static void check_yama(struct doctor *d)
{
	char s[16] = "";
	struct doctor_check *c;

	if (proc_read_small(s, sizeof(s), "/proc/sys/kernel/yama/ptrace_scope") <= 0) {
		doctor_say(d, "ptrace_scope", DOCTOR_OK, "this kernel has no Yama");
		return;
	}
	first_line(s);
	if (*s == '3') {
		c = doctor_say(d, "ptrace_scope", DOCTOR_FAIL,
			       "kernel.yama.ptrace_scope is 3: nothing may be traced until reboot");
		doctor_todo(c, "set kernel.yama.ptrace_scope = 1 in /etc/sysctl.d and reboot");
	} else if (*s == '0' || caps_effective(CAP_SYS_PTRACE)) {
		doctor_say(d, "ptrace_scope", DOCTOR_OK, "kernel.yama.ptrace_scope is %s", s);
	} else {
		c = doctor_say(d, "ptrace_scope", DOCTOR_FAIL,
			       "kernel.yama.ptrace_scope is %s: who lacks CAP_SYS_PTRACE may trace "
			       "only its own children",
			       s);
		if (*s == '1')
			doctor_todo(c, "sudo sysctl kernel.yama.ptrace_scope=0");
		doctor_remedy(c, NEED_PTRACE, d->pid);
	}
}

static void check_lsm(struct doctor *d)
{
	char list[256] = "", label[160] = "", deny[8] = "";

	proc_read_small(list, sizeof(list), "/sys/kernel/security/lsm");
	proc_read_small(label, sizeof(label), "/proc/self/attr/current");
	proc_read_small(deny, sizeof(deny), "/sys/fs/selinux/booleans/deny_ptrace");
	first_line(list);
	first_line(label);
	if (*deny == '1') {
		struct doctor_check *c = doctor_say(d, "lsm", DOCTOR_FAIL,
						    "SELinux forbids ptrace (deny_ptrace is on)");

		doctor_todo(c, "sudo setsebool deny_ptrace off");
		return;
	}
	doctor_say(d, "lsm", DOCTOR_OK, "%s%s%s",
		   *list ? list : "no list of security modules to be read",
		   *label ? "; limpet runs as " : "", label);
}

static void check_seccomp(struct doctor *d, const struct probe *p)
{
	char buf[8192] = "";

	proc_read_small(buf, sizeof(buf), "/proc/self/status");
	bool filtered = proc_number(buf, "Seccomp") == 2;

	if (!p->suspend) {
		doctor_say(d, "seccomp", DOCTOR_OK,
			   "no filter on limpet; those of targets can be suspended");
		return;
	}
	struct doctor_check *c = doctor_say(
		d, "seccomp", DOCTOR_NOTE,
		"%s; a target with a filter (Docker's default is one) can be read with --freeze only",
		filtered ? "a filter on limpet, so those of targets cannot be suspended"
		: p->suspend == EINVAL
			? "this kernel cannot suspend filters"
			: "filters of targets can be suspended with CAP_SYS_ADMIN only");
	if (!d->pid && p->suspend != EINVAL)
		doctor_remedy(c, NEED_PTRACE | NEED_ADMIN, 0);
}

static void check_namespaces(struct doctor *d)
{
	static const char *const place[] = { "no container", "a container", "a Kubernetes pod" };
	char map[256] = "", buf[8192] = "";
	struct proc_status s;
	unsigned long in, out, n;

	proc_read_small(map, sizeof(map), "/proc/self/uid_map");
	proc_read_small(buf, sizeof(buf), "/proc/self/status");
	proc_parse_status(buf, &s);
	bool mapped =
		sscanf(map, "%lu %lu %lu", &in, &out, &n) == 3 && (in || out || n != 4294967295UL);
	bool init = getpid() == 1 || !access("/proc/2/status", F_OK);

	doctor_say(d, "namespaces", mapped ? DOCTOR_NOTE : DOCTOR_OK, "%s; %s%s",
		   place[doctor_place()],
		   mapped ? "a user namespace of its own: capabilities count only inside"
			  : "the machine's user namespace",
		   init ? "" : "; sees the processes of its own pid namespace only");
}

/* "hidepid=…" of what is mounted on /proc, the last one; NULL: none. */
static const char *hidepid_of(const char *mounts)
{
	const char *found = NULL;

	for (const char *l = mounts; *l;) {
		size_t n = strcspn(l, "\n");
		const char *hide = memmem(l, n, "hidepid=", 8);

		if (memmem(l, n, " /proc ", 7) && memmem(l, n, " - proc ", 8))
			found = hide;
		l += n + (l[n] == '\n');
	}
	return found;
}

static void check_proc(struct doctor *d)
{
	_cleanup_(freep) char *text = NULL;
	size_t n = 0;
	struct err *err = proc_slurp("/proc/self/mountinfo", 4U << 20, &text, &n);

	if (err) {
		doctor_fail(d, "proc", err);
		return;
	}
	const char *hide = hidepid_of(text);

	if (!hide || !strncmp(hide, "hidepid=0", 9) || !strncmp(hide, "hidepid=off", 11)) {
		doctor_say(d, "proc", DOCTOR_OK, "/proc is there and hides nobody");
		return;
	}
	int len = (int)strcspn(hide, ", \n");

	if (caps_effective(CAP_SYS_PTRACE)) {
		doctor_say(d, "proc", DOCTOR_OK,
			   "/proc is mounted with %.*s, CAP_SYS_PTRACE sees all", len, hide);
		return;
	}
	struct doctor_check *c =
		doctor_say(d, "proc", DOCTOR_NOTE,
			   "/proc is mounted with %.*s: other users' processes are "
			   "not seen",
			   len, hide);
	doctor_todo(c, "run as root, or: sudo mount -o remount,hidepid=0 /proc");
}

static void check_kernel(struct doctor *d)
{
	struct utsname u = { 0 };
	char more[160];
	long landlock = -1, pidfd = -1;

	uname(&u);
#ifdef SYS_landlock_create_ruleset
	landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);
#endif
#ifdef SYS_pidfd_open
	pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	if (pidfd >= 0)
		close((int)pidfd);
#endif
	struct cgroup g;

	cgroup_find(getpid(), &g);
	snprintf(more, sizeof(more), "pidfd %s, Landlock %s", pidfd >= 0 ? "yes" : "no",
		 landlock > 0 ? "yes" : "no");
	doctor_say(d, "kernel", DOCTOR_OK, "Linux %s %s; memory cgroup %s; %s", u.release,
		   u.machine,
		   g.version == 2   ? "v2"
		   : g.version == 1 ? "v1"
				    : "not seen",
		   more);
	if (!regs_why_not_live())
		return;
	doctor_todo(doctor_say(d, "machine", DOCTOR_FAIL, "%s: %s", u.machine,
			       "live targets must be amd64 or arm64"),
		    "give limpet a core file instead");
	d->checks.v[d->checks.n - 1].code = ERR_UNSUPPORTED;
}

/* What limpet can put around itself while it reads a target (base/confine.h). */
static void check_walls(struct doctor *d)
{
	struct confine_status c;
	struct err *err = confine_probe(&c);

	if (err) {
		doctor_fail(d, "walls", err)->verdict = DOCTOR_NOTE;
		return;
	}
	doctor_say(d, "walls", *c.lacks ? DOCTOR_NOTE : DOCTOR_OK,
		   "while it reads a target: uid %u, %s capability, %s, Landlock %s%s%s", c.uid,
		   c.no_caps ? "no" : "some", c.seccomp ? "seccomp" : "no seccomp",
		   c.landlock ? "yes" : "no", *c.lacks ? "; lacks " : "", c.lacks);
}

static void check_own_memory(struct doctor *d)
{
	char buf[8192] = "", have[16], avail[16], mode[8] = "";
	struct cgroup g;
	struct cgroup_room room;

	cgroup_find(getpid(), &g);
	cgroup_room(&g, &room);
	proc_read_small(buf, sizeof(buf), "/proc/meminfo");
	proc_read_small(mode, sizeof(mode), "/proc/sys/vm/overcommit_memory");
	first_line(mode);
	uint64_t a = proc_kb(buf, "MemAvailable");
	bool little = MIN(a, room.headroom) < OWN_LEAST_BYTES;
	bool limited = room.limit != UINT64_MAX;

	struct doctor_check *c =
		doctor_say(d, "memory", little ? DOCTOR_FAIL : DOCTOR_OK,
			   "%s available on the machine%s%s; vm.overcommit_memory %s",
			   a == PROC_UNKNOWN ? "unknown memory" : str_bytes(avail, a),
			   limited ? ", left in limpet's own cgroup: " : "",
			   limited ? str_bytes(have, room.headroom) : "", *mode ? mode : "?");
	c->code = ERR_LIMIT;
	if (little)
		doctor_todo(
			c,
			"give limpet's container more memory (resources.limits.memory; docker run "
			"-m), or free some");
}

void doctor_machine(struct doctor *d)
{
	struct probe p = try_child();

	check_user(d);
	check_ptrace(d, &p);
	check_yama(d);
	check_lsm(d);
	check_seccomp(d, &p);
	check_namespaces(d);
	check_proc(d);
	check_kernel(d);
	check_walls(d);
	check_own_memory(d);
}
