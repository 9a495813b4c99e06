/*
 * mem.h - ownership that the compiler keeps: scope guards, STEAL, checked growth.
 *
 * xalloc-style helpers return NULL when memory is short; nobody here exits.
 */
#ifndef LIMPET_BASE_MEM_H
#define LIMPET_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(a, b) __attribute__((format(printf, a, b)))

/* Hand a guarded pointer to its new owner: the guard then frees NULL. */
#define STEAL(p)                      \
	__extension__({               \
		__typeof__(p) _s = p; \
		(p) = NULL;           \
		_s;                   \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Guard for anything malloc()ed: _cleanup_(freep) char *s = ...; */
static inline void freep(void *p)
{
	free(*(void **)p);
}

/* Guard for a file descriptor; -1 is "none". */
static inline void closep(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/*
 * Growable array: VEC(struct frame) v = {0};  v.v[0 .. v.n).
 * Owned by the holder; free with vec_free().  vec_push() yields false when
 * memory is short, and the array is then unchanged.
 */
#define VEC(T)              \
	struct {            \
		T *v;       \
		size_t n;   \
		size_t cap; \
	}

int vec_grow_(void **v, size_t *cap, size_t need, size_t elem_bytes);

#define vec_reserve(a, need) \
	((need) <= (a)->cap || vec_grow_((void **)&(a)->v, &(a)->cap, (need), sizeof(*(a)->v)))
#define vec_push(a, ...) \
	(vec_reserve(a, (a)->n + 1) ? ((a)->v[(a)->n++] = (__VA_ARGS__), 1) : 0)
#define vec_free(a)                              \
	do {                                     \
		free((a)->v);                    \
		(a)->v = NULL;                   \
		(a)->n = (a)->cap = 0;           \
	} while (0)

/* n zeroed elements, or NULL (also when n * bytes overflows).  n == 0 gives a freeable pointer. */
void *zalloc(size_t n, size_t bytes);

/*
 * Page-granular zeroed memory for big arrays, so that what is not touched costs
 * nothing and what is freed goes back at once.  NULL when short.
 */
void *bigalloc(size_t n, size_t bytes);
void bigfree(void *p, size_t n, size_t bytes);
/* From n to new_n > 0 elements, may move, copies no page; NULL: short, and p is unchanged. */
void *biggrow(void *p, size_t n, size_t new_n, size_t bytes);

#endif
