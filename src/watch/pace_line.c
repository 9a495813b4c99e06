/*
 * pace_line.c - marks in the output of a test binary with -test.v.
 */
#include "watch/pace_line.h"

#include "base/mem.h"

static const struct {
	const char *begin;
	enum pace_mark mark;
	char end; /* of the name */
} marks[] = {
	{ "=== RUN   ", PACE_RUN, '\n' },
	{ "--- PASS: ", PACE_PASSED, ' ' },
	{ "--- SKIP: ", PACE_PASSED, ' ' },
	{ "--- FAIL: ", PACE_FAILED, ' ' },
};

static bool is_last(const char *text, size_t n)
{
	return n >= 5 && (!memcmp(text, "PASS\n", 5) || !memcmp(text, "FAIL\n", 5));
}

enum pace_mark pace_line(const char *text, size_t n, char name[static PACE_NAME])
{
	*name = 0;
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		size_t k = strlen(marks[i].begin);
		const char *end;

		if (n <= k || memcmp(text, marks[i].begin, k) != 0)
			continue;
		end = memchr(text + k, marks[i].end, n - k);
		if (!end || end - (text + k) >= PACE_NAME)
			return PACE_OTHER;
		memcpy(name, text + k, (size_t)(end - (text + k)));
		name[end - (text + k)] = 0;
		/* a subtest's: its test has not ended */
		return strchr(name, '/') ? PACE_OTHER : marks[i].mark;
	}
	return is_last(text, n) ? PACE_END : PACE_OTHER;
}
