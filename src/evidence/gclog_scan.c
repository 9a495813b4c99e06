/*
 * gclog_scan.c - cycles in lines of any output.
 *
 * A whole line of gctrace is found anywhere in a line, behind any prefix, also inside a string of
 * JSON.  What begins and does not go on is kept, with the lines behind it, until the rest has come:
 * then it is put together (gclog_piece.c).  Knows no processes.
 * Memory: a few KiB.  Putting together is tried only where all words of a cycle are there, and
 * is given up when it has looked at a quarter as many bytes as the file has, and FREE_WORK.
 */
#include "evidence/gclog_priv.h"

#include "base/str.h"

enum { PEND_LINES = 48, PEND_BYTES = 6 << 10, FREE_WORK = 64 << 20 };

struct gclog_scan {
	gclog_found_fn *fn;
	void *arg;
	struct str flat; /* a line without JSON's escapes */
	struct str rest; /* of a line: what is no whole cycle */
	struct str pend; /* from a beginning on */
	struct str pend_before;
	unsigned pend_lines;
	uint64_t line, broken;
	uint32_t procs[4];    /* GOMAXPROCS of lines that were whole, the newest first; 0: none */
	uint64_t bytes, work; /* read; looked at to put something together */
};

static const char *find(const char *p, size_t n, const char *what)
{
	return memmem(p, n, what, strlen(what));
}

static unsigned hex4(const char *p)
{
	char s[5] = { p[0], p[1], p[2], p[3], 0 };
	char *end;
	unsigned long v = strtoul(s, &end, 16);

	return *end ? 0 : (unsigned)v;
}

/* "-\u003e" is how Docker's log driver writes "->". */
static void unescape(struct str *o, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char c = p[i];

		if (c == '\\' && i + 1 < n) {
			c = p[++i];
			if (c == 'u' && i + 4 < n) {
				unsigned v = hex4(p + i + 1);

				c = v && v < 0x80 ? (char)v : '?';
				i += 4;
			} else if (c == 'n' || c == 't' || c == 'r') {
				c = c == 'n' ? '\n' : ' ';
			}
		}
		str_putn(o, &c, 1);
	}
}

static void clear(struct str *s)
{
	s->n = 0;
	if (s->s)
		s->s[0] = 0;
}

static void cut_front(struct str *s, size_t n)
{
	memmove(s->s, s->s + n, s->n - n + 1);
	s->n -= n;
}

static struct err *emit(struct gclog_scan *s, struct gclog_cycle *c, const struct str *before,
			const char *line, size_t nline)
{
	struct gclog_found f = { *c, before->s ? before->s : "", before->n, line, nline };

	f.c.line = s->line;
	return s->fn(s->arg, &f);
}

/* "gc 12 @0.1": a cycle, and no word of somebody's own. */
static bool begins(const struct str *pend)
{
	struct gclog_fields f = { 0 };
	size_t at = 0, k = 1;

	for (unsigned i = 0; i < 4 && k; i++) {
		k = gclog_step_at(i, pend->s + at, pend->n - at, SIZE_MAX, &f);
		at += k;
	}
	return k != 0;
}

/* The first beginning is given up. */
static void drop_first(struct gclog_scan *s)
{
	const char *next = s->pend.n > 3 ? find(s->pend.s + 3, s->pend.n - 3, "gc ") : NULL;

	if (!s->pend.n)
		return;
	s->broken += begins(&s->pend);
	if (next) {
		const char *nl = memrchr(s->pend.s, '\n', (size_t)(next - s->pend.s));
		size_t from = nl ? (size_t)(nl - s->pend.s) + 1 : (size_t)(next - s->pend.s);

		clear(&s->pend_before);
		str_putn(&s->pend_before, s->pend.s + from, (size_t)(next - s->pend.s) - from);
		cut_front(&s->pend, (size_t)(next - s->pend.s));
		s->pend_lines /= 2;
	} else {
		clear(&s->pend);
		s->pend_lines = 0;
	}
}

/* All words that are written in one piece. */
static bool may_be_whole(const struct str *t)
{
	static const char *const words[] = { " P",	  " MB goal, ", " ms clock, ",
					     " ms cpu, ", " MB, ",	"->" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!find(t->s, t->n, words[i]))
			return false;
	return true;
}

static void take_out(struct str *t, const uint8_t *taken)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (!taken[i])
			t->s[n++] = t->s[i];
	t->n = n;
	t->s[n] = 0;
}

static bool procs_known(const struct gclog_scan *s, uint32_t procs)
{
	for (size_t i = 0; i < ARRAY_LEN(s->procs); i++)
		if (s->procs[i] == procs)
			return true;
	return !s->procs[0];
}

static void note_procs(struct gclog_scan *s, uint32_t procs)
{
	if (s->procs[0] == procs || (s->procs[0] && procs_known(s, procs)))
		return;
	memmove(&s->procs[1], &s->procs[0], sizeof(s->procs) - sizeof(s->procs[0]));
	s->procs[0] = procs;
}

/* What stood before it in its line. */
static void note_before(struct gclog_scan *s, size_t from)
{
	const char *nl = from ? memrchr(s->pend.s, '\n', from) : NULL;
	size_t line = nl ? (size_t)(nl - s->pend.s) + 1 : 0;

	if (!nl)
		return; /* pend_before is of the first one */
	clear(&s->pend_before);
	str_putn(&s->pend_before, s->pend.s + line, from - line);
}

/* From the next beginning on. */
static bool go_on(struct gclog_scan *s)
{
	const char *at = find(s->pend.s, s->pend.n, "gc ");

	if (at) {
		note_before(s, (size_t)(at - s->pend.s));
		cut_front(&s->pend, (size_t)(at - s->pend.s));
		return true;
	}
	clear(&s->pend);
	s->pend_lines = 0;
	return false;
}

/* *ret_again: one was found, there may be another. */
static struct err *put_together(struct gclog_scan *s, bool *ret_again)
{
	_cleanup_(freep) uint8_t *taken = zalloc(s->pend.n + 1, 1);
	struct gclog_fields f;
	struct gclog_cycle c;
	size_t from;
	struct err *err;

	*ret_again = false;
	if (!taken)
		return &err_nomem;
	if (!s->pend.n || !may_be_whole(&s->pend) || s->work > s->bytes / 4 + FREE_WORK)
		return NULL;
	s->work += s->pend.n;
	err = gclog_piece(s->pend.s, s->pend.n, taken, &f, &from);
	if (err || from == SIZE_MAX)
		return err;
	/* "5 P left" may end it for now; its own may yet come */
	if (!gclog_cycle_of(&f, &c) || !procs_known(s, c.procs))
		return NULL;
	note_before(s, from);
	c.flags |= GCLOG_PIECED | (f.split ? GCLOG_SPLIT : 0U);
	err = emit(s, &c, &s->pend_before, s->pend_before.s ? s->pend_before.s : "",
		   s->pend_before.n);
	take_out(&s->pend, taken);
	*ret_again = go_on(s);
	return err;
}

/* What is no whole cycle of a line. */
static struct err *keep_rest(struct gclog_scan *s)
{
	const char *at = find(s->rest.s, s->rest.n, "gc ");
	bool again = find(s->rest.s, s->rest.n, " P") != NULL; /* its last word */
	struct err *err = NULL;

	if (!s->pend.n) {
		if (!at)
			return NULL;
		clear(&s->pend_before);
		str_putn(&s->pend_before, s->rest.s, (size_t)(at - s->rest.s));
		cut_front(&s->rest, (size_t)(at - s->rest.s));
	}
	str_putn(&s->pend, s->rest.s, MIN(s->rest.n, (size_t)PEND_BYTES / 2));
	str_put(&s->pend, "\n");
	s->pend_lines++;
	if (s->pend.bad || s->pend_before.bad)
		return &err_nomem;
	while (!err && again)
		err = put_together(s, &again);
	while (s->pend.n > PEND_BYTES || s->pend_lines > PEND_LINES)
		drop_first(s);
	return err;
}

static struct err *whole_ones(struct gclog_scan *s, const char *p, size_t n)
{
	_cleanup_(str_deinit) struct str before = { 0 };
	struct gclog_fields f;
	struct gclog_cycle c;
	size_t from = 0;
	struct err *err = NULL;

	clear(&s->rest);
	for (const char *at = find(p, n, "gc "); at && !err;) {
		size_t k = gclog_whole(at, n - (size_t)(at - p), &f);

		if (k && gclog_cycle_of(&f, &c)) {
			clear(&before);
			str_putn(&before, p + from, (size_t)(at - p) - from);
			str_putn(&s->rest, p + from, (size_t)(at - p) - from);
			from = (size_t)(at - p) + k;
			note_procs(s, c.procs);
			err = before.bad ? &err_nomem : emit(s, &c, &before, p, n);
		}
		at += MAX(k, 3U);
		at = find(at, n - (size_t)(at - p), "gc ");
	}
	str_putn(&s->rest, p + from, n - from);
	return err ? err : s->rest.bad ? &err_nomem : NULL;
}

struct err *gclog_scan_line(struct gclog_scan *s, const char *p, size_t n)
{
	struct err *err;

	s->line++;
	s->bytes += n + 1;
	if (n && p[n - 1] == '\r')
		n--;
	if (!s->pend.n && !find(p, n, "gc "))
		return NULL;
	if (memchr(p, '\\', n)) {
		clear(&s->flat);
		unescape(&s->flat, p, n);
		if (!str_ok(&s->flat))
			return &err_nomem;
		p = s->flat.s;
		n = s->flat.n;
	}
	err = whole_ones(s, p, n);
	return err || !s->rest.s ? err : keep_rest(s);
}

void gclog_scan_end(struct gclog_scan *s, uint64_t *ret_broken)
{
	while (s->pend.n)
		drop_first(s);
	*ret_broken = s->broken;
}

struct err *gclog_scan_create(gclog_found_fn *fn, void *arg, struct gclog_scan **ret)
{
	struct gclog_scan *s = zalloc(1, sizeof(*s));

	if (!s)
		return &err_nomem;
	s->fn = fn;
	s->arg = arg;
	*ret = s;
	return NULL;
}

void gclog_scan_free(struct gclog_scan *s)
{
	if (!s)
		return;
	str_deinit(&s->flat);
	str_deinit(&s->rest);
	str_deinit(&s->pend);
	str_deinit(&s->pend_before);
	free(s);
}
