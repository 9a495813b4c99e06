/*
 * look_locks_name.c - what a lock is called: the field of its owner, down to the lock itself.
 *
 * snapshot_field_name() goes on into the lock's own words; here the lock's type ends the way.
 * Globals without pointers have no root: they are known by symbols or, in a stripped program, by
 * the function that locks them.
 */
#include "find/look_locks.h"

#include "base/str.h"
#include "snapshot/vars.h"

enum { DEPTH_MAX = 16 };

static bool is_one_of(struct go_types *ts, const struct go_type *t, const char *const *names)
{
	const char *full = t->named ? go_type_full(ts, t) : "";

	for (; *names; names++)
		if (!strcmp(full, *names))
			return true;
	return false;
}

static const struct go_type *field_at(struct go_types *ts, const struct go_type *t, uint64_t *off,
				      struct str *o)
{
	for (size_t i = t->nfields; i-- > 0;) {
		const struct go_type *f = go_type_at(ts, t->fields[i].type);

		if (!f || *off < t->fields[i].offset || *off - t->fields[i].offset >= f->bytes)
			continue;
		*off -= t->fields[i].offset;
		str_printf(o, ".%s", t->fields[i].name);
		return f;
	}
	return NULL;
}

/* Down from a value of t to what is asked for at off of it; false: there is none. */
static bool path_to(struct go_types *ts, const struct go_type *t, uint64_t off,
		    const char *const *names, struct str *o)
{
	for (unsigned depth = 0; t && depth < DEPTH_MAX; depth++) {
		if (!off && (names ? is_one_of(ts, t, names) : t->kind == GO_POINTER))
			return true;
		if (t->kind == GO_STRUCT) {
			t = field_at(ts, t, &off, o);
		} else if (t->kind == GO_ARRAY && off < t->bytes) {
			t = go_type_at(ts, t->elem);
			if (!t || !t->bytes)
				return false;
			str_printf(o, "[%" PRIu64 "]", off / t->bytes);
			off %= t->bytes;
		} else {
			return false;
		}
	}
	return false;
}

static const char *kept_path(const struct look *l, const struct go_type *t, uint64_t off,
			     const char *const *names)
{
	_cleanup_(str_deinit) struct str o = { 0 };

	if (!t || !path_to(l->s->rtypes, t, off, names, &o) || !o.s)
		return "";
	return keepn(l->keep, o.s, o.n);
}

static const char *field_of_object(const struct look *l, taddr at, uint64_t object,
				   const char *const *names, const char **ret_owner)
{
	const struct snapshot *s = l->s;
	uint32_t number = s->type_of ? s->type_of[object] : 0;
	const struct snap_type *t = number < s->types.n ? &s->types.v[number] : NULL;
	const struct go_span *sp = go_heap_span_at(&s->heap, at);
	const struct go_type *rt;
	uint64_t header = sp ? go_span_header(sp) : 0;
	uint64_t off = at - go_heap_address(&s->heap, object, NULL);

	off -= MIN(off, header);
	if (!t || t->kind != SNAP_TYPE_RTYPE || t->rank <= SNAP_RANK_GUESS)
		return "";
	rt = go_type_at(s->rtypes, t->rtype);
	if (!rt || !rt->bytes)
		return "";
	*ret_owner = keepf(l->keep, "%s", t->name);
	if (!t->array)
		return kept_path(l, rt, off, names);
	return keepf(l->keep, "[%" PRIu64 "]%s", off / rt->bytes,
		     kept_path(l, rt, off % rt->bytes, names));
}

const char *look_field_of(const struct look *l, taddr at, const char *const *names,
			  const char **ret_owner)
{
	uint64_t object = go_heap_object_at(&l->s->heap, at);
	size_t i = snap_var_at(l->s, at);
	const char *sym;
	taddr start;

	*ret_owner = "";
	if (object != GO_NO_OBJECT)
		return field_of_object(l, at, object, names, ret_owner);
	if (i < l->s->vars.n && l->s->vars.v[i].frame == UINT32_MAX) {
		const struct snap_var *v = &l->s->vars.v[i];

		*ret_owner = v->name ? v->name : "";
		return kept_path(l, go_type_at(l->s->rtypes, v->rtype), at - v->at, names);
	}
	sym = snapshot_symbol(l->s, at, &start);
	if (!sym)
		return "";
	*ret_owner = sym;
	return at == start ? "" : keepf(l->keep, "+0x%" PRIx64, at - start);
}

const char *look_field_to_place(const struct look *l, taddr at, const char **ret_owner)
{
	return look_field_of(l, at, NULL, ret_owner);
}

const char *look_lock_field(const struct look *l, const struct look_lock *k, const char **ret_owner)
{
	static const char *const names[] = { "sync.Mutex", "sync.RWMutex", "sync.WaitGroup", NULL };
	const char *field = look_field_of(l, k->at, names, ret_owner);

	if (!**ret_owner && k->object == GO_NO_OBJECT && k->node != GRAPH_NONE && k->node) {
		const struct snap_root *r = &l->s->roots.v[k->node - 1];

		*ret_owner = r->name ? r->name : "";
		return k->at == r->addr ? "" : keepf(l->keep, "+0x%" PRIx64, k->at - r->addr);
	}
	return field;
}

const char *look_lock_name(const struct look *l, const struct look_locks *x,
			   const struct look_lock *k)
{
	const char *owner, *field = look_lock_field(l, k, &owner);
	const struct look_waiter *w = &x->waiters.v[k->first_waiter];

	if (*owner)
		return keepf(l->keep, "%s%s", owner, field);
	return keepf(l->keep, "the %s that %s %ss", k->word, w->at.function,
		     k->kind == LOOK_SEMAPHORE ? "wait" : "lock");
}
