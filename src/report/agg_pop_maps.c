/*
 * agg_pop_maps.c - all maps: how full they are, what their empty slots cost.
 *
 * Waste is the memory of slots without an entry; a map that grows by itself has up to 7/8 of
 * them filled and after doubling 7/16.  "sparse" is a map of 64 slots or more with an entry in
 * at most every eighth: emptied by deletion (a map never shrinks), or made far too large.
 */
#include "report/pop_priv.h"

#include "goruntime/map.h"

enum { SPARSE_SLOTS = 64, SPARSE_SHARE = 8 };

static const struct pop_col cols[] = {
	{ "bytes", "bytes", POP_BYTES, POP_SUM },
	{ "waste_bytes", "waste", POP_BYTES, POP_SUM },
	{ "len", "len", POP_COUNT, POP_SUM },
	{ "slots", "slots", POP_COUNT, POP_SUM },
	{ "load", "load", POP_SHARE, 0 },
	{ "retained_bytes", "retained", POP_BYTES, POP_JSON_ONLY },
	{ "tables", "tables", POP_COUNT, POP_JSON_ONLY },
	{ "overflow", "overflow", POP_COUNT, POP_JSON_ONLY },
	{ "growing", "growing", POP_YES, POP_JSON_ONLY },
	{ "swiss", "swiss", POP_YES, POP_JSON_ONLY },
	{ "state", "state", POP_TEXT, 0 },
	{ "addr", "addr", POP_ADDR, 0 },
	{ "owner", "owner", POP_TEXT, POP_JSON_ONLY | POP_FILLED },
	{ "type", "type", POP_TEXT, 0 },
	{ .form = POP_END },
};
enum {
	C_BYTES,
	C_WASTE,
	C_LEN,
	C_SLOTS,
	C_LOAD,
	C_RETAINED,
	C_TABLES,
	C_OVERFLOW,
	C_GROWING,
	C_SWISS,
	C_STATE,
	C_ADDR,
	C_OWNER,
	C_TYPE
};

struct sums {
	uint64_t maps, len, slots, bytes, waste, sparse, growing, bad;
};

static enum go_cont_go_on add_part(void *arg, const struct go_map_part *p)
{
	uint64_t *bytes = arg, n;

	if (!__builtin_mul_overflow(p->count, p->elem_bytes, &n) && n < UINT64_MAX / 4)
		*bytes += n;
	return *bytes < UINT64_MAX / 4 ? CONT_ON : CONT_STOP;
}

static const char *state_of(const struct go_map_facts *f)
{
	if (f->growing)
		return "growing";
	if (f->slots >= SPARSE_SLOTS && f->len <= f->slots / SPARSE_SHARE)
		return "sparse";
	return "";
}

static uint64_t waste_of(const struct go_map_facts *f, const struct go_map_shape *sh)
{
	uint64_t entry = sh->swiss ? sh->key_stride : sh->key_stride + sh->elem_stride, n;

	if (f->len >= f->slots || __builtin_mul_overflow(f->slots - f->len, entry, &n))
		return 0;
	return n;
}

static struct err *read_map(struct agg *a, struct go_io *io, const struct pop_ref *r,
			    struct go_map_facts *f, struct go_map_shape *sh, uint64_t *bytes)
{
	struct err *err = go_map_facts(io, a->s->rtypes, r->type, r->to, f);

	if (!err)
		err = go_map_shape(a->s->go, a->s->rtypes, r->type, sh);
	if (!err)
		err = go_map_parts(io, a->s->rtypes, r->type, r->to, add_part, bytes);
	return err;
}

static void add(struct sums *s, const struct pop_row *r)
{
	s->maps++;
	s->len += r->c[C_LEN].n;
	s->slots += r->c[C_SLOTS].n;
	s->bytes += r->c[C_BYTES].n;
	s->waste += r->c[C_WASTE].n;
	s->sparse += !strcmp(r->c[C_STATE].s, "sparse");
	s->growing += r->c[C_GROWING].n;
}

static struct err *offer(struct agg *a, struct go_io *io, const struct pop_ref *ref,
			 struct pop_table *t, struct sums *sums)
{
	struct pop_row r = { .node = pop_node_at(a, ref->to) };
	struct go_map_facts f = { 0 };
	struct go_map_shape sh = { 0 };
	uint64_t bytes = 0;
	struct err *err = read_map(a, io, ref, &f, &sh, &bytes);

	if (err && (err->code == ERR_NOMEM || err->code == ERR_GONE))
		return err;
	if (err) { /* no map at this instant: being made, or a lie */
		sums->bad++;
		err_free(err);
		return NULL;
	}
	if (r.node == GRAPH_NONE && ref->object != GO_NO_OBJECT)
		r.node = graph_node_of_object(a->g, ref->object);
	r.c[C_BYTES].n = bytes;
	r.c[C_WASTE].n = waste_of(&f, &sh);
	r.c[C_LEN].n = f.len;
	r.c[C_SLOTS].n = f.slots;
	r.c[C_LOAD].n = f.slots ? f.len * 1000 / f.slots : POP_NONE;
	r.c[C_RETAINED].n = pop_retained(a, r.node);
	r.c[C_TABLES].n = f.swiss ? f.tables : POP_NONE;
	r.c[C_OVERFLOW].n = f.swiss ? POP_NONE : f.overflow;
	r.c[C_GROWING].n = f.growing;
	r.c[C_SWISS].n = f.swiss;
	r.c[C_STATE].s = state_of(&f);
	r.c[C_ADDR].n = ref->to;
	r.c[C_TYPE].s = ref->type->name;
	add(sums, &r);
	return pop_offer(t, &r);
}

static struct err *finish(struct agg *a, void *arg, struct pop_row *r)
{
	(void)arg;
	r->c[C_OWNER].s = pop_owner(a, r->node);
	return NULL;
}

static struct err *totals(struct ans_pop *p, const struct sums *s)
{
	const struct pop_total v[] = {
		{ "maps", "maps", POP_COUNT, s->maps },
		{ "entries", "entries", POP_COUNT, s->len },
		{ "slots", "slots", POP_COUNT, s->slots },
		{ "bytes", "bytes", POP_BYTES, s->bytes },
		{ "waste_bytes", "of empty slots", POP_BYTES, s->waste },
		{ "sparse", "sparse", POP_COUNT, s->sparse },
		{ "growing", "growing", POP_COUNT, s->growing },
		{ "unreadable", "unreadable", POP_COUNT, s->bad },
	};
	struct err *err = NULL;

	for (size_t i = 0; i < ARRAY_LEN(v) && !err; i++)
		err = pop_total(p, v[i].key, v[i].title, v[i].form, v[i].n);
	return err;
}

static struct err *make(struct agg *a, const struct pop_ask *ask, struct ans_pop *p)
{
	struct pop_table *t = pop_table_add(p, "rows", "maps", cols,
					    ask->sort ? ask->sort : "waste_bytes", ask->limit);
	_cleanup_(pop_refs_deinit) struct pop_refs refs = { 0 };
	_cleanup_(go_io_deinit) struct go_io io = { 0 };
	struct sums sums = { 0 };
	struct err *err = go_io_init_sparse(&io, a->s->go);

	if (!err)
		err = pop_refs_of_pointers(a, GO_MAP, &refs);
	for (size_t i = 0; i < refs.v.n && !err; i++)
		err = offer(a, &io, &refs.v.v[i], t, &sums);
	if (!err)
		err = totals(p, &sums);
	return err ? err : pop_settle(a, t, finish, NULL);
}

const struct pop_family pop_maps = {
	.name = "maps",
	.cols = cols,
	.sort = "waste_bytes",
	.needs = POP_NEEDS_RUNTIME,
	.make = make,
};
