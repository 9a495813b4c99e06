/*
 * dying.h - a program that is dumping core, analysed in a process of its own.
 *
 * That process may crash, hang or run out of memory: who waits for the core kills it at the
 * deadline.  It reads what a hostile program left, so it has no rights (base/confine.h) once the
 * evidence is open.
 */
#ifndef LIMPET_CLI_DYING_H
#define LIMPET_CLI_DYING_H

#include "cli/args.h"
#include "target/target.h"

enum dying_end {
	DYING_NOTHING, /* it ended before it could say */
	DYING_FAILED,  /* see msg */
	DYING_NOT_GO,
	DYING_KEPT,
};

/* What the analyser says; plain data. */
struct dying_word {
	enum dying_end end;
	unsigned report, core;	 /* which of the files are there, also when it failed later */
	uint64_t core_bytes;	 /* of the file */
	uint64_t objects, bytes; /* reachable */
	char msg[480];
};

struct dying {
	const struct args *args;
	struct target_given given;
	const char *name;	 /* for messages */
	const char *exe;	 /* or NULL: as the core says */
	const char *sysroot;	 /* or NULL */
	const char *report_path; /* or NULL */
	const char *core_path;	 /* or NULL */
	uint64_t max_file;	 /* bytes of one file */
	uint64_t max_memory;	 /* bytes of our own */
	uint64_t deadline;	 /* clock_ns(): by then it gives up by itself */
};

/* Forks; the child's words come on *ret_fd.  Before there are threads. */
struct err *dying_start(const struct dying *d, pid_t *ret_pid, int *ret_fd) MUST_CHECK;

#endif
