/*
 * hprof_priv.h - private to the writer of HPROF files: classes, and records of the heap.
 *
 * Ids have 4 bytes: then an object's header is 8 bytes for every analyser, and objects of Go's
 * sizes can have theirs:
 *
 *   instance  8 + 4 a reference + the rest as numbers that are 0    == the slot's bytes
 *   array     12 (VisualVM: 16) + 4 an element, up to a multiple of 8; behind the references all
 *             are null						   == the slot's bytes
 *
 * (a slot of 8 bytes with a pointer would need 12).  What has one size of its type is an instance,
 * rows and what a map is made of are arrays.
 */
#ifndef LIMPET_REPORT_HPROF_PRIV_H
#define LIMPET_REPORT_HPROF_PRIV_H

#include "report/bigout.h"
#include "report/graphfile.h"
#include "report/objwalk.h"

enum { HPROF_HEADER = 8, HPROF_ARRAY_HEADER = 16, HPROF_REF = 4 };
enum { HPROF_INSTANCE_MAX = 2048 }; /* larger ones are arrays: a class has 65,535 fields at most */

/* Of a type and a size (instances), of a type (arrays), of roots by name and number of slots. */
struct hprof_class {
	uint64_t key, bytes;
	uint32_t id;	 /* of the file */
	uint32_t name;	 /* in objnames */
	uint32_t nwords; /* of field; 0: an array */
	uint32_t *field; /* by word: 1 + its name; 0: no instance has a pointer there */
	uint32_t nrefs;
	bool thread;
};

struct hprof {
	struct agg *a;
	struct bigout o;
	struct objnames names;
	struct obj_ids ids;
	struct graphfile f;
	VEC(struct hprof_class) classes;
	uint32_t *tab; /* open addressing by key: 1 + index */
	size_t cap;
	uint32_t *root_class; /* by root */
	uint8_t *seen;	      /* by name: a class of instances has it */
	/* records of the heap not yet written */
	uint8_t *seg;
	size_t nseg;
	/* the object at hand */
	VEC(uint32_t) refs;
	uint32_t nframe;
};

/* hprof_classes.c */
struct err *hprof_class_of(struct hprof *h, const struct obj *o, uint32_t *ret) MUST_CHECK;
/* All classes with their fields: one read of the heap. */
struct err *hprof_classes(struct hprof *h) MUST_CHECK;
void hprof_classes_deinit(struct hprof *h);
static inline uint32_t hprof_filler(const struct hprof_class *c)
{
	uint64_t used = HPROF_HEADER + (uint64_t)c->nrefs * HPROF_REF;

	return c->bytes > used ? (uint32_t)(c->bytes - used) : 0;
}
/* The name as a class's: "[Lmain.T;" for arrays; kept.  Once each, in their order. */
const char *hprof_class_name(struct hprof *h, const struct hprof_class *c);

/* hprof_stacks.c: frames and traces of goroutines; i has trace 2 + i, thread 1 + i. */
struct err *hprof_stacks(struct hprof *h) MUST_CHECK;

/* Ids of the file: first classes that each Java has and readers want, then ours, then roots. */
enum { HPROF_OBJECT, HPROF_CLASS, HPROF_THREAD, HPROF_REFERENCE, HPROF_JAVA = 8 };
static inline uint32_t hprof_root_id(const struct hprof *h, uint32_t r)
{
	return obj_other_id((uint32_t)h->classes.n + HPROF_JAVA + r);
}

/* A record: its tag and how many bytes follow. */
void hprof_record(struct hprof *h, uint8_t tag, uint64_t nbytes);
void hprof_string(struct hprof *h, uint32_t id, const char *text);

#endif
