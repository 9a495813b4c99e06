/*
 * rank.c - which finding is read first, and which say the same.
 *
 * First: bytes that can be freed, times how sure that is.  Two findings about the same bytes become
 * one: the kind that says more about the cause stays, the other is a line of its detail.  Cost:
 * findings squared times a bounded climb in the dominator tree.
 */
#include "find/priv.h"

#include "base/str.h"

enum { CLIMB_MAX = 1 << 16, PAIRS_MAX = 1 << 12, TOLD_MAX = 3, WAITER_BYTES = 4096, RESOURCE_BYTES = 16384 };

/* Permille by verdict (rows) and proof. */
static const unsigned sure[4][3] = {
	[FIND_LEAK] = { 1000, 950, 800 },
	[FIND_SUSPECT] = { 500, 400, 250 },
	[FIND_WASTE] = { 200, 150, 100 },
	[FIND_INFO] = { 20, 15, 10 },
};

/* How much a kind says about the cause; what is not listed is about other things than objects. */
static const struct {
	const char *kind;
	unsigned says;
} kinds[] = {
	{ "goroutine-leak", 90 },    { "finalizer-cycle", 88 },	  { "finalizer-backlog", 86 },
	{ "context-leak", 80 },	     { "timer-leak", 79 },	  { "channel-backlog", 78 },
	{ "unclosed-resource", 77 }, { "sync-pool-dirty", 75 },	  { "sync-pool-large", 74 },
	{ "lock-contention", 72 },   { "limits-unset", 71 },	  { "closure-capture", 70 },
	{ "substring-pin", 66 },     { "subslice-pin", 65 },	  { "map-bloat", 62 },
	{ "slice-waste", 61 },	     { "duplicate-strings", 60 }, { "pointer-chain", 40 },
	{ "goroutine-hold", 30 },    { "global-growth", 20 },
};
enum { GENERAL = 40 }; /* up to here: says who holds it, not why */

static unsigned says(const struct finding *x)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (!strcmp(kinds[i].kind, x->kind))
			return kinds[i].says;
	return 0;
}

static unsigned certainty(const struct finding *x)
{
	return x->certainty ? x->certainty : sure[x->verdict & 3][MIN(x->proof, 2)];
}

static bool is_resource(const struct finding *x)
{
	return !strcmp(x->kind, "unclosed-resource");
}

/*
 * Where nothing would be freed, what hangs on it counts as goroutines that wait; of a collector
 * that is driven to its limit the whole heap is concerned.
 */
static double weight(const struct find *f, const struct finding *x)
{
	uint64_t bytes = finding_bytes(x);

	if (!bytes && !strcmp(x->kind, "gc-tuning"))
		bytes = f->l.g->reached_bytes;
	if (is_resource(x)) /* the kernel's part, and how near its limit is */
		bytes = MAX(bytes, x->count * RESOURCE_BYTES);
	return ((double)(bytes ? bytes : x->count * WAITER_BYTES) + 1) * certainty(x);
}

static int compare(const void *x, const void *y, void *arg)
{
	const struct finding *a = x, *b = y;
	double p = weight(arg, a), q = weight(arg, b);
	int c;

	if (p != q)
		return p > q ? -1 : 1;
	c = strcmp(a->signature, b->signature);
	return c ? c : (a->node > b->node) - (a->node < b->node);
}

/* Is a above b in the dominator tree, or the same? */
static bool is_above(const struct graph *g, gnode a, gnode b)
{
	unsigned n = 0;

	for (; n < CLIMB_MAX && b < g->n; b = g->idom[b], n++)
		if (a == b)
			return true;
	return false;
}

static bool same_line(const struct find *f, const struct finding *a, const struct finding *b)
{
	const struct graph *g = f->l.g;

	if (!a->node || !b->node || a->node >= g->n || b->node >= g->n || !g->idom)
		return false;
	return is_above(g, a->node, b->node) || is_above(g, b->node, a->node);
}

/* Roots of one name hold both: goroutines of one function, one global. */
static bool same_root(struct find *f, const struct finding *a, const struct finding *b)
{
	gnode p = look_owner(&f->l, a->node), q = look_owner(&f->l, b->node);

	if (!p || !q || p > f->l.g->nroots || q > f->l.g->nroots || !f->l.s)
		return false;
	return p == q || !strcmp(find_root_key(f, p - 1), find_root_key(f, q - 1));
}

static const char *goroutine_key(struct find *f, size_t goroutine)
{
	const struct snapshot *s = f->l.s;

	for (size_t r = 0; s && r < s->roots.n; r++)
		if (s->roots.v[r].kind == SNAP_ROOT_GOROUTINE &&
		    s->roots.v[r].goroutine == goroutine)
			return find_root_key(f, (uint32_t)r);
	return "";
}

/* Their examples are goroutines of one function. */
static bool same_goroutines(struct find *f, const struct finding *a, const struct finding *b)
{
	const char *key;

	if (a->goroutine == FIND_NO_GOROUTINE || b->goroutine == FIND_NO_GOROUTINE)
		return false;
	key = goroutine_key(f, a->goroutine);
	return *key && !strcmp(key, goroutine_key(f, b->goroutine));
}

/*
 * a takes b over: it says more about the cause of at least half of b's bytes.  What is proved or
 * measured is never taken over by what is not, nor anything by what is no fault.
 */
static bool takes_over(struct find *f, const struct finding *a, const struct finding *b)
{
	unsigned p = says(a), q = says(b);

	if (!p || !q || p < q || (a->verdict == FIND_INFO && b->verdict != FIND_INFO) ||
	    (b->verdict == FIND_LEAK && a->verdict != FIND_LEAK))
		return false;
	/* each thing below b holds one: that is why there are so many */
	if (is_resource(a) && q <= GENERAL && a->count >= b->count / 2 && b->count)
		return same_line(f, a, b) || same_root(f, a, b);
	if (finding_bytes(a) < finding_bytes(b) / 2)
		return false;
	/* of one kind the larger one that contains the other */
	if (p == q)
		return same_line(f, a, b) && finding_bytes(a) / 2 <= finding_bytes(b) &&
		       compare(a, b, f) < 0;
	if (same_line(f, a, b))
		return q <= GENERAL || finding_bytes(b) >= finding_bytes(a) / 2;
	return q <= GENERAL && (same_root(f, a, b) || same_goroutines(f, a, b));
}

static unsigned lines_of(const char *text)
{
	unsigned n = *text != 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void tell(struct find *f, struct finding *a, const struct finding *b)
{
	if (lines_of(a->detail) >= TOLD_MAX || !*b->title)
		return;
	a->detail = keepf(&f->keep, "%s%salso %s (%s): %s", a->detail, *a->detail ? "\n" : "",
			  b->kind, find_verdict_word(b->verdict), b->title);
}

/* The same place said twice: one finding with the sum. */
static bool is_again(const struct finding *a, const struct finding *b)
{
	return !strcmp(a->signature, b->signature) && a->verdict == b->verdict &&
	       !strcmp(a->type, b->type);
}

static void add_up(const struct find *f, struct finding *a, const struct finding *b)
{
	if (same_line(f, a, b))
		return;
	a->bytes += b->bytes;
	a->stack_bytes += b->stack_bytes;
	a->objects += b->objects;
	a->count += b->count;
}

/* In order of rank, so that who is taken over by several is told of by the first. */
static void merge(struct find *f, uint8_t *gone)
{
	size_t n = MIN(f->found.n, (size_t)PAIRS_MAX);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n && !gone[i]; k++) {
			struct finding *a = &f->found.v[i], *b = &f->found.v[k];

			if (k == i || gone[k])
				continue;
			if (k > i && is_again(a, b))
				add_up(f, a, b);
			else if (takes_over(f, a, b))
				tell(f, a, b);
			else
				continue;
			gone[k] = 1;
		}
}

static void sweep(struct find *f, const uint8_t *gone)
{
	size_t n = 0;

	for (size_t i = 0; i < f->found.n; i++)
		if (!gone[i])
			f->found.v[n++] = f->found.v[i];
	f->found.n = n;
}

/* The title has the figures of the largest place. */
static void tell_more(struct find *f, struct finding *x, unsigned more)
{
	char bytes[16];

	if (more)
		x->title = keepf(&f->keep, "%s; with %u more of that name %s", x->title, more,
				 str_bytes(bytes, finding_bytes(x)));
}

struct err *find_unite(struct find *f)
{
	_cleanup_(freep) uint8_t *gone = zalloc(f->found.n + 1, 1);
	size_t n = MIN(f->found.n, (size_t)PAIRS_MAX);

	if (!gone)
		return &err_nomem;
	if (f->found.n)
		qsort_r(f->found.v, f->found.n, sizeof(f->found.v[0]), compare, f);
	for (size_t i = 0; i < n; i++) {
		unsigned more = 0;

		for (size_t k = i + 1; k < n && !gone[i]; k++)
			if (!gone[k] && is_again(&f->found.v[i], &f->found.v[k])) {
				more += !same_line(f, &f->found.v[i], &f->found.v[k]);
				add_up(f, &f->found.v[i], &f->found.v[k]);
				gone[k] = 1;
			}
		tell_more(f, &f->found.v[i], more);
	}
	sweep(f, gone);
	return NULL;
}

struct err *find_rank(struct find *f)
{
	_cleanup_(freep) uint8_t *gone = zalloc(f->found.n + 1, 1);

	if (!gone)
		return &err_nomem;
	if (!f->found.n)
		return NULL;
	qsort_r(f->found.v, f->found.n, sizeof(f->found.v[0]), compare, f);
	merge(f, gone);
	sweep(f, gone);
	qsort_r(f->found.v, f->found.n, sizeof(f->found.v[0]), compare, f);
	return NULL;
}
