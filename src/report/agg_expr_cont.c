/*
 * agg_expr_cont.c - through maps and channels: "[key]" instead of headers, tables and groups.
 *
 * The objects of a path that are parts of the container are passed over; which entry holds
 * the pointer that leads out of it is found by looking at all of them.  O(entries).
 */
#include "report/agg_expr.h"

enum { PARTS_MAX = 16 };

struct finder {
	struct expr *e;
	const gnode *path; /* [0] the header */
	size_t n;	   /* of it, at most PARTS_MAX */
	bool part[PARTS_MAX];
	taddr buffer, buffer_end; /* of a channel */
	/* the way out */
	struct expr_words w;
	uint64_t box;
	struct go_cont_entry hit;
	bool found, key, boxed;
	unsigned word;
};

static enum go_cont_go_on on_part(void *arg, const struct go_map_part *p)
{
	struct finder *f = arg;
	uint64_t id = go_heap_object_at(&f->e->a->s->heap, p->at);

	if (p->what == GO_PART_BUFFER) {
		f->buffer = p->at;
		f->buffer_end = p->at + p->count * p->elem_bytes;
	}
	for (size_t i = 0; i < f->n && id != GO_NO_OBJECT; i++)
		f->part[i] |= graph_object(f->e->a->g, f->path[i]) == id;
	return CONT_ON;
}

static bool covers(const struct go_place *p, taddr at)
{
	return p->at && p->type && at >= p->at && at - p->at < p->type->bytes;
}

static bool in_box(const struct finder *f, const struct go_place *p)
{
	return p->at && p->type && go_heap_object_at(&f->e->a->s->heap, p->at) == f->box;
}

static enum go_cont_go_on on_entry(void *arg, const struct go_cont_entry *en)
{
	struct finder *f = arg;
	bool elem = in_box(f, &en->elem), key = in_box(f, &en->key);

	for (unsigned i = 0; i < f->w.n && !elem && !key; i++) {
		f->word = i;
		elem = covers(&en->elem, f->w.at[i]);
		key = !elem && covers(&en->key, f->w.at[i]);
		if (elem || key) {
			f->hit = *en;
			f->found = true;
			f->key = key;
			return CONT_STOP;
		}
	}
	if (elem || key) {
		f->hit = *en;
		f->found = f->boxed = true;
		f->key = !elem;
	}
	return f->found ? CONT_STOP : CONT_ON;
}

/* dlv knows a channel as runtime.hchan, whose buf it gives the type of an array. */
static bool put_queued(struct finder *f)
{
	struct expr *e = f->e;
	taddr at = f->hit.elem.at;

	str_printf(&e->go, "/*queued %" PRIu64 "*/", f->hit.index);
	if (!f->buffer || at < f->buffer || at >= f->buffer_end || !f->hit.elem.type->bytes)
		return false;
	str_printf(&e->dlv, ".buf[%" PRIu64 "]", (at - f->buffer) / f->hit.elem.type->bytes);
	return true;
}

/* As Go would, else with a comment: in source it is none of the value's text. */
static bool put_entry(struct finder *f, bool map)
{
	struct expr *e = f->e;
	_cleanup_(str_deinit) struct str key = { 0 }, dlv = { 0 };
	bool literal;

	if (!map)
		return put_queued(f);
	literal = expr_key(e->a, f->hit.key, &key, &dlv);
	e->key = keepf(&e->a->keep, "%s", str_ok(&key) ? key.s : "");
	if (f->key)
		str_put(&e->go, "/*key*/");
	str_printf(&e->go, "[%s]", e->key);
	str_printf(&e->dlv, "[%s]", str_ok(&dlv) ? dlv.s : "");
	return literal && !f->key;
}

/* Why dlv has no words for the entry; NULL: it has, they are only not shown. */
static const char *why_entry(const struct finder *f, bool map)
{
	uint8_t kind = f->hit.key.type ? f->hit.key.type->kind : 0;

	if (!map)
		return "a value queued in a channel";
	if (f->key)
		return "a map's key";
	if (kind == GO_STRING || (kind && kind <= GO_COMPLEX128))
		return NULL;
	return "a map's key that is no constant";
}

static void land(struct finder *f, bool map)
{
	struct expr *e = f->e;
	struct go_place p = f->key ? f->hit.key : f->hit.elem;
	_cleanup_(str_deinit) struct str path = { 0 };
	bool said = put_entry(f, map), leaf = true;
	const char *why = said ? NULL : why_entry(f, map);
	uint64_t off = 0;

	e->what = f->key ? "map-key" : map ? "map-value" : "queued";
	e->type = p.type;
	e->inside = f->boxed;
	e->blind = false;
	e->at = e->word_at = p.at;
	for (unsigned i = 0; i < f->w.n && f->boxed; i++)
		if (f->w.value[i] == p.at) {
			e->word_at = f->w.at[i];
			e->to = p.at;
		}
	if (!f->boxed) {
		leaf = expr_leaf(e->a->s->rtypes, p.type, f->w.at[f->word] - p.at, &path, &e->type,
				 &off);
		e->at = p.at + off;
		e->word_at = f->w.at[f->word];
		e->to = f->w.value[f->word];
	}
	if (!said)
		expr_dlv_at(e, p.type, p.at, path.n ? path.s : "");
	else
		str_put(&e->dlv, path.n ? path.s : "");
	str_put(&e->go, path.n ? path.s : "");
	e->field = keepf(&e->a->keep, "%s", path.n ? path.s : "");
	if (!leaf) {
		e->type = NULL;
		why = "a pointer that the entry's type does not tell";
	}
	e->unsaid += why != NULL;
	e->blind = !leaf;
	e->last_unsaid = why ? why : e->last_unsaid;
}

bool expr_contained(struct expr *e, const gnode *path, size_t len, size_t *i)
{
	struct snapshot *s = e->a->s;
	const struct go_cont *c = go_cont_of(s->rtypes, e->type);
	struct finder f = { .e = e, .path = path + *i, .n = MIN(len - *i, (size_t)PARTS_MAX) };
	_cleanup_(go_io_deinit) struct go_io io = { 0 };
	struct go_place p = { .at = e->to, .type = e->type };
	bool map = e->type->kind == GO_MAP;
	size_t k = 1;

	if (!c || go_heap_object_at(&s->heap, e->to) != graph_object(e->a->g, path[*i]))
		return false;
	err_free(go_io_init(&io, s->go));
	if (!io.mem)
		return false;
	err_free(go_cont_parts(c, &io, s->rtypes, p, on_part, &f));
	while (k < f.n && f.part[k])
		k++;
	if (k >= f.n)
		return false;
	f.box = graph_object(e->a->g, f.path[k]);
	expr_find_words(e, graph_object(e->a->g, f.path[k - 1]), f.box, &f.w);
	err_free(go_cont_each(c, &io, s->rtypes, p, on_entry, &f));
	if (!f.found)
		return false;
	*i += k - 1;
	land(&f, map);
	return true;
}
