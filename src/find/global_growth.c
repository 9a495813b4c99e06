/*
 * global_growth.c - containers below a global that are large; also says pointer-chain, where the
 * weight lies in containers in containers.
 *
 * One look cannot tell a leak from a cache: a suspect, which a second look decides.  What has a
 * bound, or was made by package initialisers, is told as info.  What a detector that ran before
 * has said something of is not said again.  Of places in each other each byte counts once, where
 * it is deepest.  Cost: fans.h.
 */
#include "find/place.h"
#include "find/priv.h"
#include "find/shared.h"

#include <stdio.h>

enum {
	PLACES_MAX = 256,
	SAY_MAX = 8,
	SHARE = 20,
	SHARE_HEAVY = 100,
	MANY = 16,
	SHARED_MAX = 3,
	EDGES_MAX = 4096
};

static const char mitigate[] = "restart the program before it reaches its limit; a lower GOGC or a "
			       "GOMEMLIMIT does not free what is held";
static const char decide[] =
	"a second look under the same load: `limpet snapshot PID -o before.core`, "
	"later `limpet report PID --since before.core`; what does not grow is no leak";
static const char confirm[] = "limpet report PID --since before.core";

#define BUFFER_LEAST (16ULL << 20)

struct work {
	struct find *f;
	struct go_io io;
	uint64_t least, live;
	VEC(struct place) v; /* innermost first */
	VEC(uint64_t) inner; /* bytes of places in it that are told by themselves */
};

static bool begins(const char *text, const char *word)
{
	return !strncmp(text, word, strlen(word));
}

/* The runtime's own, tables that are made once, what only passes on. */
static bool is_machinery(const char *name)
{
	static const char *const of[] = { "runtime.",
					  "sync.",
					  "unicode.",
					  "reflect.",
					  "internal/",
					  "syscall.",
					  "os.",
					  "time.",
					  "google.golang.org/protobuf/",
					  "github.com/golang/protobuf/",
					  "github.com/gogo/protobuf/" };

	if (begins(name, "global used by "))
		name += strlen("global used by ");
	for (size_t i = 0; i < ARRAY_LEN(of); i++)
		if (begins(name, of[i]))
			return true;
	return false;
}

/* Globals; what main() itself holds is as good as one.  0: several roots together. */
static bool is_eligible(const struct look *l, gnode owner)
{
	const struct snap_root *r;

	if (owner == GRAPH_NONE)
		return false;
	if (!owner)
		return true;
	r = &l->s->roots.v[owner - 1];
	if (r->kind == SNAP_ROOT_GLOBAL)
		return !is_machinery(r->name ? r->name : "");
	return r->kind == SNAP_ROOT_GOROUTINE && r->goroutine < l->s->stacks.gs.n &&
	       l->s->stacks.gs.v[r->goroutine].id == 1;
}

/* A pool's content is nobody's; a channel's is a backlog. */
static bool passes_on(const struct look *l, gnode v)
{
	for (unsigned i = 0; i < 8 && v != GRAPH_NONE && graph_is_object(l->g, v); i++) {
		const char *name = place_type_name(l, fans_type(l, v));

		if (l->s->types.v[fans_type(l, v)].kind == SNAP_TYPE_CHAN ||
		    strstr(name, "sync.poolLocal") || strstr(name, "sync.poolChain") ||
		    !strcmp(name, "runtime.p") || !strcmp(name, "runtime.g") ||
		    !strcmp(name, "[]*runtime.p"))
			return true;
		v = l->g->idom[v];
	}
	return false;
}

/*
 * Has a detector that ran before said what this is?  That it could be smaller (waste) is no answer
 * to whether it grows without end: rank.c decides between the two.
 */
static bool is_told(const struct work *w, const struct place *x)
{
	const struct find *f = w->f;

	for (size_t i = 0; i < f->found.n; i++) {
		const struct finding *y = &f->found.v[i];

		if (y->bytes + y->stack_bytes >= x->bytes / 2 && y->node != GRAPH_NONE &&
		    y->verdict != FIND_INFO && y->verdict != FIND_WASTE &&
		    (fans_dominates(&f->l, x->node, y->node) ||
		     fans_dominates(&f->l, y->node, x->node)))
			return true;
	}
	return false;
}

static bool is_closure(const struct look *l, uint32_t type)
{
	return type && l->s->types.v[type].kind == SNAP_TYPE_CLOSURE;
}

/* Bytes, and nothing that hangs from them. */
static bool is_buffer(const struct look *l, const struct place *x)
{
	return x->form == PLACE_SLICE && !x->n &&
	       !strcmp(place_type_name(l, fans_type(l, x->node)), "[]uint8");
}

static struct err *add(struct work *w, const struct fans *fans, const struct fan_place *p)
{
	const struct look *l = &w->f->l;
	struct place x;
	struct err *err;
	gnode owner = look_owner(l, p->node);

	if (p->bytes < w->least || !p->node || !is_eligible(l, owner) || passes_on(l, p->node))
		return NULL;
	if (p->node <= l->g->nroots && l->s->roots.v[p->node - 1].kind != SNAP_ROOT_GLOBAL)
		return NULL;
	err = place_read(w->f, &w->io, fans, p, &x);
	if (err || x.form == UINT8_MAX || is_closure(l, x.like))
		return err;
	if (x.form != PLACE_MAP && x.form != PLACE_SLICE && x.n < MANY)
		return NULL;
	if (x.like && !strcmp(place_type_name(l, x.like), "runtime.g"))
		return NULL; /* runtime.allgs: goroutines are told of by others */
	if (x.form == PLACE_SLICE && l->s->types.v[x.like].kind == SNAP_TYPE_PART)
		return NULL; /* an old map's list of its overflow buckets */
	if (is_buffer(l, &x) && (x.bytes < BUFFER_LEAST || x.bytes < w->live / 4))
		return NULL;
	x.owner = owner;
	return vec_push(&w->v, x) && vec_push(&w->inner, 0) ? NULL : &err_nomem;
}

static int innermost_first(const void *x, const void *y)
{
	const struct place *a = x, *b = y;

	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? -1 : 1;
	return (a->node > b->node) - (a->node < b->node);
}

/* The bytes of a place that is told go from the nearest one around it, and from those around that.
 */
static void keep_own(struct work *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->v.n; i++) {
		struct place *x = &w->v.v[i];
		uint64_t own = x->bytes - MIN(x->bytes, w->inner.v[i]);
		bool tells = own >= w->least;

		for (size_t k = i + 1; k < w->v.n; k++) {
			if (!fans_dominates(&w->f->l, w->v.v[k].node, x->node))
				continue;
			w->inner.v[k] += tells ? x->bytes - w->inner.v[i] : 0;
		}
		if (tells)
			w->v.v[n++] = *x;
	}
	w->v.n = n;
}

static const char *metric_of(const struct look *l, gnode v)
{
	for (unsigned i = 0; i < 8 && v != GRAPH_NONE && graph_is_object(l->g, v); i++) {
		const struct snap_type *t = &l->s->types.v[fans_type(l, v)];
		const struct go_type *rt =
			t->kind == SNAP_TYPE_RTYPE ? go_type_at(l->s->rtypes, t->rtype) : NULL;
		const char *full = rt && rt->named ? go_type_full(l->s->rtypes, rt) : "";

		if (begins(full, "github.com/prometheus/client_golang/prometheus."))
			return "Prometheus";
		if (begins(full, "go.opentelemetry.io/otel/sdk/metric"))
			return "OpenTelemetry";
		v = l->g->idom[v];
	}
	return NULL;
}

/* Does what a struct has hang from more than one thing in it?  Not if it points there itself. */
static bool is_more_ways(const struct look *l, const struct place *x)
{
	const struct snap_type *t = &l->s->types.v[fans_type(l, x->node)];
	uint32_t end = MIN(graph_last(l->g, x->node), graph_first(l->g, x->node) + EDGES_MAX);

	if (x->form != PLACE_STRUCT || t->kind != SNAP_TYPE_RTYPE || t->array)
		return false;
	for (uint32_t e = graph_first(l->g, x->node); e < end; e++)
		for (unsigned i = 0; i < x->nsamples; i++)
			if (l->g->to[e] == x->sample[i])
				return false;
	return true;
}

/* Strings and small values: too many kinds of things in one to count them as things. */
static bool is_text(const struct look *l, uint32_t type)
{
	return l->s->types.v[type].kind == SNAP_TYPE_STRING ||
	       l->s->types.v[type].kind == SNAP_TYPE_TINY;
}

static const char *contents(struct find *f, const struct place *x)
{
	const char *like = place_type_name(&f->l, x->like), *n = place_count(f, x->n);
	const char *type = place_type_name(&f->l, fans_type(&f->l, x->node));

	switch (x->form) {
	case PLACE_MAP:
		return keepf(&f->keep, "a map of %s entries", n);
	case PLACE_SLICE:
		return x->n >= MANY && !is_text(&f->l, x->like)
			       ? keepf(&f->keep, "a %s with %s %s below it", *type ? type : "slice",
				       n, *like ? like : "objects")
			       : keepf(&f->keep, "a large %s", *type ? type : "slice");
	case PLACE_LIST:
		return keepf(&f->keep, "a list of %s %s", n, *like ? like : "elements");
	case PLACE_LINKED:
		return keepf(&f->keep, "linked %s, of which there are %s", like, n);
	case PLACE_SYNC_MAP:
		return keepf(&f->keep, "a sync.Map (%s entries in all of them)", n);
	default:
		return keepf(&f->keep, "%s %s%s", n, *like ? like : "objects",
			     is_more_ways(&f->l, x) ? " that it holds more than one way" : "");
	}
}

static const char *fix_of(struct find *f, const struct place *x)
{
	if (x->metric)
		return keepf(
			&f->keep,
			"each combination of label values is kept for ever: take ids, users, raw "
			"paths out of the labels of {holder} (%s), or delete what is over",
			x->metric);
	switch (x->form) {
	case PLACE_MAP:
		return "delete entries of {holder} when what they stand for ends, or give it a bound: "
		       "evict by number or age (an LRU, a TTL)";
	case PLACE_SYNC_MAP:
		return "{holder}.Delete(key) when what the key stands for ends, or replace it by a "
		       "cache with a bound; sync.Map never drops anything by itself";
	case PLACE_SLICE:
		return "stop appending to {holder} without end: use a ring, or write out and start a "
		       "new slice (s = s[n:] keeps the array)";
	case PLACE_LIST:
		return "remove elements of {holder} when they are done with, or when there are more "
		       "than a bound: l.Remove(l.Back())";
	case PLACE_LINKED:
		return "cut what is done with off {holder}: set the link to nil, or bound how many "
		       "are linked";
	default:
		if (!is_more_ways(&f->l, x))
			return "drop what is done with from {holder}, or give it a bound: evict by number or age";
		return "remove them from every container in {holder} that knows them: what one forgets "
		       "another still holds";
	}
}

/* "1. 500 x main.tenant, up to 18.4 KiB each", a line a level. */
static const char *chain_text(struct find *f, const struct place *x)
{
	const struct look *l = &f->l;
	const char *text = "";

	for (unsigned i = 0; i < x->nlevels; i++) {
		const struct place_level *v = &x->level[i];
		const char *name = place_type_name(l, v->type);
		uint64_t bytes = v->node > 0 ? l->g->retained[v->node] : 0;
		const char *what =
			v->n > 1 ? keepf(&f->keep, "%s x %s, up to %s each", place_count(f, v->n),
					 *name ? name : "(unknown)", place_bytes(f, bytes))
				 : keepf(&f->keep, "%s, %s", *name ? name : "(unknown)",
					 place_bytes(f, bytes));

		text = *text ? keepf(&f->keep, "%s\n%u. %s", text, i, what) : what;
	}
	return text;
}

static bool is_chain(const struct place *x)
{
	return x->form != PLACE_LINKED && x->containers >= 2 && x->nlevels >= 4;
}

static const char *key_of(struct find *f, const struct place *x)
{
	return keepf(&f->keep, "%s/%s/%s", x->owner ? find_root_key(f, x->owner - 1) : "",
		     place_type_name(&f->l, fans_type(&f->l, x->node)),
		     place_type_name(&f->l, x->like));
}

static const char *title_of(struct work *w, const struct place *x)
{
	struct find *f = w->f;
	unsigned share = (unsigned)(x->bytes * 100 / MAX(w->live, 1));
	const struct place_level *last = &x->level[x->nlevels ? x->nlevels - 1 : 0];
	const char *deep = place_type_name(&f->l, last->type);

	if (x->steady)
		return keepf(&f->keep, "{holder}, %s, keeps %s; %s", contents(f, x),
			     place_bytes(f, x->bytes), x->steady);
	if (x->metric)
		return keepf(&f->keep, "{holder} has %s combinations of label values (%s), %s",
			     place_count(f, x->n), x->metric, place_bytes(f, x->bytes));
	if (is_chain(x))
		return keepf(&f->keep,
			     "{holder} keeps %s, %u %% of the live heap, %u levels below: %s",
			     place_bytes(f, x->bytes), share, x->nlevels - 1,
			     *deep ? deep : "objects of unknown type");
	return keepf(&f->keep, "{holder}, %s, keeps %s, %u %% of the live heap", contents(f, x),
		     place_bytes(f, x->bytes), share);
}

/* What part of it is known to be waste is the better advice: behind that, then. */
static unsigned certainty_of(const struct work *w, const struct place *x)
{
	const struct find *f = w->f;
	uint64_t waste = 0;

	for (size_t i = 0; i < f->found.n; i++) {
		const struct finding *y = &f->found.v[i];

		if (y->verdict == FIND_WASTE && y->node != GRAPH_NONE &&
		    fans_dominates(&f->l, x->node, y->node))
			waste = MAX(waste, y->bytes);
	}
	return waste >= x->bytes / 8 ? (unsigned)MAX(1, waste * 80 / x->bytes) : 0;
}

static struct err *say(struct work *w, const struct place *x)
{
	struct find *f = w->f;
	const char *name = x->form == PLACE_LINKED || (x->form == PLACE_LIST && x->like)
				   ? place_type_name(&f->l, x->like)
				   : NULL;
	struct finding y = {
		.kind = is_chain(x) ? "pointer-chain" : "global-growth",
		.verdict = x->steady ? FIND_INFO : FIND_SUSPECT,
		.proof = FIND_INFERRED,
		.title = title_of(w, x),
		.type = name,
		.bytes = x->bytes,
		.node = x->node,
		.goroutine = FIND_NO_GOROUTINE,
		.count = x->n,
		.key = key_of(f, x),
		.detail = x->nlevels > 2 ? chain_text(f, x) : "",
		.certainty = x->steady ? 0 : certainty_of(w, x),
	};

	if (!x->steady) {
		y.fix = fix_of(f, x);
		y.mitigate = mitigate;
		y.decide = decide;
		y.confirm = confirm;
	}
	return find_say(f, &y);
}

static struct err *judge(struct work *w, struct place *x)
{
	struct err *err = place_levels(w->f, x);

	x->metric = metric_of(&w->f->l, x->node);
	return err ? err : place_judge(w->f, &w->io, x);
}

static struct err *tell(struct work *w)
{
	struct err *err = NULL;
	unsigned said = 0;

	for (size_t i = w->v.n; i-- > 0 && !err && said < SAY_MAX;) {
		struct place *x = &w->v.v[i];

		if (is_told(w, x))
			continue;
		err = judge(w, x);
		if (!err)
			err = say(w, x);
		said++;
	}
	return err;
}

static const char *roots_text(struct find *f, const struct shared *h)
{
	const char *text = "";

	for (unsigned i = 0; i < h->n; i++) {
		const char *name = find_root_key(f, h->root[i] - 1);

		text = *text ? keepf(&f->keep, "%s, %s", text, name) : name;
	}
	return text;
}

/*
 * A container of a global's and goroutines hold the same things: connections, requests under way
 * most likely; streams that nobody ends look the same.
 */
static struct err *say_in_use(struct work *w, const struct fan_kind *k, const struct shared *h)
{
	struct find *f = w->f;
	const char *like = place_type_name(&f->l, k->type);
	const char *fn = look_pc_name(&f->l, h->nstarts ? h->start[0] : 0);
	uint64_t bytes, goroutines;
	struct err *err = shared_together(&f->l, h, &bytes, &goroutines);
	struct finding y = {
		.kind = "global-growth",
		.verdict = FIND_INFO,
		.proof = FIND_MEASURED,
		.bytes = bytes,
		.node = h->root[0],
		.goroutine = FIND_NO_GOROUTINE,
		.count = k->n,
		.type = *like ? like : NULL,
	};

	if (err || bytes < w->least)
		return err;
	y.title = keepf(&f->keep, "{holder} and goroutines of %s hold %s %s, and %s with them", fn,
			place_count(f, k->n), *like ? like : "objects", place_bytes(f, bytes));
	y.detail = keepf(
		&f->keep,
		"%s goroutines; if they are connections or requests under way, all is well: "
		"if there are more than that, they are not ended (a stream that nobody reads to "
		"its end or cancels) or not deleted from {holder}",
		place_count(f, goroutines));
	y.key = keepf(&f->keep, "in use/%s/%s", like, find_root_key(f, h->root[0] - 1));
	return find_say(f, &y);
}

/* What several roots hold together: none of them alone, so there is no one place. */
static struct err *say_shared(struct work *w, const struct fan_kind *k)
{
	struct find *f = w->f;
	struct shared h;
	struct err *err = shared_holders(&f->l, k->sample, k->nsamples, &h);
	const char *like = place_type_name(&f->l, k->type), *roots;
	unsigned share = (unsigned)(k->bytes * 100 / MAX(w->live, 1));
	struct finding y = {
		.kind = "global-growth",
		.verdict = FIND_SUSPECT,
		.proof = FIND_INFERRED,
		.bytes = k->bytes,
		.node = k->sample[0],
		.goroutine = FIND_NO_GOROUTINE,
		.count = k->n,
		.decide = decide,
		.mitigate = mitigate,
		.confirm = confirm,
	};

	if (err || !h.n)
		return err;
	if (h.running > h.samples / 2)
		return say_in_use(w, k, &h);
	if (h.n < 2 || k->bytes < w->least)
		return NULL;
	roots = roots_text(f, &h);
	y.title = keepf(
		&f->keep, "%s %s keep %s, %u %% of the live heap, and more than one holds them",
		place_count(f, k->n), *like ? like : "objects", place_bytes(f, k->bytes), share);
	y.detail = keepf(&f->keep, "held by %s", roots);
	y.key = keepf(&f->keep, "shared/%s/%s", like, roots);
	y.fix = keepf(&f->keep,
		      "forget them in all of these: %s; what one deletes another still holds",
		      roots);
	return find_say(f, &y);
}

static struct err *add_shared(struct work *w, const struct fans *fans)
{
	const struct fan_place *p = fans->places.n ? &fans->places.v[0] : NULL;
	struct err *err = NULL;
	unsigned said = 0;

	if (!p || p->node)
		return NULL;
	for (uint32_t i = p->first; i < p->first + p->n && !err && said < SHARED_MAX; i++) {
		const struct fan_kind *k = &fans->kinds.v[i];
		uint8_t kind = w->f->l.s->types.v[k->type].kind;

		if (k->bytes < w->least / 2 || k->n < MANY || kind == SNAP_TYPE_PART ||
		    kind == SNAP_TYPE_CLOSURE || kind == SNAP_TYPE_CHAN ||
		    kind == SNAP_TYPE_OTHER || passes_on(&w->f->l, k->sample[0]))
			continue;
		said++;
		err = say_shared(w, k);
	}
	return err;
}

static struct err *look_for(struct work *w, struct fans *fans)
{
	struct err *err = fans_make(&w->f->l, MAX(w->least / 4, w->live / SHARE_HEAVY), fans);

	for (size_t i = 0; i < fans->places.n && !err; i++)
		err = add(w, fans, &fans->places.v[i]);
	if (err)
		return err;
	if (w->v.n)
		qsort(w->v.v, w->v.n, sizeof(*w->v.v), innermost_first);
	if (w->v.n > PLACES_MAX) { /* the largest */
		memmove(w->v.v, w->v.v + (w->v.n - PLACES_MAX), PLACES_MAX * sizeof(*w->v.v));
		w->v.n = PLACES_MAX;
	}
	keep_own(w);
	err = tell(w);
	return err ? err : add_shared(w, fans);
}

static struct err *run(struct find *f)
{
	struct work w = { .f = f, .live = f->l.g->reached_bytes };
	struct fans fans = { 0 };
	struct err *err;

	if (!f->l.g->retained || !f->l.s->type_of)
		return NULL;
	w.least = MAX(1ULL << 20, w.live / SHARE);
	err = go_io_init_sparse(&w.io, f->l.s->go);
	if (!err)
		err = look_for(&w, &fans);
	fans_deinit(&fans);
	vec_free(&w.v);
	vec_free(&w.inner);
	go_io_deinit(&w.io);
	return err;
}

const struct detector detect_global_growth = {
	.name = "global-growth",
	.about = "maps, slices and lists under a global that are large and may only grow",
	.run = run,
};
