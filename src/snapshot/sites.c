/*
 * sites.c - samples of the memory profile as objects, their stacks as functions and lines.
 *
 * Knows no version: the profile comes from goruntime, or ready made from a heap dump.  Each
 * pc is looked up once: its frames are shared by all stacks.  O(samples log samples + pcs).
 */
#include "snapshot/sites.h"

#include "snapshot/dump.h"

#define CUT_FRAMES   64		 /* that the last pc of a stack may stand for */
#define DEFAULT_RATE (512 << 10) /* mprof.go: MemProfileRate int = 512 * 1024 */

/* Frames of a pc; last: the outermost of its stack, which stands for all that it is inlined in. */
struct known_pc {
	taddr pc;
	uint32_t first;
	uint8_t n, last;
	bool used;
};

struct known_pcs {
	struct known_pc *tab; /* open addressing */
	size_t n, cap;
};

static struct known_pc *slot_of(const struct known_pcs *k, taddr pc, uint8_t last)
{
	uint64_t h = (pc ^ (uint64_t)last << 62) * 0x9e3779b97f4a7c15ULL;
	size_t i = (size_t)(h >> 20) & (k->cap - 1);

	while (k->tab[i].used && (k->tab[i].pc != pc || k->tab[i].last != last))
		i = (i + 1) & (k->cap - 1);
	return &k->tab[i];
}

static bool grow(struct known_pcs *k)
{
	struct known_pcs to = { .cap = k->cap ? 2 * k->cap : 4096, .n = k->n };

	to.tab = zalloc(to.cap, sizeof(*to.tab));
	if (!to.tab)
		return false;
	for (size_t i = 0; i < k->cap; i++)
		if (k->tab[i].used)
			*slot_of(&to, k->tab[i].pc, k->tab[i].last) = k->tab[i];
	free(k->tab);
	*k = to;
	return true;
}

/* runtime/pprof/proto.go, allFrames: runtime.goexit is no frame. */
static struct err *look_up(const struct go *g, struct snap_sites *x, struct known_pc *p)
{
	struct go_line lines[CUT_FRAMES];
	size_t n = go_callers_lines(g, p->pc, lines, p->last ? CUT_FRAMES : 1);

	if (!n)
		lines[n++] = (struct go_line){ .function = "", .file = "" };
	p->first = (uint32_t)x->frames.n;
	for (size_t i = 0; i < n; i++) {
		struct snap_frame f = { lines[i].function, lines[i].file, lines[i].line,
					lines[i].inlined };

		if (!strcmp(f.function, "runtime.goexit"))
			continue;
		if (!vec_push(&x->frames, f))
			return &err_nomem;
		p->n++;
	}
	return NULL;
}

static struct err *frames_of(const struct go *g, struct snap_sites *x, struct known_pcs *k,
			     taddr pc, uint8_t last)
{
	struct known_pc *p;
	struct err *err = NULL;

	if (2 * k->n >= k->cap && !grow(k))
		return &err_nomem;
	p = slot_of(k, pc, last);
	if (!p->used) {
		*p = (struct known_pc){ .pc = pc, .last = last, .used = true };
		k->n++;
		err = look_up(g, x, p);
	}
	for (uint32_t i = 0; i < p->n && !err; i++)
		if (!vec_push(&x->stack, p->first + i))
			err = &err_nomem;
	return err;
}

static struct err *add_site(const struct go *g, struct snap_sites *x, struct known_pcs *k,
			    const struct go_bucket *b)
{
	const taddr *pcs = b->npcs ? x->runtime.pcs.v + b->first_pc : NULL;
	struct snap_site site = { b->bytes, b->allocs, b->frees, (uint32_t)x->stack.n, 0, 0 };
	struct err *err = NULL;

	for (uint32_t i = 0; i < b->npcs && !err; i++)
		err = frames_of(g, x, k, pcs[i], i + 1 == b->npcs);
	site.n = (uint32_t)x->stack.n - site.first;
	site.hidden = go_callers_hidden(g, pcs, b->npcs);
	if (site.hidden >= site.n)
		site.hidden = 0;
	if (!err && !vec_push(&x->sites, site))
		err = &err_nomem;
	return err;
}

static int by_object(const void *a, const void *b)
{
	const struct snap_sample *x = a, *y = b;

	if (x->object != y->object)
		return x->object < y->object ? -1 : 1;
	return x->site < y->site ? -1 : x->site > y->site;
}

static struct err *add_samples(struct snapshot *s, struct snap_sites *x)
{
	uint64_t nowhere = 0;

	for (size_t i = 0; i < s->heap.specials.n; i++) {
		const struct go_special *sp = &s->heap.specials.v[i];
		struct snap_sample m;
		size_t k;

		if (sp->kind != GO_SPECIAL_PROFILE)
			continue;
		k = go_profile_bucket(&x->runtime, sp->words[0]);
		m = (struct snap_sample){ go_heap_object_at(&s->heap, sp->object), (uint32_t)k };
		if (k == SIZE_MAX || m.object == GO_NO_OBJECT)
			nowhere++;
		else if (!vec_push(&x->samples, m))
			return &err_nomem;
	}
	if (nowhere && x->sites.n)
		snapshot_lose(s, "samples of the memory profile without a stack", nowhere, 0);
	return NULL;
}

static struct err *from_runtime(struct snapshot *s, struct snap_sites *x)
{
	struct known_pcs k = { 0 };
	struct err *err = go_profile_read(s->go, &x->runtime);

	x->state = x->runtime.state;
	x->rate = x->runtime.rate;
	for (size_t i = 0; i < x->runtime.buckets.n && !err; i++)
		err = add_site(s->go, x, &k, &x->runtime.buckets.v[i]);
	free(k.tab);
	if (x->runtime.cut)
		snapshot_lose(s, "the memory profile's list of stacks is damaged", x->runtime.cut,
			      0);
	return err ? err : add_samples(s, x);
}

static uint32_t hidden_of(const struct snap_sites *x, const struct snap_site *site)
{
	for (uint32_t i = 0; i < site->n; i++) {
		const char *f = snap_site_frame(x, site, i)->function;

		if (strncmp(f, "runtime.", 8) != 0 && strncmp(f, "internal/runtime/", 17) != 0)
			return i;
	}
	return 0;
}

/* runtime/heapdump.go, dumpmemprof_callback: names of physical functions. */
static struct err *dumped_site(struct snap_sites *x, const struct dump *d,
			       const struct dump_bucket *b)
{
	struct snap_site site = { b->bytes, b->allocs, b->frees, (uint32_t)x->stack.n, 0, 0 };

	for (size_t i = 0; i < b->nlines; i++) {
		const struct dump_line *l = &d->lines.v[b->first_line + i];
		struct snap_frame f = { l->function, l->file,
					(int)MIN(l->line, (uint64_t)INT32_MAX), false };

		if (!strcmp(f.function, "runtime.goexit"))
			continue;
		if (!vec_push(&x->stack, (uint32_t)x->frames.n) || !vec_push(&x->frames, f))
			return &err_nomem;
	}
	site.n = (uint32_t)x->stack.n - site.first;
	site.hidden = hidden_of(x, &site);
	return vec_push(&x->sites, site) ? NULL : &err_nomem;
}

/* A dump does not tell the rate; where most of the heap is in the sample it was 1. */
static bool mostly_sampled(const struct snap_sites *x, const struct dump *d)
{
	double bytes = 0;

	for (size_t i = 0; i < x->samples.n; i++)
		bytes += (double)x->sites.v[x->samples.v[i].site].bytes;
	return bytes > (double)d->object_bytes / 2;
}

static struct err *from_dump(struct snapshot *s, struct snap_sites *x)
{
	const struct dump *d = s->dump->d;
	struct err *err = NULL;

	for (size_t i = 0; i < d->buckets.n && !err; i++)
		err = dumped_site(x, d, &d->buckets.v[i]);
	for (size_t i = 0; i < d->samples.n && !err; i++) {
		taddr at = d->samples.v[i].object;
		const struct dump_bucket *b = dump_bucket_of(d, at);
		struct snap_sample m = { go_heap_object_at(&s->heap, at), 0 };

		if (!b || m.object == GO_NO_OBJECT)
			continue;
		m.site = (uint32_t)(b - d->buckets.v);
		if (!vec_push(&x->samples, m))
			err = &err_nomem;
	}
	x->state = d->buckets.n ? GO_PROFILING_ON : GO_PROFILING_OFF;
	x->rate = mostly_sampled(x, d) ? 1 : DEFAULT_RATE;
	x->rate_assumed = true;
	return err;
}

static void sites_freep(struct snap_sites **x)
{
	snap_sites_free(*x);
}

struct err *snapshot_sites(struct snapshot *s, const struct snap_sites **ret)
{
	_cleanup_(sites_freep) struct snap_sites *x = NULL;
	struct err *err;

	if (!s->sites) {
		x = zalloc(1, sizeof(*x));
		if (!x)
			return &err_nomem;
		err = s->dump ? from_dump(s, x) : from_runtime(s, x);
		if (err)
			return err_prefix(err, "memory profile");
		if (x->samples.n)
			qsort(x->samples.v, x->samples.n, sizeof(*x->samples.v), by_object);
		s->sites = STEAL(x);
	}
	*ret = s->sites;
	return NULL;
}

void snap_sites_free(struct snap_sites *x)
{
	if (!x)
		return;
	vec_free(&x->samples);
	vec_free(&x->sites);
	vec_free(&x->stack);
	vec_free(&x->frames);
	go_profile_deinit(&x->runtime);
	free(x);
}

const struct snap_site *snap_site_of(const struct snap_sites *x, uint64_t object)
{
	size_t lo = 0, hi = x->samples.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (x->samples.v[mid].object < object)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == x->samples.n || x->samples.v[lo].object != object)
		return NULL;
	return &x->sites.v[x->samples.v[lo].site];
}
