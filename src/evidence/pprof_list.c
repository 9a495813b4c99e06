/*
 * pprof_list.c - the lines of functions.
 *
 * Nodes of one function and file are sorted by line; the file is read once for each function.
 */
#include "evidence/pprof_list.h"

#include "base/files_text.h"
#include "evidence/pprof_unit.h"

enum { MARGIN = 5, FILE_MAX = 8 << 20, ENDS_MAX = 24, TEXT_MAX = 400, LINES_MAX = 200000 };

void pprof_list_free(struct pprof_list *l)
{
	if (!l)
		return;
	pprof_graph_free(l->g);
	vec_free(&l->functions);
	vec_free(&l->lines);
	keep_deinit(&l->keep);
	free(l);
}

static int compare(const void *pa, const void *pb)
{
	const struct pprof_node *a = *(const struct pprof_node *const *)pa;
	const struct pprof_node *b = *(const struct pprof_node *const *)pb;
	int c = strcmp(a->name, b->name);

	if (!c)
		c = strcmp(a->file, b->file);
	return c ? c : a->line < b->line ? -1 : a->line > b->line;
}

/* By the longest end of its path. */
static struct err *find_source(const char *dir, const char *path, char **ret)
{
	struct err *err = NULL;
	size_t n;

	while (*path == '/')
		path++;
	for (int i = 0; dir && path && *path && !*ret && !err && i < ENDS_MAX; i++) {
		err = file_source_text(dir, path, FILE_MAX, ret, &n);
		path = strchr(path, '/');
		path = path ? path + 1 : NULL;
	}
	return err;
}

struct group {
	const struct pprof_node **node; /* by line */
	size_t n;
	int64_t first, last;
};

/* From where to where, as pprof: the function's first line where it is known, else some more. */
static void range(struct group *r)
{
	int64_t start = r->node[0]->start_line;

	r->first = start ? start : pprof_plus(r->node[0]->line, -MARGIN);
	for (size_t i = 0; i < r->n; i++) {
		int64_t from = r->node[i]->start_line;

		if (!from)
			from = pprof_plus(r->node[i]->line, -MARGIN);
		r->first = MIN(r->first, from);
	}
	r->first = MAX(r->first, (int64_t)1);
	r->last = pprof_plus(r->node[r->n - 1]->line, MARGIN);
}

static bool put(struct pprof_list *l, struct group *r, size_t *at, int64_t line, const char *text)
{
	struct pprof_listed_line to = { .line = line, .text = text };

	for (; *at < r->n && r->node[*at]->line == line; ++*at) {
		to.flat = pprof_plus(to.flat, r->node[*at]->flat);
		to.cum = pprof_plus(to.cum, r->node[*at]->cum);
	}
	return vec_push(&l->lines, to);
}

static bool put_source(struct pprof_list *l, struct group *r, const char *text)
{
	int64_t line = 1;
	size_t at = 0;

	while (at < r->n && r->node[at]->line < r->first)
		at++;
	for (; *text && line <= r->last && line < LINES_MAX; line++) {
		size_t n = strcspn(text, "\n");

		if (line >= r->first &&
		    !put(l, r, &at, line, keepn(&l->keep, text, MIN(n, (size_t)TEXT_MAX))))
			return false;
		text += n + (text[n] == '\n');
	}
	return true;
}

static bool put_numbers(struct pprof_list *l, struct group *r)
{
	for (size_t at = 0; at < r->n;)
		if (!put(l, r, &at, r->node[at]->line, NULL))
			return false;
	return true;
}

static struct err *list_file(struct pprof_list *l, struct group *r, const char *source)
{
	_cleanup_(freep) char *text = NULL;
	struct pprof_listed f = { .function = r->node[0]->name,
				  .file = r->node[0]->file,
				  .first = (uint32_t)l->lines.n };
	struct err *err = *f.file ? find_source(source, f.file, &text) : NULL;
	bool ok = true;

	if (err)
		return err;
	for (size_t i = 0; i < r->n; i++) {
		f.flat = pprof_plus(f.flat, r->node[i]->flat);
		f.cum = pprof_plus(f.cum, r->node[i]->cum);
	}
	range(r);
	f.source = text;
	if (*f.file)
		ok = text ? put_source(l, r, text) : put_numbers(l, r);
	f.n = (uint32_t)l->lines.n - f.first;
	return ok && vec_push(&l->functions, f) ? keep_err(&l->keep) : &err_nomem;
}

/* What names no file is said only where the function has no other. */
static bool is_hidden(const struct group *r, const struct pprof_node *next)
{
	return !*r->node[0]->file && next && !strcmp(next->name, r->node[0]->name);
}

static struct err *list_all(struct pprof_list *l, const struct pprof_node **node, size_t n,
			    const char *source)
{
	struct err *err = NULL;

	for (size_t i = 0, end; i < n && !err; i = end) {
		struct group r = { .node = node + i };

		for (end = i; end < n && !strcmp(node[end]->name, node[i]->name) &&
			      !strcmp(node[end]->file, node[i]->file);)
			end++;
		r.n = end - i;
		if (!is_hidden(&r, end < n ? node[end] : NULL))
			err = list_file(l, &r, source);
	}
	return err;
}

struct err *pprof_list_create(const struct pprof *p, const struct pprof_ask *q,
			      struct pattern *which, const char *source, struct pprof_list **ret)
{
	_cleanup_(pprof_list_freep) struct pprof_list *l = zalloc(1, sizeof(*l));
	_cleanup_(freep) const struct pprof_node **node = NULL;
	struct pprof_ask whole = *q;
	size_t n = 0;
	struct err *err;

	if (!l)
		return &err_nomem;
	whole.by = PPROF_BY_SOURCE;
	whole.nodes = 0;
	whole.node_fraction = whole.edge_fraction = 0;
	err = pprof_graph_create(p, &whole, &l->g);
	if (err)
		return err;
	node = zalloc(l->g->nodes.n + 1, sizeof(*node));
	if (!node)
		return &err_nomem;
	for (size_t i = 0; i < l->g->nodes.n; i++)
		if (pattern_matches(which, l->g->nodes.v[i].name))
			node[n++] = &l->g->nodes.v[i];
	err = pattern_err(which);
	if (!err && !n)
		err = err_usage("no function of this profile matches");
	if (err)
		return err;
	qsort(node, n, sizeof(*node), compare);
	err = list_all(l, node, n, source);
	if (err)
		return err;
	*ret = STEAL(l);
	return NULL;
}
