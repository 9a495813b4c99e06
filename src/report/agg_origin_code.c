/*
 * agg_origin_code.c - where an object may have been allocated, by the program's code.
 *
 * For programs that take no samples (most: the linker leaves the profile out where nobody reads
 * it): the calls of the allocator with the object's type.  One place: it was there, unless
 * reflection or a generic function made it.  Knows amd64 alone (goruntime/coderefs.h).  Cost: a
 * line table look-up for each call of that type.
 */
#include "report/agg_sites.h"

#include "goruntime/coderefs.h"
#include "goruntime/funcs.h"

enum { PLACES_MAX = 64, SHOWN_MAX = 8, LINES_MAX = 16 };

enum whose { THE_PROGRAMS, THE_RUNTIMES };

struct makers {
	struct agg *a;
	struct ans_origin *o;
	size_t looked;
	enum whose whose; /* calls in packages of that kind count now */
};

static enum whose whose(const char *function)
{
	return strncmp(function, "runtime.", 8) ? THE_PROGRAMS : THE_RUNTIMES;
}

static struct ans_frame frame_at(const struct go_line *l)
{
	return (struct ans_frame){ l->function, l->file, l->line, l->inlined };
}

/* The first one's stack is what was inlined into each other there. */
static struct err *add_call(struct makers *m, taddr pc)
{
	struct go_line lines[LINES_MAX];
	size_t n = go_lines_at(m->a->s->go, pc, lines, LINES_MAX);
	struct ans_origin *o = m->o;
	struct ans_origin_site x = { .count = 1, .site = UINT32_MAX };

	if (!n || whose(lines[0].function) != m->whose)
		return NULL;
	x.frame = frame_at(&lines[0]);
	o->of++;
	for (size_t i = 0; i < o->sites.n; i++) {
		struct ans_origin_site *y = &o->sites.v[i];

		if (y->frame.line == x.frame.line && !strcmp(y->frame.file, x.frame.file)) {
			y->count++;
			return NULL;
		}
	}
	if (!o->sites.n)
		for (size_t i = 0; i < n; i++)
			if (!vec_push(&o->stack, frame_at(&lines[i])))
				return &err_nomem;
	if (o->sites.n == SHOWN_MAX) {
		o->others++;
		return NULL;
	}
	return vec_push(&o->sites, x) ? NULL : &err_nomem;
}

static struct err *calls_of(struct makers *m, taddr rtype, enum go_code_make how)
{
	const struct go_code *c = m->a->s->code;
	size_t n;
	const struct go_code_alloc *x = go_code_allocs_of(c, rtype, &n);
	struct err *err = NULL;

	for (size_t i = 0; i < n && !err && m->looked < PLACES_MAX; i++) {
		if (x[i].how != how)
			continue;
		m->looked++;
		err = add_call(m, go_code_alloc_pc(c, &x[i]));
	}
	return err;
}

/* make(chan T) of any direction: the type that the runtime is told is the channel's. */
static struct err *channels_of(struct makers *m, taddr elem)
{
	const struct go_code *c = m->a->s->code;
	size_t n;
	const struct go_code_alloc *x = go_code_allocs(c, &n);
	struct err *err = NULL;
	taddr last = 0;

	for (size_t i = 0; i < n && !err; i++) {
		const struct go_type *t;

		if (x[i].how != GO_CODE_MAKE_VALUE || x[i].rtype == last)
			continue;
		last = x[i].rtype;
		t = go_type_at(m->a->s->rtypes, last);
		if (t && t->kind == GO_CHAN && t->elem == elem)
			err = calls_of(m, last, GO_CODE_MAKE_VALUE);
	}
	return err;
}

static struct err *makers_of(struct makers *m, const struct snap_type *t)
{
	struct err *err = NULL;

	switch (t->kind) {
	case SNAP_TYPE_RTYPE:
		if (!t->array)
			err = calls_of(m, t->rtype, GO_CODE_MAKE_ONE);
		if (!err && !m->o->of)
			err = calls_of(m, t->rtype, GO_CODE_MAKE_ROW);
		return err;
	case SNAP_TYPE_CHAN:
		return channels_of(m, t->rtype);
	case SNAP_TYPE_MAP:
		err = calls_of(m, t->rtype, GO_CODE_MAKE_VALUE);
		return err || m->o->of ? err : calls_of(m, t->rtype, GO_CODE_MAKE_INSERT);
	case SNAP_TYPE_PART:
		return calls_of(m, t->rtype, GO_CODE_MAKE_INSERT);
	case SNAP_TYPE_CLOSURE:
		return calls_of(m, go_code_closure_type(m->a->s->code, t->entry), GO_CODE_MAKE_ONE);
	default:
		return NULL;
	}
}

struct err *agg_origin_code(struct agg *a, uint64_t object, struct ans_origin *o)
{
	const struct snapshot *s = a->s;
	struct makers m = { .a = a, .o = o };
	const struct snap_type *t;
	struct err *err;
	char buf[64];

	if (!s->code || !snapshot_is_typed(s, object))
		return NULL;
	t = &s->types.v[s->type_of[object]];
	err = makers_of(&m, t);
	/* runtime.gcenable makes a chan int, too: behind what the program makes */
	m.whose = THE_RUNTIMES;
	m.looked = 0;
	if (!err)
		err = makers_of(&m, t);
	if (err || !o->of)
		return err;
	o->by_code = true;
	o->basis = "code";
	o->like = keepf(&a->keep, "%s", snapshot_type_name(s, object, buf, sizeof(buf)));
	return NULL;
}
