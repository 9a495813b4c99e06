/*
 * since.h - an earlier look at a program, reduced to what a later one is compared with.
 *
 * Made from the earlier look's snapshot, graph and findings, which may go then: sizes of roots by
 * their names, of large objects by their addresses, which slots were reachable, and what was found.
 * Addresses say something only if it is the same process (find_since_match()); names always do.
 *
 * LIMIT.  Where two and more cycles lie between the looks, a slot that was freed and used again for
 * an object of the same size before the last of them looks as if it had stayed (find/ident.h).
 * Cost: 1 bit a slot, 32 bytes a span, 24 bytes a large object.
 */
#ifndef LIMPET_FIND_SINCE_H
#define LIMPET_FIND_SINCE_H

#include "base/keep.h"
#include "find/look.h"

struct find;

/* What is known of a process, to tell whether it is the same. */
struct find_process {
	int64_t pid;	     /* 0 unknown */
	uint64_t started_ns; /* unix; 0 unknown */
	const char *go, *module, *version, *revision;
	uint64_t at_unix_ns; /* of the look; 0 unknown */
};

enum find_same {
	FIND_SAME_PROCESS, /* addresses mean the same */
	FIND_SAME_PROGRAM, /* another process, or another build of it: names do */
	FIND_OTHER,	   /* another program: nothing can be compared */
};

/*
 * The facts themselves, as a store keeps them; sorted by find_since_seal().  Places are objects
 * that retain 64 KiB and more (the largest, if there are very many).
 */
struct since_root {
	const char *key; /* find_root_key(): bytes of all roots of that name together */
	uint64_t bytes;
};

struct since_place {
	taddr addr;
	uint64_t elem_bytes, retained;
};

struct since_found {
	const char *signature;
	uint64_t bytes, count; /* heap and stacks */
	const char *root;      /* find_root_key() of the root that alone holds it; "" none */
	taddr addr;	       /* of the object that it is about; 0 none */
};

struct since_span {
	taddr base;
	uint64_t elem_bytes, first; /* first: its word of alive[] */
	uint32_t nelems;
};

struct since_facts {
	struct keep keep;
	VEC(struct since_span) spans;	/* ascending */
	VEC(uint64_t) alive;		/* bit by slot: was reachable */
	VEC(struct since_place) places; /* ascending by addr */
	VEC(struct since_root) roots;	/* ascending by key */
	VEC(struct since_found) found;	/* ascending by signature */
};

#define FIND_NO_CYCLES UINT32_MAX

struct find_since {
	struct find_process process;
	uint64_t reachable_bytes, reachable_objects, stack_bytes;
	uint64_t rss; /* UINT64_MAX unknown */
	uint64_t goroutines;
	uint32_t num_gc; /* FIND_NO_CYCLES unknown */
	uint64_t total_alloc;
	/* by find_since_match() */
	uint8_t same;	    /* enum find_same */
	const char *why;    /* it is not the same process, in words; "" it is */
	uint64_t ns;	    /* between the looks; 0 unknown */
	uint32_t cycles;    /* collections between; 0: none, or unknown */
	uint64_t allocated; /* bytes, meanwhile; 0 unknown */
	struct since_facts *facts;
};

/* Without facts yet: add what is known, then find_since_seal().  Texts are copied. */
struct err *find_since_begin(const struct find_process *p, struct find_since **ret) MUST_CHECK;
/* Spans in any order; alive: bit by slot, nelems of them.  Errors: NOMEM, BAD_DATA. */
struct err *find_since_add_span(struct find_since *x, taddr base, uint64_t elem_bytes,
				uint32_t nelems, const uint64_t *alive) MUST_CHECK;
struct err *find_since_add_place(struct find_since *x, const struct since_place *p) MUST_CHECK;
struct err *find_since_add_root(struct find_since *x, const char *key, uint64_t bytes) MUST_CHECK;
struct err *find_since_add_found(struct find_since *x, const struct since_found *f) MUST_CHECK;
void find_since_seal(struct find_since *x);

/* All of it, from a look.  f has run. */
struct err *find_since_create(const struct find *f, const struct find_process *p, uint64_t rss,
			      struct find_since **ret) MUST_CHECK;
void find_since_free(struct find_since *x);
static inline void find_since_freep(struct find_since **x)
{
	find_since_free(*x);
}

/* Those that run or wait: a descriptor that has ended is kept for the next one (proc.go, gfput). */
uint64_t find_goroutines(const struct snapshot *s);

/* Now the later look is there.  s NULL: one that has no heap of its own. */
void find_since_match(struct find_since *x, const struct find_process *now,
		      const struct snapshot *s);

/* The same with the later look's figures; FIND_NO_CYCLES, 0: unknown. */
void find_since_match_figures(struct find_since *x, const struct find_process *now, uint32_t cycles,
			      uint64_t total_alloc);

/* Bytes below all roots of that name (find_root_key()); false: there was none. */
bool find_since_root(const struct find_since *x, const char *key, uint64_t *ret_bytes);

/* Was there a reachable object of elem_bytes at addr?  False if it is not the same process. */
bool find_since_alive(const struct find_since *x, taddr addr, uint64_t elem_bytes);

/*
 * Is the object of the later look, by id, one that was there at the earlier one?  By its address,
 * and by the mark that the cycles between the looks left it if it is that old.
 */
bool find_since_stayed(const struct find_since *x, const struct look *l, uint64_t id);

/* What that object retained: false: it was not there, or is not one of the large ones (64 KiB). */
bool find_since_place(const struct find_since *x, taddr addr, uint64_t elem_bytes,
		      uint64_t *ret_bytes);

/* What was found under that signature: false: nothing. */
bool find_since_found(const struct find_since *x, const char *signature, uint64_t *ret_bytes,
		      uint64_t *ret_count);

/* Of a finding that one look left open: its figures of both, and what they say of it. */
struct since_case {
	uint64_t bytes, count, then_bytes, then_count;
	double survived; /* of the bytes then, how much is still there; < 0: not known */
	bool decided;	 /* verdict is enum find_verdict, and there is nothing to decide any more */
	uint8_t verdict;
	const char *line; /* why, or why not; NULL: nothing to say */
};

/* Is it a suspect of a kind that two looks can decide? */
bool find_since_is_open(const struct find_since *x, const char *kind, uint8_t verdict);
/* Then survived is wanted. */
bool find_since_grew(const struct since_case *x);
void find_since_judge(const struct find_since *since, struct since_case *x, struct keep *k);

/*
 * What hangs at a node now and hung there then: by its address, else by its root's name.
 * survived: of the bytes then, how much is still there, by samples; < 0: not known.
 */
struct find_growth {
	uint64_t then_bytes, now_bytes;
	double survived;
};
/* False: there is no earlier look, or it knows nothing of it.  Needs l.dom_first. */
bool find_growth_of(const struct find *f, gnode v, struct find_growth *ret);

/*
 * Two looks that are both kept: what of the things of one holder (IDENT_HOLDER) at the earlier look
 * is still there at the later one, by identity.  Errors: as diff_run().
 */
struct ident;
struct since_survivor {
	const char *holder;
	uint64_t then_bytes, survived_bytes, now_bytes; /* of slots */
	uint64_t largest;				/* slot now; 0: less than 4 KiB */
};
struct since_survivors {
	struct keep keep;
	VEC(struct since_survivor) v; /* ascending by holder */
};
struct err *find_since_survivors(struct ident *then, struct ident *now,
				 struct since_survivors *ret) MUST_CHECK;
/*
 * Share that survived; < 0: not known, also where one block is most of it: an array that grows by
 * append is made anew.
 */
double find_since_survived(const struct since_survivors *x, const char *holder);
void find_since_survivors_deinit(struct since_survivors *x);

#endif
