/*
 * open_file.c - a struct go for evidence that has no runtime in it: a heap dump.
 *
 * No modules but the ranges of data and bss, no variables, no functions but the given ones.  The
 * layout is that of the version where there is one, else one in which every field is absent, so
 * that what asks for fields finds none.  Knows nothing of files.
 */
#include "goruntime/funcs.h"
#include "goruntime/layout_version.h"

#include <stdio.h>

struct bare {
	struct go go; /* first: go_close() frees it */
	struct go_layout L;
	struct go_known_func known[];
};

static void no_fields(struct go_layout *l)
{
#define LAYOUT_STRUCT(s, type)
#define LAYOUT_FIELD(s, f, path)   l->s##_##f.off = -1;
#define LAYOUT_CONST(name, symbol) l->c_##name = -1;
#include "goruntime/layout_fields.h"
#undef LAYOUT_STRUCT
#undef LAYOUT_FIELD
#undef LAYOUT_CONST
}

/*
 * Machines of 8-byte words differ in nothing that is asked for here: amd64's table serves all.
 * The table of a younger version does not: how the heap is laid out changed with Go 1.22, where
 * an experiment could keep it as it was.
 */
static void choose(struct go *g, struct go_layout *l, const struct go_file_facts *f)
{
	const struct go_layout *near = go_layout_find(f->version, "amd64", &g->layout_exact);
	int minor = 0;
	char exps[sizeof(g->experiments)];
	size_t n;

	if (near && go_version_parse(f->version, &minor, exps, sizeof(exps)) &&
	    atoi(near->go + 2) <= minor && !strstr(exps, "noallocheaders")) {
		*l = *near;
	} else {
		no_fields(l);
		l->go = l->experiments = l->made_from = "";
		near = go_layouts(&n)[0];
		l->class_to_size = near->class_to_size;
		l->nclasses = near->nclasses;
	}
	l->arch = f->arch;
	l->wait_reasons = f->wait_reasons;
	l->nwait_reasons = f->nwait_reasons;
	g->layout_exact = true; /* nothing is read by it that could be wrong */
}

struct err *go_open_file(struct target *t, const struct go_file_facts *f, struct go **ret)
{
	struct bare *b = f->nfuncs < SIZE_MAX / 64
				 ? zalloc(1, sizeof(*b) + f->nfuncs * sizeof(b->known[0]))
				 : NULL;
	_cleanup_(go_closep) struct go *g = b ? &b->go : NULL;
	const char *x = strstr(f->version, "X:");

	if (!b)
		return &err_nomem;
	g->t = t;
	g->L = &b->L;
	snprintf(g->version, sizeof(g->version), "%s", f->version);
	snprintf(g->experiments, sizeof(g->experiments), "%s", x ? x + 2 : "");
	choose(g, &b->L, f);
	g->modules = zalloc(1, sizeof(*g->modules));
	if (!g->modules)
		return &err_nomem;
	g->nmodules = 1;
	g->modules[0].data = f->data;
	g->modules[0].bss = f->bss;
	if (f->nfuncs) {
		memcpy(b->known, f->funcs, f->nfuncs * sizeof(b->known[0]));
		g->known = b->known;
		g->nknown = f->nfuncs;
		g->modules[0].text =
			(struct trange){ b->known[0].entry, b->known[f->nfuncs - 1].end };
	}
	*ret = STEAL(g);
	return NULL;
}

bool go_known_func_at(const struct go *g, taddr pc, struct go_func *ret)
{
	size_t lo = 0, hi = g->nknown;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (g->known[mid].entry <= pc)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || pc >= g->known[lo - 1].end)
		return false;
	*ret = (struct go_func){
		.module = &g->modules[0],
		.name = g->known[lo - 1].name,
		.entry = g->known[lo - 1].entry,
		.end = g->known[lo - 1].end,
	};
	return true;
}
