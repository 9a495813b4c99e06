/*
 * answer.h - answers as values: what a renderer needs and nothing else.
 *
 * Made by agg.h from a snapshot and its graph, turned into bytes by text.h and
 * json.h.  All text is borrowed from the snapshot or from the agg's keep, and is
 * raw: it may hold anything a hostile target put there; renderers clean it.
 * Sizes are bytes, times ns.  UINT64_MAX (ANS_UNKNOWN) is "not known".
 * Arrays are owned: free with ans_*_deinit().
 */
#ifndef LIMPET_REPORT_ANSWER_H
#define LIMPET_REPORT_ANSWER_H

#include "base/addr.h"
#include "base/mem.h"

#define ANS_UNKNOWN UINT64_MAX

struct ans_loss {
	const char *what;
	uint64_t count, bytes;
};

/* What a detector cost, or why it was not asked. */
struct ans_cost {
	const char *name;
	uint64_t ns;
	const char *skipped; /* NULL: it ran */
};

/* Target, build, capture: the head of every answer. */
struct ans_head {
	const char *kind; /* "live" */
	int64_t pid;
	int64_t ns_pid; /* as it numbers itself; 0 unknown */
	/* from outside, by its cgroup: "" none or unknown */
	const char *container, *runtime, *pod, *unit;
	const char *exe, *go, *arch, *experiments;
	const char *file;	  /* "" when not from one */
	const char *of, *of_file; /* a store: what it was made of; else NULL */
	const char *const *lacks; /* what evidence of this kind never has, in words; NULL-ended */
	bool dwarf, stripped;
	bool layout_exact;
	const char *layout; /* "1.26": the table that was used */
	const char *module, *version, *revision;
	uint64_t started_unix_ns; /* 0 unknown */
	uint64_t at_unix_ns;
	const char *method; /* "fork", "freeze", "file" */
	uint64_t pause_ns;
	uint64_t fork_ns; /* of it, inside clone(2); 0: not by fork */
	/* the heap's tables; the edges of all objects; their types */
	uint64_t read_ns, extract_ns, names_ns;
	uint64_t type_conflicts; /* claims of two types for one object, settled by evidence */
	VEC(struct ans_loss) losses;
	const struct ans_cost *detectors; /* of ans_findings, which outlives it */
	size_t ndetectors;
};

/* Our graph against the collector's marks. */
struct ans_difference {
	taddr addr;
	uint64_t bytes;
	const char *side, *reason, *type;
	bool explained;
};

struct ans_exact {
	uint64_t reachable_objects, reachable_bytes;
	uint64_t gc_objects, gc_bytes;
	uint64_t missing, extra; /* missing: decided ones only */
	uint64_t undecided, garbage_since, born_since;
	uint64_t conservative_frames, typed_objects, typed_bytes;
	uint64_t spans_valid, spans_undecidable;
	uint64_t cycles;
	uint64_t counter_bytes; /* what the collector counted itself, ANS_UNKNOWN */
	const char *phase;	/* "idle", "marking", "mark termination" */
	const char *compared;	/* in words: what could be compared at that instant */
	bool second;
	bool no_marks; /* the evidence has none */
	bool holds;    /* not contradicted; nothing was compared where gc_objects is 0 */
	VEC(struct ans_difference) differences;
};

/* A pprof label of a goroutine. */
struct ans_label_pair {
	const char *key;
	const char *value; /* NULL: withheld, or left out of the core */
	bool left_out;	   /* whoever made the core took the value out */
	bool hashed;	   /* value is a hash of it */
};

struct ans_labels {
	size_t n;
	const struct ans_label_pair *v; /* of the keep, as this is */
	bool unknown;			/* this kind of evidence has none: nobody can say */
	bool lost;			/* there are some, and they could not be read */
};

/* One node on the way from a root to an object. */
struct ans_holder {
	const char *what;  /* "global", "goroutine", "object", "skipped" … */
	const char *name;  /* of a root; "" for objects */
	const char *type;  /* "" unknown */
	const char *field; /* of this node, through which the next one is held; "" unknown */
	const char *frame; /* goroutine: the function whose frame holds the next; "" */
	const char *var;   /* root: the variable that holds the next, "sess"; "" unknown */
	const char *key;   /* map-value: as a literal, or a hash of it; "" */
	const char *expr;  /* the pointer to it as a Go expression; "" none */
	taddr addr;	   /* 0 none */
	taddr at, to;	   /* where the pointer to the next lies (0: a register), and what it is */
	uint64_t bytes, retained;
	uint64_t owner_retained;	 /* in the owner's tree; 0: not asked for */
	uint64_t count;			 /* skipped, map-value: how many nodes */
	const struct ans_labels *labels; /* of a goroutine; NULL: none */
};

#define ANS_HOLDER_EMPTY                                                                           \
	{                                                                                          \
		.name = "", .type = "", .field = "", .frame = "", .var = "", .key = "", .expr = "" \
	}

struct ans_path {
	VEC(struct ans_holder) nodes;
	/* the pointer to the last node; all "" where no expression was looked for */
	const char *expression; /* as Go source says it */
	const char *dlv;	/* as dlv evaluates it on a core */
	const char *type;	/* of both; "" unknown */
	unsigned unsaid;	/* steps that dlv's language has no words for */
	const char *why_unsaid; /* the last of them, in words; "" */
	bool inside;		/* the value is the object's own memory, no pointer to it */
	taddr at, to;		/* where the value's pointer word lies, and what it is */
	uint64_t goroutine;	/* whose frame a local is looked up in; 0: none */
	unsigned frame;		/* as dlv counts */
};

struct ans_frame {
	const char *function, *file;
	int line;
	bool inlined;
};

/* Where its like were allocated: samples that end in one line of source. */
struct ans_origin_site {
	struct ans_frame frame;
	uint64_t count;
	uint32_t site; /* in the snapshot's sites: one of these */
};

/* Where an object was allocated: known if it is one of the sample, else what its like tell. */
struct ans_origin {
	bool sampled;
	bool by_code; /* not sampled: sites are the places in the program's code that make such, count
			 of each: calls */
	VEC(struct ans_frame) stack;	   /* innermost first; not sampled: of the likeliest site */
	VEC(struct ans_origin_site) sites; /* not sampled: most first */
	uint64_t of, others; /* samples that are like it; of sites that are not listed */
	const char *basis;   /* "type and holder" */
	const char *like;    /* "main.Session under main.cache" */
	const char *why;     /* "" or why nothing is known */
};

/* What rows of `top --by site` have besides; all estimates of the runtime's samples but these two.
 */
struct ans_row_site {
	uint64_t cum;		 /* allocated here or in what was called from here */
	uint64_t sampled;	 /* objects: those that are known */
	uint64_t retained_guess; /* of all, from what the sampled ones retain; ANS_UNKNOWN: they
				    nest */
	uint64_t alloc_objects, alloc_bytes; /* since the program began, dead ones too */
	const char *file;		     /* NULL: nothing was allocated by itself */
	int line;			     /* where most of it was */
	bool nested;			     /* one sampled object retains another */
};

/* The program's memory profile, in the head of what was made from it. */
struct ans_profile {
	bool known; /* it was asked for */
	bool on;
	const char *why;   /* "" or why there is none, in words */
	uint64_t rate;	   /* bytes; 0: off; ANS_UNKNOWN */
	bool rate_assumed; /* the evidence does not tell: Go's default */
	uint64_t stacks, samples;
	uint64_t alive; /* samples that are reachable */
	uint64_t bytes; /* that they stand for */
};

struct ans_row {
	const char *name;
	uint64_t count;	  /* goroutines in the group; 0: does not apply */
	uint64_t objects; /* of the group; for roots: held by it alone */
	uint64_t shallow, retained;
	uint64_t owner_retained; /* in the owner's tree, where the table has it */
	uint64_t owner_objects;	 /* roots: held by it alone there */
	struct ans_path path;	 /* to the biggest one; may be empty */
	uint32_t biggest;	 /* its graph node, or UINT32_MAX */
	bool rest;		 /* a remainder row, always last */
	uint32_t order;		 /* its place before sorting: rows may be equal but for that */
	struct ans_row_site site;
	struct ans_origin origin; /* of the object at the path's end; empty without a path */
	const struct ans_labels
		*labels; /* that all its goroutines carry; NULL: none, or not one set */
	uint64_t shared; /* by label: what no other label reaches, but goroutines without or globals
			    do */
	uint64_t label_sets; /* goroutines: that they carry, none counting as one; 0: not asked */
};

/* Which dominator trees' figures an answer has. */
enum agg_trees { AGG_TREE_EXACT = 1, AGG_TREE_OWNER = 2, AGG_TREE_BOTH = 3 };
static inline const char *ans_trees_word(unsigned trees)
{
	return trees == AGG_TREE_BOTH ? "both" : trees == AGG_TREE_OWNER ? "owner" : "exact";
}

/* A rule of the owner's tree that found something. */
struct ans_owner_rule {
	const char *name, *reason, *source;
	uint64_t edges; /* references that pass on */
};

struct ans_top {
	const char *by, *sort;
	unsigned trees; /* AGG_TREE_*: which columns of retained bytes there are */
	VEC(struct ans_owner_rule) rules;
	uint64_t total_bytes; /* reachable */
	bool focused;
	uint64_t focused_bytes; /* that --focus and --ignore leave, by the exact tree */
	uint64_t nrows;		/* before the limit */
	struct ans_profile profile;
	const char *no_labels; /* by label: why no row has one; NULL: some have */
	bool brief;	       /* as text without ways: one of several tables */
	VEC(struct ans_row) rows;
};

/* One line of the memory table. */
struct ans_mem_line {
	const char *key;  /* "heap_live" */
	const char *name; /* "Go heap, reachable" */
	const char *note; /* in words */
	int64_t bytes;	  /* negative: a correction */
	int level;	  /* indentation */
	bool summed;	  /* one of the lines that add up to rss */
};

/* rss ANS_UNKNOWN: from a file, which cannot tell; what only RSS could tell is unknown too. */
struct ans_memory {
	uint64_t sys; /* what the lines add up to where there is no RSS; 0: nothing */
	uint64_t rss, heap_live, heap_garbage, heap_free, heap_released;
	uint64_t stacks, runtime, off_heap, files, thread_stacks, globals;
	int64_t heap_absent; /* Go heap pages that count as used and are not resident */
	int64_t unexplained;
	VEC(struct ans_mem_line) lines;
};

struct ans_cut {
	struct ans_holder from, to;
	uint64_t bytes, objects;
	bool found;
};

struct ans_why_item {
	const char *asked;
	struct ans_holder what;
	bool reachable;
	const char *note; /* "" or why there is no path */
	VEC(struct ans_path) paths;
	struct ans_path owner; /* the shortest in the owner's graph; empty: not asked for */
	uint64_t independent;
	bool capped; /* independent is a lower bound */
	struct ans_cut cut;
	struct ans_origin origin;
};

struct ans_why {
	const char *asked; /* first of nasked */
	size_t nasked;
	uint64_t matches; /* objects of those types, reachable */
	VEC(struct ans_why_item) items;
};

enum { ANS_VALUES_NONE, ANS_VALUES_HASH, ANS_VALUES_FULL };

struct ans_field {
	uint64_t offset;
	const char *name, *type;
	const char *value; /* NULL: withheld or unreadable */
	taddr to;	   /* object or symbol that it points at, 0 none */
	const char *to_type;
};

/*
 * A value and what it is made of: nodes in the order of source, children behind their parent,
 * one deeper.
 */
enum ans_label { ANS_LABEL_NONE, ANS_LABEL_FIELD, ANS_LABEL_INDEX, ANS_LABEL_KEY, ANS_LABEL_WORD };

struct ans_value {
	unsigned depth;
	uint8_t label;	  /* enum ans_label: how name is to be read */
	bool map_entry;	  /* its first child is the key, its second the element */
	uint8_t kind;	  /* enum go_kind of type; 0 unknown */
	const char *name; /* "buf", "3", "private" */
	const char *type; /* "" unknown */
	const char *text; /* of a scalar, a string, an address; NULL: withheld */
	const char *note; /* in words: "cycle: back to …"; "" */
	uint64_t offset;  /* in the object, the variable or the box that it lies in */
	uint64_t bytes;
	taddr at;	   /* where it lies; 0: nowhere */
	taddr to;	   /* what it points to; 0: nothing */
	uint64_t len, cap; /* ANS_UNKNOWN: does not apply */
	uint64_t more;	   /* children that are not shown */
	const char *facts; /* of a container: "len 3, slots 8"; "" */
};

struct ans_ref {
	struct ans_holder node;
};

struct ans_object {
	taddr addr, asked;
	uint64_t bytes, retained;
	const char *type, *type_from;
	unsigned span_class;
	bool noscan, allocated, marked, reached, values_shown;
	bool no_marks;			 /* the evidence has none */
	const char *marks;		 /* what the mark bit means */
	const char *what, *name;	 /* "object"; "global" and "goroutine" have a name */
	const struct ans_labels *labels; /* of a goroutine; NULL: none */
	const char *inside;		 /* the field at the asked address: ".buf[3]"; "" */
	VEC(struct ans_value) values;
	const uint8_t *raw; /* the bytes asked for with --raw, of the keep; NULL */
	bool raw_withheld;  /* they are values, and those are not shown */
	size_t nraw;
	VEC(struct ans_field) fields;
	uint64_t nfields;
	VEC(struct ans_ref) referrers;
	uint64_t nreferrers;
	VEC(struct ans_ref) references;
	uint64_t nreferences;
	struct ans_origin origin;
};

struct ans_tree_node {
	unsigned depth;
	struct ans_holder node;
	uint64_t shallow, retained;
	uint64_t owner_retained, owner_hidden_bytes; /* where the answer has that tree */
	uint64_t hidden; /* children of the parent that are not shown, on their last sibling's line;
			    0 */
	uint64_t hidden_bytes;
};

struct ans_tree {
	uint64_t total_bytes;
	unsigned trees; /* AGG_TREE_*; the owner's alone: it is the one that is shown */
	VEC(struct ans_tree_node) nodes;
};

struct ans_goroutine {
	size_t index; /* in the snapshot's */
	uint64_t id, parent_id;
	const char *state, *wait; /* "waiting", "chan receive" */
	uint64_t since_ns;	  /* at least so long; ANS_UNKNOWN */
	const char *function, *creator;
	struct ans_frame created_at;
	uint64_t retained, stack_bytes;
	int64_t thread;			 /* -1 none */
	const struct ans_labels *labels; /* NULL: none */
	bool system;
	const char *leaked;	     /* "proved", "suspect", "no"; NULL: the evidence cannot tell */
	size_t first_frame, nframes; /* in ans_goroutines.frames */
	size_t first_wait, nwaits;   /* in ans_goroutines.waits */
	uint64_t freed;		     /* with all leaked ones of its stack: at one of them, else 0 */
};

/* What a goroutine waits for: "channel", "mutex" … */
struct ans_wait {
	const char *what;
	uint64_t addr;
};

struct ans_group {
	const char *name;
	uint64_t count, stack_bytes;
	uint64_t retained; /* the sum of what each alone retains; by label what all do together */
	uint64_t max_since_ns;
	const struct ans_labels *labels; /* by label: the group's; else NULL */
	size_t example;			 /* index in gs */
	size_t first_member, nmembers;
	uint64_t proved, suspect; /* leaked ones among them */
	uint64_t freed; /* heap that would go with the proved ones; each byte counts once */
};

struct ans_goroutines {
	VEC(struct ans_goroutine) gs;
	VEC(struct ans_frame) frames;
	VEC(struct ans_group) groups; /* only when asked */
	VEC(size_t) members;	      /* of groups: indices in gs */
	VEC(struct ans_wait) waits;
	uint64_t total, retained_total;
	uint64_t proved, suspect;		 /* of all, leaked */
	uint64_t freed_bytes, freed_stack_bytes; /* that would go with the proved ones */
	const char *unproved; /* a loss that keeps proofs from being made; NULL: none */
	bool leaked_known, leaked_only;
	const char *group_by; /* NULL: a list */
};

/* A goroutine at a lock. */
struct ans_locker {
	uint64_t id;
	const char *function, *state, *wait; /* what it was started with; as of goroutines */
	uint64_t since_ns;		     /* at least so long; ANS_UNKNOWN */
	const char *how;		     /* "lock", "rlock", "wait" */
	struct ans_frame at; /* where it waits; where the holder's function stands */
	int locked_line;     /* holder: of that function; 0 unknown */
	const char *sure;    /* holder: "deferred unlock", "inside", "maybe"; "" */
	taddr waits_on;	     /* holder: the lock that it waits for; 0 */
};

struct ans_lock {
	taddr addr;
	const char *word, *name; /* "sync.Mutex"; "main.theStore.mu" */
	struct ans_path holder;	 /* to the object that it lies in; may be empty */
	const char *field;	 /* in it: ".mu" */
	bool known, locked, woken, starving, writer_waits, is_rw, searched;
	uint64_t queued, readers;
	uint64_t nwaiters, oldest_ns;
	size_t first_waiter, shown_waiters; /* in ans_locks.lockers */
	size_t first_holder, nholders;
	uint64_t deadlock; /* number of the cycle that it is part of; 0 */
};

struct ans_locks {
	VEC(struct ans_lock) locks;
	VEC(struct ans_locker) lockers;
	uint64_t total, waiters, deadlocks;
	uint64_t unknown; /* goroutines whose lock could not be found */
};

/* Lines of source around one, below the folder of --source. */
struct ans_source {
	const char *what;  /* "allocated", "blocked" */
	const char *file;  /* below that folder; NULL: not there */
	const char *owner; /* by CODEOWNERS; "" nobody */
	int line, first;
	const char *text[5];
	size_t n;
};

/* A limit: of an instance, of the process. */
struct ans_setting {
	const char *name;
	uint8_t form; /* enum go_fact_form: NUMBER, SIGNED, BYTES, BOOL, NS */
	int64_t value;
	bool unset;	     /* zero: the default, mostly none */
	const char *meaning; /* of that, or of the value; "" */
};

enum { ANS_SETTINGS = 8 };

/* A server, a client, a pool: what it is set to and what hangs on it. */
struct ans_limited {
	const char *type, *name; /* "net/http.Server"; "main.client" */
	taddr addr;
	struct ans_path holder;
	const char *field;
	struct ans_setting settings[ANS_SETTINGS];
	size_t nsettings;
	uint64_t conns, idle, open_bodies, dropped, waiting, headers, serving, waited, oldest_ns;
	const char *says; /* what of this matters now, in words; "" */
};

struct ans_audit {
	VEC(struct ans_setting) process;
	VEC(struct ans_limited) rows;
	uint64_t total; /* before the limit */
};

/* What other evidence says of a finding. */
struct ans_evidence {
	const char *from;     /* "escape.txt" */
	const char *says;
	const char *supports; /* "yes", "no", "nothing" */
};

/* One finding, contract section 4; words by find/find.h. */
struct ans_finding {
	const char *kind, *verdict, *proof, *title, *type, *signature;
	const char *fix, *mitigate, *decide, *confirm, *detail; /* "" none */
	uint64_t bytes, objects, stack_bytes;
	bool unmeasured; /* the evidence knows no bytes: those above mean nothing */
	uint64_t owner_bytes; /* in the owner's tree; ANS_UNKNOWN: not asked for */
	uint64_t count;
	const char *holder_text; /* who holds it, as Go says it: "main.cache"; "" nobody known */
	const char *site_text;	 /* "main.newSession (session.go:41)"; "" unknown */
	struct ans_path holder;	 /* may be empty */
	struct ans_cut cut;	 /* objects: ANS_UNKNOWN where not counted */
	struct ans_origin origin;
	const char *known; /* "" or the line that once silenced it, in words: its day is over */
	/* with an earlier look */
	bool fresh, then_known;
	uint64_t then_bytes, then_count;
	int64_t per_gc, per_hour; /* bytes; INT64_MIN unknown */
	bool has_goroutine;	  /* the group's example */
	struct {
		uint64_t id, count, since_ns;
		const char *function, *creator, *wait;
	} goroutine;
	VEC(struct ans_frame) stack; /* of that goroutine, innermost first */
	size_t own_frame;	     /* in stack: the first that is the program's own */
	VEC(struct ans_source) source;
	VEC(struct ans_evidence) evidence; /* of files beside the target (join.h) */
};

/* A finding that is not shown, and by whose wish. */
struct ans_ignored {
	const char *kind, *verdict, *title, *signature;
	const char *by;	 /* "--ignore", "limpet.conf:3" */
	const char *why; /* the reason that stands there */
	uint64_t bytes;
};

struct ans_findings {
	VEC(struct ans_ignored) ignored;
	VEC(struct ans_finding) rows;
	uint64_t total; /* before the limit */
	size_t counts[4][3]; /* of all: enum find_verdict by enum find_proof */
	const char *first_leak; /* kind of the first one; NULL: none */
	uint64_t first_leak_bytes;
	VEC(struct ans_cost) detectors;
};

/* What an earlier look is compared with, and where it leads. */
struct ans_since {
	const char *file; /* NULL: there was none */
	const char *same; /* "process", "program", "other" */
	const char *why;  /* it is not the same process, in words; "" */
	uint64_t at_unix_ns, ns;
	uint32_t cycles;
	uint64_t then_bytes, now_bytes; /* reachable */
	uint64_t then_goroutines, now_goroutines;
	int64_t per_gc, per_hour; /* bytes; INT64_MIN unknown */
	/* what is reached first if it goes on so; "" none */
	const char *limit_name;
	uint64_t limit, used;
	uint64_t soonest_ns, latest_ns; /* from now */
};

/*
 * Objects of one type that one root alone holds through one field: where a look tells apart what
 * grows.  The largest, and all with many objects.
 */
struct ans_place {
	const char *type, *holder, *field; /* as store/objects.h has them */
	uint64_t objects, bytes;
	uint64_t retained; /* each byte once */
	taddr example;	   /* that retains most */
	struct ans_path path;
	VEC(struct ans_frame) stack; /* where most of those that were sampled were allocated */
	uint64_t sampled, there; /* sampled ones; those of that stack */
	uint64_t calls; /* none was sampled: calls in the code that make such, the stack is the
			 * first's; 0: not known */
};

struct ans_places {
	VEC(struct ans_place) v;
	uint64_t total; /* before they were cut */
};

/* The report: all of the above that it needs. */
struct ans_report {
	struct ans_since since;
	struct ans_head head;
	struct ans_exact exact;
	struct ans_memory memory;
	struct ans_findings findings;
	struct ans_top by_root, by_type, by_goroutine;
	struct ans_top by_label; /* no rows: no goroutine carries one */
	struct ans_top by_site;
	/* of files beside the target, in their order (answer_escape.h); NULL, 0: none */
	struct ans_joined *joined;
	size_t njoined;
	struct ans_mix *mix; /* what they are (answer_mix.h); NULL: none */
};

void ans_head_deinit(struct ans_head *a);
void ans_exact_deinit(struct ans_exact *a);
void ans_path_deinit(struct ans_path *a);
void ans_top_deinit(struct ans_top *a);
void ans_memory_deinit(struct ans_memory *a);
void ans_why_deinit(struct ans_why *a);
void ans_origin_deinit(struct ans_origin *a);
void ans_object_deinit(struct ans_object *a);
void ans_tree_deinit(struct ans_tree *a);
void ans_goroutines_deinit(struct ans_goroutines *a);
void ans_audit_deinit(struct ans_audit *a);
void ans_locks_deinit(struct ans_locks *a);
void ans_finding_deinit(struct ans_finding *a);
void ans_findings_limit(struct ans_findings *a, size_t n); /* the first n rows stay */
void ans_findings_deinit(struct ans_findings *a);
void ans_places_deinit(struct ans_places *a);
void ans_report_deinit(struct ans_report *a);

#endif
