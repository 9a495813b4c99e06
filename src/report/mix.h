/*
 * mix.h - private to the report room: evidence of any kind beside a look, or without one.
 *
 * First each kind says what it found itself (mix_find_*: findings of its own, where the look has
 * none of it), then each says what it knows of every finding (mix_say_*).
 *
 * RULES.  A text raises nothing to a leak: what it finds is a suspect, or what the runtime itself
 * wrote.  A piece that is of another program supports and weakens nothing, and so does one that
 * names functions none of which the look has.  What contradicts is said.  Evidence of an earlier
 * time that has less is no contradiction.
 */
#ifndef LIMPET_REPORT_MIX_H
#define LIMPET_REPORT_MIX_H

#include "evidence/pprof_graph.h"
#include "report/answer_mix.h"
#include "report/join_priv.h"

/* Of which program a piece is, by the functions that it names. */
struct mix_kin {
	const char *same; /* "yes", "no", "unknown" */
	const char *why;  /* how that is known; "" */
	bool decides;	  /* false: what it says supports and weakens nothing */
};

struct mixing {
	struct agg *a; /* without a look: its keep alone */
	struct keep *k;
	const struct report_ask *ask;
	const struct join_sites *s;
	struct ans_report *r;
	struct ans_mix *to;
	struct ans_head h;	 /* of the look; kind NULL: there is none */
	size_t looked;		 /* rows of findings that the look has */
	/* of functions of the program itself that are seen elsewhere; of main.main with its line */
	VEC(const char *) names;
	struct mix_kin *kin;	 /* by ask->joins */
};

/* A finding with all texts "", figures unknown. */
extern const struct ans_finding mix_finding;

bool mix_is_leaky(const struct ans_finding *f);	 /* leak or suspect */
bool mix_is_memory(const struct ans_finding *f); /* that, and of bytes */
/* Was it made from this piece? */
bool mix_is_own(const struct ans_finding *f, const struct join_file *from);
/* One more; says: what from says of it.  Ours now. */
struct err *mix_push(struct mixing *m, struct ans_finding *f, const struct join_file *from,
		     const char *says) MUST_CHECK;
/* "1.5 MiB", "-3 KiB" */
const char *mix_bytes(struct keep *k, double n);
const char *mix_count(struct keep *k, uint64_t n);
const char *mix_ns(struct keep *k, uint64_t ns);
const char *mix_sign(struct keep *k, const char *kind, const char *key);
const char *mix_base(const char *path);

/* Is a function the program's own, by its name: of package main or of the look's module? */
bool mix_is_own_name(const struct mixing *m, const char *function);
/* Of n names of a piece: are they those of the look? */
void mix_same(struct mixing *m, const char *const *names, size_t n, struct mix_kin *ret);
/* Every program has a main.main, but not on a line where the look has it. */
void mix_same_main(const struct mixing *m, const struct ans_frame *f, struct mix_kin *ret);
const struct mix_kin *mix_kin_of(const struct mixing *m, const struct join_file *f);
/* What a piece that decides says of a finding; of one that does not "nothing", and why. */
struct err *mix_say(const struct mixing *m, const struct join_file *from, struct ans_finding *f,
		    const char *supports, const char *says) MUST_CHECK;
struct err *mix_same_gotext(struct mixing *m, const struct join_file *f,
			    struct mix_kin *ret) MUST_CHECK;
void mix_same_profile(struct mixing *m, const struct join_file *f, struct mix_kin *ret);

struct err *mix_find_gclog(struct mixing *m, const struct join_file *f) MUST_CHECK;
struct err *mix_say_gclog(struct mixing *m, const struct join_file *f,
			  struct ans_beside *to) MUST_CHECK;
struct err *mix_find_gotext(struct mixing *m, const struct join_file *f) MUST_CHECK;
struct err *mix_say_gotext(struct mixing *m, const struct join_file *f,
			   struct ans_beside *to) MUST_CHECK;

/* Profiles, the earlier one of a kind first. */
struct mix_profile {
	const struct join_file *f;
	const struct pprof *p;
	enum mix_profile_kind {
		MIX_HEAP,
		MIX_HEAP_DELTA, /* what changed while it was taken */
		MIX_GOROUTINES,
		MIX_LEAKED, /* goroutines that the runtime found */
		MIX_WAITS,  /* mutex, block */
		MIX_CPU,
		MIX_OTHER,
	} kind;
	unsigned type;				       /* the value that is looked at */
	struct pprof_graph *lines, *functions;	       /* of it */
	struct pprof_graph *all_lines, *all_functions; /* heap: of all that was ever allocated */
	uint8_t doubt; /* 0: of the same program; 1: not known; 2: of another one */
};
struct mix_profiles {
	VEC(struct mix_profile) v;
};
void mix_profiles_deinit(struct mix_profiles *x);
struct err *mix_profiles_make(struct mixing *m, struct mix_profiles *ret) MUST_CHECK;
struct err *mix_find_profiles(struct mixing *m, const struct mix_profiles *x) MUST_CHECK;
struct err *mix_beside_profile(struct mixing *m, struct mix_profile *p,
			       struct ans_beside *to) MUST_CHECK;
struct err *mix_say_profiles(struct mixing *m, const struct mix_profiles *x) MUST_CHECK;
/* Stacks that allocated, for joiners that want them, of the latest heap profile. */
struct err *mix_sites_of_profile(struct agg *a, const struct report_ask *ask,
				 struct join_sites *ret) MUST_CHECK;

struct err *mix_missing(struct mixing *m) MUST_CHECK;

/* All of it, behind the joiners of the compiler's and the linters' reports. */
struct err *mix_all(struct agg *a, const struct report_ask *ask, const struct join_sites *s,
		    struct ans_report *r) MUST_CHECK;

#endif
