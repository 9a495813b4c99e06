/*
 * answer_diff.h - several looks compared, as values.
 *
 * Made by agg_diff.h, turned into bytes by text_diff() and json_doc_diff().  OLD is the first look,
 * NEW the last one.  Sizes are bytes; a figure that is not known is ANS_UNKNOWN, one with a sign
 * ANS_DIFF_NONE.  Texts are of the answer's keep, raw.
 */
#ifndef LIMPET_REPORT_ANSWER_DIFF_H
#define LIMPET_REPORT_ANSWER_DIFF_H

#include "base/keep.h"
#include "base/str.h"
#include "report/answer.h"
#include "report/text.h"

enum { ANS_DIFF_LOOKS = 8 };
#define ANS_DIFF_NONE INT64_MIN

struct ans_diff_count {
	uint64_t objects, bytes;
};

struct ans_diff_look {
	const char *name, *kind; /* as it was asked for; "store" */
	int64_t pid;
	uint64_t at_unix_ns, up_ns; /* 0 unknown */
	uint64_t cycles;	    /* finished by then; ANS_UNKNOWN */
	uint64_t objects, bytes, goroutines, stack_bytes, total_alloc, rss;
	uint64_t requests; /* served by then, as the user says; 0: did not */
	/* since the look before */
	uint64_t ns, cycles_since; /* ANS_UNKNOWN */
	bool exact;
	struct ans_diff_count born, died, survived, maybe, reused, revived;
};

/* What three looks (baseline, loaded, settled) say of a row. */
enum ans_diff_fate {
	ANS_DIFF_FATELESS, /* two looks, or other processes */
	ANS_DIFF_STEADY,   /* nothing much came */
	ANS_DIFF_STAYED,   /* born under load, still there when settled */
	ANS_DIFF_TURNED,   /* what was born was replaced by others: as a cache does */
	ANS_DIFF_GONE,	   /* born under load, gone when settled */
	ANS_DIFF_FATES
};
const char *ans_diff_fate_word(uint8_t fate); /* "stayed"; "" fateless */

/* A type, a holder … */
struct ans_diff_row {
	const char *name;
	bool in_old, in_new; /* it was known by that name */
	bool identity;	     /* survived, born, died are known */
	struct ans_diff_count old, now, survived, born, died;
	struct ans_diff_count maybe; /* of survived: others may lie in their slots */
	struct ans_diff_count reused;
	int64_t growth_objects, growth_bytes;
	uint64_t old_retained, new_retained; /* ANS_UNKNOWN */
	int64_t retained_growth;	     /* ANS_DIFF_NONE */
	int64_t per_gc, per_second;	     /* bytes; ANS_DIFF_NONE */
	/* other processes: what NEW would have if it grew as OLD did; ANS_UNKNOWN */
	uint64_t expected_bytes;
	uint8_t fate;
	struct ans_diff_count at[ANS_DIFF_LOOKS], came[ANS_DIFF_LOOKS], left[ANS_DIFF_LOOKS];
	/* by look: of those first seen there, in NEW */
	struct ans_diff_count aged[ANS_DIFF_LOOKS];
	struct ans_path holder;	    /* to one of those that grew; may be empty */
	VEC(struct ans_frame) site; /* where its like are allocated, by samples; may be empty */
};

struct ans_diff_table {
	const char *by;
	bool identity;
	uint64_t nrows; /* before the limit */
	VEC(struct ans_diff_row) rows;
};

/* Goroutines of one stack: told apart by their ids, which are never used again. */
struct ans_diff_goroutines {
	const char *name, *wait;
	uint64_t old, now, survived, started, ended;
	int64_t growth, growth_stack_bytes;
	uint64_t max_since_ns;
	struct ans_frame at;
};

struct ans_diff_finding {
	const char *change; /* "new", "gone", "grown", "shrunk", "same" */
	const char *kind, *verdict, *title, *signature;
	uint64_t old_bytes, new_bytes;
};

struct ans_diff_memory {
	const char *key, *name;
	int level;
	int64_t old, now;
};

/* In what way OLD was made comparable with NEW. */
struct ans_diff_norm {
	const char *per; /* "hour of uptime", "request"; NULL: not */
	double old, now; /* so many of them */
};

/* Between two looks the collector's marks were read while the program ran (watch/follow.h). */
struct ans_diff_followed {
	uint64_t cycles, missed; /* seen, and not, of those that no look itself tells of */
	uint64_t spans, unknown; /* of unknown ones not every cycle was read */
	uint64_t read_bytes, cpu_ns;
	const char *why; /* it is not exact; NULL: nothing is against it */
};

struct ans_diff {
	struct keep keep;
	const char *same; /* "process", "program", "other" */
	const char *why;  /* not the same process, in words; "" */
	size_t nlooks;
	struct ans_diff_look looks[ANS_DIFF_LOOKS];
	bool identity, exact;
	uint64_t ns, cycles; /* between OLD and NEW; ANS_UNKNOWN */
	bool has_followed;
	struct ans_diff_followed followed;
	struct ans_diff_norm norm;
	struct ans_diff_row total;
	const char *sort;
	VEC(struct ans_diff_table) tables; /* the first: what was asked for */
	bool has_goroutines, has_findings, has_memory;
	VEC(struct ans_diff_goroutines) goroutines;
	uint64_t goroutines_started, goroutines_ended, goroutines_survived, ngoroutine_groups;
	VEC(struct ans_diff_finding) findings;
	VEC(struct ans_diff_memory) memory;
};

void ans_diff_deinit(struct ans_diff *a);

void text_diff(struct str *o, enum text_style st, const struct ans_diff *a);
void json_doc_diff(struct str *o, const struct ans_diff *a);

#endif
