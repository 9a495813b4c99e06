/*
 * doctor.h - can limpet work here?  Checks as values; those that know no Go.
 *
 * Nothing here stops, traces or writes to the process that is asked about; ptrace(2) itself is
 * tried on a child of our own.  Each check says OK, a note (it works, but), or a failure with what
 * to do: the exact command, or YAML, for the place where limpet runs.
 *
 * HOW TO ADD A CHECK: one doctor_say() in doctor_machine.c or doctor_process.c.
 */
#ifndef LIMPET_TARGET_DOCTOR_H
#define LIMPET_TARGET_DOCTOR_H

#include "target/target.h"

enum doctor_verdict { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_FAIL };

struct doctor_check {
	const char *name; /* a literal: people script against it */
	enum doctor_verdict verdict;
	enum err_code code; /* DOCTOR_FAIL: what another command would fail with */
	char detail[400];
	char todo[1200]; /* "": nothing; lines */
};

struct doctor {
	pid_t pid; /* 0: this machine in general */
	VEC(struct doctor_check) checks;
	bool nomem;
	struct doctor_check scratch; /* what did not fit into memory is said into it */
};

void doctor_deinit(struct doctor *d);

/* The new check, to be given a todo; never NULL (when memory is short it is a scratch one). */
struct doctor_check *doctor_say(struct doctor *d, const char *name, enum doctor_verdict v,
				const char *fmt, ...) PRINTF_LIKE(4, 5);
void doctor_todo(struct doctor_check *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A failure out of an error, which is freed: its words, its code. */
struct doctor_check *doctor_fail(struct doctor *d, const char *name, struct err *err);

/* 0, or the exit code that the first failure would give another command. */
int doctor_exit_code(const struct doctor *d);

/* Rights, kernel, memory: what holds for any process. */
void doctor_machine(struct doctor *d);

/* One process: may it be snapshotted, at what price?  Errors: there is none. */
struct err *doctor_process(struct doctor *d, pid_t pid, const struct target_opts *o) MUST_CHECK;

/* What is said of target_cleaned.unmarked, after "N dead ". */
#define DOCTOR_UNMARKED                                                                             \
	"%s of it may be twins of a killed limpet or its own, nothing tells: they are left alone; " \
	"each holds a pid and no memory, until the program ends or waits for it"

/* Where limpet runs, for what to do about missing rights. */
enum doctor_place { PLACE_HOST, PLACE_DOCKER, PLACE_KUBERNETES };
enum doctor_place doctor_place(void);

/* What is missing; a set. */
enum {
	NEED_PTRACE = 1, /* CAP_SYS_PTRACE */
	NEED_ADMIN = 2,	 /* CAP_SYS_ADMIN, and no seccomp filter on limpet */
	NEED_FILES = 4,	 /* CAP_DAC_READ_SEARCH */
	NEED_PIDS = 8,	 /* to see the process at all */
};
/* Appends the commands for each place (this one first) to the todo of a check. */
void doctor_remedy(struct doctor_check *c, unsigned needs, pid_t pid);

#endif
