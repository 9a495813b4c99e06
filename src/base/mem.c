/*
 * mem.c - growth of arrays and page-granular memory.
 *
 * Knows nothing of what is stored.  Growth is by half, amortised O(1) an element.
 */
#include "base/mem.h"

#include <sys/mman.h>

int vec_grow_(void **v, size_t *cap, size_t need, size_t elem_bytes)
{
	size_t want = *cap + *cap / 2 + 8;
	void *p;

	if (want < need)
		want = need;
	if (want > SIZE_MAX / elem_bytes)
		return 0;
	p = realloc(*v, want * elem_bytes);
	if (!p)
		return 0;
	*v = p;
	*cap = want;
	return 1;
}

void *zalloc(size_t n, size_t bytes)
{
	/* calloc would refuse as well, but sanitizers end the program there. */
	if (bytes && n > SIZE_MAX / bytes)
		return NULL;
	return calloc(n ? n : 1, bytes ? bytes : 1);
}

void *bigalloc(size_t n, size_t bytes)
{
	void *p;

	if (bytes && n > SIZE_MAX / bytes)
		return NULL;
	if (n * bytes == 0)
		n = bytes = 1;
	p = mmap(NULL, n * bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

void bigfree(void *p, size_t n, size_t bytes)
{
	if (!p)
		return;
	if (n * bytes == 0)
		n = bytes = 1;
	munmap(p, n * bytes);
}

void *biggrow(void *p, size_t n, size_t new_n, size_t bytes)
{
	void *q;

	if (!bytes || !new_n || new_n > SIZE_MAX / bytes)
		return NULL;
	q = mremap(p, n * bytes != 0 ? n * bytes : 1, new_n * bytes, MREMAP_MAYMOVE);
	return q == MAP_FAILED ? NULL : q;
}
