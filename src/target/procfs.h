/*
 * procfs.h - what /proc says about a process, as values.
 *
 * The parsers take text and are total: any bytes give a value or "unknown"
 * (UINT64_MAX, 0, ""), never a crash; a program may choose its own name and its
 * mappings' names, newlines included.  Readers add one open/read/close.
 */
#ifndef LIMPET_TARGET_PROCFS_H
#define LIMPET_TARGET_PROCFS_H

#include "target/target.h"

#define PROC_UNKNOWN UINT64_MAX

/* Whole text file, NUL-terminated; caller frees with free().  At most max_bytes (cut there). */
struct err *proc_slurp(const char *path, size_t max_bytes, char **ret, size_t *ret_n) MUST_CHECK;

/* Up to cap - 1 bytes of a small file, NUL-terminated; -errno or length. */
ssize_t proc_read_small(char *buf, size_t cap, const char *fmt, ...) PRINTF_LIKE(3, 4);

struct proc_status {
	char name[64];
	char state; /* 'R', 'S', 'D', 'Z', 'T', 't', 'X'; 0 unknown */
	pid_t tgid, ppid, tracer;
	pid_t ns_pids[33]; /* NSpid, outermost first; [0 .. ns_depth) */
	pid_t ns_pid;	   /* innermost of NSpid */
	unsigned ns_depth; /* entries of NSpid; 1 = our own namespace */
	uint64_t uid, euid;
	uint64_t threads;
	uint64_t vm_size, vm_data, vm_pte, vm_swap; /* bytes */
	uint64_t rss, rss_anon, rss_file, rss_shmem;
	unsigned seccomp; /* 0 none, 1 strict, 2 filter */
	bool no_new_privs;
	bool kernel_thread; /* no VmSize line */
};
void proc_parse_status(const char *text, struct proc_status *ret);
/* tid 0: the process.  ERR_GONE when it is not there. */
struct err *proc_read_status(pid_t pid, pid_t tid, struct proc_status *ret) MUST_CHECK;

struct proc_stat {
	char comm[64];
	char state;
	pid_t ppid;
	uint64_t nthreads;
	uint64_t start_ticks;
	uint64_t start_code;
	uint64_t flags;	 /* PF_* of the kernel */
	int exit_signal; /* 0 = one that its parent never hears of; -1 = thread or unknown */
};
bool proc_parse_stat(const char *text, struct proc_stat *ret);
bool proc_read_stat(pid_t pid, struct proc_stat *ret);

/*
 * Mappings from the text of /proc/PID/maps, which is cut up in place: paths point
 * into it.  Overlapping, empty or backward lines are dropped.
 */
struct err *proc_parse_maps(char *text, struct target_region **ret, size_t *ret_n) MUST_CHECK;

/* The same for smaps; text is cut up in place. */
struct err *proc_parse_smaps(char *text, struct target_smap **ret, size_t *ret_n) MUST_CHECK;

/* Value of "key: 123 kB" or "key 123" lines; PROC_UNKNOWN when missing. */
uint64_t proc_kb(const char *text, const char *key);
uint64_t proc_number(const char *text, const char *key);

/* Make it the first to die when memory ends (oom_score_adj 1000). */
void proc_mark_victim(pid_t pid);

/* Threads of a process; caller frees with free(). */
struct err *proc_tasks(pid_t pid, pid_t **ret, size_t *ret_n) MUST_CHECK;

#endif
