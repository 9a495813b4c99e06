/*
 * cmd_layout.c - `limpet layout`: a layout table from a Go toolchain.
 */
#include "cli/cmds.h"

struct err *cmd_layout(const struct args *a, int *status)
{
	(void)status;
	if (!a->go)
		return err_usage("layout: want --go PATH, the go command of the version");
	return err_usage("layout: not in this version of limpet");
}
