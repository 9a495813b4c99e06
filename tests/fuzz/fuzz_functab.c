/*
 * fuzz_functab.c - a symbol table as a file that calls itself a twin may have crafted it.
 */
#include "elf/functab.h"

#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_(closep) int fd = memfd_create("fuzz", 0);
	struct elf_functab *f = NULL;
	taddr at = 0;

	if (fd < 0 || write(fd, data, n) != (ssize_t)n)
		return 0;
	err_free(elf_functab_read(fd, "fuzz", &f));
	if (!f)
		return 0;
	elf_functab_mark(f, "runtime.text", &at);
	for (taddr a = 0; a < 0x4000; a += 8) {
		const struct elf_func *e = elf_functab_at(f, at + a);

		if (e && (e->addr != at + a || !e->name || strlen(e->name) > n))
			abort();
	}
	elf_functab_at(f, UINT64_MAX);
	elf_functab_free(f);
	return 0;
}
