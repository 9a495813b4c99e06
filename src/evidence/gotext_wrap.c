/*
 * gotext_wrap.c - out of a line of a log what the program itself wrote: prefixes, JSON and logfmt,
 * one in the other, and colours.
 *
 * What stands around is learnt where a dump's form is sure, at a goroutine's header and the head of
 * a profile, and taken off the lines that follow as far as it fits.  Knows nothing of stacks.
 * Cost: a search a line, one pass for each layer.
 */
#include "evidence/gotext_priv.h"

enum { DEPTH_MAX = GOTEXT_LAYERS }; /* texts in quotes in texts in quotes */

static void one_line(struct gotext *g, struct bit line, unsigned depth);

/* A text with lines of its own, out of quotes: complete in itself. */
static void inner_text(struct gotext *g, struct bit text, unsigned depth)
{
	struct gotext_reader *r = g->r;

	gotext_close_goroutine(g);
	r->breaks = true;
	r->soft = false;
	r->wrap = (struct gotext_wrap){ 0 };
	while (text.n) {
		const char *nl = memchr(text.s, '\n', text.n);
		struct bit line = { text.s, nl ? (size_t)(nl - text.s) : text.n };

		text = bit_from(text, line.n + 1);
		one_line(g, line, depth);
	}
	gotext_close_goroutine(g);
	r->where = AT_NOTHING;
	r->breaks = true;
	r->soft = false;
	r->wrap = (struct gotext_wrap){ 0 };
}

static struct bit trim_ends(struct bit p)
{
	while (p.n && (p.s[p.n - 1] == '\n' || p.s[p.n - 1] == '\r'))
		p.n--;
	return p;
}

/* Written to out, which may be where the text is. */
static struct bit unwrap(struct bit text, char quote, char *out)
{
	struct bit p = { out, gotext_unquote(text, quote, out) };

	if (p.n && memchr(p.s, '\033', p.n))
		p.n = gotext_uncolour(p, out);
	return p;
}

/* Where the quoted text begins that has the byte at: its quote; SIZE_MAX: none. */
static size_t quote_before(struct bit raw, size_t h)
{
	while (h-- > 0)
		if ((raw.s[h] == '"' || raw.s[h] == '\'' || raw.s[h] == '`') &&
		    (!h || raw.s[h - 1] != '\\'))
			return h;
	return SIZE_MAX;
}

/* "…\n": the end of its line is written out, whatever the text is of. */
static bool loose_text(struct gotext *g, struct bit raw, const struct gotext_anchor *a,
		       unsigned depth)
{
	size_t from = quote_before(raw, a->at);
	struct bit in = bit_from(raw, from == SIZE_MAX ? a->at : from + 1), text;
	struct bit rest = bit_from(raw, a->profile ? a->at : a->header.end);
	_cleanup_(freep) char *out = NULL;

	if (a->profile) { /* its number comes last */
		while (rest.n && rest.s[0] != '\\' && rest.s[0] != '"')
			rest = bit_from(rest, 1);
	}
	if (!bit_starts(rest, "\\n") && !bit_starts(rest, "\\r") && !bit_starts(rest, "\\u000a"))
		return false;
	out = malloc(in.n + 1);
	if (!out) {
		g->r->all->nomem = true;
		return true;
	}
	text = unwrap(in, from == SIZE_MAX ? '\0' : raw.s[from], out);
	if (!memchr(trim_ends(text).s, '\n', trim_ends(text).n))
		return false;
	inner_text(g, text, depth + 1);
	return true;
}

/* Time of the line, if it begins with one: dumps of runtime.Stack have none of their own. */
static void note_time(struct gotext_reader *r, struct bit raw)
{
	const struct gotext_prefix *p = &r->wrap.prefix;
	size_t at = raw.n && raw.s[0] == '[' ? 1 : 0, n = 0;
	uint64_t ns;
	uint32_t flags;

	if (p->time_n && raw.n > p->time_at)
		n = gotext_time(bit_from(raw, p->time_at), &ns, &flags);
	if (!n)
		n = gotext_time(bit_from(raw, at), &ns, &flags);
	if (!n)
		return;
	r->timed = true;
	r->time_ns = ns;
	r->time_flags = flags;
}

/* "time":"2026-…", "ts":1767323045.2: in a line of JSON. */
static void note_json_time(struct gotext_reader *r, struct bit raw)
{
	static const char *const keys[] = { "\"time\":", "\"ts\":", "\"timestamp\":",
					    "\"@timestamp\":", "\"t\":" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *k = memmem(raw.s, raw.n, keys[i], strlen(keys[i]));
		struct bit v;
		uint64_t ns;
		uint32_t flags = 0;

		if (!k)
			continue;
		v = bit_trim(bit_from(raw, (size_t)(k - raw.s) + strlen(keys[i])));
		if (v.n && v.s[0] == '"')
			v = bit_from(v, 1);
		if (!gotext_time(v, &ns, &flags)) {
			/* seconds, since 2001 and of ten digits */
			if (bit_number(v, &ns) != 10)
				continue;
			ns *= 1000000000U;
		}
		r->timed = true;
		r->time_ns = ns;
		r->time_flags = flags;
		return;
	}
}

static bool learn_field(struct gotext_wrap *w, const struct gotext_field *f)
{
	if (w->n == GOTEXT_LAYERS || f->key.n > sizeof(w->layer[0].key))
		return false;
	memcpy(w->layer[w->n].key, f->key.s, f->key.n);
	w->layer[w->n].n = f->key.n;
	w->layer[w->n].json = f->json;
	w->n++;
	return true;
}

static void anchor_line(struct gotext *g, struct bit line, const struct gotext_anchor *a,
			unsigned depth);

/* A dump, or its first line, is the value of a field: false: it is not. */
static bool field_text(struct gotext *g, struct bit line, const struct gotext_anchor *a,
		       unsigned depth)
{
	_cleanup_(freep) char *out = NULL;
	struct gotext_anchor inner;
	struct gotext_field f;
	struct bit text;

	if (!a->at || depth >= DEPTH_MAX || !gotext_field_at(line, a->at, &f))
		return false;
	out = malloc(f.value.n + 1);
	if (!out) {
		g->r->all->nomem = true;
		return true;
	}
	text = unwrap(f.value, '"', out);
	if (memchr(trim_ends(text).s, '\n', trim_ends(text).n)) {
		inner_text(g, text, depth + 1);
		return true;
	}
	text = trim_ends(text);
	if (!gotext_anchor(text, &inner) || !learn_field(&g->r->wrap, &f))
		return false;
	anchor_line(g, text, &inner, depth + 1);
	return true;
}

static void anchor_line(struct gotext *g, struct bit line, const struct gotext_anchor *a,
			unsigned depth)
{
	struct gotext_reader *r = g->r;

	if (memchr(line.s, '{', a->at))
		note_json_time(r, line);
	if (field_text(g, line, a, depth))
		return;
	if (depth < DEPTH_MAX && loose_text(g, line, a, depth))
		return;
	gotext_prefix_learn(&r->wrap.prefix, (struct bit){ line.s, a->at });
	note_time(r, line);
	gotext_begin(g, a);
}

/* Without the fields and the prefix that were learnt; what has them not is as it is. */
static struct bit peel(struct gotext *g, struct bit line)
{
	struct gotext_reader *r = g->r;
	const struct gotext_wrap *w = &r->wrap;
	char *at = NULL;

	for (size_t i = 0; i < w->n; i++) {
		struct bit key = { w->layer[i].key, w->layer[i].n };
		struct gotext_field f;

		if (!gotext_field_named(line, key, w->layer[i].json, &f))
			return trim_ends(line);
		line = f.value;
		if (!f.quoted)
			continue;
		/* a text in a text lies in scratch already, and becomes shorter where it is */
		if (!at && !vec_reserve(&r->all->scratch, f.value.n + 1)) {
			r->all->nomem = true;
			return (struct bit){ line.s, 0 };
		}
		at = at ? at + (f.value.s - at) : r->all->scratch.v;
		line = unwrap(f.value, '"', at);
	}
	line = trim_ends(line);
	return bit_from(line, gotext_prefix_skip(&w->prefix, line));
}

/* A header that a panic's message has in it: a line of the message, and no more. */
static bool said_line(struct gotext *g, struct bit line)
{
	struct bit text = peel(g, line);
	struct gotext_anchor a;

	if (!gotext_anchor(text, &a) || !gotext_is_said(g, text, &a))
		return false;
	gotext_content_plain(g, text);
	return true;
}

static void one_line(struct gotext *g, struct bit line, unsigned depth)
{
	struct gotext_reader *r = g->r;
	struct gotext_anchor a;
	struct bit text;

	if (gotext_anchor(line, &a)) {
		if (a.at && said_line(g, line))
			return;
		r->wrap.n = 0;
		anchor_line(g, line, &a, depth);
		return;
	}
	if (!depth)
		note_time(r, line);
	text = peel(g, line);
	if (!r->wrap.n) { /* nothing was unquoted: there is no anchor still */
		gotext_content_plain(g, text);
		return;
	}
	do {
		const char *nl = text.n ? memchr(text.s, '\n', text.n) : NULL;
		struct bit part = { text.s, nl ? (size_t)(nl - text.s) : text.n };

		text = bit_from(text, part.n + 1);
		gotext_content(g, part);
	} while (text.n);
}

/* Colours are of a terminal. */
static bool uncoloured(struct gotext *g, struct bit *line)
{
	struct gotext_reader *r = g->r;

	if (!line->n || !memchr(line->s, '\033', line->n))
		return true;
	if (!vec_reserve(&r->all->plain_line, line->n)) {
		r->all->nomem = true;
		return false;
	}
	*line = (struct bit){ r->all->plain_line.v, gotext_uncolour(*line, r->all->plain_line.v) };
	return true;
}

static void whole_line(struct gotext *g, struct bit line)
{
	struct bit own = line;

	if (!uncoloured(g, &own))
		return;
	line = own;
	if (!gotext_stream_of(g, &own))
		return;
	if (own.s != line.s)
		note_time(g->r, line);
	one_line(g, own, 0);
}

void gotext_line(struct gotext *g, struct bit raw)
{
	g->r->all->line++;
	g->lines++;
	if (gotext_join(g, &raw))
		whole_line(g, raw);
}

void gotext_lines_end(struct gotext *g)
{
	struct bit rest;

	while (gotext_join_rest(g, &rest))
		whole_line(g, rest);
}

bool gotext_sniff(const char *text, size_t n)
{
	struct bit all = { text, n };

	while (all.n) {
		const char *nl = memchr(all.s, '\n', all.n);
		struct bit line = { all.s, nl ? (size_t)(nl - all.s) : all.n };
		struct gotext_anchor a;

		if (gotext_anchor(line, &a))
			return true;
		all = bit_from(all, line.n + 1);
	}
	return false;
}
