/*
 * fuzz_exe.c - an executable as a hostile program may have crafted it: ELF, build info, symbols,
 * DWARF.
 */
#include "elf/dwarf_info.h"
#include "elf/exe.h"
#include "elf/symbols.h"

#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void symbols(int fd)
{
	struct elf_symbols *s = NULL;

	err_free(elf_symbols_read(fd, "fuzz", 0x1000, &s));
	for (size_t i = 0; s && i < s->syms.n; i++) {
		if (i && s->syms.v[i].addr < s->syms.v[i - 1].addr)
			abort();
		elf_symbol_at(s, s->syms.v[i].addr + 1);
	}
	elf_symbol_named(s, "main.cache");
	elf_symbols_free(s);
}

static void dwarf(int fd)
{
	_cleanup_(dwarf_closep) struct dwarf *d = NULL;
	struct err *err = dwarf_open_fd(fd, "fuzz", &d);
	uint64_t off, bytes;
	int64_t value;

	err_free(err);
	if (!d)
		return;
	dwarf_struct_bytes(d, "runtime.mspan|runtime.g", &bytes);
	dwarf_field(d, "runtime.g", "sched.sp|stack.lo", &off, &bytes);
	dwarf_const(d, "runtime._Gdead", &value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_(closep) int fd = memfd_create("fuzz", 0);
	struct go_buildinfo info = { 0 };
	struct elf_exe exe = { 0 };

	if (go_buildinfo_parse(data, n, &info))
		go_buildinfo_deinit(&info);
	if (fd < 0 || write(fd, data, n) != (ssize_t)n)
		return 0;
	err_free(elf_exe_read(fd, "fuzz", &exe));
	elf_exe_deinit(&exe);
	symbols(fd);
	dwarf(fd);
	return 0;
}
