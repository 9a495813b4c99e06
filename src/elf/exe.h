/*
 * exe.h - what an executable file says about itself: Go build info, build id, debug data.
 *
 * Knows no process.  All text is owned by the struct and never NULL after elf_exe_read;
 * "" means that the file does not say.
 */
#ifndef LIMPET_ELF_EXE_H
#define LIMPET_ELF_EXE_H

#include "base/err.h"

/* debug/buildinfo: the contents of .go.buildinfo */
struct go_buildinfo {
	char *version; /* "go1.26.8-X:nogreenteagc" */
	char *path;    /* package path of main */
	char *module_path, *module_version;
	char *vcs_revision, *ldflags, *buildmode;
	char *cgo_enabled; /* "1", "0", "" */
	char *modules;	   /* paths of modules that it was built with, a line each; the main one is not among them */
	size_t nmodules;   /* its bytes */
};

struct elf_segment {
	taddr vaddr;
	uint64_t offset, file_bytes, mem_bytes;
	bool exec, write;
};

struct elf_exe {
	struct go_buildinfo info;
	bool go;			  /* build info was there */
	bool symtab;			  /* has .symtab */
	bool dwarf;			  /* has .debug_info or .zdebug_info */
	bool dwarf_zstd;		  /* it has, in a form that this libelf cannot read */
	bool pie;			  /* ET_DYN */
	bool interp;			  /* dynamically linked */
	taddr info_addr;		  /* link-time address of the build info; 0 unknown */
	uint16_t machine;		  /* EM_* */
	char build_id[64];		  /* of the linker, in hex; "" none */
	char go_build_id[128];		  /* .note.go.buildid */
	char debug_link[128];		  /* .gnu_debuglink: name of the file with DWARF; "" none */
	VEC(struct elf_segment) segments; /* PT_LOAD, ascending */
};

/* fd is borrowed; name is for messages.  Errors: ERR_BAD_DATA (no ELF64 little endian file),
 * ERR_OS. */
struct err *elf_exe_read(int fd, const char *name, struct elf_exe *ret) MUST_CHECK;
void elf_exe_deinit(struct elf_exe *e);

/*
 * Build info from the bytes of its section (magic at a multiple of 16).  False when there is none
 * or it is of the pointer form of Go before 1.18.
 */
bool go_buildinfo_parse(const void *bytes, size_t nbytes, struct go_buildinfo *ret);
void go_buildinfo_deinit(struct go_buildinfo *b);

#endif
