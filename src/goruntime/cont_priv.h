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

struct go_cont {
	const char *word;
	const char
		*names; /* "sync.Map|…", full names; "sync/atomic.Pointer[" = generic; "" by kind */
	uint8_t kind;	/* enum go_kind of the type */
	bool holds;
	struct err *(*facts)(const struct cont *c, struct cont_out *o);
	struct err *(*each)(const struct cont *c, struct cont_out *o);
	struct err *(*parts)(const struct cont *c, struct cont_out *o); /* NULL: its type tells */
};

/* false: enough. */
bool cont_fact(struct cont_out *o, const char *name, uint8_t form, uint64_t n);
bool cont_word(struct cont_out *o, const char *name, const char *word);
bool cont_entry(struct cont_out *o, const char *label, uint64_t index, struct go_place key,
		struct go_place elem);
bool cont_part(struct cont_out *o, uint8_t what, taddr at, uint64_t count, taddr elem,
	       uint64_t elem_bytes);

/*
 * The place of a field by its path, "pfd.fdmu.state"; embedded structs are gone through by
 * themselves.  false: this version's type has none of that name.
 */
bool cont_field(const struct cont *c, const char *path, struct go_place *ret);
bool cont_field_of(struct go_types *ts, struct go_place p, const char *path, struct go_place *ret);

/* Little-endian integer of 1, 2, 4 or 8 bytes, as wide as its type; a struct of one: its only. */
struct err *cont_uint(const struct cont *c, struct go_place p, uint64_t *ret) MUST_CHECK;
struct err *cont_word_at(const struct cont *c, taddr at, uint64_t *ret) MUST_CHECK;

/* A field as a fact where the version has it; nothing where not. */
struct err *cont_fact_field(const struct cont *c, struct cont_out *o, const char *name,
			    const char *path, uint8_t form) MUST_CHECK;
/* A field as an entry (label) where the version has it. */
void cont_entry_field(const struct cont *c, struct cont_out *o, const char *label,
		      const char *path);

/* Type that an atomic.Pointer[T], weak.Pointer[T] is for: the elem of its `_ [0]*T`. */
const struct go_type *cont_type_arg(struct go_types *ts, const struct go_type *t);

#endif
