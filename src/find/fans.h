/*
 * fans.h - where the weight of a heap lies: places at which it spreads into many of a kind.
 *
 * Seen in the exact dominator tree.  A node is heavy if it retains enough; a heavy node whose
 * weight does not go on into one child is a fan (a large object without children is one, too). What
 * a container consists of (a map's groups, the nodes of a list, a tree, a trie) is folded into the
 * place that holds it all, so that a place is what a programmer calls one: a map, a slice, a list,
 * a struct with a list and a map.
 *
 *   ranges   place.node dominates what it holds; place.bytes = retained[node]
 *   kinds    what hangs there, by type, largest first: kinds[place.first .. + place.n)
 *   node 0   is a place, too: what several roots hold together
 *
 * Knows no container and reads nothing.  O(n): two walks over the dominator tree's arrays by all
 * threads; memory for what is heavy, at most FANS_HEAVY_MAX nodes.
 */
#ifndef LIMPET_FIND_FANS_H
#define LIMPET_FIND_FANS_H

#include "find/look.h"

enum { FANS_HEAVY_MAX = 1 << 16, FANS_SAMPLES = 8 };

struct fan_kind {
	uint32_t place;		    /* index */
	uint32_t type;		    /* index in s->types; 0: not known */
	uint64_t n, bytes;	    /* children, and what they retain */
	gnode sample[FANS_SAMPLES]; /* picked without regard to what they are; the same each time */
	unsigned nsamples;
};

struct fan_place {
	gnode node;
	uint64_t bytes;
	uint64_t chain; /* heavy nodes of its own type below it: a list's, a tree's */
	uint32_t first, n;
};

struct fans {
	uint64_t least;		      /* bytes that make a node heavy */
	VEC(struct fan_place) places; /* ascending by node */
	VEC(struct fan_kind) kinds;
};

/* least: see above; *ret is empty before.  Errors: NOMEM. */
struct err *fans_make(const struct look *l, uint64_t least, struct fans *ret) MUST_CHECK;
void fans_deinit(struct fans *f);

/* Type of an object, index in s->types; 0: not known, or no object. */
uint32_t fans_type(const struct look *l, gnode v);

/* Of what kind a map's memory is; also where only its shape speaks for it. */
enum fans_map { FANS_NO_MAP, FANS_MAP_HEADER, FANS_MAP_PART };
enum fans_map fans_map_of(const struct look *l, gnode v);

/* Does v dominate w (or is it)?  Up to 16 Ki steps; beyond: no. */
bool fans_dominates(const struct look *l, gnode v, gnode w);

/*
 * Children of v in the dominator tree, found by walking what v reaches: at most max, among the
 * FANS_WALK nodes below it that are nearest.
 */
enum { FANS_WALK = 4096 };
struct err *fans_children(const struct look *l, gnode v, gnode *child, size_t max,
			  size_t *ret_n) MUST_CHECK;

#endif
