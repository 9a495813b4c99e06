/*
 * pprof_read_parts.c - the messages inside a profile: samples, mappings, locations, functions,
 * texts.
 *
 * Knows nothing of the file; what refers to what is checked when all is there
 * (pprof_read_finish.c). A sample costs one look into a table for each frame in which it differs
 * from the one before.
 */
#include "evidence/pprof_reader.h"

enum { DENSE = 1 << 22 };

static bool sparse_same(const void *arg, uint32_t i)
{
	const uint64_t *const *q = arg;

	return q[0][i] == *q[1];
}

static uint64_t sparse_hash(const void *arg, uint32_t i)
{
	return idx_mix(((const uint64_t *)arg)[i], 1);
}

static uint32_t find_sparse(struct ids *x, uint64_t id, uint32_t fresh)
{
	const uint64_t *q[2] = { x->sparse.v, &id };
	uint32_t *slot;

	if (!idx_room(&x->idx, sparse_hash, x->sparse.v))
		return PPROF_NONE;
	slot = idx_slot(&x->idx, idx_mix(id, 1), sparse_same, q);
	if (*slot)
		return x->sparse_to.v[*slot - 1];
	if (!vec_push(&x->sparse, id) || !vec_push(&x->sparse_to, fresh))
		return PPROF_NONE;
	*slot = ++x->idx.n;
	return fresh;
}

static bool widen(struct ids *x, size_t n)
{
	size_t had = x->dense.n;

	if (!vec_reserve(&x->dense, n))
		return false;
	x->dense.n = x->dense.cap;
	memset(x->dense.v + had, 0xff, (x->dense.n - had) * sizeof(*x->dense.v));
	return true;
}

uint32_t ids_find(struct ids *x, uint64_t id, uint32_t fresh)
{
	if (id >= DENSE)
		return find_sparse(x, id, fresh);
	if (id >= x->dense.n && !widen(x, (size_t)id + 1))
		return PPROF_NONE;
	if (x->dense.v[id] == PPROF_NONE)
		x->dense.v[id] = fresh;
	return x->dense.v[id];
}

void ids_deinit(struct ids *x)
{
	vec_free(&x->dense);
	vec_free(&x->sparse);
	vec_free(&x->sparse_to);
	vec_free(&x->order);
	vec_free(&x->told);
	idx_deinit(&x->idx);
}

/* The element of an id, made if it is new. */
#define ELEMENT(r, kind, array, nth, ...)                                                          \
	uint32_t nth = ids_find(&(r)->kind, id, (uint32_t)(array)->n);                             \
	if (nth == (array)->n &&                                                                   \
	    (!vec_push((array), __VA_ARGS__) || !vec_push(&(r)->kind.told, false)))                \
		nth = PPROF_NONE;                                                                  \
	if (nth == PPROF_NONE)                                                                     \
		(r)->nomem = true;

static uint32_t location_of(struct pprof_reader *r, uint64_t id)
{
	ELEMENT(r, locations, &r->p->locations, i,
		(struct pprof_location){ .id = id, .mapping = PPROF_NONE })
	return i;
}

static uint32_t function_of(struct pprof_reader *r, uint64_t id)
{
	ELEMENT(r, functions, &r->p->functions, i, (struct pprof_function){ .id = id })
	return i;
}

static uint32_t mapping_of(struct pprof_reader *r, uint64_t id)
{
	ELEMENT(r, mappings, &r->p->mappings, i, (struct pprof_mapping){ .id = id })
	return i;
}

static bool tell(struct pprof_reader *r, struct ids *x, uint64_t id, uint32_t i)
{
	if (i == PPROF_NONE)
		return false;
	if (!id)
		return pprof_wrong(r, "a thing with the number 0");
	if (x->told.v[i])
		return pprof_wrong(r, "two things with one number");
	x->told.v[i] = true;
	return vec_push(&x->order, i) || pprof_short(r);
}

static bool push_frame(struct pprof_reader *r, uint64_t id)
{
	uint32_t l = id < r->locations.dense.n ? r->locations.dense.v[id] : PPROF_NONE;

	if (l == PPROF_NONE)
		l = location_of(r, id);
	return l != PPROF_NONE && (vec_push(&r->frames, l) || pprof_short(r));
}

/* A list: packed, or one element a field. */
static bool sample_list(struct pprof_reader *r, pb_istream_t *s, const struct pprof_field *f)
{
	const uint8_t *at, *end;
	uint64_t x;

	if (f->type == PB_WT_VARINT)
		return f->tag == 1 ? push_frame(r, f->x)
				   : vec_push(&r->values, (int64_t)f->x) || pprof_short(r);
	at = s->state;
	end = at + (s->bytes_left - f->behind);
	while (at < end) {
		if (!pprof_varint(&at, end, &x))
			return pprof_wrong(r, "a number without an end");
		if (f->tag == 1 ? !push_frame(r, x)
				: !vec_push(&r->values, (int64_t)x) && !pprof_short(r))
			return false;
	}
	return pb_read(s, NULL, s->bytes_left - f->behind);
}

/* Where labels are not kept they are read all the same: a sample whose end is missing is none. */
static bool sample_label(struct pprof_reader *r, pb_istream_t *s, const struct pprof_field *f)
{
	pb_istream_t in = pprof_inside(s, f);
	struct pprof_label l = { 0 };
	struct pprof_field g;

	while (pprof_field(r, &in, &g)) {
		if (g.tag >= 1 && g.tag <= 4 && g.type != PB_WT_VARINT)
			return pprof_wrong(r, "a label that is no label");
		if (g.tag == 1)
			l.key = pprof_ref(g.x);
		else if (g.tag == 2)
			l.text = pprof_ref(g.x);
		else if (g.tag == 3)
			l.num = (int64_t)g.x;
		else if (g.tag == 4)
			l.unit = pprof_ref(g.x);
		else if (g.type == PB_WT_STRING)
			(void)pprof_inside(&in, &g);
	}
	if (r->wrong || r->keep != PPROF_KEEP_ALL)
		return !r->wrong;
	return vec_push(&r->p->labels, l) || pprof_short(r);
}

/* r->frames in the tree: from the outermost on, as far as the last one's nodes go. */
static uint32_t find_stack(struct pprof_reader *r)
{
	size_t n = r->frames.n, k = 0;
	uint32_t node = PPROF_NONE;

	while (k < n && k < r->path.n && r->path.v[k] == r->frames.v[n - 1 - k])
		node = r->path_node.v[k++];
	r->path.n = r->path_node.n = k;
	for (; k < n; k++) {
		uint32_t l = r->frames.v[n - 1 - k];

		node = pprof_add_frame(r->p, node, l);
		if (!vec_push(&r->path, l) || !vec_push(&r->path_node, node))
			pprof_short(r);
	}
	return node;
}

bool pprof_read_sample(struct pprof_reader *r, pb_istream_t *s)
{
	size_t first = r->p->labels.n;
	struct pprof_field f;

	r->frames.n = r->values.n = 0;
	while (pprof_field(r, s, &f)) {
		bool list = f.tag == 1 || f.tag == 2;

		if ((list && f.type != PB_WT_VARINT && f.type != PB_WT_STRING) ||
		    (f.tag == 3 && f.type != PB_WT_STRING))
			return pprof_wrong(r, "a sample that is no sample");
		if (list ? !sample_list(r, s, &f)
			 : f.tag == 3 && !sample_label(r, s, &f))
			return false;
		if (f.type == PB_WT_STRING && s->bytes_left > f.behind)
			(void)pprof_inside(s, &f);
	}
	if (r->wrong)
		return false;
	if (r->nvalues == SIZE_MAX)
		r->nvalues = r->values.n;
	if (r->values.n != r->nvalues || !r->nvalues || r->nvalues > PPROF_TYPES_MAX)
		return pprof_wrong(r, "a sample with another number of values");
	pprof_put_sample(r->p, find_stack(r), pprof_put_labels(r->p, first), r->values.v,
			 r->nvalues);
	return !r->nomem;
}

bool pprof_read_type(struct pprof_reader *r, pb_istream_t *s, struct pprof_type *ret)
{
	struct pprof_field f;

	while (pprof_field(r, s, &f)) {
		if ((f.tag == 1 || f.tag == 2) && f.type != PB_WT_VARINT)
			return pprof_wrong(r, "a kind of values that is none");
		if (f.tag == 1)
			ret->type = pprof_ref(f.x);
		else if (f.tag == 2)
			ret->unit = pprof_ref(f.x);
		else if (f.type == PB_WT_STRING)
			(void)pprof_inside(s, &f);
	}
	return !r->wrong;
}

bool pprof_read_mapping(struct pprof_reader *r, pb_istream_t *s)
{
	uint64_t v[11] = { 0 };
	struct pprof_field f;
	uint32_t i;

	while (pprof_field(r, s, &f)) {
		if (f.tag >= 1 && f.tag <= 10) {
			if (f.type != PB_WT_VARINT)
				return pprof_wrong(r, "a mapping that is none");
			v[f.tag] = f.x;
		} else if (f.type == PB_WT_STRING) {
			(void)pprof_inside(s, &f);
		}
	}
	if (r->wrong)
		return false;
	i = mapping_of(r, v[1]);
	if (!tell(r, &r->mappings, v[1], i))
		return false;
	r->p->mappings.v[i] = (struct pprof_mapping){
		.id = v[1],
		.start = v[2],
		.limit = v[3],
		.offset = v[4],
		.file = pprof_ref(v[5]),
		.build_id = pprof_ref(v[6]),
		.has_functions = v[7],
		.has_filenames = v[8],
		.has_lines = v[9],
		.has_inlines = v[10],
	};
	return true;
}

static bool location_line(struct pprof_reader *r, pb_istream_t *s, const struct pprof_field *f)
{
	pb_istream_t in = pprof_inside(s, f);
	struct pprof_line l = { .function = PPROF_NONE };
	struct pprof_field g;

	while (pprof_field(r, &in, &g)) {
		if (g.tag >= 1 && g.tag <= 3 && g.type != PB_WT_VARINT)
			return pprof_wrong(r, "a line that is none");
		if (g.tag == 1 && g.x)
			l.function = function_of(r, g.x);
		else if (g.tag == 2)
			l.line = (int64_t)g.x;
		else if (g.tag == 3)
			l.column = (int64_t)g.x;
		else if (g.type == PB_WT_STRING)
			(void)pprof_inside(&in, &g);
	}
	return !r->wrong && !r->nomem && (vec_push(&r->p->lines, l) || pprof_short(r));
}

bool pprof_read_location(struct pprof_reader *r, pb_istream_t *s)
{
	struct pprof_location l = { .mapping = PPROF_NONE, .first_line = (uint32_t)r->p->lines.n };
	struct pprof_field f;
	uint32_t i;

	while (pprof_field(r, s, &f)) {
		if (f.tag >= 1 && f.tag <= 5 && (f.tag == 4) != (f.type == PB_WT_STRING))
			return pprof_wrong(r, "a location that is none");
		if (f.tag == 1)
			l.id = f.x;
		else if (f.tag == 2 && f.x)
			l.mapping = mapping_of(r, f.x);
		else if (f.tag == 3)
			l.address = f.x;
		else if (f.tag == 4 && !location_line(r, s, &f))
			return false;
		else if (f.tag == 5)
			l.folded = f.x;
		if (f.type == PB_WT_STRING && s->bytes_left > f.behind)
			(void)pprof_inside(s, &f);
	}
	l.nlines = (uint32_t)(r->p->lines.n - l.first_line);
	if (r->wrong || r->nomem || r->p->lines.n >= UINT32_MAX)
		return r->wrong ? false : pprof_short(r);
	i = location_of(r, l.id);
	if (!tell(r, &r->locations, l.id, i))
		return false;
	r->p->locations.v[i] = l;
	return true;
}

bool pprof_read_function(struct pprof_reader *r, pb_istream_t *s)
{
	uint64_t v[6] = { 0 };
	struct pprof_field f;
	uint32_t i;

	while (pprof_field(r, s, &f)) {
		if (f.tag >= 1 && f.tag <= 5) {
			if (f.type != PB_WT_VARINT)
				return pprof_wrong(r, "a function that is none");
			v[f.tag] = f.x;
		} else if (f.type == PB_WT_STRING) {
			(void)pprof_inside(s, &f);
		}
	}
	if (r->wrong)
		return false;
	i = function_of(r, v[1]);
	if (!tell(r, &r->functions, v[1], i))
		return false;
	r->p->functions.v[i] = (struct pprof_function){ .id = v[1],
							.name = pprof_ref(v[2]),
							.system_name = pprof_ref(v[3]),
							.file = pprof_ref(v[4]),
							.start_line = (int64_t)v[5] };
	return true;
}
