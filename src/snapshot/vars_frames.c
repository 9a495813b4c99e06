/*
 * vars_frames.c - locals and parameters of frames: by pc once, then for each frame with that pc.
 *
 * DWARF says of a variable whose address was taken that it is always there, and stack slots are
 * shared by variables that do not live at the same time (cmd/compile/internal/liveness,
 * mergelocals.go).  So a local is believed only where the collector's live words in its place
 * are just its pointers, in frames with a stack map, and no other variable is there too.
 * Cost: a walk through a function a pc, 60 bytes a local.
 */
#include "snapshot/vars_priv.h"

#include "goruntime/heap_io.h"

#include <stdio.h>

#define MAX_LOCALS	4096
#define MAX_LOCAL_BYTES (64U << 10)

struct gather {
	struct snapshot *s;
	struct snap_dwarf *x;
	VEC(struct pc_local) v;
	const char *function; /* of the pc itself */
};

static uint64_t whole_bytes(struct snapshot *s, taddr rtype)
{
	const struct go_type *t = go_type_at(s->rtypes, rtype);

	return t ? t->bytes : 0;
}

static bool push(struct gather *g, struct pc_local *l)
{
	l->name = snap_text(g->s->names, l->name);
	l->function = snap_text(g->s->names, l->function);
	return l->name && l->function && g->v.n < MAX_LOCALS && vec_push(&g->v, *l);
}

/* All parts in the frame, one behind the other. */
static bool contiguous(const struct dwarf_local *v, uint64_t bytes)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < v->nparts; i++) {
		if (v->parts[i].where != DWARF_AT_CFA ||
		    v->parts[i].off != v->parts[0].off + (int64_t)sum)
			return false;
		sum += v->parts[i].bytes;
	}
	return v->nparts && sum == bytes;
}

static bool one_piece(const struct dwarf_local *v)
{
	return v->nparts == 1 && !v->parts[0].bytes;
}

/* The word in the frame is a pointer to the variable, which has moved to the heap. */
static bool push_moved(struct gather *g, const struct dwarf_local *v, struct pc_local l)
{
	struct go_type t = { .kind = GO_POINTER,
			     .bytes = 8,
			     .ptr_bytes = 8,
			     .direct_iface = true,
			     .pkg_path = "",
			     .elem = l.rtype };
	const struct go_type *e = go_type_at(g->s->rtypes, l.rtype);
	uint64_t known = 0;

	if (e && !id_map_get(&g->x->types, ~l.rtype, &known)) {
		t.name = snap_textf(g->s->names, "*%s", e->name);
		known = t.name ? go_type_make(g->s->rtypes, &t) : 0;
		(void)!id_map_put(&g->x->types, ~l.rtype, known);
	}
	l.name = snap_textf(g->s->names, "&%s", v->name);
	l.rtype = known;
	l.cfa = v->parts[0].off;
	l.bytes = 8;
	l.whole = true;
	return l.name && push(g, &l);
}

static bool push_parts(struct gather *g, const struct dwarf_local *v, struct pc_local l)
{
	for (unsigned i = 0; i < v->nparts; i++) {
		const struct dwarf_part *p = &v->parts[i];

		l.cfa = p->off;
		l.bytes = p->bytes;
		if (p->where == DWARF_AT_CFA && p->bytes < MAX_LOCAL_BYTES && !push(g, &l))
			return false;
		l.off += p->bytes;
	}
	return true;
}

static struct err *see_local(void *arg, const struct dwarf_local *v)
{
	struct gather *g = arg;
	struct pc_local l = {
		.name = v->name,
		.function = v->function ? v->function : g->function,
		.depth = v->depth,
		.by_range = v->by_range,
		.parameter = v->parameter,
	};
	bool ok = true;

	if (!v->nparts || g->v.n >= MAX_LOCALS)
		return NULL;
	l.rtype = snap_dwarf_type(g->s, g->x, v->type);
	l.bytes = whole_bytes(g->s, l.rtype);
	if (one_piece(v) && v->parts[0].where == DWARF_BEHIND_CFA) {
		ok = push_moved(g, v, l);
	} else if (one_piece(v) ? v->parts[0].where == DWARF_AT_CFA : contiguous(v, l.bytes)) {
		l.cfa = v->parts[0].off;
		l.whole = true;
		ok = !l.bytes || push(g, &l);
	} else if (!one_piece(v)) {
		ok = push_parts(g, v, l);
	}
	return ok ? NULL : &err_nomem;
}

static int by_cfa(const void *a, const void *b)
{
	const struct pc_local *x = a, *y = b;

	if (x->cfa != y->cfa)
		return x->cfa < y->cfa ? -1 : 1;
	return (x->depth < y->depth) - (x->depth > y->depth);
}

static struct err *make_locals(struct snapshot *s, struct snap_dwarf *x, taddr pc,
			       struct pc_locals *ret)
{
	struct gather g = { .s = s, .x = x, .function = "" };
	struct go_func f;
	struct err *err;

	if (go_func_at(s->go, pc, &f))
		g.function = f.name;
	err = dwarf_locals(x->d, go_debug_link(x->file, pc), see_local, &g);
	if (err) {
		vec_free(&g.v);
		return err;
	}
	if (g.v.n)
		qsort(g.v.v, g.v.n, sizeof(*g.v.v), by_cfa);
	*ret = (struct pc_locals){ g.v.v, g.v.n };
	return NULL;
}

const struct pc_locals *snap_pc_locals(struct snapshot *s, struct snap_dwarf *x, taddr pc)
{
	struct pc_locals l = { 0 };
	uint64_t at;
	struct err *err;

	if (id_map_get(&x->pcs, pc, &at))
		return at ? &x->locals.v[at - 1] : NULL;
	err = make_locals(s, x, pc, &l);
	if (err) {
		x->nomem = x->nomem || err->code == ERR_NOMEM;
		err_free(err);
	}
	if (!l.n) {
		(void)!id_map_put(&x->pcs, pc, 0);
		return NULL;
	}
	if (!vec_push(&x->locals, l) || !id_map_put(&x->pcs, pc, x->locals.n)) {
		x->nomem = true;
		return NULL;
	}
	return &x->locals.v[x->locals.n - 1];
}

struct frames {
	struct snapshot *s;
	struct snap_dwarf *x;
	struct go_io io;
	VEC(struct snap_slot) all;     /* of the root at hand, by frame and address */
	const struct snap_slot *words; /* those of the frame at hand */
	size_t nwords;
	uint32_t root;
};

static bool is_live(const struct frames *f, taddr at)
{
	size_t lo = 0, hi = f->nwords;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (f->words[mid].at < at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < f->nwords && f->words[lo].at == at;
}

/* Each live word in the variable's place is one of its pointers; at least one there is. */
static bool live_are_pointers(struct frames *f, const struct go_type *t, taddr at)
{
	bool any = false;

	for (size_t i = 0; i < f->nwords; i++) {
		taddr w = f->words[i].at;

		if (w < at || w - at >= t->bytes)
			continue;
		if (!snap_pointer_word(f->s, t, w - at))
			return false;
		any = true;
	}
	return any;
}

/* Each of its pointers that leads to an object is a live word. */
static bool pointers_are_live(struct frames *f, const struct go_type *t, taddr at)
{
	for (uint64_t off = 0; off < t->ptr_bytes; off += 8) {
		uint64_t word;
		struct err *err;

		if (is_live(f, at + off) || !snap_pointer_word(f->s, t, off))
			continue;
		err = go_io_read(&f->io, at + off, &word, sizeof(word));
		if (err) {
			err_free(err);
			return false;
		}
		if (go_heap_object_at(&f->s->heap, word) != GO_NO_OBJECT)
			return false;
	}
	return true;
}

/* Another variable of another type in the same place: one of them is not alive. */
static bool disputed(const struct pc_locals *l, size_t i)
{
	const struct pc_local *a = &l->v[i];

	for (size_t k = 0; k < l->n; k++) {
		const struct pc_local *b = &l->v[k];

		if (k == i || b->cfa >= a->cfa + (int64_t)a->bytes ||
		    a->cfa >= b->cfa + (int64_t)b->bytes)
			continue;
		if (b->rtype != a->rtype || b->cfa != a->cfa || b->off != a->off)
			return true;
	}
	return false;
}

static bool same_place_before(const struct pc_locals *l, size_t i)
{
	return i && l->v[i - 1].cfa == l->v[i].cfa && l->v[i - 1].rtype == l->v[i].rtype &&
	       l->v[i - 1].off == l->v[i].off;
}

static struct err *frame_var(struct frames *f, uint32_t frame, const struct pc_locals *l, size_t i)
{
	const struct pc_local *p = &l->v[i];
	const struct go_type *t = go_type_at(f->s->rtypes, p->rtype);
	struct snap_var v = {
		.at = f->s->stacks.frames.v[frame].fp + (uint64_t)p->cfa,
		.name = p->name,
		.root = f->root,
		.frame = frame,
		.rank = SNAP_RANK_FLOW,
	};

	/* of a part: only if that is a value of its own */
	if (t && !p->whole)
		t = snap_subtype(f->s, t, p->off, p->bytes);
	if (!t || !t->ptr_bytes || t->bytes > MAX_LOCAL_BYTES || same_place_before(l, i) ||
	    disputed(l, i) || !live_are_pointers(f, t, v.at) || !pointers_are_live(f, t, v.at))
		return NULL;
	v.rtype = t->addr;
	return vec_push(&f->s->vars, v) ? NULL : &err_nomem;
}

static int by_frame_at(const void *a, const void *b)
{
	const struct snap_slot *x = a, *y = b;

	if (x->frame != y->frame)
		return x->frame < y->frame ? -1 : 1;
	return (x->at > y->at) - (x->at < y->at);
}

/* What a stack map says is alive: not what was taken for a pointer for want of one. */
enum {
	NOT_BY_MAP =
		GO_SLOT_CONSERVATIVE | GO_SLOT_REGISTER | GO_SLOT_DEFER | GO_SLOT_PANIC | GO_SLOT_G
};

static struct err *one_frame(struct frames *f, uint32_t frame)
{
	const struct go_frame *fr = &f->s->stacks.frames.v[frame];
	const struct pc_locals *l;
	struct err *err = NULL;

	if (fr->flags & (GO_FRAME_CONSERVATIVE | GO_FRAME_NO_MAP))
		return NULL;
	l = snap_pc_locals(f->s, f->x, go_frame_line_pc(fr));
	if (!l)
		return NULL;
	for (size_t i = 0; i < l->n && !err; i++)
		err = frame_var(f, frame, l, i);
	return err;
}

/* The root's live words, frame after frame: words of stack objects come behind all others. */
static struct err *take_slots(struct frames *f, const struct snap_root *r)
{
	f->all.n = 0;
	for (uint64_t i = r->first_slot; i < r->first_slot + r->nslots; i++) {
		const struct snap_slot *sl = &f->s->slots.v[i];

		if (sl->at && sl->frame < f->s->stacks.frames.n && !(sl->flags & NOT_BY_MAP) &&
		    !vec_push(&f->all, *sl))
			return &err_nomem;
	}
	if (f->all.n)
		qsort(f->all.v, f->all.n, sizeof(*f->all.v), by_frame_at);
	return NULL;
}

static struct err *one_root(struct frames *f, uint32_t root)
{
	struct err *err = take_slots(f, &f->s->roots.v[root]);

	f->root = root;
	for (size_t i = 0, k; i < f->all.n && !err; i = k) {
		for (k = i + 1; k < f->all.n && f->all.v[k].frame == f->all.v[i].frame; k++)
			;
		f->words = &f->all.v[i];
		f->nwords = k - i;
		err = one_frame(f, f->all.v[i].frame);
	}
	return err;
}

struct err *snap_vars_frames(struct snapshot *s, struct snap_dwarf *x)
{
	struct frames f = { .s = s, .x = x };
	struct err *err = go_io_init(&f.io, s->go);

	for (uint32_t i = 0; i < s->roots.n && !err; i++)
		if (s->roots.v[i].kind == SNAP_ROOT_GOROUTINE)
			err = one_root(&f, i);
	go_io_deinit(&f.io);
	vec_free(&f.all);
	return err;
}

/* The best of those that cover the word: the whole before a part, inner before outer. */
static const struct pc_local *covering(const struct pc_locals *l, int64_t cfa)
{
	const struct pc_local *best = NULL;

	for (size_t i = 0; l && i < l->n; i++) {
		const struct pc_local *p = &l->v[i];

		if (cfa < p->cfa || cfa - p->cfa >= (int64_t)p->bytes)
			continue;
		if (!best || (p->by_range && !best->by_range) ||
		    (p->by_range == best->by_range && p->depth > best->depth))
			best = p;
	}
	return best;
}

bool snap_local_at(struct snapshot *s, uint32_t frame, taddr at, struct snap_local *ret)
{
	struct snap_dwarf *x = s->dwarf;
	const struct pc_local *p, *after;
	const struct go_frame *f;

	if (!x || frame >= s->stacks.frames.n || !at)
		return false;
	f = &s->stacks.frames.v[frame];
	pthread_mutex_lock(&x->lock);
	p = covering(snap_pc_locals(s, x, go_frame_line_pc(f)), (int64_t)(at - f->fp));
	after = p ? covering(snap_pc_locals(s, x, f->pc), (int64_t)(at - f->fp)) : NULL;
	if (p)
		*ret = (struct snap_local){
			.name = p->name,
			.function = p->function,
			.type = go_type_at(s->rtypes, p->rtype),
			.off = p->off + (uint64_t)((int64_t)(at - f->fp) - p->cfa),
			.role = p->parameter ? SNAP_LOCAL_PARAMETER : SNAP_LOCAL_VARIABLE,
			.ends = !after || strcmp(after->name, p->name),
		};
	pthread_mutex_unlock(&x->lock);
	return p;
}
