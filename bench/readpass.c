/*
 * readpass.c - the floor under every reader: one pass of process_vm_readv over a program's memory.
 *
 * Reads each writable private anonymous mapping of PID in 1 MiB pieces into one buffer that is used
 * again and again, three times; prints "BYTES NS" of the fastest pass.  Pages that were never
 * touched are skipped by /proc/PID/pagemap, as a reader of objects would skip them.  Knows nothing
 * of limpet.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 1 << 20, PAGE = 4096, PAGES = PIECE / PAGE };

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

/* Bytes of the resident runs of one piece, read. */
static uint64_t read_piece(pid_t pid, int pagemap, uint64_t at, size_t npages, char *buf)
{
	uint64_t entries[PAGES], total = 0;

	if (pread(pagemap, entries, npages * 8, (off_t)(at / PAGE * 8)) != (ssize_t)(npages * 8))
		return 0;
	for (size_t i = 0; i < npages;) {
		size_t first = i;

		while (i < npages && entries[i] >> 63)
			i++;
		if (i > first) {
			struct iovec to = { buf, (i - first) * PAGE };
			struct iovec from = { (void *)(uintptr_t)(at + first * PAGE), to.iov_len };
			ssize_t got = process_vm_readv(pid, &to, 1, &from, 1, 0);

			total += got > 0 ? (uint64_t)got : 0;
		} else {
			i++;
		}
	}
	return total;
}

static uint64_t one_pass(pid_t pid, int pagemap, FILE *maps, char *buf)
{
	char line[4096];
	uint64_t total = 0;

	rewind(maps);
	while (fgets(line, sizeof(line), maps)) {
		uint64_t start, end, inode;
		char prot[5];

		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %*s %" SCNu64, &start, &end, prot,
			   &inode) != 4)
			continue;
		if (prot[1] != 'w' || prot[3] != 'p' || inode)
			continue;
		for (uint64_t at = start; at < end; at += PIECE) {
			size_t left = (size_t)((end - at) / PAGE);

			total += read_piece(pid, pagemap, at, left < PAGES ? left : PAGES, buf);
		}
	}
	return total;
}

int main(int argc, char **argv)
{
	char path[64];
	uint64_t best = UINT64_MAX, total = 0;
	pid_t pid = argc == 2 ? (pid_t)atoi(argv[1]) : 0;
	char *buf = malloc(PIECE);
	FILE *maps;
	int pagemap;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	snprintf(path, sizeof(path), "/proc/%d/pagemap", pid);
	pagemap = open(path, O_RDONLY | O_CLOEXEC);
	if (pid <= 0 || !maps || pagemap < 0 || !buf) {
		fprintf(stderr, "usage: readpass PID\n");
		return 1;
	}
	for (int i = 0; i < 3; i++) {
		uint64_t start = now_ns(), ns;

		total = one_pass(pid, pagemap, maps, buf);
		ns = now_ns() - start;
		best = ns < best ? ns : best;
	}
	printf("%" PRIu64 " %" PRIu64 "\n", total, best);
	free(buf);
	return 0;
}
