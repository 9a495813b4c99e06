/*
 * gotext_line.h - private to gotext: what one line of a dump of goroutines says.
 *
 * Pure functions over a line without its end; nothing is allocated, nothing kept.
 */
#ifndef LIMPET_EVIDENCE_GOTEXT_LINE_H
#define LIMPET_EVIDENCE_GOTEXT_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of text, borrowed. */
struct bit {
	const char *s;
	size_t n;
};

bool bit_starts(struct bit p, const char *with);
bool bit_is(struct bit p, const char *what);
struct bit bit_from(struct bit p, size_t at);
struct bit bit_trim(struct bit p); /* blanks, tabs, CR on both sides */
/* Digits at its beginning; how many, 0: none or too many. */
size_t bit_number(struct bit p, uint64_t *ret);
/* "0x1f" */
size_t bit_hex(struct bit p, uint64_t *ret);

struct gotext_header {
	uint64_t id, minutes;
	struct bit state, labels; /* labels: between the braces */
	uint32_t flags;		  /* GOTEXT_* */
	size_t at, end;		  /* in the line: "goroutine", and behind the colon */
};
/* Anywhere in the line. */
bool gotext_header(struct bit line, struct gotext_header *ret);

struct gotext_call {
	struct bit name;
	uint64_t arg; /* the first one, if it is a number */
	uint32_t has_arg, unsure, flags;
};
/* "main.(*T).f(0xc000010000, {0x1?, ...})" */
bool gotext_call(struct bit line, struct gotext_call *ret);

struct gotext_place {
	struct bit file;
	uint32_t line;
	bool only_pc; /* " pc=0x…" and no "+0x…": of C */
};
/* "\t/src/main.go:41 +0x1d" */
bool gotext_place(struct bit line, struct gotext_place *ret);

/* "created by main.f in goroutine 1" */
bool gotext_created(struct bit line, struct bit *ret_name, uint64_t *ret_parent);

/* Of debug=1: "#\t0x46d2a5\tmain.f+0x1d\t/src/main.go:41" */
struct gotext_symbol {
	struct bit name, file;
	uint32_t line;
};
bool gotext_symbol(struct bit line, struct gotext_symbol *ret);
/* "12 @ 0x43a3f6 0x4…" */
bool gotext_record(struct bit line, uint64_t *ret_count);
/* "goroutine profile: total 12": 1, "goroutineleak profile: …": 2; 0 neither */
unsigned gotext_profile(struct bit line, uint64_t *ret_total);

/* How something begins to which lines belong: a goroutine's header, or the head of a profile. */
struct gotext_anchor {
	struct gotext_header header;
	unsigned profile; /* as gotext_profile() has it; 0: header */
	uint64_t total;
	size_t at; /* in the line */
};
/* Anywhere in the line. */
bool gotext_anchor(struct bit line, struct gotext_anchor *ret);

/* Of a last line that has no end: what of it cannot be the beginning of something longer, so that
 * half a name or a number is not taken for a whole one. */
struct bit gotext_sure(struct bit line);

/* Time at the very beginning: its length, 0: none.  *ret_flags: GOTEXT_NO_YEAR, GOTEXT_NO_ZONE */
size_t gotext_time(struct bit p, uint64_t *ret_ns, uint32_t *ret_flags);

/* What stands before each line of a dump: of a container, a journal, a logger. */
struct gotext_prefix {
	char text[400];
	size_t n;
	size_t time_at, time_n; /* n 0: there is none */
};
void gotext_prefix_learn(struct gotext_prefix *p, struct bit before);
/* Where the line's own text begins: behind as much of the prefix as fits. */
size_t gotext_prefix_skip(const struct gotext_prefix *p, struct bit line);

/* Who wrote the line, of a log of several: "web-1", "[pod/web/app", "host app[12"; where its own
 * text begins, 0: nobody is named. */
size_t gotext_source(struct bit line, struct bit *ret_name);

/* Of a quoted text, until its quote ends: bytes written to out, which has room for in.n and may be
 * where in is. */
size_t gotext_unquote(struct bit in, char quote, char *out);
/* Without "\x1b[31m" and the like: bytes written to out, which has room for in.n and may be it. */
size_t gotext_uncolour(struct bit in, char *out);

/*
 * A text in quotes that has a name: "log": "…" of JSON, msg="…" of logfmt.  Value is as it is
 * written, without its quotes.
 */
struct gotext_field {
	struct bit key, value;
	bool json;
	bool quoted; /* values of logfmt may be without */
};
/* The one that has the byte at. */
bool gotext_field_at(struct bit line, size_t at, struct gotext_field *ret);
/* The first one of ret->json with that name. */
bool gotext_field_named(struct bit line, struct bit key, bool json, struct gotext_field *ret);

/* What stands around each line of a dump: fields in fields, and a prefix within. */
enum { GOTEXT_LAYERS = 4 };
struct gotext_wrap {
	struct {
		char key[64];
		size_t n;
		bool json;
	} layer[GOTEXT_LAYERS];
	size_t n;
	struct gotext_prefix prefix;
};

/* "nil dereference" …; static */
const char *gotext_panic_kind(struct bit how, struct bit message);

#endif
