/*
 * unclosed.h - the parts of unclosed-resource; private to it.
 */
#ifndef LIMPET_FIND_UNCLOSED_H
#define LIMPET_FIND_UNCLOSED_H

#include "find/look_limits.h"
#include "find/priv.h"

/* unclosed_body.c: answers whose Body was not closed */
struct err *unclosed_bodies(struct find *f, const struct look_limits *x) MUST_CHECK;
/* unclosed_transport.c: Transports that only their own connections hold */
struct err *unclosed_transports(struct find *f, const struct look_limits *x) MUST_CHECK;
/* unclosed_db.c: rows, transactions, connections that were not given back */
struct err *unclosed_rows(struct find *f, const struct look_limits *x) MUST_CHECK;
/* unclosed_files.c: files and sockets */
struct err *unclosed_files(struct find *f) MUST_CHECK;

static inline struct finding unclosed_begin(uint8_t verdict, uint8_t proof)
{
	return (struct finding){
		.kind = "unclosed-resource",
		.verdict = verdict,
		.proof = proof,
		.node = GRAPH_NONE,
		.goroutine = FIND_NO_GOROUTINE,
	};
}

/* What is reached of an object, and its first byte with its type. */
static inline struct go_place unclosed_place(const struct look *l, uint64_t id)
{
	const struct snapshot *s = l->s;
	taddr at = go_heap_address(&s->heap, id, NULL);
	const struct go_span *sp = go_heap_span_at(&s->heap, at);

	return (struct go_place){ at + (sp ? go_span_header(sp) : 0),
				  go_type_at(s->rtypes, s->types.v[s->type_of[id]].rtype) };
}

#endif
