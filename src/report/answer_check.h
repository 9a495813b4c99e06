/*
 * answer_check.h - what `limpet check` found, as values: for text, JSON, JUnit, SARIF, annotations.
 *
 * The way of an answer: the rounds fill it, known_check() and baseline_apply() mark what is known,
 * check_places() says where files lie in the repository, check_out.h turns it into bytes.
 */
#ifndef LIMPET_REPORT_ANSWER_CHECK_H
#define LIMPET_REPORT_ANSWER_CHECK_H

#include "base/keep.h"
#include "report/answer.h"

/* A thing that stayed, or a limit that was passed.  Texts of whoever made it, never NULL. */
struct ans_check_row {
	const char *kind;    /* contract, section 5; "limit" */
	const char *verdict; /* "leak", "suspect", "limit" */
	const char *proof;   /* "proved", "measured", "inferred" */
	const char *title, *why, *fix, *signature;
	const char *type, *holder;
	struct ans_frame at; /* the line to look at: allocation, or where a goroutine is stuck; line
				0: unknown */
	/* set by check_places(): at.file below the folder of the source, as the repository has it;
	 * NULL, "": not there */
	const char *uri;
	int uri_line;
	VEC(struct ans_frame) stack;
	struct ans_path path;
	uint64_t objects, bytes; /* that stayed */
	double per_round_objects, per_round_bytes;
	unsigned sure; /* permille */
	bool known;    /* in the baseline, or the known findings: does not fail */
	const char
		*known_by; /* "limpet-baseline.json, 2026-11-22", "limpet.conf:3 ticket 7"; NULL */
};

struct ans_check_round {
	uint64_t at_ns; /* since the start */
	uint64_t load_ns;
	uint64_t live_bytes, live_objects, goroutines, rss;
	uint64_t alloc_bytes, allocs, cycles, gc_cpu_ns, pause_ns; /* in this round; ANS_UNKNOWN */
	uint64_t look_pause_ns; /* how long the program stood still for the look */
	bool warm_up;
};

/* A figure that has a limit, or a baseline. */
struct ans_check_limit {
	const char *name, *unit;       /* "alloc-rate", "bytes/round" */
	double value, baseline, limit; /* NaN: none */
	bool broken;
};

enum ans_check_result {
	CHECK_PASSED,
	CHECK_FAILED,  /* memory or goroutines stay, a limit is broken */
	CHECK_UNSURE,  /* neither can be said in the time that there was: fails too, says so */
	CHECK_BROKEN,  /* the program did not do its part: crashed, never ready, load failed */
	CHECK_SKIPPED, /* there was nothing to check: a package without tests */
	CHECK_RESULTS
};

/* One program, one package, one test. */
struct ans_check {
	const char *name;   /* "./server", "example/pkg", "TestX" */
	const char *suite;  /* package of a test; "" */
	uint8_t result;	    /* enum ans_check_result */
	const char *why;    /* one line, in words */
	const char *output; /* last lines of what it printed, where it is broken; "" */
	int exit_status;    /* of the program, -1: it was ended by us */
	uint8_t code;	    /* broken: what `check` exits with, by the contract: 3, 4, 5 */
	uint64_t ns;
	unsigned sure;	       /* permille */
	unsigned rounds, more; /* taken; that would be needed to be sure */
	VEC(struct ans_check_row) rows;
	VEC(struct ans_check_round) round;
	VEC(struct ans_check_limit) limits;
};

/* A finding of the baseline that is not there any more. */
struct ans_check_gone {
	const char *program, *test, *signature, *kind, *title;
};

struct ans_checks {
	struct keep keep; /* texts made behind the checks: places, reasons */
	VEC(struct ans_check) v;
	const char *command; /* for the heads of files */
	uint64_t started_unix_ns;
	const char *baseline; /* the file; "" none */
	bool baseline_written;
	VEC(struct ans_check_gone) gone;
};

/* "passed", "failed", "unsure", "broken", "skipped" */
const char *ans_check_word(uint8_t result);
/* The worst of all: of none CHECK_PASSED. */
uint8_t ans_checks_result(const struct ans_checks *a);
/* A row of a package that one of its tests has as well: said there, with the test's name. */
bool ans_check_told(const struct ans_checks *a, const struct ans_check *c,
		    const struct ans_check_row *r);
/*
 * Rows were marked as known: a check that failed for these alone has passed, and says so.  Rows
 * that are new and limits that are broken fail it as before.
 */
void ans_check_conclude(struct ans_checks *a, struct ans_check *c);

void ans_check_deinit(struct ans_check *a);
void ans_checks_deinit(struct ans_checks *a);

#endif
