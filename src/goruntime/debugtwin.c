/*
 * debugtwin.c - is a file the program's twin, and where did each of its sections go?
 *
 * The linker's marks (runtime.text, runtime.ebss …) tell where a section lies in the file, the
 * program's moduledata where it lies in memory.  Knows nothing of DWARF.
 * Cost: one pass over the function table.
 */
#include "goruntime/debugfile_priv.h"

#include "elf/functab.h"
#include "goruntime/funcs.h"

#include <stdio.h>

/* A mark of the file, and where the program has it. */
struct bounds {
	const char *start, *end;
	struct trange run;
};

static void add_part(struct go_debug *d, const struct elf_functab *f, const struct bounds *b)
{
	struct trange link;

	if (d->nparts == GO_DEBUG_PARTS || !b->run.start ||
	    !elf_functab_mark(f, b->start, &link.start) ||
	    !elf_functab_mark(f, b->end, &link.end) || link.start >= link.end)
		return;
	d->parts[d->nparts++] = (struct go_debug_part){ link, b->run.start - link.start };
}

static void add_parts(struct go_debug *d, const struct elf_functab *f, const struct go_module *m)
{
	const struct bounds all[] = {
		{ "runtime.text", "runtime.etext", m->text },
		{ "runtime.types", "runtime.etypes", m->types },
		{ "runtime.noptrdata", "runtime.enoptrdata", m->noptrdata },
		{ "runtime.data", "runtime.edata", m->data },
		{ "runtime.bss", "runtime.ebss", m->bss },
		{ "runtime.noptrbss", "runtime.enoptrbss", m->noptrbss },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		add_part(d, f, &all[i]);
}

struct comparison {
	const struct go *g;
	const struct go_debug *d;
	const struct elf_functab *f;
	uint64_t all, differ;
	char first[128]; /* that differs */
};

/*
 * A name as it is in the table that the program carries, and in .symtab: there type arguments are
 * spelt out instead of "[...]", U+00B7 is a dot (cmd/link/internal/ld/symtab.go), and some names
 * also say their calling convention.
 */
static bool same_name(const char *go, const char *sym)
{
	while (*go && *go != '[') {
		if (!strncmp(go, "\xc2\xb7", 2) && *sym == '.')
			go++;
		else if (*go != *sym)
			return false;
		go++;
		sym++;
	}
	return *go == *sym || !strcmp(sym, ".abi0");
}

/* Functions lie one behind the other, aligned (cmd/link: textaddress; at most 64). */
static bool same_size(const struct elf_func *f, uint64_t room)
{
	return f->bytes <= room && room - f->bytes < 64;
}

static void compare(void *arg, const struct go_func *f)
{
	struct comparison *c = arg;
	const struct elf_func *other;

	/* gaps in the text have entries without a name */
	if (f->module != c->g->modules || !*f->name)
		return;
	other = elf_functab_at(c->f, go_debug_link(c->d, f->entry));
	c->all++;
	if (other && same_name(f->name, other->name) && same_size(other, f->end - f->entry))
		return;
	if (!c->differ++)
		snprintf(c->first, sizeof(c->first), "%s", f->name);
}

static struct err *check_twin(const struct go *g, const struct go_debug *d,
			      const struct elf_functab *f)
{
	struct comparison c = { .g = g, .d = d, .f = f };

	go_func_each(g, compare, &c);
	if (c.all && !c.differ)
		return NULL;
	return err_bad_data("%s is of another build: %" PRIu64 " of the program's %" PRIu64
			    " functions are not in it or elsewhere (the first is %s); give the one "
			    "that was built from the same sources with the same Go and flags",
			    d->path, c.differ, c.all, c.first);
}

struct err *go_debug_twin(const struct go *g, struct go_debug *d)
{
	struct elf_functab *f = NULL;
	struct err *err = elf_functab_read(d->fd, d->path, &f);

	if (err)
		return err;
	d->nparts = 0;
	add_parts(d, f, g->modules);
	err = check_twin(g, d, f);
	elf_functab_free(f);
	return err;
}
