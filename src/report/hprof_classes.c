/*
 * hprof_classes.c - which classes a heap has, and where their instances have references.
 *
 * A class must be told before its instances, with its fields: those words that hold a pointer in
 * any of them.  Types need not be known for that; fields of known ones have names.
 * Cost: one read of the heap; 4 bytes a word of each class.
 */
#include "report/hprof_priv.h"

#include "base/str.h"

enum { ROOT_FIELDS = 256 }; /* roots of more slots are arrays */

static size_t slot_of(const struct hprof *h, uint64_t key, uint64_t bytes)
{
	size_t i = (size_t)(((key ^ bytes << 40) * 0x9e3779b97f4a7c15ULL) >> 20) & (h->cap - 1);

	for (; h->tab[i]; i = (i + 1) & (h->cap - 1)) {
		const struct hprof_class *c = &h->classes.v[h->tab[i] - 1];

		if (c->key == key && c->bytes == bytes)
			break;
	}
	return i;
}

static struct err *grow(struct hprof *h)
{
	size_t cap = h->cap ? h->cap * 2 : 1024;
	uint32_t *tab = zalloc(cap, sizeof(*tab));

	if (!tab)
		return &err_nomem;
	free(h->tab);
	h->tab = tab;
	h->cap = cap;
	for (size_t i = 0; i < h->classes.n; i++)
		tab[slot_of(h, h->classes.v[i].key, h->classes.v[i].bytes)] = (uint32_t)i + 1;
	return NULL;
}

/* nwords 0: an array.  *ret_new: name is the caller's to set. */
static struct err *find(struct hprof *h, uint64_t key, uint64_t bytes, uint32_t nwords,
			uint32_t *ret, bool *ret_new)
{
	struct hprof_class c = { .key = key, .bytes = bytes, .nwords = nwords };
	size_t i;

	if (2 * h->classes.n >= h->cap) {
		struct err *err = grow(h);

		if (err)
			return err;
	}
	i = slot_of(h, key, bytes);
	*ret_new = !h->tab[i];
	if (*ret_new) {
		c.id = obj_other_id((uint32_t)h->classes.n + HPROF_JAVA);
		c.field = nwords ? zalloc(nwords, sizeof(*c.field)) : NULL;
		if ((nwords && !c.field) || !vec_push(&h->classes, c)) {
			free(c.field);
			return &err_nomem;
		}
		h->tab[i] = (uint32_t)h->classes.n;
	}
	*ret = h->tab[i] - 1;
	return NULL;
}

/* Has it one size, and fields? */
static bool is_instance(const struct hprof *h, const struct obj *o)
{
	const struct snap_type *t = o->type ? &h->a->s->types.v[o->type] : NULL;

	if (o->bytes < HPROF_ARRAY_HEADER + 4 * HPROF_REF)
		return true; /* three pointers find no room in an array of 24 bytes */
	if (o->bytes > HPROF_INSTANCE_MAX || !t)
		return false;
	return (t->kind == SNAP_TYPE_RTYPE && !t->array) || t->kind == SNAP_TYPE_CLOSURE ||
	       t->kind == SNAP_TYPE_MAP || t->kind == SNAP_TYPE_CHAN || t->kind == SNAP_TYPE_OTHER;
}

struct err *hprof_class_of(struct hprof *h, const struct obj *o, uint32_t *ret)
{
	bool instance = is_instance(h, o), made;
	uint64_t key = o->type ? o->type : o->bytes << 32 | 1ULL << 63 | (o->span->noscan ? 1 : 0);
	uint32_t name;
	struct err *err = find(h, key, instance ? o->bytes : 0,
			       instance ? (uint32_t)(o->bytes / 8) : 0, ret, &made);

	if (err || !made)
		return err;
	err = objnames_type(&h->names, o, &name);
	h->classes.v[*ret].name = name;
	return err;
}

/* Word of a reference in an object's data. */
static uint64_t word_of(const struct obj *o, size_t i)
{
	uint64_t off = o->refs[i].off, header = go_span_header(o->span);

	return off == OBJWALK_NO_OFF ? i : (off - MIN(off, header)) / 8;
}

static struct err *see(void *arg, const struct obj *o)
{
	struct hprof *h = arg;
	struct hprof_class *c;
	uint64_t index;
	uint32_t i, name;
	struct err *err = hprof_class_of(h, o, &i);

	h->f.objects++;
	h->f.bytes += o->bytes;
	h->f.references += o->n;
	if (err)
		return err;
	c = &h->classes.v[i];
	for (size_t k = 0; k < o->n && c->nwords && !err; k++) {
		uint64_t word = word_of(o, k);

		if (word >= c->nwords || c->field[word])
			continue;
		err = objnames_field(&h->names, o, word * 8 + go_span_header(o->span), &name,
				     &index);
		if (!err && !*h->names.text.v[name])
			err = objnames_add(&h->names, keepf(&h->a->keep, "+%" PRIu64, word * 8),
					   &name);
		c->field[word] = name + 1;
		c->nrefs++;
	}
	return err;
}

/* Equal names are one class: 64 bits of a hash are enough to tell them apart. */
static uint64_t text_key(const char *s)
{
	uint64_t x = 0xcbf29ce484222325ULL;

	for (; *s; s++)
		x = (x ^ (uint8_t)*s) * 0x100000001b3ULL;
	return x | 3ULL << 62;
}

struct naming {
	struct hprof *h;
	uint32_t root, cls, n;
};

static struct err *name_slot(void *arg, const struct snap_slot *sl, gnode to)
{
	struct naming *x = arg;
	struct hprof *h = x->h;
	const char *text = objnames_slot(h->a, x->root, sl);
	uint32_t name;
	struct err *err;

	(void)to;
	text = *text ? keepf(&h->a->keep, "%s", text) : keepf(&h->a->keep, "#%" PRIu32, x->n + 1);
	err = objnames_add(&h->names, text, &name);
	if (!err && x->n < h->classes.v[x->cls].nwords)
		h->classes.v[x->cls].field[x->n++] = name + 1;
	return err;
}

static struct err *see_root(struct hprof *h, uint32_t r)
{
	const struct graph *g = h->a->g;
	const struct snap_root *root = &h->a->s->roots.v[r];
	uint32_t n = graph_last(g, r + 1) - graph_first(g, r + 1), name;
	struct naming x = { .h = h, .root = r };
	bool thread = root->kind == SNAP_ROOT_GOROUTINE;
	bool instance = (n || thread) && n <= ROOT_FIELDS, made;
	const char *text = objnames_root(h->a, r);
	struct err *err;

	if (thread)
		text = keepf(&h->a->keep, "goroutine %s", text);
	err = find(h, text_key(text), instance ? HPROF_HEADER + HPROF_REF * (uint64_t)n : 1,
		   instance ? MAX(n, 1U) : 0, &x.cls, &made);
	h->root_class[r] = x.cls;
	if (err || !made)
		return err;
	err = objnames_add(&h->names, text, &name);
	h->classes.v[x.cls].name = name;
	h->classes.v[x.cls].nrefs = instance ? n : 0;
	h->classes.v[x.cls].thread = instance && thread;
	return err || !instance ? err : objwalk_root(h->a, r, name_slot, &x);
}

struct err *hprof_classes(struct hprof *h)
{
	struct err *err;

	h->root_class = zalloc((size_t)h->a->g->nroots + 1, sizeof(*h->root_class));
	if (!h->root_class)
		return &err_nomem;
	err = objwalk(h->a, see, h);
	for (uint32_t r = 0; r < h->a->g->nroots && !err; r++)
		err = see_root(h, r);
	if (!err && (uint64_t)h->classes.n + h->a->g->nroots + 16 >= 1U << 29)
		err = err_new(ERR_LIMIT,
			      "%zu classes and %u roots: more than an HPROF file has ids for",
			      h->classes.n, h->a->g->nroots);
	h->seen = zalloc(h->names.text.n + 1, 1);
	return err || h->seen ? err : &err_nomem;
}

void hprof_classes_deinit(struct hprof *h)
{
	for (size_t i = 0; i < h->classes.n; i++)
		free(h->classes.v[i].field);
	vec_free(&h->classes);
	free(h->tab);
	free(h->root_class);
	free(h->seen);
}

/* Of a type with instances of several sizes each size is a class, all but the first say theirs. */
const char *hprof_class_name(struct hprof *h, const struct hprof_class *c)
{
	const char *s = h->names.text.v[c->name];

	if (!c->nwords)
		return keepf(&h->a->keep, "[L%s;", !strncmp(s, "[]", 2) ? s + 2 : s);
	if (h->seen[c->name])
		return keepf(&h->a->keep, "%s%s%s {%" PRIu64 " B}", *s == '[' ? "(" : "", s,
			     *s == '[' ? ")" : "", c->bytes);
	h->seen[c->name] = 1;
	return *s == '[' ? keepf(&h->a->keep, "(%s)", s) : s;
}
