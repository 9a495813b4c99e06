/*
 * agg_expr_leaf.c - the words of expressions: fields, names of variables and types.
 *
 * Knows types, no objects and no paths.
 */
#include "report/agg_expr.h"

static const struct go_type_field *field_at(struct go_types *ts, const struct go_type *t,
					    uint64_t at)
{
	for (size_t i = 0; i < t->nfields; i++) {
		const struct go_type *f = go_type_at(ts, t->fields[i].type);

		if (f && at >= t->fields[i].offset && at - t->fields[i].offset < f->bytes)
			return &t->fields[i];
	}
	return NULL;
}

/* Offset of the pointer word in a value of a kind that has one alone. */
static uint64_t word_of(const struct go_type *t)
{
	switch (t->kind) {
	case GO_POINTER:
	case GO_UNSAFE_POINTER:
	case GO_MAP:
	case GO_CHAN:
	case GO_FUNC:
	case GO_SLICE:
	case GO_STRING:
		return 0;
	case GO_INTERFACE:
		return 8;
	default:
		return UINT64_MAX;
	}
}

bool expr_leaf(struct go_types *ts, const struct go_type *t, uint64_t off, struct str *path,
	       const struct go_type **ret, uint64_t *ret_off)
{
	uint64_t base = 0;

	for (unsigned depth = 0; t && depth < EXPR_DEPTH; depth++) {
		const struct go_type_field *f;
		const struct go_type *e;

		if (t->kind == GO_STRUCT) {
			f = field_at(ts, t, off - base);
			if (!f || !f->name)
				return false;
			str_put(path, ".");
			str_put(path, f->name);
			base += f->offset;
			t = go_type_at(ts, f->type);
		} else if (t->kind == GO_ARRAY) {
			e = go_type_at(ts, t->elem);
			if (!e || !e->bytes || (off - base) / e->bytes >= t->len)
				return false;
			str_printf(path, "[%" PRIu64 "]", (off - base) / e->bytes);
			base += (off - base) / e->bytes * e->bytes;
			t = e;
		} else {
			*ret = t;
			*ret_off = base;
			return off - base == word_of(t);
		}
	}
	return false;
}

bool expr_identifier(const char *name, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)name[i];
		bool letter = c == '_' || (unsigned)((c | 0x20) - 'a') < 26U || c >= 0x80;

		if (!letter && (!i || (unsigned)(c - '0') >= 10U))
			return false;
	}
	return n > 0 && n < 256;
}

/* "v2" of "example.com/mod/v2". */
static bool is_version(const char *s, size_t n)
{
	return n > 1 && *s == 'v' && strspn(s + 1, "0123456789") >= n - 1;
}

/* The package's name by its path, as well as a path can tell: [*ret, + n). */
static size_t package_name(const char *path, size_t n, const char **ret)
{
	size_t end = n, from;

	for (;;) {
		for (from = end; from && path[from - 1] != '/'; from--)
			;
		if (!from || !is_version(path + from, end - from))
			break;
		end = from - 1;
	}
	*ret = path + from;
	n = end - from;
	for (size_t i = 0; i < n; i++) /* gopkg.in/yaml.v3, in symbols yaml%2ev3 */
		if (path[from + i] == '.' || path[from + i] == '%')
			n = i;
	return n;
}

/* Where the path ends in "net/http.DefaultClient"; 0: it has none. */
static size_t package_end(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *dot = strchr(slash ? slash : name, '.');

	return dot ? (size_t)(dot - name) : 0;
}

bool expr_global(const char *name, struct str *go, struct str *dlv)
{
	size_t end = package_end(name), n;
	const char *package;

	if (!end || !expr_identifier(name + end + 1, strlen(name + end + 1)))
		return false;
	n = package_name(name, end, &package);
	if (!expr_identifier(package, n))
		return false;
	str_putn(go, package, n);
	str_put(go, name + end);
	if (memchr(name, '/', end)) {
		str_put(dlv, "\"");
		str_putn(dlv, name, end);
		str_put(dlv, "\"");
	} else {
		str_putn(dlv, name, end);
	}
	str_put(dlv, name + end);
	return true;
}

void expr_type(struct go_types *ts, const struct go_type *t, struct str *go, struct str *dlv)
{
	const char *full = go_type_full(ts, t);

	str_put(go, t->name);
	str_put(dlv, "\"");
	str_put(dlv, full && *full ? full : t->name);
	str_put(dlv, "\"");
}
