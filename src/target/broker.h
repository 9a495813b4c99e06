/*
 * broker.h - the process that keeps the rights, for one that gives them up.
 *
 * The process that answers (owner of stdout and exit code) forks the broker first, confines itself
 * (base/confine.h), and then gets evidence as descriptors and plain data only.  What may be asked
 * for is fixed before: one process, or files that were named on the command line; besides these,
 * ELF files that evidence names, for reading.  Nothing that a taken-over asker says names a pid.
 *
 * It watches what memory is left, and sends OWNMEM_SIGNAL when that is too little (ownmem.h).
 * It ends when we do: on our end of file it lets the target go and removes a half-written output.
 * Signals of the terminal are ours to handle; it ignores them.
 */
#ifndef LIMPET_TARGET_BROKER_H
#define LIMPET_TARGET_BROKER_H

#include "base/files.h"
#include "target/target.h"

#define BROKER_MAX_FILES 1040

struct broker_opts {
	pid_t pid;		 /* the process that may be looked at; 0: see name */
	const char *name;	 /* exact name of it, NULL: none */
	enum target_words words; /* where several have that name */
	struct target_opts look; /* how */
	const char *sysroot;	 /* ELF files that evidence names are below it; NULL: anywhere */
	const char *source;	 /* folder of source, FILE_SOURCE; NULL: none */
	const char *read[BROKER_MAX_FILES];  /* files to read, in any order; NULL: none */
	const char *write[BROKER_MAX_FILES]; /* files to write */
};

struct broker;

/* Options are copied by the fork.  Before there are threads. */
struct err *broker_start(const struct broker_opts *o, struct broker **ret) MUST_CHECK;

/* Its socket, for confine_self(). */
int broker_peer(const struct broker *b);

/* Who is meant by the options; of a name: looked up once.  Errors: as target_find_by_name(). */
struct err *broker_pid(struct broker *b, pid_t *ret) MUST_CHECK;

/* One snapshot, as target_open_live(). */
struct err *broker_look(struct broker *b, struct target **ret) MUST_CHECK;

/* The process as it runs on, as target_open_running(); once. */
struct err *broker_running(struct broker *b, struct target **ret) MUST_CHECK;
/* And its kernel's counters, as target_pulse(); after broker_running(). */
struct err *broker_pulse(struct broker *b, struct target_pulse *ret) MUST_CHECK;

/* For files_delegate(); arg is a struct broker. */
int broker_file(void *arg, const struct file_ask *ask);

/* Waits until it has cleaned up.  NULL allowed. */
void broker_end(struct broker *b);

#endif
