/*
 * fd_vfs.c - SQLite reading a file that somebody else opened.
 *
 * The analyser may open no file by name: it has a descriptor.  One file, read only, that nobody
 * changes (locks and journals are not looked for); whatever else SQLite would open is refused.
 * Cost: one pread a page.
 */
#include "store/priv.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

struct fd_file {
	sqlite3_file base;
	int fd;
};

static int close_file(sqlite3_file *f)
{
	(void)f; /* the store's */
	return SQLITE_OK;
}

static int read_file(sqlite3_file *f, void *buf, int n, sqlite3_int64 at)
{
	int fd = ((struct fd_file *)f)->fd, done = 0;

	while (done < n) {
		ssize_t k = pread(fd, (char *)buf + done, (size_t)(n - done), at + done);

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return SQLITE_IOERR_READ;
		if (!k)
			break;
		done += (int)k;
	}
	if (done == n)
		return SQLITE_OK;
	memset((char *)buf + done, 0, (size_t)(n - done));
	return SQLITE_IOERR_SHORT_READ;
}

static int write_file(sqlite3_file *f, const void *buf, int n, sqlite3_int64 at)
{
	(void)f, (void)buf, (void)n, (void)at;
	return SQLITE_READONLY;
}

static int truncate_file(sqlite3_file *f, sqlite3_int64 n)
{
	(void)f, (void)n;
	return SQLITE_READONLY;
}

static int sync_file(sqlite3_file *f, int flags)
{
	(void)f, (void)flags;
	return SQLITE_OK;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	struct stat st;

	if (fstat(((struct fd_file *)f)->fd, &st))
		return SQLITE_IOERR_FSTAT;
	*ret = st.st_size;
	return SQLITE_OK;
}

static int lock_file(sqlite3_file *f, int level)
{
	(void)f, (void)level;
	return SQLITE_OK;
}

static int is_reserved(sqlite3_file *f, int *ret)
{
	(void)f;
	*ret = 0;
	return SQLITE_OK;
}

static int control(sqlite3_file *f, int op, void *arg)
{
	(void)f, (void)op, (void)arg;
	return SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *f)
{
	(void)f;
	return 4096;
}

static int traits(sqlite3_file *f)
{
	(void)f;
	return SQLITE_IOCAP_IMMUTABLE;
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = close_file,
	.xRead = read_file,
	.xWrite = write_file,
	.xTruncate = truncate_file,
	.xSync = sync_file,
	.xFileSize = file_size,
	.xLock = lock_file,
	.xUnlock = lock_file,
	.xCheckReservedLock = is_reserved,
	.xFileControl = control,
	.xSectorSize = sector_size,
	.xDeviceCharacteristics = traits,
};

/* name: the number of the descriptor, as fd_vfs_open() wrote it. */
static int open_file(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	struct fd_file *x = (struct fd_file *)f;

	(void)v;
	x->base.pMethods = NULL;
	if (!name || !(flags & SQLITE_OPEN_MAIN_DB))
		return SQLITE_CANTOPEN;
	x->fd = (int)strtol(name, NULL, 10);
	x->base.pMethods = &methods;
	if (ret_flags)
		*ret_flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
	return SQLITE_OK;
}

static int delete_file(sqlite3_vfs *v, const char *name, int sync)
{
	(void)v, (void)name, (void)sync;
	return SQLITE_IOERR_DELETE;
}

static int has_file(sqlite3_vfs *v, const char *name, int flags, int *ret)
{
	(void)v, (void)name, (void)flags;
	*ret = 0; /* no journal, no log */
	return SQLITE_OK;
}

static int full_name(sqlite3_vfs *v, const char *name, int n, char *ret)
{
	(void)v;
	snprintf(ret, (size_t)n, "%s", name);
	return SQLITE_OK;
}

/* Nothing that is read depends on it. */
static int randomness(sqlite3_vfs *v, int n, char *ret)
{
	(void)v;
	memset(ret, 0, (size_t)n);
	return n;
}

static int go_to_sleep(sqlite3_vfs *v, int us)
{
	(void)v;
	return us;
}

static int current_time(sqlite3_vfs *v, double *ret)
{
	(void)v;
	*ret = 0;
	return SQLITE_OK;
}

static int last_error(sqlite3_vfs *v, int n, char *ret)
{
	(void)v, (void)n, (void)ret;
	return 0;
}

int fd_vfs_open(int fd, sqlite3 **ret)
{
	/* SQLite's list of them has one of each name: it is put there once, again does no harm. */
	static sqlite3_vfs vfs = {
		.iVersion = 1,
		.szOsFile = sizeof(struct fd_file),
		.mxPathname = 16,
		.zName = "limpet-fd",
		.xOpen = open_file,
		.xDelete = delete_file,
		.xAccess = has_file,
		.xFullPathname = full_name,
		.xRandomness = randomness,
		.xSleep = go_to_sleep,
		.xCurrentTime = current_time,
		.xGetLastError = last_error,
	};
	char name[16];
	int rc = sqlite3_vfs_register(&vfs, 0);

	snprintf(name, sizeof(name), "%d", fd);
	if (rc == SQLITE_OK)
		rc = sqlite3_open_v2(name, ret, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
				     vfs.zName);
	return rc;
}
