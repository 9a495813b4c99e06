/*
 * dump.c - a heap dump as a target: the file mapped, bytes by address.
 *
 * Has neither threads nor code, and of memory only objects, frames, data and bss.
 * Cost: the file is read once from end to end; what is in memory is a table of its pages.
 */
#include "target/dump_read.h"

#include "base/files.h"
#include "target/ops.h"
#include "target/wrap.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct dump_target {
	struct target t;
	struct dump d;
	void *map; /* NULL: bytes are borrowed */
};

void dump_lose(struct target *t, const char *what, uint64_t count, uint64_t bytes)
{
	for (size_t i = 0; i < t->losses.n; i++) {
		if (!strcmp(t->losses.v[i].what, what)) {
			t->losses.v[i].count += count;
			t->losses.v[i].bytes += bytes;
			return;
		}
	}
	(void)!vec_push(&t->losses, (struct target_loss){ what, count, bytes });
}

void dump_deinit(struct dump *d)
{
	vec_free(&d->runs);
	vec_free(&d->segments);
	vec_free(&d->data);
	vec_free(&d->types);
	vec_free(&d->itabs);
	vec_free(&d->gs);
	vec_free(&d->frames);
	vec_free(&d->defers);
	vec_free(&d->panics);
	vec_free(&d->finalizers);
	vec_free(&d->queued);
	vec_free(&d->threads);
	vec_free(&d->buckets);
	vec_free(&d->lines);
	vec_free(&d->samples);
	vec_free(&d->other_roots);
	vec_free(&d->funcs);
	vec_free(&d->wait_reasons);
	dump_names_free(d->names);
}

static struct err *dump_read_some(struct target *t, taddr addr, void *buf, size_t nbytes,
				  size_t *ret)
{
	const struct dump_target *x = (const struct dump_target *)t;
	const uint8_t *p;
	size_t n = dump_bytes_at(&x->d, addr, &p);

	*ret = MIN(n, nbytes);
	if (*ret)
		memcpy(buf, p, *ret);
	return NULL;
}

static void dump_destroy(struct target *t)
{
	struct dump_target *x = (struct dump_target *)t;

	dump_deinit(&x->d);
	if (x->map)
		munmap(x->map, (size_t)x->d.nfile);
	free(x);
}

static const struct target_ops dump_ops = {
	.read_some = dump_read_some,
	.destroy = dump_destroy,
};

const struct dump *target_dump(const struct target *t)
{
	return t->ops == &dump_ops ? &((const struct dump_target *)t)->d : NULL;
}

/* The facts of a process that a file does not have. */
static void no_facts(struct target_mem *m)
{
	uint64_t *const all[] = {
		&m->rss,	   &m->rss_anon,      &m->rss_file,	&m->rss_shmem,
		&m->swap,	   &m->vm_size,	      &m->pss,		&m->private_dirty,
		&m->private_clean, &m->shared_clean,  &m->shared_dirty, &m->anon_huge,
		&m->cgroup_usage,  &m->cgroup_limit,  &m->cgroup_anon,	&m->cgroup_file,
		&m->cgroup_shmem,  &m->cgroup_kernel, &m->cgroup_sock,	&m->cgroup_inactive_file,
		&m->threads,	   &m->fds,
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		*all[i] = UINT64_MAX;
}

static struct dump_target *dump_alloc(const void *bytes, size_t nbytes)
{
	struct dump_target *x = zalloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->t.ops = &dump_ops;
	x->t.exe_fd = -1;
	x->t.capture.kind = TARGET_DUMP;
	x->t.capture.method = TARGET_BY_FILE;
	no_facts(&x->t.mem);
	x->d.file = bytes;
	x->d.nfile = nbytes;
	x->d.names = dump_names_create();
	return x;
}

static struct err *check_params(const struct dump *d)
{
	if (!d->has_params)
		return err_bad_data(
			"the heap dump has no parameters: cut off at its start, or damaged");
	if (d->big_endian || d->word_bytes != 8)
		return err_unsupported("a heap dump of %s (%" PRIu64
				       "-byte words, %s endian): only "
				       "8-byte little endian ones are read",
				       d->arch, d->word_bytes, d->big_endian ? "big" : "little");
	return NULL;
}

static struct err *dump_fill(struct dump_target *x)
{
	struct err *err;

	if (!x->d.names)
		return &err_nomem;
	if (wrap_of(x->d.file, (size_t)x->d.nfile) != WRAP_NONE)
		return err_unsupported(
			"a heap dump packed by %s: unpack it first",
			wrap_of(x->d.file, (size_t)x->d.nfile) == WRAP_GZIP ? "gzip" : "zstd");
	if (x->d.nfile < 16 || memcmp(x->d.file, "go1.7 heap dump\n", 16))
		return err_unsupported("not a heap dump of Go 1.7 or later");
	err = dump_records(&x->d, &x->t);
	if (!err)
		err = check_params(&x->d);
	return err ? err : dump_index(&x->d, &x->t);
}

struct err *target_open_dump_bytes(const void *bytes, size_t nbytes, struct target **ret)
{
	struct dump_target *x = dump_alloc(bytes, nbytes);
	struct err *err;

	if (!x)
		return &err_nomem;
	err = dump_fill(x);
	if (err) {
		target_close(&x->t);
		return err;
	}
	*ret = &x->t;
	return NULL;
}

struct err *target_open_dump(const char *path, const struct target_file_opts *o,
			     struct target **ret)
{
	_cleanup_(closep) int fd = file_open(path);
	struct target *t = NULL;
	struct stat st;
	struct err *err;
	void *map;

	(void)o;
	if (fd < 0 || fstat(fd, &st))
		return err_os(errno, "%.200s", path);
	if (!st.st_size)
		return err_bad_data("%.200s: an empty file", path);
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (map == MAP_FAILED)
		return err_os(errno, "%.200s", path);
	madvise(map, (size_t)st.st_size, MADV_SEQUENTIAL);
	err = target_open_dump_bytes(map, (size_t)st.st_size, &t);
	if (err) {
		munmap(map, (size_t)st.st_size);
		return err_prefix(err, "%.200s", path);
	}
	((struct dump_target *)t)->map = map;
	t->file = strdup(path);
	t->capture.at_unix_ns =
		(uint64_t)st.st_mtim.tv_sec * 1000000000U + (uint64_t)st.st_mtim.tv_nsec;
	*ret = t;
	return NULL;
}
