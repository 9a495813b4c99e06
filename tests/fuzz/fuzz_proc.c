/*
 * fuzz_proc.c - text of /proc and of cgroups: total parsers, any bytes give a value or "unknown".
 */
#include "target/cgroup.h"
#include "target/container.h"
#include "target/core_priv.h"
#include "target/fds.h"
#include "target/procfs.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void maps(const char *text)
{
	_cleanup_(freep) char *copy = strdup(text);
	_cleanup_(freep) struct target_region *r = NULL;
	size_t nr = 0;

	if (!copy)
		return;
	err_free(proc_parse_maps(copy, &r, &nr));
	for (size_t i = 0; i < nr; i++) {
		if (r[i].range.start >= r[i].range.end ||
		    (i && r[i].range.start < r[i - 1].range.end))
			abort();
		if (strlen(r[i].path) > strlen(text))
			abort();
	}
}

static void smaps(const char *text)
{
	_cleanup_(freep) char *copy = strdup(text);
	_cleanup_(freep) struct target_smap *r = NULL;
	size_t nr = 0, len = 0;

	if (!copy)
		return;
	err_free(proc_parse_smaps(copy, &r, &nr));
	for (size_t i = 0; i < nr; i++)
		len += strlen(r[i].path);
	if (len > strlen(text))
		abort();
}

/* Strings with ends between them, as the broker sends them. */
static void descriptors(const uint8_t *data, size_t n)
{
	_cleanup_(freep) char *copy = malloc(n + 1);
	_cleanup_(freep) struct target_fd *fds = NULL;
	size_t nfds = 0, len = 0;

	if (!copy)
		return;
	memcpy(copy, data, n);
	copy[n] = 0;
	err_free(fds_parse(copy, n, &fds, &nfds));
	for (size_t i = 0; i < nfds; i++) {
		len += strlen(fds[i].link) + strlen(fds[i].kind) + strlen(fds[i].name);
		if (i && fds[i - 1].fd > fds[i].fd)
			abort();
	}
	if (len == SIZE_MAX)
		abort();
}

/* The same as a core has them: exactly n bytes, with no end behind. */
static void descriptors_of_a_core(const uint8_t *data, size_t n)
{
	_cleanup_(freep) char *copy = malloc(n + 2);
	_cleanup_(freep) struct target_fd *fds = NULL;
	size_t nfds = 0;

	if (!copy)
		return;
	memcpy(copy, "1", 2);
	memcpy(copy + 2, data, n);
	err_free(core_fds_parse(copy, n + 2, &fds, &nfds));
	for (size_t i = 0; i < nfds; i++) {
		if (fds[i].link < copy || fds[i].name + strlen(fds[i].name) >= copy + n + 2)
			abort();
		if (i && fds[i - 1].fd > fds[i].fd)
			abort();
	}
}

static void place(const char *text)
{
	char words[CONTAINER_WORDS];
	struct target_place p;

	container_parse(text, &p);
	if (strlen(p.container) >= sizeof(p.container) || strlen(p.pod) >= sizeof(p.pod) ||
	    strlen(p.unit) >= sizeof(p.unit) || strlen(container_words(&p, words)) >= sizeof(words))
		abort();
	if (container_is(&p, ""))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	_cleanup_(freep) char *text = strndup((const char *)data, n);
	char path[64], mount[64], root[64];
	struct proc_status status;
	struct proc_stat stat;

	if (!text)
		return 0;
	proc_parse_status(text, &status);
	if (status.ns_depth > ARRAY_LEN(status.ns_pids) ||
	    strlen(status.name) >= sizeof(status.name))
		abort();
	proc_parse_stat(text, &stat);
	maps(text);
	place(text);
	descriptors_of_a_core(data, n);
	smaps(text);
	descriptors(data, n);
	proc_kb(text, "Rss");
	proc_number(text, "anon");
	cgroup_parse_path(text, "memory", path, sizeof(path));
	cgroup_parse_path(text, "", path, sizeof(path));
	cgroup_parse_mount(text, "", mount, sizeof(mount), root, sizeof(root));
	cgroup_parse_mount(text, "memory", mount, sizeof(mount), root, sizeof(root));
	return 0;
}
