/*
 * escape_json.c - lines of -json=0,DIR: a header for each source file, then LSP diagnostics.
 *
 * Of these only "escape" (older: "escapes") and "leak" are about escaping; their explanation is
 * in relatedInformation.  jansson does the reading; a line at a time.
 * Source: cmd/compile/internal/logopt/log_opts.go.
 */
#include "evidence/escape_priv.h"

#include <jansson.h>

static void jsonp(json_t **j)
{
	json_decref(*j);
}

static struct piece text_of(const json_t *j)
{
	const char *s = json_string_value(j);

	return piece_of(s ? s : "");
}

static int number_of(const json_t *j)
{
	json_int_t n = json_integer_value(j);

	return n > 0 && n < 1000000000 ? (int)n : 0;
}

static void place_of(const json_t *range, int *ret_line, int *ret_column)
{
	const json_t *start = json_object_get(range, "start");

	*ret_line = number_of(json_object_get(start, "line"));
	*ret_column = number_of(json_object_get(start, "character"));
}

/* "file:///a/b%20c.go": the escapes are undone. */
static uint32_t file_of(struct escape *e, struct piece uri)
{
	char buf[4096];
	size_t n = 0;

	piece_skip(&uri, "file://");
	for (size_t i = 0; i < uri.n && n < sizeof(buf); i++) {
		unsigned c = 0;

		if (uri.s[i] == '%' && i + 2 < uri.n &&
		    strspn(uri.s + i + 1, "0123456789abcdefABCDEF") >= 2) {
			char hex[3] = { uri.s[i + 1], uri.s[i + 2], 0 };

			c = (unsigned)strtoul(hex, NULL, 16);
			i += 2;
		} else {
			c = (unsigned char)uri.s[i];
		}
		buf[n++] = (char)c;
	}
	return escape_word(e, (struct piece){ buf, n });
}

/* Where an inlined callee really stands; the last one is the innermost. */
static void take_inlined(struct escape_maker *m, const json_t *location)
{
	struct escape_row *r = m->open ? &m->e->rows.v[m->open - 1] : NULL;

	if (!r || r->nsteps)
		return;
	place_of(json_object_get(location, "range"), &r->from_line, &r->from_column);
	r->from_file = file_of(m->e, text_of(json_object_get(location, "uri")));
}

static struct err *take_related(struct escape_maker *m, const json_t *list)
{
	struct err *err = NULL;
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n && !err; i++) {
		const json_t *x = json_array_get(list, i);
		const json_t *at = json_object_get(x, "location");
		struct piece p = text_of(json_object_get(x, "message"));
		struct escape_step s = { 0 };

		if (piece_skip(&p, "inlineLoc")) {
			take_inlined(m, at);
			continue;
		}
		if (!piece_skip(&p, "escflow:"))
			continue;
		while (piece_skip(&p, " "))
			;
		s.flow = piece_skip(&p, "flow: ");
		if (s.flow)
			piece_chop(&p, ":");
		else
			piece_skip(&p, "from ");
		place_of(json_object_get(at, "range"), &s.line, &s.column);
		s.file = file_of(m->e, text_of(json_object_get(at, "uri")));
		s.text = escape_word(m->e, p);
		err = escape_step_add(m, s);
	}
	return err;
}

static void take_header(struct escape_maker *m, const json_t *j)
{
	struct piece go = text_of(json_object_get(j, "gc_version"));

	m->package = escape_word(m->e, text_of(json_object_get(j, "package")));
	m->file = escape_word(m->e, text_of(json_object_get(j, "file")));
	if (go.n)
		m->e->go = escape_word(m->e, go);
	m->e->forms |= ESCAPE_JSON;
	m->open = 0;
}

/* Folders that were too large to be read whole say so in a line of ours (base/files_folder.c). */
static bool take_cut(struct escape_maker *m, const json_t *j)
{
	if (!json_is_true(json_object_get(j, "limpet-cut")))
		return false;
	m->e->damage = "the folder holds more than limpet reads at once";
	return true;
}

static struct err *take_diagnostic(struct escape_maker *m, const json_t *j)
{
	struct escape_row r = { .package = m->package, .file = m->file, .level = -1 };
	struct piece code = text_of(json_object_get(j, "code"));
	struct piece msg = text_of(json_object_get(j, "message"));
	char line[ESCAPE_TEXT_MAX * 2];
	struct err *err;
	bool known;

	m->e->lines++;
	if (!piece_skip(&code, "escape") && !piece_skip(&code, "leak")) {
		m->e->other++;
		return NULL;
	}
	place_of(json_object_get(j, "range"), &r.line, &r.column);
	if (!msg.n) /* the final word on what was explained already */
		return NULL;
	/* as -m=2 says it, so that one place knows the words */
	int n = snprintf(line, sizeof(line), "%.*s:", (int)MIN(msg.n, sizeof(line) - 2), msg.s);

	err = escape_message(m, r, (struct piece){ line, (size_t)n }, &known);
	if (err || !m->open)
		return err;
	return take_related(m, json_object_get(j, "relatedInformation"));
}

struct err *escape_json_line(struct escape_maker *m, struct piece line)
{
	_cleanup_(jsonp) json_t *j = json_loadb(line.s, line.n, 0, NULL);

	if (!json_is_object(j)) {
		/* a linter's, in a log that holds both, stands on many lines */
		if (m->e->forms & ESCAPE_JSON || piece_skip(&line, "{\"version\":"))
			m->e->damage = "a line of JSON is damaged or cut short";
		return NULL;
	}
	if (take_cut(m, j))
		return NULL;
	if (json_object_get(j, "version") && json_object_get(j, "package")) {
		take_header(m, j);
		return words_err(&m->e->words);
	}
	return m->file && json_object_get(j, "code") ? take_diagnostic(m, j) : NULL;
}
