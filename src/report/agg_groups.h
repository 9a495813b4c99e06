/*
 * agg_groups.h - which group each object is in: by type, package or kind.
 *
 * Private to the report room.  group[id] < n for every object id; names[g] is the
 * group's name.  4 bytes a slot while it lives.
 */
#ifndef LIMPET_REPORT_AGG_GROUPS_H
#define LIMPET_REPORT_AGG_GROUPS_H

#include "report/agg.h"

struct agg_groups {
	uint32_t *group; /* by object id; bigalloc'd */
	uint64_t nobjects;
	uint32_t n;
	const char **names;
	bool borrowed; /* they are another's */
};

struct err *agg_groups_type(struct agg *a, const struct top_ask *q,
			    struct agg_groups *ret) MUST_CHECK;
struct err *agg_groups_package(struct agg *a, const struct top_ask *q,
			       struct agg_groups *ret) MUST_CHECK;
struct err *agg_groups_kind(struct agg *a, const struct top_ask *q,
			    struct agg_groups *ret) MUST_CHECK;
/* "github.com/a/b" of a type; "(builtin)": it has none, "(unknown)". */
const char *agg_package_of_type(struct agg *a, const struct snap_type *t);
/* "main" of "main.(*T).f.func1". */
const char *agg_package_of_symbol(struct agg *a, const char *name);
struct err *agg_groups_module(struct agg *a, const struct top_ask *q,
			      struct agg_groups *ret) MUST_CHECK;
struct err *agg_groups_generation(struct agg *a, const struct top_ask *q,
				  struct agg_groups *ret) MUST_CHECK;
/* By q->tree: which field of its dominator leads to an object. */
struct err *agg_groups_field(struct agg *a, const struct top_ask *q,
			     struct agg_groups *ret) MUST_CHECK;

/* The same, by the exact tree; from now on all who ask get these.  They go with the agg. */
struct err *agg_groups_type_kept(struct agg *a, struct agg_groups *ret) MUST_CHECK;
struct err *agg_groups_field_kept(struct agg *a, struct agg_groups *ret) MUST_CHECK;

/* Distinct names get numbers: e is sorted by name, number[e.index] and gs->names are filled. */
struct agg_group_name {
	const char *name;
	uint32_t index;
};
struct err *agg_groups_number(struct agg_group_name *e, size_t n, uint32_t *number,
			      struct agg_groups *gs) MUST_CHECK;

void agg_groups_deinit(struct agg_groups *gs);

#endif
