/*
 * gen_layout.c - writes one generated layout table: gen_layout GOROOT IDENT [ARCH] > layout_IDENT.c
 *
 * With an ARCH what differs there from the table of amd64, which is made too.  tools/gen-layout
 * loops over toolchains with it.
 */
#include "goruntime/layout_make.h"

static void freep_layout(struct go_layout **l)
{
	go_layout_free(*l);
}

static struct err *make(const char *root, const char *arch, struct go_layout **ret)
{
	setenv("GOARCH", arch, 1);
	return go_layout_make_go(root, ret);
}

static struct err *write_one(const char *root, const char *ident, const char *arch)
{
	_cleanup_(freep_layout) struct go_layout *base = NULL, *l = NULL;
	struct err *err = make(root, "amd64", &base);
	char name[64];

	if (err || !arch)
		return err ? err : go_layout_write_c(base, ident, stdout);
	snprintf(name, sizeof(name), "%s_%s", ident, arch);
	err = make(root, arch, &l);
	return err ? err : go_layout_write_c_changes(l, name, base, ident, stdout);
}

int main(int argc, char **argv)
{
	struct err *err;

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: gen_layout GOROOT IDENT [ARCH] > layout_IDENT.c\n");
		return 2;
	}
	err = write_one(argv[1], argv[2], argc > 3 ? argv[3] : NULL);
	if (err)
		fprintf(stderr, "gen_layout: %s: %s\n", argv[1], err->msg);
	return err ? 1 : 0;
}
