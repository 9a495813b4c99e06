/*
 * symbols.c - reads the data symbols of a file once, sorts them twice.
 *
 * Knows no process: the bias is added blindly.  Cost: O(n log n), 28 bytes a symbol and the text.
 */
#include "elf/symbols.h"

#include "base/crash.h"
#include "base/str.h"
#include "elf/dwarf_info.h"

#include <gelf.h>

#define MAX_SYMBOLS (16U << 20)

static void elf_endp(Elf **e)
{
	if (*e)
		elf_end(*e);
}

void elf_symbols_free(struct elf_symbols *s)
{
	if (!s)
		return;
	vec_free(&s->syms);
	free(s->by_name);
	free(s->text);
	elf_symbols_free(s->joined);
	free(s);
}

static void elf_symbols_freep(struct elf_symbols **s)
{
	elf_symbols_free(*s);
}

/* While reading, name holds an offset in the text, which still moves. */
struct reading {
	struct elf_symbols *s;
	struct str text;
	taddr bias;
	bool nomem;
};

static void reading_deinit(struct reading *r)
{
	str_deinit(&r->text);
}

static void add(void *arg, const char *name, taddr addr, uint64_t nbytes)
{
	struct reading *r = arg;
	struct elf_symbol y = { .addr = addr + r->bias,
				.bytes = nbytes,
				.name = (const char *)(uintptr_t)r->text.n };

	if (!nbytes || !*name || r->s->syms.n >= MAX_SYMBOLS)
		return;
	str_putn(&r->text, name, strlen(name) + 1);
	if (!vec_push(&r->s->syms, y) || !str_ok(&r->text))
		r->nomem = true;
}

static bool writable(Elf *elf, size_t shndx)
{
	Elf_Scn *scn = elf_getscn(elf, shndx);
	GElf_Shdr sh;

	return scn && gelf_getshdr(scn, &sh) && (sh.sh_flags & SHF_WRITE) &&
	       !(sh.sh_flags & SHF_TLS);
}

static void from_table(Elf *elf, Elf_Scn *scn, const GElf_Shdr *sh, struct reading *r)
{
	Elf_Data *d = elf_getdata(scn, NULL);
	size_t n = d && sh->sh_entsize ? d->d_size / sh->sh_entsize : 0;

	for (size_t i = 0; i < n; i++) {
		GElf_Sym y;
		const char *name;

		if (!gelf_getsym(d, (int)i, &y) || GELF_ST_TYPE(y.st_info) != STT_OBJECT ||
		    y.st_shndx >= SHN_LORESERVE || !writable(elf, y.st_shndx))
			continue;
		name = elf_strptr(elf, sh->sh_link, y.st_name);
		if (name)
			add(r, name, y.st_value, y.st_size);
	}
}

static bool from_symtab(int fd, struct reading *r)
{
	_cleanup_(elf_endp) Elf *elf = NULL;
	Elf_Scn *scn = NULL;
	bool found = false;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	while (elf && (scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;

		if (gelf_getshdr(scn, &sh) && sh.sh_type == SHT_SYMTAB) {
			found = true;
			from_table(elf, scn, &sh, r);
		}
	}
	return found;
}

static struct err *from_dwarf(int fd, const char *name, struct reading *r)
{
	_cleanup_(dwarf_closep) struct dwarf *d = NULL;
	struct err *err = dwarf_open_fd(fd, name, &d);

	if (err_catch(&err, ERR_UNSUPPORTED) || err_catch(&err, ERR_BAD_DATA))
		return NULL;
	if (!err)
		dwarf_each_variable(d, add, r);
	return err;
}

static int by_addr(const void *a, const void *b)
{
	const struct elf_symbol *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

static int by_name(const void *a, const void *b, void *arg)
{
	const struct elf_symbol *v = arg;

	return strcmp(v[*(const uint32_t *)a].name, v[*(const uint32_t *)b].name);
}

static void sort(struct elf_symbols *s)
{
	if (s->syms.n)
		qsort(s->syms.v, s->syms.n, sizeof(*s->syms.v), by_addr);
	for (uint32_t i = 0; i < s->syms.n; i++)
		s->by_name[i] = i;
	qsort_r(s->by_name, s->syms.n, sizeof(*s->by_name), by_name, s->syms.v);
}

void elf_symbols_move(struct elf_symbols *s, taddr (*to)(const void *arg, taddr addr),
		      const void *arg)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->syms.n; i++) {
		struct elf_symbol y = s->syms.v[i];

		y.addr = to(arg, y.addr);
		if (y.addr)
			s->syms.v[kept++] = y;
	}
	s->syms.n = kept;
	sort(s);
}

/* more's text stays with s, for the names in it. */
static struct err *join(struct elf_symbols *s, struct elf_symbols *more)
{
	size_t n = s->syms.n + more->syms.n, kept = 0;
	uint32_t *names = n < UINT32_MAX ? realloc(s->by_name, (n + 1) * sizeof(*names)) : NULL;

	if (!names)
		return &err_nomem;
	s->by_name = names;
	if (!vec_reserve(&s->syms, n))
		return &err_nomem;
	for (size_t i = 0; i < more->syms.n; i++) {
		if (!elf_symbol_named(s, more->syms.v[i].name))
			more->syms.v[kept++] = more->syms.v[i];
	}
	if (kept)
		memcpy(s->syms.v + s->syms.n, more->syms.v, kept * sizeof(*more->syms.v));
	s->syms.n += kept;
	sort(s);
	return NULL;
}

struct err *elf_symbols_join(struct elf_symbols **s, struct elf_symbols *more)
{
	struct err *err;

	if (!*s) {
		*s = more;
		return NULL;
	}
	err = join(*s, more);
	if (err) {
		elf_symbols_free(more);
		return err;
	}
	vec_free(&more->syms);
	/* more was read from a file, so it has joined nothing itself */
	more->joined = (*s)->joined;
	(*s)->joined = more;
	return NULL;
}

static struct err *finish(struct reading *r)
{
	struct elf_symbols *s = r->s;

	s->text = str_steal(&r->text);
	s->by_name = zalloc(s->syms.n, sizeof(*s->by_name));
	if (r->nomem || !s->text || !s->by_name)
		return &err_nomem;
	for (size_t i = 0; i < s->syms.n; i++)
		s->syms.v[i].name = s->text + (uintptr_t)s->syms.v[i].name;
	sort(s);
	return NULL;
}

struct err *elf_symbols_read(int fd, const char *name, taddr bias, struct elf_symbols **ret)
{
	_cleanup_(elf_symbols_freep) struct elf_symbols *s = zalloc(1, sizeof(*s));
	_cleanup_(reading_deinit) struct reading r = { .s = s, .bias = bias };
	char words[CRASH_WORDS];
	struct err *err = NULL;

	READING(crash_words(words, "its symbols", name, ""));
	if (!s)
		return &err_nomem;
	if (!from_symtab(fd, &r))
		err = from_dwarf(fd, name, &r);
	if (err)
		return err_prefix(err, "reading symbols"); /* the file is said */
	if (!s->syms.n && !r.nomem) {
		*ret = NULL;
		return NULL;
	}
	err = finish(&r);
	if (!err)
		*ret = STEAL(s);
	return err;
}

const struct elf_symbol *elf_symbol_at(const struct elf_symbols *s, taddr addr)
{
	size_t lo = 0, hi = s ? s->syms.n : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->syms.v[mid].addr <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo || addr - s->syms.v[lo - 1].addr >= s->syms.v[lo - 1].bytes)
		return NULL;
	return &s->syms.v[lo - 1];
}

const struct elf_symbol *elf_symbol_named(const struct elf_symbols *s, const char *name)
{
	size_t lo = 0, hi = s ? s->syms.n : 0;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(s->syms.v[s->by_name[mid]].name, name);

		if (!c)
			return &s->syms.v[s->by_name[mid]];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}
