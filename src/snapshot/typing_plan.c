/*
 * typing_plan.c - which words of a type lead to what, worked out once a type.
 *
 * By rtypes alone, and by a table of the library's unsafe pointers whose target is known.
 * Knows nothing of objects.  Everything is bounded: depth, words of a plan, plans.
 */
#include "goruntime/coderefs.h"
#include "snapshot/typing.h"
#include "snapshot/vars.h"

#include <stdio.h>

#define MAX_DEPTH  48
#define MAX_LEAVES 4096
#define MAX_STEPS  20000
#define UNROLL	   16 /* arrays up to that many elements are written out */

struct typing_plans {
	struct typing_plans_head head; /* first: typing_infos() */
	struct snapshot *s;
	pthread_mutex_t lock;
	struct slot {
		taddr rtype;
		struct typing_plan *plan; /* NULL: nothing follows */
	} * tab;
	size_t n, cap;
	struct typing_reals *reals;
	taddr pool_local, time_timer, labels, hchan, weak_handle;
	uint16_t timer_off;	       /* of the timer in runtime.timeTimer */
	struct typing_leaf chan_timer; /* at 0: a channel has none */
};

#define MAX_NUMBERS (1U << 20) /* names.c: MAX_TYPES */

struct building {
	struct typing_plans *ps;
	VEC(struct typing_leaf) leaves;
	unsigned steps; /* a type that lies may hold itself many times over */
	bool bad;
};

static taddr named(struct snapshot *s, const char *full)
{
	return go_type_named(s->rtypes, full);
}

static uint32_t number_of(struct snapshot *s, uint8_t form, taddr at, unsigned rank);

/* runtime/chan.go, hchan.timer (1.23+): the one inside of a timeTimer (time.go: newTimer). */
static void make_chan_timer(struct typing_plans *ps)
{
	static const uint8_t ranks[2] = { SNAP_RANK_FLOW, SNAP_RANK_WEAK };
	struct snapshot *s = ps->s;
	const struct go_type *t = go_type_at(s->rtypes, ps->hchan);
	struct typing_leaf l = { .op = OP_POINTER, .form = FORM_ONE, .alt_back = ps->timer_off };
	uint64_t off;

	if (!t || !ps->time_timer || !go_type_path(s->rtypes, t, "timer", &off, &t) ||
	    t->kind != GO_POINTER)
		return;
	l.off = (uint32_t)off;
	l.at = t->elem;
	l.alt_at = ps->time_timer;
	for (int i = 0; i < 2; i++) {
		l.number[i] = number_of(s, FORM_ONE, l.at, ranks[i]);
		l.alt[i] = number_of(s, FORM_ONE, l.alt_at, ranks[i]);
	}
	if (l.number[0])
		ps->chan_timer = l;
}

struct err *typing_plans_create(struct snapshot *s, struct typing_plans **ret)
{
	struct typing_plans *ps = zalloc(1, sizeof(*ps));

	if (!ps)
		return &err_nomem;
	ps->s = s;
	ps->cap = 1024;
	ps->tab = zalloc(ps->cap, sizeof(*ps->tab));
	ps->head.info = bigalloc(MAX_NUMBERS, sizeof(*ps->head.info));
	ps->reals = typing_reals_create(s);
	pthread_mutex_init(&ps->lock, NULL);
	if (!ps->tab || !ps->head.info || !ps->reals) {
		typing_plans_free(ps);
		return &err_nomem;
	}
	ps->pool_local = named(s, "sync.poolLocal");
	ps->time_timer = named(s, "runtime.timeTimer");
	ps->labels = named(s, "runtime/pprof.labelMap");
	ps->hchan = named(s, "runtime.hchan");
	if (go_has(s->go->L->timeTimer_timer))
		ps->timer_off = (uint16_t)s->go->L->timeTimer_timer.off;
	ps->weak_handle = named(s, "runtime.weakHandleBox");
	if (!ps->weak_handle)
		ps->weak_handle = named(s, "internal/runtime/atomic.Uintptr");
	make_chan_timer(ps);
	*ret = ps;
	return NULL;
}

const struct typing_leaf *typing_chan_timer(const struct typing_plans *ps)
{
	return ps->chan_timer.at ? &ps->chan_timer : NULL;
}

void typing_plans_free(struct typing_plans *ps)
{
	if (!ps)
		return;
	for (size_t i = 0; ps->tab && i < ps->cap; i++)
		free(ps->tab[i].plan);
	free(ps->tab);
	typing_reals_free(ps->reals);
	bigfree(ps->head.info, MAX_NUMBERS, sizeof(*ps->head.info));
	pthread_mutex_destroy(&ps->lock);
	free(ps);
}

static uint32_t number_of(struct snapshot *s, uint8_t form, taddr at, unsigned rank)
{
	if (form == FORM_ONE)
		return snap_number_pointee(s, at, rank);
	if (form == FORM_ROW)
		return snap_number_row(s, at, rank);
	return snap_number(s, form, at, rank);
}

uint32_t typing_leaf_number(struct snapshot *s, const struct typing_leaf *l, unsigned rank)
{
	return l->number[rank <= SNAP_RANK_WEAK] ? l->number[rank <= SNAP_RANK_WEAK]
						 : number_of(s, l->form, l->at, rank);
}

/* One word; left out if it leads to nothing that can be named. */
static void leaf(struct building *b, uint64_t off, enum typing_op op, enum typing_form form,
		 taddr at, taddr alt)
{
	struct snapshot *s = b->ps->s;
	struct typing_leaf l = { .off = (uint32_t)off,
				 .op = (uint8_t)op,
				 .form = (uint8_t)form,
				 .at = at ? typing_real(b->ps->reals, at) : 0,
				 .alt_at = alt,
				 .count_off = 16 };
	static const uint8_t ranks[2] = { SNAP_RANK_FLOW, SNAP_RANK_WEAK };

	for (int i = 0; i < 2; i++) {
		l.number[i] = form == FORM_NONE || form == FORM_CLOSURE
				      ? 0
				      : number_of(s, l.form, l.at, ranks[i]);
		l.alt[i] = alt ? number_of(s, l.form, alt, ranks[i]) : 0;
	}
	if (form != FORM_NONE && form != FORM_CLOSURE && !l.number[0])
		return;
	if (b->leaves.n >= MAX_LEAVES || !vec_push(&b->leaves, l))
		b->bad = true;
}

static void flatten(struct building *b, const struct go_type *t, uint64_t off, unsigned depth);

/* "pkg.Name[" of a generic type, or the whole of another. */
static bool is_named(const char *full, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(full, name, n) && (!full[n] || full[n] == '[');
}

/* What the compiler lays a func value's variables out in: struct { F uintptr; X0 … }. */
static bool is_closure_struct(struct snapshot *s, const struct go_type *t)
{
	const struct go_type *f;

	if (t->kind != GO_STRUCT || t->named || !t->nfields || !go_is_code_field(t->fields[0].name))
		return false;
	f = go_type_at(s->rtypes, t->fields[0].type);
	return f && f->kind == GO_UINTPTR;
}

/* "pkg.node[K,V]" -> the type "pkg.entry[K,V]". */
static taddr sibling(struct snapshot *s, const char *full, const char *name)
{
	const char *args = full + strcspn(full, "[");
	const char *dot = memrchr(full, '.', (size_t)(args - full));
	char other[1024];

	if (!dot)
		return 0;
	snprintf(other, sizeof(other), "%.*s.%s%s", (int)(dot - full), full, name, args);
	return named(s, other);
}

/*
 * Pointers whose own type says less than is known:
 *   time.Timer, Ticker  from 1.23 on made as runtime.timeTimer (time/sleep.go: newTimer)
 *   runtime.timer       mostly the one inside of a timeTimer
 *   runtime.hchan       a channel, of a type that its header tells
 *   HashTrieMap's node  the first field of entry or indirect (hashtriemap.go: node.entry)
 */
static void flatten_pointer(struct building *b, const struct go_type *t, uint64_t off)
{
	struct snapshot *s = b->ps->s;
	const struct go_type *e = go_type_at(s->rtypes, t->elem);
	const char *full;

	if (!e)
		return;
	if (is_closure_struct(s, e)) {
		leaf(b, off, OP_FUNC, FORM_CLOSURE, 0, 0);
		return;
	}
	full = e->named ? go_type_full(s->rtypes, e) : "";
	if (b->ps->time_timer && (!strcmp(full, "time.Timer") || !strcmp(full, "time.Ticker"))) {
		leaf(b, off, OP_POINTER, FORM_ONE, b->ps->time_timer, e->addr);
		return;
	}
	if (b->ps->time_timer && !strcmp(full, "runtime.timer")) {
		leaf(b, off, OP_POINTER, FORM_ONE, e->addr, b->ps->time_timer);
		if (b->leaves.n)
			b->leaves.v[b->leaves.n - 1].alt_back = b->ps->timer_off;
		return;
	}
	if (!strcmp(full, "runtime.hchan")) {
		leaf(b, off, OP_HCHAN, FORM_NONE, 0, 0);
		return;
	}
	if (is_named(full, "internal/sync.node") || is_named(full, "internal/concurrent.node") ||
	    is_named(full, "unique.node")) {
		taddr entry = sibling(s, full, "entry"), indirect = sibling(s, full, "indirect");

		if (entry || indirect)
			leaf(b, off, OP_POINTER, FORM_ONE, entry ? entry : indirect,
			     entry ? indirect : 0);
		return;
	}
	leaf(b, off, OP_POINTER, FORM_ONE, t->elem, 0);
}

/* Offset of a field; false: there is none. */
static bool field(struct snapshot *s, const struct go_type *t, const char *path, uint64_t *ret)
{
	const struct go_type *f;

	return go_type_path(s->rtypes, t, path, ret, &f);
}

/* A pointer and the count of its row in another field. */
static void row(struct building *b, const struct go_type *t, uint64_t off, const char *pointer,
		const char *count, taddr elem)
{
	uint64_t at, n;

	if (!elem || !field(b->ps->s, t, pointer, &at) || !field(b->ps->s, t, count, &n) || n < at)
		return;
	leaf(b, off + at, OP_SLICE, FORM_ROW, elem, 0);
	if (b->leaves.n)
		b->leaves.v[b->leaves.n - 1].count_off = (uint16_t)(n - at);
}

/*
 * Structs with unsafe pointers whose target is known.  False: an ordinary struct.
 *   sync/atomic.Pointer[T]  { _ [0]*T; _ noCopy; v unsafe.Pointer }  (sync/atomic/type.go)
 *   sync.Pool               local, victim: [localSize]poolLocal       (sync/pool.go)
 *   sync.eface              an interface's two words                   (sync/poolqueue.go)
 *   reflect.Value           typ_, ptr, flag                            (reflect/value.go)
 *   weak.Pointer[T]         u: the object's handle                     (runtime/mheap.go)
 */
static bool flatten_special(struct building *b, const struct go_type *t, uint64_t off)
{
	struct snapshot *s = b->ps->s;
	const char *full = t->named ? go_type_full(s->rtypes, t) : "";
	const struct go_type *first;
	uint64_t at;

	if (is_named(full, "sync/atomic.Pointer") && t->nfields) {
		first = go_type_at(s->rtypes, t->fields[0].type);
		first = first && first->kind == GO_ARRAY ? go_type_at(s->rtypes, first->elem)
							 : NULL;
		if (!first || first->kind != GO_POINTER || !field(s, t, "v", &at))
			return false;
		flatten_pointer(b, first, off + at);
		return true;
	}
	if (!strcmp(full, "sync.Pool")) {
		row(b, t, off, "local", "localSize", b->ps->pool_local);
		row(b, t, off, "victim", "victimSize", b->ps->pool_local);
		return false; /* New is an ordinary field */
	}
	if (is_named(full, "weak.Pointer") && b->ps->weak_handle && field(s, t, "u", &at)) {
		leaf(b, off + at, OP_POINTER, FORM_ONE, b->ps->weak_handle, 0);
		return true;
	}
	if (!strcmp(full, "sync.eface")) {
		leaf(b, off, OP_IFACE, FORM_NONE, 0, 0);
		return true;
	}
	if (!strcmp(full, "reflect.Value") && t->bytes == 24) {
		leaf(b, off, OP_REFLECT, FORM_NONE, 0, 0);
		return true;
	}
	return false;
}

static void flatten_struct(struct building *b, const struct go_type *t, uint64_t off,
			   unsigned depth)
{
	if (flatten_special(b, t, off))
		return;
	for (size_t i = 0; i < t->nfields; i++) {
		const struct go_type *f = go_type_at(b->ps->s->rtypes, t->fields[i].type);

		if (f && f->bytes <= t->bytes && t->fields[i].offset <= t->bytes - f->bytes)
			flatten(b, f, off + t->fields[i].offset, depth + 1);
	}
}

static void flatten_array(struct building *b, const struct go_type *t, uint64_t off, unsigned depth)
{
	const struct go_type *e = go_type_at(b->ps->s->rtypes, t->elem);
	const struct typing_plan *sub;

	if (!e || !e->bytes || !e->ptr_bytes || !t->len || t->len > t->bytes / e->bytes)
		return;
	if (t->len <= UNROLL) {
		for (uint64_t i = 0; i < t->len; i++)
			flatten(b, e, off + i * e->bytes, depth + 1);
		return;
	}
	sub = e->bytes < t->bytes ? typing_plan_of(b->ps, e->addr) : NULL;
	if (!sub)
		return;
	leaf(b, off, OP_ARRAY, FORM_NONE, 0, 0);
	if (b->bad || !b->leaves.n)
		return;
	b->leaves.v[b->leaves.n - 1].count = t->len;
	b->leaves.v[b->leaves.n - 1].stride = e->bytes;
	b->leaves.v[b->leaves.n - 1].sub = sub;
}

static void flatten(struct building *b, const struct go_type *t, uint64_t off, unsigned depth)
{
	if (!t->ptr_bytes || depth > MAX_DEPTH || b->bad || off > UINT32_MAX)
		return;
	b->bad = ++b->steps > MAX_STEPS;
	switch (t->kind) {
	case GO_POINTER:
		/* go.shape.*uint8 is any pointer (cmd/compile/internal/noder: shapify) */
		if (strncmp(t->name, "go.shape.", 9) != 0)
			flatten_pointer(b, t, off);
		return;
	case GO_STRING:
		leaf(b, off, OP_STRING, FORM_STRING, 0, 0);
		return;
	case GO_SLICE:
		leaf(b, off, OP_SLICE, FORM_ROW, t->elem, 0);
		return;
	case GO_INTERFACE:
		leaf(b, off, OP_IFACE, FORM_NONE, 0, 0);
		return;
	case GO_MAP:
		leaf(b, off, OP_POINTER, FORM_MAP, t->addr, 0);
		return;
	case GO_CHAN:
		leaf(b, off, OP_POINTER, FORM_CHAN, t->elem, 0);
		return;
	case GO_FUNC:
		leaf(b, off, OP_FUNC, FORM_CLOSURE, 0, 0);
		return;
	case GO_STRUCT:
		flatten_struct(b, t, off, depth);
		return;
	case GO_ARRAY:
		flatten_array(b, t, off, depth);
		return;
	default:
		return;
	}
}

/*
 * map_old: the last word of a bucket is the next one, an unsafe.Pointer or uintptr
 * (cmd/compile/internal/reflectdata: MapBucketType), and named "overflow".
 */
static void bucket_tail(struct building *b, const struct go_type *t)
{
	const struct go_type_field *f = t->nfields ? &t->fields[t->nfields - 1] : NULL;
	const struct go_type *ft;

	if (!f || t->named || t->kind != GO_STRUCT || strcmp(f->name, "overflow") ||
	    strcmp(t->fields[0].name, "topbits"))
		return;
	ft = go_type_at(b->ps->s->rtypes, f->type);
	if (ft && ft->kind == GO_UNSAFE_POINTER && f->offset + 8 <= t->bytes)
		leaf(b, f->offset, OP_POINTER, FORM_ONE, t->addr, 0);
}

static struct slot *slot_of(const struct typing_plans *ps, taddr rtype)
{
	size_t i = (size_t)((rtype >> 3) * 0x9e3779b97f4a7c15ULL >> 20) & (ps->cap - 1);

	while (ps->tab[i].rtype && ps->tab[i].rtype != rtype)
		i = (i + 1) & (ps->cap - 1);
	return &ps->tab[i];
}

static bool grow(struct typing_plans *ps)
{
	struct slot *old = ps->tab;
	size_t old_cap = ps->cap;
	struct slot *tab = zalloc(old_cap * 2, sizeof(*tab));

	if (!tab)
		return false;
	ps->tab = tab;
	ps->cap = old_cap * 2;
	for (size_t i = 0; i < old_cap; i++)
		if (old[i].rtype)
			*slot_of(ps, old[i].rtype) = old[i];
	free(old);
	return true;
}

/* Keep it unless there is one by that key; what is kept. */
static const struct typing_plan *keep(struct typing_plans *ps, taddr key, struct typing_plan *fresh)
{
	const struct typing_plan *ret;
	struct slot *e;

	pthread_mutex_lock(&ps->lock);
	e = slot_of(ps, key);
	if (!e->rtype && (ps->n * 2 < ps->cap || grow(ps))) {
		e = slot_of(ps, key);
		*e = (struct slot){ key, fresh };
		ps->n++;
		fresh = NULL;
	}
	ret = e->rtype == key ? e->plan : NULL;
	pthread_mutex_unlock(&ps->lock);
	free(fresh);
	return ret;
}

static struct typing_plan *finish(struct building *b, taddr rtype, uint64_t bytes)
{
	struct typing_plan *p = NULL;

	if (b->leaves.n && !b->bad)
		p = zalloc(1, sizeof(*p) + b->leaves.n * sizeof(p->leaf[0]));
	if (p) {
		p->rtype = rtype;
		p->bytes = bytes;
		p->n = b->leaves.n;
		memcpy(p->leaf, b->leaves.v, b->leaves.n * sizeof(p->leaf[0]));
		typing_arrows_plan(p);
	}
	vec_free(&b->leaves);
	return p;
}

static struct typing_plan *build(struct typing_plans *ps, const struct go_type *t)
{
	struct building b = { .ps = ps };

	flatten(&b, t, 0, 0);
	bucket_tail(&b, t);
	return finish(&b, t->addr, t->bytes);
}

const struct typing_plan *typing_plan_of(struct typing_plans *ps, taddr rtype)
{
	const struct go_type *t;
	const struct typing_plan *ret = NULL;
	struct slot *e;
	bool found;

	pthread_mutex_lock(&ps->lock);
	e = slot_of(ps, rtype);
	found = e->rtype;
	ret = e->plan;
	pthread_mutex_unlock(&ps->lock);
	if (found)
		return ret;
	t = go_type_at(ps->s->rtypes, rtype);
	return t ? keep(ps, rtype, build(ps, t)) : NULL;
}

static const struct typing_plan *plan_receiver(struct typing_plans *ps, taddr entry, taddr type,
					       bool pointer)
{
	const struct go_type *t = go_type_at(ps->s->rtypes, type);
	struct building b = { .ps = ps };

	if (pointer)
		leaf(&b, 8, OP_POINTER, FORM_ONE, type, 0);
	else if (t)
		flatten(&b, t, 8, 0);
	/* a function's entry is no type's address */
	return keep(ps, entry, finish(&b, entry, 8 + (pointer || !t ? 8 : t->bytes)));
}

static uint64_t mask_of(struct snapshot *s, const struct go_type *t, uint64_t off, unsigned depth,
			unsigned *steps)
{
	uint64_t m = 0, w = off / 8;
	const struct go_type *e;

	if (!t || !t->ptr_bytes || depth > MAX_DEPTH || off >= 512 || ++*steps > MAX_STEPS)
		return 0;
	switch (t->kind) {
	case GO_STRUCT:
		for (size_t i = 0; i < t->nfields; i++)
			m |= mask_of(s, go_type_at(s->rtypes, t->fields[i].type),
				     off + t->fields[i].offset, depth + 1, steps);
		return m;
	case GO_ARRAY:
		e = go_type_at(s->rtypes, t->elem);
		for (uint64_t i = 0; e && e->bytes && i < t->len && off + i * e->bytes < 512; i++)
			m |= mask_of(s, e, off + i * e->bytes, depth + 1, steps);
		return m;
	case GO_INTERFACE: /* cmd/compile: types.PtrDataSize; the type word is no pointer */
		return w + 1 < 64 ? 1ULL << (w + 1) : 0;
	default:
		return 1ULL << w;
	}
}

uint64_t typing_mask(struct snapshot *s, taddr rtype)
{
	unsigned steps = 0;

	return mask_of(s, go_type_at(s->rtypes, rtype), 0, 0, &steps);
}

static uint64_t bit_of(struct go_field f)
{
	return f.off < 0 || f.off >= 512 ? 0 : 1ULL << (f.off / 8);
}

static void fill_map(struct typing_plans *ps, const struct go_type *map, struct typing_info *i)
{
	const struct go_layout *L = ps->s->go->L;
	bool swiss = map->map_flags & GO_MAP_SWISS;

	switch (i->form) {
	case FORM_MAP:
		i->bytes = swiss ? L->swissmap_bytes : L->hmap_bytes;
		i->mask = swiss ? bit_of(L->swissmap_dirPtr)
				: bit_of(L->hmap_buckets) | bit_of(L->hmap_oldbuckets) |
					  bit_of(L->hmap_extra);
		break;
	case FORM_TABLE:
		i->bytes = L->swisstable_bytes;
		i->mask = bit_of(L->swisstable_groups_data);
		break;
	case FORM_EXTRA:
		i->bytes = L->mapextra_bytes;
		i->mask = bit_of(L->mapextra_overflow) | bit_of(L->mapextra_oldoverflow) |
			  bit_of(L->mapextra_nextOverflow);
		break;
	case FORM_LIST_HEADER:
		i->bytes = 24;
		i->mask = 1;
		break;
	default: /* directory, list */
		i->bytes = 8;
		i->mask = 1;
		break;
	}
	i->expands = true;
	i->slot = snap_slot_bytes(L, i->bytes, false);
}

/* chan.go: makechan. */
static void fill_chan(struct typing_plans *ps, const struct go_type *elem, struct typing_info *i)
{
	const struct go_layout *L = ps->s->go->L;

	i->noscan = !elem->ptr_bytes;
	i->bytes = L->hchan_bytes;
	i->slot = snap_slot_bytes(L, i->bytes, i->noscan);
	i->at_least = i->noscan;
	i->mask = ps->hchan ? typing_mask(ps->s, ps->hchan) : 0;
	i->masked = ps->hchan != 0;
	i->expands = !i->noscan;
}

static void fill_value(struct typing_plans *ps, const struct go_type *t, struct typing_info *i)
{
	i->bytes = t->bytes;
	i->noscan = !t->ptr_bytes;
	i->slot = snap_slot_bytes(ps->s->go->L, t->bytes, i->noscan);
	if (i->noscan)
		return;
	i->mask = typing_mask(ps->s, t->addr);
	i->plan = typing_plan_of(ps, t->addr);
	i->expands = i->plan != NULL;
	i->arrows = i->plan && i->plan->plain && !(i->plan->words & ~i->mask);
}

/* "net.(*Dialer).DialContext-fm" -> *net.Dialer, "main.T.Method-fm" -> main.T: 0: no such name. */
static taddr receiver_of(struct snapshot *s, const char *function, bool *ret_pointer)
{
	size_t n = strlen(function);
	char name[512];
	const char *open, *dot;

	if (n < 4 || n >= sizeof(name) || strcmp(function + n - 3, "-fm"))
		return 0;
	open = strstr(function, ".(*");
	*ret_pointer = open;
	if (open) {
		const char *close = strstr(open, ").");

		if (!close)
			return 0;
		snprintf(name, sizeof(name), "%.*s.%.*s", (int)(open - function), function,
			 (int)(close - open - 3), open + 3);
		return named(s, name);
	}
	dot = memrchr(function, '.', n);
	snprintf(name, sizeof(name), "%.*s", (int)(dot ? dot - function : 0), function);
	return named(s, name);
}

/* The words that the fields of a struct lie in: DWARF leaves variables out of which no word is
 * used. */
static uint64_t covered(struct snapshot *s, taddr type)
{
	const struct go_type *t = go_type_at(s->rtypes, type);
	uint64_t m = 0;

	for (size_t i = 0; t && t->kind == GO_STRUCT && i < t->nfields; i++) {
		const struct go_type *f = go_type_at(s->rtypes, t->fields[i].type);
		uint64_t lo = t->fields[i].offset / 8;
		uint64_t hi = f ? (t->fields[i].offset + f->bytes + 7) / 8 : lo;

		for (; lo < hi && lo < 64; lo++)
			m |= 1ULL << lo;
	}
	return m;
}

/*
 * A closure's variables lie behind its code pointer: in a struct that the compiler made, or, of a
 * method value, the receiver alone (cmd/compile/internal/walk: methodValueWrapper, closureType).
 */
static void fill_closure(struct typing_plans *ps, taddr entry, struct typing_info *i)
{
	struct snapshot *s = ps->s;
	taddr type = snap_closure_type(s, entry);
	bool pointer = false;
	struct go_func f;

	i->cover = type ? covered(s, type) : UINT64_MAX;
	if (!type && s->code)
		type = go_code_closure_type(s->code, entry);
	if (type) {
		i->mask = typing_mask(s, type);
		i->plan = typing_plan_of(ps, type);
	} else if (go_func_at(s->go, entry, &f)) {
		type = receiver_of(s, f.name, &pointer);
		if (type)
			i->plan = plan_receiver(ps, entry, type, pointer);
		i->mask = type ? (pointer ? 2 : typing_mask(s, type) << 1) : 0;
	}
	i->masked = i->plan != NULL;
	i->expands = i->plan != NULL;
}

static void fill(struct typing_plans *ps, uint32_t number, struct typing_info *i)
{
	const struct snap_type *st = &ps->s->types.v[number];
	const struct go_type *t = go_type_at(ps->s->rtypes, st->rtype);

	i->form = st->form;
	/* A type that is only a shape by name says what follows, as weakly as can be. */
	i->rank = MAX(st->rank, SNAP_RANK_WEAK);
	i->rtype = st->rtype;
	i->masked = true;
	switch (st->form) {
	case FORM_ONE:
	case FORM_ROW:
	case FORM_QUEUE:
		if (t)
			fill_value(ps, t, i);
		return;
	case FORM_GROUPS:
		t = go_type_at(ps->s->rtypes, st->elem);
		i->rtype = st->elem;
		if (t)
			fill_value(ps, t, i);
		return;
	case FORM_CHAN:
		if (t)
			fill_chan(ps, t, i);
		return;
	case FORM_STRING:
	case FORM_TINY:
		i->noscan = true;
		i->bytes = 1;
		return;
	case FORM_CLOSURE:
		fill_closure(ps, st->entry, i);
		return;
	case FORM_NONE:
	case FORM_RUNTIME:
	case FORM_LABEL:
	case FORM_SHAPE:
		return;
	default:
		if (t)
			fill_map(ps, t, i);
		return;
	}
}

const struct typing_info *typing_info_slow(struct typing_plans *ps, uint32_t number)
{
	struct typing_info *i = &ps->head.info[number];
	struct typing_info fresh = { 0 };

	fill(ps, number, &fresh);
	pthread_mutex_lock(&ps->lock);
	if (!i->ready) {
		*i = fresh;
		__atomic_store_n(&i->ready, 1, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&ps->lock);
	return i;
}
