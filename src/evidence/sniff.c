/*
 * sniff.c - lines that only one kind of evidence has, behind any prefix.
 *
 * Source: runtime/traceback.go (goroutineheader), runtime/mgc.go (gcMarkTermination),
 * cmd/compile/internal/escape.  Whether such lines are whole is for who reads them.
 */
#include "evidence/sniff.h"

#include "base/mem.h"

#include <string.h>
#include <xxhash.h>

/* Longer lines are no log lines. */
#define LINE_BYTES (64U << 10)

static bool digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

static const char *past_digits(const char *p, const char *end)
{
	while (digit(p, end))
		p++;
	return p;
}

static bool at(const char *p, const char *end, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(end - p) >= n && !memcmp(p, word, n);
}

/* The word, digits, and what follows: next() says. */
static bool numbered(const char *s, size_t n, const char *word,
		     bool (*next)(const char *p, const char *end))
{
	const char *end = s + n;

	for (const char *p = s; (p = memmem(p, (size_t)(end - p), word, strlen(word))); p++) {
		const char *from = p + strlen(word), *to = past_digits(from, end);

		if (to > from && next(to, end))
			return true;
	}
	return false;
}

static bool is_state(const char *p, const char *end)
{
	return at(p, end, " [") || at(p, end, " gp=");
}

static bool is_time(const char *p, const char *end)
{
	return at(p, end, " @") && digit(p + 2, end);
}

static bool is_said(const char *p, const char *end)
{
	static const char *const words[] = { "escapes to heap", "does not escape",
					     "moved to heap: ", "leaking param",
					     "can inline ",	"inlining call to " };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (*p == ':' && memmem(p, (size_t)(end - p), words[i], strlen(words[i])))
			return true;
	return false;
}

static bool holds(const char *s, size_t n, const char *word)
{
	return memmem(s, n, word, strlen(word)) != NULL;
}

/* go vet, golangci-lint, staticcheck, SARIF: a line of each, or all of it. */
static bool is_lint(const char *s, size_t n)
{
	if (holds(s, n, "\"posn\":") || holds(s, n, "\"FromLinter\":"))
		return true;
	if (holds(s, n, "\"location\":{\"file\":"))
		return holds(s, n, "\"code\":\"");
	return holds(s, n, "\"runs\":") && (holds(s, n, "sarif") || holds(s, n, "\"2.1.0\""));
}

static unsigned kinds_of(const char *s, size_t n)
{
	unsigned k = 0;

	if (memchr(s, '"', n) && is_lint(s, n))
		return SNIFF_LINT; /* whatever its messages quote */
	if (numbered(s, n, "goroutine ", is_state) || memmem(s, n, "goroutine profile: total ", 25))
		k |= SNIFF_GOROUTINES;
	if (numbered(s, n, "gc ", is_time))
		k |= SNIFF_GCLOG;
	if (numbered(s, n, ".go:", is_said))
		k |= SNIFF_ESCAPE;
	return k;
}

struct err *sniff_sum(struct input *in, uint64_t ret[2])
{
	_cleanup_(freep) char *buf = malloc(LINE_BYTES);
	XXH3_state_t *x = XXH3_createState();
	struct err *err = buf && x ? NULL : &err_nomem;
	XXH128_hash_t h;
	size_t got = 1;

	if (!err)
		XXH3_128bits_reset(x);
	while (!err && got) {
		err = input_read(in, buf, LINE_BYTES, &got);
		if (!err)
			XXH3_128bits_update(x, buf, got);
	}
	if (!err) {
		h = XXH3_128bits_digest(x);
		ret[0] = h.low64;
		ret[1] = h.high64;
	}
	XXH3_freeState(x);
	return err;
}

struct err *sniff(struct input *in, uint64_t max_bytes, unsigned *ret)
{
	struct err *err = NULL;
	const char *line = "";
	size_t n = 0;

	*ret = 0;
	while (!err && line && *ret != SNIFF_ALL && input_offset(in) < max_bytes) {
		err = input_line(in, LINE_BYTES, &line, &n);
		if (!err && line)
			*ret |= kinds_of(line, n);
	}
	return err;
}
