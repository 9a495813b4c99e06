/*
 * dwarf_types.c - one type entry at a time, without its typedefs.
 *
 * Go's linker gives every type its kind, and where the program has one its rtype; strings,
 * slices and interfaces are structs with that kind.  Knows no process.
 * Source: cmd/link/internal/ld/dwarf.go (newtype, synthesize*types), cmd/internal/dwarf.
 */
#include "elf/dwarf_priv.h"

#include <string.h>

#define MAX_ALIASES 16

/* internal/abi.Kind, those that have no size of their own in DWARF */
enum {
	KIND_CHAN = 18,
	KIND_FUNC = 19,
	KIND_INTERFACE = 20,
	KIND_MAP = 21,
	KIND_POINTER = 22,
	KIND_UNSAFE_POINTER = 26
};

static bool has_kind(Dwarf_Die *die)
{
	return dwarf_hasattr(die, AT_GO_KIND) || dwarf_tag(die) != DW_TAG_typedef;
}

/* Behind typedefs that say nothing; *ret_shape: on the way was a type parameter. */
static bool behind_aliases(Dwarf_Die *die, bool *ret_shape)
{
	for (unsigned i = 0; i < MAX_ALIASES; i++) {
		Dwarf_Attribute a;

		*ret_shape = *ret_shape || dwarf_hasattr(die, AT_GO_DICT_INDEX);
		if (has_kind(die))
			return true;
		if (!dwarf_attr(die, DW_AT_type, &a) || !dwarf_formref_die(&a, die))
			return false;
	}
	return false;
}

static uint64_t bytes_of_kind(uint8_t kind)
{
	switch (kind) {
	case KIND_CHAN:
	case KIND_FUNC:
	case KIND_MAP:
	case KIND_POINTER:
	case KIND_UNSAFE_POINTER:
		return 8;
	case KIND_INTERFACE:
		return 16;
	default:
		return 0;
	}
}

static uint64_t elements(Dwarf_Die *array)
{
	Dwarf_Die die;
	uint64_t n;

	if (dwarf_child(array, &die) != 0 || dwarf_tag(&die) != DW_TAG_subrange_type)
		return 0;
	if (dwarf_number(&die, DW_AT_count, &n))
		return n;
	return dwarf_number(&die, DW_AT_upper_bound, &n) ? n + 1 : 0;
}

static taddr runtime_type(Dwarf_Die *die)
{
	Dwarf_Attribute a;
	Dwarf_Addr addr;

	return dwarf_attr(die, AT_GO_RUNTIME_TYPE, &a) && dwarf_formaddr(&a, &addr) == 0 ? addr : 0;
}

bool dwarf_type_at(struct dwarf_index *d, uint64_t id, struct dwarf_type *ret)
{
	struct dwarf_type t = { 0 };
	Dwarf_Die die;
	uint64_t kind;
	const char *name;

	READING(d->words);
	if (!id || !dwarf_offdie(d->dw, id, &die) || !behind_aliases(&die, &t.shape))
		return false;
	t.id = dwarf_dieoffset(&die);
	name = dwarf_diename(&die);
	t.name = name ? name : "";
	t.shape = t.shape || strstr(t.name, "go.shape.");
	if (dwarf_number(&die, AT_GO_KIND, &kind) && kind < 32)
		t.kind = (uint8_t)kind;
	else if (dwarf_tag(&die) == DW_TAG_pointer_type)
		t.kind = strcmp(t.name, "unsafe.Pointer") ? KIND_POINTER : KIND_UNSAFE_POINTER;
	t.rtype = runtime_type(&die);
	if (!dwarf_number(&die, DW_AT_byte_size, &t.bytes))
		t.bytes = bytes_of_kind(t.kind);
	t.key = dwarf_ref(&die, AT_GO_KEY);
	t.elem = dwarf_ref(&die, AT_GO_ELEM);
	if (!t.elem &&
	    (dwarf_tag(&die) == DW_TAG_pointer_type || dwarf_tag(&die) == DW_TAG_array_type))
		t.elem = dwarf_ref(&die, DW_AT_type);
	if (dwarf_tag(&die) == DW_TAG_array_type)
		t.count = elements(&die);
	*ret = t;
	return true;
}

void dwarf_type_fields(struct dwarf_index *d, uint64_t id,
		       bool (*fn)(void *arg, const struct dwarf_type_field *f), void *arg)
{
	Dwarf_Die strct, die;

	READING(d->words);
	if (!dwarf_offdie(d->dw, id, &strct) || dwarf_child(&strct, &die) != 0)
		return;
	do {
		const char *name = dwarf_diename(&die);
		struct dwarf_type_field f = { .name = name ? name : "" };
		uint64_t embedded = 0;

		if (dwarf_tag(&die) != DW_TAG_member ||
		    !dwarf_number(&die, DW_AT_data_member_location, &f.offset))
			continue;
		f.embedded = dwarf_number(&die, AT_GO_EMBEDDED, &embedded) && embedded;
		f.type = dwarf_ref(&die, DW_AT_type);
		if (!fn(arg, &f))
			return;
	} while (dwarf_index_step(d) && dwarf_siblingof(&die, &die) == 0);
}
