/*
 * gotext_field.c - texts in quotes that have a name, as loggers write them: JSON and logfmt; and
 * the colours of terminals.
 *
 * No parser of JSON: what stands between two quotes is a text, what stands before a colon its name,
 * at any depth.  Of a name that comes twice the first one is meant.  Cost: one pass.
 */
#include "evidence/gotext.h"
#include "evidence/gotext_line.h"

enum { KEY_MAX = 128 };

/* The quote that ends the text which begins at; p.n: it has no end. */
static size_t text_end(struct bit p, size_t at)
{
	while (at < p.n && p.s[at] != '"')
		at += p.s[at] == '\\' ? 2 : 1;
	return MIN(at, p.n);
}

static size_t skip_blanks(struct bit p, size_t at)
{
	while (at < p.n && (p.s[at] == ' ' || p.s[at] == '\t'))
		at++;
	return at;
}

/* Is there a colon, and what belongs to it, from at on?  Where its value begins; 0: no. */
static size_t colon(struct bit p, size_t at)
{
	at = skip_blanks(p, at);
	return at < p.n && p.s[at] == ':' ? skip_blanks(p, at + 1) : 0;
}

/* The word that ends with the "=" at end: of logfmt a name. */
static struct bit word_before(struct bit p, size_t end)
{
	size_t from = end;

	while (from && end - from <= KEY_MAX && p.s[from - 1] != ' ' && p.s[from - 1] != '\t' &&
	       p.s[from - 1] != '"')
		from--;
	return (struct bit){ p.s + from, end - from };
}

/* The next text, from *at on, and its name if it has one; *at is behind it.  False: no more. */
static bool next_field(struct bit p, size_t *at, struct bit *last, struct gotext_field *ret)
{
	const char *quote = *at < p.n ? memchr(p.s + *at, '"', p.n - *at) : NULL;
	size_t from, to, of_colon;

	if (!quote)
		return false;
	from = (size_t)(quote - p.s) + 1;
	to = text_end(p, from);
	*ret = (struct gotext_field){ .value = { p.s + from, to - from }, .quoted = true };
	of_colon = last->s ? colon(p, (size_t)(last->s - p.s) + last->n + 1) : 0;
	if (of_colon && of_colon == from - 1) {
		ret->json = true;
		ret->key = *last;
	} else if (from > 1 && p.s[from - 2] == '=') {
		ret->key = word_before(p, from - 2);
	}
	*last = ret->value;
	*at = to + 1;
	return true;
}

bool gotext_field_at(struct bit line, size_t at, struct gotext_field *ret)
{
	size_t from = 0;
	struct bit last = { 0 };

	while (from <= at && next_field(line, &from, &last, ret))
		if (at >= (size_t)(ret->value.s - line.s) && at < from)
			return ret->key.n > 0;
	return false;
}

/* msg=main.main(): no quotes where nothing asks for them. */
static bool bare_field(struct bit line, struct bit key, struct gotext_field *ret)
{
	for (size_t from = 0; from + key.n < line.n;) {
		const char *k = memmem(line.s + from, line.n - from, key.s, key.n), *end;
		size_t at = k ? (size_t)(k - line.s) : 0;
		struct bit v;

		if (!k)
			return false;
		from = at + key.n;
		if ((at && line.s[at - 1] != ' ') || from >= line.n || line.s[from] != '=')
			continue;
		v = bit_from(line, from + 1);
		ret->quoted = v.n && v.s[0] == '"';
		v = bit_from(v, ret->quoted);
		end = v.n ? memchr(v.s, ' ', v.n) : NULL;
		v.n = ret->quoted ? text_end(v, 0) : end ? (size_t)(end - v.s) : v.n;
		ret->key = key;
		ret->value = v;
		ret->json = false;
		return true;
	}
	return false;
}

bool gotext_field_named(struct bit line, struct bit key, bool json, struct gotext_field *ret)
{
	size_t from = 0;
	struct bit last = { 0 };

	if (!json)
		return bare_field(line, key, ret);
	while (next_field(line, &from, &last, ret))
		if (ret->json && ret->key.n == key.n && !memcmp(ret->key.s, key.s, key.n))
			return true;
	return false;
}

size_t gotext_uncolour(struct bit in, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < in.n; i++) {
		if (in.s[i] != '\033' || i + 1 >= in.n || in.s[i + 1] != '[') {
			out[n++] = in.s[i];
			continue;
		}
		/* parameters, and one letter that says what they are of */
		for (i += 2; i < in.n && in.s[i] >= ' ' && in.s[i] < '@'; i++)
			;
	}
	return n;
}
