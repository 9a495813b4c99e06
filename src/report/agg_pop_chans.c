/*
 * agg_pop_chans.c - all channels: what is queued, who waits.
 *
 * Channels that a typed place leads to, and those that are known by their own header's element
 * type.  Source: runtime/chan.go (hchan), runtime2.go (sudog: c, waitlink).
 */
#include "report/pop_priv.h"

#include "base/cycle.h"

enum { IDS_SHOWN = 6, SUDOG_MAX = 256, WAITS_MAX = 1 << 16 };

static const struct pop_col cols[] = {
	{ "len", "queued", POP_COUNT, POP_SUM },
	{ "cap", "cap", POP_COUNT, POP_SUM },
	{ "senders", "senders", POP_COUNT, POP_SUM },
	{ "receivers", "receivers", POP_COUNT, POP_SUM },
	{ "closed", "closed", POP_YES, 0 },
	{ "bytes", "bytes", POP_BYTES, POP_SUM },
	{ "retained_bytes", "retained", POP_BYTES, 0 },
	{ "addr", "addr", POP_ADDR, 0 },
	{ "elem_type", "of", POP_TEXT, POP_JSON_ONLY },
	{ "owner", "owner", POP_TEXT, POP_JSON_ONLY | POP_FILLED },
	{ "type", "type", POP_TEXT, 0 },
	{ "goroutines", "goroutines", POP_TEXT, POP_FILLED },
	{ .form = POP_END },
};
enum {
	C_LEN,
	C_CAP,
	C_SENDERS,
	C_RECEIVERS,
	C_CLOSED,
	C_BYTES,
	C_RETAINED,
	C_ADDR,
	C_ELEM,
	C_OWNER,
	C_TYPE,
	C_GS
};

struct wait {
	taddr chan;
	uint64_t id; /* of the goroutine */
};

struct work {
	struct agg *a;
	struct pop_table *t;
	struct go_io io;
	struct pop_refs refs;
	VEC(struct wait) waits;
	uint64_t sum[6]; /* channels, queued, senders, receivers, with a full buffer, unreadable */
};

static struct err *waits_of(struct work *w, const struct go_goroutine *g)
{
	const struct go_layout *L = w->a->s->go->L;
	uint8_t b[SUDOG_MAX];
	struct cycle round = { 0 };

	if (!L->sudog_bytes || L->sudog_bytes > sizeof(b) || !go_has(L->sudog_c))
		return NULL;
	for (taddr at = g->waiting; at && w->waits.n < (size_t)WAITS_MAX * 64;) {
		struct err *err = go_io_read(&w->io, at, b, L->sudog_bytes);
		struct wait x = { .id = g->id };

		if (err) {
			err_free(err);
			return NULL;
		}
		if (cycle_closed(&round, at))
			return NULL;
		/* maybeTraceablePtr (1.26): of the two words the second is the truth */
		x.chan = L->sudog_c.bytes >= 16
				 ? load_u64(b + L->sudog_c.off + L->sudog_c.bytes - 8)
				 : go_get(b, (struct go_field){ L->sudog_c.off, 8 });
		if (x.chan && !vec_push(&w->waits, x))
			return &err_nomem;
		at = go_get(b, L->sudog_waitlink);
	}
	return NULL;
}

static int by_chan(const void *x, const void *y)
{
	const struct wait *p = x, *q = y;

	if (p->chan != q->chan)
		return p->chan < q->chan ? -1 : 1;
	return (p->id > q->id) - (p->id < q->id);
}

static struct err *index_waits(struct work *w)
{
	struct err *err = NULL;

	for (size_t i = 0; i < w->a->s->stacks.gs.n && !err; i++)
		if (!w->a->s->stacks.gs.v[i].dead)
			err = waits_of(w, &w->a->s->stacks.gs.v[i]);
	if (w->waits.n)
		qsort(w->waits.v, w->waits.n, sizeof(w->waits.v[0]), by_chan);
	return err;
}

static size_t first_wait(const struct work *w, taddr chan)
{
	size_t lo = 0, hi = w->waits.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (w->waits.v[mid].chan < chan)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct err *finish(struct agg *a, void *arg, struct pop_row *r)
{
	const struct work *w = arg;
	_cleanup_(str_deinit) struct str s = { 0 };
	size_t n = 0;

	for (size_t i = first_wait(w, r->c[C_ADDR].n);
	     i < w->waits.n && w->waits.v[i].chan == r->c[C_ADDR].n; i++, n++)
		if (n < IDS_SHOWN)
			str_printf(&s, "%s%" PRIu64, n ? " " : "", w->waits.v[i].id);
	if (n > IDS_SHOWN)
		str_printf(&s, " and %zu more", n - IDS_SHOWN);
	r->c[C_GS].s = keepf(&a->keep, "%s", str_ok(&s) ? s.s : "");
	r->c[C_OWNER].s = pop_owner(a, r->node);
	return NULL;
}

static uint64_t chan_bytes(const struct agg *a, taddr header, uint64_t cap, uint64_t elem_bytes)
{
	uint64_t id = go_heap_object_at(&a->s->heap, header), bytes = 0, n;

	if (id != GO_NO_OBJECT)
		go_heap_address(&a->s->heap, id, &bytes);
	/* Elements with pointers have an array of their own (chan.go, makechan). */
	if (__builtin_mul_overflow(cap, elem_bytes, &n) || n <= bytes)
		return bytes;
	return bytes + n;
}

static void count(struct work *w, const struct pop_row *r)
{
	w->sum[0]++;
	w->sum[1] += r->c[C_LEN].n;
	w->sum[2] += r->c[C_SENDERS].n;
	w->sum[3] += r->c[C_RECEIVERS].n;
	w->sum[4] += r->c[C_CAP].n && r->c[C_LEN].n == r->c[C_CAP].n;
}

static struct err *offer(struct work *w, taddr at, const struct go_type *t, const char *name,
			 uint64_t holder)
{
	struct agg *a = w->a;
	const struct go_type *elem = go_type_at(a->s->rtypes, t->elem);
	struct pop_row r = { .node = pop_node_at(a, at) };
	struct look_facts f;
	struct err *err = pop_facts_read(a, &w->io, (struct go_place){ at, t }, &f);

	if (err)
		return err;
	if (f.bad || look_fact(&f, "cap", POP_NONE) == POP_NONE) {
		w->sum[5]++;
		return NULL;
	}
	if (r.node == GRAPH_NONE && holder != GO_NO_OBJECT)
		r.node = graph_node_of_object(a->g, holder);
	r.c[C_LEN].n = look_fact(&f, "len", 0);
	r.c[C_CAP].n = look_fact(&f, "cap", 0);
	r.c[C_SENDERS].n = look_fact(&f, "senders", 0);
	r.c[C_RECEIVERS].n = look_fact(&f, "receivers", 0);
	r.c[C_CLOSED].n = look_fact(&f, "closed", 0);
	r.c[C_BYTES].n = chan_bytes(a, at, r.c[C_CAP].n, elem ? elem->bytes : 0);
	r.c[C_RETAINED].n = pop_retained(a, r.node);
	r.c[C_ADDR].n = at;
	r.c[C_ELEM].s = elem && elem->name ? elem->name : "";
	r.c[C_TYPE].s = name;
	count(w, &r);
	return pop_offer(w->t, &r);
}

static int ref_compare(const void *x, const void *y)
{
	taddr p = *(const taddr *)x, q = ((const struct pop_ref *)y)->to;

	return (p > q) - (p < q);
}

/* Those that no typed place leads to, by the element type in their header. */
static struct err *offer_others(struct work *w)
{
	const struct snapshot *s = w->a->s;
	struct err *err = NULL;

	for (size_t i = 0; i < s->heap.spans.n && s->type_of && !err; i++) {
		const struct go_span *sp = &s->heap.spans.v[i];

		for (uint64_t id = sp->first; id < sp->first + sp->nelems && !err; id++) {
			const struct snap_type *t =
				&s->types.v[MIN((size_t)s->type_of[id], s->types.n - 1)];
			struct go_type ch = { .kind = GO_CHAN, .elem = t->rtype, .bytes = 8 };
			taddr at;

			if (t->kind != SNAP_TYPE_CHAN || !t->rtype || !pop_object_reached(w->a, id))
				continue;
			at = go_heap_address(&s->heap, id, NULL) + go_span_header(sp);
			if (w->refs.v.n && bsearch(&at, w->refs.v.v, w->refs.v.n,
						   sizeof(w->refs.v.v[0]), ref_compare))
				continue;
			err = offer(w, at, &ch, t->name ? t->name : "", GO_NO_OBJECT);
		}
	}
	return err;
}

static struct err *totals(struct ans_pop *p, const uint64_t *sum)
{
	static const char *const key[] = { "chans",	"queued", "senders",
					   "receivers", "full",	  "unreadable" };
	static const char *const title[] = { "channels",	   "values queued",
					     "waiting senders",	   "waiting receivers",
					     "with a full buffer", "unreadable" };
	struct err *err = NULL;

	for (size_t i = 0; i < ARRAY_LEN(key) && !err; i++)
		err = pop_total(p, key[i], title[i], POP_COUNT, sum[i]);
	return err;
}

static struct err *fill(struct work *w, struct ans_pop *p)
{
	struct err *err = pop_refs_of_pointers(w->a, GO_CHAN, &w->refs);

	if (!err)
		err = index_waits(w);
	for (size_t i = 0; i < w->refs.v.n && !err; i++) {
		const struct pop_ref *r = &w->refs.v.v[i];

		err = offer(w, r->to, r->type, r->type->name, r->object);
	}
	if (!err && w->a->s->types.n)
		err = offer_others(w);
	if (!err)
		err = totals(p, w->sum);
	return err ? err : pop_settle(w->a, w->t, finish, w);
}

static struct err *make(struct agg *a, const struct pop_ask *ask, struct ans_pop *p)
{
	struct work w = { .a = a };
	struct err *err = go_io_init_sparse(&w.io, a->s->go);

	if (err)
		return err;
	w.t = pop_table_add(p, "rows", "channels", cols, ask->sort ? ask->sort : "len", ask->limit);
	err = fill(&w, p);
	pop_refs_deinit(&w.refs);
	vec_free(&w.waits);
	go_io_deinit(&w.io);
	return err;
}

const struct pop_family pop_chans = {
	.name = "chans",
	.cols = cols,
	.sort = "len",
	.needs = POP_NEEDS_RUNTIME,
	.make = make,
};
