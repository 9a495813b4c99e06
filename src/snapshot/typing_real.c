/*
 * typing_real.c - the program's own type behind one of go.shape.
 *
 * Generic code is compiled once for all types of one shape (cmd/compile/internal/noder: shapify),
 * and what its variables point to is named by the shape: *struct { f func() go.shape.bool; … }.  An
 * object of such a type was allocated by the type that the instance's dictionary gives, which is in
 * the program.  Where only one of its types agrees in the generic name, the fields and all that is
 * no shape, it is that one; where several do, it stays a shape.
 * Cost: once the program's types; some thousand comparisons for each shape.
 */
#include "snapshot/typing.h"

#define MAX_DEPTH 16
#define MAX_STEPS 4096

struct real {
	uint64_t bytes;
	taddr rtype;
};

struct answer {
	taddr shape, real;
};

struct typing_reals {
	struct snapshot *s;
	pthread_mutex_t lock;
	bool gathered;
	VEC(struct real) all; /* structs and maps that are no shapes, by size */
	VEC(struct answer) known;
};

struct typing_reals *typing_reals_create(struct snapshot *s)
{
	struct typing_reals *r = zalloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->s = s;
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void typing_reals_free(struct typing_reals *r)
{
	if (!r)
		return;
	vec_free(&r->all);
	vec_free(&r->known);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static bool like(struct snapshot *s, taddr shape, taddr real, unsigned depth, unsigned *steps);

static bool like_fields(struct snapshot *s, const struct go_type *a, const struct go_type *b,
			unsigned depth, unsigned *steps)
{
	if (a->nfields != b->nfields)
		return false;
	for (size_t i = 0; i < a->nfields; i++)
		if (a->fields[i].offset != b->fields[i].offset ||
		    strcmp(a->fields[i].name, b->fields[i].name) != 0 ||
		    !like(s, a->fields[i].type, b->fields[i].type, depth, steps))
			return false;
	return true;
}

/* "pkg.T[go.shape.int]" and "pkg.T[main.ID]"; a shape itself stands for types of any name. */
static bool like_names(struct snapshot *s, const struct go_type *a, const struct go_type *b)
{
	const char *x, *y;
	size_t n;

	if (!strncmp(a->name, "go.shape.", 9))
		return true;
	if (a->named != b->named)
		return false;
	if (!a->named)
		return true;
	x = go_type_full(s->rtypes, a);
	y = go_type_full(s->rtypes, b);
	n = strcspn(x, "[");
	return n == strcspn(y, "[") && !strncmp(x, y, n);
}

static bool like(struct snapshot *s, taddr shape, taddr real, unsigned depth, unsigned *steps)
{
	const struct go_type *a = go_type_at(s->rtypes, shape), *b = go_type_at(s->rtypes, real);

	if (shape == real)
		return true;
	if (!a || !b || depth > MAX_DEPTH || ++*steps > MAX_STEPS || a->kind != b->kind ||
	    a->bytes != b->bytes || a->ptr_bytes != b->ptr_bytes)
		return false;
	if (!strstr(a->name, "go.shape.") || !like_names(s, a, b))
		return false;
	switch (a->kind) {
	case GO_STRUCT:
		return like_fields(s, a, b, depth + 1, steps);
	case GO_MAP:
		return like(s, a->key, b->key, depth + 1, steps) &&
		       like(s, a->elem, b->elem, depth + 1, steps);
	case GO_POINTER: /* all pointers are of one shape */
		return !strncmp(a->name, "go.shape.", 9) ||
		       like(s, a->elem, b->elem, depth + 1, steps);
	case GO_ARRAY:
	case GO_SLICE:
	case GO_CHAN:
		return a->len == b->len && like(s, a->elem, b->elem, depth + 1, steps);
	default:
		return true;
	}
}

static int by_bytes(const void *a, const void *b)
{
	const struct real *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? -1 : 1;
	return x->rtype < y->rtype ? -1 : x->rtype > y->rtype;
}

static void gather(struct typing_reals *r)
{
	struct snapshot *s = r->s;
	const taddr *all;
	size_t n;
	struct err *err = go_types_all(s->rtypes, &all, &n);

	r->gathered = true;
	for (size_t i = 0; !err && i < n; i++) {
		const struct go_type *t = go_type_at(s->rtypes, all[i]);

		if (t && (t->kind == GO_STRUCT || t->kind == GO_MAP) &&
		    !strstr(t->name, "go.shape."))
			(void)!vec_push(&r->all, (struct real){ t->bytes, t->addr });
	}
	err_free(err);
	if (r->all.n)
		qsort(r->all.v, r->all.n, sizeof(*r->all.v), by_bytes);
}

static taddr find(struct typing_reals *r, const struct go_type *shape)
{
	struct snapshot *s = r->s;
	size_t lo = 0, hi = r->all.n;
	taddr only = 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (r->all.v[mid].bytes < shape->bytes)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (; lo < r->all.n && r->all.v[lo].bytes == shape->bytes; lo++) {
		unsigned steps = 0;

		if (!like(s, shape->addr, r->all.v[lo].rtype, 0, &steps))
			continue;
		if (only)
			return 0;
		only = r->all.v[lo].rtype;
	}
	return only;
}

taddr typing_real(struct typing_reals *r, taddr type)
{
	const struct go_type *t = go_type_at(r->s->rtypes, type);
	taddr ret = 0;
	bool known = false;

	if (!t || (t->kind != GO_STRUCT && t->kind != GO_MAP) || !strstr(t->name, "go.shape."))
		return type;
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < r->known.n && !known; i++) {
		known = r->known.v[i].shape == type;
		ret = known ? r->known.v[i].real : 0;
	}
	if (!known) {
		if (!r->gathered)
			gather(r);
		ret = find(r, t);
		(void)!vec_push(&r->known, (struct answer){ type, ret });
	}
	pthread_mutex_unlock(&r->lock);
	return ret ? ret : type;
}
