/*
 * regs.c - what differs in a thread's registers from one architecture to the next, as data.
 *
 * Knows no thread and no file; the same on every machine.
 */
#include "target/regs.h"

#include "base/mem.h"

#include <elf.h>
#include <stddef.h>

static const struct regs_shape shapes[] = {
	[TARGET_AMD64] = { "amd64", EM_X86_64, sizeof(struct regs_amd64), 512 },
	/* tpidr and call come from notes of their own */
	[TARGET_ARM64] = { "arm64", EM_AARCH64, offsetof(struct regs_arm64, tpidr), 528 },
};

_Static_assert(sizeof(struct regs_amd64) == 216, "elf_gregset_t of amd64");
_Static_assert(offsetof(struct regs_arm64, tpidr) == 272, "elf_gregset_t of arm64");

const struct regs_shape *regs_shape(enum target_arch arch)
{
	return &shapes[arch];
}

_Bool regs_arch_of_machine(uint16_t machine, enum target_arch *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		if (shapes[i].machine == machine) {
			*ret = (enum target_arch)i;
			return 1;
		}
	}
	return 0;
}

taddr regs_pc(enum target_arch arch, const struct target_regs *r)
{
	return arch == TARGET_ARM64 ? r->arm64.pc : r->amd64.rip;
}

taddr regs_sp(enum target_arch arch, const struct target_regs *r)
{
	return arch == TARGET_ARM64 ? r->arm64.sp : r->amd64.rsp;
}
