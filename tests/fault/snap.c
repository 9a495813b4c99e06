/*
 * snap.c - snapshots for the fault tests: `snap PID COUNT HOLD_MS [freeze] [read]`.
 *
 * One line of JSON a snapshot on stdout; knows nothing but target.h.
 */
#include "target/target.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

static bool has(char **argv, const char *word)
{
	for (; *argv; argv++)
		if (strcmp(*argv, word) == 0)
			return true;
	return false;
}

static void read_all(struct target *t, uint64_t *ret_bytes, char *why, size_t cap)
{
	static char buf[1 << 20];
	size_t n;
	const struct target_region *r = target_regions(t, &n);

	for (size_t i = 0; i < n; i++) {
		taddr at = r[i].range.start;

		while ((r[i].prot & REGION_WRITE) && at < r[i].range.end) {
			uint64_t left = r[i].range.end - at;
			size_t got = 0;
			struct err *err = target_read_some(
				t, at, buf, left < sizeof(buf) ? (size_t)left : sizeof(buf), &got);

			if (err) {
				snprintf(why, cap, "%s", err->msg);
				err_free(err);
				return;
			}
			*ret_bytes += got;
			at += got ? got : 4096;
		}
	}
}

static int one(pid_t pid, const struct target_opts *o, unsigned hold_ms, bool reads)
{
	struct target *t = NULL;
	struct err *err = target_open_live(pid, o, &t);
	uint64_t bytes = 0, began = clock_ns();
	char why[500] = "";
	size_t nthreads;

	if (err) {
		printf("{\"error\":%d,\"exit\":%d,\"msg\":\"%s\"}\n", (int)err->code,
		       err_exit_code(err), err->msg);
		fflush(stdout);
		err_free(err);
		return 1;
	}
	puts("{\"open\":1}");
	fflush(stdout);
	do {
		if (reads && !why[0])
			read_all(t, &bytes, why, sizeof(why));
		if (clock_ns() - began < hold_ms * 1000000ULL)
			usleep(5000);
	} while (clock_ns() - began < hold_ms * 1000000ULL);
	uint64_t rel = clock_ns();

	target_release(t);
	target_threads(t, &nthreads);
	const struct target_capture *c = target_capture(t);

	printf("{\"pause_us\":%" PRIu64 ",\"fork_us\":%" PRIu64 ",\"predicted_us\":%" PRIu64
	       ",\"threads\":%zu,\"bytes\":%" PRIu64 ",\"release_us\":%" PRIu64
	       ",\"lost\":\"%s\"}\n",
	       c->pause_ns / 1000, c->fork_ns / 1000, c->predicted_pause_ns / 1000, nthreads, bytes,
	       (clock_ns() - rel) / 1000, why);
	fflush(stdout);
	target_close(t);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	pid_t pid = (pid_t)atoi(argv[1]);
	int bad = 0, n = atoi(argv[2]);
	struct target_opts o = {
		.what = "fault-test",
		.method = has(argv, "freeze") ? TARGET_BY_FREEZE : TARGET_BY_FORK,
		.max_pause_ns = has(argv, "tight") ? 1000000 : 5000000000,
	};

	if (has(argv, "clean")) {
		struct target_cleaned c = { 0 };
		struct err *err = target_clean(pid, &c);

		printf("{\"reaped\":%u,\"left\":%u,\"msg\":\"%s\"}\n", c.reaped, c.left,
		       err ? err->msg : "");
		return err != NULL;
	}
	for (int i = 0; i < n; i++)
		bad += one(pid, &o, (unsigned)atoi(argv[3]), has(argv, "read"));
	return bad != 0;
}
