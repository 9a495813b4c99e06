/*
 * dwarf_info.c - one pass over the top-level DIEs of all units, then lookups by binary search.
 *
 * Only what has a name and is a struct, a constant or a variable is kept.  Go's linker
 * emits no nested scopes for these.  Cost: one pass over the units, 40 bytes a name.
 */
#include "elf/dwarf_info.h"

#include "base/bytes.h"
#include "base/crash.h"
#include "elf/dwarf_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>

#define MAX_EMBEDDED 4
#define MAX_ENTRIES  (1U << 25) /* a prometheus has 400,000; hostile files may loop */

struct named {
	const char *name;
	Dwarf_Die die;
};

typedef VEC(struct named) named_vec;

struct dwarf {
	Dwarf *dw;
	int fd;
	char words[CRASH_WORDS]; /* what a crash in it says */
	named_vec structs, consts, vars;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

static const struct named *find(const named_vec *v, const char *name)
{
	struct named key = { .name = name };

	return v->n ? bsearch(&key, v->v, v->n, sizeof(key), by_name) : NULL;
}

static bool keep(struct dwarf *d, Dwarf_Die *die)
{
	named_vec *v;
	const char *name;

	switch (dwarf_tag(die)) {
	case DW_TAG_structure_type:
		v = &d->structs;
		break;
	case DW_TAG_constant:
		v = &d->consts;
		break;
	case DW_TAG_variable:
		v = &d->vars;
		break;
	default:
		return true;
	}
	name = dwarf_diename(die);
	return !name || vec_push(v, (struct named){ name, *die });
}

static void sort(named_vec *v)
{
	if (v->n)
		qsort(v->v, v->n, sizeof(*v->v), by_name);
}

static struct err *index_units(struct dwarf *d)
{
	Dwarf_CU *cu = NULL;
	Dwarf_Die unit, die;
	uint64_t seen = 0;
	uint8_t type;

	while (dwarf_get_units(d->dw, cu, &cu, NULL, &type, &unit, NULL) == 0) {
		if (dwarf_child(&unit, &die) != 0)
			continue;
		do {
			if (!keep(d, &die))
				return &err_nomem;
			if (seen++ >= MAX_ENTRIES)
				return err_bad_data("more than %u entries", MAX_ENTRIES);
		} while (dwarf_siblingof(&die, &die) == 0);
	}
	sort(&d->structs);
	sort(&d->consts);
	sort(&d->vars);
	return NULL;
}

struct err *dwarf_open_fd(int fd, const char *name, struct dwarf **ret)
{
	_cleanup_(dwarf_closep) struct dwarf *d = zalloc(1, sizeof(*d));
	struct err *err;

	if (!d)
		return &err_nomem;
	READING(crash_words(d->words, "DWARF", name, ""));
	d->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (d->fd < 0)
		return err_os(errno, "%s", name);
	err = dwarf_room(d->fd);
	if (err)
		return err_prefix(err, "%s", name);
	d->dw = dwarf_begin(d->fd, DWARF_C_READ);
	if (!d->dw)
		return err_unsupported("%s: no DWARF in it (%s)", name, dwarf_errmsg(-1));
	dwarf_new_oom_handler(d->dw, crash_nomem);
	err = index_units(d);
	if (err)
		return err_prefix(err, "DWARF of %s", name);
	*ret = STEAL(d);
	return NULL;
}

struct err *dwarf_open(const char *path, struct dwarf **ret)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_os(errno, "%s", path);
	return dwarf_open_fd(fd, path, ret);
}

void dwarf_close(struct dwarf *d)
{
	if (!d)
		return;
	vec_free(&d->structs);
	vec_free(&d->consts);
	vec_free(&d->vars);
	if (d->dw)
		dwarf_end(d->dw);
	closep(&d->fd);
	free(d);
}

/* Cut the next '|' alternative off *list into buf; false at the end. */
static bool next_alternative(const char **list, char buf[static 128])
{
	size_t n = strcspn(*list, "|");

	if (!n || n >= 128)
		return false;
	memcpy(buf, *list, n);
	buf[n] = 0;
	*list += n + ((*list)[n] == '|');
	return true;
}

static bool type_of(Dwarf_Die *die, Dwarf_Die *ret);

static bool find_struct(const struct dwarf *d, const char *names, Dwarf_Die *ret)
{
	char name[128];

	while (next_alternative(&names, name)) {
		bool is_var = name[0] == '=';
		const struct named *s = find(is_var ? &d->vars : &d->structs, name + is_var);

		if (!s)
			continue;
		*ret = s->die;
		if (!is_var || (type_of(ret, ret) && dwarf_tag(ret) == DW_TAG_structure_type))
			return true;
	}
	return false;
}

bool dwarf_struct_bytes(const struct dwarf *d, const char *names, uint64_t *ret)
{
	Dwarf_Die die;
	int n;

	READING(d->words);
	if (!find_struct(d, names, &die))
		return false;
	n = dwarf_bytesize(&die);
	if (n < 0)
		return false;
	*ret = (uint64_t)n;
	return true;
}

static bool is_alias(Dwarf_Die *t)
{
	int tag = dwarf_tag(t);

	return tag == DW_TAG_typedef || tag == DW_TAG_const_type || tag == DW_TAG_volatile_type;
}

/* Type of a DIE without its typedefs and qualifiers. */
static bool type_of(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute a;
	Dwarf_Die t;

	if (!dwarf_attr(die, DW_AT_type, &a) || !dwarf_formref_die(&a, &t))
		return false;
	for (int i = 0; i < 16 && is_alias(&t); i++) {
		if (!dwarf_attr(&t, DW_AT_type, &a) || !dwarf_formref_die(&a, &t))
			return false;
	}
	*ret = t;
	return true;
}

static uint64_t type_bytes(Dwarf_Die *t)
{
	uint64_t n;

	switch (dwarf_tag(t)) {
	case DW_TAG_pointer_type:
	case DW_TAG_subroutine_type:
		return 8;
	default:
		return dwarf_number(t, DW_AT_byte_size, &n) ? n : 0;
	}
}

static bool member(Dwarf_Die *strct, const char *name, int depth, Dwarf_Die *ret_type,
		   uint64_t *ret_offset);

static bool member_embedded(Dwarf_Die *field, const char *name, int depth, Dwarf_Die *ret_type,
			    uint64_t *ret_offset)
{
	uint64_t embedded, at, sub;
	Dwarf_Die t;

	if (depth >= MAX_EMBEDDED || !dwarf_number(field, AT_GO_EMBEDDED, &embedded) || !embedded ||
	    !dwarf_number(field, DW_AT_data_member_location, &at) || !type_of(field, &t) ||
	    dwarf_tag(&t) != DW_TAG_structure_type || !member(&t, name, depth + 1, ret_type, &sub))
		return false;
	*ret_offset = at + sub;
	return true;
}

static bool member(Dwarf_Die *strct, const char *name, int depth, Dwarf_Die *ret_type,
		   uint64_t *ret_offset)
{
	Dwarf_Die f;

	if (dwarf_child(strct, &f) != 0)
		return false;
	do {
		const char *s = dwarf_diename(&f);

		if (dwarf_tag(&f) == DW_TAG_member && s && !strcmp(s, name))
			return dwarf_number(&f, DW_AT_data_member_location, ret_offset) &&
			       type_of(&f, ret_type);
	} while (dwarf_siblingof(&f, &f) == 0);
	if (dwarf_child(strct, &f) != 0)
		return false;
	do {
		if (dwarf_tag(&f) == DW_TAG_member &&
		    member_embedded(&f, name, depth, ret_type, ret_offset))
			return true;
	} while (dwarf_siblingof(&f, &f) == 0);
	return false;
}

static bool field_path(Dwarf_Die t, char *path, uint64_t *ret_offset, uint64_t *ret_bytes)
{
	uint64_t offset = 0, at;
	char *save, *part = strtok_r(path, ".", &save);

	for (; part; part = strtok_r(NULL, ".", &save)) {
		Dwarf_Die sub;

		if (dwarf_tag(&t) != DW_TAG_structure_type || !member(&t, part, 0, &sub, &at))
			return false;
		offset += at;
		t = sub;
	}
	*ret_offset = offset;
	*ret_bytes = type_bytes(&t);
	return true;
}

bool dwarf_field(const struct dwarf *d, const char *struct_names, const char *path,
		 uint64_t *ret_offset, uint64_t *ret_bytes)
{
	Dwarf_Die die;
	char alt[128];

	READING(d->words);
	if (!find_struct(d, struct_names, &die))
		return false;
	while (next_alternative(&path, alt)) {
		if (field_path(die, alt, ret_offset, ret_bytes))
			return true;
	}
	return false;
}

/* Bytes of the file at a link-time address. */
bool dwarf_read(const struct dwarf *d, taddr addr, void *buf, size_t nbytes)
{
	Elf *elf = dwarf_getelf(d->dw);
	Elf_Scn *scn = NULL;

	READING(d->words);
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;
		Elf_Data *data;

		if (!gelf_getshdr(scn, &sh) || !(sh.sh_flags & SHF_ALLOC) ||
		    !trange_has_all((struct trange){ sh.sh_addr, sh.sh_addr + sh.sh_size }, addr,
				    nbytes))
			continue;
		data = elf_getdata(scn, NULL);
		if (!data || !data->d_buf || data->d_size < sh.sh_size)
			continue;
		memcpy(buf, (const char *)data->d_buf + (addr - sh.sh_addr), nbytes);
		return true;
	}
	return false;
}

bool dwarf_const(const struct dwarf *d, const char *names, int64_t *ret)
{
	const struct named *c = NULL;
	char name[128];
	Dwarf_Attribute a;
	Dwarf_Sword x;
	Dwarf_Die die;

	READING(d->words);
	while (!c && next_alternative(&names, name))
		c = find(&d->consts, name);
	if (!c)
		return false;
	die = c->die;
	if (!dwarf_attr(&die, DW_AT_const_value, &a) || dwarf_formsdata(&a, &x) != 0)
		return false;
	*ret = x;
	return true;
}

/* DW_OP_addrx: an index into .debug_addr, as clang writes it in DWARF 5. */
static bool indexed_address(Dwarf_Attribute *a, taddr *ret)
{
	Dwarf_Attribute in_table;
	Dwarf_Addr addr;
	Dwarf_Op *op;
	size_t n;

	if (dwarf_getlocation(a, &op, &n) != 0 || n != 1 ||
	    dwarf_getlocation_attr(a, op, &in_table) != 0 || dwarf_formaddr(&in_table, &addr) != 0)
		return false;
	*ret = addr;
	return true;
}

/*
 * One address and nothing else.  DW_OP_addr by hand: elfutils' dwarf_getlocation refuses the
 * DW_FORM_block1 that Go's linker writes in DWARF 4 as well as in 5.
 */
static bool location(const struct named *v, taddr *ret_addr, uint64_t *ret_bytes)
{
	Dwarf_Die die = v->die, t;
	Dwarf_Attribute a;
	Dwarf_Block b;

	if (!dwarf_attr(&die, DW_AT_location, &a) || dwarf_formblock(&a, &b) != 0 || !b.length)
		return false;
	if (b.data[0] == DW_OP_addrx) {
		if (!indexed_address(&a, ret_addr))
			return false;
	} else if (b.data[0] == DW_OP_addr && b.length == 9) {
		*ret_addr = load_u64(b.data + 1);
	} else {
		return false;
	}
	*ret_bytes = type_of(&die, &t) ? type_bytes(&t) : 0;
	return true;
}

bool dwarf_variable(const struct dwarf *d, const char *name, taddr *ret_addr, uint64_t *ret_bytes)
{
	const struct named *v = find(&d->vars, name);

	READING(d->words);
	return v && location(v, ret_addr, ret_bytes);
}

void dwarf_each_variable(const struct dwarf *d,
			 void (*fn)(void *arg, const char *name, taddr addr, uint64_t nbytes),
			 void *arg)
{
	READING(d->words);
	for (size_t i = 0; i < d->vars.n; i++) {
		taddr addr;
		uint64_t nbytes;

		if (location(&d->vars.v[i], &addr, &nbytes))
			fn(arg, d->vars.v[i].name, addr, nbytes);
	}
}
