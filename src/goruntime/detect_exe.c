/*
 * detect_exe.c - which file the Go code came from, its version, and where it was loaded.
 *
 * Takes the executable as the target runs it (also when it was deleted), else a mapped file
 * with Go build info in it (a shared library), else build info found in memory (no file at all).
 * Knows nothing of layouts.
 */
#include "goruntime/debugfile.h"
#include "goruntime/detect.h"

#include "base/files.h"
#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define INFO_MAGIC  "\xff Go buildinf:"
#define INFO_BYTES  4096
#define CHUNK_BYTES (1U << 20)
#define MAX_REGION  (2ULL << 30)
#define MAX_SCAN    (4ULL << 30) /* all regions together: a hostile core may claim any number */

static bool scan_chunk(const struct go_scan *s, taddr at, const uint8_t *p, size_t n)
{
	uint64_t first = load_u64(s->pattern);

	/* no pattern is all zeroes, and files may claim any number of them */
	if (n < 8 || (!load_u64(p) && !memcmp(p, p + 8, n - 8)))
		return false;
	for (size_t i = 0; i + s->npattern <= n; i += s->align) {
		if (load_u64(p + i) == first && !memcmp(p + i, s->pattern, s->npattern) &&
		    s->fn(s->arg, at + i))
			return true;
	}
	return false;
}

/* Patterns are at most a chunk's overlap long; what cannot be read ends the region. */
static struct err *scan_region(struct target *t, const struct go_scan *s,
			       const struct target_region *r, uint8_t *buf, bool *ret_stop)
{
	for (taddr at = r->range.start; at < r->range.end; at += CHUNK_BYTES) {
		size_t want = (size_t)MIN(r->range.end - at, (uint64_t)CHUNK_BYTES + 64), n = 0;
		struct err *err = target_read_some(t, at, buf, want, &n);

		if (err)
			return err;
		if (scan_chunk(s, at, buf, n)) {
			*ret_stop = true;
			return NULL;
		}
		if (n < want)
			return NULL;
	}
	return NULL;
}

struct err *go_scan_regions(struct target *t, const struct go_scan *s)
{
	_cleanup_(freep) uint8_t *buf = malloc(CHUNK_BYTES + 64);
	const struct target_region *r;
	uint64_t left = MAX_SCAN;
	struct err *err = NULL;
	bool stop = false;
	size_t n;

	if (!buf)
		return &err_nomem;
	r = target_regions(t, &n);
	for (size_t i = 0; i < n && !err && !stop; i++) {
		uint64_t bytes = trange_bytes(r[i].range);

		if (!(r[i].prot & REGION_READ) || bytes > MAX_REGION || bytes > left ||
		    !s->pick(s->arg, &r[i]))
			continue;
		err = scan_region(t, s, &r[i], buf, &stop);
		left -= bytes;
	}
	return err;
}

/* Run time minus link time: the mapping that holds the file offset of an executable segment. */
bool go_file_bias(struct target *t, const struct elf_exe *e, uint64_t inode, taddr *ret)
{
	size_t n;
	const struct target_region *r = target_regions(t, &n);

	for (size_t s = 0; s < e->segments.n; s++) {
		const struct elf_segment *g = &e->segments.v[s];

		for (size_t i = 0; g->exec && i < n; i++) {
			if (r[i].inode != inode || !(r[i].prot & REGION_EXEC) ||
			    g->offset < r[i].offset ||
			    g->offset - r[i].offset >= trange_bytes(r[i].range))
				continue;
			*ret = r[i].range.start + (g->offset - r[i].offset) - g->vaddr;
			return true;
		}
	}
	return false;
}

/* Mappings show another inode than the file on some overlay file systems: go by the name then. */
static uint64_t mapped_inode(struct target *t, uint64_t inode, const char *path)
{
	size_t n, len = strlen(path);
	const struct target_region *r = target_regions(t, &n);
	uint64_t named = 0;

	for (size_t i = 0; i < n; i++) {
		if (!(r[i].prot & REGION_EXEC) || !r[i].inode)
			continue;
		if (r[i].inode == inode)
			return inode;
		if (len && !named && !strncmp(r[i].path, path, len))
			named = r[i].inode;
	}
	return named;
}

static struct err *take_symbols(struct go *g, struct detect *d, int fd, uint64_t inode)
{
	if (!inode || !go_file_bias(g->t, &d->exe, inode, &d->bias))
		return NULL;
	d->inode = inode;
	g->stripped = !d->exe.symtab;
	g->dwarf = d->exe.dwarf && !g->no_dwarf;
	if (g->dwarf) {
		struct err *err = go_debug_own(g, fd, d->file, d->bias);

		if (err)
			return err;
	}
	/* without .symtab they would be DWARF's */
	return g->no_dwarf && g->stripped ? NULL
					  : elf_symbols_read(fd, d->file, d->bias, &g->symbols);
}

/* One file; d->exe.go tells whether Go is in it. */
static struct err *try_file(struct go *g, struct detect *d, int fd, const char *path)
{
	struct err *err;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_os(errno, "%s", path);
	elf_exe_deinit(&d->exe);
	d->exe = (struct elf_exe){ 0 };
	err = elf_exe_read(fd, path, &d->exe);
	if (err || !d->exe.go)
		return err;
	snprintf(d->file, sizeof(d->file), "%s", path);
	return take_symbols(g, d, fd, mapped_inode(g->t, st.st_ino, path));
}

/* Go is in that file too; what is no ELF file is not. */
static bool has_go(int fd, const char *path)
{
	struct elf_exe e = { 0 };
	struct err *err = elf_exe_read(fd, path, &e);
	bool has = !err && e.go;

	err_free(err);
	elf_exe_deinit(&e);
	return has;
}

/* One file mapped executable; those with Go are named in list, the first of them is taken. */
static struct err *try_library(struct go *g, struct detect *d, const struct target_region *r,
			       struct str *list)
{
	_cleanup_(closep) int fd = go_open_mapped(g, r);
	struct err *err = NULL;

	if (fd < 0 || (d->exe.go && r->inode == d->inode) || !has_go(fd, r->path))
		return NULL;
	str_put(list, list->n ? ", " : "");
	str_put_clean(list, r->path, strlen(r->path));
	if (d->exe.go) {
		d->others++;
		return NULL;
	}
	err = try_file(g, d, fd, r->path);
	if (err && err->code == ERR_NOMEM)
		return err;
	err_free(err);
	return NULL;
}

/* Go in a host that is not Go: each such library has a runtime and a heap of its own. */
static struct err *try_libraries(struct go *g, struct detect *d)
{
	_cleanup_(str_deinit) struct str list = { 0 };
	size_t n;
	const struct target_region *r = target_regions(g->t, &n);
	struct err *err = NULL;

	for (size_t i = 0; i < n && !err; i++) {
		bool again = i && r[i].inode == r[i - 1].inode && (r[i - 1].prot & REGION_EXEC);

		if ((r[i].prot & REGION_EXEC) && r[i].inode && !again)
			err = try_library(g, d, &r[i], &list);
	}
	if (err || !d->others)
		return err;
	return err_usage("Go is in %u libraries of this process, each with a heap of its own: %s; "
			 "say which with --exe FILE",
			 d->others + 1, str_ok(&list) ? list.s : "");
}

static bool pick_file_backed(void *arg, const struct target_region *r)
{
	(void)arg;
	return r->inode != 0;
}

struct info_at {
	struct go *g;
	struct go_buildinfo info;
	bool found;
};

static bool parse_info(void *arg, taddr at)
{
	struct info_at *x = arg;
	uint8_t buf[INFO_BYTES];
	size_t n = 0;
	struct err *err = target_read_some(x->g->t, at, buf, sizeof(buf), &n);

	err_free(err);
	/* The tail of the text may be cut off: the version comes first. */
	memset(buf + n, 0, sizeof(buf) - n);
	x->found = n >= 48 && go_buildinfo_parse(buf, n, &x->info);
	return x->found;
}

static struct err *from_memory(struct go *g, struct detect *d)
{
	struct info_at x = { .g = g };
	struct go_scan s = { .pattern = INFO_MAGIC,
			     .npattern = 14,
			     .align = 16,
			     .pick = pick_file_backed,
			     .fn = parse_info,
			     .arg = &x };
	struct err *err = go_scan_regions(g->t, &s);

	if (err || !x.found)
		return err;
	d->exe.info = x.info;
	d->exe.go = true;
	g->stripped = true;
	return NULL;
}

/* The file must be what runs: the build info in memory says the same version. */
static struct err *check_memory(struct go *g, const struct detect *d)
{
	struct info_at x = { .g = g };
	bool same;

	if (!d->inode || !d->exe.info_addr || !parse_info(&x, d->exe.info_addr + d->bias))
		return NULL;
	same = !strcmp(x.info.version, d->exe.info.version);
	/* Build info has a version, or memory was short when it was copied. */
	if (!*x.info.version || !*d->exe.info.version) {
		go_buildinfo_deinit(&x.info);
		return &err_nomem;
	}
	if (same) {
		go_buildinfo_deinit(&x.info);
		return NULL;
	}
	snprintf(g->version, sizeof(g->version), "%s", x.info.version);
	go_buildinfo_deinit(&x.info);
	return err_bad_data("%s is not the program that runs: the file was built by %s, the memory "
			    "says %s; give the right file with --exe",
			    d->file, d->exe.info.version, g->version);
}

static struct err *take_info(struct go *g, const struct detect *d)
{
	const char *x;

	snprintf(g->version, sizeof(g->version), "%s", d->exe.info.version);
	x = strstr(g->version, "X:");
	snprintf(g->experiments, sizeof(g->experiments), "%s", x ? x + 2 : "");
	g->module_path = strdup(d->exe.info.module_path);
	g->module_version = strdup(d->exe.info.module_version);
	g->vcs_revision = strdup(d->exe.info.vcs_revision);
	g->dependencies = strdup(d->exe.info.modules);
	return g->module_path && g->module_version && g->vcs_revision && g->dependencies
		       ? NULL
		       : &err_nomem;
}

static bool ids_differ(const char *a, const char *b)
{
	return *a && *b && strcmp(a, b);
}

/*
 * A new build at the path of the old one, the program still running: names by it would be wrong.
 * The kernel keeps the file that runs; --exe may only be the same build, or of a library in it.
 */
static struct err *refuse_other(struct go *g, const struct elf_exe *given, const char *path)
{
	_cleanup_(elf_exe_deinit) struct elf_exe own = { 0 };
	int fd = target_exe_fd(g->t);
	struct err *err = fd < 0 ? NULL : elf_exe_read(fd, target_exe(g->t), &own);

	if (err_catch(&err, ERR_NOMEM))
		return &err_nomem;
	if (err || !own.go || !given->go) {
		err_free(err);
		return NULL;
	}
	if (!ids_differ(own.go_build_id, given->go_build_id) &&
	    !ids_differ(own.build_id, given->build_id) &&
	    !ids_differ(own.info.version, given->info.version))
		return NULL;
	return err_bad_data(
		"%s is not the program that runs (%.200s): its build id is another one; "
		"leave --exe out, or give an unstripped build of it with --symbols",
		path, target_exe(g->t));
}

static struct err *open_given(struct go *g, struct detect *d, const char *exe)
{
	_cleanup_(closep) int fd = file_open(exe);

	if (fd < 0)
		return err_os(errno, "%s", exe);
	struct err *err = try_file(g, d, fd, exe);

	return err ? err : refuse_other(g, &d->exe, exe);
}

struct err *go_detect_exe(struct go *g, struct detect *d, const char *exe)
{
	int fd = target_exe_fd(g->t);
	struct err *err = NULL;

	if (exe)
		err = open_given(g, d, exe);
	else if (fd >= 0)
		err = try_file(g, d, fd, target_exe(g->t));
	if (!err && !d->exe.go)
		err = try_libraries(g, d);
	if (!err && !d->exe.go)
		err = from_memory(g, d);
	if (err)
		return err;
	if (!d->exe.go)
		return err_unsupported("%s: not a Go program (no Go build info in the file or in "
				       "memory)",
				       exe ? exe : target_exe(g->t));
	err = check_memory(g, d);
	return err ? err : take_info(g, d);
}
