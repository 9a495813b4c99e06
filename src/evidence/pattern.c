/*
 * pattern.c - PCRE2, bounded.
 *
 * Without its compiler to machine code (no memory of ours may become code).  Names that are no
 * UTF-8 are matched as far as they are.  Cost: a match is at most STEPS, all of one pattern
 * MATCH_NS of time.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "evidence/pattern.h"

#include "base/clock.h"

#include <pcre2.h>

enum { STEPS = 200000, DEPTH = 2000, HEAP_KIB = 8192, LOOK_AT_CLOCK = 64 };
#define MATCH_NS 20000000000ULL

struct pattern {
	const char *what;
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *context;
	uint64_t matches, began;
	bool given_up;
};

void pattern_free(struct pattern *p)
{
	if (!p)
		return;
	pcre2_match_context_free(p->context);
	pcre2_match_data_free(p->data);
	pcre2_code_free(p->code);
	free(p);
}

static struct err *compile(struct pattern *p, const char *text)
{
	PCRE2_UCHAR why[160];
	PCRE2_SIZE at;
	int code;

	p->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
				PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_MATCH_INVALID_UTF |
					PCRE2_NEVER_BACKSLASH_C,
				&code, &at, NULL);
	if (p->code)
		return NULL;
	pcre2_get_error_message(code, why, sizeof(why));
	return err_usage("%s %.100s: %s at byte %zu; want a regular expression", p->what, text,
			 (const char *)why, (size_t)at);
}

struct err *pattern_create(const char *what, const char *text, struct pattern **ret)
{
	_cleanup_(pattern_freep) struct pattern *p = zalloc(1, sizeof(*p));
	struct err *err;

	if (!p)
		return &err_nomem;
	p->what = what;
	if (strlen(text) > PATTERN_MAX_BYTES)
		return err_usage("%s: longer than %d bytes", what, PATTERN_MAX_BYTES);
	err = compile(p, text);
	if (err)
		return err;
	p->data = pcre2_match_data_create_from_pattern(p->code, NULL);
	p->context = pcre2_match_context_create(NULL);
	if (!p->data || !p->context)
		return &err_nomem;
	pcre2_set_match_limit(p->context, STEPS);
	pcre2_set_depth_limit(p->context, DEPTH);
	pcre2_set_heap_limit(p->context, HEAP_KIB);
	*ret = STEAL(p);
	return NULL;
}

static bool may_go_on(struct pattern *p)
{
	if (p->given_up)
		return false;
	if (!p->began)
		p->began = clock_ns();
	if (++p->matches % LOOK_AT_CLOCK == 0 && clock_ns() - p->began > MATCH_NS)
		p->given_up = true;
	return !p->given_up;
}

bool pattern_find(struct pattern *p, const char *text, size_t *ret_begin, size_t *ret_end)
{
	const PCRE2_SIZE *at;
	int n;

	if (!may_go_on(p))
		return false;
	n = pcre2_match(p->code, (PCRE2_SPTR)text, strlen(text), 0, 0, p->data, p->context);
	if (n < 0) {
		p->given_up = p->given_up || n != PCRE2_ERROR_NOMATCH;
		return false;
	}
	at = pcre2_get_ovector_pointer(p->data);
	*ret_begin = at[0];
	*ret_end = at[1];
	return true;
}

bool pattern_matches(struct pattern *p, const char *text)
{
	size_t begin, end;

	return pattern_find(p, text, &begin, &end);
}

struct err *pattern_err(const struct pattern *p)
{
	if (!p || !p->given_up)
		return NULL;
	return err_new(ERR_LIMIT,
		       "%s: the regular expression takes too long to match; a simpler "
		       "one (no repetition of repetitions)",
		       p->what);
}
