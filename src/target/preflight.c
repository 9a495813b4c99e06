/*
 * preflight.c - refusals, with the figure and the ways on.
 *
 * Reads /proc and the cgroup only.  Cost: some 20 small files, 0.5 ms.
 */
#include "target/preflight.h"

#include "base/str.h"
#include "target/attach.h"
#include "target/container.h"
#include "target/denied.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>

#define MIB	   (UINT64_C(1) << 20)
#define PAGE_BYTES 4096U
#define PF_KTHREAD UINT64_C(0x00200000) /* include/linux/sched.h */

/*
 * Measured on Linux 6.18: 14-26 ms/GB of small pages, that is 100 ns a page with
 * its share of page tables; a huge page is one entry and a deposited table.
 */
#define NS_PER_PAGE	 100U
#define NS_PER_HUGE_PAGE 3000U
#define NS_PER_THREAD	 10000U
#define NS_BASE		 400000U

uint64_t preflight_predict(uint64_t threads, uint64_t rss_anon, uint64_t huge, uint64_t page_tables)
{
	/* Unknown figures: what the page tables can hold at most. */
	uint64_t room = page_tables == PROC_UNKNOWN ? 0 : page_tables / 8;
	uint64_t pages = rss_anon == PROC_UNKNOWN ? room : rss_anon / PAGE_BYTES;
	uint64_t hpages = huge == PROC_UNKNOWN ? 0 : huge / (2 * MIB);

	pages -= MIN(pages, hpages * 512);
	if (threads == PROC_UNKNOWN)
		threads = 1;
	return NS_BASE + threads * NS_PER_THREAD + pages * NS_PER_PAGE + hpages * NS_PER_HUGE_PAGE;
}

static uint64_t read_huge(pid_t pid)
{
	char buf[4096];

	if (proc_read_small(buf, sizeof(buf), "/proc/%d/smaps_rollup", pid) <= 0)
		return PROC_UNKNOWN;
	return proc_kb(buf, "AnonHugePages");
}

static struct err *check_machine(pid_t pid)
{
	char path[64];
	Elf64_Ehdr h = { 0 };

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, &h, sizeof(h)) < (ssize_t)sizeof(Elf32_Ehdr))
		return NULL; /* not ours to read: attaching will say why */
	if (memcmp(h.e_ident, ELFMAG, SELFMAG) != 0 || h.e_ident[EI_CLASS] != ELFCLASS64 ||
	    h.e_machine != regs_shape(REGS_HOST)->machine)
		return err_unsupported("process %d is no %s program (ELF class %u, machine %u): a "
				       "live target must be of the machine that limpet runs on",
				       pid, regs_shape(REGS_HOST)->name, h.e_ident[EI_CLASS],
				       h.e_machine);
	return NULL;
}

/* Another user's oom_score_adj is written with CAP_DAC_OVERRIDE only: the twin is then no victim.
 */
static bool may_mark(const struct proc_status *s)
{
	return s->euid == geteuid() || caps_effective(CAP_DAC_OVERRIDE);
}

/* A small part of the program may be copied while the twin lives; a group kill is worse. */
static uint64_t floor_of(const struct preflight *pf, const struct cgroup_room *room)
{
	uint64_t anon = pf->status.rss_anon == PROC_UNKNOWN ? 0 : pf->status.rss_anon;
	uint64_t bytes = 4 * MIB + MIN(anon / 64, 252 * MIB);

	return room->oom_group || !may_mark(&pf->status) ? bytes * 2 : bytes;
}

/* Pids mean something else there: kill(2) and ptrace(2) would meet others than /proc shows. */
static struct err *check_proc(void)
{
	char self[32] = "";

	if (readlink("/proc/self", self, sizeof(self) - 1) <= 0 || atoi(self) == getpid())
		return NULL;
	return err_new(ERR_DENIED,
		       "/proc shows another pid namespace than limpet's own: mount -t proc "
		       "proc /proc, or enter it (nsenter -p)");
}

/* Asked as ptrace(2) will ask, before anything is touched. */
static struct err *check_access(pid_t pid, bool *ret_lend)
{
	struct denial d;

	denial_find(pid, 0, &d);
	*ret_lend = d.cause == DENIAL_FILES;
	return *ret_lend ? NULL : denial_err(&d);
}

/* A process that ends loses its memory before it is a zombie. */
static struct err *without_memory(pid_t pid, const struct proc_status *s)
{
	struct proc_stat stat;

	if (!proc_read_stat(pid, &stat) || !(stat.flags & PF_KTHREAD))
		return err_new(ERR_GONE, "process %d has exited", pid);
	return err_unsupported("process %d (%s) is a kernel thread: it has no memory of its own",
			       pid, s->name);
}

/* Who looks into a container sees other numbers than who looks at it. */
static struct err *with_inner(struct err *err, pid_t pid)
{
	char buf[CONTAINER_INNER];

	if (!err || err->code != ERR_GONE || !*container_inner(pid, buf))
		return err;
	struct err *more = err_new(ERR_GONE, "%.100s%s", err->msg, buf);

	err_free(err);
	return more;
}

struct err *preflight_look(pid_t pid, struct preflight *ret)
{
	struct preflight pf = { 0 };
	struct proc_stat stat;
	struct cgroup_room room;

	if (pid <= 0)
		return err_usage("%d is no process id", pid);
	if (regs_why_not_live())
		return err_unsupported("process %d: %s", pid, regs_why_not_live());
	struct err *err = check_proc();

	if (!err)
		err = with_inner(proc_read_status(pid, 0, &pf.status), pid);
	if (err)
		return err;
	if (pf.status.tgid != pid)
		return err_usage("%d is a thread of process %d: give that pid", pid,
				 pf.status.tgid);
	if (pid == getpid())
		return err_usage("%d is limpet itself: it cannot stop itself", pid);
	if (pf.status.state == 'Z' || pf.status.state == 'X')
		return err_new(ERR_GONE, "process %d has exited and waits for its parent (zombie)",
			       pid);
	if (pf.status.kernel_thread)
		return without_memory(pid, &pf.status);
	err = check_access(pid, &pf.lend);
	if (!err)
		err = check_machine(pid);
	if (err)
		return err;
	pf.start_ticks = proc_read_stat(pid, &stat) ? stat.start_ticks : 0;
	cgroup_find(pid, &pf.cgroup);
	cgroup_room(&pf.cgroup, &room);
	pf.floor_bytes = floor_of(&pf, &room);
	pf.predicted_ns =
		preflight_predict(pf.status.threads, pf.status.rss_anon, 0, pf.status.vm_pte);
	/* Only who seems slow is asked for huge pages: that walks all page tables. */
	if (pf.predicted_ns > 20000000)
		pf.predicted_ns = preflight_predict(pf.status.threads, pf.status.rss_anon,
						    read_huge(pid), pf.status.vm_pte);
	*ret = pf;
	return NULL;
}

static struct err *check_pause(pid_t pid, const struct target_opts *o, const struct preflight *pf)
{
	if (pf->predicted_ns <= o->max_pause_ns)
		return NULL;
	uint64_t need_ms = pf->predicted_ns / 1000000 + 1;

	return err_new(
		ERR_LIMIT,
		"process %d would be stopped for about %" PRIu64 " ms (%" PRIu64
		" MiB in memory), longer than the limit of %" PRIu64
		" ms; allow it with --max-pause %" PRIu64
		", or write a core at a quiet hour; --freeze stops it for the whole analysis",
		pid, need_ms, pf->status.rss_anon / MIB, o->max_pause_ns / 1000000,
		(need_ms + need_ms / 2 + 9) / 10 * 10);
}

/*
 * Only CAP_SYS_ADMIN may suspend a filter, and only who has none itself (kernel/ptrace.c,
 * check_ptrace_options).  Nothing less can tell what the filter would do.
 */
static struct err *check_seccomp(pid_t pid, const struct preflight *pf)
{
	struct proc_status own;

	if (pf->status.seccomp == 0)
		return NULL;
	struct err *err = proc_read_status(getpid(), 0, &own);

	if (err)
		return err;
	if (!caps_effective(CAP_SYS_ADMIN))
		return err_unsupported(
			"process %d has a seccomp filter, which would judge the injected call "
			"and may kill the program for it: run as root (CAP_SYS_ADMIN can suspend "
			"the filter), or use --freeze, which injects nothing",
			pid);
	if (!caps_in_first_namespace())
		return err_unsupported(
			"process %d has a seccomp filter, which would judge the injected call and "
			"may kill the program for it; to suspend it takes CAP_SYS_ADMIN of the "
			"machine, and limpet has that of a user namespace: run as root of the "
			"machine, or use --freeze, which injects nothing",
			pid);
	if (own.seccomp)
		return err_unsupported(
			"process %d has a seccomp filter, and limpet has one too, so it may not "
			"suspend that: run limpet with seccomp unconfined, or use --freeze, which "
			"injects nothing",
			pid);
	return NULL;
}

static uint64_t meminfo(const char *key)
{
	char buf[8192];

	if (proc_read_small(buf, sizeof(buf), "/proc/meminfo") <= 0)
		return PROC_UNKNOWN;
	return proc_kb(buf, key);
}

static struct err *check_overcommit(pid_t pid, const struct preflight *pf)
{
	char mode[8] = "";

	proc_read_small(mode, sizeof(mode), "/proc/sys/vm/overcommit_memory");
	if (mode[0] != '2')
		return NULL;
	uint64_t limit = meminfo("CommitLimit"), used = meminfo("Committed_AS");
	uint64_t need = pf->status.vm_data;

	if (limit == PROC_UNKNOWN || used == PROC_UNKNOWN || need == PROC_UNKNOWN ||
	    (used < limit && limit - used > need))
		return NULL;
	return err_new(ERR_LIMIT,
		       "vm.overcommit_memory is 2 and the twin of process %d would need %" PRIu64
		       " MiB of commit, %" PRIu64 " MiB are left; use --freeze, or raise "
		       "vm.overcommit_ratio",
		       pid, need / MIB, used < limit ? (limit - used) / MIB : 0);
}

bool preflight_spare(const struct cgroup *g, uint64_t floor_bytes, uint64_t *ret_spare, char *why,
		     size_t cap)
{
	struct cgroup_room room;
	uint64_t avail = meminfo("MemAvailable");
	char have[16], need[16];

	cgroup_room(g, &room);
	*ret_spare = 0;
	if (room.headroom < floor_bytes) {
		snprintf(why, cap,
			 "its memory cgroup %s has %s left below the limit, %s are needed%s",
			 g->path, str_bytes(have, room.headroom), str_bytes(need, floor_bytes),
			 room.oom_group ? " (memory.oom.group: the whole group would be killed)"
					: "");
		return false;
	}
	if (avail < floor_bytes) {
		snprintf(why, cap, "the machine has %s of memory left, %s are needed",
			 str_bytes(have, avail), str_bytes(need, floor_bytes));
		return false;
	}
	*ret_spare = MIN(room.headroom, avail) - floor_bytes;
	return true;
}

static struct err *check_memory(pid_t pid, const struct preflight *pf)
{
	char why[240];
	uint64_t spare;
	uint64_t anon = pf->status.rss_anon == PROC_UNKNOWN ? 0 : pf->status.rss_anon;
	uint64_t tables = pf->status.vm_pte == PROC_UNKNOWN ? 0 : pf->status.vm_pte;
	uint64_t need = pf->floor_bytes * 2 + tables + anon / 32;

	if (preflight_spare(&pf->cgroup, need, &spare, why, sizeof(why)))
		return NULL;
	return err_new(
		ERR_LIMIT,
		"not enough memory for a twin of process %d: %s; raise the limit, wait for a "
		"quiet moment, or use --freeze",
		pid, why);
}

static struct err *check_pids(pid_t pid, const struct preflight *pf)
{
	if (cgroup_pids_left(&pf->cgroup) > 1)
		return NULL;
	return err_new(
		ERR_LIMIT,
		"the cgroup of process %d is at its pids.max: no room for the twin; raise it, or "
		"use --freeze",
		pid);
}

/*
 * After unshare(CLONE_NEWPID) the next child becomes pid 1 of a new namespace,
 * and its end ends that namespace: no place for a twin.
 */
static struct err *check_namespace(pid_t pid)
{
	char path[64], own[64] = "", children[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
	ssize_t n = readlink(path, own, sizeof(own) - 1);

	snprintf(path, sizeof(path), "/proc/%d/ns/pid_for_children", pid);
	ssize_t m = readlink(path, children, sizeof(children) - 1);

	if (n <= 0 || (m < 0 && errno != ENOENT) || strcmp(own, children) == 0)
		return NULL;
	return err_unsupported("process %d has unshared its pid namespace for its children, a twin "
			       "would become their pid 1: use --freeze",
			       pid);
}

struct err *preflight_item(enum preflight_item item, pid_t pid, const struct target_opts *o,
			   const struct preflight *pf)
{
	switch (item) {
	case PREFLIGHT_SECCOMP:
		return check_seccomp(pid, pf);
	case PREFLIGHT_NAMESPACE:
		return check_namespace(pid);
	case PREFLIGHT_PAUSE:
		return check_pause(pid, o, pf);
	case PREFLIGHT_MEMORY:
		return check_memory(pid, pf);
	case PREFLIGHT_OVERCOMMIT:
		return check_overcommit(pid, pf);
	case PREFLIGHT_PIDS:
		return check_pids(pid, pf);
	default:
		return NULL;
	}
}

struct err *preflight_fork(pid_t pid, const struct target_opts *o, const struct preflight *pf)
{
	struct err *err = NULL;

	for (enum preflight_item i = 0; !err && i < PREFLIGHT_ITEMS; i++)
		err = preflight_item(i, pid, o, pf);
	return err;
}
