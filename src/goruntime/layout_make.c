/*
 * layout_make.c - fills a table from DWARF of an unstripped program.
 *
 * What DWARF lacks is derived here, each with its source.  Does not know how the
 * program was built (layout_build.c does).
 */
#include "goruntime/layout_make.h"

#include "elf/dwarf_info.h"
#include "elf/exe.h"
#include "goruntime/layout_version.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>

static void layout_freep(struct go_layout **l)
{
	go_layout_free(*l);
}

static struct go_field field(const struct dwarf *d, const char *type, const char *path)
{
	uint64_t off, bytes;

	if (!dwarf_field(d, type, path, &off, &bytes) || off > INT32_MAX || bytes > UINT32_MAX)
		return (struct go_field){ -1, 0 };
	return (struct go_field){ (int32_t)off, (uint32_t)bytes };
}

static uint32_t size(const struct dwarf *d, const char *type)
{
	uint64_t n;

	return dwarf_struct_bytes(d, type, &n) && n < UINT32_MAX ? (uint32_t)n : 0;
}

static int64_t constant(const struct dwarf *d, const char *name)
{
	int64_t x;

	return dwarf_const(d, name, &x) ? x : -1;
}

static void fill(const struct dwarf *d, struct go_layout *l)
{
	const char *type = NULL;

#define LAYOUT_STRUCT(s, t)                                                                        \
	type = t;                                                                                  \
	l->s##_bytes = size(d, type);
#define LAYOUT_FIELD(s, f, path)   l->s##_##f = field(d, type, path);
#define LAYOUT_CONST(name, symbol) l->c_##name = constant(d, symbol);
#include "goruntime/layout_fields.h"
#undef LAYOUT_STRUCT
#undef LAYOUT_FIELD
#undef LAYOUT_CONST
}

/* Constants that the compiler leaves out of DWARF. */
static void derive(const struct dwarf *d, struct go_layout *l)
{
	/* malloc.go: arenaBaseOffset = 0xffff800000000000*goarch.IsAmd64: too big for DWARF. */
	if (l->c_arenaBaseOffset == -1)
		l->c_arenaBaseOffset = strcmp(l->arch, "amd64") ? 0 : -0x800000000000;
	/* mgcmark_greenteagc.go declares its fields, mgcmark_nogreenteagc.go none. */
	l->c_goexperiment_GreenTeaGC = l->spanInlineMarkBits_bytes > 0;
	/* map_noswiss.go (before 1.24: map.go) has hmap; Swiss builds do not. */
	l->c_goexperiment_SwissMap = size(d, "runtime.hmap") == 0;
}

static struct err *read_classes(const struct dwarf *d, struct go_layout *l)
{
	uint16_t c[256];
	uint64_t n;
	taddr at;

	if (!dwarf_variable(d, "runtime.class_to_size", &at, &n) &&
	    !dwarf_variable(d, "internal/runtime/gc.SizeClassToSize", &at, &n))
		return err_unsupported("no runtime.class_to_size in DWARF");
	if (n > sizeof(c) || !dwarf_read(d, at, c, (size_t)n))
		return err_bad_data("runtime.class_to_size");
	for (uint32_t i = 0; i < n / 2; i++)
		if (!go_layout_set_class(l, i, c[i]))
			return &err_nomem;
	return NULL;
}

static struct err *read_reasons(const struct dwarf *d, struct go_layout *l)
{
	uint64_t n, s[2];
	char text[64];
	taddr at;

	if (!dwarf_variable(d, "runtime.waitReasonStrings", &at, &n))
		return err_unsupported("no runtime.waitReasonStrings in DWARF");
	for (uint32_t i = 0; i < n / 16 && i < 256; i++) {
		if (!dwarf_read(d, at + 16 * i, s, 16) || s[1] > sizeof(text) ||
		    !dwarf_read(d, s[0], text, (size_t)s[1]))
			s[1] = 0;
		if (!go_layout_set_reason(l, i, text, (size_t)s[1]))
			return &err_nomem;
	}
	return NULL;
}

static struct err *name_table(const struct elf_exe *e, struct go_layout *l)
{
	char exps[256], go[16];
	int minor;

	if (!e->go || !go_version_parse(e->info.version, &minor, exps, sizeof(exps)))
		return err_unsupported("no Go version in its build info");
	if (e->machine != EM_X86_64 && e->machine != EM_AARCH64)
		return err_unsupported("ELF machine %u is not known", e->machine);
	snprintf(go, sizeof(go), "1.%d", minor);
	l->go = strdup(go);
	l->arch = strdup(e->machine == EM_X86_64 ? "amd64" : "arm64");
	l->experiments = strdup(exps);
	l->made_from = strndup(e->info.version, strcspn(e->info.version, "- "));
	return l->go && l->arch && l->experiments && l->made_from ? NULL : &err_nomem;
}

static struct err *check(const struct go_layout *l)
{
	if (!l->mspan_bytes || !l->mheap_bytes || !l->g_bytes || !l->m_bytes || !l->p_bytes ||
	    !l->moduledata_bytes)
		return err_unsupported("DWARF lacks runtime structs (mspan, mheap, g, m, p, "
				       "moduledata): was it linked with -w?");
	return NULL;
}

struct err *go_layout_make(const char *elf_path, struct go_layout **ret)
{
	_cleanup_(layout_freep) struct go_layout *l = go_layout_new();
	_cleanup_(closep) int fd = open(elf_path, O_RDONLY | O_CLOEXEC);
	_cleanup_(dwarf_closep) struct dwarf *d = NULL;
	_cleanup_(elf_exe_deinit) struct elf_exe e = { 0 };
	struct err *err;

	if (!l)
		return &err_nomem;
	if (fd < 0)
		return err_os(errno, "%s", elf_path);
	err = elf_exe_read(fd, elf_path, &e);
	if (!err)
		err = name_table(&e, l);
	if (!err)
		err = dwarf_open_fd(fd, elf_path, &d);
	if (err)
		return err;
	fill(d, l);
	derive(d, l);
	err = check(l);
	if (!err)
		err = read_classes(d, l);
	if (!err)
		err = read_reasons(d, l);
	if (err)
		return err_prefix(err, "%s", elf_path);
	*ret = STEAL(l);
	return NULL;
}
