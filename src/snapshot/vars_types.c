/*
 * vars_types.c - types of DWARF as rtypes: the target's own where it has one, else made.
 *
 * An address or offset in DWARF is believed only if an rtype of that kind and size lies there.
 * Types may refer to each other in circles, through pointers: what those lead to gets an address
 * first and is made later.
 * Source: cmd/link/internal/ld/dwarf.go; DW_AT_go_runtime_type is an address, from 1.26 on an
 * offset in the module's types: both are tried.  Cost: one visit a type.
 */
#include "snapshot/vars_priv.h"

#include "base/str.h"

#define MAX_TYPE_DEPTH 64
#define MAX_ELEMS      (1ULL << 32)
#define MAX_FIELDS     4096

static struct id_entry *entry_of(const struct id_map *m, uint64_t key)
{
	size_t i = (size_t)(key * 0x9e3779b97f4a7c15ULL >> 20) & (m->cap - 1);

	while (m->tab[i].key && m->tab[i].key != key)
		i = (i + 1) & (m->cap - 1);
	return &m->tab[i];
}

bool id_map_get(const struct id_map *m, uint64_t key, uint64_t *ret)
{
	const struct id_entry *e = m->cap && key ? entry_of(m, key) : NULL;

	if (!e || !e->key)
		return false;
	*ret = e->value;
	return true;
}

static bool id_map_grow(struct id_map *m)
{
	struct id_map bigger = { .cap = m->cap ? m->cap * 2 : 1024, .n = m->n };

	bigger.tab = zalloc(bigger.cap, sizeof(*bigger.tab));
	if (!bigger.tab)
		return false;
	for (size_t i = 0; i < m->cap; i++)
		if (m->tab[i].key)
			*entry_of(&bigger, m->tab[i].key) = m->tab[i];
	free(m->tab);
	*m = bigger;
	return true;
}

bool id_map_put(struct id_map *m, uint64_t key, uint64_t value)
{
	struct id_entry *e;

	if (!key || (m->n * 2 >= m->cap && !id_map_grow(m)))
		return false;
	e = entry_of(m, key);
	m->n += !e->key;
	*e = (struct id_entry){ key, value };
	return true;
}

/* Bytes of "[...]" from its bracket on. */
static size_t bracketed(const char *p)
{
	size_t n = 0, depth = 0;

	do {
		depth += p[n] == '[';
		depth -= p[n] == ']';
	} while (p[n] && (n++, depth));
	return n;
}

/*
 * "net/http.Server" as the program names it: "http.Server"; likewise inside of other types.  Only
 * type arguments keep their paths: "atomic.Pointer[net/http.Server]".
 */
static const char *short_name(struct snapshot *s, const char *full)
{
	_cleanup_(str_deinit) struct str out = { 0 };
	size_t word = 0;

	for (const char *p = full; *p; p++) {
		if (*p == '/') {
			out.n = word;
			continue;
		}
		if (*p == '[' && out.n > word &&
		    (out.n - word != 3 || strncmp(out.s + word, "map", 3))) {
			size_t n = bracketed(p);

			str_putn(&out, p, n);
			p += n - 1;
			continue;
		}
		str_putn(&out, p, 1);
		if (strchr("*[](){},; \"", *p))
			word = out.n;
	}
	if (!str_ok(&out) || !out.s)
		return *full ? NULL : "";
	out.s[out.n] = 0;
	return snap_text(s->names, out.s);
}

/* "net/http" of "net/http.Server", "" of what is no defined type; the package of its own name. */
static const char *package_of(struct snapshot *s, const char *full)
{
	size_t end = strcspn(full, "["), slash = 0;
	const char *dot;

	if (!*full || strchr("*[<(", *full) || strcspn(full, "{( ") < end)
		return "";
	for (size_t i = 0; i < end; i++)
		slash = full[i] == '/' ? i : slash;
	dot = memchr(full + slash, '.', end - slash);
	return dot && dot > full ? snap_textf(s->names, "%.*s", (int)(dot - full), full) : "";
}

static bool fits(const struct go_type *t, const struct dwarf_type *d)
{
	return t && t->kind == d->kind && t->bytes == d->bytes;
}

static taddr own_rtype(struct snapshot *s, const struct snap_dwarf *x, const struct dwarf_type *d)
{
	taddr at;

	if (!d->rtype)
		return 0;
	for (size_t i = 0; i < s->go->nmodules; i++) {
		const struct go_module *m = &s->go->modules[i];

		at = m->types.start + d->rtype;
		if (d->rtype < trange_bytes(m->types) && fits(go_type_at(s->rtypes, at), d))
			return at;
		if (m == s->go->modules) {
			at = go_debug_run(x->file, d->rtype);
			if (go_type_maybe(s->go, at) && fits(go_type_at(s->rtypes, at), d))
				return at;
		}
	}
	return 0;
}

/* Where the type is or will be; 0: neither. */
static taddr address_of(struct snapshot *s, struct snap_dwarf *x, uint64_t id)
{
	struct dwarf_type d;
	uint64_t known;
	taddr at = 0;

	if (id_map_get(&x->types, id, &known))
		return known;
	if (!dwarf_type_at(x->d, id, &d))
		return 0;
	if (id_map_get(&x->types, d.id, &known))
		return known;
	if (!d.shape)
		at = own_rtype(s, x, &d);
	if (!at && !d.shape) {
		at = go_type_reserve(s->rtypes);
		if (at && !vec_push(&x->pending, (struct id_entry){ d.id, at }))
			x->nomem = true;
	}
	if (!id_map_put(&x->types, d.id, at))
		x->nomem = true;
	return at;
}

struct making {
	struct snapshot *s;
	struct snap_dwarf *x;
	VEC(struct go_type_field) fields;
	uint64_t ptr_bytes;
	uint64_t bytes;
	bool bad;
};

static bool make_field(void *arg, const struct dwarf_type_field *f)
{
	struct making *m = arg;
	taddr type = snap_dwarf_type(m->s, m->x, f->type);
	const struct go_type *t = go_type_at(m->s->rtypes, type);
	struct go_type_field x = {
		.name = f->name, .offset = f->offset, .type = type, .embedded = f->embedded
	};

	if (!t || f->offset > m->bytes || t->bytes > m->bytes - f->offset ||
	    m->fields.n >= MAX_FIELDS || !vec_push(&m->fields, x)) {
		m->bad = true;
		return false;
	}
	if (t->ptr_bytes)
		m->ptr_bytes = f->offset + t->ptr_bytes;
	return true;
}

static bool make_struct(struct making *m, const struct dwarf_type *d, struct go_type *t)
{
	m->bytes = d->bytes;
	dwarf_type_fields(m->x->d, d->id, make_field, m);
	t->fields = m->fields.v;
	t->nfields = m->fields.n;
	t->ptr_bytes = m->ptr_bytes;
	return !m->bad;
}

static bool make_array(struct making *m, const struct dwarf_type *d, struct go_type *t)
{
	const struct go_type *e;

	t->elem = snap_dwarf_type(m->s, m->x, d->elem);
	t->len = d->count;
	e = go_type_at(m->s->rtypes, t->elem);
	if (!e || d->count > MAX_ELEMS || (e->bytes && d->count > t->bytes / e->bytes))
		return false;
	t->ptr_bytes = e->ptr_bytes && d->count ? (d->count - 1) * e->bytes + e->ptr_bytes : 0;
	return true;
}

static bool make_parts(struct making *m, const struct dwarf_type *d, struct go_type *t)
{
	switch (d->kind) {
	case GO_STRUCT:
		return make_struct(m, d, t);
	case GO_ARRAY:
		return make_array(m, d, t);
	case GO_MAP:
		t->key = address_of(m->s, m->x, d->key);
		__attribute__((fallthrough));
	case GO_POINTER:
	case GO_SLICE:
	case GO_CHAN:
		t->elem = address_of(m->s, m->x, d->elem);
		t->ptr_bytes = 8;
		return true;
	case GO_INTERFACE:
		t->ptr_bytes = 16;
		return true;
	case GO_STRING:
	case GO_FUNC:
	case GO_UNSAFE_POINTER:
		t->ptr_bytes = 8;
		return true;
	default:
		return d->kind >= GO_BOOL && d->kind <= GO_COMPLEX128;
	}
}

/* What has an address and is no type yet. */
static bool is_pending(struct snapshot *s, taddr at)
{
	return go_type_made(at) && !go_type_at(s->rtypes, at);
}

static void make(struct snapshot *s, struct snap_dwarf *x, uint64_t id, taddr at)
{
	struct making m = { .s = s, .x = x };
	struct dwarf_type d;
	struct go_type t = { .addr = at };
	bool made = false;

	if (x->depth >= MAX_TYPE_DEPTH || !dwarf_type_at(x->d, id, &d))
		return;
	x->depth++;
	t.kind = d.kind;
	t.bytes = d.bytes;
	t.name = short_name(s, d.name);
	t.pkg_path = package_of(s, d.name);
	t.named = t.pkg_path && *t.pkg_path;
	if (t.name && t.pkg_path && make_parts(&m, &d, &t))
		made = go_type_make(s->rtypes, &t);
	vec_free(&m.fields);
	x->depth--;
	if (!made && !id_map_put(&x->types, d.id, 0))
		x->nomem = true;
}

/* Types that only pointers led to: made when nothing else is being made, or they would nest. */
static void make_pending(struct snapshot *s, struct snap_dwarf *x)
{
	while (!x->depth && x->pending.n) {
		struct id_entry e = x->pending.v[--x->pending.n];

		if (is_pending(s, e.value))
			make(s, x, e.key, e.value);
	}
}

taddr snap_dwarf_type(struct snapshot *s, struct snap_dwarf *x, uint64_t id)
{
	taddr at = address_of(s, x, id);

	if (is_pending(s, at))
		make(s, x, id, at);
	make_pending(s, x);
	return go_type_at(s->rtypes, at) ? at : 0;
}

static const struct go_type *step(struct snapshot *s, const struct go_type *t, uint64_t *off)
{
	const struct go_type *e;

	if (t->kind == GO_ARRAY) {
		e = go_type_at(s->rtypes, t->elem);
		if (!e || !e->bytes)
			return NULL;
		*off %= e->bytes;
		return e;
	}
	for (size_t i = 0; t->kind == GO_STRUCT && i < t->nfields; i++) {
		e = go_type_at(s->rtypes, t->fields[i].type);
		if (!e || *off < t->fields[i].offset || *off - t->fields[i].offset >= e->bytes)
			continue;
		*off -= t->fields[i].offset;
		return e;
	}
	return NULL;
}

const struct go_type *snap_subtype(struct snapshot *s, const struct go_type *t, uint64_t off,
				   uint64_t bytes)
{
	for (unsigned i = 0; t && i < MAX_TYPE_DEPTH; i++) {
		if (!off && t->bytes == bytes)
			return t;
		t = step(s, t, &off);
	}
	return NULL;
}

bool snap_pointer_word(struct snapshot *s, const struct go_type *t, uint64_t off)
{
	for (unsigned i = 0; t && i < MAX_TYPE_DEPTH; i++) {
		if (off >= t->ptr_bytes)
			return false;
		if (t->kind != GO_ARRAY && t->kind != GO_STRUCT)
			return !off || t->kind == GO_INTERFACE;
		t = step(s, t, &off);
	}
	return false;
}
