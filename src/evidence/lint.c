/*
 * lint.c - JSON of linters as rows.
 *
 * Documents may follow each other, with other lines between ("# package" of go vet, what a build
 * says): from each "{" or "[" at the beginning of a line one is read as far as it goes.  jansson
 * reads; a document is held whole, so input is limited.  Cost: about ten times the input.
 */
#include "evidence/lint.h"

#include <jansson.h>

enum { BYTES_MAX = 128 << 20, ROWS_MAX = 4 << 20, TEXT_MAX = 1000, CHUNK = 1 << 20, TRIES = 32, BACK = 64 << 10 };

struct maker {
	struct lint *l;
	const char *cut; /* the document that is cut, up to what is whole inside it; NULL */
	size_t ncut;
	bool full;
};

static void jsonp(json_t **j)
{
	json_decref(*j);
}

void lint_free(struct lint *l)
{
	if (!l)
		return;
	free(l->name);
	words_deinit(&l->words);
	vec_free(&l->rows);
	free(l);
}

const char *lint_text(const struct lint *l, uint32_t id)
{
	return words_of(&l->words, id);
}

static uint32_t word(struct lint *l, const char *s)
{
	return s ? words_add(&l->words, s, MIN(strlen(s), (size_t)TEXT_MAX)) : 0;
}

static const char *text_at(const json_t *j, const char *key)
{
	return json_string_value(json_object_get(j, key));
}

static int number_at(const json_t *j, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(j, key));

	return n > 0 && n < 1000000000 ? (int)n : 0;
}

static void add(struct maker *m, struct lint_row r)
{
	struct lint *l = m->l;

	if (!r.file || l->rows.n >= ROWS_MAX)
		return;
	r.leak = lint_rule_named(lint_text(l, r.rule));
	r.count = 1;
	if (!vec_push(&l->rows, r))
		m->full = true;
}

/* "/a/b.go:12:3" */
static void take_posn(struct lint *l, const char *posn, struct lint_row *r)
{
	const char *dot = posn ? strstr(posn, ".go:") : NULL;
	char *end;

	if (!dot)
		return;
	r->file = words_add(&l->words, posn, (size_t)(dot + 3 - posn));
	r->line = (int)MIN(strtoul(dot + 4, &end, 10), 999999999UL);
	if (*end == ':')
		r->column = (int)MIN(strtoul(end + 1, NULL, 10), 999999999UL);
}

/* {"rule": [{"posn":…,"message":…}]} of one package */
static bool take_vet_rules(struct maker *m, uint32_t package, const json_t *of)
{
	struct lint_row r = { .package = package, .tool = word(m->l, "go vet") };
	const char *rule;
	json_t *list, *x;
	bool any = false;
	size_t i;

	json_object_foreach((json_t *)(uintptr_t)of, rule, list)
	{
		r.rule = word(m->l, rule);
		json_array_foreach(list, i, x)
		{
			r.file = 0;
			take_posn(m->l, text_at(x, "posn"), &r);
			r.message = word(m->l, text_at(x, "message"));
			add(m, r);
			any |= r.file != 0;
		}
		any |= json_object_get(list, "error") != NULL;
	}
	return any;
}

/* cmd/vendor/golang.org/x/tools/go/analysis/unitchecker: {"package": {"rule": [{…}]}} */
static bool take_vet(struct maker *m, const json_t *doc)
{
	const char *package;
	json_t *of;
	bool any = take_vet_rules(m, 0, doc); /* what a cut has left of one */

	json_object_foreach((json_t *)(uintptr_t)doc, package, of)
	{
		uint32_t name = words_add(&m->l->words, package, strcspn(package, " "));

		any |= json_is_object(of) &&
		       (!json_object_size(of) || take_vet_rules(m, name, of));
	}
	return any;
}

/* {"code":"SA1015","location":{"file":…,"line":…,"column":…},"message":…} */
static bool take_staticcheck(struct maker *m, const json_t *doc)
{
	const json_t *at = json_object_get(doc, "location");
	struct lint_row r = { 0 };

	if (!text_at(doc, "code") || !text_at(at, "file"))
		return false;
	r.tool = word(m->l, "staticcheck");
	r.rule = word(m->l, text_at(doc, "code"));
	r.message = word(m->l, text_at(doc, "message"));
	r.file = word(m->l, text_at(at, "file"));
	r.line = number_at(at, "line");
	r.column = number_at(at, "column");
	add(m, r);
	return true;
}

/* govet, gosec, staticcheck … say their own rule first: "SA1015: …", "lostcancel: …" */
static void own_rule(struct lint *l, const char *linter, const char *text, struct lint_row *r)
{
	size_t n = text ? strcspn(text, ": ") : 0;

	r->rule = word(l, linter);
	if (!n || n > 24 || text[n] != ':' || lint_rule_named(linter))
		return;
	r->rule = words_add(&l->words, text, n);
	text += n + 1;
	r->message = word(l, text + strspn(text, " "));
}

static bool take_issue(struct maker *m, const json_t *x)
{
	const json_t *at = json_object_get(x, "Pos");
	const char *linter = text_at(x, "FromLinter"), *text = text_at(x, "Text");
	struct lint_row r = { 0 };

	if (!linter || !at)
		return false;
	r.tool = word(m->l, "golangci-lint");
	r.message = word(m->l, text);
	own_rule(m->l, linter, text, &r);
	r.file = word(m->l, text_at(at, "Filename"));
	r.line = number_at(at, "Line");
	r.column = number_at(at, "Column");
	add(m, r);
	return true;
}

/* golangci-lint 1 and 2 (pkg/result/issue.go): {"Issues":[{"FromLinter":…,"Text":…,"Pos":{…}}]} */
static bool take_golangci(struct maker *m, const json_t *doc)
{
	const json_t *issues = json_object_get(doc, "Issues"), *x;
	size_t i;

	if (!issues || (!json_is_array(issues) && !json_is_null(issues)))
		return take_issue(m, doc);
	json_array_foreach(issues, i, x) take_issue(m, x);
	return true;
}

static const json_t *at_index(const json_t *list, const json_t *index)
{
	json_int_t n = json_is_integer(index) ? json_integer_value(index) : -1;

	return n >= 0 ? json_array_get(list, (size_t)n) : NULL;
}

/* 3.27.5 to 3.27.7: by its name, or by its place among those of the driver or of an extension. */
static const char *rule_of(const json_t *run, const json_t *x)
{
	const json_t *ref = json_object_get(x, "rule"), *tool = json_object_get(run, "tool");
	const json_t *index = json_object_get(ref, "index");
	const json_t *of = at_index(
		json_object_get(tool, "extensions"),
		json_object_get(json_object_get(ref, "toolComponent"), "index"));
	const char *id = text_at(x, "ruleId");

	id = id ? id : text_at(ref, "id");
	if (id)
		return id;
	of = of ? of : json_object_get(tool, "driver");
	index = index ? index : json_object_get(x, "ruleIndex");
	id = text_at(at_index(json_object_get(of, "rules"), index), "id");
	return id ? id : "";
}

/* "file:///a/b%20c.go"; a byte that no path has stays as it is written. */
static uint32_t file_of_uri(struct lint *l, const char *uri)
{
	char buf[TEXT_MAX];
	size_t n = 0;

	if (!uri)
		return 0;
	uri += strncmp(uri, "file://", 7) ? 0 : 7;
	for (; *uri && n < sizeof(buf); uri++) {
		char hex[3] = { uri[0] == '%' ? uri[1] : 0, uri[1] ? uri[2] : 0, 0 };
		unsigned long c = strspn(hex, "0123456789abcdefABCDEF") == 2 ? strtoul(hex, NULL, 16)
									      : 0;

		buf[n++] = c ? (char)c : *uri;
		uri += c ? 2 : 0;
	}
	return words_add(&l->words, buf, n);
}

/* 3.4.5: the place itself, or that of one of the run's artifacts. */
static const char *uri_of(const json_t *run, const json_t *at)
{
	const char *uri = text_at(at, "uri");

	return uri ? uri
		   : text_at(json_object_get(at_index(json_object_get(run, "artifacts"),
						      json_object_get(at, "index")),
					     "location"),
			     "uri");
}

/* run NULL: it was cut. */
static void take_result(struct maker *m, const json_t *run, uint32_t tool, const json_t *x)
{
	const json_t *at = json_object_get(json_array_get(json_object_get(x, "locations"), 0),
					   "physicalLocation");
	const json_t *region = json_object_get(at, "region");
	const char *text = text_at(json_object_get(x, "message"), "text");
	struct lint_row r = { .tool = tool };

	r.message = word(m->l, text);
	own_rule(m->l, rule_of(run, x), text, &r);
	r.file = file_of_uri(m->l, uri_of(run, json_object_get(at, "artifactLocation")));
	r.line = number_at(region, "startLine");
	r.column = number_at(region, "startColumn");
	add(m, r);
}

/* SARIF 2.1.0 */
static bool take_sarif(struct maker *m, const json_t *doc)
{
	const json_t *runs = json_object_get(doc, "runs"), *run, *x;
	size_t i, k;

	if (!json_is_array(runs))
		return false;
	json_array_foreach(runs, i, run)
	{
		const json_t *driver = json_object_get(json_object_get(run, "tool"), "driver");
		uint32_t tool = word(m->l, text_at(driver, "name"));

		json_array_foreach(json_object_get(run, "results"), k, x)
			take_result(m, run, tool, x);
	}
	return true;
}

/* "lostcancel": [{…}, {…}, — of a document that is cut: the rule of what is whole in the list. */
static uint32_t rule_before(struct maker *m)
{
	size_t least = m->ncut > BACK ? m->ncut - BACK : 0;

	for (size_t i = m->ncut; i > least + 3; i--) {
		const char *end = m->cut + i, *name;

		if (end[-1] != '[')
			continue;
		for (end--; end > m->cut && strchr(" \t\r\n", end[-1]); end--)
			;
		if (end - m->cut < 3 || end[-1] != ':' || end[-2] != '"')
			continue;
		end -= 2;
		name = memrchr(m->cut, '"', (size_t)(end - m->cut));
		return name ? words_add(&m->l->words, name + 1, (size_t)(end - name) - 1) : 0;
	}
	return 0;
}

/* A warning of go vet or a result of SARIF, whose document is cut. */
static bool take_inside(struct maker *m, const json_t *x)
{
	struct lint_row r = { .tool = word(m->l, "go vet") };

	if (json_object_get(x, "locations") &&
	    (text_at(x, "ruleId") || json_object_get(x, "rule") || json_object_get(x, "ruleIndex"))) {
		take_result(m, NULL, 0, x);
		m->l->forms |= LINT_SARIF;
		return true;
	}
	if (!text_at(x, "posn") || !text_at(x, "message"))
		return false;
	take_posn(m->l, text_at(x, "posn"), &r);
	r.message = word(m->l, text_at(x, "message"));
	r.rule = rule_before(m);
	add(m, r);
	m->l->forms |= LINT_VET;
	return true;
}

static void take(struct maker *m, const json_t *doc)
{
	static const struct {
		bool (*take)(struct maker *m, const json_t *doc);
		uint8_t form;
	} forms[] = { { take_golangci, LINT_GOLANGCI },
		      { take_sarif, LINT_SARIF },
		      { take_staticcheck, LINT_STATICCHECK },
		      { take_vet, LINT_VET } };
	const json_t *x;
	size_t i;

	if (json_is_array(doc)) {
		json_array_foreach(doc, i, x) if (json_is_object(x)) m->l->forms |=
			take_staticcheck(m, x) ? LINT_STATICCHECK : 0;
		return;
	}
	if (m->cut && take_inside(m, doc))
		return;
	for (i = 0; i < ARRAY_LEN(forms); i++)
		if (forms[i].take(m, doc)) {
			m->l->forms |= forms[i].form;
			return;
		}
	/* go vet of a package without a warning: {} or {"p": {}} */
	m->l->forms |= m->cut || json_object_size(doc) ? 0 : LINT_VET;
}

/* A document at s, of which there are n bytes; its length, 0: it is none that is whole. */
static size_t take_one(struct maker *m, const char *s, size_t n)
{
	json_error_t bad;
	_cleanup_(jsonp) json_t *j = json_loadb(s, n, JSON_DISABLE_EOF_CHECK, &bad);

	if (!j)
		return 0;
	take(m, j);
	return MAX((size_t)bad.position, (size_t)1);
}

/* Documents one behind the other.  Of one that is cut what is whole inside it is taken. */
static void take_all(struct maker *m, const char *s, size_t n)
{
	unsigned tries = TRIES;
	bool inside = false;

	for (size_t at = 0, k; at < n && !m->full; at += k) {
		bool begins = s[at] == '{' || (s[at] == '[' && !inside);
		const char *nl;

		m->cut = inside ? s : NULL;
		m->ncut = at;
		k = begins && tries ? take_one(m, s + at, n - at) : 0;
		if (!k && s[at] == '{' && tries) {
			m->l->damage = "a document of JSON is damaged or cut short";
			tries--;
			inside = true;
		}
		if (k || inside) {
			k += !k;
			k += strcspn(s + at + k, inside ? "{" : "{[\n");
			k += !inside && s[at + k] == '\n';
			continue;
		}
		nl = memchr(s + at, '\n', n - at);
		k = nl ? (size_t)(nl - s) + 1 - at : n - at;
	}
}

static int by_u32(uint32_t x, uint32_t y)
{
	return (x > y) - (x < y);
}

static int by_row(const void *a, const void *b)
{
	const struct lint_row *x = a, *y = b;
	int c = (x->leak == NULL) - (y->leak == NULL);

	c = c ? c : by_u32(x->file, y->file);
	c = c ? c : (x->line > y->line) - (x->line < y->line);
	c = c ? c : (x->column > y->column) - (x->column < y->column);
	c = c ? c : by_u32(x->rule, y->rule);
	return c ? c : by_u32(x->message, y->message);
}

/* A package and its test variant say the same. */
static void merge(struct lint *l)
{
	size_t n = 0;

	if (l->rows.n)
		qsort(l->rows.v, l->rows.n, sizeof(l->rows.v[0]), by_row);
	for (size_t i = 0; i < l->rows.n; i++) {
		if (n && !by_row(&l->rows.v[n - 1], &l->rows.v[i]))
			l->rows.v[n - 1].count++;
		else
			l->rows.v[n++] = l->rows.v[i];
	}
	l->rows.n = n;
	for (size_t i = 0; i < n; i++)
		l->about_leaks += l->rows.v[i].leak != NULL;
}

static struct err *read_whole(struct input *in, char **ret, size_t *ret_n)
{
	VEC(char) all = { 0 };
	struct err *err = NULL;
	size_t got = 1;

	while (!err && got) {
		if (all.n > BYTES_MAX)
			err = err_new(
				ERR_LIMIT,
				"%.200s: more than %d MB of a linter's report: give it in parts",
				input_name(in), BYTES_MAX >> 20);
		else if (!vec_reserve(&all, all.n + CHUNK + 1))
			err = &err_nomem;
		else
			err = input_read(in, all.v + all.n, CHUNK, &got);
		all.n += err ? 0 : got;
	}
	if (err) {
		vec_free(&all);
		return err;
	}
	all.v[all.n] = 0;
	*ret = all.v;
	*ret_n = all.n;
	return NULL;
}

struct err *lint_read(struct input *in, struct lint **ret)
{
	_cleanup_(lint_freep) struct lint *l = zalloc(1, sizeof(*l));
	_cleanup_(freep) char *text = NULL;
	struct maker m = { .l = l };
	size_t n = 0;
	struct err *err = l ? read_whole(in, &text, &n) : &err_nomem;

	if (err)
		return err;
	l->name = strdup(input_name(in));
	if (!l->name)
		return &err_nomem;
	take_all(&m, text, n);
	if (m.full)
		return &err_nomem;
	if (!l->forms && !l->rows.n)
		return err_bad_data(
			"%.200s: no JSON of go vet, staticcheck, golangci-lint or SARIF in "
			"it%s",
			l->name, l->damage ? " that is whole" : "");
	merge(l);
	if (input_damage(in))
		l->damage = input_damage(in);
	err = words_err(&l->words);
	if (!err)
		*ret = STEAL(l);
	return err;
}
