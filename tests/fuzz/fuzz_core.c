/*
 * fuzz_core.c - an ELF core: as raw bytes, packed ones too, or put together from notes and
 * segments that the input describes (the first byte chooses).
 */
#include "fake/corefile.h"
#include "base/bytes.h"
#include "goruntime/goruntime.h"
#include "target/corenote.h"
#include "target/kind.h"

#include <elf.h>
#include <stdio.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_regions(struct target *t)
{
	size_t n, got;
	const struct target_region *r = target_regions(t, &n);
	uint8_t buf[8192];

	for (size_t i = 0; i < n; i++) {
		if (r[i].range.start >= r[i].range.end || !r[i].path ||
		    (i && r[i].range.start < r[i - 1].range.end))
			abort();
		if (target_region_at(t, r[i].range.start) != &r[i])
			abort();
		if (i > 64)
			continue;
		err_free(target_read_some(t, r[i].range.start, buf, sizeof(buf), &got));
		err_free(target_read_some(t, r[i].range.end - 1, buf, sizeof(buf), &got));
		err_free(target_read(t, r[i].range.start + 100, buf, 300));
	}
}

static void look(int fd)
{
	static const char exe[] = "/proc/self/exe";
	struct target_file_opts o = { .max_unpacked_bytes = 4 << 20 };
	struct target *t = NULL;
	struct go *g = NULL;
	char path[32];
	size_t n;
	struct err *err = target_open_core(corefile_path(path, fd), &o, &t);

	if (err && (!err->msg[0] || strchr(err->msg, '\n')))
		abort();
	if (err && err->code == ERR_GONE) {
		err_free(err);
		o.exe = exe;
		err = target_open_core(path, &o, &t);
	}
	err_free(err);
	if (!t)
		return;
	check_regions(t);
	(void)target_threads(t, &n);
	(void)target_auxv(t, &n);
	(void)target_losses(t, &n);
	err_free(go_open(t, NULL, &g));
	go_close(g);
	target_close(t);
}

static void put_file_note(struct corefile *c, struct bytes *b)
{
	static const char *const paths[] = { "/proc/self/exe", "/bin/ls", "/dev/zero", "",
					     "x (deleted)" };
	struct corefile_mapping m[4];
	size_t n = bytes_u8(b) % (ARRAY_LEN(m) + 1);

	for (size_t i = 0; i < n; i++) {
		m[i].start = (taddr)bytes_u16(b) << 12;
		m[i].end = m[i].start + ((taddr)bytes_u8(b) << 12);
		m[i].page = bytes_u8(b);
		m[i].path = paths[bytes_u8(b) % ARRAY_LEN(paths)];
	}
	corefile_files(c, m, n);
}

static void put_note(struct corefile *c, struct bytes *b)
{
	static const char *const names[] = { "CORE", "", CORENOTE_NAME, "LINUX" };
	static const uint32_t types[] = { NT_PRSTATUS, NT_PRPSINFO, NT_AUXV,
					  NT_FILE,     NT_SIGINFO,  CORENOTE_TYPE };
	unsigned kind = bytes_u8(b);
	uint8_t desc[512] = { 0 };
	size_t n = bytes_u16(b) % sizeof(desc);

	if (kind % 7 == 6) {
		put_file_note(c, b);
		return;
	}
	n = MIN(n, bytes_left(b));
	bytes_take(b, desc, n);
	corefile_note(c, names[kind / 7 % ARRAY_LEN(names)], types[kind % 7], desc, n);
}

static void put_load(struct corefile *c, struct bytes *b)
{
	struct corefile_load l = { .at = (taddr)bytes_u16(b) << 12, .flags = bytes_u8(b) & 7U };
	unsigned shift = bytes_u8(b) % 40;

	l.mem_bytes = (uint64_t)bytes_u8(b) << shift;
	l.nbytes = bytes_u16(b);
	l.nbytes = MIN(l.nbytes, bytes_left(b));
	l.bytes = b->p;
	bytes_skip(b, l.nbytes);
	(void)!vec_push(&c->loads, l);
}

static int put_together(const uint8_t *data, size_t n)
{
	struct bytes b = bytes_of(data, n);
	struct corefile c = { .many = bytes_u8(&b) & 1 };
	size_t max = bytes_u8(&b) & 1 ? bytes_u16(&b) : SIZE_MAX;
	unsigned notes = bytes_u8(&b) % 8, loads = bytes_u8(&b) % 12;

	for (unsigned i = 0; i < notes && !b.bad; i++)
		put_note(&c, &b);
	for (unsigned i = 0; i < loads && !b.bad; i++)
		put_load(&c, &b);
	int fd = corefile_write(&c, max);

	corefile_deinit(&c);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (!n)
		return 0;
	(void)kind_of_bytes(data, n);
	_cleanup_(closep) int fd =
		data[0] & 1 ? put_together(data + 1, n - 1) : memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || (!(data[0] & 1) && write(fd, data + 1, n - 1) != (ssize_t)(n - 1)))
		return 0;
	look(fd);
	return 0;
}
