/*
 * typing.h - types by propagation, between its own files; not a door.
 *
 * A claim is "at this address begins a thing of this type number".  Numbers (snapshot.types)
 * say what form the thing has: one value, a row of them, a map's header …  How each form is
 * recognised and what follows from it is worked out once a number (struct typing_info).
 *
 *   claims of strong evidence only, until nothing changes;
 *   then what weak evidence says of objects that are still unnamed, and what follows from it
 *
 * so that what is weak cannot speak where something better does, whichever thread is first.
 */
#ifndef LIMPET_SNAPSHOT_TYPING_H
#define LIMPET_SNAPSHOT_TYPING_H

#include "snapshot/names.h"

#include <pthread.h>

/* snap_type.form: what a number is about; snap_type_key.at in brackets. */
enum typing_form {
	FORM_NONE,
	FORM_ONE,     /* a value (rtype) */
	FORM_ROW,     /* an array of values, as long as the slot (rtype of one) */
	FORM_CLOSURE, /* (entry pc) */
	FORM_CHAN,  /* runtime.hchan, the buffer behind it if it has no pointers (rtype of elem) */
	FORM_QUEUE, /* a channel's buffer (rtype of elem) */
	FORM_MAP,   /* its header (rtype of the map, as for all that follow) */
	FORM_DIRECTORY,	  /* Swiss: pointers to tables */
	FORM_TABLE,	  /* Swiss: one table */
	FORM_GROUPS,	  /* Swiss: groups; old: buckets */
	FORM_EXTRA,	  /* old: runtime.mapextra */
	FORM_LIST_HEADER, /* old: []*bmap in mapextra */
	FORM_LIST,	  /* old: its backing array */
	FORM_STRING,	  /* bytes of strings */
	FORM_TINY,	  /* a block of the tiny allocator */
	FORM_RUNTIME,	  /* a struct of the runtime that has no rtype here (enum of learn.c) */
	FORM_LABEL,	  /* a guess: its name says all */
	FORM_SHAPE,	  /* size and pointer bits (bits of the slot) */
};

/* Number for a form; NULL text and 0 when there is no such type.  rank: enum snap_rank. */
uint32_t snap_number(struct snapshot *s, enum typing_form form, taddr at, unsigned rank);
/* The same for what a *elem points to: small values without pointers lie in tiny blocks. */
uint32_t snap_number_pointee(struct snapshot *s, taddr elem, unsigned rank);
/* Elements of a slice. */
uint32_t snap_number_row(struct snapshot *s, taddr elem, unsigned rank);
/* What a word of an interface points to: FORM_ONE, MAP, CHAN, CLOSURE and its `at`; NONE. */
enum typing_form snap_word_form(struct snapshot *s, taddr word, taddr *ret_at);

/* What to do with a word of a typed value. */
enum typing_op {
	OP_POINTER,
	OP_SLICE, /* pointer, …, count `count_off` behind it */
	OP_STRING,
	OP_IFACE,
	OP_FUNC,
	OP_HCHAN,   /* *runtime.hchan: a channel of what its header says */
	OP_REFLECT, /* reflect.Value: rtype, pointer, flags */
	OP_TRIE,    /* a node of internal/sync.HashTrieMap: entry or indirect; alt is the other */
	OP_ARRAY,   /* count values of sub, stride bytes apart */
};

struct typing_plan;

struct typing_leaf {
	uint32_t off;
	uint8_t op;
	uint8_t form; /* of what it points to */
	uint16_t count_off;
	uint32_t number[2]; /* strong, weak (0: not made yet) */
	uint32_t alt[2];
	taddr at, alt_at;  /* with form: the key of the number */
	uint16_t alt_back; /* alt begins that many bytes before what is pointed to */
	uint64_t count, stride;
	const struct typing_plan *sub;
};

/* The words of a type from which others follow. */
struct typing_plan {
	taddr rtype;
	uint64_t bytes;
	/* typing_arrows.c: nothing but pointers, in these words; by word, 1 + index of its leaf */
	bool plain;
	uint64_t words;
	uint8_t leaf_at[64];
	size_t n;
	struct typing_leaf leaf[];
};

/* By type number, made when it is first met. */
struct typing_info {
	uint8_t ready;
	uint8_t form, rank;
	bool noscan;
	bool masked;	/* mask is known: all but channels without an rtype for hchan */
	bool expands;	/* something follows from it */
	bool at_least;	/* the slot may be larger */
	bool arrows;	/* what follows, follows from plain pointers: typing_arrows.c */
	uint64_t bytes; /* of one value; of a row's element */
	uint64_t slot;	/* that mallocgc gives for one */
	uint64_t mask;	/* pointer words of one value, if it has at most 64 words */
	uint64_t cover; /* CLOSURE: words of which mask says something */
	taddr rtype;	/* key's `at` */
	const struct typing_plan *plan;
	uint32_t parts[4]; /* numbers that an expansion needs, by form */
};

/*
 * Pointer bits of all GO_PTR_SPAN_BITS and GO_PTR_BITMAP spans, kept from the pass over the edges
 * on: a row for each of their pages.
 */
struct snap_bits {
	uint32_t *row; /* by span: 1 + row of its first page, 0 none */
	uint64_t *words;
	size_t nspans, nrows;
	/*
	 * What spares reading the objects again (typing_arrows.c); NULL once types are known.
	 * arrows: in the layout of words, pointers to the first byte of an object: they are edges.
	 * odd: by object id, it has other pointers that are not nil.
	 */
	uint64_t *arrows, *odd;
	size_t nodd;
};

#define SNAP_BITS_WORDS 16 /* GO_PAGE_BYTES / 8 / 64 */
#define SNAP_NO_ARROWS	(1ULL << 62)

/* Where in arrows a span's first word is, in bits; SNAP_NO_ARROWS: none are kept of it. */
static inline uint64_t snap_bits_at(const struct snap_bits *b, size_t span)
{
	return b->arrows && b->row[span] ? (uint64_t)(b->row[span] - 1) * SNAP_BITS_WORDS * 64
					 : SNAP_NO_ARROWS;
}

struct err *snap_bits_create(struct snapshot *s) MUST_CHECK;
void snap_bits_free(struct snapshot *s);
void snap_bits_free_arrows(struct snap_bits *b);
/* Of the words of [at, at + nbytes) of a span; at is a multiple of 512. */
static inline void snap_bits_set(struct snapshot *s, size_t span, uint64_t at, const uint64_t *bits,
				 uint64_t nbytes)
{
	uint32_t row = s->bits ? s->bits->row[span] : 0;

	if (row)
		memcpy(s->bits->words + (size_t)(row - 1) * SNAP_BITS_WORDS + at / 512, bits,
		       (size_t)((nbytes + 511) / 512 * 8));
}

/*
 * Of n bytes of an object's data those up to its last pointer: behind the last element of a row
 * the slot was never cleared (mallocgc clears what the collector will look at).
 */
uint64_t snap_bits_extent(const struct snapshot *s, size_t span, uint64_t id, uint64_t n);

/* Pointer bits of a slot's words; false: not known for such a span, or more than 64 words. */
bool snap_bits_get(const struct snapshot *s, size_t span, uint64_t id, uint64_t *ret);
/* The same from the word first on, 64 at most; first < words of the slot. */
bool snap_bits_from(const struct snapshot *s, size_t span, uint64_t id, uint64_t first,
		    uint64_t *ret);

/*
 * typing_real.c: of a struct or map of go.shape.… the program's own type that it must be; the type
 * itself if it is no shape or several could be meant.  Thread-safe.
 */
struct typing_reals;

struct typing_reals *typing_reals_create(struct snapshot *s);
void typing_reals_free(struct typing_reals *r);
taddr typing_real(struct typing_reals *r, taddr type);

/* Plans and infos, made once; typing_plan.c. */
struct typing_plans;

/* What begins a struct typing_plans: infos by type number. */
struct typing_plans_head {
	struct typing_info *info;
};
static inline struct typing_info *typing_infos(struct typing_plans *ps)
{
	return ((struct typing_plans_head *)(void *)ps)->info;
}

struct err *typing_plans_create(struct snapshot *s, struct typing_plans **ret) MUST_CHECK;
void typing_plans_free(struct typing_plans *ps);
/* NULL: nothing follows from such a value, or no such type. */
const struct typing_plan *typing_plan_of(struct typing_plans *ps, taddr rtype);
const struct typing_info *typing_info_slow(struct typing_plans *ps, uint32_t number);
static inline const struct typing_info *typing_info_of(struct typing_plans *ps, uint32_t number)
{
	const struct typing_info *i = &typing_infos(ps)[number];

	return __atomic_load_n(&i->ready, __ATOMIC_ACQUIRE) ? i : typing_info_slow(ps, number);
}
/* A channel's word that leads to its timer; NULL: not in this Go. */
const struct typing_leaf *typing_chan_timer(const struct typing_plans *ps);
/* Number of a leaf for a rank of evidence. */
uint32_t typing_leaf_number(struct snapshot *s, const struct typing_leaf *l, unsigned rank);
/* Pointer words of a value, at most 64. */
uint64_t typing_mask(struct snapshot *s, taddr rtype);

#define TYPING_NCHUNK_CACHE 1024
#define TYPING_BATCH	    32
#define TYPING_CHUNK_BYTES  ((uint64_t)1 << 20)
#define TYPING_CHUNK_SPANS  (TYPING_CHUNK_BYTES / GO_PAGE_BYTES)

struct typing_chunk {
	size_t lo, hi;	     /* spans; those without pointers among them do not count */
	uint64_t first, end; /* ids */
	taddr base;
	uint64_t bytes;
	uint32_t ndirty;
};

/*
 * Typed memory of data and bss that pointers lead to: what the compiler laid out for composite
 * literals, parts of globals.  Those found in a round are read after it.
 */
struct typing_static {
	taddr at;
	uint64_t count;
	uint32_t number;
};

struct typing_statics {
	pthread_mutex_t lock;
	struct typing_static *tab; /* seen: open addressing by at and number */
	size_t n, cap;
	VEC(struct typing_static) fresh;
};

/* All of one run of snapshot_types. */
struct typing {
	struct snapshot *s;
	const struct snap_arrows *arrows; /* NULL: read everything */
	uint32_t *span_near;		  /* by id / 64: span of the first of them */
	struct typing_plans *plans;
	struct typing_chunk *chunks;
	size_t nchunks;
	uint32_t *chunk_of;  /* by span; UINT32_MAX: has no pointers */
	uint64_t *dirty;     /* by object id */
	uint64_t lower[256]; /* by size class: bytes of the next smaller one */
	unsigned round;
	unsigned least; /* rank that an object must have to be expanded */
	struct typing_worker **workers;
	unsigned nworkers;
	struct typing_statics statics;
};

struct typing_claim {
	taddr value;
	uint64_t count; /* of a row; of a string its bytes */
	uint32_t number, alt;
	uint16_t alt_back;
};

struct typing_word {
	taddr word, at;
	uint32_t number[2];
	uint8_t form;
};

struct typing_next {
	uint64_t id;
	size_t span;
};

/* What is said of a place in an object by a claim that was refused for the whole. */
struct typing_hint {
	uint64_t id, off; /* behind the start of its data */
	taddr rtype;
	uint64_t count; /* so many of them */
};

struct typing_worker {
	struct typing *t;
	uint8_t *buf;
	size_t buf_bytes;
	VEC(struct typing_next) stack; /* objects to expand next */
	uint64_t stack_lo, stack_hi;   /* ids that may be put on it */
	size_t stack_max;
	bool whole; /* the stack is of the chunk in buf, and will be emptied */
	uint64_t have[TYPING_CHUNK_SPANS / 64]; /* whole: spans of the chunk that buf holds */
	VEC(struct typing_hint) hints;		/* typing_inside.c */
	bool hints_full;
	unsigned rank; /* of the claims being made */
	unsigned nbatch;
	struct typing_claim batch[TYPING_BATCH];
	struct typing_word words[TYPING_NCHUNK_CACHE];
	struct snap_typing_stats stats;
};

#define TYPING_BY_ID (1ULL << 63) /* typing_claim.value: the object of that id, its first byte */

/* Claims are batched, and settled by typing_flush(); typing_claim.c. */
void typing_flush(struct typing_worker *w);
void typing_static_add(struct typing_worker *w, const struct typing_claim *c);
/* Inlined: a claim handed over by value would be written twice, ten million times. */
static inline __attribute__((always_inline)) void typing_claim(struct typing_worker *w,
							       struct typing_claim c)
{
	struct typing_claim *to;

	if (!trange_has(w->t->s->heap.bounds, c.value)) {
		if (c.number)
			typing_static_add(w, &c);
		return;
	}
	/* word by word: copied as a whole it would wait for its own parts to be written */
	to = &w->batch[w->nbatch++];
	to->value = c.value;
	to->count = c.count;
	to->number = c.number;
	to->alt = c.alt;
	to->alt_back = c.alt_back;
	if (w->nbatch == TYPING_BATCH)
		typing_flush(w);
}
/* The same of an object that is known, by a pointer's leaf. */
static inline void typing_claim_object(struct typing_worker *w, const struct typing_leaf *l,
				       uint64_t id)
{
	struct typing_claim *c = &w->batch[w->nbatch++];
	unsigned r = w->rank <= SNAP_RANK_WEAK;

	c->value = TYPING_BY_ID | id;
	c->count = 0;
	c->number = l->number[r];
	c->alt = l->alt[r];
	c->alt_back = l->alt_back;
	if (w->nbatch == TYPING_BATCH)
		typing_flush(w);
}
/* Does the object look like one of that number? Only mask and slot are asked. */
bool typing_agrees(struct typing *t, uint64_t id, uint32_t number);

/* Say it of an object: believed unless better is known. */
void typing_believe(struct typing_worker *w, size_t span, uint64_t id, uint32_t number);
/* The pointer words of n values in a row. */
uint64_t typing_row_mask(uint64_t mask, uint64_t words, uint64_t n);

/* typing_inside.c: objects that are pointed at from within only; settle: until nothing changes. */
void typing_hint_add(struct typing_worker *w, struct typing_hint h);
struct err *typing_inside(struct typing *t, struct err *(*settle)(struct typing *t)) MUST_CHECK;

/*
 * typing_expand.c: what follows from the bytes at mem, of an object or a variable.  n: those that
 * may hold pointers, of room that can be read.
 */
void typing_expand(struct typing_worker *w, uint32_t number, const uint8_t *mem, uint64_t n,
		   uint64_t room);
void typing_expand_plan(struct typing_worker *w, const struct typing_plan *p, const uint8_t *mem);

void typing_expand_iface(struct typing_worker *w, taddr type, taddr data);

/* typing_arrows.c: objects of plain pointers are expanded without their bytes. */
struct err *typing_arrows_create(struct typing *t) MUST_CHECK;
void typing_arrows_free(struct typing *t);
/* Span of an object; only with arrows. */
size_t typing_span_of(const struct typing *t, uint64_t id);
/* Sets p->plain and what belongs to it. */
void typing_arrows_plan(struct typing_plan *p);
/* Those objects are visited in no order: fetch what will be looked at. */
void typing_arrows_warm(const struct typing *t, const struct typing_chunk *c);
/* false: its bytes are needed. */
bool typing_arrows_expand(struct typing_worker *w, size_t span, uint64_t id,
			  const struct typing_info *i);

/* typing_static.c */
/* Read what was found since; *ret: there was any. */
struct err *typing_statics_read(struct typing *t, bool *ret) MUST_CHECK;
void typing_statics_deinit(struct typing *t);
/* Room for n bytes in the worker's buffer; false: too many, or no memory. */
bool typing_room(struct typing_worker *w, uint64_t nbytes);

/* typing_pairs.c: roots that look like interfaces. */
struct err *typing_pairs(struct typing *t) MUST_CHECK;

/* typing_rules.c: memory of the runtime that its contents tell. */
struct err *typing_rules(struct typing *t) MUST_CHECK;

/* typing_shape.c: names for what is left. */
struct err *typing_shapes(struct typing *t) MUST_CHECK;

#endif
