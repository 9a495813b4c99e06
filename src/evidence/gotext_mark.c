/*
 * gotext_mark.c - lines that say why a dump was written: panics, fatal errors, signals.
 *
 * They belong to the goroutine whose header follows soon; what is followed by none was something
 * else.  Source: runtime/panic.go (printpanics, throw, fatal), runtime/signal_unix.go
 * (fatalsignal), net/http/server.go (conn.serve).
 */
#include "evidence/gotext_priv.h"

static void set_message(struct gotext_reader *r, struct bit text)
{
	r->nmessage = MIN(text.n, sizeof(r->message));
	memcpy(r->message, text.s, r->nmessage);
}

static void more_message(struct gotext_reader *r, struct bit line)
{
	size_t n = MIN(line.n, sizeof(r->message) - r->nmessage);

	if (n && r->nmessage + 1 < sizeof(r->message)) {
		r->message[r->nmessage++] = '\n';
		n = MIN(n, sizeof(r->message) - r->nmessage);
		memcpy(r->message + r->nmessage, line.s, n);
		r->nmessage += n;
	}
}

/* Is p a place in the line where a text of its own may begin? */
static bool is_start(struct bit line, size_t at)
{
	return !at || strchr(" \t|:]\"'>", line.s[at - 1]) != NULL;
}

static size_t find_word(struct bit line, const char *word)
{
	const char *p = memmem(line.s, line.n, word, strlen(word));
	size_t at = p ? (size_t)(p - line.s) : SIZE_MAX;

	return p && is_start(line, at) ? at : SIZE_MAX;
}

static void begin_mark(struct gotext *g, struct bit how, bool final)
{
	struct gotext_reader *r = g->r;

	r->panic = (struct gotext_panic){ .how = gotext_intern(g, how) };
	r->has_panic = r->in_message = true;
	r->panic_final = final;
	r->since_panic = 0;
	r->nmessage = 0;
	if (r->open && !r->relay) {
		gotext_close_goroutine(g);
		r->breaks = true;
		r->soft = bit_is(how, "panic");
		r->where = AT_NOTHING;
	}
}

static bool strip(struct bit *p, const char *end)
{
	size_t n = strlen(end);

	if (p->n < n || memcmp(p->s + p->n - n, end, n))
		return false;
	p->n -= n;
	return true;
}

/* What was recovered is told first, what it was panicked with anew comes behind, indented. */
static void begin_panic(struct gotext *g, struct bit line, size_t at)
{
	struct gotext_reader *r = g->r;
	struct bit text = bit_trim(bit_from(line, at + 7));
	bool again = r->has_panic && r->since_panic < 20 &&
		     bit_is(gotext_piece(g, r->panic.how), "panic") && at && line.s[at - 1] == '\t';

	strip(&text, " [recovered, repanicked]");
	strip(&text, " [recovered]");
	if (again) {
		more_message(r, text);
		return;
	}
	begin_mark(g, (struct bit){ "panic", 5 }, true);
	set_message(r, text);
}

/* "SIGQUIT: quit" */
static bool signal_line(struct gotext *g, struct bit line, size_t at)
{
	size_t n = at + 3;

	while (n < line.n &&
	       ((line.s[n] >= 'A' && line.s[n] <= 'Z') || (line.s[n] >= '0' && line.s[n] <= '9')))
		n++;
	if (n < at + 6 || n + 2 >= line.n || memcmp(line.s + n, ": ", 2) != 0 || n > at + 10)
		return false;
	if (g->r->relay) /* the next thread of the same death */
		return true;
	begin_mark(g, (struct bit){ line.s + at, n - at }, true);
	set_message(g->r, bit_from(line, n + 2));
	return true;
}

/* Lines of a message that has several, until the goroutine. */
static void message_line(struct gotext_reader *r, struct bit line)
{
	if (!r->has_panic || !r->in_message || r->since_panic > 20)
		return;
	if (!line.n || bit_starts(line, "[signal ") || bit_starts(line, "PC=")) {
		r->in_message = false;
		return;
	}
	more_message(r, line);
}

bool gotext_mark(struct gotext *g, struct bit line)
{
	struct gotext_reader *r = g->r;
	size_t at = find_word(line, "panic: ");

	if (at != SIZE_MAX) {
		begin_panic(g, line, at);
		return true;
	}
	at = find_word(line, "fatal error: ");
	if (at != SIZE_MAX) {
		begin_mark(g, (struct bit){ "fatal error", 11 }, true);
		set_message(r, bit_from(line, at + 13));
		return true;
	}
	at = find_word(line, "http: panic serving ");
	if (at != SIZE_MAX) {
		const char *colon = memmem(line.s + at, line.n - at, ": ", 2);
		const char *text =
			colon ? memmem(colon + 2, (size_t)(line.s + line.n - colon) - 2, ": ", 2)
			      : NULL;

		begin_mark(g, (struct bit){ "panic", 5 }, false);
		r->panic.recovered = 1;
		if (text)
			set_message(r, bit_from(line, (size_t)(text - line.s) + 2));
		return true;
	}
	at = bit_starts(line, "[signal ") ? SIZE_MAX : find_word(line, "SIG");
	if (at != SIZE_MAX && signal_line(g, line, at))
		return true;
	message_line(r, line);
	return false;
}

void gotext_take_panic(struct gotext *g)
{
	struct gotext_reader *r = g->r;
	struct bit message = { r->message, r->nmessage };

	if (!r->has_panic || r->dump.panic != GOTEXT_NONE)
		return;
	r->has_panic = false;
	r->panic.goroutine = r->cur.id;
	r->panic.message = gotext_intern(g, message);
	r->panic.kind = gotext_panic_kind(gotext_piece(g, r->panic.how), message);
	if (bit_starts(gotext_piece(g, r->panic.how), "SIG"))
		r->panic.kind = "signal";
	else
		r->cur.flags |= GOTEXT_PANICKED;
	r->dump.panic = (uint32_t)g->panics.n;
	r->dump.flags |= r->panic_final ? GOTEXT_FINAL : 0;
	if (!vec_push(&g->panics, r->panic))
		r->all->nomem = true;
}
