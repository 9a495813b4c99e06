/*
 * dump.c - a heap dump as a target: bytes by address, read from the file when they are asked for.
 *
 * Has neither threads nor code, and of memory only objects, frames, data and bss.
 * Cost: the file is read once from end to end; what is in memory is a table of its pages.
 */
#include "target/dump_read.h"

#include "target/ops.h"
#include "target/wrap.h"

#include <sys/stat.h>

struct dump_target {
	struct target t;
	struct dump d;
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
	dump_drop_kept(d);
	wrap_close(d->wrap);
}

static struct err *dump_read_some(struct target *t, taddr addr, void *buf, size_t nbytes,
				  size_t *ret)
{
	const struct dump_target *x = (const struct dump_target *)t;

	*ret = dump_read_at(&x->d, addr, buf, nbytes);
	return NULL;
}

static void dump_destroy(struct target *t)
{
	struct dump_target *x = (struct dump_target *)t;

	dump_deinit(&x->d);
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

static struct dump_target *dump_alloc(void)
{
	struct dump_target *x = zalloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->t.ops = &dump_ops;
	x->t.exe_fd = -1;
	x->t.capture.kind = TARGET_DUMP;
	x->t.capture.method = TARGET_BY_FILE;
	no_facts(&x->t.mem);
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

static struct err *check_head(const struct dump *d)
{
	_cleanup_(dump_window_free) struct dump_window w = { .n = 0 };
	struct bytes b = dump_bytes(d, &w, 0, 16);

	if (bytes_left(&b) < 16 || memcmp(b.p, "go1.7 heap dump\n", 16))
		return err_unsupported("not a heap dump of Go 1.7 or later");
	return NULL;
}

static struct err *dump_fill(struct dump_target *x)
{
	struct err *err;

	if (!x->d.names)
		return &err_nomem;
	err = check_head(&x->d);
	if (!err)
		err = dump_records(&x->d, &x->t);
	if (!err && x->d.wrap && wrap_damage(x->d.wrap))
		dump_lose(&x->t, wrap_damage(x->d.wrap), 1, 0);
	if (!err)
		err = check_params(&x->d);
	return err ? err : dump_index(&x->d, &x->t);
}

struct err *target_open_dump_bytes(const void *bytes, size_t nbytes, struct target **ret)
{
	struct dump_target *x = dump_alloc();
	struct err *err;

	if (!x)
		return &err_nomem;
	_cleanup_(target_closep) struct target *t = &x->t;

	x->d.file = bytes;
	x->d.nfile = nbytes;
	err = dump_fill(x);
	if (!err)
		*ret = STEAL(t);
	return err;
}

struct err *target_open_dump(const char *path, const struct target_file_opts *o,
			     struct target **ret)
{
	struct dump_target *x = dump_alloc();
	struct stat st;
	struct err *err;

	if (!x)
		return &err_nomem;
	_cleanup_(target_closep) struct target *t = &x->t;

	err = wrap_open(path, o ? o->max_unpacked_bytes : 0, &x->d.wrap);
	if (err)
		return err;
	x->d.nfile = wrap_size(x->d.wrap);
	err = x->d.nfile ? dump_fill(x) : err_bad_data("an empty file");
	if (err)
		return err_prefix(err, "%.200s", path);
	t->file = strdup(path);
	if (!fstat(wrap_fd(x->d.wrap), &st))
		t->capture.at_unix_ns =
			(uint64_t)st.st_mtim.tv_sec * 1000000000U + (uint64_t)st.st_mtim.tv_nsec;
	*ret = STEAL(t);
	return NULL;
}
