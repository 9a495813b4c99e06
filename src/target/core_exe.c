/*
 * core_exe.c - the executable and the libraries of a core, found and opened.
 *
 * The executable is the file mapped where the auxiliary vector says that the program begins; else
 * what our own note, AT_EXECFN or the command line name.  --exe overrules them, --sysroot goes
 * before each.  A file counts only when it agrees with what the core holds of it
 * (core_compare.c).  A core without NT_FILE (delve) gets the mappings of its executable from
 * the program headers.
 */
#include "target/core_priv.h"

#include "base/bytes.h"
#include "base/files.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define MAX_TRIES 512U
#define MAX_PHDRS 256U

struct search {
	struct core *c;
	const struct target_file_opts *o;
	char wrong[420]; /* why a file that was there is not the one; "" */
	unsigned ntries;
	uint32_t library; /* that --exe names; CORE_NO_FILE: it names the executable, or nothing */
};

/* Paths come from the core: nothing but regular files is opened. */
static int open_regular(const char *path, struct stat *ret)
{
	_cleanup_(closep) int fd = -1;
	int out;

	fd = file_open_elf(path);
	if (fd < 0 && errno == EINVAL)
		fd = file_open(path); /* --exe may be anything: it is said then */
	if (fd < 0 || fstat(fd, ret) || !S_ISREG(ret->st_mode))
		return -1;
	out = fd;
	fd = -1;
	return out;
}

static void forget(struct core_file *f)
{
	closep(&f->fd);
	f->fd = -1;
	elf_exe_deinit(&f->x);
	f->x = (struct elf_exe){ 0 };
}

/* Open path as the file's contents, without asking whether it is the right one. */
static struct err *attach_file(struct core *c, struct core_file *f, const char *path)
{
	const struct regs_shape *shape = regs_shape(c->t.arch);
	struct stat st;
	int fd = open_regular(path, &st);
	struct err *err;

	if (fd < 0)
		return err_os(errno, "%.200s", path);
	forget(f);
	f->fd = fd;
	f->bytes = (uint64_t)st.st_size;
	err = elf_exe_read(fd, path, &f->x);
	if (!err && f->x.machine != shape->machine)
		err = err_bad_data("%.200s: not an %s file", path, shape->name);
	if (err)
		forget(f);
	else
		f->inode = st.st_ino;
	return err;
}

/* Where the file's first segment went, by AT_PHDR; false when that says nothing. */
static bool bias_of(const struct core *c, const struct elf_exe *x, uint64_t phoff, taddr *ret)
{
	taddr phdr = core_auxv(c, AT_PHDR);

	for (size_t i = 0; phdr && i < x->segments.n; i++) {
		const struct elf_segment *s = &x->segments.v[i];

		if (phoff < s->offset || phoff - s->offset >= s->file_bytes)
			continue;
		*ret = phdr - (s->vaddr + (phoff - s->offset));
		return true;
	}
	*ret = 0;
	return !x->pie;
}

static struct err *map_segments(struct core *c, uint32_t file, const struct elf_exe *x, taddr bias)
{
	const uint64_t page = CORE_PAGE_BYTES - 1;

	for (size_t i = 0; i < x->segments.n; i++) {
		const struct elf_segment *s = &x->segments.v[i];
		taddr start = (bias + s->vaddr) & ~page;
		taddr end = (bias + s->vaddr + s->file_bytes + page) & ~page;
		struct core_mapping m = { { start, end }, s->offset & ~page, file };
		size_t n = c->mappings.n;

		if (!s->file_bytes || end <= start || (n && start < c->mappings.v[n - 1].range.end))
			continue;
		if (!vec_push(&c->mappings, m))
			return &err_nomem;
	}
	return NULL;
}

/* The program headers as the program itself has them in memory. */
static struct err *segments_in_memory(struct core *c, struct elf_exe *x, taddr *ret_bias)
{
	taddr at = core_auxv(c, AT_PHDR);
	uint64_t n = MIN(core_auxv(c, AT_PHNUM), MAX_PHDRS);
	bool found = false;

	for (uint64_t i = 0; at && i < n; i++) {
		Elf64_Phdr p;
		size_t got = 0;
		struct err *err = core_read_some(&c->t, at + i * sizeof(p), &p, sizeof(p), &got);

		if (err)
			return err;
		if (got < sizeof(p))
			break;
		if (p.p_type == PT_PHDR) {
			*ret_bias = at - p.p_vaddr;
			found = true;
		}
		if (p.p_type == PT_LOAD &&
		    !vec_push(&x->segments,
			      (struct elf_segment){ p.p_vaddr, p.p_offset, p.p_filesz, p.p_memsz,
						    p.p_flags & PF_X, p.p_flags & PF_W }))
			return &err_nomem;
	}
	if (!found && x->segments.n)
		*ret_bias =
			at - sizeof(Elf64_Ehdr) - x->segments.v[0].vaddr + x->segments.v[0].offset;
	return NULL;
}

static uint64_t phoff_of(const struct core_file *f)
{
	Elf64_Ehdr h;

	return pread(f->fd, &h, sizeof(h), 0) == sizeof(h) ? h.e_phoff : sizeof(h);
}

/* No NT_FILE: mappings of the executable, by its own headers, on disk or in memory. */
static struct err *make_mappings(struct core *c)
{
	_cleanup_(elf_exe_deinit) struct elf_exe x = { 0 };
	taddr bias = 0;
	struct err *err;

	if (c->main_file != CORE_NO_FILE && c->files.v[c->main_file].fd >= 0) {
		const struct core_file *f = &c->files.v[c->main_file];

		if (bias_of(c, &f->x, phoff_of(f), &bias))
			return map_segments(c, c->main_file, &f->x, bias);
	}
	err = segments_in_memory(c, &x, &bias);
	if (err)
		return err;
	if (c->main_file == CORE_NO_FILE)
		c->main_file = core_add_file(c, c->facts.exe);
	if (c->main_file == CORE_NO_FILE)
		return &err_nomem;
	err = map_segments(c, c->main_file, &x, bias);
	c->all_from_a_file = !c->mappings.n;
	return err;
}

static void unmap(struct core *c, uint32_t file)
{
	if (c->mappings.n && c->mappings.v[0].file == file)
		c->mappings.n = 0;
}

/*
 * Is path the file that was mapped?  ret_is false: it is not there, or another, which s->wrong
 * then says.
 */
static struct err *try_file(struct search *s, uint32_t i, const char *path, bool has_mappings,
			    bool *ret_is)
{
	struct core *c = s->c;
	enum core_verdict v = CORE_CANNOT_TELL;
	char why[200] = "";
	struct err *err = attach_file(c, &c->files.v[i], path);

	*ret_is = false;
	if (err && err->code == ERR_NOMEM)
		return err;
	if (err) {
		if (err->code != ERR_OS)
			snprintf(s->wrong, sizeof(s->wrong), "%.400s", err->msg);
		err_free(err);
		return NULL;
	}
	if (!has_mappings)
		err = make_mappings(c);
	if (!err)
		err = core_compare(c, i, &v, why, sizeof(why));
	*ret_is = !err && v != CORE_OTHER;
	if (*ret_is)
		return NULL;
	snprintf(s->wrong, sizeof(s->wrong), "%.200s is not the file that ran: %s", path, why);
	forget(&c->files.v[i]);
	if (!has_mappings)
		unmap(c, i);
	return err;
}

static const struct core_mapping *mapping_at(const struct core *c, taddr a)
{
	for (size_t i = 0; a && i < c->mappings.n; i++)
		if (trange_has(c->mappings.v[i].range, a))
			return &c->mappings.v[i];
	return NULL;
}

static const char *string_at(struct core *c, taddr a)
{
	char buf[4096];
	size_t n = 0;

	err_free(a ? core_read_some(&c->t, a, buf, sizeof(buf), &n) : NULL);
	return n && buf[0] == '/' && memchr(buf, 0, n) ? core_keep(c, buf, strlen(buf)) : NULL;
}

/* The path that the core has for its executable, "" when it has none. */
static const char *main_path(struct core *c)
{
	const struct core_mapping *m = mapping_at(c, core_auxv(c, AT_PHDR));
	const char *p;

	if (!m)
		m = mapping_at(c, core_auxv(c, AT_ENTRY));
	if (m)
		return c->files.v[m->file].path;
	if (*c->facts.exe)
		return c->facts.exe;
	p = string_at(c, core_auxv(c, AT_EXECFN));
	if (p)
		return p;
	if (c->facts.args[0] == '/')
		return core_keep(c, c->facts.args, strcspn(c->facts.args, " "));
	return c->mappings.n ? c->files.v[c->mappings.v[0].file].path : "";
}

/* "path (deleted)" as the kernel shows it, without that. */
static const char *without_deleted(struct core *c, const char *path)
{
	static const char tail[] = " (deleted)";
	size_t n = strlen(path), k = sizeof(tail) - 1;

	return n > k && !strcmp(path + n - k, tail) ? core_keep(c, path, n - k) : path;
}

static struct err *try_named(struct search *s, uint32_t i, bool has_mappings, bool *ret_is)
{
	const char *path = without_deleted(s->c, s->c->files.v[i].path);
	const char *root = s->o && s->o->sysroot ? s->o->sysroot : "";
	char full[4096 + 512];

	*ret_is = false;
	if (!path)
		return &err_nomem;
	if (path[0] != '/' || s->ntries++ >= MAX_TRIES)
		return NULL;
	snprintf(full, sizeof(full), "%.500s%.4000s", root, path);
	return try_file(s, i, full, has_mappings, ret_is);
}

/* In the folder of the core: people copy both from the machine where it happened. */
static struct err *try_beside(struct search *s, uint32_t i, bool has_mappings, bool *ret_is)
{
	const char *path = without_deleted(s->c, s->c->files.v[i].path);
	const char *slash = strrchr(s->c->path, '/'), *base;
	char full[1024];

	if (!path)
		return &err_nomem;
	base = strrchr(path, '/');
	base = base ? base + 1 : path;
	if (!*base)
		return NULL;
	snprintf(full, sizeof(full), "%.*s%.400s", slash ? (int)(slash + 1 - s->c->path) : 0,
		 s->c->path, base);
	return try_file(s, i, full, has_mappings, ret_is);
}

/* --exe: this one or none. */
static struct err *take_given(struct search *s, uint32_t i, bool has_mappings)
{
	bool is;
	struct stat st;
	struct err *err;

	if (file_stat(s->o->exe, &st))
		return err_os(errno, "--exe %.200s", s->o->exe);
	if (!S_ISREG(st.st_mode))
		return err_usage("--exe %.200s: not a file", s->o->exe);
	err = try_file(s, i, s->o->exe, has_mappings, &is);
	if (err || is)
		return err;
	return s->wrong[0] ? err_bad_data("%s", s->wrong)
			   : err_os(EACCES, "--exe %.200s", s->o->exe);
}

/* Does the core hold code itself, of that file or (file CORE_NO_FILE) of any? */
static bool holds_code(const struct core *c, uint32_t file)
{
	size_t r = 0;

	for (size_t i = 0; i < c->pieces.n; i++) {
		const struct core_piece *p = &c->pieces.v[i];

		while (c->t.regions[r].range.end <= p->range.start)
			r++;
		if (p->from == CORE_FROM_CORE && (c->t.regions[r].prot & REGION_EXEC) &&
		    trange_bytes(p->range) > CORE_PAGE_BYTES &&
		    (p->file == file || file == CORE_NO_FILE))
			return true;
	}
	return false;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* --exe may name a library: in which of them Go is meant, not what ran. */
static bool is_library(struct search *s, uint32_t main_file)
{
	const struct core *c = s->c;
	struct stat given, st;

	if (file_stat(s->o->exe, &given))
		return false;
	for (uint32_t i = 0; i < c->files.n; i++) {
		const char *path = c->files.v[i].path;

		if (i == main_file || strcmp(base_name(path), base_name(s->o->exe)) != 0)
			continue;
		_cleanup_(closep) int fd = open_regular(path, &st);

		if (fd >= 0 && st.st_ino == given.st_ino && st.st_dev == given.st_dev) {
			s->library = i;
			return true;
		}
	}
	return false;
}

static struct err *find_main(struct search *s)
{
	struct core *c = s->c;
	bool has_mappings = c->mappings.n != 0, is = false;
	const char *path = main_path(c);
	uint32_t i = CORE_NO_FILE;
	struct err *err;

	for (size_t k = 0; path && k < c->files.n && i == CORE_NO_FILE; k++)
		if (c->files.v[k].path == path)
			i = (uint32_t)k;
	if (path && i == CORE_NO_FILE)
		i = core_add_file(c, path);
	if (!path || i == CORE_NO_FILE)
		return &err_nomem;
	c->main_file = i;
	if (s->o && s->o->exe && !is_library(s, i))
		return take_given(s, i, has_mappings);
	err = try_named(s, i, has_mappings, &is);
	if (!err && !is)
		err = try_beside(s, i, has_mappings, &is);
	if (!err && !is && !has_mappings)
		err = make_mappings(c);
	if (err || is || holds_code(c, has_mappings ? i : CORE_NO_FILE))
		return err;
	if (s->wrong[0])
		return err_bad_data("%s; give the right one with --exe", s->wrong);
	return err_new(ERR_GONE,
		       "%.150s: its executable %.150s is not here, and the core does not hold the "
		       "code: give it with --exe (or --sysroot)",
		       c->path, *path ? path : "(no name known)");
}

static bool has_code(const struct elf_exe *x)
{
	for (size_t i = 0; i < x->segments.n; i++)
		if (x->segments.v[i].exec)
			return true;
	return false;
}

/*
 * Files that were mapped executable: Go may be in a library.  gcore has no program headers for what
 * it does not dump, so that nothing but the file itself says whether there is code in it.
 */
static struct err *find_libraries(struct search *s)
{
	struct core *c = s->c;
	_cleanup_(freep) bool *silent = zalloc(c->files.n, sizeof(*silent));
	struct err *err = NULL;

	if (!silent)
		return &err_nomem;
	for (size_t r = 0, m = 0, g = 0; r < c->t.nregions; r++) {
		const struct target_region *x = &c->t.regions[r];

		while (m < c->mappings.n && c->mappings.v[m].range.end <= x->range.start)
			m++;
		while (g < c->segs.n && c->segs.v[g].range.end <= x->range.start)
			g++;
		if (m == c->mappings.n || !trange_has(c->mappings.v[m].range, x->range.start))
			continue;
		if (x->prot & REGION_EXEC)
			c->files.v[c->mappings.v[m].file].exec = true;
		if (g == c->segs.n || !trange_has(c->segs.v[g].range, x->range.start))
			silent[c->mappings.v[m].file] = true;
	}
	for (uint32_t i = 0; !err && i < c->files.n; i++) {
		struct core_file *f = &c->files.v[i];
		bool is;

		if (i == c->main_file || (!f->exec && !silent[i]))
			continue;
		err = try_named(s, i, true, &is);
		if (!err && is && !f->exec && !has_code(&f->x))
			forget(f);
		f->exec = f->exec || has_code(&f->x);
	}
	return err;
}

struct err *core_find_files(struct core *c, const struct target_file_opts *o)
{
	struct search s = { .c = c, .o = o, .library = CORE_NO_FILE };
	struct err *err = find_main(&s);

	if (!err)
		err = find_libraries(&s);
	if (err)
		return err;
	struct core_file *f = &c->files.v[c->main_file];

	f->exec = true;
	if (s.library != CORE_NO_FILE)
		f = &c->files.v[s.library];
	c->t.exe = strdup(f->path);
	if (f->fd >= 0)
		c->t.exe_fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 0);
	return c->t.exe ? NULL : &err_nomem;
}
