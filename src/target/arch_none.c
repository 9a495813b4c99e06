/*
 * arch_none.c - a machine on which no live process can be looked at yet.
 *
 * Stands for regs_amd64.c, inject.c and twin_lend.c: files are read there as everywhere, and
 * whoever names a process is told in one line.
 */
#include "target/inject.h"
#include "target/regs.h"
#include "target/twin.h"

#define MACHINE "neither amd64 nor arm64"

_Bool regs_read(pid_t tid, struct target_regs *ret)
{
	(void)tid;
	(void)ret;
	return false;
}

_Bool regs_write(pid_t tid, const struct target_regs *r)
{
	(void)tid;
	(void)r;
	return false;
}

_Bool regs_read_floats(pid_t tid, struct target_floats *ret)
{
	(void)tid;
	(void)ret;
	return false;
}

const char *regs_why_not_live(void)
{
	return "this limpet (" MACHINE ") reads files, it cannot look into a process: take a core "
	       "(gcore, GOTRACEBACK=crash) and give that";
}

struct err *inject_syscall(struct patient *p, long nr, const uint64_t args[static 6],
			   uint64_t deadline, struct injected *ret)
{
	(void)nr;
	(void)args;
	(void)deadline;
	(void)ret;
	return err_unsupported("process %d: %s", p->pid, regs_why_not_live());
}

struct err *twin_lend(struct theatre *th)
{
	return err_unsupported("process %d: %s", th->pid, regs_why_not_live());
}
