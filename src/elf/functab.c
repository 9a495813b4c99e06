/*
 * functab.c - one pass over .symtab; what was read is kept by the open file.
 *
 * Marks are the symbols "runtime.*" that the linker makes around sections
 * (cmd/link/internal/ld/data.go).  Cost: 24 bytes a function.
 */
#include "elf/functab.h"

#include "base/crash.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>

#define MAX_FUNCS (8U << 20)

static const char *const marks[] = {
	"runtime.text",	     "runtime.etext",	   "runtime.types",    "runtime.etypes",
	"runtime.noptrdata", "runtime.enoptrdata", "runtime.data",     "runtime.edata",
	"runtime.bss",	     "runtime.ebss",	   "runtime.noptrbss", "runtime.enoptrbss",
};

struct elf_functab {
	Elf *elf; /* owner of the names */
	int fd;
	VEC(struct elf_func) funcs; /* ascending by addr */
	taddr mark[ARRAY_LEN(marks)];
	bool has_mark[ARRAY_LEN(marks)];
};

static void functab_freep(struct elf_functab **f)
{
	elf_functab_free(*f);
}

void elf_functab_free(struct elf_functab *f)
{
	if (!f)
		return;
	vec_free(&f->funcs);
	if (f->elf)
		elf_end(f->elf);
	closep(&f->fd);
	free(f);
}

static void take_mark(struct elf_functab *f, const char *name, taddr addr)
{
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		if (!strcmp(name, marks[i])) {
			f->mark[i] = addr;
			f->has_mark[i] = true;
		}
	}
}

static struct err *take_symbols(struct elf_functab *f, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *d = elf_getdata(scn, NULL);
	size_t n = d && sh->sh_entsize ? d->d_size / sh->sh_entsize : 0;

	for (size_t i = 0; i < n && f->funcs.n < MAX_FUNCS; i++) {
		const char *name;
		GElf_Sym y;

		if (!gelf_getsym(d, (int)i, &y) || y.st_shndx == SHN_UNDEF ||
		    !(name = elf_strptr(f->elf, sh->sh_link, y.st_name)))
			continue;
		if (!strncmp(name, "runtime.", 8))
			take_mark(f, name, y.st_value);
		if (GELF_ST_TYPE(y.st_info) == STT_FUNC &&
		    !vec_push(&f->funcs, (struct elf_func){ y.st_value, y.st_size, name }))
			return &err_nomem;
	}
	return NULL;
}

static int by_addr(const void *a, const void *b)
{
	const struct elf_func *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

struct err *elf_functab_read(int fd, const char *name, struct elf_functab **ret)
{
	_cleanup_(functab_freep) struct elf_functab *f = zalloc(1, sizeof(*f));
	struct err *err = NULL;
	Elf_Scn *scn = NULL;
	char words[CRASH_WORDS];
	GElf_Shdr sh;

	READING(crash_words(words, "its symbols", name, ""));
	if (!f)
		return &err_nomem;
	f->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (f->fd < 0)
		return err_os(errno, "%s", name);
	elf_version(EV_CURRENT);
	f->elf = elf_begin(f->fd, ELF_C_READ, NULL);
	if (!f->elf || elf_kind(f->elf) != ELF_K_ELF)
		return err_bad_data("%s: not an ELF file", name);
	while (!err && (scn = elf_nextscn(f->elf, scn)))
		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB)
			err = take_symbols(f, scn, &sh);
	if (err)
		return err;
	if (!f->funcs.n)
		return err_bad_data("%s: no symbol table in it", name);
	qsort(f->funcs.v, f->funcs.n, sizeof(*f->funcs.v), by_addr);
	*ret = STEAL(f);
	return NULL;
}

const struct elf_func *elf_functab_at(const struct elf_functab *f, taddr addr)
{
	size_t lo = 0, hi = f->funcs.n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (f->funcs.v[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo && f->funcs.v[lo - 1].addr == addr ? &f->funcs.v[lo - 1] : NULL;
}

bool elf_functab_mark(const struct elf_functab *f, const char *name, taddr *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		if (!strcmp(name, marks[i]) && f->has_mark[i]) {
			*ret = f->mark[i];
			return true;
		}
	}
	return false;
}
