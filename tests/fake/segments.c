/*
 * segments.c - target_ops over byte segments.
 */
#include "fake/segments.h"
#include "target/ops.h"

struct fake {
	struct target t;
	struct fake_segment *segments;
	size_t n;
};

static struct err *fake_read(struct target *t, taddr addr, void *buf, size_t nbytes, size_t *ret)
{
	const struct fake *f = (const struct fake *)t;

	*ret = 0;
	for (size_t i = 0; i < f->n; i++) {
		const struct fake_segment *s = &f->segments[i];

		if (addr < s->at || addr - s->at >= s->n)
			continue;
		*ret = MIN(nbytes, s->n - (size_t)(addr - s->at));
		memcpy(buf, (const uint8_t *)s->bytes + (addr - s->at), *ret);
		break;
	}
	return NULL;
}

static void fake_destroy(struct target *t)
{
	struct fake *f = (struct fake *)t;

	free(f->segments);
	free(f);
}

static const struct target_ops fake_ops = { .read_some = fake_read, .destroy = fake_destroy };

struct target *fake_target(const struct fake_segment *segments, size_t n)
{
	struct fake *f = zalloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->segments = zalloc(n, sizeof(*segments));
	if (!f->segments) {
		free(f);
		return NULL;
	}
	memcpy(f->segments, segments, n * sizeof(*segments));
	f->n = n;
	f->t.ops = &fake_ops;
	f->t.exe_fd = -1;
	return &f->t;
}

void fake_arch(struct target *t, enum target_arch arch)
{
	t->arch = arch;
}

void fake_threads(struct target *t, const struct target_thread *threads, size_t n)
{
	free(t->threads);
	t->threads = zalloc(n, sizeof(*threads));
	t->nthreads = t->threads ? n : 0;
	if (t->threads)
		memcpy(t->threads, threads, n * sizeof(*threads));
}
