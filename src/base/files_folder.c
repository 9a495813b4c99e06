/*
 * files_folder.c - files of a folder, copied unread into one that has no name.
 *
 * For who may open them; who reads the copy may not.  Knows nothing of what is in them but how
 * their names end.  Cost: the bytes once, at most FOLDER_BYTES of memory.
 */
#include "base/files_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILES_MAX = 200000, DEPTH = 2 };
#define FOLDER_BYTES (512ULL << 20)

struct gather {
	int out;
	uint64_t bytes;
	unsigned files;
	bool cut;
};

static bool put(struct gather *g, const char *s, size_t n)
{
	while (n) {
		ssize_t k = write(g->out, s, n);

		if (k < 0 && errno == EINTR)
			continue;
		if (k <= 0)
			return false;
		s += k;
		n -= (size_t)k;
		g->bytes += (uint64_t)k;
	}
	return true;
}

/* One behind the other, each with a line's end; fd is ours. */
static void copy(struct gather *g, int fd)
{
	static char buf[64 << 10];
	struct stat st;
	ssize_t n = 0;

	if (!fstat(fd, &st) && S_ISREG(st.st_mode)) {
		g->files++;
		while ((n = read(fd, buf, sizeof(buf))) > 0 && !g->cut)
			g->cut = g->bytes > FOLDER_BYTES || !put(g, buf, (size_t)n);
		g->cut |= n < 0 || !put(g, "\n", 1);
	}
	close(fd);
}

static bool is_json(const char *name)
{
	size_t n = strlen(name);

	return n > 5 && !strcmp(name + n - 5, ".json");
}

/* dir is ours. */
static void walk(struct gather *g, int dir, unsigned depth)
{
	DIR *d = fdopendir(dir);
	struct dirent *e;

	if (!d) {
		close(dir);
		return;
	}
	while (!g->cut && (e = readdir(d))) {
		int fd = -1;

		if (*e->d_name == '.')
			continue;
		if (is_json(e->d_name))
			fd = openat(dir, e->d_name,
				    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
		if (fd >= 0) {
			g->cut |= g->files >= FILES_MAX;
			copy(g, fd);
		} else if (depth > 1 && !is_json(e->d_name)) {
			fd = openat(dir, e->d_name,
				    O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_DIRECTORY);
			if (fd >= 0)
				walk(g, fd, depth - 1);
		}
	}
	closedir(d);
}

int folder_gather(int dir)
{
	static const char cut[] = "\n{\"limpet-cut\":true}\n";
	struct gather g = { .out = memfd_create("limpet-folder", MFD_CLOEXEC) };

	if (g.out < 0) {
		close(dir);
		return -1;
	}
	walk(&g, dir, DEPTH);
	if (g.cut)
		put(&g, cut, sizeof(cut) - 1);
	if (g.files && lseek(g.out, 0, SEEK_SET) == 0)
		return g.out;
	close(g.out);
	errno = EISDIR;
	return -1;
}
