/*
 * pprof.h - a profile as values: what proto/profile.proto of github.com/google/pprof says.
 *
 * Texts are ids in the profile's own table, 0 is "".  Functions, locations, mappings are indices
 * into the arrays here; ids of a file are kept for writing it again (.id).
 * Stacks share their outer frames: each is a node of a tree, whose parent is the caller and has a
 * smaller index.  Samples are packed (some 10 bytes each), so that ten million fit into memory, and
 * are walked from the first to the last: pprof_next().  Everything is owned by the profile.
 *
 * Source: proto/profile.proto of google/pprof; runtime/pprof/protobuf.go,
 * runtime/pprof/proto.go for what Go writes.
 */
#ifndef LIMPET_EVIDENCE_PPROF_H
#define LIMPET_EVIDENCE_PPROF_H

#include "base/mem.h"
#include "evidence/input.h"

#define PPROF_NONE UINT32_MAX

enum { PPROF_TYPES_MAX = 64 }; /* values a sample */

struct pprof_type {
	uint32_t type, unit; /* texts: "inuse_space", "bytes" */
};

struct pprof_mapping {
	uint64_t id, start, limit, offset;
	uint32_t file, build_id;
	bool has_functions, has_filenames, has_lines, has_inlines;
};

struct pprof_function {
	uint64_t id;
	uint32_t name, system_name, file;
	int64_t start_line;
};

struct pprof_line {
	uint32_t function; /* PPROF_NONE: the file names none */
	int64_t line, column;
};

/* Lines: the innermost inlined function first, its caller behind it. */
struct pprof_location {
	uint64_t id, address;
	uint32_t mapping; /* PPROF_NONE */
	uint32_t first_line, nlines;
	bool folded;
};

/* A call stack: location, called from parent. */
struct pprof_stack {
	uint32_t parent; /* PPROF_NONE: the outermost */
	uint32_t location;
};

struct pprof_label {
	uint32_t key;
	uint32_t text; /* a text, or 0: num counts */
	int64_t num;
	uint32_t unit;
};

struct pprof_labels {
	uint32_t first, n; /* of labels */
};

/* How a profile was written, and so what may be said of it. */
enum pprof_form {
	PPROF_PROTO,
	PPROF_LEGACY_HEAP,	 /* "heap profile: 1: 2 [3: 4] @ heap/1048576" */
	PPROF_LEGACY_COUNT,	 /* "goroutine profile: total 7" */
	PPROF_LEGACY_CONTENTION, /* "--- mutex:" */
};

/* "# HeapAlloc = 1234" behind a legacy heap profile; lists have their newest value. */
struct pprof_memstat {
	uint32_t name; /* a text */
	int64_t value;
};

/* runtime.MemStats.PauseNs or PauseEnd: place (cycle - 1) % 256. */
struct pprof_ring {
	VEC(uint64_t) ns;
};

struct pprof {
	char *name; /* file or URL */
	uint8_t form;
	VEC(struct pprof_type) types; /* of each sample's values */
	uint32_t default_type;	      /* a text; 0 */
	struct pprof_type period_type;
	int64_t period, time_ns, duration_ns;
	uint32_t drop_frames, keep_frames, doc_url;
	VEC(uint32_t) comments;
	VEC(struct pprof_mapping) mappings;
	VEC(struct pprof_function) functions;
	VEC(struct pprof_line) lines;
	VEC(struct pprof_location) locations;
	VEC(struct pprof_stack) stacks;
	VEC(struct pprof_label) labels;
	VEC(struct pprof_labels) label_sets; /* the first is the empty one */
	uint64_t nsamples;
	uint64_t unnamed;		    /* locations that are cut off with the file's end */
	const char *damage;		    /* static text: why it may lack its end; NULL: whole */
	VEC(struct pprof_memstat) memstats; /* legacy heap: its trailer */
	struct pprof_ring pauses, pause_ends;
	struct pprof_priv *priv;
};

/* A sample, and where the walk is; zeroed before the first step. */
struct pprof_walk {
	uint32_t stack;	    /* the leaf's node; PPROF_NONE: no frames */
	uint32_t label_set; /* equal labels, equal number */
	uint32_t first_label, nlabels;
	int64_t values[PPROF_TYPES_MAX]; /* types.n of them */
	uint64_t i;			 /* its number */
	size_t at;
};
bool pprof_next(const struct pprof *p, struct pprof_walk *w);

enum pprof_keep {
	PPROF_KEEP_ALL,
	PPROF_KEEP_HEADS,  /* no samples, they are counted only: pprof_quick.h */
	PPROF_KEEP_STACKS, /* no labels: what nobody asks for takes no room */
};

/*
 * Of any form, packed or not.  Errors: BAD_DATA (no profile; the place and what is wrong), NOMEM,
 * OS. Cut short: what came before, damage says so.
 */
struct err *pprof_read(struct input *in, struct pprof **ret) MUST_CHECK;
struct err *pprof_read_some(struct input *in, enum pprof_keep keep, struct pprof **ret) MUST_CHECK;
/* Every text, function, location, mapping, label set that is equal becomes one; samples of equal
 * stack and labels are added up, those that are 0 left out.  Types that not all have are dropped
 * (ERR_UNSUPPORTED: none is left, or periods differ in what they count). */
struct err *pprof_merge(struct pprof *const *p, size_t n, struct pprof **ret) MUST_CHECK;
void pprof_free(struct pprof *p); /* NULL allowed */
static inline void pprof_freep(struct pprof **p)
{
	pprof_free(*p);
}

/* NUL-terminated, valid as long as the profile; raw: may hold anything. */
const char *pprof_text(const struct pprof *p, uint32_t id);
size_t pprof_text_len(const struct pprof *p, uint32_t id);

/*
 * Which of its values is meant by a word ("inuse_space", "space" of old ones, a number; NULL: the
 * profile's default, else the last), as pprof -sample_index.  Errors: USAGE.
 */
struct err *pprof_value_index(const struct pprof *p, const char *word, unsigned *ret) MUST_CHECK;

/*
 * Making one.  The same text, function, location, stack yields the same id.  Running out of memory
 * sets a flag that pprof_made() turns into an error: no check at each step.
 * All types before the first sample.
 */
struct err *pprof_create(const char *name, struct pprof **ret) MUST_CHECK;
uint32_t pprof_add_text(struct pprof *p, const char *s, size_t n);
static inline uint32_t pprof_add_word(struct pprof *p, const char *s)
{
	return pprof_add_text(p, s, strlen(s));
}
void pprof_add_type(struct pprof *p, const char *type, const char *unit);
uint32_t pprof_add_mapping(struct pprof *p, const struct pprof_mapping *m); /* .id is given */
uint32_t pprof_add_function(struct pprof *p, const char *name, const char *file,
			    int64_t start_line);
/* With a system name of its own; .id is given. */
uint32_t pprof_add_function_of(struct pprof *p, const struct pprof_function *f);
/* lines: the innermost first. */
uint32_t pprof_add_location(struct pprof *p, uint32_t mapping, uint64_t address,
			    const struct pprof_line *lines, size_t n);
/* locations: the leaf first; PPROF_NONE for n = 0. */
uint32_t pprof_add_stack(struct pprof *p, const uint32_t *locations, size_t n);
/* One more frame, called from parent (PPROF_NONE: the outermost). */
uint32_t pprof_add_frame(struct pprof *p, uint32_t parent, uint32_t location);
/* values: types.n of them. */
void pprof_add_sample(struct pprof *p, uint32_t stack, const int64_t *values,
		      const struct pprof_label *labels, size_t nlabels);
struct err *pprof_made(const struct pprof *p) MUST_CHECK;

/* As a file, gzip'd as Go writes it; `go tool pprof -raw` reads it without complaint. */
struct str;
struct err *pprof_write(const struct pprof *p, struct str *o) MUST_CHECK;

#endif
