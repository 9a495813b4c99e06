/*
 * typing_expand.c - from bytes of known type to claims about what they point to.
 *
 * Values by their plans; maps, channels and closures by what the runtime keeps behind unsafe
 * pointers.  Source: runtime/map.go, internal/runtime/maps (Map.directoryAt, groupsReference),
 * runtime/chan.go, reflect/value.go.  Every count is bounded by the object it is about.
 */
#include "snapshot/typing.h"

#define REFLECT_INDIR 128 /* reflect/value.go: flagIndir */
#define MAX_COUNT     (1ULL << 40)

static uint64_t word(const uint8_t *mem, uint64_t off)
{
	return load_u64(mem + off);
}

/* What an interface's word stands for, remembered. */
static const struct typing_word *word_at(struct typing_worker *w, taddr x)
{
	struct typing_word *c = &w->words[(x >> 5) % TYPING_NCHUNK_CACHE];
	struct snapshot *s = w->t->s;

	if (c->word == x)
		return c;
	*c = (struct typing_word){ .word = x };
	c->form = (uint8_t)snap_word_form(s, x, &c->at);
	for (unsigned i = 0; i < 2; i++) {
		unsigned rank = i ? SNAP_RANK_WEAK : SNAP_RANK_FLOW;

		if (c->form == FORM_ONE)
			c->number[i] = snap_number_pointee(s, c->at, rank);
		else if (c->form != FORM_NONE && c->form != FORM_CLOSURE)
			c->number[i] = snap_number(s, c->form, c->at, rank);
	}
	return c;
}

static void of_iface(struct typing_worker *w, taddr type, taddr data)
{
	const struct typing_word *c;

	if (!data || !type || (type & 7) || data < 4096)
		return;
	c = word_at(w, type);
	if (c->form == FORM_CLOSURE)
		typing_claim(w, (struct typing_claim){ .value = data });
	else if (c->number[w->rank <= SNAP_RANK_WEAK])
		typing_claim(
			w, (struct typing_claim){ .value = data,
						  .number = c->number[w->rank <= SNAP_RANK_WEAK] });
}

void typing_expand_iface(struct typing_worker *w, taddr type, taddr data)
{
	of_iface(w, type, data);
}

/* reflect.Value: ptr is the value itself, or (flagIndir) leads to it. */
static void of_reflect(struct typing_worker *w, const uint8_t *mem)
{
	taddr type = word(mem, 0), ptr = word(mem, 8);
	const struct go_type *t;
	uint32_t number;

	if (!ptr)
		return;
	t = go_type_at(w->t->s->rtypes, type);
	if (!t)
		return;
	if (!(word(mem, 16) & REFLECT_INDIR)) {
		if (t->direct_iface)
			of_iface(w, type, ptr);
		return;
	}
	number = snap_number_pointee(w->t->s, type, w->rank);
	if (number)
		typing_claim(w, (struct typing_claim){ .value = ptr, .number = number });
}

/* runtime2.go, sudog.c and the like. */
static void of_hchan(struct typing_worker *w, taddr chan)
{
	struct snapshot *s = w->t->s;
	struct go_field f = s->go->L->hchan_elemtype;
	taddr elem;
	uint32_t number;
	struct err *err;

	if (!go_has(f) || !trange_has(s->heap.bounds, chan))
		return;
	err = target_read(s->t, chan + (uint64_t)f.off, &elem, sizeof(elem));
	number = err ? 0 : snap_number(s, FORM_CHAN, elem, w->rank);
	err_free(err);
	if (number)
		typing_claim(w, (struct typing_claim){ .value = chan, .number = number });
}

static void of_leaf(struct typing_worker *w, const struct typing_leaf *l, const uint8_t *mem)
{
	unsigned r = w->rank <= SNAP_RANK_WEAK;
	const uint8_t *at = mem + l->off;
	uint64_t x = word(at, 0);

	switch (l->op) {
	case OP_POINTER:
		if (x)
			typing_claim(w, (struct typing_claim){ .value = x,
							       .number = l->number[r],
							       .alt = l->alt[r],
							       .alt_back = l->alt_back });
		return;
	case OP_SLICE:
		if (x)
			typing_claim(w, (struct typing_claim){ .value = x,
							       .number = l->number[r],
							       .count = word(at, l->count_off) });
		return;
	case OP_STRING:
		if (x)
			typing_claim(w, (struct typing_claim){ .value = x,
							       .number = l->number[r],
							       .count = word(at, 8) });
		return;
	case OP_IFACE:
		of_iface(w, x, word(at, 8));
		return;
	case OP_FUNC:
		if (x)
			typing_claim(w, (struct typing_claim){ .value = x });
		return;
	case OP_HCHAN:
		if (x)
			of_hchan(w, x);
		return;
	case OP_REFLECT:
		of_reflect(w, at);
		return;
	case OP_ARRAY:
		for (uint64_t i = 0; i < l->count; i++)
			typing_expand_plan(w, l->sub, at + i * l->stride);
		return;
	default:
		return;
	}
}

void typing_expand_plan(struct typing_worker *w, const struct typing_plan *p, const uint8_t *mem)
{
	for (size_t i = 0; i < p->n; i++)
		of_leaf(w, &p->leaf[i], mem);
}

static uint32_t part(struct typing_worker *w, enum typing_form form, taddr map)
{
	return snap_number(w->t->s, form, map, w->rank);
}

static void claim_part(struct typing_worker *w, enum typing_form form, taddr map, taddr at,
		       uint64_t count)
{
	uint32_t number = at ? part(w, form, map) : 0;

	if (number)
		typing_claim(
			w, (struct typing_claim){ .value = at, .number = number, .count = count });
}

static void of_swiss(struct typing_worker *w, taddr map, const uint8_t *mem)
{
	const struct go_layout *L = w->t->s->go->L;
	taddr dir = go_get(mem, L->swissmap_dirPtr);
	uint64_t n = go_get(mem, L->swissmap_dirLen);

	if (n > MAX_COUNT)
		return;
	claim_part(w, n ? FORM_DIRECTORY : FORM_GROUPS, map, dir, n ? n : 1);
}

static void of_hmap(struct typing_worker *w, taddr map, const uint8_t *mem)
{
	const struct go_layout *L = w->t->s->go->L;
	uint64_t b = go_get(mem, L->hmap_B);

	if (b > 40)
		return;
	claim_part(w, FORM_GROUPS, map, go_get(mem, L->hmap_buckets), 1ULL << b);
	claim_part(w, FORM_GROUPS, map, go_get(mem, L->hmap_oldbuckets), 1);
	claim_part(w, FORM_EXTRA, map, go_get(mem, L->hmap_extra), 0);
}

static void of_map(struct typing_worker *w, taddr map, const uint8_t *mem)
{
	const struct go_type *t = go_type_at(w->t->s->rtypes, map);

	if (!t || t->kind != GO_MAP)
		return;
	if (t->map_flags & GO_MAP_SWISS)
		of_swiss(w, map, mem);
	else
		of_hmap(w, map, mem);
}

static void of_table(struct typing_worker *w, taddr map, const uint8_t *mem)
{
	const struct go_layout *L = w->t->s->go->L;
	uint64_t mask = go_get(mem, L->swisstable_lengthMask);

	if (mask < MAX_COUNT)
		claim_part(w, FORM_GROUPS, map, go_get(mem, L->swisstable_groups_data), mask + 1);
}

static void of_extra(struct typing_worker *w, taddr map, const uint8_t *mem)
{
	const struct go_layout *L = w->t->s->go->L;

	claim_part(w, FORM_LIST_HEADER, map, go_get(mem, L->mapextra_overflow), 0);
	claim_part(w, FORM_LIST_HEADER, map, go_get(mem, L->mapextra_oldoverflow), 0);
	claim_part(w, FORM_GROUPS, map, go_get(mem, L->mapextra_nextOverflow), 1);
}

/* Each word leads to a part. */
static void of_pointers(struct typing_worker *w, enum typing_form form, taddr map,
			const uint8_t *mem, uint64_t n)
{
	uint32_t number = part(w, form, map);

	for (uint64_t i = 0; number && i + 8 <= n; i += 8)
		if (word(mem, i))
			typing_claim(w, (struct typing_claim){ .value = word(mem, i),
							       .number = number,
							       .count = 1 });
}

static void of_chan(struct typing_worker *w, taddr elem, const uint8_t *mem)
{
	const struct go_layout *L = w->t->s->go->L;
	taddr buf = go_get(mem, L->hchan_buf);
	uint64_t n = go_get(mem, L->hchan_dataqsiz);
	const struct typing_leaf *timer = typing_chan_timer(w->t->plans);

	if (n && n < MAX_COUNT)
		claim_part(w, FORM_QUEUE, elem, buf, n);
	if (timer && timer->off + 8 <= L->hchan_bytes)
		of_leaf(w, timer, mem);
}

static void of_values(struct typing_worker *w, const struct typing_info *i, const uint8_t *mem,
		      uint64_t n, uint64_t room)
{
	if (!i->plan || !i->bytes)
		return;
	if (i->form == FORM_ONE)
		n = MIN(n, i->bytes);
	/* n may end at the last pointer of the last element */
	for (uint64_t at = 0; at < n && at + i->bytes <= room; at += i->bytes)
		typing_expand_plan(w, i->plan, mem + at);
}

void typing_expand(struct typing_worker *w, uint32_t number, const uint8_t *mem, uint64_t n,
		   uint64_t room)
{
	const struct typing_info *i = typing_info_of(w->t->plans, number);

	w->rank = MAX(MIN(i->rank, (unsigned)SNAP_RANK_FLOW), (unsigned)SNAP_RANK_WEAK);
	switch (i->form) {
	case FORM_ONE:
	case FORM_ROW:
	case FORM_QUEUE:
	case FORM_GROUPS:
		of_values(w, i, mem, n, room);
		return;
	case FORM_MAP:
		if (room >= i->bytes)
			of_map(w, i->rtype, mem);
		return;
	case FORM_DIRECTORY:
		of_pointers(w, FORM_TABLE, i->rtype, mem, n);
		return;
	case FORM_TABLE:
		if (room >= i->bytes)
			of_table(w, i->rtype, mem);
		return;
	case FORM_EXTRA:
		if (room >= i->bytes)
			of_extra(w, i->rtype, mem);
		return;
	case FORM_LIST_HEADER:
		if (room >= 24)
			claim_part(w, FORM_LIST, i->rtype, word(mem, 0), word(mem, 16));
		return;
	case FORM_LIST:
		of_pointers(w, FORM_GROUPS, i->rtype, mem, n);
		return;
	case FORM_CHAN:
		if (room >= i->bytes)
			of_chan(w, i->rtype, mem);
		return;
	case FORM_CLOSURE:
		if (i->plan && room >= i->plan->bytes)
			typing_expand_plan(w, i->plan, mem);
		return;
	default:
		return;
	}
}
