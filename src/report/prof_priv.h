/*
 * prof_priv.h - private to prof*.c: a profile that is being made.
 */
#ifndef LIMPET_REPORT_PROF_PRIV_H
#define LIMPET_REPORT_PROF_PRIV_H

#include "evidence/idx.h"
#include "goruntime/callers.h"
#include "report/prof.h"

enum { PROF_LABELS = 256 }; /* of a sample; more are left out */
enum { PROF_DEPTH = 1024 + 64 }; /* mprof.go: maxProfStackDepth; and what its last one stands for */

/* A mapping of the target, and whether all addresses in it had names. */
struct prof_map {
	struct trange range;
	uint32_t id; /* in the profile */
	bool tried, failed;
};

struct prof {
	struct go *go;
	struct agg *agg;
	struct pprof *p;
	struct go_callers callers;
	VEC(struct prof_map) maps; /* ascending */
	taddr pcs[PROF_DEPTH];
	uint32_t locations[PROF_DEPTH];
};

/* Triples, numbered 0, 1, 2 … as they are met: what belongs to one lies elsewhere, by its number. */
struct prof_key {
	uint32_t a, b, c;
};
struct prof_keys {
	VEC(struct prof_key) v;
	struct idx x;
	uint32_t most; /* 0: as many as there are */
};
#define PROF_KEY_NOMEM UINT32_MAX
#define PROF_KEY_FULL (UINT32_MAX - 1) /* it would be one more than most */
/* Its number, v.n - 1 if it is new. */
uint32_t prof_key(struct prof_keys *k, uint32_t a, uint32_t b, uint32_t c);
void prof_keys_deinit(struct prof_keys *k);

/*
 * A stack of return addresses, leaf first; PPROF_NONE where nothing of it is shown.  runtime.goexit
 * is no frame.
 */
uint32_t prof_stack(struct prof *b, enum go_callers_of of, const taddr *pcs, size_t n);
/* The same of who has names, and no addresses. */
uint32_t prof_named_stack(struct prof *b, const struct snap_frame *const *frames, size_t n);
/* Of one type, which is its period's too: "goroutine", "count". */
void prof_count_types(struct prof *b, const char *name);

/*
 * A name that is none of a function, so that pprof shows all of it: where a name has brackets, pprof
 * takes it for one of C++ and leaves out what stands in parentheses; they become braces.
 * Source: google/pprof, symbolizer.go (looksLikeDemangledCPlusPlus).
 */
const char *prof_safe_name(const char *name, char *buf, size_t nbuf);
/* Labels (NULL: none) as those of a sample; how many. */
struct ans_labels;
size_t prof_labels(struct prof *b, const struct ans_labels *have,
		   struct pprof_label ret[static PROF_LABELS]);
/* Objects and their bytes, none of them sampled. */
void prof_space_types(struct prof *b);

struct err *prof_heap(struct prof *b) MUST_CHECK;
struct err *prof_allocs(struct prof *b) MUST_CHECK;
struct err *prof_goroutine(struct prof *b) MUST_CHECK;
struct err *prof_goroutineleak(struct prof *b) MUST_CHECK;
struct err *prof_mutex(struct prof *b) MUST_CHECK;
struct err *prof_block(struct prof *b) MUST_CHECK;
/* By the owner's tree if agg->trees says so. */
struct err *prof_retention(struct prof *b) MUST_CHECK;
struct err *prof_retained(struct prof *b) MUST_CHECK;

#endif
