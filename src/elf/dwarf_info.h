/*
 * dwarf_info.h - structs, constants and variables by name, from DWARF.
 *
 * Knows nothing of processes and nothing of Go but the way its linker spells names
 * ("runtime.mspan") and marks embedded fields.  Files only.  Names are borrowed until
 * dwarf_close().
 */
#ifndef LIMPET_ELF_DWARF_INFO_H
#define LIMPET_ELF_DWARF_INFO_H

#include "base/err.h"

struct dwarf; /* opaque, owned by who opened it */

/* Errors: ERR_OS, ERR_BAD_DATA (no ELF), ERR_UNSUPPORTED (no DWARF in it). */
struct err *dwarf_open(const char *path, struct dwarf **ret) MUST_CHECK;
/* The same for an open file; fd is borrowed for the call's duration only.  name is for messages. */
struct err *dwarf_open_fd(int fd, const char *name, struct dwarf **ret) MUST_CHECK;
void dwarf_close(struct dwarf *d); /* NULL allowed */
static inline void dwarf_closep(struct dwarf **d)
{
	dwarf_close(*d);
}

/*
 * names: alternatives separated by '|'; "=v" is the type of variable v.  Size of the struct in
 * bytes; false when there is none.
 */
bool dwarf_struct_bytes(const struct dwarf *d, const char *names, uint64_t *ret);

/*
 * Field of a struct.  path goes down with dots; a component that is not a direct member is
 * looked for in embedded structs; '|' separates alternatives, tried in order.
 */
bool dwarf_field(const struct dwarf *d, const char *struct_names, const char *path,
		 uint64_t *ret_offset, uint64_t *ret_bytes);

/* Integer constant; names: alternatives separated by '|'. */
bool dwarf_const(const struct dwarf *d, const char *names, int64_t *ret);

/* Variable with a fixed address (link-time) and the size of its type, 0 unknown. */
bool dwarf_variable(const struct dwarf *d, const char *name, taddr *ret_addr, uint64_t *ret_bytes);

/* Bytes of the file at a link-time address; false when it has none there (bss, out of range). */
bool dwarf_read(const struct dwarf *d, taddr addr, void *buf, size_t nbytes);

/* All such variables, by name. */
void dwarf_each_variable(const struct dwarf *d,
			 void (*fn)(void *arg, const char *name, taddr addr, uint64_t nbytes),
			 void *arg);

#endif
