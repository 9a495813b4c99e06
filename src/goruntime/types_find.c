/*
 * types_find.c - types by name, names in full, places by path.
 *
 * A defined type's string is "pkg.Name" with the last element of its package path, or what the
 * package calls itself; the path stands in UncommonType.PkgPath (internal/abi/type.go).
 * Cost: the first look-up by name hashes all defined types; each name in full is made once.
 */
#include "goruntime/types_priv.h"

#include "base/str.h"

#define MAX_DEPTH     16
#define MAX_FULL      4096
#define MAX_EMBEDDED  8
#define MAX_TRIES     100000U
#define HASH_SEED     0xcbf29ce484222325ULL
#define HASH_MULTIPLY 0x100000001b3ULL

/*
 * Index of the name in the string of a defined type: behind the package's name.  That is the last
 * element of its path, also with dots in it ("go.shape"), or what the package calls itself
 * ("yaml" of "gopkg.in/yaml.v3").
 */
static size_t base_at(const char *s, size_t n, const char *pkg, size_t npkg)
{
	size_t last = npkg, nlast;

	if (!npkg)
		return 0;
	while (last && pkg[last - 1] != '/')
		last--;
	nlast = npkg - last;
	if (n > nlast && !memcmp(s, pkg + last, nlast) && s[nlast] == '.')
		return nlast + 1;
	for (size_t i = 0; i < n && s[i] != '['; i++) {
		if (s[i] == '.')
			return i + 1;
	}
	return 0;
}

static uint64_t hash(const char *s, size_t n)
{
	uint64_t h = HASH_SEED;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)s[i]) * HASH_MULTIPLY;
	return h ^ h >> 29;
}

/* Package path and name of a defined type, from the copy; neither is terminated. */
struct defined {
	const char *pkg, *base;
	size_t npkg, nbase;
};

static void pkg_view(const struct go_types *ts, const struct go_module *m, taddr addr,
		     const uint8_t *head, struct defined *ret)
{
	const struct go_layout *L = ts->g->L;
	uint64_t off = go_type_uncommon(L, (uint8_t)(go_get(head, L->type_Kind_) & 31));
	const uint8_t *u = go_types_view(ts, addr + off, 4);

	ret->pkg = "";
	ret->npkg = 0;
	if (!u || !off || !load_u32(u) ||
	    !go_flag_set(go_get(head, L->type_TFlag), L->c_TFlagUncommon))
		return;
	ret->pkg = go_types_name_view(ts, m->types.start + load_u32(u), &ret->npkg);
	if (!ret->pkg)
		ret->npkg = 0;
}

static bool defined_view(const struct go_types *ts, taddr addr, struct defined *ret)
{
	const struct go_layout *L = ts->g->L;
	const struct go_module *m = go_module_of_type(ts->g, addr);
	const uint8_t *p = go_types_view(ts, addr, L->type_bytes);
	uint64_t tflag = p ? go_get(p, L->type_TFlag) : 0;
	const char *s;
	size_t n, at;

	if (!p || !m || !go_flag_set(tflag, L->c_TFlagNamed))
		return false;
	s = go_types_name_view(ts, m->types.start + go_get(p, L->type_Str), &n);
	if (!s || !n)
		return false;
	if (go_flag_set(tflag, L->c_TFlagExtraStar)) {
		s++;
		n--;
	}
	pkg_view(ts, m, addr, p, ret);
	at = base_at(s, n, ret->pkg, ret->npkg);
	ret->base = s + at;
	ret->nbase = n - at;
	return true;
}

static struct err *index_names(struct go_types *ts)
{
	size_t cap = 1024;
	struct defined d;

	while (cap < ts->all.n * 2)
		cap *= 2;
	ts->by_base = zalloc(cap, sizeof(*ts->by_base));
	if (!ts->by_base)
		return &err_nomem;
	ts->by_base_cap = cap;
	for (size_t i = 0; i < ts->all.n; i++) {
		size_t k;

		if (!defined_view(ts, ts->all.v[i], &d))
			continue;
		for (k = hash(d.base, d.nbase) & (cap - 1); ts->by_base[k]; k = (k + 1) & (cap - 1))
			;
		ts->by_base[k] = (uint32_t)i + 1;
	}
	return NULL;
}

static bool have_index(struct go_types *ts)
{
	const taddr *all;
	size_t n;
	struct err *err = go_types_all(ts, &all, &n);

	if (!err) {
		pthread_mutex_lock(&ts->all_lock);
		if (!ts->index_done)
			err = index_names(ts);
		ts->index_done = !err;
		pthread_mutex_unlock(&ts->all_lock);
	}
	err_free(err);
	return !err;
}

static bool same(const char *a, size_t na, const char *b, size_t nb)
{
	return na == nb && (!na || !memcmp(a, b, na));
}

taddr go_type_named(struct go_types *ts, const char *full)
{
	size_t at = strcspn(full, "[({* "), n, cap, npkg;
	struct defined d;
	taddr best = 0;

	while (at && full[at - 1] != '.')
		at--;
	npkg = at ? at - 1 : 0;
	n = strlen(full) - at;
	if (!have_index(ts))
		return 0;
	cap = ts->by_base_cap;
	for (size_t k = hash(full + at, n) & (cap - 1); ts->by_base[k]; k = (k + 1) & (cap - 1)) {
		taddr addr = ts->all.v[ts->by_base[k] - 1];

		if (defined_view(ts, addr, &d) && same(d.base, d.nbase, full + at, n) &&
		    same(d.pkg, d.npkg, full, npkg) && (!best || addr < best))
			best = addr;
	}
	return best;
}

static void put_full(struct go_types *ts, const struct go_type *t, struct str *s, unsigned depth);

static void put_part(struct go_types *ts, taddr type, struct str *s, unsigned depth)
{
	const struct go_type *t =
		depth < MAX_DEPTH && s->n < MAX_FULL ? go_type_at(ts, type) : NULL;

	if (t)
		put_full(ts, t, s, depth + 1);
	else
		str_put(s, "…");
}

static void put_chan(struct go_types *ts, const struct go_type *t, struct str *s, unsigned depth)
{
	bool parens = !strncmp(t->name, "chan (", 6);

	if (!strncmp(t->name, "<-chan ", 7))
		str_put(s, "<-chan ");
	else if (!strncmp(t->name, "chan<- ", 7))
		str_put(s, "chan<- ");
	else
		str_put(s, parens ? "chan (" : "chan ");
	put_part(ts, t->elem, s, depth);
	if (parens)
		str_put(s, ")");
}

static void put_full(struct go_types *ts, const struct go_type *t, struct str *s, unsigned depth)
{
	if (t->named) {
		size_t at = base_at(t->name, strlen(t->name), t->pkg_path, strlen(t->pkg_path));

		if (at)
			str_printf(s, "%s.", t->pkg_path);
		str_put(s, t->name + at);
		return;
	}
	switch (t->kind) {
	case GO_POINTER:
		str_put(s, "*");
		break;
	case GO_SLICE:
		str_put(s, "[]");
		break;
	case GO_ARRAY:
		str_printf(s, "[%" PRIu64 "]", t->len);
		break;
	case GO_MAP:
		str_put(s, "map[");
		put_part(ts, t->key, s, depth);
		str_put(s, "]");
		break;
	case GO_CHAN:
		put_chan(ts, t, s, depth);
		return;
	default:
		str_put(s, t->name);
		return;
	}
	put_part(ts, t->elem, s, depth);
}

const char *go_type_full(struct go_types *ts, const struct go_type *t)
{
	const char *full = __atomic_load_n(&t->full, __ATOMIC_ACQUIRE), *none = NULL;
	/* Ours, given out as const: the cache's own note in it. */
	struct go_type *mine = (struct go_type *)(uintptr_t)t;
	struct str s = { 0 };

	if (full)
		return full;
	put_full(ts, t, &s, 0);
	full = str_ok(&s) ? str_steal(&s) : NULL;
	str_deinit(&s);
	if (!full)
		return t->name;
	if (__atomic_compare_exchange_n(&mine->full, &none, full, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return full;
	free((void *)(uintptr_t)full); /* another thread was first */
	return none;
}

/* Where a search for a field has got to; tries bounds what a liar's embedded structs cost. */
struct field_search {
	struct go_types *ts;
	const char *name;
	size_t n;
	unsigned tries;
	uint64_t off; /* of the field found */
};

/* The field of that name in t at off, or in what is embedded depth deep. */
static const struct go_type *field_named(struct field_search *fs, const struct go_type *t,
					 uint64_t off, unsigned depth)
{
	if (!t || t->kind != GO_STRUCT)
		return NULL;
	for (size_t i = 0; i < t->nfields && fs->tries; i++) {
		const struct go_type_field *f = &t->fields[i];
		const struct go_type *found;

		fs->tries--;
		if (!depth && strlen(f->name) == fs->n && !memcmp(f->name, fs->name, fs->n)) {
			fs->off = off + f->offset;
			return go_type_at(fs->ts, f->type);
		}
		if (!depth || !f->embedded)
			continue;
		found = field_named(fs, go_type_at(fs->ts, f->type), off + f->offset, depth - 1);
		if (found)
			return found;
	}
	return NULL;
}

bool go_type_path(struct go_types *ts, const struct go_type *t, const char *path, uint64_t *ret_off,
		  const struct go_type **ret)
{
	uint64_t off = 0;

	for (const char *p = path; *p;) {
		struct field_search fs = { ts, p, strcspn(p, "."), MAX_TRIES, off };
		const struct go_type *found = NULL;

		/* The shallowest one, as in Go. */
		for (unsigned depth = 0; depth < MAX_EMBEDDED && !found; depth++)
			found = field_named(&fs, t, off, depth);
		if (!found)
			return false;
		t = found;
		off = fs.off;
		p += fs.n + (p[fs.n] == '.');
	}
	*ret_off = off;
	*ret = t;
	return true;
}
