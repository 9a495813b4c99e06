/*
 * open.c - opens the Go runtime of a target: file, version, table, modules, variables.
 *
 * An exact table must fit or the opening fails.  Without one, the tables are tried from the
 * nearest on and the first that passes all checks is taken, labelled layout_exact = false.
 */
#include "goruntime/arch.h"
#include "goruntime/debugfile.h"
#include "goruntime/detect.h"
#include "goruntime/layout_version.h"

static void detect_free(struct detect *d)
{
	if (!d)
		return;
	elf_exe_deinit(&d->exe);
	go_layout_free(d->owned);
	free(d);
}

void go_close(struct go *g)
{
	if (!g)
		return;
	go_modules_free(g);
	elf_symbols_free(g->symbols);
	go_debug_free(g->debug);
	free(g->module_path);
	free(g->module_version);
	free(g->vcs_revision);
	free(g->dependencies);
	detect_free(g->priv);
	free(g);
}

struct err *go_read_u64(const struct go *g, taddr addr, uint64_t *ret)
{
	return target_read(g->t, addr, ret, sizeof(*ret));
}

struct err *go_read_u32(const struct go *g, taddr addr, uint32_t *ret)
{
	return target_read(g->t, addr, ret, sizeof(*ret));
}

const struct go_module *go_module_of_text(const struct go *g, taddr pc)
{
	for (size_t i = 0; i < g->nmodules; i++)
		if (trange_has(g->modules[i].text, pc))
			return &g->modules[i];
	return NULL;
}

const struct go_module *go_module_of_type(const struct go *g, taddr type)
{
	for (size_t i = 0; i < g->nmodules; i++)
		if (trange_has(g->modules[i].types, type))
			return &g->modules[i];
	return NULL;
}

static struct err *try_layout(struct go *g, const struct go_layout *l)
{
	struct err *err;

	go_modules_free(g);
	g->L = l;
	err = go_detect_modules(g, g->priv);
	if (!err)
		err = go_detect_vars(g, g->priv);
	return err ? err : go_detect_check(g);
}

static unsigned count_notes(const struct detect *d)
{
	unsigned n = d->notes[0] != 0;

	for (const char *s = d->notes; *s; s++)
		n += *s == ',';
	return n;
}

static bool misfit(const struct err *err)
{
	return err->code == ERR_UNSUPPORTED || err->code == ERR_BAD_DATA || err->code == ERR_FAULT;
}

/*
 * No exact table: all are tried, the nearest first, and the one that passes every check with the
 * fewest variables missing is taken.  The error of the nearest counts when none passes.
 */
static struct err *try_all(struct go *g)
{
	struct detect *d = g->priv;
	const struct go_layout *best = NULL, *l;
	struct err *why = NULL;
	unsigned least = UINT32_MAX;

	for (size_t i = 0; least && (l = go_layout_nth(g->version, go_arch(g)->name, i)); i++) {
		struct err *err = try_layout(g, l);

		if (!err && count_notes(d) < least) {
			best = l;
			least = count_notes(d);
		} else if (err && !misfit(err)) {
			err_free(why);
			return err;
		} else if (err && !why) {
			why = err;
		} else {
			err_free(err);
		}
	}
	if (!best)
		return why;
	err_free(why);
	return g->L == best ? NULL : try_layout(g, best);
}

static int minor_of_version(const char *version)
{
	char exps[8];
	int minor;

	return go_version_parse(version, &minor, exps, sizeof(exps)) ? minor : -1;
}

static struct err *load_given(struct go *g, const char *path)
{
	struct detect *d = g->priv;
	struct err *err = go_layout_load(path, &d->owned);

	if (err)
		return err;
	if (strcmp(d->owned->arch, go_arch(g)->name))
		return err_unsupported("%s: a table for %s, this is a program for %s", path,
				       d->owned->arch, go_arch(g)->name);
	g->layout_exact = atoi(d->owned->go + 2) == minor_of_version(g->version);
	return try_layout(g, d->owned);
}

/* The exact table, or where patch releases differ the other one of that version. */
static struct err *try_exact(struct go *g, const struct go_layout *l)
{
	const struct go_layout *other;
	struct err *why = try_layout(g, l), *err;

	for (size_t i = 0; why && misfit(why); i++) {
		other = go_layout_nth(g->version, l->arch, i);
		if (!other)
			break;
		if (other == l || strcmp(other->go, l->go) ||
		    strcmp(other->experiments, l->experiments))
			continue;
		err = try_layout(g, other);
		if (!err || !misfit(err)) {
			err_free(why);
			return err;
		}
		err_free(err);
	}
	return why;
}

static struct err *choose_layout(struct go *g, const char *layout_file)
{
	const struct go_layout *l;

	if (layout_file)
		return load_given(g, layout_file);
	l = go_layout_find(g->version, go_arch(g)->name, &g->layout_exact);
	if (minor_of_version(g->version) < 0)
		return err_unsupported(
			"the Go version was taken out of the program (it says \"%s\"): "
			"garble and its like also change the tables that limpet "
			"reads; look at a build without them",
			g->version);
	if (!l)
		return err_unsupported("%s: no table comes near (limpet knows Go 1.18 and later); "
				       "`limpet layout --go PATH` makes one",
				       g->version);
	return g->layout_exact ? try_exact(g, l) : try_all(g);
}

/* runtime/cgo's assembly is in the program: C code can run in it. */
static bool uses_cgo(const struct go *g)
{
	struct go_func f;

	return go_func_by_name(g, "crosscall2", &f) || go_func_by_name(g, "crosscall2.abi0", &f);
}

/* Validators take what cannot be read for what is not so: see whether there is still a target. */
static struct err *gone_or(struct target *t, struct err *err)
{
	size_t n, got = 0;
	const struct target_region *r = target_regions(t, &n);
	struct err *gone = n ? target_read_some(t, r[0].range.start, &(char){ 0 }, 1, &got) : NULL;

	if (!gone || (gone->code != ERR_GONE && gone->code != ERR_LIMIT)) {
		err_free(gone);
		return err;
	}
	err_free(err);
	return gone;
}

struct err *go_open(struct target *t, const struct go_opts *o, struct go **ret)
{
	_cleanup_(go_closep) struct go *g = zalloc(1, sizeof(*g));
	struct err *err;

	if (!g)
		return &err_nomem;
	g->t = t;
	g->no_dwarf = o && o->symbols && !strcmp(o->symbols, "none");
	g->priv = zalloc(1, sizeof(struct detect));
	if (!g->priv)
		return &err_nomem;
	err = go_detect_exe(g, g->priv, o ? o->exe : NULL);
	if (!err)
		err = choose_layout(g, o ? o->layout_file : NULL);
	if (!err)
		err = go_debug_find(g, o);
	if (!err)
		err = go_detect_libs(g, g->priv);
	if (err && ((struct detect *)g->priv)->nomem) {
		err_free(err);
		err = &err_nomem;
	}
	if (err)
		return gone_or(t, err);
	g->cgo = uses_cgo(g);
	*ret = STEAL(g);
	return NULL;
}
