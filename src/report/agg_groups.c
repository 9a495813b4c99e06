/*
 * agg_groups.c - naming and numbering the groups of a top table.
 *
 * Types of equal name are one group.  Objects of unknown type are grouped by size
 * class.  Cost: O(types log types) for the names, one pass over the slots.
 */
#include "report/agg_groups.h"

enum { SPAN_CLASSES = 256 };

static const char *kind_word(uint8_t kind)
{
	switch (kind) {
	case GO_ARRAY:
		return "array";
	case GO_CHAN:
		return "channel";
	case GO_FUNC:
		return "func";
	case GO_INTERFACE:
		return "interface";
	case GO_MAP:
		return "map";
	case GO_POINTER:
	case GO_UNSAFE_POINTER:
		return "pointer";
	case GO_SLICE:
		return "slice header";
	case GO_STRING:
		return "string header";
	case GO_STRUCT:
		return "struct";
	default:
		return "number";
	}
}

static const char *name_by_kind(struct agg *a, const struct snap_type *t)
{
	const struct go_type *rt;

	switch (t->kind) {
	case SNAP_TYPE_CLOSURE:
		return "closure";
	case SNAP_TYPE_CHAN:
		return "channel";
	case SNAP_TYPE_RTYPE:
		rt = go_type_at(a->s->rtypes, t->rtype);
		return rt ? kind_word(rt->kind) : "unknown";
	default:
		return "runtime";
	}
}

/* "main.(*T).f.func1" -> "main"; "example.com/a/b.T[int]" -> "example.com/a/b". */
const char *agg_package_of_symbol(struct agg *a, const char *name)
{
	size_t end = strcspn(name, "[");
	const char *slash = memrchr(name, '/', end);
	const char *dot = strchr(slash ? slash : name, '.');

	if (!dot || (size_t)(dot - name) > end)
		return "(builtin)";
	return keepn(&a->keep, name, (size_t)(dot - name));
}

/* Skip what is before the named type: "*", "[]", "[4]", "chan ", "map[K]". */
static const char *skip_wrapping(const char *s)
{
	for (;;) {
		if (*s == '*' || *s == '~') {
			s++;
		} else if (!strncmp(s, "map[", 4) || *s == '[') {
			int depth = 0;

			for (s += *s == '[' ? 0 : 3; *s; s++) {
				depth += (*s == '[') - (*s == ']');
				if (!depth)
					break;
			}
			s += *s != 0;
		} else if (!strncmp(s, "chan ", 5)) {
			s += 5;
		} else if (!strncmp(s, "closure of ", 11)) {
			s += 11;
		} else {
			return s;
		}
	}
}

const char *agg_package_of_type(struct agg *a, const struct snap_type *t)
{
	const struct go_type *rt = NULL;

	if (t->kind == SNAP_TYPE_RTYPE || t->kind == SNAP_TYPE_CHAN)
		rt = go_type_at(a->s->rtypes, t->rtype);
	for (int hops = 0; rt && hops < 8; hops++) {
		if (rt->pkg_path && *rt->pkg_path)
			return keepf(&a->keep, "%s", rt->pkg_path);
		rt = rt->elem ? go_type_at(a->s->rtypes, rt->elem) : NULL;
	}
	return agg_package_of_symbol(a, skip_wrapping(t->name ? t->name : ""));
}

/* How a word names the types, and the spans of objects whose type is unknown. */
struct naming {
	const char *(*type)(struct agg *a, const struct snap_type *t);
	const char *(*span)(struct agg *a, const struct go_span *sp);
	unsigned depth; /* elements of a package's path; 0: all */
};

static const char *type_name(struct agg *a, const struct snap_type *t)
{
	(void)a;
	return t->name && *t->name ? t->name : "(no name)";
}

static const char *class_name(struct agg *a, const struct go_span *sp)
{
	const char *scan = sp->noscan ? "noscan" : "scan";

	if (sp->spanclass >> 1 == 0)
		return keepf(&a->keep, "~large %s", scan);
	return keepf(&a->keep, "~%" PRIu64 " B %s", sp->elem_bytes, scan);
}

static const char *class_package(struct agg *a, const struct go_span *sp)
{
	(void)a, (void)sp;
	return "(unknown)";
}

static const char *class_kind(struct agg *a, const struct go_span *sp)
{
	(void)a;
	return sp->noscan ? "unknown, no pointers" : "unknown, with pointers";
}

/* "github.com/a/b/c" to a depth of 3: "github.com/a/b". */
static const char *shorten(struct agg *a, const char *path, unsigned depth)
{
	const char *p = path;

	for (unsigned i = 0; depth && p; i++) {
		p = strchr(p, '/');
		if (p && i + 1 == depth)
			return keepn(&a->keep, path, (size_t)(p - path));
		p += p != NULL;
	}
	return path;
}

/* Distinct names get numbers: entries are sorted by name, then renumbered. */

static int by_name(const void *x, const void *y)
{
	return strcmp(((const struct agg_group_name *)x)->name,
		      ((const struct agg_group_name *)y)->name);
}

static struct err *name_entries(struct agg *a, const struct naming *by, struct agg_group_name *e,
				size_t ntypes)
{
	const struct go_heap *h = &a->s->heap;

	for (size_t i = 0; i < ntypes + SPAN_CLASSES; i++)
		e[i] = (struct agg_group_name){ "", (uint32_t)i };
	for (size_t i = 1; i < ntypes; i++)
		e[i].name = shorten(a, by->type(a, &a->s->types.v[i]), by->depth);
	for (size_t i = 0; i < h->spans.n; i++) {
		struct agg_group_name *c = &e[ntypes + h->spans.v[i].spanclass];

		if (!*c->name)
			c->name = by->span(a, &h->spans.v[i]);
	}
	return keep_err(&a->keep);
}

struct err *agg_groups_number(struct agg_group_name *e, size_t n, uint32_t *number,
			      struct agg_groups *gs)
{
	qsort(e, n, sizeof(*e), by_name);
	gs->names = zalloc(n, sizeof(*gs->names));
	if (!gs->names)
		return &err_nomem;
	for (size_t i = 0; i < n; i++) {
		if (i == 0 || strcmp(e[i].name, e[i - 1].name))
			gs->names[gs->n++] = e[i].name;
		number[e[i].index] = gs->n - 1;
	}
	return NULL;
}

static void fill_groups(const struct agg *a, const uint32_t *number, size_t ntypes,
			struct agg_groups *gs)
{
	const struct snapshot *s = a->s;

	for (size_t i = 0; i < s->heap.spans.n; i++) {
		const struct go_span *sp = &s->heap.spans.v[i];

		for (uint64_t id = sp->first; id < sp->first + sp->nelems; id++) {
			uint32_t t = s->type_of ? s->type_of[id] : 0;

			gs->group[id] = number[t && t < ntypes ? t : ntypes + sp->spanclass];
		}
	}
}

static struct err *make(struct agg *a, const struct naming *by, struct agg_groups *ret)
{
	size_t ntypes = a->s->types.n ? a->s->types.n : 1;
	size_t n = ntypes + SPAN_CLASSES;
	_cleanup_(freep) struct agg_group_name *e = zalloc(n, sizeof(*e));
	_cleanup_(freep) uint32_t *number = zalloc(n, sizeof(*number));
	_cleanup_(agg_groups_deinit) struct agg_groups gs = { .nobjects = a->s->heap.nobjects };
	struct err *err;

	if (!e || !number)
		return &err_nomem;
	err = name_entries(a, by, e, ntypes);
	if (!err)
		err = agg_groups_number(e, n, number, &gs);
	if (err)
		return err;
	gs.group = bigalloc(gs.nobjects, sizeof(*gs.group));
	if (!gs.group)
		return &err_nomem;
	fill_groups(a, number, ntypes, &gs);
	*ret = gs;
	gs = (struct agg_groups){ 0 };
	return NULL;
}

struct err *agg_groups_type(struct agg *a, const struct top_ask *q, struct agg_groups *ret)
{
	(void)q;
	if (a->types) {
		*ret = *a->types;
		ret->borrowed = true;
		return NULL;
	}
	return make(a, &(struct naming){ .type = type_name, .span = class_name }, ret);
}

struct err *agg_groups_type_kept(struct agg *a, struct agg_groups *ret)
{
	_cleanup_(freep) struct agg_groups *gs = zalloc(1, sizeof(*gs));
	struct err *err = gs ? NULL : &err_nomem;

	if (!err && !a->types) {
		err = agg_groups_type(a, NULL, gs);
		if (!err)
			a->types = STEAL(gs);
	}
	return err ? err : agg_groups_type(a, NULL, ret);
}

struct err *agg_groups_package(struct agg *a, const struct top_ask *q, struct agg_groups *ret)
{
	return make(a, &(struct naming){ agg_package_of_type, class_package, q->package_depth },
		    ret);
}

struct err *agg_groups_kind(struct agg *a, const struct top_ask *q, struct agg_groups *ret)
{
	(void)q;
	return make(a, &(struct naming){ .type = name_by_kind, .span = class_kind }, ret);
}

/* What the mark bits say of an object's age: enum go_marks. */
enum generation { GEN_SURVIVED, GEN_BORN, GEN_NO_CYCLE, GEN_SWEEPING, GEN_NO_MARKS, GENERATIONS };

static enum generation generation_of(const struct go_heap *h, const struct go_span *sp, uint64_t id)
{
	switch (sp->marks) {
	case GO_MARKS_LAST_CYCLE:
	case GO_MARKS_UNSWEPT:
	case GO_MARKS_MARKING:
		return go_bit(h->mark_bits, id) ? GEN_SURVIVED : GEN_BORN;
	case GO_MARKS_FRESH:
		return GEN_NO_CYCLE;
	case GO_MARKS_SWEEPING:
		return GEN_SWEEPING;
	default:
		return GEN_NO_MARKS;
	}
}

struct err *agg_groups_generation(struct agg *a, const struct top_ask *q, struct agg_groups *ret)
{
	static const char *const names[GENERATIONS] = {
		[GEN_SURVIVED] = "survived the last collection",
		[GEN_BORN] = "born since the last collection",
		[GEN_NO_CYCLE] = "unknown: there was no collection yet",
		[GEN_SWEEPING] = "unknown: being swept at that instant",
		[GEN_NO_MARKS] = "unknown: this evidence has no mark bits",
	};
	const struct go_heap *h = &a->s->heap;
	_cleanup_(agg_groups_deinit) struct agg_groups gs = { .nobjects = h->nobjects };

	(void)q;
	gs.names = zalloc(GENERATIONS, sizeof(*gs.names));
	gs.group = bigalloc(gs.nobjects, sizeof(*gs.group));
	if (!gs.names || !gs.group)
		return &err_nomem;
	for (gs.n = 0; gs.n < GENERATIONS; gs.n++)
		gs.names[gs.n] = names[gs.n];
	for (size_t i = 0; i < h->spans.n; i++)
		for (uint64_t k = 0; k < h->spans.v[i].nelems; k++)
			gs.group[h->spans.v[i].first + k] =
				generation_of(h, &h->spans.v[i], h->spans.v[i].first + k);
	*ret = gs;
	gs = (struct agg_groups){ 0 };
	return NULL;
}

void agg_groups_deinit(struct agg_groups *gs)
{
	if (!gs->borrowed)
		free(gs->names);
	if (gs->group && !gs->borrowed)
		bigfree(gs->group, gs->nobjects, sizeof(*gs->group));
	*gs = (struct agg_groups){ 0 };
}
