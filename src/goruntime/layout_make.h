/*
 * layout_make.h - a layout table from DWARF of an unstripped Go program.
 *
 * Used by `limpet layout --go PATH` and by tools/gen-layout; nobody else needs it.
 */
#ifndef LIMPET_GORUNTIME_LAYOUT_MAKE_H
#define LIMPET_GORUNTIME_LAYOUT_MAKE_H

#include "goruntime/layout.h"

#include <stdio.h>

/* Version, architecture and experiments come from the file's build info.  Free with go_layout_free.
 */
struct err *go_layout_make(const char *elf_path, struct go_layout **ret) MUST_CHECK;

/*
 * The same for a toolchain: go_path is a GOROOT or a go binary.  Builds a small program in a
 * temporary folder (GOEXPERIMENT of the environment counts) and removes it.
 */
struct err *go_layout_make_go(const char *go_path, struct go_layout **ret) MUST_CHECK;

/* The text form, as --layout reads it. */
struct err *go_layout_from_toolchain(const char *go_path, FILE *out) MUST_CHECK;
struct err *go_layout_write_text(const struct go_layout *l, FILE *out) MUST_CHECK;
/* C source of one table named layout_<ident>. */
struct err *go_layout_write_c(const struct go_layout *l, const char *ident, FILE *out) MUST_CHECK;
/*
 * The same of a neighbour that differs in a few fields only (another architecture): what differs,
 * and an #include of layout_<base_ident>.c.  ERR_UNSUPPORTED when more differs than fields.
 */
struct err *go_layout_write_c_changes(const struct go_layout *l, const char *ident,
				      const struct go_layout *base, const char *base_ident,
				      FILE *out) MUST_CHECK;

/* Empty table (every field absent) and its parts; go_layout_free. */
struct go_layout *go_layout_new(void);
bool go_layout_set_reason(struct go_layout *l, uint32_t i, const char *text, size_t n);
bool go_layout_set_class(struct go_layout *l, uint32_t i, uint16_t bytes);

#endif
