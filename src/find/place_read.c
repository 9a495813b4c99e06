/*
 * place_read.c - what a fan is to a programmer: a map, a slice, a list …, and how many it has.
 *
 * The type of the place and of what hangs from it say so; of a map its own count is read, of the
 * others what hangs from them is counted.  What wraps an element (a list's, a sync.Map's entry) is
 * looked through for the type.
 */
#include "find/place.h"

#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>

enum { MANY = 16, WRAPPED = 16 };

static const struct snap_type *type_of(const struct look *l, gnode v)
{
	return &l->s->types.v[fans_type(l, v)];
}

static bool begins(const char *text, const char *word)
{
	return !strncmp(text, word, strlen(word));
}

static bool is_trie(const struct look *l, uint32_t type)
{
	return strstr(place_type_name(l, type), "sync.indirect[") != NULL;
}

static bool is_sync_entry(const struct look *l, uint32_t type)
{
	const char *name = place_type_name(l, type);

	name += *name == '~';
	return begins(name, "sync.entry[") || !strcmp(name, "sync.entry");
}

bool place_is_wrapper(const struct look *l, uint32_t type)
{
	const char *name = place_type_name(l, type);

	name += *name == '~';
	return is_trie(l, type) || is_sync_entry(l, type) || !strcmp(name, "list.Element");
}

/* The type that is meant where there are many of a wrapper. */
static struct err *look_through(const struct look *l, struct place *x)
{
	_cleanup_(freep) gnode *kid = zalloc(PLACE_KIDS, sizeof(*kid));
	gnode v = x->nsamples ? x->sample[0] : x->node;
	struct err *err = NULL;
	size_t n = 0;

	if (!kid)
		return &err_nomem;
	for (unsigned i = 0; i < WRAPPED && place_is_wrapper(l, fans_type(l, v)); i++) {
		gnode best = GRAPH_NONE;

		err = place_kids(l, v, kid, &n);
		for (size_t k = 0; k < n && !err; k++)
			if (best == GRAPH_NONE || l->g->retained[kid[k]] > l->g->retained[best])
				best = kid[k];
		if (err || best == GRAPH_NONE)
			break;
		v = best;
	}
	x->like = place_is_wrapper(l, fans_type(l, v)) ? 0 : fans_type(l, v);
	return err;
}

/* Entries lie at the ends of a trie: counted by their type, all that there are. */
static struct err *count_entries(const struct look *l, struct place *x)
{
	const struct look_type *types;
	struct err *err = look_types(l, &types);

	for (size_t i = 1; i < l->s->types.n && !err; i++)
		if (is_sync_entry(l, (uint32_t)i))
			x->n = MAX(x->n, types[i].objects);
	return err;
}

/* Of a map whose tables are its children: what hangs from some of them. */
static struct err *below_parts(const struct look *l, struct place *x)
{
	_cleanup_(freep) gnode *kid = zalloc(PLACE_KIDS, sizeof(*kid));
	gnode part[FANS_SAMPLES];
	unsigned nparts = x->nsamples;
	struct err *err = NULL;
	size_t n = 0;

	if (!kid)
		return &err_nomem;
	memcpy(part, x->sample, sizeof(part));
	x->nsamples = 0;
	x->like = 0;
	for (unsigned i = 0; i < nparts && !err; i++) {
		err = place_kids(l, part[i], kid, &n);
		for (size_t k = 0; k < n && !err && x->nsamples < FANS_SAMPLES; k += n / 4 + 1) {
			if (type_of(l, kid[k])->kind == SNAP_TYPE_STRING)
				continue;
			x->sample[x->nsamples++] = kid[k];
			x->like = fans_type(l, kid[k]);
		}
	}
	return err;
}

static struct err *take(const struct look *l, const struct fan_kind *k, struct place *x)
{
	x->like = k->type;
	x->n = k->n;
	x->nsamples = k->nsamples;
	memcpy(x->sample, k->sample, sizeof(x->sample));
	return k->nsamples && fans_map_of(l, k->sample[0]) == FANS_MAP_PART ? below_parts(l, x)
									    : NULL;
}

/* The kind of things that weighs most; a map's keys and parts only if there is nothing else. */
static struct err *likest(const struct look *l, const struct fans *fans, const struct fan_place *p,
			  struct place *x)
{
	const struct fan_kind *best = NULL, *plain = NULL;

	for (uint32_t i = p->first; i < p->first + p->n; i++) {
		const struct fan_kind *k = &fans->kinds.v[i];
		uint8_t kind = l->s->types.v[k->type].kind;

		if (!plain)
			plain = k;
		if (fans_map_of(l, k->sample[0]) != FANS_MAP_PART && kind != SNAP_TYPE_STRING &&
		    (!best || k->bytes > best->bytes) && k->bytes >= plain->bytes / 8)
			best = k;
	}
	return plain ? take(l, best ? best : plain, x) : NULL;
}

static struct err *read_map(struct find *f, struct go_io *io, struct place *x)
{
	const struct look *l = &f->l;
	const struct go_type *t = go_type_at(l->s->rtypes, type_of(l, x->node)->rtype);
	struct look_facts facts;
	taddr at = go_heap_address(&l->s->heap, graph_object(l->g, x->node), NULL);
	struct err *err;
	uint64_t n;

	if (!t || t->kind != GO_MAP) { /* by its shape: either kind of map begins with its count */
		err = go_io_read(io, at, &n, sizeof(n));
		if (!err && n && n <= x->bytes) {
			x->n = n;
			x->counted = true;
		}
		err_free(err);
		return NULL;
	}
	err = look_facts_read(l, io, (struct go_place){ at, t }, &facts);
	if (!err && !facts.bad) {
		x->n = look_fact(&facts, "len", x->n);
		x->counted = true;
	}
	return err;
}

static uint8_t form_of_struct(const struct look *l, const struct place *x)
{
	if (is_sync_entry(l, x->like) || is_trie(l, x->like) || is_trie(l, fans_type(l, x->node)))
		return PLACE_SYNC_MAP;
	return place_is_wrapper(l, x->like) ? PLACE_LIST : PLACE_STRUCT;
}

static struct err *read_form(struct find *f, struct go_io *io, const struct fan_place *p,
			     struct place *x)
{
	const struct look *l = &f->l;
	const struct snap_type *t = type_of(l, x->node);
	const struct look_type *types;
	struct err *err = NULL;

	if (fans_map_of(l, x->node) == FANS_MAP_HEADER) {
		x->form = is_sync_entry(l, x->like) ? PLACE_SYNC_MAP : PLACE_MAP;
		return read_map(f, io, x);
	}
	if (graph_is_object(l->g, x->node) && is_trie(l, fans_type(l, x->node)))
		x->form = PLACE_SYNC_MAP;
	else if (x->like && graph_is_object(l->g, x->node) &&
		 (x->like == fans_type(l, x->node) || p->chain >= MANY / 2))
		x->form = PLACE_LINKED;
	else if (t->kind == SNAP_TYPE_RTYPE && t->array)
		x->form = PLACE_SLICE;
	else if (x->n >= MANY)
		x->form = form_of_struct(l, x);
	if (x->form == PLACE_SYNC_MAP)
		return count_entries(l, x);
	if (x->form != PLACE_LINKED)
		return NULL;
	x->like = fans_type(l, x->node);
	err = look_types(l, &types);
	if (!err)
		x->n = types[x->like].objects;
	return err;
}

struct err *place_read(struct find *f, struct go_io *io, const struct fans *fans,
		       const struct fan_place *p, struct place *ret)
{
	struct place x = { .node = p->node, .bytes = p->bytes, .form = UINT8_MAX };
	struct err *err = likest(&f->l, fans, p, &x);

	if (!err && p->chain && !x.like) /* a list: nothing spreads, one hangs from the other */
		x.like = fans_type(&f->l, x.node);
	if (!err)
		err = read_form(f, io, p, &x);
	if (!err && (x.form == PLACE_LIST || x.form == PLACE_SYNC_MAP))
		err = look_through(&f->l, &x);
	*ret = x;
	return err;
}

const char *place_count(struct find *f, uint64_t n)
{
	char raw[24], out[32];
	size_t len, o = 0;

	snprintf(raw, sizeof(raw), "%" PRIu64, n);
	len = strlen(raw);
	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			out[o++] = ',';
		out[o++] = raw[i];
	}
	return keepn(&f->keep, out, o);
}

const char *place_bytes(struct find *f, uint64_t n)
{
	char buf[16];

	return keepf(&f->keep, "%s", str_bytes(buf, n));
}
