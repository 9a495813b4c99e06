/*
 * gotext_priv.h - private to gotext: the reader's state, and tables of texts, frames and stacks.
 */
#ifndef LIMPET_EVIDENCE_GOTEXT_PRIV_H
#define LIMPET_EVIDENCE_GOTEXT_PRIV_H

#include "evidence/gotext.h"
#include "evidence/gotext_line.h"

/* Open addressing; a slot is an id + 1. */
struct gotext_index {
	uint32_t *slot;
	size_t size, used;
};

struct gotext_seen_slot {
	uint64_t id;
	uint32_t stamp, at;
};
struct gotext_seen {
	struct gotext_seen_slot *slot;
	size_t size, used;
	uint32_t stamp;
};

/* A goroutine as a dump's comparison with the next needs it; sorted by id. */
struct gotext_ident {
	uint64_t id;
	uint32_t stack, state;
};
typedef VEC(struct gotext_ident) gotext_idents;

enum gotext_where {
	AT_NOTHING,
	AT_GOROUTINE, /* frames belong to cur */
	AT_ANCESTOR,  /* frames are those of who made it: GODEBUG=tracebackancestors */
	AT_ELSEWHERE, /* the runtime's own stack */
	AT_PROFILE,   /* debug=1 */
	AT_END,	      /* cur is complete */
};

/* A line of which more follows; empty: there is none. */
struct gotext_part {
	VEC(char) text;
	bool docker; /* of its json-file, else of CRI */
};

enum { GOTEXT_STREAMS_MAX = 64 };

struct gotext_reader;

/* What the readers of all streams have in common. */
struct gotext_shared {
	VEC(char) chars;
	VEC(uint32_t) texts; /* where each begins in chars */
	struct gotext_index text_index, frame_index, stack_index;
	size_t want; /* 0: the last whole dump */
	bool nomem;
	uint32_t processes; /* numbers given away */

	/* of the file */
	uint32_t file;
	uint64_t line;
	VEC(char) scratch, plain_line;
	struct gotext_part parts[2];

	struct gotext_reader *stream[GOTEXT_STREAMS_MAX];
	size_t nstreams;
};

/* Of one stream of lines: those of one container, or of all that have no name. */
struct gotext_reader {
	struct gotext_shared *all;
	struct gotext_seen seen;
	uint64_t who;  /* what its name is hashed to; 0: it has none */
	uint64_t turn; /* when it wrote last */
	bool dumps_of_file, dumps_of_any; /* it wrote dumps: in this file, in any */

	/* of the file */
	uint64_t time_ns; /* the last one that was seen */
	uint32_t time_flags;
	bool timed;
	struct gotext_wrap wrap;

	/* the dump that is being read */
	bool open;
	struct gotext_dump dump;
	size_t place;	/* in dumps; SIZE_MAX: it has nothing yet */
	uint64_t total; /* as a profile's head says */
	VEC(struct gotext_goroutine) gs;
	VEC(struct gotext_arg) args;
	bool breaks;  /* the next header begins another dump */
	bool soft;    /* … if it is that of a running goroutine: a panic's is */
	bool relay;   /* "-----": other threads of the same death follow */
	uint64_t gap; /* lines of other output since the last line of it */
	uint64_t noise;

	/* the goroutine that is being read */
	enum gotext_where where;
	struct gotext_goroutine cur;
	uint32_t instead; /* of that one in gs, which had no stack; GOTEXT_NONE: it is a new one */
	VEC(uint32_t) cur_links; /* frames, innermost first */
	uint32_t created, elided;
	bool created_open;  /* its place follows */
	struct bit pending; /* of scratch below: a call whose place follows */
	char pending_text[GOTEXT_TEXT_MAX + 1];
	struct gotext_call pending_call;
	bool has_pending, blank;
	char plain[512]; /* the last line that was nothing: a C function's name? */
	size_t nplain;

	/* a panic whose goroutine has not come yet */
	bool has_panic;
	struct gotext_panic panic;
	char message[1024];
	size_t nmessage;
	uint64_t since_panic; /* lines */
	bool panic_final, in_message;
	bool tabbed; /* further lines of what it says begin with a tab */

	/* dumps of this process */
	uint32_t process;
	gotext_idents before, first;
	uint32_t first_dump; /* of this process; GOTEXT_NONE */
	bool over;	     /* the process has ended */
};

uint32_t gotext_intern(struct gotext *g, struct bit text);
uint32_t gotext_intern_frame(struct gotext *g, const struct gotext_frame *f);
/* links: innermost first. */
uint32_t gotext_intern_stack(struct gotext *g, const uint32_t *links, size_t n, uint32_t created,
			     uint32_t elided);
void gotext_tables_deinit(struct gotext_shared *all);

/* Is id in the dump?  Else it is from now on.  *ret_at: where it is in gs. */
bool gotext_seen(struct gotext_reader *r, uint64_t id, uint32_t at, uint32_t *ret_at);

/* g->r is the one that reads now; false: no memory. */
bool gotext_streams_create(struct gotext *g);
void gotext_streams_free(struct gotext *g);
/* A file begins; all dumps are at their end. */
void gotext_streams_begin(struct gotext *g);
void gotext_streams_close(struct gotext *g);
/* Whose line is it?  g->r is, then; what names them is taken off.  False: of nobody who matters. */
bool gotext_stream_of(struct gotext *g, struct bit *line);

/*
 * Is the line whole?  *raw may be another one, then: with the pieces that came before, borrowed
 * until the next call.  False: it is kept until the rest of it comes.
 */
bool gotext_join(struct gotext *g, struct bit *raw);
/* At the end of a file: a line whose rest did not come; false: no more. */
bool gotext_join_rest(struct gotext *g, struct bit *ret);

/* What was kept back is a line, too: the file is at its end. */
void gotext_lines_end(struct gotext *g);
/* A line of the file, and one that nothing stands around any more. */
void gotext_line(struct gotext *g, struct bit raw);
void gotext_content(struct gotext *g, struct bit line);
/*
 * Is that a panic's own words, an error with a stack in it?  printindented() of runtime/panic.go
 * writes a tab behind each "\n" of them.
 */
bool gotext_is_said(const struct gotext *g, struct bit line, const struct gotext_anchor *a);
/* Of a line the same, if it is known to have no anchor; and what an anchor begins. */
void gotext_content_plain(struct gotext *g, struct bit line);
void gotext_begin(struct gotext *g, const struct gotext_anchor *a);

/* The dump that is being read is at its end. */
void gotext_close_dump(struct gotext *g);
void gotext_close_goroutine(struct gotext *g);
/* How a dump begins: by a header or by the head of a profile. */
void gotext_open_dump(struct gotext *g);
/* It has something: its place among the others, which end later or sooner, is known now. */
void gotext_place_dump(struct gotext *g);

/* "panic: …", "fatal error: …", "SIGQUIT: quit": is the line one? */
bool gotext_mark(struct gotext *g, struct bit line);
/* The goroutine that has begun is the one that it was of. */
void gotext_take_panic(struct gotext *g);

static inline struct bit gotext_piece(const struct gotext *g, uint32_t text)
{
	const char *s = gotext_text(g, text);

	return (struct bit){ s, strlen(s) };
}

#endif
