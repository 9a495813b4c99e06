/*
 * fuzz_layout.c - the text of --layout, and versions as binaries tell them.
 */
#include "goruntime/layout.h"

#include <stdio.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_(closep) int fd = memfd_create("fuzz", 0);
	_cleanup_(freep) char *text = strndup((const char *)data, n);
	struct go_layout *l = NULL;
	char path[64];
	bool exact;

	if (fd < 0 || !text || write(fd, data, n) != (ssize_t)n)
		return 0;
	go_layout_find(text, "amd64", &exact);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err_free(go_layout_load(path, &l));
	if (l && (!l->go || !l->arch || !l->experiments))
		abort();
	go_layout_free(l);
	return 0;
}
