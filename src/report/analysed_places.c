/*
 * analysed_places.c - places (agg_places.c) to a store and back.
 */
#include "report/analysed.h"

#include "report/kept_types.h"

static const struct store_column frame_columns[] = {
	STORE_MEMBER(struct ans_frame, function, "function", STORE_TEXT, "Go function"),
	STORE_MEMBER(struct ans_frame, file, "file", STORE_TEXT, "source file"),
	STORE_MEMBER(struct ans_frame, line, "line", STORE_INT | STORE_ZERO, "in it"),
	STORE_MEMBER(struct ans_frame, inlined, "inlined", STORE_BOOL, "1: inlined into the next"),
	{ .name = NULL },
};

static const struct kept_type frame = {
	.table = { .name = "place_frames",
		   .parent = "places",
		   .about = "stack of the allocation, innermost first",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_frame),
		   .columns = frame_columns },
	.bytes = sizeof(struct ans_frame),
};

#define COUNT (STORE_UINT | STORE_ZERO)

static const struct store_column columns[] = {
	STORE_MEMBER(struct ans_place, type, "type", STORE_TEXT, "as in `groups`"),
	STORE_MEMBER(struct ans_place, holder, "holder", STORE_TEXT, "as in `groups`"),
	STORE_MEMBER(struct ans_place, field, "field", STORE_TEXT, "as in `groups`"),
	STORE_MEMBER(struct ans_place, objects, "objects", COUNT, "how many"),
	STORE_MEMBER(struct ans_place, bytes, "bytes", COUNT, "of their slots"),
	STORE_MEMBER(struct ans_place, retained, "retained_bytes", COUNT,
		     "that go when they go, each byte once"),
	STORE_MEMBER(struct ans_place, example, "example", STORE_ADDR,
		     "one of them, that retains most"),
	STORE_MEMBER(struct ans_place, sampled, "sampled", COUNT,
		     "of them, known to the program's memory profile"),
	STORE_MEMBER(struct ans_place, there, "sampled_there", COUNT,
		     "of these, allocated where `place_frames` says"),
	STORE_MEMBER(
		struct ans_place, calls, "calls", COUNT,
		"none was sampled: calls in the program's code that make such, the frames are the "
		"first's"),
	KEPT_ID(struct ans_place, 0, "path", "id in paths: the way to the example"),
	{ .name = NULL },
};

static const struct kept_part parts[] = {
	{ KEPT_ONE, offsetof(struct ans_place, path), &kept_path },
	{ KEPT_ROWS, offsetof(struct ans_place, stack), &frame },
	{ .of = NULL },
};

static const struct kept_type place = {
	.table = { .name = "places",
		   .about = "objects by type, holder and field together: the largest, and all with "
			    "50 objects and more",
		   .since = 1,
		   .row_bytes = sizeof(struct ans_place) + 8,
		   .columns = columns },
	.bytes = sizeof(struct ans_place),
	.parts = parts,
};

struct err *analysed_put_places(const struct ans_places *x, struct store *w)
{
	struct kept_walk walk = { .x = w };
	struct err *err = kept_put(&walk, &place, 0, x->v.v, x->v.n, NULL);

	kept_walk_deinit(&walk);
	return err;
}

struct err *analysed_places(struct store *x, struct keep *keep, struct ans_places *ret)
{
	_cleanup_(ans_places_deinit) struct ans_places r = { 0 };
	struct kept_walk walk = { .x = x, .keep = keep };
	void *v = NULL;
	struct err *err = kept_get(&walk, &place, 0, &v, &r.v.n, NULL, NULL);

	kept_walk_deinit(&walk);
	r.v.v = v;
	r.v.cap = r.total = r.v.n;
	if (err)
		return err;
	*ret = r;
	r = (struct ans_places){ 0 };
	return NULL;
}
