/*
 * debugfile.c - which file has the DWARF, and where its sections were loaded.
 *
 * Knows nothing of what is in the DWARF.
 */
#include "goruntime/debugfile_priv.h"

#include "base/debuginfod.h"
#include "base/files.h"
#include "goruntime/detect.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

taddr go_debug_run(const struct go_debug *d, taddr link)
{
	for (unsigned i = 0; i < d->nparts; i++)
		if (trange_has(d->parts[i].link, link))
			return link + d->parts[i].shift;
	return 0;
}

taddr go_debug_link(const struct go_debug *d, taddr run)
{
	for (unsigned i = 0; i < d->nparts; i++)
		if (trange_has(d->parts[i].link, run - d->parts[i].shift))
			return run - d->parts[i].shift;
	return 0;
}

void go_debug_free(struct go_debug *d)
{
	if (!d)
		return;
	closep(&d->fd);
	free(d->path);
	free(d);
}

static void go_debug_freep(struct go_debug **d)
{
	go_debug_free(*d);
}

static struct err *debug_create(int fd, const char *path, struct go_debug **ret)
{
	_cleanup_(go_debug_freep) struct go_debug *d = zalloc(1, sizeof(*d));

	if (!d)
		return &err_nomem;
	d->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (d->fd < 0)
		return err_os(errno, "%s", path);
	d->path = strdup(path);
	if (!d->path)
		return &err_nomem;
	*ret = STEAL(d);
	return NULL;
}

struct err *go_debug_own(struct go *g, int fd, const char *path, taddr bias)
{
	struct go_debug *d = NULL;
	struct err *err = debug_create(fd, path, &d);

	if (err)
		return err;
	d->parts[d->nparts++] = (struct go_debug_part){ { 0, UINT64_MAX }, bias };
	go_debug_free(g->debug);
	g->debug = d;
	return NULL;
}

static taddr to_run(const void *arg, taddr link)
{
	return go_debug_run(arg, link);
}

/* The twin's symbols, where the program has none of its own. */
static struct err *take_symbols(struct go *g, const struct go_debug *d)
{
	struct err *err;

	if (g->symbols)
		return NULL;
	err = elf_symbols_read(d->fd, d->path, 0, &g->symbols);
	if (!err && g->symbols)
		elf_symbols_move(g->symbols, to_run, d);
	return err;
}

static struct err *take_twin(struct go *g, int fd, const char *path)
{
	_cleanup_(go_debug_freep) struct go_debug *d = NULL;
	struct err *err = debug_create(fd, path, &d);

	if (!err)
		err = go_debug_twin(g, d);
	if (!err)
		err = take_symbols(g, d);
	if (err)
		return err;
	go_debug_free(g->debug);
	g->debug = STEAL(d);
	return NULL;
}

static struct err *take_given(struct go *g, const char *path)
{
	_cleanup_(closep) int fd = file_open(path);
	struct elf_exe e = { 0 };
	struct err *err;

	if (fd < 0)
		return err_os(errno, "%s", path);
	err = elf_exe_read(fd, path, &e);
	if (err)
		return err;
	if (e.dwarf_zstd)
		err = err_unsupported("%s: %s", path, GO_DEBUG_ZSTD);
	else if (!e.dwarf)
		err = err_bad_data("%s: no DWARF in it: give a build that was not stripped "
				   "(without -ldflags=-s or -w)",
				   path);
	if (!err && e.go && *e.info.version && strcmp(e.info.version, g->version))
		err = err_bad_data("%s is of another build: by %s, the program by %s", path,
				   e.info.version, g->version);
	elf_exe_deinit(&e);
	return err ? err : take_twin(g, fd, path);
}

/* Whatever is wrong with a file that nobody asked for: it is not the one. */
static struct err *try_file(struct go *g, int fd, const char *path)
{
	struct elf_exe e = { 0 };
	struct err *err;
	bool dwarf;

	err = elf_exe_read(fd, path, &e);
	dwarf = !err && e.dwarf;
	if (!err)
		elf_exe_deinit(&e);
	if (dwarf)
		err = take_twin(g, fd, path);
	if (err && err->code != ERR_NOMEM) {
		err_free(err);
		err = NULL;
	}
	return err;
}

static struct err *try_path(struct go *g, const char *path)
{
	_cleanup_(closep) int fd = file_open_elf(path);

	return fd < 0 ? NULL : try_file(g, fd, path);
}

#define DEBUG_DIR "/usr/lib/debug"

static struct err *try_build_id(struct go *g, const char *root, const char *id)
{
	char path[600];

	if (strlen(id) < 4)
		return NULL;
	snprintf(path, sizeof(path), "%s" DEBUG_DIR "/.build-id/%.2s/%s.debug", root, id, id + 2);
	return try_path(g, path);
}

/* As gdb and libdwfl look: beside the program, in .debug there, and below /usr/lib/debug. */
static struct err *try_link(struct go *g, const char *root, const char *exe, const char *link)
{
	static const char *const before[] = { "", "", DEBUG_DIR };
	static const char *const behind[] = { "", "/.debug", "" };
	const char *slash = strrchr(exe, '/');
	char path[1200];
	struct err *err = NULL;

	if (!*link || strchr(link, '/') || !slash || *exe != '/')
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(before) && !err && !g->debug; i++) {
		snprintf(path, sizeof(path), "%s%s%.*s%s/%s", root, before[i], (int)(slash - exe),
			 exe, behind[i], link);
		err = try_path(g, path);
	}
	return err;
}

static const char *why_not(int no)
{
	switch (no) {
	case ENOENT:
		return NULL;
	case ETIMEDOUT:
		return "debuginfod gave no answer in time: no names by DWARF";
	case ENOPKG:
		return "no libdebuginfod in this limpet or on this machine: no names by DWARF";
	case EPERM:
		return "debuginfod is not asked while the program is stopped: no names by DWARF";
	default:
		return "debuginfod could not be asked: no names by DWARF";
	}
}

static struct err *try_servers(struct go *g, const char *id)
{
	char name[100];
	struct err *err;

	if (!debuginfod_wanted() || !*id)
		return NULL;
	snprintf(name, sizeof(name), "debuginfod:%s", id);
	_cleanup_(closep) int fd = file_debuginfo(id);

	if (fd < 0) {
		g->debug_lack = why_not(errno);
		return NULL;
	}
	err = try_file(g, fd, name);
	if (!err && !g->debug)
		g->debug_lack = "what debuginfod has is no build of this program";
	return err;
}

/* The roots below which it is looked for: a container's own first, as its files are of its build.
 */
static struct err *try_root(struct go *g, const char *root)
{
	const struct detect *d = g->priv;
	struct err *err = g->debug ? NULL : try_build_id(g, root, d->exe.build_id);

	if (!err && !g->debug)
		err = try_link(g, root, d->file, d->exe.debug_link);
	return err;
}

static struct err *try_roots(struct go *g, const struct go_opts *o)
{
	const struct target_capture *c = target_capture(g->t);
	char root[32];
	struct err *err = NULL;

	if (o && o->sysroot)
		return try_root(g, o->sysroot);
	snprintf(root, sizeof(root), "/proc/%d/root", c ? (int)c->pid : 0);
	if (c && c->kind == TARGET_LIVE)
		err = try_root(g, root);
	return err ? err : try_root(g, "");
}

struct err *go_debug_find(struct go *g, const struct go_opts *o)
{
	const struct detect *d = g->priv;
	struct err *err = NULL;

	if (g->no_dwarf)
		return NULL;
	if (d->exe.dwarf_zstd && !(o && o->symbols))
		g->debug_lack = GO_DEBUG_ZSTD;
	if (o && o->symbols)
		err = take_given(g, o->symbols);
	else if (!g->debug && d->inode)
		err = try_roots(g, o);
	if (!err && !g->debug && d->inode)
		err = try_servers(g, d->exe.build_id);
	g->dwarf = g->debug;
	return err;
}
