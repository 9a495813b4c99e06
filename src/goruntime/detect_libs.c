/*
 * detect_libs.c - the files of the modules behind the first: plugins, and -linkshared's libraries.
 *
 * Each is an ELF file of its own, loaded somewhere; what its .symtab says of globals joins that of
 * the first.  A file that is gone or another one by now tells nothing.  Its DWARF is not read.
 */
#include "goruntime/detect.h"

#include "base/files.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

/* What was deleted or replaced since it was mapped; CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE. */
static int open_mapped(int pid, const struct target_region *r)
{
	char path[100];

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, r->range.start,
		 r->range.end);
	return file_open_elf(path);
}

static bool is_file(int fd, uint64_t inode)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == inode;
}

int go_open_mapped(const struct go *g, const struct target_region *r)
{
	const struct target_capture *c = target_capture(g->t);
	bool live = c && c->kind == TARGET_LIVE;
	char path[600];
	int fd;

	if (r->path[0] != '/')
		return -1;
	if (live)
		snprintf(path, sizeof(path), "/proc/%d/root%s", (int)c->pid, r->path);
	else
		snprintf(path, sizeof(path), "%s", r->path);
	fd = file_open_elf(path);
	if (live && !is_file(fd, r->inode)) {
		closep(&fd);
		fd = open_mapped((int)c->pid, r);
	}
	if (is_file(fd, r->inode))
		return fd;
	closep(&fd);
	return -1;
}

static struct err *add_symbols(struct go *g, const struct target_region *r)
{
	_cleanup_(closep) int fd = go_open_mapped(g, r);
	struct elf_symbols *more = NULL;
	struct elf_exe e = { 0 };
	struct err *err;
	taddr bias;

	if (fd < 0)
		return NULL;
	err = elf_exe_read(fd, r->path, &e);
	if (!err && e.symtab && go_file_bias(g->t, &e, r->inode, &bias))
		err = elf_symbols_read(fd, r->path, bias, &more);
	elf_exe_deinit(&e);
	if (err || !more)
		return err;
	return elf_symbols_join(&g->symbols, more);
}

struct err *go_detect_libs(struct go *g, const struct detect *d)
{
	for (size_t i = 0; i < g->nmodules; i++) {
		const struct target_region *r = target_region_at(g->t, g->modules[i].text.start);
		struct err *err;

		if (!r || !r->inode || r->inode == d->inode)
			continue;
		err = add_symbols(g, r);
		if (err && err->code == ERR_NOMEM)
			return err;
		err_free(err);
	}
	return NULL;
}
