/*
 * doctor_process.c - may this process be snapshotted, and what would it cost?
 *
 * Reads /proc and the cgroup, as preflight does; the process is neither stopped nor traced.
 */
#include "target/doctor.h"

#include "base/str.h"
#include "target/container.h"
#include "target/denied.h"
#include "target/preflight.h"
#include "target/residue.h"

#include <ctype.h>
#include <dirent.h>
#include <linux/capability.h>
#include <stdio.h>

#define MIB (UINT64_C(1) << 20)
/* docs/doctor.md: 45 bytes an object, objects of 100 bytes on the average. */
#define OWN_PERCENT_OF_ANON 45U
#define OWN_BASE_BYTES	    (24 * MIB)

static void say_denied(struct doctor *d, pid_t pid)
{
	static const unsigned needs[] = {
		[DENIAL_HIDDEN] = NEED_PTRACE,
		[DENIAL_USER] = NEED_PTRACE,
		[DENIAL_DUMPABLE] = NEED_PTRACE | NEED_FILES,
		[DENIAL_CAPS] = NEED_PTRACE,
		[DENIAL_YAMA] = NEED_PTRACE,
		[DENIAL_MODULE] = NEED_PTRACE | NEED_ADMIN,
		[DENIAL_FILTER] = NEED_PTRACE | NEED_ADMIN,
		[DENIAL_OTHER] = 0,
	};
	struct denial why;

	denial_find(pid, 0, &why);
	if (why.cause == DENIAL_NONE) {
		doctor_say(d, "access", DOCTOR_OK, "it may be traced and read");
		return;
	}
	if (why.cause == DENIAL_FILES) {
		doctor_say(d, "access", DOCTOR_OK,
			   "it may be traced; its memory opens for its own user only, so its twin "
			   "will lend it (--freeze takes CAP_DAC_READ_SEARCH)");
		return;
	}
	struct doctor_check *c = doctor_say(d, "access", DOCTOR_FAIL, "%s", why.what);

	doctor_todo(c, "%s", why.todo);
	if (why.cause < ARRAY_LEN(needs) && needs[why.cause])
		doctor_remedy(c, needs[why.cause], pid);
}

static void say_process(struct doctor *d, const struct proc_status *s)
{
	const char *state =
		s->state == 'T'	  ? "stopped by job control; that is no hindrance, it stays so"
		: s->state == 'D' ? "waiting for a disk or a vfork child: it may not stop in time"
				  : "runs";
	char rss[16];

	doctor_say(d, "process", s->state == 'D' ? DOCTOR_NOTE : DOCTOR_OK,
		   "%.63s, uid %" PRIu64 ", %" PRIu64 " threads, %s resident%s; %s", s->name,
		   s->uid, s->threads, str_bytes(rss, s->rss == PROC_UNKNOWN ? 0 : s->rss),
		   s->ns_depth > 1 ? ", in a pid namespace of its own" : "", state);
}

/* Who sees it from outside knows it by another number than whoever is in there. */
static void say_place(struct doctor *d)
{
	struct target_place p;
	char buf[CONTAINER_WORDS], pid[64] = "";
	const char *where;

	container_find(d->pid, &p);
	where = container_words(&p, buf);
	if (p.ns_depth > 1)
		snprintf(pid, sizeof(pid), "pid %d here, %d in its own pid namespace;", d->pid,
			 p.ns_pid);
	doctor_say(d, "place", DOCTOR_OK, "%s%sit runs%s", pid, *pid ? " " : "",
		   *where ? where : " in no container, pod or unit that its cgroup names");
}

static const char *const item_names[PREFLIGHT_ITEMS] = {
	[PREFLIGHT_SECCOMP] = "filter",	       [PREFLIGHT_NAMESPACE] = "children",
	[PREFLIGHT_PAUSE] = "pause",	       [PREFLIGHT_MEMORY] = "headroom",
	[PREFLIGHT_OVERCOMMIT] = "overcommit", [PREFLIGHT_PIDS] = "pids",
};

static void say_room(struct doctor *d, const struct preflight *pf)
{
	struct cgroup_room room;
	char left[16], limit[16], floor[16];

	cgroup_room(&pf->cgroup, &room);
	str_bytes(floor, pf->floor_bytes);
	if (pf->cgroup.hidden)
		doctor_todo(
			doctor_say(
				d, "headroom", DOCTOR_NOTE,
				"its cgroup cannot be looked into from here: whether it has a memory limit is not "
				"known; the twin is dropped when the machine has less than %s free",
				floor),
			"from the machine itself limpet sees it; where memory may be short, use --freeze");
	else if (room.limit == UINT64_MAX)
		doctor_say(
			d, "headroom", DOCTOR_OK,
			"no memory limit on its cgroup; the twin is dropped when less than %s is free",
			floor);
	else
		doctor_say(d, "headroom", DOCTOR_OK,
			   "%s left of %s in its cgroup %s; the twin is dropped below %s",
			   str_bytes(left, room.headroom), str_bytes(limit, room.limit),
			   pf->cgroup.path, floor);
}

static void say_item(struct doctor *d, enum preflight_item item, const struct target_opts *o,
		     const struct preflight *pf)
{
	char rss[16];
	uint64_t left;

	switch (item) {
	case PREFLIGHT_SECCOMP:
		doctor_say(d, "filter", DOCTOR_OK, "%s",
			   pf->status.seccomp
				   ? "a seccomp filter, which can be suspended for the one call"
				   : "no seccomp filter");
		break;
	case PREFLIGHT_NAMESPACE:
		doctor_say(d, "children", DOCTOR_OK, "its children stay in its pid namespace");
		break;
	case PREFLIGHT_PAUSE:
		str_bytes(rss, pf->status.rss_anon == PROC_UNKNOWN ? 0 : pf->status.rss_anon);
		doctor_say(d, "pause", DOCTOR_OK,
			   "about %" PRIu64 ".%" PRIu64 " ms expected (%" PRIu64
			   " threads, %s of its own), "
			   "limit %" PRIu64 " ms",
			   pf->predicted_ns / 1000000, pf->predicted_ns / 100000 % 10,
			   pf->status.threads, rss, o->max_pause_ns / 1000000);
		break;
	case PREFLIGHT_MEMORY:
		say_room(d, pf);
		break;
	case PREFLIGHT_OVERCOMMIT:
		doctor_say(d, "overcommit", DOCTOR_OK, "the twin's memory may be promised");
		break;
	case PREFLIGHT_PIDS:
		left = cgroup_pids_left(&pf->cgroup);
		if (left == UINT64_MAX)
			doctor_say(d, "pids", DOCTOR_OK, "no pids.max on its cgroup");
		else
			doctor_say(d, "pids", DOCTOR_OK,
				   "%" PRIu64 " more below its cgroup's pids.max", left);
		break;
	default:
		break;
	}
}

static void todo_item(struct doctor_check *c, enum preflight_item item, pid_t pid)
{
	switch (item) {
	case PREFLIGHT_SECCOMP:
		doctor_todo(c, "limpet report %d --freeze stops it while it is read; or:", pid);
		doctor_remedy(c, NEED_PTRACE | NEED_ADMIN, pid);
		break;
	case PREFLIGHT_PAUSE:
		doctor_todo(c, "allow it with --max-pause, at a quiet hour");
		break;
	case PREFLIGHT_MEMORY:
		doctor_todo(
			c,
			"raise the limit (docker update --memory; resources.limits.memory), or use "
			"--freeze, which takes no memory of it");
		break;
	case PREFLIGHT_OVERCOMMIT:
		doctor_todo(c, "sudo sysctl vm.overcommit_memory=0, or use --freeze");
		break;
	case PREFLIGHT_PIDS:
		doctor_todo(
			c,
			"raise it (docker update --pids-limit; podPidsLimit of the kubelet), or use "
			"--freeze");
		break;
	default:
		doctor_todo(c, "use --freeze, which makes no process");
		break;
	}
}

static void say_oom_group(struct doctor *d, const struct preflight *pf)
{
	struct cgroup_room room;

	cgroup_room(&pf->cgroup, &room);
	if (!room.oom_group) {
		doctor_say(d, "oom-group", DOCTOR_OK,
			   "if memory ends, the kernel takes the twin first, not the program");
		return;
	}
	doctor_todo(
		doctor_say(d, "oom-group", DOCTOR_NOTE,
			   "memory.oom.group is set: if memory ends, the kernel kills the whole "
			   "group; limpet asks for twice the headroom and drops the twin early"),
		"where memory is short, use --freeze");
}

/* Threads of a user, as RLIMIT_NPROC counts them. */
static uint64_t threads_of(uint64_t uid)
{
	DIR *dir = opendir("/proc");
	uint64_t n = 0;

	if (!dir)
		return 0;
	for (struct dirent *e; (e = readdir(dir));) {
		struct proc_status s;

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		struct err *err = proc_read_status((pid_t)atoi(e->d_name), 0, &s);

		if (!err && s.uid == uid && s.threads != PROC_UNKNOWN)
			n += s.threads;
		err_free(err);
	}
	closedir(dir);
	return n;
}

static void say_nproc(struct doctor *d, const struct preflight *pf)
{
	const uint64_t exempt = UINT64_C(1) << CAP_SYS_ADMIN | UINT64_C(1) << CAP_SYS_RESOURCE;
	char buf[4096] = "";
	const char *p;

	proc_read_small(buf, sizeof(buf), "/proc/%d/limits", d->pid);
	p = strstr(buf, "Max processes");
	p = p ? p + strlen("Max processes") + strspn(p + strlen("Max processes"), " ") : "";
	if (!isdigit((unsigned char)*p) || pf->status.uid == 0 ||
	    caps_of(d->pid).effective & exempt) {
		doctor_say(d, "nproc", DOCTOR_OK, "RLIMIT_NPROC does not bind it");
		return;
	}
	uint64_t limit = strtoull(p, NULL, 10), used = threads_of(pf->status.uid);

	if (used < limit) {
		doctor_say(d, "nproc", DOCTOR_OK,
			   "RLIMIT_NPROC %" PRIu64 ", %" PRIu64 " threads of uid %" PRIu64, limit,
			   used, pf->status.uid);
		return;
	}
	struct doctor_check *c =
		doctor_say(d, "nproc", DOCTOR_FAIL,
			   "RLIMIT_NPROC is %" PRIu64 ", uid %" PRIu64 " has %" PRIu64 " threads",
			   limit, pf->status.uid, used);

	c->code = ERR_LIMIT;
	doctor_todo(c, "sudo prlimit --pid %d --nproc=%" PRIu64 ", or use --freeze", d->pid,
		    used + 100);
}

/* What limpet itself will take, against what it may. */
static void say_own_memory(struct doctor *d, const struct preflight *pf)
{
	struct cgroup g;
	struct cgroup_room room;
	char buf[8192] = "", need[16], have[16];
	uint64_t anon = pf->status.rss_anon == PROC_UNKNOWN ? 0 : pf->status.rss_anon;
	uint64_t want = OWN_BASE_BYTES + anon / 100 * OWN_PERCENT_OF_ANON;

	cgroup_find(getpid(), &g);
	cgroup_room(&g, &room);
	proc_read_small(buf, sizeof(buf), "/proc/meminfo");
	uint64_t free_bytes = MIN(room.headroom, proc_kb(buf, "MemAvailable"));
	bool fits = want <= free_bytes;

	str_bytes(need, want);
	struct doctor_check *c = doctor_say(
		d, "own-memory", fits ? DOCTOR_OK : DOCTOR_NOTE,
		"limpet will take up to about %s of its own (less where objects are large), %s are there",
		need, free_bytes == UINT64_MAX ? "unknown amounts" : str_bytes(have, free_bytes));
	if (!fits)
		doctor_todo(
			c,
			"limpet snapshot %d -o FILE takes next to none; analyse the file elsewhere; "
			"or set a bound with --max-memory",
			d->pid);
}

static void say_leftover(struct doctor *d)
{
	unsigned n = residue_count(d->pid), like = residue_unmarked(d->pid);

	if (!n && like) {
		doctor_say(d, "leftover", DOCTOR_NOTE, "%u dead " DOCTOR_UNMARKED, like,
			   like == 1 ? "child" : "children");
		return;
	}
	if (!n) {
		doctor_say(d, "leftover", DOCTOR_OK, "nothing was left in it by a killed limpet");
		return;
	}
	doctor_todo(doctor_say(d, "leftover", DOCTOR_NOTE,
			       "%u twins of a killed limpet are left in it", n),
		    "limpet doctor --reap %d", d->pid);
}

struct err *doctor_process(struct doctor *d, pid_t pid, const struct target_opts *o)
{
	struct preflight pf;
	struct err *err = preflight_look(pid, &pf);

	d->pid = pid;
	if (err && err->code != ERR_DENIED)
		return err;
	if (err) {
		say_denied(d, pid);
		err_free(err);
		return NULL;
	}
	say_process(d, &pf.status);
	say_place(d);
	say_denied(d, pid);
	for (enum preflight_item i = 0; i < PREFLIGHT_ITEMS; i++) {
		err = preflight_item(i, pid, o, &pf);
		if (err)
			todo_item(doctor_fail(d, item_names[i], err), i, pid);
		else
			say_item(d, i, o, &pf);
	}
	say_nproc(d, &pf);
	say_oom_group(d, &pf);
	say_own_memory(d, &pf);
	say_leftover(d);
	return NULL;
}
