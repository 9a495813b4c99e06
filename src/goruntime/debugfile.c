/*
 * debugfile.c - which file has the DWARF, and where its sections were loaded.
 *
 * Knows nothing of what is in the DWARF.
 */
#include "goruntime/debugfile.h"

#include <errno.h>
#include <fcntl.h>

taddr go_debug_run(const struct go_debug *d, taddr link)
{
	for (unsigned i = 0; i < d->nparts; i++)
		if (trange_has(d->parts[i].link, link))
			return link + d->parts[i].shift;
	return 0;
}

taddr go_debug_link(const struct go_debug *d, taddr run)
{
	for (unsigned i = 0; i < d->nparts; i++)
		if (trange_has(d->parts[i].link, run - d->parts[i].shift))
			return run - d->parts[i].shift;
	return 0;
}

void go_debug_free(struct go_debug *d)
{
	if (!d)
		return;
	closep(&d->fd);
	free(d->path);
	free(d);
}

static void go_debug_freep(struct go_debug **d)
{
	go_debug_free(*d);
}

static struct err *debug_create(int fd, const char *path, struct go_debug **ret)
{
	_cleanup_(go_debug_freep) struct go_debug *d = zalloc(1, sizeof(*d));

	if (!d)
		return &err_nomem;
	d->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (d->fd < 0)
		return err_os(errno, "%s", path);
	d->path = strdup(path);
	if (!d->path)
		return &err_nomem;
	*ret = STEAL(d);
	return NULL;
}

struct err *go_debug_own(struct go *g, int fd, const char *path, taddr bias)
{
	struct go_debug *d = NULL;
	struct err *err = debug_create(fd, path, &d);

	if (err)
		return err;
	d->parts[d->nparts++] = (struct go_debug_part){ { 0, UINT64_MAX }, bias };
	go_debug_free(g->debug);
	g->debug = d;
	return NULL;
}
