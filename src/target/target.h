/*
 * target.h - bytes of a stopped Go program: live process, core, or dump.
 *
 * Above this header nobody knows which.  All that is read here may be a lie.
 * Knows nothing of Go.  Addresses are the target's, sizes bytes, times ns.
 *
 * HOW TO ADD A KIND: fill a struct target_ops in target/<kind>.c (see
 * target/ops.h) and give it an opener here.
 *
 * A live target is opened in one go: threads are stopped, a copy-on-write twin
 * is forked off, threads run on; afterwards only the frozen twin is read.
 * target_close() kills and reaps the twin.  Whatever happens to us, the target
 * lives on: the twin dies with its tracer.
 *
 * A core file is opened with target_open_core(): all of the above but the twin.  What the file
 * lacks is in target_losses(), and reading it gives ERR_FAULT.
 */
#ifndef LIMPET_TARGET_TARGET_H
#define LIMPET_TARGET_TARGET_H

#include "base/err.h"
#include "target/regs.h"

#include <sys/types.h>

struct target; /* opaque, owned by who opened it */

enum target_kind { TARGET_LIVE, TARGET_CORE, TARGET_DUMP };
enum target_method { TARGET_BY_FORK, TARGET_BY_FREEZE, TARGET_BY_FILE, TARGET_BY_RUNNING };

struct target_opts {
	enum target_method method; /* TARGET_BY_FORK or TARGET_BY_FREEZE */
	uint64_t max_pause_ns;	   /* predicted pause beyond it: ERR_LIMIT; 0 = 200 ms */
	uint64_t stop_timeout_ns;  /* wait for all threads to stop; 0 = 2 s */
	const char *what;	   /* for the syslog line: "report", "verify" … */
	unsigned facts;		   /* TARGET_FACTS_*: what not everybody needs */
};

enum {
	TARGET_FACTS_FDS = 1,	 /* descriptors, and the sockets of their network namespace */
	TARGET_FACTS_FLOATS = 2, /* floating point and vector registers: for a core */
};

/* One thread, its registers of the instant of the snapshot. */
struct target_thread {
	pid_t tid;		 /* as we see it */
	pid_t ns_tid;		 /* as the target sees it (m.procid); 0 if unknown */
	struct target_regs regs; /* of target_arch() */
};

enum {
	REGION_READ = 1,
	REGION_WRITE = 2,
	REGION_EXEC = 4,
	REGION_SHARED = 8,
};

/* One mapping of the target at the snapshot, ascending, not overlapping. */
struct target_region {
	struct trange range;
	unsigned prot;	  /* REGION_* */
	uint64_t offset;  /* in the file */
	uint64_t inode;	  /* 0: anonymous */
	const char *path; /* "" when anonymous; borrowed until target_close */
};

/* How the evidence was taken; what was lost on the way is in the snapshot. */
struct target_capture {
	enum target_kind kind;
	enum target_method method;
	pid_t pid;	     /* as it was when the evidence was taken; 0 unknown */
	uint64_t at_unix_ns; /* wall clock at the instant of the snapshot */
	uint64_t pause_ns;   /* first thread stopped until last one resumed */
	uint64_t fork_ns;    /* of it, inside the injected clone */
	uint64_t predicted_pause_ns;
	uint64_t page_table_bytes;
};

/*
 * /proc and cgroup facts, read once at the instant of the snapshot.  Bytes; UINT64_MAX = unknown.
 */
struct target_mem {
	uint64_t rss, rss_anon, rss_file, rss_shmem, swap, vm_size; /* status, smaps_rollup */
	uint64_t pss, private_dirty, private_clean, shared_clean, shared_dirty, anon_huge;
	uint64_t cgroup_usage, cgroup_limit; /* limit UINT64_MAX: none */
	uint64_t cgroup_anon, cgroup_file, cgroup_shmem, cgroup_kernel, cgroup_sock,
		cgroup_inactive_file;
	bool cgroup_oom_group;
	char cgroup_path[256]; /* "" when none */
	uint64_t threads, fds;
};

/* Where it runs, told from outside: its own number of itself, and names in its cgroup's path. */
struct target_place {
	pid_t ns_pid;	    /* in its own pid namespace; 0 unknown */
	unsigned ns_depth;  /* pid namespaces from ours down to its own: 1 = the same; 0 unknown */
	char container[72]; /* 64 hex digits, or a name; "" in none that can be seen */
	char runtime[16];   /* "docker", "containerd", "cri-o", "podman", "lxc"; "" unknown */
	char pod[40];	    /* the pod's uid; "" */
	char unit[64];	    /* "shop.service" of systemd; "" */
};

/* Residency of one mapping, for the memory table; parallel to target_region where known. */
struct target_smap {
	struct trange range;
	uint64_t rss, pss, anonymous, swap, private_dirty, huge;
	bool file_backed;
	const char *path; /* "[heap]", "[stack]", "[anon: Go: …]", file; borrowed */
};

struct target_addr {
	uint8_t family; /* 4, 6; 0: none */
	uint8_t ip[16]; /* in network order, the first 4 or all */
	uint16_t port;
};

/* An open descriptor of the process, as the kernel says. */
struct target_fd {
	uint32_t fd;
	uint32_t flags;	  /* of open(2); UINT32_MAX unknown */
	uint64_t pos;	  /* UINT64_MAX unknown */
	const char *link; /* "/var/log/x", "socket:[123]", "anon_inode:[eventpoll" */
	const char *kind; /* "file", "directory", "device", "pipe", "tcp", "unix", "eventpoll" … */
	const char *state; /* of TCP: "established", "listen" …; "" */
	const char *name;  /* of a unix socket; "" none */
	struct target_addr local, peer;
};

/*
 * Snapshot a live process.  pid is as we see it.
 * Errors: ERR_GONE, ERR_DENIED (says what is missing), ERR_LIMIT (predicted pause,
 * headroom), ERR_UNSUPPORTED (seccomp that would kill, other architecture), ERR_OS.
 * On every error the target runs on as before.
 */
struct err *target_open_live(pid_t pid, const struct target_opts *o,
			     struct target **ret) MUST_CHECK;

/*
 * A process that runs on while it is read: nothing is stopped, traced or injected, and two reads
 * are of two instants.  A single aligned word is whole.  No threads, no smaps, no descriptors.
 * Errors: ERR_GONE, ERR_DENIED, ERR_UNSUPPORTED.
 */
struct err *target_open_running(pid_t pid, const char *what, struct target **ret) MUST_CHECK;

/* What the kernel counts for a process; UINT64_MAX: unknown. */
struct target_pulse {
	uint64_t rss, threads, cpu_ns, fds;
};
/* Errors: ERR_GONE, also when another process has its number: start_ticks (0: not compared). */
struct err *target_pulse(pid_t pid, uint64_t start_ticks, struct target_pulse *ret) MUST_CHECK;
uint64_t target_start_ticks(const struct target *t);

/* A core that is not at a path; see wrap_open_given(). */
struct target_given {
	int fd, mem_fd;
};

/* How a file is read; all may be NULL or 0. */
struct target_file_opts {
	const char *exe;	     /* --exe: the executable, instead of looking for it */
	const char *sysroot;	     /* --sysroot: before the paths of executable and libraries */
	uint64_t max_unpacked_bytes; /* of a compressed file, on disk; 0: what the disk has */
	const struct target_given *given; /* of a core: read this, path is but its name */
};

/* What could not be taken or was not in the file; shown with the losses of the snapshot. */
struct target_loss {
	const char *what; /* static */
	uint64_t count;
	uint64_t bytes;
};

/*
 * Read an ELF core, also one packed by gzip or zstd.  Nothing of the options is kept.
 * Errors: ERR_OS (no such file), ERR_BAD_DATA (no core; --exe is another program's),
 * ERR_UNSUPPORTED (other architecture), ERR_LIMIT (no room to unpack it).
 */
struct err *target_open_core(const char *path, const struct target_file_opts *o,
			     struct target **ret) MUST_CHECK;

/* NULL allowed.  Kills and reaps the twin, or resumes the frozen threads. */
void target_close(struct target *t);
static inline void target_closep(struct target **t)
{
	target_close(*t);
}

/*
 * Read exactly nbytes at [addr, addr + nbytes) into buf (borrowed).  Thread-safe.
 * Errors: ERR_FAULT with err->addr = first unreadable byte (buf is undefined),
 *         ERR_GONE if the twin or the process is gone,
 *         ERR_LIMIT if the twin was dropped early to protect the target.
 */
struct err *target_read(struct target *t, taddr addr, void *buf, size_t nbytes) MUST_CHECK;

/* As much as can be read from addr on, at most nbytes; *ret = bytes read, 0 if none. */
struct err *target_read_some(struct target *t, taddr addr, void *buf, size_t nbytes,
			     size_t *ret) MUST_CHECK;

/*
 * Exactly nbytes as the running program has them now, torn or not: a hint when to take the next
 * snapshot, no evidence.  Costs it nothing; works after target_release() too.
 * Errors: ERR_FAULT, ERR_GONE, ERR_UNSUPPORTED for a file, and for more than 64 bytes where the
 * rights do not suffice.
 */
struct err *target_peek(struct target *t, taddr addr, void *buf, size_t nbytes) MUST_CHECK;

const struct target_capture *target_capture(const struct target *t);
/* Of the program: whose registers, instructions and tables these are. */
enum target_arch target_arch(const struct target *t);
const struct target_thread *target_threads(const struct target *t, size_t *ret_n);
/* As many as there are threads, in their order; NULL: not known. */
const struct target_floats *target_floats(const struct target *t);
const struct target_region *target_regions(const struct target *t, size_t *ret_n);
/* Region that holds addr, or NULL. */
const struct target_region *target_region_at(const struct target *t, taddr addr);
const struct target_mem *target_mem(const struct target *t);
/* All unknown for a file. */
const struct target_place *target_place(const struct target *t);
const struct target_smap *target_smaps(const struct target *t, size_t *ret_n);

/*
 * Its open descriptors, ascending, read just after the snapshot: one may have been opened or closed
 * in between.  NULL: not known (a file; not asked for by target_opts.facts).
 */
const struct target_fd *target_fds(const struct target *t, size_t *ret_n);

/* The executable as the target runs it: its path as text, and an fd we own until close (-1: none).
 */
const char *target_exe(const struct target *t);
int target_exe_fd(const struct target *t);
/* The file that all this is from, as the user named it; "" when there is none. */
const char *target_file(const struct target *t);

/* Losses of the evidence itself; n == 0 for a live process. */
const struct target_loss *target_losses(const struct target *t, size_t *ret_n);

/* The auxiliary vector as raw bytes (pairs of words, AT_NULL last); n == 0 when unknown. */
const void *target_auxv(const struct target *t, size_t *ret_nbytes);

/* What whoever took the evidence left out by wish: it reads as zeroes. */
enum {
	TARGET_NO_PAYLOAD = 1, /* contents of pointer-free objects */
	TARGET_REDACTED = 2,   /* and text in all other memory */
};
unsigned target_left_out(const struct target *t);

/*
 * What lies at addr, and up to where (> addr) that is so; without reading it.  Of a live process
 * nothing is known: all is bytes.
 */
enum target_extent { TARGET_BYTES, TARGET_ZEROES, TARGET_NOTHING };
enum target_extent target_extent(const struct target *t, taddr addr, taddr *ret_end);

/* Seconds since the program started and its wall start, 0 when unknown. */
uint64_t target_started_unix_ns(const struct target *t);

/* Drop the twin now (all later reads give ERR_GONE or ERR_LIMIT); facts stay readable. */
void target_release(struct target *t);

/* Kill and reap the twins that a killed limpet left in a process (doctor --reap). */
struct target_cleaned {
	unsigned reaped;
	unsigned left;	   /* zombies that could not be taken away */
	unsigned unmarked; /* dead children that may have been twins: not touched (residue.h) */
};
struct err *target_clean(pid_t pid, struct target_cleaned *ret) MUST_CHECK;

/*
 * Exact comm or base name of the executable -> pid; "NAME@WHERE" is the one in the container, pod
 * or unit WHERE (how its id begins).  What runs our own executable is no answer, nor is except (0:
 * nobody). Errors: ERR_USAGE lists several, ERR_GONE: none.
 */
enum target_words { TARGET_WORDS_BARE, TARGET_WORDS_ARGUMENTS }; /* of a list: with arguments? */
struct err *target_find_by_name(const char *name, pid_t except, enum target_words w,
				pid_t *ret) MUST_CHECK;

#endif
