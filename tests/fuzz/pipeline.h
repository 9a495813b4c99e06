/*
 * pipeline.h - all that limpet does with a target, in one call, for the hostile tests.
 *
 * Opens, snapshots, builds the graph, verifies, aggregates, renders to memory and throws the
 * bytes away; checks on the way that errors are one clear line, JSON parses and text holds no
 * control bytes.
 */
#ifndef LIMPET_TESTS_FUZZ_PIPELINE_H
#define LIMPET_TESTS_FUZZ_PIPELINE_H

#include "snapshot/snapshot.h"

enum pipeline_phase { PHASE_OPEN, PHASE_SNAPSHOT, PHASE_GRAPH, PHASE_ANSWERS, PHASES };

struct pipeline {
	struct target *t; /* borrowed; not closed */
	unsigned nthreads;
	uint64_t seed; /* which objects are asked about */
	/* Both may be NULL. */
	void (*phase)(void *arg, enum pipeline_phase p);
	void (*look)(void *arg, const struct snapshot *s);
	void *arg;
	/* out */
	enum pipeline_phase reached;
	uint64_t nanswers;  /* that were rendered */
	uint64_t nrefusals; /* that were refused with an error */
};

/* Aborts with a message when an answer or an error is malformed. */
struct err *pipeline_run(struct pipeline *p) MUST_CHECK;

/* Aborts unless it is one clear line. */
void pipeline_check_error(const struct err *e);

#endif
