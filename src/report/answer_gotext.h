/*
 * answer_gotext.h - goroutines out of texts, as values: lists, groups, growth, suspects, locks.
 *
 * Made by agg_gotext.h; text is borrowed from the evidence and from the keep.  Counts of goroutines
 * are exact for the text, times are lower bounds in whole minutes, the rest is a guess and says so.
 */
#ifndef LIMPET_REPORT_ANSWER_GOTEXT_H
#define LIMPET_REPORT_ANSWER_GOTEXT_H

#include "base/keep.h"
#include "report/json.h"
#include "report/text.h"

#include <stdbool.h>

struct ans_gotext_dump {
	const char *file;
	uint64_t at_line, time_ns; /* 0: not known */
	bool no_zone, no_year;
	uint64_t n, process, noise;
	const char *form; /* "traceback", "profile", "leak profile" */
	bool final, cut, kept;
	const char *how, *kind; /* why it was written: "panic", "nil dereference"; "" */
	uint64_t goroutine;	/* that panicked */
	const char *function;	/* that it panicked in; "" not known */
	const char *message;	/* NULL: withheld; Go's own fixed text never is */
	bool recovered;
};

struct ans_gotext_g {
	uint64_t id, parent, count;
	const char *state, *wait, *function, *creator;
	struct ans_frame created_at;
	uint64_t since_ns;
	const struct ans_labels *labels;
	const char *leaked; /* "proved": the runtime said so; "suspect", "no" */
	bool locked, system, panicked, no_stack;
	size_t first_frame, nframes; /* in frames */
	uint64_t elided;  /* frames that Go left out; ANS_UNKNOWN: it did not say how many */
	const char *lock; /* "sync.Mutex"; NULL */
	uint64_t lock_addr;
};

struct ans_gotext_group {
	const char *name;
	uint64_t count, min_since_ns, max_since_ns; /* ANS_UNKNOWN */
	uint64_t leaked, suspect, locked;
	size_t example; /* in gs */
	size_t first_member, nmembers;
	const struct ans_labels *labels;
	const char *idle; /* how it is well known to wait; NULL */
	size_t growth;	  /* in growth; SIZE_MAX */
};

struct ans_gotext_growth {
	const char *function, *creator, *wait;
	struct ans_frame at;
	uint64_t first, last, most, stayed;
	int64_t growth;
	double per_hour; /* NaN */
	bool suspect;
};

struct ans_gotext_lock {
	uint64_t addr, waiters, since_ns;
	const char *word;
	bool circle;
	size_t example;
	struct ans_frame at;
	size_t holders[3], nholders; /* in gs */
	size_t itself;		     /* in gs; SIZE_MAX */
};

struct ans_gotext_node {
	unsigned depth;
	const char *function;
	uint64_t count, below, since_ns; /* below: it and all that it led to */
	bool ended;			 /* not in the dump: known by what it started */
};

struct ans_gotext {
	struct keep keep;
	struct ans_head head;
	VEC(struct ans_gotext_dump) dumps;
	size_t shown_dump;
	VEC(struct ans_gotext_g) gs;
	VEC(struct ans_frame) frames;
	VEC(struct ans_gotext_group) groups;
	VEC(size_t) members;
	VEC(struct ans_gotext_growth) growth;
	VEC(struct ans_gotext_lock) locks;
	VEC(struct ans_gotext_node) tree;
	size_t tree_cut; /* nodes that were left out below */
	struct ans_findings findings;
	uint64_t total, system, ngroups, suspect, leaked; /* before limits */
	uint64_t ncompared;
	double hours; /* between the first and the last that were compared; NaN */
	bool has_ids, deadlock; /* deadlock: of the shown dump, by the runtime's own word */
	uint64_t cut_lines, lost;
	const char *damage; /* NULL */
	const char *group_by;
	bool leaked_only;
	size_t limit;
};

struct ans_gotext_row {
	const char *name;
	uint64_t flat, cum;
};
struct ans_gotext_top {
	const char *by;
	VEC(struct ans_gotext_row) rows;
	uint64_t total, nrows;
};

void ans_gotext_deinit(struct ans_gotext *a);
void ans_gotext_top_deinit(struct ans_gotext_top *a);

void text_gotext(struct str *o, enum text_style st, const struct ans_gotext *a);
void text_gotext_report(struct str *o, enum text_style st, const struct ans_gotext *a);
void text_gotext_diff(struct str *o, enum text_style st, const struct ans_gotext *a);
void text_gotext_tree(struct str *o, enum text_style st, const struct ans_gotext *a);
void text_gotext_top(struct str *o, enum text_style st, const struct ans_gotext *a,
		     const struct ans_gotext_top *t);
void json_doc_gotext(struct str *o, const struct ans_gotext *a);
void json_doc_gotext_report(struct str *o, const struct ans_gotext *a);
void json_doc_gotext_diff(struct str *o, const struct ans_gotext *a);
void json_doc_gotext_tree(struct str *o, const struct ans_gotext *a);
void json_doc_gotext_top(struct str *o, const struct ans_gotext *a, const struct ans_gotext_top *t);

#endif
