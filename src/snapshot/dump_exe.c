/*
 * dump_exe.c - what the executable (--exe) adds to a heap dump: names of variables, build info.
 *
 * It must be the one that wrote the dump: the same Go version, and data and bss where its segments
 * are.  A position independent one cannot be placed: a dump does not say where it was loaded.
 */
#include "snapshot/dump.h"

#include "base/files.h"
#include "elf/exe.h"
#include "elf/symbols.h"

#include <errno.h>

static bool lies_in(const struct elf_exe *x, struct trange r)
{
	for (size_t i = 0; i < x->segments.n; i++) {
		const struct elf_segment *s = &x->segments.v[i];

		if (s->write && r.start >= s->vaddr && r.end - s->vaddr <= s->mem_bytes)
			return true;
	}
	return !trange_bytes(r);
}

static struct err *check(const struct elf_exe *x, const struct go *g, const char *path)
{
	if (!x->go)
		return err_bad_data("%.200s: not a Go program", path);
	if (strcmp(x->info.version, g->version) != 0)
		return err_bad_data("%.200s: built with %.60s, but the dump was written by a "
				    "program of %.60s: give the one that wrote it",
				    path, x->info.version, g->version);
	if (x->pie)
		return err_unsupported("%.200s: position independent, and where it was loaded is "
				       "not in a heap dump: leave --exe out",
				       path);
	if (!lies_in(x, g->modules[0].data) || !lies_in(x, g->modules[0].bss))
		return err_bad_data("%.200s: its variables do not lie where those of the dump do: "
				    "give the executable that wrote it",
				    path);
	return NULL;
}

static char *copy(const char *s)
{
	return strdup(s ? s : "");
}

struct err *snap_dump_exe(struct go *g, const char *path)
{
	_cleanup_(elf_exe_deinit) struct elf_exe x = { 0 };
	_cleanup_(closep) int fd = file_open(path);
	struct err *err;

	if (fd < 0)
		return err_os(errno, "%.200s", path);
	err = elf_exe_read(fd, path, &x);
	if (!err)
		err = check(&x, g, path);
	if (!err)
		err = elf_symbols_read(fd, path, 0, &g->symbols);
	if (err)
		return err;
	g->stripped = !x.symtab;
	g->dwarf = x.dwarf;
	g->module_path = copy(x.info.module_path);
	g->module_version = copy(x.info.module_version);
	g->vcs_revision = copy(x.info.vcs_revision);
	return g->module_path && g->module_version && g->vcs_revision ? NULL : &err_nomem;
}
