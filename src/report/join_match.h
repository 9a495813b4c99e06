/*
 * join_match.h - private to the report room: is that line of a report the line of that frame?
 *
 * A frame has the path that the compiler recorded (absolute, or with -trimpath "module/dir/f.go",
 * "module@v1.2.3/f.go", "fmt/print.go"); a report has one relative to where it was made ("./f.go",
 * "../x/f.go"), absolute, or trimmed, and mostly the package.  Rules, best first:
 *
 *   JOIN_BY_PACKAGE  base name, and the package of the frame's function is the report's
 *   JOIN_BY_PATH     no package said, or the function is generic: the shorter path, without "./"
 *                    and "../", is the end of the other, in more than the base name
 *   JOIN_BY_NAME     no package said: the same of a path that is a base name alone
 *
 * Packages that differ never match, whatever the paths, but of generic functions: these are
 * compiled in the package that uses them, and the report has their lines below that one's name.
 * A place that matches files of several folders equally well is split: what is said of it is
 * said to be so.
 */
#ifndef LIMPET_REPORT_JOIN_MATCH_H
#define LIMPET_REPORT_JOIN_MATCH_H

#include "base/err.h"
#include "report/answer.h"

enum join_rank { JOIN_NOT, JOIN_BY_NAME, JOIN_BY_PATH, JOIN_BY_PACKAGE };

struct join_place {
	const char *package, *file; /* "" not said */
	uint32_t file_id;	    /* equal files of a package have equal ones */
	int line;
	uint32_t row;
};

/* Files of the report, by number: whose frames they stand for. */
struct join_file_seen {
	const char *file; /* of a frame; NULL: none yet */
	bool split;
};

struct join_index {
	const char *module;	       /* of the target; "" unknown */
	VEC(struct join_place) places; /* by base name and line */
	struct join_file_seen *seen;   /* by file_id */
	uint32_t nfiles;
};

enum { JOIN_HITS_MAX = 16 };

struct join_hits {
	enum join_rank rank;
	bool split; /* of files that are as good */
	size_t n;
	uint32_t row[JOIN_HITS_MAX];
};

void join_index_deinit(struct join_index *x);
/* places filled, file_id < nfiles. */
struct err *join_index_make(struct join_index *x) MUST_CHECK;
/* Of one line of source; f->line 0, or a file nobody knows: none. */
void join_find(const struct join_index *x, const struct ans_frame *f, struct join_hits *ret);

/* Has the report lines of its file at all?  Cost: all lines of files of that name. */
bool join_knows_file(const struct join_index *x, const struct ans_frame *f);

/* For tests: is p's file that of a frame of this function? */
enum join_rank join_rank_of(const struct join_place *p, const char *function, const char *file,
			    const char *module);

#endif
