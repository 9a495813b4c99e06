/*
 * snapshot.c - put the frozen model together: heap, stacks, roots, losses.
 *
 * Knows nothing of processes and Go versions; those rooms have been asked when this returns.
 */
#include "snapshot/dump.h"
#include "snapshot/labels.h"
#include "snapshot/sites.h"
#include "snapshot/typing.h"
#include "snapshot/vars.h"

#include "base/clock.h"
#include "base/par.h"
#include "goruntime/coderefs.h"

/* Bytes of our own per object slot, graph and dominators included, for the limit. */
#define OWN_BYTES_PER_OBJECT 56
#define OWN_BYTES	     (64ULL << 20)
/* As much as a stack may have that no span is known of. */
#define LONE_STACK_BYTES (1U << 20)

static struct snapshot *snapshot_alloc(struct target *t, struct go *g)
{
	struct snapshot *s = zalloc(1, sizeof(*s));

	if (s) {
		s->t = t;
		s->go = g;
	}
	return s;
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	snap_words_free(s);
	bigfree(s->type_of, (size_t)s->heap.nobjects, sizeof(*s->type_of));
	go_stacks_deinit(&s->stacks);
	go_waits_deinit(&s->waits);
	go_types_free(s->rtypes);
	go_heap_deinit(&s->heap);
	vec_free(&s->roots);
	vec_free(&s->slots);
	vec_free(&s->types);
	vec_free(&s->vars);
	vec_free(&s->shapes);
	go_code_free(s->code);
	vec_free(&s->losses);
	snap_labels_free(s->labels);
	snap_sites_free(s->sites);
	snap_vars_free(s->dwarf);
	snap_bits_free(s);
	snap_names_free(s->names);
	snap_dump_free(s->dump);
	free(s);
}

void snapshot_lose(struct snapshot *s, const char *what, uint64_t count, uint64_t bytes)
{
	struct snap_loss l = { what, count, bytes };

	for (size_t i = 0; i < s->losses.n; i++) {
		if (!strcmp(s->losses.v[i].what, what)) {
			s->losses.v[i].count += count;
			s->losses.v[i].bytes += bytes;
			return;
		}
	}
	/* Without memory even for this the next allocation fails, and says so. */
	(void)!vec_push(&s->losses, l);
}

/* runtime/mgcmark.go, scanConservative: only allocated slots count. */
static bool is_heap(void *arg, taddr value)
{
	const struct snapshot *s = arg;
	uint64_t id = go_heap_object_at(&s->heap, value);

	return id != GO_NO_OBJECT && go_bit(s->heap.alloc_bits, id);
}

static struct trange stack_span_at(void *arg, taddr addr)
{
	const struct snapshot *s = arg;
	struct trange r = go_heap_manual_at(&s->heap, addr);
	size_t nlosses;

	(void)target_losses(s->t, &nlosses);
	/* Of a core that was cut the spans are lost first: then the goroutine alone knows. */
	if (!r.end && nlosses && go_heap_span_index(&s->heap, addr) == GO_NO_SPAN)
		r = (struct trange){ addr, addr + LONE_STACK_BYTES };
	return r;
}

static void gather_losses(struct snapshot *s)
{
	size_t n;
	const struct target_loss *l = target_losses(s->t, &n);

	for (size_t i = 0; i < n; i++)
		snapshot_lose(s, l[i].what, l[i].count, l[i].bytes);
	if (s->heap.lost_spans)
		snapshot_lose(s, "parts of the heap not readable or inconsistent",
			      s->heap.lost_spans, s->heap.lost_bytes);
	for (size_t i = 0; i < s->stacks.losses.n; i++)
		snapshot_lose(s, s->stacks.losses.v[i].what, 1, s->stacks.losses.v[i].bytes);
}

static struct err *check_limit(const struct snapshot *s, uint64_t max_memory)
{
	uint64_t want = s->heap.nobjects * OWN_BYTES_PER_OBJECT + OWN_BYTES;

	if (!max_memory || want <= max_memory)
		return NULL;
	return err_new(ERR_LIMIT,
		       "%" PRIu64 " object slots need about %" PRIu64
		       " MiB of our own memory, allowed are %" PRIu64 " MiB: raise --max-memory",
		       s->heap.nobjects, want >> 20, max_memory >> 20);
}

struct err *snapshot_create(struct target *t, struct go *g, const struct snap_opts *o,
			    struct snapshot **ret)
{
	_cleanup_(snapshot_freep) struct snapshot *s = snapshot_alloc(t, g);
	unsigned n = o && o->nthreads ? o->nthreads : par_default_threads();
	const struct go_stack_env env = { is_heap, stack_span_at, s };
	uint64_t begun = clock_ns();
	struct err *err;

	if (!s)
		return &err_nomem;
	s->keep = o ? o->keep : SNAP_KEEP_EDGES;
	err = snap_names_create(&s->names);
	if (!err)
		err = go_types_create(g, &s->rtypes);
	if (!err)
		err = target_dump(t) ? snap_dump_heap(s, n) : go_heap_read(g, n, &s->heap);
	if (!err)
		err = check_limit(s, o ? o->max_memory : 0);
	if (!err)
		err = s->dump ? snap_dump_stacks(s) : go_stacks_read(g, n, &env, &s->stacks);
	if (!err && !s->dump)
		err = go_waits_read(g, &s->stacks, n, &s->waits);
	if (err)
		return err;
	err = snap_roots_build(s);
	if (err)
		return err_prefix(err, "roots");
	gather_losses(s);
	s->read_ns = clock_ns() - begun;
	*ret = STEAL(s);
	return NULL;
}
