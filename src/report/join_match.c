/*
 * join_match.c - lines of reports by the name of their file.
 *
 * Sorted by base name and line; a look-up is a binary search and a comparison of paths for each
 * place with that name and line.  Knows neither compilers nor linters.
 */
#include "report/join_match.h"

struct part {
	const char *s;
	size_t n;
};

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* "./a/b.go", "../../a/b.go" -> "a/b.go" */
static const char *without_dots(const char *path)
{
	while (!strncmp(path, "./", 2) || !strncmp(path, "../", 3))
		path = strchr(path, '/') + 1;
	return path;
}

/* The last element of p, which loses it; "y@v1.2.3" is "y". */
static struct part last_of(struct part *p)
{
	size_t at = p->n;
	struct part e;
	const char *version;

	while (at && p->s[at - 1] != '/')
		at--;
	e = (struct part){ p->s + at, p->n - at };
	version = memchr(e.s, '@', e.n);
	if (version)
		e.n = (size_t)(version - e.s);
	p->n = at ? at - 1 : 0;
	return e;
}

/* Elements at the ends of both that are equal; *ret_whole: of one of them that was all. */
static unsigned common_end(const char *x, const char *y, bool *ret_whole)
{
	struct part p = { x, strlen(x) }, q = { y, strlen(y) };
	unsigned n = 0;

	while (p.n && q.n) {
		struct part e = last_of(&p), f = last_of(&q);

		if (e.n != f.n || memcmp(e.s, f.s, e.n) != 0)
			break;
		n++;
		*ret_whole = !p.n || !q.n;
	}
	return n;
}

static enum join_rank by_path(const char *place, const char *frame)
{
	bool whole = false;
	unsigned n = common_end(without_dots(place), frame, &whole);

	if (!n || !whole)
		return JOIN_NOT;
	return n > 1 ? JOIN_BY_PATH : JOIN_BY_NAME;
}

/* "example.com/a/b%2ec.(*T).F[example.com/x.Y]" -> "example.com/a/b.c", into buf. */
static const char *package_of(const char *function, char *buf, size_t room)
{
	size_t n = strcspn(function, "[("), at = n, k = 0;

	while (at && function[at - 1] != '/')
		at--;
	while (at < n && function[at] != '.')
		at++;
	for (size_t i = 0; i < at && k + 1 < room; i++) {
		bool escaped = !strncmp(function + i, "%2e", 3);

		buf[k++] = escaped ? '.' : function[i];
		i += escaped ? 2 : 0;
	}
	buf[k] = 0;
	return buf;
}

/* Package main has no path of its own: the folder must be the one that the report's package is. */
static enum join_rank of_main(const struct join_place *p, const char *file, const char *module)
{
	size_t n = strlen(module), k = strlen(p->package);
	char dir[4096];
	size_t room = strlen(file);

	if (!strcmp(p->package, "main") || !strcmp(p->package, "command-line-arguments") || !n)
		return by_path(p->file, file);
	if (!strcmp(p->package, module))
		return JOIN_BY_PACKAGE;
	if (strncmp(p->package, module, n) != 0 || p->package[n] != '/' || room >= sizeof(dir))
		return JOIN_NOT;
	memcpy(dir, file, room + 1);
	dir[base_of(dir) - dir] = 0;
	if (room && *dir)
		dir[strlen(dir) - 1] = 0;
	room = strlen(dir);
	k -= n + 1;
	if (room < k || strcmp(dir + room - k, p->package + n + 1) != 0)
		return JOIN_NOT;
	return room == k || dir[room - k - 1] == '/' ? JOIN_BY_PACKAGE : JOIN_NOT;
}

/* "./box/box.go" below "# example.com/a/cmd/x", for that instantiates it: the path has to tell. */
static enum join_rank of_generic(const struct join_place *p, const char *package, const char *file,
				 const char *module)
{
	size_t n = strlen(package);
	char path[1024];

	if (by_path(p->file, file) == JOIN_BY_PATH)
		return JOIN_BY_PATH;
	if (!strcmp(package, module)) /* "./gen.go" is of the module's own folder */
		return by_path(p->file, file);
	/* -trimpath of one of them: the package and the name of the file */
	if (n + strlen(base_of(file)) + 2 > sizeof(path))
		return JOIN_NOT;
	memcpy(path, package, n);
	path[n] = '/';
	strcpy(path + n + 1, base_of(file));
	return by_path(p->file, path) == JOIN_BY_PATH ? JOIN_BY_PATH : JOIN_NOT;
}

enum join_rank join_rank_of(const struct join_place *p, const char *function, const char *file,
			    const char *module)
{
	char package[512];

	if (strcmp(base_of(p->file), base_of(file)) != 0)
		return JOIN_NOT;
	if (!*p->package)
		return by_path(p->file, file);
	package_of(function, package, sizeof(package));
	if (!strcmp(package, "main"))
		return of_main(p, file, module);
	if (!strcmp(package, p->package))
		return JOIN_BY_PACKAGE;
	return strchr(function, '[') ? of_generic(p, package, file, module) : JOIN_NOT;
}

void join_index_deinit(struct join_index *x)
{
	vec_free(&x->places);
	free(x->seen);
}

static int by_place(const void *a, const void *b)
{
	const struct join_place *x = a, *y = b;
	int c = strcmp(base_of(x->file), base_of(y->file));

	c = c ? c : (x->line > y->line) - (x->line < y->line);
	return c ? c : (x->row > y->row) - (x->row < y->row);
}

struct err *join_index_make(struct join_index *x)
{
	x->seen = zalloc(x->nfiles, sizeof(*x->seen));
	if (!x->seen)
		return &err_nomem;
	if (x->places.n)
		qsort(x->places.v, x->places.n, sizeof(x->places.v[0]), by_place);
	return NULL;
}

/* The first place that is not before it. */
static size_t lower(const struct join_index *x, const char *base, int line)
{
	size_t lo = 0, hi = x->places.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(base_of(x->places.v[mid].file), base);

		if (c < 0 || (!c && x->places.v[mid].line < line))
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool join_knows_file(const struct join_index *x, const struct ans_frame *f)
{
	const char *base = base_of(f->file);
	uint32_t last = UINT32_MAX;

	for (size_t i = lower(x, base, 0); i < x->places.n; i++) {
		const struct join_place *p = &x->places.v[i];

		if (strcmp(base_of(p->file), base) != 0)
			return false;
		if (p->file_id != last && join_rank_of(p, f->function, f->file, x->module))
			return true;
		last = p->file_id;
	}
	return false;
}

/* One place of the report stands for one file of the program. */
static bool is_split(const struct join_index *x, const struct join_place *p, const char *file)
{
	struct join_file_seen *s = &x->seen[p->file_id];

	if (!s->file)
		s->file = file;
	s->split |= strcmp(s->file, file) != 0;
	return s->split;
}

void join_find(const struct join_index *x, const struct ans_frame *f, struct join_hits *ret)
{
	const char *base = base_of(f->file);
	uint32_t file = UINT32_MAX;

	*ret = (struct join_hits){ .rank = JOIN_NOT };
	if (!*base || f->line <= 0)
		return;
	for (size_t i = lower(x, base, f->line); i < x->places.n; i++) {
		const struct join_place *p = &x->places.v[i];
		enum join_rank rank;

		if (p->line != f->line || strcmp(base_of(p->file), base) != 0)
			break;
		rank = join_rank_of(p, f->function, f->file, x->module);
		if (!rank || rank < ret->rank)
			continue;
		if (rank > ret->rank) {
			*ret = (struct join_hits){ .rank = rank };
			file = p->file_id;
		}
		if (rank != JOIN_BY_PACKAGE)
			ret->split |= p->file_id != file || is_split(x, p, f->file);
		if (ret->n < JOIN_HITS_MAX)
			ret->row[ret->n++] = p->row;
	}
}
