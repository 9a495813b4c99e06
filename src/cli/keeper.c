/*
 * keeper.c - count, delete, make room.
 *
 * Knows nothing of cores.  One directory read a death; a lock on the folder lets one handler work
 * at a time, so that many deaths at once cost the memory of one analysis.
 */
#include "cli/keeper.h"

#include "base/clock.h"
#include "base/str.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#define PREFIX	  "crash-"
#define MAX_FILES 100000U
#define MIN_ROOM  (1U << 20)

struct kept {
	char name[NAME_MAX + 1];
	size_t nstem;
	uint64_t bytes; /* on disk */
};

struct kept_list {
	VEC(struct kept) v;
};

static void list_deinit(struct kept_list *l)
{
	vec_free(&l->v);
}

void keeper_stem(char ret[static KEEPER_STEM_BYTES], uint64_t unix_s, const char *name, pid_t pid)
{
	char clean[32];
	size_t n = 0;

	for (; name[n] && n < sizeof(clean) - 1; n++)
		clean[n] = isalnum((unsigned char)name[n]) || name[n] == '_' ? name[n] : '_';
	clean[n] = '\0';
	snprintf(ret, KEEPER_STEM_BYTES, PREFIX "%010" PRIu64 "-%s-%d", unix_s, n ? clean : "_",
		 pid);
}

/* Length of the stem when it is a name of ours, else 0: digits, "-", name, "-", digits, "." */
static size_t stem_of(const char *s)
{
	const char *p = s + strlen(PREFIX);
	size_t n;

	if (strncmp(s, PREFIX, strlen(PREFIX)) != 0)
		return 0;
	n = strspn(p, "0123456789");
	if (n < 10 || p[n] != '-')
		return 0;
	p += n + 1;
	n = strcspn(p, "-.");
	if (!n || p[n] != '-')
		return 0;
	p += n + 1;
	n = strspn(p, "0123456789");
	return n && p[n] == '.' ? (size_t)(p + n - s) : 0;
}

static int by_name(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static struct err *list_kept(int dir, struct kept_list *l)
{
	struct stat st;
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	bool ok = true;

	if (!d) {
		int e = errno;

		closep(&fd);
		return err_os(e, "reading the folder of kept cores");
	}
	for (struct dirent *e; ok && l->v.n < MAX_FILES && (e = readdir(d));) {
		struct kept k = { .nstem = stem_of(e->d_name) };

		if (!k.nstem || fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISREG(st.st_mode) || st.st_uid != geteuid())
			continue;
		snprintf(k.name, sizeof(k.name), "%s", e->d_name);
		k.bytes = (uint64_t)st.st_blocks * 512;
		ok = vec_push(&l->v, k);
	}
	closedir(d);
	if (l->v.n)
		qsort(l->v.v, l->v.n, sizeof(*l->v.v), by_name);
	return ok ? NULL : &err_nomem;
}

static bool same_stem(const struct kept *a, const struct kept *b)
{
	return a->nstem == b->nstem && !memcmp(a->name, b->name, a->nstem);
}

/* The list is by time: whole deaths go from its beginning until the rest is within the limits. */
static uint64_t prune(struct keeper *k, const struct kept_list *l)
{
	uint64_t total = 0, deaths = 0;
	size_t i = 0;

	for (size_t j = 0; j < l->v.n; j++) {
		total += l->v.v[j].bytes;
		deaths += !j || !same_stem(&l->v.v[j - 1], &l->v.v[j]);
	}
	while (i < l->v.n && (deaths >= k->limits->keep || total > k->limits->max_total / 2)) {
		const struct kept *first = &l->v.v[i];

		for (; i < l->v.n && same_stem(first, &l->v.v[i]); i++)
			if (!unlinkat(k->fd, l->v.v[i].name, 0))
				total -= l->v.v[i].bytes;
		deaths--;
		k->ndeleted++;
	}
	return total;
}

static struct err *make_room(struct keeper *k)
{
	_cleanup_(list_deinit) struct kept_list l = { 0 };
	struct statvfs v;
	char a[16], b[16];
	struct err *err = list_kept(k->fd, &l);

	if (err)
		return err;
	uint64_t total = prune(k, &l), unit, left;

	if (fstatvfs(k->fd, &v))
		return err_os(errno, "%.200s", k->limits->dir);
	unit = v.f_frsize ? v.f_frsize : v.f_bsize;
	left = (uint64_t)v.f_bavail * unit;
	if (left < k->limits->min_free || left - k->limits->min_free < MIN_ROOM)
		return err_new(ERR_LIMIT,
			       "%.200s: %s are free there and --min-free keeps %s: nothing is kept",
			       k->limits->dir, str_bytes(a, left),
			       str_bytes(b, k->limits->min_free));
	k->allowance = MIN(left - k->limits->min_free,
			   k->limits->max_total - MIN(total, k->limits->max_total));
	return NULL;
}

static struct err *open_own(const char *dir, int *ret)
{
	_cleanup_(closep) int fd = -1;
	struct stat st;

	if (mkdir(dir, 0700) && errno != EEXIST)
		return err_os(errno, "--dir %.200s: cannot be made", dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		return err_os(errno, "--dir %.200s", dir);
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return err_new(ERR_DENIED,
			       "--dir %.200s belongs to uid %u and has mode %03o: others could "
			       "tamper with cores there; give a folder of our own (mode 0700)",
			       dir, st.st_uid, st.st_mode & 0777);
	*ret = fd;
	fd = -1;
	return NULL;
}

static struct err *lock(int fd, const char *dir, uint64_t deadline)
{
	while (flock(fd, LOCK_EX | LOCK_NB)) {
		struct timespec ts = { .tv_nsec = 20000000 };

		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_os(errno, "locking %.200s", dir);
		if (clock_ns() >= deadline)
			return err_new(
				ERR_LIMIT,
				"%.200s: another core was being kept all the time (--max-time)",
				dir);
		nanosleep(&ts, NULL);
	}
	return NULL;
}

struct err *keeper_open(const struct keeper_limits *l, uint64_t deadline, struct keeper *ret)
{
	_cleanup_(keeper_close) struct keeper k = { .limits = l, .fd = -1 };
	struct err *err = open_own(l->dir, &k.fd);

	if (!err)
		err = lock(k.fd, l->dir, deadline);
	if (!err)
		err = make_room(&k);
	if (err)
		return err;
	*ret = k;
	k.fd = -1;
	return NULL;
}

void keeper_close(struct keeper *k)
{
	closep(&k->fd);
	k->fd = -1;
}

struct err *keeper_file(const struct keeper *k, int *ret_fd)
{
	int fd = openat(k->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_os(errno, "%.200s: no file can be made there", k->limits->dir);
	*ret_fd = fd;
	return NULL;
}

struct err *keeper_link(const struct keeper *k, int fd, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (fsync(fd) || linkat(AT_FDCWD, path, k->fd, name, AT_SYMLINK_FOLLOW))
		return err_os(errno, "%.200s/%s", k->limits->dir, name);
	return NULL;
}
