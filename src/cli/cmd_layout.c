/*
 * cmd_layout.c - `limpet layout`: a layout table from a Go toolchain.
 */
#include "cli/cmds.h"
#include "goruntime/layout_make.h"
#include "report/out.h"

#include <errno.h>
#include <stdio.h>

/* The table is made in memory first: what fails half way leaves no file. */
struct err *cmd_layout(const struct args *a, int *status)
{
	_cleanup_(str_deinit) struct str o = { 0 };
	struct err *err;
	FILE *f;

	(void)status;
	if (!a->go)
		return err_usage("layout: want --go PATH, the go command of the version");
	f = open_memstream(&o.s, &o.n);
	if (!f)
		return err_os(errno, "layout");
	err = go_layout_from_toolchain(a->go, f);
	if (fclose(f) && !err)
		err = &err_nomem;
	return err ? err : out_write(a->out, &o);
}
