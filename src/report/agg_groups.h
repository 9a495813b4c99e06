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
};

struct err *agg_groups_type(struct agg *a, const struct top_ask *q,
			    struct agg_groups *ret) MUST_CHECK;
struct err *agg_groups_package(struct agg *a, const struct top_ask *q,
			       struct agg_groups *ret) MUST_CHECK;
struct err *agg_groups_kind(struct agg *a, const struct top_ask *q,
			    struct agg_groups *ret) MUST_CHECK;
void agg_groups_deinit(struct agg_groups *gs);

#endif
