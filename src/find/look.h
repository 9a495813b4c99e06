/*
 * look.h - what detectors ask of snapshot and graph: containers by their facts, objects by
 * their type, places by their kind, owners, names.
 *
 * Knows no finding.  All that is read may be a lie; who reads a container that does not hold
 * together gets facts.bad, no error.  Texts are of the keep.
 */
#ifndef LIMPET_FIND_LOOK_H
#define LIMPET_FIND_LOOK_H

#include "base/keep.h"
#include "graph/graph.h"
#include "snapshot/look.h"

struct look_index;

/* All borrowed.  g has reached, idom and retained. */
struct look {
	struct snapshot *s;
	struct graph *g;
	unsigned nthreads;
	struct keep *keep;
	struct look_index *index; /* NULL: nothing is kept from one question to the next */
	/* children of v in the dominator tree, ascending: dom_child[dom_first[v]] ..
	 * dom_child[dom_first[v + 1] - 1]; NULL: not made */
	const uint32_t *dom_first;
	const gnode *dom_child;
};

/* Made by the first who asks; for one thread. */
struct look_index *look_index_create(void);
void look_index_free(struct look_index *x);

/* What is reachable of one type; the objects lie between these two ids. */
struct look_type {
	uint64_t objects, bytes;
	uint64_t first, last;
};

/* By index in s->types, s->types.n of them; borrowed from the index, which must be there. */
struct err *look_types(const struct look *l, const struct look_type **ret) MUST_CHECK;

/*
 * All reachable objects of types whose want[] (by index in s->types) is set, in order of
 * address.  Costs nothing where there are none; a pass over a part of the heap where there are
 * many.
 */
typedef struct err *look_id_fn(const struct look *l, void *arg, uint64_t id);
struct err *look_each_of(const struct look *l, const uint8_t *want, look_id_fn *fn,
			 void *arg) MUST_CHECK;

static inline bool look_reached(const struct look *l, uint64_t id)
{
	return id < l->s->heap.nobjects && graph_reached(l->g, graph_node_of_object(l->g, id));
}

/* Node of the object at an address; GRAPH_NONE: none, or not reachable. */
gnode look_node_at(const struct look *l, taddr addr);

/* Facts of one container, by name (goruntime/cont.h). */
enum { LOOK_FACTS = 24 };
struct look_facts {
	struct go_fact v[LOOK_FACTS];
	unsigned n;
	bool bad; /* what was read does not hold together: the facts are not all there */
};

/* Errors: NOMEM, GONE. */
struct err *look_facts_read(const struct look *l, struct go_io *io, struct go_place p,
			    struct look_facts *ret) MUST_CHECK;
uint64_t look_fact(const struct look_facts *f, const char *name, uint64_t otherwise);

/* All reachable objects that are containers of that word (go_cont_word): struct values, not maps.
 */
typedef struct err *look_object_fn(const struct look *l, void *arg, uint64_t id, struct go_place p);
struct err *look_objects_of(const struct look *l, const char *word, look_object_fn *fn,
			    void *arg) MUST_CHECK;

/* Name of the function that a func value at fn runs; of a pc.  "" unknown. */
const char *look_func_name(const struct look *l, taddr fn);
const char *look_pc_name(const struct look *l, taddr pc);

/* The root that dominates v, 1 .. nroots; 0: several roots hold it; GRAPH_NONE: unreachable. */
gnode look_owner(const struct look *l, gnode v);
/* Its name; "(several roots)"; "". */
const char *look_owner_name(const struct look *l, gnode v);
/* Type of an object in words, of the keep; "" for roots and unknown ones. */
const char *look_type_name(const struct look *l, gnode v);

/* Root r (0 .. nroots - 1) in a sentence: "main.cache", "the global that main.f uses". */
const char *look_root_text(const struct look *l, uint32_t r);
/* "main.Session.buf", "main.cache": where a place lies (struct snap_place); of the keep. */
const char *look_place_name(const struct look *l, uint64_t object, uint64_t off, uint32_t var);
/*
 * The place at an address in what holds it: ".mu", "[3].mu", "" it is all of it; names, NULL-ended,
 * are the types that end the way.  *ret_owner: the object's type in words, or a global's name; ""
 * unknown.  Of the keep.
 */
const char *look_field_of(const struct look *l, taddr at, const char *const *names,
			  const char **ret_owner);
/* The same of a pointer that lies at an address. */
const char *look_field_to_place(const struct look *l, taddr at, const char **ret_owner);

#endif
