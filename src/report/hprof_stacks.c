/*
 * hprof_stacks.c - goroutines' stacks as frames and traces of an HPROF file.
 *
 * Goroutines with equal frames share them; each has a trace of its own, for a trace names its
 * thread.
 */
#include "report/hprof_priv.h"

enum { TAG_FRAME = 0x04, TAG_TRACE = 0x05 };

/* Ids of strings of frames: behind those of objnames. */
#define STRINGS 0x40000000U

static void put_frame(struct hprof *h, const struct ans_frame *f)
{
	uint32_t id = ++h->nframe;
	const char *file = f->file ? strrchr(f->file, '/') : NULL;

	hprof_string(h, STRINGS + 2 * id, f->function ? f->function : "");
	hprof_string(h, STRINGS + 2 * id + 1, file ? file + 1 : f->file ? f->file : "");
	hprof_record(h, TAG_FRAME, 24);
	bigout_be(&h->o, id, 4);
	bigout_be(&h->o, STRINGS + 2 * id, 4);
	bigout_be(&h->o, 1, 4); /* signature: objnames' "" */
	bigout_be(&h->o, STRINGS + 2 * id + 1, 4);
	bigout_be(&h->o, 1, 4); /* class: java.lang.Object */
	bigout_be(&h->o, f->line > 0 ? (uint32_t)f->line : 0, 4);
}

static void put_trace(struct hprof *h, uint32_t serial, uint32_t thread, uint32_t first, uint32_t n)
{
	hprof_record(h, TAG_TRACE, 12 + 4 * (uint64_t)n);
	bigout_be(&h->o, serial, 4);
	bigout_be(&h->o, thread, 4);
	bigout_be(&h->o, n, 4);
	for (uint32_t i = 0; i < n; i++)
		bigout_be(&h->o, first + i, 4);
}

static struct err *put_group(struct hprof *h, const size_t *member, size_t n)
{
	_cleanup_(ans_goroutines_deinit) struct ans_goroutines gs = { 0 };
	struct err *err = agg_goroutine(h->a, member[0], &gs);
	uint32_t first = h->nframe + 1;

	if (err || !gs.gs.n)
		return err;
	for (size_t i = 0; i < gs.gs.v[0].nframes && h->nframe < STRINGS / 4; i++)
		put_frame(h, &gs.frames.v[gs.gs.v[0].first_frame + i]);
	for (size_t i = 0; i < n; i++)
		put_trace(h, 2 + (uint32_t)member[i], 1 + (uint32_t)member[i], first,
			  h->nframe + 1 - first);
	return h->o.err ? STEAL(h->o.err) : NULL;
}

struct err *hprof_stacks(struct hprof *h)
{
	_cleanup_(freep) size_t *order = NULL, *first = NULL;
	size_t n = 0;
	struct err *err;

	put_trace(h, 1, 0, 1, 0); /* of all that is no goroutine */
	err = agg_stack_groups(h->a->s, &order, &first, &n);
	for (size_t i = 0; i < n && !err; i++)
		err = put_group(h, order + first[i], first[i + 1] - first[i]);
	return err;
}
