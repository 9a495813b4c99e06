/*
 * pace_line.h - what a line of a test binary's output means; private to watch/ and its tests.
 */
#ifndef LIMPET_WATCH_PACE_LINE_H
#define LIMPET_WATCH_PACE_LINE_H

#include <stdbool.h>
#include <stddef.h>

enum pace_mark {
	PACE_OTHER,
	PACE_RUN,    /* "=== RUN   TestX" */
	PACE_PASSED, /* "--- PASS: TestX (0.00s)", or SKIP */
	PACE_FAILED, /* "--- FAIL: TestX (0.00s)" */
	PACE_END     /* "PASS", "FAIL": all repetitions are over */
};

enum { PACE_NAME = 200 };

/*
 * Of n bytes that one write has or had; tests that have subtests alone, of which testing prints the
 * marks without indent, each in a write of its own (testing.go, chattyPrinter.Updatef).
 */
enum pace_mark pace_line(const char *text, size_t n, char name[static PACE_NAME]);

#endif
