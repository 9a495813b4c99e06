/*
 * core.c - an ELF core as a target.
 */
#include "target/ops.h"

struct err *target_open_core(const char *path, const struct target_file_opts *o,
			     struct target **ret)
{
	(void)o;
	(void)ret;
	return err_unsupported("%.200s: ELF cores are not read yet", path);
}
