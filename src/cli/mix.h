/*
 * mix.h - `limpet report A B C…`: which of them is looked at, what is read beside it.
 *
 * HOW TO ADD EVIDENCE: read it in mix.c into a member of struct join_file (report/join.h).
 */
#ifndef LIMPET_CLI_MIX_H
#define LIMPET_CLI_MIX_H

#include "cli/args.h"
#include "target/kind.h"
#include "report/join.h"

#define MIX_NO_LOOK UINT32_MAX

/* A file that was read: what tells it from others. */
struct mix_seen {
	const char *path, *name;
	enum kind kind;
	uint64_t dev, ino, sum[2];
	bool summed;
};

struct mix {
	VEC(struct mix_seen) seen;
	VEC(struct join_file) files;
	unsigned looked; /* index of the argument that is looked at; MIX_NO_LOOK */
	size_t notes;	 /* of files: of what was not read */
	size_t gotext;	 /* in files: all dumps of goroutines, one row of them; SIZE_MAX */
	struct keep keep;
};

void mix_deinit(struct mix *m);
/*
 * Finds the look among the arguments (a process, core, heap dump, store: at most one), reads the
 * others, in any order.  A text is read as all that it holds: a log may have collections and
 * goroutines.  One argument that is a look: nothing to read.  A file that is named twice, and a
 * copy of one, is read once: evidence is no better for being said again.
 */
struct err *mix_read(const struct args *a, struct mix *ret) MUST_CHECK;

#endif
