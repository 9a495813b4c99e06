/*
 * gotext_line.c - one line of a dump of goroutines, as Go 1.18 to 1.27 write them.
 *
 * What tells lines of a traceback from all others: a header has its brackets and its colon, calls
 * have nothing but hexadecimal numbers between their parentheses, places end in ":number".
 * Source: runtime/traceback.go.  Cost: one pass a line.
 */
#include "evidence/gotext_line.h"
#include "evidence/gotext.h"

enum { HEADER_MAX = 1 << 12 };

bool bit_starts(struct bit p, const char *with)
{
	size_t n = strlen(with);

	return p.n >= n && !memcmp(p.s, with, n);
}

bool bit_is(struct bit p, const char *what)
{
	return p.n == strlen(what) && !memcmp(p.s, what, p.n);
}

struct bit bit_from(struct bit p, size_t at)
{
	at = MIN(at, p.n);
	return (struct bit){ p.s + at, p.n - at };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

struct bit bit_trim(struct bit p)
{
	while (p.n && is_blank(p.s[0]))
		p = bit_from(p, 1);
	while (p.n && is_blank(p.s[p.n - 1]))
		p.n--;
	return p;
}

size_t bit_number(struct bit p, uint64_t *ret)
{
	uint64_t x = 0;
	size_t n = 0;

	for (; n < p.n && p.s[n] >= '0' && p.s[n] <= '9'; n++) {
		if (n > 18)
			return 0;
		x = x * 10 + (uint64_t)(p.s[n] - '0');
	}
	*ret = x;
	return n;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t bit_hex(struct bit p, uint64_t *ret)
{
	uint64_t x = 0;
	size_t n = 2;

	if (!bit_starts(p, "0x"))
		return 0;
	for (; n < p.n && hex_digit(p.s[n]) >= 0; n++) {
		if (n > 17)
			return 0;
		x = x << 4 | (uint64_t)hex_digit(p.s[n]);
	}
	*ret = x;
	return n > 2 ? n : 0;
}

static size_t find(struct bit p, const char *what)
{
	const char *at = memmem(p.s, p.n, what, strlen(what));

	return at ? (size_t)(at - p.s) : SIZE_MAX;
}

static bool strip_end(struct bit *p, const char *end)
{
	size_t n = strlen(end);

	if (p->n < n || memcmp(p->s + p->n - n, end, n))
		return false;
	p->n -= n;
	return true;
}

/* "12 minutes" and what else stands behind commas. */
static void header_part(struct bit part, struct gotext_header *h)
{
	size_t n = bit_number(part, &h->minutes);

	if (n && bit_is(bit_from(part, n), " minutes"))
		return;
	if (n)
		h->minutes = 0;
	if (bit_is(part, "locked to thread"))
		h->flags |= GOTEXT_LOCKED;
	else if (bit_starts(part, "synctest "))
		h->flags |= GOTEXT_BUBBLE;
}

/* What stands between the brackets.  Go 1.26 has labels in there, too. */
static bool header_state(struct bit in, struct gotext_header *h)
{
	const char *labels = memmem(in.s, in.n, " labels:{", 9), *comma;
	uint64_t minutes = 0;

	if (labels) {
		h->labels = bit_from(in, (size_t)(labels - in.s) + 9);
		strip_end(&h->labels, "}");
		in.n = (size_t)(labels - in.s);
	}
	h->minutes = 0;
	comma = memmem(in.s, in.n, ", ", 2);
	h->state = (struct bit){ in.s, comma ? (size_t)(comma - in.s) : in.n };
	while (comma) {
		struct bit part = bit_from(in, (size_t)(comma - in.s) + 2);

		comma = memmem(part.s, part.n, ", ", 2);
		if (comma)
			part.n = (size_t)(comma - part.s);
		header_part(part, h);
		minutes = MAX(minutes, h->minutes);
	}
	h->minutes = minutes;
	if (strip_end(&h->state, " (durable)"))
		h->flags |= GOTEXT_BUBBLE;
	if (strip_end(&h->state, " (scan)"))
		h->flags |= GOTEXT_SCAN;
	if (strip_end(&h->state, " (leaked)"))
		h->flags |= GOTEXT_LEAKED;
	if (bit_is(h->state, "leaked"))
		h->flags |= GOTEXT_LEAKED;
	return h->state.n > 0 && h->state.n < 60;
}

/*
 * The bracket that ends it: in labels brackets may stand, too, in quotes.  Quotes are in labels
 * alone.  Not sought for long: who writes nothing but beginnings of headers would have each of them
 * sought to the end.
 */
static size_t find_close(struct bit p)
{
	bool quoted = false, labels = false;

	p.n = MIN(p.n, (size_t)HEADER_MAX);
	for (size_t i = 0; i < p.n; i++) {
		if (quoted && p.s[i] == '\\') {
			i++;
		} else if (p.s[i] == '"') {
			labels = labels || memmem(p.s, i, " labels:{", 9);
			if (!labels)
				return SIZE_MAX;
			quoted = !quoted;
		} else if (p.s[i] == ']' && !quoted) {
			return i;
		}
	}
	return SIZE_MAX;
}

/* Behind the bracket: ":", or of Go 1.27 " {key: value}:". */
static bool header_tail(struct bit p, struct gotext_header *h, size_t *ret)
{
	bool quoted = false;

	p.n = MIN(p.n, (size_t)HEADER_MAX);
	*ret = 1;
	if (bit_starts(p, ":"))
		return true;
	if (!bit_starts(p, " {"))
		return false;
	for (size_t i = 2; i + 1 < p.n; i++) {
		if (quoted && p.s[i] == '\\')
			i++;
		else if (p.s[i] == '"')
			quoted = !quoted;
		else if (p.s[i] == '}' && !quoted && p.s[i + 1] == ':') {
			h->labels = (struct bit){ p.s + 2, i - 2 };
			*ret = i + 2;
			return true;
		}
	}
	return false;
}

/* " gp=0xc000002380 m=0 mp=0x5a3e40", " m=nil": of crashes since Go 1.23. */
static size_t skip_machine(struct bit p)
{
	static const char *const words[] = { " gp=", " m=", " mp=" };
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (bit_starts(bit_from(p, at), words[i])) {
			at += strlen(words[i]);
			while (at < p.n && p.s[at] != ' ')
				at++;
		}
	return at;
}

static bool header_at(struct bit line, size_t at, struct gotext_header *h)
{
	struct bit p = bit_from(line, at + 10);
	size_t n = bit_number(p, &h->id), close, tail;

	if (!n)
		return false;
	p = bit_from(p, n);
	p = bit_from(p, skip_machine(p));
	if (!bit_starts(p, " ["))
		return false;
	p = bit_from(p, 2);
	close = find_close(p);
	if (close == SIZE_MAX || !header_state((struct bit){ p.s, close }, h) ||
	    !header_tail(bit_from(p, close + 1), h, &tail))
		return false;
	h->at = at;
	h->end = (size_t)(p.s - line.s) + close + 1 + tail;
	return true;
}

bool gotext_header(struct bit line, struct gotext_header *ret)
{
	size_t from = 0;

	while (from < line.n) {
		const char *at = memmem(line.s + from, line.n - from, "goroutine ", 10);
		struct gotext_header h = { 0 };

		if (!at)
			return false;
		from = (size_t)(at - line.s);
		if (header_at(line, from, &h)) {
			*ret = h;
			return true;
		}
		from += 10;
	}
	return false;
}

/* Between the parentheses there are hexadecimal numbers, braces, "...", "_" and "?". */
static bool are_arguments(struct bit p)
{
	for (size_t i = 0; i < p.n;) {
		uint64_t x;
		size_t n = bit_hex(bit_from(p, i), &x);

		if (!n && !strchr("{}, ?_.", p.s[i]))
			return false;
		i += n ? n : 1;
	}
	return true;
}

static bool is_name(struct bit p)
{
	if (!p.n || p.n > GOTEXT_TEXT_MAX)
		return false;
	for (size_t i = 0; i < p.n; i++)
		if (is_blank(p.s[i]) || p.s[i] == '"' || p.s[i] == '=' ||
		    (unsigned char)p.s[i] < ' ')
			return false;
	return true;
}

static void first_argument(struct bit args, struct gotext_call *c)
{
	size_t n = bit_hex(args, &c->arg);

	c->has_arg = n > 0;
	c->unsure = n && n < args.n && args.s[n] == '?';
}

/* "main.worker(0xc0000123 2024/01/02 hello": other output came in between. */
static bool cut_call(struct bit line, struct gotext_call *ret)
{
	const char *open = NULL;

	for (size_t i = 1; i + 2 < line.n && line.s[i] != ' '; i++)
		if (line.s[i] == '(' &&
		    (!memcmp(line.s + i + 1, "0x", 2) || !memcmp(line.s + i + 1, "{0", 2)))
			open = line.s + i;
	if (!open)
		return false;
	ret->name = (struct bit){ line.s, (size_t)(open - line.s) };
	ret->flags = GOTEXT_FRAME_CUT;
	return is_name(ret->name) && memchr(ret->name.s, '.', ret->name.n);
}

bool gotext_call(struct bit line, struct gotext_call *ret)
{
	struct bit args;
	size_t open;

	*ret = (struct gotext_call){ 0 };
	while (line.n && is_blank(line.s[line.n - 1]))
		line.n--;
	if (line.n < 3 || is_blank(line.s[0]))
		return false;
	if (line.s[line.n - 1] != ')')
		return cut_call(line, ret);
	for (open = line.n - 2; open && line.s[open] != '('; open--)
		;
	ret->name = (struct bit){ line.s, open };
	args = (struct bit){ line.s + open + 1, line.n - open - 2 };
	if (!open || !are_arguments(args) || !is_name(ret->name))
		return false;
	if (bit_is(args, "..."))
		ret->flags = GOTEXT_FRAME_INLINED;
	else
		first_argument(args, ret);
	return true;
}

/* " +0x1d", " fp=0x…", " sp=0x…", " pc=0x…" at the end of p. */
static void strip_counters(struct bit *p, bool *ret_offset, bool *ret_pc)
{
	for (;;) {
		const char *space = memrchr(p->s, ' ', p->n);
		struct bit w;
		uint64_t x;
		size_t skip;

		if (!space)
			return;
		w = bit_from(*p, (size_t)(space - p->s) + 1);
		skip = bit_starts(w, "+0x") ? 1 : 3;
		if (skip == 3 && !bit_starts(w, "fp=") && !bit_starts(w, "sp=") &&
		    !bit_starts(w, "pc="))
			return;
		if (bit_hex(bit_from(w, skip), &x) != w.n - MIN(w.n, skip))
			return;
		*ret_offset |= skip == 1;
		*ret_pc |= w.s[0] == 'p';
		p->n = (size_t)(space - p->s);
	}
}

bool gotext_place(struct bit line, struct gotext_place *ret)
{
	bool indented = line.n && is_blank(line.s[0]), offset = false, pc = false;
	struct bit p = bit_trim(line);
	const char *colon;
	uint64_t n;

	if (bit_starts(p, "#011")) { /* how rsyslog writes a tab */
		p = bit_from(p, 4);
		indented = true;
	}
	strip_counters(&p, &offset, &pc);
	colon = p.n ? memrchr(p.s, ':', p.n) : NULL;
	if (!colon || colon == p.s)
		return false;
	ret->file = (struct bit){ p.s, (size_t)(colon - p.s) };
	p = bit_from(p, ret->file.n + 1);
	if (!p.n || bit_number(p, &n) != p.n || n > INT32_MAX || ret->file.n > GOTEXT_TEXT_MAX)
		return false;
	ret->line = (uint32_t)n;
	ret->only_pc = pc && !offset;
	/* text that lost its indentation has to look more like it */
	return indented || strip_end(&(struct bit){ ret->file.s, ret->file.n }, ".go") || offset;
}

bool gotext_created(struct bit line, struct bit *ret_name, uint64_t *ret_parent)
{
	const char *in;

	if (!bit_starts(line, "created by "))
		return false;
	line = bit_trim(bit_from(line, 11));
	*ret_parent = 0;
	in = memmem(line.s, line.n, " in goroutine ", 14);
	if (in) {
		struct bit id = bit_from(line, (size_t)(in - line.s) + 14);

		if (!bit_number(id, ret_parent))
			*ret_parent = 0;
		line.n = (size_t)(in - line.s);
	}
	*ret_name = line;
	return is_name(line);
}

/* What text/tabwriter padded with: tabs, "#011" (rsyslog), or blanks that were made of them. */
static size_t gap_at(struct bit p)
{
	size_t n = 0;

	while (n < p.n && (p.s[n] == '\t' || bit_starts(bit_from(p, n), "#011")))
		n += p.s[n] == '\t' ? 1 : 4;
	if (!n && bit_starts(p, "  "))
		while (n < p.n && p.s[n] == ' ')
			n++;
	return n;
}

/* Until the next gap; *p stands behind it. */
static struct bit next_column(struct bit *p)
{
	size_t n = 0;
	struct bit c;

	while (n < p->n && !gap_at(bit_from(*p, n)))
		n++;
	c = (struct bit){ p->s, n };
	*p = bit_from(*p, n + gap_at(bit_from(*p, n)));
	return c;
}

bool gotext_symbol(struct bit line, struct gotext_symbol *ret)
{
	struct bit c;
	uint64_t x, n = 0;

	*ret = (struct gotext_symbol){ 0 };
	if (!bit_starts(line, "#") || !gap_at(bit_from(line, 1)))
		return false;
	line = bit_trim(bit_from(line, 1 + gap_at(bit_from(line, 1))));
	c = next_column(&line);
	if (bit_hex(c, &x) != c.n || !c.n)
		return false;
	ret->name = next_column(&line);
	for (size_t i = ret->name.n; i-- > 0;)
		if (ret->name.s[i] == '+') {
			ret->name.n = i;
			break;
		}
	ret->file = bit_trim(line);
	for (size_t i = ret->file.n; i-- > 0;)
		if (ret->file.s[i] == ':') {
			if (bit_number(bit_from(ret->file, i + 1), &n) && n <= INT32_MAX)
				ret->line = (uint32_t)n;
			ret->file.n = i;
			break;
		}
	return ret->name.n <= GOTEXT_TEXT_MAX && ret->file.n <= GOTEXT_TEXT_MAX;
}

bool gotext_record(struct bit line, uint64_t *ret_count)
{
	size_t n = bit_number(line, ret_count);
	uint64_t x;

	if (!n || !*ret_count || !bit_starts(bit_from(line, n), " @"))
		return false;
	line = bit_from(line, n + 2);
	return !line.n || (line.s[0] == ' ' && bit_hex(bit_from(line, 1), &x));
}

unsigned gotext_profile(struct bit line, uint64_t *ret_total)
{
	static const char *const words[] = { "goroutine profile: total ",
					     "goroutineleak profile: total " };

	for (unsigned i = 0; i < ARRAY_LEN(words); i++)
		if (bit_starts(line, words[i]) &&
		    bit_number(bit_from(line, strlen(words[i])), ret_total))
			return i + 1;
	return 0;
}

bool gotext_anchor(struct bit line, struct gotext_anchor *ret)
{
	size_t from = find(line, "goroutine");
	const char *word;

	if (from == SIZE_MAX)
		return false;
	*ret = (struct gotext_anchor){ 0 };
	if (gotext_header(line, &ret->header)) {
		ret->at = ret->header.at;
		return true;
	}
	word = memmem(line.s, line.n, " profile: total ", 16);
	if (!word)
		return false;
	for (ret->at = from; ret->at < (size_t)(word - line.s); ret->at++) {
		ret->profile = gotext_profile(bit_from(line, ret->at), &ret->total);
		if (ret->profile)
			return true;
	}
	return false;
}

/* "#\t0x46d2a5\tmain.f+0x1d\t/src/main.go:4": of which line is not sure. */
static struct bit sure_symbol(struct bit line)
{
	size_t n = line.n;

	while (n && line.s[n - 1] >= '0' && line.s[n - 1] <= '9')
		n--;
	if (n && line.s[n - 1] == ':' &&
	    strip_end(&(struct bit){ line.s, n - 1 }, ".go"))
		return (struct bit){ line.s, n - 1 };
	return (struct bit){ line.s, 0 };
}

struct bit gotext_sure(struct bit line)
{
	struct gotext_place at;
	size_t n = line.n;
	uint64_t x;

	if (find(line, "\\n") != SIZE_MAX) { /* lines in a quoted text */
		while (memcmp(line.s + n - 2, "\\n", 2) != 0)
			n--;
		return (struct bit){ line.s, n };
	}
	if (find(line, "created by ") != SIZE_MAX) {
		n = find(line, " in goroutine ");
		return (struct bit){ line.s, n == SIZE_MAX ? 0 : n };
	}
	if (find(line, "#\t0x") != SIZE_MAX)
		return sure_symbol(line);
	if (find(line, "# labels: {") != SIZE_MAX)
		return (struct bit){ line.s, line.s[line.n - 1] == '}' ? line.n : 0 };
	n = find(line, " +");
	if (n != SIZE_MAX) /* the offset itself is not used */
		return bit_hex(bit_from(line, n + 2), &x) ? line : (struct bit){ line.s, n };
	return (struct bit){ line.s, gotext_place(line, &at) ? 0 : line.n };
}
