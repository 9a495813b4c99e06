/*
 * gen_layout.c - writes one generated layout table: gen_layout GO_PATH IDENT > layout_IDENT.c
 *
 * tools/gen-layout loops over toolchains with it.
 */
#include "goruntime/layout_make.h"

int main(int argc, char **argv)
{
	struct go_layout *l = NULL;
	struct err *err;

	if (argc != 3) {
		fprintf(stderr, "usage: gen_layout GOROOT IDENT > layout_IDENT.c\n");
		return 2;
	}
	err = go_layout_make_go(argv[1], &l);
	if (!err)
		err = go_layout_write_c(l, argv[2], stdout);
	if (err)
		fprintf(stderr, "gen_layout: %s: %s\n", argv[1], err->msg);
	go_layout_free(l);
	return err ? 1 : 0;
}
