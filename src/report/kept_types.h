/*
 * kept_types.h - the descriptions of kept answers, and the structs that differ from answer.h's
 * because arrays there are shared by several rows.
 */
#ifndef LIMPET_REPORT_KEPT_TYPES_H
#define LIMPET_REPORT_KEPT_TYPES_H

#include "report/kept_walk.h"
#include "report/pop.h"

struct kept_text {
	const char *text;
};

/* dropped: the sums of what is beyond the rows that are kept. */
struct kept_top {
	struct ans_top t;
	struct ans_row dropped;
};

struct kept_stack {
	int64_t hash;
	VEC(struct ans_frame) frames;
};

struct kept_goroutine {
	struct ans_goroutine g;
	uint64_t stack; /* id in stacks */
	VEC(struct ans_wait) waits;
};

/* A node of one of the dominator trees; up: id of its dominator, 0: the top. */
struct kept_node {
	struct ans_tree_node node;
	uint64_t up;
	uint8_t tree; /* AGG_TREE_* */
	uint64_t children, children_bytes, children_owner;
};

struct kept_lock {
	struct ans_lock l;
	VEC(struct ans_locker) waiters;
	VEC(struct ans_locker) holders;
};

struct kept_limited {
	struct ans_limited l;
	VEC(struct ans_setting) settings;
};

struct kept_col {
	const char *key, *title;
	uint8_t form, flags;
};

struct kept_pop_table {
	const char *key, *title, *name;
	uint64_t sort, total, most;
	VEC(struct kept_col) cols;
};

struct kept_pop {
	const char *what, *refused;
	VEC(struct kept_pop_table) tables;
	VEC(struct pop_total) totals;
	VEC(struct kept_text) notes;
};

/* What stands above the rows of several answers. */
struct kept_totals {
	uint64_t findings;
	uint64_t goroutines, retained_total, proved, suspect, freed_bytes, freed_stack_bytes;
	const char *unproved;
	bool leaked_known;
	uint64_t locks, lock_waiters, deadlocks, lock_unknown;
	uint64_t limits;
	uint64_t tree_bytes, limit_least_tree;
	unsigned trees;	 /* AGG_TREE_*: that are kept */
	unsigned values; /* ANS_VALUES_* */
};

/* Numbers that are the index of something, words that must be there: after reading. */
void kept_fix_cut(void *v);
void kept_fix_finding(void *v);
void kept_fix_why_item(void *v);
void kept_fix_mem_line(void *v);
void kept_fix_setting(void *v);
void kept_fix_node(void *v);

extern const struct kept_type kept_cost, kept_cut, kept_difference, kept_exact, kept_finding,
	kept_finding_frame, kept_goroutine, kept_head, kept_holder, kept_label_pair, kept_lack,
	kept_limit_setting, kept_limited, kept_lock, kept_lock_holder, kept_lock_waiter, kept_loss,
	kept_mem_line, kept_memory, kept_origin, kept_origin_frame, kept_origin_site, kept_path,
	kept_path_node, kept_pop, kept_pop_col, kept_pop_note, kept_pop_table, kept_pop_total,
	kept_process_setting, kept_row, kept_rule, kept_stack, kept_stack_frame, kept_top,
	kept_totals, kept_tree_node, kept_wait, kept_why_item, kept_why_path, kept_labels;

#endif
