/*
 * owner_mark.h - private to the report room: from rules to bits of edges.
 */
#ifndef LIMPET_REPORT_OWNER_MARK_H
#define LIMPET_REPORT_OWNER_MARK_H

#include "graph/owner.h"
#include "report/agg.h"
#include "report/owner.h"

/* A pointer word of a type, by its offset. */
struct owner_word {
	uint32_t off;
	uint16_t rule;
	uint8_t how;
};

struct owner_type {
	taddr type;
	uint32_t first, n; /* in words, ascending by offset */
};

struct owner_types {
	VEC(struct owner_type) v; /* ascending by type */
	VEC(struct owner_word) words;
	VEC(taddr) addrs; /* of v, for snapshot_each_typed() */
};

struct err *owner_types_make(const struct snapshot *s, const struct owner_rules *rules,
			     struct owner_types *ret) MUST_CHECK;
const struct owner_word *owner_words_of(const struct owner_types *o, taddr type, size_t *ret_n);
void owner_types_deinit(struct owner_types *o);

/* Each struct in data and bss that typed variables lead to, and those inside it. */
typedef struct err *owner_static_fn(void *arg, const struct go_type *t, taddr at);
struct err *owner_statics(const struct snapshot *s, owner_static_fn *fn, void *arg) MUST_CHECK;
/* Node of the global that holds an address; GRAPH_NONE.  O(roots). */
gnode owner_root_at(const struct snapshot *s, taddr at);

/*
 * Set the kinds of all edges that rules name.  counts: edges by rule, of rules->v.n elements.
 * One read of each object that has a type of a rule inside.
 */
struct err *owner_mark(struct agg *a, const struct owner_rules *rules, struct graph_passing *p,
		       uint64_t *counts) MUST_CHECK;

#endif
