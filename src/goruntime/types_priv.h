/*
 * types_priv.h - between the files types*.c; not a door.
 */
#ifndef LIMPET_GORUNTIME_TYPES_PRIV_H
#define LIMPET_GORUNTIME_TYPES_PRIV_H

#include "goruntime/types.h"

#include <pthread.h>

#define GO_NAME_MAX 4096 /* bytes of a type's or field's name that are kept */

enum { GO_NAME_EXPORTED = 1, GO_NAME_TAG = 2, GO_NAME_PKG = 4, GO_NAME_EMBEDDED = 8 };

/*
 * abi.Name at addr: a flag byte, a varint length, the bytes.  Decoded from n bytes of it;
 * *ret is malloc()ed with control bytes made visible.  flags may be NULL.
 */
struct err *go_name_decode(const uint8_t *p, size_t n, char **ret, uint8_t *flags) MUST_CHECK;
struct err *go_name_read(const struct go *g, taddr addr, char **ret, uint8_t *flags) MUST_CHECK;

/* A copy of one module's type section. */
struct types_image {
	struct trange range; /* of what could be read */
	uint8_t *p;
	uint64_t nbytes; /* as allocated */
};

struct types_entry {
	taddr addr;
	struct go_type *type; /* NULL: known to be no type */
};

struct go_types {
	const struct go *g;
	pthread_rwlock_t lock;	 /* of tab, full */
	struct types_entry *tab; /* open addressing, cap is a power of two, addr 0: empty */
	size_t n, cap;
	uint32_t nmade; /* go_type_reserve() */

	pthread_mutex_t all_lock; /* of what follows, until all_done */
	bool all_done, index_done, elems_done;
	struct types_image *images; /* of each module */
	size_t nimages;
	VEC(taddr) all;
	uint32_t *by_base; /* hash of a defined type's name without package: index in all, + 1 */
	size_t by_base_cap;
	uint32_t *by_elem; /* hash of a pointer's or slice's elem: index in all, + 1 */
	size_t by_elem_cap;
};

void go_type_free(struct go_type *t);
static inline void go_type_freep(struct go_type **t)
{
	go_type_free(*t);
}
/* Decode the rtype at addr.  Any error: it is none. */
struct err *go_type_read(struct go_types *ts, taddr addr, struct go_type **ret) MUST_CHECK;
/* Give fresh (NULL: no type) to the cache; what the cache has then. */
const struct go_type *go_type_insert(struct go_types *ts, taddr addr, struct go_type *fresh);

/* n bytes at addr from the copies; NULL: not in one. */
const uint8_t *go_types_view(const struct go_types *ts, taddr addr, uint64_t n);
/* Bytes from addr on that the copy holds; *ret_n = 0 if none. */
const uint8_t *go_types_view_some(const struct go_types *ts, taddr addr, uint64_t *ret_n);
void go_types_images_free(struct go_types *ts);
/* Of an abi.Name in a copy: its text, not terminated; NULL: none. */
const char *go_types_name_view(const struct go_types *ts, taddr addr, size_t *ret_n);

/* Types of what lies at offset 0 of a struct or array, as found by go_types_all(); how many. */
size_t go_type_first_parts(const struct go_types *ts, taddr type, taddr *ret, size_t max);

/* The head of an rtype makes sense: kind, sizes, alignment. */
bool go_type_head_ok(const struct go_layout *L, const uint8_t *image);
static inline bool go_flag_set(uint64_t flags, int64_t c)
{
	return c > 0 && (flags & (uint64_t)c);
}
/* Where abi.UncommonType lies behind a type of that kind, 0: unknown. */
uint64_t go_type_uncommon(const struct go_layout *L, uint8_t kind);

#endif
