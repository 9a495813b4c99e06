/*
 * objnames.c - names of types and fields for heap files, each made once.
 *
 * A field is asked for ten million times and has a few thousand names: the key is its type and its
 * offset in one element.
 */
#include "base/str.h"
#include "goruntime/goruntime.h"
#include "report/objwalk.h"
#include "snapshot/vars.h"

#define KEY_TYPE   (1ULL << 62)
#define KEY_SPAN   (1ULL << 63)
#define OFFSET_MAX 0xffffffffULL

static size_t slot_of(const struct objnames *x, uint64_t key)
{
	size_t i = (size_t)((key * 0x9e3779b97f4a7c15ULL) >> 20) & (x->cap - 1);

	while (x->tab[i].name && x->tab[i].key != key)
		i = (i + 1) & (x->cap - 1);
	return i;
}

static struct err *grow(struct objnames *x)
{
	struct objname_key *old = x->tab;
	size_t n = x->cap;

	x->cap = n ? n * 2 : 4096;
	x->tab = zalloc(x->cap, sizeof(*x->tab));
	if (!x->tab) {
		x->tab = old;
		x->cap = n;
		return &err_nomem;
	}
	for (size_t i = 0; i < n; i++)
		if (old[i].name)
			x->tab[slot_of(x, old[i].key)] = old[i];
	free(old);
	return NULL;
}

struct err *objnames_add(struct objnames *x, const char *text, uint32_t *ret)
{
	if (!text || x->text.n >= UINT32_MAX - 1 || !vec_push(&x->text, text))
		return &err_nomem;
	*ret = (uint32_t)x->text.n - 1;
	return keep_err(&x->a->keep);
}

/* Elements of rows and of arrays: a place in one of them is a place in all. */
static void find_strides(struct objnames *x)
{
	const struct snapshot *s = x->a->s;

	for (size_t i = 1; i < s->types.n; i++) {
		const struct snap_type *st = &s->types.v[i];
		const struct go_type *t = NULL;

		if (st->kind == SNAP_TYPE_RTYPE && !s->dump)
			t = go_type_at(s->rtypes, st->rtype);
		x->stride[i] = st->array ? st->bytes : 0;
		for (int depth = 0; t && t->kind == GO_ARRAY && depth < 8; depth++) {
			t = go_type_at(s->rtypes, t->elem);
			x->stride[i] = t ? t->bytes : 0;
		}
	}
}

struct err *objnames_create(struct agg *a, struct objnames *ret)
{
	struct objnames x = { .a = a, .stride = zalloc(a->s->types.n + 1, sizeof(*x.stride)) };
	struct err *err = x.stride ? grow(&x) : &err_nomem;

	if (err) {
		objnames_deinit(&x);
		return err;
	}
	find_strides(&x);
	*ret = x;
	return NULL;
}

void objnames_deinit(struct objnames *x)
{
	vec_free(&x->text);
	free(x->tab);
	free(x->stride);
	x->tab = NULL;
	x->stride = NULL;
}

/* Number under a key; *ret_new: it is the caller's to make. */
static uint32_t *find(struct objnames *x, uint64_t key)
{
	if (2 * x->n >= x->cap) {
		struct err *err = grow(x);

		if (err) {
			err_free(err);
			return NULL;
		}
	}
	x->tab[slot_of(x, key)].key = key;
	return &x->tab[slot_of(x, key)].name;
}

static struct err *number(struct objnames *x, uint32_t *at, const char *text, uint32_t *ret)
{
	struct err *err = objnames_add(x, text, ret);

	if (!err) {
		*at = *ret + 1;
		x->n++;
	}
	return err;
}

struct err *objnames_type(struct objnames *x, const struct obj *o, uint32_t *ret)
{
	/* a span class may differ in pointers only: its own bit is in it */
	uint64_t key =
		o->type ? KEY_TYPE | o->type : KEY_SPAN | o->bytes << 1 | (o->span->noscan ? 1 : 0);
	uint32_t *at = find(x, key);
	char buf[256];

	if (!at)
		return &err_nomem;
	if (*at) {
		*ret = *at - 1;
		return NULL;
	}
	return number(
		x, at,
		keepf(&x->a->keep, "%s", snapshot_type_name(x->a->s, o->id, buf, sizeof(buf))),
		ret);
}

static const char *make_field(struct objnames *x, const struct obj *o, uint64_t off)
{
	const struct snap_type *st = o->type ? &x->a->s->types.v[o->type] : NULL;
	const char *name;
	char buf[256] = "";

	if (st && st->kind == SNAP_TYPE_CLOSURE)
		name = off ? snap_capture_name(x->a->s, st->entry, off) : "";
	else {
		snapshot_field_name(x->a->s, o->id, off + go_span_header(o->span), buf,
				    sizeof(buf));
		name = !strncmp(buf, "[0]", 3) ? buf + 3 : buf;
	}
	return keepf(&x->a->keep, "%s", name ? name : "");
}

struct err *objnames_field(struct objnames *x, const struct obj *o, uint64_t off, uint32_t *ret,
			   uint64_t *ret_index)
{
	uint64_t stride = o->type ? x->stride[o->type] : 0,
		 in = off - MIN(off, go_span_header(o->span));
	uint32_t *at;

	*ret_index = stride ? in / stride : in / 8;
	in = stride ? in % stride : in;
	at = find(x, ((uint64_t)o->type + 1) << 32 | (in & OFFSET_MAX));
	if (!at)
		return &err_nomem;
	if (*at) {
		*ret = *at - 1;
		return NULL;
	}
	return number(x, at, in > OFFSET_MAX ? "" : make_field(x, o, in), ret);
}

const char *objnames_root(struct agg *a, uint32_t r)
{
	const struct snap_root *root = &a->s->roots.v[r];
	struct ans_holder h;
	struct err *err;

	if (root->kind == SNAP_ROOT_GOROUTINE && root->goroutine < a->s->stacks.gs.n)
		return agg_goroutine_name(a, root->goroutine);
	err = agg_holder(a, r + 1, GRAPH_NONE, &h);
	if (err) {
		err_free(err);
		return root->name ? root->name : "(a root)";
	}
	return keepf(&a->keep, "%s%s%s", h.name, *h.type ? " " : "", h.type);
}

const char *objnames_slot(struct agg *a, uint32_t r, const struct snap_slot *sl)
{
	const struct snapshot *s = a->s;
	const struct snap_root *root = &s->roots.v[r];
	const struct go_frame *f;
	struct snap_local l;
	struct go_line line;

	if (sl->frame >= s->stacks.frames.n) {
		if (sl->at > root->addr && root->bytes && sl->at - root->addr < root->bytes)
			return keepf(&a->keep, "+%" PRIu64, sl->at - root->addr);
		return "";
	}
	if (snap_local_at(a->s, sl->frame, sl->at, &l))
		return keepf(&a->keep, "%s: %s", l.function, l.name);
	f = &s->stacks.frames.v[sl->frame];
	if (!go_lines_at(s->go, go_frame_line_pc(f), &line, 1) || !line.function)
		return "";
	return line.function;
}
