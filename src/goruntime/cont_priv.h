/*
 * cont_priv.h - between cont.c and the decoders; not a door.
 */
#ifndef LIMPET_GORUNTIME_CONT_PRIV_H
#define LIMPET_GORUNTIME_CONT_PRIV_H

#include "goruntime/cont.h"

/* Entries of one list, links of one chain, nodes of one tree that are followed. */
#define CONT_MAX_STEPS (1ULL << 28)

/* One decoding: what all decoders are handed. */
struct cont {
	const struct go_cont *kind;
	struct go_io *io;
	struct go_types *ts;
	taddr at;
	const struct go_type *type;
};

/* Where decoders put what they find; stopped: they return at once. */
struct cont_out {
	union {
		go_cont_entry_fn *entry;
		go_cont_fact_fn *fact;
		go_cont_part_fn *part;
	};
	void *arg;
	bool stopped;
};

/* A field that is shown: a fact of that form, or an entry. */
struct cont_field {
	const char *name; /* of the fact, label of the entry; NULL ends a list */
	const char *path; /* "file->pfd.Sysfd"; a version that has no such field shows none */
	uint8_t form;	  /* enum go_fact_form, or CONT_FIELD_ENTRY */
	uint64_t mask;	  /* 0: all; else these bits, moved down */
};
#define CONT_FIELD_ENTRY 255

struct go_cont {
	const char *word;
	const char *names; /* "sync.Map|…" as go_type_full(); "sync/atomic.Pointer[": generic; NULL:
			      all of that kind */
	uint8_t kind;	   /* enum go_kind of the type */
	bool holds;
	const struct cont_field *fields; /* beside what the decoders tell; NULL: none */
	struct err *(*facts)(const struct cont *c, struct cont_out *o);
	struct err *(*each)(const struct cont *c, struct cont_out *o);
	struct err *(*parts)(const struct cont *c, struct cont_out *o); /* NULL: its type tells */
};

extern const struct go_cont cont_chan, cont_sync_map, cont_trie, cont_pool, cont_list, cont_timer,
	cont_heap_timer, cont_time, cont_context, cont_atomic_pointer, cont_weak,
	cont_reflect_value, cont_string, cont_slice, cont_buffer;
extern const struct go_cont cont_plain[]; /* of fields only; word NULL ends */

/* Tell; nothing once it was enough. */
void cont_fact(struct cont_out *o, const char *name, uint8_t form, uint64_t n);
void cont_fact_word(struct cont_out *o, const char *name, const char *word);
void cont_entry(struct cont_out *o, const char *label, uint64_t index, struct go_place key,
		struct go_place elem);
void cont_value(struct cont_out *o, const char *label, uint64_t index, struct go_place elem);
void cont_part(struct cont_out *o, uint8_t what, taddr at, uint64_t count, taddr elem,
	       uint64_t elem_bytes);

/*
 * The place of a field by its path: embedded structs are gone through by themselves, "->" follows
 * a pointer.  *ret = {0}: this version has none of that name, or a pointer on the way is nil.
 */
struct err *cont_field(const struct cont *c, const char *path, struct go_place *ret) MUST_CHECK;
struct err *cont_field_of(const struct cont *c, struct go_place p, const char *path,
			  struct go_place *ret) MUST_CHECK;

/* Integer of 1, 2, 4 or 8 bytes, extended by its sign; of a struct (atomic.Int64) its field v. */
struct err *cont_int(const struct cont *c, struct go_place p, uint64_t *ret) MUST_CHECK;
/* The same of a field; 0 where there is none. */
struct err *cont_int_field(const struct cont *c, const char *path, uint64_t *ret) MUST_CHECK;
struct err *cont_word_at(const struct cont *c, taddr at, uint64_t *ret) MUST_CHECK;
/* Words 0..n of a field (slice, string, interface); zeroes where there is none. */
struct err *cont_words_field(const struct cont *c, const char *path, uint64_t *w,
			     unsigned n) MUST_CHECK;

/* What the pointer of a type like atomic.Pointer[T], weak.Pointer[T] points to; NULL unknown. */
const struct go_type *cont_type_arg(struct go_types *ts, const struct go_type *t);
/* What the pointer (or atomic.Pointer) in p points to; at 0: nil. */
struct err *cont_follow(const struct cont *c, struct go_place p, struct go_place *ret) MUST_CHECK;

#endif
