/*
 * fuzz_dwarf.c - DWARF as a hostile program may have crafted it: every variable, place and type.
 *
 * A seed is tests/unit/elf/go_dwarf.S, linked alone.  What libdw does with it counts, too; what it
 * cannot do is end in anything but an answer (base/crash.h is for what is not found here).
 */
#include "elf/dwarf_info.h"
#include "elf/dwarf_types.h"

#include <sys/mman.h>

#define MAX_TYPES 2000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

struct all {
	struct dwarf_index *d;
	unsigned types, depth;
};

static void type(struct all *a, uint64_t id);

static bool field(void *arg, const struct dwarf_type_field *f)
{
	struct all *a = arg;

	if (!f->name)
		abort();
	type(a, f->type);
	return a->types < MAX_TYPES;
}

static void type(struct all *a, uint64_t id)
{
	struct dwarf_type t;

	if (a->types++ > MAX_TYPES || a->depth > 8 || !dwarf_type_at(a->d, id, &t))
		return;
	if (!t.name || t.kind >= 32)
		abort();
	a->depth++;
	type(a, t.elem);
	type(a, t.key);
	dwarf_type_fields(a->d, t.id, field, a);
	a->depth--;
}

static struct err *global(void *arg, const struct dwarf_global *v)
{
	if (!v->name || !strlen(v->name))
		return NULL;
	type(arg, v->type);
	return NULL;
}

static struct err *local(void *arg, const struct dwarf_local *v)
{
	if (!v->name || !*v->name || v->nparts > DWARF_MAX_PARTS)
		abort();
	for (unsigned i = 0; i < v->nparts; i++)
		if (v->parts[i].where == DWARF_NOWHERE && !v->parts[i].bytes)
			abort();
	type(arg, v->type);
	return NULL;
}

static void variables(int fd)
{
	struct all a = { 0 };
	struct err *err = dwarf_index_open(fd, "fuzz", &a.d);

	if (!err)
		err = dwarf_globals(a.d, global, &a);
	for (taddr pc = 0x100; !err && pc < 0x260; pc += 0x1f) {
		err = dwarf_locals(a.d, 0x400000 + pc, local, &a);
		if (!err)
			err = dwarf_locals(a.d, 0x500000 + pc, local, &a);
	}
	if (!err)
		err = dwarf_captures(a.d, 0x400200, local, &a);
	for (uint64_t id = 0; !err && id < 600; id++)
		type(&a, id);
	err_free(err);
	dwarf_index_close(a.d);
}

static void see(void *arg, const char *name, taddr addr, uint64_t nbytes)
{
	(void)addr;
	(void)nbytes;
	*(size_t *)arg += strlen(name);
}

static void structs(int fd)
{
	_cleanup_(dwarf_closep) struct dwarf *d = NULL;
	struct err *err = dwarf_open_fd(fd, "fuzz", &d);
	uint64_t off, bytes;
	size_t sum = 0;
	char word[8];

	err_free(err);
	if (!d)
		return;
	dwarf_struct_bytes(d, "main.T", &bytes);
	dwarf_field(d, "main.T", "Inner.next|next.next|next", &off, &bytes);
	dwarf_read(d, 0x400f00, word, sizeof(word));
	dwarf_each_variable(d, see, &sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_(closep) int fd = memfd_create("fuzz", 0);

	if (fd < 0 || write(fd, data, n) != (ssize_t)n)
		return 0;
	variables(fd);
	structs(fd);
	return 0;
}
