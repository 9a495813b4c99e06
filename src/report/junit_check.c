/*
 * junit_check.c - a check as JUnit XML, as Jenkins' xunit plugin defines it (junit-10.xsd).
 *
 * A testsuite a program or package, a testcase a program or test.  failure: something stays, or a
 * limit is passed; its type is that of the first finding, or "unsure".  error: the program did not
 * do its part.  XML 1.0 has no way to say a control character: what text_clean() writes is kept.
 */
#include "report/check_out.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* Clean text: '\n' and '\t' are all that is left of the control characters. */
static void put_escaped(struct str *o, const char *s)
{
	for (; *s; s++) {
		if (*s == '&')
			str_put(o, "&amp;");
		else if (*s == '<')
			str_put(o, "&lt;");
		else if (*s == '>')
			str_put(o, "&gt;");
		else if (*s == '"')
			str_put(o, "&quot;");
		else if (!strncmp(s, "\xef\xbf\xbe", 3) || !strncmp(s, "\xef\xbf\xbf", 3)) {
			str_put(o, "?"); /* U+FFFE, U+FFFF: valid UTF-8 and no XML */
			s += 2;
		} else {
			str_putn(o, s, 1);
		}
	}
}

static void put_text(struct str *o, const char *raw)
{
	_cleanup_(str_deinit) struct str clean = { 0 };

	text_clean(&clean, raw);
	put_escaped(o, str_ok(&clean) ? clean.s : "");
}

static void put_attr(struct str *o, const char *key, const char *raw)
{
	str_printf(o, " %s=\"", key);
	put_text(o, raw);
	str_put(o, "\"");
}

/* Its last three digits are all that the schema allows. */
static void put_time(struct str *o, uint64_t ns)
{
	str_printf(o, " time=\"%" PRIu64 ".%03u\"", ns / 1000000000,
		   (unsigned)(ns / 1000000 % 1000));
}

static bool fails(const struct ans_check *c)
{
	return c->result == CHECK_FAILED || c->result == CHECK_UNSURE;
}

static const char *suite_of(const struct ans_check *c)
{
	return c->suite && *c->suite ? c->suite : c->name;
}

static const char *type_of(const struct ans_check *c)
{
	if (c->result == CHECK_UNSURE)
		return "unsure";
	for (size_t i = 0; i < c->rows.n; i++)
		if (!c->rows.v[i].known)
			return c->rows.v[i].kind;
	return "limit";
}

/* What the text says of one check. */
static void put_body(struct str *o, const struct ans_check *c)
{
	_cleanup_(str_deinit) struct str text = { 0 };
	struct ans_checks one = { .baseline = "" };

	one.v.v = (struct ans_check *)c;
	one.v.n = 1;
	text_check(&text, TEXT_PLAIN, &one);
	put_escaped(o, str_ok(&text) ? text.s : "");
}

static void put_case(struct str *o, const struct ans_check *c)
{
	str_put(o, "    <testcase");
	put_attr(o, "name", c->name);
	put_attr(o, "classname", suite_of(c));
	put_time(o, c->ns);
	str_put(o, ">\n");
	if (fails(c) || c->result == CHECK_BROKEN) {
		str_printf(o, "      <%s", fails(c) ? "failure" : "error");
		put_attr(o, "type", fails(c) ? type_of(c) : "broken");
		put_attr(o, "message", c->why);
		str_put(o, ">");
		put_body(o, c);
		str_printf(o, "</%s>\n", fails(c) ? "failure" : "error");
	} else if (c->result == CHECK_SKIPPED) {
		str_put(o, "      <skipped");
		put_attr(o, "message", c->why);
		str_put(o, "/>\n");
	} else {
		str_put(o, "      <system-out>");
		put_body(o, c);
		str_put(o, "</system-out>\n");
	}
	str_put(o, "    </testcase>\n");
}

static void put_property(struct str *o, const char *test, const char *key, uint64_t value)
{
	if (value == ANS_UNKNOWN)
		return;
	str_put(o, "      <property name=\"");
	if (test) {
		put_text(o, test);
		str_put(o, ".");
	}
	str_printf(o, "%s\" value=\"%" PRIu64 "\"/>\n", key, value);
}

/* Properties belong to a suite: those of its tests carry their names. */
static void put_properties(struct str *o, const struct ans_check *c, size_t n)
{
	str_put(o, "    <properties>\n      <property name=\"limpet\" value=\"" LIMPET_VERSION
		   "\"/>\n");
	for (size_t i = 0; i < n; i++) {
		const char *test = n > 1 ? c[i].name : NULL;
		const struct ans_check_round *r =
			c[i].round.n ? &c[i].round.v[c[i].round.n - 1] : NULL;

		put_property(o, test, "rounds", c[i].rounds);
		put_property(o, test, "sure-permille", c[i].sure);
		if (!r)
			continue;
		put_property(o, test, "live-bytes", r->live_bytes);
		put_property(o, test, "goroutines", r->goroutines);
		put_property(o, test, "allocated-bytes-last-round", r->alloc_bytes);
		put_property(o, test, "gc-cycles-last-round", r->cycles);
	}
	str_put(o, "    </properties>\n");
}

struct counts {
	size_t tests, failures, errors, skipped;
	uint64_t ns;
};

static struct counts count(const struct ans_check *c, size_t n)
{
	struct counts x = { .tests = n };

	for (size_t i = 0; i < n; i++) {
		x.failures += fails(&c[i]);
		x.errors += c[i].result == CHECK_BROKEN;
		x.skipped += c[i].result == CHECK_SKIPPED;
		x.ns += c[i].ns;
	}
	return x;
}

static void put_timestamp(struct str *o, uint64_t unix_ns)
{
	time_t s = (time_t)(unix_ns / 1000000000);
	struct tm tm;
	char buf[40];

	if (unix_ns && gmtime_r(&s, &tm) && strftime(buf, sizeof(buf), "%Y-%m-%dT%H:%M:%S", &tm))
		str_printf(o, " timestamp=\"%s\"", buf);
}

static void put_suite(struct str *o, const struct ans_checks *a, size_t from, size_t n)
{
	const struct ans_check *c = &a->v.v[from];
	struct counts x = count(c, n);

	str_put(o, "  <testsuite");
	put_attr(o, "name", suite_of(c));
	str_printf(o, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"", x.tests,
		   x.failures, x.errors, x.skipped);
	put_time(o, x.ns);
	put_timestamp(o, a->started_unix_ns);
	str_put(o, ">\n");
	put_properties(o, c, n);
	for (size_t i = 0; i < n; i++)
		put_case(o, &c[i]);
	str_put(o, "  </testsuite>\n");
}

void junit_check(struct str *o, const struct ans_checks *a)
{
	struct counts x = count(a->v.v, a->v.n);
	size_t n;

	str_printf(
		o,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites name=\"limpet check\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\"",
		x.tests, x.failures, x.errors);
	put_time(o, x.ns);
	str_put(o, ">\n");
	for (size_t i = 0; i < a->v.n; i += n) {
		for (n = 1; i + n < a->v.n; n++)
			if (strcmp(suite_of(&a->v.v[i]), suite_of(&a->v.v[i + n])) != 0)
				break;
		put_suite(o, a, i, n);
	}
	str_put(o, "</testsuites>\n");
}
