/*
 * take.h - the half of a live target that needs rights; private to target/.
 *
 * take_start() looks, freezes, opens; what it gives is plain data, text and descriptors that may be
 * handed to a process without any rights, which makes a target of them (live_adopt).  Nothing of
 * the target's own text is parsed here that a refusal does not need.
 *
 * Legal order: take_start() -> hand over what is in taken -> take_finish() -> take_free().
 */
#ifndef LIMPET_TARGET_TAKE_H
#define LIMPET_TARGET_TAKE_H

#include "target/ops.h"
#include "target/surgeon.h"

/* Texts of /proc, one after the other in one file. */
enum take_text { TAKE_SMAPS, TAKE_MAPS, TAKE_EXE_PATH, TAKE_AUXV, TAKE_FDS, TAKE_NTEXTS };

enum take_fd {
	TAKE_THEATRE, /* read-only: whether the twin still is */
	TAKE_MEM,     /* /proc/TWIN/mem, opened for reading: cannot come to mean another process */
	TAKE_NOW,     /* the running program's own mem, for peeks; -1: see take_peek() */
	TAKE_TEXTS,
	TAKE_EXE, /* the executable, read-only; -1: cannot be opened */
	TAKE_NFDS,
};

struct taken {
	struct target_capture capture;
	struct target_mem mem; /* without what smaps says */
	struct target_place place;
	uint64_t started_unix_ns, start_ticks;
	uint64_t text_bytes[TAKE_NTEXTS];
	int fd[TAKE_NFDS];
};

struct take {
	pid_t pid;
	struct surgeon surgeon;
	struct taken taken; /* its fds are owned by take */
	char what[32];	    /* the command, for the log */
	unsigned facts;	    /* TARGET_FACTS_* */
};

struct err *take_start(pid_t pid, const struct target_opts *o, struct take **ret) MUST_CHECK;

/* Of a process that runs on: TAKE_MEM is its own memory, there is no theatre and no take. */
struct err *take_running(pid_t pid, const char *what, struct taken *ret) MUST_CHECK;

/* Close what was handed over. */
void taken_close(struct taken *t);

/* Kill and reap the twin, or let the target run; idempotent. */
void take_finish(struct take *tk);

/*
 * One word of the running program, for who has no TAKE_NOW.  Its page is pinned for that moment:
 * where it is shared with a twin, the program gets its own copy of it (4 KiB, once). Errors:
 * ERR_FAULT, ERR_GONE.
 */
struct err *take_peek(const struct take *tk, taddr addr, uint64_t *ret) MUST_CHECK;

/* A socket that is readable when the surgeon has been killed, -1 when none need be watched. */
int take_watch(const struct take *tk);
/* Then: tell the readers. */
void take_mourn(struct take *tk);

/* NULL allowed. */
void take_free(struct take *tk);

/* Who holds the twin for a target: told when it is let go, and at the end. */
struct live_holder {
	void (*finish)(void *arg);
	void (*free)(void *arg);
	/* take_peek(), wherever the take is. */
	struct err *(*peek)(void *arg, taddr addr, uint64_t *ret);
	void *arg;
};

/*
 * A target of what was taken; owns the descriptors and the holder from here on, also when it
 * fails.  Needs no rights.
 */
struct err *live_adopt(const struct taken *tk, struct live_holder h,
		       struct target **ret) MUST_CHECK;
/* The same of what take_running() took. */
struct err *running_adopt(const struct taken *tk, struct target **ret) MUST_CHECK;

/* One of the texts, NUL-terminated; caller frees. */
struct err *taken_text(const struct taken *tk, enum take_text which, char **ret) MUST_CHECK;

#endif
